/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Opaque data that is the caller's (opaque.h): elements written and read, said
 * and heard in every message that has it, beside what sessions agree on there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/pair.h"
#include <assay/opaque.h>

enum { BIG = 700, ELEMENTS = 2 };

/* ---- elements ---- */

static const uint8_t pci[] = {0x86, 0x80}, cbor[] = {1, 2, 3, 4, 5}, bytes[300] = {7, 8, 9};

static void test_elements(void **state)
{
    const struct spdm_opaque_element in[] = {{3, {pci, 2}, {bytes, 3}},
                                             {0, {NULL, 0}, {bytes, 0}},
                                             {0x0a, {cbor, 5}, {bytes, 300}},
                                             {0x0b, {pci, 2}, {bytes, 1}}};
    uint8_t room[400];
    struct spdm_span all = spdm_opaque_write((struct spdm_room){room, sizeof room}, in, 4), rest;
    struct spdm_opaque_element out;

    (void)state;
    assert_int_equal(all.n, 4 + 12 + 4 + 312 + 8);
    assert_memory_equal(room, ((uint8_t[]){4, 0, 0, 0, 3, 2, 0x86, 0x80, 3, 0, 7, 8, 9, 0, 0, 0, 0, 0, 0, 0, 10, 5}),
                        22);
    assert_true(spdm_opaque_open(all, &rest));
    for (size_t i = 0; i < 4; i++) {
        assert_true(spdm_opaque_next(&rest, &out));
        assert_int_equal(out.id, in[i].id);
        assert_int_equal(out.vendor.n, in[i].vendor.n);
        assert_int_equal(out.data.n, in[i].data.n);
        if (out.data.n != 0) assert_memory_equal(out.data.p, bytes, out.data.n);
    }
    assert_false(spdm_opaque_next(&rest, &out));
    for (size_t n = 0; n < all.n; n++) {
        uint8_t cut[400];

        assert_int_equal(spdm_opaque_write((struct spdm_room){cut, n}, in, 4).n, 0);
        assert_false(spdm_opaque_open((struct spdm_span){room, n}, &rest));
    }
    assert_int_equal(spdm_opaque_write((struct spdm_room){room, sizeof room}, in, 0).n, 0); /* R-OPQ-06 */
    assert_int_equal(spdm_opaque_write((struct spdm_room){room, sizeof room}, in, 256).n, 0);
    for (unsigned id = 0; id < 256; id++) { /* a VendorID of two bytes: who has such, R-OPQ-07, R-OPQ-08 */
        const struct spdm_opaque_element one = {(uint8_t)id, {pci, 2}, {bytes, 2}};
        bool two = id == 1 || id == 2 || id == 3 || id == 6 || id == 7 || id == 8 || id == 0x0a || id == 0x0b;

        assert_int_equal(spdm_opaque_write((struct spdm_room){room, sizeof room}, &one, 1).n, two ? 12 : 0);
    }
}

/* ---- in messages ---- */

static struct pair p;

/* What an end says, and what it has heard: by code. */
struct end {
    uint8_t version;
    unsigned asked, by_code[256];
    uint8_t said[BIG];
    size_t n, heard[256];
};
static struct end ends[2];

static struct spdm_span say(void *ctx, const struct spdm_facts *facts, uint8_t code)
{
    struct end *e = ctx;
    static const uint8_t legacy[] = {0x46, 0x54, 0x4d, 0x44, 1, 1, 0, 0, 3, 2, 0x86, 0x80, 2, 0, 0xaa, 0xbb};

    assert_int_equal(facts->version, e->version);
    e->asked++;
    e->by_code[code]++;
    if (e->version < SPDM_V12 && (code == 0xe4 || code == 0x64 || code == 0xe6 || code == 0x66))
        return (struct spdm_span){legacy, sizeof legacy};
    return (struct spdm_span){e->said, e->n};
}

static void hear(void *ctx, const struct spdm_facts *facts, uint8_t code, struct spdm_span opaque)
{
    struct end *e = ctx, *peer = e == &ends[0] ? &ends[1] : &ends[0];
    struct spdm_span rest;
    struct spdm_opaque_element one, last = {0};

    assert_int_equal(facts->version, e->version);
    e->heard[code] += opaque.n;
    if (code != 0xe4 && code != 0x64 && code != 0xe6 && code != 0x66) { /* as it was said */
        assert_int_equal(opaque.n, peer->n);
        assert_memory_equal(opaque.p, peer->said, peer->n);
    } else if (e->version >= SPDM_V12) { /* the engine's elements first */
        assert_true(spdm_opaque_open(opaque, &rest));
        for (unsigned i = 0; spdm_opaque_next(&rest, &one); i++) {
            if (i == 0) assert_int_equal(one.id, 0);
            last = one;
        }
        assert_int_equal(last.id, 3);
        assert_memory_equal(last.data.p + last.data.n - 2, "\xaa\xbb", 2);
    } else {
        assert_memory_equal(opaque.p + opaque.n - 2, "\xaa\xbb", 2);
    }
}

static struct spdm_opaque hooks[2] = {{say, hear, &ends[0]}, {say, hear, &ends[1]}};

static void prepare(uint8_t version, size_t data_n)
{
    pair_init(&p);
    pair_sessions(&p, 2);
    memcpy(p.req_policy.versions, (uint8_t[]){version, 0}, 2);
    p.req_config.opaque = &hooks[0];
    p.rsp_config.opaque = &hooks[1];
    for (unsigned i = 0; i < 2; i++) {
        uint8_t data[BIG] = {(uint8_t)i};
        const struct spdm_opaque_element one[ELEMENTS] = {{0x0a, {cbor, 5}, {data, i}}, {3, {pci, 2}, {data, data_n}}};

        memcpy(data + data_n - 2, "\xaa\xbb", 2);
        memset(&ends[i], 0, sizeof ends[i]);
        ends[i].version = version;
        ends[i].n = spdm_opaque_write((struct spdm_room){ends[i].said, BIG}, one, ELEMENTS).n;
        assert_true(ends[i].n != 0);
    }
}

static const struct spdm_goal attest = {
    .want = SPDM_WANT_CHALLENGE | SPDM_WANT_MEASUREMENTS, .sign = true, .summary = 0xff};
static const struct spdm_goal session = {.want = SPDM_WANT_SESSION | SPDM_WANT_MEASUREMENTS, .sign = true};
static const struct spdm_goal psk = {.want = SPDM_WANT_PSK_SESSION};

static void reach(const struct spdm_goal *goal)
{
    char mine[200], theirs[200];

    if (pair_run(&p, goal)) return;
    spdm_report_text(&p.failure, mine, sizeof mine);
    spdm_report_text(&p.refused, theirs, sizeof theirs);
    fail_msg("%x: requester: %s; responder: %s", p.req_policy.versions[0], mine, theirs);
}

static void heard(unsigned end, const char *codes)
{
    for (unsigned code = 0; code < 256; code++) {
        bool wanted = code != 0 && strchr(codes, (int)code) != NULL;

        if (wanted && ends[1 - end].by_code[code] == 0) /* the one who said it knew what it was for */
            fail_msg("version %x: end %u was not asked for 0x%02x", ends[end].version, 1 - end, code);
        if ((ends[end].heard[code] != 0) != wanted)
            fail_msg("version %x: end %u heard 0x%02x %zu bytes", ends[end].version, end, code, ends[end].heard[code]);
    }
}

static void test_messages(void **state)
{
    (void)state;
    for (uint8_t version = SPDM_V10; version <= SPDM_V14; version++) {
        prepare(version, 20);
        pair_start(&p);
        reach(&attest);
        heard(0, "\x03\x60");
        heard(1, "");
        if (version >= SPDM_V11) {
            reach(&session);
            reach(&psk);
            heard(0, version == SPDM_V14 ? "\x03\x60\x64\x65\x66\x67" : "\x03\x60\x64\x66");
            heard(1, version == SPDM_V14 ? "\xe4\xe5\xe6\xe7" : "\xe4\xe6");
        }
        pair_close(&p);
    }
}

/* Nothing is said where no format was agreed on (R-OPQ-02), and hooks may be left out. */
static void test_none(void **state)
{
    static const struct spdm_opaque deaf = {say, NULL, &ends[1]}, dumb = {NULL, hear, &ends[0]};

    (void)state;
    prepare(SPDM_V13, 20);
    p.req_policy.opaque_formats = 0;
    pair_start(&p);
    reach(&attest);
    assert_int_equal(ends[0].asked + ends[1].asked, 0);
    heard(0, "");
    pair_close(&p);
    prepare(SPDM_V14, 20);
    p.req_config.opaque = &dumb;
    p.rsp_config.opaque = &deaf;
    pair_start(&p);
    reach(&session);
    heard(1, "");
    assert_int_equal(ends[0].asked, 0);
    assert_true(ends[0].heard[0x64] != 0);
    pair_close(&p);
}

/* In portions, whose borders fall everywhere in it. */
static void test_large(void **state)
{
    (void)state;
    for (uint32_t transfer = 64; transfer < 180; transfer += 9) {
        prepare(SPDM_V13, 600);
        pair_chunks(&p, transfer, 8000);
        pair_start(&p);
        reach(&attest);
        heard(0, "\x03\x60");
        pair_close(&p);
        prepare(SPDM_V13, 600);
        pair_chunks(&p, transfer, 8000);
        p.stays = true;
        pair_start(&p);
        reach(&attest);
        heard(0, "\x03\x60");
        assert_true(p.proven);
        pair_close(&p);
    }
}

/* More than the peer takes, or there is room for: told, and nothing stays open. */
static void test_too_long(void **state)
{
    (void)state;
    prepare(SPDM_V13, 600);
    p.req_policy.opaque_max = 500;
    pair_start(&p);
    assert_false(pair_run(&p, &attest));
    assert_int_equal(p.failure.why, SPDM_WHY_TOO_LONG);
    heard(0, "");
    pair_close(&p);
    prepare(SPDM_V13, 600);
    p.rsp_policy.opaque_max = 500;
    pair_start(&p);
    assert_false(pair_run(&p, &attest));
    assert_int_equal(p.refused.why, SPDM_WHY_TOO_LONG);
    pair_close(&p);
    prepare(SPDM_V13, 600); /* KEY_EXCHANGE with it is longer than what is kept of a request */
    p.req_config.request_max = 400;
    pair_start(&p);
    assert_false(pair_run(&p, &session));
    assert_int_equal(p.failure.why, SPDM_WHY_NO_ROOM);
    assert_int_equal(p.opened_rq | p.opened_rs, 0);
    pair_close(&p);
}

/* What cannot stand beside the elements of a session is not left out without a word. */
static void test_no_elements(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        prepare(SPDM_V13, 20);
        if (i == 0) ends[0].said[0] = 255; /* with ours: 256 and more */
        else ends[0].n = 4;                /* a head alone */
        pair_start(&p);
        assert_false(pair_run(&p, &session));
        assert_int_equal(p.failure.why, SPDM_WHY_TOO_LONG);
        assert_int_equal(p.opened_rq | p.opened_rs, 0);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_elements), cmocka_unit_test(test_messages),
                                       cmocka_unit_test(test_none),     cmocka_unit_test(test_large),
                                       cmocka_unit_test(test_too_long), cmocka_unit_test(test_no_elements)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
