/* SPDX-License-Identifier: BSD-3-Clause
 *
 * MEASUREMENT_EXTENSION_LOG and ENDPOINT_INFO as the asker sees them: a log in
 * portions, and what an endpoint is, with its signature if it was asked for. */
#include "core/requester_state.h"

enum { LOG_HEAD = 12, REQUESTS_MAX = 4096 };

/* ---- MEASUREMENT_EXTENSION_LOG ---- */

/* As much as a message of ours can hold, and no more than is wanted. Whoever sends it byte by byte does not go on for
 * ever (withstand 42). */
static uint8_t fill_log(struct spdm_requester *rq, union spdm_body *req)
{
    const struct spdm_log_order *o = &rq->goal.order->log;
    uint32_t most = rq->c.cfg->policy->certificate_requests, length = rq->c.cfg->data_transfer_size - LOG_HEAD;

    if (most == 0) most = REQUESTS_MAX;
    if (rq->certificates++ >= most)
        return refuse(&rq->c, LIMIT, "the number of GET_MEASUREMENT_EXTENSION_LOG", 0, most);
    if (o->length != 0 && length > o->length - rq->got.errand_at) length = o->length - rq->got.errand_at;
    req->order.log = (struct spdm_log_order){.offset = o->offset + rq->got.errand_at, .length = length};
    return SPDM_WHY_FINE;
}

static uint8_t judge_log(struct conn *c, const struct exchange *x)
{
    const struct spdm_log_order *q = &x->req.order.log;
    const struct measurement_extension_log *m = &x->rsp.measurement_extension_log;
    uint64_t end = (uint64_t)q->offset + m->portion.n + m->remainder;

    if (m->portion.n == 0) return refuse(c, TOO_SMALL, "PortionLength R-MEL-13", 0, 1);
    if (m->portion.n > q->length) return refuse(c, TOO_LONG, "PortionLength R-MEL-03", m->portion.n, q->length);
    if (end > UINT32_MAX) return refuse(c, TOO_LONG, "RemainderLength", m->remainder, UINT32_MAX - q->offset);
    return SPDM_WHY_FINE;
}

/* The log may grow while it is read, but what it had it keeps (R-MEL-10). */
static uint8_t reply_log(struct spdm_requester *rq, const struct exchange *x)
{
    const struct spdm_log_order *o = &rq->goal.order->log;
    const struct measurement_extension_log *m = &x->rsp.measurement_extension_log;
    uint32_t n = (uint32_t)m->portion.n, total = x->req.order.log.offset + n + m->remainder;

    if (total < rq->got.errand_total) {
        return refuse(&rq->c, TOO_SMALL, "RemainderLength R-MEL-10", total, rq->got.errand_total);
    }
    rq->got.errand_total = total;
    rq->got.errand_at += n;
    rq->got.errand_done = m->remainder == 0 || (o->length != 0 && rq->got.errand_at >= o->length);
    spdm_errand_tell(rq, m->portion);
    return SPDM_WHY_FINE;
}

const struct spdm_errand spdm_errand_log = {.job = {.request = &spdm_message_GET_MEASUREMENT_EXTENSION_LOG,
                                                    .response = &spdm_message_MEASUREMENT_EXTENSION_LOG,
                                                    .fill = fill_log,
                                                    .judge = judge_log,
                                                    .learn = spdm_errand_learn_nothing,
                                                    .after = reply_log}};

/* ---- ENDPOINT_INFO ---- */

/* Signed with the key that is trusted: its slot is the one to ask for (R-EPI-09). */
static uint8_t fill_endpoint(struct spdm_requester *rq, union spdm_body *req)
{
    const struct spdm_config *cfg = rq->c.cfg;
    struct spdm_endpoint_order *m = &req->order.endpoint;

    *m = (struct spdm_endpoint_order){.sub_code = rq->goal.order->endpoint.sub_code,
                                      .sign = rq->goal.order->endpoint.sign};
    if (!m->sign) return SPDM_WHY_FINE;
    if ((rq->c.facts.responder.flags & SPDM_EP_INFO_CAP_MASK) != SPDM_EP_INFO_CAP_SIGNED) {
        return refuse(&rq->c, CANNOT, "signed endpoint information (EP_INFO_CAP 2)", 0, 0);
    }
    if (rq->c.facts.signature == SPDM_ALG_NONE) return refuse(&rq->c, CANNOT, "a signature algorithm", 0, 0);
    if (!cfg->crypto->random(cfg->crypto_ctx, rq->nonce, NONCE_SIZE)) return refuse(&rq->c, RANDOM_FAILED, NULL, 0, 0);
    m->slot = spdm_slot_nibble(rq->c.facts.slot);
    m->nonce = spdm_span(rq->nonce, NONCE_SIZE);
    return SPDM_WHY_FINE;
}

static uint8_t judge_endpoint(struct conn *c, const struct exchange *x)
{
    const struct spdm_endpoint_order *q = &x->req.order.endpoint;
    const struct endpoint_info *m = &x->rsp.endpoint_info;

    if (q->sign && m->slot != q->slot) return refuse(c, MISMATCH, "SlotID R-EPI-05", m->slot, q->slot);
    return SPDM_WHY_FINE;
}

static uint8_t reply_endpoint(struct spdm_requester *rq, const struct exchange *x)
{
    rq->proven = x->req.order.endpoint.sign;
    spdm_errand_tell(rq, x->rsp.endpoint_info.info);
    return spdm_errand_done(rq, x);
}

const struct spdm_errand spdm_errand_endpoint = {.job = {.request = &spdm_message_GET_ENDPOINT_INFO,
                                                         .response = &spdm_message_ENDPOINT_INFO,
                                                         .signed_by = SIGNED_ENDPOINT_INFO,
                                                         .fill = fill_endpoint,
                                                         .judge = judge_endpoint,
                                                         .learn = spdm_errand_learn_nothing,
                                                         .after = reply_endpoint},
                                                 .signs = true};
