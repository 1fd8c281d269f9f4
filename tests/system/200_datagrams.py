#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""200: datagrams: sent to an address, received whole, with their source where
the modem tells it (in push mode)."""

import os
import random
import socket
import subprocess
import time

import harness
from harness import DIALECT, check, needs, same, wait_for
from protocol import Refused


class Peer:
    """A UDP socket of this host."""

    def __init__(self, bench):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(20)
        self.port = self.sock.getsockname()[1]
        self.name = "127.0.0.1:%d" % self.port
        bench.closing.callback(self.sock.close)

    def receive(self):
        """(bytes, port it came from)"""
        data, source = self.sock.recvfrom(4096)
        return data, source[1]

    def send(self, data, port):
        self.sock.sendto(data, ("127.0.0.1", port))


def host_port(bench, link):
    """Where the simulator has bound the local port of a link."""
    info = next(l for l in link.client.call("links")["links"]["link"]
                if l["link"] == link.id)
    for word in bench.sim.ctl("ports").split():
        name, port = word.split("=")
        kind, slot, local = name.split(":")
        if kind == "udp" and int(slot) == info.get("slot", 0):
            same(int(local), info["local_port"], "the local port")
            return int(port)
    raise AssertionError("no such port")


def receive_mode(daemon):
    return daemon.status()["modem"]["receive"]


def both_ways(bench, link, peers, rounds=5):
    """Datagrams of all sizes, to and from each; the source of each is right
    or not told."""
    port = host_port(bench, link)
    for size in (1, 2, 59, 512, 1024, 1400, DIALECT.max_datagram)[
            :rounds + 2]:
        for peer in peers:
            data = os.urandom(size)
            link.send_to(data, "127.0.0.1", peer.port)
            same(peer.receive(), (data, port), "what a peer receives")
            answer = os.urandom(size)
            peer.send(answer, port)
            got, source = link.receive()
            same(got, answer, "what a link receives")
            same(source, peer.name if link.source else None, "its source")


@needs("whole-datagrams")
def pulled(bench):
    daemon = bench.start("--free-ports")
    peers = [Peer(bench), Peer(bench)]
    client = daemon.client("udp")
    link = client.open(None, None, type="UDP")
    same(link.source, False, "OpenReply.source")
    both_ways(bench, link, peers)
    same(receive_mode(daemon), "pull", "receive")
    # many at once keep their boundaries
    port = host_port(bench, link)
    blocks = [os.urandom(random.randrange(1, 300)) for _ in range(60)]
    for block in blocks:
        link.send_to(block, "127.0.0.1", peers[1].port)
    same([peers[1].receive()[0] for _ in blocks], blocks, "what was sent")
    for block in blocks:
        peers[0].send(block, port)
    same([link.receive()[0] for _ in blocks], blocks, "the datagrams")
    counts = link.close()["counts"]
    same(counts["accepted"], counts["taken"], "taken")
    row = bench.settled_history()[0]
    same(row["type"], "udp", "the type in the history")


def a_default_remote(bench):
    daemon = bench.start("--free-ports")
    peer, other = Peer(bench), Peer(bench)
    client = daemon.client("udp")
    link = client.open("127.0.0.1", peer.port, type="UDP")
    link.send_to(b"to whom open said")
    same(peer.receive()[0], b"to whom open said", "the datagram")
    link.send_to(b"to another", "127.0.0.1", other.port)
    same(other.receive()[0], b"to another", "the datagram")
    port = host_port(bench, link)
    other.send(b"anybody may answer", port)
    same(link.receive()[0], b"anybody may answer", "the datagram")
    info = client.call("links")["links"]["link"][0]
    same(info["type"], 2, "the type of the link")
    same(info["remote"], peer.name, "the remote of the link")


def refused(bench):
    """Each with a sentence that says what to do, and nothing is sent."""
    daemon = bench.start("--free-ports")
    client = daemon.client("udp")

    def fails(status, words, **fields):
        try:
            client.call(**fields)
        except Refused as err:
            same(err.status, status, "the status")
            check(words in err.answer["message"], words, err.answer)
            return
        raise AssertionError("not refused: %s" % fields)

    fails("INVALID", "resolve", kind="open", type="UDP", host="example.org",
          port=53)
    fails("INVALID", "port", kind="open", type="UDP", host="127.0.0.1")
    fails("INVALID", "resolve", kind="open", type="UDP", port=53)
    link = client.open(None, None, type="UDP")
    send = {"kind": "send", "link": link.id, "epoch": 1}
    longest = DIALECT.max_datagram
    fails("INVALID", "to_host and to_port", data=b"x", **send)
    fails("INVALID", "to_port", data=b"x", to_host="127.0.0.1", **send)
    fails("INVALID", "to_port", data=b"x", to_host="127.0.0.1", to_port=0,
          **send)
    fails("INVALID", "to_host", data=b"x", to_port=53, **send)
    fails("INVALID", "to_host", data=b"x", to_host='1.2.3.4"', to_port=53,
          **send)
    fails("TOO_LONG", str(longest), data=bytes(longest + 1),
          to_host="127.0.0.1", to_port=53, **send)
    tcp = client.open("127.0.0.1", bench.server(harness.sink).port)
    fails("INVALID", "UDP", kind="send", link=tcp.id, epoch=1, data=b"x",
          to_host="127.0.0.1", to_port=53)
    check(not any(DIALECT.commands["send"] in c for c in bench.sim.commands()),
          "something was sent")
    peer = Peer(bench)
    link.send_to(b"and it still works", "127.0.0.1", peer.port)
    same(peer.receive()[0], b"and it still works", "the datagram")


@needs("send-max")
def too_long_for_the_firmware(bench):
    """That datagram is told as not sent, the link goes on."""
    daemon = bench.start("--free-ports", "--quirk", "send-max-1400")
    peer = Peer(bench)
    link = daemon.client("udp").open("127.0.0.1", peer.port, type="UDP")
    link.send_to(os.urandom(1401))
    link.send_to(b"short")
    same(peer.receive()[0], b"short", "the datagram")
    link.drain()
    same(link.not_sent, [(1401, "TOO_LONG")], "what was not sent")
    counts = link.close()["counts"]
    same((counts["accepted"], counts["taken"]), (1406, 5), "the counts")


@needs("whole-datagrams")
def with_their_source(bench):
    """receive = auto: who wants the source gets push, as long as it is open;
    a link with never_push has priority."""
    daemon = bench.start("--free-ports")
    check("udp-source" in daemon.client().hello["capabilities"], "udp-source")
    peers = [Peer(bench), Peer(bench)]
    client = daemon.client("udp")
    link = client.open(None, None, type="UDP", want_source=True)
    same(link.source, True, "OpenReply.source")
    same(receive_mode(daemon), "push", "receive")
    check("data are pushed" in bench.modemctl("status"), "status")
    both_ways(bench, link, peers)
    tcp = client.open("127.0.0.1", bench.server(harness.echo).port,
                      never_push=True)
    same(receive_mode(daemon), "pull", "receive beside never_push")
    tcp.send(b"pulled")
    same(tcp.read(6), b"pulled", "the echo")
    peers[0].send(b"pulled, too", host_port(bench, link))
    same(link.receive(), (b"pulled, too", None), "the datagram")
    tcp.close()
    wait_for(lambda: receive_mode(daemon) == "push", "push again")
    both_ways(bench, link, peers, 2)
    link.close()
    wait_for(lambda: receive_mode(daemon) == "pull", "pull again")


def spellings(bench):
    """Q74, Q76: the lines of push mode as other firmware spells them."""
    daemon = bench.start("--free-ports")
    client = daemon.client("udp")
    link = client.open(None, None, type="UDP", want_source=True)
    peer = Peer(bench)
    for quirk in DIALECT.push_quirks:
        bench.sim.ctl("quirk", quirk, "on")
        both_ways(bench, link, [peer], 3)
        bench.sim.ctl("quirk", quirk, "off")


def thousands(bench):
    """None lost, none merged, none out of order."""
    count = 10000
    daemon = bench.start("--free-ports", "--baud", 0, modem__receive="push")
    client = daemon.client("udp")
    link = client.open(None, None, type="UDP", want_source=True)
    port, peer = host_port(bench, link), Peer(bench)
    rng = random.Random(1)
    began = time.monotonic()
    sent = got = 0
    waiting = []
    while got < count:
        while sent < count and len(waiting) < 40:
            block = b"%06d " % sent + rng.randbytes(rng.randrange(60))
            peer.send(block, port)
            waiting.append(block)
            sent += 1
        data, source = link.receive()
        same(data, waiting.pop(0), "datagram %d" % got)
        same(source, peer.name, "its source")
        got += 1
    print("        %d datagrams in %.1f s" % (count, time.monotonic() - began))


def restored(bench):
    """After a network loss: the next epoch sends and receives, and knows the
    source again."""
    daemon = bench.start("--free-ports")
    peers = [Peer(bench)]
    client = daemon.client("udp")
    link = client.open(None, None, type="UDP", want_source=True, restore=True)
    both_ways(bench, link, peers, 1)
    bench.sim.ctl("network-loss")
    client.wait(lambda: link.is_lost, 20, "the loss")
    bench.sim.ctl("network-back")
    client.wait(lambda: link.restored, 30, "the link")
    both_ways(bench, link, peers)
    same(receive_mode(daemon), "push", "receive")


def a_killed_daemon(bench):
    """Sockets for datagrams that it left in the modem are closed."""
    daemon = bench.start("--free-ports")
    client = daemon.client("udp")
    for _ in range(DIALECT.slots):
        client.open(None, None, type="UDP")
    daemon.kill()
    daemon = bench.restart_daemon()
    wait_for(lambda: not bench.sim.used_slots(), "no socket is left")
    link = daemon.client("udp").open(None, None, type="UDP")
    both_ways(bench, link, [Peer(bench)], 1)


def nc_keeps_them_apart(bench):
    """modemctl nc -u: one read is one datagram, one datagram one write."""
    daemon = bench.start("--free-ports", "--host", "peer.example=127.0.0.1")
    peer = Peer(bench)
    ours, stdin = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    out, stdout = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    out.settimeout(20)
    with ours, out, subprocess.Popen(
            [harness.STAGE.path("modemctl"), "nc", "-u", "-q", "1",
             "peer.example", str(peer.port)], stdin=stdin, stdout=stdout,
            env=bench.environment()) as program:
        stdin.close()
        stdout.close()
        blocks = [os.urandom(n) for n in (
            1, DIALECT.max_datagram, 700, 2)]
        for block in blocks:
            ours.send(block)
        for block in blocks:
            data, port = peer.receive()
            same(data, block, "what the peer receives")
        for block in blocks:
            peer.send(block, port)
        for block in blocks:
            same(out.recv(4096), block, "one write")
        ours.close()
        same(program.wait(20), 0, "the exit code")
    check(daemon.is_running(), "modemd has ended")


harness.run(pulled, a_default_remote, refused, too_long_for_the_firmware,
            with_their_source, spellings, thousands,
            restored, a_killed_daemon, nc_keeps_them_apart)
