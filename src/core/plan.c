/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What to ask next is a function of what is wanted and what is known. There is
 * no state to fall out of step with the facts: slot fallback, cached digests
 * and starting over after RequestResynch are all this function called again. */
#include "core/mutual.h"

static struct step send(const struct verify_job *job)
{
    return (struct step){STEP_SEND, job};
}

static struct step fail(uint8_t why)
{
    (void)why; /* refuse() has noted it */
    return (struct step){.kind = STEP_FAIL};
}

/* The goal cannot be reached because a capability is missing. */
#define CANNOT(rq, what) fail(refuse(&(rq)->c, CANNOT, what, 0, 0))

static bool has(const struct spdm_requester *rq, uint32_t flag)
{
    return (rq->c.facts.responder.flags & flag) != 0;
}

static bool wants(const struct spdm_requester *rq, unsigned what)
{
    return (rq->goal.want & what) != 0;
}

/* What a requester inside a responder never asks. */
static struct step own(struct spdm_requester *rq, unsigned which, const char *what)
{
    (void)what;
    return rq->own->job[which] != NULL ? send(rq->own->job[which]) : CANNOT(rq, what);
}

/* On to a chain that the caller trusts. */
static struct step identity(struct spdm_requester *rq)
{
    const struct conn *c = &rq->c;

    if (rq->goal.use_key) return CANNOT(rq, "a public key provisioned beforehand");
    if (!has(rq, SPDM_CERT_CAP)) return CANNOT(rq, "CERT_CAP");
    if (c->facts.hash == SPDM_ALG_NONE) return CANNOT(rq, "a base hash");
    if (!c->digests_known) return send(&spdm_verify_digests);
    if (c->facts.slot >= SPDM_SLOT_N) return fail(refuse(&rq->c, NO_SLOT, NULL, c->facts.provisioned_slots, 0));
    if (!rq->got.digest_answered) return (struct step){.kind = STEP_ASK_DIGEST};
    if (c->chain_total == 0 || c->chain_have < c->chain_total) return send(&spdm_verify_certificate);
    return (struct step){.kind = STEP_ASK_TRUST};
}

static struct step challenge(struct spdm_requester *rq)
{
    if (!has(rq, SPDM_CHAL_CAP)) return CANNOT(rq, "CHAL_CAP");
    if (rq->c.facts.signature == SPDM_ALG_NONE) return CANNOT(rq, "a signature algorithm");
    /* UN-07: all readings of the reset rules agree if nothing came between GET_DIGESTS and CHALLENGE. */
    if (rq->c.interrupted && has(rq, SPDM_CERT_CAP)) return send(&spdm_verify_digests);
    return send(&spdm_verify_challenge);
}

static struct step measurements(struct spdm_requester *rq)
{
    if (!has(rq, SPDM_MEAS_CAP_MASK)) return CANNOT(rq, "MEAS_CAP");
    if (rq->goal.sign && !has(rq, SPDM_MEAS_CAP_SIGNED)) return CANNOT(rq, "signed measurements (MEAS_CAP 2)");
    if (rq->c.facts.meas_spec == 0) return CANNOT(rq, "a measurement specification");
    if (rq->got.next_index == SPDM_MEAS_ALL) return fail(refuse(&rq->c, INCOMPLETE, NULL, rq->got.left, 0));
    return own(rq, OWN_MEASUREMENTS, "measurements of a requester");
}

/* Any other request, if version and capabilities have it. */
static struct step run(struct spdm_requester *rq, const struct spdm_errand *errand)
{
    const struct spdm_message *request = errand->job.request;

    if (rq->c.facts.version < request->since) return CANNOT(rq, "a version that has this request");
    if (request->needs != 0 && !has(rq, request->needs)) return CANNOT(rq, "the capability for this request");
    if (spdm_sessions_of(rq->c.cfg) == NULL &&
        (request->legal & rq->c.phase) == 0) { /* else the channel is looked for */
        return fail(refuse(&rq->c, NO_SESSION, NULL, 0, 0));
    }
    return send(&errand->job);
}

struct step spdm_plan(struct spdm_requester *rq)
{
    const struct conn *c = &rq->c;
    bool measure = wants(rq, SPDM_WANT_MEASUREMENTS) && !rq->got.measured;
    bool open = SPDM_SESSIONS && wants(rq, SPDM_WANT_SESSION) && rq->got.session == 0;
    const struct spdm_errand *errand = spdm_requester_errand(rq);
    bool identify = wants(rq, SPDM_WANT_IDENTITY | SPDM_WANT_CHALLENGE) || open || (measure && rq->goal.sign);
    struct step session = {.kind = STEP_DONE}, turned = {.kind = STEP_DONE};

    if (errand != NULL && errand->signs && rq->goal.order->endpoint.sign) identify = true;
    if (c->phase < PHASE_NEGOTIATED) /* phases are bits: 1, 2, 4 */
        return own(rq, c->phase >> 1, "a negotiation of its own");
    if (spdm_requester_inner(rq) != NULL) turned = c->cfg->mutual->plan(rq);
    if (turned.kind != STEP_DONE) return turned;
    if (wants(rq, SPDM_WANT_DIGESTS) && !c->digests_known) {
        return has(rq, SPDM_CERT_CAP) ? send(&spdm_verify_digests) : CANNOT(rq, "CERT_CAP");
    }
    if (identify && !c->facts.trusted) return identity(rq);
    if (wants(rq, SPDM_WANT_CHALLENGE) && !c->facts.authentic) return challenge(rq);
    if (spdm_sessions_of(c->cfg) != NULL) session = spdm_sessions_of(c->cfg)->asks->plan(rq);
    if (session.kind != STEP_DONE) return session;
    if (measure) return measurements(rq);
    if (SPDM_WHOLE && wants(rq, SPDM_WANT_VENDOR) && !rq->got.vendor_done)
        return own(rq, OWN_VENDOR, "vendor-defined requests to a requester");
    if (errand != NULL && !rq->got.errand_done) return run(rq, errand);
    if (wants(rq, SPDM_WANT_END_SESSION) && !rq->got.ended && spdm_sessions_of(c->cfg) != NULL)
        return spdm_sessions_of(c->cfg)->asks->end(rq);
    return (struct step){.kind = STEP_DONE};
}
