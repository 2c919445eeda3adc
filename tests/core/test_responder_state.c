/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A responder over time: retries, Busy, ResponseNotReady, RequestResynch, what
 * GET_VERSION cancels, and limits of its own and of its peer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/talk.h"

#define CHALLENGE "vv 83 00 00 nonce context"
#define MEASURE "vv e0 01 ff nonce slot00 context"
#define COUNT "vv e0 00 00 context"
#define VENDOR "vv fe 00 00 0300 02 b41a 0100 07"

static struct pair p;
static uint8_t v; /* the version at hand */

static void begin(uint8_t version, char phase)
{
    v = version;
    pair_init(&p);
    pair_start(&p);
    talk_phase(&p, v, phase);
}

static void expect(const char *request, const char *answer)
{
    talk_expect(&p, v, request, answer);
}

#define EVERY_VERSION for (uint8_t version = SPDM_V10; version <= SPDM_V14; version++)

/* What the responder says by itself when time has come. */
static struct spdm_span pull_at(uint64_t now)
{
    static uint8_t answer[600];
    struct spdm_span out = spdm_responder_pull(p.rs, p.now = now);

    if (out.n == 0) return out;
    assert_true(out.n - 1 <= sizeof answer);
    memcpy(answer, out.p + 1, out.n - 1);
    return (struct spdm_span){answer, out.n - 1};
}

static bool answer(uint32_t ticket, bool yes, size_t n)
{
    static const uint8_t bytes[600];
    struct spdm_answer a = {.ticket = ticket, .yes = yes, .data = {bytes, n}, .measurements = p.measurements};

    a.measurement_n = p.measurement_n;
    return spdm_responder_answer(p.rs, &a);
}

/* Answers the open question, and those that follow from it, as a working device does. */
static void settle(void)
{
    p.silent = false;
    if (p.open.kind == SPDM_ASK_SIGN) {
        uint8_t signature[512];
        size_t n = toy_sign(&p.key, &p.open.signing, signature);

        assert_true(spdm_responder_answer(
            p.rs, &(struct spdm_answer){.ticket = p.open.ticket, .yes = true, .data = {signature, n}}));
        return;
    }
    assert_true(answer(p.open.ticket, true, p.open.kind == SPDM_ASK_VENDOR ? 1 : 0));
    spdm_responder_push(p.rs, (struct spdm_span){0}, p.now);
    (void)talk_bytes_to; /* the next question, if any, is fetched below */
    for (struct spdm_event ev; spdm_responder_event(p.rs, &ev) != SPDM_NOTHING;) {
        p.open = ev;
        if (ev.kind == SPDM_ASK_SIGN) settle();
    }
}

/* ---- retries ---- */

/* An identical repeat gets the same bytes and enters no transcript (R-TIM-15, R-ORD-11), whatever ERROR came between.
 */
static void test_retries(void **state)
{
    static const char *const requests[][2] = {
        {"V", "vv e1 00 00 caps"}, {"C", "vv e3 00 00 offer"}, {"N", CHALLENGE}, {"N", MEASURE}};
    static uint8_t first[PAIR_BUFFER];

    (void)state;
    EVERY_VERSION
    {
        for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
            struct spdm_span got;
            size_t n;

            begin(version, requests[i][0][0]);
            got = talk(&p, v, requests[i][1]);
            memcpy(first, got.p, n = got.n);
            for (unsigned repeat = 0; repeat < 3; repeat++) {
                got = talk(&p, v, requests[i][1]);
                assert_true(got.n == n && memcmp(got.p, first, n) == 0);
                expect("vv 55 00 00", "vv 7f 07 55");
            }
            pair_close(&p);
        }
    }
}

/* Where the caller shares the buffer, nothing can be kept: a repeat is served anew or refused. */
static void test_shared_buffer(void **state)
{
    (void)state;
    v = SPDM_V12;
    pair_init(&p);
    p.rsp_config.out_shared = true;
    pair_start(&p);
    expect("10 84 00 00", "10 04");
    expect("vv e1 00 00 caps", "vv 61");
    memset(p.rs_out, 0xee, sizeof p.rs_out);
    expect("vv e1 00 00 caps", "vv 7f 04 00");
    expect("vv e3 00 00 offer", "vv 63");
    expect(CHALLENGE, "vv 03");
    memset(p.rs_out, 0xee, sizeof p.rs_out);
    expect(CHALLENGE, "vv 03 00");
    pair_close(&p);
}

/* ---- Busy ---- */

static void test_busy(void **state)
{
    static const char *const asking[] = {CHALLENGE, MEASURE, COUNT, VENDOR, "vv 83 00 ff nonce context"};

    (void)state;
    EVERY_VERSION
    {
        for (size_t i = 0; i < sizeof asking / sizeof *asking; i++) {
            uint32_t ticket;

            begin(version, 'N');
            p.silent = true;
            expect(asking[i], "-"); /* the caller is asked */
            ticket = p.open.ticket;
            expect("vv 81 00 00", "vv 7f 03 00");
            expect("vv 82 00 00 0000 0400", "vv 7f 03 00");
            expect("vv 55 00 00", "vv 7f 03 00");
            expect("vv ff 83 00", "vv 7f 01 00"); /* nothing deferred */
            expect(asking[i], "-");               /* a retry of the very request (R-TIM-19) */
            expect("11 84 00 00", "10 7f");       /* an invalid GET_VERSION changes nothing */
            assert_int_equal(p.open.ticket, ticket);
            expect("10 84 00 00", "10 04");         /* a valid one is served at once (R-VSN-06, R-CONC-10) */
            assert_false(answer(ticket, true, 96)); /* and the question is void */
            p.silent = false;
            talk_phase(&p, v, 'C');
            pair_close(&p);
        }
    }
}

/* Busy, then the answer: it comes all the same. */
static void test_busy_then_done(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        begin(version, 'N');
        p.silent = true;
        expect(CHALLENGE, "-");
        expect("vv 81 00 00", "vv 7f 03 00");
        settle();
        assert_true(talk_like(pull_at(1000), v, "vv 03 00"));
        expect("vv 81 00 00", "vv 01");
        pair_close(&p);
    }
}

/* ---- ResponseNotReady ---- */

enum { CT = 1 << 14, SOON = CT - CT / 8 }; /* CTExponent 14; said a little before CT is over (R-TIM-06) */

static void defer(uint8_t version, const char *request)
{
    begin(version, 'N');
    p.silent = true;
    p.now = 1000;
    expect(request, "-");
    assert_int_equal(spdm_responder_deadline(p.rs), 1000 + SOON);
    assert_int_equal(pull_at(1000 + SOON - 1).n, 0);
}

static void test_not_ready(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        defer(version, CHALLENGE);
        assert_true(talk_like(pull_at(1000 + SOON), v, "vv 7f 42 00 0e 83 01 0a"));
        assert_int_equal(pull_at(1000 + CT).n, 0); /* once */
        assert_true(spdm_responder_deadline(p.rs) == SPDM_NEVER);
        expect("vv ff 83 01", "vv 7f 42 00 0e 83 01 0a"); /* still not: the same token (R-RIR-07) */
        expect("vv ff e0 01", "vv 7f 01 00");             /* another request (R-RIR-04) */
        expect("vv ff 83 02", "vv 7f 01 00");             /* another token */
        expect("vv ff ff 01", "vv 7f 01 00");
        expect("1f ff 83 01", "vv 7f 41 00");
        expect("vv ff 83", "-");
        expect("11 84 00 00", "10 7f 41 00"); /* R-VSN-13: what is deferred stays */
        assert_int_equal(p.refused.got, 0x11);
        assert_int_equal(p.refused.limit, 0x10);
        expect("vv 55 00 00", "vv 7f 07 55");
        expect(CHALLENGE, "vv 7f 42 00 0e 83 01 0a"); /* the request once more: the same answer */
        settle();
        assert_int_equal(pull_at(p.now).n, 0); /* the requester comes for it */
        expect("vv ff 83 00", "vv 7f 01 00");
        expect("vv ff 83 01 00000000", "vv 03 00");
        expect("vv ff 83 01", "vv 7f 01 00"); /* twice (withstand 15) */
        expect(CHALLENGE, "vv 03 00");        /* but a retry of the request itself is answered */
        pair_close(&p);
    }
}

/* The next deferral has the next token; a deferred answer is handed out to the request itself too. */
static void test_tokens(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        defer(version, MEASURE);
        assert_true(talk_like(pull_at(1000 + SOON), v, "vv 7f 42 00 0e e0 01 0a"));
        settle();
        expect(MEASURE, "vv 60");
        p.silent = true;
        expect(CHALLENGE, "-");
        assert_true(talk_like(pull_at(p.now + CT), v, "vv 7f 42 00 0e 83 02 0a"));
        settle();
        expect("vv ff 83 01", "vv 7f 01 00");
        expect("vv ff 83 02", "vv 03");
        pair_close(&p);
    }
}

/* Every kind of question can take its time; the policy says how long the requester is told to wait. */
static void test_deferrals(void **state)
{
    static const struct {
        const char *request, *not_ready, *fetch, *answer;
    } rows[] = {
        {COUNT, "vv 7f 42 00 14 e0 01 03", "vv ff e0 01", "vv 60 05"},
        {VENDOR, "vv 7f 42 00 14 fe 01 03", "vv ff fe 01", "vv 7e 00 00 0300 02 b41a 0100 00"},
        {"vv 83 00 ff nonce context", "vv 7f 42 00 14 83 01 03", "vv ff 83 01", "vv 03"},
    };

    (void)state;
    EVERY_VERSION
    {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            begin(version, 'N');
            p.silent = true;
            p.rsp_policy.rdt_exponent = 20;
            p.rsp_policy.rdtm = 3;
            expect(rows[i].request, "-");
            assert_true(talk_like(pull_at(CT), v, rows[i].not_ready));
            settle();
            expect(rows[i].fetch, rows[i].answer);
            pair_close(&p);
        }
    }
}

/* A new request takes the place of a deferred one and is answered; the old question is void (R-RIR-09). */
static void test_replaced(void **state)
{
    static const char *const next[][2] = {
        {"vv 81 00 00", "vv 01"}, {"vv 82 00 00 0000 0400", "vv 02"},     {COUNT, "vv 60"},
        {VENDOR, "vv 7e"},        {"vv 83 00 01 nonce context", "vv 03"}, {"10 84 00 00", "10 04"}};

    (void)state;
    EVERY_VERSION
    {
        for (size_t i = 0; i < 2 * sizeof next / sizeof *next; i++) {
            uint32_t ticket;

            defer(version, CHALLENGE);
            assert_true(talk_like(pull_at(CT + 1000), v, "vv 7f 42"));
            ticket = p.open.ticket;
            if (i % 2 == 0) settle();
            p.silent = false;
            expect(next[i / 2][0], next[i / 2][1]);
            assert_false(answer(ticket, true, 96));
            expect("vv ff 83 01", i / 2 == 5 ? "10 7f 04 00" : "vv 7f 01 00");
            pair_close(&p);
        }
    }
}

/* The clock may jump by years, and CTExponent may be anything. */
static void test_clock(void **state)
{
    static const uint64_t times[] = {0, 1, (uint64_t)1 << 32, (uint64_t)1 << 62, SPDM_NEVER - ((uint64_t)1 << 32)};

    (void)state;
    for (unsigned exponent = 0; exponent < 256; exponent++) {
        for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
            begin(SPDM_V12, 'N');
            p.rsp_policy.ct_exponent = (uint8_t)exponent;
            p.silent = true;
            p.now = times[i];
            expect(CHALLENGE, "-");
            assert_true(spdm_responder_deadline(p.rs) > p.now);
            assert_true(talk_like(pull_at(SPDM_NEVER - 1), v, "vv 7f 42"));
            pair_close(&p);
        }
    }
}

/* ---- questions answered badly ---- */

static void test_answers(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        static const struct {
            bool yes;
            size_t n;
        } bad[] = {{false, 96}, {true, 0}, {true, 95}, {true, 97}, {true, 512}};

        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            begin(version, 'N');
            p.silent = true;
            expect(CHALLENGE, "-");
            assert_false(answer(p.open.ticket + 1, true, 96));
            assert_false(answer(p.open.ticket - 1, true, 96));
            assert_true(answer(p.open.ticket, bad[i].yes, bad[i].n));
            assert_true(talk_like(pull_at(0), v, "vv 7f 05 00"));
            assert_false(answer(p.open.ticket, true, 96)); /* only once */
            assert_int_equal(pull_at(1 << 20).n, 0);       /* no ResponseNotReady for what was refused */
            p.silent = false;
            expect("vv 81 00 00", "vv 01");
            pair_close(&p);
        }
    }
}

/* ---- RequestResynch ---- */

static void test_resynch(void **state)
{
    static const char phases[] = {'V', 'C', 'N'};
    static const char *const requests[] = {
        "vv e1 00 00 caps", "vv e3 00 00 offer", "vv 81 00 00", CHALLENGE, MEASURE, VENDOR,
        "vv ff 83 00",      "vv 55 00 00"};

    (void)state;
    EVERY_VERSION
    {
        for (size_t i = 0; i < sizeof phases; i++) {
            begin(version, phases[i]);
            spdm_responder_resynch(p.rs);
            for (size_t j = 0; j < sizeof requests / sizeof *requests; j++) {
                expect(requests[j], phases[i] == 'V' ? "10 7f 43 00" : "vv 7f 43 00"); /* R-VSN-15 */
            }
            expect("12 84 00 00", "10 7f 41 00");
            expect(VENDOR, phases[i] == 'V' ? "10 7f 43 00" : "vv 7f 43 00");
            talk_phase(&p, v, 'N');
            expect("vv 81 00 00", "vv 01");
            pair_close(&p);
        }
        begin(version, 'S'); /* nothing has been said yet: nothing to start over */
        spdm_responder_resynch(p.rs);
        talk_phase(&p, v, 'N');
        pair_close(&p);
    }
}

/* In the middle of a question, and of a deferral. */
static void test_resynch_open(void **state)
{
    (void)state;
    for (unsigned deferred = 0; deferred < 2; deferred++) {
        defer(SPDM_V13, CHALLENGE);
        if (deferred != 0) assert_true(pull_at(CT + 1000).n != 0);
        spdm_responder_resynch(p.rs);
        assert_false(answer(p.open.ticket, true, 96));
        assert_int_equal(pull_at(10 * CT).n, 0);
        expect("vv ff 83 01", "vv 7f 43 00");
        expect(CHALLENGE, "vv 7f 43 00");
        p.silent = false;
        talk_phase(&p, v, 'N');
        expect(CHALLENGE, "vv 03");
        pair_close(&p);
    }
}

/* ---- GET_VERSION ---- */

/* Ten thousand starts from everywhere a conversation can be: no hash stays open, nothing piles up (withstand 13). */
static void test_cycles(void **state)
{
    static const char *const steps[] = {"vv e1 00 00 caps",
                                        "vv e3 00 00 offer",
                                        "vv 81 00 00",
                                        "vv 82 00 00 0000 0400",
                                        COUNT,
                                        CHALLENGE,
                                        MEASURE,
                                        VENDOR};
    static struct spdm_facts fresh;

    (void)state;
    begin(SPDM_V13, 'V');
    fresh = *spdm_responder_facts(p.rs);
    for (unsigned i = 0; i < 10000; i++) {
        unsigned n = i % (1 + sizeof steps / sizeof *steps);

        for (unsigned j = 0; j < n; j++) {
            p.silent = j + 1 == n && i % 7 == 0; /* some are cut off in the middle of a question */
            assert_true(p.silent || talk(&p, v, steps[j]).n != 0);
            if (p.silent) (void)talk(&p, v, steps[j]);
        }
        p.silent = false;
        expect("10 84 00 00", "10 04");
        assert_int_equal(p.toy.open, 0);
        assert_memory_equal(&fresh, spdm_responder_facts(p.rs), sizeof fresh);
    }
    pair_close(&p);
}

/* A malformed GET_VERSION leaves the connection and its transcripts as they are (withstand 12). */
static void test_bad_version(void **state)
{
    static const char *const bad[] = {"11 84 00 00", "00 84 00 00", "10 84 00", "10", "ff 84 ff ff"};
    uint8_t digest[PAIR_BUFFER];

    (void)state;
    EVERY_VERSION
    {
        size_t n = 0;

        for (size_t i = 0; i <= sizeof bad / sizeof *bad; i++) {
            struct spdm_span got;

            begin(version, 'N');
            expect("vv 81 00 00", "vv 01");
            expect(COUNT, "vv 60");
            p.toy.random = 99;
            if (i != 0) expect(bad[i - 1], strlen(bad[i - 1]) > 9 ? "10 7f 41 00" : "-");
            got = talk(&p, v, MEASURE);
            if (i == 0) memcpy(digest, got.p, n = got.n);
            assert_true(got.n == n && memcmp(got.p, digest, n) == 0);
            pair_close(&p);
        }
    }
}

/* ---- limits ---- */

static const uint8_t groups[] = {SPDM_SECP384R1, 0}, suites[] = {SPDM_AES_256_GCM, 0};
#define OFFER_42 "vv e3 03 00 2c00 01 02 ff010000 3f000000 00000000 0000000000000000 00 00 00 00"

static void open_narrow(uint8_t version, size_t own)
{
    v = version;
    pair_init(&p);
    p.rsp_policy.exchanges = groups;
    p.rsp_policy.aeads = suites;
    if (own != 0) p.rsp_config.out.n = own;
    pair_start(&p);
    expect("10 84 00 00", "10 04");
}

/* The peer takes 42 bytes: answers that fit are cut to fit or given, others named ResponseTooLarge (1.2+). */
static void test_narrow_peer(void **state)
{
    (void)state;
    for (uint8_t version = SPDM_V12; version <= SPDM_V14; version++) {
        open_narrow(version, 0);
        expect("vv e1 00 00 00 00 00 00 00000000 2a000000 2a000000", "vv 61");
        /* 36 bytes and three tables: too large, and nothing is negotiated by it */
        expect(OFFER_42 " 02 20 1000 03 20 0200 05 20 0100", "vv 7f 0d 00 30000000");
        expect("vv 81 00 00", "vv 7f 04 00");
        expect("vv e3 00 00 offer", "vv 63");
        expect("vv 81 00 00", "vv 7f 0d 00 34000000");
        expect("vv 82 00 00 0000 ffff", "vv 02 00 00 2200");
        expect(CHALLENGE, "vv 7f 0d 00");
        expect(COUNT, version < SPDM_V13 ? "vv 60" : "vv 7f 0d 00 32000000");
        expect("vv e0 00 ff context", "vv 7f 0d 00");
        pair_close(&p);
    }
}

/* Our own buffer is small: Unspecified, and again nothing is negotiated by an answer that could not be given. */
static void test_narrow_self(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        open_narrow(version, 43);
        expect("vv e1 00 00 caps", "vv 61");
        if (version >= SPDM_V12) expect(OFFER_42 " 02 20 1000 03 20 0200 05 20 0100", "vv 7f 05 00");
        expect("vv 81 00 00", "vv 7f 04 00");
        expect("vv e3 00 00 offer", "vv 63");
        expect("vv 81 00 00", "vv 7f 05 00");
        expect(CHALLENGE, "vv 7f 05 00");
        expect(MEASURE, "vv 7f 05 00");
        expect("vv 82 00 00 0000 ffff", "vv 02 00 00 2200");
        pair_close(&p);
    }
}

/* The negotiation does not fit what is kept of it: refused, and the connection does not go on without it. */
static void test_full_vca(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        for (uint16_t room = 1; room < 160; room++) {
            bool full;

            v = version;
            pair_init(&p);
            p.rsp_config.vca_max = room;
            pair_start(&p);
            full = talk_like(talk(&p, v, "10 84 00 00"), v, "10 7f 05 00");
            if (!full) full = talk_like(talk(&p, v, "vv e1 00 00 caps"), v, "vv 7f 05 00");
            if (!full) full = talk_like(talk(&p, v, "vv e3 00 00 offer"), v, "vv 7f 05 00");
            if (full) assert_false(talk_like(talk(&p, v, "vv 81 00 00"), v, "vv 01"));
            else expect("vv 81 00 00", "vv 01");
            pair_close(&p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_retries),     cmocka_unit_test(test_shared_buffer),
                                       cmocka_unit_test(test_busy),        cmocka_unit_test(test_busy_then_done),
                                       cmocka_unit_test(test_not_ready),   cmocka_unit_test(test_tokens),
                                       cmocka_unit_test(test_deferrals),   cmocka_unit_test(test_replaced),
                                       cmocka_unit_test(test_clock),       cmocka_unit_test(test_answers),
                                       cmocka_unit_test(test_resynch),     cmocka_unit_test(test_resynch_open),
                                       cmocka_unit_test(test_cycles),      cmocka_unit_test(test_bad_version),
                                       cmocka_unit_test(test_narrow_peer), cmocka_unit_test(test_narrow_self),
                                       cmocka_unit_test(test_full_vca)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
