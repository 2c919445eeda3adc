/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Large messages before a witness: portions are put together, and the message
 * that the last one completes comes out of spdm_witness_next(), as does the
 * response in a CHUNK_SEND_ACK. */
#include "core/witness_state.h"

/* What else is in this frame: a message of the plain side. */
static void hand_over(struct spdm_witness *w, const struct passing *p, struct spdm_span message, bool asks)
{
    const struct spdm_sight *s = p->sight;

    if (message.n < 4) return;
    w->next = (struct spdm_sight){.kind = SPDM_SIGHT_MESSAGE,
                                  .code = message.p[1],
                                  .from_requester = s->from_requester,
                                  .reassembled = true,
                                  .session = s->session,
                                  .message = message};
    w->next_asks = asks;
    w->next_side = p->side;
}

/* R-CHK-08 to R-CHK-13, as far as they do not depend on who takes how much. */
static uint8_t judge(struct conn *c, const struct watch_large *l, const struct chunk *m, size_t n)
{
    uint32_t due = l->open ? l->sequence + 1 : 0, left = (m->sequence == 0 ? m->large_size : l->total) - l->at;

    if (m->sequence != due) return refuse(c, MISMATCH, "ChunkSeqNo R-CHK-08", m->sequence, due);
    if (l->open && m->handle != l->handle) return refuse(c, MISMATCH, "Handle R-CHK-09", m->handle, l->handle);
    if (m->portion.n > left) return refuse(c, TOO_LONG, "ChunkSize R-CHK-13", m->portion.n, left);
    if (m->last != (m->portion.n == left) || (m->last && due == 0))
        return refuse(c, BAD_VALUE, "LastChunk R-CHK-13", m->last, 0);
    if (!m->last && n < MIN_DATA_TRANSFER_SIZE)
        return refuse(c, TOO_SMALL, "the message R-CHK-12", n, MIN_DATA_TRANSFER_SIZE);
    return SPDM_WHY_FINE;
}

/* A portion that begins a message begins it anew, and one that has been seen is a retry. */
static void portion(struct spdm_witness *w, const struct passing *p, const struct chunk *m, bool asks)
{
    struct watch_large *l = &w->large[asks];
    enum spdm_watch_room which = asks ? SPDM_ROOM_LARGE_REQUEST : SPDM_ROOM_LARGE_RESPONSE;

    if (l->open && m->handle == l->handle && m->sequence == l->sequence) return;
    if (m->sequence == 0) *l = (struct watch_large){.room = l->room};
    if (judge(&p->side->c, l, m, p->sight->n) != SPDM_WHY_FINE ||
        !spdm_watch_room(w, p->side, which, l->at + m->portion.n)) {
        l->open = false;
        return;
    }
    if (m->sequence == 0) l->total = m->large_size;
    (void)spdm_put(spdm_room_from(l->room, l->at), m->portion);
    l->at += (uint32_t)m->portion.n;
    l->sequence = m->sequence;
    l->handle = m->handle;
    l->open = !m->last;
    if (m->last) hand_over(w, p, spdm_span(l->room.p, l->total), asks);
}

void spdm_watch_chunk_send(struct spdm_witness *w, struct passing *p)
{
    portion(w, p, &p->x.req.chunk, true);
}

void spdm_watch_chunk_response(struct spdm_witness *w, struct passing *p)
{
    portion(w, p, &p->x.rsp.chunk, false);
}

void spdm_watch_chunk_ack(struct spdm_witness *w, struct passing *p)
{
    const struct chunk_ack *m = &p->x.rsp.chunk_ack;

    if (m->early) w->large[true].open = false;
    if (m->response.n >= 4 && m->response.p[0] >> 4 == 1) hand_over(w, p, m->response, false); /* else it is padding */
}
