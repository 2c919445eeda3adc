/* SPDX-License-Identifier: BSD-3-Clause
 *
 * CACHE_CAP (withstand 38): what was negotiated is used again after a reset of
 * either end, or of both, and every signature is that of a connection that
 * negotiated anew; who has lost it says so, and then it is negotiated anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/talk.h"

static struct pair p;
static uint8_t kept_rq[1024], kept_rs[1024];
static struct spdm_span rq_vca, rs_vca;

static const struct spdm_goal all = {.want = SPDM_WANT_CHALLENGE | SPDM_WANT_MEASUREMENTS, .sign = true};

static struct spdm_span keep(uint8_t *place, struct spdm_span vca)
{
    assert_true(vca.n <= sizeof kept_rq);
    if (vca.n != 0) memcpy(place, vca.p, vca.n);
    return (struct spdm_span){place, vca.n};
}

/* A connection that negotiates, and what is kept of it. */
static void negotiate(uint8_t version, uint32_t flags)
{
    pair_init(&p);
    pair_sessions(&p, 1);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    p.rsp_policy.flags |= flags;
    pair_start(&p);
    assert_int_equal(spdm_responder_vca(p.rs).n, 0);
    assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}));
    rq_vca = keep(kept_rq, spdm_requester_vca(p.rq));
    rs_vca = keep(kept_rs, spdm_responder_vca(p.rs));
    assert_int_equal(rq_vca.n, rs_vca.n);
    assert_memory_equal(rq_vca.p, rs_vca.p, rq_vca.n);
}

/* Power off: memory is gone, the configuration stays. */
static void reset_both(void)
{
    spdm_requester_close(p.rq);
    spdm_responder_close(p.rs);
    pair_start(&p);
    p.passed = 0;
    p.restarted = 0;
}

static void must(const struct spdm_goal *goal)
{
    char text[300];

    if (pair_run(&p, goal)) return;
    spdm_report_text(&p.failure, text, sizeof text);
    fail_msg("%s", text);
}

/* Nothing is negotiated; proof, measurements and sessions are as they would be. */
static void test_kept(void **state)
{
    (void)state;
    for (uint8_t version = SPDM_V12; version <= SPDM_V14; version++) {
        for (unsigned who = 1; who < 4; who++) {
            struct spdm_facts before;
            negotiate(version, SPDM_CACHE_CAP);
            before = *spdm_requester_facts(p.rq);
            if ((who & 1) != 0) spdm_requester_reset(p.rq);
            if (who == 3) reset_both();
            p.passed = 0;
            if ((who & 1) != 0) assert_true(spdm_requester_recall(p.rq, rq_vca));
            if ((who & 2) != 0) assert_true(spdm_responder_recall(p.rs, rs_vca));
            assert_memory_equal(spdm_requester_facts(p.rq), &before, sizeof before);
            must(&all);
            assert_int_equal(p.passed, 8); /* DIGESTS, CERTIFICATE, CHALLENGE_AUTH, MEASUREMENTS */
            assert_true(p.proven);
            must(&(struct spdm_goal){.want = SPDM_WANT_SESSION});
            assert_int_equal(p.opened_rq, p.opened_rs);
            assert_int_equal(p.restarted, 0);
            assert_memory_equal(spdm_requester_vca(p.rq).p, rq_vca.p, rq_vca.n);
            assert_true(spdm_responder_recall(p.rs, rs_vca)); /* ends everything else */
            assert_int_equal(spdm_responder_facts(p.rs)->version, version);
            pair_close(&p);
        }
    }
}

struct signature {
    uint8_t byte[96];
};

/* The signature of CHALLENGE_AUTH with a nonce that is always the same. */
static struct signature sign(uint8_t version, bool recalled, const char *caps)
{
    char capabilities[100];
    struct signature out;
    struct spdm_span got;

    pair_init(&p);
    p.rsp_policy.flags |= SPDM_CACHE_CAP;
    pair_start(&p);
    snprintf(capabilities, sizeof capabilities, "vv e1 00 00 %s", caps);
    (void)talk(&p, version, "10 84 00 00");
    (void)talk(&p, version, capabilities);
    got = talk(&p, version, "vv e3 00 00 offer");
    assert_true(got.n > 4 && got.p[1] == 0x63);
    if (recalled) {
        rs_vca = keep(kept_rs, spdm_responder_vca(p.rs));
        spdm_responder_close(p.rs);
        spdm_requester_close(p.rq);
        pair_start(&p);
        assert_true(spdm_responder_recall(p.rs, rs_vca));
    }
    p.toy.random = 1000;
    got = talk(&p, version, "vv 83 00 00 nonce context");
    assert_true(got.n > sizeof out && got.p[1] == 0x03);
    memcpy(out.byte, got.p + got.n - sizeof out, sizeof out);
    pair_close(&p);
    return out;
}

static bool same(struct signature a, struct signature b)
{
    return memcmp(a.byte, b.byte, sizeof a.byte) == 0;
}

/* From 1.2 on M1/M2 begins with the VCA that was kept; before, it is without (R-CHL-22). */
static void test_signed(void **state)
{
    static const char *const caps[] = {"caps", "00 0a 0000 00000000 | 00040000 00040000"};

    (void)state;
    for (uint8_t version = SPDM_V11; version <= SPDM_V14; version++) {
        struct signature fresh[2], kept[2];
        for (unsigned i = 0; i < 2; i++) {
            fresh[i] = sign(version, false, caps[i]);
            kept[i] = sign(version, true, caps[i]);
            assert_int_equal(same(fresh[i], kept[i]), version >= SPDM_V12);
        }
        assert_false(same(fresh[0], fresh[1])); /* another CTExponent, another VCA */
        assert_int_equal(same(kept[0], kept[1]), version < SPDM_V12);
    }
}

/* ---- who has lost it ---- */

static void test_lost(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        negotiate(SPDM_V13, SPDM_CACHE_CAP);
        reset_both();
        if (i == 1) p.rsp_policy.flags &= ~(uint32_t)SPDM_CACHE_CAP; /* another firmware, that says UnexpectedRequest */
        if (i == 2) p.rsp_policy.ct_exponent++;                      /* ... that would negotiate otherwise */
        if (i == 2) assert_false(spdm_responder_recall(p.rs, rs_vca));
        assert_true(spdm_requester_recall(p.rq, rq_vca));
        must(&all);
        assert_true(p.proven);
        assert_int_equal(p.restarted, 1);
        assert_int_equal(p.passed, 16); /* DIGESTS in vain, then everything */
        pair_close(&p);
    }
    /* once it was answered, an ERROR is an ERROR */
    negotiate(SPDM_V13, SPDM_CACHE_CAP);
    reset_both();
    assert_true(spdm_requester_recall(p.rq, rq_vca) && spdm_responder_recall(p.rs, rs_vca));
    must(&(struct spdm_goal){.want = SPDM_WANT_DIGESTS});
    assert_false(pair_run(
        &p, &(struct spdm_goal){.want = SPDM_WANT_MEASUREMENTS, .measure = SPDM_MEASURE_INDEX, .index = 0x77}));
    assert_int_equal(p.failure.why, SPDM_WHY_PEER_ERROR);
    assert_int_equal(p.restarted, 0);
    pair_close(&p);
}

/* Requests out of order at a responder that keeps, and one that does not. */
static void test_said(void **state)
{
    (void)state;
    for (unsigned keeps = 0; keeps < 2; keeps++) {
        pair_init(&p);
        if (keeps != 0) p.rsp_policy.flags |= SPDM_CACHE_CAP;
        pair_start(&p);
        talk_expect(&p, SPDM_V13, "vv 81 00 00", keeps != 0 ? "10 7f 43 00" : "10 7f 04 00");
        talk_expect(&p, SPDM_V13, "vv 83 00 00 nonce context", keeps != 0 ? "10 7f 43 00" : "10 7f 04 00");
        talk_phase(&p, SPDM_V13, 'V');
        talk_expect(&p, SPDM_V13, "vv 81 00 00", "10 7f 04 00");
        talk_phase(&p, SPDM_V13, 'N');
        talk_expect(&p, SPDM_V13, "vv 81 00 00", "vv 01");
        pair_close(&p);
    }
}

/* ---- what is no VCA of ours ---- */

static void test_refused(void **state)
{
    uint8_t changed[sizeof kept_rq + 1];
    size_t refused = 0;

    (void)state;
    negotiate(SPDM_V14, SPDM_CACHE_CAP);
    for (size_t n = 0; n < rq_vca.n; n++) {
        memcpy(changed, rq_vca.p, rq_vca.n);
        assert_false(spdm_responder_recall(p.rs, (struct spdm_span){changed, n}));
        spdm_requester_reset(p.rq);
        assert_false(spdm_requester_recall(p.rq, (struct spdm_span){changed, n}));
        changed[n] ^= 1;
        /* what a requester says that nobody looks at may be anything: it is kept as it was said */
        if (spdm_responder_recall(p.rs, (struct spdm_span){changed, rq_vca.n}))
            assert_memory_equal(spdm_responder_vca(p.rs).p, changed, rq_vca.n);
        else refused++;
        if (spdm_requester_recall(p.rq, (struct spdm_span){changed, rq_vca.n})) spdm_requester_reset(p.rq);
    }
    assert_true(refused > rq_vca.n / 2); /* all of the answers */
    memcpy(changed, rq_vca.p, rq_vca.n);
    changed[rq_vca.n] = 0;
    assert_false(spdm_requester_recall(p.rq, (struct spdm_span){changed, rq_vca.n + 1}));
    assert_false(spdm_responder_recall(p.rs, (struct spdm_span){changed, rq_vca.n + 1}));
    p.passed = 0;
    must(&all); /* nothing of that has done any harm */
    assert_int_equal(p.passed, 14);
    p.req_policy.flags ^= SPDM_CHAL_CAP; /* the requester is another now */
    assert_false(spdm_requester_recall(p.rq, rq_vca));
    pair_close(&p);
    /* without CACHE_CAP, and below 1.2 */
    negotiate(SPDM_V14, 0);
    assert_false(spdm_requester_recall(p.rq, rq_vca));
    assert_false(spdm_responder_recall(p.rs, rs_vca));
    pair_close(&p);
    negotiate(SPDM_V11, SPDM_CACHE_CAP);
    assert_false(spdm_requester_recall(p.rq, rq_vca));
    must(&all);
    pair_close(&p);
}

/* NegotiatedStateClear: nothing is to be kept, until it is negotiated again. */
static void test_cleared(void **state)
{
    (void)state;
    for (unsigned clear = 0; clear < 2; clear++) {
        negotiate(SPDM_V14, SPDM_CACHE_CAP);
        must(&(struct spdm_goal){.want = SPDM_WANT_SESSION});
        must(&(struct spdm_goal){.want = SPDM_WANT_END_SESSION, .session = p.opened_rq, .clear_state = clear != 0});
        assert_int_equal(spdm_responder_vca(p.rs).n, clear != 0 ? 0 : rs_vca.n);
        must(&(struct spdm_goal){.want = SPDM_WANT_DIGESTS}); /* the connection goes on */
        spdm_requester_reset(p.rq);
        must(&all);
        assert_int_equal(spdm_responder_vca(p.rs).n, rs_vca.n);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kept),    cmocka_unit_test(test_signed),
                                       cmocka_unit_test(test_lost),    cmocka_unit_test(test_said),
                                       cmocka_unit_test(test_refused), cmocka_unit_test(test_cleared)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
