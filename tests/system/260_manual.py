#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""260: modemd holds the dialogues of the manuals (tests/logs/simcom/manual):
a client does what makes modemd say them, and gets what they say."""

import glob
import os

import harness
import manual_words as words
from dialogue import Dialogue, read_errata
from harness import check, same
from manual_lease import LeasePlay
from manual_links import LinkPlay

LOGS = os.path.join(harness.HERE, "..", "logs")
ERRATA = read_errata(os.path.join(LOGS, "ERRATA"))

# What settings make of the same dialogue.
PUSH = {"modem__receive": "push"}
PULL = {"modem__receive": "pull"}
HEX = dict(PULL, modem__pull_form="hex")
HELD_BACK = {"modem__receive": "auto"}
CTRL_Z = {"modem__send_coding": "ctrlz"}

COVERED = {}    # dialogue: (forms that are printed, those that were heard)


def read(name):
    with open("%s/simcom/manual/%s.dlg" % (LOGS, name),
              encoding="ascii") as f:
        return Dialogue(name, f.read())


def dialogue(*runs, differs=None, never=(), before=None, **changes):
    """A scenario: the dialogue is held once with each of the @runs.

    @differs: printed lines, and what modemd's own settings make of them;
    @never: printed forms that modemd never sends; @before: a method of the
    play; @changes: settings of all.
    """
    def scenario(bench, name, run, as_printed):
        what = read(name)
        steps = words.exchanges(what, ERRATA, as_printed)
        options = " ".join(what.head["options"]).split()
        for quirk in what.quirks(ERRATA) if as_printed else ():
            options += ["--quirk", quirk]
        bench.start_sim("--baud", 0, "--free-ports", *options)
        play = LinkPlay(bench, what, steps, dict(changes, **run),
                        differs or {})
        play.before = before and getattr(play, before)
        play.walk()
        if not as_printed:
            printed, held = COVERED.setdefault(name, (set(), set()))
            printed |= play.printed
            held |= play.held
    scenario.runs, scenario.never = runs or ({},), set(never)
    return scenario


REGISTERED = {"+CREG: 0,1": "+CREG: 1,1",       # we want to be told
              "+CGREG: 0,1": "+CGREG: 1,1"}

TABLE = {
    "000-L1012-ciptimeout": dialogue(
        links__open_timeout="20s", links__send_timeout="40s",
        differs={"+CIPTIMEOUT: 30000,20000,40000":      # one for both
                 "+CIPTIMEOUT: 20000,20000,40000"}),
    "000-L1101-netopen": dialogue(),
    "000-L1102-netclose": dialogue(),
    "000-L1103-cipopen": dialogue(),
    "000-L1104-cipclose": dialogue(),
    "000-L1105-cipsend": dialogue({}, CTRL_Z),
    "000-L1105-coded": dialogue(CTRL_Z),
    "000-L1106-ciprxget": dialogue(PULL, HEX),
    "000-L1107-ipaddr": dialogue(),
    "000-L1108-ciphead": dialogue(PUSH),
    "000-L1109-cipsrip": dialogue(PUSH),
    "000-L1110-cipmode": dialogue(before="change_mode"),
    "000-L1110-read-form": dialogue(),
    "000-L1111-cipsendmode": dialogue(),
    "000-L1111-title": dialogue(),
    "000-L1113-cipccfg": dialogue(),
    "000-L1114-serverstart": dialogue(),
    "000-L1115-serverstop": dialogue(),
    "000-L1116-cipack": dialogue(PULL),
    "000-L1131-cdnsgip": dialogue(),
    "000-L1132-cdnsghname": dialogue(),
    "000-L1132-no-name": dialogue(),
    "000-L1133-cipdnsset": dialogue(),
    "000-L1134-cping": dialogue(),
    "000-L1134-test-form": dialogue(),
    "000-L1135-cpingstop": dialogue(),
    "001-1.2-push-spelling": dialogue(PUSH),
    "001-2.1-cases": dialogue(),
    "001-2.10-blanks": dialogue(),
    "001-2.12-timeouts": dialogue(
        links__open_timeout="120s", links__send_timeout="120s",
        differs={"+CIPTIMEOUT: 3000,120000,4000":       # put right again
                 "+CIPTIMEOUT: 120000,120000,120000"}),
    "001-2.13-header-type": dialogue(PUSH),
    "001-2.14-cases": dialogue(),
    "001-2.15-cases": dialogue(),
    "001-2.16-cases": dialogue(),
    "001-2.17-no-name": dialogue(),
    "001-2.17-resolve": dialogue(),
    "001-2.2-cases": dialogue(),
    "001-2.3-cases": dialogue(),
    "001-2.3-invalid-link": dialogue(),
    "001-2.3-udp-form": dialogue(),
    "001-2.4-cases": dialogue(),
    "001-2.4-longest": dialogue({}, CTRL_Z),
    "001-2.4-test-form": dialogue(),
    "001-2.5-cases": dialogue(
        PULL, HEX, differs={"+CIPRXGET: 0": "+CIPRXGET: 1"}),
    "001-2.5-mode-0-again": dialogue(HELD_BACK),
    "001-2.6-cases": dialogue(),
    "001-2.6-forms": dialogue(),
    "001-2.8-header": dialogue(
        PUSH, differs={"+CIPSRIP: 0": "+CIPSRIP: 1"}),  # put right again
    "001-3-error-mode": dialogue(),
    "001-3-numbers": dialogue(),
    "001-4-busy": dialogue(),
    "001-4-two-tables": dialogue(),
    "001-5-local-close": dialogue(),
    "001-5-peer-closes": dialogue({}, PUSH),
    "001-6.1.1-environment": dialogue(differs=REGISTERED),
    "001-6.1.2-context": dialogue(),
    "001-6.1.3-activate": dialogue(),
    "001-6.1.4-deactivate": dialogue(),
    "001-6.2.1-tcp-push": dialogue(PUSH, dict(PUSH, **CTRL_Z)),
    "001-6.2.2-tcp-buffer": dialogue(PULL, HEX),
    "001-6.3.1-udp-push": dialogue(PUSH, dict(PUSH, **CTRL_Z)),
    "001-6.3.2-udp-buffer": dialogue(PULL, HEX, dict(PULL, **CTRL_Z)),
    "001-6.3.2.4-udp-close": dialogue(),
    "001-6.4.2-servers": dialogue(),
    "001-6.6-status": dialogue(),
    "003-3.1.1-environment": dialogue(differs=REGISTERED),
    "003-3.1.2-context": dialogue(),
    "003-3.1.3-activate": dialogue(),
    "003-3.1.4-deactivate": dialogue(),
    "003-3.2.1-tcp-push": dialogue(PUSH),
    "003-3.2.2-tcp-buffer": dialogue(PULL, HEX),
    "003-3.3.1-udp-push": dialogue(PUSH, dict(PUSH, **CTRL_Z)),
    "003-3.3.2-udp-buffer": dialogue(PULL, HEX, dict(PULL, **CTRL_Z)),
    "003-3.3.2-udp-close": dialogue(),
    "003-3.4.2-servers": dialogue(),
    "003-3.4.3-status": dialogue(),
}

# Only transparent mode holds these: a lease. With the printed forms that modemd
# does without: of a server its SERVERSTOP ends the link, too.
TRANSPARENT = {
    "001-1.2-escape-apart": (),
    "001-1.2-transparent-others": ("CIPOPEN=#,$,$,#",),
    "001-2.2-transparent": (),
    "001-2.3-connect-fail": (),
    "001-2.6-transparent-udp": (),
    "001-5-peer-closes-data-mode": (),
    "001-6.2.3-tcp-transparent": (),
    "001-6.3.3-udp-transparent": (),
    "001-6.4.1-server-transparent": ("CIPCLOSE=#",),
    "003-3.2.3-tcp-transparent": (),
    "003-3.3.3-udp-transparent": (),
    "003-3.4.1-server-transparent": ("CIPCLOSE=#",),
}


def leased(bench, name, as_printed):
    what = read(name)
    options = " ".join(what.head["options"]).split()
    for quirk in what.quirks(ERRATA) if as_printed else ():
        options += ["--quirk", quirk]
    bench.start_sim("--baud", 0, "--free-ports", *options)
    LeasePlay(bench, what, what.form(ERRATA, as_printed),
              TRANSPARENT[name]).walk()


def every_dialogue_is_here(_):
    files = {os.path.basename(name)[:-4] for name in
             glob.glob(LOGS + "/simcom/manual/*.dlg")}
    check(len(files) > 0, "no dialogues")
    here = set(TABLE) | set(TRANSPARENT)
    same((sorted(files - here), sorted(here - files)), ([], []),
         "dialogues that are not in the table, and no dialogues")
    check(not set(TABLE) & set(TRANSPARENT), "in both")


def every_printed_form_was_sent(_):
    """In one of its runs at least."""
    for name, scenario in TABLE.items():
        printed, held = COVERED[name]
        same(sorted(printed - held), sorted(scenario.never),
             name + ": printed forms that modemd did not send")


def tests():
    yield every_dialogue_is_here
    for name, scenario in TABLE.items():
        quirks = read(name).quirks(ERRATA)
        for number, run in enumerate(scenario.runs):
            for as_printed in (False, True) if quirks else (False,):
                def test(bench, args=(scenario, name, run, as_printed)):
                    args[0](bench, *args[1:])
                test.__name__ = "%s%s%s" % (
                    name, ".%d" % number if number else "",
                    "-as-printed" if as_printed else "")
                yield test
    for name in TRANSPARENT:
        for as_printed in (False, True) if read(name).quirks(ERRATA) \
                else (False,):
            def test(bench, args=(name, as_printed)):
                leased(bench, *args)
            test.__name__ = name + ("-as-printed" if as_printed else "")
            yield test
    yield every_printed_form_was_sent


harness.run(*tests())
