/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A requester and a responder that does not keep the rules of large messages:
 * every answer to CHUNK_GET and CHUNK_SEND that must not be believed, and that
 * nothing is left of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/edit.h"
#include "support/pair.h"

enum { MAX = 3000, CHUNK_ACK = 0x05, CHUNK_RESPONSE = 0x06, CAPABILITIES = 0x61 };

static const uint8_t versions[] = {SPDM_V12, SPDM_V13, SPDM_V14};

/* ---- one message is edited ---- */

static struct {
    uint8_t code;
    unsigned nth, seen; /* the n-th message with this code, counted from 0 */
    const char *edits;
    bool every;
} edit;

static size_t tamper(struct pair *p, bool to_responder, uint8_t *frame, size_t n)
{
    (void)p;
    if (to_responder || frame[2] != edit.code) return n;
    if (edit.seen++ != edit.nth && !edit.every) return n;
    return 1 + edit_message(edit.edits, frame + 1, n - 1, PAIR_BUFFER - 1);
}

/* Signed measurements in transfers of 120 bytes; GET_MEASUREMENTS fits one, or with `out` of 43 bytes does not. */
static void begin(struct pair *p, uint8_t version, bool large_request)
{
    pair_init(p);
    memset(p->req_policy.versions, 0, sizeof p->req_policy.versions);
    p->req_policy.versions[0] = version;
    pair_chunks(p, 120, MAX);
    if (large_request) p->req_config.out.n = 43;
    p->wire = tamper;
    edit.seen = 0;
}

static const struct spdm_goal measure = {.want = SPDM_WANT_MEASUREMENTS, .sign = true};

struct row {
    bool large_request;
    uint8_t code;
    unsigned nth;
    const char *edits;
    uint8_t why, got; /* got: ErrorCode of PEER_ERROR */
    const char *field;
};

static void provoke(const struct row *row, uint8_t version)
{
    static struct pair p;
    char text[300];

    edit.code = row->code;
    edit.nth = row->nth;
    edit.edits = row->edits;
    edit.every = false;
    begin(&p, version, row->large_request);
    pair_start(&p);
    if (pair_run(&p, &measure)) fail_msg("1.%u: %02x \"%s\" is believed", version & 15u, row->code, row->edits);
    spdm_report_text(&p.failure, text, sizeof text);
    if (p.failure.why != row->why || (row->got != 0 && p.failure.got != row->got) ||
        (row->field != NULL && (p.failure.field == NULL || strstr(p.failure.field, row->field) == NULL))) {
        fail_msg("1.%u: %02x \"%s\": %s", version & 15u, row->code, row->edits, text);
    }
    assert_true(edit.seen > row->nth);
    assert_false(p.proven);
    /* nothing is kept of it, and the next goal is reached */
    assert_int_equal(spdm_requester_pull(p.rq, p.now).n, 0);
    assert_int_equal(p.rq_shelf.shelf.taken, 0);
    for (size_t i = 0; i < MAX; i++) assert_int_equal(p.rq_shelf.bytes[0][i], 0);
    p.wire = NULL;
    if (!pair_run(&p, &measure)) {
        spdm_report_text(&p.failure, text, sizeof text);
        fail_msg("1.%u: %02x \"%s\": and then %s", version & 15u, row->code, row->edits, text);
    }
    pair_close(&p);
}

#define WHY(name) SPDM_WHY_##name

/* ---- withstand 74 ---- */

/* MEASUREMENTS has 429 bytes in 1.2, 437 later: 104, then 108 each, the last one 1 or 9. */
static const struct row responses[] = {
    {false, CHUNK_RESPONSE, 0, "3=ee", WHY(MISMATCH), 0, "Handle"},
    {false, CHUNK_RESPONSE, 2, "3=ee", WHY(MISMATCH), 0, "Handle"},
    {false, CHUNK_RESPONSE, 0, "4=01", WHY(MISMATCH), 0, "ChunkSeqNo"}, /* and no LargeMessageSize */
    {false, CHUNK_RESPONSE, 1, "4=02", WHY(MISMATCH), 0, "ChunkSeqNo"},
    {false, CHUNK_RESPONSE, 2, "4=01", WHY(MISMATCH), 0, "ChunkSeqNo"},
    {false, CHUNK_RESPONSE, 2, "5=01", WHY(MISMATCH), 0, "ChunkSeqNo"},
    {false, CHUNK_RESPONSE, 0, "8=69", WHY(SHORT), 0, "SPDMchunk"},
    {false, CHUNK_RESPONSE, 0, "8=ffffffff", WHY(SHORT), 0, "SPDMchunk"},
    {false, CHUNK_RESPONSE, 1, "8=0000ff7f", WHY(SHORT), 0, "SPDMchunk"},
    {false, CHUNK_RESPONSE, 0, "12=00000000", WHY(TOO_SMALL), 0, "LargeMessageSize"},
    {false, CHUNK_RESPONSE, 0, "12=2a000000", WHY(TOO_SMALL), 0, "LargeMessageSize"},
    {false, CHUNK_RESPONSE, 0, "12=b90b0000", WHY(TOO_LONG), 0, "LargeMessageSize"}, /* MAX + 1 */
    {false, CHUNK_RESPONSE, 0, "12=ffffffff", WHY(TOO_LONG), 0, "LargeMessageSize"}, /* withstand 84 */
    {false, CHUNK_RESPONSE, 0, "12=50000000", WHY(TOO_LONG), 0, "ChunkSize"},
    {false, CHUNK_RESPONSE, 0, "12=68000000", WHY(BAD_VALUE), 0, "LastChunk"},
    {false, CHUNK_RESPONSE, 0, "12=68000000 2=01", WHY(BAD_VALUE), 0, "LastChunk"},
    {false, CHUNK_RESPONSE, 0, "2=01", WHY(BAD_VALUE), 0, "LastChunk"},
    {false, CHUNK_RESPONSE, 2, "2=01", WHY(BAD_VALUE), 0, "LastChunk"},
    {false, CHUNK_RESPONSE, 4, "2=00", WHY(BAD_VALUE), 0, "LastChunk"},
    {false, CHUNK_RESPONSE, 1, "8=1d000000 cut=41", WHY(TOO_SMALL), 0, "R-CHK-12"},
    {false, CHUNK_RESPONSE, 1, "8=00000000 cut=12", WHY(TOO_SMALL), 0, "R-CHK-12"},
    {false, CHUNK_RESPONSE, 4, "8=00000000", WHY(BAD_VALUE), 0, "LastChunk"},
    {false, CHUNK_RESPONSE, 0, "cut=3", WHY(SHORT), 0, NULL},
    {false, CHUNK_RESPONSE, 0, "cut=15", WHY(SHORT), 0, "LargeMessageSize"},
    {false, CHUNK_RESPONSE, 1, "cut=11", WHY(SHORT), 0, "ChunkSize"},
    {false, CHUNK_RESPONSE, 0, "0=11", WHY(BAD_VERSION), 0, NULL},
    {false, CHUNK_RESPONSE, 1, "1=60", WHY(BAD_CODE), 0, NULL},
    /* what was put together is no answer to the request */
    {false, CHUNK_RESPONSE, 0, "17=61", WHY(BAD_CODE), 0, NULL},
    {false, CHUNK_RESPONSE, 0, "17=06", WHY(BAD_CODE), 0, NULL},
    {false, CHUNK_RESPONSE, 0, "17=7f0f00", WHY(BAD_CODE), 0,
     NULL}, /* ERROR LargeResponse inside: nothing begins anew */
    {false, CHUNK_RESPONSE, 0, "16=11", WHY(BAD_VERSION), 0, NULL},
    /* more than the message, or less */
    {false, CHUNK_RESPONSE, 4, "8=00000000 2=01", WHY(BAD_VALUE), 0, "LastChunk"},
    {false, CHUNK_RESPONSE, 3, "20=ee", WHY(BAD_SIGNATURE), 0, NULL},
    /* withstand 73, and other errors */
    {false, CHUNK_RESPONSE, 0, "1=7f0f0001 cut=5", WHY(PEER_ERROR), 0x0f, NULL},
    {false, CHUNK_RESPONSE, 2, "1=7f0f0001 cut=5", WHY(PEER_ERROR), 0x0f, NULL},
    {false, CHUNK_RESPONSE, 2, "1=7f0f00 cut=4", WHY(PEER_ERROR), 0x0f, NULL},
    {false, CHUNK_RESPONSE, 2, "1=7f42000ee0010a cut=8", WHY(PEER_ERROR), 0x42, NULL},
    {false, CHUNK_RESPONSE, 2, "1=7f0100 cut=4", WHY(PEER_ERROR), 0x01, NULL},
    {false, CHUNK_RESPONSE, 0, "1=7f0500 cut=4", WHY(PEER_ERROR), 0x05, NULL},
};

static const struct row acknowledgements[] = {
    {true, CHUNK_ACK, 0, "3=ee", WHY(MISMATCH), 0, "Handle"},
    {true, CHUNK_ACK, 0, "4=01", WHY(MISMATCH), 0, "ChunkSeqNo"},
    {true, CHUNK_ACK, 0, "5=01", WHY(MISMATCH), 0, "ChunkSeqNo"},
    {true, CHUNK_ACK, 0, "2=01", WHY(BAD_VALUE), 0, "EarlyErrorDetected"},
    {true, CHUNK_ACK, 0, "0=11", WHY(BAD_VERSION), 0, NULL},
    {true, CHUNK_ACK, 0, "1=60", WHY(BAD_CODE), 0, NULL},
    {true, CHUNK_ACK, 0, "cut=5", WHY(SHORT), 0, "ChunkSeqNo"},
    {true, CHUNK_ACK, 0, "add=12600000", WHY(BAD_LENGTH), 0, "ResponseToLargeRequest"},
    {true, CHUNK_ACK, 0, "1=7f0100 cut=4", WHY(PEER_ERROR), 1, NULL},
    {true, CHUNK_ACK, 0, "1=7f0f0001 cut=5", WHY(BAD_CODE), 0, NULL}, /* LargeResponse, and it has not been sent */
};

static void test_portions(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        for (size_t i = 0; i < sizeof responses / sizeof *responses; i++) provoke(&responses[i], versions[v]);
        if (versions[v] == SPDM_V12) continue; /* there GET_MEASUREMENTS fits 42 bytes */
        for (size_t i = 0; i < sizeof acknowledgements / sizeof *acknowledgements; i++)
            provoke(&acknowledgements[i], versions[v]);
    }
}

/* With EarlyErrorDetected there is an ERROR, but not one that the transfer could go on from. */
static void test_early(void **state)
{
    static const struct {
        const char *inside;
        uint8_t why, got;
    } rows[] = {{"7f01 00", WHY(PEER_ERROR), 0x01},
                {"7f0e 00", WHY(PEER_ERROR), 0x0e},
                {"7f0f 00 01", WHY(BAD_VALUE), 0x0f},
                {"7f42 00 0ee0010a", WHY(BAD_VALUE), 0x42},
                {"6000 00 00", WHY(BAD_VALUE), 0}};

    (void)state;
    for (size_t v = 1; v < sizeof versions; v++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct row row = {true, CHUNK_ACK, 0, NULL, rows[i].why, rows[i].got, NULL};
            char edits[80], bytes[40] = "";

            for (const char *c = rows[i].inside; *c != '\0'; c++) {
                if (*c != ' ') strncat(bytes, c, 1);
            }
            snprintf(edits, sizeof edits, "2=01 add=%02x%s", versions[v], bytes);
            row.edits = edits;
            provoke(&row, versions[v]);
        }
    }
}

/* ---- who may say LargeResponse, and when (R-ERR-20, withstand 83) ---- */

static void test_unasked(void **state)
{
    static const struct {
        uint8_t code; /* the message in whose place it comes */
        const char *edits;
        unsigned able; /* 0: not built for chunks, 1: they are not our policy, 2: we can */
        uint8_t why;
    } rows[] = {{0x04, "0=107f0f0001 cut=5", 2, WHY(BAD_VALUE)},
                {CAPABILITIES, "1=7f0f0001 cut=5", 2, WHY(BAD_VALUE)}, /* the block was not asked for */
                {0x63, "1=7f0f0001 cut=5", 1, WHY(BAD_VALUE)},
                {0x63, "1=7f0f0001 cut=5", 0, WHY(PEER_ERROR)},
                {0x01, "1=7f0f0001 cut=5", 0, WHY(PEER_ERROR)}};
    static struct pair p;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            edit.code = rows[i].code;
            edit.edits = rows[i].edits;
            edit.nth = 0;
            edit.every = false;
            begin(&p, versions[v], false);
            if (rows[i].able < 2) p.req_policy.flags &= ~SPDM_CHUNK_CAP;
            if (rows[i].able < 2) p.req_config.max_message_size = 120;
            if (rows[i].able < 1) p.req_config.chunks = NULL;
            pair_start(&p);
            assert_false(pair_run(&p, &measure));
            if (p.failure.why != rows[i].why)
                fail_msg("1.%u, row %zu: %s", versions[v] & 15u, i, spdm_why_name(p.failure.why));
            pair_close(&p);
        }
    }
}

/* CAPABILITIES in chunks, from somebody who never ends: bounded by what we said we take. */
static uint32_t answered;

static size_t endless(struct pair *p, bool to_responder, uint8_t *frame, size_t n)
{
    (void)p;
    if (to_responder && frame[2] == 0x86) answered++;
    if (!to_responder && frame[2] == CHUNK_RESPONSE) frame[3] = 0;
    return n;
}

static size_t claims(struct pair *p, bool to_responder, uint8_t *frame, size_t n)
{
    if (!to_responder && frame[2] == CHUNK_RESPONSE && frame[5] == 0 && frame[6] == 0)
        memcpy(&frame[13], "\xb8\x0b\0", 4);
    return endless(p, to_responder, frame, n);
}

static void test_capabilities(void **state)
{
    static const struct spdm_goal connect = {.want = SPDM_WANT_CONNECT};
    static struct pair p;

    (void)state;
    for (size_t v = 1; v < sizeof versions; v++) {
        for (unsigned kind = 0; kind < 3; kind++) {
            begin(&p, versions[v], false);
            p.req_config.data_transfer_size = 44;
            p.req_policy.want_algorithms = true;
            p.wire = kind == 0 ? NULL : kind == 1 ? endless : claims;
            answered = 0;
            pair_start(&p);
            assert_int_equal(pair_run(&p, &connect), kind == 0);
            if (kind == 0) assert_int_equal(spdm_requester_facts(p.rq)->responder.max_message_size, MAX);
            if (kind != 0) assert_int_equal(p.failure.why, kind == 1 ? WHY(BAD_VALUE) : WHY(TOO_SMALL));
            assert_true(answered < MAX / 28);
            pair_close(&p);
        }
    }
}

/* ---- what asks for the same once more ---- */

static size_t say(struct pair *p, bool to_responder, uint8_t *frame, size_t n)
{
    (void)p;
    if (to_responder || frame[2] != edit.code || edit.seen++ != edit.nth) return n;
    return 1 + edit_message(edit.edits, frame + 1, n - 1, PAIR_BUFFER - 1);
}

/* Busy to CHUNK_GET: the same CHUNK_GET. MessageLost: the whole exchange, whose first half the device has entered into
 * its transcript; so it may have to start over. */
static void test_once_more(void **state)
{
    static const struct {
        uint8_t code;
        unsigned nth;
        const char *edits;
        bool large_request;
    } rows[] = {{CHUNK_RESPONSE, 0, "1=7f0300 cut=4", false},
                {CHUNK_RESPONSE, 2, "1=7f0300 cut=4", false},
                {CHUNK_RESPONSE, 4, "1=7f0300 cut=4", false},
                {CHUNK_RESPONSE, 2, "1=7f4300 cut=4", false},
                {CHUNK_ACK, 0, "1=7f4300 cut=4", true}};
    static struct pair p;

    (void)state;
    for (size_t v = 1; v < sizeof versions; v++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            edit.code = rows[i].code;
            edit.nth = rows[i].nth;
            edit.edits = rows[i].edits;
            begin(&p, versions[v], rows[i].large_request);
            p.wire = say;
            pair_start(&p);
            if (!pair_run(&p, &measure))
                fail_msg("1.%u, row %zu: %s", versions[v] & 15u, i, spdm_why_name(p.failure.why));
            assert_true(p.proven && edit.seen > rows[i].nth);
            pair_close(&p);
        }
    }
}

/* Links that lose and repeat: every frame of a transfer is lost once, or comes twice. */
static size_t lossy(struct pair *p, bool to_responder, uint8_t *frame, size_t n)
{
    struct spdm_span copy = {frame, n};

    if (edit.seen++ != edit.nth) return n;
    if (!edit.every) return 0;
    pair_later(p, to_responder, copy, p->now + 1);
    return n;
}

static void test_lossy(void **state)
{
    static struct pair p;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        for (unsigned twice = 0; twice < 2; twice++) {
            bool passed = true;

            for (edit.nth = 0; passed; edit.nth++) {
                edit.every = twice;
                begin(&p, versions[v], true);
                p.req_policy.retries = 3;
                p.wire = lossy;
                pair_start(&p);
                if (!pair_run(&p, &measure))
                    fail_msg("1.%u, frame %u, twice %u: %s %x, %s", versions[v] & 15u, edit.nth, twice,
                             spdm_why_name(p.failure.why), p.failure.got, spdm_why_name(p.refused.why));
                assert_true(p.proven);
                passed = edit.seen > edit.nth;
                pair_close(&p);
            }
            assert_true(edit.nth > 20);
        }
    }
}

/* R-CHK-08, on our own side: a peer that counts on behind 65,535 is not followed. */
static size_t never_last(struct pair *p, bool to_responder, uint8_t *frame, size_t n)
{
    static uint32_t sequence;
    static const uint8_t head[] = {5, SPDM_V12, CHUNK_RESPONSE, 0, 1};

    (void)p;
    if (to_responder || (frame[2] != CHUNK_RESPONSE && frame[2] != 0x7f)) return n;
    if (frame[2] == 0x7f && frame[3] == 0x0f) {
        sequence = 0;
        return n;
    }
    memset(frame, 0, 43);
    memcpy(frame, head, sizeof head);
    frame[5] = (uint8_t)sequence;
    frame[6] = (uint8_t)(sequence >> 8);
    frame[9] = sequence == 0 ? 26 : 30;
    if (sequence == 0) memcpy(&frame[13], "\0\0\x20", 3); /* 2 MiB */
    if (sequence == 0) frame[18] = 0x60;
    sequence++;
    answered = sequence;
    return 43;
}

static uint8_t two_million[0x200000];

static struct spdm_room lend(void *ctx, size_t n)
{
    (void)ctx;
    return (struct spdm_room){two_million, n};
}

static void give_back(void *ctx, struct spdm_room room)
{
    (void)ctx;
    (void)room;
}

static void test_wrap(void **state)
{
    static const struct spdm_lender lender = {.lend = lend, .give_back = give_back};
    static struct pair p;

    (void)state;
    begin(&p, SPDM_V12, false);
    p.req_config.max_message_size = sizeof two_million;
    p.req_config.lender = &lender;
    p.wire = never_last;
    pair_start(&p);
    pair_ask(&p, &measure);
    for (unsigned i = 0; i < 5 && !p.finished; i++) (void)pair_settle(&p, p.now + 1000000); /* 1000 steps each */
    while (!p.finished) pair_settle(&p, p.now + 1000000);
    assert_int_equal(p.failure.why, WHY(LIMIT));
    assert_int_equal(answered, 0x10000);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_portions),  cmocka_unit_test(test_early),
                                       cmocka_unit_test(test_unasked),   cmocka_unit_test(test_capabilities),
                                       cmocka_unit_test(test_once_more), cmocka_unit_test(test_lossy),
                                       cmocka_unit_test(test_wrap)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
