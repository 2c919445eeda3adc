/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The published evidence of a real GPU (NVIDIA H100, SPDM 1.1): its chain of
 * five certificates is judged under its own root, and the signature over its
 * measurements verifies with the key the judge hands out. The evidence is not
 * part of the project: ASSAY_REAL_DIR, or shared/golden/real beside the
 * checkout, holds it; skipped without. */
#include "port/x509_judge.h"
#include "support/hex.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1795392000 /* 2026-11-23 */

struct evidence {
    struct spdm_openssl *ossl;
    struct spdm_room certificates[8], chain, messages;
    size_t n;
};

/* The bytes behind "name": "..." in base64. */
static struct spdm_room field(const char *json, const char *name)
{
    char quoted[40];
    struct spdm_room out = {0};

    snprintf(quoted, sizeof quoted, "\"%s\": \"", name);
    const char *from = strstr(json, quoted);
    if (from == NULL) return out;
    from += strlen(quoted);
    size_t n = strcspn(from, "\"");
    out.p = malloc(n + 4);
    int decoded = EVP_DecodeBlock(out.p, (const unsigned char *)from, (int)n);
    if (decoded < 0) abort();
    out.n = (size_t)decoded - (from[n - 1] == '=') - (from[n - 2] == '=');
    out.p[out.n] = 0;
    return out;
}

/* PEM, the leaf first; the chain structure wants the root first. */
static void take_certificates(struct evidence *e, struct spdm_room pem)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long n = 0;

    while (e->n < 8 && PEM_read_bio(bio, &name, &header, &der, &n) == 1) {
        memmove(e->certificates + 1, e->certificates, e->n * sizeof e->certificates[0]);
        e->certificates[0] = (struct spdm_room){malloc((size_t)n), (size_t)n};
        memcpy(e->certificates[0].p, der, (size_t)n);
        e->n++;
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    BIO_free(bio);
    e->chain.n = 4 + 48;
    for (size_t i = 0; i < e->n; i++) e->chain.n += e->certificates[i].n;
    e->chain.p = calloc(1, e->chain.n);
    e->chain.p[0] = (uint8_t)e->chain.n;
    e->chain.p[1] = (uint8_t)(e->chain.n >> 8);
    EVP_Q_digest(NULL, "SHA384", NULL, e->certificates[0].p, e->certificates[0].n, e->chain.p + 4, NULL);
    size_t at = 52;
    for (size_t i = 0; i < e->n; i++) {
        memcpy(e->chain.p + at, e->certificates[i].p, e->certificates[i].n);
        at += e->certificates[i].n;
    }
}

static struct spdm_room find_file(void)
{
    const char *const places[] = {getenv("ASSAY_REAL_DIR"), "../shared/golden/real", "../../shared/golden/real"};
    struct spdm_room file = {0};

    for (size_t i = 0; file.p == NULL && i < sizeof places / sizeof places[0]; i++) {
        char path[1000];
        if (places[i] == NULL) continue;
        snprintf(path, sizeof path, "%s/h100-evidence.json", places[i]);
        file = file_bytes(path);
    }
    return file;
}

static struct spdm_judgement *judge(struct evidence *e, const struct spdm_room *anchor, struct spdm_judge **judge)
{
    struct spdm_judge_case input = {.chain = as_span(e->chain),
                                    .hash = SPDM_SHA_384,
                                    .signature = SPDM_ECDSA_P384,
                                    .version = SPDM_V11,
                                    .model = SPDM_CERT_DEVICE,
                                    .now = NOW};

    *judge = spdm_judge_open(e->ossl);
    if (anchor != NULL) assert_true(spdm_judge_trust_der(*judge, as_span(*anchor), NULL));
    return spdm_judge_decide(*judge, &input);
}

static void the_chain_is_trusted(void **state)
{
    struct evidence *e = *state;
    struct spdm_judge *j;
    struct spdm_judgement *judgement = judge(e, &e->certificates[0], &j);
    char text[300];

    for (unsigned i = 0; i < judgement->finding_n; i++) {
        (void)spdm_finding_text(judgement, &judgement->finding[i], text, sizeof text);
        print_message("    %s\n", text);
    }
    assert_int_equal(judgement->verdict, SPDM_GOOD);
    assert_int_equal(judgement->certificate_n, 5);
    assert_int_equal(spdm_judge_counts(j).certificates_read, 1 + 4);
    assert_int_equal(spdm_judge_counts(j).signatures_verified, 1 + 4);
    const struct spdm_x509 *leaf = spdm_judgement_leaf(judgement);
    (void)spdm_x509_plain_text(leaf->device_info, text, sizeof text);
    assert_string_equal(text, "NVIDIA:GH100:48B02DF44660DA06");
    (void)spdm_x509_name_text(leaf->subject, text, sizeof text);
    assert_string_equal(text, "CN=GH100 A01 GSP FMC LF, O=NVIDIA Corporation, C=US, "
                              "serialNumber=72CA27239F0E96F6535F73AF84EB1542471A17B2");
    assert_true(leaf->has & SPDM_X509_TCB_INFO);
    assert_false(leaf->has & SPDM_X509_BAD_TCB_INFO);
    spdm_judgement_free(judgement);
    spdm_judge_close(j);
}

static void without_its_root_it_is_not(void **state)
{
    struct evidence *e = *state;
    struct spdm_judge *j;
    struct spdm_judgement *judgement = judge(e, NULL, &j);

    assert_int_equal(judgement->verdict, SPDM_BAD);
    assert_true(judgement->consistent);
    assert_null(judgement->key);
    assert_int_equal(judgement->finding[0].id, SPDM_FOUND_NO_ANCHORS);
    spdm_judgement_free(judgement);
    spdm_judge_close(j);
}

/* L2 is the request and the response without its signature (SPDM 1.1). */
static void the_measurements_are_signed(void **state)
{
    struct evidence *e = *state;
    struct spdm_judge *j;
    struct spdm_judgement *judgement = judge(e, &e->certificates[0], &j);
    uint8_t digest[48];
    struct spdm_signing what = {.alg = SPDM_ECDSA_P384, .hash = SPDM_SHA_384, .prehashed = true, .data = {digest, 48}};

    assert_true(e->messages.n > 96);
    struct spdm_span signature = {e->messages.p + e->messages.n - 96, 96};
    EVP_Q_digest(NULL, "SHA384", NULL, e->messages.p, e->messages.n - 96, digest, NULL);
    assert_int_equal(spdm_openssl_crypto()->verify(e->ossl, judgement->key, &what, signature), SPDM_GOOD);
    digest[0] ^= 1;
    assert_int_equal(spdm_openssl_crypto()->verify(e->ossl, judgement->key, &what, signature), SPDM_BAD);
    spdm_judgement_free(judgement);
    spdm_judge_close(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(the_chain_is_trusted, NULL),
        cmocka_unit_test_prestate(without_its_root_it_is_not, NULL),
        cmocka_unit_test_prestate(the_measurements_are_signed, NULL),
    };
    struct evidence e = {.ossl = spdm_openssl_open(NULL, NULL)};
    struct spdm_room json = find_file();

    if (json.p == NULL) {
        printf("skipped: there is no shared/golden/real/h100-evidence.json beside the source tree\n");
        spdm_openssl_close(e.ossl);
        return 77;
    }
    struct spdm_room pem = field((char *)json.p, "certificate");
    take_certificates(&e, pem);
    e.messages = field((char *)json.p, "evidence");
    struct CMUnitTest with[sizeof tests / sizeof tests[0]];
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        with[i] = tests[i];
        with[i].initial_state = &e;
    }
    int failed = cmocka_run_group_tests(with, NULL, NULL);
    for (size_t i = 0; i < e.n; i++) free(e.certificates[i].p);
    free(e.chain.p);
    free(e.messages.p);
    free(pem.p);
    free(json.p);
    spdm_openssl_close(e.ossl);
    return failed;
}
