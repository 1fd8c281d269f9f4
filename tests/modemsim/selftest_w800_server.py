# SPDX-License-Identifier: MIT
"""W800: the server, its limits, and passthrough mode."""

import socket
import time

from w800test import *


def port_of(s):
    return int(s.ctl("ports").split("=")[1])


def visit(port):
    client = socket.create_connection(("127.0.0.1", port))
    client.settimeout(3)
    return client


@test
def w800_server():
    """Manual CIPSERVER: the lowest free link, shared with clients."""
    server = Server()
    with Wifi("--free-ports") as s:
        s.up()
        s.connect_held = s.connect(0, server)
        s.ask("AT+CIPSERVER=1,8080", "OK")
        port = port_of(s)
        first = visit(port)
        s.expect("1,CONNECT\r\n")
        second = visit(port)
        s.expect("2,CONNECT\r\n")
        s.ask("AT+CIPSTATE?",
              '+CIPSTATE:0,"TCP","127.0.0.1",%d,%d,0' % (
                  server.port, s.connect_held.getpeername()[1]),
              *['+CIPSTATE:%d,"TCP","127.0.0.1",%d,8080,1' % (
                  n, client.getsockname()[1])
                for n, client in ((1, first), (2, second))], "OK")
        s.send(2, "hello")
        assert receive(second, 5) == b"hello"
        first.sendall(b"hi")
        s.expect(s.ipd(1, size=2))
        s.take(1, 10, b"hi")
        first.close()
        s.expect("1,CLOSED\r\n")
        third = visit(port)                 # the number is used at once
        s.expect("1,CONNECT\r\n")
        s.ask("AT+CIPSERVER=0", "OK")       # its links stay
        s.send(1, "still")
        assert receive(third, 5) == b"still"
        s.ask("AT+CIPSERVER=0", "no change", "OK")
        s.ask("AT+CIPSERVER=1,8080", "OK")
        s.write("AT+CIPSERVER=0,1\r\n")
        s.expect("1,CLOSED\r\n2,CLOSED\r\n" + s.final())
        assert third.recv(1) == b"" and second.recv(1) == b""
        s.ask("AT+CIPCLOSE=5", "0,CLOSED", "OK")


@test
def w800_server_limits():
    """CIPSERVERMAXCONN, and five links in all: more are closed at once."""
    with Wifi("--free-ports") as s:
        s.up()
        s.ask("AT+CIPSERVERMAXCONN=2", "OK")
        s.ask("AT+CIPSERVER=1,80", "OK")
        port = port_of(s)
        clients = []
        for n in range(2):
            clients.append(visit(port))
            s.expect("%d,CONNECT\r\n" % n)
        assert visit(port).recv(1) == b""
        s.silent(0.02)
        s.ask("AT+CIPSERVER=0,1", "0,CLOSED", "1,CLOSED", "OK")
        s.ask("AT+CIPSERVERMAXCONN=5", "OK")
        s.ask("AT+CIPSERVER=1,80", "OK")
        port = port_of(s)
        clients = []
        for n in range(5):
            clients.append(visit(port))
            s.expect("%d,CONNECT\r\n" % n)
        assert visit(port).recv(1) == b""
        s.ask('AT+CIPSTARTEX="TCP","127.0.0.1",%d' % port, "ID ERROR",
              "ERROR")
        s.ctl("stop-server", 0)
        s.ask("AT+CIPSERVER?", '+CIPSERVER:1,80,"TCP",0', "OK")


@test
def w800_idle_limit():
    """Manual CIPSTO: nothing moved for so long; what moves resets it."""
    with Wifi("--free-ports") as s:
        s.up(passive=0)
        s.ask("AT+CIPSERVER=1,80", "OK")
        s.ask("AT+CIPSTO=1", "OK")
        client = visit(port_of(s))
        s.expect("0,CONNECT\r\n")
        time.sleep(0.7)
        client.sendall(b"here")
        s.expect(s.ipd(0, b"here"))
        s.silent(0.7)
        s.expect("0,CLOSED\r\n", 2)
        assert client.recv(1) == b""
        s.ask("AT+CIPSTO=0", "OK")
        client = visit(port_of(s))
        s.expect("0,CONNECT\r\n")
        s.silent(1.1)
        client.close()
        s.expect("0,CLOSED\r\n")


@test
def w800_accept_with_data():
    """Data may be there before the host has seen CONNECT."""
    for passive in (0, 1):
        with Wifi("--free-ports", "--latency", "50") as s:
            s.up(passive=passive)
            s.ask("AT+CIPSERVER=1,80", "OK")
            client = visit(port_of(s))
            client.sendall(b"early")
            s.expect("0,CONNECT\r\n" + (s.ipd(0, size=5) if passive
                                        else s.ipd(0, b"early")))
            s.ctl("accept-as", 3)
            other = visit(port_of(s))
            s.expect("3,CONNECT\r\n")
            other.close()
            s.expect("3,CLOSED\r\n")


@test
def w800_passthrough():
    """Manual CIPMODE, CIPSEND, +++: every byte both ways, then commands."""
    server = Server()
    data = bytes(range(256)) * 20
    for family in ("esp", "w800", "tight"):
        with Wifi(family=family) as s:
            s.up(mux=0, passive=0)
            s.ask('AT+CIPSTART="TCP","127.0.0.1",%d' % server.port,
                  "CONNECT", "OK")
            peer = server.accept()
            s.ask("AT+CIPSEND", "ERROR")
            s.ask("AT+CIPMODE=1", "OK")
            s.write("AT+CIPSEND=5\r\n")
            s.expect(s.final("ERROR"))
            s.write("AT+CIPSEND\r\n")
            s.expect(s.prompt())
            s.write(data)
            assert receive(peer, len(data)) == data
            peer.sendall(data)
            s.expect(data)
            begin = time.monotonic()
            s.write("short")                # goes out after 30 ms
            assert receive(peer, 5) == b"short"
            assert time.monotonic() - begin > 0.025
            s.write("x+++")                 # no guard: data
            time.sleep(0.05)
            assert receive(peer, 4) == b"x+++"
            s.write("+++")
            s.silent(0.05)
            s.ask("AT+CIPMODE?", "+CIPMODE:1", "OK")
            peer.sendall(b"reported")
            s.expect(("" if family == "tight" else "\r\n") +
                     "+IPD,8:reported" + ("\r\n" if family == "tight"
                                          else ""))
            s.write("AT+CIPSEND\r\n")       # and in again
            s.expect(s.prompt())
            s.write("again")
            assert receive(peer, 5) == b"again"
            time.sleep(0.05)
            s.write("+++")
            s.silent(0.05)
            s.ask("AT+CIPMODE=0", "OK")
            s.ask("AT+CIPMUX=1", *(["ERROR"] if family == "w800" else
                                   ["link is builded", "ERROR"]))
            s.ask("AT+CIPCLOSE", "CLOSED", "OK")


def open_again(s):
    """What is typed before that is lost."""
    end = time.monotonic() + 3
    while s.stats()["slots"][0]["state"] != "open":
        assert time.monotonic() < end
        time.sleep(0.005)


@test
def w800_passthrough_reconnects():
    """Manual CIPRECONNINTV: opened again, in units of 100 ms."""
    server = Server()
    with Wifi() as s:
        s.up(mux=0, passive=0)
        s.ask("AT+CIPRECONNINTV=2", "OK")
        s.ask('AT+CIPSTART="TCP","127.0.0.1",%d' % server.port, "CONNECT",
              "OK")
        peer = server.accept()
        s.ask("AT+CIPMODE=1", "OK")
        s.write("AT+CIPSEND\r\n")
        s.expect(s.prompt())
        for words in ("off", "on"):
            s.ctl("quirk", "stream-words", words)
            begin = time.monotonic()
            peer.close()
            peer = server.accept()
            assert 0.18 < time.monotonic() - begin < 0.5
            if words == "on":
                s.expect("CLOSED\r\nCONNECT\r\n")
            open_again(s)
            s.write("anew")
            assert receive(peer, 4) == b"anew"
            peer.sendall(b"both ways")
            s.expect("both ways")
        s.ctl("quirk", "stream-words", "off")
        s.ctl("wifi-loss")
        s.ctl("wifi-back")                  # no word of it in the stream
        peer = server.accept()
        open_again(s)
        s.write("back")
        assert receive(peer, 4) == b"back"
        peer.close()
        time.sleep(0.05)
        s.write("+++")                      # while there is no link
        s.silent(0.3)
        s.ask("AT+CIPSTATE?", "OK")


@test
def w800_passthrough_udp():
    """UDP: a datagram per block; only a fixed remote end."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(3)
    to = sock.getsockname()[1]
    with Wifi("--free-ports") as s:
        s.up(mux=0, passive=0)
        s.ask("AT+CIPMODE=1", "OK")
        s.ask('AT+CIPSTART="UDP","127.0.0.1",%d,5000,2' % to,
              "Link type ERROR", "ERROR")
        s.ask('AT+CIPSTART="UDP","127.0.0.1",%d,5000,0' % to, "CONNECT",
              "OK")
        s.write("AT+CIPSEND\r\n")
        s.expect(s.prompt())
        s.write(bytes(1000))
        assert [len(sock.recv(2000)) for _ in range(2)] == [512, 488]
        sock.sendto(b"answer", ("127.0.0.1", port_of(s)))
        s.expect("answer")


@test
def w800_overrun():
    """Without flow control what the peer does not take is lost."""
    server = Server()
    server.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with Wifi() as s:
        s.up(mux=0, passive=0)
        s.ask('AT+CIPSTART="TCP","127.0.0.1",%d' % server.port, "CONNECT",
              "OK")
        peer = server.accept()
        s.ask("AT+CIPMODE=1", "OK")
        s.ctl("quirk", "uart-overrun", "on")
        s.write("AT+CIPSEND\r\n")
        s.expect(s.prompt())
        size = 1 << 20
        s.write(bytes(size))
        got = 0
        peer.settimeout(0.3)
        try:
            while got < size:
                got += len(peer.recv(65536))
        except socket.timeout:
            pass
        assert 0 < got < size, got
