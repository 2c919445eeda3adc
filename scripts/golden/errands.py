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


def _mask(r, length, name, member=None):
    """A post-quantum mask behind its length."""
    if member:
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


def _svh(r):
    r.number("SVH.ID", 1)
    r.bytes("SVH.VendorID", r.number("SVH.VendorIDLen", 1))


def _device_classes(r, start, n):
    """Device classes; their fields lie inside EPInfo."""
    r.at = start
    count = r.number("NumIdentifiers", 1)
    r.reserved(3)
    for _ in range(count):
        end = r.number("IDElemLength", 1) + r.at
        _svh(r)
        for _ in range(r.number("NumSubIDs", 1)):
            r.bytes("SubIdentifier", r.number("SubIDLen", 1))
        if r.at != end:
            raise ValueError("IDElemLength")
    if r.at != start + n:
        raise ValueError("EPInfo")


def endpoint_info(r):
    r.reserved(1)
    r.members["slot"] = r.number("SlotID", 1) & 15
    r.reserved(4)
    r.bytes("Nonce", 32 if r.shape.sign else 0, "nonce")
    n = r.number("EPInfoLen", 4)
    _device_classes(r, r.bytes("EPInfo", n, "info"), n)
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


# ---- events ----

def _groups(r, start, n, count):
    """Event groups; their fields lie inside the list."""
    r.at = start
    for _ in range(count):
        _svh(r)
        types = r.number("EventTypeCount", 2)
        r.number("EventGroupVer", 2)
        r.number("Attributes", 4)
        for _ in range(types):
            r.number("EventTypeId", 2)
            r.reserved(2)
    if r.at != start + n:
        raise ValueError("event groups")


def supported_event_types(r):
    count = r.number("EventGroupCount", 1, "count")
    r.reserved(1)
    n = r.number("SupportedEventGroupsListLen", 4)
    _groups(r, r.bytes("SupportedEventGroupsList", n, "list"), n, count)


def subscribe_event_types(r):
    count = r.number("SubscribeEventGroupCount", 1, "count")
    r.reserved(1)
    if count:
        n = r.number("SubscribeListLen", 4)
        _groups(r, r.bytes("SubscribeList", n, "list"), n, count)


def send_event(r):
    r.reserved(2)
    count = r.number("EventCount", 4, "count")
    n = len(r.data) - r.at
    r.at = r.bytes("EventsList", n, "list")
    for _ in range(count):
        r.number("EventInstanceID", 4)
        r.reserved(4)
        _svh(r)
        r.number("EventTypeId", 2)
        r.bytes("EventDetail", r.number("EventDetailLen", 2))
    if r.at != len(r.data):
        raise ValueError("EventsList")


# ---- certificate-slot banks ----

def _structure(r):
    """SubCode, and whether a structure follows; then r stands at its start."""
    r.number("SubCode", 1, "sub_code")
    r.reserved(1)
    offset = r.number("MgmtStructOffset", 2)
    r.reserved(2)
    r.bytes("Reserved", max(offset - 8, 0))
    return offset != 0


def slot_management(r):
    if not _structure(r):
        return
    sub_code = r.members["sub_code"]
    r.number("ReqLength", 2)
    r.reserved(2)
    r.number("BankID", 1, "bank")
    r.members["slot"] = r.number("SlotID", 1) & 15
    r.reserved(2)
    if sub_code == 0x04:
        r.number("KeyPairID", 1, "key_pair")
        attributes = r.number("RequestAttributes", 1)
        r.members.update(model=attributes & 7, tag=attributes >> 3 & 7, overwrite=attributes >> 7)
        r.reserved(2)
        info = r.number("RequesterInfoLength", 2)
        opaque = r.number("OpaqueDataLength", 2)
        r.bytes("RequesterInfo", info, "info")
        r.opaque_data(opaque)
    elif sub_code in (0x20, 0x21):
        r.number("Operation", 1)
        r.reserved(3)
        if sub_code == 0x20:
            r.number("SelectAsymAlgo", 4, "asym")
            _mask(r, "SelectPqcAsymAlgoLen", "SelectPqcAsymAlgo", "pqc")
    elif sub_code == 0x22:
        n = r.number("CertLength", 4)
        r.members["model"] = r.number("CertAttributes", 1) & 7
        r.number("KeyPairID", 1, "key_pair")
        r.reserved(2)
        r.bytes("Certificate", n, "chain")


def _sub_codes(r):
    r.number("RespLength", 2)
    r.reserved(2)
    r.bytes("SubCodeBitmap", 8)
    r.reserved(24)


def _banks(r):
    r.number("RespLength", 2)
    r.reserved(2)
    count = r.number("NumBankElements", 1)
    r.reserved(3)
    for _ in range(count):
        end = r.at + r.number("ElementLength", 1)
        r.number("BankID", 1)
        r.number("SlotMask", 1)
        r.number("ModifiableSlotMask", 1)
        r.bytes("Reserved", end - r.at)


def _details(r):
    r.number("RespLength", 2)
    r.number("BankID", 1)
    r.reserved(1)
    count = r.number("NumSlotElements", 2)
    r.number("BankAttributes", 1)
    r.reserved(1)
    r.number("AsymAlgoCapabilities", 4)
    r.number("CurrentAsymAlgo", 4)
    r.number("AvailableAsymAlgo", 4)
    _mask(r, "PqcAsymAlgoCapLen", "PqcAsymAlgoCapabilities")
    _mask(r, "CurrentPqcAsymAlgoLen", "CurrentPqcAsymAlgo")
    _mask(r, "AvailablePqcAsymAlgoLen", "AvailablePqcAsymAlgo")
    r.reserved(4)
    for _ in range(count):
        end = r.at + r.number("ElementLength", 2)
        r.number("SlotID", 1)
        r.reserved(1)
        r.number("SlotAttributes", 1)
        r.number("KeyPairID", 1)
        r.number("CertificateInfo", 1)
        r.reserved(1)
        r.number("KeyUsage", 2)
        r.reserved(2)
        r.number("SlotSize", 4)
        r.bytes("Digest", end - r.at)


def slot_management_resp(r):
    r.members["structure"] = (0, 0)
    if not _structure(r):
        return
    sub_code = r.members["sub_code"]
    if sub_code < 0x03:
        n = int.from_bytes(r.data[r.at:r.at + 2], "little")
    else:
        n = 8 + int.from_bytes(r.data[r.at:r.at + 4], "little")
    start = r.at = r.bytes("SlotMgmtRespStruct", n, "structure")
    if sub_code < 0x03:
        (_sub_codes, _banks, _details)[sub_code](r)
    else:
        k = r.number("CCLength" if sub_code == 0x03 else "CSRLength", 4)
        r.reserved(4)
        r.bytes("CertChain" if sub_code == 0x03 else "CSR", k)
    r.bytes("Reserved", start + n - r.at)
