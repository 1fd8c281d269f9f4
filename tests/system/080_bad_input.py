#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""080: whatever is wrong with the device, the SIM or the network is a state.

Each is told by `modemctl status` with the reason and the next try; none ends
the daemon, and when the fault goes away, so does the state.
"""

import fcntl
import os
import termios

import harness
from harness import check, needs, same, wait_for


def must_tell(bench, *words, tries_again=True):
    """The daemon lives, and status says why and when it tries again."""
    daemon = bench.daemon
    check(daemon.is_running(), "the daemon has ended")
    status = bench.json("status")
    told = status["modem"]["reason"] + " " + status["network_reason"]
    for word in words:
        check(word in told, "the reason does not say %r" % word, told)
    # people read the first paragraph
    table = bench.modemctl("status").split("\n\n")[0]
    check("All is well" not in table, "the table says that all is well")
    for word in words:
        check(word in " ".join(table.split()), "the table does not say %r" %
              word, table)
    if tries_again:
        def has_next():
            s = bench.json("status")
            return s["modem"]["next_try_ms"] is not None or \
                s["network_next_try_ms"] is not None
        wait_for(has_next, "status tells the next try")
    return status


def missing_device(bench):
    daemon = bench.start_daemon(wait=None)
    daemon.wait_modem("no-device")
    must_tell(bench, "no-such-tty", "No such file")


def device_that_is_no_tty(bench):
    path = bench.path("file")
    with open(path, "w", encoding="utf-8"):
        pass
    daemon = bench.start_daemon(wait=None, modem__device=path)
    daemon.wait_modem("no-device", reason="not a tty")
    must_tell(bench, path)


def character_device_that_is_no_tty(bench):
    daemon = bench.start_daemon(wait=None, modem__device="/dev/null")
    daemon.wait_modem("no-device", reason="not a tty")
    must_tell(bench, "/dev/null")


def device_without_permission(bench):
    harness.need_users()
    sim = bench.start_sim("--mode", "600")
    daemon = bench.start_daemon(wait=None)
    daemon.wait_modem("no-device", reason="no permission")
    must_tell(bench, "mode 0600")
    os.chmod(os.path.realpath(sim.tty), 0o660)
    daemon.wait_network()


def busy_device(bench):
    sim = bench.start_sim()
    fd = os.open(sim.tty, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    fcntl.flock(fd, fcntl.LOCK_EX)
    daemon = bench.start_daemon(wait=None)
    daemon.wait_modem("port-busy")
    must_tell(bench, "held by")
    os.close(fd)
    daemon.wait_network()


def busy_device_with_an_exclusive_holder(bench):
    harness.need_users()        # root is let in in spite of TIOCEXCL
    sim = bench.start_sim()
    fd = os.open(sim.tty, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    fcntl.ioctl(fd, termios.TIOCEXCL)
    daemon = bench.start_daemon(wait=None)
    daemon.wait_modem("port-busy")
    must_tell(bench, "held by")
    fcntl.ioctl(fd, termios.TIOCNXCL)
    os.close(fd)
    daemon.wait_network()


def wrong_baud_is_found(bench):
    bench.start_sim("--modem-baud", 9600)
    daemon = bench.start_daemon(wait=None)
    status = daemon.wait_network()
    same(status["line"]["baud"], 9600, "the baud")
    daemon.terminate()
    # and the next start begins with what was found
    bench.restart_daemon()


def baud_of_no_list(bench):
    bench.start_sim("--modem-baud", 57600)
    daemon = bench.start_daemon(wait=None)
    daemon.wait_modem("silent", timeout=30)
    must_tell(bench, "no answer at 921600")
    bench.violations_expected = True    # what garbled bytes look like


def hung_modem_from_the_start(bench):
    bench.start_sim().ctl("hang")
    daemon = bench.start_daemon(wait=None)
    daemon.wait_modem("silent", timeout=30)
    must_tell(bench, "powered")
    bench.sim.ctl("unhang")
    daemon.wait_network(timeout=40)
    bench.violations_expected = True    # AT again without an answer


@needs("sim")
def sim_wants_a_pin(bench):
    bench.start_sim("--pin", 7391)
    daemon = bench.start_daemon(wait=None)
    daemon.wait_modem("sim", reason="pin-file")
    must_tell(bench, "PIN")
    same(bench.json("status")["modem"]["sim"], "pin", "the SIM's state")


@needs("sim")
def right_pin_opens_the_sim(bench):
    bench.start_sim("--pin", 7391)
    bench.start_daemon(modem__pin_file=bench.secret("pin", "7391"))
    log = open(bench.daemon.err_path, encoding="utf-8").read()
    check("7391" not in log.replace(bench.dir, ""), "the PIN is in the log")
    check("7391" not in bench.modemctl("trace"), "the PIN is in the trace")


@needs("sim")
def wrong_pin_is_tried_once_ever(bench):
    sim = bench.start_sim("--pin", 7391)
    daemon = bench.start_daemon(wait=None, modem__pin_file=bench.secret(
        "pin", "9999"))
    for _ in range(4):          # the first start and three more
        daemon.wait_modem("sim", reason="not tried again")
        must_tell(bench, "correct pin-file")
        same(daemon.terminate(), 0, "the exit code")
        daemon = bench.restart_daemon(wait=None)
    daemon.wait_modem("sim", reason="not tried again")
    tried = [c for c in sim.commands() if c.startswith("AT+CPIN=")]
    same(len(tried), 1, "times that a PIN was tried")


@needs("sim")
def no_sim(bench):
    bench.start_sim("--sim", "none")
    daemon = bench.start_daemon(wait=None)
    daemon.wait_modem("sim", reason="no SIM")
    must_tell(bench)
    bench.sim.ctl("sim ready")
    daemon.wait_network()


@needs("sim")
def registration_denied(bench):
    bench.start_sim("--registration", "denied")
    daemon = bench.start_daemon(wait=None)
    daemon.wait_modem("registering", reason="refused the registration")
    must_tell(bench)
    bench.sim.ctl("registration home")
    daemon.wait_network()


@needs("sim")
def registration_takes_long(bench):
    bench.start_sim("--registration", "searching")
    daemon = bench.start_daemon(wait=None)
    daemon.wait_modem("registering", reason="search")
    must_tell(bench)
    bench.sim.ctl("registration home")
    daemon.wait_network()


@needs("sim")
def roaming_is_not_allowed(bench):
    bench.start_sim("--registration", "roaming")
    daemon = bench.start_daemon(wait=None, modem__allow_roaming=False)
    daemon.wait_modem("registering", reason="roaming")
    must_tell(bench, "allow-roaming")
    bench.sim.ctl("registration home")
    daemon.wait_network()


@needs("contexts")
def apn_is_refused(bench):
    bench.start_sim("--apn", "right.example")
    daemon = bench.start_daemon(wait=None, modem__apn="wrong.example")

    def is_told():
        n = daemon.status()["network"]
        return n["state"] != "open" and "apn" in n.get("reason", "").lower()
    wait_for(is_told, lambda: "the APN is named; the network is %s" %
             daemon.status()["network"])
    must_tell(bench)


harness.run(missing_device, device_that_is_no_tty,
            character_device_that_is_no_tty, device_without_permission,
            busy_device, busy_device_with_an_exclusive_holder,
            wrong_baud_is_found, baud_of_no_list, hung_modem_from_the_start,
            sim_wants_a_pin, right_pin_opens_the_sim,
            wrong_pin_is_tried_once_ever, no_sim, registration_denied,
            registration_takes_long, roaming_is_not_allowed, apn_is_refused)
