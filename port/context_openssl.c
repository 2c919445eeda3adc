/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The OpenSSL back end itself: its library context, what has been fetched
 * into it, and the table of functions the core calls. Whatever is looked for
 * is looked for once: what the library does not have is remembered, too. */
#include "port/ed448_openssl.h"
#include "port/openssl_inside.h"
#include "port/session_openssl.h"
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    uint8_t size;
} hashes[SPDM_OPENSSL_HASH_N] = {
    [SPDM_SHA_256] = {"SHA2-256", 32},  [SPDM_SHA_384] = {"SHA2-384", 48},  [SPDM_SHA_512] = {"SHA2-512", 64},
    [SPDM_SHA3_256] = {"SHA3-256", 32}, [SPDM_SHA3_384] = {"SHA3-384", 48}, [SPDM_SHA3_512] = {"SHA3-512", 64},
    [SPDM_SM3_256] = {"SM3", 32},
};

void spdm_openssl_say(char *cause, const char *what, ...)
{
    va_list args;

    if (cause == NULL) return;
    va_start(args, what);
    (void)vsnprintf(cause, SPDM_CAUSE_MAX, what, args);
    va_end(args);
}

void spdm_openssl_cause(char *cause, const char *what, ...)
{
    va_list args;
    const char *detail = NULL;
    int flags = 0;

    if (cause == NULL) return;
    va_start(args, what);
    int n = vsnprintf(cause, SPDM_CAUSE_MAX, what, args);
    va_end(args);
    if (n < 0 || n >= SPDM_CAUSE_MAX) return;

    unsigned long code = ERR_peek_last_error_all(NULL, NULL, NULL, &detail, &flags);
    const char *reason = code == 0                ? NULL
                         : ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
                                                  : ERR_reason_error_string(code);
    bool more = detail != NULL && detail[0] != '\0' && (flags & ERR_TXT_STRING) != 0;
    if (reason == NULL && !more) return;
    snprintf(cause + n, SPDM_CAUSE_MAX - (size_t)n, ": %s%s%s%s", reason != NULL ? reason : "", more ? " (" : "",
             more ? detail : "", more ? ")" : "");
}

const char *spdm_openssl_hash_name(enum spdm_alg hash)
{
    return (size_t)hash < SPDM_OPENSSL_HASH_N ? hashes[hash].name : NULL;
}

size_t spdm_openssl_hash_size(enum spdm_alg hash)
{
    return (size_t)hash < SPDM_OPENSSL_HASH_N ? hashes[hash].size : 0;
}

EVP_MD *spdm_openssl_md(struct spdm_openssl *ossl, enum spdm_alg hash)
{
    if (spdm_openssl_hash_size(hash) == 0) return NULL;
    struct spdm_openssl_hash *h = &ossl->hash[hash];
    if (!h->tried) {
        ERR_set_mark();
        h->md = EVP_MD_fetch(ossl->lib, hashes[hash].name, ossl->propq);
        if (h->md != NULL && !spdm_openssl_hash_set_up(h)) spdm_openssl_hash_drop(h);
        ERR_pop_to_mark();
        h->tried = true;
        ossl->fetches++;
    }
    return h->md;
}

/* The signature algorithm's name belongs to the key type but for EC, whose keys sign with ECDSA. */
static bool look_for(struct spdm_openssl *ossl, enum spdm_openssl_kind kind)
{
    const struct spdm_openssl_kind_row *row = &spdm_openssl_kinds[kind];
    const char *name = row->family == SPDM_FAMILY_EC ? "ECDSA" : row->type;
    EVP_SIGNATURE *signature = EVP_SIGNATURE_fetch(ossl->lib, name, ossl->propq);
    EVP_PKEY_CTX *maker = NULL;
    bool usable = signature != NULL;

    if (usable) {
        const OSSL_PARAM *settable = EVP_SIGNATURE_settable_ctx_params(signature);
        ossl->kind[kind].context = OSSL_PARAM_locate_const(settable, "context-string") != NULL;
    }
    EVP_SIGNATURE_free(signature);
    if (usable && row->group != NULL) {
        char group[16];
        snprintf(group, sizeof group, "%s", row->group);
        OSSL_PARAM curve[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                              OSSL_PARAM_construct_end()};
        maker = EVP_PKEY_CTX_new_from_name(ossl->lib, row->type, ossl->propq);
        usable = maker != NULL && EVP_PKEY_fromdata_init(maker) == 1 &&
                 EVP_PKEY_fromdata(maker, &ossl->kind[kind].empty, EVP_PKEY_KEY_PARAMETERS, curve) == 1;
        EVP_PKEY_CTX_free(maker);
    }
    return usable;
}

bool spdm_openssl_usable(struct spdm_openssl *ossl, enum spdm_openssl_kind kind)
{
    if (kind >= SPDM_KIND_SPDM_N) return kind < SPDM_KIND_N;
    if (!ossl->kind[kind].tried) {
        ERR_set_mark();
        ossl->kind[kind].usable = look_for(ossl, kind);
        ERR_pop_to_mark();
        ossl->kind[kind].tried = true;
        ossl->fetches++;
    }
    return ossl->kind[kind].usable;
}

static bool supports(void *ctx, enum spdm_alg alg)
{
    struct spdm_openssl *ossl = ctx;

    if (spdm_openssl_hash_size(alg) != 0) return spdm_openssl_md(ossl, alg) != NULL;
    for (unsigned kind = 0; kind < SPDM_KIND_SPDM_N; kind++) {
        for (const uint8_t *a = spdm_openssl_kinds[kind].signs; *a != 0; a++) {
            if (*a == (uint8_t)alg) return spdm_openssl_usable(ossl, kind);
        }
    }
    return spdm_openssl_session_supports(ossl, alg);
}

static bool fill_random(void *ctx, uint8_t *out, size_t n)
{
    struct spdm_openssl *ossl = ctx;

    if (n == 0) return true;
    ERR_set_mark();
    bool done = RAND_bytes_ex(ossl->lib, out, n, 0) == 1;
    ERR_pop_to_mark();
    if (!done) OPENSSL_cleanse(out, n);
    return done;
}

const struct spdm_crypto *spdm_openssl_crypto(void)
{
    static const struct spdm_crypto crypto = {
        .hash_state_size = SPDM_OPENSSL_HASH_STATE,
        .supports = supports,
        .hash_begin = spdm_openssl_hash_begin,
        .hash_update = spdm_openssl_hash_update,
        .hash_peek = spdm_openssl_hash_peek,
        .hash_copy = spdm_openssl_hash_copy,
        .hash_end = spdm_openssl_hash_end,
        .random = fill_random,
        .verify = spdm_openssl_verify,
        .hmac = spdm_openssl_hmac,
        .aead_state_size = SPDM_OPENSSL_AEAD_STATE,
        .aead_begin = spdm_openssl_aead_begin,
        .aead_seal = spdm_openssl_aead_seal,
        .aead_open = spdm_openssl_aead_open,
        .aead_end = spdm_openssl_aead_end,
        .exchange_state_size = SPDM_OPENSSL_EXCHANGE_STATE,
        .exchange_begin = spdm_openssl_exchange_begin,
        .exchange_finish = spdm_openssl_exchange_finish,
        .exchange_end = spdm_openssl_exchange_end,
        .exchange_reply = spdm_openssl_exchange_reply,
    };
    return &crypto;
}

/* Loading one provider by name keeps OpenSSL from loading its default one, so `names` must be the whole list. */
static bool load_providers(struct spdm_openssl *ossl, const char *const *names, char *cause)
{
    size_t n = 0;

    while (names != NULL && names[n] != NULL) n++;
    if (n == 0) return true;
    ossl->providers.v = OPENSSL_zalloc(n * sizeof *ossl->providers.v);
    if (ossl->providers.v == NULL) return false;
    for (size_t i = 0; i < n; i++) {
        OSSL_PROVIDER *provider = OSSL_PROVIDER_load(ossl->lib, names[i]);
        if (provider == NULL) {
            spdm_openssl_cause(cause, "OpenSSL cannot load its provider '%s'", names[i]);
            return false;
        }
        ossl->providers.v[ossl->providers.n++] = provider;
    }
    return true;
}

static bool prepare(struct spdm_openssl *ossl, const struct spdm_openssl_options *options, char *cause)
{
    ossl->lib = OSSL_LIB_CTX_new();
    if (ossl->lib == NULL) return false;
    if (options->propq != NULL && (ossl->propq = OPENSSL_strdup(options->propq)) == NULL) return false;
    if (options->config != NULL && OSSL_LIB_CTX_load_config(ossl->lib, options->config) != 1) {
        spdm_openssl_cause(cause, "OpenSSL cannot use the configuration %s", options->config);
        return false;
    }
    if (!load_providers(ossl, options->providers, cause)) return false;
    if (spdm_openssl_md(ossl, SPDM_SHA_256) == NULL) {
        spdm_openssl_cause(cause, "OpenSSL has no SHA-256 under the property query '%s'",
                           ossl->propq != NULL ? ossl->propq : "");
        return false;
    }
    return spdm_openssl_session_open(ossl);
}

struct spdm_openssl *spdm_openssl_open(const struct spdm_openssl_options *options, char *cause)
{
    static const struct spdm_openssl_options defaults = {0};
    struct spdm_openssl *ossl = OPENSSL_zalloc(sizeof *ossl);

    ERR_set_mark();
    spdm_openssl_say(cause, "out of memory");
    if (ossl != NULL && !prepare(ossl, options != NULL ? options : &defaults, cause)) {
        spdm_openssl_close(ossl);
        ossl = NULL;
    }
    if (cause != NULL && ossl != NULL) cause[0] = '\0';
    ERR_pop_to_mark();
    return ossl;
}

void spdm_openssl_close(struct spdm_openssl *ossl)
{
    if (ossl == NULL) return;
    spdm_openssl_lent_close(ossl);
    for (size_t i = 0; i < SPDM_OPENSSL_HASH_N; i++) spdm_openssl_hash_drop(&ossl->hash[i]);
    for (size_t i = 0; i < SPDM_KIND_SPDM_N; i++) {
        while (ossl->kind[i].spare_n != 0) EVP_PKEY_free(ossl->kind[i].spare[--ossl->kind[i].spare_n]);
        EVP_PKEY_free(ossl->kind[i].empty);
    }
    spdm_openssl_session_drop(ossl);
    spdm_ed448_drop(ossl);
    EVP_MD_free(ossl->shake256);
    for (size_t i = ossl->providers.n; i-- > 0;) OSSL_PROVIDER_unload(ossl->providers.v[i]);
    OPENSSL_free(ossl->providers.v);
    OPENSSL_free(ossl->propq);
    OSSL_LIB_CTX_free(ossl->lib);
    OPENSSL_free(ossl);
}
