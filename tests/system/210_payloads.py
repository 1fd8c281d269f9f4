#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""210: every byte and everything that looks like modem talk goes through as
payload, both ways, however bytes are received and sent; pushed bytes never
reach another link."""

import hashlib
import os
import random
import re
import time

import harness
from harness import DIALECT, check, needs, same, wait_for

ALL = bytes(range(256))
NASTY = [
    ALL, ALL[::-1], ALL * 5, b"\r\nOK\r\n", b"OK\r\n", b"\r\nERROR\r\n",
    b"+IPCLOSE: 0,1", b"\r\n+IPCLOSE: 9,1\r\n", b">", b"\r\n>", b"\r\n> ",
    b"\r\nCLOSED\r\n", b"\x1a", b"\x1b", b"\x03", b"\x03\x1a", b"\x03\x1b",
    b"\x03\x03\x1a\x1b", b"\x1a\x1a\x1b\x1b\x03\x03", b"a\x1b", b"\x00",
    b"\r\n+CIPRXGET: 1,0\r\n", b"+CIPRXGET: 1,0", b"+RECEIVE,0,10",
    b"\r\n+RECEIVE,9,10\r\n", b"\r\nRECV FROM:127.0.0.1:80\r\n+IPD4\r\nabcd",
    b"\r\nRECV FROM:127.0.0.1:80\r\n", b"\r\n+IPD16\r\n", b"\r\n+IPD1500\r\n",
    b"\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n", b"\r\nRDY\r\n",
    b"\r\n*ATREADY: 1\r\n", b"AT\r", b"\r\n", b"\r", b"\n", b"+",
    b"\r\n+CIPRXGET: 2,9,100,0\r\n", b"\r\n+CIPERROR: 4\r\n\r\nERROR\r\n",
    b"\r\n+CIPSEND: 9,4,4\r\n", b"\r\n+CIPCLOSE: 9,0\r\n\r\nOK\r\n",
    b"\r\n+IPD,4,3:abc", b"+IPD,0,5760", b"\r\n+CIPRECVDATA:4,OK\r\n",
    b"\r\nSEND OK\r\n", b"SEND FAIL\r\n", b"4,CLOSED\r\n", b"3,CONNECT\r\n",
    b"WIFI DISCONNECT\r\n", b"\r\nready\r\n", b"\r\nbusy p...\r\n",
    b"\\0", b"\\\\0", b"a\\", b"\\" * 1500, b"\\0" * 750,
    b"A" * 1499 + b"\x1b", b"\x1a" * 1500, b"\x03" * 1500, b"\x11\x13" * 400,
]


def round_trip(link, data, count=None):
    """It comes back, and is the same."""
    link.send(data)
    got = link.read(count or len(data), timeout=30)
    same(hashlib.sha256(got).hexdigest(), hashlib.sha256(data).hexdigest(),
         "the hash of what came back")


def through(bench, receive, form, coding):
    daemon = bench.start("--baud", 0, modem__receive=receive,
                         modem__pull_form=form, modem__send_coding=coding)
    client = daemon.client()
    server = bench.server(harness.echo)
    link = client.open("127.0.0.1", server.port)
    other = client.open("127.0.0.1", server.port)
    same(daemon.status()["modem"]["receive"],
         "push" if receive == "push" else "pull", "receive")
    for data in NASTY:
        round_trip(link, data)
    # +++ alone between two silences
    time.sleep(2)
    round_trip(link, b"+++")
    time.sleep(2)
    # all of it, in other pieces than it was sent
    rng = random.Random(210)
    data = b"".join(rng.sample(NASTY, len(NASTY)) + [rng.randbytes(30000)])
    round_trip(link, data)
    round_trip(other, b"and the other link is still there")
    same(server.connections[0].received, b"".join(NASTY) + b"+++" + data,
         "what arrived")
    line = daemon.status()["line"]
    same(line.get("resyncs", 0), 0, "resynchronisations")
    same(line.get("lost_bytes", 0), 0, "lost bytes")
    for ended in (link, other):
        counts = ended.close()["counts"]
        same(counts["taken"], counts["received"], "the counts")
    used = bench.sim.commands()
    same(any(re.fullmatch(DIALECT.coded_send, c) for c in used),
         coding == "ctrlz", "the coding")
    same(any(c.startswith("AT+CIPRXGET=3,") for c in used), form == "hex",
         "hex form")


def pull_ascii_fixed(bench):
    through(bench, "pull", "ascii", "fixed")


def pull_ascii_ctrlz(bench):
    through(bench, "pull", "ascii", "ctrlz")


@needs("forms")
def pull_hex_fixed(bench):
    through(bench, "pull", "hex", "fixed")


@needs("forms")
def pull_hex_ctrlz(bench):
    through(bench, "auto", "hex", "ctrlz")


def push_fixed(bench):
    through(bench, "push", "ascii", "fixed")


def push_ctrlz(bench):
    through(bench, "push", "ascii", "ctrlz")


@needs("forms")
def hex_that_counts_digits(bench):
    """Q68: the unit of <read_len> is not defined."""
    daemon = bench.start("--baud", 0, "--quirk", "rxget-hex-digits",
                         modem__pull_form="hex")
    link = daemon.client().open("127.0.0.1", bench.server(harness.echo).port)
    for size in (1, 2, 749, 750, 751, 1500, 20000):
        round_trip(link, os.urandom(size))


@needs("forms")
def prompt_lost_when_coded(bench):
    """The modem waits for Ctrl-Z: ESC gives the line back."""
    bench.violations_expected = True    # ESC and AT in one go
    daemon = bench.start("--baud", 0, modem__send_coding="ctrlz")
    client = daemon.client()
    server = bench.server(harness.echo)
    link, other = (client.open("127.0.0.1", server.port) for _ in "ab")
    bench.sim.ctl("quirk", "prompt-lost", 1)
    link.send(b"never asked for")
    client.wait(lambda: link.closed, 20, "the end of the link")
    same(link.closed["counts"]["taken"], 0, "taken")
    round_trip(other, ALL)
    same(bytes(server.connections[0].received), b"", "what arrived")


# ------------------------------------------------------------------ push alone

def two_links_to_one_server(bench):
    """Different data for each, at once: the header's link decides."""
    datas = [os.urandom(60000), os.urandom(60000)]
    todo = list(datas)

    def serve(connection):
        data = todo.pop(0)
        for i in range(0, len(data), 700):
            connection.send(data[i:i + 700])
        harness.sink(connection)
    daemon = bench.start("--baud", 0, modem__receive="push")
    client = daemon.client()
    server = bench.server(serve)
    links = [client.open("127.0.0.1", server.port) for _ in datas]
    same(sorted(link.read(60000, timeout=60) for link in links),
         sorted(datas), "the data")


def the_mode_changes_while_data_flow(bench):
    """Links that must not be pushed to come and go; nothing is lost, doubled
    or out of order."""
    daemon = bench.start("--baud", 2000000, modem__receive="push")
    data = os.urandom(400000)
    client = daemon.client("steady")
    link = client.open("127.0.0.1", bench.server(harness.source(data)).port)
    echo = bench.server(harness.echo)
    changes = 0
    while len(link.data) < len(data):
        pulled = client.open("127.0.0.1", echo.port, never_push=True)
        round_trip(pulled, os.urandom(500))
        pulled.close()
        client.pump(0.05)
        changes += 1
    same(hashlib.sha256(link.data).hexdigest(),
         hashlib.sha256(data).hexdigest(), "the hash")
    check(changes > 3, "the mode changed often", changes)
    used = bench.sim.commands()
    pushes = used.count(DIALECT.commands["push"])
    check(pushes > 3, "the mode was changed", pushes)
    same(daemon.status()["line"].get("lost_bytes", 0), 0, "lost bytes")


def a_slow_client_in_push(bench):
    """It gets what its credit allows; the modem keeps the rest; a neighbour
    goes on."""
    daemon = bench.start("--baud", 0, modem__receive="push")
    data = os.urandom(500000)
    neighbour = daemon.client("neighbour").open(
        "127.0.0.1", bench.server(harness.echo).port)
    client = daemon.client("slow")
    link = client.open_start("127.0.0.1",
                             bench.server(harness.source(data)).port,
                             credit=2000)
    link.auto_credit = False
    link.wait_open()
    wait_for(lambda: daemon.status()["modem"]["receive"] == "pull",
             "pull, while one client is behind")
    began = time.monotonic()
    for _ in range(40):
        round_trip(neighbour, os.urandom(1000))
    check(time.monotonic() - began < 10, "the neighbour is slow")
    client.pump(0.1)
    same(link.received, 2000, "what the slow client was given")
    link.auto_credit = True
    link.give_credit(30000)
    got = link.read(len(data), timeout=60)
    same(hashlib.sha256(got).hexdigest(), hashlib.sha256(data).hexdigest(),
         "the hash")
    wait_for(lambda: daemon.status()["modem"]["receive"] == "push",
             "push again")
    link.close()
    same(daemon.status()["line"].get("lost_bytes", 0), 0, "lost bytes")


def what_is_pushed_before_a_close(bench):
    """All of it is delivered before the link ends, also to who is slow."""
    data = os.urandom(20000)

    def serve(connection):
        connection.send(data)
    daemon = bench.start("--baud", 0, modem__receive="push")
    server = bench.server(serve)
    for credit in (65536, 3000):
        client = daemon.client()
        link = client.open_start("127.0.0.1", server.port, credit=credit)
        link.auto_credit = credit > 20000
        link.wait_open()
        if not link.auto_credit:
            client.wait(lambda: link.received == credit, 20, "the credit")
            client.pump(0.3)
            check(not link.closed, "closed too early")
            link.auto_credit = True
            link.give_credit(credit)
        client.wait(lambda: link.closed, 20, "the end")
        same(bytes(link.data), data, "the data")
        same(link.closed["reason"], "peer", "the reason")
        same(link.closed["counts"]["received"], 20000, "received")


@needs("unnamed-push")
def firmware_that_names_no_link(bench):
    """One link: it can only be its data. Two: nobody's; then it is pulled,
    also by the next daemon."""
    daemon = bench.start("--baud", 0, "--quirk", "header-type-ignored",
                         modem__receive="push")
    client = daemon.client()
    go = []

    def serve(connection):
        wait_for(lambda: go, "the word", 30)
        connection.send(b"x" * 3000)
        harness.echo(connection)
    server = bench.server(serve)
    links = [client.open("127.0.0.1", server.port) for _ in "ab"]
    same(daemon.status()["modem"]["receive"], "push", "receive")
    go.append(True)
    client.wait(lambda: all(l.closed for l in links), 20, "their end")
    for link in links:
        same(bytes(link.data), b"", "what a link was given")
        same(link.closed["reason"], "line-loss", "the reason")
    same([r["reason"] for r in bench.settled_history()], ["line-loss"] * 2,
         "the reason in the history")
    wait_for(lambda: daemon.status()["modem"]["receive"] == "pull", "pull")
    check(bench.json("status")["line"]["lost_bytes"] > 0,
          "lost bytes are told")

    def works(client):
        links = [client.open("127.0.0.1", server.port) for _ in "ab"]
        for link in links:
            same(link.read(3000), b"x" * 3000, "what is pulled")
            round_trip(link, os.urandom(5000))
        for link in links:
            link.close()
    works(client)
    daemon.terminate()
    daemon = bench.restart_daemon()
    works(daemon.client())
    same(bench.sim.commands().count("AT+CIPRXGET=0"), 1, "tries to push")
    check("push" not in daemon.client().hello["capabilities"], "push")


@needs("unnamed-push")
def one_link_without_a_name(bench):
    daemon = bench.start("--baud", 0, "--quirk", "header-type-ignored",
                         modem__receive="push")
    data = os.urandom(50000)
    client = daemon.client()
    server = bench.server(harness.source(data))
    link = client.open("127.0.0.1", server.port)
    same(hashlib.sha256(link.read(50000)).hexdigest(),
         hashlib.sha256(data).hexdigest(), "the hash")
    wait_for(lambda: daemon.status()["modem"]["receive"] == "pull", "pull")
    other = client.open("127.0.0.1", server.port)
    same(hashlib.sha256(other.read(50000)).hexdigest(),
         hashlib.sha256(data).hexdigest(), "the hash of the next")


@needs("unnamed-push")
def firmware_without_cipccfg(bench):
    """It says so: pull, and all works."""
    daemon = bench.start("--baud", 0, "--quirk", "no-cipccfg",
                         modem__receive="push")
    link = daemon.client().open("127.0.0.1", bench.server(harness.echo).port)
    round_trip(link, os.urandom(20000))
    same(daemon.status()["modem"]["receive"], "pull", "receive")
    same(bench.sim.commands().count("AT+CIPRXGET=0"), 0, "tries to push")


def a_killed_daemon_in_push(bench):
    """The next one finds a modem that pushes, and brings it up."""
    daemon = bench.start("--baud", 0, modem__receive="push")
    flood = bench.server(harness.source(os.urandom(1 << 20)))
    daemon.client().open("127.0.0.1", flood.port)
    daemon.kill()
    daemon = bench.restart_daemon()
    link = daemon.client().open("127.0.0.1", bench.server(harness.echo).port)
    round_trip(link, os.urandom(20000))
    same(daemon.status()["modem"]["receive"], "push", "receive")


def bytes_lost_on_the_line(bench):
    """L3: pushed bytes come once. What a client gets is what was sent, from
    its first byte on; where the line lost some, the link ends."""
    bench.violations_expected = True
    daemon = bench.start(modem__receive="push", recovery__probe="1s")
    rng = random.Random(3)
    data = rng.randbytes(12000)
    server = bench.server(harness.source(data))
    whole = 0
    for _ in range(30):
        daemon.wait_network()
        client = daemon.client()
        link = client.open("127.0.0.1", server.port, wait_ms=20000, timeout=40)
        bench.sim.ctl("drop", "to-host", rng.randrange(11000),
                      rng.randrange(1, 4))
        client.wait(lambda: link.closed or len(link.data) >= len(data), 40,
                    "all data, or the end")
        check(data.startswith(link.data), "what came is not what was sent")
        if link.closed:
            same(link.closed["reason"], "line-loss", "the reason")
        else:
            whole += 1
            link.close()
        client.hang_up()
    check(whole < 15, "nothing was lost", whole)


if __name__ == "__main__":
    harness.run(pull_ascii_fixed, pull_ascii_ctrlz, pull_hex_fixed,
                pull_hex_ctrlz, push_fixed, push_ctrlz,
                hex_that_counts_digits, prompt_lost_when_coded,
                two_links_to_one_server, the_mode_changes_while_data_flow,
                a_slow_client_in_push, what_is_pushed_before_a_close,
                firmware_that_names_no_link, one_link_without_a_name,
                firmware_without_cipccfg, a_killed_daemon_in_push,
                bytes_lost_on_the_line)
