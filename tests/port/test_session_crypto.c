/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What sessions need of the OpenSSL back end: HMAC, AEAD and key agreement
 * against values that others computed; everything that must be refused; and
 * what stays behind in memory. ASSAY_SLOW=1 runs 10,000 handshakes a group,
 * ASSAY_SLOW=SECP256R1 those of that group only. */
#include "port/heap.h"
#include "port/openssl_inside.h"
#include "port/session_openssl.h"
#include "support/hex.h"
#include "support/lines.h"
#include "support/spy.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PUBLIC_MAX = 1568, SECRET_MAX = SPDM_EXCHANGE_SECRET_MAX };

static const struct spdm_crypto *crypto;
static const uint8_t dhe[] = {SPDM_FFDHE_2048, SPDM_FFDHE_3072, SPDM_FFDHE_4096,
                              SPDM_SECP256R1,  SPDM_SECP384R1,  SPDM_SECP521R1};
static const uint8_t kem[] = {SPDM_ML_KEM_512, SPDM_ML_KEM_768, SPDM_ML_KEM_1024};
static const uint8_t aeads[] = {SPDM_AES_128_GCM, SPDM_AES_256_GCM, SPDM_CHACHA20_POLY1305, SPDM_SM4_GCM};

static int set_up(void **state)
{
    crypto = spdm_openssl_crypto();
    *state = spdm_openssl_open(NULL, NULL);
    return *state == NULL;
}

static int tear_down(void **state)
{
    spdm_openssl_close(*state);
    return 0;
}

/* The caller has an error in its queue: after every test this one is there, and no other. */
static int raise_error(void **state)
{
    (void)state;
    ERR_raise(ERR_LIB_USER, 42);
    return 0;
}

static int look_at_errors(void **state)
{
    (void)state;
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
    assert_int_equal(ERR_peek_error(), 0);
    return 0;
}

/* An exact-size copy behind an odd address, so that a sanitizer sees a byte too far. Returns what to free. */
static uint8_t *exact(struct spdm_span from, uint8_t **p)
{
    uint8_t *block = malloc(from.n + 1);

    assert_non_null(block);
    *p = block + 1;
    if (from.n != 0) memcpy(*p, from.p, from.n);
    return block;
}

static void assert_zeros(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) assert_int_equal(p[i], 0);
}

/* ---- HMAC ---- */

/* The same bytes in three parts, an empty one among them. */
static void expect_hmac(void *ossl, const struct spdm_hmac *whole, struct spdm_span want)
{
    uint8_t out[SPDM_HASH_MAX + 1];
    const struct spdm_span *all = whole->part;
    size_t cut = all->n / 3;
    struct spdm_span parts[] = {{all->p, cut}, {NULL, 0}, {all->p + cut, all->n - cut}};
    struct spdm_hmac in = *whole;

    assert_int_equal(want.n, spdm_algorithm(in.hash)->size);
    for (int round = 0; round < 2; round++) {
        memset(out, 0x55, sizeof out);
        assert_true(crypto->hmac(ossl, &in, out));
        assert_memory_equal(out, want.p, want.n);
        assert_int_equal(out[want.n], 0x55); /* and not a byte more */
        in.part = parts;
        in.n = 3;
    }
}

static void hmac_of_others(void **state)
{
    struct lines lines = lines_open("tests/data/port/hmac.txt");
    struct spdm_openssl *tied = spdm_openssl_open(&(struct spdm_openssl_options){.propq = "provider=default"}, NULL);
    unsigned n = 0;

    assert_non_null(tied);
    while (lines_next(&lines)) {
        struct spdm_room key = hex_bytes(lines.word[1]), data = hex_bytes(lines.word[2]),
                         mac = hex_bytes(lines.word[3]);
        struct spdm_span text = as_span(data);
        struct spdm_hmac in = {.hash = spdm_algorithm_named(lines.word[0]), .key = as_span(key), .part = &text, .n = 1};
        expect_hmac(*state, &in, as_span(mac));
        expect_hmac(tied, &in, as_span(mac));
        free(key.p);
        free(data.p);
        free(mac.p);
        n++;
    }
    assert_int_equal(n, 101);
    spdm_openssl_close(tied);
}

static void hmac_edges(void **state)
{
    static const char of_nothing[] = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
    uint8_t key[SPDM_HASH_MAX] = {1, 2, 3}, out[SPDM_HASH_MAX], untouched[SPDM_HASH_MAX];
    struct spdm_room want = hex_bytes(of_nothing);
    struct spdm_hmac in = {.hash = SPDM_SHA_256};

    assert_true(crypto->hmac(*state, &in, out)); /* no key, no data */
    assert_memory_equal(out, want.p, want.n);
    free(want.p);

    /* the result may replace the key: the next generation of a secret */
    struct spdm_span text = {(const uint8_t *)"text", 4};
    in = (struct spdm_hmac){.hash = SPDM_SHA_384, .key = {key, 48}, .part = &text, .n = 1};
    assert_true(crypto->hmac(*state, &in, out));
    assert_true(crypto->hmac(*state, &in, key));
    assert_memory_equal(key, out, 48);

    memset(out, 0x55, sizeof out);
    memset(untouched, 0x55, sizeof untouched);
    static const uint8_t no_hash[] = {SPDM_ALG_NONE, SPDM_ECDSA_P256, SPDM_SECP256R1, SPDM_AES_128_GCM, SPDM_RAW_ONLY};
    for (size_t i = 0; i < sizeof no_hash; i++) {
        in.hash = no_hash[i];
        assert_false(crypto->hmac(*state, &in, out));
        assert_memory_equal(out, untouched, sizeof out);
    }
}

/* ---- AEAD ---- */

struct record_case {
    enum spdm_alg alg;
    struct spdm_room key, iv, aad, plain, cipher, tag;
};

static bool read_record(struct lines *lines, struct record_case *c)
{
    if (!lines_next(lines)) return false;
    c->alg = spdm_algorithm_named(lines->word[0]);
    struct spdm_room *room[] = {&c->key, &c->iv, &c->aad, &c->plain, &c->cipher, &c->tag};
    for (size_t i = 0; i < 6; i++) *room[i] = hex_bytes(lines->word[1 + i]);
    assert_int_equal(c->plain.n, c->cipher.n);
    assert_int_equal(c->iv.n, 12);
    return true;
}

static void free_record(struct record_case *c)
{
    free(c->key.p);
    free(c->iv.p);
    free(c->aad.p);
    free(c->plain.p);
    free(c->cipher.p);
    free(c->tag.p);
}

/* How a record is handed over: each way must give the same bytes. */
enum { IN_PLACE, ELSEWHERE, IN_PIECES, LAST_PIECE_IN_PLACE, WAYS };

struct handed {
    struct spdm_aead record;
    struct spdm_span piece[4];
    uint8_t *out, *block; /* out has exactly the size; block is freed */
};

static void hand_over(struct handed *h, int way, const struct record_case *c, struct spdm_span input)
{
    size_t a = input.n < 2 ? input.n : 2, b = a + (input.n < 1000 ? (input.n - a) / 3 : 1);

    h->block = exact(input, &h->out);
    if (way != IN_PLACE) memset(h->out, 0x55, input.n);
    h->piece[0] = (struct spdm_span){way == IN_PLACE ? h->out : input.p, input.n};
    h->record = (struct spdm_aead){.iv = c->iv.p, .aad = {as_span(c->aad)}, .in = h->piece, .in_n = 1, .out = h->out};
    if (way == IN_PLACE && input.n == 0) h->record.in_n = 0;
    if (way < IN_PIECES) return;
    h->record.aad[0].n = c->aad.n / 2;
    h->record.aad[1] = (struct spdm_span){c->aad.p + c->aad.n / 2, c->aad.n - c->aad.n / 2};
    h->piece[0].n = a;
    h->piece[1] = (struct spdm_span){input.p + a, b - a};
    h->piece[2] = (struct spdm_span){NULL, 0};
    h->piece[3] = (struct spdm_span){input.p + b, input.n - b};
    h->record.in_n = 4;
    if (way == LAST_PIECE_IN_PLACE && input.n != 0) {
        memcpy(h->out + b, input.p + b, input.n - b);
        h->piece[3].p = h->out + b;
    }
}

static void seal_and_open(void *ossl, void *state, const struct record_case *c, int way)
{
    uint8_t tag[17];
    struct handed h;

    tag[16] = 0x55;
    hand_over(&h, way, c, as_span(c->plain));
    h.record.tag = tag;
    assert_true(crypto->aead_seal(ossl, state, &h.record));
    assert_memory_equal(tag, c->tag.p, 16);
    assert_int_equal(tag[16], 0x55);
    if (c->plain.n != 0) assert_memory_equal(h.out, c->cipher.p, c->plain.n);
    free(h.block);
    hand_over(&h, way, c, as_span(c->cipher));
    h.record.tag = tag;
    assert_int_equal(crypto->aead_open(ossl, state, &h.record), SPDM_GOOD);
    assert_memory_equal(tag, c->tag.p, 16);
    if (c->plain.n != 0) assert_memory_equal(h.out, c->plain.p, c->plain.n);
    free(h.block);
}

static void aead_of_others(void **state)
{
    struct lines lines = lines_open("tests/data/port/aead.txt");
    struct record_case c;
    unsigned good = 0, skipped = 0;

    assert_true(crypto->aead_state_size <= 2 * sizeof(uint64_t));
    while (read_record(&lines, &c)) {
        uint64_t keyed[2] = {0};
        assert_int_equal(spdm_algorithm(c.alg)->cls, SPDM_CLASS_AEAD);
        bool begun = crypto->aead_begin(*state, keyed, c.alg, as_span(c.key));
        assert_int_equal(begun, crypto->supports(*state, c.alg));
        if (begun) {
            for (int way = 0; way < WAYS; way++) seal_and_open(*state, keyed, &c, way);
            good++;
        } else {
            skipped++;
        }
        crypto->aead_end(*state, keyed);
        crypto->aead_end(*state, keyed); /* nothing begun: nothing done */
        assert_int_equal(keyed[0] | keyed[1], 0);
        free_record(&c);
    }
    print_message("%u right, %u of ciphers this OpenSSL does not have\n", good, skipped);
    assert_int_equal(good + skipped, 52);
    assert_true(good >= 51);
}

/* Long records go another way than short ones: the same bytes in one piece and in many. */
static void long_records(void **state)
{
    static const size_t sizes[] = {200, 257, 2047, 2048, 2049, 2300, 4099, 65535};
    uint8_t key[32] = {7}, iv[12] = {1}, tag[16];
    struct record_case c = {.iv = {iv, 12}, .aad = {key, 8}, .tag = {tag, 16}};

    for (size_t i = 0; i < sizeof aeads * sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t keyed[2] = {0};
        enum spdm_alg alg = aeads[i % sizeof aeads];
        size_t n = sizes[i / sizeof aeads];
        if (!crypto->aead_begin(*state, keyed, alg, (struct spdm_span){key, spdm_algorithm(alg)->key})) continue;
        c.plain = (struct spdm_room){malloc(n), n};
        c.cipher = (struct spdm_room){malloc(n), n};
        assert_true(crypto->random(*state, c.plain.p, n));
        memcpy(c.cipher.p, c.plain.p, n);
        struct spdm_span in = as_span(c.cipher);
        struct spdm_aead whole = {.iv = iv, .aad = {{key, 8}}, .in = &in, .in_n = 1, .out = c.cipher.p, .tag = tag};
        assert_true(crypto->aead_seal(*state, keyed, &whole));
        for (int way = 0; way < WAYS; way++) seal_and_open(*state, keyed, &c, way);
        crypto->aead_end(*state, keyed);
        free(c.plain.p);
        free(c.cipher.p);
    }
}

/* A record, and what is done to it before it is opened. */
struct sealed {
    uint64_t keyed[2];
    uint8_t iv[12], aad[24], plain[40], cipher[40], tag[16];
    struct spdm_span in;
};

/* The record where its ciphertext lies. */
static struct spdm_aead in_place(struct sealed *s, size_t n)
{
    s->in = (struct spdm_span){s->cipher, n};
    return (struct spdm_aead){
        .iv = s->iv, .aad = {{s->aad, sizeof s->aad}}, .in = &s->in, .in_n = 1, .out = s->cipher, .tag = s->tag};
}

static bool seal(void *ossl, struct sealed *s, enum spdm_alg alg, size_t n)
{
    uint8_t key[32];

    for (size_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)(3 * i + 1);
    *s = (struct sealed){.iv = {9, 8, 7}, .aad = {1, 2, 3}};
    for (size_t i = 0; i < sizeof s->plain; i++) s->plain[i] = (uint8_t)(0x40 + i);
    if (!crypto->aead_begin(ossl, s->keyed, alg, (struct spdm_span){key, spdm_algorithm(alg)->key})) return false;
    memcpy(s->cipher, s->plain, sizeof s->plain);
    struct spdm_aead record = in_place(s, n);
    assert_true(crypto->aead_seal(ossl, s->keyed, &record));
    return true;
}

/* Opens what has been tampered with: refused; out is wiped, and input elsewhere is as it was. */
static void expect_refusal(void *ossl, const struct sealed *s, size_t aad_n, size_t n)
{
    for (int way = IN_PLACE; way <= ELSEWHERE; way++) {
        struct sealed copy = *s;
        uint8_t *out, *block = exact((struct spdm_span){s->cipher, n}, &out);
        struct spdm_aead record = in_place(&copy, n);
        if (way == IN_PLACE) copy.in.p = out;
        record.aad[0].n = aad_n;
        record.out = out;
        assert_int_equal(crypto->aead_open(ossl, copy.keyed, &record), SPDM_BAD);
        assert_zeros(out, n);
        assert_memory_equal(copy.cipher, s->cipher, sizeof s->cipher);
        free(block);
    }
}

static void flip_all(void *ossl, struct sealed *s, size_t n)
{
    struct {
        uint8_t *p;
        size_t n;
    } fields[] = {{s->iv, sizeof s->iv}, {s->aad, sizeof s->aad}, {s->cipher, n}, {s->tag, sizeof s->tag}};

    for (size_t f = 0; f < 4; f++) {
        for (size_t bit = 0; bit < 8 * fields[f].n; bit++) {
            fields[f].p[bit / 8] ^= (uint8_t)(1u << bit % 8);
            expect_refusal(ossl, s, sizeof s->aad, n);
            fields[f].p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    expect_refusal(ossl, s, sizeof s->aad - 1, n);
    expect_refusal(ossl, s, 0, n);
    if (n != 0) expect_refusal(ossl, s, sizeof s->aad, n - 1);
    if (n != 0) expect_refusal(ossl, s, sizeof s->aad, 0);
}

static void changed_records_are_refused(void **state)
{
    for (size_t i = 0; i < sizeof aeads; i++) {
        for (size_t n = 0; n <= sizeof((struct sealed *)0)->plain; n += 20) { /* 0: the tag alone protects */
            struct sealed s;
            if (!seal(*state, &s, aeads[i], n)) continue;
            flip_all(*state, &s, n);
            struct spdm_aead record = in_place(&s, n);
            assert_int_equal(crypto->aead_open(*state, s.keyed, &record), SPDM_GOOD); /* the key has not suffered */
            assert_memory_equal(s.cipher, s.plain, sizeof s.plain);
            crypto->aead_end(*state, s.keyed);
        }
    }
}

static void aead_not_begun(void **state)
{
    uint64_t keyed[2] = {0};
    uint8_t key[33] = {0}, iv[12] = {0}, data[4] = "abc", tag[16] = {0};
    struct spdm_span in = {data, 4};
    struct spdm_aead record = {.iv = iv, .in = &in, .in_n = 1, .out = data, .tag = tag};

    assert_false(crypto->aead_seal(*state, keyed, &record));
    assert_int_equal(crypto->aead_open(*state, keyed, &record), SPDM_BAD);
    assert_string_equal((char *)data, "abc");
    for (size_t n = 0; n <= sizeof key; n++) {
        for (size_t i = 0; i < sizeof aeads; i++) {
            if (n == spdm_algorithm(aeads[i])->key) continue;
            assert_false(crypto->aead_begin(*state, keyed, aeads[i], (struct spdm_span){key, n}));
        }
        for (unsigned alg = 0; alg < 256; alg++) {
            if (spdm_algorithm(alg)->cls == SPDM_CLASS_AEAD) continue;
            assert_false(crypto->aead_begin(*state, keyed, alg, (struct spdm_span){key, n}));
        }
    }
    assert_int_equal(keyed[0] | keyed[1], 0);
    crypto->aead_end(*state, keyed);
}

/* What was sealed by one state is opened by another of the same key only. */
static void aead_states_are_their_own(void **state)
{
    enum { N = 40 };
    struct spdm_openssl *ossl = *state;
    uint64_t keyed[N][2] = {{0}};
    uint8_t key[32] = {0}, iv[12] = {0}, data[20], tag[16];
    struct spdm_span in = {data, sizeof data};
    struct spdm_aead record = {.iv = iv, .in = &in, .in_n = 1, .out = data, .tag = tag};

    long live = 0;
    for (int round = 0; round < 3; round++) {
        for (uint8_t i = 0; i < N; i++) {
            key[0] = i / 2;
            assert_true(crypto->aead_begin(ossl, keyed[i], SPDM_AES_256_GCM, (struct spdm_span){key, 32}));
        }
        for (int i = 0; i < N; i++) {
            memset(data, i, sizeof data);
            assert_true(crypto->aead_seal(ossl, keyed[i], &record));
            assert_int_equal(crypto->aead_open(ossl, keyed[i ^ 1], &record), SPDM_GOOD);
            assert_int_equal(data[7], i);
            assert_true(crypto->aead_seal(ossl, keyed[i], &record));
            assert_int_equal(crypto->aead_open(ossl, keyed[i ^ 2], &record), SPDM_BAD);
        }
        for (int i = 0; i < N; i++) crypto->aead_end(ossl, keyed[i]);
        if (round != 0) assert_int_equal(heap.live, live); /* what has ended is freed */
        live = heap.live;
    }
}

/* ---- key agreement ---- */

static EVP_PKEY *private_key(struct spdm_openssl *ossl, enum spdm_alg alg, struct spdm_span private)
{
    static const char *const groups[] = {"ffdhe2048", "ffdhe3072", "ffdhe4096", "P-256", "P-384", "P-521"};
    static const char *const kems[] = {"ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"};
    bool is_kem = alg >= SPDM_ML_KEM_512;
    const char *type = is_kem ? kems[alg - SPDM_ML_KEM_512] : alg >= SPDM_SECP256R1 ? "EC" : "DH";
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(ossl->lib, type, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *number = BN_bin2bn(private.p, (int)private.n, NULL);
    EVP_PKEY *pkey = NULL;

    if (is_kem) {
        OSSL_PARAM_BLD_push_octet_string(builder, "seed", private.p, private.n);
    } else {
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, groups[alg - SPDM_FFDHE_2048], 0);
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number);
    }
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params), 1);
    OSSL_PARAM_free(params);
    BN_clear_free(number);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* The secret that a given private key makes of a given public value, through the interface. */
static void expect_secret(struct spdm_openssl *ossl, enum spdm_alg alg, const char *private, const char *const of[2])
{
    uint64_t state[2] = {0};
    uint8_t secret[SECRET_MAX];
    struct spdm_room own = hex_bytes(private), peer = hex_bytes(of[0]), want = hex_bytes(of[1]);
    struct spdm_openssl_exchange x = {.own = private_key(ossl, alg, as_span(own)), .alg = alg};

    memcpy(state, &x, sizeof x);
    memset(secret, 0x55, sizeof secret);
    assert_int_equal(crypto->exchange_finish(ossl, state, as_span(peer), secret), want.n);
    assert_memory_equal(secret, want.p, want.n);
    assert_int_equal(state[0] | state[1], 0); /* consumed */
    assert_int_equal(crypto->exchange_finish(ossl, state, as_span(peer), secret), 0);
    free(own.p);
    free(peer.p);
    free(want.p);
}

static void exchanges_of_others(void **state)
{
    struct lines lines = lines_open("tests/data/port/exchange.txt");
    unsigned good = 0, skipped = 0, zeros = 0;

    while (lines_next(&lines)) {
        enum spdm_alg alg = spdm_algorithm_named(lines.word[0]);
        const char *requester[] = {lines.word[4], lines.word[5]}, *responder[] = {lines.word[3], lines.word[5]};
        assert_int_not_equal(alg, SPDM_ALG_NONE);
        if (!crypto->supports(*state, alg)) {
            skipped++;
            continue;
        }
        expect_secret(*state, alg, lines.word[1], requester);
        if (alg < SPDM_ML_KEM_512) expect_secret(*state, alg, lines.word[2], responder);
        zeros += memcmp(lines.word[5], "00", 2) == 0;
        good++;
    }
    print_message("%u right, %u of algorithms this OpenSSL does not have\n", good, skipped);
    assert_int_equal(good + skipped, 25);
    assert_true(good >= 22);
    assert_true(zeros >= 7);
}

/* The secret once more by bare arithmetic: Y^x modulo p, or the X of x * Y. */
static void second_opinion(enum spdm_alg alg, EVP_PKEY *own, struct spdm_span peer, uint8_t *secret)
{
    static const int curves[] = {NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1};
    BIGNUM *x = NULL, *p = NULL, *y = BN_bin2bn(peer.p, (int)peer.n, NULL), *z = BN_new();
    size_t size = spdm_algorithm(alg)->size;

    assert_int_equal(EVP_PKEY_get_bn_param(own, OSSL_PKEY_PARAM_PRIV_KEY, &x), 1);
    if (alg <= SPDM_FFDHE_4096) {
        BN_CTX *ctx = BN_CTX_new();
        assert_int_equal(EVP_PKEY_get_bn_param(own, OSSL_PKEY_PARAM_FFC_P, &p), 1);
        assert_int_equal(BN_mod_exp(z, y, x, p, ctx), 1);
        BN_CTX_free(ctx);
    } else {
        uint8_t encoded[133] = {4};
        EC_GROUP *group = EC_GROUP_new_by_curve_name(curves[alg - SPDM_SECP256R1]);
        EC_POINT *point = EC_POINT_new(group);
        memcpy(encoded + 1, peer.p, peer.n);
        assert_int_equal(EC_POINT_oct2point(group, point, encoded, 1 + peer.n, NULL), 1);
        assert_int_equal(EC_POINT_mul(group, point, NULL, point, x, NULL), 1);
        assert_int_equal(EC_POINT_get_affine_coordinates(group, point, z, NULL, NULL), 1);
        EC_POINT_free(point);
        EC_GROUP_free(group);
        size /= 2;
    }
    assert_int_equal(BN_bn2binpad(z, secret, (int)size), size);
    BN_free(x);
    BN_free(p);
    BN_free(y);
    BN_free(z);
}

/* One handshake. Returns the first byte of the secret. */
static uint8_t shake_hands(struct spdm_openssl *ossl, enum spdm_alg alg, bool check)
{
    uint64_t state[2] = {0};
    uint8_t request[PUBLIC_MAX + 1], response[PUBLIC_MAX + 1], a[SECRET_MAX], b[SECRET_MAX], c[SECRET_MAX] = {0};
    const struct spdm_algorithm *row = spdm_algorithm(alg);
    struct spdm_openssl_exchange x;

    assert_true(crypto->exchange_state_size <= sizeof state);
    request[row->size] = response[row->reply] = 0x55;
    assert_true(crypto->exchange_begin(ossl, state, alg, request));
    size_t n = crypto->exchange_reply(ossl, alg, (struct spdm_span){request, row->size}, response, a);
    assert_int_equal(request[row->size], 0x55);
    assert_int_equal(response[row->reply], 0x55);
    memcpy(&x, state, sizeof x);
    if (check) second_opinion(alg, x.own, (struct spdm_span){response, row->reply}, c);
    assert_int_equal(crypto->exchange_finish(ossl, state, (struct spdm_span){response, row->reply}, b), n);
    crypto->exchange_end(ossl, state);
    size_t want = alg <= SPDM_FFDHE_4096 ? row->size : alg <= SPDM_SECP521R1 ? row->size / 2 : 32;
    assert_int_equal(n, want);
    assert_memory_equal(a, b, n);
    if (check) assert_memory_equal(a, c, n);
    return a[0];
}

static void all_groups_agree(void **state)
{
    const char *slowly = getenv("ASSAY_SLOW");

    for (size_t i = 0; i < sizeof dhe; i++) {
        const char *name = spdm_algorithm_name(dhe[i]);
        bool slow = slowly != NULL && (strcmp(slowly, "1") == 0 || strcmp(slowly, name) == 0);
        int zeros = 0, n = slow ? 10000 : 8;
        assert_true(crypto->supports(*state, dhe[i]));
        for (int k = 0; k < n; k++) zeros += shake_hands(*state, dhe[i], true) == 0;
        if (slow) {
            print_message("%s: %d of %d secrets begin with a zero byte\n", name, zeros, n);
            assert_int_not_equal(zeros, 0);
        }
    }
    for (size_t i = 0; i < sizeof kem; i++) {
        for (int k = 0; k < 8 && crypto->supports(*state, kem[i]); k++) shake_hands(*state, kem[i], false);
    }
}

static void leading_zeros_are_kept(void **state)
{
    int n = 0;

    while (shake_hands(*state, SPDM_SECP256R1, true) != 0) assert_true(++n < 20000);
}

/* A value that is none makes no secret and no reply, on either side. */
static void expect_invalid(struct spdm_openssl *ossl, enum spdm_alg alg, const uint8_t *peer, size_t n)
{
    uint64_t state[2] = {0};
    uint8_t own[PUBLIC_MAX], reply[PUBLIC_MAX], secret[SECRET_MAX];
    uint8_t *copy, *block = exact((struct spdm_span){peer, n}, &copy);

    memset(reply, 0, sizeof reply);
    memset(secret, 0, sizeof secret);
    assert_int_equal(crypto->exchange_reply(ossl, alg, (struct spdm_span){copy, n}, reply, secret), 0);
    assert_zeros(reply, sizeof reply);
    assert_zeros(secret, sizeof secret);
    if (spdm_algorithm(alg)->cls == SPDM_CLASS_DHE) {
        assert_true(crypto->exchange_begin(ossl, state, alg, own));
        assert_int_equal(crypto->exchange_finish(ossl, state, (struct spdm_span){copy, n}, secret), 0);
        assert_zeros(secret, sizeof secret);
        assert_int_equal(state[0] | state[1], 0); /* there is no second try with this key */
    }
    free(block);
}

static void wrong_lengths(struct spdm_openssl *ossl, enum spdm_alg alg, const uint8_t *good)
{
    uint8_t longer[PUBLIC_MAX + 2] = {0};
    size_t n = spdm_algorithm(alg)->size;

    memcpy(longer + 1, good, n);
    expect_invalid(ossl, alg, good, 0);
    expect_invalid(ossl, alg, good, 1);
    expect_invalid(ossl, alg, good, n - 1);
    expect_invalid(ossl, alg, good, n / 2);
    expect_invalid(ossl, alg, longer, n + 1);
    expect_invalid(ossl, alg, longer + 1, n + 1);
    longer[0] = 4; /* with libcrypto's prefix */
    expect_invalid(ossl, alg, longer, n + 1);
}

/* 1 < Y < p - 1 (RFC 7919 section 5.1): neither 0, 1, p - 1, p, p + 1 nor all ones. */
static void bad_numbers(struct spdm_openssl *ossl, enum spdm_alg alg)
{
    uint8_t y[512] = {0};
    size_t n = spdm_algorithm(alg)->size;
    BIGNUM *p = NULL;

    EVP_PKEY *key = private_key(ossl, alg, (struct spdm_span){(const uint8_t *)"\x05", 1});
    assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_FFC_P, &p), 1);
    expect_invalid(ossl, alg, y, n);
    y[n - 1] = 1;
    expect_invalid(ossl, alg, y, n);
    assert_int_equal(BN_sub_word(p, 1), 1);
    for (int i = 0; i < 3; i++, BN_add_word(p, 1)) {
        assert_int_equal(BN_bn2binpad(p, y, (int)n), n);
        expect_invalid(ossl, alg, y, n);
    }
    memset(y, 0xff, n);
    expect_invalid(ossl, alg, y, n);
    BN_free(p);
    EVP_PKEY_free(key);
}

static void bad_points(struct spdm_openssl *ossl, enum spdm_alg alg, const uint8_t *good)
{
    static const char *const primes[] = {"ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
                                         "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
                                         "ffffffff0000000000000000ffffffff",
                                         "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
                                         "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
    struct spdm_room p = hex_bytes(primes[alg - SPDM_SECP256R1]);
    size_t n = spdm_algorithm(alg)->size;
    uint8_t bad[132] = {0};

    expect_invalid(ossl, alg, bad, n);  /* X = Y = 0, which some take for infinity */
    for (size_t i = 0; i < n; i += 3) { /* not on the curve */
        memcpy(bad, good, n);
        bad[i] ^= 1;
        expect_invalid(ossl, alg, bad, n);
    }
    memcpy(bad, good + n / 2, n / 2); /* the halves changed round */
    memcpy(bad + n / 2, good, n / 2);
    expect_invalid(ossl, alg, bad, n);
    memcpy(bad, good, n); /* coordinates as large as the prime */
    memcpy(bad, p.p, p.n);
    expect_invalid(ossl, alg, bad, n);
    memcpy(bad, good, n);
    memcpy(bad + n / 2, p.p, p.n);
    expect_invalid(ossl, alg, bad, n);
    memset(bad, 0xff, n);
    expect_invalid(ossl, alg, bad, n);
    free(p.p);
}

static void invalid_values_are_refused(void **state)
{
    struct spdm_openssl *ossl = *state;

    for (size_t i = 0; i < sizeof dhe; i++) {
        uint64_t x[2] = {0};
        uint8_t good[PUBLIC_MAX];
        assert_true(crypto->exchange_begin(ossl, x, dhe[i], good));
        crypto->exchange_end(ossl, x);
        wrong_lengths(ossl, dhe[i], good);
        if (dhe[i] <= SPDM_FFDHE_4096) {
            bad_numbers(ossl, dhe[i]);
        } else {
            bad_points(ossl, dhe[i], good);
        }
    }
}

/* FIPS 203: a key with a coefficient of q or more is refused; a changed ciphertext gives another secret, silently. */
static void kem_edges(void **state)
{
    for (size_t i = 0; i < sizeof kem && crypto->supports(*state, kem[i]); i++) {
        uint64_t x[2] = {0};
        uint8_t ek[PUBLIC_MAX], ct[PUBLIC_MAX], a[SECRET_MAX], b[SECRET_MAX] = {0};
        size_t size = spdm_algorithm(kem[i])->size, reply = spdm_algorithm(kem[i])->reply;
        for (size_t n = reply - 1; n <= reply + 1; n++) {
            assert_true(crypto->exchange_begin(*state, x, kem[i], ek));
            assert_int_equal(crypto->exchange_reply(*state, kem[i], (struct spdm_span){ek, size}, ct, a), 32);
            ct[5] ^= n == reply;
            memset(b, 0, sizeof b);
            assert_int_equal(crypto->exchange_finish(*state, x, (struct spdm_span){ct, n}, b), n == reply ? 32 : 0);
            if (n != reply) assert_zeros(b, sizeof b);
            assert_memory_not_equal(a, b, 32);
        }
        wrong_lengths(*state, kem[i], ek);
        ek[0] = 0x01; /* 0xd01 is q */
        ek[1] = (uint8_t)((ek[1] & 0xf0) | 0x0d);
        expect_invalid(*state, kem[i], ek, size);
    }
}

static void what_cannot_agree(void **state)
{
    uint64_t x[2] = {0};
    uint8_t out[PUBLIC_MAX] = {0}, secret[SECRET_MAX] = {0};

    for (unsigned alg = 0; alg < 256; alg++) {
        unsigned cls = spdm_algorithm(alg)->cls;
        if ((cls == SPDM_CLASS_DHE || cls == SPDM_CLASS_KEM) && crypto->supports(*state, alg)) continue;
        assert_false(crypto->exchange_begin(*state, x, alg, out));
        for (size_t n = 0; n <= sizeof out; n += 32) {
            assert_int_equal(crypto->exchange_reply(*state, alg, (struct spdm_span){out, n}, out, secret), 0);
        }
    }
    assert_int_equal(x[0] | x[1], 0);
    assert_int_equal(crypto->exchange_finish(*state, x, (struct spdm_span){out, 64}, secret), 0);
    crypto->exchange_end(*state, x);
    assert_zeros(out, sizeof out);
    assert_zeros(secret, sizeof secret);
}

/* A generator without entropy: no key pair, and nothing half written (withstand 93). */
static void no_randomness_no_exchange(void **state)
{
    struct spdm_openssl *ossl = spdm_openssl_open(NULL, NULL);
    uint64_t x[2] = {0};
    uint8_t peer[PUBLIC_MAX], out[PUBLIC_MAX] = {0}, secret[SECRET_MAX] = {0};

    assert_int_equal(RAND_set_DRBG_type(ossl->lib, "CTR-DRBG", NULL, "AES-256-CTR", NULL), 1);
    assert_int_equal(RAND_set_seed_source_type(ossl->lib, "TEST-RAND", NULL), 1);
    for (unsigned alg = SPDM_FFDHE_2048; alg <= SPDM_ML_KEM_1024; alg++) {
        if (!crypto->supports(*state, alg) || spdm_algorithm(alg)->reply == 0) continue;
        assert_true(crypto->exchange_begin(*state, x, alg, peer));
        crypto->exchange_end(*state, x);
        assert_false(crypto->exchange_begin(ossl, x, alg, out));
        struct spdm_span value = {peer, spdm_algorithm(alg)->size};
        assert_int_equal(crypto->exchange_reply(ossl, alg, value, out, secret), 0);
        assert_zeros(out, sizeof out);
        assert_zeros(secret, sizeof secret);
    }
    spdm_openssl_close(ossl);
}

/* ---- what is there ---- */

static void supports_what_the_library_has(void **state)
{
    bool newer = OPENSSL_version_major() > 3 || OPENSSL_version_minor() >= 5;

    for (size_t i = 0; i < sizeof dhe; i++) assert_true(crypto->supports(*state, dhe[i]));
    for (size_t i = 0; i < sizeof kem; i++) assert_int_equal(crypto->supports(*state, kem[i]), newer);
    for (size_t i = 0; i < 3; i++) assert_true(crypto->supports(*state, aeads[i]));
    if (newer || OPENSSL_version_minor() == 0) assert_int_equal(crypto->supports(*state, SPDM_SM4_GCM), newer);
    assert_false(crypto->supports(*state, SPDM_DHE_SM2));
    assert_true(crypto->supports(*state, SPDM_KEY_SCHEDULE));
}

static void nothing_is_fetched_twice(void **state)
{
    struct spdm_openssl *ossl = *state;

    for (unsigned alg = 0; alg < 256; alg++) (void)crypto->supports(ossl, alg);
    unsigned before = ossl->fetches;
    for (unsigned alg = 0; alg < 256; alg++) (void)crypto->supports(ossl, alg);
    aead_of_others(state);
    shake_hands(ossl, SPDM_SECP256R1, false);
    assert_int_equal(ossl->fetches, before);
}

/* ---- what it costs and leaves ---- */

static void derive_once(struct spdm_openssl *ossl)
{
    uint8_t out[SPDM_HASH_MAX];
    struct spdm_span text = {(const uint8_t *)"req hs data", 11};
    struct spdm_hmac in = {.hash = SPDM_SHA_384, .key = {(const uint8_t *)"key", 3}, .part = &text, .n = 1};

    assert_true(crypto->hmac(ossl, &in, out));
}

/* Records allocate nothing; new keys a context, which is freed with them; an HMAC what a digest does, which in 3.0 is
 * one block for each beginning. */
static void steady_state_does_not_allocate(void **state)
{
    struct spdm_openssl *ossl = *state;
    struct sealed s;

    for (size_t i = 0; i < sizeof aeads; i++) {
        for (int round = 0; round < 2; round++) {
            long live = heap.live;
            for (int k = 0; k < 50; k++) {
                if (!seal(ossl, &s, aeads[i], sizeof s.plain)) continue;
                struct spdm_aead record = in_place(&s, sizeof s.plain);
                heap.allocations = 0;
                record.aad[0].n--;
                assert_int_equal(crypto->aead_open(ossl, s.keyed, &record), SPDM_BAD);
                assert_true(crypto->aead_seal(ossl, s.keyed, &record));
                assert_int_equal(crypto->aead_open(ossl, s.keyed, &record), SPDM_GOOD);
                if (round == 1) assert_int_equal(heap.allocations, 0);
                crypto->aead_end(ossl, s.keyed);
            }
            if (round == 1) assert_int_equal(heap.live, live);
        }
    }
    derive_once(ossl);
    heap.allocations = 0;
    for (int k = 0; k < 50; k++) derive_once(ossl);
    assert_true(heap.allocations <= (OPENSSL_version_minor() >= 5 ? 0 : 3 * 50));
}

static void handshakes_leave_nothing_allocated(void **state)
{
    for (unsigned alg = SPDM_FFDHE_2048; alg <= SPDM_ML_KEM_1024; alg++) {
        if (!crypto->supports(*state, alg) || spdm_algorithm(alg)->reply == 0) continue;
        shake_hands(*state, alg, false);
        long live = heap.live;
        for (int i = 0; i < 3; i++) shake_hands(*state, alg, false);
        assert_int_equal(heap.live, live);
    }
}

static void cipher_keys_are_wiped(void **state)
{
    struct spdm_openssl *ossl = spdm_openssl_open(NULL, NULL);
    uint8_t key[32], iv[12] = {0}, data[40] = {0}, tag[16];
    struct spdm_span in = {data, sizeof data};
    struct spdm_aead record = {.iv = iv, .in = &in, .in_n = 1, .out = data, .tag = tag};

    assert_true(crypto->random(*state, key, sizeof key));
    for (size_t i = 0; i < 3; i++) {
        uint64_t keyed[2] = {0};
        struct spdm_span k = {key, spdm_algorithm(aeads[i])->key};
        heap_look_for(key, 16);
        assert_true(crypto->aead_begin(ossl, keyed, aeads[i], k));
        assert_true(crypto->aead_seal(ossl, keyed, &record));
        assert_true(heap_holds() >= 1); /* the test sees it */
        crypto->aead_end(ossl, keyed);
        assert_int_equal(heap_holds(), 0);
        assert_int_equal(heap.thrown_away, 0);

        memset(data, 0, sizeof data); /* so that what comes out is key stream: its last, unfinished block */
        assert_true(crypto->aead_begin(ossl, keyed, aeads[i], k));
        assert_true(crypto->aead_seal(ossl, keyed, &record));
        heap_look_for(data + 32, 8);
        assert_true(heap_holds() >= 1);
        crypto->aead_end(ossl, keyed);
        assert_int_equal(heap_holds() + heap.thrown_away, 0);
    }
    spdm_openssl_close(ossl);
    assert_int_equal(heap.thrown_away, 0);
    heap_look_for(NULL, 0);
}

static void mac_keys_are_wiped(void **state)
{
    static const char *const queries[] = {NULL, "provider=default"};
    uint8_t key[300], padded[16], out[SPDM_HASH_MAX];

    assert_true(crypto->random(*state, key, sizeof key));
    for (size_t q = 0; q < 2; q++) {
        struct spdm_openssl *ossl = spdm_openssl_open(&(struct spdm_openssl_options){.propq = queries[q]}, NULL);
        for (unsigned hash = SPDM_SHA_256; hash <= SPDM_SM3_256; hash++) {
            for (size_t n = 32; n <= sizeof key; n += sizeof key - 32) {
                for (size_t i = 0; i < sizeof padded; i++) padded[i] = key[i] ^ 0x36;
                struct spdm_hmac in = {.hash = hash, .key = {key, n}};
                heap_look_for(key, sizeof padded);
                assert_true(crypto->hmac(ossl, &in, out));
                assert_int_equal(heap_holds() + heap.thrown_away, 0);
                heap_look_for(padded, sizeof padded);
                assert_true(crypto->hmac(ossl, &in, out));
                assert_int_equal(heap_holds() + heap.thrown_away, 0);
                heap_look_for(out, 16); /* the result is a secret as well */
                assert_true(crypto->hmac(ossl, &in, out));
                assert_int_equal(heap_holds() + heap.thrown_away, 0);
            }
        }
        heap_look_for(NULL, 0);
        spdm_openssl_close(ossl);
    }
}

static void **stack_state;

static void hmac_on_a_stack(void *arg)
{
    static uint8_t out[SPDM_HASH_MAX]; /* not on that stack */
    const struct spdm_hmac *in = arg;
    struct spdm_openssl *ossl = *stack_state;

    if (!crypto->hmac(ossl, in, out)) abort();
}

static bool lies_in(const uint8_t *memory, size_t n, const uint8_t *what, size_t what_n)
{
    for (size_t at = 0; at + what_n <= n; at++) {
        if (memory[at] == what[0] && memcmp(memory + at, what, what_n) == 0) return true;
    }
    return false;
}

/* Neither a key, plain or padded, nor a text, which may be a shared secret. */
static void hmac_leaves_nothing_on_the_stack(void **state)
{
    static uint8_t key[64], text[66], masked[3][16];
    static const uint8_t masks[] = {0, 0x36, 0x5c};
    size_t n;

    stack_state = state;
    assert_true(crypto->random(*state, key, sizeof key) && crypto->random(*state, text, sizeof text));
    for (size_t m = 0; m < sizeof masks; m++) {
        for (size_t i = 0; i < sizeof masked[m]; i++) masked[m][i] = key[i] ^ masks[m];
    }
    for (unsigned hash = SPDM_SHA_256; hash <= SPDM_SM3_256; hash++) {
        struct spdm_span part = {text, sizeof text};
        struct spdm_hmac in = {.hash = hash, .key = {key, sizeof key}, .part = &part, .n = 1};
        const uint8_t *stack = spy_stack(hmac_on_a_stack, &in, &n);
        for (size_t m = 0; m < sizeof masks; m++) assert_false(lies_in(stack, n, masked[m], sizeof masked[m]));
        assert_false(lies_in(stack, n, text, 8) || lies_in(stack, n, text + sizeof text - 8, 8));
    }
}

/* The private half, in libcrypto's order of bytes. Multiplying in P-256 and P-521 throws one copy of it away unwiped;
 * that is libcrypto's own (P-256: up to 3.5, P-521: 3.0). */
static void private_halves_are_wiped(void **state)
{
    for (size_t i = 0; i < sizeof dhe; i++) {
        uint64_t x[2] = {0};
        uint8_t out[PUBLIC_MAX], secret[SECRET_MAX], reply[PUBLIC_MAX], bytes[512];
        struct spdm_openssl_exchange inside;
        size_t size = spdm_algorithm(dhe[i])->size;
        BIGNUM *private = NULL;
        assert_true(crypto->exchange_begin(*state, x, dhe[i], out));
        assert_true(crypto->exchange_reply(*state, dhe[i], (struct spdm_span){out, size}, reply, secret) != 0);
        memcpy(&inside, x, sizeof inside);
        assert_int_equal(EVP_PKEY_get_bn_param(inside.own, OSSL_PKEY_PARAM_PRIV_KEY, &private), 1);
        BN_bn2lebinpad(private, bytes, sizeof bytes);
        BN_clear_free(private);
        heap_look_for(bytes, 24);
        assert_true(heap_holds() >= 1);
        assert_true(crypto->exchange_finish(*state, x, (struct spdm_span){reply, size}, secret) != 0);
        assert_int_equal(heap_holds(), 0);
        assert_true(heap.thrown_away <= (dhe[i] == SPDM_SECP256R1 || dhe[i] == SPDM_SECP521R1));
    }
    heap_look_for(NULL, 0);
}

/* Everything once, told by whether it went well: a handshake, a derivation, a record. */
static bool all_once(struct spdm_openssl *ossl, enum spdm_alg alg)
{
    uint64_t x[2] = {0}, keyed[2] = {0};
    uint8_t request[PUBLIC_MAX], response[PUBLIC_MAX], a[SECRET_MAX] = {0}, b[SECRET_MAX] = {0}, tag[16];
    struct spdm_span part = {a, 32}, in = {b, 20};
    struct spdm_hmac mac = {.hash = SPDM_SHA_384, .key = {b, 32}, .part = &part, .n = 1};
    struct spdm_aead record = {.iv = a, .in = &in, .in_n = 1, .out = b, .tag = tag};
    bool fine = crypto->exchange_begin(ossl, x, alg, request);
    size_t n = 0;

    if (fine)
        n = crypto->exchange_reply(ossl, alg, (struct spdm_span){request, spdm_algorithm(alg)->size}, response, a);
    fine = n != 0 &&
           crypto->exchange_finish(ossl, x, (struct spdm_span){response, spdm_algorithm(alg)->reply}, b) == n &&
           memcmp(a, b, n) == 0;
    crypto->exchange_end(ossl, x);
    fine = fine && crypto->hmac(ossl, &mac, b);
    fine = fine && crypto->aead_begin(ossl, keyed, SPDM_AES_256_GCM, (struct spdm_span){b, 32});
    fine = fine && crypto->aead_seal(ossl, keyed, &record);
    fine = fine && crypto->aead_open(ossl, keyed, &record) == SPDM_GOOD;
    crypto->aead_end(ossl, keyed);
    return fine;
}

/* Whichever allocation fails: nothing is taken for done that is not, nothing leaks, and the next try goes well. */
static void allocations_fail(void **state)
{
    static const char *const queries[] = {NULL, "provider=default"};
    static const uint8_t algs[] = {SPDM_FFDHE_2048, SPDM_SECP256R1, SPDM_ML_KEM_512};

    (void)state;
    for (size_t q = 0; q < 2; q++) {
        struct spdm_openssl *ossl = spdm_openssl_open(&(struct spdm_openssl_options){.propq = queries[q]}, NULL);
        for (size_t i = 0; i < sizeof algs; i++) {
            enum spdm_alg alg = algs[i];
            if (!crypto->supports(ossl, alg)) continue;
            assert_true(all_once(ossl, alg) && all_once(ossl, alg));
            long live = heap.live, failed = 0;
            bool reached = true;
            for (long at = 1; reached; at++) {
                heap.fail_in = at;
                bool fine = all_once(ossl, alg);
                reached = heap.fail_in == 0;
                heap.fail_in = 0;
                failed += !fine;
                assert_true(fine || reached);
                assert_true(all_once(ossl, alg));
                assert_true(heap.live <= live + 2);
            }
            print_message("%s: %ld failed\n", spdm_algorithm_name(alg), failed);
            assert_true(failed > 20);
        }
        spdm_openssl_close(ossl);
    }
}

#define watched(test) cmocka_unit_test_setup_teardown(test, raise_error, look_at_errors)

int main(void)
{
    const struct CMUnitTest tests[] = {
        watched(hmac_of_others),
        watched(hmac_edges),
        watched(aead_of_others),
        watched(long_records),
        watched(changed_records_are_refused),
        watched(aead_not_begun),
        watched(aead_states_are_their_own),
        watched(exchanges_of_others),
        watched(all_groups_agree),
        watched(leading_zeros_are_kept),
        watched(invalid_values_are_refused),
        watched(kem_edges),
        watched(what_cannot_agree),
        watched(no_randomness_no_exchange),
        watched(supports_what_the_library_has),
        watched(nothing_is_fetched_twice),
        watched(steady_state_does_not_allocate),
        watched(handshakes_leave_nothing_allocated),
        watched(cipher_keys_are_wiped),
        watched(mac_keys_are_wiped),
        watched(hmac_leaves_nothing_on_the_stack),
        watched(private_halves_are_wiped),
        cmocka_unit_test(allocations_fail), /* hashing without memory may leave an error */
    };

    heap_watch();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
