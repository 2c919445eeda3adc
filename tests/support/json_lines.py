#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# json_lines.py SCHEMA: every line of standard input is an object that the schema allows. Says how many there were.
import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as f:
    schema = json.load(f)
jsonschema.Draft7Validator.check_schema(schema)
# one of several kinds: the kind tells which, and what is wrong is said of that one
forms = {
    kind: jsonschema.Draft7Validator({"$ref": f"#/definitions/{form}", "definitions": schema["definitions"]})
    for form in ("message", "summary")
    for kind in [schema["definitions"][form]["properties"]["kind"]]
    for kind in kind.get("enum", [kind.get("const")])
}
n = wrong = 0
for n, line in enumerate(sys.stdin, 1):
    thing = json.loads(line)
    for error in forms[thing["kind"]].iter_errors(thing):
        print(f"line {n}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}")
        wrong += 1
    if wrong > 10:
        break
print(f"{n} objects")
sys.exit(wrong != 0 or n == 0)
