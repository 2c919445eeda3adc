/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A requester that is asked: KEY_UPDATE in envelopes from a device that keeps to
 * no rule, requests that are for another time, its own slot, its own caller who
 * does not sign (R-KUP, R-MUT, R-ENC). Somebody on the wire has all keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/liar.h"

static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};
static const struct spdm_goal open_session = {.want = SPDM_WANT_SESSION};

static struct pair p;
static struct liar liar;

/* What an envelope of the device's becomes, the one with this number; and what has been delivered since. */
static struct {
    unsigned number; /* from 1; 0: none is changed */
    uint8_t inner[40];
    size_t n;
    unsigned seen;
    bool changed;
    uint8_t answer[4];
} envelope;

/* SlotIDParam of KEY_EXCHANGE_RSP, if that is changed, and MutAuthRequested with it. */
static struct {
    bool changed;
    uint8_t mut_auth, slot;
} offer;

static size_t lying(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    struct spdm_span m = liar_open(&liar, to_responder, (struct spdm_span){frame, n});
    size_t head;

    (void)pair;
    if (m.n < 4) return n;
    if (to_responder) {
        if (m.p[1] == 0xeb && envelope.changed && envelope.answer[1] == 0) memcpy(envelope.answer, m.p + 4, 4);
        return n;
    }
    if (m.p[1] == 0x64 && offer.changed) {
        liar.message[6] = offer.mut_auth;
        liar.message[7] = offer.slot;
        return liar_seal(&liar, m, frame);
    }
    if (m.p[1] != 0x6a && (m.p[1] != 0x6b || m.p[3] != 1)) return n;
    if (++envelope.seen != envelope.number) return n;
    head = m.p[1] == 0x6a || m.p[0] < SPDM_V12 ? 4 : 8;
    envelope.changed = true;
    memcpy(liar.message + head, envelope.inner, envelope.n);
    return liar_seal(&liar, (struct spdm_span){liar.message, head + envelope.n}, frame);
}

static void put(unsigned number, uint8_t code, uint8_t param1, size_t n)
{
    memset(&envelope, 0, sizeof envelope);
    envelope.number = number;
    envelope.inner[0] = p.req_policy.versions[0];
    envelope.inner[1] = code;
    envelope.inner[2] = param1;
    envelope.n = n;
}

static void prepare(uint8_t version)
{
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    pair_sessions(&p, 1);
    pair_mutual(&p);
    liar_listen(&liar, &p);
    memset(&envelope, 0, sizeof envelope);
    memset(&offer, 0, sizeof offer);
    p.wire = lying;
}

static void reach(const struct spdm_goal *goal)
{
    char mine[300], theirs[300];

    if (pair_run(&p, goal)) return;
    spdm_report_text(&p.failure, mine, sizeof mine);
    spdm_report_text(&p.refused, theirs, sizeof theirs);
    fail_msg("requester: %s; responder: %s", mine, theirs);
}

/* ---- KEY_UPDATE ---- */

/* Only UpdateKey may begin, and only VerifyNewKey follow (R-KUP-12); nothing else is done that comes in its place. What
 * is refused changes no key. */
static void test_update(void **state)
{
    static const struct {
        unsigned number;
        uint8_t code, operation;
        size_t n;
        uint8_t error;
        unsigned updates;
    } rows[] = {{1, 0xe9, 3, 4, 0x01, 0}, {1, 0xe9, 2, 4, 0x01, 0}, {1, 0xe9, 0, 4, 0x01, 0},
                {1, 0xe9, 4, 4, 0x01, 0}, {1, 0xe9, 1, 5, 0x04, 0}, {1, 0xe8, 1, 4, 0x04, 0},
                {1, 0xec, 1, 5, 0x04, 0}, {1, 0xe4, 1, 4, 0x04, 0}, {1, 0x83, 1, 37, 0x04, 0},
                {2, 0xe9, 1, 4, 0x01, 1}, {2, 0xe9, 2, 4, 0x01, 1}, {2, 0xe8, 3, 4, 0x04, 1}};
    struct spdm_goal poll = {.want = SPDM_WANT_POLL};

    (void)state;
    for (size_t i = 0; i < sizeof versions * (sizeof rows / sizeof *rows); i++) {
        size_t row = i / sizeof versions;
        struct spdm_session_facts facts;

        prepare(versions[i % sizeof versions]);
        pair_start(&p);
        reach(&open_session);
        poll.session = p.opened_rq;
        put(rows[row].number, rows[row].code, rows[row].operation, rows[row].n);
        assert_true(spdm_responder_update(p.rs, p.opened_rs));
        (void)pair_run(&p, &poll);
        assert_true(envelope.changed);
        if (envelope.answer[0] != versions[i % 4] || envelope.answer[1] != 0x7f ||
            envelope.answer[2] != rows[row].error || envelope.answer[3] != 0)
            fail_msg("row %zu: %02x %02x %02x %02x", row, envelope.answer[0], envelope.answer[1], envelope.answer[2],
                     envelope.answer[3]);
        if (spdm_requester_session(p.rq, p.opened_rq, &facts)) assert_int_equal(facts.updates[1], rows[row].updates);
        pair_close(&p);
    }
}

/* Outside there is no key to be updated. */
static void test_update_outside(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v]);
        pair_start(&p);
        reach(&(struct spdm_goal){.want = SPDM_WANT_CONNECT});
        assert_true(spdm_responder_ask(p.rs, 0, &(struct spdm_goal){.want = SPDM_WANT_IDENTITY}));
        put(1, 0xe9, 1, 4);
        (void)pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_POLL});
        assert_true(envelope.changed && envelope.answer[1] == 0x7f && envelope.answer[2] == 0x04);
        pair_close(&p);
    }
}

/* Who has no chain at all can be asked for new keys. */
static void test_nobody(void **state)
{
    struct spdm_goal poll = {.want = SPDM_WANT_POLL};
    struct spdm_session_facts facts;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v]);
        p.rq_identity.slot[0] = p.rq_identity.slot[2] = (struct spdm_slot){0};
        pair_start(&p);
        reach(&open_session);
        poll.session = p.opened_rq;
        assert_true(spdm_responder_update(p.rs, p.opened_rs));
        reach(&poll);
        assert_true(spdm_requester_session(p.rq, p.opened_rq, &facts));
        assert_int_equal(facts.updates[1], 1);
        pair_close(&p);
    }
}

/* What a device may ask at other times it may not ask in a handshake (R-MUT-04). */
static void test_other_times(void **state)
{
    static const uint8_t codes[] = {0x87, 0xe2, 0xf0, 0xf1, 0xe9};

    (void)state;
    for (unsigned i = 0; i < 4 * sizeof codes; i++) {
        prepare(i % 2 == 0 ? SPDM_V13 : SPDM_V14);
        p.rsp_policy.mut_auth = i / 2 % 2 == 0 ? 2 : 4;
        pair_start(&p);
        put(1, codes[i / 4], 1, 8);
        assert_false(pair_run(&p, &open_session));
        assert_true(envelope.changed);
        assert_int_equal(p.failure.why, SPDM_WHY_NOT_NOW);
        assert_int_equal(p.opened_rq | p.opened_rs, 0);
        pair_close(&p);
    }
}

/* ---- the requester's proof ---- */

/* The device names a slot in which there is nothing, or no slot (R-KEX-31), and had it signed: nobody is asked to sign.
 */
static void test_slot_without_chain(void **state)
{
    static const uint8_t slots[] = {1, 5, 7, 8, 14, 15};

    (void)state;
    for (size_t i = 0; i < sizeof slots * sizeof versions; i++) {
        prepare(versions[i % sizeof versions]);
        p.req_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        p.rsp_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        pair_start(&p);
        offer.changed = true;
        offer.mut_auth = 1;
        offer.slot = slots[i / sizeof versions];
        p.toy.accept_all = true;
        assert_false(pair_run(&p, &open_session));
        assert_int_equal(p.failure.why, SPDM_WHY_BAD_SLOT);
        assert_string_equal(p.failure.field, "SlotIDParam R-KEX-31");
        assert_int_equal(p.signed_by_rq, 0);
        pair_close(&p);
    }
}

/* Without an algorithm for it there is no signature, whoever asks. */
static void test_no_algorithm(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3 * sizeof versions; i++) {
        prepare(versions[i / 3]);
        p.req_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        p.rsp_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        p.rsp_policy.req_signatures = NULL;
        pair_start(&p);
        offer.changed = true;
        offer.mut_auth = (uint8_t)(1u << i % 3);
        p.toy.accept_all = true;
        assert_false(pair_run(&p, &open_session));
        assert_int_equal(p.failure.why, SPDM_WHY_CANNOT);
        assert_int_equal(p.signed_by_rq, 0);
        pair_close(&p);
    }
}

/* Its own caller signs nothing, or too little: no FINISH is sent, and the next session can be opened. */
static void test_no_signature(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * sizeof versions; i++) {
        prepare(versions[i / 2]);
        p.rsp_policy.mut_auth = 4;
        p.rq_identity.slot[0] = (struct spdm_slot){0};
        pair_start(&p);
        p.rq_refuses = i % 2 == 0;
        p.signature_less = i % 2;
        assert_false(pair_run(&p, &open_session));
        assert_int_equal(p.failure.why, SPDM_WHY_SIGN_FAILED);
        assert_int_equal(p.failure.code, 0xe5);
        assert_int_equal(p.refused.why, SPDM_WHY_FINE);
        assert_int_equal(p.signed_by_rq, 1);
        assert_int_equal(p.signed_slot, 2);
        p.rq_refuses = false;
        p.signature_less = 0;
        spdm_requester_reset(p.rq);
        reach(&open_session);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_update),
                                       cmocka_unit_test(test_update_outside),
                                       cmocka_unit_test(test_nobody),
                                       cmocka_unit_test(test_other_times),
                                       cmocka_unit_test(test_slot_without_chain),
                                       cmocka_unit_test(test_no_algorithm),
                                       cmocka_unit_test(test_no_signature)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
