/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ca.c - see ca.h. Written with libcrypto alone: it shares nothing with what it tests. */
#include "support/ca.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct ca {
    EVP_PKEY *key;
    X509 *root;
};

static void add(X509 *x, X509 *issuer, int nid, const char *text)
{
    X509V3_CTX about;
    X509_EXTENSION *e;
    X509V3_set_ctx(&about, issuer, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &about, nid, text);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(x, e, -1), 1);
    X509_EXTENSION_free(e);
}

static X509 *begin(X509_NAME *subject, X509_NAME *issuer, EVP_PKEY *key)
{
    X509 *x = X509_new();
    assert_int_equal(X509_set_version(x, 2), 1);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1 + rand() % 1000000);
    X509_set_subject_name(x, subject);
    X509_set_issuer_name(x, issuer);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_pubkey(x, key);
    return x;
}

struct ca *ca_open(const char *name)
{
    struct ca *ca = calloc(1, sizeof *ca);
    X509_NAME *subject = X509_NAME_new();
    ca->key = EVP_EC_gen("P-256");
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
    ca->root = begin(subject, subject, ca->key);
    X509_NAME_free(subject);
    add(ca->root, ca->root, NID_basic_constraints, "critical,CA:TRUE");
    add(ca->root, ca->root, NID_key_usage, "critical,keyCertSign");
    add(ca->root, ca->root, NID_subject_key_identifier, "hash");
    assert_true(X509_sign(ca->root, ca->key, EVP_sha256()) > 0);
    return ca;
}

void ca_close(struct ca *ca)
{
    X509_free(ca->root);
    EVP_PKEY_free(ca->key);
    free(ca);
}

static X509_REQ *read_csr(struct spdm_span csr)
{
    const uint8_t *at = csr.p;
    X509_REQ *req = d2i_X509_REQ(NULL, &at, (long)csr.n);
    assert_non_null(req);
    assert_ptr_equal(at, csr.p + csr.n);
    return req;
}

void ca_check(struct spdm_span csr, char *subject, size_t cap)
{
    X509_REQ *req = read_csr(csr);
    assert_int_equal(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
    if (subject != NULL) X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(req), NID_commonName, subject, (int)cap);
    X509_REQ_free(req);
}

bool ca_asks_for(struct spdm_span csr, const char *oid)
{
    X509_REQ *req = read_csr(csr);
    STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(req);
    ASN1_OBJECT *wanted = OBJ_txt2obj(oid, 1);
    bool found = X509v3_get_ext_by_OBJ(list, wanted, -1) >= 0;
    ASN1_OBJECT_free(wanted);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    X509_REQ_free(req);
    return found;
}

size_t ca_sign(const struct ca *ca, struct spdm_span csr, enum spdm_alg hash, struct spdm_room out)
{
    X509_REQ *req = read_csr(csr);
    STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(req);
    X509 *leaf = begin(X509_REQ_get_subject_name(req), X509_get_subject_name(ca->root), X509_REQ_get0_pubkey(req));
    size_t h = hash == SPDM_SHA_256 ? 32 : 48, n = 4 + h;
    uint8_t *at = out.p + n;
    unsigned char *root = NULL;
    int root_n = i2d_X509(ca->root, &root);
    for (int i = 0; i < sk_X509_EXTENSION_num(list); i++)
        assert_int_equal(X509_add_ext(leaf, sk_X509_EXTENSION_value(list, i), -1), 1);
    add(leaf, ca->root, NID_authority_key_identifier, "keyid:always");
    assert_true(X509_sign(leaf, ca->key, EVP_sha256()) > 0);
    assert_true(n + (size_t)root_n + (size_t)i2d_X509(leaf, NULL) <= out.n);
    assert_int_equal(EVP_Digest(root, (size_t)root_n, out.p + 4, NULL, h == 32 ? EVP_sha256() : EVP_sha384(), NULL), 1);
    memcpy(at, root, (size_t)root_n);
    at += root_n;
    n += (size_t)root_n + (size_t)i2d_X509(leaf, &at);
    for (unsigned i = 0; i < 4; i++) out.p[i] = (uint8_t)(n >> (8 * i));
    OPENSSL_free(root);
    X509_free(leaf);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    X509_REQ_free(req);
    return n;
}

size_t ca_info(const char *name, struct spdm_room out)
{
    /* version 0, the name, an id-ecPublicKey of no bits, no attributes */
    static const uint8_t spki[] = {0x30, 0x18, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                   0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x01, 0x00};
    X509_NAME *subject = X509_NAME_new();
    uint8_t *at = out.p + 2;
    size_t n;
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
    memcpy(at, "\x02\x01\x00", 3);
    at += 3;
    i2d_X509_NAME(subject, &at);
    memcpy(at, spki, sizeof spki);
    at += sizeof spki;
    memcpy(at, "\xa0\x00", 2);
    at += 2;
    n = (size_t)(at - out.p);
    assert_true(n < 130 && n <= out.n);
    out.p[0] = 0x30;
    out.p[1] = (uint8_t)(n - 2);
    X509_NAME_free(subject);
    return n;
}
