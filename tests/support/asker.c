/* SPDX-License-Identifier: BSD-3-Clause
 *
 * asker.c - see asker.h. */
#include "support/asker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { FRAME_MAX = 9000, CHAIN_MAX = 20000, SESSIONS = 8, SIZE = 8192, LIMIT_S = 20 };

static const uint8_t hashes[] = {SPDM_SHA_256, SPDM_SHA_384, 0};
static const uint8_t signatures[] = {SPDM_ECDSA_P256, SPDM_ECDSA_P384, 0};
static const uint8_t exchanges[] = {SPDM_SECP256R1, SPDM_SECP384R1, 0};
static const uint8_t aeads[] = {SPDM_AES_256_GCM, SPDM_AES_128_GCM, 0};

static uint64_t now(const struct asker *a)
{
    return uv_hrtime() / 1000 + a->skew;
}

static uint8_t *room(size_t n)
{
    uint8_t *p = calloc(1, n);
    assert_non_null(p);
    return p;
}

/* ---- questions ---- */

static void keep_reply(struct asker *a, struct spdm_span data)
{
    assert_true(data.n <= sizeof a->reply - a->reply_n);
    if (data.n != 0) memcpy(a->reply + a->reply_n, data.p, data.n);
    a->reply_n += data.n;
}

static void answer(struct asker *a, const struct spdm_event *event)
{
    struct spdm_answer out = {.ticket = event->ticket};
    uint8_t bytes[SPDM_SIGNATURE_MAX];
    struct spdm_hmac hmac = {.hash = event->hash, .part = &a->options.psk, .n = 1};
    if (event->kind == SPDM_ASK_DIGEST || event->kind == SPDM_ASK_TRUST) {
        struct spdm_judgement *j =
            spdm_judge_answer(a->judge, spdm_requester_facts(a->engine), event, time(NULL), &out);
        assert_true(a->judgement_n < sizeof a->judgement / sizeof *a->judgement);
        if (j != NULL) a->judgement[a->judgement_n++] = j;
        if (event->kind == SPDM_ASK_TRUST) {
            a->reply_n = 0;
            keep_reply(a, event->data);
        }
    } else if (event->kind == SPDM_ASK_SIGN) {
        struct spdm_device_key *key = spdm_device_key(a->identity, event->slot, event->signing.alg);
        assert_non_null(key);
        out.data.n = spdm_signer_sign(key->signer, &event->signing, (struct spdm_room){bytes, sizeof bytes}, NULL);
        out.data.p = bytes;
        out.yes = out.data.n != 0;
        a->signatures++;
    } else if (event->kind == SPDM_ASK_PSK) {
        hmac.key = event->psk_salt;
        out.yes = a->options.psk.n != 0 && a->config.crypto->hmac(a->ossl, &hmac, bytes);
        out.data = (struct spdm_span){bytes, spdm_algorithm(event->hash)->size};
    }
    if (event->kind == SPDM_ASK_EVENTS) {
        a->reply_n = 0;
        keep_reply(a, event->order->list.list);
        out.yes = true;
    }
    (void)spdm_requester_answer(a->engine, &out);
}

static void happened(struct asker *a, const struct spdm_event *event)
{
    if (event->kind == SPDM_FAILED || event->kind == SPDM_CLOSED)
        (void)spdm_report_text(&event->report, a->why, sizeof a->why);
    if (event->kind == SPDM_DONE) a->done = true;
    else if (event->kind == SPDM_FAILED) a->failed = true;
    else if (event->kind == SPDM_OPENED) a->opened = event->session;
    else if (event->kind == SPDM_CLOSED) a->closed = event->session;
    else if (event->kind == SPDM_DATA && a->options.data != NULL) a->options.data(a, event->session, event->data);
    else if (event->kind == SPDM_REPLIED || event->kind == SPDM_VENDOR) keep_reply(a, event->data);
    else if (event->kind >= SPDM_ASK_DIGEST) answer(a, event);
    if (event->kind != SPDM_RESET_DUE) return;
    a->reset_due = true;
    a->tag = event->index;
}

/* ---- the engine ---- */

static void on_timer(uv_timer_t *timer)
{
    struct asker *a = timer->data;
    if (a->link == NULL) return;
    spdm_requester_push(a->engine, (struct spdm_span){NULL, 0}, now(a));
    asker_serve(a);
}

void asker_serve(struct asker *a)
{
    struct spdm_event event;
    struct spdm_span out;
    uint64_t at, t;
    do {
        while (spdm_requester_event(a->engine, &event) != SPDM_NOTHING) happened(a, &event);
        out = spdm_requester_pull(a->engine, now(a));
        if (out.n != 0 && (a->link == NULL || !spdm_link_send(a->link, out))) return;
        if (out.n == 0 && a->options.idle != NULL) a->options.idle(a);
        if (a->link == NULL) return;
    } while (out.n != 0);
    at = spdm_requester_deadline(a->engine);
    t = now(a);
    if (at == SPDM_NEVER) uv_timer_stop(&a->timer);
    else uv_timer_start(&a->timer, on_timer, at > t ? (at - t) / 1000 + 1 : 0, 0);
}

bool asker_send(struct asker *a, uint32_t session, struct spdm_span data)
{
    struct spdm_span out;
    if (a->link == NULL || spdm_link_waiting(a->link) != 0) return false;
    if (!spdm_requester_send(a->engine, session, data)) return false;
    out = spdm_requester_pull(a->engine, now(a));
    return out.n != 0 && spdm_link_send(a->link, out);
}

/* ---- the link ---- */

static void on_up(void *ctx, struct spdm_link *link)
{
    struct asker *a = ctx;
    (void)link;
    a->up = true;
}

static void on_frame(void *ctx, struct spdm_link *link, struct spdm_span frame)
{
    struct asker *a = ctx;
    (void)link;
    spdm_requester_push(a->engine, frame, now(a));
    asker_serve(a);
}

static void on_down(void *ctx, struct spdm_link *link, enum spdm_link_end end, const char *reason)
{
    struct asker *a = ctx;
    (void)link;
    (void)end;
    a->link = NULL;
    a->failed = true;
    snprintf(a->why, sizeof a->why, "%s", reason);
    uv_timer_stop(&a->timer);
}

static void on_drained(void *ctx, struct spdm_link *link)
{
    (void)link;
    asker_serve(ctx);
}

/* ---- beginning and end ---- */

static void set_policy(struct asker *a)
{
    const struct asker_options *o = &a->options;
    uint32_t flags = SPDM_CERT_CAP | SPDM_CHAL_CAP | SPDM_ENCRYPT_CAP | SPDM_MAC_CAP | SPDM_KEY_EX_CAP | SPDM_PSK_CAP |
                     SPDM_HBEAT_CAP | SPDM_KEY_UPD_CAP | SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
    if (o->events) flags |= SPDM_ENCAP_CAP;
    if (o->identity != NULL) flags |= SPDM_MUT_AUTH_CAP | SPDM_ENCAP_CAP;
    else flags &= ~(SPDM_CERT_CAP | SPDM_CHAL_CAP);
    a->policy = (struct spdm_policy){.versions = {SPDM_V14, SPDM_V13, SPDM_V12, SPDM_V11, SPDM_V10},
                                     .flags = flags & ~o->without,
                                     .hashes = hashes,
                                     .signatures = signatures,
                                     .exchanges = exchanges,
                                     .aeads = aeads,
                                     .opaque_formats = 2,
                                     .mel = true,
                                     .rtt = 10000000};
    if (a->identity != NULL) a->policy.req_signatures = a->identity->policy.signatures; /* what our keys can do */
    if (o->version != 0) {
        memset(a->policy.versions, 0, sizeof a->policy.versions);
        a->policy.versions[0] = o->version;
    }
}

static const struct spdm_identity nobody;

static void set_config(struct asker *a, const struct spdm_binding *binding)
{
    a->config = (struct spdm_config){.crypto = spdm_openssl_crypto(),
                                     .crypto_ctx = a->ossl,
                                     .binding = binding,
                                     .policy = &a->policy,
                                     .out = {room(FRAME_MAX), FRAME_MAX},
                                     .in = {room(FRAME_MAX), FRAME_MAX},
                                     .chain = {room(CHAIN_MAX), CHAIN_MAX},
                                     .data_transfer_size = SIZE,
                                     .sessions = &spdm_with_sessions};
    a->config.session_memory.n = SESSIONS * spdm_session_size(&a->config);
    a->config.session_memory.p = room(a->config.session_memory.n);
    if (a->identity == NULL && !a->options.events) return;
    a->turned = a->config;
    a->turned.sessions = NULL;
    a->turned.binding = &spdm_binding_none;
    a->turned.out = (struct spdm_room){room(SIZE), SIZE};
    a->turned.identity = a->identity != NULL ? &a->identity->identity : &nobody;
    a->turned.services = a->options.events ? &spdm_serve_turned : &spdm_serve_identity;
    a->config.mutual = &spdm_requester_mutual;
    a->config.turned = &a->turned;
}

static bool is_up(struct asker *a, void *ctx)
{
    (void)ctx;
    return a->up || a->link == NULL;
}

struct asker *asker_open(uv_loop_t *loop, const struct asker_options *options)
{
    static const struct spdm_link_events events = {
        .up = on_up, .frame = on_frame, .down = on_down, .drained = on_drained};
    struct spdm_link_options link = {.frame_max = FRAME_MAX};
    struct asker *a = (struct asker *)(void *)room(sizeof *a);
    struct spdm_target target;
    char error[SPDM_DEVICE_REASON] = "";
    size_t n;
    a->options = *options;
    a->loop = loop;
    a->ossl = options->like != NULL ? options->like->ossl : spdm_openssl_open(NULL, NULL);
    assert_non_null(a->ossl);
    a->judge = options->like != NULL ? options->like->judge : spdm_judge_open(a->ossl);
    if (options->like == NULL && options->root != NULL && spdm_judge_trust(a->judge, options->root, error) == 0)
        fail_msg("%s", error);
    if (options->identity != NULL) {
        a->identity = spdm_device_load(options->identity, a->ossl, error);
        if (a->identity == NULL) fail_msg("%s", error);
    }
    if (!spdm_target_parse(options->target, false, &target, error)) fail_msg("%s", error);
    set_policy(a);
    set_config(a, target.binding);
    n = spdm_requester_size(&a->config);
    a->memory = room(n);
    a->engine = spdm_requester_init((struct spdm_room){a->memory, n}, &a->config);
    assert_non_null(a->engine);
    uv_timer_init(loop, &a->timer);
    a->timer.data = a;
    a->link = spdm_link_connect(loop, &target, &link, &events, a);
    assert_non_null(a->link);
    assert_true(asker_until(a, is_up, NULL));
    if (a->link == NULL) fail_msg("%s", a->why);
    return a;
}

static void on_limit(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

bool asker_until(struct asker *a, bool (*until)(struct asker *a, void *ctx), void *ctx)
{
    uv_timer_t limit;
    bool late = false;
    uv_timer_init(a->loop, &limit);
    limit.data = &late;
    uv_timer_start(&limit, on_limit, LIMIT_S * 1000, 0);
    while (!late && !until(a, ctx)) uv_run(a->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&limit, NULL);
    uv_run(a->loop, UV_RUN_NOWAIT);
    return !late;
}

static bool is_over(struct asker *a, void *ctx)
{
    (void)ctx;
    return a->done || a->failed || a->link == NULL;
}

/* A heartbeat may be under way. */
static bool is_stated(struct asker *a, void *ctx)
{
    return a->link == NULL || spdm_requester_ask(a->engine, ctx);
}

void asker_begin(struct asker *a, const struct spdm_goal *goal)
{
    struct spdm_goal copy = *goal;
    a->done = a->failed = a->reset_due = false;
    a->reply_n = 0;
    a->why[0] = '\0';
    assert_true(asker_until(a, is_stated, &copy));
    if (a->link != NULL) asker_serve(a);
    else a->failed = true;
}

bool asker_ask(struct asker *a, const struct spdm_goal *goal)
{
    asker_begin(a, goal);
    if (a->link == NULL) return false;
    assert_true(asker_until(a, is_over, NULL));
    return a->done;
}

bool asker_errand(struct asker *a, uint32_t session, const struct spdm_errand *errand, const union spdm_order *order)
{
    const struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = errand, .order = order, .session = session};
    return asker_ask(a, &goal);
}

static void on_closed(uv_handle_t *handle)
{
    ((struct asker *)handle->data)->over = true;
}

void asker_close(struct asker *a)
{
    if (a->link != NULL) spdm_link_close(a->link);
    uv_close((uv_handle_t *)&a->timer, on_closed);
    spdm_requester_close(a->engine);
    while (!a->over) uv_run(a->loop, UV_RUN_ONCE);
    for (unsigned i = 0; i < a->judgement_n; i++) spdm_judgement_free(a->judgement[i]);
    spdm_device_free(a->identity);
    if (a->options.like == NULL) {
        spdm_judge_close(a->judge);
        spdm_openssl_close(a->ossl);
    }
    free(a->config.out.p);
    free(a->config.in.p);
    free(a->config.chain.p);
    free(a->config.session_memory.p);
    free(a->turned.out.p);
    free(a->memory);
    free(a);
}
