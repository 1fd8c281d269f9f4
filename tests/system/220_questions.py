#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""220: questions to the modem: ping, confirmed bytes, options, raw AT."""

import json
import re
import signal

import harness
from harness import DIALECT, User, check, needs, same, wait_for

ADMIN = User("")


def relevant(bench):
    """The commands so far, but for the signal that `status` asks for."""
    return [c for c in bench.sim.commands()
            if c != DIALECT.commands["signal"]]


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


# ----------------------------------------------------------------------- ping

@needs("ping-many")
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


@needs("ping-many")
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


@needs("ping-many")
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


@needs("ping-many")
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
    # and once at first: who knows what was left running
    same(bench.sim.commands().count("AT+CPINGSTOP"), 3, "times stopped")
    bench.modemctl("ping", "-c", 1, "127.0.0.1")


@needs("ping-many")
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
    same([c for c in bench.sim.commands() if "CPING=" in c],
         ['AT+CPING="127.0.0.1",1,3,64,1000,10000,255',
          'AT+CPING="127.0.0.2",1,1,64,2000,10000,255'], "the commands")


@needs("ping-many")
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


@needs("ping-many")
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


# ------------------------------------------------------------ confirmed bytes

@needs("confirmed")
def confirmed_bytes_everywhere(bench):
    """On demand, before the close, in the history."""
    daemon = bench.start("--baud", 0)
    server = bench.server(harness.echo)
    client = daemon.client()
    link = client.open("127.0.0.1", server.port)
    link.send(b"x" * 5000)
    link.read(5000)
    wait_for(lambda: daemon.status() and bench.json("links")[0]["sent"] == 5000,
             "all is taken")
    reply = client.call("confirmed", link=link.id)["confirmed"]
    same((reply["sent"], reply["confirmed"], reply["received"],
          reply["delivered"], reply["lost"]), (5000, 5000, 5000, 5000, 0),
         "the answer")
    row = bench.json("links")[0]
    same(row["confirmed"], 5000, "links --json")
    check("CONFIRMED" in bench.modemctl("links"), "links as a table")
    link.close()
    row = bench.settled_history()[0]
    same((row["sent"], row["confirmed"], row["received"]), (5000, 5000, 5000),
         "the session")
    same(row["lost"], 0, "lost bytes")


@needs("confirmed")
def a_close_asks_for_what_was_not_asked_before(bench):
    daemon = bench.start("--baud", 0)
    server = bench.server(harness.sink)
    link = daemon.client().open("127.0.0.1", server.port)
    link.send(b"x" * 3000)
    link.close()
    same(bench.settled_history()[0]["confirmed"], 3000, "confirmed")
    check("AT+CIPACK=9" in bench.sim.commands(), "CIPACK was asked")
    same(bytes(server.connection(0).received), b"x" * 3000, "what arrived")


@needs("confirmed")
def bytes_lost_on_the_line_are_counted(bench):
    """An answer of the modem is cut: the link ends, and says what it cost."""
    daemon = bench.start("--baud", 0)
    server = bench.server(harness.source(b"x" * 4000))
    client = daemon.client()
    link = client.open("127.0.0.1", server.port, credit=0)
    wait_for(lambda: bench.json("links")[0]["readable"], "data is announced")
    same(daemon.status()["line"]["lost_bytes"], 0, "lost_bytes")
    bench.sim.ctl("drop", "to-host", 200, 50)
    client.call("credit", link=link.id, epoch=1, bytes=65536)
    client.wait(lambda: link.closed, 20, "the end of the link")
    closed = link.closed
    same((closed["reason"], closed["counts"]["lost"]), ("line-loss", 4000),
         "the end")
    row = bench.settled_history()[0]
    same((row["reason"], row["received"], row["lost"]),
         ("line-loss", 0, 4000), "the session")
    check("line-loss (3.9K bytes lost)" in
          bench.modemctl("history", user=ADMIN), "as a table")
    same(daemon.status()["line"]["lost_bytes"], 4000, "lost_bytes")
    same(bench.json("status")["line"]["lost_bytes"], 4000, "status --json")
    check("4000 bytes lost that" in bench.modemctl("status"), "status")


@needs("wait-ack")
def wait_for_ack_is_on_while_a_link_wants_it(bench):
    daemon = bench.start("--baud", 0)
    server = bench.server(harness.echo)
    client = daemon.client()
    plain = client.open("127.0.0.1", server.port)
    link = client.open("127.0.0.1", server.port, wait_ack=True)
    for one in (link, plain):
        one.send(b"x" * 5000)
        one.read(5000)
    link.close()
    wait_for(lambda: bench.sim.commands().count("AT+CIPSENDMODE?") == 2,
             "it is off again")
    commands = [c for c in bench.sim.commands() if "CIPSENDMODE" in c or
                "CIPOPEN=" in c]
    same([c.split(",")[0] for c in commands], [
        "AT+CIPSENDMODE=0", "AT+CIPOPEN=9", "AT+CIPSENDMODE=1",
        "AT+CIPSENDMODE?", "AT+CIPOPEN=8", "AT+CIPSENDMODE=0",
        "AT+CIPSENDMODE?"], "the commands")
    plain.send(b"y")
    plain.read(1)


@needs("wait-ack")
def firmware_without_any_of_it(bench):
    """CIPSENDMODE, CIPTIMEOUT, CIPCCFG: links work all the same."""
    daemon = bench.start("--baud", 0, "--quirk", "no-ciptimeout",
                         "--quirk", "no-cipccfg",
                         modem__options="retransmissions=3")
    server = bench.server(harness.echo)
    link = daemon.client().open("127.0.0.1", server.port, wait_ack=True)
    link.send(b"x" * 5000)
    link.read(5000)
    check("does not wait for ACKs" in daemon.stderr(), "the log",
          daemon.stderr()[-2000:])
    check("retransmissions was not set to 3" in daemon.stderr(), "the log",
          daemon.stderr()[-2000:])
    rows = {r["name"]: r for r in bench.json("config")}
    same((rows["retransmissions"]["value"],
          rows["retransmissions"]["wanted"]), (10, 3), "config")
    same((rows["open-timeout"]["value"], rows["open-timeout"]["wanted"]),
         (None, 3000), "open-timeout")


# -------------------------------------------------------------------- options

@needs("named-options")
def options_are_shown_and_set(bench):
    daemon = bench.start("--baud", 0, modem__options="dns-retries=2")
    rows = {r["name"]: r for r in bench.json("config")}
    same(rows["dns-retries"], {
        "name": "dns-retries", "value": 2, "unit": "", "min": 0, "max": 7,
        "default": 7, "command": "AT+CIPDNSSET", "set_by": "modem.options",
        "fixed": False}, "dns-retries")
    same((rows["open-timeout"]["value"], rows["open-timeout"]["set_by"]),
         (3000, "links.open-timeout"), "open-timeout")
    check(not any("wanted" in r for r in rows.values()), "wanted", rows)
    out = bench.modemctl("config", "retransmissions=4", "error-mode=0",
                         user=ADMIN)
    check(any(line.split() == ["retransmissions", "4", "0-10", "10",
                               "modemctl", "AT+CIPCCFG"]
              for line in out.splitlines()), "the table", out)
    # +IP ERROR is a number now, and understood.
    server = bench.server(lambda connection: connection.send(b"x" * 5000))
    code, out, _ = bench.run("modemctl", "nc", "127.0.0.1", server.port)
    same((code, len(out)), (0, 5000), "nc until the peer closes")
    check("+IP ERROR: 11" in bench.modemctl("trace"), "an error as number")
    # What was set survives a restart of the modem.
    bench.sim.ctl("reboot")
    wait_for(lambda: daemon.status()["modem"].get("restarts", 0) > 0,
             "the modem has restarted")
    daemon.wait_network()
    rows = {r["name"]: r for r in bench.json("config")}
    same((rows["retransmissions"]["value"], rows["error-mode"]["value"]),
         (4, 0), "after a restart")


@needs("named-options")
def options_that_cannot_be_set(bench):
    bench.start("--baud", 0)
    before = relevant(bench)
    for option, words in (
            ("retransmissions=11", "retransmissions: 11 is not in 0-10"),
            ("dns-network-timeout=2999", "is not in 3000-120000 ms"),
            ("header-type=1", "modemd needs it as it is"),
            ("send-timeout=5000", "is set by links.send-timeout"),
            ("no-such=1", "there is no such option"),
            ("dns-retries=-1", "is set to a whole number"),
            ("dns-retries", "write NAME=VALUE")):
        # the good one before it is not set either
        code, _, err = bench.run("modemctl", "config", "async-mode=1", option,
                                 user=ADMIN)
        same(code, 1, "the exit code of config " + option)
        check(words in err, "config " + option, err)
    same(relevant(bench), before, "what reached the modem")
    if harness.DAEMON.is_real:
        code, _, err = bench.run("modemctl", "config", "async-mode=1")
        check(code == 1 and "set by admins" in err, "not an admin", err)


@needs("named-options")
def mistakes_in_the_file(bench):
    path = bench.path("bad.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write('modem {\n options = {"dns-retries=9",\n'
                '  "retransmissions=1",\n  "header-type=0", "nope=1",\n'
                '  "x",\n  "retransmissions=2"}\n}\n')
    code, _, err = bench.run("modemd", "--check", "-c", path)
    same(code, 2, "the exit code")
    for line, words in ((2, "dns-retries: 9 is not in 0-7"),
                        (4, "header-type: modemd needs it as it is"),
                        (4, "nope: there is no such option"),
                        (5, "write NAME=NUMBER"),
                        (6, "retransmissions: is set twice")):
        check(any("bad.conf:%d: modem.options" % line in found and
                  words in found for found in err.splitlines()),
              "line %d: %s" % (line, words), err)
    same(len(err.splitlines()), 5, "mistakes")
    code, _, err = bench.run("modemd", "--check", "-c", "/dev/null", "-o",
                             "modem.options=dns-retries=1,error-mode=5")
    check("error-mode: 5 is not in 0-1" in err, "-o", err)


# --------------------------------------------------------------------- raw AT

def raw_commands(bench):
    bench.start("--baud", 0)
    question, answer = DIALECT.raw_question
    same(bench.modemctl("at", question, user=ADMIN), answer + "\n",
         "at " + question)
    same(bench.json("at", question, user=ADMIN),
         {"lines": [answer], "final": "OK"}, "at --json")
    code, out, err = bench.run("modemctl", "at", "AT+NOPE", user=ADMIN)
    same((code, out, err), (1, "", DIALECT.unknown_command + "\n"),
         "at AT+NOPE")
    before = relevant(bench)
    for command, words in DIALECT.forbidden + (
            ("ATE1", "echo"), ("hello", "does not begin with AT"),
            ("AT\x1b", "not printable")):
        code, _, err = bench.run("modemctl", "at", command, user=ADMIN)
        same(code, 1, "the exit code of at " + command)
        check(words in err, "at " + command, err)
    same(relevant(bench), before, "what reached the modem")
    if harness.DAEMON.is_real:
        code, _, err = bench.run("modemctl", "at", "AT")
        check(code == 1 and "for admins" in err, "not an admin", err)


def forced_commands(bench):
    """What they upset is found, and put right."""
    bench.violations_expected = True    # the test itself misbehaves
    daemon = bench.start("--baud", 0)
    server = bench.server(harness.echo)
    client = daemon.client()
    link = client.open("127.0.0.1", server.port)
    # a socket that nobody owns is closed again
    bench.modemctl("at", "--force", DIALECT.forced["open"] % server.port,
                   user=ADMIN)
    wait_for(lambda: len(bench.sim.used_slots()) == 1, "one socket is left")
    # the modem waits for payload: that is ended
    code, _, _ = bench.run("modemctl", "at", "--force", "-w", 1,
                           DIALECT.forced["send"], user=ADMIN)
    check(code != 2, "it was understood")
    question, answer = DIALECT.raw_question
    same(bench.modemctl("at", question, user=ADMIN), answer + "\n",
         "the next command")
    # the network is closed behind its back: it is found out
    bench.modemctl("at", "--force", DIALECT.forced["close"],
                   user=ADMIN)
    other = wait_for(lambda: bench.run("modemctl", "nc", "-q", 0,
                                       "127.0.0.1", server.port)[0] == 0,
                     "links are opened again")
    check(other and link, "both")


def raw_in_turn_with_everything(bench):
    """A raw command that takes long delays nobody's data but the line's."""
    command, slow = DIALECT.raw_slow
    bench.start("--baud", 0, "--latency-for", slow)
    server = bench.server(harness.echo)
    client = bench.daemon.client()
    link = client.open("127.0.0.1", server.port)
    at = [bench.spawn("at%d" % i, "modemctl", "at", command, user=ADMIN)
          for i in range(4)]
    for _ in range(20):
        link.send(b"x" * 1000)
        link.read(1000)
    same([a.wait(20) for a in at], [0] * 4, "the exit codes")
    for a in at:
        check(a.stdout().startswith("+"), "an answer", a.stdout())


harness.run(ping_prints_as_ping_does, ping_counts_what_is_lost,
            ping_says_what_is_wrong, control_c_stops_a_ping,
            pings_take_turns_and_nothing_waits,
            a_killed_client_leaves_no_ping, a_ping_ends_with_the_network,
            confirmed_bytes_everywhere,
            a_close_asks_for_what_was_not_asked_before,
            bytes_lost_on_the_line_are_counted,
            wait_for_ack_is_on_while_a_link_wants_it,
            firmware_without_any_of_it, options_are_shown_and_set,
            options_that_cannot_be_set, mistakes_in_the_file, raw_commands,
            forced_commands, raw_in_turn_with_everything)
