/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Opaque data in the general format, OpaqueDataFmt1: a head and elements
 * (DSP0274 "General opaque data format"; R-OPQ-06 to R-OPQ-09). */
#include "wire/message.h"

#include <assay/opaque.h>

enum { HEAD = 4, BODY_MAX = 0x0b };

/* VendorIDLen of a standards body, 0xff if any of IANA CBOR's lengths will do (algorithms.md, registry table). */
static uint8_t vendor_id_size(uint8_t body)
{
    static const uint8_t size[] = {0, 2, 2, 2, 4, 4, 2, 2, 2, 0, 0xff, 2};

    return body < sizeof size ? size[body] : 0;
}

void spdm_walk_opaque_element(struct io *io, struct spdm_opaque_element *m)
{
    uint8_t vendor_n = (uint8_t)m->vendor.n;
    uint16_t data_n = (uint16_t)m->data.n;
    uint32_t padding;

    io_u8(io, "OpaqueElement.ID", &m->id);
    io_need(io, m->id <= BODY_MAX, BAD_VALUE, "OpaqueElement.ID R-OPQ-08", m->id, 0);
    io_u8(io, "OpaqueElement.VendorLen", &vendor_n);
    io_need(io, vendor_n == 0 || vendor_id_size(m->id) == 0xff || vendor_n == vendor_id_size(m->id), BAD_LENGTH,
            "OpaqueElement.VendorLen R-OPQ-07", vendor_n, vendor_id_size(m->id));
    io_bytes(io, "OpaqueElement.VendorID", &m->vendor, vendor_n);
    io_u16(io, "OpaqueElementDataLen", &data_n);
    io_bytes(io, "OpaqueElementData", &m->data, data_n);
    padding = io_number(io, "AlignPadding", 0, (size_t)(0 - (4u + vendor_n + data_n)) & 3);
    io_need(io, padding == 0, BAD_VALUE, "AlignPadding R-OPQ-07", padding, 0);
}

void spdm_walk_opaque_head(struct io *io, uint8_t *count)
{
    io_u8(io, "TotalElements", count);
    io_need(io, *count != 0, BAD_VALUE, "TotalElements R-OPQ-06", 0, 0);
    io_zero(io, 3);
}

struct spdm_span spdm_opaque_write(struct spdm_room room, const struct spdm_opaque_element *elements, size_t n)
{
    struct io io = {.wr = room, .end = room.n};
    uint8_t count = (uint8_t)n;

    if (n != count) return (struct spdm_span){0};
    spdm_walk_opaque_head(&io, &count);
    for (size_t i = 0; i < n && io_fine(&io); i++) {
        struct spdm_opaque_element one = elements[i];

        if (one.vendor.n > UINT8_MAX || one.data.n > UINT16_MAX) return (struct spdm_span){0};
        spdm_walk_opaque_element(&io, &one);
    }
    return io_fine(&io) ? spdm_span(room.p, io.at) : (struct spdm_span){0};
}

bool spdm_opaque_open(struct spdm_span opaque, struct spdm_span *rest)
{
    struct io io = {.rd = opaque, .end = opaque.n};
    struct spdm_opaque_element element = {0};
    uint8_t count = 0;

    spdm_walk_opaque_head(&io, &count);
    for (unsigned i = 0; i < count && io_fine(&io); i++) spdm_walk_opaque_element(&io, &element);
    *rest = spdm_part(opaque, HEAD, opaque.n);
    return io_fine(&io) && io.at == opaque.n;
}

bool spdm_opaque_next(struct spdm_span *rest, struct spdm_opaque_element *out)
{
    struct io io = {.rd = *rest, .end = rest->n};

    if (rest->n == 0) return false;
    spdm_walk_opaque_element(&io, out);
    if (!io_fine(&io)) return false;
    *rest = spdm_part(*rest, io.at, rest->n);
    return true;
}
