/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The responder's engine: dispatch in the order of state-machine.md section 2,
 * questions to the caller, deferral, retries. What is particular to a message
 * is in its job; only responder_error.c writes an ERROR. */
#include "core/responder_state.h"

enum { REQUEST_MAX = 160, ERROR_INVALID_REQUEST = 0x01 };

static size_t aligned(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static uint16_t request_max(const struct spdm_config *cfg)
{
    return cfg->request_max != 0 ? cfg->request_max : REQUEST_MAX;
}

size_t spdm_responder_size(const struct spdm_config *config)
{
    return aligned(sizeof(struct spdm_responder)) + spdm_conn_size(config) + request_max(config);
}

struct spdm_responder *spdm_responder_init(struct spdm_room memory, const struct spdm_config *config)
{
    void *place = memory.p;
    struct spdm_responder *rs = place;
    struct spdm_room behind = spdm_room_from(memory, aligned(sizeof *rs));

    if (memory.p == NULL || memory.n < spdm_responder_size(config)) return NULL;
    if (config->identity == NULL || config->services == NULL) return NULL;
    *rs = (struct spdm_responder){.request_max = request_max(config), .due = SPDM_NEVER};
    if (!spdm_conn_init(&rs->c, config, behind)) return NULL;
    rs->request = spdm_room_from(behind, spdm_conn_size(config)).p;
    return rs;
}

static void tell(struct spdm_responder *rs, enum spdm_event_kind kind)
{
    rs->told = (uint8_t)(rs->told | 1u << kind);
}

/* Forgets the request at hand; an open question becomes void. */
static void idle(struct spdm_responder *rs)
{
    rs->stage = STAGE_IDLE;
    rs->need = SPDM_NOTHING;
    rs->deferred = false;
    rs->due = SPDM_NEVER;
    rs->ticket++;
}

static void refused(struct spdm_responder *rs, uint8_t why, uint8_t code)
{
    if (rs->c.report.code == 0) rs->c.report.code = code;
    rs->c.report.version = rs->c.facts.version;
    /* R-MEA-24, R-MEA-25; an invalid GET_VERSION leaves everything as it is (R-VSN-13) */
    if (code != spdm_message_GET_VERSION.code) spdm_transcript_reset(&rs->c.tr, TRANSCRIPT_L1L2);
    spdm_responder_refuse(rs, why, code);
    tell(rs, SPDM_FAILED);
}

/* The finished response goes out, unless the requester has to come for it. */
static void hand_out(struct spdm_responder *rs)
{
    const struct spdm_config *cfg = rs->c.cfg;

    rs->stage = STAGE_READY;
    rs->due = SPDM_NEVER;
    if (rs->deferred) return;
    rs->send_n = cfg->binding->wrap(cfg->out, rs->response_n, false);
    rs->send = SEND_OUT;
    rs->kept = cfg->out_shared ? 0 : rs->send_n;
    if (rs->send_n == 0) refused(rs, refuse(&rs->c, NO_ROOM, "the frame", rs->response_n, cfg->out.n), rs->request[1]);
    if (rs->job->response == &spdm_message_ALGORITHMS) tell(rs, SPDM_CONNECTED);
    idle(rs);
}

/* After each step of building: done, one more question, or refused. */
static void proceed(struct spdm_responder *rs, uint8_t why)
{
    if (why != SPDM_WHY_FINE) {
        uint8_t code = rs->request[1];

        idle(rs);
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

/* Code, version, capability, phase: everything that needs no look into the body. */
static uint8_t judge_header(struct spdm_responder *rs, const struct prove_job *job, struct spdm_span message)
{
    struct conn *c = &rs->c;
    uint8_t version = message.p[0], code = message.p[1];

    if (rs->resynch && code != spdm_message_GET_VERSION.code) {
        return refuse(c, RESYNCH, NULL, 0, 0);
    }
    if (job == NULL || (c->phase > PHASE_VERSION && c->facts.version < job->request->since)) {
        return refuse(c, UNKNOWN_CODE, NULL, code, 0);
    }
    if (job->request == &spdm_message_GET_CAPABILITIES && c->phase == PHASE_VERSION) {
        if (spdm_conn_version(c, version)) return SPDM_WHY_FINE;
        c->facts.version = 0; /* one that a refused GET_CAPABILITIES tried is not fixed either */
        return refuse(c, BAD_VERSION, "SPDMVersion R-VSN-10", version, 0);
    }
    /* VERSION: the header must carry the negotiated one */
    if (job->request->fixed_ten ? version != SPDM_V10 : c->facts.version != 0 && version != c->facts.version) {
        return refuse(c, BAD_VERSION, "SPDMVersion R-VSN-09", version, c->facts.version);
    }
    if (c->phase == PHASE_NEGOTIATED && job->request->needs != 0 &&
        (c->facts.responder.flags & job->request->needs) == 0) {
        return refuse(c, UNSUPPORTED, "the request", code, 0);
    }
    return (job->request->legal & c->phase) != 0 ? SPDM_WHY_FINE : refuse(c, NOT_NOW, NULL, code, 0);
}

/* Decodes, judges, and begins to answer. */
static uint8_t serve(struct spdm_responder *rs, const struct prove_job *job, struct spdm_span message)
{
    union spdm_body req;
    struct shape sh = spdm_conn_shape(&rs->c, message.p[1], NULL);
    struct io io = spdm_reader(&sh, message);
    uint8_t why;

    if (!spdm_decode(&io, job->request, &req)) {
        spdm_io_report(&io, job->request, &rs->c.report);
        return io.why;
    }
    why = job->consider(rs, &req);
    if (why != SPDM_WHY_FINE) return why;
    if (io.at > rs->request_max) return refuse(&rs->c, NO_ROOM, "the request", io.at, rs->request_max);
    memcpy(rs->request, message.p, io.at); /* padding of the transport ends here */
    rs->request_n = (uint16_t)io.at;
    rs->job = job;
    rs->due = (job->request->joins & JOINS_VCA) != 0 ? SPDM_NEVER : rs->now + spdm_responder_promise(rs);
    rs->stage = STAGE_NEED;
    return rs->need == SPDM_NOTHING ? spdm_responder_build(rs, NULL) : SPDM_WHY_FINE;
}

/* Padding of the transport may follow. */
static bool same_request(const struct spdm_responder *rs, struct spdm_span message)
{
    return spdm_equal(spdm_part(message, 0, rs->request_n), spdm_span(rs->request, rs->request_n));
}

/* A repeat of the last request that can only be a retry gets the kept answer and enters no transcript (R-TIM-15,
 * R-ORD-01). Without a nonce or a once-only place in the protocol a repeat may be meant, so it is served anew. */
static bool is_retry(const struct spdm_responder *rs, struct spdm_span message)
{
    uint8_t code = message.p[1];
    bool once = code == spdm_message_GET_CAPABILITIES.code || code == spdm_message_NEGOTIATE_ALGORITHMS.code ||
                code == spdm_message_CHALLENGE.code ||
                (code == spdm_message_GET_MEASUREMENTS.code && message.n > NONCE_BYTES);

    return rs->kept != 0 && once && same_request(rs, message);
}

static void begin(struct spdm_responder *rs, struct spdm_span message)
{
    const struct prove_job *job = find(rs, message.p[1]);
    uint8_t why;

    rs->c.report = (struct spdm_report){0};
    if (is_retry(rs, message)) {
        rs->send = SEND_OUT;
        rs->send_n = rs->kept;
        return;
    }
    why = judge_header(rs, job, message);
    if (why == SPDM_WHY_FINE) {
        idle(rs); /* a deferred request gives way (R-RIR-09) */
        if (job->request == &spdm_message_GET_VERSION) spdm_responder_restart(rs);
        rs->kept = 0;
        spdm_conn_reset_by(&rs->c, job->request);
        why = serve(rs, job, message);
        if (why == SPDM_WHY_FINE) {
            proceed(rs, why);
            return;
        }
        idle(rs);
    }
    refused(rs, why, message.p[1]);
}

/* The request at hand has come once more. It has one answer (R-TIM-15, R-TIM-19, R-ORD-11): the one that waits to be
 * fetched, ResponseNotReady if that was said, and as long as nothing was said, silence. */
static void repeated(struct spdm_responder *rs)
{
    if (!rs->deferred) return;
    if (rs->stage == STAGE_READY) {
        rs->deferred = false;
        hand_out(rs);
    } else {
        spdm_responder_not_ready(rs);
    }
}

void spdm_responder_restart(struct spdm_responder *rs)
{
    if (rs->c.facts.negotiated) tell(rs, SPDM_RESTARTED);
    spdm_conn_restart(&rs->c);
    rs->resynch = false;
    idle(rs);
}

/* RESPOND_IF_READY: the deferred response if it is ready, ResponseNotReady again if not. */
static void fetch_deferred(struct spdm_responder *rs, struct spdm_span message)
{
    rs->c.report = (struct spdm_report){0};
    if (rs->resynch) {
        refused(rs, refuse(&rs->c, RESYNCH, NULL, 0, 0), message.p[1]);
    } else if (rs->c.phase != PHASE_NEGOTIATED) {
        refused(rs, refuse(&rs->c, NOT_NOW, NULL, message.p[1], 0), message.p[1]);
    } else if (!rs->deferred) {
        refused(rs, refuse(&rs->c, BAD_TOKEN, "RequestCode", message.p[2], 0), message.p[1]);
        /* VERSION: the header must carry the negotiated one */
    } else if (message.p[0] != rs->c.facts.version) {
        refused(rs, refuse(&rs->c, BAD_VERSION, NULL, message.p[0], rs->c.facts.version), message.p[1]);
    } else if (message.p[2] != rs->request[1] || message.p[3] != rs->token) {
        refused(rs, refuse(&rs->c, BAD_TOKEN, "Token", message.p[3], rs->token), message.p[1]);
    } else {
        repeated(rs);
    }
}

static void receive(struct spdm_responder *rs, struct spdm_span message)
{
    /* VERSION: GET_VERSION's own is frozen */
    bool version = message.p[1] == spdm_message_GET_VERSION.code && message.p[0] == SPDM_V10;

    if (message.p[1] == spdm_message_RESPOND_IF_READY.code) {
        fetch_deferred(rs, message);
    } else if (rs->stage != STAGE_IDLE && same_request(rs, message)) {
        repeated(rs);
    } else if (rs->stage == STAGE_IDLE || rs->deferred || version) {
        begin(rs, message); /* takes the place of a deferred request; GET_VERSION of any (R-CONC-10) */
    } else {
        rs->c.report = (struct spdm_report){0};
        refused(rs, refuse(&rs->c, BUSY, NULL, 0, 0), message.p[1]);
    }
}

void spdm_responder_push(struct spdm_responder *rs, struct spdm_span frame, uint64_t now)
{
    const struct spdm_config *cfg = rs->c.cfg;
    struct spdm_frame in;

    rs->now = now;
    if (rs->due <= now) spdm_responder_not_ready(rs);
    if (frame.n == 0) return;
    in = cfg->binding->unwrap(frame);
    if (in.kind == SPDM_FRAME_PLAIN && in.message.n >= 4) {
        receive(rs, in.message);
    } else if (in.kind == SPDM_FRAME_CONTROL && cfg->binding->control != NULL && rs->stage == STAGE_IDLE) {
        rs->send_n = cfg->binding->control(frame, cfg->out);
        rs->send = rs->send_n != 0 ? SEND_OUT : SEND_NOTHING;
        rs->kept = 0;
    } else {
        rs->c.report = (struct spdm_report){0};
        (void)refuse(&rs->c, NOT_A_FRAME, NULL, frame.n, 0); /* dropped */
        tell(rs, SPDM_FAILED);
    }
}

struct spdm_span spdm_responder_pull(struct spdm_responder *rs, uint64_t now)
{
    const uint8_t *from = rs->send == SEND_SMALL ? rs->small : rs->c.cfg->out.p;
    bool there;

    rs->now = now;
    if (rs->send == SEND_NOTHING && rs->due <= now) {
        spdm_responder_not_ready(rs);
        from = rs->small;
    }
    there = rs->send != SEND_NOTHING;
    rs->send = SEND_NOTHING;
    return there ? spdm_span(from, rs->send_n) : (struct spdm_span){0};
}

uint64_t spdm_responder_deadline(const struct spdm_responder *rs)
{
    return rs->send != SEND_NOTHING ? 0 : rs->due;
}

const struct spdm_facts *spdm_responder_facts(const struct spdm_responder *rs)
{
    return &rs->c.facts;
}

void spdm_responder_resynch(struct spdm_responder *rs)
{
    if (rs->c.phase == PHASE_START) return;
    idle(rs);
    rs->resynch = true;
    rs->kept = 0;
}

void spdm_responder_close(struct spdm_responder *rs)
{
    size_t behind = spdm_conn_size(rs->c.cfg) + rs->request_max;

    spdm_transcript_clear(&rs->c.tr);
    spdm_wipe(rs->c.tr.state[0], behind);
    spdm_wipe(rs, sizeof *rs);
}

bool spdm_responder_answer(struct spdm_responder *rs, const struct spdm_answer *answer)
{
    enum stage stage = rs->stage;
    uint8_t why;

    if ((stage != STAGE_NEED && stage != STAGE_SIGN) || answer->ticket != rs->ticket) return false;
    rs->c.report = (struct spdm_report){0};
    if (!answer->yes) {
        why = stage == STAGE_SIGN           ? refuse(&rs->c, SIGN_FAILED, NULL, 0, 0)
              : rs->need == SPDM_ASK_VENDOR ? refuse(&rs->c, UNSUPPORTED, "the vendor's protocol", rs->request[1], 0)
                                            : refuse(&rs->c, ANSWER_REFUSED, "measurements", 0, 0);
    } else {
        why = stage == STAGE_SIGN ? spdm_responder_sign(rs, answer->data) : spdm_responder_build(rs, answer);
    }
    proceed(rs, why);
    return true;
}
