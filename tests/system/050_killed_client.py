#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""050: a client killed in mid-send leaves nothing behind, a hundred times.

Catalogue D5: by the modem's own table no socket stays taken, the daemon's
descriptors and memory stay as they were, and what arrived is a prefix.
"""

import os
import random
import signal
import time

import harness
from harness import CLIENT_A, CLIENT_B, DIALECT, check, same, wait_for
from protocol import Client

TIMES = 1000 if harness.LONG else 100
WARM_UP = 10
CLIENTS = (CLIENT_A, CLIENT_B)


def payload(seed, size):
    return random.Random(seed).randbytes(size)


def start_client(bench, server, seed, user):
    """A child that sends until it is killed; (pid, its pipe).

    The pipe says how far it is: a byte once the link is open and the first
    block was taken.
    """
    to_read, to_write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(to_write)
        return pid, to_read
    try:
        user.become()
        client = Client(bench.daemon.socket, "victim")
        link = client.open("127.0.0.1", server.port)
        data = payload(seed, 200000)
        link.send(data[:1000])
        link.drain()
        os.write(to_write, b"!")
        link.send(data[1000:], timeout=60)
        time.sleep(60)
    finally:
        os._exit(1)


def kill_in_mid_send(bench, server, seed):
    pid, pipe = start_client(bench, server, seed, CLIENTS[seed % 2])
    said = os.read(pipe, 1)
    check(said == b"!", "the client did not come to send")
    # somewhere in the transfer: the seed decides where
    connection = server.connection(seed)
    enough = random.Random(seed).randrange(1000, 20000)
    wait_for(lambda: len(connection.received) >= enough,
             "the far end has %d bytes" % enough, every=0.001)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(pipe)


def settle(bench):
    wait_for(lambda: bench.daemon.status().get("links_used", 0) == 0,
             "no link is used")
    wait_for(lambda: not bench.sim.used_slots(), "the modem has no open socket")


def killed_clients_leave_nothing(bench):
    # what is freed shall be gone, not in quarantine
    bench.asan_options = "quarantine_size_mb=1:detect_leaks=1"
    daemon = bench.start("--baud", 0)
    server = bench.server(harness.sink)
    bystander = daemon.client("bystander")
    steady = bystander.open("127.0.0.1", bench.server(harness.echo).port)
    for i in range(WARM_UP):
        kill_in_mid_send(bench, server, i)
    wait_for(lambda: len(bench.sim.used_slots()) == 1, "one link is left")
    descriptors, rss = daemon.descriptors(), daemon.rss_kb()

    for i in range(WARM_UP, WARM_UP + TIMES):
        kill_in_mid_send(bench, server, i)
        steady.send(b"still there")
        same(steady.read(11), b"still there", "the bystander's echo")
    steady.close()
    bystander.hang_up()
    settle(bench)

    wait_for(lambda: daemon.descriptors() <= descriptors - 1,
             lambda: "%d descriptors, %d before" % (daemon.descriptors(),
                                                    descriptors))
    grown = daemon.rss_kb() - rss
    check(grown < 2048, "RSS has grown by %d kB" % grown)
    for seed, connection in enumerate(server.connections):
        wait_for(lambda c=connection: c.ended, "the far end saw the close")
        got = bytes(connection.received)
        same(got, payload(seed, 200000)[:len(got)],
             "what arrived from client %d" % seed)


def every_killed_client_is_in_the_history(bench):
    bench.start("--baud", 0)
    server = bench.server(harness.sink)
    for i in range(5):
        kill_in_mid_send(bench, server, i)
        settle(bench)
    rows = bench.settled_history()
    same(len(rows), 5, "the number of sessions")
    for row in rows:
        same(row["reason"], "client-gone", "the reason")
        check(row["closed"], "a session is still open", row)
    for row, connection in zip(reversed(rows), server.connections):
        wait_for(lambda c=connection: c.ended, "the far end saw the close")
        check(row["sent"] <= len(connection.received) <=
              row["sent"] + DIALECT.max_send, "sent %d, arrived %d" % (
                  row["sent"], len(connection.received)))


harness.run(killed_clients_leave_nothing, every_killed_client_is_in_the_history)
