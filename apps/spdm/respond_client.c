/* SPDX-License-Identifier: BSD-3-Clause
 *
 * respond_client.c - one client of the device: frames in, questions, frames out.
 *
 * Everything a client needs lies in one block that is used again for the next
 * one. The engine never waits: a question is answered at once, after the
 * configured delay, or when its signature is done; a timer per client wakes
 * the engine when it wants to say ResponseNotReady. A client that starts over
 * while its signature is being made gets the new one after the old. */
#include "respond.h"

#include "port/lender.h"
#include <assay/responder.h>
#include <stdlib.h>
#include <string.h>

static void serve(struct client *c);

static uint64_t now_us(void)
{
    return uv_hrtime() / 1000;
}

/* ---- memory ---- */

static size_t aligned(size_t n)
{
    return (n + 15) & ~(size_t)15;
}

static size_t out_size(const struct spdm_device *device, const struct spdm_binding *binding)
{
    return binding->head + (size_t)device->send_size + binding->tail;
}

static void configure(struct spdm_config *config, const struct server *s, const struct spdm_device *device)
{
    config->crypto = spdm_openssl_crypto();
    config->crypto_ctx = s->ossl;
    config->policy = &device->policy;
    config->data_transfer_size = device->data_transfer_size;
    config->chunks = &spdm_responder_chunks;
    config->lender = &spdm_lend_heap;
    config->max_message_size = device->max_message_size;
    config->identity = &device->identity;
    config->services = &spdm_serve_attestation;
}

size_t spdm_respond_client_room(const struct spdm_device *device)
{
    static const struct spdm_binding *const all[] = {&spdm_binding_none, &spdm_binding_mctp, &spdm_binding_doe,
                                                     &spdm_binding_tcp};
    struct server nobody = {0};
    size_t most = 0;
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        struct spdm_config config = {.binding = all[i]};
        size_t n;
        configure(&config, &nobody, device);
        n = aligned(spdm_responder_size(&config)) + aligned(out_size(device, all[i]));
        if (n > most) most = n;
    }
    return most;
}

static struct client *take_client(struct server *s)
{
    struct client *c = s->pool;
    if (c != NULL) {
        s->pool = c->next;
    } else {
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

static void give_back(struct client *c)
{
    struct server *s = c->server;
    if (c->newer != NULL) c->newer->older = c->older;
    else s->live = c->older;
    if (c->older != NULL) c->older->newer = c->newer;
    s->clients--;
    c->next = s->pool;
    s->pool = c;
    if (s->options->once && s->clients == 0) spdm_respond_stop(s, "the one client is served");
}

static void on_freed(uv_handle_t *handle)
{
    free(handle->data);
}

void spdm_respond_free_pool(struct server *s)
{
    while (s->pool != NULL) {
        struct client *c = s->pool;
        s->pool = c->next;
        uv_close((uv_handle_t *)&c->timer, on_freed);
    }
}

/* ---- questions ---- */

static void answer(struct client *c, const struct spdm_answer *a)
{
    c->asked = SPDM_NOTHING;
    c->due = SPDM_NEVER;
    (void)spdm_responder_answer(c->engine, a);
}

static void refuse(struct client *c)
{
    answer(c, &(struct spdm_answer){.ticket = c->question.ticket, .yes = false});
}

static void answer_measurements(struct client *c)
{
    const struct spdm_device *d = c->server->generation->device;
    answer(c, &(struct spdm_answer){.ticket = c->question.ticket,
                                    .yes = true,
                                    .measurements = d->measurements,
                                    .measurement_n = d->measurement_n,
                                    .content_changed = 0});
}

/* Spans of a copy point into the copy. */
static void copy_job(struct to_sign *to, const struct to_sign *from)
{
    *to = *from;
    to->what.data.p = to->bytes;
    to->what.context.p = to->bytes + to->what.data.n;
}

static void start_signing(struct client *c)
{
    c->due = SPDM_NEVER;
    if (c->signing != SIGN_IDLE) {
        c->sign_again = true;
        return;
    }
    copy_job(&c->job, &c->question);
    if (!spdm_respond_sign(c)) refuse(c);
}

static void answer_now(struct client *c)
{
    if (c->asked == SPDM_ASK_SIGN) start_signing(c);
    else if (c->asked == SPDM_ASK_MEASURE) answer_measurements(c);
    else refuse(c); /* vendor messages: nothing here understands any */
}

static void take_question(struct client *c, const struct spdm_event *event)
{
    uint32_t delay = c->server->generation->device->delay_ms;
    struct to_sign *q = &c->question;
    /* An earlier question is void: its signature, if not begun, need not be made. */
    c->sign_again = false;
    if (c->signing == SIGN_WAITING) spdm_respond_forget(c);
    c->asked = event->kind;
    q->ticket = event->ticket;
    q->slot = event->slot;
    q->what = event->signing;
    if (event->kind == SPDM_ASK_SIGN) {
        size_t n = event->signing.data.n, context = event->signing.context.n;
        if (n > sizeof q->bytes || context > sizeof q->bytes - n) {
            refuse(c);
            return;
        }
        memcpy(q->bytes, event->signing.data.p, n);
        if (context != 0) memcpy(q->bytes + n, event->signing.context.p, context);
        q->what.data.p = q->bytes;
        q->what.context.p = q->bytes + n;
    }
    c->due = now_us() + (uint64_t)delay * 1000;
    if (delay == 0) answer_now(c);
}

void spdm_respond_signed(struct client *c, struct spdm_span signature, const char *cause)
{
    struct server *s = c->server;
    if (c->link == NULL) { /* it has left meanwhile */
        give_back(c);
        return;
    }
    if (signature.n == 0)
        spdm_respond_client_says(s, "%s: cannot sign with slot %u: %s", spdm_link_peer(c->link), c->job.slot, cause);
    if (c->sign_again) {
        c->sign_again = false;
        start_signing(c);
        return;
    }
    if (c->asked != SPDM_ASK_SIGN || c->job.ticket != c->question.ticket) return;
    c->signatures += signature.n != 0;
    answer(c, &(struct spdm_answer){.ticket = c->job.ticket, .yes = signature.n != 0, .data = signature});
    serve(c);
}

/* ---- the engine ---- */

static void told(struct client *c, const struct spdm_event *event)
{
    char text[300];
    if (event->kind != SPDM_FAILED) return;
    c->refusals++;
    (void)spdm_report_text(&event->report, text, sizeof text);
    spdm_respond_client_says(c->server, "%s: refused %s", spdm_link_peer(c->link), text);
}

static void on_timer(uv_timer_t *timer)
{
    struct client *c = timer->data;
    if (c->link == NULL) return;
    if (c->due <= now_us()) answer_now(c);
    spdm_responder_push(c->engine, (struct spdm_span){NULL, 0}, now_us());
    serve(c);
}

/* Everything that can happen without waiting, then the timer for what cannot. */
static void serve(struct client *c)
{
    struct spdm_event event;
    struct spdm_span out;
    uint64_t at, now;
    do {
        while (spdm_responder_event(c->engine, &event) != SPDM_NOTHING) {
            if (event.kind >= SPDM_ASK_DIGEST) take_question(c, &event);
            else told(c, &event);
        }
        out = spdm_responder_pull(c->engine, now_us());
        if (out.n != 0 && !spdm_link_send(c->link, out)) return; /* the link tells its end itself */
    } while (out.n != 0);
    at = spdm_responder_deadline(c->engine);
    if (c->due < at) at = c->due;
    now = now_us();
    if (at == SPDM_NEVER) uv_timer_stop(&c->timer);
    else uv_timer_start(&c->timer, on_timer, at > now ? (at - now + 999) / 1000 : 0, 0);
}

static void on_frame(void *ctx, struct spdm_link *link, struct spdm_span frame)
{
    struct client *c = ctx;
    (void)link;
    c->requests++;
    spdm_responder_push(c->engine, frame, now_us());
    serve(c);
}

static void on_down(void *ctx, struct spdm_link *link, enum spdm_link_end end, const char *reason)
{
    struct client *c = ctx;
    struct server *s = c->server;
    const struct spdm_facts *facts = spdm_responder_facts(c->engine);
    (void)link;
    (void)end;
    spdm_respond_client_says(s, "%s: %u requests, %u refused, %u signatures, SPDM %u.%u: %s", spdm_link_peer(link),
                             c->requests, c->refusals, c->signatures, (unsigned)facts->version >> 4,
                             facts->version & 15u, reason);
    s->count.requests += c->requests;
    s->count.refusals += c->refusals;
    s->count.signatures += c->signatures;
    uv_timer_stop(&c->timer);
    spdm_responder_close(c->engine);
    c->engine = NULL;
    c->link = NULL;
    if (c->signing == SIGN_WAITING) spdm_respond_forget(c);
    if (c->signing == SIGN_IDLE) give_back(c);
}

const struct spdm_link_events spdm_respond_link_events = {.frame = on_frame, .down = on_down};

void *spdm_respond_accept(void *ctx, struct spdm_listener *listener, struct spdm_link *link)
{
    struct server *s = ctx;
    struct client *c = s->stopping ? NULL : take_client(s);
    const struct spdm_device *device = s->generation->device;
    size_t engine;
    uint8_t *bytes;
    if (c == NULL) return NULL;
    memset(&c->config, 0, sizeof c->config);
    c->config.binding = spdm_listener_target(listener)->binding;
    configure(&c->config, s, device);
    engine = aligned(spdm_responder_size(&c->config));
    bytes = (uint8_t *)c->memory;
    c->config.out = (struct spdm_room){bytes + engine, out_size(device, c->config.binding)};
    c->engine = spdm_responder_init((struct spdm_room){bytes, engine}, &c->config);
    c->link = link;
    c->asked = SPDM_NOTHING;
    c->due = SPDM_NEVER;
    c->sign_again = false;
    c->requests = c->refusals = c->signatures = 0;
    c->trace = (struct spdm_trace){.to = stderr};
    s->count.clients++;
    if (c->engine != NULL) return c;
    spdm_respond_client_says(s, "%s: refused, the connection cannot be set up", spdm_link_peer(link));
    c->link = NULL;
    give_back(c);
    return NULL;
}

void spdm_respond_renew(struct client *c)
{
    configure(&c->config, c->server, c->server->generation->device);
    if (c->link == NULL) return;
    c->asked = SPDM_NOTHING;
    c->due = SPDM_NEVER;
    c->sign_again = false;
    spdm_responder_resynch(c->engine);
    serve(c);
}

void spdm_respond_tap(void *ctx, const struct spdm_tapped *tapped)
{
    struct server *s = ctx;
    struct client *c = spdm_link_context(tapped->link);
    if (s->pcap != NULL) spdm_pcap_tap(s->pcap, tapped);
    if (s->options->trace && c != NULL && c->engine != NULL)
        spdm_trace_frame(&c->trace, tapped, spdm_responder_facts(c->engine));
}
