# SPDX-License-Identifier: MIT
"""Transparent mode, byte for byte."""

import os
import socket
import time

from selftest_links import Peer, free_links, port_of
from simtest import *

CONNECT = line("CONNECT 115200")


def data_up(s):
    s.say("ATE0", "ATE0\r", OK)
    s.say("AT+CIPMODE=1", OK)
    s.say("AT+NETOPEN", OK, line("+NETOPEN: 0"))


def escape(s):
    time.sleep(1.01)
    s.write("+++")
    s.silent(0.95)
    s.expect(OK)


@test
def transparent_client():
    """A7600 manual 6.2.3."""
    server = Server()
    with Sim() as s:
        data_up(s)
        s.say("AT+CIPMODE=0", ERROR)
        assert s.violations() == {"cipmode-while-open": 1, "total": 1}
        s.ctl("violations", "reset")
        s.say("AT+CIPMODE=1", OK)
        s.say('AT+CIPOPEN=1,"TCP","127.0.0.1",80', ERROR)
        s.say("ATO", ERROR)
        s.say('AT+CIPOPEN=0,"TCP","127.0.0.1",%d' % server.port, CONNECT)
        peer = server.accept()
        data = bytes(range(256)) * 8 + b"+++AT\r\n"
        s.write(data)
        assert receive(peer, len(data)) == data
        peer.sendall(data)
        s.expect(data)
        for text in (b"++++", b"a+++", b"+++b"):    # no silence around
            s.write(text)
            assert receive(peer, 4) == text
        time.sleep(1.01)
        s.write("++")
        s.silent(0.85)
        assert receive(peer, 2) == b"++"
        escape(s)
        s.say("AT+CIPOPEN?", '\r\n+CIPOPEN: 0,"TCP","127.0.0.1",%d,-1\r\n'
              % server.port + free_links(1), OK)
        peer.send(b"HELLO CLIENT")
        s.say("AT+CIPSEND=0,5", line("+CIPERROR: 4"), ERROR)
        s.say("ATO", CONNECT, "HELLO CLIENT")
        escape(s)
        s.say("AT+CIPCLOSE=0", OK, line("CLOSED"), line("+CIPCLOSE: 0,0"))
        assert peer.recv(1) == b""
        assert s.violations() == {}


@test
def transparent_ends():
    server = Server()
    with Sim("--unanswered", "127.0.0.9", "--quirk",
             "escape-no-guard") as s:
        data_up(s)
        open_it = 'AT+CIPOPEN=0,"TCP","127.0.0.1",%d' % server.port
        s.say(open_it, CONNECT)
        peer = server.accept()
        peer.sendall(b"last words")
        peer.close()
        s.expect("last words" + line("CLOSED"))
        s.say("AT+CIPCLOSE?", line("+CIPCLOSE: 0,0,0,0,0,0,0,0,0,0"), OK)
        for quirk, text in (("end-no-carrier", "NO CARRIER"),
                            ("end-ipclose", "+IPCLOSE: 0,1"),
                            ("end-cipclose", "+CIPCLOSE: 0,0"),
                            ("end-silent", None)):
            s.ctl("quirk", quirk, "on")
            s.say(open_it, CONNECT)
            server.accept().close()
            s.expect(line(text) if text else "")
            time.sleep(0.02)
            s.say("AT", OK)
            s.ctl("quirk", quirk, "off")
        s.say(open_it, CONNECT)
        peer = server.accept()
        s.write("+++")
        s.expect(OK)
        peer.close()
        s.expect(line("+IPCLOSE: 0,1"))
        s.say(open_it, CONNECT)
        peer = server.accept()
        s.ctl("urc", '+CMTI: "SM",4')
        s.silent(0.02)
        s.say("AT&D1")      # payload
        assert receive(peer, 6) == b"AT&D1\r"
        s.write("+++")
        s.expect(OK + line('+CMTI: "SM",4'))
        s.say("ATO", CONNECT)
        s.ctl("dtr", "off")     # AT&D0: it means nothing
        s.silent(0.02)
        s.ctl("dtr", "on")
        s.write("+++")
        s.expect(OK)
        s.say("AT&D1", OK)
        s.say("ATO", CONNECT)
        s.ctl("dtr", "off")
        s.expect(OK)
        s.ctl("dtr", "on")
        s.say("AT&D2", OK)
        s.say(open_it, CONNECT)     # the same connection, appnote 3.3.3
        s.ctl("dtr", "off")
        s.expect(line("CLOSED") + line("+IPCLOSE: 0,2"))
        s.say(open_it, CONNECT)
        s.write("+++")
        s.expect(OK)
        s.say("AT+NETCLOSE", OK, line("CLOSED"), line("+CIPCLOSE: 0,0"),
              line("+NETCLOSE: 0"))
        s.say(open_it, line("+CIPOPEN: 0,2"), ERROR)
        s.say("AT+NETOPEN", OK, line("+NETOPEN: 0"))
        s.say("AT+CIPTIMEOUT=,3000", OK)
        s.say('AT+CIPOPEN=0,"TCP","no.where",80', line("CONNECT FAIL"))
        s.say(open_it, CONNECT)
        s.ctl("network-loss")
        s.expect(line("CLOSED") +
                 line("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY"))


@test
def transparent_udp_and_server():
    """A7600 manual 6.3.3, 6.4.1."""
    udp = Peer()
    with Sim("--free-ports", "--quirk", "escape-no-guard") as s:
        data_up(s)
        s.say('AT+CIPOPEN=0,"UDP",,,5000', line("+CIPOPEN: 0,3"), ERROR)
        open_it = 'AT+CIPOPEN=0,"UDP","127.0.0.1",%d,5000' % udp.port
        s.say(open_it, CONNECT)
        port = port_of(s, "udp:0")
        s.write("one datagram")
        assert udp.sock.recv(99) == b"one datagram"
        for _ in range(2):
            udp.send(b"HELLO CLIENT", port)
        s.expect("HELLO CLIENT" * 2)
        s.write("+++")
        s.expect(OK)
        s.say("AT+CIPOPEN?", '\r\n+CIPOPEN: 0,"UDP","127.0.0.1",%d,-1\r\n'
              % udp.port + free_links(1), OK)
        s.say(open_it, CONNECT)
        s.write("+++")
        s.expect(OK)
        s.say("AT+CIPCLOSE=0", line("CLOSED"), line("+CIPCLOSE: 0,0"), OK)
        s.say("AT+SERVERSTART=8080, 0", OK)
        s.say("AT+SERVERSTART=9090,1", OK)
        at = ("127.0.0.1", port_of(s, "server:0"))
        other = socket.create_connection(
            ("127.0.0.1", port_of(s, "server:1")))
        s.expect(line("+CLIENT: 1,1,127.0.0.1:%d" % other.getsockname()[1]))
        peer = socket.create_connection(at)
        own = peer.getsockname()[1]
        s.expect(line("+CLIENT: 0,0,127.0.0.1:%d" % own) + CONNECT)
        s.ctl("quirk", "data-recv-from", "on")
        peer.send(b"x")
        s.expect("\r\nRECV FROM:127.0.0.1:%d\r\nx" % own)
        s.write("back")
        assert receive(peer, 4) == b"back"
        second = socket.create_connection(at)      # waits for link 0
        s.write("+++")
        s.expect(OK)
        s.say("AT+CIPCLOSE=0", OK, line("CLOSED"), line("+CIPCLOSE: 0,0"),
              line("+CLIENT: 0,0,127.0.0.1:%d" % second.getsockname()[1]),
              CONNECT)
        s.write("+++")
        s.expect(OK)
        s.say("AT+SERVERSTOP=0", line("+SERVERSTOP: 0,9"), ERROR)
        assert s.violations() == {}


@test
def transparent_pacing():
    """Both ways at once, all of the line; a peer that stops holds it up."""
    server = Server()
    with Sim(paced=True) as s:
        data_up(s)
        s.say('AT+CIPOPEN=0,"TCP","127.0.0.1",%d' % server.port, CONNECT)
        peer = server.accept()
        data = bytes(11520)
        start = time.monotonic()
        peer.sendall(data)
        os.set_blocking(s.fd, False)
        got, left = b"", data
        while len(got) < len(data) or left:
            try:
                left = left[os.write(s.fd, left):] if left else left
            except BlockingIOError:
                pass
            got += s.read(0.005)
        assert receive(peer, len(data)) == data and got == data
        took = time.monotonic() - start
        assert 0.98 < took < 1.15, took


@test
def escapes_that_are_lost():
    """The OK never comes; an escape without guard is payload; notes."""
    server = Server()
    with Sim("--no-escape-ok") as s:
        data_up(s)
        s.say('AT+CIPOPEN=0,"TCP","127.0.0.1",%d' % server.port, CONNECT)
        peer = server.accept()
        # all of it is payload, and some of it looks like a mistake
        for text, commands, escapes in ((b"data+++", 0, 0),
                                        (b"AT+CSQ\r", 1, 0),
                                        (b"ATTENTION\n", 1, 0),
                                        (b"+++", 1, 1)):
            time.sleep(0.05)
            s.write(text)
            assert receive(peer, len(text)) == text
            if text == b"+++":
                s.silent(1.05)
            notes = s.stats()["notes"]
            assert notes == {"command-in-data": commands,
                             "escape-without-guard": escapes}, (text, notes)
        s.write("+++")
        s.silent(1.1)       # it works, and nobody says so
        s.ctl("quirk", "escape-silent", "off")
        s.say("AT", OK)
        s.say("ATO", CONNECT)
        s.ctl("quirk", "end-silent", "on")
        s.ctl("network-loss")
        s.expect(line("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY"))
        s.say("AT", OK)
        assert s.violations() == {}
