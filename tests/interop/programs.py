# SPDX-License-Identifier: BSD-3-Clause
#
# `spdm info`, `spdm provision`, `spdm vendor` and `spdm watch` against the peer's responder: one command after the other
# at the same peer.
import os
import re
import shlex
import subprocess
from attest import peer_options
from names import SIGNATURES, TRANSPORTS
from peer import RESPONDER, Program, free_port, listening, shut_down
from result import able, expect


def authority(world, logs):
    """A local authority, as people make one."""
    directory = os.path.join(logs, "ca")
    subprocess.run([world.spdm, "keys", "-q", "--keep-ca", "--out", directory], check=True)
    return directory


def commands(world, case, logs, target):
    """The words of each command, which are separated by ';'."""
    keys = world.peer.file(SIGNATURES[case.signature][1])
    pinned = ["--version", case.version, "--hash", case.hash, "--signature", case.signature]
    places = {"$TARGET": target, "$KEYS": keys, "$LOGS": logs, "$CA": authority(world, logs) if "$CA" in case.get("run") else ""}
    for text in case.get("run").split(";"):
        words = shlex.split(text)
        for name, place in places.items():
            words = [word.replace(name, place) for word in words]
        yield [world.spdm, words[0], *pinned, *words[1:], *([] if target in words else [target])]


def run(world, case, logs):
    able(world, case)
    port = free_port()
    peer = world.peer.start(RESPONDER, peer_options(case, port, logs), os.path.join(logs, "peer.log"), world.limit)
    target = f"{TRANSPORTS[case.transport][1]}://127.0.0.1:{port}"
    said, codes = "", []
    try:
        expect(peer.wait_for(lambda: listening(port)), "the peer does not listen")
        for number, command in enumerate(commands(world, case, logs, target)):
            ours = Program(command, os.path.join(logs, f"ours{number}.log"), limit=world.limit)
            codes.append(ours.wait(world.limit + 5))
            ours.end()
            said += ours.text()
    finally:
        shut_down(port, TRANSPORTS[case.transport][2])
        peer.end()
    expected = [int(case.get("exit", "0")) if n + 1 == len(codes) else 0 for n in range(len(codes))]
    expect(codes == expected, f"ours ended with {codes}, not {expected}")
    for text in case.words("says"):
        expect(re.search(text, said, re.MULTILINE), f"ours does not say {text!r}")
    for text in case.words("unsent"):
        expect(not re.search(text, said, re.MULTILINE), f"ours says {text!r}")
