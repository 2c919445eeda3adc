/* SPDX-License-Identifier: BSD-3-Clause
 *
 * errand.h - requests beyond attestation and sessions: key pairs, certificates, reports, events.
 *
 * An errand is one such request, its order is what the request says. Both roles
 * see the same order: a requester's caller states it with its goal,
 *
 *     union spdm_order order = {.csr = {.info = info}};
 *     struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_csr, .order = &order};
 *
 * and a responder's caller finds it in the question that the request raises
 * (event.order). The requester gets SPDM_REPLIED for each response, its bytes in
 * event.data; readers of such bytes are below. A build links the errands it names.
 *
 * The engine checks every rule that the identity and the request decide and
 * keeps nothing: who answers yes has done, and stored, what was asked for. A
 * question can be refused with an ErrorCode (answer.error), 0 being the usual
 * one for the request; SPDM_ERROR_RESET_REQUIRED says that it was accepted and
 * takes effect after a reset. The requester reports that as SPDM_RESET_DUE, and
 * its goal is reached. */
#ifndef ASSAY_ERRAND_H
#define ASSAY_ERRAND_H
#include <assay/requester.h>
#include <assay/responder.h>

/* ErrorCodes that a responder's caller may want. */
enum {
    SPDM_ERROR_INVALID_REQUEST = 0x01,
    SPDM_ERROR_BUSY = 0x03,
    SPDM_ERROR_UNEXPECTED_REQUEST = 0x04,
    SPDM_ERROR_UNSPECIFIED = 0x05,
    SPDM_ERROR_RESET_REQUIRED = 0x0c,
    SPDM_ERROR_OPERATION_FAILED = 0x44,
    SPDM_ERROR_INVALID_STATE = 0x47
};

/* ---- key pairs (1.3+): GET_KEY_PAIR_INFO, SET_KEY_PAIR_INFO ---- */

/* What KeyPairCapabilities allow. */
enum {
    SPDM_KEY_PAIR_GENERATE = 0x01,
    SPDM_KEY_PAIR_ERASE = 0x02,
    SPDM_KEY_PAIR_ASSOCIATE = 0x04, /* slots can be changed */
    SPDM_KEY_PAIR_USAGE = 0x08,
    SPDM_KEY_PAIR_ALGORITHM = 0x10,
    SPDM_KEY_PAIR_SHARE = 0x20 /* with more than one slot */
};

struct spdm_key_pair_order { /* GET_KEY_PAIR_INFO; the responder answers it from its identity */
    uint8_t id;              /* KeyPairID, from 1 on */
    bool all;                /* requester: and all behind it */
};
enum { SPDM_KEY_PAIR_CHANGE, SPDM_KEY_PAIR_DO_ERASE, SPDM_KEY_PAIR_DO_GENERATE };
struct spdm_key_pair_change { /* SET_KEY_PAIR_INFO, SPDM_ASK_KEY_PAIR */
    uint8_t operation;        /* SPDM_KEY_PAIR_CHANGE ... */
    uint8_t id;
    uint8_t slots;      /* the slots it shall have */
    uint16_t usage;     /* 0: as it is */
    uint32_t asym, pqc; /* one bit of both; 0: as it is */
};

/* The bit of a signature algorithm in the masks of key pairs: in `asym`, or in `pqc` if it is post-quantum. Padding
 * schemes of RSA have the same. */
uint32_t spdm_key_pair_bit(enum spdm_alg signature);
/* "RSA 3072", "ECC P-384", "ML-DSA-65" for one bit of both, "none" for none, else "unknown". */
const char *spdm_key_pair_name(uint32_t asym, uint32_t pqc);
/* Reads a KEY_PAIR_INFO (event.data of SPDM_REPLIED); false: it is none. */
bool spdm_key_pair_read(struct spdm_span message, struct spdm_key_pair *out);

extern const struct spdm_errand spdm_errand_key_pair_info, spdm_errand_set_key_pair;

/* ---- certificates (1.2+): GET_CSR, SET_CERTIFICATE ---- */

struct spdm_csr_order { /* GET_CSR, SPDM_ASK_CSR: yes and data = the CSR, PKCS#10 in DER. SPDM_REPLIED: that */
    /* Multi-key connections only; a requester need not look, elsewhere they are not sent. */
    uint8_t key_pair, model; /* KeyPairID; enum spdm_cert_model */
    uint8_t tag;             /* 1.3+, after SPDM_RESET_DUE and the reset: the CSRTrackingTag that it named; else 0 */
    uint8_t bank;            /* SPDM_ASK_CSR: that of the key, where there are banks */
    bool overwrite;          /* 1.3+: other GET_CSR work may be given up for this */
    struct spdm_span info; /* RequesterInfo: CertificationRequestInfo in DER, or empty; well-formed when asked about */
    struct spdm_span opaque;
};
struct spdm_store_order { /* SET_CERTIFICATE, SPDM_ASK_STORE: the slot holds it, or is empty; yes: so it is */
    uint8_t slot;
    uint8_t bank;            /* SPDM_ASK_STORE: where there are banks */
    uint8_t key_pair, model; /* as for a CSR; erasing: model 0 */
    bool erase;
    struct spdm_span chain; /* whole structure: Length, RootHash in the negotiated hash, certificates. Only its framing
                               has been checked; yes says that it fits the key and that its signatures hold */
};

extern const struct spdm_errand spdm_errand_csr, spdm_errand_store;

/* ---- reports (1.3+): GET_MEASUREMENT_EXTENSION_LOG, GET_ENDPOINT_INFO ---- */

struct spdm_log_order { /* SPDM_ASK_LOG: yes and data = the whole log; what is asked for of it is taken */
    uint32_t offset;    /* requester: where to begin */
    uint32_t length;    /* requester: most bytes to read, 0: all. Each portion is an SPDM_REPLIED */
};

/* An entry of DMTF's log format. */
struct spdm_log_entry {
    uint32_t index;            /* MELIndex */
    uint8_t measurement, type; /* the measurement it extends; enum spdm_measurement_type */
    bool raw;
    struct spdm_span value;
};
/* The entries of a log that is complete: true, and how many it announces. Then one after the other: false at the end; a
 * malformed one ends the walk with rest->n != 0. */
bool spdm_log_open(struct spdm_span log, uint32_t *entries, struct spdm_span *rest);
bool spdm_log_next(struct spdm_span *rest, struct spdm_log_entry *out);

enum { SPDM_ENDPOINT_DEVICE_CLASS = 1 };
/* A responder too can ask for it, see spdm_responder_ask(). */
struct spdm_endpoint_order { /* SPDM_ASK_ENDPOINT: yes and data = EPInfo. SPDM_REPLIED: that, proven if it was signed */
    uint8_t sub_code;        /* SPDM_ENDPOINT_DEVICE_CLASS */
    bool sign;
    uint8_t slot;           /* signed: 0..7, 0xf a provisioned key. Asking, it is the one that is trusted */
    struct spdm_span nonce; /* the engine's */
};

/* A device class: who defines the class, and the class and what divides it further. */
struct spdm_device_class {
    uint8_t body; /* registry of standards bodies */
    struct spdm_span vendor, sub_ids;
};
/* Like spdm_log_open() and spdm_log_next(), for EPInfo of SPDM_ENDPOINT_DEVICE_CLASS and for its sub_ids. */
bool spdm_device_class_open(struct spdm_span info, uint8_t *classes, struct spdm_span *rest);
bool spdm_device_class_next(struct spdm_span *rest, struct spdm_device_class *out);
bool spdm_sub_id_next(struct spdm_span *rest, struct spdm_span *out);

extern const struct spdm_errand spdm_errand_log, spdm_errand_endpoint;

/* ---- events (1.3+), in established sessions only ----
 *
 * Each side can tell the other of events: who sends them sets EVENT_CAP. A requester asks and subscribes with errands,
 * a responder does the same with spdm_responder_ask(); likewise for sending. Subscriptions and EventInstanceIDs belong
 * to a session and are the caller's to keep, from 0 on, until SPDM_CLOSED; a session whose policy has bit 1
 * (EventAllPolicy, struct spdm_session_facts) begins with everything subscribed. */

/* DMTF's events (body 0, no VendorID, group version 1), and the size of their details. */
enum {
    SPDM_EVENT_LOST = 1,                   /* 8: last EventInstanceID acknowledged, last one lost */
    SPDM_EVENT_MEASUREMENT_CHANGED = 2,    /* 32: bit n of 256 stands for index n */
    SPDM_EVENT_MEASUREMENT_PRE_UPDATE = 3, /* 32: the same */
    SPDM_EVENT_CERTIFICATE_CHANGED = 4     /* 1: slots as a mask */
};

/* A group of event types, in SUPPORTED_EVENT_TYPES and in a subscription. */
struct spdm_event_group {
    uint8_t body; /* registry of standards bodies */
    bool all;     /* subscription: every type of the group; there is no list then */
    uint16_t version;
    struct spdm_span vendor;
    struct spdm_span types; /* spdm_event_type_next() */
};
/* Takes the next group off a list; false at the end, or with rest->n != 0 if it is malformed. */
bool spdm_event_group_next(struct spdm_span *rest, struct spdm_event_group *out);
bool spdm_event_type_next(struct spdm_span *types, uint16_t *type);
/* Writes a group with the n types to room; its size, 0 if it does not fit. */
size_t spdm_event_group_put(struct spdm_room room, const struct spdm_event_group *from, const uint16_t *types,
                            uint16_t n);

struct spdm_notice {
    uint32_t instance; /* EventInstanceID */
    uint8_t body;
    uint16_t type;
    struct spdm_span vendor, detail;
};
/* As for groups. */
bool spdm_notice_next(struct spdm_span *rest, struct spdm_notice *out);
size_t spdm_notice_put(struct spdm_room room, const struct spdm_notice *notice);

struct spdm_list_order { /* SUBSCRIBE_EVENT_TYPES, SPDM_ASK_SUBSCRIBE: groups, none to be told nothing any more;
                            SEND_EVENT, SPDM_ASK_EVENTS: events, whose instance ids are a range without gaps;
                            GET_SUPPORTED_EVENT_TYPES, SPDM_ASK_EVENT_TYPES: nothing; yes and data = groups */
    uint32_t count;      /* the engine's */
    struct spdm_span list;
};

extern const struct spdm_errand spdm_errand_event_types, spdm_errand_subscribe, spdm_errand_events;

/* ---- certificate-slot banks (1.4): SLOT_MANAGEMENT ---- */

enum spdm_sub_code {
    SPDM_SLOTS_SUPPORTED = 0x00, /* SPDM_REPLIED: a bit for each SubCode, 32 bytes */
    SPDM_SLOTS_BANKS = 0x01,     /* spdm_bank_next() */
    SPDM_SLOTS_DETAILS = 0x02,   /* of a bank: spdm_bank_open(), spdm_bank_slot_next() */
    SPDM_SLOTS_CHAIN = 0x03,     /* of bank and slot: the chain structure */
    SPDM_SLOTS_CSR = 0x04,       /* of a key of the bank: the CSR. The device's caller gets SPDM_ASK_CSR */
    SPDM_SLOTS_BANK = 0x20,      /* gives the bank an algorithm; SPDM_ASK_BANK */
    SPDM_SLOTS_ERASE = 0x21,     /* SPDM_ASK_STORE */
    SPDM_SLOTS_STORE = 0x22      /* SPDM_ASK_STORE */
};
struct spdm_slots_order {
    uint8_t sub_code, bank, slot;
    uint8_t key_pair, model, tag; /* CSR, STORE: as in their own orders */
    bool overwrite;
    uint32_t asym, pqc; /* BANK, SPDM_ASK_BANK: one bit of both, as for key pairs */
    struct spdm_span info, opaque, chain;
};

struct spdm_bank_element {
    uint8_t bank, slots, modifiable; /* the latter as masks */
};
struct spdm_bank_details {
    uint8_t bank;
    bool selected, configurable;
    uint32_t asyms, asym, asyms_free; /* possible, present, possible and not another bank's */
    uint32_t pqcs, pqc, pqcs_free;
};
struct spdm_bank_slot {
    uint8_t slot, key_pair, model;
    bool provisioned, protected;
    uint16_t usage;
    uint32_t size;
    struct spdm_span digest;
};
/* Readers, as for logs: false at the end, or with rest->n != 0 at what is malformed. */
bool spdm_bank_next(struct spdm_span *rest, struct spdm_bank_element *out);
bool spdm_bank_open(struct spdm_span details, struct spdm_bank_details *out, struct spdm_span *slots);
bool spdm_bank_slot_next(struct spdm_span *rest, struct spdm_bank_slot *out);

/* Asking, and what may change something. */
extern const struct spdm_errand spdm_errand_slots, spdm_errand_change_slots;

union spdm_order {
    struct spdm_key_pair_order key_pair;
    struct spdm_key_pair_change key_pair_change;
    struct spdm_csr_order csr;
    struct spdm_store_order store;
    struct spdm_log_order log;
    struct spdm_endpoint_order endpoint;
    struct spdm_list_order list;
    struct spdm_slots_order slots;
};
#endif
