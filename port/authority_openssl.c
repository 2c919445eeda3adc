/* SPDX-License-Identifier: BSD-3-Clause
 *
 * authority_openssl.c - PKCS #10 and X.509 by libcrypto, chains by our own reader. */
#include "port/authority.h"
#include "port/certgen_inside.h"
#include "port/device_impl.h"
#include "port/device_pair.h"
#include "port/keystore.h"
#include "port/x509_read.h"
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#define DEVICE_INFO "1.3.6.1.4.1.412.274.1"

struct spdm_authority {
    struct spdm_openssl *ossl;
    struct spdm_device *pair; /* its certificates and its key */
};

/* ---- the authority ---- */

struct spdm_authority *spdm_authority_open(struct spdm_openssl *ossl, const char *certificates, const char *key,
                                           char *error)
{
    const struct spdm_device_pair pair = {.name = "--ca", .chain = certificates, .key = key};
    struct spdm_authority *a = OPENSSL_zalloc(sizeof *a);

    if (a == NULL) return NULL;
    a->ossl = ossl;
    a->pair = spdm_device_pair(&pair, ossl, error);
    if (a->pair != NULL) return a;
    OPENSSL_free(a);
    return NULL;
}

void spdm_authority_close(struct spdm_authority *a)
{
    if (a != NULL) spdm_device_free(a->pair);
    OPENSSL_free(a);
}

/* ---- requests ---- */

static X509_REQ *read_request(struct spdm_openssl *ossl, struct spdm_span der, char *cause)
{
    const unsigned char *at = der.p;
    X509_REQ *request = X509_REQ_new_ex(ossl->lib, ossl->propq);

    if (request != NULL && d2i_X509_REQ(&request, &at, (long)der.n) == NULL) request = NULL; /* d2i has freed it */
    if (request == NULL) {
        spdm_openssl_cause(cause, "the request is no PKCS #10 in DER");
        return NULL;
    }
    EVP_PKEY *key = X509_REQ_get0_pubkey(request);
    if (at != der.p + der.n) spdm_openssl_say(cause, "%zu bytes follow the request", (size_t)(der.p + der.n - at));
    else if (key == NULL) spdm_openssl_cause(cause, "the key in the request cannot be used");
    else if (X509_REQ_verify_ex(request, key, ossl->lib, ossl->propq) != 1)
        spdm_openssl_say(cause, "the request is not signed by the key in it");
    else return request;
    X509_REQ_free(request);
    return NULL;
}

static struct spdm_span name_of(X509_REQ *request, unsigned char **der)
{
    int n = i2d_X509_NAME(X509_REQ_get_subject_name(request), der);

    return (struct spdm_span){*der, n > 0 ? (size_t)n : 0};
}

bool spdm_csr_read(struct spdm_openssl *ossl, struct spdm_span der, struct spdm_csr *out, char *cause)
{
    unsigned char *name = NULL;

    ERR_set_mark();
    X509_REQ *request = read_request(ossl, der, cause);
    *out = (struct spdm_csr){.length = (uint16_t)der.n};
    if (request != NULL) {
        struct spdm_span subject = name_of(request, &name);
        enum spdm_openssl_kind kind = spdm_openssl_kind_of(X509_REQ_get0_pubkey(request));
        (void)spdm_x509_name_text(subject, out->subject, sizeof out->subject);
        snprintf(out->key, sizeof out->key, "%s", kind < SPDM_KIND_SPDM_N ? spdm_openssl_kinds[kind].name : "key");
    }
    OPENSSL_free(name);
    X509_REQ_free(request);
    ERR_pop_to_mark();
    return request != NULL;
}

bool spdm_csr_write(struct spdm_span der, FILE *to)
{
    return PEM_write(to, PEM_STRING_X509_REQ, "", der.p, (long)der.n) > 0;
}

/* ---- signing ---- */

static X509 *read_certificate(const struct spdm_openssl *ossl, struct spdm_span der)
{
    const unsigned char *at = der.p;
    X509 *x = X509_new_ex(ossl->lib, ossl->propq);

    return x != NULL && d2i_X509(&x, &at, (long)der.n) != NULL ? x : NULL;
}

static struct spdm_span last_of(struct spdm_span chain)
{
    size_t at = 0, n;

    while ((n = spdm_x509_length((struct spdm_span){chain.p + at, chain.n - at})) != 0 && n < chain.n - at) at += n;
    return (struct spdm_span){chain.p + at, chain.n - at};
}

/* The subjectAltName of a request, if all there is in it is one device info (R-CRT-17). */
static X509_EXTENSION *device_info(X509_REQ *request)
{
    STACK_OF(X509_EXTENSION) *all = X509_REQ_get_extensions(request);
    GENERAL_NAMES *names = X509V3_get_d2i(all, NID_subject_alt_name, NULL, NULL);
    int at = X509v3_get_ext_by_NID(all, NID_subject_alt_name, -1);
    X509_EXTENSION *out = NULL;
    char oid[64] = "";

    if (sk_GENERAL_NAME_num(names) == 1) {
        ASN1_OBJECT *type = NULL;
        ASN1_TYPE *value = NULL;
        if (GENERAL_NAME_get0_otherName(sk_GENERAL_NAME_value(names, 0), &type, &value) == 1)
            (void)OBJ_obj2txt(oid, sizeof oid, type, 1);
    }
    if (strcmp(oid, DEVICE_INFO) == 0 && at >= 0) out = X509_EXTENSION_dup(X509v3_get_ext(all, at));
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
    return out;
}

/* The certificate of a request; NULL: libcrypto's error queue says why. */
static X509 *issue(struct spdm_authority *a, const struct spdm_authority_order *order, X509_REQ *request)
{
    struct spdm_signer *signer = a->pair->slot_key[0]->signer;
    struct spdm_certgen_plan plan = {.algorithm = (enum spdm_alg)spdm_signer_algorithms(signer)[0],
                                     .model = order->model,
                                     .responder = true,
                                     .days = order->days,
                                     .now = order->now};
    bool alias = order->model == SPDM_CERT_ALIAS;
    struct spdm_rung rung = {.ca = alias, .leaf = !alias, .hardware = order->model != SPDM_CERT_GENERIC};
    struct spdm_ladder l = {.ossl = a->ossl, .plan = &plan, .above = spdm_signer_private(signer)->pkey};

    if (order->subject == NULL) rung.subject = X509_REQ_get_subject_name(request);
    else snprintf(rung.name, sizeof rung.name, "%s", order->subject);
    rung.alternative = device_info(request);
    l.issuer = read_certificate(a->ossl, last_of(a->pair->identity.slot[0].certificates));
    l.key = X509_REQ_get0_pubkey(request);
    X509 *x = l.issuer != NULL ? spdm_certgen_issue(&l, &rung) : NULL;
    X509_EXTENSION_free(rung.alternative);
    X509_free(l.issuer);
    return x;
}

static struct spdm_room append(struct spdm_span chain, X509 *x)
{
    int n = i2d_X509(x, NULL);
    uint8_t *out = n > 0 ? OPENSSL_malloc(chain.n + (size_t)n) : NULL;

    if (out == NULL) return (struct spdm_room){NULL, 0};
    unsigned char *at = out + chain.n;
    memcpy(out, chain.p, chain.n);
    (void)i2d_X509(x, &at);
    return (struct spdm_room){out, chain.n + (size_t)n};
}

struct spdm_room spdm_authority_sign(struct spdm_authority *a, const struct spdm_authority_order *order, char *cause)
{
    struct spdm_room out = {NULL, 0};
    X509 *x = NULL;

    ERR_set_mark();
    X509_REQ *request = read_request(a->ossl, order->csr, cause);
    bool nameless = request != NULL && X509_NAME_entry_count(X509_REQ_get_subject_name(request)) == 0;
    if (nameless && order->subject == NULL) {
        spdm_openssl_say(cause, "the request names nobody, and no other name was given");
    } else if (request != NULL) {
        x = issue(a, order, request);
        if (x == NULL) spdm_openssl_cause(cause, "OpenSSL could not make the certificate");
        else out = append(a->pair->identity.slot[0].certificates, x);
    }
    X509_free(x);
    X509_REQ_free(request);
    ERR_pop_to_mark();
    return out;
}

/* ---- the alias model ---- */

/* An alias lives as long as the device's own authority at most; nobody asks whether there is a longer one. */
static X509 *issue_alias(struct spdm_openssl *ossl, const struct spdm_alias_order *order, struct spdm_signer *by)
{
    enum { DAYS = 3650 };
    struct spdm_certgen_plan plan = {.algorithm = (enum spdm_alg)spdm_signer_algorithms(by)[0],
                                     .model = SPDM_CERT_ALIAS,
                                     .responder = true,
                                     .days = DAYS,
                                     .now = order->now,
                                     .device_info = order->device_info};
    struct spdm_rung rung = {.leaf = true, .mutable = true, .device_info = true};
    struct spdm_ladder l = {.ossl = ossl, .plan = &plan, .above = spdm_signer_private(by)->pkey};

    snprintf(rung.name, sizeof rung.name, "CN=Alias of %.200s", order->name);
    l.issuer = read_certificate(ossl, last_of(order->certificates));
    l.key = order->alias->pkey;
    X509 *x = l.issuer != NULL ? spdm_certgen_issue(&l, &rung) : NULL;
    X509_free(l.issuer);
    return x;
}

/* With a handle of its own: the key may be signing a request on another thread. */
struct spdm_room spdm_alias_add(struct spdm_openssl *ossl, const struct spdm_alias_order *order, char *cause)
{
    const struct spdm_signer_options options = {.uri = order->key};
    struct spdm_room out = {NULL, 0};
    struct spdm_openssl *own = spdm_openssl_lend(ossl, NULL, cause);
    struct spdm_signer *signer = own != NULL ? spdm_signer_open(own, &options, cause) : NULL;
    X509 *x = NULL;

    ERR_set_mark();
    if (signer != NULL) {
        x = issue_alias(own, order, signer);
        if (x == NULL) spdm_openssl_cause(cause, "OpenSSL could not make the alias certificate");
        else out = append(order->certificates, x);
    }
    X509_free(x);
    ERR_pop_to_mark();
    spdm_signer_close(signer);
    spdm_openssl_give_back(own);
    return out;
}

/* ---- chains ---- */

struct spdm_room spdm_chain_load(const char *path, const char *name, char *error)
{
    struct loader l = {.path = name};
    struct spdm_span chain;
    struct spdm_room out = {NULL, 0};

    l.error = error;
    chain = spdm_device_certificates(&l, NULL, path);

    if (chain.n == 0) return out;
    out = (struct spdm_room){OPENSSL_memdup(chain.p, chain.n), chain.n};
    spdm_device_release(chain);
    return out;
}

struct spdm_room spdm_chain_structure(struct spdm_openssl *ossl, struct spdm_span certificates, enum spdm_alg hash)
{
    size_t head = 4 + spdm_openssl_hash_size(hash), n = head + certificates.n;
    struct spdm_span root = {certificates.p, spdm_x509_length(certificates)};
    uint8_t *chain = root.n != 0 && root.n <= certificates.n ? OPENSSL_zalloc(n) : NULL;

    if (chain == NULL || !spdm_openssl_digest(ossl, hash, root, chain + 4)) {
        OPENSSL_free(chain);
        return (struct spdm_room){NULL, 0};
    }
    for (size_t i = 0; i < 4; i++) chain[i] = (uint8_t)(n >> (8 * i));
    memcpy(chain + head, certificates.p, certificates.n);
    return (struct spdm_room){chain, n};
}

bool spdm_chain_fits(struct spdm_openssl *ossl, struct spdm_span certificates, struct spdm_span csr)
{
    ERR_set_mark();
    X509_REQ *request = read_request(ossl, csr, NULL);
    X509 *x = read_certificate(ossl, last_of(certificates));
    bool fits = request != NULL && x != NULL && X509_get0_pubkey(x) != NULL &&
                EVP_PKEY_eq(X509_get0_pubkey(x), X509_REQ_get0_pubkey(request)) == 1;

    X509_free(x);
    X509_REQ_free(request);
    ERR_pop_to_mark();
    return fits;
}
