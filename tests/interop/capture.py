# SPDX-License-Identifier: BSD-3-Clause
#
# What the peer's own capture says about a conversation: the messages in the clear, in order, and what was negotiated.
# It is read without any code of ours, so that a report of ours can be held against it.
import struct
from names import HASHES, SIGNATURES, message_name

MCTP, PCI_DOE = 291, 292  # link types as the peer writes them


class Facts:
    def __init__(self):
        self.names = []  # of the messages, in order; SECURED for a record
        self.version = self.hash = self.signature = None
        self.raw = []

    def count(self, name):
        return self.names.count(name)


def records(path):
    with open(path, "rb") as f:
        data = f.read()
    if len(data) < 24:
        return
    magic, link = struct.unpack_from("<I", data)[0], struct.unpack_from("<I", data, 20)[0]
    if magic != 0xA1B2C3D4 or link not in (MCTP, PCI_DOE):
        raise ValueError(f"{path}: not a capture of the peer (magic {magic:#x}, link type {link})")
    at = 24
    while at + 16 <= len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        yield link, data[at + 16 : at + 16 + length]
        at += 16 + length


# -> (secured, message), or None for what is neither (DOE discovery)
def message(link, packet):
    if link == MCTP:
        kind, body = packet[4] & 0x7F, packet[5:]
        return (kind == 6, body) if kind in (5, 6) else None
    kind, body = packet[2], packet[8:]
    return (kind == 2, body) if kind in (1, 2) else None


def name_of(bits, table):
    names = [name for name, bit in table if bit == bits]
    return names[0] if names else f"{bits:#x}"


class Chunks:
    """Large messages, put together again: CHUNK_SEND and CHUNK_RESPONSE, and what an acknowledgement brings along."""

    def __init__(self):
        self.parts = {}

    def take(self, name, body):
        """The whole message that this one completes, or None."""
        if name == "CHUNK_SEND_ACK":
            head = 8 if body[0] >= 0x14 else 6
            return body[head:] if len(body) >= head + 4 else None
        if name not in ("CHUNK_SEND", "CHUNK_RESPONSE") or len(body) < 12:
            return None
        sequence = struct.unpack_from("<I" if body[0] >= 0x14 else "<H", body, 4)[0]
        size, at = struct.unpack_from("<I", body, 8)[0], 12 if sequence else 16
        if sequence == 0:
            self.parts[name] = b""
        self.parts[name] = self.parts.get(name, b"") + body[at : at + size]
        return self.parts.pop(name) if body[2] & 1 else None


def note(facts, body):
    name = message_name(body[1])
    facts.names.append(name)
    facts.raw.append(body)
    if name == "ALGORITHMS" and len(body) >= 20:
        asym, base_hash = struct.unpack_from("<II", body, 12)
        facts.version = f"{body[0] >> 4}.{body[0] & 15}"
        if facts.version >= "1.4":  # PqcAsymSel: one of the two is chosen
            asym |= struct.unpack_from("<I", body, 20)[0] << 32
        facts.signature = name_of(asym, [(n, v[2]) for n, v in SIGNATURES.items()])
        facts.hash = name_of(base_hash, HASHES.items())
    return name


def read(path):
    facts, chunks = Facts(), Chunks()
    for link, packet in records(path):
        found = message(link, packet)
        if found is None:
            continue
        secured, body = found
        if secured or len(body) < 4:
            facts.names.append("SECURED" if secured else "short")
            continue
        whole = chunks.take(note(facts, body), body)
        if whole is not None:
            note(facts, whole)
    return facts
