/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Each rule that a walker checks, broken by editing a golden message: the
 * reason, the place and the rule it names. And what looks wrong but must be
 * taken. Then malformed measurement records before the iterator. */
#include "support/golden.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct refusal {
    char file[48], source[48], edits[64], why[20], field[64];
    unsigned where;
    bool found;
};
static struct refusal refusals[300];
static unsigned refusal_n;

static void take_refusal(char *line, void *ctx)
{
    struct refusal *r = &refusals[refusal_n++];

    (void)ctx;
    assert_true(refusal_n <= sizeof refusals / sizeof *refusals);
    if (sscanf(line, "%47s %47s %63s %19s %u %63[^\n]", r->file, r->source, r->edits, r->why, &r->where, r->field) !=
        6) {
        fail_msg("bad line %s", line);
    }
}

static void edit(uint8_t *bytes, size_t n, const char *edits)
{
    unsigned at, byte;
    int used;

    for (; sscanf(edits, "%u=%x%n", &at, &byte, &used) == 2; edits += used + (edits[used] == ',')) {
        assert_true(at < n);
        bytes[at] = (uint8_t)byte;
    }
    assert_int_equal(*edits, '\0');
}

static void try(const struct golden *g, struct refusal *r)
{
    uint8_t *copy = malloc(g->bytes.n);
    struct io io = spdm_reader(&g->shape, (struct spdm_span){copy, g->bytes.n});
    union spdm_body body;

    memcpy(copy, g->bytes.p, g->bytes.n);
    edit(copy, g->bytes.n, r->edits);
    (void)spdm_decode(&io, g->row, &body);
    if (strcmp(spdm_why_name(io.why), r->why) != 0) {
        fail_msg("%s %s: %s (%s at %u)", r->file, r->edits, spdm_why_name(io.why), io.field, io.where);
    }
    if (io.why != SPDM_WHY_FINE && (io.where != r->where || strcmp(io.field, r->field) != 0)) {
        fail_msg("%s %s: `%s` at %u instead of `%s` at %u", r->file, r->edits, io.field, io.where, r->field, r->where);
    }
    r->found = true;
    free(copy);
}

static void take_message(const struct golden *g, void *ctx)
{
    char name[64];

    (void)ctx;
    for (unsigned i = 0; i < refusal_n; i++) {
        struct refusal *r = &refusals[i];

        snprintf(name, sizeof name, "%s.txt", r->file);
        if (r->found || strcmp(name, g->file) != 0) continue;
        if (strcmp(r->source, "*") == 0 || strcmp(r->source, g->source) == 0) try(g, r);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    (void)golden_lines("tests/data/wire/refusals.txt", take_refusal, NULL);
    (void)golden_each(take_message, NULL);
    for (unsigned i = 0; i < refusal_n; i++) {
        if (!refusals[i].found) fail_msg("no message %s %s", refusals[i].file, refusals[i].source);
    }
}

/* ---- the iterator over a MeasurementRecord ---- */

/* Walks a record that is exactly as large as it claims; the number of blocks, and whether it was walked to its end. */
static unsigned walk(const char *bytes, size_t n, bool *whole)
{
    uint8_t *p = malloc(n != 0 ? n : 1);
    struct spdm_span rest = {p, n};
    struct spdm_measurement m;
    unsigned blocks = 0;

    memcpy(p, bytes, n);
    while (spdm_measurement_next(&rest, &m)) {
        assert_true(m.index != 0 && m.type < 0x80);
        assert_true(m.value.n == 0 || (m.value.p >= p && m.value.p + m.value.n <= p + n));
        blocks++;
    }
    *whole = rest.n == 0;
    free(p);
    return blocks;
}
#define WALK(bytes, blocks, to_the_end)                                                                                \
    do {                                                                                                               \
        bool whole;                                                                                                    \
        assert_int_equal(walk(bytes, sizeof(bytes) - 1, &whole), blocks);                                              \
        assert_int_equal(whole, to_the_end);                                                                           \
    } while (0)

#define ONE "\1\1\5\0\x81\2\0ab"
#define TWO "\2\1\3\0\0\0\0"

static void test_records(void **state)
{
    (void)state;
    WALK("", 0, true);
    WALK(ONE, 1, true);
    WALK(ONE TWO, 2, true);
    WALK(ONE TWO ONE, 3, true);         /* order is for who knows the request to judge */
    WALK("\0\1\3\0\0\0\0", 0, false);   /* index 0 */
    WALK("\xff\1\3\0\0\0\0", 0, false); /* index 0xff */
    WALK("\1\2\3\0\0\0\0", 0, false);   /* another specification */
    WALK("\1\1\4\0\0\0\0", 0, false);   /* sizes that contradict each other */
    WALK("\1\1\2\0\0\0\0", 0, false);
    WALK("\1\1\0\0\0\xfd\xff", 0, false);
    WALK(ONE "\2\1\3\0\0\0", 1, false); /* cut */
    WALK(ONE "\2\1\x03\1\0\0\1zz", 1, false);
    WALK(ONE "\1", 1, false);
}

/* Cut anywhere, a record yields the blocks that are whole and says that it did not end well. */
static void test_cut_records(void **state)
{
    static const char record[] = ONE TWO ONE;
    static const size_t ends[] = {0, 9, 16, 25};

    (void)state;
    for (size_t n = 0; n < sizeof record; n++) {
        unsigned blocks = 0;
        bool whole, at_end = false;

        for (size_t i = 0; i < 4; i++) {
            blocks += i > 0 && n >= ends[i];
            at_end |= n == ends[i];
        }
        assert_int_equal(walk(record, n, &whole), blocks);
        assert_int_equal(whole, at_end);
    }
}

static void test_type_names(void **state)
{
    /* algorithms.md, "Measurement tables" */
    static const char *const words[] = {"ROM",
                                        "mutable firmware",
                                        "hardware configuration",
                                        "firmware configuration",
                                        "manifest",
                                        "device mode",
                                        "version",
                                        "security version",
                                        "hash-extend",
                                        "informational",
                                        "structured"};

    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        const char *name = spdm_measurement_type_name((uint8_t)type);

        if (type < sizeof words / sizeof *words) assert_non_null(strstr(name, words[type]));
        else assert_string_equal(name, "reserved");
    }
}

/* ---- lengths of vendor ids (R-VDR-05, R-VDR-06) ---- */

/* algorithms.md, "Registry or standards body ids"; the body 0x0a has five lengths. */
static bool id_fits(unsigned standard, unsigned n)
{
    static const uint8_t lengths[] = {0, 2, 2, 2, 4, 4, 2, 2, 2, 0, 0xff, 2};

    if (standard >= sizeof lengths) return false;
    if (standard == 0x0a) return n == 1 || n == 2 || n == 3 || n == 5 || n == 9;
    return n == lengths[standard] || n == 0;
}

static void test_vendor_messages(void **state)
{
    static const struct shape sh = {.ver = 0x12};
    uint8_t bytes[24] = {0x12, 0xfe};
    union spdm_body body;

    (void)state;
    for (unsigned standard = 0; standard < 0x300; standard++) {
        for (unsigned n = 0; n <= 10; n++) {
            struct io io = spdm_reader(&sh, (struct spdm_span){bytes, 9 + n});

            bytes[4] = (uint8_t)standard;
            bytes[5] = (uint8_t)(standard >> 8);
            bytes[6] = (uint8_t)n;
            if (spdm_decode(&io, &spdm_message_VENDOR_DEFINED_REQUEST, &body) != id_fits(standard, n)) {
                fail_msg("standard 0x%x, %u bytes", standard, n);
            }
        }
    }
}

/* In opaque data nobody looks at the lengths of the body 0x0a; ids above 0x0b do not exist (R-OPQ-08). */
static void test_opaque_elements(void **state)
{
    static const struct shape sh = {.ver = 0x12, .opaque_format = 2, .opaque_max = 64};

    (void)state;
    for (unsigned standard = 0; standard < 256; standard++) {
        for (unsigned n = 0; n <= 10; n++) {
            uint8_t bytes[32] = {0, 0, 1, 0, 0, 0, (uint8_t)standard, (uint8_t)n};
            size_t size = 4 + ((4 + n + 3) & ~3u);
            struct io io = spdm_reader(&sh, (struct spdm_span){bytes, 2 + size});
            struct spdm_span s;

            bytes[0] = (uint8_t)size;
            spdm_io_opaque(&io, &s);
            if ((io.why == SPDM_WHY_FINE) != (standard == 0x0a || id_fits(standard, n))) {
                fail_msg("standard 0x%x, %u bytes: %s", standard, n, spdm_why_name(io.why));
            }
        }
    }
}

/* ---- the most extended algorithms (R-ALG-06, R-ALG-07) ---- */

/* A NEGOTIATE_ALGORITHMS with n extended signature algorithms and nothing else. */
static uint8_t negotiate(uint8_t version, unsigned n)
{
    const struct shape sh = {.ver = version};
    uint8_t bytes[32 + 4 * 32] = {version, 0xe3, 0, 0, (uint8_t)(32 + 4 * n)};
    struct io io = spdm_reader(&sh, (struct spdm_span){bytes, 32 + 4 * n});
    union spdm_body body;

    bytes[28] = (uint8_t)n;
    (void)spdm_decode(&io, &spdm_message_NEGOTIATE_ALGORITHMS, &body);
    if (io.why == SPDM_WHY_TOO_LONG) assert_non_null(strstr(io.field, io.got > 32 ? "R-ALG-06" : "R-ALG-07"));
    return io.why;
}

static void test_extended_algorithms(void **state)
{
    (void)state;
    for (uint8_t version = SPDM_V10; version <= SPDM_V14; version++) {
        unsigned most = version == SPDM_V10 ? 8 : 20;

        for (unsigned n = 0; n <= 26; n++) {
            assert_int_equal(negotiate(version, n), n <= most ? SPDM_WHY_FINE : SPDM_WHY_TOO_LONG);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),           cmocka_unit_test(test_records),
        cmocka_unit_test(test_cut_records),        cmocka_unit_test(test_type_names),
        cmocka_unit_test(test_vendor_messages),    cmocka_unit_test(test_opaque_elements),
        cmocka_unit_test(test_extended_algorithms)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
