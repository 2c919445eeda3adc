/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_none.c - the binding without a header: what is a message, what a record. */
#include "frames.h"

static void finds_the_message(void **state)
{
    static const struct unwrapped rows[] = {
        {"10840000", SPDM_FRAME_PLAIN, 0, 4},   {"14840000", SPDM_FRAME_PLAIN, 0, 4}, {"10", SPDM_FRAME_PLAIN, 0, 1},
        {"feff0100", SPDM_FRAME_SECURED, 0, 4}, {"", SPDM_FRAME_BAD, 0, 0},
    };
    (void)state;
    check_unwrap(&spdm_binding_none, rows, sizeof rows / sizeof *rows);
}

static void wraps_nothing_around(void **state)
{
    (void)state;
    check_wrap(&spdm_binding_none, "10840000", false, "10840000");
    assert_null(spdm_binding_none.control);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_the_message), cmocka_unit_test(wraps_nothing_around)};
    return cmocka_run_group_tests_name("bind/none", tests, NULL, NULL);
}
