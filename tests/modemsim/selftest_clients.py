# SPDX-License-Identifier: MIT
"""The conversations that well-known client libraries have with a modem.

Each is played with the commands, line endings and habits of that library, and
none of it may be a violation.
"""

import socket
import time

from simtest import *


class Host:
    """A host with its own line ending, which ignores what it did not ask."""

    def __init__(self, s, end):
        self.s, self.end, self.heard = s, end, b""

    def ask(self, command, until=b"\r\nOK\r\n", timeout=3):
        """Returns what was said up to and with @until."""
        self.s.write("AT" + command + self.end)
        return self.hear(until, timeout)

    def hear(self, until, timeout=3):
        end = time.monotonic() + timeout
        while until not in self.heard:
            assert time.monotonic() < end, (until, self.heard)
            self.heard += self.s.read(0.05)
        said, _, self.heard = self.heard.partition(until)
        return said + until

    def hear_bytes(self, n):
        while len(self.heard) < n:
            self.heard += self.s.read(1)
        data, self.heard = self.heard[:n], self.heard[n:]
        return data


@test
def client_for_arduino():
    """TinyGSM: CR LF, buffer mode, polls CIPRXGET=4 and CIPCLOSE?."""
    server = Server()
    data = bytes(i * 7 % 256 for i in range(3000))
    with Sim(paced=True) as s:
        h = Host(s, "\r\n")
        for command in ("", "E0", "+CMEE=0", "+CTZR=0", "+CTZU=1", "+CPIN?"):
            h.ask(command)
        assert b"+ICCID: 8986" in h.ask("+CICCID")
        for command in ("+CGREG?", "+COPS?", "+CSQ", "+CCLK?", "+CBC",
                        "+CSPN?", "+CNSMOD?", "+CGPADDR=1"):
            h.ask(command)
        h.ask("+NETCLOSE", b"ERROR\r\n")    # it was not open
        for command in ('+CGAUTH=1,0,"","user"',
                        '+CGDCONT=1,"IP","internet","0.0.0.0",0,0',
                        "+CIPMODE=0", "+CIPSENDMODE=0",
                        "+CIPCCFG=10,0,0,0,1,0,75000",
                        "+CIPTIMEOUT=75000,15000,15000"):
            h.ask(command)
        h.ask("+NETOPEN", b"\r\n+NETOPEN: 0\r\n")
        h.ask("+NETOPEN?", b"\r\n+NETOPEN: 1\r\n\r\nOK\r\n")
        h.ask("+IPADDR")
        h.ask("+CIPRXGET=1")
        h.ask('+CIPOPEN=3,"TCP","127.0.0.1",%d' % server.port,
              b"\r\n+CIPOPEN: 3,0\r\n")
        peer = server.accept()
        h.ask("+CIPSEND=3,5", b">")
        s.write(b"hello")
        h.hear(b"\r\n+CIPSEND: 3,5,5\r\n")
        assert receive(peer, 5) == b"hello"
        peer.sendall(data)
        peer.close()
        got = b""
        while len(got) < len(data):
            h.ask("+CIPRXGET=4,3", b"+CIPRXGET: 4,3,")
            waiting = int(h.hear(b"\n"))
            h.hear(b"OK\r\n")
            if waiting == 0:
                continue
            h.ask("+CIPRXGET=2,3,%d" % min(waiting, 64), b"+CIPRXGET: 2,3,")
            n = int(h.hear(b",")[:-1])
            h.hear(b"\n")
            got += h.hear_bytes(n)
            h.hear(b"OK\r\n")
        assert got == data
        said = h.ask("+CIPCLOSE?")
        assert b"+CIPCLOSE: 0,0,0,0,0,0,0,0,0,0\r\n" in said, said
        h.ask("+CIPCLOSE=3", b"ERROR\r\n")
        h.ask("+NETCLOSE", b"+NETCLOSE: 0\r\n")
        assert s.violations() == {}


@test
def client_for_esp():
    """esp_modem: CR alone, Ctrl-Z after a counted payload, 100 at a time."""
    server = Server()
    with Sim(paced=True) as s:
        h = Host(s, "\r")
        h.ask("")
        h.ask("E0")
        h.ask("+CGMM")
        h.ask("+CSQ")
        h.ask("+NETOPEN?", b"+NETOPEN: 0\r\n\r\nOK\r\n")
        h.ask("+NETOPEN", b"+NETOPEN: 0\r\n")
        h.ask("+CIPRXGET=1")
        h.ask("+IPADDR")
        h.ask('+CIPOPEN=0,"TCP","127.0.0.1",%d' % server.port,
              b"+CIPOPEN: 0,0\r\n")
        peer = server.accept()
        for text in (b"first\x1a\x1b", b"second"):
            h.ask("+CIPSEND=0,%d" % len(text), b">")
            s.write(text + b"\x1a")
            h.hear(b"+CIPSEND: 0,%d,%d\r\n" % (len(text), len(text)))
            assert receive(peer, len(text)) == text
        peer.send(b"x" * 250)
        h.hear(b"+CIPRXGET: 1,0\r\n")
        got = b""
        for n, rest in ((100, 150), (100, 50), (50, 0)):
            h.ask("+CIPRXGET=4,0", b"+CIPRXGET: 4,0,%d\r\n\r\nOK\r\n" %
                  (n + rest))
            h.ask("+CIPRXGET=2,0,100", b"+CIPRXGET: 2,0,%d,%d\r\n" %
                  (n, rest))
            got += h.hear_bytes(n)
            h.hear(b"OK\r\n")
        assert got == b"x" * 250
        h.ask("+CIPCLOSE=0", b"+CIPCLOSE: 0,0\r\n")
        h.ask("+NETCLOSE", b"+NETCLOSE: 0\r\n")
        assert s.violations() == {}
        assert s.stats()["escapes"] == 2


@test
def client_for_rt_thread():
    """sim76xx of RT-Thread: direct push with +RECEIVE, several sockets."""
    servers = [Server(), Server()]
    with Sim(paced=True) as s:
        h = Host(s, "\r\n")
        for command in ("", "+CFUN=0", "+CFUN=1", "E0", "+CGMM", "+CGMR",
                        "+CPIN?", "+CSQ", "+CREG?", "+CGREG?",
                        '+CGDCONT=1,"IP","internet"', "+CSOCKSETPN=1",
                        '+CNTP="ntp.example",32', "+CIPSENDMODE=0",
                        "+CIPHEAD=1", "+CIPSRIP=0", "+CIPMODE=0",
                        "+CIPCCFG=10,0,0,1,1,0,500"):
            h.ask(command)
        h.ask("+CNTP", b"+CNTP: 0\r\n")
        h.ask("+NETOPEN", b"+NETOPEN: 0\r\n")
        h.ask("+IPADDR")
        h.ask('+CDNSGIP="localhost"',
              b'+CDNSGIP: 1,"localhost","127.0.0.1"\r\n\r\nOK\r\n')
        peers = []
        for n, server in enumerate(servers):
            h.ask('+CIPOPEN=%d,"TCP","127.0.0.1",%d' % (n, server.port),
                  b"+CIPOPEN: %d,0\r\n" % n)
            peers.append(server.accept())
        for n, peer in enumerate(peers):
            h.ask("+CIPSEND=%d,6" % n, b">")
            s.write("from %d" % n)
            h.hear(b"+CIPSEND: %d,6,6\r\n" % n)
            assert receive(peer, 6) == b"from %d" % n
        for n, peer in enumerate(peers):
            peer.send(b"\r\nOK\r\n")
            h.hear(b"\r\n+RECEIVE,%d,6\r\n" % n)
            assert h.hear_bytes(6) == b"\r\nOK\r\n"
        h.ask('+CPING="127.0.0.1",1,1', b"+CPING: 3,1,1,0,40,40,40\r\n")
        peers[1].close()
        h.hear(b"+IPCLOSE: 1,1\r\n")
        h.ask("+CIPCLOSE=0", b"+CIPCLOSE: 0,0\r\n")
        assert s.violations() == {}


@test
def client_for_mbed():
    """The mbed driver: "+RECEIVE,<link>,<len>:", one socket, IP of a name."""
    server = Server()
    with Sim("--quirk", "receive-colon", paced=True) as s:
        h = Host(s, "\r")
        for command in ("", "E0;+CMEE=1", "+CIPMODE=0;+CIPSRIP=0",
                        "+CIPCCFG=10,0,0,0,1,0,500"):
            h.ask(command)
        h.ask('+CGDCONT=1,"IP","internet"')
        h.ask("+NETOPEN", b"+NETOPEN: 0\r\n")
        h.ask('+CIPOPEN=0,"TCP","localhost",%d' % server.port,
              b"+CIPOPEN: 0,0\r\n")
        peer = server.accept()
        h.ask("+CIPSEND=0,4", b">")
        s.write("ping")
        h.hear(b"+CIPSEND: 0,4,4\r\n")
        peer.send(b"pong")
        h.hear(b"\r\n+RECEIVE,0,4:\r\n")
        assert h.hear_bytes(4) == b"pong"
        h.ask("+CIPCLOSE=0", b"+CIPCLOSE: 0,0\r\n")
        h.ask("+NETCLOSE", b"+NETCLOSE: 0\r\n")
        assert s.violations() == {}


@test
def client_for_tracking_boxes():
    """Freematics: UDP with address and port in CIPOPEN, no wait for ">"."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.settimeout(3)
    with Sim("--free-ports", paced=True) as s:
        h = Host(s, "\r")
        h.ask("E0")
        h.ask("+CIPRXGET=0")
        h.ask("+NETOPEN", b"+NETOPEN: 0\r\n")
        h.ask('+CIPOPEN=0,"UDP","127.0.0.1",%d,8000' % udp.getsockname()[1],
              b"+CIPOPEN: 0,0\r\n\r\nOK\r\n")
        s.write('AT+CIPSEND=0,5,"127.0.0.1",%d\r' % udp.getsockname()[1])
        time.sleep(0.02)
        s.write("hello")
        h.hear(b"\r\nOK\r\n\r\n+CIPSEND: 0,5,5\r\n")
        data, box = udp.recvfrom(99)
        assert data == b"hello"
        udp.sendto(b"ok", box)
        h.hear(b"\r\nRECV FROM:127.0.0.1:%d\r\n+IPD2\r\n" %
               udp.getsockname()[1])
        assert h.hear_bytes(2) == b"ok"
        # what such a host does is counted if the prompt had not come yet
        assert s.violations() in ({}, {"payload-before-prompt": 1,
                                       "total": 1})


@test
def factory_reset_of_libraries():
    """AT&FZE0&W and AT+IPR=0, as several libraries begin."""
    with Sim() as s:
        s.say("AT&FZE0&W", "AT&FZE0&W\r", OK)
        for command in ("+IPR=0", "&W", "+IFC=0,0", "+ICF=3,3", "+CSCLK=0",
                        "+CMGF=1", "+CNMI=2,1,0,0,0", '+CSCS="IRA"',
                        "+CLIP=1", "+CNMP=38", "+CGACT=1,1"):
            if command.startswith("+CGACT"):
                s.say('AT+CGDCONT=1,"IP","internet"', OK)
            s.say("AT" + command, OK)
        s.say('AT+CDNSCFG="8.8.8.8","8.8.4.4"', OK)
        s.say("AT+CTCPKA=1,2,5,1", OK)
        s.say("AT+CTCPKA=2", ERROR)
