/* SPDX-License-Identifier: BSD-3-Clause
 *
 * HEARTBEAT, KEY_UPDATE and END_SESSION as the asker runs them, and the part
 * of the plan that deals with sessions. */
#include "core/requester_state.h"

enum { UPDATE_KEY = 1, UPDATE_ALL = 2, VERIFY_NEW_KEY = 3, SECOND = 1000000 };

static uint8_t judge_nothing(struct conn *c, const struct exchange *x)
{
    (void)c;
    (void)x;
    return SPDM_WHY_FINE;
}

/* ---- HEARTBEAT ---- */

static uint8_t fill_heartbeat(struct spdm_requester *rq, union spdm_body *req)
{
    (void)rq;
    (void)req;
    return SPDM_WHY_FINE;
}

/* Nothing is left to do: any record that opened has already been heard (R-HBT-05). */
static uint8_t finish_heartbeat(struct spdm_requester *rq, const struct exchange *x)
{
    (void)rq;
    (void)x;
    return SPDM_WHY_FINE;
}

const struct verify_job spdm_verify_heartbeat = {.request = &spdm_message_HEARTBEAT,
                                                 .response = &spdm_message_HEARTBEAT_ACK,
                                                 .fill = fill_heartbeat,
                                                 .judge = judge_nothing,
                                                 .finish = finish_heartbeat};

bool spdm_session_heartbeat(struct spdm_requester *rq, uint64_t now)
{
    struct session *s = spdm_session_silent(&rq->c, now);

    if (s == NULL || rq->flight != FLIGHT_NONE) return false;
    rq->beating = true;
    if (spdm_requester_start_in(rq, &spdm_verify_heartbeat, s) == SPDM_WHY_FINE) return true;
    spdm_requester_fail(rq, spdm_message_HEARTBEAT.code);
    return false;
}

/* ---- KEY_UPDATE ---- */

/* UpdateAllKeys: the ACK will come under the new response key; the old one stays until it has (R-KUP-07, sessions.md
 * 7.2). The request itself still goes out under the old request key. */
static uint8_t fill_key_update(struct spdm_requester *rq, union spdm_body *req)
{
    struct session *s = spdm_conn_channel(&rq->c);

    req->key_update =
        (struct key_update){.operation = rq->got.key_sent ? VERIFY_NEW_KEY : rq->goal.update, .tag = ++s->tag};
    if (req->key_update.operation == UPDATE_ALL && !spdm_session_update(&rq->c, s, RESPONSE)) {
        return refuse(&rq->c, CRYPTO_FAILED, "the key schedule", 0, 0);
    }
    return SPDM_WHY_FINE;
}

/* ERROR came under the old response key, and has brought it back; the ACK will come under the new one all the same. If
 * there is none to be had, the ACK will not open and end the session. */
void spdm_session_put_off(struct spdm_requester *rq)
{
    struct session *s = spdm_conn_channel(&rq->c);

    if (rq->job == &spdm_verify_key_update && rq->request[2] == UPDATE_ALL && !s->previous[RESPONSE].ready) {
        (void)spdm_session_update(&rq->c, s, RESPONSE);
    }
}

static uint8_t judge_key_update(struct conn *c, const struct exchange *x)
{
    const struct key_update *q = &x->req.key_update, *m = &x->rsp.key_update;

    if (m->operation != q->operation) return refuse(c, MISMATCH, "KeyOperation R-KUP-05", m->operation, q->operation);
    if (m->tag != q->tag) return refuse(c, MISMATCH, "Tag R-KUP-05", m->tag, q->tag);
    return SPDM_WHY_FINE;
}

/* With the ACK the new request key comes into use (R-KUP-08); the old ones are not needed any more. */
static uint8_t finish_key_update(struct spdm_requester *rq, const struct exchange *x)
{
    struct session *s = spdm_conn_channel(&rq->c);

    if (x->req.key_update.operation == VERIFY_NEW_KEY) {
        rq->got.key_verified = true;
        return SPDM_WHY_FINE;
    }
    /* The ACK of UpdateAllKeys must not come under the old key: then the responder has not moved (R-KUP-07). */
    if (x->req.key_update.operation == UPDATE_ALL && !s->previous[RESPONSE].ready) {
        return refuse(&rq->c, BAD_RECORD, NULL, 0, 0);
    }
    spdm_session_drop_previous(&rq->c, s, RESPONSE);
    if (!spdm_session_update(&rq->c, s, REQUEST)) return refuse(&rq->c, CRYPTO_FAILED, "the key schedule", 0, 0);
    spdm_session_drop_previous(&rq->c, s, REQUEST);
    rq->got.key_sent = true;
    return SPDM_WHY_FINE;
}

const struct verify_job spdm_verify_key_update = {.request = &spdm_message_KEY_UPDATE,
                                                  .response = &spdm_message_KEY_UPDATE_ACK,
                                                  .fill = fill_key_update,
                                                  .judge = judge_key_update,
                                                  .finish = finish_key_update};

/* ---- END_SESSION ---- */

static uint8_t fill_end(struct spdm_requester *rq, union spdm_body *req)
{
    req->end_session.clear_state =
        rq->goal.clear_state && (rq->c.facts.responder.flags & SPDM_CACHE_CAP) != 0; /* R-END-02 */
    return SPDM_WHY_FINE;
}

static uint8_t finish_end(struct spdm_requester *rq, const struct exchange *x)
{
    (void)x;
    rq->got.ended = true;
    spdm_requester_lose(rq, spdm_conn_channel(&rq->c), SPDM_WHY_SESSION_ENDED);
    return SPDM_WHY_FINE;
}

const struct verify_job spdm_verify_end_session = {.request = &spdm_message_END_SESSION,
                                                   .response = &spdm_message_END_SESSION_ACK,
                                                   .fill = fill_end,
                                                   .judge = judge_nothing,
                                                   .finish = finish_end};

/* ---- the plan ---- */

static struct step send(const struct verify_job *job)
{
    return (struct step){STEP_SEND, job};
}

static struct step cannot(struct spdm_requester *rq, const char *what)
{
    (void)refuse(&rq->c, CANNOT, what, 0, 0);
    return (struct step){.kind = STEP_FAIL};
}

/* What DSP0277 demands of a connection (LQ-18): MAC_CAP on both sides and, where it is negotiated, OpaqueDataFmt1. */
static bool can_secure(const struct conn *c)
{
    uint32_t both = c->facts.requester.flags & c->facts.responder.flags;

    return (both & SPDM_MAC_CAP) != 0 && c->facts.hash != SPDM_ALG_NONE && c->facts.aead != SPDM_ALG_NONE &&
           c->facts.schedule != SPDM_ALG_NONE && (!c->ed->negotiates_opaque || c->facts.opaque_format == 2);
}

static struct step open_with_keys(struct spdm_requester *rq)
{
    const struct conn *c = &rq->c;
    uint32_t both = c->facts.requester.flags & c->facts.responder.flags;

    if ((both & SPDM_KEY_EX_CAP) == 0) return cannot(rq, SPDM_NAME("KEY_EX_CAP on both sides"));
    if (c->facts.exchange == SPDM_ALG_NONE) return cannot(rq, SPDM_NAME("a key exchange algorithm"));
    if (c->facts.signature == SPDM_ALG_NONE) return cannot(rq, SPDM_NAME("a signature algorithm"));
    return send(rq->opening == NULL ? &spdm_verify_key_exchange : &spdm_verify_session_finish);
}

static struct step open_with_psk(struct spdm_requester *rq)
{
    const struct conn *c = &rq->c;

    if ((c->facts.requester.flags & SPDM_PSK_CAP) == 0 || (c->facts.responder.flags & SPDM_PSK_CAP_MASK) == 0) {
        return cannot(rq, SPDM_NAME("PSK_CAP on both sides"));
    }
    if (rq->opening != NULL && rq->opening->needs_finish) return send(&spdm_verify_psk_finish);
    if (!rq->got.psk) return (struct step){.kind = STEP_ASK_PSK};
    return send(&spdm_verify_psk_exchange);
}

struct step spdm_session_end(struct spdm_requester *rq)
{
    (void)rq;
    return send(&spdm_verify_end_session);
}

struct step spdm_session_plan(struct spdm_requester *rq)
{
    unsigned want = rq->goal.want;

    if ((want & (SPDM_WANT_SESSION | SPDM_WANT_PSK_SESSION)) != 0 && rq->got.session == 0) {
        if (!can_secure(&rq->c))
            return cannot(rq, SPDM_NAME("what secured messages need (MAC_CAP, hash, AEAD, OpaqueDataFmt1)"));
        if ((want & SPDM_WANT_SESSION) != 0) return open_with_keys(rq);
        return SPDM_WHOLE ? open_with_psk(rq) : cannot(rq, SPDM_NAME("pre-shared keys in this build"));
    }
    if ((want & SPDM_WANT_KEY_UPDATE) != 0 && !rq->got.key_verified) return send(&spdm_verify_key_update);
    return (struct step){.kind = STEP_DONE};
}
