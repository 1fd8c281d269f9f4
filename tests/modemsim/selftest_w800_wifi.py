# SPDX-License-Identifier: MIT
"""W800: joining, losing, coming back, boots, what flash keeps, the time."""

import socket
import termios
import time

from w800test import *

UP = "WIFI CONNECTED\r\nWIFI GOT IP\r\nWIFI GOT IPv6 LL\r\n"


@test
def w800_joining():
    """Guide CWJAP, CWSTATE, CWQAP, CWLAP."""
    with Wifi("--ssid", "net", "--wifi-password", "password",
              "--register-time", "100") as s:
        s.write("ATE0\r\n")
        s.expect("ATE0\r\n" + s.final())
        s.ask("AT+CWSTATE?", '+CWSTATE:0,""', "OK")
        s.ask("AT+CIFSR", '+CIFSR:STAIP,"0.0.0.0"',
              '+CIFSR:STAMAC,"28:6d:cd:00:00:01"', "OK")
        s.ask('AT+CWJAP="other","password"', "+CWJAP:3", "ERROR")
        s.ask('AT+CWJAP="net","passwort"', "+CWJAP:2", "ERROR")
        s.ask("AT+CWLAP", '+CWLAP:(3,"net",-50,"18:6d:cd:55:e5:7b",6,4,4,5,'
              "0)", "OK")
        s.ask('AT+CWLAP="other"', "OK")
        s.write('AT+CWJAP="net","password"\r\n')
        s.silent(0.05)
        s.ask("AT", "busy p...")
        s.expect(UP + s.final())
        s.ask("AT+CWSTATE?", '+CWSTATE:2,"net"', "OK")
        s.write("AT+CWQAP\r\n")
        s.expect(s.final() + "WIFI DISCONNECT\r\n")
        s.ask("AT+CWSTATE?", '+CWSTATE:4,"net"', "OK")
        s.write("AT+CWJAP\r\n")                 # the one of before
        s.expect(UP + s.final())
        s.write('AT+CWJAP="net","password"\r\n')
        s.expect("WIFI DISCONNECT\r\n" + UP + s.final())
        s.write("AT+CWMODE=2\r\n")
        s.expect(s.final() + "WIFI DISCONNECT\r\n")
        s.ask('AT+CWJAP="net","password"', "ERROR")
        s.write("AT+CWMODE=1\r\n")              # joins by itself
        s.expect(s.final() + UP)


@test
def w800_loss():
    """wifi-loss, network-loss: every link is told; back by itself or not."""
    server = Server()
    for order in (("wifi-loss", "wifi-back"),
                  ("network-loss", "network-back")):
        with Wifi("--free-ports") as s:
            s.up()
            peers = [s.connect(n, server) for n in (0, 3)]
            s.ask("AT+CIPSERVER=1,80", "OK")
            s.write("AT+CIPSEND=3,5\r\n")
            s.expect(s.prompt())
            s.ctl(order[0])
            s.expect("WIFI DISCONNECT\r\n0,CLOSED\r\n3,CLOSED\r\n")
            s.write("hello")
            s.expect(s.final("ERROR"))
            s.ask('AT+CIPSTART=0,"TCP","127.0.0.1",%d' % server.port,
                  "no ip", "ERROR")
            s.ask("AT+CWSTATE?", '+CWSTATE:3,"net"', "OK")
            # the server is still there, and nobody reaches it
            port = int(s.ctl("ports").split("=")[1])
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.settimeout(3)
                assert client.recv(1) == b""
            s.ask("AT+CIPSERVER?", '+CIPSERVER:1,80,"TCP",0', "OK")
            s.ctl(order[1])
            s.expect(UP)
            with socket.create_connection(("127.0.0.1", port)):
                s.expect("0,CONNECT\r\n")
            s.expect("0,CLOSED\r\n")
            s.ctl(order[0], "for", 50)
            s.expect("WIFI DISCONNECT\r\n" + UP)
            for way in ("reconn", "quirk"):
                if way == "reconn":
                    s.ask("AT+CWRECONNCFG=0,0", "OK")
                else:
                    s.ask("AT+CWRECONNCFG=1,0", "OK")
                    s.ctl("quirk", "wifi-stays-away", "on")
                s.ctl(order[0])
                s.expect("WIFI DISCONNECT\r\n")
                s.ctl(order[1])
                s.silent(0.05)
                s.join()
            for peer in peers:
                peer.close()


@test
def w800_loss_while_something_is_pending():
    server = Server()
    with Wifi("--unanswered", "127.0.0.9") as s:
        s.up()
        s.write('AT+CIPSTART=0,"TCP","127.0.0.9",80\r\n')
        s.silent(0.02)
        s.ctl("wifi-loss")
        s.expect("WIFI DISCONNECT\r\n" + s.final("ERROR"))
        s.ctl("wifi-back")
        s.expect(UP)
        peer = s.connect(0, server)
        peer.sendall(b"never read")
        s.expect(s.ipd(0, size=10))
        s.ctl("wifi-loss")
        s.expect("WIFI DISCONNECT\r\n0,CLOSED\r\n")
        s.ask("AT+CIPRECVDATA=0,10", "ERROR")
        s.ctl("wifi-back")
        s.expect(UP)
        s.ctl("registration", "none")
        s.expect("WIFI DISCONNECT\r\n")
        s.ctl("registration", "home")
        s.expect(UP)
        s.ctl("registration", "denied")
        s.expect("WIFI DISCONNECT\r\n")
        s.ctl("wifi-back")
        s.silent(0.02)
        s.ctl("sim", "none", status=1)
        s.ask('AT+CWJAP="net","password"', "+CWJAP:3", "ERROR")


@test
def w800_boots():
    """AT+RST, AT+RESTORE, power: what is gone, and what flash keeps."""
    server = Server()
    for family, ready in (("esp", "\r\nready\r\n"), ("w800", "ready\r\n"),
                          ("tight", "ready\r\n")):
        with Wifi("--boot-time", "30", family=family) as s:
            s.up()
            s.ask("AT+CIPDINFO=1", "OK")
            s.ask("AT+CIPTCPOPT=0,,1", "OK")
            s.ask("AT+CIPSERVERMAXCONN=3", "OK")
            peer = s.connect(0, server)
            s.ask("AT+SYSSTORE=1", "OK")
            s.ask("AT+CIPRECONNINTV=7", "OK")
            s.ask("AT+SYSSTORE=0", "OK")
            s.ask("AT+CIPV6=0", "OK")
            s.write("AT+RST\r\n")
            s.expect(s.final() + ready + UP)
            try:
                assert peer.recv(1) == b""
            except ConnectionResetError:
                pass
            if family != "w800":                # the echo is back
                s.write("ATE0\r\n")
                s.expect("ATE0\r\n" + s.final())
            for query, value in (
                    ("CIPMUX", "0"), ("CIPRECVMODE", "0"),
                    ("CIPDINFO", "false"), ("CIPSERVERMAXCONN", "5"),
                    ("CIPTCPOPT", "0,-1,0,0,0"), ("CIPSERVER", "0"),
                    ("SYSSTORE", "1"), ("CIPRECONNINTV", "7"),
                    ("CIPV6", "1")):
                s.ask("AT+%s?" % query, "+%s:%s" % (query, value), "OK")
            s.ask("AT+CIPSTATE?", "OK")
            s.ask("AT+CWAUTOCONN=0", "OK")
            s.ctl("reboot")
            s.expect(ready)
            s.write("ATE0\r\n")
            s.read(0.05)
            s.write("AT+RESTORE\r\n")
            s.expect(s.final() + ready)
            s.write("ATE0\r\n")
            s.read(0.05)
            s.ask("AT+CWAUTOCONN?", "+CWAUTOCONN:1", "OK")
            s.ask("AT+CIPRECONNINTV?", "+CIPRECONNINTV:1", "OK")
            s.ask("AT+CWSTATE?", '+CWSTATE:0,""', "OK")
            assert s.stats()["boots"] == 3


@test
def w800_start():
    """Where a host finds it: just booted, joined, in passthrough."""
    with Wifi("--banner-at-start", "--boot-time", "100") as s:
        s.expect("\r\nready\r\n")
    with Wifi("--net-open-at-start") as s:
        s.write("ATE0\r\n")
        s.expect("ATE0\r\n" + s.final())
        s.ask("AT+CIPSTA?", '+CIPSTA:ip:"10.0.0.2"',
              '+CIPSTA:gateway:"10.0.0.1"', '+CIPSTA:netmask:"255.255.255.0"',
              '+CIPSTA:ip6ll:"fe80::2a6d:cdff:fe00:1"', "OK")
    with Wifi("--data-at-start") as s:
        s.write("AT\r\n")
        s.silent(0.05)
        s.write("+++")
        s.silent(0.05)
        s.write("AT\r\n")
        s.expect("AT\r\n" + s.final())


@test
def w800_rate():
    """AT+UART_CUR: in force behind the OK; UART_DEF after a boot as well."""
    with Wifi("--modem-baud", "115200", paced=True) as s:
        s.write("ATE0\r\n")
        s.expect("ATE0\r\n" + s.final())
        s.ask("AT+UART_CUR=921600,8,1,0,0", "OK")
        time.sleep(0.02)
        s.write("AT\r\n")
        assert s.read(0.2) != s.final().encode()
        s.close()
        s.open(termios.B921600)
        s.write("\r\n")
        s.read(0.05)
        s.ask("AT", "OK")
        s.ask("AT+UART_CUR?", "+UART_CUR:921600,8,1,0,0", "OK")
        s.ask("AT+UART_DEF=230400,8,1,0,0", "OK")
        s.close()
        s.open(termios.B230400)
        s.ctl("reboot")
        s.expect("\r\nready\r\n")
        s.write("AT+UART?\r\n")
        s.expect("AT+UART?\r\n+UART:230400,8,1,0,0\r\n" + s.final())


@test
def w800_time():
    """CIPSNTPCFG: the modem's clock is right once a server has answered."""
    with Wifi("--dns-time", "60") as s:
        s.up()
        s.ask("AT+CIPSNTPCFG=1,0", "OK")
        s.ask("AT+CIPSNTPTIME?", "+CIPSNTPTIME:Thu Jan  1 00:00:00 1970",
              "OK")
        time.sleep(0.1)
        s.write("AT+CIPSNTPTIME?\r\n")
        now = time.time()
        assert s.read(1).split(b"\r\n")[0] in [
            ("+CIPSNTPTIME:" + time.asctime(time.gmtime(now + d))).encode()
            for d in (-1, 0, 1)]
        s.ask("AT+CIPSNTPCFG?", '+CIPSNTPCFG:1,0,"cn.ntp.org.cn",'
              '"ntp.sjtu.edu.cn","us.pool.ntp.org"', "OK")


@test
def w800_softap_over_a_boot():
    """Kept as the guide says: with SYSSTORE=1."""
    ap = '"ap","12345678",5,3'
    with Wifi() as s:
        s.up()
        s.ask("AT+CWMODE=3", "OK")
        s.ask("AT+CWSAP=" + ap, "OK")
        s.ask("AT+SYSSTORE=0", "OK")
        s.ask('AT+CWSAP="other","12345678",6,4', "OK")
        s.ask("AT+CWSAP?", '+CWSAP:"other","12345678",6,4,10,0', "OK")
        s.ctl("reboot")
        s.expect("\r\nready\r\n" + UP)
        s.write("ATE0\r\n")
        s.expect("ATE0\r\n" + s.final())
        s.ask("AT+CWSAP?", "+CWSAP:%s,10,0" % ap, "OK")
