#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""manual.py must fail when an answer, a file or ERRATA is wrong.

Each row changes one line of a dialogue that passes, and names a part of what
manual.py must then say.
"""

import os
import sys

import dialogue
import manual

ERRATA_TEXT = """\
| E01 | 001 1 | `AT+CIPOEPN` | `AT+CIPOPEN` | - | ERROR | - |
| E02 | 001 1 | `+IPADDR: ...` | `+IP ERROR: ...` | - | right | ipaddr-spelling |
"""
ERRATA_004 = """\
| E03 | 004 X | `,,,,,` | `,,,,` | - | right | recvlen-comma |
"""
# the same for a dialogue of the other dialect, in all families
GOOD_004 = """\
manual: 004 CIPSEND
title: a bit of everything
erratum: E03
family: w800
far: tcp 10.1.1.1:80
---
! joins
---
> AT+CIPMUX=1
< OK
> AT+CIPSTART=0,"TCP","10.1.1.1",80
< 0,CONNECT
< OK
> AT+CIPSEND=0,5
< OK
>> hello
< SEND OK
! gets hello
! sends x
< +IPD,0,1:x
> AT+CIPRECVMODE=1
< OK
! sends yz
< +IPD,0,2
> AT+CIPRECVDATA=0,9
< +CIPRECVDATA:2,yz
< OK
> AT+CIPRECVLEN?
E03- < +CIPRECVLEN:0,,,,,
E03+ < +CIPRECVLEN:0,,,,
< OK
> AT+NOPE
< CMD FORMAT ERR
"""
WRONG_004 = (
    ("< +IPD,0,1:x", "< +IPD,0,1:y", "w800: line 20: it says b'"),
    ("< SEND OK", "< SEND FAIL", "not b'"),
    ("< 0,CONNECT\n", "", "it says b'"),
    ("< +CIPRECVDATA:2,yz", "< +CIPRECVDATA:2,y", "it says b'"),
    ("E03+ < +CIPRECVLEN:0,,,,", "E03+ < +CIPRECVLEN:0,,,,0", "it says b'"),
    ("E03- < +CIPRECVLEN:0,", "E03- < +CIPRECVLEN:1,", "as printed"),
    ("family: w800\n", "", "esp: line 29: it says b'"),
    ("! joins", "! leaves", "no such thing to do: leaves"),
    ("> AT+CIPMUX=1\n< OK\n", "", "it says b'"),
)
GOOD = """\
manual: 001 9.9
title: a bit of everything
erratum: E01 E02
far: tcp 10.1.1.1:80
---
> AT+IPADDR
< +IP ERROR: Network not opened
<
< ERROR
---
> AT+IPADDR
E02- < +IPADDR: Network not opened
E02+ < +IP ERROR: Network not opened
<
< ERROR
> AT+NETOPEN
< OK
<
< +NETOPEN: 0
E01- > AT+CIPOEPN=1,"TCP","10.1.1.1",80
E01+ > AT+CIPOPEN=1,"TCP","10.1.1.1",80
< OK
<
< +CIPOPEN: 1,0
> AT+CIPSEND=1,5
>> hello
< OK
<
< +CIPSEND: 1,5,5
! gets hello
! sends x
< RECV FROM:10.1.1.1:80
< +IPD1
<| x
> AT+CIPCLOSE=1
< OK
<
< +CIPCLOSE: 1,0
! sees-end
"""
# what is changed, into what, what manual.py must say of it
WRONG_PLAYS = (
    ("< +NETOPEN: 0", "< +NETOPEN: 1", "line 17: it says b'"),
    ("< +CIPSEND: 1,5,5", "< +CIPSEND: 1,5,4", "not b'"),
    ("< OK\n<\n< +NETOPEN: 0", "< OK\n< +NETOPEN: 0", "it says b'"),
    ("< +CIPCLOSE: 1,0", "< +CIPCLOSE: 1,0\n<\n< OK", "it says b'"),
    ("<\n< +CIPCLOSE: 1,0\n", "", "it says b'"),
    ("<| x", "<| y", "it says b'"),
    ("<| x", "<| xx", "it says b'"),
    ("< +IPD1\n", "", "it says b'"),
    ("! gets hello", "! gets hallo", "the far end got"),
    ("! sees-end", "! dances", "no such thing to do: dances"),
    (">> hello", ">> hell", "it says b'"),
    ("E02- < +IPADDR: Network", "E02- < +IPADDR: network", "as printed"),
    ("E02+ < +IP ERROR: Network", "E02+ < +IP ERROR: network", "it says"),
    ("E01- > AT+CIPOEPN=1", "E01- > AT+CIPRXGET=1\nE01- > AT+CIPOEPN=1",
     "not b'"),
)
WRONG_FILES = (
    ("erratum: E01 E02", "erratum: E02", "lines of E01"),
    ("erratum: E01 E02", "erratum: E01 E02 E03", "E03 is not in ERRATA"),
    ("erratum: E01 E02", "erratum: E01", "lines of E02"),
    ("E02- < +IPADDR: Network not opened\nE02+ <", "<", "has a quirk"),
    ("manual: 001 9.9", "manual: 007 9.9", "no line \"manual:"),
    ("title:", "titel:", "is not one of"),
    ("! gets hello", "gets hello", "not a line of a dialogue"),
    ("---\n> AT+IPADDR\n< +IP", "---\nE01- > AT+IPADDR\n< +IP",
     "outside of what is printed"),
)
WRONG_ERRATA = (
    ("| E02 | 001 1 |", "| E02 |", "E02 has 6 columns"),
    ("| E02 |", "| E01 |", "E01 comes twice"),
)
TEXT = """\
9.9 Bits
AT+IPADDR +IPADDR: Network not opened ERROR AT+NETOPEN // a remark
OK +NETOPEN: 0 AT+CIPOEPN=1,"TCP",\u201d10.1.1.1\u201d,80 OK +CIPOPEN: 1,0
AT+CIPSEND=1,5 >hello OK +CIPSEND: 1,5,5
RECV FROM:10.1.1.1:80 +IPD1 x AT+CIPCLOSE=1 OK +CIPCLOSE: 1,0
"""


def errata_of(text):
    name = manual.tempfile.mktemp(prefix="modemd-errata-")
    try:
        with open(name, "w", encoding="ascii") as f:
            f.write(text)
        return dialogue.read_errata(name)
    finally:
        os.unlink(name)


def said(fn, *args):
    """What was wrong, "" for nothing."""
    try:
        result = fn(*args)
    except manual.Wrong as e:
        return str(e)
    return "; ".join(result[1]) if isinstance(result, tuple) else ""


def change(text, old, new):
    assert text.count(old) >= 1, "the selftest changes nothing: " + old
    return text.replace(old, new, 1)


def cases(program):
    """(what is tried, what it must say, what it says)"""
    errata = errata_of(ERRATA_TEXT)
    good = dialogue.Dialogue("good", GOOD)

    def plays(text):
        return said(manual.run, [dialogue.Dialogue("x", text)], errata,
                    program)

    def plays_004(text):
        return said(manual.run, [dialogue.Dialogue("x", text)],
                    errata_of(ERRATA_004), program)

    yield "nothing", None, plays_004(GOOD_004)
    for old, new, want in WRONG_004:
        yield new, want, plays_004(change(GOOD_004, old, new))

    def reads(text):
        return said(lambda: dialogue.Dialogue("x", text).check(errata))

    yield "nothing", None, plays(GOOD) + reads(GOOD)
    yield "nothing", None, said(dialogue.check_all, [good], errata)
    yield "nothing", None, said(dialogue.compare_with_text, good, TEXT)
    for old, new, want in WRONG_PLAYS:
        yield new, want, plays(change(GOOD, old, new))
    for old, new, want in WRONG_FILES:
        yield new, want, reads(change(GOOD, old, new))
    for old, new, want in WRONG_ERRATA:
        yield new, want, said(errata_of, change(ERRATA_TEXT, old, new))
    more = ERRATA_TEXT + ERRATA_TEXT.split("\n")[0].replace("E01", "E03")
    yield "E03", "no dialogue uses E03", said(dialogue.check_all, [good],
                                              errata_of(more))
    for old in ("CIPOEPN", ">hello", "+IPD1", "9.9"):
        yield old, "", said(
            dialogue.compare_with_text, good, change(TEXT, old, "?"))


def main():
    manual.PATIENCE = 0.5
    program = sys.argv[1] if len(sys.argv) > 1 else (
        manual.BUILD + "/tests/modemsim/modemsim")
    bad = count = 0
    for what, want, got in cases(program):
        count += 1
        fine = got == "" if want is None else got != "" and want in got
        if not fine:
            bad += 1
            print("FAIL changed to %r: says %r, not %r" % (what, got, want))
    print("%d cases, %d wrong" % (count, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
