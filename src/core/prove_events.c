/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Events as the asked side answers: which there are, who wants which, and those
 * that the other side tells of. Lists have been walked when they were decoded. */
#include "core/responder_state.h"

static uint8_t consider_nothing(struct spdm_responder *rs, const union spdm_body *req)
{
    (void)rs;
    (void)req;
    return SPDM_WHY_FINE;
}

static uint8_t reply_nothing(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    (void)rs;
    (void)req;
    (void)rsp;
    return SPDM_WHY_FINE;
}

static uint8_t enter_nothing(struct spdm_responder *rs, struct spdm_span response)
{
    (void)rs;
    (void)response;
    return SPDM_WHY_FINE;
}

static uint8_t reply_types(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    struct spdm_span rest = rs->answer->data;
    struct spdm_event_group group;

    (void)req;
    rsp->order.list.list = rest;
    while (spdm_event_group_next(&rest, &group)) rsp->order.list.count++;
    if (rest.n != 0 || rsp->order.list.count > UINT8_MAX) {
        return refuse(&rs->c, ANSWER_REFUSED, "a malformed list of event groups", 0, 0);
    }
    return SPDM_WHY_FINE;
}

const struct prove_job spdm_prove_event_types = {.request = &spdm_message_GET_SUPPORTED_EVENT_TYPES,
                                                 .response = &spdm_message_SUPPORTED_EVENT_TYPES,
                                                 .asks = SPDM_ASK_EVENT_TYPES,
                                                 .consider = consider_nothing,
                                                 .reply = reply_types,
                                                 .enter = enter_nothing};

const struct prove_job spdm_prove_subscribe = {.request = &spdm_message_SUBSCRIBE_EVENT_TYPES,
                                               .response = &spdm_message_SUBSCRIBE_EVENT_TYPES_ACK,
                                               .head_only = true,
                                               .asks = SPDM_ASK_SUBSCRIBE,
                                               .declined = SPDM_ERROR_INVALID_REQUEST,
                                               .consider = consider_nothing,
                                               .reply = reply_nothing,
                                               .enter = enter_nothing};

/* EVENT_CAP is the sender's (R-EVT-01). */
static uint8_t consider_events(struct spdm_responder *rs, const union spdm_body *req)
{
    (void)req;
    if ((rs->c.facts.requester.flags & SPDM_EVENT_CAP) != 0) return SPDM_WHY_FINE;
    return refuse(&rs->c, UNSUPPORTED, "EVENT_CAP", 0, 0);
}

const struct prove_job spdm_prove_events = {.request = &spdm_message_SEND_EVENT,
                                            .response = &spdm_message_EVENT_ACK,
                                            .head_only = true,
                                            .asks = SPDM_ASK_EVENTS,
                                            .declined = SPDM_ERROR_INVALID_REQUEST,
                                            .consider = consider_events,
                                            .reply = reply_nothing,
                                            .enter = enter_nothing};
