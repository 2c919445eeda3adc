/* SPDX-License-Identifier: BSD-3-Clause
 *
 * null_cipher.h - the toy without a cipher: records say what they hold, every
 * tag is right. For who wants to get at what comes after the cipher. */
#ifndef ASSAY_TESTS_NULL_CIPHER_H
#define ASSAY_TESTS_NULL_CIPHER_H
#include "support/toy_crypto.h"
#include <string.h>

static void null_copy(const struct spdm_aead *record)
{
    size_t at = 0;

    for (size_t i = 0; i < record->in_n; i++) {
        if (record->in[i].n != 0) memmove(record->out + at, record->in[i].p, record->in[i].n);
        at += record->in[i].n;
    }
}

static bool null_seal(void *ctx, void *state, const struct spdm_aead *record)
{
    (void)ctx;
    (void)state;
    null_copy(record);
    memset(record->tag, 0, 16);
    return true;
}

static spdm_verdict null_open(void *ctx, void *state, const struct spdm_aead *record)
{
    (void)ctx;
    (void)state;
    null_copy(record);
    return SPDM_GOOD;
}

static inline struct spdm_crypto null_cipher(void)
{
    struct spdm_crypto crypto = toy_crypto;

    crypto.aead_seal = null_seal;
    crypto.aead_open = null_open;
    return crypto;
}
#endif
