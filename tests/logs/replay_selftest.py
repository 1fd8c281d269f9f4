#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_logs must fail when a log, or what it means, is wrong.

Each row changes one thing in a log that passes, or in its .chk, and names a
part of what test_logs must then say. Also: each log cites where it is from.
"""

import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("MODEMD_BUILD", "")
# A test that fails, as it should here, leaves without giving back its memory.
LEAKS = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
PROGRAM = BUILD + "/tests/unit/test_logs"
SOURCE = re.compile(r"\bQ\d+|\b(manual|ref|appnote|TS) L?[\d.]+"
                    r"|W800 (manual \+?[A-Z+]|guide)")

LOG = """\
# A7600 manual 2.3
include begin.part
do send 1 hello
> AT+CIPSEND=9,5
< \\r\\n>
>> hello
< \\r\\nOK\\r\\n
<~20 \\r\\n+CIPSEND: 9,5,5\\r\\n
"""
PART = """\
do open host 80
> AT+CIPOPEN=9,"TCP","host",80
< \\r\\nOK\\r\\n
< \\r\\n+CIPOPEN: 9,0\\r\\n
"""
# what is changed in the log, into what, what test_logs must say
WRONG_LOGS = (
    ("> AT+CIPSEND=9,5", "> AT+CIPSEND=9,4", "t.log:4: the daemon wrote"),
    ("> AT+CIPSEND=9,5", "> AT+CIPSEND=9,55", "t.log:4: the daemon wrote"),
    (">> hello\n", "", "before the modem says this"),
    (">> hello", ">> hell", "before the modem says this"),
    (">> hello", ">> helloo", "did not write"),
    ("do send 1 hello\n", "", "did not write"),
    (",5,5\\r\\n\n", ",5,5\\r\\n\n> AT+CIPCLOSE=9\n",
     "within 1000 ms the daemon did not write"),
    (",5,5", ",5,4",
     "the daemon wrote \"AT+CIPRXGET=2,9,1500\\r\" when the log"),
    ("<~20 \\r\\n+CIPSEND: 9,5,5\\r\\n\n", "", "-sent(1/1,5)"),
    ("\\r\\nOK\\r\\n\n<~20", "\\r\\nERROR\\r\\n\n<~20",
     "before the modem says this"),
    ("do send 1 hello", "do sent 1 hello", "there is no verb \"sent"),
    ("do send 1 hello", "do send 1", "send wants 2 words"),
    ("do send 1 hello", "do send x hello", "\"x\" is no number"),
    ("do send 1 hello", "do send 1 hell\\q", "no such escape"),
    ("do send 1 hello", "do listen 80 x=1", "listen knows no x=1"),
    ("do send 1 hello", "do udp - 0 x=1", "udp knows no x=1"),
    ("do send 1 hello", "do show colour", "there is no option colour"),
    ("do send 1 hello", "set modem.colour red", "there is no setting"),
    ("do send 1 hello", "say hello", "t.log:3: not a line of a log"),
    ("\\r\\n>\n", "\\r\\n\\q>\n", "no such escape"),
    ("\\r\\n>\n", "\\xg1>\n", "no such escape"),
    ("\\r\\n>\n", "\\{9999999x}>\n", "no such escape"),
    ("<~20", "<~", "no milliseconds"),
    ("begin.part", "end.part", "end.part:0: cannot be opened"),
    ("begin.part", "t.log", "includes itself"),
    ("9,5,5\\r\\n\n", "9,5,5\\r\\n", "no newline"),
)
WRONG_CHKS = (
    ("opened(1)", "opened(2)", "-opened(2)"),
    ("do send 1 hello = 0\n", "", "+do send 1 hello = 0"),
    ("unknown lines 0", "unknown lines 1", "+stray finals 0, unknown lines 0"),
    ("modem: as before", "modem: ready", "+modem: as before"),
)


class Bench:
    def __init__(self, directory):
        self.log = directory + "/t.log"
        self.chk = directory + "/t.chk"
        self.put(directory + "/begin.part", PART)

    @staticmethod
    def put(path, text):
        with open(path, "w", encoding="ascii") as f:
            f.write(text)

    def run(self, log, **environment):
        """Exit status, and all that it said."""
        self.put(self.log, log)
        done = subprocess.run([PROGRAM, self.log], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60,
                              env=dict(os.environ, ASAN_OPTIONS=LEAKS,
                                       **environment))
        return done.returncode, done.stdout


def cases(bench):
    """(what is tried, what must be said or "": it passes, status, words)"""
    yield "no .chk", "LOGS_UPDATE=1 writes it", *bench.run(LOG)
    yield "an update", "", *bench.run(LOG, LOGS_UPDATE="1")
    good = open(bench.chk, encoding="ascii").read()
    yield "nothing", "", *bench.run(LOG)
    for old, new, want in WRONG_LOGS:
        assert old in LOG, old
        yield new, want, *bench.run(LOG.replace(old, new, 1))
    for old, new, want in WRONG_CHKS:
        assert old in good, old
        bench.put(bench.chk, good.replace(old, new, 1))
        yield new, want, *bench.run(LOG)
    bench.put(bench.chk, good)
    yield "nothing", "", *bench.run(LOG)


def uncited():
    """Logs whose first comments do not say where they are from."""
    for name in sorted(glob.glob(HERE + "/*/*.log")):
        text = open(name, encoding="ascii").read()
        head = re.match(r"(#.*\n)*", text)[0]
        if not SOURCE.search(head.replace("\n# ", " ")):
            yield os.path.basename(name)


def main():
    bad = count = 0
    with tempfile.TemporaryDirectory(prefix="modemd-logs-") as directory:
        for what, want, status, words in cases(Bench(directory)):
            count += 1
            if (status == 0) != (want == "") or want not in words:
                bad += 1
                print("FAIL changed to %r: exit %d, wants %r in:\n%s"
                      % (what, status, want, words[-600:]))
    for name in uncited():
        bad += 1
        print("FAIL %s: cites no manual and no quirk" % name)
    print("%d cases, %d wrong" % (count, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
