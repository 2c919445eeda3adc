/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A responder whose answers are fetched in chunks, byte for byte: what
 * CHUNK_GET may ask for, what may come between, when chunks are known at all,
 * and which channel a transfer belongs to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/talk.h"

enum { MAX = 10000 };

static const uint8_t versions[] = {SPDM_V12, SPDM_V13, SPDM_V14};
#define EVERY_VERSION for (size_t at_version = 0; v = versions[at_version % 3], at_version < 3; at_version++)

#define CAPABILITIES "vv e1 00 00 00 0e 00 00 00000200 40000000 10270000" /* 64 bytes at a time, 10,000 in all */
#define ASK "vv fe 00 00 0300 02 b41a c800 big"                           /* VENDOR_DEFINED_REQUEST with 200 bytes */

static struct pair p;
static uint8_t v;

static void expect(const char *words, const char *prefix)
{
    talk_expect(&p, v, words, prefix);
}

static void begin(const char *capabilities)
{
    pair_init(&p);
    pair_chunks(&p, 1000, MAX);
    pair_start(&p);
    expect("10 84 00 00", "10 04");
    expect(capabilities, "vv 61");
    expect("vv e3 00 00 offer", "vv 63");
}

static struct spdm_span get(uint8_t handle, uint32_t sequence)
{
    char words[40];

    snprintf(words, sizeof words, "vv 86 00 %02x %02x%02x%s", handle, sequence & 0xff, sequence >> 8 & 0xff,
             v == SPDM_V14 ? "0000" : "");
    return talk(&p, v, words);
}

/* The portion of the answer to ASK with this number; its bytes are compared. */
static void portion(uint8_t handle, uint32_t sequence)
{
    static const uint8_t sizes[] = {48, 52, 52, 52, 7};
    uint8_t whole[PAIR_BUFFER];
    size_t head = sequence == 0 ? 16 : 12, at = 0;
    struct spdm_span got = get(handle, sequence);
    char words[80];

    (void)talk_bytes("vv 7e 00 00 0300 02 b41a c800 big", v, whole);
    for (uint32_t i = 0; i < sequence; i++) at += sizes[i];
    snprintf(words, sizeof words, "vv 06 %02x %02x %02x000000 %02x000000 %s", sequence == 4, handle, sequence,
             sizes[sequence], sequence == 0 ? "d3000000" : "");
    if (!talk_like(got, v, words)) fail_msg("1.%u: portion %u", v & 15u, sequence);
    assert_int_equal(got.n, head + sizes[sequence]);
    assert_memory_equal(got.p + head, whole + at, sizes[sequence]);
}

static void test_honest(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        begin(CAPABILITIES);
        for (uint8_t handle = 1; handle < 4; handle++) {
            expect(ASK, handle == 1 ? "vv 7f 0f 00 01" : handle == 2 ? "vv 7f 0f 00 02" : "vv 7f 0f 00 03");
            for (uint32_t i = 0; i < 5; i++) portion(handle, i);
            assert_int_equal(p.rs_shelf.shelf.taken, 0);
            assert_true(talk_like(get(handle, 5), v, "vv 7f 04 00"));
        }
        pair_close(&p);
    }
}

/* Handle and ChunkSeqNo are those that are due (R-CHK-21); the transfer goes on. */
static void test_wrong(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        begin(CAPABILITIES);
        assert_true(talk_like(get(1, 0), v, "vv 7f 01 00") || talk_like(get(0, 0), v, "vv 7f 04 00"));
        assert_true(talk_like(get(0, 0), v, "vv 7f 04 00"));
        expect(ASK, "vv 7f 0f 00 01");
        for (uint32_t i = 0; i < 5; i++) {
            assert_true(talk_like(get(2, i), v, "vv 7f 01 00"));
            assert_true(talk_like(get(1, i + 1), v, "vv 7f 01 00"));
            assert_true(talk_like(get(1, i + 0x100), v, "vv 7f 01 00"));
            if (i > 1) assert_true(talk_like(get(1, i - 2), v, "vv 7f 01 00"));
            expect("vv 86 00 01", "vv 7f 01 00");
            expect("vv 86 00 01 00", "vv 7f 01 00");
            portion(1, i);
        }
        pair_close(&p);
    }
}

/* A frame that was lost is asked for once more (LQ-46); also after the last one. */
static void test_retries(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        for (unsigned shared = 0; shared < 2; shared++) {
            pair_init(&p);
            pair_chunks(&p, 1000, MAX);
            p.rsp_config.out_shared = shared;
            pair_start(&p);
            expect("10 84 00 00", "10 04");
            expect(CAPABILITIES, "vv 61");
            expect("vv e3 00 00 offer", "vv 63");
            expect(ASK, "vv 7f 0f 00 01");
            expect(ASK, "vv 7f 0f 00 01"); /* LargeResponse was lost */
            for (uint32_t i = 0; i < 5; i++) {
                portion(1, i);
                if (shared && i == 4) continue;
                memset(p.rs_out, 0xee, shared ? sizeof p.rs_out : 0);
                portion(1, i);
                portion(1, i);
            }
            if (shared) assert_true(talk_like(get(1, 4), v, "vv 7f 04 00"));
            expect("vv 55 00 00", "vv 7f 07 55");
            assert_true(talk_like(get(1, 4), v, "vv 7f 04 00")); /* something came between */
            expect(ASK, "vv 7f 0f 00 02");
            pair_close(&p);
        }
    }
}

/* ---- withstand 77: other requests in the middle ---- */

static void test_intruders(void **state)
{
    static const char *const others[] = {"vv 81 00 00", "vv e1 00 00 caps", "vv ff fe 01", "vv 55 00 00",
                                         "vv 85 00 01 00000000 30000000 64000000 big"};

    (void)state;
    EVERY_VERSION
    {
        begin(CAPABILITIES);
        expect(ASK, "vv 7f 0f 00 01");
        for (uint32_t i = 0; i < 5; i++) {
            expect(others[i], "vv 7f 04 00");
            portion(1, i);
        }
        expect(ASK, "vv 7f 0f 00 02");
        portion(2, 0);
        expect(ASK, "vv 7f 04 00"); /* it is being fetched: no retry any more */
        portion(2, 1);
        expect("10 84 00 00", "10 04");
        assert_int_equal(p.rs_shelf.shelf.taken, 0);
        assert_true(talk_like(get(2, 2), v, "10 7f 04 00"));
        expect(CAPABILITIES, "vv 61");
        expect("vv e3 00 00 offer", "vv 63");
        expect(ASK, "vv 7f 0f 00 03");
        portion(3, 0);
        spdm_responder_resynch(p.rs);
        assert_int_equal(p.rs_shelf.shelf.taken, 0);
        assert_true(talk_like(get(3, 1), v, "vv 7f 43 00"));
        pair_close(&p);
    }
}

/* ---- withstand 80: who can do chunks ---- */

static void test_without(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        for (unsigned kind = 0; kind < 3; kind++) { /* the device cannot, is not built for it, the requester cannot */
            pair_init(&p);
            pair_chunks(&p, 1000, 1000);
            p.rsp_config.request_max = 300;
            if (kind == 0) p.rsp_policy.flags &= ~SPDM_CHUNK_CAP;
            if (kind == 1) p.rsp_config.chunks = NULL;
            pair_start(&p);
            expect("10 84 00 00", "10 04");
            expect(kind == 2 ? "vv e1 00 00 00 0e 00 00 00000000 40000000 40000000" : CAPABILITIES, "vv 61");
            expect("vv e3 00 00 offer", "vv 63");
            expect("vv 85 00 01 00000000 30000000 64000000 big", "vv 7f 07 85");
            assert_true(talk_like(get(1, 0), v, "vv 7f 07 86"));
            expect(ASK, "vv 7f 0d 00 d3000000"); /* never LargeResponse */
            pair_close(&p);
        }
        pair_init(&p);
        pair_chunks(&p, 1000, MAX);
        pair_start(&p);
        expect("vv 85 00 01 00000000 30000000 64000000 big", "10 7f 04 00");
        expect("10 84 00 00", "10 04");
        expect("vv 85 00 01 00000000 30000000 64000000 big", "10 7f 04 00");
        expect("vv 86 00 01 00000000", "10 7f 04 00");
        expect(CAPABILITIES, "vv 61");
        assert_true(talk_like(get(0, 0), v, "vv 7f 04 00"));
        pair_close(&p);
    }
}

/* A response over the requester's MaxSPDMmsgSize is not begun (R-CAP-23). */
static void test_too_large(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        begin("vv e1 00 00 00 0e 00 00 00000200 40000000 d2000000");
        expect(ASK, "vv 7f 0d 00 d3000000");
        expect("vv 82 00 00 0000 ffff", "vv 7f 0d 00 18060000"); /* the whole chain, which must not be cut */
        expect("vv 82 00 00 0000 fffe", "vv 7f 0f 00 01");       /* as much of it as there is room for */
        assert_true(talk_like(get(1, 0), v, "vv 06 00 01 00000000 30000000 d2000000 vv 02 00 00 ca00 4605"));
        pair_close(&p);
    }
}

/* ---- withstand 82: the answer to a request in chunks ---- */

static void test_both_ways(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        pair_init(&p);
        pair_chunks(&p, 64, MAX);
        pair_start(&p);
        expect("10 84 00 00", "10 04");
        expect(CAPABILITIES, "vv 61");
        expect("vv e3 00 00 offer", "vv 63");
        /* 47 bytes of payload: 58 in all, 66 with an acknowledgement of 1.4, 64 with one of 1.2 and 1.3 */
        expect("vv 85 00 05 00000000 30000000 3a000000 vv fe 00 00 0300 02 b41a 2f00 "
               "0000000000000000000000000000000000000000000000000000000000000000000000000000",
               v == SPDM_V14 ? "vv 05 00 05 00000000" : "vv 05 00 05 0000");
        expect("vv 85 01 05 01000000 0a000000 00000000000000000000",
               v == SPDM_V14 ? "vv 7f 0f 00 01" : "vv 05 00 05 0100 vv 7e 00 00 0300 02 b41a 2f00");
        if (v == SPDM_V14)
            assert_true(talk_like(get(1, 0), v, "vv 06 00 01 00000000 30000000 3a000000 vv 7e 00 00 0300"));
        if (v == SPDM_V14) assert_true(talk_like(get(1, 1), v, "vv 06 01 01 01000000 0a000000"));
        pair_close(&p);
    }
}

/* ---- withstand 81: the channel of a transfer ---- */

static unsigned probed;

/* While a response is fetched in the session, somebody outside of it asks, too. */
static size_t probe(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    static uint8_t copy[PAIR_BUFFER];

    if (!to_responder || frame[0] != 6 || pair->opened_rs == 0) return n;
    memcpy(copy, frame, n);
    for (uint8_t handle = 0; handle < 6; handle++) {
        struct spdm_span got = get(handle, 0), next;

        assert_true(talk_like(got, v, "vv 7f 04 00") || talk_like(got, v, "vv 7f 01 00"));
        next = get(handle, 1);
        assert_true(talk_like(next, v, "vv 7f 04 00") || talk_like(next, v, "vv 7f 01 00"));
    }
    probed++;
    memcpy(frame, copy, n);
    return n;
}

static void test_channels(void **state)
{
    static const struct spdm_goal session = {.want = SPDM_WANT_SESSION | SPDM_WANT_MEASUREMENTS, .sign = true};
    struct spdm_goal again = {.want = SPDM_WANT_MEASUREMENTS, .sign = true};

    (void)state;
    EVERY_VERSION
    {
        pair_init(&p);
        memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
        p.req_policy.versions[0] = v;
        pair_chunks(&p, 100, MAX);
        pair_sessions(&p, 1);
        p.wire = probe;
        probed = 0;
        pair_start(&p);
        assert_true(pair_run(&p, &session));
        assert_true(p.proven && probed > 4);
        /* begun outside, it cannot be continued inside, and is continued outside */
        p.wire = NULL;
        expect("vv 85 00 05 00000000 30000000 64000000 vv fe 00 00 0300 02 b41a 5900 "
               "0000000000000000000000000000000000000000000000000000000000000000000000000000",
               v == SPDM_V14 ? "vv 05 00 05 00000000" : "vv 05 00 05 0000");
        again.session = p.opened_rq;
        assert_false(pair_run(&p, &again)); /* UnexpectedRequest */
        assert_int_equal(p.failure.got, 4);
        expect(
            "vv 85 01 05 01000000 34000000 "
            "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
            v == SPDM_V14 ? "vv 7f 0f 00" : "vv 7f 0f 00");
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_honest),    cmocka_unit_test(test_wrong),
                                       cmocka_unit_test(test_retries),   cmocka_unit_test(test_intruders),
                                       cmocka_unit_test(test_without),   cmocka_unit_test(test_too_large),
                                       cmocka_unit_test(test_both_ways), cmocka_unit_test(test_channels)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
