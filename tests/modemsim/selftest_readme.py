# SPDX-License-Identifier: MIT
"""README.md's table of quirks: complete, and every switch in it exists."""

import os
import re
import subprocess

import simtest
from simtest import *

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "README.md")


def run(option):
    return subprocess.run([simtest.BIN, option], stdout=subprocess.PIPE,
                          text=True, check=True).stdout


def table():
    """{1: ["blank-double", ...], ...}: what stands in backticks."""
    rows = {}
    with open(README) as text:
        for row in re.findall(r"^\| Q(\d+) \| (.*) \|$", text.read(), re.M):
            assert int(row[0]) not in rows, "Q%s twice" % row[0]
            rows[int(row[0])] = row[1]
    return rows


def names(text):
    return [word.replace("\\", "").split("|")[0].split()[0]
            for word in re.findall(r"`([^`]+)`", text)]


@test
def table_of_quirks():
    quirks = {line.split()[0]: line for line in
              run("--list-quirks").splitlines()}
    options = set(re.findall(r"^  (--[a-z-]+)", run("--help"), re.M))
    with Sim() as s:
        controls = {part.split()[0] for part in
                    s.ctl("help")[3:].split(" | ") if part.strip()}
        counted = set(s.stats()["violations"])
    rows = table()
    assert sorted(rows) == list(range(1, 131)), sorted(
        set(range(1, 131)) ^ set(rows))
    for q, text in rows.items():
        said = names(text)
        for name in said:
            assert name in quirks or name in options or name in controls \
                or name in counted, "Q%d: there is no %s" % (q, name)
        assert said or "always" in text or "not on a pty" in text, q
    for name, text in quirks.items():
        for q in re.findall(r"\bQ(\d+)\b", text[:36]):
            assert name in names(rows[int(q)]), \
                "%s is not in the row of Q%s" % (name, q)


@test
def table_of_errata():
    """What plays the other side is a quirk, or there is a dash."""
    quirks = {line.split()[0] for line in run("--list-quirks").splitlines()}
    errata = os.path.join(os.path.dirname(README), "../logs/ERRATA")
    with open(errata, encoding="utf-8") as text:
        rows = [line.rstrip().rstrip("|").split(" | ")[-1].strip()
                for line in text if line.startswith("| E")]
    named = [name for row in rows if row != "-" for name in row.split(", ")]
    assert len(named) > 20 and quirks.issuperset(named), \
        set(named) - quirks


@test
def documented_controls():
    """Every control command and violation is in the README."""
    with open(README) as text:
        readme = text.read()
    with Sim() as s:
        for part in s.ctl("help")[3:].split(" | "):
            name = part.split()[0]
            assert re.search(r"`%s[ `]" % re.escape(name), readme), name
        stats = s.stats()
        for name in list(stats["violations"]) + list(stats["notes"]):
            assert name == "total" or "`%s`" % name in readme, name


@test
def every_quirk_is_somewhere():
    """In a self test of this folder: as on, or once, or by option."""
    here = os.path.dirname(README)
    text = ""
    for name in sorted(os.listdir(here)):
        if name.startswith("selftest") and name != "selftest_readme.py":
            with open(os.path.join(here, name)) as page:
                text += page.read()
    missing = [line.split()[0] for line in run("--list-quirks").splitlines()
               if '"%s' % line.split()[0] not in text]
    assert not missing, missing
