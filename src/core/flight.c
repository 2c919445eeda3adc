/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Putting a request into flight, and how long its answer may take
 * (DSP0274 "Timing requirements"; spec digest messages.md "Timing"). */
#include "core/large.h"

enum { ST1 = 100000, WAIT_MAX = 60000000 };

/* The session in which the goal wants a request to travel; NULL: outside. */
static uint8_t channel(struct spdm_requester *rq, const struct verify_job *job, struct session **out)
{
    uint32_t id = rq->goal.session != 0 ? rq->goal.session : rq->got.session;

    *out = NULL;
    if (spdm_sessions_of(rq->c.cfg) == NULL || (job->request->legal & (PHASE_HANDSHAKE | PHASE_SESSION)) == 0)
        return SPDM_WHY_FINE;
    if (rq->opening != NULL) {
        *out = (job->request->legal & PHASE_HANDSHAKE) != 0 ? rq->opening : NULL;
        return SPDM_WHY_FINE;
    }
    if (id == 0 && (job->request->legal & PHASE_NEGOTIATED) != 0) return SPDM_WHY_FINE;
    *out = spdm_sessions_of(rq->c.cfg)->find(&rq->c, id);
    return *out != NULL ? SPDM_WHY_FINE : refuse(&rq->c, NO_SESSION, NULL, id, 0);
}

uint8_t spdm_requester_summary(const struct spdm_requester *rq)
{
    const struct spdm_facts *f = &rq->c.facts;

    return f->meas_spec != 0 && (f->responder.flags & SPDM_MEAS_CAP_MASK) != 0 ? rq->goal.summary : 0;
}

uint8_t spdm_requester_start(struct spdm_requester *rq, const struct verify_job *job)
{
    struct session *s;
    uint8_t why = channel(rq, job, &s);

    return why == SPDM_WHY_FINE ? spdm_requester_start_in(rq, job, s) : why;
}

/* Encodes the request into the connection's own room, or, if it is longer, into room that is lent. */
static uint8_t encode(struct spdm_requester *rq, const struct verify_job *job, struct exchange *x)
{
    struct spdm_room own = {rq->request, rq->request_max};
    uint8_t why = spdm_conn_encode(&rq->c, job->request, x, own);

    if (why != SPDM_WHY_NO_ROOM || spdm_requester_large(rq) == NULL) return why;
    if (!rq->c.cfg->chunks->widen(rq, x->request.n)) return why;
    return spdm_conn_encode(&rq->c, job->request, x, (struct spdm_room){rq->request, rq->request_max});
}

/* R-CAP-22; or it goes in chunks. */
static uint8_t fits(struct spdm_requester *rq)
{
    uint32_t limit = rq->c.facts.responder.data_transfer_size, n = spdm_requester_length(rq);

    if (spdm_requester_large(rq) != NULL && spdm_conn_chunks(&rq->c)) return rq->c.cfg->chunks->begin(rq);
    return limit == 0 || n <= limit ? SPDM_WHY_FINE : refuse(&rq->c, TOO_BIG_FOR_PEER, NULL, n, limit);
}

uint8_t spdm_requester_start_in(struct spdm_requester *rq, const struct verify_job *job, struct session *s)
{
    struct exchange x = {0};
    uint8_t why;

    if (SPDM_WHOLE) rq->tail = (struct spdm_span){0};
    if (SPDM_SESSIONS) spdm_conn_turn_to(&rq->c, s, s != NULL ? &s->tr : NULL);
    if (spdm_requester_large(rq) != NULL) rq->c.cfg->chunks->fresh(rq);
    why = job->fill(rq, &x.req);
    if (why == SPDM_WHY_FINE) why = encode(rq, job, &x);
    if (why != SPDM_WHY_FINE) return why;
    rq->request_n = (uint32_t)x.request.n;
    why = fits(rq);
    if (why != SPDM_WHY_FINE) return why;
    if (SPDM_SESSIONS && job->complete != NULL) why = job->complete(rq, x.verify_at);
    if (why != SPDM_WHY_FINE) return why;
    spdm_conn_reset_by(&rq->c, job->request);
    rq->job = job;
    if (SPDM_WHOLE && rq->encap.signing)
        spdm_requester_question(rq, SPDM_ASK_SIGN); /* FINISH goes out when it is signed */
    else rq->flight = FLIGHT_SEND;
    rq->ask_ready = false;
    rq->tries = rq->busy = rq->not_ready = 0;
    return SPDM_WHY_FINE;
}

/* T1 for the negotiation, which needs no cryptography, T2 for everything else (UN-02). A CTExponent of any size is
 * legal; what it promises is capped by policy (R-CAP-21, withstand 53). */
/* The first gap is a reason to try the two indices that the specification fixes (manifest, device mode): a device that
 * has them would make us walk through all that lies before them, an exchange each. Not on a link that loses and
 * repeats: there every ERROR may be a late copy of an older one, and the fewer are asked for the better. */
void spdm_requester_next_index(struct spdm_requester *rq, bool missing)
{
    enum { MANIFEST = 0xfd, DEVICE_MODE = 0xfe };
    struct progress *got = &rq->got;
    uint8_t next = (uint8_t)(got->next_index + 1);
    bool sure = rq->c.cfg->policy->retries == 0;

    if (got->next_index == DEVICE_MODE) {
        next = got->gap_index != 0 && got->gap_index < MANIFEST ? got->gap_index : SPDM_MEAS_ALL;
    } else if (got->next_index != MANIFEST && missing && sure && got->gap_index == 0) {
        got->gap_index = next;
        next = MANIFEST;
    } else if (next == MANIFEST && got->gap_index != 0) {
        next = SPDM_MEAS_ALL;
    }
    got->next_index = next;
}

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
