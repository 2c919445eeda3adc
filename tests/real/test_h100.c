/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Published evidence of a real GPU (SPDM 1.1, 64 blocks, ECDSA P-384), verified
 * by the witness. The evidence is not part of the project: the test looks for
 * it beside the checkout (ASSAY_REAL_DIR names another place) and is skipped,
 * with a word, when it is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "port/crypto_openssl.h"
#include <assay/witness.h>

struct evidence {
    uint8_t bytes[8192];
    size_t n;
    uint8_t spki[256];
    size_t spki_n;
};

static size_t base64(const char *text, uint8_t *out, size_t cap)
{
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    int n = 0, tail = 0;

    assert_true(strlen(text) / 4 * 3 <= cap);
    EVP_DecodeInit(ctx);
    assert_true(EVP_DecodeUpdate(ctx, out, &n, (const unsigned char *)text, (int)strlen(text)) >= 0);
    assert_true(EVP_DecodeFinal(ctx, out + n, &tail) >= 0);
    EVP_ENCODE_CTX_free(ctx);
    return (size_t)(n + tail);
}

/* The leaf is the first certificate of the PEM list. */
static void leaf_key(const char *text, struct evidence *e)
{
    uint8_t pem[16384];
    size_t n = base64(text, pem, sizeof pem);
    BIO *bio = BIO_new_mem_buf(pem, (int)n);
    X509 *leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    uint8_t *at = e->spki;

    assert_non_null(leaf);
    e->spki_n = (size_t)i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &at);
    assert_true(e->spki_n <= sizeof e->spki);
    X509_free(leaf);
    BIO_free(bio);
}

/* The object may stand alone or in a list; the keys are what matters. */
static const char *find(json_t *root, const char *key)
{
    json_t *value = json_object_get(root, key);

    if (json_is_array(root)) return find(json_array_get(root, 0), key);
    if (value == NULL && json_is_object(root)) {
        const char *name;
        json_t *child;

        json_object_foreach(root, name, child)
        {
            if (json_is_object(child) || json_is_array(child)) return find(child, key);
        }
    }
    return json_string_value(value);
}

static bool load(struct evidence *e)
{
    const char *dir = getenv("ASSAY_REAL_DIR"), *source = getenv("SOURCE_DIR");
    char path[1024];
    json_t *root;

    if (dir != NULL) snprintf(path, sizeof path, "%s/h100-evidence.json", dir);
    else snprintf(path, sizeof path, "%s/../shared/golden/real/h100-evidence.json", source != NULL ? source : ".");
    root = json_load_file(path, 0, NULL);
    if (root == NULL) return false;
    e->n = base64(find(root, "evidence"), e->bytes, sizeof e->bytes);
    leaf_key(find(root, "certificate"), e);
    json_decref(root);
    return true;
}

/* Request and response lie back to back: 37 bytes, then the rest. */
static struct spdm_sight verify(const struct evidence *e, struct spdm_openssl *ossl, size_t *blocks)
{
    static const struct spdm_policy policy = {.versions = {SPDM_V11}};
    static const struct spdm_facts facts = {.version = SPDM_V11,
                                            .hash = SPDM_SHA_384,
                                            .signature = SPDM_ECDSA_P384,
                                            .meas_hash = SPDM_SHA_384,
                                            .meas_spec = 1,
                                            .responder = {.flags = SPDM_MEAS_CAP_SIGNED},
                                            .negotiated = true};
    struct spdm_config config = {
        .crypto = spdm_openssl_crypto(), .crypto_ctx = ossl, .binding = &spdm_binding_none, .policy = &policy};
    struct spdm_openssl_key *key = spdm_openssl_key_open(ossl, (struct spdm_span){e->spki, e->spki_n}, NULL);
    uint64_t memory[1024];
    struct spdm_witness *w = spdm_witness_init((struct spdm_room){(uint8_t *)memory, sizeof memory}, &config, NULL);
    struct spdm_measurement block;
    struct spdm_event ev;
    struct spdm_sight s;

    assert_non_null(w);
    assert_true(spdm_witness_assume(w, &facts, (struct spdm_span){0}));
    spdm_witness_trust(w, 0, (struct spdm_span){0}, key);
    s = spdm_witness_push(w, true, (struct spdm_span){e->bytes, 37});
    assert_int_equal(s.report.why, SPDM_WHY_FINE);
    s = spdm_witness_push(w, false, (struct spdm_span){e->bytes + 37, e->n - 37});
    *blocks = 0;
    if (spdm_witness_event(w, &ev) == SPDM_MEASURED && ev.proven) {
        while (spdm_measurement_next(&ev.data, &block)) ++*blocks;
    }
    spdm_witness_close(w);
    spdm_openssl_key_free(key);
    return s;
}

static void test_evidence(void **state)
{
    static struct evidence e;
    struct spdm_openssl *ossl;
    struct spdm_sight s;
    size_t blocks;

    (void)state;
    if (!load(&e)) {
        print_message("the published evidence is not beside the checkout\n");
        skip();
    }
    ossl = spdm_openssl_open(NULL, NULL);
    s = verify(&e, ossl, &blocks);
    assert_int_equal(s.signature, SPDM_SIGNATURE_GOOD);
    assert_int_equal(blocks, 64);
    for (size_t at = 50; at < e.n; at += 611) { /* a change anywhere is a bad signature or a broken rule */
        e.bytes[at] ^= 1;
        s = verify(&e, ossl, &blocks);
        assert_true(s.signature != SPDM_SIGNATURE_GOOD);
        assert_int_equal(blocks, 0);
        e.bytes[at] ^= 1;
    }
    spdm_openssl_close(ossl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_evidence)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
