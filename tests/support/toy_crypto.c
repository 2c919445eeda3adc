/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The toy port: a 64-bit multiply-and-mix hash stretched to any size. */
#include "support/toy_crypto.h"
#include <string.h>

struct running {
    uint64_t alg, a, b;
};

static bool counted(struct toy *t)
{
    return ++t->calls != t->fail_at;
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 31;
    x *= 0x9e3779b97f4a7c15u;
    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9u;
    return x ^ x >> 32;
}

static void absorb(struct running *r, struct spdm_span data)
{
    for (size_t i = 0; i < data.n; i++) {
        r->a = mix(r->a + data.p[i] + 1);
        r->b += r->a;
    }
}

static void squeeze(const struct running *r, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)mix(r->a ^ r->b ^ (r->alg << 56) ^ (uint64_t)i << 40);
}

static bool supports(void *ctx, enum spdm_alg alg)
{
    (void)ctx;
    return alg != SPDM_ALG_NONE;
}

static bool hash_begin(void *ctx, void *state, enum spdm_alg hash)
{
    struct running r = {.alg = hash, .a = 7, .b = 1};
    struct toy *t = ctx;

    if (!counted(t) || spdm_algorithm(hash)->cls != SPDM_CLASS_HASH) return false;
    t->open++;
    memcpy(state, &r, sizeof r);
    return true;
}

static bool hash_update(void *ctx, void *state, struct spdm_span data)
{
    struct running r;

    if (!counted(ctx)) return false;
    memcpy(&r, state, sizeof r);
    absorb(&r, data);
    memcpy(state, &r, sizeof r);
    return true;
}

static bool hash_peek(void *ctx, const void *state, uint8_t *out)
{
    struct running r;

    if (!counted(ctx)) return false;
    memcpy(&r, state, sizeof r);
    squeeze(&r, out, spdm_algorithm((enum spdm_alg)r.alg)->size);
    return true;
}

static bool hash_copy(void *ctx, void *dst, const void *src)
{
    struct toy *t = ctx;

    if (!counted(t)) return false;
    t->open++;
    memcpy(dst, src, sizeof(struct running));
    return true;
}

static void hash_end(void *ctx, void *state)
{
    struct running r;
    struct toy *t = ctx;

    memcpy(&r, state, sizeof r);
    if (r.alg != 0) t->open--;
    memset(state, 0, sizeof r);
}

static bool random_bytes(void *ctx, uint8_t *out, size_t n)
{
    struct toy *t = ctx;

    if (!counted(t)) return false;
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)mix(++t->random);
    return true;
}

size_t toy_sign(const struct toy_key *key, const struct spdm_signing *what, uint8_t *out)
{
    struct running r = {.alg = what->alg, .a = key->id, .b = what->prehashed};
    size_t n = spdm_algorithm(what->alg)->size;

    absorb(&r, what->data);
    absorb(&r, what->context);
    squeeze(&r, out, n);
    return n;
}

static spdm_verdict verify(void *ctx, const void *key, const struct spdm_signing *what, struct spdm_span signature)
{
    static uint8_t expected[49856];
    struct toy *t = ctx;

    if (!counted(t)) return SPDM_BAD;
    if (t->accept_all) return SPDM_GOOD;
    if (signature.n == 0 || signature.n != toy_sign(key, what, expected)) return SPDM_BAD;
    return memcmp(expected, signature.p, signature.n) == 0 ? SPDM_GOOD : SPDM_BAD;
}

const struct spdm_crypto toy_crypto = {.hash_state_size = sizeof(struct running),
                                       .supports = supports,
                                       .hash_begin = hash_begin,
                                       .hash_update = hash_update,
                                       .hash_peek = hash_peek,
                                       .hash_copy = hash_copy,
                                       .hash_end = hash_end,
                                       .random = random_bytes,
                                       .verify = verify};
