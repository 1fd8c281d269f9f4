#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""310: TLS that the modem speaks: who is accepted and who is not, what the
server is told, every byte both ways, and nothing of one link's settings left
for the next one in its slot."""

import os
import socket
import ssl
import subprocess
import time

import harness
from harness import DIALECT, check, same, sha256, wait_for
from protocol import Refused

NAME = "server.test"
PSK = "a secret, of 26 letters"
REFUSED, TIMEOUT = 8, 9


def openssl(*words):
    done = subprocess.run(["openssl", *words], capture_output=True, text=True,
                          timeout=60, check=False)
    same(done.returncode, 0, "openssl %s: %s" % (words[0], done.stderr))


class Certificates:
    """A CA with a server and a client, and a CA that signed nobody."""

    def __init__(self, bench):
        self.bench = bench
        self.authority("ca")
        self.authority("other")
        self.issue("server", NAME)
        self.issue("client", "client 7")

    def path(self, name):
        return self.bench.path(name + ".pem")

    def key(self, name):
        return self.bench.path(name + ".key")

    def authority(self, name):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=" + name, "-keyout", self.key(name), "-out",
                self.path(name))

    def issue(self, name, common_name):
        request = self.bench.path(name + ".req")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-subj", "/CN=" + common_name, "-keyout",
                self.key(name), "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.path("ca"),
                "-CAkey", self.key("ca"), "-CAcreateserial", "-days", "2",
                "-out", self.path(name))

    def sim_options(self):
        return ["--host", NAME + "=127.0.0.1",
                "--ca", "0:" + self.path("ca"),
                "--ca", "1:" + self.path("other"),
                "--pki", "0:%s:%s" % (self.path("server"),
                                      self.key("server")),
                "--pki", "2:%s:%s" % (self.path("client"),
                                      self.key("client"))]


class TlsServer(harness.Server):
    """@serve(connection) with TLS on it; what clients said is in .said:
    {"sni": ..., "alpn": ..., "peer": ...} for each handshake that was done."""

    def __init__(self, serve, certificates, ask_client=False, alpn=()):
        self.said = []
        self.names = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificates.path("server"),
                                     certificates.key("server"))
        if ask_client:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(certificates.path("ca"))
        if alpn:
            self.context.set_alpn_protocols(list(alpn))
        self.context.sni_callback = lambda s, name, c: self.names.append(name)

        def with_tls(connection):
            try:
                connection.sock = self.context.wrap_socket(
                    connection.sock, server_side=True)
            except (ssl.SSLError, OSError) as err:
                connection.ended = "handshake: %s" % err
                raise OSError(connection.ended) from err
            peer = connection.sock.getpeercert() or {}
            self.said.append({
                "sni": self.names[-1],
                "alpn": connection.sock.selected_alpn_protocol(),
                "peer": dict(x[0] for x in peer.get("subject", ()))})
            serve(connection)

        super().__init__(with_tls)


def set_up(bench, serve=harness.echo, *options, **server):
    """(daemon, certificates, server)"""
    certificates = Certificates(bench)
    far = TlsServer(serve, certificates, **server)
    bench.closing.callback(far.close)
    daemon = bench.start("--baud", 0, *certificates.sim_options(), *options)
    return daemon, certificates, far


def verified(**more):
    return {"verify": True, "common_name": NAME, **more}


def refused(client, host, port, status=REFUSED, **options):
    """The opened event of an open that fails."""
    link = client.open_start(host, port, type="TLS", **options)
    client.wait(lambda: link.opened, 30, "the end of the open")
    same(link.opened.get("status", 0), status, "the status of the open")
    return link.opened


def the_right_server(bench):
    daemon, _, far = set_up(bench)
    client = daemon.client("tls")
    up = os.urandom(200000)
    link = client.open(NAME, far.port, type="TLS", tls=verified(),
                       restore=True)
    info = client.call("links")["links"]["link"][0]
    same(info["type"], 3, "the type of the link (TLS)")
    link.send(up)
    down = link.read(len(up))
    same(sha256(down), sha256(up), "what came back")
    same(sha256(bytes(far.connection(0).received)), sha256(up),
         "what the server received")
    same(far.said[0]["sni"], NAME, "the SNI")
    counts = link.close()["counts"]
    same((counts["taken"], counts["received"]), (len(up), len(up)), "counts")
    wait_for(lambda: far.connection(0).ended == "eof", "the TLS close")
    row = bench.settled_history()[0]
    same((row["type"], row["remote"]), ("tls", "%s:%d" % (NAME, far.port)),
         "the session")
    check(any(c.startswith("AT+CIPSNTPCFG=1") for c in bench.sim.commands()),
          "nobody asked for the time")


def the_wrong_server(bench):
    daemon, _, far = set_up(bench)
    client = daemon.client("tls")
    other = client.open("127.0.0.1", bench.server(harness.echo).port)
    ended = refused(client, NAME, far.port,
                    tls={"verify": True, "common_name": "other.test"})
    check("TLS" in ended.get("modem_text", ""), "the modem's text", ended)
    refused(client, NAME, far.port, tls=verified(ca=1))
    refused(client, NAME, far.port, tls=verified(ca=5))
    same(far.said, [], "handshakes that were done")
    # who does not ask is not refused
    link = client.open(NAME, far.port, type="TLS")
    link.send(b"who are you")
    same(link.read(11), b"who are you", "the echo")
    other.send(b"still here")
    same(other.read(10), b"still here", "the neighbour's echo")


def a_plain_server(bench):
    """It speaks no TLS, or nothing, or is not there."""
    daemon, _, _ = set_up(bench, harness.echo, "--tls-time", 500)
    client = daemon.client("tls")
    plain = bench.server(lambda c: c.send(b"220 I speak something else\r\n"))
    silent = bench.server(harness.silent)
    refused(client, "127.0.0.1", plain.port)
    began = time.monotonic()
    refused(client, "127.0.0.1", silent.port)
    check(time.monotonic() - began < 8, "it took too long")
    refused(client, "127.0.0.1", 1)
    same(bench.sim.used_slots(), [], "slots that are taken")


def the_server_is_told(bench):
    daemon, _, far = set_up(bench, alpn=("http/1.1", "h2"))
    client = daemon.client("tls")
    client.open(NAME, far.port, type="TLS",
                tls={"sni": "another.test", "alpn": [b"x,y", b"h2"]}).close()
    wait_for(lambda: far.said, "the handshake, as the server sees it")
    same((far.said[0]["sni"], far.said[0]["alpn"]), ("another.test", "h2"),
         "what the server was told")
    for i in range(DIALECT.slots):      # one of them is in the same slot
        client.open("127.0.0.1", far.port, type="TLS").close()
        wait_for(lambda n=i + 2: len(far.said) == n, "the handshake")
        same((far.said[-1]["sni"], far.said[-1]["alpn"]), (None, None),
             "what the server was told by the next ones")


def a_certificate_of_ours(bench):
    daemon, _, far = set_up(bench, ask_client=True)
    client = daemon.client("tls")
    refused(client, NAME, far.port)
    link = client.open(NAME, far.port, type="TLS",
                       tls=verified(authenticate=True, pki=2))
    wait_for(lambda: far.said, "the handshake, as the server sees it")
    same(far.said[-1]["peer"].get("commonName"), "client 7", "the client")
    link.close()
    refused(client, NAME, far.port)     # the number was not kept


def psk_server(bench, key):
    """An openssl that turns lines round: (process, port)"""
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:%d" % port, "-nocert",
         "-psk", key.encode().hex(), "-psk_identity", "station, 7", "-tls1_2",
         "-cipher", "PSK", "-rev"], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    bench.closing.callback(server.kill)

    def listens():
        # no connection is made: that would be one for s_server
        done = subprocess.run(["ss", "-ltn"], capture_output=True, text=True,
                              check=False)
        return (":%d " % port) in done.stdout

    wait_for(listens, "openssl listens")
    return port


def a_key_both_know(bench):
    daemon = bench.start("--baud", 0)
    client = daemon.client("psk")
    port = psk_server(bench, PSK)
    tls = {"psk": PSK, "psk_hint": "station, 7"}
    link = client.open("127.0.0.1", port, type="TLS", tls=tls)
    link.send(b"turn me round\n")
    same(link.read(14), b"dnuor em nrut\n", "the line")
    link.close()
    heard = [c for c in bench.sim.commands() if "CIPSSLCPSK" in c]
    same(len(heard), 2, "commands about the PSK")
    check(heard[1].endswith(',"",""'), "it was not taken back", heard)
    refused(client, "127.0.0.1", port, tls={**tls, "psk": "another"})
    refused(client, "127.0.0.1", port)
    # nobody can read it
    trace = bench.modemctl("trace", user=harness.User(""))
    check("CIPSSLCPSK" in trace, "the trace does not show the command")
    for text in (daemon.stderr(), daemon.stdout(), trace):
        check("of 26 letters" not in text, "the PSK is in a log")


def without_the_time(bench):
    """No time server answers: who wants to verify hears why, in time."""
    daemon, _, far = set_up(bench, harness.echo, "--quirk", "sntp-silent")
    client = daemon.client("tls")
    began = time.monotonic()
    ended = refused(client, NAME, far.port, status=TIMEOUT, tls=verified())
    check(2 < time.monotonic() - began < 8, "it took %.1f s" % (
        time.monotonic() - began))
    check("time" in ended.get("modem_text", ""), "the modem's text", ended)
    client.open(NAME, far.port, type="TLS").close()


def the_server_closes(bench):
    text = os.urandom(30000)

    def serve(connection):
        connection.send(text)
        connection.sock.unwrap()

    daemon, _, far = set_up(bench, serve)
    client = daemon.client("tls")
    link = client.open(NAME, far.port, type="TLS", tls=verified())
    client.wait(lambda: link.closed, 20, "the server's close")
    same(link.closed["reason"], "peer", "the reason")
    same(sha256(bytes(link.data)), sha256(text), "what came before it")


def restored_as_it_was(bench):
    daemon, _, far = set_up(bench, alpn=("h2",))
    client = daemon.client("tls")
    link = client.open(NAME, far.port, type="TLS", restore=True,
                       tls=verified(alpn=[b"h2"]))
    bench.sim.ctl("network-loss")
    client.wait(lambda: link.lost, 20, "the loss")
    bench.sim.ctl("network-back")
    client.wait(lambda: link.restored, 60, "the link is back")
    link.send(b"again")
    same(link.read(5), b"again", "the echo")
    same([(s["sni"], s["alpn"]) for s in far.said], [(NAME, "h2")] * 2,
         "what the server was told, twice")


def nc_speaks_it(bench):
    daemon, _, far = set_up(bench)
    check(daemon, "it runs")
    code, out, err = bench.run("modemctl", "nc", "--tls", "--verify", "--cn",
                               NAME, "-q", 1, NAME, far.port, stdin=b"hello\n")
    same((code, out), (0, "hello\n"), "nc (%s)" % err)
    code, _, err = bench.run("modemctl", "nc", "--tls", "--ca", 1, NAME,
                             far.port)
    same(code, 1, "the exit code of nc")
    check("TLS" in err, "what nc says", err)


def several_at_once(bench):
    """Every link has its own settings, in every slot."""
    daemon, _, far = set_up(bench, alpn=tuple("proto%d" % i
                                              for i in range(5)))
    clients = [daemon.client("tls%d" % i) for i in range(5)]
    links = [c.open(NAME, far.port, type="TLS", timeout=60,
                    tls=verified(alpn=[b"proto%d" % i]))
             for i, c in enumerate(clients)]
    for i, link in enumerate(links):
        link.send(b"I am %d" % i)
    for i, link in enumerate(links):
        same(link.read(6), b"I am %d" % i, "the echo")
    same(sorted(s["alpn"] for s in far.said),
         ["proto%d" % i for i in range(5)],
         "the protocols")
    try:
        clients[0].open(NAME, far.port, type="TLS")
    except Refused as err:
        same(err.status, "NO_SLOT", "the status of the sixth")
    else:
        raise AssertionError("a sixth link was opened")


harness.run(the_right_server, the_wrong_server, a_plain_server,
            the_server_is_told, a_certificate_of_ours, a_key_both_know,
            without_the_time, the_server_closes, restored_as_it_was,
            nc_speaks_it, several_at_once)
