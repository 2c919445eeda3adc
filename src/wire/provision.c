/* SPDX-License-Identifier: BSD-3-Clause
 *
 * GET_CSR, CSR, SET_CERTIFICATE and its response: how a device gets its
 * certificates. Key pairs, models and tracking tags came with 1.3. */
#include "wire/walkers.h"

enum { MODEL = 0x07, TAG_SHIFT = 3, OVERWRITE = 0x80, SLOT = 0x0f, MODEL_SHIFT = 4, ERASE = 0x80 };

void spdm_walk_get_csr(struct io *io, union spdm_body *b)
{
    struct spdm_csr_order *m = &b->order.csr;
    uint8_t param2 = (uint8_t)(m->model | m->tag << TAG_SHIFT | (m->overwrite ? OVERWRITE : 0));
    uint16_t info = (uint16_t)m->info.n, opaque = (uint16_t)m->opaque.n;

    io_u8_since(io, SPDM_V13, "KeyPairID", &m->key_pair);
    io_u8_since(io, SPDM_V13, "Param2", &param2);
    m->model = param2 & MODEL;
    m->tag = param2 >> TAG_SHIFT & 7;
    m->overwrite = (param2 & OVERWRITE) != 0;
    io_u16(io, "RequesterInfoLength", &info);
    spdm_io_opaque_length(io, &opaque);
    io_bytes(io, "RequesterInfo", &m->info, info);
    spdm_io_opaque_data(io, &m->opaque, opaque);
}

void spdm_walk_csr(struct io *io, union spdm_body *b)
{
    uint16_t n = (uint16_t)b->csr.csr.n;

    io_zero(io, 2);
    io_u16(io, "CSRLength", &n);
    io_need(io, n != 0, TOO_SMALL, "CSRLength R-CSR-08", 0, 1);
    io_zero(io, 2);
    io_bytes(io, "CSRdata", &b->csr.csr, n);
}

/* The chain ends where the message ends; its own Length is looked at by who takes it. */
void spdm_walk_set_certificate(struct io *io, union spdm_body *b)
{
    struct spdm_store_order *m = &b->order.store;
    uint8_t param1 = (uint8_t)(m->slot | m->model << MODEL_SHIFT | (m->erase ? ERASE : 0));

    io_u8(io, "SlotID", &param1);
    m->slot = param1 & SLOT;
    m->model = io_since(io, SPDM_V13) ? param1 >> MODEL_SHIFT & MODEL : 0;
    m->erase = io_since(io, SPDM_V13) && (param1 & ERASE) != 0;
    io_need(io, m->slot < SPDM_SLOT_N, BAD_SLOT, "SlotID R-SCT-16", m->slot, 0);
    io_u8_since(io, SPDM_V13, "KeyPairID", &m->key_pair);
    io_rest(io, "CertChain", &m->chain, UINT32_MAX);
}

void spdm_walk_set_certificate_rsp(struct io *io, union spdm_body *b)
{
    uint8_t param1 = b->set_certificate_rsp.slot;

    io_u8(io, "SlotID", &param1);
    b->set_certificate_rsp.slot = param1 & SLOT;
    io_zero(io, 1);
}
