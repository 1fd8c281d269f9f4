#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""240: an exclusive transparent session, and ordinary links after it."""

import random
import socket
import time

import harness
from harness import CLIENT_A, check, same, wait_for
from protocol import Link, Refused

# What a stream may hold and a modem may say.
TRAPS = (b"\r\nCLOSED\r\n", b"CLOSED\r\n", b"\r\nNO CARRIER\r\n",
         b"\r\n+IPCLOSE: 0,1\r\n", b"\r\n+CIPCLOSE: 0,0\r\n", b"\r\nOK\r\n",
         b"\r\nRDY\r\n", b"+++", b"ATO\r", b"\r\nCONNECT 115200\r\n")


def lease_start(client, **options):
    return client.request("lease", **options)


def lease_wait(client, number, timeout=30):
    """The link of a lease that was asked for."""
    reply = client.answer(number, timeout)
    if reply.get("status", 0):
        raise Refused("lease", reply)
    link = Link(client, reply["open"]["link"], reply["open"]["epoch"],
                client.hello["window"], client.hello["credit"])
    client.links[link.id] = link
    for kind, event in client.unclaimed.pop(link.id, []):
        link.take(kind, event)
    return link


def lease(client, port, timeout=30, **options):
    return lease_wait(client, lease_start(client, host="127.0.0.1", port=port,
                                          **options), timeout)


def ordinary_works(bench):
    """After it the modem is everybody's again."""
    bench.daemon.wait_network(timeout=30)
    server = bench.server(harness.echo)
    client = bench.daemon.client("after")
    link = client.open("127.0.0.1", server.port, wait_ms=20000, timeout=30)
    link.send(b"ordinary")
    same(link.read(8), b"ordinary", "an ordinary link's echo")
    link.close()
    client.hang_up()


def bytes_both_ways(bench):
    bench.start()
    server = bench.server(harness.echo)
    client = bench.daemon.client("leaser")
    link = lease(client, server.port)
    data = bytes(range(256)) * 40 + random.Random(1).randbytes(50000)
    link.send(data, timeout=60)
    same(harness.sha256(link.read(len(data), timeout=60)),
         harness.sha256(data), "the hash")
    status = bench.daemon.status()
    same(status["lease"]["client"], "leaser", "the holder")
    same(status["lease"]["state"], "connected", "its state")
    closed = link.close()
    same(closed.get("reason"), "local", "the reason")
    same(closed["counts"]["taken"], len(data), "taken")
    same(closed["counts"]["received"], len(data), "received")
    same(bytes(server.connection(0).received), data, "what arrived")
    ordinary_works(bench)


def settles(bench, seconds=2.0):
    """A pause that the test is about: as long as it says, not a hope."""
    del bench
    time.sleep(seconds)


def traps_are_payload(bench):
    bench.start()
    server = bench.server(harness.echo)
    client = bench.daemon.client("leaser")
    link = lease(client, server.port, duration_ms=300000)
    sent = b""
    for trap in TRAPS:
        settles(bench, 1.2)
        link.send(trap)
        sent += trap
        same(link.read(len(trap), timeout=20), trap, "the echo")
        settles(bench, 1.2)
    # the same with bytes that come while it is being checked
    link.send(TRAPS[0])
    same(link.read(0), b"", "nothing")
    settles(bench, 0.8)
    link.send(b"right behind" + TRAPS[2] + b"and more")
    sent += TRAPS[0] + b"right behind" + TRAPS[2] + b"and more"
    more = len(sent) - sum(map(len, TRAPS))
    same(link.read(more, timeout=20), sent[-more:], "what came in between")
    link.close()
    same(bytes(server.connection(0).received), sent, "what arrived")
    check("ATO" in bench.sim.commands(), "it was never in doubt")
    ordinary_works(bench)


def pluses_of_the_client(bench):
    bench.start()
    server = bench.server(harness.sink)
    client = bench.daemon.client("leaser")
    link = lease(client, server.port)
    sent = b""
    for pieces in ((b"+++",), (b"+", b"++"), (b"++", b"+"),
                   (b"+", b"+", b"+"), (b"+++++++",), (b"+++a",)):
        settles(bench)
        for piece in pieces:
            link.send(piece)
            sent += piece
            settles(bench, 0.3)
    settles(bench)
    wait_for(lambda: bytes(server.connection(0).received) == sent,
             lambda: "%r arrives, not %r" % (
                 bytes(server.connection(0).received), sent))
    link.close()
    ordinary_works(bench)


def datagrams(bench):
    bench.start()
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    peer.settimeout(20)
    free = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    free.bind(("127.0.0.1", 0))
    local = free.getsockname()[1]
    free.close()
    client = bench.daemon.client("leaser")
    link = lease(client, peer.getsockname()[1], type="UDP", local_port=local)
    link.send(b"a datagram")
    data, at = peer.recvfrom(2000)
    same(data, b"a datagram", "what arrived")
    peer.sendto(b"an answer\r\nCLOSED\r\n", at)
    same(link.read(19), b"an answer\r\nCLOSED\r\n", "what came back")
    same(link.close().get("reason"), "local", "the reason")
    peer.close()
    ordinary_works(bench)


def server_side(bench):
    bench.start("--free-ports")
    client = bench.daemon.client("leaser")
    asked = lease_start(client, listen=True, port=8080)

    def port():
        client.pump(0)
        words = bench.sim.ctl("ports").split()
        found = [w for w in words if w.startswith("server:0:8080=")]
        return found and int(found[0].split("=")[1])
    number = wait_for(port, "the modem listens")
    same(bench.daemon.status()["lease"]["state"], "starting", "its state")
    with socket.create_connection(("127.0.0.1", number)) as peer:
        peer.settimeout(20)
        link = lease_wait(client, asked)
        data = bytes(range(256)) * 8
        peer.sendall(data)
        same(link.read(len(data)), data, "what came")
        link.send(data)
        got = b""
        while len(got) < len(data):
            got += peer.recv(65536)
        same(got, data, "what went")
        # one that waits for the number 0 must not get what is not for it
        second = socket.create_connection(("127.0.0.1", number))
        link.close()
        same(peer.recv(1), b"", "the peer's end")
        second.close()
    ordinary_works(bench)


def server_nobody_comes(bench):
    bench.start("--free-ports")
    client = bench.daemon.client("leaser")
    asked = lease_start(client, listen=True, port=8080, duration_ms=1500)
    try:
        lease_wait(client, asked)
        raise AssertionError("it is connected")
    except Refused as err:
        same(err.status, "LIMIT", "the status")
    ordinary_works(bench)


def expires(bench):
    bench.start()
    server = bench.server(harness.echo)
    client = bench.daemon.client("leaser")
    link = lease(client, server.port, duration_ms=4000)
    link.send(b"in time")
    same(link.read(7), b"in time", "the echo")
    client.wait(lambda: link.closed, 20, "the end")
    same(link.closed["reason"], "lease-expired", "the reason")
    same(link.closed.get("status"), 25, "the status")
    same(link.closed["counts"]["taken"], 7, "taken")
    ordinary_works(bench)
    row = [s for s in bench.settled_history() if s["type"] == "lease"][0]
    same(row["reason"], "lease-expired", "the reason in the history")


def peer_closes(bench):
    bench.start()
    words = b"last words\r\n"

    def serve(connection):
        connection.send(words)
    server = bench.server(serve)
    for quirk in (None, "end-no-carrier", "end-ipclose"):
        if quirk:
            bench.sim.ctl("quirk", quirk, "on")
        client = bench.daemon.client("leaser")
        link = lease(client, server.port)
        client.wait(lambda: link.closed, 30, "the end")
        same(bytes(link.data), words, "what came")
        same(link.closed["reason"], "peer", "the reason")
        client.hang_up()
        bench.daemon.wait_network(timeout=30)
    ordinary_works(bench)


def connect_fails(bench):
    bench.start("--unanswered", "127.0.0.9")
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    client = bench.daemon.client("leaser")
    for host, status in (("127.0.0.1", "REFUSED"), ("127.0.0.9", "REFUSED")):
        try:
            lease_wait(client, lease_start(client, host=host, port=port))
            raise AssertionError("it is connected")
        except Refused as err:
            same(err.status, status, "the status")
            check("CONNECT FAIL" in err.answer["modem_text"], "its words",
                  err.answer)
        bench.daemon.wait_network(timeout=30)
    ordinary_works(bench)


def network_loss(bench):
    bench.start()
    server = bench.server(harness.echo)
    client = bench.daemon.client("leaser")
    link = lease(client, server.port)
    link.send(b"before")
    same(link.read(6), b"before", "the echo")
    bench.sim.ctl("network-loss")
    client.wait(lambda: link.closed, 30, "the end")
    same(link.closed["reason"], "network-lost", "the reason")
    bench.sim.ctl("network-back")
    ordinary_works(bench)


def reboot(bench):
    bench.start("--banner-at-start")
    server = bench.server(harness.echo)
    client = bench.daemon.client("leaser")
    link = lease(client, server.port)
    bench.sim.ctl("reboot")
    client.wait(lambda: link.closed, 30, "the end")
    same(link.closed["reason"], "modem-restarted", "the reason")
    ordinary_works(bench)


def unplugged(bench):
    bench.start()
    server = bench.server(harness.echo)
    client = bench.daemon.client("leaser")
    link = lease(client, server.port)
    bench.sim.ctl("hangup")
    client.wait(lambda: link.closed, 30, "the end")
    same(link.closed["reason"], "modem-gone", "the reason")
    bench.sim.ctl("replug")
    ordinary_works(bench)


def killed_client(bench):
    bench.start()
    server = bench.server(harness.sink)
    client = bench.spawn("leaser", "modemctl", "nc", "--lease", "127.0.0.1",
                         server.port)
    server.connection(0)
    wait_for(lambda: bench.daemon.status().get("lease", {}).get("state") ==
             "connected", "the lease")
    client.kill()
    wait_for(lambda: "lease" not in bench.daemon.status(), "its end")
    ordinary_works(bench)


def the_tool(bench):
    bench.start()
    server = bench.server(harness.echo)
    data = bytes(range(256)) * 20
    code, out, err = bench.run("modemctl", "nc", "--lease", "-q", 2,
                               "127.0.0.1", server.port, stdin=data,
                               text=False)
    same(code, 0, "the exit code (%r)" % err)
    same(harness.sha256(out), harness.sha256(data), "what came back")
    bench.daemon.wait_network(timeout=30)
    tool = bench.spawn("nc", "modemctl", "nc", "--lease", "--duration", 60,
                       "127.0.0.1", server.port)
    wait_for(lambda: bench.json("status")["lease"] and
             bench.json("status")["lease"]["state"] == "connected",
             "the lease")
    status = bench.json("status")
    check(50000 < status["lease"]["left_ms"] <= 60000, "the time left",
          status["lease"])
    same([l["type"] for l in bench.json("links")], ["lease"], "the links")
    check("modemctl has the modem for itself" in bench.modemctl("status"),
          "status", bench.modemctl("status"))
    code, _, err = bench.run("modemctl", "nc", "127.0.0.1", server.port)
    same(code, 1, "the exit code of another one")
    check("the modem is leased to modemctl" in err, "why", err)
    bench.modemctl("unlease", user=harness.User(""))
    same(tool.wait(), 1, "the exit code of one that was ended")
    check("unlease" in tool.stderr(), "why", tool.stderr())
    bench.daemon.wait_network(timeout=30)
    code, _, err = bench.run("modemctl", "unlease")
    same(code, 1, "unlease of none")
    check("nobody" in err, "why", err)
    tool = bench.spawn("nc2", "modemctl", "nc", "--lease", "127.0.0.1",
                       server.port)
    wait_for(lambda: bench.json("status")["lease"] and
             bench.json("status")["lease"]["state"] == "connected",
             "the lease")
    tool.signal(2)
    same(tool.wait(), 1, "the exit code of an interrupted one")
    code, _, err = bench.run("modemctl", "nc", "--duration", 5,
                            "127.0.0.1", 80)
    same(code, 2, "the exit code without --lease")
    ordinary_works(bench)
    rows = [s for s in bench.settled_history() if s["type"] == "lease"]
    same([r["received"] for r in rows], [0, 0, len(data)], "their bytes")


def killed_daemon(bench):
    bench.start()
    server = bench.server(harness.sink)
    client = bench.daemon.client("leaser")
    link = lease(client, server.port)
    link.send(b"payload")
    wait_for(lambda: bytes(server.connection(0).received) == b"payload",
             "it arrives")
    bench.daemon.kill()
    bench.restart_daemon()
    ordinary_works(bench)
    same(bytes(server.connection(0).received), b"payload",
         "what the peer of the session got")


def left_by_somebody(bench):
    bench.start_sim("--data-at-start")
    bench.start_daemon(wait=None)
    bench.daemon.wait_network(timeout=60)
    ordinary_works(bench)


def who_may(bench):
    harness.need_users()
    bench.start()
    server = bench.server(harness.echo)
    user = bench.daemon.client("user", user=CLIENT_A)
    other = bench.daemon.client("other", user=CLIENT_A)
    admin = bench.daemon.client("admin")
    held = other.open("127.0.0.1", server.port)
    try:
        lease(user, server.port, wait_ms=300)
        raise AssertionError("it is granted")
    except Refused as err:
        same(err.status, "BUSY", "the status")
        check("other" in err.answer["message"], "who", err.answer)
    link = lease(admin, server.port, wait_ms=300)
    other.wait(lambda: held.closed, 20, "the end")
    same(held.closed["reason"], "lease", "the reason")
    for kind, options in (("lease", {"host": "127.0.0.1", "port": 1}),
                          ("open", {"host": "127.0.0.1", "port": 1})):
        reply = user.call(kind, check=False, **options)
        check("leased to admin" in reply["message"], "why", reply)
    reply = user.call("unlease", check=False, link=link.id)
    same(reply["status"], 3, "unlease by another one")
    # one that can wait is served when the lease is over
    late = user.open_start("127.0.0.1", server.port, wait_ms=60000)
    admin.call("unlease", link=link.id)
    admin.wait(lambda: link.closed, 20, "the end")
    late.wait_open(60)
    # granted when the last link goes
    asked = lease_start(user, host="127.0.0.1", port=server.port,
                        wait_ms=60000)
    late.close()
    link = lease_wait(user, asked)
    admin.call("unlease", link=link.id)
    user.wait(lambda: link.closed, 20, "the end")
    same(link.closed["reason"], "unlease", "the reason")
    # and taken back
    bench.daemon.wait_network(timeout=30)
    held = other.open("127.0.0.1", server.port)
    asked = lease_start(user, host="127.0.0.1", port=server.port)
    user.call("cancel", request_id=asked)
    same(user.answer(asked)["status"], 18, "the cancelled one")
    check("lease" not in user.status(), "it is gone")
    held.close()
    ordinary_works(bench)


def asked(client):
    """The lease that it, as one who listens, is asked for."""
    found = []

    def look():
        # told of a link that is not its own
        found[:] = [e for events in client.unclaimed.values()
                    for kind, e in events
                    if kind == "lease" and e["state"] == "asked"]
        return found
    client.wait(look, 10, "the question")
    client.unclaimed.clear()
    return found[-1]["link"]


def owner_of_a_listener(bench):
    """It is asked; its listener is lost for the lease, and comes back."""
    bench.start("--baud", 0, "--free-ports")
    server = bench.server(harness.echo)
    owner = bench.daemon.client("owner")
    listener = owner.listen(8080)
    client = bench.daemon.client("leaser")
    number = lease_start(client, host="127.0.0.1", port=server.port,
                         wait_ms=60000)
    wish = asked(owner)
    owner.call("lease_answer", link=wish, agree=False)
    same(client.status()["lease"]["state"], "asked", "after a no")
    owner.call("lease_answer", link=wish, agree=True)
    link = lease_wait(client, number)
    link.send(b"alone")
    same(link.read(5), b"alone", "the echo")
    link.close()
    bench.daemon.wait_network(timeout=30)
    owner.wait(lambda: listener.restored, 20, "its listener")
    same(listener.lost, ["lease"], "why it was lost")
    same(listener.restored, 1, "how often it came back")
    check(":8080=" in bench.sim.ctl("ports"), "the port is served")
    # one that is stopped is in nobody's way any more
    number = lease_start(client, host="127.0.0.1", port=server.port,
                         wait_ms=60000)
    asked(owner)
    listener.stop()
    lease_wait(client, number, 10).close()
    ordinary_works(bench)


def under_quirks(bench):
    """Firmware that does not keep to the manual."""
    bench.start("--baud", 0)
    data = bytes(range(256)) * 30
    for quirk in ("escape-lost=1", "escape-lost=2", "escape-silent=1",
                  "netclose-legacy", "netopen-again-error", "cipclose-silent",
                  "cipclose-close-ok", "netopen-result-first", "crcrlf",
                  "echo-sticky", "cipclose-late", "misprints"):
        name, _, times = quirk.partition("=")
        bench.sim.ctl("quirk", name, times or "on")
        server = bench.server(harness.echo)
        client = bench.daemon.client("leaser")
        link = lease(client, server.port)
        link.send(data)
        same(link.read(len(data)), data, "the echo under " + quirk)
        closed = link.close(timeout=40)
        check(closed["reason"] in (
            ("modem-gone", "modem-restarted") if quirk == "escape-lost=2"
            else ("local",)), "the reason",
              quirk, closed)
        client.hang_up()
        bench.daemon.wait_network(timeout=40)
        bench.sim.ctl("quirk", name, "off")
    ordinary_works(bench)


def stopped_in_a_lease(bench):
    bench.start(recovery__stop_timeout="10s")
    server = bench.server(harness.sink)
    client = bench.daemon.client("leaser")
    lease(client, server.port)
    same(bench.daemon.terminate(), 0, "the exit code")
    check("AT+CIPMODE=0" in bench.sim.commands()[-3:], "its last commands",
          bench.sim.commands()[-6:])
    bench.restart_daemon()
    ordinary_works(bench)


if __name__ == "__main__":
    harness.run(bytes_both_ways, traps_are_payload, pluses_of_the_client,
                datagrams, server_side, server_nobody_comes, expires,
                peer_closes, connect_fails, network_loss, reboot, unplugged,
                killed_client, the_tool, killed_daemon, left_by_somebody,
                who_may, owner_of_a_listener, under_quirks, stopped_in_a_lease)
