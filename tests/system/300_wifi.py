#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""300: a Wi-Fi module that does one command at a time, in the three families
of answers that are known: it is found out, brought up, moves bytes both ways,
loses its access point and its memory, and is told from what cannot be spoken
to."""

import os
import random

import harness
from harness import check, same, wait_for
from protocol import ENUMS

SSID = "house, \\5"             # what is to be escaped
PASSWORD = "xy,\"z\\zy17"
FAMILIES = ("esp", "w800", "tight")
STEPS = ["device", "line", "modem", "wifi", "network", "service"]


def sim_options(family, *more):
    return ("--dialect", "w800", "--family", family, "--ssid", SSID,
            "--wifi-password", PASSWORD) + more


def secret(bench, text=PASSWORD):
    path = bench.path("wifi-password")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text + "\n")
    os.chmod(path, 0o640)
    if harness.DAEMON.is_real:
        os.chown(path, 0, harness.DAEMON.gid)
    return path


def start(bench, family, *more, wait="open", **changes):
    changes.setdefault("modem__wifi_ssid", SSID.replace("\\", "\\\\"))
    if "modem__wifi_password_file" not in changes:
        changes["modem__wifi_password_file"] = secret(bench)
    bench.start_sim(*sim_options(family, *more))
    return bench.start_daemon(wait=wait, **changes)


def each(families, function):
    """One test for each: what fails says where."""
    out = []
    for family in families:
        def one(bench, family=family):
            function(bench, family)
        one.__name__ = "%s_%s" % (function.__name__, family)
        out.append(one)
    return out


# ----------------------------------------------------------------- bring-up

def comes_up(bench, family):
    start(bench, family, "--register-time", 300)
    status = bench.json("status")
    same(status["modem"]["state"], "ready", "the modem")
    same(status["modem"]["dialect"], "w800", "the dialect")
    same(status["address"], "10.0.0.2", "the address")
    same(status["address6_link"], "fe80::2a6d:cdff:fe00:1", "link-local")
    same(status["mac"], "28:6d:cd:00:00:01", "MAC")
    same(status["ssid"], SSID, "the access point")
    same(status["links_total"], 5, "links")
    check("tcp" in status["capabilities"], "capabilities", status)
    why = bench.json("why")
    same([s["name"] for s in why["steps"]], STEPS, "the steps of why")
    same({s["state"] for s in why["steps"]}, {"ok"}, "their states")
    check("joined house" in why["steps"][3]["text"], "why names the access point", why)
    check("Wi-Fi     " + SSID in bench.modemctl("status"), "status does")


def nothing_tells_the_password(bench):
    """Its echo is on, as with a module of which nobody knows what it does."""
    start(bench, "esp", "--quirk", "echo-sticky")
    check(any("zy17" in c for c in bench.sim.commands()),
          "it was said to the module", bench.sim.commands())
    trace = bench.modemctl("trace", "--payload", user=harness.User(""))
    for where, text in (("trace", trace),
                        ("log", bench.daemon.stderr()),
                        ("status", bench.modemctl("status")),
                        ("events", str(bench.events()))):
        check("zy17" not in text, "the password is in the " + where, text)
    check("AT+CWJAP=<secret>" in trace, "the trace", trace)


def rate_is_raised(bench, family):
    start(bench, family, modem__baud=115200, modem__target_baud=460800)
    same(bench.json("status")["line"]["baud"], 460800, "the rate")
    check("AT+UART_CUR=460800,8,1,0,0" in bench.sim.commands(), "the command",
          bench.sim.commands())


def uses_what_the_module_has_joined(bench):
    """Without an SSID in the configuration."""
    bench.start_sim(*sim_options("w800", "--net-open-at-start"))
    bench.start_daemon()
    check(not any(c.startswith("AT+CWJAP=") for c in bench.sim.commands()),
          "it is told to join nothing", bench.sim.commands())


def got_ip_in_any_order(bench):
    for i, (family, quirk) in enumerate((
            ("esp", "got-ip-swapped"), ("w800", "got-ip-swapped"),
            ("w800", "got-ip-late"), ("esp", "got-ip-late"))):
        if i:
            same(bench.daemon.terminate(), 0, "modemd's exit code")
            bench.sim.kill()
        start(bench, family, "--quirk", quirk, "--late-time", 700)


def wrong_password_in_words(bench):
    start(bench, "esp", wait=None,
          modem__wifi_password_file=secret(bench, "not the one"))
    daemon = bench.daemon
    status = daemon.wait_modem("registering", reason="password")
    check("house" in status["modem"]["reason"], "names the access point",
          status["modem"]["reason"])
    same(status["network"]["state"], "closed", "the network")
    why = bench.json("why")
    same(why["trouble"], "wifi", "what why blames")
    wait_for(lambda: sum(c.startswith("AT+CWJAP=")
                         for c in bench.sim.commands()) > 1, "it tries again")


def unknown_access_point_in_words(bench):
    for family in ("esp", "w800"):
        start(bench, family, wait=None, modem__wifi_ssid="elsewhere")
        bench.daemon.wait_modem("registering", reason="elsewhere")
        bench.daemon.wait_modem("registering", reason="wifi-ssid")
        same(bench.daemon.terminate(), 0, "modemd's exit code")
        bench.sim.kill()
    bench.daemon = None


# -------------------------------------------------------------------- bytes

def echo_both_ways(bench, link, size, seed):
    data = random.Random(seed).randbytes(size)
    for at in range(0, size, 16000):
        piece = data[at:at + 16000]
        link.send(piece)
        same(link.read(len(piece)), piece, "the echo from byte %d on" % at)


def moves_bytes(bench, family):
    for receive in ("pull", "push"):
        daemon = start(bench, family, modem__receive=receive)
        server = bench.server(harness.echo)
        link = daemon.client().open("127.0.0.1", server.port)
        echo_both_ways(bench, link, 200000, 3)
        same(daemon.status()["modem"]["receive"], receive, "the mode")
        link.close()
        wait_for(lambda: not bench.sim.used_slots(), "the slot is free")
        rows = bench.settled_history()
        same((rows[0]["sent"], rows[0]["received"]), (200000, 200000),
             "bytes in the history")
        same(daemon.terminate(), 0, "modemd's exit code")
        same(bench.sim.violations(), {}, "violations")
        bench.sim.kill()
        os.unlink(daemon.database)
    bench.daemon = None


def any_byte_passes(bench, family):
    """What looks like lines of this dialect is payload all the same."""
    daemon = start(bench, family, "--baud", 0)
    link = daemon.client().open("127.0.0.1", bench.server(harness.echo).port)
    traps = b"".join((
        b"+++", b"\r\nOK\r\n", b"\r\nSEND OK\r\n", b"\r\nSEND FAIL\r\n", b">",
        b"\r\n> ", b"\r\nERROR\r\n", b"\r\nCMD FORMAT ERR\r\n",
        b"\r\nbusy p...\r\n", b"\r\n4,CLOSED\r\n", b"\r\n3,CONNECT\r\n",
        b"\r\n+IPD,4,2000:", b"\r\n+IPD,4,9\r\n", b"\r\n+CIPRECVDATA:9,",
        b"AT+CIPCLOSE=5\r\n", b"\r\nready\r\n", b"\r\nWIFI DISCONNECT\r\n",
        b"\x00" * 300, b"\xff" * 300, b"\x1b\x1a"))
    pairs = b"".join(bytes((a, b)) for a in range(256) for b in range(256))
    for data in (traps * 3, pairs):
        for at in range(0, len(data), 8000):
            link.send(data[at:at + 8000])
            same(link.read(len(data[at:at + 8000])), data[at:at + 8000],
                 "the echo")


def five_links_at_once(bench):
    daemon = start(bench, "esp", "--baud", 0)
    server = bench.server(harness.echo)
    client = daemon.client()
    links = [client.open("127.0.0.1", server.port) for _ in range(5)]
    answer = client.call("open", host="127.0.0.1", port=server.port,
                         check=False)
    check(answer["status"], "a sixth link is refused", answer)
    for i, link in enumerate(links):
        link.send(bytes([i]) * 20000)
    for i, link in enumerate(links):
        same(link.read(20000), bytes([i]) * 20000, "the echo of link %d" % i)
    for link in links:
        link.close()
    wait_for(lambda: not bench.sim.used_slots(), "all slots are free")


def peer_closes_behind_its_data(bench, family):
    daemon = start(bench, family, "--baud", 0)
    client = daemon.client()
    for size in (0, 1, 65536):
        data = random.Random(size).randbytes(size)

        def serve(connection, data=data):
            connection.send(data)
        link = client.open("127.0.0.1", bench.server(serve).port)
        client.wait(lambda: link.closed, 20, "the close")
        same(bytes(link.data), data, "what came before it")
        same(link.closed["counts"]["received"], size, "received")


def opens_fail_in_words(bench, family):
    daemon = start(bench, family, "--connect-timeout", 20000)
    client = daemon.client()
    listener = harness.Server(harness.silent)
    listener.close()
    for host, port, wanted in (
            ("127.0.0.1", listener.port, "REFUSED"),
            ("nowhere.example.org", 80, "NAME_NOT_FOUND")):
        link = client.open_start(host, port)
        client.wait(lambda: link.opened or link.closed, 10, "its result")
        event = link.opened or link.closed
        same(event["status"], ENUMS["Status"][wanted], "the status")
    same(bench.sim.used_slots(), [], "links in the modem")
    link = client.open("127.0.0.1", bench.server(harness.echo).port)
    link.send(b"still here")
    same(link.read(10), b"still here", "the echo")


# ------------------------------------------------------------------- losses

def two_links(bench, server):
    client = bench.daemon.client("both")
    links = (client.open("127.0.0.1", server.port),
             client.open("127.0.0.1", server.port, restore=True))
    for link in links:
        link.send(b"before")
        same(link.read(6), b"before", "the echo")
    return client, links


def are_told_and_restored(bench, client, links, reason, server):
    ended, restored = links
    client.wait(lambda: ended.closed and restored.lost, 10, "the news")
    for event in (ended.closed, restored.lost):
        same(event["reason"], reason, "the reason")
        same(event["counts"]["taken"], 6, "taken")
        same(event["counts"]["received"], 6, "received")
    bench.daemon.wait_network(timeout=30)
    client.wait(lambda: restored.restored, 30, "the restored link")
    for link in (restored, client.open("127.0.0.1", server.port)):
        link.send(b"after")
        same(link.read(5), b"after", "the echo after it")
    same(len(bench.sim.used_slots()), 2, "links in the modem")


def access_point_goes_and_comes_back(bench, family):
    start(bench, family)
    server = bench.server(harness.echo)
    client, links = two_links(bench, server)
    bench.sim.ctl("network-loss")
    client.wait(lambda: links[0].closed and links[1].lost, 10, "the news")
    check(bench.json("status")["network"] != "open", "status tells the loss")
    bench.sim.ctl("network-back")
    are_told_and_restored(bench, client, links, "network-lost", server)


def module_resets(bench, family):
    start(bench, family, "--boot-time", 300, "--quirk", "boot-noise=1")
    server = bench.server(harness.echo)
    client, links = two_links(bench, server)
    bench.sim.ctl("reboot")
    are_told_and_restored(bench, client, links, "modem-restarted", server)
    same(bench.daemon.status()["modem"]["restarts"], 1, "restarts in status")


def module_resets_in_the_middle(bench, family):
    """Of a transfer both ways: what it has taken has arrived. Where its
    banner ends in an answer, the audit finds out."""
    daemon = start(bench, family, "--boot-time", 200)
    server = bench.server(harness.echo)
    client = daemon.client()
    link = client.open("127.0.0.1", server.port)
    link.send(b"x" * 60000)
    wait_for(lambda: len(server.connection(0).received) > 12000, "it moves",
             every=0.001)
    bench.sim.ctl("reboot")
    client.wait(lambda: link.closed, 10, "the news")
    check(link.closed["reason"] in ("modem-restarted", "line-loss"),
          "the reason", link.closed)
    wait_for(lambda: daemon.status()["modem"]["restarts"] == 1,
             "the restart is seen", 20)
    taken = link.closed["counts"]["taken"]
    wait_for(lambda: len(server.connection(0).received) >= taken,
             "what was taken has arrived")
    arrived = len(server.connection(0).received)
    check(taken <= arrived <= taken + 5760,
          "taken %d, arrived %d" % (taken, arrived))
    daemon.wait_network()
    again = client.open("127.0.0.1", server.port)
    again.send(b"hello")
    same(again.read(5), b"hello", "the echo after it")


def an_admin_closes_opens_and_restarts(bench, family):
    daemon = start(bench, family, "--boot-time", 200)
    admin = harness.User("")
    server = bench.server(harness.echo)
    link = daemon.client().open("127.0.0.1", server.port, restore=True)
    bench.modemctl("network", "down", user=admin)
    daemon.wait_network("closed")
    wait_for(lambda: not bench.sim.used_slots(), "its links are closed")
    bench.modemctl("network", "up", user=admin)
    daemon.wait_network()
    link.client.wait(lambda: link.restored, 20, "the restored link")
    link.restored = None
    bench.modemctl("reset", user=admin)
    check("AT+RST" in bench.sim.commands(), "it was told to restart",
          bench.sim.commands())
    link.client.wait(lambda: link.restored, 20, "the restored link")
    link.send(b"after")
    same(link.read(5), b"after", "the echo after it")
    same(daemon.status()["modem"]["restarts"], 0, "restarts by itself")


def lost_bytes_end_one_link_only(bench, family):
    """A module that waits for payload which got lost is brought back by +++,
    and never fed; who had nothing to do with it stays."""
    daemon = start(bench, family, "--baud", 0)
    server = bench.server(harness.echo)
    client = daemon.client()
    ended = client.open("127.0.0.1", server.port)
    stays = client.open("127.0.0.1", server.port)
    bench.sim.ctl("quirk", "prompt-lost=1")
    ended.send(b"z" * 3000)
    client.wait(lambda: ended.closed, 20, "the end of the link")
    same(ended.closed["reason"], "send-timeout", "the reason")
    same(ended.closed["counts"]["taken"], 0, "taken")
    stays.send(b"still here")
    same(stays.read(10), b"still here", "the echo of the other")
    same(bytes(server.connection(0).received), b"", "what the peer got")


# ------------------------------------------------------------------ who it is

def older_set_is_refused_by_name(bench):
    start(bench, "old", wait=None)
    daemon = bench.daemon
    status = daemon.wait_modem("starting", reason="older WinnerMicro")
    same(status["modem"]["dialect"], "auto", "the dialect")
    same(status.get("capabilities", []), [], "capabilities")
    same(bench.json("why")["trouble"], "modem", "what why blames")
    same(bench.sim.violations(), {}, "violations")


def another_modem_after_a_replug(bench):
    """The device stays, the modem behind it is another one."""
    bench.start_sim()
    tty = bench.sim.tty
    daemon = bench.start_daemon(
        modem__wifi_ssid=SSID.replace("\\", "\\\\"),
        modem__wifi_password_file=secret(bench))
    same(daemon.status()["modem"]["dialect"], "simcom", "the first modem")
    client = daemon.client()
    server = bench.server(harness.echo)
    link = client.open("127.0.0.1", server.port, restore=True)
    same(bench.sim.violations(), {}, "violations of the first")
    bench.sim.ctl("quit")
    bench.sim.wait()
    daemon.wait_modem("no-device")
    bench.start_sim(*sim_options("esp"))
    same(bench.sim.tty, tty, "the device")
    status = daemon.wait_network()
    same(status["modem"]["dialect"], "w800", "the second modem")
    same(status["links_total"], 5, "links")
    client.wait(lambda: link.restored, 20, "the restored link")
    link.send(b"moved")
    same(link.read(5), b"moved", "the echo through the other one")


harness.run(*each(FAMILIES, comes_up), nothing_tells_the_password,
            *each(("esp", "w800"), rate_is_raised), uses_what_the_module_has_joined, got_ip_in_any_order,
            wrong_password_in_words, unknown_access_point_in_words,
            *each(FAMILIES, moves_bytes), *each(FAMILIES, any_byte_passes),
            five_links_at_once,
            *each(FAMILIES, peer_closes_behind_its_data),
            *each(FAMILIES, opens_fail_in_words),
            *each(FAMILIES, access_point_goes_and_comes_back),
            *each(FAMILIES, module_resets),
            *each(FAMILIES, module_resets_in_the_middle),
            *each(FAMILIES, an_admin_closes_opens_and_restarts),
            *each(("esp", "w800"), lost_bytes_end_one_link_only), older_set_is_refused_by_name,
            another_modem_after_a_replug)
