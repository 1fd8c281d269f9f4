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
from harness import User, check, same, sha256, wait_for
from protocol import Refused

ADMIN = User("")


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


harness.run(bytes_both_ways)
