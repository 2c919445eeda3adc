/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Test identities on libcrypto's X509. Each certificate is described by a
 * struct spdm_rung: whose name, whose key, which extensions; the ladder from root
 * to leaf is made rung by rung, each signed with the key of the one above. */
#include "port/authority.h"
#include "port/certgen_inside.h"
#include "port/csr.h"
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define SPDM_EXTENSION "1.3.6.1.4.1.412.274.6"

/* ---- keys ---- */

static enum spdm_openssl_kind kind_of(enum spdm_alg alg)
{
    for (unsigned kind = 0; kind < SPDM_KIND_SPDM_N; kind++) {
        for (const uint8_t *a = spdm_openssl_kinds[kind].signs; *a != 0; a++) {
            if (*a == (uint8_t)alg) return (enum spdm_openssl_kind)kind;
        }
    }
    return SPDM_KIND_N;
}

EVP_PKEY *spdm_openssl_new_key(const struct spdm_openssl *o, enum spdm_alg alg)
{
    const struct spdm_openssl_kind_row *row = spdm_openssl_kind_row(kind_of(alg));

    if (row->family == SPDM_FAMILY_RSA) return EVP_PKEY_Q_keygen(o->lib, o->propq, "RSA", (size_t)row->size * 8);
    if (row->family == SPDM_FAMILY_EC) return EVP_PKEY_Q_keygen(o->lib, o->propq, "EC", row->group);
    return EVP_PKEY_Q_keygen(o->lib, o->propq, row->type);
}

/* The hash certificates are signed with; NULL for algorithms that have none of their own choice. */
static const char *hash_of(const struct spdm_certgen_plan *plan)
{
    switch (spdm_openssl_kind_row(kind_of(plan->algorithm))->family) {
    case SPDM_FAMILY_PURE: return NULL;
    case SPDM_FAMILY_SM2: return spdm_openssl_hash_name(SPDM_SM3_256);
    default: break;
    }
    if (plan->hash != SPDM_ALG_NONE) return spdm_openssl_hash_name(plan->hash);
    switch (plan->algorithm) {
    case SPDM_ECDSA_P256:
    case SPDM_RSASSA_2048:
    case SPDM_RSAPSS_2048: return spdm_openssl_hash_name(SPDM_SHA_256);
    case SPDM_ECDSA_P521: return spdm_openssl_hash_name(SPDM_SHA_512);
    default: return spdm_openssl_hash_name(SPDM_SHA_384);
    }
}

/* ---- names, dates, numbers ---- */

bool spdm_openssl_name(X509_NAME *name, const char *text)
{
    char copy[256], *rest = copy;

    if (strchr(text, '=') == NULL) {
        return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) == 1;
    }
    if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy) return false;
    for (char *part; (part = strtok_r(rest == copy ? copy : NULL, ",", &rest)) != NULL;) {
        part += strspn(part, " ");
        char *value = strchr(part, '=');
        if (value == NULL) return false;
        *value++ = '\0';
        if (X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8, (const unsigned char *)value, -1, 0, 0) != 1) {
            return false; /* each before the others: as people write names, the nearest comes first */
        }
    }
    return true;
}

static bool set_names(X509 *x, const struct spdm_ladder *l, const struct spdm_rung *r)
{
    X509_NAME *name = r->subject != NULL ? X509_NAME_dup(r->subject) : X509_NAME_new();
    bool done = name != NULL && (r->subject != NULL || spdm_openssl_name(name, r->name)) &&
                X509_set_subject_name(x, name) == 1 &&
                X509_set_issuer_name(x, l->issuer != NULL ? X509_get_subject_name(l->issuer) : name) == 1;

    X509_NAME_free(name);
    return done;
}

/* A random number of 127 bits: positive and not too long (R-CRT-02). */
static bool set_serial(X509 *x, const struct spdm_ladder *l)
{
    uint8_t bytes[16];

    if (RAND_bytes_ex(l->ossl->lib, bytes, sizeof bytes, 0) != 1) return false;
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40);
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool done = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL;
    BN_free(number);
    return done;
}

static bool set_dates(X509 *x, const struct spdm_certgen_plan *plan)
{
    time_t from = (time_t)plan->now - 3600;

    return X509_time_adj_ex(X509_getm_notBefore(x), 0, 0, &from) != NULL &&
           X509_time_adj_ex(X509_getm_notAfter(x), (int)plan->days, 0, &from) != NULL;
}

/* ---- extensions ---- */

static bool add_text(X509 *x, X509V3_CTX *about, int nid, const char *text)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, about, nid, text);
    bool done = e != NULL && X509_add_ext(x, e, -1) == 1;

    X509_EXTENSION_free(e);
    return done;
}

static bool add_bytes(X509 *x, const char *oid, const uint8_t *value, size_t n)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    X509_EXTENSION *e = NULL;
    bool done = object != NULL && octets != NULL && ASN1_OCTET_STRING_set(octets, value, (int)n) == 1 &&
                (e = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets)) != NULL && X509_add_ext(x, e, -1) == 1;

    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(object);
    return done;
}

/* R-CRT-19: a sequence of one entry, the OID .2 or .5. */
static bool add_spdm(X509 *x, bool hardware)
{
    uint8_t value[] = {0x30, 0x0e, 0x30, 0x0c, 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0x1c, 0x82, 0x12, 0};

    value[sizeof value - 1] = hardware ? 2 : 5;
    return add_bytes(x, SPDM_EXTENSION, value, sizeof value);
}

static bool add_roles(X509 *x, X509V3_CTX *about, const struct spdm_certgen_plan *plan)
{
    const char *responder = plan->responder ? "1.3.6.1.4.1.412.274.3" : "";
    const char *requester = plan->requester ? "1.3.6.1.4.1.412.274.4" : "";
    char text[64];

    if (!plan->responder && !plan->requester) return true;
    snprintf(text, sizeof text, "%s%s%s", responder, plan->responder && plan->requester ? "," : "", requester);
    return add_text(x, about, NID_ext_key_usage, text);
}

/* As it is, by way of a section: a comma in it is no separator. */
GENERAL_NAMES *spdm_openssl_device_info(struct spdm_span info)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.412.274.1", 1);
    ASN1_UTF8STRING *text = ASN1_UTF8STRING_new();
    ASN1_TYPE *value = ASN1_TYPE_new();
    bool done = names != NULL && name != NULL && oid != NULL && text != NULL && value != NULL &&
                ASN1_STRING_set(text, info.p, (int)info.n) == 1;

    if (done) {
        ASN1_TYPE_set(value, V_ASN1_UTF8STRING, text);
        text = NULL;
        done = GENERAL_NAME_set0_othername(name, oid, value) == 1;
        if (done) {
            oid = NULL;
            value = NULL;
        }
        if (done && sk_GENERAL_NAME_push(names, name) > 0) {
            name = NULL;
        } else {
            done = false;
        }
    }
    ASN1_TYPE_free(value);
    ASN1_UTF8STRING_free(text);
    ASN1_OBJECT_free(oid);
    GENERAL_NAME_free(name);
    if (done) return names;
    GENERAL_NAMES_free(names);
    return NULL;
}

static bool add_device_info(X509 *x, const char *info)
{
    GENERAL_NAMES *names = spdm_openssl_device_info((struct spdm_span){(const uint8_t *)info, strlen(info)});
    bool done = names != NULL && X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;

    GENERAL_NAMES_free(names);
    return done;
}

static bool add_extensions(X509 *x, const struct spdm_ladder *l, const struct spdm_rung *r)
{
    X509V3_CTX about;
    char basic[48] = "critical,CA:FALSE";

    X509V3_set_ctx(&about, l->issuer != NULL ? l->issuer : x, x, NULL, NULL, 0);
    if (r->ca && l->issuer != NULL) {
        snprintf(basic, sizeof basic, "critical,CA:TRUE,pathlen:%d", r->path_len);
    } else if (r->ca) {
        snprintf(basic, sizeof basic, "critical,CA:TRUE");
    }
    return add_text(x, &about, NID_basic_constraints, basic) &&
           add_text(x, &about, NID_key_usage, r->ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
           add_text(x, &about, NID_subject_key_identifier, "hash") &&
           (l->issuer == NULL || add_text(x, &about, NID_authority_key_identifier, "keyid:always")) &&
           (!r->leaf || add_roles(x, &about, l->plan)) &&
           (!r->device_info || l->plan->device_info == NULL || add_device_info(x, l->plan->device_info)) &&
           (r->alternative == NULL || X509_add_ext(x, r->alternative, -1) == 1) &&
           (!(r->hardware || r->mutable) || add_spdm(x, r->hardware));
}

/* ---- certificates ---- */

static bool sign(X509 *x, const struct spdm_ladder *l)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY *by = l->above != NULL ? l->above : l->key;
    bool done = ctx != NULL &&
                EVP_DigestSignInit_ex(ctx, NULL, hash_of(l->plan), l->ossl->lib, l->ossl->propq, by, NULL) == 1 &&
                X509_sign_ctx(x, ctx) > 0;

    EVP_MD_CTX_free(ctx);
    return done;
}

X509 *spdm_certgen_issue(const struct spdm_ladder *l, const struct spdm_rung *r)
{
    X509 *x = X509_new_ex(l->ossl->lib, l->ossl->propq);
    /* VERSION: X.509's */
    bool done = x != NULL && X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x, l) && set_names(x, l, r) &&
                set_dates(x, l->plan) && X509_set_pubkey(x, l->key) == 1 && add_extensions(x, l, r) && sign(x, l);

    if (!done) {
        X509_free(x);
        x = NULL;
    }
    return x;
}

/* What the rungs are, root first; how many. */
static unsigned plan_rungs(const struct spdm_certgen_plan *plan, struct spdm_rung *r)
{
    bool alias = plan->model == SPDM_CERT_ALIAS, device = plan->model == SPDM_CERT_DEVICE;
    unsigned n = 0, below = plan->intermediates + alias;

    r[n] = (struct spdm_rung){.ca = true};
    snprintf(r[n++].name, sizeof r->name, "CN=Assay test root");
    for (unsigned i = 1; i <= plan->intermediates; i++) {
        r[n] = (struct spdm_rung){.ca = true, .path_len = (int)(below - i)};
        snprintf(r[n++].name, sizeof r->name, "CN=Assay test CA %u", i);
    }
    if (alias) {
        r[n] = (struct spdm_rung){.ca = true, .hardware = true, .device_info = true};
        snprintf(r[n++].name, sizeof r->name, "%s", plan->subject);
    }
    r[n] = (struct spdm_rung){.leaf = true, .hardware = device, .mutable = alias, .device_info = true};
    snprintf(r[n++].name, sizeof r->name, alias ? "CN=Alias of the device" : "%s", plan->subject);
    return n;
}

struct spdm_room spdm_openssl_key_text(EVP_PKEY *key)
{
    struct spdm_room out = {NULL, 0};
    BIO *bio = BIO_new(BIO_s_secmem());
    char *text = NULL;
    bool done = bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
    long n = done ? BIO_get_mem_data(bio, &text) : 0;

    if (n > 0) out = (struct spdm_room){OPENSSL_memdup(text, (size_t)n), (size_t)n};
    BIO_free(bio);
    return out;
}

struct spdm_room spdm_new_key(struct spdm_openssl *ossl, enum spdm_alg alg, char *cause)
{
    struct spdm_room out = {NULL, 0};
    EVP_PKEY *key;

    ERR_set_mark();
    key = spdm_openssl_new_key(ossl, alg);
    if (key != NULL) out = spdm_openssl_key_text(key);
    if (out.p == NULL) spdm_openssl_cause(cause, "no %s key can be made", spdm_algorithm_name(alg));
    EVP_PKEY_free(key);
    ERR_pop_to_mark();
    return out;
}

void spdm_free_key(struct spdm_room text)
{
    OPENSSL_clear_free(text.p, text.n);
}

static bool keep_private(EVP_PKEY *key, struct spdm_room *out)
{
    *out = spdm_openssl_key_text(key);
    return out->p != NULL;
}

static bool keep_public(EVP_PKEY *key, struct spdm_room *out)
{
    unsigned char *spki = NULL;
    int n = i2d_PUBKEY(key, &spki);

    if (n > 0) *out = (struct spdm_room){spki, (size_t)n};
    return out->p != NULL;
}

static bool climb(struct spdm_ladder *l, const struct spdm_rung *r, unsigned n, struct spdm_certgen_made *out)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned char *der = NULL;
        l->key = spdm_openssl_new_key(l->ossl, l->plan->algorithm);
        X509 *x = l->key != NULL ? spdm_certgen_issue(l, &r[i]) : NULL;
        int der_n = x != NULL ? i2d_X509(x, &der) : -1;
        X509_free(l->issuer);
        l->issuer = x;
        if (der_n <= 0) return false;
        out->certificate[out->n++] = (struct spdm_room){der, (size_t)der_n};
        if (i + 1 == n && !(keep_private(l->key, &out->key) && keep_public(l->key, &out->spki))) return false;
        if (i + 2 == n && l->plan->model == SPDM_CERT_ALIAS && !keep_private(l->key, &out->device)) return false;
        if (i == l->plan->intermediates && l->plan->keep_authority && !keep_private(l->key, &out->authority))
            return false;
        EVP_PKEY_free(l->above);
        l->above = l->key;
        l->key = NULL;
    }
    return true;
}

bool spdm_certgen_make(struct spdm_openssl *ossl, const struct spdm_certgen_plan *plan, struct spdm_certgen_made *out,
                       char *cause)
{
    struct spdm_rung rungs[SPDM_CERTGEN_CERTIFICATES_MAX];
    struct spdm_ladder l = {.ossl = ossl, .plan = plan};

    *out = (struct spdm_certgen_made){.n = 0};
    if (!spdm_openssl_crypto()->supports(ossl, plan->algorithm) || kind_of(plan->algorithm) == SPDM_KIND_N) {
        spdm_openssl_say(cause, "this OpenSSL has no %s", spdm_algorithm_name(plan->algorithm));
        return false;
    }
    if (plan->intermediates > SPDM_CERTGEN_INTERMEDIATES_MAX || strlen(plan->subject) >= sizeof rungs[0].name) {
        spdm_openssl_say(cause, "that is too much for a test identity");
        return false;
    }
    ERR_set_mark();
    bool done = climb(&l, rungs, plan_rungs(plan, rungs), out);
    if (!done) spdm_openssl_cause(cause, "OpenSSL could not make certificate %u", out->n + 1);
    ERR_pop_to_mark();
    X509_free(l.issuer);
    EVP_PKEY_free(l.above);
    EVP_PKEY_free(l.key);
    if (!done) spdm_certgen_free(out);
    return done;
}

struct spdm_room spdm_certgen_chain(struct spdm_openssl *ossl, const struct spdm_certgen_made *made, enum spdm_alg hash)
{
    size_t at = 0, n = 0;

    for (unsigned i = 0; i < made->n; i++) n += made->certificate[i].n;
    uint8_t *all = OPENSSL_malloc(n);
    if (all == NULL) return (struct spdm_room){NULL, 0};
    for (unsigned i = 0; i < made->n; i++) {
        memcpy(all + at, made->certificate[i].p, made->certificate[i].n);
        at += made->certificate[i].n;
    }
    struct spdm_room out = spdm_chain_structure(ossl, (struct spdm_span){all, n}, hash);
    OPENSSL_free(all);
    return out;
}

void spdm_certgen_free(struct spdm_certgen_made *made)
{
    for (unsigned i = 0; i < SPDM_CERTGEN_CERTIFICATES_MAX; i++) OPENSSL_free(made->certificate[i].p);
    OPENSSL_clear_free(made->key.p, made->key.n);
    OPENSSL_clear_free(made->authority.p, made->authority.n);
    OPENSSL_clear_free(made->device.p, made->device.n);
    OPENSSL_free(made->spki.p);
    *made = (struct spdm_certgen_made){.n = 0};
}
