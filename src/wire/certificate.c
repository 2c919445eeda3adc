/* SPDX-License-Identifier: BSD-3-Clause
 *
 * GET_CERTIFICATE and CERTIFICATE: a chain in portions; the large form of 1.4
 * has 32-bit lengths behind the zeroed 16-bit ones. */
#include "wire/walkers.h"

enum { LARGE = 0x80, SLOT = 0x0f, SIZE_REQUESTED = 0x01, MODEL = 0x07 };

/* Param1: SlotID, and from 1.4 on the form. In older versions the upper bits are reserved and ignored. */
static void slot_and_form(struct io *io, uint8_t *slot, bool *large)
{
    uint8_t param1 = (uint8_t)(*slot | (*large ? LARGE : 0));

    io_u8(io, "SlotID", &param1);
    *slot = param1 & SLOT;
    *large = io_since(io, SPDM_V14) && (param1 & LARGE) != 0;
}

void spdm_walk_get_certificate(struct io *io, union spdm_body *b)
{
    struct get_certificate *m = &b->get_certificate;
    uint8_t param2 = m->size_requested ? SIZE_REQUESTED : 0;
    uint16_t offset = m->large ? 0 : (uint16_t)m->offset, length = m->large ? 0 : (uint16_t)m->length;

    slot_and_form(io, &m->slot, &m->large);
    io_u8_since(io, SPDM_V13, "Param2", &param2);
    m->size_requested = (param2 & SIZE_REQUESTED) != 0;
    io_u16(io, "Offset", &offset);
    io_u16(io, "Length", &length);
    if (!m->large) {
        m->offset = offset;
        m->length = length;
        return;
    }
    io_u32(io, "LargeOffset", &m->offset);
    io_u32(io, "LargeLength", &m->length);
}

void spdm_walk_certificate(struct io *io, union spdm_body *b)
{
    struct certificate *m = &b->certificate;
    uint16_t portion = m->large ? 0 : (uint16_t)m->portion.n, remainder = m->large ? 0 : (uint16_t)m->remainder;
    uint32_t n = (uint32_t)m->portion.n;

    slot_and_form(io, &m->slot, &m->large);
    io_u8_since(io, SPDM_V13, "CertModel", &m->model);
    m->model &= MODEL;
    io_u16(io, "PortionLength", &portion);
    io_u16(io, "RemainderLength", &remainder);
    if (m->large) {
        io_u32(io, "LargePortionLength", &n);
        io_u32(io, "LargeRemainderLength", &m->remainder);
    } else {
        n = portion;
        m->remainder = remainder;
    }
    io_bytes(io, "CertChain", &m->portion, n);
}
