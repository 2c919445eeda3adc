/* SPDX-License-Identifier: BSD-3-Clause
 *
 * MEASUREMENTS as the prover builds it, from the list the caller answered
 * with: raw values are hashed when a digest is wanted, blocks are encoded by
 * the same walker that reads them. */
#include "core/responder_state.h"

enum { RECORD_AT = 8, TCB = 1 };

/* Contents that only make sense raw: manifest, device mode, versions ("Raw only" and manifests, algorithms.md). */
static bool only_raw(uint8_t type)
{
    return type == SPDM_MEAS_MANIFEST || type == SPDM_MEAS_DEVICE_MODE || type == SPDM_MEAS_VERSION ||
           type == SPDM_MEAS_SVN || type == SPDM_MEAS_STRUCTURED_MANIFEST;
}

/* One block in the form asked for: raw, or the digest of a raw value (UN-26). */
static uint8_t block(struct spdm_responder *rs, struct io *io, const struct spdm_measurement *from, bool raw)
{
    enum spdm_alg alg = (enum spdm_alg)rs->c.facts.meas_hash;
    struct spdm_measurement m = *from;
    uint8_t digest[SPDM_HASH_MAX];

    if (m.raw && !raw && rs->c.facts.meas_hash != SPDM_RAW_ONLY && !only_raw(m.type)) {
        if (!spdm_digest(&rs->c.tr, alg, &from->value, 1, digest)) {
            return refuse(&rs->c, CRYPTO_FAILED, "a measurement's digest", 0, 0);
        }
        m.raw = false;
        m.value = spdm_span(digest, spdm_algorithm(alg)->size);
    }
    if (m.value.n > 0xffff - 3) return refuse(&rs->c, TOO_LONG, "a measurement", m.value.n, 0xffff - 3);
    spdm_walk_block(io, &m);
    return SPDM_WHY_FINE;
}

uint8_t spdm_measurement_record(struct spdm_responder *rs, struct record *record, uint8_t operation, bool raw)
{
    struct io io = {.sh.ver = rs->c.ed->version, .wr = record->room, .end = record->room.n};
    uint8_t why = SPDM_WHY_FINE;

    for (size_t i = 0; why == SPDM_WHY_FINE && i < rs->answer->measurement_n; i++) {
        const struct spdm_measurement *m = &rs->answer->measurements[i];

        if (operation != SPDM_MEAS_ALL && operation != m->index) continue;
        why = block(rs, &io, m, raw);
        record->blocks++;
    }
    record->n = io.at; /* more than the room if that was too small: the message will not fit either */
    if (why != SPDM_WHY_FINE || io_fine(&io) || io.why == SPDM_WHY_NO_ROOM) return why;
    return refuse(&rs->c, ANSWER_REFUSED, "a malformed measurement", 0, 0);
}

/* The blocks pass one by one through the response's buffer, still unused. */
static uint8_t summarize(struct spdm_responder *rs, uint8_t type, void *state, bool *any)
{
    const struct spdm_config *cfg = rs->c.cfg;
    uint8_t why;

    for (size_t i = 0; i < rs->answer->measurement_n; i++) {
        const struct spdm_measurement *m = &rs->answer->measurements[i];
        struct record one = {.room = spdm_responder_body(rs)};

        if (type == TCB && !m->tcb) continue;
        why = spdm_measurement_record(rs, &one, m->index, false);
        if (why != SPDM_WHY_FINE) return why;
        if (one.n > one.room.n) return refuse(&rs->c, NO_ROOM, "a measurement", one.n, one.room.n);
        if (!cfg->crypto->hash_update(cfg->crypto_ctx, state, spdm_span(one.room.p, one.n))) {
            return refuse(&rs->c, CRYPTO_FAILED, "the measurement summary", 0, 0);
        }
        *any = true;
    }
    return SPDM_WHY_FINE;
}

/* In the hash that L1/L2 is not using: CHALLENGE has reset it. The scratch hash is free for the measurements' own
 * digests. */
uint8_t spdm_measurement_summary(struct spdm_responder *rs, uint8_t type, uint8_t out[SPDM_HASH_MAX])
{
    const struct spdm_crypto *crypto = rs->c.cfg->crypto;
    void *ctx = rs->c.cfg->crypto_ctx, *state = rs->c.tr.state[TRANSCRIPT_L1L2];
    bool any = false, fine;
    uint8_t why;

    spdm_transcript_reset(&rs->c.tr, TRANSCRIPT_L1L2);
    fine = crypto->hash_begin(ctx, state, (enum spdm_alg)rs->c.facts.hash);
    if (!fine) return refuse(&rs->c, CRYPTO_FAILED, "the measurement summary", 0, 0);
    why = summarize(rs, type, state, &any);
    fine = crypto->hash_peek(ctx, state, out);
    crypto->hash_end(ctx, state);
    if (!any) memset(out, 0, SPDM_HASH_MAX); /* R-CHL-15 */
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
    why = spdm_measurement_record(rs, &record, q->operation, q->raw);
    if (why != SPDM_WHY_FINE) return why;
    if (q->operation != 0 && record.blocks == 0) return refuse(&rs->c, NO_INDEX, NULL, q->operation, 0);
    if (!cfg->crypto->random(cfg->crypto_ctx, rs->nonce, NONCE_BYTES)) {
        return refuse(&rs->c, RANDOM_FAILED, NULL, 0, 0);
    }
    if (q->operation == 0) m->total = (uint8_t)rs->answer->measurement_n; /* the number of indices (R-MEA-12) */
    if (q->sign) {
        m->slot = q->slot;
        m->content_changed = rs->answer->content_changed & 3;
    }
    m->blocks = record.blocks;
    m->record.n = record.n; /* it is in its place */
    m->nonce = spdm_span(rs->nonce, NONCE_BYTES);
    m->context = q->context;
    return SPDM_WHY_FINE;
}

const struct prove_job spdm_prove_measurements = {.request = &spdm_message_GET_MEASUREMENTS,
                                                  .response = &spdm_message_MEASUREMENTS,
                                                  .signed_by = SIGNED_MEASUREMENTS,
                                                  .consider = consider_measurements,
                                                  .reply = reply_measurements};
