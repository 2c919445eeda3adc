/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Large messages between both engines: every size of transfer from the
 * smallest on, both directions, in and outside of sessions, and what becomes of
 * the room that is lent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/pair.h"

enum { MAX = 10000, CHUNK_SEND = 0x85, CHUNK_ACK = 0x05, CHUNK_GET = 0x86, CHUNK_RESPONSE = 0x06, ERROR = 0x7f };

static const struct spdm_goal everything = {
    .want = SPDM_WANT_CHALLENGE | SPDM_WANT_MEASUREMENTS, .measure = SPDM_MEASURE_ALL, .sign = true, .summary = 0xff};
static const struct spdm_goal session = {.want = SPDM_WANT_SESSION | SPDM_WANT_MEASUREMENTS, .sign = true};

static const struct spdm_goal measure = {.want = SPDM_WANT_MEASUREMENTS, .sign = true};

static const uint8_t versions[] = {SPDM_V12, SPDM_V13, SPDM_V14};

static void only(struct pair *p, uint8_t version)
{
    memset(p->req_policy.versions, 0, sizeof p->req_policy.versions);
    p->req_policy.versions[0] = version;
}

static void reached(struct pair *p, const struct spdm_goal *goal, unsigned at)
{
    char mine[200], theirs[200];

    if (pair_run(p, goal)) return;
    spdm_report_text(&p->failure, mine, sizeof mine);
    spdm_report_text(&p->refused, theirs, sizeof theirs);
    fail_msg("%x, %u: requester: %s; responder: %s", p->req_policy.versions[0], at, mine, theirs);
}

/* Counts messages by code, and checks that none is larger than one transfer. */
static unsigned seen[256];

static size_t count(struct pair *p, bool to_responder, uint8_t *frame, size_t n)
{
    size_t limit = to_responder ? p->rsp_config.data_transfer_size : p->req_config.data_transfer_size;

    seen[frame[2]]++;
    if (frame[0] == 5) assert_true(n - 1 <= limit);
    return n;
}

static void begin(struct pair *p, uint8_t version, uint32_t transfer)
{
    memset(seen, 0, sizeof seen);
    pair_init(p);
    only(p, version);
    pair_chunks(p, transfer, MAX);
    p->wire = count;
}

static void test_every_size(void **state)
{
    static struct pair p;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        for (uint32_t transfer = 42; transfer < 800; transfer += transfer < 100 ? 1 : 37) {
            for (unsigned kind = 0; kind < 4; kind++) {
                begin(&p, versions[v], transfer);
                p.req_policy.want_algorithms = kind & 1;
                p.stays = kind >> 1;
                pair_start(&p);
                reached(&p, &everything, transfer);
                assert_true(p.proven && spdm_requester_facts(p.rq)->authentic);
                assert_int_equal(spdm_requester_facts(p.rq)->responder.max_message_size, MAX);
                /* GET_MEASUREMENTS is the longest request, MEASUREMENTS the longest response */
                assert_int_equal(seen[CHUNK_SEND] != 0, versions[v] != SPDM_V12 && transfer < 45);
                assert_int_equal(seen[CHUNK_GET] != 0, transfer < (versions[v] == SPDM_V12 ? 429 : 437));
                pair_close(&p);
            }
        }
    }
}

/* What is made anew portion by portion is what would have been stored, byte for byte. */
static void test_made_anew(void **state)
{
    static struct pair p;
    uint8_t first[sizeof p.record];
    size_t n = 0;

    (void)state;
    for (unsigned kind = 0; kind < 2; kind++) {
        begin(&p, SPDM_V14, 64);
        p.stays = kind == 1;
        p.measurements[4].value = p.identity.slot[0].certificates;                  /* raw only, 1500 bytes */
        p.rs_shelf.place[0].n = p.rs_shelf.place[1].n = kind == 1 ? 96 : PAIR_LENT; /* a signature, no more */
        pair_start(&p);
        reached(&p, &measure, kind);
        assert_true(p.proven);
        if (kind == 1) assert_memory_equal(first, p.record, n);
        if (kind == 1) assert_int_equal(n, p.record_n);
        n = p.record_n;
        memcpy(first, p.record, n);
        assert_int_equal(n, 4 * (7 + 48) + 7 + 1500);
        pair_close(&p);
    }
}

static void use_session(struct pair *p)
{
    struct spdm_goal goal = {.session = p->opened_rq, .want = SPDM_WANT_KEY_UPDATE, .update = 2};

    reached(p, &goal, 1);
    goal.want = SPDM_WANT_MEASUREMENTS;
    goal.sign = true;
    reached(p, &goal, 2);
    assert_true(p->proven);
    goal.want = SPDM_WANT_END_SESSION;
    reached(p, &goal, 3);
    assert_int_equal(p->closed_why_rs.why, SPDM_WHY_SESSION_ENDED);
}

/* Every chunk is a record of its own; FINISH and its response too, which changes keys only behind the last one. */
static void test_sessions(void **state)
{
    static struct pair p;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        for (uint32_t transfer = 42; transfer < 270; transfer += transfer < 60 ? 1 : 51) {
            for (unsigned kind = 0; kind < 4; kind++) {
                begin(&p, versions[v], transfer);
                pair_sessions(&p, 2);
                if ((kind & 1) != 0) {
                    p.req_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
                    p.rsp_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
                }
                if ((kind & 2) != 0) pair_mutual(&p);
                p.rsp_policy.mut_auth = kind == 2 ? 2 : 4;
                pair_start(&p);
                reached(&p, &session, transfer);
                assert_int_equal(p.signed_by_rq, kind >> 1);
                assert_true(seen[CHUNK_GET] != 0 || transfer >= 246);  /* KEY_EXCHANGE_RSP */
                assert_true(seen[CHUNK_SEND] != 0 || transfer >= 158); /* KEY_EXCHANGE */
                use_session(&p);
                pair_close(&p);
            }
        }
    }
}

static void test_psk(void **state)
{
    static struct pair p;
    static const struct spdm_goal psk = {.want = SPDM_WANT_PSK_SESSION | SPDM_WANT_MEASUREMENTS,
                                         .psk_hint = {(const uint8_t *)"hint", 4}};

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        begin(&p, versions[v], 42);
        pair_sessions(&p, 1);
        pair_start(&p);
        reached(&p, &psk, 0);
        assert_true(seen[CHUNK_SEND] != 0 && seen[CHUNK_GET] != 0);
        pair_close(&p);
    }
}

/* Encapsulated messages are as large as what carries them may be. */
static void test_basic_mutual(void **state)
{
    static struct pair p;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        begin(&p, versions[v], 100);
        pair_sessions(&p, 1);
        pair_mutual(&p);
        p.rsp_policy.basic_mut_auth = true;
        pair_start(&p);
        reached(&p, &everything, 0);
        assert_int_equal(p.signed_by_rq, 1);
        assert_true(seen[CHUNK_SEND] > 2); /* CHALLENGE_AUTH; portions of the chain leave room for their envelope */
        assert_true(spdm_requester_facts(p.rq)->authentic);
        pair_close(&p);
    }
}

/* Each side by itself: only its own buffer is small, or only the peer's. */
static void test_small_buffers(void **state)
{
    static struct pair p;

    (void)state;
    for (unsigned kind = 0; kind < 4; kind++) {
        begin(&p, SPDM_V13, 4000);
        pair_sessions(&p, 1);
        p.req_policy.req_signatures = NULL;
        if (kind == 0) p.req_config.out.n = 100;
        if (kind == 1) p.rsp_config.out.n = 100;
        if (kind == 2) p.req_config.data_transfer_size = 100;
        if (kind == 3) p.rsp_config.data_transfer_size = 100;
        pair_start(&p);
        reached(&p, &session, kind);
        assert_int_equal(seen[CHUNK_SEND] != 0, kind == 0 || kind == 3);
        assert_int_equal(seen[CHUNK_GET] != 0, kind == 1 || kind == 2);
        pair_close(&p);
    }
}

/* The requester's own chain room is where a chain is put together: nothing is lent for it. A responder whose buffer is
 * small makes us ask for less. */
static void test_certificate(void **state)
{
    static struct pair p;
    static const struct spdm_goal identity = {.want = SPDM_WANT_IDENTITY};

    (void)state;
    for (unsigned spare = 0; spare < 2; spare++) {
        begin(&p, SPDM_V12, 4000);
        p.rsp_config.out.n = 200;
        p.req_config.lender = p.rsp_config.lender = NULL;
        p.req_config.chain.n = 4 + 48 + 1500 + (spare == 1 ? 8 : 7);
        pair_start(&p);
        assert_int_equal(pair_run(&p, &identity), spare);
        if (spare == 0) assert_int_equal(p.failure.why, SPDM_WHY_NO_ROOM);
        if (spare == 1) assert_int_equal(seen[ERROR], 1);
        if (spare == 1) assert_int_equal(seen[CHUNK_GET], 9); /* 1560 bytes, 199 - 12 each */
        pair_close(&p);
    }
    begin(&p, SPDM_V12, 700); /* the first portion is 692 bytes, in chunks; the others fit a frame of the responder's */
    p.rsp_config.out.n = 200;
    pair_start(&p);
    reached(&p, &identity, 0);
    assert_int_equal(seen[ERROR], 1);
    assert_int_equal(seen[CHUNK_GET], 4);
    assert_int_equal(seen[0x82], 1 + 5);
    pair_close(&p);
}

/* ---- answers that come later ---- */

static void test_deferred(void **state)
{
    static struct pair p;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        for (uint32_t transfer = 42; transfer < 300; transfer += 128) {
            begin(&p, versions[v], transfer);
            p.sign_delay = 40000;
            pair_start(&p);
            reached(&p, &everything, transfer);
            assert_true(seen[0xff] != 0); /* RESPOND_IF_READY */
            pair_close(&p);
        }
    }
}

/* ---- room that is lent ---- */

static struct spdm_room nothing(void *ctx, size_t n)
{
    unsigned *left = ctx;

    (void)n;
    (*left)--;
    return (struct spdm_room){0};
}

static uint8_t one_place[MAX];

static struct spdm_room late(void *ctx, size_t n)
{
    unsigned *left = ctx;

    assert_true(n <= MAX);
    if (*left > 0) return nothing(ctx, n);
    return (struct spdm_room){one_place, n};
}

static void back(void *ctx, struct spdm_room room)
{
    (void)ctx;
    for (size_t i = 0; i < room.n; i++) assert_int_equal(room.p[i], 0);
}

/* All is lent for a while: the requester waits, the responder says Busy. */
static void test_lent_to_others(void **state)
{
    static const struct spdm_lender lender = {.lend = late, .give_back = back};
    static struct pair p;
    unsigned left;

    (void)state;
    for (unsigned side = 0; side < 2; side++) {
        struct spdm_config *config;

        begin(&p, SPDM_V14, side == 0 ? 200 : 44);
        config = side == 0 ? &p.req_config : &p.rsp_config;
        left = 5;
        config->lender = &lender;
        config->lender_ctx = &left;
        pair_start(&p);
        reached(&p, &everything, side);
        assert_int_equal(left, 0);
        assert_int_equal(p.now >= 5 * 50000, 1);
        pair_close(&p);
    }
}

static void test_never_lent(void **state)
{
    static const struct spdm_lender lender = {.lend = nothing, .give_back = back};
    static struct pair p;
    unsigned left = 0;

    (void)state;
    for (unsigned side = 0; side < 2; side++) {
        struct spdm_config *config;

        begin(&p, SPDM_V14, 200);
        config = side == 0 ? &p.req_config : &p.rsp_config;
        config->lender = &lender;
        config->lender_ctx = &left;
        p.req_policy.wait_max = 1000000;
        pair_start(&p);
        assert_false(pair_run(&p, &everything));
        assert_int_equal(p.failure.why, side == 0 ? SPDM_WHY_ALL_LENT : SPDM_WHY_GAVE_UP);
        assert_true(p.now < 2000000);
        if (side == 1) assert_int_equal(p.refused.why, SPDM_WHY_ALL_LENT);
        pair_close(&p);
    }
}

/* A requester that stays away in the middle of a transfer does not keep the room for ever. */
static void test_given_up(void **state)
{
    static struct pair p;

    (void)state;
    begin(&p, SPDM_V14, 200);
    p.rsp_policy.wait_max = 3000000;
    pair_start(&p);
    pair_ask(&p, &everything);
    for (unsigned i = 0; i < 1000 && seen[CHUNK_GET] == 0; i++) {
        struct spdm_span frame = spdm_requester_pull(p.rq, p.now);
        uint8_t copy[PAIR_BUFFER];

        if (frame.n != 0) {
            memcpy(copy, frame.p, frame.n);
            seen[copy[2]]++;
            pair_deliver(&p, true, copy, frame.n);
        }
        frame = spdm_responder_pull(p.rs, p.now);
        memcpy(copy, frame.p, frame.n);
        pair_deliver(&p, false, copy, frame.n);
    }
    assert_int_not_equal(p.rs_shelf.shelf.taken, 0);
    assert_true(spdm_responder_deadline(p.rs) <= p.now + 3000000);
    p.now += 3000000;
    spdm_responder_push(p.rs, (struct spdm_span){0}, p.now);
    assert_int_equal(p.rs_shelf.shelf.taken, 0);
    assert_int_equal(spdm_responder_deadline(p.rs), SPDM_NEVER);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size),  cmocka_unit_test(test_made_anew),    cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_psk),         cmocka_unit_test(test_basic_mutual), cmocka_unit_test(test_small_buffers),
        cmocka_unit_test(test_certificate), cmocka_unit_test(test_deferred),     cmocka_unit_test(test_lent_to_others),
        cmocka_unit_test(test_never_lent),  cmocka_unit_test(test_given_up)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
