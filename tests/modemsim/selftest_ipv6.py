# SPDX-License-Identifier: MIT
"""IPv6 on ::1, UDP's remote ends and groups, limits, socket options."""

import socket
import time

from simtest import *
from tlstest import TlsServer
from w800test import *

class Server6(Server):
    def __init__(self):
        self.sock = socket.create_server(("::1", 0), family=socket.AF_INET6)
        self.sock.settimeout(3)
        self.port = self.sock.getsockname()[1]


def udp(host="127.0.0.1", port=0):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.settimeout(3)
    return sock


def slot(s, n):
    return s.stats()["slots"][n]


def start(s, n, kind, host, port, *more):
    fields = ['%d,"%s","%s",%d' % (n, kind, host, port), *map(str, more)]
    return "AT+CIPSTART=" + ",".join(fields)


def opens(s, n, *args):
    s.ask(start(s, n, *args), "%d,CONNECT" % n, "OK")


def host_port(s, n):
    """Where the modem's port of a UDP link is on this host."""
    for word in s.ctl("ports").split():
        if word.startswith("udp:%d:" % n):
            return int(word.split("=")[1])
    raise AssertionError("no UDP link %d" % n)


@test
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


@test
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


@test
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


@test
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


@test
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


@test
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


@test
def udp_remote_modes():
    """CIPSTART's <mode>: fixed, the first other one, the last one."""
    for mode, after in ((0, "aaa"), (1, "bbb"), (2, "bcc")):
        a, b, c = udp(), udp(), udp()
        with Wifi("--free-ports") as s:
            s.up()
            opens(s, 0, "UDP", "127.0.0.1", a.getsockname()[1], 1002, mode)
            to = ("127.0.0.1", host_port(s, 0))
            a.sendto(b"0", to)          # the same: no change
            s.expect(s.ipd(0, size=1))
            s.take(0, 9, b"0")
            for sender, want in zip((b, c, c), after):
                sender.sendto(b"?", to)
                s.expect(s.ipd(0, size=1))
                s.take(0, 9, b"?")      # it comes in any case
                far = {"a": a, "b": b, "c": c}[want]
                s.send(0, "now")
                assert far.recv(9) == b"now", (mode, want)
                s.ask("AT+CIPSTATE?",
                      '+CIPSTATE:0,"UDP","127.0.0.1",%d,1002,0' %
                      far.getsockname()[1], "OK")
    with Wifi() as s:
        s.up()
        s.ask(start(s, 0, "UDP", "127.0.0.1", 9, 0, 3), "ERROR")
        s.ask(start(s, 0, "UDP", "127.0.0.1", 9, "", 2), "ERROR")


@test
def udp_too_long():
    """Above 1460 bytes: lost on the way in, and counted."""
    far = udp()
    with Wifi() as s:
        s.up()
        opens(s, 0, "UDP", "127.0.0.1", far.getsockname()[1])
        s.send(0, "x" * 1460)
        data, modem = far.recvfrom(4000)
        assert len(data) == 1460
        far.sendto(b"y" * 1461, modem)
        far.sendto(b"y" * 1460, modem)
        s.expect(s.ipd(0, size=1460))
        counts = s.stats()["datagrams"]
        assert (counts["in"], counts["too_long"], counts["lost"]) == \
            (2, 1, 0), counts
        # a full cache loses the next one: 5760 bytes
        for _ in range(4):
            far.sendto(b"z" * 1460, modem)
        while s.stats()["datagrams"]["in"] < 6:
            time.sleep(0.001)
        assert slot(s, 0)["buffered"] == 3 * 1460
        assert s.stats()["datagrams"]["lost"] == 2


def joined(group, port):
    """A member of a group on the loopback interface."""
    sock = udp("0.0.0.0", port)
    here = socket.inet_aton("127.0.0.1")
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                    socket.inet_aton(group) + here)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, here)
    return sock


@test
def udp_multicast():
    """The remote end is a group: it is sent to, and listened to."""
    group, port = "239.255.255.254", free_port()
    with Wifi() as s:
        s.up()
        opens(s, 0, "UDP", group, port)
        assert host_port(s, 0) == port
        member = joined(group, port)
        s.send(0, "to all")
        data, modem = member.recvfrom(100)
        assert (data, modem) == (b"to all", ("127.0.0.1", port))
        s.silent(0.05)              # not to itself
        other = joined(group, 0)
        other.sendto(b"news", (group, port))
        s.expect(s.ipd(0, size=4))
        s.take(0, 100, b"news")
        assert member.recv(100) == b"news"
        s.ask("AT+CIPCLOSE=0", "0,CLOSED", "OK")
        # with a port of its own it only sends
        opens(s, 0, "UDP", group, port, free_port())
        s.send(0, "again")
        data, modem = member.recvfrom(100)
        assert (data, modem[1]) == (b"again", host_port(s, 0))
        assert modem[1] != port


def free_port():
    with udp() as free:
        return free.getsockname()[1]


def v6_members():
    """Groups of the loopback interface, as the kernel has them."""
    with open("/proc/net/igmp6") as rows:
        return {row.split()[2] for row in rows if row.split()[1] == "lo"}


@test
def v6_multicast():
    """It joins. Packets need a route for ff00::/8 that few hosts have."""
    group, port = "ff15::8080", free_port()
    packed = socket.inet_pton(socket.AF_INET6, group).hex()
    assert packed not in v6_members()
    with Wifi() as s:
        s.up()
        opens(s, 0, "UDPv6", group, port)
        assert packed in v6_members()
        s.send(0, "to all")
        s.ask("AT+CIPCLOSE=0", "0,CLOSED", "OK")
        assert packed not in v6_members()


@test
def udp_broadcast():
    """255.255.255.255 is everybody on the loopback interface."""
    port = free_port()
    with Wifi() as s:
        s.up()
        opens(s, 0, "UDP", "255.255.255.255", port)
        far = udp("0.0.0.0", port)
        s.send(0, "anybody?")
        data, modem = far.recvfrom(100)
        assert data == b"anybody?" and modem[0] == "127.0.0.1"
        s.silent(0.05)                  # not to itself
        other = udp("0.0.0.0")
        other.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        other.sendto(b"me", ("127.255.255.255", port))
        s.expect(s.ipd(0, size=2))
        s.take(0, 100, b"me")


@test
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
            assert time.monotonic() - before < (0.2 if patience < 1 else 1)
            peer.close()
