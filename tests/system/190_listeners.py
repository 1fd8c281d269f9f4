#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""190: listeners: connections from outside arrive at the program that listens,
and nowhere else, whatever the world, the network and other programs do."""

import contextlib
import os
import random
import signal
import socket
import threading
import time

import harness
from harness import DIALECT, check, needs, same, sha256, wait_for
from protocol import ENUMS, Refused

#: two, where the modem has so many
PORTS = (8080, 8081)[:DIALECT.listeners]


def world(bench, port, timeout=10):
    """A connection from outside to that port of the modem."""
    s = socket.create_connection(("127.0.0.1", host_port(bench, port)),
                                 timeout)
    bench.closing.callback(s.close)
    return s


def host_port(bench, port):
    """Where the simulator has it."""
    for word in bench.sim.ctl("ports").split():
        kind, _, rest = word.partition(":")
        if kind == "server" and ":%d=" % port in rest:
            return int(rest.rpartition("=")[2])
    raise AssertionError("port %d is not listened to: %s" % (
        port, bench.sim.ctl("ports")))


def read_all(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(65536)
        if not more:
            break
        data += more
    return data


def address(sock):
    return "%s:%d" % sock.getsockname()


def is_closed(sock, timeout=10):
    """The other side has closed it."""
    sock.settimeout(timeout)
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def start(bench, *options, **changes):
    changes.setdefault("links__reserve_inbound", 2)
    return bench.start("--baud", 0, "--free-ports", *options, **changes)


def bytes_both_ways(bench):
    daemon = start(bench)
    client = daemon.client("server")
    listener = client.listen(8080)
    up = random.Random(1).randbytes(50000)
    down = random.Random(2).randbytes(60000)
    peer = world(bench, 8080)
    link = listener.accept()
    same(link.peer, address(peer), "the peer's address")
    sender = threading.Thread(target=peer.sendall, args=(down,))
    sender.start()
    got = {}
    reader = threading.Thread(
        target=lambda: got.update(data=read_all(peer, len(up))))
    reader.start()
    link.send(up)
    same(sha256(link.read(len(down))), sha256(down), "from outside")
    sender.join()
    reader.join()
    same(sha256(got["data"]), sha256(up), "to outside")

    row = bench.json("links")[0]
    same((row["type"], row["remote"], row["listener"], row["local_port"]),
         ("tcp-in", address(peer), listener.id, 8080), "links")
    row = bench.json("listeners")[0]
    same((row["port"], row["state"], row["client"], row["links"],
          row["accepted"], row["refused"], row["server"]),
         (8080, "listening", "server", 1, 1, 0, 0), "listeners")
    closed = link.close()
    same(closed["reason"], "local", "the reason")
    check(is_closed(peer), "the peer sees the close")
    listener.stop()
    same(bench.sim.ctl("ports"), "", "servers in the modem")
    row = bench.settled_history()[0]
    same((row["type"], row["remote"], row["sent"], row["received"]),
         ("tcp-in", address(peer), len(up), len(down)), "the session")


@needs("many-listeners")
def four_listeners_of_several_clients(bench):
    daemon = start(bench)
    clients = [daemon.client("c%d" % i) for i in range(3)]
    owners = [clients[0], clients[1], clients[2], clients[0]]
    listeners = [c.listen(8000 + i) for i, c in enumerate(owners)]
    for status, options in (("NO_SLOT", {"port": 9000}),
                            ("ADDRESS_IN_USE", {"port": 8002})):
        try:
            clients[1].listen(**options)
            raise AssertionError("a listener too many")
        except Refused as err:
            same(err.status, status, "the refusal")
            check("c2 (pid" in err.answer["message"], "its holder is named",
                  err.answer["message"])
    for i, listener in enumerate(listeners):
        data = random.Random(i).randbytes(20000)
        peer = world(bench, 8000 + i)
        peer.sendall(data)
        link = listener.accept()
        same(sha256(link.read(len(data))), sha256(data), "what came")
        link.send(data[::-1])
        same(read_all(peer, len(data)), data[::-1], "what went")
    check(not any(l.accepted for l in listeners), "each at its owner only")
    rows = bench.json("listeners")
    same([(r["port"], r["client"], r["server"]) for r in rows],
         [(8000, "c0", 0), (8001, "c1", 1), (8002, "c2", 2), (8003, "c0", 3)],
         "listeners")
    status = bench.json("status")
    same((status["listeners_used"], status["listeners_total"]), (4, 4),
         "servers")
    check("listen" in status["capabilities"], "the capability")
    # stopping one leaves the others and their links alone
    listeners[1].stop()
    same([s["server"] for s in bench.sim.used_slots()], [0, 2, 3], "links")
    clients[1].listen(8001)


def allow_lists_and_limits(bench):
    daemon = start(bench)
    client = daemon.client("strict")
    strict = client.listen(8080, allow=["192.0.2.0/24", "198.51.100.7"])
    peer = world(bench, 8080)
    check(is_closed(peer), "one that is not allowed is closed")
    client.wait(lambda: strict.refused, 10, "the refusal")
    same((strict.refused[0]["peer"], strict.refused[0]["status"]),
         (address(peer), ENUMS["Status"]["NO_PERMISSION"]), "the refusal")
    client.call("accept_policy", listener=strict.id, replace_allow=True,
                allow=["127.0.0.0/8"], max_links=1)
    one = world(bench, 8080)
    link = strict.accept()
    two = world(bench, 8080)
    check(is_closed(two), "the second of one is closed")
    client.wait(lambda: len(strict.refused) > 1, 10, "the refusal")
    same((strict.refused[1]["peer"], strict.refused[1]["status"]),
         (address(two), ENUMS["Status"]["LIMIT"]), "the refusal")
    link.send(b"still here")
    same(read_all(one, 10), b"still here", "the first one's bytes")
    row = bench.json("listeners")[0]
    same((row["accepted"], row["refused"], row["links"], row["max_links"],
          row["allow"]), (1, 2, 1, 1, ["127.0.0.0/8"]), "listeners")


def the_world_floods(bench):
    """Outbound links of others still work: links.max-inbound."""
    most = DIALECT.slots - 2
    daemon = start(bench, links__max_inbound=most)
    client, other = daemon.client("server"), daemon.client("other")
    listener = client.listen(8080)
    far = bench.server(harness.echo)
    port = host_port(bench, 8080)
    stop = threading.Event()
    held = []

    def flood():
        while not stop.is_set():
            with contextlib.suppress(OSError):
                s = socket.create_connection(("127.0.0.1", port), 1)
                s.settimeout(0.2)
                held.append(s)
                if len(held) > 300:
                    held.pop(0).close()
            stop.wait(0.002)
    threads = [threading.Thread(target=flood) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        client.wait(lambda: len(listener.accepted) == most, 20,
                    "all links that may be")
        rounds = 0
        while rounds < 30 or len(listener.refused) <= 20:
            check(rounds < 1000, "the world floods", len(listener.refused))
            rounds += 1
            client.pump(0)
            link = other.open("127.0.0.1", far.port,
                              wait_ms=10000 if rounds % 2 else 0)
            data = b"%d" % (rounds % 10) * 3000
            link.send(data)
            same(link.read(3000), data, "the echo in the flood")
            check(len(bench.json("links")) <= DIALECT.slots, "links")
            link.close()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        for s in held:
            s.close()
    row = bench.json("listeners")[0]
    check(row["refused"] > 20, "many were refused", row)


def connections_come_and_go(bench):
    """Accepted = told = closed, and no byte of one reaches another."""
    each = 2000 if harness.LONG else 60
    count = DIALECT.listeners
    daemon = start(bench)
    clients = [daemon.client("c%d" % i) for i in range(2)]
    listeners = [clients[i % 2].listen(8000 + i) for i in range(count)]
    ports = [host_port(bench, 8000 + i) for i in range(count)]
    wrong = []

    def visit(number):
        for i in range(each):
            said = b"%d/%06d" % (number, i)
            with socket.create_connection(("127.0.0.1", ports[number]),
                                          20) as s:
                s.settimeout(20)
                s.sendall(said)
                heard = b""
                while len(heard) < len(said):
                    more = s.recv(100)
                    if not more:
                        break
                    heard += more
                if heard != said[::-1]:
                    wrong.append((said, heard))
    threads = [threading.Thread(target=visit, args=(i,))
               for i in range(count)]
    for thread in threads:
        thread.start()
    told, links = [0] * count, []
    end = time.monotonic() + 15 + each / 10
    while sum(told) < count * each or links:
        check(time.monotonic() < end, "all have come and gone", told,
              [(l.id, l.peer, bytes(l.data), l.taken) for _, l in links])
        for number, listener in enumerate(listeners):
            while listener.accepted:
                told[number] += 1
                links.append((number, listener.accepted.popleft()))
        for number, link in list(links):
            if len(link.data) == 8:
                said = link.read(8)
                same(said[:2], b"%d/" % number, "whose bytes")
                link.send(said[::-1])
            if link.closed:
                links.remove((number, link))
        check(not wrong, "a wrong answer", wrong)
        for client in clients:
            client.pump(0.005)
    for thread in threads:
        thread.join()
    same((told, wrong), ([each] * count, []), "connections, wrong answers")
    rows = bench.json("listeners")
    same([(r["accepted"], r["refused"], r["links"]) for r in rows],
         [(each, 0, 0)] * count, "listeners")
    wait_for(lambda: not bench.sim.used_slots(), "all slots are free")
    rows = bench.settled_history()
    check(all(r["closed"] for r in rows), "all sessions are closed")


@needs("accept-collides")
def collisions(bench):
    """The modem gives a connection the slot that is being opened."""
    daemon = start(bench, "--open-time", 80)
    client, other = daemon.client("server"), daemon.client("other")
    listener = client.listen(8080)
    far = bench.server(harness.echo)
    taken = 0
    for i in range(12):
        if i % 3 == 1:
            bench.sim.ctl("quirk", "client-lost", 1)
        bench.sim.ctl("quirk", "client-collision", 1)
        link = other.open_start("127.0.0.1", far.port, wait_ms=20000)
        wait_for(lambda: any(s["state"] == "opening" for s in
                             bench.sim.used_slots()), "it is being opened",
                 every=0.002)
        peer = world(bench, 8080)
        peer.sendall(b"in %d" % i)
        inbound = listener.accept()
        same(inbound.read(4 + (i > 9)), b"in %d" % i, "the connection's")
        link.wait_open()
        link.send(b"out %d" % i)
        same(link.read(5 + (i > 9)), b"out %d" % i, "the link's echo")
        inbound.send(b"back")
        same(read_all(peer, 4), b"back", "to the connection")
        slots = {r["link"]: r["slot"] for r in bench.json("links")}
        taken += slots[inbound.id] > 5      # else it came too late
        check(not inbound.closed and not link.closed, "both live")
        link.close()
        inbound.close()
        check(is_closed(peer), "the peer sees the close")
        bench.sim.ctl("quirk", "client-collision", "off")
        bench.sim.ctl("quirk", "client-lost", "off")
    check(taken >= 6, "slots that were taken away", taken)


def lines_of_all_forms(bench):
    """Q77, Q7: news of servers as firmware writes them."""
    daemon = start(bench)
    client = daemon.client("server")
    for quirks in DIALECT.listener_quirks:
        for quirk in quirks:
            bench.sim.ctl("quirk", quirk, "on")
        listeners = [client.listen(port) for port in PORTS]
        for i, listener in enumerate(listeners):
            peer = world(bench, 8080 + i)
            peer.sendall(b"hello")
            link = listener.accept()
            same(link.peer, address(peer), "the peer with %s" % quirks)
            same(link.read(5), b"hello", "its bytes with %s" % quirks)
            link.send(b"you")
            same(read_all(peer, 3), b"you", "ours with %s" % quirks)
        for listener in listeners:
            listener.stop()
        same(bench.sim.used_slots(), [], "slots after %s" % quirks)
        same(bench.sim.ctl("ports"), "", "servers after %s" % quirks)
        for quirk in quirks:
            bench.sim.ctl("quirk", quirk, "off")


@needs("many-listeners")
def owner_is_killed(bench):
    daemon = start(bench)
    stays = daemon.client("stays")
    other = stays.listen(8081)
    nc = bench.spawn("nc", "modemctl", "nc", "-l", 8080)
    wait_for(lambda: len(bench.json("listeners")) == 2, "nc listens")
    peer = world(bench, 8080)
    peer.sendall(b"hello")
    wait_for(lambda: nc.stdout() == "hello", "nc has it")
    peer_of_other = world(bench, 8081)
    link = other.accept()
    nc.kill()
    check(is_closed(peer), "its connection is closed")
    wait_for(lambda: len(bench.json("listeners")) == 1, "its listener ends")
    wait_for(lambda: ":8080=" not in bench.sim.ctl("ports"), "its server ends")
    link.send(b"alive")
    same(read_all(peer_of_other, 5), b"alive", "the other listener's link")
    rows = bench.settled_history()
    same([r["reason"] for r in rows if r["client"] == "modemctl"],
         ["client-gone"], "the session of the killed one")
    stays.listen(8080)


def network_loss(bench):
    daemon = start(bench)
    client = daemon.client("server")
    listeners = [client.listen(port) for port in PORTS]
    world(bench, 8080)
    link = listeners[0].accept()
    for round_ in (1, 2):
        bench.sim.ctl("network-loss")
        client.wait(lambda: all(len(l.lost) == round_ for l in listeners), 10,
                    "the loss of both")
        same(listeners[0].lost[-1], "network-lost", "the reason")
        bench.sim.ctl("network-back")
        client.wait(lambda: all(l.restored == round_ for l in listeners), 20,
                    "both are back")
        for i, listener in enumerate(listeners):
            peer = world(bench, 8080 + i)
            new = listener.accept()
            new.send(b"again")
            same(read_all(peer, 5), b"again", "after the loss")
    same(link.closed["reason"], "network-lost", "the link of before")
    bench.sim.ctl("reboot")
    client.wait(lambda: all(l.restored == 3 for l in listeners), 30,
                "both are back after a restart of the modem")
    peer = world(bench, PORTS[-1])
    listeners[-1].accept().send(b"reborn")
    same(read_all(peer, 6), b"reborn", "after the restart")


def the_daemon_restarts(bench):
    """Politely: nothing stays. Killed: the next one clears what stayed."""
    daemon = start(bench)
    client = daemon.client("server")
    listener = client.listen(8080)
    peer = world(bench, 8080)
    listener.accept().send(b"bye")
    same(daemon.terminate(), 0, "the exit code")
    same(read_all(peer, 3), b"bye", "what was accepted")
    check(is_closed(peer), "the connection is closed")
    same(bench.sim.ctl("ports"), "", "servers after a polite end")
    commands = bench.sim.commands()
    close, stop = (max(i for i, c in enumerate(commands) if what in c)
                   for what in ("CIPCLOSE=", DIALECT.commands["unlisten"]))
    check(close < stop, "links are closed before their server is stopped")

    daemon = bench.restart_daemon()
    client = daemon.client("server")
    for port in PORTS:
        listener = client.listen(port)
    last = PORTS[-1]
    peer = world(bench, last)
    listener.accept()
    bench.violations_expected = True    # in the middle of a command
    daemon.kill()
    check(":%d=" % last in bench.sim.ctl("ports"), "the server outlives it")
    daemon = bench.restart_daemon()
    check(is_closed(peer), "the connection of the killed daemon is closed")
    wait_for(lambda: bench.sim.ctl("ports") == "", "its servers are stopped")
    client = daemon.client("server")
    listener = client.listen(last)
    peer = world(bench, last)
    listener.accept().send(b"new")
    same(read_all(peer, 3), b"new", "from the new daemon")


@needs("many-listeners")
def idle_limits(bench):
    daemon = start(bench, links__inbound_idle_timeout="2s")
    client = daemon.client("server")
    short = client.listen(8080, idle_timeout_ms=600)
    default = client.listen(8081)
    began = time.monotonic()
    world(bench, 8080)
    world(bench, 8081)
    first, second = short.accept(), default.accept()
    client.wait(lambda: first.closed, 10, "its idle end")
    check(not second.closed, "the other one's limit is longer")
    client.wait(lambda: second.closed, 10, "the idle end by default")
    check(1.9 < time.monotonic() - began < 6, "when it ended")
    same([l.closed["reason"] for l in (first, second)], ["idle", "idle"],
         "the reasons")


def nc_listens(bench):
    start(bench)
    data = bytes(range(256)) * 100 + random.Random(3).randbytes(40000)
    back = random.Random(4).randbytes(50000)
    to_read, to_write = os.pipe()
    with os.fdopen(to_read, "rb") as stdin:
        nc = bench.spawn("nc", "modemctl", "nc", "-l", "-q", 1, 8080,
                         stdin=stdin)
    wait_for(lambda: [r for r in bench.json("listeners")
                      if r["state"] == "listening"], "nc listens")
    peer = world(bench, 8080)
    second = world(bench, 8080)
    peer.sendall(data)
    with os.fdopen(to_write, "wb") as stdin:
        stdin.write(back)
    same(read_all(peer, len(back)), back, "what nc sent")
    check(is_closed(second), "a second connection is refused")
    same(nc.wait(), 0, "the exit code (%s)" % nc.stderr())
    with open(nc.out_path, "rb") as out:
        same(sha256(out.read()), sha256(data), "what nc printed")
    wait_for(lambda: bench.sim.ctl("ports") == "", "its server ends")


def nc_listens_and_fails(bench):
    daemon = start(bench)
    same(bench.run("modemctl", "nc", "-l", "-w", 1, 8080)[0], 1,
         "the exit code when nobody connects")
    for args in (["-l"], ["-l", "host", 80], ["-l", 0], ["-l", 65536]):
        same(bench.run("modemctl", "nc", *args)[0], 2, "nc %s" % args)
    client = daemon.client("holder")
    held = client.listen(8080)
    code, _, err = bench.run("modemctl", "nc", "-l", 8080)
    same(code, 1, "the exit code for a port in use")
    check("holder (pid" in err, "who has it", err)
    held.stop()
    # a loss while it serves: the reason and the counts
    nc = bench.spawn("nc", "modemctl", "nc", "-l", 8081)
    wait_for(lambda: ":8081=" in bench.sim.ctl("ports"), "nc listens")
    peer = world(bench, 8081)
    peer.sendall(b"12345")
    wait_for(lambda: nc.stdout() == "12345", "nc has it")
    bench.sim.ctl("network-loss")
    same(nc.wait(), 1, "the exit code of a loss")
    for word in (address(peer), "network", "accepted 0", "received 5"):
        check(word in nc.stderr(), "stderr says %r" % word, nc.stderr())
    # interrupted while it waits
    bench.sim.ctl("network-back")
    daemon.wait_network()
    nc = bench.spawn("nc2", "modemctl", "nc", "-l", 8082)
    wait_for(lambda: ":8082=" in bench.sim.ctl("ports"), "nc listens")
    nc.signal(signal.SIGINT)
    check(nc.wait() != 0, "interrupted")
    wait_for(lambda: ":8082=" not in bench.sim.ctl("ports"), "its server ends")


@needs("sends-refused")
def sends_that_a_server_link_refuses(bench):
    """Q78: the link ends, with its reason, and nothing hangs."""
    daemon = start(bench)
    client = daemon.client("server")
    listener = client.listen(8080)
    bench.sim.ctl("quirk", "server-cannot-send", "on")
    peer = world(bench, 8080)
    link = listener.accept()
    link.send(b"hello")
    client.wait(lambda: link.closed, 10, "the end of the link")
    same(link.closed["reason"], "send-failed", "the reason")
    check(is_closed(peer), "the peer sees it")
    same(bench.sim.used_slots(), [], "slots")


harness.run(bytes_both_ways, four_listeners_of_several_clients,
            allow_lists_and_limits, the_world_floods,
            connections_come_and_go, collisions,
            lines_of_all_forms, owner_is_killed, network_loss,
            the_daemon_restarts, idle_limits, nc_listens,
            nc_listens_and_fails, sends_that_a_server_link_refuses)
