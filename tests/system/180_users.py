#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""180: who may connect and who sees what. Catalogue D7.

The daemon runs as one unprivileged user, its clients as two others; the
socket's group lets them in, and what one did is not told to the other.
"""

import grp
import os
import stat

import harness
from harness import CLIENT_A, CLIENT_B, DAEMON, STRANGER, User, check, same


def start(bench):
    harness.need_users()
    return bench.start("--baud", 0)


def daemon_and_clients_are_unprivileged(bench):
    daemon = start(bench)
    for pid, user in ((daemon.pid, DAEMON),):
        with open("/proc/%d/status" % pid, encoding="ascii") as f:
            ids = [line.split()[1:] for line in f if line.startswith("Uid:")]
        same(ids, [[str(user.uid)] * 4], "the daemon's user ids")
    st = os.stat(daemon.socket)
    same(stat.S_IMODE(st.st_mode), 0o660, "the mode of the socket")
    same(grp.getgrgid(st.st_gid).gr_name, "modem", "the group of the socket")
    same(stat.S_IMODE(os.stat(daemon.settings["state"]["file"]).st_mode),
         0o600, "the mode of the state file")
    check(not os.stat(daemon.database).st_mode & 0o007,
          "others may read the history")


def strangers_are_kept_out(bench):
    start(bench)
    code, _, err = bench.run("modemctl", "status", user=STRANGER)
    check(code in (1, 3), "the exit code", code)
    check("ermission" in err, "the reason", err)
    try:
        bench.daemon.client(user=STRANGER)
    except PermissionError:
        return
    raise AssertionError("a stranger could connect")


def uid_comes_from_the_kernel(bench):
    daemon = start(bench)
    with daemon.client("a", user=CLIENT_A), daemon.client("b", user=CLIENT_B):
        uids = {c["client"]: c["uid"] for c in bench.json("clients")}
    same((uids["a"], uids["b"]), (CLIENT_A.uid, CLIENT_B.uid), "user ids")


def history_of_others_is_not_told(bench):
    daemon = start(bench)
    server = bench.server(harness.echo)
    for name, user in (("a", CLIENT_A), ("b", CLIENT_B)):
        client = daemon.client(name, user=user)
        client.open("127.0.0.1", server.port).close()
        client.hang_up()
    bench.settled_history()

    def sees(user):
        return sorted(r["client"] for r in bench.json("history", user=user))
    same(sees(CLIENT_A), ["a"], "what the first user sees")
    same(sees(CLIENT_B), ["b"], "what the second user sees")
    same(sees(User("")), ["a", "b"], "what root sees")


harness.run(daemon_and_clients_are_unprivileged, strangers_are_kept_out,
            uid_comes_from_the_kernel, history_of_others_is_not_told)
