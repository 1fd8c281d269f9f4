# SPDX-License-Identifier: MIT

"""protocol - modemd's protocol as proto/modemd.proto says it, in plain Python.

It reads the .proto file itself, so that it shares no code and no mistake with
the generated one, and never falls behind it. Client is a connection for tests:
one thread, every wait with a deadline.

    c = Client(path, name="test")
    link = c.open("127.0.0.1", 5000)
    link.send(b"hello")
    link.read(5)
    link.close()
"""

import collections
import os
import re
import select
import socket
import time

PROTO = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                     "..", "..", "proto", "modemd.proto")
FRAME_MAX = 65536
DATA_MAX = 16384
TIMEOUT = 20

Field = collections.namedtuple("Field", "number type repeated")


def read_schema(path=PROTO):
    """({message: {name: Field}}, {enum: {name: number}})"""
    with open(path, encoding="utf-8") as f:
        text = re.sub(r"//[^\n]*", "", f.read())
    messages, enums = {}, {}
    for kind, name, body in re.findall(
            r"\b(message|enum)\s+(\w+)\s*\{((?:[^{}]|\{[^{}]*\})*)\}", text):
        if kind == "enum":
            enums[name] = {n: int(v) for n, v in
                           re.findall(r"(\w+)\s*=\s*(\d+)\s*;", body)}
            continue
        messages[name] = {
            n: Field(int(v), t, label == "repeated") for label, t, n, v in
            re.findall(r"(?:(optional|repeated)\s+)?(\w+)\s+(\w+)\s*=\s*"
                       r"(\d+)\s*;", body)}
    return messages, enums


MESSAGES, ENUMS = read_schema()
STATUS = {number: name for name, number in ENUMS["Status"].items()}


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def take_varint(data, pos):
    """(value, next position); IndexError when cut."""
    value = shift = 0
    while True:
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return value, pos


def encode_value(type_, value):
    """(wire type, bytes)"""
    if type_ in ("bytes", "string"):
        raw = value.encode() if isinstance(value, str) else bytes(value)
        return 2, varint(len(raw)) + raw
    if type_ in MESSAGES:
        raw = encode(type_, value)
        return 2, varint(len(raw)) + raw
    if type_ in ENUMS:
        value = ENUMS[type_].get(value, value)
    if type_.startswith("sint"):
        value = value << 1 ^ value >> 63
    return 0, varint(int(value))


def encode(message, fields):
    out = b""
    for name, value in fields.items():
        field = MESSAGES[message][name]
        for one in value if field.repeated else [value]:
            wire, raw = encode_value(field.type, one)
            out += varint(field.number << 3 | wire) + raw
    return out


def decode_value(type_, value):
    if type_ in MESSAGES:
        return decode(type_, value)
    if type_ == "string":
        return value.decode()
    if type_ == "bytes":
        return bytes(value)
    if type_.startswith("sint"):
        return value >> 1 ^ -(value & 1)
    if type_.startswith("int") and value >> 63:
        return value - (1 << 64)
    return bool(value) if type_ == "bool" else value


def decode(message, data):
    by_number = {f.number: (n, f) for n, f in MESSAGES[message].items()}
    out, pos = {}, 0
    while pos < len(data):
        key, pos = take_varint(data, pos)
        if key & 7 == 2:
            size, pos = take_varint(data, pos)
            value = data[pos:pos + size]
            pos += size
        else:
            value, pos = take_varint(data, pos)
        if key >> 3 not in by_number:
            continue
        name, field = by_number[key >> 3]
        value = decode_value(field.type, value)
        if field.repeated:
            out.setdefault(name, []).append(value)
        else:
            out[name] = value
    return out


def frame(message, fields):
    raw = encode(message, fields)
    return varint(len(raw)) + raw


class Refused(Exception):
    """A reply or an event that is not OK."""

    def __init__(self, what, answer):
        self.status = STATUS.get(answer.get("status", 0), "?")
        self.answer = answer
        super().__init__("%s: %s: %s" % (what, self.status, answer.get(
            "message", answer.get("reason", ""))))


class Closed(Exception):
    """modemd has closed the connection."""


class Link:
    """One link; data and news about it gather here as they come."""

    def __init__(self, client, number, epoch, window, credit):
        self.client = client
        self.id = number
        self.epoch = epoch
        self.window = window
        self.credit_left = credit
        self.accepted = 0
        self.taken = 0
        self.data = bytearray()
        self.datagrams = collections.deque()    # (bytes, from or None)
        self.not_sent = []      # (bytes, status) of datagrams
        self.source = None      # as the reply says
        self.received = 0
        self.opened = None
        self.lost = None        # the last loss
        self.is_lost = False    # now
        self.restored = None
        self.closed = None
        self.auto_credit = True

    def take(self, kind, event):
        if kind == "data":
            self.data += event["data"]
            self.datagrams.append((event["data"], event.get("from")))
            self.received += len(event["data"])
            self.credit_left -= len(event["data"])
            if self.auto_credit:
                self.give_credit(len(event["data"]))
        elif kind == "sent" and event.get("epoch") == self.epoch:
            self.taken += event["bytes"]
            if event.get("status", 0):
                self.not_sent.append((event["bytes"],
                                      STATUS[event["status"]]))
        elif kind in ("opened", "lost", "restored", "closed"):
            setattr(self, kind, event)
            self.is_lost = kind == "lost"
        if kind == "restored":
            self.epoch = event["epoch"]
            self.accepted = self.taken = self.received = 0

    def give_credit(self, count):
        self.credit_left += count
        self.client.post("credit", link=self.id, epoch=self.epoch,
                         bytes=count)

    def is_ended(self):
        return bool(self.closed or
                    self.opened and self.opened.get("status", 0))

    def wait_open(self, timeout=TIMEOUT):
        self.client.wait(lambda: self.opened, timeout, "the link to open")
        if self.opened.get("status", 0):
            raise Refused("open", self.opened)
        return self

    def send(self, data, timeout=TIMEOUT):
        """All of it into the window; Refused when the link ends before."""
        view = memoryview(bytes(data))
        while view:
            room = self.window - (self.accepted - self.taken)
            if room <= 0:
                self.client.wait(
                    lambda: self.window > self.accepted - self.taken or
                    self.closed or self.is_lost, timeout,
                    "room in the window")
            if self.closed or self.is_lost:
                raise Refused("send", self.closed or self.lost)
            n = min(len(view), DATA_MAX, max(room, 0))
            if n == 0:
                continue
            self.client.call("send", timeout=timeout, link=self.id,
                             epoch=self.epoch, data=view[:n])
            self.accepted += n
            view = view[n:]

    def send_to(self, data, host=None, port=None, timeout=TIMEOUT):
        """One datagram."""
        self.client.wait(lambda: self.closed or self.window -
                         (self.accepted - self.taken) >= len(data), timeout,
                         "room in the window")
        self.client.call("send", timeout=timeout, link=self.id,
                         epoch=self.epoch, data=data, to_host=host,
                         to_port=port)
        self.accepted += len(data)

    def receive(self, timeout=TIMEOUT):
        """One datagram: (bytes, from or None)."""
        self.client.wait(lambda: self.datagrams or self.closed, timeout,
                         "a datagram")
        return self.datagrams.popleft()

    def drain(self, timeout=TIMEOUT):
        self.client.wait(lambda: self.taken == self.accepted or self.closed,
                         timeout, "the modem to take all bytes")

    def read(self, size, timeout=TIMEOUT):
        """Exactly @size bytes, fewer only when the link has ended."""
        self.client.wait(lambda: len(self.data) >= size or self.closed or
                         self.is_lost, timeout,
                         lambda: "%d bytes, %d came" % (size, len(self.data)))
        out = bytes(self.data[:size])
        del self.data[:size]
        return out

    def close(self, abort=False, timeout=TIMEOUT):
        """The closed event."""
        if not self.closed:
            self.client.call("close", link=self.id, abort=abort, check=False)
        self.client.wait(lambda: self.closed, timeout, "the close")
        return self.closed


class Listener:
    """A server in the modem; connections wait in .accepted."""

    def __init__(self, client, number, credit):
        self.client = client
        self.id = number
        self.credit = credit
        self.accepted = collections.deque()
        self.refused = []       # events
        self.lost = []          # reasons
        self.restored = 0

    def take(self, kind, event):
        if kind == "listener_lost":
            self.lost.append(event["reason"])
        elif kind == "listener_restored":
            self.restored += 1
        elif event.get("status", 0):
            self.refused.append(event)
        else:
            link = Link(self.client, event["link"], 1,
                        self.client.hello["window"], self.credit)
            link.peer = event.get("peer", "")
            self.client.links[link.id] = link
            for late in self.client.unclaimed.pop(link.id, []):
                link.take(*late)
            self.accepted.append(link)

    def accept(self, timeout=TIMEOUT):
        self.client.wait(lambda: self.accepted, timeout, "a connection")
        return self.accepted.popleft()

    def stop(self, timeout=TIMEOUT):
        self.client.call("unlisten", timeout=timeout, listener=self.id)


class Client:
    def __init__(self, path, name="test", hello=True, as_user=None):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        if as_user:
            with as_user:
                self.sock.connect(path)
        else:
            self.sock.connect(path)
        self.sock.setblocking(False)
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.next_id = 1
        self.replies = {}
        self.quiet = set()      # requests whose reply nobody reads
        self.events = []        # about the modem: (kind, event)
        self.links = {}
        self.listeners = {}
        self.unclaimed = {}     # events of a link whose reply is on its way
        self.is_closed = False
        self.hello = None
        if hello:
            self.hello = self.call("hello", client_name=name,
                                   protocol_version=1)["hello"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hang_up()

    def fileno(self):
        return self.sock.fileno()

    def hang_up(self):
        self.sock.close()
        self.is_closed = True

    # -- requests

    def raw(self, data):
        """Bytes as they are."""
        self.outbox += data
        self.pump(0)

    def request(self, kind, **fields):
        """Sends it; the id under which the reply will come."""
        number = self.next_id
        self.next_id += 1
        fields = {k: v for k, v in fields.items() if v is not None}
        self.raw(frame("Request", {"id": number, kind: fields}))
        return number

    def post(self, kind, **fields):
        self.quiet.add(self.request(kind, **fields))

    def answer(self, number, timeout=TIMEOUT):
        self.wait(lambda: number in self.replies, timeout, "a reply")
        return self.replies.pop(number)

    def call(self, kind, check=True, timeout=TIMEOUT, **fields):
        reply = self.answer(self.request(kind, **fields), timeout)
        if check and reply.get("status", 0):
            raise Refused(kind, reply)
        return reply

    def status(self):
        return self.call("status")["status_reply"]

    def open_start(self, host, port, **options):
        reply = self.call("open", host=host, port=port, **options)["open"]
        link = Link(self, reply["link"], reply["epoch"],
                    self.hello["window"],
                    options.get("credit", self.hello["credit"]))
        link.source = reply.get("source", False)
        self.links[link.id] = link
        for kind, event in self.unclaimed.pop(link.id, []):
            link.take(kind, event)
        return link

    def open(self, host, port, timeout=TIMEOUT, **options):
        return self.open_start(host, port, **options).wait_open(timeout)

    def listen(self, port, timeout=TIMEOUT, **options):
        reply = self.call("listen", port=port, timeout=timeout, **options)
        listener = Listener(self, reply["listen"]["listener"],
                            options.get("credit", self.hello["credit"]))
        self.listeners[listener.id] = listener
        for kind, event in self.unclaimed.pop(("listener", listener.id), []):
            listener.take(kind, event)
        return listener

    # -- what comes

    def wait(self, predicate, timeout, what):
        end = time.monotonic() + timeout
        while not predicate():
            left = end - time.monotonic()
            if self.is_closed:
                raise Closed("modemd hung up while waiting for %s" %
                             (what() if callable(what) else what))
            if left <= 0:
                raise TimeoutError("%s: not within %s s" % (
                    what() if callable(what) else what, timeout))
            self.pump(left)

    def pump(self, timeout):
        """Write and read what can be; wait for at most @timeout s."""
        out = [self.sock] if self.outbox else []
        readable, writable, _ = select.select([self.sock], out, [], timeout)
        if writable:
            try:
                del self.outbox[:self.sock.send(self.outbox)]
            except (BrokenPipeError, ConnectionResetError):
                self.is_closed = True
                self.outbox.clear()
        if readable:
            try:
                data = self.sock.recv(1 << 18)
            except ConnectionResetError:
                data = b""
            self.is_closed |= not data
            self.inbox += data
            self.take_frames()

    def take_frames(self):
        while True:
            try:
                size, start = take_varint(self.inbox, 0)
            except IndexError:
                return
            if size > FRAME_MAX:
                raise AssertionError("modemd sent a frame of %d bytes" % size)
            if len(self.inbox) < start + size:
                return
            message = decode("ServerMessage", self.inbox[start:start + size])
            del self.inbox[:start + size]
            if "reply" in message:
                self.take_reply(message["reply"])
            elif "event" in message:
                self.take_event(message["event"])

    def take_reply(self, reply):
        number = reply.get("request_id", 0)
        if number in self.quiet:
            self.quiet.discard(number)
        elif number in self.replies:
            raise AssertionError("two replies to request %d" % number)
        else:
            self.replies[number] = reply

    def take_event(self, event):
        names = {"link_lost": "lost", "link_restored": "restored"}
        for kind, body in event.items():
            if not isinstance(body, dict):
                continue
            if isinstance(body.get("listener"), int):
                self.take_listener(kind, body)
                continue
            number = body.get("link")
            if not isinstance(number, int):
                self.events.append((kind, body))
            elif number in self.links:
                self.links[number].take(names.get(kind, kind), body)
            else:
                self.unclaimed.setdefault(number, []).append(
                    (names.get(kind, kind), body))

    def take_listener(self, kind, body):
        listener = self.listeners.get(body["listener"])
        if listener:
            listener.take(kind, body)
        else:
            self.unclaimed.setdefault(("listener", body["listener"]),
                                      []).append((kind, body))
