/* SPDX-License-Identifier: BSD-3-Clause
 *
 * frames.h - frames from hexadecimal text, each in a block of exactly its
 * size, so that the sanitizer sees a read one byte too far. Independent frames
 * (not made by the code under test) are named as in the specification digest's
 * vectors, "frames". */
#ifndef TEST_FRAMES_H
#define TEST_FRAMES_H
#include <assay/binding.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline unsigned hex_digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* free((void *)frame.p) when done. */
static inline struct spdm_span frame_of(const char *hex)
{
    size_t n = strlen(hex) / 2;
    uint8_t *p = malloc(n ? n : 1);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
    return (struct spdm_span){p, n};
}

struct unwrapped {
    const char *hex;
    enum spdm_frame_kind kind;
    size_t at, n; /* where the message lies */
};

static inline void check_unwrap(const struct spdm_binding *binding, const struct unwrapped *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct spdm_span frame = frame_of(rows[i].hex);
        struct spdm_frame got = binding->unwrap(frame);
        if (got.kind != rows[i].kind)
            fail_msg("%s: kind %d, expected %d", rows[i].hex, (int)got.kind, (int)rows[i].kind);
        if (got.kind == SPDM_FRAME_PLAIN || got.kind == SPDM_FRAME_SECURED) {
            assert_ptr_equal(got.message.p, frame.p + rows[i].at);
            assert_int_equal(got.message.n, rows[i].n);
        }
        free((void *)frame.p);
    }
}

/* Wraps the hex message and compares the whole frame; also that one byte less room refuses, untouched. */
static inline void check_wrap(const struct spdm_binding *binding, const char *message, bool secured, const char *frame)
{
    struct spdm_span m = frame_of(message), f = frame_of(frame);
    size_t size = f.n > binding->head + m.n ? f.n : binding->head + m.n;
    uint8_t *p = malloc(size);
    assert_non_null(p);
    memset(p, 0xee, size);
    memcpy(p + binding->head, m.p, m.n);
    if (f.n > 1) assert_int_equal(binding->wrap((struct spdm_room){p, f.n - 1}, m.n, secured), 0);
    assert_int_equal(binding->wrap((struct spdm_room){p, size}, m.n, secured), f.n);
    assert_memory_equal(p, f.p, f.n);
    assert_true(f.n <= binding->head + m.n + binding->tail);
    free(p);
    free((void *)m.p);
    free((void *)f.p);
}

/* What a responder answers to a control frame; "" for nothing. */
static inline void check_control(const struct spdm_binding *binding, const char *frame, const char *answer)
{
    struct spdm_span f = frame_of(frame), a = frame_of(answer);
    uint8_t *p = malloc(a.n + 1);
    assert_non_null(p);
    if (a.n != 0) assert_int_equal(binding->control(f, (struct spdm_room){p, a.n - 1}), 0);
    assert_int_equal(binding->control(f, (struct spdm_room){p, a.n == 0 ? 1 : a.n}), a.n);
    assert_memory_equal(p, a.p, a.n);
    free(p);
    free((void *)f.p);
    free((void *)a.p);
}
#endif
