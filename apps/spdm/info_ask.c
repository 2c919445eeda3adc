/* SPDX-License-Identifier: BSD-3-Clause
 *
 * info_ask.c - one goal after the other, on one connection.
 *
 * What a device does not offer is not asked for. A refusal ends the part it
 * belongs to and nothing else; only a link that ends, or time that is over, is
 * the end of it all. */
#include "info.h"
#include "options.h"
#include <stdlib.h>
#include <string.h>

struct run {
    struct spdm_setup *setup;
    struct spdm_info *out;
    uv_loop_t loop;
    uv_timer_t limit;
    struct spdm_asker_setup asker_setup;
    struct spdm_asker *asker;
    struct spdm_trace trace;
    unsigned step;          /* 0: connecting; else 1 + part */
    unsigned bank;          /* within the banks: 0 SubCodes, 1 the list, then 2 + BankID */
    union spdm_order order; /* of the errand that is asked for */
    bool over;
};

/* ---- keeping ---- */

static void append(struct spdm_room *to, struct spdm_span bytes)
{
    to->p = spdm_text_need(realloc(to->p, to->n + bytes.n + 1));
    if (bytes.n != 0) memcpy(to->p + to->n, bytes.p, bytes.n);
    to->n += bytes.n;
}

static void add(struct spdm_info_list *list, struct spdm_span bytes)
{
    list->v = spdm_text_need(realloc(list->v, (list->n + 1) * sizeof *list->v));
    list->v[list->n] = (struct spdm_room){NULL, 0};
    append(&list->v[list->n++], bytes);
}

static void replace(struct spdm_room *to, struct spdm_span bytes)
{
    to->n = 0;
    append(to, bytes);
}

/* ---- the end ---- */

static void finish(struct run *r, int exit, const char *reason)
{
    if (r->over) return;
    r->over = true;
    r->out->exit = spdm_exit_worse(r->out->exit, exit);
    if (reason != NULL) {
        char *safe = spdm_text_safe_string(reason);
        spdm_setup_complain(r->setup, "%s: %s", r->out->connection.target.text, safe);
        free(safe);
    }
    spdm_asker_rest(r->asker);
    uv_stop(&r->loop);
}

static void on_limit(uv_timer_t *timer)
{
    struct run *r = timer->data;
    finish(r, SPDM_EXIT_UNREACHABLE, "not finished in time");
}

/* ---- what to ask for ---- */

static bool errand(struct run *r, const struct spdm_errand *what, struct spdm_goal *goal)
{
    *goal = (struct spdm_goal){.want = SPDM_WANT_ERRAND, .errand = what, .order = &r->order};
    return true;
}

/* Banks: what can be done, which there are, then each. false: that was all. */
static bool next_bank(struct run *r, struct spdm_goal *goal)
{
    struct spdm_span rest = {r->out->banks.p, r->out->banks.n};
    struct spdm_bank_element e;
    unsigned nth = r->bank++;
    r->order.slots = (struct spdm_slots_order){.sub_code = nth == 0 ? SPDM_SLOTS_SUPPORTED : SPDM_SLOTS_BANKS};
    if (nth < 2) return errand(r, &spdm_errand_slots, goal);
    for (unsigned i = 2; spdm_bank_next(&rest, &e); i++) {
        if (i != nth) continue;
        r->order.slots = (struct spdm_slots_order){.sub_code = SPDM_SLOTS_DETAILS, .bank = e.bank};
        return errand(r, &spdm_errand_slots, goal);
    }
    return false;
}

/* The goal of a part; false: the device has nothing of the kind. */
static bool goal_of(struct run *r, enum spdm_info_part part, struct spdm_goal *goal)
{
    const struct spdm_facts *f = &r->out->connection.facts;
    uint32_t flags = f->responder.flags;
    r->order = (union spdm_order){.log = {.offset = 0}};
    switch (part) {
    case SPDM_INFO_CHAINS:
        *goal = (struct spdm_goal){.want = SPDM_WANT_IDENTITY, .slots = r->setup->options->slots};
        return (flags & SPDM_CERT_CAP) != 0;
    case SPDM_INFO_MEASUREMENTS:
        *goal = (struct spdm_goal){.want = SPDM_WANT_MEASUREMENTS};
        return (flags & SPDM_MEAS_CAP_MASK) != 0 && f->meas_spec != 0;
    case SPDM_INFO_KEY_PAIRS:
        r->order.key_pair = (struct spdm_key_pair_order){.id = 1, .all = true};
        return (flags & SPDM_GET_KEY_PAIR_INFO_CAP) != 0 && errand(r, &spdm_errand_key_pair_info, goal);
    case SPDM_INFO_LOG: return f->mel_spec != 0 && errand(r, &spdm_errand_log, goal);
    case SPDM_INFO_ENDPOINT:
        r->order.endpoint.sub_code = SPDM_ENDPOINT_DEVICE_CLASS;
        return (flags & SPDM_EP_INFO_CAP_MASK) != 0 && errand(r, &spdm_errand_endpoint, goal);
    default: return (f->responder.ext_flags & SPDM_SLOT_MGMT_CAP) != 0 && next_bank(r, goal);
    }
}

/* The next part that there is, or the end. */
static void go_on(struct run *r)
{
    struct spdm_goal goal;
    bool more = r->step == 1 + SPDM_INFO_BANKS && r->out->part[SPDM_INFO_BANKS].refusal == NULL;
    if (more && next_bank(r, &goal)) {
        spdm_requester_ask(spdm_asker_engine(r->asker), &goal);
        return;
    }
    while (r->step < SPDM_INFO_PART_N) {
        enum spdm_info_part part = (enum spdm_info_part)r->step++;
        if (!goal_of(r, part, &goal)) continue;
        r->out->part[part].asked = true;
        spdm_requester_ask(spdm_asker_engine(r->asker), &goal);
        return;
    }
    finish(r, SPDM_EXIT_OK, NULL);
}

/* ---- what comes back ---- */

/* A chain is looked at and not believed: so the engine goes on to the next slot. */
static void on_chain(struct run *r, const struct spdm_event *event)
{
    struct spdm_answer answer = {.ticket = event->ticket};
    const struct spdm_facts *f = spdm_requester_facts(spdm_asker_engine(r->asker));
    struct spdm_info_chain *c = &r->out->chain[event->slot % SPDM_SLOT_N];
    struct spdm_judge_case input;
    c->there = true;
    if (event->kind == SPDM_ASK_DIGEST) {
        replace(&c->digest, event->data);
    } else if (event->kind == SPDM_ASK_TRUST) {
        replace(&c->chain, event->data);
        c->model = f->slot_model;
        c->key_pair = f->slot_key_pair;
        c->usage = f->slot_usage;
        spdm_judge_case_of(f, event, &input);
        spdm_judgement_free(c->judgement);
        c->judgement = spdm_text_need(spdm_judge_decide(r->setup->court.judge, &input));
    }
    spdm_requester_answer(spdm_asker_engine(r->asker), &answer);
}

static void on_reply(struct run *r, struct spdm_span data)
{
    struct spdm_info *out = r->out;
    switch (r->step - 1) {
    case SPDM_INFO_KEY_PAIRS: add(&out->key_pairs, data); break;
    case SPDM_INFO_LOG: append(&out->log, data); break;
    case SPDM_INFO_ENDPOINT: replace(&out->endpoint, data); break;
    default:
        if (r->order.slots.sub_code == SPDM_SLOTS_SUPPORTED) replace(&out->sub_codes, data);
        else if (r->order.slots.sub_code == SPDM_SLOTS_BANKS) replace(&out->banks, data);
        else add(&out->details, data);
    }
}

/* That no chain was believed is how asking for them ends. */
static bool expected(const struct run *r, const struct spdm_report *report)
{
    return r->step == 1 + SPDM_INFO_CHAINS && (report->why == SPDM_WHY_NO_SLOT || report->why == SPDM_WHY_NOT_TRUSTED);
}

/* 0, or the exit code of what the device, or the link, has done wrong. */
static int wrong(const struct spdm_report *report)
{
    if (report->why == SPDM_WHY_TIMEOUT) return SPDM_EXIT_UNREACHABLE;
    return report->why == SPDM_WHY_PEER_ERROR || report->why == SPDM_WHY_CANNOT ? SPDM_EXIT_OK : SPDM_EXIT_PROTOCOL;
}

static void on_failed(struct run *r, const struct spdm_report *report)
{
    char text[400];
    int exit = wrong(report);
    spdm_report_text(report, text, sizeof text);
    if (r->step == 0 || exit == SPDM_EXIT_UNREACHABLE) {
        finish(r, exit != SPDM_EXIT_OK ? exit : SPDM_EXIT_PROTOCOL, text);
        return;
    }
    if (!expected(r, report)) {
        struct spdm_info_state *state = &r->out->part[r->step - 1];
        free(state->refusal);
        state->refusal = spdm_text_safe_string(text);
        r->out->exit = spdm_exit_worse(r->out->exit, exit);
    }
    go_on(r);
}

static void on_connected(struct run *r)
{
    struct spdm_attest_result *c = &r->out->connection;
    c->facts = *spdm_requester_facts(spdm_asker_engine(r->asker));
    c->connected = true;
    snprintf(c->peer, sizeof c->peer, "%s", spdm_asker_peer(r->asker));
}

static void on_event(void *ctx, const struct spdm_event *event)
{
    struct run *r = ctx;
    switch (event->kind) {
    case SPDM_CONNECTED: on_connected(r); break;
    case SPDM_DONE: go_on(r); break;
    case SPDM_FAILED: on_failed(r, &event->report); break;
    case SPDM_RESTARTED: r->out->connection.restarts++; break;
    case SPDM_MEASURED: replace(&r->out->record, event->data); break;
    case SPDM_REPLIED: on_reply(r, event->data); break;
    case SPDM_ASK_DIGEST:
    case SPDM_ASK_TRUST: on_chain(r, event); break;
    default: break;
    }
}

/* ---- the link ---- */

static void on_up(void *ctx)
{
    struct run *r = ctx;
    r->out->connection.reached = true;
    spdm_requester_ask(spdm_asker_engine(r->asker), &(struct spdm_goal){.want = SPDM_WANT_CONNECT});
}

static void on_frame(void *ctx, const struct spdm_tapped *tapped)
{
    struct run *r = ctx;
    if (r->setup->pcap != NULL) spdm_pcap_tap(r->setup->pcap, tapped);
    if (r->setup->options->trace)
        spdm_trace_frame(&r->trace, tapped, spdm_requester_facts(spdm_asker_engine(r->asker)));
}

static void on_message(void *ctx, const struct spdm_passing *passing)
{
    (void)ctx;
    (void)passing;
}

static void on_drained(void *ctx)
{
    (void)ctx;
}

static void on_down(void *ctx, enum spdm_link_end end, const char *reason)
{
    struct run *r = ctx;
    finish(r, end == SPDM_LINK_PROTOCOL ? SPDM_EXIT_PROTOCOL : SPDM_EXIT_UNREACHABLE, reason);
}

static const struct spdm_asker_events events = {
    .up = on_up, .event = on_event, .frame = on_frame, .message = on_message, .drained = on_drained, .down = on_down};

/* ---- the whole ---- */

static struct spdm_asker_setup asker_setup(struct spdm_setup *setup)
{
    struct spdm_policy *policy = &setup->policy.policy;
    policy->mel = true;
    return (struct spdm_asker_setup){.crypto = spdm_openssl_crypto(),
                                     .crypto_ctx = setup->ossl,
                                     .policy = policy,
                                     .data_transfer_size = setup->options->data_transfer_size,
                                     .max_message_size = setup->options->max_message_size};
}

void spdm_info_ask(struct spdm_setup *setup, const struct spdm_target *target, struct spdm_info *out)
{
    struct run r = {.setup = setup, .out = out, .asker_setup = asker_setup(setup), .trace = {.to = stderr}};
    uint32_t timeout = setup->options->timeout;
    *out = (struct spdm_info){.connection = {.target = *target}};
    clock_gettime(CLOCK_REALTIME, &out->connection.began);
    uv_loop_init(&r.loop);
    uv_timer_init(&r.loop, &r.limit);
    r.limit.data = &r;
    r.asker = spdm_text_need(spdm_asker_new(&r.loop, target, &r.asker_setup, &events, &r));
    uv_timer_start(&r.limit, on_limit, timeout, 0);
    if (!spdm_asker_connect(r.asker, timeout)) spdm_text_need(NULL);
    uv_run(&r.loop, UV_RUN_DEFAULT);
    spdm_asker_free(r.asker);
    uv_close((uv_handle_t *)&r.limit, NULL);
    uv_run(&r.loop, UV_RUN_DEFAULT);
    uv_loop_close(&r.loop);
}

static void clear_list(struct spdm_info_list *list)
{
    for (size_t i = 0; i < list->n; i++) free(list->v[i].p);
    free(list->v);
}

void spdm_info_clear(struct spdm_info *info)
{
    for (unsigned i = 0; i < SPDM_INFO_PART_N; i++) free(info->part[i].refusal);
    for (unsigned i = 0; i < SPDM_SLOT_N; i++) {
        free(info->chain[i].digest.p);
        free(info->chain[i].chain.p);
        spdm_judgement_free(info->chain[i].judgement);
    }
    free(info->record.p);
    free(info->log.p);
    free(info->endpoint.p);
    free(info->sub_codes.p);
    free(info->banks.p);
    clear_list(&info->key_pairs);
    clear_list(&info->details);
    *info = (struct spdm_info){.exit = 0};
}
