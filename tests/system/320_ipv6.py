#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""320: IPv6: links to addresses and names, datagrams, what people are shown,
and which of a name's addresses is taken."""

import os
import socket
import threading

import harness
from harness import DIALECT, check, same, sha256, wait_for
from protocol import Refused

HOSTS = ("--host", "both.test=127.0.0.1", "--host", "six.test=::1",
         "--host", "four.test=127.0.0.1")


class Server6(harness.Server):
    """The same on ::1."""

    def __init__(self, serve):
        self.serve = serve
        self.connections = []
        self.listener = socket.create_server(("::1", 0),
                                             family=socket.AF_INET6)
        self.port = self.listener.getsockname()[1]
        self.closed = False
        threading.Thread(target=self.accept, daemon=True).start()


def server6(bench, serve):
    server = Server6(serve)
    bench.closing.callback(server.close)
    return server


def a_stream(bench):
    daemon = bench.start("--baud", 0)
    client = daemon.client("six")
    server = server6(bench, harness.echo)
    link = client.open("::1", server.port)
    remote = "[::1]:%d" % server.port
    info = client.call("links")["links"]["link"][0]
    same(info["remote"], remote, "the remote of the link")
    data = os.urandom(50000)
    link.send(data)
    same(sha256(link.read(len(data))), sha256(data), "the echo")
    same(bench.json("links")[0]["remote"], remote, "the remote in links")
    link.close()
    row = bench.settled_history()[0]
    same((row["type"], row["remote"]), ("tcp", remote), "the session")
    for host in ("::1", remote):
        same(len(bench.json("history", "--remote", host, user=harness.User(
            ""))), 1, "sessions with " + host)
    check(any('"TCPv6","::1"' in c for c in bench.sim.commands()),
          "it was opened otherwise")


def names(bench):
    """ANY takes IPv4 where there is one."""
    daemon = bench.start("--baud", 0, *HOSTS)
    client = daemon.client("names")
    four, six = bench.server(harness.echo), server6(bench, harness.echo)
    client.open("four.test", four.port).close()
    client.open("six.test", six.port).close()          # has no other
    client.open("six.test", six.port, family="IPV6").close()
    for host, port, family in (("four.test", four.port, "IPV6"),
                               ("six.test", six.port, "IPV4"),
                               ("no.test", six.port, "ANY")):
        try:
            client.open(host, port, family=family)
        except Refused as err:
            same(err.status, "NAME_NOT_FOUND", "%s as %s" % (host, family))
        else:
            raise AssertionError("%s was opened as %s" % (host, family))
    for host in ("four.test", "six.test"):
        try:
            client.open(host, 1)
        except Refused as err:
            same(err.status, "REFUSED", "a port of %s" % host)
        else:
            raise AssertionError("port 1 was opened")
    for host, family in (("::1", "IPV4"), ("127.0.0.1", "IPV6")):
        try:
            client.open(host, four.port, family=family)
        except Refused as err:
            same(err.status, "INVALID", "%s as %s" % (host, family))
            check("host" in err.answer["message"], "the message", err.answer)
        else:
            raise AssertionError("%s was opened as %s" % (host, family))


def a_long_name(bench):
    """CIPSTART takes 64 bytes; longer names are looked up before."""
    name = ".".join(["a" * 30] * 3) + ".test"
    daemon = bench.start("--baud", 0, "--host", name + "=127.0.0.1",
                         "--host", "six-" + name + "=::1")
    client = daemon.client("long")
    client.open(name, bench.server(harness.echo).port).close()
    client.open("six-" + name, server6(bench, harness.echo).port).close()
    try:
        client.open("no-" + name, 80)
    except Refused as err:
        same(err.status, "NAME_NOT_FOUND", "the status")
    else:
        raise AssertionError("a name that nobody has was opened")


def resolved(bench):
    daemon = bench.start("--baud", 0, *HOSTS)
    client = daemon.client("resolve")

    def ask(name, family):
        return client.call("resolve", name=name, family=family)["resolve"][
            "address"]

    same(ask("six.test", "ANY"), ["::1"], "any address of six.test")
    same(ask("six.test", "IPV6"), ["::1"], "its IPv6 address")
    same(ask("four.test", "ANY"), ["127.0.0.1"], "any of four.test")
    for name, family in (("four.test", "IPV6"), ("six.test", "IPV4")):
        try:
            ask(name, family)
        except Refused as err:
            same(err.status, "NAME_NOT_FOUND", "%s as %s" % (name, family))
        else:
            raise AssertionError("%s has an %s address" % (name, family))


class Peer6:
    def __init__(self, bench):
        self.sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.sock.bind(("::1", 0))
        self.sock.settimeout(20)
        self.port = self.sock.getsockname()[1]
        bench.closing.callback(self.sock.close)


def datagrams(bench):
    daemon = bench.start("--baud", 0, "--free-ports")
    client = daemon.client("udp")
    peer, other = Peer6(bench), Peer6(bench)
    link = client.open("::1", peer.port, type="UDP", want_source=True)
    for size in (1, 100, 1460):
        data = os.urandom(size)
        link.send_to(data)
        got, source = peer.sock.recvfrom(4096)
        same(got, data, "what the peer receives")
        peer.sock.sendto(data[::-1], source[:2])
        same(link.receive(), (data[::-1], "[::1]:%d" % peer.port),
             "what the link receives")
    link.send_to(b"to another", "::1", other.port)
    same(other.sock.recvfrom(4096)[0], b"to another", "the datagram")
    same(client.call("links")["links"]["link"][0]["remote"],
         "[::1]:%d" % peer.port, "the remote of the link")


def of_the_module(bench):
    """Its own address that a link is bound to."""
    daemon = bench.start("--baud", 0)
    client = daemon.client("local")
    client.open("::1", server6(bench, harness.echo).port,
                local_address="::1").close()
    client.open("127.0.0.1", bench.server(harness.echo).port,
                local_address="127.0.0.1", tcp={"keepalive_s": 60}).close()
    try:
        client.open("127.0.0.1", 80, local_address="2001:db8::1")
    except Refused as err:
        same(err.status, "INVALID", "a local address of the other family")
    heard = [c for c in bench.sim.commands() if "CIPSTART" in c]
    check(heard[0].endswith(',,"::1"'), "the first", heard)
    check(heard[1].endswith(',60,"127.0.0.1"'), "the second", heard)
    try:
        client.open("127.0.0.1", 80, local_address="192.0.2.77")
    except Refused as err:
        # its own family says ERROR, and not why
        same(err.status, "REFUSED" if DIALECT.family == "w800" else "INVALID",
             "a local address that it has not")
    else:
        raise AssertionError("bound to somebody else's address")


def nc_six(bench):
    daemon = bench.start("--baud", 0, *HOSTS)
    check(daemon, "it runs")
    server = server6(bench, harness.echo)
    for words in (("::1",), ("-6", "six.test")):
        code, out, err = bench.run("modemctl", "nc", "-q", 1, *words,
                                   server.port, stdin=b"hello\n")
        same((code, out), (0, "hello\n"), "nc %s (%s)" % (words, err))
    wait_for(lambda: not bench.sim.used_slots(), "the links are closed")
    peer = Peer6(bench)
    code, _, err = bench.run("modemctl", "nc", "-u", "-q", 0, "::1",
                             peer.port, stdin=b"hello")
    same((code, peer.sock.recvfrom(100)[0]), (0, b"hello"), "nc -u " + err)
    code, _, err = bench.run("modemctl", "nc", "-u", "-6", "-q", 0,
                             "six.test", peer.port, stdin=b"by name")
    same((code, peer.sock.recvfrom(100)[0]), (0, b"by name"), "nc -u " + err)


harness.run(a_stream, names, a_long_name, resolved, datagrams, of_the_module,
            nc_six)
