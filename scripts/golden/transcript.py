# SPDX-License-Identifier: BSD-3-Clause
"""Transcripts of a conversation, put together from the text: what every recorded signature covers.

M1/M2 = VCA, the certificate messages, CHALLENGE, CHALLENGE_AUTH without signature; L1/L2 = VCA (1.2 and later), the
measurement messages, the last one without signature; IL1/IL2 = VCA, GET_ENDPOINT_INFO, ENDPOINT_INFO without signature. One Transcripts object a conversation, one lane a session."""
import hashlib
import re

VCA = {0x84, 0x04, 0xE1, 0x61, 0xE3, 0x63}
PROOF = {0x81, 0x01, 0x82, 0x02, 0x83, 0x03}
MEASURE = {0xE0, 0x60}
ENDPOINT = {0x87, 0x07}
# Requests that start M1/M2 anew while no CHALLENGE has completed, as the recorder's stack does it.
RESTART_B = {0xE0, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xEB, 0xEC, 0xEF}


class Transcripts:
    """Each part is a list of (number of the message, bytes)."""

    def __init__(self):
        self.vca, self.proof, self.proven = [], [], False
        self.measured, self.pending = {}, {}

    def request(self, lane, number, data):
        code = data[1]
        if code == 0x84:
            self.__init__()
        self.pending[lane] = (number, data)
        if code not in MEASURE:
            self.measured[lane] = []
        if code == 0x81 and lane == 0 or code in RESTART_B and not self.proven:
            self.proof = []

    def response(self, lane, number, data, signature_n):
        """("M1M2", "L1L2" or "IL1IL2", parts) if the response ends in a signature of n bytes, else None."""
        code = data[1]
        if code == 0x7F:
            if data[2] != 0x42:
                self.measured[lane] = []
            return None
        pair = [self.pending.get(lane), (number, data[:len(data) - signature_n])]
        if code in VCA:
            self.vca += pair
        elif code in PROOF and lane == 0:
            self.proof += pair
        elif code in MEASURE:
            self.measured[lane] = self.measured.get(lane, []) + pair
        if not signature_n:
            return None
        if code == 0x07:
            return "IL1IL2", self.vca + pair
        if code == 0x03:
            covered, self.proof, self.proven = self.vca + self.proof, [], True
            return "M1M2", covered
        covered = (self.vca if data[0] >= 0x12 else []) + self.measured[lane]
        self.measured[lane] = []
        return "L1L2", covered


class Mutual:
    """M1/M2 of the encapsulated flow, in which the Responder asks: VCA (1.2 and later) and the inner messages."""

    def __init__(self):
        self.inner = []

    def add(self, data, signature_n):
        """The bytes that are covered if the message ends in a signature of n bytes, else None."""
        if data[1] == 0x81:
            self.inner = []
        self.inner.append(data[:len(data) - signature_n])
        return self.inner if signature_n else None


def digest(parts, hash_name):
    return hashlib.new(hash_name, b"".join(data for _, data in parts)).hexdigest()


def printed(path):
    """{"M1M2": digests, "L1L2": digests} in the order in which the recorder printed them."""
    with open(path, encoding="ascii") as f:
        text = f.read()
    return {kind: [bytes.fromhex(h).hex() for h in re.findall(rf"^{word} hash - ([\w ]+)$", text, re.M)]
            for kind, word in (("M1M2", "m1m2"), ("L1L2", "l1l2"), ("IL1IL2", "il1il2"), ("MUT", "m1m2 Mut"))}
