/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What lies inside a field: the blocks of a measurement record, the elements of
 * opaque data in the general format (DSP0274 "General opaque data format",
 * R-OPQ), the structures of slot management. Whoever decodes responses wants to
 * know that they are well formed; a device meets opaque data alone, or not even
 * that, so they are reached through io->inside only. */
#include "wire/walkers.h"
#include <assay/build.h>
#include <assay/opaque.h>

static void elements(struct io *io, size_t n)
{
    struct spdm_opaque_element element = {0};
    uint8_t count = 0;

    spdm_walk_opaque_head(io, &count);
    for (unsigned i = 0; io_fine(io) && i < count; i++) spdm_walk_opaque_element(io, &element);
    io->last = io->end - n;
    io_need(io, io->at == io->end, BAD_LENGTH, "OpaqueData R-OPQ-09", (uint32_t)n, (uint32_t)(n - (io->end - io->at)));
}

static void blocks_of(struct io *io, unsigned blocks)
{
    struct spdm_measurement block = {0};
    unsigned n = 0;

    for (; io_fine(io) && io->at < io->end; n++) spdm_walk_block(io, &block);
    io->last = 4; /* NumberOfBlocks */
    io_need(io, n == blocks, BAD_LENGTH, "NumberOfBlocks R-MEA-16", blocks, n);
}

void spdm_io_inside_device(struct io *io, size_t n, unsigned what)
{
    size_t end = spdm_io_open(io, n);

    (void)what; /* OPAQUE_ELEMENTS */
    if (!io_fine(io)) return;
    elements(io, n);
    io->end = end;
}

void spdm_io_inside(struct io *io, size_t n, unsigned what)
{
    size_t end;

    if (what == OPAQUE_ELEMENTS) {
        spdm_io_inside_device(io, n, what);
    } else if (SPDM_WHOLE && (what & SLOT_STRUCTURE) != 0) {
        spdm_walk_slot_structure(io, n, (uint8_t)what);
    } else if (io_fine(io)) {
        end = spdm_io_open(io, n);
        blocks_of(io, what);
        io->end = end;
    }
}
