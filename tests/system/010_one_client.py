#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""010: one client moves data there and back, and every count agrees."""

import random

import harness
from harness import DIALECT, check, same


def agree(row, mover, far):
    """History, mover and far end count the same bytes of one session."""
    epoch = mover["epochs"][row["epoch"] - 1]
    same(row["sent"], epoch["taken"], "sent in the history")
    same(row["sent"], far["received"], "sent in the history, and arrived")
    same(row["received"], epoch["received"], "received in the history")
    same(row["received"], far["sent"], "received in the history, and sent")
    same(row["accepted"], row["sent"], "accepted")
    check(row["confirmed"] in (-1, row["sent"]), "confirmed", row)


def one_client_moves_data(bench):
    bench.start()
    far_end = harness.FarEnd(bench)
    moved = bench.mover("mover", far_end, "-n", 200000, "--seed", 7).result()
    same(moved["sha256_far_end"], moved["sha256"], "the hash at the far end")
    same(moved["sha256_returned"], moved["sha256"], "the hash of the answer")

    rows = bench.settled_history()
    same(len(rows), 1, "sessions")
    agree(rows[0], moved, far_end.rows(1)[0])
    same(rows[0]["client"], "mover", "the client")
    same(rows[0]["comm"], "mover", "the program")
    same(rows[0]["remote"], "127.0.0.1:%d" % far_end.port, "the remote")
    same(rows[0]["uid"], harness.CLIENT_A.uid, "the user")
    check(rows[0]["opened"] <= rows[0]["closed"], "times", rows[0])
    same(bench.json("status")["links_used"], 0, "links in use")


def every_byte_value_passes(bench):
    """Catalogue A8, S2, S3, S5: no payload is taken for anything else."""
    daemon = bench.start("--baud", 0)
    link = daemon.client().open("127.0.0.1", bench.server(harness.echo).port)
    pairs = b"".join(bytes((a, b)) for a in range(256) for b in range(256))
    traps = b"".join((
        b"+++", b"\x1a", b"\x1b", b"\r\nOK\r\n", b">", b"\r\n> ",
        b"\r\nERROR\r\n", b"\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n",
        b"\r\n+IPCLOSE: 9,1\r\n", b"\r\n+CIPSEND: 9,1500,1500\r\n",
        b"\r\n+CIPRXGET: 2,9,65535,1\r\n", b"AT+CIPCLOSE=9\r", b"AT+CRESET\r",
        b"\r\n+IPD,4,65535:\r\n", b"4,CLOSED\r\n", b"\r\nSEND OK\r\n",
        b"WIFI DISCONNECT\r\n", b"\r\nready\r\n", b"busy p...\r\n",
        b"\r\nRDY\r\n", b"\r\nPB DONE\r\n", b"\x00" * 300, b"\xff" * 300))
    for data in (pairs, traps * 3, random.Random(1).randbytes(100000)):
        for i in range(0, len(data), 8000):
            link.send(data[i:i + 8000])
            same(link.read(len(data[i:i + 8000])), data[i:i + 8000],
                 "the echo")


def any_size_of_write_passes(bench):
    daemon = bench.start("--baud", 0)
    link = daemon.client().open("127.0.0.1", bench.server(harness.echo).port)
    dice = random.Random(2)
    most = DIALECT.max_send
    for size in [1, 2, 3, 511, 1459, 1460, 1461, 1499, 1500, 1501, most - 1,
                 most, most + 1, 2 * most - 1, 2 * most, 2 * most + 1,
                 16384] + [dice.randrange(1, 4000) for _ in range(100)]:
        data = dice.randbytes(size)
        link.send(data)
        same(link.read(size), data, "the echo of %d bytes" % size)


def peer_closes_behind_its_data(bench):
    """Catalogue C2: all of the data, and then the end."""
    daemon = bench.start("--baud", 0)
    client = daemon.client()
    for size in (0, 1, 65536):
        data = random.Random(size).randbytes(size)

        def serve(connection, data=data):
            connection.send(data)
        link = client.open("127.0.0.1", bench.server(serve).port)
        client.wait(lambda: link.closed, 20, "the close")
        same(bytes(link.data), data, "%d bytes before the close" % size)
        same(link.closed["reason"], "peer", "the reason")


harness.run(one_client_moves_data, every_byte_value_passes,
            any_size_of_write_passes, peer_closes_behind_its_data)
