/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Private keys by OSSL_STORE, and signing with them. The handle is an
 * EVP_PKEY of whatever provider brought it; what is asked of it is the same
 * for a file and for a TPM: RSA and ECDSA sign a digest, the others sign the
 * message. libcrypto's form of a signature becomes SPDM's here. */
#include "port/ed448_openssl.h"
#include "port/keystore.h"
#include "port/openssl_inside.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <string.h>

struct spdm_signer {
    struct spdm_openssl *own; /* a library context for this key alone; NULL: the caller's */
    struct spdm_openssl *ossl;
    struct spdm_openssl_key *key;
    struct spdm_openssl_key *public; /* the public half in the caller's library context */
    EVP_PKEY_CTX *digest;            /* kept ready to sign digests of `hash` */
    enum spdm_alg hash;
    bool pss;
    EVP_MD_CTX *message;
    uint8_t *der; /* room for a signature in libcrypto's form */
    size_t der_n;
};

/* ---- opening ---- */

#define OBJECTS_MAX 16 /* of a store, looked at for a key */

struct asking {
    const struct spdm_signer_options *options;
    bool asked;
};

/* A pem_password_cb: the length of the passphrase, -1 without one. */
static int give_passphrase(char *out, int cap, int rwflag, void *ctx)
{
    struct asking *asking = ctx;

    (void)rwflag;
    asking->asked = true;
    if (asking->options->passphrase == NULL || cap < 1) return -1;
    out[0] = '\0';
    if (!asking->options->passphrase(asking->options->passphrase_ctx, out, (size_t)cap)) return -1;
    out[cap - 1] = '\0';
    return (int)strlen(out);
}

/* The first private key a store holds. What stands in front of it may be an error to the store: `openssl ecparam
 * -genkey` writes the curve first, and where a private key is expected, 3.0 does not know what that is. */
static EVP_PKEY *first_key(OSSL_STORE_CTX *store, const struct asking *asking)
{
    EVP_PKEY *pkey = NULL;

    ERR_set_mark();
    for (unsigned i = 0; i < OBJECTS_MAX && pkey == NULL && OSSL_STORE_eof(store) == 0; i++) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (info == NULL) {
            if (OSSL_STORE_error(store) != 0 && asking->asked) break;
            continue;
        }
        if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY) pkey = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    (void)(pkey != NULL ? ERR_pop_to_mark() : ERR_clear_last_mark());
    return pkey;
}

static EVP_PKEY *load(const struct spdm_openssl *ossl, struct asking *asking, char *cause)
{
    const char *uri = asking->options->uri;
    UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give_passphrase, 0);
    OSSL_STORE_CTX *store = NULL;
    EVP_PKEY *pkey = NULL;

    if (ui != NULL) store = OSSL_STORE_open_ex(uri, ossl->lib, ossl->propq, ui, asking, NULL, NULL, NULL);
    unsigned long code = ERR_peek_last_error();
    if (store == NULL && ERR_GET_LIB(code) == ERR_LIB_OSSL_STORE && ERR_GET_REASON(code) == ERR_R_UNSUPPORTED) {
        spdm_openssl_say(cause, "no provider that is loaded knows what the key %s is", uri);
    } else if (store == NULL) {
        spdm_openssl_cause(cause, "cannot open the key %s", uri);
    } else if (OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) == 1 && (pkey = first_key(store, asking)) == NULL) {
        if (asking->asked && asking->options->passphrase == NULL) {
            spdm_openssl_say(cause, "the key %s is encrypted, and passphrases are not asked for", uri);
        } else if (asking->asked) {
            spdm_openssl_cause(cause, "the key %s does not open with this passphrase", uri);
        } else {
            spdm_openssl_cause(cause, "there is no private key in %s", uri);
        }
    }
    OSSL_STORE_close(store);
    UI_destroy_method(ui);
    return pkey;
}

static bool needs_own(const struct spdm_signer_options *o)
{
    return o->propq != NULL || o->providers != NULL || o->config != NULL;
}

/* What the provider of a private key does with the public half is its own affair (a TPM is slow at it, or refuses):
 * verification gets a key of the caller's. */
static struct spdm_openssl_key *public_half(struct spdm_openssl *ossl, const EVP_PKEY *pkey, char *cause)
{
    unsigned char *spki = NULL;
    int n = i2d_PUBKEY(pkey, &spki);
    struct spdm_openssl_key *key = NULL;

    if (n > 0) {
        key = spdm_openssl_key_open(ossl, (struct spdm_span){spki, (size_t)n}, cause);
    } else {
        spdm_openssl_cause(cause, "the key does not show its public half");
    }
    OPENSSL_free(spki);
    return key;
}

/* Fills a signer; what it holds on failure is freed by the caller. */
static bool fill(struct spdm_signer *s, const struct spdm_signer_options *o, char *cause)
{
    struct spdm_openssl *callers = s->ossl;
    struct asking asking = {.options = o};

    if (needs_own(o)) {
        const struct spdm_openssl_options own = {.propq = o->propq, .providers = o->providers, .config = o->config};
        s->own = s->ossl = spdm_openssl_open(&own, cause);
        if (s->own == NULL) return false;
    }
    EVP_PKEY *pkey = load(s->ossl, &asking, cause);
    if (pkey == NULL) return false;
    s->key = spdm_openssl_key_wrap(s->ossl, pkey, cause);
    if (s->key == NULL) return false;
    if (spdm_openssl_key_algorithms(s->key)[0] == 0) {
        spdm_openssl_say(cause, "SPDM has no algorithm for the %s key %s", s->key->name, o->uri);
        return false;
    }
    if (s->key->kind == SPDM_KIND_SM2 && !EVP_PKEY_is_a(s->key->pkey, "SM2")) {
        spdm_openssl_say(cause, "the provider takes the SM2 key %s for one of ECDSA", o->uri);
        return false;
    }
    s->public = public_half(callers, s->key->pkey, cause);
    if (s->public == NULL) return false;
    spdm_openssl_say(cause, "out of memory");
    s->der_n = spdm_openssl_kinds[s->key->kind].size + 16u;
    s->der = OPENSSL_malloc(s->der_n);
    s->message = EVP_MD_CTX_new();
    return s->der != NULL && s->message != NULL;
}

struct spdm_signer *spdm_signer_open(struct spdm_openssl *ossl, const struct spdm_signer_options *options, char *cause)
{
    struct spdm_signer *s = OPENSSL_zalloc(sizeof *s);

    spdm_openssl_say(cause, "out of memory");
    if (s == NULL) return NULL;
    s->ossl = ossl;
    ERR_set_mark();
    if (!fill(s, options, cause)) {
        spdm_signer_close(s);
        s = NULL;
    }
    ERR_pop_to_mark();
    if (s != NULL && cause != NULL) cause[0] = '\0';
    return s;
}

void spdm_signer_close(struct spdm_signer *s)
{
    if (s == NULL) return;
    EVP_PKEY_CTX_free(s->digest);
    EVP_MD_CTX_free(s->message);
    OPENSSL_clear_free(s->der, s->der_n);
    spdm_openssl_key_free(s->public);
    spdm_openssl_key_free(s->key);
    spdm_openssl_close(s->own);
    OPENSSL_free(s);
}

/* ---- signing ---- */

/* A TPM must be told the hash to sign an ECDSA digest; libcrypto's own ECDSA need not, and refuses some (SM3). */
static bool tell_hash(struct spdm_signer *s, EVP_PKEY_CTX *ctx, const struct spdm_signing *what)
{
    bool rsa = spdm_openssl_kinds[s->key->kind].family == SPDM_FAMILY_RSA;
    EVP_MD *md = spdm_openssl_md(s->ossl, what->hash);

    if (md == NULL) return !rsa;
    if (!rsa) {
        ERR_set_mark();
        (void)EVP_PKEY_CTX_set_signature_md(ctx, md);
        ERR_pop_to_mark();
        return true;
    }
    if (EVP_PKEY_CTX_set_rsa_padding(ctx, s->pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) != 1 ||
        EVP_PKEY_CTX_set_signature_md(ctx, md) != 1) {
        return false;
    }
    return !s->pss || (EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1 &&
                       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static bool is_pss(enum spdm_alg alg)
{
    return alg == SPDM_RSAPSS_2048 || alg == SPDM_RSAPSS_3072 || alg == SPDM_RSAPSS_4096;
}

/* The length of the signature in s->der, 0 if there is none. */
static size_t sign_digest(struct spdm_signer *s, const struct spdm_signing *what)
{
    size_t n = s->der_n;

    if (what->data.n == 0 || what->data.n != spdm_openssl_hash_size(what->hash)) return 0;
    if (s->digest == NULL || s->hash != what->hash || s->pss != is_pss(what->alg)) {
        EVP_PKEY_CTX_free(s->digest);
        s->digest = EVP_PKEY_CTX_new_from_pkey(s->ossl->lib, s->key->pkey, s->ossl->propq);
        s->hash = what->hash;
        s->pss = is_pss(what->alg);
        if (s->digest == NULL || EVP_PKEY_sign_init(s->digest) != 1 || !tell_hash(s, s->digest, what)) {
            EVP_PKEY_CTX_free(s->digest);
            s->digest = NULL;
            return 0;
        }
    }
    return EVP_PKEY_sign(s->digest, s->der, &n, what->data.p, what->data.n) == 1 ? n : 0;
}

static size_t sign_message(struct spdm_signer *s, const struct spdm_signing *what)
{
    bool sm2 = s->key->kind == SPDM_KIND_SM2;
    size_t n = s->der_n, context_n = what->context.n;
    uint8_t context[255];

    if (context_n > sizeof context || !spdm_openssl_usable(s->ossl, s->key->kind)) return 0;
    if (s->key->kind == SPDM_KIND_ED448 && context_n != 0 && !s->ossl->kind[SPDM_KIND_ED448].context) {
        return spdm_ed448_sign(s->key, what->context, what->data, s->der) ? SPDM_ED448_SIGNATURE : 0;
    }
    if (context_n != 0) memcpy(context, what->context.p, context_n);
    OSSL_PARAM params[2] = {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
    if (sm2) params[0] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_DIST_ID, context, context_n);
    if (!sm2 && context_n != 0) params[0] = OSSL_PARAM_construct_octet_string("context-string", context, context_n);
    if (EVP_DigestSignInit_ex(s->message, NULL, sm2 ? "SM3" : NULL, s->ossl->lib, s->ossl->propq, s->key->pkey,
                              params) != 1) {
        return 0;
    }
    return EVP_DigestSign(s->message, s->der, &n, what->data.p, what->data.n) == 1 ? n : 0;
}

/* Whether the question is one this key can answer in SPDM's terms. */
static bool is_possible(const struct spdm_signer *s, const struct spdm_signing *what, size_t room, char *cause)
{
    const struct spdm_openssl_kind_row *row = &spdm_openssl_kinds[s->key->kind];
    bool digest = row->family == SPDM_FAMILY_RSA || row->family == SPDM_FAMILY_EC;
    bool pure = s->key->kind >= SPDM_KIND_ED448;

    if (!spdm_openssl_key_fits(s->key, what->alg)) {
        spdm_openssl_say(cause, "an %s key cannot sign with %s", s->key->name, spdm_algorithm_name(what->alg));
    } else if (what->prehashed != digest || (what->context.n != 0 && !pure)) {
        spdm_openssl_say(cause, "%s is asked to sign in a way it does not", spdm_algorithm_name(what->alg));
    } else if (room < row->size) {
        spdm_openssl_say(cause, "a signature of %u bytes does not fit %zu", row->size, room);
    } else {
        return true;
    }
    return false;
}

size_t spdm_signer_sign(struct spdm_signer *s, const struct spdm_signing *what, struct spdm_room out, char *cause)
{
    size_t size = spdm_openssl_kinds[s->key->kind].size, n = 0;
    uint8_t family = spdm_openssl_kinds[s->key->kind].family;

    ERR_set_mark();
    if (is_possible(s, what, out.n, cause)) {
        n = what->prehashed ? sign_digest(s, what) : sign_message(s, what);
        if (n != 0 && (family == SPDM_FAMILY_EC || family == SPDM_FAMILY_SM2)) {
            n = spdm_ecdsa_from_der((struct spdm_span){s->der, n}, size / 2, out.p);
        } else if (n == size) {
            memcpy(out.p, s->der, n);
        }
        if (n != size) {
            spdm_openssl_cause(cause, "the %s key did not sign", s->key->name);
            n = 0;
        }
    }
    ERR_pop_to_mark();
    return n;
}

const uint8_t *spdm_signer_algorithms(const struct spdm_signer *s)
{
    return spdm_openssl_key_algorithms(s->key);
}

const char *spdm_signer_name(const struct spdm_signer *s)
{
    return s->key->name;
}

const struct spdm_openssl_key *spdm_signer_public(const struct spdm_signer *s)
{
    return s->public;
}

const struct spdm_openssl_key *spdm_signer_private(const struct spdm_signer *s)
{
    return s->key;
}

/* Keys on curves may have had another point before, and another library context may remember it: it keeps what it
 * made of a key to compare it. So points are compared. */
static bool same_number(const EVP_PKEY *a, const EVP_PKEY *b, const char *which)
{
    BIGNUM *one = NULL, *two = NULL;
    bool same = EVP_PKEY_get_bn_param(a, which, &one) == 1 && EVP_PKEY_get_bn_param(b, which, &two) == 1 &&
                BN_cmp(one, two) == 0;

    BN_free(one);
    BN_free(two);
    return same;
}

static bool same_point(const struct spdm_openssl_key *a, const struct spdm_openssl_key *b)
{
    return a->kind == b->kind && same_number(a->pkey, b->pkey, OSSL_PKEY_PARAM_EC_PUB_X) &&
           same_number(a->pkey, b->pkey, OSSL_PKEY_PARAM_EC_PUB_Y);
}

bool spdm_signer_matches(const struct spdm_signer *s, const struct spdm_openssl_key *key)
{
    ERR_set_mark();
    bool curve = key != NULL && key->kind < SPDM_KIND_SPDM_N && spdm_openssl_kinds[key->kind].group != NULL;
    bool same = curve ? same_point(s->public, key) : key != NULL && EVP_PKEY_eq(s->public->pkey, key->pkey) == 1;
    ERR_pop_to_mark();
    return same;
}

/* The first element of a SubjectPublicKeyInfo. */
size_t spdm_signer_algorithm_identifier(const struct spdm_signer *s, uint8_t *out, size_t cap)
{
    X509_PUBKEY *info = NULL;
    X509_ALGOR *algorithm = NULL;
    int n = 0;

    ERR_set_mark();
    if (X509_PUBKEY_set(&info, s->public->pkey) == 1 && X509_PUBKEY_get0_param(NULL, NULL, NULL, &algorithm, info) == 1)
        n = i2d_X509_ALGOR(algorithm, NULL);
    if (n > 0 && (size_t)n <= cap) (void)i2d_X509_ALGOR(algorithm, &out);
    X509_PUBKEY_free(info);
    ERR_pop_to_mark();
    return n > 0 ? (size_t)n : 0;
}
