# SPDX-License-Identifier: MIT
"""Every form of every command that the three manuals print.

A row is: situation, command, answer in blocks, where it is printed. For each
command the forms that no manual prints are tried as well: they are ERROR.
"ref" is the SIMCom reference, "manual" the A7600 manual, "appnote" the A7600
application note.
"""

from selftest_forms_rows import BRING_UP
from simtest import *

FREE = ["+CIPOPEN: %d" % n for n in range(10)]
NOT_OPEN = ("+IP ERROR: Network not opened", "ERROR")
NO_DATA = ("+IP ERROR: No data", "ERROR")
BAD = ("+IP ERROR: Invalid parameter", "ERROR")
STATES = "+CIPCLOSE: %d,%d,%d,%d,0,0,0,0,0,0"

# The forms that are printed: T test, R read, W write, E execute.
PRINTED = {
    "NETOPEN": "RE", "NETCLOSE": "E", "CIPOPEN": "TRW", "CIPSEND": "TRW",
    "CIPRXGET": "TRW", "CIPCLOSE": "TRW", "IPADDR": "E", "CIPHEAD": "TRWE",
    "CIPSRIP": "TRWE", "CIPMODE": "TRWE", "CIPSENDMODE": "TRW",
    "CIPTIMEOUT": "RW", "CIPCCFG": "TRWE", "SERVERSTART": "TRW",
    "SERVERSTOP": "WE", "CIPACK": "TW", "CDNSGIP": "TW",
    "CDNSGHNAME": "TW", "CIPDNSSET": "RW", "CPING": "TW", "CPINGSTOP": "TE",
    # bring-up: the appnote's flow charts, manual 6.1, 27.007
    "CPIN": "TRW", "CSQ": "TE", "CFUN": "TRW", "CREG": "TRW",
    "CGREG": "TRW", "CEREG": "TRW", "CPSI": "TRW", "CGDCONT": "TRW",
    "CGACT": "TRW", "CGPADDR": "TWE", "CGATT": "TRW", "COPS": "TRW",
    "CRESET": "TE", "IPR": "TRW", "CICCID": "TE", "CGSN": "TE",
    "CIMI": "TE", "CMEE": "TRWE", "CGMM": "TE", "CGMI": "TE", "CGMR": "TE",
    "CGAUTH": "TRW", "CGEREP": "TRWE", "IFC": "TRWE", "GCAP": "TE",
    "SIMEI": "TR", "CPAS": "TE",
}
# Answered although nothing prints it: ranges of what is printed.
ALSO = {("CIPDNSSET", "T")}

TAILS = {"T": "=?", "R": "?", "W": "=99", "E": ""}


def flag(name, where, read=None):
    """A command that stores 0 or 1."""
    return [
        ("closed", name + "=?", ["+%s: (0-1)" % name, "OK"], where + " T"),
        ("closed", name + "=2", ["ERROR"], where + " W"),
        ("closed", name + "=", ["ERROR"], where + " W"),
        ("closed", name + "=0,0", ["ERROR"], where + " W"),
        ("closed", name + "=0", ["OK"], where + " W"),
        ("closed", name + "?", ["+%s: 0" % (read or name), "OK"],
         where + " R"),
    ]


ROWS = [
    ("closed", "NETOPEN?", ["+NETOPEN: 0", "OK"], "manual 2.1 R"),
    ("closed", "NETCLOSE", ["+NETCLOSE: 2", "ERROR"], "manual 2.2 E3"),
    ("closed", "IPADDR", NOT_OPEN, "manual 2.7 E2"),
    ("closed", "CIPOPEN=?", ['+CIPOPEN: (0-9),("TCP","UDP")', "OK"],
     "manual 2.3 T"),
    ("closed", "CIPOPEN?", ["\r\n".join(FREE), "OK"], "manual 2.3 R"),
    ("closed", 'CIPOPEN=0,"TCP","127.0.0.1",9', ["+CIPOPEN: 0,2", "ERROR"],
     "manual 2.3 TCP 3"),
    ("closed", 'CIPOPEN=0,"UDP",,,5000', ["+CIPOPEN: 0,2", "ERROR"],
     "manual 2.3 UDP"),
    ("closed", 'CIPOPEN=11,"TCP","127.0.0.1",9', BAD, "manual 2.3 TCP 2"),
    ("closed", 'CIPOPEN=11,"UDP",,,5000', BAD, "manual 2.3 UDP 2"),
    ("closed", "CIPSEND=?", ["+CIPSEND: (0-9),(1-1500)", "OK"],
     "ref L1105 T"),
    ("closed", "CIPSEND?", ["+CIPSEND: (0-9),(1-1500)", "OK"],
     "ref L1105 example"),
    ("closed", "CIPSEND=0", ["+CIPERROR: 2", "ERROR"], "manual 2.4 3"),
    ("closed", "CIPSEND=0,5", ["+CIPERROR: 2", "ERROR"], "manual 2.4 3"),
    ("closed", 'CIPSEND=0,,"127.0.0.1",9', ["+CIPERROR: 2", "ERROR"],
     "manual 2.4 UDP 2"),
    ("closed", 'CIPSEND=0,5,"127.0.0.1",9', ["+CIPERROR: 2", "ERROR"],
     "manual 2.4 UDP 2"),
    ("closed", "CIPRXGET=?", ["+CIPRXGET: (0-4),(0-9),(1-1500)", "OK"],
     "manual 2.5 T"),
    ("closed", "CIPRXGET?", ["+CIPRXGET: 0", "OK"], "manual 2.5 R"),
    ("closed", "CIPRXGET=2,0",
     ["+IP ERROR: Operation not supported", "ERROR"], "manual 2.5 note 2"),
    ("closed", "CIPRXGET=5", ["ERROR"], "manual 2.5 W"),
    ("closed", "CIPRXGET=1", ["OK"], "manual 2.5 W"),
    ("closed", "CIPRXGET?", ["+CIPRXGET: 1", "OK"], "manual 2.5 R"),
    ("closed", "CIPRXGET=4,0", NOT_OPEN, "manual 2.5 W4 2"),
    ("closed", "CIPRXGET=2,0", NO_DATA, "manual 2.5 W2 2"),
    ("closed", "CIPRXGET=3,0", NO_DATA, "manual 2.5 W3 2"),
    ("closed", "CIPCLOSE=?", ["+CIPCLOSE: (0-9)", "OK"], "manual 2.6 T"),
    ("closed", "CIPCLOSE?", [STATES % (0, 0, 0, 0), "OK"], "manual 2.6 R"),
    ("closed", "CIPCLOSE=0", ["+CIPCLOSE: 0,2", "ERROR"], "manual 2.6 W4"),
    ("closed", "CIPCLOSE=10", ["ERROR"], "manual 2.6 W5"),
    ("closed", "SERVERSTART=?", ["+SERVERSTART: (0-65535),(0-3)", "OK"],
     "manual 2.14 T"),
    ("closed", "SERVERSTART?", ["+CIPERROR: 2", "ERROR"], "manual 2.14 R1"),
    ("closed", "SERVERSTART=8080,0", ["+CIPERROR: 2", "ERROR"],
     "manual 2.14 W2"),
    ("closed", "SERVERSTOP=0", ["+SERVERSTOP: 0,2", "ERROR"],
     "manual 2.15 W1"),
    ("closed", "CIPACK=?", ["+CIPACK: (0-9)", "OK"], "manual 2.16 T"),
    ("closed", "CIPACK=0", NOT_OPEN, "manual 2.16 W"),
    ("closed", "CIPACK=10", BAD, "manual 2.16 W"),
    ("closed", "CDNSGIP=?", ["OK"], "manual 2.17 T"),
    ("closed", 'CDNSGIP="localhost"', ["+CDNSGIP: 0,10", "ERROR"],
     "manual 2.17 W2"),
    ("closed", "CDNSGIP=localhost", ["ERROR"], "manual 2.17 W3"),
    ("closed", "CDNSGHNAME=?", ["OK"], "ref L1132 T"),
    ("closed", 'CDNSGHNAME="127.0.0.1"', ["+CDNSGHNAME: 0,10", "ERROR"],
     "ref L1132 W"),
    ("closed", "CIPTIMEOUT?", ["+CIPTIMEOUT: 120000,120000,120000", "OK"],
     "manual 2.12 R"),
    ("closed", "CIPTIMEOUT=30000,20000,40000", ["OK"], "manual 2.12 W"),
    ("closed", "CIPTIMEOUT=,,4000", ["OK"], "manual 2.12 W"),
    ("closed", "CIPTIMEOUT?", ["+CIPTIMEOUT: 30000,20000,4000", "OK"],
     "ref L1112 example"),
    ("closed", "CIPTIMEOUT=2999", ["ERROR"], "manual 2.12 W"),
    ("closed", "CIPCCFG=?", ["+CIPCCFG: (0-10),(0-1000),(0),(0-1),(0-1),"
                             "(0-1),(500-120000)", "OK"], "manual 2.13 T"),
    ("closed", "CIPCCFG?", ["+CIPCCFG: 10,0,0,1,0,0,500", "OK"],
     "manual 2.13 R"),
    ("closed", "CIPCCFG=3,500,0,1,1,1,500", ["OK"], "ref L1113 example"),
    ("closed", "CIPCCFG?", ["+CIPCCFG: 3,500,0,1,1,1,500", "OK"],
     "manual 2.13 R"),
    ("closed", "CIPCCFG=,,1", ["ERROR"], "manual 2.13 W"),
    ("closed", "CIPCCFG", ["OK"], "manual 2.13 E"),
    ("closed", "CIPCCFG?", ["+CIPCCFG: 10,0,0,1,0,0,500", "OK"],
     "manual 2.13 E"),
    ("closed", "CIPDNSSET?", ["+CIPDNSSET: 3,30000,7", "OK"], "ref L1133 R"),
    ("closed", "CIPDNSSET=1,30000,3", ["OK"], "ref L1133 W"),
    ("closed", "CIPDNSSET?", ["+CIPDNSSET: 1,30000,3", "OK"],
     "ref L1133 example"),
    ("closed", "CIPDNSSET=4", ["ERROR"], "ref L1133 W"),
    ("closed", "CPING=?", ["+CPING: IP address,(1,2),(1-100),(4-188),"
                           "(1000-10000),(10000-100000),(16-255)", "OK"],
     "ref L1134 T"),
    ("closed", 'CPING="127.0.0.1"', ["ERROR"], "ref L1134 W"),
    ("closed", "CPINGSTOP=?", ["OK"], "ref L1135 T"),
    ("closed", "CPINGSTOP", ["ERROR"], "ref L1135"),
    *flag("CIPHEAD", "manual 2.8"), *flag("CIPSRIP", "manual 2.9"),
    *flag("CIPMODE", "manual 2.10"), *flag("CIPSENDMODE", "manual 2.11"),
    ("closed", "CIPHEAD", ["OK"], "manual 2.8 E"),
    ("closed", "CIPHEAD?", ["+CIPHEAD: 1", "OK"], "manual 2.8 E"),
    ("closed", "CIPSRIP", ["OK"], "manual 2.9 E"),
    ("closed", "CIPSRIP?", ["+CIPSRIP: 1", "OK"], "manual 2.9 E"),
    ("closed", "CIPMODE=1", ["OK"], "manual 2.10 W"),
    ("closed", "CIPMODE", ["OK"], "manual 2.10 E"),
    ("closed", "CIPMODE?", ["+CIPMODE: 0", "OK"], "manual 2.10 E"),
    ("closed", "CIPSENDMODE=1", ["OK"], "manual 2.11 W"),
    ("closed", "CIPSENDMODE?", ["+CIPSENDMODE: 1", "OK"], "manual 2.11 R"),
    ("closed", "NETOPEN", ["OK", "+NETOPEN: 0"], "manual 2.1 E1"),
    ("closed", "NETCLOSE", ["OK", "+NETCLOSE: 0"], "manual 2.2 E1"),

    ("open", "NETOPEN?", ["+NETOPEN: 1", "OK"], "manual 2.1 R"),
    ("open", "NETOPEN", ["+IP ERROR: Network is already opened", "ERROR"],
     "manual 2.1 E2"),
    ("open", "IPADDR", ["+IPADDR: 10.0.0.2", "OK"], "manual 2.7 E1"),
    ("open", 'CIPOPEN=0,"TCP","127.0.0.1"', ["+CIPOPEN: 0,3", "ERROR"],
     "manual 2.3 TCP 3"),
    ("open", 'CIPOPEN=0,"SCTP","127.0.0.1",9', ["+CIPOPEN: 0,3", "ERROR"],
     "manual 2.3 TCP 3"),
    ("open", 'CIPOPEN=0,"UDP"', ["+CIPOPEN: 0,3", "ERROR"],
     "manual 2.3 UDP"),
    ("open", 'CIPOPEN=0,"TCP","no.where",80', ["OK", "+CIPOPEN: 0,11"],
     "manual 2.3 TCP 1"),
    ("open", "CIPSEND=0,5", ["+CIPERROR: 4", "ERROR"], "manual 2.4 3"),
    ("open", "CIPSEND=10,5", ["+CIPERROR: 3", "ERROR"], "manual 2.4 3"),
    ("open", "CIPSEND=0,0", ["+CIPERROR: 3", "ERROR"], "manual 2.4 3"),
    ("open", "CIPRXGET=2,0", NO_DATA, "manual 6.2.2.3"),
    ("open", "CIPRXGET=2,10", BAD, "manual 2.5 W2 3"),
    ("open", "CIPRXGET=3,0,751", BAD, "manual 2.5 W3 3"),
    ("open", "CIPRXGET=4", BAD, "manual 2.5 W4 2"),
    ("open", "CIPRXGET=4,0", ["+CIPRXGET: 4,0,0", "OK"], "manual 2.5 W4 1"),
    ("open", "CIPCLOSE=0", ["+CIPCLOSE: 0,4", "ERROR"], "manual 2.6 W4"),
    ("open", "SERVERSTART?", ["OK"], "manual 2.14 R2"),
    ("open", "SERVERSTART=65536,0", ["+CIPERROR: 3", "ERROR"],
     "manual 2.14 W2"),
    ("open", "SERVERSTART=8080,0", ["OK"], "manual 2.14 W1"),
    ("open", "SERVERSTART=8080,0", ["+CIPERROR: 7", "ERROR"],
     "manual 2.14 W2"),
    ("open", "SERVERSTART=8080,1,2", ["+CIPERROR: 6", "ERROR"],
     "manual 2.14 W2"),
    ("open", "SERVERSTART?", ["+SERVERSTART: 0,8080", "OK"],
     "manual 2.14 R2"),
    ("open", "SERVERSTOP=0", ["OK", "+SERVERSTOP: 0,0"], "manual 2.15 W3"),
    ("open", "SERVERSTOP=0", ["+SERVERSTOP: 0,4", "ERROR"],
     "manual 2.15 W1"),
    ("open", "SERVERSTOP=7", ["+SERVERSTOP: 7,3", "ERROR"],
     "manual 2.15 W1"),
    ("open", "SERVERSTOP=x", ["ERROR"], "manual 2.15 W4"),
    ("open", "SERVERSTART=9090,0", ["OK"], "manual 2.14 W1"),
    ("open", "SERVERSTOP", ["OK", "+SERVERSTOP: 0,0"], "manual 6.4.2"),
    ("open", "CIPACK=0", ["+IP ERROR: Connection is not created", "ERROR"],
     "manual 2.16 W"),
    ("open", 'CDNSGIP="localhost"',
     ['+CDNSGIP: 1,"localhost","127.0.0.1"', "OK"], "manual 2.17 W1"),
    ("open", 'CDNSGIP="no.where"', ["+CDNSGIP: 0,10", "ERROR"],
     "manual 2.17 W2"),
    ("open", 'CDNSGHNAME="127.0.0.1"',
     ['+CDNSGHNAME: 1,"localhost","127.0.0.1"', "OK"], "ref L1132 W"),
    ("open", 'CDNSGHNAME="10.9.8.7"', ["+CDNSGHNAME: 0,10", "ERROR"],
     "ref L1132 W"),
    ("open", 'CPING="no.where",1', ["OK", "+CPING: 3,0,0,0,0,0,0"],
     "ref L1134 W"),
    ("open", 'CPING="127.0.0.9",1', ["OK"], "ref L1134 W"),
    ("open", "CPINGSTOP", ["+CPING: 3,1,0,1,0,0,0", "OK"], "ref L1135"),

    ("links", "CIPOPEN?",
     ["\r\n".join([FREE[0], '+CIPOPEN: 1,"TCP","127.0.0.1",%(port)d,-1',
                   '+CIPOPEN: 2,"UDP","0.0.0.0",0,-1'] + FREE[3:]), "OK"],
     "manual 6.6"),
    ("links", 'CIPOPEN=1,"TCP","127.0.0.1",9', ["+CIPOPEN: 1,4", "ERROR"],
     "manual 2.3 TCP 3"),
    ("links", 'CIPOPEN=2,"UDP",,,0', ["+CIPOPEN: 2,4", "ERROR"],
     "manual 2.3 UDP"),
    ("links", 'CIPOPEN=3,"UDP",,,0', ["+CIPOPEN: 3,0", "OK"],
     "manual 2.3 UDP 1"),
    ("links", "CIPCLOSE?", [STATES % (0, 1, 1, 1), "OK"], "manual 6.6"),
    ("links", "CIPACK=1", ["+CIPACK: 0,0,0", "OK"], "manual 2.16 W"),
    ("links", "CIPACK=2", ["+IP ERROR: Operation not supported", "ERROR"],
     "manual 2.16 W"),
    ("links", "CIPSEND=2,5", ["+CIPERROR: 3", "ERROR"], "manual 2.4 UDP 2"),
    ("links", "CIPCLOSE=3", ["+CIPCLOSE: 3,0", "OK"], "manual 2.6 W2"),
    ("links", "CIPCLOSE=1", ["OK", "+CIPCLOSE: 1,0"], "manual 2.6 W1"),
    ("links", "NETCLOSE", ["OK", "+NETCLOSE: 0"], "ref L1102 note"),
    ("links", "CIPCLOSE?", [STATES % (0, 0, 0, 0), "OK"], "ref L1102 note"),
    *BRING_UP,
]


def form_of(command):
    if command.endswith("=?"):
        return "T"
    if command.endswith("?"):
        return "R"
    return "W" if "=" in command else "E"


def name_of(command):
    return command.split("=")[0].rstrip("?")


def answer(blocks):
    return "".join(line(block) for block in blocks)


def say(s, command, blocks, where):
    s.write("AT+" + command + "\r")
    try:
        s.expect(answer(blocks))
    except AssertionError as err:
        raise AssertionError("AT+%s (%s): %s" % (command, where, err))


def rows_of(situation):
    return [row[1:] for row in ROWS if row[0] == situation]


@test
def forms_when_closed():
    with Sim() as s:
        s.say("ATE0", "ATE0\r", OK)
        for row in rows_of("closed"):
            say(s, *row)


@test
def forms_when_open():
    with Sim("--free-ports", "--unanswered", "127.0.0.9") as s:
        s.up()
        for row in rows_of("open"):
            say(s, *row)


@test
def forms_with_links():
    server = Server()
    with Sim() as s:
        s.up()
        peer = s.connect(1, server)
        s.say('AT+CIPOPEN=2,"UDP",,,0', line("+CIPOPEN: 2,0"), OK)
        for command, blocks, where in rows_of("links"):
            blocks = [b % {"port": server.port} if "%(" in b else b
                      for b in blocks]
            say(s, command, blocks, where)
        assert peer.recv(1) == b""


@test
def forms_of_the_bring_up():
    with Sim() as s:
        s.say("ATE0", "ATE0\r", OK)
        for row in rows_of("bring-up"):
            say(s, *row)


@test
def forms_that_no_manual_prints():
    tried = {(name_of(c), form_of(c)) for _, c, _, _ in ROWS}
    rows = 0
    with Sim() as s:
        s.say("ATE0", "ATE0\r", OK)
        for name, printed in PRINTED.items():
            for form, tail in TAILS.items():
                if form in printed:
                    assert (name, form) in tried or name in (
                        "CRESET",), "no row for %s %s" % (name, form)
                elif (name, form) not in ALSO:
                    say(s, name + tail, ["ERROR"], "not printed")
                    rows += 1
    assert rows > 50, rows


@test
def errors_as_numbers():
    """CIPCCFG's errMode 0: the same rows, A7600 manual 3."""
    numbers = {"Network is already opened": 4, "Network not opened": 8,
               "Connection is not created": 11, "Invalid parameter": 12,
               "Operation not supported": 13, "No data": 22}
    seen = set()
    for situation in ("closed", "open"):
        with Sim("--free-ports", "--unanswered", "127.0.0.9") as s:
            s.say("ATE0", "ATE0\r", OK)
            if situation == "open":
                s.up_again()
            s.say("AT+CIPCCFG=,,,0", OK)
            for command, blocks, where in rows_of(situation):
                if not blocks[0].startswith("+IP ERROR: "):
                    if command.startswith("CIPRXGET=1"):
                        say(s, command, blocks, where)
                    continue
                code = numbers[blocks[0][11:]]
                seen.add(code)
                say(s, command, ["+IP ERROR: %d" % code, "ERROR"], where)
    assert seen == {4, 8, 11, 12, 13, 22}, seen
