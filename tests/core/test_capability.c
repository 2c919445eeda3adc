/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Flag rules: each row of the table broken once in each version it holds for,
 * kept once, and not applied where it does not hold; libspdm's own rules
 * (LQ-08) are tolerated. */
#include "core/conn.h"
#include "support/golden.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *name;
    uint32_t bits;
} flags[] = {{"CERT", SPDM_CERT_CAP},
             {"CHAL", SPDM_CHAL_CAP},
             {"MEAS1", SPDM_MEAS_CAP_PLAIN},
             {"MEAS2", SPDM_MEAS_CAP_SIGNED},
             {"MEAS3", SPDM_MEAS_CAP_MASK},
             {"FRESH", SPDM_MEAS_FRESH_CAP},
             {"ENCRYPT", SPDM_ENCRYPT_CAP},
             {"MAC", SPDM_MAC_CAP},
             {"MUT_AUTH", SPDM_MUT_AUTH_CAP},
             {"KEY_EX", SPDM_KEY_EX_CAP},
             {"PSK1", 0x400},
             {"PSK2", 0x800},
             {"PSK3", 0xc00},
             {"ENCAP", SPDM_ENCAP_CAP},
             {"HBEAT", SPDM_HBEAT_CAP},
             {"KEY_UPD", SPDM_KEY_UPD_CAP},
             {"CLEAR", SPDM_HANDSHAKE_IN_THE_CLEAR_CAP},
             {"PUB_KEY", SPDM_PUB_KEY_ID_CAP},
             {"ALIAS", SPDM_ALIAS_CERT_CAP},
             {"SET_CERT", SPDM_SET_CERT_CAP},
             {"CSR", SPDM_CSR_CAP},
             {"RESET", SPDM_CERT_INSTALL_RESET_CAP},
             {"EP_INFO1", 0x00400000},
             {"EP_INFO2", 0x00800000},
             {"EP_INFO3", 0x00c00000},
             {"EVENT", SPDM_EVENT_CAP},
             {"MULTI1", 0x04000000},
             {"MULTI2", 0x08000000},
             {"MULTI3", 0x0c000000},
             {"GET_KEY", SPDM_GET_KEY_PAIR_INFO_CAP},
             {"SET_KEY", SPDM_SET_KEY_PAIR_INFO_CAP},
             {"KEY_RESET", SPDM_SET_KEY_PAIR_RESET_CAP}};

static uint32_t flags_of(char *words)
{
    uint32_t all = 0;

    for (char *word; (word = strsep(&words, "+")) != NULL;) {
        size_t i = 0;

        while (i < sizeof flags / sizeof *flags && strcmp(flags[i].name, word) != 0) i++;
        if (i == sizeof flags / sizeof *flags) fail_msg("no flag %s", word);
        all |= flags[i].bits;
    }
    return all;
}

struct row {
    bool requester, text;
    unsigned first, last;
    uint32_t bad, good;
    const char *name, *rule;
};

/* The judgement of flags as the peer would mask them. */
static uint8_t judge(const struct row *r, unsigned minor, uint32_t bits, struct conn *c)
{
    *c = (struct conn){.ed = spdm_edition((uint8_t)(0x10 + minor))};
    return r->requester ? spdm_capability_judge_requester(c, bits & c->ed->req_flags)
                        : spdm_capability_judge_responder(c, bits & c->ed->rsp_flags);
}

static void check(const struct row *r)
{
    char text[300];
    struct conn c;

    for (unsigned minor = 0; minor <= 4; minor++) {
        bool holds = r->text && minor >= r->first && minor <= r->last;
        uint8_t why = judge(r, minor, r->bad, &c);

        if (minor < r->first || minor > r->last) {
            /* Below the first version the bits are masked off, above the last another row may apply. */
            if (minor > r->last && r->last < 4) assert_int_equal(why, SPDM_WHY_FINE);
            continue;
        }
        if (why != (holds ? SPDM_WHY_BAD_FLAGS : SPDM_WHY_FINE)) fail_msg("%s at 1.%u: %u", r->name, minor, why);
        if (!holds) continue;
        spdm_report_text(&c.report, text, sizeof text);
        if (strstr(text, r->rule) == NULL) fail_msg("%s at 1.%u: %s", r->name, minor, text);
        assert_int_equal(c.report.got, r->bad);
        if (judge(r, minor, r->good, &c) != SPDM_WHY_FINE) {
            spdm_report_text(&c.report, text, sizeof text);
            fail_msg("%s at 1.%u, kept: %s", r->name, minor, text);
        }
    }
}

static void take_row(char *line, void *ctx)
{
    char side[4], name[8], kind[8], bad[64], good[64], rule[32];
    unsigned first, last, *n = ctx;
    struct row r;

    if (sscanf(line, "%3s %7s %7s 1.%u 1.%u %63s %63s %31s", side, name, kind, &first, &last, bad, good, rule) != 8) {
        fail_msg("bad line %s", line);
    }
    r = (struct row){.requester = strcmp(side, "req") == 0,
                     .text = strcmp(kind, "text") == 0,
                     .first = first,
                     .last = last,
                     .bad = flags_of(bad),
                     .good = strcmp(good, "-") == 0 ? 0 : flags_of(good),
                     .name = name,
                     .rule = rule};
    check(&r);
    n[r.requester] += r.text;
}

static void test_rows(void **state)
{
    unsigned n[2] = {0};

    (void)state;
    (void)golden_lines("tests/data/core/capabilities.txt", take_row, n);
    assert_true(n[0] >= 17 && n[1] >= 13);
}

/* What libspdm's emulators advertise keeps every row. */
static void test_recorded_flags(void **state)
{
    static const struct {
        uint8_t minor;
        uint32_t req, rsp;
    } recorded[] = {{0, 0, 0x37},
                    {1, 0x0000f7c6, 0x0000fbf7},
                    {2, 0x0002f7c6, 0x001afbf7},
                    {3, 0x0882f7c6, 0x399afbf7},
                    {4, 0x8882f7c6, 0xb99afbf7},
                    {4, 0x8002e6c0, 0x0003eaf5}};
    struct row r = {0};
    struct conn c;

    (void)state;
    for (size_t i = 0; i < sizeof recorded / sizeof *recorded; i++) {
        r.requester = true;
        assert_int_equal(judge(&r, recorded[i].minor, recorded[i].req, &c), SPDM_WHY_FINE);
        r.requester = false;
        assert_int_equal(judge(&r, recorded[i].minor, recorded[i].rsp, &c), SPDM_WHY_FINE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_recorded_flags)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
