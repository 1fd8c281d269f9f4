# SPDX-License-Identifier: MIT
"""UDP links and servers, byte for byte."""

import socket

from simtest import *


class Peer:
    """A UDP socket."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(3)
        self.port = self.sock.getsockname()[1]

    def send(self, data, port):
        self.sock.sendto(data, ("127.0.0.1", port))


def port_of(s, what):
    """Where "server:0" or "udp:1" really is."""
    for word in s.ctl("ports").split()[1:]:
        if word.startswith(what + ":"):
            return int(word.split("=")[1])
    raise AssertionError(what)


@test
def udp_in_buffer_mode():
    """A7600 manual 6.3.2."""
    peer = Peer()
    with Sim("--free-ports") as s:
        s.up()
        s.say('AT+CIPOPEN=1,"UDP",,,5000', line("+CIPOPEN: 1,0"), OK)
        port = port_of(s, "udp:1")
        s.say('AT+CIPSEND=1,,"127.0.0.1",%d' % peer.port, "\r\n>")
        s.write("HELLOSERVER\x1a")
        s.expect(OK + line("+CIPSEND: 1,11,11"))
        s.say('AT+CIPSEND=1,5,"127.0.0.1",%d' % peer.port, "\r\n>")
        s.write("HELLO")
        s.expect(OK + line("+CIPSEND: 1,5,5"))
        assert peer.sock.recvfrom(99) == (b"HELLOSERVER", ("127.0.0.1", port))
        assert peer.sock.recv(99) == b"HELLO"
        peer.send(b"data from server", port)
        s.expect(line("+CIPRXGET: 1,1"))
        s.say("AT+CIPRXGET=4,1", line("+CIPRXGET: 4,1,16"), OK)
        s.say("AT+CIPRXGET=2,1,5", line("+CIPRXGET: 2,1,5,11"), "data ",
              READ_OK)
        s.say("AT+CIPRXGET=3,1,5", line("+CIPRXGET: 3,1,5,6"), "66726F6D20",
              READ_OK)
        s.say("AT+CIPRXGET=4,1", line("+CIPRXGET: 4,1,6"), OK)
        s.say("AT+CIPRXGET=2,2", line("+IP ERROR: No data"), ERROR)
        s.say("AT+CIPRXGET=2,1", line("+CIPRXGET: 2,1,6,0"), "server", READ_OK)
        s.say("AT+CIPRXGET=4,1", line("+CIPRXGET: 4,1,0"), OK)
        s.say("AT+CIPACK=1", line("+IP ERROR: Operation not supported"),
              ERROR)
        s.say("AT+CIPCLOSE?", line("+CIPCLOSE: 0,1,0,0,0,0,0,0,0,0"), OK)
        s.say("AT+CIPCLOSE=1", line("+CIPCLOSE: 1,0"), OK)
        s.say("AT+CIPCLOSE=1", line("+CIPCLOSE: 1,4"), ERROR)
        assert s.stats()["datagrams"] == {"in": 1, "out": 2, "lost": 0,
                                           "too_long": 0}


@test
def udp_boundaries():
    peer = Peer()
    with Sim("--free-ports") as s:
        s.up()
        s.say('AT+CIPOPEN=0,"UDP","127.0.0.1",%d,5000' % peer.port,
              line("+CIPOPEN: 0,0"), OK)
        port = port_of(s, "udp:0")
        s.send(0, b"to the one named")
        assert peer.sock.recv(99) == b"to the one named"
        peer.send(b"one", port)
        s.expect(line("+CIPRXGET: 1,0"))
        peer.send(b"second", port)
        peer.send(b"", port)
        peer.send(b"x" * 2000, port)
        s.silent(0.03)
        s.say("AT+CIPRXGET=4,0", line("+CIPRXGET: 4,0,2009"), OK)
        s.say("AT+CIPRXGET=2,0", line("+CIPRXGET: 2,0,3,2006"), "one", READ_OK)
        s.say("AT+CIPRXGET=2,0,2", line("+CIPRXGET: 2,0,2,2004"), "se",
              READ_OK)
        s.say("AT+CIPRXGET=2,0", line("+CIPRXGET: 2,0,4,2000"), "cond",
              READ_OK)
        s.say("AT+CIPRXGET=2,0", line("+CIPRXGET: 2,0,1500,500"), "x" * 1500,
              READ_OK)
        s.say("AT+CIPRXGET=2,0", line("+CIPRXGET: 2,0,500,0"), "x" * 500,
              READ_OK)
        s.ctl("quirk", "udp-merged", "on")
        for data in (b"a", b"b"):
            peer.send(data, port)
        s.expect(line("+CIPRXGET: 1,0"))
        s.say("AT+CIPRXGET=2,0", line("+CIPRXGET: 2,0,2,0"), "ab", READ_OK)
        s.ctl("quirk", "udp-merged", "off")
        s.ctl("quirk", "udp-rest-lost", "on")
        for data in (b"first", b"next"):
            peer.send(data, port)
        s.expect(line("+CIPRXGET: 1,0"))
        s.say("AT+CIPRXGET=2,0,1", line("+CIPRXGET: 2,0,1,4"), "f", READ_OK)
        s.ctl("quirk", "udp-ok-first", "on")
        s.say("AT+CIPCLOSE=0", OK, line("+CIPCLOSE: 0,0"))
        s.say('AT+CIPOPEN=0,"UDP",,,5000', OK, line("+CIPOPEN: 0,0"))
        assert s.violations() == {}


@test
def udp_errors():
    taken = Peer()
    with Sim() as s:
        s.say("ATE0", "ATE0\r", OK)
        s.say('AT+CIPOPEN=1,"UDP",,,5000', line("+CIPOPEN: 1,2"), ERROR)
        s.up_again()
        s.say('AT+CIPOPEN=11,"UDP",,,5000',
              line("+IP ERROR: Invalid parameter"), ERROR)
        s.say('AT+CIPOPEN=1,"UDP","127.0.0.1",80', line("+CIPOPEN: 1,3"),
              ERROR)      # Q45
        s.say('AT+CIPOPEN=1,"UDP",,80,5000', line("+CIPOPEN: 1,3"), ERROR)
        s.say('AT+CIPOPEN=1,"UDP","nowhere.example",80,0',
              line("+CIPOPEN: 1,11"), ERROR)
        s.say('AT+CIPOPEN=1,"UDP",,,%d' % taken.port, line("+CIPOPEN: 1,6"),
              ERROR)
        s.say('AT+CIPOPEN=1,"UDP",,,0', line("+CIPOPEN: 1,0"), OK)
        s.say('AT+CIPOPEN=1,"UDP",,,0', line("+CIPOPEN: 1,4"), ERROR)
        s.say("AT+CIPOPEN?", '\r\n+CIPOPEN: 0\r\n+CIPOPEN: 1,"UDP",'
              '"0.0.0.0",0,-1\r\n' + free_links(2), OK)
        for bad in ("1,5", "1,5,\"127.0.0.1\"", '1,5,"127.0.0.1",0',
                    '1,1501,"127.0.0.1",80', '1,5,"no.where",80'):
            s.say("AT+CIPSEND=" + bad, line("+CIPERROR: 3"), ERROR)
        assert s.violations() == {"send-too-long": 1, "total": 1}
        s.say('AT+CIPSEND=1,2,"192.0.2.1",80', "\r\n>")
        s.write("hi")
        s.expect(OK + line("+CIPSEND: 1,2,2"))      # nobody ever gets it
        s.say("AT+NETCLOSE", OK, line("+NETCLOSE: 0"))
        assert s.stats()["closed"][0]["type"] == "UDP"


def free_links(first):
    return "".join("+CIPOPEN: %d\r\n" % n for n in range(first, 10))


@test
def servers():
    """A7600 manual 6.4.2."""
    with Sim("--free-ports") as s:
        s.up()
        for port, index in ((8080, "0"), (9090, "1"), (7070, " 2"),
                            (6060, "3,1")):
            s.say("AT+SERVERSTART=%d,%s" % (port, index), OK)
        s.say("AT+SERVERSTART?", "\r\n+SERVERSTART: 0,8080\r\n"
              "+SERVERSTART: 1,9090\r\n+SERVERSTART: 2,7070\r\n"
              "+SERVERSTART: 3,6060\r\n", OK)
        s.say("AT+SERVERSTART=5050,1", line("+CIPERROR: 7"), ERROR)
        peer = socket.create_connection(("127.0.0.1", port_of(s, "server:1")))
        own = peer.getsockname()[1]
        s.expect(line("+CLIENT: 0,1,127.0.0.1:%d" % own))
        s.say("AT+CIPOPEN?", '\r\n+CIPOPEN: 0,"TCP","127.0.0.1",%d,1\r\n'
              % own + free_links(1), OK)
        s.send(0, b"HELLO")
        assert receive(peer, 5) == b"HELLO"
        s.say("AT+CIPSEND=0", line("+CIPERROR: 4"), ERROR)
        assert s.violations() == {"changeable-length-on-accepted": 1,
                                  "total": 1}
        peer.send(b"back")
        s.expect(line("+CIPRXGET: 1,0"))
        s.say("AT+CIPRXGET=2,0", line("+CIPRXGET: 2,0,4,0"), "back", READ_OK)
        s.say("AT+SERVERSTOP", OK, line("+SERVERSTOP: 0,0"))
        s.say("AT+SERVERSTOP=0", line("+SERVERSTOP: 0,4"), ERROR)
        s.say("AT+SERVERSTOP=4", line("+SERVERSTOP: 4,3"), ERROR)
        s.say("AT+SERVERSTOP=1", line("+SERVERSTOP: 1,9"), ERROR)
        s.ctl("quirk", "serverstop-links", "on")
        s.ctl("quirk", "serverstop-early", "on")
        s.say("AT+SERVERSTOP=1", line("+SERVERSTOP: 1,0"), OK)
        peer.close()
        s.expect(line("+IPCLOSE: 0,1"))
        for i in (2, 3):
            s.say("AT+SERVERSTOP=%d" % i, line("+SERVERSTOP: %d,0" % i), OK)
        row = s.stats()["closed"][0]
        assert (row["direction"], row["server"]) == ("in", 1), row
        s.say("AT+NETCLOSE", OK, line("+NETCLOSE: 0"))
        s.say("AT+SERVERSTART=8080,0", line("+CIPERROR: 2"), ERROR)
        s.say("AT+SERVERSTART?", line("+CIPERROR: 2"), ERROR)
        s.say("AT+SERVERSTOP=0", line("+SERVERSTOP: 0,2"), ERROR)


@test
def accepting():
    server, taken = Server(), Server()
    with Sim("--port-offset", "20000", "--unanswered", "127.0.0.9") as s:
        s.up()
        for bad in ("65536,0", "1,4", "1,0,4", "1", ""):
            s.say("AT+SERVERSTART=" + bad, line("+CIPERROR: 3"), ERROR)
        s.say("AT+SERVERSTART=60000,0", line("+CIPERROR: 6"), ERROR)
        first = s.connect(0, server)
        second = s.connect(2, server)
        s.say("AT+SERVERSTART=0,0", OK)
        at = ("127.0.0.1", port_of(s, "server:0"))

        def come(link):
            peer = socket.create_connection(at)
            s.expect(line("+CLIENT: %d,0,127.0.0.1:%d" %
                          (link, peer.getsockname()[1])))
            return peer

        peers = [come(n) for n in (1, 3, 4, 5, 6, 7, 8, 9)]
        waits = socket.create_connection(at)    # all ten links are used
        s.silent(0.03)
        first.close()
        s.expect(line("+IPCLOSE: 0,1") + line(
            "+CLIENT: 0,0,127.0.0.1:%d" % waits.getsockname()[1]))
        s.say("AT+CIPCLOSE=5", OK, line("+CIPCLOSE: 5,0"))
        assert peers[3].recv(1) == b""
        # an accepted connection takes the very link that is being opened
        s.ctl("quirk", "client-collision", 1)
        s.say('AT+CIPOPEN=5,"TCP","127.0.0.9",80', OK)
        late = socket.create_connection(at)
        s.expect(line("+CLIENT: 5,0,127.0.0.1:%d" % late.getsockname()[1]) +
                 line("+CIPOPEN: 5,4"))
        s.send(5, b"hers")
        s.send(2, b"hello")
        assert receive(second, 5) == b"hello"
        assert receive(late, 4) == b"hers"
        s.ctl("network-loss")
        s.expect(line("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY"))
        try:
            socket.create_connection(at)
            raise AssertionError("it listens on")
        except ConnectionRefusedError:
            pass
        assert s.stats()["listeners"] == []


@test
def server_quirks():
    with Sim("--free-ports") as s:
        s.up()
        s.say("AT+SERVERSTART=8080,3", OK)
        at = ("127.0.0.1", port_of(s, "server:3"))
        peers = []
        for link, name, text in ((0, "client-quoted", '0,3,"127.0.0.1":%d'),
                                 (1, "client-no-index", "1,127.0.0.1:%d")):
            s.ctl("quirk", name, "on")
            peers.append(socket.create_connection(at))
            s.expect(line("+CLIENT: " + text % peers[-1].getsockname()[1]))
            s.ctl("quirk", name, "off")
        s.ctl("quirk", "client-lost", 1)
        peers.append(socket.create_connection(at))
        s.silent(0.03)
        s.ctl("quirk", "server-cannot-send", 1)
        s.say("AT+CIPSEND=2,5", line("+CIPERROR: 4"), ERROR)
        s.ctl("break", 2)
        s.say("AT+CIPSEND=2,5", line("+CIPERROR: 4"), ERROR)
        s.say("AT+CIPCLOSE?", line("+CIPCLOSE: 1,1,1,0,0,0,0,0,0,0"), OK)
