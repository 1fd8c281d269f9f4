# SPDX-License-Identifier: MIT
"""What the pages on sockets share: far ends, and how links are asked for."""

import socket

from simtest import Server, test


def has_v6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test6(fn):
    """A test that needs ::1, which a container may not have."""
    if has_v6():
        return test(fn)
    print("%-24s         left out: there is no ::1 here" % fn.__name__)
    return fn


class Server6(Server):
    def __init__(self):
        self.sock = socket.create_server(("::1", 0), family=socket.AF_INET6)
        self.sock.settimeout(3)
        self.port = self.sock.getsockname()[1]


def udp(host="127.0.0.1", port=0):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.settimeout(3)
    return sock


def slot(s, n):
    return s.stats()["slots"][n]


def start(s, n, kind, host, port, *more):
    fields = ['%d,"%s","%s",%d' % (n, kind, host, port), *map(str, more)]
    return "AT+CIPSTART=" + ",".join(fields)


def opens(s, n, *args):
    s.ask(start(s, n, *args), "%d,CONNECT" % n, "OK")


def host_port(s, n):
    """Where the modem's port of a UDP link is on this host."""
    for word in s.ctl("ports").split():
        if word.startswith("udp:%d:" % n):
            return int(word.split("=")[1])
    raise AssertionError("no UDP link %d" % n)
