/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sessions that the responder ends: with END_SESSION in an envelope (1.4), or,
 * as up to 1.3, by DecryptError to whatever comes next (changes-1.4.md, G;
 * R-END-08, R-SSN-10); and RequestSessionTerminated (UN-22). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/hand.h"
#include "support/liar.h"
#include "support/talk.h"

static const struct spdm_goal open_session = {.want = SPDM_WANT_SESSION};

static struct pair p;
static struct liar liar;
static struct hand h;

static void prepare(uint8_t version)
{
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    pair_sessions(&p, 2);
    pair_mutual(&p);
    liar_listen(&liar, &p);
}

static void begin(uint8_t version)
{
    prepare(version);
    pair_start(&p);
    assert_true(pair_run(&p, &open_session));
}

static bool poll(void)
{
    return pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_POLL, .session = p.opened_rq});
}

static bool measure(void)
{
    return pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_MEASUREMENTS, .session = p.opened_rq});
}

static void assert_over(uint8_t why_rq)
{
    struct spdm_session_facts facts;

    assert_int_equal(p.closed_rs, p.opened_rs);
    assert_int_equal(p.closed_why_rs.why, SPDM_WHY_SESSION_ENDED);
    assert_false(spdm_responder_session(p.rs, p.opened_rs, &facts));
    assert_int_equal(p.closed_rq, p.opened_rq);
    assert_int_equal(p.closed_why_rq.why, why_rq);
    assert_false(spdm_requester_session(p.rq, p.opened_rq, &facts));
}

/* Nothing ends before the requester has come for it and got the last acknowledgement; then it is over for both, and
 * another session can be opened. */
static void test_asked(void **state)
{
    (void)state;
    begin(SPDM_V14);
    assert_true(spdm_responder_end(p.rs, p.opened_rs, false));
    assert_false(spdm_responder_end(p.rs, p.opened_rs, false)); /* it is on its way */
    assert_true(measure());
    assert_int_equal(p.closed_rs, 0);
    assert_true(poll());
    assert_over(SPDM_WHY_SESSION_ENDED);
    assert_false(measure());
    assert_int_equal(p.failure.why, SPDM_WHY_NO_SESSION);
    assert_true(pair_run(&p, &open_session));
    assert_true(measure());
    pair_close(&p);
}

/* One of two sessions ends; the other is as it was. */
static void test_other_session(void **state)
{
    uint32_t first_rq, first_rs;
    struct spdm_session_facts facts;

    (void)state;
    begin(SPDM_V14);
    first_rq = p.opened_rq;
    first_rs = p.opened_rs;
    assert_true(pair_run(&p, &open_session));
    assert_true(spdm_responder_end(p.rs, p.opened_rs, false));
    assert_true(
        pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_POLL | SPDM_WANT_MEASUREMENTS, .session = first_rq}) ||
        p.failure.why == SPDM_WHY_PEER_ERROR); /* there is nothing for this one */
    assert_true(poll());
    assert_over(SPDM_WHY_SESSION_ENDED);
    assert_true(spdm_responder_session(p.rs, first_rs, &facts));
    p.opened_rq = first_rq;
    assert_true(measure());
    pair_close(&p);
}

/* At once: no data leaves any more, and the next record, a message or data, gets DecryptError. */
static void test_now(void **state)
{
    static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof versions; i++) {
        uint8_t data[] = {0x7e, 1, 2, 3};
        struct spdm_span bytes = {data, sizeof data};

        begin(versions[i / 2]);
        if (versions[i / 2] < SPDM_V14) assert_false(spdm_responder_end(p.rs, p.opened_rs, false));
        assert_true(spdm_responder_send(p.rs, p.opened_rs, bytes));
        pair_settle(&p, p.now + 1);
        assert_true(spdm_responder_end(p.rs, p.opened_rs, true));
        assert_false(spdm_responder_send(p.rs, p.opened_rs, bytes));
        assert_int_equal(p.closed_rs, 0);
        if (i % 2 == 0) {
            assert_false(measure());
            assert_int_equal(p.failure.why, SPDM_WHY_PEER_ERROR);
            assert_int_equal(p.failure.error, 0x06);
            assert_over(SPDM_WHY_PEER_ERROR);
        } else {
            assert_true(spdm_requester_send(p.rq, p.opened_rq, bytes));
            p.data_rs_n = 0;
            pair_settle(&p, p.now + 1);
            assert_int_equal(p.data_rs_n, 0); /* nobody has got it */
            assert_int_equal(p.closed_rs, p.opened_rs);
        }
        pair_close(&p);
    }
}

/* A record that anybody can make does not end it, or say anything. */
static void test_now_forged(void **state)
{
    struct hand_session s;
    uint8_t frame[PAIR_BUFFER];
    size_t n;

    (void)state;
    prepare(SPDM_V14);
    p.rsp_policy.drop_bad_records = true;
    pair_start(&p);
    hand_connect(&h, &p);
    assert_true(hand_key_exchange(&h, &s) && hand_finish(&h, &s));
    assert_true(spdm_responder_end(p.rs, s.id, true));
    n = hand_seal(&h, &s, spdm_span((const uint8_t[]){0x14, 0xe8, 0, 0}, 4), false);
    memcpy(frame, h.frame, n);
    frame[n - 1] ^= 1;
    spdm_responder_push(p.rs, spdm_span(frame, n), p.now);
    pair_events(&p);
    assert_int_equal(spdm_responder_pull(p.rs, p.now).n, 0);
    assert_int_equal(p.closed_rs, 0);
    spdm_responder_push(p.rs, spdm_span(h.frame, n), p.now);
    pair_events(&p);
    assert_int_equal(p.closed_rs, s.id);
    pair_close(&p);
}

/* Who refuses to be told (and who says what is no answer) is told by DecryptError, or at once. */
static void test_refused(void **state)
{
    static const struct {
        const char *answer, *then;
        bool over;
    } rows[] = {
        {"vv eb 01 00 vv 7f 07 ec", "vv 6b", false}, /* UnsupportedRequest */
        {"vv eb 01 00 vv 7f 04 00", "vv 6b", false}, /* UnexpectedRequest: libspdm */
        {"vv eb 01 00 vv 6c 00 00", "vv 6b", true},    {"vv eb 01 00 vv 69 00 00", "vv 7f", true},
        {"vv eb 01 00 vv 6c 00 00 00", "vv 7f", true},
    };
    struct hand_session s;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        prepare(SPDM_V14);
        pair_start(&p);
        hand_connect(&h, &p);
        assert_true(hand_key_exchange(&h, &s));
        assert_false(spdm_responder_end(p.rs, s.id, false)); /* not open yet */
        assert_false(spdm_responder_end(p.rs, s.id, true));
        assert_true(hand_finish(&h, &s));
        assert_false(spdm_responder_end(p.rs, s.id ^ 1, true));
        assert_true(spdm_responder_end(p.rs, s.id, false));
        hand_expect(&h, NULL, "vv ea 00 00", "vv 7f 45 00"); /* only in the session */
        hand_expect(&h, &s, "vv ea 00 00", "vv 6a 01 00 vv ec 00 00");
        hand_expect(&h, &s, rows[i].answer, rows[i].then);
        pair_events(&p);
        assert_int_equal(p.closed_rs, rows[i].over ? s.id : 0);
        if (!rows[i].over) {
            hand_expect(&h, &s, "vv e8 00 00", "vv 7f 06 00");
            pair_events(&p);
            assert_int_equal(p.closed_rs, s.id);
        }
        assert_int_equal(p.closed_why_rs.why,
                         i < 3 ? (uint8_t)SPDM_WHY_SESSION_ENDED : (uint8_t)SPDM_WHY_BAD_ENCAPSULATED);
        hand_expect(&h, NULL, "vv 81 00 00", "vv 01"); /* outside, life goes on */
        pair_close(&p);
    }
}

/* ---- what a requester takes ---- */

struct swap {
    uint8_t says[4]; /* in place of KEY_UPDATE: in its envelope */
    size_t n;
    uint8_t answer[4];
    bool misnumbered; /* the responder gets another RequestID: it refuses, and nothing changes */
};

static size_t swap(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    struct swap *w = pair->arg;
    struct spdm_span m = liar_open(&liar, to_responder, (struct spdm_span){frame, n});

    if (!to_responder && m.n == 8 && m.p[1] == 0x6a) {
        memcpy(liar.message + 4, w->says, w->n);
        return liar_seal(&liar, (struct spdm_span){m.p, 4 + w->n}, frame);
    }
    if (to_responder && m.n >= 8 && m.p[1] == 0xeb) {
        memcpy(w->answer, m.p + 4, 4);
        if (!w->misnumbered) return n;
        liar.message[2] ^= 1;
        return liar_seal(&liar, m, frame);
    }
    return n;
}

/* Below 1.4 END_SESSION has no place in an envelope (R-END-08), nor has a longer one; and the session goes on. */
static void test_unexpected(void **state)
{
    static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13};

    (void)state;
    for (size_t i = 0; i < sizeof versions; i++) {
        struct swap w = {.says = {versions[i], 0xec, 0, 0}, .n = 4};

        prepare(versions[i]);
        p.wire = swap;
        p.arg = &w;
        pair_start(&p);
        assert_true(pair_run(&p, &open_session));
        assert_true(spdm_responder_update(p.rs, p.opened_rs));
        (void)poll();
        assert_int_equal(w.answer[1], 0x7f);
        assert_int_equal(w.answer[2], 0x04);
        assert_int_equal(p.closed_rq, 0);
        pair_close(&p);
    }
}

/* A flow in which END_SESSION was acknowledged, and that then came to nothing, ends no session; nor does the next. */
static void test_came_to_nothing(void **state)
{
    struct swap w = {.says = {SPDM_V14, 0xec, 0, 0}, .n = 4, .misnumbered = true};
    const struct spdm_goal ask = {.want = SPDM_WANT_IDENTITY};

    (void)state;
    prepare(SPDM_V14);
    p.wire = swap;
    p.arg = &w;
    pair_start(&p);
    assert_true(pair_run(&p, &open_session));
    assert_true(spdm_responder_ask(p.rs, p.opened_rs, &ask)); /* expects DIGESTS */
    assert_false(poll());
    assert_int_equal(w.answer[1], 0x6c);
    assert_int_equal(p.closed_rq, 0);
    p.wire = NULL;
    assert_true(poll());
    assert_int_equal(p.done_rs, 1);
    assert_int_equal(p.closed_rq, 0);
    assert_true(measure());
    pair_close(&p);
}

/* The responder says RequestSessionTerminated in a session: it is over. Outside it is an ERROR like others. */
static size_t terminate(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    struct spdm_span m = liar_open(&liar, to_responder, (struct spdm_span){frame, n});
    const uint8_t code = *(const uint8_t *)pair->arg;

    if (to_responder || m.n < 4 || m.p[1] != code) return n;
    memcpy(liar.message + 1, (uint8_t[]){0x7f, 0x46, 0}, 3);
    return liar_seal(&liar, (struct spdm_span){m.p, 4}, frame);
}

static void test_terminated(void **state)
{
    uint8_t measurements = 0x60;

    (void)state;
    prepare(SPDM_V14);
    p.wire = terminate;
    p.arg = &measurements;
    pair_start(&p);
    assert_true(pair_run(&p, &open_session));
    assert_false(measure());
    assert_int_equal(p.failure.error, 0x46);
    assert_int_equal(p.closed_rq, p.opened_rq);
    assert_int_equal(p.closed_why_rq.why, SPDM_WHY_PEER_ERROR);
    p.closed_rq = 0;
    assert_false(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_MEASUREMENTS}));
    assert_int_equal(p.failure.error, 0x46);
    assert_int_equal(p.closed_rq, 0);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked),      cmocka_unit_test(test_other_session),   cmocka_unit_test(test_now),
        cmocka_unit_test(test_now_forged), cmocka_unit_test(test_refused),         cmocka_unit_test(test_unexpected),
        cmocka_unit_test(test_terminated), cmocka_unit_test(test_came_to_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
