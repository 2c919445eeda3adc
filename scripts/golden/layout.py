# SPDX-License-Identifier: BSD-3-Clause
"""An independent reading of the message tables of DSP0274: field names, places and values of one message.

One function a message, in the order of its table. It checks nothing beyond what it needs to find its way: the bytes
come from an implementation that is believed. Next to the fields as they stand on the wire it gives the members that a
decoded message shall have (include names of src/wire/message.h)."""
from collections import namedtuple

import errands

Shape = namedtuple("Shape", "version hash sig sum fmt multi sign verify exchange reply", defaults=(0,) * 9)
# value: None for bytes; name "Reserved" for bytes without meaning
Field = namedtuple("Field", "name at n value")

V11, V12, V13, V14 = 0x11, 0x12, 0x13, 0x14


class Reading:
    """A message being read: `fields` tile it, `members` are its decoded form, `blocks` its measurement blocks."""

    def __init__(self, data, shape):
        self.data, self.shape, self.at = data, shape, 0
        self.fields, self.members, self.blocks = [], {}, []

    def since(self, version):
        return self.shape.version >= version

    def _take(self, n):
        if self.at + n > len(self.data):
            raise ValueError(f"{n} bytes at {self.at} of {len(self.data)}")
        self.at += n
        return self.at - n

    def number(self, name, n, member=None):
        at = self._take(n)
        value = int.from_bytes(self.data[at:at + n], "little")
        self.fields.append(Field(name, at, n, value))
        if member:
            self.members[member] = value
        return value

    def bytes(self, name, n, member=None):
        at = self._take(n)
        if n:
            self.fields.append(Field(name, at, n, None))
        if member:
            self.members[member] = (at, n)
        return at

    def reserved(self, n):
        if n:
            self.fields.append(Field("Reserved", self._take(n), n, None))

    def number_since(self, version, name, n, member=None):
        """A field that older versions have as reserved bytes."""
        if self.since(version):
            return self.number(name, n, member)
        self.reserved(n)
        if member:
            self.members[member] = 0
        return 0

    def header(self):
        self.number("SPDMVersion", 1)
        self.number("RequestResponseCode", 1)

    def opaque(self):
        self.opaque_data(self.number("OpaqueDataLength", 2))

    def opaque_data(self, n):
        start = self.bytes("OpaqueData", n, "opaque")
        if n and self.shape.fmt == 2:
            self._elements(start, start + n)

    def _elements(self, start, end):
        """General opaque data format; its fields lie inside OpaqueData."""
        after, self.at = self.at, start
        count = self.number("TotalElements", 1)
        self.reserved(3)
        for _ in range(count):
            first = self.at
            self.number("OpaqueElement.ID", 1)
            self.bytes("OpaqueElement.VendorID", self.number("OpaqueElement.VendorLen", 1))
            self.bytes("OpaqueElementData", self.number("OpaqueElementDataLen", 2))
            padding = -(self.at - first) % 4
            if padding:
                self.number("AlignPadding", padding)
        if self.at != end or after != end:
            raise ValueError("opaque data")

    def context(self):
        self.bytes("RequesterContext", 8 if self.since(V13) else 0, "context")


def get_version(r):
    r.reserved(2)


def version(r):
    r.reserved(3)
    r.bytes("VersionNumberEntry", 2 * r.number("VersionNumberEntryCount", 1), "entries")


def _capabilities(r, request):
    with_block = r.number_since(V13, "Param1", 1) & 1
    r.members["with_algorithms"] = with_block
    r.reserved(1)
    if request and not r.since(V11):
        r.members.update(ct_exponent=0, ext_flags=0, flags=0, data_transfer_size=0, max_message_size=0)
        return
    r.reserved(1)
    r.number("CTExponent", 1, "ct_exponent")
    r.number_since(V14, "ExtFlags", 2, "ext_flags")
    r.number("Flags", 4, "flags")
    r.members.update(data_transfer_size=0, max_message_size=0)
    if r.since(V12):
        r.number("DataTransferSize", 4, "data_transfer_size")
        r.number("MaxSPDMmsgSize", 4, "max_message_size")
    if with_block and not request:
        inner = Reading(r.data, r.shape)
        inner.at = r.at
        _negotiate(inner)
        r.at = inner.at
        r.fields += inner.fields
        r.members.update({"block." + name: value for name, value in inner.members.items()})


def get_capabilities(r):
    _capabilities(r, True)


def capabilities(r):
    _capabilities(r, False)


def _extended(r, count):
    r.bytes("ExtendedAlgorithms", 4 * count)
    r.members["ext_n"] = r.members.get("ext_n", 0) + count


def _tables(r, count):
    r.members["tables"] = 0
    for _ in range(count):
        kind = r.number("AlgType", 1)
        extended = r.number("AlgCount", 1) & 0x0F
        r.members[f"table{kind}"] = r.number("AlgSupported", 2)
        r.members["tables"] |= 1 << kind
        _extended(r, extended)


def _negotiate(r):
    tables = r.number_since(V11, "Param1", 1)
    r.reserved(1)
    r.number("Length", 2)
    r.number("MeasurementSpecification", 1, "meas_spec")
    r.number_since(V12, "OtherParamsSupport", 1, "other_params")
    r.number("BaseAsymAlgo", 4, "asym")
    r.number("BaseHashAlgo", 4, "hash")
    r.number_since(V14, "PqcAsymAlgo", 4, "pqc_asym")
    r.reserved(8)
    asym = r.number("ExtAsymCount", 1)
    hashes = r.number("ExtHashCount", 1)
    r.reserved(1)
    r.number_since(V13, "MELspecification", 1, "mel_spec")
    _extended(r, asym)
    _extended(r, hashes)
    _tables(r, tables)


def negotiate_algorithms(r):
    _negotiate(r)


def algorithms(r):
    tables = r.number_since(V11, "Param1", 1)
    r.reserved(1)
    r.number("Length", 2)
    r.number("MeasurementSpecificationSel", 1, "meas_spec")
    r.number_since(V12, "OtherParamsSelection", 1, "other_params")
    r.number("MeasurementHashAlgo", 4, "meas_hash")
    r.number("BaseAsymSel", 4, "asym")
    r.number("BaseHashSel", 4, "hash")
    r.number_since(V14, "PqcAsymSel", 4, "pqc_asym")
    r.reserved(7)
    r.number_since(V13, "MELspecificationSel", 1, "mel_spec")
    asym = r.number("ExtAsymSelCount", 1)
    hashes = r.number("ExtHashSelCount", 1)
    r.reserved(2)
    _extended(r, asym)
    _extended(r, hashes)
    _tables(r, tables)


def get_digests(r):
    r.reserved(2)


def digests(r):
    r.number_since(V13, "SupportedSlotMask", 1, "supported")
    slots = bin(r.number("ProvisionedSlotMask", 1, "provisioned")).count("1")
    r.bytes("Digest", slots * r.shape.hash, "digests")
    if not r.shape.multi:
        slots = 0
    r.bytes("KeyPairID", slots, "key_pair_id")
    r.bytes("CertificateInfo", slots, "cert_info")
    r.bytes("KeyUsageMask", 2 * slots, "key_usage")


def _slot_and_form(r):
    param1 = r.number("SlotID", 1)
    r.members["slot"] = param1 & 0x0F
    r.members["large"] = param1 >> 7 if r.since(V14) else 0
    return r.members["large"]


def get_certificate(r):
    large = _slot_and_form(r)
    r.members["size_requested"] = r.number_since(V13, "Param2", 1) & 1
    r.number("Offset", 2, "offset")
    r.number("Length", 2, "length")
    if large:
        r.number("LargeOffset", 4, "offset")
        r.number("LargeLength", 4, "length")


def certificate(r):
    large = _slot_and_form(r)
    r.members["model"] = r.number_since(V13, "CertModel", 1) & 7
    n = r.number("PortionLength", 2)
    r.number("RemainderLength", 2, "remainder")
    if large:
        n = r.number("LargePortionLength", 4)
        r.number("LargeRemainderLength", 4, "remainder")
    r.bytes("CertChain", n, "portion")


def challenge(r):
    r.number("SlotID", 1, "slot")
    r.number("MeasurementSummaryHashType", 1, "summary")
    r.bytes("Nonce", 32, "nonce")
    r.context()


def challenge_auth(r):
    param1 = r.number("SlotID", 1)
    r.members["slot"] = param1 & 0x0F if r.since(V11) else param1
    r.members["basic_mut_auth"] = param1 >> 7 if r.since(V11) else 0
    r.number("SlotMask", 1, "slot_mask")
    r.bytes("CertChainHash", r.shape.hash, "chain_hash")
    r.bytes("Nonce", 32, "nonce")
    r.bytes("MeasurementSummaryHash", r.shape.sum, "summary")
    r.opaque()
    r.context()
    r.bytes("Signature", r.shape.sig, "signature")


def get_measurements(r):
    attributes = r.number("RequestAttributes", 1)
    r.members["sign"] = attributes & 1
    r.members["raw"] = attributes >> 1 & 1 if r.since(V12) else 0
    r.members["fresh"] = attributes >> 2 & 1 if r.since(V13) else 0
    r.number("MeasurementOperation", 1, "operation")
    r.bytes("Nonce", 32 if attributes & 1 else 0, "nonce")
    r.members["slot"] = 0
    if attributes & 1 and r.since(V11):
        r.members["slot"] = r.number("SlotIDParam", 1) & 0x0F
    r.context()


def _blocks(r, start, end):
    """Measurement blocks; their fields lie inside MeasurementRecord."""
    after, r.at = r.at, start
    while r.at < end:
        first = r.at
        index = r.number("Index", 1)
        r.number("MeasurementSpecification", 1)
        r.number("MeasurementSize", 2)
        kind = r.number("DMTFSpecMeasurementValueType", 1)
        n = r.number("DMTFSpecMeasurementValueSize", 2)
        r.bytes("DMTFSpecMeasurementValue", n)
        r.blocks.append((first, r.at - first, index, kind & 0x7F, kind >> 7))
    r.at = after


def measurements(r):
    r.number("TotalNumberOfIndices", 1, "total")
    param2 = r.number_since(V11, "Param2", 1)
    r.members["slot"] = param2 & 0x0F
    r.members["content_changed"] = param2 >> 4 & 3 if r.since(V12) else 0
    r.number("NumberOfBlocks", 1, "blocks")
    n = r.number("MeasurementRecordLength", 3)
    start = r.bytes("MeasurementRecord", n, "record")
    _blocks(r, start, start + n)
    r.bytes("Nonce", 32, "nonce")
    r.opaque()
    r.context()
    r.bytes("Signature", r.shape.sig if r.shape.sign else 0, "signature")


def error(r):
    code = r.number("ErrorCode", 1, "code")
    r.number("ErrorData", 1, "data")
    r.members.update(rdt_exponent=0, request_code=0, token=0, rdtm=0, handle=0, actual_size=0)
    if code == 0x42:
        r.number("RDTExponent", 1, "rdt_exponent")
        r.number("RequestCode", 1, "request_code")
        r.number("Token", 1, "token")
        r.number("RDTM", 1, "rdtm")
    elif code == 0x0F:
        r.number("Handle", 1, "handle")
    elif code in (0x0D, 0x12):
        r.number("ActualSize", 4, "actual_size")
    elif code == 0xFF:
        r.bytes("VendorID", r.number("VendorIDLen", 1), "vendor")
        r.bytes("OpaqueErrorData", len(r.data) - r.at, "extended")


def respond_if_ready(r):
    r.number("RequestCode", 1, "request_code")
    r.number("Token", 1, "token")


def vendor_defined(r):
    large = r.number_since(V14, "Param1", 1) >> 7
    r.members["large"] = large
    r.reserved(1)
    r.number("StandardID", 2, "standard")
    r.bytes("VendorID", r.number("VendorIDLen", 1), "vendor")
    if large:
        r.reserved(2)
        n = r.number("LargePayloadLength", 4)
    else:
        n = r.number("PayloadLength", 2)
    r.bytes("VendorDefinedPayload", n, "payload")


# ---- sessions ----

def _policy(r):
    r.number_since(V12, "SessionPolicy", 1, "policy")


def key_exchange(r):
    r.number("MeasurementSummaryHashType", 1, "summary")
    r.number("SlotID", 1, "slot")
    r.number("ReqSessionID", 2, "session")
    _policy(r)
    r.reserved(1)
    r.bytes("RandomData", 32, "random")
    r.bytes("ExchangeData", r.shape.exchange, "exchange")
    r.opaque()


def key_exchange_rsp(r):
    r.number("HeartbeatPeriod", 1, "heartbeat")
    r.reserved(1)
    r.number("RspSessionID", 2, "session")
    r.number("MutAuthRequested", 1, "mut_auth")
    r.members["slot"] = r.number("SlotIDParam", 1) & 0x0F
    r.bytes("RandomData", 32, "random")
    r.bytes("ExchangeData", r.shape.reply, "exchange")
    r.bytes("MeasurementSummaryHash", r.shape.sum, "summary")
    r.opaque()
    r.bytes("Signature", r.shape.sig, "signature")
    r.bytes("ResponderVerifyData", r.shape.verify, "verify")


def _opaque_since_14(r):
    r.members["opaque"] = (0, 0)
    if r.since(V14):
        r.opaque()


def finish(r):
    included = r.number("Param1", 1) & 1
    r.members["with_signature"] = included
    r.number("SlotID", 1, "slot")
    _opaque_since_14(r)
    r.bytes("Signature", r.shape.sig if included else 0, "signature")
    r.bytes("RequesterVerifyData", r.shape.hash, "verify")


def finish_rsp(r):
    r.reserved(2)
    _opaque_since_14(r)
    r.bytes("ResponderVerifyData", r.shape.verify, "verify")


def psk_exchange(r):
    r.number("MeasurementSummaryHashType", 1, "summary")
    _policy(r)
    r.number("ReqSessionID", 2, "session")
    hint = r.number("PSKHintLength", 2)
    context = r.number("RequesterContextLength", 2)
    opaque = r.number("OpaqueDataLength", 2)
    r.bytes("PSKHint", hint, "hint")
    r.bytes("RequesterContext", context, "context")
    r.opaque_data(opaque)


def psk_exchange_rsp(r):
    r.number("HeartbeatPeriod", 1, "heartbeat")
    r.reserved(1)
    r.number("RspSessionID", 2, "session")
    r.reserved(2)
    context = r.number("ResponderContextLength", 2)
    opaque = r.number("OpaqueDataLength", 2)
    r.bytes("MeasurementSummaryHash", r.shape.sum, "summary")
    r.bytes("ResponderContext", context, "context")
    r.opaque_data(opaque)
    r.bytes("ResponderVerifyData", r.shape.hash, "verify")


def psk_finish(r):
    r.reserved(2)
    _opaque_since_14(r)
    r.bytes("RequesterVerifyData", r.shape.hash, "verify")


def psk_finish_rsp(r):
    r.reserved(2)
    _opaque_since_14(r)


def header_only(r):
    r.reserved(2)


def key_update(r):
    r.number("KeyOperation", 1, "operation")
    r.number("Tag", 1, "tag")


def end_session(r):
    r.members["clear_state"] = r.number("Param1", 1) & 1
    r.reserved(1)


# ---- encapsulated requests ----

def encapsulated(r):
    r.number("RequestID", 1, "id")
    r.reserved(1)
    r.bytes("EncapsulatedMessage", len(r.data) - r.at, "message")


def encapsulated_response_ack(r):
    r.number("RequestID", 1, "id")
    kind = r.number("PayloadType", 1, "kind")
    r.members.update(ack=0, message=(0, 0))
    if r.since(V12):
        r.number("AckRequestID", 1, "ack")
        r.reserved(3)
    if kind == 1:
        r.bytes("EncapsulatedRequest", len(r.data) - r.at, "message")
    elif kind == 2:
        r.bytes("ReqSlotNumber", 1, "message")


# ---- chunks ----

def _chunk_head(r, attributes):
    if attributes:
        r.number(attributes, 1)
    else:
        r.reserved(1)
    r.number("Handle", 1, "handle")
    return r.number("ChunkSeqNo", 4 if r.since(V14) else 2, "sequence")


def _chunk(r):
    sequence = _chunk_head(r, "Param1")
    r.members["last"] = r.data[2] & 1
    r.reserved(0 if r.since(V14) else 2)
    n = r.number("ChunkSize", 4)
    r.members["large_size"] = 0
    if sequence == 0:
        r.number("LargeMessageSize", 4, "large_size")
    r.bytes("SPDMchunk", n, "chunk")


def chunk_send_ack(r):
    _chunk_head(r, "Param1")
    r.bytes("ResponseToLargeRequest", len(r.data) - r.at)


def chunk_get(r):
    _chunk_head(r, None)


MESSAGES = {
    0x84: ("GET_VERSION", get_version), 0x04: ("VERSION", version),
    0xE1: ("GET_CAPABILITIES", get_capabilities), 0x61: ("CAPABILITIES", capabilities),
    0xE3: ("NEGOTIATE_ALGORITHMS", negotiate_algorithms), 0x63: ("ALGORITHMS", algorithms),
    0x81: ("GET_DIGESTS", get_digests), 0x01: ("DIGESTS", digests),
    0x82: ("GET_CERTIFICATE", get_certificate), 0x02: ("CERTIFICATE", certificate),
    0x83: ("CHALLENGE", challenge), 0x03: ("CHALLENGE_AUTH", challenge_auth),
    0xE0: ("GET_MEASUREMENTS", get_measurements), 0x60: ("MEASUREMENTS", measurements),
    0x7F: ("ERROR", error), 0xFF: ("RESPOND_IF_READY", respond_if_ready),
    0xFE: ("VENDOR_DEFINED_REQUEST", vendor_defined), 0x7E: ("VENDOR_DEFINED_RESPONSE", vendor_defined),
    0xE4: ("KEY_EXCHANGE", key_exchange), 0x64: ("KEY_EXCHANGE_RSP", key_exchange_rsp),
    0xE5: ("FINISH", finish), 0x65: ("FINISH_RSP", finish_rsp),
    0xE6: ("PSK_EXCHANGE", psk_exchange), 0x66: ("PSK_EXCHANGE_RSP", psk_exchange_rsp),
    0xE7: ("PSK_FINISH", psk_finish), 0x67: ("PSK_FINISH_RSP", psk_finish_rsp),
    0xE8: ("HEARTBEAT", header_only), 0x68: ("HEARTBEAT_ACK", header_only),
    0xE9: ("KEY_UPDATE", key_update), 0x69: ("KEY_UPDATE_ACK", key_update),
    0xEC: ("END_SESSION", end_session), 0x6C: ("END_SESSION_ACK", header_only),
    0xEA: ("GET_ENCAPSULATED_REQUEST", header_only), 0x6A: ("ENCAPSULATED_REQUEST", encapsulated),
    0xEB: ("DELIVER_ENCAPSULATED_RESPONSE", encapsulated),
    0x6B: ("ENCAPSULATED_RESPONSE_ACK", encapsulated_response_ack),
    0x85: ("CHUNK_SEND", _chunk), 0x05: ("CHUNK_SEND_ACK", chunk_send_ack),
    0x86: ("CHUNK_GET", chunk_get), 0x06: ("CHUNK_RESPONSE", _chunk),
    0xED: ("GET_CSR", errands.get_csr), 0x6D: ("CSR", errands.csr),
    0xEE: ("SET_CERTIFICATE", errands.set_certificate), 0x6E: ("SET_CERTIFICATE_RSP", errands.set_certificate_rsp),
    0xFC: ("GET_KEY_PAIR_INFO", errands.get_key_pair_info), 0x7C: ("KEY_PAIR_INFO", errands.key_pair_info),
    0xFD: ("SET_KEY_PAIR_INFO", errands.set_key_pair_info), 0x7D: ("SET_KEY_PAIR_INFO_ACK", header_only),
    0x87: ("GET_ENDPOINT_INFO", errands.get_endpoint_info), 0x07: ("ENDPOINT_INFO", errands.endpoint_info),
    0xEF: ("GET_MEASUREMENT_EXTENSION_LOG", errands.get_measurement_extension_log),
    0x6F: ("MEASUREMENT_EXTENSION_LOG", errands.measurement_extension_log),
    0xE2: ("GET_SUPPORTED_EVENT_TYPES", header_only), 0x62: ("SUPPORTED_EVENT_TYPES", errands.supported_event_types),
    0xF0: ("SUBSCRIBE_EVENT_TYPES", errands.subscribe_event_types), 0x70: ("SUBSCRIBE_EVENT_TYPES_ACK", header_only),
    0xF1: ("SEND_EVENT", errands.send_event), 0x71: ("EVENT_ACK", header_only),
    0x88: ("SLOT_MANAGEMENT", errands.slot_management), 0x08: ("SLOT_MANAGEMENT_RESP", errands.slot_management_resp),
}


def read(data, shape):
    """The reading of a message that ends where its fields end; what follows is padding. None: no table here."""
    if data[1] not in MESSAGES:
        return None
    r = Reading(data, shape)
    r.header()
    MESSAGES[data[1]][1](r)
    return r
