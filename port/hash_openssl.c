/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Running hashes on OpenSSL. A state in the caller's memory holds a pointer
 * to an EVP_MD_CTX; ended ones go back to a pool of their algorithm, blanked,
 * and are begun again without an allocation. */
#include "port/openssl_inside.h"
#include <openssl/err.h>
#include <string.h>

struct running {
    EVP_MD_CTX *md;
    uint32_t hash;
};
_Static_assert(sizeof(struct running) <= SPDM_OPENSSL_HASH_STATE, "a hash state has room for a pointer and an id");

/* Makes a context as good as new: its block buffer is overwritten by two blocks of zeros (whatever it held, each byte
 * is written), its chaining value by beginning again. OpenSSL 3.0 wipes and allocates anew for that, later ones do
 * neither. */
static bool blank(EVP_MD_CTX *md, const EVP_MD *type)
{
    static const uint8_t zeros[2 * 144];
    int block = EVP_MD_get_block_size(type);

    return block > 0 && 2 * (size_t)block <= sizeof zeros && EVP_DigestUpdate(md, zeros, 2 * (size_t)block) == 1 &&
           EVP_DigestInit_ex2(md, type, NULL) == 1;
}

static void put_back(struct spdm_openssl_hash *h, EVP_MD_CTX *md)
{
    if (h->idle_n < SPDM_OPENSSL_IDLE_MAX && blank(md, h->md)) {
        h->idle[h->idle_n++] = md;
    } else {
        EVP_MD_CTX_free(md); /* wipes */
    }
}

/* A context that has begun and taken nothing in yet. */
static EVP_MD_CTX *begun(struct spdm_openssl_hash *h)
{
    if (h->idle_n != 0) return h->idle[--h->idle_n];
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    if (md != NULL && EVP_DigestInit_ex2(md, h->md, NULL) != 1) {
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
    ERR_set_mark();
    EVP_MD_CTX *md = begun(&ossl->hash[hash]);
    ERR_pop_to_mark();
    if (md == NULL) return false;
    *r = (struct running){.md = md, .hash = hash};
    return true;
}

bool spdm_openssl_hash_update(void *ctx, void *state, struct spdm_span data)
{
    struct running *r = state;

    (void)ctx;
    if (r->md == NULL) return false;
    if (data.n == 0) return true;
    ERR_set_mark();
    bool done = EVP_DigestUpdate(r->md, data.p, data.n) == 1;
    ERR_pop_to_mark();
    return done;
}

/* Finishing ends a context, so a copy is finished. */
bool spdm_openssl_hash_peek(void *ctx, const void *state, uint8_t *out)
{
    struct spdm_openssl *ossl = ctx;
    const struct running *r = state;

    if (r->md == NULL) return false;
    struct spdm_openssl_hash *h = &ossl->hash[r->hash];
    ERR_set_mark();
    if (h->peek == NULL) h->peek = EVP_MD_CTX_new();
    bool done =
        h->peek != NULL && EVP_MD_CTX_copy_ex(h->peek, r->md) == 1 && EVP_DigestFinal_ex(h->peek, out, NULL) == 1;
    ERR_pop_to_mark();
    return done;
}

bool spdm_openssl_hash_copy(void *ctx, void *dst, const void *src)
{
    struct spdm_openssl *ossl = ctx;
    const struct running *from = src;
    struct running *to = dst;

    if (from->md == NULL) return false;
    ERR_set_mark();
    EVP_MD_CTX *md = begun(&ossl->hash[from->hash]);
    bool done = md != NULL && EVP_MD_CTX_copy_ex(md, from->md) == 1;
    ERR_pop_to_mark();
    if (!done) {
        EVP_MD_CTX_free(md);
        return false;
    }
    *to = (struct running){.md = md, .hash = from->hash};
    return true;
}

void spdm_openssl_hash_end(void *ctx, void *state)
{
    struct spdm_openssl *ossl = ctx;
    struct running *r = state;

    ERR_set_mark();
    if (r->md != NULL) put_back(&ossl->hash[r->hash], r->md);
    ERR_pop_to_mark();
    memset(r, 0, sizeof *r);
}

void spdm_openssl_hash_drop(struct spdm_openssl_hash *h)
{
    while (h->idle_n != 0) EVP_MD_CTX_free(h->idle[--h->idle_n]);
    EVP_MD_CTX_free(h->peek);
    EVP_MD_free(h->md);
    *h = (struct spdm_openssl_hash){0};
}
