# SPDX-License-Identifier: MIT
"""TLS: W800 manual, CIPSERVER "SSL"; every form of CIPSSLC..."""

import socket
import ssl
import subprocess
import time

import simtest
from simtest import *
from tlstest import *
from w800test import *


@test
def tls_server():
    """CIPSERVER "SSL": certificate 0; with <CA enable> one is demanded."""
    with Wifi(*stored(), "--clock-set", "--free-ports") as s:
        s.up()
        s.ask('AT+CIPSERVER=1,443,"SSL",0', "OK")
        peer = knock(s, client_context())
        s.expect("0,CONNECT\r\n")
        assert slot(s, 0)["type"] == "TLS" and slot(s, 0)["server"] == 0
        s.send(0, "welcome")
        assert receive(peer, 7) == b"welcome"
        peer.sendall(b"thanks")
        s.expect(s.ipd(0, size=slot_held(s, 0)))
        s.take(0, 100, b"thanks")
        peer.close()
        s.expect("0,CLOSED\r\n")
        s.ask("AT+CIPSERVER=0,1", "OK")

        s.ask('AT+CIPSERVER=1,443,"SSL",1', "OK")
        assert knock(s, client_context()) is None
        assert "did not return a certificate" in slot(s, 0)["why"]
        s.silent(0.05)                      # it was nobody's business
        peer = knock(s, client_context(show="client"))
        s.expect("0,CONNECT\r\n")
        assert slot(s, 0)["tls"]["peer"] == "client 7"
        peer.close()
        s.expect("0,CLOSED\r\n")
    with Wifi("--free-ports") as s:
        s.up()
        s.ask('AT+CIPSERVER=1,443,"SSL",0', "OK")
        assert knock(s, client_context()) is None
        assert "no pki 0 in the module" in slot(s, 0)["why"]


def knock(s, context):
    """As a client of the modem's server; None: not let in."""
    port = int(s.ctl("ports").split("=")[1])
    raw = socket.create_connection(("127.0.0.1", port), timeout=3)
    try:
        peer = context.wrap_socket(raw, server_hostname=NAME)
        # TLS 1.2: the server's verdict has come with the handshake
        return peer
    except (ssl.SSLError, OSError):
        raw.close()
        return None


@test
def tls_server_waits_for_clients():
    """A client that says nothing holds up its link number, no more."""
    with Wifi(*stored(), "--free-ports", "--tls-time", "300") as s:
        s.up()
        s.ask('AT+CIPSERVER=1,443,"SSL",0', "OK")
        port = int(s.ctl("ports").split("=")[1])
        mute = socket.create_connection(("127.0.0.1", port))
        while slot(s, 0)["state"] == "free":
            time.sleep(0.001)
        peer = knock(s, client_context())
        s.expect("1,CONNECT\r\n")
        s.send(1, "first")
        assert receive(peer, 5) == b"first"
        mute.settimeout(3)
        assert mute.recv(10) == b""
        assert slot(s, 0)["state"] == "free"
        assert "timed out" in slot(s, 0)["why"]
        s.silent(0.02)


@test
def tls_commands():
    """Query, set, ranges, lengths; link 5 is all; CIPMUX=0 has none."""
    with Wifi() as s:
        s.up()
        s.ask("AT+CIPSSLCCONF?", *("+CIPSSLCCONF:%d,0,0,0" % n
                                   for n in range(5)), "OK")
        s.ask("AT+CIPSSLCCONF=1,3,2,1", "OK")
        s.ask("AT+CIPSSLCCONF=4,1", "OK")
        s.ask("AT+CIPSSLCCONF?", "+CIPSSLCCONF:0,0,0,0",
              "+CIPSSLCCONF:1,3,2,1", "+CIPSSLCCONF:2,0,0,0",
              "+CIPSSLCCONF:3,0,0,0", "+CIPSSLCCONF:4,1,0,0", "OK")
        for wrong in ("1", "6,1", "-1,1", "1,4", "1,-1", "1,1,256", "1,1,0,-1",
                      "1,1,0,0,0", "", '1,"2"'):
            s.ask("AT+CIPSSLCCONF=" + wrong, "ERROR")
        s.ask("AT+CIPSSLCCONF=5,2,0,1", "OK")
        s.ask("AT+CIPSSLCCONF?", *("+CIPSSLCCONF:%d,2,0,1" % n
                                   for n in range(5)), "OK")
        for name in ("CN", "SNI"):
            s.ask("AT+CIPSSLC%s?" % name, *('+CIPSSLC%s:%d,""' % (name, n)
                                            for n in range(5)), "OK")
            s.ask('AT+CIPSSLC%s=5,"%s"' % (name, "n" * 64), "OK")
            s.ask('AT+CIPSSLC%s=3,"a\\"b"' % name, "OK")
            s.ask('AT+CIPSSLC%s=4,""' % name, "OK")
            s.ask("AT+CIPSSLC%s?" % name,
                  *('+CIPSSLC%s:%d,"%s"' % (name, n, "n" * 64)
                    for n in range(3)), '+CIPSSLC%s:3,"a\\"b"' % name,
                  '+CIPSSLC%s:4,""' % name, "OK")
            for wrong in ('1,"%s"' % ("n" * 65), "1,n", "1", '6,"n"',
                          '"n"', '1,"n",1'):
                s.ask("AT+CIPSSLC%s=%s" % (name, wrong), "ERROR")
        s.ask("AT+CIPSSLCALPN?", *('+CIPSSLCALPN:%d,""' % n
                                   for n in range(5)), "OK")
        s.ask('AT+CIPSSLCALPN=5,5,"a","b","c","d","e"', "OK")
        s.ask('AT+CIPSSLCALPN=2,1,"h2"', "OK")
        s.ask("AT+CIPSSLCALPN=3,0", "OK")
        five = '"a","b","c","d","e"'
        s.ask("AT+CIPSSLCALPN?", "+CIPSSLCALPN:0," + five,
              "+CIPSSLCALPN:1," + five, '+CIPSSLCALPN:2,"h2"',
              '+CIPSSLCALPN:3,""', "+CIPSSLCALPN:4," + five, "OK")
        for wrong in ('1,6,"a","b","c","d","e","f"', '1,2,"a"', '1,1',
                      '1,1,"a","b"', '1,0,"a"', '1,1,""', '1,1,a', '1,-1'):
            s.ask("AT+CIPSSLCALPN=" + wrong, "ERROR")
        s.ask('AT+CIPSSLCPSK=5,"%s","%s"' % ("p" * 32, "h" * 32), "OK")
        s.ask('AT+CIPSSLCPSK=0,"",""', "OK")
        s.ask("AT+CIPSSLCPSK?", '+CIPSSLCPSK:0,"",""',
              *('+CIPSSLCPSK:%d,"%s","%s"' % (n, "p" * 32, "h" * 32)
                for n in range(1, 5)), "OK")
        for wrong in ('1,"%s","h"' % ("p" * 33), '1,"p","%s"' % ("h" * 33),
                      '1,"p"', '"p","h"', '1,p,h', '6,"p","h"'):
            s.ask("AT+CIPSSLCPSK=" + wrong, "ERROR")
        s.ask("AT+CIPMUX=0", "OK")
        s.ask("AT+CIPSSLCCONF=3,7,9", "OK")
        s.ask("AT+CIPSSLCCONF?", "+CIPSSLCCONF:0,3,7,9", "OK")
        s.ask('AT+CIPSSLCCN="one"', "OK")
        s.ask("AT+CIPSSLCCN?", '+CIPSSLCCN:0,"one"', "OK")
        s.ask('AT+CIPSSLCSNI=1,"one"', "ERROR")
        s.ask('AT+CIPSSLCSNI="two"', "OK")
        s.ask("AT+CIPSSLCSNI?", '+CIPSSLCSNI:0,"two"', "OK")
        s.ask('AT+CIPSSLCALPN=1,"x"', "OK")
        s.ask("AT+CIPSSLCALPN?", '+CIPSSLCALPN:0,"x"', "OK")
        s.ask('AT+CIPSSLCPSK="k","i"', "OK")
        s.ask("AT+CIPSSLCPSK?", '+CIPSSLCPSK:0,"k","i"', "OK")


@test
def tls_settings_kept():
    """By SYSSTORE=1 CIPSSLCCONF, and nothing else."""
    with Wifi() as s:
        s.up()
        s.ask("AT+CIPSSLCCONF=5,2,1,4", "OK")
        s.ask("AT+SYSSTORE=0", "OK")
        s.ask("AT+CIPSSLCCONF=1,3,9,9", "OK")
        s.ask('AT+CIPSSLCCN=5,"gone"', "OK")
        restart(s)
        s.ask("AT+CIPSSLCCONF?", *("+CIPSSLCCONF:%d,2,1,4" % n
                                   for n in range(5)), "OK")
        s.ask("AT+CIPSSLCCN?", *('+CIPSSLCCN:%d,""' % n
                                 for n in range(5)), "OK")


@test
def tls_single_connection():
    """CIPMUX=0: no link numbers, the settings are those of link 0."""
    far = TlsServer()
    with Wifi(*stored(), "--clock-set", family="w800") as s:
        s.up(mux=0)
        s.ask("AT+CIPSSLCCONF=2", "OK")
        s.ask('AT+CIPSSLCCN="%s"' % NAME, "OK")
        far.begin()
        s.ask('AT+CIPSTART="SSL","127.0.0.1",%d' % far.port, "CONNECT", "OK")
        peer = far.end()
        s.ask("AT+CIPCLOSE", "CLOSED", "OK")
        assert peer.recv(1) == b""
        s.ask("AT+CIPSSLCCONF=4", "CMD PARSE ERR")


@test
def tls_passthrough():
    """CIPMODE=1 over SSL, to the byte; opened again when it ends."""
    far = TlsServer()
    data = bytes(range(256)) * 40
    with Wifi() as s:
        s.up(mux=0, passive=0)
        far.begin()
        s.ask('AT+CIPSTART="SSL","127.0.0.1",%d' % far.port, "CONNECT", "OK")
        peer = far.end()
        s.ask("AT+CIPMODE=1", "OK")
        s.write("AT+CIPSEND\r\n")
        s.expect(s.prompt())
        for _ in range(2):
            s.write(data)
            assert receive(peer, len(data)) == data
            peer.sendall(data)
            s.expect(data)
            far.begin()
            peer.close()
            peer = far.end()
            while slot(s, 0)["state"] != "open":
                time.sleep(0.005)
        assert slot(s, 0)["tls"]["version"] == "TLSv1.2"


@test
def tls_files():
    """--pki, --ca: what is wrong with them is said."""
    c = certificates()
    for option, value, text in (
            ("--ca", "0:/nonexistent", "/nonexistent"),
            ("--pki", "0:%s:/nonexistent" % c["server"], "/nonexistent"),
            ("--pki", "0:" + c["server"], "--pki"),
            ("--ca", c["ca"], "--ca")):
        done = subprocess.run([simtest.BIN, option, value], timeout=5,
                              stderr=subprocess.PIPE, text=True)
        assert done.returncode == 2 and text in done.stderr, done.stderr
    far = TlsServer()
    with Wifi("--ca", "0:" + c.key("ca"), "--clock-set") as s:
        s.up()
        s.ask("AT+CIPSSLCCONF=0,2", "OK")
        s.ask(start(s, 0, far.port), "ERROR")
        assert c.key("ca") in slot(s, 0)["why"], slot(s, 0)
