/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A session opened and closed, both ends: KEY_EXCHANGE, FINISH, END_SESSION.
 * Against it two key pairs, two key agreements, a signature and its
 * verification, by libcrypto's own calls: neither hashes nor HMACs nor records
 * nor the way of public values over the wire are counted there. */
#include "bench/bench.h"
#include "bench/ends.h"
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 99 };

struct work {
    struct ends ends;
    EVP_PKEY_CTX *maker, *sign, *verify;
    uint8_t digest[SPDM_HASH_MAX], signature[160];
    size_t digest_n, signature_n;
};

static void open_and_close(void *ctx, unsigned n)
{
    struct work *w = ctx;

    for (unsigned i = 0; i < n; i++) {
        ends_session_open(&w->ends);
        ends_session_close(&w->ends);
    }
}

static void agree(EVP_PKEY *own, EVP_PKEY *peer)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
    uint8_t secret[66];
    size_t n = sizeof secret;

    must(ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 &&
         EVP_PKEY_derive(ctx, secret, &n) == 1);
    EVP_PKEY_CTX_free(ctx);
}

static void pure(void *ctx, unsigned n)
{
    struct work *w = ctx;

    for (unsigned i = 0; i < n; i++) {
        EVP_PKEY *own = NULL, *peer = NULL;
        uint8_t out[160];
        size_t out_n = sizeof out;

        must(EVP_PKEY_generate(w->maker, &own) == 1 && EVP_PKEY_generate(w->maker, &peer) == 1);
        agree(own, peer);
        agree(peer, own);
        must(EVP_PKEY_sign(w->sign, out, &out_n, w->digest, w->digest_n) == 1);
        must(EVP_PKEY_verify(w->verify, w->signature, w->signature_n, w->digest, w->digest_n) == 1);
        EVP_PKEY_free(own);
        EVP_PKEY_free(peer);
    }
}

static void pure_open(struct work *w)
{
    EVP_PKEY *key = w->ends.key[ENDS_CERTIFICATES - 1];

    w->digest_n = spdm_algorithm(w->ends.suite.hash)->size;
    w->signature_n = sizeof w->signature;
    must(RAND_bytes(w->digest, sizeof w->digest) == 1);
    w->maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    w->sign = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    w->verify = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    must(EVP_PKEY_keygen_init(w->maker) == 1 && EVP_PKEY_CTX_set_group_name(w->maker, w->ends.suite.curve) == 1);
    must(EVP_PKEY_sign_init(w->sign) == 1 && EVP_PKEY_verify_init(w->verify) == 1);
    must(EVP_PKEY_sign(w->sign, w->signature, &w->signature_n, w->digest, w->digest_n) == 1);
}

static void pure_close(struct work *w)
{
    EVP_PKEY_CTX_free(w->maker);
    EVP_PKEY_CTX_free(w->sign);
    EVP_PKEY_CTX_free(w->verify);
}

static void time_suite(const char *name, const struct ends_suite *suite, unsigned n)
{
    static struct work w;
    struct bench_times t;
    char row[64];

    ends_open(&w.ends, suite);
    ends_sessions(&w.ends);
    ends_connect(&w.ends);
    ends_run(&w.ends, &(struct spdm_goal){.want = SPDM_WANT_IDENTITY});
    pure_open(&w);
    t = bench_interleave(&(struct bench_pair){open_and_close, pure, &w, ROUNDS, n});
    snprintf(row, sizeof row, "%s session ratio", name);
    bench_print(row, t.ratio);
    snprintf(row, sizeof row, "%s session us", name);
    bench_print(row, t.ours);
    pure_close(&w);
    ends_close(&w.ends);
}

int main(void)
{
    time_suite("P-256", &ends_p256, 10);
    time_suite("P-384", &ends_p384, 1);
    return 0;
}
