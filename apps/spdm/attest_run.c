/* SPDX-License-Identifier: BSD-3-Clause
 *
 * attest_run.c - drives one requester over one link.
 *
 * Everything happens in callbacks of the loop: a frame or the timer pushes,
 * advance() moves questions and frames until there is nothing to do, and
 * `done` is told from a timer of its own, so that whoever is told may free or
 * restart the run. Facts are copied the moment they are told; nothing in the
 * result points into the engine. */
#include "attest_run.h"
#include "port/lender.h"
#include <assay/dump.h>
#include <stdlib.h>
#include <string.h>

enum {
    MESSAGE_MAX = 65520, /* largest message taken in one: fits a frame of 64 KiB with any binding's header */
    LARGE_MAX = 1 << 20, /* largest message taken in chunks */
    OUT_MAX = 4096,      /* largest request built */
    CHAIN_LARGE_FROM = 5000,
    CHAIN_MAX = 16 + 65535 /* largest chain of the short form, and its message's header */
};

struct spdm_attest {
    struct spdm_attest_result result;
    const struct spdm_attest_order *order;
    void (*done)(void *ctx, struct spdm_attest *run);
    void *ctx;
    uv_loop_t *loop;
    struct spdm_link *link; /* NULL when there is none */
    struct spdm_requester *rq;
    struct spdm_config config;
    struct spdm_room memory;
    uint8_t *out, *chain;
    uint64_t began;           /* monotonic, us */
    struct spdm_room request; /* the last SPDM request sent */
    uv_timer_t deadline, limit;
    int open_timers;
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
    uv_timer_stop(&run->deadline);
    uv_timer_start(&run->limit, on_told, 0, 0);
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

static void drop_link(struct spdm_attest *run)
{
    if (run->link != NULL) spdm_link_close(run->link);
    run->link = NULL;
}

/* ---- collecting ---- */

static bool copy(struct spdm_room *to, struct spdm_span from)
{
    uint8_t *p = malloc(from.n + 1);
    if (p == NULL) return false;
    if (from.n != 0) memcpy(p, from.p, from.n);
    free(to->p);
    to->p = p;
    to->n = from.n;
    return true;
}

static void forget_measurements(struct spdm_attest_result *r)
{
    for (size_t i = 0; i < r->measured_n; i++) free(r->measured[i].bytes.p);
    free(r->measured);
    r->measured = NULL;
    r->measured_n = 0;
}

static bool keep_measurement(struct spdm_attest_result *r, const struct spdm_measurement *m, bool proven)
{
    struct spdm_measured *grown = realloc(r->measured, (r->measured_n + 1) * sizeof *grown);
    if (grown == NULL) return false;
    r->measured = grown;
    struct spdm_room value = {0};
    if (!copy(&value, m->value)) return false;
    size_t at = r->measured_n++; /* in the order of the index, whatever order they come in */
    for (; at > 0 && r->measured[at - 1].m.index > m->index; at--) r->measured[at] = r->measured[at - 1];
    struct spdm_measured *kept = &r->measured[at];
    *kept = (struct spdm_measured){.m = *m, .proven = proven, .bytes = value};
    kept->m.value = (struct spdm_span){value.p, value.n};
    return true;
}

static bool keep_record(struct spdm_attest_result *r, const struct spdm_event *event)
{
    struct spdm_span rest = event->data;
    struct spdm_measurement m;
    while (spdm_measurement_next(&rest, &m))
        if (!keep_measurement(r, &m, event->proven)) return false;
    return true;
}

static void keep_message(struct spdm_attest_result *r, const struct spdm_tapped *tapped, struct spdm_span message)
{
    struct spdm_message *grown = realloc(r->messages, (r->message_n + 1) * sizeof *grown);
    if (grown == NULL) return;
    r->messages = grown;
    struct spdm_room bytes = {0};
    if (!copy(&bytes, message)) return;
    r->messages[r->message_n++] = (struct spdm_message){tapped->sent, bytes};
}

static void forget_messages(struct spdm_attest_result *r)
{
    for (size_t i = 0; i < r->message_n; i++) free(r->messages[i].bytes.p);
    free(r->messages);
    r->messages = NULL;
    r->message_n = 0;
}

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
    struct spdm_dump dump = {.facts = spdm_requester_facts(run->rq),
                             .message = message,
                             .request = sent ? (struct spdm_span){NULL, 0} : spdm_attest_request(run),
                             .see = see_summary,
                             .ctx = &summary};
    size_t n = spdm_dump(&dump, &report);
    if (n != 0 && n < message.n) message.n = n;
    bool inside = summary.at <= message.n && summary.n <= message.n - summary.at;
    if (!sent && inside && summary.n != 0)
        copy(&run->result.summary, (struct spdm_span){message.p + summary.at, summary.n});
    return message;
}

static void on_tap(void *ctx, const struct spdm_tapped *tapped)
{
    struct spdm_attest *run = ctx;
    struct spdm_attest_result *r = &run->result;
    struct spdm_frame frame = r->target.binding->unwrap(tapped->frame);
    *(tapped->sent ? &r->sent_bytes : &r->received_bytes) += tapped->frame.n;
    if (frame.kind == SPDM_FRAME_PLAIN) {
        *(tapped->sent ? &r->sent : &r->received) += 1;
        struct spdm_span message = look_into(run, frame.message, tapped->sent);
        if (tapped->sent) copy(&run->request, message);
        if (run->order->record) keep_message(r, tapped, message);
    }
    if (run->order->tap != NULL) run->order->tap(run->order->tap_ctx, run, tapped);
}

/* ---- questions ---- */

static void on_question(struct spdm_attest *run, const struct spdm_event *event)
{
    const struct spdm_attest_trust *trust = run->order->trust;
    struct spdm_attest_result *r = &run->result;
    struct spdm_answer answer = {.ticket = event->ticket};
    bool whole = event->kind == SPDM_ASK_TRUST;
    uint8_t bit = (uint8_t)(event->slot < SPDM_SLOT_N ? 1u << event->slot : 0u);
    /* asked although a chain was remembered: that one did not hold */
    if (r->source == SPDM_CHAIN_REMEMBERED) r->fell_back = true;
    r->source = whole ? SPDM_CHAIN_FETCHED : SPDM_CHAIN_NONE;
    r->facts = *spdm_requester_facts(run->rq);
    bool kept = !whole || copy(&r->chain, event->data);
    if (kept && trust != NULL && trust->answer != NULL) trust->answer(run->order->trust_ctx, run, event, &answer);
    if (!whole && answer.yes) r->source = SPDM_CHAIN_KNOWN;
    if (whole) r->asked_slots |= bit;
    if (whole && !answer.yes) r->refused_slots |= bit;
    spdm_requester_answer(run->rq, &answer);
}

/* ---- the plan ---- */

/* What to ask a device with these capabilities for. */
static struct spdm_goal plan(const struct spdm_attest_order *order, const struct spdm_facts *f)
{
    struct spdm_goal goal = {.slots = order->slots, .use_key = order->public_key.n != 0, .index = order->index};
    uint32_t flags = f->responder.flags;
    bool identity = (flags & (goal.use_key ? SPDM_PUB_KEY_ID_CAP : SPDM_CERT_CAP)) != 0;
    if (identity) goal.want |= SPDM_WANT_IDENTITY;
    if (order->measure && (flags & SPDM_MEAS_CAP_MASK) != 0 && f->meas_spec != 0) {
        goal.want |= SPDM_WANT_MEASUREMENTS;
        goal.measure = order->operation;
        goal.raw = order->raw && f->version >= SPDM_V12;
        goal.fresh = order->fresh && f->version >= SPDM_V13;
        goal.sign = order->sign && identity && (flags & SPDM_MEAS_CAP_MASK) == SPDM_MEAS_CAP_SIGNED &&
                    order->operation != SPDM_MEASURE_COUNT;
    }
    bool needed = !goal.sign || f->version < SPDM_V12 || order->summary != 0;
    if (identity && (flags & SPDM_CHAL_CAP) != 0 && order->challenge != SPDM_CHALLENGE_NEVER &&
        (needed || order->challenge == SPDM_CHALLENGE_ALWAYS)) {
        goal.want |= SPDM_WANT_CHALLENGE;
        goal.summary = order->summary;
    }
    return goal;
}

/* Digest of the provisioned key's bytes in the base hash. */
static bool digest_of(const struct spdm_attest *run, struct spdm_span bytes, uint8_t out[SPDM_HASH_MAX])
{
    const struct spdm_crypto *c = run->config.crypto;
    void *ctx = run->config.crypto_ctx, *state = calloc(1, c->hash_state_size + 1);
    if (state == NULL) return false;
    bool good = c->hash_begin(ctx, state, run->result.facts.hash) && c->hash_update(ctx, state, bytes) &&
                c->hash_peek(ctx, state, out);
    c->hash_end(ctx, state);
    free(state);
    return good;
}

/* Vouches for a provisioned key; its digest is in the hash just negotiated. */
static void vouch_for_key(struct spdm_attest *run)
{
    uint8_t digest[SPDM_HASH_MAX];
    if (!digest_of(run, run->order->public_key, digest)) return;
    struct spdm_span hash = {digest, spdm_algorithm((enum spdm_alg)run->result.facts.hash)->size};
    spdm_requester_trust(run->rq, SPDM_SLOT_KEY, hash, run->order->public_key_handle);
    run->result.source = SPDM_CHAIN_KEY;
}

/* Vouches for the chain that the target had last time. */
static void vouch_for_memory(struct spdm_attest *run)
{
    const struct spdm_attest_order *order = run->order;
    if (order->public_key.n != 0 || order->trust == NULL || order->trust->remembered == NULL) return;
    struct spdm_vouched v = order->trust->remembered(order->trust_ctx, run);
    if (v.key != NULL && v.slot < SPDM_SLOT_N) spdm_requester_trust(run->rq, v.slot, v.digest, v.key);
}

/* ---- the engine ---- */

static void close_engine(struct spdm_attest *run)
{
    if (run->rq != NULL) spdm_requester_close(run->rq);
    run->rq = NULL;
}

/* An engine that knows nothing, and the first goal: to get connected. */
static bool open_engine(struct spdm_attest *run)
{
    const struct spdm_attest_order *order = run->order;
    struct spdm_goal goal = {.want = SPDM_WANT_CONNECT, .slots = order->slots, .use_key = order->public_key.n != 0};
    close_engine(run);
    run->rq = spdm_requester_init(run->memory, &run->config);
    if (run->rq == NULL) return false;
    if (!run->result.fell_back) vouch_for_memory(run);
    return spdm_requester_ask(run->rq, &goal);
}

static void forget_attempt(struct spdm_attest_result *r)
{
    forget_measurements(r);
    free(r->chain.p);
    free(r->summary.p);
    r->chain = r->summary = (struct spdm_room){0};
    r->source = SPDM_CHAIN_NONE;
    r->asked_slots = r->refused_slots = 0;
    r->connected = r->planned = false;
}

/* A remembered chain that did not hold is no verdict: the device may have a new certificate. Ask for it. */
static bool fall_back(struct spdm_attest *run)
{
    struct spdm_attest_result *r = &run->result;
    if (r->source != SPDM_CHAIN_REMEMBERED || r->fell_back) return false;
    forget_attempt(r);
    r->fell_back = true;
    return open_engine(run);
}

static void on_done(struct spdm_attest *run)
{
    struct spdm_attest_result *r = &run->result;
    r->facts = *spdm_requester_facts(run->rq);
    r->connected = r->facts.negotiated;
    if (r->planned) {
        finish(run, SPDM_ATTEST_DONE);
        return;
    }
    r->goal = plan(run->order, &r->facts);
    r->planned = true;
    if (r->goal.use_key) vouch_for_key(run);
    else if (r->facts.trusted) r->source = SPDM_CHAIN_REMEMBERED;
    if (r->goal.want == 0) finish(run, SPDM_ATTEST_DONE);
    else if (!spdm_requester_ask(run->rq, &r->goal)) finish(run, SPDM_ATTEST_FAILED);
}

static void on_failed(struct spdm_attest *run, const struct spdm_event *event)
{
    struct spdm_attest_result *r = &run->result;
    if (fall_back(run)) return;
    const struct spdm_facts *facts = spdm_requester_facts(run->rq);
    if (facts->negotiated) r->facts = *facts;
    r->report = event->report;
    finish(run, SPDM_ATTEST_FAILED);
}

static void on_event(struct spdm_attest *run, const struct spdm_event *event)
{
    struct spdm_attest_result *r = &run->result;
    switch (event->kind) {
    case SPDM_CONNECTED:
        r->facts = *spdm_requester_facts(run->rq);
        r->connected = true;
        break;
    case SPDM_RESTARTED:
        r->restarts++;
        forget_measurements(r);
        break;
    case SPDM_MEASURED:
        if (!keep_record(r, event)) finish(run, SPDM_ATTEST_FAILED);
        break;
    case SPDM_ASK_DIGEST:
    case SPDM_ASK_TRUST: on_question(run, event); break;
    case SPDM_DONE: on_done(run); break;
    case SPDM_FAILED: on_failed(run, event); break;
    default: break;
    }
}

static void on_deadline(uv_timer_t *timer);

static void arm(struct spdm_attest *run)
{
    uint64_t at = spdm_requester_deadline(run->rq), now = now_us();
    if (at == SPDM_NEVER) {
        uv_timer_stop(&run->deadline);
        return;
    }
    uv_update_time(run->loop);
    uv_timer_start(&run->deadline, on_deadline, at <= now ? 0 : (at - now + 999) / 1000, 0);
}

/* Moves until the engine has nothing to tell and nothing to send. */
static void advance(struct spdm_attest *run)
{
    struct spdm_event event;
    for (;;) {
        while (spdm_requester_event(run->rq, &event) != SPDM_NOTHING) {
            on_event(run, &event);
            if (run->result.end != SPDM_ATTEST_RUNNING) return;
        }
        struct spdm_span out = spdm_requester_pull(run->rq, now_us());
        if (out.n == 0) break;
        if (!spdm_link_send(run->link, out)) return; /* `down` follows */
    }
    arm(run);
}

static void on_deadline(uv_timer_t *timer)
{
    struct spdm_attest *run = timer->data;
    if (run->result.end != SPDM_ATTEST_RUNNING || run->link == NULL) return;
    spdm_requester_push(run->rq, (struct spdm_span){0}, now_us());
    advance(run);
}

/* ---- the link ---- */

static void on_up(void *ctx, struct spdm_link *link)
{
    struct spdm_attest *run = ctx;
    run->result.reached = true;
    snprintf(run->result.peer, sizeof run->result.peer, "%s", spdm_link_peer(link));
    advance(run);
}

static void on_frame(void *ctx, struct spdm_link *link, struct spdm_span frame)
{
    struct spdm_attest *run = ctx;
    (void)link;
    if (run->result.end != SPDM_ATTEST_RUNNING) return; /* nobody asked */
    spdm_requester_push(run->rq, frame, now_us());
    advance(run);
}

static void on_down(void *ctx, struct spdm_link *link, enum spdm_link_end end, const char *reason)
{
    struct spdm_attest *run = ctx;
    (void)link;
    run->link = NULL;
    if (run->result.end != SPDM_ATTEST_RUNNING) return;
    run->result.link_end = end;
    snprintf(run->result.reason, sizeof run->result.reason, "%s", reason);
    finish(run, SPDM_ATTEST_LINK);
}

static const struct spdm_link_events link_events = {.up = on_up, .frame = on_frame, .down = on_down};

static bool connect_link(struct spdm_attest *run)
{
    struct spdm_link_options options = {
        .connect_ms = run->order->timeout_ms, .stall_ms = run->order->timeout_ms, .tap = on_tap, .tap_ctx = run};
    run->link = spdm_link_connect(run->loop, &run->result.target, &options, &link_events, run);
    return run->link != NULL;
}

/* ---- life ---- */

static void begin(struct spdm_attest *run)
{
    struct spdm_attest_result *r = &run->result;
    struct spdm_attest_result fresh = {.target = r->target, .reached = run->link != NULL && r->reached};
    memcpy(fresh.peer, r->peer, sizeof fresh.peer);
    *r = fresh;
    clock_gettime(CLOCK_REALTIME, &r->began);
    run->began = now_us();
    run->request.n = 0;
    uv_update_time(run->loop);
    uv_timer_start(&run->limit, on_limit, run->order->timeout_ms, 0);
}

/* Chains over 65,535 bytes are those of SLH-DSA, each certificate with a signature of 8 to 50 kB. */
static size_t chain_max(const struct spdm_policy *policy)
{
    size_t most = 0;
    for (const uint8_t *alg = policy->signatures; *alg != 0; alg++) {
        size_t n = spdm_algorithm((enum spdm_alg) * alg)->size;
        if (n > most) most = n;
    }
    return most > CHAIN_LARGE_FROM ? LARGE_MAX : CHAIN_MAX;
}

static bool allocate(struct spdm_attest *run)
{
    const struct spdm_attest_order *order = run->order;
    const struct spdm_binding *binding = run->result.target.binding;
    size_t out = (size_t)OUT_MAX + binding->head + binding->tail, chain = chain_max(order->policy);
    run->out = malloc(out);
    run->chain = malloc(chain);
    run->config = (struct spdm_config){.crypto = order->crypto,
                                       .crypto_ctx = order->crypto_ctx,
                                       .binding = binding,
                                       .policy = order->policy,
                                       .out = {run->out, out},
                                       .chain = {run->chain, chain},
                                       .data_transfer_size = MESSAGE_MAX,
                                       .chunks = &spdm_requester_chunks,
                                       .lender = &spdm_lend_heap,
                                       .max_message_size = LARGE_MAX};
    run->memory.n = spdm_requester_size(&run->config);
    run->memory.p = malloc(run->memory.n);
    return run->out != NULL && run->chain != NULL && run->memory.p != NULL && open_engine(run);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct spdm_attest *run = handle->data;
    if (--run->open_timers != 0) return;
    forget_attempt(&run->result);
    forget_messages(&run->result);
    free(run->out);
    free(run->chain);
    free(run->memory.p);
    free(run->request.p);
    free(run);
}

struct spdm_attest *spdm_attest_start(uv_loop_t *loop, const struct spdm_target *target,
                                      const struct spdm_attest_order *order,
                                      void (*done)(void *ctx, struct spdm_attest *run), void *ctx)
{
    struct spdm_attest *run = calloc(1, sizeof *run);
    if (run == NULL) return NULL;
    run->loop = loop;
    run->order = order;
    run->done = done;
    run->ctx = ctx;
    run->result.target = *target;
    uv_timer_init(loop, &run->deadline);
    uv_timer_init(loop, &run->limit);
    run->deadline.data = run->limit.data = run;
    run->open_timers = 2;
    begin(run);
    if (allocate(run) && connect_link(run)) return run;
    spdm_attest_free(run);
    return NULL;
}

bool spdm_attest_again(struct spdm_attest *run)
{
    struct spdm_attest_result *r = &run->result, last = *r;
    if (last.end == SPDM_ATTEST_RUNNING) return false;
    if (last.end != SPDM_ATTEST_DONE) drop_link(run);
    bool live = run->link != NULL;
    if (live) r->chain = (struct spdm_room){0}; /* stays true */
    forget_attempt(r);
    forget_messages(r);
    begin(run);
    if (!live) return open_engine(run) && connect_link(run);
    r->goal = last.goal;
    r->source = last.source;
    r->facts = last.facts;
    r->chain = last.chain;
    r->connected = r->planned = true;
    if (!spdm_requester_ask(run->rq, &r->goal)) return false;
    advance(run);
    return true;
}

const struct spdm_attest_result *spdm_attest_result(const struct spdm_attest *run)
{
    return &run->result;
}

const struct spdm_facts *spdm_attest_facts(const struct spdm_attest *run)
{
    return spdm_requester_facts(run->rq);
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
    drop_link(run);
    close_engine(run);
    run->result.end = SPDM_ATTEST_DONE; /* no callback looks further */
    uv_close((uv_handle_t *)&run->deadline, on_timer_closed);
    uv_close((uv_handle_t *)&run->limit, on_timer_closed);
}
