# SPDX-License-Identifier: BSD-3-Clause
"""From a recorded conversation to its SPDM messages: pcap, MCTP or PCI DOE, records, chunks, encapsulation.

Written from the tables of the specifications, not from this project's C code: what it finds is there to judge that
code. A conversation is a folder with capture.pcap and, where records are to be opened, key-schedule.txt with the keys
that the recorded endpoint printed."""
import os
import re
import struct
from collections import namedtuple

LINK_MCTP, LINK_DOE = 291, 292
GET_VERSION, CHUNK_SEND, CHUNK_SEND_ACK, CHUNK_GET, CHUNK_RESPONSE, ERROR = 0x84, 0x85, 0x05, 0x86, 0x06, 0x7F
ENCAPSULATED_REQUEST, DELIVER_ENCAPSULATED_RESPONSE, ENCAPSULATED_RESPONSE_ACK = 0x6A, 0xEB, 0x6B
LARGE_RESPONSE = 0x0F
CHUNK_CODES = (CHUNK_SEND, CHUNK_SEND_ACK, CHUNK_GET, CHUNK_RESPONSE)

# number: of the packet, counted from 1; where: "clear", "session" or "inner" (carried in the encapsulated flow)
Message = namedtuple("Message", "number where session data")


def packets(path):
    """Yields (number, link type, bytes) of a classic pcap file of either byte order."""
    with open(path, "rb") as f:
        data = f.read()
    order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    link = struct.unpack(order + "I", data[20:24])[0]
    at, number = 24, 0
    while at + 16 <= len(data):
        captured, length = struct.unpack(order + "II", data[at + 8:at + 16])
        number += 1
        if captured == length:
            yield number, link, data[at + 16:at + 16 + captured]
        at += 16 + captured


def frame(link, data):
    """("clear" or "record", payload) of a packet, (None, b"") for anything else."""
    if link == LINK_MCTP and len(data) > 5:
        return {0x05: "clear", 0x06: "record"}.get(data[4] & 0x7F), data[5:]
    if link == LINK_DOE and len(data) > 8:
        vendor, kind, words = struct.unpack("<HBxI", data[:8])
        if vendor == 1:
            return {1: "clear", 2: "record"}.get(kind), data[8:4 * (words & 0x3FFFF)]
    return None, b""


class Records:
    """Opens secured messages by trying the printed keys; each direction of each session keeps its key and counter."""

    def __init__(self, folder, link):
        self.link, self.pairs, self.use = link, [], {}
        path = os.path.join(folder, "key-schedule.txt")
        if not os.path.exists(path):
            return
        with open(path, encoding="ascii") as f:
            found = re.findall(r"^key \(0x\w+\) - ([\w ]+)\n.*\niv \(0x\w+\) - ([\w ]+)$", f.read(), re.M)
        self.pairs = [(bytes.fromhex(k), bytes.fromhex(iv)) for k, iv in found]

    def _try(self, pair, counter, record):
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
        key, salt = pair
        nonce = bytes(a ^ b for a, b in zip(salt, counter.to_bytes(12, "little")))
        head = 8 if self.link == LINK_MCTP else 6
        length = struct.unpack("<H", record[head - 2:head])[0]
        body = record[head:head + length]
        for cipher in (AESGCM, ChaCha20Poly1305):
            if cipher is ChaCha20Poly1305 and len(key) != 32:
                continue
            try:
                plain = cipher(key).decrypt(nonce, body, record[:head])
                return plain[2:2 + struct.unpack("<H", plain[:2])[0]] if plain else b""
            except InvalidTag:
                pass
            try:  # MAC only: the application data is part of the associated data
                cipher(key).decrypt(nonce, body[-16:], record[:head] + body[:-16])
                return body[:-16]
            except InvalidTag:
                pass
        return None

    def open(self, record):
        """(session, application data), or None if no key fits."""
        session = struct.unpack("<I", record[:4])[0]
        for lane in [key for key in self.use if key[0] == session]:
            pair, counter = self.use[lane]
            plain = self._try(pair, counter, record)
            if plain is not None:
                self.use[lane] = (pair, counter + 1)
                return session, plain
        for pair in self.pairs:
            plain = self._try(pair, 0, record)
            if plain is not None:
                self.use[(session, pair)] = (pair, 1)
                return session, plain
        return None


class Chunks:
    """Puts large messages together again; one transfer a direction."""

    def __init__(self):
        self.parts = {CHUNK_SEND: b"", CHUNK_RESPONSE: b""}

    @staticmethod
    def _head(data):
        """Size of the header up to the chunk (without LargeMessageSize) and ChunkSeqNo: 16 bits wide up to 1.3."""
        if data[0] >= 0x14:
            return 12, struct.unpack("<I", data[4:8])[0], struct.unpack("<I", data[8:12])[0]
        return 12, struct.unpack("<H", data[4:6])[0], struct.unpack("<I", data[8:12])[0]

    def add(self, data):
        """The whole message if this was its last chunk, else None."""
        code = data[1]
        head, sequence, size = self._head(data)
        if sequence == 0:
            self.parts[code] = b""
            head += 4
        self.parts[code] += data[head:head + size]
        return self.parts[code] if data[2] & 1 else None


def ack_inside(data):
    """The response that the last CHUNK_SEND_ACK carries, or None."""
    head = 8 if data[0] >= 0x14 else 6
    return data[head:] if len(data) > head else None


def inside(data):
    """The message that an encapsulation message carries, or None."""
    if data[1] in (ENCAPSULATED_REQUEST, DELIVER_ENCAPSULATED_RESPONSE):
        return data[4:]
    if data[1] == ENCAPSULATED_RESPONSE_ACK and data[0] >= 0x12 and data[3] == 1:
        return data[8:]
    if data[1] == ENCAPSULATED_RESPONSE_ACK and data[0] < 0x12 and data[3] == 1:
        return data[4:]
    return None


def unpack(number, where, session, data, chunks):
    """The messages in one message: itself, what its chunks complete, what it encapsulates."""
    yield Message(number, where, session, data)
    whole = None
    if data[1] in (CHUNK_SEND, CHUNK_RESPONSE):
        whole = chunks.add(data)
    elif data[1] == CHUNK_SEND_ACK:
        whole = ack_inside(data)
    if whole:
        yield from unpack(number, where, session, whole, chunks)
    inner = inside(data)
    if inner:
        yield Message(number, "inner", session, inner)


def messages(folder):
    """All messages of a conversation in the order of the wire."""
    records, chunks = None, {}
    for number, link, data in packets(os.path.join(folder, "capture.pcap")):
        kind, payload = frame(link, data)
        session = None
        if kind == "record":
            records = records or Records(folder, link)
            opened = records.open(payload)
            if opened is None:
                continue
            session, payload = opened
            if link == LINK_MCTP:
                if payload[:1] != b"\x05":
                    continue
                payload = payload[1:]
        if kind is None or len(payload) < 4:
            continue
        yield from unpack(number, "session" if session is not None else "clear", session, payload,
                          chunks.setdefault(session, Chunks()))
