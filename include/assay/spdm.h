/* SPDX-License-Identifier: BSD-3-Clause
 *
 * spdm.h - what requester, responder and witness share.
 *
 * An endpoint has no I/O, no clock, no heap. Both roles speak five verbs:
 *
 *   push      bytes from the peer go in (an empty span: only time has passed)
 *   pull      bytes for the peer come out
 *   event     what happened, and questions the engine cannot decide
 *   answer    settles a question, now or later
 *   deadline  when to call push or pull again if nothing else happens
 *
 * Time is an argument, in microseconds of any monotonic clock. A span that is
 * handed out stays valid until the next call on the same object other than
 * event(). Bytes handed in by push() must stay where they are until event()
 * has returned SPDM_NOTHING: facts and questions point into them.
 *
 * One object is one connection; it holds all its state in memory the caller
 * gave to init(). Objects share nothing but what the caller lets them share
 * (configuration, identity, buffers). */
#ifndef ASSAY_SPDM_H
#define ASSAY_SPDM_H
#include <assay/algorithm.h>
#include <assay/binding.h>
#include <assay/crypto.h>
#include <assay/report.h>
#include <assay/span.h>
#include <stdbool.h>

#define ASSAY_VERSION "0.1.0"

enum { SPDM_V10 = 0x10, SPDM_V11 = 0x11, SPDM_V12 = 0x12, SPDM_V13 = 0x13, SPDM_V14 = 0x14 };
#define SPDM_NEVER UINT64_MAX /* deadline(): nothing to wait for */
#define SPDM_SLOT_N 8
#define SPDM_SLOT_KEY 0xff /* "slot" of a provisioned public key */

/* ---- capability flags: the bits both roles know, DSP0274 GET_CAPABILITIES / CAPABILITIES ---- */
#define SPDM_CACHE_CAP 0x00000001u
#define SPDM_CERT_CAP 0x00000002u
#define SPDM_CHAL_CAP 0x00000004u
#define SPDM_MEAS_CAP_PLAIN 0x00000008u /* measurements without signature */
#define SPDM_MEAS_CAP_SIGNED 0x00000010u
#define SPDM_MEAS_CAP_MASK 0x00000018u
#define SPDM_MEAS_FRESH_CAP 0x00000020u
#define SPDM_ENCRYPT_CAP 0x00000040u
#define SPDM_MAC_CAP 0x00000080u
#define SPDM_MUT_AUTH_CAP 0x00000100u
#define SPDM_KEY_EX_CAP 0x00000200u
#define SPDM_PSK_CAP 0x00000400u
#define SPDM_PSK_CAP_CONTEXT 0x00000800u
#define SPDM_PSK_CAP_MASK 0x00000c00u
#define SPDM_ENCAP_CAP 0x00001000u
#define SPDM_HBEAT_CAP 0x00002000u
#define SPDM_KEY_UPD_CAP 0x00004000u
#define SPDM_HANDSHAKE_IN_THE_CLEAR_CAP 0x00008000u
#define SPDM_PUB_KEY_ID_CAP 0x00010000u
#define SPDM_CHUNK_CAP 0x00020000u
#define SPDM_ALIAS_CERT_CAP 0x00040000u
#define SPDM_SET_CERT_CAP 0x00080000u
#define SPDM_CSR_CAP 0x00100000u
#define SPDM_CERT_INSTALL_RESET_CAP 0x00200000u
#define SPDM_EP_INFO_CAP_PLAIN 0x00400000u
#define SPDM_EP_INFO_CAP_SIGNED 0x00800000u
#define SPDM_EP_INFO_CAP_MASK 0x00c00000u
#define SPDM_MEL_CAP 0x01000000u
#define SPDM_EVENT_CAP 0x02000000u
#define SPDM_MULTI_KEY_CAP_ONLY 0x04000000u
#define SPDM_MULTI_KEY_CAP_NEG 0x08000000u
#define SPDM_MULTI_KEY_CAP_MASK 0x0c000000u
#define SPDM_GET_KEY_PAIR_INFO_CAP 0x10000000u
#define SPDM_SET_KEY_PAIR_INFO_CAP 0x20000000u
#define SPDM_SET_KEY_PAIR_RESET_CAP 0x40000000u
#define SPDM_LARGE_RESP_CAP 0x80000000u
#define SPDM_SLOT_MGMT_CAP 0x0001u /* ExtFlags */

/* policy.slot_management */
enum spdm_slots_served { SPDM_SERVE_CSR = 1, SPDM_SERVE_BANK = 2, SPDM_SERVE_ERASE = 4, SPDM_SERVE_STORE = 8 };

/* ---- policy: what we can and want, in order of preference ---- */

enum spdm_byte_order { SPDM_BIG_ENDIAN, SPDM_LITTLE_ENDIAN, SPDM_EITHER_ENDIAN };

/* Lists of algorithms are bytes of enum spdm_alg, best first, ended by 0. NULL is the empty list. A zeroed number
 * means its default, named behind it. */
struct spdm_policy {
    uint8_t versions[6];       /* SPDM_V12, ..., best first, ended by 0 */
    uint32_t flags;            /* capabilities we advertise; bits a version does not know are masked off */
    uint16_t ext_flags;        /* 1.4 */
    uint8_t ct_exponent;       /* our CTExponent, 0..31 */
    const uint8_t *hashes;     /* base hash */
    const uint8_t *signatures; /* the Responder's signature: BaseAsym and PqcAsym in one order */
    const uint8_t *exchanges;  /* key agreement: DHE groups and KEMs in one order */
    const uint8_t *aeads;
    const uint8_t *req_signatures; /* the Requester's signature */
    uint8_t meas_hash;             /* responder: enum spdm_alg for measurements, or SPDM_RAW_ONLY */
    uint8_t opaque_formats;        /* bit 0 OpaqueDataFmt0, bit 1 OpaqueDataFmt1; Fmt1 wins if both fit */
    bool mel;                      /* DMTF measurement extension log format offered */
    bool multi_key;                /* ask for a multi-key connection where that is our choice */
    bool want_algorithms;          /* requester, 1.3+, with CHUNK_CAP: ask for the SupportedAlgorithms block */
    uint8_t legacy_byte_order;     /* enum spdm_byte_order of signatures at 1.0 and 1.1 (UN-15) */
    uint16_t opaque_max;           /* largest OpaqueData accepted: 1024 */

    uint32_t rtt;                  /* round trip of the transport, us: the binding's */
    uint8_t retries;               /* resends after silence: 0 (none) */
    uint8_t busy_retries;          /* resends after Busy: 8 */
    uint32_t busy_delay;           /* us before a resend after Busy: 50,000 */
    uint8_t not_ready_retries;     /* ResponseNotReady in a row: 16 */
    uint32_t wait_max;             /* longest wait for one answer, us; caps CT and RDT of a peer: 60,000,000 */
    uint8_t restarts;              /* GET_VERSION again after RequestResynch: 2 */
    uint16_t certificate_requests; /* most GET_CERTIFICATE for one chain, or encapsulated requests in one flow: 4096 */
    uint8_t mut_auth;         /* responder: MutAuthRequested in KEY_EXCHANGE_RSP, if the requester can: 0, 1, 2 or 4 */
    bool mut_auth_required;   /* responder: no session without it */
    bool basic_mut_auth;      /* responder: BasicMutAuthReq in CHALLENGE_AUTH, if the requester can (1.1+) */
    uint8_t mut_auth_slot;    /* responder, MutAuthRequested 1: the requester's slot, or SPDM_SLOT_KEY */
    uint8_t secured_versions; /* of DSP0277, bit n for 1.n: 0x0f */
    uint8_t heartbeat;        /* responder: HeartbeatPeriod offered, seconds: 0 (none) */
    uint8_t handshake_time;   /* responder: how long it waits for the next message of a session's handshake, s: 60 */
    uint8_t record_random;    /* most random bytes in a record, where the binding has them: 0 */
    uint8_t aead_limit_exponent; /* largest sequence number is 2^this - 1: 64 */
    bool big_endian_nonce;       /* records of DSP0277 1.0 and 1.1: big-endian sequence number (UN-18) */
    bool inner_header;           /* TCP: SPDM messages in records have a binding header of their own (UN-19) */
    bool resynch_out_of_order; /* responder, outside sessions: a request out of order is answered RequestResynch, and so
                                  is every other until GET_VERSION (R-ORD-04 from 1.2.2 on, UN-32) */
    bool
        unequal_sizes; /* of 1.2.0 and 1.2.1: MaxSPDMmsgSize may exceed DataTransferSize without CHUNK_CAP (R-CAP-10) */
    bool drop_bad_records;   /* responder: a record that does not open is dropped, its session lives on */
    uint8_t rdt_exponent;    /* responder: RDTExponent of ResponseNotReady: 14 (16 ms) */
    uint8_t rdtm;            /* responder: RDTM of ResponseNotReady: 10 */
    uint8_t slot_management; /* responder, with SLOT_MGMT_CAP: SubCodes served beyond reading, enum spdm_slots_served */
    bool trusted_place;      /* responder: slots 1 to 7 may be written outside a session (R-SCT-07) */
};

/* ---- configuration: fixed for the life of a connection, owned by the caller ---- */

struct spdm_errand;   /* errand.h */
union spdm_order;     /* errand.h */
struct spdm_identity; /* responder.h */
struct spdm_services; /* responder.h */
struct spdm_sessions; /* session.h */
struct spdm_mutual;   /* session.h */
struct spdm_chunks;   /* large.h */
struct spdm_lender;   /* large.h */
struct spdm_opaque;   /* opaque.h */

/* One secret of a session, as it comes into being; valid until the call returns. */
struct spdm_keylog {
    const char
        *label; /* "req hs data", "rsp hs data", "req app data", "rsp app data", "exp master" (DSP0274's labels) */
    uint32_t session;
    unsigned generation; /* KEY_UPDATEs of that direction so far */
    struct spdm_span secret;
    uint8_t version;          /* of SPDM: part of the labels that key and IV are derived with */
    uint16_t secured_version; /* of DSP0277: 0x1000 ... */
    uint8_t hash, aead;       /* enum spdm_alg */
    uint8_t sequence_bytes;   /* of the sequence number in a record */
    bool mac_only, big_endian;
};

/* What a record holds, in plain, on its way in or out. */
struct spdm_inside {
    uint32_t session;
    bool request; /* from requester to responder */
    bool app;     /* application data, with its first byte as send() takes it */
    struct spdm_span message;
};

struct spdm_config {
    const struct spdm_crypto *crypto;
    void *crypto_ctx;
    const struct spdm_binding *binding;
    const struct spdm_policy *policy;
    struct spdm_room out;   /* where messages for the peer are built, with the binding's head and tail; a requester
                               needs it only from pull() to the next call, a responder from push() to pull() */
    bool out_shared;        /* responder: others write to `out` between calls, answers cannot be kept for retries */
    struct spdm_room chain; /* requester, witness: room for the peer's certificate chain; in chunks: and 16 bytes */
    uint32_t data_transfer_size;          /* largest SPDM message the caller can push; >= 42 (advertised from 1.2 on) */
    const struct spdm_identity *identity; /* responder */
    const struct spdm_services *services; /* responder: the requests it serves, spdm_serve_all or a smaller set */
    const struct spdm_mutual *mutual;     /* &spdm_requester_mutual, &spdm_responder_mutual, or NULL: no encapsulated
                                             requests, no mutual authentication */
    const struct spdm_config *turned;     /* for it: the turned role. Requester: identity, services that answer,
                                             spdm_binding_none, `out`; Responder: chain room. Both: crypto, policy,
                                             data_transfer_size */
    const struct spdm_sessions *sessions; /* &spdm_with_sessions, or NULL: none, and nothing of them is linked */
    void (*keylog)(void *ctx,
                   const struct spdm_keylog *entry); /* NULL: none. For decoding captures, never for production */
    void *keylog_ctx;
    void (*inside)(void *ctx, const struct spdm_inside *inside); /* NULL: none. For traces */
    void *inside_ctx;
    const struct spdm_opaque *opaque; /* OpaqueData beyond what sessions need; NULL: none is sent, any is accepted */
    struct spdm_room session_memory;  /* spdm_session_size() bytes for each session wanted, aligned like uint64_t */
    struct spdm_room in;              /* sessions: room to open a record into, as long as the longest record; can be
                                         shared: it holds nothing beyond the event() calls after a push(),
                                         and is wiped when they are done */
    const struct spdm_chunks *chunks; /* &spdm_requester_chunks, &spdm_responder_chunks, or NULL: no message larger
                                         than one transfer */
    const struct spdm_lender *lender; /* room for such messages; NULL: only those that need none */
    void *lender_ctx;
    uint32_t max_message_size; /* largest message taken in chunks (advertised): 0 is data_transfer_size */
    uint16_t vca_max;          /* bytes kept for the six negotiation messages: 512 */
    uint16_t request_max;      /* bytes kept of a request while its answer is outstanding: 160 */
};

/* ---- facts: what is known of a connection; read only ---- */

struct spdm_endpoint_facts {
    uint32_t flags; /* SPDM_*_CAP */
    uint16_t ext_flags;
    uint8_t ct_exponent;
    uint32_t data_transfer_size, max_message_size; /* 0 below 1.2 */
};

struct spdm_facts {
    uint8_t version; /* 0 until agreed */
    /* enum spdm_alg; SPDM_ALG_NONE if nothing was selected */
    uint8_t hash, signature, meas_hash, exchange, aead, req_signature, schedule;
    uint8_t meas_spec, mel_spec, opaque_format;
    uint8_t slot; /* slot in use: 0..7 or SPDM_SLOT_KEY */
    bool multi_key_rsp, multi_key_req;
    bool negotiated;                            /* ALGORITHMS has come */
    bool trusted;                               /* the caller trusts the chain in use */
    bool authentic;                             /* CHALLENGE_AUTH verified with it; responder: the Requester's */
    bool measured_signed;                       /* the last MEASUREMENTS verified with it */
    bool little_endian;                         /* a 1.0/1.1 signature verified in reversed byte order */
    uint8_t supported_slots, provisioned_slots; /* from DIGESTS; supported is 0 below 1.3 */
    uint8_t slot_model, slot_key_pair;          /* of the slot in use: CertModel, KeyPairID; 0 if not told */
    uint8_t peer_versions;                      /* requester: bit n set if the peer offered 1.n */
    uint8_t measurement_n;                      /* answer to operation 0, or number of blocks of the last record */
    uint8_t content_changed;                    /* 0..3, from the last signed MEASUREMENTS (1.2+) */
    uint8_t summary_n;                          /* size of `summary`; 0 if none came */
    uint16_t slot_usage;                        /* of the slot in use: KeyUsageMask; 0 if not told */
    struct spdm_endpoint_facts requester, responder;
    uint8_t chain_hash[SPDM_HASH_MAX]; /* digest of the chain (or provisioned key) in use */
    uint8_t summary[SPDM_HASH_MAX];    /* MeasurementSummaryHash of CHALLENGE_AUTH */
};

/* ---- measurements ---- */

/* DMTFSpecMeasurementValueType [6:0] */
enum spdm_measurement_type {
    SPDM_MEAS_ROM,
    SPDM_MEAS_FIRMWARE,
    SPDM_MEAS_HARDWARE_CONFIG,
    SPDM_MEAS_FIRMWARE_CONFIG,
    SPDM_MEAS_MANIFEST,
    SPDM_MEAS_DEVICE_MODE,
    SPDM_MEAS_VERSION,
    SPDM_MEAS_SVN,
    SPDM_MEAS_HASH_EXTEND,
    SPDM_MEAS_INFORMATIONAL,
    SPDM_MEAS_STRUCTURED_MANIFEST
};
#define SPDM_MEAS_ALL 0xff

struct spdm_measurement {
    uint8_t index; /* 1..0xfe */
    uint8_t type;  /* enum spdm_measurement_type */
    bool raw;      /* value is the raw bit stream, else its digest in the measurement hash */
    bool tcb;      /* responder: part of the trusted computing base (summary type 1) */
    struct spdm_span value;
};

/* Takes the next block off a MeasurementRecord: true and *out filled (spans into the record), false at the end.
 * Records the engine hands out are well formed; on any other, a malformed block ends the walk with rest->n != 0. */
bool spdm_measurement_next(struct spdm_span *rest, struct spdm_measurement *out);
/* "mutable firmware" for 1; "reserved" out of range. */
const char *spdm_measurement_type_name(uint8_t type);

/* ---- events, questions, answers ---- */

enum spdm_event_kind {
    SPDM_NOTHING,
    /* facts */
    SPDM_DONE,      /* the goal is reached */
    SPDM_FAILED,    /* it is not, see report; responder: or a request was refused */
    SPDM_CONNECTED, /* version, capabilities and algorithms are agreed */
    SPDM_MEASURED,  /* requester: data is a MeasurementRecord, verified if it was signed */
    SPDM_RESTARTED, /* the peer (or RequestResynch) made the connection start over */
    SPDM_VENDOR,    /* requester: data is the payload of VENDOR_DEFINED_RESPONSE */
    SPDM_OPENED,    /* session is established */
    SPDM_CLOSED,    /* session is over: ended, expired or broken, see report */
    SPDM_DATA,      /* data is application data received in session */
    SPDM_REPLIED,   /* data is what answers the errand, or a part of it (errand.h) */
    SPDM_RESET_DUE, /* requester: the errand was accepted and takes effect after a reset; index: CSRTrackingTag */
    /* questions; each must be answered once, with its ticket */
    SPDM_ASK_DIGEST,  /* requester: data is the digest of slot's chain. Known and trusted? yes and key; no: fetch it */
    SPDM_ASK_TRUST,   /* requester: data is slot's whole chain structure, hash checked. Trusted? yes and key */
    SPDM_ASK_SIGN,    /* responder: sign `signing` with slot's key; yes and data = signature */
    SPDM_ASK_MEASURE, /* responder: index = operation; yes and measurements */
    SPDM_ASK_PSK,     /* data is the PSKHint: yes and data = HMAC(key = psk_salt, data = the PSK), of hash size */
    SPDM_ASK_VENDOR,  /* responder: data is the payload of VENDOR_DEFINED_REQUEST; yes and data = response payload */
    /* what errands ask of a device, in order; errand.h */
    SPDM_ASK_KEY_PAIR, /* key_pair_change: change, erase or generate a key pair; yes: it is so, in the identity too */
    SPDM_ASK_CSR,      /* csr: a certificate signing request; yes and data = the CSR */
    SPDM_ASK_STORE,    /* store: a slot's certificates, new or erased; yes: it is so, in the identity too */
    SPDM_ASK_LOG,      /* log: the measurement extension log; yes and data = all of it */
    SPDM_ASK_BANK, /* slots: another algorithm for a bank without certificates; yes: it is so, in the identity too */
    /* the following asked of a requester, too */
    SPDM_ASK_ENDPOINT,    /* endpoint: EPInfo; yes and data */
    SPDM_ASK_EVENT_TYPES, /* the events there are; yes and data = groups */
    SPDM_ASK_SUBSCRIBE,   /* list: in place of what was subscribed in this session before */
    SPDM_ASK_EVENTS       /* list: what happened; yes: received */
};

struct spdm_event {
    enum spdm_event_kind kind;
    uint32_t ticket;  /* questions */
    uint8_t slot;     /* 0..7, SPDM_SLOT_KEY */
    uint8_t index;    /* measurement operation; SPDM_MEASURED: that of the request */
    bool raw, fresh;  /* SPDM_ASK_MEASURE: RawBitStreamRequested, NewMeasurementRequested */
    bool proven;      /* SPDM_MEASURED: the record was signed and the signature verified */
    uint8_t root_at;  /* SPDM_ASK_TRUST: offset of the first certificate in data (4 + digest size) */
    uint32_t session; /* session events, and the session in which a question arose; 0: outside */
    union {
        struct spdm_span psk_salt;     /* SPDM_ASK_PSK */
        const union spdm_order *order; /* questions of errands; its spans are valid as data's are */
    };
    enum spdm_alg hash;      /* SPDM_ASK_PSK: hash of the HMAC */
    uint16_t standard;       /* vendor messages: StandardID */
    struct spdm_span vendor; /* vendor messages: VendorID */
    struct spdm_span data;
    struct spdm_signing signing;
    struct spdm_report report;
};

struct spdm_answer {
    uint32_t ticket;
    bool yes;
    struct spdm_span data; /* signature or payload; copied */
    const void *key;       /* trust: the leaf's public key for crypto->verify; must outlive the connection */
    const struct spdm_measurement *measurements; /* ascending index; copied */
    size_t measurement_n;
    bool stays;                /* measurements and values stay as they are until the connection's next request: a large
                                  response is then made from them portion by portion, and not stored */
    uint8_t content_changed;   /* 1.2+: 0 not detected, 1 changed, 2 unchanged */
    uint8_t error, error_data; /* questions of errands refused: ErrorCode and Param2 for the peer; 0: the usual one */
};

/* Version of the library and of the specifications: "assay 0.1.0, DSP0274 1.0 to 1.4.1". */
const char *spdm_library_version(void);
#endif
