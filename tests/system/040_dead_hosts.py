#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""040: nine links opening to dead hosts do not slow down the tenth.

An open that is under way costs the line nothing: its result comes when it
comes. Two rates of one run are compared, so that the machine's speed does not
matter.
"""

import time

import harness
from harness import check, needs, same, wait_for

BLOCK = bytes(range(256)) * 4
WINDOW_S = 2.4                  # within the 3 s that an open takes here
SHARE = 0.95


def rate(link, seconds):
    """Transfers (1 KiB there and back) a second, over at least @seconds."""
    count, began = 0, time.monotonic()
    while time.monotonic() - began < seconds:
        link.send(BLOCK)
        same(link.read(len(BLOCK)), BLOCK, "the echo")
        count += 1
    return count / (time.monotonic() - began)


def opening(bench):
    return [s for s in bench.sim.stats()["slots"] if s["state"] == "opening"]


@needs("open-beside")
def nine_dead_hosts_cost_the_tenth_link_nothing(bench):
    daemon = bench.start()
    worker = daemon.client("worker").open(
        "127.0.0.1", bench.server(harness.echo).port)
    rate(worker, 0.3)
    before = rate(worker, WINDOW_S)

    dead = daemon.client("dead")
    links = [dead.open_start("192.0.2.%d" % i, 4000 + i) for i in range(1, 10)]
    wait_for(lambda: len(opening(bench)) == 9, "nine links are opening", 2)
    during = rate(worker, WINDOW_S)
    same(len(opening(bench)), 9, "links still opening at the end")

    for link in links:
        dead.wait(lambda l=link: l.opened, 10, "the end of an open")
        check(link.opened.get("status", 0), "a dead host answered")
    after = rate(worker, WINDOW_S)
    alone = (before + after) / 2
    print("alone %.1f and %.1f transfers/s, with nine opening %.1f: %.3f" % (
        before, after, during, during / alone))
    check(during >= SHARE * alone, "the share is %.3f" % (during / alone))


def a_dead_open_ends_at_its_timeout(bench):
    daemon = bench.start()
    client = daemon.client()
    began = time.monotonic()
    link = client.open_start("192.0.2.1", 80)
    client.wait(lambda: link.opened, 10, "the end of the open")
    took = time.monotonic() - began
    check(2.5 <= took <= 4.5, "it took %.2f s, not 3" % took)
    same(link.opened.get("status"), 9, "the status (TIMEOUT)")
    wait_for(lambda: not bench.sim.used_slots(), "the slot is free again")


harness.run(nine_dead_hosts_cost_the_tenth_link_nothing,
            a_dead_open_ends_at_its_timeout)
