/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Events of a requester, and the answers to its questions. */
#include "core/large.h"
#include "core/mutual.h"

static bool fetch(struct spdm_requester *rq, enum spdm_event_kind kind)
{
    bool there = (rq->told >> kind & 1) != 0;

    rq->told = (uint16_t)(rq->told & ~(1u << kind));
    return there;
}

void spdm_requester_show_chain(const struct spdm_requester *rq, struct spdm_event *event)
{
    size_t h = spdm_conn_hash_size(&rq->c);

    if (event->kind == SPDM_ASK_DIGEST) {
        event->data = spdm_span(rq->c.facts.chain_hash, h);
    } else {
        event->data = spdm_span(rq->c.cfg->chain.p, rq->c.chain_have);
        event->root_at = (uint8_t)(4 + h);
    }
}

static void describe_question(struct spdm_requester *rq, struct spdm_event *event)
{
    event->ticket = rq->ticket;
    if (SPDM_WHOLE && rq->question == SPDM_ASK_SIGN) {
        rq->c.cfg->mutual->question(rq, event);
    } else if (SPDM_WHOLE && rq->question == SPDM_ASK_PSK) {
        event->data = rq->goal.psk_hint;
        event->hash = (enum spdm_alg)rq->c.facts.hash;
        event->psk_salt = spdm_span(spdm_psk_salt[rq->c.ed->psk_salt & 1], spdm_conn_hash_size(&rq->c));
    } else {
        spdm_requester_show_chain(rq, event);
    }
}

static void describe_session(struct spdm_requester *rq, struct spdm_event *event)
{
    if (event->session == 0) event->session = rq->got.session;
    if (event->kind == SPDM_CLOSED) {
        event->report = (struct spdm_report){.version = rq->c.facts.version};
        if (spdm_sessions_of(rq->c.cfg)->ended(&rq->c, &event->session, &event->report.why))
            spdm_requester_tell(rq, SPDM_CLOSED);
    }
    if (event->kind == SPDM_DATA) {
        event->session = rq->data_session;
        event->data = rq->data;
    }
}

static enum spdm_event_kind next_event(struct spdm_requester *rq)
{
    static const uint8_t order[] = {SPDM_RESTARTED, SPDM_CONNECTED, SPDM_OPENED,    SPDM_MEASURED,
                                    SPDM_VENDOR,    SPDM_REPLIED,   SPDM_RESET_DUE, SPDM_DATA,
                                    SPDM_CLOSED,    SPDM_FAILED,    SPDM_DONE};

    for (size_t i = 0; rq->told != 0 && i < sizeof order; i++) {
        if (fetch(rq, (enum spdm_event_kind)order[i])) return (enum spdm_event_kind)order[i];
    }
    return SPDM_NOTHING;
}

enum spdm_event_kind spdm_requester_event(struct spdm_requester *rq, struct spdm_event *event)
{
    *event = (struct spdm_event){.kind = next_event(rq), .slot = rq->c.facts.slot};
    if (event->kind == SPDM_NOTHING && rq->flight == FLIGHT_QUESTION && rq->question != SPDM_NOTHING) {
        event->kind = rq->question;
        describe_question(rq, event);
        rq->question = SPDM_NOTHING;
    }
    if (event->kind == SPDM_NOTHING) spdm_session_forget(&rq->c);
    if (event->kind == SPDM_NOTHING && spdm_requester_large(rq) != NULL) rq->large->read = true;
    event->report = rq->c.report;
    if (SPDM_SESSIONS) describe_session(rq, event);
    if (event->kind == SPDM_MEASURED) {
        event->index = rq->operation;
        event->proven = rq->proven;
        event->data = rq->record;
    } else if (event->kind == SPDM_VENDOR) {
        event->standard = rq->standard;
        event->vendor = rq->vendor;
        event->data = rq->record;
    } else if (SPDM_WHOLE && event->kind == SPDM_REPLIED) {
        event->data = rq->record;
        event->proven = rq->proven;
    } else if (SPDM_WHOLE && event->kind == SPDM_RESET_DUE) {
        event->index = rq->operation;
    }
    return event->kind;
}

static void refuse_slot(struct spdm_requester *rq)
{
    struct conn *c = &rq->c;

    c->slots_refused = (uint8_t)(c->slots_refused | 1u << c->facts.slot);
    c->digests_known = false;
    c->chain_have = c->chain_total = 0;
    rq->certificates = 0;
    rq->c.report = (struct spdm_report){0};
    if ((c->slots_wanted & c->facts.provisioned_slots & ~c->slots_refused) != 0) {
        spdm_requester_advance(rq);
        return;
    }
    (void)refuse(c, NOT_TRUSTED, NULL, c->facts.slot, 0);
    spdm_requester_fail(rq, CODE_CERTIFICATE);
}

/* The Handshake-Secret, made from the PSK by the caller (it never enters the core). */
static bool take_psk(struct spdm_requester *rq, const struct spdm_answer *answer)
{
    size_t h = spdm_conn_hash_size(&rq->c);

    rq->got.psk = true;
    rq->c.report = (struct spdm_report){0};
    if (answer->yes && answer->data.n == h) {
        memcpy(rq->opening->secrets.root, answer->data.p, h);
        spdm_requester_advance(rq);
    } else {
        (void)refuse(&rq->c, ANSWER_REFUSED, "no PSK for this hint", answer->data.n, h);
        spdm_requester_fail(rq, CODE_PSK_EXCHANGE);
    }
    return true;
}

bool spdm_requester_answer(struct spdm_requester *rq, const struct spdm_answer *answer)
{
    bool whole = rq->got.digest_answered; /* the question was about the whole chain */

    if (rq->flight != FLIGHT_QUESTION || answer->ticket != rq->ticket) return false;
    if (SPDM_WHOLE && rq->asked == SPDM_ASK_PSK) return take_psk(rq, answer);
    if (SPDM_WHOLE && rq->asked == SPDM_ASK_SIGN) return rq->c.cfg->mutual->answer(rq, answer), true;
    rq->got.digest_answered = true;
    if (answer->yes) {
        rq->c.facts.trusted = true;
        rq->c.key = answer->key;
    }
    if (answer->yes || !whole) spdm_requester_advance(rq);
    else refuse_slot(rq);
    return true;
}
