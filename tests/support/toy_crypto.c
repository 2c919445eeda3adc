/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The toy port: a 64-bit multiply-and-mix hash stretched to any size, a stream
 * cipher and a tag made of it, and Diffie-Hellman modulo a 31-bit prime. */
#include "support/toy_crypto.h"
#include <string.h>

#define PRIME UINT64_C(0x7fffffff)
#define GENERATOR 7

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

    if (!counted(t)) return t->random_failed++, false;
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

/* ---- sessions ---- */

static void absorb_number(struct running *r, uint64_t number)
{
    r->a = mix(r->a + number);
    r->b += r->a;
}

static bool hmac(void *ctx, const struct spdm_hmac *in, uint8_t *out)
{
    struct running r = {.alg = in->hash, .a = 11, .b = in->key.n};

    if (!counted(ctx) || spdm_algorithm(in->hash)->cls != SPDM_CLASS_HASH) return false;
    absorb(&r, in->key);
    absorb_number(&r, in->key.n);
    for (size_t i = 0; i < in->n; i++) absorb(&r, in->part[i]);
    squeeze(&r, out, spdm_algorithm(in->hash)->size);
    return true;
}

static bool aead_begin(void *ctx, void *state, enum spdm_alg aead, struct spdm_span key)
{
    struct running r = {.alg = aead, .a = 13, .b = 1};
    struct toy *t = ctx;

    if (!counted(t) || spdm_algorithm(aead)->cls != SPDM_CLASS_AEAD || key.n != spdm_algorithm(aead)->key) return false;
    absorb(&r, key);
    t->open++;
    memcpy(state, &r, sizeof r);
    return true;
}

/* The cipher hides what is written to out; the tag covers everything, the ciphertext included. */
struct cipher {
    struct running stream, tag;
    size_t n; /* of the input */
};

static void aead_iv(struct cipher *c, const struct running *keyed, const struct spdm_aead *record)
{
    *c = (struct cipher){.stream = *keyed, .tag = *keyed};
    absorb(&c->stream, (struct spdm_span){record->iv, 12});
    c->tag = c->stream;
    absorb_number(&c->tag, record->aad[0].n + record->aad[1].n);
    for (size_t i = 0; i < 2; i++) absorb(&c->tag, record->aad[i]);
}

/* Pieces may lie in their place already. */
static void aead_run(struct cipher *c, const struct spdm_aead *record, bool open)
{
    for (size_t i = 0; i < record->in_n; i++) {
        for (size_t k = 0; k < record->in[i].n; k++, c->n++) {
            uint8_t from = record->in[i].p[k], to = from ^ (uint8_t)mix(c->stream.a ^ c->stream.b ^ (c->n + 1) << 8);
            absorb(&c->tag, (struct spdm_span){open ? &from : &to, 1});
            record->out[c->n] = to;
        }
    }
}

static bool counted_cipher(struct toy *t)
{
    if (counted(t)) return true;
    t->cipher_failed++;
    return false;
}

static bool aead_seal(void *ctx, void *state, const struct spdm_aead *record)
{
    struct running r;
    struct cipher c;

    memcpy(&r, state, sizeof r);
    if (!counted_cipher(ctx) || r.alg == 0) return false;
    aead_iv(&c, &r, record);
    aead_run(&c, record, false);
    squeeze(&c.tag, record->tag, 16);
    return true;
}

static spdm_verdict aead_open(void *ctx, void *state, const struct spdm_aead *record)
{
    struct running r;
    struct cipher c;
    uint8_t expected[16];

    memcpy(&r, state, sizeof r);
    if (!counted_cipher(ctx) || r.alg == 0) return SPDM_BAD;
    aead_iv(&c, &r, record);
    aead_run(&c, record, true);
    squeeze(&c.tag, expected, 16);
    if (memcmp(expected, record->tag, sizeof expected) == 0) return SPDM_GOOD;
    if (c.n != 0) memset(record->out, 0, c.n);
    return SPDM_BAD;
}

static uint64_t power(uint64_t base, uint64_t n)
{
    uint64_t result = 1;

    for (; n != 0; n >>= 1) {
        if ((n & 1) != 0) result = result * base % PRIME;
        base = base * base % PRIME;
    }
    return result;
}

/* A public value: 8 bytes of number, the rest is made of them, so that no bit of it is free. */
static void publish(enum spdm_alg alg, uint64_t number, uint8_t *out, size_t n)
{
    struct running r = {.alg = alg, .a = 17, .b = 1};

    for (size_t i = 0; i < 8; i++) out[i] = (uint8_t)(number >> 8 * i);
    absorb(&r, (struct spdm_span){out, 8});
    squeeze(&r, out + 8, n - 8);
}

static size_t agree(enum spdm_alg alg, uint64_t exponent, struct spdm_span peer, uint8_t *secret)
{
    static uint8_t expected[1568];
    struct running r = {.alg = alg, .a = 19, .b = 1};
    const struct spdm_algorithm *row = spdm_algorithm(alg);
    size_t n = row->size;
    uint64_t number = 0;

    if (alg >= SPDM_SECP256R1) n /= 2;
    if (alg == SPDM_DHE_SM2) n = 16;
    if (row->cls == SPDM_CLASS_KEM) n = 32;
    for (size_t i = 8; i-- > 0;) number = number << 8 | peer.p[i];
    publish(alg, number, expected, peer.n);
    if (number < 2 || number >= PRIME - 1 || memcmp(expected, peer.p, peer.n) != 0) return 0;
    absorb_number(&r, power(number, exponent));
    squeeze(&r, secret, n);
    return n;
}

static bool exchanges(enum spdm_alg alg)
{
    return spdm_algorithm(alg)->cls == SPDM_CLASS_DHE || spdm_algorithm(alg)->cls == SPDM_CLASS_KEM;
}

static bool exchange_begin(void *ctx, void *state, enum spdm_alg alg, uint8_t *out)
{
    struct toy *t = ctx;

    if (!counted(t) || !exchanges(alg)) return false;
    struct running r = {.alg = alg, .a = mix(++t->random) % (PRIME - 3) + 2};
    publish(alg, power(GENERATOR, r.a), out, spdm_algorithm(alg)->size);
    t->open++;
    memcpy(state, &r, sizeof r);
    return true;
}

static size_t exchange_finish(void *ctx, void *state, struct spdm_span peer, uint8_t *secret)
{
    struct running r;
    bool fine = counted(ctx);

    memcpy(&r, state, sizeof r);
    hash_end(ctx, state);
    if (!fine || r.alg == 0 || peer.n != spdm_algorithm((enum spdm_alg)r.alg)->reply) return 0;
    return agree((enum spdm_alg)r.alg, r.a, peer, secret);
}

static size_t exchange_reply(void *ctx, enum spdm_alg alg, struct spdm_span peer, uint8_t *out, uint8_t *secret)
{
    struct toy *t = ctx;

    if (!counted(t) || !exchanges(alg) || peer.n != spdm_algorithm(alg)->size) return 0;
    uint64_t exponent = mix(++t->random) % (PRIME - 3) + 2;
    publish(alg, power(GENERATOR, exponent), out, spdm_algorithm(alg)->reply);
    return agree(alg, exponent, peer, secret);
}

const struct spdm_crypto toy_crypto = {.hash_state_size = sizeof(struct running),
                                       .supports = supports,
                                       .hash_begin = hash_begin,
                                       .hash_update = hash_update,
                                       .hash_peek = hash_peek,
                                       .hash_copy = hash_copy,
                                       .hash_end = hash_end,
                                       .random = random_bytes,
                                       .verify = verify,
                                       .hmac = hmac,
                                       .aead_state_size = sizeof(struct running),
                                       .aead_begin = aead_begin,
                                       .aead_seal = aead_seal,
                                       .aead_open = aead_open,
                                       .aead_end = hash_end,
                                       .exchange_state_size = sizeof(struct running),
                                       .exchange_begin = exchange_begin,
                                       .exchange_finish = exchange_finish,
                                       .exchange_end = hash_end,
                                       .exchange_reply = exchange_reply};
