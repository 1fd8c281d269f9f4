#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""100: the modem hangs, reboots, talks nonsense, is unplugged - and comes
back. Catalogue B7, B8, B9, B11, B12, B15, B16.

Each time all clients are told once, with a reason, and a new link works after
the modem is back, without anybody's help.
"""

import os
import time

import harness
from harness import DIALECT, check, same, wait_for
from protocol import ENUMS


def two_links(bench, server):
    """One that ends with the fault and one that is restored after it."""
    client = bench.daemon.client("both")
    links = (client.open("127.0.0.1", server.port),
             client.open("127.0.0.1", server.port, restore=True))
    for link in links:
        link.send(b"before")
        same(link.read(6), b"before", "the echo")
    return client, links


def must_be_told(client, links, timeout=10, reasons=("modem-gone",)):
    ended, restored = links
    client.wait(lambda: ended.closed and restored.lost, timeout,
                "the news of both links")
    for link, event in ((ended, ended.closed), (restored, restored.lost)):
        check(event["reason"] in reasons, "the reason", event)
        same(event["counts"]["accepted"], 6, "accepted")
        same(event["counts"]["taken"], 6, "taken")
        same(event["counts"]["received"], 6, "received")
    same(ended.closed["status"], ENUMS["Status"]["MODEM_GONE"], "the status")


def must_work_again(bench, client, links, server, timeout=30):
    bench.daemon.wait_network(timeout=timeout)
    client.wait(lambda: links[1].restored, timeout, "the restored link")
    fresh = client.open("127.0.0.1", server.port)
    for link in (links[1], fresh):
        link.send(b"after")
        same(link.read(5), b"after", "the echo after it")
    same(len(bench.sim.used_slots()), 2, "links in the modem")
    same(len(bench.json("links")), 2, "links in the daemon")


def reboot_by_itself(bench):
    daemon = bench.start("--boot-time", 300)
    server = bench.server(harness.echo)
    client, links = two_links(bench, server)
    bench.sim.ctl("reboot")
    must_be_told(client, links, 5, ("modem-restarted",))
    must_work_again(bench, client, links, server)
    same(daemon.status()["modem"]["restarts"], 1, "restarts in status")


def reboot_in_the_middle_of_a_transfer(bench):
    for what in ("reboot-on-send", "reboot-on-open"):
        bench.start("--boot-time", 100)
        server = bench.server(harness.echo)
        client, links = two_links(bench, server)
        bench.sim.ctl("quirk", DIALECT.quirks[what], 1)
        if what == "reboot-on-send":
            links[0].send(b"x" * 1000)
        else:
            victim = client.open_start("127.0.0.1", server.port)
            client.wait(lambda v=victim: v.opened, 10, "the open's end")
            check(victim.opened["status"], "it cannot be open")
        client.wait(lambda: links[0].closed and links[1].lost, 10, "the news")
        must_work_again(bench, client, links, server)
        same(bench.daemon.terminate(), 0, "the exit code")
        bench.sim.ctl("quit")
        bench.sim.wait()
        bench.violations_expected = True    # a line that began before the boot


def hang_and_recover(bench):
    """B8: silence is noticed by the first command that has no answer."""
    daemon = bench.start(recovery__probe="1s", recovery__max_silence=2)
    server = bench.server(harness.echo)
    client, links = two_links(bench, server)
    bench.sim.ctl("hang")
    cpu, began = daemon.cpu_seconds(), time.monotonic()
    must_be_told(client, links, 10)
    daemon.wait_modem("silent", timeout=30)
    reply = client.call("open", host="127.0.0.1", port=server.port,
                        check=False)
    check(reply["status"], "a link opened on a hung modem")
    used = daemon.cpu_seconds() - cpu
    check(used < 0.25 * (time.monotonic() - began), "a busy loop", used)
    bench.sim.ctl("unhang")
    must_work_again(bench, client, links, server)
    bench.violations_expected = True    # AT again without an answer


def unplug_and_replug(bench):
    daemon = bench.start()
    server = bench.server(harness.echo)
    client, links = two_links(bench, server)
    times = 3
    for i in range(times):
        began = time.monotonic()
        bench.sim.ctl("hangup")
        daemon.wait_modem("no-device", timeout=5)
        check(time.monotonic() - began < 1, "the unplug is seen late")
        if i == 0:
            must_be_told(client, links)
        else:
            client.wait(lambda: links[1].lost, 5, "the loss")
        links[1].lost = links[1].restored = None
        bench.sim.ctl("replug")
        began = time.monotonic()
        daemon.wait_network(timeout=10)
        print("open %.1f s after the replug" % (time.monotonic() - began))
        client.wait(lambda: links[1].restored, 10, "the restored link")
    must_work_again(bench, client, links, server)
    check(daemon.descriptors() < 40, "descriptors leak")


def unplug_in_the_middle_of_a_transfer(bench):
    daemon = bench.start()
    server = bench.server(harness.echo)
    client = daemon.client()
    link = client.open("127.0.0.1", server.port)
    link.send(os.urandom(60000))
    wait_for(lambda: len(server.connection(0).received) > 3000, "it moves",
             every=0.001)
    bench.sim.ctl("hangup")
    client.wait(lambda: link.closed, 5, "the news")
    counts = link.closed["counts"]
    wait_for(lambda: len(server.connection(0).received) >= counts["taken"],
             "what was taken has arrived")
    arrived = len(server.connection(0).received)
    check(counts["taken"] <= arrived <= counts["taken"] + DIALECT.max_send,
          "taken %d, arrived %d" % (counts["taken"], arrived))
    bench.sim.ctl("replug")
    daemon.wait_network(timeout=40)
    bench.violations_expected = True    # the rest of a payload was lost


def left_waiting_for_payload(bench):
    """B16: a daemon that died behind a prompt leaves a modem that takes the
    next one's commands for data. The next one finds its way out."""
    daemon = bench.start()
    daemon.client().open("127.0.0.1", bench.server(harness.sink).port)
    slot = bench.sim.used_slots()[0]["link"]
    daemon.kill()
    fd = os.open(bench.sim.tty, os.O_RDWR | os.O_NOCTTY)
    os.write(fd, DIALECT.send_command(slot, 1500))
    said = b""
    while not said.endswith(DIALECT.prompt):
        said += os.read(fd, 100)
    os.write(fd, b"x" * 100)
    wait_for(lambda: bench.sim.stats()["line"]["bytes_in"] > 100, "it is in")
    began = time.monotonic()
    bench.restart_daemon(wait=None)
    os.close(fd)
    bench.daemon.wait_network(timeout=20)
    took = time.monotonic() - began
    check(took < 10, "it took %.1f s" % took)
    wait_for(lambda: not bench.sim.used_slots(), "what was left is closed")
    bench.violations_expected = True


def garbage_on_the_line(bench):
    daemon = bench.start()
    server = bench.server(harness.echo)
    link = daemon.client().open("127.0.0.1", server.port)
    for _ in range(20):
        bench.sim.ctl("garbage", 200)
        link.send(b"x" * 300)
        same(link.read(300), b"x" * 300, "the echo between garbage")
    status = daemon.status()
    check(status["line"].get("garbage_bytes", 0) +
          status["line"].get("unknown_lines", 0) > 0, "nobody counted it",
          status["line"])


def flood_of_garbage(bench):
    """B15: memory and processor stay bounded, and status answers."""
    bench.asan_options = "quarantine_size_mb=1:detect_leaks=1"
    daemon = bench.start()
    asks = daemon.client("asks")
    asks.status()
    rss = daemon.rss_kb()
    slowest = 0.0
    for _ in range(100 if harness.LONG else 20):
        enough = bench.sim.stats()["line"]["bytes_out"] + 20000
        bench.sim.ctl("garbage", 20000)
        while bench.sim.stats()["line"]["bytes_out"] < enough:
            began = time.monotonic()
            asks.status()
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.01)
    check(slowest < 0.5, "status took %.3f s" % slowest)
    grown = daemon.rss_kb() - rss
    check(grown < 2048, "RSS has grown by %d kB" % grown)
    daemon.wait_network(timeout=30)
    link = asks.open("127.0.0.1", bench.server(harness.echo).port,
                     wait_ms=20000)
    link.send(b"fine")
    same(link.read(4), b"fine", "the echo")
    bench.violations_expected = True    # resynchronising asks before an answer


def stalled_line(bench):
    """B9: a modem that takes no bytes stalls neither loop nor status."""
    daemon = bench.start()
    server = bench.server(harness.echo)
    client = daemon.client()
    link = client.open("127.0.0.1", server.port)
    bench.sim.ctl("stall")
    link.send(b"x" * 30000)
    asks = daemon.client("asks")
    for _ in range(20):
        began = time.monotonic()
        status = asks.status()
        check(time.monotonic() - began < 0.5, "status is stalled too")
    check(status["links_used"] == 1, "the link is in status", status)

    def is_told():
        client.pump(0)
        return asks.status()["line"].get("stalled") or link.closed
    wait_for(is_told, "status tells of the stall")
    bench.sim.ctl("unstall")
    daemon.wait_network(timeout=40)
    fresh = client.open("127.0.0.1", server.port)
    fresh.send(b"flows")
    same(fresh.read(5), b"flows", "the echo")
    bench.violations_expected = True    # what was stuck comes late


harness.run(reboot_by_itself, reboot_in_the_middle_of_a_transfer,
            hang_and_recover, unplug_and_replug,
            unplug_in_the_middle_of_a_transfer, left_waiting_for_payload,
            garbage_on_the_line, flood_of_garbage, stalled_line)
