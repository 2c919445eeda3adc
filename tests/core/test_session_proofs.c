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

enum { CHAIN = 4 + HAND_H + 900 };
static uint8_t chain[CHAIN], chain_digest[SPDM_HASH_MAX];

static void digest(struct spdm_span bytes, uint8_t *out)
{
    uint64_t state[4] = {0};

    assert_true(toy_crypto.hash_begin(&h.toy, state, SPDM_SHA_384));
    assert_true(toy_crypto.hash_update(&h.toy, state, bytes));
    assert_true(toy_crypto.hash_peek(&h.toy, state, out));
}

/* The chain structure that the pair's requester has in slots 0 and 2. */
static void make_chain(void)
{
    struct spdm_span certificates = p.rq_identity.slot[0].certificates;

    assert_int_equal(certificates.n, CHAIN - 4 - HAND_H);
    chain[0] = CHAIN & 0xff;
    chain[1] = CHAIN >> 8;
    digest(p.rq_identity.slot[0].root, chain + 4);
    memcpy(chain + 4 + HAND_H, certificates.p, certificates.n);
    digest(spdm_span(chain, CHAIN), chain_digest);
}

static struct spdm_span deliver(struct hand_session *s, uint8_t id, struct spdm_span response)
{
    static uint8_t message[2048];

    message[0] = h.version;
    message[1] = 0xeb;
    message[2] = id;
    message[3] = 0;
    memcpy(message + 4, response.p, response.n);
    return hand_say(&h, s, spdm_span(message, 4 + response.n));
}

/* GET_DIGESTS and GET_CERTIFICATE are answered; the last ACK names the slot. `wrong`: with a wrong number first. */
static void prove_identity(struct hand_session *s, bool wrong)
{
    static uint8_t certificate[8 + CHAIN];
    uint8_t digests[4 + HAND_H] = {h.version, 1, 1, 1};
    struct spdm_span got;

    memcpy(digests + 4, chain_digest, HAND_H);
    certificate[0] = h.version;
    certificate[1] = 2;
    certificate[4] = CHAIN & 0xff;
    certificate[5] = CHAIN >> 8;
    memcpy(certificate + 8, chain, CHAIN);
    hand_expect(&h, s, "vv ea 00 00", "vv 6a 01 00 vv 81");
    if (wrong) {
        got = deliver(s, 7, spdm_span(digests, sizeof digests));
        assert_true(got.n == 4 && got.p[1] == 0x7f && got.p[2] == 0x01);
        hand_expect(&h, s, "vv ea 00 00", "vv 6a 01 00 vv 81"); /* asked again, the same again */
    }
    got = deliver(s, 1, spdm_span(digests, sizeof digests));
    assert_true(got.n > 12 && got.p[1] == 0x6b && got.p[3] == 1 && got.p[9] == 0x82);
    got = deliver(s, 2, spdm_span(certificate, sizeof certificate));
    assert_true(got.n == 9 && got.p[1] == 0x6b && got.p[3] == 2 && got.p[8] == 0);
}

/* FINISH with the requester's signature: over TH, its chain and FINISH up to there. */
static bool finish_signed(struct hand_session *s, bool flip_opaque)
{
    static const char context[] = "requester-finish signing";
    uint8_t message[512] = {h.version, 0xe5, 1, 0}, prefixed[100 + SPDM_HASH_MAX] = {0}, sum[SPDM_HASH_MAX];
    struct schedule sch = {&toy_crypto, &h.toy, SPDM_SHA_384, SPDM_AES_256_GCM, h.version, 0xff};
    struct spdm_signing what = {.alg = SPDM_ECDSA_P256, .hash = SPDM_SHA_384, .prehashed = true, .data = {sum, HAND_H}};
    size_t n = h.version < SPDM_V14 ? 4 : 6;
    uint8_t th[SPDM_HASH_MAX];

    if (h.version >= SPDM_V14 && flip_opaque) { /* one element, for who has 1.4 */
        static const uint8_t opaque[] = {12, 0, 1, 0, 0, 0, 0, 0, 2, 0, 'h', 'i', 0, 0};

        memcpy(message + 4, opaque, sizeof opaque);
        message[4] = 12;
        n = 4 + sizeof opaque;
    }
    hand_th_add(s, spdm_span(chain_digest, HAND_H));
    for (unsigned i = 0; i < 4; i++) memcpy(prefixed + 16 * i, "dmtf-spdm-v1.0.*", 16);
    for (unsigned i = 0; i < 4; i++) prefixed[16 * i + 13] = (uint8_t)('0' + (h.version & 15));
    memcpy(prefixed + 100 - strlen(context), context, strlen(context));
    hand_th(&h, s, spdm_span(message, n), prefixed + 100);
    digest(spdm_span(prefixed, 100 + HAND_H), sum);
    assert_int_equal(toy_sign(&p.rq_key, &what, message + n), 64);
    hand_th(&h, s, spdm_span(message, n + 64), th);
    assert_true(spdm_schedule_verify_data(&sch, s->secrets.finished[REQUEST], th, message + n + 64));
    if (flip_opaque) message[n - 3] ^= 1;
    struct spdm_span got = hand_say(&h, s->clear ? NULL : s, spdm_span(message, n + 64 + HAND_H));
    if (flip_opaque) {
        assert_true(got.n == 4 && got.p[1] == 0x7f && got.p[2] == 0x06);
        return false;
    }
    return hand_finished(&h, s, spdm_span(message, n + 64 + HAND_H), got);
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
        make_chain();
        assert_true(hand_psk_exchange(&h, &k)); /* not disturbed by any of that */
        assert_true(hand_key_exchange(&h, &a));
        assert_false(hand_key_exchange(&h, &b));
        assert_int_equal(h.answer[3], 0x03);
        prove_identity(&a, i == 1);
        assert_false(hand_key_exchange(&h, &b));
        got = hand_talk(&h, NULL, "vv 83 00 00 nonce context");
        assert_true(got.n > 100 && got.p[1] == 0x03 && (got.p[2] & 0x80) == 0);
        hand_expect(&h, NULL, "vv 81 00 00", "vv 01");
        assert_true(hand_finish(&h, &k));
        assert_true(finish_signed(&a, false));
        assert_true(hand_key_exchange(&h, &b));
        prove_identity(&b, false);
        assert_true(finish_signed(&b, false));
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
    make_chain();
    assert_true(hand_key_exchange(&h, &a));
    hand_expect(&h, &a, "vv ea 00 00", "vv 6a 01 00 vv 81");
    assert_false(hand_finish(&h, &a)); /* the flow is open */
    assert_false(finish_signed(&a, false));
    assert_int_equal(p.opened_rs, 0);
    pair_close(&p);
    prepare(SPDM_V13, 1, 2, false);
    pair_start(&p);
    hand_connect(&h, &p);
    assert_true(hand_key_exchange(&h, &a));
    assert_false(hand_finish(&h, &a)); /* never begun, and without signature */
    assert_false(finish_signed(&a, false));
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
    make_chain();
    assert_true(hand_key_exchange(&h, &a));
    prove_identity(&a, false);
    assert_false(finish_signed(&a, true));
    assert_int_equal(p.opened_rs, 0);
    assert_int_equal(p.closed_rs, a.id);
    assert_int_equal(p.refused.why, SPDM_WHY_BAD_VERIFY_DATA);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_two_handshakes), cmocka_unit_test(test_unproven),
                                       cmocka_unit_test(test_finish_opaque)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
