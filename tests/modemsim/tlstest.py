# SPDX-License-Identifier: MIT
"""What the TLS pages share: certificates made on the spot, far ends."""

import socket
import ssl
import subprocess
import tempfile
import threading
import time

NAME = "server.test"
_made = None


def openssl(*words):
    done = subprocess.run(["openssl", *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=30)
    assert done.returncode == 0, (words, done.stderr)


class Certificates:
    """A CA with a server, an expired server and a client; and another CA."""

    def __init__(self):
        self.dir = tempfile.TemporaryDirectory()
        self.authority("ca")
        self.authority("other")
        self.issue("server", "/CN=" + NAME, days="30",
                   names="DNS:%s,DNS:second.test" % NAME)
        self.issue("expired", "/CN=" + NAME, days="-1")
        self.issue("client", "/CN=client 7", days="30")

    def __getitem__(self, name):
        return "%s/%s.pem" % (self.dir.name, name)

    def key(self, name):
        return "%s/%s.key" % (self.dir.name, name)

    def authority(self, name):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-subj", "/CN=" + name, "-keyout", self.key(name),
                "-out", self[name])

    def issue(self, name, subject, days, names=None):
        request = "%s/%s.req" % (self.dir.name, name)
        more = []
        openssl("req", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
                "-keyout", self.key(name), "-out", request)
        if names is not None:
            with open(request + ".ext", "w") as out:
                out.write("subjectAltName=%s\n" % names)
            more = ["-extfile", request + ".ext"]
        openssl("x509", "-req", "-in", request, "-CA", self["ca"],
                "-CAkey", self.key("ca"), "-CAcreateserial", "-days", days,
                "-out", self[name], *more)


def certificates():
    global _made
    if _made is None:
        _made = Certificates()
    return _made


class TlsServer:
    """Accepts one connection after the other; accept() gives the next."""

    def __init__(self, name="server", ask_client=False, alpn=(),
                 host="127.0.0.1"):
        c = certificates()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(c[name], c.key(name))
        if ask_client:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(c["ca"])
        if alpn:
            self.context.set_alpn_protocols(list(alpn))
        self.context.sni_callback = self.on_name
        self.asked_for = None
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.create_server((host, 0), family=family)
        self.sock.settimeout(5)
        self.port = self.sock.getsockname()[1]
        self.error = None
        self.peer = None
        self.thread = None
        self.patience = 0       # seconds, before it says anything

    def on_name(self, peer, name, context):
        self.asked_for = name

    def begin(self):
        """The handshake goes on while the modem is asked to open."""
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def run(self):
        self.peer = self.error = None
        raw = self.sock.accept()[0]
        raw.settimeout(5)
        time.sleep(self.patience)
        try:
            self.peer = self.context.wrap_socket(
                raw, server_side=True, suppress_ragged_eofs=False)
        except (ssl.SSLError, OSError) as err:
            self.error = str(err)
            raw.close()

    def end(self):
        self.thread.join(8)
        assert not self.thread.is_alive()
        return self.peer


def client_context(ca="ca", show=None):
    c = certificates()
    context = ssl.create_default_context(cafile=c[ca])
    if show is not None:
        context.load_cert_chain(c[show], c.key(show))
    return context


class SServer:
    """openssl s_server; with -rev it answers each line reversed."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        for text in self.process.stdout:
            if text.startswith("ACCEPT"):
                break
        self.port = int(text.rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def stored(ca="ca", pki="client"):
    c = certificates()
    return ("--ca", "0:" + c[ca], "--ca", "7:" + c["other"],
            "--pki", "0:%s:%s" % (c["server"], c.key("server")),
            "--pki", "3:%s:%s" % (c[pki], c.key(pki)))


def start(s, n, port, host="127.0.0.1", kind="SSL"):
    return 'AT+CIPSTART=%d,"%s","%s",%d' % (n, kind, host, port)


def fine(s, n, far, **more):
    """It opens: the far end's socket."""
    far.begin()
    s.ask(start(s, n, far.port, **more), "%d,CONNECT" % n, "OK")
    peer = far.end()
    assert peer is not None, far.error
    return peer


def refused(s, n, far, why):
    far.begin()
    s.ask(start(s, n, far.port), "ERROR")
    assert far.end() is None or True
    said = slot(s, n).get("why", "")
    assert why in said, said
    assert slot(s, n)["state"] == "free"


def slot(s, n):
    return s.stats()["slots"][n]


def slot_held(s, n):
    while slot(s, n)["held"] == 0:
        time.sleep(0.001)
    return slot(s, n)["held"]


def read_until(s, end):
    answer = b""
    while not answer.endswith(end):
        more = s.read(3)
        assert more, answer
        answer += more
    return answer


def restart(s):
    """AT+RST; it joins by itself."""
    s.write("AT+RST\r\n")
    read_until(s, b"WIFI GOT IPv6 LL\r\n")
    s.write("ATE0\r\n")
    s.expect("ATE0\r\n" + s.final())
    s.ask("AT+CIPMUX=1", "OK")


def take_all(s, n, size):
    """Read the cache as a host would, by CIPRECVDATA of any length."""
    got, seen = b"", b""
    end = time.monotonic() + 20
    while len(got) < size:
        s.write("AT+CIPRECVDATA=%d,100000\r\n" % n)
        block = None
        while block is None:
            assert time.monotonic() < end, (len(got), seen[-80:])
            seen += s.read(1)
            block, seen = one_block(seen)
        got += block
    return got


def one_block(seen):
    """(data of one answer or None, what is left); "" for ERROR."""
    at = seen.find(b"+CIPRECVDATA:")
    if at < 0:
        head, found, rest = seen.partition(b"\r\nERROR\r\n")
        return (b"", rest) if found else (None, seen)
    head, found, rest = seen[at:].partition(b",")
    size = int(head.split(b":")[1]) if found else len(seen)
    if rest[size:size + 6] != b"\r\nOK\r\n":
        return None, seen
    return rest[:size], rest[size + 6:]
