/* SPDX-License-Identifier: BSD-3-Clause
 *
 * null_crypto.h - a crypto port that does nothing, for measuring the size of
 * the protocol alone. The core reaches it through pointers only, in another
 * translation unit, so the compiler cannot tell that it does nothing. */
#ifndef ASSAY_TESTS_SIZE_NULL_CRYPTO_H
#define ASSAY_TESTS_SIZE_NULL_CRYPTO_H
#include "null_session.h"

static bool null_supports(void *ctx, enum spdm_alg alg)
{
    (void)ctx;
    return alg != SPDM_ALG_NONE;
}

static bool null_begin(void *ctx, void *state, enum spdm_alg hash)
{
    (void)ctx;
    (void)state;
    return hash != SPDM_ALG_NONE;
}

static bool null_update(void *ctx, void *state, struct spdm_span data)
{
    (void)ctx;
    (void)state;
    return data.p != NULL;
}

static bool null_peek(void *ctx, const void *state, uint8_t *out)
{
    (void)ctx;
    (void)state;
    return out != NULL;
}

static bool null_copy(void *ctx, void *dst, const void *src)
{
    (void)ctx;
    return dst != src;
}

static void null_end(void *ctx, void *state)
{
    (void)ctx;
    (void)state;
}

static bool null_random(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    (void)n;
    return out != NULL;
}

static spdm_verdict null_verify(void *ctx, const void *key, const struct spdm_signing *what, struct spdm_span signature)
{
    (void)ctx;
    (void)what;
    return key != NULL && signature.n != 0 ? SPDM_GOOD : SPDM_BAD;
}

/* As large as the running SHA-384 of a small library: 64 bytes of chaining value, 128 of block, a counter. */
static const struct spdm_crypto null_crypto = {.hash_state_size = 208,
                                               .supports = null_supports,
                                               .hash_begin = null_begin,
                                               .hash_update = null_update,
                                               .hash_peek = null_peek,
                                               .hash_copy = null_copy,
                                               .hash_end = null_end,
                                               .random = null_random,
                                               .verify = null_verify,
                                               NULL_SESSION_CRYPTO};
#endif
