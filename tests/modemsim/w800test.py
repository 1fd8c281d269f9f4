# SPDX-License-Identifier: MIT
"""What the W800 pages of the self test share: its framing, its bring-up."""

from simtest import *


class Wifi(Sim):
    """A module of one family; info(), final() and news() are its framing."""

    def __init__(self, *options, family="esp", **more):
        self.family = family
        super().__init__("--dialect", "w800", "--family", family, *options,
                         **more)

    def gap(self):
        return "" if self.family == "tight" else "\r\n"

    def info(self, *lines):
        return "".join(text + "\r\n" for text in lines)

    def final(self, text="OK"):
        return self.gap() + text + "\r\n"

    def ask(self, command, *blocks, timeout=3.0):
        """All blocks but the last one are lines; that is the final one."""
        self.write(command + "\r\n")
        self.expect(self.info(*blocks[:-1]) + self.final(blocks[-1]), timeout)

    def prompt(self):
        if self.family == "w800":
            return self.final()
        return self.final() + self.gap() + ">"

    def sent(self, n):
        if self.family == "w800":
            return self.final("SEND OK")
        return self.final("Recv %d bytes" % n) + self.final("SEND OK")

    def read_until(self, end):
        """All that comes, up to these bytes."""
        got = b""
        while not got.endswith(end):
            more = self.read(3)
            assert more, "nothing behind %r" % got[-60:]
            got += more
        return got

    def up(self, mux=1, passive=1):
        """Echo off, joined, ready for CIPSTART."""
        if self.family in ("esp", "tight"):
            self.write("ATE0\r\n")
            self.expect("ATE0\r\n" + self.final())
        self.join()
        if mux:
            self.ask("AT+CIPMUX=1", "OK")
        if passive:
            self.ask("AT+CIPRECVMODE=1", "OK")

    def join(self):
        self.write('AT+CWJAP="net","password"\r\n')
        if self.family == "w800":
            self.expect("WIFI CONNECTED\r\n" + self.final() +
                        "WIFI GOT IP\r\nWIFI GOT IPv6 LL\r\n")
        else:
            self.expect("WIFI CONNECTED\r\nWIFI GOT IP\r\n"
                        "WIFI GOT IPv6 LL\r\n" + self.final())

    def connect(self, n, server, kind="TCP"):
        self.ask('AT+CIPSTART=%d,"%s","127.0.0.1",%d' %
                 (n, kind, server.port), "%d,CONNECT" % n, "OK")
        return server.accept() if kind == "TCP" else None

    def send(self, n, data, command="AT+CIPSEND"):
        data = data.encode("latin-1") if isinstance(data, str) else data
        self.write("%s=%d,%d\r\n" % (command, n, len(data)))
        self.expect(self.prompt())
        self.write(data)
        self.expect(self.sent(len(data)))

    def ipd(self, n, data=None, size=None, who=""):
        """+IPD of passive mode (size), or with its data."""
        text = self.gap() + "+IPD,%d,%d%s" % (
            n, size if data is None else len(data), who)
        if data is None:
            return text + "\r\n"
        data = data if isinstance(data, str) else data.decode("latin-1")
        return text + ":" + data + ("\r\n" if self.family == "tight" else "")

    def pushed(self, n, data):
        """The +IPD blocks that these bytes come in: their lengths."""
        head = (self.gap() + "+IPD,%d," % n).encode()
        tail = b"\r\n" if self.family == "tight" else b""
        got, lengths, at = b"", [], 0
        while at < len(data):
            if b":" in got:
                size, _, rest = got.partition(b":")
                assert size.startswith(head), size[:40]
                n = int(size[len(head):])
                if len(rest) >= n + len(tail):
                    assert rest[:n + len(tail)] == data[at:at + n] + tail
                    got = rest[n + len(tail):]
                    lengths.append(n)
                    at += n
                    continue
            more = self.read(3)
            assert more, (len(got), at, lengths)
            got += more
        assert got == b"", got
        return lengths

    def take(self, n, size, data, *after):
        self.write("AT+CIPRECVDATA=%d,%d\r\n" % (n, size))
        self.expect(b"+CIPRECVDATA:%d," % len(data) + data + b"\r\nOK\r\n" +
                    "".join(after).encode("latin-1"))
