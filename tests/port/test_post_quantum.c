/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Post-quantum signatures: every parameter set makes, byte for byte, what
 * another implementation makes; our back end believes these signatures and
 * nothing near them, and signs what it believes. Where the library does not
 * have them it says so, and has no key either; with ASSAY_PQC=required in the
 * environment (make pqc) that is a failure. */
#include "port/certgen.h"
#include "port/keystore.h"
#include "support/hex.h"
#include "support/lines.h"
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PREFIX = 100, DIGEST = 48, MESSAGE = PREFIX + DIGEST };
static const char context[] = "responder-challenge_auth signing";

struct place {
    struct spdm_openssl *ossl;
    uint8_t message[MESSAGE], seed[96], signature[SPDM_SIGNATURE_MAX];
};

/* What CHALLENGE_AUTH signs, put together by hand. */
static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    p->ossl = spdm_openssl_open(NULL, NULL);
    for (size_t i = 0; i < 64; i++) p->message[i] = (uint8_t) "dmtf-spdm-v1.4.*"[i % 16];
    memcpy(p->message + PREFIX - strlen(context), context, strlen(context));
    for (size_t i = 0; i < DIGEST; i++) p->message[PREFIX + i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof p->seed; i++) p->seed[i] = (uint8_t)i;
    *state = p;
    return p->ossl == NULL;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    spdm_openssl_close(p->ossl);
    free(p);
    return ERR_peek_error() != 0;
}

static bool required(void)
{
    const char *word = getenv("ASSAY_PQC");

    return word != NULL && strcmp(word, "required") == 0;
}

/* The library's own name of a parameter set: "SLH-DSA-SHA2-128s". */
static const char *type_of(enum spdm_alg alg)
{
    static char name[24];

    snprintf(name, sizeof name, "%s", spdm_algorithm_name(alg));
    for (char *c = name; *c != '\0'; c++) {
        if (*c == '_') *c = '-';
        if ((*c == 'S' || *c == 'F') && c[1] == '\0') *c = *c == 'S' ? 's' : 'f';
    }
    return name;
}

static EVP_PKEY *key_of_seed(struct place *p, enum spdm_alg alg, size_t seed_n)
{
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, type_of(alg), NULL);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string("seed", p->seed, seed_n), OSSL_PARAM_construct_end()};
    EVP_PKEY *key = NULL;

    assert_non_null(maker);
    assert_int_equal(EVP_PKEY_keygen_init(maker), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(maker, params), 1);
    assert_int_equal(EVP_PKEY_generate(maker, &key), 1);
    EVP_PKEY_CTX_free(maker);
    return key;
}

static void expect_digest(const uint8_t *bytes, size_t n, const char *hex)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    struct spdm_room wanted = hex_bytes(hex);

    SHA256(bytes, n, digest);
    assert_int_equal(wanted.n, sizeof digest);
    assert_memory_equal(digest, wanted.p, sizeof digest);
    free(wanted.p);
}

/* The deterministic signature, by the library without our code. */
static void sign_deterministically(struct place *p, EVP_PKEY *key, size_t size)
{
    int yes = 1;
    char words[sizeof context];
    memcpy(words, context, sizeof context);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string("context-string", words, strlen(words)),
                           OSSL_PARAM_construct_int("deterministic", &yes), OSSL_PARAM_construct_end()};
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t n = sizeof p->signature;

    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, key, params), 1);
    assert_int_equal(EVP_DigestSign(ctx, p->signature, &n, p->message, MESSAGE), 1);
    assert_int_equal(n, size);
    EVP_MD_CTX_free(ctx);
}

static spdm_verdict ask(struct place *p, const struct spdm_openssl_key *key, const struct spdm_signing *what, size_t n)
{
    return spdm_openssl_crypto()->verify(p->ossl, key, what, (struct spdm_span){p->signature, n});
}

/* The signature in p->signature is good, and nothing near it. */
static void expect_only_this(struct place *p, const struct spdm_openssl_key *key, enum spdm_alg alg, size_t n)
{
    struct spdm_signing what = {.alg = alg, .hash = SPDM_SHA_384, .data = {p->message, MESSAGE}};
    const size_t bits[] = {0, n / 2, n - 1};

    what.context = (struct spdm_span){(const uint8_t *)context, strlen(context)};
    assert_int_equal(ask(p, key, &what, n), SPDM_GOOD);
    for (size_t i = 0; i < 3; i++) {
        p->signature[bits[i]] ^= 0x10;
        assert_int_equal(ask(p, key, &what, n), SPDM_BAD);
        p->signature[bits[i]] ^= 0x10;
    }
    assert_int_equal(ask(p, key, &what, n - 1), SPDM_BAD);
    assert_int_equal(ask(p, key, &what, 0), SPDM_BAD);
    p->message[MESSAGE - 1] ^= 1;
    assert_int_equal(ask(p, key, &what, n), SPDM_BAD);
    p->message[MESSAGE - 1] ^= 1;
    struct spdm_signing other = what;
    other.context.n = 0;
    assert_int_equal(ask(p, key, &other, n), SPDM_BAD);
    other.context = (struct spdm_span){(const uint8_t *)"requester-challenge_auth signing", strlen(context)};
    assert_int_equal(ask(p, key, &other, n), SPDM_BAD);
    other = what;
    other.prehashed = true;
    assert_int_equal(ask(p, key, &other, n), SPDM_BAD);
    for (unsigned a = SPDM_RSASSA_2048; a <= SPDM_SLH_DSA_SHAKE_256F; a++) {
        other = what;
        other.alg = a;
        if (a != alg) assert_int_equal(ask(p, key, &other, n), SPDM_BAD);
    }
    assert_int_equal(ask(p, key, &what, n), SPDM_GOOD);
}

static struct spdm_openssl_key *public_half(struct place *p, EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(key, &der);
    struct spdm_openssl_key *half = spdm_openssl_key_open(p->ossl, (struct spdm_span){der, (size_t)n}, NULL);

    OPENSSL_free(der);
    assert_non_null(half);
    return half;
}

/* Our own signatures are random: they are believed, and differ. */
static void expect_signer(struct place *p, EVP_PKEY *key, const struct spdm_openssl_key *half, enum spdm_alg alg)
{
    char path[] = "/tmp/assay-pqc-XXXXXX", cause[SPDM_CAUSE_MAX] = "";
    FILE *f = fdopen(mkstemp(path), "w");
    assert_int_equal(PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
    struct spdm_signer *signer = spdm_signer_open(p->ossl, &(struct spdm_signer_options){.uri = path}, cause);
    unlink(path);
    if (signer == NULL) fail_msg("%s", cause);
    assert_true(spdm_signer_matches(signer, half));
    assert_int_equal(spdm_signer_algorithms(signer)[0], alg);
    assert_int_equal(spdm_signer_algorithms(signer)[1], 0);
    struct spdm_signing what = {.alg = alg, .hash = SPDM_SHA_384, .data = {p->message, MESSAGE}};
    what.context = (struct spdm_span){(const uint8_t *)context, strlen(context)};
    size_t size = spdm_algorithm(alg)->size;
    uint8_t first[32];
    memcpy(first, p->signature, sizeof first);
    assert_int_equal(spdm_signer_sign(signer, &what, (struct spdm_room){p->signature, size - 1}, cause), 0);
    assert_int_equal(spdm_signer_sign(signer, &what, (struct spdm_room){p->signature, size}, cause), size);
    assert_memory_not_equal(first, p->signature, sizeof first);
    expect_only_this(p, half, alg, size);
    spdm_signer_close(signer);
}

static void signatures_of_another_implementation(void **state)
{
    struct place *p = *state;
    struct lines l = lines_open("tests/data/port/post-quantum.txt");
    unsigned good = 0, absent = 0;

    while (lines_next(&l)) {
        enum spdm_alg alg = spdm_algorithm_named(l.word[0]);
        size_t size = spdm_algorithm(alg)->size;
        assert_int_equal(spdm_algorithm(alg)->cls, SPDM_CLASS_PQC);
        assert_int_equal(size, strtoul(l.word[3], NULL, 10));
        if (!spdm_openssl_crypto()->supports(p->ossl, alg)) {
            absent++;
            continue;
        }
        EVP_PKEY *key = key_of_seed(p, alg, strtoul(l.word[1], NULL, 10));
        uint8_t raw[2592];
        size_t raw_n = sizeof raw;
        assert_int_equal(EVP_PKEY_get_raw_public_key(key, raw, &raw_n), 1);
        expect_digest(raw, raw_n, l.word[2]);
        sign_deterministically(p, key, size);
        expect_digest(p->signature, size, l.word[4]);
        struct spdm_openssl_key *half = public_half(p, key);
        assert_string_equal(spdm_openssl_key_name(half), type_of(alg));
        expect_only_this(p, half, alg, size);
        expect_signer(p, key, half, alg);
        spdm_openssl_key_free(half);
        EVP_PKEY_free(key);
        good++;
    }
    print_message("%u parameter sets right, %u that this OpenSSL does not have\n", good, absent);
    assert_int_equal(good + absent, SPDM_SLH_DSA_SHAKE_256F - SPDM_ML_DSA_44 + 1);
}

/* Nothing is pretended: who has no algorithm has no identity either, and says why. */
static void what_is_absent_is_not_pretended(void **state)
{
    struct place *p = *state;

    for (unsigned alg = SPDM_ML_DSA_44; alg <= SPDM_SLH_DSA_SHAKE_256F; alg++) {
        struct spdm_certgen_plan plan = {.algorithm = alg, .model = SPDM_CERT_DEVICE, .responder = true, .days = 1};
        struct spdm_certgen_made made;
        char cause[SPDM_CAUSE_MAX] = "";
        if (spdm_openssl_crypto()->supports(p->ossl, alg)) continue;
        plan.subject = "nobody";
        assert_false(spdm_certgen_make(p->ossl, &plan, &made, cause));
        assert_non_null(strstr(cause, "this OpenSSL has no "));
        assert_non_null(strstr(cause, spdm_algorithm_name(alg)));
    }
}

static void everything_is_there_where_it_must_be(void **state)
{
    struct place *p = *state;
    const struct spdm_crypto *c = spdm_openssl_crypto();

    for (unsigned alg = SPDM_SHA_256; required() && alg < SPDM_ALG_N; alg++) {
        if (alg == SPDM_DHE_SM2 || c->supports(p->ossl, alg)) continue;
        fail_msg("%s has no %s", OpenSSL_version(OPENSSL_VERSION), spdm_algorithm_name(alg));
    }
    if (!required() && !c->supports(p->ossl, SPDM_ML_DSA_65)) {
        print_message("%s has no post-quantum algorithms; make pqc runs the tests with one that has\n",
                      OpenSSL_version(OPENSSL_VERSION));
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(signatures_of_another_implementation),
                                       cmocka_unit_test(what_is_absent_is_not_pretended),
                                       cmocka_unit_test(everything_is_there_where_it_must_be)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
