#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""170: the simulator counts every rule of the command line that is broken.

All other tests end with its counters at zero; this one plants each violation,
so that a zero means something.
"""

import contextlib
import os
import select
import tty

import harness
from harness import check, same, wait_for


class Line:
    """The modem's port without a daemon."""

    def __init__(self, bench):
        self.fd = os.open(bench.sim.tty, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)
        bench.closing.callback(self.close)

    def close(self):
        with contextlib.suppress(OSError):
            os.close(self.fd)

    def say(self, data):
        os.write(self.fd, data)

    def ask(self, command, until=b"OK\r\n"):
        self.say(command + b"\r")
        self.hear(until)

    def hear(self, until):
        said = b""
        while until not in said:
            check(select.select([self.fd], [], [], 10)[0], "%r is not heard" %
                  until, said)
            said += os.read(self.fd, 1000)


def planted(bench, kind, plant):
    sim = bench.sim
    sim.ctl("violations reset")
    same(sim.violations(), {}, "violations before")
    plant()
    wait_for(lambda: sim.violations().get(kind), "%s is counted" % kind, 5)
    sim.ctl("violations reset")


def every_kind_is_counted(bench):
    bench.violations_expected = True
    bench.start_sim("--baud", 0)
    server = bench.server(harness.sink)
    line = Line(bench)
    line.ask(b"ATE0")
    line.ask(b"AT+CIPRXGET=1")
    line.ask(b"AT+NETOPEN", b"+NETOPEN: 0\r\n")
    line.ask(b'AT+CIPOPEN=0,"TCP","127.0.0.1",%d' % server.port,
             b"+CIPOPEN: 0,0\r\n")
    same(bench.sim.violations(), {}, "violations of a good conversation")

    planted(bench, "payload-without-prompt", lambda: line.say(b"hello\r"))
    planted(bench, "control-byte-in-line", lambda: line.say(b"AT\x01\r"))
    planted(bench, "line-too-long", lambda: line.say(b"AT" + b"x" * 600 +
                                                     b"\r"))
    bench.sim.ctl("latency 300")
    planted(bench, "payload-before-prompt",
            lambda: line.say(b"AT+CIPSEND=0,5\rhello"))
    bench.sim.ctl("reboot")         # the link and whatever it waited for
    line.hear(b"PB DONE\r\n")
    planted(bench, "command-while-running", lambda: line.say(b"AT\rAT\r"))


def a_violation_fails_a_test(bench):
    """The teardown of all tests, tested."""
    bench.start_sim("--baud", 0)
    Line(bench).say(b"hello\r")
    wait_for(bench.sim.violations, "it is counted")
    try:
        bench.finish()
    except AssertionError as err:
        check("violations" in str(err), "the reason", str(err))
    else:
        raise AssertionError("the violation went unnoticed")
    bench.violations_expected = True


harness.run(every_kind_is_counted, a_violation_fails_a_test)
