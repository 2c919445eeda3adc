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

/* ---- key updates of a requester ---- */

/* The device is busy with a request from outside; when it has said so in the session, it is not any more. */
static size_t busy_once(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    struct spdm_answer answer = {
        .ticket = p.open.ticket, .yes = true, .measurements = p.measurements, .measurement_n = p.measurement_n};

    if (to_responder || frame[0] != 6 || !pair->silent) return n;
    pair->silent = false;
    assert_true(spdm_responder_answer(p.rs, &answer));
    return n;
}

/* Busy to UpdateAllKeys comes under the old response key, and means that nothing has happened; the ACK of the second
 * try comes under the new one again (sessions.md 7.2). */
static void test_update_busy(void **state)
{
    struct spdm_goal update = {.want = SPDM_WANT_KEY_UPDATE}, measure = {.want = SPDM_WANT_MEASUREMENTS};
    uint8_t get_measurements[13] = {5, 0, 0xe0, 0, 0xff}, answer[PAIR_BUFFER];

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof versions; i++) {
        prepare(versions[i / 2], 1);
        p.wire = busy_once;
        pair_start(&p);
        reach(&open_session);
        update.session = measure.session = p.opened_rq;
        update.update = (uint8_t)(1 + i % 2);
        p.silent = true;
        get_measurements[1] = versions[i / 2];
        assert_int_equal(pair_request(&p, get_measurements, sizeof get_measurements, answer), 0);
        reach(&update);
        assert_false(p.silent);
        assert_true(p.now >= 50000);
        reach(&measure);
        reach(&update);
        reach(&measure);
        pair_close(&p);
    }
}

/* One frame is lost, counted from now on. */
static size_t lose_one(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    unsigned *left = pair->arg;

    (void)to_responder;
    (void)frame;
    return left != NULL && (*left)-- == 1 ? 0 : n;
}

/* Any of the four messages is lost: records are not sent twice, the session ends when the answer is overdue, and a new
 * one can be opened. */
static void test_update_lost(void **state)
{
    struct spdm_goal update = {.want = SPDM_WANT_KEY_UPDATE};

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        unsigned left = 1 + i % 4;
        uint64_t start;

        prepare(versions[i % 3], 2);
        p.wire = lose_one;
        pair_start(&p);
        reach(&open_session);
        update.session = p.opened_rq;
        update.update = (uint8_t)(1 + i / 4);
        start = p.now;
        p.arg = &left;
        assert_false(pair_run(&p, &update));
        assert_int_equal(p.failure.why, SPDM_WHY_TIMEOUT);
        assert_int_equal(p.failure.code, 0xe9);
        assert_int_equal(p.now - start, p.failure.limit);
        assert_int_equal(p.closed_rq, update.session);
        assert_false(rq_alive(update.session));
        p.arg = NULL;
        reach(&open_session);
        pair_close(&p);
    }
}

/* An ACK of UpdateAllKeys under the old key: the device has not moved, whatever it says. */
static size_t under_the_old_key(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    static struct liar_secret old;
    static uint64_t sequence;
    struct spdm_session_facts facts;
    struct spdm_span m;

    if (pair->arg == NULL || frame[0] != 6) return n;
    if (to_responder) { /* before the device has seen the request */
        assert_true(spdm_responder_session(p.rs, p.opened_rs, &facts));
        sequence = facts.sent;
        for (unsigned i = 0; i < LIAR_SECRETS; i++) {
            const struct liar_secret *s = &liar.secret[i];

            if (s->session == p.opened_rs && s->response && !s->handshake && s->generation == 0) old = *s;
        }
        return n;
    }
    m = liar_open(&liar, false, (struct spdm_span){frame, n});
    if (m.n != 4 || m.p[1] != 0x69) return n;
    return liar_seal_with(&liar, &old, sequence, m, frame);
}

static void test_update_under_the_old_key(void **state)
{
    struct spdm_goal update = {.want = SPDM_WANT_KEY_UPDATE, .update = 2};

    (void)state;
    prepare(SPDM_V13, 1);
    p.wire = under_the_old_key;
    pair_start(&p);
    reach(&open_session);
    update.session = p.opened_rq;
    p.arg = &p;
    assert_false(pair_run(&p, &update));
    assert_int_equal(p.failure.why, SPDM_WHY_BAD_RECORD);
    assert_false(rq_alive(update.session));
    pair_close(&p);
}

/* ---- the last sequence number of a requester ---- */

/* By requests, by heartbeats, by data: the session ends before a number is used twice. */
static void test_limit(void **state)
{
    static const uint8_t data[] = "\x7e data";
    struct spdm_goal measure = {.want = SPDM_WANT_MEASUREMENTS};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        unsigned sent = 0;

        prepare(SPDM_V13, 1);
        p.req_policy.aead_limit_exponent = 3;
        p.rsp_policy.heartbeat = i == 1 ? 2 : 0;
        pair_start(&p);
        reach(&open_session);
        measure.session = p.opened_rq;
        while (i != 1 && sent < 8) {
            assert_true(spdm_requester_send(p.rq, p.opened_rq, (struct spdm_span){data, 6}));
            pair_settle(&p, p.now);
            sent++;
        }
        assert_true(rq_alive(p.opened_rq));
        if (i == 0) assert_false(spdm_requester_send(p.rq, p.opened_rq, (struct spdm_span){data, 6}));
        if (i == 1) pair_settle(&p, p.now + 30 * SECOND);
        if (i == 2) assert_false(pair_run(&p, &measure));
        if (i == 2) assert_int_equal(p.failure.why, SPDM_WHY_SPENT);
        pair_settle(&p, p.now);
        assert_false(rq_alive(p.opened_rq));
        assert_int_equal(p.closed_rq, p.opened_rq);
        assert_int_equal(p.closed_why_rq.why, SPDM_WHY_SPENT);
        pair_close(&p);
    }
}

/* ---- END_SESSION ---- */

/* The ACK is lost: the device has ended the session, and the requester gives it up in time. Refused: it goes on. */
static void test_end_lost(void **state)
{
    struct spdm_goal end = {.want = SPDM_WANT_END_SESSION};
    unsigned left = 2;

    (void)state;
    prepare(SPDM_V13, 1);
    p.wire = lose_one;
    pair_start(&p);
    reach(&open_session);
    end.session = p.opened_rq;
    p.arg = &left;
    assert_false(pair_run(&p, &end));
    assert_int_equal(p.failure.why, SPDM_WHY_TIMEOUT);
    assert_false(rq_alive(end.session) || rs_alive(end.session));
    p.arg = NULL;
    reach(&open_session);
    pair_close(&p);
}

static size_t refuse_end(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    static const uint8_t error[] = {SPDM_V13, 0x7f, 0x05, 0};
    struct spdm_span m;

    if (to_responder || pair->arg == NULL) return n;
    m = liar_open(&liar, false, (struct spdm_span){frame, n});
    return m.n == 4 && m.p[1] == 0x6c ? liar_seal(&liar, (struct spdm_span){error, 4}, frame) : n;
}

static void test_end_refused(void **state)
{
    struct spdm_goal end = {.want = SPDM_WANT_END_SESSION};

    (void)state;
    prepare(SPDM_V13, 1);
    p.wire = refuse_end;
    pair_start(&p);
    reach(&open_session);
    end.session = p.opened_rq;
    p.arg = &p;
    assert_false(pair_run(&p, &end));
    assert_int_equal(p.failure.why, SPDM_WHY_PEER_ERROR);
    assert_true(rq_alive(end.session));
    assert_int_equal(p.closed_rq, 0);
    pair_close(&p);
}

/* ---- handshakes that nobody finishes ---- */

/* Any message of a handshake is lost: the requester gives up when CT is over and starts over with GET_VERSION. */
static void test_handshake_lost(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4 * 3 * sizeof versions; i++) {
        unsigned left = 1 + i % 4, kind = i / 4 % 3;
        uint64_t start;

        prepare(versions[i / 12], 1);
        if (kind == 1) p.req_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        if (kind == 1) p.rsp_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        p.wire = lose_one;
        pair_start(&p);
        reach(&(struct spdm_goal){.want = SPDM_WANT_IDENTITY});
        start = p.now;
        p.arg = &left;
        assert_false(pair_run(&p, kind == 2 ? &open_psk : &open_session));
        assert_int_equal(p.failure.why, SPDM_WHY_TIMEOUT);
        assert_int_equal(p.now - start, p.failure.limit);
        assert_int_equal(p.opened_rq, 0);
        p.arg = NULL;
        reach(kind == 2 ? &open_psk : &open_session); /* the device's one place is free again */
        assert_int_equal(p.opened_rq, p.opened_rs);
        pair_close(&p);
    }
}

/* A device does not wait for ever: its place is free again after handshake_time, and not a moment sooner. */
static void test_handshake_time(void **state)
{
    struct hand_session s;

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        uint64_t time = i < 3 ? 60 * SECOND : 7 * SECOND;

        prepare(versions[i % 4], 1);
        p.rsp_policy.handshake_time = i < 3 ? 0 : 7;
        p.rsp_policy.heartbeat = 3;
        if (i % 3 == 1) p.req_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        if (i % 3 == 1) p.rsp_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        pair_start(&p);
        p.now = 5 * SECOND;
        hand_connect(&h, &p);
        assert_true(i % 3 == 2 ? hand_psk_exchange(&h, &s) : hand_key_exchange(&h, &s));
        assert_int_equal(spdm_responder_deadline(p.rs), p.now + time);
        p.now += time - 1;
        assert_true(hand_finish(&h, &s)); /* in time, and the watchdog counts from now on (R-HBT-06) */
        assert_int_equal(spdm_responder_deadline(p.rs), p.now + 6 * SECOND);
        hand_expect(&h, &s, "vv ec 00 00", "vv 6c");
        assert_true(i % 3 == 2 ? hand_psk_exchange(&h, &s) : hand_key_exchange(&h, &s));
        tick_rs(p.now + time);
        assert_false(rs_alive(s.id));
        assert_int_equal(p.closed_rs, s.id);
        assert_int_equal(p.closed_why_rs.why, SPDM_WHY_HANDSHAKE_EXPIRED);
        assert_true(hand_key_exchange(&h, &s) && hand_finish(&h, &s));
        pair_close(&p);
    }
}

/* In the clear no record is heard in a handshake: the first heartbeat is due half a period after it (R-HBT-06). */
static void test_clear_handshake(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v], 1);
        p.rsp_policy.heartbeat = 4;
        p.req_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        p.rsp_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        pair_start(&p);
        p.now = 1000 * SECOND;
        reach(&open_session);
        assert_int_equal(spdm_requester_deadline(p.rq), p.now + 2 * SECOND);
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
                                       cmocka_unit_test(test_no_heartbeat),
                                       cmocka_unit_test(test_update_busy),
                                       cmocka_unit_test(test_update_lost),
                                       cmocka_unit_test(test_update_under_the_old_key),
                                       cmocka_unit_test(test_limit),
                                       cmocka_unit_test(test_end_lost),
                                       cmocka_unit_test(test_end_refused),
                                       cmocka_unit_test(test_handshake_lost),
                                       cmocka_unit_test(test_handshake_time),
                                       cmocka_unit_test(test_clear_handshake)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
