/* SPDX-License-Identifier: BSD-3-Clause
 *
 * CHALLENGE_AUTH and MEASUREMENTS as the asker sees them. The signature itself
 * is checked by verify_finish.c once everything here was fine. */
#include "core/mutual.h"

/* Nonce and RequesterContext, new for each request. A span without pointer would leave the bytes as they are: the
 * context is empty below 1.3. */
static uint8_t fresh(struct spdm_requester *rq, struct spdm_span *nonce, struct spdm_span *context)
{
    const struct spdm_config *cfg = rq->c.cfg;

    if (!cfg->crypto->random(cfg->crypto_ctx, rq->nonce, sizeof rq->nonce)) {
        return refuse(&rq->c, RANDOM_FAILED, NULL, 0, 0);
    }
    *nonce = spdm_span(rq->nonce, NONCE_SIZE);
    *context = spdm_span(&rq->nonce[NONCE_SIZE], rq->c.ed->fresh_bit ? CONTEXT_SIZE : 0);
    return SPDM_WHY_FINE;
}

/* ---- CHALLENGE ---- */

static uint8_t fill_challenge(struct spdm_requester *rq, union spdm_body *req)
{
    struct challenge *m = &req->challenge;

    m->slot = rq->c.facts.slot;
    m->summary = spdm_requester_summary(rq); /* R-CHL-05 */
    return fresh(rq, &m->nonce, &m->context);
}

static uint8_t judge_challenge(struct conn *c, const struct exchange *x)
{
    const struct challenge *q = &x->req.challenge;
    const struct challenge_auth *m = &x->rsp.challenge_auth;
    size_t h = spdm_conn_hash_size(c);

    if (m->slot != spdm_slot_nibble(q->slot)) {
        return refuse(c, MISMATCH, "SlotID R-CHL-10", m->slot, spdm_slot_nibble(q->slot));
    }
    if (q->slot != SPDM_SLOT_KEY && (m->slot_mask >> q->slot & 1) == 0) {
        return refuse(c, BAD_SLOT, "SlotMask R-CHL-11", q->slot, 0);
    }
    if (m->basic_mut_auth && (c->facts.requester.flags & SPDM_MUT_AUTH_CAP) == 0) {
        return refuse(c, BAD_VALUE, "BasicMutAuthReq R-CHL-10", 1, 0);
    }
    if (!spdm_equal(m->chain_hash, spdm_span(c->facts.chain_hash, h))) {
        return refuse(c, BAD_DIGEST, "CertChainHash R-CHL-12", 0, 0);
    }
    if (!spdm_equal(m->context, q->context)) return refuse(c, DIFFERS, "RequesterContext R-CHL-07", 0, 0);
    return SPDM_WHY_FINE;
}

static void learn_challenge(struct conn *c, const struct exchange *x)
{
    c->facts.authentic = c->challenged = true;
    c->facts.summary_n = (uint8_t)x->rsp.challenge_auth.summary.n;
    if (c->facts.summary_n != 0) memcpy(c->facts.summary, x->rsp.challenge_auth.summary.p, c->facts.summary_n);
}

/* The Responder wants to know who we are (basic mutual authentication). */
static uint8_t after_challenge(struct spdm_requester *rq, const struct exchange *x)
{
    if (!x->rsp.challenge_auth.basic_mut_auth) return SPDM_WHY_FINE;
    return spdm_requester_inner(rq) != NULL ? rq->c.cfg->mutual->begin(rq, 0, 0)
                                            : refuse(&rq->c, BAD_VALUE, "BasicMutAuthReq R-CHL-10", 1, 0);
}

const struct verify_job spdm_verify_challenge = {.request = &spdm_message_CHALLENGE,
                                                 .response = &spdm_message_CHALLENGE_AUTH,
                                                 .signed_by = SIGNED_CHALLENGE_AUTH,
                                                 .fill = fill_challenge,
                                                 .judge = judge_challenge,
                                                 .learn = learn_challenge,
                                                 .after = after_challenge};

/* ---- MEASUREMENTS ---- */

/* The operation that the goal needs next. */
static uint8_t operation(const struct spdm_requester *rq)
{
    switch (rq->goal.measure) {
    case SPDM_MEASURE_COUNT: return 0;
    case SPDM_MEASURE_INDEX: return rq->goal.index;
    case SPDM_MEASURE_EACH: return rq->got.counted ? rq->got.next_index : 0;
    default: return SPDM_MEAS_ALL;
    }
}

static uint8_t fill_measurements(struct spdm_requester *rq, union spdm_body *req)
{
    struct get_measurements *m = &req->get_measurements;
    uint8_t why = fresh(rq, &m->nonce, &m->context);

    m->sign = rq->goal.sign; /* the number of indices too: it tells whether one was kept from us */
    m->raw = rq->goal.raw && rq->c.ed->raw_bit;
    m->fresh = rq->goal.fresh && rq->c.ed->fresh_bit;
    m->operation = operation(rq);
    m->slot = spdm_slot_nibble(rq->c.facts.slot);
    if (!m->sign) m->nonce.n = 0;
    return why;
}

/* Blocks in ascending order, each in a form the negotiated measurement hash allows (withstand: repeated index). */
static uint8_t judge_blocks(struct conn *c, struct spdm_span record, uint8_t operation)
{
    uint8_t alg = c->facts.meas_hash, last = 0;
    size_t h = spdm_algorithm((enum spdm_alg)alg)->size;
    struct spdm_measurement block;

    while (spdm_measurement_next(&record, &block)) {
        if (block.index <= last) return refuse(c, BAD_ORDER, "Index R-MBK-12", block.index, last);
        if (operation != SPDM_MEAS_ALL && block.index != operation) {
            return refuse(c, MISMATCH, "Index R-MEA-17", block.index, operation);
        }
        if (!block.raw && (alg == SPDM_RAW_ONLY || block.value.n != h)) {
            return refuse(c, BAD_LENGTH, "DMTFSpecMeasurementValueSize R-MBK-05", block.value.n, h);
        }
        last = block.index;
    }
    return SPDM_WHY_FINE;
}

static uint8_t judge_measurements(struct conn *c, const struct exchange *x)
{
    const struct get_measurements *q = &x->req.get_measurements;
    const struct measurements *m = &x->rsp.measurements;

    if (q->operation == 0) {
        if (m->blocks != 0 || m->record.n != 0) return refuse(c, BAD_LENGTH, "NumberOfBlocks R-MEA-15", m->blocks, 0);
        if (m->total == SPDM_MEAS_ALL) return refuse(c, BAD_VALUE, "TotalNumberOfIndices R-MEA-12", m->total, 0);
    } else if (q->operation == SPDM_MEAS_ALL) {
        if (m->blocks == 0 || m->blocks == 0xff) return refuse(c, BAD_VALUE, "NumberOfBlocks R-MEA-16", m->blocks, 0);
    } else if (m->blocks != 1) {
        return refuse(c, BAD_LENGTH, "NumberOfBlocks R-MEA-17", m->blocks, 1);
    }
    if (q->sign && c->ed->slot_in_measurements && m->slot != q->slot) {
        return refuse(c, MISMATCH, "SlotID R-MEA-13", m->slot, q->slot);
    }
    if (!spdm_equal(m->context, q->context)) return refuse(c, DIFFERS, "RequesterContext R-MEA-11", 0, 0);
    return judge_blocks(c, m->record, q->operation);
}

static void learn_measurements(struct conn *c, const struct exchange *x)
{
    const struct measurements *m = &x->rsp.measurements;

    c->facts.measured_signed = x->req.get_measurements.sign;
    c->facts.measurement_n = x->req.get_measurements.operation == 0 ? m->total : m->blocks;
    c->facts.content_changed = x->req.get_measurements.sign ? m->content_changed : 0;
}

static uint8_t after_measurements(struct spdm_requester *rq, const struct exchange *x)
{
    uint8_t op = x->req.get_measurements.operation, n = rq->c.facts.measurement_n;

    rq->operation = op;
    rq->record = x->rsp.measurements.record;
    rq->proven = x->req.get_measurements.sign;
    spdm_requester_tell(rq, SPDM_MEASURED);
    if (rq->goal.measure != SPDM_MEASURE_EACH) {
        rq->got.measured = true;
    } else if (op == 0) {
        rq->got.counted = true;
        rq->got.next_index = 1;
        rq->got.left = n;
        rq->got.measured = n == 0;
    } else {
        rq->got.measured = --rq->got.left == 0;
        spdm_requester_next_index(rq, false);
    }
    return SPDM_WHY_FINE;
}

const struct verify_job spdm_verify_measurements = {.request = &spdm_message_GET_MEASUREMENTS,
                                                    .response = &spdm_message_MEASUREMENTS,
                                                    .signed_by = SIGNED_MEASUREMENTS,
                                                    .fill = fill_measurements,
                                                    .judge = judge_measurements,
                                                    .learn = learn_measurements,
                                                    .after = after_measurements};
