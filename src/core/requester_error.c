/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ERROR as the requester meets it: wait, defer, start over or give up - one
 * place for all messages (state-machine.md section 6). */
#include "core/large.h"

enum {
    ERROR_INVALID_REQUEST = 0x01,
    ERROR_BUSY = 0x03,
    ERROR_UNEXPECTED = 0x04,
    ERROR_NO_PENDING = 0x45,
    ERROR_DECRYPT = 0x06,
    ERROR_RESET_REQUIRED = 0x0c,
    ERROR_LARGE_RESPONSE = 0x0f,
    ERROR_MESSAGE_LOST = 0x10,
    ERROR_DATA_TOO_LARGE = 0x12,
    ERROR_NOT_READY = 0x42,
    ERROR_RESYNCH = 0x43,
    ERROR_SESSION_TERMINATED = 0x46
};
enum { BUSY_RETRIES = 8, BUSY_DELAY = 50000, NOT_READY_RETRIES = 16, WAIT_MAX = 60000000 };

static bool lost(struct spdm_requester *rq, const struct error *e)
{
    rq->c.report.error = e->code;
    spdm_requester_fail(rq, rq->job->response->code);
    return false;
}

static bool refused(struct spdm_requester *rq, const struct error *e)
{
    if (SPDM_WHOLE && rq->recalled && spdm_requester_restart(rq)) return true; /* it has not kept it (UN-11) */
    (void)refuse(&rq->c, PEER_ERROR, NULL, e->code, 0);
    return lost(rq, e);
}

void spdm_requester_pause(struct spdm_requester *rq, uint64_t until)
{
    rq->flight = FLIGHT_PAUSE;
    rq->deadline = until;
    rq->tries = 0;
    if (spdm_sessions_of(rq->c.cfg) != NULL) spdm_sessions_of(rq->c.cfg)->asks->put_off(rq);
}

/* Busy, and MessageLost which asks for the same: the request again, unchanged (R-TIM-13). */
static bool again(struct spdm_requester *rq, const struct error *e, uint64_t now)
{
    const struct spdm_policy *policy = rq->c.cfg->policy;
    uint8_t limit = policy->busy_retries != 0 ? policy->busy_retries : BUSY_RETRIES;

    if (rq->busy++ >= limit) {
        (void)refuse(&rq->c, GAVE_UP, NULL, e->code, limit);
        return lost(rq, e);
    }
    spdm_requester_pause(rq, now + (policy->busy_delay != 0 ? policy->busy_delay : BUSY_DELAY));
    return false;
}

/* RESPOND_IF_READY was sent twice and the second came too late: the response was handed out and lost. The request
 * itself still has its answer (R-TIM-15). */
static bool missed(const struct spdm_requester *rq)
{
    return rq->ask_ready && rq->tries > 1;
}

/* ResponseNotReady: RESPOND_IF_READY after WT = RDT (R-TIM-08). RDTM 0 and 1, which libspdm sends, need no branch:
 * we come as early as we may (LQ-17). */
static bool deferred(struct spdm_requester *rq, const struct error *e, uint64_t now)
{
    const struct spdm_policy *policy = rq->c.cfg->policy;
    uint8_t limit = policy->not_ready_retries != 0 ? policy->not_ready_retries : NOT_READY_RETRIES;
    uint64_t max = policy->wait_max != 0 ? policy->wait_max : WAIT_MAX;
    uint64_t rdt = e->rdt_exponent < 32 ? (uint64_t)1 << e->rdt_exponent : max;

    if ((rq->job->request->joins & JOINS_VCA) != 0) return refused(rq, e); /* R-ERR-26 */
    if (e->request_code != rq->job->request->code) {
        if (policy->retries != 0) return false; /* a late copy, as for responses */
        (void)refuse(&rq->c, MISMATCH, "RequestCode R-ERR-25", e->request_code, rq->job->request->code);
        return lost(rq, e);
    }
    if (rq->not_ready++ >= limit) {
        (void)refuse(&rq->c, GAVE_UP, NULL, e->code, limit);
        return lost(rq, e);
    }
    rq->ask_ready = true;
    rq->token = e->token;
    spdm_requester_pause(rq, now + (rdt < max ? rdt : max));
    return false;
}

static bool resynch(struct spdm_requester *rq, const struct error *e)
{
    if (rq->job->request->code == CODE_GET_VERSION) return refused(rq, e);
    if (spdm_requester_restart(rq)) return true;
    (void)refuse(&rq->c, GAVE_UP, NULL, e->code, rq->restarts);
    return lost(rq, e);
}

/* Reading index by index meets gaps (1.2+): the next one, please. Whether all that were announced have come is the
 * plan's to see, for anybody can write an ERROR. */
static bool skip_index(struct spdm_requester *rq)
{
    if (rq->job->request->code != CODE_GET_MEASUREMENTS || rq->goal.measure != SPDM_MEASURE_EACH) return false;
    if (!rq->got.counted) return false;
    spdm_requester_next_index(rq, true);
    return true;
}

/* A chain over 65,535 bytes needs the large form (1.4, UN-29). */
static bool enlarge(struct spdm_requester *rq)
{
    struct conn *c = &rq->c;

    if (rq->job->request->code != CODE_GET_CERTIFICATE || c->large_chain || !c->ed->large_certificate) return false;
    if ((c->facts.responder.flags & SPDM_LARGE_RESP_CAP) == 0) return false;
    c->large_chain = true;
    c->chain_have = c->chain_total = 0;
    return true;
}

/* The response is too large for one transfer (R-ERR-19); the flight goes on with CHUNK_GET. */
static bool fetch(struct spdm_requester *rq, const struct error *e)
{
    bool there = spdm_requester_large(rq) != NULL;

    if (there && rq->c.cfg->chunks->fetch(rq, e->handle) == SPDM_WHY_FINE) return false;
    spdm_transcript_reset(spdm_conn_log(&rq->c), TRANSCRIPT_L1L2); /* R-MEA-25 */
    return there ? lost(rq, e) : refused(rq, e);
}

/* DecryptError about a session is its end (R-ERR-37); so, we take it, is RequestSessionTerminated, which nobody knows
 * to send and of which the text does not say what it asks for (UN-22). */
static bool undecipherable(struct spdm_requester *rq, const struct error *e)
{
    if (spdm_conn_channel(&rq->c) != NULL && spdm_conn_channel(&rq->c) != rq->opening)
        spdm_requester_lose(rq, spdm_conn_channel(&rq->c), SPDM_WHY_PEER_ERROR);
    return refused(rq, e);
}

/* Asked whether there is an encapsulated request, the Responder said no: that is an answer (up to 1.2 it has no code of
 * its own). */
static bool nothing_pending(struct spdm_requester *rq)
{
    if (!SPDM_WHOLE || rq->job->request->code != CODE_GET_ENCAPSULATED_REQUEST || (rq->goal.want & SPDM_WANT_POLL) == 0)
        return false;
    rq->encap.due = ENCAP_NOTHING;
    rq->got.polled = true;
    return true;
}

/* ResetRequired to a request that may be answered so: it was accepted (R-SCT-12, R-CSR-10). To any other,
 * SET_KEY_PAIR_INFO of 1.3 among them, it is a failure (R-SKP-10, LQ-14). */
static bool accepted(struct spdm_requester *rq, const struct error *e)
{
    enum { TAG = 7 };
    const struct spdm_errand *errand = spdm_requester_running(rq);

    if (errand == NULL || (rq->c.facts.responder.flags & errand->resets) == 0) return false;
    rq->operation = e->data & TAG;
    rq->got.errand_done = true;
    spdm_requester_tell(rq, SPDM_RESET_DUE);
    return true;
}

bool spdm_requester_error(struct spdm_requester *rq, struct spdm_span message, uint64_t now)
{
    struct exchange x = {.response = message};
    const struct error *e = &x.rsp.error;

    if (spdm_conn_decode(&rq->c, &spdm_message_ERROR, &x) != SPDM_WHY_FINE) {
        spdm_requester_fail(rq, CODE_ERROR);
        return false;
    }
    if (e->code != ERROR_NOT_READY && e->code != ERROR_LARGE_RESPONSE)
        spdm_transcript_reset(spdm_conn_log(&rq->c), TRANSCRIPT_L1L2); /* R-MEA-25 */
    switch (e->code) {
    case ERROR_BUSY:
    case ERROR_MESSAGE_LOST: return again(rq, e, now);
    case ERROR_NOT_READY: return deferred(rq, e, now);
    case ERROR_RESYNCH: return resynch(rq, e);
    case ERROR_NO_PENDING:
    case ERROR_UNEXPECTED: return nothing_pending(rq) || refused(rq, e);
    case ERROR_INVALID_REQUEST:
        if (!missed(rq)) return skip_index(rq) || refused(rq, e);
        rq->ask_ready = false;
        return again(rq, e, now);
    case ERROR_LARGE_RESPONSE: return fetch(rq, e);
    case ERROR_DATA_TOO_LARGE: return enlarge(rq) || refused(rq, e);
    case ERROR_RESET_REQUIRED: return (SPDM_WHOLE && accepted(rq, e)) || refused(rq, e);
    case ERROR_SESSION_TERMINATED:
    case ERROR_DECRYPT: return undecipherable(rq, e);
    default: return refused(rq, e);
    }
}

/* Nobody comes again later: whatever it says, but that the chain is long, it is the answer. */
bool spdm_requester_error_inside(struct spdm_requester *rq, struct spdm_span message, uint64_t now)
{
    struct exchange x = {.response = message};

    (void)now;
    if (spdm_conn_decode(&rq->c, &spdm_message_ERROR, &x) != SPDM_WHY_FINE) {
        spdm_requester_fail(rq, CODE_ERROR);
        return false;
    }
    return (x.rsp.error.code == ERROR_DATA_TOO_LARGE && enlarge(rq)) || refused(rq, &x.rsp.error);
}
