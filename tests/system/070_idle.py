#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""070: an idle daemon does nothing at all, and answers at once.

With an open network, no link and recovery.probe off no thread wakes up. From
start to an open network it takes at most 1 s on a modem without latency.
"""

import time

import harness
from harness import check, same, wait_for

IDLE_S = 60 if harness.LONG else 20
# The rest of the machine runs on the same cores: three in a row must be slow.
STATUS_MS = 20


def idle_threads_do_not_wake_up(bench):
    # LeakSanitizer and ASan themselves wake nothing up
    daemon = bench.start(recovery__probe=0)
    bench.json("status")        # whatever a first client makes it allocate
    wait_for(lambda: daemon.status()["history"].get("queued", 0) == 0,
             "the history is written")
    # its last commit; and the port looks once, 5 s after the last byte was
    # written, whether it has left
    time.sleep(6)
    before = daemon.context_switches()
    cpu = daemon.cpu_seconds()
    time.sleep(IDLE_S)
    same(daemon.context_switches(), before,
         "the context switches after %d s" % IDLE_S)
    same(daemon.cpu_seconds(), cpu, "the CPU time")

    took = []
    for _ in range(3):
        began = time.monotonic()
        client = daemon.client("asks")
        client.status()
        took.append((time.monotonic() - began) * 1000)
        client.hang_up()
    print("status answers within %s ms" % ", ".join(
        "%.1f" % t for t in took))
    check(min(took) <= STATUS_MS, "status takes too long", took)


def unplugged_it_does_next_to_nothing(bench):
    daemon = bench.start(recovery__probe=0, recovery__backoff="1s..60s")
    bench.sim.ctl("hangup")
    daemon.wait_modem("no-device")
    time.sleep(0.5)
    cpu, seconds = daemon.cpu_seconds(), 5
    time.sleep(seconds)
    used = daemon.cpu_seconds() - cpu
    check(used < 0.01 * seconds, "%.2f s of CPU in %d s" % (used, seconds))


def from_start_to_open_network(bench):
    bench.start_sim("--baud", 0)
    took = []
    for _ in range(3):
        began = time.monotonic()
        daemon = bench.start_daemon()
        took.append(time.monotonic() - began)
        same(daemon.terminate(), 0, "the exit code")
    print("from start to open network: %s s" % ", ".join(
        "%.2f" % t for t in took))
    check(min(took) <= 1.0, "it takes too long", took)


harness.run(idle_threads_do_not_wake_up, unplugged_it_does_next_to_nothing,
            from_start_to_open_network)
