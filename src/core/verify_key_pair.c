/* SPDX-License-Identifier: BSD-3-Clause
 *
 * KEY_PAIR_INFO and SET_KEY_PAIR_INFO as the asker sees them. */
#include "core/requester_state.h"

static uint8_t fill_info(struct spdm_requester *rq, union spdm_body *req)
{
    const struct spdm_key_pair_order *o = &rq->goal.order->key_pair;

    req->order.key_pair.id = (uint8_t)(o->id + rq->got.errand_at);
    return SPDM_WHY_FINE;
}

/* A device that cannot change key pairs has no capabilities to tell of; AsymAlgoCapabilities may be 0 where there is a
 * post-quantum one (LQ-41). libspdm up to June 2026 sends six zeros more at 1.4, as if both length fields had four
 * bytes: what follows a message is not looked at, in a session neither. */
static uint8_t judge_info(struct conn *c, const struct exchange *x)
{
    const struct spdm_key_pair *m = &x->rsp.key_pair;
    uint8_t id = x->req.order.key_pair.id;

    if (m->id != id) return refuse(c, MISMATCH, "KeyPairID R-KPI-03", m->id, id);
    if (m->id > m->total) return refuse(c, TOO_SMALL, "TotalKeyPairs R-KPI-10", m->total, m->id);
    if (m->capabilities != 0 && (c->facts.responder.flags & SPDM_SET_KEY_PAIR_INFO_CAP) == 0) {
        return refuse(c, BAD_VALUE, "Capabilities R-KPI-04", m->capabilities, 0);
    }
    if ((m->capabilities & SPDM_KEY_PAIR_SHARE) != 0 && (m->capabilities & SPDM_KEY_PAIR_ASSOCIATE) == 0) {
        return refuse(c, BAD_VALUE, "Capabilities R-KPI-04", m->capabilities, 0);
    }
    if (m->capabilities != 0 && (m->capabilities & SPDM_KEY_PAIR_SHARE) == 0 && spdm_ones(m->slots) > 1) {
        return refuse(c, NOT_ONE, "AssocCertSlotMask R-KPI-06", m->slots, 0);
    }
    if ((m->usage & ~m->usages) != 0) return refuse(c, NOT_OFFERED, "CurrentKeyUsage R-KPI-08", m->usage, m->usages);
    if ((m->asym & ~m->asyms) != 0) return refuse(c, NOT_OFFERED, "CurrentAsymAlgo R-KPI-08", m->asym, m->asyms);
    if ((m->pqc & ~m->pqcs) != 0) return refuse(c, NOT_OFFERED, "CurrentPqcAsymAlgo R-KPI-08", m->pqc, m->pqcs);
    return SPDM_WHY_FINE;
}

static uint8_t reply_info(struct spdm_requester *rq, const struct exchange *x)
{
    const struct spdm_key_pair *m = &x->rsp.key_pair;

    rq->got.errand_at++;
    rq->got.errand_done = !rq->goal.order->key_pair.all || m->id == m->total;
    spdm_errand_tell(rq, x->response);
    return SPDM_WHY_FINE;
}

const struct spdm_errand spdm_errand_key_pair_info = {.job = {.request = &spdm_message_GET_KEY_PAIR_INFO,
                                                              .response = &spdm_message_KEY_PAIR_INFO,
                                                              .fill = fill_info,
                                                              .judge = judge_info,
                                                              .learn = spdm_errand_learn_nothing,
                                                              .after = reply_info}};

bool spdm_key_pair_read(struct spdm_span message, struct spdm_key_pair *out)
{
    struct shape sh = {.ver = message.n != 0 ? message.p[0] : 0};
    struct io io = spdm_reader(&sh, message);
    union spdm_body body;

    if (!spdm_decode(&io, &spdm_message_KEY_PAIR_INFO, &body)) return false;
    *out = body.key_pair;
    return true;
}

const struct spdm_errand spdm_errand_set_key_pair = {.job = {.request = &spdm_message_SET_KEY_PAIR_INFO,
                                                             .response = &spdm_message_SET_KEY_PAIR_INFO_ACK,
                                                             .fill = spdm_errand_fill,
                                                             .judge = spdm_errand_judge_nothing,
                                                             .learn = spdm_errand_learn_nothing,
                                                             .after = spdm_errand_done},
                                                     .resets = SPDM_SET_KEY_PAIR_RESET_CAP};
