/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A requester that has to wait: silence, Busy, ResponseNotReady, RequestResynch
 * and every other ERROR, on a clock that is a number. Nothing waits for ever,
 * nothing comes too early, and nothing shifts by more than it has bits
 * (withstand 53, 65, 103). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/talk.h"

static const struct spdm_goal all = {
    .want = SPDM_WANT_CHALLENGE | SPDM_WANT_MEASUREMENTS, .sign = true, .measure = SPDM_MEASURE_ALL};

/* Requests with the code never reach the device as long as `times` lasts; the answer is given in its place. */
struct script {
    uint8_t code;       /* 0: all requests */
    const char *answer; /* words; "-" is silence */
    unsigned times;
    unsigned met;
    uint64_t sent[40]; /* when */
    uint8_t last[200];
    size_t last_n;
    bool changed; /* a repeat was not the same */
};

static struct pair p;
static uint8_t v;

static void note(struct script *s, const uint8_t *frame, size_t n)
{
    if (s->met < 40) s->sent[s->met] = p.now;
    if (s->met++ != 0 && (n != s->last_n || memcmp(frame, s->last, n) != 0)) s->changed = true;
    assert_true(n <= sizeof s->last);
    memcpy(s->last, frame, n);
    s->last_n = n;
}

static size_t wire(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    struct script *s = pair->arg;
    uint8_t answer[300] = {5};
    size_t answer_n;

    if (!to_responder || (s->code != 0 && frame[2] != s->code)) return n;
    note(s, frame, n);
    if (s->met > s->times) return n;
    if (strcmp(s->answer, "-") == 0) return 0;
    answer_n = 1 + talk_bytes(s->answer, v, answer + 1);
    pair_later(pair, false, (struct spdm_span){answer, answer_n}, pair->now);
    return 0;
}

static void begin(uint8_t version, struct script *s)
{
    v = version;
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    p.req_policy.rtt = 1000;
    p.wire = wire;
    p.arg = s;
}

static bool run(const struct spdm_goal *goal)
{
    bool done;

    pair_start(&p);
    done = pair_run(&p, goal);
    assert_true(done || p.failure.why != SPDM_WHY_FINE);
    return done;
}

#define EVERY_VERSION for (uint8_t version = SPDM_V10; version <= SPDM_V14; version++)
static const uint8_t codes[] = {0x84, 0xe1, 0xe3, 0x81, 0x82, 0x83, 0xe0};
enum { ST1 = 100000, RTT = 1000, CT = 1 << 14 };

/* ---- silence ---- */

/* As many tries as the policy says, each after T1 or T2, all of the same bytes (R-TIM-03, R-TIM-05, R-TIM-13). */
static void test_silence(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        for (size_t i = 0; i < sizeof codes; i++) {
            for (unsigned retries = 0; retries < 4; retries++) {
                struct script s = {.code = codes[i], .answer = "-", .times = 1000};
                uint64_t patience = RTT + (i < 3 ? ST1 : CT);

                begin(version, &s);
                p.req_policy.retries = (uint8_t)retries;
                assert_false(run(&all));
                assert_int_equal(p.failure.why, SPDM_WHY_TIMEOUT);
                assert_int_equal(p.failure.code, codes[i]);
                assert_int_equal(p.failure.got, retries + 1);
                assert_int_equal(p.failure.limit, patience);
                assert_int_equal(s.met, retries + 1);
                assert_false(s.changed);
                for (unsigned k = 1; k < s.met; k++) assert_int_equal(s.sent[k] - s.sent[k - 1], patience);
                assert_int_equal(p.now, s.sent[0] + (retries + 1) * patience);
                pair_close(&p);
            }
        }
    }
}

/* The last try succeeds. */
static void test_last_try(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        for (size_t i = 0; i < sizeof codes; i++) {
            struct script s = {.code = codes[i], .answer = "-", .times = 3};

            begin(version, &s);
            p.req_policy.retries = 3;
            assert_true(run(&all));
            pair_close(&p);
        }
    }
}

/* Any CTExponent is legal; the policy caps what it promises (R-CAP-21). */
static void test_ct_exponent(void **state)
{
    static const uint32_t caps[] = {0, 1, 5000000};

    (void)state;
    for (unsigned exponent = 0; exponent < 256; exponent++) {
        for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
            struct script s = {.code = 0x81, .answer = "-", .times = 1};
            uint64_t max = caps[i] != 0 ? caps[i] : 60000000, ct = exponent < 60 ? (uint64_t)1 << exponent : max;

            begin(SPDM_V12, &s);
            p.rsp_policy.ct_exponent = (uint8_t)exponent;
            p.req_policy.wait_max = caps[i];
            assert_false(run(&all));
            assert_int_equal(p.now, RTT + (ct < max ? ct : max));
            pair_close(&p);
        }
    }
}

/* ---- Busy, MessageLost ---- */

static void test_busy(void **state)
{
    static const char *const words[] = {"vv 7f 03 00", "10 7f 03 00", "vv 7f 10 00", "vv 7f 03 ff 01 02 03"};

    (void)state;
    EVERY_VERSION
    {
        for (size_t i = 0; i < sizeof codes; i++) {
            for (unsigned times = 1; times <= 9; times += 4) {
                struct script s = {.code = codes[i], .answer = words[(i + times) % 4], .times = times};
                bool done;

                begin(version, &s);
                done = run(&all);
                assert_int_equal(done, times <= 8); /* busy_retries */
                assert_false(s.changed && codes[i] != 0x82);
                if (!done) assert_int_equal(p.failure.why, SPDM_WHY_GAVE_UP);
                if (!done) assert_int_equal(s.met, 9);
                assert_int_equal(s.sent[1] - s.sent[0], 50000); /* busy_delay */
                pair_close(&p);
            }
        }
    }
}

static void test_busy_policy(void **state)
{
    struct script s = {.code = 0x83, .answer = "vv 7f 03 00", .times = 2};

    (void)state;
    begin(SPDM_V13, &s);
    p.req_policy.busy_retries = 1;
    p.req_policy.busy_delay = 7;
    assert_false(run(&all));
    assert_int_equal(p.failure.why, SPDM_WHY_GAVE_UP);
    assert_int_equal(p.failure.error, 0x03);
    assert_int_equal(s.sent[1] - s.sent[0], 7);
    s.met = 0;
    s.times = 1;
    assert_true(pair_run(&p, &all)); /* the next goal starts over */
    pair_close(&p);
}

/* ---- ResponseNotReady ---- */

/* Said to a request that needs no cryptography it is an error of the peer (R-ERR-26). */
static void test_not_ready_vca(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        static const char *const words[] = {"vv 7f 42 00 01 84 01 02", "vv 7f 42 00 01 e1 01 02",
                                            "vv 7f 42 00 01 e3 01 02"};

        for (size_t i = 0; i < 3; i++) {
            struct script s = {.code = codes[i], .answer = words[i], .times = 1};

            begin(version, &s);
            assert_false(run(&all));
            assert_int_equal(p.failure.why, SPDM_WHY_PEER_ERROR);
            assert_int_equal(p.failure.error, 0x42);
            assert_int_equal(s.met, 1);
            pair_close(&p);
        }
    }
}

/* A device that defers: the request itself never comes back, RESPOND_IF_READY does, `patience` times. */
struct deferral {
    uint8_t exponent, token, rdtm;
    unsigned patience; /* so many times: not yet */
    uint8_t request[200];
    size_t n;
    uint64_t last, waited;
    unsigned asked;
};

static size_t defer(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    struct deferral *d = pair->arg;
    uint8_t error[9] = {5, v, 0x7f, 0x42, 0, d->exponent, 0x83, d->token, d->rdtm};

    if (!to_responder || (frame[2] != 0x83 && frame[2] != 0xff)) return n;
    if (frame[2] == 0x83) {
        memcpy(d->request, frame, d->n = n);
    } else {
        const uint8_t expected[5] = {5, v, 0xff, 0x83, d->token};

        assert_true(n == 5 && memcmp(frame, expected, 5) == 0); /* R-RIR-01 */
        d->waited = pair->now - d->last;
        if (d->asked++ == d->patience) {
            memcpy(frame, d->request, d->n);
            return d->n;
        }
    }
    d->last = pair->now;
    pair_later(pair, false, (struct spdm_span){error, sizeof error}, pair->now);
    return 0;
}

/* RDTExponent, RDTM and token may be anything; the wait is 2^RDTExponent us, capped (R-TIM-08, LQ-17). */
static void test_not_ready(void **state)
{
    (void)state;
    for (unsigned exponent = 0; exponent < 256; exponent++) {
        struct deferral d = {
            .exponent = (uint8_t)exponent, .token = (uint8_t)(exponent * 7), .rdtm = (uint8_t)exponent};
        uint64_t wait = exponent < 26 ? (uint64_t)1 << exponent : 60000000;

        d.patience = exponent % 17;
        begin((uint8_t)(SPDM_V10 + exponent % 5), NULL);
        p.wire = defer;
        p.arg = &d;
        assert_int_equal(run(&all), d.patience < 16); /* not_ready_retries, the first included */
        if (d.patience == 16) assert_int_equal(p.failure.why, SPDM_WHY_GAVE_UP);
        assert_int_equal(d.waited, wait);
        pair_close(&p);
    }
}

/* ---- RequestResynch ---- */

static void test_resynch(void **state)
{
    static const char *const words[] = {"vv 7f 43 00", "10 7f 43 00", "13 7f 43 77"}; /* R-ERR-28 */

    (void)state;
    EVERY_VERSION
    {
        for (size_t i = 1; i < sizeof codes; i++) {
            for (unsigned times = 1; times <= 3; times++) {
                struct script s = {.code = codes[i], .answer = words[times - 1], .times = times};

                begin(version, &s);
                assert_int_equal(run(&all), times <= 2); /* restarts */
                assert_int_equal(p.restarted, times <= 2 ? times : 2);
                if (times == 3) assert_int_equal(p.failure.why, SPDM_WHY_GAVE_UP);
                assert_int_equal(spdm_requester_facts(p.rq)->authentic, times <= 2 || codes[i] == 0xe0);
                pair_close(&p);
            }
        }
    }
}

static void test_resynch_version(void **state)
{
    struct script s = {.code = 0x84, .answer = "10 7f 43 00", .times = 1};

    (void)state;
    begin(SPDM_V12, &s);
    assert_false(run(&all)); /* not allowed in answer to GET_VERSION: a failed attempt */
    assert_int_equal(p.failure.why, SPDM_WHY_PEER_ERROR);
    assert_true(pair_run(&p, &all));
    pair_close(&p);
}

/* The device loses its state between two goals. */
static void test_resynch_device(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        struct script s = {.code = 0x01, .answer = "-"};

        begin(version, &s);
        assert_true(run(&all));
        spdm_responder_resynch(p.rs);
        assert_true(pair_run(&p, &all));
        assert_int_equal(p.restarted, 1);
        assert_true(spdm_requester_facts(p.rq)->authentic && p.proven);
        pair_close(&p);
    }
}

/* ---- every ERROR ---- */

/* What becomes of a code: reason, and whether the request is sent again. */
static enum spdm_why fate(unsigned error, size_t extended)
{
    switch (error) {
    case 0x03:
    case 0x10: return SPDM_WHY_GAVE_UP;
    case 0x43: return SPDM_WHY_GAVE_UP;
    case 0x42: return extended < 4 ? SPDM_WHY_SHORT : SPDM_WHY_MISMATCH; /* names no request of ours */
    case 0x0f: return extended < 1 ? SPDM_WHY_SHORT : SPDM_WHY_PEER_ERROR;
    case 0xff: return extended < 1 ? SPDM_WHY_SHORT : SPDM_WHY_PEER_ERROR;
    default: return SPDM_WHY_PEER_ERROR;
    }
}

/* All 256 codes, of any version, with and without what should follow: never a crash, never a wrong word. */
static void test_every_error(void **state)
{
    static const char *const tails[] = {"", " 00", " 00 00", " 00 00 00", " 00 00 00 00", " 00 big"};
    static const size_t tail_n[] = {0, 1, 2, 3, 4, 201};

    (void)state;
    for (unsigned error = 0; error < 256; error++) {
        for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
            char words[40], text[300];
            struct script s = {.code = 0x83, .answer = words, .times = 1000};

            snprintf(words, sizeof words, "%02x 7f %02x 5a%s", i % 2 != 0 ? 0x10u : 0x13u, error, tails[i]);
            begin(SPDM_V13, &s);
            assert_false(run(&all));
            spdm_report_text(&p.failure, text, sizeof text);
            if (p.failure.why != (uint8_t)fate(error, tail_n[i])) fail_msg("%s: %s", words, text);
            if (p.failure.why != SPDM_WHY_SHORT) assert_int_equal(p.failure.error, error);
            pair_close(&p);
        }
    }
}

/* A vendor-defined ERROR whose length lies. */
static void test_vendor_error(void **state)
{
    static const struct {
        const char *words;
        enum spdm_why why;
    } rows[] = {{"vv 7f ff 03 00", SPDM_WHY_PEER_ERROR},           {"vv 7f ff 03 02 b41a", SPDM_WHY_PEER_ERROR},
                {"vv 7f ff 03 02 b41a 0102", SPDM_WHY_PEER_ERROR}, {"vv 7f ff 03 02 b4", SPDM_WHY_SHORT},
                {"vv 7f ff 03 ff b41a", SPDM_WHY_SHORT},           {"vv 7f ff", SPDM_WHY_SHORT}};

    (void)state;
    EVERY_VERSION
    {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct script s = {.code = 0x81, .answer = rows[i].words, .times = 1};

            begin(version, &s);
            assert_false(run(&all));
            assert_int_equal(p.failure.why, rows[i].why);
            pair_close(&p);
        }
    }
}

/* After a failure nothing that comes late matters, and the next goal starts over. */
static void test_after_failure(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        struct script s = {.code = 0x83, .answer = "vv 7f 05 00", .times = 1};
        struct spdm_report before;

        begin(version, &s);
        assert_false(run(&all));
        before = p.failure;
        assert_int_equal(before.error, 0x05);
        assert_true(spdm_requester_deadline(p.rq) == SPDM_NEVER);
        pair_deliver(&p, false, (const uint8_t[]){5, v, 0x03, 0}, 4);
        pair_deliver(&p, false, (const uint8_t[]){5, v, 0x7f, 3}, 4);
        assert_int_equal(spdm_requester_pull(p.rq, p.now + 1000000000).n, 0);
        assert_true(p.finished && !p.done);
        assert_true(pair_run(&p, &all));
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_silence),         cmocka_unit_test(test_last_try),
                                       cmocka_unit_test(test_ct_exponent),     cmocka_unit_test(test_busy),
                                       cmocka_unit_test(test_busy_policy),     cmocka_unit_test(test_not_ready_vca),
                                       cmocka_unit_test(test_not_ready),       cmocka_unit_test(test_resynch),
                                       cmocka_unit_test(test_resynch_version), cmocka_unit_test(test_resynch_device),
                                       cmocka_unit_test(test_every_error),     cmocka_unit_test(test_vendor_error),
                                       cmocka_unit_test(test_after_failure)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
