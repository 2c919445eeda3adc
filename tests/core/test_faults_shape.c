/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frames of another shape: cut at every length, with bytes behind the end,
 * replaced by any other frame of the conversation, and by garbage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/fault.h"

static const uint8_t versions[] = {SPDM_V10, SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};
enum { EACH = 3 }; /* the plot that survives a refused request: it was for an index that does not exist */

typedef void (*tamper)(struct scene *scene, unsigned k);

/* Does something to every frame of every plot and version. */
static void everywhere(tamper what, void (*afterwards)(const struct scene *, size_t plot))
{
    static struct pair p;

    for (size_t i = 0; i < fault_plot_n; i++) {
        for (size_t v = 0; v < sizeof versions; v++) {
            struct scene scene = {.pair = &p};

            fault_stage(&scene, &fault_plots[i], versions[v]);
            for (unsigned k = scene.from; k < scene.n; k++) what(&scene, k);
            if (afterwards != NULL) afterwards(&scene, i);
            fault_free(&scene);
        }
    }
}

/* ---- cut ---- */

static void cut(struct scene *scene, unsigned k)
{
    const struct moment *m = &scene->moment[k];

    for (size_t n = 0; n < m->n; n++) fault_trial(scene, k, (struct spdm_span){m->frame, n}, "cut");
}

static void never_done(const struct scene *scene, size_t plot)
{
    if (plot != EACH) assert_int_equal(scene->done, 0);
}

static void test_cut(void **state)
{
    (void)state;
    everywhere(cut, never_done);
}

/* ---- extended: bytes behind a message are padding (R-GEN-26, withstand 33) ---- */

static void extend(struct scene *scene, unsigned k)
{
    static const uint16_t more[] = {1, 2, 3, 4, 7, 8, 32, 64, 255, 300};
    static uint8_t bytes[PAIR_BUFFER];
    const struct moment *m = &scene->moment[k];

    for (unsigned i = 0; i < 2 * sizeof more / sizeof *more; i++) {
        memset(bytes, i % 2 == 0 ? 0 : 0xff, sizeof bytes);
        memcpy(bytes, m->frame, m->n);
        fault_trial(scene, k, (struct spdm_span){bytes, m->n + more[i / 2]}, "extended");
    }
}

static void always_done(const struct scene *scene, size_t plot)
{
    (void)plot;
    assert_int_equal(scene->done, scene->trials);
    assert_int_equal(scene->differed, 0);
}

static void test_extended(void **state)
{
    (void)state;
    everywhere(extend, always_done);
}

/* ---- replaced by another frame of the same conversation, whatever its direction ---- */

static void replace(struct scene *scene, unsigned k)
{
    for (unsigned j = 0; j < scene->n; j++) {
        const struct moment *m = &scene->moment[j];

        if (m->n == scene->moment[k].n && memcmp(m->frame, scene->moment[k].frame, m->n) == 0) continue;
        fault_trial(scene, k, (struct spdm_span){m->frame, m->n}, "replaced by frame of length");
    }
}

static void test_replaced(void **state)
{
    (void)state;
    everywhere(replace, NULL);
}

/* Answers of an earlier connection: the same device, the same requests, other nonces. */
static void replay(uint8_t version)
{
    static struct pair p;
    struct scene old = {.pair = &p, .seed = 1000}, now = {.pair = &p};

    fault_stage(&old, &fault_plots[0], version);
    fault_stage(&now, &fault_plots[0], version);
    assert_int_equal(old.n, now.n);
    for (unsigned k = 1; k < now.n; k += 2) {
        bool same = memcmp(old.moment[k].frame, now.moment[k].frame, now.moment[k].n) == 0;

        fault_trial(&now, k, (struct spdm_span){old.moment[k].frame, old.moment[k].n}, "replayed");
        assert_int_equal(p.done, same); /* all but CHALLENGE_AUTH and MEASUREMENTS */
    }
    assert_int_equal(now.done, now.n / 2 - 2);
    fault_free(&old);
    fault_free(&now);
}

static void test_replayed(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) replay(versions[v]);
}

/* ---- garbage ---- */

static uint32_t garbage_state;

static uint8_t garbage(void)
{
    garbage_state = garbage_state * 1664525u + 1013904223u;
    return (uint8_t)(garbage_state >> 24);
}

static void trash(struct scene *scene, unsigned k)
{
    static uint8_t bytes[600];
    const struct moment *m = &scene->moment[k];

    for (unsigned i = 0; i < 24; i++) {
        size_t n = 1 + (size_t)(garbage() << 8 | garbage()) % sizeof bytes, keep = i % 3 == 0 ? 0 : i % 3 == 1 ? 3 : 12;

        for (size_t j = 0; j < n; j++) bytes[j] = garbage();
        if (keep > m->n) keep = m->n;
        memcpy(bytes, m->frame, keep); /* so that some of it passes the header */
        fault_trial(scene, k, (struct spdm_span){bytes, n}, "garbage of length");
    }
}

static void test_garbage(void **state)
{
    (void)state;
    garbage_state = 1;
    everywhere(trash, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cut), cmocka_unit_test(test_extended),
                                       cmocka_unit_test(test_replaced), cmocka_unit_test(test_replayed),
                                       cmocka_unit_test(test_garbage)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
