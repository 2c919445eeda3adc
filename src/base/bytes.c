/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Bytes: the only file beside wire/io.c that moves pointers. Nothing here
 * trusts a length it was given beyond the span or room it came with. */
#include "base/bytes.h"

#ifdef __GNUC__
/* Whoever compiles must believe that somebody reads the bytes here. */
void spdm_wipe(void *p, size_t n)
{
    memset(p, 0, n);
    __asm__ volatile("" : : "r"(p) : "memory");
}
#else
void spdm_wipe(void *p, size_t n)
{
    volatile uint8_t *byte = p;

    for (size_t i = 0; i < n; i++) byte[i] = 0;
}
#endif

bool spdm_equal(struct spdm_span a, struct spdm_span b)
{
    uint8_t differ = 0;

    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++) differ |= (uint8_t)(a.p[i] ^ b.p[i]);
    return differ == 0;
}

struct spdm_span spdm_part(struct spdm_span s, size_t at, size_t n)
{
    if (at >= s.n) return (struct spdm_span){0};
    if (n > s.n - at) n = s.n - at;
    return (struct spdm_span){s.p + at, n};
}

struct spdm_room spdm_room_from(struct spdm_room r, size_t at)
{
    if (at >= r.n) return (struct spdm_room){0};
    return (struct spdm_room){r.p + at, r.n - at};
}

uint8_t *spdm_take(struct spdm_room *r, size_t n)
{
    uint8_t *p = r->p;

    if (n > r->n) return NULL;
    r->p += n;
    r->n -= n;
    return p;
}

bool spdm_put(struct spdm_room r, struct spdm_span s)
{
    if (s.n > r.n) return false;
    if (s.n != 0) memmove(r.p, s.p, s.n);
    return true;
}

bool spdm_window_shows(const struct spdm_window *w, size_t place, size_t n)
{
    return place < w->at + w->room.n && place + n > w->at;
}

void spdm_window_lay(const struct spdm_window *w, size_t place, struct spdm_span piece)
{
    size_t from = place < w->at ? w->at - place : 0;
    struct spdm_room to = spdm_room_from(w->room, place < w->at ? 0 : place - w->at);

    (void)spdm_put(to, spdm_part(piece, from, to.n));
}
