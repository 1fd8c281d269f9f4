#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""How much of the line one link gets, through daemon, library and tool.

    MODEMD_BUILD=build/release tests/bench/throughput.py [BAUD...]

    MODEMD_TEST_DIALECT=w800 MODEMD_BUILD=... tests/bench/throughput.py

Rates are goodput between the first and the last byte at the receiving end, as
a share of the ceiling that the bytes of the dialogue leave (module latency 0).
What one block costs, of bytes that follow one another:

    simcom  up    1500 in 1527 (a send's result overlaps with the next command)
            pull  1500 in 1551
            push  1500 in 1546 (its sender has 15 characters)
    w800    up    5760 in 5818
            pull  5760 in 5822
            push  2920 in 2934
"""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "system"))
import harness                                          # noqa: E402

SECONDS = 6
CEILING = {
    "simcom": {"up": 1500 / 1527, "pull": 1500 / 1551, "push": 1500 / 1546},
    "w800": {"up": 5760 / 5818, "pull": 5760 / 5822, "push": 2920 / 2934},
}[harness.DIALECT.name]


BURST_S = 0.02      # pieces of one block come together


class Meter:
    """Rate between the first and the last block; the first is not counted."""

    def __init__(self):
        self.first = self.last = None
        self.bytes = 0

    def add(self, n):
        now = time.monotonic()
        if self.first is None:
            self.first = now
        if now - self.first > BURST_S:
            self.bytes += n
        self.last = now

    def rate(self):
        return self.bytes / (self.last - self.first)


def up(bench, size):
    meter = Meter()

    def serve(connection):
        while True:
            data = connection.recv()
            if not data:
                return
            meter.add(len(data))
    port = bench.server(serve).port
    code, _, err = bench.run("modemctl", "nc", "-q", "1", "127.0.0.1", port,
                             stdin=os.urandom(size), timeout=300)
    harness.same(code, 0, "nc's exit code " + err)
    harness.check(meter.bytes > size * 0.8, "most of it was measured")
    return meter.rate()


def down(bench, size):
    meter = Meter()

    def serve(connection):
        connection.send(os.urandom(size))
    port = bench.server(serve).port
    nc = subprocess.Popen(
        [harness.STAGE.path("modemctl"), "nc", "127.0.0.1", str(port)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        env=bench.environment(), **harness.CLIENT_A.popen())
    while True:
        data = os.read(nc.stdout.fileno(), 65536)
        if not data:
            break
        meter.add(len(data))
    harness.same(nc.wait(), 0, "nc's exit code")
    return meter.rate()


def one_way(bench, baud, name, measure, receive):
    bench.start_sim("--baud", baud, name="sim")
    daemon = bench.start_daemon(modem__baud=baud, modem__receive=receive,
                                log__level="info")
    ceiling = baud / 10 * CEILING[name]
    rate = measure(bench, int(baud / 10 * SECONDS))
    print("%8d  %-5s %10.0f %10.0f %6.1f %%" % (
        baud, name, rate, ceiling, 100 * rate / ceiling), flush=True)
    daemon.terminate()
    bench.sim.ctl("quit")
    bench.sim.wait()


def throughput(bench):
    bauds = [int(a) for a in sys.argv[1:]] or [115200, 921600]
    print("%8s  %-5s %10s %10s %7s" % ("baud", "", "B/s", "ceiling",
                                       "share"))
    for baud in bauds:
        for name, measure, receive in (("up", up, "pull"),
                                       ("pull", down, "pull"),
                                       ("push", down, "push")):
            one_way(bench, baud, name, measure, receive)


harness.run(throughput)
