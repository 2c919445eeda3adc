/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_known.h - what is known of a connection that its capture does not
 * show: chains and keys that were provisioned, and a negotiation that came
 * before the capture. */
#ifndef SPDM_DECODE_KNOWN_H
#define SPDM_DECODE_KNOWN_H
#include "decode_trust.h"
#include <assay/witness.h>

#define DECODE_KNOWN_ERROR 600

struct decode_provision {
    bool requester; /* whose it is */
    uint8_t slot;   /* SPDM_SLOT_KEY: a bare public key */
    const char *path;
    struct spdm_room bytes; /* a chain structure as GET_CERTIFICATE delivers it, certificates back to back, or a key */
    bool certificates;      /* they are certificates: Length and RootHash are to be put in front */
    struct spdm_openssl_key *key; /* of a bare key */
};

struct decode_known {
    struct decode_provision *v;
    size_t n;
    bool assumed; /* facts and vca are given */
    struct spdm_facts facts;
    struct spdm_room vca;
};

/* "SLOT:FILE" or "FILE" for slot 0. */
bool decode_known_chain(struct decode_known *known, bool requester, const char *text, char error[DECODE_KNOWN_ERROR]);
bool decode_known_key(struct decode_known *known, struct spdm_openssl *ossl, bool requester, const char *path,
                      char error[DECODE_KNOWN_ERROR]);
/* "version=1.3,hash=SHA_384,signature=ECDSA_P384,..."; VCA in a file of hex digits, or NULL. */
bool decode_known_state(struct decode_known *known, const char *text, const char *vca, char error[DECODE_KNOWN_ERROR]);
/* What is likely of a connection of which nothing is known but its version: enough to read most messages by. */
struct spdm_facts decode_known_guess(uint8_t version);
/* Tells a witness, once its algorithms are negotiated. Chains are judged like those of the capture. */
void decode_known_tell(const struct decode_known *known, struct decode_court *court, struct spdm_witness *witness,
                       int64_t now);
void decode_known_clear(struct decode_known *known);
#endif
