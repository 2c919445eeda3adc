# SPDX-License-Identifier: BSD-3-Clause
#
# Our responder as people run it, `spdm respond`, with sessions against the peer's requester: what sessions.py does
# with the bare engine, here with a description, its judge, its keys and its log.
import os
import re
from names import SIGNATURES, TRANSPORTS
from peer import REQUESTER, Program
from proxy import Proxy
from respond import check_ours, check_peer, listed, same_keys, slot
from result import Failed, Skipped, able, conversation, expect
from sessions import SESSION, pinned, their_keys

DEVICE = """\
name = "interop";
versions = [{versions}];
{capabilities}
algorithms: {{ hashes = [{hashes}]; signatures = [{signatures}]; measurement_hash = "SHA_384"; {algorithms} }};
slots = (
{slots}
);
sessions: {{ {sessions} }};
{requesters}
measurements = (
    {{ index = 1; type = "rom"; text = "rom"; form = "digest"; }},
    {{ index = 2; type = "firmware"; text = "firmware"; form = "digest"; }},
    {{ index = 4; type = "svn"; number = 7; }}
);
{more}
"""
# the peer's sample key, each with the zero behind the text
PSKS = 'psks = ( { hint_hex = "546573 7450736b 48696e74 00"; hex = "546573 7450736b 44617461 00"; } );'
ASKING = {
    "NO": "",
    "WO_ENCAP": 'requesters: {{ chain = "{keys}/bundle_requester.certchain.der"; }};',
    "W_ENCAP": 'requesters: {{ trust = "{keys}/ca.cert.der"; }};',
    "DIGESTS": 'requesters: {{ trust = "{keys}/ca.cert.der"; authentication = "digests"; }};',
}


def capabilities(case):
    """None are named unless the case takes one away or adds one: then all that the description can back up."""
    if not (case.has("clear") or case.has("mac") or case.has("caps")):
        return ""
    names = ["CERT", "CHAL", "MEAS_SIG", "MEAS_FRESH", "KEY_EX", "PSK_WITH_CONTEXT", "MAC", "HBEAT", "KEY_UPD"]
    if case.get("mac") != "yes":
        names.append("ENCRYPT")
    if case.get("clear") == "yes":
        names.append("HANDSHAKE_IN_THE_CLEAR")
    if case.get("mut", "NO") != "NO" or "requesters" in case.get("device"):
        names += ["MUT_AUTH", "ENCAP"]
    for word in case.words("caps"):
        names = names + [word[1:]] if word[0] == "+" else [name for name in names if name != word[1:]]
    return f"capabilities = [{listed(names)}];"


def algorithms(case):
    named = {"exchanges": case.get("dhe"), "aeads": case.get("aead"), "requester_signatures": case.get("req")}
    return " ".join(f'{name} = "{value}";' for name, value in named.items() if value)


def device(world, case, logs):
    ours = case.get("pin", "both") != "none"
    requesters = ASKING[case.get("mut", "NO")].format(keys=world.peer.file(their_keys(case)))
    more = case.get("device").replace("$KEYS", world.peer.file(SIGNATURES[case.signature][1]))
    more = more.replace("$REQ", world.peer.file(their_keys(case)))
    path = os.path.join(logs, "device.cfg")
    with open(path, "w") as f:
        f.write(DEVICE.format(
            versions=listed([case.version] if ours else ["1.4", "1.3", "1.2", "1.1", "1.0"]),
            capabilities=capabilities(case), hashes=listed([case.hash]),
            signatures=listed([case.signature] if ours else same_keys(case.signature)), algorithms=algorithms(case),
            slots=",\n".join(slot(world, case, number) for number in case.get("slots", "0").split()),
            sessions=" ".join(([] if "psks" in case.get("sessions") else [PSKS]) + case.words("sessions")), requesters=requesters, more=more))
    return path


def says(case):
    """What our log must tell; regular expressions."""
    texts = case.words("says")
    if case.get("exit", "0") != "0" or case.version == "1.0":
        return texts
    asked = case.get("peer").partition("--exe_session")[2] or SESSION.partition("--exe_session")[2]
    aead = case.get("aead", r"\w+") + (" without encryption" if case.get("mac") == "yes" else "")
    asks = case.get("mut", "NO") != "NO" or "public_key = " in case.get("device") and "requesters" in case.get("device")
    who = ", requester (.*CN=|as it is known here)" if asks else "(, requester .*CN=.*)?$"
    if "KEY_EX" in asked:
        texts.append(rf"session [0-9a-f]{{8}} opened by {case.get('dhe', '[A-Z0-9_]+')}, {aead}{who}")
    if "PSK" in asked:
        texts.append(rf"session [0-9a-f]{{8}} opened by a pre-shared key, {aead}$")
    return texts + ["closed: the session was ended"]


def run(world, case, logs):
    able(world, case)
    proxy, ports = None, os.path.join(logs, "ports")
    command = [world.spdm, "respond", "--port-file", ports, "--listen",
               f"{TRANSPORTS[case.transport][1]}://127.0.0.1:0", *case.words("ours"), device(world, case, logs)]
    ours = Program(command, os.path.join(logs, "ours.log"), limit=world.limit)
    theirs = None
    try:
        if not ours.wait_for(lambda: os.path.exists(ports)):
            unable = re.search(r"\w+ is not supported by this OpenSSL", ours.text())
            if unable:
                raise Skipped(unable[0])
            raise Failed("ours does not listen: " + ours.text().strip()[-300:])
        with open(ports) as f:
            port = int(f.read())
        if case.has("do"):
            proxy = Proxy(port, case.get("do"), None)
        options = ["--trans", TRANSPORTS[case.transport][0], "--port", str(proxy.port if proxy else port)]
        if case.transport in ("mctp", "doe"):
            options += ["--pcap", os.path.join(logs, "peer.pcap")]
        options += pinned(case)[0] + ([] if "--exe_session" in case.get("peer") else SESSION.split())
        theirs = world.peer.start(REQUESTER, options + case.words("peer"), os.path.join(logs, "peer.log"), world.limit)
        code = theirs.wait(world.limit + 5)
        expect(not proxy or proxy.done, f"{case.get('do')}: there was no such message")
        check_peer(case, code, theirs.text())
        ours.terminate()
        check_ours(case, ours.wait(10), ours.text())
        for text in says(case):
            expect(re.search(text, ours.text(), re.MULTILINE), f"ours does not say: {text}")
        conversation(case, os.path.join(logs, "peer.pcap"))
    finally:
        if proxy:
            proxy.close()
        for program in (theirs, ours):
            if program:
                program.end()
