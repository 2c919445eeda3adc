/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the OpenSSL back end keeps for sessions, and HMAC. HMAC is put
 * together from the hash here (RFC 2104), in one kept context: half the time
 * of EVP_MAC, which copies key and contexts at every turn. Only who asks for
 * a provider by a property query gets that provider's own HMAC, because it
 * may be the module that has been validated. */
#include "port/session_openssl.h"
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

enum { BLOCK_MAX = 136 }; /* the widest: SHA3-256 */

static bool absorb(EVP_MD_CTX *md, const struct spdm_span *part, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (part[i].n != 0 && EVP_DigestUpdate(md, part[i].p, part[i].n) != 1) return false;
    }
    return true;
}

/* The digest of a block and of what follows it. */
static bool digest(EVP_MD_CTX *md, const EVP_MD *type, struct spdm_span block, const struct spdm_hmac *rest,
                   uint8_t *out)
{
    return EVP_DigestInit_ex2(md, type, NULL) == 1 && absorb(md, &block, 1) && absorb(md, rest->part, rest->n) &&
           EVP_DigestFinal_ex(md, out, NULL) == 1;
}

/* H((K ^ opad) || H((K ^ ipad) || text)). Beginning once more forgets the result, zeros the context's buffer. */
static bool hmac_of_hash(EVP_MD_CTX *md, const EVP_MD *type, const struct spdm_hmac *in, uint8_t *out)
{
    uint8_t block[BLOCK_MAX] = {0}, inner[SPDM_HASH_MAX];
    int width = EVP_MD_get_block_size(type), size = EVP_MD_get_size(type);

    if (width <= 0 || width > BLOCK_MAX || size <= 0 || size > SPDM_HASH_MAX) return false;
    struct spdm_span padded = {block, (size_t)width}, middle = {inner, (size_t)size};
    bool done = true;
    if (in->key.n > padded.n) {
        done = digest(md, type, in->key, &(struct spdm_hmac){.n = 0}, block);
    } else if (in->key.n != 0) {
        memcpy(block, in->key.p, in->key.n);
    }
    for (size_t i = 0; i < padded.n; i++) block[i] ^= 0x36;
    done = done && digest(md, type, padded, in, inner);
    for (size_t i = 0; i < padded.n; i++) block[i] ^= 0x36 ^ 0x5c;
    done = done && digest(md, type, padded, &(struct spdm_hmac){.part = &middle, .n = 1}, out);
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(inner, sizeof inner);
    return EVP_DigestInit_ex2(md, type, NULL) == 1 && EVP_DigestUpdate(md, block, padded.n - 1) == 1 && done;
}

static EVP_MAC_CTX *blank_of(struct spdm_openssl *ossl, enum spdm_alg hash)
{
    struct spdm_openssl_session *session = ossl->session;
    char name[16];

    if (session->mac == NULL || spdm_openssl_md(ossl, hash) == NULL) return NULL;
    if (!session->hmac[hash].tried) {
        OPENSSL_strlcpy(name, spdm_openssl_hash_name(hash), sizeof name);
        OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                               OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_PROPERTIES, ossl->propq, 0),
                               OSSL_PARAM_construct_end()};
        EVP_MAC_CTX *blank = EVP_MAC_CTX_new(session->mac);
        if (blank != NULL && EVP_MAC_CTX_set_params(blank, params) != 1) {
            EVP_MAC_CTX_free(blank);
            blank = NULL;
        }
        session->hmac[hash].blank = blank;
        session->hmac[hash].tried = true;
        ossl->fetches++;
    }
    return session->hmac[hash].blank;
}

/* A context keeps a copy of its key, so each key gets a context of its own, which wipes it when freed. */
static bool hmac_of_provider(struct spdm_openssl *ossl, const struct spdm_hmac *in, uint8_t *out)
{
    const EVP_MAC_CTX *blank = blank_of(ossl, in->hash);
    EVP_MAC_CTX *mac = blank != NULL ? EVP_MAC_CTX_dup(blank) : NULL;
    const uint8_t *key = in->key.n != 0 ? in->key.p : (const uint8_t *)"";
    bool done = mac != NULL && EVP_MAC_init(mac, key, in->key.n, NULL) == 1;

    for (size_t i = 0; done && i < in->n; i++) {
        if (in->part[i].n != 0) done = EVP_MAC_update(mac, in->part[i].p, in->part[i].n) == 1;
    }
    done = done && EVP_MAC_final(mac, out, NULL, spdm_openssl_hash_size(in->hash)) == 1;
    EVP_MAC_CTX_free(mac);
    return done;
}

bool spdm_openssl_hmac(void *ctx, const struct spdm_hmac *in, uint8_t *out)
{
    struct spdm_openssl *ossl = ctx;
    const EVP_MD *type = spdm_openssl_md(ossl, in->hash);

    if (type == NULL) return false;
    ERR_set_mark();
    bool done = ossl->propq != NULL ? hmac_of_provider(ossl, in, out) : hmac_of_hash(ossl->session->md, type, in, out);
    ERR_pop_to_mark();
    if (!done) OPENSSL_cleanse(out, spdm_openssl_hash_size(in->hash));
    return done;
}

bool spdm_openssl_session_supports(struct spdm_openssl *ossl, enum spdm_alg alg)
{
    if (alg == SPDM_KEY_SCHEDULE) return ossl->propq == NULL || ossl->session->mac != NULL;
    return spdm_openssl_cipher(ossl, alg) != NULL || spdm_openssl_agrees(ossl, alg);
}

bool spdm_openssl_session_open(struct spdm_openssl *ossl)
{
    ossl->session = OPENSSL_zalloc(sizeof *ossl->session);
    if (ossl->session == NULL) return false;
    ossl->session->md = EVP_MD_CTX_new();
    if (ossl->propq != NULL) {
        ERR_set_mark();
        ossl->session->mac = EVP_MAC_fetch(ossl->lib, OSSL_MAC_NAME_HMAC, ossl->propq);
        ERR_pop_to_mark();
        ossl->fetches++;
    }
    return ossl->session->md != NULL;
}

void spdm_openssl_session_drop(struct spdm_openssl *ossl)
{
    struct spdm_openssl_session *session = ossl->session;

    if (session == NULL) return;
    EVP_MD_CTX_free(session->md);
    for (size_t i = 0; i < SPDM_OPENSSL_HASH_N; i++) EVP_MAC_CTX_free(session->hmac[i].blank);
    EVP_MAC_free(session->mac);
    for (size_t i = 0; i < SPDM_OPENSSL_AEAD_N; i++) spdm_openssl_aead_drop(&session->aead[i]);
    for (size_t i = 0; i < SPDM_OPENSSL_DHE_N + SPDM_OPENSSL_KEM_N; i++) {
        spdm_openssl_agreement_drop(&session->agreement[i]);
    }
    OPENSSL_free(session);
    ossl->session = NULL;
}
