/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What sessions need of a connection (R-KEX-49, R-KEX-17, R-KEX-15, R-KEX-28,
 * LQ-18): one thing at a time is missing, a requester that does not look asks
 * all the same and is refused, one that does says what is missing. No session
 * is ever without encryption, a key schedule or the capability of both sides
 * because nobody looked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/pair.h"
#include "support/talk.h"

enum { RANDOM_AT = 8, EXCHANGE_AT = 40, EXCHANGE = 96, CONTEXT_AT = 12, CONTEXT = 32 };

static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};
static struct pair p;

/* What is missing, and the ERROR for either exchange; 0: it opens all the same. */
enum lack { NOTHING, AEAD, GROUP, MAC_RQ, MAC_RS, FORMAT, KEY_EX_RQ, KEY_EX_RS, PSK_RQ, PSK_RS, USAGE, LACKS };
static const struct {
    const char *name;
    uint8_t key_exchange, psk_exchange;
} lacks[LACKS] = {
    [NOTHING] = {"nothing", 0, 0},
    [AEAD] = {"an AEAD", 0x43, 0x43},
    [GROUP] = {"a key exchange algorithm", 0x43, 0},
    [MAC_RQ] = {"MAC_CAP of the requester", 0x01, 0x01},
    [MAC_RS] = {"MAC_CAP of the responder", 0x01, 0x01},
    [FORMAT] = {"OpaqueDataFmt1", 0x01, 0x01},
    [KEY_EX_RQ] = {"KEY_EX_CAP of the requester", 0x07, 0},
    [KEY_EX_RS] = {"KEY_EX_CAP of the responder", 0x07, 0},
    [PSK_RQ] = {"PSK_CAP of the requester", 0, 0x07},
    [PSK_RS] = {"PSK_CAP of the responder", 0, 0x07},
    [USAGE] = {"a key for key exchange in the slot", 0x01, 0},
};

static void prepare(uint8_t version, enum lack lack)
{
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    pair_sessions(&p, 1);
    if (lack == AEAD) p.rsp_policy.aeads = NULL;
    if (lack == GROUP) p.rsp_policy.exchanges = NULL;
    if (lack == MAC_RQ) p.req_policy.flags &= ~SPDM_MAC_CAP;
    if (lack == MAC_RS) p.rsp_policy.flags &= ~SPDM_MAC_CAP;
    if (lack == FORMAT) p.rsp_policy.opaque_formats = 1;
    if (lack == FORMAT) p.req_policy.opaque_formats = 3;
    if (lack == KEY_EX_RQ) p.req_policy.flags &= ~SPDM_KEY_EX_CAP;
    if (lack == KEY_EX_RS) p.rsp_policy.flags &= ~SPDM_KEY_EX_CAP;
    if (lack == PSK_RS) p.rsp_policy.flags &= ~SPDM_PSK_CAP_MASK;
    if (lack == PSK_RQ) p.req_policy.flags &= ~SPDM_PSK_CAP_MASK;
    if (lack == USAGE) {
        p.rsp_policy.flags |= SPDM_MULTI_KEY_CAP_ONLY | SPDM_GET_KEY_PAIR_INFO_CAP;
        p.identity.slot[0].usage = SPDM_USE_CHALLENGE | SPDM_USE_MEASUREMENT;
        p.identity.slot[0].key_pair_id = 1;
    }
    pair_start(&p);
    assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}));
}

/* An exchange as somebody would say it who has not looked; without a group it has no room for ExchangeData. */
static struct spdm_span exchange(uint8_t version, bool psk, bool group)
{
    static uint8_t m[400];
    static const uint8_t legacy[] = {0x46, 0x54, 0x4d, 0x44, 1, 1, 0, 0}, general[] = {1, 0, 0, 0},
                         element[] = {0, 0, 5, 0, 1, 1, 1, 0x00, 0x11, 0, 0, 0};
    uint8_t head = version < SPDM_V12 ? sizeof legacy : sizeof general, opaque = (uint8_t)(head + sizeof element);
    uint64_t state[4] = {0};
    struct toy toy = {0};
    size_t at = EXCHANGE_AT;

    memset(m, 0, sizeof m);
    m[0] = version;
    m[1] = psk ? 0xe6 : 0xe4;
    m[4] = 1;
    if (psk) { /* no hint, and a context */
        m[8] = CONTEXT;
        m[10] = opaque;
        at = CONTEXT_AT + CONTEXT;
    } else {
        assert_true(toy_crypto.exchange_begin(&toy, state, SPDM_SECP384R1, m + EXCHANGE_AT));
        if (group) at += EXCHANGE;
        m[at++] = opaque;
        m[at++] = 0;
    }
    memcpy(m + at, version < SPDM_V12 ? legacy : general, head);
    memcpy(m + at + head, element, sizeof element);
    return (struct spdm_span){m, at + opaque};
}

static void expect(uint8_t version, enum lack lack, bool psk)
{
    uint8_t want = psk ? lacks[lack].psk_exchange : lacks[lack].key_exchange;
    struct spdm_span got = talk_bytes_to(&p, exchange(version, psk, lack != GROUP));

    if (got.n > 4 && want == 0 && got.p[1] == (psk ? 0x66 : 0x64)) return;
    if (got.n >= 4 && want != 0 && got.p[1] == 0x7f && got.p[2] == want) return;
    fail_msg("1.%u, without %s, %s: %zu bytes, %02x %02x", version & 15u, lacks[lack].name,
             psk ? "PSK" : "KEY_EXCHANGE", got.n, got.n > 1 ? got.p[1] : 0, got.n > 2 ? got.p[2] : 0);
}

static void test_responder(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        for (unsigned lack = NOTHING; lack < LACKS; lack++) {
            if (lack == FORMAT && versions[v] < SPDM_V12) continue;
            if (lack == USAGE && versions[v] < SPDM_V13) continue;
            for (unsigned psk = 0; psk < 2; psk++) {
                prepare(versions[v], (enum lack)lack);
                expect(versions[v], (enum lack)lack, psk != 0);
                pair_close(&p);
            }
        }
    }
}

/* Fields of an exchange that need something of the connection, or of each other: a summary needs measurements
 * (R-KEX-15), EventAllPolicy events (R-KEX-26, since 1.3), a RequesterContext 32 bytes (R-PSK-07) and not exactly
 * those. */
static void test_fields(void **state)
{
    static const struct {
        uint8_t summary, policy, context, error; /* the ERROR, 0: none */
        bool measures, psk_only;
    } rows[] = {
        {0, 0, 32, 0, false, false},  {1, 0, 32, 0x01, false, false}, {0xff, 0, 32, 0x01, false, false},
        {1, 0, 32, 0, true, false},   {0xff, 0, 32, 0, true, false},  {2, 0, 32, 0x01, true, false},
        {0, 1, 32, 0, true, false},   {0, 2, 32, 0x01, true, false},  {0, 3, 32, 0x01, true, false},
        {0, 0, 31, 0x01, true, true}, {0, 0, 0, 0x01, true, true},    {0, 0, 33, 0, true, true},
        {0, 0, 100, 0, true, true},
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof versions * (sizeof rows / sizeof *rows); i++) {
        size_t row = i / 2 / sizeof versions, context = rows[row].context;
        uint8_t version = versions[i / 2 % sizeof versions], error = rows[row].error, message[500];
        bool psk = i % 2 == 1;
        struct spdm_span m, got;

        if (rows[row].psk_only && !psk) continue;
        if ((rows[row].policy & 2) != 0 && version < SPDM_V13) error = 0; /* not there, or nothing yet */
        pair_init(&p);
        memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
        p.req_policy.versions[0] = version;
        pair_sessions(&p, 1);
        if (!rows[row].measures) p.rsp_policy.flags &= ~(SPDM_MEAS_CAP_MASK | SPDM_MEAS_FRESH_CAP);
        pair_start(&p);
        assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}));
        m = exchange(version, psk, true);
        memcpy(message, m.p, m.n);
        message[2] = rows[row].summary;
        message[psk ? 3 : 6] = rows[row].policy;
        if (psk) {
            message[8] = (uint8_t)context;
            memset(message + CONTEXT_AT, 0, context);
            memcpy(message + CONTEXT_AT + context, m.p + CONTEXT_AT + CONTEXT, m.n - CONTEXT_AT - CONTEXT);
            m.n = m.n - CONTEXT + context;
        }
        got = talk_bytes_to(&p, (struct spdm_span){message, m.n});
        if (error != 0 ? got.n != 4 || got.p[1] != 0x7f || got.p[2] != error
                       : got.n < 8 || got.p[1] != (psk ? 0x66 : 0x64))
            fail_msg("1.%u, %s, row %zu: %zu bytes, %02x %02x", version & 15u, psk ? "PSK" : "KEY_EXCHANGE", row, got.n,
                     got.n > 1 ? got.p[1] : 0, got.n > 2 ? got.p[2] : 0);
        pair_close(&p);
    }
}

/* The requester asks for nothing that cannot be. */
static void test_requester(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        for (unsigned lack = NOTHING; lack < USAGE; lack++) {
            if (lack == FORMAT && versions[v] < SPDM_V12) continue;
            for (unsigned psk = 0; psk < 2; psk++) {
                struct spdm_goal goal = {.want = psk ? SPDM_WANT_PSK_SESSION : SPDM_WANT_SESSION,
                                         .psk_hint = {(const uint8_t *)"hint", 4}};
                bool can = (psk ? lacks[lack].psk_exchange : lacks[lack].key_exchange) == 0;

                prepare(versions[v], (enum lack)lack);
                if (pair_run(&p, &goal) != can) fail_msg("without %s", lacks[lack].name);
                if (!can) assert_int_equal(p.failure.why, SPDM_WHY_CANNOT);
                pair_close(&p);
            }
        }
    }
}

/* ---- mutual authentication ---- */

static struct {
    unsigned get, deliver;
    uint8_t first_id;
} flow;

static size_t count_flow(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)pair;
    if (!to_responder || frame[0] != 5) return n;
    if (frame[2] == 0xea) flow.get++;
    if (frame[2] == 0xeb && flow.deliver++ == 0) flow.first_id = frame[3];
    return n;
}

static void begin_mutual(uint8_t mode, uint32_t without, uint8_t slot)
{
    uint8_t digest[SPDM_HASH_MAX];
    struct pair turned;
    size_t n;

    memset(&flow, 0, sizeof flow);
    pair_init(&p);
    p.req_policy.versions[0] = SPDM_V13;
    pair_sessions(&p, 1);
    pair_mutual(&p);
    p.req_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
    p.rsp_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
    if (without == SPDM_CERT_CAP) p.req_policy.flags |= SPDM_PUB_KEY_ID_CAP;
    if (without == SPDM_CERT_CAP) without |= SPDM_CHAL_CAP;
    p.req_policy.flags &= ~without;
    p.rsp_policy.mut_auth = mode;
    p.rsp_policy.mut_auth_slot = slot;
    p.wire = count_flow;
    pair_start(&p);
    turned.identity = p.rq_identity;
    n = pair_digest(&turned, 2, SPDM_SHA_384, digest);
    if (mode == 1) spdm_responder_trust(p.rs, 2, (struct spdm_span){digest, n}, p.rq_trusted);
}

/* It is asked for in the way that policy wants, if the requester can be asked in that way, and otherwise not; what is
 * told of the session afterwards says which it was (R-KEX-30 to R-KEX-33, R-MUT-09, R-ENC-17). */
static void test_mutual(void **state)
{
    static const uint32_t without[] = {0, SPDM_MUT_AUTH_CAP, SPDM_ENCAP_CAP, SPDM_CERT_CAP};

    (void)state;
    for (uint8_t mode = 1; mode <= 4; mode = (uint8_t)(2 * mode)) {
        for (size_t i = 0; i < sizeof without / sizeof *without; i++) {
            bool can = without[i] == 0 || (mode == 1 && without[i] == SPDM_ENCAP_CAP);
            struct spdm_session_facts facts;

            if (mode == 1 && without[i] == SPDM_CERT_CAP) continue; /* a key, which nobody has vouched for */
            begin_mutual(mode, without[i], 2);
            assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_SESSION}));
            assert_true(spdm_responder_session(p.rs, p.opened_rs, &facts));
            assert_int_equal(facts.mut_auth, can ? mode : 0);
            assert_true(facts.proven == can);
            assert_int_equal(p.signed_by_rq, can);
            assert_int_equal(flow.get, can && mode == 2);
            assert_true((flow.deliver != 0) == (can && mode != 1));
            assert_int_equal(flow.first_id, can && mode == 2);
            pair_close(&p);
        }
    }
    begin_mutual(1, 0, 0); /* another slot than the one that was vouched for */
    assert_false(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_SESSION}));
    assert_int_equal(p.opened_rs, 0);
    pair_close(&p);
}

/* Without the capability of both sides there are no envelopes at all. */
static void test_no_envelopes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        begin_mutual(2, SPDM_ENCAP_CAP, 2);
        if (i == 1) p.req_policy.flags |= SPDM_ENCAP_CAP;
        if (i == 1) p.rsp_policy.flags &= ~SPDM_ENCAP_CAP;
        assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}));
        talk_expect(&p, SPDM_V13, "vv ea 00 00", "vv 7f 07 ea");
        talk_expect(&p, SPDM_V13, "vv eb 01 00 vv 01 00 01", "vv 7f 07 eb");
        pair_close(&p);
    }
}

/* ---- room ---- */

/* Buffers of every size, each a block of its own: what does not fit is refused, on both sides, and nothing is written
 * behind an end. */
static void test_rooms(void **state)
{
    unsigned opened = 0, refused = 0;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        for (size_t n = 48; n < 480; n++) {
            const struct spdm_goal connect = {.want = SPDM_WANT_IDENTITY};
            struct spdm_goal goal = {.want = i % 2 == 0 ? SPDM_WANT_SESSION : SPDM_WANT_PSK_SESSION,
                                     .psk_hint = {(const uint8_t *)"hint", 4}};
            uint8_t *block = malloc(n);

            pair_init(&p);
            pair_sessions(&p, 1);
            p.identity.slot[0].certificates.n = 20;
            p.identity.slot[0].root.n = 10;
            if (i < 2) p.rsp_config.out = (struct spdm_room){block, n};
            else p.req_config.request_max = (uint16_t)n;
            pair_start(&p);
            if (!pair_run(&p, &connect) || !pair_run(&p, &goal)) refused++;
            else opened++;
            /* a request that finds no room is not sent without a part of it */
            if (i >= 2 && !p.done && p.failure.why != SPDM_WHY_NO_ROOM) fail_msg("%zu bytes, %u", n, p.failure.why);
            pair_close(&p);
            free(block);
        }
    }
    print_message("%u opened, %u refused\n", opened, refused);
    assert_true(opened > 20 && refused > 20);
}

/* ---- a summary of measurements ---- */

static struct {
    uint8_t bytes[512];
    size_t n;
} said, asked;

static size_t note_exchange(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)pair;
    if (to_responder && frame[0] == 5 && (frame[2] == 0xe4 || frame[2] == 0xe6)) {
        asked.n = n - 1;
        memcpy(asked.bytes, frame + 1, n - 1);
    }
    if (to_responder || frame[0] != 5 || (frame[2] != 0x64 && frame[2] != 0x66)) return n;
    said.n = n - 1;
    memcpy(said.bytes, frame + 1, n - 1);
    return n;
}

/* The one that CHALLENGE_AUTH has, asked for in either exchange; none where the device has no measurements to tell. */
static void test_summary(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        bool psk = i % 2 == 1, told = i % 4 < 2;
        struct spdm_goal goal = {.want = psk ? SPDM_WANT_PSK_SESSION : SPDM_WANT_SESSION,
                                 .summary = 0xff,
                                 .psk_hint = {(const uint8_t *)"hint", 4}};
        const struct spdm_facts *facts;

        pair_init(&p);
        p.req_policy.versions[0] = versions[i / 4 == 0 ? 1 : 3];
        pair_sessions(&p, 1);
        p.wire = note_exchange;
        pair_start(&p);
        assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CHALLENGE, .summary = 0xff}));
        facts = spdm_requester_facts(p.rq);
        assert_int_equal(facts->summary_n, 48);
        p.refuse_answers = !told; /* nobody measures, or signs, or knows the PSK */
        assert_true(pair_run(&p, &goal) == told);
        if (told) assert_memory_equal(said.bytes + (psk ? CONTEXT_AT : EXCHANGE_AT + EXCHANGE), facts->summary, 48);
        pair_close(&p);
    }
}

/* ---- what is new each time ---- */

/* RandomData, public values and contexts are no exchange's but their own, on both sides (R-KEX-11, R-KEX-12, R-PSK-07).
 */
static void test_fresh(void **state)
{
    static uint8_t mine[512], theirs[512];
    static const uint8_t zeros[32];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct spdm_goal goal = {.want = i == 0 ? SPDM_WANT_SESSION : SPDM_WANT_PSK_SESSION,
                                 .psk_hint = {(const uint8_t *)"hint", 4}};
        size_t at = i == 0 ? RANDOM_AT : CONTEXT_AT, hint = i == 0 ? 0 : 4;

        pair_init(&p);
        pair_sessions(&p, 2);
        p.wire = note_exchange;
        pair_start(&p);
        for (unsigned k = 0; k < 2; k++) {
            assert_true(pair_run(&p, &goal));
            assert_memory_not_equal(asked.bytes + at + hint, mine + at + hint, sizeof zeros);
            assert_memory_not_equal(said.bytes + at, theirs + at, sizeof zeros);
            assert_memory_not_equal(asked.bytes + at + hint, zeros, sizeof zeros);
            assert_memory_not_equal(said.bytes + at, zeros, sizeof zeros);
            if (i == 0) assert_memory_not_equal(asked.bytes + EXCHANGE_AT, mine + EXCHANGE_AT, EXCHANGE);
            if (i == 0) assert_memory_not_equal(said.bytes + EXCHANGE_AT, theirs + EXCHANGE_AT, EXCHANGE);
            memcpy(mine, asked.bytes, sizeof mine);
            memcpy(theirs, said.bytes, sizeof theirs);
        }
        pair_close(&p);
    }
}

/* Which slot it was is the session's to know, and that of nobody else. */
static void test_slot(void **state)
{
    struct spdm_session_facts facts;

    (void)state;
    pair_init(&p);
    pair_sessions(&p, 1);
    p.identity.slot[1] = p.identity.slot[0];
    pair_start(&p);
    assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_SESSION, .slots = 2}));
    assert_true(spdm_responder_session(p.rs, p.opened_rs, &facts));
    assert_int_equal(facts.slot, 1);
    assert_true(spdm_requester_session(p.rq, p.opened_rq, &facts));
    assert_int_equal(facts.slot, 1);
    assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_END_SESSION, .session = p.opened_rq}));
    assert_true(
        pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_PSK_SESSION, .psk_hint = {(const uint8_t *)"a", 1}}));
    assert_true(spdm_responder_session(p.rs, p.opened_rs, &facts));
    assert_int_equal(facts.slot, SPDM_SLOT_KEY);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_responder), cmocka_unit_test(test_fields),       cmocka_unit_test(test_requester),
        cmocka_unit_test(test_mutual),    cmocka_unit_test(test_no_envelopes), cmocka_unit_test(test_rooms),
        cmocka_unit_test(test_summary),   cmocka_unit_test(test_fresh),        cmocka_unit_test(test_slot)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
