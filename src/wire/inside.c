/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What lies inside a field: the blocks of a measurement record, the elements of
 * opaque data in the general format (DSP0274 "General opaque data format",
 * R-OPQ). Whoever decodes responses wants to know that they are well formed;
 * a device never meets them, so they are reached through io->inside only. */
#include "wire/message.h"

/* VendorIDLen of a standards body, 0xff if any of IANA CBOR's lengths will do (algorithms.md, registry table). */
static uint8_t vendor_id_size(uint8_t body)
{
    static const uint8_t size[] = {0, 2, 2, 2, 4, 4, 2, 2, 2, 0, 0xff, 2};

    return body < sizeof size ? size[body] : 0;
}

/* One element; its padding brings it to a multiple of four and must be zero. */
static void element(struct io *io)
{
    struct spdm_span bytes = {0};
    uint8_t id = 0, vendor_n = 0;
    uint16_t data_n = 0;
    uint32_t padding;

    io_u8(io, "OpaqueElement.ID", &id);
    io_need(io, id <= 0x0b, BAD_VALUE, "OpaqueElement.ID R-OPQ-08", id, 0);
    io_u8(io, "OpaqueElement.VendorLen", &vendor_n);
    io_need(io, vendor_n == 0 || vendor_id_size(id) == 0xff || vendor_n == vendor_id_size(id), BAD_LENGTH,
            "OpaqueElement.VendorLen R-OPQ-07", vendor_n, vendor_id_size(id));
    io_bytes(io, "OpaqueElement.VendorID", &bytes, vendor_n);
    io_u16(io, "OpaqueElementDataLen", &data_n);
    io_bytes(io, "OpaqueElementData", &bytes, data_n);
    padding = io_number(io, "AlignPadding", 0, (size_t)(0 - (4u + vendor_n + data_n)) & 3);
    io_need(io, padding == 0, BAD_VALUE, "AlignPadding R-OPQ-07", padding, 0);
}

static void elements(struct io *io, size_t n)
{
    uint8_t count = 0;

    io_u8(io, "TotalElements", &count);
    io_need(io, count != 0, BAD_VALUE, "TotalElements R-OPQ-06", 0, 0);
    io_zero(io, 3);
    for (unsigned i = 0; io_fine(io) && i < count; i++) element(io);
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

void spdm_io_inside(struct io *io, size_t n, unsigned blocks)
{
    size_t end = io->end;

    if (!io_fine(io)) return;
    io->end = io->at;
    io->at -= n;
    if (blocks == OPAQUE_ELEMENTS) elements(io, n);
    else blocks_of(io, blocks);
    io->end = end;
}
