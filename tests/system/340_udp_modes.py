#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""340: UDP links: whom they send to when datagrams come from others, groups
and broadcast, boundaries, sources, and what is too long."""

import os
import random
import socket
import struct

import harness
from harness import DIALECT, check, same, wait_for
from protocol import Refused

GROUP = "239.1.2.3"


class Peer:
    """A UDP socket of this host."""

    def __init__(self, bench, port=0, host="127.0.0.1"):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((host, port))
        self.sock.settimeout(20)
        self.port = self.sock.getsockname()[1]
        self.name = "127.0.0.1:%d" % self.port
        bench.closing.callback(self.sock.close)

    def receive(self):
        """(bytes, port it came from)"""
        data, source = self.sock.recvfrom(4096)
        return data, source[1]

    def expect(self, data):
        got, port = self.receive()
        same(got, data, "what a peer receives")
        return port

    def send(self, data, port):
        self.sock.sendto(data, ("127.0.0.1", port))


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def three_ways(bench, udp_remote):
    """(link, its port, peers): the first is its remote."""
    daemon = bench.start("--baud", 0)
    peers = [Peer(bench) for _ in range(3)]
    port = free_port()
    link = daemon.client("udp").open(
        "127.0.0.1", peers[0].port, type="UDP", local_port=port,
        udp_remote=udp_remote, want_source=True)
    return link, port, peers


def say(link, port, peer, text):
    """A datagram of that peer, which the link hears."""
    peer.send(text, port)
    same(link.receive(), (text, peer.name), "what the link receives")


def fixed(bench):
    link, port, (first, second, third) = three_ways(bench, "FIXED")
    link.send_to(b"one")
    same(first.expect(b"one"), port, "the link's port")
    say(link, port, second, b"from the second")
    link.send_to(b"two")
    first.expect(b"two")
    link.send_to(b"three", "127.0.0.1", third.port)
    third.expect(b"three")
    link.send_to(b"four")
    first.expect(b"four")


def the_first_other(bench):
    link, port, (first, second, third) = three_ways(bench, "FIRST")
    link.send_to(b"one")
    first.expect(b"one")
    say(link, port, second, b"from the second")
    link.send_to(b"two")
    second.expect(b"two")
    say(link, port, third, b"from the third")
    link.send_to(b"three")
    second.expect(b"three")


def everybody(bench):
    link, port, (first, second, third) = three_ways(bench, "EVERY")
    for peer in (second, third, first, third):
        say(link, port, peer, b"from " + peer.name.encode())
        link.send_to(b"back to " + peer.name.encode())
        peer.expect(b"back to " + peer.name.encode())
    link.send_to(b"by name", "127.0.0.1", second.port)
    second.expect(b"by name")
    link.send_to(b"and back")
    third.expect(b"and back")


def boundaries(bench):
    """Sixty of any size, from two peers in turn, none joined or cut."""
    daemon = bench.start("--baud", 0)
    peers = [Peer(bench), Peer(bench)]
    port = free_port()
    link = daemon.client("udp").open(None, None, type="UDP", local_port=port,
                                     want_source=True)
    same(link.source, True, "OpenReply.source")
    same(daemon.status()["modem"]["receive"], "push", "the receive mode")
    sizes = [1, 2, 1459, 1460] + [random.randrange(1, 1461)
                                  for _ in range(56)]
    for i, size in enumerate(sizes):
        data, peer = os.urandom(size), peers[i % 2]
        peer.send(data, port)
        same(link.receive(), (data, peer.name), "datagram %d" % i)
        link.send_to(data[::-1], "127.0.0.1", peer.port)
        peer.expect(data[::-1])
    blocks = [os.urandom(50 + i) for i in range(20)]
    for block in blocks:
        peers[0].send(block, port)
    same([link.receive()[0] for _ in blocks], blocks, "twenty at once")


def too_long(bench):
    daemon = bench.start("--baud", 0)
    peer = Peer(bench)
    client = daemon.client("udp")
    link = client.open("127.0.0.1", peer.port, type="UDP")
    longest = DIALECT.max_datagram
    link.send_to(b"x" * longest)
    peer.expect(b"x" * longest)
    try:
        link.send_to(b"y" * (longest + 1))
    except Refused as err:
        same(err.status, "TOO_LONG", "the status")
        check(str(longest) in err.answer["message"], "the message",
              err.answer)
    else:
        raise AssertionError("it was taken")
    link.send_to(b"still open")
    peer.expect(b"still open")


def a_group(bench):
    """A link to a group hears it, and is heard by it."""
    daemon = bench.start("--baud", 0)
    port = free_port()
    member = Peer(bench, port, "")
    member.sock.setsockopt(
        socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
        struct.pack("4s4s", socket.inet_aton(GROUP),
                    socket.inet_aton("127.0.0.1")))
    speaker = Peer(bench)
    speaker.sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                            socket.inet_aton("127.0.0.1"))
    link = daemon.client("udp").open(GROUP, port, type="UDP",
                                     local_port=port, want_source=True)
    link.send_to(b"to all of you")
    member.expect(b"to all of you")
    speaker.sock.sendto(b"to all of us", (GROUP, port))
    same(link.receive(), (b"to all of us", speaker.name), "what it hears")


def broadcast(bench):
    daemon = bench.start("--baud", 0)
    port = free_port()
    other = Peer(bench, port, "")
    link = daemon.client("udp").open("255.255.255.255", port, type="UDP")
    link.send_to(b"to everybody")
    other.expect(b"to everybody")


def bad_requests(bench):
    daemon = bench.start("--baud", 0)
    client = daemon.client("udp")
    for options, word in (
            ({"udp_remote": "EVERY"}, "local_port"),
            ({"udp_remote": "EVERY", "local_port": 5, "type": "TCP"}, "UDP"),
            ({"udp_remote": "FIRST", "local_port": 5, "host": None,
              "port": None}, "host"),
            ({"tcp": {"nodelay": True}}, "tcp"),
            ({"tls": {}}, "tls")):
        fields = {"host": "127.0.0.1", "port": 53, "type": "UDP", **options}
        try:
            client.open(**fields)
        except Refused as err:
            same(err.status, "INVALID", "%s" % options)
            check(word in err.answer["message"], "the message", err.answer)
        else:
            raise AssertionError("%s was opened" % options)
    wait_for(lambda: not bench.sim.used_slots(), "no slot is used")


def a_port_that_is_taken(bench):
    daemon = bench.start("--baud", 0)
    peer = Peer(bench)
    client = daemon.client("udp")
    try:
        client.open("127.0.0.1", 53, type="UDP", local_port=peer.port)
    except Refused as err:
        same(err.status, "ADDRESS_IN_USE", "the status")
    else:
        raise AssertionError("it was opened")


def nc_follows(bench):
    bench.start("--baud", 0)
    first, second = Peer(bench), Peer(bench)
    port = free_port()
    nc = bench.spawn("nc", "modemctl", "nc", "-u", "--udp-remote", "every",
                     "--local-port", port, "127.0.0.1", first.port)
    wait_for(lambda: bench.sim.used_slots(), "the link is open")
    second.send(b"hello", port)
    wait_for(lambda: nc.stdout() == "hello", "nc prints it")


harness.run(fixed, the_first_other, everybody, boundaries, too_long, a_group,
            broadcast, bad_requests, a_port_that_is_taken, nc_follows)
