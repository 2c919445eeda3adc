# SPDX-License-Identifier: BSD-3-Clause
"""What DMTF's spdm_dump prints about a message: a second, foreign reading of the same bytes."""
import re

# Its words for our fields; a name with a dot is a decoded member. Left out: what it prints without reading the bytes.
FIELDS = {
    "Flags": "Flags", "CTExponent": "CTExponent", "ExtFlags": "ExtFlags", "DataTransSize": "DataTransferSize",
    "MaxSpdmMsgSize": "MaxSPDMmsgSize", "SupportedSlotMask": "SupportedSlotMask",
    "ProvisionedSlotMask": "ProvisionedSlotMask", "HashType": "MeasurementSummaryHashType", "SlotMask": "SlotMask",
    "MeasOp": "MeasurementOperation", "NumOfBlocks": "NumberOfBlocks", "MeasRecordLen": "MeasurementRecordLength",
    "TotalMeasIndex": "TotalNumberOfIndices", "ErrCode": "ErrorCode", "ErrData": "ErrorData", "StandID": "StandardID",
    "MeasHash": ".meas_hash", "MeasSpec": ".meas_spec", "OtherParam": ".other_params", "Hash": ".hash",
    "Asym": ".asym", "PqcAsym": ".pqc_asym", "MelSpec": ".mel_spec", "DHE": ".table2", "AEAD": ".table3",
    "ReqAsym": ".table4", "KeySchedule": ".table5", "ReqPqcAsym": ".table6", "KEM": ".table7", "SlotID": ".slot",
    "ReqSessionID": "ReqSessionID", "Policy": "SessionPolicy", "Heart": "HeartbeatPeriod",
    "RspSessionID": "RspSessionID", "MutAuth": "MutAuthRequested", "KeyOp": "KeyOperation", "Tag": "Tag",
    "ReqID": "RequestID", "AckReqID": "AckRequestID", "Handle": "Handle", "ChunkSeqNo": "ChunkSeqNo",
    "ChunkSize": "ChunkSize", "LargeMsgSize": "LargeMessageSize", "KeyPairID": "KeyPairID",
    "TotalKeyPairs": "TotalKeyPairs", "Cap": "Capabilities", "KeyUsageCap": "KeyUsageCapabilities",
    "CurrKeyUsage": "CurrentKeyUsage", "AsymCap": "AsymAlgoCapabilities", "CurrAsym": "CurrentAsymAlgo",
    "AssicSlotMask": "AssocCertSlotMask", "Operation": "Operation", "DesiredKeyUsage": "DesiredKeyUsage",
    "DesiredAsymAlgo": "DesiredAsymAlgo", "DesiredAssocCertSlotMask": "DesiredAssocCertSlotMask",
    "SubCode": "SubCode", "RequestAttribute": "RequestAttributes", "EndpointInfoSize": "EPInfoLen",
    "Offset": ".offset", "Length": ".length", "RemLen": ".remainder",
}
# Per message: words that mean something of its own. A function gets the reading and gives the value to compare.
SPECIAL = {
    ("CHALLENGE_AUTH", "Attr"): ("SlotID", lambda r: r.data[2]),
    ("GET_MEASUREMENTS", "Attr"): ("RequestAttributes", lambda r: r.data[2]),
    ("GET_CERTIFICATE", "Attr"): ("Param2", lambda r: r.data[3]),
    ("CERTIFICATE", "Attr"): ("CertModel", lambda r: r.data[3]),
    ("GET_CERTIFICATE", "LargeCert"): (".large", lambda r: r.members["large"] << 7),
    ("CERTIFICATE", "LargeCert"): (".large", lambda r: r.members["large"] << 7),
    ("CERTIFICATE", "PortLen"): (".portion", lambda r: r.members["portion"][1]),
    ("MEASUREMENTS", "ContentChange"): (".content_changed", lambda r: r.members["content_changed"] << 4),
    ("FINISH", "Attr"): ("Param1", lambda r: r.data[2]),
    ("FINISH", "ReqSlotID"): ("SlotID", lambda r: r.data[3]),
    ("END_SESSION", "Attr"): ("Param1", lambda r: r.data[2]),
    ("KEY_EXCHANGE", "SlotID"): ("SlotID", lambda r: r.data[3]),
    ("GET_CSR", "Attr"): ("Param2", lambda r: r.data[3]),
    ("SET_CERTIFICATE", "Attr"): ("SlotID", lambda r: r.data[2]),
    ("SET_CERTIFICATE_RSP", "SlotID"): ("SlotID", lambda r: r.data[2]),
    ("GET_ENDPOINT_INFO", "SlotID"): ("SlotID", lambda r: r.data[3]),
    ("ENDPOINT_INFO", "SlotID"): ("SlotID", lambda r: r.data[3]),
    ("GET_MEASUREMENT_EXTENSION_LOG", "Offset"): ("Offset", lambda r: int.from_bytes(r.data[4:8], "little")),
    ("GET_MEASUREMENT_EXTENSION_LOG", "Length"): ("Length", lambda r: int.from_bytes(r.data[8:12], "little")),
    ("MEASUREMENT_EXTENSION_LOG", "PortLen"): ("PortionLength", lambda r: int.from_bytes(r.data[4:8], "little")),
    ("MEASUREMENT_EXTENSION_LOG", "RemLen"): ("RemainderLength", lambda r: int.from_bytes(r.data[8:12], "little")),
    ("CHUNK_SEND", "Attr"): ("Param1", lambda r: r.data[2]),
    ("CHUNK_SEND_ACK", "Attr"): ("Param1", lambda r: r.data[2]),
    ("CHUNK_RESPONSE", "Attr"): ("Param1", lambda r: r.data[2]),
    ("CHALLENGE", "SlotID"): ("SlotID", lambda r: r.data[2]),
    ("VENDOR_DEFINED_REQUEST", "LargeReq"): (".large", lambda r: r.members["large"] << 7),
    ("VENDOR_DEFINED_RESPONSE", "LargeReq"): (".large", lambda r: r.members["large"] << 7),
}
LISTS = {"KeyPairId": ("key_pair_id", 1), "CertInfo": ("cert_info", 1), "KeyUsage": ("key_usage", 2)}


def lines(path):
    """{packet number: [(code, text), ...]}, one entry for each SPDM message that a packet shows."""
    found = {}
    with open(path, encoding="ascii", errors="replace") as f:
        for line in f:
            number = re.match(r"(\d+) \(", line)
            if number:
                parts = re.split(r"SPDM\((?:\w\w), 0x(\w\w)\) SPDM_", line.rstrip())[1:]
                found[int(number[1])] = [(int(c, 16), t) for c, t in zip(parts[::2], parts[1::2])]
    return found


def _list(reading, word, text):
    """A per-slot list, printed as 0x05,0x05,0x11 or 0x01(DEVICE),...; the member it confirms, or None."""
    member, size = LISTS[word]
    at, n = reading.members[member]
    mine = [int.from_bytes(reading.data[i:i + size], "little") for i in range(at, at + n, size)]
    said = [int(v, 16) for v in re.findall(r"0x(\w+)", re.search(word + r"=((?:0x\w+(?:\([^)]*\))?,?)+)", text)[1])]
    return "." + member if mine == said else None


def confirmed(name, reading, text):
    """Names of fields and members that spdm_dump's line agrees with; raises ValueError where it disagrees."""
    names, numbers = set(), {f.name: f.value for f in reading.fields}
    numbers.update({"." + k: v for k, v in reading.members.items()})
    if name == "VERSION":
        said = [".".join(part) for part in re.findall(r"(\d+)\.(\d+)\.\d+\.\d+", text)]
        at, n = reading.members["entries"]
        mine = [f"{reading.data[i + 1] >> 4}.{reading.data[i + 1] & 15}" for i in range(at, at + n, 2)]
        if said != mine:
            raise ValueError(f"{name}: {said} printed, {mine} read")
        return {".entries", "VersionNumberEntryCount"}
    for word, said in re.findall(r"(\w+)=0x([0-9a-fA-F]+)", text):
        if word in LISTS:
            target = _list(reading, word, text)
            if target is None:
                raise ValueError(f"{name}: {word} in `{text}`")
        else:
            target, mine = SPECIAL.get((name, word), (FIELDS.get(word), None))
            if target not in numbers:
                continue
            mine = mine(reading) if mine else numbers[target]
            if mine != int(said, 16):
                raise ValueError(f"{name}: {word} is 0x{said} in spdm_dump's line, {target} is 0x{mine:x} here")
        names.add(target)
    return names
