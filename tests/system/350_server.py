#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""350: the one server of a module that says of a connection only that it is
there: who it is, is known before its owner hears of it, and no byte is lost
meanwhile. TLS, IPv6, limits of time and number, and its return after a loss."""

import contextlib
import random
import signal
import socket
import ssl
import subprocess
import threading

import harness
from harness import check, needs, same, sha256, wait_for
from protocol import ENUMS, Refused

ADMIN = harness.User("")


def start(bench, *options, **changes):
    changes.setdefault("links__max_inbound", 5)
    return bench.start("--baud", 0, "--free-ports", *options, **changes)


def host_port(bench, port):
    """Where the simulator has it."""
    for word in bench.sim.ctl("ports").split():
        kind, _, rest = word.partition(":")
        if kind == "server" and ":%d=" % port in rest:
            return int(rest.rpartition("=")[2])
    raise AssertionError("port %d is not listened to: %s" % (
        port, bench.sim.ctl("ports")))


def world(bench, port, address="127.0.0.1"):
    """A connection from outside to that port of the modem."""
    s = socket.create_connection((address, host_port(bench, port)), 10)
    bench.closing.callback(s.close)
    return s


def is_closed(sock, timeout=10):
    sock.settimeout(timeout)
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def read_all(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(65536)
        if not more:
            break
        data += more
    return data


def address(sock):
    return "%s:%d" % sock.getsockname()[:2]


# ------------------------------------------------------------------ one server

@needs("wifi")
def there_is_one_server(bench):
    """Its holder is named; who waits gets it when it is free."""
    daemon = start(bench)
    one, two = daemon.client("first"), daemon.client("second")
    listener = one.listen(8080, idle_timeout_ms=60000)
    commands = bench.sim.commands()
    check(commands.index("AT+CIPSERVERMAXCONN=5") <
          commands.index("AT+CIPSERVER=1,8080"), "the limit comes first")
    check("AT+CIPSTO=65" in commands, "the module's own limit of silence",
          commands[-6:])
    try:
        two.listen(8081)
        raise AssertionError("a second server")
    except Refused as err:
        same(err.status, "NO_SLOT", "the refusal")
        check("first (pid" in err.answer["message"] and
              "port 8080" in err.answer["message"], "its holder is named",
              err.answer["message"])
    waiting = two.request("listen", port=8081, wait_ms=20000)
    wait_for(lambda: len(bench.json("listeners")) == 2, "the second waits")
    listener.stop()
    same(two.answer(waiting, 20).get("status", 0), 0, "the second's turn")
    check(":8081=" in bench.sim.ctl("ports"), "the next server")
    row = bench.json("listeners")[0]
    same((row["type"], row["port"], row["client"]), ("tcp", 8081, "second"),
         "listeners")


@needs("wifi")
def a_stop_of_what_is_not_there(bench):
    """Somebody has stopped the server behind modemd's back."""
    daemon = start(bench)
    client = daemon.client("server")
    listener = client.listen(8080)
    bench.modemctl("at", "--force", "AT+CIPSERVER=0", user=ADMIN)
    client.wait(lambda: listener.restored, 20, "it is started again")
    world(bench, 8080)
    listener.accept().close()
    listener.stop()
    same(bench.sim.ctl("ports"), "", "servers in the modem")


@needs("wifi")
def a_server_left_by_somebody(bench):
    bench.start_sim("--baud", 0, "--free-ports")
    daemon = bench.start_daemon(links__max_inbound=5)
    daemon.client("server").listen(8080)
    daemon.kill()
    daemon = bench.start_daemon(links__max_inbound=5)
    same(bench.sim.ctl("ports"), "", "what the first one has left")
    daemon.client("server").listen(8080)


# ----------------------------------------------------------------- connections

@needs("wifi")
def five_at_once(bench):
    """All sockets are inbound: each its bytes, no other one gets in or out."""
    daemon = start(bench)
    client = daemon.client("server")
    listener = client.listen(8080)
    up = [random.Random(i).randbytes(30000) for i in range(5)]
    peers = [world(bench, 8080) for _ in up]
    links = {}
    for _ in up:
        link = listener.accept()
        links[link.peer] = link
    same(set(links), {address(p) for p in peers}, "the peers")
    threads = [threading.Thread(target=p.sendall, args=(d,))
               for p, d in zip(peers, up)]
    for thread in threads:
        thread.start()
    for peer, data in zip(peers, up):
        link = links[address(peer)]
        same(sha256(link.read(len(data))), sha256(data), "what came")
        link.send(data[::-1])
    for peer, data in zip(peers, up):
        same(sha256(read_all(peer, len(data))), sha256(data[::-1]),
             "what went")
    for thread in threads:
        thread.join()
    try:
        client.open("127.0.0.1", 9)
        raise AssertionError("a sixth socket")
    except Refused as err:
        same(err.status, "NO_SLOT", "the refusal")
    with contextlib.suppress(OSError):
        check(is_closed(world(bench, 8080)), "a sixth connection")
    row = bench.json("listeners")[0]
    same((row["accepted"], row["links"]), (5, 5), "listeners")
    links[address(peers[2])].close()
    check(is_closed(peers[2]), "the peer sees the close")
    peers[2] = world(bench, 8080)
    peers[2].sendall(b"again")
    same(listener.accept().read(5), b"again", "the freed socket")


def short_visits(bench, rounds, **changes):
    """Said and gone, often before the table can be read."""
    daemon = start(bench, **changes)
    client = daemon.client("server")
    listener = client.listen(8080)
    port = host_port(bench, 8080)
    said = [b"visit %d" % i for i in range(rounds)]
    heard = []
    for text in said:
        with socket.create_connection(("127.0.0.1", port), 10) as s:
            s.sendall(text)
        link = listener.accept()
        client.wait(lambda: link.closed, 10, "its end")
        heard.append(bytes(link.data))
    same(heard, said, "what they said")
    row = bench.json("listeners")[0]
    same((row["accepted"], row["refused"]), (rounds, 0), "listeners")
    wait_for(lambda: not bench.sim.used_slots(), "all slots are free")


@needs("wifi")
def short_visits_pulled(bench):
    short_visits(bench, 40)


@needs("wifi")
def short_visits_pushed(bench):
    short_visits(bench, 40, modem__receive="push")


@needs("wifi")
def pushed_before_it_is_known(bench):
    """A command takes long, a connection comes and talks: all of it is kept
    until its owner has heard of it."""
    daemon = start(bench, "--latency-for", "CIPDOMAIN=1500",
                   modem__receive="push")
    client = daemon.client("server")
    listener = client.listen(8080)
    # a pushed link, so that the module is in push mode before
    far = bench.server(harness.echo)
    daemon.client("other").open("127.0.0.1", far.port)
    wait_for(lambda: bench.json("status")["modem"]["receive"] == "push",
             "push mode")
    data = random.Random(5).randbytes(20000)
    slow = bench.spawn("slow", "modemctl", "resolve", "localhost")
    wait_for(lambda: any("CIPDOMAIN" in c for c in bench.sim.commands()),
             "the slow command")
    peer = world(bench, 8080)
    peer.sendall(data)
    client.pump(0)
    check(not listener.accepted, "nobody knows yet")
    link = listener.accept()
    same(link.peer, address(peer), "the peer")
    same(sha256(link.read(len(data))), sha256(data), "every byte")
    same(slow.wait(), 0, "the slow command")


@needs("wifi")
def who_may_connect(bench):
    daemon = start(bench)
    client = daemon.client("strict")
    strict = client.listen(8080, allow=["192.0.2.0/24", "2001:db8::/32"])
    peer = world(bench, 8080)
    peer.sendall(b"let me in")
    check(is_closed(peer), "one that is not allowed is closed")
    client.wait(lambda: strict.refused, 10, "the refusal")
    same((strict.refused[0]["peer"], strict.refused[0]["status"]),
         (address(peer), ENUMS["Status"]["NO_PERMISSION"]), "the refusal")
    check(not strict.accepted, "nobody was accepted")
    client.call("accept_policy", listener=strict.id, replace_allow=True,
                allow=["127.0.0.0/8"], max_links=1)
    world(bench, 8080)
    strict.accept()
    check(is_closed(world(bench, 8080)), "the second of one is closed")
    client.wait(lambda: len(strict.refused) > 1, 10, "the refusal")
    same(strict.refused[1]["status"], ENUMS["Status"]["LIMIT"], "why")
    row = bench.json("listeners")[0]
    same((row["accepted"], row["refused"], row["allow"]),
         (1, 2, ["127.0.0.0/8"]), "listeners")


@needs("wifi")
def max_inbound_of_all(bench):
    daemon = start(bench, links__max_inbound=2)
    client = daemon.client("server")
    listener = client.listen(8080)
    check("AT+CIPSERVERMAXCONN=3" in bench.sim.commands(),
          "one more than are let in, so that they are told",
          bench.sim.commands())
    peers = [world(bench, 8080) for _ in range(2)]
    links = [listener.accept() for _ in peers]
    check(is_closed(world(bench, 8080)), "the third is closed")
    client.wait(lambda: listener.refused, 10, "the refusal")
    far = bench.server(harness.echo)
    out = daemon.client("other").open("127.0.0.1", far.port)
    out.send(b"still")
    same(out.read(5), b"still", "who opens is not kept out")
    check(not any(l.closed for l in links), "both stay")


# ----------------------------------------------------------------- idle limits

@needs("wifi")
def idle_limits(bench):
    daemon = start(bench, links__inbound_idle_timeout="2s")
    client = daemon.client("server")
    listener = client.listen(8080)
    peer = world(bench, 8080)
    link = listener.accept()
    for _ in range(4):
        peer.sendall(b"x")
        link.read(1)
        client.pump(0.6)
    check(not link.closed, "it is not idle")
    client.wait(lambda: link.closed, 10, "its end")
    same(link.closed["reason"], "idle", "the reason")
    check(is_closed(peer), "the peer sees it")


@needs("wifi")
def the_modules_own_limit(bench):
    """modemd is stopped: the module closes what nobody uses."""
    daemon = start(bench, links__inbound_idle_timeout="1s")
    client = daemon.client("server")
    listener = client.listen(8080)
    check("AT+CIPSTO=6" in bench.sim.commands(), "its limit",
          bench.sim.commands())
    peer = world(bench, 8080)
    listener.accept()
    daemon.signal(signal.SIGSTOP)
    try:
        check(is_closed(peer, 15), "the module has closed it")
    finally:
        daemon.signal(signal.SIGCONT)
    wait_for(lambda: not bench.json("links"), "modemd knows it")


# ------------------------------------------------------------------------- TLS

def openssl(*words):
    done = subprocess.run(["openssl", *words], capture_output=True, text=True,
                          timeout=60, check=False)
    same(done.returncode, 0, "openssl %s: %s" % (words[0], done.stderr))


def certificates(bench):
    """A CA, and what it has signed for the module and for a client."""
    def path(name):
        return bench.path(name)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=ca", "-keyout", path("ca.key"), "-out", path("ca.pem"))
    for name in ("server", "client"):
        openssl("req", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
                "-keyout", path(name + ".key"), "-out", path(name + ".req"))
        openssl("x509", "-req", "-in", path(name + ".req"), "-CA",
                path("ca.pem"), "-CAkey", path("ca.key"), "-CAcreateserial",
                "-days", "2", "-out", path(name + ".pem"))
    return ["--pki", "0:%s:%s" % (path("server.pem"), path("server.key")),
            "--ca", "0:" + path("ca.pem")]


def tls_world(bench, port, certificate=None, host="127.0.0.1"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(bench.path("ca.pem"))
    if certificate:
        context.load_cert_chain(bench.path(certificate + ".pem"),
                                bench.path(certificate + ".key"))
    raw = socket.create_connection((host, host_port(bench, port)), 10)
    bench.closing.callback(raw.close)
    s = context.wrap_socket(raw)
    bench.closing.callback(s.close)
    return s


@needs("wifi")
def tls_without_client_certificates(bench):
    daemon = start(bench, *certificates(bench))
    client = daemon.client("server")
    listener = client.listen(8443, tls=True)
    check('AT+CIPSERVER=1,8443,"SSL",0' in bench.sim.commands(),
          "the command", bench.sim.commands())
    peer = tls_world(bench, 8443)
    link = listener.accept()
    data = random.Random(3).randbytes(20000)
    sender = threading.Thread(target=peer.sendall, args=(data,))
    sender.start()
    same(sha256(link.read(len(data))), sha256(data), "what came")
    sender.join()
    link.send(b"by TLS")
    same(read_all(peer, 6), b"by TLS", "what went")
    same(bench.json("listeners")[0]["type"], "tls", "listeners")
    same(bench.json("links")[0]["listener"], listener.id, "links")


@needs("wifi")
def tls_with_client_certificates(bench):
    daemon = start(bench, *certificates(bench))
    client = daemon.client("server")
    listener = client.listen(8443, tls=True, verify=True)
    check('AT+CIPSERVER=1,8443,"SSL",1' in bench.sim.commands(),
          "the command", bench.sim.commands())
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        stranger = tls_world(bench, 8443)
        stranger.sendall(b"hello")
        stranger.recv(1)
        raise AssertionError("one without a certificate was let in")
    known = tls_world(bench, 8443, "client")
    known.sendall(b"it is me")
    same(listener.accept().read(8), b"it is me", "the one that has one")
    try:
        client.listen(8444, verify=True)
        raise AssertionError("verify without tls")
    except Refused as err:
        same(err.status, "INVALID", "the refusal")


@needs("wifi")
def by_ipv6(bench):
    daemon = start(bench, *certificates(bench))
    client = daemon.client("server")
    listener = client.listen(8080, family="IPV6", allow=["::1/128"])
    check('AT+CIPSERVER=1,8080,"TCPv6"' in bench.sim.commands(),
          "the command", bench.sim.commands())
    peer = world(bench, 8080, "::1")
    peer.sendall(b"six")
    link = listener.accept()
    same(link.read(3), b"six", "what came")
    check("::1" in link.peer and
          link.peer.endswith(":%d" % peer.getsockname()[1]), "the peer",
          link.peer)
    same(bench.json("listeners")[0]["type"], "tcp6", "listeners")
    listener.stop()
    listener = client.listen(8443, family="IPV6", tls=True)
    same(bench.json("listeners")[0]["type"], "tls6", "listeners")
    tls_world(bench, 8443, host="::1").sendall(b"tls six")
    same(listener.accept().read(7), b"tls six", "by TLS")
    listener.stop()
    client.listen(8080, allow=["2001:db8::/32"])
    check(is_closed(world(bench, 8080)), "IPv4 is no IPv6")


@needs("wifi")
def nc_listens_with_tls(bench):
    start(bench, *certificates(bench))
    for args in (["-l", "--verify", 8443], ["--tls", "--lease", "h", 1]):
        same(bench.run("modemctl", "nc", *args)[0], 2, "nc %s" % args)
    nc = bench.spawn("nc", "modemctl", "nc", "-l", "--tls", "--verify", 8443)
    wait_for(lambda: [r for r in bench.json("listeners")
                      if r["state"] == "listening"], "nc listens")
    peer = tls_world(bench, 8443, "client")
    peer.sendall(b"by nc")
    wait_for(lambda: nc.stdout() == "by nc", "nc has it")
    with contextlib.suppress(OSError):
        peer.unwrap()
    peer.close()
    same(nc.wait(), 0, "the exit code (%s)" % nc.stderr())
    wait_for(lambda: bench.sim.ctl("ports") == "", "its server ends")


# ---------------------------------------------------------------------- losses

@needs("wifi")
def wifi_is_lost(bench):
    daemon = start(bench)
    client = daemon.client("server")
    listener = client.listen(8080)
    peer = world(bench, 8080)
    link = listener.accept()
    bench.sim.ctl("network-loss")
    client.wait(lambda: listener.lost and link.closed, 20, "the loss")
    bench.sim.ctl("network-back")
    client.wait(lambda: listener.restored, 30, "its return")
    peer = world(bench, 8080)
    peer.sendall(b"back")
    same(listener.accept().read(4), b"back", "the next connection")
    same(bench.json("listeners")[0]["state"], "listening", "listeners")


@needs("wifi")
def the_module_restarts(bench):
    daemon = start(bench)
    client = daemon.client("server")
    listener = client.listen(8080)
    world(bench, 8080)
    listener.accept()
    bench.modemctl("reset", user=ADMIN)
    client.wait(lambda: listener.restored, 30, "its return")
    peer = world(bench, 8080)
    peer.sendall(b"back")
    same(listener.accept().read(4), b"back", "the next connection")


@needs("many-listeners")
def modems_that_cannot(bench):
    """What this modem lacks is said at once."""
    client = start(bench).client()
    for options, words in (({"tls": True}, "tls-server"),
                           ({"family": "IPV6"}, "ipv6")):
        try:
            client.listen(8080, **options)
            raise AssertionError("listens with %s" % options)
        except Refused as err:
            same(err.status, "NOT_SUPPORTED", "the refusal")
            check(words in err.answer["message"], "why",
                  err.answer["message"])
    code, _, err = bench.run("modemctl", "nc", "-l", "--tls", 8443)
    same(code, 1, "the exit code of nc")
    check("tls-server" in err, "nc says why", err)


harness.run(there_is_one_server, a_stop_of_what_is_not_there,
            a_server_left_by_somebody, five_at_once, short_visits_pulled,
            short_visits_pushed, pushed_before_it_is_known, who_may_connect,
            max_inbound_of_all, idle_limits, the_modules_own_limit,
            tls_without_client_certificates, tls_with_client_certificates,
            by_ipv6, nc_listens_with_tls, wifi_is_lost, the_module_restarts,
            modems_that_cannot)
