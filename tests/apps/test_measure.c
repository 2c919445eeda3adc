/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_measure.c - what is read out of measurement values, and what stays bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include "measure.h"
#include "text.h"
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void reads_values(void **state)
{
    static const struct {
        uint8_t type;
        bool raw;
        const char *hex;
        enum spdm_value_kind kind;
        const char *words;
    } rows[] = {
        {SPDM_MEAS_FIRMWARE, false, "00ff", SPDM_VALUE_DIGEST, "00ff"},
        {SPDM_MEAS_SVN, false, "0700000000000000", SPDM_VALUE_DIGEST, "0700000000000000"},
        {SPDM_MEAS_SVN, true, "0700000000000000", SPDM_VALUE_NUMBER, "7"},
        {SPDM_MEAS_SVN, true, "ffffffffffffffff", SPDM_VALUE_NUMBER, "18446744073709551615"},
        {SPDM_MEAS_SVN, true, "07000000", SPDM_VALUE_BYTES, "07000000"},
        {SPDM_MEAS_SVN, true, "070000000000000000", SPDM_VALUE_BYTES, "070000000000000000"},
        {SPDM_MEAS_SVN, true, "", SPDM_VALUE_BYTES, "empty"},
        {SPDM_MEAS_VERSION, true, "312e32", SPDM_VALUE_TEXT, "\"1.2\""},
        {SPDM_MEAS_VERSION, true, "312e320000", SPDM_VALUE_TEXT, "\"1.2\""},
        {SPDM_MEAS_VERSION, true, "312e0032", SPDM_VALUE_BYTES, "312e0032"},
        {SPDM_MEAS_VERSION, true, "1b5b32", SPDM_VALUE_BYTES, "1b5b32"},
        {SPDM_MEAS_VERSION, true, "0000", SPDM_VALUE_BYTES, "0000"},
        {SPDM_MEAS_DEVICE_MODE, true, "3f000000040000001f00000011000000", SPDM_VALUE_MODES,
         "mode: normal; debug: non-invasive debug active, invasive debug was active since manufacturing"},
        {SPDM_MEAS_DEVICE_MODE, true, "00000000410000000000000000000080", SPDM_VALUE_MODES,
         "mode: manufacturing, bit 6; debug: bit 31"},
        {SPDM_MEAS_DEVICE_MODE, true, "3f0000000400000000000000000000", SPDM_VALUE_BYTES,
         "3f0000000400000000000000000000"},
        {SPDM_MEAS_DEVICE_MODE, true, "3f0000000400000000000000000000aaaa", SPDM_VALUE_BYTES,
         "3f0000000400000000000000000000aaaa"},
        {SPDM_MEAS_STRUCTURED_MANIFEST, true, "03028680ccdd", SPDM_VALUE_MANIFEST, "PCI-SIG 8680 manifest: ccdd"},
        {SPDM_MEAS_STRUCTURED_MANIFEST, true, "0000aa", SPDM_VALUE_MANIFEST, "DMTF manifest: aa"},
        {SPDM_MEAS_STRUCTURED_MANIFEST, true, "0000", SPDM_VALUE_MANIFEST, "DMTF manifest: empty"},
        {SPDM_MEAS_STRUCTURED_MANIFEST, true, "030286", SPDM_VALUE_BYTES, "030286"},
        {SPDM_MEAS_STRUCTURED_MANIFEST, true, "03ff8680", SPDM_VALUE_BYTES, "03ff8680"},
        {SPDM_MEAS_STRUCTURED_MANIFEST, true, "03", SPDM_VALUE_BYTES, "03"},
        {SPDM_MEAS_STRUCTURED_MANIFEST, true, "7f00aa", SPDM_VALUE_BYTES, "7f00aa"},
        {SPDM_MEAS_ROM, true, "fd", SPDM_VALUE_BYTES, "fd"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = strlen(rows[i].hex) / 2;
        uint8_t *bytes = malloc(n + 1); /* exactly as long, for the sanitizer to watch */
        assert_int_equal(spdm_text_unhex(rows[i].hex, (struct spdm_room){bytes, n}), n);
        struct spdm_measurement m = {.index = 1, .type = rows[i].type, .raw = rows[i].raw, .value = {bytes, n}};
        uint8_t *exact = realloc(bytes, n != 0 ? n : 1);
        m.value.p = exact;
        struct spdm_value v = spdm_value_of(&m);
        char *words = spdm_value_words(&v);
        if (v.kind != rows[i].kind || strcmp(words, rows[i].words) != 0)
            fail_msg("row %zu: kind %d, %s", i, v.kind, words);
        free(words);
        free(exact);
    }
}

static void cuts_long_values(void **state)
{
    static const uint8_t bytes[65] = {0xfd};
    (void)state;
    struct spdm_measurement m = {.index = 1, .type = SPDM_MEAS_MANIFEST, .raw = true, .value = {bytes, 65}};
    struct spdm_value v = spdm_value_of(&m);
    char *words = spdm_value_words(&v);
    assert_int_equal(strlen(words), 128 + strlen("… (65 bytes)"));
    assert_string_equal(words + 128, "… (65 bytes)");
    free(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_values), cmocka_unit_test(cuts_long_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
