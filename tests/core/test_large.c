/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Large messages between both engines: every size of transfer from the
 * smallest on, both directions, in and outside of sessions, and what becomes of
 * the room that is lent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/pair.h"

enum { MAX = 10000 };

static const struct spdm_goal everything = {
    .want = SPDM_WANT_CHALLENGE | SPDM_WANT_MEASUREMENTS, .measure = SPDM_MEASURE_ALL, .sign = true, .summary = 0xff};

static const uint8_t versions[] = {SPDM_V12, SPDM_V13, SPDM_V14};

static void only(struct pair *p, uint8_t version)
{
    memset(p->req_policy.versions, 0, sizeof p->req_policy.versions);
    p->req_policy.versions[0] = version;
}

static void reached(struct pair *p, const struct spdm_goal *goal, const char *what, unsigned at)
{
    char text[200];

    if (pair_run(p, goal)) return;
    spdm_report_text(&p->failure, text, sizeof text);
    fail_msg("%s, %u: %s", what, at, text);
}

/* Counts messages by code, and checks that none is larger than one transfer. */
static unsigned seen[256];
static size_t most;

static size_t count(struct pair *p, bool to_responder, uint8_t *frame, size_t n)
{
    (void)to_responder;
    seen[frame[2]]++;
    if (n - 1 > most) most = n - 1;
    assert_true(n - 1 <= p->req_config.data_transfer_size);
    return n;
}

static void watch(struct pair *p)
{
    memset(seen, 0, sizeof seen);
    most = 0;
    p->wire = count;
}

static void test_every_size(void **state)
{
    static struct pair p;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        for (uint32_t transfer = 42; transfer < 800; transfer += transfer < 100 ? 1 : 37) {
            for (unsigned kind = 0; kind < 4; kind++) {
                pair_init(&p);
                only(&p, versions[v]);
                pair_chunks(&p, transfer, MAX);
                p.req_policy.want_algorithms = kind & 1;
                p.stays = kind >> 1;
                watch(&p);
                pair_start(&p);
                reached(&p, &everything, versions[v] == SPDM_V14 ? "1.4" : "1.2 or 1.3", transfer);
                assert_true(p.proven && spdm_requester_facts(p.rq)->authentic);
                assert_int_equal(seen[0x85] != 0, versions[v] != SPDM_V12 && transfer < 45); /* GET_MEASUREMENTS */
                assert_int_equal(seen[0x86] != 0, transfer < (versions[v] == SPDM_V12 ? 429 : 437)); /* MEASUREMENTS */
                assert_true(most <= transfer);
                pair_close(&p);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_size)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
