/* SPDX-License-Identifier: BSD-3-Clause
 *
 * toy_crypto.h - a crypto port that is fast, deterministic and worthless.
 *
 * For tests of the protocol: hashes and HMACs of the right size that change
 * with every bit, signatures that verify only for the same key over the same
 * bytes, records that are hidden and open only unchanged, key agreements that
 * agree, and random bytes from a counter. Every call can be made to fail by
 * number. */
#ifndef ASSAY_TESTS_TOY_CRYPTO_H
#define ASSAY_TESTS_TOY_CRYPTO_H
#include <assay/crypto.h>

struct toy {
    uint64_t random;    /* state of the generator */
    long fail_at;       /* the call with this number fails; 0: none */
    long calls;         /* calls so far */
    long random_failed; /* those of them that had no random numbers to give */
    long cipher_failed; /* those of them that sealed or opened */
    long open;          /* running hashes, ciphers and key agreements that nobody has ended yet */
    bool accept_all;    /* verify says yes to everything: for showing that a check elsewhere fires */
};

extern const struct spdm_crypto toy_crypto;

/* A public key of the toy is this number. */
struct toy_key {
    uint32_t id;
};

/* The signature of `key` as wide as the algorithm demands. Returns its size. */
size_t toy_sign(const struct toy_key *key, const struct spdm_signing *what, uint8_t *out);
#endif
