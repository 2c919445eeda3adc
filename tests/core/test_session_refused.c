/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the sessions of a responder withstand while they are being opened:
 * exchanges finished in the other mode or in each other's place, wrong proofs,
 * messages out of their phase, connections that start over (withstand 1 to 17,
 * 26, 31). A requester by hand says what no honest one says. */
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
static struct hand_session a, b;

static void prepare(uint8_t version, size_t sessions, uint32_t more_flags)
{
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    pair_sessions(&p, sessions);
    p.req_policy.flags |= more_flags;
    p.rsp_policy.flags |= more_flags;
}

static void begin(uint8_t version, size_t sessions, uint32_t more_flags)
{
    prepare(version, sessions, more_flags);
    pair_start(&p);
    hand_connect(&h, &p);
}

static bool alive(uint32_t id)
{
    struct spdm_session_facts facts;

    return spdm_responder_session(p.rs, id, &facts);
}

static bool established(uint32_t id)
{
    struct spdm_session_facts facts;

    return spdm_responder_session(p.rs, id, &facts) && facts.established;
}

/* The session works: it carries a request, and ends. */
static void use(struct hand_session *s)
{
    assert_true(established(s->id));
    assert_true(hand_agrees(&h, s));
    hand_expect(&h, s, "vv 81 00 00", "vv 01");
    hand_expect(&h, s, "vv ec 00 00", "vv 6c");
    assert_false(alive(s->id));
}

/* All places for sessions are free again: as many as there are can be opened and used. */
static void all_free(size_t places)
{
    static struct hand_session s[8];

    for (size_t i = 0; i < places; i++) {
        assert_true(i % 2 == 0 || h.clear ? hand_key_exchange(&h, &s[i]) : hand_psk_exchange(&h, &s[i]));
        assert_true(hand_finish(&h, &s[i]));
    }
    for (size_t i = 0; i < places; i++) use(&s[i]);
}

/* ---- the wrong FINISH (withstand 1, 2) ---- */

static struct spdm_span say_finish(struct hand_session *in, const struct hand_session *of, bool psk)
{
    static uint8_t message[256];

    return hand_say(&h, in, spdm_span(message, hand_finish_bytes(&h, of, psk, message)));
}

static void expect(struct spdm_span got, const char *prefix)
{
    if (talk_like(got, h.version, prefix)) return;
    fail_msg("1.%u: %zu bytes %02x %02x, not \"%s\"", h.version & 15u, got.n, got.n > 1 ? got.p[1] : 0,
             got.n > 2 ? got.p[2] : 0, prefix);
}

static void test_other_mode(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        begin(versions[v], 1, 0);
        assert_true(hand_key_exchange(&h, &a));
        expect(say_finish(&a, &a, true), "vv 7f 04 00");
        assert_false(alive(a.id));
        assert_true(hand_psk_exchange(&h, &a)); /* the place is free */
        expect(say_finish(&a, &a, false), "vv 7f 04 00");
        assert_false(alive(a.id));
        assert_int_equal(p.opened_rs, 0);
        all_free(1);
        pair_close(&p);
    }
}

/* In the clear PSK_FINISH has no session to be about, and FINISH is never that of a PSK session. */
static void test_other_mode_in_the_clear(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        begin(versions[v], 2, SPDM_HANDSHAKE_IN_THE_CLEAR_CAP);
        assert_true(hand_psk_exchange(&h, &b));
        expect(say_finish(NULL, &b, false), v == 0 ? "vv 7f 05 00" : "vv 7f 0b 00"); /* nobody waits for one */
        assert_true(hand_key_exchange(&h, &a));
        expect(say_finish(NULL, &a, true), v == 0 ? "vv 7f 05 00" : "vv 7f 0b 00");
        assert_true(alive(a.id));
        expect(say_finish(NULL, &b, false), "vv 7f 06 00"); /* b's HMAC for a */
        assert_false(alive(a.id));
        assert_true(hand_finish(&h, &b));
        use(&b);
        assert_true(hand_key_exchange(&h, &a));
        assert_true(hand_finish(&h, &a));
        use(&a);
        pair_close(&p);
    }
}

/* ---- two handshakes at a time, crossed in every way (withstand 3) ---- */

/* How each of the two is finished: in its own record or the other's, by its own HMAC or the other's, by the code of
 * its own mode or the other's. */
static void cross(uint8_t version, unsigned way, bool psk_a, bool psk_b)
{
    bool other_record = (way & 1) != 0, other_hmac = (way & 2) != 0, other_code = (way & 4) != 0;
    struct hand_session *in = other_record ? &b : &a;

    begin(version, 2, 0);
    assert_true(psk_a ? hand_psk_exchange(&h, &a) : hand_key_exchange(&h, &a));
    assert_true(psk_b ? hand_psk_exchange(&h, &b) : hand_key_exchange(&h, &b));
    (void)say_finish(in, other_hmac ? &b : &a, other_code ? !psk_a : psk_a);
    if (way == 0 || (way == 3 && psk_a == psk_b) || (way == 7 && psk_a != psk_b)) {
        assert_true(established(in->id)); /* nothing was crossed after all */
    } else {
        assert_false(established(a.id));
        assert_false(established(b.id));
        assert_false(alive(in->id));
        assert_int_equal(p.opened_rs, 0);
    }
    pair_close(&p);
}

static void test_crossed(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        for (unsigned i = 0; i < 32; i++) cross(versions[v], i & 7, (i & 8) != 0, (i & 16) != 0);
    }
}

/* Both go wrong, both are gone, and then both can be opened. */
static void test_crossed_both(void **state)
{
    (void)state;
    begin(SPDM_V13, 2, 0);
    assert_true(hand_key_exchange(&h, &a));
    assert_true(hand_psk_exchange(&h, &b));
    expect(say_finish(&a, &b, true), "vv 7f 04 00");
    expect(say_finish(&b, &a, false), "vv 7f 04 00");
    assert_false(alive(a.id) || alive(b.id));
    all_free(2);
    pair_close(&p);
}

/* ---- without the PSK (withstand 5) ---- */

static void test_without_psk(void **state)
{
    struct spdm_session_facts facts;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        begin(versions[v], 1, 0);
        assert_true(hand_psk_exchange(&h, &a));
        b = a;
        b.secrets.finished[REQUEST][0] ^= 1; /* what another PSK would have given */
        assert_true(spdm_responder_session(p.rs, a.id, &facts));
        assert_false(facts.proven);
        expect(say_finish(&a, &b, true), "vv 7f 01 00");
        assert_false(alive(a.id));
        assert_int_equal(p.opened_rs, 0);
        assert_int_equal(p.refused.why, SPDM_WHY_BAD_PSK_FINISH);
        assert_true(hand_psk_exchange(&h, &a));
        assert_true(hand_finish(&h, &a));
        assert_true(spdm_responder_session(p.rs, a.id, &facts) && facts.proven);
        use(&a);
        pair_close(&p);
    }
}

/* Without ResponderContext there is no PSK_FINISH: who opened the session has proven nothing until a record opens. */
static void test_without_psk_or_context(void **state)
{
    struct spdm_session_facts facts;

    (void)state;
    prepare(SPDM_V12, 1, 0);
    p.rsp_policy.flags ^= SPDM_PSK_CAP_MASK;
    pair_start(&p);
    hand_connect(&h, &p);
    assert_true(hand_psk_exchange(&h, &a));
    assert_true(spdm_responder_session(p.rs, a.id, &facts));
    assert_true(facts.established && !facts.proven);
    b = a;
    b.lane[REQUEST].iv[3] ^= 1; /* any other key would do */
    (void)hand_talk(&h, &b, "vv 81 00 00");
    assert_false(alive(a.id));
    assert_true(hand_psk_exchange(&h, &a));
    hand_expect(&h, &a, "vv 81 00 00", "vv 01");
    assert_true(spdm_responder_session(p.rs, a.id, &facts) && facts.proven);
    pair_close(&p);
}

/* ---- OpaqueData of FINISH is in its transcript (withstand 6) ---- */

static size_t finish_with_opaque(struct hand_session *s, uint8_t *out)
{
    /* one element: DMTF, "opaque" */
    static const uint8_t opaque[] = {1, 0, 0, 0, 0, 0, 6, 0, 'o', 'p', 'a', 'q', 'u', 'e', 0, 0};
    struct schedule sch = {&toy_crypto, &h.toy, SPDM_SHA_384, SPDM_AES_256_GCM, h.version, 0xff};
    uint8_t th[SPDM_HASH_MAX];

    out[0] = h.version;
    out[1] = s->psk ? 0xe7 : 0xe5;
    out[2] = out[3] = out[5] = 0;
    out[4] = sizeof opaque;
    memcpy(out + 6, opaque, sizeof opaque);
    hand_th(&h, s, spdm_span(out, 6 + sizeof opaque), th);
    assert_true(spdm_schedule_verify_data(&sch, s->secrets.finished[REQUEST], th, out + 6 + sizeof opaque));
    return 6 + sizeof opaque + HAND_H;
}

static void test_finish_opaque(void **state)
{
    uint8_t message[256];

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        bool psk = i >= 4, flipped = i % 2 == 1;
        size_t n;

        begin(SPDM_V14, 1, i >= 2 ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0);
        assert_true(psk ? hand_psk_exchange(&h, &a) : hand_key_exchange(&h, &a));
        n = finish_with_opaque(&a, message);
        if (flipped) message[6 + 8] ^= 1;
        struct spdm_span rsp = hand_say(&h, a.clear ? NULL : &a, spdm_span(message, n));
        if (flipped) {
            expect(rsp, psk ? "vv 7f 01 00" : "vv 7f 06 00");
            assert_false(alive(a.id));
            assert_int_equal(p.opened_rs, 0);
        } else {
            assert_true(hand_finished(&h, &a, spdm_span(message, n), rsp));
            use(&a);
        }
        pair_close(&p);
    }
}

/* ... and ends with its message: cut anywhere, in front of OpaqueDataLength, in it, in the data, in the HMAC, it is
 * refused before anything is made of it; the session goes on, or is gone, as for every malformed FINISH (withstand 48).
 */
static void test_finish_cut(void **state)
{
    uint8_t message[256];

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        bool psk = i == 2;
        size_t n = 1;

        for (size_t cut = 4; cut < n || n == 1; cut++) {
            begin(SPDM_V14, 1, i == 1 ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0);
            assert_true(psk ? hand_psk_exchange(&h, &a) : hand_key_exchange(&h, &a));
            n = finish_with_opaque(&a, message);
            expect(hand_say(&h, a.clear ? NULL : &a, spdm_span(message, cut)), "vv 7f 01 00");
            assert_int_equal(p.opened_rs, 0);
            assert_false(established(a.id));
            pair_close(&p);
        }
        assert_int_equal(n, 6 + 16 + HAND_H);
    }
}

/* ---- places come back (withstand 7, 8) ---- */

static void test_wrong_hmac(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        for (unsigned clear = 0; clear < 2; clear++) {
            begin(versions[v], 2, clear != 0 ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0);
            for (unsigned i = 0; i < 20; i++) {
                assert_true(hand_key_exchange(&h, &a));
                b = a;
                b.secrets.finished[REQUEST][i] ^= 0x80;
                expect(say_finish(a.clear ? NULL : &a, &b, false), "vv 7f 06 00");
                assert_false(alive(a.id));
                assert_int_equal(p.closed_rs, a.id);
                assert_int_equal(p.closed_why_rs.why, SPDM_WHY_BAD_VERIFY_DATA);
            }
            all_free(2);
            pair_close(&p);
        }
    }
}

/* KEY_EXCHANGE and PSK_EXCHANGE that are refused, each for another reason, with a single place for a session. */
static void test_exchange_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } edits[] = {{3, 9}, {3, 1}, {6, 2}, {138, 0}, {138 + 12, 0x77}, {40, 1}, {2, 1}};
    uint8_t message[512];

    (void)state;
    prepare(SPDM_V13, 1, 0);
    p.rsp_policy.flags &= ~SPDM_MEAS_CAP_MASK;
    pair_start(&p);
    hand_connect(&h, &p);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        size_t n = hand_key_exchange_bytes(&h, &a, message);

        message[edits[i].at] = edits[i].value;
        if (edits[i].at == 138 + 12) message[138 + 14] = message[138 + 16] = 0x77;
        expect(hand_say(&h, NULL, spdm_span(message, n)), "vv 7f 01 00");
        n = hand_psk_exchange_bytes(&h, &a, message);
        message[i % 2 == 0 ? 10 : 12] ^= 1; /* a length that does not fit; a hint that nobody knows */
        p.refuse_answers = true;
        expect(hand_say(&h, NULL, spdm_span(message, n)), "vv 7f 01 00");
        p.refuse_answers = false;
    }
    p.refuse_answers = true; /* nobody signs */
    assert_false(hand_key_exchange(&h, &a));
    p.refuse_answers = false;
    all_free(1);
    pair_close(&p);
}

static void test_mutual_missing(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v], 1, 0);
        p.rsp_policy.mut_auth = 2;
        p.rsp_policy.mut_auth_required = true;
        pair_start(&p);
        hand_connect(&h, &p);
        for (unsigned i = 0; i < 5; i++) { /* InvalidPolicy, Unspecified before 1.3 (withstand 26) */
            assert_false(hand_key_exchange(&h, &a));
            assert_int_equal(h.answer[2], 0x7f);
            assert_int_equal(h.answer[3], versions[v] < SPDM_V13 ? 0x05 : 0x11);
        }
        assert_true(hand_psk_exchange(&h, &b)); /* the one place is free, and the PSK authenticates */
        assert_true(hand_finish(&h, &b));
        use(&b);
        pair_close(&p);
    }
}

/* ---- where FINISH belongs (withstand 9, 10) ---- */

static void test_finish_place(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        begin(versions[v], 1, SPDM_HANDSHAKE_IN_THE_CLEAR_CAP);
        assert_true(hand_key_exchange(&h, &a));
        expect(say_finish(&a, &a, false), "-"); /* in a record: dropped, as R-ALW-06 allows */
        assert_true(alive(a.id));
        assert_true(hand_finish(&h, &a));
        expect(say_finish(&a, &a, false), "vv 7f 04 00"); /* established: R-FIN-18 */
        use(&a);
        pair_close(&p);
        begin(versions[v], 1, 0);
        assert_true(hand_key_exchange(&h, &a));
        expect(say_finish(NULL, &a, false), v == 0 ? "vv 7f 05 00" : "vv 7f 0b 00");
        assert_true(alive(a.id));
        assert_true(hand_finish(&h, &a));
        expect(say_finish(&a, &a, false), "vv 7f 04 00");
        use(&a);
        pair_close(&p);
    }
}

/* ---- which requests a session takes (withstand 11, 17) ---- */

static const struct {
    const char *words, *handshake, *inside;
} requests[] = {
    {"10 84 00 00", "10 7f 04 00", "10 7f 04 00"},
    {"vv e1 00 00 caps", "vv 7f 04 00", "vv 7f 04 00"},
    {"vv e3 00 00 offer", "vv 7f 04 00", "vv 7f 04 00"},
    {"vv 83 00 00 nonce context", "vv 7f 04 00", "vv 7f 04 00"},
    {"vv e4 00 00 big", "vv 7f 04 00", "vv 7f 04 00"},
    {"vv e6 00 00 big", "vv 7f 04 00", "vv 7f 04 00"},
    {"vv 81 00 00", "vv 7f 04 00", "vv 01"},
    {"vv 82 00 00 0000 0010", "vv 7f 04 00", "vv 02"},
    {"vv e0 00 ff context", "vv 7f 04 00", "vv 60"},
    {"vv e8 00 00", "vv 7f 04 00", "vv 68"},
    {"vv e9 03 00", "vv 7f 04 00", "vv 7f 01 00"},
    {"vv e9 01 00", "vv 7f 04 00", "vv 69 01 00"},
    {"vv ec 00 00", "vv 7f 04 00", "vv 6c"},
};

static void test_phases(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2 * sizeof versions; v++) {
        bool psk = v % 2 == 1;

        for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
            prepare(versions[v / 2], 1, 0);
            p.rsp_policy.heartbeat = 5;
            pair_start(&p);
            hand_connect(&h, &p);
            assert_true(psk ? hand_psk_exchange(&h, &a) : hand_key_exchange(&h, &a));
            hand_expect(&h, &a, requests[i].words, requests[i].handshake);
            assert_true(hand_finish(&h, &a)); /* nothing of that was in its way */
            hand_expect(&h, &a, requests[i].words, requests[i].inside);
            pair_close(&p);
        }
    }
}

/* Outside, what belongs into a session. */
static void test_outside(void **state)
{
    static const char *const words[] = {"vv e8 00 00", "vv e9 01 00", "vv ec 00 00", "vv e7 00 00 big"};

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        begin(versions[v], 1, 0);
        assert_true(hand_key_exchange(&h, &a));
        assert_true(hand_finish(&h, &a));
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            hand_expect(&h, NULL, words[i], v == 0 ? "vv 7f 05 00" : "vv 7f 0b 00");
        }
        use(&a);
        pair_close(&p);
    }
}

/* A vendor's request: in a handshake of KEY_EXCHANGE alone, and in a session (withstand 16, R-VDR-07, R-PSK-17). */
static void test_vendor(void **state)
{
    static const char vendor[] = "vv fe 00 00 0300 02 b41a 0100 07";

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        begin(versions[v], 2, 0);
        assert_true(hand_key_exchange(&h, &a));
        hand_expect(&h, &a, vendor, "vv 7e");
        assert_true(hand_psk_exchange(&h, &b));
        hand_expect(&h, &b, vendor, "vv 7f 04 00");
        assert_true(hand_finish(&h, &a));
        assert_true(hand_finish(&h, &b));
        hand_expect(&h, &a, vendor, "vv 7e");
        hand_expect(&h, &b, vendor, "vv 7e");
        pair_close(&p);
    }
}

/* With mutual authentication nothing but its own messages may come before FINISH (R-MUT-03, R-MUT-05). */
static void test_vendor_mutual(void **state)
{
    static const uint8_t kinds[] = {1, 2, 4};

    (void)state;
    for (size_t i = 0; i < sizeof kinds; i++) {
        prepare(SPDM_V13, 1, 0);
        pair_mutual(&p);
        p.rsp_policy.mut_auth = kinds[i];
        pair_start(&p);
        hand_connect(&h, &p);
        assert_true(hand_key_exchange(&h, &a));
        assert_int_equal(a.mut_auth, kinds[i]);
        struct spdm_span got = hand_talk(&h, &a, "vv fe 00 00 0300 02 b41a 0100 07");
        assert_true(got.n == 4 && got.p[1] == 0x7f && (got.p[2] == 0x04 || got.p[2] == 0x08));
        pair_close(&p);
    }
}

/* ---- starting over (withstand 12, 13) ---- */

static void test_bad_version(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        begin(versions[v], 2, 0);
        assert_true(hand_key_exchange(&h, &a));
        assert_true(hand_finish(&h, &a));
        assert_true(hand_psk_exchange(&h, &b));
        hand_expect(&h, NULL, "vv 84 00 00", "10 7f 41 00");
        hand_expect(&h, NULL, "10 84 00", "-");
        hand_expect(&h, NULL, "12 84", "-");
        assert_true(hand_finish(&h, &b));
        use(&b);
        use(&a);
        pair_close(&p);
    }
}

static void test_restart(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10000; i++) {
        if (i % 2000 == 0) begin(versions[i / 2000 % 4], 2, i == 8000 ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0);
        if (i % 2000 != 0) {
            spdm_requester_reset(p.rq);
            hand_connect(&h, &p);
        }
        assert_true(hand_key_exchange(&h, &a));
        if (i % 3 != 0) assert_true(hand_finish(&h, &a));
        assert_true(hand_psk_exchange(&h, &b));
        if (i % 5 != 0) assert_true(hand_finish(&h, &b));
        hand_expect(&h, NULL, "10 84 00 00", "10 04");
        assert_int_equal(p.toy.open, 0);
        assert_false(alive(a.id) || alive(b.id));
        assert_int_equal(hand_talk(&h, &b, "vv ec 00 00").n, 0); /* keys that nobody has any more */
        if (i % 2000 == 1999) pair_close(&p);
    }
}

/* ---- the DIGESTS that counts (withstand 31) ---- */

static void test_digests(void **state)
{
    static uint8_t kept[512];

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        bool first = i % 2 == 0, multi_key = i >= 2;
        struct spdm_span got;

        prepare(SPDM_V13, 1, 0);
        if (multi_key) p.rsp_policy.flags |= SPDM_MULTI_KEY_CAP_ONLY | SPDM_GET_KEY_PAIR_INFO_CAP;
        p.identity.slot[0].usage = SPDM_USE_KEY_EX | SPDM_USE_MEASUREMENT;
        p.identity.slot[0].key_pair_id = 1;
        pair_start(&p);
        hand_connect(&h, &p);
        if (!first) hand_expect(&h, NULL, "vv e0 00 00 context", "vv 60");
        got = hand_talk(&h, NULL, "vv 81 00 00");
        assert_true(got.n > 4 && got.n <= sizeof kept && got.p[1] == 0x01);
        memcpy(kept, got.p, got.n);
        if (first && multi_key) h.digests = spdm_span(kept, got.n);
        hand_expect(&h, NULL, "vv 81 00 00", "vv 01"); /* the second never counts */
        assert_true(hand_key_exchange(&h, &a));
        assert_true(hand_finish(&h, &a));
        use(&a);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_mode),     cmocka_unit_test(test_other_mode_in_the_clear),
        cmocka_unit_test(test_crossed),        cmocka_unit_test(test_crossed_both),
        cmocka_unit_test(test_without_psk),    cmocka_unit_test(test_without_psk_or_context),
        cmocka_unit_test(test_finish_opaque),  cmocka_unit_test(test_finish_cut),
        cmocka_unit_test(test_wrong_hmac),     cmocka_unit_test(test_exchange_refused),
        cmocka_unit_test(test_mutual_missing), cmocka_unit_test(test_finish_place),
        cmocka_unit_test(test_phases),         cmocka_unit_test(test_outside),
        cmocka_unit_test(test_vendor),         cmocka_unit_test(test_vendor_mutual),
        cmocka_unit_test(test_bad_version),    cmocka_unit_test(test_restart),
        cmocka_unit_test(test_digests)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
