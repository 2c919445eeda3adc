/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_mctp.c - MCTP: message types 5, 6 and others (withstand 102), and the packet header. */
#include "frames.h"

static void finds_the_message(void **state)
{
    static const struct unwrapped rows[] = {
        {"0510840000", SPDM_FRAME_PLAIN, 1, 4}, /* mctp-get-version */
        {"06ffffffff01000000", SPDM_FRAME_SECURED, 1, 8},
        {"0510", SPDM_FRAME_PLAIN, 1, 1},
        {"05", SPDM_FRAME_BAD, 0, 0},
        {"", SPDM_FRAME_BAD, 0, 0},
        {"0010840000", SPDM_FRAME_BAD, 0, 0}, /* MCTP control */
        {"0110840000", SPDM_FRAME_BAD, 0, 0}, /* PLDM */
        {"7e10840000", SPDM_FRAME_BAD, 0, 0},
        {"8510840000", SPDM_FRAME_BAD, 0, 0}, /* integrity check bit */
        {"8610840000", SPDM_FRAME_BAD, 0, 0},
        {"0710840000", SPDM_FRAME_BAD, 0, 0},
    };
    (void)state;
    check_unwrap(&spdm_binding_mctp, rows, sizeof rows / sizeof *rows);
}

static void wraps(void **state)
{
    uint8_t one[1];
    (void)state;
    check_wrap(&spdm_binding_mctp, "10840000", false, "0510840000");
    check_wrap(&spdm_binding_mctp, "ffffffff01000000", true, "06ffffffff01000000");
    assert_int_equal(spdm_binding_mctp.wrap((struct spdm_room){one, 1}, 0, false), 0);
    assert_int_equal(spdm_binding_mctp.wrap((struct spdm_room){one, 0}, SIZE_MAX, false), 0);
    assert_int_equal(spdm_binding_mctp.wrap((struct spdm_room){one, 1}, SIZE_MAX, false), 0);
}

static void packet_headers(void **state)
{
    static const struct {
        uint8_t bytes[4];
        struct spdm_mctp_packet packet;
    } rows[] = {
        {{0x01, 0x09, 0x08, 0xc8}, {9, 8, true, true, true, 0, 0}},
        {{0x01, 0x08, 0x09, 0xc0}, {8, 9, true, true, false, 0, 0}},
        {{0x01, 0x09, 0x08, 0x8d}, {9, 8, true, false, true, 0, 5}},
        {{0x01, 0x09, 0x08, 0x7f}, {9, 8, false, true, true, 3, 7}},
    };
    struct spdm_mctp_packet got;
    uint8_t out[4];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(spdm_mctp_header((struct spdm_room){out, 3}, &rows[i].packet), 0);
        assert_int_equal(spdm_mctp_header((struct spdm_room){out, 4}, &rows[i].packet), 4);
        assert_memory_equal(out, rows[i].bytes, 4);
        memset(&got, 0xff, sizeof got);
        assert_true(spdm_mctp_parse((struct spdm_span){rows[i].bytes, 4}, &got));
        assert_int_equal(got.dest, rows[i].packet.dest);
        assert_int_equal(got.source, rows[i].packet.source);
        assert_int_equal(got.som, rows[i].packet.som);
        assert_int_equal(got.eom, rows[i].packet.eom);
        assert_int_equal(got.owner, rows[i].packet.owner);
        assert_int_equal(got.sequence, rows[i].packet.sequence);
        assert_int_equal(got.tag, rows[i].packet.tag);
        assert_false(spdm_mctp_parse((struct spdm_span){rows[i].bytes, 3}, &got));
    }
    /* the header version is 1; the reference emulator's captures have 0 (pcap-mctp-record-prefix) */
    assert_false(spdm_mctp_parse((struct spdm_span){(const uint8_t *)"\0\0\0\xc0", 4}, &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_the_message), cmocka_unit_test(wraps),
                                       cmocka_unit_test(packet_headers)};
    return cmocka_run_group_tests_name("bind/mctp", tests, NULL, NULL);
}
