/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What callers may do with a session: look at it, send application data in it,
 * and take its Export-Master-Secret. */
#include "core/mutual.h"

/* Of the Requester only mutual authentication knows who it is; a PSK is proven by PSK_FINISH or, where there is none,
 * by the first record that opened (withstand 5). */
static bool requester_proven(const struct session *s)
{
    if (!s->psk) return s->mut_auth != 0;
    return s->needs_finish || s->lane[REQUEST].sequence != 0 || s->generation[REQUEST] != 0;
}

static bool describe(const struct conn *c, uint32_t id, enum direction out, struct spdm_session_facts *facts)
{
    const struct session *s = spdm_sessions_of(c->cfg) != NULL ? spdm_sessions_of(c->cfg)->find(c, id) : NULL;

    if (s == NULL) return false;
    *facts = (struct spdm_session_facts){.id = id,
                                         .established = s->state == SESSION_ESTABLISHED,
                                         .proven =
                                             s->state == SESSION_ESTABLISHED && (out == REQUEST || requester_proven(s)),
                                         .psk = s->psk,
                                         .mac_only = s->form.mac_only,
                                         .in_the_clear = s->in_the_clear,
                                         .secured_version = s->version,
                                         .heartbeat = s->heartbeat,
                                         .slot = s->slot,
                                         .mut_auth = s->mut_auth,
                                         .updates = {s->generation[REQUEST], s->generation[RESPONSE]},
                                         .policy = s->policy,
                                         .sent = s->lane[out].sequence,
                                         .received = s->lane[1 - out].sequence};
    return true;
}

bool spdm_requester_session(const struct spdm_requester *rq, uint32_t id, struct spdm_session_facts *out)
{
    return describe(&rq->c, id, REQUEST, out);
}

bool spdm_responder_session(const struct spdm_responder *rs, uint32_t id, struct spdm_session_facts *out)
{
    return describe(&rs->c, id, RESPONSE, out);
}

/* The length of the frame, 0 if it cannot be sent. Data that a binding could not tell from an SPDM message is refused.
 */
static size_t seal(struct conn *c, uint32_t id, struct outgoing *out)
{
    const struct spdm_config *cfg = c->cfg;
    struct session *s = spdm_sessions_of(cfg) != NULL ? spdm_sessions_of(cfg)->find(c, id) : NULL;
    struct spdm_span as_message;

    if (s == NULL || s->state != SESSION_ESTABLISHED || (SPDM_WHOLE && s->ending)) return 0;
    if (!cfg->binding->app_data || out->message.n == 0) return 0;
    if (spdm_session_is_message(c, out->message, &as_message)) return 0;
    out->app = true;
    out->room = cfg->out;
    return spdm_sessions_of(cfg)->seal(c, s, out);
}

/* Between KEY_UPDATE and its ACK a record under the old key could overtake nothing, but would be the peer's to sort
 * out: whoever takes it for a sign that we have not followed rolls back (sessions.md 7.3). */
static bool changes_keys(const struct spdm_requester *rq, uint32_t session)
{
    const struct session *s = spdm_conn_channel(&rq->c);

    return rq->flight != FLIGHT_NONE && rq->job == &spdm_verify_key_update && s != NULL && s->id == session;
}

/* The session with this id, if it has used up a direction's sequence numbers: it is over. */
static struct session *spent(const struct conn *c, uint32_t id, enum direction d)
{
    struct session *s = spdm_session_find(c, id);

    return s != NULL && s->state == SESSION_ESTABLISHED && spdm_session_spent(s, d) ? s : NULL;
}

static void end_spent(struct spdm_requester *rq, uint32_t id)
{
    struct session *s = spent(&rq->c, id, REQUEST);

    if (s != NULL) spdm_requester_cut(rq, s, SPDM_WHY_SPENT);
}

bool spdm_requester_send(struct spdm_requester *rq, uint32_t session, struct spdm_span data)
{
    struct outgoing out = {.direction = REQUEST, .message = data};

    if (rq->queued != 0 || changes_keys(rq, session)) return false;
    rq->queued = seal(&rq->c, session, &out);
    if (rq->queued == 0) end_spent(rq, session);
    return rq->queued != 0;
}

/* The Requester has been asked to take a new response key and has not said that it did: it would not know which key
 * data is under (as changes_keys). */
static bool changing_keys(const struct spdm_responder *rs, uint32_t session)
{
    const struct encap_rs *e = &rs->encap;

    return e->state == ENCAP_ASKED && e->flow == FLOW_UPDATE && e->session != NULL && e->session->id == session;
}

/* While a response is being built it owns `out`: data has to wait until the caller has answered and pulled. */
bool spdm_responder_send(struct spdm_responder *rs, uint32_t session, struct spdm_span data)
{
    struct outgoing out = {.direction = RESPONSE, .message = data};
    struct session *over;

    if (rs->send != SEND_NOTHING || rs->stage != STAGE_IDLE || changing_keys(rs, session)) return false;
    rs->kept = false;
    rs->send_n = seal(&rs->c, session, &out);
    if (rs->send_n != 0) rs->send = SEND_OUT;
    over = rs->send_n == 0 ? spent(&rs->c, session, RESPONSE) : NULL;
    if (over != NULL) spdm_responder_lose(rs, over, SPDM_WHY_SPENT);
    return rs->send_n != 0;
}

static size_t export(const struct conn *c, uint32_t id, uint8_t out[SPDM_HASH_MAX])
{
    const struct session *s = spdm_sessions_of(c->cfg) != NULL ? spdm_sessions_of(c->cfg)->find(c, id) : NULL;
    size_t h = spdm_conn_hash_size(c);

    if (s == NULL || s->state != SESSION_ESTABLISHED) return 0;
    memcpy(out, s->secrets.export_master, h);
    return h;
}

size_t spdm_requester_export(const struct spdm_requester *rq, uint32_t session, uint8_t out[SPDM_HASH_MAX])
{
    return export(&rq->c, session, out);
}

size_t spdm_responder_export(const struct spdm_responder *rs, uint32_t session, uint8_t out[SPDM_HASH_MAX])
{
    return export(&rs->c, session, out);
}
