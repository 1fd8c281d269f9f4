# SPDX-License-Identifier: MIT
"""Every <err> and <err_info> of the A7600 manual, 3 and 4."""

import os
import resource
import socket

from selftest_links import port_of
from simtest import *

INFO = [
    "Connection time out", "Bind port failed", "Port overflow",
    "Create socket failed", "Network is already opened",
    "Network is already closed", "No clients connected", "No active client",
    "Network not opened", "Client index overflow",
    "Connection is already created", "Connection is not created",
    "Invalid parameter", "Operation not supported", "DNS query failed",
    "TCP busy", "Net close failed for socket opened", "Sending time out",
    "Sending failure for network error", "Open failure for network error",
    "Server is already listening", "Operation failed", "No data",
]
ERRORS = range(1, 13)


@test
def every_err_info():
    """By order, in text and as a number."""
    with Sim() as s:
        s.say("ATE0", "ATE0\r", OK)
        for number, text in enumerate(INFO):
            for command in ("CIPACK=0", "CIPRXGET=2,0", "IPADDR"):
                name = command.split("=")[0]
                s.ctl("fail", name, number)
                s.say("AT+" + command, line("+IP ERROR: " + text), ERROR)
            s.say("AT+CIPCCFG=,,,0", OK)
            for command in ("NETOPEN", 'CIPOPEN=0,"TCP","h",1'):
                s.ctl("fail", command.split("=")[0], "info", number)
                s.say("AT+" + command, line("+IP ERROR: %d" % number), ERROR)
            s.say("AT+CIPCCFG", OK)
        s.say("AT+IPADDR", line("+IP ERROR: Network not opened"), ERROR)


@test
def every_err():
    """By order, as a result and at once."""
    open_it = 'CIPOPEN=3,"TCP","127.0.0.1",9'
    with Sim() as s:
        s.up()
        for e in ERRORS:
            for command, later, now in (
                    ("NETOPEN", "+NETOPEN: %d" % e, "+NETOPEN: %d" % e),
                    ("NETCLOSE", "+NETCLOSE: %d" % e, "+NETCLOSE: %d" % e),
                    (open_it, "+CIPOPEN: 3,%d" % e, "+CIPOPEN: 3,%d" % e),
                    ("CIPCLOSE=3", "+CIPCLOSE: 3,%d" % e,
                     "+CIPCLOSE: 3,%d" % e),
                    ("SERVERSTOP=2", "+SERVERSTOP: 2,%d" % e,
                     "+SERVERSTOP: 2,%d" % e)):
                name = command.split("=")[0]
                s.ctl("fail", name, e)
                s.say("AT+" + command, OK, line(later))
                s.ctl("fail", name, "now", e)
                s.say("AT+" + command, line(now), ERROR)
            for command in ("CIPSEND=3,5", "SERVERSTART=80,0"):
                s.ctl("fail", command.split("=")[0], e)
                s.say("AT+" + command, line("+CIPERROR: %d" % e), ERROR)
            s.ctl("fail", "CIPOPEN", e)
            s.say('AT+CIPOPEN=3,"UDP",,,5000', line("+CIPOPEN: 3,%d" % e),
                  ERROR)
            for name in ("CDNSGIP", "CDNSGHNAME"):
                s.ctl("fail", name, e)
                s.say("AT+%s=\"x\"" % name, line("+%s: 0,%d" % (name, e)),
                      ERROR)
        s.say("AT+NETOPEN?", line("+NETOPEN: 1"), OK)   # not executed
        assert s.violations() == {}


@test
def orders_to_fail():
    with Sim() as s:
        s.say("ATE0", "ATE0\r", OK)
        s.ctl("fail", "CSQ", "error", 2)
        for answer in (ERROR, ERROR, line("+CSQ: 25,99") + OK):
            s.say("AT+CSQ", answer)
        s.ctl("fail", "AT+CREG?", "cme", 30)
        s.say("AT+CREG=0", OK)
        s.say("AT+CREG?", line("+CME ERROR: no network service"))
        s.say("AT+CREG?", line("+CREG: 0,1"), OK)
        s.ctl("fail", "CSQ", "silent")
        s.say("AT+CSQ")
        s.say("AT+CSQ", line("+CSQ: 25,99"), OK)
        s.ctl("fail", "CSQ", "error", 9)
        s.ctl("fail", "CSQ", "off")
        s.say("AT+CSQ", line("+CSQ: 25,99"), OK)
        for words in (("CSQ",), ("CSQ", "now"), ("CSQ", "maybe"),
                      ("CSQ", "5", "6", "7"), ("CSQ", "error", "x"), ()):
            s.ctl("fail", *words, status=1)
        for n in range(16):
            s.ctl("fail", "CMD%d" % n, "error")
        s.ctl("fail", "CMD16", "error", status=1)
        s.ctl("fail", "CMD3", "off")
        s.ctl("fail", "CIPMODE", "error")
        s.say("AT+CIPMODE=1", ERROR)
        s.say("AT+CIPMODE=1", OK)
        s.say("AT+NETOPEN", OK, line("+NETOPEN: 0"))
        s.ctl("fail", "CIPOPEN", "5")
        s.say('AT+CIPOPEN=0,"TCP","127.0.0.1",9', line("CONNECT FAIL"))


@test
def errors_that_happen():
    """<err> by situation; 3, 4, 7 and more are in the tables of forms."""
    taken = socket.create_server(("127.0.0.1", 0))
    free = Server()
    free.sock.close()
    server = Server()
    with Sim("--free-ports") as s:
        s.up()
        s.say('AT+CIPOPEN=0,"TCP","127.0.0.1",%d' % free.port, OK,
              line("+CIPOPEN: 0,1"))
        # 5: the module has no socket left
        fds = len(os.listdir("/proc/%d/fd" % s.process.pid))
        soft, hard = resource.prlimit(s.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(s.process.pid, resource.RLIMIT_NOFILE, (fds, hard))
        open_it = 'AT+CIPOPEN=0,"TCP","127.0.0.1",%d' % server.port
        s.say(open_it, OK, line("+CIPOPEN: 0,5"))
        s.say('AT+CIPOPEN=0,"UDP",,,0', line("+CIPOPEN: 0,5"), ERROR)
        s.say("AT+SERVERSTART=8080,0", line("+CIPERROR: 5"), ERROR)
        resource.prlimit(s.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
        s.say("AT+SERVERSTART=8080,0", OK)
        at = ("127.0.0.1", port_of(s, "server:0"))
        peer = socket.create_connection(at)
        s.expect(line("+CLIENT: 0,0,127.0.0.1:%d" % peer.getsockname()[1]))
        # legal to ask, and refused: no violation
        s.say("AT+SERVERSTOP=0", line("+SERVERSTOP: 0,9"), ERROR)
        assert s.violations() == {}
        s.say("AT+CIPCLOSE=0", OK, line("+CIPCLOSE: 0,0"))
        s.say("AT+SERVERSTOP=0", OK, line("+SERVERSTOP: 0,0"))
    # 6: the host really has the port
    with Sim() as s:
        s.up()
        port = taken.getsockname()[1]
        s.say("AT+SERVERSTART=%d,0" % port, line("+CIPERROR: 6"), ERROR)
        open_it = 'AT+CIPOPEN=0,"TCP","127.0.0.1",%d,%d' % (server.port, port)
        s.say(open_it, OK, line("+CIPOPEN: 0,6"))
        taken.close()
        s.say(open_it, OK, line("+CIPOPEN: 0,0"))
        peer = server.accept()
        assert peer.getpeername()[1] == port
