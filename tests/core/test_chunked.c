/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Recorded conversations, chunk by chunk, before the witness: it puts the same
 * messages together as an independent program did, follows the encapsulated
 * ones that came in chunks, and verifies the signatures over them. */
#include "port/crypto_openssl.h"
#include "support/golden.h"
#include "support/hex.h"
#include <assay/session.h>
#include <assay/witness.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MEMORY = 16384, KEYS = 16 };

static struct spdm_openssl *ossl;

/* ---- a witness whose rooms grow ---- */

struct replay {
    const char *name;
    uint64_t memory[MEMORY / 8], sessions[MEMORY / 8];
    struct spdm_room room[SPDM_ROOM_N];
    struct spdm_witness *w;
    struct spdm_sight sight; /* of what came last */
    struct spdm_room bytes;  /* which is here */
    bool pending;            /* the next line tells of it */
    struct spdm_openssl_key *key[KEYS];
    unsigned key_n, good, unchecked, reassembled, enveloped;
    bool tampered, noticed; /* one byte of a chunk is changed; something is wrong */
    unsigned chunk, at_chunk;
};

static bool more(void *ctx, enum spdm_watch_room which, struct spdm_room *room, size_t n)
{
    struct replay *r = ctx;

    assert_true(n <= 100000); /* as much as has come, not as much as was announced */
    room->p = realloc(room->p, n);
    assert_non_null(room->p);
    room->n = n;
    r->room[which] = *room;
    return true;
}

static struct spdm_openssl_key *leaf_key(struct spdm_span certificates)
{
    const unsigned char *at = certificates.p, *end = at + certificates.n;
    struct spdm_openssl_key *key = NULL;
    unsigned char *spki = NULL;
    X509 *leaf = NULL;
    int n;

    while (at < end) {
        X509_free(leaf);
        leaf = d2i_X509(NULL, &at, end - at);
        if (leaf == NULL) return NULL;
    }
    n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &spki);
    X509_free(leaf);
    if (n > 0) key = spdm_openssl_key_open(ossl, (struct spdm_span){spki, (size_t)n}, NULL);
    OPENSSL_free(spki);
    return key;
}

/* Every chain is believed, if its key can be used. */
static void answer(struct replay *r)
{
    struct spdm_event ev;

    while (spdm_witness_event(r->w, &ev) != SPDM_NOTHING) {
        struct spdm_openssl_key *key;

        if (ev.kind != SPDM_ASK_TRUST) continue;
        key = leaf_key((struct spdm_span){ev.data.p + ev.root_at, ev.data.n - ev.root_at});
        if (key == NULL) continue;
        assert_true(r->key_n < KEYS);
        r->key[r->key_n++] = key;
        assert_true(spdm_witness_answer(r->w, &(struct spdm_answer){.ticket = ev.ticket, .yes = true, .key = key}));
    }
}

static void look_at(struct replay *r, const struct spdm_sight *s)
{
    if (s->report.why != SPDM_WHY_FINE) {
        char text[300];

        spdm_report_text(&s->report, text, sizeof text);
        if (!r->tampered) fail_msg("%s: code %02x: %s", r->name, s->code, text);
        r->noticed = true;
    }
    if (s->signature == SPDM_SIGNATURE_BAD) r->noticed = true;
    if (s->signature == SPDM_SIGNATURE_GOOD) r->good++;
    if (s->signature == SPDM_SIGNATURE_UNCHECKED) r->unchecked++;
    if (s->reassembled) r->reassembled++;
    if (s->enveloped) r->enveloped++;
    answer(r);
}

/* "= code digest": the message that came out of the last one. */
static void compare(struct replay *r, char *text)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    struct spdm_room expected;
    unsigned code = (unsigned)strtoul(strsep(&text, " "), NULL, 16);

    if (r->tampered) {
        if (r->pending) r->pending = spdm_witness_next(r->w, &r->sight);
        if (r->pending) look_at(r, &r->sight);
        return;
    }
    assert_true(spdm_witness_next(r->w, &r->sight));
    assert_true(r->sight.reassembled);
    assert_int_equal(r->sight.code, code);
    SHA256(r->sight.message.p, r->sight.message.n, digest);
    expected = hex_bytes(text);
    assert_int_equal(expected.n, sizeof digest);
    assert_memory_equal(digest, expected.p, sizeof digest);
    free(expected.p);
    assert_int_equal(r->sight.n, r->sight.message.n);
    look_at(r, &r->sight);
}

static bool is_chunk(struct spdm_room bytes)
{
    return bytes.p[1] == 0x85 || bytes.p[1] == 0x06;
}

static void take_line(char *text, void *ctx)
{
    struct replay *r = ctx;
    struct spdm_room bytes;

    if (text[0] == '=') {
        compare(r, text + 2);
        return;
    }
    while (spdm_witness_next(r->w, &r->sight)) look_at(r, &r->sight); /* what lies in an envelope */
    free(r->bytes.p);
    r->bytes = bytes = golden_bytes(text + 2);
    if (is_chunk(bytes) && r->tampered && r->chunk++ == r->at_chunk) bytes.p[bytes.n - 1] ^= 1;
    r->sight = spdm_witness_push(r->w, text[0] == '>', as_span(bytes));
    r->pending = true;
    look_at(r, &r->sight);
    if (!r->tampered) assert_true(r->sight.n != 0 && r->sight.n <= bytes.n);
}

static void run(struct replay *r, const char *path)
{
    static const struct spdm_policy policy = {.versions = {SPDM_V14, SPDM_V13, SPDM_V12}};
    struct spdm_config cfg = {.crypto = spdm_openssl_crypto(),
                              .crypto_ctx = ossl,
                              .binding = &spdm_binding_none,
                              .policy = &policy,
                              .sessions = &spdm_with_sessions,
                              .mutual = &spdm_requester_mutual};
    const struct spdm_watch watch = {.ctx = r, .more = more};

    cfg.session_memory = (struct spdm_room){(uint8_t *)r->sessions, 2 * spdm_session_size(&cfg)};
    assert_true(cfg.session_memory.n <= sizeof r->sessions);
    r->w = spdm_witness_init((struct spdm_room){(uint8_t *)r->memory, sizeof r->memory}, &cfg, &watch);
    assert_non_null(r->w);
    (void)golden_lines(path, take_line, r);
    while (spdm_witness_next(r->w, &r->sight)) look_at(r, &r->sight);
    spdm_witness_close(r->w);
    free(r->bytes.p);
    for (unsigned i = 0; i < r->key_n; i++) spdm_openssl_key_free(r->key[i]);
    for (size_t i = 0; i < SPDM_ROOM_N; i++) free(r->room[i].p);
}

/* ---- tests ---- */

static void replay_one(const char *path, const char *name, void *ctx)
{
    static struct replay r;
    unsigned *n = ctx;
    bool able = strncmp(name, "pqc", 3) != 0 || spdm_openssl_crypto()->supports(ossl, SPDM_ML_DSA_65);

    r = (struct replay){.name = name};
    run(&r, path);
    ++*n;
    print_message("%s: %u of %u signatures, %u messages in chunks, %u in envelopes\n", name, r.good,
                  r.good + r.unchecked, r.reassembled, r.enveloped);
    assert_true(r.reassembled > 10 && r.enveloped >= 10);
    assert_true(r.good + r.unchecked >= 5); /* of both sides, outside of sessions and in handshakes */
    if (able) assert_int_equal(r.unchecked, 0);
}

static void test_replay(void **state)
{
    unsigned n = 0;

    (void)state;
    (void)golden_files("chunked", replay_one, &n);
    assert_int_equal(n, 4);
}

/* One bit of any portion: something does not fit. Only the end of FINISH is an HMAC, whose key is not known. */
static void tamper_one(const char *path, const char *name, void *ctx)
{
    static struct replay r;
    unsigned missed = 0;

    (void)ctx;
    if (strncmp(name, "pqc", 3) == 0) return;
    for (unsigned at = 0;; at++) {
        r = (struct replay){.name = name, .tampered = true, .at_chunk = at};
        run(&r, path);
        if (r.chunk <= at) break;
        if (!r.noticed) missed++;
    }
    assert_int_equal(missed, 1);
}

static void test_tampered(void **state)
{
    (void)state;
    (void)golden_files("chunked", tamper_one, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_replay), cmocka_unit_test(test_tampered)};
    char error[SPDM_CAUSE_MAX];
    int failed;

    ossl = spdm_openssl_open(NULL, error);
    if (ossl == NULL) return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    spdm_openssl_close(ossl);
    return failed;
}
