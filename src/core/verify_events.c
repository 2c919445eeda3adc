/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Events as the asker sees them: which there are, subscribing to some, and
 * telling the other side of what happened. */
#include "core/requester_state.h"

/* ---- SUPPORTED_EVENT_TYPES ---- */

static uint8_t fill_nothing(struct spdm_requester *rq, union spdm_body *req)
{
    (void)rq;
    (void)req;
    return SPDM_WHY_FINE;
}

static bool has_type(struct spdm_span types, uint16_t wanted)
{
    uint16_t type;

    while (spdm_event_type_next(&types, &type)) {
        if (type == wanted) return true;
    }
    return false;
}

/* Who has events can lose some, and says so (R-EVT-05). */
static uint8_t judge_types(struct conn *c, const struct exchange *x)
{
    struct spdm_span rest = x->rsp.order.list.list;
    struct spdm_event_group group;

    while (spdm_event_group_next(&rest, &group)) {
        if (group.body == 0 && has_type(group.types, SPDM_EVENT_LOST)) return SPDM_WHY_FINE;
    }
    return refuse(c, BAD_VALUE, "SupportedEventGroupsList R-EVT-05", 0, 0);
}

static uint8_t reply_types(struct spdm_requester *rq, const struct exchange *x)
{
    spdm_errand_tell(rq, x->rsp.order.list.list);
    return spdm_errand_done(rq, x);
}

const struct spdm_errand spdm_errand_event_types = {.job = {.request = &spdm_message_GET_SUPPORTED_EVENT_TYPES,
                                                            .response = &spdm_message_SUPPORTED_EVENT_TYPES,
                                                            .fill = fill_nothing,
                                                            .judge = judge_types,
                                                            .learn = spdm_errand_learn_nothing,
                                                            .after = reply_types}};

/* ---- SUBSCRIBE_EVENT_TYPES ---- */

/* The caller's list must be one: what we send is well-formed. */
static uint8_t fill_subscribe(struct spdm_requester *rq, union spdm_body *req)
{
    struct spdm_span rest = rq->goal.order->list.list;
    struct spdm_event_group group;
    uint32_t n = 0;

    req->order.list.list = rest;
    while (spdm_event_group_next(&rest, &group)) n++;
    if (rest.n != 0 || n > UINT8_MAX) return refuse(&rq->c, CANNOT, "a well-formed list of event groups", 0, 0);
    req->order.list.count = n;
    return SPDM_WHY_FINE;
}

const struct spdm_errand spdm_errand_subscribe = {.job = {.request = &spdm_message_SUBSCRIBE_EVENT_TYPES,
                                                          .response = &spdm_message_SUBSCRIBE_EVENT_TYPES_ACK,
                                                          .fill = fill_subscribe,
                                                          .judge = spdm_errand_judge_nothing,
                                                          .learn = spdm_errand_learn_nothing,
                                                          .after = spdm_errand_done}};

/* ---- SEND_EVENT ---- */

/* EVENT_CAP is the sender's: ours (R-EVT-01). */
static uint8_t fill_events(struct spdm_requester *rq, union spdm_body *req)
{
    struct spdm_span rest = rq->goal.order->list.list;
    struct spdm_notice notice;
    uint32_t n = 0;

    if ((rq->c.facts.requester.flags & SPDM_EVENT_CAP) == 0) return refuse(&rq->c, CANNOT, "EVENT_CAP of ours", 0, 0);
    req->order.list.list = rest;
    while (spdm_notice_next(&rest, &notice)) n++;
    if (rest.n != 0 || n == 0) return refuse(&rq->c, CANNOT, "a well-formed list of events", 0, 0);
    req->order.list.count = n;
    return SPDM_WHY_FINE;
}

const struct spdm_errand spdm_errand_events = {.job = {.request = &spdm_message_SEND_EVENT,
                                                       .response = &spdm_message_EVENT_ACK,
                                                       .fill = fill_events,
                                                       .judge = spdm_errand_judge_nothing,
                                                       .learn = spdm_errand_learn_nothing,
                                                       .after = spdm_errand_done}};
