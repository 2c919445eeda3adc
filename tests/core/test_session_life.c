/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A session's life by the clock, which is a number: heartbeats and watchdogs to
 * the microsecond, key updates that are put off, lost or answered under the
 * wrong key, ends that nobody acknowledges, handshakes that nobody finishes
 * (withstand 19, 28; R-HBT, R-KUP, R-END, R-SSN). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/hand.h"
#include "support/liar.h"

#define SECOND UINT64_C(1000000)

static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};
static const struct spdm_goal open_session = {.want = SPDM_WANT_SESSION};
static const struct spdm_goal open_psk = {.want = SPDM_WANT_PSK_SESSION, .psk_hint = {(const uint8_t *)"hint", 4}};

static struct pair p;
static struct liar liar;
static struct hand h;

static void prepare(uint8_t version, size_t sessions)
{
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    pair_sessions(&p, sessions);
    liar_listen(&liar, &p);
}

static void reach(const struct spdm_goal *goal)
{
    char mine[300], theirs[300];

    if (pair_run(&p, goal)) return;
    spdm_report_text(&p.failure, mine, sizeof mine);
    spdm_report_text(&p.refused, theirs, sizeof theirs);
    fail_msg("requester: %s; responder: %s", mine, theirs);
}

static bool rq_alive(uint32_t id)
{
    struct spdm_session_facts facts;

    return spdm_requester_session(p.rq, id, &facts);
}

static bool rs_alive(uint32_t id)
{
    struct spdm_session_facts facts;

    return spdm_responder_session(p.rs, id, &facts);
}

static void tick_rs(uint64_t at)
{
    p.now = at;
    pair_deliver(&p, true, (const uint8_t *)"\x7f", 1); /* no frame: only time has passed, and events are fetched */
}

/* ---- heartbeat ---- */

/* The watchdog starts when FINISH_RSP, PSK_FINISH_RSP or, without context, PSK_EXCHANGE_RSP was sent, and barks after
 * exactly twice the period (R-HBT-03, R-HBT-06). */
static void test_watchdog(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * sizeof versions; i++) {
        uint64_t start;

        prepare(versions[i / 3], 1);
        p.rsp_policy.heartbeat = 5;
        if (i % 3 == 2) p.rsp_policy.flags ^= SPDM_PSK_CAP_MASK;
        pair_start(&p);
        reach(i % 3 == 0 ? &open_session : &open_psk);
        start = p.now;
        assert_int_equal(spdm_responder_deadline(p.rs), start + 10 * SECOND);
        assert_int_equal(spdm_requester_deadline(p.rq), start + 5 * SECOND / 2); /* its heartbeat */
        tick_rs(start + 10 * SECOND - 1);
        assert_true(rs_alive(p.opened_rs));
        tick_rs(start + 10 * SECOND);
        assert_false(rs_alive(p.opened_rs));
        assert_int_equal(p.closed_rs, p.opened_rs);
        assert_int_equal(p.closed_why_rs.why, SPDM_WHY_SESSION_EXPIRED);
        assert_int_equal(spdm_responder_deadline(p.rs), SPDM_NEVER);
        pair_close(&p);
    }
}

/* Whatever opens is traffic: requests that are refused, application data (R-HBT-05). What does not open is none. */
static void test_traffic(void **state)
{
    struct hand_session s;

    (void)state;
    prepare(SPDM_V13, 1);
    p.rsp_policy.heartbeat = 5;
    p.rsp_policy.drop_bad_records = true;
    pair_start(&p);
    hand_connect(&h, &p);
    assert_true(hand_key_exchange(&h, &s) && hand_finish(&h, &s));
    assert_int_equal(s.heartbeat, 5);
    p.now += 9 * SECOND;
    hand_expect(&h, &s, "vv 55 00 00", "vv 7f 07 55");
    assert_int_equal(spdm_responder_deadline(p.rs), p.now + 10 * SECOND);
    p.now += 9 * SECOND;
    (void)pair_request(&p, h.frame, hand_seal(&h, &s, (struct spdm_span){(const uint8_t *)"\x7e!", 2}, true), h.answer);
    assert_int_equal(p.data_rs_n, 2);
    assert_int_equal(spdm_responder_deadline(p.rs), p.now + 10 * SECOND);
    p.now += 9 * SECOND;
    size_t n = hand_seal(&h, &s, (struct spdm_span){(const uint8_t *)"\x7e!", 2}, true);
    h.frame[n - 1] ^= 1;
    (void)pair_request(&p, h.frame, n, h.answer);
    assert_int_equal(spdm_responder_deadline(p.rs), p.now + SECOND);
    p.now += 2 * SECOND; /* a good one, too late: the session is over before it is looked at */
    h.frame[n - 1] ^= 1;
    p.data_rs_n = 0;
    (void)pair_request(&p, h.frame, n, h.answer);
    assert_int_equal(p.data_rs_n, 0);
    assert_int_equal(p.closed_rs, s.id);
    pair_close(&p);
}

/* On the other side too: what comes after the watchdog's time comes for nobody. */
static void test_too_late_for_requester(void **state)
{
    static uint8_t frame[PAIR_BUFFER];
    struct spdm_span out;

    (void)state;
    prepare(SPDM_V12, 1);
    p.rsp_policy.heartbeat = 5;
    pair_start(&p);
    reach(&open_session);
    assert_true(spdm_responder_send(p.rs, p.opened_rs, (struct spdm_span){(const uint8_t *)"\x7e!", 2}));
    out = spdm_responder_pull(p.rs, p.now);
    memcpy(frame, out.p, out.n);
    p.now += 10 * SECOND;
    pair_deliver(&p, false, frame, out.n);
    assert_int_equal(p.data_rq_n, 0);
    assert_false(rq_alive(p.opened_rq));
    assert_int_equal(p.closed_rq, p.opened_rq);
    assert_int_equal(p.closed_why_rq.why, SPDM_WHY_SESSION_EXPIRED);
    pair_close(&p);
}

/* Two sessions, two periods; heartbeats go into each at half its period, and both live. */
static void test_two_periods(void **state)
{
    uint32_t first;
    struct spdm_session_facts facts;
    uint64_t start;

    (void)state;
    prepare(SPDM_V13, 2);
    p.rsp_policy.heartbeat = 4;
    pair_start(&p);
    reach(&open_session);
    first = p.opened_rq;
    p.rsp_policy.heartbeat = 10;
    reach(&open_psk);
    start = p.now;
    pair_settle(&p, start + 100 * SECOND);
    assert_true(rq_alive(first) && rs_alive(first) && rq_alive(p.opened_rq) && rs_alive(p.opened_rq));
    assert_true(spdm_requester_session(p.rq, first, &facts));
    assert_in_range(facts.sent, 48, 50); /* every 2 seconds */
    assert_true(spdm_requester_session(p.rq, p.opened_rq, &facts));
    assert_in_range(facts.sent, 19, 21); /* every 5 */
    pair_close(&p);
}

/* Both run out in the same moment: both are told of, whatever else happens in it. */
static void test_two_at_once(void **state)
{
    struct hand_session s[3];
    struct spdm_event ev;
    unsigned closed = 0;

    (void)state;
    prepare(SPDM_V13, 3);
    p.rsp_policy.heartbeat = 4;
    pair_start(&p);
    hand_connect(&h, &p);
    for (unsigned i = 0; i < 3; i++) assert_true(hand_key_exchange(&h, &s[i]) && hand_finish(&h, &s[i]));
    p.now += SECOND;
    hand_expect(&h, &s[2], "vv 81 00 00", "vv 01");
    p.now += 7 * SECOND;
    /* and a broken record of the third comes right then */
    size_t n = hand_seal(&h, &s[2], (struct spdm_span){(const uint8_t *)"\x7e!", 2}, true);
    h.frame[n - 1] ^= 1;
    spdm_responder_push(p.rs, (struct spdm_span){h.frame, n}, p.now);
    for (unsigned i = 0; i < 5; i++) {
        while (spdm_responder_event(p.rs, &ev) != SPDM_NOTHING) {
            if (ev.kind != SPDM_CLOSED) continue;
            closed++;
            assert_true(ev.session == s[0].id || ev.session == s[1].id || ev.session == s[2].id);
            assert_int_equal(ev.report.why, ev.session == s[2].id ? SPDM_WHY_BAD_RECORD : SPDM_WHY_SESSION_EXPIRED);
        }
        (void)spdm_responder_pull(p.rs, p.now);
        spdm_responder_push(p.rs, (struct spdm_span){0}, p.now);
    }
    assert_int_equal(closed, 3);
    pair_close(&p);
}

/* A heartbeat whose answer is lost is the end of the session, at the latest when its watchdog barks; nothing else of
 * the connection is lost with it. */
static size_t lose_records(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    bool *lose = pair->arg;

    return lose != NULL && *lose && !to_responder && frame[0] == 6 ? 0 : n;
}

static void test_heartbeat_lost(void **state)
{
    bool lose = true;
    uint64_t start;

    (void)state;
    prepare(SPDM_V12, 2);
    p.rsp_policy.heartbeat = 4;
    p.wire = lose_records;
    p.arg = NULL;
    pair_start(&p);
    reach(&open_session);
    p.arg = &lose;
    start = p.now;
    pair_settle(&p, start + 9 * SECOND);
    assert_false(rq_alive(p.opened_rq));
    assert_int_equal(p.closed_rq, p.opened_rq);
    assert_false(p.finished && p.failure.why != SPDM_WHY_FINE); /* nobody asked for it */
    p.arg = NULL;
    reach(&open_session);
    pair_close(&p);
}

static void test_no_heartbeat(void **state)
{
    struct hand_session s;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        prepare(SPDM_V13, 1);
        if (i == 1) p.req_policy.flags &= ~SPDM_HBEAT_CAP;
        p.rsp_policy.heartbeat = i == 1 ? 9 : 0;
        pair_start(&p);
        hand_connect(&h, &p);
        assert_true(hand_key_exchange(&h, &s) && hand_finish(&h, &s));
        assert_int_equal(s.heartbeat, 0);
        assert_int_equal(spdm_responder_deadline(p.rs), SPDM_NEVER);
        hand_expect(&h, &s, "vv e8 00 00", i == 0 ? "vv 7f 04 00" : "vv 7f 07 e8");
        p.now += 1000 * SECOND;
        hand_expect(&h, &s, "vv ec 00 00", "vv 6c");
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_watchdog),
                                       cmocka_unit_test(test_traffic),
                                       cmocka_unit_test(test_too_late_for_requester),
                                       cmocka_unit_test(test_two_periods),
                                       cmocka_unit_test(test_two_at_once),
                                       cmocka_unit_test(test_heartbeat_lost),
                                       cmocka_unit_test(test_no_heartbeat)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
