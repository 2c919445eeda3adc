/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Envelopes: what lies in them is a message of the turned side, and comes out
 * of spdm_witness_next(). */
#include "core/witness_state.h"

enum { ACK_REQUEST = 1, ACK_SLOT = 2, IMPLICIT_DIGESTS = 4 };

/* A flow begins: the turned side takes over what was negotiated, and its transcripts are new (transcripts.md 3.1). */
void spdm_watch_begin_flow(struct spdm_witness *w, uint32_t session)
{
    const struct session *s = spdm_session_find(&w->plain.c, session);
    const uint8_t digests[4] = {w->plain.c.ed->version, CODE_GET_DIGESTS, 0, 0};

    if (w->plain.c.cfg->mutual == NULL) return;
    spdm_mutual_adopt(&w->turned.c, &w->plain.c);
    w->flow = (struct watch_flow){.open = true, .session = session};
    w->turned.request_n = 0;
    if (s == NULL || s->mut_auth != IMPLICIT_DIGESTS) return;
    if (!spdm_watch_room(w, &w->turned, w->turned.request_room, sizeof digests)) return;
    memcpy(w->turned.request.p, digests, sizeof digests);
    w->turned.request_n = sizeof digests;
}

/* The message inside is next. */
static void enclose(struct spdm_witness *w, const struct passing *p, struct spdm_span message, bool asks)
{
    const struct spdm_sight *s = p->sight;

    if (w->plain.c.cfg->mutual == NULL || message.n < 4) return;
    w->next = (struct spdm_sight){.kind = SPDM_SIGHT_MESSAGE,
                                  .code = message.p[1],
                                  .from_requester = s->from_requester,
                                  .enveloped = true,
                                  .session = s->session,
                                  .message = message};
    w->next_asks = asks;
    w->next_side = &w->turned;
}

/* ENCAPSULATED_REQUEST */
void spdm_watch_enclosed(struct spdm_witness *w, struct passing *p)
{
    if (!w->flow.open) spdm_watch_begin_flow(w, 0);
    w->flow.id = p->x.rsp.encapsulated.id;
    enclose(w, p, p->x.rsp.encapsulated.message, true);
}

/* DELIVER_ENCAPSULATED_RESPONSE: DIGESTS enters TH if it was the first response of this handshake (R-ORD-08). */
void spdm_watch_delivered(struct spdm_witness *w, struct passing *p)
{
    const struct encapsulated *m = &p->x.req.encapsulated;
    struct spdm_span message = m->message;
    struct session *s = spdm_session_find(&w->plain.c, w->flow.session);

    if (w->flow.open && m->id != w->flow.id)
        (void)refuse(&w->plain.c, MISMATCH, "RequestID R-ENC-04", m->id, w->flow.id);
    if (s != NULL && !w->flow.answered && w->plain.c.facts.multi_key_req && message.n >= 4 &&
        message.p[1] == CODE_DIGESTS) {
        struct spdm_piece piece = {.code = CODE_DIGESTS, .turned = true, .bytes = message};

        spdm_watch_th(w, s, &piece);
    }
    w->flow.answered = true;
    enclose(w, p, message, false);
}

/* ENCAPSULATED_RESPONSE_ACK: the next request, or the end, which names the slot that FINISH is signed with. */
void spdm_watch_acknowledged(struct spdm_witness *w, struct passing *p)
{
    const struct encapsulated *m = &p->x.rsp.encapsulated;
    struct session *s = spdm_session_find(&w->plain.c, w->flow.session);

    w->flow.id = m->id;
    if (m->kind == ACK_REQUEST) {
        enclose(w, p, m->message, true);
        return;
    }
    w->flow.open = false;
    if (s != NULL) s->req_slot = m->kind == ACK_SLOT && m->message.n != 0 ? m->message.p[0] : 0; /* LQ-22 */
}
