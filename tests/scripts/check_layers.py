#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""Calls go down: fails on an #include or a call that breaks the layers.

    check_layers.py SOURCE-TREE     check modemd/
    check_layers.py --self-test     plant each violation and see it found

The folders of modemd/ are layers. What a layer may include, which layer owns
which library, and what the core (at, driver, modem, broker) never calls, is
in the three tables below.
"""

import os
import re
import sys
import tempfile

# layer: the folders whose headers it may include, beside its own and
# whatever is listed by name
MAY_INCLUDE = {
    "base": set(),
    "port": {"base"},
    "at": {"port", "base"},
    "driver": {"at", "base"},
    "modem": {"driver/driver.h", "at/channel.h", "at/trace.h", "port", "base"},
    "history": {"base"},
    "broker": {"modem/modem.h", "history", "proto", "base",
               # rows of the AT conversation pass through modem/modem.h
               "at/trace.h", "at/channel.h", "driver/driver.h",
               "port/port.h"},
    "main": {"base", "port", "at", "driver", "modem", "history", "broker",
             "proto"},
}

# header: who may know it
OWNED = [
    (r"event2/buffer\.h", {"base", "port", "at", "driver", "modem", "history",
                           "broker", "main"}),
    (r"event2/.*|event\.h", {"base", "port", "history", "main",
                             "broker/client_socket.c"}),
    (r"libserialport\.h|termios\.h|asm/termbits\.h|linux/serial\.h",
     {"port"}),
    (r"sqlite3\.h", {"history"}),
    (r"pthread\.h", {"history", "base"}),
    (r"protobuf-c/.*|.*\.pb-c\.h", {"broker"}),
    (r"confuse\.h", {"base"}),
]

CORE = {"at", "driver", "modem", "broker"}
SEAMS = {"broker/client_socket.c", "broker/socket_file.c"}
FORBIDDEN = re.compile(
    r"(?<![\w.>])(time|sleep|usleep|nanosleep|read|write|open|popen|system|"
    r"exec[lv]p?e?|fork|rand|random|srand|poll|select|gettimeofday|"
    r"clock_gettime)\s*\(")


def strip(text):
    """Without comments and strings, lines kept."""
    def blank(match):
        keep = "\n" * match.group(0).count("\n")
        return keep if match.group(0).startswith("/") else '""' + keep
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
                  blank, text, flags=re.S)


def layer_of(path):
    return path.split("/")[0] if "/" in path else os.path.splitext(path)[0]


def is_allowed(path, header, known):
    """None, or why the header may not be included."""
    layer = layer_of(path)
    for pattern, owners in OWNED:
        if re.fullmatch(pattern, header):
            return None if layer in owners or path in owners else \
                "only %s may know <%s>" % (", ".join(sorted(owners)), header)
    if header not in known:
        return None             # of the C library, or generated
    other = layer_of(header) if "/" in header else "proto"
    if other == layer or other in MAY_INCLUDE.get(layer, set()) or \
       header in MAY_INCLUDE.get(layer, set()):
        return None
    return "%s must not include %s" % (layer, header)


def known_headers(tree):
    """Every header of ours as it can be written in an #include."""
    known = set()
    for top in ("modemd", "proto"):
        base = os.path.join(tree, top)
        for folder, _, names in os.walk(base):
            for name in names:
                if name.endswith(".h"):
                    known.add(os.path.relpath(os.path.join(folder, name),
                                              base))
    return known


def check_file(path, text, known):
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if not match:
            continue
        header = match.group(2)
        local = "%s/%s" % (layer_of(path), header)
        if match.group(1) == '"' and local in known:
            header = local      # a neighbour
        why = is_allowed(path, header, known)
        if why:
            found.append("%s:%d: %s" % (path, number, why))
    if layer_of(path) in CORE and path not in SEAMS:
        for number, line in enumerate(strip(text).splitlines(), 1):
            if line.lstrip().startswith("#"):
                continue
            match = FORBIDDEN.search(line)
            if match:
                found.append("%s:%d: the core does no I/O of its own: %s()" % (
                    path, number, match.group(1)))
    return found


def check_tree(tree):
    known = known_headers(tree)
    base = os.path.join(tree, "modemd")
    found, files = [], 0
    for folder, _, names in sorted(os.walk(base)):
        for name in sorted(names):
            if not name.endswith((".c", ".h")):
                continue
            full = os.path.join(folder, name)
            with open(full, encoding="utf-8") as f:
                found += check_file(os.path.relpath(full, base), f.read(),
                                    known)
            files += 1
    return files, found


PLANTED = [
    # file, its text, whether it is a violation
    ("base/a.c", '#include "port/port.h"\n', True),
    ("port/a.c", '#include "modem/modem.h"\n', True),
    ("at/a.c", '#include "driver/driver.h"\n', True),
    ("driver/a.c", '#include "modem/modem.h"\n', True),
    ("modem/a.c", '#include "broker/broker.h"\n', True),
    ("modem/a.c", '#include "history/history.h"\n', True),
    ("modem/a.c", '#include "driver/simcom_private.h"\n', True),
    ("broker/a.c", '#include "modem/private.h"\n', True),
    ("history/a.c", '#include "modem/modem.h"\n', True),
    ("modem/a.c", "#include <event2/event.h>\n", True),
    ("broker/broker.c", "#include <event2/bufferevent.h>\n", True),
    ("modem/a.c", "#include <sqlite3.h>\n", True),
    ("base/a.c", "#include <termios.h>\n", True),
    ("modem/a.c", '#include "modemd.pb-c.h"\n', True),
    ("modem/a.c", "void f(void)\n{\n\tsleep(1);\n}\n", True),
    ("at/a.c", "int f(void)\n{\n\treturn rand();\n}\n", True),
    ("broker/a.c", "int t = time(NULL);\n", True),
    ("broker/client_socket.c", "#include <event2/bufferevent.h>\n", False),
    ("broker/client_socket.c", "void f(void)\n{\n\tread(0, 0, 0);\n}\n",
     False),
    ("modem/a.c", '#include "port/port.h"\n#include <event2/buffer.h>\n',
     False),
    ("at/a.c", '/* sleep(1) */\nchar *s = "time(";\nx->read(1);\n', False),
    ("history/a.c", "#include <sqlite3.h>\n", False),
    ("main.c", '#include "broker/broker.h"\n', False),
]


def self_test():
    headers = ("base/log.h", "port/port.h", "at/channel.h", "driver/driver.h",
               "driver/simcom_private.h", "modem/modem.h", "modem/private.h",
               "history/history.h", "broker/broker.h")
    wrong = 0
    for path, text, is_violation in PLANTED:
        with tempfile.TemporaryDirectory() as tree:
            for name in headers + (path,):
                full = os.path.join(tree, "modemd", name)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as f:
                    f.write(text if name == path else "")
            os.makedirs(os.path.join(tree, "proto"))
            _, found = check_tree(tree)
        if bool(found) != is_violation:
            wrong += 1
            print("%s in %s: %s" % (repr(text), path, "found: " + found[0]
                                    if found else "not found"))
    print("%d planted, %d judged wrong" % (len(PLANTED), wrong))
    return wrong


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--self-test":
        sys.exit(1 if self_test() else 0)
    files, found = check_tree(sys.argv[1])
    for line in found:
        print("modemd/" + line)
    print("%d files, %d violations" % (files, len(found)))
    sys.exit(1 if found or not files else 0)


if __name__ == "__main__":
    main()
