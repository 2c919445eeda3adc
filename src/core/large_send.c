/* SPDX-License-Identifier: BSD-3-Clause
 *
 * CHUNK_SEND: a requester's request in portions, cut from where it lies. Its
 * answer comes in the acknowledgement of the last one, or is fetched. */
#include "core/large.h"

enum { ERROR_UNEXPECTED = 0x04, ERROR_LARGE_RESPONSE = 0x0f, ERROR_NOT_READY = 0x42 };

/* Room for one transfer: what the peer takes, and our buffer holds. */
static struct spdm_room transfer(const struct spdm_requester *rq)
{
    struct spdm_room room = spdm_conn_out(&rq->c);
    uint32_t peer = rq->c.facts.responder.data_transfer_size;

    if (peer != 0 && room.n > peer) room.n = peer;
    return room;
}

uint8_t spdm_large_begin(struct spdm_requester *rq)
{
    struct large_rq *l = rq->large;
    size_t room = transfer(rq).n;
    uint32_t max = rq->c.facts.responder.max_message_size, n = spdm_requester_length(rq);

    if (n <= room) return SPDM_WHY_FINE;
    if (n > max) return refuse(&rq->c, TOO_BIG_FOR_PEER, NULL, n, max); /* R-CAP-22 */
    if (room < MIN_DATA_TRANSFER_SIZE) return refuse(&rq->c, NO_ROOM, "the frame", MIN_DATA_TRANSFER_SIZE, room);
    if (!spdm_large_countable(&rq->c, n, room)) return refuse(&rq->c, LIMIT, "ChunkSeqNo R-CHK-08", 0, NARROW_MAX);
    l->state = LARGE_SENT;
    l->chunked = true;
    return SPDM_WHY_FINE;
}

/* A new transfer has a new handle (R-CHK-09). */
struct spdm_span spdm_large_portion(struct spdm_requester *rq)
{
    struct large_rq *l = rq->large;
    struct spdm_window to = {.room = transfer(rq)};
    uint32_t n = spdm_requester_length(rq);
    struct exchange x = {0};
    size_t head;

    if (l->state == LARGE_SENT) {
        l->state = LARGE_SEND;
        l->sequence = l->at = 0;
        l->sent_handle++;
    }
    head = l->sequence == 0 ? FIRST_HEAD : PORTION_HEAD;
    l->size = (uint32_t)(to.room.n - head < n - l->at ? to.room.n - head : n - l->at);
    x.req.chunk = (struct chunk){.handle = l->sent_handle, .sequence = l->sequence, .large_size = n};
    x.req.chunk.last = l->at + l->size == n;
    x.req.chunk.portion.n = l->size; /* put in its place */
    (void)spdm_conn_encode(&rq->c, &spdm_message_CHUNK_SEND, &x, to.room);
    to = (struct spdm_window){{spdm_room_from(to.room, head).p, l->size}, l->at};
    spdm_window_lay(&to, 0, spdm_span(rq->request, rq->request_n));
    if (SPDM_WHOLE) spdm_window_lay(&to, rq->request_n, rq->tail);
    return x.request;
}

static void fail(struct spdm_requester *rq)
{
    spdm_requester_fail(rq, CODE_CHUNK_SEND_ACK);
}

static bool lossy(const struct spdm_requester *rq)
{
    return rq->c.cfg->policy->retries != 0;
}

/* An ERROR in place of the acknowledgement, or in it. All but LargeResponse end the transfer: if the request is to be
 * sent again, then from its first portion on. */
static void send_error(struct spdm_requester *rq, struct spdm_span message, uint64_t now)
{
    rq->large->torn = true;
    rq->large->state = LARGE_SENT;
    if (spdm_requester_error(rq, message, now)) spdm_requester_advance(rq);
}

static bool at_end(const struct spdm_requester *rq)
{
    return rq->large->at + rq->large->size == spdm_requester_length(rq);
}

static uint8_t judge(struct spdm_requester *rq, const struct chunk_ack *m)
{
    const struct large_rq *l = rq->large;
    struct conn *c = &rq->c;
    bool answer = m->response.n >= 4 && m->response.p[0] >> 4 == 1; /* what is no message pads the frame */
    uint8_t error = answer && m->response.p[1] == CODE_ERROR ? m->response.p[2] : 0;

    if (m->handle != l->sent_handle) return refuse(c, MISMATCH, "Handle R-CHK-10", m->handle, l->sent_handle);
    if (m->sequence != l->sequence) return refuse(c, MISMATCH, "ChunkSeqNo R-CHK-10", m->sequence, l->sequence);
    if (m->early && (error == 0 || error == ERROR_LARGE_RESPONSE || error == ERROR_NOT_READY))
        return refuse(c, BAD_VALUE, "EarlyErrorDetected R-CHK-14", error, 0);
    if (!m->early && answer != at_end(rq))
        return refuse(c, BAD_LENGTH, "ResponseToLargeRequest R-CHK-16", m->response.n, at_end(rq) ? 4 : 0);
    return SPDM_WHY_FINE;
}

static void acknowledged(struct spdm_requester *rq, const struct chunk_ack *m, uint64_t now)
{
    struct large_rq *l = rq->large;

    if (m->early) {
        send_error(rq, m->response, now);
    } else if (at_end(rq)) {
        l->state = LARGE_SENT;
        l->torn = false;
        spdm_requester_receive(rq, m->response, now);
    } else {
        l->at += l->size;
        l->sequence++;
        rq->tries = rq->busy = 0;
        rq->flight = FLIGHT_SEND;
    }
}

void spdm_large_acknowledged(struct spdm_requester *rq, struct spdm_span message, uint64_t now)
{
    struct exchange x = {.response = message};
    const struct chunk_ack *m = &x.rsp.chunk_ack;
    uint8_t why;

    /* An old request of ours that arrives late is an intruder for the peer, and not the end of the transfer. */
    if (lossy(rq) && message.p[1] == CODE_ERROR && message.p[2] == ERROR_UNEXPECTED) return;
    if (message.p[1] == CODE_ERROR && (message.p[2] != ERROR_LARGE_RESPONSE || at_end(rq))) {
        send_error(rq, message, now);
        return;
    }
    if (lossy(rq) && message.p[1] != CODE_CHUNK_SEND_ACK) return;
    why = spdm_conn_decode(&rq->c, &spdm_message_CHUNK_SEND_ACK, &x);
    if (why == SPDM_WHY_FINE && lossy(rq) &&
        (m->handle != rq->large->sent_handle || m->sequence != rq->large->sequence))
        return;
    if (why == SPDM_WHY_FINE) why = judge(rq, m);
    if (why == SPDM_WHY_FINE) acknowledged(rq, m, now);
    else fail(rq);
}
