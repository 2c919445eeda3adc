/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_storage.c - DSP0286: the fields of a security command in front of its data, discovery, pending info
 * (withstand 100). */
#include "frames.h"

static void finds_the_message(void **state)
{
    static const struct unwrapped rows[] = {
        {"e814000400000010840000", SPDM_FRAME_PLAIN, 7, 4},
        {"e8180008000000000000000300fffe", SPDM_FRAME_SECURED, 11, 4},
        {"e8180008000000deadbeef0300fffe", SPDM_FRAME_SECURED, 11, 4}, /* reserved bytes are ignored */
        {"e8040020000000", SPDM_FRAME_CONTROL, 0, 0},                  /* discovery, IF-RECV of 32 bytes */
    };
    (void)state;
    check_unwrap(&spdm_binding_storage, rows, sizeof rows / sizeof *rows);
}

static void drops_what_lies(void **state)
{
    static const struct unwrapped rows[] = {
        {"", SPDM_FRAME_BAD, 0, 0},
        {"e81400", SPDM_FRAME_BAD, 0, 0},
        {"e8140004000000", SPDM_FRAME_BAD, 0, 0},                 /* no data */
        {"e8140000000000", SPDM_FRAME_BAD, 0, 0},                 /* of length 0 */
        {"e814000300000010840000", SPDM_FRAME_BAD, 0, 0},         /* length lies */
        {"e814000500000010840000", SPDM_FRAME_BAD, 0, 0},         /* ... the other way */
        {"e814000400000110840000", SPDM_FRAME_BAD, 0, 0},         /* ... by its highest byte */
        {"e714000400000010840000", SPDM_FRAME_BAD, 0, 0},         /* another security protocol */
        {"e814010400000010840000", SPDM_FRAME_BAD, 0, 0},         /* SPSP1 */
        {"e815000400000010840000", SPDM_FRAME_BAD, 0, 0},         /* ConnectionID 1 */
        {"e808000400000010840000", SPDM_FRAME_BAD, 0, 0},         /* pending info has no message */
        {"e81c000400000010840000", SPDM_FRAME_BAD, 0, 0},         /* operation 7 */
        {"e81800040000000000000010840000", SPDM_FRAME_BAD, 0, 0}, /* secured, length lies */
        {"e818000400000000000000", SPDM_FRAME_BAD, 0, 0},         /* reserved bytes and no record */
    };
    (void)state;
    check_unwrap(&spdm_binding_storage, rows, sizeof rows / sizeof *rows);
}

static void wraps(void **state)
{
    uint8_t none[8];
    (void)state;
    check_wrap(&spdm_binding_storage, "10840000", false, "e814000400000010840000");
    check_wrap(&spdm_binding_storage, "0300fffe01", true,
               "e818000900000000000000"
               "0300fffe01");
    assert_int_equal(spdm_binding_storage.wrap((struct spdm_room){none, 8}, 0, false), 0);
    assert_int_equal(spdm_binding_storage.wrap((struct spdm_room){none, 8}, SIZE_MAX, true), 0);
    assert_int_equal(spdm_binding_storage.wrap((struct spdm_room){none, 6}, 1, false), 0);
}

static void tells_of_itself(void **state)
{
    static const char discovery[] = "e8040020000000"
                                    "2000001000000000"
                                    "6600000000000000"
                                    "00000000000000000000000000000000";
    struct spdm_span data = frame_of(discovery + 14);
    uint8_t out[12], operations = 0;
    (void)state;
    check_control(&spdm_binding_storage, "e8040020000000", discovery);
    check_control(&spdm_binding_storage, "e814000400000010840000", "");
    check_control(&spdm_binding_storage, "e8050020000000", ""); /* another connection */
    check_control(&spdm_binding_storage, "", "");
    assert_true(spdm_storage_discovered(data, &operations));
    assert_int_equal(operations, 0x66);
    assert_false(spdm_storage_discovered((struct spdm_span){data.p, 31}, &operations));
    free((void *)data.p);
    data = frame_of("2000002000000000"
                    "6600000000000000"
                    "00000000000000000000000000000000"); /* version 2 */
    assert_false(spdm_storage_discovered(data, &operations));
    free((void *)data.p);

    assert_int_equal(spdm_storage_pending((struct spdm_room){out, 11}, true, 5), 0);
    assert_int_equal(spdm_storage_pending((struct spdm_room){out, 12}, true, 0x01020304), 12);
    assert_memory_equal(out, "\x0c\0\0\x10\1\0\0\0\4\3\2\1", 12);
    assert_int_equal(spdm_storage_pending((struct spdm_room){out, 12}, false, 0), 12);
    assert_memory_equal(out, "\x0c\0\0\x10\0\0\0\0\0\0\0\0", 12);
}

/* Sessions: the block in front of a message, as we write it and as libspdm does. */
#define BLOCK(count, type_status, length, offset) count type_status length offset "00000000"
#define OURS BLOCK("01000000", "00040000", "04000000", "22000000")

static const struct {
    const char *data;
    bool good;
} blocks[] = {
    {OURS "12e00000", true},
    {BLOCK("01000000", "00040000", "04000000", "20000000") "12e00000", true},  /* only authenticated */
    {BLOCK("010000", "00040000", "04000000", "24000000") "0012e00000", true},  /* libspdm's */
    {BLOCK("01000000", "00040000", "03000000", "22000000") "12e00000", true},  /* then padding */
    {BLOCK("00000000", "00040000", "04000000", "22000000") "12e00000", false}, /* no descriptor */
    {BLOCK("02000000", "00040000", "04000000", "22000000") "12e00000", false}, /* two */
    {BLOCK("01000000", "00010000", "04000000", "22000000") "12e00000", false}, /* an NVMe command */
    {BLOCK("01000000", "00040100", "04000000", "22000000") "12e00000", false}, /* status: an error */
    {BLOCK("01000000", "00040000", "05000000", "22000000") "12e00000", false}, /* longer than there is */
    {BLOCK("01000000", "00040000", "00000000", "22000000") "12e00000", false}, /* empty */
    {BLOCK("01000000", "00040000", "04000000", "00000000") "12e00000", false}, /* offset outside */
    {BLOCK("01000000", "00040000", "04000000", "ffffffff") "12e00000", false},
    {OURS, false}, /* nothing behind it */
    {"01", false},
};

static void describes_what_is_inside(void **state)
{
    uint8_t block[SPDM_INNER_MAX];
    struct spdm_span want = frame_of(OURS);
    (void)state;
    spdm_binding_storage.put_inner(block, 4);
    assert_int_equal(spdm_binding_storage.inner_n, sizeof block);
    assert_memory_equal(block, want.p, sizeof block);
    free((void *)want.p);
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        struct spdm_span data = frame_of(blocks[i].data), got = spdm_binding_storage.take_inner(data);
        if ((got.n != 0) != blocks[i].good) fail_msg("%s: %zu bytes", blocks[i].data, got.n);
        if (got.n != 0) assert_ptr_equal(got.p, data.p + 20);
        free((void *)data.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_message), cmocka_unit_test(drops_what_lies),          cmocka_unit_test(wraps),
        cmocka_unit_test(tells_of_itself),   cmocka_unit_test(describes_what_is_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
