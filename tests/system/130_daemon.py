#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""130: starting, stopping and configuring the daemon.

Catalogue F2, F5, F7, D15, S11.
"""

import os
import signal
import stat
import subprocess
import time

import harness
from harness import DIALECT, check, same, wait_for
from protocol import Closed


def modemd(bench, *args, user=harness.DAEMON):
    return bench.run("modemd", *args, user=user)


def config_file(bench, text):
    path = bench.path("test.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, 0o644)
    return path


def mistakes_are_named_with_file_and_line(bench):
    table = [
        ("modem {\n\tdevise = \"/dev/x\"\n}\n", 2, "devise"),
        ("modem {\n\n\tbaud = 12\n}\n", 3, "baud"),
        ("links {\n\topen-timeout = \"1s\"\n}\n", 2, "open-timeout"),
        ("links {\n\topen-timeout = \"3 parsecs\"\n}\n", 2, "open-timeout"),
        ("recovery {\n\tbackoff = \"9s..1s\"\n}\n", 2, "backoff"),
        ("ipc {\n\tsocket-mode = 0999\n}\n", 2, "socket-mode"),
        ("ipc {\n\tsocket-group = \"no-such-group\"\n}\n", 2, "socket-group"),
        ("modem {\n\tapn = \"a\\\"b\"\n}\n", 2, "apn"),
        ("modem {\n\tcid = 1\n\tcid = 2\n}\n", 3, "cid"),
        ("nonsense {\n}\n", 1, "nonsense"),
        ("modem {\n\tdialect = \"hayes\"\n}\n", 2, "dialect"),
        ("history {\n\tmax-size = \"1\"\n}\n", 2, "max-size"),
        ("modem {\n\tpin-file = \"/no/such/file\"\n}\n", 2, "pin-file"),
    ]
    for text, line, key in table:
        path = config_file(bench, text)
        for args in (("--check",), ("-f",)):
            code, _, err = modemd(bench, "-c", path, *args)
            same(code, 2, "the exit code for %r" % text)
            check("%s:%d:" % (path, line) in err, "file:line of %r" % text,
                  err)
            check(key in err, "the key of %r" % text, err)
    path = config_file(bench, "modem {\n\tbaud = 1\n\tcid = 99\n}\nx {\n}\n")
    code, _, err = modemd(bench, "-c", path, "--check")
    check(code == 2 and err.count(path) >= 3, "every mistake at once", err)


def dialect_without_a_driver(bench):
    path = config_file(bench, "modem {\n\tdialect = \"hayes\"\n}\n")
    for args in (("--check",), ("-f",)):
        code, _, err = modemd(bench, "-c", path, *args)
        same(code, 2, "the exit code")
        check(path + ":2: modem.dialect: must be one of: auto" in err and
              " " + DIALECT.name in err, "what to do", err)


def every_dialect_has_a_driver(bench):
    for dialect in ("auto", "simcom", "w800"):
        path = config_file(bench, "modem {\n\tdialect = \"%s\"\n}\n"
                           % dialect)
        code, _, err = modemd(bench, "-c", path, "--check", "-o",
                              "ipc.socket-group=" + harness.socket_group())
        same(code, 0, "the exit code with %s (%s)" % (dialect, err))


def good_configuration_and_usage(bench):
    sample = os.path.join(harness.HERE, "..", "..", "packaging", "modem.conf")
    with open(sample, encoding="utf-8") as f:
        path = config_file(bench, f.read())
    # the sample's group exists where packaging/check made it
    group = "ipc.socket-group=" + harness.socket_group()
    code, _, err = modemd(bench, "-c", path, "--check", "-o", group)
    same(code, 0, "the sample configuration (%s)" % err)
    for args in (("--no-such-option",), ("too much",), ("-n", "a/b"),
                 ("-o", "modem.baud=7", "--check"), ("-o", "x.y=1", "--check"),
                 ("-c", bench.path("none.conf"), "--check")):
        code, _, err = modemd(bench, *args)
        same(code, 2, "the exit code of modemd %s (%s)" % (args, err))
    code, out, _ = modemd(bench, "--version")
    same((code, out.split()[0]), (0, "modemd"), "--version")
    same(modemd(bench, "--help")[0], 0, "--help")


def second_daemon_is_refused(bench):
    daemon = bench.start("--baud", 0)
    link = daemon.client().open("127.0.0.1", bench.server(harness.echo).port)
    code, _, err = modemd(bench, "-f", "-c", daemon.config)
    same(code, 1, "the exit code of the second")
    check("in use" in err, "it says why", err)
    check(os.path.exists(daemon.socket), "the socket of the first is gone")
    link.send(b"unharmed")
    same(link.read(8), b"unharmed", "the echo through the first")


def second_daemon_for_the_same_modem(bench):
    """B13: another instance, the same tty: busy, and the first works on."""
    daemon = bench.start("--baud", 0)
    link = daemon.client().open("127.0.0.1", bench.server(harness.echo).port)
    second = bench.start_daemon(name="second", wait=None)
    status = second.wait_modem("port-busy")
    check("modemd" in status["modem"]["reason"] or
          "another process" in status["modem"]["reason"], "the holder",
          status["modem"])
    link.send(b"unharmed")
    same(link.read(8), b"unharmed", "the echo through the first")
    same(second.terminate(), 0, "the exit code of the second")


def socket_is_what_was_asked_for(bench):
    daemon = bench.start_daemon(wait=None, ipc__socket_mode="0600")
    st = os.stat(daemon.socket)
    same(stat.S_IMODE(st.st_mode), 0o600, "its mode")
    daemon.kill()
    check(os.path.exists(daemon.socket), "a killed daemon leaves its socket")
    bench.restart_daemon(wait=None)     # and the next start takes it over
    bench.json("status", user=harness.DAEMON)


def foreign_file_is_not_removed(bench):
    path = bench.path("run/modem.sock")
    with open(path, "w", encoding="utf-8") as f:
        f.write("precious")
    settings = bench.settings()
    harness.write_config(bench.path("x.conf"), settings)
    code, _, err = modemd(bench, "-f", "-c", bench.path("x.conf"))
    same(code, 1, "the exit code")
    check(path in err, "it names the file", err)
    with open(path, encoding="utf-8") as f:
        same(f.read(), "precious", "the file")


def sigterm_ends_cleanly(bench):
    """F2: accepted bytes are sent, clients are told, all is gone."""
    for number in (signal.SIGTERM, signal.SIGINT):
        daemon = bench.start("--baud", 0) if not bench.sim else \
            bench.start_daemon()
        server = bench.server(harness.sink)
        client = daemon.client()
        link = client.open("127.0.0.1", server.port)
        link.send(bytes(30000))
        daemon.signal(number)
        try:
            client.wait(lambda: False, 10, "the end")
        except Closed:
            pass
        same(daemon.wait(10), 0, "the exit code")
        check(not os.path.exists(daemon.socket), "the socket is still there")
        check(link.closed, "the client was not told")
        same(link.closed["reason"], "daemon-stop", "the reason")
        wait_for(lambda: server.connection(0).ended, "the far end's end")
        same(len(server.connection(0).received),
             link.closed["counts"]["taken"], "bytes that arrived")
        same(link.closed["counts"]["taken"], 30000, "bytes taken")
        check(any(k == "stopping" for k, _ in client.events),
              "no stopping event")
        check(not bench.sim.used_slots(), "a socket is left in the modem")


def sighup_rereads_what_can_change(bench):
    daemon = bench.start("--baud", 0, links__idle_timeout="0")
    server = bench.server(harness.echo)
    before = daemon.client().open("127.0.0.1", server.port)
    daemon.settings["links"]["idle-timeout"] = "1s"
    daemon.settings["modem"]["apn"] = "other.example"
    harness.write_config(daemon.config, daemon.settings)
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: "apn" in daemon.stderr(), "a warning about the apn")
    check("warning" in daemon.stderr(), "no warning", daemon.stderr())
    client = daemon.client()
    link = client.open("127.0.0.1", server.port)
    client.wait(lambda: link.closed, 10, "the new idle timeout")
    same(link.closed["reason"], "idle", "the reason")
    before.client.pump(0)
    check(not before.closed, "the old link lives by the old rule")

    with open(daemon.config, "a", encoding="utf-8") as f:
        f.write("nonsense {\n}\n")
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: "nonsense" in daemon.stderr(), "the mistake in the log")
    check(daemon.is_running(), "a mistake ended the daemon")
    daemon.client().open("127.0.0.1", server.port)


def it_becomes_a_daemon(bench):
    bench.start_sim("--baud", 0)
    settings = bench.settings(log__target="syslog")
    harness.write_config(bench.path("modemd.conf"), settings)
    began = time.monotonic()
    code, _, err = modemd(bench, "-c", bench.path("modemd.conf"))
    same(code, 0, "the exit code of the parent (%s)" % err)
    check(time.monotonic() - began < 10, "the parent stays")

    def pid():
        out = subprocess.run(
            [harness.STAGE.path("modemctl"), "-s", settings["ipc"]["socket"],
             "--json", "status"], capture_output=True, check=False,
            env=bench.environment()).stdout
        return harness.json.loads(out)["pid"] if out else None
    number = wait_for(pid, "it answers")
    os.kill(number, signal.SIGTERM)
    wait_for(lambda: not os.path.exists(settings["ipc"]["socket"]),
             "it has ended")
    # ASan writes its reports at the very end
    wait_for(lambda: not os.path.exists("/proc/%d" % number) or "Z (" in open(
        "/proc/%d/status" % number).read(), "the process is gone")


harness.run(mistakes_are_named_with_file_and_line, every_dialect_has_a_driver,
            dialect_without_a_driver, good_configuration_and_usage,
            second_daemon_is_refused, second_daemon_for_the_same_modem,
            socket_is_what_was_asked_for, foreign_file_is_not_removed,
            sigterm_ends_cleanly, sighup_rereads_what_can_change,
            it_becomes_a_daemon)
