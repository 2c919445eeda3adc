/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Mutual authentication in a session, with the requester's part said by hand:
 * two handshakes at a time, FINISH without the proof that it needs, what the
 * requester's signature covers (withstand 6, 32; R-MUT, R-FIN-06). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/hand.h"
#include "support/talk.h"

static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};
static struct pair p;
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
}

/* While one is under way its identity is nobody else's: a second KEY_EXCHANGE is told to wait (R-KEX-05), CHALLENGE
 * does not ask for the roles to be turned, and both find their way afterwards. */
static void test_two_handshakes(void **state)
{
    struct hand_session a, b, k;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct spdm_span got;

        prepare(i == 0 ? SPDM_V12 : SPDM_V13, 3, 2, false);
        p.rsp_policy.basic_mut_auth = true;
        pair_start(&p);
        hand_connect(&h, &p);
        hand_chain(&h);
        assert_true(hand_psk_exchange(&h, &k)); /* not disturbed by any of that */
        assert_true(hand_key_exchange(&h, &a));
        assert_false(hand_key_exchange(&h, &b));
        assert_int_equal(h.answer[3], 0x03);
        hand_prove(&h, &a, i == 1);
        assert_false(hand_key_exchange(&h, &b));
        got = hand_talk(&h, NULL, "vv 83 00 00 nonce context");
        assert_true(got.n > 100 && got.p[1] == 0x03 && (got.p[2] & 0x80) == 0);
        hand_expect(&h, NULL, "vv 81 00 00", "vv 01");
        assert_true(hand_finish(&h, &k));
        assert_true(hand_finish_signed(&h, &a, false));
        assert_true(hand_key_exchange(&h, &b));
        hand_prove(&h, &b, false);
        assert_true(hand_finish_signed(&h, &b, false));
        assert_true(hand_agrees(&h, &a) && hand_agrees(&h, &b) && hand_agrees(&h, &k));
        got = hand_talk(&h, NULL, "vv 83 00 00 nonce context");
        assert_true(got.n > 100 && (got.p[2] & 0x80) != 0); /* now it does */
        pair_close(&p);
    }
}

/* Of one requester's identity and another's FINISH nothing comes: signature or HMAC of another session, no proof at
 * all.
 */
static void test_unproven(void **state)
{
    struct hand_session a;

    (void)state;
    prepare(SPDM_V13, 1, 2, false);
    pair_start(&p);
    hand_connect(&h, &p);
    hand_chain(&h);
    assert_true(hand_key_exchange(&h, &a));
    hand_expect(&h, &a, "vv ea 00 00", "vv 6a 01 00 vv 81");
    assert_false(hand_finish(&h, &a)); /* the flow is open */
    assert_false(hand_finish_signed(&h, &a, false));
    assert_int_equal(p.opened_rs, 0);
    pair_close(&p);
    prepare(SPDM_V13, 1, 2, false);
    pair_start(&p);
    hand_connect(&h, &p);
    assert_true(hand_key_exchange(&h, &a));
    assert_false(hand_finish(&h, &a)); /* never begun, and without signature */
    assert_false(hand_finish_signed(&h, &a, false));
    assert_int_equal(p.refused.why, SPDM_WHY_NOT_NOW); /* nobody's key is asked what it thinks of it */
    assert_int_equal(p.opened_rs, 0);
    pair_close(&p);
}

/* OpaqueData of FINISH is signed too (withstand 6). */
static void test_finish_opaque(void **state)
{
    struct hand_session a;

    (void)state;
    prepare(SPDM_V14, 1, 2, false);
    pair_start(&p);
    hand_connect(&h, &p);
    hand_chain(&h);
    assert_true(hand_key_exchange(&h, &a));
    hand_prove(&h, &a, false);
    assert_false(hand_finish_signed(&h, &a, true));
    assert_int_equal(p.opened_rs, 0);
    assert_int_equal(p.closed_rs, a.id);
    assert_int_equal(p.refused.why, SPDM_WHY_BAD_VERIFY_DATA);
    pair_close(&p);
}

/* A signature that nobody asked for (R-FIN-03), however right the rest is. */
static void test_unasked(void **state)
{
    struct hand_session a;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct schedule sch = {&toy_crypto, &h.toy, SPDM_SHA_384, SPDM_AES_256_GCM, SPDM_V13, 0xff};
        uint8_t message[4 + 64 + SPDM_HASH_MAX] = {SPDM_V13, 0xe5, 1, 0}, th[SPDM_HASH_MAX];
        struct spdm_span got;

        prepare(SPDM_V13, 1, 0, i == 1);
        pair_start(&p);
        hand_connect(&h, &p);
        assert_true(hand_key_exchange(&h, &a));
        hand_th(&h, &a, spdm_span(message, 4 + 64), th);
        assert_true(spdm_schedule_verify_data(&sch, a.secrets.finished[REQUEST], th, message + 4 + 64));
        got = hand_say(&h, a.clear ? NULL : &a, spdm_span(message, 4 + 64 + HAND_H));
        assert_true(got.n == 4 && got.p[1] == 0x7f && got.p[2] == 0x01);
        assert_int_equal(p.opened_rs, 0);
        assert_true(hand_finish(&h, &a));
        pair_close(&p);
    }
}

/* The proof is put off or refused: there is no later in a handshake, which ends. */
static void test_put_off(void **state)
{
    static const char *const answers[] = {"vv eb 01 00 vv 7f 03 00", "vv eb 01 00 vv 7f 42 00 0e 81 01 0a",
                                          "vv eb 01 00 vv 7f 05 00", "vv eb 01 00 vv 7f 43 00"};
    struct hand_session a;

    (void)state;
    for (size_t i = 0; i < 2 * sizeof answers / sizeof *answers; i++) {
        prepare(SPDM_V13, 1, 2, i % 2 == 1);
        pair_start(&p);
        hand_connect(&h, &p);
        hand_chain(&h);
        assert_true(hand_key_exchange(&h, &a));
        hand_expect(&h, a.clear ? NULL : &a, "vv ea 00 00", "vv 6a 01 00 vv 81");
        hand_expect(&h, a.clear ? NULL : &a, answers[i / 2], "vv 7f 09 00");
        assert_int_equal(p.closed_rs, a.id);
        assert_true(hand_key_exchange(&h, &a)); /* its place is free */
        hand_prove(&h, &a, false);
        assert_true(hand_finish_signed(&h, &a, false));
        assert_true(hand_agrees(&h, &a));
        pair_close(&p);
    }
}

static void expect_not_ready(struct hand_session *in)
{
    struct spdm_span got;

    p.now = spdm_responder_deadline(p.rs);
    got = spdm_responder_pull(p.rs, p.now);
    assert_true(got.n > 4);
    got = in != NULL ? hand_open(&h, in, got) : spdm_part(got, 1, got.n);
    assert_true(talk_like(got, h.version, "vv 7f 42"));
}

/* The requester does not wait for the answer to what it has delivered, about which our caller still thinks, but asks
 * for something else: here, or in another session. That flow is over, and with it the handshake: neither its place nor
 * the requester inside is taken any longer (R-RIR-09). */
static void test_given_up(void **state)
{
    static const char *const instead[] = {"vv ea 00 00", "vv eb 02 00 vv 7f 05 00"};
    struct hand_session a, other;

    (void)state;
    for (unsigned i = 0; i < 2 * 2 * 3; i++) {
        struct hand_session *in;

        prepare(SPDM_V13, 2, i % 2 == 0 ? 2 : 4, i / 2 % 2 == 1);
        pair_start(&p);
        hand_connect(&h, &p);
        hand_chain(&h);
        assert_true(hand_psk_exchange(&h, &other) && hand_finish(&h, &other));
        p.now += 5000000; /* no clock begins with us */
        assert_true(hand_key_exchange(&h, &a));
        in = a.clear ? NULL : &a;
        if (i % 2 == 0) hand_expect(&h, in, "vv ea 00 00", "vv 6a 01 00 vv 81");
        assert_int_equal(hand_deliver(&h, in, i % 2 == 0, 0x01).p[3], 1);
        p.silent = true;
        assert_int_equal(hand_deliver(&h, in, i % 2 == 0 ? 2 : 1, 0x02).n, 0);
        assert_int_equal(p.open.kind, SPDM_ASK_TRUST);
        expect_not_ready(in);
        assert_int_equal(p.closed_rs, 0);
        if (i < 8) hand_expect(&h, in, instead[i / 4], "vv 7f"); /* sealed as what came */
        else hand_expect(&h, &other, "vv 81 00 00", "vv 01");
        assert_int_equal(spdm_responder_deadline(p.rs), p.now);
        spdm_responder_push(p.rs, (struct spdm_span){0}, p.now);
        pair_events(&p);
        assert_int_equal(p.closed_rs, a.id);
        assert_int_equal(p.closed_why_rs.why, SPDM_WHY_HANDSHAKE_EXPIRED);
        p.silent = false;
        assert_true(hand_key_exchange(&h, &a));
        p.closed_rs = 0;
        if (i % 2 == 0) hand_prove(&h, &a, false);
        else assert_int_equal(hand_deliver(&h, a.clear ? NULL : &a, 0, 0x01).p[3], 1);
        if (i % 2 == 1) assert_int_equal(hand_deliver(&h, a.clear ? NULL : &a, 1, 0x02).p[1], 0x6b);
        assert_true(hand_finish_signed(&h, &a, false));
        assert_true(hand_agrees(&h, &a) && hand_agrees(&h, &other));
        hand_expect(&h, &other, "vv 81 00 00", "vv 01");
        assert_int_equal(p.closed_rs, 0);
        pair_close(&p);
    }
}

/* ---- one requester inside, who knows one identity at a time ---- */

/* Its proof is needed until FINISH: a goal of the responder's own has to wait, or FINISH would be checked against
 * somebody else's key, or none. */
static void test_goal_meanwhile(void **state)
{
    const struct spdm_goal identity = {.want = SPDM_WANT_IDENTITY};
    struct hand_session a, b;

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof versions; i++) {
        uint8_t message[512];

        prepare(versions[i / 2], 2, 2, i % 2 == 1);
        pair_start(&p);
        hand_connect(&h, &p);
        hand_chain(&h);
        assert_true(hand_key_exchange(&h, &a));
        hand_prove(&h, &a, false);
        assert_true(hand_finish_signed(&h, &a, false));
        assert_true(hand_key_exchange(&h, &b));
        hand_prove(&h, &b, false);
        assert_false(spdm_responder_ask(p.rs, a.id, &identity));
        assert_false(spdm_responder_ask(p.rs, 0, &identity));
        assert_true(hand_finish_signed(&h, &b, false));
        hand_expect(&h, &b, "vv ec 00 00", "vv 6c");
        p.silent = true; /* it takes its time to sign for a third one */
        b.clear = h.clear;
        assert_int_equal(hand_say(&h, NULL, spdm_span(message, hand_key_exchange_bytes(&h, &b, message))).n, 0);
        assert_false(spdm_responder_ask(p.rs, a.id, &identity));
        assert_false(spdm_responder_update(p.rs, a.id));
        p.silent = false;
        hand_expect(&h, NULL, "10 84 00 00", "10 04");
        pair_close(&p);
    }
}

/* A chain that was vouched for is not asked for, but DIGESTS is: it is what the flow begins with. */
static void test_vouched(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * sizeof versions; i++) {
        uint8_t digest[SPDM_HASH_MAX];
        struct pair turned;
        size_t n;

        prepare(versions[i / 2], 1, i % 2 == 0 ? 2 : 4, false);
        pair_start(&p);
        turned.identity = p.rq_identity;
        n = pair_digest(&turned, 2, SPDM_SHA_384, digest);
        spdm_responder_trust(p.rs, 2, spdm_span(digest, n), p.rq_trusted);
        p.rq_trusted = NULL; /* nobody is asked */
        assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_SESSION}));
        assert_int_not_equal(p.opened_rs, 0);
        digest[0] ^= 1; /* another chain than that: nobody's */
        spdm_responder_trust(p.rs, 2, spdm_span(digest, n), &p.rq_key);
        p.opened_rs = 0;
        spdm_requester_reset(p.rq);
        assert_false(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_SESSION}));
        assert_int_equal(p.opened_rs, 0);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_two_handshakes), cmocka_unit_test(test_unproven),
                                       cmocka_unit_test(test_finish_opaque),  cmocka_unit_test(test_unasked),
                                       cmocka_unit_test(test_put_off),        cmocka_unit_test(test_given_up),
                                       cmocka_unit_test(test_goal_meanwhile), cmocka_unit_test(test_vouched)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
