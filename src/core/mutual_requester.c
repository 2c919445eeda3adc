/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The requester answers encapsulated requests: through the responder inside
 * it, or, for KEY_UPDATE, with the session's own keys. */
#include "core/mutual.h"

enum { NO_ENCAPSULATION = 1, ENCAPSULATED = 2, IMPLICIT_DIGESTS = 4, ACK_REQUEST = 1, ACK_SLOT = 2 };
enum { UPDATE_KEY = 1, VERIFY_NEW_KEY = 3, ERROR_INVALID_REQUEST = 0x01, ERROR_UNEXPECTED = 0x04 };
enum { ERROR_UNSUPPORTED = 0x07, NIBBLE_KEY = 0x0f, MOST_REQUESTS = 4096 };

static struct step send(const struct verify_job *job)
{
    return (struct step){STEP_SEND, job};
}

/* ---- what is to be delivered ---- */

static void deliver(struct spdm_requester *rq, struct spdm_span response)
{
    rq->encap.response = response;
    rq->encap.due = ENCAP_DELIVER;
}

static void deliver_own(struct spdm_requester *rq, uint8_t code, uint8_t param1, uint8_t param2)
{
    uint8_t *m = rq->encap.own;

    m[0] = rq->c.ed->version;
    m[1] = code;
    m[2] = param1;
    m[3] = param2;
    deliver(rq, spdm_span(m, sizeof rq->encap.own));
}

/* The inner responder has an answer, or a question first. What it dropped, because it looks like no message at all,
 * must have an answer too. */
static void collect(struct spdm_requester *rq)
{
    struct spdm_span out = spdm_responder_pull(rq->inner, rq->now);

    if (out.n != 0) deliver(rq, out);
    else if (rq->inner->stage == STAGE_IDLE) deliver_own(rq, spdm_message_ERROR.code, ERROR_INVALID_REQUEST, 0);
    else rq->encap.due = ENCAP_QUESTION;
}

/* UpdateKey moves the response direction and keeps the old key until VerifyNewKey came under the new one
 * (sessions.md 7.4). */
static void key_update(struct spdm_requester *rq, struct spdm_span message)
{
    struct session *s = spdm_conn_channel(&rq->c);
    uint8_t operation = message.p[2], tag = message.p[3];
    bool fine = operation == UPDATE_KEY       ? !s->previous[RESPONSE].ready && spdm_session_update(&rq->c, s, RESPONSE)
                : operation == VERIFY_NEW_KEY ? s->previous[RESPONSE].ready
                                              : false;

    if (fine && operation == VERIFY_NEW_KEY) spdm_session_drop_previous(&rq->c, s, RESPONSE);
    if (fine) deliver_own(rq, spdm_message_KEY_UPDATE_ACK.code, operation, tag);
    else deliver_own(rq, spdm_message_ERROR.code, ERROR_INVALID_REQUEST, 0);
}

/* Requests that are about the session itself, whatever identity we have. */
static bool about_session(const struct spdm_requester *rq, struct spdm_span message)
{
    const struct session *s = spdm_conn_channel(&rq->c);
    uint8_t code = message.p[1];

    if (s == NULL || s->state != SESSION_ESTABLISHED || message.n != 4) return false;
    return code == spdm_message_KEY_UPDATE.code || (code == spdm_message_END_SESSION.code && rq->c.ed->encap_end);
}

/* Which requests may come enveloped now (state-machine.md section 7). */
static bool allowed(const struct spdm_requester *rq, uint8_t code)
{
    if (code == spdm_message_GET_DIGESTS.code || code == spdm_message_GET_CERTIFICATE.code) return true;
    if (code == spdm_message_GET_ENDPOINT_INFO.code || code == spdm_message_GET_SUPPORTED_EVENT_TYPES.code ||
        code == spdm_message_SUBSCRIBE_EVENT_TYPES.code || code == spdm_message_SEND_EVENT.code)
        return rq->encap.flow == FLOW_POLL; /* events outside a session are the inner responder's to refuse */
    return code == spdm_message_CHALLENGE.code && rq->encap.flow == FLOW_BASIC;
}

static uint8_t take(struct spdm_requester *rq, uint8_t id, struct spdm_span message)
{
    uint32_t both = rq->c.facts.requester.flags & rq->c.facts.responder.flags,
             limit = rq->c.cfg->policy->certificate_requests;
    uint8_t code = message.p[1];

    if (limit == 0) limit = MOST_REQUESTS;
    if (rq->encap.requests++ >= limit) return refuse(&rq->c, LIMIT, "the number of encapsulated requests", 0, limit);
    rq->encap.id = id;
    if (allowed(rq, code)) {
        spdm_responder_push(rq->inner, message, rq->now);
        collect(rq);
    } else if (rq->encap.flow == FLOW_SESSION) {
        return refuse(&rq->c, NOT_NOW, "R-MUT-04", 0, 0);
    } else if (code == spdm_message_KEY_UPDATE.code && (both & SPDM_KEY_UPD_CAP) == 0) {
        deliver_own(rq, spdm_message_ERROR.code, ERROR_UNSUPPORTED, code); /* R-KUP-01 */
    } else if (!about_session(rq, message)) {
        deliver_own(rq, spdm_message_ERROR.code, ERROR_UNEXPECTED, 0); /* R-ENC-11, R-END-08 */
    } else if (code == spdm_message_KEY_UPDATE.code) {
        key_update(rq, message);
    } else {
        spdm_conn_channel(&rq->c)->ending = true;
        deliver_own(rq, spdm_message_END_SESSION_ACK.code, 0, 0);
    }
    return SPDM_WHY_FINE;
}

/* ---- GET_ENCAPSULATED_REQUEST, DELIVER_ENCAPSULATED_RESPONSE ---- */

static uint8_t fill_get(struct spdm_requester *rq, union spdm_body *req)
{
    (void)rq;
    (void)req;
    return SPDM_WHY_FINE;
}

static uint8_t judge_nothing(struct conn *c, const struct exchange *x)
{
    (void)c;
    (void)x;
    return SPDM_WHY_FINE;
}

static uint8_t finish_get(struct spdm_requester *rq, const struct exchange *x)
{
    return take(rq, x->rsp.encapsulated.id, x->rsp.encapsulated.message);
}

const struct verify_job spdm_verify_get_encapsulated = {.request = &spdm_message_GET_ENCAPSULATED_REQUEST,
                                                        .response = &spdm_message_ENCAPSULATED_REQUEST,
                                                        .fill = fill_get,
                                                        .judge = judge_nothing,
                                                        .finish = finish_get};

static uint8_t fill_deliver(struct spdm_requester *rq, union spdm_body *req)
{
    req->encapsulated = (struct encapsulated){.id = rq->encap.id, .message = rq->encap.response};
    return SPDM_WHY_FINE;
}

static uint8_t judge_ack(struct conn *c, const struct exchange *x)
{
    const struct encapsulated *q = &x->req.encapsulated, *m = &x->rsp.encapsulated;

    if (c->ed->ack_has_id && m->ack != q->id) return refuse(c, MISMATCH, "AckRequestID", m->ack, q->id);
    return SPDM_WHY_FINE;
}

/* The end of the flow names the slot to sign FINISH with; a bare end means slot 0 (LQ-22). */
static uint8_t end_flow(struct spdm_requester *rq, const struct encapsulated *m)
{
    uint8_t slot = m->kind == ACK_SLOT ? m->message.p[0] : 0;

    rq->encap.due = ENCAP_NOTHING;
    rq->got.polled = true;
    if (rq->encap.flow == FLOW_POLL && spdm_conn_channel(&rq->c) != NULL && spdm_conn_channel(&rq->c)->ending)
        spdm_requester_lose(rq, spdm_conn_channel(&rq->c), SPDM_WHY_SESSION_ENDED);
    if (rq->encap.flow != FLOW_SESSION) return SPDM_WHY_FINE;
    if (slot >= SPDM_SLOT_N || !spdm_slot_usable(rq->inner, slot)) {
        return refuse(&rq->c, BAD_SLOT, "ReqSlotNumber R-MUT-06", slot, 0);
    }
    rq->encap.slot = slot;
    return SPDM_WHY_FINE;
}

static uint8_t finish_deliver(struct spdm_requester *rq, const struct exchange *x)
{
    struct spdm_span delivered = x->req.encapsulated.message;
    bool digests = delivered.p[1] == spdm_message_DIGESTS.code;

    /* R-ORD-08: DIGESTS enters TH if it was the first encapsulated response of this handshake. */
    if (rq->opening != NULL && !rq->encap.any && digests && rq->c.facts.multi_key_req) {
        spdm_session_th(&rq->c, rq->opening, delivered);
    }
    rq->encap.any = true;
    if (x->rsp.encapsulated.kind != ACK_REQUEST) return end_flow(rq, &x->rsp.encapsulated);
    return take(rq, x->rsp.encapsulated.id, x->rsp.encapsulated.message);
}

const struct verify_job spdm_verify_deliver_encapsulated = {.request = &spdm_message_DELIVER_ENCAPSULATED_RESPONSE,
                                                            .response = &spdm_message_ENCAPSULATED_RESPONSE_ACK,
                                                            .fill = fill_deliver,
                                                            .judge = judge_ack,
                                                            .finish = finish_deliver};

/* ---- beginning, planning, questions ---- */

/* Whatever a flow before this one has left open is over. */
static void turn(struct spdm_requester *rq)
{
    spdm_responder_idle(rq->inner);
    spdm_mutual_adopt(&rq->inner->c, &rq->c);
    rq->encap.requests = 0;
}

static uint8_t begin(struct spdm_requester *rq, uint8_t mut_auth, uint8_t slot)
{
    uint8_t digests[4] = {rq->c.ed->version, spdm_message_GET_DIGESTS.code, 0, 0};

    if (rq->c.facts.req_signature == SPDM_ALG_NONE)
        return refuse(&rq->c, CANNOT, "a signature algorithm of the Requester", 0, 0);
    turn(rq);
    rq->encap.flow = mut_auth == 0 ? FLOW_BASIC : FLOW_SESSION;
    rq->encap.any = false;
    rq->encap.due = ENCAP_NOTHING;
    if (mut_auth == NO_ENCAPSULATION) {
        rq->encap.slot = slot == NIBBLE_KEY ? SPDM_SLOT_KEY : slot;
        if (spdm_slot_usable(rq->inner, rq->encap.slot)) return SPDM_WHY_FINE;
        return refuse(&rq->c, BAD_SLOT, "SlotIDParam R-KEX-31", slot, 0);
    }
    if (!spdm_mutual_encapsulates(&rq->c)) return refuse(&rq->c, BAD_VALUE, "MutAuthRequested R-KEX-32", mut_auth, 0);
    if (mut_auth == IMPLICIT_DIGESTS) return take(rq, 0, spdm_span(digests, sizeof digests));
    rq->encap.due = ENCAP_GET;
    return SPDM_WHY_FINE;
}

static struct step plan(struct spdm_requester *rq)
{
    if ((rq->goal.want & SPDM_WANT_POLL) != 0 && !rq->got.polled && rq->encap.due == ENCAP_NOTHING &&
        rq->c.phase == PHASE_NEGOTIATED && rq->opening == NULL) {
        struct session *s = spdm_session_find(&rq->c, rq->goal.session != 0 ? rq->goal.session : rq->got.session);

        turn(rq);
        spdm_mutual_in_session(&rq->inner->c, s);
        if (s != NULL) s->ending = false; /* of a flow that came to nothing */
        rq->encap.flow = FLOW_POLL;
        rq->encap.due = ENCAP_GET;
    }
    switch (rq->encap.due) {
    case ENCAP_GET: return send(&spdm_verify_get_encapsulated);
    case ENCAP_DELIVER: return send(&spdm_verify_deliver_encapsulated);
    case ENCAP_QUESTION: return (struct step){.kind = STEP_ASK_INNER};
    default: return (struct step){.kind = STEP_DONE};
    }
}

static void question(struct spdm_requester *rq, struct spdm_event *event)
{
    if (rq->encap.signing) {
        event->kind = SPDM_ASK_SIGN;
        event->ticket = rq->ticket;
        event->slot = rq->encap.slot;
        event->signing = rq->inner->to_sign.what;
        return;
    }
    do {
        (void)spdm_responder_event(rq->inner, event); /* what it refused is its peer's to know */
    } while (event->kind == SPDM_FAILED);
    event->ticket = rq->ticket;
    event->session = spdm_conn_channel(&rq->c) != NULL ? spdm_conn_channel(&rq->c)->id : 0;
}

/* FINISH gets its signature, then the HMAC over everything (transcripts.md section 6, rows 4 and 5). */
static uint8_t put_signature(struct spdm_requester *rq, struct spdm_span signature)
{
    struct conn *c = &rq->c;
    struct spdm_room message = {rq->request, rq->request_max};
    size_t size = spdm_algorithm((enum spdm_alg)c->facts.req_signature)->size;
    uint8_t ours[SPDM_HASH_MAX];
    struct spdm_span verify = spdm_span(ours, spdm_conn_hash_size(c));

    if (signature.n != size) return refuse(c, SIGN_FAILED, NULL, signature.n, size);
    (void)spdm_put(spdm_room_from(message, rq->encap.signature_at), signature);
    spdm_session_th(c, rq->opening, signature);
    if (!spdm_session_verify_data(c, rq->opening, REQUEST, ours)) return refuse(c, CRYPTO_FAILED, "the HMAC", 0, 0);
    (void)spdm_put(spdm_room_from(message, rq->encap.signature_at + size), verify);
    spdm_session_th(c, rq->opening, verify);
    return SPDM_WHY_FINE;
}

static void answer(struct spdm_requester *rq, const struct spdm_answer *answer)
{
    struct spdm_answer inner = *answer;
    uint8_t why;

    rq->c.report = (struct spdm_report){0};
    if (!rq->encap.signing) {
        inner.ticket = rq->inner->ticket;
        (void)spdm_responder_answer(rq->inner, &inner);
        collect(rq);
        spdm_requester_advance(rq);
        return;
    }
    rq->encap.signing = false;
    why = answer->yes ? put_signature(rq, answer->data) : refuse(&rq->c, SIGN_FAILED, NULL, 0, 0);
    if (why == SPDM_WHY_FINE) rq->flight = FLIGHT_SEND;
    else spdm_requester_fail(rq, spdm_message_FINISH.code);
}

static uint8_t sign_finish(struct spdm_requester *rq, size_t verify_at)
{
    struct conn *c = &rq->c, *inner = &rq->inner->c;
    struct signer signer = spdm_conn_signer(inner);
    size_t signature_at = verify_at - spdm_algorithm((enum spdm_alg)c->facts.req_signature)->size;
    uint8_t cm[SPDM_HASH_MAX];

    if (!spdm_slot_digest(rq->inner, rq->encap.slot, cm)) return refuse(c, CRYPTO_FAILED, "our chain's digest", 0, 0);
    spdm_session_th(c, rq->opening, spdm_span(cm, spdm_conn_hash_size(c)));
    spdm_session_th(c, rq->opening, spdm_span(rq->request, signature_at));
    if (!spdm_session_th_digest(rq->opening, rq->inner->to_sign.digest) ||
        !spdm_signing_prepare(&rq->inner->to_sign, &inner->tr, &signer, SIGNED_FINISH)) {
        return refuse(c, CRYPTO_FAILED, "the transcript's digest", 0, 0);
    }
    rq->encap.signature_at = signature_at;
    rq->encap.signing = true;
    return SPDM_WHY_FINE;
}

/* ---- the responder inside ---- */

static size_t size(const struct spdm_config *cfg)
{
    return spdm_responder_size(cfg->turned);
}

static bool place(struct spdm_requester *rq, struct spdm_room memory)
{
    rq->inner = spdm_responder_init(memory, rq->c.cfg->turned);
    return rq->inner != NULL;
}

static void end(struct spdm_requester *rq)
{
    spdm_responder_close(rq->inner);
}

const struct spdm_mutual spdm_requester_mutual = {.size = size,
                                                  .requester_place = place,
                                                  .requester_close = end,
                                                  .begin = begin,
                                                  .plan = plan,
                                                  .question = question,
                                                  .answer = answer,
                                                  .sign_finish = sign_finish};
