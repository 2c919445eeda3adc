# SPDX-License-Identifier: BSD-3-Clause
#
# Sessions: our engines, through interop_driver, against the peer's programs in both roles. What the driver prints is
# checked, and what the peer makes of it.
import os
import re
from names import AEADS, MUTUAL, SIGNATURES, TRANSPORTS, only_exchange, only_signature
from peer import REQUESTER, RESPONDER, Program, free_port, listening, shut_down
from proxy import Proxy
from respond import check_peer
from result import Failed, Skipped, able, conversation, expect

STEPS = "connect session in:measure in:update1 in:update2 beat in:end"
SESSION = "--exe_conn DIGEST,CERT --exe_session KEY_EX,MEAS,KEY_UPDATE,HEARTBEAT --meas_op ALL"
DEVICE = """\
slots = (
{slots}
);
{more}
"""
MEASUREMENTS = """\
measurements = (
    { index = 1; type = "rom"; text = "rom"; form = "digest"; },
    { index = 2; type = "firmware"; text = "firmware"; form = "digest"; },
    { index = 4; type = "svn"; number = 7; }
);
"""


def pinned(case):
    """Options of the peer and settings of ours that both have."""
    theirs = ["--ver", case.version, "--hash", case.hash, *only_signature(case.signature)]
    ours = [f"version={case.version}", f"hash={case.hash}", f"signature={case.signature}"]
    if case.get("pin") == "none":
        theirs, ours = [], []
    if case.has("dhe"):
        theirs += only_exchange(case.get("dhe"))
        ours += [f"exchange={case.get('dhe')}"]
    if case.has("aead"):
        theirs += ["--aead", AEADS[case.get("aead")]]
        ours += [f"aead={case.get('aead')}"]
    if case.has("secured"):
        theirs += ["--sec_ver", case.get("secured")]
    if case.has("req"):
        theirs += only_signature(case.get("req"), "--req_")
        ours += [f"req-signature={case.get('req')}"]
    if case.get("clear") == "no":
        ours += ["caps=-HANDSHAKE_IN_THE_CLEAR_CAP"]
    if case.get("mac") == "yes":
        ours += ["caps=-ENCRYPT_CAP"]
    return theirs, ours


def identity(world, directory, who, slots, more, path):
    """A description with the peer's sample chains: of its responder for ours, of its requester for ours."""
    lines = []
    for number in slots.split():
        suffix = {"0": "", "1": "1"}.get(number, "4")
        key = f"end_{who}{suffix if suffix == '4' else ''}.key"
        lines.append(f'    {{ slot = {number}; chain = "{world.peer.file(directory, f"bundle_{who}.certchain{suffix}.der")}"; '
                     f'key = "{world.peer.file(directory, key)}"; }}')
    with open(path, "w") as f:
        f.write(DEVICE.format(slots=",\n".join(lines), more=more))
    return path


def mutual(case):
    turned = case.get("do").startswith("endpoint")
    return case.get("mut", "NO") != "NO" or turned or "basic-mut-auth=1" in case.get("set") or "BASIC" in case.get("peer")


def their_keys(case):
    return SIGNATURES[case.get("req", "RSAPSS_3072")][1]


def start_ours(world, case, command, logs):
    if not os.access(world.driver, os.X_OK):
        raise Skipped("interop_driver is not built: make test builds it")
    log = os.path.join(logs, "ours.log")
    ours = Program([world.driver, *command], log, limit=world.limit)
    return ours


def substitute(world, case, words):
    keys = world.peer.file(SIGNATURES[case.signature][1])
    return [word.replace("$KEYS", keys).replace("$PEER", world.peer.directory) for word in words]


def opens(case):
    """Whether a session is opened at all: errands can do without."""
    steps = case.get("steps") or STEPS
    if case.role == "responder":
        return "--exe_session NO_END" not in case.get("peer")
    return any(word in ("session", "psk") for step in steps.split() for word in step.split("+"))


def opened(case):
    """The line that tells of a session, as the case wants it."""
    steps, asked = case.get("steps").split(), case.get("peer").partition("--exe_session")[2]
    psk = int("psk" in steps or "PSK" in asked)
    both = psk and ("session" in steps or "KEY_EX" in asked)
    parts = ["opened id=[0-9a-f]{8}", "psk=[01]" if both else f"psk={psk}",
             f"mac-only={int(case.get('mac') == 'yes')}",
             "clear=[01]" if psk else f"clear={int(case.get('clear', 'yes') == 'yes')}",
             "secured=" + re.escape(case.get("secured", "" if "secured=" in case.get("set") else "1.2"))]
    return " ".join(parts)


def able_ours(said):
    at = said.find("the crypto library cannot do")
    if at >= 0:
        raise Skipped(said[at:].split("\n")[0])


def check_ours(case, code, said):
    wanted = int(case.get("exit", "0")) if case.role == "requester" else 0
    able_ours(said)
    lines = [line for line in said.splitlines() if line.startswith(("failed", "interop_driver:", "refused"))]
    expect(code == wanted, f"ours ended with {code}, not {wanted}: {' | '.join(lines)[:300]}")
    texts = case.words("says")
    if case.get("exit", "0") == "0":
        texts += [opened(case)] if case.version > "1.0" and opens(case) else []
        if case.get("pin") != "none":
            texts.append(f"negotiated version={re.escape(case.version)} hash={case.hash} signature={case.signature} "
                         f"exchange={case.get('dhe', '.*')} aead={case.get('aead', '.*')} ")
    for text in texts:
        expect(re.search("^" + text, said, re.MULTILINE), f"ours does not say: {text}")
    if case.role == "requester" and case.get("exit", "0") == "0":
        signed = re.search("^signed slot=", said, re.MULTILINE) is not None
        expect(signed == mutual(case), f"our key was {'' if signed else 'not '}asked for")
    if case.role == "responder" and case.get("refused", "0") == "0":
        refused = [line for line in said.splitlines() if line.startswith("refused")]
        expect(not refused or case.get("exit", "0") != "0", " | ".join(refused)[:300])


def errors_of(said):
    return [line for line in said.splitlines() if "ERROR" in line]


# ---- our requester ----


def ask(world, case, logs):
    port, proxy = free_port(), None
    options, settings = pinned(case)
    theirs_options = ["--trans", TRANSPORTS[case.transport][0], "--ip", "127.0.0.1", "--port", str(port)]
    if case.transport in ("mctp", "doe"):
        theirs_options += ["--pcap", os.path.join(logs, "peer.pcap")]
    theirs_options += [*options, "--mut_auth", case.get("mut", "NO")]
    if "--basic_mut_auth" not in case.get("peer"):
        theirs_options += ["--basic_mut_auth", "NO"]
    theirs_options += case.words("peer")
    settings.append(f"trust={world.peer.file(SIGNATURES[case.signature][1], case.get('trust', 'ca') + '.cert.der')}")
    if mutual(case) or "ENCAP_CAP" in case.get("set"):
        path = identity(world, their_keys(case), "requester", "0 1", "", os.path.join(logs, "requester.cfg"))
        settings += [f"device={path}", "caps=+MUT_AUTH_CAP,ENCAP_CAP"]
    settings += substitute(world, case, case.words("set"))
    theirs = world.peer.start(RESPONDER, theirs_options, os.path.join(logs, "peer.log"), world.limit)
    ours = None
    try:
        if not theirs.wait_for(lambda: listening(port)):
            raise Failed("the peer does not listen: " + theirs.text().strip()[-200:])
        if case.has("do"):
            proxy = Proxy(port, case.get("do"), theirs.kill)
        target = f"{TRANSPORTS[case.transport][1]}://127.0.0.1:{proxy.port if proxy else port}"
        ours = start_ours(world, case, ["requester", target, *settings, *substitute(world, case, case.get("steps", STEPS).split())], logs)
        code = ours.wait(world.limit + 5)
        expect(not proxy or proxy.done, f"{case.get('do')}: there was no such message")
        shut_down(port, TRANSPORTS[case.transport][2])
        theirs.wait(5)
        check_ours(case, code, ours.text())
        if case.get("exit", "0") == "0":
            expect(not errors_of(theirs.text()), "the peer says: " + " | ".join(errors_of(theirs.text()))[:300])
        conversation(case, os.path.join(logs, "peer.pcap"))
    finally:
        if proxy:
            proxy.close()
        for program in (ours, theirs):
            if program:
                program.end()


# ---- our responder ----


def answer(world, case, logs):
    proxy = None
    options, settings = pinned(case)
    path = identity(world, SIGNATURES[case.signature][1], "responder", case.get("slots", "0"),
                    MEASUREMENTS + case.get("device").replace("$KEYS", world.peer.file(SIGNATURES[case.signature][1])),
                    os.path.join(logs, "device.cfg"))
    settings += [f"device={path}", "heartbeat=120"]
    if mutual(case):
        root = world.peer.file(their_keys(case), "ca.cert.der")
        settings += ["caps=+MUT_AUTH_CAP,ENCAP_CAP", f"trust={root}", f"mut-auth={MUTUAL[case.get('mut', 'NO')]}"]
        if case.get("mut", "NO") != "NO":
            settings.append("mut-auth-required=1")
        if case.get("mut") == "WO_ENCAP":
            settings.append("peer-chain=" + world.peer.file(their_keys(case), "bundle_requester.certchain.der"))
    settings += substitute(world, case, case.words("set"))
    target = f"{TRANSPORTS[case.transport][1]}://127.0.0.1:0"
    ours = start_ours(world, case, ["responder", target, *settings], logs)
    theirs = None
    try:
        if not ours.wait_for(lambda: re.search(r"^listening \d+$", ours.text(), re.MULTILINE)):
            able_ours(ours.text())
            raise Failed("ours does not listen: " + ours.text().strip()[-300:])
        port = int(re.search(r"^listening (\d+)$", ours.text(), re.MULTILINE)[1])
        if case.has("do"):
            proxy = Proxy(port, case.get("do"), None)
        theirs_options = ["--trans", TRANSPORTS[case.transport][0], "--port", str(proxy.port if proxy else port)]
        if case.transport in ("mctp", "doe"):
            theirs_options += ["--pcap", os.path.join(logs, "peer.pcap")]
        theirs_options += options + (case.words("peer") if "--exe_session" in case.get("peer")
                                     else SESSION.split() + case.words("peer"))
        theirs = world.peer.start(REQUESTER, theirs_options, os.path.join(logs, "peer.log"), world.limit)
        code = theirs.wait(world.limit + 5)
        expect(not proxy or proxy.done, f"{case.get('do')}: there was no such message")
        ours_code = ours.wait(10)
        check_peer(case, code, theirs.text())
        check_ours(case, ours_code, ours.text())
        conversation(case, os.path.join(logs, "peer.pcap"))
    finally:
        if proxy:
            proxy.close()
        for program in (theirs, ours):
            if program:
                program.end()


def run(world, case, logs):
    able(world, case)
    (ask if case.role == "requester" else answer)(world, case, logs)
