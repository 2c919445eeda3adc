/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the OpenSSL back end keeps for sessions, and HMAC. HMAC is put
 * together from the hash here (RFC 2104), in one kept context: less than half
 * the time of EVP_MAC, which copies key and contexts at every turn. Only who
 * asks for a provider by a property query gets that provider's own HMAC,
 * because it may be the module that has been validated. */
#include "port/session_openssl.h"
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

enum { BLOCK_MAX = 136, TEXT_MAX = 128 }; /* the widest block: SHA3-256; what is short enough to lie behind it */

/* Forgets what the context held: by a copy of one that holds nothing, which costs less than to begin anew. */
static bool refresh(struct spdm_openssl_hash *h)
{
    h->ready = EVP_MD_CTX_copy_ex(h->keyed, h->fresh) == 1;
    return h->ready;
}

/* The digest of what lies in front and of what follows it. */
static bool digest(struct spdm_openssl_hash *h, struct spdm_span front, const struct spdm_hmac *rest, uint8_t *out)
{
    bool done = (h->ready || refresh(h)) && EVP_DigestUpdate(h->keyed, front.p, front.n) == 1;

    for (size_t i = 0; done && rest != NULL && i < rest->n; i++) {
        if (rest->part[i].n != 0) done = EVP_DigestUpdate(h->keyed, rest->part[i].p, rest->part[i].n) == 1;
    }
    done = done && EVP_DigestFinal_ex(h->keyed, out, NULL) == 1;
    return refresh(h) && done;
}

/* Blocks of hashes are multiples of eight bytes. */
static void flip(uint8_t *block, size_t width, uint8_t by)
{
    const uint64_t mask = by * (uint64_t)0x0101010101010101;
    uint64_t word;

    for (size_t at = 0; at < width; at += sizeof word) {
        memcpy(&word, block + at, sizeof word);
        word ^= mask;
        memcpy(block + at, &word, sizeof word);
    }
}

/* A call of libcrypto costs half as much as a block: a short text is laid behind the key. Its length, 0 if it is not
 * laid there. */
static size_t lay(const struct spdm_hmac *in, uint8_t out[TEXT_MAX])
{
    size_t at = 0;

    for (size_t i = 0; i < in->n; i++) {
        if (in->part[i].n > TEXT_MAX) return 0;
        at += in->part[i].n;
    }
    if (at > TEXT_MAX) return 0;
    at = 0;
    for (size_t i = 0; i < in->n; i++) {
        if (in->part[i].n != 0) memcpy(out + at, in->part[i].p, in->part[i].n);
        at += in->part[i].n;
    }
    return at;
}

/* H((K ^ opad) || H((K ^ ipad) || text)). */
static bool hmac_of_hash(struct spdm_openssl_hash *h, const struct spdm_hmac *in, uint8_t *out)
{
    int width = EVP_MD_get_block_size(h->md), size = EVP_MD_get_size(h->md);
    uint8_t text[BLOCK_MAX + TEXT_MAX];

    if (width <= 0 || width > BLOCK_MAX || width % 8 != 0 || size <= 0 || size > SPDM_HASH_MAX) return false;
    struct spdm_span front = {text, (size_t)width};
    uint8_t *behind = text + width;
    bool done = true;
    memset(text, 0, front.n);
    if (in->key.n > front.n) {
        done = digest(h, in->key, NULL, text);
    } else if (in->key.n != 0) {
        memcpy(text, in->key.p, in->key.n);
    }
    flip(text, front.n, 0x36);
    size_t laid = lay(in, behind);
    done = done && digest(h, (struct spdm_span){text, front.n + laid}, laid != 0 ? NULL : in, behind);
    flip(text, front.n, 0x36 ^ 0x5c);
    done = done && digest(h, (struct spdm_span){text, front.n + (size_t)size}, NULL, out);
    OPENSSL_cleanse(text, front.n + (laid > (size_t)size ? laid : (size_t)size));
    return done;
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

    if (spdm_openssl_md(ossl, in->hash) == NULL) return false;
    bool done;
    if (ossl->propq == NULL) {
        done = hmac_of_hash(&ossl->hash[in->hash], in, out);
    } else {
        ERR_set_mark();
        done = hmac_of_provider(ossl, in, out);
        ERR_pop_to_mark();
    }
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
    if (ossl->propq != NULL) {
        ERR_set_mark();
        ossl->session->mac = EVP_MAC_fetch(ossl->lib, OSSL_MAC_NAME_HMAC, ossl->propq);
        ERR_pop_to_mark();
        ossl->fetches++;
    }
    return true;
}

void spdm_openssl_session_drop(struct spdm_openssl *ossl)
{
    struct spdm_openssl_session *session = ossl->session;

    if (session == NULL) return;
    for (size_t i = 0; i < SPDM_OPENSSL_HASH_N; i++) EVP_MAC_CTX_free(session->hmac[i].blank);
    EVP_MAC_free(session->mac);
    for (size_t i = 0; i < SPDM_OPENSSL_AEAD_N; i++) EVP_CIPHER_free(session->aead[i].cipher);
    for (size_t i = 0; i < SPDM_OPENSSL_DHE_N + SPDM_OPENSSL_KEM_N; i++) {
        spdm_openssl_agreement_drop(&session->agreement[i]);
    }
    OPENSSL_free(session);
    ossl->session = NULL;
}
