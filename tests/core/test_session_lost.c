/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sessions that are lost in the middle of something. Anybody on the wire can
 * end one with a record that does not open; whatever was under way in it then -
 * a handshake that waits for a signature, a request that is about to be sent,
 * or to be sent once more - must end with it. It must not go on outside, in
 * plain and with keys of zeros. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/liar.h"

enum { BUSY = 3, MOMENTS = 40 };

static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};
static struct pair p;
static struct liar liar;

/* ---- a requester ---- */

/* At frame number `at` to one end: the frame, or Busy in its place, and then a record that does not open. */
struct blow {
    bool to_responder, busy;
    unsigned at, seen;
    uint32_t id;    /* the session that was hit, 0: nothing has happened yet */
    unsigned after; /* frames of the requester since then */
    unsigned plain; /* ... and those outside of records */
};

static const uint8_t vendor_id[] = {0xb4, 0x1a}, payload[] = "what nobody else may read";

static uint32_t session_now(void)
{
    return liar.n != 0 ? liar.secret[(liar.n - 1) % LIAR_SECRETS].session : 0;
}

static void push_exactly(bool to_responder, const uint8_t *frame, size_t n)
{
    uint8_t *exact = malloc(n);

    memcpy(exact, frame, n);
    if (to_responder) spdm_responder_push(p.rs, (struct spdm_span){exact, n}, p.now);
    else spdm_requester_push(p.rq, (struct spdm_span){exact, n}, p.now);
    free(exact);
}

static void push_broken(bool to_responder, uint32_t id)
{
    uint8_t broken[40] = {6, 0, 0, 0, 0, 0, 0, 30, 0};

    for (unsigned i = 0; i < 4; i++) broken[1 + i] = (uint8_t)(id >> 8 * i);
    push_exactly(to_responder, broken, sizeof broken);
}

static size_t strike(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    struct blow *blow = pair->arg;
    uint8_t busy[4] = {0, 0x7f, BUSY, 0};
    struct spdm_session_facts facts;
    struct spdm_span m;

    if (blow == NULL) return n;
    if (to_responder && blow->id != 0) {
        blow->after++;
        blow->plain += frame[0] == 5;
    }
    if (to_responder != blow->to_responder || blow->id != 0 || blow->seen++ != blow->at) return n;
    m = liar_open(&liar, to_responder, (struct spdm_span){frame, n});
    busy[0] = m.n > 1 ? m.p[0] : 0;
    if (blow->busy) n = liar_seal(&liar, spdm_span(busy, sizeof busy), frame);
    push_exactly(to_responder, frame, n);
    if (to_responder ? !spdm_responder_session(p.rs, session_now(), &facts)
                     : !spdm_requester_session(p.rq, session_now(), &facts)) {
        return 0; /* there is no session yet, or it has ended in peace */
    }
    blow->id = session_now();
    push_broken(to_responder, blow->id);
    return 0;
}

struct plot {
    const char *name;
    struct spdm_goal goal;
    uint8_t mut_auth;
    bool inside; /* in a session that is there before */
    bool update; /* the responder wants another key */
};

static const struct plot plots[] = {
    {"KEY_EXCHANGE", {.want = SPDM_WANT_SESSION}, 0, false, false},
    {"a signature at once", {.want = SPDM_WANT_SESSION}, 1, false, false},
    {"an encapsulated proof", {.want = SPDM_WANT_SESSION}, 2, false, false},
    {"DIGESTS unasked", {.want = SPDM_WANT_SESSION}, 4, false, false},
    {"a PSK", {.want = SPDM_WANT_PSK_SESSION, .psk_hint = {(const uint8_t *)"hint", 4}}, 0, false, false},
    {"measurements", {.want = SPDM_WANT_MEASUREMENTS, .sign = true, .measure = SPDM_MEASURE_EACH}, 0, true, false},
    {"a vendor's request",
     {.want = SPDM_WANT_VENDOR, .standard = 3, .vendor = {vendor_id, 2}, .payload = {payload, sizeof payload}},
     0,
     true,
     false},
    {"UpdateKey", {.want = SPDM_WANT_KEY_UPDATE, .update = 1}, 0, true, false},
    {"UpdateAllKeys", {.want = SPDM_WANT_KEY_UPDATE, .update = 2}, 0, true, false},
    {"a poll", {.want = SPDM_WANT_POLL}, 0, true, true},
    {"the end", {.want = SPDM_WANT_END_SESSION}, 0, true, false},
};

static void prepare(uint8_t version, const struct plot *plot)
{
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    pair_sessions(&p, 2);
    pair_mutual(&p);
    p.rsp_policy.mut_auth = plot->mut_auth;
    liar_listen(&liar, &p);
    p.wire = strike;
    pair_start(&p);
    if (plot->mut_auth == 1) {
        uint8_t digest[SPDM_HASH_MAX];
        struct pair turned = {.identity = p.rq_identity};
        size_t n = pair_digest(&turned, 0, SPDM_SHA_384, digest);

        spdm_responder_trust(p.rs, 0, spdm_span(digest, n), p.rq_trusted);
    }
}

static void reach(const struct spdm_goal *goal)
{
    char mine[300], theirs[300];

    if (pair_run(&p, goal)) return;
    spdm_report_text(&p.failure, mine, sizeof mine);
    spdm_report_text(&p.refused, theirs, sizeof theirs);
    fail_msg("requester: %s; responder: %s", mine, theirs);
}

/* One run; false: the conversation was over before the moment came. */
static bool run(uint8_t version, const struct plot *plot, struct blow *blow)
{
    struct spdm_goal goal = plot->goal;
    struct spdm_session_facts facts;
    uint32_t before;
    bool done;

    prepare(version, plot);
    if (plot->inside) {
        reach(&(struct spdm_goal){.want = SPDM_WANT_SESSION});
        goal.session = p.opened_rq;
        if (plot->update) assert_true(spdm_responder_update(p.rs, p.opened_rs));
    }
    before = p.opened_rq;
    p.arg = blow;
    done = pair_run(&p, &goal);
    if (blow->id != 0) {
        if (blow->to_responder ? spdm_responder_session(p.rs, blow->id, &facts)
                               : spdm_requester_session(p.rq, blow->id, &facts)) {
            fail_msg("1.%u, %s, frame %u: the session is still there", version & 15u, plot->name, blow->at);
        }
        if (blow->to_responder ? p.closed_rs != blow->id : p.closed_rq != (p.opened_rq == blow->id ? blow->id : 0))
            fail_msg("1.%u, %s, frame %u: nobody is told", version & 15u, plot->name, blow->at);
        if (!blow->to_responder && blow->after != 0)
            fail_msg("1.%u, %s, frame %u%s: the requester goes on", version & 15u, plot->name, blow->at,
                     blow->busy ? " (Busy)" : "");
        if (blow->plain != 0) fail_msg("1.%u, %s, frame %u: in plain", version & 15u, plot->name, blow->at);
        if (!done && p.opened_rq != before) fail_msg("a session was opened all the same");
        if (done && blow->busy) fail_msg("Busy is no answer");
        p.arg = NULL; /* no place is lost: as many sessions as ever */
        spdm_requester_reset(p.rq);
        for (unsigned i = 0; i < 2; i++) reach(&(struct spdm_goal){.want = SPDM_WANT_SESSION});
    }
    p.arg = NULL;
    pair_close(&p);
    return blow->seen > blow->at;
}

static void strike_everywhere(bool to_responder)
{
    unsigned hits = 0;

    for (size_t i = 0; i < sizeof plots / sizeof *plots; i++) {
        for (unsigned k = 0; k < 2 * sizeof versions; k++) {
            bool busy = k % 2 != 0, more = true;

            if (busy && to_responder) continue;
            for (unsigned at = 0; more && at < MOMENTS; at++) {
                struct blow blow = {.to_responder = to_responder, .busy = busy, .at = at};

                more = run(versions[k / 2], &plots[i], &blow);
                hits += blow.id != 0;
            }
            assert_false(more); /* all of it has been gone through */
        }
    }
    print_message("%u sessions lost\n", hits);
    assert_true(hits > 50);
}

static void test_requester(void **state)
{
    (void)state;
    strike_everywhere(false);
}

static void test_responder(void **state)
{
    (void)state;
    strike_everywhere(true);
}

/* ---- a session that is not open yet ---- */

/* The exchange was put off and is answered now; the session has keys, and an id that can be guessed. */
static size_t guess(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    unsigned *guesses = pair->arg;

    if (to_responder && frame[0] == 5 && frame[2] == 0xff && frame[3] == 0xe4) {
        ++*guesses;
        push_broken(true, 0xffffffff);
    }
    return n;
}

/* A record for it is for nobody: it neither ends what has not begun nor is it answered. */
static void test_opening(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * sizeof versions; i++) {
        unsigned guesses = 0;

        prepare(versions[i / 2], &plots[i % 2 == 0 ? 0 : 2]);
        p.wire = guess;
        p.arg = &guesses;
        p.sign_delay = 100000;
        reach(&(struct spdm_goal){.want = SPDM_WANT_SESSION});
        assert_true(guesses > 0);
        assert_int_equal(p.closed_rs, 0);
        assert_int_equal(p.refused.why, 0);
        reach(&(struct spdm_goal){.want = SPDM_WANT_END_SESSION, .session = p.opened_rq});
        pair_close(&p);
    }
}

/* ---- questions that are left open ---- */

/* The requester has just been asked, in an envelope, to sign; its caller gives up. */
static size_t give_up(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    unsigned *left = pair->arg;
    size_t at = frame[2] == 0x6a ? 5 : frame[1] < SPDM_V12 ? 5 : 9;

    if (to_responder || *left == 0 || (frame[2] != 0x6a && frame[2] != 0x6b) || frame[at + 1] != 0x83) return n;
    --*left;
    push_exactly(false, frame, n);
    spdm_requester_reset(pair->rq);
    pair->finished = true;
    return 0;
}

/* Who proves us is free again for whoever asks next. */
static void test_question_left(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        unsigned left = 2;

        prepare(versions[v], &plots[0]);
        p.rsp_policy.basic_mut_auth = true;
        p.wire = give_up;
        p.arg = &left;
        for (unsigned i = 0; i < 2; i++) assert_false(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CHALLENGE}));
        assert_int_equal(left, 0);
        reach(&(struct spdm_goal){.want = SPDM_WANT_CHALLENGE});
        assert_true(spdm_responder_facts(p.rs)->authentic);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_requester), cmocka_unit_test(test_responder),
                                       cmocka_unit_test(test_opening), cmocka_unit_test(test_question_left)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
