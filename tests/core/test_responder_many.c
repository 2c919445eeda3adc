/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Several connections of one device: they stand on the same identity and may
 * share a crypto library and a buffer, and each behaves as if it were alone,
 * whatever happens in the others between two of its messages (withstand 104). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/talk.h"

enum { N = 3, STEPS = 9 };

/* The three speak different versions; a conversation is the same list of requests for all. */
static const uint8_t versions[N] = {SPDM_V14, SPDM_V11, SPDM_V12};
static const char *const steps[STEPS] = {"10 84 00 00",
                                         "vv e1 00 00 caps",
                                         "vv e3 00 00 offer",
                                         "vv 81 00 00",
                                         "vv 82 00 00 0000 0002",
                                         "vv 83 00 ff nonce context",
                                         "vv e0 00 01 context",
                                         "vv e0 01 ff nonce slot00 context",
                                         "vv fe 00 00 0300 02 b41a 0100 07"};

struct answer {
    size_t n;
    uint8_t byte[1024];
};

static struct pair device[N];
static struct answer alone[N][STEPS];

static void place(unsigned i)
{
    pair_init(&device[i]);
    device[i].toy.random = 1000 * (i + 1);
    if (i != 0) device[i].rsp_config.identity = &device[0].identity;
    pair_start(&device[i]);
}

static void step(unsigned i, unsigned at, struct answer *out)
{
    struct spdm_span got = talk(&device[i], versions[i], steps[at]);

    assert_true(got.n != 0 && got.n <= sizeof out->byte && got.p[1] != 0x7f);
    out->n = got.n;
    memcpy(out->byte, got.p, got.n);
}

/* Each connection by itself. */
static int record(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N; i++) {
        place(i);
        for (unsigned at = 0; at < STEPS; at++) step(i, at, &alone[i][at]);
        pair_close(&device[i]);
    }
    return 0;
}

static void check(unsigned i, unsigned at, const struct answer *now)
{
    const struct answer *then = &alone[i][at];

    if (now->n != then->n || memcmp(now->byte, then->byte, now->n) != 0) {
        fail_msg("connection %u answers message %u differently", i, at);
    }
}

/* Two connections: the second does everything it does between two messages of the first, at every boundary. */
static void test_boundaries(void **state)
{
    struct answer now;

    (void)state;
    for (unsigned cut = 0; cut <= STEPS; cut++) {
        place(0);
        place(1);
        for (unsigned at = 0; at < cut; at++) step(0, at, &now), check(0, at, &now);
        for (unsigned at = 0; at < STEPS; at++) step(1, at, &now), check(1, at, &now);
        for (unsigned at = cut; at < STEPS; at++) step(0, at, &now), check(0, at, &now);
        pair_close(&device[0]);
        pair_close(&device[1]);
    }
}

/* Three connections in a thousand random orders. */
static void test_random_orders(void **state)
{
    uint32_t random = 1;
    struct answer now;

    (void)state;
    for (unsigned run = 0; run < 1000; run++) {
        unsigned at[N] = {0}, left = N * STEPS;

        for (unsigned i = 0; i < N; i++) place(i);
        while (left > 0) {
            unsigned i = (random = random * 1664525u + 1013904223u) >> 16;

            i %= N;
            if (at[i] == STEPS) continue;
            step(i, at[i], &now);
            check(i, at[i]++, &now);
            left--;
        }
        for (unsigned i = 0; i < N; i++) pair_close(&device[i]);
    }
}

/* One output buffer for all: each answer is fetched before the next request comes. */
static void test_shared_buffer(void **state)
{
    static uint8_t out[PAIR_BUFFER];
    struct answer now;

    (void)state;
    for (unsigned i = 0; i < N; i++) {
        pair_init(&device[i]);
        device[i].toy.random = 1000 * (i + 1);
        device[i].rsp_config.out = (struct spdm_room){out, sizeof out};
        device[i].rsp_config.out_shared = true;
        pair_start(&device[i]);
    }
    for (unsigned at = 0; at < STEPS; at++) {
        for (unsigned i = 0; i < N; i++) {
            step(i, at, &now);
            check(i, at, &now);
        }
    }
    for (unsigned i = 0; i < N; i++) pair_close(&device[i]);
}

/* A signature that one connection waits for does not hold up the others, and finds its way home. */
static void test_slow_signature(void **state)
{
    struct answer now;

    (void)state;
    for (unsigned i = 0; i < 2; i++) place(i);
    for (unsigned at = 0; at < 5; at++) step(0, at, &now);
    device[0].silent = true;
    assert_int_equal(talk(&device[0], versions[0], steps[5]).n, 0);
    for (unsigned at = 0; at < STEPS; at++) step(1, at, &now), check(1, at, &now);
    device[0].silent = false;
    assert_int_equal(device[0].open.kind, SPDM_ASK_MEASURE);
    assert_true(spdm_responder_answer(device[0].rs, &(struct spdm_answer){.ticket = device[0].open.ticket,
                                                                          .yes = true,
                                                                          .measurements = device[0].measurements,
                                                                          .measurement_n = device[0].measurement_n}));
    (void)talk(&device[0], versions[0], "vv"); /* no message: the question for a signature is fetched and answered */
    talk_expect(&device[0], versions[0], steps[6], "vv 60");
    for (unsigned i = 0; i < 2; i++) pair_close(&device[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_boundaries), cmocka_unit_test(test_random_orders),
                                       cmocka_unit_test(test_shared_buffer), cmocka_unit_test(test_slow_signature)};

    return cmocka_run_group_tests(tests, record, NULL);
}
