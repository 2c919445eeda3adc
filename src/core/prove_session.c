/* SPDX-License-Identifier: BSD-3-Clause
 *
 * KEY_EXCHANGE, PSK_EXCHANGE and the two FINISHes as the prover answers them
 * (sessions.md sections 2 and 3). Whatever is refused on the way gives its
 * session back; a FINISH that does not verify ends it. */
#include "core/mutual.h"
#include "core/opaque.h"

enum { EXCHANGE_AT = 40, PSK_CONTEXT_AT = 12, EVENT_ALL = 0x02, CONTEXT_MIN = 32, HANDSHAKE_TIME = 60 };

/* ---- what both exchanges have in common ---- */

/* Rules of the secured-message layer (LQ-18), summary and policy, and a place for the session. */
static uint8_t consider_exchange(struct spdm_responder *rs, bool psk, uint8_t summary, uint8_t policy)
{
    struct conn *c = &rs->c;
    uint32_t both = c->facts.requester.flags & c->facts.responder.flags;

    if (c->facts.hash == SPDM_ALG_NONE || c->facts.aead == SPDM_ALG_NONE || c->facts.schedule == SPDM_ALG_NONE) {
        return refuse(c, NO_SELECTION, "a base hash, an AEAD and the key schedule", 0, 0);
    }
    if ((both & SPDM_MAC_CAP) == 0) return refuse(c, BAD_VALUE, "MAC_CAP R-KEX-49", 0, 0);
    if (c->ed->negotiates_opaque && c->facts.opaque_format != 2) {
        return refuse(c, BAD_VALUE, "OpaqueDataFmt1 R-KEX-49", c->facts.opaque_format, 0);
    }
    if (summary != 0 && (c->facts.meas_spec == 0 || c->facts.meas_hash == SPDM_ALG_NONE)) {
        return refuse(c, BAD_VALUE, "MeasurementSummaryHashType R-KEX-15", summary, 0);
    }
    if ((policy & EVENT_ALL) != 0 && c->ed->multi_key && (c->facts.responder.flags & SPDM_EVENT_CAP) == 0) {
        return refuse(c, BAD_VALUE, "SessionPolicy R-KEX-26", policy, 0);
    }
    rs->opening = spdm_session_new(c);
    if (rs->opening == NULL) return refuse(c, SESSION_LIMIT, NULL, 0, spdm_session_count(c));
    rs->opening->psk = psk;
    rs->opening->policy = policy;
    return SPDM_WHY_FINE;
}

/* MutAuthRequested for this connection: what policy wants, if it is possible (R-KEX-30 ... R-KEX-33). */
static uint8_t mut_auth(const struct spdm_responder *rs)
{
    uint8_t wanted = rs->c.cfg->policy->mut_auth;

    return wanted != 0 && spdm_responder_inner(rs) != NULL && rs->c.cfg->mutual->possible(rs, wanted) ? wanted : 0;
}

/* Names the session; the requester's half must make an id that is not in use (R-KEX-18). */
static uint8_t name(struct spdm_responder *rs, uint16_t req_half, struct spdm_span opaque)
{
    struct conn *c = &rs->c;
    uint16_t rsp_half = spdm_session_half(c, 16);
    uint32_t both = c->facts.requester.flags & c->facts.responder.flags;

    spdm_session_name(c, rs->opening, req_half, rsp_half);
    if ((both & SPDM_HBEAT_CAP) != 0) rs->opening->heartbeat = c->cfg->policy->heartbeat; /* R-KEX-28 */
    return spdm_session_choose(c, rs->opening, opaque);
}

static uint8_t random_data(struct spdm_responder *rs)
{
    const struct spdm_config *cfg = rs->c.cfg;

    if (cfg->crypto->random(cfg->crypto_ctx, rs->nonce, NONCE_BYTES)) return SPDM_WHY_FINE;
    return refuse(&rs->c, RANDOM_FAILED, NULL, 0, 0);
}

/* ResponderVerifyData over TH so far, put in its place in the response and into TH. */
static uint8_t put_verify_data(struct spdm_responder *rs, struct session *s)
{
    uint8_t ours[SPDM_HASH_MAX];
    struct spdm_span verify = spdm_span(ours, spdm_conn_hash_size(&rs->c));

    if (!spdm_session_verify_data(&rs->c, s, RESPONSE, ours)) return refuse(&rs->c, CRYPTO_FAILED, "the HMAC", 0, 0);
    (void)spdm_put(spdm_room_from(spdm_responder_body(rs), rs->verify_at), verify);
    spdm_session_th(&rs->c, s, verify);
    return SPDM_WHY_FINE;
}

/* TH1 and the handshake's keys from secrets.root. No record can be for it until the response is out, which may wait for
 * RESPOND_IF_READY or CHUNK_GET. */
static uint8_t derive(struct spdm_responder *rs, struct session *s)
{
    uint8_t th1[SPDM_HASH_MAX];
    bool fine = spdm_session_th_digest(s, th1) && spdm_session_handshake(&rs->c, s, th1);

    s->state = SESSION_OPENING;
    return fine ? SPDM_WHY_FINE : refuse(&rs->c, CRYPTO_FAILED, "the key schedule", 0, 0);
}

static void establish(struct spdm_responder *rs, struct session *s)
{
    if (!spdm_session_establish(&rs->c, s)) {
        spdm_responder_lose(rs, s, SPDM_WHY_CRYPTO_FAILED);
        return;
    }
    s->heard = rs->now; /* R-HBT-06 */
    rs->opened = s->id;
    spdm_responder_tell(rs, SPDM_OPENED);
}

/* ---- KEY_EXCHANGE ---- */

static uint8_t consider_key_exchange(struct spdm_responder *rs, const union spdm_body *req)
{
    const struct key_exchange *q = &req->key_exchange;
    struct conn *c = &rs->c;
    uint8_t why;

    if ((c->facts.requester.flags & SPDM_KEY_EX_CAP) == 0) return refuse(c, UNSUPPORTED, "KEY_EX_CAP", 0, 0);
    if (c->facts.exchange == SPDM_ALG_NONE || c->facts.signature == SPDM_ALG_NONE) {
        return refuse(c, NO_SELECTION, "a key exchange and a signature algorithm", 0, 0);
    }
    if (spdm_session_clear_handshake(c) != NULL) return refuse(c, NOT_NOW, "R-KEX-04", 0, 0);
    if (!spdm_slot_usable(rs, q->slot)) return refuse(c, BAD_SLOT, "SlotID R-KEX-17", q->slot, 0);
    if (!spdm_slot_allows(rs, q->slot, SPDM_USE_KEY_EX)) return refuse(c, BAD_VALUE, "SlotID R-KEX-17", q->slot, 0);
    if (c->cfg->policy->mut_auth_required && mut_auth(rs) == 0) {
        return refuse(c, INVALID_POLICY, "mutual authentication R-KEX-48", 0, 0);
    }
    if (mut_auth(rs) != 0 && c->cfg->mutual->busy(rs)) return refuse(c, BUSY, NULL, 0, 0); /* R-KEX-05 */
    why = consider_exchange(rs, false, q->summary, q->policy);
    if (why == SPDM_WHY_FINE) why = name(rs, q->session, q->opaque);
    if (why != SPDM_WHY_FINE) return why;
    rs->opening->mut_auth = mut_auth(rs);
    rs->need = q->summary != 0 ? SPDM_ASK_MEASURE : SPDM_NOTHING;
    c->facts.slot = rs->opening->slot = q->slot;
    return SPDM_WHY_FINE;
}

/* Our public value goes to its place in the response; the secret becomes the Handshake-Secret at once. If there is no
 * room, encoding finds out. */
static uint8_t agree(struct spdm_responder *rs, struct spdm_span peer, struct spdm_room at)
{
    const struct spdm_config *cfg = rs->c.cfg;
    struct schedule schedule = spdm_session_schedule(&rs->c);
    enum spdm_alg alg = (enum spdm_alg)rs->c.facts.exchange;
    uint8_t secret[SPDM_EXCHANGE_SECRET_MAX];
    size_t n;
    bool fine;

    if (at.n < spdm_algorithm(alg)->reply) return SPDM_WHY_FINE;
    n = cfg->crypto->exchange_reply(cfg->crypto_ctx, alg, peer, at.p, secret);
    fine = n != 0 && spdm_schedule_handshake_secret(&schedule, &rs->opening->secrets, spdm_span(secret, n));
    spdm_wipe(secret, sizeof secret);
    if (n == 0) return refuse(&rs->c, BAD_VALUE, "ExchangeData R-KEX-50", 0, 0);
    return fine ? SPDM_WHY_FINE : refuse(&rs->c, CRYPTO_FAILED, "the key schedule", 0, 0);
}

static uint8_t reply_key_exchange(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    const struct key_exchange *q = &req->key_exchange;
    struct spdm_room at = spdm_room_from(spdm_responder_body(rs), EXCHANGE_AT);
    size_t reply_n = spdm_algorithm((enum spdm_alg)rs->c.facts.exchange)->reply;
    size_t sum_n = q->summary != 0 ? spdm_conn_hash_size(&rs->c) : 0;
    uint8_t *summary = rs->to_sign.digest; /* free until signing */
    uint8_t why = random_data(rs);

    if (why == SPDM_WHY_FINE && q->summary != 0) why = spdm_measurement_summary(rs, q->summary, summary);
    if (why == SPDM_WHY_FINE) why = agree(rs, q->exchange, at);
    if (why != SPDM_WHY_FINE) return why;
    rsp->key_exchange_rsp = (struct key_exchange_rsp){
        .heartbeat = rs->opening->heartbeat,
        .session = (uint16_t)(rs->opening->id >> 16),
        .mut_auth = rs->opening->mut_auth,
        .slot = SPDM_WHOLE && rs->opening->mut_auth == 1 ? spdm_slot_nibble(rs->c.cfg->policy->mut_auth_slot) : 0,
        .random = spdm_span(rs->nonce, NONCE_BYTES),
        .exchange = spdm_span(at.p, reply_n),
        .summary = spdm_span(summary, sum_n),
        .opaque = spdm_session_selection(&rs->c, rs->opening, spdm_room_from(at, reply_n + sum_n + 2))};
    return SPDM_WHY_FINE;
}

static uint8_t enter_key_exchange(struct spdm_responder *rs, struct spdm_span response)
{
    struct conn *c = &rs->c;
    struct session *s = rs->opening;
    struct signer signer = spdm_conn_signer(c);
    uint8_t ct[SPDM_HASH_MAX];

    if (!spdm_slot_digest(rs, s->slot, ct)) return refuse(c, CRYPTO_FAILED, "the chain's digest", 0, 0);
    spdm_session_th(c, s, spdm_span(ct, spdm_conn_hash_size(c)));
    spdm_session_th(c, s, spdm_span(rs->request, rs->request_n));
    spdm_session_th(c, s, spdm_part(response, 0, rs->signature_at));
    if (spdm_session_th_digest(s, rs->to_sign.digest) &&
        spdm_signing_prepare(&rs->to_sign, &c->tr, &signer, SIGNED_KEY_EXCHANGE_RSP)) {
        return SPDM_WHY_FINE;
    }
    return refuse(c, CRYPTO_FAILED, "the transcript's digest", 0, 0);
}

static uint8_t complete_key_exchange(struct spdm_responder *rs)
{
    struct session *s = rs->opening;
    struct spdm_room body = spdm_responder_body(rs);
    size_t size = spdm_algorithm((enum spdm_alg)rs->c.facts.signature)->size;
    uint8_t why;

    spdm_session_th(&rs->c, s, spdm_part(spdm_span(body.p, body.n), rs->signature_at, size));
    why = derive(rs, s);
    return why == SPDM_WHY_FINE && !s->in_the_clear ? put_verify_data(rs, s) : why;
}

/* The handshake's first half is out: the session lives on its own now. */
static void sent_exchange(struct spdm_responder *rs)
{
    struct session *s = rs->opening;

    rs->opening = NULL;
    s->state = SESSION_HANDSHAKE;
    s->heard = rs->now;
    s->handshake = rs->c.cfg->policy->handshake_time != 0 ? rs->c.cfg->policy->handshake_time : HANDSHAKE_TIME;
    if (spdm_session_mutual(s)) rs->c.cfg->mutual->arm(rs, s, s->mut_auth);
    if (spdm_session_by_psk(s) && !s->needs_finish) establish(rs, s);
}

const struct prove_job spdm_prove_key_exchange = {.request = &spdm_message_KEY_EXCHANGE,
                                                  .response = &spdm_message_KEY_EXCHANGE_RSP,
                                                  .signed_by = SIGNED_KEY_EXCHANGE_RSP,
                                                  .consider = consider_key_exchange,
                                                  .reply = reply_key_exchange,
                                                  .enter = enter_key_exchange,
                                                  .complete = complete_key_exchange,
                                                  .sent = sent_exchange};

/* ---- PSK_EXCHANGE ---- */

static uint8_t consider_psk_exchange(struct spdm_responder *rs, const union spdm_body *req)
{
    const struct psk_exchange *q = &req->psk_exchange;
    struct conn *c = &rs->c;
    uint8_t why;

    if ((c->facts.requester.flags & SPDM_PSK_CAP) == 0) return refuse(c, UNSUPPORTED, "PSK_CAP", 0, 0);
    if (q->context.n < CONTEXT_MIN) { /* a replayed exchange must not open a session (LQ-27, UN-05) */
        return refuse(c, TOO_SMALL, "RequesterContextLength R-PSK-07", q->context.n, CONTEXT_MIN);
    }
    why = consider_exchange(rs, true, q->summary, q->policy);
    if (why == SPDM_WHY_FINE) why = name(rs, q->session, q->opaque);
    if (why != SPDM_WHY_FINE) return why;
    rs->opening->needs_finish = (c->facts.responder.flags & SPDM_PSK_CAP_MASK) == SPDM_PSK_CAP_CONTEXT;
    rs->opening->slot = SPDM_SLOT_KEY;
    rs->need = SPDM_ASK_PSK;
    rs->then = q->summary != 0 ? SPDM_ASK_MEASURE : SPDM_NOTHING;
    return SPDM_WHY_FINE;
}

static uint8_t reply_psk_exchange(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    const struct psk_exchange *q = &req->psk_exchange;
    size_t sum_n = q->summary != 0 ? spdm_conn_hash_size(&rs->c) : 0;
    size_t context_n = rs->opening->needs_finish ? NONCE_BYTES : 0; /* R-PSK-13, R-PSK-14 */
    struct spdm_room at = spdm_room_from(spdm_responder_body(rs), PSK_CONTEXT_AT + sum_n + context_n);
    uint8_t *summary = rs->to_sign.digest, why = random_data(rs);

    if (why == SPDM_WHY_FINE && q->summary != 0) why = spdm_measurement_summary(rs, q->summary, summary);
    if (why != SPDM_WHY_FINE) return why;
    rsp->psk_exchange_rsp = (struct psk_exchange_rsp){.heartbeat = rs->opening->heartbeat,
                                                      .session = (uint16_t)(rs->opening->id >> 16),
                                                      .summary = spdm_span(summary, sum_n),
                                                      .context = spdm_span(rs->nonce, context_n),
                                                      .opaque = spdm_session_selection(&rs->c, rs->opening, at)};
    return SPDM_WHY_FINE;
}

static uint8_t enter_psk_exchange(struct spdm_responder *rs, struct spdm_span response)
{
    spdm_session_th(&rs->c, rs->opening, spdm_span(rs->request, rs->request_n));
    spdm_session_th(&rs->c, rs->opening, spdm_part(response, 0, rs->verify_at));
    return SPDM_WHY_FINE;
}

static uint8_t complete_psk_exchange(struct spdm_responder *rs)
{
    uint8_t why = derive(rs, rs->opening);

    return why == SPDM_WHY_FINE ? put_verify_data(rs, rs->opening) : why;
}

const struct prove_job spdm_prove_psk_exchange = {.request = &spdm_message_PSK_EXCHANGE,
                                                  .response = &spdm_message_PSK_EXCHANGE_RSP,
                                                  .consider = consider_psk_exchange,
                                                  .reply = reply_psk_exchange,
                                                  .enter = enter_psk_exchange,
                                                  .complete = complete_psk_exchange,
                                                  .sent = sent_exchange};

/* ---- FINISH, PSK_FINISH ---- */

/* The session that a FINISH is about: the one it came in or, in the clear, the one that waits for it. */
static struct session *finishing(struct spdm_responder *rs)
{
    return spdm_conn_channel(&rs->c) != NULL ? spdm_conn_channel(&rs->c) : spdm_session_clear_handshake(&rs->c);
}

/* Enters the request and compares its VerifyData (transcripts.md section 6, row 5). */
static uint8_t check_verify_data(struct spdm_responder *rs, struct session *s, struct spdm_span theirs)
{
    volatile spdm_verdict verdict;

    if (!spdm_session_mutual(s))
        spdm_session_th(&rs->c, s, spdm_span(rs->request, rs->request_verify_at)); /* else it is in */
    verdict = spdm_session_judge(&rs->c, s, REQUEST, theirs);
    if (verdict == 0) return refuse(&rs->c, CRYPTO_FAILED, "the HMAC", 0, 0);
    if (!spdm_session_accepts(&verdict)) {
        return s->psk ? refuse(&rs->c, BAD_PSK_FINISH, "RequesterVerifyData R-PSF-05", 0, 0)
                      : refuse(&rs->c, BAD_VERIFY_DATA, "RequesterVerifyData R-FIN-10", 0, 0);
    }
    spdm_session_th(&rs->c, s, theirs);
    return SPDM_WHY_FINE;
}

static uint8_t consider_finish(struct spdm_responder *rs, const union spdm_body *req)
{
    struct conn *c = &rs->c;
    struct session *s = finishing(rs);
    uint8_t why = SPDM_WHY_FINE;

    if (s == NULL) return refuse(c, SESSION_REQUIRED, "R-FIN-17", 0, 0);
    rs->at = s; /* in the clear the session that may end is not the channel */
    if (spdm_session_by_psk(s)) return refuse(c, OTHER_MODE, "R-FIN-01", 0, 0);
    if (s->state != SESSION_HANDSHAKE) return refuse(c, NOT_NOW, "R-FIN-18", 0, 0);
    if (req->finish.with_signature != spdm_session_mutual(s)) {
        return refuse(c, BAD_VALUE, "SignatureIncluded R-FIN-03", req->finish.with_signature, 0);
    }
    if (spdm_session_mutual(s) && !s->proven) return refuse(c, NOT_NOW, "R-MUT-02", 0, 0);
    if (spdm_session_mutual(s)) why = c->cfg->mutual->check_finish(rs, s, &req->finish);
    return why == SPDM_WHY_FINE ? check_verify_data(rs, s, req->finish.verify) : why;
}

static uint8_t consider_psk_finish(struct spdm_responder *rs, const union spdm_body *req)
{
    struct session *s = spdm_conn_channel(&rs->c);

    if (!s->psk) return refuse(&rs->c, OTHER_MODE, "R-PSF-02", 0, 0);
    return check_verify_data(rs, s, req->finish.verify);
}

static uint8_t reply_finish(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    (void)req;
    if (SPDM_WHOLE) rsp->finish_rsp.opaque = spdm_opaque_say(&rs->c, rs->job->response->code);
    return SPDM_WHY_FINE;
}

static uint8_t enter_finish(struct spdm_responder *rs, struct spdm_span response)
{
    spdm_session_th(&rs->c, finishing(rs), spdm_part(response, 0, rs->verify_at != 0 ? rs->verify_at : response.n));
    return SPDM_WHY_FINE;
}

/* In the clear FINISH_RSP carries the responder's own confirmation (R-FIN-14). */
static uint8_t complete_finish(struct spdm_responder *rs)
{
    return rs->verify_at != 0 ? put_verify_data(rs, finishing(rs)) : SPDM_WHY_FINE;
}

/* FINISH_RSP has left under the handshake's key; what follows uses the data keys (R-FIN-21). */
static void sent_finish(struct spdm_responder *rs)
{
    establish(rs, finishing(rs));
}

const struct prove_job spdm_prove_finish = {.request = &spdm_message_FINISH,
                                            .response = &spdm_message_FINISH_RSP,
                                            .consider = consider_finish,
                                            .reply = reply_finish,
                                            .enter = enter_finish,
                                            .complete = complete_finish,
                                            .sent = sent_finish};

const struct prove_job spdm_prove_psk_finish = {.request = &spdm_message_PSK_FINISH,
                                                .response = &spdm_message_PSK_FINISH_RSP,
                                                .consider = consider_psk_finish,
                                                .reply = reply_finish,
                                                .enter = enter_finish,
                                                .complete = complete_finish,
                                                .sent = sent_finish};
