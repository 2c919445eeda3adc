# SPDX-License-Identifier: BSD-3-Clause
"""What the gates share: lists of files, C source without its comments, and functions as ctags sees them."""
import os
import re
import subprocess
import sys
from collections import namedtuple

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))

Function = namedtuple("Function", "name first last parameters is_body")


def files(*patterns):
    """Files of the project, tracked or about to be, that match git path patterns ('src/*.c' descends)."""
    command = ["git", "ls-files", "-z", "-co", "--exclude-standard", "--", *patterns]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()
    return sorted(path for path in set(out.split("\0")) if path and os.path.isfile(path))


def lines(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read().split("\n")


_blank = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code(path, keep_strings=False):
    """The text of a C file with comments (and strings) turned into spaces; lines stay where they are."""

    def spaces(match):
        if keep_strings and match[0][0] in "\"'":
            return match[0]
        return re.sub(r"[^\n]", " ", match[0])

    return _blank.sub(spaces, "\n".join(lines(path)))


def _parameters(signature):
    inner = signature.strip()[1:-1].strip()
    if inner in ("", "void"):
        return 0
    depth, count = 0, 1
    for c in inner:
        depth += (c in "([{") - (c in ")]}")
        count += c == "," and depth == 0
    return count


def functions(path):
    """Definitions and prototypes of a C file."""
    command = ["ctags-universal", "--language-force=C", "--kinds-C=fp", "-x",
               "--_xformat=%N\t%n\t%{end}\t%K\t%S", path]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()
    found = []
    for row in out.splitlines():
        name, first, last, kind, signature = row.split("\t", 4)
        last = int(last) if last.isdigit() else int(first)
        found.append(Function(name, int(first), last, _parameters(signature), kind.startswith("f")))
    return sorted(found, key=lambda f: f.first)


def marked(text_lines, line, word):
    """Whether a line (counted from 1), or a comment of its own right above it, says `WORD: reason`."""
    reason = r".*\b" + word + r": *\w"
    above = text_lines[line - 2] if line > 1 else ""
    return bool(re.search(r"(/\*|//)" + reason, text_lines[line - 1]) or re.match(r"\s*(/\*|//|\*)" + reason, above))


def finish(findings):
    """Prints the findings, each (path, line, text), and ends the gate."""
    for path, line, text in sorted(set(findings)):
        print(f"{path}:{line}: {text}")
    sys.exit(1 if findings else 0)
