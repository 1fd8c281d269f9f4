#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""160: a disk that fails stops the history, and nothing else.

Catalogue E1, E2, E3: links go on, `status` tells the error, and writing
resumes when the disk is well again.
"""

import os
import sqlite3
import subprocess

import harness
from harness import check, same, wait_for


def transfer(bench, server):
    client = bench.daemon.client("works")
    link = client.open("127.0.0.1", server.port)
    data = os.urandom(5000)
    link.send(data)
    same(link.read(len(data)), data, "the echo")
    same(link.close()["counts"]["taken"], len(data), "taken")
    client.hang_up()


def must_tell_error(bench, timeout=20):
    wait_for(lambda: bench.daemon.status()["history"].get("error"),
             "status tells the history's error", timeout)
    check("history" in bench.modemctl("status").splitlines()[0].lower() or
          "The history is out of order" in bench.modemctl("status"),
          "the table tells it")
    check(bench.json("status")["history"]["error"], "the JSON tells it")


def must_recover(bench, server):
    """Within 10 s of a transfer, and every later session is written."""
    transfer(bench, server)
    wait_for(lambda: not bench.daemon.status()["history"].get("error") and
             not bench.daemon.status()["history"].get("queued", 0),
             "the history works again", 10)
    check(bench.settled_history(), "no session is written")
    with sqlite3.connect(bench.daemon.database) as db:
        same(db.execute("PRAGMA integrity_check").fetchone()[0], "ok",
             "integrity_check")


def directory_that_cannot_be_written(bench):
    lib = bench.path("lib")
    db_dir = os.path.join(lib, "db")
    os.mkdir(db_dir)
    os.chmod(db_dir, 0o555)
    if harness.DAEMON.is_real:
        os.chown(db_dir, harness.DAEMON.uid, harness.DAEMON.gid)
    elif os.geteuid() == 0:
        harness.need_users()    # root writes anywhere
    bench.start("--baud", 0, history__database=os.path.join(db_dir, "x.db"))
    server = bench.server(harness.echo)
    transfer(bench, server)
    must_tell_error(bench)
    transfer(bench, server)
    os.chmod(db_dir, 0o755)
    must_recover(bench, server)


def disk_that_is_full(bench):
    disk = bench.path("disk")
    os.mkdir(disk)
    if os.geteuid() != 0 or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=512k,mode=0777", "none",
             disk], stderr=subprocess.DEVNULL, check=False).returncode:
        harness.skip("a file system of its own cannot be mounted here")
    bench.closing.callback(subprocess.run, ["umount", "-l", disk],
                           check=False)
    bench.start("--baud", 0, history__database=os.path.join(disk, "x.db"))
    server = bench.server(harness.echo)
    transfer(bench, server)
    bench.settled_history()
    filler = os.path.join(disk, "filler")
    with open(filler, "wb", buffering=0) as f:
        try:
            while True:
                f.write(bytes(4096))
        except OSError:
            pass

    def told():
        transfer(bench, server)
        return bench.daemon.status()["history"].get("error")
    wait_for(told, "the full disk is told", 60)
    must_tell_error(bench)
    for _ in range(5):
        transfer(bench, server)
    os.remove(filler)
    must_recover(bench, server)
    dropped = bench.daemon.status()["history"].get("dropped", 0)
    rows = bench.settled_history()
    check(dropped or len(rows) >= 7, "rows are missing and nobody counted",
          len(rows))
    bench.daemon.terminate()


def damaged_database(bench):
    """E3: it is put aside and a new one begun."""
    bench.start_sim("--baud", 0)
    path = bench.path("lib/modem.db")
    with open(path, "wb") as f:
        f.write(b"this is no database " * 1000)
    if harness.DAEMON.is_real:
        os.chown(path, harness.DAEMON.uid, harness.DAEMON.gid)
    bench.start_daemon()
    must_recover(bench, bench.server(harness.echo))
    aside = [n for n in os.listdir(bench.path("lib")) if "corrupt" in n]
    check(aside, "the damaged file is gone", os.listdir(bench.path("lib")))


def no_session_stays_open(bench):
    """I8: opened <= closed, and none open that is not."""
    daemon = bench.start("--baud", 0)
    server = bench.server(harness.echo)
    for _ in range(20):
        transfer(bench, server)
    daemon.client().open("127.0.0.1", server.port)
    daemon.terminate()
    with sqlite3.connect(daemon.database) as db:
        same(db.execute("PRAGMA integrity_check").fetchone()[0], "ok",
             "integrity_check")
    rows = bench.json("history", "--limit", 100, "--db", daemon.database,
                      user=harness.User(""))
    same(len(rows), 21, "sessions")
    for row in rows:
        check(row["closed"] and row["opened"] <= row["closed"], "times", row)
        check(row["opened_mono_ms"] <= row["closed_mono_ms"], "times", row)
    same(rows[0]["reason"], "daemon-stop", "the reason of the last")


harness.run(directory_that_cannot_be_written, disk_that_is_full,
            damaged_database, no_session_stays_open)
