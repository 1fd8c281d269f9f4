# SPDX-License-Identifier: MIT

"""manual_play - clients and an admin make modemd hold a manual's dialogue.

A Play walks through one dialogue. What a client can have is had as a client
(open, send, credit, close, listen, resolve, ping, ...); what asks ("?", "=?")
and what is harmless goes as raw `at`; what raw `at` refuses must be refused
with a sentence, and is then forced, so that its answer is compared, too. After
each of these the simulator must have heard the command, in the form that the
dialogue prints, since the one before.

What a run leaves out of the dialogue's own forms (a run sends with a length or
with Ctrl-Z, reads in ascii or in hex) another run must have: Play.held is what
was heard as it is printed, Play.printed what is printed.

Called by: 260_manual.py.
"""

import re

import manual_words as words
from far import Host
from harness import check, same, wait_for
from protocol import ENUMS, STATUS

LOTS = 65536            # bytes of credit: all that there is
RESULTS = {"1": "REFUSED", "10": "TIMEOUT", "11": "NAME_NOT_FOUND"}
CCFG = ("retransmissions", "receive-delay", None, "error-mode", None,
        "async-mode", "retransmission-timeout")
DNSSET = ("dns-network-retries", "dns-network-timeout", "dns-retries")
CPING = ("count", "size", "interval_ms", "wait_ms", "ttl")


class Play:
    """@run: settings of modemd { modem }; @differs: {printed line: ours}."""

    def __init__(self, bench, dialogue, steps, run, differs):
        self.bench, self.dialogue, self.steps = bench, dialogue, steps
        self.run, self.differs = run, differs
        self.is_push = run.get("modem__receive") == "push"
        # then clients read as much, and when, as the dialogue does
        self.is_pull = run.get("modem__receive") in ("pull", "auto")
        self.is_hex = run.get("modem__pull_form") == "hex"
        self.is_coded = run.get("modem__send_coding") == "ctrlz"
        self.links, self.listeners = {}, {}
        self.link_no, self.server_no = words.Numbers(), words.Numbers()
        self.link_of = {}       # of a far end
        self.ends = []          # links that the peer has closed
        self.whole_read = False     # a datagram, by its first read
        self.held, self.printed = set(), set()
        self.before = None      # what is done before the dialogue begins
        self.mark = 0
        self.far = []
        for head in dialogue.head["far"]:
            kind, address = head.split()
            ip, _, port = address.partition(":")
            self.far.append(Host(kind))
            self.far[-1].printed = (ip, port)
            bench.closing.callback(self.far[-1].end)

    # -- addresses of this machine instead of the printed ones

    def real(self, text):
        for host in self.far:
            ip, port = host.printed
            for between in (":", '",'):
                text = text.replace(ip + between + port, "127.0.0.1%s%d" % (
                    between, host.port))
        for host in self.far:
            text = text.replace(host.printed[0], "127.0.0.1")
        for pair in self.dialogue.head["map"]:
            text = text.replace(*pair.split())
        return text

    def is_same_but_measured(self, got, wanted, what):
        """Fields that the head calls measured may be any number."""
        if re.search("^[+]CPING: [13],", wanted):
            for number in " ".join(self.dialogue.head["measured"]).split():
                wanted = re.sub("(?<=,)%s(?=,|$)" % number, "N", wanted)
            got = ",".join("N" if w == "N" else g for g, w in
                           zip(got.split(","), wanted.split(",")))
        same(got, wanted, what)

    # -- what the modem heard

    def heard(self, command, form=None, since=None):
        """Of @form, after what was heard before."""
        own = command.form()
        form = form or own
        self.printed.add(own)
        start = self.mark if since is None else since

        def found():
            return form in words.forms(self.bench.sim.commands()[start:])
        wait_for(found, lambda: "line %s: the modem hears %s after %s" % (
            command.text, form, self.bench.sim.commands()[start:]), 5)
        self.mark = max(self.mark, start + 1 + words.forms(
            self.bench.sim.commands()[start:]).index(form))
        self.held.add(form)

    # -- the walk

    def walk(self):
        changes = dict(self.run)
        changes.setdefault("modem__apn", "CMNET")
        self.daemon = self.bench.start_daemon(**changes)
        self.client = self.daemon.client("manual")
        if self.before:
            self.before()
        first = next(s for s in self.steps if not s.is_far)
        opens = [s for s in self.steps if not s.is_far and
                 s.text == "AT+NETOPEN" and s.final == "OK"]
        self.is_up = True
        if opens and opens[0] is not first:     # there it is not open yet
            self.network(False)
            self.mark = len(self.bench.sim.commands())
        for step in self.steps:
            try:
                self.act(step)
            except Exception as err:
                raise AssertionError("%s:%d: %s: %s" % (
                    self.dialogue.name, step.number, step.text,
                    err)) from err
        self.end()

    def change_mode(self):
        """A lease to nobody: CIPMODE is set, and set back."""
        reply = self.client.call("lease", host="127.0.0.1", port=1,
                                 check=False)
        same(STATUS[reply["status"]], "REFUSED", "a lease to nobody")
        self.daemon.wait_network(timeout=30)

    def act(self, step):
        if step.is_far:
            verb, _, text = step.text.partition(" ")
            host = self.far[0] if self.far else None
            if re.match(r"far\d$", verb):
                host = self.far[int(verb[3]) - 1]
                verb, _, text = text.partition(" ")
            check(verb == "closes" or not step.numbers("+IPCLOSE: "),
                  "a printed end that nobody made", step.said)
            getattr(self, "far_" + verb.replace("-", "_"))(
                step, host, words.unescape(text).encode("latin-1"))
            return
        verb = getattr(self, "on_" + step.command.name.lower(), None)
        if step.command.asks or not verb or not verb(step, step.command):
            self.raw(step)

    def end(self):
        for link in self.ends:
            if not link.auto_credit:    # else modemd may not look for more
                link.give_credit(LOTS)
            self.client.wait(lambda: link.closed, 10, "the end of a link")
            same((STATUS[link.closed.get("status", 0)],
                  link.closed["reason"]), ("PEER_CLOSED", "peer"), "its end")
        check(not self.client.is_closed, "the client is still served")

    # -- raw at

    def at(self, text, force=False):
        return self.client.call("at", command=text, force=force, check=False)

    def refused(self, text):
        """With a sentence that says why, and nothing is sent."""
        before = self.bench.sim.commands().count(text)
        reply = self.at(text)
        same(STATUS[reply["status"]], "INVALID", "raw %s" % text)
        why = reply["message"].partition("unless by force: ")[2]
        check(len(why.split()) > 3, "no sentence says why", reply)
        same(self.bench.sim.commands().count(text), before, "times sent")

    def raw(self, step):
        command = step.command
        text = self.real(words.renumber_command(
            step.text, self.link_no, self.server_no))
        force = command.name in words.REFUSED and not command.asks
        if force:
            self.refused(text)
            before = self.bench.sim.violations()
        reply = self.at(text, force)
        self.heard(command)
        if force and self.bench.sim.violations() != before:
            self.bench.sim.ctl("violations", "reset")   # the test's own
        if force:               # behind all that is then asked again
            same(self.at("AT")["at"]["final"], "OK", "AT")
        wanted = [self.differs.get(line, line) for line in step.answer]
        if self.whole_read and text.startswith("AT+CIPRXGET=4"):
            wanted = [re.sub(r"\d+$", "0", line) for line in wanted]
        wanted = [self.real(line) for line in words.renumber_answer(
            wanted, self.link_no, self.server_no)]
        same((reply["at"].get("line", []), reply["at"]["final"]),
             (wanted, step.final), "the answer to %s" % text)
        if text == "AT+CIPOPEN?":
            self.modemd_knows(wanted)

    def modemd_knows(self, lines):
        """The modem's table of links is modemd's, too."""
        found = [re.match(r'\+CIPOPEN: (\d),"TCP","([^"]*)",(\d+)', line)
                 for line in lines]
        same(sorted((r.get("slot", 0), r["remote"]) for r in
                    self.client.call("links")["links"].get("link", [])
                    if r["type"] == ENUMS["LinkType"]["TCP"]),
             sorted((int(f[1]), "%s:%s" % (f[2], f[3])) for f in found if f),
             "the links that modemd knows")

    # -- settings: the daemon makes them as it needs them

    def setting(self, _, command):
        self.refused(command.text)
        self.heard(command, since=0)
        return True

    on_cipmode = on_cgdcont = setting

    def on_ciptimeout(self, step, command):
        return step.final == "OK" and all(command.fields) and \
            self.setting(step, command)

    def on_ciphead(self, step, command):
        return self.is_push and command.field(0) == "1" and \
            self.setting(step, command)

    on_cipsrip = on_ciphead

    def on_cipsendmode(self, _, command):
        """While a link wants it."""
        self.refused(command.text)
        host = Host("tcp")
        self.bench.closing.callback(host.end)
        self.client.open("127.0.0.1", host.port, wait_ack=True)
        self.heard(command)
        return True

    def options(self, command, names):
        self.refused(command.text)
        wanted = {n: v for n, v in zip(names, command.fields) if n and v}
        check(wanted, "no option to set", command.fields)
        reply = self.client.call("config", set=[
            {"name": n, "value": v} for n, v in wanted.items()])["config"]
        now = {s["name"]: s.get("value") for s in reply["setting"]}
        same({n: now[n] for n in wanted}, wanted, "the options")
        return True

    def on_cipccfg(self, step, command):
        if step.final != "OK" or not command.fields:
            return False
        if command.form() == "CIPCCFG=" and command.field(4) == "1" and \
                not command.field(0):           # HeaderType: we need it
            return self.is_push and self.setting(step, command)
        as_dns = len(command.fields) == 3       # ERRATA E10
        self.options(command, DNSSET if as_dns else CCFG)
        self.heard(words.Command("AT+CIPDNSSET=1") if as_dns else command)
        return True

    def on_cipdnsset(self, _, command):
        self.options(command, DNSSET)
        self.heard(command)
        return True

    # -- the network

    def network(self, up):
        self.client.call("network", up=up)
        self.is_up = up
        same(self.bench.sim.stats()["network"]["state"],
             "open" if up else "closed", "the network of the modem")

    def on_netopen(self, step, command):
        if step.final != "OK":
            return False
        if not self.is_up:
            self.network(True)
            self.heard(command)
        else:                                   # by bring-up
            self.heard(command, since=0)
        same(self.daemon.status()["network"]["state"], "open", "network")
        return True

    def on_netclose(self, step, command):
        if step.final != "OK":
            return False
        self.network(False)
        self.heard(command)
        for link in self.links.values():
            self.client.wait(lambda: link.closed, 10, "the end of a link")
            same(link.closed["reason"], "network-down", "the reason")
        self.links.clear()
        return True

    # -- names, ping, what was acknowledged

    def on_cdnsgip(self, step, command):
        found = step.numbers("+CDNSGIP: ")
        return bool(found) and self.name(found, command, "resolve", "name",
                                         "address", 2)

    def on_cdnsghname(self, step, command):
        found = step.numbers("+CDNSGHNAME: ")
        return bool(found) and self.name(found, command, "reverse",
                                         "address", "name", 1)

    def name(self, found, command, kind, key, answer, at):
        reply = self.client.call(kind, check=False, **{key: command.field(0)})
        if found[0] == "1":
            same(reply[kind][answer], [found[at].strip('"')], kind)
        else:
            same(STATUS[reply["status"]], "NAME_NOT_FOUND", kind)
        self.heard(command)
        return True

    def on_cping(self, step, command):
        given = {key: int(value) for key, value in
                 zip(CPING, command.fields[2:])}
        asked = self.client.request("ping", host=command.field(0), **given)
        if len(step.said) == 2:                 # it is to be stopped
            self.client.wait(lambda: self.client.events, 10, "an echo")
            self.pinging = asked
            self.heard(command)
            return True
        reply = self.client.answer(asked)["ping"]
        echoes = ["+CPING: 1,%s,%d,%d,%d" % (
            e["address"], e["size"], e["rtt_ms"], e["ttl"])
            for kind, e in self.client.events if kind == "ping"]
        total = "+CPING: 3,%d,%d,%d,%d,%d,%d" % tuple(
            reply.get(k, 0) for k in ("sent", "received", "lost", "min_ms",
                                      "max_ms", "avg_ms"))
        wanted = [s.replace("+PING", "+CPING") for s in step.said[1:]]
        same(len(echoes) + 1, len(wanted), "lines of ping")
        for got, line in zip(echoes + [total], wanted):
            self.is_same_but_measured(got, self.real(line), "ping")
        self.heard(command)
        return True

    def on_cpingstop(self, _, command):
        self.client.call("cancel", request_id=self.pinging)
        reply = self.client.answer(self.pinging)
        same(STATUS[reply["status"]], "CANCELLED", "a ping that was stopped")
        self.heard(command)
        return True

    def on_cipack(self, step, command):
        if step.final != "OK":
            return False
        sent, acked, received = map(int, step.numbers("+CIPACK: "))
        link = self.links[command.field(0)]
        reply = self.client.call("confirmed", link=link.id)["confirmed"]
        same((reply["sent"], reply["confirmed"], reply["received"]),
             (sent, acked, received), "what is confirmed")
        self.heard(command)
        return True
