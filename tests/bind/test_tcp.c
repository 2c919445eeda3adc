/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_tcp.c - DSP0287 frames: length lies, partial headers, role inquiry, error codes (withstand 101). */
#include "frames.h"

static void finds_the_message(void **state)
{
    static const struct unwrapped rows[] = {
        {"0400010510840000", SPDM_FRAME_PLAIN, 4, 4}, /* tcp-get-version */
        {"0600010510840000", SPDM_FRAME_PLAIN, 4, 4}, /* ... as libspdm 7199f344 counts */
        {"04000106ffffffff", SPDM_FRAME_SECURED, 4, 4},
        {"000001bf", SPDM_FRAME_CONTROL, 0, 0}, /* tcp-role-inquiry */
        {"000001c0", SPDM_FRAME_CONTROL, 0, 0},
        {"000001c3", SPDM_FRAME_CONTROL, 0, 0},
        {"000001ff", SPDM_FRAME_CONTROL, 0, 0},
        {"0400020510840000", SPDM_FRAME_CONTROL, 0, 0}, /* other version: answered 0xC1 */
    };
    (void)state;
    check_unwrap(&spdm_binding_tcp, rows, sizeof rows / sizeof *rows);
}

static void drops_what_lies(void **state)
{
    static const struct unwrapped rows[] = {
        {"", SPDM_FRAME_BAD, 0, 0},
        {"04", SPDM_FRAME_BAD, 0, 0},
        {"040001", SPDM_FRAME_BAD, 0, 0},
        {"00000105", SPDM_FRAME_BAD, 0, 0},
        {"02000105", SPDM_FRAME_BAD, 0, 0},
        {"0300010510840000", SPDM_FRAME_BAD, 0, 0},
        {"0500010510840000", SPDM_FRAME_BAD, 0, 0},
        {"0700010510840000", SPDM_FRAME_BAD, 0, 0},
        {"0404010510840000", SPDM_FRAME_BAD, 0, 0},
        {"ffff010510840000", SPDM_FRAME_BAD, 0, 0},
        {"0000010510840000", SPDM_FRAME_BAD, 0, 0},
        {"0400010410840000", SPDM_FRAME_BAD, 0, 0}, /* reserved types */
        {"0400010710840000", SPDM_FRAME_BAD, 0, 0},
        {"000001be", SPDM_FRAME_BAD, 0, 0},
        {"040001bf10840000", SPDM_FRAME_BAD, 0, 0}, /* control frames have no payload */
        {"040001c0", SPDM_FRAME_BAD, 0, 0},
    };
    (void)state;
    check_unwrap(&spdm_binding_tcp, rows, sizeof rows / sizeof *rows);
}

static void wraps(void **state)
{
    uint8_t *p = calloc(1, 70000);
    (void)state;
    assert_non_null(p);
    check_wrap(&spdm_binding_tcp, "10840000", false, "0400010510840000");
    check_wrap(&spdm_binding_tcp, "ffffffff", true, "04000106ffffffff");
    assert_int_equal(spdm_binding_tcp.wrap((struct spdm_room){p, 70000}, 0xffff, false), 0x10003);
    assert_memory_equal(p, "\xff\xff\1\5", 4);
    assert_int_equal(spdm_binding_tcp.wrap((struct spdm_room){p, 70000}, 0x10000, false), 0);
    assert_int_equal(spdm_binding_tcp.wrap((struct spdm_room){p, 70000}, 0, false), 0);
    assert_int_equal(spdm_binding_tcp.wrap((struct spdm_room){p, 3}, 1, false), 0);
    free(p);
}

static void answers_control(void **state)
{
    (void)state;
    check_control(&spdm_binding_tcp, "000001bf", "000001c2");         /* cannot turn requester */
    check_control(&spdm_binding_tcp, "0400020510840000", "000001c1"); /* our version in the header */
    check_control(&spdm_binding_tcp, "000002bf", "000001c1");
    check_control(&spdm_binding_tcp, "000001c0", ""); /* errors are never answered */
    check_control(&spdm_binding_tcp, "000001c2", "");
    check_control(&spdm_binding_tcp, "000002c1", "");
    check_control(&spdm_binding_tcp, "000001ff", "");
    check_control(&spdm_binding_tcp, "0400010510840000", "");
    check_control(&spdm_binding_tcp, "0000", "");
}

static void writes_and_reads_control(void **state)
{
    static const enum spdm_tcp_type types[] = {SPDM_TCP_ROLE_INQUIRY, SPDM_TCP_TOO_LARGE, SPDM_TCP_NOT_SUPPORTED,
                                               SPDM_TCP_NO_REQUESTER, SPDM_TCP_NO_RESPONDER};
    uint8_t out[4];
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        assert_int_equal(spdm_tcp_control((struct spdm_room){out, 3}, types[i]), 0);
        assert_int_equal(spdm_tcp_control((struct spdm_room){out, 4}, types[i]), 4);
        assert_int_equal(spdm_tcp_control_type((struct spdm_span){out, 4}), types[i]);
        assert_int_equal(spdm_tcp_control_type((struct spdm_span){out, 3}), SPDM_TCP_PLAIN);
    }
    assert_int_equal(spdm_tcp_control((struct spdm_room){out, 4}, SPDM_TCP_PLAIN), 0);
    assert_int_equal(spdm_tcp_control((struct spdm_room){out, 4}, SPDM_TCP_SECURED), 0);
    assert_int_equal(spdm_tcp_control_type((struct spdm_span){(const uint8_t *)"\0\0\1\6", 4}), SPDM_TCP_PLAIN);
}

static void cuts_the_stream(void **state)
{
    static const uint8_t stream[] = {0x04, 0x00, 0x01, 0x05, 0x10, 0x84, 0x00, 0x00, 0x00, 0x00, 0x01, 0xbf};
    (void)state;
    for (size_t n = 0; n < 4; n++) assert_int_equal(spdm_tcp_frame_length((struct spdm_span){stream, n}), 0);
    assert_int_equal(spdm_tcp_frame_length((struct spdm_span){stream, 4}), 8);
    assert_int_equal(spdm_tcp_frame_length((struct spdm_span){stream, sizeof stream}), 8);
    assert_int_equal(spdm_tcp_frame_length((struct spdm_span){stream + 8, 4}), 4);
    assert_int_equal(spdm_tcp_frame_length((struct spdm_span){(const uint8_t *)"\xff\xff\1\5", 4}), 0x10003);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_message),
        cmocka_unit_test(drops_what_lies),
        cmocka_unit_test(wraps),
        cmocka_unit_test(answers_control),
        cmocka_unit_test(writes_and_reads_control),
        cmocka_unit_test(cuts_the_stream),
    };
    return cmocka_run_group_tests_name("bind/tcp", tests, NULL, NULL);
}
