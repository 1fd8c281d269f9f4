# SPDX-License-Identifier: MIT
"""Dialogues of the manuals and the table of their errata, as data.

What a dialogue file (*.dlg) looks like is in README.md. This module reads and
checks; it plays nothing.

Called by: manual.py, manual_selftest.py, ../system/manual_words.py.
"""

import codecs
import re

NAMES = {"000": "SIMCom ref", "001": "A7600 manual", "003": "A7600 appnote",
         "004": "W800 manual"}
KEYS = ("manual", "title", "erratum", "options", "far", "map", "measured",
        "values", "violates", "family")
SPECIAL = {"<CTRL+Z>": "\x1a", "<Ctrl+Z>": "\x1a", "<ESC>": "\x1b"}
MARK = re.compile(r"(E\d\d)([-+]) (.*)$", re.S)
STEP = re.compile(r"(>>|>|<\||<|!)(?: (.*))?$", re.S)


class Wrong(Exception):
    """A file that does not say what it should, or a modem that does not."""


def unescape(text):
    """Escapes of C and of the manuals; <x*1500> is 1500 times an x."""
    text = re.sub(r"<(.)\*(\d+)>", lambda m: m[1] * int(m[2]), text)
    for word, byte in SPECIAL.items():
        text = text.replace(word, byte)
    return codecs.decode(text, "unicode_escape")


class Erratum:
    """One row of ERRATA."""

    def __init__(self, cells):
        (self.tag, self.where, self.printed, self.right, self.modemd,
         self.simulator, quirks) = cells
        self.quirks = [] if quirks == "-" else quirks.split()

    @property
    def refused(self):
        """The printed command is no command: the simulator says ERROR."""
        return self.simulator == "ERROR"


def read_errata(path):
    """Rows "| E01 | ... |" by their tag; other text is for people."""
    errata = {}
    for text in open(path, encoding="ascii"):
        if not re.match(r"\| E\d\d \|", text):
            continue
        cells = [c.strip() for c in text.strip().strip("|").split(" | ")]
        if len(cells) != 7 or not all(cells):
            raise Wrong("%s: %s has %d columns, or an empty one; 7 are wanted"
                        % (path, cells[0], len(cells)))
        if cells[0] in errata:
            raise Wrong("%s: %s comes twice" % (path, cells[0]))
        errata[cells[0]] = Erratum(cells)
    return errata


class Step:
    """One line of a dialogue. part: 0 before, 1 printed, 2 after."""

    def __init__(self, number, kind, text, tag, side, part):
        self.number, self.kind, self.text = number, kind, text
        self.tag, self.side, self.part = tag, side, part

    @property
    def is_printed(self):
        return self.part == 1 and self.kind != "!" and self.side != "+"


class Dialogue:
    def __init__(self, name, text):
        self.name = name
        self.head = {key: [] for key in KEYS}
        self.steps = []
        self._read(text)
        if len(self.head["manual"]) != 1 or self.manual not in NAMES:
            raise Wrong("%s: no line \"manual: 000|001|003|004 SECTION\"" % name)
        if not any(s.is_printed for s in self.steps):
            raise Wrong("%s: nothing of it is printed" % name)

    @property
    def manual(self):
        return self.head["manual"][0].split()[0]

    @property
    def section(self):
        return self.head["manual"][0].split()[1]

    @property
    def tags(self):
        return " ".join(self.head["erratum"]).split()

    def _read(self, text):
        part = -1
        for number, line in enumerate(text.split("\n"), 1):
            if not line.strip() or line.startswith("#"):
                continue
            if line == "---":
                part += 1
            elif part < 0:
                self._read_head(number, line)
            else:
                self._read_step(number, line, part)

    def _read_head(self, number, line):
        key, _, value = line.partition(": ")
        if key not in self.head:
            raise Wrong("%s:%d: \"%s\" is not one of %s"
                        % (self.name, number, key, ", ".join(KEYS)))
        self.head[key].append(value)

    def _read_step(self, number, line, part):
        mark = MARK.match(line)
        tag, side, rest = mark.groups() if mark else (None, "", line)
        step = STEP.match(rest)
        if not step or part > 2:
            raise Wrong("%s:%d: not a line of a dialogue: %s"
                        % (self.name, number, line))
        if side and part != 1:
            raise Wrong("%s:%d: %s is outside of what is printed"
                        % (self.name, number, tag))
        self.steps.append(Step(number, step[1], step[2] or "", tag, side,
                               part))

    def quirks(self, errata):
        """All that play printed forms of this dialogue."""
        return [q for tag in self.tags for q in errata[tag].quirks]

    def form(self, errata, as_printed):
        """The steps of one of its two forms. Of what no quirk plays, the
        right one is played always."""
        for step in self.steps:
            if not step.side:
                yield step
                continue
            printed = as_printed and errata[step.tag].quirks
            if (step.side == "-") == bool(printed):
                yield step
            elif step.side == "-" and step.kind == ">" and not as_printed \
                    and errata[step.tag].refused:
                yield Step(step.number, "refused", step.text, step.tag, "",
                           step.part)

    def check(self, errata):
        """No deviation without an erratum, no erratum without a row."""
        marks = {s.tag for s in self.steps if s.side}
        for tag in self.tags:
            if tag not in errata:
                raise Wrong("%s: erratum %s is not in ERRATA"
                            % (self.name, tag))
        for tag in sorted(marks - set(self.tags)):
            raise Wrong("%s: lines of %s, but no \"erratum: %s\""
                        % (self.name, tag, tag))
        for tag in self.tags:
            if errata[tag].quirks and tag not in marks:
                raise Wrong("%s: %s has a quirk, but no lines"
                            % (self.name, tag))


def check_all(dialogues, errata):
    for dialogue in dialogues:
        dialogue.check(errata)
    used = {tag for d in dialogues for tag in d.tags}
    unused = sorted(set(errata) - used)
    if unused:
        raise Wrong("ERRATA: no dialogue uses " + ", ".join(unused))


# ---------------------------------------- is it printed so? needs the texts


def _plain(text):
    for curly, straight in (("\u201c", '"'), ("\u201d", '"'),
                            ("\u2019", "'"), ("\u3000", " ")):
        text = text.replace(curly, straight)
    return re.sub(r"\s+", "", text)


def _head_pattern(dialogue):
    """Sections have numbers, those of 004 the names of commands."""
    if dialogue.manual == "004":
        return r"^AT\+%s:" % dialogue.section
    return r"^ ?L?%s(?![.\d])" % re.escape(dialogue.section.lstrip("L"))


def compare_with_text(dialogue, text):
    """Each printed line is found in the manual's text, in this order."""
    if dialogue.head["values"]:		# of a form that has no example
        return
    heads = list(re.finditer(_head_pattern(dialogue), text, re.M))
    if not heads:
        raise Wrong("%s: no section %s" % (dialogue.name, dialogue.section))
    text = text[heads[-1].start():]
    if dialogue.manual in ("000", "004"):
        text = text[text.index("\nExample"):]
    text = _plain(text)
    # 004 has all examples of a command far behind each other
    at, far = 0, 9000 if dialogue.manual == "004" else 1600
    for step in dialogue.steps:
        if not step.is_printed or not step.text:
            continue
        if "E51" in dialogue.tags and step.kind != ">" and not step.side:
            continue
        want = codecs.decode(step.text, "unicode_escape")
        want = _plain((">" if step.kind == ">>" else "") + want)
        if "E42" in dialogue.tags:
            want = re.sub(r"^(\+CIPOPEN:|\+NETOPEN:)\d$", r"\1", want)
        found = text.find(want, at)
        if found < 0 or found - at > far:
            raise Wrong("%s:%d: not printed here: %s"
                        % (dialogue.name, step.number, step.text))
        at = found + len(want)
