#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# stream.py SPDM CAPTURE FEW MANY: `spdm decode` reads a capture's packets again and again from a pipe, FEW MiB of them,
# then MANY. Fails if it takes more memory for the latter.
import os
import subprocess
import sys

MIB = 1 << 20
MORE = 1 * MIB  # what an allocator may do with the same

spdm, path, few, many = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with open(path, "rb") as f:
    head, packets = f.read(24), f.read()


def memory(size):
    """The most memory that it had, in bytes."""
    # the sanitizers keep what was freed
    quiet = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=0:thread_local_quarantine_size_kb=0:malloc_context_size=0"}
    child = subprocess.Popen([spdm, "decode", "--no-verify", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=quiet)
    child.stdin.write(head)
    for _ in range(size // len(packets) + 1):
        child.stdin.write(packets)
    child.stdin.close()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    if status != 0:
        sys.exit(f"spdm decode ended with {status}")
    return usage.ru_maxrss * 1024


least, most = memory(few * MIB), memory(many * MIB)
print(f"{few} MiB read in {least // 1024} KiB, {many} MiB in {most // 1024} KiB")
sys.exit(most > least + MORE)
