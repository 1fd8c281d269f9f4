#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plays the manuals' example dialogues to the simulator, byte for byte.

manual.py [--sim PATH] [--texts DIR] [DIALOGUE.dlg ...]

Without names: all of simcom/manual and w800/manual, and ERRATA must be used up.
Each dialogue is played as it is right; and, when ERRATA names a quirk for what
is printed wrongly, once more as it is printed; those of the W800 in each family
of answers. --texts also compares the transcription with the manuals' texts
(000_*.txt, 001_*.txt, 003_*.txt, 004_*.txt), for who has them.
"""

import argparse
import collections
import concurrent.futures
import functools
import glob
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
import tty

from dialogue import (NAMES, Dialogue, Wrong, check_all, compare_with_text,
                      read_errata, unescape)
from far import TIMEOUT, Host, Peer

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("MODEMD_BUILD", "")
GUARD = 1.05	# s; more than 1000 ms, A7600 manual 1.2
PATIENCE = 15	# s, with what is still missing of an answer


def block(lines):
    """Lines printed without a blank one between them are one block (Q1)."""
    return "\r\n" + "\r\n".join(lines) + "\r\n"


def plain(pattern):
    """What re.escape() was given."""
    return re.sub(rb"\\(.)", rb"\1", pattern, flags=re.S)


class Sim:
    """A modem of its own, and the serial line to it."""

    def __init__(self, program, options):
        self.program = program
        self.dir = tempfile.TemporaryDirectory(prefix="modemd-manual-")
        self.control = self.dir.name + "/control"
        link = self.dir.name + "/tty"
        self.process = subprocess.Popen(
            [program, "--link", link, "--control", self.control, "--strict",
             "--baud", "0", "--free-ports", *options],
            stdout=subprocess.PIPE, text=True)
        if not self.process.stdout.readline().startswith("ready"):
            raise Wrong("the simulator does not start")
        self.fd = os.open(link, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)
        attr = termios.tcgetattr(self.fd)
        attr[4] = attr[5] = termios.B115200	# of "CONNECT 115200"
        termios.tcsetattr(self.fd, termios.TCSANOW, attr)
        self.have = b""

    def end(self):
        os.close(self.fd)
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(TIMEOUT)
        self.process.stdout.close()
        self.dir.cleanup()
        return status

    def write(self, text):
        data = text.encode("latin-1")
        while data:
            data = data[os.write(self.fd, data):]

    def read(self, end):
        left = max(0, end - time.monotonic())
        if not select.select([self.fd], [], [], left)[0]:
            raise Wrong("it is silent after %r" % self.have)
        self.have += os.read(self.fd, 65536)

    def expect(self, want):
        """@want is a pattern; what comes behind it is kept."""
        end = time.monotonic() + PATIENCE
        while True:
            found = re.match(want, self.have, re.S)
            if found:
                self.have = self.have[found.end():]
                return
            try:
                self.read(end if self.may_become(want) else 0)
            except Wrong:
                raise Wrong("it says %r, not %r" % (
                    self.have, plain(want))) from None

    def may_become(self, want):
        """More is worth waiting for: nothing wrong was said so far."""
        return rb"[0-9]+" in want or plain(want).startswith(self.have)

    def ctl(self, *words):
        done = subprocess.run([self.program, "--ctl", self.control, *words],
                              stdout=subprocess.PIPE, text=True,
                              timeout=TIMEOUT, check=True)
        return done.stdout


class Play:
    """One form of one dialogue, once."""

    eol = "\r"
    options = []

    def __init__(self, dialogue, errata, sim_program, as_printed):
        self.dialogue, self.errata = dialogue, errata
        self.as_printed = as_printed
        self.hosts, self.map, self.in_data_mode = [], [], False
        for words in dialogue.head["far"]:
            kind, address = words.split()
            self.hosts.append(Host(kind))
            self.add_address(address, self.hosts[-1].port)
        for words in dialogue.head["map"]:
            self.map.append(tuple(words.split()))
        self.measured = " ".join(dialogue.head["measured"]).split()
        self.sim = Sim(sim_program, self.options +
                       " ".join(dialogue.head["options"]).split())

    def add_address(self, printed, port):
        ip, _, printed_port = printed.partition(":")
        for between in ('",', ":", ","):
            self.map.insert(0, (ip + between + printed_port,
                                "127.0.0.1%s%d" % (between, port)))
        self.map.append((ip, "127.0.0.1"))

    def real(self, text):
        """With the addresses of this machine instead of the printed ones."""
        for printed, real in self.map:
            text = re.sub(r"(?<![\d.])%s(?![\d.])" % re.escape(printed),
                          real, text)
        return text

    def pattern(self, text):
        text = re.escape(self.real(text).encode("latin-1"))
        for number in self.measured:
            text = re.sub(rb"(?<=,)%s(?=[,\\])" % number.encode(), rb"[0-9]+",
                          text)
        return text

    def echo_off(self):
        self.sim.write("ATE0\r")
        self.sim.expect(re.escape(b"ATE0\r\r\nOK\r\n"))

    def framed(self, lines):
        """What the modem makes of @lines of a dialogue."""
        return block(lines)

    def says_error(self):
        """The answer to what is no command."""
        return block(["ERROR"])

    def is_data_mode(self, text):
        return "\r\nCONNECT 115200\r\n" in text

    def run(self):
        try:
            self.echo_off()
            self.steps()
            if self.sim.have:
                raise Wrong("and it says %r" % self.sim.have)
        finally:
            status = self.sim.end()
            for host in self.hosts:
                host.end()
        if bool(status) != bool(self.dialogue.head["violates"]):
            raise Wrong("the simulator counted violations, or should have")

    def steps(self):
        part, wanted = 0, []
        for step in self.dialogue.form(self.errata, self.as_printed):
            if step.part == 1 and part == 0:
                self.answered(wanted)
                self.quirks_on()
            part = step.part
            if step.kind in ("<", "<|"):
                wanted.append(step)
                continue
            self.answered(wanted)
            try:
                self.act(step)
            except (Wrong, OSError) as e:
                raise Wrong("line %d: %s" % (step.number, e)) from e
        self.answered(wanted)
        if not self.in_data_mode:	# and not a byte more than that
            self.sim.write("AT" + self.eol)
            self.sim.expect(re.escape(self.framed(["OK"]).encode()))

    def quirks_on(self):
        if self.as_printed:
            for quirk in self.dialogue.quirks(self.errata):
                self.sim.ctl("quirk", quirk, "on")

    def answered(self, wanted):
        """Takes what was collected: blocks, and bytes without any framing."""
        lines, text = [], ""
        for step in wanted + [None]:
            if lines and (step is None or step.kind == "<|" or not step.text):
                text += self.framed(lines)
                lines = []
            if step and step.kind == "<|":
                text += unescape(step.text)
            elif step and step.text:
                lines.append(unescape(step.text))
        try:
            if text:
                self.sim.expect(self.pattern(text))
        except Wrong as e:
            raise Wrong("line %d: %s" % (wanted[0].number, e)) from e
        self.in_data_mode |= self.is_data_mode(text)
        wanted.clear()

    def act(self, step):
        if step.kind == ">":
            self.sim.write(self.real(unescape(step.text)) + self.eol)
        elif step.kind == "refused":
            self.sim.write(self.real(unescape(step.text)) + self.eol)
            self.sim.expect(re.escape(self.says_error().encode()))
        elif step.kind == ">>":
            self.prompted(unescape(step.text))
            self.sim.write(unescape(step.text))
        else:
            self.far(*step.text.partition(" ")[::2])

    def prompted(self, _payload):
        self.sim.expect(re.escape(b"\r\n>"))

    def far(self, verb, text):
        host = self.hosts[0] if self.hosts else None
        if re.match(r"far\d$", verb):
            host = self.hosts[int(verb[3]) - 1]
            verb, _, text = text.partition(" ")
        data = unescape(text).encode("latin-1")
        if verb == "sends":
            host.sends(data)
        elif verb == "gets":
            host.gets(data)
        elif verb == "closes":
            host.closes()
        elif verb == "sees-end":
            host.sees_end()
        elif verb == "types":
            self.sim.write(unescape(text))
        elif verb == "connects":
            self.connects(*text.split())
        elif verb == "escapes":
            self.escapes(float(text or 0))
        elif verb == "joins":
            self.joins(text)
        else:
            raise Wrong("no such thing to do: " + verb)

    def connects(self, printed, port):
        """Somebody, printed as @printed, connects to the modem's @port."""
        ports = self.sim.ctl("ports")
        found = re.search(r"server:\d:%s=(\d+)" % port, ports)
        if not found:
            raise Wrong("nothing listens at %s: %s" % (port, ports))
        peer = Peer(int(found[1]))
        self.hosts.insert(0, peer)
        self.add_address(printed, peer.port)

    def joins(self, _text):
        raise Wrong("a modem of this dialect joins no access point")

    def escapes(self, apart):
        """Its times are part of the sequence: A7600 manual 1.2."""
        time.sleep(GUARD)
        for character in "+++":
            self.sim.write(character)
            time.sleep(apart)
        self.in_data_mode = False


class WifiPlay(Play):
    """The same in one family of the W800's answers: each line stands for
    itself, what ends a command and +IPD have a blank line before them."""

    eol = "\r\n"
    FINAL = re.compile(r"OK$|ERROR$|SEND OK$|SEND FAIL$|CMD \w+ ERR$|busy "
                       r"|\+IPD,")

    def __init__(self, dialogue, errata, sim_program, as_printed, family):
        self.family = family
        self.options = ["--dialect", "w800", "--family", family]
        self.sent = None	# bytes of the payload under way
        super().__init__(dialogue, errata, sim_program, as_printed)

    @property
    def gap(self):
        return "" if self.family == "tight" else "\r\n"

    def echo_off(self):
        self.sim.write("ATE0\r\n")
        if self.family == "w800":
            self.sim.expect(re.escape(self.says_error().encode()))
        else:
            self.sim.expect(re.escape(b"ATE0\r\n%sOK\r\n" %
                                      self.gap.encode()))

    def says_error(self):
        return self.framed(["CMD FORMAT ERR" if self.family == "w800"
                            else "ERROR"])

    def framed(self, lines):
        text, data = "", False
        for line in lines:
            if self.sent is not None and line.startswith("SEND "):
                if self.family != "w800":
                    text += "%sRecv %d bytes\r\n" % (self.gap, self.sent)
                self.sent = None
            if data:			# counted, and CR LF behind it
                text += "\r\n" + line + "\r\n"
                data = False
                continue
            if self.FINAL.match(line):
                text += self.gap
            data = line.startswith("+CIPRECVDATA")
            pushed = re.match(r"\+IPD,.*:", line, re.S)
            text += line + ("" if data or pushed and self.family != "tight"
                            else "\r\n")
        return text

    def is_data_mode(self, text):
        return False		# "This ... has no command reply"

    def prompted(self, payload):
        self.sent = len(payload)
        if self.family != "w800":
            self.sim.expect(re.escape((self.gap + ">").encode()))

    def joins(self, text):
        """OK and the news of it come in another order (Q127)."""
        self.sim.write('AT+CWJAP=%s\r\n' % (text or '"net","password"'))
        lines = ["WIFI CONNECTED", "WIFI GOT IP", "WIFI GOT IPv6 LL"]
        lines.insert(1 if self.family == "w800" else 3, "OK")
        self.sim.expect(re.escape(self.framed(lines).encode()))

    def act(self, step):
        super().act(step)
        if step.kind == ">" and step.text == "AT+CIPSEND":
            self.in_data_mode = True
            self.sim.expect(re.escape(self.framed(["OK"]).encode()))
            if self.family != "w800":
                self.sim.expect(re.escape((self.gap + ">").encode()))

    def escapes(self, apart):
        """W800 manual, +++: no answer, and a second until the next."""
        time.sleep(0.05)
        for character in "+++" if apart else ("+++",):
            self.sim.write(character)
            time.sleep(apart)
        time.sleep(1)
        self.in_data_mode = False


def plays_of(dialogue):
    """How it is to be played: functions like Play."""
    if dialogue.manual != "004":
        return [Play]
    families = " ".join(dialogue.head["family"]).split()
    return [functools.partial(WifiPlay, family=f)
            for f in families or ("esp", "w800", "tight")]


def play(dialogue, errata, program):
    """Both forms; the plays that it took."""
    count = 0
    for make in plays_of(dialogue):
        for as_printed in (False, True):
            if as_printed and not dialogue.quirks(errata):
                continue
            try:
                make(dialogue, errata, program, as_printed).run()
            except Wrong as e:
                raise Wrong("%s%s%s" % (
                    getattr(make, "keywords", {}).get("family", ""),
                    ", as printed, quirks %s: " % " ".join(
                        dialogue.quirks(errata)) if as_printed else ": ",
                    e)) from e
            count += 1
    return count


def section_key(section):
    """In the manual's order; those of 004 have names."""
    return [int(n) for n in re.findall(r"\d+", section)], section


def report(dialogues, errata, plays):
    for number, name in NAMES.items():
        count = collections.Counter(
            ".".join(d.section.split(".")[:2]) for d in dialogues
            if d.manual == number)
        print("%s (%s): %d dialogues: %s" % (
            name, number, sum(count.values()),
            ", ".join("%s %d" % row for row in sorted(
                count.items(), key=lambda row: section_key(row[0])))))
    forms = sum(bool(d.head["values"]) for d in dialogues)
    print("%d printed examples and %d forms without one, in %d plays; "
          "ERRATA: %d entries" % (len(dialogues) - forms, forms, plays,
                                  len(errata)))


def load(names):
    return [Dialogue(os.path.basename(n), open(n, encoding="ascii").read())
            for n in names]


def run(dialogues, errata, program):
    """The plays that it took, and what was wrong."""
    plays, wrong = 0, []
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = [(d, pool.submit(play, d, errata, program))
                for d in dialogues]
        for dialogue, job in jobs:
            try:
                plays += job.result()
            except (Wrong, OSError, subprocess.SubprocessError) as e:
                wrong.append("%s: %s" % (dialogue.name, e))
    return plays, wrong


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--sim", default=BUILD + "/tests/modemsim/modemsim")
    p.add_argument("--errata", default=HERE + "/ERRATA")
    p.add_argument("--texts", metavar="DIR")
    p.add_argument("names", nargs="*", metavar="DIALOGUE.dlg")
    args = p.parse_args()
    everything = sorted(glob.glob(HERE + "/*/manual/*.dlg"))
    try:
        errata = read_errata(args.errata)
        dialogues = load(args.names or everything)
        for d in dialogues:
            d.check(errata)
        if not args.names:
            check_all(dialogues, errata)
        for d in dialogues if args.texts else ():
            name = glob.glob("%s/%s_*.txt" % (args.texts, d.manual))[0]
            compare_with_text(d, open(name, encoding="utf-8").read())
        plays, wrong = run(dialogues, errata, args.sim)
    except Wrong as e:
        plays, wrong = 0, [str(e)]
    if not wrong:
        report(dialogues, errata, plays)
    for text in wrong:
        print("FAIL " + text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
