# SPDX-License-Identifier: BSD-3-Clause
#
# How a case ends if it does not pass, and the checks both roles share.
import os
import re
import shutil
import subprocess
import capture
from names import POST_QUANTUM, SIGNATURES
from peer import REQUESTER, RESPONDER


class Failed(Exception):
    pass


class Skipped(Exception):
    pass


def expect(condition, why):
    if not condition:
        raise Failed(why)


def peer_openssl(world):
    """Version of OpenSSL that the peer is linked to as a shared library, such as (3, 0); None if it is not known."""
    if world.peer_openssl is None:
        program = next(world.peer.file(p) for p in (RESPONDER, REQUESTER) if os.path.exists(world.peer.file(p)))
        found = None
        if shutil.which("ldd"):
            said = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
            library = re.search(r"libcrypto\S* => (\S+)", said)
            if library:
                with open(library[1], "rb") as f:
                    found = re.search(rb"OpenSSL (\d+)\.(\d+)\.\d+", f.read())
        world.peer_openssl = (int(found[1]), int(found[2])) if found else ()
    return world.peer_openssl or None


def able(world, case):
    """Skips the case if the peer has no such key, or a crypto library cannot do its algorithms."""
    openssl = peer_openssl(world)
    if case.signature == "Ed448" and openssl and openssl < (3, 2):
        raise Skipped(f"the peer's OpenSSL {openssl[0]}.{openssl[1]} ignores the context that SPDM gives to Ed448")
    if openssl and openssl < (3, 5):
        for name in (case.signature, case.get("req"), case.get("dhe")):
            if name in POST_QUANTUM or name.startswith("ML_KEM"):
                raise Skipped(f"the peer's OpenSSL {openssl[0]}.{openssl[1]} has no {name}")
    directory = SIGNATURES[case.signature][1]
    if not os.path.isdir(world.peer.file(directory)):
        raise Skipped(f"the peer has no sample keys {directory}")
    key = (case.signature, case.hash)
    if key not in world.unable:
        command = [world.spdm, "attest", "--signature", case.signature, "--hash", case.hash, "tcp://127.0.0.1:1"]
        said = subprocess.run(["timeout", "20", *command], capture_output=True, text=True, check=False).stderr
        at = said.find("the crypto library cannot do")
        world.unable[key] = said[at:].split("\n")[0] if at >= 0 else None
    if world.unable[key]:
        raise Skipped(world.unable[key])


def conversation(case, path):
    """Holds the peer's capture against what the case asks for. None if the peer wrote no capture."""
    if not os.path.exists(path):
        return None
    facts = capture.read(path)
    for name in ("version", "signature", "hash"):
        got = getattr(facts, name)
        if got == "0x0" and "--asym NONE" in case.get("peer"):
            continue
        expect(got in (None, getattr(case, name)) or case.get("exit", "0") != "0", f"the capture says {name} {got}")
    for name in case.words("sent"):
        expect(facts.count(name) > 0, f"no {name} in the capture: {' '.join(facts.names)}")
    for name in case.words("unsent"):
        expect(facts.count(name) == 0, f"a {name} in the capture: {' '.join(facts.names)}")
    return facts


def measured(case, facts):
    """What the way of measuring must leave in the capture."""
    meas = case.get("meas", "all")
    asked, challenged = facts.count("GET_MEASUREMENTS"), facts.count("CHALLENGE_AUTH")
    expect(facts.signature == case.signature, "nothing was negotiated")
    if meas in ("all", "raw", "unsigned", "both"):
        expect(asked == 1, f"{asked} GET_MEASUREMENTS")
        expect(facts.count("MEASUREMENTS") == 1, "no MEASUREMENTS")
    if meas == "each":
        expect(asked > 2, f"{asked} GET_MEASUREMENTS")
    if meas == "challenge":
        expect(asked == 0, f"{asked} GET_MEASUREMENTS")
    if meas in ("challenge", "both", "unsigned"):
        expect(challenged == 1, f"{challenged} CHALLENGE_AUTH")
