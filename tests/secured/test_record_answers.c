/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Records against secured messages that others made: computed ones, which
 * must come out of sealing byte by byte, and recorded ones, which must open.
 * A changed, cut or repeated record does not. */
#include "port/crypto_openssl.h"
#include "secured/record.h"
#include "support/hex.h"
#include "support/lines.h"
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct spdm_crypto *crypto;

static int set_up(void **state)
{
    crypto = spdm_openssl_crypto();
    *state = spdm_openssl_open(NULL, NULL);
    return *state == NULL;
}

static int tear_down(void **state)
{
    spdm_openssl_close(*state);
    return 0;
}

/* A lane and what belongs to it. */
struct keyed {
    struct record_crypto rc;
    uint64_t state[2];
    struct lane lane;
};

static void key_lane(struct keyed *k, void *ossl, enum spdm_alg aead, struct spdm_span key, struct spdm_span iv)
{
    *k = (struct keyed){.rc = {crypto, ossl}, .lane = {.ready = true}};
    k->lane.aead = k->state;
    assert_int_equal(iv.n, RECORD_IV);
    memcpy(k->lane.iv, iv.p, RECORD_IV);
    assert_true(crypto->aead_begin(ossl, k->state, aead, key));
}

static struct spdm_room exact(size_t n)
{
    struct spdm_room room = {malloc(n), n};

    assert_non_null(room.p);
    return room;
}

/* The random data of the file instead of real ones: sealing is then a function. */
static struct spdm_span next_random;

static bool random_of_the_file(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    assert_int_equal(n, next_random.n);
    memcpy(out, next_random.p, n);
    return true;
}

static void expect_open(struct keyed *k, const struct record_form *form, struct spdm_span record, struct spdm_span want)
{
    struct spdm_room out = exact(record.n);
    struct record_in in = {.record = record, .out = out};
    uint64_t before = k->lane.sequence;

    assert_true(spdm_record_open(&k->rc, form, &k->lane, &in));
    assert_int_equal(in.data.n, want.n);
    assert_memory_equal(in.data.p, want.p, want.n);
    assert_int_equal(k->lane.sequence, before + 1);
    free(out.p);
}

static void expect_closed(struct keyed *k, const struct record_form *form, struct spdm_span record)
{
    struct spdm_room out = exact(record.n + 1), copy = exact(record.n + 1);
    uint64_t before = k->lane.sequence;

    memcpy(copy.p + 1, record.p, record.n);
    struct record_in in = {.record = {copy.p + 1, record.n}, .out = out};
    assert_false(spdm_record_open(&k->rc, form, &k->lane, &in));
    assert_int_equal(k->lane.sequence, before);
    free(out.p);
    free(copy.p);
}

/* Every bit turned, every length cut; the lane opens the right record all the same. */
static void expect_only_this(struct keyed *k, const struct record_form *form, struct spdm_room record)
{
    for (size_t bit = 32; bit < 8 * record.n;
         bit++) { /* the SessionID in front finds the session; it is authenticated */
        record.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect_closed(k, form, as_span(record));
        record.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    record.p[0] ^= 1;
    expect_closed(k, form, as_span(record));
    record.p[0] ^= 1;
    for (size_t n = 0; n < record.n; n++) expect_closed(k, form, spdm_span(record.p, n));
    k->lane.sequence++;
    expect_closed(k, form, as_span(record));
    k->lane.sequence--;
}

static void one_record(void *ossl, const struct lines *l)
{
    struct spdm_room key = hex_bytes(l->word[6]), iv = hex_bytes(l->word[7]), data = hex_bytes(l->word[10]);
    struct spdm_room random = hex_bytes(l->word[11]), record = hex_bytes(l->word[12]), out = exact(record.n);
    struct record_form form = {.session = (uint32_t)strtoul(l->word[8], NULL, 16),
                               .seq_bytes = (uint8_t)atoi(l->word[5]),
                               .mac_only = strcmp(l->word[2], "MAC_ONLY") == 0,
                               .big_endian = strcmp(l->word[4], "big") == 0,
                               .limit = UINT64_MAX - 1};
    struct spdm_crypto fixed = *crypto;
    struct keyed k;

    key_lane(&k, ossl, spdm_algorithm_named(l->word[3]), as_span(key), as_span(iv));
    fixed.random = random_of_the_file;
    k.rc.crypto = &fixed;
    for (size_t cut = 0; cut <= data.n && cut < 5; cut += 4) { /* an inner header or none */
        struct record_plain plain = {
            .head = {data.p, cut}, .data = {data.p + cut, data.n - cut}, .random = (uint8_t)random.n};
        next_random = as_span(random);
        k.lane.sequence = strtoull(l->word[9], NULL, 10);
        assert_int_equal(spdm_record_seal(&k.rc, &form, &k.lane, &plain, out), record.n);
        assert_memory_equal(out.p, record.p, record.n);
        assert_int_equal(k.lane.sequence, strtoull(l->word[9], NULL, 10) + 1);
    }
    k.lane.sequence--;
    assert_int_equal(spdm_record_session(as_span(record)), form.session);
    expect_only_this(&k, &form, record);
    expect_open(&k, &form, as_span(record), as_span(data));
    if (form.seq_bytes != 0) expect_closed(&k, &form, as_span(record)); /* the same once more */
    crypto->aead_end(ossl, k.state);
    struct spdm_room *all[] = {&key, &iv, &data, &random, &record, &out};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]->p);
}

static void computed_records(void **state)
{
    struct lines line = lines_open("tests/data/sessions/records.txt");
    unsigned n = 0;

    while (lines_next(&line)) {
        one_record(*state, &line);
        n++;
    }
    assert_int_equal(n, 16);
}

/* A record that authenticates but whose ApplicationDataLength leads out of it (withstand 22). */
static void length_inside_must_fit(void **state)
{
    static const uint8_t key[16] = {1}, iv[RECORD_IV] = {2};
    struct record_form form = {.session = 0xfffefffd, .limit = 9};
    struct keyed k;

    key_lane(&k, *state, SPDM_AES_128_GCM, spdm_span(key, sizeof key), spdm_span(iv, sizeof iv));
    for (unsigned n = 0; n <= 6; n++) { /* of plaintext */
        for (unsigned told = 0; told <= 8; told++) {
            uint8_t record[6 + 6 + RECORD_TAG] = "\xfd\xff\xfe\xff" /* SessionID */
                                                 "\0\0\0\0"         /* both lengths */
                                                 "data";
            record[4] = (uint8_t)(n + RECORD_TAG);
            record[6] = (uint8_t)told;
            struct spdm_span body = {record + 6, n};
            struct spdm_aead op = {
                .iv = iv, .aad = {{record, 6}}, .in = &body, .in_n = 1, .out = record + 6, .tag = record + 6 + n};
            assert_true(crypto->aead_seal(*state, k.state, &op));
            if (n >= 2 && told + 2 <= n) {
                expect_open(&k, &form, spdm_span(record, 6 + n + RECORD_TAG), spdm_span((const uint8_t *)"data", told));
                k.lane.sequence = 0;
            } else {
                expect_closed(&k, &form, spdm_span(record, 6 + n + RECORD_TAG));
            }
        }
    }
    crypto->aead_end(*state, k.state);
}

/* ---- what cannot be sealed ---- */

static bool no_random(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    (void)out;
    (void)n;
    return false;
}

/* The data is there already when the cipher says no. */
static bool no_cipher(void *ctx, void *state, const struct spdm_aead *op)
{
    size_t at = 0;

    (void)ctx;
    (void)state;
    for (size_t i = 0; i < op->in_n; i++) {
        if (op->in[i].n != 0) memcpy(op->out + at, op->in[i].p, op->in[i].n);
        at += op->in[i].n;
    }
    return false;
}

static bool not_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != 0) return true;
    }
    return false;
}

/* Only what fits is sealed: into the room, into two bytes of length (R-APP-05); with a key, and with the random data
 * and the cipher that it takes. What could not be is not left behind, and the number is not used up. */
static void what_cannot_be_sealed(void **state)
{
    static const uint8_t key[16] = {1}, iv[RECORD_IV] = {2};
    static uint8_t data[0x10000];

    memset(data, 0x77, sizeof data);
    for (unsigned mac_only = 0; mac_only < 2; mac_only++) {
        struct record_form form = {.session = 0xfffefffd, .seq_bytes = 2, .mac_only = mac_only != 0, .limit = 9};
        size_t head = spdm_record_head(&form), most = 0xffff - RECORD_TAG - (mac_only ? 0 : 2);
        struct spdm_crypto bad = *crypto;
        struct keyed k;

        key_lane(&k, *state, SPDM_AES_128_GCM, spdm_span(key, sizeof key), spdm_span(iv, sizeof iv));
        for (size_t n = most - 2; n <= sizeof data; n++) {
            struct spdm_room room = exact(head + n + RECORD_TAG);
            struct record_plain plain = {.data = {data, n}};

            k.lane.sequence = 0;
            assert_int_equal(spdm_record_seal(&k.rc, &form, &k.lane, &plain, room), n <= most ? room.n : 0);
            assert_int_equal(k.lane.sequence, n <= most);
            free(room.p);
            if (n == most + 2) n = sizeof data - 2;
        }
        k.lane.sequence = 0;
        for (size_t n = 0; n < head + 50 + RECORD_TAG; n++) {
            struct spdm_room room = exact(n);
            struct record_plain plain = {.head = {data, 4}, .data = {data, 46}};

            assert_int_equal(spdm_record_seal(&k.rc, &form, &k.lane, &plain, room), 0);
            free(room.p);
        }
        k.rc.crypto = &bad;
        for (unsigned i = 0; i < 3; i++) {
            struct spdm_room room = exact(200);
            struct record_plain plain = {.data = {data, 50}, .random = 9};

            memset(room.p, 0, room.n);
            bad = *crypto;
            if (i == 0) bad.random = no_random;
            if (i == 1) bad.aead_seal = no_cipher;
            k.lane.ready = i != 2;
            if (i != 0 || !mac_only) assert_int_equal(spdm_record_seal(&k.rc, &form, &k.lane, &plain, room), 0);
            assert_false(not_zero(room.p, room.n));
            free(room.p);
        }
        assert_int_equal(k.lane.sequence, 0);
        k.rc.crypto = crypto;
        k.lane.ready = true;
        crypto->aead_end(*state, k.state);
    }
}

/* Nothing opens with a lane that has no key, however right the record. */
static void nothing_opens_without_a_key(void **state)
{
    static const uint8_t key[16] = {1}, iv[RECORD_IV] = {2};
    struct record_form form = {.session = 0xfffefffd, .seq_bytes = 2, .limit = 9};
    struct record_plain plain = {.data = {key, sizeof key}};
    struct spdm_room room = exact(200);
    struct keyed k;
    size_t n;

    key_lane(&k, *state, SPDM_AES_128_GCM, spdm_span(key, sizeof key), spdm_span(iv, sizeof iv));
    n = spdm_record_seal(&k.rc, &form, &k.lane, &plain, room);
    assert_int_not_equal(n, 0);
    k.lane.sequence = 0;
    k.lane.ready = false;
    expect_closed(&k, &form, spdm_span(room.p, n));
    k.lane.ready = true;
    expect_open(&k, &form, spdm_span(room.p, n), spdm_span(key, sizeof key));
    assert_int_equal(spdm_record_session(spdm_span(room.p, 4)), form.session);
    for (size_t i = 0; i < 4; i++) {
        struct spdm_room few = exact(i);

        assert_int_equal(spdm_record_session(as_span(few)), 0);
        free(few.p);
    }
    crypto->aead_end(*state, k.state);
    free(room.p);
}

/* ---- recorded ones ---- */

/* Keys and IVs of a session by name. */
struct ring {
    struct {
        char name[40];
        struct spdm_room bytes;
    } entry[64];
    size_t n;
    enum spdm_alg aead;
};

static void empty_ring(struct ring *ring)
{
    for (size_t i = 0; i < ring->n; i++) free(ring->entry[i].bytes.p);
    ring->n = 0;
}

static struct spdm_span of_ring(const struct ring *ring, const char *name)
{
    for (size_t i = 0; i < ring->n; i++) {
        if (strcmp(ring->entry[i].name, name) == 0) return as_span(ring->entry[i].bytes);
    }
    fail_msg("no %s", name);
    return (struct spdm_span){0};
}

static void open_recorded(void *ossl, const struct ring *ring, const struct lines *l)
{
    const char *stage = l->word[2], *after = strncmp(stage, "data_", 5) == 0 ? stage + 4 : "";
    const char *base = strcmp(stage, "handshake") == 0 ? stage : "data";
    struct spdm_room record = hex_bytes(l->word[6]), data = hex_bytes(l->word[7]);
    struct record_form form = {.session = spdm_record_session(as_span(record)),
                               .seq_bytes = strcmp(l->word[4], "MCTP") == 0 ? 2 : 0,
                               .mac_only = strcmp(l->word[5], "mac") == 0,
                               .limit = UINT64_MAX - 1};
    char key[48], iv[48];
    struct keyed k;

    snprintf(key, sizeof key, "%s_%s_key_%u%s", l->word[1], base, spdm_algorithm(ring->aead)->key, after);
    snprintf(iv, sizeof iv, "%s_%s_iv%s", l->word[1], base, after);
    key_lane(&k, ossl, ring->aead, of_ring(ring, key), of_ring(ring, iv));
    k.lane.sequence = strtoull(l->word[3], NULL, 10);
    expect_open(&k, &form, as_span(record), as_span(data));
    crypto->aead_end(ossl, k.state);
    free(record.p);
    free(data.p);
}

static unsigned open_file(void *ossl, const char *path)
{
    struct lines line = lines_open(path);
    static struct ring ring;
    unsigned n = 0;

    while (lines_next(&line)) {
        if (strcmp(line.word[0], "session") == 0) {
            empty_ring(&ring);
            ring.aead = spdm_algorithm_named(line.word[4]);
        } else if (strcmp(line.word[0], "record") == 0) {
            open_recorded(ossl, &ring, &line);
            n++;
        } else {
            assert_true(ring.n < sizeof ring.entry / sizeof ring.entry[0]);
            snprintf(ring.entry[ring.n].name, sizeof ring.entry[0].name, "%s", line.word[0]);
            ring.entry[ring.n++].bytes = hex_bytes(line.word[1]);
        }
    }
    empty_ring(&ring);
    return n;
}

static void recorded_records(void **state)
{
    glob_t found;
    unsigned n = 0;

    assert_int_equal(glob("tests/data/sessions/golden-*.txt", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) n += open_file(*state, found.gl_pathv[i]);
    print_message("%u records of %zu conversations\n", n, found.gl_pathc);
    assert_true(n > 500);
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(computed_records),      cmocka_unit_test(length_inside_must_fit),
        cmocka_unit_test(what_cannot_be_sealed), cmocka_unit_test(nothing_opens_without_a_key),
        cmocka_unit_test(recorded_records),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
