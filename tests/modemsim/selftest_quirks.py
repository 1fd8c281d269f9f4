# SPDX-License-Identifier: MIT
"""The quirks that no other page plays, and hosts that are easy-going."""

import time

from simtest import *


@test
def net_quirks():
    with Sim("--quirk", "extra-contexts", "--late-time", "80") as s:
        s.say("ATE0", "ATE0\r", OK)
        s.say("AT+NETOPEN", OK, line("+NETOPEN: 1"))
        s.say("AT+CGDCONT=2", OK)
        s.say("AT+CGDCONT=3", OK)
        s.say("AT+NETOPEN", OK, line("+NETOPEN: 0"))
        s.say("AT+NETCLOSE", OK, line("+NETCLOSE: 0"))
        s.ctl("quirk", "netopen-result-first", "on")
        s.say("AT+NETOPEN", line("+NETOPEN: 0"), OK)
        s.say("AT+NETCLOSE", line("+NETCLOSE: 0"), OK)
        s.ctl("quirk", "netopen-result-first", "off")
        s.ctl("quirk", "netopen-late", 1)
        start = time.monotonic()
        s.say("AT+NETOPEN", OK, line("+NETOPEN: 0"))
        assert time.monotonic() - start > 0.07
        s.say("AT+NETCLOSE", OK, line("+NETCLOSE: 0"))
        s.ctl("quirk", "netopen-stuck", "on")
        for _ in range(3):
            s.say("AT+NETOPEN", OK, line("+NETOPEN: 1"))
        s.say("AT+CFUN=6", OK, line("RDY"), line("+CPIN: READY"),
              line("SMS DONE"), line("PB DONE"))
        s.ctl("quirk", "netopen-result-two", "on")
        s.say("AT+NETOPEN", "AT+NETOPEN\r", OK, line("+NETOPEN: 0,0"))
        s.ctl("quirk", "pb-done-late", "on")
        s.ctl("reboot")
        s.expect(line("RDY") + line("+CPIN: READY"))
        s.silent(0.05)
        s.expect(line("SMS DONE") + line("PB DONE"))


@test
def detaching():
    with Sim() as s:
        s.up()
        s.say("AT+CREG=1", OK)
        s.say("AT+CGATT=0", OK,
              line("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY"),
              line("+CREG: 2"), line("+CREG: 0"))
        s.say("AT+CPSI?", line("+CPSI: NO SERVICE,Online"), OK)
        s.say("AT+CGATT=1", line("+CREG: 1"), OK)
        for fun in (0, 4):
            s.say("AT+CFUN=%d" % fun, OK, line("+CREG: 0"))
            s.say("AT+CFUN?", line("+CFUN: %d" % fun), OK)
            s.say("AT+CFUN=1", OK, line("+CREG: 1"))


@test
def more_quirks():
    server = Server()
    with Sim("--late-time", "60") as s:
        s.up()
        s.ctl("quirk", "misprints", "on")
        s.say("AT+CIPRXGET=?", line("+CIPRXGET: (0-4),(1-1500)"), OK)
        s.say("AT+CIPSEND=?", line("AT+CIPSEND: (0-9),(1-1500)"), OK)
        s.say("AT+SERVERSTART=?", line("+SERVERSTART: 0,1000"), OK)
        s.say("AT+CIPMODE?", line("CIPMODE: 0"), OK)
        s.ctl("quirk", "misprints", "off")
        for name, command, answer in (
                ("cme-suffix", 'AT+CPIN="1"',
                 line("+CME ERROR: operation not allowed (#3)")),
                ("gmr-two-lines", "AT+GMR",
                 line("+CGMR: A7670M7_V1.11.1\r\n+CSUB: B01") + OK),
                ("cipopen-ten", 'AT+CIPOPEN=10,"TCP","127.0.0.1",1',
                 line("+CIPOPEN: 10,3") + ERROR),
                ("no-cipccfg", "AT+CIPCCFG=,,,0", ERROR)):
            s.ctl("quirk", name, "on")
            s.say(command, answer)
            s.ctl("quirk", name, "off")
        open_it = 'AT+CIPOPEN=0,"TCP","127.0.0.1",%d' % server.port
        for name, code in (("cipopen-fails", 1), ("cipopen-255", 255)):
            s.ctl("quirk", name, 1)
            s.say(open_it, OK, line("+CIPOPEN: 0,%d" % code))
        peer = s.connect(0, server)
        s.ctl("quirk", "send-busy", 1)
        s.say("AT+CIPSEND=0,1", line("+CIPERROR: 8"), ERROR)
        peer.send(b"abc")
        s.expect(line("+CIPRXGET: 1,0"))
        s.ctl("quirk", "rxget-hex-digits", 1)
        s.say("AT+CIPRXGET=3,0,1", line("+CIPRXGET: 3,0,2,4"), "61", READ_OK)
        s.ctl("quirk", "rxget-hex-digits", "off")
        s.ctl("quirk", "rxget-urc-split", 1)
        s.say("AT+CIPRXGET=2,0", line("+CIPRXGET: 2,0,2,0"),
              line("+CIPRXGET: 1,0"), "bc", READ_OK)
        s.ctl("quirk", "cipclose-late", 1)
        start = time.monotonic()
        s.say("AT+CIPCLOSE=0", OK, line("+CIPCLOSE: 0,0"))
        assert time.monotonic() - start > 0.05


@test
def easy_going_hosts():
    """CR LF, lower case, blanks, Ctrl-Z after a fixed length (Q15, Q53)."""
    server = Server()
    with Sim() as s:
        s.write("ate0\r\n")
        s.expect("ate0\r" + OK)
        for command in ("at", "At ", "AT E0", "AT&FE0",
                        "ATV1", "ATX4", "ATS0=0", "AT+CLTS=1"):
            s.write(command + "\r\n")
            s.expect(OK)
        s.write("at +cipmode?\r\n")
        s.expect(line("+CIPMODE: 0") + OK)
        s.write("ATI\r\n")
        s.expect(line("Manufacturer: SIMCOM INCORPORATED\r\n"
                      "Model: A7670E-FASE\r\nRevision: A7670M7_V1.11.1\r\n"
                      "IMEI: 861234050000017\r\n+GCAP: +CGSM,+FCLASS,+DS") +
                 OK)
        s.write("at+gmr\r\n")
        s.expect(line("+CGMR: A7670M7_V1.11.1") + OK)
        s.write("at+netopen\r\n")
        s.expect(OK + line("+NETOPEN: 0"))
        s.write('at+cipopen = 0, "tcp", "127.0.0.1", %d\r\n' % server.port)
        s.expect(OK + line("+CIPOPEN: 0,0"))
        peer = server.accept()
        s.write("AT+CIPSEND=0,5\r\n")
        s.expect("\r\n>")
        s.write("\nfive\x1a")
        s.expect(OK + line("+CIPSEND: 0,5,5"))
        assert receive(peer, 5) == b"\nfive"
        s.write("AT\r\n")
        s.expect(OK)
        s.ctl("quirk", "lf-is-payload", "on")
        s.write("AT+CIPSEND=0,5\r\n")
        s.expect("\r\n>")
        s.write("five")
        s.expect(OK + line("+CIPSEND: 0,5,5"))
        assert receive(peer, 5) == b"\nfive"


@test
def left_in_data_mode():
    with Sim("--data-at-start", "--quirk", "escape-lost=1") as s:
        for escape in range(2):
            s.write("AT\r")
            s.silent(1.01)
            s.write("+++")
            if escape:
                s.silent(0.9)
                s.expect(OK)
            else:
                s.silent(1.1)       # escape-lost
        s.say("AT+CIPCLOSE=0", "AT+CIPCLOSE=0\r", line("CLOSED"),
              line("+CIPCLOSE: 0,0"), OK)
        assert s.violations() == {}
