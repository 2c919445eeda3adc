/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_capture_forms.c - captures of MCTP, DOE and bare messages, and files of every form, put together by hand. */
#include "port/made_capture.h"

#define GET_VERSION "0400010510840000"

/* ---- MCTP ---- */

#define SLL_MCTP                                                                                                       \
    "0000"                                                                                                             \
    "0122"                                                                                                             \
    "0000"                                                                                                             \
    "0000000000000000"                                                                                                 \
    "00fa"

static void mctp_fragments(void **state)
{
    (void)state;
    begin(SLL);
    packet(SLL_MCTP "01090888"
                    "05108400"); /* start, tag 0 of the owner */
    packet(SLL_MCTP "01090889"
                    "0511"); /* start, tag 1: another message in between */
    packet(SLL_MCTP "01090858"
                    "00aabb"); /* end of the first */
    packet(SLL_MCTP "01090859"
                    "e10000"); /* end of the second */
    packet(SLL_MCTP "010809c0"
                    "0510040000"); /* an answer, whole */
    packet(SLL_MCTP "010b0ac8"
                    "0510840000"); /* another pair */
    EXPECT(mctp, "1A 0510840000aabb", "1A 0511e10000", "1B 0510040000", "2A 0510840000");
}

static void mctp_damage(void **state)
{
    (void)state;
    begin(SLL);
    packet(SLL_MCTP "01090858"
                    "00aabb"); /* an end without a start */
    packet(SLL_MCTP "01090888"
                    "05108400"); /* start */
    packet(SLL_MCTP "01090868"
                    "00aabb"); /* number 2 after 0 */
    packet(SLL_MCTP "01090888"
                    "05108400"); /* start, never ended */
    packet(SLL_MCTP "010908c8"
                    "0510840000"); /* the next one */
    EXPECT(mctp, "1! an MCTP packet whose message began before", "1! packets of this MCTP message are missing",
           "1! an MCTP message was not brought to its end", "1A 0510840000");
}

static void packets_that_were_cut(void **state)
{
    static const uint8_t bytes[] = {0, 0, 0, 0xc0, 5, 0x10, 0x84, 0, 0};
    (void)state;
    begin(MCTP);
    packet_of(bytes, sizeof bytes, 70000);
    packet("000000c0"
           "0510840000");
    EXPECT(mctp, "1! the capture holds 9 of 70000 bytes of this packet", "1? 0510840000");
}

static void dmtf_link_types(void **state)
{
    (void)state;
    begin(MCTP);
    packet("000000c0"
           "0510840000");
    packet("000000c0"
           "06ffffffff0000100001");
    EXPECT(mctp, "1? 0510840000", "1? 06ffffffff0000100001");
    begin(DOE);
    packet("01000100"
           "03000000"
           "10840000");
    packet("01000200"
           "04000000"
           "ffffffff0200aabb");
    EXPECT(doe, "1? 010001000300000010840000", "1? 0100020004000000ffffffff0200aabb");
}

/* Numbers that mean something else, or nothing: what is in the packets decides. */
static void by_content(void **state)
{
    (void)state;
    begin(USER0);
    packet("010908c8"
           "0510840000");
    packet("010809c0"
           "06ffffffff0000100001");
    EXPECT(mctp, "1A 0510840000", "1B 06ffffffff0000100001");
    begin(MCTP); /* and yet it is DOE */
    packet("01000100"
           "03000000"
           "10840000");
    EXPECT(doe, "1? 010001000300000010840000");
    begin(USER0 + 3);
    packet("10840000");
    packet("ffffffff1400"
           "00112233445566778899aabbccddeeff00112233");
    EXPECT(none, "1? 10840000", "1? ffffffff140000112233445566778899aabbccddeeff00112233");
}

static void bare_and_doe_in_a_cooked_capture(void **state)
{
    (void)state;
    begin(SLL);
    packet("0004"
           "fffe"
           "0000"
           "0000000000000000"
           "88b6"
           "10840000");
    packet("0000"
           "fffe"
           "0000"
           "0000000000000000"
           "88b6"
           "1004000000010012");
    EXPECT(none, "1A 10840000", "1B 1004000000010012");
    begin(SLL);
    packet("0004"
           "fffe"
           "0000"
           "0000000000000000"
           "88b5"
           "01000100"
           "03000000"
           "10840000");
    EXPECT(doe, "1A 010001000300000010840000");
}

/* ---- files ---- */

static void pcapng(void **state)
{
    struct spdm_room r = hex_bytes("0a0d0d0a"
                                   "1c000000"
                                   "4d3c2b1a"
                                   "01000000"
                                   "ffffffffffffffff"
                                   "1c000000" /* section */
                                   "01000000"
                                   "14000000"
                                   "7100"
                                   "0000"
                                   "00000000"
                                   "14000000" /* SLL */
                                   "06000000"
                                   "3c000000"
                                   "00000000"
                                   "00000000"
                                   "00000000"
                                   "19000000"
                                   "19000000" /* packet */
                                   "0000"
                                   "0122"
                                   "0000"
                                   "0000000000000000"
                                   "00fa"
                                   "010908c8"
                                   "0510840000"
                                   "000000"
                                   "3c000000");
    (void)state;
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(r.p, 1, r.n, file), r.n);
    free(r.p);
    EXPECT(mctp, "1A 0510840000");
}

static void the_other_byte_order(void **state)
{
    struct spdm_room r = hex_bytes("a1b2c3d4"
                                   "00020004"
                                   "00000000"
                                   "00000000"
                                   "00010000"
                                   "00000123"
                                   "00000001"
                                   "00000002"
                                   "00000009"
                                   "00000009"
                                   "000000c0"
                                   "0510840000");
    (void)state;
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(r.p, 1, r.n, file), r.n);
    free(r.p);
    EXPECT(mctp, "1? 0510840000");
}

static void a_file_that_ends_early(void **state)
{
    static const uint8_t half[] = {1, 0, 0, 0, 2, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 1, 2, 3};
    struct spdm_captured out;
    struct spdm_capture *c;
    char error[SPDM_CAPTURE_ERROR] = "";
    (void)state;
    begin(MCTP);
    packet("000000c0"
           "0510840000");
    assert_int_equal(fwrite(half, sizeof half, 1, file), 1);
    c = open_it();
    assert_int_equal(spdm_capture_next(c, &out, error), 1);
    assert_int_equal(out.time.tv_sec, 1000);
    assert_int_equal(out.time.tv_nsec, 250000000);
    assert_int_equal(spdm_capture_next(c, &out, error), -1);
    assert_non_null(strstr(error, "packet 2: "));
    spdm_capture_close(c);
}

static void files_of_no_use(void **state)
{
    char error[SPDM_CAPTURE_ERROR] = "";
    (void)state;
    assert_null(spdm_capture_open("/nonexistent/file", error));
    assert_non_null(strstr(error, "No such file"));
    text("");
    assert_int_equal(fclose(file), 0);
    file = NULL;
    assert_null(spdm_capture_open(path, error));
    assert_non_null(strstr(error, "empty"));
    assert_null(spdm_capture_open("/tmp", error));
    assert_non_null(strstr(error, "directory"));
    assert_null(spdm_capture_listen("no-such-interface0", NULL, error));
}

/* ---- text ---- */

static void logs(void **state)
{
    (void)state;
    text("# a comment with deadbeefdeadbeef\n"
         "prose that is no message, not even 12:34:56\n"
         "> 10 84 00 00\n"
         "< 1004000000010012\n"
         "2026-11-23 12:34:56 TX: 0x10, 0xe1, 0x00, 0x00\r\n"
         "[  12.345] spdm rx [4]: 10:7f:01:00 (4 bytes)\n"
         "1234 REQ 11810000\n"
         "\n"
         "RSP->REQ 1101000000\n"
         "1181 0000");
    EXPECT(none, "1> 10840000", "1< 1004000000010012", "1> 10e10000", "1< 107f0100", "1> 11810000", "1< 1101000000",
           "1? 11810000");
}

static void logs_of_bindings(void **state)
{
    (void)state;
    text("> 05 10 84 00 00\n< 05 10 04 00 00\n> 06 ff ff ff ff 00 00 10 00\n");
    EXPECT(mctp, "1> 0510840000", "1< 0510040000", "1> 06ffffffff00001000");
    text("0100010003000000 10840000\n");
    EXPECT(doe, "1? 010001000300000010840000");
    text(GET_VERSION "\n");
    EXPECT(tcp, "1? " GET_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mctp_fragments),
        cmocka_unit_test(mctp_damage),
        cmocka_unit_test(packets_that_were_cut),
        cmocka_unit_test(dmtf_link_types),
        cmocka_unit_test(by_content),
        cmocka_unit_test(bare_and_doe_in_a_cooked_capture),
        cmocka_unit_test(pcapng),
        cmocka_unit_test(the_other_byte_order),
        cmocka_unit_test(a_file_that_ends_early),
        cmocka_unit_test(files_of_no_use),
        cmocka_unit_test(logs),
        cmocka_unit_test(logs_of_bindings),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
