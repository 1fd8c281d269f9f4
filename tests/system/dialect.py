# SPDX-License-Identifier: MIT

"""dialect - what the system tests must know of a modem's dialect.

The tests are written once and run on every dialect. Whatever differs from one
to another is in the object DIALECT, as values: numbers, words, quirks, and
what a modem of this kind can do. A test about something that not every modem
can says so, and is not run elsewhere:

    @needs("confirmed")
    def confirmed_bytes_everywhere(bench):

Environment: MODEMD_TEST_DIALECT (simcom), MODEMD_TEST_FAMILY (of answers,
where the dialect has several; its own by default).

Called by: harness.py, the tests.   Calls: dialect_*.py.
"""

import os

from dialect_simcom import Simcom
from dialect_w800 import W800

#: What a test may need, and how the list of tests that do not apply calls it.
#: A dialect can it when its .can has the word.
ABILITIES = {
    "sim": "a SIM and a cellular network",
    "wifi": "an access point",
    "contexts": "contexts of a packet network",
    "reverse": "names of addresses",
    "confirmed": "bytes confirmed by the peer's TCP",
    "wait-ack": "sending that waits for the peer's TCP",
    "open-beside": "opening while other links move data",
    "many-listeners": "more than one listener",
    "whole-datagrams": "reading that keeps datagrams apart",
    "named-options": "options of all sockets by number",
    "lease": "a transparent session",
    "forms": "several forms of reading and sending",
    "unnamed-push": "firmware that pushes without naming the link",
    "close-lost": "firmware that does not tell of a close",
    "send-max": "firmware that sends less than its manual says",
    "sends-refused": "firmware that cannot send on accepted links",
    "accept-collides": "firmware that accepts on a link being opened",
    "ping-many": "a ping that goes on by itself",
    "data-notes": "notes of what payload looks like",
}


def choose():
    name = os.environ.get("MODEMD_TEST_DIALECT") or "simcom"
    family = os.environ.get("MODEMD_TEST_FAMILY", "")
    for kind in (Simcom, W800):
        if kind.name == name:
            return kind(family)
    raise SystemExit("MODEMD_TEST_DIALECT is %r; simcom or w800" % name)


DIALECT = choose()
if DIALECT.can - set(ABILITIES):
    raise SystemExit("no such abilities: %s" % (DIALECT.can - set(ABILITIES)))


def needs(*abilities):
    """Marks a test that says something only where the modem can all that."""
    for ability in abilities:
        if ability not in ABILITIES:
            raise SystemExit("no such ability: " + ability)

    def mark(function):
        missing = [a for a in abilities if a not in DIALECT.can]
        if missing:
            function.not_applicable = ", ".join(ABILITIES[a] for a in missing)
        return function
    return mark
