/* SPDX-License-Identifier: BSD-3-Clause
 *
 * signing.h - from a transcript digest to what a key signs (R-SIG-01 ... R-SIG-08). */
#ifndef ASSAY_TRUST_SIGNING_H
#define ASSAY_TRUST_SIGNING_H
#include "trust/edition.h"
#include "trust/transcript.h"
#include <assay/spdm.h>

/* What is signed: one row per context string. */
enum signed_by {
    SIGNED_NOT,
    SIGNED_CHALLENGE_AUTH,
    SIGNED_MEASUREMENTS,
    SIGNED_KEY_EXCHANGE_RSP,
    SIGNED_FINISH,
    SIGNED_ENDPOINT_INFO,
    SIGNED_N
};

enum { SIGNING_PREFIX = 100 };

/* Input of one signature. `what` points into the object itself: it must not be moved. */
struct to_sign {
    union {
        uint8_t message[SIGNING_PREFIX + SPDM_HASH_MAX]; /* combined_spdm_prefix || transcript digest */
        struct {
            uint8_t prefix[SIGNING_PREFIX];
            uint8_t digest[SPDM_HASH_MAX]; /* the transcript's, then, where that is what is signed, the message's */
        };
    };
    struct spdm_signing what;
};

/* What a signature depends on beside the transcript's digest. */
struct signer {
    const struct edition *edition;
    uint8_t alg, hash;  /* enum spdm_alg */
    uint8_t byte_order; /* enum spdm_byte_order, below 1.2 (UN-15) */
    bool turned;        /* the signer is the Requester: "requester-..." */
};

/* Fills *out from out->digest, the digest of the transcript. false: the crypto library failed. */
bool spdm_signing_prepare(struct to_sign *out, const struct transcript *t, const struct signer *signer,
                          enum signed_by by);

struct candidate {
    const void *key;
    struct spdm_span signature;
    bool reversed; /* out: the little-endian reading is the one that verified (1.0, 1.1) */
};
/* SPDM_GOOD if the candidate is its key's signature over `input`. Below 1.2 the byte order is a matter of policy. */
spdm_verdict spdm_signing_verify(const struct transcript *t, const struct signer *signer, const struct to_sign *input,
                                 struct candidate *candidate);
/* The same with the signature in the other byte order, whatever version and policy say: for who looks for mistakes. */
spdm_verdict spdm_signing_verify_reversed(const struct transcript *t, const struct to_sign *input,
                                          const struct candidate *candidate);
#endif
