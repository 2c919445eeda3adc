/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_text.c - hostile strings come out harmless, and tables line up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include "text.h"
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void is_made_safe(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", ""},
        {"ACME Widget", "ACME Widget"},
        {"Gerät № 5 漢字", "Gerät № 5 漢字"},
        {"a\x1b[31mred\x1b]0;title\x07", "a\\x1b[31mred\\x1b]0;title\\x07"},
        {"two\nlines\r\ttab\x7f", "two\\x0alines\\x0d\\x09tab\\x7f"},
        {"c1 \xc2\x9b"
         "31m",
         "c1 \\x9b31m"},
        {"bare \x9b"
         "31m",
         "bare \\x9b31m"},
        {"evil\u202egnp.exe", "evil\\u{202e}gnp.exe"},
        {"zero\u200bwidth\u2066x\u2069", "zero\\u{200b}width\\u{2066}x\\u{2069}"},
        {"line\u2028sep", "line\\u{2028}sep"},
        {"rtl\u200fmark\u061c\ufeff", "rtl\\u{200f}mark\\u{61c}\\u{feff}"},
        {"surrogates \xed\xa0\x81\xed\xbf\xbf", "surrogates \\u{d801}\\u{dfff}"},
        {"overlong \xc0\x80 \xe0\x80\xaf", "overlong \\xc0\\x80 \\xe0\\x80\\xaf"},
        {"cut \xe2\x82", "cut \\xe2\\x82"},
        {"surrogate \xed\xa0\x80", "surrogate \\u{d800}"},
        {"too high \xf4\x90\x80\x80 \xff", "too high \\xf4\\x90\\x80\\x80 \\xff"},
        {"tag \xf3\xa0\x80\xa1", "tag \\u{e0021}"},
        {"smile \xf0\x9f\x98\x80", "smile \xf0\x9f\x98\x80"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *safe = spdm_text_safe_string(rows[i].in);
        assert_string_equal(safe, rows[i].out);
        struct spdm_span in = {(const uint8_t *)rows[i].in, strlen(rows[i].in)};
        assert_int_equal(spdm_text_readable(in), in.n != 0 && strcmp(rows[i].in, rows[i].out) == 0);
        free(safe);
    }
}

static void keeps_zero_bytes_visible(void **state)
{
    (void)state;
    char *safe = spdm_text_safe((struct spdm_span){(const uint8_t *)"root\0admin", 10});
    assert_string_equal(safe, "root\\x00admin");
    free(safe);
    safe = spdm_text_safe_string(NULL);
    assert_string_equal(safe, "");
    free(safe);
}

/* Whatever bytes come in: no control byte comes out, and the result is clean by its own measure. */
static void is_safe_whatever_comes(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[12];
        for (size_t i = 0; i < sizeof bytes; i++) {
            random = random * 1664525 + 1013904223;
            bytes[i] = (uint8_t)(random >> 24 | (random >> 20 & 0x80));
        }
        char *safe = spdm_text_safe((struct spdm_span){bytes, sizeof bytes});
        assert_true(spdm_text_readable((struct spdm_span){(const uint8_t *)safe, strlen(safe)}));
        free(safe);
    }
}

static void reads_and_writes_hex(void **state)
{
    static const struct {
        const char *in;
        size_t n;
    } rows[] = {{"", 0},           {"00ff", 2},      {"DE:AD be-ef", 4}, {"0", SIZE_MAX},
                {"0 0", SIZE_MAX}, {"zz", SIZE_MAX}, {"0x12", SIZE_MAX}, {"0011223344", SIZE_MAX}};
    uint8_t out[4];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(spdm_text_unhex(rows[i].in, (struct spdm_room){out, sizeof out}), rows[i].n);
    assert_int_equal(spdm_text_unhex("DE:AD be-ef", (struct spdm_room){out, sizeof out}), 4);
    char *hex = spdm_text_hex((struct spdm_span){out, 4}, 0);
    assert_string_equal(hex, "deadbeef");
    free(hex);
    hex = spdm_text_hex((struct spdm_span){out, 4}, 2);
    assert_string_equal(hex, "dead beef");
    free(hex);
}

static void counts_columns(void **state)
{
    (void)state;
    assert_int_equal(spdm_text_width("abc"), 3);
    assert_int_equal(spdm_text_width("Gerät"), 5);
    assert_int_equal(spdm_text_width("漢字"), 4);
    assert_int_equal(spdm_text_width("e\u0301"), 1);
    assert_int_equal(spdm_text_width("…"), 1);
}

static char *printed(struct spdm_table *table, size_t width, bool colour)
{
    char *out = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&out, &n);
    struct spdm_screen screen = {.to = to, .colour = colour, .width = width};
    spdm_table_print(table, &screen, 2);
    fclose(to);
    return out;
}

static struct spdm_table *sample(void)
{
    struct spdm_table *table = spdm_table_new(3);
    spdm_table_add(table, SPDM_PLAIN, "1");
    spdm_table_add(table, SPDM_GREEN, "Gerät");
    spdm_table_add(table, SPDM_PLAIN, "short");
    spdm_table_add(table, SPDM_PLAIN, "254");
    spdm_table_add(table, SPDM_RED, "x");
    spdm_table_add(table, SPDM_PLAIN, "the quick brown fox jumps over 0123456789012345678901234567890123456789");
    spdm_table_add(table, SPDM_PLAIN, "7");
    return table;
}

static void lines_up(void **state)
{
    (void)state;
    char *out = printed(sample(), 0, false);
    assert_string_equal(out, "  1    Gerät  short\n"
                             "  254  x      the quick brown fox jumps over 0123456789012345678901234567890123456789\n"
                             "  7\n");
    free(out);
}

static void folds_and_colours_on_a_terminal(void **state)
{
    (void)state;
    char *out = printed(sample(), 40, true);
    assert_string_equal(out, "  1    \033[32mGerät\033[0m  short\n"
                             "  254  \033[31mx\033[0m      the quick brown fox jumps\n"
                             "              over\n"
                             "              01234567890123456789012345\n"
                             "              67890123456789\n"
                             "  7\n");
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_made_safe),
        cmocka_unit_test(keeps_zero_bytes_visible),
        cmocka_unit_test(is_safe_whatever_comes),
        cmocka_unit_test(reads_and_writes_hex),
        cmocka_unit_test(counts_columns),
        cmocka_unit_test(lines_up),
        cmocka_unit_test(folds_and_colours_on_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
