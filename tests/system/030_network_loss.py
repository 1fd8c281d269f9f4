#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""030: the network goes away in the middle of two transfers, and comes back.

One program sees its link end with exact counts; the other asked for `restore`,
is told epoch and counts, and goes on where the far end says it stands.
"""

import harness
from harness import CLIENT_A, CLIENT_B, check, same, wait_for
from protocol import ENUMS

SIZE = 200000


def lose_in_the_middle(bench, far_end, *loss):
    """(mover that ends, mover that goes on), both beyond some bytes."""
    plain = bench.mover("plain", far_end, "-n", SIZE, "--seed", 1,
                        user=CLIENT_A)
    restoring = bench.mover("restoring", far_end, "--restore", "-n", SIZE,
                            "--seed", 2, user=CLIENT_B)

    def both_move():
        slots = bench.sim.used_slots()
        return len(slots) == 2 and all(s["sent"] > 20000 for s in slots)
    wait_for(both_move, "both have moved some bytes", every=0.005)
    bench.sim.ctl("network-loss", *loss)
    return plain, restoring


def agree(row, epoch, far):
    """One life of one link, as everybody counted it."""
    for key, wanted in (("accepted", epoch["accepted"]),
                        ("sent", epoch["taken"]),
                        ("confirmed", epoch["confirmed"]),
                        ("received", epoch["received"])):
        same(row[key], wanted, key + " in the history, and told the client")
    same(row["sent"], far["received"], "sent, and what the far end got")
    check(row["received"] <= far["sent"], "received more than was sent", row,
          far)


def check_books(bench, far_end, plain, restoring):
    """Every session of the history against the far end's log."""
    rows = bench.settled_history()
    same(sorted((r["client"], r["epoch"]) for r in rows),
         [("plain", 1), ("restoring", 1), ("restoring", 2)], "the sessions")
    by_life = {(r["client"], r["epoch"]): r for r in rows}
    far = far_end.rows(3)
    lives = {}
    for result in (plain, restoring):
        mine = [r for r in far if r.get("token") == result["token"]]
        same(len(mine), len(result["epochs"]), "connections at the far end")
        for epoch, row in zip(result["epochs"], mine):
            lives[result["client"], epoch["epoch"]] = (epoch, row)
    for life, (epoch, far_row) in lives.items():
        agree(by_life[life], epoch, far_row)
    for life in (("plain", 1), ("restoring", 1)):
        same(by_life[life]["reason"], "network-lost", "the reason")
    last = lives["restoring", 2]
    same(by_life["restoring", 2]["received"], last[1]["sent"],
         "received in the last life, and sent")


def one_ends_the_other_is_restored(bench, *loss):
    daemon = bench.start()
    far_end = harness.FarEnd(bench)
    plain, restoring = lose_in_the_middle(bench, far_end, *loss)
    ended = plain.result(code=3)
    check("network" in ended["error"].lower(), "the reason it is told",
          ended["error"])
    check(len(ended["epochs"]) == 1, "one epoch", ended["epochs"])
    wait_for(lambda: bench.json("status")["network"] != "open",
             "status tells the loss")
    lost = [l for l in bench.json("links") if l["client"] == "restoring"]
    same([l["state"] for l in lost], ["lost"], "the restoring link")

    bench.sim.ctl("network-back")
    moved = restoring.result()
    same(moved["sha256_returned"], moved["sha256"], "the hash of the answer")
    same([e["epoch"] for e in moved["epochs"]], [1, 2], "its epochs")
    check(0 < moved["epochs"][0]["taken"] < SIZE, "lost in the middle",
          moved["epochs"])
    same(daemon.status()["network"]["losses"], 1, "losses in status")
    check_books(bench, far_end, ended, moved)
    events = bench.events()
    for word in ("lost", "open"):
        check(any(e["kind"] == "network" and word in e["text"]
                  for e in events), "the loss is in the history", events)


def by_reset(bench):
    one_ends_the_other_is_restored(bench)


def by_end_of_stream(bench):
    one_ends_the_other_is_restored(bench, "fin")


def while_the_modem_still_says_it_is_open(bench):
    one_ends_the_other_is_restored(bench, "open")


def again_and_again(bench):
    daemon = bench.start()
    far_end = harness.FarEnd(bench)
    mover = bench.mover("stubborn", far_end, "--restore", "-n", SIZE)
    times = 3
    for i in range(times):
        wait_for(lambda: any(s["sent"] > 15000
                             for s in bench.sim.used_slots()),
                 "it moves again", every=0.005)
        bench.sim.ctl("network-loss")
        wait_for(lambda n=i: daemon.status()["network"].get("losses") == n + 1,
                 "the loss is seen")
        bench.sim.ctl("network-back")
    moved = mover.result()
    same([e["epoch"] for e in moved["epochs"]], list(range(1, times + 2)),
         "its epochs")
    rows = sorted(bench.settled_history(), key=lambda r: r["epoch"])
    for row, epoch, far in zip(rows, moved["epochs"], far_end.rows(times + 1)):
        agree(row, epoch, far)


def new_links_open_soon_after(bench):
    """Catalogue C1: an open succeeds within 5 s of the network's return."""
    daemon = bench.start()
    server = bench.server(harness.echo)
    client = daemon.client()
    client.open("127.0.0.1", server.port)
    bench.sim.ctl("network-loss")
    daemon.wait_network("lost")
    refused = client.call("open", host="127.0.0.1", port=server.port,
                          check=False, timeout=2)
    same(refused["status"], ENUMS["Status"]["NETWORK_DOWN"],
         "an open without a network")
    waiting = client.open_start("127.0.0.1", server.port, wait_ms=20000)
    bench.sim.ctl("network-back")
    waiting.wait_open(5)
    waiting.send(b"back")
    same(waiting.read(4), b"back", "the echo")


harness.run(by_reset, by_end_of_stream, while_the_modem_still_says_it_is_open,
            again_and_again, new_links_open_soon_after)
