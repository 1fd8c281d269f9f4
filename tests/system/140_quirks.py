#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""140: a transfer under every quirk that the simulator knows.

Each quirk of real firmware either does no harm (the hash is equal), or the
fault it makes is told with exact counts and the next link works.
"""

import hashlib
import random
import subprocess

import harness
from harness import DIALECT, check, same, wait_for
from protocol import Closed, Refused

SIZE = 12000
#: of the dialect: which make faults, and which rules they make one break
FAULTS, HOPELESS, REFUSED, LADDER, RESYNC = (
    DIALECT.quirk_faults, DIALECT.quirk_hopeless, DIALECT.quirk_refused,
    DIALECT.quirk_ladder, DIALECT.quirk_resync)


def quirks():
    out = subprocess.run([harness.STAGE.path("modemsim"), "--list-quirks"],
                         capture_output=True, text=True, check=True).stdout
    # the column behind the Q numbers: whose it is
    rows = ((line.split()[0], line[29:36].strip())
            for line in out.splitlines())
    return [name for name, whose in rows if whose in (DIALECT.name, "both")]


def transfer(bench, server, must_work):
    """True when it worked; what went wrong was told truly in any case."""
    data = random.Random(SIZE).randbytes(SIZE)
    client = bench.daemon.client()
    before = len(server.connections)
    link = None
    try:
        link = client.open("127.0.0.1", server.port, wait_ms=20000,
                           timeout=40)
        link.send(data, timeout=40)
        got = link.read(SIZE, timeout=40)
        if len(got) == SIZE:
            same(hashlib.sha256(got).hexdigest(),
                 hashlib.sha256(data).hexdigest(), "the hash")
            closed = link.close(timeout=40)
            check(closed["counts"]["received"] == SIZE, "received", closed)
            return True
        check(data.startswith(got), "what came is a prefix")
    except (Refused, Closed) as err:
        check(not must_work, "the transfer fails", str(err))
    check(not must_work, "the transfer fails",
          link.closed if link else "not opened")
    if link and link.closed and len(server.connections) > before:
        taken = link.closed["counts"]["taken"]
        far = server.connection(before)
        wait_for(lambda: len(far.received) >= taken, lambda:
                 "taken %d, arrived %d" % (taken, len(far.received)))
        arrived = bytes(far.received)
        check(data.startswith(arrived), "what arrived is a prefix")
        check(taken <= len(arrived) <= taken + DIALECT.max_send,
              "taken %d, arrived %d" % (taken, len(arrived)))
    client.hang_up()
    return False


def one_quirk(name):
    def test(bench):
        times = FAULTS.get(name, 0)
        # A hundred things that firmware does; nobody may break a rule but
        # where resynchronising must talk first.
        bench.violations_expected = name in RESYNC
        bench.start_sim("--baud", 0, "--banner-at-start", "--late-time", 1000,
                        "--quirk", "%s=%d" % (name, times) if times else name)
        more = {"recovery__backoff": "50ms..200ms"} if name in LADDER else {}
        bench.start_daemon(wait=None, recovery__probe="1s", **more)
        if name in HOPELESS:
            status = harness.wait_for(
                lambda: bench.daemon.status(), "a status")
            harness.wait_for(lambda: bench.daemon.status()["network"].get(
                "reason"), "a reason")
            check(status["network"]["state"] != "open", "it is open")
            return
        bench.daemon.wait_network(timeout=30)
        server = bench.server(harness.echo)
        if name in REFUSED:
            for _ in range(3):
                check(not transfer(bench, server, must_work=False),
                      "it works")
            return
        if times:
            for _ in range(times + 1):
                if transfer(bench, server, must_work=False):
                    break
                if name in DIALECT.quirk_losses:
                    bench.sim.ctl("network-back")
        bench.daemon.wait_network(timeout=30)
        transfer(bench, server, must_work=True)
        harness.wait_for(lambda: not bench.sim.used_slots() or
                         name in DIALECT.quirk_lies, "no socket is left", 30)
    test.__name__ = "quirk_" + name.replace("-", "_")
    return test


if __name__ == "__main__":
    harness.run(lambda: [one_quirk(name) for name in quirks()])
