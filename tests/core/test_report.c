/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The sentences of reports, as lines of data; any size of buffer; names. */
#include "support/golden.h"
#include <assay/report.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t why_named(const char *name)
{
    for (uint8_t why = 0; why < SPDM_WHY_N; why++) {
        if (strcmp(spdm_why_name(why), name) == 0) return why;
    }
    fail_msg("no reason %s", name);
    return 0;
}

static char *next(char **rest)
{
    char *word = strsep(rest, "|");

    if (word == NULL) fail_msg("short line");
    return word;
}

/* Buffers of every size: always ended, never written beyond, the same length told. */
static void check_sizes(const struct spdm_report *r, const char *sentence)
{
    size_t whole = strlen(sentence);

    assert_int_equal(spdm_report_text(r, NULL, 0), whole);
    for (size_t cap = 1; cap <= whole + 2; cap++) {
        char *out = malloc(cap);

        memset(out, '#', cap);
        assert_int_equal(spdm_report_text(r, out, cap), whole);
        assert_int_equal(strlen(out), cap <= whole ? cap - 1 : whole);
        assert_memory_equal(out, sentence, strlen(out));
        free(out);
    }
}

static void check_line(char *line, void *ctx)
{
    struct spdm_report r = {0};
    char *rest = line, text[400], *field;
    bool *seen = ctx;

    r.why = why_named(next(&rest));
    r.code = (uint8_t)strtoul(next(&rest), NULL, 16);
    field = next(&rest);
    r.field = strcmp(field, "-") == 0 ? NULL : field;
    r.offset = (uint32_t)strtoul(next(&rest), NULL, 10);
    r.got = (uint32_t)strtoul(next(&rest), NULL, 10);
    r.limit = (uint32_t)strtoul(next(&rest), NULL, 10);
    spdm_report_text(&r, text, sizeof text);
    assert_string_equal(text, rest);
    check_sizes(&r, rest);
    seen[r.why] = true;
}

static void test_sentences(void **state)
{
    bool seen[SPDM_WHY_N] = {0};

    (void)state;
    (void)golden_lines("tests/data/core/reports.txt", check_line, seen);
    assert_true(seen[SPDM_WHY_SHORT] && seen[SPDM_WHY_LIMIT]);
}

/* Every reason makes a whole sentence of any report: no directive is left, no byte is not printable. */
static void test_every_reason(void **state)
{
    struct spdm_report r = {.code = 0x03, .field = "Field R-XYZ-01", .offset = 9, .got = 0xffffffff, .limit = 0x80};
    char text[400];

    (void)state;
    for (unsigned why = 0; why <= 255; why++) {
        r.why = (uint8_t)why;
        assert_true(spdm_report_text(&r, text, sizeof text) < sizeof text);
        assert_null(strchr(text, '%'));
        for (const char *s = text; *s != '\0'; s++) assert_true(*s >= ' ' && *s <= '~');
        if (why >= SPDM_WHY_N) assert_string_equal(spdm_why_name(r.why), "UNKNOWN");
    }
}

static void test_error_names(void **state)
{
    /* algorithms.md, "Error codes" */
    static const struct {
        uint8_t code;
        const char *name;
    } codes[] = {{0x01, "InvalidRequest"},       {0x02, "InvalidSession"},    {0x03, "Busy"},
                 {0x04, "UnexpectedRequest"},    {0x05, "Unspecified"},       {0x06, "DecryptError"},
                 {0x07, "UnsupportedRequest"},   {0x08, "RequestInFlight"},   {0x09, "InvalidResponseCode"},
                 {0x0a, "SessionLimitExceeded"}, {0x0b, "SessionRequired"},   {0x0c, "ResetRequired"},
                 {0x0d, "ResponseTooLarge"},     {0x0e, "RequestTooLarge"},   {0x0f, "LargeResponse"},
                 {0x10, "MessageLost"},          {0x11, "InvalidPolicy"},     {0x12, "DataTooLarge"},
                 {0x41, "VersionMismatch"},      {0x42, "ResponseNotReady"},  {0x43, "RequestResynch"},
                 {0x44, "OperationFailed"},      {0x45, "NoPendingRequests"}, {0x46, "RequestSessionTerminated"},
                 {0x47, "InvalidState"},         {0xff, "VendorDefined"}};
    unsigned named = 0;

    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        assert_string_equal(spdm_error_name(codes[i].code), codes[i].name);
    }
    for (unsigned code = 0; code < 256; code++) named += strcmp(spdm_error_name((uint8_t)code), "reserved") != 0;
    assert_int_equal(named, sizeof codes / sizeof *codes);
}

static void test_message_names(void **state)
{
    (void)state;
    assert_string_equal(spdm_message_name(0x84), "GET_VERSION");
    assert_string_equal(spdm_message_name(0x03), "CHALLENGE_AUTH");
    assert_string_equal(spdm_message_name(0x7f), "ERROR");
    assert_string_equal(spdm_message_name(0x00), "unknown");
    assert_string_equal(spdm_message_name(0xb0), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sentences), cmocka_unit_test(test_every_reason),
                                       cmocka_unit_test(test_error_names), cmocka_unit_test(test_message_names)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
