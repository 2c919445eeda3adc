/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The algorithm table against the tables of the specification, row by row and
 * without a row to spare; names, masks, selections. */
#include "support/golden.h"
#include <assay/algorithm.h>
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t versions[] = {0x10, 0x11, 0x12, 0x13, 0x14};

static enum spdm_class class_named(const char *word)
{
    static const char *const names[] = {"", "hash", "asym", "pqc", "dhe", "aead", "schedule", "kem"};

    for (unsigned i = 1; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], word) == 0) return (enum spdm_class)i;
    }
    fail_msg("no class %s", word);
    return SPDM_CLASS_HASH;
}

static void check_names(enum spdm_alg id, const char *name)
{
    char other[40];

    assert_string_equal(spdm_algorithm_name(id), name);
    assert_int_equal(spdm_algorithm_named(name), id);
    for (size_t i = 0; i <= strlen(name); i++) other[i] = (char)(name[i] == '_' ? '-' : tolower(name[i]));
    assert_int_equal(spdm_algorithm_named(other), id);
    for (size_t i = 0, n = 0; i <= strlen(name); i++) {
        if (name[i] != '_') other[n++] = (char)toupper(name[i]);
    }
    assert_int_equal(spdm_algorithm_named(other), id);
    other[strlen(other) - 1] = '\0';
    assert_int_not_equal(spdm_algorithm_named(other), id);
}

/* The mask exists from `since` on, and only there selects the algorithm. */
static void check_masks(enum spdm_alg id, enum spdm_class cls, uint32_t mask, uint8_t since)
{
    for (size_t i = 0; i < sizeof versions; i++) {
        bool there = versions[i] >= since;

        assert_int_equal(spdm_algorithm_mask(id, versions[i]), there ? mask : 0);
        assert_int_equal(spdm_algorithm_of(cls, mask, versions[i]), there ? id : SPDM_ALG_NONE);
        assert_int_equal(spdm_algorithm_of(cls, mask | mask << 1, versions[i]), SPDM_ALG_NONE);
    }
}

static void check_row(char *line, void *ctx)
{
    char cls[12], name[32];
    unsigned bit, mask, minor, size, reply, key;
    bool *seen = ctx;
    const struct spdm_algorithm *row;
    enum spdm_alg id;

    if (sscanf(line, "%11s %31s %u %x 1.%u %u %u %u", cls, name, &bit, &mask, &minor, &size, &reply, &key) != 8) {
        fail_msg("bad line %s", line);
    }
    id = spdm_algorithm_named(name);
    if (id == SPDM_ALG_NONE) fail_msg("no algorithm %s", name);
    assert_false(seen[id]);
    seen[id] = true;
    row = spdm_algorithm(id);
    if (row->cls != class_named(cls) || row->bit != bit || row->since != 0x10 + minor) fail_msg("%s: place", name);
    if (row->size != size || row->reply != reply || row->key != key) fail_msg("%s: sizes", name);
    assert_int_equal(1u << bit, mask);
    assert_true(row->cls != SPDM_CLASS_HASH || row->size <= SPDM_HASH_MAX);
    check_names(id, name);
    check_masks(id, class_named(cls), mask, (uint8_t)(0x10 + minor));
}

static void test_rows(void **state)
{
    bool seen[SPDM_ALG_N] = {0};

    (void)state;
    assert_int_equal(golden_lines("tests/data/algo/algorithms.txt", check_row, seen), SPDM_ALG_N - 1);
    for (unsigned id = 1; id < SPDM_ALG_N; id++) assert_true(seen[id]);
}

static void test_out_of_range(void **state)
{
    static const int ids[] = {SPDM_ALG_NONE, SPDM_ALG_N, SPDM_ALG_N + 1, SPDM_RAW_ONLY, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        const struct spdm_algorithm *row = spdm_algorithm((enum spdm_alg)ids[i]);

        assert_int_equal(row->cls, 0);
        assert_int_equal(row->size, 0);
        assert_int_equal(spdm_algorithm_mask((enum spdm_alg)ids[i], 0x14), 0);
    }
    assert_string_equal(spdm_algorithm_name(SPDM_ALG_NONE), "none");
    assert_string_equal(spdm_algorithm_name(SPDM_RAW_ONLY), "raw bit stream only");
    assert_string_equal(spdm_algorithm_name(SPDM_ALG_N), "unknown");
    assert_int_equal(spdm_algorithm_named(""), SPDM_ALG_NONE);
    assert_int_equal(spdm_algorithm_named("none"), SPDM_ALG_NONE);
    assert_int_equal(spdm_algorithm_named("SHA_2566"), SPDM_ALG_NONE);
}

/* Every mask of one class is either one known bit or nothing. */
static void test_unknown_bits(void **state)
{
    (void)state;
    for (unsigned cls = SPDM_CLASS_HASH; cls <= SPDM_CLASS_KEM; cls++) {
        unsigned known = 0;

        assert_int_equal(spdm_algorithm_of((enum spdm_class)cls, 0, 0x14), SPDM_ALG_NONE);
        assert_int_equal(spdm_algorithm_of((enum spdm_class)cls, 0xffffffff, 0x14), SPDM_ALG_NONE);
        for (unsigned bit = 0; bit < 32; bit++) {
            enum spdm_alg id = spdm_algorithm_of((enum spdm_class)cls, 1u << bit, 0x14);

            known += id != SPDM_ALG_NONE;
            if (id != SPDM_ALG_NONE) assert_int_equal(spdm_algorithm(id)->cls, cls);
        }
        assert_true(known > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_out_of_range),
                                       cmocka_unit_test(test_unknown_bits)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
