# SPDX-License-Identifier: MIT
"""The far end of a dialogue: hosts and peers of this machine that do as told.

Called by: manual.py, ../system/manual_play.py.
"""

import socket

from dialogue import Wrong

TIMEOUT = 5


class Host:
    """What the modem connects to: a TCP server or a UDP socket."""

    def __init__(self, kind):
        self.kind = kind
        if kind == "tcp":
            self.sock = socket.create_server(("127.0.0.1", 0))
        else:
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(TIMEOUT)
        self.port = self.sock.getsockname()[1]
        self.peer = None	# a connection, or who sent last

    def connection(self):
        if not self.peer:
            self.peer = self.sock.accept()[0]
            self.peer.settimeout(TIMEOUT)
        return self.peer

    def sends(self, data):
        if self.kind == "tcp":
            self.connection().sendall(data)
        elif self.peer:
            self.sock.sendto(data, self.peer)
        else:
            raise Wrong("nobody has sent a datagram that could be answered")

    def gets(self, wanted):
        data = b""
        if self.kind == "udp":
            data, self.peer = self.sock.recvfrom(65536)
        while self.kind == "tcp" and len(data) < len(wanted):
            more = self.connection().recv(len(wanted) - len(data))
            if not more:
                break
            data += more
        if data != wanted:
            raise Wrong("the far end got %r, not %r" % (data, wanted))

    def closes(self):
        self.connection().close()

    def sees_end(self):
        if self.connection().recv(1):
            raise Wrong("the far end got bytes, not the end")

    def end(self):
        for sock in (self.sock, self.peer if self.kind == "tcp" else None):
            if sock:
                sock.close()


class Peer(Host):
    """Who connects to a server of the modem."""

    def __init__(self, port):
        self.kind = "tcp"
        self.sock = self.peer = socket.create_connection(("127.0.0.1", port),
                                                         TIMEOUT)
        self.port = self.sock.getsockname()[1]
