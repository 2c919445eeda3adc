/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The OpenSSL back end: hashes against known answers, signatures against
 * signatures that others computed and against fresh ones of libcrypto, and
 * every way a signature or key can be wrong. */
#include "port/crypto_openssl.h"
#include "port/ed448_openssl.h"
#include "port/openssl_inside.h"
#include "support/hex.h"
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct spdm_crypto *crypto;

static int set_up(void **state)
{
    char cause[SPDM_CAUSE_MAX];
    struct spdm_openssl *ossl = spdm_openssl_open(NULL, cause);

    crypto = spdm_openssl_crypto();
    *state = ossl;
    return ossl == NULL;
}

static int tear_down(void **state)
{
    spdm_openssl_close(*state);
    assert_int_equal(ERR_peek_error(), 0); /* nothing is left in the caller's queue */
    return 0;
}

/* ---- hashes ---- */

static const struct {
    enum spdm_alg alg;
    const char *empty, *abc;
} answers[] = {
    {SPDM_SHA_256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {SPDM_SHA_384, "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
    {SPDM_SHA_512,
     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
     "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {SPDM_SHA3_256, "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a",
     "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
    {SPDM_SHA3_384, "0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61995e71bbee983a2ac3713831264adb47fb6bd1e058d5f004",
     "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25"},
    {SPDM_SHA3_512,
     "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6"
     "15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26",
     "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
     "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0"},
    {SPDM_SM3_256, "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b",
     "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"},
};

static void expect_digest(void *ossl, const void *running, enum spdm_alg alg, const char *hex)
{
    uint8_t out[SPDM_HASH_MAX + 1];
    struct spdm_room want = hex_bytes(hex);
    size_t n = spdm_algorithm(alg)->size;

    out[n] = 0x55;
    assert_true(crypto->hash_peek(ossl, running, out));
    assert_int_equal(want.n, n);
    assert_memory_equal(out, want.p, n);
    assert_int_equal(out[n], 0x55); /* and not a byte more */
    free(want.p);
}

static void hashes_known_answers(void **state)
{
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        uint64_t a[4] = {0}, b[4] = {0};
        assert_true(crypto->hash_state_size <= sizeof a);
        assert_true(crypto->supports(*state, answers[i].alg));
        assert_true(crypto->hash_begin(*state, a, answers[i].alg));
        expect_digest(*state, a, answers[i].alg, answers[i].empty);
        assert_true(crypto->hash_update(*state, a, (struct spdm_span){(const uint8_t *)"a", 1}));
        assert_true(crypto->hash_copy(*state, b, a));
        assert_true(crypto->hash_update(*state, a, (struct spdm_span){NULL, 0}));
        assert_true(crypto->hash_update(*state, a, (struct spdm_span){(const uint8_t *)"bc", 2}));
        expect_digest(*state, a, answers[i].alg, answers[i].abc);
        expect_digest(*state, a, answers[i].alg, answers[i].abc); /* looking changes nothing */
        crypto->hash_end(*state, a);
        assert_true(crypto->hash_update(*state, b, (struct spdm_span){(const uint8_t *)"bc", 2}));
        expect_digest(*state, b, answers[i].alg, answers[i].abc); /* the copy was its own */
        crypto->hash_end(*state, b);
        crypto->hash_end(*state, b); /* nothing begun: nothing done */
        for (size_t k = 0; k < 4; k++) assert_int_equal(a[k] | b[k], 0);
    }
}

static void hashes_not_begun(void **state)
{
    uint64_t a[4] = {0}, b[4] = {0};
    uint8_t out[SPDM_HASH_MAX];

    assert_false(crypto->hash_update(*state, a, (struct spdm_span){(const uint8_t *)"a", 1}));
    assert_false(crypto->hash_peek(*state, a, out));
    assert_false(crypto->hash_copy(*state, b, a));
    assert_false(crypto->hash_begin(*state, a, SPDM_ALG_NONE));
    assert_false(crypto->hash_begin(*state, a, SPDM_ECDSA_P256));
    assert_false(crypto->hash_begin(*state, a, SPDM_RAW_ONLY));
    crypto->hash_end(*state, a);
}

/* A context that comes back from the pool begins anew and holds nothing of what it held. */
static void hashes_are_reused(void **state)
{
    static const uint8_t secret[] = "a secret that is longer than the rest";
    struct spdm_openssl *ossl = *state;
    uint64_t a[4] = {0};

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        enum spdm_alg alg = answers[i].alg;
        void *first = NULL;
        for (int round = 0; round < 5; round++) {
            assert_true(crypto->hash_begin(ossl, a, alg));
            expect_digest(ossl, a, alg, answers[i].empty);
            if (round == 0) memcpy(&first, a, sizeof first);
            assert_memory_equal(a, &first, sizeof first);
            assert_true(crypto->hash_update(ossl, a, (struct spdm_span){secret, sizeof secret}));
            crypto->hash_end(ossl, a);
            assert_true(ossl->hash[alg].idle_n >= 1);
        }
    }
}

static void many_hashes_at_once(void **state)
{
    enum { N = 3 * SPDM_OPENSSL_IDLE_MAX };
    static uint64_t states[N][4];
    struct spdm_openssl *ossl = *state;

    for (int i = 0; i < N; i++) assert_true(crypto->hash_begin(ossl, states[i], SPDM_SHA_384));
    for (int i = 0; i < N; i++) crypto->hash_end(ossl, states[i]);
    assert_int_equal(ossl->hash[SPDM_SHA_384].idle_n, SPDM_OPENSSL_IDLE_MAX);
}

/* ---- signatures that others made ---- */

struct sample {
    enum spdm_alg alg;
    struct spdm_room spki, data, context, signature;
    struct spdm_signing what;
};

static bool read_sample(FILE *f, struct sample *s)
{
    static char line[140000];
    char *word[6], *rest = line;

    do {
        if (fgets(line, sizeof line, f) == NULL) return false;
    } while (line[0] == '#');
    line[strcspn(line, "\n")] = '\0';
    for (int i = 0; i < 6; i++) {
        word[i] = strtok_r(i == 0 ? line : NULL, " ", &rest);
        assert_non_null(word[i]);
    }
    s->alg = spdm_algorithm_named(word[0]);
    assert_int_not_equal(s->alg, SPDM_ALG_NONE);
    s->spki = hex_bytes(word[2]);
    s->data = hex_bytes(word[3]);
    s->context = hex_bytes(word[4]);
    s->signature = hex_bytes(word[5]);
    s->what = (struct spdm_signing){
        .alg = s->alg, .hash = spdm_algorithm_named(word[1]), .data = as_span(s->data), .context = as_span(s->context)};
    s->what.prehashed = s->alg <= SPDM_ECDSA_P521 && s->alg != SPDM_SM2;
    return true;
}

static void free_sample(struct sample *s)
{
    free(s->spki.p);
    free(s->data.p);
    free(s->context.p);
    free(s->signature.p);
}

static spdm_verdict ask(void *ossl, const void *key, const struct spdm_signing *what, const uint8_t *p, size_t n)
{
    /* an exact-size copy, so that a sanitizer sees a read too far */
    uint8_t *copy = malloc(n + 1);
    memcpy(copy + 1, p, n);
    spdm_verdict verdict = crypto->verify(ossl, key, what, (struct spdm_span){copy + 1, n});
    free(copy);
    return verdict;
}

/* Every change to a good signature, or to what it covers, makes it bad. */
static void expect_only_this(void *ossl, const void *key, struct sample *s)
{
    uint8_t *sig = s->signature.p;
    size_t n = s->signature.n, step = n / 16 + 1;

    assert_int_equal(ask(ossl, key, &s->what, sig, n), SPDM_GOOD);
    for (size_t i = 0; i < n; i += step) {
        sig[i] ^= 1;
        assert_int_equal(ask(ossl, key, &s->what, sig, n), SPDM_BAD);
        sig[i] ^= 1;
    }
    assert_int_equal(ask(ossl, key, &s->what, sig, n - 1), SPDM_BAD);
    assert_int_equal(ask(ossl, key, &s->what, sig, 0), SPDM_BAD); /* withstand 97 */
    uint8_t *longer = calloc(1, n + 1);
    memcpy(longer, sig, n);
    assert_int_equal(ask(ossl, key, &s->what, longer, n + 1), SPDM_BAD);
    memset(longer, 0, n);
    assert_int_equal(ask(ossl, key, &s->what, longer, n), SPDM_BAD);
    memset(longer, 0xff, n);
    assert_int_equal(ask(ossl, key, &s->what, longer, n), SPDM_BAD);
    free(longer);

    s->data.p[0] ^= 1;
    assert_int_equal(ask(ossl, key, &s->what, sig, n), SPDM_BAD);
    s->data.p[0] ^= 1;
    uint8_t *padded = calloc(1, n + 2); /* r and s with a byte too many are the same numbers */
    memcpy(padded + 1, sig, n / 2);
    memcpy(padded + n / 2 + 2, sig + n / 2, n - n / 2);
    assert_int_equal(ask(ossl, key, &s->what, padded, n + 2), SPDM_BAD);
    free(padded);

    struct spdm_signing other = s->what;
    other.prehashed = !other.prehashed;
    assert_int_equal(ask(ossl, key, &other, sig, n), SPDM_BAD);
    other = s->what;
    other.data.n--;
    assert_int_equal(ask(ossl, key, &other, sig, n), SPDM_BAD);
    other = s->what;
    other.context = (struct spdm_span){(const uint8_t *)"another", 7};
    assert_int_equal(ask(ossl, key, &other, sig, n), SPDM_BAD);
    if (s->context.n != 0) {
        other.context = (struct spdm_span){NULL, 0};
        assert_int_equal(ask(ossl, key, &other, sig, n), SPDM_BAD);
    }
    for (unsigned alg = 0; alg < SPDM_ALG_N; alg++) {
        other = s->what;
        other.alg = alg;
        if (alg != s->alg) assert_int_equal(ask(ossl, key, &other, sig, n), SPDM_BAD);
    }
    assert_int_equal(ask(ossl, NULL, &s->what, sig, n), SPDM_BAD);
    assert_int_equal(ask(ossl, key, &s->what, sig, n), SPDM_GOOD); /* still */
}

static void signatures_of_others(void **state)
{
    FILE *f = fopen("tests/data/port/signatures.txt", "r");
    struct sample s;
    unsigned good = 0, skipped = 0;
    struct spdm_openssl_key *previous = NULL;

    assert_non_null(f);
    while (read_sample(f, &s)) {
        char cause[SPDM_CAUSE_MAX] = "";
        struct spdm_openssl_key *key = spdm_openssl_key_open(*state, as_span(s.spki), cause);
        if (!crypto->supports(*state, s.alg)) {
            assert_null(key);
            assert_string_not_equal(cause, "");
            skipped++;
        } else {
            assert_non_null(key);
            assert_true(spdm_openssl_key_fits(key, s.alg));
            assert_int_equal(spdm_openssl_kinds[key->kind].size, spdm_algorithm(s.alg)->size);
            expect_only_this(*state, key, &s);
            if (previous != NULL && previous->kind != key->kind) {
                assert_int_equal(ask(*state, previous, &s.what, s.signature.p, s.signature.n), SPDM_BAD);
            }
            good++;
        }
        spdm_openssl_key_free(previous);
        previous = key;
        free_sample(&s);
    }
    spdm_openssl_key_free(previous);
    fclose(f);
    print_message("%u verified, %u of algorithms this OpenSSL does not have\n", good, skipped);
    assert_int_equal(good + skipped, 15);
    assert_true(good >= 10);
}

/* RFC 8032 section 7.4, "1 octet (with context)" and "1 octet", and that the first is not taken for the second. */
static void ed448_of_the_rfc(void **state)
{
    static const char private[] = "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463a"
                                  "fbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e";
    static const char with_foo[] = "d4f8f6131770dd46f40867d6fd5d5055de43541f8c5e35abbcd001b32a89f7d2151f7647f11d8ca2"
                                   "ae279fb842d607217fce6e042f6815ea000c85741de5c8da1144a6a1aba7f96de42505d7a7298524"
                                   "fda538fccbbb754f578c1cad10d54d0d5428407e85dcbc98a49155c13764e66c3c00";
    static const char without[] = "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7"
                                  "e18f62de8ccdf633fc1bf037ab7cd779805e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336"
                                  "c19f0af7e0a6472905e799f1953d2a0ff3348ab21aa4adafd1d234441cf807c03a00";
    struct spdm_openssl *ossl = *state;
    struct spdm_room sk = hex_bytes(private), foo = hex_bytes(with_foo), bare = hex_bytes(without);
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key_ex(ossl->lib, "ED448", NULL, sk.p, sk.n);
    struct spdm_openssl_key *key = spdm_openssl_key_wrap(ossl, pkey, NULL);
    struct spdm_span message = {(const uint8_t *)"\x03", 1}, context = {(const uint8_t *)"foo", 3};
    struct spdm_signing what = {.alg = SPDM_ED448, .hash = SPDM_SHA_512, .data = message, .context = context};
    uint8_t out[SPDM_ED448_SIGNATURE];

    assert_true(crypto->supports(ossl, SPDM_ED448));
    assert_int_equal(ask(ossl, key, &what, foo.p, foo.n), SPDM_GOOD);
    assert_int_equal(ask(ossl, key, &what, bare.p, bare.n), SPDM_BAD);
    what.context.n = 0;
    assert_int_equal(ask(ossl, key, &what, foo.p, foo.n), SPDM_BAD);
    assert_int_equal(ask(ossl, key, &what, bare.p, bare.n), SPDM_GOOD);

    /* our own arithmetic, whether this libcrypto needs it or not */
    assert_true(spdm_ed448_sign(key, context, message, out));
    assert_memory_equal(out, foo.p, sizeof out);
    assert_int_equal(spdm_ed448_verify(key, context, message, as_span(foo)), 1);
    assert_int_equal(spdm_ed448_verify(key, context, message, as_span(bare)), 0);
    assert_true(spdm_ed448_sign(key, (struct spdm_span){0}, message, out));
    assert_memory_equal(out, bare.p, sizeof out);
    assert_int_equal(spdm_ed448_verify(key, (struct spdm_span){0}, message, as_span(bare)), 1);
    spdm_openssl_key_free(key);
    free(sk.p);
    free(foo.p);
    free(bare.p);
}

/* S is below the order, y below p, x = 0 has no sign: RFC 8032 5.2.7 and 5.2.3; and random changes. */
static void ed448_is_strict(void **state)
{
    struct spdm_openssl *ossl = *state;
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(ossl->lib, NULL, "ED448");
    struct spdm_openssl_key *key = spdm_openssl_key_wrap(ossl, pkey, NULL);
    struct spdm_span message = {(const uint8_t *)"message", 7}, context = {(const uint8_t *)"context", 7};
    struct spdm_room order = hex_bytes("f34458ab92c27823558fc58d72c26c219036d6ae49db4ec4e923ca7c"
                                       "ffffffffffffffffffffffffffffffffffffffffffffffffffffff3f00");
    uint8_t sig[SPDM_ED448_SIGNATURE], bad[SPDM_ED448_SIGNATURE];
    unsigned carry = 0;

    assert_true(spdm_ed448_sign(key, context, message, sig));
    assert_int_equal(spdm_ed448_verify(key, context, message, (struct spdm_span){sig, sizeof sig}), 1);
    memcpy(bad, sig, sizeof bad);
    for (size_t i = 0; i < order.n; i++) { /* the same S modulo the order */
        carry += sig[57 + i] + order.p[i];
        bad[57 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_int_equal(spdm_ed448_verify(key, context, message, (struct spdm_span){bad, sizeof bad}), 0);
    static const struct {
        uint8_t first, middle, last;
    } points[] = {{0xff, 0xff, 0}, {0x01, 0, 0x80}, {0x01, 0, 0x01}, {0x02, 0, 0}, {0, 0, 0}, {1, 0, 0}};
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        memcpy(bad, sig, sizeof bad);
        memset(bad, points[i].middle, 56);
        bad[0] = points[i].first;
        bad[56] = points[i].last;
        assert_int_equal(spdm_ed448_verify(key, context, message, (struct spdm_span){bad, sizeof bad}), 0);
    }
    for (unsigned i = 0; i < 8 * sizeof bad; i += 13) {
        memcpy(bad, sig, sizeof bad);
        bad[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(spdm_ed448_verify(key, context, message, (struct spdm_span){bad, sizeof bad}), 0);
    }
    spdm_openssl_key_free(key);
    free(order.p);
}

/* The secret scalar of an Ed448 key, RFC 8032 5.2.5. */
static BIGNUM *scalar_of(EVP_PKEY *pkey)
{
    uint8_t seed[57], hash[114];
    size_t n = sizeof seed;
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    assert_int_equal(EVP_PKEY_get_raw_private_key(pkey, seed, &n), 1);
    assert_int_equal(EVP_DigestInit_ex2(md, EVP_shake256(), NULL), 1);
    assert_int_equal(EVP_DigestUpdate(md, seed, n), 1);
    assert_int_equal(EVP_DigestFinalXOF(md, hash, sizeof hash), 1);
    EVP_MD_CTX_free(md);
    hash[0] &= 0xfc;
    hash[55] |= 0x80;
    hash[56] = 0;
    return BN_lebin2bn(hash, 57, NULL);
}

/* S = k a for R = the neutral point: good by the equation, so that only the encoding of R is left to be judged. */
static void sign_with_neutral(EVP_PKEY *pkey, const uint8_t r[57], uint8_t out[114])
{
    uint8_t public[57], hash[114];
    size_t n = sizeof public;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    BN_CTX *bn = BN_CTX_new();
    BIGNUM *a = scalar_of(pkey), *k, *order = NULL;

    assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, public, &n), 1);
    assert_int_equal(EVP_DigestInit_ex2(md, EVP_shake256(), NULL), 1);
    assert_int_equal(EVP_DigestUpdate(md, "SigEd448\0\1cRRRR", 11), 1);
    assert_int_equal(EVP_DigestUpdate(md, r, 57), 1);
    assert_int_equal(EVP_DigestUpdate(md, public, n), 1);
    assert_int_equal(EVP_DigestUpdate(md, "m", 1), 1);
    assert_int_equal(EVP_DigestFinalXOF(md, hash, sizeof hash), 1);
    k = BN_lebin2bn(hash, sizeof hash, NULL);
    assert_int_not_equal(BN_hex2bn(&order, "3fffffffffffffffffffffffffffffffffffffffffffffffffffffff"
                                           "7cca23e9c44edb49aed63690216cc2728dc58f552378c292ab5844f3"),
                         0);
    assert_int_equal(BN_mod_mul(k, k, a, order, bn), 1);
    memcpy(out, r, 57);
    assert_int_equal(BN_bn2lebinpad(k, out + 57, 57), 57);
    BN_free(a);
    BN_free(k);
    BN_free(order);
    BN_CTX_free(bn);
    EVP_MD_CTX_free(md);
}

/* A point has one encoding: y below p, and no sign for x = 0. */
static void ed448_encodings_are_unique(void **state)
{
    struct spdm_openssl *ossl = *state;
    struct spdm_openssl_key *key = spdm_openssl_key_wrap(ossl, EVP_PKEY_Q_keygen(ossl->lib, NULL, "ED448"), NULL);
    struct spdm_span message = {(const uint8_t *)"m", 1}, context = {(const uint8_t *)"c", 1};
    uint8_t r[57] = {1}, signature[114];

    sign_with_neutral(key->pkey, r, signature);
    assert_int_equal(spdm_ed448_verify(key, context, message, (struct spdm_span){signature, 114}), 1);
    r[56] = 0x80; /* the same point with a sign */
    sign_with_neutral(key->pkey, r, signature);
    assert_int_equal(spdm_ed448_verify(key, context, message, (struct spdm_span){signature, 114}), 0);
    memset(r, 0xff, 56); /* the same point with y = p + 1 = 2^448 - 2^224 */
    memset(r, 0, 28);
    r[56] = 0;
    sign_with_neutral(key->pkey, r, signature);
    assert_int_equal(spdm_ed448_verify(key, context, message, (struct spdm_span){signature, 114}), 0);
    spdm_openssl_key_free(key);
}

/* ---- signatures that libcrypto makes ---- */

struct round {
    enum spdm_alg alg, hash;
    const char *type;
    const char *group;
    unsigned bits;
};

static EVP_PKEY *generate(struct spdm_openssl *ossl, const struct round *r)
{
    if (r->group != NULL) return EVP_PKEY_Q_keygen(ossl->lib, NULL, "EC", r->group);
    if (r->bits != 0) return EVP_PKEY_Q_keygen(ossl->lib, NULL, "RSA", (size_t)r->bits);
    return EVP_PKEY_Q_keygen(ossl->lib, NULL, r->type);
}

/* A signature in libcrypto's form. */
static size_t sign(struct spdm_openssl *ossl, const struct round *r, EVP_PKEY *pkey, struct spdm_span data,
                   uint8_t *out)
{
    size_t n = 512;
    const char *md = spdm_openssl_hash_name(r->hash);

    if (r->group != NULL || r->bits != 0) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(ossl->lib, pkey, NULL);
        assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
        if (r->bits != 0) {
            bool pss = r->alg == SPDM_RSAPSS_2048 || r->alg == SPDM_RSAPSS_3072 || r->alg == SPDM_RSAPSS_4096;
            OSSL_PARAM params[] = {
                OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE,
                                                 pss ? (char[]){"pss"} : (char[]){"pkcs1"}, 0),
                OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, (char *)md, 0),
                pss ? OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, (char[]){"digest"}, 0)
                    : OSSL_PARAM_construct_end(),
                OSSL_PARAM_construct_end()};
            assert_int_equal(EVP_PKEY_CTX_set_params(ctx, params), 1);
        }
        assert_int_equal(EVP_PKEY_sign(ctx, out, &n, data.p, data.n), 1);
        EVP_PKEY_CTX_free(ctx);
    } else {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_DIST_ID, (void *)"", 0),
                               OSSL_PARAM_construct_end()};
        bool sm2 = r->alg == SPDM_SM2;
        assert_int_equal(
            EVP_DigestSignInit_ex(ctx, NULL, sm2 ? "SM3" : NULL, ossl->lib, NULL, pkey, sm2 ? params : NULL), 1);
        assert_int_equal(EVP_DigestSign(ctx, out, &n, data.p, data.n), 1);
        EVP_MD_CTX_free(ctx);
    }
    return n;
}

static void go_round(struct spdm_openssl *ossl, const struct round *r)
{
    EVP_PKEY *pkey = generate(ossl, r);
    unsigned char *spki = NULL;
    int spki_n = i2d_PUBKEY(pkey, &spki);
    struct spdm_openssl_key *key = spdm_openssl_key_open(ossl, (struct spdm_span){spki, (size_t)spki_n}, NULL);
    size_t size = spdm_algorithm(r->alg)->size;
    struct sample s = {.alg = r->alg};

    assert_non_null(key);
    s.data = (struct spdm_room){malloc(64), spdm_openssl_hash_size(r->hash)};
    for (size_t i = 0; i < s.data.n; i++) s.data.p[i] = (uint8_t)(i * 7 + r->alg);
    s.what = (struct spdm_signing){.alg = r->alg, .hash = r->hash, .data = as_span(s.data)};
    s.what.prehashed = r->group != NULL || r->bits != 0;
    for (int i = 0; i < 3; i++) {
        uint8_t sig[512], raw[512];
        size_t n = sign(ossl, r, pkey, s.what.data, sig);
        s.signature = (struct spdm_room){sig, n};
        if (r->group != NULL || r->alg == SPDM_SM2) {
            n = spdm_ecdsa_from_der((struct spdm_span){sig, n}, size / 2, raw);
            s.signature = (struct spdm_room){raw, n};
        }
        assert_int_equal(n, size);
        expect_only_this(ossl, key, &s);
    }
    free(s.data.p);
    spdm_openssl_key_free(key);
    OPENSSL_free(spki);
    EVP_PKEY_free(pkey);
}

static void signatures_of_libcrypto(void **state)
{
    static const enum spdm_alg hashes[] = {SPDM_SHA_256,  SPDM_SHA_384,  SPDM_SHA_512, SPDM_SHA3_256,
                                           SPDM_SHA3_384, SPDM_SHA3_512, SPDM_SM3_256};
    static const struct round rounds[] = {
        {.alg = SPDM_ECDSA_P256, .group = "P-256"}, {.alg = SPDM_ECDSA_P384, .group = "P-384"},
        {.alg = SPDM_ECDSA_P521, .group = "P-521"}, {.alg = SPDM_SM2, .type = "SM2"},
        {.alg = SPDM_ED25519, .type = "ED25519"},   {.alg = SPDM_ED448, .type = "ED448"},
        {.alg = SPDM_RSASSA_2048, .bits = 2048},    {.alg = SPDM_RSAPSS_2048, .bits = 2048}};

    for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++) {
        for (size_t h = 0; h < sizeof hashes / sizeof hashes[0]; h++) {
            struct round r = rounds[i];
            r.hash = hashes[h];
            if (r.hash == SPDM_SM3_256 && r.bits != 0) continue; /* OpenSSL does not let RSA sign SM3 */
            go_round(*state, &r);
        }
    }
}

static void large_rsa(void **state)
{
    static const struct round rounds[] = {{SPDM_RSASSA_3072, SPDM_SHA_384, NULL, NULL, 3072},
                                          {SPDM_RSAPSS_3072, SPDM_SHA_256, NULL, NULL, 3072},
                                          {SPDM_RSASSA_4096, SPDM_SHA_512, NULL, NULL, 4096},
                                          {SPDM_RSAPSS_4096, SPDM_SHA_384, NULL, NULL, 4096}};

    for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++) go_round(*state, &rounds[i]);
}

/* A PSS signature with another salt length is refused: DSP0274 wants the digest's. */
static void pss_salt_is_the_digests(void **state)
{
    struct spdm_openssl *ossl = *state;
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(ossl->lib, NULL, "RSA", (size_t)2048);
    struct spdm_openssl_key *key = spdm_openssl_key_wrap(ossl, pkey, NULL);
    uint8_t digest[32] = {1}, sig[256];
    struct spdm_signing what = {.alg = SPDM_RSAPSS_2048, .hash = SPDM_SHA_256, .prehashed = true, .data = {digest, 32}};

    for (int salt = 30; salt <= 34; salt++) {
        size_t n = sizeof sig;
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(ossl->lib, pkey, NULL);
        assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, spdm_openssl_md(ossl, SPDM_SHA_256)), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt), 1);
        assert_int_equal(EVP_PKEY_sign(ctx, sig, &n, digest, 32), 1);
        assert_int_equal(ask(ossl, key, &what, sig, n), salt == 32 ? SPDM_GOOD : SPDM_BAD);
        EVP_PKEY_CTX_free(ctx);
    }
    spdm_openssl_key_free(key);
}

/* ---- keys ---- */

static void keys_know_what_they_are(void **state)
{
    static const struct {
        const char *type, *group, *name;
        unsigned bits;
        enum spdm_alg one, two;
    } keys[] = {{"EC", "P-256", "EC P-256", 0, SPDM_ECDSA_P256, 0},
                {"EC", "P-384", "EC P-384", 0, SPDM_ECDSA_P384, 0},
                {"EC", "P-521", "EC P-521", 0, SPDM_ECDSA_P521, 0},
                {"SM2", NULL, "SM2", 0, SPDM_SM2, 0},
                {"ED25519", NULL, "ED25519", 0, SPDM_ED25519, 0},
                {"ED448", NULL, "ED448", 0, SPDM_ED448, 0},
                {"RSA", NULL, "RSA 2048", 2048, SPDM_RSASSA_2048, SPDM_RSAPSS_2048},
                {"RSA", NULL, "RSA 1024", 1024, 0, 0},
                {"EC", "brainpoolP256r1", "EC brainpoolP256r1", 0, 0, 0}};
    struct spdm_openssl *ossl = *state;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct round r = {.type = keys[i].type, .group = keys[i].group, .bits = keys[i].bits};
        EVP_PKEY *pkey = generate(ossl, &r);
        unsigned char *spki = NULL;
        int n = i2d_PUBKEY(pkey, &spki);
        struct spdm_openssl_key *key = spdm_openssl_key_open(ossl, (struct spdm_span){spki, (size_t)n}, NULL);
        assert_non_null(key);
        assert_string_equal(spdm_openssl_key_name(key), keys[i].name);
        assert_int_equal(spdm_openssl_key_algorithms(key)[0], keys[i].one);
        if (keys[i].one != 0) assert_int_equal(spdm_openssl_key_algorithms(key)[1], keys[i].two);
        for (unsigned alg = 0; alg < 256; alg++) {
            bool fits = alg != 0 && (alg == keys[i].one || alg == keys[i].two);
            assert_int_equal(spdm_openssl_key_fits(key, alg), fits);
        }
        /* libcrypto's own decoder sees the same key */
        const unsigned char *at = spki;
        EVP_PKEY *again = d2i_PUBKEY_ex(NULL, &at, n, ossl->lib, NULL);
        assert_int_equal(EVP_PKEY_eq(key->pkey, again), 1);
        EVP_PKEY_free(again);
        assert_ptr_equal(spdm_openssl_key_share(key), key);
        spdm_openssl_key_free(key);
        assert_string_equal(spdm_openssl_key_name(key), keys[i].name); /* still held */
        spdm_openssl_key_free(key);
        OPENSSL_free(spki);
        EVP_PKEY_free(pkey);
    }
    spdm_openssl_key_free(NULL);
    assert_false(spdm_openssl_key_fits(NULL, SPDM_ECDSA_P256));
}

/* Keys that were freed are used again for others: each must be what it was opened as, and nothing of what it was. */
static void freed_keys_leave_nothing(void **state)
{
    struct spdm_openssl *ossl = *state;
    struct round r = {.alg = SPDM_ECDSA_P256, .hash = SPDM_SHA_256, .group = "P-256"};
    uint8_t digest[32] = {7}, der[3][80], raw[3][64];
    unsigned char *spki[3] = {NULL};
    int n[3];
    struct spdm_signing what = {.alg = r.alg, .hash = r.hash, .prehashed = true, .data = {digest, 32}};

    for (int i = 0; i < 3; i++) {
        EVP_PKEY *pkey = generate(ossl, &r);
        size_t signature = sign(ossl, &r, pkey, what.data, der[i]);
        assert_int_equal(spdm_ecdsa_from_der((struct spdm_span){der[i], signature}, 32, raw[i]), 64);
        n[i] = i2d_PUBKEY(pkey, &spki[i]);
        EVP_PKEY_free(pkey);
    }
    for (int round = 0; round < 12; round++) {
        int one = round % 3, two = (round + 1) % 3;
        struct spdm_openssl_key *a = spdm_openssl_key_open(ossl, (struct spdm_span){spki[one], (size_t)n[one]}, NULL);
        struct spdm_openssl_key *b = spdm_openssl_key_open(ossl, (struct spdm_span){spki[two], (size_t)n[two]}, NULL);
        assert_ptr_not_equal(a->pkey, b->pkey);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(ask(ossl, a, &what, raw[i], 64), i == one ? SPDM_GOOD : SPDM_BAD);
            assert_int_equal(ask(ossl, b, &what, raw[i], 64), i == two ? SPDM_GOOD : SPDM_BAD);
        }
        spki[one][n[one] - 1] ^= 1; /* a point that is none, while keys wait to be used again */
        spdm_openssl_key_free(a);
        assert_null(spdm_openssl_key_open(ossl, (struct spdm_span){spki[one], (size_t)n[one]}, NULL));
        spki[one][n[one] - 1] ^= 1;
        spdm_openssl_key_free(b);
    }
    for (int i = 0; i < 3; i++) OPENSSL_free(spki[i]);
    assert_true(ossl->kind[SPDM_KIND_P256].spare_n <= SPDM_OPENSSL_SPARE_MAX);
}

static void pss_keys_sign_pss_only(void **state)
{
    struct spdm_openssl *ossl = *state;
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(ossl->lib, "RSA-PSS", NULL);
    size_t bits = 2048;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits), OSSL_PARAM_construct_end()};
    unsigned char *spki = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(ctx, params), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &pkey), 1);
    int n = i2d_PUBKEY(pkey, &spki);
    struct spdm_openssl_key *key = spdm_openssl_key_open(ossl, (struct spdm_span){spki, (size_t)n}, NULL);
    assert_non_null(key);
    assert_true(spdm_openssl_key_fits(key, SPDM_RSAPSS_2048));
    assert_false(spdm_openssl_key_fits(key, SPDM_RSASSA_2048));
    assert_int_equal(spdm_openssl_key_algorithms(key)[0], SPDM_RSAPSS_2048);
    spdm_openssl_key_free(key);
    OPENSSL_free(spki);
    EVP_PKEY_free(pkey);
    EVP_PKEY_CTX_free(ctx);
}

static void bad_keys_are_refused(void **state)
{
    static const char p256[] = "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
                               "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                               "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    static const char *const bad[] = {
        "-", "30", "3000", "30023000", "0500", "3003020100",
        /* the point is not on the curve; is the point at infinity; is cut; has another form */
        "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f6",
        "3019301306072a8648ce3d020106082a8648ce3d0301070302000"
        "0",
        "3018301306072a8648ce3d020106082a8648ce3d03010703010"
        "0",
        "3059301306072a8648ce3d020106082a8648ce3d03010703420006"
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        /* no curve; an unknown algorithm; Ed25519 with parameters, too short */
        "304e300906072a8648ce3d020103420004"
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        "300c300506032b657f0303000102",
        "302c300706032b65700500032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "3029300506032b6570032000d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f70751",
        /* RSA: modulus even, exponent 1, exponent even, exponent negative, modulus negative */
        "301c300d06092a864886f70d0101010500030b003008020300c000020103",
        "301c300d06092a864886f70d0101010500030b003008020300c001020101",
        "301c300d06092a864886f70d0101010500030b003008020300c001020102",
        "301c300d06092a864886f70d0101010500030b003008020300c001020183",
        "301b300d06092a864886f70d0101010500030a00300702 02c001020103"};
    struct spdm_room good = hex_bytes(p256);
    struct spdm_openssl_key *key = spdm_openssl_key_open(*state, as_span(good), NULL);

    assert_non_null(key);
    spdm_openssl_key_free(key);
    for (size_t n = 0; n < good.n; n++) { /* cut anywhere */
        assert_null(spdm_openssl_key_open(*state, (struct spdm_span){good.p, n}, NULL));
    }
    good.p[good.n] = 0; /* one byte behind the end */
    assert_null(spdm_openssl_key_open(*state, (struct spdm_span){good.p, good.n + 1}, NULL));
    free(good.p);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char cause[SPDM_CAUSE_MAX] = "", hex[400];
        size_t k = 0;
        for (const char *c = bad[i]; *c != '\0'; c++) {
            if (*c != ' ') hex[k++] = *c;
        }
        hex[k] = '\0';
        struct spdm_room der = hex_bytes(hex);
        assert_null(spdm_openssl_key_open(*state, as_span(der), cause));
        assert_string_not_equal(cause, "");
        free(der.p);
    }
}

static void compressed_points_are_read(void **state)
{
    struct spdm_room der = hex_bytes("3039301306072a8648ce3d020106082a8648ce3d030107032200036b17d1f2e12c4247f8bce6e5"
                                     "63a440f277037d812deb33a0f4a13945d898c296");
    struct spdm_openssl_key *key = spdm_openssl_key_open(*state, as_span(der), NULL);

    assert_non_null(key);
    assert_true(spdm_openssl_key_fits(key, SPDM_ECDSA_P256));
    spdm_openssl_key_free(key);
    free(der.p);
}

/* ---- the back end ---- */

static void raw_and_der_signatures(void **state)
{
    static const struct {
        const char *raw, *der;
    } pairs[] = {{"0000000000000001"
                  "0000000000000080",
                  "3007020101020200"
                  "80"},
                 {"ffffffffffffffff"
                  "7fffffffffffffff",
                  "3015020900ffffffffffffffff02087fffffffffffffff"},
                 {"0000000000000000"
                  "0000000000000000",
                  "3006020100020100"}};
    static const char *const bad[] = {"-",
                                      "30",
                                      "3006020101020101"
                                      "00",
                                      "300602010102020"
                                      "1",
                                      "3006020181020101",
                                      "30080203000001020101",
                                      "3003020101",
                                      "300902010102010102010"
                                      "1",
                                      "3010020900ffffffffffffffffff02010100",
                                      "31060201010201"
                                      "01"};
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct spdm_room raw = hex_bytes(pairs[i].raw), der = hex_bytes(pairs[i].der);
        uint8_t out[SPDM_ECDSA_DER_MAX];
        assert_int_equal(spdm_ecdsa_to_der(as_span(raw), out), der.n);
        assert_memory_equal(out, der.p, der.n);
        assert_int_equal(spdm_ecdsa_from_der(as_span(der), 8, out), 16);
        assert_memory_equal(out, raw.p, 16);
        free(raw.p);
        free(der.p);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t out[SPDM_ECDSA_DER_MAX];
        struct spdm_room der = hex_bytes(bad[i]);
        assert_int_equal(spdm_ecdsa_from_der(as_span(der), 8, out), 0);
        free(der.p);
    }
    uint8_t most[132], out[SPDM_ECDSA_DER_MAX];
    memset(most, 0xff, sizeof most);
    assert_int_equal(spdm_ecdsa_to_der((struct spdm_span){most, sizeof most}, out), SPDM_ECDSA_DER_MAX);
    assert_int_equal(spdm_ecdsa_to_der((struct spdm_span){most, 0}, out), 0);
    assert_int_equal(spdm_ecdsa_to_der((struct spdm_span){most, 3}, out), 0);
    assert_int_equal(spdm_ecdsa_to_der((struct spdm_span){most, 134}, out), 0);
}

static void nothing_is_fetched_twice(void **state)
{
    struct spdm_openssl *ossl = *state;

    for (int i = 0; i < 2; i++) {
        for (unsigned alg = 0; alg < 256; alg++) (void)crypto->supports(ossl, alg);
    }
    unsigned before = ossl->fetches;
    for (unsigned alg = 0; alg < 256; alg++) (void)crypto->supports(ossl, alg);
    hashes_known_answers(state);
    struct round r = {.alg = SPDM_ECDSA_P384, .hash = SPDM_SHA_384, .group = "P-384"};
    go_round(ossl, &r);
    assert_int_equal(ossl->fetches, before);
}

static void supports_what_it_can(void **state)
{
    for (unsigned alg = SPDM_SHA_256; alg <= SPDM_ED448; alg++) assert_true(crypto->supports(*state, alg));
    assert_false(crypto->supports(*state, SPDM_ALG_NONE));
    assert_false(crypto->supports(*state, SPDM_RAW_ONLY));
    assert_false(crypto->supports(*state, SPDM_ALG_N));
}

static void random_bytes(void **state)
{
    uint8_t a[32] = {0}, b[32] = {0};

    assert_true(crypto->random(*state, a, 0));
    assert_true(crypto->random(*state, a, sizeof a));
    assert_true(crypto->random(*state, b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
}

/* A generator without entropy: every call fails and leaves nothing half filled (withstand 93). */
static void random_fails_cleanly(void **state)
{
    char cause[SPDM_CAUSE_MAX];
    uint8_t a[32], zeros[32] = {0};
    struct spdm_openssl *ossl = spdm_openssl_open(NULL, cause);

    (void)state;
    assert_non_null(ossl);
    assert_int_equal(RAND_set_DRBG_type(ossl->lib, "CTR-DRBG", NULL, "AES-256-CTR", NULL), 1);
    assert_int_equal(RAND_set_seed_source_type(ossl->lib, "TEST-RAND", NULL), 1);
    memset(a, 0x55, sizeof a);
    assert_false(crypto->random(ossl, a, sizeof a));
    assert_memory_equal(a, zeros, sizeof a);
    spdm_openssl_close(ossl);
    assert_int_equal(ERR_peek_error(), 0);
}

static void opening_says_why_not(void **state)
{
    static const char *const missing[] = {"default", "nosuchprovider", NULL};
    static const char *const fine[] = {"default", NULL};
    char cause[SPDM_CAUSE_MAX];

    (void)state;
    assert_null(spdm_openssl_open(&(struct spdm_openssl_options){.propq = "fips=yes"}, cause));
    assert_non_null(strstr(cause, "fips=yes"));
    assert_null(spdm_openssl_open(&(struct spdm_openssl_options){.providers = missing}, cause));
    assert_non_null(strstr(cause, "nosuchprovider"));
    assert_null(spdm_openssl_open(&(struct spdm_openssl_options){.config = "/nonexistent/openssl.cnf"}, cause));
    assert_non_null(strstr(cause, "/nonexistent/openssl.cnf"));
    assert_null(spdm_openssl_open(&(struct spdm_openssl_options){.config = "/nonexistent/openssl.cnf"}, NULL));
    struct spdm_openssl *ossl =
        spdm_openssl_open(&(struct spdm_openssl_options){.propq = "provider=default", .providers = fine}, cause);
    assert_non_null(ossl);
    assert_string_equal(cause, "");
    assert_true(crypto->supports(ossl, SPDM_ECDSA_P384));
    spdm_openssl_close(ossl);
    spdm_openssl_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_known_answers),
        cmocka_unit_test(hashes_not_begun),
        cmocka_unit_test(hashes_are_reused),
        cmocka_unit_test(many_hashes_at_once),
        cmocka_unit_test(signatures_of_others),
        cmocka_unit_test(ed448_of_the_rfc),
        cmocka_unit_test(ed448_is_strict),
        cmocka_unit_test(ed448_encodings_are_unique),
        cmocka_unit_test(freed_keys_leave_nothing),
        cmocka_unit_test(signatures_of_libcrypto),
        cmocka_unit_test(large_rsa),
        cmocka_unit_test(pss_salt_is_the_digests),
        cmocka_unit_test(keys_know_what_they_are),
        cmocka_unit_test(pss_keys_sign_pss_only),
        cmocka_unit_test(bad_keys_are_refused),
        cmocka_unit_test(compressed_points_are_read),
        cmocka_unit_test(raw_and_der_signatures),
        cmocka_unit_test(nothing_is_fetched_twice),
        cmocka_unit_test(supports_what_it_can),
        cmocka_unit_test(random_bytes),
        cmocka_unit_test(random_fails_cleanly),
        cmocka_unit_test(opening_says_why_not),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
