/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Turned roles under attack: encapsulated messages that are cut, misnumbered,
 * out of place or not allowed, proofs that are refused or put off (withstand 32,
 * 85 to 89; R-MUT, R-ENC). Somebody on the wire who has all keys does it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/hand.h"
#include "support/liar.h"
#include "support/talk.h"

static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};
static const struct spdm_goal open_session = {.want = SPDM_WANT_SESSION};
static const struct spdm_goal challenge = {.want = SPDM_WANT_CHALLENGE};

static struct pair p;
static struct liar liar;
static struct hand h;

static void prepare(uint8_t version, size_t sessions, uint8_t mut_auth, bool clear)
{
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    pair_sessions(&p, sessions);
    p.req_policy.flags |= clear ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0;
    p.rsp_policy.flags |= clear ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0;
    pair_mutual(&p);
    p.rsp_policy.mut_auth = mut_auth;
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

static size_t sessions_alive(void)
{
    struct spdm_session_facts facts;
    size_t n = 0;

    for (uint32_t half = 0xffff; half > 0xfff0; half--) {
        for (uint32_t other = 0xffff; other > 0xfff0; other--)
            n += spdm_responder_session(p.rs, half << 16 | other, &facts);
    }
    return n;
}

/* ---- one message changed, in either direction ---- */

struct change {
    uint8_t code;      /* of the message to change */
    uint8_t inner;     /* and of what is in its envelope; 0: anything */
    unsigned skip;     /* so many of them pass */
    size_t at;         /* byte, counted from 1; 0: none */
    uint8_t value;     /* what it becomes */
    bool flip;         /* it is XORed in */
    size_t n;          /* new length; 0: as it is */
    const uint8_t *in; /* if set: the envelope's new content, of n bytes */
    unsigned done;
};

static size_t envelope(const struct spdm_span *m)
{
    if (m->p[1] != 0x6b) return 4;
    return m->p[0] < SPDM_V12 ? 4 : 8;
}

static size_t changing(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    struct change *c = pair->arg;
    struct spdm_span m;
    size_t head;

    if (c == NULL || c->done != 0) return n;
    m = liar_open(&liar, to_responder, (struct spdm_span){frame, n});
    if (m.n < 4 || m.p[1] != c->code) return n;
    head = envelope(&m);
    if (c->inner != 0 && (m.n < head + 2 || m.p[head + 1] != c->inner)) return n;
    if (c->skip != 0) {
        c->skip--;
        return n;
    }
    c->done++;
    if (c->at != 0) liar.message[c->at - 1] = (uint8_t)(c->flip ? liar.message[c->at - 1] ^ c->value : c->value);
    if (c->in != NULL) memcpy(liar.message + head, c->in, c->n);
    if (c->n != 0) m.n = c->in != NULL ? head + c->n : c->n;
    return liar_seal(&liar, m, frame);
}

/* The goal is not reached; no session comes of it, and the next try is honest and comes to its end. */
static void spoil(const struct spdm_goal *goal, struct change c, uint8_t error)
{
    p.arg = &c;
    p.opened_rq = p.opened_rs = 0;
    if (pair_run(&p, goal)) fail_msg("code %02x, byte %zu: nobody minds", c.code, c.at);
    assert_int_equal(c.done, 1);
    if (error != 0 && p.failure.error != error) {
        char text[300];

        spdm_report_text(&p.failure, text, sizeof text);
        fail_msg("code %02x, byte %zu, length %zu: %s", c.code, c.at, c.n, text);
    }
    assert_int_equal(p.opened_rq | p.opened_rs, 0);
    if (error == 0x09) assert_int_equal(sessions_alive(), 0); /* else it waits for a better message */
    p.arg = NULL;
    spdm_requester_reset(p.rq);
    reach(goal);
    spdm_requester_reset(p.rq);
    reach(&(struct spdm_goal){.want = SPDM_WANT_CONNECT});
}

/* ---- envelopes to the responder (withstand 85) ---- */

static void test_deliver(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4 * sizeof versions; i++) {
        const struct spdm_goal *goal = i % 4 == 3 ? &challenge : &open_session;

        prepare(versions[i / 4], 1, i % 4 == 0 ? 4 : 2, i % 4 == 2);
        p.rsp_policy.basic_mut_auth = i % 4 == 3;
        p.wire = changing;
        pair_start(&p);
        for (unsigned skip = 0; skip < 2; skip++) {
            spoil(goal, (struct change){.code = 0xeb, .skip = skip, .at = 3, .value = 0x55}, 0x01); /* RequestID */
            spoil(goal, (struct change){.code = 0xeb, .skip = skip, .at = 1, .value = 0x1f}, 0x41);
            spoil(goal, (struct change){.code = 0xeb, .skip = skip, .n = 4}, 0x01);
            spoil(goal, (struct change){.code = 0xeb, .skip = skip, .n = 7}, 0x01);
            spoil(goal, (struct change){.code = 0xeb, .skip = skip, .at = 6, .value = 0x60}, 0x09);
            spoil(goal, (struct change){.code = 0xeb, .skip = skip, .at = 5, .value = 0x1f, .flip = true}, 0x09);
        }
        spoil(goal, (struct change){.code = 0xeb, .inner = 0x02, .n = 60}, 0x09); /* a chain that is cut */
        spoil(goal, (struct change){.code = 0xeb, .inner = 0x02, .at = 200, .value = 1, .flip = true}, 0x09);
        if (i % 4 != 0) spoil(goal, (struct change){.code = 0xea, .at = 1, .value = 0x1f}, 0x41);
        pair_close(&p);
    }
}

/* Out of place: where no flow runs, and in the wrong channel. */
static void test_no_flow(void **state)
{
    struct hand_session s;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v], 1, 0, false);
        pair_start(&p);
        hand_connect(&h, &p);
        for (unsigned inside = 0; inside < 2; inside++) {
            struct hand_session *in = inside ? &s : NULL;

            if (inside) assert_true(hand_key_exchange(&h, &s) && hand_finish(&h, &s));
            hand_expect(&h, in, "vv ea 00 00", versions[v] < SPDM_V13 ? "vv 7f 04 00" : "vv 7f 45 00");
            hand_expect(&h, in, "vv eb 01 00 vv 01 00 01", "vv 7f 04 00");
            hand_expect(&h, in, "vv eb 01 00 vv 01", "vv 7f 01 00");
        }
        assert_true(spdm_responder_update(p.rs, s.id)); /* its flow runs in the session, not outside */
        hand_expect(&h, NULL, "vv ea 00 00", versions[v] < SPDM_V13 ? "vv 7f 04 00" : "vv 7f 45 00");
        hand_expect(&h, &s, "vv ea 00 00", "vv 6a 01 00 vv e9 01");
        hand_expect(&h, NULL, "vv eb 01 00 vv 69 01 01", "vv 7f 04 00");
        hand_expect(&h, &s, "vv 81 00 00", "vv 7f 08 00"); /* RequestInFlight */
        hand_expect(&h, NULL, "vv 81 00 00", "vv 01");
        pair_close(&p);
    }
}

/* ---- envelopes to the requester ---- */

/* In a handshake only GET_DIGESTS and GET_CERTIFICATE may come; anything else ends the session (R-MUT-03, R-MUT-04). */
static void test_not_in_handshake(void **state)
{
    static const uint8_t codes[] = {0x83, 0xe0, 0xe9, 0xfe, 0xea, 0xeb, 0x84, 0x55, 0xe4};

    (void)state;
    for (unsigned i = 0; i < 3 * sizeof versions; i++) {
        prepare(versions[i / 3], 1, i % 3 == 0 ? 4 : 2, i % 3 == 2);
        p.wire = changing;
        pair_start(&p);
        for (size_t k = 0; k < sizeof codes; k++) {
            uint8_t request[40] = {versions[i / 3], codes[k], 1, 0};
            struct change c = {.code = i % 3 == 0 ? 0x6b : 0x6a, .in = request, .n = 37};

            p.arg = &c;
            p.opened_rq = p.opened_rs = 0;
            assert_false(pair_run(&p, &open_session));
            assert_int_equal(c.done, 1);
            assert_int_equal(p.failure.why, SPDM_WHY_NOT_NOW);
            assert_int_equal(p.opened_rq | p.opened_rs, 0);
            p.arg = NULL;
            reach(&open_session); /* starts over */
            spdm_requester_reset(p.rq);
            reach(&(struct spdm_goal){.want = SPDM_WANT_CONNECT});
        }
        pair_close(&p);
    }
}

/* What is no message at all is answered too: nobody waits for ever. */
static void test_no_message(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * sizeof versions; i++) {
        prepare(versions[i / 3], 1, i % 3 == 2 ? 0 : 2, i % 3 == 1);
        p.rsp_policy.basic_mut_auth = i % 3 == 2;
        p.wire = changing;
        pair_start(&p);
        spoil(i % 3 == 2 ? &challenge : &open_session, (struct change){.code = 0x6a, .at = 5, .value = 0x81}, 0x09);
        spoil(i % 3 == 2 ? &challenge : &open_session, (struct change){.code = 0x6a, .at = 5, .value = 0x1f}, 0x09);
        pair_close(&p);
    }
}

/* A device that always wants to know one thing more: in a handshake, and when it is asked. */
static size_t always_more(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    uint8_t more[] = {5, frame[1], 0x6b, 1, 1, 0, 0, 0, 0, frame[1], 0x81, 0, 0};
    unsigned *flow = pair->arg;

    if (*flow == 0 || !to_responder || frame[2] != 0xeb) return n;
    ++*flow;
    more[5] = frame[3];
    if (frame[1] < SPDM_V12) memmove(more + 5, more + 9, 4);
    pair_later(pair, false, (struct spdm_span){more, frame[1] < SPDM_V12 ? 9 : 13}, pair->now);
    return 0;
}

static void test_endless(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * sizeof versions; i++) {
        bool handshake = i % 2 == 0;
        unsigned flow = handshake;

        prepare(versions[i / 2], 1, handshake ? 2 : 0, true);
        p.req_policy.certificate_requests = i < 4 ? 0 : 50;
        p.wire = always_more;
        p.arg = &flow;
        pair_start(&p);
        if (!handshake) {
            reach(&(struct spdm_goal){.want = SPDM_WANT_CONNECT});
            assert_true(spdm_responder_ask(p.rs, 0, &(struct spdm_goal){.want = SPDM_WANT_IDENTITY}));
            flow = 1;
        }
        assert_false(pair_run(&p, handshake ? &open_session : &(struct spdm_goal){.want = SPDM_WANT_POLL}));
        assert_int_equal(p.failure.why, SPDM_WHY_LIMIT);
        assert_int_equal(flow - 1, i < 4 ? 4096 : 50);
        pair_close(&p);
    }
}

/* Enveloped, too, KEY_UPDATE needs its capability on both sides (R-KUP-01). */
static size_t update_asked(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    uint8_t *error = pair->arg;
    struct spdm_span m = liar_open(&liar, to_responder, (struct spdm_span){frame, n});

    if (!to_responder && m.n == 8 && m.p[1] == 0x6a) {
        memcpy(liar.message + 5, (uint8_t[]){0xe9, 1, 9}, 3);
        return liar_seal(&liar, m, frame);
    }
    if (to_responder && m.n == 8 && m.p[1] == 0xeb && m.p[5] == 0x7f) memcpy(error, m.p + 6, 2);
    return n;
}

static void test_update_without(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * sizeof versions; i++) {
        uint8_t error[2] = {0};
        struct spdm_session_facts facts;

        prepare(versions[i / 2], 1, 0, false);
        (i % 2 == 0 ? &p.req_policy : &p.rsp_policy)->flags &= ~SPDM_KEY_UPD_CAP;
        p.wire = update_asked;
        p.arg = error;
        pair_start(&p);
        reach(&open_session);
        assert_false(spdm_responder_update(p.rs, p.opened_rs)); /* nor is it begun */
        assert_true(spdm_responder_ask(p.rs, p.opened_rs, &(struct spdm_goal){.want = SPDM_WANT_IDENTITY}));
        (void)pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_POLL, .session = p.opened_rq});
        assert_int_equal(error[0], 0x07);
        assert_int_equal(error[1], 0xe9);
        assert_true(spdm_requester_session(p.rq, p.opened_rq, &facts));
        assert_int_equal(facts.updates[1], 0);
        pair_close(&p);
    }
}

/* Elsewhere it is told so, and the flow goes on or ends in peace. */
static void test_not_allowed(void **state)
{
    static const uint8_t codes[] = {0xe0, 0xea, 0xfe, 0x55};

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v], 1, 0, false);
        p.rsp_policy.basic_mut_auth = true;
        p.wire = changing;
        pair_start(&p);
        for (size_t k = 0; k < sizeof codes; k++) {
            uint8_t request[4] = {versions[v], codes[k], 1, 0};

            spoil(&challenge, (struct change){.code = 0x6a, .in = request, .n = 4}, 0x09);
        }
        pair_close(&p);
    }
}

/* The last ACK: of another request, with a slot that is empty or none, with an unknown payload. */
static void test_ack(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        struct change c[] = {{.code = 0x6b, .skip = 1, .at = 4, .value = 3},
                             {.code = 0x6b, .skip = 1, .at = versions[v] < SPDM_V12 ? 5 : 9, .value = 5},
                             {.code = 0x6b, .skip = 1, .at = versions[v] < SPDM_V12 ? 5 : 9, .value = 0xff},
                             {.code = 0x6b, .skip = 1, .n = versions[v] < SPDM_V12 ? 4 : 8},
                             {.code = 0x6b, .n = versions[v] < SPDM_V12 ? 7 : 11},
                             {.code = 0x6b, .n = versions[v] < SPDM_V12 ? 5 : 9},
                             {.code = 0x6b, .at = 5, .value = 0x33}};

        prepare(versions[v], 1, 2, v % 2 == 0);
        p.wire = changing;
        pair_start(&p);
        for (size_t i = 0; i < (versions[v] < SPDM_V12 ? 6 : 7); i++) {
            c[i].done = 0;
            p.arg = &c[i];
            p.opened_rq = p.opened_rs = 0;
            assert_false(pair_run(&p, &open_session));
            assert_int_equal(c[i].done, 1);
            assert_int_equal(p.opened_rq | p.opened_rs, 0);
            p.arg = NULL;
            spdm_requester_reset(p.rq);
            reach(&open_session);
            spdm_requester_reset(p.rq);
            reach(&(struct spdm_goal){.want = SPDM_WANT_CONNECT});
        }
        pair_close(&p);
    }
}

/* ---- proofs (withstand 86, 87, 89) ---- */

/* An encapsulated CHALLENGE_AUTH that itself asks for mutual authentication. */
static void test_challenge_in_challenge(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v], 1, 0, false);
        p.rsp_policy.basic_mut_auth = true;
        p.wire = changing;
        pair_start(&p);
        spoil(&challenge, (struct change){.code = 0xeb, .inner = 0x03, .at = 7, .value = 0x80}, 0x09);
        pair_close(&p);
    }
}

/* Each end is told of the other's proof, and of nothing else: the responder's counts when CHALLENGE_AUTH was right, the
 * requester's when its own was. */
static void test_who_is_authentic(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        struct change c = {.code = 0xeb, .inner = 0x03, .at = 60, .value = 1, .flip = true};

        prepare(versions[v], 1, 0, false);
        p.rsp_policy.basic_mut_auth = true;
        p.wire = changing;
        p.arg = &c;
        pair_start(&p);
        assert_false(pair_run(&p, &challenge));
        assert_true(spdm_requester_facts(p.rq)->authentic);
        assert_false(spdm_responder_facts(p.rs)->authentic);
        p.arg = NULL;
        spdm_requester_reset(p.rq);
        reach(&challenge);
        assert_true(spdm_requester_facts(p.rq)->authentic);
        assert_true(spdm_responder_facts(p.rs)->authentic);
        spdm_requester_reset(p.rq);
        reach(&(struct spdm_goal){.want = SPDM_WANT_CONNECT});
        assert_false(spdm_responder_facts(p.rs)->authentic);
        pair_close(&p);
    }
}

/* The requester cannot sign, or its random numbers fail, in the middle of the flow: an ERROR in the envelope, and no
 * end of anything but the flow. */
static size_t fail_now(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    static uint8_t copy[PAIR_BUFFER];
    struct change *c = pair->arg;
    struct spdm_span m;

    if (c == NULL) return n;
    m = liar_open(&liar, to_responder, (struct spdm_span){frame, n});
    memcpy(copy, frame, n);
    if (!to_responder && m.n > 12 && c->done == 0 && m.p[envelope(&m) + 1] == 0x83) { /* CHALLENGE comes */
        c->done = 1;
        pair->toy.fail_at = pair->toy.calls + (long)c->skip;
    }
    if (to_responder && m.n == 8 && m.p[1] == 0xeb && m.p[5] == 0x7f) c->value = m.p[6];
    return n;
}

static void test_failing_requester(void **state)
{
    unsigned told = 0;

    (void)state;
    for (unsigned skip = 1; skip < 12; skip++) {
        struct change c = {.skip = skip};

        prepare(SPDM_V12, 1, 0, false);
        p.rsp_policy.basic_mut_auth = true;
        p.wire = fail_now;
        p.arg = &c;
        pair_start(&p);
        if (!pair_run(&p, &challenge)) {
            assert_int_equal(c.done, 1);
            if (c.value != 0) {
                told++;
                assert_int_equal(c.value, 0x05);
                assert_int_equal(p.failure.why, SPDM_WHY_PEER_ERROR);
                assert_int_equal(p.failure.error, 0x09);
            }
        }
        p.arg = NULL;
        reach(&challenge);
        pair_close(&p);
    }
    assert_true(told >= 3);
}

/* ---- flows without mutual authentication (withstand 88) ---- */

static void test_encap_only(void **state)
{
    struct spdm_goal poll = {.want = SPDM_WANT_POLL};
    struct spdm_session_facts facts;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v], 1, 0, false);
        p.req_policy.flags &= ~SPDM_MUT_AUTH_CAP;
        p.rsp_policy.flags &= ~SPDM_MUT_AUTH_CAP;
        p.req_policy.certificate_requests = 2; /* a flow of two requests; each is counted anew */
        pair_start(&p);
        reach(&open_session);
        poll.session = p.opened_rq;
        for (unsigned i = 0; i < 3; i++) {
            assert_true(spdm_responder_update(p.rs, p.opened_rs));
            reach(&poll);
        }
        assert_true(spdm_requester_session(p.rq, p.opened_rq, &facts));
        assert_int_equal(facts.received, 2); /* VerifyNewKey's envelope and the last ACK, under the newest key */
        reach(&(struct spdm_goal){.want = SPDM_WANT_MEASUREMENTS, .session = p.opened_rq});
        pair_close(&p);
    }
}

/* The requester refuses the update: old keys, and a session that goes on. It says DecryptError: the end (7.4). */
static void test_update_refused(void **state)
{
    struct hand_session s;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v], 1, 0, false);
        pair_start(&p);
        hand_connect(&h, &p);
        assert_true(hand_key_exchange(&h, &s));
        assert_false(spdm_responder_update(p.rs, s.id)); /* not open yet; no such session */
        assert_false(spdm_responder_update(p.rs, s.id ^ 1));
        assert_true(hand_finish(&h, &s));
        assert_true(spdm_responder_update(p.rs, s.id));
        hand_expect(&h, &s, "vv ea 00 00", "vv 6a 01 00 vv e9 01");
        hand_expect(&h, &s, "vv eb 01 00 vv 7f 03 00", "vv 7f"); /* Busy */
        hand_expect(&h, &s, "vv 81 00 00", "vv 01");
        assert_true(spdm_responder_update(p.rs, s.id));
        hand_expect(&h, &s, "vv ea 00 00", "vv 6a 02 00 vv e9 01");
        hand_expect(&h, &s, "vv eb 02 00 vv 7f 06 00", "vv 7f");
        assert_int_equal(p.closed_rs, s.id);
        pair_close(&p);
    }
}

/* ---- the encapsulated DIGESTS that counts (withstand 32) ---- */

enum { AT_ONCE, CERTIFICATE_FIRST, PUT_IN };

/* In the clear an exchange is put in front of GET_DIGESTS and its answer: to the requester it looks as if the device
 * had begun with GET_CERTIFICATE. */
static size_t certificate_first(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    unsigned *how = pair->arg;
    uint8_t *m = frame + 1;

    if (*how == CERTIFICATE_FIRST && to_responder && m[1] == 0xea) {
        uint8_t get_certificate[] = {5, m[0], 0x6a, 7, 0, m[0], 0x82, 0, 0, 0, 0, 0xff, 3};

        *how = PUT_IN;
        pair_deliver(pair, false, get_certificate, sizeof get_certificate);
        return 0;
    }
    if (*how == PUT_IN && to_responder && m[1] == 0xeb && m[2] == 7) {
        assert_int_equal(m[5], 0x02);
        memcpy(m + 1, (uint8_t[]){0xea, 0, 0}, 3);
        return 1 + 4;
    }
    if (*how == PUT_IN && !to_responder && m[1] == 0x6a) {
        *how = AT_ONCE;
        memmove(m + 8, m + 4, n - 5);
        memcpy(m + 1, (uint8_t[]){0x6b, m[2], 1, 7, 0, 0, 0}, 7);
        return n + 4;
    }
    return n;
}

/* Between those who have several keys DIGESTS is in TH, but only as the first answer of all: to our device it always
 * is, and a requester that was asked for something else before has another TH. */
static void test_digests_first(void **state)
{
    unsigned how;

    (void)state;
    for (uint8_t version = SPDM_V13; version <= SPDM_V14; version++) {
        prepare(version, 1, 2, true);
        p.req_policy.flags |= SPDM_MULTI_KEY_CAP_ONLY | SPDM_GET_KEY_PAIR_INFO_CAP;
        for (uint8_t i = 0; i <= 2; i = (uint8_t)(i + 2)) {
            p.rq_identity.slot[i].model = SPDM_CERT_DEVICE;
            p.rq_identity.slot[i].key_pair_id = (uint8_t)(1 + i);
            p.rq_identity.slot[i].usage = SPDM_USE_CHALLENGE | SPDM_USE_KEY_EX;
        }
        p.wire = certificate_first;
        p.arg = &how;
        pair_start(&p);
        how = AT_ONCE;
        reach(&open_session);
        assert_true(spdm_requester_facts(p.rq)->multi_key_req);
        reach(&(struct spdm_goal){.want = SPDM_WANT_END_SESSION, .session = p.opened_rq});
        reach(&open_session); /* each handshake has its own first answer */
        reach(&(struct spdm_goal){.want = SPDM_WANT_END_SESSION, .session = p.opened_rq});
        p.opened_rq = p.opened_rs = 0;
        how = CERTIFICATE_FIRST;
        assert_false(pair_run(&p, &open_session));
        assert_int_equal(how, AT_ONCE);
        assert_int_equal(p.refused.why, SPDM_WHY_BAD_VERIFY_DATA);
        assert_int_equal(p.opened_rq | p.opened_rs, 0);
        spdm_requester_reset(p.rq);
        reach(&open_session);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_deliver),
                                       cmocka_unit_test(test_no_flow),
                                       cmocka_unit_test(test_not_in_handshake),
                                       cmocka_unit_test(test_not_allowed),
                                       cmocka_unit_test(test_no_message),
                                       cmocka_unit_test(test_endless),
                                       cmocka_unit_test(test_update_without),
                                       cmocka_unit_test(test_ack),
                                       cmocka_unit_test(test_challenge_in_challenge),
                                       cmocka_unit_test(test_who_is_authentic),
                                       cmocka_unit_test(test_failing_requester),
                                       cmocka_unit_test(test_encap_only),
                                       cmocka_unit_test(test_update_refused),
                                       cmocka_unit_test(test_digests_first)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
