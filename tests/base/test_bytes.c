/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Spans, rooms, wiping, comparing: every length around every end, on memory
 * exactly as large as it claims to be. */
#include "base/bytes.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N = 9 };

static uint8_t *filled(size_t n)
{
    uint8_t *p = malloc(n != 0 ? n : 1);

    assert_non_null(p);
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)(i + 1);
    return p;
}

static void test_wipe(void **state)
{
    (void)state;
    for (size_t n = 0; n <= N; n++) {
        uint8_t *p = filled(N);

        spdm_wipe(p, n);
        for (size_t i = 0; i < N; i++) assert_int_equal(p[i], i < n ? 0 : i + 1);
        free(p);
    }
    spdm_wipe(NULL, 0);
}

static void test_equal(void **state)
{
    (void)state;
    for (size_t n = 0; n <= N; n++) {
        uint8_t *a = filled(n), *b = filled(n);

        assert_true(spdm_equal(spdm_span(a, n), spdm_span(b, n)));
        if (n != 0) assert_false(spdm_equal(spdm_span(a, n), spdm_span(b, n - 1)));
        for (size_t bit = 0; bit < 8 * n; bit++) {
            b[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_false(spdm_equal(spdm_span(a, n), spdm_span(b, n)));
            b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        free(a);
        free(b);
    }
    assert_true(spdm_equal((struct spdm_span){0}, (struct spdm_span){0}));
    /* Two differences that cancel in a sum or a careless XOR. */
    assert_false(spdm_equal(spdm_span((const uint8_t *)"\1\2", 2), spdm_span((const uint8_t *)"\2\1", 2)));
}

static void test_part(void **state)
{
    uint8_t *p = filled(N);

    (void)state;
    for (size_t at = 0; at <= N + 2; at++) {
        for (size_t n = 0; n <= N + 2; n++) {
            struct spdm_span part = spdm_part(spdm_span(p, N), at, n);
            size_t left = at < N ? N - at : 0;

            assert_int_equal(part.n, n < left ? n : left);
            if (at < N) assert_ptr_equal(part.p, p + at);
            else assert_null(part.p);
        }
    }
    assert_int_equal(spdm_part(spdm_span(p, N), 1, SIZE_MAX).n, N - 1);
    assert_int_equal(spdm_part(spdm_span(p, N), SIZE_MAX, SIZE_MAX).n, 0);
    assert_int_equal(spdm_part((struct spdm_span){0}, 0, 1).n, 0);
    free(p);
}

static void test_room_from(void **state)
{
    uint8_t *p = filled(N);

    (void)state;
    for (size_t at = 0; at <= N + 2; at++) {
        struct spdm_room room = spdm_room_from((struct spdm_room){p, N}, at);

        assert_int_equal(room.n, at < N ? N - at : 0);
        if (at < N) assert_ptr_equal(room.p, p + at);
        else assert_null(room.p);
    }
    assert_int_equal(spdm_room_from((struct spdm_room){p, N}, SIZE_MAX).n, 0);
    free(p);
}

static void test_put(void **state)
{
    (void)state;
    for (size_t room = 0; room <= N; room++) {
        for (size_t n = 0; n <= N; n++) {
            uint8_t *to = calloc(1, room + 1), *from = filled(n);
            bool fits = n <= room;

            assert_int_equal(spdm_put((struct spdm_room){to, room}, spdm_span(from, n)), fits);
            for (size_t i = 0; i < room; i++) assert_int_equal(to[i], fits && i < n ? i + 1 : 0);
            free(to);
            free(from);
        }
    }
    assert_true(spdm_put((struct spdm_room){0}, (struct spdm_span){0}));
}

/* Source and target may overlap. */
static void test_put_overlapping(void **state)
{
    uint8_t *p = filled(N);

    (void)state;
    assert_true(spdm_put((struct spdm_room){p, N}, spdm_span(p + 2, N - 2)));
    for (size_t i = 0; i < N - 2; i++) assert_int_equal(p[i], i + 3);
    free(p);
    p = filled(N);
    assert_true(spdm_put((struct spdm_room){p + 2, N - 2}, spdm_span(p, N - 2)));
    for (size_t i = 2; i < N; i++) assert_int_equal(p[i], i - 1);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_wipe), cmocka_unit_test(test_equal),
                                       cmocka_unit_test(test_part), cmocka_unit_test(test_room_from),
                                       cmocka_unit_test(test_put),  cmocka_unit_test(test_put_overlapping)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
