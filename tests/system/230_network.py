#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""230: network down and up by an admin, restart by command, the audit in both
directions, and what modemctl why says in each state that fails."""

import os
import tty

import harness
from harness import CLIENT_A, DIALECT, User, check, needs, same, wait_for

ADMIN = User("")
STEPS = DIALECT.steps


def why(bench):
    out = bench.json("why", user=ADMIN)
    same(sorted(out), ["instance", "modem", "network", "steps", "trouble",
                       "well"], "the keys of why")
    same([s["name"] for s in out["steps"]], STEPS, "the steps")
    for step in out["steps"]:
        same(sorted(step), ["name", "next", "next_try_ms", "since", "state",
                            "text"], "the keys of a step")
        check(step["state"] in ("ok", "failed", "waiting", "unknown"),
              "the state", step)
        # what failed says what, since when
        if step["state"] != "unknown":
            check(step["text"] and step["since"], "a step says nothing", step)
    out["step"] = {s["name"]: s for s in out["steps"]}
    return out


def told(bench, kind):
    """What the history says of modem or network."""
    wait_for(lambda: bench.daemon.status()["history"].get("queued", 0) == 0,
             "the history is written")
    return [e["text"] for e in bench.events() if e["kind"] == kind]


def wait_why(bench, name, state, text, will_try=None):
    """Until that step is so; all before it must hold."""
    last = {}

    def is_so():
        last.update(why(bench))
        step = last["step"][name]
        return step["state"] == state and text in step["text"] and (
            will_try is None or (step["next_try_ms"] is not None) == will_try)
    wait_for(is_so, lambda: "why: %s is %s: %s; it is %s" % (
        name, state, text, last.get("step")), 30)
    for before in STEPS[:STEPS.index(name)]:
        if before != "context" or name == "network":
            same(last["step"][before]["state"], "ok", before)
    same(last["trouble"], name, "the trouble")
    screen = bench.modemctl("why", user=ADMIN)
    check(name in screen.splitlines()[0], "the first line", screen)
    for line in screen.splitlines():
        check(len(line) <= 80, "a line is too wide", line)
    check(len(screen.splitlines()) < 30, "not one screen", screen)
    return last


# ------------------------------------------------------------ network down, up

def down_and_up_with_links_of_others(bench):
    daemon = bench.start("--baud", 0)
    server = bench.server(harness.echo)
    plain = daemon.client("plain").open("127.0.0.1", server.port)
    again = daemon.client("again").open("127.0.0.1", server.port,
                                        restore=True)
    for link in (plain, again):
        link.send(b"before")
        same(link.read(6), b"before", "the echo")
    bench.modemctl("network", "down", user=ADMIN)

    # the reply came when it was so, in the modem too
    same(bench.sim.stats()["network"]["state"], DIALECT.network_when_down,
         "the modem's network")
    same(bench.sim.used_slots(), [], "links in the modem")
    plain.client.wait(lambda: plain.closed, 5, "the close")
    same(plain.closed["reason"], "network-down", "the reason")
    same(plain.closed["counts"]["taken"], 6, "taken")
    again.client.wait(lambda: again.lost, 5, "the loss")
    same(again.lost["reason"], "network-down", "the reason")
    # politely: the far end saw an orderly end
    wait_for(lambda: server.connections[0].ended and
             server.connections[1].ended, "both have ended there")
    same([c.ended for c in server.connections[:2]], ["eof", "eof"],
         "how they ended")
    status = bench.json("status", user=ADMIN)
    same(status["network"], "closed", "status")
    reason = status["network_reason"]
    check(reason.startswith("closed by modemctl") and
          "modemctl network down" in reason, "the reason", reason)
    answer = daemon.client("late").call("open", check=False,
                                        host="127.0.0.1", port=server.port)
    same(answer["status"], 11, "an open meanwhile")
    check("closed by modemctl" in answer["message"], "names who", answer)
    wait_why(bench, "network", "waiting", "closed by modemctl", False)

    # it stays so, also when the modem restarts
    bench.sim.ctl("reboot")
    wait_for(lambda: bench.json("status", user=ADMIN)["modem"]["restarts"],
             "the restart")
    daemon.wait_modem("ready")
    same(daemon.status()["network"]["state"], "closed", "after a restart")
    bench.modemctl("network", "down", user=ADMIN)       # is so already

    waiting = daemon.client("waiting")
    patient = waiting.open_start("127.0.0.1", server.port, wait_ms=20000)
    out = bench.modemctl("--json", "network", "up", user=ADMIN)
    same(out.strip(), '{"network": "open"}', "the answer")
    patient.wait_open()
    again.client.wait(lambda: again.restored, 10, "the restored link")
    again.send(b"after")
    same(again.read(5), b"after", "the echo")
    check(why(bench)["well"], "all is well", why(bench))
    texts = told(bench, "network")
    check(any("closed by modemctl" in t for t in texts), "the history", texts)


def others_may_not(bench):
    harness.need_users()
    daemon = bench.start("--baud", 0)
    for args in (("network", "down"), ("network", "up"), ("reset",),
                 ("reset", "hard")):
        code, _, err = bench.run("modemctl", *args, user=CLIENT_A)
        same(code, 1, "the exit code of %s" % (args,))
        check("modem-admin" in err, "names the rule", err)
    same(daemon.status()["network"]["state"], "open", "the network")
    # anybody may ask why
    bench.modemctl("why", user=CLIENT_A)


def bad_words(bench):
    bench.start("--baud", 0)
    for args in (("network",), ("network", "sideways"), ("reset", "medium"),
                 ("network", "up", "now"), ("network", "-w", "0", "up"),
                 ("why", "not")):
        same(bench.run("modemctl", *args, user=ADMIN)[0], 2, "%s" % (args,))


def down_takes_long_and_is_cancelled(bench):
    daemon = bench.start("--baud", 0, "--close-time", 1500)
    client = daemon.client("admin")
    number = client.request("network", up=False)
    same(client.call("cancel", request_id=number).get("status", 0), 0,
         "the cancel")
    same(client.answer(number)["status"], 18, "what was cancelled")
    # decided is decided
    daemon.wait_network("closed")
    code, _, err = bench.run("modemctl", "network", "-w", "60", "up",
                             user=ADMIN)
    same(code, 0, err)
    same(daemon.status()["network"]["state"], "open", "the network")


# ------------------------------------------------------------------- restart

def reset_soft(bench):
    daemon = bench.start("--baud", 0, "--boot-time", 300)
    server = bench.server(harness.echo)
    plain = daemon.client("plain").open("127.0.0.1", server.port)
    again = daemon.client("again").open("127.0.0.1", server.port,
                                        restore=True)
    boots = bench.sim.stats()["boots"]
    bench.modemctl("reset", user=ADMIN)
    same(bench.sim.stats()["boots"], boots + 1, "the modem's starts")
    plain.client.wait(lambda: plain.closed, 5, "the close")
    same(plain.closed["reason"], "modem-restarted", "the reason")
    again.client.wait(lambda: again.restored, 20, "the restored link")
    daemon.wait_network()
    modem = bench.json("status", user=ADMIN)["modem"]
    same(modem["restarts"], 0, "restarts by itself")
    texts = told(bench, "modem")
    check(any("restarted by modemctl" in t for t in texts), "the history",
          texts)
    code, _, err = bench.run("modemctl", "reset", "hard", user=ADMIN)
    same(code, 1, "reset hard")
    check("reset-hook" in err, "names the setting", err)


# ------------------------------------------------------------------------ why

def why_no_device(bench):
    bench.start_daemon(wait=None)
    last = wait_why(bench, "device", "failed", "no-such-tty", True)
    same(last["modem"], "no-device", "the modem")
    same(last["step"]["line"]["state"], "unknown", "the line")


def why_silent(bench):
    bench.start_sim("--baud", 0)
    bench.sim.ctl("hang")
    bench.start_daemon(wait=None, recovery__max_silence=1)
    wait_why(bench, "line", "failed", "is it powered")
    bench.sim.ctl("unhang")
    bench.daemon.wait_network(timeout=40)
    bench.violations_expected = True    # it was asked while it slept


@needs("sim")
def why_sim_pin_is_wrong(bench):
    bench.start_sim("--baud", 0, "--pin", "4711")
    bench.start_daemon(wait=None, modem__pin_file=bench.secret("pin", "1234"))
    wait_why(bench, "sim", "failed", "correct pin-file")
    tries = [c for c in bench.sim.commands() if c.startswith("AT+CPIN=")]
    same(len(tries), 1, "PINs that were tried")


@needs("sim")
def why_searching(bench):
    bench.start_sim("--baud", 0, "--registration", "searching", "--csq", 3)
    bench.start_daemon(wait=None)
    wait_why(bench, "registration", "waiting", "searching", True)
    last = wait_why(bench, "registration", "waiting", "weak", True)
    check("NO SERVICE" in last["step"]["registration"]["text"],
          "what CPSI says", last["step"])
    bench.sim.ctl("registration", "denied")
    wait_why(bench, "registration", "failed", "refused")
    bench.sim.ctl("registration", "home")
    bench.daemon.wait_network()
    check(why(bench)["well"], "all is well")
    same(bench.modemctl("why", user=ADMIN).splitlines()[0],
         "All is well: the network is open.", "the first line")


@needs("sim")
def a_radio_that_is_off_is_switched_on(bench):
    """Somebody left it in flight mode."""
    bench.start_sim("--baud", 0)
    port = os.open(bench.sim.tty, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(port)
    os.write(port, b"AT+CFUN=4\r")
    answer = b""
    while b"OK" not in answer:
        answer += os.read(port, 100)
    os.close(port)
    bench.start_daemon()
    check("AT+CFUN=1" in bench.sim.commands(), "the radio was not asked for")
    check("radio on" in why(bench)["step"]["modem"]["text"], "why says so")


@needs("contexts")
def why_netopen_fails(bench):
    bench.start_sim("--baud", 0, "--quirk", "netopen-error")
    bench.start_daemon(wait=None, recovery__backoff="1s..1s")
    first = wait_why(bench, "network", "failed", "NETOPEN failed", True)
    check(first["step"]["network"]["next"], "what is tried next",
          first["step"])
    last = wait_why(bench, "network", "failed", "3 times in a row")
    for name in ("registration", "network"):
        same(last["step"][name]["since"], first["step"][name]["since"],
             "since when: " + name)
    bench.sim.ctl("quirk", "netopen-error", "off")
    bench.daemon.wait_network()
    check(why(bench)["well"], "all is well")


@needs("contexts")
def foreign_contexts_are_deleted(bench):
    bench.start_sim("--baud", 0, "--quirk", "extra-contexts")
    bench.start_daemon(wait=None, recovery__backoff="50ms..100ms")
    bench.daemon.wait_network(timeout=30)
    commands = bench.sim.commands()
    deleted = [c for c in commands if c in ("AT+CGDCONT=2", "AT+CGDCONT=3")]
    check(deleted, "nothing was deleted")
    check("AT+CFUN=1,1" not in commands, "the modem was restarted")
    texts = told(bench, "network")
    check(any("deleted the modem's own context" in t for t in texts),
          "the history", texts)


@needs("contexts")
def a_stuck_network_restarts_the_modem(bench):
    bench.start_sim("--baud", 0, "--quirk", "netopen-stuck")
    bench.start_daemon(wait=None, recovery__backoff="50ms..100ms")
    bench.daemon.wait_network(timeout=40)
    commands = bench.sim.commands()
    same(commands.count("AT+CFUN=1,1"), 1, "restarts")
    before = commands[:commands.index("AT+CFUN=1,1")]
    same(before.count("AT+NETOPEN"), 6, "NETOPENs before the restart")
    check("AT+CGDCONT?" in before, "the contexts were not looked at")
    texts = told(bench, "network") + told(bench, "modem")
    for wanted in ("looking at the contexts",
                   "restarted by modemd: NETOPEN failed 6 times"):
        check(any(wanted in t for t in texts), wanted, texts)
    same(bench.json("status", user=ADMIN)["modem"]["restarts"], 0,
         "restarts by itself")


# --------------------------------------------------------------------- audit

@needs("close-lost")
def what_the_modem_lost_is_told(bench):
    """No +IPCLOSE: the table tells, after a fault of the line."""
    daemon = bench.start("--baud", 0, "--quirk", "ipclose-lost",
                         links__open_timeout="3s")
    server = bench.server(harness.echo)
    client = daemon.client("test")
    gone = client.open("127.0.0.1", server.port)
    stays = client.open("127.0.0.1", server.port)
    server.connection(0).hang_up()
    wait_for(lambda: len(bench.sim.used_slots()) == 1, "the modem's end")
    same(gone.closed, None, "it is not told yet")
    bench.sim.ctl("quirk", "command-silent", 1)
    client.call("resolve", check=False, name=b"localhost", timeout=30)
    client.wait(lambda: gone.closed, 20, "the end")
    check(gone.closed["reason"] in ("vanished", "peer"), "the reason",
          gone.closed)
    stays.send(b"still here")
    same(stays.read(10), b"still here", "the other link")


if __name__ == "__main__":
    harness.run(down_and_up_with_links_of_others, others_may_not, bad_words,
                down_takes_long_and_is_cancelled, reset_soft, why_no_device,
                why_silent, why_sim_pin_is_wrong, why_searching,
                a_radio_that_is_off_is_switched_on,
                why_netopen_fails,
                foreign_contexts_are_deleted,
                a_stuck_network_restarts_the_modem,
                what_the_modem_lost_is_told)
