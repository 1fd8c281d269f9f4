#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""demo-books.py DIR - packaging/demo's accounts: what each program, the server
and modemd's history counted must be the same."""

import json
import os
import sys


def read(name):
    with open(os.path.join(sys.argv[1], name), encoding="utf-8") as f:
        return f.read()


def check(truth, what):
    if not truth:
        sys.exit("wrong: " + what)


def main():
    movers = [json.loads(read(n + ".json"))
              for n in ("plain", "restores", "again")]
    server = [json.loads(line) for line in read("farend.log").splitlines()]
    history = {(row["client"], row["epoch"]): row
               for row in json.loads(read("history.json"))}
    check(len(history) == 4 and len(server) == 4, "four lives of links, not "
          "%d in the history and %d at the server" % (len(history),
                                                      len(server)))
    print("%-12s %5s  %8s %8s %8s  %8s %8s  %s" % (
        "client", "epoch", "program", "modemd", "server", "modemd", "program",
        "end"))
    for mover in movers:
        ends = [r for r in server if r.get("token") == mover["token"]]
        check(len(ends) == len(mover["epochs"]), "connections at the server")
        for epoch, end in zip(mover["epochs"], ends):
            row = history[mover["client"], epoch["epoch"]]
            print("%-12s %5d  %8d %8d %8d  %8d %8d  %s" % (
                mover["client"], epoch["epoch"], epoch["taken"], row["sent"],
                end["received"], row["received"], epoch["received"],
                row["reason"]))
            check(epoch["taken"] == row["sent"] == end["received"],
                  "bytes sent")
            check(epoch["received"] == row["received"] <= end["sent"],
                  "bytes received")
            lost = row["reason"] == "network-lost"
            check(lost or row["received"] == end["sent"],
                  "bytes received, and sent by the server")
        whole = mover["client"] != "plain"
        check(mover["equal"] == whole, "equal of " + mover["client"])
        if whole:
            check(mover["sha256"] == mover["sha256_far_end"] ==
                  mover["sha256_returned"], "sha256 of " + mover["client"])
            print("             sha256 equal there and back: %s..." %
                  mover["sha256"][:32])


main()
