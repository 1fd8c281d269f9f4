#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""240: an exclusive transparent session, and ordinary links after it."""

import random
import socket
import threading
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


if __name__ == "__main__":
    harness.run(bytes_both_ways)
