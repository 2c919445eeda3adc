# SPDX-License-Identifier: BSD-3-Clause
#
# What things are called: here and in reports, on the command line of the peer, in the bits of ALGORITHMS.

# Signature algorithm -> (the peer's name for it, directory of its sample keys, bit of BaseAsymSel, or behind those of
# PqcAsymSel)
SIGNATURES = {
    "RSASSA_2048": ("RSASSA_2048", "rsa2048", 0x0001),
    "RSAPSS_2048": ("RSAPSS_2048", "rsa2048", 0x0002),
    "RSASSA_3072": ("RSASSA_3072", "rsa3072", 0x0004),
    "RSAPSS_3072": ("RSAPSS_3072", "rsa3072", 0x0008),
    "ECDSA_P256": ("ECDSA_P256", "ecp256", 0x0010),
    "RSASSA_4096": ("RSASSA_4096", "rsa4096", 0x0020),
    "RSAPSS_4096": ("RSAPSS_4096", "rsa4096", 0x0040),
    "ECDSA_P384": ("ECDSA_P384", "ecp384", 0x0080),
    "ECDSA_P521": ("ECDSA_P521", "ecp521", 0x0100),
    "SM2": ("SM2_P256", "sm2", 0x0200),
    "Ed25519": ("EDDSA_25519", "ed25519", 0x0400),
    "Ed448": ("EDDSA_448", "ed448", 0x0800),
}
POST_QUANTUM = ("ML_DSA_44", "ML_DSA_65", "ML_DSA_87",
                "SLH_DSA_SHA2_128S", "SLH_DSA_SHAKE_128S", "SLH_DSA_SHA2_128F", "SLH_DSA_SHAKE_128F",
                "SLH_DSA_SHA2_192S", "SLH_DSA_SHAKE_192S", "SLH_DSA_SHA2_192F", "SLH_DSA_SHAKE_192F",
                "SLH_DSA_SHA2_256S", "SLH_DSA_SHAKE_256S", "SLH_DSA_SHA2_256F", "SLH_DSA_SHAKE_256F")
SIGNATURES.update({name: (name, name.lower().replace("ml_dsa_", "mldsa").replace("_", "-"), 1 << (32 + bit))
                   for bit, name in enumerate(POST_QUANTUM)})

# Hash -> bit of BaseHashSel
HASHES = {
    "SHA_256": 0x01,
    "SHA_384": 0x02,
    "SHA_512": 0x04,
    "SHA3_256": 0x08,
    "SHA3_384": 0x10,
    "SHA3_512": 0x20,
    "SM3_256": 0x40,
}

# Key agreement and AEAD -> the peer's name
EXCHANGES = {
    "FFDHE_2048": "FFDHE_2048",
    "FFDHE_3072": "FFDHE_3072",
    "FFDHE_4096": "FFDHE_4096",
    "SECP256R1": "SECP_256_R1",
    "SECP384R1": "SECP_384_R1",
    "SECP521R1": "SECP_521_R1",
    "DHE_SM2": "SM2_P256",
    "ML_KEM_512": "ML_KEM_512",
    "ML_KEM_768": "ML_KEM_768",
    "ML_KEM_1024": "ML_KEM_1024",
}
AEADS = {
    "AES_128_GCM": "AES_128_GCM",
    "AES_256_GCM": "AES_256_GCM",
    "CHACHA20_POLY1305": "CHACHA20_POLY1305",
    "SM4_GCM": "SM4_128_GCM",
}


# The peer's options that leave it nothing but this one.
def only_signature(name, prefix="--"):
    post_quantum = name in POST_QUANTUM
    return [f"{prefix}asym", "NONE" if post_quantum else SIGNATURES[name][0],
            *([f"{prefix}pqc_asym", SIGNATURES[name][0]] if post_quantum else [])]


# All that it can do; those of the kind that the case is not about are left out, or they would win.
def every_signature(name):
    post_quantum = name in POST_QUANTUM
    names = ",".join(v[0] for key, v in SIGNATURES.items() if (key in POST_QUANTUM) == post_quantum)
    return ["--asym", "NONE", "--pqc_asym", names] if post_quantum else ["--asym", names]


def only_exchange(name):
    return ["--dhe", "NONE", "--kem", name] if name.startswith("ML_KEM") else ["--dhe", EXCHANGES[name]]


# Mutual authentication in a session, by the peer's name -> MutAuthRequested
MUTUAL = {"NO": 0, "WO_ENCAP": 1, "W_ENCAP": 2, "DIGESTS": 4}

VERSIONS = ("1.0", "1.1", "1.2", "1.3", "1.4")

# Transport -> (the peer's name, what ours calls the target, type of the peer's frames)
TRANSPORTS = {
    "mctp": ("MCTP", "emu+mctp", 1),
    "doe": ("PCI_DOE", "emu+doe", 2),
    "tcp": ("TCP", "emu+tcp", 3),
    "none": ("NONE", "emu+none", 0),
}

MESSAGES = {
    0x01: "DIGESTS",
    0x02: "CERTIFICATE",
    0x03: "CHALLENGE_AUTH",
    0x04: "VERSION",
    0x05: "CHUNK_SEND_ACK",
    0x06: "CHUNK_RESPONSE",
    0x07: "ENDPOINT_INFO",
    0x60: "MEASUREMENTS",
    0x61: "CAPABILITIES",
    0x63: "ALGORITHMS",
    0x64: "KEY_EXCHANGE_RSP",
    0x65: "FINISH_RSP",
    0x66: "PSK_EXCHANGE_RSP",
    0x67: "PSK_FINISH_RSP",
    0x68: "HEARTBEAT_ACK",
    0x69: "KEY_UPDATE_ACK",
    0x6A: "ENCAPSULATED_REQUEST",
    0x6B: "ENCAPSULATED_RESPONSE_ACK",
    0x6C: "END_SESSION_ACK",
    0x6D: "CSR",
    0x6E: "SET_CERTIFICATE_RSP",
    0x6F: "MEASUREMENT_EXTENSION_LOG",
    0x7C: "KEY_PAIR_INFO",
    0x7D: "SET_KEY_PAIR_INFO_ACK",
    0x7E: "VENDOR_DEFINED_RESPONSE",
    0x7F: "ERROR",
    0x81: "GET_DIGESTS",
    0x82: "GET_CERTIFICATE",
    0x83: "CHALLENGE",
    0x84: "GET_VERSION",
    0x85: "CHUNK_SEND",
    0x86: "CHUNK_GET",
    0x87: "GET_ENDPOINT_INFO",
    0xE0: "GET_MEASUREMENTS",
    0xE1: "GET_CAPABILITIES",
    0xE3: "NEGOTIATE_ALGORITHMS",
    0xE4: "KEY_EXCHANGE",
    0xE5: "FINISH",
    0xE6: "PSK_EXCHANGE",
    0xE7: "PSK_FINISH",
    0xE8: "HEARTBEAT",
    0xE9: "KEY_UPDATE",
    0xEA: "GET_ENCAPSULATED_REQUEST",
    0xEB: "DELIVER_ENCAPSULATED_RESPONSE",
    0xEC: "END_SESSION",
    0xED: "GET_CSR",
    0xEE: "SET_CERTIFICATE",
    0xEF: "GET_MEASUREMENT_EXTENSION_LOG",
    0xFC: "GET_KEY_PAIR_INFO",
    0xFD: "SET_KEY_PAIR_INFO",
    0xFE: "VENDOR_DEFINED_REQUEST",
    0xFF: "RESPOND_IF_READY",
}


def message_name(code):
    return MESSAGES.get(code, f"0x{code:02x}")
