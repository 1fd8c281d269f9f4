# SPDX-License-Identifier: MIT

"""dialect_simcom - the first dialect of the system tests: SIMCom A7600.

What the names mean is said where they are used; dialect.py says the rest.

Called by: dialect.py.
"""



class Simcom:
    name = "simcom"
    can = frozenset((
        "sim", "contexts", "reverse", "confirmed", "wait-ack", "open-beside",
        "many-listeners", "whole-datagrams", "named-options", "lease",
        "forms", "unnamed-push", "close-lost", "send-max", "sends-refused",
        "accept-collides", "ping-many", "data-notes"))

    slots, listeners = 10, 4
    max_send, max_datagram = 1500, 1500
    eol, prompt = b"\r", b">"
    coded_send = r"AT\+CIPSEND=\d"          # ended by a sign
    maker = "SIMCOM"            # as status tells it
    #: of `modemctl why`
    steps = ["device", "line", "modem", "sim", "registration", "context",
             "network", "service"]

    # -- words of the simulator's log

    #: commands by what they do, as they begin
    commands = {"open": "AT+CIPOPEN=", "send": "AT+CIPSEND=",
                "resolve": "AT+CDNS", "signal": "AT+CSQ",
                "unlisten": "SERVERSTOP=", "push": "AT+CIPRXGET=0",
                "pull": "AT+CIPRXGET=2"}
    network_when_down = "closed"
    bring_up = "NETOPEN"        # said in every bring-up

    # -- raw commands

    raw_question = ("AT+CREG?", "+CREG: 1,1")
    raw_slow = ("AT+CSQ", "CSQ=300")    # and how it gets so slow
    unknown_command = "ERROR"
    forbidden = (
        ("AT+CIPMODE", "tell payload from answers"),
        ("AT+CIPHEAD", "tell payload from answers"),
        ("AT+CIPSRIP=0", "tell payload from answers"),
        ("AT+CIPCCFG", "modemctl config"),
        ("AT+NETCLOSE", "modemctl network"),
        ("AT+CSQ;+CFUN=0", "modemctl reset"))
    #: behind the daemon's back: a link, a payload that does not come, the
    #: end of the network
    forced = {"open": 'AT+CIPOPEN=0,"TCP","127.0.0.1",%d',
              "send": "AT+CIPSEND=9,5", "close": "AT+NETCLOSE"}

    # -- quirks of the simulator

    #: by what they do
    quirks = {"reboot-on-send": "reboot-on-cipsend",
              "reboot-on-open": "reboot-on-cipopen"}
    listener_quirks = (["client-quoted"], ["client-no-index"],
                       ["serverstop-early"], ["client-lost"])
    push_quirks = ("recv-from-plus", "recv-from-blank", "receive-colon",
                   "push-waits", "blank-none", "blank-double", "crcrlf",
                   "udp-ok-first")
    # These make a fault by themselves: the transfer under them may be refused
    # or lost, so often; what is told about it must be true.
    quirk_faults = {
        "cipopen-silent": 1, "cipopen-then-loss": 1, "cipopen-late": 1,
        "reboot-on-cipopen": 1, "reboot-on-cipsend": 1,
        "reboot-on-netopen": 1, "prompt-dead-link": 1, "send-short": 1,
        "send-zero": 1, "send-minus-one": 1, "send-never": 1, "send-late": 1,
        "netopen-silent": 1, "netopen-fails": 1, "netopen-error": 1,
        "cipclose-silent": 1, "rxget-error": 1,
        "ipclose-lost": 1, "command-silent": 1, "prompt-lost": 1,
        "echo-returns": 2, "cipclose-list-cut": 1, "cme-swapped": 1,
        "cipopen-fails": 1, "cipopen-255": 1, "send-busy": 1,
        # the counted payload is not what follows its header: told, not
        # guessed
        "rxget-urc-split": 1, "payload-byte-lost": 1, "final-lost": 1,
    }
    # Nothing works under the first: it must be told as a state. Under the
    # second the network seems to be open: each open must be told to have
    # failed.
    quirk_hopeless = {"no-tcp"}
    quirk_refused = {"netopen-no-bearer"}
    # Mended after five failures, by a look at the contexts.
    quirk_ladder = {"extra-contexts"}
    # Where resynchronising must talk before it knows what the modem waits
    # for.
    quirk_resync = {
        "command-silent", "prompt-lost", "netopen-silent", "cipopen-silent",
        "send-never", "cipclose-silent", "cipclose-list-cut", "rxget-error",
        "prompt-dead-link", "reboot-on-netopen", "reboot-on-cipopen",
        "reboot-on-cipsend", "echo-returns", "urc-after-prompt", "final-lost"}
    # The network goes with it; its table of links does not tell the truth.
    quirk_losses = {"cipopen-then-loss"}
    quirk_lies = {"cipclose-lies"}

    def __init__(self, family=""):
        if family:
            raise SystemExit("simcom has no families of answers")

    def sim_options(self):
        return []

    def settings(self, _bench):
        return {}

    def send_command(self, slot, size):
        """What a daemon says before it writes a payload."""
        return b"AT+CIPSEND=%d,%d\r" % (slot, size)
