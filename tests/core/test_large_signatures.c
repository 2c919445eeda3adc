/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Signatures of up to 49,856 bytes and chains of 150 kB over transfers of 1 KiB
 * (withstand 106, as far as the protocol goes): every post-quantum signature in
 * every message that carries one, in both directions. What a connection holds
 * for itself does not depend on them: large messages lie in room that is lent,
 * and comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/pair.h"
#include <assay/large.h>

enum { TRANSFER = 1024, LARGEST = 65536, CHAIN = 150000, ROOM = CHAIN + 100 };

static struct pair p;
static uint8_t certificates[CHAIN], chain[ROOM], rq_chain[ROOM], turned_out[2][LARGEST];
static unsigned lent_now, lent_most, lent_ever;

static struct spdm_room lend(void *ctx, size_t n)
{
    uint8_t *place = malloc(n);

    (void)ctx;
    assert_non_null(place);
    assert_true(n <= LARGEST);
    lent_ever++;
    if (++lent_now > lent_most) lent_most = lent_now;
    return (struct spdm_room){place, n};
}

static void give_back(void *ctx, struct spdm_room room)
{
    (void)ctx;
    for (size_t i = 0; i < room.n; i++) assert_int_equal(room.p[i], 0);
    assert_true(lent_now-- > 0);
    free(room.p);
}

static const struct spdm_lender counting = {.lend = lend, .give_back = give_back};

static void turn(struct spdm_config *turned, const struct spdm_config *config, uint8_t *out)
{
    turned->data_transfer_size = config->data_transfer_size;
    turned->out = (struct spdm_room){out, LARGEST};
    turned->crypto_ctx = config->crypto_ctx;
}

static void begin(const uint8_t *algorithm, size_t chain_n)
{
    static const uint8_t kem[] = {SPDM_ML_KEM_1024, 0};

    pair_init(&p);
    pair_sessions(&p, 1);
    pair_mutual(&p);
    pair_chunks(&p, TRANSFER, LARGEST);
    for (size_t i = 0; i < sizeof certificates; i++) certificates[i] = (uint8_t)(i * 11);
    p.req_policy.versions[0] = p.rsp_policy.versions[0] = SPDM_V14;
    p.req_policy.signatures = p.rsp_policy.signatures = p.identity.slot[0].signs = algorithm;
    p.req_policy.exchanges = p.rsp_policy.exchanges = kem;
    p.req_policy.req_signatures = p.rsp_policy.req_signatures = algorithm;
    p.rq_identity.slot[0].signs = p.rq_identity.slot[2].signs = algorithm;
    p.rsp_policy.flags |= SPDM_LARGE_RESP_CAP;
    p.rsp_policy.mut_auth = 2;
    p.rsp_policy.mut_auth_required = true;
    p.identity.slot[0].certificates = (struct spdm_span){certificates, chain_n};
    p.req_config.chain = (struct spdm_room){chain, sizeof chain};
    p.req_config.lender = p.rsp_config.lender = &counting;
    turn(&p.rq_turned, &p.req_config, turned_out[0]);
    turn(&p.rs_turned, &p.rsp_config, turned_out[1]);
    p.rs_turned.chain = (struct spdm_room){rq_chain, sizeof rq_chain};
    lent_most = lent_ever = 0;
    pair_start(&p);
}

static const struct spdm_goal attest = {.want = SPDM_WANT_CHALLENGE | SPDM_WANT_MEASUREMENTS, .sign = true};
static const struct spdm_goal session = {.want = SPDM_WANT_SESSION | SPDM_WANT_MEASUREMENTS, .sign = true};

static void must(const struct spdm_goal *goal)
{
    char text[300];

    if (pair_run(&p, goal)) return;
    (void)spdm_report_text(&p.failure, text, sizeof text);
    fail_msg("%s: %s", spdm_algorithm_name(p.req_policy.signatures[0]), text);
}

static void test_every_signature(void **state)
{
    (void)state;
    for (uint8_t alg = SPDM_ML_DSA_44; alg <= SPDM_SLH_DSA_SHAKE_256F; alg++) {
        const uint8_t algorithm[] = {alg, 0};

        begin(algorithm, alg & 1 ? CHAIN : 2000);
        must(&attest);
        assert_true(spdm_requester_facts(p.rq)->authentic && p.proven);
        assert_int_equal(spdm_requester_facts(p.rq)->signature, alg);
        must(&session);
        assert_int_equal(p.signed_by_rq, 1); /* FINISH, in chunks as well */
        assert_int_not_equal(p.opened_rq, 0);
        assert_int_equal(p.opened_rq, p.opened_rs);
        assert_true(lent_ever >= 4); /* CHALLENGE_AUTH, MEASUREMENTS twice, KEY_EXCHANGE_RSP at the least */
        assert_true(lent_most <= 4); /* one for a request, one for a response, at each end */
        pair_close(&p);
        assert_int_equal(lent_now, 0);
    }
}

/* One flipped bit anywhere in a signature, and nothing is believed. */
static unsigned flip_at, seen;

static size_t flip(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)pair;
    if (!to_responder && n > 500 && frame[0] == 0x05 && frame[2] == 0x06 && ++seen == flip_at) frame[n / 2] ^= 0x04;
    return n;
}

static void test_flipped_portions(void **state)
{
    static const uint8_t algorithm[] = {SPDM_SLH_DSA_SHA2_128S, 0};
    unsigned portions;

    (void)state;
    begin(algorithm, 2000);
    p.wire = flip;
    flip_at = seen = 0;
    must(&(struct spdm_goal){.want = SPDM_WANT_CHALLENGE});
    pair_close(&p);
    portions = seen;
    assert_in_range(portions, 7, 9);
    for (flip_at = 1; flip_at <= portions; flip_at++) {
        begin(algorithm, 2000);
        p.wire = flip;
        seen = 0;
        assert_false(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CHALLENGE}));
        assert_true(flip_at < 3 || p.failure.why == SPDM_WHY_BAD_SIGNATURE);
        assert_false(spdm_requester_facts(p.rq)->authentic);
        pair_close(&p);
        assert_int_equal(lent_now, 0);
    }
}

/* Whoever closes with the last event still in hand leaves nothing lent. */
static void test_closed_in_between(void **state)
{
    static const uint8_t algorithm[] = {SPDM_ML_DSA_87, 0};

    (void)state;
    for (unsigned steps = 1; steps < 60; steps++) {
        begin(algorithm, 2000);
        assert_true(spdm_requester_ask(p.rq, &attest));
        for (unsigned i = 0; i < steps; i++) {
            struct spdm_span out = spdm_requester_pull(p.rq, p.now);
            struct spdm_event ev;

            if (out.n != 0) pair_deliver(&p, true, out.p, out.n);
            out = spdm_responder_pull(p.rs, p.now);
            if (out.n != 0) spdm_requester_push(p.rq, out, p.now);
            if (i + 1 == steps) break; /* its events are left where they are */
            while (spdm_requester_event(p.rq, &ev) != SPDM_NOTHING) {
                if (ev.kind < SPDM_ASK_DIGEST) continue;
                assert_true(spdm_requester_answer(
                    p.rq,
                    &(struct spdm_answer){.ticket = ev.ticket, .yes = ev.kind == SPDM_ASK_TRUST, .key = p.trusted}));
            }
        }
        pair_close(&p);
        assert_int_equal(lent_now, 0);
    }
}

/* What a connection keeps for itself is the same with the largest signatures as with the smallest. */
static void test_memory_does_not_grow(void **state)
{
    static const uint8_t small[] = {SPDM_ECDSA_P256, 0}, large[] = {SPDM_SLH_DSA_SHA2_256F, SPDM_ML_DSA_87, 0};
    size_t rq[2], rs[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        begin(i == 0 ? small : large, 2000);
        rq[i] = spdm_requester_size(&p.req_config);
        rs[i] = spdm_responder_size(&p.rsp_config);
        pair_close(&p);
    }
    assert_int_equal(rq[0], rq[1]);
    assert_int_equal(rs[0], rs[1]);
}

/* A request that fits a transfer, but not what a connection keeps: FINISH of a peer that sends it in one. */
static void test_long_request_in_one(void **state)
{
    static const uint8_t algorithm[] = {SPDM_ML_DSA_87, 0};

    (void)state;
    begin(algorithm, 2000);
    p.req_config.data_transfer_size = p.rsp_config.data_transfer_size = 6000;
    p.rq_turned.data_transfer_size = p.rs_turned.data_transfer_size = 6000;
    pair_start(&p);
    must(&session);
    assert_int_equal(p.signed_by_rq, 1);
    assert_in_range(lent_ever, 2, 4); /* FINISH, and the envelope of the requester's chain, at both ends */
    pair_close(&p);
    assert_int_equal(lent_now, 0);
}

/* An unknown device with ML-DSA-65 and a chain as the reference's, all measurements, a device with buffers as its. */
static void test_cost(void **state)
{
    static const uint8_t algorithm[] = {SPDM_ML_DSA_65, 0};
    enum { REFERENCE_CHAIN = 16853, REFERENCE_TRANSFER = 4608 };

    (void)state;
    begin(algorithm, REFERENCE_CHAIN - 4 - 48);
    p.req_config.data_transfer_size = p.rsp_config.data_transfer_size = REFERENCE_TRANSFER;
    p.req_policy.flags = SPDM_CHUNK_CAP;
    p.req_config.mutual = NULL;
    p.req_config.sessions = NULL;
    p.req_policy.exchanges = p.req_policy.aeads = p.req_policy.req_signatures = NULL;
    pair_start(&p);
    must(&(struct spdm_goal){.want = SPDM_WANT_MEASUREMENTS, .sign = true});
    assert_in_range(p.passed, 12, 45);
    assert_in_range(p.bytes, REFERENCE_CHAIN + 3309, 30000);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_signature),     cmocka_unit_test(test_flipped_portions),
        cmocka_unit_test(test_closed_in_between),   cmocka_unit_test(test_memory_does_not_grow),
        cmocka_unit_test(test_long_request_in_one), cmocka_unit_test(test_cost)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
