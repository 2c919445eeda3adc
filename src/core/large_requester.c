/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A requester's transfers (DSP0274 1.2+ "Large SPDM message transfer"): room
 * for them, and CHUNK_GET, which fetches a response. It is put together where
 * it will be read, and then taken like any other; nothing is believed before
 * it is whole. */
#include "core/large.h"

enum {
    ERROR_INVALID_REQUEST = 0x01,
    ERROR_BUSY = 0x03,
    ERROR_UNEXPECTED = 0x04,
    ERROR_LARGE_RESPONSE = 0x0f,
    ERROR_NOT_READY = 0x42
};
enum { BUSY_DELAY = 50000, WAIT_MAX = 60000000 };

void spdm_large_requester_place(struct spdm_requester *rq, struct spdm_room memory)
{
    void *place = memory.p;

    rq->large = place;
    *rq->large = (struct large_rq){0};
}

/* ---- room ---- */

static void return_request(struct spdm_requester *rq)
{
    struct large_rq *l = rq->large;

    if (l->request.p == NULL) return;
    rq->request = l->own.p;
    rq->request_max = (uint32_t)l->own.n;
    rq->request_n = 0;
    spdm_large_return(rq->c.cfg, &l->request);
}

static void return_response(struct spdm_requester *rq)
{
    struct large_rq *l = rq->large;

    if (l->lent) spdm_large_return(rq->c.cfg, &l->response);
    l->response = (struct spdm_room){0};
    l->lent = l->reading = l->read = false;
    l->since = 0;
}

bool spdm_large_widen(struct spdm_requester *rq, size_t n)
{
    struct large_rq *l = rq->large;

    if (n > spdm_large_most(rq->c.cfg) || !spdm_large_borrow(rq->c.cfg, &l->request, n)) return false;
    l->own = (struct spdm_room){rq->request, rq->request_max};
    rq->request = l->request.p;
    rq->request_max = (uint32_t)l->request.n;
    return true;
}

void spdm_large_fresh(struct spdm_requester *rq)
{
    return_request(rq);
    if (!rq->large->reading) return_response(rq);
    rq->large->state = LARGE_NONE;
    rq->large->chunked = rq->large->torn = false;
}

void spdm_large_settle(struct spdm_requester *rq)
{
    if (rq->large->reading) return_response(rq);
}

/* The ERROR that ended it may have been anybody's. */
bool spdm_large_torn(const struct spdm_requester *rq)
{
    uint8_t state = rq->large->state;

    return rq->large->torn || state == LARGE_GET || state == LARGE_SEND;
}

/* What has been read may still be asked for by event(). */
void spdm_large_drop(struct spdm_requester *rq)
{
    spdm_large_fresh(rq);
}

bool spdm_large_whole(const struct spdm_requester *rq)
{
    return rq->large->reading;
}

/* ---- CHUNK_GET ---- */

/* CAPABILITIES may be large only if it was to carry the SupportedAlgorithms block (R-CAP-17, R-CAP-31). What the peer
 * can do is not known then, but it has just told. */
static bool fetchable(struct spdm_requester *rq)
{
    struct exchange x = {.request = spdm_span(rq->request, rq->request_n)};

    if (rq->job->request->code != CODE_GET_CAPABILITIES) return spdm_conn_chunks(&rq->c);
    (void)spdm_conn_decode(&rq->c, rq->job->request, &x); /* our own bytes */
    return x.req.capabilities.with_algorithms;
}

uint8_t spdm_large_fetch(struct spdm_requester *rq, uint8_t handle)
{
    struct large_rq *l = rq->large;

    if (!fetchable(rq)) return refuse(&rq->c, BAD_VALUE, "LargeResponse R-ERR-20", ERROR_LARGE_RESPONSE, 0);
    return_response(rq);
    /* A chain is put together where it belongs: the header goes when the portion moves to its place. */
    if (rq->job->request->code == CODE_GET_CERTIFICATE) {
        l->response = spdm_room_from(rq->c.cfg->chain, rq->c.chain_have);
        if (l->response.p == NULL) return refuse(&rq->c, NO_ROOM, "the certificate chain", rq->c.chain_have + 1, 0);
    } else if (rq->c.cfg->lender == NULL) {
        return refuse(&rq->c, NO_ROOM, "the response", spdm_large_most(rq->c.cfg), 0);
    }
    l->state = LARGE_GET;
    l->handle = handle;
    l->sequence = l->at = l->total = 0;
    rq->ask_ready = false;
    rq->tries = rq->busy = 0;
    rq->flight = FLIGHT_SEND;
    return SPDM_WHY_FINE;
}

/* How large the response is, only its first portion tells; and that one cannot be asked for twice of every peer
 * (LQ-46). So there is room for the largest before it is fetched. While all is lent we wait. */
bool spdm_large_ready(struct spdm_requester *rq)
{
    const struct spdm_policy *policy = rq->c.cfg->policy;
    struct large_rq *l = rq->large;
    uint64_t max = policy->wait_max != 0 ? policy->wait_max : WAIT_MAX;

    if (l->state != LARGE_GET || l->response.p != NULL) return true;
    l->lent = spdm_large_borrow(rq->c.cfg, &l->response, spdm_large_most(rq->c.cfg));
    if (l->lent) return true;
    if (l->since == 0) l->since = rq->now + 1;
    if (rq->now + 1 - l->since < max) {
        spdm_requester_pause(rq, rq->now + (policy->busy_delay != 0 ? policy->busy_delay : BUSY_DELAY));
    } else {
        (void)refuse_size(&rq->c, ALL_LENT, spdm_large_most(rq->c.cfg), 0);
        spdm_requester_fail(rq, rq->job->response->code);
    }
    return false;
}

static struct spdm_span chunk_get(struct spdm_requester *rq)
{
    struct exchange x = {.req.chunk_get = {.handle = rq->large->handle, .sequence = rq->large->sequence}};

    (void)spdm_conn_encode(&rq->c, &spdm_message_CHUNK_GET, &x, spdm_conn_out(&rq->c)); /* 42 bytes there are */
    return x.request;
}

/* A message of two bytes behind the header is the least that needs chunks; what would not fit behind CHUNK_SEND_ACK may
 * be shorter by its header. */
static uint32_t smallest(const struct spdm_requester *rq)
{
    enum { ACK_HEAD = 6, WIDE = 2 };
    uint32_t ack = rq->c.ed->wide_chunks ? ACK_HEAD + WIDE : ACK_HEAD;

    return rq->large->chunked ? MIN_DATA_TRANSFER_SIZE - ack : MIN_DATA_TRANSFER_SIZE;
}

static uint8_t judge_size(struct spdm_requester *rq, const struct chunk *m)
{
    struct conn *c = &rq->c;
    uint32_t min = smallest(rq) + 1, max = spdm_large_most(c->cfg);

    if (m->large_size < min) return refuse(c, TOO_SMALL, "LargeMessageSize R-CHK-11", m->large_size, min);
    if (m->large_size > max) return refuse(c, TOO_LONG, "LargeMessageSize R-CHK-11", m->large_size, max);
    if (m->large_size > rq->large->response.n)
        return refuse_size(blame(c, "the certificate chain"), NO_ROOM, m->large_size, rq->large->response.n);
    return SPDM_WHY_FINE;
}

static uint8_t judge_portion(struct spdm_requester *rq, const struct exchange *x)
{
    const struct large_rq *l = rq->large;
    const struct chunk *m = &x->rsp.chunk;
    struct conn *c = &rq->c;
    bool first = l->sequence == 0;
    uint8_t why = first ? judge_size(rq, m) : SPDM_WHY_FINE;
    uint32_t left = (first ? m->large_size : l->total) - l->at;

    if (why != SPDM_WHY_FINE) return why;
    if (m->portion.n > left) return refuse(c, TOO_LONG, "ChunkSize R-CHK-13", m->portion.n, left);
    if (m->last != (m->portion.n == left) || (first && m->last))
        return refuse(c, BAD_VALUE, "LastChunk R-CHK-13", m->last, 0);
    if (!m->last && x->response.n < MIN_DATA_TRANSFER_SIZE)
        return refuse(c, TOO_SMALL, "CHUNK_RESPONSE R-CHK-12", x->response.n, MIN_DATA_TRANSFER_SIZE);
    if (!m->last && !c->ed->wide_chunks && l->sequence == NARROW_MAX)
        return refuse(c, LIMIT, "ChunkSeqNo R-CHK-08", 0, NARROW_MAX);
    return SPDM_WHY_FINE;
}

static void fail(struct spdm_requester *rq)
{
    spdm_requester_fail(rq, CODE_CHUNK_RESPONSE);
}

/* Links that lose and repeat bring late copies; others do not. */
static bool lossy(const struct spdm_requester *rq)
{
    return rq->c.cfg->policy->retries != 0;
}

/* The whole response. Another transfer may not begin with it, so what it is has been said. */
static void complete(struct spdm_requester *rq, uint64_t now)
{
    struct large_rq *l = rq->large;
    struct spdm_span message = spdm_span(l->response.p, l->total);
    uint8_t expected = rq->job->response->code;

    l->state = l->chunked ? LARGE_SENT : LARGE_NONE;
    l->reading = true;
    l->read = false;
    l->torn = false;
    if (message.p[1] == expected) {
        spdm_requester_receive(rq, message, now);
        return;
    }
    (void)refuse(&rq->c, BAD_CODE, NULL, message.p[1], expected);
    spdm_requester_fail(rq, expected);
}

static void take_portion(struct spdm_requester *rq, const struct exchange *x, uint64_t now)
{
    struct large_rq *l = rq->large;
    const struct chunk *m = &x->rsp.chunk;

    if (l->sequence == 0) {
        l->total = m->large_size;
        l->transfer = (uint32_t)x->response.n;
    }
    (void)spdm_put(spdm_room_from(l->response, l->at), m->portion);
    l->at += (uint32_t)m->portion.n;
    l->sequence++;
    rq->tries = rq->busy = 0;
    rq->flight = FLIGHT_SEND;
    if (m->last) complete(rq, now);
}

/* What the peer says to old requests and CHUNK_GETs of ours that arrive late, and old answers. */
static bool late(uint8_t error)
{
    return error == ERROR_INVALID_REQUEST || error == ERROR_UNEXPECTED || error == ERROR_LARGE_RESPONSE ||
           error == ERROR_NOT_READY;
}

/* An ERROR ends the transfer, whatever it is (R-CHK-30), but for Busy, which asks for the same once more. Nothing is
 * nested (R-CHK-27), and nothing is deferred. */
static void fetch_error(struct spdm_requester *rq, struct spdm_span message, uint64_t now)
{
    struct large_rq *l = rq->large;
    uint8_t error = message.p[2];

    if (lossy(rq) && late(error)) return;
    if (error == ERROR_LARGE_RESPONSE || error == ERROR_NOT_READY) {
        (void)refuse(&rq->c, PEER_ERROR, NULL, error, 0);
        rq->c.report.error = error;
        fail(rq);
        return;
    }
    if (error != ERROR_BUSY) {
        return_response(rq);
        l->torn = true;
        l->state = l->chunked ? LARGE_SENT : LARGE_NONE;
        rq->retried = true; /* the peer has answered once; to ask again repeats that */
    }
    if (spdm_requester_error(rq, message, now)) spdm_requester_advance(rq);
}

static void fetched(struct spdm_requester *rq, struct spdm_span message, uint64_t now)
{
    const struct large_rq *l = rq->large;
    struct exchange x = {.response = message};
    const struct chunk *m = &x.rsp.chunk;
    uint8_t why;

    if (message.p[1] == CODE_ERROR) {
        fetch_error(rq, message, now);
        return;
    }
    if (lossy(rq) && message.p[1] != CODE_CHUNK_RESPONSE) return;
    why = spdm_conn_decode(&rq->c, &spdm_message_CHUNK_RESPONSE, &x);
    if (why == SPDM_WHY_FINE && (m->handle != l->handle || m->sequence != l->sequence)) {
        if (lossy(rq)) return;
        why = m->handle != l->handle ? refuse(&rq->c, MISMATCH, "Handle R-CHK-10", m->handle, l->handle)
                                     : refuse(&rq->c, MISMATCH, "ChunkSeqNo R-CHK-10", m->sequence, l->sequence);
    }
    if (why == SPDM_WHY_FINE) why = judge_portion(rq, &x);
    if (why == SPDM_WHY_FINE) take_portion(rq, &x, now);
    else fail(rq);
}

/* ---- both ---- */

struct spdm_span spdm_large_next(struct spdm_requester *rq)
{
    uint8_t state = rq->large->state;

    if (state == LARGE_GET) return chunk_get(rq);
    return state == LARGE_NONE || rq->ask_ready ? spdm_span(NULL, 0) : spdm_large_portion(rq);
}

bool spdm_large_take(struct spdm_requester *rq, struct spdm_span message, uint64_t now)
{
    uint8_t state = rq->large->state;

    if (rq->large->reading && state != LARGE_GET && message.p == rq->large->response.p) return false; /* put together */
    spdm_large_settle(rq);
    if (message.n < 4 || (state != LARGE_GET && (state != LARGE_SEND || rq->ask_ready))) return false;
    if (state == LARGE_GET) fetched(rq, message, now);
    else spdm_large_acknowledged(rq, message, now);
    return true;
}

const struct spdm_chunks spdm_requester_chunks = {.requester_size = sizeof(struct large_rq),
                                                  .requester_place = spdm_large_requester_place,
                                                  .widen = spdm_large_widen,
                                                  .begin = spdm_large_begin,
                                                  .ready = spdm_large_ready,
                                                  .next = spdm_large_next,
                                                  .take = spdm_large_take,
                                                  .fetch = spdm_large_fetch,
                                                  .whole = spdm_large_whole,
                                                  .fresh = spdm_large_fresh,
                                                  .settle = spdm_large_settle,
                                                  .torn = spdm_large_torn,
                                                  .drop = spdm_large_drop};
