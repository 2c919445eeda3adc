/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Opaque data: a length, bytes, and from 1.2 on the format that ALGORITHMS
 * selected (DSP0274 "Opaque data", "General opaque data format"; R-OPQ). */
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
    struct spdm_span vendor = {0}, data = {0};
    uint8_t id = 0, vendor_n = 0;
    uint16_t data_n = 0;
    size_t pad;

    io_u8(io, "OpaqueElement.ID", &id);
    io_need(io, id <= 0x0b, BAD_VALUE, "OpaqueElement.ID", id, 0);
    io_u8(io, "OpaqueElement.VendorLen", &vendor_n);
    io_need(io, vendor_n == 0 || vendor_id_size(id) == 0xff || vendor_n == vendor_id_size(id), BAD_LENGTH,
            "OpaqueElement.VendorLen", vendor_n, vendor_id_size(id));
    io_bytes(io, "OpaqueElement.VendorID", &vendor, vendor_n);
    io_u16(io, "OpaqueElementDataLen", &data_n);
    io_bytes(io, "OpaqueElementData", &data, data_n);
    pad = (size_t)(0 - (4u + vendor_n + data_n)) & 3;
    io_need(io, spdm_io_number(io, SPDM_NAME("AlignPadding"), 0, pad) == 0, BAD_VALUE, "AlignPadding", 0, 0);
}

/* The n bytes before io->at hold exactly what their element count says (R-OPQ-06, R-OPQ-09). */
static void general_format(struct io *io, size_t n)
{
    struct io in = *io;
    uint8_t count = 0;

    in.end = io->at;
    in.at = io->at - n;
    io_u8(&in, "TotalElements", &count);
    io_need(&in, count != 0, BAD_VALUE, "TotalElements R-OPQ-06", 0, 0);
    io_zero(&in, 3);
    for (unsigned i = 0; io_fine(&in) && i < count; i++) element(&in);
    io_need(&in, in.at == in.end, BAD_LENGTH, "OpaqueDataLength R-OPQ-09", (uint32_t)n,
            (uint32_t)(n - (in.end - in.at)));
    if (io_fine(&in)) return;
    io->last = in.where;
    spdm_io_fail(io, in.why, in.field, in.got, in.limit);
}

void spdm_io_opaque_length(struct io *io, uint16_t *n)
{
    const struct shape *sh = io->sh;

    io_u16(io, "OpaqueDataLength", n);
    io_need(io, *n <= sh->opaque_max, TOO_LONG, "OpaqueDataLength R-OPQ-03", *n, sh->opaque_max);
    io_need(io, *n == 0 || sh->opaque_free || sh->opaque_format != 0, TOO_LONG, "OpaqueDataLength R-OPQ-02", *n, 0);
}

void spdm_io_opaque_data(struct io *io, struct spdm_span *s, uint16_t n)
{
    io_bytes(io, "OpaqueData", s, n);
    if (io_fine(io) && io_decoding(io) && n != 0 && !io->sh->opaque_free && io->sh->opaque_format == 2) {
        general_format(io, n);
    }
}

void spdm_io_opaque(struct io *io, struct spdm_span *s)
{
    uint16_t n = (uint16_t)s->n;

    spdm_io_opaque_length(io, &n);
    spdm_io_opaque_data(io, s, n);
}
