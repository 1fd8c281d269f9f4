#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""370: passthrough as the lease of a module that tells nothing while it lasts:
every byte both ways, whatever it looks like, and all settings afterwards."""

import random
import signal
import socket
import time

import harness
from harness import check, needs, same, sha256, wait_for
from protocol import Link, Refused

ADMIN = harness.User("")
ALL = bytes(range(256))


def start(bench, *options, **changes):
    return bench.start("--baud", 0, "--free-ports", *options, **changes)


def ask(client, **options):
    return client.request("lease", **options)


def take(client, number, timeout=30):
    """The link of a lease that was asked for."""
    reply = client.answer(number, timeout)
    if reply.get("status", 0):
        raise Refused("lease", reply)
    link = Link(client, reply["open"]["link"], reply["open"]["epoch"],
                client.hello["window"], client.hello["credit"])
    client.links[link.id] = link
    for kind, event in client.unclaimed.pop(link.id, []):
        link.take(kind, event)
    return link


def lease(client, port, timeout=30, **options):
    options.setdefault("host", "127.0.0.1")
    return take(client, ask(client, port=port, **options), timeout)


def pause(seconds=0.2):
    """What the test is about: as long as it says, not a hope."""
    time.sleep(seconds)


def raw(bench, command):
    return bench.modemctl("at", command, user=ADMIN).strip()


def all_is_restored(bench):
    """The settings, an ordinary link, a listener."""
    bench.daemon.wait_network(timeout=30)
    for command, answer in (("AT+CIPMODE?", "+CIPMODE:0"),
                            ("AT+CIPMUX?", "+CIPMUX:1"),
                            ("AT+CIPRECVMODE?", "+CIPRECVMODE:1")):
        same(raw(bench, command), answer, command)
    far = bench.server(harness.echo)
    client = bench.daemon.client("after")
    link = client.open("127.0.0.1", far.port, wait_ms=20000, timeout=30)
    link.send(b"ordinary")
    same(link.read(8), b"ordinary", "an ordinary link's echo")
    link.close()
    client.listen(9090, wait_ms=20000)
    client.hang_up()


@needs("wifi")
def every_byte_both_ways(bench):
    start(bench)
    far = bench.server(harness.echo)
    client = bench.daemon.client("leaser")
    link = lease(client, far.port)
    same([c for c in bench.sim.commands() if "CIPSTART" in c or
          c in ("AT+CIPMUX=0", "AT+CIPMODE=1", "AT+CIPSEND",
                "AT+CIPRECVMODE=0")],
         ["AT+CIPRECVMODE=0", "AT+CIPMUX=0",
          'AT+CIPSTART="TCP","127.0.0.1",%d' % far.port, "AT+CIPMODE=1",
          "AT+CIPSEND"], "the way in")
    sent = b""
    for piece in (ALL * 40, b"+++", random.Random(1).randbytes(70000),
                  b"+++", b"\r\nCLOSED\r\n", b"\r\nready\r\n", b"AT\r\n",
                  b">", b"\r\n+IPD,5:hello", b"\r\nOK\r\n\r\n>", ALL):
        pause()
        link.send(piece, timeout=60)
        sent += piece
        same(sha256(link.read(len(piece), timeout=60)), sha256(piece),
             "the echo of %r..." % piece[:12])
    status = bench.daemon.status()
    same((status["lease"]["client"], status["lease"]["state"]),
         ("leaser", "connected"), "the lease")
    closed = link.close()
    same((closed["reason"], closed["counts"]["taken"],
          closed["counts"]["received"]), ("local", len(sent), len(sent)),
         "the end")
    same(sha256(bytes(far.connection(0).received)), sha256(sent),
         "what arrived")
    same(len(far.connections), 1, "connections")
    all_is_restored(bench)


@needs("wifi")
def pluses_of_the_client(bench):
    """Alone between pauses, in any pieces: all payload."""
    start(bench)
    far = bench.server(harness.sink)
    client = bench.daemon.client("leaser")
    link = lease(client, far.port)
    sent = b""
    for pieces in ((b"+++",), (b"+", b"++"), (b"++", b"+"),
                   (b"+", b"+", b"+"), (b"+++++++",), (b"+++a",),
                   (b"a+++",), (b"++",), (b"+++\r\n",)):
        pause()
        for piece in pieces:
            link.send(piece)
            sent += piece
            pause(0.01)
    wait_for(lambda: bytes(far.connection(0).received) == sent,
             lambda: "what arrived: %r of %r" % (
                 bytes(far.connection(0).received), sent))
    closed = link.close()
    same(closed["counts"]["taken"], len(sent), "taken")
    same(bytes(far.connection(0).received), sent, "nothing but that")
    all_is_restored(bench)


@needs("wifi")
def with_and_without_a_prompt(bench):
    start(bench)
    # what it begins with in passthrough could be taken for the prompt: README
    welcome = b"\r\nwelcome>" + ALL.replace(b">", b"") * 100
    far = bench.server(harness.source(welcome))
    client = bench.daemon.client("leaser")
    for quirk in ("prompt-none", "prompt-sign"):
        bench.sim.ctl("quirk", quirk, "on")
        link = lease(client, far.port)
        same(sha256(link.read(len(welcome))), sha256(welcome),
             "what came (%s)" % quirk)
        link.close()
        bench.daemon.wait_network(timeout=30)
        bench.sim.ctl("quirk", quirk, "off")
    all_is_restored(bench)


@needs("wifi")
def datagrams(bench):
    start(bench)
    far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    far.bind(("127.0.0.1", 0))
    far.settimeout(10)
    bench.closing.callback(far.close)
    client = bench.daemon.client("leaser")
    link = lease(client, far.getsockname()[1], type="UDP", local_port=5555)
    check(any(c.endswith(",5555,0") and '"UDP"' in c
              for c in bench.sim.commands()), "the remote end is fixed",
          bench.sim.commands())
    for size in (1, 300, 512):
        pause()
        data = random.Random(size).randbytes(size)
        link.send(data)
        got, peer = far.recvfrom(2000)
        same(got, data, "a datagram of %d" % size)
        far.sendto(data[::-1], peer)
        same(link.read(size), data[::-1], "its answer")
    link.close()
    all_is_restored(bench)


# -------------------------------------------------------------- who else is there

@needs("wifi")
def links_and_listeners_of_others(bench):
    daemon = start(bench)
    far = bench.server(harness.echo)
    other, owner = daemon.client("other"), daemon.client("owner")
    link = other.open("127.0.0.1", far.port)
    listener = owner.listen(8080)
    client = daemon.client("leaser")
    number = ask(client, host="127.0.0.1", port=far.port, wait_ms=500)
    leased = take(client, number)
    other.wait(lambda: link.closed, 10, "the end of the link")
    same(link.closed["reason"], "lease", "the reason")
    owner.wait(lambda: listener.lost, 10, "the loss of the listener")
    leased.send(b"alone")
    same(leased.read(5), b"alone", "the echo")
    leased.close()
    owner.wait(lambda: listener.restored, 30, "its return")
    all_gone = [s for s in bench.sim.used_slots()]
    same(all_gone, [], "sockets of the modem")


@needs("wifi")
def it_cannot_listen(bench):
    """Said at once, and nobody is disturbed for it."""
    daemon = start(bench)
    far = bench.server(harness.echo)
    link = daemon.client("other").open("127.0.0.1", far.port)
    try:
        client = daemon.client("leaser")
        take(client, ask(client, port=8080, listen=True))
        raise AssertionError("it listens")
    except Refused as err:
        same(err.status, "NOT_SUPPORTED", "the refusal")
        check("cannot listen in a lease" in err.answer["message"], "why",
              err.answer["message"])
    code, _, err = bench.run("modemctl", "nc", "--lease", "-l", 8080,
                             user=ADMIN)
    check(code == 1 and "cannot listen" in err, "nc says so", err)
    link.send(b"here")
    same(link.read(4), b"here", "the link goes on")


# ------------------------------------------------------------------ how it ends

@needs("wifi")
def nobody_answers(bench):
    daemon = start(bench, "--connect-timeout", 300)
    with socket.create_server(("127.0.0.1", 0)) as s:
        closed = s.getsockname()[1]
    client = daemon.client("leaser")
    for host, port in (("127.0.0.1", closed), ("192.0.2.1", 80)):
        try:
            lease(client, port, host=host)
            raise AssertionError("connected to %s" % host)
        except Refused as err:
            check(err.status in ("REFUSED", "TIMED_OUT"), "the refusal",
                  err.status)
        bench.daemon.wait_network(timeout=30)
    all_is_restored(bench)


@needs("wifi")
def by_its_time_or_its_client(bench):
    daemon = start(bench)
    far = bench.server(harness.echo)
    client = daemon.client("leaser")
    link = lease(client, far.port, duration_ms=1500)
    link.send(b"in time")
    same(link.read(7), b"in time", "the echo")
    client.wait(lambda: link.closed, 20, "its end")
    same(link.closed["reason"], "lease-expired", "the reason")
    bench.daemon.wait_network(timeout=30)
    client = daemon.client("leaser2")
    lease(client, far.port)
    client.hang_up()
    wait_for(lambda: not bench.daemon.status().get("lease"), "its end", 30)
    all_is_restored(bench)


@needs("wifi")
def the_peer_closes(bench):
    """The module says nothing, and connects again by itself."""
    start(bench)
    peers = []

    def serve(connection):
        peers.append(connection)
        while connection.recv():
            connection.send(b"%d" % len(peers))
    far = bench.server(serve)
    client = bench.daemon.client("leaser")
    link = lease(client, far.port)
    link.send(b"x")
    same(link.read(1), b"1", "the first connection")
    far.connection(0).hang_up()
    far.connection(1)
    pause()
    link.send(b"x")
    same(link.read(1), b"2", "the second connection")
    far.closed = True
    far.listener.close()
    far.connection(1).hang_up()
    pause(0.5)
    closed = link.close()
    same(closed["reason"], "local", "the reason")
    all_is_restored(bench)


@needs("wifi")
def an_escape_that_is_lost(bench):
    start(bench, "--quirk", "escape-lost=1")
    far = bench.server(harness.echo)
    client = bench.daemon.client("leaser")
    link = lease(client, far.port)
    link.send(b"hello")
    same(link.read(5), b"hello", "the echo")
    link.close()
    all_is_restored(bench)


@needs("wifi")
def the_module_restarts(bench):
    start(bench)
    far = bench.server(harness.echo)
    client = bench.daemon.client("leaser")
    link = lease(client, far.port)
    link.send(b"hello")
    same(link.read(5), b"hello", "the echo")
    bench.sim.ctl("reboot")
    pause(0.5)
    link.close()
    all_is_restored(bench)


@needs("wifi")
def a_killed_daemon(bench):
    """The next one finds a module in data mode."""
    daemon = start(bench)
    far = bench.server(harness.echo)
    client = daemon.client("leaser")
    link = lease(client, far.port)
    link.send(b"hello")
    same(link.read(5), b"hello", "the echo")
    daemon.kill()
    bench.start_daemon(wait=None)
    bench.daemon.wait_network(timeout=60)
    all_is_restored(bench)
    got = bytes(far.connection(0).received)
    check(got.startswith(b"hello"), "what the peer got", got)


@needs("wifi")
def nc_with_a_lease(bench):
    start(bench)
    data = ALL * 100
    far = bench.server(harness.source(data))
    nc = bench.spawn("nc", "modemctl", "nc", "--lease", "127.0.0.1",
                     far.port, user=ADMIN)
    wait_for(lambda: len(open(nc.out_path, "rb").read()) == len(data),
             "all of it")
    nc.signal(signal.SIGINT)
    nc.wait()
    with open(nc.out_path, "rb") as out:
        same(sha256(out.read()), sha256(data), "what nc printed")
    all_is_restored(bench)


harness.run(every_byte_both_ways, pluses_of_the_client,
            with_and_without_a_prompt, datagrams,
            links_and_listeners_of_others, it_cannot_listen, nobody_answers,
            by_its_time_or_its_client, the_peer_closes,
            an_escape_that_is_lost, the_module_restarts, a_killed_daemon,
            nc_with_a_lease)
