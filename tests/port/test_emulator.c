/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_emulator.c - cutting streams: the emulator's header (frames as recorded), DSP0287 (withstand 101). */
#include "bind/frames.h"
#include "port/emulator.h"

static struct spdm_target target_of(const char *text)
{
    struct spdm_target t;
    char error[SPDM_REASON_MAX];
    assert_true(spdm_target_parse(text, false, &t, error));
    return t;
}

struct row {
    const char *target, *hex;
    enum spdm_cut cut;
    uint32_t command;
    size_t head, size;
    uint32_t value;
};

/* Every shorter beginning must be "more", unless the header alone already refuses. */
static void check(const struct row *row)
{
    struct spdm_target target = target_of(row->target);
    struct spdm_span whole = frame_of(row->hex);
    for (size_t n = 0; n <= whole.n; n++) {
        struct spdm_span in = frame_of(row->hex);
        struct spdm_piece piece = {0, 0, 0, 0};
        uint8_t *exact = malloc(n ? n : 1);
        enum spdm_cut cut;
        assert_non_null(exact);
        memcpy(exact, in.p, n);
        cut = spdm_stream_cut(&target, 4096, (struct spdm_span){exact, n}, &piece);
        if (row->cut == SPDM_CUT_WHOLE && n >= row->head + row->size) {
            assert_int_equal(cut, SPDM_CUT_WHOLE);
            assert_int_equal(piece.command, row->command);
            assert_int_equal(piece.head, row->head);
            assert_int_equal(piece.size, row->size);
        } else if (row->cut >= SPDM_CUT_TOO_BIG && n >= (target.emulator ? SPDM_EMU_HEADER : 4u)) {
            assert_int_equal(cut, row->cut);
            assert_int_equal(piece.value, row->value);
        } else {
            assert_int_equal(cut, SPDM_CUT_MORE);
        }
        free(exact);
        free((void *)in.p);
    }
    free((void *)whole.p);
}

static void cuts(void **state)
{
    static const struct row rows[] = {
        {"emu+mctp://h", "0000dead000000010000000e436c69656e742048656c6c6f2100", SPDM_CUT_WHOLE, 0xdead, 12, 14, 0},
        {"emu+mctp://h", "0000000100000001000000050510840000", SPDM_CUT_WHOLE, 1, 12, 5, 0},
        {"emu+doe://h", "00000001000000020000000c010001000300000010840000", SPDM_CUT_WHOLE, 1, 12, 12, 0},
        {"emu+none://h", "00000001000000000000000410840000", SPDM_CUT_WHOLE, 1, 12, 4, 0},
        {"emu+mctp://h", "0000fffe0000000100000000", SPDM_CUT_WHOLE, 0xfffe, 12, 0, 0},
        {"emu+doe://h", "0000fffd0000000200000000", SPDM_CUT_WHOLE, 0xfffd, 12, 0, 0},
        {"emu+tcp://h", "0000000100000003000000080600010510840000", SPDM_CUT_WHOLE, 1, 12, 8, 0},
        /* two in one piece: the first */
        {"emu+mctp://h", "00000001000000010000000205100000000100000001000000020511", SPDM_CUT_WHOLE, 1, 12, 2, 0},
        {"emu+mctp://h", "00000001000000020000000c010001000300000010840000", SPDM_CUT_FOREIGN, 0, 0, 0, 2},
        {"emu+doe://h", "47455420", SPDM_CUT_MORE, 0, 0, 0, 0},
        {"emu+doe://h", "474554202f20485454502f31", SPDM_CUT_FOREIGN, 0, 0, 0, 0x2f204854},
        {"emu+mctp://h", "000000010000000100001001", SPDM_CUT_TOO_BIG, 0, 0, 0, 4097},
        {"emu+mctp://h", "0000000100000001ffffffff", SPDM_CUT_TOO_BIG, 0, 0, 0, 0xffffffff},
        {"emu+mctp://h", "000000010000000100001000", SPDM_CUT_MORE, 0, 0, 0, 0},
        {"tcp://h", "0400010510840000", SPDM_CUT_WHOLE, 1, 0, 8, 0},
        {"tcp://h", "000001bf0400010510840000", SPDM_CUT_WHOLE, 1, 0, 4, 0},
        {"tcp://h", "0600010510840000", SPDM_CUT_MORE, 0, 0, 0, 0}, /* a stream is cut as the standard is read */
        {"tcp://h", "0400020510840000", SPDM_CUT_FOREIGN, 0, 0, 0, 2},
        {"tcp://h", "fc0f0105", SPDM_CUT_MORE, 0, 0, 0, 0},
        {"tcp://h", "fd0f0105", SPDM_CUT_TOO_BIG, 0, 0, 0, 4097},
        {"tcp://h", "ffff0105", SPDM_CUT_TOO_BIG, 0, 0, 0, 0x10003},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check(&rows[i]);
}

static void writes_headers(void **state)
{
    uint8_t out[SPDM_EMU_HEADER];
    struct spdm_emu_header got;
    (void)state;
    spdm_emu_put(out, &(struct spdm_emu_header){SPDM_EMU_TEST, 1, 14});
    assert_memory_equal(out, "\0\0\xde\xad\0\0\0\1\0\0\0\x0e", 12);
    assert_true(spdm_emu_get((struct spdm_span){out, 12}, &got));
    assert_int_equal(got.command, SPDM_EMU_TEST);
    assert_int_equal(got.transport, 1);
    assert_int_equal(got.size, 14);
    assert_false(spdm_emu_get((struct spdm_span){out, 11}, &got));
    assert_string_equal(spdm_emu_transport_name(2), "PCI_DOE");
    assert_string_equal(spdm_emu_transport_name(5), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cuts), cmocka_unit_test(writes_headers)};
    return cmocka_run_group_tests_name("port/emulator", tests, NULL, NULL);
}
