/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Certificates out of plans, by libcrypto's X509 functions: not by the code
 * under test. What those functions would not write is put in as bytes. */
#include "support/certs.h"
#include "support/hex.h"
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool fine, const char *what)
{
    if (fine) return;
    fprintf(stderr, "making a certificate failed at %s\n", what);
    abort();
}

#define MUST(call) must((call), #call)

static void add(X509 *x, const char *oid, bool critical, const uint8_t *value, size_t n)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();

    MUST(object != NULL && octets != NULL && ASN1_OCTET_STRING_set(octets, value, (int)n) == 1);
    X509_EXTENSION *e = X509_EXTENSION_create_by_OBJ(NULL, object, critical, octets);
    MUST(e != NULL && X509_add_ext(x, e, -1) == 1);
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(object);
}

static void add_hex(X509 *x, const char *oid, bool critical, const char *hex)
{
    struct spdm_room value = hex_bytes(hex);

    add(x, oid, critical, value.p, value.n);
    free(value.p);
}

/* The contents of a configuration-style extension. */
static void add_text(X509 *x, int nid, const char *text)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, text);

    MUST(e != NULL && X509_add_ext(x, e, -1) == 1);
    X509_EXTENSION_free(e);
}

static void set_time(ASN1_TIME *time, const char *text)
{
    time->type = strlen(text) == 13 ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME;
    MUST(ASN1_STRING_set(time, text, (int)strlen(text)) == 1);
}

static void set_name(X509_NAME *name, const char *cn, int type)
{
    if (cn == NULL) return;
    MUST(X509_NAME_add_entry_by_txt(name, "CN", type, (const unsigned char *)cn, -1, -1, 0) == 1);
}

static void set_serial(X509 *x, const char *hex)
{
    struct spdm_room bytes = hex_bytes(hex);
    ASN1_INTEGER *serial = X509_get_serialNumber(x);
    const unsigned char *at;
    uint8_t der[130] = {2, (uint8_t)bytes.n};

    MUST(bytes.n < 120);
    memcpy(der + 2, bytes.p, bytes.n);
    at = der;
    MUST(d2i_ASN1_INTEGER(&serial, &at, (long)bytes.n + 2) != NULL);
    free(bytes.p);
}

static void add_usual(X509 *x, const struct certs_plan *plan)
{
    char text[600];

    if (plan->ca != CERTS_ABSENT) {
        if (plan->path_len != CERTS_ABSENT) {
            snprintf(text, sizeof text, "critical,CA:%s,pathlen:%d", plan->ca ? "TRUE" : "FALSE", plan->path_len);
        } else {
            snprintf(text, sizeof text, "critical,CA:%s", plan->ca ? "TRUE" : "FALSE");
        }
        add_text(x, NID_basic_constraints, text);
    }
    if (plan->usage != CERTS_ABSENT) {
        uint8_t bits[4] = {3, 2, 0, (uint8_t)plan->usage};
        add(x, "2.5.29.15", true, bits, sizeof bits);
    }
    if (plan->eku != NULL) {
        snprintf(text, sizeof text, "%s", plan->eku);
        for (char *c = text; *c != '\0'; c++) {
            if (*c == ' ') *c = ',';
        }
        add_text(x, NID_ext_key_usage, text);
    }
    if (plan->hardware && plan->mutable) {
        add_hex(x, "1.3.6.1.4.1.412.274.6", false, "301c300c060a2b06010401831c821202300c060a2b06010401831c821205");
    } else if (plan->hardware || plan->mutable) {
        add_hex(x, "1.3.6.1.4.1.412.274.6", false,
                plan->hardware ? "300e300c060a2b06010401831c821202" : "300e300c060a2b06010401831c821205");
    }
    text[0] = '\0';
    if (plan->device_info != NULL) {
        snprintf(text, sizeof text, "otherName:1.3.6.1.4.1.412.274.1;UTF8:%s", plan->device_info);
    }
    if (plan->pci_info != NULL) {
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, "%sotherName:2.23.147;UTF8:%s", n != 0 ? "," : "", plan->pci_info);
    }
    if (text[0] != '\0') add_text(x, NID_subject_alt_name, text);
    for (const struct certs_extension *e = plan->extra; e->oid != NULL; e++) add_hex(x, e->oid, e->critical, e->hex);
}

static void sign(X509 *x, const struct certs_plan *plan)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;

    MUST(EVP_DigestSignInit_ex(ctx, &pctx, plan->md, NULL, NULL, plan->signer, NULL) == 1);
    if (plan->pss) {
        MUST(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1);
        MUST(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1);
        if (plan->pss_mixed) MUST(EVP_PKEY_CTX_set_rsa_mgf1_md(pctx, EVP_sha384()) == 1);
    }
    MUST(X509_sign_ctx(x, ctx) > 0);
    EVP_MD_CTX_free(ctx);
}

/* The bytes of the element at `at`, tag and length included. */
static size_t element(const unsigned char *at, size_t room)
{
    const unsigned char *body = at;
    long n = 0;
    int tag, cls;

    MUST((ASN1_get_object(&body, &n, &tag, &cls, (long)room) & 0x80) == 0);
    return (size_t)(body - at) + (size_t)n;
}

/* Another version number, and the signature made again: newer libcryptos sign nothing but v3 with extensions. */
static struct spdm_room with_version(const unsigned char *der, size_t der_n, const struct certs_plan *plan)
{
    const unsigned char *inside = der;
    long n = 0;
    int tag, cls;
    uint8_t signature[600], body[4000];
    size_t signature_n = sizeof signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    MUST((ASN1_get_object(&inside, &n, &tag, &cls, (long)der_n) & 0x80) == 0);
    size_t tbs_n = element(inside, (size_t)n), at = tbs_n + element(inside + tbs_n, (size_t)n - tbs_n);
    MUST(at + 800 < sizeof body);
    memcpy(body, inside, at);
    const unsigned char *first = body;
    MUST((ASN1_get_object(&first, &n, &tag, &cls, (long)tbs_n) & 0x80) == 0 && *first == 0xa0);
    body[(first - body) + 4] = (uint8_t)plan->version;
    MUST(EVP_DigestSignInit_ex(ctx, NULL, plan->md, NULL, NULL, plan->signer, NULL) == 1);
    MUST(EVP_DigestSign(ctx, signature, &signature_n, body, tbs_n) == 1 && signature_n < 0x7f);
    EVP_MD_CTX_free(ctx);
    body[at++] = V_ASN1_BIT_STRING;
    body[at++] = (uint8_t)(signature_n + 1);
    body[at++] = 0;
    memcpy(body + at, signature, signature_n);
    at += signature_n;

    struct spdm_room out = {malloc(at + 8), 0};
    unsigned char *end = out.p;
    ASN1_put_object(&end, 1, (int)at, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    memcpy(end, body, at);
    out.n = (size_t)(end - out.p) + at;
    return out;
}

struct spdm_room certs_make(const struct certs_plan *plan)
{
    X509 *x = X509_new();
    unsigned char *der = NULL;

    MUST(x != NULL && X509_set_version(x, 2) == 1);
    set_serial(x, plan->serial);
    X509_NAME *issuer = X509_NAME_new(), *subject = X509_NAME_new();
    set_name(issuer, plan->issuer, plan->issuer_printable ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING);
    set_name(subject, plan->subject, V_ASN1_UTF8STRING);
    MUST(X509_set_issuer_name(x, issuer) == 1 && X509_set_subject_name(x, subject) == 1);
    X509_NAME_free(issuer);
    X509_NAME_free(subject);
    set_time(X509_getm_notBefore(x), plan->not_before);
    set_time(X509_getm_notAfter(x), plan->not_after);
    MUST(X509_set_pubkey(x, plan->key) == 1);
    add_usual(x, plan);
    sign(x, plan);
    int n = i2d_X509(x, &der);
    MUST(n > 0);
    struct spdm_room room = {malloc((size_t)n), (size_t)n};
    memcpy(room.p, der, room.n);
    if (plan->version != 2) {
        free(room.p);
        room = with_version(der, (size_t)n, plan);
    }
    OPENSSL_free(der);
    X509_free(x);
    return room;
}

struct spdm_room certs_chain(enum spdm_alg hash, struct spdm_span root, const struct spdm_room *certificates, size_t n)
{
    static const char *const names[] = {NULL, "SHA256", "SHA384", "SHA512", "SHA3-256", "SHA3-384", "SHA3-512", "SM3"};
    struct spdm_room chain = {NULL, 4 + spdm_algorithm(hash)->size};

    for (size_t i = 0; i < n; i++) chain.n += certificates[i].n;
    chain.p = malloc(chain.n);
    for (size_t i = 0; i < 4; i++) chain.p[i] = (uint8_t)(chain.n >> (8 * i));
    MUST(EVP_Q_digest(NULL, names[hash], NULL, root.p, root.n, chain.p + 4, NULL) == 1);
    uint8_t *at = chain.p + 4 + spdm_algorithm(hash)->size;
    for (size_t i = 0; i < n; i++) {
        memcpy(at, certificates[i].p, certificates[i].n);
        at += certificates[i].n;
    }
    return chain;
}
