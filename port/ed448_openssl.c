/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ed448 after RFC 8032 section 5.2, on libcrypto's prime-field curves. Those
 * are Weierstrass curves, so points are carried over: from Edwards (x, y) to
 * the Montgomery curve B v^2 = u^3 + A u^2 + u by u = (1 + y) / (1 - y),
 * v = u / x, and to w^2 = t^3 + a t + b by t = u / B + A / (3 B), w = v / B
 * (with A = 2 (1 + d) / (1 - d), B = 4 / (1 - d)). libcrypto checks of every
 * point that it lies on the curve. */
#include "port/ed448_openssl.h"
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <string.h>

struct curve {
    EC_GROUP *group;
    BIGNUM *p, *d, *order;
    BIGNUM *scale, *shift; /* 1 / B and A / (3 B) */
};

static const uint8_t base_point[SPDM_ED448_KEY] = {
    0x14, 0xfa, 0x30, 0xf2, 0x5b, 0x79, 0x08, 0x98, 0xad, 0xc8, 0xd7, 0x4e, 0x2c, 0x13, 0xbd, 0xfd, 0xc4, 0x39, 0x7c,
    0xe6, 0x1c, 0xff, 0xd3, 0x3a, 0xd7, 0xc2, 0xa0, 0x05, 0x1e, 0x9c, 0x78, 0x87, 0x40, 0x98, 0xa3, 0x6c, 0x73, 0x73,
    0xea, 0x4b, 0x62, 0xc7, 0xc9, 0x56, 0x37, 0x20, 0x76, 0x88, 0x24, 0xbc, 0xb6, 0x6e, 0x71, 0x46, 0x3f, 0x69, 0x00};

/* Numbers of one computation, given back together; the first failure sticks. */
struct sums {
    const struct curve *c;
    BN_CTX *bn;
    bool ok;
};

static BIGNUM *fresh(struct sums *s)
{
    BIGNUM *n = BN_CTX_get(s->bn);

    s->ok = s->ok && n != NULL;
    return n;
}

static void multiply(struct sums *s, BIGNUM *out, const BIGNUM *a, const BIGNUM *b)
{
    s->ok = s->ok && BN_mod_mul(out, a, b, s->c->p, s->bn) == 1;
}

static void divide(struct sums *s, BIGNUM *out, const BIGNUM *a, const BIGNUM *b)
{
    BIGNUM *inverse = fresh(s);

    s->ok = s->ok && BN_mod_inverse(inverse, b, s->c->p, s->bn) != NULL;
    multiply(s, out, a, inverse);
}

static void add(struct sums *s, BIGNUM *out, const BIGNUM *a, const BIGNUM *b)
{
    s->ok = s->ok && BN_mod_add(out, a, b, s->c->p, s->bn) == 1;
}

static void subtract(struct sums *s, BIGNUM *out, const BIGNUM *a, const BIGNUM *b)
{
    s->ok = s->ok && BN_mod_sub(out, a, b, s->c->p, s->bn) == 1;
}

/* RFC 8032 5.2.3: the x of a point given by y and the lowest bit of x. */
static void recover_x(struct sums *s, BIGNUM *x, const BIGNUM *y, bool odd)
{
    BIGNUM *yy = fresh(s), *u = fresh(s), *v = fresh(s);

    if (!s->ok) return;
    multiply(s, yy, y, y);
    subtract(s, u, yy, BN_value_one());
    multiply(s, v, yy, s->c->d);
    subtract(s, v, v, BN_value_one());
    divide(s, u, u, v);
    s->ok = s->ok && BN_mod_sqrt(x, u, s->c->p, s->bn) != NULL; /* none: no such point */
    if (!s->ok) return;
    if (BN_is_zero(x)) {
        s->ok = !odd;
    } else if (BN_is_odd(x) != odd) {
        s->ok = BN_sub(x, s->c->p, x) == 1;
    }
}

/* A point from its 57 bytes; must be canonical. */
static bool decode(const struct curve *c, const uint8_t *in, EC_POINT *out, BN_CTX *bn)
{
    struct sums s = {.c = c, .bn = bn, .ok = true};
    bool odd = in[SPDM_ED448_KEY - 1] >> 7;

    BN_CTX_start(bn);
    BIGNUM *x = fresh(&s), *y = fresh(&s), *t = fresh(&s), *w = fresh(&s), *one_minus_y = fresh(&s);
    s.ok = s.ok && (in[SPDM_ED448_KEY - 1] & 0x7f) == 0 && BN_lebin2bn(in, SPDM_ED448_KEY - 1, y) != NULL &&
           BN_cmp(y, c->p) < 0;
    recover_x(&s, x, y, odd);
    if (s.ok && BN_is_one(y)) {
        s.ok = EC_POINT_set_to_infinity(c->group, out) == 1; /* (0, 1) */
    } else {
        add(&s, t, y, BN_value_one());
        subtract(&s, one_minus_y, BN_value_one(), y);
        divide(&s, t, t, one_minus_y);
        if (s.ok && BN_is_zero(x)) {
            BN_zero(w); /* (0, -1) */
        } else {
            divide(&s, w, t, x);
        }
        multiply(&s, t, t, c->scale);
        add(&s, t, t, c->shift);
        multiply(&s, w, w, c->scale);
        s.ok = s.ok && EC_POINT_set_affine_coordinates(c->group, out, t, w, bn) == 1;
    }
    BN_CTX_end(bn);
    return s.ok;
}

/* The 57 bytes of a point that is neither the neutral one nor of order two: no multiple of the base point by less
 * than its order, and none by zero, is. */
static bool encode(const struct curve *c, const EC_POINT *in, uint8_t *out, BN_CTX *bn)
{
    struct sums s = {.c = c, .bn = bn, .ok = true};

    BN_CTX_start(bn);
    BIGNUM *u = fresh(&s), *v = fresh(&s), *x = fresh(&s), *y = fresh(&s), *plus = fresh(&s);
    s.ok = s.ok && EC_POINT_get_affine_coordinates(c->group, in, u, v, bn) == 1;
    subtract(&s, u, u, c->shift);
    divide(&s, u, u, c->scale);
    divide(&s, v, v, c->scale);
    divide(&s, x, u, v);
    subtract(&s, y, u, BN_value_one());
    add(&s, plus, u, BN_value_one());
    divide(&s, y, y, plus);
    s.ok = s.ok && BN_bn2lebinpad(y, out, SPDM_ED448_KEY) == SPDM_ED448_KEY;
    if (s.ok && BN_is_odd(x)) out[SPDM_ED448_KEY - 1] |= 0x80;
    BN_CTX_end(bn);
    return s.ok;
}

/* ---- the curve ---- */

static void free_curve(struct curve *c)
{
    if (c == NULL) return;
    EC_GROUP_free(c->group);
    BN_free(c->p);
    BN_free(c->d);
    BN_free(c->order);
    BN_free(c->scale);
    BN_free(c->shift);
    OPENSSL_free(c);
}

void spdm_ed448_drop(struct spdm_openssl *ossl)
{
    free_curve(ossl->ed448);
    ossl->ed448 = NULL;
}

/* scale, shift and the coefficients a = (3 - A^2) / (3 B^2), b = (2 A^3 - 9 A) / (27 B^3). */
static bool coefficients(struct curve *c, BIGNUM *a, BIGNUM *b, BN_CTX *bn)
{
    struct sums s = {.c = c, .bn = bn, .ok = true};
    BIGNUM *one_minus_d = fresh(&s), *big_a = fresh(&s), *aa = fresh(&s), *ss = fresh(&s), *n = fresh(&s);

    if (!s.ok) return false;
    subtract(&s, one_minus_d, BN_value_one(), c->d);
    s.ok = s.ok && BN_set_word(n, 4) == 1;
    divide(&s, c->scale, one_minus_d, n);
    add(&s, big_a, BN_value_one(), c->d);
    add(&s, big_a, big_a, big_a);
    divide(&s, big_a, big_a, one_minus_d);
    s.ok = s.ok && BN_set_word(n, 3) == 1;
    multiply(&s, c->shift, big_a, c->scale);
    divide(&s, c->shift, c->shift, n);

    multiply(&s, aa, big_a, big_a);
    multiply(&s, ss, c->scale, c->scale);
    subtract(&s, a, n, aa);
    multiply(&s, a, a, ss);
    divide(&s, a, a, n);

    s.ok = s.ok && BN_set_word(n, 9) == 1;
    add(&s, b, aa, aa);
    subtract(&s, b, b, n);
    multiply(&s, b, b, big_a);
    multiply(&s, b, b, ss);
    multiply(&s, b, b, c->scale);
    s.ok = s.ok && BN_set_word(n, 27) == 1;
    divide(&s, b, b, n);
    return s.ok;
}

/* p = 2^448 - 2^224 - 1, d = -39081, order = 2^446 - 0x8335dc16...; RFC 8032 5.2. */
static bool constants(struct curve *c)
{
    BIGNUM *tail = NULL;
    bool ok = BN_hex2bn(&tail, "8335dc163bb124b65129c96fde933d8d723a70aadc873d6d54a7bb0d") != 0;

    c->p = BN_new();
    c->d = BN_new();
    c->order = BN_new();
    c->scale = BN_new();
    c->shift = BN_new();
    ok = ok && c->p != NULL && c->d != NULL && c->order != NULL && c->scale != NULL && c->shift != NULL &&
         BN_set_bit(c->p, 224) == 1 && BN_sub_word(c->p, 1) == 1 && BN_lshift(c->p, c->p, 224) == 1 &&
         BN_sub_word(c->p, 1) == 1 && BN_copy(c->d, c->p) != NULL && BN_sub_word(c->d, 39081) == 1 &&
         BN_set_bit(c->order, 446) == 1 && BN_sub(c->order, c->order, tail) == 1;
    BN_free(tail);
    return ok;
}

static bool fill_curve(struct curve *c, BN_CTX *bn)
{
    EC_POINT *generator = NULL;

    BN_CTX_start(bn);
    BIGNUM *a = BN_CTX_get(bn), *b = BN_CTX_get(bn), *cofactor = BN_CTX_get(bn);
    bool ok = cofactor != NULL && constants(c) && coefficients(c, a, b, bn) &&
              (c->group = EC_GROUP_new_curve_GFp(c->p, a, b, bn)) != NULL && BN_set_word(cofactor, 4) == 1 &&
              (generator = EC_POINT_new(c->group)) != NULL && decode(c, base_point, generator, bn) &&
              EC_GROUP_set_generator(c->group, generator, c->order, cofactor) == 1;
    EC_POINT_free(generator);
    BN_CTX_end(bn);
    return ok;
}

/* The curve, made at first use and kept. */
static const struct curve *curve_of(struct spdm_openssl *ossl, BN_CTX *bn)
{
    if (ossl->shake256 == NULL) {
        ossl->shake256 = EVP_MD_fetch(ossl->lib, "SHAKE256", ossl->propq);
        ossl->fetches++;
    }
    if (ossl->shake256 == NULL) return NULL;
    if (ossl->ed448 == NULL) {
        struct curve *c = OPENSSL_zalloc(sizeof *c);
        if (c != NULL && !fill_curve(c, bn)) {
            free_curve(c);
            c = NULL;
        }
        ossl->ed448 = c;
    }
    return ossl->ed448;
}

/* ---- signatures ---- */

/* SHAKE256(dom4(0, context) || a || b || c, 114); the prefix is left out when context.p is NULL. */
static bool shake(struct spdm_openssl *ossl, struct spdm_span context, const struct spdm_span parts[3], uint8_t *out)
{
    static const char name[] = "SigEd448";
    uint8_t flags[2] = {0, (uint8_t)context.n};
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = md != NULL && context.n <= 255 && EVP_DigestInit_ex2(md, ossl->shake256, NULL) == 1;

    if (context.p != NULL) {
        ok = ok && EVP_DigestUpdate(md, name, sizeof name - 1) == 1 && EVP_DigestUpdate(md, flags, 2) == 1 &&
             EVP_DigestUpdate(md, context.p, context.n) == 1;
    }
    for (int i = 0; i < 3; i++) ok = ok && (parts[i].n == 0 || EVP_DigestUpdate(md, parts[i].p, parts[i].n) == 1);
    ok = ok && EVP_DigestFinalXOF(md, out, SPDM_ED448_SIGNATURE) == 1;
    EVP_MD_CTX_free(md);
    return ok;
}

/* A hash as a number below the order. */
static bool reduce(const struct curve *c, const uint8_t *hash, BIGNUM *out, BN_CTX *bn)
{
    return BN_lebin2bn(hash, SPDM_ED448_SIGNATURE, out) != NULL && BN_mod(out, out, c->order, bn) == 1;
}

/* RFC 8032 5.2.7: [S] B = R + [k] A, asked as [S] B + [order - k] A = R. */
static bool equation(const struct curve *c, const uint8_t *hash, const uint8_t *public, struct spdm_span signature,
                     BN_CTX *bn)
{
    BN_CTX_start(bn);
    BIGNUM *k = BN_CTX_get(bn), *big_s = BN_CTX_get(bn);
    EC_POINT *a = EC_POINT_new(c->group), *r = EC_POINT_new(c->group), *sum = EC_POINT_new(c->group);
    bool ok = big_s != NULL && a != NULL && r != NULL && sum != NULL && decode(c, public, a, bn) &&
              decode(c, signature.p, r, bn) &&
              BN_lebin2bn(signature.p + SPDM_ED448_KEY, SPDM_ED448_KEY, big_s) != NULL && BN_cmp(big_s, c->order) < 0 &&
              reduce(c, hash, k, bn) && BN_sub(k, c->order, k) == 1 &&
              EC_POINT_mul(c->group, sum, big_s, a, k, bn) == 1 && EC_POINT_cmp(c->group, sum, r, bn) == 0;
    EC_POINT_free(a);
    EC_POINT_free(r);
    EC_POINT_free(sum);
    BN_CTX_end(bn);
    return ok;
}

int spdm_ed448_verify(const struct spdm_openssl_key *key, struct spdm_span context, struct spdm_span message,
                      struct spdm_span signature)
{
    uint8_t public[SPDM_ED448_KEY], hash[SPDM_ED448_SIGNATURE];
    size_t n = sizeof public;

    if (signature.n != SPDM_ED448_SIGNATURE || EVP_PKEY_get_raw_public_key(key->pkey, public, &n) != 1 ||
        n != sizeof public) {
        return 0;
    }
    ERR_set_mark();
    BN_CTX *bn = BN_CTX_new_ex(key->ossl->lib);
    const struct curve *c = bn != NULL ? curve_of(key->ossl, bn) : NULL;
    const struct spdm_span parts[3] = {{signature.p, SPDM_ED448_KEY}, {public, n}, message};
    if (context.p == NULL) context.p = public; /* the empty context has its prefix, too */
    bool good = c != NULL && shake(key->ossl, context, parts, hash) && equation(c, hash, public, signature, bn);
    BN_CTX_free(bn);
    ERR_pop_to_mark();
    return good ? 1 : 0;
}

/* What signing computes with, wiped together. */
struct secret {
    uint8_t key[SPDM_ED448_KEY], public[SPDM_ED448_KEY];
    uint8_t expanded[SPDM_ED448_SIGNATURE], hash[SPDM_ED448_SIGNATURE];
};

/* S = r + k s mod order. */
static bool finish(const struct curve *c, const struct secret *x, const BIGNUM *r, uint8_t *out, BN_CTX *bn)
{
    BN_CTX_start(bn);
    BIGNUM *k = BN_CTX_get(bn), *s = BN_secure_new();
    bool ok = k != NULL && s != NULL && BN_lebin2bn(x->expanded, SPDM_ED448_KEY, s) != NULL &&
              reduce(c, x->hash, k, bn) && BN_mod_mul(k, k, s, c->order, bn) == 1 &&
              BN_mod_add(k, k, r, c->order, bn) == 1 && BN_bn2lebinpad(k, out, SPDM_ED448_KEY) == SPDM_ED448_KEY;
    BN_clear_free(s);
    if (k != NULL) BN_clear(k);
    BN_CTX_end(bn);
    return ok;
}

/* RFC 8032 5.2.6. */
static bool sign_with(const struct spdm_openssl_key *key, struct spdm_span context, struct spdm_span message,
                      struct secret *x, uint8_t *out)
{
    struct spdm_openssl *ossl = key->ossl;
    BN_CTX *bn = BN_CTX_secure_new_ex(ossl->lib);
    const struct curve *c = bn != NULL ? curve_of(ossl, bn) : NULL;
    BIGNUM *r = BN_secure_new();
    EC_POINT *big_r = c != NULL ? EC_POINT_new(c->group) : NULL;
    const struct spdm_span seed[3] = {{x->key, SPDM_ED448_KEY}};
    const struct spdm_span nonce[3] = {{x->expanded + SPDM_ED448_KEY, SPDM_ED448_KEY}, message};
    const struct spdm_span challenge[3] = {{out, SPDM_ED448_KEY}, {x->public, SPDM_ED448_KEY}, message};
    bool ok = r != NULL && big_r != NULL && shake(ossl, (struct spdm_span){0}, seed, x->expanded);

    if (ok) {
        BN_set_flags(r, BN_FLG_CONSTTIME);
        x->expanded[0] &= 0xfc;
        x->expanded[SPDM_ED448_KEY - 2] |= 0x80;
        x->expanded[SPDM_ED448_KEY - 1] = 0;
        ok = shake(ossl, context, nonce, x->hash) && reduce(c, x->hash, r, bn) &&
             EC_POINT_mul(c->group, big_r, r, NULL, NULL, bn) == 1 && encode(c, big_r, out, bn) &&
             shake(ossl, context, challenge, x->hash) && finish(c, x, r, out + SPDM_ED448_KEY, bn);
    }
    EC_POINT_clear_free(big_r);
    BN_clear_free(r);
    BN_CTX_free(bn);
    return ok;
}

bool spdm_ed448_sign(const struct spdm_openssl_key *key, struct spdm_span context, struct spdm_span message,
                     uint8_t *signature)
{
    struct secret x;
    size_t private_n = sizeof x.key, public_n = sizeof x.public;

    if (context.p == NULL) context.p = signature;
    ERR_set_mark();
    bool ok = EVP_PKEY_get_raw_private_key(key->pkey, x.key, &private_n) == 1 &&
              EVP_PKEY_get_raw_public_key(key->pkey, x.public, &public_n) == 1 &&
              sign_with(key, context, message, &x, signature);
    OPENSSL_cleanse(&x, sizeof x);
    ERR_pop_to_mark();
    return ok;
}
