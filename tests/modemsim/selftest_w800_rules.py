# SPDX-License-Identifier: MIT
"""W800: lines, data entry, what is busy, what a host may not do."""

import socket
import subprocess
import time

import simtest
from w800test import *


@test
def w800_lines():
    """Guide: CR LF, 256 bytes, upper case, the backslash."""
    with Wifi("--ssid", 'a,b"c\\d', "--wifi-password", "back\\slash",
              family="w800") as s:
        s.write("AT\r")
        s.silent(0.05)                      # a bare CR gets nothing
        s.write("\n")
        s.expect(s.final())
        s.write("\r\n\r\n")
        s.silent(0.02)
        s.write("AT\rAT\r\n")
        s.expect(s.final("CMD FORMAT ERR"))
        s.ask("at", "CMD FORMAT ERR")
        assert s.violations() == {"payload-without-prompt": 1, "total": 1}
        s.ctl("violations", "reset")
        long = "AT+CWHOSTNAME=" + "h" * (256 - 14)
        s.ask(long, "CMD PARSE ERR")
        assert s.violations() == {}
        s.ask(long + "h", "ERROR")
        assert s.violations() == {"line-too-long": 1, "total": 1}
        s.ask("AT+CIPDOMAIN=\"x", "CMD PARSE ERR")
        s.ask("AT+CIPDOMAIN=\"x\"y", "CMD PARSE ERR")
        s.ask('AT+CWJAP="a,b\\"c\\\\d","wrong password"', "ERROR")
        s.write('AT+CWJAP="a\\,b\\"c\\\\d","back\\\\slash"\r\n')
        s.expect("WIFI CONNECTED\r\n\r\nOK\r\nWIFI GOT IP\r\n"
                 "WIFI GOT IPv6 LL\r\n")
        s.ctl("violations", "reset")
        s.write("AT\x01\r\n")
        s.expect(s.final("CMD FORMAT ERR"))
        assert s.violations() == {"control-byte-in-line": 1, "total": 1}


@test
def w800_busy():
    """Guide, busy: the line is lost, whatever it was; latency is busy too."""
    for family, word in (("esp", "busy p..."), ("w800", "busy ..."),
                         ("tight", "busy p...")):
        with Wifi("--unanswered", "127.0.0.9", "--connect-timeout", "200",
                  "--latency-for", "CIPDINFO=60", family=family) as s:
            s.up()
            for command in ('+CIPSTART=0,"TCP","127.0.0.9",80',
                            '+PING="127.0.0.1"', "+CIPDINFO=1"):
                s.ctl("violations", "reset")
                s.write("AT%s\r\n" % command)
                s.ask("AT+CIPMUX=0", word)
                s.ask("AT+CIPMUX=0", word)
                s.expect({"+P": s.info("+PING:40") + s.final()}.get(
                    command[:2], s.final("ERROR" if "START" in command
                                         else "OK")))
                assert s.violations() == {"busy": 2, "total": 2}
                s.ask("AT+CIPMUX?", "+CIPMUX:1", "OK")


@test
def w800_urcs_pass():
    """Between any two messages: while a command runs, while data is typed."""
    server = Server()
    with Wifi("--unanswered", "127.0.0.9", "--connect-timeout",
              "150") as s:
        s.up(passive=0)
        peer = s.connect(0, server)
        s.write('AT+CIPSTART=1,"TCP","127.0.0.9",80\r\n')
        peer.sendall(b"now")
        s.expect(s.ipd(0, b"now"))
        s.expect(s.final("ERROR"))
        s.write("AT+CIPSEND=0,5\r\n")
        s.expect(s.prompt())
        s.write("he")
        peer.sendall(b"then")
        s.expect(s.ipd(0, b"then"))
        s.write("llo")
        s.expect(s.sent(5))
        assert receive(peer, 5) == b"hello"


@test
def w800_data_entry():
    """Every byte value; CIPSENDEX; too many bytes; the link ends."""
    server = Server()
    data = bytes(range(256)) * 22 + b"\r\nOK\r\n+++>\x1a\x1b"
    for family in ("esp", "w800", "tight"):
        with Wifi(family=family) as s:
            s.up()
            peer = s.connect(0, server)
            s.send(0, data)
            assert receive(peer, len(data)) == data
            s.send(0, bytes(5760))
            receive(peer, 5760)
            too = {"w800": ["ERROR"]}.get(family, ["too long", "ERROR"])
            s.ask("AT+CIPSEND=0,5761", *too)
            assert s.violations() == {"send-too-long": 1, "total": 1}
            s.ctl("violations", "reset")
            bad = "CMD PARSE ERR" if family == "w800" else "ERROR"
            s.ask("AT+CIPSEND=0,0", bad)
            s.ask('AT+CIPSEND=0,5,"127.0.0.1",80', bad)     # not UDP
            for want, typed, sent in (
                    (100, b"hel\\0", b"hel"), (4, b"a\\bc", b"abc"),
                    (4, b"a\\\\0", b"a\\0"), (5, b"12345", b"12345")):
                s.write("AT+CIPSENDEX=0,%d\r\n" % want)
                s.expect(s.prompt())
                s.write(typed)
                s.expect(s.sent(len(typed)))
                assert receive(peer, len(sent)) == sent
            # bytes too many are the beginning of a line, and no command
            s.write("AT+CIPSEND=0,3\r\n")
            s.expect(s.prompt())
            s.write("hello")
            s.expect(s.sent(3))
            s.write("\r\n")
            s.expect(s.final("CMD FORMAT ERR" if family == "w800"
                             else "ERROR"))
            assert receive(peer, 3) == b"hel"
            assert s.violations()["payload-without-prompt"] == 1
            s.ctl("violations", "reset")
            # the link ends while data is typed: the rest is wanted, ERROR
            s.write("AT+CIPSEND=0,10\r\n")
            s.expect(s.prompt())
            s.write("hello")
            peer.close()
            s.expect("0,CLOSED\r\n")
            s.write("AT\r\n")
            s.silent(0.05)
            s.write("!")
            s.expect(s.final("ERROR"))
            s.ask("AT", "OK")
            assert s.violations() == {}


@test
def w800_payload_has_no_echo():
    """Commands have, as long as ATE0 has not been said."""
    server = Server()
    with Wifi("--net-open-at-start") as s:
        for command, lines in (
                ("AT+CIPMUX=1", ""), ('AT+CIPSTART=0,"TCP","127.0.0.1",%d' %
                                      server.port, "0,CONNECT\r\n")):
            s.write(command + "\r\n")
            s.expect(command + "\r\n" + lines + s.final())
        peer = server.accept()
        s.write("AT+CIPSEND=0,5\r\n")
        s.expect("AT+CIPSEND=0,5\r\n" + s.prompt())
        s.write("hello")
        s.expect(s.sent(5))
        assert receive(peer, 5) == b"hello"


@test
def w800_payload_and_the_next_link():
    """A link that was closed and given away gets none of the old payload."""
    server = Server()
    with Wifi("--free-ports") as s:
        s.up(passive=0)
        s.ask("AT+CIPSERVER=1,80", "OK")
        at = ("127.0.0.1", int(s.ctl("ports").split("=")[1]))
        peer = s.connect(0, server)
        s.write("AT+CIPSEND=0,6\r\n")
        s.expect(s.prompt())
        s.write("old")
        peer.close()
        s.expect("0,CLOSED\r\n")
        with socket.create_connection(at) as other:
            s.expect("0,CONNECT\r\n")
            s.write("old")
            s.expect(s.final("ERROR"))
            s.send(0, "new")
            assert receive(other, 3) == b"new"
        s.expect("0,CLOSED\r\n")


@test
def w800_escape_from_data_entry():
    """Pitfall 11: +++ with 30 ms around it, and AT works again."""
    server = Server()
    with Wifi() as s:
        s.up()
        peer = s.connect(0, server)
        s.write("AT+CIPSEND=0,100\r\n")
        s.expect(s.prompt())
        s.write("lost bytes")
        time.sleep(0.05)
        s.write("+++")
        s.silent(0.1)
        s.ask("AT", "OK")
        s.send(0, "alive")
        assert receive(peer, 5) == b"alive"
        # without the guards they are data
        s.write("AT+CIPSEND=0,10\r\n")
        s.expect(s.prompt())
        s.write("abc+++")
        time.sleep(0.05)
        s.write("defg")
        s.expect(s.sent(10))
        assert receive(peer, 10) == b"abc+++defg"
        # and so they are when they are all that is wanted
        s.write("AT+CIPSEND=0,3\r\n")
        s.expect(s.prompt())
        time.sleep(0.05)
        s.write("+++")
        s.expect(s.sent(3))
        assert receive(peer, 3) == b"+++"
        # in command mode they spoil the next line
        s.write("+++")
        s.write("AT\r\n")
        s.expect(s.final("ERROR"))
        s.ask("AT", "OK")
        assert s.violations() == {}
        assert s.stats()["escapes"] == 1


@test
def w800_violations():
    """What the manual forbids is counted, and refused."""
    server = Server()
    with Wifi("--free-ports", strict=True) as s:
        s.up()
        peer = s.connect(0, server)
        s.ask("AT+CIPMUX=0", "link is builded", "ERROR")
        s.ask("AT+CIPSERVER=1,80", "OK")
        s.ask("AT+CIPSERVERMAXCONN=2", "ERROR")
        s.write("hello\r\n")
        s.expect(s.final("ERROR"))
        assert s.violations() == {
            "cipmux-while-open": 1, "maxconn-while-serving": 1,
            "payload-without-prompt": 1, "total": 3}
        s.ctl("violations", "reset")
        # OK is the word that counts, not >
        s.ctl("quirk", "send-gaps", "on")
        s.write("AT+CIPSEND=0,5\r\n")
        s.expect(s.final())
        s.write("hello")
        s.expect(s.sent(5))
        s.ctl("quirk", "send-gaps", "off")
        assert receive(peer, 5) == b"hello"
        assert s.violations() == {}
        # payload before the prompt
        s.write("AT+CIPSEND=0,5\r\nhello")
        s.expect(s.prompt() + s.sent(5))
        assert s.violations() == {"payload-before-prompt": 1, "total": 1}
        assert receive(peer, 5) == b"hello"
        # ... and before the command has been looked at: lost
        s.ctl("violations", "reset")
        s.ctl("latency", "CIPSEND", 30)
        s.write("AT+CIPSEND=0,5\r\nlost!")
        s.expect(s.prompt())
        s.write("hello")
        s.expect(s.sent(5))
        assert receive(peer, 5) == b"hello"
        assert s.violations() == {"payload-before-prompt": 1, "total": 1}


@test
def w800_command_before_the_final_line():
    """One in flight, ever: begun before the final line had left."""
    with Wifi("--baud", "9600", paced=True) as s:
        s.write("ATE0\r\n")
        s.expect("ATE0\r\n" + s.final())
        s.write("AT\r\nAT\r\n")
        s.expect(s.final() * 2)
        assert s.violations() == {"command-while-running": 1, "total": 1}


@test
def w800_refused_by_order():
    """fail: as for the other dialect."""
    server = Server()
    with Wifi() as s:
        s.up()
        s.ctl("fail", "CIPSTART", 1)
        s.ask('AT+CIPSTART=0,"TCP","127.0.0.1",%d' % server.port, "ERROR")
        peer = s.connect(0, server)
        s.ctl("fail", "CIPSEND", 1, 2)
        for _ in range(2):
            s.write("AT+CIPSEND=0,5\r\n")
            s.expect(s.prompt())
            s.write("hello")
            s.expect(s.final("Recv 5 bytes") + s.final("SEND FAIL"))
        s.send(0, "again")
        assert receive(peer, 5) == b"again"
        s.ctl("fail", "CIPSEND", "error")
        s.ask("AT+CIPSEND=0,5", "ERROR")
        s.ctl("fail", "CIPRECVLEN?", "silent")
        s.write("AT+CIPRECVLEN?\r\n")
        s.silent(0.05)
        s.ctl("fail", "PING", 1)
        s.ask('AT+PING="127.0.0.1"', "+PING:TIMEOUT", "ERROR")
        s.ctl("fail", "CWJAP", 3)
        s.ask('AT+CWJAP="net","password"', "+CWJAP:3", "ERROR")
        s.ctl("break", 0)
        s.ask("AT+CIPSEND=0,5", "link is not valid", "ERROR")
        peer.close()
        s.expect("0,CLOSED\r\n")


@test
def w800_quirks_have_an_owner():
    """A switch of the other dialect is refused, as option and by control."""
    for args in (["--quirk", "send-gaps"],
                 ["--dialect", "w800", "--quirk", "netopen-fails"]):
        run = subprocess.run([simtest.BIN, *args], capture_output=True,
                             text=True, timeout=5)
        assert run.returncode == 2 and args[-1] in run.stderr, run
    with Wifi() as s:
        s.ctl("quirk", "netopen-fails", "on", status=1)
        s.ctl("quirk", "send-gaps", "on")
    with Sim() as s:
        s.ctl("quirk", "send-gaps", "on", status=1)
        s.ctl("quirk", "no-such", "on", status=1)
