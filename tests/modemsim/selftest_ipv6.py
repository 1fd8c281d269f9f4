# SPDX-License-Identifier: MIT
"""IPv6: ::1 and nothing else; names with two addresses."""

import socket
import time

from linktest import *
from simtest import *
from tlstest import TlsServer
from w800test import *


@test6
def v6_tcp():
    far, far4 = Server6(), Server()
    with Wifi() as s:
        s.up()
        opens(s, 0, "TCPv6", "::1", far.port)
        peer = far.accept()
        s.ask("AT+CIPSTATE?", '+CIPSTATE:0,"TCPv6","::1",%d,%d,0' %
              (far.port, peer.getpeername()[1]), "OK")
        s.send(0, "six")
        assert receive(peer, 3) == b"six"
        peer.sendall(b"answer")
        s.expect(s.ipd(0, size=6))
        s.ask("AT+CIPDINFO=1", "OK")
        s.write("AT+CIPRECVDATA=0,10\r\n")
        s.expect('+CIPRECVDATA:6,"::1",%d,answer\r\nOK\r\n' % far.port)
        peer.close()
        s.expect("0,CLOSED\r\n")
        # the family is the type's, whatever the address is
        s.ask(start(s, 0, "TCP", "::1", far.port), "DNS Fail", "ERROR")
        s.ask(start(s, 0, "TCPv6", "127.0.0.1", far4.port), "DNS Fail",
              "ERROR")
        # nothing listens there
        far.sock.close()
        s.ask(start(s, 0, "TCPv6", "::1", far.port), "ERROR")


@test6
def v6_only_here():
    """Nothing but ::1 is contacted; the rest never answers."""
    with Wifi("--connect-timeout", "200") as s:
        s.up()
        for host in ("2001:db8::1", "fe80::1", "::2", "::ffff:127.0.0.1",
                     "2606:4700:4700::1111"):
            before = time.monotonic()
            s.ask(start(s, 0, "TCPv6", host, 9), "ERROR")
            assert 0.15 < time.monotonic() - before < 2, host
        opens(s, 1, "UDPv6", "2606:4700:4700::1111", 9)
        s.send(1, "lost")
        far = Server6()
        s.ctl("unanswered", "::1")
        s.ask(start(s, 0, "TCPv6", "::1", far.port), "ERROR")
        s.ctl("answered", "::1")
        opens(s, 0, "TCPv6", "::1", far.port)
    # those that nobody has are never tried, whatever is allowed
    with Wifi("--connect-timeout", "200", "--allow-network") as s:
        s.up()
        before = time.monotonic()
        s.ask(start(s, 0, "TCPv6", "2001:db8::1", 9), "ERROR")
        assert 0.15 < time.monotonic() - before < 2


@test6
def v6_names():
    """One name, two addresses; CIPDOMAIN's preferences 1, 2, 3."""
    with Wifi("--host", "both=::1", "--host", "both=127.0.0.3",
              "--host", "six=::1", "--host", "four=127.0.0.4",
              "--connect-timeout", "200") as s:
        s.up()
        for name, want in (
                ("both", ("127.0.0.3", "127.0.0.3", "::1")),
                ("six", ("::1", None, "::1")),
                ("four", ("127.0.0.4", "127.0.0.4", None)),
                ("localhost", ("127.0.0.1", "127.0.0.1", "::1")),
                ("127.0.0.9", ("127.0.0.9", "127.0.0.9", None)),
                ("::1", ("::1", None, "::1")),
                ("nobody", (None, None, None))):
            for family, address in enumerate(want, 1):
                command = 'AT+CIPDOMAIN="%s",%d' % (name, family)
                if address is None:
                    s.ask(command, "DNS Fail", "ERROR")
                else:
                    s.ask(command, '+CIPDOMAIN:"%s"' % address, "OK")
        s.ask('AT+CIPDOMAIN="both"', '+CIPDOMAIN:"127.0.0.3"', "OK")
        far, far4 = Server6(), Server()
        opens(s, 0, "TCPv6", "both", far.port)
        opens(s, 1, "TCPv6", "localhost", far.port)
        opens(s, 2, "TCP", "localhost", far4.port)
        peer = far4.accept()
        assert peer.getsockname()[0] == "127.0.0.1"
        s.ask(start(s, 3, "TCPv6", "four", far.port), "DNS Fail", "ERROR")
        s.ctl("unanswered", "both")
        s.ask(start(s, 3, "TCPv6", "both", far.port), "ERROR")


@test6
def v6_server():
    with Wifi("--free-ports") as s:
        s.up()
        s.ask('AT+CIPSERVER=1,80,"TCPv6"', "OK")
        port = int(s.ctl("ports").split("=")[1])
        peer = socket.create_connection(("::1", port), timeout=3)
        s.expect("0,CONNECT\r\n")
        s.ask("AT+CIPSTATE?", '+CIPSTATE:0,"TCPv6","::1",%d,80,1' %
              peer.getsockname()[1], "OK")
        s.send(0, "hello")
        assert receive(peer, 5) == b"hello"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1)
            raise AssertionError("IPv4 got in")
        except ConnectionRefusedError:
            pass


@test6
def v6_tls():
    far = TlsServer(host="::1")
    with Wifi() as s:
        s.up()
        far.begin()
        opens(s, 4, "SSLv6", "::1", far.port)
        peer = far.end()
        s.send(4, "hello")
        assert receive(peer, 5) == b"hello"
        s.ask("AT+CIPSTATE?", '+CIPSTATE:4,"SSLv6","::1",%d,%d,0' %
              (far.port, peer.getpeername()[1]), "OK")


@test6
def v6_udp():
    far = udp("::1")
    with Wifi() as s:
        s.up()
        opens(s, 0, "UDPv6", "::1", far.getsockname()[1])
        s.send(0, "ping")
        data, sender = far.recvfrom(100)
        assert data == b"ping" and sender[0] == "::1"
        far.sendto(b"pong", sender)
        s.expect(s.ipd(0, size=4))
        s.take(0, 100, b"pong")
        # to somebody else, for once
        other = udp("::1")
        s.write('AT+CIPSEND=0,3,"::1",%d\r\n' % other.getsockname()[1])
        s.expect(s.prompt())
        s.write("who")
        s.expect(s.sent(3))
        assert other.recv(10) == b"who"
