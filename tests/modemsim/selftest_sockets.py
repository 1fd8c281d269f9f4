# SPDX-License-Identifier: MIT
"""How many links there are, what they are bound to, socket options."""

import contextlib
import socket
import time

from linktest import *
from simtest import *
from tlstest import TlsServer
from w800test import *


@test
def links_full():
    """Five links for all; MAXCONN of them for the server."""
    far = Server()
    with Wifi("--free-ports") as s:
        s.up()
        s.ask("AT+CIPSERVERMAXCONN=2", "OK")
        s.ask("AT+CIPSERVER=1,80", "OK")
        port = int(s.ctl("ports").split("=")[1])
        kept = []
        for n in range(2):
            kept.append(socket.create_connection(("127.0.0.1", port), 3))
            s.expect("%d,CONNECT\r\n" % n)
        third = socket.create_connection(("127.0.0.1", port), 3)
        third.settimeout(3)
        assert third.recv(1) == b""
        s.silent(0.02)
        listener = s.stats()["listeners"][0]
        assert (listener["accepted"], listener["refused"]) == (2, 1)
        for n in (2, 3, 4):
            opens(s, n, "TCP", "127.0.0.1", far.port)
            kept.append(far.accept())
        s.ask(start(s, 5, "TCP", "127.0.0.1", far.port), "ID ERROR", "ERROR")
        kept[0].close()
        s.expect("0,CLOSED\r\n")
        opens(s, 0, "TCP", "127.0.0.1", far.port)
        kept.append(far.accept())
        # all five are taken, though the server has one only
        sixth = socket.create_connection(("127.0.0.1", port), 3)
        sixth.settimeout(3)
        assert sixth.recv(1) == b""
        assert len(s.stats()["slots"]) == 5


@test
def failed_open_lets_in():
    """Its link is free for a client that waits for one, at once."""
    far = Server()
    with Sim("--free-ports") as s:
        s.up()
        s.say("AT+CIPTIMEOUT=75000,3000,10000", OK)
        peers = [s.connect(n, far) for n in range(9)]
        s.say("AT+SERVERSTART=80,0", OK)
        port = int(s.ctl("ports").split("=")[1])
        s.write('AT+CIPOPEN=9,"TCP","192.0.2.1",9\r')
        s.expect(OK)
        client = socket.create_connection(("127.0.0.1", port), 3)
        s.silent(0.05)
        s.expect(line("+CIPOPEN: 9,10") + line(
            "+CLIENT: 9,0,127.0.0.1:%d" % client.getsockname()[1]), 12)
        assert len(peers) == 9


@test6
def local_addresses():
    """<"local IP">: the modem's own, or one of this host."""
    far, far6 = Server(), Server6()
    with Wifi("--address", "10.9.8.7") as s:
        s.up()
        for ip, shown in (('"127.0.0.5"', "127.0.0.5"),
                          ('"10.9.8.7"', "127.0.0.1")):
            opens(s, 0, "TCP", "127.0.0.1", far.port, "", ip)
            peer = far.accept()
            assert peer.getpeername()[0] == shown
            s.ask("AT+CIPCLOSE=0", "0,CLOSED", "OK")
        for kind, ip in (("TCP", "10.1.1.1"), ("TCP", "::1"),
                         ("TCPv6", "127.0.0.1"), ("TCPv6", "2001:db8::2")):
            host = "::1" if kind == "TCPv6" else "127.0.0.1"
            s.ask(start(s, 0, kind, host, far.port, "", '"%s"' % ip),
                  "IP ERROR", "ERROR")
        opens(s, 0, "TCPv6", "::1", far6.port, "",
              '"fe80::2a6d:cdff:fe00:1"')


@test
def socket_options():
    """CIPTCPOPT is what the host's socket has: at the open, and later."""
    far = Server()
    off = {"linger": -1, "nodelay": False, "sndtimeo": 0, "keepalive": False}
    with Wifi("--free-ports") as s:
        s.up()
        opens(s, 0, "TCP", "127.0.0.1", far.port)
        has = slot(s, 0)["options"]
        assert {k: has[k] for k in off} == off, has
        s.ask("AT+CIPTCPOPT=0,-1,1,5000,60", "OK")
        has = slot(s, 0)["options"]
        assert has == {"linger": -1, "nodelay": True, "sndtimeo": 5000,
                       "keepalive": True, "keepidle": 60, "keepintvl": 1,
                       "keepcnt": 3}, has
        s.ask("AT+CIPTCPOPT=1,2,1,,7200", "OK")
        opens(s, 1, "TCP", "127.0.0.1", far.port)
        has = slot(s, 1)["options"]
        assert (has["linger"], has["nodelay"], has["keepidle"]) == \
            (2, True, 7200), has
        s.ask('AT+CIPSTART=2,"TCP","127.0.0.1",%d,30' % far.port,
              "2,CONNECT", "OK")
        assert slot(s, 2)["options"]["keepidle"] == 30
        s.ask("AT+CIPTCPOPT=3,,1", "OK")
        s.ask("AT+CIPSERVER=1,80", "OK")
        for n in (3,):
            port = int(s.ctl("ports").split("=")[1])
            peer = socket.create_connection(("127.0.0.1", port), timeout=3)
            s.expect("%d,CONNECT\r\n" % n)
            assert slot(s, n)["options"]["nodelay"]
            peer.close()


@test
def so_sndtimeo():
    """A peer that does not read: FAIL in time, what was taken counted."""
    far = Server()
    with Wifi() as s:
        s.up()
        s.ask("AT+CIPTCPOPT=0,,,300", "OK")
        opens(s, 0, "TCP", "127.0.0.1", far.port)
        peer = far.accept()
        sent = 0
        while True:
            s.write("AT+CIPSEND=0,5760\r\n")
            s.expect(s.prompt())
            s.write(b"z" * 5760)
            before = time.monotonic()
            answer = b""
            while not answer.endswith((b"SEND OK\r\n", b"SEND FAIL\r\n")):
                more = s.read(3)
                assert more, answer
                answer += more
            if b"FAIL" in answer:
                break
            sent += 5760
        assert 0.25 < time.monotonic() - before < 1.5
        taken = slot(s, 0)["sent"]
        assert sent <= taken < sent + 5760, (sent, taken)
        assert receive(peer, taken) == b"z" * taken
        s.send(0, "and on")         # it goes on behind what was taken
        assert receive(peer, 6) == b"and on"
        assert slot(s, 0)["sent"] == taken + 6


def send_until_stuck(s, n):
    """CIPSEND until one is not answered any more."""
    while True:
        s.write("AT+CIPSEND=%d,5760\r\n" % n)
        s.expect(s.prompt())
        s.write(b"z" * 5760)
        answer = b""
        while not answer.endswith(b"SEND OK\r\n"):
            more = s.read(0.3)
            if not more:
                return
            answer += more


@test
def send_meets_the_end():
    """A send ends with the connection, though data have to be read first."""
    far, secure = Server(), TlsServer()
    with Wifi() as s:
        s.up()
        for end in ("TCP", "SSL", "close_notify"):
            if end == "TCP":
                peer = s.connect(0, far)
            else:
                secure.begin()
                opens(s, 0, "SSL", "127.0.0.1", secure.port)
                peer = secure.end()
            peer.sendall(b"x" * 5000)
            while slot(s, 0)["buffered"] < 5000:
                time.sleep(0.001)
            # of the first part, or of all of it
            assert b"+IPD,0," in s.read(1)
            send_until_stuck(s, 0)
            if end == "close_notify":
                with contextlib.suppress(OSError):
                    peer.settimeout(0.05)
                    peer.unwrap()
            else:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                b"\x01\0\0\0\0\0\0\0")
                peer.close()
            s.expect(s.final("ERROR"))
            s.take(0, 5000, b"x" * 5000, "0,CLOSED\r\n")


@test
def so_linger():
    """-1: at once; 0: RST; else until the peer has closed, too."""
    far = Server()
    with Wifi() as s:
        s.up()
        s.ask("AT+CIPTCPOPT=0,0", "OK")
        opens(s, 0, "TCP", "127.0.0.1", far.port)
        peer = far.accept()
        s.ask("AT+CIPCLOSE=0", "0,CLOSED", "OK")
        try:
            peer.recv(1)
            raise AssertionError("no RST")
        except ConnectionResetError:
            pass
        s.ask("AT+CIPTCPOPT=0,1", "OK")
        for patience in (0.2, 5):
            opens(s, 0, "TCP", "127.0.0.1", far.port)
            peer = far.accept()
            s.write("AT+CIPCLOSE=0\r\n")
            assert peer.recv(1) == b""
            s.silent(min(patience, 0.7))
            before = time.monotonic()
            if patience < 1:
                peer.close()
            s.expect("0,CLOSED\r\n\r\nOK\r\n")
            assert time.monotonic() - before < (0.5 if patience < 1 else 1)
            peer.close()
