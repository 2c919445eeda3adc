/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Who signed this certificate? The algorithms certificates are signed with,
 * as a table of OIDs; SPDM leaves them free (certificates.md section 4), so
 * what negotiation chose plays no part. MD5 and SHA-1 are known, to be
 * refused by name. */
#include "port/der.h"
#include "port/judge_inside.h"
#include <string.h>

#define OID(text) (text), sizeof(text) - 1
#define ECDSA "\x2a\x86\x48\xce\x3d\x04"
#define PKCS1 "\x2a\x86\x48\x86\xf7\x0d\x01\x01"
#define NIST_SIG "\x60\x86\x48\x01\x65\x03\x04\x03"

enum form { ON_DIGEST, ON_DIGEST_PSS, ON_MESSAGE, BROKEN };

static const struct algorithm {
    const char *oid;
    uint8_t oid_n;
    uint8_t family; /* enum spdm_openssl_family of the issuer's key */
    uint8_t form;
    enum spdm_alg hash;
} algorithms[] = {
    {OID(ECDSA "\x03\x02"), SPDM_FAMILY_EC, ON_DIGEST, SPDM_SHA_256},
    {OID(ECDSA "\x03\x03"), SPDM_FAMILY_EC, ON_DIGEST, SPDM_SHA_384},
    {OID(ECDSA "\x03\x04"), SPDM_FAMILY_EC, ON_DIGEST, SPDM_SHA_512},
    {OID(ECDSA "\x01"), SPDM_FAMILY_EC, BROKEN, SPDM_ALG_NONE},
    {OID(NIST_SIG "\x0a"), SPDM_FAMILY_EC, ON_DIGEST, SPDM_SHA3_256},
    {OID(NIST_SIG "\x0b"), SPDM_FAMILY_EC, ON_DIGEST, SPDM_SHA3_384},
    {OID(NIST_SIG "\x0c"), SPDM_FAMILY_EC, ON_DIGEST, SPDM_SHA3_512},
    {OID(PKCS1 "\x0b"), SPDM_FAMILY_RSA, ON_DIGEST, SPDM_SHA_256},
    {OID(PKCS1 "\x0c"), SPDM_FAMILY_RSA, ON_DIGEST, SPDM_SHA_384},
    {OID(PKCS1 "\x0d"), SPDM_FAMILY_RSA, ON_DIGEST, SPDM_SHA_512},
    {OID(PKCS1 "\x0a"), SPDM_FAMILY_RSA, ON_DIGEST_PSS, SPDM_ALG_NONE},
    {OID(PKCS1 "\x02"), SPDM_FAMILY_RSA, BROKEN, SPDM_ALG_NONE},
    {OID(PKCS1 "\x04"), SPDM_FAMILY_RSA, BROKEN, SPDM_ALG_NONE},
    {OID(PKCS1 "\x05"), SPDM_FAMILY_RSA, BROKEN, SPDM_ALG_NONE},
    {OID(NIST_SIG "\x0e"), SPDM_FAMILY_RSA, ON_DIGEST, SPDM_SHA3_256},
    {OID(NIST_SIG "\x0f"), SPDM_FAMILY_RSA, ON_DIGEST, SPDM_SHA3_384},
    {OID(NIST_SIG "\x10"), SPDM_FAMILY_RSA, ON_DIGEST, SPDM_SHA3_512},
    {OID("\x2a\x81\x1c\xcf\x55\x01\x83\x75"), SPDM_FAMILY_SM2, ON_MESSAGE, SPDM_SM3_256},
};

static bool is(struct spdm_span a, const char *b, size_t n)
{
    return a.n == n && memcmp(a.p, b, n) == 0;
}

struct spdm_span spdm_x509_algorithm(struct spdm_span identifier)
{
    struct spdm_der outer = spdm_der_over(identifier);
    struct spdm_der_item list, oid;

    spdm_der_take(&outer, SPDM_DER_SEQUENCE, &list);
    struct spdm_der in = spdm_der_into(&outer, &list);
    spdm_der_take(&in, SPDM_DER_OID, &oid);
    return oid.body;
}

/* ---- RSASSA-PSS parameters, RFC 4055 ---- */

static enum spdm_alg hash_of(struct spdm_span oid)
{
    static const struct {
        const char *oid;
        enum spdm_alg hash;
    } hashes[] = {{"\x60\x86\x48\x01\x65\x03\x04\x02\x01", SPDM_SHA_256},
                  {"\x60\x86\x48\x01\x65\x03\x04\x02\x02", SPDM_SHA_384},
                  {"\x60\x86\x48\x01\x65\x03\x04\x02\x03", SPDM_SHA_512},
                  {"\x60\x86\x48\x01\x65\x03\x04\x02\x08", SPDM_SHA3_256},
                  {"\x60\x86\x48\x01\x65\x03\x04\x02\x09", SPDM_SHA3_384},
                  {"\x60\x86\x48\x01\x65\x03\x04\x02\x0a", SPDM_SHA3_512}};

    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        if (is(oid, hashes[i].oid, 9)) return hashes[i].hash;
    }
    return SPDM_ALG_NONE;
}

/* The hash in [n] EXPLICIT AlgorithmIdentifier, or in the parameters of an MGF1 there. */
static enum spdm_alg tagged_hash(struct spdm_der *fields, uint8_t tag, bool mgf1)
{
    struct spdm_der_item wrapped, outer, oid, inner;

    if (!spdm_der_take(fields, tag, &wrapped)) return SPDM_ALG_NONE;
    struct spdm_der in = spdm_der_into(fields, &wrapped);
    spdm_der_take(&in, SPDM_DER_SEQUENCE, &outer);
    struct spdm_der algorithm = spdm_der_into(&in, &outer);
    if (!spdm_der_take(&algorithm, SPDM_DER_OID, &oid)) return SPDM_ALG_NONE;
    if (!mgf1) return hash_of(oid.body);
    if (!is(oid.body, OID(PKCS1 "\x08")) || !spdm_der_take(&algorithm, SPDM_DER_SEQUENCE, &inner)) return SPDM_ALG_NONE;
    struct spdm_der parameters = spdm_der_into(&algorithm, &inner);
    return spdm_der_take(&parameters, SPDM_DER_OID, &oid) ? hash_of(oid.body) : SPDM_ALG_NONE;
}

/* Everything must be said: the defaults are SHA-1. */
static bool read_pss(struct spdm_span identifier, struct spdm_openssl_scheme *scheme)
{
    struct spdm_der whole = spdm_der_over(identifier);
    struct spdm_der_item list, oid, parameters, wrapped, number;
    uint32_t salt = 0;

    spdm_der_take(&whole, SPDM_DER_SEQUENCE, &list);
    struct spdm_der algorithm = spdm_der_into(&whole, &list);
    spdm_der_take(&algorithm, SPDM_DER_OID, &oid);
    if (!spdm_der_take(&algorithm, SPDM_DER_SEQUENCE, &parameters)) return false;
    struct spdm_der fields = spdm_der_into(&algorithm, &parameters);
    scheme->hash = tagged_hash(&fields, SPDM_DER_EXPLICIT | 0, false);
    if (scheme->hash == SPDM_ALG_NONE || tagged_hash(&fields, SPDM_DER_EXPLICIT | 1, true) != scheme->hash)
        return false;
    if (!spdm_der_take(&fields, SPDM_DER_EXPLICIT | 2, &wrapped)) return false;
    struct spdm_der in = spdm_der_into(&fields, &wrapped);
    if (!spdm_der_take(&in, SPDM_DER_INTEGER, &number) || !spdm_der_small(&number, &salt) || salt > 512) return false;
    scheme->pss = true;
    scheme->salt = (uint16_t)salt;
    return true;
}

/* ---- verification ---- */

static const struct algorithm *find(struct spdm_span oid)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        if (is(oid, algorithms[i].oid, algorithms[i].oid_n)) return &algorithms[i];
    }
    return NULL;
}

static enum spdm_signed on_digest(struct spdm_judge *judge, const struct spdm_x509 *x,
                                  const struct spdm_openssl_key *issuer, const struct spdm_openssl_scheme *scheme)
{
    uint8_t digest[SPDM_HASH_MAX];

    if (!spdm_openssl_digest(judge->ossl, scheme->hash, x->tbs, digest)) return SPDM_SIGNED_UNKNOWN;
    judge->counts.signatures_verified++;
    int good = spdm_openssl_check_digest(
        issuer, scheme, (struct spdm_span){digest, spdm_openssl_hash_size(scheme->hash)}, x->signature);
    return good == 1 ? SPDM_SIGNED : SPDM_NOT_SIGNED;
}

/* SM2 certificates are made with the signer ID of GM/T 0009 and with an empty one (the reference stack's). */
static enum spdm_signed on_message(struct spdm_judge *judge, const struct spdm_x509 *x,
                                   const struct spdm_openssl_key *issuer, enum spdm_alg hash)
{
    static const uint8_t usual[] = "1234567812345678";
    struct spdm_openssl_scheme scheme = {.hash = hash};

    judge->counts.signatures_verified++;
    if (spdm_openssl_check_message(issuer, &scheme, x->tbs, x->signature) == 1) return SPDM_SIGNED;
    if (hash == SPDM_ALG_NONE) return SPDM_NOT_SIGNED;
    judge->counts.signatures_verified++;
    scheme.context = (struct spdm_span){usual, sizeof usual - 1};
    return spdm_openssl_check_message(issuer, &scheme, x->tbs, x->signature) == 1 ? SPDM_SIGNED : SPDM_NOT_SIGNED;
}

enum spdm_signed spdm_x509_signed_by(struct spdm_judge *judge, const struct spdm_x509 *x,
                                     const struct spdm_openssl_key *issuer)
{
    struct spdm_span oid = spdm_x509_algorithm(x->algorithm);
    const struct algorithm *a = find(oid);
    struct spdm_openssl_scheme scheme = {0};

    if (a == NULL) { /* EdDSA, ML-DSA, SLH-DSA: one OID for key and signature */
        const struct spdm_openssl_kind_row *row = spdm_openssl_kind_row(issuer->kind);
        bool pure = row->family == SPDM_FAMILY_PURE && is(oid, row->oid, row->oid_n);
        return pure ? on_message(judge, x, issuer, SPDM_ALG_NONE) : SPDM_SIGNED_UNKNOWN;
    }
    if (a->form == BROKEN) return SPDM_SIGNED_WEAKLY;
    if (a->family != spdm_openssl_family_of(issuer->kind)) return SPDM_SIGNED_UNKNOWN;
    if (a->form == ON_MESSAGE) return on_message(judge, x, issuer, a->hash);
    scheme.hash = a->hash;
    if (a->form == ON_DIGEST_PSS && !read_pss(x->algorithm, &scheme)) return SPDM_SIGNED_UNKNOWN;
    return on_digest(judge, x, issuer, &scheme);
}
