/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Running hashes on OpenSSL. A state in the caller's memory holds a pointer
 * to an EVP_MD_CTX; ended ones go back to a pool of their algorithm, blanked,
 * and are begun again without an allocation.
 *
 * A session takes a hundred of these small steps, and to mark libcrypto's
 * error queue costs as much as to hash 64 bytes: they do not. */
#include "port/openssl_inside.h"
#include <string.h>

struct running {
    EVP_MD_CTX *md;
    uint32_t hash;
};
_Static_assert(sizeof(struct running) <= SPDM_OPENSSL_HASH_STATE, "a hash state has room for a pointer and an id");

/* As good as new: a copy of one that has begun replaces all that a context held, its chaining value and its block
 * buffer, and costs less than to begin it anew. */
static bool blank(const struct spdm_openssl_hash *h, EVP_MD_CTX *md)
{
    return EVP_MD_CTX_copy_ex(md, h->fresh) == 1;
}

bool spdm_openssl_hash_set_up(struct spdm_openssl_hash *h)
{
    h->fresh = EVP_MD_CTX_new();
    h->keyed = EVP_MD_CTX_new();
    h->peek = EVP_MD_CTX_new();
    return h->fresh != NULL && h->keyed != NULL && h->peek != NULL && EVP_DigestInit_ex2(h->fresh, h->md, NULL) == 1;
}

static void put_back(struct spdm_openssl_hash *h, EVP_MD_CTX *md)
{
    if (h->idle_n < SPDM_OPENSSL_IDLE_MAX && blank(h, md)) {
        h->idle[h->idle_n++] = md;
    } else {
        EVP_MD_CTX_free(md); /* wipes */
    }
}

/* A context that becomes a copy of another. */
static EVP_MD_CTX *copy(struct spdm_openssl_hash *h, const EVP_MD_CTX *of)
{
    EVP_MD_CTX *md = h->idle_n != 0 ? h->idle[--h->idle_n] : EVP_MD_CTX_new();

    if (md != NULL && EVP_MD_CTX_copy_ex(md, of) != 1) {
        EVP_MD_CTX_free(md);
        md = NULL;
    }
    return md;
}

bool spdm_openssl_hash_begin(void *ctx, void *state, enum spdm_alg hash)
{
    struct spdm_openssl *ossl = ctx;
    struct running *r = state;

    if (spdm_openssl_md(ossl, hash) == NULL) return false;
    struct spdm_openssl_hash *h = &ossl->hash[hash];
    EVP_MD_CTX *md = h->idle_n != 0 ? h->idle[--h->idle_n] : copy(h, h->fresh);
    if (md == NULL) return false;
    *r = (struct running){.md = md, .hash = hash};
    return true;
}

bool spdm_openssl_hash_update(void *ctx, void *state, struct spdm_span data)
{
    const struct running *r = state;

    (void)ctx;
    if (r->md == NULL) return false;
    return data.n == 0 || EVP_DigestUpdate(r->md, data.p, data.n) == 1;
}

/* Finishing ends a context, so a copy is finished. */
bool spdm_openssl_hash_peek(void *ctx, const void *state, uint8_t *out)
{
    const struct spdm_openssl *ossl = ctx;
    const struct running *r = state;

    if (r->md == NULL) return false;
    EVP_MD_CTX *peek = ossl->hash[r->hash].peek;
    return EVP_MD_CTX_copy_ex(peek, r->md) == 1 && EVP_DigestFinal_ex(peek, out, NULL) == 1;
}

bool spdm_openssl_hash_copy(void *ctx, void *dst, const void *src)
{
    struct spdm_openssl *ossl = ctx;
    const struct running *from = src;
    struct running *to = dst;

    if (from->md == NULL) return false;
    EVP_MD_CTX *md = copy(&ossl->hash[from->hash], from->md);
    if (md == NULL) return false;
    *to = (struct running){.md = md, .hash = from->hash};
    return true;
}

void spdm_openssl_hash_end(void *ctx, void *state)
{
    struct spdm_openssl *ossl = ctx;
    struct running *r = state;

    if (r->md != NULL) put_back(&ossl->hash[r->hash], r->md);
    memset(r, 0, sizeof *r);
}

bool spdm_openssl_digest(struct spdm_openssl *ossl, enum spdm_alg hash, struct spdm_span data, uint8_t *out)
{
    if (spdm_openssl_md(ossl, hash) == NULL) return false;
    const struct spdm_openssl_hash *h = &ossl->hash[hash];
    return blank(h, h->peek) && (data.n == 0 || EVP_DigestUpdate(h->peek, data.p, data.n) == 1) &&
           EVP_DigestFinal_ex(h->peek, out, NULL) == 1;
}

void spdm_openssl_hash_drop(struct spdm_openssl_hash *h)
{
    while (h->idle_n != 0) EVP_MD_CTX_free(h->idle[--h->idle_n]);
    EVP_MD_CTX_free(h->peek);
    EVP_MD_CTX_free(h->keyed);
    EVP_MD_CTX_free(h->fresh);
    EVP_MD_free(h->md);
    *h = (struct spdm_openssl_hash){0};
}
