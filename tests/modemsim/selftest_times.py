# SPDX-License-Identifier: MIT
"""What takes time: nothing that happens meanwhile loses a result."""

import socket
import time

from selftest_links import port_of
from simtest import *

LOST = line("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY")


def open_command(n, server):
    return 'AT+CIPOPEN=%d,"TCP","127.0.0.1",%d' % (n, server.port)


@test
def peer_ends_before_the_result():
    """--open-time: connected, and the peer has said all it will."""
    server = Server()
    with Sim("--open-time", "60") as s:
        s.up()
        s.say(open_command(0, server), OK)
        peer = server.accept()
        peer.send(b"all of it")
        peer.close()
        s.expect(line("+CIPOPEN: 0,0") + line("+CIPRXGET: 1,0") +
                 line("+IPCLOSE: 0,1"))
        s.say("AT+CIPRXGET=2,0", line("+CIPRXGET: 2,0,9,0"), "all of it",
              READ_OK)
        s.say(open_command(1, server), OK)
        server.accept().close()
        s.expect(line("+CIPOPEN: 1,0") + line("+IPCLOSE: 1,1"))
        # push, and into buffer mode while it is being opened
        s.say("AT+CIPRXGET=0;+CIPSRIP=0", OK)
        s.say(open_command(2, server), OK)
        peer = server.accept()
        peer.send(b"pushed")
        peer.close()
        s.expect(line("+CIPOPEN: 2,0") + "\r\n+IPD6\r\npushed" +
                 line("+IPCLOSE: 2,1"))
        s.say(open_command(3, server), OK)
        server.accept().close()
        time.sleep(0.02)
        s.say("AT+CIPRXGET=1", OK)
        s.expect(line("+CIPOPEN: 3,0") + line("+IPCLOSE: 3,1"))
        assert s.stats()["violations"]["total"] == 0


@test
def close_results_are_never_lost():
    """--close-time: whatever comes before +CIPCLOSE, it comes."""
    server = Server()
    with Sim("--close-time", "250", "--open-time", "40") as s:
        s.up()
        for _ in range(2):
            first = s.connect(0, server)
            s.say("AT+CIPCLOSE=0", OK)
            s.say(open_command(0, server), OK)
            peer = server.accept()
            s.expect(line("+CIPOPEN: 0,0"))
            s.expect(line("+CIPCLOSE: 0,0"))
            s.send(0, b"it is open")
            assert receive(peer, 10) == b"it is open"
            s.say("AT+CIPCLOSE=0", OK)
            assert peer.recv(1) == b""
            s.expect(line("+CIPCLOSE: 0,0"))
            assert first.recv(1) == b""
        # opened and closed again: both are told
        peers = [s.connect(0, server)]
        s.say("AT+CIPCLOSE=0", OK)
        peers.append(s.connect(0, server))
        s.say("AT+CIPCLOSE=0", OK, line("+CIPCLOSE: 0,0"))
        s.expect(line("+CIPCLOSE: 0,0"))
        peers.append(s.connect(0, server))
        s.say("AT+CIPCLOSE=0", OK)
        s.say("AT+NETCLOSE", OK)
        s.expect(line("+CIPCLOSE: 0,0") + line("+NETCLOSE: 0"))
        # but not after a reboot
        s.up_again()
        peers.append(s.connect(0, server))
        s.say("AT+CIPCLOSE=0", OK)
        s.ctl("reboot")
        s.expect(line("RDY") + line("+CPIN: READY") + line("SMS DONE") +
                 line("PB DONE"))
        s.silent(0.3)


@test
def udp_close_and_the_network_goes():
    """The final OK waits for the result: it must not wait for ever."""
    with Sim("--close-time", "80", "--free-ports") as s:
        s.up()
        s.say('AT+CIPOPEN=1,"UDP",,,5000', line("+CIPOPEN: 1,0"), OK)
        s.say("AT+CIPCLOSE=1")
        s.ctl("network-loss")
        s.expect(line("+CIPCLOSE: 1,0") + OK + LOST)
        s.say("AT", OK)


def client(peer):
    return line("+CLIENT: 0,0,127.0.0.1:%d" % peer.getsockname()[1])


@test
def accepting_after_a_slow_close():
    """Link 0 is given again when its +CIPCLOSE has been said."""
    with Sim("--close-time", "60", "--free-ports", "--quirk",
             "escape-no-guard") as s:
        s.say("ATE0", "ATE0\r", OK)
        s.say("AT+CIPMODE=1;+NETOPEN", OK, line("+NETOPEN: 0"))
        s.say("AT+SERVERSTART=8080,0", OK)
        at = ("127.0.0.1", port_of(s, "server:0"))
        first = socket.create_connection(at)
        connect = line("CONNECT 115200")
        s.expect(client(first) + connect)
        s.write("+++")
        s.expect(OK)
        s.say("AT+CIPCLOSE=0", OK, line("CLOSED"))
        second = socket.create_connection(at)
        s.silent(0.03)
        s.expect(line("+CIPCLOSE: 0,0") + client(second) + connect)


@test
def the_buffer_fills():
    """A host that takes <rest_len> for 16 bits with sign can go on."""
    server = Server()
    for options, size in (((), 16384), (("--buffer", "40000"), 40000)):
        with Sim(*options) as s:
            s.up()
            peer = s.connect(0, server)
            peer.setblocking(False)
            peer.send(bytes(60000))
            s.expect(line("+CIPRXGET: 1,0"))
            time.sleep(0.1)
            s.say("AT+CIPRXGET=4,0", line("+CIPRXGET: 4,0,%d" % size), OK)


@test
def attaching():
    """CGATT=1 ends when it is decided, 27.007 10.1.9."""
    refused = line("+CME ERROR: no network service")
    with Sim("--register-time", "80") as s:
        s.say("ATE0;+CREG=1", "ATE0;+CREG=1\r", OK)
        s.expect(line("+CREG: 1"))
        s.say("AT+CGATT=1", OK)
        s.say("AT+CGATT=0", OK, line("+CREG: 0"))
        s.write("AT+CGATT=1\r")
        s.expect(line("+CREG: 2"))
        s.silent(0.04)
        s.expect(line("+CREG: 1") + OK)
        s.say("AT+CGATT?;+NETOPEN", line("+CGATT: 1"), OK,
              line("+NETOPEN: 0"))
        # denied; nobody there; no network; no radio: told, not awaited
        s.say("AT+CREG=0", OK)
        s.ctl("registration", "denied")
        s.say("AT+CGATT=1", refused)
        s.ctl("registration", "searching")
        s.say("AT+CGATT=1", refused)
        s.write("AT+CGATT=1\r")
        s.silent(0.04)
        s.ctl("registration", "home")
        s.expect(OK)
        s.ctl("network-loss")
        s.expect(LOST)
        s.say("AT+CGATT=1", refused)
        s.say("AT+CFUN=4", OK)
        s.say("AT+CGATT=1", refused)
        # a search that runs already is not started again
        s.say("AT+CFUN=1", OK)
        s.silent(0.05)
        start = time.monotonic()
        s.say("AT+CGATT=1", OK)
        assert time.monotonic() - start < 0.06
        # and the modem can be switched off meanwhile
        s.say("AT+CGATT=0", OK)
        s.write("AT+CGATT=1\r")
        s.silent(0.02)
        s.ctl("reboot")
        s.expect(line("RDY") + line("+CPIN: READY") + line("SMS DONE") +
                 line("PB DONE"))
        s.silent(0.1)
        s.say("AT+CGATT?", "AT+CGATT?\r", line("+CGATT: 1"), OK)
