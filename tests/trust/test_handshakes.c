/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What recorded endpoints signed to open sessions, classical, post-quantum and
 * each beside the other's key agreement: KEY_EXCHANGE_RSP and FINISH verify
 * over the digest of TH that the recorder printed, with the context string of
 * their version (withstand 36), and over nothing near it. */
#include "port/crypto_openssl.h"
#include "support/golden.h"
#include "support/hex.h"
#include "support/lines.h"
#include "trust/signing.h"
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct spdm_openssl *ossl;
    struct transcript t;
    uint64_t memory[64];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->ossl = spdm_openssl_open(NULL, NULL);
    f->t.crypto = spdm_openssl_crypto();
    f->t.ctx = f->ossl;
    spdm_transcript_init(&f->t, (struct spdm_room){(uint8_t *)f->memory, sizeof f->memory}, 16);
    *state = f;
    return f->ossl == NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    spdm_transcript_clear(&f->t);
    spdm_openssl_close(f->ossl);
    free(f);
    return 0;
}

/* The key of the leaf of a chain structure; NULL if the library does not have its algorithm. */
static struct spdm_openssl_key *leaf_key(struct spdm_openssl *ossl, const char *name, enum spdm_alg hash)
{
    char spelled[100];
    snprintf(spelled, sizeof spelled, "@%s", name);
    struct spdm_room chain = golden_bytes(spelled);
    const unsigned char *at = chain.p + 4 + spdm_algorithm(hash)->size, *end = chain.p + chain.n;
    unsigned char *spki = NULL;
    X509 *leaf = NULL;

    while (at < end) {
        X509_free(leaf);
        leaf = d2i_X509(NULL, &at, end - at);
        assert_non_null(leaf);
    }
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &spki);
    struct spdm_openssl_key *key = spdm_openssl_key_open(ossl, (struct spdm_span){spki, (size_t)n}, NULL);
    OPENSSL_free(spki);
    X509_free(leaf);
    free(chain.p);
    return key;
}

static spdm_verdict verify(struct fixture *f, const struct signer *signer, enum signed_by by, struct spdm_span digest,
                           struct candidate *candidate)
{
    struct to_sign input;

    memcpy(input.digest, digest.p, digest.n);
    assert_true(spdm_signing_prepare(&input, &f->t, signer, by));
    return spdm_signing_verify(&f->t, signer, &input, candidate);
}

static void expect_only_this(struct fixture *f, const struct signer *given, enum signed_by by, struct spdm_room digest,
                             struct candidate *candidate)
{
    bool prefixed = given->edition->signing_prefix;
    struct signer signer = *given;

    assert_int_equal(verify(f, &signer, by, as_span(digest), candidate), SPDM_GOOD);
    digest.p[digest.n - 1] ^= 1;
    assert_int_equal(verify(f, &signer, by, as_span(digest), candidate), SPDM_BAD);
    digest.p[digest.n - 1] ^= 1;
    /* another context, another role, another version: from 1.2 on these are signed, too */
    signer.turned = !signer.turned;
    if (by != SIGNED_FINISH) /* which has one role only */
        assert_int_equal(verify(f, &signer, by, as_span(digest), candidate), prefixed ? SPDM_BAD : SPDM_GOOD);
    signer.turned = given->turned;
    for (enum signed_by other = SIGNED_CHALLENGE_AUTH; other < SIGNED_N; other++) {
        if (other == by) continue;
        assert_int_equal(verify(f, &signer, other, as_span(digest), candidate), prefixed ? SPDM_BAD : SPDM_GOOD);
    }
    signer.edition = spdm_edition(given->edition->version == SPDM_V14 ? SPDM_V13 : SPDM_V14);
    assert_int_equal(verify(f, &signer, by, as_span(digest), candidate), SPDM_BAD);
}

static void test_recorded_handshakes(void **state)
{
    struct fixture *f = *state;
    struct lines l = lines_open("tests/data/golden/handshakes.txt");
    unsigned good = 0, absent = 0;

    while (lines_next(&l)) {
        bool finish = strcmp(l.word[1], "FINISH") == 0;
        enum spdm_alg alg = spdm_algorithm_named(l.word[3]), hash = spdm_algorithm_named(l.word[4]);
        struct signer signer = {.edition = spdm_edition((uint8_t)(SPDM_V10 + (l.word[2][2] - '0'))),
                                .alg = (uint8_t)alg,
                                .hash = (uint8_t)hash,
                                .turned = finish};
        struct spdm_room digest = hex_bytes(l.word[5]), signature = hex_bytes(l.word[7]);
        struct candidate candidate = {.key = leaf_key(f->ossl, l.word[6], hash), .signature = as_span(signature)};

        assert_non_null(signer.edition);
        assert_int_equal(digest.n, spdm_algorithm(hash)->size);
        assert_int_equal(signature.n, spdm_algorithm(alg)->size);
        if (candidate.key == NULL) {
            assert_false(f->t.crypto->supports(f->ossl, alg));
            absent++;
        } else {
            expect_only_this(f, &signer, finish ? SIGNED_FINISH : SIGNED_KEY_EXCHANGE_RSP, digest, &candidate);
            good++;
        }
        spdm_openssl_key_free((struct spdm_openssl_key *)candidate.key);
        free(digest.p);
        free(signature.p);
    }
    print_message("%u verified, %u of algorithms this OpenSSL does not have\n", good, absent);
    assert_int_equal(good + absent, 42);
    assert_true(good >= 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_recorded_handshakes)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
