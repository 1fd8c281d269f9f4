# SPDX-License-Identifier: MIT

"""manual_words - commands and answers of a dialogue, as they are compared.

What the daemon sends is another link, address, port and length than the manual
prints. form() leaves of a command its name, its kind ("", "?", "=?", "=") and
which fields are there, each as a number, a string or nothing:

    AT+CIPSEND=1,,"117.131.85.139",5254   CIPSEND=#,,$,#
    AT+CIPRXGET=2,1,5                     CIPRXGET=2,#   the length is ours
    AT+CIPTIMEOUT=3000,,4000              CIPTIMEOUT=    a setting: its name

Called by: manual_play.py, 260_manual.py.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "logs"))
from dialogue import unescape           # pylint: disable=wrong-import-position

# What the daemon sets by itself, with its own values, before it opens links.
SETTINGS = ("CIPTIMEOUT", "CIPCCFG", "CIPDNSSET", "CIPSENDMODE", "CIPMODE",
            "CIPHEAD", "CIPSRIP", "CGDCONT")
# These raw `at` does not send unless forced, but for "?" and "=?".
REFUSED = SETTINGS + ("CIPOPEN", "CIPCLOSE", "CIPSEND", "CIPRXGET", "NETOPEN",
                      "NETCLOSE", "SERVERSTART", "SERVERSTOP", "CPING",
                      "CPINGSTOP")
FINALS = ("OK", "ERROR")


class Command:
    """AT+NAME, its kind and its fields, without blanks."""

    def __init__(self, text):
        self.text = text
        plain = re.sub(r'("[^"]*")|\s+', lambda m: m[1] or "", text)
        found = re.match(r"AT\+?([A-Z]*)(=\?|\?|=|)(.*)$", plain, re.I)
        if not found:
            raise ValueError("not a command: " + text)
        self.name, self.kind = found[1].upper(), found[2]
        self.fields = re.findall(r'(?:^|,)("[^"]*"|[^,]*)', found[3]) \
            if self.kind == "=" else []

    @property
    def asks(self):
        return self.kind in ("?", "=?") or \
            (self.name == "CIPRXGET" and self.field(0) == "4")

    def field(self, index):
        """Without quotes; "" where there is none."""
        return self.fields[index].strip('"') if index < len(self.fields) \
            else ""

    def form(self):
        if self.name in SETTINGS and self.kind == "=":
            return self.name + "="
        fields = list(self.fields)
        while fields and not fields[-1]:        # "=2," is "=2"
            fields.pop()
        kinds = ["" if not f else "$" if f[0] == '"' else "#" for f in fields]
        if self.name == "CIPRXGET" and fields:
            kinds = [fields[0]] + kinds[1:2]
        if self.name == "SERVERSTART":          # we always say <backlog>
            kinds = kinds[:2]
        return self.name + self.kind + ",".join(kinds)


def forms(commands):
    """Of all that a modem heard; what is no AT command has none."""
    out = []
    for text in commands:
        try:
            out.append(Command(text).form())
        except ValueError:
            out.append("")
    return out


class Exchange:
    """A command, or a doing of the far end, and all that is said to it."""

    def __init__(self, step):
        self.number = step.number
        self.is_far = step.kind == "!"
        self.text = step.text if self.is_far else unescape(step.text)
        self.command = None if self.is_far else Command(self.text)
        self.payload = None
        self.said = []          # lines
        self.bare = ""          # without any framing: pushed

    def take(self, step):
        if step.kind == ">>":
            self.payload = unescape(step.text)
        elif step.kind == "<|":
            self.bare += unescape(step.text)
        elif step.text:
            self.said.append(unescape(step.text))

    @property
    def final(self):
        """"OK", "ERROR", or None where it is none of the two."""
        found = [s for s in self.said if s in FINALS]
        return found[-1] if found else None

    @property
    def answer(self):
        """The lines before the final one."""
        return self.said[:self.said.index(self.final)] if self.final \
            else self.said

    def numbers(self, prefix, fields=0):
        """The fields of the line that begins so; None without one."""
        for line in self.said:
            if line.startswith(prefix):
                found = line[len(prefix):].strip().split(",")
                if len(found) >= fields:
                    return found
        return None


def exchanges(dialogue, errata, as_printed):
    """One form of it; what the misprint of a command alone says is not
    played (the simulator's own runner does that)."""
    out = []
    for step in dialogue.form(errata, as_printed):
        if step.kind == "refused":
            continue
        if step.kind in (">", "!"):
            out.append(Exchange(step))
        else:
            out[-1].take(step)
    return out


def decoded(payload):
    """Of a CIPSEND without length: ETX before a control character makes it
    payload (SIMCom ref L1105), Ctrl-Z ends it."""
    return re.sub("\x03(.)|\x1a$", lambda m: m[1] or "", payload, flags=re.S)


class Numbers:
    """Links and servers of a dialogue have other numbers here: one is swapped
    with what had it."""

    def __init__(self):
        self.here = {}

    def __call__(self, number):
        text = str(number)
        return self.here.get(text, text)

    def swap(self, number, here):
        number, here = str(number), str(here)
        other = next((n for n in map(str, range(10)) if self(n) == here),
                     here)
        self.here[other] = self(number)
        self.here[number] = here


# The field, from 0, that is a link's or a server's number.
LINK_AT = {"CIPOPEN": 0, "CIPCLOSE": 0, "CIPSEND": 0, "CIPACK": 0,
           "CIPRXGET": 1}
SERVER_AT = {"SERVERSTOP": 0, "SERVERSTART": 1}


def renumber_command(text, links, servers):
    command = Command(text)
    fields = list(command.fields)
    for table, numbers in ((LINK_AT, links), (SERVER_AT, servers)):
        at = table.get(command.name)
        if at is not None and at < len(fields):
            fields[at] = numbers(fields[at])
    return text.partition("=")[0] + "=" + ",".join(fields) \
        if command.kind == "=" else text


def renumber_line(line, links, servers):
    """One line of an answer."""
    found = re.match(r"(\+(\w+): )([\d,]+)$|(\+(CIPOPEN): )(\d.*)$", line)
    if not found:
        return line
    head, name = found[1] or found[4], found[2] or found[5]
    fields = (found[3] or found[6]).split(",")
    if name == "CIPCLOSE" and len(fields) == 10:
        moved = list(fields)
        for number, state in enumerate(fields):
            moved[int(links(number))] = state
        return head + ",".join(moved)
    at = LINK_AT.get(name) if name != "CIPACK" else None
    if at is not None and at < len(fields):
        fields[at] = links(fields[at])
    if name in ("SERVERSTART", "SERVERSTOP"):
        fields[0] = servers(fields[0])
    return head + ",".join(fields)


def renumber_answer(lines, links, servers):
    """A table of links or servers is in the order of its numbers."""
    out = [renumber_line(line, links, servers) for line in lines]
    if len(out) > 1 and re.match(r"\+(CIPOPEN|SERVERSTART): ", out[0]):
        out.sort()
    return out
