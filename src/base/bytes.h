/* SPDX-License-Identifier: BSD-3-Clause
 *
 * bytes.h - spans, wiping, comparing in constant time. Knows no SPDM. */
#ifndef ASSAY_BASE_BYTES_H
#define ASSAY_BASE_BYTES_H
#include <assay/span.h>
#include <stdbool.h>

/* The four functions a freestanding compiler may call anyway; everything else of libc is out of bounds. */
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);

/* Overwrites n bytes with zeros in a way the compiler may not leave out. */
void spdm_wipe(void *p, size_t n);

/* Whether two spans hold the same bytes; takes as long for the first byte as for the last. The lengths are public. */
bool spdm_equal(struct spdm_span a, struct spdm_span b);

/* The part of s from `at` on, at most n bytes: empty, not wild, when `at` lies behind the end. */
struct spdm_span spdm_part(struct spdm_span s, size_t at, size_t n);

/* Room from `at` on; empty when there is none. */
struct spdm_room spdm_room_from(struct spdm_room r, size_t at);

/* Takes n bytes off the front of r; NULL, and nothing taken, if there are fewer. */
uint8_t *spdm_take(struct spdm_room *r, size_t n);

/* Copies s to the start of r; false, and nothing written, if it does not fit. */
bool spdm_put(struct spdm_room r, struct spdm_span s);

/* The part of something longer that lies in a room: its bytes from `at` on, until the room is full. */
struct spdm_window {
    struct spdm_room room;
    size_t at;
};
/* Whether anything of n bytes at `place` falls into it. */
bool spdm_window_shows(const struct spdm_window *w, size_t place, size_t n);
/* Copies what of a piece at `place` falls into it. */
void spdm_window_lay(const struct spdm_window *w, size_t place, struct spdm_span piece);

/* The next multiple of eight: where something aligned like uint64_t may lie. */
static inline size_t spdm_aligned(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static inline struct spdm_span spdm_span(const uint8_t *p, size_t n)
{
    return (struct spdm_span){p, n};
}
#endif
