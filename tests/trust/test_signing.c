/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a signature covers: the 100-byte prefix against independently computed
 * ones, for every context and version; what each algorithm is handed; and the
 * byte order of signatures below 1.2. */
#include "support/golden.h"
#include "support/hex.h"
#include "support/toy_crypto.h"
#include "trust/signing.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct toy toy;
    struct transcript t;
    uint64_t memory[64];
};

static void open_fixture(struct fixture *f)
{
    *f = (struct fixture){0};
    f->t.crypto = &toy_crypto;
    f->t.ctx = &f->toy;
    spdm_transcript_init(&f->t, (struct spdm_room){(uint8_t *)f->memory, sizeof f->memory}, 16);
}

static void prepare(struct fixture *f, struct to_sign *input, const struct signer *signer, enum signed_by by)
{
    for (size_t i = 0; i < sizeof input->digest; i++) input->digest[i] = (uint8_t)(0xd0 + i);
    assert_true(spdm_signing_prepare(input, &f->t, signer, by));
}

/* ---- the prefix ---- */

static enum signed_by signed_named(const char *context, bool *turned)
{
    static const struct {
        const char *context;
        enum signed_by by;
        bool turned;
    } known[] = {{"responder-challenge_auth", SIGNED_CHALLENGE_AUTH, false},
                 {"requester-challenge_auth", SIGNED_CHALLENGE_AUTH, true},
                 {"responder-measurements", SIGNED_MEASUREMENTS, false},
                 {"responder-key_exchange_rsp", SIGNED_KEY_EXCHANGE_RSP, false},
                 {"requester-finish", SIGNED_FINISH, true}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        *turned = known[i].turned;
        if (strcmp(known[i].context, context) == 0) return known[i].by;
    }
    return SIGNED_NOT; /* nobody signs or checks it yet */
}

static void check_prefix(char *line, void *ctx)
{
    unsigned *n = ctx, minor;
    char context[40], digits[220], text[48];
    struct signer signer = {.alg = SPDM_ED448, .hash = SPDM_SHA_384};
    struct spdm_room expected;
    struct to_sign input;
    struct fixture f;
    enum signed_by by;

    if (sscanf(line, "1.%u %39s %219s", &minor, context, digits) != 3) fail_msg("bad line %s", line);
    by = signed_named(context, &signer.turned);
    if (by == SIGNED_NOT) return;
    expected = hex_bytes(digits);
    signer.edition = spdm_edition((uint8_t)(0x10 + minor));
    open_fixture(&f);
    prepare(&f, &input, &signer, by);
    assert_int_equal(expected.n, SIGNING_PREFIX);
    assert_int_equal(input.what.data.n, SIGNING_PREFIX + 48);
    assert_memory_equal(input.what.data.p, expected.p, SIGNING_PREFIX);
    assert_memory_equal(input.what.data.p + SIGNING_PREFIX, input.digest, 48);
    snprintf(text, sizeof text, "%s signing", context);
    assert_int_equal(input.what.context.n, strlen(text));
    assert_memory_equal(input.what.context.p, text, strlen(text));
    free(expected.p);
    (*n)++;
}

static void test_prefixes(void **state)
{
    unsigned n = 0;

    (void)state;
    (void)golden_lines("tests/data/golden/signing.txt", check_prefix, &n);
    assert_int_equal(n, 3 * 5);
}

/* ---- what each algorithm is handed ---- */

/* transcripts.md 8.3: RSA and ECDSA a digest; the others the message, Ed448 and the post-quantum ones a context. */
static void check_algorithm(enum spdm_alg alg, uint8_t version)
{
    bool ecc = alg >= SPDM_RSASSA_2048 && alg <= SPDM_ECDSA_P521;
    bool context = alg == SPDM_ED448 || spdm_algorithm(alg)->cls == SPDM_CLASS_PQC, prefixed = version >= 0x12;
    struct signer signer = {.edition = spdm_edition(version), .alg = (uint8_t)alg, .hash = SPDM_SHA_512};
    struct fixture f;
    struct to_sign input;

    open_fixture(&f);
    prepare(&f, &input, &signer, SIGNED_MEASUREMENTS);
    assert_int_equal(input.what.alg, alg);
    assert_int_equal(input.what.hash, SPDM_SHA_512);
    assert_int_equal(input.what.prehashed, ecc);
    assert_int_equal(input.what.data.n, prefixed && !ecc ? SIGNING_PREFIX + 64 : 64);
    assert_int_equal(input.what.context.n, prefixed && context ? 30 : 0);
    assert_int_equal(f.toy.open, 0);
}

static void test_algorithms(void **state)
{
    unsigned n = 0;

    (void)state;
    for (unsigned alg = 1; alg < SPDM_ALG_N; alg++) {
        uint8_t cls = spdm_algorithm((enum spdm_alg)alg)->cls;

        if (cls != SPDM_CLASS_ASYM && cls != SPDM_CLASS_PQC) continue;
        for (uint8_t version = spdm_algorithm((enum spdm_alg)alg)->since; version <= 0x14; version++, n++) {
            check_algorithm((enum spdm_alg)alg, version);
        }
    }
    assert_true(n > 60);
}

static void test_crypto_fails(void **state)
{
    struct signer signer = {.edition = spdm_edition(0x13), .alg = SPDM_ECDSA_P384, .hash = SPDM_SHA_384};
    struct to_sign input = {0};
    struct fixture f;

    (void)state;
    for (long at = 1; at <= 3; at++) {
        open_fixture(&f);
        f.toy.fail_at = at;
        assert_false(spdm_signing_prepare(&input, &f.t, &signer, SIGNED_MEASUREMENTS));
        assert_int_equal(f.toy.open, 0);
    }
}

/* ---- byte order below 1.2 (UN-15) ---- */

static void reverse(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        uint8_t byte = p[i];

        p[i] = p[n - 1 - i];
        p[n - 1 - i] = byte;
    }
}

/* A signature in either order under each policy: accepted, and the reading that was, as the table says. */
static void check_order(uint8_t version, enum spdm_alg alg, uint8_t policy, bool little)
{
    static const struct toy_key key = {.id = 77};
    struct signer signer = {
        .edition = spdm_edition(version), .alg = (uint8_t)alg, .hash = SPDM_SHA_384, .byte_order = policy};
    uint8_t signature[512];
    struct candidate candidate = {.key = &key};
    struct to_sign input;
    struct fixture f;
    size_t n, piece;
    bool legacy = version < 0x12, good;

    open_fixture(&f);
    prepare(&f, &input, &signer, SIGNED_CHALLENGE_AUTH);
    n = toy_sign(&key, &input.what, signature);
    piece = alg >= SPDM_RSASSA_2048 && alg != SPDM_ECDSA_P384 ? n : n / 2;
    if (little) {
        for (size_t at = 0; at < n; at += piece) reverse(signature + at, piece);
    }
    candidate.signature = spdm_span(signature, n);
    good = spdm_signing_verify(&f.t, &signer, &input, &candidate) == SPDM_GOOD;
    if (little) assert_int_equal(good, legacy && policy != SPDM_BIG_ENDIAN);
    else assert_int_equal(good, !legacy || policy != SPDM_LITTLE_ENDIAN);
    assert_int_equal(candidate.reversed, good && little);
}

static void test_byte_order(void **state)
{
    static const uint8_t algorithms[] = {SPDM_RSASSA_3072, SPDM_ECDSA_P384};

    (void)state;
    for (uint8_t version = 0x10; version <= 0x14; version++) {
        for (size_t a = 0; a < 2; a++) {
            for (uint8_t policy = SPDM_BIG_ENDIAN; policy <= SPDM_EITHER_ENDIAN; policy++) {
                check_order(version, (enum spdm_alg)algorithms[a], policy, false);
                check_order(version, (enum spdm_alg)algorithms[a], policy, true);
            }
        }
    }
}

static void test_nothing_to_verify(void **state)
{
    static const struct toy_key key = {.id = 77};
    struct signer signer = {.edition = spdm_edition(0x11), .alg = SPDM_ECDSA_P384, .hash = SPDM_SHA_384};
    uint8_t signature[96] = {0};
    struct candidate none = {.key = &key}, nobody = {.signature = spdm_span(signature, sizeof signature)};
    struct to_sign input;
    struct fixture f;

    (void)state;
    open_fixture(&f);
    f.toy.accept_all = true;
    prepare(&f, &input, &signer, SIGNED_CHALLENGE_AUTH);
    assert_int_equal(spdm_signing_verify(&f.t, &signer, &input, &none), SPDM_BAD);
    assert_int_equal(spdm_signing_verify(&f.t, &signer, &input, &nobody), SPDM_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_prefixes), cmocka_unit_test(test_algorithms),
                                       cmocka_unit_test(test_crypto_fails), cmocka_unit_test(test_byte_order),
                                       cmocka_unit_test(test_nothing_to_verify)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
