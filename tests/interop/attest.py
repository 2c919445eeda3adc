# SPDX-License-Identifier: BSD-3-Clause
#
# Our requester, `spdm attest`, against the peer's responder.
import hashlib
import json
import os
from names import HASHES, SIGNATURES, TRANSPORTS, every_signature, only_signature
from peer import RESPONDER, Program, free_port, listening, shut_down
from proxy import Proxy
from result import Failed, Skipped, able, conversation, expect, measured

VERDICTS = {0: "trusted", 1: "not trusted", 3: "unreachable", 4: "protocol error"}
MEASURE = {
    "all": [],
    "each": ["-m", "each"],
    "raw": ["--raw"],
    "unsigned": ["--unsigned"],
    "challenge": ["-m", "none", "--challenge"],
    "both": ["--challenge"],
    "count": ["-m", "count"],
    "own": [],
}
# Index -> raw value of the measurements that the peer has as digests; 72 bytes each
VALUES = {index: bytes([index]) * 72 for index in (1, 2, 3, 4)}


def peer_options(case, port, logs):
    pinned = case.get("pin", "both") in ("both", "peer")
    options = ["--trans", TRANSPORTS[case.transport][0], "--ip", "127.0.0.1", "--port", str(port)]
    if case.transport in ("mctp", "doe"):
        options += ["--pcap", os.path.join(logs, "peer.pcap")]
    if case.get("pin") == "none":
        pass
    elif pinned:
        options += ["--ver", case.version, "--hash", case.hash, *only_signature(case.signature)]
    else:
        options += ["--hash", ",".join(HASHES), *every_signature(case.signature)]
    return options + case.words("peer")


def trust(world, case):
    directory = SIGNATURES[case.signature][1]
    kind = case.get("trust", "ca")
    if kind == "none":
        return []
    if kind in ("key", "key-wrong"):
        name = "end_responder.key.pub.der" if kind == "key" else "end_requester.key.pub.der"
        return ["--public-key", world.peer.file(directory, name)]
    if kind in ("ca", "ca1"):
        return ["--trust", world.peer.file(directory, kind + ".cert.der")]
    return ["--trust", world.peer.file(kind, "ca.cert.der")]


def reference(case, logs):
    """A file of what is known of the peer's measurements, without having asked it; one byte of one changed if wanted."""
    kind = case.get("reference")
    if not kind:
        return []
    values = {index: value.hex() for index, value in VALUES.items()}
    if kind == "changed":
        values[2] = "03" + values[2][2:]
    path = os.path.join(logs, "reference.json")
    with open(path, "w") as f:
        json.dump({"format": "assay-reference/1", "extra": "allow",
                   "measurements": [{"index": i, "raw": v} for i, v in values.items()]}, f)
    return ["--reference", path]


def own_options(world, case, logs):
    """$KEYS is the peer's directory of the signature's sample keys, $PSK a file with the key that the peer has."""
    psk = os.path.join(logs, "psk")
    with open(psk, "wb") as f:
        f.write(b"TestPskData\0")
    keys = world.peer.file(SIGNATURES[case.signature][1])
    return [word.replace("$KEYS", keys).replace("$PSK", psk) for word in case.words("ours")]


def our_command(world, case, port, logs):
    options = ["--json", "--trace", *MEASURE[case.get("meas", "all")]]
    if case.get("pin", "both") in ("both", "ours"):
        options += ["--version", case.version, "--hash", case.hash, "--signature", case.signature]
    options += trust(world, case) + reference(case, logs) + own_options(world, case, logs)
    target = f"{TRANSPORTS[case.transport][1]}://127.0.0.1:{port}"
    return [world.spdm, "attest", *options, target]


def member(report, path):
    value = report
    for name in path.split("."):
        if name == "length":
            value = len(value)
        elif isinstance(value, list):
            value = value[int(name)] if int(name) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def shown(value):
    return value if isinstance(value, str) else json.dumps(value)


def check_values(report):
    """The measurements whose values are known, digests computed here."""
    found = {block["index"]: block for block in report["measurements"]["blocks"]}
    name = report["connection"]["measurement_hash"].lower().replace("sha_", "sha").replace("sm3_256", "sm3")
    if name not in hashlib.algorithms_available:
        return
    for index, raw in VALUES.items():
        if index not in found:
            raise Failed(f"measurement {index} is missing")
        block = found[index]
        value = raw if block["form"] == "raw" else hashlib.new(name, raw).digest()
        expect(block["value"] == value.hex(), f"measurement {index} is {block['form']} {block['value']}")


def check_trusted(case, report, facts):
    connection = report["connection"]
    for name in ("version", "hash", "signature"):
        expect(connection[name] == getattr(case, name), f"the report says {name} {connection[name]}")
    meas = case.get("meas", "all")
    if meas in ("all", "each", "raw", "both", "unsigned"):
        blocks = report["measurements"]["blocks"]
        check_values(report)
        for block in blocks:
            expect(block["proven"] == (meas != "unsigned"), f"measurement {block['index']}: proven is {block['proven']}")
    if meas == "raw":
        expect(any(b["form"] == "raw" and b["index"] == 1 for b in blocks), "no raw value")
    expect(report["checks"]["possession"]["state"] == "passed", "possession was not proven")
    if facts is not None and meas != "own":
        measured(case, facts)


def check(case, code, said, logs):
    wanted = int(case.get("exit", "0"))
    try:
        report = json.loads(said)
    except ValueError:
        raise Failed(f"exit code {code}, and no JSON report: {said.strip()[-200:]}") from None
    expect(code == wanted, f"exit code {code}, not {wanted}: {report['reason']}")
    expect(report["exit_code"] == code, f"the report says exit code {report['exit_code']}")
    expect(report["verdict"] == VERDICTS[code], f"exit code {code}, and verdict \"{report['verdict']}\"")
    expect((report["reason"] is None) == (code == 0), f"the reason is {report['reason']}")
    expect(case.get("reason") in (report["reason"] or ""), f"the reason is \"{report['reason']}\"")
    for word in case.words("json"):
        path, at_most, value = word.partition("<=")
        if at_most:
            expect(member(report, path) <= int(value), f"{path} is {shown(member(report, path))}, over {value}")
            continue
        path, _, value = word.partition("=")
        expect(shown(member(report, path)) == value, f"{path} is {shown(member(report, path))}, not {value}")
    facts = conversation(case, os.path.join(logs, "peer.pcap"))
    if code == 0:
        check_trusted(case, report, facts)


def attested(world, case, port, logs):
    ours = Program(our_command(world, case, port, logs), os.path.join(logs, "ours.log"), limit=world.limit)
    try:
        code = ours.wait(world.limit + 5)
    finally:
        ours.end()
    # the report is the JSON object, the trace what stands around it
    said = ours.text()
    at, end = said.find("\n{\n"), said.rfind("\n}\n")
    return code, said[at : end + 2] if at >= 0 else said


def run(world, case, logs):
    able(world, case)
    do, port, proxy = case.get("do"), free_port(), None
    if do == "absent":
        check(case, *attested(world, case, port, logs), logs)
        return
    theirs = world.peer.start(RESPONDER, peer_options(case, port, logs), os.path.join(logs, "peer.log"), world.limit)
    try:
        if not theirs.wait_for(lambda: listening(port)):
            if case.transport == "none":
                raise Skipped("the peer does not serve transport NONE")
            raise Failed("the peer does not listen: " + theirs.text().strip()[-200:])
        if do:
            proxy = Proxy(port, do, theirs.kill)
        code, said = attested(world, case, proxy.port if proxy else port, logs)
        expect(not do or proxy.done, f"{do}: there was no such message")
        shut_down(port, TRANSPORTS[case.transport][2])
        theirs.wait(5)
        check(case, code, said, logs)
    finally:
        if proxy:
            proxy.close()
        theirs.end()
