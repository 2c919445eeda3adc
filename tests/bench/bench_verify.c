/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What verifying through the crypto port costs, against libcrypto's own loop
 * with a kept context: microseconds each, and the ratio. */
#include "port/crypto_openssl.h"
#include "port/openssl_inside.h"
#include <openssl/core_names.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 5 };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void must(bool fine)
{
    if (!fine) abort();
}

struct subject {
    struct spdm_openssl *ossl;
    struct spdm_openssl_key *key;
    struct spdm_signing what;
    uint8_t data[64], der[600], raw[600];
    size_t der_n, raw_n;
};

static void make(struct subject *s, enum spdm_alg alg, const char *group)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(s->ossl->lib, NULL, "EC", group);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(s->ossl->lib, pkey, NULL);
    unsigned char *spki = NULL;
    int n = i2d_PUBKEY(pkey, &spki);

    s->what = (struct spdm_signing){
        .alg = alg, .hash = alg == SPDM_ECDSA_P256 ? SPDM_SHA_256 : SPDM_SHA_384, .prehashed = true};
    s->what.data = (struct spdm_span){s->data, spdm_openssl_hash_size(s->what.hash)};
    s->der_n = sizeof s->der;
    must(EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_sign(ctx, s->der, &s->der_n, s->data, s->what.data.n) == 1);
    s->raw_n = spdm_ecdsa_from_der((struct spdm_span){s->der, s->der_n}, spdm_algorithm(alg)->size / 2, s->raw);
    s->key = spdm_openssl_key_open(s->ossl, (struct spdm_span){spki, (size_t)n}, NULL);
    must(s->key != NULL && s->raw_n != 0);
    OPENSSL_free(spki);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
}

static double ours(struct subject *s, int n)
{
    const struct spdm_crypto *crypto = spdm_openssl_crypto();
    double from = now();

    for (int i = 0; i < n; i++) {
        must(crypto->verify(s->ossl, s->key, &s->what, (struct spdm_span){s->raw, s->raw_n}) == SPDM_GOOD);
    }
    return (now() - from) / n;
}

static double theirs(struct subject *s, int n)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(s->ossl->lib, s->key->pkey, NULL);
    double from = now();

    must(EVP_PKEY_verify_init(ctx) == 1);
    for (int i = 0; i < n; i++) must(EVP_PKEY_verify(ctx, s->der, s->der_n, s->data, s->what.data.n) == 1);
    double each = (now() - from) / n;
    EVP_PKEY_CTX_free(ctx);
    return each;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void compare(struct spdm_openssl *ossl, enum spdm_alg alg, const char *group, int n)
{
    struct subject s = {.ossl = ossl};
    double a[ROUNDS], b[ROUNDS];

    make(&s, alg, group);
    for (int i = 0; i < ROUNDS; i++) {
        a[i] = theirs(&s, n);
        b[i] = ours(&s, n);
    }
    qsort(a, ROUNDS, sizeof a[0], by_value);
    qsort(b, ROUNDS, sizeof b[0], by_value);
    printf("verify %-11s %8.2f us, libcrypto alone %8.2f us, ratio %.3f\n", spdm_algorithm_name(alg), b[ROUNDS / 2],
           a[ROUNDS / 2], b[ROUNDS / 2] / a[ROUNDS / 2]);
    spdm_openssl_key_free(s.key);
}

static void time_hash(struct spdm_openssl *ossl, enum spdm_alg alg)
{
    const struct spdm_crypto *crypto = spdm_openssl_crypto();
    static const uint8_t message[256];
    uint8_t out[SPDM_HASH_MAX];
    double from = now();
    int n = 200000;

    for (int i = 0; i < n; i++) {
        uint64_t state[4] = {0};
        must(crypto->hash_begin(ossl, state, alg) &&
             crypto->hash_update(ossl, state, (struct spdm_span){message, sizeof message}) &&
             crypto->hash_peek(ossl, state, out));
        crypto->hash_end(ossl, state);
    }
    double each = (now() - from) / n;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    from = now();
    for (int i = 0; i < n; i++) {
        must(EVP_DigestInit_ex2(ctx, spdm_openssl_md(ossl, alg), NULL) == 1 &&
             EVP_DigestUpdate(ctx, message, sizeof message) == 1 && EVP_DigestFinal_ex(ctx, out, NULL) == 1);
    }
    double alone = (now() - from) / n;
    EVP_MD_CTX_free(ctx);
    printf("hash   %-11s %8.2f us, libcrypto alone %8.2f us (begin, 256 bytes, peek, end)\n", spdm_algorithm_name(alg),
           each, alone);
}

int main(void)
{
    struct spdm_openssl *ossl = spdm_openssl_open(NULL, NULL);

    must(ossl != NULL);
    compare(ossl, SPDM_ECDSA_P256, "P-256", 4000);
    compare(ossl, SPDM_ECDSA_P384, "P-384", 500);
    time_hash(ossl, SPDM_SHA_256);
    time_hash(ossl, SPDM_SHA_384);
    spdm_openssl_close(ossl);
    return 0;
}
