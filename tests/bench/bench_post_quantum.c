/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The same with post-quantum algorithms: an unknown device attested and a
 * session opened and closed, both ends, against the signatures, verifications
 * and encapsulations that cannot be avoided; and what an unknown device costs
 * on the wire with the reference's own chain. Needs OpenSSL 3.5. */
#include "bench/bench.h"
#include "bench/ends.h"
#include "support/hex.h"
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 99, SIGNATURE_MAX = 5000, MESSAGE = 148 }; /* signing takes as long as it likes: many rounds */

static const struct ends_suite ml_dsa_44 = {SPDM_ML_DSA_44, SPDM_SHA_384, NULL, "ML-DSA-44"};
static const struct ends_suite ml_dsa_65 = {SPDM_ML_DSA_65, SPDM_SHA_384, NULL, "ML-DSA-65"};
static const struct ends_suite ml_dsa_87 = {SPDM_ML_DSA_87, SPDM_SHA_384, NULL, "ML-DSA-87"};

struct work {
    struct ends ends;
    const char *kem; /* libcrypto's name */
    uint8_t message[MESSAGE], signature[ENDS_CERTIFICATES][SIGNATURE_MAX];
    size_t signature_n[ENDS_CERTIFICATES];
    EVP_MD_CTX *sign[ENDS_CERTIFICATES], *verify[ENDS_CERTIFICATES]; /* a context keeps to its first key */
    EVP_PKEY_CTX *maker;
};

/* ---- what nobody can avoid ---- */

static const EVP_MD *md_of(const struct work *w)
{
    return w->ends.suite.curve != NULL ? EVP_sha384() : NULL;
}

/* Initialised each time: the library finishes with each signature. */
static void sign(struct work *w, int key, uint8_t *out, size_t *n)
{
    *n = SIGNATURE_MAX;
    must(EVP_DigestSignInit(w->sign[key], NULL, md_of(w), NULL, w->ends.key[key]) == 1);
    must(EVP_DigestSign(w->sign[key], out, n, w->message, MESSAGE) == 1);
}

static void verify(struct work *w, int key)
{
    must(EVP_DigestVerifyInit(w->verify[key], NULL, md_of(w), NULL, w->ends.key[key]) == 1);
    must(EVP_DigestVerify(w->verify[key], w->signature[key], w->signature_n[key], w->message, MESSAGE) == 1);
}

static void encapsulate(struct work *w)
{
    EVP_PKEY *key = NULL;
    uint8_t text[1600], secret[2][64];
    size_t text_n = sizeof text, secret_n[2] = {sizeof secret[0], sizeof secret[1]};

    must(EVP_PKEY_generate(w->maker, &key) == 1);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    must(EVP_PKEY_encapsulate_init(ctx, NULL) == 1 &&
         EVP_PKEY_encapsulate(ctx, text, &text_n, secret[0], &secret_n[0]) == 1);
    must(EVP_PKEY_decapsulate_init(ctx, NULL) == 1 &&
         EVP_PKEY_decapsulate(ctx, secret[1], &secret_n[1], text, text_n) == 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
}

static void pure_open(struct work *w)
{
    must(RAND_bytes(w->message, MESSAGE) == 1);
    for (int i = 0; i < ENDS_CERTIFICATES; i++) {
        w->sign[i] = EVP_MD_CTX_new();
        w->verify[i] = EVP_MD_CTX_new();
        sign(w, i, w->signature[i], &w->signature_n[i]);
    }
    w->maker = EVP_PKEY_CTX_new_from_name(NULL, w->kem, NULL);
    must(EVP_PKEY_keygen_init(w->maker) == 1);
}

static void pure_close(struct work *w)
{
    for (int i = 0; i < ENDS_CERTIFICATES; i++) {
        EVP_MD_CTX_free(w->sign[i]);
        EVP_MD_CTX_free(w->verify[i]);
    }
    EVP_PKEY_CTX_free(w->maker);
}

/* ---- an unknown device ---- */

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
    static uint8_t out[SIGNATURE_MAX];
    size_t out_n;

    for (unsigned i = 0; i < n; i++) {
        verify(w, 0);
        verify(w, 1);
        for (int message = 0; message < 2; message++) {
            sign(w, ENDS_CERTIFICATES - 1, out, &out_n);
            verify(w, ENDS_CERTIFICATES - 1);
        }
    }
}

/* ---- a session ---- */

static void open_and_close(void *ctx, unsigned n)
{
    struct work *w = ctx;

    for (unsigned i = 0; i < n; i++) {
        ends_session_open(&w->ends);
        ends_session_close(&w->ends);
    }
}

static void pure_session(void *ctx, unsigned n)
{
    struct work *w = ctx;
    static uint8_t out[SIGNATURE_MAX];
    size_t out_n;

    for (unsigned i = 0; i < n; i++) {
        encapsulate(w);
        sign(w, ENDS_CERTIFICATES - 1, out, &out_n);
        verify(w, ENDS_CERTIFICATES - 1);
    }
}

static void print_times(const char *name, const char *what, const struct bench_times *t)
{
    char row[80];

    snprintf(row, sizeof row, "%s %s ratio", name, what);
    bench_print(row, t->ratio);
    snprintf(row, sizeof row, "%s %s us", name, what);
    bench_print(row, t->ours);
    snprintf(row, sizeof row, "%s %s pure us", name, what);
    bench_print(row, t->pure);
}

static void time_suite(const char *name, const struct ends_suite *suite, enum spdm_alg kem)
{
    static struct work w;
    struct bench_times t;
    char both[60];

    w.kem = kem == SPDM_ML_KEM_512 ? "ML-KEM-512" : kem == SPDM_ML_KEM_768 ? "ML-KEM-768" : "ML-KEM-1024";
    ends_open(&w.ends, suite);
    pure_open(&w);
    if (suite->curve == NULL) { /* the hybrid's attestation is a classical one */
        t = bench_interleave(&(struct bench_pair){attest, pure_attest, &w, ROUNDS, 4});
        print_times(name, "attestation", &t);
    }
    ends_sessions(&w.ends);
    w.ends.exchanges[0] = (uint8_t)kem;
    ends_connect(&w.ends);
    ends_run(&w.ends, &(struct spdm_goal){.want = SPDM_WANT_IDENTITY});
    t = bench_interleave(&(struct bench_pair){open_and_close, pure_session, &w, ROUNDS, 8});
    snprintf(both, sizeof both, "%s, %s", name, w.kem);
    print_times(both, "session", &t);
    pure_close(&w);
    ends_close(&w.ends);
}

/* ---- the wire, with the chain that the reference's device has ---- */

static bool accept_all(struct ends *e, const struct spdm_event *ev, struct spdm_answer *answer)
{
    answer->yes = ev->kind == SPDM_ASK_TRUST;
    answer->key = spdm_signer_public(e->signer);
    return true;
}

static void wire(void)
{
    static const struct spdm_goal no_challenge = {.want = SPDM_WANT_MEASUREMENTS, .sign = true};
    struct spdm_room chain = file_bytes("tests/data/golden/chains/mldsa65-responder-7f39fb");
    size_t head = 4 + spdm_algorithm(SPDM_SHA_384)->size;
    static struct ends e;

    must(chain.n == 16853);
    ends_open(&e, &ml_dsa_65);
    e.identity.slot[0].certificates = (struct spdm_span){chain.p + head, chain.n - head};
    e.identity.slot[0].root = (struct spdm_span){chain.p + head, spdm_x509_length(e.identity.slot[0].certificates)};
    e.trust = accept_all;
    ends_connect(&e);
    ends_run(&e, &no_challenge);
    bench_print("unknown post-quantum device messages", e.messages);
    bench_print("unknown post-quantum device bytes", (double)e.bytes);
    ends_close(&e);
    free(chain.p);
}

int main(void)
{
    struct spdm_openssl *ossl = spdm_openssl_open(NULL, NULL);
    bool there = ossl != NULL && spdm_openssl_crypto()->supports(ossl, SPDM_ML_DSA_65);

    spdm_openssl_close(ossl);
    if (!there) {
        fprintf(stderr, "No post-quantum rows: %s has no such algorithms (make bench PQC=yes)\n",
                OpenSSL_version(OPENSSL_VERSION));
        return 0;
    }
    wire();
    time_suite("ML-DSA-44", &ml_dsa_44, SPDM_ML_KEM_512);
    time_suite("ML-DSA-65", &ml_dsa_65, SPDM_ML_KEM_768);
    time_suite("ML-DSA-87", &ml_dsa_87, SPDM_ML_KEM_1024);
    time_suite("P-384", &ends_p384, SPDM_ML_KEM_768);
    return 0;
}
