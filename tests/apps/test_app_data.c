/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_app_data.c - the stream that travels as application data: every message to the byte, every rule broken, and
 * two ends over a line that loses nothing and holds little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include "app_data.h"
#include "text.h"
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define MARK "7f00007ed9"

static struct spdm_app_source nothing;

static struct spdm_span bytes(const char *hex, uint8_t *out)
{
    return (struct spdm_span){out, spdm_text_unhex(hex, (struct spdm_room){out, 512})};
}

/* A stream that has sent its first message, and the window is that of the other end's beginning. */
static void begin(struct spdm_app_stream *s)
{
    spdm_app_begin(s, 0);
    assert_int_equal(s->owed, 1);
    *s = (struct spdm_app_stream){.credit = SPDM_APP_CREDIT, .room = SPDM_APP_CREDIT, .due = SPDM_APP_BROKEN};
    s->window = SPDM_APP_CREDIT;
    s->begun = true;
}

static void assert_message(struct spdm_span m, const char *hex)
{
    uint8_t expected[512];
    struct spdm_span e = bytes(hex, expected);
    assert_int_equal(m.n, e.n);
    if (e.n != 0) assert_memory_equal(m.p, e.p, e.n);
}

/* ---- what goes ---- */

static void each_message_to_the_byte(void **state)
{
    uint8_t room[SPDM_APP_HEAD + 5] = "......hello";
    struct spdm_app_source source = {room + SPDM_APP_HEAD, 5, true};
    struct spdm_app_stream s;
    (void)state;
    spdm_app_begin(&s, SPDM_APP_CREDIT + 0x00030201);
    assert_message(spdm_app_next(&s, &source, 300), MARK "0201020300");
    assert_message(spdm_app_next(&s, &source, 300), MARK "0201020300"); /* it was not sent */
    assert_int_equal(spdm_app_sent(&s), 0);
    assert_int_equal(s.room, SPDM_APP_CREDIT + 0x00030201);
    assert_message(spdm_app_next(&s, &source, 300), MARK "00"
                                                         "68656c6c6f");
    assert_int_equal(spdm_app_sent(&s), 5);
    assert_int_equal(spdm_app_sendable(&s), SPDM_APP_CREDIT - 5);
    source.n = 0;
    assert_message(spdm_app_next(&s, &source, 300), MARK "01");
    assert_int_equal(spdm_app_sent(&s), 0);
    assert_message(spdm_app_next(&s, &source, 300), "");
    assert_int_equal(spdm_app_sent(&s), 0);
    assert_false(spdm_app_over(&s));
    spdm_app_reset(&s, "why");
    assert_message(spdm_app_next(&s, &source, 300), MARK "03"
                                                         "776879");
    (void)spdm_app_sent(&s);
    assert_message(spdm_app_next(&s, &source, 300), "");
    assert_true(spdm_app_over(&s));
}

static void the_first_message_is_credit(void **state)
{
    uint8_t room[SPDM_APP_HEAD + 1] = "......x";
    struct spdm_app_source source = {room + SPDM_APP_HEAD, 1, true};
    struct spdm_app_stream s;
    (void)state;
    spdm_app_begin(&s, 0);
    assert_message(spdm_app_next(&s, &source, 300), MARK "0201000000");
    (void)spdm_app_sent(&s);
    assert_message(spdm_app_next(&s, &source, 300), MARK "0078");
    spdm_app_begin(&s, 3 * SPDM_APP_CREDIT);
    s.peer_ended = true;
    assert_message(spdm_app_next(&s, &nothing, 300), MARK "0200000800");
}

static void data_is_cut_by_room_and_by_credit(void **state)
{
    static uint8_t room[SPDM_APP_HEAD + 2 * SPDM_APP_CREDIT];
    struct spdm_app_source source = {room + SPDM_APP_HEAD, 2 * SPDM_APP_CREDIT, true};
    struct spdm_app_stream s;
    size_t sent = 0;
    (void)state;
    begin(&s);
    assert_int_equal(spdm_app_next(&s, &source, 1000).n, 1000);
    assert_int_equal(spdm_app_sent(&s), 1000 - SPDM_APP_HEAD);
    sent = 1000 - SPDM_APP_HEAD;
    while (spdm_app_next(&s, &source, 1000).n != 0) sent += spdm_app_sent(&s);
    assert_int_equal(sent, SPDM_APP_CREDIT); /* and no END: there is data that waits */
    assert_int_equal(spdm_app_sendable(&s), 0);
    assert_int_equal(spdm_app_take(&s, (struct spdm_span){(const uint8_t *)"\x7f\0\0\x7e\xd9\2\7\0\0\0", 10}).kind,
                     SPDM_APP_MORE);
    assert_int_equal(spdm_app_next(&s, &source, 1000).n, SPDM_APP_HEAD + 7);
    assert_int_equal(spdm_app_sent(&s), 7);
    assert_int_equal(spdm_app_next(&s, &source, 1000).n, 0);
}

static void credit_comes_back_by_halves(void **state)
{
    struct spdm_app_stream s;
    (void)state;
    begin(&s);
    s.room = 0; /* all of it has come */
    spdm_app_taken(&s, SPDM_APP_CREDIT / 2 - 1);
    assert_message(spdm_app_next(&s, &nothing, 300), "");
    spdm_app_taken(&s, 1);
    assert_message(spdm_app_next(&s, &nothing, 300), MARK "0200000200");
    spdm_app_taken(&s, 7); /* between next and sent: not lost */
    (void)spdm_app_sent(&s);
    assert_int_equal(s.room, SPDM_APP_CREDIT / 2);
    assert_int_equal(s.owed, 7);
    spdm_app_taken(&s, SPDM_APP_CREDIT);
    s.peer_ended = true;
    assert_message(spdm_app_next(&s, &nothing, 300), "");
}

static void a_long_reason_is_cut(void **state)
{
    char text[300];
    struct spdm_app_stream s;
    struct spdm_span m;
    (void)state;
    memset(text, 'x', sizeof text);
    text[299] = '\0';
    begin(&s);
    spdm_app_reset(&s, text);
    m = spdm_app_next(&s, &nothing, 300);
    assert_int_equal(m.n, SPDM_APP_SMALL);
    assert_int_equal(m.p[SPDM_APP_SMALL - 1], 'x');
    assert_int_equal(spdm_app_next(&s, &nothing, 16).n, 16);
    spdm_app_reset(&s, "the first reason stays");
    assert_int_equal(s.reason[0], 'x');
}

/* ---- what comes ---- */

/* What a fresh stream makes of the second message after the first. */
static const struct {
    const char *before, *message;
    enum spdm_app_kind kind;
    const char *why;
} rules[] = {
    {"", MARK "0061", SPDM_APP_DATA, ""},
    {"", MARK "01", SPDM_APP_END, ""},
    {"", MARK "0201000000", SPDM_APP_MORE, ""},
    {"", MARK "02fffffbff", SPDM_APP_MORE, ""}, /* 4 GiB - 1 in all */
    {"", MARK "03", SPDM_APP_RESET, ""},
    {"", MARK "036f6f7073", SPDM_APP_RESET, ""},
    {MARK "01", MARK "0201000000", SPDM_APP_MORE, ""},
    {MARK "01", MARK "03", SPDM_APP_RESET, ""},
    {MARK "03", MARK "0061", SPDM_APP_PAST, ""},
    {MARK "03", "00", SPDM_APP_PAST, ""},
    {"ff", MARK "0061", SPDM_APP_PAST, "application data of another protocol"},
    {"", "", SPDM_APP_BROKEN, "application data of another protocol"},
    {"",
     "7e"
     "00007ed90061",
     SPDM_APP_BROKEN, "application data of another protocol"},
    {"", "7f00007ed80061", SPDM_APP_BROKEN, "application data of another protocol"},
    {"", MARK, SPDM_APP_BROKEN, "a message without a kind"},
    {"", MARK "00", SPDM_APP_BROKEN, "DATA without a byte"},
    {MARK "01", MARK "0061", SPDM_APP_BROKEN, "1 bytes of DATA after END"},
    {"", MARK "0100", SPDM_APP_BROKEN, "END with 1 bytes, 0 expected"},
    {MARK "01", MARK "01", SPDM_APP_BROKEN, "END for the second time"},
    {"", MARK "02010000", SPDM_APP_BROKEN, "CREDIT with 3 bytes, 4 expected"},
    {"", MARK "020100000000", SPDM_APP_BROKEN, "CREDIT with 5 bytes, 4 expected"},
    {"", MARK "0200000000", SPDM_APP_BROKEN, "CREDIT of 0 bytes"},
    {"", MARK "020000fcff", SPDM_APP_BROKEN, "CREDIT of 4294705152 bytes on top of 262144"},
    {"", MARK "04", SPDM_APP_BROKEN, "a message of kind 4"},
    {"", MARK "ff", SPDM_APP_BROKEN, "a message of kind 255"},
};

static void every_rule(void **state)
{
    uint8_t before[512], message[512];
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct spdm_span b = bytes(rules[i].before, before), m = bytes(rules[i].message, message);
        struct spdm_app_stream s, was;
        struct spdm_app_message got;
        begin(&s);
        if (b.n != 0) (void)spdm_app_take(&s, b);
        was = s;
        got = spdm_app_take(&s, m);
        assert_int_equal(got.kind, rules[i].kind);
        assert_string_equal(s.reason, rules[i].why);
        assert_int_equal(s.credit,
                         was.credit + (got.kind == SPDM_APP_MORE ? (m.p[6] | (unsigned)m.p[7] << 8 |
                                                                    (unsigned)m.p[8] << 16 | (unsigned)m.p[9] << 24)
                                                                 : 0));
        assert_int_equal(s.room, was.room - (got.kind == SPDM_APP_DATA ? 1 : 0));
        assert_int_equal(s.reset, got.kind == SPDM_APP_BROKEN || was.reset);
        if (got.kind == SPDM_APP_DATA || got.kind == SPDM_APP_RESET)
            assert_true(got.bytes.n == m.n - SPDM_APP_HEAD && got.bytes.p == m.p + SPDM_APP_HEAD);
        if (got.kind == SPDM_APP_BROKEN) {
            struct spdm_span out = spdm_app_next(&s, &nothing, 300);
            assert_int_equal(out.n, SPDM_APP_HEAD + strlen(rules[i].why));
            assert_memory_equal(out.p + SPDM_APP_HEAD, rules[i].why, strlen(rules[i].why));
        }
    }
}

static void nothing_beyond_the_credit(void **state)
{
    uint8_t *message = calloc(1, SPDM_APP_HEAD + SPDM_APP_CREDIT + 1);
    struct spdm_app_stream s;
    (void)state;
    assert_non_null(message);
    (void)bytes(MARK "00", message);
    begin(&s);
    assert_int_equal(spdm_app_take(&s, (struct spdm_span){message, SPDM_APP_HEAD + SPDM_APP_CREDIT}).kind,
                     SPDM_APP_DATA);
    assert_int_equal(spdm_app_take(&s, (struct spdm_span){message, SPDM_APP_HEAD + 1}).kind, SPDM_APP_BROKEN);
    assert_string_equal(s.reason, "1 bytes of DATA, the credit is 0");
    begin(&s);
    assert_int_equal(spdm_app_take(&s, (struct spdm_span){message, SPDM_APP_HEAD + SPDM_APP_CREDIT + 1}).kind,
                     SPDM_APP_BROKEN);
    assert_int_equal(s.room, SPDM_APP_CREDIT);
    free(message);
}

static void too_long_a_reason_is_refused(void **state)
{
    uint8_t message[SPDM_APP_SMALL + 1];
    struct spdm_app_stream s;
    (void)state;
    memset(message, 'y', sizeof message);
    (void)bytes(MARK "03", message);
    begin(&s);
    assert_int_equal(spdm_app_take(&s, (struct spdm_span){message, sizeof message}).kind, SPDM_APP_BROKEN);
    begin(&s);
    assert_int_equal(spdm_app_take(&s, (struct spdm_span){message, sizeof message - 1}).kind, SPDM_APP_RESET);
    assert_true(spdm_app_over(&s));
    assert_int_equal(spdm_app_sendable(&s), 0);
    assert_message(spdm_app_next(&s, &nothing, 300), ""); /* nothing answers a RESET */
}

static void what_was_on_its_way_is_past(void **state)
{
    struct spdm_app_stream s;
    uint8_t m[64];
    (void)state;
    begin(&s);
    assert_int_equal(spdm_app_take(&s, bytes(MARK "01", m)).kind, SPDM_APP_END);
    assert_message(spdm_app_next(&s, &(struct spdm_app_source){.end = true}, 300), MARK "01");
    assert_false(spdm_app_over(&s));
    (void)spdm_app_sent(&s);
    assert_true(spdm_app_over(&s));
    assert_int_equal(spdm_app_take(&s, bytes(MARK "0201000000", m)).kind, SPDM_APP_PAST);
    spdm_app_reset(&s, "too late");
    assert_message(spdm_app_next(&s, &nothing, 300), "");
}

/* ---- two ends ---- */

struct end {
    struct spdm_app_stream s;
    uint8_t buffer[SPDM_APP_HEAD + 4096];
    size_t sent, got, held, total;
};

/* Byte number i of a stream. */
static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 2654435761u >> 13);
}

/* One message from a to b, if there is one; b's application holds what came until later. */
static bool pass(struct end *a, struct end *b, size_t most)
{
    struct spdm_app_source source = {a->buffer + SPDM_APP_HEAD, 0, false};
    struct spdm_app_message got;
    struct spdm_span m;
    while (source.n < 4096 && a->sent + source.n < a->total) {
        source.data[source.n] = byte_at(a->sent + source.n);
        source.n++;
    }
    source.end = a->sent + source.n == a->total;
    m = spdm_app_next(&a->s, &source, most);
    if (m.n == 0) return false;
    got = spdm_app_take(&b->s, m);
    assert_int_not_equal(got.kind, SPDM_APP_BROKEN);
    a->sent += spdm_app_sent(&a->s);
    if (got.kind != SPDM_APP_DATA) return true;
    for (size_t i = 0; i < got.bytes.n; i++) assert_int_equal(got.bytes.p[i], byte_at(b->got + i));
    b->got += got.bytes.n;
    b->held += got.bytes.n;
    assert_true(b->held <= b->s.window);
    return true;
}

static void any_order_of_sending_and_taking(void **state)
{
    unsigned seed = 7;
    (void)state;
    for (unsigned run = 0; run < 20; run++) {
        struct end *e = calloc(2, sizeof *e);
        assert_non_null(e);
        for (unsigned i = 0; i < 2; i++) {
            e[i].total = 3 * SPDM_APP_CREDIT + 1000 * run + i;
            spdm_app_begin(&e[i].s, run % 3 * SPDM_APP_CREDIT);
        }
        for (unsigned idle = 0; idle < 64;) {
            unsigned who, what;
            seed = seed * 1103515245u + 12345;
            who = seed >> 20 & 1;
            what = seed >> 22 & 3;
            if (what != 0) {
                idle = pass(&e[who], &e[!who], 300 + (seed >> 24) * 16) ? 0 : idle + 1;
            } else if (e[who].held != 0) {
                size_t n = e[who].held < 70000 ? e[who].held : 70000;
                spdm_app_taken(&e[who].s, n);
                e[who].held -= n;
                idle = 0;
            }
        }
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(e[i].got, e[!i].total); /* all of it, and no standstill before */
            assert_true(spdm_app_over(&e[i].s));
        }
        free(e);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_message_to_the_byte),
        cmocka_unit_test(the_first_message_is_credit),
        cmocka_unit_test(data_is_cut_by_room_and_by_credit),
        cmocka_unit_test(credit_comes_back_by_halves),
        cmocka_unit_test(a_long_reason_is_cut),
        cmocka_unit_test(every_rule),
        cmocka_unit_test(nothing_beyond_the_credit),
        cmocka_unit_test(too_long_a_reason_is_refused),
        cmocka_unit_test(what_was_on_its_way_is_past),
        cmocka_unit_test(any_order_of_sending_and_taking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
