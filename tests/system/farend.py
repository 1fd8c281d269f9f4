#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The far end of the tests: a TCP server behind the simulated modem.

farend.py [--port N] [--port-file F] [--log F] [MODE]

Without a mode it speaks the mover's protocol (libmodemclient/examples/mover.c):
it keeps what it got under a token, so that a mover whose network was lost can
go on where both stand. Modes:
  --echo             sends back what comes
  --sink             only takes
  --source N         sends N bytes (byte i is i % 251) and closes
  --discard-after N  takes N bytes and then resets the connection

Each connection is one line of JSON in the log, written when it ends:
peer_port, mode, received, sent, sha256_in, sha256_out, end (closed: by us;
eof: by the peer; reset; superseded: the same token came again; protocol), and
token, stored of a mover.
"""
import argparse
import hashlib
import json
import os
import socket
import struct
import sys
import threading


class End(Exception):
    """How a connection ended."""


class Connection:
    def __init__(self, sock, peer):
        self.sock = sock
        self.peer_port = peer[1]
        self.received = self.sent = 0
        self.hash_in = hashlib.sha256()
        self.hash_out = hashlib.sha256()
        self.pending = b""
        self.notes = {}
        self.superseded = False
        self.over = threading.Event()

    def recv(self, limit=65536):
        """At least one byte."""
        if self.pending:
            data, self.pending = self.pending[:limit], self.pending[limit:]
            return data
        try:
            data = self.sock.recv(limit)
        except OSError as e:
            raise End("superseded" if self.superseded else "reset") from e
        if not data:
            raise End("superseded" if self.superseded else "eof")
        self.received += len(data)
        self.hash_in.update(data)
        return data

    def line(self):
        text = b""
        while b"\n" not in text:
            if len(text) > 1000:
                raise End("protocol")
            text += self.recv()
        text, rest = text.split(b"\n", 1)
        self.pending = rest + self.pending
        return text.decode("ascii", "replace")

    def send(self, data):
        view = memoryview(data)
        while view:
            try:
                n = self.sock.send(view[:65536])
            except OSError as e:
                raise End("superseded" if self.superseded else "reset") from e
            self.sent += n
            self.hash_out.update(view[:n])
            view = view[n:]

    def supersede(self):
        """A newer connection has the same token: this one must end first."""
        self.superseded = True
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.over.wait(10)


class Mover:
    """What is kept under one token."""

    def __init__(self):
        self.data = bytearray()
        self.connection = None


class FarEnd:
    def __init__(self, args):
        self.args = args
        self.lock = threading.Lock()
        self.movers = {}
        self.log_file = open(args.log, "a", buffering=1) if args.log else None

    def log(self, conn, how):
        row = {"peer_port": conn.peer_port, "mode": self.args.mode,
               "received": conn.received, "sent": conn.sent,
               "sha256_in": conn.hash_in.hexdigest(),
               "sha256_out": conn.hash_out.hexdigest(), "end": how}
        row.update(conn.notes)
        with self.lock:
            if self.log_file:
                self.log_file.write(json.dumps(row) + "\n")

    def echo(self, conn):
        while True:
            conn.send(conn.recv())

    def sink(self, conn):
        while True:
            conn.recv()

    def source(self, conn):
        left = self.args.source
        pattern = bytes(i % 251 for i in range(251 * 256))
        while left > 0:
            n = min(left, len(pattern))
            conn.send(pattern[:n])
            left -= n
        # Closing with something unread would reset the connection, and what
        # is still on its way would be lost.
        conn.sock.shutdown(socket.SHUT_WR)
        conn.sock.settimeout(10)
        while True:
            conn.recv()

    def discard_after(self, conn):
        while conn.received < self.args.discard_after:
            conn.recv(min(65536, self.args.discard_after - conn.received))
        # Linger of 0 s: close() sends a reset.
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))

    def claim(self, conn, token):
        """The mover of the token, with its earlier connection gone."""
        while True:
            with self.lock:
                mover = self.movers.setdefault(token, Mover())
                older = mover.connection
                if older is None or older.over.is_set():
                    mover.connection = conn
                    return mover
            older.supersede()

    def mover(self, conn):
        words = conn.line().split()
        if len(words) != 4 or words[0] not in ("PUT", "RESUME"):
            raise End("protocol")
        token, total, back = words[1], int(words[2]), int(words[3])
        conn.notes["token"] = token
        mover = self.claim(conn, token)
        conn.send(b"AT %d\n" % len(mover.data))
        while len(mover.data) < total:
            mover.data += conn.recv(min(65536, total - len(mover.data)))
            conn.notes["stored"] = len(mover.data)
        conn.notes["stored"] = len(mover.data)
        conn.send(b"ALL %s\n" %
                  hashlib.sha256(mover.data).hexdigest().encode())
        conn.send(memoryview(bytes(mover.data))[back:])
        if conn.line() != "DONE":
            raise End("protocol")

    def serve(self, conn):
        how = "closed"
        try:
            getattr(self, self.args.mode)(conn)
        except End as e:
            if self.args.mode != "source" or conn.sent < self.args.source:
                how = str(e)
        except ValueError:
            how = "protocol"
        finally:
            conn.sock.close()
            self.log(conn, how)
            conn.over.set()

    def run(self):
        server = socket.create_server((self.args.host, self.args.port),
                                      backlog=64)
        port = server.getsockname()[1]
        if self.args.port_file:
            # Whole or not at all: a test waits for the file.
            with open(self.args.port_file + ".new", "w") as f:
                f.write("%d\n" % port)
            os.rename(self.args.port_file + ".new", self.args.port_file)
        else:
            print(port, flush=True)
        while True:
            sock, peer = server.accept()
            threading.Thread(target=self.serve, args=(Connection(sock, peer),),
                             daemon=True).start()


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--host", default="127.0.0.1")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--port-file")
    p.add_argument("--log")
    modes = p.add_mutually_exclusive_group()
    modes.add_argument("--echo", action="store_true")
    modes.add_argument("--sink", action="store_true")
    modes.add_argument("--source", type=int, metavar="N")
    modes.add_argument("--discard-after", type=int, metavar="N")
    args = p.parse_args()
    args.mode = ("echo" if args.echo else "sink" if args.sink else
                 "source" if args.source is not None else
                 "discard_after" if args.discard_after is not None else "mover")
    try:
        FarEnd(args).run()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
