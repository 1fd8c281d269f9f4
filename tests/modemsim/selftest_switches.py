# SPDX-License-Identifier: MIT
"""Quirks that are one answer each: a table, and those that need a story."""

import socket
import time

from simtest import *

CGEV = line("+CGEV: EPS PDN ACT 1")
CSQ = line("+CSQ: 25,99")
BOOT = line("RDY") + line("+CPIN: READY")
DONE = line("SMS DONE") + line("PB DONE")
TIMEOUT = "AT+CIPTIMEOUT=3000"

# Quirk, command, the answer with it; "closed": before NETOPEN.
CLOSED = [
    ("blank-double", "AT+CSQ", "\r\n\r\n" + CSQ + "\r\n\r\n" + OK),
    ("blank-none", "AT+CSQ", "+CSQ: 25,99\r\nOK\r\n"),
    ("crcrlf", "AT+CSQ", "\r\n+CSQ: 25,99\r\r\n" + OK),
    ("urc-after-ok", "AT", OK + CGEV),
    ("atv0-ignored", "ATV0", OK),
    ("atv0-ignored", "ATV0;+CSQ", CSQ + OK),
    ("command-silent", "AT", ""),
    ("cme-swapped", "AT+CPIN=1", line("+CME ERROR: 3")),
    ("sim-busy-first", "AT+CPIN?", line("+CME ERROR: SIM busy") +
     line("+CPIN: READY")),
    ("netclose-legacy", "AT+NETCLOSE", line("+IP ERROR: 5") + ERROR),
    ("ip-error-numeric", "AT+IPADDR", line("+IP ERROR: 8") + ERROR),
    ("no-ciptimeout", TIMEOUT, ERROR),
    ("no-ciptimeout", "AT+CIPTIMEOUT?", ERROR),
    ("no-ciptimeout", "AT+CIPSENDMODE=0", ERROR),
    ("no-ciptimeout", "AT+CIPSENDMODE?", ERROR),
    ("no-tcp", "AT+NETOPEN", ERROR),
    ("no-tcp", "AT+CIPRXGET=1", ERROR),
    ("netopen-error", "AT+NETOPEN", ERROR),
    ("netopen-fails", "AT+NETOPEN", OK + line("+NETOPEN: 1")),
    ("reboot-on-netopen", "AT+NETOPEN", BOOT + DONE),
]

OPEN = [
    ("netopen-again-error", "AT+NETOPEN", ERROR),
    ("cipclose-legacy", "AT+CIPCLOSE=0", line("+IP ERROR: 8") + ERROR),
    ("no-data-numeric", "AT+CIPRXGET=2,0", line("+IP ERROR: 22") + ERROR),
    ("no-data-case", "AT+CIPRXGET=2,0", line("+IP ERROR: no data") + ERROR),
    ("rxget-error", "AT+CIPRXGET=4,0", ERROR),
    ("cipclose-list-cut", "AT+CIPCLOSE?", "\r\n+CIPCLOSE: 0,0,0,0,0"),
    ("netopen-no-bearer", 'AT+CIPOPEN=0,"TCP","127.0.0.1",9', OK +
     line("+CIPOPEN: 0,1")),
    ("netopen-no-bearer", "AT+CGACT=1,1", line("+CME ERROR: unknown")),
]


def play(s, rows):
    for name, command, answer in rows:
        s.ctl("quirk", name, "on")
        s.say(command, answer)
        s.ctl("quirk", name, "off")


@test
def switches_when_closed():
    with Sim() as s:
        s.say("ATE0", "ATE0\r", OK)
        play(s, CLOSED)
        s.say("AT+CPIN?", "AT+CPIN?\r", line("+CPIN: READY"), OK)


@test
def switches_when_open():
    with Sim() as s:
        s.up()
        s.say('AT+CGDCONT=1,"IP","net"', OK)
        play(s, OPEN)
        s.ctl("network-loss")
        s.expect(line("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY"))
        play(s, [("rxget4-dead-ok", "AT+CIPRXGET=4,0",
                  line("+CIPRXGET: 4,0,0") + OK)])


@test
def switches_of_the_echo():
    with Sim("--quirk", "echo-sticky") as s:
        for _ in range(2):
            s.say("ATE0", "ATE0\r", OK)
        s.ctl("quirk", "echo-sticky", "off")
        s.say("ATE0", "ATE0\r", OK)
        s.ctl("quirk", "echo-returns", 1)
        s.say("AT", OK)
        s.say("AT", "AT\r", OK)


@test
def switches_of_a_boot():
    for name, want in (
            ("sms-after-pb", BOOT + line("PB DONE") + line("SMS DONE")),
            ("no-pb-done", BOOT),
            ("star-urcs", line("RDY") +
             line('*ISIMAID: "A0000000871004FFFFFFFF89"') +
             line('*COPN:0,"SIMNET"') + line("+CPIN: READY") + DONE)):
        with Sim("--quirk", name) as s:
            s.ctl("reboot")
            s.expect(want)
    with Sim("--quirk", "pb-done-on-attach") as s:
        s.up()
        s.ctl("network-loss", "for", 50)
        s.expect(line("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY") +
                 line("PB DONE") + line("SMS DONE"))
    with Sim("--quirk", "cgev-flood") as s:
        flood = line("+CGEV: ME PDN DEACT 1")
        s.expect(flood * 3)
        s.say("AT+CGEREP=0,0", "AT+CGEREP=0,0\r", OK)
        s.silent(0.25)
    with Sim("--quirk", "other-urcs=3") as s:
        for foreign in ('+CMTI: "SM",4', "+CGPS: 0", '+CUSD: 0,"bye",72'):
            s.say("AT", "AT\r", OK, line(foreign))


@test
def switches_of_opening():
    server = Server()
    open_it = 'AT+CIPOPEN=0,"TCP","127.0.0.1",%d' % server.port
    with Sim("--late-time", "70") as s:
        s.say("ATE0", "ATE0\r", OK)
        s.ctl("quirk", "netopen-silent", 1)
        s.say("AT+NETOPEN", OK)
        s.say("AT+NETOPEN?", line("+NETOPEN: 1"), OK)
        s.ctl("quirk", "cipopen-result-first", 1)
        s.say(open_it, line("+CIPOPEN: 0,0"), OK)
        s.say("AT+CIPCLOSE=0", OK, line("+CIPCLOSE: 0,0"))
        s.ctl("quirk", "cipopen-late", 1)
        start = time.monotonic()
        s.say(open_it, OK, line("+CIPOPEN: 0,0"))
        assert time.monotonic() - start > 0.06
        s.ctl("quirk", "reboot-on-cipopen", 1)
        s.say('AT+CIPOPEN=1,"TCP","127.0.0.1",%d' % server.port, OK,
              BOOT + DONE)
        s.say("AT+NETOPEN?", "AT+NETOPEN?\r", line("+NETOPEN: 0"), OK)


@test
def switches_of_sending():
    server = Server()
    with Sim("--late-time", "70") as s:
        s.up()
        for name, prompt in (("urc-before-prompt", CGEV + "\r\n>"),
                             ("urc-after-prompt", "\r\n>" + CGEV)):
            peer = s.connect(0, server)
            s.ctl("quirk", name, 1)
            s.say("AT+CIPSEND=0,2", prompt)
            s.write("ab")
            s.expect(OK + line("+CIPSEND: 0,2,2"))
            s.say("AT+CIPCLOSE=0", OK, line("+CIPCLOSE: 0,0"))
        for name, result in (
                ("send-zero", OK + line("+CIPSEND: 0,2,0")),
                ("send-minus-one", OK + line("+CIPSEND: 0,2,-1")),
                ("send-never", OK),
                ("send-late", OK + line("+CIPSEND: 0,2,2")),
                ("send-result-first", line("+CIPSEND: 0,2,2") + OK)):
            peer = s.connect(0, server)
            s.ctl("quirk", name, 1)
            s.say("AT+CIPSEND=0,2", "\r\n>")
            s.write("ab")
            s.expect(result)
            if name in ("send-late", "send-never", "send-result-first"):
                assert receive(peer, 2) == b"ab"
            s.say("AT+CIPCLOSE=0", OK, line("+CIPCLOSE: 0,0"))
        peer = s.connect(0, server)
        s.ctl("quirk", "reboot-on-cipsend", 1)
        s.say("AT+CIPSEND=0,2", "\r\n>")
        s.write("ab")
        s.expect(BOOT + DONE)
        peer.close()
        assert s.violations() == {}


@test
def switches_of_closing():
    server = Server()
    with Sim() as s:
        s.up()
        peer = s.connect(0, server)
        s.ctl("quirk", "cipclose-close-ok", 1)
        s.say("AT+CIPCLOSE=0", OK, line("CLOSE OK"), line("+CIPCLOSE: 0,0"))
        peer = s.connect(0, server)
        s.ctl("quirk", "cipclose-silent", 1)
        s.say("AT+CIPCLOSE=0", OK)
        peer.close()
        s.ctl("quirk", "cipclose-lies", "on")
        peer = s.connect(0, server)
        peer.close()
        s.expect(line("+IPCLOSE: 0,1"))
        s.say("AT+CIPCLOSE?", line("+CIPCLOSE: 1,0,0,0,0,0,0,0,0,0"), OK)
        s.say("AT+CIPSEND=0,1", line("+CIPERROR: 4"), ERROR)
        for name, end in (("ipclose-tight", line("+IPCLOSE:0,1")),
                          ("ipclose-lost", "")):
            s.ctl("quirk", name, "on")
            s.connect(0, server).close()
            s.expect(end)
            time.sleep(0.02)
            s.ctl("quirk", name, "off")
        s.silent(0.02)
        s.ctl("quirk", "cipevent-tight", "on")
        s.ctl("network-loss")
        s.expect(line("+CIPEVENT:NETWORK CLOSED UNEXPECTEDLY"))


@test
def switches_of_data():
    server = Server()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.settimeout(0.1)
    with Sim("--free-ports", "--ping-wait", "30") as s:
        s.up()
        peer = s.connect(0, server)
        peer.sendall(b"x" * 1500)
        s.expect(line("+CIPRXGET: 1,0"))
        time.sleep(0.02)
        s.ctl("quirk", "rxget-max-1460", "on")
        s.say("AT+CIPRXGET=2,0", line("+CIPRXGET: 2,0,1460,40"), "x" * 1460,
              READ_OK)
        s.say('AT+CIPOPEN=1,"UDP","127.0.0.1",%d,0' % udp.getsockname()[1],
              line("+CIPOPEN: 1,0"), OK)
        s.ctl("quirk", "udp-lost", 1)
        s.send(1, b"lost")
        s.send(1, b"here")
        assert udp.recv(9) == b"here"
        s.ctl("quirk", "ping-lost", 1)
        s.say('AT+CPING="127.0.0.1",1,1', OK)
        s.expect(line("+CPING: 2") + line("+CPING: 3,1,0,1,0,0,0"))
    with Sim("--quirk", "transparent-others") as s:
        s.say("ATE0", "ATE0\r", OK)
        s.say("AT+CIPMODE=1;+CIPRXGET=1;+NETOPEN", OK, line("+NETOPEN: 0"))
        peer = s.connect(1, server)
        s.send(1, b"command mode")
        assert receive(peer, 12) == b"command mode"
