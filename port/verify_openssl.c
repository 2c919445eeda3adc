/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Verifying with OpenSSL. RSA and ECDSA verify a digest in a context that the
 * key keeps initialised; SM2, EdDSA, ML-DSA and SLH-DSA verify the message in
 * one call. What SPDM puts on the wire (r || s, DSP0274 "Signature
 * generation", R-GEN-11, R-GEN-12) becomes libcrypto's DER here. The verdict
 * starts as a refusal and is turned round in one place only, after the result
 * was looked at twice. */
#include "port/der.h"
#include "port/ed448_openssl.h"
#include "port/openssl_inside.h"
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

/* ---- r || s and DER ---- */

/* INTEGER of an unsigned big-endian number; the bytes written. */
static size_t put_integer(struct spdm_span number, uint8_t *out)
{
    while (number.n > 1 && number.p[0] == 0) number = (struct spdm_span){number.p + 1, number.n - 1};
    size_t pad = number.p[0] >> 7, at = 0;

    out[at++] = SPDM_DER_INTEGER;
    out[at++] = (uint8_t)(number.n + pad);
    if (pad != 0) out[at++] = 0;
    memcpy(out + at, number.p, number.n);
    return at + number.n;
}

size_t spdm_ecdsa_to_der(struct spdm_span raw, uint8_t *out)
{
    uint8_t body[SPDM_ECDSA_DER_MAX];
    size_t half = raw.n / 2, at = 0;

    if (half == 0 || half > 66 || raw.n % 2 != 0) return 0;
    size_t n = put_integer((struct spdm_span){raw.p, half}, body);
    n += put_integer((struct spdm_span){raw.p + half, half}, body + n);
    out[at++] = SPDM_DER_SEQUENCE;
    if (n >= 0x80) out[at++] = 0x81;
    out[at++] = (uint8_t)n;
    memcpy(out + at, body, n);
    return at + n;
}

/* A positive INTEGER right-aligned in `half` bytes. */
static bool get_integer(struct spdm_der *in, size_t half, uint8_t *out)
{
    struct spdm_der_item item;

    if (!spdm_der_take(in, SPDM_DER_INTEGER, &item)) return false;
    struct spdm_span s = item.body;
    if (!spdm_der_is_integer(s) || s.p[0] >= 0x80) return false;
    if (s.p[0] == 0) s = (struct spdm_span){s.p + 1, s.n - 1};
    if (s.n > half) return false;
    memset(out, 0, half - s.n);
    if (s.n != 0) memcpy(out + (half - s.n), s.p, s.n);
    return true;
}

size_t spdm_ecdsa_from_der(struct spdm_span der, size_t half, uint8_t *out)
{
    struct spdm_der outer = spdm_der_over(der);
    struct spdm_der_item list;

    if (!spdm_der_take(&outer, SPDM_DER_SEQUENCE, &list) || !spdm_der_end(&outer)) return 0;
    struct spdm_der in = spdm_der_into(&outer, &list);
    bool done = get_integer(&in, half, out) && get_integer(&in, half, out + half) && spdm_der_end(&in);
    return done ? 2 * half : 0;
}

/* ---- asking libcrypto ---- */

static bool set_up_rsa(EVP_PKEY_CTX *ctx, const struct spdm_openssl_scheme *scheme, const EVP_MD *md)
{
    int padding = scheme->pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;

    if (md == NULL || EVP_PKEY_CTX_set_rsa_padding(ctx, padding) != 1 || EVP_PKEY_CTX_set_signature_md(ctx, md) != 1) {
        return false;
    }
    return !scheme->pss ||
           (EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1 && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, scheme->salt) == 1);
}

/* The kept context if it is set up for this scheme, else a new one that is kept from now on. ECDSA is not told the
 * hash: it would only compare the digest's length, which has been done. */
static EVP_PKEY_CTX *digest_context(const struct spdm_openssl_key *key, const struct spdm_openssl_scheme *scheme)
{
    struct spdm_openssl_verifier *kept = key->kept;
    bool rsa = spdm_openssl_family_of(key->kind) == SPDM_FAMILY_RSA;

    if (kept->digest != NULL &&
        (!rsa || (kept->hash == scheme->hash && kept->pss == scheme->pss && kept->salt == scheme->salt))) {
        return kept->digest;
    }
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(key->ossl->lib, key->pkey, key->ossl->propq);
    if (ctx == NULL || EVP_PKEY_verify_init(ctx) != 1 ||
        (rsa && !set_up_rsa(ctx, scheme, spdm_openssl_md(key->ossl, scheme->hash)))) {
        EVP_PKEY_CTX_free(ctx);
        return NULL;
    }
    EVP_PKEY_CTX_free(kept->digest);
    kept->digest = ctx;
    kept->hash = scheme->hash;
    kept->pss = scheme->pss;
    kept->salt = scheme->salt;
    return ctx;
}

int spdm_openssl_check_digest(const struct spdm_openssl_key *key, const struct spdm_openssl_scheme *scheme,
                              struct spdm_span digest, struct spdm_span signature)
{
    int good = 0;

    if (digest.n == 0 || digest.n != spdm_openssl_hash_size(scheme->hash) || signature.n == 0) return 0;
    ERR_set_mark();
    EVP_PKEY_CTX *ctx = digest_context(key, scheme);
    if (ctx != NULL) good = EVP_PKEY_verify(ctx, signature.p, signature.n, digest.p, digest.n);
    ERR_pop_to_mark();
    return good;
}

/* Ed448 takes a context string in OpenSSL 3.2 and later only, and older ones ignore what they do not know: a
 * signature over the empty context would be taken for one over ours (R-SIG-08). */
static bool needs_own_ed448(const struct spdm_openssl_key *key, const struct spdm_openssl_scheme *scheme)
{
    return key->kind == SPDM_KIND_ED448 && scheme->context.n != 0 && !key->ossl->kind[SPDM_KIND_ED448].context;
}

static int verify_message(const struct spdm_openssl_key *key, const struct spdm_openssl_scheme *scheme,
                          struct spdm_span message, struct spdm_span signature)
{
    struct spdm_openssl_verifier *kept = key->kept;
    bool sm2 = key->kind == SPDM_KIND_SM2;
    uint8_t context[255];
    size_t n = scheme->context.n;

    if (n != 0) memcpy(context, scheme->context.p, n);
    OSSL_PARAM params[2] = {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
    if (sm2) params[0] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_DIST_ID, context, n);
    if (!sm2 && n != 0) params[0] = OSSL_PARAM_construct_octet_string("context-string", context, n);

    if (kept->message == NULL) kept->message = EVP_MD_CTX_new();
    const char *md = scheme->hash == SPDM_ALG_NONE ? NULL : spdm_openssl_hash_name(scheme->hash);
    if (kept->message == NULL ||
        EVP_DigestVerifyInit_ex(kept->message, NULL, md, key->ossl->lib, key->ossl->propq, key->pkey, params) != 1) {
        return 0;
    }
    return EVP_DigestVerify(kept->message, signature.p, signature.n, message.p, message.n);
}

int spdm_openssl_check_message(const struct spdm_openssl_key *key, const struct spdm_openssl_scheme *scheme,
                               struct spdm_span message, struct spdm_span signature)
{
    int good = 0;

    if (signature.n == 0 || scheme->context.n > 255 || !spdm_openssl_usable(key->ossl, key->kind)) return 0;
    ERR_set_mark();
    if (needs_own_ed448(key, scheme)) {
        good = spdm_ed448_verify(key, scheme->context, message, signature);
    } else {
        good = verify_message(key, scheme, message, signature);
    }
    ERR_pop_to_mark();
    return good;
}

/* ---- SPDM's verify ---- */

static bool takes_context(enum spdm_openssl_kind kind)
{
    return kind >= SPDM_KIND_ED448 && kind < SPDM_KIND_SPDM_N;
}

/* 1: good. Everything that SPDM fixes about the form has been checked. */
static int check(const struct spdm_openssl_key *key, const struct spdm_signing *what, struct spdm_span signature)
{
    struct spdm_openssl_scheme scheme = {.hash = what->hash, .context = what->context};
    uint8_t der[SPDM_ECDSA_DER_MAX];

    switch ((enum spdm_openssl_family)spdm_openssl_kinds[key->kind].family) {
    case SPDM_FAMILY_RSA:
        scheme.pss = what->alg == SPDM_RSAPSS_2048 || what->alg == SPDM_RSAPSS_3072 || what->alg == SPDM_RSAPSS_4096;
        scheme.salt = scheme.pss ? (uint16_t)spdm_openssl_hash_size(what->hash) : 0;
        return spdm_openssl_check_digest(key, &scheme, what->data, signature);
    case SPDM_FAMILY_EC:
        return spdm_openssl_check_digest(key, &scheme, what->data,
                                         (struct spdm_span){der, spdm_ecdsa_to_der(signature, der)});
    case SPDM_FAMILY_SM2:
        scheme.hash = SPDM_SM3_256;
        return spdm_openssl_check_message(key, &scheme, what->data,
                                          (struct spdm_span){der, spdm_ecdsa_to_der(signature, der)});
    case SPDM_FAMILY_PURE:
        scheme.hash = SPDM_ALG_NONE;
        return spdm_openssl_check_message(key, &scheme, what->data, signature);
    }
    return 0;
}

spdm_verdict spdm_openssl_verify(void *ctx, const void *handle, const struct spdm_signing *what,
                                 struct spdm_span signature)
{
    const struct spdm_openssl_key *key = handle;
    volatile spdm_verdict verdict = SPDM_BAD;

    (void)ctx;
    if (key == NULL || what == NULL || !spdm_openssl_key_fits(key, what->alg) || signature.n == 0) return verdict;
    const struct spdm_openssl_kind_row *row = &spdm_openssl_kinds[key->kind];
    bool digest = row->family == SPDM_FAMILY_RSA || row->family == SPDM_FAMILY_EC;
    if (signature.n != row->size || what->prehashed != digest || (what->context.n != 0 && !takes_context(key->kind))) {
        return verdict;
    }
    volatile int good = check(key, what, signature);
    if (good == 1) {
        volatile int again = ~good;
        if (again == ~1 && good == 1) verdict = SPDM_GOOD;
    }
    return verdict;
}
