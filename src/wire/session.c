/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The short messages of a session's life - HEARTBEAT, KEY_UPDATE, END_SESSION,
 * each with its acknowledgement - and the envelopes of encapsulated requests. */
#include "wire/walkers.h"

enum { CLEAR_STATE = 0x01, ACK_REQUEST = 1, ACK_SLOT = 2 };
#define ENVELOPE_MAX SIZE_MAX /* what is enveloped is as long as the message around it allows */

void spdm_walk_header(struct io *io, union spdm_body *b)
{
    (void)b;
    io_zero(io, 2);
}

void spdm_walk_key_update(struct io *io, union spdm_body *b)
{
    struct key_update *m = &b->key_update;

    io_u8(io, "KeyOperation", &m->operation);
    io_need(io, m->operation >= 1 && m->operation <= 3, BAD_VALUE, "KeyOperation R-KUP-03", m->operation, 0);
    io_u8(io, "Tag", &m->tag);
}

void spdm_walk_end_session(struct io *io, union spdm_body *b)
{
    uint8_t param1 = b->end_session.clear_state ? CLEAR_STATE : 0;

    io_u8(io, "Param1", &param1);
    b->end_session.clear_state = (param1 & CLEAR_STATE) != 0;
    io_zero(io, 1);
}

void spdm_walk_encapsulated(struct io *io, union spdm_body *b)
{
    struct encapsulated *m = &b->encapsulated;

    io_u8(io, "RequestID", &m->id);
    io_zero(io, 1);
    io_rest(io, "EncapsulatedMessage", &m->message, ENVELOPE_MAX);
    io_need(io, m->message.n >= 4, TOO_SMALL, "EncapsulatedMessage R-ENC-03", (uint32_t)m->message.n, 4);
}

void spdm_walk_encapsulated_ack(struct io *io, union spdm_body *b)
{
    struct encapsulated *m = &b->encapsulated;

    io_u8(io, "RequestID", &m->id);
    io_u8(io, "PayloadType", &m->kind);
    io_need(io, m->kind <= ACK_SLOT, BAD_VALUE, "PayloadType R-ENC-06", m->kind, 0);
    if (io_since(io, SPDM_V12)) {
        io_u8(io, "AckRequestID", &m->ack);
        io_zero(io, 3);
    }
    if (m->kind == ACK_REQUEST) {
        io_rest(io, "EncapsulatedRequest", &m->message, ENVELOPE_MAX);
        io_need(io, m->message.n >= 4, TOO_SMALL, "EncapsulatedRequest R-ENC-05", (uint32_t)m->message.n, 4);
    }
    if (m->kind == ACK_SLOT) io_bytes(io, "ReqSlotNumber", &m->message, 1);
}
