/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Post-quantum and classical algorithms beside each other (SPDM 1.4): each kind
 * of signature with each kind of key agreement and each kind of the
 * Requester's signature opens a session; what is selected excludes the other
 * field of its class; below 1.4 there is nothing post-quantum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/pair.h"

enum { TRANSFER = 8000 };

static const uint8_t signatures[] = {SPDM_ECDSA_P384, SPDM_RSAPSS_3072, SPDM_ED448,     SPDM_SM2,
                                     SPDM_ML_DSA_44,  SPDM_ML_DSA_65,   SPDM_ML_DSA_87, SPDM_ALG_NONE};
static const uint8_t exchanges[] = {SPDM_SECP384R1,  SPDM_FFDHE_3072,  SPDM_ML_KEM_512,
                                    SPDM_ML_KEM_768, SPDM_ML_KEM_1024, SPDM_ALG_NONE};
static const uint8_t req_signatures[] = {SPDM_ALG_NONE, SPDM_ECDSA_P256, SPDM_RSASSA_3072, SPDM_ML_DSA_65};

static struct pair p;
static uint8_t negotiate[200], algorithms[200]; /* the last of each, without the header of the binding */
static size_t negotiate_n, algorithms_n;

static size_t watch(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    uint8_t code = n > 3 && frame[0] == 0x05 ? frame[2] : 0;

    (void)pair;
    if (to_responder && code == 0xe3 && n <= sizeof negotiate) memcpy(negotiate, frame + 1, negotiate_n = n - 1);
    if (!to_responder && code == 0x63 && n <= sizeof algorithms) memcpy(algorithms, frame + 1, algorithms_n = n - 1);
    return n;
}

static uint32_t u32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* The bits of a table in NEGOTIATE_ALGORITHMS or ALGORITHMS, 0 if it is absent: tables of four bytes at the end. */
static unsigned table_of(const uint8_t *message, size_t n, unsigned type)
{
    for (unsigned i = 0; i < message[2]; i++) {
        const uint8_t *at = message + n - 4 * (size_t)(message[2] - i);

        assert_int_equal(at[1], 0x20);
        if (at[0] == type) return at[2] | (unsigned)at[3] << 8;
    }
    return 0;
}

struct choice {
    const uint8_t *signature, *exchange, *req_signature; /* one algorithm each and the 0 behind it */
};

static void begin(uint8_t version, const struct choice *x)
{
    static const uint8_t all_req[] = {SPDM_ML_DSA_65, SPDM_ECDSA_P256, SPDM_RSASSA_3072, 0};
    static uint8_t alone[3][2];

    pair_init(&p);
    pair_sessions(&p, 1);
    if (*x->req_signature != SPDM_ALG_NONE) pair_mutual(&p);
    alone[0][0] = *x->signature;
    alone[1][0] = *x->exchange;
    alone[2][0] = *x->req_signature;
    p.wire = watch;
    p.req_policy.versions[0] = p.rsp_policy.versions[0] = version;
    p.req_policy.versions[1] = p.rsp_policy.versions[1] = 0;
    p.req_policy.signatures = signatures; /* the Requester takes everything, the device can do one of each */
    p.req_policy.exchanges = exchanges;
    p.rsp_policy.signatures = p.identity.slot[0].signs = alone[0];
    p.rsp_policy.exchanges = alone[1];
    p.req_config.data_transfer_size = p.rsp_config.data_transfer_size = TRANSFER;
    if (*x->req_signature != SPDM_ALG_NONE) {
        p.req_policy.req_signatures = all_req;
        p.rsp_policy.req_signatures = alone[2];
        p.rq_identity.slot[0].signs = p.rq_identity.slot[2].signs = alone[2];
        p.rsp_policy.mut_auth = 2;
        p.rsp_policy.mut_auth_required = true;
        p.rq_turned.data_transfer_size = p.rs_turned.data_transfer_size = TRANSFER;
    }
    pair_start(&p);
}

static void expect_one(uint32_t classical, uint32_t post_quantum, uint8_t alg)
{
    enum spdm_alg id = (enum spdm_alg)alg;
    bool newer = spdm_algorithm(id)->cls == SPDM_CLASS_PQC || spdm_algorithm(id)->cls == SPDM_CLASS_KEM;

    assert_int_equal(classical, newer ? 0 : spdm_algorithm_mask(id, SPDM_V14));
    assert_int_equal(post_quantum, newer ? spdm_algorithm_mask(id, SPDM_V14) : 0);
}

static void expect_session(const struct choice *x)
{
    static const struct spdm_goal goal = {.want = SPDM_WANT_CHALLENGE | SPDM_WANT_SESSION | SPDM_WANT_MEASUREMENTS,
                                          .sign = true};
    const struct spdm_facts *rq, *rs;

    assert_true(pair_run(&p, &goal));
    rq = spdm_requester_facts(p.rq);
    rs = spdm_responder_facts(p.rs);
    assert_true(rq->authentic && rq->measured_signed && p.proven);
    assert_int_equal(rq->signature, *x->signature);
    assert_int_equal(rq->exchange, *x->exchange);
    assert_int_equal(rq->req_signature, *x->req_signature);
    assert_int_equal(rs->signature, *x->signature);
    assert_int_equal(rs->exchange, *x->exchange);
    assert_int_equal(rs->req_signature, *x->req_signature);
    assert_int_equal(p.signed_by_rq, *x->req_signature != SPDM_ALG_NONE);
    assert_int_not_equal(p.opened_rq, 0);
    assert_int_equal(p.opened_rq, p.opened_rs);
    assert_true(spdm_requester_send(p.rq, p.opened_rq, (struct spdm_span){(const uint8_t *)"\1hello", 6}));
    pair_settle(&p, p.now + 1000);
    assert_int_equal(p.data_rs_n, 6);
}

static void test_every_combination(void **state)
{
    (void)state;
    for (size_t s = 0; signatures[s] != 0; s++) {
        for (size_t e = 0; exchanges[e] != 0; e++) {
            for (size_t r = 0; r < sizeof req_signatures; r++) {
                const struct choice x = {&signatures[s], &exchanges[e], &req_signatures[r]};

                begin(SPDM_V14, &x);
                expect_session(&x);
                assert_int_equal(u32(negotiate + 8), 0x0a88); /* P-384, RSAPSS-3072, SM2, Ed448: both kinds offered */
                assert_int_equal(u32(negotiate + 16), 0x07);
                expect_one(u32(algorithms + 12), u32(algorithms + 20), signatures[s]);
                expect_one(table_of(algorithms, algorithms_n, 2), table_of(algorithms, algorithms_n, 7), exchanges[e]);
                expect_one(table_of(algorithms, algorithms_n, 4), table_of(algorithms, algorithms_n, 6),
                           req_signatures[r]);
                pair_close(&p);
            }
        }
    }
}

/* Nothing post-quantum is said or taken by versions that have no words for it. */
static void test_not_before_1_4(void **state)
{
    static const uint8_t both_signatures[] = {SPDM_ML_DSA_65, SPDM_ECDSA_P384, 0};
    static const uint8_t both_exchanges[] = {SPDM_ML_KEM_768, SPDM_SECP384R1, 0};

    (void)state;
    for (uint8_t version = SPDM_V11; version <= SPDM_V13; version++) {
        const struct choice x = {both_signatures, both_exchanges, (const uint8_t[]){SPDM_ECDSA_P256}};
        const struct choice chosen = {both_signatures + 1, both_exchanges + 1, (const uint8_t[]){SPDM_ECDSA_P256}};

        begin(version, &x);
        p.rsp_policy.signatures = p.identity.slot[0].signs = both_signatures;
        p.rsp_policy.exchanges = both_exchanges;
        expect_session(&chosen);
        assert_int_equal(u32(negotiate + 16), 0);
        assert_int_equal(u32(algorithms + 20), 0);
        assert_int_equal(table_of(negotiate, negotiate_n, 6) | table_of(negotiate, negotiate_n, 7), 0);
        pair_close(&p);
    }
}

/* Whose only key is post-quantum has nothing for an older requester: no signature is negotiated, and none is made up.
 */
static void test_nothing_in_common(void **state)
{
    const struct choice x = {(const uint8_t[]){SPDM_ML_DSA_65}, (const uint8_t[]){SPDM_SECP384R1},
                             (const uint8_t[]){SPDM_ALG_NONE}};

    (void)state;
    begin(SPDM_V13, &x);
    assert_false(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CHALLENGE}));
    assert_int_equal(spdm_requester_facts(p.rq)->signature, SPDM_ALG_NONE);
    assert_false(spdm_requester_facts(p.rq)->authentic);
    pair_close(&p);
}

/* The device's order decides between the two kinds, whatever the requester names first. */
static void test_preference(void **state)
{
    static const uint8_t new_first[] = {SPDM_ML_DSA_44, SPDM_ECDSA_P384, 0};
    static const uint8_t old_first[] = {SPDM_ECDSA_P384, SPDM_ML_DSA_44, 0};
    static const uint8_t kem_first[] = {SPDM_ML_KEM_1024, SPDM_SECP384R1, 0};
    static const uint8_t dhe_first[] = {SPDM_SECP384R1, SPDM_ML_KEM_1024, 0};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        const struct choice x = {new_first, kem_first, (const uint8_t[]){SPDM_ALG_NONE}};
        const struct choice chosen = {i & 1 ? new_first : old_first, i & 2 ? kem_first : dhe_first, x.req_signature};

        begin(SPDM_V14, &x);
        p.rsp_policy.signatures = p.identity.slot[0].signs = i & 1 ? new_first : old_first;
        p.rsp_policy.exchanges = i & 2 ? kem_first : dhe_first;
        p.req_policy.signatures = i & 1 ? old_first : new_first;
        p.req_policy.exchanges = i & 2 ? dhe_first : kem_first;
        expect_session(&chosen);
        pair_close(&p);
    }
}

/* A requester's chain that is longer than a transfer is asked for in portions that fit with their envelope. */
static unsigned asked[8], asked_n;

static size_t measure(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    enum { ACK = 9, HEAD = 8 }; /* ENCAPSULATED_RESPONSE_ACK behind the binding's byte; it, or ENCAPSULATED_REQUEST */

    (void)pair;
    for (size_t at = 5; !to_responder && at <= ACK && at + HEAD <= n; at += 4) {
        bool envelope = frame[2] == (at == ACK ? 0x6b : 0x6a);

        if (envelope && frame[at] == SPDM_V14 && frame[at + 1] == 0x82 && asked_n < 8)
            asked[asked_n++] = frame[at + 6] | (unsigned)frame[at + 7] << 8;
    }
    return n;
}

static void test_portions_and_envelope(void **state)
{
    const struct choice x = {(const uint8_t[]){SPDM_ECDSA_P384}, (const uint8_t[]){SPDM_SECP384R1},
                             (const uint8_t[]){SPDM_ECDSA_P256}};
    enum { SMALL = 600, OVERHEAD = 4 + 8, CHAIN = 900 + 4 + 48 };

    (void)state;
    begin(SPDM_V14, &x);
    p.req_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
    p.rsp_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
    p.req_config.data_transfer_size = p.rsp_config.data_transfer_size = SMALL;
    p.rq_turned.data_transfer_size = p.rs_turned.data_transfer_size = SMALL;
    p.wire = measure;
    asked_n = 0;
    pair_start(&p);
    assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_SESSION}));
    assert_int_equal(p.signed_by_rq, 1);
    assert_int_equal(asked_n, 2);
    assert_int_equal(asked[0], SMALL - OVERHEAD);
    assert_int_equal(asked[1], CHAIN - (SMALL - OVERHEAD));
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_combination), cmocka_unit_test(test_not_before_1_4),
                                       cmocka_unit_test(test_nothing_in_common), cmocka_unit_test(test_preference),
                                       cmocka_unit_test(test_portions_and_envelope)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
