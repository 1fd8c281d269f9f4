#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""250: what modemctl --json prints is what modemctl/schema says, key for key:
the schemas are what programs rely on, so a key that none of them names, and a
verb without a schema, fail too."""

import copy
import json
import os
import signal
import subprocess

import jsonschema

import harness
from harness import DIALECT, User, check, needs, same, wait_for

ADMIN = User("")
SCHEMAS = os.path.join(os.path.dirname(__file__), "../../modemctl/schema")
NAME = "echo.example.org"
#: verbs that print bytes, not JSON
WITHOUT = {"nc"}
#: of modems that this test does not have: 360_time.py
ELSEWHERE = {"time"}
used = set()


def strict(schema):
    """The same, and no other keys."""
    schema = copy.deepcopy(schema)
    todo = [schema]
    while todo:
        node = todo.pop()
        if "properties" in node:
            node["additionalProperties"] = False
            todo.extend(node["properties"].values())
        if "items" in node:
            todo.append(node["items"])
        todo.extend(node.get("oneOf", []))
    return schema


def validator(name):
    with open(os.path.join(SCHEMAS, name + ".json"), encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    used.add(name)
    return jsonschema.Draft202012Validator(strict(schema))


def fits(name, data):
    for error in validator(name).iter_errors(data):
        raise AssertionError("%s: %s: %s" % (
            name, "/".join(map(str, error.absolute_path)), error.message))


def busy(bench):
    """A finished session, an open link, a listener, a loss."""
    daemon = bench.start("--baud", 0, "--host", NAME + "=127.0.0.1")
    server = bench.server(harness.echo)
    client = daemon.client("worker")
    client.open("127.0.0.1", server.port).close()
    bench.sim.ctl("network-loss")
    daemon.wait_network("lost")
    bench.sim.ctl("network-back")
    daemon.wait_network()
    link = client.open(NAME, server.port)
    link.send(b"x" * 5000)
    link.read(5000)
    client.listen(8080, allow=["192.0.2.0/24"])
    bench.settled_history()
    return daemon, client, server


#: schema: the verb and its arguments
LISTS = {
    "status": ["status"],
    "why": ["why"],
    "links": ["links"],
    "listeners": ["listeners"],
    "clients": ["clients"],
    "history-sessions": ["history", "sessions"],
    "history-events": ["history", "events"],
    "resolve": ["resolve", NAME],
    "trace": ["trace"],
    "at": ["at", DIALECT.raw_question[0]],
    "config": ["config"],
}


def every_answer(bench):
    busy(bench)
    for name, args in LISTS.items():
        data = bench.json(*args, user=ADMIN)
        check(data, "%s printed nothing" % name)
        fits(name, data)


@needs("reverse")
def an_address_has_a_name(bench):
    busy(bench)
    fits("reverse", bench.json("reverse", "127.0.0.1", user=ADMIN))


def answers_without_a_modem(bench):
    """Nothing is known: null and "", never a missing key."""
    bench.start_sim("--baud", 0).ctl("hang")
    bench.start_daemon(wait=None)
    for name in ("status", "why", "links", "listeners", "clients"):
        fits(name, bench.json(*LISTS[name], user=ADMIN))
    bench.sim.ctl("unhang")


def lines_of(bench, args, seen, act):
    """What a verb that goes on printed until @seen said enough."""
    program = bench.spawn("follow", "modemctl", "--json", *args, user=ADMIN)
    wait_for(lambda: any(c["pid"] == program.pid
                         for c in bench.json("clients", user=ADMIN)),
             "it is connected")

    def enough():
        act()
        return seen(program.stdout())
    wait_for(enough, "%s printed enough" % (args,))
    program.signal(signal.SIGINT)
    same(program.wait(), 0, "the exit code of %s" % (args,))
    return [json.loads(line) for line in program.stdout().splitlines()]


def every_line(bench):
    daemon, client, server = busy(bench)

    def work():
        client.open("127.0.0.1", server.port).close()
        bench.sim.ctl("network-loss")
        daemon.wait_network("lost")
        bench.sim.ctl("network-back")
        daemon.wait_network()
    for line in lines_of(bench, ["trace", "--follow"],
                         lambda out: DIALECT.bring_up in out, work):
        fits("trace-follow", line)
    events = set()
    for line in lines_of(bench, ["monitor"],
                         lambda out: '"network"' in out and '"link"' in out,
                         work):
        fits("monitor", line)
        events.add(line["event"])
    check({"network", "link"} <= events, "events", events)


@needs("ping-many")
def every_echo(bench):
    """An object a line, one for an echo that did not come, a summary."""
    bench.start("--baud", 0)
    code, out, _ = bench.run("modemctl", "--json", "ping", "-c", 2, "-i", 1,
                             "127.0.0.1")
    same(code, 0, "the exit code of a ping")
    lines = [json.loads(line) for line in out.splitlines()]
    same(len(lines), 3, "lines of a ping")
    for line in lines:
        fits("ping", line)


def every_decision(bench):
    bench.start("--baud", 0)
    for name, *words in (("network", "down"), ("network", "up"), ("reset",)):
        fits(name, bench.json(name, *words, user=ADMIN))


@needs("lease")
def every_lease(bench):
    bench.start("--baud", 0)
    server = bench.server(harness.sink)
    bench.spawn("lease", "modemctl", "nc", "--lease", "127.0.0.1",
                server.port, user=ADMIN, stdin=subprocess.PIPE)

    def state():
        status = bench.json("status", user=ADMIN)
        fits("status", status)
        return (status["lease"] or {}).get("state")
    wait_for(lambda: state() == "connected", "the lease")
    fits("unlease", bench.json("unlease", user=ADMIN))
    wait_for(lambda: state() is None, "its end", 60)


@needs("reverse", "lease", "ping-many")
def every_verb_has_a_schema(bench):
    _, out, _ = bench.run("modemctl", "--help")
    verbs = {line.split()[0] for line in out.splitlines()
             if line.startswith("  ") and not line.startswith("  -")
             and not line.startswith("   ")}
    there = {name[:-5] for name in os.listdir(SCHEMAS)}
    for verb in verbs - WITHOUT:
        check(any(name == verb or name.startswith(verb + "-")
                  for name in there), "no schema for %s" % verb)
    same(there - used - ELSEWHERE, set(), "schemas that nothing was checked by")


harness.run(every_answer, an_address_has_a_name, answers_without_a_modem,
            every_line, every_echo, every_decision, every_lease,
            every_verb_has_a_schema)
