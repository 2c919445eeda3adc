/* SPDX-License-Identifier: BSD-3-Clause
 *
 * csr_openssl.c - certificate requests on libcrypto's X509_REQ.
 *
 * RequesterInfo is a request without its signature: it is given a dummy one,
 * so that libcrypto reads it as any other. */
#include "port/csr.h"
#include "port/openssl_inside.h"
#include "port/x509_read.h"

#include <assay/responder.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#define SPDM_EXTENSION "1.3.6.1.4.1.412.274.6"
#define RESPONDER_AUTH "1.3.6.1.4.1.412.274.3"

/* ---- what the requester says ---- */

static size_t put_head(uint8_t *to, uint8_t tag, size_t n)
{
    to[0] = tag;
    to[1] = 0x83; /* longer than DER wants; libcrypto reads it, and nobody else ever sees it */
    to[2] = (uint8_t)(n >> 16);
    to[3] = (uint8_t)(n >> 8);
    to[4] = (uint8_t)n;
    return 5;
}

static X509_REQ *read_info(struct spdm_span info)
{
    /* ecdsa-with-SHA256 and a signature of no bits */
    static const uint8_t tail[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
                                   0x3d, 0x04, 0x03, 0x02, 0x03, 0x01, 0x00};
    uint8_t *der = OPENSSL_malloc(info.n + sizeof tail + 5);
    const uint8_t *at = der;
    X509_REQ *req = NULL;
    size_t n;

    if (der == NULL) return NULL;
    n = put_head(der, 0x30, info.n + sizeof tail);
    memcpy(der + n, info.p, info.n);
    memcpy(der + n + info.n, tail, sizeof tail);
    req = d2i_X509_REQ(NULL, &at, (long)(n + info.n + sizeof tail));
    OPENSSL_free(der);
    return req;
}

/* A public key in it must be ours; some leave it empty. */
static bool names_our_key(X509_REQ *asked, const struct spdm_signer *signer)
{
    EVP_PKEY *theirs = X509_REQ_get0_pubkey(asked);
    const unsigned char *bytes = NULL;
    int n = 0;

    if (X509_PUBKEY_get0_param(NULL, &bytes, &n, NULL, X509_REQ_get_X509_PUBKEY(asked)) == 1 && n == 0) return true;
    return theirs != NULL && EVP_PKEY_eq(theirs, spdm_signer_public(signer)->pkey) == 1;
}

/* ---- subject ---- */

static bool set_subject(X509_REQ *req, X509_REQ *asked, const struct spdm_csr_plan *plan)
{
    X509_NAME *name = asked != NULL ? X509_REQ_get_subject_name(asked) : NULL;
    const uint8_t *at = plan->present.p;
    X509 *present = NULL;
    bool done;

    if (name != NULL && X509_NAME_entry_count(name) != 0) return X509_REQ_set_subject_name(req, name) == 1;
    if (plan->subject == NULL && plan->present.n != 0) present = d2i_X509(NULL, &at, (long)plan->present.n);
    name = X509_NAME_new();
    if (present != NULL) {
        done = X509_REQ_set_subject_name(req, X509_get_subject_name(present)) == 1;
    } else if (plan->subject != NULL) {
        done = name != NULL && spdm_openssl_name(name, plan->subject) && X509_REQ_set_subject_name(req, name) == 1;
    } else {
        done =
            name != NULL &&
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)plan->name, -1, -1, 0) == 1 &&
            X509_REQ_set_subject_name(req, name) == 1;
    }
    X509_NAME_free(name);
    X509_free(present);
    return done;
}

/* ---- extensions ---- */

/* Takes the place of one with the same OID; takes over e. */
static bool put(STACK_OF(X509_EXTENSION) * list, X509_EXTENSION *e)
{
    if (e == NULL) return false;
    for (int i = sk_X509_EXTENSION_num(list) - 1; i >= 0; i--) {
        if (OBJ_cmp(X509_EXTENSION_get_object(sk_X509_EXTENSION_value(list, i)), X509_EXTENSION_get_object(e)) == 0)
            X509_EXTENSION_free(sk_X509_EXTENSION_delete(list, i));
    }
    if (sk_X509_EXTENSION_push(list, e) > 0) return true;
    X509_EXTENSION_free(e);
    return false;
}

static bool put_text(STACK_OF(X509_EXTENSION) * list, int nid, const char *text)
{
    X509V3_CTX about;

    X509V3_set_ctx(&about, NULL, NULL, NULL, NULL, 0);
    return put(list, X509V3_EXT_conf_nid(NULL, &about, nid, text));
}

static bool put_spdm(STACK_OF(X509_EXTENSION) * list)
{
    /* a sequence of one entry: hardware identity (R-CRT-19) */
    static const uint8_t value[] = {0x30, 0x0e, 0x30, 0x0c, 0x06, 0x0a, 0x2b, 0x06,
                                    0x01, 0x04, 0x01, 0x83, 0x1c, 0x82, 0x12, 0x02};
    ASN1_OBJECT *oid = OBJ_txt2obj(SPDM_EXTENSION, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    X509_EXTENSION *e = NULL;

    if (oid != NULL && octets != NULL && ASN1_OCTET_STRING_set(octets, value, sizeof value) == 1)
        e = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, octets);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(oid);
    return put(list, e);
}

static bool put_device_info(STACK_OF(X509_EXTENSION) * list, const struct spdm_csr_plan *plan)
{
    struct spdm_x509 present = {.has = 0};
    struct spdm_span info = {(const uint8_t *)plan->device_info, 0};
    GENERAL_NAMES *names;
    bool done;

    if (plan->device_info != NULL) info.n = strlen(plan->device_info);
    else if (plan->present.n != 0 && spdm_x509_read(plan->present, 0, &present)) info = present.device_info;
    if (info.n == 0) return true;
    names = spdm_openssl_device_info(info);
    done = names != NULL && put(list, X509V3_EXT_i2d(NID_subject_alt_name, 0, names));
    GENERAL_NAMES_free(names);
    return done;
}

static bool set_extensions(X509_REQ *req, X509_REQ *asked, const struct spdm_csr_plan *plan)
{
    STACK_OF(X509_EXTENSION) *list = asked != NULL ? X509_REQ_get_extensions(asked) : NULL;
    bool alias = plan->model == SPDM_CERT_ALIAS, done;

    if (list == NULL) list = sk_X509_EXTENSION_new_null();
    done = list != NULL && put_text(list, NID_basic_constraints, alias ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
           put_text(list, NID_key_usage, alias ? "critical,keyCertSign" : "critical,digitalSignature") &&
           (alias || put_text(list, NID_ext_key_usage, RESPONDER_AUTH)) &&
           (plan->model == SPDM_CERT_GENERIC || put_spdm(list)) && put_device_info(list, plan) &&
           X509_REQ_add_extensions(req, list) == 1;
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    return done;
}

/* Attributes that are no extensions. */
static bool keep_attributes(X509_REQ *req, X509_REQ *asked)
{
    for (int i = 0; asked != NULL && i < X509_REQ_get_attr_count(asked); i++) {
        X509_ATTRIBUTE *a = X509_REQ_get_attr(asked, i);
        int nid = OBJ_obj2nid(X509_ATTRIBUTE_get0_object(a));

        if (nid == NID_ext_req || nid == NID_ms_ext_req) continue;
        if (X509_REQ_add1_attr(req, a) != 1) return false;
    }
    return true;
}

/* ---- the request ---- */

static bool sign(X509_REQ *req, const struct spdm_signer *signer, const struct spdm_csr_plan *plan)
{
    const struct spdm_openssl_key *key = spdm_signer_private(signer);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const char *hash = spdm_openssl_hash_name(plan->hash != SPDM_ALG_NONE ? plan->hash : SPDM_SHA_384);
    bool done;

    if (spdm_openssl_kinds[key->kind].family == SPDM_FAMILY_PURE) hash = NULL;
    if (spdm_openssl_kinds[key->kind].family == SPDM_FAMILY_SM2) hash = spdm_openssl_hash_name(SPDM_SM3_256);
    done = ctx != NULL &&
           EVP_DigestSignInit_ex(ctx, NULL, hash, key->ossl->lib, key->ossl->propq, key->pkey, NULL) == 1 &&
           X509_REQ_sign_ctx(req, ctx) > 0;
    EVP_MD_CTX_free(ctx);
    return done;
}

static size_t make(struct spdm_signer *signer, const struct spdm_csr_plan *plan, X509_REQ *asked, struct spdm_room out)
{
    const struct spdm_openssl_key *public = spdm_signer_public(signer);
    X509_REQ *req = X509_REQ_new_ex(public->ossl->lib, public->ossl->propq);
    bool done = req != NULL && set_subject(req, asked, plan) && X509_REQ_set_pubkey(req, public->pkey) == 1 &&
                keep_attributes(req, asked) && set_extensions(req, asked, plan) && sign(req, signer, plan);
    int n = done ? i2d_X509_REQ(req, NULL) : 0;

    if (n > 0 && (size_t)n <= out.n) (void)i2d_X509_REQ(req, &out.p);
    else n = 0;
    X509_REQ_free(req);
    return (size_t)n;
}

size_t spdm_signer_csr(struct spdm_signer *signer, const struct spdm_csr_plan *plan, struct spdm_room out, bool *unfit,
                       char *cause)
{
    X509_REQ *asked = NULL;
    size_t n = 0;

    ERR_set_mark();
    *unfit = false;
    if (plan->info.n != 0) asked = read_info(plan->info);
    if (plan->info.n != 0 && asked == NULL) {
        *unfit = true;
        spdm_openssl_cause(cause, "RequesterInfo is no CertificationRequestInfo");
    } else if (asked != NULL && !names_our_key(asked, signer)) {
        *unfit = true;
        spdm_openssl_say(cause, "RequesterInfo names another public key than the device's");
    } else {
        n = make(signer, plan, asked, out);
        if (n == 0) spdm_openssl_cause(cause, "the certificate request could not be made");
    }
    X509_REQ_free(asked);
    ERR_pop_to_mark();
    return n;
}
