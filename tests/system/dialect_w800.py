# SPDX-License-Identifier: MIT

"""dialect_w800 - the second dialect of the system tests: WinnerMicro W800 and
its relatives, whose answers come in the families esp, w800 and tight.

What the names mean is said in dialect_simcom.py and where they are used.

Called by: dialect.py.
"""


class W800:
    name = "w800"
    can = frozenset(("wifi",))

    slots, listeners = 5, 1
    max_send, max_datagram = 5760, 1460
    eol = b"\r\n"
    coded_send = r"AT\+CIPSENDEX=\d,5760"   # ended by a sign
    maker = "W800"
    steps = ["device", "line", "modem", "wifi", "network", "service"]

    commands = {"open": "AT+CIPSTART=", "send": "AT+CIPSEND=",
                "resolve": "AT+CIPDOMAIN", "signal": "AT+CWJAP?",
                "unlisten": "CIPSERVER=0", "push": "AT+CIPRECVMODE=0",
                "pull": "AT+CIPRECVDATA="}
    network_when_down = "open"  # it stays joined to its access point
    bring_up = "CWJAP"

    raw_question = ("AT+CIPMUX?", "+CIPMUX:1")
    raw_slow = ("AT+CIPSTO?", "CIPSTO=300")
    forbidden = (
        ("AT+CIPMODE=1", "tell payload from answers"),
        ("AT+CIPMUX=0", "tell payload from answers"),
        ("AT+CIPDINFO=1", "tell payload from answers"),
        ("AT+CIPRECVMODE=0", "tell payload from answers"),
        ("AT+CWQAP", "modemctl network"),
        ("AT+RST", "modemctl reset"))
    forced = {"open": 'AT+CIPSTART=0,"TCP","127.0.0.1",%d',
              "send": "AT+CIPSEND=4,5", "close": "AT+CWQAP"}

    quirks = {"reboot-on-send": "reboot-on-cipsend",
              "reboot-on-open": "reboot-on-cipopen"}
    listener_quirks = ([],)
    push_quirks = ()
    quirk_faults = {
        "reboot-on-cipopen": 1, "reboot-on-cipsend": 1,
        "cipopen-then-loss": 1, "cipopen-late": 1,
        "send-short": 1, "send-zero": 1, "send-minus-one": 1,
        "send-late": 1, "send-ok-lost": 1, "send-fail-ok": 1,
        # always, it would never be clear whose the answers are
        "busy-first": 2,
        "command-silent": 1, "prompt-lost": 1, "echo-returns": 2,
        "busy-executes": 1, "ipclose-lost": 1,
        "payload-byte-lost": 1, "final-lost": 1,
    }
    quirk_hopeless = frozenset(("no-tcp",))
    quirk_refused = quirk_ladder = frozenset()
    quirk_resync = frozenset((
        "command-silent", "prompt-lost", "send-ok-lost",
        "reboot-on-cipopen", "reboot-on-cipsend", "echo-returns",
        "urc-after-prompt", "final-lost", "busy-first", "busy-executes"))
    quirk_losses = frozenset(("cipopen-then-loss",))
    quirk_lies = frozenset()
    #: of the access point; a comma is nothing special between quotes
    ssid, password = "a net, of many", "s e,cret"

    def __init__(self, family=""):
        self.family = family or "w800"

    @property
    def unknown_command(self):
        return "CMD FORMAT ERR" if self.family == "w800" else "ERROR"

    @property
    def prompt(self):
        return b"OK\r\n" if self.family == "w800" else b">"

    def sim_options(self):
        return ["--dialect", "w800", "--family", self.family,
                "--ssid", self.ssid, "--wifi-password", self.password]

    def settings(self, bench):
        return {"modem": {"dialect": "w800", "wifi-ssid": self.ssid,
                          "wifi-password-file": bench.secret(
                              "wifi-password", self.password)}}

    def send_command(self, slot, size):
        return b"AT+CIPSEND=%d,%d\r\n" % (slot, size)
