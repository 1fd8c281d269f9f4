#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""090: nonsense on the socket closes that client alone, with a reason.

Catalogue D1, D2, D3, D8, D10, D11, D13, S7. All the while another client
moves data, and the daemon's memory and descriptors stay as they were.
"""

import os
import random
import socket
import time

import harness
from harness import CLIENT_A, CLIENT_B, DIALECT, check, same, wait_for
from protocol import ENUMS, Client, Closed, encode, frame, varint

HELLO = frame("Request", {"id": 1, "hello": {"client_name": "x",
                                             "protocol_version": 1}})


class Bystander:
    """A client whose echo must never fail."""

    def __init__(self, bench):
        self.link = bench.daemon.client("bystander").open(
            "127.0.0.1", bench.server(harness.echo).port)

    def works(self):
        block = os.urandom(500)
        self.link.send(block, timeout=5)
        same(self.link.read(500, timeout=5), block, "the bystander's echo")


def raw(bench, data):
    with CLIENT_B:
        s = socket.socket(socket.AF_UNIX)
        s.connect(bench.daemon.socket)
    s.settimeout(10)
    s.sendall(data)
    return s


def must_be_closed(s, what):
    """The daemon hangs up, within the socket's timeout; what it said."""
    said = b""
    try:
        while True:
            data = s.recv(65536)
            if not data:
                return said
            said += data
    except ConnectionResetError:
        return said
    except TimeoutError:
        raise AssertionError("%s: it is not closed" % what) from None
    finally:
        s.close()


BAD = {
    "a frame above the cap": varint(65537) + b"x" * 100,
    "a length of 2^31": varint(1 << 31),
    "a length of 2^32-1": varint((1 << 32) - 1),
    "a length of five bytes": b"\xff\xff\xff\xff\x0f",
    "a length of ten bytes": b"\xff" * 9 + b"\x01",
    "a length of three bytes and one more": b"\x80\x80\x80\x01",
    "garbage instead of a message": varint(40) + b"\xff" * 40,
    "a message with a cut field": varint(3) + b"\x08\xff\xff",
    "a field longer than its message": varint(4) + b"\x12\x7f\x0a\x0a",
    "wire types that do not exist": varint(2) + b"\x0f\x0e",
    "another protocol": b"GET / HTTP/1.1\r\nHost: modem\r\n" * 9,
    "AT commands": b"AT+CRESET\r\n" * 50,
}


def nonsense_closes_that_client_alone(bench):
    daemon = bench.start("--baud", 0)
    bystander = Bystander(bench)
    for what, data in BAD.items():
        for before in (b"", HELLO):
            must_be_closed(raw(bench, before + data), what)
            bystander.works()
    log = daemon.stderr()
    check(log.count("has gone") >= len(BAD), "the log tells why", log[-500:])


def empty_and_unknown_requests_are_refused_one_by_one(bench):
    """D11: a newer client may ask for what this version does not know."""
    daemon = bench.start("--baud", 0)
    must_be_closed(raw(bench, varint(0)), "an empty frame for a hello")
    client = daemon.client()
    client.raw(varint(0))
    same(client.answer(0)["status"], ENUMS["Status"]["NOT_SUPPORTED"],
         "an empty frame")
    unknown = encode("Request", {"id": 77}) + b"\xfa\x07\x02hi"
    client.raw(varint(len(unknown)) + unknown)
    same(client.answer(77)["status"], ENUMS["Status"]["NOT_SUPPORTED"],
         "field 127")
    client.status()


def request_before_hello(bench):
    daemon = bench.start("--baud", 0)
    bystander = Bystander(bench)
    said = must_be_closed(raw(bench, frame("Request", {"id": 9, "status":
                                                       {}})), "no hello")
    check(said, "it is closed without a word")
    client = daemon.client(hello=False)
    reply = client.call("hello", client_name="x", protocol_version=99,
                        check=False)
    same(reply["status"], ENUMS["Status"]["BAD_PROTOCOL"],
         "a version from the future")
    bystander.works()


def silence_is_ended_by_the_hello_timeout(bench):
    """D3: 200 clients connect and say nothing, or half a frame."""
    daemon = bench.start("--baud", 0, ipc__hello_timeout="1s")
    bystander = Bystander(bench)
    descriptors = daemon.descriptors()
    idle = [raw(bench, data) for data in (b"", HELLO[:5]) for _ in range(100)]
    wait_for(lambda: daemon.descriptors() >= descriptors + 200, "they are in")
    began = time.monotonic()
    daemon.client("real").status()
    check(time.monotonic() - began < 1, "a real client must wait")
    bystander.works()
    for s in idle:
        must_be_closed(s, "a silent client")
    wait_for(lambda: daemon.descriptors() <= descriptors + 1,
             "their descriptors are closed")


def half_a_frame_and_then_nothing(bench):
    """D1: a greeted client that stops in the middle of a frame harms nobody,
    and what it held is freed when it goes."""
    bench.start("--baud", 0)
    bystander = Bystander(bench)
    whole = HELLO + frame("Request", {"id": 2, "open": {
        "host": "127.0.0.1", "port": 9}}) + frame("Request", {
            "id": 3, "status": {}})
    for cut in range(len(whole)):
        raw(bench, whole[:cut]).close()
    bystander.works()
    stopped = [raw(bench, HELLO + varint(60000) + b"\x0a" * 1000)
               for _ in range(20)]
    bystander.works()
    for s in stopped:
        s.close()
    wait_for(lambda: len(bench.json("clients")) == 2,
             "only the bystander and modemctl are left")


def one_byte_at_a_time(bench):
    bench.start("--baud", 0)
    s = raw(bench, b"")
    for byte in HELLO + frame("Request", {"id": 2, "status": {}}):
        s.sendall(bytes([byte]))
    said = b""
    while DIALECT.maker.encode() not in said:
        said += s.recv(65536)
    s.close()


def other_clients_links_are_out_of_reach(bench):
    """D8, S12: a foreign, an old and an invented link."""
    daemon = bench.start("--baud", 0)
    server = bench.server(harness.echo)
    mine = daemon.client("mine", user=CLIENT_A).open("127.0.0.1", server.port)
    other = daemon.client("other", user=CLIENT_B)
    old = other.open("127.0.0.1", server.port)
    old.close()
    for number in (mine.id, old.id, 0, 1 << 40, (1 << 64) - 1):
        for kind, fields in (("send", {"epoch": 1, "data": b"evil"}),
                             ("close", {"abort": True}),
                             ("credit", {"epoch": 1, "bytes": 9})):
            reply = other.call(kind, link=number, check=False, **fields)
            same(reply["status"], ENUMS["Status"]["NO_SUCH_LINK"],
                 "%s of link %d" % (kind, number))
    mine.send(b"untouched")
    same(mine.read(9), b"untouched", "the echo")
    same(server.connection(0).received, b"untouched", "what arrived")


def hosts_that_would_be_commands_are_refused(bench):
    """S1: nothing of them reaches the modem."""
    daemon = bench.start("--baud", 0)
    client = daemon.client()
    commands = bench.sim.commands
    before = len(commands())
    bad = [b"a\r\nAT+CRESET", b"a\nb", b'a",1\r', b'"', b"a;b", b"a b", b"",
           b"-a", b"a" * 64 + b".example", b"a." * 127 + b"aa", b"\x00",
           b"a\x1ab", b"\xff\xfe", b"a..b", b"+++", b"a,b"]
    for host in bad:
        for kind, fields in (("open", {"host": host, "port": 80}),
                             ("resolve", {"name": host})):
            reply = client.call(kind, check=False, **fields)
            check(reply["status"] in (ENUMS["Status"]["INVALID"],
                                      ENUMS["Status"]["TOO_LONG"]),
                  "%s of %r" % (kind, host), reply)
    for port in (0, 65536, 1 << 31):
        reply = client.call("open", host="127.0.0.1", port=port, check=False)
        same(reply["status"], ENUMS["Status"]["INVALID"], "port %d" % port)
    bad = DIALECT.commands["open"], DIALECT.commands["resolve"]
    same([c for c in commands()[before:] if c.startswith(bad)], [],
         "commands that the modem saw")


def garbage_of_a_thousand_kinds(bench):
    """D10: the daemon lives and does not grow."""
    bench.asan_options = "quarantine_size_mb=1:detect_leaks=1"
    daemon = bench.start("--baud", 0)
    bystander = Bystander(bench)
    dice = random.Random(90)
    good = [encode("Request", {"id": 1, k: v}) for k, v in (
        ("open", {"host": "127.0.0.1", "port": 9}), ("status", {}),
        ("send", {"link": 1, "epoch": 1, "data": b"x" * 50}),
        ("history", {"limit": 5}), ("subscribe", {"trace": True}))]
    good += [b"\x0a\x00" * 30000, b"\x0a\x80\x01" * 11000]
    rss = 0
    for i in range(2000 if harness.LONG else 400):
        message = bytearray(dice.choice(good))
        for _ in range(dice.randrange(1, 4)):
            message[dice.randrange(len(message))] = dice.randrange(256)
        s = raw(bench, HELLO + varint(len(message)) + message)
        s.shutdown(socket.SHUT_WR)
        must_be_closed(s, "garbage number %d" % i)
        if i == 100:
            rss = daemon.rss_kb()
        if i % 50 == 0:
            bystander.works()
    grown = daemon.rss_kb() - rss
    check(grown < 4096, "RSS has grown by %d kB" % grown)


def requests_without_reading(bench):
    """D13: answers beyond the cap close the one who does not read them."""
    daemon = bench.start("--baud", 0)
    bystander = Bystander(bench)
    one = frame("Request", {"id": 5, "status": {}})
    s = raw(bench, HELLO)
    s.settimeout(2)
    try:
        for _ in range(20000):
            s.sendall(one)
    except (TimeoutError, BrokenPipeError, ConnectionResetError):
        pass
    bystander.works()
    check(daemon.is_running(), "the daemon has ended")
    s.close()
    polite = Client(daemon.socket, "polite")
    numbers = [polite.request("status") for _ in range(100)]
    answers = [polite.answer(n) for n in numbers]
    check(all(a["status"] == 0 for a in answers), "a hundred in order")
    polite.hang_up()


def wrong_closed(bench):
    """The exception of the protocol module: a client that is closed sees it
    as such, and not as a time-out."""
    daemon = bench.start("--baud", 0)
    client = daemon.client()
    client.raw(varint(70000))
    try:
        client.wait(lambda: False, 5, "nothing")
    except Closed:
        return
    raise AssertionError("it is not closed")


harness.run(nonsense_closes_that_client_alone,
            empty_and_unknown_requests_are_refused_one_by_one,
            request_before_hello,
            silence_is_ended_by_the_hello_timeout,
            half_a_frame_and_then_nothing, one_byte_at_a_time,
            other_clients_links_are_out_of_reach,
            hosts_that_would_be_commands_are_refused,
            garbage_of_a_thousand_kinds, requests_without_reading,
            wrong_closed)
