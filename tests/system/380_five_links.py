#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""380: five links at once, by five programs of two users, each moving its
bytes there and back at the same time, in both modes of receiving: each byte
where it belongs. ctest runs it for each family of answers."""

import random
import threading

import harness
from harness import CLIENT_A, CLIENT_B, DIALECT, check, same, sha256, wait_for

# each way on each link
SIZE = 10_000_000 if harness.LONG else 2_000_000
LINKS = 5


def blob(seed):
    """All 256 values in turn, then what a generator makes."""
    return (bytes(range(256)) * 40 + random.Random(seed).randbytes(SIZE))[
        :SIZE]


class Program:
    """A client with a link: says all of @said, hears as much."""

    def __init__(self, bench, number, port, said):
        user = (CLIENT_A, CLIENT_B)[number % 2]
        self.number = number
        self.client = bench.daemon.client("program-%d" % number, user=user)
        self.uid = user.uid
        self.said, self.left = said, said
        self.link = self.client.open("127.0.0.1", port)

    def step(self):
        """Sends what there is room for, takes what has come."""
        self.client.pump(0.001)
        link = self.link
        check(not link.closed, "link %d has ended" % self.number, link.closed)
        room = link.window - (link.accepted - link.taken)
        if self.left and room >= 8192:
            link.send(self.left[:8192])
            self.left = self.left[8192:]

    def is_done(self):
        return not self.left and self.link.taken == len(self.said) and \
            len(self.link.data) >= len(self.said)


def far_end(bench):
    """(a server that tells each link from its first byte what to say, what
    it has heard by number)"""
    heard = {}

    def serve(connection):
        number = connection.recv(1)[0]
        heard[number] = connection
        threading.Thread(target=connection.send, daemon=True,
                         args=(blob(100 + number),)).start()
        harness.sink(connection)
    return bench.server(serve), heard


def five_links(bench, receive):
    daemon = bench.start("--baud", 0, modem__receive=receive)
    server, heard = far_end(bench)
    programs = []
    for number in range(LINKS):
        said = bytes([number]) + blob(200 + number)[1:]
        programs.append(Program(bench, number, server.port, said))
    same(len(bench.sim.used_slots()), LINKS, "links in the modem")
    # none has room to send before all are open
    for program in programs:
        check(not program.link.closed and program.left, "it waits")

    def all_done():
        for program in programs:
            program.step()
        return all(p.is_done() for p in programs)
    wait_for(all_done, lambda: "all bytes there; %s" % [
        (p.link.taken, len(p.link.data)) for p in programs], 150, 0)

    for program in programs:
        number = program.number
        connection = heard[number]
        wait_for(lambda c=connection: len(c.received) >= SIZE,
                 "the far end has all")
        same(sha256(connection.received), sha256(program.said),
             "what arrived from program %d" % number)
        same(sha256(program.link.data), sha256(blob(100 + number)),
             "what came to program %d" % number)
        same(set(program.link.data), set(range(256)), "the values of bytes")
    rows = {row["client"]: row for row in bench.json("links")}
    for program in programs:
        row = rows["program-%d" % program.number]
        same((row["sent"], row["received"]), (SIZE, SIZE), "the counts")
        closed = program.link.close()
        same(closed["counts"]["taken"], SIZE, "taken")
        same(closed["counts"]["received"], SIZE, "received")
    owners = {c["client"]: c["uid"] for c in bench.json("clients")}
    same({p.number: owners["program-%d" % p.number] for p in programs},
         {p.number: p.uid for p in programs}, "whose they are")
    line = daemon.status()["line"]
    same((line.get("lost_bytes", 0), line.get("resyncs", 0)), (0, 0),
         "lost bytes, resynchronisations")
    # who is behind is asked for it, in active mode, too
    used = [c for c in bench.sim.commands()
            if c.startswith(DIALECT.commands[receive])]
    check(used, "the mode of receiving", receive)


def passive(bench):
    five_links(bench, "pull")


def active(bench):
    five_links(bench, "push")


harness.run(passive, active)
