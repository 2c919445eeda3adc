/* SPDX-License-Identifier: BSD-3-Clause
 *
 * respond_client.c - one client of the device: its memory, frames in and out, its sessions.
 *
 * Everything a client needs lies in one block that is used again for the next
 * one. The engine never waits: what it asks is answered in respond_answer.c; a
 * timer per client wakes it when it wants to say ResponseNotReady, or when
 * nothing was heard of a session for too long. */
#include "respond.h"

#include "port/lender.h"
#include <assay/responder.h>
#include <assay/session.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_MAX 65535    /* of a requester ... */
#define CHAIN_LARGE 524288 /* ... that may have an SLH-DSA key: a certificate has one signature or more */
#define SIGNATURE_LARGE 5000
#define RECORD_EXTRA 96   /* what a record adds to a message: header, lengths, random bytes, tag */
#define EVENT_ALL 2       /* SessionPolicy: subscribed to everything from the beginning (R-EVT-21) */
#define FRAMES_AT_ONCE 64 /* of application data, then others have their turn */

uint64_t spdm_respond_now(void)
{
    return uv_hrtime() / 1000;
}

/* ---- memory ---- */

static size_t aligned(size_t n)
{
    return (n + 15) & ~(size_t)15;
}

size_t spdm_respond_frame_max(const struct spdm_binding *binding, const struct spdm_device *device)
{
    size_t in = device->data_transfer_size, out = device->send_size;
    return binding->head + RECORD_EXTRA + (in > out ? in : out) + binding->tail;
}

/* What travels in records, for the trace. */
static void on_inside(void *ctx, const struct spdm_inside *inside)
{
    struct client *c = ctx;
    if (c->link == NULL) return;
    spdm_tamper_inside(c->tamper, inside, !inside->request, spdm_responder_facts(c->engine));
    if (!c->server->options->trace) return;
    const struct spdm_traced traced = {.peer = spdm_link_peer(c->link),
                                       .session = inside->session,
                                       .message = inside->message,
                                       .sent = !inside->request,
                                       .request = inside->request,
                                       .app = inside->app};
    spdm_trace_inside(&c->trace, &traced, spdm_responder_facts(c->engine));
}

static void configure(struct client *c, const struct server *s, const struct spdm_device *device)
{
    struct spdm_config *config = &c->config;
    config->crypto = spdm_openssl_crypto();
    config->crypto_ctx = s->ossl;
    config->policy = &device->policy;
    config->data_transfer_size = device->data_transfer_size;
    config->chunks = &spdm_responder_chunks;
    config->lender = &spdm_lend_heap;
    config->max_message_size = device->max_message_size;
    config->identity = &device->identity;
    config->services = &spdm_serve_all;
    config->in = s->in;
    config->keylog = s->keylog != NULL ? spdm_keylog_write : NULL;
    config->keylog_ctx = s->keylog;
    config->inside = s->options != NULL && (s->options->trace || s->options->tamper.n != 0) ? on_inside : NULL;
    config->inside_ctx = c;
    c->turned.crypto = config->crypto;
    c->turned.crypto_ctx = config->crypto_ctx;
    c->turned.policy = config->policy;
    c->turned.data_transfer_size = config->data_transfer_size;
}

static size_t chain_max(const struct spdm_policy *p)
{
    for (const uint8_t *alg = p->req_signatures; alg != NULL && *alg != 0; alg++)
        if (spdm_algorithm((enum spdm_alg) * alg)->size > SIGNATURE_LARGE) return CHAIN_LARGE;
    return CHAIN_MAX;
}

/* What an engine has from its beginning on: places for sessions, and, if requesters are asked, a requester of its own.
 * When the device changes under a client that is there, these stay: it has as many sessions as before, and if it could
 * not be asked then, it opens none where it must be asked now. */
static void equip(struct client *c, const struct spdm_device *device)
{
    const struct spdm_policy *p = &device->policy;
    bool asks = (p->flags & (SPDM_MUT_AUTH_CAP | SPDM_ENCAP_CAP)) != 0;
    bool fetches = p->basic_mut_auth || p->mut_auth > 1;
    c->config.sessions = &spdm_with_sessions;
    c->config.session_memory.n =
        (p->flags & (SPDM_KEY_EX_CAP | SPDM_PSK_CAP_MASK)) != 0 ? device->sessions * spdm_session_size(&c->config) : 0;
    c->config.mutual = asks ? &spdm_responder_mutual : NULL;
    c->config.turned = asks ? &c->turned : NULL;
    c->turned.chain.n = asks && fetches ? chain_max(p) : 0;
}

/* Puts the parts one behind the other; returns what they need. */
static size_t lay_out(struct client *c, uint8_t *memory, const struct spdm_device *device)
{
    struct spdm_room *const parts[] = {&c->config.session_memory, &c->config.out, &c->turned.chain};
    size_t at = aligned(spdm_responder_size(&c->config));
    c->config.out.n = spdm_respond_frame_max(c->config.binding, device);
    for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
        parts[i]->p = memory != NULL && parts[i]->n != 0 ? memory + at : NULL;
        at += aligned(parts[i]->n);
    }
    return at;
}

size_t spdm_respond_client_room(const struct spdm_device *device)
{
    static const struct spdm_binding *const all[] = {&spdm_binding_none, &spdm_binding_mctp, &spdm_binding_doe,
                                                     &spdm_binding_tcp, &spdm_binding_storage};
    struct server nobody = {0};
    size_t most = 0;
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        struct client c = {.config = {.binding = all[i]}};
        size_t n;
        configure(&c, &nobody, device);
        equip(&c, device);
        n = lay_out(&c, NULL, device);
        if (n > most) most = n;
    }
    return most;
}

static void on_freed(uv_handle_t *handle)
{
    free(handle->data);
}

/* One of the pool that is large enough: those that are not were made for a description of before. */
static struct client *from_pool(struct server *s)
{
    while (s->pool != NULL) {
        struct client *c = s->pool;
        s->pool = c->next;
        if (c->room >= s->client_room) return c;
        uv_close((uv_handle_t *)&c->timer, on_freed);
    }
    return NULL;
}

static struct client *take_client(struct server *s)
{
    struct client *c = from_pool(s);
    if (c == NULL) {
        c = calloc(1, sizeof *c + s->client_room);
        if (c == NULL) return NULL;
        c->room = s->client_room;
        c->server = s;
        uv_timer_init(&s->loop, &c->timer);
        c->timer.data = c;
    }
    c->next = NULL;
    c->newer = NULL;
    c->older = s->live;
    if (s->live != NULL) s->live->newer = c;
    s->live = c;
    if (++s->clients > s->clients_peak) s->clients_peak = s->clients;
    return c;
}

void spdm_respond_give_back(struct client *c)
{
    struct server *s = c->server;
    if (c->newer != NULL) c->newer->older = c->older;
    else s->live = c->older;
    if (c->older != NULL) c->older->newer = c->newer;
    s->clients--;
    spdm_tamper_close(c->tamper);
    c->tamper = NULL;
    free(c->question.info.p);
    free(c->job.info.p);
    c->question.info = c->job.info = (struct spdm_room){NULL, 0};
    c->next = s->pool;
    s->pool = c;
    if (s->options->once && s->clients == 0 && s->count.clients != 0) spdm_respond_stop(s, "the one client is served");
}

void spdm_respond_free_pool(struct server *s)
{
    while (s->pool != NULL) {
        struct client *c = s->pool;
        s->pool = c->next;
        uv_close((uv_handle_t *)&c->timer, on_freed);
    }
}

/* ---- the engine ---- */

static void opened(struct client *c, uint32_t id)
{
    const struct spdm_facts *f = spdm_responder_facts(c->engine);
    struct spdm_session_facts session;
    c->sessions++;
    if (!spdm_responder_session(c->engine, id, &session)) return;
    spdm_respond_events_opened(c, id, (session.policy & EVENT_ALL) != 0);
    spdm_respond_client_says(c->server, "%s: session %08x opened by %s, %s%s%s%s", spdm_link_peer(c->link), id,
                             session.psk ? "a pre-shared key" : spdm_algorithm_name((enum spdm_alg)f->exchange),
                             spdm_algorithm_name((enum spdm_alg)f->aead), session.mac_only ? " without encryption" : "",
                             session.mut_auth != 0 ? ", requester " : "",
                             session.mut_auth == 0     ? ""
                             : c->requester[0] != '\0' ? c->requester
                                                       : "as it is known here");
}

/* What happened. Session events come in their order: data, then the end. */
static void told(struct client *c, const struct spdm_event *event)
{
    char text[300];
    (void)spdm_report_text(&event->report, text, sizeof text);
    switch (event->kind) {
    case SPDM_DONE: spdm_respond_events_told(c, true); break;
    case SPDM_FAILED:
        if (event->report.why == SPDM_WHY_PEER_ERROR) spdm_respond_events_told(c, false);
        if (event->report.why == SPDM_WHY_NO_PENDING) break; /* who waits for events asks again and again */
        c->refusals++;
        spdm_respond_client_says(c->server, "%s: refused %s", spdm_link_peer(c->link), text);
        break;
    case SPDM_CONNECTED: spdm_respond_vouch(c); break;
    case SPDM_RESTARTED:
        spdm_respond_app_close(c, 0);
        spdm_respond_events_closed(c, 0);
        c->said.session = 0;
        spdm_respond_forget_requester(c);
        break;
    case SPDM_OPENED: opened(c, event->session); break;
    case SPDM_CLOSED:
        spdm_respond_app_close(c, event->session);
        spdm_respond_events_closed(c, event->session);
        if (c->said.session == event->session) c->said.session = 0;
        spdm_respond_client_says(c->server, "%s: session %08x closed: %s", spdm_link_peer(c->link), event->session,
                                 text);
        break;
    case SPDM_DATA:
        c->requests--; /* on_frame() counted it as one */
        spdm_respond_app_data(c, event);
        break;
    default: break;
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct client *c = timer->data;
    if (c->link == NULL) return;
    if (c->due <= spdm_respond_now()) spdm_respond_answer_now(c);
    spdm_responder_push(c->engine, (struct spdm_span){NULL, 0}, spdm_respond_now());
    spdm_respond_serve(c);
}

bool spdm_respond_send(struct client *c, struct spdm_span frame)
{
    struct spdm_span out = spdm_tamper_frame(c->tamper, frame, spdm_responder_facts(c->engine));
    return out.n == 0 || spdm_link_send(c->link, out);
}

/* Answers go first, application data when the way is free; then the timer for what has to wait. */
void spdm_respond_serve(struct client *c)
{
    struct spdm_event event;
    struct spdm_span out;
    uint64_t at, now;
    unsigned left = FRAMES_AT_ONCE;
    do {
        while (spdm_responder_event(c->engine, &event) != SPDM_NOTHING) {
            if (event.kind >= SPDM_ASK_DIGEST) spdm_respond_question(c, &event);
            else told(c, &event);
        }
        spdm_respond_events_tell(c);
        out = spdm_responder_pull(c->engine, spdm_respond_now());
        if (out.n != 0 && !spdm_respond_send(c, out)) return; /* the link tells its end itself */
    } while (out.n != 0 || spdm_respond_canned_send(c) || (left != 0 && spdm_respond_app_send(c) && left-- != 0));
    at = left != 0 ? spdm_responder_deadline(c->engine) : 0;
    if (c->due < at) at = c->due;
    now = spdm_respond_now();
    if (at == SPDM_NEVER) uv_timer_stop(&c->timer);
    else uv_timer_start(&c->timer, on_timer, at > now ? (at - now + 999) / 1000 : 0, 0);
}

/* ---- the link ---- */

static void on_frame(void *ctx, struct spdm_link *link, struct spdm_span frame)
{
    struct client *c = ctx;
    (void)link;
    c->requests++;
    spdm_tamper_came(c->tamper, frame);
    spdm_responder_push(c->engine, frame, spdm_respond_now());
    spdm_respond_serve(c);
}

static void on_drained(void *ctx, struct spdm_link *link)
{
    (void)link;
    spdm_respond_serve(ctx);
}

/* The emulator's way to have us begin a key update. */
static bool on_update(void *ctx, struct spdm_link *link, struct spdm_span data)
{
    struct client *c = ctx;
    uint32_t id;
    bool will;
    if (data.n != 4) return false;
    id = data.p[0] | (uint32_t)data.p[1] << 8 | (uint32_t)data.p[2] << 16 | (uint32_t)data.p[3] << 24;
    will = spdm_responder_update(c->engine, id);
    spdm_respond_client_says(c->server, "%s: session %08x %s", spdm_link_peer(link), id,
                             will ? "shall get new keys" : "cannot get new keys from here");
    return will;
}

static void over(struct client *c, const char *reason)
{
    struct server *s = c->server;
    const struct spdm_facts *facts = spdm_responder_facts(c->engine);
    struct spdm_link *link = c->link;
    spdm_respond_app_close(c, 0);
    spdm_respond_events_closed(c, 0);
    c->said.session = 0;
    if (c->requests != 0 || c->reach == NULL) /* who was only tried is no news */
        spdm_respond_client_says(s, "%s: %u requests, %u refused, %u signatures, %u sessions, SPDM %u.%u: %s",
                                 spdm_link_peer(link), c->requests, c->refusals, c->signatures, c->sessions,
                                 (unsigned)facts->version >> 4, facts->version & 15u, reason);
    s->count.requests += c->requests;
    s->count.refusals += c->refusals;
    s->count.signatures += c->signatures;
    s->count.sessions += c->sessions;
    uv_timer_stop(&c->timer);
    spdm_responder_close(c->engine);
    c->engine = NULL;
    spdm_respond_forget_requester(c);
    spdm_openssl_key_free(c->known);
    c->known = NULL;
    c->link = NULL;
    if (c->signing == SIGN_WAITING) spdm_respond_forget(c);
    if (c->signing == SIGN_IDLE) spdm_respond_give_back(c);
}

static void on_down(void *ctx, struct spdm_link *link, enum spdm_link_end end, const char *reason)
{
    struct client *c = ctx;
    struct reach *reach = c->reach;
    (void)link;
    over(c, reason);
    if (reach != NULL) spdm_respond_reach_again(reach, end == SPDM_LINK_UNREACHABLE);
}

void spdm_respond_hang_up(struct client *c)
{
    struct spdm_link *link = c->link;
    over(c, "the device stops");
    spdm_link_close(link);
}

/* Of a requester that was reached out to. */
static void on_up(void *ctx, struct spdm_link *link)
{
    struct client *c = ctx;
    c->server->count.clients++;
    spdm_respond_client_says(c->server, "%s: reached", spdm_link_peer(link));
}

const struct spdm_link_events spdm_respond_link_events = {
    .up = on_up, .frame = on_frame, .down = on_down, .update = on_update, .drained = on_drained};

/* Everything of a client but its link. NULL: there is no room. */
static struct client *begin(struct server *s, const struct spdm_binding *binding)
{
    struct client *c = s->stopping ? NULL : take_client(s);
    const struct spdm_device *device = s->generation->device;
    if (c == NULL) return NULL;
    memset(&c->config, 0, sizeof c->config);
    memset(&c->turned, 0, sizeof c->turned);
    c->config.binding = binding;
    configure(c, s, device);
    equip(c, device);
    (void)lay_out(c, (uint8_t *)c->memory, device);
    c->engine =
        spdm_responder_init((struct spdm_room){(uint8_t *)c->memory, spdm_responder_size(&c->config)}, &c->config);
    c->link = NULL;
    spdm_respond_forget_question(c);
    c->requests = c->refusals = c->signatures = c->sessions = 0;
    c->stranger = c->over = false;
    c->reach = NULL;
    c->trace = (struct spdm_trace){.to = stderr};
    c->tamper = spdm_tamper_open(&s->options->tamper, binding, "spdm respond");
    if (c->engine != NULL) return c;
    spdm_respond_give_back(c);
    return NULL;
}

void *spdm_respond_accept(void *ctx, struct spdm_listener *listener, struct spdm_link *link)
{
    struct server *s = ctx;
    struct client *c = begin(s, spdm_listener_target(listener)->binding);
    if (c == NULL) {
        spdm_respond_client_says(s, "%s: refused, the connection cannot be set up", spdm_link_peer(link));
        return NULL;
    }
    c->link = link;
    s->count.clients++;
    return c;
}

bool spdm_respond_reach(struct server *s, struct reach *reach, const struct spdm_link_options *options)
{
    struct client *c = begin(s, reach->target.binding);
    if (c == NULL) return false;
    c->reach = reach;
    c->link = spdm_link_connect(&s->loop, &reach->target, options, &spdm_respond_link_events, c);
    if (c->link != NULL) return true;
    spdm_responder_close(c->engine);
    c->engine = NULL;
    spdm_respond_give_back(c);
    return false;
}

void spdm_respond_renew(struct client *c, bool over)
{
    configure(c, c->server, c->server->generation->device);
    c->said.session = 0; /* it was the old device's */
    if (c->link == NULL || !over) return;
    spdm_respond_forget_question(c);
    spdm_respond_app_reset(c, "the device has changed");
    spdm_responder_resynch(c->engine);
    spdm_respond_serve(c);
}

void spdm_respond_tap(void *ctx, const struct spdm_tapped *tapped)
{
    struct server *s = ctx;
    struct client *c = spdm_link_context(tapped->link);
    if (s->pcap != NULL) spdm_pcap_tap(s->pcap, tapped);
    if (s->options->trace && c != NULL && c->engine != NULL)
        spdm_trace_frame(&c->trace, tapped, spdm_responder_facts(c->engine));
}
