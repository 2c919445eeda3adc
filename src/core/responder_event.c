/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Events of a responder: what happened, and the question at hand. */
#include "core/mutual.h"

/* The question at hand, described from the request it is about. */
static void describe(struct spdm_responder *rs, struct spdm_event *event)
{
    struct exchange x = {.request = spdm_span(rs->request, rs->request_n)};
    const union spdm_body *req = &x.req;

    event->ticket = rs->ticket;
    event->slot = rs->c.facts.slot;
    event->session = spdm_responder_at(rs) != NULL ? rs->at->id : 0;
    if (rs->stage == STAGE_SIGN) {
        event->kind = SPDM_ASK_SIGN;
        event->signing = rs->to_sign.what;
        return;
    }
    event->kind = rs->need;
    if (SPDM_WHOLE && rs->job->asks != SPDM_NOTHING) {
        event->order = &rs->order.order;
        return;
    }
    (void)spdm_conn_decode(&rs->c, rs->job->request, &x); /* it was judged when it came */
    if (rs->job->request->code == CODE_GET_MEASUREMENTS) {
        event->index = req->get_measurements.operation;
        event->raw = req->get_measurements.raw;
        event->fresh = req->get_measurements.fresh;
    } else if (spdm_mutual_of(rs->c.cfg) != NULL && (rs->need == SPDM_ASK_TRUST || rs->need == SPDM_ASK_DIGEST)) {
        rs->c.cfg->mutual->describe(rs, event);
    } else if (rs->need == SPDM_ASK_VENDOR) {
        event->standard = req->vendor_defined.standard;
        event->vendor = req->vendor_defined.vendor;
        event->data = req->vendor_defined.payload;
    } else if (SPDM_WHOLE && rs->need == SPDM_ASK_PSK) {
        event->data = req->psk_exchange.hint;
        event->hash = (enum spdm_alg)rs->c.facts.hash;
        event->psk_salt = spdm_span(spdm_psk_salt[rs->c.ed->psk_salt & 1], spdm_conn_hash_size(&rs->c));
    } else {
        event->index = SPDM_MEAS_ALL;
    }
}

static void describe_session(struct spdm_responder *rs, struct spdm_event *event)
{
    if (event->kind == SPDM_OPENED) event->session = rs->opened;
    if (event->kind == SPDM_CLOSED) {
        event->report = (struct spdm_report){.version = rs->c.facts.version};
        if (spdm_sessions_of(rs->c.cfg)->ended(&rs->c, &event->session, &event->report.why))
            spdm_responder_tell(rs, SPDM_CLOSED);
    }
    if (event->kind == SPDM_DATA) {
        event->session = rs->data_session;
        event->data = rs->data;
    }
    if (event->kind == SPDM_REPLIED) {
        event->session = rs->encap.where != NULL ? rs->encap.where->id : 0;
        event->data = rs->data;
        event->proven = rs->proven;
    }
}

enum spdm_event_kind spdm_responder_event(struct spdm_responder *rs, struct spdm_event *event)
{
    static const uint8_t order[] = {SPDM_RESTARTED, SPDM_CONNECTED, SPDM_OPENED, SPDM_DATA,
                                    SPDM_REPLIED,   SPDM_CLOSED,    SPDM_FAILED, SPDM_DONE};

    *event = (struct spdm_event){.kind = SPDM_NOTHING, .report = rs->c.report};
    for (size_t i = 0; rs->told != 0 && i < sizeof order; i++) {
        if ((rs->told >> order[i] & 1) == 0) continue;
        rs->told = (uint16_t)(rs->told & ~(1u << order[i]));
        event->kind = (enum spdm_event_kind)order[i];
        if (SPDM_SESSIONS) describe_session(rs, event);
        return event->kind;
    }
    if ((rs->stage == STAGE_NEED || rs->stage == STAGE_SIGN) && !rs->asked) {
        rs->asked = true;
        describe(rs, event);
    }
    if (event->kind == SPDM_NOTHING) spdm_session_forget(&rs->c);
    return event->kind;
}
