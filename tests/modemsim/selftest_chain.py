# SPDX-License-Identifier: MIT
"""Several commands in a line, and the forms of V.250's answers."""

import time

from simtest import *


@test
def several_in_a_line():
    """V.250 5.2.1: the first failure ends the line, with one final code."""
    with Sim() as s:
        s.say("ATE0", "ATE0\r", OK)
        csq = line("+CSQ: 25,99")
        s.say("AT+CSQ;+CREG?", csq, line("+CREG: 0,1"), OK)
        s.say("AT+CSQ;+NOSUCH;+CREG?", csq, ERROR)
        s.say("AT+CIPOPEN?;", '\r\n' + "".join(
            "+CIPOPEN: %d\r\n" % n for n in range(10)), OK)
        s.say("AT+CSQ; +CPIN=1 ;+CSQ", csq,
              line("+CME ERROR: operation not allowed"))
        s.say("AT;", OK)
        s.say("AT+CREG=1;", OK)
        s.say("ATE0V1X1Q0S0=0&D1&C1+CSQ;+CREG?", csq, line("+CREG: 1,1"), OK)
        s.say("at e0 v1 +csq ; +creg?", csq, line("+CREG: 1,1"), OK)
        s.say("ATE0J1+CSQ", ERROR)
        # a sign in quotes separates nothing
        s.say('AT+CGDCONT=1,"IP","a;+CSQ";+CGDCONT?',
              line('+CGDCONT: 1,"IP","a;+CSQ","",0,0'), OK)
        # results come when the line has been answered
        s.say("AT+CIPRXGET=1;+NETOPEN;+CSQ", csq, OK, line("+NETOPEN: 0"))
        s.say('AT+CDNSGIP="localhost";+CSQ',
              line('+CDNSGIP: 1,"localhost","127.0.0.1"'), csq, OK)
        s.say('AT+CDNSGIP="no.where";+CSQ', line("+CDNSGIP: 0,10"), ERROR)
        s.say("A/", line("+CDNSGIP: 0,10"), ERROR)
        assert s.violations() == {}


@test
def a_chain_takes_its_time():
    server = Server()
    with Sim("--latency-for", "CSQ=60") as s:
        s.up()
        start = time.monotonic()
        s.say("AT+CSQ;+CSQ", *[line("+CSQ: 25,99")] * 2, OK)
        assert 0.11 < time.monotonic() - start < 0.3
        peer = s.connect(0, server)
        s.say("AT+CIPSEND=0,3;+CSQ", "\r\n>")
        s.write("abc")
        s.expect(line("+CSQ: 25,99") + OK + line("+CIPSEND: 0,3,3"))
        assert receive(peer, 3) == b"abc"
        # what comes while the second one waits is a command too early
        s.write("AT+CREG?;+CSQ\r")
        s.expect(line("+CREG: 0,1"), 0.03)
        s.write("AT\r")
        s.expect(line("+CSQ: 25,99") + OK)
        assert s.violations() == {"command-while-running": 1, "total": 1}


@test
def short_and_quiet_answers():
    """V.250 6.2.5, 6.2.6."""
    server = Server()
    with Sim("--quirk", "escape-no-guard") as s:
        s.say("ATE0", "ATE0\r", OK)
        s.say("ATV0", "0\r")
        s.say("AT+CSQ", "+CSQ: 25,99\r\n0\r")
        s.say("AT+NOSUCH", "4\r")
        s.say('AT+COPS=1,2,"1"', "+CME ERROR: no network service\r\n")
        s.say("ATQ1")
        s.say("AT+NOSUCH")
        s.say("AT+CSQ", "+CSQ: 25,99\r\n")
        s.say("ATQ0V1", OK)
        s.say("AT+CIPMODE=1;+NETOPEN", OK, line("+NETOPEN: 0"))
        s.say("ATX0", OK)
        open_it = 'AT+CIPOPEN=0,"TCP","127.0.0.1",%d' % server.port
        s.say(open_it, line("CONNECT"))
        peer = server.accept()
        s.write("+++")
        s.expect(OK)
        s.say("ATX1V0", "0\r")
        s.say("ATO", "1\r")
        s.ctl("quirk", "end-no-carrier", "on")
        peer.close()
        s.expect("3\r")


# &C, &D, E, S7, IFC
PROFILE = ("&C: %d; &D: %d; &F: 0; E: %d; Q: 0; V: 1; X: 1; Z: 0; S0: 0;\r\n"
           "S3: 13; S4: 10; S5: 8; S6: 2; S7: %d; S8: 2; S9: 0; S10: 15; "
           "S11: 0;\r\n+ICF: 3,3; +IFC: %s; +IPR: 0;")


@test
def stored_profile():
    """AT&W, ATZ, AT&F, and what a boot brings back."""
    boot = (line("RDY"), line("+CPIN: READY"), line("SMS DONE"),
            line("PB DONE"))
    with Sim() as s:
        s.say("ATE0&D2+IFC=2,2", "ATE0&D2+IFC=2,2\r", OK)
        s.say("AT&W", OK)
        s.say("ATE1V0", "0\r")
        s.say("ATZ", "ATZ\r", OK)
        s.say("AT&C1S7=30", OK)
        s.say("AT&V", line(PROFILE % (1, 2, 0, 30, "2,2")), OK)
        s.say("AT+CRESET", OK, *boot)
        s.say("AT+IFC?", line("+IFC: 2,2"), OK)     # no echo: as stored
        s.say("AT&FZE0&W", OK)      # the stored profile, then E0
        s.say("AT&F", OK)
        s.say("AT&V", "AT&V\r", line(PROFILE % (0, 0, 1, 0, "0,0")), OK)
        s.say("ATE0", "ATE0\r", OK)
        for good, bad in (("ATX4", "ATX5"), ("ATQ0", "ATQ2"),
                          ("ATV1", "ATV9"), ("AT&D0", "AT&D3"),
                          ("AT&C0", "AT&C3"),
                          ("ATZ0", "ATZ7"), ("AT&F0E0", "AT&F1"),
                          ("ATS3=13", "ATS3=12"), ("ATS0=3", "ATS0=256")):
            s.say(good, OK)
            s.say(bad, ERROR)
        s.say("ATS0?", line("003"), OK)
        s.say("ATS", ERROR)
        s.say("ATE?", ERROR)
        for name, value in (("CLTS", 1), ("CNMP", 38), ("CMGF", 1),
                            ("CSCLK", 0), ("CGSMS", 2)):
            s.say("AT+%s=%d" % (name, value), OK)
            s.say("AT+%s?" % name, line("+%s: %d" % (name, value)), OK)
            s.say("AT+%s=77" % name, ERROR)
        s.say("AT+CPOF", OK, line("NORMAL POWER DOWN"))
        time.sleep(0.05)
        s.write("AT\r")
        s.silent(0.05)
        s.ctl("reboot")
        s.expect("".join(boot))


@test
def plus_signs_before_a_command():
    """An escape where there is no data mode; V.250 5.2.1 wants its AT."""
    with Sim() as s:
        s.say("ATE0", "ATE0\r", OK)
        s.say("+++AT", OK)
        assert s.stats()["escapes"] == 1
        assert s.violations() == {}
        s.say("+++")
        assert s.violations() == {"payload-without-prompt": 1, "total": 1}
