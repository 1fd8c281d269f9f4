# SPDX-License-Identifier: MIT

"""harness - what the system tests share.

A Bench is one simulated modem, one modemd, and what talks through them, in a
directory of its own under /tmp. Nothing here sleeps and hopes: wait_for() asks
until a thing is so. As root, modemd and its clients run as the unprivileged
users that packaging/check makes; otherwise all run as the caller.

A script ends with harness.run(function, ...): each function gets a new Bench
and fails by an exception. At the end of each, modemd must leave with 0, the
simulator must have counted no violation and no sanitizer may have reported.

Environment: MODEMD_BUILD the CMake build folder, MODEMD_LONG=1 the full counts,
MODEMD_KEEP=1 keeps the directories, MODEMD_SKIPS a file that collects skips,
MODEMD_NOT_APPLICABLE one that collects what the dialect cannot do,
MODEMD_SANITIZER_LOGS a directory that collects reports. dialect.py has its own.
"""

import contextlib
import grp
import hashlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from dialect import DIALECT, needs   # needs: for the tests
from protocol import Client

BUILD = os.environ.get("MODEMD_BUILD", "")
LONG = os.environ.get("MODEMD_LONG") == "1"
HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77
PROGRAMS = ("modemd/modemd", "modemctl/modemctl", "tests/modemsim/modemsim",
            "libmodemclient/libmodemclient.so.0",
            "libmodemclient/examples/mover",
            "libmodemclient/examples/fetch",
            "libmodemclient/examples/echo-events")


class Skip(Exception):
    """This cannot be tested here, and why."""


def skip(why):
    raise Skip(why)


def check(truth, what, *values):
    """An assert that no option switches off."""
    if not truth:
        raise AssertionError(what + (": " + ", ".join(map(repr, values))
                                     if values else ""))


def same(got, wanted, what):
    check(got == wanted, "%s is %r, not %r" % (what, got, wanted))


def wait_for(predicate, what, timeout=20, every=0.02):
    """The first true answer of @predicate."""
    end = time.monotonic() + timeout
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError("%s: not within %g s" % (
                what() if callable(what) else what, timeout))
        time.sleep(every)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# ------------------------------------------------------------------- users

class User:
    """One of packaging/check's users, or the caller under that name."""

    def __init__(self, name, *groups):
        self.name = name
        self.is_real = False
        self.uid, self.gid, self.groups = os.getuid(), os.getgid(), None
        if os.geteuid() != 0:
            return
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            self.groups = [grp.getgrnam(g).gr_gid for g in groups]
            self.uid, self.gid = entry.pw_uid, entry.pw_gid
            self.is_real = True

    def popen(self):
        """Arguments of Popen() that start a program as this user."""
        if not self.is_real:
            return {}
        return {"user": self.uid, "group": self.gid,
                "extra_groups": self.groups}

    def __enter__(self):
        """What this thread does from here on, it does as the user."""
        if self.is_real:
            os.setgroups(self.groups)
            os.setegid(self.gid)
            os.seteuid(self.uid)

    def __exit__(self, *_):
        if self.is_real:
            os.seteuid(0)
            os.setegid(0)
            os.setgroups([0])

    def become(self):
        """For good: in a child of fork()."""
        if self.is_real:
            os.setgroups(self.groups)
            os.setresgid(self.gid, self.gid, self.gid)
            os.setresuid(self.uid, self.uid, self.uid)


DAEMON = User("modemd-check", "modem")
CLIENT_A = User("modemd-client-a", "modem")
CLIENT_B = User("modemd-client-b", "modem")
STRANGER = User("modemd-client-b")          # not in the group


def need_users():
    if not DAEMON.is_real:
        skip("needs root and the users that packaging/check makes")


def socket_group():
    if DAEMON.is_real:
        return "modem"
    return grp.getgrgid(os.getgid()).gr_name


# ------------------------------------------------------------- the programs

class Stage:
    """The built programs where every user may read them."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="modemd-bin-", dir="/tmp")
        os.chmod(self.dir, 0o755)
        for program in PROGRAMS:
            path = os.path.join(BUILD, program)
            if os.path.exists(path):
                shutil.copy(path, self.dir)

    def path(self, name):
        path = os.path.join(self.dir, name)
        check(os.path.exists(path), "%s is not built in %s" % (name, BUILD))
        return path

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


STAGE = None


def read_tail(path, lines):
    with contextlib.suppress(OSError):
        with open(path, errors="replace") as f:
            return "".join(f.readlines()[-lines:])
    return ""


class Program:
    """A process with its output in a file."""

    def __init__(self, bench, name, args, user=None, stdin=None):
        self.name = name
        self.bench = bench
        self.args = args
        self.out_path = bench.path(name + ".out")
        self.err_path = bench.path(name + ".err")
        with open(self.out_path, "wb") as out, \
             open(self.err_path, "ab") as err:
            self.process = subprocess.Popen(
                args, stdin=stdin or subprocess.DEVNULL, stdout=out,
                stderr=err, env=bench.environment(), cwd=bench.dir,
                **(user or User("")).popen())
        self.pid = self.process.pid
        bench.programs.append(self)

    def is_running(self):
        return self.process.poll() is None

    def wait(self, timeout=30):
        """Its exit code; negative: killed by that signal."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError("%s does not end within %g s" % (
                self.name, timeout)) from None

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.is_running():
            self.process.kill()
        self.process.wait()

    def stdout(self):
        with open(self.out_path, errors="replace") as f:
            return f.read()

    def stderr(self):
        with open(self.err_path, errors="replace") as f:
            return f.read()

    # -- what the kernel says about it

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.pid))

    def rss_kb(self):
        with open("/proc/%d/status" % self.pid) as f:
            for line in f:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
        return 0

    def context_switches(self):
        """{thread: voluntary + involuntary}"""
        out = {}
        for task in os.listdir("/proc/%d/task" % self.pid):
            with open("/proc/%d/task/%s/status" % (self.pid, task)) as f:
                out[task] = sum(int(line.split()[1]) for line in f
                                if "ctxt_switches" in line)
        return out

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Sim(Program):
    """modemsim: .tty is the modem's port, .ctl() makes it misbehave."""

    def __init__(self, bench, *options, name="sim"):
        self.tty = bench.path(name + ".tty")
        self.control = bench.path(name + ".ctl")
        self.log = bench.path(name + ".log")
        options = [str(o) for o in options]
        if DAEMON.is_real:
            options += ["--group", DAEMON.name]
        super().__init__(bench, name, [
            STAGE.path("modemsim"), "--link", self.tty,
            "--control", self.control, "--log", self.log] +
            DIALECT.sim_options() + options)
        wait_for(lambda: "ready" in self.stdout() or not self.is_running(),
                 "the simulator is ready")
        check(self.is_running(), "the simulator does not run",
              self.stderr())

    def ctl(self, *words):
        """Sends a command; its answer without the "ok"."""
        answer = self.ask(" ".join(map(str, words)))
        check(answer.startswith("ok"), "modemsim %s" % (words,), answer)
        return answer[3:]

    def ask(self, line):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(self.control)
            s.sendall(line.encode() + b"\n")
            with s.makefile(encoding="utf-8") as f:
                return f.readline().strip()

    def stats(self):
        return json.loads(self.ask("stats"))

    def used_slots(self):
        return [s for s in self.stats()["slots"] if s["state"] != "free"]

    def violations(self):
        return {k: v for k, v in self.stats()["violations"].items() if v}

    def commands(self):
        """Every command line that it took, in order."""
        with open(self.log, errors="replace") as f:
            return [line.split("command ", 1)[1].strip() for line in f
                    if " command " in line]


class Daemon(Program):
    """modemd with the settings {section: {key: value}}."""

    def __init__(self, bench, settings, name="modemd", wait=True):
        self.settings = settings
        self.socket = settings["ipc"]["socket"]
        self.database = settings["history"]["database"]
        self.config = bench.path(name + ".conf")
        write_config(self.config, settings)
        super().__init__(bench, name, [STAGE.path("modemd"), "-f", "-c",
                                       self.config], DAEMON)
        if wait:
            self.wait_socket()

    def wait_socket(self):
        """The socket answers, whatever the modem does."""
        def answers():
            check(self.is_running(), "modemd has ended", self.stderr())
            with contextlib.suppress(OSError), \
                 socket.socket(socket.AF_UNIX) as s:
                s.connect(self.socket)
                return True
            return False
        wait_for(answers, "modemd serves its socket")

    def client(self, name="test", user=None, **options):
        client = Client(self.socket, name, as_user=user, **options)
        self.bench.closing.callback(client.hang_up)
        return client

    def status(self):
        with Client(self.socket, "status") as c:
            return c.status()

    def wait_network(self, state="open", timeout=20):
        """Asks until the network is so; the status."""
        last = {}

        def is_so():
            check(self.is_running(), "modemd has ended", self.stderr())
            last.update(self.status())
            return last["network"]["state"] == state and last
        return wait_for(is_so, lambda: "network %s; modem %s, network %s" % (
            state, last.get("modem"), last.get("network")), timeout)

    def wait_modem(self, state, timeout=20, reason=""):
        last = {}

        def is_so():
            check(self.is_running(), "modemd has ended", self.stderr())
            last.update(self.status())
            return last["modem"]["state"] == state and \
                reason in last["modem"].get("reason", "") and last
        return wait_for(is_so, lambda: "modem %s %r; it is %s" % (
            state, reason, last.get("modem")), timeout)

    def terminate(self, timeout=30):
        if self.is_running():
            self.signal(signal.SIGTERM)
        return self.wait(timeout)


def write_config(path, settings):
    with open(path, "w", encoding="utf-8") as f:
        for section, keys in settings.items():
            f.write(section + " {\n")
            for key, value in keys.items():
                if isinstance(value, str) and not key == "socket-mode":
                    value = '"%s"' % value
                elif isinstance(value, bool):
                    value = "true" if value else "false"
                elif isinstance(value, list):
                    value = "{%s}" % ", ".join('"%s"' % v for v in value)
                f.write("\t%s = %s\n" % (key, value))
            f.write("}\n")
    os.chmod(path, 0o644)


# ------------------------------------------------------------------ far ends

class Server:
    """A TCP server on 127.0.0.1: @serve(connection) in a thread for each.

    What it received and sent per connection is in .connections.
    """

    def __init__(self, serve):
        self.serve = serve
        self.connections = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.closed = False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.closed:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            connection = Connection(sock)
            self.connections.append(connection)
            threading.Thread(target=connection.run, args=(self.serve,),
                             daemon=True).start()

    def connection(self, index):
        """That one; the modem may know of it before our thread does."""
        wait_for(lambda: len(self.connections) > index,
                 "the server has accepted", every=0.001)
        return self.connections[index]

    def close(self):
        self.closed = True
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            connection.hang_up()


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.received = bytearray()
        self.sent = 0
        self.ended = None           # "eof", "reset" once it is over

    def run(self, serve):
        try:
            serve(self)
            self.ended = self.ended or "done"
        except OSError as err:
            self.ended = self.ended or ("reset" if isinstance(
                err, ConnectionResetError) else str(err))
        finally:
            self.hang_up()

    def recv(self, size=65536):
        data = self.sock.recv(size)
        self.received += data
        if not data:
            self.ended = "eof"
        return data

    def send(self, data):
        view = memoryview(data)
        while view:
            n = self.sock.send(view)
            self.sent += n
            view = view[n:]

    def hang_up(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


def echo(connection):
    while True:
        data = connection.recv()
        if not data:
            return
        connection.send(data)


def sink(connection):
    while connection.recv():
        pass


def silent(connection):
    """Says nothing, and stays until the other side goes."""
    sink(connection)


def source(data):
    """A server that sends @data, then waits for the end."""
    def serve(connection):
        connection.send(data)
        sink(connection)
    return serve


class FarEnd(Program):
    """farend.py: the mover's other side. .rows() is one dict for each
    connection that has ended."""

    def __init__(self, bench, name="farend"):
        self.port_file = bench.path(name + ".port")
        self.log = bench.path(name + ".log")
        super().__init__(bench, name, [
            sys.executable, os.path.join(HERE, "farend.py"),
            "--port-file", self.port_file, "--log", self.log])
        wait_for(lambda: os.path.exists(self.port_file), "the far end serves")
        with open(self.port_file, encoding="ascii") as f:
            self.port = int(f.read())

    def rows(self, count=0):
        """At least @count of them."""
        def read():
            out = []
            with contextlib.suppress(OSError), open(self.log) as f:
                out = [json.loads(line) for line in f if line.endswith("\n")]
            return out
        wait_for(lambda: len(read()) >= count, "%d connections have ended at "
                 "the far end" % count)
        return read()


# --------------------------------------------------------------------- bench

class Bench:
    def __init__(self, name):
        self.dir = tempfile.mkdtemp(prefix="modemd-%s-" % name[:24],
                                    dir="/tmp")
        os.chmod(self.dir, 0o755)
        self.programs = []
        self.closing = contextlib.ExitStack()
        self.sim = None
        self.daemon = None
        self.violations_expected = False
        self.asan_options = "detect_leaks=1"
        self.reports = os.path.join(self.dir, "sanitizer")
        os.mkdir(self.reports)
        os.chmod(self.reports, 0o1777)
        for sub in ("run", "lib"):
            os.mkdir(self.path(sub))
            if DAEMON.is_real:
                os.chown(self.path(sub), DAEMON.uid, DAEMON.gid)

    def path(self, name):
        return os.path.join(self.dir, name)

    def environment(self):
        env = dict(os.environ, LD_LIBRARY_PATH=STAGE.dir, LC_ALL="C.UTF-8")
        log = "log_path=%s/report" % self.reports
        for name, more in (("ASAN_OPTIONS", self.asan_options),
                           ("UBSAN_OPTIONS", "print_stacktrace=1")):
            old = [o for o in env.get(name, "").split(":")
                   if o and not o.startswith("log_path=")]
            env[name] = ":".join(old + [more, log])
        for name in ("MODEMD_SOCKET", "NOTIFY_SOCKET", "INVOCATION_ID",
                     "JOURNAL_STREAM"):
            env.pop(name, None)
        if self.daemon:
            env["MODEMD_SOCKET"] = self.daemon.socket
        return env

    def settings(self, name="modem", **changes):
        """Settings for a test; modem__device="x" changes modem { device }."""
        out = {
            "modem": {"device": self.sim.tty if self.sim else
                      self.path("no-such-tty"),
                      "flow-control": "none", "baud": 921600},
            "ipc": {"socket": self.path("run/%s.sock" % name),
                    "socket-group": socket_group()},
            "links": {"open-timeout": "3s", "send-timeout": "3s",
                      "reserve-inbound": 0},
            "recovery": {"backoff": "100ms..1s", "stop-timeout": "3s"},
            "history": {"database": self.path("lib/%s.db" % name)},
            "state": {"file": self.path("lib/%s.state" % name)},
            "log": {"level": "debug"},
        }
        for section, keys in DIALECT.settings(self).items():
            out[section].update(keys)
        for key, value in changes.items():
            section, key = key.split("__")
            out[section][key.replace("_", "-")] = value
        return out

    def secret(self, name, text):
        """A file that only the daemon may read."""
        path = self.path("lib/" + name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text + "\n")
        os.chmod(path, 0o600)
        if DAEMON.is_real:
            os.chown(path, DAEMON.uid, DAEMON.gid)
        return path

    def start_sim(self, *options, name="sim"):
        sim = Sim(self, *options, name=name)
        if name == "sim":
            self.sim = sim
        return sim

    def start_daemon(self, wait="open", name="modem", **changes):
        """@wait: the state of the network to wait for, or None."""
        daemon = Daemon(self, self.settings(name, **changes),
                        name="modemd" if name == "modem" else name)
        if name == "modem":
            self.daemon = daemon
        if wait:
            daemon.wait_network(wait)
        return daemon

    def restart_daemon(self, wait="open"):
        self.daemon = Daemon(self, self.daemon.settings)
        if wait:
            self.daemon.wait_network(wait)
        return self.daemon

    def start(self, *sim_options, **changes):
        """A simulator and a modemd with an open network."""
        self.start_sim(*sim_options)
        return self.start_daemon(**changes)

    def server(self, serve):
        server = Server(serve)
        self.closing.callback(server.close)
        return server

    def run(self, program, *args, user=CLIENT_A, stdin=b"", timeout=60,
            text=True):
        """(exit code, stdout, stderr) of a program that ends by itself."""
        done = subprocess.run(
            [STAGE.path(program)] + [str(a) for a in args], input=stdin,
            capture_output=True, env=self.environment(), cwd=self.dir,
            timeout=timeout, check=False, **user.popen())
        if not text:
            return done.returncode, done.stdout, done.stderr
        return (done.returncode, done.stdout.decode(errors="replace"),
                done.stderr.decode(errors="replace"))

    def spawn(self, name, program, *args, user=CLIENT_A, stdin=None):
        return Program(self, name, [STAGE.path(program)] +
                       [str(a) for a in args], user, stdin)

    def modemctl(self, *args, user=CLIENT_A):
        """What modemctl prints; it must end with 0."""
        code, out, err = self.run("modemctl", *args, user=user)
        check(code == 0, "modemctl %s ends with %d" % (
            " ".join(map(str, args)), code), err)
        return out

    def json(self, *args, user=CLIENT_A):
        return json.loads(self.modemctl("--json", *args, user=user))

    def mover(self, name, far_end, *args, user=CLIENT_A):
        """A mover that is under way; .result() waits for its JSON."""
        mover = self.spawn(name, "mover", "--client", name, *args,
                           "127.0.0.1", far_end.port, user=user)

        def result(code=0, timeout=120):
            same(mover.wait(timeout), code, "the exit code of " + name +
                 " (" + mover.stderr().strip() + ")")
            return json.loads(mover.stdout())
        mover.result = result
        return mover

    def settled_history(self, user=User("")):
        """Sessions, when the disk has all that happened; admin's view."""
        wait_for(lambda: self.daemon.status()["history"].get("queued", 0)
                 == 0, "the history is written")
        return self.json("history", "--limit", 1000, user=user)

    def events(self):
        """What the history tells of modem and network, from the file."""
        return self.json("history", "events", "--db", self.daemon.database,
                         user=User(""))

    # -- the end

    def finish(self):
        """What must hold after every test."""
        self.closing.close()
        if self.daemon and self.daemon.process.returncode is None:
            code = self.daemon.terminate()
            check(code == 0, "modemd ends with %d" % code)
        if self.sim and self.sim.is_running():
            found = self.sim.violations()
            check(self.violations_expected or not found,
                  "the simulator counted violations", found)
            self.sim.ctl("quit")
            check(self.sim.wait() == 0, "the simulator's exit code")

    def sanitizer_reports(self):
        out = ""
        to = os.environ.get("MODEMD_SANITIZER_LOGS")
        for program in self.programs:
            # UBSan knows no log_path in a build with ASan
            for line in program.stderr().splitlines():
                if "runtime error:" in line or "Sanitizer" in line:
                    with open(os.path.join(self.reports, program.name),
                              "a", encoding="utf-8") as f:
                        f.write(line + "\n")
        for name in sorted(os.listdir(self.reports)):
            path = os.path.join(self.reports, name)
            out += "--- %s\n%s" % (name, read_tail(path, 80))
            if to:
                shutil.copy(path, os.path.join(to, "%s-%s" % (
                    os.path.basename(self.dir), name)))
        return out

    def kill_all(self):
        with contextlib.suppress(Exception):
            self.closing.close()
        for program in self.programs:
            program.kill()

    def show_logs(self):
        for program in self.programs:
            for path, lines in ((program.err_path, 60),
                                (getattr(program, "log", ""), 40)):
                tail = read_tail(path, lines)
                if tail:
                    print("--- the end of %s\n%s" % (
                        os.path.basename(path), tail), flush=True)

    def remove(self):
        if os.environ.get("MODEMD_KEEP") == "1":
            print("kept: " + self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)


def is_applicable(function):
    """Otherwise it says so, and where the list of those is."""
    missing = getattr(function, "not_applicable", "")
    if not missing:
        return True
    name = function.__name__.replace("_", " ")
    print("n/a             %s: needs %s" % (name, missing), flush=True)
    if "MODEMD_NOT_APPLICABLE" in os.environ:
        with open(os.environ["MODEMD_NOT_APPLICABLE"], "a",
                  encoding="utf-8") as f:
            f.write("%s: %s: %s\n" % (DIALECT.name, missing, name))
    return False


def run_one(function):
    """True, False, or None when it was skipped."""
    bench = Bench(function.__name__.replace("_", "-"))
    began = time.monotonic()
    result, why = True, ""
    try:
        function(bench)
        bench.finish()
    except Skip as err:
        result, why = None, str(err)
    except Exception:           # pylint: disable=broad-except
        result, why = False, traceback.format_exc()
    bench.kill_all()
    reports = bench.sanitizer_reports()
    if reports:
        result, why = False, why + "a sanitizer reports:\n" + reports
    print("%-7s %5.1f s  %s%s" % (
        {True: "ok", False: "FAILED", None: "skipped"}[result],
        time.monotonic() - began, function.__name__.replace("_", " "),
        ": " + why if why else ""), flush=True)
    if result is False:
        bench.show_logs()
    bench.remove()
    if result is None and "MODEMD_SKIPS" in os.environ:
        with open(os.environ["MODEMD_SKIPS"], "a") as f:
            f.write("%s: %s\n" % (function.__name__, why))
    return result


def run(*functions):
    """Runs them all, or those whose names begin with an argument; exits."""
    global STAGE, BUILD
    args = sys.argv[1:]
    if args and os.path.isdir(args[0]):
        BUILD = args.pop(0)
    if not BUILD:
        sys.exit("which build? Give its folder, or set MODEMD_BUILD")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    STAGE = Stage()
    try:
        if functions[0].__name__ == "<lambda>":
            functions = functions[0]()      # known only by the programs
        results = [run_one(f) for f in functions if is_applicable(f) and (
            not args or any(f.__name__.startswith(a) for a in args))]
    finally:
        STAGE.remove()
    if False in results or not results:
        sys.exit(1)
    sys.exit(0 if True in results else SKIPPED)
