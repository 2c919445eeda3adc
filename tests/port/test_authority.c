/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The authority of provisioning: what it signs is trusted by the judge, of every
 * model; a request of which one bit is wrong is not believed; what a request asks
 * for beyond its name and device info is left out. What a device's request shall say. */
#include "port/authority.h"
#include "port/certgen.h"
#include "port/device.h"
#include "port/x509_judge.h"
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOW = 1795392000, CSR_MAX = 2000 }; /* 2026-11-23 */

static struct spdm_openssl *ossl;
static EVP_PKEY *key, *other;
static char key_path[] = "/tmp/assay-authority-XXXXXX", chain_path[] = "/tmp/assay-authority-XXXXXX";

/* An authority of this model's identity, in two files. */
static struct spdm_authority *open_authority(uint8_t model)
{
    const struct spdm_certgen_plan plan = {.algorithm = SPDM_ECDSA_P256,
                                           .model = model,
                                           .responder = true,
                                           .intermediates = 1,
                                           .days = 30,
                                           .now = NOW,
                                           .subject = "nobody",
                                           .keep_authority = true};
    struct spdm_certgen_made made;
    char error[SPDM_DEVICE_REASON];

    assert_true(spdm_certgen_make(ossl, &plan, &made, NULL));
    FILE *f = fopen(key_path, "w"), *g = fopen(chain_path, "w");
    fwrite(made.authority.p, 1, made.authority.n, f);
    fwrite(made.certificate[0].p, 1, made.certificate[0].n, g);
    fwrite(made.certificate[1].p, 1, made.certificate[1].n, g);
    fclose(f);
    fclose(g);
    spdm_certgen_free(&made);
    struct spdm_authority *a = spdm_authority_open(ossl, chain_path, key_path, error);
    if (a == NULL) fail_msg("%s", error);
    assert_non_null(a);
    return a;
}

static void add(STACK_OF(X509_EXTENSION) * list, int nid, const char *text)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, text);

    assert_non_null(e);
    assert_true(sk_X509_EXTENSION_push(list, e) > 0);
}

/* A request by `key`; names: its subjectAltName, NULL for none. */
static size_t request(const char *name, const char *names, uint8_t out[CSR_MAX])
{
    X509_REQ *r = X509_REQ_new();
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    unsigned char *at = out;

    if (name != NULL)
        X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(r), "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
                                   -1, 0);
    add(list, NID_basic_constraints, "critical,CA:TRUE");
    if (names != NULL) add(list, NID_subject_alt_name, names);
    assert_int_equal(X509_REQ_add_extensions(r, list), 1);
    assert_int_equal(X509_REQ_set_pubkey(r, key), 1);
    assert_true(X509_REQ_sign(r, key, EVP_sha256()) > 0);
    int n = i2d_X509_REQ(r, NULL);
    assert_in_range(n, 100, CSR_MAX);
    (void)i2d_X509_REQ(r, &at);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    X509_REQ_free(r);
    return (size_t)n;
}

static struct spdm_judgement *judge(struct spdm_span certificates, uint8_t model)
{
    struct spdm_judge *j = spdm_judge_open(ossl);
    struct spdm_room chain = spdm_chain_structure(ossl, certificates, SPDM_SHA_384);
    struct spdm_span root = {certificates.p, spdm_x509_length(certificates)};
    struct spdm_judge_case input = {.chain = {chain.p, chain.n},
                                    .hash = SPDM_SHA_384,
                                    .signature = SPDM_ECDSA_P256,
                                    .version = SPDM_V14,
                                    .slot = 1,
                                    .multi_key = true,
                                    .model = model,
                                    .now = NOW};

    assert_true(spdm_judge_trust_der(j, root, NULL));
    struct spdm_judgement *out = spdm_judge_decide(j, &input);
    OPENSSL_free(chain.p);
    spdm_judge_close(j);
    return out;
}

static void test_models(void **state)
{
    static const char info[] = "otherName:1.3.6.1.4.1.412.274.1;UTF8:ACME:w:1";
    uint8_t csr[CSR_MAX];

    (void)state;
    for (uint8_t model = SPDM_CERT_DEVICE; model <= SPDM_CERT_GENERIC; model++) {
        struct spdm_authority *a = open_authority(model);
        size_t n = request("widget", info, csr);
        struct spdm_authority_order order = {.csr = {csr, n}, .model = model, .days = 10, .now = NOW};
        struct spdm_room chain = spdm_authority_sign(a, &order, NULL);
        assert_true(chain.n != 0);
        struct spdm_judgement *j = judge((struct spdm_span){chain.p, chain.n}, model);
        const struct spdm_x509 *leaf = spdm_judgement_leaf(j);
        assert_int_equal(j->certificate_n, 3);
        if (model != SPDM_CERT_ALIAS) assert_int_equal(j->verdict, SPDM_GOOD);
        for (unsigned i = 0; model == SPDM_CERT_ALIAS && i < j->finding_n; i++)
            assert_true(j->finding[i].severity != SPDM_REFUSAL || j->finding[i].id == SPDM_FOUND_LEAF_IS_CA ||
                        j->finding[i].id == SPDM_FOUND_LEAF_NO_SIGNING ||
                        j->finding[i].id == SPDM_FOUND_HARDWARE_IN_ALIAS);
        assert_int_equal(leaf->device_info.n, strlen("ACME:w:1"));
        assert_true(spdm_chain_fits(ossl, (struct spdm_span){chain.p, chain.n}, order.csr));
        spdm_judgement_free(j);
        OPENSSL_free(chain.p);
        spdm_authority_close(a);
    }
}

/* Another name, a request without one, and names that are no device info. */
static void test_names(void **state)
{
    uint8_t csr[CSR_MAX];
    char cause[SPDM_CAUSE_MAX], text[100];
    struct spdm_authority *a = open_authority(SPDM_CERT_DEVICE);
    struct spdm_authority_order order = {.model = SPDM_CERT_DEVICE, .days = 10, .now = NOW};
    struct spdm_csr facts;

    (void)state;
    order.csr = (struct spdm_span){csr, request(NULL, NULL, csr)};
    assert_int_equal(spdm_authority_sign(a, &order, cause).n, 0);
    assert_non_null(strstr(cause, "names nobody"));
    assert_true(spdm_csr_read(ossl, order.csr, &facts, cause));
    assert_string_equal(facts.subject, "");
    assert_string_equal(facts.key, "EC P-256");
    order.csr = (struct spdm_span){csr, request("widget", "DNS:bank.example", csr)};
    order.subject = "CN=renamed,O=ACME";
    struct spdm_room chain = spdm_authority_sign(a, &order, cause);
    struct spdm_judgement *j = judge((struct spdm_span){chain.p, chain.n}, SPDM_CERT_DEVICE);
    assert_int_equal(j->verdict, SPDM_GOOD);
    (void)spdm_x509_name_text(spdm_judgement_leaf(j)->subject, text, sizeof text);
    assert_non_null(strstr(text, "CN=renamed"));
    assert_int_equal(spdm_judgement_leaf(j)->device_info.n, 0);
    bool found = false;
    for (size_t i = 0; i + 12 < chain.n; i++) found = found || memcmp(chain.p + i, "bank.example", 12) == 0;
    assert_false(found);
    spdm_judgement_free(j);
    OPENSSL_free(chain.p);
    spdm_authority_close(a);
}

/* Each bit of a request, and each length: nothing of it is believed. */
static void test_bits(void **state)
{
    uint8_t csr[CSR_MAX];
    size_t n = request("widget", NULL, csr);
    struct spdm_csr facts;

    (void)state;
    assert_true(spdm_csr_read(ossl, (struct spdm_span){csr, n}, &facts, NULL));
    assert_string_equal(facts.subject, "CN=widget");
    for (size_t bit = 0; bit < 8 * n; bit++) {
        csr[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(spdm_csr_read(ossl, (struct spdm_span){csr, n}, &facts, NULL));
        csr[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t cut = 0; cut < n; cut++) assert_false(spdm_csr_read(ossl, (struct spdm_span){csr, cut}, &facts, NULL));
    csr[n] = 0;
    assert_false(spdm_csr_read(ossl, (struct spdm_span){csr, n + 1}, &facts, NULL));
}

static void test_fits(void **state)
{
    uint8_t csr[CSR_MAX];
    struct spdm_authority *a = open_authority(SPDM_CERT_DEVICE);
    struct spdm_authority_order order = {.model = SPDM_CERT_DEVICE, .days = 10, .now = NOW};
    EVP_PKEY *first = key;

    (void)state;
    order.csr = (struct spdm_span){csr, request("widget", NULL, csr)};
    struct spdm_room chain = spdm_authority_sign(a, &order, NULL);
    assert_true(spdm_chain_fits(ossl, (struct spdm_span){chain.p, chain.n}, order.csr));
    assert_false(spdm_chain_fits(ossl, (struct spdm_span){chain.p, 0}, order.csr));
    key = other;
    order.csr = (struct spdm_span){csr, request("widget", NULL, csr)};
    key = first;
    assert_false(spdm_chain_fits(ossl, (struct spdm_span){chain.p, chain.n}, order.csr));
    OPENSSL_free(chain.p);
    spdm_authority_close(a);
}

/* Files: PEM or DER, and what is neither; a structure needs a certificate. */
static void test_files(void **state)
{
    char error[SPDM_DEVICE_REASON];

    (void)state;
    spdm_authority_close(open_authority(SPDM_CERT_DEVICE));
    struct spdm_room chain = spdm_chain_load(chain_path, "--chain-in", error);
    assert_true(chain.n > 400);
    struct spdm_room structure = spdm_chain_structure(ossl, (struct spdm_span){chain.p, chain.n}, SPDM_SHA_384);
    assert_int_equal(structure.n, chain.n + 52);
    assert_int_equal(structure.p[0] | structure.p[1] << 8, structure.n);
    assert_memory_equal(structure.p + 52, chain.p, chain.n);
    OPENSSL_free(structure.p);
    assert_int_equal(spdm_chain_structure(ossl, (struct spdm_span){chain.p, 20}, SPDM_SHA_384).n, 0);
    OPENSSL_free(chain.p);
    assert_int_equal(spdm_chain_load(key_path, "--chain-in", error).n, 0);
    assert_non_null(strstr(error, "--chain-in"));
    assert_null(spdm_authority_open(ossl, key_path, key_path, error));
}

static bool load_info(const uint8_t *bytes, size_t n, struct spdm_request_info *out)
{
    char cause[SPDM_CAUSE_MAX] = "";
    FILE *f = fopen(key_path, "w");

    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
    bool good = spdm_request_info_load(key_path, out, cause);
    assert_true(good != (cause[0] != '\0'));
    assert_true(good == (out->der.p != NULL));
    return good;
}

/* A template gets the key of a certificate, or none; what it says otherwise stays. */
static void test_template(void **state)
{
    uint8_t csr[CSR_MAX];
    size_t n = request("template", NULL, csr), at = csr[1] == 0x82 ? 4 : 3, found = 0;
    struct spdm_request_info one, whole;
    struct spdm_authority *a = open_authority(SPDM_CERT_DEVICE);
    char error[SPDM_DEVICE_REASON];
    struct spdm_room chain = spdm_chain_load(chain_path, "--chain-in", error);
    const unsigned char *from = chain.p;
    unsigned char *spki = NULL;
    X509 *x = NULL;

    (void)state;
    spdm_authority_close(a);
    assert_true(load_info(csr, n, &one));
    assert_true(one.template);
    assert_true(csr[at] == 0x30 && csr[at + 1] == 0x81);
    n = 3u + csr[at + 2];
    assert_int_equal(one.der.n, n);
    assert_memory_equal(one.der.p, csr + at, n);

    while (from != chain.p + chain.n) {
        X509_free(x);
        x = d2i_X509(NULL, &from, (long)(chain.p + chain.n - from));
        assert_non_null(x);
    }
    size_t spki_n = (size_t)i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);
    assert_true(spdm_request_info_for(&one, (struct spdm_span){chain.p, chain.n}));
    assert_int_equal(one.der.n, n); /* keys of the same curve */
    while (found + spki_n < n && memcmp(one.der.p + found, spki, spki_n) != 0) found++;
    assert_true(found + spki_n < n);
    assert_true(load_info(one.der.p, one.der.n, &whole));
    assert_false(whole.template);
    spdm_request_info_clear(&whole);
    assert_true(spdm_request_info_for(&one, (struct spdm_span){NULL, 0}));
    assert_int_equal(one.der.n, n - 66); /* 03 42 00 and a point, against 03 01 00; the outer length is shorter */
    assert_true(load_info(one.der.p, one.der.n, &whole));
    spdm_request_info_clear(&whole);
    spdm_request_info_clear(&one);
    OPENSSL_free(spki);
    X509_free(x);
    OPENSSL_free(chain.p);
}

/* What is cut, or has something behind it, or a length changed in it, is not taken; nothing else goes wrong. */
static void test_request_info(void **state)
{
    uint8_t csr[CSR_MAX], info[CSR_MAX];
    size_t refused = 0, n;
    struct spdm_request_info one;
    char error[SPDM_DEVICE_REASON];

    (void)state;
    assert_true(load_info(csr, request("template", NULL, csr), &one));
    n = one.der.n;
    memcpy(info, one.der.p, n);
    spdm_request_info_clear(&one);
    for (size_t i = 0; i < n; i++) {
        assert_false(load_info(info, i, &one));
        for (unsigned bit = 0; bit < 8; bit++) {
            info[i] ^= (uint8_t)(1u << bit);
            if (!load_info(info, n, &one)) refused++;
            else assert_true(spdm_request_info_for(&one, (struct spdm_span){NULL, 0}));
            spdm_request_info_clear(&one);
            info[i] ^= (uint8_t)(1u << bit);
        }
    }
    assert_in_range(refused, 200, 8 * n - 200); /* names and keys may be anything */
    info[n] = 0;
    assert_false(load_info(info, n + 1, &one));
    assert_false(load_info((const uint8_t *)"-----BEGIN CERTIFICATE REQUEST-----\n", 36, &one));
    assert_false(spdm_request_info_load("/nowhere/at/all", &one, error));
}

static int set_up(void **state)
{
    (void)state;
    ossl = spdm_openssl_open(NULL, NULL);
    key = EVP_EC_gen("P-256");
    other = EVP_EC_gen("P-256");
    int a = mkstemp(key_path), b = mkstemp(chain_path);
    if (a >= 0) close(a);
    if (b >= 0) close(b);
    return ossl == NULL || key == NULL || other == NULL || a < 0 || b < 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(key_path);
    unlink(chain_path);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
    spdm_openssl_close(ossl);
    return ERR_peek_error() != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_models),      cmocka_unit_test(test_names),
                                       cmocka_unit_test(test_bits),        cmocka_unit_test(test_fits),
                                       cmocka_unit_test(test_files),       cmocka_unit_test(test_template),
                                       cmocka_unit_test(test_request_info)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
