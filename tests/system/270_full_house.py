#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""270: everything the modem has, in use at once: all links and all
listeners, by five clients, each byte where it belongs."""

import hashlib
import random
import socket
import threading

import harness
from harness import DIALECT, check, same, wait_for

SIZE = 2_000_000 if harness.LONG else 60_000
PORTS = range(8001, 8001 + DIALECT.listeners)
OUTBOUND = DIALECT.slots - len(PORTS)


def blob(seed):
    return random.Random(seed).randbytes(SIZE)


def digest(data):
    return hashlib.sha256(bytes(data)).hexdigest()


def host_port(bench, port):
    """Where the simulator has it."""
    for word in bench.sim.ctl("ports").split():
        kind, _, rest = word.partition(":")
        if kind == "server" and ":%d=" % port in rest:
            return int(rest.rpartition("=")[2])
    raise AssertionError("port %d is not listened to" % port)


class Peer(threading.Thread):
    """Connects to a listener, sends all of @said, reads as much."""

    def __init__(self, port, said, wanted):
        super().__init__(daemon=True)
        self.sock = socket.create_connection(("127.0.0.1", port), 20)
        self.said, self.wanted, self.heard = said, wanted, bytearray()

    def run(self):
        writer = threading.Thread(target=self.sock.sendall, args=(self.said,))
        writer.start()
        while len(self.heard) < self.wanted:
            data = self.sock.recv(65536)
            if not data:
                break
            self.heard += data
        writer.join()


def pump(clients, pairs, done):
    """Lets each link send what it has left, until @done."""
    def step():
        for client in clients:
            client.pump(0.002)
        for pair in pairs:
            link, left = pair
            room = 65536 - (link.accepted - link.taken)
            if left and room >= 4096:
                link.send(left[:4096])
                pair[1] = left[4096:]
        return done()
    wait_for(step, "all bytes are there", 120, 0)


def all_links_and_all_listeners(bench, **settings):
    daemon = bench.start("--baud", 0, "--free-ports",
                         links__reserve_inbound=0,
                         links__max_inbound=DIALECT.slots,
                         **settings)
    clients = [daemon.client("client-%d" % i) for i in range(5)]
    listeners = [clients[i].listen(port) for i, port in enumerate(PORTS)]

    far = []

    def serve(connection):
        far.append(connection)
        said = blob(100 + far.index(connection))
        threading.Thread(target=connection.send, daemon=True,
                         args=(said,)).start()
        harness.sink(connection)
    server = bench.server(serve)
    out = [clients[i % 5].open("127.0.0.1", server.port)
           for i in range(OUTBOUND)]
    wait_for(lambda: len(far) == OUTBOUND, "the outbound links are accepted")

    peers, inbound = [], []
    for i, port in enumerate(PORTS):
        peers.append(Peer(host_port(bench, port), blob(200 + i),
                          SIZE))
        wait_for(lambda i=i: (clients[i].pump(0.01), listeners[i].accepted)[1],
                 "the connection to port %d" % port)
        inbound.append(listeners[i].accepted.popleft())
    same((bench.json("status")["links_used"],
          bench.json("status")["listeners_used"]),
         (DIALECT.slots, DIALECT.listeners), "in use")
    for peer in peers:
        peer.start()

    pairs = [[link, blob(300 + i)] for i, link in enumerate(out + inbound)]
    links = out + inbound
    pump(clients, pairs, lambda: all(len(l.data) >= SIZE for l in links) and
         not any(left for _, left in pairs) and
         all(l.taken == SIZE for l in links))
    for peer in peers:
        peer.join(20)
    for i, (peer, link) in enumerate(zip(peers, inbound)):
        same(digest(link.data), digest(blob(200 + i)), "from peer %d" % i)
        same(digest(peer.heard), digest(blob(300 + OUTBOUND + i)),
             "to peer %d" % i)
    by_order = {bytes(blob(300 + i)): i for i in range(OUTBOUND)}
    for number, connection in enumerate(far):
        wait_for(lambda c=connection: len(c.received) >= SIZE, "it has all")
        i = by_order[bytes(connection.received)]
        same(digest(out[i].data), digest(blob(100 + number)),
             "to link %d" % i)
    rows = bench.json("links")
    same(len(rows), DIALECT.slots, "links")
    check(all(r["sent"] == r["received"] == SIZE for r in rows), "counts",
          [(r["sent"], r["received"]) for r in rows])
    same({r["client"] for r in rows},
         {"client-%d" % (i % 5) for i in (*range(OUTBOUND),
                                          *range(len(PORTS)))}, "clients")


def the_same_in_push(bench):
    all_links_and_all_listeners(bench, modem__receive="push")


harness.run(all_links_and_all_listeners, the_same_in_push)
