/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What goes into records besides the message: random data of as many bytes as
 * policy says, the header of the binding, one byte of data; and what a record
 * holds that may not be there (R-APP-05, R-APP-06). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/mutual.h"
#include "support/pair.h"

static const struct spdm_goal open_session = {.want = SPDM_WANT_SESSION};
static struct pair p;
static struct {
    bool on;
    size_t least, most;
    unsigned n;
} sizes[2];

static size_t measure(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)pair;
    (void)frame;
    if (!sizes[to_responder].on) return n;
    if (sizes[to_responder].n++ == 0) sizes[to_responder].least = sizes[to_responder].most = n;
    if (n < sizes[to_responder].least) sizes[to_responder].least = n;
    if (n > sizes[to_responder].most) sizes[to_responder].most = n;
    return n;
}

static void reach(const struct spdm_goal *goal)
{
    char why[300];

    if (pair_run(&p, goal)) return;
    spdm_report_text(&p.failure, why, sizeof why);
    fail_msg("%s", why);
}

static void prepare(const struct spdm_binding *binding)
{
    pair_init(&p);
    pair_sessions(&p, 1);
    p.req_config.binding = p.rsp_config.binding = binding;
    p.wire = measure;
}

/* Two requests and two answers of four bytes each, many times over. */
static void exchange(unsigned times)
{
    memset(sizes, 0, sizeof sizes);
    pair_start(&p);
    reach(&open_session);
    sizes[0].on = sizes[1].on = true;
    for (unsigned i = 0; i < times; i++)
        reach(&(struct spdm_goal){.want = SPDM_WANT_KEY_UPDATE, .session = p.opened_rq, .update = 2});
    assert_int_equal(sizes[0].n, 2 * times);
    assert_int_equal(sizes[1].n, 2 * times);
    pair_close(&p);
}

/* ---- random data ---- */

/* None by default; else any number of bytes up to what policy says, and to 32; in each direction that of who sends. */
static void test_random_data(void **state)
{
    static const uint8_t policies[] = {0, 1, 5, 31, 32, 33, 255};
    size_t base;

    (void)state;
    prepare(&spdm_binding_mctp);
    exchange(1);
    base = sizes[1].most;
    assert_int_equal(sizes[0].most, base);
    for (size_t i = 0; i < 2 * sizeof policies; i++) {
        uint8_t policy = policies[i / 2];
        size_t most = policy < 32 ? policy : 32, own = i % 2;

        prepare(&spdm_binding_mctp);
        (own == 1 ? &p.req_policy : &p.rsp_policy)->record_random = policy;
        exchange(200);
        assert_int_equal(sizes[own].least, base);
        assert_int_equal(sizes[own].most, base + most);
        assert_true(sizes[!own].least == base && sizes[!own].most == base);
    }
}

/* A record of nothing but a MAC has no place for it, and some transports want none. */
static void test_no_random_data(void **state)
{
    static const struct spdm_binding *const bindings[] = {&spdm_binding_mctp, &spdm_binding_tcp, &spdm_binding_doe};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        size_t base = 0;

        for (uint8_t policy = 0; policy <= 32; policy = (uint8_t)(policy + 32)) {
            prepare(bindings[i]);
            if (i == 0) p.req_policy.flags &= ~SPDM_ENCRYPT_CAP;
            p.req_policy.record_random = p.rsp_policy.record_random = policy;
            exchange(20);
            if (policy == 0) base = sizes[0].most;
            for (unsigned d = 0; d < 2; d++) assert_true(sizes[d].least == base && sizes[d].most == base);
        }
    }
}

/* Without random numbers there is none of it, and whatever is sent is whole. */
static void test_no_randomness(void **state)
{
    static const uint8_t data[] = "\x7eSome data";
    unsigned sent = 0;

    (void)state;
    prepare(&spdm_binding_mctp);
    p.req_policy.record_random = 32;
    pair_start(&p);
    reach(&open_session);
    for (unsigned i = 0; i < 60; i++) {
        p.toy.fail_at = p.toy.calls + 1 + i % 4;
        p.data_rs_n = 0;
        if (!spdm_requester_send(p.rq, p.opened_rq, (struct spdm_span){data, sizeof data})) continue;
        p.toy.fail_at = 0;
        pair_settle(&p, p.now);
        assert_int_equal(p.data_rs_n, sizeof data);
        assert_memory_equal(p.data_rs, data, sizeof data);
        sent++;
    }
    assert_true(sent >= 15);
    pair_close(&p);
}

/* ---- what is in a record ---- */

/* One byte is data too, in either direction; none is not. */
static void test_one_byte(void **state)
{
    static const struct spdm_binding *const bindings[] = {&spdm_binding_mctp, &spdm_binding_tcp};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        prepare(bindings[i]);
        pair_start(&p);
        reach(&open_session);
        assert_false(spdm_requester_send(p.rq, p.opened_rq, (struct spdm_span){(const uint8_t *)"~", 0}));
        assert_true(spdm_requester_send(p.rq, p.opened_rq, (struct spdm_span){(const uint8_t *)"~", 1}));
        pair_settle(&p, p.now);
        assert_true(p.data_rs_n == 1 && p.data_rs[0] == '~');
        assert_true(spdm_responder_send(p.rs, p.opened_rs, (struct spdm_span){(const uint8_t *)"~", 1}));
        pair_settle(&p, p.now);
        assert_true(p.data_rq_n == 1 && p.data_rq[0] == '~');
        pair_close(&p);
    }
}

/* A record of ours, whatever it says, as the other end gets it. */
static void seal_and_push(struct spdm_span data)
{
    struct session *s = spdm_session_find(&p.rq->c, p.opened_rq);
    struct outgoing out = {.direction = REQUEST, .message = data, .app = true, .room = p.req_config.out};
    size_t n = spdm_session_seal(&p.rq->c, s, &out);

    assert_int_not_equal(n, 0);
    pair_deliver(&p, true, p.rq_out, n);
}

/* Where there is no application data what is no SPDM message ends the session (R-APP-06); so does a record of nothing.
 */
static void test_no_message(void **state)
{
    static const struct {
        const struct spdm_binding *binding;
        const char *data;
        size_t n;
        bool fine;
    } rows[] = {
        {&spdm_binding_storage, "data that is none", 17, false},
        {&spdm_binding_doe, "", 0, false},
        {&spdm_binding_mctp, "", 0, false},
        {&spdm_binding_tcp, "", 0, false},
        {&spdm_binding_mctp, "data", 4, true},
        {&spdm_binding_tcp, "data", 4, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct spdm_session_facts facts;

        prepare(rows[i].binding);
        pair_start(&p);
        reach(&open_session);
        assert_true(spdm_responder_session(p.rs, p.opened_rs, &facts));
        seal_and_push((struct spdm_span){(const uint8_t *)rows[i].data, rows[i].n});
        assert_true(spdm_responder_session(p.rs, p.opened_rs, &facts) == rows[i].fine);
        if (!rows[i].fine) assert_int_equal(p.closed_why_rs.why, SPDM_WHY_BAD_RECORD);
        if (rows[i].fine) assert_int_equal(p.data_rs_n, rows[i].n);
        pair_close(&p);
    }
}

/* A record that is longer than the room that it is opened into, a block of its own: the session ends, and nothing else.
 */
static void test_small_room(void **state)
{
    static const uint8_t data[240] = "a record of some length";

    (void)state;
    for (size_t n = 120; n < 400; n += 20) {
        struct spdm_session_facts facts;
        uint8_t *block = malloc(n);

        prepare(&spdm_binding_mctp);
        p.rsp_config.in = (struct spdm_room){block, n};
        pair_start(&p);
        reach(&open_session);
        seal_and_push((struct spdm_span){data, sizeof data});
        assert_true(spdm_responder_session(p.rs, p.opened_rs, &facts) == (n >= sizeof data + 2)); /* and its length */
        pair_close(&p);
        free(block);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_data),   cmocka_unit_test(test_no_random_data),
                                       cmocka_unit_test(test_no_randomness), cmocka_unit_test(test_one_byte),
                                       cmocka_unit_test(test_no_message),    cmocka_unit_test(test_small_room)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
