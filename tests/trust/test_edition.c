/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The edition table: each column against the version that brought it, the
 * masks against the capability tables, nothing beside 1.0 to 1.4. */
#include "trust/edition.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *name;
    size_t at;
    uint8_t since, until; /* minor versions */
} columns[] = {
    {"alg_tables", offsetof(struct edition, alg_tables), 1, 4},
    {"slot_in_measurements", offsetof(struct edition, slot_in_measurements), 1, 4},
    {"legacy_opaque", offsetof(struct edition, legacy_opaque), 1, 1},
    {"mut_without_vca", offsetof(struct edition, mut_without_vca), 1, 1},
    {"mut_for_encap", offsetof(struct edition, mut_for_encap), 2, 2},
    {"ack_has_id", offsetof(struct edition, ack_has_id), 2, 4},
    {"no_pending", offsetof(struct edition, no_pending), 3, 4},
    {"policy_error", offsetof(struct edition, policy_error), 3, 4},
    {"sizes", offsetof(struct edition, sizes), 2, 4},
    {"signing_prefix", offsetof(struct edition, signing_prefix), 2, 4},
    {"vca_in_l1l2", offsetof(struct edition, vca_in_l1l2), 2, 4},
    {"negotiates_opaque", offsetof(struct edition, negotiates_opaque), 2, 4},
    {"raw_bit", offsetof(struct edition, raw_bit), 2, 4},
    {"too_large", offsetof(struct edition, too_large), 2, 4},
    {"session_required", offsetof(struct edition, session_required), 2, 4},
    {"session_policy", offsetof(struct edition, session_policy), 2, 4},
    {"fresh_bit", offsetof(struct edition, fresh_bit), 3, 4},
    {"multi_key", offsetof(struct edition, multi_key), 3, 4},
    {"algorithm_block", offsetof(struct edition, algorithm_block), 3, 4},
    {"large_certificate", offsetof(struct edition, large_certificate), 4, 4},
};

static void test_columns(void **state)
{
    (void)state;
    for (uint8_t minor = 0; minor <= 4; minor++) {
        const struct edition *ed = spdm_edition((uint8_t)(0x10 + minor));

        assert_non_null(ed);
        assert_int_equal(ed->version, 0x10 + minor);
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
            bool value, expected = minor >= columns[i].since && minor <= columns[i].until;

            memcpy(&value, (const uint8_t *)ed + columns[i].at, sizeof value);
            if (value != expected) fail_msg("%s at 1.%u", columns[i].name, minor);
        }
        assert_int_equal(ed->psk_salt, minor >= 3 ? 0xff : 0); /* R-KSC-03 */
    }
}

/* algorithms.md, "Capability flags": the masks of each version. */
static void test_masks(void **state)
{
    static const uint32_t req[] = {0, 0x0001ffc6, 0x0003ffc6, 0x0ec3ffc6, 0x8ec3ffc6};
    static const uint32_t rsp[] = {0x0000003f, 0x0001ffff, 0x003fffff, 0x3fffffff, 0xffffffff};
    static const uint16_t rsp_ext[] = {0, 0, 0, 0, 0x0001};

    (void)state;
    for (uint8_t minor = 0; minor <= 4; minor++) {
        const struct edition *ed = spdm_edition((uint8_t)(0x10 + minor));

        assert_int_equal(ed->req_flags, req[minor]);
        assert_int_equal(ed->rsp_flags, rsp[minor]);
        assert_int_equal(ed->rsp_ext_flags, rsp_ext[minor]);
        if (minor > 0) { /* no version takes a bit away */
            const struct edition *before = spdm_edition((uint8_t)(0x0f + minor));

            assert_int_equal(before->req_flags & ~ed->req_flags, 0);
            assert_int_equal(before->rsp_flags & ~ed->rsp_flags, 0);
        }
    }
}

static void test_no_other_version(void **state)
{
    unsigned n = 0;

    (void)state;
    for (unsigned version = 0; version < 256; version++) n += spdm_edition((uint8_t)version) != NULL;
    assert_int_equal(n, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_columns), cmocka_unit_test(test_masks),
                                       cmocka_unit_test(test_no_other_version)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
