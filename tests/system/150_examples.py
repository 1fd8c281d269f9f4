#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""150: the example programs run as their comments say."""

import harness
from harness import DIALECT, check, same, wait_for


def fetch_asks_and_prints(bench):
    bench.start("--baud", 0)

    def serve(connection):
        while not connection.received.endswith(b"\r\n\r\n"):
            if not connection.recv():
                return
        connection.send(b"HTTP/1.0 200 OK\r\n\r\nhello\n")
    server = bench.server(serve)
    code, out, err = bench.run("fetch", "127.0.0.1", server.port,
                               "GET / HTTP/1.0")
    same((code, err), (0, ""), "exit code and stderr")
    check(out.endswith("hello\n"), "the answer", out)
    same(bytes(server.connection(0).received), b"GET / HTTP/1.0\r\n\r\n",
         "the request")


def fetch_tells_what_is_wrong(bench):
    bench.start("--baud", 0)
    code, _, err = bench.run("fetch", "127.0.0.1", 1, "x")
    check(code != 0 and "refused" in err, "a closed port", code, err)
    bench.daemon.terminate()
    code, _, err = bench.run("fetch", "127.0.0.1", 1, "x")
    check(code != 0 and err.strip(), "no daemon", code, err)


def echo_events_talks_on_all_links(bench):
    bench.start("--baud", 0)
    server = bench.server(harness.echo)
    code, out, err = bench.run("echo-events", "-n", DIALECT.slots,
                               "-c", 5, "127.0.0.1", server.port)
    same((code, err), (0, ""), "exit code and stderr")
    for link in range(DIALECT.slots):
        check("link %d ended" % link in out or "link %d ended" % (link + 1)
              in out, "link %d" % link, out)
    same(len(server.connections), DIALECT.slots, "connections")


def echo_events_survives_a_loss(bench):
    bench.start()
    server = bench.server(harness.echo)
    program = bench.spawn("echo-events", "echo-events", "-n", 3, "-c", 400,
                          "127.0.0.1", server.port)
    wait_for(lambda: min((s["sent"] for s in bench.sim.used_slots()),
                         default=0) > 300, "it talks")
    bench.sim.ctl("network-loss")
    bench.daemon.wait_network("lost")
    bench.sim.ctl("network-back")
    same(program.wait(60), 0, "the exit code (%s)" % program.stderr())
    for link in range(3):
        for news in ("lost", "restored"):
            check("link %d %s" % (link, news) in program.stdout() or
                  "link %d %s" % (link + 1, news) in program.stdout(),
                  "link %d was %s" % (link, news), program.stdout()[-500:])


harness.run(fetch_asks_and_prints, fetch_tells_what_is_wrong,
            echo_events_talks_on_all_links, echo_events_survives_a_loss)
