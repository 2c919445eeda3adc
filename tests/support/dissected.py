#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# dissected.py JSON PDML: what `spdm decode --json` says of a capture beside what Wireshark shows of it (tshark -T pdml).
# Every field that Wireshark shows has to be where decode has it; and what decode has, Wireshark shows, but for parts of
# a field that it shows as a whole.
import json
import sys
import xml.etree.ElementTree as ElementTree

failures = 0


def bad(text):
    global failures
    failures += 1
    if failures <= 20:
        print(f"FAILED: {text}")


def messages_of_pdml(path):
    """{packet: [(fields, position)]}, the message of an envelope behind the one that it lies in."""
    out = {}
    for number, packet in enumerate(ElementTree.parse(path).getroot().findall("packet"), 1):
        found = []

        def visit(node, fields, base):
            for child in node:
                name, size = child.get("name") or "", int(child.get("size") or 0)
                text = (child.get("showname") or child.get("show") or "").split(":")[0]
                if name == "spdm" and not text.startswith("SPDM record"):
                    inner = []
                    found.append(inner)
                    visit(child, inner, int(child.get("pos")))
                    continue
                generated = child.get("hide") == "yes" or name == "spdm.request"
                if name.startswith("spdm.") and not generated and fields is not None:
                    fields.append((text, int(child.get("pos")) - base, size))
                visit(child, fields, base)

        visit(packet, None, 0)
        out[number] = found
    return out


def compare(message, shown):
    """Fields of one message: decode's, Wireshark's."""
    where = f"message {message['number']}, {message['name']}"
    wanted = [(f["name"], f["offset"], f["size"]) for f in message["fields"]]
    for field in shown:
        if field not in wanted:
            bad(f"{where}: Wireshark shows {field}, decode does not")
    for i, (name, at, size) in enumerate(wanted):
        if (name, at, size) in shown:
            continue
        inside = any(a <= at and at + size <= a + n for other, a, n in wanted[:i] if (other, a, n) in shown)
        if not inside:
            bad(f"{where}: Wireshark does not show {(name, at, size)}")


shown = messages_of_pdml(sys.argv[2])
n, chunked = 0, None  # the packet in which a message in chunks became whole: Wireshark shows the chunks
with open(sys.argv[1], encoding="utf-8") as f:
    for line in f:
        message = json.loads(line)
        if message["inside"] == "chunks":
            chunked = message["packet"]
        if message["packet"] == chunked and message["inside"] is not None:
            continue
        if message["kind"] != "message" or message["session"] is not None or message["inside"] not in (None, "envelope"):
            continue
        left = shown.get(message["packet"], [])
        if not left:
            bad(f"packet {message['packet']}: Wireshark does not show {message['name']}")
            continue
        compare(message, left.pop(0))
        n += 1
for packet, left in shown.items():
    if left:
        bad(f"packet {packet}: Wireshark shows a message that is none")
print(f"{n} messages compared")
sys.exit(failures != 0 or n == 0)
