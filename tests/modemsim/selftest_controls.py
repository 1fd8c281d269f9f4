# SPDX-License-Identifier: MIT
"""Controls that tests of other layers use: slots, servers, ACKs, delays."""

import os
import socket
import time

from selftest_links import port_of
from simtest import *


def come(s, server, link, index=0):
    """A connection to a server, which gets this link."""
    peer = socket.create_connection(("127.0.0.1", port_of(s, server)))
    s.expect(line("+CLIENT: %d,%d,127.0.0.1:%d" %
                  (link, index, peer.getsockname()[1])))
    return peer


@test
def slot_of_the_next_accept():
    server = Server()
    with Sim("--free-ports", "--unanswered", "127.0.0.9",
             "--close-time", "80") as s:
        s.up()
        s.say("AT+SERVERSTART=8080,0", OK)
        s.ctl("accept-as", 7)
        first = come(s, "server:0", 7)
        second = come(s, "server:0", 0)
        # the slot that is being opened at this very moment
        s.say('AT+CIPOPEN=4,"TCP","127.0.0.9",80', OK)
        s.ctl("accept-as", 4)
        third = socket.create_connection(
            ("127.0.0.1", port_of(s, "server:0")))
        s.expect(line("+CLIENT: 4,0,127.0.0.1:%d" %
                      third.getsockname()[1]) + line("+CIPOPEN: 4,4"))
        s.send(4, b"to the one who came")
        assert receive(third, 19) == b"to the one who came"
        # the slot whose close has not been confirmed yet
        s.say("AT+CIPCLOSE=0", OK)
        s.ctl("accept-as", 0)
        fourth = come(s, "server:0", 0)
        s.expect(line("+CIPCLOSE: 0,0"))
        assert second.recv(1) == b""
        s.ctl("accept-as", 0, status=1)     # in use
        s.ctl("accept-as", 10, status=1)
        for peer in (first, third, fourth):
            peer.close()
        while s.read(0.05):
            pass
        # an order is kept until the slot can be had
        s.ctl("accept-as", 3)
        busy = s.connect(3, server)
        other = come(s, "server:0", 0)
        busy.close()
        s.expect(line("+IPCLOSE: 3,1"))
        last = come(s, "server:0", 3)
        # and it is one for one connection
        last.close()
        s.expect(line("+IPCLOSE: 3,1"))
        other = [other, come(s, "server:0", 1)]


@test
def server_that_stops_by_itself():
    with Sim("--free-ports") as s:
        s.up()
        s.say("AT+SERVERSTART=8080,2", OK)
        port = port_of(s, "server:2")
        peer = come(s, "server:2", 0, 2)
        s.ctl("stop-server", 2)
        s.ctl("stop-server", 2, status=1)
        try:
            socket.create_connection(("127.0.0.1", port))
            raise AssertionError("it listens on")
        except ConnectionRefusedError:
            pass
        s.say("AT+SERVERSTART?", OK)
        s.send(0, b"the link goes on")
        assert receive(peer, 16) == b"the link goes on"
        s.say("AT+SERVERSTOP=2", line("+SERVERSTOP: 2,4"), ERROR)
        s.say("AT+SERVERSTART=8080,2", OK)


@test
def cipack_that_differs():
    server = Server()
    with Sim() as s:
        s.up()
        peer = s.connect(1, server)
        s.send(1, b"x" * 100)
        receive(peer, 100)
        peer.send(b"12345")
        s.expect(line("+CIPRXGET: 1,1"))

        def ack(*fields):
            s.say("AT+CIPACK=1", line("+CIPACK: %d,%d,%d" % fields), OK)

        # acknowledged data are shown late, and then all of them
        s.ctl("quirk", "ack-lags", 2)
        ack(100, 50, 5)
        ack(100, 75, 5)
        ack(100, 100, 5)
        for field, want in (("recv", (100, 100, 4)), ("sent", (99, 100, 5)),
                            ("ack", (100, 99, 5))):
            s.ctl("cipack", 1, field, -1)
            ack(*want)
            s.ctl("cipack", 1, field, 0)
        s.ctl("cipack", 1, "recv", 3000000000)
        ack(100, 100, 3000000005)
        s.ctl("cipack", 1, "nothing", 1, status=1)
        s.ctl("quirk", "cipack-empty", 1)
        s.say("AT+CIPACK=1", OK)
        s.ctl("fail", "CIPACK", "silent")
        s.say("AT+CIPACK=1")
        s.ctl("latency", "CIPACK", 60)
        start = time.monotonic()
        ack(100, 100, 3000000005)
        assert time.monotonic() - start > 0.055
        s.say("AT+CIPCLOSE=1", OK, line("+CIPCLOSE: 1,0"))
        peer = s.connect(1, server)
        ack(0, 0, 0)        # another connection, no lies


@test
def settings_that_do_not_take():
    with Sim() as s:
        s.say("ATE0", "ATE0\r", OK)
        for name, command, value, other in (
                ("sendmode-ignored", "CIPSENDMODE", "1", "0"),
                ("cipccfg-ignored", "CIPCCFG", "3,500,0,0,1,1,500",
                 "10,0,0,1,0,0,500")):
            s.ctl("quirk", name, 1)
            s.say("AT+%s=%s" % (command, value), OK)
            s.say("AT+%s?" % command, line("+%s: %s" % (command, other)), OK)
            s.say("AT+%s=%s" % (command, value), OK)
            s.say("AT+%s?" % command, line("+%s: %s" % (command, value)), OK)
        s.ctl("quirk", "cmee-at-reboot", "on")
        s.say("AT+CMEE=1", OK)
        s.say("AT+CMEE?", line("+CMEE: 2"), OK)
        s.ctl("reboot")
        s.read(0.1)
        s.say("AT+CMEE?", "AT+CMEE?\r", line("+CMEE: 1"), OK)


@test
def reasons_of_an_end():
    """A7600 manual 5: by the module, by the peer, for a timeout."""
    server = Server()
    with Sim() as s:
        s.up()
        for words, reason in (((), 1), ((0,), 0), (("rst", 2), 2)):
            peer = s.connect(6, server)
            s.ctl("close", 6, *words)
            s.expect(line("+IPCLOSE: 6,%d" % reason))
            try:
                assert peer.recv(1) == b"" and "rst" not in words
            except ConnectionResetError:
                assert "rst" in words
        peer = s.connect(6, server)
        for words in ((6, 3), (6, "fin"), (10,), (6, "rst", 1, 1)):
            s.ctl("close", *words, status=1)
        s.ctl("close", 5, status=1)


@test
def slow_hosts():
    """Each has its own delay; the others do not wait for it."""
    servers = [Server(), Server()]
    with Sim("--slow", "127.0.0.3=150", "--host", "far=127.0.0.1") as s:
        s.up()
        s.ctl("slow", "far", 80)
        far = socket.create_server(("127.0.0.3", 0))
        start = time.monotonic()
        s.say('AT+CIPOPEN=0,"TCP","127.0.0.3",%d' % far.getsockname()[1], OK)
        s.say('AT+CIPOPEN=1,"TCP","far",%d' % servers[0].port, OK)
        s.say('AT+CIPOPEN=2,"TCP","127.0.0.1",%d' % servers[1].port, OK,
              line("+CIPOPEN: 2,0"))
        assert time.monotonic() - start < 0.07
        s.expect(line("+CIPOPEN: 1,0"))
        assert 0.07 < time.monotonic() - start < 0.13
        s.expect(line("+CIPOPEN: 0,0"))
        assert 0.14 < time.monotonic() - start < 0.3
        s.ctl("slow", "far", "soon", status=1)
        s.ctl("time", "ping-wait", 50)


@test
def lost_bytes_and_lines():
    server = Server()
    with Sim() as s:
        s.up()
        peer = s.connect(0, server)
        peer.send(b"abcdef")
        s.expect(line("+CIPRXGET: 1,0"))
        s.ctl("quirk", "payload-byte-lost", 1)
        s.say("AT+CIPRXGET=2,0,5", line("+CIPRXGET: 2,0,5,1"), "abde", READ_OK)
        s.say("AT+CIPRXGET=2,0", line("+CIPRXGET: 2,0,1,0"), "f", READ_OK)
        s.say("AT+CIPSRIP=0;+CIPRXGET=0", OK)
        s.ctl("quirk", "payload-byte-lost", 1)
        for want in ("abcef", "abcdef"):
            peer.send(b"abcdef")
            s.expect("\r\n+IPD6\r\n" + want)
        s.ctl("quirk", "final-lost", 2)
        s.say("AT+CSQ", line("+CSQ: 25,99"))
        s.say("AT+NOSUCH")
        s.say("AT+CSQ", line("+CSQ: 25,99"), OK)
        assert s.violations() == {}


@test
def boot_quirks():
    with Sim("--quirk", "sim-failure-first") as s:
        s.say("AT+CPIN?", "AT+CPIN?\r", line("+CME ERROR: SIM failure"),
              line("+CPIN: READY"))
        s.say("ATE0;+CPIN?", "ATE0;+CPIN?\r", line("+CPIN: READY"), OK)
        s.ctl("quirk", "cfun-sim", "on")
        s.say("AT+CFUN=0", OK, line("+CPIN: NOT READY"))
        s.say("AT+CFUN=1", OK, line("+CPIN: READY"), line("SMS DONE"),
              line("PB DONE"))
        s.say("AT+CFUN=1", OK)


@test
def glued_echo():
    """Q6: the echo of a hasty host comes before the CR LF of a result."""
    with Sim("--baud", "1200", "--quirk", "echo-glued", paced=True) as s:
        s.write("AT+NETOPEN\r")
        got = b""
        while not got.endswith(b"+NETOPEN: 0"):
            got += os.read(s.fd, 1)
        s.write("AT\r")
        got = b""
        while b"\n" not in got:
            got += os.read(s.fd, 1)
        assert b"A" in got, got
