# SPDX-License-Identifier: BSD-3-Clause
#
# The second reading of messages beyond attestation and sessions; layout.py has the others and says what a reading is.

V13, V14 = 0x13, 0x14


# ---- provisioning ----

def get_csr(r):
    r.members["key_pair"] = r.number_since(V13, "KeyPairID", 1)
    attributes = r.number_since(V13, "Param2", 1)
    r.members.update(model=attributes & 7, tag=attributes >> 3 & 7, overwrite=attributes >> 7)
    info = r.number("RequesterInfoLength", 2)
    opaque = r.number("OpaqueDataLength", 2)
    r.bytes("RequesterInfo", info, "info")
    r.opaque_data(opaque)


def csr(r):
    r.reserved(2)
    n = r.number("CSRLength", 2)
    r.reserved(2)
    r.bytes("CSRdata", n, "csr")


def set_certificate(r):
    param1 = r.number("SlotID", 1)
    r.members["slot"] = param1 & 15
    r.members["model"] = param1 >> 4 & 7 if r.since(V13) else 0
    r.members["erase"] = param1 >> 7 if r.since(V13) else 0
    r.members["key_pair"] = r.number_since(V13, "KeyPairID", 1)
    r.bytes("CertChain", len(r.data) - r.at, "chain")


def set_certificate_rsp(r):
    r.members["slot"] = r.number("SlotID", 1) & 15
    r.reserved(1)


def get_key_pair_info(r):
    r.reserved(2)
    r.number("KeyPairID", 1, "id")


def _mask(r, length, name, member):
    """A post-quantum mask behind its length."""
    r.members[member] = 0
    if not r.since(V14):
        return
    n = r.number(length, 1)
    if n:
        r.number(name, min(n, 4), member)
    r.bytes(name, max(n - 4, 0))


def key_pair_info(r):
    r.reserved(2)
    r.number("TotalKeyPairs", 1, "total")
    r.number("KeyPairID", 1, "id")
    r.number("Capabilities", 2, "capabilities")
    r.number("KeyUsageCapabilities", 2, "usages")
    r.number("CurrentKeyUsage", 2, "usage")
    r.number("AsymAlgoCapabilities", 4, "asyms")
    r.number("CurrentAsymAlgo", 4, "asym")
    n = r.number("PublicKeyInfoLen", 2)
    r.number("AssocCertSlotMask", 1, "slots")
    r.bytes("PublicKeyInfo", n, "public_key_info")
    _mask(r, "PqcAsymAlgoCapLen", "PqcAsymAlgoCapabilities", "pqcs")
    _mask(r, "CurrentPqcAsymAlgoLen", "CurrentPqcAsymAlgo", "pqc")


def set_key_pair_info(r):
    operation = r.number("Operation", 1, "operation")
    r.reserved(1)
    r.number("KeyPairID", 1, "id")
    if operation == 1:
        return
    r.reserved(1)
    r.number("DesiredKeyUsage", 2, "usage")
    r.number("DesiredAsymAlgo", 4, "asym")
    r.number("DesiredAssocCertSlotMask", 1, "slots")
    _mask(r, "DesiredPqcAsymAlgoLen", "DesiredPqcAsymAlgo", "pqc")


# ---- what a device tells of itself ----

def get_endpoint_info(r):
    r.number("SubCode", 1, "sub_code")
    r.members["slot"] = r.number("SlotID", 1) & 15
    signed = r.number("RequestAttributes", 1) & 1
    r.members["sign"] = signed
    r.reserved(3)
    r.bytes("Nonce", 32 if signed else 0, "nonce")


def endpoint_info(r):
    r.reserved(1)
    r.members["slot"] = r.number("SlotID", 1) & 15
    r.reserved(4)
    r.bytes("Nonce", 32 if r.shape.sign else 0, "nonce")
    r.bytes("EPInfo", r.number("EPInfoLen", 4), "info")
    r.bytes("Signature", r.shape.sig if r.shape.sign else 0, "signature")


def get_measurement_extension_log(r):
    r.reserved(2)
    r.number("Offset", 4, "offset")
    r.number("Length", 4, "length")


def measurement_extension_log(r):
    r.reserved(2)
    n = r.number("PortionLength", 4)
    r.number("RemainderLength", 4, "remainder")
    r.bytes("MEL", n, "portion")
