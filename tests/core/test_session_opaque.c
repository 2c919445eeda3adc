/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What two ends agree on in the opaque data of a key exchange: versions of
 * secured messages and the limit of records, from bytes that are well formed and
 * from others (R-OPQ-06 to R-OPQ-11, sessions.md section 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "core/mutual.h"
#include "support/hex.h"
#include "support/pair.h"
#include <stdlib.h>

enum { NO_LIMIT = 64, FIRST = SPDM_V11, LATER = SPDM_V13 };

static struct pair p;

static void begin(uint8_t version, uint8_t secured, uint8_t exponent)
{
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    pair_sessions(&p, 1);
    p.rsp_policy.secured_versions = p.req_policy.secured_versions = secured;
    p.rsp_policy.aead_limit_exponent = p.req_policy.aead_limit_exponent = exponent;
    pair_start(&p);
    assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}));
}

static uint64_t limit_of(unsigned exponent)
{
    return exponent == NO_LIMIT ? UINT64_MAX - 1 : (UINT64_C(1) << exponent) - 1;
}

#define OLD "46544d44 01"
static const struct row {
    bool chosen;            /* read by the requester; else by the responder */
    uint8_t version;        /* of SPDM */
    uint8_t secured, limit; /* what our policy says, 0: nothing */
    const char *hex;        /* blanks are for people */
    uint8_t why;            /* SPDM_WHY_FINE: */
    uint16_t selected;      /* this is what becomes of it */
    uint8_t exponent;
} rows[] = {
    /* the highest in common, in whatever order; update digits stay, other majors are not ours */
    {false, LATER, 0, 0, "01000000 00000900 01 01 03 0010 0011 0012 000000", SPDM_WHY_FINE, 0x1200, NO_LIMIT},
    {false, LATER, 0, 0, "01000000 00000900 01 01 03 0012 0011 0010 000000", SPDM_WHY_FINE, 0x1200, NO_LIMIT},
    {false, LATER, 3, 0, "01000000 00000900 01 01 03 0012 0011 0010 000000", SPDM_WHY_FINE, 0x1100, NO_LIMIT},
    {false, LATER, 0, 0, "01000000 00000700 01 01 02 0511 0020 00", SPDM_WHY_FINE, 0x1105, NO_LIMIT},
    {false, LATER, 0, 0, "01000000 00000900 01 01 03 0010 0022 0002 000000", SPDM_WHY_FINE, 0x1000, NO_LIMIT},
    {false, LATER, 0, 0, "01000000 00000500 01 01 01 0022 000000", SPDM_WHY_NOT_OFFERED, 0, 0},
    {false, LATER, 3, 0, "01000000 00000500 01 01 01 0012 000000", SPDM_WHY_NOT_OFFERED, 0, 0},
    {false, LATER, 0, 0, "01000000 00000300 01 01 00 00", SPDM_WHY_NOT_OFFERED, 0, 0},
    {false, LATER, 0, 0, "01000000 00000500 02 01 01 0012 000000", SPDM_WHY_NOT_OFFERED, 0, 0},
    {false, LATER, 0, 0, "01000000 00000400 01 00 0012", SPDM_WHY_NOT_OFFERED, 0, 0},
    {false, LATER, 0, 0, "00000000", SPDM_WHY_NOT_OFFERED, 0, 0},
    /* other elements are skipped, before and after */
    {false, LATER, 0, 0, "03000000 03020141 0200 aabb 00000500 01 01 01 0012 000000 07000000", SPDM_WHY_FINE, 0x1200,
     NO_LIMIT},
    {false, LATER, 0, 0, "03000000 00000300 01 07 30 00 00000100 01 000000 00000500 01 01 01 0012 000000",
     SPDM_WHY_FINE, 0x1200, NO_LIMIT},
    /* more versions than anybody has */
    {false, LATER, 0, 0,
     "01000000 00002b00 01 01 14 0010 0030 0031 0032 0033 0034 0035 0036 0037 0038 0039 003a 003b 003c 003d 003e 003f "
     "0040"
     "0041 0012 00",
     SPDM_WHY_FINE, 0x1000, NO_LIMIT},
    /* the lower limit of both, since 1.3 */
    {false, LATER, 0, 0, "02000000 00000500 01 01 01 0013 000000 00000300 01 02 30 00", SPDM_WHY_FINE, 0x1300, 48},
    {false, LATER, 0, 32, "02000000 00000300 01 02 30 00 00000500 01 01 01 0013 000000", SPDM_WHY_FINE, 0x1300, 32},
    {false, LATER, 0, 60, "02000000 00000300 01 02 30 00 00000500 01 01 01 0013 000000", SPDM_WHY_FINE, 0x1300, 48},
    {false, LATER, 0, 32, "01000000 00000500 01 01 01 0013 000000", SPDM_WHY_FINE, 0x1300, 32},
    {false, LATER, 0, 70, "01000000 00000500 01 01 01 0013 000000", SPDM_WHY_FINE, 0x1300, NO_LIMIT},
    {false, LATER, 0, 32, "02000000 00000300 01 02 30 00 00000500 01 01 01 0012 000000", SPDM_WHY_FINE, 0x1200,
     NO_LIMIT},
    {false, LATER, 0, 0, "02000000 00000300 01 02 41 00 00000500 01 01 01 0013 000000", SPDM_WHY_TOO_LONG, 0, 0},
    /* shapes */
    {false, LATER, 0, 0, "", SPDM_WHY_SHORT, 0, 0},
    {false, LATER, 0, 0, "010000", SPDM_WHY_SHORT, 0, 0},
    {false, LATER, 0, 0, "01000000 00000600 01 01 01 0012", SPDM_WHY_SHORT, 0, 0},
    {false, LATER, 0, 0, "01000000 00000500 01 01 02 0012 000000", SPDM_WHY_SHORT, 0, 0},
    {false, LATER, 0, 0, "01000000 00000500 01 01 01 0012", SPDM_WHY_SHORT, 0, 0},
    {false, LATER, 0, 0, "02000000 00000500 01 01 01 0012 000000", SPDM_WHY_SHORT, 0, 0},
    {false, LATER, 0, 0, "01000000 00000500 01 01 01 0012 000000 00000000", SPDM_WHY_BAD_LENGTH, 0, 0},
    /* DSP0277's own head, for SPDM 1.1 */
    {false, FIRST, 0, 0, OLD "01 0000 00000500 01 01 01 0011 000000", SPDM_WHY_FINE, 0x1100, NO_LIMIT},
    {false, FIRST, 0, 0, "46544d45 01 01 0000 00000500 01 01 01 0011 000000", SPDM_WHY_BAD_VALUE, 0, 0},
    {false, FIRST, 0, 0, "46544d44 02 01 0000 00000500 01 01 01 0011 000000", SPDM_WHY_BAD_VALUE, 0, 0},
    {false, FIRST, 0, 0, "01000000 00000500 01 01 01 0011 000000", SPDM_WHY_BAD_VALUE, 0, 0},
    /* the device's choice must be one, and one that was offered */
    {true, LATER, 0, 0, "01000000 00000400 01 00 0012", SPDM_WHY_FINE, 0x1200, NO_LIMIT},
    {true, LATER, 3, 0, "01000000 00000400 01 00 0012", SPDM_WHY_NOT_OFFERED, 0, 0},
    {true, LATER, 0, 0, "01000000 00000400 01 00 0022", SPDM_WHY_NOT_OFFERED, 0, 0},
    {true, LATER, 0, 0, "01000000 00000400 01 00 0000", SPDM_WHY_NOT_OFFERED, 0, 0},
    {true, LATER, 0, 0, "01000000 00000500 01 01 01 0012 000000", SPDM_WHY_NOT_OFFERED, 0, 0},
    {true, LATER, 0, 0, "01000000 00000400 01 00 0012 00", SPDM_WHY_BAD_LENGTH, 0, 0},
    {true, LATER, 0, 0, "01000000 00000300 01 00 00 00", SPDM_WHY_SHORT, 0, 0},
    {true, LATER, 0, 40, "02000000 00000400 01 00 0013 00000300 01 02 30 00", SPDM_WHY_FINE, 0x1300, 40},
    {true, LATER, 0, 40, "02000000 00000400 01 00 0013 00000300 01 02 20 00", SPDM_WHY_FINE, 0x1300, 32},
    {true, LATER, 0, 0, "02000000 00000400 01 00 0013 00000300 01 02 40 00", SPDM_WHY_FINE, 0x1300, NO_LIMIT},
    {true, FIRST, 0, 0, OLD "01 0000 00000400 01 00 0010", SPDM_WHY_FINE, 0x1000, NO_LIMIT},
};

static struct spdm_room without_blanks(const char *hex)
{
    char digits[300];
    size_t n = 0;

    for (; *hex != '\0'; hex++) {
        if (*hex != ' ') digits[n++] = *hex;
    }
    digits[n] = '\0';
    return hex_bytes(digits);
}

static void test_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        struct spdm_room bytes = without_blanks(r->hex);
        struct session s = {.form = {.limit = UINT64_MAX - 1, .big_endian = true}};
        uint8_t why;

        begin(r->version, r->secured, r->limit);
        why = r->chosen ? spdm_session_chosen(&p.rq->c, &s, (struct spdm_span){bytes.p, bytes.n})
                        : spdm_session_choose(&p.rs->c, &s, (struct spdm_span){bytes.p, bytes.n});
        if (why != r->why) fail_msg("%s: %u, not %u", r->hex, why, r->why);
        if (why == SPDM_WHY_FINE) {
            assert_int_equal(s.version, r->selected);
            if (s.form.limit != limit_of(r->exponent)) fail_msg("%s: another limit", r->hex);
            assert_true(s.form.big_endian == (r->selected < 0x1200));
        } else {
            assert_int_equal(s.version, 0); /* nothing has changed */
            assert_true(s.form.limit == UINT64_MAX - 1 && s.form.big_endian);
        }
        free(bytes.p);
        pair_close(&p);
    }
}

static const struct said {
    uint8_t version, secured, limit;
    const char *offer; /* of a requester */
    uint16_t selected;
    const char *selection; /* of a responder */
} sayings[] = {
    {LATER, 0, 0, "01000000 00000b00 01 01 04 0010 0011 0012 0013 00", 0x1200, "01000000 00000400 01 00 0012"},
    {LATER, 7, 40, "01000000 00000900 01 01 03 0010 0011 0012 000000", 0x1200, "01000000 00000400 01 00 0012"},
    {LATER, 8, 40, "02000000 00000500 01 01 01 0013 000000 00000300 01 02 28 00", 0x1300,
     "02000000 00000400 01 00 0013 00000300 01 02 28 00"},
    {LATER, 8, 64, "01000000 00000500 01 01 01 0013 000000", 0x1300, "01000000 00000400 01 00 0013"},
    {LATER, 8, 70, "01000000 00000500 01 01 01 0013 000000", 0x1300, "01000000 00000400 01 00 0013"},
    {LATER, 0x10, 0, "01000000 00000300 01 01 00 00", 0x1200, "01000000 00000400 01 00 0012"},
    {FIRST, 2, 0, OLD "01 0000 00000500 01 01 01 0011 000000", 0x1100, OLD "01 0000 00000400 01 00 0011"},
};

static void expect(const char *hex, struct spdm_span got)
{
    struct spdm_room want = without_blanks(hex);

    if (got.n != want.n || memcmp(got.p, want.p, want.n) != 0) fail_msg("not %s", hex);
    free(want.p);
}

/* What is said, and that it fits into no room that is a byte too small: then it is longer than any. */
static void test_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++) {
        const struct said *r = &sayings[i];
        struct session s = {.version = r->selected};
        uint8_t bytes[80];
        struct spdm_room all = {bytes, sizeof bytes};
        size_t offer, selection;

        begin(r->version, r->secured, r->limit);
        expect(r->offer, spdm_session_offer(&p.rq->c, 0xe4, all));
        offer = spdm_session_offer(&p.rq->c, 0xe4, all).n;
        expect(r->selection, spdm_session_selection(&p.rs->c, &s, all));
        selection = spdm_session_selection(&p.rs->c, &s, all).n;
        for (size_t n = 0; n < sizeof bytes; n++) {
            struct spdm_room some = {n != 0 ? bytes : NULL, n};

            assert_true(n >= offer || spdm_session_offer(&p.rq->c, 0xe4, some).n > n);
            assert_true(n >= selection || spdm_session_selection(&p.rs->c, &s, some).n > n);
        }
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read), cmocka_unit_test(test_written)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
