/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The registry against the message code table of the specification: codes,
 * versions, where a request is legal, what it needs, which transcripts it
 * joins and resets - row by row, without a row to spare. */
#include "support/golden.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t letters(const char *word, const char *alphabet, const uint8_t *bits)
{
    uint8_t all = 0;

    for (; *word != '\0' && *word != '-'; word++) {
        const char *found = strchr(alphabet, *word);

        if (found == NULL) fail_msg("no meaning: %s", word);
        all |= bits[found - alphabet];
    }
    return all;
}

static void check_row(char *line, void *ctx)
{
    static const uint8_t phases[] = {PHASE_START,      PHASE_VERSION,   PHASE_CAPABLE,
                                     PHASE_NEGOTIATED, PHASE_HANDSHAKE, PHASE_SESSION};
    static const uint8_t joins[] = {JOINS_VCA, JOINS_M1M2, JOINS_L1L2, RESETS_M1M2, RESETS_M1M2_UNPROVEN};
    char name[40], legal[8], transcripts[8];
    unsigned code, minor, needs;
    const struct spdm_message *row;
    bool *seen = ctx;

    if (sscanf(line, "%39s %x %u %7s %x %7s", name, &code, &minor, legal, &needs, transcripts) != 6) {
        fail_msg("bad line %s", line);
    }
    row = spdm_message_find((uint8_t)code);
    if (row == NULL) fail_msg("no row %s", name);
    assert_string_equal(row->name, name);
    assert_false(seen[code]);
    seen[code] = true;
    if (row->code != code || row->since != 0x10 + minor) fail_msg("%s: version", name);
    if (row->legal != letters(legal, "SVCNHE", phases)) fail_msg("%s: where it is legal", name);
    if (row->needs != needs) fail_msg("%s: needs 0x%x, 0x%x expected", name, row->needs, needs);
    if (row->joins != letters(transcripts, "ABMRr", joins)) fail_msg("%s: transcripts", name);
}

static void test_rows(void **state)
{
    bool seen[256] = {0};

    (void)state;
    assert_int_equal(golden_lines("tests/data/wire/registry.txt", check_row, seen), spdm_message_count);
    for (unsigned code = 0; code < 256; code++) {
        const struct spdm_message *row = spdm_message_find((uint8_t)code);

        assert_int_equal(row != NULL, seen[code]);
        if (row == NULL) continue;
        assert_int_equal(row->legal != 0, code >= 0x80); /* R-GEN-18 */
        /* A response has the code of its request without bit 7; but for ERROR and RESPOND_IF_READY. */
        if (code != 0x7f && code != 0xff) assert_non_null(spdm_message_find((uint8_t)(code ^ 0x80)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
