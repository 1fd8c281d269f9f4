# SPDX-License-Identifier: MIT

"""manual_links - the part of a manual's dialogue that is about links and
servers: what a client does so that modemd says it, what far ends do.

Called by: 260_manual.py. Calls: manual_play.py.
"""

import re

import manual_words as words
from far import Peer
from harness import check, same, wait_for
from manual_play import LOTS, RESULTS, Play
from protocol import STATUS, Refused


class LinkPlay(Play):

    def __init__(self, *args):
        super().__init__(*args)
        self.links_of = {}              # of a server: their numbers

    def slot(self, link):
        row = next(r for r in self.client.call("links")["links"]["link"]
                   if r["link"] == link.id)
        return row.get("slot", 0)

    def add(self, number, link):
        link.auto_credit = not self.is_pull
        self.links[number] = link
        self.link_no.swap(number, self.slot(link))

    # -- CIPOPEN, CIPCLOSE

    def on_cipopen(self, step, command):
        number, result = command.field(0), step.numbers("+CIPOPEN: ", 2)
        if not result or step.final != "OK":
            return False
        host, port = command.field(2), command.field(3)
        options = {"credit": 0} if self.is_pull else {}
        if command.field(1) == "UDP":
            host = port = None
            options.update(type="UDP", local_port=int(command.field(4)),
                           want_source=self.is_push)
        else:
            host, port = self.remote(host, port)
        try:
            link = self.client.open(host, port, **options)
        except Refused as err:
            same(err.status, RESULTS.get(result[1]), "the open")
        else:
            same(result[1], "0", "the result of a link that is open")
            self.add(number, link)
            for far in self.far:
                if far.printed == (command.field(2), command.field(3)):
                    self.link_of[far] = number
        self.heard(command)
        return True

    def remote(self, host, port):
        for far in self.far:
            if far.printed == (host, port):
                return "127.0.0.1", far.port
        return host, int(port)

    def on_cipclose(self, step, command):
        if step.final != "OK":
            return False
        link = self.links.pop(command.field(0))
        closed = link.close()
        same((STATUS[closed.get("status", 0)], closed["reason"]),
             ("OK", "local"), "the close")
        same(closed["counts"]["taken"], closed["counts"]["accepted"],
             "bytes that were taken")
        self.heard(command)
        return True

    # -- CIPSEND

    def on_cipsend(self, step, command):
        if step.payload is None:
            return False
        if step.final != "OK":          # ended by ESC: no client can do that
            self.printed.add(command.form())
            return True
        has_length = bool(command.field(1))
        data = step.payload if has_length else words.decoded(step.payload)
        data = data.encode("latin-1")
        link = self.links[command.field(0)]
        before = link.taken
        if command.field(2):
            host, port = self.remote(command.field(2), command.field(3))
            link.send_to(data, host, port)
            for far in self.far:
                if far.port == port:
                    self.link_of[far] = command.field(0)
        else:
            link.send(data)
        link.drain()
        _, asked, taken = step.numbers("+CIPSEND: ", 3)
        same((len(data), link.taken - before), (int(asked), int(taken)),
             "bytes that were sent and taken")
        form = "CIPSEND=#" if self.is_coded else "CIPSEND=#,#"
        if command.field(2):
            form = "CIPSEND=#,%s,$,#" % ("" if self.is_coded else "#")
        self.heard(command, form)
        return True

    # -- CIPRXGET

    def on_ciprxget(self, step, command):
        mode = command.field(0)
        if step.final != "OK":
            return False
        if mode == "1":
            return self.setting(step, command)
        if mode == "0":
            return self.push_again(step, command)
        if mode not in "23":
            return False
        self.read(step, command, mode)
        return True

    def push_again(self, step, command):
        """A program wants to know where its datagrams are from."""
        self.refused(command.text)
        self.client.open(None, None, type="UDP", want_source=True)
        self.heard(command)
        self.pushed(step, next(iter(self.links.values())))
        return True

    def read(self, step, command, mode):
        link = self.links[command.field(1)]
        size = int(step.numbers("+CIPRXGET: %s," % mode, 3)[1])
        at = next(i for i, s in enumerate(step.said)
                  if s.startswith("+CIPRXGET: "))
        wanted = step.said[at + 1].encode("latin-1")
        if mode == "3":
            wanted = bytes.fromhex(wanted.decode())
        same(len(wanted), size, "the printed length")
        again, self.whole_read = self.whole_read, any(
            f.kind == "udp" for f in self.far)
        if again:               # the rest of a datagram, which came whole
            self.printed.add(command.form())
            same(link.read(size), wanted, "the data")
            return
        link.give_credit(LOTS if self.whole_read else size)
        same(link.read(size), wanted, "the data")
        self.heard(command, "CIPRXGET=%s,#" % ("3" if self.is_hex else "2"))

    # -- servers

    def on_serverstart(self, step, command):
        if step.final != "OK":
            return False
        port, number = int(command.field(0)), command.field(1)
        backlog = int(command.field(2)) if command.field(2) else None
        options = {"backlog": backlog} if backlog else {}
        listener = self.client.listen(port, **options)
        row = next(r for r in
                   self.client.call("listeners")["listeners"]["listener"]
                   if r["listener"] == listener.id)
        same((row["port"], row["state"]), (port, "listening"), "the listener")
        self.listeners[number] = listener
        self.server_no.swap(number, row.get("index", 0))
        self.heard(command)
        return True

    def on_serverstop(self, step, command):
        if step.final != "OK":
            return False
        index = command.field(0)
        self.listeners.pop(index).stop()
        self.heard(command)
        for number in self.links_of.pop(index, []):
            link = self.links.pop(number, None)
            if not link:                # closed before
                continue
            self.client.wait(lambda: link.closed, 10, "the end of a link")
            same(link.closed["reason"], "listener-closed", "the reason")
        return True

    def far_connects(self, step, _, text):
        printed, port = text.decode().split()
        number, index, _ = step.numbers("+CLIENT: ", 3)
        here = re.search(r"server:%s:%s=(\d+)" % (
            self.server_no(index), port), self.bench.sim.ctl("ports"))
        check(here, "nothing listens", self.bench.sim.ctl("ports"))
        peer = Peer(int(here[1]))
        self.bench.closing.callback(peer.end)
        peer.printed = tuple(printed.split(":"))
        self.far.insert(0, peer)
        link = self.listeners[index].accept()
        same(link.peer, "127.0.0.1:%d" % peer.port, "the peer")
        self.add(number, link)
        self.link_of[peer] = number
        self.links_of.setdefault(index, []).append(number)

    # -- far ends

    def far_gets(self, _, host, data):
        host.gets(data)

    def far_sends(self, step, host, data):
        host.sends(data)
        check(step.bare or step.numbers("+CIPRXGET: 1,"),
              "nothing is printed of what comes", step.said)
        link = self.links[self.link_of[host]]
        if step.bare and self.is_push:
            same(step.bare.encode("latin-1"), data, "what is printed")
            self.pushed(step, link)
            if host.kind == "udp":
                head = next(s for s in step.said if "RECV FROM:" in s)
                same(link.receive()[1],
                     self.real(head).partition("FROM:")[2], "the source")
        elif not link.auto_credit:      # announced, and not read yet
            wait_for(lambda: any(
                r["link"] == link.id and r["readable"] for r in
                self.client.call("links")["links"]["link"]),
                "the data are announced")
        else:
            same(link.read(len(data)), data, "the data")

    def pushed(self, step, link):
        """Whole, and with their source where the modem tells it."""
        data = step.bare.encode("latin-1")
        if not link.auto_credit:
            link.give_credit(LOTS)
        same(link.read(len(data)), data, "the data")

    def far_closes(self, step, host, _):
        host.closes()
        same(step.numbers("+IPCLOSE: "), [self.link_of[host], "1"],
             "the printed end")
        self.ends.append(self.links.pop(self.link_of[host])
                         if not self.is_pull else
                         self.links[self.link_of[host]])
        if not self.is_pull:
            self.client.wait(lambda: self.ends[-1].closed, 10, "the end")

    def far_sees_end(self, _, host, __):
        host.sees_end()
