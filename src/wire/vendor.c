/* SPDX-License-Identifier: BSD-3-Clause
 *
 * VENDOR_DEFINED_REQUEST and _RESPONSE, one layout; the large form of 1.4 has
 * a 32-bit length behind 16 reserved bits. */
#include "wire/walkers.h"

enum { LARGE = 0x80 };

void spdm_walk_vendor_defined(struct io *io, union spdm_body *b)
{
    struct vendor_defined *m = &b->vendor_defined;
    uint8_t param1 = m->large ? LARGE : 0, vendor_n = (uint8_t)m->vendor.n;
    uint16_t n16 = m->large ? 0 : (uint16_t)m->payload.n;
    uint32_t n = (uint32_t)m->payload.n;

    io_u8_since(io, SPDM_V14, "Param1", &param1);
    m->large = (param1 & LARGE) != 0;
    io_zero(io, 1);
    io_u16(io, "StandardID", &m->standard);
    io_u8(io, "VendorIDLen", &vendor_n);
    io_need(io, spdm_vendor_id_fits(m->standard, vendor_n), BAD_LENGTH, "VendorIDLen R-VDR-05", vendor_n, 0);
    io_bytes(io, "VendorID", &m->vendor, vendor_n);
    if (m->large) io_zero(io, 2);
    else io_u16(io, "PayloadLength", &n16);
    if (m->large) io_u32(io, "LargePayloadLength", &n);
    else n = n16;
    io_bytes(io, "VendorDefinedPayload", &m->payload, n);
}
