#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""060: kill -9 of the daemon; the next start clears up after it.

Catalogue F1: it finds the links that the modem still has and closes them
within 2 s, marks their sessions as ended by the crash, and works. F3: started
before its device exists, it comes to the same end.
"""

import signal
import time

import harness
from harness import DIALECT, check, same, wait_for
from protocol import Closed


def kill_with_open_links(bench, count):
    """A daemon killed with @count links open; its clients and a server."""
    daemon = bench.start()
    server = bench.server(harness.echo)
    client = daemon.client("owner")
    links = [client.open("127.0.0.1", server.port) for _ in range(count)]
    for i, link in enumerate(links):
        link.send(b"x" * (i + 1))
        same(link.read(i + 1), b"x" * (i + 1), "the echo")
    wait_for(lambda: not daemon.status()["history"].get("queued", 0) and
             daemon.status()["history"].get("committed", 0) >= count,
             "the sessions are in the history")
    time.sleep(0.3)             # more than the writer's 200 ms batches
    daemon.signal(signal.SIGKILL)
    same(daemon.wait(), -signal.SIGKILL, "the exit code")
    try:
        client.wait(lambda: False, 5, "the end of the connection")
    except Closed:
        pass
    same(len(bench.sim.used_slots()), count, "sockets left in the modem")
    return server


def next_start_closes_what_was_left(bench):
    server = kill_with_open_links(bench, DIALECT.slots)
    daemon = bench.restart_daemon(wait=None)
    daemon.wait_network()
    wait_for(lambda: not bench.sim.used_slots(),
             "the modem's sockets are closed", 2)
    for connection in server.connections:
        wait_for(lambda c=connection: c.ended, "the far end saw the close")
    rows = bench.settled_history()
    same(len(rows), DIALECT.slots, "sessions")
    for row in rows:
        same(row["reason"], "daemon-crash", "the reason")
        check(row["closed"], "a session is still open", row)
        check(row["closed"] >= row["opened"], "closed before opened", row)

    link = daemon.client().open("127.0.0.1", server.port)
    link.send(b"as before")
    same(link.read(9), b"as before", "the echo")
    link.close()


def killed_in_mid_send_again_and_again(bench):
    daemon = bench.start()
    server = bench.server(harness.sink)
    for i in range(20 if harness.LONG else 5):
        link = daemon.client("owner").open("127.0.0.1", server.port)
        link.send(bytes(60000))
        connection = server.connection(i)
        enough = 1000 * (i + 1)
        wait_for(lambda c=connection, n=enough: len(c.received) >= n,
                 "it sends", every=0.001)
        daemon.kill()
        daemon = bench.restart_daemon()
        wait_for(lambda: not bench.sim.used_slots(), "closed", 2)
    # The new daemon's first bytes may complete the payload of the old one's
    # CIPSEND, or come as a line that the modem does not understand.
    bench.violations_expected = True


def started_before_its_device_it_comes_to_the_same_end(bench):
    tty = bench.path("sim.tty")
    daemon = bench.start_daemon(wait=None, modem__device=tty)
    status = daemon.wait_modem("no-device")
    check(tty in status["modem"]["reason"], "the reason names the device",
          status["modem"])
    bench.start_sim()
    daemon.wait_network()


harness.run(next_start_closes_what_was_left,
            killed_in_mid_send_again_and_again,
            started_before_its_device_it_comes_to_the_same_end)
