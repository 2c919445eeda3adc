/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A responder's transfers: who may speak while one is open, and CHUNK_SEND,
 * which brings a request. It is put together in room that is lent, then served
 * like any other; its answer goes into the last CHUNK_SEND_ACK. */
#include "core/large.h"

enum { WAIT_MAX = 60000000 };

void spdm_large_responder_place(struct spdm_responder *rs, struct spdm_room memory)
{
    rs->large = (void *)memory.p;
    *rs->large = (struct large_rs){.until = SPDM_NEVER};
}

void spdm_large_touch(struct spdm_responder *rs)
{
    uint32_t max = rs->c.cfg->policy->wait_max;

    rs->large->until = rs->now + (max != 0 ? max : WAIT_MAX);
}

/* ---- ends ---- */

static void release_request(struct spdm_responder *rs)
{
    struct large_rs *l = rs->large;

    if (l->own.p != NULL) {
        rs->request = l->own.p;
        rs->request_max = (uint32_t)l->own.n;
        rs->request_n = 0;
        l->own = (struct spdm_room){0};
    }
    l->receiving = false;
    l->reading = l->request.p != NULL && (rs->told >> SPDM_REPLIED & 1) != 0;
    if (!l->reading) spdm_large_return(rs->c.cfg, &l->request);
}

/* There is another use for it now, and nobody has asked for the event. */
static void free_request(struct spdm_responder *rs)
{
    if (!rs->large->reading) return;
    rs->data = (struct spdm_span){0};
    rs->large->reading = false;
    spdm_large_return(rs->c.cfg, &rs->large->request);
}

void spdm_large_idle(struct spdm_responder *rs)
{
    struct large_rs *l = rs->large;

    if (!l->inside && !l->receiving) release_request(rs);
    if (l->fetching) {
        l->fetching = false;
        l->until = SPDM_NEVER;
    }
    l->anew = false;
    spdm_large_return(rs->c.cfg, &l->response);
}

void spdm_large_end(struct spdm_responder *rs, const struct session *from)
{
    struct large_rs *l = rs->large;

    if (from != NULL && from != l->from) return;
    spdm_large_idle(rs);
    if (!l->inside) release_request(rs);
    l->acking = l->early = false;
    l->kept = KEPT_NOTHING;
    l->until = SPDM_NEVER;
    l->from = NULL;
}

/* Nothing came for so long that the transfer is given up; a requester that comes back may begin anew. */
void spdm_large_tick(struct spdm_responder *rs)
{
    if (rs->large->reading) release_request(rs);
    if (rs->large->until > rs->now) return;
    if (rs->large->fetching) spdm_responder_idle(rs);
    spdm_large_end(rs, NULL);
    (void)refuse(&rs->c, TRANSFER_LOST, NULL, 0, 0);
    spdm_responder_tell(rs, SPDM_FAILED);
}

/* Frames a message that lies in its place. */
bool spdm_large_send(struct spdm_responder *rs, struct spdm_span message)
{
    const struct spdm_config *cfg = rs->c.cfg;
    struct outgoing out = {.direction = RESPONSE, .message = message, .room = cfg->out};

    if (spdm_responder_in_records(rs))
        rs->send_n = spdm_sessions_of(cfg)->seal(&rs->c, spdm_conn_channel(&rs->c), &out);
    else rs->send_n = cfg->binding->wrap(cfg->out, message.n, false);
    rs->send = rs->send_n != 0 ? SEND_OUT : SEND_NOTHING;
    if (rs->send_n == 0) (void)spdm_responder_spent(rs);
    return rs->send_n != 0;
}

/* ---- CHUNK_SEND_ACK ---- */

size_t spdm_large_acknowledge(struct spdm_responder *rs, struct spdm_room to)
{
    struct large_rs *l = rs->large;
    struct exchange x = {.rsp.chunk_ack = {.early = l->early, .handle = l->handle, .sequence = l->sequence}};

    if (!l->acking) return 0;
    l->acking = l->early = false;
    (void)spdm_conn_encode(&rs->c, &spdm_message_CHUNK_SEND_ACK, &x, to);
    return x.response.n;
}

/* The acknowledgement of a portion that is not the last has nothing in it. */
static void acknowledge(struct spdm_responder *rs)
{
    struct spdm_room room = spdm_conn_out(&rs->c);

    rs->large->acking = true;
    (void)spdm_large_send(rs, spdm_span(room.p, spdm_large_acknowledge(rs, room)));
    rs->kept = 0;
}

/* ---- CHUNK_SEND ---- */

/* Another request than the one that may come now (R-CHK-22, R-CHK-23): refused, and the transfer goes on. */
static void intrude(struct spdm_responder *rs, uint8_t why, uint8_t code)
{
    struct large_rs *l = rs->large;
    bool acking = l->acking;

    l->acking = false;
    spdm_responder_refuse(rs, why, code);
    spdm_responder_tell(rs, SPDM_FAILED);
    l->acking = acking;
}

static uint8_t judge_size(struct spdm_responder *rs, const struct chunk *m)
{
    uint32_t max = spdm_large_most(rs->c.cfg);

    if (m->large_size <= MIN_DATA_TRANSFER_SIZE)
        return refuse(&rs->c, TOO_SMALL, "LargeMessageSize R-CHK-11", m->large_size, MIN_DATA_TRANSFER_SIZE + 1);
    return m->large_size <= max ? SPDM_WHY_FINE
                                : refuse_size(&rs->c, REQUEST_TOO_LARGE, m->large_size, max); /* LQ-32 */
}

/* R-CHK-08 to R-CHK-13. */
static uint8_t judge(struct spdm_responder *rs, const struct exchange *x)
{
    const struct chunk *m = &x->req.chunk;
    const struct large_rs *l = rs->large;
    struct conn *c = &rs->c;
    uint32_t due = l->receiving ? l->sequence + 1 : 0, left = l->receiving ? l->total - l->at : m->large_size;
    uint32_t most = c->cfg->data_transfer_size;
    uint8_t why = SPDM_WHY_FINE;

    if (m->sequence != due) return refuse(c, MISMATCH, "ChunkSeqNo R-CHK-08", m->sequence, due);
    if (l->receiving && m->handle != l->handle) return refuse(c, MISMATCH, "Handle R-CHK-09", m->handle, l->handle);
    if (!l->receiving) why = judge_size(rs, m);
    if (why != SPDM_WHY_FINE) return why;
    if (m->portion.n > left) return refuse(c, TOO_LONG, "ChunkSize R-CHK-13", m->portion.n, left);
    if (m->last != (m->portion.n == left) || (m->last && due == 0))
        return refuse(c, BAD_VALUE, "LastChunk R-CHK-13", m->last, 0);
    if (!m->last && x->request.n < MIN_DATA_TRANSFER_SIZE)
        return refuse(c, TOO_SMALL, "CHUNK_SEND R-CHK-12", x->request.n, MIN_DATA_TRANSFER_SIZE);
    return x->request.n <= most ? SPDM_WHY_FINE : refuse(c, TOO_LONG, "CHUNK_SEND R-CHK-12", x->request.n, most);
}

/* EarlyErrorDetected: the transfer is over (R-CHK-15). */
static void refuse_early(struct spdm_responder *rs, const struct chunk *m, uint8_t why)
{
    struct large_rs *l = rs->large;

    if (l->receiving) release_request(rs);
    l->until = SPDM_NEVER;
    l->handle = m->handle;
    l->sequence = m->sequence;
    l->acking = l->early = true;
    spdm_responder_turn_away(rs, why, CODE_CHUNK_SEND);
}

/* The whole request: what may not come in chunks is refused (R-CHK-26, R-CHK-27), the rest is served. */
static void dispatch(struct spdm_responder *rs, struct session *from)
{
    struct large_rs *l = rs->large;
    struct spdm_span message = spdm_span(l->request.p, l->total);
    uint8_t code = message.p[1];

    l->receiving = false;
    l->until = SPDM_NEVER;
    l->acking = l->inside = true;
    rs->c.report = (struct spdm_report){0};
    if (code == CODE_CHUNK_SEND || code == CODE_CHUNK_GET || code == CODE_GET_VERSION || code == CODE_GET_CAPABILITIES)
        spdm_responder_turn_away(rs, refuse(&rs->c, BAD_VALUE, "RequestResponseCode R-CHK-26", code, 0),
                                 CODE_CHUNK_SEND);
    else spdm_responder_receive(rs, from, message);
    l->inside = false;
    /* It stays as long as it is being answered, unless all of it is in the connection's own room. */
    if (rs->stage == STAGE_IDLE || (l->own.p == NULL && rs->request_n == l->total)) release_request(rs);
}

static uint8_t begin(struct spdm_responder *rs, struct session *from, const struct chunk *m)
{
    struct large_rs *l = rs->large;

    spdm_responder_idle(rs); /* a deferred request gives way (R-RIR-09) */
    rs->kept = 0;
    free_request(rs);
    if (!spdm_large_borrow(rs->c.cfg, &l->request, m->large_size))
        return refuse_size(&rs->c, ALL_LENT, m->large_size, 0);
    l->receiving = true;
    l->from = from;
    l->at = 0;
    l->total = m->large_size;
    return SPDM_WHY_FINE;
}

static void take(struct spdm_responder *rs, struct session *from, const struct chunk *m)
{
    struct large_rs *l = rs->large;
    uint8_t why = l->receiving ? SPDM_WHY_FINE : begin(rs, from, m);

    if (why != SPDM_WHY_FINE) { /* Busy: no transfer has begun */
        spdm_responder_turn_away(rs, why, CODE_CHUNK_SEND);
        return;
    }
    l->handle = m->handle;
    l->sequence = m->sequence;
    (void)spdm_put(spdm_room_from(l->request, l->at), m->portion);
    l->at += (uint32_t)m->portion.n;
    l->kept = rs->c.cfg->out_shared || spdm_responder_in_records(rs) ? KEPT_NOTHING : KEPT_ACK;
    spdm_large_touch(rs);
    if (m->last) dispatch(rs, from);
    else acknowledge(rs);
}

/* The last portion has come once more (R-TIM-15). Its answer goes out again: an acknowledgement, or what was said to
 * the whole; while nothing was said, silence. */
static void repeated(struct spdm_responder *rs)
{
    struct large_rs *l = rs->large;

    if (l->receiving) {
        acknowledge(rs);
    } else if (rs->stage != STAGE_IDLE) {
        l->acking = l->acking || rs->deferred;
        spdm_responder_repeated(rs);
    } else if (rs->kept != 0) {
        rs->send = SEND_OUT;
        rs->send_n = rs->kept;
    }
}

static void chunk_send(struct spdm_responder *rs, struct session *from, struct spdm_span message)
{
    const struct large_rs *l = rs->large;
    struct exchange x = {.request = message};
    const struct chunk *m = &x.req.chunk;
    uint8_t why = spdm_conn_decode(&rs->c, &spdm_message_CHUNK_SEND, &x);
    bool kept = l->kept == KEPT_ACK && !spdm_responder_in_records(rs);

    if (why == SPDM_WHY_FINE && kept && m->handle == l->handle && m->sequence == l->sequence) {
        repeated(rs);
    } else if (l->acking) {
        intrude(rs, refuse(&rs->c, NOT_NOW, "R-CHK-22", 0, 0), CODE_CHUNK_SEND);
    } else if (rs->stage != STAGE_IDLE && !rs->deferred) {
        spdm_responder_turn_away(rs, refuse(&rs->c, BUSY, NULL, 0, 0), CODE_CHUNK_SEND);
    } else if (message.n < PORTION_HEAD || (m->sequence == 0 && message.n < FIRST_HEAD)) {
        spdm_responder_turn_away(rs, why, CODE_CHUNK_SEND);
    } else {
        if (why == SPDM_WHY_FINE) why = judge(rs, &x);
        if (why == SPDM_WHY_FINE) take(rs, from, m);
        else refuse_early(rs, m, why);
    }
}

bool spdm_large_keep(struct spdm_responder *rs, struct spdm_span message)
{
    struct large_rs *l = rs->large;

    free_request(rs);
    if (l->request.p == NULL) { /* it came in one piece, and is longer than the connection's own room */
        if (message.n > spdm_large_most(rs->c.cfg) || !spdm_large_borrow(rs->c.cfg, &l->request, message.n))
            return false;
        (void)spdm_put(l->request, message);
    }
    l->own = (struct spdm_room){rs->request, rs->request_max};
    rs->request = l->request.p;
    rs->request_max = (uint32_t)l->request.n;
    return true;
}

/* ---- who may speak ---- */

/* A transfer is open, or its last acknowledgement is not out yet. */
static bool open(const struct large_rs *l)
{
    return l->receiving || l->fetching || l->acking;
}

/* The request whose answer is fetched has come once more, or its last portion, or RESPOND_IF_READY for it:
 * LargeResponse was lost. */
static bool asked_again(struct spdm_responder *rs, struct spdm_span message)
{
    const struct large_rs *l = rs->large;
    struct exchange x = {.request = message};

    if (!l->fetching || l->sequence != 0) return false;
    if (message.p[1] == CODE_CHUNK_SEND) {
        if (l->asked == 0 || spdm_conn_decode(&rs->c, &spdm_message_CHUNK_SEND, &x) != SPDM_WHY_FINE) return false;
        return x.req.chunk.handle == l->handle && x.req.chunk.sequence == l->asked;
    }
    if (message.p[1] == CODE_RESPOND_IF_READY) return message.p[2] == rs->request[1] && message.p[3] == rs->token;
    return spdm_responder_same(rs, message);
}

/* What belongs to a transfer must have what the header of every request has (state-machine.md section 2). */
static bool judge_header(struct spdm_responder *rs, struct session *from, struct spdm_span message)
{
    struct conn *c = &rs->c;
    const struct large_rs *l = rs->large;
    uint8_t why = SPDM_WHY_FINE;

    /* VERSION: the header must carry the negotiated one */
    if (message.p[0] != c->facts.version)
        why = refuse(c, BAD_VERSION, "SPDMVersion R-VSN-09", message.p[0], c->facts.version);
    else if (open(l) && from != l->from) why = refuse(c, NOT_NOW, "R-CHK-28", 0, 0);
    if (why == SPDM_WHY_FINE) return true;
    intrude(rs, why, message.p[1]);
    return false;
}

/* Chunks before both sides' capabilities are known are out of place; afterwards, unless both have them, unknown. */
static bool too_early(const struct spdm_responder *rs)
{
    return rs->c.phase < PHASE_CAPABLE && (rs->c.cfg->policy->flags & SPDM_CHUNK_CAP) != 0;
}

static void get(struct spdm_responder *rs, struct spdm_span message)
{
    uint8_t why = spdm_large_get(rs, message);

    if (why == SPDM_WHY_FINE) return;
    spdm_responder_refuse(rs, why, CODE_CHUNK_GET);
    spdm_responder_tell(rs, SPDM_FAILED);
}

bool spdm_large_receive(struct spdm_responder *rs, struct session *from, struct spdm_span message)
{
    struct large_rs *l = rs->large;
    uint8_t code = message.p[1];
    bool chunk = code == CODE_CHUNK_SEND || code == CODE_CHUNK_GET;

    if (l->inside || rs->resynch) return false;
    if (chunk ? !spdm_conn_chunks(&rs->c) && !too_early(rs) : !open(l)) {
        if (l->kept != KEPT_NOTHING) rs->kept = 0;
        l->kept = KEPT_NOTHING;
        return false;
    }
    /* VERSION: GET_VERSION's own is frozen */
    if (code == CODE_GET_VERSION && message.p[0] == SPDM_V10 && from == NULL) { /* R-CHK-24 */
        spdm_responder_idle(rs);
        spdm_large_end(rs, NULL);
        return false;
    }
    rs->c.report = (struct spdm_report){0};
    if (from == l->from && asked_again(rs, message)) {
        spdm_responder_say_large(rs, l->sent_handle);
    } else if (!chunk || !spdm_conn_chunks(&rs->c) || (code == CODE_CHUNK_SEND && l->fetching) ||
               (code == CODE_CHUNK_GET && (l->receiving || l->acking))) {
        intrude(rs, refuse(&rs->c, NOT_NOW, "R-CHK-22", 0, 0), code);
    } else if (judge_header(rs, from, message)) {
        if (code == CODE_CHUNK_SEND) chunk_send(rs, from, message);
        else get(rs, message);
    }
    return true;
}

/* What policy allows, as NEGOTIATE_ALGORITHMS would offer it (R-CAP-14). */
static void algorithms(const struct conn *c, struct algorithms *block)
{
    enum { MULTI_KEY = 0x10 };

    spdm_select_offer(c, block);
    if ((c->cfg->policy->flags & c->ed->rsp_flags & SPDM_MULTI_KEY_CAP_MASK) != 0) block->other_params |= MULTI_KEY;
}

const struct spdm_chunks spdm_responder_chunks = {.responder_size = sizeof(struct large_rs),
                                                  .responder_place = spdm_large_responder_place,
                                                  .receive = spdm_large_receive,
                                                  .keep = spdm_large_keep,
                                                  .enlarge = spdm_large_enlarge,
                                                  .enter = spdm_large_enter,
                                                  .hold = spdm_large_hold,
                                                  .acknowledge = spdm_large_acknowledge,
                                                  .idle = spdm_large_idle,
                                                  .end = spdm_large_end,
                                                  .tick = spdm_large_tick,
                                                  .algorithms = algorithms};
