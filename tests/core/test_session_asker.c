/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A requester in its sessions: which answers to KEY_UPDATE it takes, what it
 * says and when, and MutAuthRequested that it cannot follow (R-KUP, R-HBT,
 * R-END, R-MUT, R-KEX). Somebody on the wire has all keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/liar.h"

enum { LAST = 0xffff };
#define SECOND UINT64_C(1000000)

static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};
static const struct spdm_goal open_session = {.want = SPDM_WANT_SESSION};
static const struct spdm_goal open_psk = {.want = SPDM_WANT_PSK_SESSION, .psk_hint = {(const uint8_t *)"hint", 4}};

static struct pair p;
static struct liar liar;

/* What is done to a message with a code, and what was seen of such messages. */
static struct {
    uint8_t code;
    bool to_responder;
    size_t at; /* byte, counted from 1, or LAST; 0: none is changed */
    uint8_t value;
    bool flip; /* it is XORed in */
    unsigned seen, passed;
    uint8_t bytes[64][8];
} lie;

static size_t lying(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    struct spdm_span m;

    if (lie.code == 0 || to_responder != lie.to_responder) return n;
    m = liar_open(&liar, to_responder, (struct spdm_span){frame, n});
    if (m.n < 4 || m.p[1] != lie.code) return n;
    memcpy(lie.bytes[lie.seen++ % 64], m.p, m.n < 8 ? m.n : 8);
    lie.passed = pair->passed;
    if (lie.at == 0) return n;
    if (lie.at == LAST) lie.at = m.n;
    liar.message[lie.at - 1] = (uint8_t)(lie.flip ? liar.message[lie.at - 1] ^ lie.value : lie.value);
    return liar_seal(&liar, m, frame);
}

static void listen_to(uint8_t code, bool to_responder)
{
    memset(&lie, 0, sizeof lie);
    lie.code = code;
    lie.to_responder = to_responder;
}

static void prepare(uint8_t version, size_t sessions)
{
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    pair_sessions(&p, sessions);
    liar_listen(&liar, &p);
    listen_to(0, false);
    p.wire = lying;
}

static void reach(const struct spdm_goal *goal)
{
    char mine[300];

    if (pair_run(&p, goal)) return;
    spdm_report_text(&p.failure, mine, sizeof mine);
    fail_msg("%s", mine);
}

static bool rq_alive(uint32_t id)
{
    struct spdm_session_facts facts;

    return spdm_requester_session(p.rq, id, &facts);
}

/* ---- KEY_UPDATE ---- */

/* KEY_UPDATE_ACK repeats operation and tag (R-KUP-05), of each of the two messages. */
static void test_ack(void **state)
{
    struct spdm_goal update = {.want = SPDM_WANT_KEY_UPDATE};

    (void)state;
    for (unsigned i = 0; i < 4 * sizeof versions; i++) {
        bool tag = i % 2 == 1;

        prepare(versions[i / 4], 1);
        pair_start(&p);
        reach(&open_session);
        update.session = p.opened_rq;
        update.update = (uint8_t)(1 + i / 2 % 2);
        listen_to(0x69, false);
        lie.at = tag ? 4 : 3;
        lie.value = tag ? 0x80 : 3 ^ update.update; /* VerifyNewKey */
        lie.flip = true;
        assert_false(pair_run(&p, &update));
        assert_int_equal(lie.seen, 1);
        assert_int_equal(p.failure.why, SPDM_WHY_MISMATCH);
        assert_string_equal(p.failure.field, tag ? "Tag R-KUP-05" : "KeyOperation R-KUP-05");
        pair_close(&p);
    }
}

static unsigned logged[2]; /* secrets of data, by direction */

static void count_secret(void *ctx, const struct spdm_keylog *entry)
{
    (void)ctx;
    if (strstr(entry->label, "app data") != NULL) logged[entry->label[1] == 's']++;
}

/* Each message has a tag of its own, and no key is made that nobody asked for. */
static void test_tags(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * sizeof versions; i++) {
        struct spdm_goal update = {.want = SPDM_WANT_KEY_UPDATE, .update = (uint8_t)(1 + i % 2)};

        prepare(versions[i / 2], 1);
        p.req_config.keylog = count_secret;
        p.wire = NULL;
        pair_start(&p);
        memset(logged, 0, sizeof logged);
        reach(&open_session);
        assert_true(logged[0] == 1 && logged[1] == 1);
        update.session = p.opened_rq;
        reach(&update);
        assert_int_equal(logged[0], 2);
        assert_int_equal(logged[1], update.update);
        pair_close(&p);
        prepare(versions[i / 2], 1);
        pair_start(&p);
        reach(&open_session);
        update.session = p.opened_rq;
        listen_to(0xe9, true);
        for (unsigned k = 0; k < 3; k++) reach(&update);
        assert_int_equal(lie.seen, 6);
        for (unsigned k = 1; k < 6; k++) assert_int_not_equal(lie.bytes[k][3], lie.bytes[k - 1][3]);
        pair_close(&p);
    }
}

static bool rs_alive(uint32_t id)
{
    struct spdm_session_facts facts;

    return spdm_responder_session(p.rs, id, &facts);
}

/* One call of the crypto library fails, at either end: a session that both still have can be used, for a failure
 * changes no key (R-KUP-14); and an update that was reported as done is done. */
static void test_failing_update(void **state)
{
    unsigned done = 0, alive = 0, dead = 0;

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof versions; i++) {
        bool failed = true;

        for (long call = 1; failed; call++) {
            struct spdm_goal update = {.want = SPDM_WANT_KEY_UPDATE, .update = (uint8_t)(1 + i % 2)};
            struct spdm_goal measure = {.want = SPDM_WANT_MEASUREMENTS};
            bool ok;

            prepare(versions[i / 2], 1);
            p.wire = NULL;
            pair_start(&p);
            reach(&open_session);
            update.session = measure.session = p.opened_rq;
            p.toy.fail_at = p.toy.calls + call;
            ok = pair_run(&p, &update);
            failed = p.toy.calls >= p.toy.fail_at;
            p.toy.fail_at = 0;
            done += ok;
            if (ok && !pair_run(&p, &measure))
                fail_msg("operation %u, call %ld: done, and it is not", update.update, call);
            if (!ok && p.failure.why == SPDM_WHY_FINE)
                fail_msg("operation %u, call %ld: no reason", update.update, call);
            if (!ok && rq_alive(p.opened_rq) && rs_alive(p.opened_rs)) {
                if (!pair_run(&p, &measure)) fail_msg("operation %u, call %ld: lost", update.update, call);
                alive++;
            } else if (!ok) {
                if (p.toy.cipher_failed == 0 && p.failure.why != SPDM_WHY_CRYPTO_FAILED)
                    fail_msg("operation %u, call %ld: ended", update.update, call);
                dead++;
            }
            pair_close(&p);
        }
    }
    print_message("%u done, %u refused, %u sessions ended\n", done, alive, dead);
    assert_true(done >= 2 * sizeof versions && alive > 2 * sizeof versions);
}

/* ---- heartbeat, end ---- */

/* While an answer is due no HEARTBEAT takes its place, however silent the session has been. */
static void test_no_heartbeat_between(void **state)
{
    struct spdm_goal measure = {.want = SPDM_WANT_MEASUREMENTS, .sign = true};

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v], 1);
        p.rsp_policy.heartbeat = 2;
        p.sign_delay = 1500000;
        p.rsp_policy.ct_exponent = 24; /* the device may take that long */
        pair_start(&p);
        reach(&open_session);
        measure.session = p.opened_rq;
        listen_to(0xe8, true);
        reach(&measure);
        assert_true(p.proven);
        assert_true(rq_alive(p.opened_rq));
        pair_settle(&p, p.now + 3 * SECOND);
        assert_int_not_equal(lie.seen, 0); /* it goes on afterwards */
        assert_true(rq_alive(p.opened_rq));
        pair_close(&p);
    }
}

/* NegotiatedStateClear is said if it is wanted and there is a state that could be kept (R-END-02). */
static void test_clear_state(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4 * sizeof versions; i++) {
        bool wanted = i % 2 == 1, cached = i / 2 % 2 == 1;
        struct spdm_goal end = {.want = SPDM_WANT_END_SESSION, .clear_state = wanted};

        prepare(versions[i / 4], 1);
        if (cached) p.rsp_policy.flags |= SPDM_CACHE_CAP;
        pair_start(&p);
        reach(&open_session);
        end.session = p.opened_rq;
        listen_to(0xec, true);
        reach(&end);
        assert_int_equal(lie.seen, 1);
        assert_int_equal(lie.bytes[0][2], wanted && cached);
        pair_close(&p);
    }
}

/* ---- what KEY_EXCHANGE_RSP may ask for ---- */

/* MUT_AUTH_CAP of one side is none (R-KEX-33), nor is it where nobody could answer, whoever signed it. */
static void test_mut_auth_of_one(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * sizeof versions; i++) {
        prepare(versions[i / 3], 1);
        pair_mutual(&p);
        p.req_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        p.rsp_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        if (i % 3 == 0) p.req_policy.flags &= ~SPDM_MUT_AUTH_CAP;
        if (i % 3 == 1) p.rsp_policy.flags &= ~SPDM_MUT_AUTH_CAP;
        if (i % 3 == 2) p.req_config.mutual = NULL;
        pair_start(&p);
        listen_to(0x64, false);
        lie.at = 7;
        lie.value = 1;
        p.toy.accept_all = true;
        assert_false(pair_run(&p, &open_session));
        assert_int_equal(lie.seen, 1);
        assert_int_equal(p.failure.why, SPDM_WHY_BAD_VALUE);
        assert_string_equal(p.failure.field, "MutAuthRequested R-KEX-33");
        assert_int_equal(p.opened_rq, 0);
        pair_close(&p);
    }
}

/* Who proves nothing gets no proof: ResponderVerifyData is wrong, and the requester signs nothing and says nothing
 * more.
 */
static void test_no_proof_for_nothing(void **state)
{
    static struct pair turned;

    (void)state;
    for (unsigned i = 0; i < 3 * sizeof versions; i++) {
        for (unsigned honest = 0; honest < 2; honest++) {
            uint8_t digest[SPDM_HASH_MAX];
            size_t n;

            prepare(versions[i / 3], 1);
            pair_mutual(&p);
            p.rsp_policy.mut_auth = (uint8_t)(1u << i % 3);
            pair_start(&p);
            turned.identity = p.rq_identity;
            n = pair_digest(&turned, 0, SPDM_SHA_384, digest);
            spdm_responder_trust(p.rs, 0, (struct spdm_span){digest, n}, &p.rq_key);
            listen_to(0x64, false);
            lie.at = honest ? 0 : LAST;
            lie.value = 1;
            lie.flip = true;
            assert_true(pair_run(&p, &open_session) == (honest != 0));
            assert_int_equal(lie.seen, 1);
            assert_int_equal(p.signed_by_rq, honest);
            if (!honest) assert_int_equal(p.failure.why, SPDM_WHY_BAD_VERIFY_DATA);
            assert_true((p.passed <= lie.passed + 1) == !honest);
            pair_close(&p);
        }
    }
}

/* ---- PSK ---- */

/* The halves of ids that are ours count down, and the hint is the caller's. */
static void test_psk(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v], 2);
        pair_start(&p);
        reach(&open_psk);
        assert_int_equal(p.opened_rq & 0xffff, 0xffff);
        reach(&open_psk);
        assert_int_equal(p.opened_rq & 0xffff, 0xfffe);
        p.silent = true;
        p.open.kind = SPDM_NOTHING;
        pair_ask(&p, &(struct spdm_goal){.want = SPDM_WANT_END_SESSION, .session = p.opened_rq});
        assert_true(pair_go_on(&p));
        pair_ask(&p, &open_psk);
        pair_settle(&p, p.now);
        assert_int_equal(p.open.kind, SPDM_ASK_PSK);
        assert_int_equal(p.open.data.n, 4);
        assert_memory_equal(p.open.data.p, "hint", 4);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ack),
                                       cmocka_unit_test(test_tags),
                                       cmocka_unit_test(test_failing_update),
                                       cmocka_unit_test(test_no_heartbeat_between),
                                       cmocka_unit_test(test_clear_state),
                                       cmocka_unit_test(test_mut_auth_of_one),
                                       cmocka_unit_test(test_no_proof_for_nothing),
                                       cmocka_unit_test(test_psk)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
