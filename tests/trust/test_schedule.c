/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The key schedule against values that others computed, and those that
 * another implementation printed in recorded sessions: versions 1.1 to 1.4,
 * three hashes, DHE, KEM and PSK, every key and two key updates. */
#include "port/crypto_openssl.h"
#include "support/hex.h"
#include "support/lines.h"
#include "support/toy_crypto.h"
#include "trust/edition.h"
#include "trust/schedule.h"
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VALUES = 96, GENERATIONS = 3 };

/* One value of a session as the file has it. */
struct value {
    char name[40];
    struct spdm_room bytes, more; /* `verify` has two: digest, VerifyData */
    bool met;
};

struct case_ {
    char name[80], version[8], hash[16], aead[24], kind[8];
    struct value value[VALUES];
    size_t n;
};

/* What goes in or shows nowhere; and lines that are no values of the key schedule. */
static const char *const not_derived[] = {"secret", "th1", "th2", "salt_0", "salt_1", "master_secret"};
static const char *const not_values[] = {"record", "message", "signature", "th1_order", "th2_order", "end_session"};

static bool among(const char *name, const char *const list[6])
{
    for (size_t i = 0; i < 6; i++) {
        if (strcmp(name, list[i]) == 0) return true;
    }
    return false;
}

static void add_value(struct case_ *c, const struct lines *line)
{
    bool verify = strcmp(line->word[0], "verify") == 0;

    if (among(line->word[0], not_values)) return;
    assert_true(c->n < VALUES);
    struct value *v = &c->value[c->n++];
    snprintf(v->name, sizeof v->name, "%s%s%s", line->word[0], verify ? "_" : "", verify ? line->word[1] : "");
    v->bytes = hex_bytes(line->word[verify ? 2 : 1]);
    v->more = hex_bytes(line->word[verify ? 3 : 2]);
    v->met = among(v->name, not_derived);
}

/* ---- one session ---- */

static const struct value *find(const struct case_ *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->value[i].name, name) == 0) return &c->value[i];
    }
    return NULL;
}

/* What was derived is what the file says, if it says anything. */
static void meet(struct case_ *c, const char *name, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < c->n; i++) {
        struct value *v = &c->value[i];
        if (strcmp(v->name, name) != 0) continue;
        if (v->bytes.n != n || memcmp(v->bytes.p, p, n) != 0) fail_msg("%s: %s differs", c->name, name);
        v->met = true;
    }
}

static const char *const sides[] = {"request", "response"};

static void meet_side(struct case_ *c, enum direction d, const char *what, const uint8_t *p, size_t n)
{
    char name[40];

    snprintf(name, sizeof name, "%s_%s", sides[d], what);
    meet(c, name, p, n);
}

/* Key and IV under each size of key the file may have: `stage` is handshake or data, `after` _1 after an update. */
static void meet_keys(struct case_ *c, const struct schedule *s, enum direction d, const uint8_t *secret,
                      const char *const words[2])
{
    static const uint8_t all[] = {SPDM_AES_128_GCM, SPDM_AES_256_GCM, SPDM_CHACHA20_POLY1305};
    char what[30];

    for (size_t i = 0; i < sizeof all; i++) {
        struct schedule other = *s;
        struct record_secret record;
        if (s->aead != SPDM_ALG_NONE && s->aead != all[i]) continue;
        other.aead = all[i];
        assert_true(spdm_schedule_record(&other, secret, &record));
        size_t size = spdm_algorithm(all[i])->key;
        snprintf(what, sizeof what, "%s_key_%zu%s", words[0], size, words[1]);
        meet_side(c, d, what, record.key, size);
        snprintf(what, sizeof what, "%s_iv%s", words[0], words[1]);
        meet_side(c, d, what, record.iv, sizeof record.iv);
    }
}

static void handshake_secret(struct case_ *c, const struct schedule *s, struct secrets *secrets)
{
    struct spdm_span shared = as_span(find(c, "secret")->bytes);
    size_t h = spdm_algorithm(s->hash)->size;

    if (strcmp(c->kind, "psk") == 0) {
        uint8_t salt[SPDM_HASH_MAX];
        spdm_schedule_psk_salt(s, salt);
        meet(c, "salt_0", salt, h);
        struct spdm_hmac in = {.hash = s->hash, .key = {salt, h}, .part = &shared, .n = 1};
        assert_true(s->crypto->hmac(s->ctx, &in, secrets->root));
    } else {
        assert_true(spdm_schedule_handshake_secret(s, secrets, shared));
    }
    meet(c, "handshake_secret", secrets->root, h);
}

static void in_handshake(struct case_ *c, const struct schedule *s, struct secrets *secrets)
{
    static const char *const words[] = {"handshake", ""};
    size_t h = spdm_algorithm(s->hash)->size;

    assert_int_equal(find(c, "th1")->bytes.n, h);
    assert_true(spdm_schedule_handshake(s, secrets, find(c, "th1")->bytes.p));
    for (enum direction d = REQUEST; d < DIRECTION_N; d++) {
        char name[24];
        uint8_t out[SPDM_HASH_MAX];
        meet_side(c, d, "handshake_secret", secrets->direction[d], h);
        meet_side(c, d, "finished_key", secrets->finished[d], h);
        meet_keys(c, s, d, secrets->direction[d], words);
        snprintf(name, sizeof name, "verify_%s", sides[d]);
        for (size_t i = 0; i < c->n; i++) {
            struct value *v = &c->value[i];
            if (strcmp(v->name, name) != 0) continue;
            assert_true(spdm_schedule_verify_data(s, secrets->finished[d], v->bytes.p, out));
            assert_int_equal(v->more.n, h);
            assert_memory_equal(out, v->more.p, h);
            v->met = true;
        }
    }
}

static void in_application(struct case_ *c, const struct schedule *s, struct secrets *secrets)
{
    static const uint8_t empty[SPDM_HASH_MAX];
    size_t h = spdm_algorithm(s->hash)->size;

    assert_int_equal(find(c, "th2")->bytes.n, h);
    assert_true(spdm_schedule_data(s, secrets, find(c, "th2")->bytes.p));
    meet(c, "export_master_secret", secrets->export_master, h);
    assert_memory_equal(secrets->export_master + h, empty, SPDM_HASH_MAX - h); /* nothing of the handshake is left */
    assert_memory_equal(secrets->previous[REQUEST], empty, sizeof empty);
    assert_memory_equal(secrets->previous[RESPONSE], empty, sizeof empty);
    for (enum direction d = REQUEST; d < DIRECTION_N; d++) {
        uint8_t secret[SPDM_HASH_MAX];
        memcpy(secret, secrets->direction[d], sizeof secret);
        for (int generation = 0; generation <= GENERATIONS; generation++) {
            char after[12] = "", what[40];
            const char *const words[] = {"data", after};
            if (generation != 0) snprintf(after, sizeof after, "_%d", generation);
            snprintf(what, sizeof what, "data_secret%s", after);
            meet_side(c, d, what, secret, h);
            meet_keys(c, s, d, secret, words);
            assert_true(spdm_schedule_update(s, secret, secret)); /* in place, too */
        }
    }
}

/* Computes everything and expects every value of the file to be met. Returns how many there were. */
static unsigned run(struct case_ *c, const struct spdm_crypto *crypto, void *ctx)
{
    struct schedule s = {.crypto = crypto, .ctx = ctx, .hash = spdm_algorithm_named(c->hash)};
    struct secrets secrets = {0};
    unsigned n = 0;

    s.version = (uint8_t)(0x10 + (c->version[2] - '0'));
    s.psk_salt = spdm_edition(s.version)->psk_salt;
    if (strcmp(c->aead, "-") != 0) s.aead = spdm_algorithm_named(c->aead);
    assert_int_not_equal(s.hash, SPDM_ALG_NONE);
    handshake_secret(c, &s, &secrets);
    in_handshake(c, &s, &secrets);
    in_application(c, &s, &secrets);
    for (size_t i = 0; i < c->n; i++) {
        if (!c->value[i].met) fail_msg("%s: nothing is called %s", c->name, c->value[i].name);
        n += !among(c->value[i].name, not_derived);
        free(c->value[i].bytes.p);
        free(c->value[i].more.p);
    }
    c->n = 0;
    return n;
}

struct count {
    unsigned sessions, values;
};

static void run_file(const char *path, struct count *count)
{
    struct spdm_openssl *ossl = spdm_openssl_open(NULL, NULL);
    struct lines line = lines_open(path);
    static struct case_ c;
    bool open = false, more;

    assert_non_null(ossl);
    do {
        more = lines_next(&line);
        if (open && (!more || strcmp(line.word[0], "session") == 0)) {
            count->values += run(&c, spdm_openssl_crypto(), ossl);
            count->sessions++;
        }
        if (!more) break;
        if (strcmp(line.word[0], "session") == 0) {
            open = true;
            c = (struct case_){0};
            snprintf(c.name, sizeof c.name, "%s", line.word[1]);
            snprintf(c.version, sizeof c.version, "%s", line.word[2]);
            snprintf(c.hash, sizeof c.hash, "%s", line.word[3]);
            snprintf(c.aead, sizeof c.aead, "%s", line.word[4]);
            snprintf(c.kind, sizeof c.kind, "%s", line.word[5]);
        } else {
            add_value(&c, &line);
        }
    } while (more);
    spdm_openssl_close(ossl);
}

static void values_of_others(void **state)
{
    struct count count = {0};

    (void)state;
    run_file("tests/data/sessions/key-schedule.txt", &count);
    assert_int_equal(count.sessions, 27);
    assert_int_equal(count.values, 27 * 34);
}

static void values_of_nist(void **state)
{
    struct count count = {0};

    (void)state;
    run_file("tests/data/sessions/nist.txt", &count);
    assert_int_equal(count.sessions, 4);
    assert_int_equal(count.values, 4 * 18);
}

static void values_of_recorded_sessions(void **state)
{
    struct count count = {0};
    glob_t found;

    (void)state;
    assert_int_equal(glob("tests/data/sessions/golden-*.txt", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) run_file(found.gl_pathv[i], &count);
    print_message("%u sessions, %u values\n", count.sessions, count.values);
    assert_int_equal(count.sessions, 87);
    assert_true(count.values > 1300);
    globfree(&found);
}

/* ---- a crypto library that fails ---- */

/* Everything once. */
static bool all_steps(const struct schedule *s, struct secrets *secrets, struct record_secret *record)
{
    static const uint8_t th[SPDM_HASH_MAX] = {1}, shared[32] = {2};
    uint8_t out[SPDM_HASH_MAX];

    return spdm_schedule_handshake_secret(s, secrets, spdm_span(shared, sizeof shared)) &&
           spdm_schedule_handshake(s, secrets, th) &&
           spdm_schedule_verify_data(s, secrets->finished[REQUEST], th, out) && spdm_schedule_data(s, secrets, th) &&
           spdm_schedule_update(s, secrets->direction[REQUEST], secrets->direction[REQUEST]) &&
           spdm_schedule_record(s, secrets->direction[REQUEST], record);
}

static void failures_are_told(void **state)
{
    enum { CALLS = 1 + 4 + 1 + 5 + 1 + 2 };

    (void)state;
    for (long at = 0; at <= CALLS; at++) {
        struct toy toy = {.fail_at = at};
        struct schedule s = {.crypto = &toy_crypto, .ctx = &toy, .hash = SPDM_SHA_384, .aead = SPDM_AES_256_GCM};
        struct secrets secrets = {0};
        struct record_secret record;
        s.version = 0x12; /* VERSION: any will do */
        assert_int_equal(all_steps(&s, &secrets, &record), at == 0);
        assert_int_equal(toy.calls, at == 0 ? CALLS : at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_others),
        cmocka_unit_test(values_of_nist),
        cmocka_unit_test(values_of_recorded_sessions),
        cmocka_unit_test(failures_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
