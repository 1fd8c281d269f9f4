# SPDX-License-Identifier: MIT
"""Names, ping, CIPSENDMODE, CIPCCFG, byte for byte."""

import socket
import time

from simtest import *


@test
def names():
    """SIMCom ref L1132, L1133."""
    with Sim("--host", "mail.sim.com=58.32.231.148") as s:
        s.say("ATE0", "ATE0\r", OK)
        s.say('AT+CDNSGHNAME="127.0.0.1"', line("+CDNSGHNAME: 0,10"), ERROR)
        s.up_again()
        s.say('AT+CDNSGHNAME="58.32.231.148"',
              line('+CDNSGHNAME: 1,"mail.sim.com","58.32.231.148"'), OK)
        s.say('AT+CDNSGHNAME="127.0.0.1"',
              line('+CDNSGHNAME: 1,"localhost","127.0.0.1"'), OK)
        s.say('AT+CDNSGHNAME="10.9.8.7"', line("+CDNSGHNAME: 0,10"), ERROR)
        s.ctl("quirk", "cdnsghname-ok", "on")
        s.say('AT+CDNSGHNAME="10.9.8.7"', line("+CDNSGHNAME: 0,10"), OK)
        s.say("AT+CDNSGHNAME=?", OK)
        for bad in ("mail", '"mail.sim.com"', '"1.2.3"', ""):
            s.say("AT+CDNSGHNAME=" + bad, ERROR)
        label = "a" * 63
        long = ".".join([label] * 3 + ["b" * 62])
        assert len(long) == 254
        for good in (label + ".b", "0a.b-c", long):
            s.say('AT+CDNSGIP="%s"' % good, line("+CDNSGIP: 0,10"), ERROR)
        for bad in (label + "a.b", "-a.b", "a.-b", "a..b", "a_b", long + "b"):
            s.say('AT+CDNSGIP="%s"' % bad, ERROR)
        s.say("AT+CIPDNSSET?", line("+CIPDNSSET: 3,30000,7"), OK)
        s.say("AT+CIPDNSSET=1,,3", OK)
        s.say("AT+CIPDNSSET?", line("+CIPDNSSET: 1,30000,3"), OK)
        s.say("AT+CIPCCFG=2,20000,5", OK)      # the misprint
        s.say("AT+CIPDNSSET?", line("+CIPDNSSET: 2,20000,5"), OK)
        s.say("AT+CIPCCFG?", line("+CIPCCFG: 10,0,0,1,0,0,500"), OK)


@test
def ping():
    """SIMCom ref L1134, L1135."""
    with Sim("--ping-time", "20", "--ping-wait", "60", "--unanswered",
             "127.0.0.9", "--host", "www.baidu.com=127.0.0.2") as s:
        s.say("ATE0", "ATE0\r", OK)
        s.say('AT+CPING="127.0.0.1",1', OK, line("+CPING: 3,0,0,0,0,0,0"))
        s.up_again()
        s.say("AT+CPING=?", line(
            "+CPING: IP address,(1,2),(1-100),(4-188),(1000-10000),"
            "(10000-100000),(16-255)"), OK)
        for bad in ('"127.0.0.1"', '"127.0.0.1",2', '"127.0.0.1",1,0',
                    '"127.0.0.1",1,1,3', '"127.0.0.1",1,1,64,999',
                    '"127.0.0.1",1,1,64,1000,9999', "127.0.0.1,1",
                    '"127.0.0.1",1,1,64,1000,10000,15'):
            s.say("AT+CPING=" + bad, ERROR)
        s.say("AT+CPINGSTOP", ERROR)
        s.say('AT+CPING="www.baidu.com",1,2,64,1000,10000,255', OK)
        s.expect(line("+CPING: 1,127.0.0.2,64,20,255"))
        s.say('AT+CPING="127.0.0.1",1', ERROR)      # one at a time
        s.expect(line("+CPING: 1,127.0.0.2,64,20,255") +
                 line("+CPING: 3,2,2,0,20,20,20"))
        s.say('AT+CPING="127.0.0.9",1,1,,,,64', OK)
        s.expect(line("+CPING: 2") + line("+CPING: 3,1,0,1,0,0,0"))
        s.say('AT+CPING="nowhere.example",1', OK,
              line("+CPING: 3,0,0,0,0,0,0"))
        s.ctl("quirk", "ping-spelling", "on")
        s.ctl("quirk", "cping-tight", "on")
        s.say('AT+CPING="127.0.0.1",1,1', OK)
        s.expect(line("+CPING:1,127.0.0.1,64,20,255") +
                 line("+PING: 3,1,1,0,20,20,20"))
        s.ctl("quirk", "ping-spelling", "off")
        s.ctl("quirk", "cping-tight", "off")
        s.say("AT+CPINGSTOP=?", OK)
        for tail, stop in (("", line("+CPING: 3,1,1,0,20,20,20") + OK),
                           ("on", OK)):
            s.ctl("quirk", "cpingstop-plain", tail or "off")
            s.say('AT+CPING="127.0.0.1",1,100', OK)
            s.expect(line("+CPING: 1,127.0.0.1,64,20,255"))
            s.say("AT+CPINGSTOP", stop)
        s.silent(0.05)


@test
def send_mode():
    """+CIPSEND waits for the peer's ACK: not while its window is shut."""
    server = Server()
    server.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
    with Sim() as s:
        s.up()
        s.say("AT+CIPSENDMODE=1", OK)
        peer = s.connect(0, server)
        block = b"x" * 1500
        sent, answer = 0, b""
        while sent < 100:
            s.say("AT+CIPSEND=0,1500", "\r\n>")
            s.write(block)
            sent += 1
            answer = b""
            end = time.monotonic() + 0.1
            while time.monotonic() < end:
                answer += s.read(0.02)
            if b"+CIPSEND" not in answer:
                break
        assert answer == OK.encode(), answer
        s.write("AT+CIPACK=0\r")
        got = s.read(1).decode()
        fields = got.split(": ")[1].split("\r")[0].split(",")
        total = 1500 * sent
        assert int(fields[0]) == total and int(fields[1]) < total, got
        assert receive(peer, total) == block * sent
        s.expect(line("+CIPSEND: 0,1500,1500"))
        s.say("AT+CIPACK=0", line("+CIPACK: %d,%d,0" % (total, total)), OK)
        for bad in ("10", "x", "", "0,1"):
            s.say("AT+CIPACK=" + bad, line("+IP ERROR: Invalid parameter"),
                  ERROR)
        s.say("AT+CIPACK=1", line("+IP ERROR: Connection is not created"),
              ERROR)
        s.say("AT+CIPCCFG=,,,0", OK)
        s.say("AT+CIPACK=1", line("+IP ERROR: 11"), ERROR)
        s.say("AT+CIPCCFG", OK)
        s.say("AT+CIPCCFG?", line("+CIPCCFG: 10,0,0,1,0,0,500"), OK)
        s.say("AT+CIPACK=1", line("+IP ERROR: Connection is not created"),
              ERROR)
