/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Recorded basic mutual authentication: the transcript of the encapsulated
 * messages, put together with trust/transcript, is the one the recorder
 * printed, and the Requester's signature verifies over it (R-BMA-04,
 * R-BMA-06); with any one message different it does not. */
#include "port/crypto_openssl.h"
#include "support/golden.h"
#include "support/hex.h"
#include "trust/signing.h"
#include "wire/message.h"
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINES = 24, VCA_MAX = 1024 };

struct mutual {
    struct spdm_room line[LINES];
    char mark[LINES];
    unsigned n;
    const struct edition *ed;
    enum spdm_alg hash, alg;
    struct spdm_openssl_key *key;
    struct transcript t;
    uint64_t memory[VCA_MAX];
};
static struct spdm_openssl *ossl;
static unsigned verified, skipped;

static void take_line(char *text, void *ctx)
{
    struct mutual *m = ctx;

    assert_true(m->n < LINES);
    m->mark[m->n] = text[0];
    m->line[m->n++] = golden_bytes(text + 2);
}

static const struct spdm_room *last_of(const struct mutual *m, uint8_t code)
{
    for (unsigned i = m->n; i-- > 0;) {
        if (m->mark[i] != '=' && m->line[i].p[1] == code) return &m->line[i];
    }
    fail_msg("no message 0x%02x", code);
    return NULL;
}

/* The algorithms, from the recorded ALGORITHMS. */
static void negotiate(struct mutual *m)
{
    const struct spdm_room *bytes = last_of(m, 0x63);
    struct shape sh = {.ver = bytes->p[0]};
    struct io io = spdm_reader(&sh, as_span(*bytes));
    union spdm_body body;
    const struct algorithms *a = &body.algorithms;

    assert_true(spdm_decode(&io, &spdm_message_ALGORITHMS, &body));
    m->ed = spdm_edition(bytes->p[0]);
    m->hash = spdm_algorithm_of(SPDM_CLASS_HASH, a->hash, SPDM_V14);
    m->alg = spdm_algorithm_of(SPDM_CLASS_ASYM, a->table[ALG_TYPE_REQ_ASYM], SPDM_V14);
    if (m->alg == SPDM_ALG_NONE) m->alg = spdm_algorithm_of(SPDM_CLASS_PQC, a->table[ALG_TYPE_REQ_PQC], SPDM_V14);
    assert_int_not_equal(m->alg, SPDM_ALG_NONE);
}

/* The key of the leaf of the chain in CERTIFICATE; NULL if the library does not have its algorithm. */
static void open_key(struct mutual *m)
{
    const struct spdm_room *bytes = last_of(m, 0x02);
    struct shape sh = {.ver = bytes->p[0]};
    struct io io = spdm_reader(&sh, as_span(*bytes));
    const unsigned char *at, *end;
    unsigned char *spki = NULL;
    union spdm_body body;
    X509 *leaf = NULL;
    int n;

    assert_true(spdm_decode(&io, &spdm_message_CERTIFICATE, &body));
    at = body.certificate.portion.p + 4 + spdm_algorithm(m->hash)->size;
    end = body.certificate.portion.p + body.certificate.portion.n;
    while (at < end) {
        X509_free(leaf);
        leaf = d2i_X509(NULL, &at, end - at);
        assert_non_null(leaf);
    }
    n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &spki);
    m->key = spdm_openssl_key_open(ossl, (struct spdm_span){spki, (size_t)n}, NULL);
    OPENSSL_free(spki);
    X509_free(leaf);
}

/* The CHALLENGE_AUTH decoded: where its signature begins. */
static size_t signature_at(const struct mutual *m)
{
    const struct spdm_room *bytes = last_of(m, 0x03);
    struct shape sh = {.ver = bytes->p[0],
                       .hash = (uint8_t)spdm_algorithm(m->hash)->size,
                       .sig = spdm_algorithm(m->alg)->size,
                       .opaque_free = true,
                       .opaque_max = 1024};
    struct io io = spdm_reader(&sh, as_span(*bytes));
    union spdm_body body;

    assert_true(spdm_decode(&io, &spdm_message_CHALLENGE_AUTH, &body));
    assert_int_equal(io.at, bytes->n);
    assert_false(body.challenge_auth.basic_mut_auth); /* R-BMA-07 */
    return io.signature_at;
}

/* 1.1 leaves VCA out (transcripts.md 3.1). */
static void transcribe(struct mutual *m, uint8_t digest[SPDM_HASH_MAX])
{
    const struct spdm_room *last = last_of(m, 0x03);

    spdm_transcript_init(&m->t, (struct spdm_room){(uint8_t *)m->memory, sizeof m->memory}, VCA_MAX);
    for (unsigned i = 0; i < m->n; i++) {
        struct spdm_span bytes = as_span(m->line[i]);

        if (&m->line[i] == last) bytes = spdm_part(bytes, 0, signature_at(m));
        if (m->mark[i] == 'v' && m->ed->vca_in_l1l2) assert_true(spdm_transcript_add_vca(&m->t, bytes));
        if (m->mark[i] == '>' || m->mark[i] == '<') spdm_transcript_add(&m->t, TRANSCRIPT_M1M2, m->hash, bytes);
    }
    assert_true(spdm_transcript_digest(&m->t, TRANSCRIPT_M1M2, digest));
    spdm_transcript_clear(&m->t);
}

static spdm_verdict verify(struct mutual *m)
{
    const struct spdm_room *bytes = last_of(m, 0x03);
    struct signer signer = {.edition = m->ed, .alg = (uint8_t)m->alg, .hash = (uint8_t)m->hash, .turned = true};
    struct candidate candidate = {.key = m->key, .signature = spdm_part(as_span(*bytes), signature_at(m), bytes->n)};
    struct to_sign input;

    transcribe(m, input.digest);
    assert_true(spdm_signing_prepare(&input, &m->t, &signer, SIGNED_CHALLENGE_AUTH));
    return spdm_signing_verify(&m->t, &signer, &input, &candidate);
}

static void check_flips(struct mutual *m)
{
    for (unsigned i = 0; i + 1 < m->n; i++) {
        uint8_t *byte = &m->line[i].p[m->line[i].n > 8 ? 7 : 3];

        if (m->mark[i] == 'v' && !m->ed->vca_in_l1l2) continue;
        if (m->line[i].p[1] == 0x63 || m->line[i].p[1] == 0x02) byte = &m->line[i].p[3]; /* reserved, or the model */
        *byte ^= 0x40;
        assert_int_equal(verify(m), SPDM_BAD);
        *byte ^= 0x40;
    }
}

static void check_file(const char *path, const char *name, void *ctx)
{
    struct mutual *m = calloc(1, sizeof *m);
    uint8_t digest[SPDM_HASH_MAX];
    const struct spdm_room *expected;

    (void)ctx;
    (void)golden_lines(path, take_line, m);
    m->t.crypto = spdm_openssl_crypto();
    m->t.ctx = ossl;
    negotiate(m);
    open_key(m);
    expected = &m->line[m->n - 1];
    transcribe(m, digest);
    assert_int_equal(expected->n, spdm_algorithm(m->hash)->size);
    assert_memory_equal(digest, expected->p, expected->n);
    if (m->key == NULL) {
        print_message("%s: not verified, %s is not in this libcrypto\n", name, spdm_algorithm_name(m->alg));
        skipped++;
    } else {
        if (verify(m) != SPDM_GOOD) fail_msg("%s: %s does not verify", name, spdm_algorithm_name(m->alg));
        check_flips(m);
        verified++;
    }
    spdm_openssl_key_free(m->key);
    for (unsigned i = 0; i < m->n; i++) free(m->line[i].p);
    free(m);
}

static void test_mutual(void **state)
{
    (void)state;
    (void)golden_files("mutual", check_file, NULL);
    print_message("%u verified, %u skipped\n", verified, skipped);
    assert_true(verified >= 17);
}

static int set_up(void **state)
{
    (void)state;
    ossl = spdm_openssl_open(NULL, NULL);
    return ossl == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    spdm_openssl_close(ossl);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mutual)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
