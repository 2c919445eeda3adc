/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A device that has sessions by KEY_EXCHANGE and nothing else of what goes
 * beyond attestation. Runs in the whole library and, tests/size/small_build.sh,
 * in one built for such a device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/pair.h"

static struct pair p;
static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};

static void begin(uint8_t version)
{
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    pair_sessions(&p, 1);
    p.rsp_config.sessions = &spdm_serving_sessions;
    p.rsp_config.services = &spdm_serve_sessions;
}

static void reach(const struct spdm_goal *goal)
{
    char why[300];

    if (pair_run(&p, goal)) return;
    spdm_report_text(&p.failure, why, sizeof why);
    fail_msg("%s", why);
}

static void exchange_data(void)
{
    static const uint8_t hello[] = "\x01hello", answer[] = "\x01nswer";

    assert_true(spdm_requester_send(p.rq, p.opened_rq, (struct spdm_span){hello, sizeof hello}));
    pair_settle(&p, p.now);
    assert_int_equal(p.data_rs_n, sizeof hello);
    assert_memory_equal(p.data_rs, hello, sizeof hello);
    assert_true(spdm_responder_send(p.rs, p.opened_rs, (struct spdm_span){answer, sizeof answer}));
    pair_settle(&p, p.now);
    assert_int_equal(p.data_rq_n, sizeof answer);
    assert_memory_equal(p.data_rq, answer, sizeof answer);
}

static void use(void)
{
    reach(&(struct spdm_goal){.want = SPDM_WANT_SESSION | SPDM_WANT_MEASUREMENTS, .sign = true});
    assert_true(p.proven && p.opened_rq == p.opened_rs);
    exchange_data();
    for (uint8_t operation = 1; operation <= 2; operation++) {
        reach(&(struct spdm_goal){.want = SPDM_WANT_KEY_UPDATE, .session = p.opened_rq, .update = operation});
        exchange_data();
    }
    reach(&(struct spdm_goal){.want = SPDM_WANT_END_SESSION, .session = p.opened_rq});
    assert_int_equal(p.closed_rs, p.opened_rs);
    assert_int_equal(p.closed_why_rs.why, SPDM_WHY_SESSION_ENDED);
}

static void test_key_exchange(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof versions; i++) {
        begin(versions[i]);
        pair_start(&p);
        use();
        use(); /* its place is free again */
        pair_close(&p);
    }
}

static void test_in_the_clear(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof versions; i++) {
        begin(versions[i]);
        p.req_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        p.rsp_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        pair_start(&p);
        use();
        pair_close(&p);
    }
}

/* Authentication alone: records of another form. */
static void test_mac_only(void **state)
{
    (void)state;
    begin(SPDM_V12);
    p.req_policy.flags &= ~SPDM_ENCRYPT_CAP;
    pair_start(&p);
    use();
    pair_close(&p);
}

/* What it does not serve is refused, and the connection lives on. */
static void test_nothing_else(void **state)
{
    (void)state;
    begin(SPDM_V12);
    pair_start(&p);
    assert_false(
        pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_PSK_SESSION, .psk_hint = {(const uint8_t *)"hint", 4}}));
    use();
    pair_close(&p);
}

/* A requester needs the part that asks. */
static void test_serving_only(void **state)
{
    struct spdm_room memory = {(uint8_t *)p.rq_memory, sizeof p.rq_memory};

    (void)state;
    begin(SPDM_V12);
    assert_non_null(spdm_requester_init(memory, &p.req_config));
    p.req_config.sessions = &spdm_serving_sessions;
    assert_null(spdm_requester_init(memory, &p.req_config));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_key_exchange), cmocka_unit_test(test_in_the_clear),
                                       cmocka_unit_test(test_mac_only), cmocka_unit_test(test_nothing_else),
                                       cmocka_unit_test(test_serving_only)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
