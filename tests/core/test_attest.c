/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Both engines against each other: every version, every kind of goal, the
 * number of messages each costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/pair.h"

static const struct spdm_goal everything = {
    .want = SPDM_WANT_CHALLENGE | SPDM_WANT_MEASUREMENTS, .measure = SPDM_MEASURE_ALL, .sign = true, .summary = 0xff};

static void only(struct pair *p, uint8_t version)
{
    memset(p->req_policy.versions, 0, sizeof p->req_policy.versions);
    p->req_policy.versions[0] = version;
}

static void test_every_version(void **state)
{
    static const uint8_t versions[] = {SPDM_V10, SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};
    static struct pair p;

    (void)state;
    for (size_t i = 0; i < sizeof versions; i++) {
        pair_init(&p);
        only(&p, versions[i]);
        pair_start(&p);
        if (!pair_run(&p, &everything)) {
            char text[200];

            spdm_report_text(&p.failure, text, sizeof text);
            fail_msg("1.%u: %s", versions[i] & 15u, text);
        }
        assert_int_equal(spdm_requester_facts(p.rq)->version, versions[i]);
        assert_true(spdm_requester_facts(p.rq)->authentic);
        assert_true(p.proven);
        assert_int_equal(p.passed, 14);
        /* again on the live connection: two messages */
        p.passed = 0;
        assert_true(pair_run(&p, &everything));
        assert_int_equal(p.passed, 2);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_version)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
