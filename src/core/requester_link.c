/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A requester's two ends: the memory it lives in and the frames that pass. */
#include "core/large.h"
#include "core/mutual.h"

static size_t exchange_size(const struct spdm_config *cfg)
{
    return spdm_sessions_of(cfg) != NULL ? spdm_aligned(cfg->crypto->exchange_state_size) : 0;
}

static size_t large_size(const struct spdm_config *cfg)
{
    return spdm_chunks_of(cfg) != NULL ? spdm_aligned(cfg->chunks->requester_size) : 0;
}

size_t spdm_requester_inside_size(const struct spdm_config *cfg)
{
    return spdm_aligned(sizeof(struct spdm_requester)) + spdm_aligned(spdm_conn_size(cfg)) +
           spdm_aligned(spdm_conn_request_max(cfg));
}

size_t spdm_requester_size(const struct spdm_config *config)
{
    size_t inner = spdm_mutual_of(config) != NULL ? config->mutual->size(config) : 0;

    return spdm_requester_inside_size(config) + exchange_size(config) + large_size(config) + inner;
}

struct spdm_requester *spdm_requester_place(struct spdm_room memory, const struct spdm_config *cfg,
                                            const struct spdm_own *own)
{
    void *place = memory.p;
    struct spdm_requester *rq = place;
    struct spdm_room behind = spdm_room_from(memory, spdm_aligned(sizeof *rq));

    *rq = (struct spdm_requester){.own = own, .request_max = spdm_conn_request_max(cfg)};
    spdm_conn_place(&rq->c, cfg, behind);
    rq->request = spdm_room_from(behind, spdm_aligned(spdm_conn_size(cfg))).p;
    rq->c.inside = own->inside;
    return rq;
}

struct spdm_requester *spdm_requester_init(struct spdm_room memory, const struct spdm_config *config)
{
    static const struct spdm_own own = {.job = {[OWN_VERSION] = &spdm_verify_version,
                                                [OWN_CAPABILITIES] = &spdm_verify_capabilities,
                                                [OWN_ALGORITHMS] = &spdm_verify_algorithms,
                                                [OWN_MEASUREMENTS] = &spdm_verify_measurements,
                                                [OWN_VENDOR] = SPDM_WHOLE ? &spdm_verify_vendor : NULL},
                                        .inside = spdm_io_inside,
                                        .error = spdm_requester_error};
    struct spdm_room behind = spdm_room_from(memory, spdm_requester_inside_size(config));
    struct spdm_requester *rq;

    if (memory.p == NULL || memory.n < spdm_requester_size(config) || !spdm_conn_usable(config)) return NULL;
    if (spdm_sessions_of(config) != NULL && spdm_sessions_of(config)->asks == NULL) return NULL;
    rq = spdm_requester_place(memory, config, &own);
    rq->exchange = behind.p;
    memset(behind.p, 0, exchange_size(config));
    behind = spdm_room_from(behind, exchange_size(config));
    if (spdm_chunks_of(config) != NULL) {
        config->chunks->requester_place(rq, behind);
        behind = spdm_room_from(behind, large_size(config));
    }
    if (spdm_mutual_of(config) != NULL && !config->mutual->requester_place(rq, behind)) return NULL;
    return rq;
}

/* Whether the exchange at hand travels in records. They are never sent twice: the peer's counter has moved on, or it
 * has not, and nobody can tell (sessions.md section 10). */
static bool in_records(const struct spdm_requester *rq)
{
    return spdm_conn_in_records(&rq->c);
}

/* Sessions that nothing was heard of (R-HBT-04). */
static void expire(struct spdm_requester *rq, uint64_t now)
{
    struct session *s;

    while ((s = spdm_sessions_of(rq->c.cfg)->expired(&rq->c, now)) != NULL)
        spdm_requester_cut(rq, s, SPDM_WHY_SESSION_EXPIRED);
}

/* ... and the heartbeat that keeps the others alive (R-HBT-02). */
static void watch(struct spdm_requester *rq, uint64_t now)
{
    expire(rq, now);
    if (SPDM_WHOLE) (void)spdm_sessions_of(rq->c.cfg)->asks->heartbeat(rq, now);
}

/* What the passing of time brings. */
static void tick(struct spdm_requester *rq, uint64_t now)
{
    uint8_t tries = (uint8_t)(rq->tries - 1);

    rq->now = now;
    if (spdm_requester_large(rq) != NULL && rq->large->read) rq->c.cfg->chunks->settle(rq);
    if (spdm_sessions_of(rq->c.cfg) != NULL) watch(rq, now);
    if (rq->flight == FLIGHT_PAUSE && now >= rq->deadline) rq->flight = FLIGHT_SEND;
    if (rq->flight != FLIGHT_WAIT || now < rq->deadline) return;
    if (tries < rq->c.cfg->policy->retries && !in_records(rq)) {
        rq->retried = true;
        rq->flight = FLIGHT_SEND;
    } else {
        (void)refuse(&rq->c, TIMEOUT, NULL, rq->tries, spdm_requester_patience(rq));
        spdm_requester_fail(rq, rq->job->request->code);
    }
}

static void secured(struct spdm_requester *rq, struct spdm_span record, uint64_t now)
{
    struct incoming in = {.direction = RESPONSE};

    switch (spdm_sessions_of(rq->c.cfg)->open(&rq->c, record, now, &in)) {
    case FATE_DROP: break;
    case FATE_BROKEN: spdm_requester_cut(rq, in.session, SPDM_WHY_BAD_RECORD); break; /* R-SSN-07, R-APP-04 */
    case FATE_DATA:
        rq->data_session = in.session->id;
        rq->data = in.message;
        spdm_requester_tell(rq, SPDM_DATA);
        break;
    case FATE_MESSAGE:
        if (rq->flight == FLIGHT_WAIT && spdm_conn_channel(&rq->c) == in.session)
            spdm_requester_receive(rq, in.message, now);
        break;
    }
}

void spdm_requester_push(struct spdm_requester *rq, struct spdm_span frame, uint64_t now)
{
    struct spdm_frame in;

    if (frame.n == 0) tick(rq, now);
    rq->now = now;
    if (frame.n == 0) return;
    spdm_session_forget(&rq->c);
    if (spdm_sessions_of(rq->c.cfg) != NULL) expire(rq, now);
    in = rq->c.cfg->binding->unwrap(frame);
    if (in.kind == SPDM_FRAME_SECURED && spdm_sessions_of(rq->c.cfg) != NULL) {
        secured(rq, in.message, now);
    } else if (rq->flight != FLIGHT_WAIT) {
        return;
    } else if (in.kind == SPDM_FRAME_PLAIN && !in_records(rq)) {
        spdm_requester_receive(rq, in.message, now);
    } else if (rq->c.cfg->policy->retries == 0) {
        (void)refuse(&rq->c, NOT_A_FRAME, NULL, frame.n, 0);
        spdm_requester_fail(rq, rq->job->response->code);
    }
}

/* Puts the request together where it will be framed. */
static struct spdm_span gather(struct spdm_requester *rq)
{
    struct spdm_room room = spdm_conn_out(&rq->c);

    if (!spdm_put(room, spdm_span(rq->request, rq->request_n)) ||
        !spdm_put(spdm_room_from(room, rq->request_n), rq->tail)) {
        return (struct spdm_span){0};
    }
    return spdm_span(room.p, rq->request_n + rq->tail.n);
}

/* The request in flight, or RESPOND_IF_READY for it, framed in `out`; 0 if it does not fit. */
static size_t frame(struct spdm_requester *rq)
{
    const struct spdm_config *cfg = rq->c.cfg;
    uint8_t ready[4] = {rq->c.ed->version, CODE_RESPOND_IF_READY, rq->job->request->code, rq->token};
    struct spdm_span message = rq->ask_ready ? spdm_span(ready, sizeof ready) : spdm_span(rq->request, rq->request_n);
    struct outgoing out = {.direction = REQUEST, .message = message, .room = cfg->out};
    struct spdm_span portion = spdm_requester_large(rq) != NULL ? cfg->chunks->next(rq) : (struct spdm_span){0};

    if (portion.n == 0 && SPDM_WHOLE && rq->tail.n != 0 && !rq->ask_ready) {
        portion = gather(rq);
        if (portion.n == 0) return 0;
    }
    if (portion.n != 0) out.message = message = portion; /* it lies where it is framed */
    if (in_records(rq)) return spdm_sessions_of(cfg)->seal(&rq->c, spdm_conn_channel(&rq->c), &out);
    if (!spdm_put(spdm_room_from(cfg->out, cfg->binding->head), message)) return 0;
    return cfg->binding->wrap(cfg->out, message.n, false);
}

struct spdm_span spdm_requester_pull(struct spdm_requester *rq, uint64_t now)
{
    const struct spdm_config *cfg = rq->c.cfg;
    size_t n = SPDM_SESSIONS ? rq->queued : 0;

    tick(rq, now);
    rq->queued = 0;
    if (n != 0) return spdm_span(cfg->out.p, n);
    if (rq->flight != FLIGHT_SEND) return (struct spdm_span){0};
    if (spdm_requester_large(rq) != NULL && !cfg->chunks->ready(rq)) return (struct spdm_span){0};
    n = frame(rq);
    if (n == 0) {
        if (in_records(rq) && spdm_session_spent(spdm_conn_channel(&rq->c), REQUEST))
            (void)refuse(&rq->c, SPENT, NULL, 0, 0);
        else (void)refuse(&rq->c, NO_ROOM, "the frame", rq->request_n, cfg->out.n);
        spdm_requester_fail(rq, rq->job->request->code);
        return (struct spdm_span){0};
    }
    rq->tries++;
    rq->flight = FLIGHT_WAIT;
    rq->deadline = now + spdm_requester_patience(rq);
    return spdm_span(cfg->out.p, n);
}

uint64_t spdm_requester_deadline(const struct spdm_requester *rq)
{
    const struct spdm_sessions *sessions = spdm_sessions_of(rq->c.cfg);
    /* While an exchange is under way no heartbeat can begin: one that is due must not make the caller spin. */
    uint64_t session = sessions != NULL ? sessions->deadline(&rq->c, rq->flight == FLIGHT_NONE) : SPDM_NEVER;
    uint64_t own = rq->flight == FLIGHT_WAIT || rq->flight == FLIGHT_PAUSE ? rq->deadline : SPDM_NEVER;

    if (rq->flight == FLIGHT_SEND || (SPDM_SESSIONS && rq->queued != 0)) return 0;
    return own < session ? own : session;
}

const struct spdm_facts *spdm_requester_facts(const struct spdm_requester *rq)
{
    return &rq->c.facts;
}

struct spdm_span spdm_requester_vca(const struct spdm_requester *rq)
{
    return spdm_span(rq->c.tr.vca, rq->c.tr.vca_n);
}

void spdm_requester_reset(struct spdm_requester *rq)
{
    spdm_requester_abandon(rq);
    spdm_conn_restart(&rq->c);
    rq->flight = FLIGHT_NONE;
    rq->told = 0;
}

void spdm_requester_close(struct spdm_requester *rq)
{
    const struct spdm_config *cfg = rq->c.cfg;

    if (spdm_requester_inner(rq) != NULL) cfg->mutual->requester_close(rq);
    spdm_requester_abandon(rq);
    spdm_session_forget(&rq->c);
    if (spdm_requester_large(rq) != NULL) cfg->chunks->settle(rq);
    if (spdm_sessions_of(cfg) != NULL) spdm_sessions_of(cfg)->clear(&rq->c);
    spdm_transcript_clear(&rq->c.tr);
    spdm_wipe(rq, spdm_requester_size(cfg));
}
