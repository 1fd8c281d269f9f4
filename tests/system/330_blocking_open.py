#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""330: opens that keep the line: what they cost the other links.

While one link opens to a dead host, the others' downlink goes on, and their
uplink as soon as it is over; several dead hosts one after another leave the
others half of the time. Rates of one run are compared, so that the machine's
speed does not matter. An open to a dead host takes --connect-timeout here.
"""

import threading
import time

import harness
from harness import check, same, wait_for

OPEN_MS = 4000
SHARE = 0.9
BAUD = 115200


def opening(bench):
    return [s for s in bench.sim.stats()["slots"] if s["state"] == "opening"]


def start(bench):
    return bench.start("--connect-timeout", OPEN_MS,
                       links__open_timeout="20s", modem__baud=BAUD)


def endless(connection):
    """Sends as long as somebody takes it."""
    block = bytes(range(256)) * 16
    while True:
        connection.send(block)


def down_rate(client, link, seconds):
    """Bytes a second from one arrival to another so much later: they come in
    blocks."""
    first = None
    while True:
        before = link.received
        client.wait(lambda: link.received > before, 20, "more data")
        link.data.clear()
        now = time.monotonic()
        if first is None:
            first, count = now, link.received
        elif now - first >= seconds:
            return (link.received - count) / (now - first)


def open_dead(bench, client, n=1):
    links = [client.open_start("192.0.2.%d" % i, 80) for i in range(1, n + 1)]
    wait_for(lambda: opening(bench), "a link is opening", 30)
    return links


def wait_failed(client, links):
    for link in links:
        client.wait(lambda l=link: l.opened, 60, "the end of an open")
        # a bare ERROR: how long it took is all that tells the two apart
        check(link.opened.get("status", 0) in (8, 9), "the status is neither "
              "REFUSED nor TIMEOUT", link.opened)


def downlink_goes_on(bench):
    daemon = start(bench)
    client = daemon.client("down")
    link = client.open("127.0.0.1", bench.server(endless).port)
    down_rate(client, link, 0.5)
    alone = down_rate(client, link, 3)
    dead = daemon.client("dead")
    links = open_dead(bench, dead)
    client.pump(0.1)            # what came meanwhile
    during = down_rate(client, link, 2.5)
    check(opening(bench), "the open was over too early")
    same(daemon.status()["modem"]["receive"], "push", "the mode meanwhile")
    wait_failed(dead, links)
    wait_for(lambda: daemon.status()["modem"]["receive"] == "pull",
             "the mode is as before")
    client.pump(0.1)
    down_rate(client, link, 0.5)
    after = down_rate(client, link, 2)
    print("alone %.0f B/s, while another opens %.0f (%.3f), after %.0f" % (
        alone, during, during / alone, after))
    check(during >= SHARE * alone, "the share is %.3f" % (during / alone))
    check(after >= SHARE * alone, "after: %.3f" % (after / alone))
    row = client.call("links")["links"]["link"][0]
    same(row["counts"].get("lost", 0), 0, "bytes lost")


def every_byte_through_the_switches(bench):
    """What is in the modem's buffer when the mode changes is not lost."""
    size = 150000
    data = bytes((i * 7 + i // 251) % 256 for i in range(size))
    daemon = bench.start("--connect-timeout", 300, links__open_timeout="20s",
                         modem__baud=BAUD)
    client, dead = daemon.client("down"), daemon.client("dead")
    link = client.open("127.0.0.1", bench.server(harness.source(data)).port)
    opens = [0]

    def keep_opening():
        while link.received < size and not link.closed:
            failed = dead.open_start("192.0.2.1", 80)
            dead.wait(lambda: failed.opened, 60, "the end of an open")
            opens[0] += 1

    thread = threading.Thread(target=keep_opening, daemon=True)
    thread.start()
    same(link.read(size, timeout=90), data, "what came")
    thread.join(30)
    check(opens[0] >= 3, "there were %d opens" % opens[0])


def uplink_follows_at_once(bench):
    daemon = start(bench)
    client, dead = daemon.client("up"), daemon.client("dead")
    link = client.open("127.0.0.1", bench.server(harness.echo).port)
    links = open_dead(bench, dead)
    link.send(b"x" * 100)
    began = time.monotonic()
    wait_failed(dead, links)
    over = time.monotonic()
    same(link.read(100), b"x" * 100, "the echo")
    took = time.monotonic() - over
    check(over - began > 2, "the open was over too early", over - began)
    # one transaction: ERROR, CIPCLOSE, CIFSR; then CIPSEND and its echo
    check(took < 0.5, "it took %.2f s after the open's end" % took)


def half_of_the_time(bench):
    """Four dead hosts: an echo goes on in at least half of the time."""
    daemon = bench.start("--connect-timeout", 2000, links__open_timeout="20s",
                         modem__baud=BAUD)
    client, dead = daemon.client("up"), daemon.client("dead")
    link = client.open("127.0.0.1", bench.server(harness.echo).port)
    block = bytes(range(256)) * 2
    links = [dead.open_start("192.0.2.%d" % i, 80) for i in range(1, 5)]
    began = time.monotonic()
    done, longest = 0, 0.0
    while not all(l.opened for l in links):
        sent = time.monotonic()
        link.send(block)
        same(link.read(len(block)), block, "the echo")
        took = time.monotonic() - sent
        longest = max(longest, took)
        if took < 1:        # it did not wait for an open
            done += took
        dead.pump(0)
    all_of_it = time.monotonic() - began
    print("four opens in %.1f s, %.1f s of it free, longest echo %.1f s" % (
        all_of_it, done, longest))
    check(all_of_it > 12, "four opens took %.1f s only" % all_of_it)
    # 2 s for each but the last
    check(done >= 0.9 * 3 * 2, "the echo had %.1f of %.1f s" % (
        done, all_of_it))
    check(longest < 3.2, "an echo took %.1f s" % longest)


def quiet_neighbours_do_not_delay(bench):
    """With nobody who wants the line, opens follow one another."""
    daemon = bench.start("--connect-timeout", 1000, links__open_timeout="20s",
                         modem__baud=BAUD)
    client, dead = daemon.client("quiet"), daemon.client("dead")
    client.open("127.0.0.1", bench.server(harness.silent).port)
    began = time.monotonic()
    wait_failed(dead, [dead.open_start("192.0.2.%d" % i, 80)
                       for i in range(1, 5)])
    took = time.monotonic() - began
    check(3.9 < took < 6, "four opens took %.1f s" % took)


def an_open_that_is_late(bench):
    """Its owner hears in time that it did not open; what opens after all is
    nobody's, and closed. Nothing is said to a module that is busy."""
    daemon = bench.start("--baud", 0, "--slow", "slow.test=5000",
                         "--host", "slow.test=127.0.0.1", "--free-ports",
                         links__open_timeout="3s")
    client, late = daemon.client("other"), daemon.client("late")
    listener = client.listen(8080)
    server = bench.server(harness.echo)
    link = client.open("127.0.0.1", server.port)
    began = time.monotonic()
    slow = late.open_start("slow.test", server.port)
    late.wait(lambda: slow.opened, 10, "the end of the open")
    took = time.monotonic() - began
    same(slow.opened.get("status", 0), 9, "the status (TIMEOUT)")
    check(2.9 < took < 3.5, "it took %.1f s" % took)
    link.send(b"meanwhile")
    same(link.read(9), b"meanwhile", "the echo")
    check(time.monotonic() - began > 4.9, "the module was not busy")
    wait_for(lambda: len(server.connections) == 2 and
             server.connections[1].ended, "the late one is closed")
    wait_for(lambda: len(bench.sim.used_slots()) == 1, "its slot is free")
    same(len(listener.accepted), 0, "connections that the listener has heard of")
    # 5 s of the line were taken: as long the other has it now
    link.send(b"again")
    late.open("127.0.0.1", server.port).close()
    check(time.monotonic() - began > 9, "the next open came too early")
    same(link.read(5), b"again", "the echo")


harness.run(downlink_goes_on, every_byte_through_the_switches,
            uplink_follows_at_once, half_of_the_time,
            quiet_neighbours_do_not_delay, an_open_that_is_late)
