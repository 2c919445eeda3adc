#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
#
# mistakes.py SPDM DIR VERSION...: conversations that are signed once more, with the mistakes that implementations make,
# and what `spdm decode` has to say of each. Nothing of the project is used to make them: the signatures are OpenSSL's,
# the transcripts are put together here.
#
# DIR holds good.key, other.key (RSA, slots 0 and 2), good-root.der, long.der (a leaf for good.key) and, as
# `spdm decode --json --bytes` shows them, VERSION.json of a CHALLENGE, the measurements one by one, and the last of
# them signed; and session.json.
import hashlib
import hmac
import json
import subprocess
import sys

spdm, here = sys.argv[1:3]
failures = 0


def messages(path):
    with open(path, encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    return [m for m in lines if m["kind"] == "message" and m["inside"] is None and m["session"] is None]


class Talk:
    """Messages in order, and their parts by name."""

    def __init__(self, path):
        self.log = [(">" if m["from"] == "requester" else "<", m["name"], bytes.fromhex(m["bytes"])) for m in messages(path)]
        self.version = max(m[2][0] for m in self.log) & 15
        self.vca = b"".join(m[2] for m in self.log[:6])

    def part(self, *names):
        """The bytes of all messages with these names."""
        return b"".join(m[2] for m in self.log if m[1] in names)

    def until(self, name):
        """A copy that ends with the last message of this name."""
        out = Talk.__new__(Talk)
        last = max(i for i, m in enumerate(self.log) if m[1] == name)
        out.log, out.version, out.vca = self.log[: last + 1], self.version, self.vca
        return out


def sign(data, key="good", digest="sha384"):
    options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
    command = ["openssl", "dgst", f"-{digest}", *options, "-sign", f"{here}/{key}.key"]
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def signature(transcript, version, context, key="good", digest="sha384", prefixed=True):
    """What a key signs from 1.2 on: the prefix and the digest; before, the transcript."""
    if version < 2 or not prefixed:
        return sign(transcript, key, digest)
    prefix = b"dmtf-spdm-v1.%d.*" % version * 4
    prefix += bytes(100 - len(prefix) - len(context)) + context.encode()
    return sign(prefix + hashlib.new(digest, transcript).digest(), key, digest)


def frame(message, doe):
    if not doe:
        return message
    padded = message + bytes(-len(message) % 4)
    return bytes.fromhex("01000100") + (len(padded) // 4 + 2).to_bytes(4, "little") + padded


def decode(log, doe=False, options=()):
    text = "".join(f"{mark} {frame(message, doe).hex()}\n" for mark, _, message in log)
    got = subprocess.run([spdm, "decode", "-j", *options, "-"], input=text.encode(), stdout=subprocess.PIPE, check=False)
    lines = [json.loads(line) for line in got.stdout.splitlines()]
    return got.returncode, [m for m in lines if m["inside"] is None]


def expect(what, log, at, words, doe=False, options=(), member="signature"):
    """The message at `at` is wrong, and that is why; None: nothing is known to explain it, "": it is right."""
    global failures
    code, lines = decode(log, doe, options)
    m = lines[at]
    thing = "the signature" if member == "signature" else "the HMAC"
    note = f"{thing} verifies if {words}" if words else None
    good = m[member] == ("good" if words == "" else "bad") and code == (0 if words == "" else 1)
    if not good or (words != "" and m["note"] != note):
        print(f"FAILED: {what}: {m['name']} is {m[member]}, exit code {code}, '{m['note']}', not '{note}'")
        failures += 1


def replace(log, at, value, before=0):
    """The last len(value) bytes of a message, but for `before` behind them."""
    mark, name, message = log[at]
    end = len(message) - before
    return log[:at] + [(mark, name, message[: end - len(value)] + value + message[end:])] + log[at + 1 :]


# ---- CHALLENGE_AUTH ----


def challenge(version):
    talk = Talk(f"{here}/{version}.json").until("CHALLENGE_AUTH")
    at, v = len(talk.log) - 1, talk.version
    auth, request = talk.log[at][2][:-384], talk.part("CHALLENGE")
    digests, chain = talk.part("GET_DIGESTS", "DIGESTS"), talk.part("GET_CERTIFICATE", "CERTIFICATE")
    context, right = "responder-challenge_auth signing", talk.vca + digests + chain + request + auth

    def case(words, transcript, change=lambda s: s, log=talk.log, **how):
        value = change(signature(transcript, how.pop("version", v), how.pop("context", context), **how))
        options = ["--chain", f"2:{here}/other.pem"]
        expect(f"1.{v} CHALLENGE_AUTH, {words}", replace(log, len(log) - 1, value), len(log) - 1, words, options=options)

    case("", right)
    case(None, right + b"x")
    case("the VCA is left out", digests + chain + request + auth)
    case("GET_DIGESTS and DIGESTS are left out", talk.vca + chain + request + auth)
    case("GET_CERTIFICATE and CERTIFICATE are left out", talk.vca + digests + request + auth)
    case("everything between VCA and CHALLENGE is left out", talk.vca + request + auth)
    case("the request is left out", talk.vca + digests + chain + auth)
    case("SHA_256 is used instead of SHA_384", right, digest="sha256")
    case("the key is that of slot 2", right, key="other")
    twice = talk.log[:-2] + talk.log[6:]
    case("what came before the last GET_DIGESTS is still covered", talk.vca + digests + chain + digests + chain + request + auth, log=twice)
    if v < 2:
        return
    case("the signature is read in the other byte order", right, change=lambda s: s[::-1])
    case("the signing prefix is left out", right, prefixed=False)
    case("the signing prefix names the other role", right, context=context.replace("responder", "requester"))
    case("the signing prefix is that of version 1.%d" % (5 - v), right, version=5 - v)
    case("the VCA is left out and the signing prefix is left out", digests + chain + request + auth, prefixed=False)
    padded = [m[2] + bytes(-len(m[2]) % 4) for m in talk.log[:-1]]
    value = signature(b"".join(padded) + auth, v, context)
    words = "the padding of the transport is covered, too"
    expect(f"1.{v}, {words}", replace(talk.log, at, value), at, words, doe=True)


# ---- MEASUREMENTS ----


def measurements(version):
    talk = Talk(f"{here}/{version}.json")
    # the last is signed; the one before it becomes one that is not
    request, response = (m[2] for m in talk.log[-4:-2])
    at, v = len(talk.log) - 1, talk.version
    unsigned = request[:2] + b"\0" + request[3:4] + (request[-8:] if v >= 3 else b"")  # RequesterContext
    talk.log[-4:-2] = [(">", "", unsigned), ("<", "", response[:-384])]
    last, before = talk.log[at][2][:-384], talk.log[-4][2] + talk.log[-3][2]
    request, context = talk.log[at - 1][2], "responder-measurements signing"

    def case(words, transcript):
        value = signature(transcript, v, context)
        expect(f"1.{v} MEASUREMENTS, {words}", replace(talk.log, at, value), at, words)

    case("" if v >= 2 else "the VCA is covered, too", talk.vca + before + request + last)
    case("the VCA is left out" if v >= 2 else "", before + request + last)
    vca = talk.vca if v >= 2 else b""
    case("only the last exchange is covered", vca + request + last)
    case("the request is left out", vca + before + last)


# ---- KEY_EXCHANGE_RSP, which has its HMAC behind the signature ----


def key_exchange():
    talk = Talk(f"{here}/session.json").until("KEY_EXCHANGE_RSP")
    at, context, hmac_size = len(talk.log) - 1, "responder-key_exchange_rsp signing", 48
    chain = hashlib.sha384(talk.part("CERTIFICATE")[8:]).digest()
    request, response = talk.part("KEY_EXCHANGE"), talk.log[at][2][: -384 - hmac_size]

    def case(words, transcript):
        value = signature(transcript, talk.version, context)
        expect(f"KEY_EXCHANGE_RSP, {words}", replace(talk.log, at, value, hmac_size), at, words)

    case("", talk.vca + chain + request + response)
    case("the VCA is left out", chain + request + response)
    case("the digest of the certificate chain is left out", talk.vca + request + response)
    case("DIGESTS is covered, although this is no multi-key connection", talk.vca + talk.part("DIGESTS") + chain + request + response)


# ---- FINISH of a recorded conversation, in the clear, whose shared secret is known ----


def expand(secret, label, context, size, version):
    info = size.to_bytes(2, "little") + b"spdm1.%d " % version + label + context
    out, block, i = b"", b"", 1
    while len(out) < size:
        block = hmac.new(secret, block + info + bytes([i]), "sha384").digest()
        out, i = out + block, i + 1
    return out[:size]


def finish():
    capture = "tests/data/captures/mut-auth-NO"
    with open(capture + ".secrets", encoding="ascii") as f:
        shared = bytes.fromhex(next(line for line in f if line.startswith("dhe ")).split()[1])
    done = subprocess.run([spdm, "decode", "-j", "-x", capture + ".pcap"], stdout=subprocess.PIPE, check=True)
    with open(f"{here}/finish.json", "wb") as f:
        f.write(done.stdout)
    talk = Talk(f"{here}/finish.json")
    first = [name for _, name, _ in talk.log].index("FINISH")
    talk.log = talk.log[: first + 1]
    chain = hashlib.sha384(next(m for _, name, m in talk.log if name == "CERTIFICATE")[16:]).digest()
    digests = next(m for _, name, m in talk.log if name == "DIGESTS")
    request, response = talk.part("KEY_EXCHANGE"), talk.part("KEY_EXCHANGE_RSP")
    whole, size = talk.log[-1][2], 48
    sent = whole[:-size]

    def proof(th1, covered):
        salted = hmac.new(bytes(size), shared, "sha384").digest()
        secret = expand(salted, b"req hs data", hashlib.sha384(th1).digest(), size, talk.version)
        key = expand(secret, b"finished", b"", size, talk.version)
        return hmac.new(key, hashlib.sha384(covered).digest(), "sha384").digest()

    # DIGESTS counts: this is a multi-key connection
    th1 = talk.vca + digests + chain + request + response
    if proof(th1, th1 + sent) != whole[-size:]:
        sys.exit("FINISH as it was recorded has another HMAC")

    def case(words, covered):
        log = replace(talk.log, first, proof(th1, covered))
        expect(f"FINISH, {words}", log, first, words, options=["--secrets", capture + ".secrets"], member="verify_data")

    case("", th1 + sent)
    case(None, th1 + sent + b"x")
    case("the VCA is left out", th1[len(talk.vca) :] + sent)
    case("the digest of the certificate chain is left out", talk.vca + digests + request + response + sent)
    case("DIGESTS is left out", talk.vca + chain + request + response + sent)
    case("the opaque data of FINISH are left out, as the text of 1.4.0 has it", th1 + sent[:4])


# ---- no mistake, but a chain that is longer than SPDM had room for ----


def long_chain():
    talk = Talk(f"{here}/1.4.json").until("CHALLENGE_AUTH")
    with open(f"{here}/good-root.der", "rb") as root, open(f"{here}/long.der", "rb") as leaf:
        root, leaf = root.read(), leaf.read()
    certificates = hashlib.sha384(root).digest() + root + leaf
    chain = (len(certificates) + 4).to_bytes(4, "little") + certificates
    digest, size = hashlib.sha384(chain).digest(), len(chain).to_bytes(4, "little")
    log = []
    for mark, name, message in talk.log:
        if name == "DIGESTS":
            message = message[:4] + digest + message[52:]
        elif name == "GET_CERTIFICATE":
            message = bytes.fromhex("1482800000000000") + bytes(4) + size
        elif name == "CERTIFICATE":
            message = bytes.fromhex("1402800000000000") + size + bytes(4) + chain
        elif name == "CHALLENGE_AUTH":
            message = message[:4] + digest + message[52:]
        log.append((mark, name, message))
    if len(chain) < 1 << 16 or [name for _, name, _ in log].count("CERTIFICATE") != 1:
        sys.exit("this chain is not long, or not read at once")
    value = signature(b"".join(m[2] for m in log)[:-384], 4, "responder-challenge_auth signing")
    expect("a long chain", replace(log, len(log) - 1, value), len(log) - 1, "")
    value = signature(b"".join(m[2] for m in log)[6:-384], 4, "responder-challenge_auth signing")
    expect("a long chain, no mistake that is known", replace(log, len(log) - 1, value), len(log) - 1, None)


for v in sys.argv[3:]:
    challenge(v)
    measurements(v)
key_exchange()
finish()
long_chain()
sys.exit(failures != 0)
