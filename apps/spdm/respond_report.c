/* SPDX-License-Identifier: BSD-3-Clause
 *
 * respond_report.c - what the device says of itself, and answers that are described.
 *
 * Answers of the description's own to application data wait for the way out as
 * streams do, one for a client; more than that and the newest is dropped, as
 * who asks by turns never has two. */
#include "respond.h"

#include <assay/errand.h>
#include <assay/session.h>
#include <stdlib.h>
#include <string.h>

static void answer_with(struct client *c, struct spdm_span data)
{
    spdm_respond_answer(
        c, &(struct spdm_answer){.ticket = c->question.ticket, .yes = data.n != 0, .data = data, .stays = true});
}

static void answer_vendor(struct client *c, const struct spdm_event *event)
{
    const struct spdm_vendor_request q = {
        .vendor_defined = true, .body = event->standard, .vendor = event->vendor, .payload = event->data};
    const struct spdm_device_canned *canned = spdm_device_answer(c->server->generation->device, &q);
    spdm_respond_answer(c, &(struct spdm_answer){.ticket = c->question.ticket,
                                                 .yes = canned != NULL,
                                                 .data = canned != NULL ? canned->answer : event->data});
}

bool spdm_respond_report(struct client *c, const struct spdm_event *event)
{
    const struct spdm_device *d = c->server->generation->device;
    switch (event->kind) {
    case SPDM_ASK_LOG: answer_with(c, d->log); return true;
    case SPDM_ASK_ENDPOINT: answer_with(c, d->endpoint); return true;
    case SPDM_ASK_VENDOR: answer_vendor(c, event); return true;
    case SPDM_ASK_EVENT_TYPES:
    case SPDM_ASK_SUBSCRIBE:
    case SPDM_ASK_EVENTS: spdm_respond_event_question(c, event); return true;
    default: return false;
    }
}

/* ---- application data ---- */

bool spdm_respond_canned_data(struct client *c, const struct spdm_event *event)
{
    const struct spdm_vendor_request q = {.payload = event->data};
    const struct spdm_device_canned *canned = spdm_device_answer(c->server->generation->device, &q);
    if (canned == NULL) return false;
    if (c->said.session == 0) c->said = (struct said){event->session, canned->answer};
    return true;
}

bool spdm_respond_canned_send(struct client *c)
{
    struct spdm_span out;
    if (c->said.session == 0 || spdm_link_waiting(c->link) != 0) return false;
    if (!spdm_responder_send(c->engine, c->said.session, c->said.data)) return false;
    c->said.session = 0;
    out = spdm_responder_pull(c->engine, spdm_respond_now());
    return out.n != 0 && spdm_respond_send(c, out); /* the link tells its end itself */
}
