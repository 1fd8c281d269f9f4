#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""A modem's name is known in modemd/driver alone, and in tests.

    check_names.py SOURCE-TREE     look for one everywhere else
    check_names.py --self-test     plant each kind and see it found

All layers but the driver work with what the driver says of itself
(driver/driver.h), so that a dialect more is a file more. Only a comment on a
value of the configuration may name one: a comment that has the word
"dialect" in it.
"""

import os
import re
import sys
import tempfile

FOLDERS = ("modemd/at", "modemd/port", "modemd/modem", "modemd/broker",
           "modemd/history", "modemd/base", "libmodemclient", "modemctl",
           "proto")
NAMES = re.compile(r"(?<!\w)(w800|winnermicro|esp[-_]?at|espressif|simcom|"
                   r"sim7[0-9]+|a76[0-9]+x*)(?!\w)", re.I)
COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|(/\*.*?\*/|//[^\n]*)', re.S)


def without_allowed_comments(text):
    """The same lines, but for comments on values of the configuration."""
    def blank(match):
        comment = match.group(1)
        if comment is None or "dialect" not in comment:
            return match.group(0)
        return "\n" * comment.count("\n")
    return COMMENT.sub(blank, text)


def check_file(path, text):
    if path.endswith((".c", ".h", ".proto")):
        text = without_allowed_comments(text)
    return ["%s:%d: %s" % (path, number, line.strip())
            for number, line in enumerate(text.splitlines(), 1)
            if NAMES.search(line)]


def check_tree(tree):
    found, files = [], 0
    for top in FOLDERS:
        for folder, _, names in sorted(os.walk(os.path.join(tree, top))):
            for name in sorted(names):
                full = os.path.join(folder, name)
                with open(full, encoding="utf-8", errors="replace") as f:
                    found += check_file(os.path.relpath(full, tree),
                                        f.read())
                files += 1
    return files, found


PLANTED = [
    # file, its text, whether it is found
    ("modemd/modem/a.c", 'if (!strcmp(d->name, "w800"))\n', True),
    ("modemd/base/a.c", '.words = "auto simcom"\n', True),
    ("modemd/at/a.c", "/* the A7600 manual 2.3 */\n", True),
    ("modemd/at/a.c", "/* A76XX */\nint a7670;\n", True),
    ("modemd/port/a.h", "// for SIM7600 only\n", True),
    ("modemd/broker/a.c", "int is_esp_at;\nint esp_at = 1;\n", True),
    ("modemd/history/a.c", "/* ESP-AT says so */\n", True),
    ("libmodemclient/a.h", "/* SIMCom modules */\n", True),
    ("modemctl/schema/a.json", '{"description": "of Espressif"}\n', True),
    ("proto/a.proto", "// WinnerMicro\n", True),
    ("proto/a.proto", "// simcom; a modem's dialect\nint x;  // w800\n",
     True),
    ("proto/a.proto", "optional string dialect = 4;  // dialect: simcom, "
     "w800\n", False),
    ("modemd/base/a.h", "char *dialect;\t/* auto, or a dialect: simcom "
     "*/\n", False),
    ("modemd/base/a.h", 'f("a dialect: simcom");\n', True),
    ("modemd/base/a.h", '/* dialect */ char *s = "simcom";\n', True),
    ("modemd/driver/w800.c", '"w800"\n', False),
    ("modemd/modem/a.c", "simcom_like; sim7; a7; esp; my_w800_thing\n",
     False),
]


def self_test():
    wrong = 0
    for path, text, is_found in PLANTED:
        with tempfile.TemporaryDirectory() as tree:
            full = os.path.join(tree, path)
            os.makedirs(os.path.dirname(full))
            with open(full, "w", encoding="utf-8") as f:
                f.write(text)
            _, found = check_tree(tree)
        if bool(found) != is_found:
            wrong += 1
            print("%r in %s: %s" % (text, path, found or "not found"))
    print("%d planted, %d judged wrong" % (len(PLANTED), wrong))
    return wrong


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--self-test":
        sys.exit(1 if self_test() else 0)
    files, found = check_tree(sys.argv[1])
    for line in found:
        print(line)
    print("%d files, %d names of modems" % (files, len(found)))
    sys.exit(1 if found or not files else 0)


if __name__ == "__main__":
    main()
