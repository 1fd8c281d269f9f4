# SPDX-License-Identifier: MIT
"""The W800 dialect: the straight line in each family."""

from w800test import *

FAMILIES = ("esp", "w800", "tight")


@test
def w800_straight_line():
    """Boot, join, open, send, receive both ways, close: each family."""
    server = Server()
    for family in FAMILIES:
        with Wifi(family=family) as s:
            s.up()
            s.ask("AT", "OK")
            peer = s.connect(4, server)
            s.ask("AT+CIPSTATE?", '+CIPSTATE:4,"TCP","127.0.0.1",%d,%d,0' %
                  (server.port, peer.getpeername()[1]), "OK")
            s.send(4, "hello")
            assert receive(peer, 5) == b"hello"
            peer.sendall(b"answer")
            s.expect(s.ipd(4, size=6))
            s.take(4, 100, b"answer")
            s.ask("AT+CIPRECVDATA=4,100", "ERROR")
            s.ask("AT+CIPRECVMODE=0", "OK")
            peer.sendall(b"pushed")
            s.expect(s.ipd(4, b"pushed"))
            s.ask("AT+CIPCLOSE=4", "4,CLOSED", "OK")
            assert peer.recv(10) == b""
            s.ask("AT+CIPSTATE?", "OK")
            assert s.violations() == {}
