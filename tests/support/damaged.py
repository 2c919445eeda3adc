#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# damaged.py PCAP N: writes a capture of N packets of PCAP, with some bytes changed and many cut short, the same each time.
import random
import struct
import sys

RECORD, KEPT = 16, 5  # libpcap's head of a packet; the header of MCTP and the message type

with open(sys.argv[1], "rb") as f:
    data = f.read()
packets, at = [], 24
while at < len(data):
    (n,) = struct.unpack_from("<I", data, at + 8)
    packets.append((data[at : at + 8], data[at + RECORD : at + RECORD + n]))
    at += RECORD + n

random.seed(1)
sys.stdout.buffer.write(data[:24])
for _ in range(int(sys.argv[2])):
    time, packet = random.choice(packets)
    packet = bytearray(packet)
    for _ in range(random.randint(1, 4)):
        packet[random.randrange(KEPT, len(packet))] = random.choice([0, 1, 0xFF, random.randrange(256)])
    if random.random() < 0.5:
        packet = packet[: random.randint(KEPT, len(packet))]
    sys.stdout.buffer.write(time + struct.pack("<II", len(packet), len(packet)) + packet)
