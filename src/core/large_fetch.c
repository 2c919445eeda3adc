/* SPDX-License-Identifier: BSD-3-Clause
 *
 * CHUNK_GET: a response in portions. What can be made anew from the caller's
 * certificates and measurements is never stored; the rest lies in room that is
 * lent, where it was built. What follows from a response follows when its last
 * portion has gone out. */
#include "core/large.h"

/* ---- responses that are made anew ---- */

/* Their sources stay as they are: an identity does by contract, measurements if the caller says so. */
static const struct {
    const struct prove_job *job;
    bool (*portion)(struct spdm_responder *rs, size_t at, struct spdm_room to);
    bool asked; /* from what the caller has answered */
} anew[] = {{&spdm_prove_certificate, spdm_certificate_portion, false},
            {&spdm_prove_measurements, spdm_measurements_portion, true}};

/* Where the job at hand stands in the list; behind it if it does not. */
static size_t place(const struct spdm_responder *rs)
{
    size_t i = 0;

    while (i < sizeof anew / sizeof *anew && anew[i].job != rs->job) i++;
    return i;
}

static bool can_be_made_anew(const struct spdm_responder *rs)
{
    size_t i = place(rs);

    return i < sizeof anew / sizeof *anew && (!anew[i].asked || rs->answer->stays);
}

/* Bytes of the response from `at` on. */
static bool copy(struct spdm_responder *rs, size_t at, struct spdm_room to)
{
    const struct large_rs *l = rs->large;
    size_t made = rs->signature_at != 0 ? rs->signature_at : rs->response_n, n = 0;
    struct spdm_span stored = spdm_span(l->response.p, l->response.n);
    bool fine = true;

    if (!l->anew) return spdm_put(to, spdm_part(stored, at, to.n));
    if (at < made) n = made - at < to.n ? made - at : to.n;
    rs->answer = &l->sources;
    if (n != 0) fine = anew[place(rs)].portion(rs, at, (struct spdm_room){to.p, n});
    rs->answer = NULL;
    spdm_window_lay(&(struct spdm_window){to, at}, made, stored);
    return fine;
}

bool spdm_large_enter(struct spdm_responder *rs)
{
    struct spdm_room room = spdm_conn_out(&rs->c);
    size_t end = rs->signature_at != 0 ? rs->signature_at : rs->response_n;

    for (size_t at = 0; at < end; at += room.n) {
        if (room.n > end - at) room.n = end - at;
        if (room.n == 0 || !copy(rs, at, room)) return false;
        (void)spdm_conn_enter(&rs->c, rs->job->response, spdm_span(room.p, room.n));
    }
    return true;
}

/* ---- room ---- */

/* Room for one transfer: what the peer takes, and our buffer holds. */
static struct spdm_room transfer(const struct spdm_responder *rs)
{
    struct spdm_room room = spdm_conn_out(&rs->c);
    uint32_t peer = rs->c.facts.requester.data_transfer_size;

    if (room.n > peer) room.n = peer;
    return room;
}

static uint8_t borrow(struct spdm_responder *rs, size_t n)
{
    const struct spdm_config *cfg = rs->c.cfg;

    if (cfg->lender == NULL) return refuse(&rs->c, NO_ROOM, "the response", n, cfg->out.n);
    if (spdm_large_borrow(cfg, &rs->large->response, n)) return SPDM_WHY_FINE;
    return refuse_size(blame(&rs->c, NULL), ALL_LENT, n, 0);
}

static uint8_t make_anew(struct spdm_responder *rs, const struct exchange *x)
{
    struct large_rs *l = rs->large;
    size_t signature = x->signature_at != 0 ? x->response.n - x->signature_at : 0;

    if (signature != 0 && borrow(rs, signature) != SPDM_WHY_FINE) return rs->c.report.why;
    if (rs->answer != NULL) l->sources = *rs->answer;
    l->anew = true;
    return SPDM_WHY_FINE;
}

/* Jobs that find no room for their part may have counted too little the first time. */
static uint8_t build_again(struct spdm_responder *rs, struct exchange *x)
{
    uint8_t why = borrow(rs, x->response.n);

    rs->shift = 0;
    memset(&x->rsp, 0, sizeof x->rsp);
    if (why == SPDM_WHY_FINE) why = rs->job->reply(rs, &x->req, &x->rsp);
    if (why == SPDM_WHY_FINE) why = spdm_conn_encode(&rs->c, rs->job->response, x, rs->large->response);
    if (why == SPDM_WHY_NO_ROOM) spdm_large_return(rs->c.cfg, &rs->large->response);
    return why;
}

/* R-CHK-19, R-CAP-23. */
uint8_t spdm_large_enlarge(struct spdm_responder *rs, struct exchange *x)
{
    enum { TRIES = 3 };
    uint32_t max = rs->c.facts.requester.max_message_size;
    size_t room = transfer(rs).n;
    uint8_t why = SPDM_WHY_NO_ROOM;

    if (room < MIN_DATA_TRANSFER_SIZE) return refuse(&rs->c, NO_ROOM, "the frame", MIN_DATA_TRANSFER_SIZE, room);
    for (unsigned i = 0; why == SPDM_WHY_NO_ROOM && i < TRIES; i++) {
        if (x->response.n > max || !spdm_large_countable(&rs->c, x->response.n, room)) /* R-ERR-17, R-CHK-08 */
            return refuse_size(blame(&rs->c, NULL), TOO_BIG_FOR_PEER, x->response.n, max);
        if (can_be_made_anew(rs)) return make_anew(rs, x);
        why = build_again(rs, x);
    }
    return why;
}

/* ---- CHUNK_GET ---- */

bool spdm_large_hold(struct spdm_responder *rs)
{
    struct large_rs *l = rs->large;

    if (l->response.p == NULL && !l->anew) return false;
    l->fetching = true;
    l->asked = l->acking ? l->sequence : 0;
    l->acking = l->early = false; /* LargeResponse takes the place of CHUNK_SEND_ACK (R-CHK-17) */
    l->kept = KEPT_NOTHING;
    l->from = spdm_conn_channel(&rs->c);
    l->sequence = l->at = l->before = 0;
    l->total = rs->response_n;
    l->sent_handle++;
    spdm_large_touch(rs);
    rs->stage = STAGE_FETCH;
    rs->kept = 0;
    spdm_responder_say_large(rs, l->sent_handle);
    return true;
}

/* Frames the portion with this number, which begins at `at`. Its size, 0 if that failed. */
static size_t produce(struct spdm_responder *rs, uint32_t sequence, uint32_t at)
{
    const struct large_rs *l = rs->large;
    struct spdm_room room = transfer(rs);
    size_t head = sequence == 0 ? FIRST_HEAD : PORTION_HEAD, left = l->total - at, n = room.n - head;
    struct exchange x = {.rsp.chunk = {.handle = l->sent_handle, .sequence = sequence, .large_size = l->total}};

    if (n > left) n = left;
    x.rsp.chunk.last = n == left;
    x.rsp.chunk.portion.n = n; /* put in its place */
    (void)spdm_conn_encode(&rs->c, &spdm_message_CHUNK_RESPONSE, &x, room);
    if (!copy(rs, at, (struct spdm_room){spdm_room_from(room, head).p, n})) return 0;
    return spdm_large_send(rs, x.response) ? n : 0;
}

/* The portion before has been asked for once more (LQ-46). After the last one only its frame is left. */
static uint8_t again(struct spdm_responder *rs)
{
    struct large_rs *l = rs->large;

    if (l->fetching) return produce(rs, l->sequence - 1, l->before) != 0 ? SPDM_WHY_FINE : SPDM_WHY_NO_ROOM;
    rs->send = SEND_OUT;
    rs->send_n = rs->kept;
    return SPDM_WHY_FINE;
}

static void finished(struct spdm_responder *rs)
{
    struct large_rs *l = rs->large;
    bool repeatable = !rs->c.cfg->out_shared && !spdm_responder_in_records(rs);

    rs->kept = repeatable ? rs->send_n : 0;
    rs->request_n = 0; /* the request itself cannot be repeated any more */
    spdm_responder_sent(rs);
    l->kept = repeatable ? KEPT_PORTION : KEPT_NOTHING;
}

uint8_t spdm_large_get(struct spdm_responder *rs, struct spdm_span message)
{
    struct large_rs *l = rs->large;
    struct conn *c = &rs->c;
    struct exchange x = {.request = message};
    const struct chunk_get *m = &x.req.chunk_get;
    uint8_t why = spdm_conn_decode(c, &spdm_message_CHUNK_GET, &x);
    uint32_t n;
    bool before;

    if (why != SPDM_WHY_FINE) return why;
    if (m->handle != l->sent_handle) return refuse(c, MISMATCH, "Handle R-CHK-21", m->handle, l->sent_handle);
    before = !spdm_responder_in_records(rs) && l->sequence != 0 && m->sequence == l->sequence - 1;
    if (before && (l->fetching || l->kept == KEPT_PORTION)) return again(rs);
    if (!l->fetching) return refuse(c, NOT_NOW, "R-CHK-21", 0, 0);
    if (m->sequence != l->sequence) return refuse(c, MISMATCH, "ChunkSeqNo R-CHK-21", m->sequence, l->sequence);
    n = (uint32_t)produce(rs, l->sequence, l->at);
    if (n == 0) {
        spdm_responder_idle(rs);
        return refuse(c, NO_ROOM, "the frame", 0, 0);
    }
    l->before = l->at;
    l->at += n;
    l->sequence++;
    spdm_large_touch(rs);
    if (l->at == l->total) finished(rs);
    return SPDM_WHY_FINE;
}
