# SPDX-License-Identifier: MIT
"""Direct push mode, byte for byte and at the rate of the line."""

import socket
import threading
import time

from selftest_links import Peer, port_of
from simtest import *


def push_up(s):
    s.say("ATE0", "ATE0\r", OK)
    s.say("AT+NETOPEN", OK, line("+NETOPEN: 0"))


@test
def push():
    """A7600 manual 6.2.1, 6.3.1."""
    server, udp = Server(), Peer()
    data = "data from server"
    with Sim("--free-ports") as s:
        push_up(s)
        peer = s.connect(1, server)
        head = "\r\nRECV FROM:127.0.0.1:%d\r\n" % server.port
        peer.send(data.encode())
        s.expect(head + "+IPD16\r\n" + data)
        s.say('AT+CIPOPEN=2,"UDP",,,5000', line("+CIPOPEN: 2,0"), OK)
        for text in (b"HELLO CLIENT", b"x"):
            udp.send(text, port_of(s, "udp:2"))
            s.expect("\r\nRECV FROM:127.0.0.1:%d\r\n+IPD%d\r\n%s" %
                     (udp.port, len(text), text.decode()))
        for setting, want in (
                ("+CIPSRIP=0", "\r\n+IPD16\r\n"), ("+CIPHEAD=0", ""),
                ("+CIPSRIP", head), ("+CIPHEAD", head + "+IPD16\r\n"),
                ("+CIPCCFG=,,,,1", head + "+RECEIVE,1,16\r\n"),
                ("+CIPSRIP=0", "\r\n+RECEIVE,1,16\r\n")):
            s.say("AT" + setting, OK)
            peer.send(data.encode())
            s.expect(want + data)
        for name, setting, want in (
                ("receive-colon", "+CIPCCFG=,,,,1", "\r\n+RECEIVE,1,16:\r\n"),
                ("receive-spaced", "", "\r\n+RECEIVE: 1,16\r\n"),
                ("header-type-ignored", "", "\r\n+IPD16\r\n"),
                ("ipd-parens", "+CIPCCFG", "\r\n+IPD(16)\r\n"),
                ("recv-from-plus", "+CIPSRIP=1",
                 "\r\n+" + head[2:] + "+IPD16\r\n"),
                ("recv-from-blank", "",
                 head.replace(":", ": ", 1) + "+IPD16\r\n")):
            s.ctl("quirk", name, "on")
            s.say("AT" + setting, OK)
            peer.send(data.encode())
            s.expect(want + data)
            s.ctl("quirk", name, "off")
        s.say("AT+CIPRXGET=2,1",
              line("+IP ERROR: Operation not supported"), ERROR)
        s.say("AT+CIPCCFG=,100", OK)
        peer.send(b"late")
        start = time.monotonic()
        s.expect(head + "+IPD4\r\nlate")
        assert time.monotonic() - start > 0.09


@test
def push_and_answers():
    server = Server()
    with Sim("--latency-for", "CDNSGIP=50") as s:
        push_up(s)
        s.say("AT+CIPSRIP=0", OK)
        peer = s.connect(0, server)
        s.say("AT+CIPSEND=0,3", "\r\n>")
        peer.send(b"while typing")
        s.expect("\r\n+IPD12\r\nwhile typing")
        s.write("abc")
        s.expect(OK + line("+CIPSEND: 0,3,3"))
        s.ctl("quirk", "push-waits", "on")
        s.say("AT+CIPSEND=0,3", "\r\n>")
        peer.send(b"later")
        s.silent(0.03)
        s.write("abc")
        s.expect(OK + "\r\n+IPD5\r\nlater" + line("+CIPSEND: 0,3,3"))
        # the end comes after what was sent before it
        peer.sendall(b"y" * 3001)
        peer.close()
        s.expect("\r\n+IPD1500\r\n" + "y" * 1500 + "\r\n+IPD1500\r\n" +
                 "y" * 1500 + "\r\n+IPD1\r\ny" + line("+IPCLOSE: 0,1"))


@test
def push_mode_changes():
    """A7600 manual 2.5, note 3."""
    server = Server()
    with Sim() as s:
        s.up()
        s.say("AT+CIPSRIP=0", OK)
        peer = s.connect(0, server)
        peer.sendall(b"z" * 2000)
        s.expect(line("+CIPRXGET: 1,0"))
        time.sleep(0.02)
        s.say("AT+CIPRXGET=0", OK, "\r\n+IPD1500\r\n", "z" * 1500,
              "\r\n+IPD500\r\n", "z" * 500)
        peer.sendall(b"now pushed")
        s.expect("\r\n+IPD10\r\nnow pushed")
        s.say("AT+CIPRXGET=1", OK)
        peer.sendall(b"pulled")
        s.expect(line("+CIPRXGET: 1,0"))
        s.say("AT+CIPRXGET=2,0", line("+CIPRXGET: 2,0,6,0"), "pulled", READ_OK)
        # the data of an ended link, too
        peer.sendall(b"rest")
        peer.close()
        s.expect(line("+CIPRXGET: 1,0") + line("+IPCLOSE: 0,1"))
        s.say("AT+CIPRXGET=0", OK, "\r\n+IPD4\r\nrest")


@test
def push_pacing():
    """Down: 1512 bytes a block on the wire, whatever the latency."""
    server = Server()
    with Sim("--latency", "20", paced=True) as s:
        push_up(s)
        s.say("AT+CIPSRIP=0", OK)
        peer = s.connect(0, server)
        start = time.monotonic()
        threading.Thread(target=peer.sendall, args=(bytes(15000),),
                         daemon=True).start()
        got = b""
        while len(got) < 15120:
            got += s.read(1)
        took = time.monotonic() - start
        assert got == (b"\r\n+IPD1500\r\n" + bytes(1500)) * 10, len(got)
        ideal = 15120 / 11520
        assert 0.98 * ideal < took < 1.10 * ideal, (took, ideal)


@test
def push_of_many_links():
    """Two links to one server and port, UDP, accepted; all flushed at once."""
    server, udp = Server(), Peer()
    with Sim("--free-ports") as s:
        s.up()
        s.say("AT+CIPSRIP=0;+CIPCCFG=,,,,1", OK)
        one, two = s.connect(3, server), s.connect(7, server)
        s.say('AT+CIPOPEN=2,"UDP",,,5000', line("+CIPOPEN: 2,0"), OK)
        s.say("AT+SERVERSTART=8080,1", OK)
        come = socket.create_connection(("127.0.0.1", port_of(s, "server:1")))
        s.expect(line("+CLIENT: 0,1,127.0.0.1:%d" % come.getsockname()[1]))
        for peer, link, data in ((one, 3, b"one"), (two, 7, b"two"),
                                 (come, 0, b"three")):
            peer.send(data)
            s.expect(line("+CIPRXGET: 1,%d" % link))
        for data in (b"first", b"second"):
            udp.send(data, port_of(s, "udp:2"))
        s.expect(line("+CIPRXGET: 1,2"))
        time.sleep(0.02)
        s.say("AT+CIPRXGET=0", OK, "\r\n+RECEIVE,0,5\r\nthree",
              "\r\n+RECEIVE,2,5\r\nfirst", "\r\n+RECEIVE,3,3\r\none",
              "\r\n+RECEIVE,7,3\r\ntwo", "\r\n+RECEIVE,2,6\r\nsecond")
        # the same address for both links: only +RECEIVE tells them apart
        s.say("AT+CIPSRIP;+CIPCCFG", OK)
        head = "\r\nRECV FROM:127.0.0.1:%d\r\n+IPD1\r\n"
        for peer, data in ((one, "1"), (two, "2")):
            peer.send(data.encode())
            s.expect(head % server.port + data)
        come.send(b"3")
        s.expect(head % come.getsockname()[1] + "3")
        udp.send(b"4", port_of(s, "udp:2"))
        s.expect(head % udp.port + "4")


@test
def push_while_switching():
    """Data that keep coming: none lost, none twice, in order."""
    server = Server()
    with Sim() as s:
        s.up()
        s.say("AT+CIPSRIP=0;+CIPCCFG=,,,,1", OK)
        peers = {n: s.connect(n, server) for n in (0, 5)}
        data = {n: bytes((n + i) % 251 for i in range(60000)) for n in peers}
        writers = [threading.Thread(target=p.sendall, args=(data[n],),
                                    daemon=True) for n, p in peers.items()]
        for w in writers:
            w.start()
        got = {n: b"" for n in peers}
        stream = b""
        s.write("AT+CIPRXGET=0\r")
        end = time.monotonic() + 5
        while sum(map(len, got.values())) < 120000:
            assert time.monotonic() < end, {n: len(g) for n, g in got.items()}
            stream += s.read(0.1)
            stream = take_blocks(stream, got)
        assert got == data


def take_blocks(stream, got):
    """Whole +RECEIVE blocks go to @got; what is left is given back."""
    while True:
        at = stream.find(b"\r\n+RECEIVE,")
        if at < 0:
            return stream
        head, sep, rest = stream[at + 2:].partition(b"\r\n")
        if not sep:
            return stream
        link, n = map(int, head.split(b",")[1:])
        if len(rest) < n:
            return stream
        got[link] += rest[:n]
        stream = rest[n:]
