/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What if a call of the crypto library fails: every single one, on both sides,
 * of whole conversations (withstand 93, 94). And what is left in memory when a
 * connection is over, or its GET_VERSION comes (withstand 13, 24, 25). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/fault.h"

static const uint8_t versions[] = {SPDM_V10, SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};

/* ---- each call fails once ---- */

/* Call number n fails. Nothing is accepted for it; the next goal on the same connection is reached. */
static void fail_call(struct scene *scene, long n)
{
    struct pair *p = scene->pair;
    bool done;

    fault_rewind(scene, 0);
    p->toy.fail_at = p->toy.calls + n;
    pair_deliver(p, true, scene->moment[0].frame, scene->moment[0].n);
    done = pair_go_on(p);
    if (!done) fault_report(&p->failure, scene->name);
    if (!done && p->failure.why == SPDM_WHY_PEER_ERROR) {
        assert_int_equal(p->failure.error, 0x05); /* the device says Unspecified, and not why */
        assert_int_equal(p->refused.error, 0x05);
    }
    scene->done += done;
    p->finished = false;
    if (!pair_run(p, scene->goal)) {
        char text[300];

        spdm_report_text(&p->failure, text, sizeof text);
        fail_msg("%s 1.%u, after call %ld failed: %s", scene->name, scene->honest.facts.version & 15u, n, text);
    }
    fault_judge(scene, 0, "call failed", (size_t)n);
}

static void test_every_call(void **state)
{
    static struct pair p;

    (void)state;
    for (size_t i = 0; i < fault_plot_n; i++) {
        for (size_t v = 0; v < sizeof versions; v++) {
            struct scene scene = {.pair = &p};
            long calls;

            fault_stage(&scene, &fault_plots[i], versions[v]);
            calls = p.toy.calls;
            assert_true(calls >= 0);
            for (long n = 1; n <= calls; n++) fail_call(&scene, n);
            fault_free(&scene);
        }
    }
}

/* Random numbers fail: nothing goes out that should have carried them (withstand 93). */
static size_t no_nonce(struct pair *p, bool to_responder, uint8_t *frame, size_t n)
{
    static const uint8_t zero[16];

    (void)p;
    (void)to_responder;
    if (frame[2] == 0x83 || frame[2] == 0xe0) assert_memory_not_equal(frame + 5, zero, sizeof zero);
    if (frame[2] == 0x03) assert_memory_not_equal(frame + 1 + 52, zero, sizeof zero);
    return n;
}

static void test_random(void **state)
{
    static const struct spdm_goal goal = {.want = SPDM_WANT_CHALLENGE | SPDM_WANT_MEASUREMENTS, .sign = true};
    static struct pair p;
    unsigned failed = 0;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        for (long n = 1; n < 200; n++) {
            fault_small(&p, versions[v]);
            p.wire = no_nonce;
            p.toy.fail_at = n;
            pair_start(&p);
            if (!pair_run(&p, &goal)) {
                failed += p.failure.why == SPDM_WHY_RANDOM_FAILED || p.refused.why == SPDM_WHY_RANDOM_FAILED;
            }
            pair_close(&p);
        }
    }
    assert_int_equal(failed, 5 * 4); /* CHALLENGE, CHALLENGE_AUTH, GET_MEASUREMENTS, MEASUREMENTS: one call each */
}

/* ---- nothing is left ---- */

static void all_zero(const void *memory, size_t n, const char *what)
{
    const uint8_t *p = memory;

    for (size_t i = 0; i < n; i++) {
        if (p[i] != 0) fail_msg("%s: byte %zu of %zu is %02x", what, i, n, p[i]);
    }
}

/* Closed at any moment of a conversation, a connection leaves zeros. */
static void test_closed(void **state)
{
    static struct pair p;

    (void)state;
    for (size_t i = 0; i < fault_plot_n; i++) {
        for (size_t v = 0; v < sizeof versions; v++) {
            struct scene scene = {.pair = &p};

            fault_stage(&scene, &fault_plots[i], versions[v]);
            for (unsigned k = 0; k < scene.n; k++) {
                fault_rewind(&scene, k);
                pair_close(&p);
                all_zero(p.rq_memory, spdm_requester_size(&p.req_config), "the requester");
                all_zero(p.rs_memory, spdm_responder_size(&p.rsp_config), "the responder");
            }
            fault_free(&scene);
        }
    }
}

static bool contains(const void *memory, size_t n, struct spdm_span what)
{
    const uint8_t *p = memory;

    for (size_t i = 0; i + what.n <= n; i++) {
        if (memcmp(p + i, what.p, what.n) == 0) return true;
    }
    return false;
}

/* GET_VERSION, and the next goal after a reset, leave nothing of the transcripts of before. */
static void test_restarted(void **state)
{
    static const struct spdm_goal goal = {.want = SPDM_WANT_CHALLENGE | SPDM_WANT_MEASUREMENTS, .sign = true};
    static const struct spdm_goal connect_only = {.want = SPDM_WANT_CONNECT};
    static struct pair p;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        uint8_t hash[SPDM_HASH_MAX];

        fault_small(&p, versions[v]);
        pair_start(&p);
        assert_true(pair_run(&p, &goal));
        memcpy(hash, spdm_requester_facts(p.rq)->chain_hash, sizeof hash);
        spdm_requester_reset(p.rq);
        assert_true(pair_run(&p, &connect_only));
        assert_int_equal(p.toy.open, 0);
        assert_false(contains(p.rq_memory, spdm_requester_size(&p.req_config), (struct spdm_span){hash, 48}));
        assert_false(spdm_requester_facts(p.rq)->authentic || spdm_requester_facts(p.rq)->trusted);
        pair_close(&p);
    }
}

/* ---- a verify call that always says yes (withstand 95) ---- */

/* What the signature would have found out is found out by nobody else; all else still is: one flipped bit anywhere
 * but in what only the signature covers is refused. This measures how much hangs on that one call. */
static void test_accept_all(void **state)
{
    static struct pair p;
    struct scene scene = {.pair = &p};

    (void)state;
    fault_stage(&scene, &fault_plots[0], SPDM_V13);
    scene.open = FAULT_ALL;
    for (unsigned k = 0; k < scene.n; k++) {
        for (size_t bit = 8; bit < 8 * scene.moment[k].n; bit++) {
            fault_rewind(&scene, k);
            p.toy.accept_all = true;
            scene.moment[k].frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
            pair_deliver(&p, scene.moment[k].to_responder, scene.moment[k].frame, scene.moment[k].n);
            scene.moment[k].frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
            fault_judge(&scene, k, "bit", bit);
        }
    }
    assert_true(scene.done > 0 && scene.done < scene.trials);
    fault_free(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_call), cmocka_unit_test(test_random),
                                       cmocka_unit_test(test_closed), cmocka_unit_test(test_restarted),
                                       cmocka_unit_test(test_accept_all)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
