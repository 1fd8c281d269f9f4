# SPDX-License-Identifier: MIT
"""selftest_w800_rows.py in every family, and the forms that families lack."""

from selftest_w800_rows import BAD, ROWS, UNKNOWN
from w800test import *


def answer_of(lines, family):
    if isinstance(lines, dict):
        lines = lines["w800" if family == "w800" else "esp"]
    own = {BAD: "CMD PARSE ERR", UNKNOWN: "CMD FORMAT ERR"}
    return [own.get(text, text) if family == "w800" else
            "ERROR" if text in own else text for text in lines]


def run(group, family):
    with Wifi("--free-ports", family=family) as s:
        s.up(passive=0)
        for name, command, lines, place in ROWS:
            if name != group:
                continue
            try:
                s.ask("AT" + command, *answer_of(lines, family))
            except AssertionError as error:
                raise AssertionError("AT%s (%s): %s" % (command, place,
                                                        error))
        assert s.violations() == {}, s.violations()


@test
def w800_every_form():
    for group in dict.fromkeys(row[0] for row in ROWS):
        for family in ("esp", "w800", "tight"):
            run(group, family)


@test
def w800_every_command_has_a_row():
    """Of the manual's list, but for TLS, which has a page of its own."""
    said = {row[1].split("=")[0].rstrip("?") for row in ROWS}
    other = {"+CIPSTARTEX", "+CIPRECVLEN", "+CIPSTATUS"}    # their own tests
    manual = {"+" + name for name in (
        "CIPV6 CIPSTATE CIPDOMAIN CIPSTART CIPSTARTEX CIPSEND CIPSENDL "
        "CIPSENDLCFG CIPSENDEX CIPCLOSE CIFSR CIPMUX CIPSERVER "
        "CIPSERVERMAXCONN CIPMODE CIPSTO CIPSNTPCFG CIPSNTPTIME CIPSNTPINTV "
        "CIPFWVER CIUPDATE CIPDINFO CIPRECONNINTV CIPRECVMODE CIPRECVDATA "
        "CIPRECVLEN CIPDNS CIPTCPOPT").split()} | {"+PING"}
    assert manual <= said | other, manual - said - other


@test
def w800_families():
    """What only some of them have; the head of design: three families."""
    with Wifi(family="w800") as s:
        s.ask("ATE0", "CMD FORMAT ERR")
        s.ask("AT+GMR", "CMD FORMAT ERR")
        s.ask("AT+CIPSTATUS", "CMD FORMAT ERR")
        s.ask("AT+CIPSSLSIZE=4096", "CMD FORMAT ERR")
        s.ask("AT+CWJAP?", "OK")
        s.ask("AT+CIPMUX=?", "AT+CIPMUX?", "AT+CIPMUX=<...>", "OK")
        s.ask("AT+RST=?", "AT+RST", "OK")
    for family in ("esp", "tight"):
        with Wifi(family=family) as s:
            s.write("AT\r\n")
            s.expect("AT\r\n" + s.final())
            s.write("ATE0\r\n")
            s.expect("ATE0\r\n" + s.final())
            s.ask("AT+CWJAP?", "No AP", "OK")
            s.ask("AT+CIPMUX=?", "ERROR")
            s.ask("AT+CIPSSLSIZE=4096", "OK")
            s.ask("AT+GMR", "AT version:2.4.0.0(s-4c6eb5e - Jan 01 2026)",
                  "SDK version:v4.3.3",
                  "compile time(6118fc22):Jan 01 2026 00:00:00",
                  "Bin version:2.4.0(MODEMSIM)", "OK")
            s.ask("AT+CIPSTATUS", "STATUS:5", "OK")
            s.ask('AT+CIPSTART="TCP","127.0.0.1",80', "no ip", "ERROR")
            s.join()
            s.ask("AT+CIPSTATUS", "STATUS:2", "OK")
            s.write("AT+CMD?\r\n")
            rows = s.read_until(s.final().encode()).decode().split("\r\n")
            assert any(',"ATE",0,0,1,0' in row for row in rows), rows
            assert any('"AT+CIPSTART",0,0,1,0' in row for row in rows)
            s.ask("ATE1", "OK")
            s.write("AT\r\n")
            s.expect("AT\r\n" + s.final())


@test
def w800_old_dialect():
    """Q126: to be recognised, and refused."""
    with Wifi(family="old") as s:
        for command, answer in (
                ("AT+", "+OK"), ("AT", "+ERR=-1"), ("AT+CIPMUX?", "+ERR=-2"),
                ("AT+LKSTT", "+OK=0"), ("AT+SKCT=0,0,127.0.0.1,80,0",
                                        "+ERR=-2"), ("ATE0", "+ERR=-1")):
            s.write(command + "\r\n")
            s.expect(answer + "\r\n\r\n")
        s.write("AT+QVER\r\n")
        s.expect("+OK=H1.00.00.0000,F0.06.00@ Jan 01 2020 00:00:00\r\n\r\n")
        s.ctl("reboot")
        s.silent(0.05)


# What client libraries of relatives send before their first connection, as
# their sources have it; every line must find OK.
STARTS = {
    "TinyGSM": ["ATE0", "AT+CIPMUX=1", "AT+CWMODE=1", "AT+GMR",
                'AT+CWJAP="net","password"', "AT+CIPSTATUS", "AT+CIPSTA?",
                "AT+CWJAP?", "AT+CIPSSLSIZE=4096"],
    "WiFiEspAT": ["ATE0", "AT+CIPMUX=1", "AT+CIPRECVMODE=1",
                  "AT+SYSSTORE=0", "AT+CWMODE?", "AT+CWMODE=1",
                  "AT+CWAUTOCONN=0", "AT+GMR", "AT+CWLAPOPT=1,31",
                  'AT+CWJAP="net","password"', "AT+CIPSTAMAC?",
                  "AT+CIPSTA?", "AT+CIPDNS?", "AT+CIPDNS=0",
                  "AT+CWDHCP=1,1", "AT+CWJAP?", "AT+CIPDINFO=1",
                  "AT+CIPSNTPCFG=1,0,\"pool.ntp.org\"", "AT+SYSTIMESTAMP?",
                  "AT+SLEEP=0", "AT+CIPSERVERMAXCONN=1"],
    "lwesp": ["ATE0", "AT+GMR", "AT+CMD?", "AT+SYSMSG=7", "AT+SYSLOG=1",
              "AT+RFPOWER=40", "AT+CWMODE=1", "AT+CWLAPOPT=1,0x7FF",
              "AT+CWDHCP?", "AT+CIPSTAMAC?", "AT+CIPSTA?", "AT+CIPAP?",
              "AT+CIPAPMAC?", "AT+CIPMUX=1", "AT+CIPDINFO=1",
              "AT+CIPRECVMODE=1", "AT+CIPSTATUS", "AT+CIPV6=1",
              "AT+CWRECONNCFG=0,0", 'AT+CWJAP="net","password"'],
    "at_device": ["ATE0", "AT+CWMODE=1", "AT+GMR", "AT+CIPMUX=1",
                  'AT+CWJAP="net","password"', "AT+CIFSR", "AT+CIPSTA?",
                  "AT+CIPDNS?", "AT+CWDHCP?", "AT+CIPSTATUS"],
}


@test
def w800_clients_of_relatives():
    for name, commands in STARTS.items():
        with Wifi() as s:
            for command in ["AT", "AT+RST"] + commands:
                final = "ready" if command == "AT+RST" else "OK"
                s.write(command + "\r\n")
                got = s.read_until((s.final(final).encode(), b"ERROR\r\n"))
                assert not got.endswith(b"ERROR\r\n"), (name, command)
            assert s.violations() == {}, name
