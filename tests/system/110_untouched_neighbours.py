#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""110: no client is affected by another's fault (invariant I4).

A slow reader, a stopped client, a peer that floods and one that resets: the
neighbour's data flow on, complete and in order.
"""

import os
import signal
import time

import harness
from harness import check, same, wait_for


def steady(bench):
    """A neighbour; call it: one echo that must work, and soon."""
    link = bench.daemon.client("neighbour").open(
        "127.0.0.1", bench.server(harness.echo).port)

    def works(limit=5):
        block = os.urandom(700)
        began = time.monotonic()
        link.send(block)
        same(link.read(700, timeout=limit), block, "the neighbour's echo")
        return time.monotonic() - began
    return works


def a_reader_that_does_not_read(bench):
    """C10, S10: no credit, no data; the peer feels it, nobody else does."""
    bench.asan_options = "quarantine_size_mb=1:detect_leaks=1"
    daemon = bench.start()
    works = steady(bench)
    works()
    rss = daemon.rss_kb()
    flood = os.urandom(1 << 20) * 24   # more than any kernel buffers
    server = bench.server(harness.source(flood))
    slow = daemon.client("slow")
    link = slow.open_start("127.0.0.1", server.port)
    link.auto_credit = False
    link.wait_open()
    slow.wait(lambda: link.credit_left == 0, 20, "the credit to be used up")
    for _ in range(10):
        works()
    same(link.credit_left, 0, "data beyond the credit")
    check(daemon.rss_kb() - rss < 2048, "the daemon buffers for it")
    check(server.connection(0).sent < len(flood), "the peer feels nothing")

    link.auto_credit = True
    link.give_credit(link.received)
    got = link.read(200000, timeout=60)
    same(got, flood[:200000], "what the slow reader gets")
    link.close(abort=True)


def a_stopped_client(bench):
    """D6: SIGSTOP, and on: it misses nothing."""
    daemon = bench.start()
    works = steady(bench)
    far_end = harness.FarEnd(bench)
    mover = bench.mover("stopped", far_end, "-n", 200000)
    wait_for(lambda: any(s["sent"] > 30000 for s in bench.sim.used_slots()),
             "it moves", every=0.005)
    mover.signal(signal.SIGSTOP)
    for _ in range(20):
        works()
    began = time.monotonic()
    daemon.client("asks").status()
    check(time.monotonic() - began < 0.5, "status is slow")
    mover.signal(signal.SIGCONT)
    moved = mover.result()
    same(moved["sha256_returned"], moved["sha256"], "its hash")


def peers_that_reset_and_refuse(bench):
    daemon = bench.start("--baud", 0)
    works = steady(bench)
    client = daemon.client("unlucky")

    def reset(connection):
        connection.recv()
        connection.sock.setsockopt(harness.socket.SOL_SOCKET,
                                   harness.socket.SO_LINGER,
                                   b"\1\0\0\0\0\0\0\0")
    server = bench.server(reset)
    closed = bench.server(reset)
    closed.close()
    for _ in range(30):
        link = client.open("127.0.0.1", server.port)
        link.send(b"x" * 2000)
        client.wait(lambda: link.closed, 10, "the reset")
        refused = client.open_start("127.0.0.1", closed.port)
        client.wait(lambda: refused.opened, 10, "the refusal")
        check(refused.opened["status"], "a closed port answered")
        works()
    wait_for(lambda: len(bench.sim.used_slots()) == 1, "one slot is left")


def a_dead_peer_with_a_full_window(bench):
    """A peer that reads nothing: its link waits or fails by itself."""
    daemon = bench.start()
    works = steady(bench)
    alone = sum(works() for _ in range(30))

    def deaf(connection):
        connection.sock.setsockopt(harness.socket.SOL_SOCKET,
                                   harness.socket.SO_RCVBUF, 4096)
        time.sleep(60)
    client = daemon.client("talks")
    link = client.open("127.0.0.1", bench.server(deaf).port)
    sent = 0
    while not link.closed and sent < 300000:
        room = link.window - (link.accepted - link.taken)
        if room > 0:
            client.call("send", check=False, link=link.id, epoch=1,
                        data=bytes(min(room, 16384)))
            link.accepted += min(room, 16384)
            sent += min(room, 16384)
        else:
            break               # the modem takes no more
        client.pump(0.05)
    beside = sum(works() for _ in range(30))
    check(beside < 10 * alone + 5, "the neighbour is slowed down",
          alone, beside)
    link.close(abort=True)


harness.run(a_reader_that_does_not_read, a_stopped_client,
            peers_that_reset_and_refuse, a_dead_peer_with_a_full_window)
