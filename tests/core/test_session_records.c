/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What an open session of a responder withstands: records that are replayed,
 * cut or lie about their length, sequence numbers at their limit, key updates
 * out of order and half done, deferred answers fetched by others (withstand 14,
 * 15, 18 to 23). A requester by hand seals what it wants. */
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

static void prepare(uint8_t version, size_t sessions)
{
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    pair_sessions(&p, sessions);
}

static void open_session(struct hand_session *s)
{
    assert_true(hand_key_exchange(&h, s));
    assert_true(hand_finish(&h, s));
    assert_true(hand_agrees(&h, s));
}

static void begin(uint8_t version, size_t sessions)
{
    prepare(version, sessions);
    pair_start(&p);
    hand_connect(&h, &p);
    open_session(&a);
}

static bool alive(uint32_t id)
{
    struct spdm_session_facts facts;

    return spdm_responder_session(p.rs, id, &facts);
}

static uint64_t received(uint32_t id)
{
    struct spdm_session_facts facts;

    assert_true(spdm_responder_session(p.rs, id, &facts));
    return facts.received;
}

static void works(struct hand_session *s)
{
    hand_expect(&h, s, "vv 81 00 00", "vv 01");
}

/* Hands over the first n bytes of the hand's frame. */
static struct spdm_span push(struct hand_session *s, size_t n)
{
    n = pair_request(&p, h.frame, n, h.answer);
    if (n == 0) return (struct spdm_span){0};
    return h.answer[0] == 5 ? spdm_span(h.answer + 1, n - 1) : hand_open(&h, s, spdm_span(h.answer, n));
}

static size_t seal(struct hand_session *s, const char *words)
{
    uint8_t message[64];

    return hand_seal(&h, s, spdm_span(message, talk_bytes(words, h.version, message)), false);
}

/* ---- a session that is not open yet ---- */

/* While the device signs its KEY_EXCHANGE_RSP the session has an id that can be guessed, and no keys. */
static void test_record_too_early(void **state)
{
    static uint8_t record[40] = {6, 1, 1, 0xff, 0xff, 0, 0, 30, 0};
    struct spdm_span out;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v], 1);
        p.sign_delay = 1000;
        pair_start(&p);
        hand_connect(&h, &p);
        uint8_t message[512];
        size_t n = hand_key_exchange_bytes(&h, &a, message);
        h.frame[0] = 5;
        memcpy(h.frame + 1, message, n);
        assert_int_equal(pair_request(&p, h.frame, n + 1, h.answer), 0); /* it takes its time */
        assert_int_equal(pair_request(&p, record, sizeof record, h.answer), 0);
        assert_int_equal(p.closed_rs, 0);
        p.now += 1000;
        pair_deliver(&p, true, (const uint8_t *)"\0", 1); /* no frame: the signature is handed over */
        out = spdm_responder_pull(p.rs, p.now);
        assert_true(out.n > 4 && out.p[2] == 0x64);
        pair_close(&p);
    }
}

/* ---- replayed, out of order, cut (withstand 21) ---- */

static size_t bad_record(unsigned i, size_t n)
{
    switch (i) {
    case 0: h.frame[n - 1] ^= 1; return n; /* the tag */
    case 1: h.frame[12] ^= 1; return n;    /* the ciphertext */
    case 2: h.frame[7] ^= 2; return n;     /* Length */
    case 3: h.frame[5] ^= 1; return n;     /* the sequence number on the wire */
    case 4: return n - 1;
    case 5: return 9;
    case 6: return 9 + 16;
    default: h.frame[7] = 0xff; return n;
    }
}
enum { BAD_RECORDS = 8 };

/* Dropped by policy: the counter stands where it stood, and the record itself, unharmed, still opens. */
static void test_dropped(void **state)
{
    uint8_t good[PAIR_BUFFER];

    (void)state;
    for (unsigned i = 0; i < BAD_RECORDS; i++) {
        prepare(SPDM_V12, 1);
        p.rsp_policy.drop_bad_records = true;
        pair_start(&p);
        hand_connect(&h, &p);
        open_session(&a);
        size_t n = seal(&a, "vv 81 00 00");
        memcpy(good, h.frame, n);
        uint64_t before = received(a.id);
        assert_int_equal(push(&a, bad_record(i, n)).n, 0);
        assert_int_equal(received(a.id), before);
        assert_int_equal(p.refused.why, SPDM_WHY_BAD_RECORD);
        memcpy(h.frame, good, n);
        assert_true(push(&a, n).n > 4);
        assert_int_equal(received(a.id), before + 1);
        memcpy(h.frame, good, n); /* the same again: replayed */
        assert_int_equal(push(&a, n).n, 0);
        assert_int_equal(received(a.id), before + 1);
        b = a; /* one too far: the one between is missing */
        b.lane[REQUEST].sequence++;
        assert_int_equal(push(&a, seal(&b, "vv 81 00 00")).n, 0);
        works(&a);
        pair_close(&p);
    }
}

/* Otherwise DecryptError under the session's key, and the end of it; other sessions go on. */
static void test_broken(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BAD_RECORDS; i++) {
        begin(versions[i % 4], 2);
        open_session(&b);
        struct spdm_span got = push(&a, bad_record(i, seal(&a, "vv 81 00 00")));
        assert_true(got.n == 4 && got.p[1] == 0x7f && got.p[2] == 0x06);
        assert_false(alive(a.id));
        assert_int_equal(p.closed_rs, a.id);
        assert_int_equal(p.closed_why_rs.why, SPDM_WHY_BAD_RECORD);
        assert_int_equal(push(&a, seal(&a, "vv 81 00 00")).n, 0);
        works(&b);
        pair_close(&p);
    }
}

/* In the handshake the same: DecryptError under its keys, and the place is free. */
static void test_broken_handshake(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v], 1);
        pair_start(&p);
        hand_connect(&h, &p);
        assert_true(hand_key_exchange(&h, &a));
        struct spdm_span got = push(&a, bad_record(0, seal(&a, "vv e5 00 00")));
        assert_true(got.n == 4 && got.p[1] == 0x7f && got.p[2] == 0x06);
        assert_false(alive(a.id));
        open_session(&a);
        pair_close(&p);
    }
}

/* Application data does not belong into a handshake (R-APP-06). */
static void test_data_in_handshake(void **state)
{
    (void)state;
    prepare(SPDM_V13, 1);
    pair_start(&p);
    hand_connect(&h, &p);
    assert_true(hand_key_exchange(&h, &a));
    (void)push(&a, hand_seal(&h, &a, (struct spdm_span){(const uint8_t *)"\x7e data", 6}, true));
    assert_int_equal(p.data_rs_n, 0);
    assert_false(alive(a.id));
    pair_close(&p);
}

/* ---- ApplicationDataLength lies (withstand 22) ---- */

/* A record of 7 bytes of plaintext whose length field says `inner`. */
static size_t lying(struct hand_session *s, unsigned inner)
{
    uint8_t plain[] = {(uint8_t)inner, (uint8_t)(inner >> 8), 5, h.version, 0x81, 0, 0}, iv[12];
    struct hand_lane *lane = &s->lane[REQUEST];
    struct spdm_span in = {plain, sizeof plain};
    struct spdm_aead op = {.iv = iv, .in = &in, .in_n = 1, .out = h.frame + 9, .tag = h.frame + 16};

    memset(h.frame, 0, 9);
    h.frame[0] = 6;
    for (unsigned i = 0; i < 4; i++) h.frame[1 + i] = (uint8_t)(s->id >> 8 * i);
    h.frame[5] = (uint8_t)lane->sequence;
    h.frame[7] = sizeof plain + 16;
    op.aad[0] = spdm_span(h.frame + 1, 8);
    memcpy(iv, lane->iv, sizeof iv);
    iv[0] ^= (uint8_t)lane->sequence++;
    assert_true(toy_crypto.aead_seal(&h.toy, lane->state, &op));
    return 9 + sizeof plain + 16;
}

static void test_length_lies(void **state)
{
    static const unsigned lies[] = {7, 6, 0xffff, 0x100, 7 + 16, 0};

    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        begin(SPDM_V13, 1);
        struct spdm_span got = push(&a, lying(&a, lies[i]));
        assert_true(got.n == 4 && got.p[1] == 0x7f && got.p[2] == 0x06);
        assert_false(alive(a.id));
        pair_close(&p);
    }
    begin(SPDM_V13, 1); /* and what does not lie opens; less is random data */
    assert_true(push(&a, lying(&a, 5)).p[1] == 0x01);
    pair_close(&p);
}

/* ---- the last sequence number (withstand 20) ---- */

/* 2^3 - 1 is the last number that may be used, whoever of both asked for it. */
static void limited(uint8_t ours, uint8_t theirs, unsigned last)
{
    prepare(SPDM_V13, 1);
    p.rsp_policy.aead_limit_exponent = ours;
    pair_start(&p);
    hand_connect(&h, &p);
    h.aead_limit = theirs;
    open_session(&a);
    assert_int_equal(a.secured_version, theirs != 0 ? 0x1300 : 0x1200);
    for (unsigned i = 0; i < last; i++) works(&a);
    if (last > 7) {
        pair_close(&p);
        return;
    }
    works(&a); /* number `last` itself */
    b = a;
    assert_int_equal(hand_talk(&h, &a, "vv 81 00 00").n, 0);
    assert_false(alive(a.id));
    assert_int_equal(p.closed_rs, a.id);
    b.lane[REQUEST].sequence = 0; /* it has not wrapped */
    assert_int_equal(hand_talk(&h, &b, "vv 81 00 00").n, 0);
    pair_close(&p);
}

static void test_limit(void **state)
{
    (void)state;
    limited(0, 3, 7);
    limited(3, 60, 7);
    limited(3, 64, 7);
    limited(5, 3, 7);
    limited(2, 3, 3);
    limited(3, 0, 20); /* no limit was agreed on: below 1.3 there is none */
    limited(0, 0, 20);
}

/* With new keys numbers begin anew. */
static void test_limit_and_update(void **state)
{
    (void)state;
    prepare(SPDM_V13, 1);
    pair_start(&p);
    hand_connect(&h, &p);
    h.aead_limit = 3;
    open_session(&a);
    for (unsigned i = 0; i < 20; i++) {
        works(&a);
        works(&a);
        struct spdm_span got;
        size_t n = seal(&a, "vv e9 02 07");
        hand_update(&h, &a, RESPONSE);
        got = push(&a, n);
        assert_true(got.n == 4 && got.p[1] == 0x69);
        hand_update(&h, &a, REQUEST);
        hand_expect(&h, &a, "vv e9 03 08", "vv 69 03 08");
    }
    works(&a);
    pair_close(&p);
}

/* A direction whose numbers are used up by data alone: who cannot answer any more has no session either. */
static void test_limit_of_data(void **state)
{
    static const uint8_t data[] = "\x7e data", secret[] = "a measurement that only the session may see";

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        unsigned sent = 0;

        prepare(SPDM_V13, 1);
        p.measurements[0].value = (struct spdm_span){secret, sizeof secret};
        p.measurements[0].raw = true;
        p.rsp_policy.aead_limit_exponent = 3;
        pair_start(&p);
        hand_connect(&h, &p);
        h.aead_limit = 60;
        open_session(&a);
        while (sent < 8) {
            assert_true(spdm_responder_send(p.rs, a.id, (struct spdm_span){data, 6}));
            assert_int_not_equal(spdm_responder_pull(p.rs, p.now).n, 0);
            sent++;
        }
        assert_true(alive(a.id));
        if (i == 0) assert_false(spdm_responder_send(p.rs, a.id, (struct spdm_span){data, 6}));
        else assert_int_equal(hand_talk(&h, &a, "vv e0 02 ff context").n, 0);
        assert_false(alive(a.id));
        for (size_t at = 0; at < PAIR_BUFFER - 40;
             at++) /* what could not be sealed is not left behind (withstand 25) */
            assert_int_not_equal(memcmp(p.rs_out + at, secret, sizeof secret), 0);
        pair_deliver(&p, true, data, 1); /* no frame: events are fetched */
        assert_int_equal(p.closed_rs, a.id);
        assert_int_equal(p.closed_why_rs.why, SPDM_WHY_SPENT);
        pair_close(&p);
    }
}

/* ---- byte order of the nonce (withstand 23) ---- */

/* Reverses the order in which the hand's sequence numbers enter the nonce: number 1, 2 ... as the bytes of another. */
static void test_nonce_order(void **state)
{
    static const struct {
        bool big;
        uint8_t secured; /* what our policy speaks, bit n for 1.n */
        bool works;
    } rows[] = {{false, 0x07, true}, {true, 0x01, false}, {true, 0x02, false}, {true, 0x04, true}, {true, 0x07, true}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        prepare(SPDM_V12, 1);
        p.rsp_policy.big_endian_nonce = rows[i].big;
        p.rsp_policy.secured_versions = rows[i].secured;
        pair_start(&p);
        hand_connect(&h, &p);
        open_session(&a);
        works(&a); /* number 0 is the same in both */
        assert_true((hand_talk(&h, &a, "vv 81 00 00").n > 4) == rows[i].works);
        assert_true(alive(a.id) == rows[i].works);
        pair_close(&p);
    }
}

/* ---- KEY_UPDATE (withstand 18, 19) ---- */

/* `anew`: UpdateAllKeys moves the response key, it has not been done before. */
static void update_with(unsigned operation, const char *tag, bool anew)
{
    char words[32];
    struct spdm_span got;
    size_t n;

    snprintf(words, sizeof words, "vv e9 0%u %s", operation, tag);
    n = seal(&a, words);
    if (operation == 2 && anew) hand_update(&h, &a, RESPONSE);
    got = push(&a, n);
    assert_true(got.n == 4 && got.p[1] == 0x69 && got.p[2] == operation);
}

static void update(unsigned operation, const char *tag)
{
    update_with(operation, tag, true);
}

/* Out of order: refused, and the keys of before still work. */
static void test_update_order(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        begin(versions[v], 1);
        hand_expect(&h, &a, "vv e9 03 01", "vv 7f 01 00"); /* nothing to verify */
        hand_expect(&h, &a, "vv e9 00 01", "vv 7f 01 00");
        hand_expect(&h, &a, "vv e9 04 01", "vv 7f 01 00");
        hand_expect(&h, &a, "vv e9 01", "-"); /* too short to be a message */
        hand_expect(&h, &a, "vv e9 01 00 00", "vv 7f 01 00");
        works(&a);
        for (unsigned operation = 1; operation <= 2; operation++) {
            update(operation, "05");
            hand_update(&h, &a, REQUEST);
            hand_expect(&h, &a, "vv e9 01 06", "vv 7f 01 00"); /* the last one is not verified */
            hand_expect(&h, &a, "vv e9 02 07", "vv 7f 01 00");
            works(&a); /* other messages may come between */
            hand_expect(&h, &a, "vv e9 03 08", "vv 69 03 08");
            hand_expect(&h, &a, "vv e9 03 08", "vv 69 03 08"); /* a retry */
            hand_expect(&h, &a, "vv e9 03 09", "vv 7f 01 00");
            works(&a);
        }
        pair_close(&p);
    }
}

/* The requester did not follow: one record under the old key brings it back, and the new one is gone for good. */
static void test_rollback(void **state)
{
    (void)state;
    for (unsigned operation = 1; operation <= 2; operation++) {
        begin(SPDM_V13, 1);
        update(operation, "01");
        b = a;
        hand_update(&h, &b, REQUEST); /* b is who did follow */
        works(&a);
        works(&a);
        struct spdm_span got = hand_talk(&h, &b, "vv 81 00 00");
        assert_true(got.n == 0 || got.p[1] == 0x7f);
        assert_false(alive(a.id));
        pair_close(&p);
    }
    begin(SPDM_V13, 1); /* and once the new key has been verified, the old one is gone */
    update(1, "01");
    b = a;
    hand_update(&h, &a, REQUEST);
    hand_expect(&h, &a, "vv e9 03 02", "vv 69 03 02");
    (void)hand_talk(&h, &b, "vv 81 00 00");
    assert_false(alive(a.id));
    pair_close(&p);
}

/* The ACK is lost, the requester tries again under the old key, with the same tag (R-KUP-04, UN-27): it is
 * acknowledged again, with UpdateAllKeys under the response key that is new since the first time; with another tag it
 * is another update. So is the next, whatever its tag. */
static void test_lost_ack(void **state)
{
    (void)state;
    for (unsigned operation = 1; operation <= 2; operation++) {
        for (unsigned lost = 1; lost <= 6; lost++) {
            bool other = lost > 3;

            begin(versions[lost % 4], 1);
            for (unsigned i = 0; i < (other ? 1 : lost); i++) {
                char words[32];

                snprintf(words, sizeof words, "vv e9 0%u 21", operation);
                (void)pair_request(&p, h.frame, seal(&a, words), h.answer);
                /* whatever the answer was, the hand has not seen it */
                if (i == 0 && operation == 2) hand_update(&h, &a, RESPONSE);
                a.lane[RESPONSE].sequence++;
            }
            update_with(operation, other ? "23" : "21", other);
            for (unsigned i = 0; i < 2; i++) {
                hand_update(&h, &a, REQUEST);
                hand_expect(&h, &a, "vv e9 03 22", "vv 69 03 22");
                works(&a);
                update(operation, "22");
            }
            pair_close(&p);
        }
    }
}

/* ---- deferred answers (withstand 14, 15) ---- */

/* The device takes its time for a request of session a, or from outside; nobody else gets the answer, and who was told
 * to come again does. */
static void test_deferred(void **state)
{
    static const char *const others[] = {"vv ff e0 02", "vv ff e0 00", "vv ff 81 01", "vv ff ff 01"};

    (void)state;
    for (size_t v = 0; v < 2 * sizeof versions; v++) {
        bool inside = v % 2 == 0;
        struct hand_session *asks = inside ? &a : NULL, *other = inside ? NULL : &a;
        struct spdm_answer answer = {.yes = true, .measurements = p.measurements, .measurement_n = 2};

        begin(versions[v / 2], 2);
        open_session(&b);
        p.silent = true;
        hand_expect(&h, asks, "vv e0 00 ff context", "-");
        p.now += 1000000;
        /* ResponseNotReady comes where the request came */
        pair_deliver(&p, true, (const uint8_t *)"\x7f", 1);
        struct spdm_span out = spdm_responder_pull(p.rs, p.now);
        assert_int_equal(out.p[0], inside ? 6 : 5);
        struct spdm_span said = inside ? hand_open(&h, &a, out) : spdm_span(out.p + 1, out.n - 1);
        assert_true(said.n == 8 && said.p[2] == 0x42 && said.p[5] == 0xe0 && said.p[6] == 1);
        hand_expect(&h, other, "vv ff e0 01", "vv 7f 04 00");
        hand_expect(&h, &b, "vv ff e0 01", "vv 7f 04 00");
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) hand_expect(&h, asks, others[i], "vv 7f 01 00");
        answer.ticket = p.open.ticket;
        answer.measurements = p.measurements;
        assert_true(spdm_responder_answer(p.rs, &answer));
        hand_expect(&h, other, "vv ff e0 01", "vv 7f 04 00");
        hand_expect(&h, &b, "vv ff e0 01", "vv 7f 04 00");
        hand_expect(&h, asks, "vv ff e0 01", "vv 60");
        hand_expect(&h, asks, "vv ff e0 01", "vv 7f 01 00"); /* it has been handed out */
        p.silent = false;
        works(&a);
        works(&b);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_record_too_early),
                                       cmocka_unit_test(test_dropped),
                                       cmocka_unit_test(test_broken),
                                       cmocka_unit_test(test_broken_handshake),
                                       cmocka_unit_test(test_data_in_handshake),
                                       cmocka_unit_test(test_length_lies),
                                       cmocka_unit_test(test_limit),
                                       cmocka_unit_test(test_limit_and_update),
                                       cmocka_unit_test(test_limit_of_data),
                                       cmocka_unit_test(test_nonce_order),
                                       cmocka_unit_test(test_update_order),
                                       cmocka_unit_test(test_rollback),
                                       cmocka_unit_test(test_lost_ack),
                                       cmocka_unit_test(test_deferred)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
