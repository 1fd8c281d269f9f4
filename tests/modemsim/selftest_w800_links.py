# SPDX-License-Identifier: MIT
"""W800 links, byte for byte: both receive modes, UDP, ends, blocking."""

import re
import socket
import time

from w800test import *


def datagram_socket():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(3)
    return sock


@test
def w800_passive():
    """Manual CIPRECVMODE: told once until read, CLOSED withheld."""
    server = Server()
    with Wifi() as s:
        s.up()
        peer = s.connect(0, server)
        peer.sendall(b"abc")
        s.expect(s.ipd(0, size=3))
        peer.sendall(b"defgh")
        s.silent(0.05)                      # the notice has not been read
        s.ask("AT+CIPRECVLEN?", "+CIPRECVLEN:8,-1,-1,-1,-1", "OK")
        s.take(0, 3, b"abc", s.ipd(0, size=5))
        peer.sendall(b"!")
        s.silent(0.05)
        s.take(0, 2147483647, b"defgh!")
        s.ask("AT+CIPRECVDATA=0,1", "ERROR")
        peer.sendall(b"last")
        peer.close()
        s.expect(s.ipd(0, size=4))
        s.silent(0.05)                      # no CLOSED before it is empty
        s.ask("AT+CIPSEND=0,1", "link is not valid", "ERROR")
        s.take(0, 3, b"las", s.ipd(0, size=1))
        s.take(0, 3, b"t", "0,CLOSED\r\n")
        s.ask("AT+CIPRECVLEN?", "+CIPRECVLEN:-1,-1,-1,-1,-1", "OK")
        # the same by order of the control socket
        peer = s.connect(0, server)
        peer.sendall(b"left")
        s.expect(s.ipd(0, size=4))
        s.ctl("close", 0)
        assert peer.recv(1) == b""
        s.silent(0.03)
        s.take(0, 10, b"left", "0,CLOSED\r\n")
        # "... until sending AT+CIPCLOSE"
        peer = s.connect(0, server)
        peer.sendall(b"unread")
        peer.close()
        s.expect(s.ipd(0, size=6))
        s.ask("AT+CIPCLOSE=0", "0,CLOSED", "OK")
        s.ask("AT+CIPRECVDATA=0,1", "ERROR")
        assert s.violations() == {}


@test
def w800_cache_of_5760():
    """When it is full the peer feels it; every byte comes."""
    server = Server()
    data = bytes(i * 7 % 256 for i in range(20000))
    with Wifi() as s:
        s.up()
        peer = s.connect(2, server)
        peer.sendall(data[:100])
        s.expect(s.ipd(2, size=100))
        peer.sendall(data[100:])
        got, sizes = b"", []
        while len(got) < len(data):
            time.sleep(0.03)
            s.read(0)                       # +IPD of what has come
            s.write("AT+CIPRECVDATA=2,6000\r\n")
            buffer, head = b"", None
            while head is None or \
                    len(buffer) < head.end() + int(head[1]) + 6:
                more = s.read(3)
                assert more, buffer[-60:]
                buffer += more
                head = re.search(rb"\+CIPRECVDATA:(\d+),", buffer)
            block, end = head.end(), head.end() + int(head[1])
            assert buffer[end:].startswith(b"\r\nOK\r\n")
            got += buffer[block:end]
            sizes.append(end - block)
        assert got == data
        assert max(sizes) == 5760, sizes


@test
def w800_active():
    """Manual CIPRECVMODE, 0: at most 2920 bytes; CIPDINFO."""
    server = Server()
    for family in ("esp", "w800", "tight"):
        with Wifi(family=family) as s:
            s.up(passive=0)
            peer = s.connect(3, server)
            data = bytes(range(256)) * 23
            peer.sendall(data)
            lengths = s.pushed(3, data)
            assert max(lengths) == 2920, lengths
            s.ask("AT+CIPDINFO=1", "OK")
            peer.sendall(b"who")
            s.expect(s.ipd(3, b"who", who=',"127.0.0.1",%d' % server.port))
            s.ask("AT+CIPRECVDATA=3,1", "ERROR")
            peer.sendall(b"bye")
            peer.close()
            s.expect(s.ipd(3, b"bye", who=',"127.0.0.1",%d' % server.port) +
                     "3,CLOSED\r\n")


@test
def w800_single():
    """CIPMUX=0: no link number anywhere."""
    server = Server()
    with Wifi() as s:
        s.up(mux=0)
        s.ask('AT+CIPSTART="TCP","127.0.0.1",%d' % server.port, "CONNECT",
              "OK")
        peer = server.accept()
        s.ask('AT+CIPSTART="TCP","127.0.0.1",%d' % server.port,
              "ALREADY CONNECTED", "ERROR")
        s.write("AT+CIPSEND=5\r\n")
        s.expect(s.prompt())
        s.write("hello")
        s.expect(s.sent(5))
        assert receive(peer, 5) == b"hello"
        peer.sendall(b"12345")
        s.expect("\r\n+IPD,5\r\n")
        s.write("AT+CIPRECVDATA=5\r\n")
        s.expect("+CIPRECVDATA:5,12345\r\nOK\r\n")
        s.ask("AT+CIPRECVMODE=0", "OK")
        peer.sendall(b"abc")
        s.expect("\r\n+IPD,3:abc")
        s.ask("AT+CIPSTATUS", "STATUS:3",
              '+CIPSTATUS:0,"TCP","127.0.0.1",%d,%d,0' %
              (server.port, peer.getpeername()[1]), "OK")
        s.ask("AT+CIPCLOSE=0", "MUX=0", "ERROR")
        s.ask("AT+CIPCLOSE", "CLOSED", "OK")
        s.ask("AT+CIPCLOSE", "link is not valid", "ERROR")
        s.ask("AT+CIPSTATUS", "STATUS:4", "OK")
        s.ask('AT+CIPSTARTEX="TCP","127.0.0.1",%d' % server.port, "CONNECT",
              "OK")
        server.accept().close()
        s.expect("CLOSED\r\n")


@test
def w800_numbers():
    """CIPSTARTEX takes the lowest free one; five are all there are."""
    server = Server()
    with Wifi() as s:
        s.up()
        first = s.connect(1, server)
        for n in (0, 2, 3, 4):
            s.ask('AT+CIPSTARTEX="TCP","127.0.0.1",%d' % server.port,
                  "%d,CONNECT" % n, "OK")
        s.ask('AT+CIPSTARTEX="TCP","127.0.0.1",%d' % server.port,
              "ID ERROR", "ERROR")
        s.ask('AT+CIPSTART=2,"TCP","127.0.0.1",%d' % server.port,
              "ALREADY CONNECTED", "ERROR")
        s.ask("AT+CIPCLOSE", "MUX=1", "ERROR")
        first.close()
        s.expect("1,CLOSED\r\n")
        s.ask('AT+CIPSTARTEX="TCP","127.0.0.1",%d' % server.port,
              "1,CONNECT", "OK")
        s.ask("AT+CIPCLOSE=5", *["%d,CLOSED" % n for n in range(5)], "OK")
        assert s.violations() == {}


@test
def w800_udp():
    """Manual CIPSTART, UDP: <mode> 0, 1, 2; an address per CIPSEND."""
    first, second = datagram_socket(), datagram_socket()
    to = first.getsockname()[1]
    other = second.getsockname()[1]
    with Wifi("--free-ports") as s:
        s.up(passive=0)
        for mode in (0, 1, 2):
            s.ask('AT+CIPSTART=0,"UDP","127.0.0.1",%d,5000,%d' % (to, mode),
                  "0,CONNECT", "OK")
            port = int(s.ctl("ports").split("=")[1])
            s.send(0, "one")
            assert first.recv(10) == b"one"
            second.sendto(b"mine", ("127.0.0.1", port))
            s.expect(s.ipd(0, b"mine"))
            s.send(0, "two")
            got = second if mode else first
            assert got.recv(10) == b"two", mode
            first.sendto(b"and mine", ("127.0.0.1", port))
            s.expect(s.ipd(0, b"and mine"))
            s.send(0, "three")
            got = second if mode == 1 else first
            assert got.recv(10) == b"three", mode
            s.write('AT+CIPSEND=0,4,"127.0.0.1",%d\r\n' % other)
            s.expect(s.prompt())
            s.write("hand")
            s.expect(s.sent(4))
            assert second.recv(10) == b"hand"
            s.ask("AT+CIPCLOSE=0", "0,CLOSED", "OK")


@test
def w800_udp_cache():
    """Passive: datagrams run together; above 1460 and above 5760: lost."""
    sock = datagram_socket()
    with Wifi("--free-ports") as s:
        s.up()
        s.ask('AT+CIPSTART=1,"UDP","127.0.0.1",%d' % sock.getsockname()[1],
              "1,CONNECT", "OK")
        at = ("127.0.0.1", int(s.ctl("ports").split("=")[1]))
        sock.sendto(b"first", at)
        s.expect(s.ipd(1, size=5))
        sock.sendto(b"second", at)
        sock.sendto(bytes(1461), at)
        time.sleep(0.05)
        s.ask("AT+CIPRECVLEN?", "+CIPRECVLEN:-1,11,-1,-1,-1", "OK")
        s.take(1, 8, b"firstsec", s.ipd(1, size=3))
        s.ask("AT+CIPDINFO=1", "OK")
        s.write("AT+CIPRECVDATA=1,100\r\n")
        s.expect('+CIPRECVDATA:3,"127.0.0.1",%d,ond\r\nOK\r\n' %
                 sock.getsockname()[1])
        for _ in range(5):
            sock.sendto(bytes(1400), at)
        s.expect(s.ipd(1, size=1400))
        time.sleep(0.05)
        s.ask("AT+CIPRECVLEN?", "+CIPRECVLEN:-1,5600,-1,-1,-1", "OK")
        assert s.stats()["datagrams"]["lost"] >= 1
        # active: one +IPD each
        s.ask("AT+CIPCLOSE=1", "1,CLOSED", "OK")
        s.ask("AT+CIPDINFO=0", "OK")
        s.ask("AT+CIPRECVMODE=0", "OK")
        s.ask('AT+CIPSTART=1,"UDP","127.0.0.1",%d' % sock.getsockname()[1],
              "1,CONNECT", "OK")
        at = ("127.0.0.1", int(s.ctl("ports").split("=")[1]))
        sock.sendto(b"one", at)
        sock.sendto(b"two", at)
        s.expect(s.ipd(1, b"one") + s.ipd(1, b"two"))


@test
def w800_v6():
    """TCPv6, UDPv6: manual CIPSTART."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        port = server.getsockname()[1]
        with Wifi() as s:
            s.up()
            s.ask('AT+CIPSTART=0,"TCPv6","::1",%d' % port, "0,CONNECT", "OK")
            peer = server.accept()[0]
            s.ask("AT+CIPSTATE?", '+CIPSTATE:0,"TCPv6","::1",%d,%d,0' %
                  (port, peer.getpeername()[1]), "OK")
            s.send(0, "six")
            assert receive(peer, 3) == b"six"
            peer.close()
            s.expect("0,CLOSED\r\n")
            s.ask('AT+CIPSTART=1,"UDPv6","::1",%d' % port, "1,CONNECT", "OK")
            s.ask("AT+CIPV6=0", "OK")
            s.ask('AT+CIPSTART=0,"TCPv6","::1",%d' % port, "ERROR")


@test
def w800_dead_hosts():
    """CIPSTART blocks until --connect-timeout; every line is lost."""
    server = Server()
    closed = Server()
    closed.sock.close()
    with Wifi("--unanswered", "127.0.0.9", "--connect-timeout", "300") as s:
        s.up()
        s.ask('AT+CIPSTART=0,"TCP","127.0.0.1",%d' % closed.port, "ERROR")
        begin = time.monotonic()
        s.write('AT+CIPSTART=0,"TCP","127.0.0.9",80\r\n')
        s.silent(0.05)
        s.ask("AT+CIPSTATE?", "busy p...")
        s.expect("\r\nERROR\r\n")
        assert 0.28 < time.monotonic() - begin < 0.5
        assert s.violations() == {"busy": 1, "total": 1}
        s.ask("AT+CIPSTATE?", "OK")
        s.ctl("violations", "reset")
        s.ctl("slow", "127.0.0.1", 100)
        begin = time.monotonic()
        s.ask('AT+CIPSTART=0,"TCP","127.0.0.1",%d' % server.port,
              "0,CONNECT", "OK")
        assert time.monotonic() - begin > 0.09


@test
def w800_send_timeout():
    """so_sndtimeo: SEND FAIL when the peer does not take it; else for ever."""
    server = Server()
    with Wifi() as s:
        s.up()
        server.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer = s.connect(0, server)
        s.ask("AT+CIPTCPOPT=0,,,300", "OK")
        block = bytes(5760)
        for _ in range(100):
            s.write("AT+CIPSEND=0,5760\r\n")
            s.expect(s.prompt())
            s.write(block)
            got = s.read_until((b"SEND OK\r\n", b"SEND FAIL\r\n"))
            if b"SEND FAIL" in got:
                break
        assert got == b"\r\nRecv 5760 bytes\r\n\r\nSEND FAIL\r\n", got
        s.ask("AT+CIPTCPOPT=0,,,0", "OK")
        s.write("AT+CIPSEND=0,5760\r\n")
        s.expect(s.prompt())
        s.write(block)
        s.expect("\r\nRecv 5760 bytes\r\n")
        s.silent(0.4)
        s.ask("AT", "busy s...")
        s.ctl("close", 0, "rst")
        s.expect("\r\nERROR\r\n0,CLOSED\r\n")
        s.ask("AT", "OK")
        peer.close()


@test
def w800_linger():
    """SO_LINGER: CIPCLOSE blocks until the peer's FIN, or the time."""
    server = Server()
    with Wifi() as s:
        s.up()
        peer = s.connect(0, server)
        s.ask("AT+CIPTCPOPT=0,1", "OK")
        begin = time.monotonic()
        s.write("AT+CIPCLOSE=0\r\n")
        s.silent(0.1)
        s.ask("AT", "busy p...")
        peer.close()
        s.expect("0,CLOSED\r\n\r\nOK\r\n")
        assert time.monotonic() - begin < 0.5
        peer = s.connect(0, server)
        begin = time.monotonic()
        s.ask("AT+CIPCLOSE=0", "0,CLOSED", "OK")
        assert 0.9 < time.monotonic() - begin < 1.5
        s.ask("AT+CIPTCPOPT=0,0", "OK")
        peer = s.connect(0, server)
        s.ask("AT+CIPCLOSE=0", "0,CLOSED", "OK")
        try:
            assert peer.recv(1) == b"" and False, "not reset"
        except ConnectionResetError:
            pass
