/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Records on OpenSSL. A state in the caller's memory holds a pointer to an
 * EVP_CIPHER_CTX with its key schedule; a record sets nothing but the IV. An
 * ended one is freed, which wipes it: to overwrite it by other keys and to key
 * it again takes longer than the heap does. What did not authenticate is wiped
 * before anybody sees it.
 *
 * Of all the port these functions alone run once per record, so they do not
 * mark libcrypto's error queue: it has nothing to say about a wrong tag. */
#include "port/session_openssl.h"
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

enum { TAG = 16, TOGETHER = 2048, BEGINNING = 384 };

struct keyed {
    EVP_CIPHER_CTX *cipher;
};
_Static_assert(sizeof(struct keyed) <= SPDM_OPENSSL_AEAD_STATE, "an AEAD state has room for a pointer");

static const char *const names[SPDM_OPENSSL_AEAD_N] = {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305", "SM4-GCM"};

EVP_CIPHER *spdm_openssl_cipher(struct spdm_openssl *ossl, enum spdm_alg aead)
{
    if (aead < SPDM_AES_128_GCM || aead > SPDM_SM4_GCM) return NULL;
    struct spdm_openssl_aead *a = &ossl->session->aead[aead - SPDM_AES_128_GCM];
    if (!a->tried) {
        ERR_set_mark();
        a->cipher = EVP_CIPHER_fetch(ossl->lib, names[aead - SPDM_AES_128_GCM], ossl->propq);
        ERR_pop_to_mark();
        a->tried = true;
        ossl->fetches++;
    }
    return a->cipher;
}

bool spdm_openssl_aead_begin(void *ctx, void *state, enum spdm_alg aead, struct spdm_span key)
{
    struct spdm_openssl *ossl = ctx;
    struct keyed *k = state;

    const EVP_CIPHER *type = spdm_openssl_cipher(ossl, aead);
    if (type == NULL || key.n != spdm_algorithm(aead)->key) return false;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    if (cipher == NULL || EVP_EncryptInit_ex2(cipher, type, key.p, NULL, NULL) != 1) {
        EVP_CIPHER_CTX_free(cipher);
        return false;
    }
    k->cipher = cipher;
    return true;
}

/* Length of the input; SIZE_MAX if it or the associated data is more than libcrypto takes. */
static size_t length_of(const struct spdm_aead *record)
{
    size_t n = 0;

    for (size_t i = 0; i < record->in_n; i++) {
        if (record->in[i].n > (size_t)INT_MAX - n) return SIZE_MAX;
        n += record->in[i].n;
    }
    return record->aad[0].n <= INT_MAX && record->aad[1].n <= INT_MAX ? n : SIZE_MAX;
}

static bool authenticate(EVP_CIPHER_CTX *cipher, const struct spdm_aead *record)
{
    int n = 0;

    for (size_t i = 0; i < 2; i++) {
        const struct spdm_span *aad = &record->aad[i];
        if (aad->n != 0 && EVP_CipherUpdate(cipher, NULL, &n, aad->p, (int)aad->n) != 1) return false;
    }
    return true;
}

/* A call costs as much as copying some hundred bytes, so what is short is put together where it goes before anything is
 * asked of libcrypto, as is the beginning of what is long. How many bytes of the input lie there then. */
static size_t gather(const struct spdm_aead *record, size_t total)
{
    size_t together = total <= TOGETHER ? total : BEGINNING, at = 0;

    if (record->in_n < 2 || record->in[0].n >= together) return 0;
    for (const struct spdm_span *in = record->in; at < together; in++) {
        size_t part = in->n < together - at ? in->n : together - at;
        if (part != 0 && in->p != record->out + at) memcpy(record->out + at, in->p, part);
        at += part;
    }
    return at;
}

/* Input to output, in either direction; so many bytes of it are there already. */
static bool convert(EVP_CIPHER_CTX *cipher, const struct spdm_aead *record, size_t total, size_t there)
{
    const struct spdm_span *in = record->in;
    int n = 0;

    if (there != 0 && EVP_CipherUpdate(cipher, record->out, &n, record->out, (int)there) != 1) return false;
    for (size_t at = 0; there < total; at += in++->n) {
        if (at + in->n <= there) continue;
        size_t from = there - at, part = in->n - from;
        if (EVP_CipherUpdate(cipher, record->out + there, &n, in->p + from, (int)part) != 1) return false;
        there += part;
    }
    return true;
}

bool spdm_openssl_aead_seal(void *ctx, void *state, const struct spdm_aead *record)
{
    const struct keyed *k = state;
    size_t total = length_of(record);
    uint8_t rest[TAG];
    int n = 0;
    OSSL_PARAM tag[] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, record->tag, TAG),
                        OSSL_PARAM_construct_end()};

    (void)ctx;
    if (k->cipher == NULL || total == SIZE_MAX) return false;
    size_t there = gather(record, total);
    bool done = EVP_EncryptInit_ex2(k->cipher, NULL, NULL, record->iv, NULL) == 1 && authenticate(k->cipher, record) &&
                convert(k->cipher, record, total, there) && EVP_EncryptFinal_ex(k->cipher, rest, &n) == 1 &&
                EVP_CIPHER_CTX_get_params(k->cipher, tag) == 1;
    if (!done) {
        OPENSSL_cleanse(record->out, total);
        OPENSSL_cleanse(record->tag, TAG);
    }
    return done;
}

spdm_verdict spdm_openssl_aead_open(void *ctx, void *state, const struct spdm_aead *record)
{
    const struct keyed *k = state;
    size_t total = length_of(record);
    uint8_t rest[TAG];
    int n = 0;
    OSSL_PARAM tag[] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, record->tag, TAG),
                        OSSL_PARAM_construct_end()};

    (void)ctx;
    if (k->cipher == NULL || total == SIZE_MAX) return SPDM_BAD;
    size_t there = gather(record, total);
    if (EVP_DecryptInit_ex2(k->cipher, NULL, NULL, record->iv, tag) == 1 && authenticate(k->cipher, record) &&
        convert(k->cipher, record, total, there) && EVP_DecryptFinal_ex(k->cipher, rest, &n) == 1) {
        return SPDM_GOOD;
    }
    OPENSSL_cleanse(record->out, total);
    return SPDM_BAD;
}

void spdm_openssl_aead_end(void *ctx, void *state)
{
    struct keyed *k = state;

    (void)ctx;
    EVP_CIPHER_CTX_free(k->cipher);
    memset(k, 0, sizeof *k);
}
