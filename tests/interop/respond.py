# SPDX-License-Identifier: BSD-3-Clause
#
# Our responder, `spdm respond`, against the peer's requester.
import os
import re
from names import HASHES, SIGNATURES, TRANSPORTS, every_signature, only_signature
from peer import REQUESTER, Program
from proxy import Proxy
from result import Failed, Skipped, able, conversation, expect, measured

MEASURE = {
    "all": "--exe_conn DIGEST,CERT,MEAS --meas_op ALL",
    "each": "--exe_conn DIGEST,CERT,MEAS --meas_op ONE_BY_ONE",
    "raw": "--exe_conn DIGEST,CERT,MEAS --meas_op ALL --meas_att RAW",
    "unsigned": "--exe_conn DIGEST,CERT,CHAL,MEAS --meas_op ALL",
    "challenge": "--exe_conn DIGEST,CERT,CHAL",
    "both": "--exe_conn DIGEST,CERT,CHAL,MEAS --meas_op ALL",
}
DEVICE = """\
name = "interop";
versions = [{versions}];
{capabilities}
algorithms: {{ hashes = [{hashes}]; signatures = [{signatures}]; measurement_hash = "SHA_384"; }};
slots = (
{slots}
);
measurements = (
    {{ index = 1; type = "rom"; hex = "{one}"; form = "digest"; }},
    {{ index = 2; type = "firmware"; hex = "{two}"; form = "digest"; }},
    {{ index = 3; type = "version"; text = "1.0.3"; tcb = false; }},
    {{ index = 4; type = "svn"; number = 7; }}
);
{more}
"""


def listed(words):
    return ", ".join(f'"{word}"' for word in words)


def slot(world, case, number):
    directory = SIGNATURES[case.signature][1]
    suffix = {"0": "", "1": "1"}.get(number, "4")
    key = "end_responder4.key" if suffix == "4" else "end_responder.key"
    return (f'    {{ slot = {number}; chain = "{world.peer.file(directory, f"bundle_responder.certchain{suffix}.der")}";'
            f' key = "{world.peer.file(directory, key)}"; }}')


def same_keys(name):
    """Signature algorithms that the key of this one can do."""
    return [other for other, value in SIGNATURES.items() if value[1] == SIGNATURES[name][1]]


def device(world, case, logs):
    """The description of a device with the peer's own sample keys, which its requester trusts."""
    pinned = case.get("pin", "both") in ("both", "ours")
    capabilities = 'capabilities = ["CERT", "CHAL", "MEAS_NO_SIG"];' if case.get("meas") == "unsigned" else ""
    path = os.path.join(logs, "device.cfg")
    with open(path, "w") as f:
        f.write(DEVICE.format(
            versions=listed([case.version] if pinned else ["1.4", "1.3", "1.2", "1.1", "1.0"]),
            hashes=listed([case.hash] if pinned else sorted(HASHES, key=lambda name: name != case.hash)),
            signatures=listed([case.signature] if pinned else same_keys(case.signature)),
            slots=",\n".join(slot(world, case, number) for number in case.get("slots", "0").split()),
            capabilities="" if "capabilities" in case.get("device") else capabilities,
            one="01" * 72, two="02" * 72, more=case.get("device").replace("$KEYS", world.peer.file(
                SIGNATURES[case.signature][1]))))
    return path


def peer_options(case, port, logs):
    pinned = case.get("pin", "both") in ("both", "peer")
    options = ["--trans", TRANSPORTS[case.transport][0], "--port", str(port)]
    if case.transport in ("mctp", "doe"):
        options += ["--pcap", os.path.join(logs, "peer.pcap")]
    if case.get("pin") == "none":
        pass
    elif pinned:
        options += ["--ver", case.version, "--hash", case.hash, *only_signature(case.signature)]
    else:
        options += ["--hash", ",".join(HASHES), *every_signature(case.signature)]
    meas = case.get("meas", "all")
    if meas != "own":
        options += MEASURE[meas].split() + ["--exe_session", "NO_END"]
    return options + case.words("peer")


def check_peer(case, code, said):
    """The peer ends with 0 also after a wrong option and after some failures: what it printed counts as well."""
    wanted = int(case.get("exit", "0"))
    errors = [line for line in said.splitlines() if "ERROR:" in line or line.startswith("do_spdm")]
    fine = code == 0 and "Client stopped" in said and not errors
    if wanted == 0:
        expect(fine, f"the peer ended with {code}: {' '.join(errors)[:200] or said.strip()[-200:]}")
    else:
        expect(not fine, "the peer succeeded")


def check_ours(case, code, said):
    expect(code == 0, f"ours ended with {code}: {said.strip()[-200:]}")
    served = re.search(r"served (\d+) clients .* refused (\d+) requests", said)
    expect(served is not None, "ours has no summary")
    expect(case.get("reason") in said, "ours does not say: " + case.get("reason"))
    refused = case.get("refused", "0")
    if refused != "any":
        expect(served[2] == refused, f"ours refused {served[2]} requests, not {refused}")


def served(world, case, port, logs, count=""):
    theirs = world.peer.start(REQUESTER, peer_options(case, port, logs), os.path.join(logs, f"peer{count}.log"),
                              world.limit)
    try:
        return theirs, theirs.wait(world.limit + 5)
    finally:
        theirs.end()


def run(world, case, logs):
    able(world, case)
    do, proxy = case.get("do"), None
    ports = os.path.join(logs, "ports")
    command = [world.spdm, "respond", "--trace", "--port-file", ports, "--listen",
               f"{TRANSPORTS[case.transport][1]}://127.0.0.1:0", device(world, case, logs)]
    ours = Program(command, os.path.join(logs, "ours.log"), limit=world.limit)
    try:
        if not ours.wait_for(lambda: os.path.exists(ports)):
            raise Failed("ours does not listen: " + ours.text().strip()[-300:])
        with open(ports) as f:
            port = int(f.read())
        if do and do != "twice":
            proxy = Proxy(port, do, None)
        theirs, code = served(world, case, proxy.port if proxy else port, logs)
        if case.transport == "none" and "GET_VERSION" not in ours.text():
            raise Skipped("the peer sends nothing over transport NONE")
        check_peer(case, code, theirs.text())
        if do == "twice":
            theirs, code = served(world, case, port, logs, 2)
            check_peer(case, code, theirs.text())
        expect(proxy is None or proxy.done, f"{do}: there was no such message")
        ours.terminate()
        check_ours(case, ours.wait(10), ours.text())
        facts = conversation(case, os.path.join(logs, "peer.pcap"))
        if facts is not None and code == 0 and case.get("meas", "all") != "own":
            measured(case, facts)
    finally:
        if proxy:
            proxy.close()
        ours.end()
