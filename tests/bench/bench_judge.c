/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What judging a chain costs beside the two signatures it cannot avoid: the
 * reference stack's three-certificate chains, the root being an anchor. */
#include "port/openssl_inside.h"
#include "port/x509_judge.h"
#include "support/hex.h"
#include <stdio.h>
#include <stdlib.h>
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

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double judging(struct spdm_judge *judge, const struct spdm_judge_case *input, int n)
{
    double from = now();

    for (int i = 0; i < n; i++) {
        struct spdm_judgement *j = spdm_judge_decide(judge, input);
        must(j != NULL && j->verdict == SPDM_GOOD);
        spdm_judgement_free(j);
    }
    return (now() - from) / n;
}

/* The leaf's signature again and again, in a context that is kept. */
static double verifying(struct spdm_openssl *ossl, const struct spdm_judgement *j, int n)
{
    struct spdm_openssl_key *key = spdm_openssl_key_open(ossl, j->certificate[1].spki, NULL);
    struct spdm_openssl_scheme scheme = {.hash = j->input.hash};
    struct spdm_span digest = {NULL, spdm_openssl_hash_size(j->input.hash)};
    uint8_t bytes[SPDM_HASH_MAX];

    digest.p = bytes;
    must(key != NULL && spdm_openssl_digest(ossl, j->input.hash, j->certificate[2].tbs, bytes));
    double from = now();
    for (int i = 0; i < n; i++) {
        must(spdm_openssl_check_digest(key, &scheme, digest, j->certificate[2].signature) == 1);
    }
    double each = (now() - from) / n;
    spdm_openssl_key_free(key);
    return each;
}

static double known(struct spdm_judge *judge, const struct spdm_judge_case *input, int n)
{
    double from = now();

    for (int i = 0; i < n; i++) {
        struct spdm_judgement *j = spdm_judge_known(judge, input);
        must(j != NULL);
        spdm_judgement_free(j);
    }
    return (now() - from) / n;
}

static void compare(struct spdm_openssl *ossl, const char *file, enum spdm_alg hash, enum spdm_alg alg, int n)
{
    struct spdm_room chain = file_bytes(file);
    size_t at = 4 + spdm_algorithm(hash)->size;
    struct spdm_judge *judge = spdm_judge_open(ossl);
    struct spdm_judge_case input = {.chain = as_span(chain),
                                    .hash = hash,
                                    .signature = alg,
                                    .version = SPDM_V12,
                                    .model = SPDM_CERT_DEVICE,
                                    .now = 1795392000};
    double all[ROUNDS], pure[ROUNDS];

    must(chain.p != NULL);
    struct spdm_span rest = {chain.p + at, chain.n - at};
    must(spdm_judge_trust_der(judge, (struct spdm_span){rest.p, spdm_x509_length(rest)}, NULL));
    struct spdm_judge_counts before = spdm_judge_counts(judge);
    struct spdm_judgement *j = spdm_judge_decide(judge, &input);
    struct spdm_judge_counts after = spdm_judge_counts(judge);
    must(j != NULL && j->verdict == SPDM_GOOD);
    for (int i = 0; i < ROUNDS; i++) {
        pure[i] = verifying(ossl, j, n);
        all[i] = judging(judge, &input, n);
    }
    qsort(all, ROUNDS, sizeof all[0], by_value);
    qsort(pure, ROUNDS, sizeof pure[0], by_value);
    double two = 2 * pure[ROUNDS / 2];
    spdm_judge_remember(judge, j);
    input = j->input;
    printf("judge  %-11s %8.2f us, two verifications %8.2f us, ratio %.3f; read %u, verified %u; known %.2f us\n",
           spdm_algorithm_name(alg), all[ROUNDS / 2], two, all[ROUNDS / 2] / two,
           after.certificates_read - before.certificates_read, after.signatures_verified - before.signatures_verified,
           known(judge, &input, 100000));
    spdm_judgement_free(j);
    spdm_judge_close(judge);
    free(chain.p);
}

int main(void)
{
    struct spdm_openssl *ossl = spdm_openssl_open(NULL, NULL);

    must(ossl != NULL);
    compare(ossl, "tests/data/port/chains/p256-sha256.der", SPDM_SHA_256, SPDM_ECDSA_P256, 2000);
    compare(ossl, "tests/data/port/chains/p384-sha384.der", SPDM_SHA_384, SPDM_ECDSA_P384, 300);
    spdm_openssl_close(ossl);
    return 0;
}
