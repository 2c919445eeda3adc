/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Records, AES-256-GCM, in one established session. "record": one record
 * sealed at one end and opened at the other, by the record layer alone and
 * through the engines as their callers use them; the number is libcrypto's own
 * time for one seal and one open, keys kept, divided by ours. "echo": there and
 * back again through the engines, against four of libcrypto's seals. */
#include "bench/bench.h"
#include "bench/ends.h"
#include "secured/record.h"
#include <openssl/core_names.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 51, LARGEST = 64000, AAD = 8 };

struct work {
    struct ends ends;
    struct record_crypto crypto;
    struct record_form form;
    struct lane out, in;
    uint64_t out_state[4], in_state[4];
    EVP_CIPHER_CTX *seal, *open;
    size_t n; /* bytes of application data */
};

static const uint8_t key[32] = {1, 2, 3};
static uint8_t data[ENDS_RECORD];

/* ---- libcrypto alone, in the same memory ---- */

static void pure_seal(struct work *w, uint8_t *tag, const uint8_t *iv)
{
    OSSL_PARAM param[] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, RECORD_TAG),
                          OSSL_PARAM_construct_end()};
    static const uint8_t aad[AAD];
    int k = 0;

    must(EVP_EncryptInit_ex2(w->seal, NULL, NULL, iv, NULL) == 1 &&
         EVP_EncryptUpdate(w->seal, NULL, &k, aad, sizeof aad) == 1 &&
         EVP_EncryptUpdate(w->seal, w->ends.req_record, &k, data, (int)w->n) == 1 &&
         EVP_EncryptFinal_ex(w->seal, w->ends.req_record + w->n, &k) == 1 &&
         EVP_CIPHER_CTX_get_params(w->seal, param) == 1);
}

static void pure_open(struct work *w, uint8_t *tag, const uint8_t *iv)
{
    OSSL_PARAM param[] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, RECORD_TAG),
                          OSSL_PARAM_construct_end()};
    static const uint8_t aad[AAD];
    int k = 0;

    must(EVP_DecryptInit_ex2(w->open, NULL, NULL, iv, param) == 1 &&
         EVP_DecryptUpdate(w->open, NULL, &k, aad, sizeof aad) == 1 &&
         EVP_DecryptUpdate(w->open, w->ends.rsp_in, &k, w->ends.req_record, (int)w->n) == 1 &&
         EVP_DecryptFinal_ex(w->open, w->ends.rsp_in + w->n, &k) == 1);
}

static void pure_both(void *ctx, unsigned n)
{
    uint8_t iv[RECORD_IV] = {0}, tag[RECORD_TAG];

    for (unsigned i = 0; i < n; i++) {
        memcpy(iv, &i, sizeof i);
        pure_seal(ctx, tag, iv);
        pure_open(ctx, tag, iv);
    }
}

static void pure_seals(void *ctx, unsigned n)
{
    uint8_t iv[RECORD_IV] = {0}, tag[RECORD_TAG];

    for (unsigned i = 0; i < 4 * n; i++) {
        memcpy(iv, &i, sizeof i);
        pure_seal(ctx, tag, iv);
    }
}

/* ---- ours ---- */

static void by_layer(void *ctx, unsigned n)
{
    struct work *w = ctx;

    for (unsigned i = 0; i < n; i++) {
        struct record_plain out = {.data = {data, w->n}};
        size_t sealed = spdm_record_seal(&w->crypto, &w->form, &w->out, &out, w->ends.req_config.out);
        struct record_in in = {.record = {w->ends.req_record, sealed}, .out = w->ends.rsp_config.in};

        must(spdm_record_open(&w->crypto, &w->form, &w->in, &in) && in.data.n == w->n);
    }
}

static void by_engines(void *ctx, unsigned n)
{
    struct work *w = ctx;

    for (unsigned i = 0; i < n; i++) (void)ends_to_responder(&w->ends, (struct spdm_span){data, w->n});
}

static void echo(void *ctx, unsigned n)
{
    struct work *w = ctx;

    for (unsigned i = 0; i < n; i++) {
        struct spdm_span there = ends_to_responder(&w->ends, (struct spdm_span){data, w->n});

        (void)ends_to_requester(&w->ends, there);
    }
}

/* ---- */

static EVP_CIPHER_CTX *keyed(EVP_CIPHER *aes, int encrypt)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

    must(c != NULL && EVP_CipherInit_ex2(c, aes, key, NULL, encrypt, NULL) == 1);
    return c;
}

static void prepare(struct work *w)
{
    const struct spdm_crypto *crypto = spdm_openssl_crypto();
    EVP_CIPHER *aes = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);

    ends_open(&w->ends, &ends_p256);
    ends_sessions(&w->ends);
    ends_connect(&w->ends);
    ends_session_open(&w->ends);
    w->seal = keyed(aes, 1);
    w->open = keyed(aes, 0);
    EVP_CIPHER_free(aes);
    w->crypto = (struct record_crypto){crypto, w->ends.ossl};
    w->form = (struct record_form){.session = 0xfffefffe, .seq_bytes = 2, .limit = UINT64_MAX - 1};
    w->out = (struct lane){.aead = w->out_state, .ready = true};
    w->in = (struct lane){.aead = w->in_state, .ready = true};
    must(sizeof w->out_state >= crypto->aead_state_size);
    must(crypto->aead_begin(w->ends.ossl, w->out_state, SPDM_AES_256_GCM, (struct spdm_span){key, sizeof key}));
    must(crypto->aead_begin(w->ends.ossl, w->in_state, SPDM_AES_256_GCM, (struct spdm_span){key, sizeof key}));
}

static void finish(struct work *w)
{
    w->crypto.crypto->aead_end(w->ends.ossl, w->out_state);
    w->crypto.crypto->aead_end(w->ends.ossl, w->in_state);
    EVP_CIPHER_CTX_free(w->seal);
    EVP_CIPHER_CTX_free(w->open);
    ends_close(&w->ends);
}

static unsigned times(size_t n)
{
    return n < 10000 ? 2000 : 200;
}

static void time_records(struct work *w, size_t n)
{
    struct bench_times t;
    char row[64];

    w->n = n;
    t = bench_interleave(&(struct bench_pair){by_layer, pure_both, w, ROUNDS, times(n)});
    snprintf(row, sizeof row, "record layer %zu bytes", n);
    bench_print(row, 1 / t.ratio);
    t = bench_interleave(&(struct bench_pair){by_engines, pure_both, w, ROUNDS, times(n)});
    snprintf(row, sizeof row, "record %zu bytes", n);
    bench_print(row, 1 / t.ratio);
}

static void time_echo(struct work *w, size_t n)
{
    struct bench_times t;
    char row[64];

    w->n = n;
    t = bench_interleave(&(struct bench_pair){echo, pure_seals, w, ROUNDS, times(n)});
    snprintf(row, sizeof row, "echo %zu bytes ratio", n);
    bench_print(row, t.ratio);
    snprintf(row, sizeof row, "echo %zu bytes us", n);
    bench_print(row, t.ours);
}

int main(void)
{
    static struct work w;

    data[0] = 1; /* MCTP's type of the application's messages: not SPDM's */
    prepare(&w);
    time_records(&w, 64);
    time_records(&w, 1024);
    time_records(&w, 4096);
    time_records(&w, LARGEST);
    time_echo(&w, 16);
    time_echo(&w, 4096);
    finish(&w);
    return 0;
}
