# SPDX-License-Identifier: MIT
"""W800: each quirk switch does what its help says."""

import socket
import time

from w800test import *


def one_link(s, server, n=0, **how):
    s.up(**how)
    return s.connect(n, server)


@test
def w800_prompt_quirks():
    """Q96: OK alone, OK and >, and the blank of older ones."""
    server = Server()
    for family, quirk, want in (
            ("esp", "prompt-none", "\r\nOK\r\n"),
            ("tight", "prompt-none", "OK\r\n"),
            ("w800", "prompt-sign", "\r\nOK\r\n\r\n>"),
            ("esp", "prompt-blank", "\r\nOK\r\n> "),
            ("esp", "prompt-lost=1", "")):
        with Wifi("--quirk", quirk, family=family) as s:
            peer = one_link(s, server)
            s.write("AT+CIPSEND=0,5\r\n")
            if want:
                s.expect(want)
            else:
                s.silent(0.03)
            s.write("hello")
            s.expect(s.sent(5))
            assert receive(peer, 5) == b"hello"


@test
def w800_send_quirks():
    """Q98, Q100, Q101 and the ones of the other dialect."""
    server = Server()
    with Wifi() as s:
        peer = one_link(s, server, passive=0)
        recv = s.final("Recv 5 bytes")
        s.ctl("quirk", "send-gaps", "on")
        s.write("AT+CIPSEND=0,5\r\n")
        s.expect(s.final())
        peer.sendall(b"one")
        s.expect(s.ipd(0, b"one") + "\r\n>")
        s.write("hello")
        peer.sendall(b"two")
        s.expect(s.ipd(0, b"two") + recv)
        peer.sendall(b"three")
        s.expect(s.ipd(0, b"three") + s.final("SEND OK"))
        s.ctl("quirk", "send-gaps", "off")
        for quirk, want in (
                ("send-fail-ok", s.final("SEND FAIL") + s.final("SEND OK")),
                ("send-ok-lost", ""), ("send-short", s.final("SEND FAIL")),
                ("send-zero", s.final("SEND FAIL")),
                ("final-lost", "")):
            s.write("AT+CIPSEND=0,5\r\n")
            s.expect(s.prompt())
            s.ctl("quirk", quirk, 1)
            s.write("hello")
            s.expect(recv + want)
            s.ask("AT", "OK")
        assert receive(peer, 22) == b"hello" * 3 + b"he" + b"hello"
        s.ctl("quirk", "reboot-on-cipsend", 1)
        s.write("AT+CIPSEND=0,5\r\n")
        s.expect(s.prompt())
        s.write("hello")
        s.expect("\r\nready\r\nWIFI CONNECTED\r\nWIFI GOT IP\r\n"
                 "WIFI GOT IPv6 LL\r\n")


@test
def w800_busy_quirks():
    """Q102, Q103, Q130."""
    server = Server()
    with Wifi("--unanswered", "127.0.0.9", "--connect-timeout", "100",
              "--host", "name.example=127.0.0.1") as s:
        s.up()
        s.ctl("quirk", "busy-first", 1)
        s.ask("AT+CIPMUX?", "ERR CODE:0x010b0000\r\n\r\nbusy p...",
              "+CIPMUX:1", "OK")
        s.ctl("quirk", "busy-on-crlf", 1)
        s.write('AT+CIPSTART=0,"TCP","127.0.0.9",80\r\n')
        s.write("\r\n\r\n")
        s.expect(s.final("busy p..."))
        s.ctl("quirk", "busy-executes", 1)
        s.ask("AT+CIPMUX?", "busy p...")
        s.expect(s.final("ERROR") + s.info("+CIPMUX:1") + s.final())
        s.ctl("quirk", "dns-hangs", 1)
        s.write('AT+CIPSTART=0,"TCP","name.example",%d\r\n' % server.port)
        s.silent(0.2)
        s.ask("AT", "busy p...")
        s.write("AT+RST\r\n")
        s.expect("\r\nready\r\nWIFI CONNECTED\r\nWIFI GOT IP\r\n"
                 "WIFI GOT IPv6 LL\r\n")
        s.write("ATE0\r\n")
        s.expect("ATE0\r\n" + s.final())
        s.ctl("quirk", "dns-hangs", 1)
        s.write('AT+CIPDOMAIN="name.example"\r\n')
        s.ask("AT", "busy p...")
        s.ctl("reboot")
        s.read(0.1)
        s.write("ATE0\r\n")
        s.read(0.1)
        s.ctl("quirk", "rst-while-busy", "on")
        s.write('AT+CIPSTART="TCP","127.0.0.9",80\r\n')
        s.ask("AT", "busy p...")
        s.write("AT+RST\r\n")
        s.expect("\r\nready\r\n" + "WIFI CONNECTED\r\nWIFI GOT IP\r\n"
                 "WIFI GOT IPv6 LL\r\n")


@test
def w800_receive_quirks():
    """Q97, Q106 to Q108, Q111 to Q114, Q123, Q128."""
    server = Server()
    with Wifi() as s:
        peer = one_link(s, server)
        port = server.port
        for quirk, head in (
                ("recvdata-comma", "+CIPRECVDATA,5,"),
                ("recvdata-equals", "+CIPRECVDATA=0,5,")):
            s.ctl("quirk", quirk, "on")
            peer.sendall(b"hello")
            s.expect(s.ipd(0, size=5))
            s.write("AT+CIPRECVDATA=0,5\r\n")
            s.expect(head + "hello\r\nOK\r\n")
            s.ctl("quirk", quirk, "off")
        s.ctl("quirk", "rest-silent", "on")
        peer.sendall(b"hello")
        s.expect(s.ipd(0, size=5))
        s.take(0, 2, b"he")
        s.silent(0.05)
        peer.sendall(b"!")
        s.expect(s.ipd(0, size=4))
        s.take(0, 100, b"llo!")
        s.ctl("quirk", "rest-silent", "off")
        s.ctl("quirk", "notify-lost", 1)
        peer.sendall(b"unsaid")
        s.silent(0.05)
        s.ctl("quirk", "recvlen-comma", "on")
        s.ask("AT+CIPRECVLEN?", "+CIPRECVLEN:6,-1,-1,-1,-1,", "OK")
        s.ctl("quirk", "recvlen-comma", "off")
        s.take(0, 100, b"unsaid")
        peer.sendall(bytes(3000))
        s.expect(s.ipd(0, size=3000))
        s.ctl("quirk", "recvdata-max-2048", "on")
        s.take(0, 3000, bytes(2048), s.ipd(0, size=952))
        s.take(0, 3000, bytes(952))
        s.ask("AT+CIPDINFO=1", "OK")
        s.ctl("quirk", "dinfo-unquoted", "on")
        peer.sendall(b"abc")
        s.expect(s.ipd(0, size=3))
        s.write("AT+CIPRECVDATA=0,5\r\n")
        s.expect("+CIPRECVDATA:3,127.0.0.1,%d,abc\r\nOK\r\n" % port)
        s.ask("AT+CIPRECVMODE=0", "OK")
        s.ctl("quirk", "ipd-crlf", "on")
        peer.sendall(b"abc")
        s.expect(s.ipd(0, b"abc", who=",127.0.0.1,%d" % port) + "\r\n")
        s.ask("AT+CIPRECVMODE=1", "OK")
        s.ctl("quirk", "payload-byte-lost", 1)
        peer.sendall(b"abcd")
        s.expect(s.ipd(0, size=4))
        s.write("AT+CIPRECVDATA=0,5\r\n")
        s.expect("+CIPRECVDATA:4,127.0.0.1,%d,abd\r\nOK\r\n" % port)


@test
def w800_latency_lets_news_in():
    """Q113: +IPD while CIPRECVLEN? is running."""
    server = Server()
    with Wifi("--latency-for", "CIPRECVLEN=50") as s:
        peer = one_link(s, server)
        s.write("AT+CIPRECVLEN?\r\n")
        time.sleep(0.01)
        peer.sendall(b"abc")
        s.expect(s.ipd(0, size=3) + s.info("+CIPRECVLEN:3,-1,-1,-1,-1") +
                 s.final())


@test
def w800_end_quirks():
    """Q128: CLOSED before the data has been read, or in place of it."""
    server = Server()
    with Wifi() as s:
        peer = one_link(s, server)
        s.ctl("quirk", "closed-early", "on")
        peer.sendall(b"last")
        peer.close()
        s.expect(s.ipd(0, size=4) + "0,CLOSED\r\n")
        s.take(0, 10, b"last")
        s.ctl("quirk", "closed-early", "off")
        s.ctl("quirk", "closed-loses", "on")
        peer = s.connect(0, server)
        peer.sendall(b"last")
        s.expect(s.ipd(0, size=4))
        peer.close()
        s.expect("0,CLOSED\r\n")
        s.ask("AT+CIPRECVDATA=0,10", "ERROR")
        s.ctl("quirk", "ipclose-lost", 1)
        peer = s.connect(0, server)
        peer.close()
        s.silent(0.05)
        s.ask("AT+CIPSTATE?", "OK")


@test
def w800_udp_rest_lost():
    """Q108."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    with Wifi("--free-ports", "--quirk", "udp-rest-lost") as s:
        s.up()
        s.ask('AT+CIPSTART=0,"UDP","127.0.0.1",%d' % sock.getsockname()[1],
              "0,CONNECT", "OK")
        at = ("127.0.0.1", int(s.ctl("ports").split("=")[1]))
        sock.sendto(b"datagram", at)
        s.expect(s.ipd(0, size=8))
        s.take(0, 4, b"data")
        s.ask("AT+CIPRECVDATA=0,4", "ERROR")
        sock.sendto(b"one", at)
        s.expect(s.ipd(0, size=3))
        sock.sendto(b"two", at)
        time.sleep(0.03)
        s.take(0, 100, b"one", s.ipd(0, size=3))
        s.take(0, 100, b"two")


@test
def w800_words():
    """Q104, Q112, Q115 to Q117, Q122, Q129 and the time's."""
    server = Server()
    with Wifi("--free-ports") as s:
        s.up()
        s.ctl("quirk", "link-conn", "on")
        s.write('AT+CIPSTART=0,"TCP","127.0.0.1",%d\r\n' % server.port)
        peer = server.accept()
        s.expect('+LINK_CONN:0,0,"TCP",0,"127.0.0.1",%d,%d\r\n' % (
            server.port, peer.getpeername()[1]) + s.final())
        s.ctl("quirk", "link-conn", "off")
        s.ask("AT+SYSMSG=2", "OK")      # how relatives are told to do so
        s.write('AT+CIPSTART=1,"TCP","127.0.0.1",%d\r\n' % server.port)
        other = server.accept()
        s.expect('+LINK_CONN:0,1,"TCP",0,"127.0.0.1",%d,%d\r\n' % (
            server.port, other.getpeername()[1]) + s.final())
        s.ask("AT+SYSMSG=0", "OK")
        s.ctl("quirk", "already-typo", "on")
        s.ask('AT+CIPSTART=0,"TCP","127.0.0.1",%d' % server.port,
              "ALREAY CONNECT", "ERROR")
        s.ctl("quirk", "cipdomain-unquoted", "on")
        s.ask('AT+CIPDOMAIN="localhost"', "+CIPDOMAIN:127.0.0.1", "OK")
        s.ctl("quirk", "ping-bare", "on")
        s.ask('AT+PING="127.0.0.1"', "+40", "OK")
        s.ctl("quirk", "ping-lost", 1)
        s.ctl("time", "ping-wait", 30)
        s.ask('AT+PING="127.0.0.1"', "+PING:TIMEOUT", "ERROR")
        s.ctl("quirk", "line-max-150", "on")
        s.ask('AT+CIPDOMAIN="%s"' % ("x" * 140), "ERROR")
        s.ctl("quirk", "no-cipstate", "on")
        s.ask("AT+CIPSTATE?", "ERROR")
        s.ctl("quirk", "sntp-silent", "on")
        s.ask("AT+CIPSNTPCFG=1,0", "OK")
        s.silent(0.03)
        s.ask("AT+CIPSNTPTIME?", "+CIPSNTPTIME:Thu Jan  1 00:00:00 1970",
              "OK")
        s.ctl("quirk", "sntp-silent", "off")
        s.ctl("quirk", "time-updated", "on")
        s.write("AT+CIPSNTPCFG=1,0\r\n")
        s.expect(s.final() + "+TIME_UPDATED\r\n")
        s.ctl("quirk", "no-tcp", "on")
        s.ask("AT+CIPMUX?", "ERROR")
        s.ctl("quirk", "no-tcp", "off")
        s.ctl("quirk", "command-silent", 1)
        s.write("AT\r\n")
        s.silent(0.03)
        peer.close()
        s.expect("0,CLOSED\r\n")
        other.close()
        s.expect("1,CLOSED\r\n")


@test
def w800_wifi_quirks():
    """Q118, Q119, Q127."""
    server = Server()
    ip = "WIFI GOT IP\r\nWIFI GOT IPv6 LL\r\n"
    join = 'AT+CWJAP="net","password"\r\n'
    for family in ("esp", "w800"):
        with Wifi("--quirk", "got-ip-swapped", family=family) as s:
            s.write("ATE0\r\n")
            s.read(0.1)
            s.write(join)
            s.expect("WIFI CONNECTED\r\n" + (
                s.final() + ip if family == "esp" else ip + s.final()))
        with Wifi("--quirk", "got-ip-late", "--late-time", "100",
                  family=family) as s:
            s.write("ATE0\r\n")
            s.read(0.1)
            s.write(join)
            s.expect("WIFI CONNECTED\r\n" +
                     ("" if family == "esp" else s.final()))
            s.expect(ip + (s.final() if family == "esp" else ""))
    with Wifi("--ssid", "x", "--quirk", "cwjap-fail", "--quirk",
              "boot-noise", "--quirk", "restore-closes") as s:
        s.write("ATE0\r\n")
        s.read(0.1)
        s.write(join)
        s.expect("+CWJAP:3\r\n" + s.final("FAIL"))
        s.write('AT+CWJAP="x","password"\r\n')
        s.expect("WIFI CONNECTED\r\n" + ip + s.final())
        s.ask("AT+CIPMUX=1", "OK")
        peers = [s.connect(n, server) for n in (0, 1)]
        s.write("AT+RESTORE\r\n")
        s.expect(b"1,CLOSED\r\n0,CLOSED\r\n\r\nOK\r\n" +
                 b"\x00\x7f\x9c\xe0\x1c\x73rst\x8e\xff\r\n\xc3\x07"
                 b"\r\nready\r\n")
        for peer in peers:
            peer.close()


@test
def w800_common_quirks():
    """The ones that both dialects have."""
    server = Server()
    with Wifi("--free-ports") as s:
        peer = one_link(s, server, n=4)
        odd = '+STA_CONNECTED:"02:00:00:00:00:01"'
        s.ctl("quirk", "urc-inside", 1)
        s.ask("AT", odd, "OK")
        s.ctl("quirk", "urc-after-ok", 1)
        s.write("AT\r\n")
        s.expect(s.final() + odd + "\r\n")
        s.ctl("quirk", "urc-before-echo", 1)
        s.write("AT\r\n")
        s.expect("WIFI GOT IPv6 GL\r\n" + s.final())
        s.ctl("quirk", "urc-before-prompt", 1)
        s.ctl("quirk", "urc-after-prompt", 1)
        s.write("AT+CIPSEND=4,5\r\n")
        s.expect("\r\nOK\r\n" + odd + "\r\n\r\n>" + odd + "\r\n")
        s.write("hello")
        s.expect(s.sent(5))
        s.ctl("quirk", "other-urcs", 3)
        for text in (odd, "WIFI GOT IPv6 GL", "to read 75 bytes"):
            s.write("AT\r\n")
            s.expect(s.final() + text + "\r\n")
        s.ctl("quirk", "crcrlf", "on")
        s.write("AT+CIPMUX?\r\n")
        s.expect("+CIPMUX:1\r\r\n\r\nOK\r\n")
        s.ctl("quirk", "crcrlf", "off")
        s.ctl("quirk", "blank-double", "on")
        s.write("AT\r\n")
        s.expect("\r\n\r\n\r\nOK\r\n")
        s.ctl("quirk", "blank-double", "off")
        s.ctl("quirk", "blank-none", "on")
        s.write("AT\r\n")
        s.expect("OK\r\n")
        s.ctl("quirk", "blank-none", "off")
        s.ctl("quirk", "echo-returns", 1)
        s.ask("AT", "OK")
        s.write("AT\r\n")
        s.expect("AT\r\n" + s.final())
        # Q99: the echo cut by a line that comes just then
        s.ctl("urc-at-byte", "raw", 8, "1,CONNECT")
        s.write("AT+CIPMUX?\r\n")
        s.expect("AT+CIPMU\r\n1,CONNECT\r\nX?\r\n+CIPMUX:1\r\n" + s.final())
        s.ctl("quirk", "echo-sticky", "on")
        s.write("ATE0\r\n")
        s.expect("ATE0\r\n" + s.final())
        s.write("AT\r\n")
        s.expect("AT\r\n" + s.final())
        s.ctl("echo", "off")
        s.ask("AT+CIPSERVER=1,80", "OK")
        s.ctl("quirk", "client-lost", 1)
        port = int(s.ctl("ports").split("=")[1])
        with socket.create_connection(("127.0.0.1", port)) as client:
            s.silent(0.03)
            client.sendall(b"data")
            s.expect(s.ipd(0, size=4))
        s.take(0, 10, b"data", "0,CLOSED\r\n")
        s.ctl("quirk", "cipopen-late", 1)
        s.ctl("time", "late", 100)
        begin = time.monotonic()
        peer2 = s.connect(1, server)
        assert time.monotonic() - begin > 0.09
        s.ctl("quirk", "reboot-on-cipopen", 1)
        s.write('AT+CIPSTART=2,"TCP","127.0.0.1",%d\r\n' % server.port)
        s.expect("\r\nready\r\nWIFI CONNECTED\r\nWIFI GOT IP\r\n"
                 "WIFI GOT IPv6 LL\r\n")
        peer.close()
        peer2.close()


@test
def w800_stream_quirks():
    """Q120 and the ones of the other dialect that are met here, too."""
    server = Server()
    with Wifi() as s:
        s.up(mux=0, passive=0)
        s.ask('AT+CIPSTART="TCP","127.0.0.1",%d' % server.port, "CONNECT",
              "OK")
        peer = server.accept()
        s.ask("AT+CIPMODE=1", "OK")
        s.write("AT+CIPSEND\r\n")
        s.expect(s.prompt())
        s.ctl("quirk", "escape-lost", 1)
        time.sleep(0.05)
        s.write("+++")
        assert receive(peer, 3) == b"+++"
        s.ctl("quirk", "escape-no-guard", "on")
        s.write("data")
        s.write("+++")
        assert receive(peer, 4) == b"data"
        s.silent(0.03)
        s.ask("AT", "OK")


@test
def w800_push_waits():
    """Q98 the other way round: data wait until the final line."""
    server = Server()
    with Wifi("--quirk", "push-waits") as s:
        peer = one_link(s, server, passive=0)
        s.write("AT+CIPSEND=0,5\r\n")
        s.expect(s.prompt())
        peer.sendall(b"later")
        s.silent(0.03)
        s.write("hello")
        s.expect(s.sent(5) + s.ipd(0, b"later"))


@test
def w800_link_quirks():
    """Collision, loss right after the open, a send that lies."""
    server = Server()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(0.1)
    with Wifi("--free-ports") as s:
        s.up(passive=0)
        s.ask("AT+CIPSERVER=1,80", "OK")
        at = ("127.0.0.1", int(s.ctl("ports").split("=")[1]))
        s.ctl("quirk", "client-collision", 1)
        s.write('AT+CIPSTART=0,"TCP","192.0.2.1",80\r\n')
        s.silent(0.02)
        with socket.create_connection(at):
            s.expect("0,CONNECT\r\n" + s.final("ERROR"))
        s.expect("0,CLOSED\r\n")
        peer = s.connect(0, server)
        for quirk, want in (("send-minus-one", "ERROR"),
                            ("send-late", "SEND OK")):
            s.ctl("time", "late", 50)
            s.write("AT+CIPSEND=0,5\r\n")
            s.expect(s.prompt())
            s.ctl("quirk", quirk, 1)
            s.write("hello")
            s.expect(s.final("Recv 5 bytes") + s.final(want))
        peer.close()
        s.expect("0,CLOSED\r\n")
        s.ask('AT+CIPSTART=1,"UDP","127.0.0.1",%d' % sock.getsockname()[1],
              "1,CONNECT", "OK")
        s.ctl("quirk", "udp-lost", 1)
        s.send(1, "lost")
        s.send(1, "sent")
        assert sock.recv(10) == b"sent"
        s.ctl("quirk", "udp-merged", "on")
        port = int(s.ctl("ports").rsplit("=")[-1])
        s.ctl("latency", 50)
        s.ctl("quirk", "push-waits", "on")
        s.write("AT\r\n")
        time.sleep(0.02)
        sock.sendto(b"one", ("127.0.0.1", port))
        sock.sendto(b"two", ("127.0.0.1", port))
        s.expect(s.final() + s.ipd(1, b"onetwo"))
        s.ctl("latency", 0)
        s.ctl("quirk", "cipopen-then-loss", 1)
        s.write('AT+CIPSTART=0,"TCP","127.0.0.1",%d\r\n' % server.port)
        s.expect("0,CONNECT\r\n" + s.final() + "WIFI DISCONNECT\r\n"
                 "0,CLOSED\r\n1,CLOSED\r\n")
