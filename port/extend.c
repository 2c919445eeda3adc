/* SPDX-License-Identifier: BSD-3-Clause
 *
 * extend.c - a log, entry by entry. */
#include "port/extend.h"

#include <assay/errand.h>
#include <stdlib.h>
#include <string.h>

/* The hash of two spans, one behind the other; out may be one of them. */
static bool hash(struct spdm_openssl *ossl, enum spdm_alg alg, const struct spdm_span parts[2], uint8_t *out)
{
    const struct spdm_crypto *crypto = spdm_openssl_crypto();
    void *state = calloc(1, crypto->hash_state_size);
    bool fine = state != NULL && crypto->hash_begin(ossl, state, alg) && crypto->hash_update(ossl, state, parts[0]) &&
                crypto->hash_update(ossl, state, parts[1]) && crypto->hash_peek(ossl, state, out);
    if (state != NULL) crypto->hash_end(ossl, state);
    free(state);
    return fine;
}

static bool extend(struct spdm_openssl *ossl, enum spdm_alg alg, const struct spdm_log_entry *e, uint8_t *value)
{
    size_t size = spdm_algorithm(alg)->size;
    uint8_t digest[SPDM_HASH_MAX];
    struct spdm_span parts[2] = {{value, size}, e->value};
    if (e->raw) {
        if (!hash(ossl, alg, (struct spdm_span[2]){{value, 0}, e->value}, digest)) return false;
        parts[1] = (struct spdm_span){digest, size};
    }
    return parts[1].n == size && hash(ossl, alg, parts, value);
}

bool spdm_extend(struct spdm_openssl *ossl, const struct spdm_extended *what, uint8_t out[SPDM_HASH_MAX],
                 unsigned *entries)
{
    const struct spdm_algorithm *alg = spdm_algorithm(what->hash);
    struct spdm_log_entry e;
    struct spdm_span rest;
    uint32_t announced, read = 0;
    *entries = 0;
    memset(out, 0, SPDM_HASH_MAX);
    if (alg == NULL || alg->size == 0 || !spdm_log_open(what->log, &announced, &rest)) return false;
    for (; spdm_log_next(&rest, &e); read++) {
        if (e.measurement != what->measurement) continue;
        if (!extend(ossl, what->hash, &e, out)) return false;
        ++*entries;
    }
    return rest.n == 0 && read == announced;
}
