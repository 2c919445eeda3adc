/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What sealing and opening a record through the crypto port costs, against
 * libcrypto's own loop with a kept context: microseconds for both together,
 * and the ratio. In place, one piece; then the way the record layer hands a
 * message over, in three pieces that lie elsewhere. */
#include "port/session_openssl.h"
#include <openssl/core_names.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 51, LARGEST = 64000 };

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

static const uint8_t key[32] = {1, 2, 3};
static uint8_t data[LARGEST], cipher[LARGEST], iv[12], aad[8], tag[16];

struct subject {
    struct spdm_openssl *ossl;
    EVP_CIPHER_CTX *kept;
    uint64_t seals[2], opens[2];
    size_t n; /* bytes of a record's body */
    int times;
};

static double theirs(const struct subject *s)
{
    OSSL_PARAM param[] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, sizeof tag),
                          OSSL_PARAM_construct_end()};
    EVP_CIPHER_CTX *c = s->kept;
    double from = now();
    int k = 0;

    for (int i = 0; i < s->times; i++) {
        iv[0] = (uint8_t)i;
        must(EVP_EncryptInit_ex2(c, NULL, NULL, iv, NULL) == 1 &&
             EVP_EncryptUpdate(c, NULL, &k, aad, sizeof aad) == 1 &&
             EVP_EncryptUpdate(c, data, &k, data, (int)s->n) == 1 && EVP_EncryptFinal_ex(c, cipher, &k) == 1 &&
             EVP_CIPHER_CTX_get_params(c, param) == 1);
        must(EVP_DecryptInit_ex2(c, NULL, NULL, iv, param) == 1 &&
             EVP_DecryptUpdate(c, NULL, &k, aad, sizeof aad) == 1 &&
             EVP_DecryptUpdate(c, data, &k, data, (int)s->n) == 1 && EVP_DecryptFinal_ex(c, cipher, &k) == 1);
    }
    return (now() - from) / s->times;
}

static double in_place(struct subject *s)
{
    const struct spdm_crypto *crypto = spdm_openssl_crypto();
    struct spdm_span in = {data, s->n};
    struct spdm_aead record = {.iv = iv, .aad = {{aad, sizeof aad}}, .in = &in, .in_n = 1, .out = data, .tag = tag};
    double from = now();

    for (int i = 0; i < s->times; i++) {
        iv[0] = (uint8_t)i;
        must(crypto->aead_seal(s->ossl, s->seals, &record));
        must(crypto->aead_open(s->ossl, s->opens, &record) == SPDM_GOOD);
    }
    return (now() - from) / s->times;
}

static double in_pieces(struct subject *s)
{
    const struct spdm_crypto *crypto = spdm_openssl_crypto();
    uint8_t head[3] = {1, 2, 5};
    struct spdm_span in[] = {{head, 2}, {head + 2, 1}, {data, s->n - 3}}, whole = {cipher, s->n};
    struct spdm_aead out = {.iv = iv, .aad = {{aad, sizeof aad}}, .in = in, .in_n = 3, .out = cipher, .tag = tag};
    struct spdm_aead back = {.iv = iv, .aad = {{aad, sizeof aad}}, .in = &whole, .in_n = 1, .out = data, .tag = tag};
    double from = now();

    for (int i = 0; i < s->times; i++) {
        iv[0] = (uint8_t)i;
        must(crypto->aead_seal(s->ossl, s->seals, &out));
        must(crypto->aead_open(s->ossl, s->opens, &back) == SPDM_GOOD);
    }
    return (now() - from) / s->times;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double middle(double *times)
{
    qsort(times, ROUNDS, sizeof times[0], by_value);
    return times[ROUNDS / 2];
}

static void compare(struct subject *s, enum spdm_alg alg, size_t n)
{
    double a[ROUNDS], b[ROUNDS], c[ROUNDS];

    s->n = n;
    s->times = n < 10000 ? 4000 : 400;
    for (int i = 0; i < ROUNDS; i++) {
        a[i] = theirs(s);
        b[i] = in_place(s);
        c[i] = in_pieces(s);
    }
    double alone = middle(a), ours = middle(b), pieces = middle(c);
    printf("record %-17s %5zu bytes: %7.3f us, libcrypto alone %7.3f us, ratio %.3f; in pieces %7.3f us, ratio %.3f\n",
           spdm_algorithm_name(alg), n, ours, alone, ours / alone, pieces, pieces / alone);
}

static void time_records(struct spdm_openssl *ossl, enum spdm_alg alg)
{
    static const size_t sizes[] = {16, 64, 1024, 4096, LARGEST};
    const struct spdm_crypto *crypto = spdm_openssl_crypto();
    struct subject s = {.ossl = ossl, .kept = EVP_CIPHER_CTX_new()};
    struct spdm_span k = {key, spdm_algorithm(alg)->key};

    must(s.kept != NULL && EVP_EncryptInit_ex2(s.kept, spdm_openssl_cipher(ossl, alg), key, NULL, NULL) == 1);
    must(crypto->aead_begin(ossl, s.seals, alg, k) && crypto->aead_begin(ossl, s.opens, alg, k));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) compare(&s, alg, sizes[i]);
    crypto->aead_end(ossl, s.seals);
    crypto->aead_end(ossl, s.opens);
    EVP_CIPHER_CTX_free(s.kept);
}

int main(void)
{
    struct spdm_openssl *ossl = spdm_openssl_open(NULL, NULL);

    must(ossl != NULL);
    time_records(ossl, SPDM_AES_256_GCM);
    time_records(ossl, SPDM_CHACHA20_POLY1305);
    spdm_openssl_close(ossl);
    return 0;
}
