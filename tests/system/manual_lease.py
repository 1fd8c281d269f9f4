# SPDX-License-Identifier: MIT

"""manual_lease - a client's lease holds a manual's transparent dialogue.

What the dialogue types, a client sends; where it escapes and comes back with
ATO, the far end says what modemd must look into (CLOSED, alone in a line); at
its end the client closes. The simulator must have heard the dialogue's
commands, in their printed forms and in their order.

Called by: 260_manual.py.
"""

import manual_words as words
from far import Host, Peer
from harness import check, same, wait_for
from protocol import STATUS, Link

TRAP = b"\r\nCLOSED\r\n"


class LeasePlay:
    """@never: commands that modemd does not need."""

    def __init__(self, bench, dialogue, steps, never):
        self.bench, self.steps, self.never = bench, list(steps), never
        self.name = dialogue.name
        self.link = self.asked = self.peer = None
        self.far = []
        for head in dialogue.head["far"]:
            kind, address = head.split()
            self.far.append(Host(kind))
            self.far[-1].printed = tuple(address.split(":"))
            bench.closing.callback(self.far[-1].end)

    def walk(self):
        self.daemon = self.bench.start_daemon(modem__apn="CMNET")
        self.client = self.daemon.client("manual")
        start = len(self.bench.sim.commands())
        for index, step in enumerate(self.steps):
            try:
                self.act(step, self.steps[index + 1:])
            except Exception as err:
                raise AssertionError("%s:%d: %s: %s" % (
                    self.name, step.number, step.text, err)) from err
        if self.link and not self.link.closed:
            self.link.close()
        self.daemon.wait_network(timeout=30)
        self.in_order(words.forms(self.bench.sim.commands()[start:]))

    def in_order(self, heard):
        at = 0
        for step in self.steps:
            if step.kind != ">" or not step.text.startswith("AT+"):
                continue
            form = words.Command(step.text).form()
            if form in self.never:
                continue
            check(form in heard[at:], "%s: %s is not heard" % (
                step.text, form), heard[at:])
            at += heard[at:].index(form) + 1

    # -- steps

    def act(self, step, later):
        if step.kind == "!":
            verb, _, text = step.text.partition(" ")
            getattr(self, "far_" + verb.replace("-", "_"))(
                words.unescape(text).encode("latin-1"), later)
        elif step.kind == "<|":
            wanted = words.unescape(step.text).encode("latin-1")
            same(self.link.read(len(wanted)), wanted, "what the client reads")
        elif step.kind == ">" and step.text.startswith("AT+CIPOPEN="):
            self.open(words.Command(step.text), later)
        elif step.kind == ">" and step.text.startswith("AT+SERVERSTART="):
            command = words.Command(step.text)
            self.asked = self.client.request(
                "lease", listen=True, port=int(command.field(0)))

    def open(self, command, later):
        if command.field(0) != "0":     # another link beside a lease
            self.asked = self.client.request(
                "lease", host="127.0.0.1", port=self.far[0].port)
            self.connected()
            reply = self.client.call("open", host="127.0.0.1", port=9,
                                     check=False)
            same(STATUS[reply["status"]], "NETWORK_DOWN", "another open")
            return
        if self.link and not self.link.closed:  # the same once more
            self.link.close()
        self.daemon.wait_network(timeout=30)
        udp = command.field(1) == "UDP"
        port = int(command.field(3))
        for host in self.far:
            if host.printed[1] == command.field(3):
                port = host.port
        self.asked = self.client.request(
            "lease", host="127.0.0.1", port=port,
            type=2 if udp else 1, local_port=int(command.field(4) or 0))
        if later[0].text == "CONNECT FAIL":
            reply = self.client.answer(self.asked, 30)
            same(STATUS[reply["status"]], "REFUSED", "CONNECT FAIL")
            self.daemon.wait_network(timeout=30)
            return
        self.connected()

    def connected(self):
        reply = self.client.answer(self.asked, 30)
        same(STATUS[reply.get("status", 0)], "OK", "the lease")
        self.link = Link(self.client, reply["open"]["link"],
                         reply["open"]["epoch"], self.client.hello["window"],
                         self.client.hello["credit"])
        self.client.links[self.link.id] = self.link
        for kind, event in self.client.unclaimed.pop(self.link.id, []):
            self.link.take(kind, event)

    # -- the far end

    def far_connects(self, text, _):
        port = text.split()[1].decode()

        def found():
            self.client.pump(0)
            return [w for w in self.bench.sim.ctl("ports").split()
                    if w.startswith("server:") and ":%s=" % port in w]
        self.peer = Peer(int(wait_for(found, "it listens")[0].split("=")[1]))
        self.bench.closing.callback(self.peer.end)
        self.connected()

    def host(self):
        return self.peer or self.far[0]

    def far_types(self, data, _):
        self.link.send(data)

    def far_gets(self, data, _):
        self.host().gets(data)

    def far_sends(self, data, _):
        self.host().sends(data)

    def far_closes(self, _, __):
        self.host().closes()
        self.client.wait(lambda: self.link.closed, 30, "the link's end")
        same(STATUS[self.link.closed["status"]], "PEER_CLOSED", "its end")

    def far_sees_end(self, _, __):
        self.host().sees_end()

    def far_escapes(self, _, later):
        commands = [s.text for s in later if s.kind == ">"]
        if "ATO" not in commands and "AT+CIPOPEN?" not in commands:
            self.link.close()
            return
        before = self.bench.sim.commands().count("ATO")
        self.host().sends(TRAP)
        same(self.link.read(len(TRAP)), TRAP, "the text that was none")
        same(self.bench.sim.commands().count("ATO"), before + 1, "ATO")
