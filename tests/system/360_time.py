#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""360: the modem's clock: read by all, set by admins, in every zone, and kept
over restarts; where a modem has none, that is said at once."""

import calendar
import json
import os
import time

import jsonschema

import harness
from harness import CLIENT_A, check, needs, same, wait_for
from protocol import Refused

ADMIN = harness.User("")
SCHEMA = os.path.join(os.path.dirname(__file__),
                      "../../modemctl/schema/time.json")


def start(bench, *options, **changes):
    return bench.start("--baud", 0, *options, **changes)


def clock(bench, *args):
    data = json.loads(bench.modemctl("--json", "time", *args, user=ADMIN))
    with open(SCHEMA, encoding="utf-8") as f:
        schema = dict(json.load(f), additionalProperties=False)
    jsonschema.Draft202012Validator(schema).validate(data)
    return data


def seconds(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


def is_now(text):
    return text and abs(seconds(text) - time.time()) < 5


def configs(bench):
    return [c for c in bench.sim.commands() if "CIPSNTPCFG=" in c]


@needs("wifi")
def it_is_known_in_every_zone(bench):
    daemon = start(bench)
    check("time" in bench.json("status")["capabilities"], "the capability")
    wait_for(lambda: is_now(clock(bench)["time"]), "the time")
    for zone, minutes, said in (
            ("+8", 480, "8"), ("-5", -300, "-5"), ("+12:45", 765, "1245"),
            ("530", 330, "530"), ("-0330", -210, "-330"), ("14", 840, "14"),
            ("-12", -720, "-12"), ("+5:45", 345, "545"), ("0", 0, "0")):
        data = clock(bench, "--zone", zone)
        same(data["zone_min"], minutes, "the zone %s" % zone)
        check(is_now(data["time"]), "UTC in the zone %s" % zone, data)
        check(configs(bench)[-1].startswith("AT+CIPSNTPCFG=1,%s," % said),
              "the command for %s" % zone, configs(bench)[-1])
    out = bench.modemctl("time", "--zone", "-3:30", user=ADMIN)
    for words in ("UTC", "sntp      on", "zone      UTC-3:30",
                  "interval  3600 s"):
        check(words in out, "time prints %r" % words, out)
    check(daemon.is_running(), "the daemon")


@needs("wifi")
def what_is_set_stays_set(bench):
    """The rest of it, too; and over a restart of the modem."""
    daemon = start(bench, modem__sntp_servers=["one.example"],
                   modem__time_zone="+05:30")
    data = clock(bench)
    same((data["sntp"], data["servers"], data["zone_min"],
          data["interval_s"]), (True, ["one.example"], 330, 3600),
         "as the file says")
    data = clock(bench, "--server", "a.example", "--server", "b.example",
                 "--interval", 60)
    same((data["servers"], data["zone_min"], data["interval_s"]),
         (["a.example", "b.example"], 330, 60), "after setting")
    same(configs(bench)[-1], 'AT+CIPSNTPCFG=1,530,"a.example","b.example"',
         "the command")
    bench.modemctl("reset", user=ADMIN)
    daemon.wait_network(timeout=60)
    data = clock(bench)
    same((data["servers"], data["zone_min"], data["interval_s"]),
         (["a.example", "b.example"], 330, 60), "after a restart")
    data = clock(bench, "--sntp", "off")
    same((data["sntp"], data["servers"]), (False, ["a.example", "b.example"]),
         "switched off")


@needs("wifi")
def nobody_has_told_it(bench):
    start(bench, "--quirk", "sntp-silent")
    data = clock(bench)
    same(data["time"], None, "the time")
    check("1970" in data["modem_text"], "what the modem says", data)
    check("not known yet" in bench.modemctl("time"), "time for people")


@needs("wifi")
def it_is_off_in_the_file(bench):
    start(bench, modem__sntp=False)
    same(configs(bench), [], "commands")
    same(clock(bench)["sntp"], False, "SNTP")


@needs("wifi")
def news_of_the_time(bench):
    """A line that some firmware says by itself means nothing to us."""
    start(bench, "--quirk", "time-updated")
    wait_for(lambda: is_now(clock(bench)["time"]), "the time")


@needs("wifi")
def mistakes(bench):
    daemon = start(bench)
    for args in (["--zone", "15"], ["--zone", "-13"], ["--zone", "x"],
                 ["--zone", "8:5"], ["--zone", "+12:60"], ["--zone", ""],
                 ["--zone", "12345"], ["--interval", 14],
                 ["--interval", 4294968], ["--sntp", "yes"],
                 ["--server", "a", "--server", "b", "--server", "c",
                  "--server", "d"], ["now"]):
        code, _, err = bench.run("modemctl", "time", *args, user=ADMIN)
        same(code, 2, "the exit code of time %s" % args)
        check(err, "says why")
    code, _, err = bench.run("modemctl", "time", "--server", "a b",
                             user=ADMIN)
    check(code == 1 and "server, number 1" in err, "a bad name", err)
    # a zone that this modem would take for ten hours
    code, _, err = bench.run("modemctl", "time", "--zone", "+0:10",
                             user=ADMIN)
    same(code, 1, "the exit code of a zone that cannot be said")
    same(clock(bench)["zone_min"], 0, "the zone")
    client = daemon.client()
    for fields, words in (({"zone_min": 841}, "zone_min"),
                          ({"interval_s": 1}, "interval_s"),
                          ({"server": ["a", "b", "c", "d"]}, "at most 3")):
        try:
            client.call("time", **fields)
            raise AssertionError("it took %s" % fields)
        except Refused as err:
            same(err.status, "INVALID", "the status")
            check(words in err.answer["message"], "the words",
                  err.answer["message"])


@needs("wifi")
def only_admins_set_it(bench):
    harness.need_users()
    start(bench)
    bench.modemctl("time", user=CLIENT_A)
    sent = len(configs(bench))
    code, _, err = bench.run("modemctl", "time", "--zone", 1, user=CLIENT_A)
    check(code == 1 and "admins" in err, "others", code, err)
    same(len(configs(bench)), sent, "commands")


@needs("sim")
def modems_without_one(bench):
    start(bench)
    check("time" not in bench.json("status")["capabilities"],
          "the capability")
    for args in ([], ["--zone", "1"]):
        code, _, err = bench.run("modemctl", "time", *args, user=ADMIN)
        same(code, 1, "the exit code")
        check("capability time" in err, "says why", err)


harness.run(it_is_known_in_every_zone, what_is_set_stays_set,
            nobody_has_told_it, it_is_off_in_the_file, news_of_the_time,
            mistakes, only_admins_set_it, modems_without_one)
