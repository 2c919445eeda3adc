/* SPDX-License-Identifier: BSD-3-Clause
 *
 * toy_device.h - a device with toy crypto behind a listener on loopback, and a judge that knows its key.
 *
 * Everything a test may want to change is a plain field between device_init()
 * and device_listen(). One loop carries the device and the runs. */
#ifndef TESTS_TOY_DEVICE_H
#define TESTS_TOY_DEVICE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include "attest_run.h"
#include "support/toy_crypto.h"
#include <assay/session.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICE_BUFFER = 8192, DEVICE_LINKS = 40 };

struct device_link;
/* What a test does with application data (event), and whenever something has happened on the link (NULL). */
typedef void device_app(struct device_link *l, struct spdm_link *link, const struct spdm_event *event);

struct device_link {
    struct toy_device *device;
    struct spdm_responder *rs;
    uint64_t memory[1024], sessions[1024];
    uint8_t out[DEVICE_BUFFER], in[DEVICE_BUFFER];
    struct spdm_config config;
};

struct toy_device {
    uv_loop_t loop;
    struct toy toy;
    struct toy_key key, signing_key; /* the leaf's, and what it really signs with */
    struct spdm_policy policy;       /* of the device */
    struct spdm_identity identity;
    uint8_t certificates[1500];
    struct spdm_measurement measurements[5];
    bool silent;       /* takes requests and answers nothing */
    unsigned close_at; /* hangs up instead of answering this request, from 1 */
    unsigned requests, accepted;
    bool sessions;   /* device_sessions() */
    const char *psk; /* the key it has for every hint */
    unsigned opened, closed;
    device_app *app; /* NULL: data is sent back as it came */
    char data[64];   /* the last application data that came; it is sent back */
    struct spdm_listener *listener;
    struct spdm_target target;
    struct device_link links[DEVICE_LINKS];

    /* the judge's side */
    struct spdm_policy requester;
    struct spdm_attest_trust trust;
    struct spdm_attest_order order;
    struct spdm_own own;
    const struct toy_key *trusted; /* the key every chain is trusted with; NULL: none is */
    bool know_digest;              /* ASK_DIGEST is answered yes */
    bool remember;                 /* the chain is remembered: its digest is in memory */
    uint8_t memory[SPDM_HASH_MAX];
    unsigned asked_digest, asked_trust, finished;
};

static const uint8_t toy_hashes[] = {SPDM_SHA_384, SPDM_SHA_256, 0};
static const uint8_t toy_signatures[] = {SPDM_ECDSA_P384, SPDM_ECDSA_P256, 0};

/* ---- the device ---- */

static inline void device_told(struct device_link *l, struct spdm_link *link, const struct spdm_event *ev)
{
    struct toy_device *d = l->device;
    if (ev->kind == SPDM_OPENED) d->opened++;
    if (ev->kind == SPDM_CLOSED) d->closed++;
    if (ev->kind == SPDM_DATA && d->app != NULL) {
        d->app(l, link, ev);
        return;
    }
    if (ev->kind != SPDM_DATA) return;
    assert_true(ev->data.n < sizeof d->data);
    memcpy(d->data, ev->data.p, ev->data.n);
    assert_true(spdm_responder_send(l->rs, ev->session, (struct spdm_span){(uint8_t *)d->data, ev->data.n}));
}

static inline void device_events(struct device_link *l, struct spdm_link *link)
{
    struct toy_device *d = l->device;
    struct spdm_event ev;
    uint8_t signature[512];
    while (spdm_responder_event(l->rs, &ev) != SPDM_NOTHING) {
        struct spdm_answer a = {.ticket = ev.ticket, .yes = true};
        if (ev.kind == SPDM_ASK_PSK) {
            struct spdm_span psk = {(const uint8_t *)d->psk, strlen(d->psk)};
            struct spdm_hmac in = {.hash = ev.hash, .key = ev.psk_salt, .part = &psk, .n = 1};
            assert_true(toy_crypto.hmac(&d->toy, &in, signature));
            a.data = (struct spdm_span){signature, spdm_algorithm(ev.hash)->size};
        } else if (ev.kind == SPDM_ASK_MEASURE) {
            a.measurements = d->measurements;
            a.measurement_n = 5;
        } else if (ev.kind == SPDM_ASK_SIGN) {
            a.data = (struct spdm_span){signature, toy_sign(&d->signing_key, &ev.signing, signature)};
        } else {
            device_told(l, link, &ev);
            continue;
        }
        assert_true(spdm_responder_answer(l->rs, &a));
    }
}

static inline void device_frame(void *ctx, struct spdm_link *link, struct spdm_span frame)
{
    struct device_link *l = ctx;
    struct toy_device *d = l->device;
    d->requests++;
    if (d->silent) return;
    if (d->requests == d->close_at) {
        spdm_responder_close(l->rs);
        l->rs = NULL;
        spdm_link_close(link);
        return;
    }
    spdm_responder_push(l->rs, frame, uv_hrtime() / 1000);
    device_events(l, link);
    struct spdm_span out = spdm_responder_pull(l->rs, uv_hrtime() / 1000);
    if (out.n != 0) spdm_link_send(link, out);
    if (d->app != NULL) d->app(l, link, NULL);
}

static inline void device_drained(void *ctx, struct spdm_link *link)
{
    struct device_link *l = ctx;
    if (l->device->app != NULL) l->device->app(l, link, NULL);
}

static inline void device_down(void *ctx, struct spdm_link *link, enum spdm_link_end end, const char *reason)
{
    struct device_link *l = ctx;
    (void)link;
    (void)end;
    (void)reason;
    spdm_responder_close(l->rs);
    l->rs = NULL;
}

static inline void *device_accept(void *ctx, struct spdm_listener *listener, struct spdm_link *link)
{
    struct toy_device *d = ctx;
    (void)listener;
    (void)link;
    d->accepted++;
    for (size_t i = 0; i < DEVICE_LINKS; i++) {
        struct device_link *l = &d->links[i];
        if (l->rs != NULL) continue;
        l->device = d;
        l->config = (struct spdm_config){.crypto = &toy_crypto,
                                         .crypto_ctx = &d->toy,
                                         .binding = d->target.binding,
                                         .policy = &d->policy,
                                         .out = {l->out, sizeof l->out},
                                         .data_transfer_size = 4096,
                                         .identity = &d->identity,
                                         .services = &spdm_serve_all};
        if (d->sessions) {
            l->config.sessions = &spdm_with_sessions;
            l->config.session_memory = (struct spdm_room){(uint8_t *)l->sessions, sizeof l->sessions};
            l->config.in = (struct spdm_room){l->in, sizeof l->in};
        }
        l->rs = spdm_responder_init((struct spdm_room){(uint8_t *)l->memory, sizeof l->memory}, &l->config);
        assert_non_null(l->rs);
        return l;
    }
    return NULL;
}

/* ---- the judge ---- */

static inline void device_answer(void *ctx, struct spdm_attest *run, const struct spdm_event *event,
                                 struct spdm_answer *answer)
{
    struct toy_device *d = ctx;
    (void)run;
    if (event->kind == SPDM_ASK_DIGEST) d->asked_digest++;
    else d->asked_trust++;
    answer->yes = d->trusted != NULL && (event->kind == SPDM_ASK_TRUST || d->know_digest);
    answer->key = answer->yes ? d->trusted : NULL;
}

static inline struct spdm_vouched device_remembered(void *ctx, struct spdm_attest *run)
{
    struct toy_device *d = ctx;
    (void)run;
    if (!d->remember) return (struct spdm_vouched){.key = NULL};
    return (struct spdm_vouched){.slot = 0, .digest = {d->memory, 48}, .key = d->trusted};
}

/* ---- life ---- */

static inline struct toy_device *device_init(void)
{
    static const uint8_t values[5][64] = {{1}, {2}, {3}, {4}, {5}};
    struct toy_device *d = calloc(1, sizeof *d);
    assert_non_null(d);
    assert_int_equal(uv_loop_init(&d->loop), 0);
    d->key.id = d->signing_key.id = 42;
    d->trusted = &d->key;
    for (size_t i = 0; i < sizeof d->certificates; i++) d->certificates[i] = (uint8_t)(i * 7);
    d->requester = (struct spdm_policy){.versions = {SPDM_V14, SPDM_V13, SPDM_V12, SPDM_V11, SPDM_V10},
                                        .hashes = toy_hashes,
                                        .signatures = toy_signatures,
                                        .opaque_formats = 3,
                                        .rtt = 5000000,
                                        .ct_exponent = 14};
    d->policy = d->requester;
    d->policy.flags = SPDM_CERT_CAP | SPDM_CHAL_CAP | SPDM_MEAS_CAP_SIGNED | SPDM_MEAS_FRESH_CAP;
    d->policy.meas_hash = SPDM_SHA_384;
    d->identity.slot[0] = (struct spdm_slot){.certificates = {d->certificates, sizeof d->certificates},
                                             .root = {d->certificates, 500},
                                             .signs = toy_signatures,
                                             .model = SPDM_CERT_DEVICE};
    d->identity.supported = 0x03;
    for (uint8_t i = 0; i < 5; i++)
        d->measurements[i] = (struct spdm_measurement){.index = (uint8_t)(2 * i + 1),
                                                       .type = i,
                                                       .raw = true,
                                                       .tcb = i < 2,
                                                       .value = {values[i], sizeof values[i]}};
    d->trust = (struct spdm_attest_trust){.answer = device_answer, .remembered = device_remembered};
    d->order = (struct spdm_attest_order){.crypto = &toy_crypto,
                                          .crypto_ctx = &d->toy,
                                          .policy = &d->requester,
                                          .trust = &d->trust,
                                          .trust_ctx = d,
                                          .measure = true,
                                          .operation = SPDM_MEASURE_ALL,
                                          .sign = true,
                                          .timeout_ms = 5000};
    return d;
}

/* Device and requester can open sessions, by key exchange and by pre-shared key. */
static inline void device_sessions(struct toy_device *d)
{
    static const uint8_t exchanges[] = {SPDM_SECP384R1, 0}, aeads[] = {SPDM_AES_256_GCM, 0};
    uint32_t flags = SPDM_KEY_EX_CAP | SPDM_MAC_CAP | SPDM_ENCRYPT_CAP | SPDM_KEY_UPD_CAP | SPDM_HBEAT_CAP;
    d->sessions = true;
    d->requester.flags |= flags | SPDM_PSK_CAP;
    d->policy.flags |= flags | SPDM_PSK_CAP_CONTEXT;
    d->requester.exchanges = d->policy.exchanges = exchanges;
    d->requester.aeads = d->policy.aeads = aeads;
    d->psk = "the key";
    d->own = (struct spdm_own){.psk = {(uint8_t *)d->psk, strlen(d->psk)}, .crypto = &toy_crypto};
    d->own.ossl = (void *)&d->toy; /* whatever crypto takes */
    d->order.own = &d->own;
    d->order.session = SPDM_KEY_SESSION;
}

static inline void device_listen(struct toy_device *d)
{
    struct spdm_listen_options options = {
        .events = {.link = {.frame = device_frame, .down = device_down, .drained = device_drained},
                   .accept = device_accept},
        .ctx = d};
    char error[SPDM_REASON_MAX];
    assert_true(spdm_target_parse("emu+mctp://127.0.0.1:0", true, &d->target, error));
    d->listener = spdm_listener_open(&d->loop, &d->target, &options, error);
    if (d->listener == NULL) fail_msg("%s", error);
    d->target = *spdm_listener_target(d->listener);
}

static inline void device_count(void *ctx, struct spdm_attest *run)
{
    struct toy_device *d = ctx;
    (void)run;
    d->finished++;
}

/* Turns the loop until so many runs have told their end. */
static inline void device_wait(struct toy_device *d, unsigned finished)
{
    uint64_t start = uv_hrtime();
    while (d->finished < finished) {
        uv_run(&d->loop, UV_RUN_ONCE);
        if (uv_hrtime() - start > 20000000000u) fail_msg("waited 20 s for %u ends, had %u", finished, d->finished);
    }
}

/* One run from its start to its end. */
static inline struct spdm_attest *device_attest(struct toy_device *d)
{
    struct spdm_attest *run = spdm_attest_start(&d->loop, &d->target, &d->order, device_count, d);
    assert_non_null(run);
    device_wait(d, d->finished + 1);
    return run;
}

static inline void device_free(struct toy_device *d)
{
    if (d->listener != NULL) spdm_listener_close(d->listener);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&d->loop), 0);
    assert_int_equal(d->toy.open, 0);
    free(d);
}
#endif
