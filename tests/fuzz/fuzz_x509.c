/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The certificate judge against hostile chains: the first three bytes
 * choose version, hash, model, role, slot, algorithm and clock, the rest is the chain structure.
 * Anchors are the roots of chains that are trusted, so that seeds reach every
 * rule. What is trusted must be one of those; everything that is found must
 * have words, and everything that was read must have texts. */
#include "port/judge_inside.h"
#include "support/hex.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHAINS "tests/data/port/chains/"

struct bench {
    struct spdm_openssl *ossl;
    struct spdm_judge *judge;
    struct spdm_room trusted[3];
};

static void check(bool fine, const char *what)
{
    if (fine) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void set_up(struct bench *b)
{
    static const struct {
        const char *path;
        size_t hash;
    } chains[] = {{CHAINS "p256-sha256.der", 32}, {CHAINS "ed25519-sha512.der", 64}, {CHAINS "rsa2048-sha256.der", 32}};

    b->ossl = spdm_openssl_open(NULL, NULL);
    b->judge = spdm_judge_open(b->ossl);
    for (size_t i = 0; i < 3; i++) {
        b->trusted[i] = file_bytes(chains[i].path);
        check(b->trusted[i].p != NULL, "run this in the top directory");
        struct spdm_span rest = {b->trusted[i].p + 4 + chains[i].hash, b->trusted[i].n - 4 - chains[i].hash};
        rest.n = spdm_x509_length(rest);
        check(spdm_judge_trust_der(b->judge, rest, NULL), "the anchor is refused");
    }
}

/* Trusted must mean: the certificates are those of a chain that is (Reserved may differ). */
static void must_be_known(const struct bench *b, struct spdm_span chain)
{
    for (size_t i = 0; i < 3; i++) {
        if (chain.n == b->trusted[i].n && memcmp(chain.p + 4, b->trusted[i].p + 4, chain.n - 4) == 0) return;
    }
    /* or such a chain without its root, which the anchor stands for */
    for (size_t i = 0; i < 3; i++) {
        size_t hash = i == 1 ? 64 : 32;
        size_t root = spdm_x509_length((struct spdm_span){b->trusted[i].p + 4 + hash, b->trusted[i].n - 4 - hash});
        size_t from = 4 + hash + root;
        if (chain.n == b->trusted[i].n - root &&
            memcmp(chain.p + 4 + hash, b->trusted[i].p + from, chain.n - 4 - hash) == 0) {
            return;
        }
    }
    check(false, "an unknown chain is trusted");
}

static void read_texts(const struct spdm_judgement *j)
{
    char text[400];

    for (unsigned i = 0; i < j->finding_n; i++) (void)spdm_finding_text(j, &j->finding[i], text, sizeof text);
    for (unsigned i = 0; i < j->certificate_n; i++) {
        const struct spdm_x509 *x = &j->certificate[i];
        (void)spdm_x509_name_text(x->subject, text, sizeof text);
        for (const char *c = text; *c != '\0'; c++) check(*c >= ' ' && *c <= '~', "a name is not escaped");
        (void)spdm_x509_serial_text(x, text, sizeof text);
        (void)spdm_x509_time_text(x->not_before, text, sizeof text);
        (void)spdm_x509_time_text(x->not_after, text, sizeof text);
        (void)spdm_x509_eku_text(x, text, sizeof text);
        (void)spdm_x509_has_text(x, text, sizeof text);
        (void)spdm_x509_plain_text(x->device_info, text, sizeof text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bench b;

    if (b.ossl == NULL) set_up(&b);
    if (size < 3) return 0;
    struct spdm_judge_case input = {.chain = {data + 3, size - 3}};
    input.version = (uint8_t)(SPDM_V10 + data[0] % 5);
    input.hash = (enum spdm_alg)(SPDM_SHA_256 + data[0] / 5 % 7);
    input.role = data[0] / 35 % 2;
    input.multi_key = data[0] >= 70;
    input.model = data[1] % 4;
    input.slot = data[1] / 4 % 8;
    input.now = data[2] >= 128 ? 1795392000 : 0;
    input.signature = (enum spdm_alg)(SPDM_RSASSA_2048 + data[2] % 12);

    struct spdm_judgement *j = spdm_judge_decide(b.judge, &input);
    check(j != NULL, "out of memory");
    check((j->verdict == SPDM_GOOD) == (j->key != NULL), "verdict and key disagree");
    if (j->verdict == SPDM_GOOD) must_be_known(&b, input.chain);
    read_texts(j);
    spdm_judgement_free(j);
    spdm_openssl_key_free(spdm_openssl_key_open(b.ossl, (struct spdm_span){data + 3, size - 3}, NULL));
    return 0;
}
