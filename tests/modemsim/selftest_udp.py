# SPDX-License-Identifier: MIT
"""UDP of the W800: remote ends that change, groups, limits."""

import socket
import time

from linktest import *
from simtest import *
from w800test import *


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
    assert "FEFFFFEF" not in v4_members()
    with Wifi() as s:
        s.up()
        opens(s, 0, "UDP", group, port)
        assert "FEFFFFEF" in v4_members()
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


def v4_members():
    """Groups of all interfaces, as the kernel writes them."""
    with open("/proc/net/igmp") as rows:
        return {row.split()[0] for row in rows if row.startswith("\t")}


def v6_members():
    """Groups of the loopback interface, as the kernel has them."""
    with open("/proc/net/igmp6") as rows:
        return {row.split()[2] for row in rows if row.split()[1] == "lo"}


@test6
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
        far = udp("127.255.255.255", port)
        s.send(0, "anybody?")
        data, modem = far.recvfrom(100)
        assert data == b"anybody?" and modem[0] == "127.0.0.1"
        s.silent(0.05)                  # not to itself
        other = udp("0.0.0.0")
        other.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        other.sendto(b"me", ("127.255.255.255", port))
        s.expect(s.ipd(0, size=2))
        s.take(0, 100, b"me")
