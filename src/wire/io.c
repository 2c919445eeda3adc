/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The bounded, sticky reader and writer. Every byte of a message is claimed
 * before it is touched, and claiming is the only place that compares with the
 * end. Numbers are little endian (DSP0274 "Byte ordering"). */
#include "wire/io.h"

void spdm_io_fail(struct io *io, uint8_t why, uint32_t got, uint32_t limit)
{
    if (io->why != SPDM_WHY_FINE) return;
    io->got = got;
    io->limit = limit;
    spdm_io_fail_tersely(io, why);
}

void spdm_io_fail_tersely(struct io *io, uint8_t why)
{
    if (io->why != SPDM_WHY_FINE) return;
    io->why = why;
    io->field = io->name;
    io->where = (uint32_t)io->last;
}

/* There are no n bytes, or there was an error before. Who runs out of room when encoding goes on counting: io->at
 * becomes the length that the message would have. */
static bool not_there(struct io *io, size_t n)
{
    if (io->why == SPDM_WHY_FINE) {
        io->last = io->at;
        io_fail(io, io_decoding(io) ? SPDM_WHY_SHORT : SPDM_WHY_NO_ROOM, (uint32_t)n, (uint32_t)(io->end - io->at));
    }
    if (io_going(io)) io->at += n;
    return false;
}

/* Claims n bytes and leaves their start in io->last; false on the first or an earlier error. */
static inline bool claim(struct io *io, size_t n)
{
    if (io->why != SPDM_WHY_FINE || n > io->end - io->at) return not_there(io, n);
    io->last = io->at;
    io->at += n;
    return true;
}

/* Shows the observer what was claimed. Without names there is nothing to show. */
#ifdef SPDM_NO_NAMES
#define show(io, size, v, is_number) ((void)(size))
#else
static void show(const struct io *io, size_t n, uint32_t value, bool number)
{
    if (io->see != NULL && n != 0) {
        io->see(io->see_ctx,
                &(struct spdm_field){.name = io->name, .at = io->last, .n = n, .value = value, .number = number});
    }
}
#endif

/* A compiler that is after speed makes one for each size. */
static inline uint32_t number(struct io *io, uint32_t v, size_t n)
{
    const uint8_t *from = io_decoding(io) ? io->rd.p : io->wr.p;
    uint32_t x = 0;

    if (!claim(io, n)) return io_decoding(io) ? 0 : v; /* out of room: lengths go on counting */
    for (size_t i = n; i-- > 0;) {
        if (!io_decoding(io)) io->wr.p[io->last + i] = (uint8_t)(v >> (8 * i));
        x = x << 8 | from[io->last + i];
    }
    show(io, n, x, true);
    return x;
}

uint32_t spdm_io_number(struct io *io, uint32_t v, size_t n)
{
    return number(io, v, n);
}

void spdm_io_u8(struct io *io, uint8_t *v)
{
    *v = (uint8_t)number(io, *v, 1);
}

void spdm_io_u16(struct io *io, uint16_t *v)
{
    *v = (uint16_t)number(io, *v, 2);
}

void spdm_io_u32(struct io *io, uint32_t *v)
{
    *v = number(io, *v, 4);
}

void spdm_io_zero(struct io *io, size_t n)
{
    if (claim(io, n) && !io_decoding(io)) memset(&io->wr.p[io->last], 0, n);
}

void spdm_io_u8_since(struct io *io, uint8_t version, uint8_t *v)
{
    if (io_since(io, version)) {
        spdm_io_u8(io, v);
    } else {
        *v = 0;
        spdm_io_zero(io, 1);
    }
}

void spdm_io_u32_since(struct io *io, uint8_t version, uint32_t *v)
{
    if (io_since(io, version)) {
        spdm_io_u32(io, v);
    } else {
        *v = 0;
        spdm_io_zero(io, 4);
    }
}

void spdm_io_bytes(struct io *io, struct spdm_span *s, size_t n)
{
    struct spdm_span given = *s;

    if (io_decoding(io)) *s = (struct spdm_span){0};
    else if (given.p != NULL && given.n != n) io_fail(io, SPDM_WHY_BAD_LENGTH, (uint32_t)given.n, (uint32_t)n);
    if (!claim(io, n)) return;
    if (io_decoding(io)) *s = (struct spdm_span){&io->rd.p[io->last], n};
    else if (given.p != NULL) memmove(&io->wr.p[io->last], given.p, n);
    show(io, n, 0, false);
}

void spdm_io_rest(struct io *io, struct spdm_span *s, size_t max)
{
    size_t left = io_decoding(io) ? io->end - io->at : s->n;

    spdm_io_bytes(io, s, left < max ? left : max);
}

void spdm_io_signature(struct io *io, struct spdm_span *s)
{
    io->signature_at = io->at;
    spdm_io_bytes(io, s, io->sh.sig);
}

void spdm_io_verify(struct io *io, struct spdm_span *s, size_t n)
{
    if (n != 0) io->verify_at = io->at;
    spdm_io_bytes(io, s, n);
}
