/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Putting a request into flight, and how long its answer may take
 * (DSP0274 "Timing requirements"; spec digest messages.md "Timing"). */
#include "core/requester_state.h"

enum { ST1 = 100000, WAIT_MAX = 60000000 };

uint8_t spdm_requester_start(struct spdm_requester *rq, const struct verify_job *job)
{
    uint32_t limit;
    struct exchange x = {0};
    uint8_t why = job->fill(rq, &x.req);

    if (why != SPDM_WHY_FINE) return why;
    why = spdm_conn_encode(&rq->c, job->request, &x, (struct spdm_room){rq->request, rq->request_max});
    if (why != SPDM_WHY_FINE) return why;
    limit = rq->c.facts.responder.data_transfer_size;
    if (limit != 0 && x.request.n > limit)
        return refuse(&rq->c, TOO_BIG_FOR_PEER, NULL, x.request.n, limit); /* R-CAP-22 */
    spdm_conn_reset_by(&rq->c, job->request);
    rq->request_n = (uint16_t)x.request.n;
    rq->job = job;
    rq->flight = FLIGHT_SEND;
    rq->ask_ready = false;
    rq->tries = rq->busy = rq->not_ready = 0;
    return SPDM_WHY_FINE;
}

/* T1 for the negotiation, which needs no cryptography, T2 for everything else (UN-02). A CTExponent of any size is
 * legal; what it promises is capped by policy (R-CAP-21, withstand 53). */
uint64_t spdm_requester_patience(const struct spdm_requester *rq)
{
    const struct spdm_policy *policy = rq->c.cfg->policy;
    uint64_t rtt = policy->rtt != 0 ? policy->rtt : rq->c.cfg->binding->rtt;
    uint64_t max = policy->wait_max != 0 ? policy->wait_max : WAIT_MAX;
    uint8_t exponent = rq->c.facts.responder.ct_exponent;
    uint64_t ct = exponent < 32 ? (uint64_t)1 << exponent : max;

    if ((rq->job->request->joins & JOINS_VCA) != 0) ct = ST1;
    return rtt + (ct < max ? ct : max);
}
