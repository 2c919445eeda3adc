/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a witness makes of one message: what the asking side would judge, learn
 * and verify is judged, learned and verified here, by the same jobs. A message
 * is read once, and whoever wants to see its fields sees them in that reading. */
#include "core/witness_state.h"

static const struct watch_job jobs[] = {
    {&spdm_verify_version, NULL, NULL},           {&spdm_verify_capabilities, NULL, NULL},
    {&spdm_verify_algorithms, NULL, NULL},        {&spdm_verify_digests, NULL, NULL},
    {&spdm_verify_certificate, NULL, NULL},       {&spdm_verify_challenge, NULL, NULL},
    {&spdm_verify_measurements, NULL, NULL},      {&spdm_verify_vendor, NULL, NULL},
    {&spdm_errand_key_pair_info.job, NULL, NULL}, {&spdm_errand_set_key_pair.job, NULL, NULL},
    {&spdm_errand_csr.job, NULL, NULL},           {&spdm_errand_store.job, NULL, NULL},
    {&spdm_errand_slots.job, NULL, NULL},         {&spdm_errand_log.job, NULL, NULL},
    {&spdm_errand_endpoint.job, NULL, NULL},      {&spdm_errand_event_types.job, NULL, NULL},
    {&spdm_errand_subscribe.job, NULL, NULL},     {&spdm_errand_events.job, NULL, NULL}};

/* The job of a request; sessions have theirs. */
static const struct watch_job *find(const struct spdm_witness *w, uint8_t request)
{
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        if (jobs[i].job->request->code == request) return &jobs[i];
    }
    for (size_t i = 0; spdm_sessions_of(&w->plain.cfg) != NULL && i < spdm_watch_session_n; i++) {
        if (spdm_watch_sessions[i].job->request->code == request) return &spdm_watch_sessions[i];
    }
    return NULL;
}

/* ---- reading ---- */

/* A message that is known, but not described. */
static void walk_head(struct io *io, union spdm_body *b)
{
    uint8_t byte = 0;

    (void)b;
    io_u8(io, "Param1", &byte);
    io_u8(io, "Param2", &byte);
}

/* As spdm_conn_decode(), and shown while it is read. */
static uint8_t show(const struct spdm_witness *w, struct passing *p, const struct spdm_message *row)
{
    struct conn *c = &p->side->c;
    bool asks = row->code >= 0x80;
    struct spdm_span *bytes = asks ? &p->x.request : &p->x.response;
    struct io io = {.rd = *bytes, .end = bytes->n, .inside = c->inside, .see = w->watch.see, .see_ctx = w->watch.ctx};
    struct spdm_message known = *row;

    if (known.walk == NULL) known.walk = walk_head;
    spdm_conn_shape(c, row->code, &p->x.req, &io.sh);
    if (!spdm_decode(&io, &known, asks ? &p->x.req : &p->x.rsp)) {
        spdm_io_report(&io, row, &c->report);
        return io.why;
    }
    p->x.signature_at = io.signature_at;
    p->x.verify_at = io.verify_at;
    bytes->n = row->walk != NULL ? io.at : bytes->n;
    p->sight->n = bytes->n;
    return SPDM_WHY_FINE;
}

/* ---- requests ---- */

/* Where a request is legal. GET_CAPABILITIES and NEGOTIATE_ALGORITHMS may come twice if nobody answered in time; what
 * is legal in an envelope is another table. */
static void check_phase(struct spdm_witness *w, const struct watch_side *side, const struct spdm_message *row)
{
    const struct session *s = side->c.channel;
    unsigned phase = s == NULL ? side->c.phase : s->state == SESSION_ESTABLISHED ? PHASE_SESSION : PHASE_HANDSHAKE;
    bool again = (row->code == CODE_GET_CAPABILITIES && phase == PHASE_CAPABLE) ||
                 (row->code == CODE_NEGOTIATE_ALGORITHMS && phase == PHASE_NEGOTIATED && side->c.after_vca);

    if (side == &w->turned || again || phase == PHASE_START || (row->legal & phase) != 0) return;
    (void)refuse(&w->plain.c, NOT_NOW, NULL, 0, 0);
}

/* What a request changes before its answer. */
static void request_effects(struct spdm_witness *w, struct watch_side *side, const struct spdm_message *row,
                            const union spdm_body *req)
{
    struct conn *c = &side->c;

    spdm_conn_reset_by(c, row);
    if (row->code == CODE_GET_VERSION) {
        spdm_conn_restart(c);
        spdm_watch_forget_slots(side);
        spdm_watch_forget_slots(&w->turned);
    } else if (row->code == CODE_GET_CERTIFICATE) {
        if (req->get_certificate.offset == 0 || req->get_certificate.slot != c->facts.slot) {
            c->chain_have = c->chain_total = 0;
        }
        spdm_watch_slot(side, req->get_certificate.slot);
    } else if (row->code == CODE_CHALLENGE) {
        spdm_watch_slot(side, req->challenge.slot);
    } else if (row->code == CODE_GET_MEASUREMENTS && req->get_measurements.sign) {
        spdm_watch_slot(side, req->get_measurements.slot);
    } else if (row->code == CODE_GET_ENDPOINT_INFO && req->order.endpoint.sign) {
        spdm_watch_slot(side, req->order.endpoint.slot);
    }
}

static void keep(struct spdm_witness *w, struct watch_side *side, struct spdm_span message)
{
    if (!spdm_watch_room(w, side, side->request_room, message.n)) return;
    memcpy(side->request.p, message.p, message.n);
    side->request_n = message.n;
    side->put_off = false;
}

/* The request that waits while another comes; one that comes once more is a retry. */
static uint8_t waiting(const struct watch_side *side, struct spdm_span next)
{
    struct spdm_span first = spdm_span(side->request.p, side->request_n);

    if (first.n < 2 || side->put_off || spdm_equal(first, spdm_part(next, 0, first.n))) return 0;
    return first.p[1];
}

static void request(struct spdm_witness *w, struct passing *p)
{
    struct watch_side *side = p->side;
    struct conn *c = &side->c;
    uint8_t code = p->sight->code;
    const struct spdm_message *row = spdm_message_find(code);
    const struct watch_job *job = find(w, code);

    if (!p->sight->reassembled && !p->sight->enveloped) w->chunk_asked = 0;
    /* The deferred request stays the one to be answered, and the one whose response is fetched. */
    if (row == &spdm_message_RESPOND_IF_READY || row == &spdm_message_CHUNK_GET || row == &spdm_message_CHUNK_SEND) {
        if (show(w, p, row) != SPDM_WHY_FINE) return;
        if (row != &spdm_message_RESPOND_IF_READY) w->chunk_asked = code;
        if (row == &spdm_message_CHUNK_SEND) spdm_watch_chunk_send(w, p);
        return;
    }
    if (row != &spdm_message_GET_VERSION) p->sight->unanswered = waiting(side, p->x.request);
    side->request_n = 0;
    if (row == NULL || code < 0x80) {
        (void)refuse(c, UNKNOWN_CODE, NULL, code, 0);
        return;
    }
    if (row == &spdm_message_GET_CAPABILITIES) (void)spdm_conn_version(c, p->x.request.p[0]);
    if (show(w, p, row) != SPDM_WHY_FINE) return;
    check_phase(w, side, row);
    request_effects(w, side, row, &p->x.req);
    keep(w, side, p->x.request);
    if (job != NULL && job->asked != NULL) job->asked(w, p);
}

/* ---- responses ---- */

static void after(struct spdm_witness *w, const struct verify_job *job, const struct passing *p)
{
    struct watch_side *side = p->side;
    struct conn *c = &side->c;
    struct slot_known *k;
    struct spdm_span chain = spdm_span(c->cfg->chain.p, c->chain_have);

    if (job == &spdm_verify_digests) spdm_watch_digests(side, &p->x.rsp.digests);
    if (job == &spdm_verify_certificate && c->chain_have == c->chain_total) {
        k = spdm_watch_known(side, c->facts.slot);
        if (!k->hash_known) k->hash_known = spdm_conn_digest(c, &chain, 1, k->hash);
        w->ask = k->key == NULL;
        w->ticket++;
    }
    if (job == &spdm_verify_challenge && p->x.rsp.challenge_auth.basic_mut_auth && side == &w->plain) {
        spdm_watch_begin_flow(w, 0);
    }
    if (job == &spdm_verify_measurements) {
        w->measured = true;
        w->record = p->x.rsp.measurements.record;
    }
}

/* The signature over the transcript so far; the transcript ends with it, whether anybody can check it or not. */
static void check(struct passing *p, const struct verify_job *job)
{
    struct conn *c = &p->side->c;
    struct spdm_span signature = spdm_part(p->x.response, p->x.signature_at, p->x.response.n);
    enum signed_by by = (enum signed_by)job->signed_by;
    struct exchange proven = {.request = p->x.request, .response = spdm_part(p->x.response, 0, p->x.signature_at)};
    struct to_sign input;
    bool known = by == SIGNED_ENDPOINT_INFO
                     ? spdm_conn_exchange_digest(c, &proven, input.digest)
                     : spdm_transcript_digest(spdm_conn_transcript(c, by), spdm_conn_signed(by), input.digest);

    p->sight->signature = SPDM_SIGNATURE_UNCHECKED;
    if (c->key != NULL && !known) (void)refuse(c, CRYPTO_FAILED, "the transcript's digest", 0, 0);
    if (c->key != NULL && known) {
        p->sight->signature =
            spdm_verify_signature(c, by, &input, signature) == SPDM_WHY_FINE ? SPDM_SIGNATURE_GOOD : SPDM_SIGNATURE_BAD;
    }
    if (by != SIGNED_ENDPOINT_INFO) spdm_conn_reset_signed(c, by); /* R-CHL-23, R-MEA-23 */
}

/* A request of the negotiation that came twice counts once (transcripts.md section 2). */
static bool entered_already(const struct conn *c, const struct spdm_message *row, const struct exchange *x)
{
    struct spdm_span vca = spdm_span(c->tr.vca, c->tr.vca_n);
    size_t n = x->request.n + x->response.n;

    if ((row->joins & JOINS_VCA) == 0 || n > vca.n) return false;
    return spdm_equal(spdm_part(vca, vca.n - n, x->request.n), x->request) &&
           spdm_equal(spdm_part(vca, vca.n - x->response.n, x->response.n), x->response);
}

/* Transcripts, signature, facts: as spdm_verify_finish(), and on to the end whatever is wrong on the way. */
static void enter(struct spdm_witness *w, const struct verify_job *job, struct passing *p)
{
    struct conn *c = &p->side->c;
    size_t signature_at = p->x.signature_at;
    struct spdm_span proven = signature_at != 0 ? spdm_part(p->x.response, 0, signature_at) : p->x.response;

    if (job->signed_by == SIGNED_ENDPOINT_INFO && signature_at != 0) spdm_watch_alone(w, p);
    if (entered_already(c, job->request, &p->x)) return;
    if (!spdm_watch_enter(w, p->side, job->request, p->x.request) ||
        !spdm_watch_enter(w, p->side, job->response, proven)) {
        (void)refuse(c, NO_ROOM, "the transcript VCA", p->x.request.n + p->x.response.n, c->tr.vca_max);
        return;
    }
    if (signature_at != 0) check(p, job);
    w->proven = p->sight->signature == SPDM_SIGNATURE_GOOD;
    if (job == &spdm_verify_challenge) c->challenged = true;
    if (p->sight->signature == SPDM_SIGNATURE_BAD) return;
    if (p->sight->signature != SPDM_SIGNATURE_UNCHECKED) job->learn(c, &p->x);
    after(w, job, p);
}

/* A decoded response to the request at hand. What breaks a rule is said, and what follows is read all the same: the two
 * ends may well have gone on. */
static void judge(struct spdm_witness *w, const struct watch_job *watch, struct passing *p)
{
    const struct verify_job *job = watch->job;
    struct conn *c = &p->side->c;
    struct spdm_report first;

    if (job == &spdm_verify_digests) c->facts.trusted = false; /* learn the slot anew */
    if (job == &spdm_verify_certificate && !spdm_watch_portion(w, p)) return;
    if (job == &spdm_verify_challenge) spdm_watch_adopt(p->side, &p->x.rsp.challenge_auth);
    if (job == &spdm_verify_key_exchange)
        spdm_watch_forget(w, p->x.req.key_exchange.session, p->x.rsp.key_exchange_rsp.session);
    if (job == &spdm_verify_psk_exchange)
        spdm_watch_forget(w, p->x.req.psk_exchange.session, p->x.rsp.psk_exchange_rsp.session);
    (void)job->judge(c, &p->x);
    first = c->report;
    if (watch->answered != NULL) watch->answered(w, p);
    else enter(w, job, p);
    if (first.why == SPDM_WHY_FINE) return;
    c->report = first;
    w->proven = false;
}

static void error(struct spdm_witness *w, struct passing *p)
{
    enum { BUSY = 0x03, LARGE_RESPONSE = 0x0f, NOT_READY = 0x42, RESYNCH = 0x43 };
    struct watch_side *side = p->side;
    const struct error *e = &p->x.rsp.error;

    if (show(w, p, &spdm_message_ERROR) != SPDM_WHY_FINE) return;
    side->put_off = e->code == NOT_READY || e->code == BUSY || e->code == LARGE_RESPONSE;
    if (side->put_off) return;                                       /* the request still waits */
    spdm_transcript_reset(spdm_conn_log(&side->c), TRANSCRIPT_L1L2); /* R-MEA-25 */
    if (side == &w->plain && spdm_sessions_of(&side->cfg) != NULL) spdm_watch_refused(w, p, e->code);
    if (e->code == RESYNCH) spdm_conn_restart(&side->c);
    side->request_n = 0;
}

/* A response that no job judges: known and perhaps not described, without its request, or the answer to another. */
static void unjudged(struct spdm_witness *w, struct passing *p)
{
    struct conn *c = &p->side->c;
    const struct spdm_message *row = spdm_message_find(p->sight->code);
    uint8_t asked = p->sight->answers;

    if (row == NULL || row->code >= 0x80) {
        (void)refuse(c, UNKNOWN_CODE, NULL, p->sight->code, 0);
        return;
    }
    if (asked != 0 && (asked & 0x7f) != row->code) {
        (void)refuse(c, BAD_CODE, "RequestResponseCode", row->code, asked & 0x7fu);
        return;
    }
    (void)show(w, p, row);
    /* Without the request its layout is not known for sure. */
    if (asked == 0) c->report = (struct spdm_report){0};
}

/* It brings, or answers, what is about to be put together. */
static void chunk(struct spdm_witness *w, struct passing *p)
{
    bool fetched = p->sight->code == CODE_CHUNK_RESPONSE;

    if ((w->chunk_asked & 0x7f) != p->sight->code) {
        unjudged(w, p);
        return;
    }
    p->sight->answers = w->chunk_asked;
    w->chunk_asked = 0;
    if (show(w, p, fetched ? &spdm_message_CHUNK_RESPONSE : &spdm_message_CHUNK_SEND_ACK) != SPDM_WHY_FINE) return;
    if (fetched) spdm_watch_chunk_response(w, p);
    else spdm_watch_chunk_ack(w, p);
}

static void response(struct spdm_witness *w, struct passing *p)
{
    struct watch_side *side = p->side;
    struct spdm_sight *s = p->sight;
    const struct watch_job *job;

    s->answers = side->request_n < 2 ? 0 : side->request.p[1];
    if (s->code == CODE_ERROR) {
        error(w, p);
        return;
    }
    if (s->code == CODE_CHUNK_RESPONSE || s->code == CODE_CHUNK_SEND_ACK) {
        chunk(w, p);
        return;
    }
    p->x.request = spdm_span(side->request.p, side->request_n);
    side->request_n = 0;
    job = s->answers != 0 ? find(w, s->answers) : NULL;
    if (job == NULL || job->job->response->code != s->code) {
        unjudged(w, p);
        return;
    }
    (void)spdm_conn_decode(&side->c, job->job->request, &p->x);
    if (show(w, p, job->job->response) != SPDM_WHY_FINE) return;
    judge(w, job, p);
}

void spdm_watch_message(struct spdm_witness *w, struct watch_side *side, bool asks, struct spdm_sight *s)
{
    struct passing p = {.side = side, .sight = s};

    if (asks) {
        p.x.request = s->message;
        request(w, &p);
    } else {
        p.x.response = s->message;
        response(w, &p);
    }
}
