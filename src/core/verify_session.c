/* SPDX-License-Identifier: BSD-3-Clause
 *
 * KEY_EXCHANGE and FINISH as the asker runs them (sessions.md section 2): the
 * responder proves itself over TH, keys come out of the key schedule, and the
 * session exists for the caller only when FINISH_RSP has been checked. */
#include "core/mutual.h"
#include "core/opaque.h"

enum { EXCHANGE_AT = 40, MUT_AUTH_MAX = 4 };

/* ---- KEY_EXCHANGE ---- */

/* The public value and the opaque data are written where the walker puts them. */
static uint8_t fill_key_exchange(struct spdm_requester *rq, union spdm_body *req)
{
    struct conn *c = &rq->c;
    const struct spdm_config *cfg = c->cfg;
    size_t public_n = spdm_algorithm((enum spdm_alg)c->facts.exchange)->size;
    struct spdm_room room = spdm_room_from((struct spdm_room){rq->request, rq->request_max}, EXCHANGE_AT);
    struct session *s = spdm_session_begin(c, false);

    if (s == NULL) return refuse(c, SESSION_LIMIT, NULL, 0, 0);
    rq->opening = s;
    s->slot = c->facts.slot;
    if (room.n < public_n + 2) return refuse(c, NO_ROOM, "the request", EXCHANGE_AT + public_n, rq->request_max);
    if (!cfg->crypto->random(cfg->crypto_ctx, rq->nonce, NONCE_SIZE) ||
        !cfg->crypto->exchange_begin(cfg->crypto_ctx, rq->exchange, (enum spdm_alg)c->facts.exchange, room.p)) {
        return refuse(c, CRYPTO_FAILED, "the key exchange", 0, 0);
    }
    rq->exchange_open = true;
    req->key_exchange =
        (struct key_exchange){.summary = spdm_requester_summary(rq),
                              .slot = c->facts.slot,
                              .policy = c->ed->session_policy ? rq->goal.session_policy : 0,
                              .session = (uint16_t)s->id,
                              .random = spdm_span(rq->nonce, NONCE_SIZE),
                              .exchange = spdm_span(room.p, public_n),
                              .opaque = spdm_session_offer(c, CODE_KEY_EXCHANGE, spdm_room_from(room, public_n + 2))};
    return SPDM_WHY_FINE;
}

/* Fields that KEY_EXCHANGE_RSP and PSK_EXCHANGE_RSP share: R-KEX-28, R-KEX-29. */
static uint8_t judge_session(struct conn *c, uint8_t heartbeat, uint16_t rsp_half)
{
    uint32_t both = c->facts.requester.flags & c->facts.responder.flags;

    if (heartbeat != 0 && (both & SPDM_HBEAT_CAP) == 0)
        return refuse(c, BAD_VALUE, "HeartbeatPeriod R-KEX-28", heartbeat, 0);
    if (rsp_half == 0 || spdm_session_taken(c, rsp_half, 16)) {
        return refuse(c, BAD_VALUE, "RspSessionID R-KEX-29", rsp_half, 0);
    }
    return SPDM_WHY_FINE;
}

static uint8_t judge_key_exchange(struct conn *c, const struct exchange *x)
{
    const struct key_exchange_rsp *m = &x->rsp.key_exchange_rsp;
    uint32_t both = c->facts.requester.flags & c->facts.responder.flags;

    if (m->mut_auth > MUT_AUTH_MAX || (m->mut_auth & (m->mut_auth - 1)) != 0) {
        return refuse(c, BAD_VALUE, "MutAuthRequested R-KEX-30", m->mut_auth, 0);
    }
    if (m->mut_auth != 0 && ((both & SPDM_MUT_AUTH_CAP) == 0 || spdm_mutual_of(c->cfg) == NULL)) {
        return refuse(c, BAD_VALUE, "MutAuthRequested R-KEX-33", m->mut_auth, 0);
    }
    return judge_session(c, m->heartbeat, m->session);
}

/* The signature over TH so far; TH goes on with it (transcripts.md section 6, row 1). */
static uint8_t check_signature(struct conn *c, struct session *s, struct spdm_span signature)
{
    struct to_sign input;

    if (!spdm_session_th_digest(s, input.digest)) return refuse(c, CRYPTO_FAILED, "the transcript's digest", 0, 0);
    return spdm_verify_signature(c, SIGNED_KEY_EXCHANGE_RSP, &input, signature);
}

/* Handshake keys from the shared secret, and the proof that the responder has them too (rows 2 and 3). */
static uint8_t derive(struct spdm_requester *rq, struct session *s, struct spdm_span peer)
{
    struct conn *c = &rq->c;
    const struct spdm_crypto *crypto = c->cfg->crypto;
    struct schedule schedule = spdm_session_schedule(c);
    uint8_t secret[SPDM_EXCHANGE_SECRET_MAX], th1[SPDM_HASH_MAX];
    size_t n = crypto->exchange_finish(c->cfg->crypto_ctx, rq->exchange, peer, secret);
    bool fine = n != 0 && spdm_session_th_digest(s, th1) &&
                spdm_schedule_handshake_secret(&schedule, &s->secrets, spdm_span(secret, n)) &&
                spdm_session_handshake(c, s, th1);

    crypto->exchange_end(c->cfg->crypto_ctx, rq->exchange);
    rq->exchange_open = false;
    spdm_wipe(secret, sizeof secret);
    if (fine) return SPDM_WHY_FINE;
    return n == 0 ? refuse(c, BAD_VALUE, "ExchangeData R-KEX-50", 0, 0)
                  : refuse(c, CRYPTO_FAILED, "the key schedule", 0, 0);
}

/* Compares VerifyData with ours, then lets it enter TH. */
static uint8_t check_verify_data(struct conn *c, struct session *s, struct spdm_span theirs)
{
    volatile spdm_verdict verdict = spdm_session_judge(c, s, RESPONSE, theirs);

    if (verdict == 0) return refuse(c, CRYPTO_FAILED, "the HMAC", 0, 0);
    if (!spdm_session_accepts(&verdict)) {
        return refuse(c, BAD_VERIFY_DATA, "ResponderVerifyData R-KEX-44", 0, 0);
    }
    spdm_session_th(c, s, theirs);
    return SPDM_WHY_FINE;
}

static uint8_t finish_key_exchange(struct spdm_requester *rq, const struct exchange *x)
{
    struct conn *c = &rq->c;
    struct session *s = rq->opening;
    const struct key_exchange_rsp *m = &x->rsp.key_exchange_rsp;
    uint8_t why;

    spdm_session_name(c, s, x->req.key_exchange.session, m->session);
    spdm_session_th(c, s, spdm_span(c->facts.chain_hash, spdm_conn_hash_size(c))); /* Ct */
    spdm_session_th(c, s, x->request);
    spdm_session_th(c, s, spdm_part(x->response, 0, x->signature_at));
    why = check_signature(c, s, m->signature);
    if (why != SPDM_WHY_FINE) return why;
    spdm_session_th(c, s, m->signature);
    why = spdm_session_chosen(c, s, m->opaque);
    if (why == SPDM_WHY_FINE) why = derive(rq, s, m->exchange);
    if (why == SPDM_WHY_FINE && !s->in_the_clear) why = check_verify_data(c, s, m->verify);
    s->heartbeat = m->heartbeat;
    s->policy = x->req.key_exchange.policy;
    s->mut_auth = m->mut_auth;
    if (why == SPDM_WHY_FINE && spdm_session_mutual(s)) {
        spdm_conn_turn_to(c, spdm_session_records(s) ? s : NULL, &s->tr); /* what follows is part of the handshake */
        why = c->cfg->mutual->begin(rq, m->mut_auth, m->slot);
    }
    return why;
}

const struct verify_job spdm_verify_key_exchange = {.request = &spdm_message_KEY_EXCHANGE,
                                                    .response = &spdm_message_KEY_EXCHANGE_RSP,
                                                    .signed_by = SIGNED_KEY_EXCHANGE_RSP,
                                                    .fill = fill_key_exchange,
                                                    .judge = judge_key_exchange,
                                                    .finish = finish_key_exchange};

/* ---- FINISH ---- */

static uint8_t fill_finish(struct spdm_requester *rq, union spdm_body *req)
{
    if (spdm_session_mutual(rq->opening)) req->finish = (struct finish){.with_signature = true, .slot = rq->encap.slot};
    if (SPDM_WHOLE)
        req->finish.opaque = spdm_opaque_say(&rq->c, spdm_session_by_psk(rq->opening) ? CODE_PSK_FINISH : CODE_FINISH);
    return SPDM_WHY_FINE;
}

/* RequesterVerifyData is the HMAC over everything up to itself (row 5). */
static uint8_t complete_finish(struct spdm_requester *rq, size_t verify_at)
{
    struct conn *c = &rq->c;
    struct session *s = rq->opening;
    uint8_t ours[SPDM_HASH_MAX];
    struct spdm_span verify = spdm_span(ours, spdm_conn_hash_size(c));

    if (spdm_session_mutual(s)) return c->cfg->mutual->sign_finish(rq, verify_at);
    spdm_session_th(c, s, spdm_span(rq->request, verify_at));
    if (!spdm_session_verify_data(c, s, REQUEST, ours)) return refuse(c, CRYPTO_FAILED, "the HMAC", 0, 0);
    spdm_session_th(c, s, verify);
    (void)spdm_put(spdm_room_from((struct spdm_room){rq->request, rq->request_n}, verify_at), verify);
    return SPDM_WHY_FINE;
}

static uint8_t judge_nothing(struct conn *c, const struct exchange *x)
{
    (void)c;
    (void)x;
    return SPDM_WHY_FINE;
}

static uint8_t established(struct spdm_requester *rq)
{
    struct session *s = rq->opening;

    if (!spdm_session_establish(&rq->c, s)) return refuse(&rq->c, CRYPTO_FAILED, "the key schedule", 0, 0);
    s->heard = rq->now; /* R-HBT-06 */
    rq->opening = NULL;
    rq->got.session = s->id;
    spdm_requester_tell(rq, SPDM_OPENED);
    return SPDM_WHY_FINE;
}

static uint8_t finish_finish(struct spdm_requester *rq, const struct exchange *x)
{
    struct session *s = rq->opening;
    uint8_t why = SPDM_WHY_FINE;

    spdm_session_th(&rq->c, s, spdm_part(x->response, 0, x->verify_at != 0 ? x->verify_at : x->response.n));
    if (s->in_the_clear) why = check_verify_data(&rq->c, s, x->rsp.finish_rsp.verify);
    return why == SPDM_WHY_FINE ? established(rq) : why;
}

const struct verify_job spdm_verify_session_finish = {.request = &spdm_message_FINISH,
                                                      .response = &spdm_message_FINISH_RSP,
                                                      .fill = fill_finish,
                                                      .complete = complete_finish,
                                                      .judge = judge_nothing,
                                                      .finish = finish_finish};

/* ---- PSK_EXCHANGE ---- */

enum { HINT_AT = 12 };

static uint8_t fill_psk_exchange(struct spdm_requester *rq, union spdm_body *req)
{
    struct conn *c = &rq->c;
    const struct spdm_config *cfg = c->cfg;
    struct spdm_room room =
        spdm_room_from((struct spdm_room){rq->request, rq->request_max}, HINT_AT + rq->goal.psk_hint.n + NONCE_SIZE);

    if (!cfg->crypto->random(cfg->crypto_ctx, rq->nonce, NONCE_SIZE)) return refuse(c, RANDOM_FAILED, NULL, 0, 0);
    req->psk_exchange = (struct psk_exchange){.summary = spdm_requester_summary(rq),
                                              .policy = c->ed->session_policy ? rq->goal.session_policy : 0,
                                              .session = (uint16_t)rq->opening->id,
                                              .hint = rq->goal.psk_hint,
                                              .context = spdm_span(rq->nonce, NONCE_SIZE), /* R-PSK-07 */
                                              .opaque = spdm_session_offer(c, CODE_PSK_EXCHANGE, room)};
    return SPDM_WHY_FINE;
}

static uint8_t judge_psk_exchange(struct conn *c, const struct exchange *x)
{
    const struct psk_exchange_rsp *m = &x->rsp.psk_exchange_rsp;

    if (m->context.n != 0 && (c->facts.responder.flags & SPDM_PSK_CAP_MASK) != SPDM_PSK_CAP_CONTEXT) {
        return refuse(c, TOO_LONG, "ResponderContextLength R-PSK-14", m->context.n, 0);
    }
    return judge_session(c, m->heartbeat, m->session);
}

static uint8_t finish_psk_exchange(struct spdm_requester *rq, const struct exchange *x)
{
    struct conn *c = &rq->c;
    struct session *s = rq->opening;
    const struct psk_exchange_rsp *m = &x->rsp.psk_exchange_rsp;
    uint8_t th1[SPDM_HASH_MAX], why;

    spdm_session_name(c, s, x->req.psk_exchange.session, m->session);
    spdm_session_th(c, s, x->request);
    spdm_session_th(c, s, spdm_part(x->response, 0, x->verify_at));
    why = spdm_session_chosen(c, s, m->opaque);
    if (why != SPDM_WHY_FINE) return why;
    if (!spdm_session_th_digest(s, th1) || !spdm_session_handshake(c, s, th1)) {
        return refuse(c, CRYPTO_FAILED, "the key schedule", 0, 0);
    }
    why = check_verify_data(c, s, m->verify);
    if (why != SPDM_WHY_FINE) return why;
    s->heartbeat = m->heartbeat;
    s->policy = x->req.psk_exchange.policy;
    s->needs_finish = m->context.n != 0;
    return s->needs_finish ? SPDM_WHY_FINE : established(rq); /* R-PSK-16 */
}

const struct verify_job spdm_verify_psk_exchange = {.request = &spdm_message_PSK_EXCHANGE,
                                                    .response = &spdm_message_PSK_EXCHANGE_RSP,
                                                    .fill = fill_psk_exchange,
                                                    .judge = judge_psk_exchange,
                                                    .finish = finish_psk_exchange};

const struct verify_job spdm_verify_psk_finish = {.request = &spdm_message_PSK_FINISH,
                                                  .response = &spdm_message_PSK_FINISH_RSP,
                                                  .fill = fill_finish,
                                                  .complete = complete_finish,
                                                  .judge = judge_nothing,
                                                  .finish = finish_finish};
