/* SPDX-License-Identifier: BSD-3-Clause
 *
 * asker.c - moves frames between one engine and one link.
 *
 * The engine lies in memory that is allocated once, sized for what the setup
 * says may happen; the room for records and for turned roles is there only if
 * they can be needed. */
#include "asker.h"
#include "port/lender.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECORD_MORE = 64,       /* at most so much is around application data in a record */
    OUT_MAX = 4096,         /* largest request built ... */
    OUT_MUTUAL_MAX = 65536, /* ... with our certificates or signature in it */
    TURNED_MAX = 8192,      /* largest message that goes into an envelope, but for a signature */
    SIGNATURE_LARGE = 5000, /* only SLH-DSA's are longer, and only chains of it need the large form ... */
    CHAIN_LARGE_MAX = 1 << 20,
    CHAIN_MAX = 16 + 65535 /* ... else this is enough, with the header of its message */
};

struct spdm_asker {
    const struct spdm_asker_setup *setup;
    const struct spdm_asker_events *events;
    void *ctx;
    uv_loop_t *loop;
    struct spdm_target target;
    struct spdm_link *link; /* NULL when there is none */
    struct spdm_listener *listener;
    bool up;
    char reason[SPDM_REASON_MAX]; /* why there is no listener */
    struct spdm_requester *rq;
    struct spdm_tamper *tamper; /* NULL: we behave */
    struct spdm_config config, turned;
    struct spdm_room memory;
    uv_timer_t deadline;
    bool resting;
};

static uint64_t now_us(void)
{
    return uv_hrtime() / 1000;
}

/* ---- moving ---- */

static void on_deadline(uv_timer_t *timer);

static void arm(struct spdm_asker *a)
{
    uint64_t at = spdm_requester_deadline(a->rq), now = now_us();
    if (at == SPDM_NEVER) {
        uv_timer_stop(&a->deadline);
        return;
    }
    uv_update_time(a->loop);
    uv_timer_start(&a->deadline, on_deadline, at <= now ? 0 : (at - now + 999) / 1000, 0);
}

/* A frame of the engine's, or what is to be made of it. */
static bool put_out(struct spdm_asker *a, struct spdm_span frame)
{
    struct spdm_span out = spdm_tamper_frame(a->tamper, frame, spdm_requester_facts(a->rq));
    return out.n == 0 || spdm_link_send(a->link, out);
}

void spdm_asker_advance(struct spdm_asker *a)
{
    struct spdm_event event;
    a->resting = false;
    for (;;) {
        while (spdm_requester_event(a->rq, &event) != SPDM_NOTHING) {
            a->events->event(a->ctx, &event);
            if (a->resting || a->link == NULL) return;
        }
        struct spdm_span out = spdm_requester_pull(a->rq, now_us());
        if (out.n == 0) break;
        if (!put_out(a, out)) return; /* `down` follows */
    }
    arm(a);
}

bool spdm_asker_send(struct spdm_asker *a, uint32_t session, struct spdm_span data)
{
    if (a->link == NULL || spdm_link_waiting(a->link) != 0) return false;
    if (!spdm_requester_send(a->rq, session, data)) return false;
    struct spdm_span out = spdm_requester_pull(a->rq, now_us());
    return out.n != 0 && put_out(a, out);
}

void spdm_asker_rest(struct spdm_asker *a)
{
    a->resting = true;
    uv_timer_stop(&a->deadline);
}

static void on_deadline(uv_timer_t *timer)
{
    struct spdm_asker *a = timer->data;
    if (a->resting || a->link == NULL) return;
    spdm_requester_push(a->rq, (struct spdm_span){0}, now_us());
    spdm_asker_advance(a);
}

/* ---- what passes ---- */

static void on_tap(void *ctx, const struct spdm_tapped *tapped)
{
    struct spdm_asker *a = ctx;
    struct spdm_frame frame = a->target.binding->unwrap(tapped->frame);
    a->events->frame(a->ctx, tapped);
    if (frame.kind == SPDM_FRAME_PLAIN)
        a->events->message(a->ctx, &(struct spdm_passing){.message = frame.message, .sent = tapped->sent});
}

static void on_inside(void *ctx, const struct spdm_inside *inside)
{
    struct spdm_asker *a = ctx;
    spdm_tamper_inside(a->tamper, inside, inside->request, spdm_requester_facts(a->rq));
    a->events->message(a->ctx, &(struct spdm_passing){.message = inside->message,
                                                      .session = inside->session,
                                                      .sent = inside->request,
                                                      .app = inside->app});
}

/* ---- the link ---- */

static void on_up(void *ctx, struct spdm_link *link)
{
    struct spdm_asker *a = ctx;
    (void)link;
    a->up = true;
    a->events->up(a->ctx);
    spdm_asker_advance(a);
}

static void on_frame(void *ctx, struct spdm_link *link, struct spdm_span frame)
{
    struct spdm_asker *a = ctx;
    (void)link;
    if (a->resting) return;
    spdm_tamper_came(a->tamper, frame);
    spdm_requester_push(a->rq, frame, now_us());
    spdm_asker_advance(a);
}

static void on_drained(void *ctx, struct spdm_link *link)
{
    struct spdm_asker *a = ctx;
    (void)link;
    a->events->drained(a->ctx);
}

static void on_down(void *ctx, struct spdm_link *link, enum spdm_link_end end, const char *reason)
{
    struct spdm_asker *a = ctx;
    (void)link;
    a->link = NULL;
    if (a->listener != NULL && !a->up) return; /* that was no device: the next one may be */
    uv_timer_stop(&a->deadline);
    a->events->down(a->ctx, end, reason);
}

static const struct spdm_link_events link_events = {
    .up = on_up, .frame = on_frame, .drained = on_drained, .down = on_down};

/* One device; others are turned away. */
static void *on_accept(void *ctx, struct spdm_listener *listener, struct spdm_link *link)
{
    struct spdm_asker *a = ctx;
    (void)listener;
    if (a->link != NULL) return NULL;
    a->link = link;
    return a;
}

static void on_no_listener(uv_timer_t *timer)
{
    struct spdm_asker *a = timer->data;
    a->events->down(a->ctx, SPDM_LINK_UNREACHABLE, a->reason);
}

static void await(struct spdm_asker *a, const struct spdm_link_options *options)
{
    const struct spdm_listen_options listen = {
        .link = *options, .events = {.link = link_events, .accept = on_accept}, .ctx = a};
    a->listener = spdm_listener_open(a->loop, &a->target, &listen, a->reason);
    if (a->listener == NULL) uv_timer_start(&a->deadline, on_no_listener, 0, 0); /* never before return */
    else fprintf(stderr, "waiting for the device at %s\n", spdm_listener_target(a->listener)->text);
}

bool spdm_asker_connect(struct spdm_asker *a, uint32_t timeout_ms)
{
    struct spdm_link_options options = {
        .connect_ms = timeout_ms, .stall_ms = timeout_ms, .reach_out = a->setup->listen, .tap = on_tap, .tap_ctx = a};
    if (a->setup->listen) {
        options.idle_ms = SPDM_LINK_PATIENT;
        await(a, &options);
        return true;
    }
    a->link = spdm_link_connect(a->loop, &a->target, &options, &link_events, a);
    return a->link != NULL;
}

void spdm_asker_drop(struct spdm_asker *a)
{
    struct spdm_link *link = a->link;
    a->link = NULL;
    a->up = false;
    if (link != NULL) spdm_link_close(link);
    if (a->listener != NULL) spdm_listener_close(a->listener);
    a->listener = NULL;
}

bool spdm_asker_linked(const struct spdm_asker *a)
{
    return a->link != NULL;
}

const char *spdm_asker_peer(const struct spdm_asker *a)
{
    return a->link != NULL ? spdm_link_peer(a->link) : a->target.text;
}

/* ---- the engine ---- */

static void close_engine(struct spdm_asker *a)
{
    if (a->rq != NULL) spdm_requester_close(a->rq);
    a->rq = NULL;
}

bool spdm_asker_renew(struct spdm_asker *a)
{
    close_engine(a);
    a->rq = spdm_requester_init(a->memory, &a->config);
    return a->rq != NULL;
}

struct spdm_requester *spdm_asker_engine(const struct spdm_asker *a)
{
    return a->rq;
}

static bool make_room(struct spdm_room *room, size_t n)
{
    *room = (struct spdm_room){malloc(n), n};
    return room->p != NULL;
}

/* The longest signature of a list. */
static size_t longest(const uint8_t *signatures)
{
    size_t most = 0;
    for (; signatures != NULL && *signatures != 0; signatures++) {
        size_t n = spdm_algorithm((enum spdm_alg) * signatures)->size;
        if (n > most) most = n;
    }
    return most;
}

/* We have an identity, or are told of events: the roles can be turned. */
static bool configure_mutual(struct spdm_asker *a, bool identity)
{
    static const struct spdm_identity nobody;
    a->turned = a->config;
    a->turned.chunks = NULL;
    a->turned.binding = &spdm_binding_none;
    a->turned.identity = identity ? &a->setup->own->device->identity : &nobody;
    a->turned.services = a->setup->events ? &spdm_serve_turned : &spdm_serve_identity;
    a->turned.out = a->turned.chain = (struct spdm_room){NULL, 0};
    a->config.mutual = &spdm_requester_mutual;
    a->config.turned = &a->turned;
    return make_room(&a->turned.out, TURNED_MAX + longest(a->setup->policy->req_signatures));
}

static bool configure_session(struct spdm_asker *a)
{
    struct spdm_config *c = &a->config;
    c->sessions = &spdm_with_sessions;
    c->keylog = a->setup->keylog;
    c->keylog_ctx = a->setup->keylog_ctx;
    c->inside = on_inside;
    c->inside_ctx = a;
    return make_room(&c->session_memory, spdm_session_size(c)) &&
           make_room(&c->in, SPDM_ASKER_TRANSFER_MAX + RECORD_MORE);
}

static void choose_sizes(struct spdm_asker *a)
{
    const struct spdm_asker_setup *setup = a->setup;
    struct spdm_config *c = &a->config;
    if (setup->max_message_size != 0) c->max_message_size = setup->max_message_size;
    if (setup->data_transfer_size != 0) c->data_transfer_size = setup->data_transfer_size;
    else if (c->data_transfer_size > c->max_message_size) c->data_transfer_size = c->max_message_size;
}

static bool configure(struct spdm_asker *a)
{
    const struct spdm_asker_setup *setup = a->setup;
    const struct spdm_binding *binding = a->target.binding;
    bool mutual = setup->own != NULL && setup->own->device != NULL;
    size_t out = mutual ? OUT_MUTUAL_MAX : OUT_MAX;
    if (out < setup->data_max) out = setup->data_max;
    a->config = (struct spdm_config){.crypto = setup->crypto,
                                     .crypto_ctx = setup->crypto_ctx,
                                     .binding = binding,
                                     .policy = setup->policy,
                                     .data_transfer_size = SPDM_ASKER_TRANSFER_MAX,
                                     .chunks = &spdm_requester_chunks,
                                     .lender = &spdm_lend_heap,
                                     .max_message_size = SPDM_ASKER_MESSAGE_MAX};
    choose_sizes(a);
    size_t chain = longest(setup->policy->signatures) > SIGNATURE_LARGE ? CHAIN_LARGE_MAX : CHAIN_MAX;
    if ((mutual || setup->events) && !configure_mutual(a, mutual)) return false;
    if (setup->session && !configure_session(a)) return false;
    return make_room(&a->config.out, binding->head + out + RECORD_MORE + binding->tail) &&
           make_room(&a->config.chain, chain) && make_room(&a->memory, spdm_requester_size(&a->config)) &&
           spdm_asker_renew(a);
}

/* ---- life ---- */

static void on_timer_closed(uv_handle_t *handle)
{
    struct spdm_asker *a = handle->data;
    free(a->config.out.p);
    free(a->config.chain.p);
    free(a->config.session_memory.p);
    free(a->config.in.p);
    free(a->turned.out.p);
    free(a->memory.p);
    spdm_tamper_close(a->tamper);
    free(a);
}

struct spdm_asker *spdm_asker_new(uv_loop_t *loop, const struct spdm_target *target,
                                  const struct spdm_asker_setup *setup, const struct spdm_asker_events *events,
                                  void *ctx)
{
    struct spdm_asker *a = calloc(1, sizeof *a);
    if (a == NULL) return NULL;
    a->setup = setup;
    a->events = events;
    a->ctx = ctx;
    a->loop = loop;
    a->target = *target;
    a->tamper = spdm_tamper_open(setup->tamper, target->binding, "spdm attest");
    uv_timer_init(loop, &a->deadline);
    a->deadline.data = a;
    if (configure(a)) return a;
    spdm_asker_free(a);
    return NULL;
}

void spdm_asker_free(struct spdm_asker *a)
{
    if (a == NULL) return;
    spdm_asker_drop(a);
    close_engine(a);
    a->resting = true;
    uv_close((uv_handle_t *)&a->deadline, on_timer_closed);
}
