/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The responder sends encapsulated requests: those of the requester inside it,
 * which verifies the peer, or KEY_UPDATE for its own direction. */
#include "core/mutual.h"

enum { NO_ENCAPSULATION = 1, ENCAPSULATED = 2, IMPLICIT_DIGESTS = 4, ACK_NONE = 0, ACK_REQUEST = 1, ACK_SLOT = 2 };
enum { UPDATE_KEY = 1, VERIFY_NEW_KEY = 3, ERROR_DECRYPT = 0x06, SECOND = 1000000 };

/* Whether somebody's proof is still needed: there is one requester inside, which knows one identity at a time. */
bool spdm_mutual_busy(const struct spdm_responder *rs)
{
    const struct session *s;

    for (s = spdm_session_at(&rs->c, 0); s != NULL; s = s->next) {
        if (s->state != SESSION_ESTABLISHED && s->mut_auth != 0) return true; /* a free place has none */
    }
    return rs->encap.state != ENCAP_IDLE;
}

static bool possible(const struct spdm_responder *rs, uint8_t value)
{
    uint32_t both = rs->c.facts.requester.flags & rs->c.facts.responder.flags;

    if ((both & SPDM_MUT_AUTH_CAP) == 0 || rs->c.facts.req_signature == SPDM_ALG_NONE) return false;
    if (value == NO_ENCAPSULATION) return true;
    if (value == 0 && ((rs->c.facts.requester.flags & SPDM_CHAL_CAP) == 0 || spdm_mutual_busy(rs))) return false;
    return spdm_mutual_encapsulates(&rs->c) && (rs->c.facts.requester.flags & SPDM_CERT_CAP) != 0; /* R-KEX-32 */
}

/* The next request of the inner requester, if it has one: there is no link between, the envelope takes it from where it
 * was made. */
void spdm_mutual_collect(struct spdm_responder *rs)
{
    struct spdm_requester *inner = rs->inner;

    rs->encap.request = (struct spdm_span){0};
    if (inner->flight != FLIGHT_SEND) return;
    inner->flight = FLIGHT_WAIT;
    rs->encap.request = spdm_span(inner->request, inner->request_n);
}

static void arm(struct spdm_responder *rs, struct session *s, uint8_t value)
{
    /* DIGESTS, even if its chain is vouched for: the flow has to begin with something */
    struct spdm_goal goal = {.want = value == 0 ? SPDM_WANT_CHALLENGE : SPDM_WANT_DIGESTS | SPDM_WANT_IDENTITY};

    spdm_requester_reset(rs->inner);
    rs->inner->broken = false;
    spdm_mutual_adopt(&rs->inner->c, &rs->c);
    if (value == 0) rs->c.facts.authentic = false;
    rs->encap.flow = value == 0 ? FLOW_BASIC : FLOW_SESSION;
    rs->encap.where = s != NULL && !s->in_the_clear ? s : NULL;
    rs->encap.session = s;
    rs->encap.any = false;
    rs->encap.state = ENCAP_IDLE;
    if (s != NULL && value == NO_ENCAPSULATION) {
        spdm_requester_use_vouched(rs->inner, rs->c.cfg->policy->mut_auth_slot);
        s->proven = rs->inner->c.facts.trusted;
        s->req_slot = rs->inner->c.facts.slot;
        return;
    }
    (void)spdm_requester_ask(rs->inner, &goal);
    spdm_mutual_collect(rs);
    rs->encap.state = value == IMPLICIT_DIGESTS ? ENCAP_ASKED : ENCAP_ARMED;
    rs->encap.id = 0;
}

/* A flow with a request of the engine's own, of four bytes, about this session. */
static bool arm_own(struct spdm_responder *rs, struct session *s, enum flow flow, uint8_t code)
{
    if (s == NULL || s->state != SESSION_ESTABLISHED || rs->c.cfg->mutual == NULL) return false;
    if (!spdm_mutual_encapsulates(&rs->c)) return false;
    if (rs->encap.state != ENCAP_IDLE || rs->opening != NULL) return false; /* it may need the flow */
    rs->encap =
        (struct encap_rs){.state = ENCAP_ARMED, .flow = (uint8_t)flow, .where = s, .session = s, .id = rs->encap.id};
    rs->encap.own[0] = rs->c.ed->version;
    rs->encap.own[1] = code;
    rs->encap.request = spdm_span(rs->encap.own, sizeof rs->encap.own);
    return true;
}

bool spdm_responder_update(struct spdm_responder *rs, uint32_t session)
{
    struct session *s = spdm_session_find(&rs->c, session);

    if ((rs->c.facts.requester.flags & rs->c.facts.responder.flags & SPDM_KEY_UPD_CAP) == 0) return false;
    if (!arm_own(rs, s, FLOW_UPDATE, spdm_message_KEY_UPDATE.code)) return false;
    rs->encap.own[2] = UPDATE_KEY;
    rs->encap.own[3] = ++s->tag;
    return true;
}

bool spdm_responder_end(struct spdm_responder *rs, uint32_t session, bool now)
{
    struct session *s = spdm_session_find(&rs->c, session);

    if (s == NULL || s->state != SESSION_ESTABLISHED) return false;
    if (now) s->ending = true;
    return now || (rs->c.ed->encap_end && arm_own(rs, s, FLOW_END, spdm_message_END_SESSION.code));
}

void spdm_responder_trust(struct spdm_responder *rs, uint8_t slot, struct spdm_span hash, const void *key)
{
    if (rs->inner != NULL) spdm_requester_trust(rs->inner, slot, hash, key);
}

/* While an encapsulated request is out, and from the start for basic mutual authentication, nothing else may come (C7).
 */
static bool blocks(const struct spdm_responder *rs, uint8_t code)
{
    bool open = rs->encap.state == ENCAP_ASKED || (rs->encap.state == ENCAP_ARMED && rs->encap.flow == FLOW_BASIC);

    return open && rs->encap.where == spdm_conn_channel(&rs->c) && code != spdm_message_GET_ENCAPSULATED_REQUEST.code &&
           code != spdm_message_DELIVER_ENCAPSULATED_RESPONSE.code && code != spdm_message_GET_VERSION.code;
}

/* ---- GET_ENCAPSULATED_REQUEST ---- */

static uint8_t enter_nothing(struct spdm_responder *rs, struct spdm_span response)
{
    (void)rs;
    (void)response;
    return SPDM_WHY_FINE;
}

static uint8_t consider_get(struct spdm_responder *rs, const union spdm_body *req)
{
    (void)req;
    if (rs->c.cfg->mutual == NULL || !spdm_mutual_encapsulates(&rs->c))
        return refuse(&rs->c, UNSUPPORTED, "ENCAP_CAP", 0, 0);
    if (rs->encap.state == ENCAP_IDLE || rs->encap.where != spdm_conn_channel(&rs->c) || rs->encap.request.n == 0) {
        return refuse(&rs->c, NO_PENDING, NULL, 0, 0);
    }
    return SPDM_WHY_FINE;
}

/* RequestID counts up from 1; 0 is the implicit GET_DIGESTS (UN-20). Asked again, the same request goes out again. */
static uint8_t reply_get(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    uint8_t id = (uint8_t)(rs->encap.id + (rs->encap.state == ENCAP_ARMED));

    (void)req;
    rsp->encapsulated = (struct encapsulated){.id = id, .message = rs->encap.request};
    return SPDM_WHY_FINE;
}

static void sent_get(struct spdm_responder *rs)
{
    if (rs->encap.state == ENCAP_ARMED) rs->encap.id++;
    rs->encap.state = ENCAP_ASKED;
}

const struct prove_job spdm_prove_get_encapsulated = {.request = &spdm_message_GET_ENCAPSULATED_REQUEST,
                                                      .response = &spdm_message_ENCAPSULATED_REQUEST,
                                                      .consider = consider_get,
                                                      .reply = reply_get,
                                                      .enter = enter_nothing,
                                                      .sent = sent_get};

/* ---- DELIVER_ENCAPSULATED_RESPONSE ---- */

/* The flow is over, though the requester may have been told to come again for that; dropped() does the rest. */
static uint8_t give_up(struct spdm_responder *rs)
{
    rs->encap.state = ENCAP_IDLE;
    return refuse(&rs->c, BAD_ENCAPSULATED, NULL, 0, 0);
}

/* What the inner requester makes of the response: a question for our caller, the next request, or the end. */
static uint8_t settle(struct spdm_responder *rs)
{
    struct spdm_requester *inner = rs->inner;
    rs->need = SPDM_NOTHING;
    rs->encap.request = (struct spdm_span){0};
    if (inner->flight == FLIGHT_QUESTION) {
        rs->need = (uint8_t)inner->question;
        return SPDM_WHY_FINE;
    }
    if (!spdm_mutual_told(rs)) return give_up(rs);
    spdm_mutual_collect(rs);
    if (rs->encap.request.n != 0 || rs->encap.session == NULL) return SPDM_WHY_FINE;
    if (!inner->c.facts.trusted) return give_up(rs); /* put off: there is no later in a handshake */
    rs->encap.session->proven = true;
    rs->encap.session->req_slot = inner->c.facts.slot;
    return SPDM_WHY_FINE;
}

/* The requester refused UpdateKey: nothing has changed, the flow is over and the session goes on; unless it could not
 * decipher something (sessions.md 7.4). */
static bool harmless(const struct spdm_responder *rs, struct spdm_span m)
{
    return m.p[1] == spdm_message_ERROR.code && m.p[2] != ERROR_DECRYPT && rs->encap.own[2] == UPDATE_KEY;
}

/* KEY_UPDATE_ACK to our UpdateKey, then to our VerifyNewKey. */
static uint8_t updated(struct spdm_responder *rs, struct spdm_span m)
{
    struct session *s = rs->encap.session;
    uint8_t operation = rs->encap.own[2];

    if (m.n == 4 && harmless(rs, m)) return refuse(&rs->c, PEER_ERROR, NULL, m.p[2], 0);
    if (m.n != 4 || m.p[1] != spdm_message_KEY_UPDATE_ACK.code || m.p[2] != operation || m.p[3] != rs->encap.own[3]) {
        return give_up(rs);
    }
    if (operation == VERIFY_NEW_KEY) {
        rs->encap.request = (struct spdm_span){0};
        return SPDM_WHY_FINE;
    }
    if (!spdm_session_update(&rs->c, s, RESPONSE)) return refuse(&rs->c, CRYPTO_FAILED, "the key schedule", 0, 0);
    spdm_session_drop_previous(&rs->c, s, RESPONSE);
    rs->encap.own[2] = VERIFY_NEW_KEY;
    rs->encap.own[3] = ++s->tag;
    return SPDM_WHY_FINE;
}

/* END_SESSION_ACK; or an ERROR of a requester that cannot be told so: then its next record gets DecryptError, as up to
 * 1.3 (changes-1.4.md, G). */
static uint8_t ended(struct spdm_responder *rs, struct spdm_span m)
{
    bool acknowledged = m.n == 4 && m.p[1] == spdm_message_END_SESSION_ACK.code;

    if (!acknowledged && m.p[1] != spdm_message_ERROR.code) return give_up(rs);
    rs->encap.request = (struct spdm_span){0};
    rs->encap.session->ending = !acknowledged;
    return SPDM_WHY_FINE;
}

static uint8_t consider_deliver(struct spdm_responder *rs, const union spdm_body *req)
{
    const struct encapsulated *q = &req->encapsulated;
    struct session *s = rs->encap.session;

    if (rs->c.cfg->mutual == NULL || !spdm_mutual_encapsulates(&rs->c))
        return refuse(&rs->c, UNSUPPORTED, "ENCAP_CAP", 0, 0);
    if (rs->encap.state != ENCAP_ASKED || rs->encap.where != spdm_conn_channel(&rs->c))
        return refuse(&rs->c, NOT_NOW, NULL, 0, 0);
    if (q->id != rs->encap.id) return refuse(&rs->c, MISMATCH, "RequestID", q->id, rs->encap.id);
    rs->encap.taken = true;
    if (rs->encap.flow == FLOW_UPDATE) return updated(rs, q->message);
    if (rs->encap.flow == FLOW_END) return ended(rs, q->message);
    if (s != NULL) s->heard = rs->now; /* in the clear nobody else notes it */
    /* R-ORD-08 */
    if (s != NULL && !rs->encap.any && q->message.p[1] == spdm_message_DIGESTS.code && rs->c.facts.multi_key_req) {
        spdm_session_th(&rs->c, s, q->message);
    }
    rs->encap.any = true;
    spdm_requester_receive(rs->inner, q->message, rs->now);
    return settle(rs);
}

static uint8_t reply_deliver(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    struct encapsulated *m = &rsp->encapsulated;

    m->ack = req->encapsulated.id;
    if (rs->encap.request.n != 0) {
        m->kind = ACK_REQUEST;
        m->id = ++rs->encap.id;
        m->message = rs->encap.request;
        return SPDM_WHY_FINE;
    }
    rs->encap.state = ENCAP_IDLE;
    if (rs->encap.flow == FLOW_BASIC) rs->c.facts.authentic = rs->inner->c.facts.authentic;
    if (rs->encap.flow != FLOW_SESSION) return SPDM_WHY_FINE;
    m->kind = ACK_SLOT; /* with the slot, also for slot 0 (R-MUT-06, LQ-22) */
    rs->encap.own[0] = rs->encap.session->req_slot;
    m->message = spdm_span(rs->encap.own, 1);
    return SPDM_WHY_FINE;
}

static void sent_deliver(struct spdm_responder *rs)
{
    struct session *s = rs->encap.session;

    rs->encap.taken = false;
    if (rs->encap.flow == FLOW_END && s != NULL && !s->ending) spdm_responder_lose(rs, s, SPDM_WHY_SESSION_ENDED);
}

/* What was taken cannot be taken again: a flow that we could not acknowledge is over. The requester has got an ERROR
 * that says so, or has asked for something else before it had our answer. A session that needed it fails with it: at
 * once, or, because the answer to something else may still leave in it, with the next tick of the clock. */
static void dropped(struct spdm_responder *rs)
{
    struct session *s = rs->encap.session;

    if (!rs->encap.taken) return;
    rs->encap = (struct encap_rs){.id = rs->encap.id};
    if (s == NULL) return;
    rs->at = s;
    if (s->state == SESSION_HANDSHAKE) s->heard = rs->now - (uint64_t)SECOND * s->handshake;
}

const struct prove_job spdm_prove_deliver_encapsulated = {.request = &spdm_message_DELIVER_ENCAPSULATED_RESPONSE,
                                                          .response = &spdm_message_ENCAPSULATED_RESPONSE_ACK,
                                                          .head_only = true,
                                                          .consider = consider_deliver,
                                                          .reply = reply_deliver,
                                                          .enter = enter_nothing,
                                                          .sent = sent_deliver};

/* ---- questions and FINISH ---- */

static void describe(struct spdm_responder *rs, struct spdm_event *event)
{
    event->slot = rs->inner->c.facts.slot;
    spdm_requester_show_chain(rs->inner, event);
}

static uint8_t take(struct spdm_responder *rs, const struct spdm_answer *answer)
{
    struct spdm_answer inner = *answer;
    uint8_t why;

    inner.ticket = rs->inner->ticket;
    (void)spdm_requester_answer(rs->inner, &inner);
    why = settle(rs);
    if (why != SPDM_WHY_FINE || rs->need != SPDM_NOTHING) return why;
    return spdm_responder_resume(rs, NULL);
}

/* transcripts.md section 6, row 4: TH, the requester's chain, FINISH up to its signature. */
static uint8_t check_finish(struct spdm_responder *rs, struct session *s, const struct finish *finish)
{
    struct conn *c = &rs->c, *inner = &rs->inner->c;
    struct to_sign input;
    size_t h = spdm_conn_hash_size(c);

    if (finish->slot != s->req_slot) return refuse(c, MISMATCH, "SlotID R-FIN-11", finish->slot, s->req_slot);
    spdm_session_th(c, s, spdm_span(inner->facts.chain_hash, h));
    spdm_session_th(c, s, spdm_span(rs->request, rs->request_signature_at));
    if (!spdm_session_th_digest(s, input.digest)) return refuse(c, CRYPTO_FAILED, "the transcript's digest", 0, 0);
    if (spdm_verify_signature(inner, SIGNED_FINISH, &input, finish->signature) != SPDM_WHY_FINE)
        return refuse(c, BAD_VERIFY_DATA, "Signature R-FIN-08", 0, 0);
    spdm_session_th(c, s, finish->signature);
    return SPDM_WHY_FINE;
}

/* ---- the requester inside ---- */

static size_t size(const struct spdm_config *cfg)
{
    return spdm_requester_inside_size(cfg->turned);
}

static bool place(struct spdm_responder *rs, struct spdm_room memory)
{
    static const struct spdm_own none = {.inside = spdm_io_inside_device, .error = spdm_requester_error_inside};

    rs->inner = spdm_requester_place(memory, rs->c.cfg->turned, &none);
    return rs->c.cfg->turned->data_transfer_size >= MIN_DATA_TRANSFER_SIZE;
}

static void end(struct spdm_responder *rs)
{
    spdm_transcript_clear(&rs->inner->c.tr); /* the memory of both is wiped as one */
}

const struct spdm_mutual spdm_responder_mutual = {.size = size,
                                                  .responder_place = place,
                                                  .responder_close = end,
                                                  .possible = possible,
                                                  .busy = spdm_mutual_busy,
                                                  .arm = arm,
                                                  .dropped = dropped,
                                                  .blocks = blocks,
                                                  .describe = describe,
                                                  .take = take,
                                                  .check_finish = check_finish};
