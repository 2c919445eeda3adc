/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The reader and writer: bounds one byte short, exact and one byte long for
 * every kind of field; the first error sticks and says where it was; nothing
 * is read or written after it. Buffers are exactly as large as they claim. */
#include "wire/io.h"
#include "wire/message.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct shape sh = {.ver = 0x12, .sig = 5, .opaque_max = 6};

static uint8_t *counted(size_t n)
{
    uint8_t *p = malloc(n != 0 ? n : 1);

    assert_non_null(p);
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)(0x11 * (i + 1));
    return p;
}

/* ---- numbers ---- */

static void test_numbers_little_endian(void **state)
{
    static const uint32_t expected[] = {0, 0x11, 0x2211, 0x332211, 0x44332211};
    uint8_t *p = counted(4), *out = malloc(4);

    (void)state;
    for (size_t n = 0; n <= 4; n++) {
        struct io rd = spdm_reader(&sh, spdm_span(p, 4)), wr = spdm_writer(&sh, (struct spdm_room){out, 4});

        assert_int_equal(io_number(&rd, "a", 0xffffffff, n), expected[n]);
        assert_int_equal(rd.at, n);
        memset(out, 0xee, 4);
        assert_int_equal(io_number(&wr, "a", expected[n] | (n < 4 ? 0xaau << 8 * n : 0), n), expected[n]);
        assert_int_equal(wr.at, n);
        assert_memory_equal(out, p, n);
        for (size_t i = n; i < 4; i++) assert_int_equal(out[i], 0xee);
    }
    free(p);
    free(out);
}

/* What one step needs, whatever it is. */
struct step {
    size_t n;
    void (*run)(struct io *io);
    bool silent; /* reserved: nobody is shown anything */
};
static uint32_t number_in;
static struct spdm_span span_in;

static void run_u8(struct io *io)
{
    uint8_t v = 0x11;

    io_u8(io, "field", &v);
    number_in = v;
}
static void run_u16(struct io *io)
{
    uint16_t v = 0x2211;

    io_u16(io, "field", &v);
    number_in = v;
}
static void run_u32(struct io *io)
{
    uint32_t v = 0x44332211;

    io_u32(io, "field", &v);
    number_in = v;
}
static void run_zero(struct io *io)
{
    io_zero(io, 3);
}
static void run_bytes(struct io *io)
{
    static const uint8_t some[] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77};
    struct spdm_span s = {some, sizeof some};

    io_bytes(io, "field", &s, sizeof some);
    span_in = s;
}
static void run_signature(struct io *io)
{
    static const uint8_t some[] = {0x11, 0x22, 0x33, 0x44, 0x55};
    struct spdm_span s = {some, sizeof some};

    io_signature(io, &s);
    span_in = s;
}

static const struct step steps[] = {{1, run_u8, false},  {2, run_u16, false},   {4, run_u32, false},
                                    {3, run_zero, true}, {7, run_bytes, false}, {5, run_signature, false}};

static unsigned shown;

static void see(void *ctx, const struct spdm_field *f)
{
    (void)ctx;
    (void)f;
    shown++;
}

/* Decoding with n - 1, n and n + 1 bytes. */
static void test_decode_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        for (size_t n = steps[i].n - 1; n <= steps[i].n + 1; n++) {
            uint8_t *p = counted(n);
            struct io io = spdm_reader(&sh, spdm_span(p, n));
            bool fits = n >= steps[i].n;

            io.see = see;
            shown = 0;
            span_in = (struct spdm_span){(const uint8_t *)"x", 1};
            steps[i].run(&io);
            assert_int_equal(io_fine(&io), fits);
            assert_int_equal(io.at, fits ? steps[i].n : 0);
            assert_int_equal(shown, fits && !steps[i].silent);
            if (!fits) {
                assert_int_equal(io.why, SPDM_WHY_SHORT);
                assert_int_equal(io.got, steps[i].n);
                assert_int_equal(io.limit, n);
                assert_int_equal(io.where, 0);
            }
            free(p);
        }
    }
}

/* Encoding into n - 1, n and n + 1 bytes; not a byte is written where they do not all fit. */
static void test_encode_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        for (size_t n = steps[i].n - 1; n <= steps[i].n + 1; n++) {
            uint8_t *out = malloc(n + 1), *expected = counted(steps[i].n);
            struct io io = spdm_writer(&sh, (struct spdm_room){out, n});
            bool fits = n >= steps[i].n;

            memset(out, 0xee, n + 1);
            if (steps[i].silent) memset(expected, 0, steps[i].n);
            steps[i].run(&io);
            assert_int_equal(io_fine(&io), fits);
            assert_int_equal(io.at, steps[i].n); /* out of room it goes on counting */
            if (fits) assert_memory_equal(out, expected, steps[i].n);
            else assert_int_equal(io.why, SPDM_WHY_NO_ROOM);
            for (size_t k = fits ? steps[i].n : 0; k <= n; k++) assert_int_equal(out[k], 0xee);
            free(out);
            free(expected);
        }
    }
}

/* ---- the first error ---- */

static void test_error_sticks(void **state)
{
    uint8_t *p = counted(6);
    struct io io = spdm_reader(&sh, spdm_span(p, 6));
    struct spdm_span s = {p, 1};
    uint8_t u8 = 9;
    uint16_t u16 = 9;
    uint32_t u32 = 9;

    (void)state;
    io.see = see;
    shown = 0;
    io_u32(&io, "first", &u32);
    assert_int_equal(u32, 0x44332211);
    io_u32(&io, "second", &u32);
    assert_int_equal(u32, 0); /* zeros, not what was there before */
    assert_int_equal(io.where, 4);
    assert_string_equal(io.field, "second");
    io_u8(&io, "third", &u8);
    io_u16(&io, "fourth", &u16);
    io_bytes(&io, "fifth", &s, 1);
    io_zero(&io, 1);
    io_name(&io, "sixth") spdm_io_fail(&io, SPDM_WHY_BAD_VALUE, 1, 2);
    io_need(&io, false, TOO_LONG, "seventh", 3, 4);
    assert_int_equal(u8, 0);
    assert_int_equal(u16, 0);
    assert_null(s.p);
    assert_int_equal(s.n, 0);
    assert_int_equal(io.at, 4); /* the bytes that were left stay unread */
    assert_int_equal(io.why, SPDM_WHY_SHORT);
    assert_string_equal(io.field, "second");
    assert_int_equal(io.got, 4);
    assert_int_equal(io.limit, 2);
    assert_int_equal(shown, 1);
    free(p);
}

static void test_encode_error_sticks(void **state)
{
    uint8_t out[4] = {0xee, 0xee, 0xee, 0xee};
    struct io io = spdm_writer(&sh, (struct spdm_room){out, 4});
    uint16_t u16 = 0x2211;

    (void)state;
    io_u16(&io, "first", &u16);
    io_name(&io, "first") spdm_io_fail(&io, SPDM_WHY_BAD_VALUE, 7, 8);
    io_u16(&io, "second", &u16);
    assert_int_equal(io.at, 2);
    assert_int_equal(out[2], 0xee);
    assert_int_equal(io.where, 0);
    assert_int_equal(io.got, 7);
    assert_int_equal(io.limit, 8);
}

/* io_need points at the latest field. */
static void test_need_names_the_place(void **state)
{
    uint8_t *p = counted(5);
    struct io io = spdm_reader(&sh, spdm_span(p, 5));
    struct spdm_report report;
    uint16_t v = 0;

    (void)state;
    io_u16(&io, "a", &v);
    io_u16(&io, "b", &v);
    io_need(&io, true, BAD_VALUE, "b", v, 0);
    assert_true(io_fine(&io));
    io_need(&io, v == 0, BAD_VALUE, "b R-GEN-04", v, 1);
    assert_int_equal(io.where, 2);
    assert_int_equal(io.got, 0x4433);
    spdm_io_report(&io, &spdm_message_CHALLENGE, &report);
    assert_int_equal(report.why, SPDM_WHY_BAD_VALUE);
    assert_int_equal(report.code, 0x83);
    assert_int_equal(report.version, 0x12);
    assert_int_equal(report.offset, 2);
    assert_string_equal(report.field, "b R-GEN-04");
    free(p);
}

/* ---- lengths ---- */

static void test_nothing_is_a_length(void **state)
{
    struct io rd = spdm_reader(&sh, (struct spdm_span){0}), wr;
    struct spdm_span s = {(const uint8_t *)"x", 1};
    uint8_t out[1] = {0xee};

    (void)state;
    rd.see = see;
    shown = 0;
    io_bytes(&rd, "a", &s, 0);
    assert_int_equal(s.n, 0);
    io_zero(&rd, 0);
    io_rest(&rd, "b", &s, 10);
    assert_int_equal(s.n, 0);
    assert_int_equal(io_number(&rd, "c", 5, 0), 0);
    assert_true(io_fine(&rd));
    assert_int_equal(shown, 0);
    wr = spdm_writer(&sh, (struct spdm_room){out, 0});
    s = (struct spdm_span){0};
    io_bytes(&wr, "a", &s, 0);
    io_zero(&wr, 0);
    assert_true(io_fine(&wr));
    assert_int_equal(out[0], 0xee);
}

/* Lengths near the top of size_t must not wrap round. */
static void test_huge_lengths(void **state)
{
    static const size_t lengths[] = {4, 5, 0x10000, UINT32_MAX, SIZE_MAX / 2, SIZE_MAX - 1, SIZE_MAX};
    uint8_t *p = counted(4);

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct io io = spdm_reader(&sh, spdm_span(p, 4));
        struct spdm_span s;
        uint8_t v;

        io_u8(&io, "a", &v);
        io_bytes(&io, "b", &s, lengths[i]);
        assert_int_equal(io.why, SPDM_WHY_SHORT);
        assert_null(s.p);
        io = spdm_reader(&sh, spdm_span(p, 4));
        io_u8(&io, "a", &v);
        io_zero(&io, lengths[i]);
        assert_int_equal(io.why, SPDM_WHY_SHORT);
        assert_int_equal(io.at, 1);
    }
    free(p);
}

static void test_rest(void **state)
{
    uint8_t *p = counted(5), out[8];

    (void)state;
    for (size_t max = 0; max <= 7; max++) {
        struct io io = spdm_reader(&sh, spdm_span(p, 5));
        struct spdm_span s;
        uint8_t v;

        io_u8(&io, "a", &v);
        io_rest(&io, "b", &s, max);
        assert_int_equal(s.n, max < 4 ? max : 4);
        assert_true(io_fine(&io));
    }
    for (size_t n = 0; n <= 5; n++) { /* encoding: all of it, and never more than allowed */
        struct io io = spdm_writer(&sh, (struct spdm_room){out, sizeof out});
        struct spdm_span s = {p, n};

        io_rest(&io, "b", &s, 4);
        assert_int_equal(io_fine(&io), n <= 4);
    }
    free(p);
}

/* A span of another length than the field has is a mistake of ours, not a shorter field. */
static void test_encode_wrong_length(void **state)
{
    uint8_t out[8] = {0}, *p = counted(4);

    (void)state;
    for (size_t n = 0; n <= 4; n++) {
        struct io io = spdm_writer(&sh, (struct spdm_room){out, sizeof out});
        struct spdm_span s = {p, n};

        io_bytes(&io, "a", &s, 3);
        assert_int_equal(io.why, n == 3 ? SPDM_WHY_FINE : SPDM_WHY_BAD_LENGTH);
        assert_int_equal(io.at, n == 3 ? 3 : 0);
    }
    free(p);
}

/* A span without pointer leaves its bytes for somebody else to fill. */
static void test_encode_gap(void **state)
{
    uint8_t out[4] = {1, 2, 3, 4};
    struct io io = spdm_writer(&sh, (struct spdm_room){out, 4});
    struct spdm_span s = {0};

    (void)state;
    io_bytes(&io, "a", &s, 4);
    assert_true(io_fine(&io));
    assert_int_equal(io.at, 4);
    assert_memory_equal(out, "\1\2\3\4", 4);
}

static void test_signature_place(void **state)
{
    uint8_t *p = counted(7);
    struct io io = spdm_reader(&sh, spdm_span(p, 7));
    struct spdm_span s;
    uint16_t v;

    (void)state;
    io_u16(&io, "a", &v);
    assert_int_equal(io.signature_at, 0);
    io_signature(&io, &s);
    assert_int_equal(io.signature_at, 2);
    assert_ptr_equal(s.p, p + 2);
    assert_int_equal(s.n, 5);
    free(p);
}

/* ---- header and codes ---- */

static void test_header(void **state)
{
    static const struct {
        uint8_t bytes[4];
        uint8_t why;
    } cases[] = {{{0x12, 0x81, 0, 0}, SPDM_WHY_FINE},        {{0x12, 0x81, 0xff, 0xff}, SPDM_WHY_FINE},
                 {{0x11, 0x81, 0, 0}, SPDM_WHY_BAD_VERSION}, {{0x13, 0x81, 0, 0}, SPDM_WHY_BAD_VERSION},
                 {{0x00, 0x81, 0, 0}, SPDM_WHY_BAD_VERSION}, {{0x12, 0x82, 0, 0}, SPDM_WHY_BAD_CODE},
                 {{0x10, 0x00, 0, 0}, SPDM_WHY_BAD_VERSION}};
    union spdm_body body;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct io io = spdm_reader(&sh, spdm_span(cases[i].bytes, 4));

        assert_int_equal(spdm_decode(&io, &spdm_message_GET_DIGESTS, &body), cases[i].why == SPDM_WHY_FINE);
        assert_int_equal(io.why, cases[i].why);
    }
}

/* GET_VERSION and VERSION are 1.0 whatever is spoken, ERROR may carry any version. */
static void test_header_exceptions(void **state)
{
    uint8_t get_version[] = {0x10, 0x84, 0, 0}, error[] = {0x10, 0x7f, 0x43, 0}, out[4];
    struct io io = spdm_reader(&sh, spdm_span(get_version, 4));
    union spdm_body body = {0};

    (void)state;
    assert_true(spdm_decode(&io, &spdm_message_GET_VERSION, &body));
    io = spdm_writer(&sh, (struct spdm_room){out, 4});
    assert_true(spdm_encode(&io, &spdm_message_GET_VERSION, &body));
    assert_memory_equal(out, get_version, 4);
    get_version[0] = 0x12;
    io = spdm_reader(&sh, spdm_span(get_version, 4));
    assert_false(spdm_decode(&io, &spdm_message_GET_VERSION, &body));
    for (unsigned version = 0; version < 256; version++) {
        error[0] = (uint8_t)version;
        io = spdm_reader(&sh, spdm_span(error, 4));
        assert_true(spdm_decode(&io, &spdm_message_ERROR, &body));
    }
}

/* What could not be decoded leaves a body of zeros behind, not of whatever was there. */
static void test_decode_clears(void **state)
{
    union spdm_body body, zero;
    struct io io = spdm_reader(&sh, (struct spdm_span){0});

    (void)state;
    memset(&body, 0xee, sizeof body);
    memset(&zero, 0, sizeof zero);
    assert_false(spdm_decode(&io, &spdm_message_MEASUREMENTS, &body));
    assert_memory_equal(&body, &zero, sizeof zero);
}

/* ---- opaque data ---- */

static void check_opaque(struct shape shape, const char *bytes, size_t n, uint8_t why)
{
    uint8_t *p = counted(n);
    struct io io = spdm_reader(&shape, spdm_span(p, n));
    struct spdm_span s;

    memcpy(p, bytes, n);
    spdm_io_opaque(&io, &s);
    if (io.why != why) fail_msg("%s at %u instead of %s", spdm_why_name(io.why), io.where, spdm_why_name(why));
    if (why != SPDM_WHY_FINE) assert_true(io.where <= n);
    free(p);
}
#define OPAQUE(shape, bytes, why) check_opaque(shape, bytes, sizeof(bytes) - 1, SPDM_WHY_##why)

static void test_opaque_formats(void **state)
{
    struct shape none = {.ver = 0x12, .opaque_max = 1024}, fmt0 = none, fmt1 = none, old = none;

    (void)state;
    fmt0.opaque_format = 1;
    fmt1.opaque_format = 2;
    old.opaque_free = true;
    OPAQUE(none, "\0\0", FINE);
    OPAQUE(none, "\1\0x", TOO_LONG); /* R-OPQ-02 */
    OPAQUE(fmt0, "\3\0abc", FINE);
    OPAQUE(old, "\3\0abc", FINE);
    OPAQUE(fmt1, "\0\0", FINE);
    OPAQUE(fmt1, "\x08\0\1\0\0\0\0\0\0\0", FINE);
    OPAQUE(fmt1, "\x08\0\1\xaa\xbb\xcc\0\0\0\0", FINE); /* reserved bytes are ignored */
    OPAQUE(fmt1, "\x04\0\0\0\0\0", BAD_VALUE);          /* no element */
    OPAQUE(fmt1, "\x03\0\1\0\0", SHORT);
    OPAQUE(fmt1, "\x08\0\2\0\0\0\0\0\0\0", SHORT);          /* an element is missing */
    OPAQUE(fmt1, "\x0c\0\1\0\0\0\0\0\0\0zzzz", BAD_LENGTH); /* bytes behind the last one */
    OPAQUE(fmt1, "\x08\0\1\0\0\0\x0c\0\0\0", BAD_VALUE);    /* R-OPQ-08 */
    OPAQUE(fmt1, "\x08\0\1\0\0\0\x0b\0\0\0", FINE);
    OPAQUE(fmt1, "\x0c\0\1\0\0\0\x03\2ab\0\0\0\0", FINE);
    OPAQUE(fmt1, "\x0c\0\1\0\0\0\x03\3abc\0\0\0", BAD_LENGTH); /* PCI-SIG has two bytes */
    OPAQUE(fmt1, "\x0c\0\1\0\0\0\0\0\1\0x\0\0\0", FINE);
    OPAQUE(fmt1, "\x0c\0\1\0\0\0\0\0\1\0x\0\0\1", BAD_VALUE); /* padding is not zero */
    OPAQUE(fmt1, "\x09\0\1\0\0\0\0\0\1\0x", SHORT);           /* padding is missing */
    OPAQUE(fmt1, "\x0c\0\1\0\0\0\0\0\5\0xxxx", SHORT);        /* an element longer than what is left */
    OPAQUE(fmt1, "\x0c\0\1\0\0\0\0\0\xff\xffxxxx", SHORT);
}

static void test_opaque_limit(void **state)
{
    struct shape shape = {.ver = 0x12, .opaque_max = 6, .opaque_format = 1};

    (void)state;
    OPAQUE(shape, "\6\0abcdef", FINE);
    OPAQUE(shape, "\7\0abcdefg", TOO_LONG); /* R-OPQ-03, configurable */
    OPAQUE(shape, "\6\0abcde", SHORT);
    OPAQUE(shape, "\6", SHORT);
}

/* An envelope has no length of its own: what is in it ends with the message, however long that is. */
static void test_long_envelopes(void **state)
{
    static const struct {
        const struct spdm_message *row;
        size_t head;
    } rows[] = {{&spdm_message_ENCAPSULATED_REQUEST, 4},
                {&spdm_message_DELIVER_ENCAPSULATED_RESPONSE, 4},
                {&spdm_message_ENCAPSULATED_RESPONSE_ACK, 8}};
    static const size_t sizes[] = {4, 0xffff, 0x10000, 0x10001, 200000};

    (void)state;
    for (size_t i = 0; i < 3 * 5; i++) {
        size_t head = rows[i / 5].head, n = head + sizes[i % 5];
        uint8_t *message = counted(n), *out = counted(n);
        struct io reader = {.sh = sh, .rd = {message, n}, .end = n};
        struct io writer = {.sh = sh, .wr = {out, n}, .end = n};
        union spdm_body body;

        message[0] = 0x12;
        message[1] = rows[i / 5].row->code;
        message[3] = head == 8 ? 1 : 0; /* ACK: another request follows */
        memset(message + 4, 0, head - 4);
        assert_true(spdm_decode(&reader, rows[i / 5].row, &body));
        assert_int_equal(reader.at, n);
        assert_int_equal(body.encapsulated.message.n, sizes[i % 5]);
        assert_true(spdm_encode(&writer, rows[i / 5].row, &body));
        assert_int_equal(writer.at, n);
        assert_memory_equal(out, message, n);
        free(message);
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers_little_endian),
                                       cmocka_unit_test(test_decode_bounds),
                                       cmocka_unit_test(test_encode_bounds),
                                       cmocka_unit_test(test_error_sticks),
                                       cmocka_unit_test(test_encode_error_sticks),
                                       cmocka_unit_test(test_need_names_the_place),
                                       cmocka_unit_test(test_nothing_is_a_length),
                                       cmocka_unit_test(test_huge_lengths),
                                       cmocka_unit_test(test_rest),
                                       cmocka_unit_test(test_encode_wrong_length),
                                       cmocka_unit_test(test_encode_gap),
                                       cmocka_unit_test(test_signature_place),
                                       cmocka_unit_test(test_header),
                                       cmocka_unit_test(test_header_exceptions),
                                       cmocka_unit_test(test_decode_clears),
                                       cmocka_unit_test(test_opaque_formats),
                                       cmocka_unit_test(test_opaque_limit),
                                       cmocka_unit_test(test_long_envelopes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
