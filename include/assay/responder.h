/* SPDX-License-Identifier: BSD-3-Clause
 *
 * responder.h - the side that proves: act as a device.
 *
 * The identity is the caller's: certificates, the algorithms their keys sign
 * with, slots. The engine reads it and never copies it, so many connections
 * stand on one identity. Private keys and measurement values stay outside:
 * SPDM_ASK_SIGN and SPDM_ASK_MEASURE. An answer may take its time: when the
 * time promised by CTExponent runs out, the engine itself says ResponseNotReady
 * and serves RESPOND_IF_READY. */
#ifndef ASSAY_RESPONDER_H
#define ASSAY_RESPONDER_H
#include <assay/spdm.h>

enum spdm_cert_model { SPDM_CERT_NONE, SPDM_CERT_DEVICE, SPDM_CERT_ALIAS, SPDM_CERT_GENERIC };
/* KeyUsageMask */
enum { SPDM_USE_KEY_EX = 1, SPDM_USE_CHALLENGE = 2, SPDM_USE_MEASUREMENT = 4, SPDM_USE_ENDPOINT_INFO = 8 };

struct spdm_slot {
    struct spdm_span certificates; /* DER certificates back to back, root side first; empty: slot not provisioned */
    struct spdm_span root;         /* DER of the root (RootHash), whether part of certificates or not */
    const uint8_t *signs;          /* enum spdm_alg its key can sign with, ended by 0 */
    uint8_t model;                 /* enum spdm_cert_model */
    uint8_t key_pair_id;           /* 1.3+ multi-key */
    uint16_t usage;                /* 1.3+ multi-key: KeyUsageMask */
};

/* A key pair as KEY_PAIR_INFO describes it (1.3+). Algorithms are bits of its own tables, see spdm_key_pair_bit(). */
struct spdm_key_pair {
    uint8_t id, total;                /* when read: KeyPairID, TotalKeyPairs. In an identity the place counts */
    uint8_t slots;                    /* slots it belongs to, as a mask */
    uint16_t capabilities;            /* enum of errand.h */
    uint16_t usages, usage;           /* KeyUsageMask: possible, present */
    uint32_t asyms, asym;             /* algorithms: possible, present (at most one of asym and pqc; 0: no key) */
    uint32_t pqcs, pqc;               /* the same, post-quantum (1.4) */
    struct spdm_span public_key_info; /* AlgorithmIdentifier, DER; empty: no key */
};

/* A bank of certificate slots (1.4): all of one algorithm, or of none yet. */
struct spdm_bank {
    struct spdm_slot slot[SPDM_SLOT_N];
    uint8_t slots;        /* that exist, as a mask */
    uint8_t modifiable;   /* of these: can be written and erased */
    uint8_t protected;    /* of these: write-protected; not modifiable then */
    bool configurable;    /* SLOT_MANAGEMENT may give it another algorithm */
    uint32_t asyms, asym; /* algorithms as for key pairs: possible, present; the present ones of all banks differ */
    uint32_t pqcs, pqc;
    uint32_t slot_size; /* bytes that each slot can hold */
};

struct spdm_identity {
    struct spdm_slot slot[SPDM_SLOT_N];
    uint8_t supported;           /* slots that exist, as a mask (1.3+) */
    uint8_t pending;             /* slots whose certificates change with the next reset, as a mask (1.2+) */
    struct spdm_span public_key; /* provisioned public key (PUB_KEY_ID_CAP): exactly the provisioned bytes */
    const uint8_t *public_key_signs;
    const struct spdm_key_pair *key_pair; /* of key_pair_n; the first is KeyPairID 1. They say which slot belongs to
                                             which key pair: slot[].key_pair_id and usage count only without them */
    uint8_t key_pair_n;
    const struct spdm_bank *bank; /* of bank_n, 240 at most; then the slots are those of the bank that has the
                                     negotiated algorithm, and slot and supported above do not count */
    uint8_t bank_n;
};

/* Sets of requests to serve. A device links only what its set names. */
extern const struct spdm_services spdm_serve_attestation;  /* version to measurements */
extern const struct spdm_services spdm_serve_sessions;     /* the same, and sessions by KEY_EXCHANGE */
extern const struct spdm_services spdm_serve_provisioning; /* attestation, key pairs, CSRs, certificates, banks */
extern const struct spdm_services spdm_serve_all;          /* every request this library can answer */

struct spdm_responder;

size_t spdm_responder_size(const struct spdm_config *config);
struct spdm_responder *spdm_responder_init(struct spdm_room memory, const struct spdm_config *config);
struct spdm_span spdm_responder_pull(struct spdm_responder *rs, uint64_t now);
void spdm_responder_push(struct spdm_responder *rs, struct spdm_span frame, uint64_t now);
enum spdm_event_kind spdm_responder_event(struct spdm_responder *rs, struct spdm_event *event);
/* Settles a question. false: no such question is open (the connection has moved on). */
bool spdm_responder_answer(struct spdm_responder *rs, const struct spdm_answer *answer);
uint64_t spdm_responder_deadline(const struct spdm_responder *rs);
const struct spdm_facts *spdm_responder_facts(const struct spdm_responder *rs);
/* With CACHE_CAP in its policy a responder's caller keeps this, once it is not empty, over a reset, and gives it to the
 * new responder. It is empty before a negotiation and after a Requester has told us to forget (END_SESSION). false: it
 * does not fit the configuration any more, and the Requester will be told to start over. */
struct spdm_span spdm_responder_vca(const struct spdm_responder *rs);
bool spdm_responder_recall(struct spdm_responder *rs, struct spdm_span vca);
/* Identity, firmware or configuration changed: every request gets RequestResynch until GET_VERSION (R-VSN-15). */
void spdm_responder_resynch(struct spdm_responder *rs);
void spdm_responder_close(struct spdm_responder *rs);
#endif
