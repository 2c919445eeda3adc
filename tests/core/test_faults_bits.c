/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One bit of one message is changed: all bits of all messages, of every version
 * and kind of goal; and every value of the bytes that say what a message is.
 * Either the run fails with a reason, or it learned exactly what the device
 * said. What is open below 1.2 is listed in support/plots.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/fault.h"

static const uint8_t versions[] = {SPDM_V10, SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};

/* Every bit of every frame, the binding's byte included. */
static void flip_all(struct scene *scene)
{
    static uint8_t bytes[PAIR_BUFFER];

    for (unsigned k = scene->from; k < scene->n; k++) {
        const struct moment *m = &scene->moment[k];

        memcpy(bytes, m->frame, m->n);
        for (size_t bit = 0; bit < 8 * m->n; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            fault_rewind(scene, k);
            pair_deliver(scene->pair, m->to_responder, bytes, m->n);
            fault_judge(scene, k, "bit", bit);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static void test_bits(void **state)
{
    static struct pair p;

    (void)state;
    for (size_t i = 0; i < fault_plot_n; i++) {
        for (size_t v = 0; v < sizeof versions; v++) {
            struct scene scene = {.pair = &p};

            fault_stage(&scene, &fault_plots[i], versions[v]);
            flip_all(&scene);
            /* the signed kinds hold in full from 1.2 on, and with a CHALLENGE in every version */
            if (i == 0) assert_int_equal(scene.done, 0);
            fault_free(&scene);
        }
    }
}

/* Every value of one byte of every frame. */
static void try_values(struct scene *scene, size_t at)
{
    static uint8_t bytes[PAIR_BUFFER];

    for (unsigned k = 0; k < scene->n; k++) {
        const struct moment *m = &scene->moment[k];

        memcpy(bytes, m->frame, m->n);
        for (unsigned value = 0; at < m->n && value < 256; value++) {
            if (value == m->frame[at]) continue;
            bytes[at] = (uint8_t)value;
            fault_rewind(scene, k);
            pair_deliver(scene->pair, m->to_responder, bytes, m->n);
            fault_judge(scene, k, "value at byte", at);
        }
    }
}

/* Version, code and parameters; the binding's byte comes first. */
static void test_values(void **state)
{
    static struct pair p;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        struct scene scene = {.pair = &p};

        fault_stage(&scene, &fault_plots[0], versions[v]);
        for (size_t at = 1; at <= 4; at++) try_values(&scene, at);
        assert_true(scene.done <= 1); /* DIGESTS of 1.3 as 7f 03: it is an ERROR Busy, and the request is repeated */
        fault_free(&scene);
    }
}

/* Policies that allow several versions: who hides the higher ones is found out by CHALLENGE in every version, and by
 * signed measurements unless what is left is below 1.2 (L1/L2 does not begin with VCA there). */
static void test_downgrade(void **state)
{
    static const struct {
        unsigned plot;
        uint8_t left;
        bool done;
    } rows[] = {
        {0, SPDM_V10, false}, {0, SPDM_V11, false}, {0, SPDM_V12, false}, {0, SPDM_V13, false},
        {2, SPDM_V10, true},  {2, SPDM_V11, true},  {2, SPDM_V12, false}, {2, SPDM_V13, false},
    };
    static struct pair p;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene scene = {.pair = &p};
        uint8_t version[9] = {5, 0x10, 0x04, 0, 0, 0, 1, 0, rows[i].left};

        fault_stage(&scene, &fault_plots[rows[i].plot], 0);
        scene.open = FAULT_ALL;
        fault_trial(&scene, 1, (struct spdm_span){version, sizeof version}, "downgrade");
        assert_int_equal(p.done, rows[i].done);
        fault_free(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bits), cmocka_unit_test(test_values),
                                       cmocka_unit_test(test_downgrade)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
