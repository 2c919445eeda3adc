/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Turned roles, and what they need: flows of the responder's own, KEY_UPDATE in
 * an envelope step by step, capabilities one by one, whose proof counts and how
 * long (R-KUP, R-MUT, R-ENC). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "core/mutual.h"
#include "support/hand.h"
#include "support/talk.h"

static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};
static const struct spdm_goal open_session = {.want = SPDM_WANT_SESSION};
static const struct spdm_goal challenge = {.want = SPDM_WANT_CHALLENGE};

static struct pair p;
static struct hand h;

static void prepare(uint8_t version, size_t sessions)
{
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    pair_sessions(&p, sessions);
}

static void reach(const struct spdm_goal *goal)
{
    char mine[300], theirs[300];

    if (pair_run(&p, goal)) return;
    spdm_report_text(&p.failure, mine, sizeof mine);
    spdm_report_text(&p.refused, theirs, sizeof theirs);
    fail_msg("requester: %s; responder: %s", mine, theirs);
}

/* ---- KEY_UPDATE in envelopes ---- */

static uint8_t tags[2];

/* The first step: UpdateKey is asked for; its tag goes to tags[0]. */
static void begin_update(struct hand_session *s, uint8_t id)
{
    struct spdm_span got;

    assert_true(spdm_responder_update(p.rs, s->id));
    assert_false(spdm_responder_update(p.rs, s->id)); /* one at a time */
    got = hand_talk(&h, s, "vv ea 00 00");
    assert_true(got.n == 8 && got.p[1] == 0x6a && got.p[2] == id && got.p[5] == 0xe9 && got.p[6] == 1);
    tags[0] = got.p[7];
}

/* An answer to it that is right: VerifyNewKey follows, under the new key; its tag goes to tags[1]. */
static void agree_to_update(struct hand_session *s, uint8_t id)
{
    uint8_t ack[] = {h.version, 0xeb, id, 0, h.version, 0x69, 1, tags[0]};
    size_t at = h.version < SPDM_V12 ? 4 : 8;
    struct spdm_span got;

    hand_update(&h, s, RESPONSE);
    got = hand_say(&h, s, spdm_span(ack, sizeof ack));
    assert_true(got.n == at + 4 && got.p[1] == 0x6b && got.p[2] == id + 1 && got.p[3] == 1);
    assert_true(got.p[at + 1] == 0xe9 && got.p[at + 2] == 3);
    tags[1] = got.p[at + 3];
    assert_int_not_equal(tags[0], tags[1]);
}

static void end_update(struct hand_session *s, uint8_t id)
{
    uint8_t ack[] = {h.version, 0xeb, id, 0, h.version, 0x69, 3, tags[1]};
    struct spdm_span got = hand_say(&h, s, spdm_span(ack, sizeof ack));

    assert_true(got.n == (h.version < SPDM_V12 ? 4u : 8u) && got.p[1] == 0x6b && got.p[3] == 0);
}

static void open_by_hand(uint8_t version, struct hand_session *s)
{
    prepare(version, 1);
    pair_mutual(&p);
    p.rsp_policy.heartbeat = 5;
    pair_start(&p);
    p.now += 100000000; /* a session in which nothing was heard would be over at once */
    hand_connect(&h, &p);
    assert_true(hand_key_exchange(&h, s) && hand_finish(&h, s));
}

/* Tags differ, of steps and of updates; one key is as old as the last update, and data has to wait for it. */
static void test_update(void **state)
{
    static const uint8_t data[] = "\x01moved", zeros[SPDM_HASH_MAX];
    struct hand_session s;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        uint8_t before = 0, first = 0;

        open_by_hand(versions[v], &s);
        for (uint8_t i = 0; i < 3; i++) {
            struct spdm_session_facts facts;

            begin_update(&s, (uint8_t)(3 * i + 1));
            if (i != 0) assert_true(tags[0] != before && tags[0] != first);
            first = tags[0];
            assert_false(spdm_responder_send(p.rs, s.id, spdm_span(data, sizeof data)));
            agree_to_update(&s, (uint8_t)(3 * i + 1));
            assert_false(spdm_responder_send(p.rs, s.id, spdm_span(data, sizeof data)));
            assert_false(spdm_session_find(&p.rs->c, s.id)->previous[RESPONSE].ready); /* nothing is kept of it */
            assert_memory_equal(spdm_session_find(&p.rs->c, s.id)->secrets.previous[RESPONSE], zeros, sizeof zeros);
            end_update(&s, (uint8_t)(3 * i + 2));
            before = tags[1];
            assert_true(spdm_responder_session(p.rs, s.id, &facts));
            assert_int_equal(facts.updates[1], i + 1);
            assert_int_equal(facts.updates[0], 0);
            hand_expect(&h, &s, "vv ea 00 00", versions[v] < SPDM_V13 ? "vv 7f 04 00" : "vv 7f 45 00");
            begin_update(&s, (uint8_t)(3 * i + 3)); /* refused: nothing has changed */
            {
                uint8_t refusal[] = {h.version, 0xeb, (uint8_t)(3 * i + 3), 0, h.version, 0x7f, 0x03, 0};

                assert_int_equal(hand_say(&h, &s, spdm_span(refusal, sizeof refusal)).p[1], 0x7f);
            }
            hand_expect(&h, &s, "vv 81 00 00", "vv 01");
        }
        pair_close(&p);
    }
}

/* An answer to either step that is not the one asked for ends the session: nobody knows which key the other has. */
static void test_update_answers(void **state)
{
    static const struct {
        const char *what;
        uint8_t code, operation, tag; /* XORed */
        uint8_t more;                 /* bytes behind */
        bool error;
    } rows[] = {{"another code", 0x69 ^ 0x6c, 0, 0, 0, false},
                {"another operation", 0, 2, 0, 0, false},
                {"another tag", 0, 0, 1, 0, false},
                {"too long", 0, 0, 0, 1, false},
                {"a long ERROR", 0, 0, 0, 4, true},
                {"DecryptError", 0, 0, 0, 0, true},
                {"Busy in the second step", 0, 0, 0, 0, true}};
    struct hand_session s;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        for (unsigned i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
            unsigned row = i / 2, step = i % 2;
            uint8_t answer[12] = {versions[v], 0xeb, (uint8_t)(1 + step), 0, versions[v]};
            struct spdm_span got;

            if (row == 6 && step == 0) continue;
            open_by_hand(versions[v], &s);
            begin_update(&s, 1);
            if (step == 1) agree_to_update(&s, 1);
            answer[5] = rows[row].error ? 0x7f : 0x69 ^ rows[row].code;
            answer[6] =
                rows[row].error ? (row == 5 ? 0x06 : 0x03) : (uint8_t)((step == 0 ? 1 : 3) ^ rows[row].operation);
            answer[7] = rows[row].error ? 0 : tags[step] ^ rows[row].tag;
            got = hand_say(&h, &s, spdm_span(answer, 8u + rows[row].more));
            if (got.n != 4 || got.p[1] != 0x7f || got.p[2] != 0x09 || p.closed_rs != s.id)
                fail_msg("1.%u, step %u: %s is believed", versions[v] & 15u, step, rows[row].what);
            p.closed_rs = 0;
            assert_true(hand_key_exchange(&h, &s) && hand_finish(&h, &s)); /* its place is free, and so is the flow */
            assert_true(spdm_responder_update(p.rs, s.id));
            pair_close(&p);
        }
    }
}

/* The capability of both sides is needed, whoever begins (R-KUP-01). */
static void test_update_not_offered(void **state)
{
    struct hand_session s;

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof versions; i++) {
        prepare(versions[i / 2], 1);
        (i % 2 == 0 ? &p.req_policy : &p.rsp_policy)->flags &= ~SPDM_KEY_UPD_CAP;
        pair_start(&p);
        hand_connect(&h, &p);
        assert_true(hand_key_exchange(&h, &s) && hand_finish(&h, &s));
        for (unsigned k = 1; k <= 3; k++) {
            uint8_t request[4] = {versions[i / 2], 0xe9, (uint8_t)k, 1};

            assert_true(talk_like(hand_say(&h, &s, spdm_span(request, 4)), h.version, "vv 7f 07 e9"));
        }
        hand_expect(&h, &s, "vv 81 00 00", "vv 01");
        pair_close(&p);
    }
}

/* ---- what a flow needs ---- */

/* Capabilities of both sides, and somebody inside who asks. */
static void test_nobody_to_ask(void **state)
{
    const struct spdm_goal identity = {.want = SPDM_WANT_IDENTITY};
    struct hand_session s;
    uint8_t digest[SPDM_HASH_MAX] = {0};

    (void)state;
    for (unsigned i = 0; i < 3 * sizeof versions; i++) {
        uint8_t version = versions[i / 3];

        prepare(version, 1);
        if (i % 3 == 0) pair_mutual(&p);
        if (i % 3 == 0) p.req_policy.flags &= ~(SPDM_ENCAP_CAP | SPDM_MUT_AUTH_CAP);
        if (i % 3 == 1) pair_mutual(&p);
        if (i % 3 == 1) p.rsp_policy.flags &= ~(SPDM_ENCAP_CAP | SPDM_MUT_AUTH_CAP);
        if (i % 3 == 2) p.req_policy.flags |= SPDM_ENCAP_CAP;
        if (i % 3 == 2) p.rsp_policy.flags |= SPDM_ENCAP_CAP;
        pair_start(&p);
        spdm_responder_trust(p.rs, 0, spdm_span(digest, 48), &p.key);
        hand_connect(&h, &p);
        assert_true(hand_key_exchange(&h, &s) && hand_finish(&h, &s));
        assert_false(spdm_responder_update(p.rs, s.id));
        assert_false(spdm_responder_ask(p.rs, s.id, &identity));
        for (unsigned inside = 0; inside < 2; inside++) {
            hand_expect(&h, inside ? &s : NULL, "vv ea 00 00", "vv 7f 07 ea");
            hand_expect(&h, inside ? &s : NULL, "vv eb 01 00 vv 01 00 01", "vv 7f 07 eb");
        }
        hand_expect(&h, &s, "vv 81 00 00", "vv 01");
        pair_close(&p);
    }
}

/* Basic mutual authentication is asked for if the requester can be challenged, and sign; and then nothing else is
 * answered until it has come (R-CHL-22, C7). */
static void test_basic(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * sizeof versions; i++) {
        struct spdm_span got;

        prepare(versions[i / 3], 1);
        pair_mutual(&p);
        p.rsp_policy.basic_mut_auth = true;
        if (i % 3 == 1) p.req_policy.flags &= ~SPDM_CHAL_CAP;
        if (i % 3 == 2) p.rsp_policy.req_signatures = NULL;
        pair_start(&p);
        hand_connect(&h, &p);
        hand_expect(&h, NULL, "vv 81 00 00", "vv 01");
        got = hand_talk(&h, NULL, "vv 83 00 00 nonce context");
        assert_true(got.n > 100 && got.p[1] == 0x03);
        assert_int_equal(got.p[2] & 0x80, i % 3 == 0 ? 0x80 : 0);
        hand_expect(&h, NULL, "vv 81 00 00", i % 3 == 0 ? "vv 7f 08 00" : "vv 01");
        if (i % 3 == 0) hand_expect(&h, NULL, "vv ea 00 00", "vv 6a 01 00 vv 81");
        hand_expect(&h, NULL, "vv 81 00 00", i % 3 == 0 ? "vv 7f 08 00" : "vv 01");
        pair_close(&p);
    }
}

/* In a session too: without an algorithm of its own a requester cannot sign. */
static void test_no_signature(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * sizeof versions; i++) {
        struct spdm_session_facts facts;

        prepare(versions[i / 3], 1);
        pair_mutual(&p);
        p.rsp_policy.mut_auth = (uint8_t)(1u << i % 3);
        p.rsp_policy.req_signatures = NULL;
        pair_start(&p);
        reach(&open_session);
        assert_true(spdm_responder_session(p.rs, p.opened_rs, &facts));
        assert_int_equal(facts.mut_auth, 0);
        assert_false(facts.proven);
        pair_close(&p);
    }
}

/* ---- whose proof counts ---- */

/* A proof counts until the next is asked for; that of a session is the session's. */
static void test_authentic(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v], 2);
        pair_mutual(&p);
        p.rsp_policy.basic_mut_auth = true;
        p.rsp_policy.mut_auth = 2;
        pair_start(&p);
        hand_connect(&h, &p);
        reach(&challenge);
        assert_true(spdm_responder_facts(p.rs)->authentic);
        reach(&open_session);
        assert_int_equal(p.signed_by_rq, 2);
        assert_true(spdm_responder_facts(p.rs)->authentic);
        assert_int_equal(hand_talk(&h, NULL, "vv 83 00 00 nonce context").p[2] & 0x80, 0x80);
        assert_false(spdm_responder_facts(p.rs)->authentic);
        pair_close(&p);
    }
}

/* ---- which chain ---- */

/* The requester's only chain is in slot 2: ACK and FINISH name that one, and nobody is taken at another's word. */
static void test_other_slot(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * sizeof versions; i++) {
        prepare(versions[i / 3], 1);
        pair_mutual(&p);
        p.rsp_policy.mut_auth = i % 3 == 0 ? 2 : 4;
        p.rsp_policy.flags |= i % 3 == 2 ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0;
        p.req_policy.flags |= i % 3 == 2 ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0;
        p.rq_identity.slot[0] = (struct spdm_slot){0};
        p.rsp_config.request_max = 256; /* of what is delivered nothing is kept, however long */
        pair_start(&p);
        reach(&open_session);
        assert_int_equal(p.signed_by_rq, 1);
        pair_close(&p);
    }
}

/* Between those who have several keys: two sessions at a time, of which each has a first DIGESTS; and DIGESTS that is
 * for no session. */
static void test_first_digests(void **state)
{
    (void)state;
    for (uint8_t version = SPDM_V13; version <= SPDM_V14; version++) {
        prepare(version, 2);
        pair_mutual(&p);
        p.rsp_policy.mut_auth = 2;
        p.rsp_policy.basic_mut_auth = true;
        p.req_policy.flags |= SPDM_MULTI_KEY_CAP_ONLY | SPDM_GET_KEY_PAIR_INFO_CAP;
        for (uint8_t i = 0; i <= 2; i = (uint8_t)(i + 2)) {
            p.rq_identity.slot[i].model = SPDM_CERT_DEVICE;
            p.rq_identity.slot[i].key_pair_id = (uint8_t)(1 + i);
            p.rq_identity.slot[i].usage = SPDM_USE_CHALLENGE | SPDM_USE_KEY_EX;
        }
        pair_start(&p);
        reach(&challenge);
        assert_true(spdm_requester_facts(p.rq)->multi_key_req);
        reach(&open_session);
        reach(&open_session);
        assert_int_equal(p.signed_by_rq, 3);
        pair_close(&p);
    }
}

/* FINISH that names another slot than we did, signed with the right key for all that (R-FIN-11); one that is signed
 * with another key, and confirmed for all that (R-FIN-08). */
static void test_finish(void **state)
{
    struct hand_session s;

    (void)state;
    for (unsigned i = 0; i < 3 * sizeof versions; i++) {
        const struct toy_key own = {.id = 77};

        prepare(versions[i / 3], 1);
        pair_mutual(&p);
        p.rsp_policy.mut_auth = 2;
        pair_start(&p);
        hand_connect(&h, &p);
        hand_chain(&h);
        assert_int_equal(p.rq_key.id, own.id);
        p.rq_trusted = &own;
        assert_true(hand_key_exchange(&h, &s));
        hand_prove(&h, &s, false);
        if (i % 3 == 0) h.finish_slot = 2;
        if (i % 3 == 1) p.rq_key.id = 78;
        assert_true(hand_finish_signed(&h, &s, false) == (i % 3 == 2));
        if (i % 3 == 0) assert_string_equal(p.refused.field, "SlotID R-FIN-11");
        if (i % 3 == 1) assert_string_equal(p.refused.field, "Signature R-FIN-08");
        if (i % 3 == 1) assert_int_equal(p.closed_rs, s.id);
        pair_close(&p);
    }
}

/* The chain that the caller is asked about is the requester's; and who takes long to prove himself in the clear is
 * heard all the while. */
static void test_taking_time(void **state)
{
    struct hand_session s;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v], 1);
        pair_mutual(&p);
        p.req_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        p.rsp_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        p.rsp_policy.mut_auth = 2;
        p.rsp_policy.handshake_time = 10;
        pair_start(&p);
        hand_connect(&h, &p);
        hand_chain(&h);
        assert_true(hand_key_exchange(&h, &s));
        hand_expect(&h, NULL, "vv ea 00 00", "vv 6a 01 00 vv 81");
        p.now += 9000000;
        assert_int_equal(hand_deliver(&h, NULL, 1, 0x01).p[1], 0x6b);
        p.now += 9000000;
        p.silent = true;
        assert_int_equal(hand_deliver(&h, NULL, 2, 0x02).n, 0);
        assert_int_equal(p.open.kind, SPDM_ASK_TRUST);
        assert_true(spdm_equal(p.open.data, spdm_span(h.chain, HAND_CHAIN)));
        assert_int_equal(p.open.slot, 0);
        assert_true(spdm_responder_answer(
            p.rs, &(struct spdm_answer){.ticket = p.open.ticket, .yes = true, .key = p.rq_trusted}));
        p.silent = false;
        assert_true(spdm_responder_pull(p.rs, p.now).n > 4);
        p.now += 9000000;
        assert_true(hand_finish_signed(&h, &s, false));
        assert_true(hand_agrees(&h, &s));
        pair_close(&p);
    }
}

/* ---- a requester's chain that is too long for the short form ---- */

/* ERROR DataTooLarge to an enveloped GET_CERTIFICATE: the large form is next (1.4), if the requester has it; else the
 * ERROR is the answer. */
static void test_long_chain(void **state)
{
    (void)state;
    for (unsigned large = 0; large < 2; large++) {
        struct hand_session s;
        struct spdm_span got;

        prepare(SPDM_V14, 1);
        pair_mutual(&p);
        if (large) p.req_policy.flags |= SPDM_LARGE_RESP_CAP;
        pair_start(&p);
        hand_connect(&h, &p);
        hand_chain(&h);
        assert_true(hand_key_exchange(&h, &s) && hand_finish(&h, &s));
        assert_true(spdm_responder_ask(p.rs, s.id, &(struct spdm_goal){.want = SPDM_WANT_IDENTITY}));
        hand_expect(&h, &s, "vv ea 00 00", "vv 6a 01 00 vv 81");
        got = hand_deliver(&h, &s, 1, 0x01);
        assert_true(got.n == 8 + 8 && got.p[9] == 0x82);
        got = hand_talk(&h, &s, "vv eb 02 00 vv 7f 12 00 00000200");
        if (large) assert_true(got.n == 8 + 16 && got.p[9] == 0x82 && (got.p[10] & 0x80) != 0);
        else assert_true(got.n == 8 && got.p[1] == 0x6b && got.p[3] == 0);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_update),
                                       cmocka_unit_test(test_update_answers),
                                       cmocka_unit_test(test_update_not_offered),
                                       cmocka_unit_test(test_nobody_to_ask),
                                       cmocka_unit_test(test_basic),
                                       cmocka_unit_test(test_no_signature),
                                       cmocka_unit_test(test_authentic),
                                       cmocka_unit_test(test_other_slot),
                                       cmocka_unit_test(test_first_digests),
                                       cmocka_unit_test(test_finish),
                                       cmocka_unit_test(test_taking_time),
                                       cmocka_unit_test(test_long_chain)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
