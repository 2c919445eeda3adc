/* SPDX-License-Identifier: BSD-3-Clause
 *
 * MEASUREMENTS as the prover builds it, from the list the caller answered
 * with: raw values are hashed when a digest is wanted, blocks are encoded by
 * the same walker that reads them. */
#include "core/opaque.h"
#include "core/responder_state.h"

enum { RECORD_AT = 8, BLOCK_HEAD = 7, TCB = 1 };

struct record {
    struct spdm_room room;
    void *state; /* a running hash in its place */
    size_t n;
    uint8_t blocks;
    bool tcb; /* what belongs to the trusted computing base only */
};

/* Contents that only make sense raw: manifest, device mode, versions ("Raw only" and manifests, algorithms.md). */
static bool only_raw(uint8_t type)
{
    return type == SPDM_MEAS_MANIFEST || type == SPDM_MEAS_DEVICE_MODE || type == SPDM_MEAS_VERSION ||
           type == SPDM_MEAS_SVN || type == SPDM_MEAS_STRUCTURED_MANIFEST;
}

/* A raw value is wanted as its digest (UN-26). */
static bool hashed(const struct spdm_responder *rs, const struct spdm_measurement *m, bool raw)
{
    return m->raw && !raw && rs->c.facts.meas_hash != SPDM_RAW_ONLY && !only_raw(m->type);
}

/* A block in the form asked for: its header, and the value or its digest. */
struct block {
    uint8_t head[BLOCK_HEAD], digest[SPDM_HASH_MAX];
    struct spdm_span value;
};

/* The walker writes the header; the room for it ends where the value would begin. */
static uint8_t block(struct spdm_responder *rs, const struct spdm_measurement *from, bool raw, struct block *out)
{
    enum spdm_alg alg = (enum spdm_alg)rs->c.facts.meas_hash;
    struct io io = {.sh.ver = rs->c.ed->version, .wr = {out->head, BLOCK_HEAD}, .end = BLOCK_HEAD};
    struct spdm_measurement m = *from;

    if (hashed(rs, from, raw)) {
        if (!spdm_digest(&rs->c.tr, alg, &from->value, 1, out->digest)) {
            return refuse(&rs->c, CRYPTO_FAILED, "a measurement's digest", 0, 0);
        }
        m.raw = false;
        m.value = spdm_span(out->digest, spdm_algorithm(alg)->size);
    }
    if (m.value.n > 0xffff - 3) return refuse(&rs->c, TOO_LONG, "a measurement", m.value.n, 0xffff - 3);
    out->value = m.value;
    spdm_walk_block(&io, &m);
    if (io_going(&io)) return SPDM_WHY_FINE;
    return refuse(&rs->c, ANSWER_REFUSED, "a malformed measurement", 0, 0);
}

static bool wanted(uint8_t operation, const struct spdm_measurement *m)
{
    return operation == SPDM_MEAS_ALL || operation == m->index;
}

/* Writes the blocks into the room, or hashes them. The length may be more than the room if that was too small: the
 * message will not fit either. */
static uint8_t make_record(struct spdm_responder *rs, struct record *r, uint8_t operation, bool raw)
{
    const struct spdm_crypto *crypto = rs->c.cfg->crypto;
    void *ctx = rs->c.cfg->crypto_ctx;
    bool fine = true;
    uint8_t why = SPDM_WHY_FINE;
    struct block one;

    for (size_t i = 0; why == SPDM_WHY_FINE && i < rs->answer->measurement_n; i++) {
        const struct spdm_measurement *m = &rs->answer->measurements[i];
        struct spdm_span head = spdm_span(one.head, BLOCK_HEAD);

        if (!wanted(operation, m) || (r->tcb && !m->tcb)) continue;
        why = block(rs, m, raw, &one);
        if (why != SPDM_WHY_FINE) break;
        if (r->state != NULL) {
            fine = crypto->hash_update(ctx, r->state, head) && crypto->hash_update(ctx, r->state, one.value);
        } else {
            (void)spdm_put(spdm_room_from(r->room, r->n), head);
            (void)spdm_put(spdm_room_from(r->room, r->n + BLOCK_HEAD), one.value);
        }
        if (!fine) why = refuse(&rs->c, CRYPTO_FAILED, "the measurement summary", 0, 0);
        r->n += BLOCK_HEAD + one.value.n;
        r->blocks++;
    }
    return why;
}

/* In the hash that L1/L2 is not using: CHALLENGE has reset it. The scratch hash is free for the measurements' own
 * digests. */
uint8_t spdm_measurement_summary(struct spdm_responder *rs, uint8_t type, uint8_t out[SPDM_HASH_MAX])
{
    const struct spdm_crypto *crypto = rs->c.cfg->crypto;
    void *ctx = rs->c.cfg->crypto_ctx, *state = spdm_transcript_state(&rs->c.tr, TRANSCRIPT_L1L2);
    struct record record = {.state = state, .tcb = type == TCB};
    bool fine;
    uint8_t why;

    spdm_transcript_reset(&rs->c.tr, TRANSCRIPT_L1L2);
    fine = crypto->hash_begin(ctx, state, (enum spdm_alg)rs->c.facts.hash);
    if (!fine) return refuse(&rs->c, CRYPTO_FAILED, "the measurement summary", 0, 0);
    why = make_record(rs, &record, SPDM_MEAS_ALL, false);
    fine = crypto->hash_peek(ctx, state, out);
    crypto->hash_end(ctx, state);
    if (record.blocks == 0) memset(out, 0, SPDM_HASH_MAX); /* R-CHL-15 */
    return fine || why != SPDM_WHY_FINE ? why : refuse(&rs->c, CRYPTO_FAILED, "the measurement summary", 0, 0);
}

static uint8_t consider_measurements(struct spdm_responder *rs, const union spdm_body *req)
{
    const struct get_measurements *q = &req->get_measurements;
    struct conn *c = &rs->c;
    uint8_t slot = q->slot == spdm_slot_nibble(SPDM_SLOT_KEY) ? SPDM_SLOT_KEY : q->slot;

    rs->need = SPDM_ASK_MEASURE;
    if (c->facts.meas_spec == 0 || c->facts.meas_hash == SPDM_ALG_NONE) {
        return refuse(c, NOT_NOW, "R-MEA-20", 0, 0);
    }
    if (!q->sign) return SPDM_WHY_FINE;
    if ((c->facts.responder.flags & SPDM_MEAS_CAP_MASK) != SPDM_MEAS_CAP_SIGNED) {
        return refuse(c, BAD_VALUE, "RequestAttributes R-MEA-04", 1, 0);
    }
    if (c->facts.hash == SPDM_ALG_NONE || c->facts.signature == SPDM_ALG_NONE) {
        return refuse(c, NO_SELECTION, "a base hash and a signature algorithm", 0, 0);
    }
    if (!spdm_slot_usable(rs, slot)) return refuse(c, BAD_SLOT, "SlotIDParam R-MEA-06", q->slot, 0);
    if (!spdm_slot_allows(rs, slot, SPDM_USE_MEASUREMENT)) {
        return refuse(c, BAD_VALUE, "SlotIDParam R-MEA-07", q->slot, 0);
    }
    c->facts.slot = slot;
    return SPDM_WHY_FINE;
}

/* Everything but the record. */
static void around(const struct spdm_responder *rs, const struct get_measurements *q, struct measurements *m)
{
    if (q->operation == 0) m->total = (uint8_t)rs->answer->measurement_n; /* the number of indices (R-MEA-12) */
    if (q->sign) {
        m->slot = q->slot;
        m->content_changed = rs->answer->content_changed & 3;
    }
    m->nonce = spdm_span(rs->nonce, NONCE_BYTES);
    if (SPDM_WHOLE) m->opaque = spdm_opaque_say(&rs->c, CODE_MEASUREMENTS);
    m->context = q->context;
}

static uint8_t reply_measurements(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    const struct get_measurements *q = &req->get_measurements;
    const struct spdm_config *cfg = rs->c.cfg;
    struct measurements *m = &rsp->measurements;
    struct record record = {.room = spdm_responder_body(rs)};
    uint8_t why;

    if (rs->answer->measurement_n >= SPDM_MEAS_ALL) {
        return refuse(&rs->c, ANSWER_REFUSED, "more than 254 measurements", 0, 0);
    }
    (void)spdm_take(&record.room, RECORD_AT);
    why = make_record(rs, &record, q->operation, q->raw);
    if (why != SPDM_WHY_FINE) return why;
    if (q->operation != 0 && record.blocks == 0) return refuse(&rs->c, NO_INDEX, NULL, q->operation, 0);
    if (!cfg->crypto->random(cfg->crypto_ctx, rs->nonce, NONCE_BYTES)) {
        return refuse(&rs->c, RANDOM_FAILED, NULL, 0, 0);
    }
    around(rs, q, m);
    m->blocks = record.blocks;
    m->record.n = record.n; /* it is in its place */
    return SPDM_WHY_FINE;
}

const struct prove_job spdm_prove_measurements = {.request = &spdm_message_GET_MEASUREMENTS,
                                                  .response = &spdm_message_MEASUREMENTS,
                                                  .signed_by = SIGNED_MEASUREMENTS,
                                                  .consider = consider_measurements,
                                                  .reply = reply_measurements};

/* ---- the same, portion by portion ---- */

/* The blocks, of which only those in the window are made. The end of the record. */
static bool lay_blocks(struct spdm_responder *rs, const struct get_measurements *q, struct spdm_window *to, size_t *end)
{
    size_t h = spdm_algorithm((enum spdm_alg)rs->c.facts.meas_hash)->size, at = RECORD_AT;
    struct block one;

    for (size_t i = 0; i < rs->answer->measurement_n; i++) {
        const struct spdm_measurement *m = &rs->answer->measurements[i];
        size_t n = BLOCK_HEAD + (hashed(rs, m, q->raw) ? h : m->value.n);

        if (!wanted(q->operation, m)) continue;
        if (spdm_window_shows(to, at, n)) {
            if (block(rs, m, q->raw, &one) != SPDM_WHY_FINE) return false;
            spdm_window_lay(to, at, spdm_span(one.head, BLOCK_HEAD));
            spdm_window_lay(to, at + BLOCK_HEAD, one.value);
        }
        at += n;
    }
    *end = at;
    return true;
}

/* What is around the record is encoded without it, then with its length alone. */
bool spdm_measurements_portion(struct spdm_responder *rs, size_t at, struct spdm_room room)
{
    enum { TAIL_MAX = 64, OPAQUE_AT = RECORD_AT + NONCE_BYTES + 2 }; /* in a message without record */
    struct exchange x = {.request = spdm_span(rs->request, rs->request_n)};
    const struct get_measurements *q = &x.req.get_measurements;
    struct spdm_window to = {room, at};
    uint8_t plain[RECORD_AT + TAIL_MAX], blocks = 0;
    size_t end;
    struct io io = {.wr = {plain, sizeof plain}, .end = sizeof plain};
    struct spdm_span opaque, tail;

    if (!SPDM_CHUNKS) return false;
    (void)spdm_conn_decode(&rs->c, &spdm_message_GET_MEASUREMENTS, &x); /* it was judged when it came */
    if (!lay_blocks(rs, q, &to, &end)) return false;
    for (size_t i = 0; i < rs->answer->measurement_n; i++)
        if (wanted(q->operation, &rs->answer->measurements[i])) blocks++;
    around(rs, q, &x.rsp.measurements);
    x.rsp.measurements.blocks = blocks;
    opaque = x.rsp.measurements.opaque;
    x.rsp.measurements.opaque.n = 0;
    spdm_conn_shape(&rs->c, CODE_MEASUREMENTS, &x.req, &io.sh);
    io.sh.sig = 0; /* it is kept elsewhere */
    (void)spdm_encode(&io, &spdm_message_MEASUREMENTS, &x.rsp);
    plain[OPAQUE_AT - 2] = (uint8_t)opaque.n;
    plain[OPAQUE_AT - 1] = (uint8_t)(opaque.n >> 8);
    tail = spdm_part(spdm_span(plain, io.at), OPAQUE_AT, io.at);
    spdm_window_lay(&to, end, spdm_part(spdm_span(plain, OPAQUE_AT), RECORD_AT, OPAQUE_AT));
    spdm_window_lay(&to, end + OPAQUE_AT - RECORD_AT, opaque);
    spdm_window_lay(&to, end + OPAQUE_AT - RECORD_AT + opaque.n, tail);
    x.rsp.measurements.record.n = end - RECORD_AT;
    io = (struct io){.sh = io.sh, .wr = {plain, RECORD_AT}, .end = RECORD_AT};
    (void)spdm_encode(&io, &spdm_message_MEASUREMENTS, &x.rsp);
    spdm_window_lay(&to, 0, spdm_span(plain, RECORD_AT));
    return true;
}
