#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""355: questions to a module that does one command at a time: names of both
families, ping, settings, raw commands; the links go on between them."""

import json
import re
import signal

import harness
from harness import check, needs, same, wait_for

ADMIN = harness.User("")
HOSTS = ("--host", "four.example.org=127.0.0.1",
         "--host", "six.example.org=::1")


def start(bench, *options, **changes):
    return bench.start("--baud", 0, *HOSTS, *options, **changes)


def asked(bench, word):
    return [c for c in bench.sim.commands() if word in c]


# ----------------------------------------------------------------------- names

def names(bench):
    for args, answer in ((["four.example.org"], "127.0.0.1"),
                         (["-4", "four.example.org"], "127.0.0.1"),
                         (["-6", "six.example.org"], "::1"),
                         (["six.example.org"], "::1")):
        same(bench.modemctl("resolve", *args), answer + "\n",
             "resolve %s" % args)
    for args in (["-4", "six.example.org"], ["-6", "four.example.org"],
                 ["no.such.example"]):
        code, _, err = bench.run("modemctl", "resolve", *args)
        same(code, 1, "the exit code of resolve %s" % args)
        check("the name has no address" in err, "resolve %s" % args, err)


@needs("wifi")
def names_of_both_families(bench):
    start(bench)
    names(bench)
    same(asked(bench, "CIPDOMAIN"),
         ['AT+CIPDOMAIN="four.example.org"',
          'AT+CIPDOMAIN="four.example.org",2',
          'AT+CIPDOMAIN="six.example.org",3',
          'AT+CIPDOMAIN="six.example.org"',
          'AT+CIPDOMAIN="six.example.org",2',
          'AT+CIPDOMAIN="four.example.org",3',
          'AT+CIPDOMAIN="no.such.example"'], "the commands")
    bench.modemctl("resolve", "-6", "six.example.org")
    same(len(asked(bench, "CIPDOMAIN")), 7, "a known answer needs none")


@needs("wifi")
def names_without_quotes(bench):
    start(bench, "--quirk", "cipdomain-unquoted")
    names(bench)


@needs("wifi")
def dns_that_hangs(bench):
    """The module is busy for ever, until it is restarted: its line is tried
    meanwhile, and that is all that is counted."""
    bench.violations_expected = True
    daemon = start(bench, "--quirk", "dns-hangs=1")
    far = bench.server(harness.echo)
    link = daemon.client().open("127.0.0.1", far.port)
    code, _, err = bench.run("modemctl", "resolve", "four.example.org")
    same(code, 1, "the exit code")
    check(err, "says so")
    daemon.wait_network(timeout=60)
    check(link, "a link")


# ------------------------------------------------------------------------ ping

@needs("wifi")
def ping_prints_what_it_knows(bench):
    start(bench, "--ping-time", 41)
    out = bench.modemctl("ping", "-c", 2, "-i", 1, "four.example.org")
    same(out.splitlines(), [
        "answer from four.example.org: seq=1 time=41 ms",
        "answer from four.example.org: seq=2 time=41 ms", "",
        "--- four.example.org ping statistics ---",
        "2 packets transmitted, 2 received, 0% packet loss",
        "rtt min/avg/max = 41/41/41 ms"], "the output of ping")
    rows = [json.loads(line) for line in bench.modemctl(
        "--json", "ping", "-c", 1, "-6", "six.example.org").splitlines()]
    same(rows, [
        {"seq": 1, "timeout": False, "address": "::1", "rtt_ms": 41},
        {"host": "six.example.org", "address": "::1", "sent": 1,
         "received": 1, "lost": 0, "loss_percent": 0, "min_ms": 41,
         "avg_ms": 41, "max_ms": 41}], "ping --json")
    same(asked(bench, "PING"), ['AT+PING="four.example.org"'] * 2 +
         ['AT+PING="::1"'], "the commands")


@needs("wifi")
def ping_counts_what_is_lost(bench):
    start(bench, "--ping-wait", 50, "--quirk", "ping-lost=1", "--quirk",
          "ping-bare")
    out = bench.modemctl("ping", "-c", 3, "-i", 1, "127.0.0.1")
    check("no answer: seq=1\n" in out, "a lost packet", out)
    check("3 packets transmitted, 2 received, 33% packet loss" in out,
          "the summary", out)
    code, out, _ = bench.run("modemctl", "ping", "-c", 1, "192.0.2.1")
    same(code, 1, "the exit code without an answer")
    check("1 packets transmitted, 0 received, 100% packet loss" in out,
          "the summary without an answer", out)


@needs("wifi")
def control_c_stops_a_ping(bench):
    start(bench)
    ping = bench.spawn("ping", "modemctl", "ping", "-c", 100, "-i", 1,
                       "127.0.0.1")
    wait_for(lambda: "seq=2" in ping.stdout(), "two answers")
    ping.signal(signal.SIGINT)
    same(ping.wait(10), 0, "the exit code of an interrupted ping")
    found = re.search(r"(\d+) packets transmitted, (\d+) received",
                      ping.stdout())
    check(found and int(found[2]) >= 2, "the summary", ping.stdout())
    same(len(asked(bench, "PING")), int(found[1]), "packets")
    bench.modemctl("ping", "-c", 1, "127.0.0.1")


@needs("wifi")
def pings_take_turns_and_links_go_on(bench):
    """One at a time; between two packets the line is everybody's, and who
    sends all the time does not keep the ping from it."""
    daemon = start(bench)
    far = bench.server(harness.echo)
    link = daemon.client().open("127.0.0.1", far.port)
    one = bench.spawn("one", "modemctl", "ping", "-c", 3, "-i", 1,
                      "127.0.0.1")
    wait_for(lambda: "seq=1" in one.stdout(), "the first answer")
    two = bench.spawn("two", "modemctl", "ping", "-c", 1, "127.0.0.2")
    moved = 0
    while one.is_running():
        link.send(b"x" * 20000)
        link.read(20000)
        moved += 20000
    check(moved > 100000, "the link was held up", moved)
    same((one.wait(20), two.wait(20)), (0, 0), "the exit codes")
    check("3 packets transmitted, 3 received" in one.stdout(), "the first",
          one.stdout())
    pings = asked(bench, "PING")
    same(pings, ['AT+PING="127.0.0.1"'] * 3 + ['AT+PING="127.0.0.2"'],
         "the commands")


@needs("wifi")
def a_ping_ends_with_its_client_or_the_network(bench):
    daemon = start(bench)
    ping = bench.spawn("ping", "modemctl", "ping", "-c", 100, "-i", 1,
                       "127.0.0.1")
    wait_for(lambda: "seq=1" in ping.stdout(), "the first answer")
    ping.kill()
    wait_for(lambda: len(bench.json("clients")) == 1, "it has gone")
    bench.modemctl("ping", "-c", 1, "127.0.0.1")
    count = len(asked(bench, "PING"))
    ping = bench.spawn("ping2", "modemctl", "ping", "-c", 100, "-i", 1,
                       "127.0.0.1")
    wait_for(lambda: "seq=1" in ping.stdout(), "the first answer")
    check(len(asked(bench, "PING")) == count + 1, "no ping is left over",
          asked(bench, "PING"))
    bench.sim.ctl("network-loss")
    same(ping.wait(20), 1, "the exit code of a loss")
    bench.sim.ctl("network-back")
    daemon.wait_network(timeout=60)
    bench.modemctl("ping", "-c", 1, "127.0.0.1")


# -------------------------------------------------------------------- settings

def settings(bench):
    return {r["name"]: r for r in bench.json("config", user=ADMIN)}


@needs("wifi")
def settings_are_shown_and_set(bench):
    daemon = start(bench, modem__options=["reconnect-interval=5"])
    rows = settings(bench)
    same({n: (r["value"], r["set_by"], r["fixed"]) for n, r in rows.items()},
         {"links-mode": (1, "modemd", True),
          "receive-mode": (1, "modemd", True),
          "datagram-source": (0, "modemd", True),
          "server-links": (5, "links.max-inbound", False),
          "inbound-idle": (180, "links.inbound-idle-timeout", False),
          "reconnect-interval": (5, "modem.options", False),
          "sntp-interval": (3600, "modem", False),
          "ipv6": (1, "modemd", False)}, "config")
    bench.modemctl("config", "sntp-interval=60", "ipv6=0", user=ADMIN)
    same(asked(bench, "INTV=60") + asked(bench, "CIPV6=0"),
         ["AT+CIPSNTPINTV=60", "AT+CIPV6=0"], "the commands")
    rows = settings(bench)
    same((rows["sntp-interval"]["value"], rows["ipv6"]["value"],
          rows["ipv6"]["set_by"]), (60, 0, "modemctl"), "after setting")
    for words, why in (("links-mode=0", "modemd needs it as it is"),
                       ("inbound-idle=9", "links.inbound-idle-timeout"),
                       ("sntp-interval=14", "is not in 15-4294967"),
                       ("dns-retries=2", "")):
        code, _, err = bench.run("modemctl", "config", words, user=ADMIN)
        check(code == 1 and why in err, "config %s" % words, code, err)
    # a restart does not undo it
    bench.modemctl("reset", user=ADMIN)
    daemon.wait_network(timeout=60)
    rows = settings(bench)
    same((rows["sntp-interval"]["value"], rows["ipv6"]["value"],
          rows["reconnect-interval"]["value"]), (60, 0, 5), "after a restart")


@needs("wifi")
def servers_of_names(bench):
    start(bench, modem__dns_servers=["9.9.9.9", "2620:fe::fe"])
    check('AT+CIPDNS=1,"9.9.9.9","2620:fe::fe"' in bench.sim.commands(),
          "the servers", bench.sim.commands())


# ------------------------------------------------------------------------- raw

@needs("wifi")
def raw_commands(bench):
    start(bench)
    for command in ("AT+CIPMUX?", "AT+CIPSTO?", "AT+CIPSTATE?", "AT"):
        bench.modemctl("at", command, user=ADMIN)
    sent = len(bench.sim.commands())
    for command, why in (
            ('AT+CIPSTART=0,"TCP","127.0.0.1",9', "owns the modem's sockets"),
            ("at+cipclose=0", "owns the modem's sockets"),
            ("AT+CIPMUX=0", "tell payload from answers"),
            ("AT+CIPMODE=1", "tell payload from answers"),
            ("AT+CIPRECVMODE=0", "tell payload from answers"),
            ("AT+CIPSERVER=1,80", "modemctl nc -l"),
            ("AT+RST", "modemctl reset"), ("AT+RESTORE", "modemctl reset"),
            ("AT+UART_CUR=9600,8,1,0,0", "modem.target-baud"),
            ('AT+CWJAP="a","b"', "modem.wifi-ssid"),
            ("AT+CWQAP", "modemctl network"),
            ("AT+SYSSTORE=1", "flash"), ("AT+CIPSNTPCFG=1,0",
                                         "modemctl time"),
            ("ATE1", "when the modem restarts")):
        code, _, err = bench.run("modemctl", "at", command, user=ADMIN)
        check(code == 1 and why in err, "at %s" % command, code, err)
    # by force neither: they would wait for payload, or ruin the firmware
    for command in ("AT+CIPSEND=0,5", "AT+CIPSEND", "AT+CIPSENDEX=0,5",
                    "AT+CIPSENDL=0,5", "AT+CIPSENDLCFG=1", "AT+CIPFWVER",
                    "AT+CIUPDATE"):
        code, _, _ = bench.run("modemctl", "at", "--force", command,
                               user=ADMIN)
        same(code, 1, "at --force %s" % command)
    same(len(bench.sim.commands()), sent, "commands that were sent")
    bench.modemctl("at", "--force", "AT+CIPSTO=77", user=ADMIN)
    same(bench.modemctl("at", "AT+CIPSTO?", user=ADMIN), "+CIPSTO:77\n",
         "what was forced")


@needs("wifi")
def the_signal(bench):
    start(bench)
    wait_for(lambda: bench.json("status")["modem"].get("signal_dbm") == -50,
             "the signal")


@needs("many-listeners")
def modems_that_cannot(bench):
    start(bench)
    for verb in ("resolve", "ping"):
        code, _, err = bench.run("modemctl", verb, "-6", "four.example.org")
        same(code, 1, "the exit code of %s -6" % verb)
        check("cannot do that" in err, "%s -6 says so" % verb, err)
        bench.modemctl(verb, "-4", "four.example.org")


harness.run(names_of_both_families, names_without_quotes, dns_that_hangs,
            ping_prints_what_it_knows, ping_counts_what_is_lost,
            control_c_stops_a_ping, pings_take_turns_and_links_go_on,
            a_ping_ends_with_its_client_or_the_network,
            settings_are_shown_and_set, servers_of_names, raw_commands,
            the_signal, modems_that_cannot)
