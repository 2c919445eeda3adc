/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Whole attestations, both ends, on OpenSSL, against the signatures and
 * verifications they cannot avoid. */
#include "bench/bench.h"
#include "bench/ends.h"
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 99 }; /* many and short: both sides meet the same noise */

/* What nobody can avoid, on contexts that are kept: one to sign with the device's key, one to verify with each key. */
struct pure {
    EVP_PKEY_CTX *sign, *verify[ENDS_CERTIFICATES];
    uint8_t digest[SPDM_HASH_MAX], signature[ENDS_CERTIFICATES][160];
    size_t digest_n, signature_n[ENDS_CERTIFICATES];
};

struct work {
    struct ends ends;
    struct pure pure;
};

static void pure_open(struct pure *p, const struct ends *e)
{
    memset(p, 0, sizeof *p);
    p->digest_n = spdm_algorithm(e->suite.hash)->size;
    must(RAND_bytes(p->digest, sizeof p->digest) == 1); /* arithmetic is cheaper for special numbers */
    for (int i = 0; i < ENDS_CERTIFICATES; i++) {
        EVP_PKEY_CTX *sign = EVP_PKEY_CTX_new_from_pkey(NULL, e->key[i], NULL);

        p->verify[i] = EVP_PKEY_CTX_new_from_pkey(NULL, e->key[i], NULL);
        p->signature_n[i] = sizeof p->signature[i];
        must(EVP_PKEY_sign_init(sign) == 1 && EVP_PKEY_verify_init(p->verify[i]) == 1);
        must(EVP_PKEY_sign(sign, p->signature[i], &p->signature_n[i], p->digest, p->digest_n) == 1);
        if (i == ENDS_CERTIFICATES - 1) p->sign = sign;
        else EVP_PKEY_CTX_free(sign);
    }
}

static void pure_close(struct pure *p)
{
    for (int i = 0; i < ENDS_CERTIFICATES; i++) EVP_PKEY_CTX_free(p->verify[i]);
    EVP_PKEY_CTX_free(p->sign);
}

static void sign(struct pure *p)
{
    uint8_t out[160];
    size_t n = sizeof out;

    must(EVP_PKEY_sign(p->sign, out, &n, p->digest, p->digest_n) == 1);
}

static void verify(struct pure *p, int key)
{
    must(EVP_PKEY_verify(p->verify[key], p->signature[key], p->signature_n[key], p->digest, p->digest_n) == 1);
}

/* ---- unknown device ---- */

static void attest(void *ctx, unsigned n)
{
    struct work *w = ctx;

    for (unsigned i = 0; i < n; i++) {
        ends_connect(&w->ends);
        ends_run(&w->ends, &ends_attest);
        ends_disconnect(&w->ends);
    }
}

static void pure_attest(void *ctx, unsigned n)
{
    struct work *w = ctx;

    for (unsigned i = 0; i < n; i++) {
        verify(&w->pure, 0); /* the intermediate certificate */
        verify(&w->pure, 1); /* the device's */
        for (int message = 0; message < 2; message++) {
            sign(&w->pure);
            verify(&w->pure, ENDS_CERTIFICATES - 1);
        }
    }
}

/* ---- known device on a live connection ---- */

static void attest_again(void *ctx, unsigned n)
{
    struct work *w = ctx;

    for (unsigned i = 0; i < n; i++) ends_run(&w->ends, &ends_again);
}

static void pure_again(void *ctx, unsigned n)
{
    struct work *w = ctx;

    for (unsigned i = 0; i < n; i++) {
        sign(&w->pure);
        verify(&w->pure, ENDS_CERTIFICATES - 1);
    }
}

static void print_of(const char *suite, const char *what, double value)
{
    char name[64];

    snprintf(name, sizeof name, "%s %s", suite, what);
    bench_print(name, value);
}

static void time_suite(const char *name, const struct ends_suite *suite, unsigned n)
{
    static struct work w;
    struct bench_times t;

    ends_open(&w.ends, suite);
    pure_open(&w.pure, &w.ends);
    t = bench_interleave(&(struct bench_pair){attest, pure_attest, &w, ROUNDS, n});
    print_of(name, "attestation ratio", t.ratio);
    print_of(name, "attestation us", t.ours);
    print_of(name, "attestation pure us", t.pure);
    ends_connect(&w.ends);
    ends_run(&w.ends, &ends_attest);
    t = bench_interleave(&(struct bench_pair){attest_again, pure_again, &w, ROUNDS, 3 * n});
    print_of(name, "re-attestation ratio", t.ratio);
    print_of(name, "re-attestation us", t.ours);
    pure_close(&w.pure);
    ends_close(&w.ends);
}

int main(void)
{
    time_suite("P-256", &ends_p256, 8);
    time_suite("P-384", &ends_p384, 1);
    return 0;
}
