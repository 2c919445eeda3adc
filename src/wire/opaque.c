/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Opaque data: a length, bytes, and from 1.2 on the format that ALGORITHMS
 * selected (DSP0274 "Opaque data"; R-OPQ). */
#include "wire/message.h"

enum { GENERAL_FORMAT = 2 };

void spdm_io_opaque_length(struct io *io, uint16_t *n)
{
    const struct shape *sh = &io->sh;

    io_u16(io, "OpaqueDataLength", n);
    io_need(io, *n <= sh->opaque_max, TOO_LONG, "OpaqueDataLength R-OPQ-03", *n, sh->opaque_max);
    io_need(io, *n == 0 || sh->opaque_free || sh->opaque_format != 0, TOO_LONG, "OpaqueDataLength R-OPQ-02", *n, 0);
}

void spdm_io_opaque_data(struct io *io, struct spdm_span *s, uint16_t n)
{
    bool general = !io->sh.opaque_free && io->sh.opaque_format == GENERAL_FORMAT;

    io_bytes(io, "OpaqueData", s, n);
    if (io->inside != NULL && general && n != 0) io->inside(io, n, OPAQUE_ELEMENTS);
}

void spdm_io_opaque(struct io *io, struct spdm_span *s)
{
    uint16_t n = (uint16_t)s->n;

    spdm_io_opaque_length(io, &n);
    spdm_io_opaque_data(io, s, n);
}
