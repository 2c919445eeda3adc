/* SPDX-License-Identifier: BSD-3-Clause
 *
 * GET_ENDPOINT_INFO that a responder asks of its requester. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/pair.h"

/* PCI-SIG's class with one part */
static const uint8_t classes[] = "\1\0\0\0\7\3\2\x86\x80\1\1\xaa";
enum { CLASSES = sizeof classes - 1 };

static struct pair p;

static void answer(struct pair *pair, const struct spdm_event *ev, struct spdm_answer *a)
{
    (void)pair;
    assert_int_equal(ev->kind, SPDM_ASK_ENDPOINT);
    a->yes = true;
    a->data = (struct spdm_span){classes, CLASSES};
}

static void begin(uint8_t version)
{
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    p.errand = answer;
}

static void begin_turned(uint8_t version)
{
    begin(version);
    pair_sessions(&p, 1);
    pair_mutual(&p);
    p.req_policy.flags |= SPDM_EP_INFO_CAP_SIGNED;
    p.rq_turned.services = &spdm_serve_turned;
    p.errand_rq = answer;
}

static bool asked(bool sign, uint32_t session)
{
    static union spdm_order order;
    struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_endpoint, .order = &order};

    order.endpoint = (struct spdm_endpoint_order){.sub_code = SPDM_ENDPOINT_DEVICE_CLASS, .sign = sign};
    p.replies_rs = p.done_rs = 0;
    p.reply_n = 0;
    p.refused = (struct spdm_report){0};
    return spdm_responder_ask(p.rs, session, &goal);
}

static void test_turned(void **state)
{
    struct spdm_goal poll = {.want = SPDM_WANT_POLL}, open = {.want = SPDM_WANT_SESSION};

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        bool sign = (i & 1) != 0, inside = (i & 2) != 0;

        begin_turned(i & 4 ? SPDM_V13 : SPDM_V14);
        pair_start(&p);
        assert_false(asked(sign, 0)); /* nothing is negotiated */
        assert_true(pair_run(&p, &open));
        assert_false(asked(sign, 12345));
        poll.session = inside ? p.opened_rq : 0;
        assert_true(pair_run(&p, &poll)); /* nothing pending */
        assert_true(asked(sign, inside ? p.opened_rs : 0));
        assert_false(asked(sign, 0)); /* one at a time */
        if (inside) {                 /* it belongs to its session */
            assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_POLL}));
            assert_int_equal(p.replies_rs, 0);
            assert_int_equal(p.refused.why, SPDM_WHY_NO_PENDING);
            p.refused = (struct spdm_report){0};
        }
        assert_true(pair_run(&p, &poll));
        assert_int_equal(p.replies_rs, 1);
        assert_int_equal(p.done_rs, 1);
        assert_int_equal(p.reply_n, CLASSES);
        assert_memory_equal(p.reply, classes, CLASSES);
        assert_int_equal(p.reply_proven, sign);
        assert_int_equal(p.signed_by_rq, sign);
        assert_int_equal(p.refused.why, SPDM_WHY_FINE);
        assert_int_equal(p.closed_rs, 0);
        assert_true(asked(sign, inside ? p.opened_rs : 0)); /* and again */
        assert_true(pair_run(&p, &poll));
        assert_int_equal(p.done_rs, 1);
        pair_close(&p);
    }
}

/* A requester that answers nothing of the kind says so; that is no reason to end a session. */
static void test_turned_refused(void **state)
{
    struct spdm_goal poll = {.want = SPDM_WANT_POLL};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        begin_turned(SPDM_V14);
        if (i == 0) p.rq_turned.services = &spdm_serve_identity;
        if (i == 1) p.errand_rq = NULL;
        if (i == 2) p.rq_trusted = NULL; /* the chain is not believed */
        pair_start(&p);
        assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_SESSION}));
        poll.session = p.opened_rq;
        assert_true(asked(i == 2, p.opened_rs));
        assert_int_equal(pair_run(&p, &poll), i != 2);
        assert_int_equal(p.replies_rs, 0);
        assert_int_equal(p.done_rs, 0);
        if (i == 0) assert_int_equal(p.refused.error, 0x07);
        if (i == 1) assert_int_equal(p.refused.error, SPDM_ERROR_OPERATION_FAILED);
        if (i == 2) assert_int_equal(p.refused.why, SPDM_WHY_BAD_ENCAPSULATED);
        assert_int_equal(p.closed_rs != 0, i == 2);
        pair_close(&p);
    }
}

/* Turning the roles needs ENCAP_CAP, not MUT_AUTH_CAP (withstand 88). */
static void test_turned_alone(void **state)
{
    struct spdm_goal poll = {.want = SPDM_WANT_POLL}, open = {.want = SPDM_WANT_SESSION};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        begin_turned(i & 1 ? SPDM_V13 : SPDM_V14);
        p.req_policy.flags &= ~(uint32_t)SPDM_MUT_AUTH_CAP;
        p.rsp_policy.flags &= ~(uint32_t)SPDM_MUT_AUTH_CAP;
        pair_start(&p);
        assert_true(pair_run(&p, &open));
        poll.session = i & 2 ? p.opened_rq : 0;
        assert_true(asked(false, i & 2 ? p.opened_rs : 0));
        assert_true(pair_run(&p, &poll));
        assert_int_equal(p.done_rs, 1);
        assert_int_equal(p.reply_n, CLASSES);
        assert_int_equal(p.closed_rs, 0);
        pair_close(&p);
    }
}

/* Who is not asked by a responder of this kind, or cannot be. */
static void test_turned_cannot(void **state)
{
    (void)state;
    begin_turned(SPDM_V14);
    p.req_policy.flags &= ~(uint32_t)SPDM_EP_INFO_CAP_MASK;
    pair_start(&p);
    assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}));
    assert_false(asked(false, 0));
    pair_close(&p);
    begin(SPDM_V14);
    pair_start(&p);
    assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}));
    assert_false(asked(false, 0));
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_turned), cmocka_unit_test(test_turned_refused),
                                       cmocka_unit_test(test_turned_alone), cmocka_unit_test(test_turned_cannot)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
