/* SPDX-License-Identifier: BSD-3-Clause
 *
 * VENDOR_DEFINED for every standards body, from both sides; and the form with a
 * payload of more than 65,535 bytes (withstand 64). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/talk.h"

static struct pair p;

/* Lengths of VendorID by StandardID, ended by 0xff: the registry's own, and none (which the reference takes too). */
static const uint8_t lengths[12][7] = {{0, 0xff},    {2, 0, 0xff}, {2, 0, 0xff},          {2, 0, 0xff},
                                       {4, 0, 0xff}, {4, 0, 0xff}, {2, 0, 0xff},          {2, 0, 0xff},
                                       {2, 0, 0xff}, {0, 0xff},    {1, 2, 3, 5, 9, 0xff}, {2, 0, 0xff}};

static size_t listed(const uint8_t list[7])
{
    size_t n = 0;

    while (list[n] != 0xff) n++;
    return n;
}

static bool is_legal(unsigned body, unsigned n)
{
    return body < 12 && memchr(lengths[body], (int)n, listed(lengths[body])) != NULL;
}

static void begin(uint8_t version)
{
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
}

static void test_bodies(void **state)
{
    static const uint8_t payload[] = "to whom it concerns";
    uint8_t id[17];

    (void)state;
    for (unsigned i = 0; i < sizeof id; i++) id[i] = (uint8_t)(0xd0 + i);
    for (uint8_t version = SPDM_V10; version <= SPDM_V14; version++) {
        begin(version);
        pair_start(&p);
        for (unsigned body = 0; body < 16; body++) {
            for (uint8_t n = 0; n < sizeof id; n++) {
                struct spdm_goal goal = {.want = SPDM_WANT_VENDOR,
                                         .standard = (uint16_t)body,
                                         .vendor = {id, n},
                                         .payload = {payload, sizeof payload}};
                uint8_t bytes[64] = {version, 0xfe, 0, 0, (uint8_t)body, 0, n};
                struct spdm_span got;
                bool legal = is_legal(body, n);

                p.vendor = 0;
                if (pair_run(&p, &goal) != legal) fail_msg("body %u, VendorID of %u", body, n);
                if (!legal) assert_int_equal(p.failure.why, SPDM_WHY_BAD_LENGTH);
                assert_int_equal(p.vendor != 0, legal);
                memcpy(bytes + 7, id, n);
                got = talk_bytes_to(&p, (struct spdm_span){bytes, 9u + n});
                assert_int_equal(got.p[1], legal ? 0x7e : 0x7f);
                if (legal) assert_memory_equal(got.p + 2, bytes + 2, 7u + n); /* R-VDR-03 */
                else assert_int_equal(got.p[2], 0x01);
            }
        }
        pair_close(&p);
    }
}

/* ---- the large form ---- */

enum { LARGE = 70000, PLACE = 80000 };
static uint8_t places[2][2][PLACE], payload[LARGE];

static void begin_large(uint8_t version)
{
    begin(version);
    pair_chunks(&p, 4096, PLACE);
    for (unsigned i = 0; i < 2; i++) {
        p.rq_shelf.place[i] = (struct spdm_room){places[0][i], PLACE};
        p.rs_shelf.place[i] = (struct spdm_room){places[1][i], PLACE};
    }
    p.req_policy.flags |= SPDM_LARGE_RESP_CAP;
    p.rsp_policy.flags |= SPDM_LARGE_RESP_CAP;
    for (unsigned i = 0; i < LARGE; i++) payload[i] = (uint8_t)(i * 7 + i / 251);
}

static size_t codes[256];
static size_t count(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)pair;
    (void)to_responder;
    codes[frame[2]]++;
    return n;
}

static void test_large(void **state)
{
    struct spdm_goal goal = {.want = SPDM_WANT_VENDOR,
                             .standard = 3,
                             .vendor = {(const uint8_t *)"\xb4\x1a", 2},
                             .payload = {payload, 65535}};
    uint64_t small;

    (void)state;
    begin_large(SPDM_V14);
    p.wire = count;
    pair_start(&p);
    memset(codes, 0, sizeof codes);
    assert_true(pair_run(&p, &goal)); /* still the short form, in chunks */
    small = p.vendor;
    goal.payload.n = LARGE;
    assert_true(pair_run(&p, &goal)); /* and back: the device's caller answers what it is told */
    assert_true(p.vendor != small && p.vendor != 0);
    assert_true(codes[0x85] > 2 * LARGE / 4096 && codes[0x86] > 2 * LARGE / 4096);
    pair_close(&p);
    for (unsigned i = 0; i < 3; i++) { /* one of the two cannot, or the version cannot */
        begin_large(i == 2 ? SPDM_V13 : SPDM_V14);
        if (i == 0) p.req_policy.flags &= ~(uint32_t)SPDM_LARGE_RESP_CAP;
        if (i == 1) p.rsp_policy.flags &= ~(uint32_t)SPDM_LARGE_RESP_CAP;
        pair_start(&p);
        assert_false(pair_run(&p, &goal));
        assert_int_equal(p.failure.why, SPDM_WHY_TOO_LONG);
        assert_int_equal(p.failure.limit, 65535);
        pair_close(&p);
    }
}

/* Lengths that lie, and reserved bytes, in the large form. */
static void test_large_lies(void **state)
{
    static const struct {
        const char *request, *answer;
    } cases[] = {
        {"14 fe 80 00 0300 02 b41a 0000 01000000 07", "14 7e 80 00 0300 02 b41a 0000 01000000 07"},
        {"14 fe 80 00 0300 02 b41a ffff 01000000 07", "14 7e 80 00 0300 02 b41a 0000 01000000 07"},
        {"14 fe ff ff 0300 02 b41a 0000 01000000 07", "14 7e 80 00"},
        {"14 fe 80 00 0300 02 b41a 0000 00000000", "14 7e 80 00 0300 02 b41a 0000 00000000"},
        {"14 fe 80 00 0300 02 b41a 0000 02000000 07", "14 7f 01 00"},
        {"14 fe 80 00 0300 02 b41a 0000 ffffffff 07", "14 7f 01 00"},
        {"14 fe 80 00 0300 02 b41a 0000 010000", "14 7f 01 00"},
        {"14 fe 80 00 0300 02 b41a 0000", "14 7f 01 00"},
        {"14 fe 80 00 0300 03 b41a00 0000 00000000", "14 7f 01 00"},
        {"14 fe 00 00 0300 02 b41a 0100 07", "14 7e 00 00 0300 02 b41a 0100 07"},
    };

    (void)state;
    begin_large(SPDM_V14);
    pair_start(&p);
    assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        talk_expect(&p, SPDM_V14, cases[i].request, cases[i].answer);
    }
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bodies), cmocka_unit_test(test_large),
                                       cmocka_unit_test(test_large_lies)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
