/* SPDX-License-Identifier: BSD-3-Clause
 *
 * crypto.h - what the core needs from a crypto library.
 *
 * One const struct of functions, the same for every back end. The core calls
 * them with the `ctx` of its configuration; a back end keeps what it needs
 * there (a library context, a property query) and no global state.
 *
 * Running hashes live in storage that the caller of the core placed:
 * `hash_state_size` bytes, aligned like uint64_t. The all-zero state is
 * "nothing begun"; hash_end() on it does nothing. A state may hold pointers
 * to the back end's own objects: hash_end() is called exactly once for every
 * hash_begin()/hash_copy() that returned true.
 *
 * Private keys never appear here: signing is a question of the core to its
 * caller (SPDM_ASK_SIGN). Public keys are opaque handles: whoever answers the
 * trust question hands one over, and the core gives it back to verify(). */
#ifndef ASSAY_CRYPTO_H
#define ASSAY_CRYPTO_H
#include <assay/algorithm.h>
#include <assay/span.h>
#include <stdbool.h>

/* A verdict that one flipped bit cannot turn round. Anything but SPDM_GOOD is a refusal. */
typedef uint32_t spdm_verdict;
#define SPDM_GOOD ((spdm_verdict)0x5a3cc3a5u)
#define SPDM_BAD ((spdm_verdict)0xa5c33c5au)

/* What a signature covers (DSP0274 "Signature generation"; spec digest transcripts.md section 8). */
struct spdm_signing {
    enum spdm_alg alg;        /* signature algorithm */
    enum spdm_alg hash;       /* negotiated base hash */
    bool prehashed;           /* data is the digest to sign (RSA, ECDSA); else data is the whole message (the others) */
    struct spdm_span data;    /* digest or message */
    struct spdm_span context; /* Ed448, ML-DSA, SLH-DSA: the context string; else empty */
};

/* An HMAC over up to n spans in a row. */
struct spdm_hmac {
    enum spdm_alg hash;
    struct spdm_span key; /* of any length, empty too */
    const struct spdm_span *part;
    size_t n;
};

/* One record. The input comes in pieces that are taken in order as one string; out has room for all of it. out may be
 * the very place of the input (piece after piece), otherwise they do not overlap; an open that fails leaves the input
 * as it was unless it was the same place. in_n may be 0: only the associated data is authenticated. */
struct spdm_aead {
    const uint8_t *iv;          /* 12 bytes */
    struct spdm_span aad[2];    /* one string too; the second may be empty */
    const struct spdm_span *in; /* plaintext to seal, ciphertext to open */
    size_t in_n;
    uint8_t *out;
    uint8_t *tag; /* 16 bytes: written by seal, read by open */
};

#define SPDM_EXCHANGE_SECRET_MAX 512 /* FFDHE 4096 */

struct spdm_crypto {
    size_t hash_state_size;

    /* Whether an algorithm can be used at all. */
    bool (*supports)(void *ctx, enum spdm_alg alg);

    bool (*hash_begin)(void *ctx, void *state, enum spdm_alg hash);
    bool (*hash_update)(void *ctx, void *state, struct spdm_span data);
    /* The digest of everything so far into out (size of the algorithm); the state goes on. */
    bool (*hash_peek)(void *ctx, const void *state, uint8_t *out);
    /* dst (nothing begun) becomes an independent copy of src. */
    bool (*hash_copy)(void *ctx, void *dst, const void *src);
    /* Forgets and wipes; the state is "nothing begun" again. */
    void (*hash_end)(void *ctx, void *state);

    bool (*random)(void *ctx, uint8_t *out, size_t n);

    /* SPDM_GOOD if `signature` (wire format, big endian where that applies) is `key`'s over `what`.
     * An empty signature or a key of another algorithm is SPDM_BAD. */
    spdm_verdict (*verify)(void *ctx, const void *key, const struct spdm_signing *what, struct spdm_span signature);

    /* ---- sessions; all NULL in a back end without them ---- */

    bool (*hmac)(void *ctx, const struct spdm_hmac *in, uint8_t *out);

    /* A cipher with its key schedule, kept from record to record in aead_state_size bytes (as for hashes, the all-zero
     * state is "nothing begun" and every begun state is ended once). */
    size_t aead_state_size;
    bool (*aead_begin)(void *ctx, void *state, enum spdm_alg aead, struct spdm_span key);
    bool (*aead_seal)(void *ctx, void *state, const struct spdm_aead *record);
    /* SPDM_GOOD if the tag is right; on anything else out is wiped. */
    spdm_verdict (*aead_open)(void *ctx, void *state, const struct spdm_aead *record);
    void (*aead_end)(void *ctx, void *state);

    /* Key agreement (DHE groups and KEMs alike). The requester begins: writes its public value (ExchangeData as on the
     * wire: no point prefix, left-padded, big endian) to out; the private half stays in exchange_state_size bytes until
     * finish() or end(). The responder replies in one step. Secrets have full size, leading zeros kept
     * (R-KEX rules); their length is returned, 0 on failure or for an invalid public value. */
    size_t exchange_state_size;
    bool (*exchange_begin)(void *ctx, void *state, enum spdm_alg alg, uint8_t *out);
    size_t (*exchange_finish)(void *ctx, void *state, struct spdm_span peer, uint8_t secret[SPDM_EXCHANGE_SECRET_MAX]);
    void (*exchange_end)(void *ctx, void *state);
    size_t (*exchange_reply)(void *ctx, enum spdm_alg alg, struct spdm_span peer, uint8_t *out,
                             uint8_t secret[SPDM_EXCHANGE_SECRET_MAX]);

    /* May be NULL: a running hash as bytes and back, for saving a connection. n is hash_saved_size at most. */
    size_t hash_saved_size;
    size_t (*hash_save)(void *ctx, const void *state, uint8_t *out);
    bool (*hash_load)(void *ctx, void *state, struct spdm_span saved);
};
#endif
