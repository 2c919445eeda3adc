/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The requester's engine: one exchange at a time. Sending, waiting, retrying,
 * matching, decoding, judging and learning are written once for all messages;
 * what is particular to a message is in its job. */
#include "core/large.h"
#include "core/mutual.h"
#include "core/opaque.h"

void spdm_requester_tell(struct spdm_requester *rq, enum spdm_event_kind kind)
{
    rq->told = (uint16_t)(rq->told | 1u << kind);
}

/* Failures after which the connection is as good as before: the peer has broken no rule, and both ends know where they
 * are. */
static bool survives(uint8_t why)
{
    return why == SPDM_WHY_PEER_ERROR || why == SPDM_WHY_CANNOT || why == SPDM_WHY_NO_SESSION ||
           why == SPDM_WHY_SESSION_LIMIT || why == SPDM_WHY_SESSION_EXPIRED || why == SPDM_WHY_NO_SLOT ||
           why == SPDM_WHY_NOT_TRUSTED;
}

/* What was asked in a session does not stay (withstand 25). */
static void forget_request(struct spdm_requester *rq)
{
    spdm_wipe(rq->request, rq->request_n < rq->request_max ? rq->request_n : rq->request_max);
}

void spdm_requester_abandon(struct spdm_requester *rq)
{
    struct conn *c = &rq->c;

    if (spdm_requester_large(rq) != NULL) c->cfg->chunks->drop(rq);
    if (!SPDM_SESSIONS) return;
    forget_request(rq);
    if (rq->exchange_open) c->cfg->crypto->exchange_end(c->cfg->crypto_ctx, rq->exchange);
    rq->exchange_open = false;
    rq->encap = (struct encap_rq){0};
    if (rq->opening != NULL) spdm_sessions_of(c->cfg)->free(c, rq->opening);
    rq->opening = NULL;
    if (spdm_conn_channel(c) != NULL && !survives(c->report.why))
        spdm_requester_lose(rq, spdm_conn_channel(c), c->report.why);
    spdm_conn_turn_to(c, NULL, NULL);
}

void spdm_requester_lose(struct spdm_requester *rq, struct session *s, uint8_t why)
{
    if (spdm_conn_channel(&rq->c) == s)
        spdm_conn_turn_to(&rq->c, NULL, NULL); /* else the request in flight has its own */
    spdm_sessions_of(rq->c.cfg)->end_for(&rq->c, s, why);
    spdm_requester_tell(rq, SPDM_CLOSED);
}

void spdm_requester_cut(struct spdm_requester *rq, struct session *s, uint8_t why)
{
    bool opening = s == rq->opening, ours = opening || (rq->flight != FLIGHT_NONE && spdm_conn_channel(&rq->c) == s);

    rq->c.report = (struct spdm_report){.why = why};
    if (!opening) spdm_requester_lose(rq, s, why); /* else nobody knows it yet */
    if (ours) spdm_requester_fail(rq, rq->job->request->code);
}

static bool torn(const struct spdm_requester *rq)
{
    return spdm_requester_large(rq) != NULL && rq->c.cfg->chunks->torn(rq);
}

void spdm_requester_fail(struct spdm_requester *rq, uint8_t code)
{
    bool beating = SPDM_WHOLE && rq->beating;

    if (rq->c.report.code == 0) rq->c.report.code = code;
    rq->c.report.version = rq->c.facts.version;
    rq->flight = FLIGHT_NONE;
    rq->beating = false;
    rq->broken = rq->broken || !survives(rq->c.report.why) || torn(rq);
    rq->c.interrupted = true; /* who refused a CHALLENGE may have forgotten M1/M2 (UN-07) */
    spdm_requester_abandon(rq);
    if (!beating) spdm_requester_tell(rq, SPDM_FAILED); /* nobody asked for a heartbeat; the session's end is told */
}

bool spdm_requester_restart(struct spdm_requester *rq)
{
    uint8_t limit = rq->c.cfg->policy->restarts != 0 ? rq->c.cfg->policy->restarts : 2;

    if (rq->restarts >= limit) return false;
    rq->restarts++;
    rq->recalled = false;
    rq->mark = 0;
    spdm_requester_abandon(rq);
    spdm_conn_restart(&rq->c);
    rq->got.digest_answered = rq->got.counted = rq->got.psk = rq->got.key_sent = false;
    rq->got.session = 0;
    rq->certificates = 0;
    spdm_requester_tell(rq, SPDM_RESTARTED);
    return true;
}

void spdm_requester_question(struct spdm_requester *rq, enum spdm_event_kind kind)
{
    rq->question = rq->asked = kind;
    rq->ticket++;
    rq->flight = FLIGHT_QUESTION;
}

/* The Handshake-Secret comes from outside and waits in the session that it is for. */
static void ask_psk(struct spdm_requester *rq)
{
    if (rq->opening == NULL) rq->opening = spdm_sessions_of(rq->c.cfg)->asks->begin(&rq->c, true);
    if (rq->opening != NULL) {
        spdm_requester_question(rq, SPDM_ASK_PSK);
        return;
    }
    (void)refuse(&rq->c, SESSION_LIMIT, NULL, 0, 0);
    spdm_requester_fail(rq, CODE_PSK_EXCHANGE);
}

void spdm_requester_advance(struct spdm_requester *rq)
{
    struct step step;

    rq->c.report = (struct spdm_report){0};
    if (SPDM_WHOLE && rq->beating) { /* that was all there was to do */
        rq->beating = false;
        rq->flight = FLIGHT_NONE;
        return;
    }
    step = spdm_plan(rq);
    switch (step.kind) {
    case STEP_SEND:
        if (spdm_requester_start(rq, step.job) != SPDM_WHY_FINE) spdm_requester_fail(rq, step.job->request->code);
        break;
    case STEP_ASK_DIGEST: spdm_requester_question(rq, SPDM_ASK_DIGEST); break;
    case STEP_ASK_TRUST: spdm_requester_question(rq, SPDM_ASK_TRUST); break;
    case STEP_ASK_PSK:
        if (SPDM_WHOLE) ask_psk(rq);
        break;
    case STEP_ASK_INNER:
        spdm_requester_question(rq, SPDM_ASK_SIGN);
        break; /* whichever it is, mutual->question() knows */
    case STEP_DONE:
        rq->flight = FLIGHT_NONE;
        spdm_requester_tell(rq, SPDM_DONE);
        break;
    case STEP_FAIL: spdm_requester_fail(rq, 0); break;
    }
}

void spdm_requester_use_vouched(struct spdm_requester *rq, uint8_t slot)
{
    if (rq->vouched.key == NULL || rq->vouched.slot != slot || rq->vouched.n != spdm_conn_hash_size(&rq->c)) return;
    rq->c.facts.slot = slot;
    rq->c.facts.trusted = true;
    memcpy(rq->c.facts.chain_hash, rq->vouched.hash, rq->vouched.n);
    rq->c.key = rq->vouched.key;
}

/* The goal accepts what is in a slot: a chain, or the provisioned key where that is wanted. */
static bool accepts(const struct spdm_requester *rq, uint8_t slot)
{
    return slot < SPDM_SLOT_N ? !rq->goal.use_key && (rq->c.slots_wanted >> slot & 1) != 0 : rq->goal.use_key;
}

void spdm_requester_vouch(struct spdm_requester *rq)
{
    if (accepts(rq, rq->vouched.slot)) spdm_requester_use_vouched(rq, rq->vouched.slot);
}

bool spdm_requester_ask(struct spdm_requester *rq, const struct spdm_goal *goal)
{
    struct spdm_facts *f = &rq->c.facts;

    if (rq->flight != FLIGHT_NONE) return false;
    rq->goal = *goal;
    rq->got = (struct progress){0};
    rq->restarts = 0;
    rq->certificates = 0;
    rq->told &= 1u << SPDM_CLOSED; /* a session that is over stays news */
    rq->mark = 0;
    rq->c.slots_wanted = goal->slots != 0 ? goal->slots : 0xff;
    rq->c.slots_refused = 0;
    if (rq->broken) spdm_conn_restart(&rq->c);
    rq->broken = false;
    if (!f->trusted || !accepts(rq, f->slot)) {
        f->trusted = f->authentic = rq->c.digests_known = false;
        rq->c.key = NULL;
        if (f->negotiated) spdm_requester_vouch(rq);
    }
    spdm_requester_advance(rq);
    return true;
}

void spdm_requester_trust(struct spdm_requester *rq, uint8_t slot, struct spdm_span hash, const void *key)
{
    if (hash.n > SPDM_HASH_MAX) return;
    rq->vouched.key = key;
    rq->vouched.slot = slot;
    rq->vouched.n = (uint8_t)hash.n;
    memcpy(rq->vouched.hash, hash.p, hash.n);
    if (rq->flight == FLIGHT_NONE && rq->c.facts.negotiated && !rq->c.facts.trusted) spdm_requester_vouch(rq);
}

/* A proof that failed for a reason that starting over may mend: a chain that was vouched for has changed, or a request
 * that we resent or the link repeated entered the peer's transcript twice. */
static bool second_chance(struct spdm_requester *rq, uint8_t why)
{
    bool vouched = rq->vouched.key != NULL && rq->c.key == rq->vouched.key && rq->c.facts.slot < SPDM_SLOT_N;

    if (why != SPDM_WHY_BAD_SIGNATURE && !(why == SPDM_WHY_BAD_DIGEST && vouched)) return false;
    if (!vouched && !rq->retried && rq->c.cfg->policy->retries == 0) return false;
    if (vouched) rq->vouched.key = NULL;
    return spdm_requester_restart(rq);
}

/* The message was put together from chunks: nothing pads it. */
static bool whole(const struct spdm_requester *rq)
{
    return spdm_requester_large(rq) != NULL && rq->c.cfg->chunks->whole(rq);
}

/* Whether the link loses and repeats: we resend there. */
static bool repeats(const struct spdm_requester *rq)
{
    return rq->c.cfg->policy->retries != 0;
}

/* Decodes and judges the response to the request in flight. */
static uint8_t digest_response(struct spdm_requester *rq, struct spdm_span message)
{
    const struct verify_job *job = rq->job;
    struct exchange x = {.request = spdm_span(rq->request, rq->request_n), .response = message};
    bool inside = spdm_conn_channel(&rq->c) != NULL;
    uint8_t why;

    (void)spdm_conn_decode(&rq->c, job->request, &x); /* our own bytes */
    why = spdm_conn_decode(&rq->c, job->response, &x);
    if (why == SPDM_WHY_FINE && whole(rq) && x.response.n != message.n)
        why = refuse(&rq->c, BAD_LENGTH, "LargeMessageSize R-CHK-13", message.n, x.response.n);
    if (why == SPDM_WHY_FINE) why = job->judge(&rq->c, &x);
    if (why != SPDM_WHY_FINE) return why;
    rq->recalled = false;
    why = SPDM_SESSIONS && job->finish != NULL ? job->finish(rq, &x) : spdm_verify_finish(&rq->c, job, &x);
    if (SPDM_WHOLE && why == SPDM_WHY_FINE) spdm_opaque_hear(&rq->c, job->response->code, &x.rsp);
    if (why == SPDM_WHY_FINE && job->after != NULL) why = job->after(rq, &x);
    if (why == SPDM_WHY_FINE && repeats(rq)) rq->mark = spdm_conn_mark(message);
    if (inside) forget_request(rq);
    return why;
}

/* Links that lose and repeat bring late copies of what we have: another code, or the very answer we took last. No two
 * answers in a row are alike: their requests differ, or they carry nonces. */
static bool late_copy(const struct spdm_requester *rq, struct spdm_span message)
{
    return repeats(rq) && (message.p[1] != rq->job->response->code || spdm_conn_mark(message) == rq->mark);
}

void spdm_requester_receive(struct spdm_requester *rq, struct spdm_span message, uint64_t now)
{
    uint8_t expected = rq->job->response->code, code = message.n < 4 ? 0 : message.p[1], why;

    rq->c.report = (struct spdm_report){0};
    if (spdm_requester_large(rq) != NULL && rq->c.cfg->chunks->take(rq, message, now)) return;
    if (message.n < 4) {
        (void)refuse(&rq->c, SHORT, "the message", 4, message.n);
        spdm_requester_fail(rq, expected);
    } else if (code == CODE_ERROR) {
        if (rq->own->error(rq, message, now)) spdm_requester_advance(rq);
    } else if (late_copy(rq, message)) {
        return;
    } else if (code != expected) {
        (void)refuse(&rq->c, BAD_CODE, NULL, code, expected);
        spdm_requester_fail(rq, expected);
    } else {
        why = digest_response(rq, message);
        if (why == SPDM_WHY_FINE || second_chance(rq, why)) spdm_requester_advance(rq);
        else spdm_requester_fail(rq, expected);
    }
}
