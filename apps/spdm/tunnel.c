/* SPDX-License-Identifier: BSD-3-Clause
 *
 * tunnel.c - moves a stream between a session and a local end.
 *
 * Whatever happens only leaves a mark and wakes serve(), which runs from the
 * loop and does what can be done now: send, change keys, end the session, tell.
 * So nothing is done from within an event of the engine, and the order of what
 * happens does not matter. */
#include "tunnel.h"
#include "app_data.h"
#include "local.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

enum {
    ROOM = SPDM_APP_HEAD + 131072, /* what was read here and not sent yet */
    ROOM_READ = 16384,             /* so much must be free to read on */
    BURST = 64,                    /* messages sent before others get a turn */
    BLIND_MAX = 1024,              /* largest message for a device that did not say what it takes (1.1) */
    RECORD_MAX = 65000,
    RETRY_MS = 20,
    END_MS = 2000, /* how long the end of the session may take */
    UPDATE_ALL = 2
};

struct spdm_tunnel {
    struct spdm_tunnel_setup setup;
    struct spdm_tunnel_result result;
    struct spdm_asker *asker;
    struct spdm_local *local;
    struct spdm_app_stream stream;
    uint32_t session;
    uint8_t *room; /* n bytes from `at` on wait for the device, SPDM_APP_HEAD bytes or more before them */
    size_t at, n, most;
    bool source_ended;
    bool renewable, updating;
    bool ending; /* END_SESSION is on its way */
    bool closed; /* there is no session any more */
    bool told;
    uint64_t since[2]; /* bytes under the present keys, sent and received */
    uint64_t began, end_by;
    uv_timer_t timer;
};

static uint64_t now_us(void)
{
    return uv_hrtime() / 1000;
}

static void on_timer(uv_timer_t *timer);

/* Sooner, never later. */
static void wake(struct spdm_tunnel *t, uint64_t ms)
{
    bool sooner = !uv_is_active((uv_handle_t *)&t->timer) || uv_timer_get_due_in(&t->timer) > ms;
    if (sooner && !t->told) uv_timer_start(&t->timer, on_timer, ms, 0);
}

/* Only the first end counts; the stream is over with it, and the device learns why if it still listens. When both sides
 * have said everything, nothing that happens to the device is of interest any more. */
static void end(struct spdm_tunnel *t, enum spdm_tunnel_end how, const char *reason)
{
    bool said = t->stream.ended && t->stream.peer_ended;
    if (said && (how == SPDM_TUNNEL_GONE || how == SPDM_TUNNEL_PROTOCOL)) how = SPDM_TUNNEL_DONE;
    if (t->result.end == SPDM_TUNNEL_OPEN) {
        t->result.end = how;
        snprintf(t->result.reason, sizeof t->result.reason, "%s", reason);
    }
    if (how != SPDM_TUNNEL_DONE) spdm_app_reset(&t->stream, t->result.reason);
    wake(t, 0);
}

/* ---- the local end ---- */

/* Free space behind what waits; moved to the front if there is too little. */
static struct spdm_room local_room(void *ctx)
{
    struct spdm_tunnel *t = ctx;
    if (t->n == 0) t->at = SPDM_APP_HEAD;
    if (ROOM - t->at - t->n < ROOM_READ && t->at > SPDM_APP_HEAD) {
        memmove(t->room + SPDM_APP_HEAD, t->room + t->at, t->n);
        t->at = SPDM_APP_HEAD;
    }
    size_t left = ROOM - t->at - t->n;
    if (left < ROOM_READ || spdm_app_over(&t->stream)) left = 0;
    return (struct spdm_room){t->room + t->at + t->n, left};
}

static void local_came(void *ctx, size_t n)
{
    struct spdm_tunnel *t = ctx;
    t->n += n;
    wake(t, 0);
}

static void local_ended(void *ctx, const char *error)
{
    struct spdm_tunnel *t = ctx;
    char text[200];
    t->source_ended = true;
    snprintf(text, sizeof text, "cannot read the input: %s", error != NULL ? error : "");
    if (error != NULL) end(t, SPDM_TUNNEL_LOCAL, text);
    wake(t, 0);
}

static void local_taken(void *ctx, size_t n)
{
    struct spdm_tunnel *t = ctx;
    spdm_app_taken(&t->stream, n);
    wake(t, 0);
}

static void local_broken(void *ctx, const char *error)
{
    struct spdm_tunnel *t = ctx;
    char text[200];
    snprintf(text, sizeof text, "cannot write the output: %s", error);
    end(t, SPDM_TUNNEL_LOCAL, text);
}

static const struct spdm_local_events local_events = {
    .room = local_room, .came = local_came, .ended = local_ended, .taken = local_taken, .broken = local_broken};

/* ---- from the device ---- */

static void take_reset(struct spdm_tunnel *t, struct spdm_span text)
{
    char *safe = spdm_text_safe(text), reason[SPDM_REASON_MAX];
    snprintf(reason, sizeof reason, "the other end broke off: %.300s", safe);
    free(safe);
    end(t, SPDM_TUNNEL_GONE, reason);
}

static void take_broken(struct spdm_tunnel *t)
{
    char reason[SPDM_REASON_MAX];
    snprintf(reason, sizeof reason, "the device sent %s", t->stream.reason);
    end(t, SPDM_TUNNEL_PROTOCOL, reason);
}

static void take_data(struct spdm_tunnel *t, struct spdm_span data)
{
    if (!spdm_app_ours(data)) return; /* of some other protocol, and none of our business */
    struct spdm_app_message message = spdm_app_take(&t->stream, data);
    switch (message.kind) {
    case SPDM_APP_DATA:
        t->result.received += message.bytes.n;
        t->since[1] += message.bytes.n;
        spdm_local_write(t->local, message.bytes);
        break;
    case SPDM_APP_END: spdm_local_finish(t->local); break;
    case SPDM_APP_RESET: take_reset(t, message.bytes); break;
    case SPDM_APP_BROKEN: take_broken(t); break;
    default: break;
    }
    wake(t, 0);
}

static void refused(struct spdm_tunnel *t, const struct spdm_report *report)
{
    char text[SPDM_REASON_MAX];
    bool gone = report->why == SPDM_WHY_SESSION_ENDED || report->why == SPDM_WHY_SESSION_EXPIRED ||
                report->why == SPDM_WHY_TIMEOUT;
    spdm_report_text(report, text, sizeof text);
    end(t, gone ? SPDM_TUNNEL_GONE : SPDM_TUNNEL_PROTOCOL, text);
}

/* What has come meanwhile was sealed with the keys before. */
static void renewed(struct spdm_tunnel *t)
{
    t->updating = false;
    t->result.updates++;
    t->since[0] = t->since[1] = 0;
}

void spdm_tunnel_event(struct spdm_tunnel *t, const struct spdm_event *event)
{
    if (event->kind == SPDM_DATA && event->session == t->session) {
        take_data(t, event->data);
    } else if (event->kind == SPDM_CLOSED && event->session == t->session) {
        if (!t->ending) refused(t, &event->report);
        t->closed = true;
    } else if (event->kind == SPDM_DONE) {
        if (t->updating) renewed(t);
    } else if (event->kind == SPDM_FAILED) {
        if (t->updating) refused(t, &event->report);
        t->updating = false;
        t->closed = t->closed || t->ending;
    }
    wake(t, 0);
}

void spdm_tunnel_drained(struct spdm_tunnel *t)
{
    wake(t, 0);
}

void spdm_tunnel_down(struct spdm_tunnel *t, const char *reason)
{
    t->closed = true;
    end(t, SPDM_TUNNEL_GONE, reason);
}

/* ---- to the device ---- */

/* New keys for both directions. What cannot begin now, because a heartbeat is on its way, begins later. */
static void renew(struct spdm_tunnel *t)
{
    const struct spdm_goal goal = {.want = SPDM_WANT_KEY_UPDATE, .session = t->session, .update = UPDATE_ALL};
    bool due = t->since[0] >= t->setup.rekey || t->since[1] >= t->setup.rekey;
    if (!t->renewable || !due || t->closed || spdm_app_over(&t->stream)) return;
    if (!spdm_requester_ask(spdm_asker_engine(t->asker), &goal)) return;
    t->updating = true;
    spdm_asker_advance(t->asker);
}

/* false: there is nothing to send, or no way to send it now. */
static bool send_one(struct spdm_tunnel *t)
{
    struct spdm_app_source source = {t->room + t->at, t->n, t->source_ended};
    if (t->closed || t->updating || t->ending) return false;
    struct spdm_span message = spdm_app_next(&t->stream, &source, t->most);
    if (message.n == 0 || !spdm_asker_send(t->asker, t->session, message)) return false;
    size_t n = spdm_app_sent(&t->stream);
    t->at += n;
    t->n -= n;
    t->result.sent += n;
    t->since[0] += n;
    return true;
}

static void send_some(struct spdm_tunnel *t)
{
    unsigned n = 0;
    for (renew(t); n < BURST && send_one(t); renew(t)) n++;
    if (n == BURST) wake(t, 0);
    if (!t->source_ended && !spdm_app_over(&t->stream)) spdm_local_read(t->local);
}

static uint64_t left_ms(const struct spdm_tunnel *t)
{
    uint64_t now = now_us();
    return now >= t->end_by ? 0 : (t->end_by - now) / 1000 + 1;
}

/* The stream is over, and the device knows: so is the session. */
static void end_session(struct spdm_tunnel *t)
{
    const struct spdm_goal goal = {.want = SPDM_WANT_END_SESSION, .session = t->session};
    bool unsaid = t->stream.reset && !t->stream.told && !t->stream.peer_reset;
    if (t->end_by == 0) t->end_by = now_us() + (uint64_t)END_MS * 1000;
    if (t->closed) return;
    wake(t, left_ms(t));
    if (t->ending) return;
    if (unsaid || t->updating || !spdm_requester_ask(spdm_asker_engine(t->asker), &goal)) {
        wake(t, RETRY_MS);
        return;
    }
    t->ending = true;
    spdm_asker_advance(t->asker);
}

static bool is_over(const struct spdm_tunnel *t)
{
    if (!t->closed && now_us() < t->end_by) return false;
    return t->result.end == SPDM_TUNNEL_INTERRUPTED || !spdm_local_waiting(t->local);
}

static void on_timer(uv_timer_t *timer)
{
    struct spdm_tunnel *t = timer->data;
    send_some(t);
    if (!spdm_app_over(&t->stream)) return;
    end_session(t);
    if (t->stream.ended && t->stream.peer_ended && t->result.end == SPDM_TUNNEL_OPEN) t->result.end = SPDM_TUNNEL_DONE;
    if (!is_over(t)) return;
    t->told = true;
    uv_timer_stop(&t->timer);
    t->result.time_us = now_us() - t->began;
    t->setup.over(t->setup.ctx, t);
}

/* ---- life ---- */

void spdm_tunnel_interrupt(struct spdm_tunnel *t, const char *reason)
{
    end(t, SPDM_TUNNEL_INTERRUPTED, reason);
}

const struct spdm_tunnel_result *spdm_tunnel_result(const struct spdm_tunnel *t)
{
    return &t->result;
}

/* What the device takes as an SPDM message it takes as data, too. */
static size_t largest(const struct spdm_facts *facts)
{
    size_t most = facts->responder.data_transfer_size;
    if (most == 0) most = BLIND_MAX;
    if (most > RECORD_MAX) most = RECORD_MAX;
    return most > SPDM_APP_SMALL ? most : SPDM_APP_SMALL + 1;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct spdm_tunnel *t = handle->data;
    free(t->room);
    free(t);
}

struct spdm_tunnel *spdm_tunnel_open(const struct spdm_tunnel_setup *setup, char error[SPDM_REASON_MAX])
{
    struct spdm_tunnel *t = spdm_text_need(calloc(1, sizeof *t));
    const struct spdm_facts *facts = spdm_attest_facts(setup->run);
    const char *why = "";
    t->setup = *setup;
    t->asker = spdm_attest_asker(setup->run);
    t->session = spdm_attest_result(setup->run)->session.facts.id;
    t->room = spdm_text_need(malloc(ROOM));
    t->at = SPDM_APP_HEAD;
    t->most = largest(facts);
    t->renewable = setup->rekey != 0 && (facts->requester.flags & facts->responder.flags & SPDM_KEY_UPD_CAP) != 0;
    t->began = now_us();
    spdm_app_begin(&t->stream, 0);
    uv_timer_init(setup->loop, &t->timer);
    t->timer.data = t;
    const struct spdm_local_setup local = {
        .loop = setup->loop, .in = setup->in, .out = setup->out, .events = &local_events, .ctx = t};
    t->local = spdm_local_open(&local, &why);
    if (t->local == NULL) {
        snprintf(error, SPDM_REASON_MAX, "%s", why);
        spdm_tunnel_free(t);
        return NULL;
    }
    wake(t, 0);
    return t;
}

void spdm_tunnel_free(struct spdm_tunnel *t)
{
    if (t == NULL) return;
    t->told = true;
    spdm_local_close(t->local);
    uv_close((uv_handle_t *)&t->timer, on_timer_closed);
}
