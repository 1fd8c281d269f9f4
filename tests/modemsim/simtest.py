# SPDX-License-Identifier: MIT
"""What the self test is made of: a simulator, a far end, a list of tests."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
import tty

BIN = sys.argv[1] if len(sys.argv) > 1 else None
TESTS = []
OK = "\r\nOK\r\n"
ERROR = "\r\nERROR\r\n"
READ_OK = "\r\n" + OK      # behind the data of CIPRXGET=2, 3


def test(fn):
    TESTS.append(fn)
    return fn


def line(text):
    return "\r\n" + text + "\r\n"


class Sim:
    def __init__(self, *options, paced=False, strict=False):
        self.dir = tempfile.TemporaryDirectory()
        self.link = self.dir.name + "/tty"
        self.control = self.dir.name + "/control"
        self.log = self.dir.name + "/log"
        self.strict = strict
        args = [BIN, "--link", self.link, "--control", self.control,
                "--log", self.log, *options]
        if not paced:
            args += ["--baud", "0"]
        if strict:
            args.append("--strict")
        self.process = subprocess.Popen(args, stdout=subprocess.PIPE,
                                        text=True)
        ready = self.process.stdout.readline().split()
        assert ready[0] == "ready", ready
        self.fd = -1
        self.open()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(5)
        self.process.stdout.close()
        if kind is None:
            assert status == (1 if self.strict else 0), status
            assert not os.path.lexists(self.link), "link left behind"
            assert not os.path.exists(self.control), "socket left behind"
        self.dir.cleanup()

    def open(self, baud=termios.B115200):
        self.fd = os.open(self.link, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)
        attr = termios.tcgetattr(self.fd)
        attr[4] = attr[5] = baud
        termios.tcsetattr(self.fd, termios.TCSANOW, attr)

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def write(self, data):
        data = data.encode("latin-1") if isinstance(data, str) else data
        while data:
            data = data[os.write(self.fd, data):]

    def read(self, timeout):
        if not select.select([self.fd], [], [], timeout)[0]:
            return b""
        return os.read(self.fd, 65536)

    def expect(self, want, timeout=3.0):
        """Exactly these bytes come, and nothing else for a moment."""
        want = want.encode("latin-1") if isinstance(want, str) else want
        got = b""
        end = time.monotonic() + timeout
        while len(got) < len(want) and time.monotonic() < end:
            got += self.read(max(0, end - time.monotonic()))
        got += self.read(0.003)
        assert got == want, "\n  want %r\n  got  %r" % (want, got)

    def silent(self, seconds):
        got = self.read(seconds)
        assert got == b"", got

    def say(self, command, *blocks, timeout=3.0):
        want = "".join(blocks)
        seen = None if want else self.bytes_in()
        self.write(command + "\r")
        self.expect(want, timeout)
        # without an answer only the simulator can tell that it has it
        while seen is not None and self.bytes_in() <= seen + len(command):
            time.sleep(0.001)

    def ctl(self, *words, status=0):
        """What modemsim --ctl does, without starting it."""
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(5)
            control.connect(self.control)
            control.sendall(" ".join(map(str, words)).encode() + b"\n")
            answer = control.makefile().readline().strip()
        assert answer.startswith("error") == bool(status), (words, answer)
        return answer

    def stats(self):
        return json.loads(self.ctl("stats"))

    def bytes_in(self):
        return self.stats()["line"]["bytes_in"]

    def violations(self):
        v = self.stats()["violations"]
        return {k: n for k, n in v.items() if n}

    def up(self):
        self.say("ATE0", "ATE0\r", OK)
        self.up_again()

    def up_again(self):
        self.say("AT+CIPRXGET=1", OK)
        self.say("AT+NETOPEN", OK, line("+NETOPEN: 0"))

    def connect(self, n, server):
        self.say('AT+CIPOPEN=%d,"TCP","127.0.0.1",%d' % (n, server.port),
                 OK, line("+CIPOPEN: %d,0" % n))
        return server.accept()

    def send(self, n, data):
        self.say("AT+CIPSEND=%d,%d" % (n, len(data)), "\r\n>")
        self.write(data)
        self.expect(OK + line("+CIPSEND: %d,%d,%d" %
                              (n, len(data), len(data))))


class Server:
    def __init__(self):
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.sock.settimeout(3)
        self.port = self.sock.getsockname()[1]

    def accept(self):
        peer = self.sock.accept()[0]
        peer.settimeout(3)
        return peer


def receive(peer, n):
    data = b""
    while len(data) < n:
        more = peer.recv(n - len(data))
        assert more, "peer saw the end after %r" % data
        data += more
    return data
