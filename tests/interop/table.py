# SPDX-License-Identifier: BSD-3-Clause
#
# Reads the tables of cases (README.md tells their form). A mistake in a table is an error with its line, before
# anything runs.
import os
import re
import shlex
from names import AEADS, EXCHANGES, HASHES, MUTUAL, SIGNATURES, TRANSPORTS, VERSIONS

COLUMNS = ("name", "role", "version", "transport", "signature", "hash")
ALLOWED = {
    "role": ("requester", "responder"),
    "version": VERSIONS,
    "transport": TRANSPORTS,
    "signature": SIGNATURES,
    "hash": HASHES,
}
KEYS = {
    "pin": "both|ours|peer|none",
    "meas": "all|each|raw|unsigned|challenge|both|count|own",
    "ours": None,
    "peer": None,
    "slots": None,
    "device": None,
    "trust": None,
    "reference": "same|changed",
    "do": r"(flip|kill|drop):[A-Z_]+|(update|endpoint):\d+|absent|twice|claim",
    "exit": r"\d",
    "reason": None,
    "sent": None,
    "unsent": None,
    "refused": None,
    "json": None,
    "steps": None,
    "run": None,
    "set": None,
    "says": None,
    "dhe": "|".join(EXCHANGES),
    "aead": "|".join(AEADS),
    "secured": r"1\.[0-3]",
    "clear": "yes|no",
    "mac": "yes|no",
    "mut": "|".join(MUTUAL),
    "req": "|".join(SIGNATURES),
    "caps": None,
    "sessions": None,
    "golden": None,
    "note": None,
}


class Case:
    def __init__(self, group, columns, options):
        self.group = group
        for name, value in zip(COLUMNS, columns):
            setattr(self, name, value)
        self.options = options
        self.id = f"{group}/{self.name}"

    def get(self, key, default=""):
        return self.options.get(key, default)

    def has(self, key):
        return key in self.options

    def words(self, key):
        return shlex.split(self.get(key))


class TableError(Exception):
    pass


def read_case(group, text):
    words = shlex.split(text, comments=True)
    if not words:
        return None
    columns, options = words[: len(COLUMNS)], {}
    if len(columns) != len(COLUMNS):
        raise TableError(f"the columns are {', '.join(COLUMNS)}")
    for name, value in zip(COLUMNS, columns):
        if name in ALLOWED and value not in ALLOWED[name]:
            raise TableError(f"{name} \"{value}\" is none of {', '.join(ALLOWED[name])}")
    for word in words[len(COLUMNS) :]:
        key, equals, value = word.partition("=")
        if not equals or key not in KEYS:
            raise TableError(f"\"{word}\": known keys are {', '.join(KEYS)}")
        if key in options:
            raise TableError(f"{key} is given twice")
        if KEYS[key] is not None and not re.fullmatch(KEYS[key], value):
            raise TableError(f"{key} \"{value}\" does not match {KEYS[key]}")
        options[key] = value
    return Case(group, columns, options)


def read(path):
    group, cases, whole = os.path.splitext(os.path.basename(path))[0], [], ""
    with open(path) as f:
        for number, line in enumerate(f, 1):
            whole += line
            if line.endswith("\\\n"):
                whole = whole[:-2] + " "
                continue
            try:
                case = read_case(group, whole)
            except (TableError, ValueError) as error:
                raise TableError(f"{path}:{number}: {error}") from None
            if case is not None:
                cases.append(case)
            whole = ""
    names = [case.name for case in cases]
    for name in names:
        if names.count(name) > 1:
            raise TableError(f"{path}: two cases are called {name}")
    return cases
