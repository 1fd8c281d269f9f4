#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""120: modemctl: tables for people in 80 columns, JSON for programs, exit
codes for scripts, and nc for bytes."""

import fcntl
import json
import os
import pty
import random
import re
import signal
import struct
import subprocess
import termios

import harness
from harness import CLIENT_A, DIALECT, User, check, needs, same, wait_for

ADMIN = User("")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


def on_a_terminal(bench, *args):
    """What modemctl prints on a terminal of 80 columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with subprocess.Popen([harness.STAGE.path("modemctl")] + list(args),
                          stdout=slave, stdin=slave, stderr=slave,
                          env=bench.environment()) as program:
        os.close(slave)
        out = b""
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:         # the other side is closed
                break
            out += data
    os.close(master)
    same(program.returncode, 0, "the exit code of %s" % (args,))
    return out.decode().replace("\r\n", "\n")


def fits(text, what):
    for line in re.sub(r"/tmp/modemd-[^/ ]*", "/var/lib", text).splitlines():
        check(len(line) <= 80, "%s: wider than 80 columns" % (what,), line)


def a_busy_daemon(bench):
    """With a finished session, an open link, and a loss."""
    daemon = bench.start("--baud", 0, "--free-ports", "--host",
                         "echo.example.org=127.0.0.1")
    server = bench.server(harness.echo)
    client = daemon.client("a-client-with-a-name-of-some-length")
    client.open("127.0.0.1", server.port).close()
    bench.sim.ctl("network-loss")
    daemon.wait_network("lost")
    bench.sim.ctl("network-back")
    daemon.wait_network()
    open_link = client.open("echo.example.org", server.port)
    open_link.send(b"x" * 5000)
    open_link.read(5000)
    client.listen(8080, allow=["192.0.2.0/24"], max_links=5)
    return server, open_link


def every_table_fits_and_every_json_parses(bench):
    a_busy_daemon(bench)
    bench.settled_history()
    verbs = {("status",): dict, ("why",): dict, ("links",): list,
             ("clients",): list, ("listeners",): list,
             ("history",): list, ("history", "sessions"): list,
             ("history", "events"): list, ("trace",): list,
             ("resolve", "echo.example.org"): list, ("config",): list}
    for verb, kind in verbs.items():
        table = on_a_terminal(bench, *verb)
        check(table.strip(), "%s prints nothing" % (verb,))
        if verb != ("trace",):      # what was said is not cut
            fits(table, verb)
        check("Nothing is recorded" not in table, "an empty table", verb)
        data = bench.json(*verb, user=ADMIN)
        check(isinstance(data, kind) and data, "the JSON of %s" % (verb,))
        rows = [data] if kind is dict else data
        for row in rows:
            check(all(re.fullmatch(r"[a-z][a-z0-9_]*", k) for k in row),
                  "keys of %s" % (verb,), sorted(row))


def keys_that_programs_rely_on(bench):
    server, link = a_busy_daemon(bench)
    status = bench.json("status")
    wanted = {"instance", "modem", "network", "address", "links_used",
              "links_total", "capabilities", "history", "line"}
    check(wanted <= set(status), "keys of status", wanted - set(status))
    same((status["instance"], status["network"], status["links_used"],
          status["links_total"]), ("modem", "open", 1, DIALECT.slots),
         "status")
    check(isinstance(status["history"]["committed"], int), "committed")
    check(TIME.match(status["started"]), "a time", status["started"])

    row = bench.json("links")[0]
    same((row["remote"], row["state"], row["sent"], row["received"]),
         ("echo.example.org:%d" % server.port, "open", 5000, 5000), "links")
    link.close()
    bench.settled_history()
    row = bench.json("history", "--limit", 1, user=ADMIN)[0]
    wanted = {"remote", "client", "opened", "closed", "sent", "received",
              "confirmed", "reason", "epoch"}
    check(wanted <= set(row), "keys of a session", wanted - set(row))
    for key in ("opened", "closed"):
        check(TIME.match(row[key]), "a time", row[key])
    same((row["sent"], row["received"], row["epoch"], row["reason"]),
         (5000, 5000, 1, "local"), "the session")


def exit_codes(bench):
    daemon = bench.start("--baud", 0)
    table = [
        (0, "status"), (0, "--version"), (0, "--help"), (0, "nc", "--help"),
        (1, "nc", "-w", 5, "127.0.0.1", 1),
        (1, "resolve", "no.such.name.example"),
        (2,), (2, "no-such-verb"), (2, "status", "too-much"),
        (2, "nc"), (2, "nc", "host", "99999"), (2, "nc", "-q", "x", "h", 1),
        (2, "nc", "--pki", 1, "h", 1), (2, "nc", "-u", "--tls", "h", 1),
        (2, "nc", "--tls", "--alpn", "a,,b", "h", 1),
        (2, "nc", "--tls", "--cn", "x" * 65, "h", 1),
        (2, "nc", "--tls", "--psk-file", bench.path("none"), "h", 1),
        (2, "nc", "--tls", "--psk-hint", "me", "h", 1),
        (2, "nc", "--linger", 61, "h", 1), (2, "nc", "-l", "--nodelay", 1),
        (2, "nc", "--udp-remote", "first", "h", 1),
        (2, "nc", "-u", "--udp-remote", "first", "h", 1),
        (2, "nc", "-u", "--udp-remote", "all", "h", 1),
        (2, "nc", "--lease", "-6", "h", 1),
        (1, "nc", "--tls", "127.0.0.1", 1), (1, "nc", "-6", "host", 1),
        (1, "nc", "::1", 1), (1, "nc", "--keepalive", 60, "127.0.0.1", 1),
        (2, "history", "--since", "nonsense"), (2, "--no-such-option"),
        (2, "history", "--limit", 0), (2, "resolve"),
        (3, "-s", bench.path("none.sock"), "status"),
        (3, "-n", "no-such-instance", "links"),
        (1, "history", "--db", bench.path("no-such-file")),
    ]
    for wanted, *args in table:
        code, out, err = bench.run("modemctl", *args)
        same(code, wanted, "the exit code of modemctl %s (%s)" % (args, err))
        check(wanted == 0 or err.strip(), "%s says nothing" % (args,))
    daemon.terminate()
    code, _, err = bench.run("modemctl", "status")
    same(code, 3, "the exit code without a daemon (%s)" % err)


def nc_moves_every_byte_both_ways(bench):
    bench.start("--baud", 0)
    data = bytes(range(256)) * 200 + random.Random(3).randbytes(60000)
    back = random.Random(4).randbytes(70000)

    def serve(connection):
        while len(connection.received) < len(data):
            if not connection.recv():
                return
        connection.send(back)
    server = bench.server(serve)
    code, out, err = bench.run("modemctl", "nc", "127.0.0.1", server.port,
                               stdin=data, text=False)
    same((code, err), (0, b""), "exit code and stderr")
    same(bytes(server.connection(0).received), data, "what arrived")
    same(out, back, "what came back")


def nc_q_closes_by_itself(bench):
    bench.start("--baud", 0)
    server = bench.server(harness.echo)
    code, out, err = bench.run("modemctl", "nc", "-q", 1, "127.0.0.1",
                               server.port, stdin=b"to and fro")
    same((code, out, err), (0, "to and fro", ""), "nc -q 1")


def nc_tells_a_loss(bench):
    """1, the reason, and the three counts."""
    bench.start("--baud", 0)
    server = bench.server(harness.echo)
    to_read, to_write = os.pipe()
    with os.fdopen(to_read, "rb") as stdin:
        nc = bench.spawn("nc", "modemctl", "nc", "127.0.0.1", server.port,
                         stdin=stdin)
    os.write(to_write, b"12345")
    wait_for(lambda: nc.stdout() == "12345", "the echo")
    bench.sim.ctl("network-loss")
    same(nc.wait(), 1, "the exit code")
    for word in ("network", "accepted 5", "taken 5", "confirmed",
                 "received 5"):
        check(word in nc.stderr(), "stderr says %r" % word, nc.stderr())
    os.close(to_write)


def resolve_asks_the_modem(bench):
    bench.start("--baud", 0, "--host", "a.example=127.0.0.9")
    same(bench.modemctl("resolve", "a.example"), "127.0.0.9\n", "the address")
    same(bench.json("resolve", "a.example"),
         [{"name": "a.example", "address": "127.0.0.9"}], "the JSON")


def help_needs_no_daemon(bench):
    for verb in ("status", "links", "listeners", "clients", "monitor", "history", "nc",
                 "resolve", "reverse", "trace"):
        code, out, err = bench.run("modemctl", "-s", "/no/socket", verb,
                                   "--help")
        same((code, err), (0, ""), "the end of %s --help" % verb)
        check(out.startswith("Usage: modemctl"), "what it prints", out)


@needs("reverse")
def reverse_asks_the_modem(bench):
    bench.start("--baud", 0, "--host", "a.example=127.0.0.9")
    same(bench.modemctl("reverse", "127.0.0.9"), "a.example\n", "the name")
    same(bench.json("reverse", "127.0.0.9"),
         [{"address": "127.0.0.9", "name": "a.example"}], "the JSON")
    code, _, err = bench.run("modemctl", "reverse", "127.0.0.8")
    same(code, 1, "the exit code for an address without a name")
    check("no address" in err or "no name" in err, "why", err)
    code, _, err = bench.run("modemctl", "reverse", "a.example")
    same(code, 1, "the exit code for a name")
    check("192.0.2.1" in err, "what to write", err)


def history_filters(bench):
    daemon = bench.start("--baud", 0)
    server, other = bench.server(harness.echo), bench.server(harness.echo)
    for name, port in (("one", server.port), ("two", server.port),
                       ("two", other.port)):
        client = daemon.client(name)
        client.open("127.0.0.1", port).close()
        client.hang_up()
    bench.settled_history()

    def count(*args):
        return len(bench.json("history", *args, user=ADMIN))
    same(count(), 3, "all sessions")
    same(count("--client", "two"), 2, "of one client")
    same(count("--remote", "127.0.0.1"), 3, "with one host")
    same(count("--remote", "127.0.0.1:%d" % other.port), 1, "one port of it")
    same(count("--reason", "local"), 3, "with one reason")
    same(count("--reason", "peer"), 0, "with another reason")
    same(count("--limit", 2), 2, "at most two")
    same(count("--since", "1h"), 3, "of the last hour")
    same(count("--until", "1h"), 0, "before that")
    ids = [r["id"] for r in bench.json("history", user=ADMIN)]
    same(ids, sorted(ids, reverse=True), "newest first")
    daemon.terminate()
    same(len(bench.json("history", "--db", daemon.database, user=ADMIN)), 3,
         "sessions in the file, without a daemon")
    code, _, _ = bench.run("modemctl", "history", user=ADMIN)
    same(code, 3, "the exit code without --db and daemon")


def many_pages_of_history(bench):
    daemon = bench.start("--baud", 0)
    server = bench.server(harness.sink)
    client = daemon.client("many")
    for _ in range(200):
        client.open("127.0.0.1", server.port).close()
    rows = bench.settled_history()
    same(len(rows), 200, "sessions over several pages")
    same(len({r["id"] for r in rows}), 200, "different ones")


def follow(bench, *args):
    """A modemctl that goes on until SIGINT."""
    return bench.spawn("follow", "modemctl", *args, user=ADMIN)


def monitor_and_trace_end_on_sigint(bench):
    daemon = bench.start("--baud", 0)
    server = bench.server(harness.echo)
    command = DIALECT.commands["open"]
    for args, wanted in ((("monitor",), "open"),
                         (("--json", "monitor"), '"event"'),
                         (("trace", "--follow"), command),
                         (("--json", "trace", "--follow"), command)):
        program = follow(bench, *args)
        wait_for(lambda: any(c["client"] == "modemctl"
                             for c in bench.json("clients", user=ADMIN)
                             if c["pid"] == program.pid), "it is connected")
        client = daemon.client("someone")

        def has_seen():
            client.open("127.0.0.1", server.port).close()
            return wanted in program.stdout()
        wait_for(has_seen, "%s shows %r" % (args, wanted))
        if args[0] == "--json":
            lines = program.stdout().splitlines()[:-1]
            check(all(isinstance(json.loads(l), dict) for l in lines),
                  "an object a line")
        program.signal(signal.SIGINT)
        same(program.wait(), 0, "the exit code of %s" % (args,))
        client.hang_up()


def trace_masks_the_payload(bench):
    daemon = bench.start("--baud", 0)
    link = daemon.client().open("127.0.0.1", bench.server(harness.echo).port)
    link.send(b"a secret of the client")
    link.read(22)
    check("a secret" not in bench.modemctl("trace"), "payload in the trace")
    check("a secret" in bench.modemctl("trace", "--payload", user=ADMIN),
          "no payload for an admin")
    if harness.DAEMON.is_real:
        code, _, err = bench.run("modemctl", "trace", "--payload",
                                 user=CLIENT_A)
        same(code, 1, "the exit code for others (%s)" % err)


def output_into_a_closed_pipe(bench):
    bench.start("--baud", 0)
    with subprocess.Popen([harness.STAGE.path("modemctl"), "trace"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=bench.environment()) as program:
        program.stdout.close()
        err = program.stderr.read()
    check(b"Sanitizer" not in err and program.returncode in (0, 1, -13),
          "a closed pipe", program.returncode, err)


harness.run(every_table_fits_and_every_json_parses,
            keys_that_programs_rely_on, exit_codes,
            nc_moves_every_byte_both_ways, nc_q_closes_by_itself,
            nc_tells_a_loss, resolve_asks_the_modem,
            reverse_asks_the_modem, help_needs_no_daemon,
            history_filters,
            many_pages_of_history, monitor_and_trace_end_on_sigint,
            trace_masks_the_payload, output_into_a_closed_pipe)
