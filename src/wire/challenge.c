/* SPDX-License-Identifier: BSD-3-Clause
 *
 * CHALLENGE and CHALLENGE_AUTH: proof that the peer holds the key of a slot. */
#include "wire/walkers.h"

enum { BASIC_MUT_AUTH = 0x80, SLOT = 0x0f, NONCE = 32, CONTEXT = 8 };

void spdm_walk_challenge(struct io *io, union spdm_body *b)
{
    struct challenge *m = &b->challenge;

    io_u8(io, "SlotID", &m->slot);
    io_need(io, m->slot < SPDM_SLOT_N || m->slot == SPDM_SLOT_KEY, BAD_SLOT, "SlotID R-CHL-02", m->slot, 0);
    io_u8(io, "MeasurementSummaryHashType", &m->summary);
    io_need(io, m->summary <= 1 || m->summary == SPDM_MEAS_ALL, BAD_VALUE, "MeasurementSummaryHashType R-CHL-04",
            m->summary, 0);
    io_bytes(io, "Nonce", &m->nonce, NONCE);
    io_bytes(io, "RequesterContext", &m->context, io_since(io, SPDM_V13) ? CONTEXT : 0);
}

void spdm_walk_challenge_auth(struct io *io, union spdm_body *b)
{
    struct challenge_auth *m = &b->challenge_auth;
    uint8_t param1 = (uint8_t)(m->slot | (m->basic_mut_auth ? BASIC_MUT_AUTH : 0));

    io_u8(io, "SlotID", &param1);
    m->slot = io_since(io, SPDM_V11) ? param1 & SLOT : param1;
    m->basic_mut_auth = io_since(io, SPDM_V11) && (param1 & BASIC_MUT_AUTH) != 0;
    io_u8(io, "SlotMask", &m->slot_mask);
    io_bytes(io, "CertChainHash", &m->chain_hash, io->sh.hash);
    io_bytes(io, "Nonce", &m->nonce, NONCE);
    io_bytes(io, "MeasurementSummaryHash", &m->summary, io->sh.meas_sum);
    spdm_io_opaque(io, &m->opaque);
    io_bytes(io, "RequesterContext", &m->context, io_since(io, SPDM_V13) ? CONTEXT : 0);
    io_signature(io, &m->signature);
}
