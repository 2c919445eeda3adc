/* SPDX-License-Identifier: BSD-3-Clause
 *
 * CHUNK_SEND and CHUNK_RESPONSE, which carry a portion of a large message, and
 * the two that move them on. ChunkSeqNo grew from two to four bytes in 1.4: in
 * the portion's header it took the reserved bytes behind it, CHUNK_GET and
 * CHUNK_SEND_ACK became longer. */
#include "wire/walkers.h"

enum { LAST = 0x01, EARLY = 0x01 };

static void sequence(struct io *io, uint32_t *v)
{
    *v = io_number(io, "ChunkSeqNo", *v, io_since(io, SPDM_V14) ? 4 : 2);
}

void spdm_walk_chunk(struct io *io, union spdm_body *b)
{
    struct chunk *m = &b->chunk;
    uint8_t param1 = m->last ? LAST : 0;
    uint32_t size = (uint32_t)m->portion.n;

    io_u8(io, "Param1", &param1);
    m->last = (param1 & LAST) != 0;
    io_u8(io, "Handle", &m->handle);
    sequence(io, &m->sequence);
    io_zero(io, io_since(io, SPDM_V14) ? 0 : 2);
    io_u32(io, "ChunkSize", &size);
    if (m->sequence == 0) io_u32(io, "LargeMessageSize", &m->large_size);
    io_bytes(io, "SPDMchunk", &m->portion, size);
}

void spdm_walk_chunk_get(struct io *io, union spdm_body *b)
{
    struct chunk_get *m = &b->chunk_get;

    io_zero(io, 1);
    io_u8(io, "Handle", &m->handle);
    sequence(io, &m->sequence);
}

/* What is carried may be followed by padding; it is decoded on its own. */
void spdm_walk_chunk_ack(struct io *io, union spdm_body *b)
{
    struct chunk_ack *m = &b->chunk_ack;
    uint8_t param1 = m->early ? EARLY : 0;

    io_u8(io, "Param1", &param1);
    m->early = (param1 & EARLY) != 0;
    io_u8(io, "Handle", &m->handle);
    sequence(io, &m->sequence);
    io_rest(io, "ResponseToLargeRequest", &m->response, SIZE_MAX);
}
