#!/usr/bin/env python3
# SPDX-License-Identifier: MIT

"""Prints the longest functions and files of ours. Judges nothing: whoever
sees his own name at the top asks why.

    report_sizes.py SOURCE-TREE [COUNT]
    report_sizes.py --self-test

Counts braces and knows our style: a function's body begins with "{" in the
first column and ends with "}" there.
"""

import os
import re
import statistics
import sys

FOLDERS = ("proto", "modemd", "libmodemclient", "modemctl", "tests")


def functions_of(text):
    """[(name, lines of the body)] of one C file."""
    out, start, name = [], None, ""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line == "{":
            # back to the line that begins the definition
            head, at = "", number - 1
            while at >= 0 and lines[at] and \
                    not lines[at].startswith(("}", "/*", " */", "#")):
                head = lines[at] + " " + head
                at -= 1
            match = re.search(r"(\w+)\s*\(", head)
            start, name = number, match.group(1) if match else "?"
        elif line.startswith("}") and start is not None:
            out.append((name, number - start - 1))
            start = None
    return out


def sources(tree):
    for folder in FOLDERS:
        for path, _, names in sorted(os.walk(os.path.join(tree, folder))):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    full = os.path.join(path, name)
                    with open(full, encoding="utf-8") as f:
                        yield os.path.relpath(full, tree), f.read()


def report(tree, count):
    functions, files = [], []
    for path, text in sources(tree):
        files.append((text.count("\n"), path))
        functions += [(lines, name, path) for name, lines in
                      functions_of(text) if path.endswith(".c")]
    if not functions:
        sys.exit("no functions in " + tree)
    print("%d functions, median %d lines, %d above 60" % (
        len(functions), statistics.median(f[0] for f in functions),
        sum(f[0] > 60 for f in functions)))
    for lines, name, path in sorted(functions, reverse=True)[:count]:
        print("%5d  %s() in %s" % (lines, name, path))
    print("%d files, median %d lines" % (
        len(files), statistics.median(f[0] for f in files)))
    for lines, path in sorted(files, reverse=True)[:count]:
        print("%5d  %s" % (lines, path))


def self_test():
    body = "\tx++;\n" * 70
    text = ("/* one */\nstatic int long_one(int a,\n\t\t    int b)\n{\n" +
            body + "}\n\nvoid short_one(void)\n{\n\tif (x) {\n\t}\n}\n"
            "struct row {\n\tint a;\n};\n")
    wanted = [("long_one", 70), ("short_one", 2)]
    got = functions_of(text)
    print("found %s" % got)
    sys.exit(0 if got == wanted else 1)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if sys.argv[1] == "--self-test":
        self_test()
    report(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10)


if __name__ == "__main__":
    main()
