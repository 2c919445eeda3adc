/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The responder: serves one client, then ends. Application data that asks for
 * a PLDM terminus ID gets one, other data comes back as it is. */
#include "interop/driver.h"
#include <stdlib.h>
#include <string.h>

enum { LIMIT_MS = 25000 };

struct answerer {
    struct driver *d;
    struct spdm_responder *rs;
    struct spdm_listener *listener;
    uv_timer_t limit;
    bool over;
    struct spdm_room memory;
    uint8_t signature[SPDM_SIGNATURE_MAX];
};

static void serve(struct answerer *a);

static void stop(struct answerer *a, int status)
{
    if (a->over) return;
    a->over = true;
    a->d->status = status;
    uv_timer_stop(&a->d->timer);
    uv_close((uv_handle_t *)&a->limit, NULL);
    spdm_listener_close(a->listener);
}

/* ---- events ---- */

/* What MutAuthRequested 1 needs; the digest is in the hash just negotiated. */
static void vouch(struct answerer *a)
{
    const struct spdm_facts *f = spdm_responder_facts(a->rs);
    uint8_t digest[SPDM_HASH_MAX], slot = a->d->set->key != NULL ? SPDM_SLOT_KEY : a->d->set->peer_slot;
    const void *key;

    driver_tell_negotiated(f);
    if (f->req_signature == SPDM_ALG_NONE || !driver_known(a->d, f, SPDM_JUDGE_REQUESTER, digest, &key)) return;
    spdm_responder_trust(a->rs, slot, (struct spdm_span){digest, spdm_algorithm((enum spdm_alg)f->hash)->size}, key);
}

/* MCTP type 1, request, type 0, command 2: GetTID */
static void received(struct answerer *a, uint32_t session, struct spdm_span data)
{
    uint8_t tid[] = {0x01, 0x00, 0x00, 0x02, 0x00, 0x42};
    bool asked = data.n >= 4 && data.p[0] == tid[0] && data.p[2] == tid[2] && data.p[3] == tid[3];
    struct spdm_span answer = asked ? (struct spdm_span){tid, sizeof tid} : data;

    driver_tell_bytes("data", data);
    if (asked) tid[1] = data.p[1] & 0x1f;
    if (!spdm_responder_send(a->rs, session, answer)) driver_say("failed app: not sent");
}

static void question(struct answerer *a, const struct spdm_event *ev)
{
    const struct spdm_device *device = a->d->device;
    struct spdm_answer answer = {.ticket = ev->ticket};
    struct spdm_room room = {a->signature, sizeof a->signature};

    if (ev->kind == SPDM_ASK_DIGEST || ev->kind == SPDM_ASK_TRUST) {
        driver_judge(a->d, spdm_responder_facts(a->rs), ev, SPDM_JUDGE_REQUESTER, &answer);
    } else if (ev->kind == SPDM_ASK_MEASURE) {
        answer.yes = true;
        answer.measurements = device->measurements;
        answer.measurement_n = device->measurement_n;
    } else if (ev->kind > SPDM_ASK_VENDOR) {
        driver_serve_errand(a->d, ev, &answer);
    } else {
        driver_prove(a->d, ev, room, &answer);
    }
    (void)spdm_responder_answer(a->rs, &answer);
}

static void event(struct answerer *a, const struct spdm_event *ev)
{
    struct spdm_session_facts f;

    switch (ev->kind) {
    case SPDM_CONNECTED: vouch(a); break;
    case SPDM_RESTARTED: driver_say("restarted"); break;
    case SPDM_REPLIED:
        driver_say("replied bytes=%zu proven=%u", ev->data.n, ev->proven);
        driver_tell_bytes("reply", ev->data);
        break;
    case SPDM_DONE: driver_say("done"); break;
    case SPDM_FAILED: driver_tell_report("refused", &ev->report); break;
    case SPDM_OPENED:
        a->d->session = ev->session;
        if (spdm_responder_session(a->rs, ev->session, &f)) driver_tell_opened(&f);
        break;
    case SPDM_CLOSED: driver_tell_report("closed", &ev->report); break;
    case SPDM_DATA: received(a, ev->session, ev->data); break;
    case SPDM_NOTHING: break;
    default: question(a, ev);
    }
}

/* As soon as they can be told; false: not now. */
static void raise_events(struct answerer *a)
{
    static union spdm_order order;
    struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_events, .order = &order};

    if (!a->d->set->events || !a->d->subscribed) return;
    order.list.list = driver_news(a->d->told);
    if (order.list.list.n == 0 || !spdm_responder_ask(a->rs, a->d->session, &goal)) return;
    driver_say("event %u", a->d->told++);
}

static void on_timer(uv_timer_t *timer)
{
    struct answerer *a = timer->data;

    if (a->over || a->rs == NULL) return;
    spdm_responder_push(a->rs, (struct spdm_span){NULL, 0}, driver_now(a->d));
    serve(a);
}

static void serve(struct answerer *a)
{
    struct spdm_event ev;
    struct spdm_span out;
    uint64_t at, now;

    do {
        while (spdm_responder_event(a->rs, &ev) != SPDM_NOTHING) event(a, &ev);
        out = spdm_responder_pull(a->rs, driver_now(a->d));
        if (out.n != 0 && !spdm_link_send(a->d->link, out)) return;
    } while (out.n != 0);
    raise_events(a);
    at = spdm_responder_deadline(a->rs);
    now = driver_now(a->d);
    if (at == SPDM_NEVER) uv_timer_stop(&a->d->timer);
    else uv_timer_start(&a->d->timer, on_timer, at > now ? (at - now + 999) / 1000 : 0, 0);
}

/* ---- the link ---- */

static void on_frame(void *ctx, struct spdm_link *link, struct spdm_span frame)
{
    struct answerer *a = ctx;

    (void)link;
    spdm_responder_push(a->rs, frame, driver_now(a->d));
    serve(a);
}

/* A fresh engine for the next one. */
static void next_client(struct answerer *a)
{
    a->d->set->clients--;
    a->d->session = a->d->told = 0;
    a->d->subscribed = false;
    spdm_responder_close(a->rs);
    driver_reset_device(a->d);
    a->rs = spdm_responder_init(a->memory, &a->d->config);
    if (a->rs == NULL) driver_die("the configuration does not work any more");
}

static void on_down(void *ctx, struct spdm_link *link, enum spdm_link_end end, const char *reason)
{
    struct answerer *a = ctx;

    (void)link;
    (void)end;
    a->d->link = NULL;
    driver_say("left %s", reason);
    if (a->d->set->clients > 1) next_client(a);
    else stop(a, 0);
}

static bool on_update(void *ctx, struct spdm_link *link, struct spdm_span data)
{
    struct answerer *a = ctx;
    uint32_t id;

    (void)link;
    if (data.n != 4) return false;
    id = data.p[0] | (uint32_t)data.p[1] << 8 | (uint32_t)data.p[2] << 16 | (uint32_t)data.p[3] << 24;
    driver_say("asked to update %08x", id);
    return spdm_responder_update(a->rs, id);
}

/* Signed, in the session that is open if there is one. */
static bool on_endpoint(void *ctx, struct spdm_link *link)
{
    static union spdm_order order = {.endpoint = {.sub_code = SPDM_ENDPOINT_DEVICE_CLASS, .sign = true}};
    struct answerer *a = ctx;
    struct spdm_goal goal = {
        .want = SPDM_WANT_ERRAND, .use_key = a->d->set->key != NULL, .errand = &spdm_errand_endpoint, .order = &order};
    struct spdm_session_facts f;
    bool inside = spdm_responder_session(a->rs, a->d->session, &f);

    (void)link;
    driver_say("asked for endpoint information");
    return spdm_responder_ask(a->rs, inside ? a->d->session : 0, &goal);
}

static void on_tap(void *ctx, const struct spdm_tapped *tapped)
{
    struct answerer *a = ctx;

    spdm_trace_frame(&a->d->trace, tapped, a->rs != NULL ? spdm_responder_facts(a->rs) : NULL);
}

static void *accept_link(void *ctx, struct spdm_listener *listener, struct spdm_link *link)
{
    struct answerer *a = ctx;

    (void)listener;
    if (a->d->link != NULL || a->over) return NULL;
    a->d->link = link;
    return a;
}

static void on_limit(uv_timer_t *timer)
{
    driver_say("failed nobody came, or nobody left");
    stop(timer->data, 3);
}

int driver_responder(struct driver *d, const struct spdm_target *target)
{
    static struct answerer a;
    struct spdm_listen_options options = {.ctx = &a};
    char error[SPDM_REASON_MAX];
    size_t n = spdm_responder_size(&d->config);
    void *memory = calloc(1, n);

    a = (struct answerer){.d = d, .memory = {memory, n}};
    a.rs = spdm_responder_init(a.memory, &d->config);
    if (a.rs == NULL) driver_die("the configuration cannot work; a responder needs device=");
    options.events.link =
        (struct spdm_link_events){.frame = on_frame, .down = on_down, .update = on_update, .endpoint = on_endpoint};
    options.events.accept = accept_link;
    options.link.tap = on_tap;
    options.link.tap_ctx = &a;
    a.listener = spdm_listener_open(&d->loop, target, &options, error);
    if (a.listener == NULL) driver_die("%s", error);
    d->timer.data = &a;
    uv_timer_init(&d->loop, &a.limit);
    a.limit.data = &a;
    uv_timer_start(&a.limit, on_limit, LIMIT_MS, 0);
    driver_say("listening %u", spdm_listener_target(a.listener)->port);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    spdm_responder_close(a.rs);
    free(memory);
    return d->status;
}
