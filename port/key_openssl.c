/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Public keys for the OpenSSL back end. A SubjectPublicKeyInfo is taken apart
 * here and handed to libcrypto as a bare point, modulus or octet string:
 * libcrypto's own decoder gives the same key, but takes 80 us for what takes
 * 4 us this way, longer than verifying a P-256 signature. Kinds that are not
 * in the table go through the decoder. */
#include "port/der.h"
#include "port/openssl_inside.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define SPKI_MAX 16384 /* larger ones are no key anybody made: the largest here is ML-DSA-87 with 2,614 bytes */

#define RSA_BITS_MAX 16384 /* what libcrypto verifies at most */

#define OID(text) .oid = (text), .oid_n = sizeof(text) - 1
#define SIGNS(...)                                                                                                     \
    .signs = (const uint8_t[])                                                                                         \
    {                                                                                                                  \
        __VA_ARGS__, 0                                                                                                 \
    }
#define NIST_SIG "\x60\x86\x48\x01\x65\x03\x04\x03"
#define RSA(bits)                                                                                                      \
    {                                                                                                                  \
        .name = "RSA " #bits, .type = "RSA", .family = SPDM_FAMILY_RSA, .size = (bits) / 8,                            \
        SIGNS(SPDM_RSASSA_##bits, SPDM_RSAPSS_##bits)                                                                  \
    }
#define EC(text, curve, half, oid, alg)                                                                                \
    {                                                                                                                  \
        .name = "EC " text, .type = "EC", .group = (curve), .family = SPDM_FAMILY_EC, .size = 2 * (half), OID(oid),    \
        SIGNS(alg)                                                                                                     \
    }
#define PURE(text, bytes, oid, alg)                                                                                    \
    {                                                                                                                  \
        .name = (text), .type = (text), .family = SPDM_FAMILY_PURE, .size = (bytes), OID(oid), SIGNS(alg)              \
    }

const struct spdm_openssl_kind_row spdm_openssl_kinds[SPDM_KIND_SPDM_N] = {
    [SPDM_KIND_RSA_2048] = RSA(2048),
    [SPDM_KIND_RSA_3072] = RSA(3072),
    [SPDM_KIND_RSA_4096] = RSA(4096),
    [SPDM_KIND_P256] = EC("P-256", "P-256", 32, "\x2a\x86\x48\xce\x3d\x03\x01\x07", SPDM_ECDSA_P256),
    [SPDM_KIND_P384] = EC("P-384", "P-384", 48, "\x2b\x81\x04\x00\x22", SPDM_ECDSA_P384),
    [SPDM_KIND_P521] = EC("P-521", "P-521", 66, "\x2b\x81\x04\x00\x23", SPDM_ECDSA_P521),
    [SPDM_KIND_SM2] = {.name = "SM2",
                       .type = "SM2",
                       .group = "SM2",
                       .family = SPDM_FAMILY_SM2,
                       .size = 64,
                       OID("\x2a\x81\x1c\xcf\x55\x01\x82\x2d"),
                       SIGNS(SPDM_SM2)},
    [SPDM_KIND_ED25519] = PURE("ED25519", 64, "\x2b\x65\x70", SPDM_ED25519),
    [SPDM_KIND_ED448] = PURE("ED448", 114, "\x2b\x65\x71", SPDM_ED448),
    [SPDM_KIND_ML_DSA_44] = PURE("ML-DSA-44", 2420, NIST_SIG "\x11", SPDM_ML_DSA_44),
    [SPDM_KIND_ML_DSA_65] = PURE("ML-DSA-65", 3309, NIST_SIG "\x12", SPDM_ML_DSA_65),
    [SPDM_KIND_ML_DSA_87] = PURE("ML-DSA-87", 4627, NIST_SIG "\x13", SPDM_ML_DSA_87),
    [SPDM_KIND_SLH_SHA2_128S] = PURE("SLH-DSA-SHA2-128s", 7856, NIST_SIG "\x14", SPDM_SLH_DSA_SHA2_128S),
    [SPDM_KIND_SLH_SHA2_128F] = PURE("SLH-DSA-SHA2-128f", 17088, NIST_SIG "\x15", SPDM_SLH_DSA_SHA2_128F),
    [SPDM_KIND_SLH_SHA2_192S] = PURE("SLH-DSA-SHA2-192s", 16224, NIST_SIG "\x16", SPDM_SLH_DSA_SHA2_192S),
    [SPDM_KIND_SLH_SHA2_192F] = PURE("SLH-DSA-SHA2-192f", 35664, NIST_SIG "\x17", SPDM_SLH_DSA_SHA2_192F),
    [SPDM_KIND_SLH_SHA2_256S] = PURE("SLH-DSA-SHA2-256s", 29792, NIST_SIG "\x18", SPDM_SLH_DSA_SHA2_256S),
    [SPDM_KIND_SLH_SHA2_256F] = PURE("SLH-DSA-SHA2-256f", 49856, NIST_SIG "\x19", SPDM_SLH_DSA_SHA2_256F),
    [SPDM_KIND_SLH_SHAKE_128S] = PURE("SLH-DSA-SHAKE-128s", 7856, NIST_SIG "\x1a", SPDM_SLH_DSA_SHAKE_128S),
    [SPDM_KIND_SLH_SHAKE_128F] = PURE("SLH-DSA-SHAKE-128f", 17088, NIST_SIG "\x1b", SPDM_SLH_DSA_SHAKE_128F),
    [SPDM_KIND_SLH_SHAKE_192S] = PURE("SLH-DSA-SHAKE-192s", 16224, NIST_SIG "\x1c", SPDM_SLH_DSA_SHAKE_192S),
    [SPDM_KIND_SLH_SHAKE_192F] = PURE("SLH-DSA-SHAKE-192f", 35664, NIST_SIG "\x1d", SPDM_SLH_DSA_SHAKE_192F),
    [SPDM_KIND_SLH_SHAKE_256S] = PURE("SLH-DSA-SHAKE-256s", 29792, NIST_SIG "\x1e", SPDM_SLH_DSA_SHAKE_256S),
    [SPDM_KIND_SLH_SHAKE_256F] = PURE("SLH-DSA-SHAKE-256f", 49856, NIST_SIG "\x1f", SPDM_SLH_DSA_SHAKE_256F),
};

static const uint8_t nothing[] = {0};
static const uint8_t oid_ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
static const uint8_t oid_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};

const struct spdm_openssl_kind_row *spdm_openssl_kind_row(enum spdm_openssl_kind kind)
{
    static const struct spdm_openssl_kind_row other = {.name = "other", .type = "", .signs = nothing};

    return kind < SPDM_KIND_SPDM_N ? &spdm_openssl_kinds[kind] : &other;
}

enum spdm_openssl_family spdm_openssl_family_of(enum spdm_openssl_kind kind)
{
    if (kind < SPDM_KIND_SPDM_N) return spdm_openssl_kinds[kind].family;
    return kind == SPDM_KIND_RSA ? SPDM_FAMILY_RSA : SPDM_FAMILY_EC;
}

static enum spdm_openssl_kind rsa_kind(const EVP_PKEY *pkey)
{
    switch (EVP_PKEY_get_bits(pkey)) {
    case 2048: return SPDM_KIND_RSA_2048;
    case 3072: return SPDM_KIND_RSA_3072;
    case 4096: return SPDM_KIND_RSA_4096;
    default: return SPDM_KIND_RSA;
    }
}

/* Providers call the NIST curves by different names. */
static enum spdm_openssl_kind ec_kind(const EVP_PKEY *pkey)
{
    static const struct {
        const char *name;
        enum spdm_openssl_kind kind;
    } names[] = {{"prime256v1", SPDM_KIND_P256}, {"secp256r1", SPDM_KIND_P256}, {"P-256", SPDM_KIND_P256},
                 {"secp384r1", SPDM_KIND_P384},  {"P-384", SPDM_KIND_P384},     {"secp521r1", SPDM_KIND_P521},
                 {"P-521", SPDM_KIND_P521},      {"SM2", SPDM_KIND_SM2}};
    char group[64];

    if (EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) != 1) return SPDM_KIND_EC;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (OPENSSL_strcasecmp(group, names[i].name) == 0) return names[i].kind;
    }
    return SPDM_KIND_EC;
}

enum spdm_openssl_kind spdm_openssl_kind_of(const EVP_PKEY *pkey)
{
    if (EVP_PKEY_is_a(pkey, "RSA") || EVP_PKEY_is_a(pkey, "RSA-PSS")) return rsa_kind(pkey);
    if (EVP_PKEY_is_a(pkey, "EC")) return ec_kind(pkey);
    for (unsigned kind = SPDM_KIND_SM2; kind < SPDM_KIND_SPDM_N; kind++) {
        if (EVP_PKEY_is_a(pkey, spdm_openssl_kinds[kind].type)) return kind;
    }
    return SPDM_KIND_N;
}

static void give_name(struct spdm_openssl_key *key)
{
    char group[16];

    if (key->kind < SPDM_KIND_SPDM_N) {
        size_t n = strlen(spdm_openssl_kinds[key->kind].name);
        memcpy(key->name, spdm_openssl_kinds[key->kind].name, n < sizeof key->name ? n : sizeof key->name - 1);
    } else if (key->kind == SPDM_KIND_RSA) {
        snprintf(key->name, sizeof key->name, "RSA %u", key->bits);
    } else {
        bool known = EVP_PKEY_get_group_name(key->pkey, group, sizeof group, NULL) == 1;
        snprintf(key->name, sizeof key->name, "EC %s", known ? group : "(unnamed curve)");
    }
}

/* Takes over a reference to pkey, whose kind is known. */
static struct spdm_openssl_key *wrap(struct spdm_openssl *ossl, EVP_PKEY *pkey, enum spdm_openssl_kind kind,
                                     char *cause)
{
    struct spdm_openssl_key *key = kind == SPDM_KIND_N ? NULL : OPENSSL_zalloc(sizeof *key);
    struct spdm_openssl_verifier *kept = key == NULL ? NULL : OPENSSL_zalloc(sizeof *kept);

    if (kept == NULL) {
        const char *type = EVP_PKEY_get0_type_name(pkey);
        if (kind == SPDM_KIND_N) {
            spdm_openssl_say(cause, "keys of type %s are of no use here", type != NULL ? type : "(unnamed)");
        } else {
            spdm_openssl_say(cause, "out of memory");
        }
        OPENSSL_free(key);
        EVP_PKEY_free(pkey);
        return NULL;
    }
    *key = (struct spdm_openssl_key){.ossl = ossl, .pkey = pkey, .kind = kind, .kept = kept, .holders = 1};
    key->bits = (unsigned)EVP_PKEY_get_bits(pkey);
    key->pss_only = spdm_openssl_family_of(kind) == SPDM_FAMILY_RSA && EVP_PKEY_is_a(pkey, "RSA-PSS");
    give_name(key);
    return key;
}

struct spdm_openssl_key *spdm_openssl_key_wrap(struct spdm_openssl *ossl, EVP_PKEY *pkey, char *cause)
{
    return wrap(ossl, pkey, spdm_openssl_kind_of(pkey), cause);
}

/* ---- making keys out of SubjectPublicKeyInfo ---- */

static EVP_PKEY *ec_from_point(struct spdm_openssl *ossl, enum spdm_openssl_kind kind, struct spdm_span point)
{
    size_t half = spdm_openssl_kinds[kind].size / 2;
    bool whole = point.n == 1 + 2 * half && point.p[0] == 4;
    bool compressed = point.n == 1 + half && (point.p[0] == 2 || point.p[0] == 3);

    if (!(whole || compressed) || !spdm_openssl_usable(ossl, kind)) return NULL;
    /* making a key takes three times as long as putting another point into one that is there */
    EVP_PKEY *pkey = ossl->kind[kind].spare_n != 0 ? ossl->kind[kind].spare[--ossl->kind[kind].spare_n]
                                                   : EVP_PKEY_dup(ossl->kind[kind].empty);
    if (pkey != NULL && EVP_PKEY_set1_encoded_public_key(pkey, point.p, point.n) != 1) { /* not on the curve */
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    return pkey;
}

/* An even modulus or exponent, or an exponent of 1, makes no RSA key: such "keys" verify what nobody signed. */
static bool rsa_is_sane(const BIGNUM *n, const BIGNUM *e)
{
    return n != NULL && e != NULL && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) && BN_num_bits(n) <= RSA_BITS_MAX &&
           BN_num_bits(e) <= 64;
}

static EVP_PKEY *rsa_from_numbers(struct spdm_openssl *ossl, const BIGNUM *n, const BIGNUM *e)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(ossl->lib, "RSA", ossl->propq);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *pkey = NULL;

    if (builder != NULL && maker != NULL && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1 &&
        (params = OSSL_PARAM_BLD_to_param(builder)) != NULL && EVP_PKEY_fromdata_init(maker) == 1 &&
        EVP_PKEY_fromdata(maker, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        pkey = NULL;
    }
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(maker);
    OSSL_PARAM_BLD_free(builder);
    return pkey;
}

static EVP_PKEY *rsa_from_der(struct spdm_openssl *ossl, struct spdm_span der)
{
    struct spdm_der outer = spdm_der_over(der);
    struct spdm_der_item list, n, e;

    spdm_der_take(&outer, SPDM_DER_SEQUENCE, &list);
    struct spdm_der in = spdm_der_into(&outer, &list);
    spdm_der_take(&in, SPDM_DER_INTEGER, &n);
    spdm_der_take(&in, SPDM_DER_INTEGER, &e);
    if (!spdm_der_end(&in) || !spdm_der_end(&outer) || !spdm_der_is_integer(n.body) || !spdm_der_is_integer(e.body) ||
        n.body.p[0] >= 0x80 || e.body.p[0] >= 0x80) {
        return NULL;
    }
    BIGNUM *modulus = BN_bin2bn(n.body.p, (int)n.body.n, NULL), *exponent = BN_bin2bn(e.body.p, (int)e.body.n, NULL);
    EVP_PKEY *pkey = rsa_is_sane(modulus, exponent) ? rsa_from_numbers(ossl, modulus, exponent) : NULL;
    BN_free(modulus);
    BN_free(exponent);
    return pkey;
}

/* What the table does not know: other curves, RSA keys tied to PSS. */
static EVP_PKEY *any_from_der(struct spdm_openssl *ossl, struct spdm_span spki)
{
    const unsigned char *at = spki.p;
    EVP_PKEY *pkey = d2i_PUBKEY_ex(NULL, &at, (long)spki.n, ossl->lib, ossl->propq);

    if (pkey != NULL && at != spki.p + spki.n) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    return pkey;
}

static bool is(struct spdm_span a, const void *b, size_t n)
{
    return spdm_der_equal(a, (struct spdm_span){b, n});
}

/* The key; *kind becomes its kind if that is clear by now. */
static EVP_PKEY *from_parts(struct spdm_openssl *ossl, struct spdm_span spki, struct spdm_der *algorithm,
                            struct spdm_span bits, enum spdm_openssl_kind *found)
{
    struct spdm_der_item oid, curve;

    spdm_der_take(algorithm, SPDM_DER_OID, &oid);
    if (is(oid.body, oid_rsa, sizeof oid_rsa)) return rsa_from_der(ossl, bits);
    const struct spdm_openssl_kind_row *sm2 = &spdm_openssl_kinds[SPDM_KIND_SM2];
    bool ec = is(oid.body, oid_ec, sizeof oid_ec) || is(oid.body, sm2->oid, sm2->oid_n); /* SM2: both are in use */
    if (ec && spdm_der_if(algorithm, SPDM_DER_OID, &curve)) oid = curve;
    for (unsigned kind = SPDM_KIND_P256; kind < SPDM_KIND_SPDM_N; kind++) {
        const struct spdm_openssl_kind_row *row = &spdm_openssl_kinds[kind];
        if (ec != (row->group != NULL) || !is(oid.body, row->oid, row->oid_n)) continue;
        *found = kind;
        if (ec) return ec_from_point(ossl, kind, bits);
        if (!spdm_der_end(algorithm) || !spdm_openssl_usable(ossl, kind)) return NULL; /* parameters must be absent */
        return EVP_PKEY_new_raw_public_key_ex(ossl->lib, row->type, ossl->propq, bits.p, bits.n);
    }
    return any_from_der(ossl, spki);
}

struct spdm_openssl_key *spdm_openssl_key_open(struct spdm_openssl *ossl, struct spdm_span spki, char *cause)
{
    struct spdm_der outer = spdm_der_over(spki);
    struct spdm_der_item list, algorithm, bit_string;
    struct spdm_span bits = {0};
    struct spdm_openssl_key *key = NULL;
    EVP_PKEY *pkey = NULL;

    ERR_set_mark();
    spdm_der_take(&outer, SPDM_DER_SEQUENCE, &list);
    struct spdm_der in = spdm_der_into(&outer, &list);
    spdm_der_take(&in, SPDM_DER_SEQUENCE, &algorithm);
    spdm_der_take(&in, SPDM_DER_BIT_STRING, &bit_string);
    if (!spdm_der_end(&in) || !spdm_der_end(&outer) || !spdm_der_octets(&bit_string, &bits) || spki.n > SPKI_MAX) {
        spdm_openssl_say(cause, "the public key is no SubjectPublicKeyInfo");
    } else {
        struct spdm_der inside = spdm_der_into(&in, &algorithm);
        enum spdm_openssl_kind kind = SPDM_KIND_N;
        pkey = from_parts(ossl, spki, &inside, bits, &kind);
        if (pkey != NULL) {
            key = wrap(ossl, pkey, kind != SPDM_KIND_N ? kind : spdm_openssl_kind_of(pkey), cause);
            if (key != NULL) key->reusable = kind != SPDM_KIND_N && spdm_openssl_kinds[kind].group != NULL;
        } else {
            spdm_openssl_cause(cause, "the public key cannot be used");
        }
    }
    ERR_pop_to_mark();
    return key;
}

struct spdm_openssl_key *spdm_openssl_key_share(struct spdm_openssl_key *key)
{
    if (key != NULL) key->holders++;
    return key;
}

void spdm_openssl_key_free(struct spdm_openssl_key *key)
{
    if (key == NULL || --key->holders != 0) return;
    EVP_PKEY_CTX_free(key->kept->digest);
    EVP_MD_CTX_free(key->kept->message);
    OPENSSL_free(key->kept);
    if (key->reusable && key->ossl->kind[key->kind].spare_n < SPDM_OPENSSL_SPARE_MAX) {
        key->ossl->kind[key->kind].spare[key->ossl->kind[key->kind].spare_n++] = key->pkey;
    } else {
        EVP_PKEY_free(key->pkey);
    }
    OPENSSL_free(key);
}

const uint8_t *spdm_openssl_key_algorithms(const struct spdm_openssl_key *key)
{
    const uint8_t *signs = spdm_openssl_kind_row(key->kind)->signs;

    return key->pss_only && *signs != 0 ? signs + 1 : signs;
}

bool spdm_openssl_key_fits(const struct spdm_openssl_key *key, enum spdm_alg alg)
{
    if (key == NULL || alg == SPDM_ALG_NONE) return false;
    for (const uint8_t *a = spdm_openssl_key_algorithms(key); *a != 0; a++) {
        if (*a == (uint8_t)alg) return true;
    }
    return false;
}

const char *spdm_openssl_key_name(const struct spdm_openssl_key *key)
{
    return key->name;
}
