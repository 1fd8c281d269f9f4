#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""020: two users' programs move data at the same time through one modem."""

import os

import harness
from harness import CLIENT_A, CLIENT_B, DIALECT, check, same, wait_for
from protocol import ENUMS


def two_users_at_the_same_time(bench):
    bench.start()
    far_end = harness.FarEnd(bench)
    movers = [bench.mover("mover-a", far_end, "-n", 200000, "--seed", 1,
                          user=CLIENT_A),
              bench.mover("mover-b", far_end, "-n", 200000, "--seed", 2,
                          user=CLIENT_B)]
    wait_for(lambda: len(bench.sim.used_slots()) == 2, "both have a link")
    results = [m.result() for m in movers]
    far = {row["token"]: row for row in far_end.rows(2)}
    rows = {row["client"]: row for row in bench.settled_history()}
    for result in results:
        same(result["sha256_far_end"], result["sha256"], "the far end's hash")
        same(result["sha256_returned"], result["sha256"], "the answer's hash")
        row = rows[result["client"]]
        same(row["sent"], far[result["token"]]["received"], "bytes sent")
        same(row["received"], far[result["token"]]["sent"], "bytes received")
    # Fair: had one waited for the other, it would have taken twice as long.
    times = sorted(r["seconds"] for r in results)
    check(times[0] > 0.6 * times[1], "one waited for the other", times)


def all_links_of_one_client(bench):
    daemon = bench.start("--baud", 0)
    server = bench.server(harness.echo)
    client = daemon.client("holder")
    links = [client.open("127.0.0.1", server.port) for _ in
             range(DIALECT.slots)]
    data = [os.urandom(20000) for _ in links]
    for link, block in zip(links, data):
        link.send(block)
    for link, block in zip(links, data):
        same(link.read(len(block)), block, "the echo of one of them")
    same(daemon.status()["links_used"], DIALECT.slots, "links in use")

    surplus = client.call("open", host="127.0.0.1", port=server.port,
                          check=False, timeout=2)
    same(surplus["status"], ENUMS["Status"]["NO_SLOT"], "one too many")
    check("holder" in surplus["message"], "the holder is named", surplus)
    waiting = client.open_start("127.0.0.1", server.port, wait_ms=20000)
    links[3].close()
    waiting.wait_open()
    waiting.send(b"my turn")
    same(waiting.read(7), b"my turn", "the echo of the one that waited")


harness.run(two_users_at_the_same_time, all_links_of_one_client)
