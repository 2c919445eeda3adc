/* SPDX-License-Identifier: BSD-3-Clause
 *
 * attest_run.c - drives one asker from the connection to the result.
 *
 * Everything happens in callbacks of the loop; `done` is told from a timer of
 * its own, so that whoever is told may free or restart the run. */
#include "attest_keep.h"
#include <assay/dump.h>
#include <stdlib.h>
#include <string.h>

struct spdm_attest {
    struct spdm_attest_result result;
    const struct spdm_attest_order *order;
    struct spdm_asker_setup setup;
    struct spdm_asker *asker;
    void (*done)(void *ctx, struct spdm_attest *run);
    void *ctx;
    uv_loop_t *loop;
    uint64_t began;           /* monotonic, us */
    struct spdm_room request; /* the last SPDM request sent */
    bool paused;              /* order.pause: it has been */
    uv_timer_t limit;
};

static uint64_t now_us(void)
{
    return uv_hrtime() / 1000;
}

/* ---- the end ---- */

static void on_told(uv_timer_t *timer)
{
    struct spdm_attest *run = timer->data;
    run->done(run->ctx, run);
}

/* Notes how it ended and lets the loop tell. Only the first end counts. */
static void finish(struct spdm_attest *run, enum spdm_attest_end end)
{
    struct spdm_attest_result *r = &run->result;
    if (r->end != SPDM_ATTEST_RUNNING) return;
    r->end = end;
    r->time_us = now_us() - run->began;
    if (end != SPDM_ATTEST_DONE || run->order->stay == NULL) spdm_asker_rest(run->asker);
    uv_timer_start(&run->limit, on_told, 0, 0);
}

static uint32_t time_left(const struct spdm_attest_order *order)
{
    return order->spent_ms < order->timeout_ms ? order->timeout_ms - order->spent_ms : 0;
}

static void on_limit(uv_timer_t *timer)
{
    struct spdm_attest *run = timer->data;
    struct spdm_attest_result *r = &run->result;
    bool asked = r->reached && run->request.n > 1;
    snprintf(r->reason, sizeof r->reason, "not finished after %u.%03u s, %s%s", run->order->timeout_ms / 1000,
             run->order->timeout_ms % 1000, asked ? "waiting for the answer to " : "still connecting",
             asked ? spdm_message_name(run->request.p[1]) : "");
    finish(run, SPDM_ATTEST_TIMEOUT);
}

/* ---- what passes ---- */

/* Where MeasurementSummaryHash lies. */
struct summary {
    size_t at, n;
};

static void see_summary(void *ctx, const struct spdm_field *field)
{
    struct summary *summary = ctx;
    if (strncmp(field->name, "MeasurementSummaryHash", 22) == 0 && !field->number)
        *summary = (struct summary){field->at, field->n};
}

/* The message without the padding of its transport; what cannot be decoded stays as it is. */
static struct spdm_span look_into(struct spdm_attest *run, struct spdm_span message, bool sent)
{
    struct summary summary = {0, 0};
    struct spdm_report report;
    struct spdm_dump dump = {.facts = spdm_attest_facts(run),
                             .message = message,
                             .request = sent ? (struct spdm_span){NULL, 0} : spdm_attest_request(run),
                             .see = see_summary,
                             .ctx = &summary};
    size_t n = spdm_dump(&dump, &report);
    if (n != 0 && n < message.n) message.n = n;
    bool inside = summary.at <= message.n && summary.n <= message.n - summary.at;
    if (!sent && inside && summary.n != 0)
        (void)spdm_keep_bytes(&run->result.summary, (struct spdm_span){message.p + summary.at, summary.n});
    return message;
}

static void on_frame(void *ctx, const struct spdm_tapped *tapped)
{
    struct spdm_attest *run = ctx;
    struct spdm_attest_result *r = &run->result;
    *(tapped->sent ? &r->sent_bytes : &r->received_bytes) += tapped->frame.n;
    if (run->order->tap != NULL) run->order->tap(run->order->tap_ctx, run, tapped);
}

static void on_message(void *ctx, const struct spdm_passing *passing)
{
    struct spdm_attest *run = ctx;
    struct spdm_attest_result *r = &run->result;
    if (!passing->app && r->end == SPDM_ATTEST_RUNNING) {
        struct spdm_span message = look_into(run, passing->message, passing->sent);
        *(passing->sent ? &r->sent : &r->received) += 1;
        if (run->order->record) (void)spdm_keep_message(r, passing->sent, message);
    }
    if (run->order->message != NULL) run->order->message(run->order->tap_ctx, run, passing);
    if (!passing->app && passing->sent) (void)spdm_keep_bytes(&run->request, passing->message);
}

/* ---- questions ---- */

/* Whether to believe the device. */
static void judge(struct spdm_attest *run, const struct spdm_event *event, struct spdm_answer *answer)
{
    const struct spdm_attest_trust *trust = run->order->trust;
    struct spdm_attest_result *r = &run->result;
    bool whole = event->kind == SPDM_ASK_TRUST;
    uint8_t bit = (uint8_t)(event->slot < SPDM_SLOT_N ? 1u << event->slot : 0u);
    /* asked although a chain was remembered: that one did not hold */
    if (r->source == SPDM_CHAIN_REMEMBERED) r->fell_back = true;
    r->source = whole ? SPDM_CHAIN_FETCHED : SPDM_CHAIN_NONE;
    r->facts = *spdm_attest_facts(run);
    bool kept = !whole || spdm_keep_bytes(&r->chain, event->data);
    if (kept && trust != NULL && trust->answer != NULL) trust->answer(run->order->trust_ctx, run, event, answer);
    if (!whole && answer->yes) r->source = SPDM_CHAIN_KNOWN;
    if (whole) r->asked_slots |= bit;
    if (whole && !answer->yes) r->refused_slots |= bit;
}

static void on_question(struct spdm_attest *run, const struct spdm_event *event)
{
    struct spdm_answer answer = {.ticket = event->ticket};
    const struct spdm_attest_stay *stay = run->order->stay;
    bool theirs = event->kind > SPDM_ASK_VENDOR;
    if (event->kind == SPDM_ASK_DIGEST || event->kind == SPDM_ASK_TRUST) judge(run, event, &answer);
    else if (theirs && stay != NULL && stay->answer != NULL) stay->answer(run->ctx, run, event, &answer);
    else if (run->order->own != NULL) spdm_own_answer(run->order->own, event, &answer);
    spdm_requester_answer(spdm_asker_engine(run->asker), &answer);
}

/* ---- the plan ---- */

/* What the two lack for the session that is wanted; NULL: nothing. */
static const char *lacking(const struct spdm_attest_order *order, const struct spdm_facts *f)
{
    uint32_t theirs = f->responder.flags;
    if (order->session == SPDM_NO_SESSION) return NULL;
    if (f->version < SPDM_V11) return "SPDM 1.0, which was agreed on, has none";
    if (order->session == SPDM_PSK_SESSION && (theirs & SPDM_PSK_CAP_MASK) == 0)
        return "the device takes no pre-shared keys (PSK_CAP)";
    if (order->session == SPDM_KEY_SESSION && (theirs & SPDM_KEY_EX_CAP) == 0)
        return (theirs & SPDM_PSK_CAP_MASK) == 0 ? "the device opens none (KEY_EX_CAP)"
                                                 : "the device opens one with a pre-shared key only (KEY_EX_CAP)";
    if (order->session == SPDM_KEY_SESSION && f->exchange == SPDM_ALG_NONE)
        return "there is no key exchange that both know";
    if ((theirs & SPDM_MAC_CAP) == 0) return "the device cannot authenticate messages (MAC_CAP)";
    if (f->aead == SPDM_ALG_NONE) return "there is no cipher that both know";
    if (f->version >= SPDM_V12 && f->opaque_format != 2)
        return "the device does not know the opaque data format that secured messages need (OpaqueDataFmt1)";
    return NULL;
}

static void plan_measurements(const struct spdm_attest_order *order, const struct spdm_facts *f, struct spdm_goal *goal)
{
    uint32_t flags = f->responder.flags;
    if (!order->measure || (flags & SPDM_MEAS_CAP_MASK) == 0 || f->meas_spec == 0) return;
    goal->want |= SPDM_WANT_MEASUREMENTS;
    goal->measure = order->operation;
    goal->raw = order->raw && f->version >= SPDM_V12;
    goal->fresh = order->fresh && f->version >= SPDM_V13;
    goal->sign = order->sign && (goal->want & SPDM_WANT_IDENTITY) != 0 &&
                 (flags & SPDM_MEAS_CAP_MASK) == SPDM_MEAS_CAP_SIGNED && order->operation != SPDM_MEASURE_COUNT;
}

static void plan_session(const struct spdm_attest_order *order, struct spdm_goal *goal)
{
    if (order->session == SPDM_NO_SESSION) return;
    goal->want |= order->session == SPDM_PSK_SESSION ? SPDM_WANT_PSK_SESSION : SPDM_WANT_SESSION;
    if (order->stay == NULL) goal->want |= SPDM_WANT_END_SESSION;
    if (order->own != NULL) goal->psk_hint = order->own->hint;
}

/* What to ask a device with these capabilities for. */
static struct spdm_goal plan(const struct spdm_attest_order *order, const struct spdm_facts *f)
{
    struct spdm_goal goal = {.slots = order->slots, .use_key = order->public_key.n != 0, .index = order->index};
    bool offered = (f->responder.flags & (goal.use_key ? SPDM_PUB_KEY_ID_CAP : SPDM_CERT_CAP)) != 0;
    bool identity = offered && !order->known_by_psk;
    if (identity) goal.want |= SPDM_WANT_IDENTITY;
    plan_measurements(order, f, &goal);
    plan_session(order, &goal);
    /* the signature of KEY_EXCHANGE_RSP, and of MEASUREMENTS from 1.2 on, prove as much */
    bool needed = order->session != SPDM_KEY_SESSION && (!goal.sign || f->version < SPDM_V12);
    if (identity && (f->responder.flags & SPDM_CHAL_CAP) != 0 && order->challenge != SPDM_CHALLENGE_NEVER &&
        (needed || order->summary != 0 || order->challenge == SPDM_CHALLENGE_ALWAYS)) {
        goal.want |= SPDM_WANT_CHALLENGE;
        goal.summary = order->summary;
    }
    return goal;
}

/* Digest of the provisioned key's bytes in the base hash. */
static bool digest_of(const struct spdm_attest *run, struct spdm_span bytes, uint8_t out[SPDM_HASH_MAX])
{
    const struct spdm_crypto *c = run->order->crypto;
    void *ctx = run->order->crypto_ctx, *state = calloc(1, c->hash_state_size + 1);
    if (state == NULL) return false;
    bool good = c->hash_begin(ctx, state, run->result.facts.hash) && c->hash_update(ctx, state, bytes) &&
                c->hash_peek(ctx, state, out);
    c->hash_end(ctx, state);
    free(state);
    return good;
}

/* Vouches for a provisioned key; its digest is in the hash just negotiated. */
void spdm_attest_vouch(struct spdm_attest *run)
{
    uint8_t digest[SPDM_HASH_MAX];
    if (!digest_of(run, run->order->public_key, digest)) return;
    struct spdm_span hash = {digest, spdm_algorithm((enum spdm_alg)run->result.facts.hash)->size};
    spdm_requester_trust(spdm_asker_engine(run->asker), SPDM_SLOT_KEY, hash, run->order->public_key_handle);
    run->result.source = SPDM_CHAIN_KEY;
}

/* Vouches for the chain that the target had last time. */
static void vouch_for_memory(struct spdm_attest *run)
{
    const struct spdm_attest_order *order = run->order;
    if (order->public_key.n != 0 || order->known_by_psk || order->trust == NULL || order->trust->remembered == NULL)
        return;
    struct spdm_vouched v = order->trust->remembered(order->trust_ctx, run);
    if (v.key != NULL && v.slot < SPDM_SLOT_N)
        spdm_requester_trust(spdm_asker_engine(run->asker), v.slot, v.digest, v.key);
}

/* ---- events ---- */

/* The first goal: to get connected. */
static bool ask_for_connection(struct spdm_attest *run)
{
    const struct spdm_attest_order *order = run->order;
    struct spdm_goal goal = {.want = SPDM_WANT_CONNECT, .slots = order->slots, .use_key = order->public_key.n != 0};
    if (!run->result.fell_back) vouch_for_memory(run);
    return spdm_requester_ask(spdm_asker_engine(run->asker), &goal);
}

static bool start_over(struct spdm_attest *run)
{
    return spdm_asker_renew(run->asker) && ask_for_connection(run);
}

static void forget_attempt(struct spdm_attest_result *r)
{
    spdm_forget_measurements(r);
    free(r->chain.p);
    free(r->summary.p);
    r->chain = r->summary = (struct spdm_room){0};
    r->source = SPDM_CHAIN_NONE;
    r->asked_slots = r->refused_slots = 0;
    r->connected = r->planned = r->session.opened = false;
}

/* A remembered chain that did not hold is no verdict: the device may have a new certificate. Ask for it. */
static bool fall_back(struct spdm_attest *run)
{
    struct spdm_attest_result *r = &run->result;
    if (r->source != SPDM_CHAIN_REMEMBERED || r->fell_back) return false;
    forget_attempt(r);
    r->fell_back = true;
    return start_over(run);
}

/* All is agreed on: what to ask for is known now. */
static bool ask_for_rest(struct spdm_attest *run)
{
    struct spdm_attest_result *r = &run->result;
    r->session.lacking = lacking(run->order, &r->facts);
    r->goal = r->session.lacking == NULL ? plan(run->order, &r->facts) : (struct spdm_goal){.want = 0};
    r->planned = true;
    if (r->goal.use_key) spdm_attest_vouch(run);
    else if (run->order->known_by_psk) r->source = SPDM_CHAIN_PSK;
    else if (r->facts.trusted) r->source = SPDM_CHAIN_REMEMBERED;
    if (r->goal.want == 0) finish(run, SPDM_ATTEST_DONE);
    else if (!spdm_requester_ask(spdm_asker_engine(run->asker), &r->goal)) return false;
    return true;
}

static void on_done(struct spdm_attest *run)
{
    struct spdm_attest_result *r = &run->result;
    r->facts = *spdm_attest_facts(run);
    r->connected = r->facts.negotiated;
    bool enough = r->planned || (run->order->pause && !run->paused);
    run->paused = true;
    if (enough) finish(run, SPDM_ATTEST_DONE);
    else if (!ask_for_rest(run)) finish(run, SPDM_ATTEST_FAILED);
}

static void on_failed(struct spdm_attest *run, const struct spdm_event *event)
{
    struct spdm_attest_result *r = &run->result;
    if (fall_back(run)) return;
    const struct spdm_facts *facts = spdm_attest_facts(run);
    if (facts->negotiated) r->facts = *facts;
    r->report = event->report;
    finish(run, SPDM_ATTEST_FAILED);
}

static void on_restarted(struct spdm_attest_result *r)
{
    r->restarts++;
    r->session.opened = false;
    spdm_forget_measurements(r);
}

static void on_event(void *ctx, const struct spdm_event *event)
{
    struct spdm_attest *run = ctx;
    const struct spdm_attest_order *order = run->order;
    struct spdm_attest_result *r = &run->result;
    if (event->kind >= SPDM_ASK_DIGEST) {
        on_question(run, event);
        return;
    }
    if (r->end != SPDM_ATTEST_RUNNING || event->kind == SPDM_DATA || event->kind == SPDM_CLOSED) {
        if (order->stay != NULL) order->stay->event(run->ctx, run, event);
        return;
    }
    switch (event->kind) {
    case SPDM_CONNECTED:
        r->facts = *spdm_attest_facts(run);
        r->connected = true;
        break;
    case SPDM_RESTARTED: on_restarted(r); break;
    case SPDM_OPENED:
        r->session.opened = spdm_requester_session(spdm_asker_engine(run->asker), event->session, &r->session.facts);
        break;
    case SPDM_MEASURED:
        if (!spdm_keep_record(r, event)) finish(run, SPDM_ATTEST_FAILED);
        break;
    case SPDM_DONE: on_done(run); break;
    case SPDM_FAILED: on_failed(run, event); break;
    default: break;
    }
}

static void on_up(void *ctx)
{
    struct spdm_attest *run = ctx;
    run->result.reached = true;
    snprintf(run->result.peer, sizeof run->result.peer, "%s", spdm_asker_peer(run->asker));
}

static void on_down(void *ctx, enum spdm_link_end end, const char *reason)
{
    struct spdm_attest *run = ctx;
    const struct spdm_attest_order *order = run->order;
    if (run->result.end != SPDM_ATTEST_RUNNING) {
        if (order->stay != NULL) order->stay->down(run->ctx, run, reason);
        return;
    }
    run->result.link_end = end;
    snprintf(run->result.reason, sizeof run->result.reason, "%s", reason);
    finish(run, SPDM_ATTEST_LINK);
}

static void on_drained(void *ctx)
{
    struct spdm_attest *run = ctx;
    const struct spdm_attest_stay *stay = run->order->stay;
    if (run->result.end != SPDM_ATTEST_RUNNING && stay != NULL) stay->drained(run->ctx, run);
}

/* ---- life ---- */

static void begin(struct spdm_attest *run)
{
    struct spdm_attest_result *r = &run->result;
    struct spdm_attest_result fresh = {.target = r->target, .reached = spdm_asker_linked(run->asker) && r->reached};
    memcpy(fresh.peer, r->peer, sizeof fresh.peer);
    fresh.session.mode = run->order->session;
    *r = fresh;
    clock_gettime(CLOCK_REALTIME, &r->began);
    run->began = now_us();
    run->request.n = 0;
    uv_update_time(run->loop);
    uv_timer_start(&run->limit, on_limit, time_left(run->order), 0);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct spdm_attest *run = handle->data;
    forget_attempt(&run->result);
    spdm_forget_messages(&run->result);
    free(run->request.p);
    free(run);
}

static bool dial(struct spdm_attest *run)
{
    return spdm_asker_connect(run->asker, run->order->timeout_ms);
}

struct spdm_attest *spdm_attest_start(uv_loop_t *loop, const struct spdm_target *target,
                                      const struct spdm_attest_order *order,
                                      void (*done)(void *ctx, struct spdm_attest *run), void *ctx)
{
    static const struct spdm_asker_events events = {.up = on_up,
                                                    .event = on_event,
                                                    .frame = on_frame,
                                                    .message = on_message,
                                                    .drained = on_drained,
                                                    .down = on_down};
    struct spdm_attest *run = calloc(1, sizeof *run);
    if (run == NULL) return NULL;
    run->loop = loop;
    run->order = order;
    run->done = done;
    run->ctx = ctx;
    run->result.target = *target;
    run->setup = (struct spdm_asker_setup){.crypto = order->crypto,
                                           .crypto_ctx = order->crypto_ctx,
                                           .policy = order->policy,
                                           .own = order->own,
                                           .session = order->session != SPDM_NO_SESSION,
                                           .data_max = order->data_max,
                                           .listen = order->listen,
                                           .tamper = order->tamper,
                                           .events = order->events,
                                           .data_transfer_size = order->data_transfer_size,
                                           .max_message_size = order->max_message_size,
                                           .keylog = order->keylog,
                                           .keylog_ctx = order->keylog_ctx};
    uv_timer_init(loop, &run->limit);
    run->limit.data = run;
    run->asker = spdm_asker_new(loop, target, &run->setup, &events, run);
    if (run->asker != NULL) {
        begin(run);
        if (ask_for_connection(run) && dial(run)) return run;
    }
    spdm_attest_free(run);
    return NULL;
}

bool spdm_attest_again(struct spdm_attest *run)
{
    struct spdm_attest_result *r = &run->result, last = *r;
    if (last.end == SPDM_ATTEST_RUNNING) return false;
    if (last.end != SPDM_ATTEST_DONE) spdm_asker_drop(run->asker);
    bool live = spdm_asker_linked(run->asker);
    if (live) r->chain = (struct spdm_room){0}; /* stays true */
    forget_attempt(r);
    spdm_forget_messages(r);
    begin(run);
    if (!live) return start_over(run) && dial(run);
    r->goal = last.goal;
    r->source = last.source;
    r->facts = last.facts;
    r->chain = last.chain;
    r->session.lacking = last.session.lacking;
    r->connected = r->planned = true;
    if (!spdm_requester_ask(spdm_asker_engine(run->asker), &r->goal)) return false;
    spdm_asker_advance(run->asker);
    return true;
}

bool spdm_attest_go_on(struct spdm_attest *run)
{
    struct spdm_attest_result *r = &run->result;
    if (r->end != SPDM_ATTEST_DONE || !spdm_asker_linked(run->asker)) return false;
    forget_attempt(r);
    r->end = SPDM_ATTEST_RUNNING;
    r->facts = *spdm_attest_facts(run);
    r->connected = true;
    uv_update_time(run->loop);
    uv_timer_start(&run->limit, on_limit, time_left(run->order), 0);
    if (!ask_for_rest(run)) return false;
    spdm_asker_advance(run->asker);
    return true;
}

const struct spdm_attest_result *spdm_attest_result(const struct spdm_attest *run)
{
    return &run->result;
}

const struct spdm_facts *spdm_attest_facts(const struct spdm_attest *run)
{
    return spdm_requester_facts(spdm_asker_engine(run->asker));
}

struct spdm_asker *spdm_attest_asker(const struct spdm_attest *run)
{
    return run->asker;
}

struct spdm_span spdm_attest_request(const struct spdm_attest *run)
{
    return (struct spdm_span){run->request.p, run->request.n};
}

void *spdm_attest_context(const struct spdm_attest *run)
{
    return run->ctx;
}

void spdm_attest_free(struct spdm_attest *run)
{
    if (run == NULL) return;
    spdm_asker_free(run->asker);
    run->result.end = SPDM_ATTEST_DONE; /* no callback looks further */
    uv_close((uv_handle_t *)&run->limit, on_timer_closed);
}
