#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""220: questions to the modem: ping, confirmed bytes, options, raw AT."""

import json
import re
import signal

import harness
from harness import User, check, same, wait_for

ADMIN = User("")


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


# ----------------------------------------------------------------------- ping

def ping_prints_as_ping_does(bench):
    bench.start("--baud", 0, "--ping-time", 41, "--host",
                "host.example.org=127.0.0.1")
    out = bench.modemctl("ping", "-c", 2, "-i", 1, "-s", 32, "-t", 64,
                         "host.example.org")
    same(out.splitlines(), [
        "32 bytes from 127.0.0.1: seq=1 ttl=64 time=41 ms",
        "32 bytes from 127.0.0.1: seq=2 ttl=64 time=41 ms",
        "",
        "--- host.example.org ping statistics ---",
        "2 packets transmitted, 2 received, 0% packet loss",
        "rtt min/avg/max = 41/41/41 ms"], "the output of ping")
    rows = lines_of(bench.modemctl("--json", "ping", "-c", 1, "127.0.0.1"))
    same(rows, [
        {"seq": 1, "timeout": False, "address": "127.0.0.1", "bytes": 64,
         "ttl": 255, "rtt_ms": 41},
        {"host": "127.0.0.1", "address": "127.0.0.1", "sent": 1,
         "received": 1, "lost": 0, "loss_percent": 0, "min_ms": 41,
         "avg_ms": 41, "max_ms": 41}], "ping --json")


def ping_counts_what_is_lost(bench):
    bench.start("--baud", 0, "--ping-wait", 50, "--quirk", "ping-lost=1",
                "--quirk", "ping-spelling", "--quirk", "cping-tight")
    out = bench.modemctl("ping", "-c", 4, "-i", 1, "127.0.0.1")
    check("no answer: seq=1\n" in out, "a lost packet", out)
    check("4 packets transmitted, 3 received, 25% packet loss" in out,
          "the summary", out)
    code, out, _ = bench.run("modemctl", "ping", "-c", 1, "192.0.2.1")
    same(code, 1, "the exit code without an answer")
    check("1 packets transmitted, 0 received, 100% packet loss" in out,
          "the summary without an answer", out)


def ping_says_what_is_wrong(bench):
    daemon = bench.start("--baud", 0)
    for args, words in (
            (("-c", 101, "h"), "count is not in 1-100"),
            (("-s", 3, "h"), "size is not in 4-188"),
            (("-i", 0.5, "h"), "interval_ms is not in 1000-10000"),
            (("-W", 9.9, "h"), "wait_ms is not in 10000-100000"),
            (("-t", 15, "h"), "ttl is not in 16-255"),
            (("a b",), "host has a character that no host name has"),
            (("no.such.name.example",), "the name has no address")):
        code, _, err = bench.run("modemctl", "ping", *args)
        same(code, 1, "the exit code of ping %s" % (args,))
        check(words in err, "ping %s" % (args,), err)
    bench.sim.ctl("network-loss")
    daemon.wait_network("lost")
    code, _, err = bench.run("modemctl", "ping", "127.0.0.1")
    same(code, 1, "the exit code without a network")
    check("the network is lost" in err, "ping without a network", err)


def control_c_stops_a_ping(bench):
    bench.start("--baud", 0)
    for plain in ("off", "on"):
        bench.sim.ctl("quirk", "cpingstop-plain", plain)
        ping = bench.spawn("ping-" + plain, "modemctl", "ping", "-c", 100,
                           "-i", 1, "127.0.0.1")
        wait_for(lambda: "seq=2" in ping.stdout(), "two echoes")
        ping.signal(signal.SIGINT)
        same(ping.wait(10), 0, "the exit code of an interrupted ping")
        found = re.search(r"(\d+) packets transmitted, (\d+) received",
                          ping.stdout())
        check(found and int(found[2]) >= 2, "the summary", ping.stdout())
    same(bench.sim.commands().count("AT+CPINGSTOP"), 2, "times stopped")
    bench.modemctl("ping", "-c", 1, "127.0.0.1")


def pings_take_turns_and_nothing_waits(bench):
    """One runs in the modem, the other waits, a link works meanwhile."""
    daemon = bench.start("--baud", 0)
    server = bench.server(harness.echo)
    one = bench.spawn("one", "modemctl", "ping", "-c", 3, "-i", 1,
                      "127.0.0.1")
    wait_for(lambda: "seq=1" in one.stdout(), "the first echo")
    two = bench.spawn("two", "modemctl", "ping", "-c", 1, "127.0.0.2")
    link = daemon.client().open("127.0.0.1", server.port)
    link.send(b"x" * 5000)
    link.read(5000)
    same(bench.modemctl("resolve", "localhost"), "127.0.0.1\n", "resolve")
    check(one.is_running() and two.stdout() == "", "both still run")
    same((one.wait(20), two.wait(20)), (0, 0), "the exit codes")
    same([c for c in bench.sim.commands() if "CPING" in c],
         ['AT+CPING="127.0.0.1",1,3,64,1000,10000,255',
          'AT+CPING="127.0.0.2",1,1,64,2000,10000,255'], "the commands")


def a_killed_client_leaves_no_ping(bench):
    daemon = bench.start("--baud", 0)
    ping = bench.spawn("ping", "modemctl", "ping", "-c", 100, "127.0.0.1")
    wait_for(lambda: "seq=1" in ping.stdout(), "the first echo")
    ping.kill()
    wait_for(lambda: "AT+CPINGSTOP" in bench.sim.commands(),
             "the ping is stopped")
    # A daemon that was killed leaves one: the next stops it.
    ping = bench.spawn("ping2", "modemctl", "ping", "-c", 100, "127.0.0.1")
    wait_for(lambda: "seq=1" in ping.stdout(), "the first echo")
    daemon.kill()
    same(ping.wait(10), 1, "the exit code when the daemon goes")
    bench.restart_daemon()
    out = bench.modemctl("ping", "-c", 1, "127.0.0.1")
    check("1 packets transmitted, 1 received" in out, "the next ping", out)


def a_ping_ends_with_the_network(bench):
    daemon = bench.start("--baud", 0)
    for what, words in (("network-loss", "no network"), ("reboot", "restart")):
        ping = bench.spawn("ping-" + what, "modemctl", "ping", "-c", 100,
                           "127.0.0.1")
        wait_for(lambda: "seq=1" in ping.stdout(), "the first echo")
        bench.sim.ctl(what)
        same(ping.wait(20), 1, "the exit code after " + what)
        check(words in ping.stderr(), "the reason", ping.stderr())
        if what == "network-loss":
            bench.sim.ctl("network-back")
        daemon.wait_network()
    bench.modemctl("ping", "-c", 1, "127.0.0.1")


harness.run(ping_prints_as_ping_does, ping_counts_what_is_lost,
            ping_says_what_is_wrong, control_c_stops_a_ping,
            pings_take_turns_and_nothing_waits,
            a_killed_client_leaves_no_ping, a_ping_ends_with_the_network)
