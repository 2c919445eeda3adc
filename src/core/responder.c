/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The responder's engine: dispatch in the order of state-machine.md section 2,
 * questions to the caller, deferral, retries. What is particular to a message
 * is in its job; only responder_error.c writes an ERROR. */
#include "core/large.h"
#include "core/mutual.h"
#include "core/opaque.h"

enum { HEAD_ONLY = 8 };

void spdm_responder_tell(struct spdm_responder *rs, enum spdm_event_kind kind)
{
    rs->told = (uint16_t)(rs->told | 1u << kind);
}

void spdm_responder_idle(struct spdm_responder *rs)
{
    if (spdm_responder_opening(rs) != NULL)
        spdm_sessions_of(rs->c.cfg)->free(&rs->c, rs->opening); /* the id goes back (withstand 8) */
    rs->opening = NULL;
    if (spdm_responder_large(rs) != NULL) rs->c.cfg->chunks->idle(rs);
    if (spdm_responder_at(rs) != NULL) spdm_responder_forget(rs);
    if (spdm_responder_inner(rs) != NULL) rs->c.cfg->mutual->dropped(rs);
    rs->stage = STAGE_IDLE;
    rs->need = rs->then = SPDM_NOTHING;
    rs->deferred = false;
    rs->due = SPDM_NEVER;
    rs->ticket++;
}

/* The session in which this happened cannot go on (R-SSN-05, R-PSF-05); nor can a handshake in which we failed: its
 * transcript may have got what was refused. */
static bool ends_session(const struct session *at, uint8_t why)
{
    if (at->state == SESSION_HANDSHAKE && (why == SPDM_WHY_CRYPTO_FAILED || why == SPDM_WHY_NO_ROOM)) return true;
    return why == SPDM_WHY_BAD_ENCAPSULATED || why == SPDM_WHY_BAD_VERIFY_DATA || why == SPDM_WHY_BAD_PSK_FINISH ||
           why == SPDM_WHY_BAD_RECORD || why == SPDM_WHY_OTHER_MODE;
}

/* A message was refused, perhaps not the one that is being answered. */
void spdm_responder_turn_away(struct spdm_responder *rs, uint8_t why, uint8_t code)
{
    if (rs->c.report.code == 0) rs->c.report.code = code;
    rs->c.report.version = rs->c.facts.version;
    /* R-MEA-24, R-MEA-25; an invalid GET_VERSION leaves everything as it is (R-VSN-13) */
    if (code != CODE_GET_VERSION) spdm_transcript_reset(spdm_conn_log(&rs->c), TRANSCRIPT_L1L2);
    spdm_responder_refuse(rs, why, code);
    if (!SPDM_WHOLE || why != SPDM_WHY_DECLINED) spdm_responder_tell(rs, SPDM_FAILED); /* else it is the caller's own */
}

/* The request at hand was refused. */
static void refused(struct spdm_responder *rs, uint8_t why, uint8_t code)
{
    spdm_responder_turn_away(rs, why, code);
    if (SPDM_SESSIONS && rs->at != NULL && ends_session(rs->at, why)) spdm_responder_lose(rs, rs->at, why);
}

/* Frames the response where it was built: as it is, or sealed in the session it belongs to. */
static size_t frame(struct spdm_responder *rs)
{
    const struct spdm_config *cfg = rs->c.cfg;
    struct spdm_room body = spdm_conn_out(&rs->c);
    size_t n = rs->shift;
    struct outgoing out = {.direction = RESPONSE, .room = cfg->out};

    if (SPDM_CHUNKS && n != 0 && cfg->chunks->acknowledge(rs, body) == 0) { /* that has been said: the response alone */
        (void)spdm_put(body, spdm_part(spdm_span(body.p, body.n), n, rs->response_n));
        n = 0;
    }
    n += rs->response_n;
    out.message = spdm_span(body.p, n);
    if (!spdm_responder_in_records(rs)) return cfg->binding->wrap(cfg->out, n, false);
    return spdm_sessions_of(cfg)->seal(&rs->c, spdm_conn_channel(&rs->c), &out);
}

static void sent(struct spdm_responder *rs)
{
    if (rs->job->response->code == CODE_ALGORITHMS) spdm_responder_tell(rs, SPDM_CONNECTED);
    if (rs->job->sent != NULL) rs->job->sent(rs);
    spdm_responder_idle(rs);
}

void spdm_responder_sent(struct spdm_responder *rs)
{
    if (SPDM_CHUNKS) sent(rs);
}

/* A session that can say nothing any more is over. */
bool spdm_responder_spent(struct spdm_responder *rs)
{
    struct session *s = spdm_conn_channel(&rs->c);

    if (!SPDM_SESSIONS || s == NULL || !spdm_session_spent(s, RESPONSE)) return false;
    spdm_responder_lose(rs, s, SPDM_WHY_SPENT);
    return true;
}

/* The finished response goes out, unless the requester has to come for it. */
static void hand_out(struct spdm_responder *rs)
{
    const struct spdm_config *cfg = rs->c.cfg;
    uint8_t code = rs->request[1];

    rs->stage = STAGE_READY;
    rs->due = SPDM_NEVER;
    if (rs->deferred || (spdm_responder_large(rs) != NULL && cfg->chunks->hold(rs))) return;
    rs->send_n = frame(rs);
    rs->kept = cfg->out_shared || spdm_responder_in_records(rs) ? 0 : rs->send_n;
    if (rs->send_n != 0) {
        rs->send = SEND_OUT;
        sent(rs);
        return;
    }
    spdm_responder_idle(rs);
    rs->kept = 0;
    if (spdm_responder_spent(rs)) return;
    refused(rs, refuse(&rs->c, NO_ROOM, "the frame", rs->response_n, cfg->out.n), code);
}

/* After each step of building: done, one more question, or refused. Who was told to come again gets the refusal when it
 * comes: nothing is sent unasked (R-TIM-14). */
void spdm_responder_proceed(struct spdm_responder *rs, uint8_t why)
{
    if (why != SPDM_WHY_FINE && rs->deferred) {
        rs->stage = STAGE_REFUSED;
        rs->later = rs->c.report;
        rs->later.why = why;
    } else if (why != SPDM_WHY_FINE) {
        uint8_t code = rs->request[1];

        spdm_responder_idle(rs);
        refused(rs, why, code);
    } else if (rs->stage == STAGE_READY) {
        hand_out(rs);
    } else {
        rs->ticket++;
        rs->asked = false;
    }
}

static const struct prove_job *find(const struct spdm_responder *rs, uint8_t code)
{
    const struct spdm_services *services = rs->c.cfg->services;

    for (uint8_t i = 0; i < services->n; i++) {
        if (services->job[i]->request->code == code) return services->job[i];
    }
    return NULL;
}

/* The phase that decides what is legal: the session's if the request came in one. */
static unsigned phase(const struct spdm_responder *rs)
{
    const struct session *s = spdm_conn_channel(&rs->c);

    if (s == NULL) return rs->c.phase;
    return s->state == SESSION_HANDSHAKE ? PHASE_HANDSHAKE : PHASE_SESSION;
}

/* UnexpectedRequest, or by policy RequestResynch, to this request and to all until GET_VERSION. RequestResynch, too, to
 * who relies on our CACHE_CAP where nothing was kept (R-VCA-03). */
static uint8_t out_of_order(struct spdm_responder *rs, uint8_t code)
{
    struct conn *c = &rs->c;

    if (SPDM_WHOLE && c->phase == PHASE_START && (c->cfg->policy->flags & SPDM_CACHE_CAP) != 0)
        return refuse(c, RESYNCH, NULL, code, 0);
    if (!c->cfg->policy->resynch_out_of_order || spdm_conn_channel(c) != NULL) return refuse(c, NOT_NOW, NULL, code, 0);
    spdm_responder_resynch(rs);
    return refuse(c, RESYNCH, NULL, code, 0);
}

/* Code, version, capability, phase: everything that needs no look into the body. */
static uint8_t judge_header(struct spdm_responder *rs, const struct prove_job *job, struct spdm_span message)
{
    struct conn *c = &rs->c;
    uint8_t version = message.p[0], code = message.p[1];

    if (rs->resynch && code != CODE_GET_VERSION) {
        return refuse(c, RESYNCH, NULL, 0, 0);
    }
    if (job == NULL || (c->phase > PHASE_VERSION && c->facts.version < job->request->since)) {
        return refuse(c, UNKNOWN_CODE, NULL, code, 0);
    }
    if (code == CODE_GET_CAPABILITIES && c->phase == PHASE_VERSION) {
        if (spdm_conn_version(c, version)) return SPDM_WHY_FINE;
        c->facts.version = 0; /* one that a refused GET_CAPABILITIES tried is not fixed either */
        return refuse(c, BAD_VERSION, "SPDMVersion R-VSN-10", version, 0);
    }
    /* VERSION: the header must carry the negotiated one */
    if (code == CODE_GET_VERSION ? version != SPDM_V10 : c->facts.version != 0 && version != c->facts.version) {
        /* VERSION: GET_VERSION's own is frozen */
        return refuse(c, BAD_VERSION, "SPDMVersion R-VSN-09", version,
                      code == CODE_GET_VERSION ? (uint8_t)SPDM_V10 : c->facts.version);
    }
    if (c->phase >= PHASE_NEGOTIATED && job->request->needs != 0 &&
        (c->facts.responder.flags & job->request->needs) == 0) {
        return refuse(c, UNSUPPORTED, "the request", code, 0);
    }
    if (spdm_responder_inner(rs) != NULL && c->cfg->mutual->blocks(rs, code))
        return refuse(c, IN_FLIGHT, NULL, code, 0); /* C7 */
    if ((job->request->legal & phase(rs)) != 0) return SPDM_WHY_FINE;
    if (SPDM_SESSIONS && phase(rs) == PHASE_NEGOTIATED && (job->request->legal & PHASE_NEGOTIATED) == 0 &&
        (job->request->legal & (PHASE_HANDSHAKE | PHASE_SESSION)) != 0) {
        return refuse(c, SESSION_REQUIRED, NULL, code, 0); /* R-SSN-14 */
    }
    return out_of_order(rs, code);
}

static bool exact(const struct spdm_responder *rs)
{
    return spdm_responder_in_records(rs) || (spdm_responder_large(rs) != NULL && rs->large->inside);
}

/* In the connection's own room; or in lent room, where a large one was put together. */
static uint8_t keep(struct spdm_responder *rs, struct spdm_span request)
{
    rs->request_n = (uint32_t)request.n;
    if (spdm_put((struct spdm_room){rs->request, rs->request_max}, request)) return SPDM_WHY_FINE;
    if (spdm_responder_large(rs) == NULL || rs->c.cfg->lender == NULL)
        return refuse(&rs->c, NO_ROOM, "the request", request.n, rs->request_max);
    return rs->c.cfg->chunks->keep(rs, request) ? SPDM_WHY_FINE : refuse_size(&rs->c, ALL_LENT, request.n, 0);
}

/* Decodes, judges, and begins to answer. */
static uint8_t serve(struct spdm_responder *rs, const struct prove_job *job, struct spdm_span message)
{
    struct exchange x = {.request = message};
    uint8_t why = spdm_conn_decode(&rs->c, job->request, &x);
    size_t n = x.request.n; /* padding of the transport ends here */

    if (why != SPDM_WHY_FINE) return why;
    if (n != message.n && exact(rs)) { /* nothing pads inside a record, or in chunks */
        return refuse(&rs->c, BAD_LENGTH, "the message", message.n, n);
    }
    if (SPDM_WHOLE && job->head_only && n > HEAD_ONLY) n = HEAD_ONLY;
    why = keep(rs, spdm_part(message, 0, n));
    if (why != SPDM_WHY_FINE) return why;
    rs->request_verify_at = (uint32_t)x.verify_at;
    rs->request_signature_at = (uint32_t)x.signature_at;
    rs->job = job;
    why = job->consider(rs, &x.req);
    if (why != SPDM_WHY_FINE) return why;
    if (SPDM_WHOLE) spdm_opaque_hear(&rs->c, job->request->code, &x.req);
    if (SPDM_WHOLE && job->asks != SPDM_NOTHING) spdm_responder_pose(rs, &x);
    rs->due = (job->request->joins & JOINS_VCA) != 0 ? SPDM_NEVER : rs->now + spdm_responder_promise(rs);
    rs->stage = STAGE_NEED;
    return rs->need == SPDM_NOTHING ? spdm_responder_build(rs, &x) : SPDM_WHY_FINE;
}

/* Padding of the transport may follow. */
static bool same_request(const struct spdm_responder *rs, struct spdm_span message)
{
    if (SPDM_CHUNKS && rs->request_n == 0) return false; /* a large one is forgotten when it is answered */
    if (SPDM_WHOLE && rs->job->asks != SPDM_NOTHING && rs->job->head_only) {
        return spdm_conn_mark(message) == rs->request_mark;
    }
    return spdm_equal(spdm_part(message, 0, rs->request_n), spdm_span(rs->request, rs->request_n));
}

/* A repeat of the last request that can only be a retry gets the kept answer and enters no transcript (R-TIM-15,
 * R-ORD-01). Without a nonce or a once-only place in the protocol a repeat may be meant, so it is served anew. */
static bool is_retry(const struct spdm_responder *rs, struct spdm_span message)
{
    uint8_t code = message.p[1];
    bool once = code == CODE_GET_CAPABILITIES || code == CODE_NEGOTIATE_ALGORITHMS || code == CODE_CHALLENGE ||
                (code == CODE_GET_MEASUREMENTS && message.n > NONCE_BYTES);

    return rs->kept != 0 && spdm_conn_channel(&rs->c) == NULL && once && same_request(rs, message);
}

static void begin(struct spdm_responder *rs, struct spdm_span message)
{
    uint8_t code = message.p[1], why; /* a large request is gone when it has been refused */
    const struct prove_job *job = find(rs, code);

    rs->c.report = (struct spdm_report){0};
    if (is_retry(rs, message)) {
        rs->send = SEND_OUT;
        rs->send_n = rs->kept;
        return;
    }
    why = judge_header(rs, job, message);
    if (why == SPDM_WHY_FINE) {
        spdm_responder_idle(rs); /* a deferred request gives way, and the session it was to open (R-RIR-09) */
        rs->at = spdm_conn_channel(&rs->c);
        if (job->request->code == CODE_GET_VERSION) spdm_responder_restart(rs);
        rs->kept = 0;
        spdm_conn_reset_by(&rs->c, job->request);
        why = serve(rs, job, message);
        if (why == SPDM_WHY_FINE) {
            spdm_responder_proceed(rs, why);
            return;
        }
        spdm_responder_idle(rs);
        refused(rs, why, code);
    } else {
        spdm_responder_turn_away(rs, why, code);
    }
}

/* The request at hand has come once more. It has one answer (R-TIM-15, R-TIM-19, R-ORD-11): the one that waits to be
 * fetched, ResponseNotReady if that was said, and as long as nothing was said, silence. */
static void repeated(struct spdm_responder *rs)
{
    if (!rs->deferred) return;
    if (rs->stage == STAGE_READY) {
        rs->deferred = false;
        hand_out(rs);
    } else if (rs->stage == STAGE_REFUSED) {
        uint8_t why = rs->later.why, code = rs->request[1];

        rs->c.report = rs->later;
        spdm_responder_idle(rs);
        refused(rs, why, code);
    } else {
        spdm_responder_not_ready(rs);
    }
}

void spdm_responder_repeated(struct spdm_responder *rs)
{
    if (SPDM_CHUNKS) repeated(rs);
}

bool spdm_responder_same(const struct spdm_responder *rs, struct spdm_span message)
{
    return SPDM_CHUNKS && same_request(rs, message);
}

void spdm_responder_restart(struct spdm_responder *rs)
{
    if (SPDM_WHOLE) rs->encap = (struct encap_rs){0};
    if (spdm_responder_large(rs) != NULL) rs->c.cfg->chunks->end(rs, NULL);
    if (rs->c.facts.negotiated) spdm_responder_tell(rs, SPDM_RESTARTED);
    spdm_conn_restart(&rs->c);
    rs->opening = NULL; /* gone with all sessions */
    rs->resynch = false;
    spdm_responder_idle(rs);
}

/* RESPOND_IF_READY: the deferred response if it is ready, ResponseNotReady again if not. */
static void fetch_deferred(struct spdm_responder *rs, struct spdm_span message)
{
    rs->c.report = (struct spdm_report){0};
    if (rs->resynch) {
        spdm_responder_turn_away(rs, refuse(&rs->c, RESYNCH, NULL, 0, 0), message.p[1]);
    } else if (rs->c.phase != PHASE_NEGOTIATED ||
               (rs->deferred && spdm_conn_channel(&rs->c) != spdm_responder_at(rs))) { /* withstand 14 */
        spdm_responder_turn_away(rs, refuse(&rs->c, NOT_NOW, NULL, message.p[1], 0), message.p[1]);
    } else if (!rs->deferred) {
        spdm_responder_turn_away(rs, refuse(&rs->c, BAD_TOKEN, "RequestCode", message.p[2], 0), message.p[1]);
        /* VERSION: the header must carry the negotiated one */
    } else if (message.p[0] != rs->c.facts.version) {
        spdm_responder_turn_away(rs, refuse(&rs->c, BAD_VERSION, NULL, message.p[0], rs->c.facts.version),
                                 message.p[1]);
    } else if (message.p[2] != rs->request[1] || message.p[3] != rs->token) {
        spdm_responder_turn_away(rs, refuse(&rs->c, BAD_TOKEN, "Token", message.p[3], rs->token), message.p[1]);
    } else {
        repeated(rs);
    }
}

void spdm_responder_receive(struct spdm_responder *rs, struct session *from, struct spdm_span message)
{
    /* VERSION: GET_VERSION's own is frozen */
    bool version = from == NULL && message.p[1] == CODE_GET_VERSION && message.p[0] == SPDM_V10;

    if (SPDM_SESSIONS) spdm_conn_turn_to(&rs->c, from, from != NULL ? &from->tr : NULL);
    if (spdm_responder_large(rs) != NULL && rs->c.cfg->chunks->receive(rs, from, message)) return;
    if (message.p[1] == CODE_RESPOND_IF_READY) {
        fetch_deferred(rs, message);
    } else if (rs->stage != STAGE_IDLE && rs->at == from && same_request(rs, message)) {
        repeated(rs);
    } else if (rs->stage == STAGE_IDLE || rs->deferred || version) {
        begin(rs, message); /* takes the place of a deferred request; GET_VERSION of any (R-CONC-10) */
    } else {
        rs->c.report = (struct spdm_report){0};
        spdm_responder_turn_away(rs, refuse(&rs->c, BUSY, NULL, 0, 0), message.p[1]);
    }
}
