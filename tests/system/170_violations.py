#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""170: the simulator counts every rule of the command line that is broken.

All other tests end with its counters at zero; this one plants each violation,
so that a zero means something.
"""

import contextlib
import os
import select
import socket
import time
import tty

import harness
from harness import DIALECT, check, needs, same, wait_for


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
        self.say(command + DIALECT.eol)
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


@needs("sim")
def every_kind_is_counted(bench):
    bench.violations_expected = True
    bench.start_sim("--baud", 0, "--free-ports")
    server = bench.server(harness.sink)
    line = Line(bench)
    line.ask(b"ATE0")
    line.ask(b"AT+CIPRXGET=1")
    line.ask(b"AT+NETOPEN", b"+NETOPEN: 0\r\n")
    line.ask(b'AT+CIPOPEN=0,"TCP","127.0.0.1",%d' % server.port,
             b"+CIPOPEN: 0,0\r\n")
    same(bench.sim.violations(), {}, "violations of a good conversation")

    planted(bench, "send-too-long", lambda: line.ask(
        b"AT+CIPSEND=0,1501", b"ERROR\r\n"))
    planted(bench, "read-too-long", lambda: line.ask(
        b"AT+CIPRXGET=2,0,1501", b"ERROR\r\n"))
    planted(bench, "cipmode-while-open", lambda: line.ask(
        b"AT+CIPMODE=1", b"ERROR\r\n"))
    planted(bench, "cping-while-running", lambda: (
        line.ask(b'AT+CPING="127.0.0.1",1,9'),
        line.ask(b'AT+CPING="127.0.0.1",1', b"ERROR\r\n")))
    line.ask(b"AT+CPINGSTOP")
    planted(bench, "changeable-length-on-accepted",
            lambda: on_an_accepted_link(bench, line))
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


def on_an_accepted_link(bench, line):
    """SERVERSTOP before its link is closed is legal, the open send is not."""
    line.ask(b"AT+SERVERSTART=8080,0")
    port = [word.split("=")[1] for word in bench.sim.ctl("ports").split()
            if word.startswith("server:0:")][0]
    peer = socket.create_connection(("127.0.0.1", int(port)))
    line.hear(b"+CLIENT: 1,0,")
    line.ask(b"AT+SERVERSTOP=0", b"+SERVERSTOP: 0,9\r\n\r\nERROR\r\n")
    same(bench.sim.violations(), {}, "violations of SERVERSTOP")
    line.ask(b"AT+CIPSEND=1", b"ERROR\r\n")
    peer.close()
    line.hear(b"+IPCLOSE: 1,1\r\n")


@needs("wifi")
def every_kind_of_a_blocking_modem_is_counted(bench):
    bench.violations_expected = True
    bench.start_sim("--baud", 0, "--free-ports")
    server = bench.server(harness.sink)
    line = Line(bench)
    line.ask(b"ATE0", b"\r\n")
    line.ask(b'AT+CWJAP="%s","%s"' % (
        DIALECT.ssid.encode(), DIALECT.password.encode()), b"WIFI GOT IP\r\n")
    line.ask(b"AT+CIPMUX=1")
    line.ask(b'AT+CIPSTART=0,"TCP","127.0.0.1",%d' % server.port)
    same(bench.sim.violations(), {}, "violations of a good conversation")

    planted(bench, "send-too-long", lambda: line.ask(
        b"AT+CIPSEND=0,5761", b"ERROR\r\n"))
    planted(bench, "cipmux-while-open", lambda: line.ask(
        b"AT+CIPMUX=0", b"ERROR\r\n"))
    line.ask(b"AT+CIPSERVER=1,8080")
    planted(bench, "maxconn-while-serving", lambda: line.ask(
        b"AT+CIPSERVERMAXCONN=2", b"ERROR\r\n"))
    planted(bench, "payload-without-prompt", lambda: line.say(b"hello\r\n"))
    planted(bench, "control-byte-in-line", lambda: line.say(b"AT\x01\r\n"))
    planted(bench, "line-too-long", lambda: line.say(b"AT" + b"x" * 600 +
                                                     b"\r\n"))
    planted(bench, "busy", lambda: (
        line.say(b'AT+CIPSTART=1,"TCP","192.0.2.1",80\r\n'),
        line.ask(b"AT", b"busy")))
    bench.sim.ctl("reboot")


@needs("data-notes")
def what_may_be_payload_is_noted(bench):
    """In data mode nothing is a violation; what looks like one is a note."""
    bench.start_sim("--baud", 0)
    server = bench.server(harness.sink)
    line = Line(bench)
    line.ask(b"ATE0;+CIPMODE=1")
    line.ask(b"AT+NETOPEN", b"+NETOPEN: 0\r\n")
    line.ask(b'AT+CIPOPEN=0,"TCP","127.0.0.1",%d' % server.port,
             b"CONNECT 115200\r\n")

    def notes():
        return {k: v for k, v in bench.sim.stats()["notes"].items() if v}

    line.say(b"a request\r")
    same(notes(), {}, "notes of payload")
    time.sleep(0.1)         # a pause: what follows is a burst of its own
    line.say(b"AT+CSQ\r")
    wait_for(lambda: notes() == {"command-in-data": 1}, "a command is noted")
    time.sleep(0.1)
    line.say(b"+++")
    wait_for(lambda: notes() == {"command-in-data": 1,
                                 "escape-without-guard": 1},
             "an escape without its guard time is noted")
    same(bench.sim.violations(), {}, "violations in data mode")


def every_kind_has_been_planted(bench):
    """A kind that is new in the simulator must come to this file."""
    bench.start_sim("--baud", 0)
    with open(__file__) as text:
        source = text.read()
    for kind in bench.sim.stats()["violations"]:
        check(kind == "total" or '"%s"' % kind in source, "planted", kind)


def a_violation_fails_a_test(bench):
    """The teardown of all tests, tested."""
    bench.start_sim("--baud", 0)
    Line(bench).say(b"hello" + DIALECT.eol)
    wait_for(bench.sim.violations, "it is counted")
    try:
        bench.finish()
    except AssertionError as err:
        check("violations" in str(err), "the reason", str(err))
    else:
        raise AssertionError("the violation went unnoticed")
    bench.violations_expected = True


harness.run(every_kind_is_counted, every_kind_of_a_blocking_modem_is_counted,
            what_may_be_payload_is_noted, every_kind_has_been_planted,
            a_violation_fails_a_test)
