/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The memory of sessions: whatever lies in it before, however much it is, whose
 * end has not been told yet; and the transcripts of each, which begin with the
 * connection's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "support/hand.h"
#include "support/talk.h"

static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};
static struct pair p;
static struct hand h;

static void prepare(uint8_t version, size_t sessions)
{
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    pair_sessions(&p, sessions);
}

/* As many as fit whole, each in its own place; nothing is believed of what was there, and nothing behind it is touched.
 */
static void test_memory(void **state)
{
    static const struct spdm_goal open_session = {.want = SPDM_WANT_SESSION};

    (void)state;
    for (size_t sessions = 0; sessions <= 3; sessions++) {
        for (size_t more = 0; more < 200; more += 8) {
            struct spdm_goal end = {.want = SPDM_WANT_END_SESSION};
            size_t n;
            uint8_t *block;

            prepare(SPDM_V12, sessions);
            n = p.rsp_config.session_memory.n + more;
            block = malloc(n);
            if (n != 0) memset(block, 0x02 + (more & 1), n); /* a state, too */
            p.rsp_config.session_memory = (struct spdm_room){block, n};
            p.req_config.session_memory.n *= 2;
            p.req_config.session_memory.n += spdm_session_size(&p.req_config);
            assert_true(p.req_config.session_memory.n <= sizeof p.rq_sessions);
            memset(p.rq_sessions, 0x02, sizeof p.rq_sessions);
            pair_start(&p);
            for (size_t i = 0; i < sessions; i++) assert_true(pair_run(&p, &open_session));
            end.session = p.opened_rq;
            assert_false(pair_run(&p, &open_session));
            if (sessions != 0) assert_int_equal(p.failure.error, 0x0a); /* SessionLimitExceeded */
            if (sessions != 0) assert_true(pair_run(&p, &end));
            if (sessions != 0) assert_true(pair_run(&p, &open_session));
            pair_close(&p);
            free(block);
        }
    }
}

/* Says something of which nobody fetches the events. */
static void push(struct hand_session *s, const char *words)
{
    static uint8_t message[PAIR_BUFFER];
    struct spdm_span m = {message, talk_bytes(words, h.version, message)};
    size_t n = hand_seal(&h, s, m, false);

    spdm_responder_push(p.rs, spdm_span(h.frame, n), p.now);
    assert_int_not_equal(spdm_responder_pull(p.rs, p.now).n, 0);
}

/* A session has ended, and nobody has been told yet, when the next begins: in another place if there is one, and then
 * the end is told; in its place if not, and then that one is none of the end's. */
static void test_untold(void **state)
{
    struct hand_session a, b;

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof versions; i++) {
        bool room = i % 2 == 1;

        prepare(versions[i / 2], room ? 2 : 1);
        pair_start(&p);
        hand_connect(&h, &p);
        assert_true(hand_key_exchange(&h, &a) && hand_finish(&h, &a));
        push(&a, "vv ec 00 00");
        assert_int_equal(p.closed_rs, 0);
        assert_true(hand_psk_exchange(&h, &b)); /* events are fetched in the middle of it */
        if (room) assert_int_equal(p.closed_rs, a.id);
        assert_int_not_equal(p.closed_rs, b.id);
        assert_true(hand_finish(&h, &b));
        assert_true(hand_agrees(&h, &b));
        hand_expect(&h, &b, "vv 81 00 00", "vv 01");
        assert_int_not_equal(p.closed_rs, b.id);
        pair_close(&p);
    }
}

/* In the clear nothing in FINISH says whose it is: one handshake at a time (R-KEX-04), whatever goes on in records. */
static void test_one_in_the_clear(void **state)
{
    struct hand_session a, b, k;

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof versions; i++) {
        bool clear = i % 2 == 1;

        prepare(versions[i / 2], 3);
        if (clear) p.req_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        p.rsp_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        pair_start(&p);
        hand_connect(&h, &p);
        assert_true(hand_psk_exchange(&h, &k));
        assert_true(hand_key_exchange(&h, &a));
        assert_true(hand_key_exchange(&h, &b) == !clear);
        if (clear) assert_true(h.answer[2] == 0x7f && h.answer[3] == 0x04);
        assert_true(hand_finish(&h, &k) && hand_finish(&h, &a));
        if (clear) assert_true(hand_key_exchange(&h, &b));
        assert_true(hand_finish(&h, &b));
        assert_true(hand_agrees(&h, &a) && hand_agrees(&h, &b) && hand_agrees(&h, &k));
        pair_close(&p);
    }
}

/* L1/L2 of a session: VCA from 1.2 on, then what was said in it and nowhere else (transcripts.md section 4). */
static void test_measurements(void **state)
{
    static const char context[] = "responder-measurements signing";
    static uint8_t said[8192];
    struct hand_session a, b;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        uint8_t prefixed[100 + SPDM_HASH_MAX] = {0}, expected[PAIR_SIGNATURE], request[64];
        struct spdm_signing what = {.alg = SPDM_ECDSA_P384, .hash = SPDM_SHA_384, .prehashed = true};
        struct spdm_span vca, got;
        uint64_t hash[4] = {0};
        size_t n = 0;

        prepare(versions[v], 2);
        pair_start(&p);
        hand_connect(&h, &p);
        assert_true(hand_key_exchange(&h, &a) && hand_finish(&h, &a));
        assert_true(hand_key_exchange(&h, &b) && hand_finish(&h, &b));
        hand_expect(&h, NULL, "vv e0 00 01 context", "vv 60"); /* enter other transcripts */
        hand_expect(&h, &b, "vv e0 00 02 context", "vv 60");
        vca = spdm_requester_vca(p.rq);
        if (versions[v] >= SPDM_V12) memcpy(said, vca.p, n = vca.n);
        for (unsigned i = 0; i < 2; i++) {
            size_t request_n =
                talk_bytes(i == 0 ? "vv e0 00 01 context" : "vv e0 01 ff nonce 00 context", versions[v], request);

            got = hand_say(&h, &a, spdm_span(request, request_n));
            assert_true(got.n > (i == 0 ? 8u : 100u) && got.p[1] == 0x60);
            memcpy(said + n, request, request_n);
            memcpy(said + n + request_n, got.p, got.n - (i == 0 ? 0 : 96u));
            n += request_n + got.n - (i == 0 ? 0 : 96u);
        }
        assert_true(toy_crypto.hash_begin(&h.toy, hash, SPDM_SHA_384));
        assert_true(toy_crypto.hash_update(&h.toy, hash, spdm_span(said, n)));
        assert_true(toy_crypto.hash_peek(&h.toy, hash, prefixed + 100));
        what.data = spdm_span(prefixed + 100, 48);
        if (versions[v] >= SPDM_V12) {
            for (unsigned i = 0; i < 4; i++) memcpy(prefixed + 16 * i, "dmtf-spdm-v1.0.*", 16);
            for (unsigned i = 0; i < 4; i++) prefixed[16 * i + 13] = (uint8_t)('0' + (versions[v] & 15));
            memcpy(prefixed + 100 - strlen(context), context, strlen(context));
            memset(hash, 0, sizeof hash);
            assert_true(toy_crypto.hash_begin(&h.toy, hash, SPDM_SHA_384));
            assert_true(toy_crypto.hash_update(&h.toy, hash, spdm_span(prefixed, 148)));
            assert_true(toy_crypto.hash_peek(&h.toy, hash, said));
            what.data = spdm_span(said, 48);
        }
        assert_int_equal(toy_sign(&p.key, &what, expected), 96);
        assert_memory_equal(got.p + got.n - 96, expected, 96);
        pair_close(&p);
    }
}

/* ---- what callers may do with a session ---- */

static const uint8_t some_data[] = "\x7e some data";

/* Nobody sends in, looks at or exports from a session that is not there, or not open; nor while an answer is being
 * made. */
static void test_not_open(void **state)
{
    const struct spdm_span data = {some_data, sizeof some_data};
    uint8_t out[SPDM_HASH_MAX];
    struct spdm_session_facts facts;
    struct hand_session a;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        pair_init(&p);
        if (i == 1) pair_sessions(&p, 2);
        pair_start(&p);
        for (uint32_t id = 0; id < 2; id++) {
            assert_false(spdm_requester_send(p.rq, id, data) || spdm_responder_send(p.rs, id, data));
            assert_false(spdm_requester_session(p.rq, id, &facts) || spdm_responder_session(p.rs, id, &facts));
            assert_int_equal(spdm_requester_export(p.rq, id, out) + spdm_responder_export(p.rs, id, out), 0);
        }
        if (i == 1) {
            hand_connect(&h, &p);
            assert_true(hand_key_exchange(&h, &a));
            assert_true(spdm_responder_session(p.rs, a.id, &facts));
            assert_false(facts.established || facts.proven);
            assert_false(spdm_responder_send(p.rs, a.id, data));
            assert_int_equal(spdm_responder_export(p.rs, a.id, out), 0);
            assert_true(hand_finish(&h, &a));
            p.silent = true;
            hand_expect(&h, NULL, "vv e0 00 01 context", "-");
            assert_false(spdm_responder_send(p.rs, a.id, data)); /* its room is taken */
            p.silent = false;
            hand_expect(&h, NULL, "10 84 00 00", "10 04");
        }
        pair_close(&p);
    }
}

/* Who opened it is known by FINISH with a signature, by PSK_FINISH or, where there is none, by the first record
 * (withstand 5); the requester knows from the beginning. */
static void test_proven(void **state)
{
    struct spdm_session_facts facts;
    struct hand_session s;

    (void)state;
    for (unsigned i = 0; i < 4 * sizeof versions; i++) {
        bool psk = i % 4 >= 2, alone = i % 4 == 3, mutual = i % 4 == 1;

        prepare(versions[i / 4], 1);
        pair_mutual(&p);
        if (alone) p.rsp_policy.flags ^= SPDM_PSK_CAP_MASK;
        if (mutual) p.rsp_policy.mut_auth = 2;
        pair_start(&p);
        hand_connect(&h, &p);
        hand_chain(&h);
        assert_true(psk ? hand_psk_exchange(&h, &s) : hand_key_exchange(&h, &s));
        if (mutual) hand_prove(&h, &s, false);
        assert_true(spdm_responder_session(p.rs, s.id, &facts));
        assert_false(facts.proven);
        if (!alone) assert_true(mutual ? hand_finish_signed(&h, &s, false) : hand_finish(&h, &s));
        assert_true(spdm_responder_session(p.rs, s.id, &facts));
        assert_true(facts.established && facts.proven == (mutual || (psk && !alone)));
        hand_expect(&h, &s, "vv 81 00 00", "vv 01");
        assert_true(spdm_responder_session(p.rs, s.id, &facts));
        assert_true(facts.proven == (mutual || psk));
        hand_expect(&h, &s, "vv e9 01 01", "vv 69 01 01"); /* with new keys numbers begin anew */
        assert_true(spdm_responder_session(p.rs, s.id, &facts));
        assert_true(facts.proven == (mutual || psk));
        pair_close(&p);
        prepare(versions[i / 4], 1);
        pair_start(&p);
        assert_true(pair_run(&p, &(struct spdm_goal){.want = psk ? SPDM_WANT_PSK_SESSION : SPDM_WANT_SESSION,
                                                     .psk_hint = {(const uint8_t *)"hint", 4}}));
        assert_true(spdm_requester_session(p.rq, p.opened_rq, &facts) && facts.proven);
        pair_close(&p);
    }
}

static size_t send_between(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    const uint32_t *session = pair->arg;

    if (session == NULL || !to_responder || frame[0] != 6) return n;
    pair->arg = NULL;
    assert_false(spdm_requester_send(p.rq, session[0], (struct spdm_span){some_data, sizeof some_data}));
    assert_true(spdm_requester_send(p.rq, session[1], (struct spdm_span){some_data, sizeof some_data}));
    return n;
}

/* While one session changes its keys data waits, in that one. */
static void test_other_session(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        const struct spdm_goal open_session = {.want = SPDM_WANT_SESSION};
        uint32_t session[2];

        prepare(versions[v], 2);
        p.wire = send_between;
        p.arg = NULL;
        pair_start(&p);
        for (unsigned i = 0; i < 2; i++) {
            assert_true(pair_run(&p, &open_session));
            session[i] = p.opened_rq;
        }
        p.arg = session;
        assert_true(
            pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_KEY_UPDATE, .session = session[0], .update = 2}));
        assert_null(p.arg);
        pair_settle(&p, p.now);
        assert_int_equal(p.data_rs_n, sizeof some_data);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory),           cmocka_unit_test(test_untold),
                                       cmocka_unit_test(test_one_in_the_clear), cmocka_unit_test(test_measurements),
                                       cmocka_unit_test(test_not_open),         cmocka_unit_test(test_proven),
                                       cmocka_unit_test(test_other_session)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
