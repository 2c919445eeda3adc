/* SPDX-License-Identifier: BSD-3-Clause
 *
 * respond_event.c - events: who wants which, what happened, and telling it.
 *
 * For each session there is what it subscribed to and what it has not been
 * told. Events of one type are gathered in their masks, so what waits has a
 * fixed size and none is ever lost; EventLost is offered, as it must be
 * (R-EVT-05), and never needed. The requester comes for them (R-EVT-18); until
 * it has acknowledged them, no others go out. */
#include "respond.h"

#include <assay/errand.h>
#include <assay/session.h>
#include <stdlib.h>
#include <string.h>

#define MASK 32 /* bytes of a mask of measurements */

struct events {
    struct events *next;
    uint32_t session, instance; /* the next EventInstanceID */
    uint8_t wanted, waiting;    /* bit n: DMTF's type n */
    uint8_t changed[MASK], ahead[MASK], slots;
    uint8_t list[256];
    union spdm_order order;
};

static struct events **find(struct client *c, uint32_t session)
{
    struct events **at = &c->events;
    while (*at != NULL && (*at)->session != session) at = &(*at)->next;
    return at;
}

/* ---- sessions and subscriptions ---- */

void spdm_respond_events_opened(struct client *c, uint32_t session, bool all)
{
    struct events *e = calloc(1, sizeof *e);
    if (e == NULL) return; /* then nothing is told, as to who subscribes to nothing */
    e->session = session;
    e->next = c->events;
    c->events = e;
    if (all) e->wanted = c->server->generation->device->event_types;
}

void spdm_respond_events_closed(struct client *c, uint32_t session)
{
    struct events **at = session != 0 ? find(c, session) : &c->events;
    while (*at != NULL) {
        struct events *e = *at;
        if (c->telling == e) c->telling = NULL;
        *at = e->next;
        free(e);
        if (session != 0) return;
    }
}

/* DMTF's types of a subscription; false: one that there is not (R-EVT-08). */
static bool wanted(const struct spdm_device *d, struct spdm_span list, uint8_t *mask)
{
    struct spdm_event_group group;
    uint16_t type;
    *mask = 0;
    while (spdm_event_group_next(&list, &group)) {
        if (group.body != 0 || group.version > 1) return false;
        if (group.all) *mask = d->event_types;
        while (spdm_event_type_next(&group.types, &type)) {
            if (type > SPDM_EVENT_CERTIFICATE_CHANGED || (d->event_types >> type & 1) == 0) return false;
            *mask = (uint8_t)(*mask | 1u << type);
        }
    }
    return list.n == 0;
}

static void answer_types(struct client *c)
{
    const struct spdm_device *d = c->server->generation->device;
    const struct spdm_event_group group = {.body = 0, .version = 1};
    uint16_t types[SPDM_EVENT_CERTIFICATE_CHANGED], n = 0;
    uint8_t bytes[64];
    for (unsigned type = 1; type <= SPDM_EVENT_CERTIFICATE_CHANGED; type++)
        if ((d->event_types >> type & 1) != 0) types[n++] = (uint16_t)type;
    spdm_respond_answer(
        c, &(struct spdm_answer){
               .ticket = c->question.ticket,
               .yes = n != 0,
               .data = {bytes, spdm_event_group_put((struct spdm_room){bytes, sizeof bytes}, &group, types, n)}});
}

static void subscribe(struct client *c, const struct spdm_event *event)
{
    const struct spdm_device *d = c->server->generation->device;
    struct events *e = *find(c, event->session);
    uint8_t mask;
    bool fine = e != NULL && wanted(d, event->order->list.list, &mask);
    if (fine) {
        e->wanted = mask;
        e->waiting &= mask;
        spdm_respond_client_says(c->server, "%s: session %08x is told of %s", spdm_link_peer(c->link), e->session,
                                 mask != 0 ? "events" : "no events any more");
    }
    spdm_respond_answer(c, &(struct spdm_answer){.ticket = c->question.ticket, .yes = fine});
}

void spdm_respond_event_question(struct client *c, const struct spdm_event *event)
{
    if (event->kind == SPDM_ASK_EVENT_TYPES) {
        answer_types(c);
    } else if (event->kind == SPDM_ASK_SUBSCRIBE) {
        subscribe(c, event);
    } else { /* the requester's own: nothing here wants to know more than that */
        spdm_respond_client_says(c->server, "%s: session %08x: %u events of the requester's", spdm_link_peer(c->link),
                                 event->session, event->order->list.count);
        spdm_respond_answer(c, &(struct spdm_answer){.ticket = c->question.ticket, .yes = true});
    }
}

/* ---- what happened ---- */

static uint8_t types_of(const struct happened *what)
{
    uint8_t mask = 0;
    for (unsigned i = 0; i < MASK; i++) {
        if (what->changed[i] != 0) mask |= 1u << SPDM_EVENT_MEASUREMENT_CHANGED;
        if (what->ahead[i] != 0) mask |= 1u << SPDM_EVENT_MEASUREMENT_PRE_UPDATE;
    }
    if (what->slots != 0) mask |= 1u << SPDM_EVENT_CERTIFICATE_CHANGED;
    return mask;
}

bool spdm_respond_events_follow(const struct client *c, const struct happened *what)
{
    uint8_t types = types_of(what);
    if (c->events == NULL) return false;
    for (const struct events *e = c->events; e != NULL; e = e->next)
        if (e->wanted == 0 || (types & ~e->wanted) != 0) return false;
    return true;
}

unsigned spdm_respond_events_raise(struct client *c, const struct happened *what)
{
    unsigned n = 0;
    for (struct events *e = c->events; e != NULL; e = e->next) {
        uint8_t types = types_of(what) & e->wanted;
        if (types == 0) continue;
        e->waiting |= types;
        for (unsigned i = 0; i < MASK; i++) {
            e->changed[i] |= what->changed[i];
            e->ahead[i] |= what->ahead[i];
        }
        e->slots |= what->slots;
        n++;
    }
    if (n != 0) spdm_respond_events_tell(c);
    return n;
}

/* ---- telling ---- */

static void put(struct events *e, struct spdm_room *room, uint16_t type, struct spdm_span detail)
{
    const struct spdm_notice notice = {.instance = e->instance + e->order.list.count, .type = type, .detail = detail};
    size_t n;
    if ((e->waiting >> type & 1) == 0) return;
    n = spdm_notice_put(*room, &notice);
    room->p += n;
    room->n -= n;
    e->order.list.count++;
}

static bool tell(struct client *c, struct events *e)
{
    struct spdm_room room = {e->list, sizeof e->list};
    const struct spdm_goal goal = {
        .want = SPDM_WANT_ERRAND, .session = e->session, .errand = &spdm_errand_events, .order = &e->order};
    e->order = (union spdm_order){.list = {.count = 0}};
    put(e, &room, SPDM_EVENT_MEASUREMENT_CHANGED, (struct spdm_span){e->changed, MASK});
    put(e, &room, SPDM_EVENT_MEASUREMENT_PRE_UPDATE, (struct spdm_span){e->ahead, MASK});
    put(e, &room, SPDM_EVENT_CERTIFICATE_CHANGED, (struct spdm_span){&e->slots, 1});
    e->order.list.list = (struct spdm_span){e->list, sizeof e->list - room.n};
    if (!spdm_responder_ask(c->engine, e->session, &goal)) return false;
    /* What happens from here on is another event. */
    e->waiting = 0;
    memset(e->changed, 0, MASK);
    memset(e->ahead, 0, MASK);
    e->slots = 0;
    c->telling = e;
    return true;
}

void spdm_respond_events_tell(struct client *c)
{
    for (struct events *e = c->events; e != NULL && c->telling == NULL; e = e->next)
        if (e->waiting != 0) (void)tell(c, e);
}

void spdm_respond_events_told(struct client *c, bool acknowledged)
{
    struct events *e = c->telling;
    if (e == NULL) return;
    c->telling = NULL;
    e->instance += e->order.list.count;
    if (!acknowledged)
        spdm_respond_client_says(c->server, "%s: session %08x: events not acknowledged", spdm_link_peer(c->link),
                                 e->session);
}
