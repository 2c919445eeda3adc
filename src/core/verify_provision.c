/* SPDX-License-Identifier: BSD-3-Clause
 *
 * CSR and SET_CERTIFICATE_RSP as the asker sees them. */
#include "core/requester_state.h"

enum { SHORT_MAX = 0xffff };

/* Key pair and model belong to multi-key connections only (R-CSR-03, R-SCT-04). */
static uint8_t whose(struct spdm_requester *rq, uint8_t *key_pair, uint8_t *model, bool erase)
{
    if (!rq->c.facts.multi_key_rsp || erase) *model = SPDM_CERT_NONE;
    if (!rq->c.facts.multi_key_rsp) *key_pair = 0;
    if (!rq->c.facts.multi_key_rsp || (*key_pair != 0 && (erase || *model != SPDM_CERT_NONE))) return SPDM_WHY_FINE;
    return refuse(&rq->c, CANNOT, "a KeyPairID and a certificate model in the order", 0, 0);
}

/* ---- GET_CSR ---- */

static uint8_t fill_csr(struct spdm_requester *rq, union spdm_body *req)
{
    req->order = *rq->goal.order;
    return whose(rq, &req->order.csr.key_pair, &req->order.csr.model, false);
}

static uint8_t reply_csr(struct spdm_requester *rq, const struct exchange *x)
{
    spdm_errand_tell(rq, x->rsp.csr.csr);
    return spdm_errand_done(rq, x);
}

const struct spdm_errand spdm_errand_csr = {.job = {.request = &spdm_message_GET_CSR,
                                                    .response = &spdm_message_CSR,
                                                    .fill = fill_csr,
                                                    .judge = spdm_errand_judge_nothing,
                                                    .learn = spdm_errand_learn_nothing,
                                                    .after = reply_csr},
                                            .resets = SPDM_CERT_INSTALL_RESET_CAP};

/* ---- SET_CERTIFICATE ---- */

/* The chain stays where the caller has it; behind the head it goes out from there. */
static uint8_t fill_store(struct spdm_requester *rq, union spdm_body *req)
{
    struct spdm_store_order *m = &req->order.store;
    uint8_t why;

    *m = rq->goal.order->store;
    why = whose(rq, &m->key_pair, &m->model, m->erase);
    if (why != SPDM_WHY_FINE) return why;
    if (m->chain.n > SHORT_MAX && (rq->c.facts.responder.flags & SPDM_LARGE_RESP_CAP) == 0) {
        return refuse(&rq->c, CANNOT, "LARGE_RESP_CAP", m->chain.n, SHORT_MAX);
    }
    rq->tail = m->erase ? spdm_span(NULL, 0) : m->chain;
    m->chain = (struct spdm_span){0};
    return SPDM_WHY_FINE;
}

static uint8_t judge_store(struct conn *c, const struct exchange *x)
{
    uint8_t slot = x->rsp.set_certificate_rsp.slot, asked = x->req.order.store.slot;

    return slot == asked ? SPDM_WHY_FINE : refuse(c, MISMATCH, "SlotID R-SCT-14", slot, asked);
}

/* What was known of the slots is old now (R-SCT-18). */
static void learn_store(struct conn *c, const struct exchange *x)
{
    c->digests_known = false;
    if (c->facts.slot != x->req.order.store.slot) return;
    c->facts.trusted = c->facts.authentic = false;
    c->chain_have = c->chain_total = 0;
    c->key = NULL;
}

static uint8_t reply_store(struct spdm_requester *rq, const struct exchange *x)
{
    if (rq->vouched.slot == x->req.order.store.slot) rq->vouched.key = NULL;
    return spdm_errand_done(rq, x);
}

const struct spdm_errand spdm_errand_store = {.job = {.request = &spdm_message_SET_CERTIFICATE,
                                                      .response = &spdm_message_SET_CERTIFICATE_RSP,
                                                      .fill = fill_store,
                                                      .judge = judge_store,
                                                      .learn = learn_store,
                                                      .after = reply_store},
                                              .resets = SPDM_CERT_INSTALL_RESET_CAP};
