/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Policies for other texts and profiles: RequestResynch that stays (withstand
 * 112), sizes as 1.2.1 has them (withstand 54). Off, they change nothing: that
 * is core/responder_state, core/responder_table and core/requester_judge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/hand.h"
#include "support/talk.h"

static struct pair p;

/* What is out of order in each phase gets RequestResynch, and so does what would be in order, until GET_VERSION. */
static void test_resynch(void **state)
{
    static const struct {
        char phase;
        const char *request, *after;
    } rows[] = {
        {'V', "vv 81 00 00", "vv e1 00 00 caps"},  {'V', "vv e3 00 00 offer", "vv e1 00 00 caps"},
        {'C', "vv 81 00 00", "vv e3 00 00 offer"}, {'C', "vv 83 00 00 nonce context", "vv e3 00 00 offer"},
        {'N', "vv e3 00 00 big", "vv 81 00 00"},   {'N', "vv e1 00 00 caps", "vv 81 00 00"},
    };

    (void)state;
    for (uint8_t v = SPDM_V10; v <= SPDM_V14; v++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            const char *resynch = rows[i].phase == 'V' ? "10 7f 43 00" : "vv 7f 43 00";

            pair_init(&p);
            p.rsp_policy.resynch_out_of_order = true;
            pair_start(&p);
            talk_phase(&p, v, rows[i].phase);
            talk_expect(&p, v, rows[i].request, resynch);
            talk_expect(&p, v, rows[i].after, resynch);
            talk_expect(&p, v, rows[i].request, resynch);
            talk_phase(&p, v, 'N');
            talk_expect(&p, v, "vv 81 00 00", "vv 01");
            pair_close(&p);
        }
    }
}

/* In a session order is the session's: nothing is thrown away. */
static void test_inside(void **state)
{
    struct hand h;
    struct hand_session s = {0};

    (void)state;
    for (uint8_t v = SPDM_V11; v <= SPDM_V14; v++) {
        pair_init(&p);
        pair_sessions(&p, 2);
        memcpy(p.req_policy.versions, (uint8_t[]){v, 0}, 2);
        p.rsp_policy.resynch_out_of_order = true;
        pair_start(&p);
        hand_connect(&h, &p);
        assert_true(hand_key_exchange(&h, &s));
        assert_true(hand_finish(&h, &s));
        hand_expect(&h, &s, "vv e3 00 00 offer", "vv 7f 04 00");
        hand_expect(&h, NULL, "vv e3 00 00 offer", "vv 7f 43 00");
        pair_close(&p);
        memset(&s, 0, sizeof s);
    }
}

static void test_after_session(void **state)
{
    static const struct spdm_goal open_session = {.want = SPDM_WANT_SESSION};

    (void)state;
    pair_init(&p);
    pair_sessions(&p, 2);
    p.rsp_policy.resynch_out_of_order = true;
    pair_start(&p);
    assert_true(pair_run(&p, &open_session));
    assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_END_SESSION, .session = p.opened_rq}));
    talk_expect(&p, SPDM_V14, "vv e3 00 00 offer", "vv 7f 43 00");
    talk_expect(&p, SPDM_V14, "vv 81 00 00", "vv 7f 43 00");
    spdm_requester_reset(p.rq);
    assert_true(pair_run(&p, &open_session));
    pair_close(&p);
}

/* MaxSPDMmsgSize of a device without CHUNK_CAP, one byte more than DataTransferSize. */
static size_t larger(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)pair;
    if (!to_responder && frame[2] == 0x61) frame[1 + 16]++;
    return n;
}

static void test_sizes(void **state)
{
    (void)state;
    for (uint8_t v = SPDM_V12; v <= SPDM_V14; v++) {
        for (unsigned on = 0; on < 2; on++) {
            pair_init(&p);
            p.req_policy.unequal_sizes = p.rsp_policy.unequal_sizes = on != 0;
            memcpy(p.req_policy.versions, (uint8_t[]){v, 0}, 2);
            pair_start(&p);
            talk_phase(&p, v, 'V');
            talk_expect(&p, v, "vv e1 00 00 00 00 00 00 00000000 00100000 01100000", on ? "vv 61" : "vv 7f 01 00");
            if (on) assert_int_equal(spdm_responder_facts(p.rs)->requester.max_message_size, 0x1000);
            talk_phase(&p, v, 'V');
            talk_expect(&p, v, "vv e1 00 00 00 00 00 00 00000000 01100000 00100000", "vv 7f 01 00"); /* never less */
            p.wire = larger;
            assert_int_equal(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}), on);
            if (!on) assert_int_equal(p.failure.why, SPDM_WHY_BAD_LENGTH);
            else
                assert_int_equal(spdm_requester_facts(p.rq)->responder.max_message_size,
                                 spdm_requester_facts(p.rq)->responder.data_transfer_size);
            pair_close(&p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_resynch), cmocka_unit_test(test_inside),
                                       cmocka_unit_test(test_after_session), cmocka_unit_test(test_sizes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
