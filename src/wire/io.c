/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The bounded, sticky reader and writer. Every byte of a message is claimed
 * before it is touched, and claiming is the only place that compares with the
 * end. Numbers are little endian (DSP0274 "Byte ordering"). */
#include "wire/io.h"

void spdm_io_fail(struct io *io, uint8_t why, const char *name, uint32_t got, uint32_t limit)
{
    if (io->why != SPDM_WHY_FINE) return;
    io->why = why;
    io->field = name;
    io->where = (uint32_t)io->last;
    io->got = got;
    io->limit = limit;
}

/* Claims n bytes and leaves their start in io->last; false on the first or an earlier error. Who runs out of room when
 * encoding goes on counting: io->at becomes the length that the message would have. */
static bool claim(struct io *io, const char *name, size_t n)
{
    if (io->why == SPDM_WHY_FINE) {
        io->last = io->at;
        if (n > io->end - io->at) {
            spdm_io_fail(io, io_decoding(io) ? SPDM_WHY_SHORT : SPDM_WHY_NO_ROOM, name, (uint32_t)n,
                         (uint32_t)(io->end - io->at));
        }
    }
    if (io->why == SPDM_WHY_FINE || io->why == SPDM_WHY_NO_ROOM) io->at += n;
    return io->why == SPDM_WHY_FINE;
}

static void show(const struct io *io, const char *name, size_t n, uint32_t value, bool number)
{
    if (io->see != NULL && n != 0) {
        io->see(io->see_ctx,
                &(struct spdm_field){.name = name, .at = io->last, .n = n, .value = value, .number = number});
    }
}

uint32_t spdm_io_number(struct io *io, const char *name, uint32_t v, size_t n)
{
    if (!claim(io, name, n)) return io_decoding(io) ? 0 : v;
    if (io_decoding(io)) {
        v = 0;
        for (size_t i = n; i-- > 0;) v = v << 8 | io->rd.p[io->last + i];
    } else {
        for (size_t i = 0; i < n; i++) io->wr.p[io->last + i] = (uint8_t)(v >> (8 * i));
    }
    show(io, name, n, v, true);
    return v;
}

void spdm_io_u8(struct io *io, const char *name, uint8_t *v)
{
    uint32_t x = spdm_io_number(io, name, *v, 1);

    if (io_decoding(io)) *v = (uint8_t)x;
}

void spdm_io_u16(struct io *io, const char *name, uint16_t *v)
{
    uint32_t x = spdm_io_number(io, name, *v, 2);

    if (io_decoding(io)) *v = (uint16_t)x;
}

void spdm_io_u32(struct io *io, const char *name, uint32_t *v)
{
    uint32_t x = spdm_io_number(io, name, *v, 4);

    if (io_decoding(io)) *v = x;
}

void spdm_io_zero(struct io *io, size_t n)
{
    if (claim(io, SPDM_NAME("Reserved"), n) && !io_decoding(io) && n != 0) memset(io->wr.p + io->last, 0, n);
}

void spdm_io_bytes(struct io *io, const char *name, struct spdm_span *s, size_t n)
{
    if (io_decoding(io)) {
        *s = (struct spdm_span){0};
    } else if (s->p != NULL && s->n != n) {
        spdm_io_fail(io, SPDM_WHY_BAD_LENGTH, name, (uint32_t)s->n, (uint32_t)n);
    }
    if (!claim(io, name, n)) return;
    if (io_decoding(io)) {
        *s = (struct spdm_span){io->rd.p + io->last, n};
    } else if (s->p != NULL && n != 0) {
        memmove(io->wr.p + io->last, s->p, n);
    }
    show(io, name, n, 0, false);
}

void spdm_io_rest(struct io *io, const char *name, struct spdm_span *s, size_t max)
{
    size_t left = io->end - io->at;

    if (!io_decoding(io)) left = s->n;
    spdm_io_bytes(io, name, s, left < max ? left : max);
}

void spdm_io_signature(struct io *io, struct spdm_span *s)
{
    io->signature_at = io->at;
    spdm_io_bytes(io, SPDM_NAME("Signature"), s, io->sh->sig);
}

void spdm_io_verify(struct io *io, const char *name, struct spdm_span *s, size_t n)
{
    if (n != 0) io->verify_at = io->at;
    spdm_io_bytes(io, name, s, n);
}
