/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A responder and a requester that does not keep the rules of large messages:
 * every refusal, byte for byte, and what is left of the transfer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/talk.h"

enum { MAX = 10000, VENDOR_HEAD = 11 };

static const uint8_t versions[] = {SPDM_V12, SPDM_V13, SPDM_V14};
#define EVERY_VERSION for (size_t at_version = 0; v = versions[at_version % 3], at_version < 3; at_version++)

static struct pair p;
static uint8_t v;

static void expect(const char *words, const char *prefix)
{
    talk_expect(&p, v, words, prefix);
}

/* Negotiates with a requester that takes 256 bytes at a time, 10,000 in all; the responder takes 64. */
static void negotiate(const char *capabilities)
{
    pair_init(&p);
    pair_chunks(&p, 64, MAX);
    pair_start(&p);
    expect("10 84 00 00", "10 04");
    expect(capabilities, "vv 61");
    expect("vv e3 00 00 offer", "vv 63");
}

static void begin(void)
{
    negotiate("vv e1 00 00 00 0e 00 00 00000200 00010000 10270000");
}

/* VENDOR_DEFINED_REQUEST of n bytes; the device answers with the same payload. */
static uint8_t request[MAX];

static void vendor(size_t n)
{
    static const uint8_t head[VENDOR_HEAD] = {0, 0xfe, 0, 0, 3, 0, 2, 0xb4, 0x1a};

    memcpy(request, head, sizeof head);
    request[0] = v;
    request[9] = (uint8_t)(n - VENDOR_HEAD);
    request[10] = (uint8_t)((n - VENDOR_HEAD) >> 8);
    for (size_t i = VENDOR_HEAD; i < n; i++) request[i] = (uint8_t)(i * 5);
}

/* One CHUNK_SEND. */
struct portion {
    bool last;
    uint8_t handle;
    uint32_t sequence, size, total; /* size: ChunkSize */
    size_t at, n;                   /* what is really carried */
    size_t cut;                     /* bytes of the message, 0: all */
};

static void put(uint8_t *to, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (8 * i));
}

static struct spdm_span send(const struct portion *c)
{
    static uint8_t m[MAX];
    size_t head = c->sequence == 0 ? 16 : 12;

    m[0] = v;
    m[1] = 0x85;
    m[2] = c->last;
    m[3] = c->handle;
    put(&m[4], c->sequence);
    put(&m[8], c->size);
    if (head == 16) put(&m[12], c->total);
    memcpy(m + head, request + c->at, c->n);
    return talk_bytes_to(&p, (struct spdm_span){m, c->cut != 0 ? c->cut : head + c->n});
}

/* CHUNK_SEND_ACK and what is in it, as hex digits. */
static void acknowledged(struct spdm_span got, bool early, uint8_t handle, uint32_t sequence, const char *inside)
{
    char words[300];
    uint32_t low = sequence & 0xff, high = sequence >> 8 & 0xff;

    snprintf(words, sizeof words, "vv 05 %02x %02x %02x%02x%s %s", early, handle, low, high,
             v < SPDM_V14        ? ""
             : sequence > 0xffff ? "0100"
                                 : "0000",
             inside);
    if (!talk_like(got, v, words)) {
        char hex[81] = "";

        for (size_t i = 0; i < got.n && i < 40; i++) snprintf(hex + 2 * i, 3, "%02x", got.p[i]);
        fail_msg("1.%u: %s expected, %s", v & 15u, words, hex);
    }
    if (*inside == '\0') assert_int_equal(got.n, v == SPDM_V14 ? 8 : 6);
}

/* Portions of a request of n bytes, 48 and then 52 bytes each; the last is not sent. Returns where it begins. */
static size_t all_but_last(size_t n, uint8_t handle, uint32_t *sequence)
{
    size_t at = 0, size = 48;

    for (*sequence = 0; at + size < n; ++*sequence) {
        acknowledged(send(&(struct portion){.handle = handle,
                                            .sequence = *sequence,
                                            .size = (uint32_t)size,
                                            .total = (uint32_t)n,
                                            .at = at,
                                            .n = size}),
                     false, handle, *sequence, "");
        at += size;
        size = 52;
    }
    return at;
}

static struct spdm_span last(size_t n, size_t at, uint8_t handle, uint32_t sequence)
{
    return send(&(struct portion){
        .last = true, .handle = handle, .sequence = sequence, .size = (uint32_t)(n - at), .at = at, .n = n - at});
}

/* The whole of it, and the device's answer in the last acknowledgement. */
static void transfer(size_t n, uint8_t handle)
{
    uint32_t sequence;
    size_t at;
    struct spdm_span got;

    vendor(n);
    at = all_but_last(n, handle, &sequence);
    got = last(n, at, handle, sequence);
    acknowledged(got, false, handle, sequence, "vv 7e 00 00 0300 02 b41a");
    assert_memory_equal(got.p + got.n - (n - VENDOR_HEAD), request + VENDOR_HEAD, n - VENDOR_HEAD);
}

static void test_honest(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        begin();
        for (size_t n = 65; n < 240; n++) transfer(n, (uint8_t)n);
        pair_close(&p);
    }
}

/* ---- withstand 75, 79, 84: portions that break a rule ---- */

static void test_first(void **state)
{
    static const struct {
        struct portion portion;
        const char *answer; /* plain if it begins with vv, else in an early acknowledgement */
    } rows[] = {
        {{.size = 48, .total = 100, .n = 48, .cut = 11}, "vv 7f 01 00"}, /* no header */
        {{.size = 48, .total = 100, .n = 48, .cut = 15}, "vv 7f 01 00"}, /* no LargeMessageSize */
        {{.size = 48, .total = 100, .n = 48, .cut = 16}, "7f 01 00"},
        {{.size = 48, .total = 100, .n = 47}, "7f 01 00"},
        {{.size = 0xffffffff, .total = 100, .n = 48}, "7f 01 00"},
        {{.size = 48, .total = 0, .n = 48}, "7f 01 00"},
        {{.size = 30, .total = 42, .n = 30}, "7f 01 00"}, /* needs no chunks */
        {{.size = 48, .total = 47, .n = 48}, "7f 01 00"},
        {{.last = true, .size = 48, .total = 48, .n = 48}, "7f 01 00"},
        {{.last = true, .size = 48, .total = 100, .n = 48}, "7f 01 00"},
        {{.size = 48, .total = 48, .n = 48}, "7f 01 00"},
        {{.size = 25, .total = 100, .n = 25}, "7f 01 00"}, /* 41 bytes: shorter than the least */
        {{.size = 49, .total = 100, .n = 49}, "7f 01 00"}, /* 65 bytes: more than the device takes */
        {{.size = 48, .total = MAX + 1, .n = 48}, "7f 0e 00"},
        {{.size = 48, .total = 0xffffffff, .n = 48}, "7f 0e 00"},
        {{.sequence = 1, .size = 48, .n = 48}, "7f 01 00"},
        {{.sequence = 0xffff, .size = 48, .n = 48}, "7f 01 00"},
        {{.last = true, .sequence = 1, .size = 8, .n = 8}, "7f 01 00"},
    };

    (void)state;
    EVERY_VERSION
    {
        begin();
        vendor(200);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct portion c = rows[i].portion;
            char inside[40];
            struct spdm_span got;

            c.handle = (uint8_t)(i + 7);
            got = send(&c);
            snprintf(inside, sizeof inside, "vv %s", rows[i].answer);
            if (rows[i].answer[0] != 'v') acknowledged(got, true, c.handle, c.sequence, inside);
            else assert_true(talk_like(got, v, rows[i].answer));
            assert_int_equal(p.rs_shelf.shelf.taken, 0);
            if (i % 3 == 0) transfer(100, 3); /* it serves as before */
        }
        pair_close(&p);
    }
}

static void test_later(void **state)
{
    static const struct portion rows[] = {
        {.handle = 8, .sequence = 0, .size = 48, .total = 200, .n = 48}, /* begins anew */
        {.handle = 9, .sequence = 2, .size = 52, .n = 52},
        {.handle = 8, .sequence = 1, .size = 52, .n = 52},
        {.handle = 9, .sequence = 1, .size = 53, .n = 53},
        {.handle = 9, .sequence = 1, .size = 52, .n = 51},
        {.handle = 9, .sequence = 1, .size = 29, .n = 29},
        {.handle = 9, .sequence = 1, .size = 0, .n = 0},
        {.handle = 9, .sequence = 1, .size = 52, .n = 52, .last = true},
        {.handle = 9, .sequence = 0x10001, .size = 52, .n = 52},
    };

    (void)state;
    EVERY_VERSION
    {
        begin();
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct spdm_span got;

            vendor(200);
            if (v < SPDM_V14 && rows[i].sequence > 0xffff) continue;
            acknowledged(send(&(struct portion){.handle = 9, .size = 48, .total = 200, .n = 48}), false, 9, 0, "");
            assert_int_not_equal(p.rs_shelf.shelf.taken, 0);
            got = send(&rows[i]);
            acknowledged(got, true, rows[i].handle, rows[i].sequence, "vv 7f 01 00");
            assert_int_equal(p.rs_shelf.shelf.taken, 0); /* the transfer is over */
            transfer(150, 9);
        }
        pair_close(&p);
    }
}

/* What is lost on the way may come once more: the same answer, nothing entered twice (R-TIM-15). */
static void test_retries(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        uint32_t sequence;
        size_t at;
        struct spdm_span got;
        uint8_t first[PAIR_BUFFER];
        size_t n;

        begin();
        vendor(150);
        at = all_but_last(150, 4, &sequence);
        acknowledged(send(&(struct portion){.handle = 4, .sequence = sequence - 1, .size = 52, .at = at - 52, .n = 52}),
                     false, 4, sequence - 1, "");
        got = last(150, at, 4, sequence);
        n = got.n;
        memcpy(first, got.p, n);
        got = last(150, at, 4, sequence);
        assert_true(got.n == n && memcmp(got.p, first, n) == 0);
        expect("vv 55 00 00", "vv 7f 07 55");
        got = last(150, at, 4, sequence); /* something came between */
        acknowledged(got, true, 4, sequence, "vv 7f 01 00");
        pair_close(&p);
    }
}

/* ---- withstand 76: what may not come in chunks ---- */

static void test_inside(void **state)
{
    static const uint8_t codes[] = {0x85, 0x86, 0x84, 0xe1};

    (void)state;
    EVERY_VERSION
    {
        begin();
        for (size_t i = 0; i < sizeof codes; i++) {
            uint32_t sequence;
            size_t at;

            vendor(100);
            request[1] = codes[i];
            if (codes[i] == 0x84) request[0] = SPDM_V10;
            at = all_but_last(100, 1, &sequence);
            acknowledged(last(100, at, 1, sequence), false, 1, sequence, "vv 7f 01 00");
            assert_int_equal(p.rs_shelf.shelf.taken, 0);
        }
        /* unknown, of another version, longer than it says: answered like any request, in the acknowledgement */
        for (unsigned i = 0; i < 3; i++) {
            static const char *const answers[] = {"vv 7f 07 55", "vv 7f 41 00", "vv 7f 01 00"};
            uint32_t sequence;
            size_t at;

            vendor(100);
            if (i == 0) request[1] = 0x55;
            if (i == 1) request[0] ^= 1;
            if (i == 2) request[9]--;
            at = all_but_last(100, 1, &sequence);
            acknowledged(last(100, at, 1, sequence), false, 1, sequence, answers[i]);
        }
        transfer(100, 2);
        pair_close(&p);
    }
}

/* ---- withstand 77: other requests in the middle ---- */

static void intrude(const char *words, const char *answer)
{
    uint32_t sequence;
    size_t at;

    vendor(150);
    at = all_but_last(150, 1, &sequence);
    expect(words, answer);
    acknowledged(last(150, at, 1, sequence), false, 1, sequence, "vv 7e");
}

static void test_intruders(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        begin();
        intrude("vv 81 00 00", "vv 7f 04 00");
        intrude("vv e1 00 00 caps", "vv 7f 04 00");
        intrude("vv ff e4 01", "vv 7f 04 00");
        intrude("vv 55 00 00", "vv 7f 04 00");
        intrude("11 81 00 00", "vv 7f 04 00");
        intrude("vv 84 00 00", "10 7f 04 00"); /* no GET_VERSION: that has version 1.0 */
        intrude(v == SPDM_V14 ? "vv 86 00 01 00000000" : "vv 86 00 01 0000", "vv 7f 04 00");
        intrude("11 85 01 01 02000000 00000000", "vv 7f 41 00");
        pair_close(&p);
        begin();
        vendor(150);
        acknowledged(send(&(struct portion){.handle = 1, .size = 48, .total = 150, .n = 48}), false, 1, 0, "");
        expect("10 84 00 00", "10 04");
        assert_int_equal(p.rs_shelf.shelf.taken, 0);
        expect("vv e1 00 00 00 0e 00 00 00000200 00010000 10270000", "vv 61");
        expect("vv e3 00 00 offer", "vv 63");
        transfer(150, 1);
        pair_close(&p);
    }
}

/* While the device is still thinking about the whole of it, and when it was told to come again. */
static void test_pending(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        uint32_t sequence;
        size_t at;
        struct spdm_span got;
        char words[40];

        begin();
        p.silent = true;
        vendor(150);
        at = all_but_last(150, 1, &sequence);
        assert_int_equal(last(150, at, 1, sequence).n, 0);
        expect("vv 81 00 00", "vv 7f 04 00");
        assert_int_equal(last(150, at, 1, sequence).n, 0);
        p.now += 20000;
        spdm_responder_push(p.rs, (struct spdm_span){0}, p.now);
        got = spdm_responder_pull(p.rs, p.now);
        got.p++;
        got.n--;
        acknowledged(got, false, 1, sequence, "vv 7f 42 00 0e fe 01 0a");
        acknowledged(last(150, at, 1, sequence), false, 1, sequence, "vv 7f 42 00 0e fe 01 0a");
        expect("vv ff fe 01", "vv 7f 42 00 0e fe 01 0a");
        assert_true(spdm_responder_answer(
            p.rs, &(struct spdm_answer){.ticket = p.open.ticket, .yes = true, .data = {request, 20}}));
        snprintf(words, sizeof words, "vv 7e 00 00 0300 02 b41a 1400 %02x fe", v);
        expect("vv ff fe 01", words); /* no acknowledgement around it */
        p.silent = false;
        transfer(150, 1);
        pair_close(&p);
    }
}

/* ---- withstand 78: the numbers of portions ---- */

static uint8_t million[66000 * 30];

static struct spdm_room lend_million(void *ctx, size_t n)
{
    (void)ctx;
    return (struct spdm_room){million, n};
}

static void back(void *ctx, struct spdm_room room)
{
    (void)ctx;
    (void)room;
}

static const struct spdm_lender lender = {.lend = lend_million, .give_back = back};

static void generous(uint32_t transfer_size)
{
    pair_init(&p);
    pair_chunks(&p, transfer_size, sizeof million);
    p.rsp_config.lender = &lender;
    pair_start(&p);
    expect("10 84 00 00", "10 04");
}

static void test_requests_without_end(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        struct portion c = {.handle = 1, .size = 26, .total = sizeof million, .n = 26};
        uint32_t sequence;

        generous(42);
        expect("vv e1 00 00 00 0e 00 00 00000200 00010000 00e00100", "vv 61");
        expect("vv e3 00 00 offer", "vv 63");
        acknowledged(send(&c), false, 1, 0, "");
        c.size = 30;
        c.n = 30;
        for (sequence = 1; sequence <= 0xffff; sequence++) {
            c.sequence = sequence;
            acknowledged(send(&c), false, 1, sequence, "");
        }
        c.sequence++;
        if (v == SPDM_V14) acknowledged(send(&c), false, 1, 0x10000, "");
        else
            acknowledged(send(&(struct portion){.handle = 1, .size = 30, .total = 100, .n = 26}), true, 1, 0,
                         "vv 7f 01 00");
        pair_close(&p);
    }
}

/* A response that would need more than 65,536 portions. */
static void test_responses_without_end(void **state)
{
    static struct spdm_measurement all[40];

    (void)state;
    for (unsigned i = 0; i < 40; i++)
        all[i] = (struct spdm_measurement){
            .index = (uint8_t)(i + 1), .type = SPDM_MEAS_MANIFEST, .raw = true, .value = {million, 49990}};
    EVERY_VERSION
    {
        struct spdm_answer a = {.yes = true, .measurements = all, .measurement_n = 40, .stays = true};
        struct spdm_span got;

        generous(64);
        expect("vv e1 00 00 00 0e 00 00 00000200 2a000000 00ffff00", "vv 61"); /* 42 bytes at a time */
        expect("vv e3 00 00 offer", "vv 63");
        p.silent = true;
        expect("vv e0 00 ff context", "-");
        a.ticket = p.open.ticket;
        assert_true(spdm_responder_answer(p.rs, &a));
        got = spdm_responder_pull(p.rs, p.now);
        got.p++;
        got.n--;
        /* 40 blocks of 49,997 bytes, 42 or 50 bytes around them */
        assert_true(talk_like(got, v,
                              v == SPDM_V12   ? "vv 7f 0d 00 3284 1e00"
                              : v == SPDM_V13 ? "vv 7f 0d 00 3a84 1e00"
                                              : "vv 7f 0f 00 01"));
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_honest),
                                       cmocka_unit_test(test_first),
                                       cmocka_unit_test(test_later),
                                       cmocka_unit_test(test_retries),
                                       cmocka_unit_test(test_inside),
                                       cmocka_unit_test(test_intruders),
                                       cmocka_unit_test(test_pending),
                                       cmocka_unit_test(test_requests_without_end),
                                       cmocka_unit_test(test_responses_without_end)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
