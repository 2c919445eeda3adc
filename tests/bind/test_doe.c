/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_doe.c - PCI DOE objects with honest and lying lengths (withstand 33, 99), and discovery. */
#include "frames.h"

static void finds_the_message(void **state)
{
    static const struct unwrapped rows[] = {
        {"010001000300000010840000", SPDM_FRAME_PLAIN, 8, 4}, /* doe-get-version */
        {"01000200040000000100feff02000000", SPDM_FRAME_SECURED, 8, 8},
        {"010000000300000000000000", SPDM_FRAME_CONTROL, 0, 0}, /* doe-discovery-request-index0-v0 */
        {"01000000040000000100030400041c00", SPDM_FRAME_CONTROL, 0, 0},
        /* reserved bits do not matter: byte 3, and 31:18 of the length */
        {"0100017f0300fcff10840000", SPDM_FRAME_PLAIN, 8, 4},
    };
    (void)state;
    check_unwrap(&spdm_binding_doe, rows, sizeof rows / sizeof *rows);
}

static void drops_what_lies(void **state)
{
    static const struct unwrapped rows[] = {
        {"", SPDM_FRAME_BAD, 0, 0},
        {"01", SPDM_FRAME_BAD, 0, 0},
        {"01000100030000", SPDM_FRAME_BAD, 0, 0},
        {"0100010002000000", SPDM_FRAME_BAD, 0, 0},         /* legal, empty: too short for its type */
        {"0100010001000000", SPDM_FRAME_BAD, 0, 0},         /* 1 is not allowed */
        {"010001000100000010840000", SPDM_FRAME_BAD, 0, 0}, /* 1, with more behind */
        {"010001000000000010840000", SPDM_FRAME_BAD, 0, 0}, /* 0 is 2^18 dwords */
        {"010001000200000010840000", SPDM_FRAME_BAD, 0, 0}, /* one dword less than transferred */
        {"010001000400000010840000", SPDM_FRAME_BAD, 0, 0}, /* one dword more */
        {"010001000300010010840000", SPDM_FRAME_BAD, 0, 0}, /* high bits of the length */
        {"0100010003000300108400", SPDM_FRAME_BAD, 0, 0},   /* odd sizes */
        {"01000100030000001084000000", SPDM_FRAME_BAD, 0, 0},
        {"0100010003000000108400000000", SPDM_FRAME_BAD, 0, 0},
        {"010101000300000010840000", SPDM_FRAME_BAD, 0, 0}, /* other vendors */
        {"981e01000300000010840000", SPDM_FRAME_BAD, 0, 0},
        {"010003000300140010840000", SPDM_FRAME_BAD, 0, 0}, /* doe-type3 connection id 5 get-version */
        {"010004000300000010840000", SPDM_FRAME_BAD, 0, 0},
        {"010005000300000010840000", SPDM_FRAME_BAD, 0, 0},
        {"0100ff000300000010840000", SPDM_FRAME_BAD, 0, 0},
    };
    (void)state;
    check_unwrap(&spdm_binding_doe, rows, sizeof rows / sizeof *rows);
}

static void takes_the_largest_object(void **state)
{
    const size_t max = (size_t)1 << 20;
    uint8_t *p = calloc(1, max + 4);
    struct spdm_frame got;
    (void)state;
    assert_non_null(p);
    p[0] = 1;
    p[2] = 1;
    got = spdm_binding_doe.unwrap((struct spdm_span){p, max}); /* Length 0 */
    assert_int_equal(got.kind, SPDM_FRAME_PLAIN);
    assert_int_equal(got.message.n, max - 8);
    assert_int_equal(spdm_binding_doe.unwrap((struct spdm_span){p, max - 4}).kind, SPDM_FRAME_BAD);
    assert_int_equal(spdm_binding_doe.unwrap((struct spdm_span){p, max + 4}).kind, SPDM_FRAME_BAD);

    assert_int_equal(spdm_binding_doe.wrap((struct spdm_room){p, max}, max - 8, true), max);
    assert_memory_equal(p, "\1\0\2\0\0\0\0\0", 8);
    assert_int_equal(spdm_binding_doe.wrap((struct spdm_room){p, max}, max - 11, false), max);
    assert_int_equal(spdm_binding_doe.wrap((struct spdm_room){p, max}, max - 12, false), max - 4);
    assert_memory_equal(p, "\1\0\1\0\xff\xff\3\0", 8);
    assert_int_equal(spdm_binding_doe.wrap((struct spdm_room){p, max + 4}, max - 7, false), 0);
    free(p);
}

static void wraps(void **state)
{
    uint8_t none[8];
    (void)state;
    check_wrap(&spdm_binding_doe, "10840000", false, "010001000300000010840000");
    check_wrap(&spdm_binding_doe, "1084000011", false, "01000100040000001084000011000000");
    check_wrap(&spdm_binding_doe, "108400001122", false, "01000100040000001084000011220000");
    check_wrap(&spdm_binding_doe, "10840000112233", true, "01000200040000001084000011223300");
    assert_int_equal(spdm_binding_doe.wrap((struct spdm_room){none, 8}, 0, false), 0);
    assert_int_equal(spdm_binding_doe.wrap((struct spdm_room){none, 8}, SIZE_MAX, false), 0);
    assert_int_equal(spdm_binding_doe.wrap((struct spdm_room){none, 0}, 1, false), 0);
}

static void answers_discovery(void **state)
{
    (void)state;
    check_control(&spdm_binding_doe, "010000000300000000000000", "010000000300000001000001");
    check_control(&spdm_binding_doe, "010000000300000000020000", "010000000300000001000001"); /* version 2 */
    check_control(&spdm_binding_doe, "010000000300000001000000", "010000000300000001000102");
    check_control(&spdm_binding_doe, "010000000300000002000000", "010000000300000001000200");
    check_control(&spdm_binding_doe, "010000000300000003000000", "0100000003000000ffff0000");
    check_control(&spdm_binding_doe, "0100000003000000ff000000", "0100000003000000ffff0000");
    /* longer than expected: the expected part is served */
    check_control(&spdm_binding_doe, "01000000040000000100000055555555", "010000000300000001000102");
    check_control(&spdm_binding_doe, "0100000002000000", "");         /* too short */
    check_control(&spdm_binding_doe, "010000000400000000000000", ""); /* lies about its length */
    check_control(&spdm_binding_doe, "010001000300000010840000", ""); /* not discovery */
    check_control(&spdm_binding_doe, "", "");
}

static void walks_discovery(void **state)
{
    static const struct {
        const char *hex;
        bool good;
        struct spdm_doe_protocol out;
    } rows[] = {
        {"010000000300000001000001", true, {1, 0, 1}},
        {"010000000300000001000200", true, {1, 2, 0}},
        {"0100000003000000ffff0000", true, {0xffff, 0, 0}},
        {"0100000003000000981e0203", true, {0x1e98, 2, 3}},
        {"01000000040000000100030400041c00", true, {1, 3, 4}}, /* with a second dword */
        {"0100000002000000", false, {0, 0, 0}},
        {"0100000003000000010000", false, {0, 0, 0}},
        {"010000000200000001000001", false, {0, 0, 0}},
        {"010001000300000001000001", false, {0, 0, 0}},
        {"", false, {0, 0, 0}},
    };
    uint8_t out[12];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct spdm_span frame = frame_of(rows[i].hex);
        struct spdm_doe_protocol got = {0, 0, 0};
        assert_int_equal(spdm_doe_discovered(frame, &got), rows[i].good);
        assert_int_equal(got.vendor, rows[i].out.vendor);
        assert_int_equal(got.type, rows[i].out.type);
        assert_int_equal(got.next, rows[i].out.next);
        free((void *)frame.p);
    }
    assert_int_equal(spdm_doe_discovery((struct spdm_room){out, 11}, 0, 0), 0);
    assert_int_equal(spdm_doe_discovery((struct spdm_room){out, 12}, 0, 2), 12);
    assert_memory_equal(out, "\1\0\0\0\3\0\0\0\0\2\0\0", 12); /* doe-discovery-request-index0-v2 */
    assert_int_equal(spdm_doe_discovery((struct spdm_room){out, 12}, 7, 0), 12);
    assert_memory_equal(out, "\1\0\0\0\3\0\0\0\7\0\0\0", 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_message),        cmocka_unit_test(drops_what_lies),
        cmocka_unit_test(takes_the_largest_object), cmocka_unit_test(wraps),
        cmocka_unit_test(answers_discovery),        cmocka_unit_test(walks_discovery),
    };
    return cmocka_run_group_tests_name("bind/doe", tests, NULL, NULL);
}
