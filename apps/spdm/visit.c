/* SPDX-License-Identifier: BSD-3-Clause
 *
 * visit.c - a run of attest_run.h that stays, and a loop that turns until a goal has ended. */
#include "visit.h"
#include "options.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

struct spdm_visit {
    struct spdm_attest_file file; /* first: what attest_trust.c expects of a run's ctx */
    struct spdm_visit_order visit;
    struct spdm_attest_order order;
    struct spdm_attest *run;
    struct spdm_trace trace;
    spdm_visit_chain *look;
    struct spdm_appraisal appraisal;
    bool appraised, down, waiting, ended; /* ended: what the loop turns for */
    struct spdm_visited *out;             /* of the goal at hand, or of a wait; NULL: there is none */
    uv_loop_t loop;
    uv_timer_t limit;
};

/* ---- turning ---- */

static void end(struct spdm_visit *v)
{
    v->ended = true;
    uv_stop(&v->loop);
}

static void turn(struct spdm_visit *v)
{
    while (!v->ended && uv_run(&v->loop, UV_RUN_DEFAULT) != 0) continue;
}

static void say(struct spdm_visited *out, int exit, const char *why)
{
    char *safe = spdm_text_safe_string(why);
    snprintf(out->why, sizeof out->why, "%s", safe);
    out->exit = exit;
    free(safe);
}

/* ---- the device's chains ---- */

static void on_trust(void *ctx, struct spdm_attest *run, const struct spdm_event *event, struct spdm_answer *answer)
{
    struct spdm_visit *v = ctx;
    if (v->look != NULL) answer->key = v->look(v->visit.ctx, event);
    if (v->look != NULL) answer->yes = answer->key != NULL;
    else spdm_attest_trust_judge.answer(&v->visit.setup->court, run, event, answer);
}

static const struct spdm_attest_trust trust = {.answer = on_trust};

/* ---- while the run stays ---- */

static void on_failed(struct spdm_visit *v, const struct spdm_report *report)
{
    bool refused = report->why == SPDM_WHY_PEER_ERROR || report->why == SPDM_WHY_CANNOT;
    char text[400];
    spdm_report_text(report, text, sizeof text);
    v->out->report = *report;
    v->out->code = report->why == SPDM_WHY_PEER_ERROR ? report->error : 0;
    if (report->why == SPDM_WHY_TIMEOUT) say(v->out, SPDM_EXIT_UNREACHABLE, text);
    else say(v->out, refused ? SPDM_EXIT_OK : SPDM_EXIT_PROTOCOL, text);
    end(v);
}

static void on_closed(struct spdm_visit *v, const struct spdm_event *event)
{
    bool left = event->report.why == SPDM_WHY_SESSION_ENDED || event->report.why == SPDM_WHY_SESSION_EXPIRED;
    char text[400];
    v->down = true;
    if (v->out == NULL) return;
    spdm_report_text(&event->report, text, sizeof text);
    say(v->out, left ? SPDM_EXIT_UNREACHABLE : SPDM_EXIT_PROTOCOL, text);
    end(v);
}

static void on_event(void *ctx, struct spdm_attest *run, const struct spdm_event *event)
{
    struct spdm_visit *v = ctx;
    (void)run;
    if (event->kind == SPDM_CLOSED) on_closed(v, event);
    if (v->out == NULL || v->waiting) return;
    switch (event->kind) {
    case SPDM_DONE:
        if (v->down) break; /* the session was ended in the last message */
        v->out->reached = true;
        v->out->exit = SPDM_EXIT_OK;
        end(v);
        break;
    case SPDM_FAILED: on_failed(v, &event->report); break;
    case SPDM_MEASURED:
    case SPDM_REPLIED:
    case SPDM_VENDOR:
    case SPDM_RESET_DUE:
        if (v->visit.see != NULL) v->visit.see(v->visit.ctx, event);
        break;
    default: break;
    }
}

static void on_down(void *ctx, struct spdm_attest *run, const char *reason)
{
    struct spdm_visit *v = ctx;
    (void)run;
    v->down = true;
    if (v->out == NULL) return;
    say(v->out, SPDM_EXIT_UNREACHABLE, reason);
    end(v);
}

static void on_drained(void *ctx, struct spdm_attest *run)
{
    (void)ctx;
    (void)run;
}

static void on_question(void *ctx, struct spdm_attest *run, const struct spdm_event *event, struct spdm_answer *answer)
{
    struct spdm_visit *v = ctx;
    (void)run;
    if (v->visit.answer != NULL) v->visit.answer(v->visit.ctx, event, answer);
}

static const struct spdm_attest_stay stay = {
    .event = on_event, .drained = on_drained, .down = on_down, .answer = on_question};

static void on_frame(void *ctx, struct spdm_attest *run, const struct spdm_tapped *tapped)
{
    struct spdm_visit *v = ctx;
    spdm_setup_frame(v->visit.setup, &v->trace, run, tapped);
}

static void on_message(void *ctx, struct spdm_attest *run, const struct spdm_passing *passing)
{
    struct spdm_visit *v = ctx;
    spdm_setup_message(v->visit.setup, &v->trace, run, passing);
}

/* ---- the run ---- */

static void on_done(void *ctx, struct spdm_attest *run)
{
    struct spdm_visit *v = ctx;
    const struct spdm_attest_result *r = spdm_attest_result(run);
    char text[400];
    if (r->end == SPDM_ATTEST_DONE) {
        v->out->reached = true;
        v->out->exit = SPDM_EXIT_OK;
    } else if (r->end == SPDM_ATTEST_FAILED) {
        on_failed(v, &r->report);
        if (v->out->exit == SPDM_EXIT_OK) v->out->exit = SPDM_EXIT_PROTOCOL;
    } else {
        bool broken = r->end == SPDM_ATTEST_LINK && r->link_end == SPDM_LINK_PROTOCOL;
        snprintf(text, sizeof text, "%s", r->reason);
        say(v->out, broken ? SPDM_EXIT_PROTOCOL : SPDM_EXIT_UNREACHABLE, text);
    }
    v->down = v->down || r->end != SPDM_ATTEST_DONE;
    end(v);
}

/* The goal of `out` begins; false: there is nobody to ask any more. */
static bool begin(struct spdm_visit *v, struct spdm_visited *out)
{
    *out = (struct spdm_visited){.exit = SPDM_EXIT_UNREACHABLE};
    v->ended = false;
    v->out = out;
    if (!v->down) return true;
    say(out, SPDM_EXIT_UNREACHABLE, "the connection is gone");
    v->out = NULL;
    return false;
}

static struct spdm_attest_order order_of(struct spdm_visit *v)
{
    struct spdm_attest_order order = spdm_setup_order(v->visit.setup);
    order.trust = &trust;
    order.trust_ctx = v;
    order.stay = &stay;
    order.pause = true;
    order.events = v->visit.events;
    order.data_max = v->visit.out_max;
    order.measure = v->visit.setup->options->reference != NULL || !v->visit.setup->session;
    order.operation = SPDM_MEASURE_ALL;
    order.sign = true;
    order.tap = on_frame;
    order.message = on_message;
    order.tap_ctx = v;
    return order;
}

/* What of --timeout other goals have used up. */
static uint32_t spent(const struct spdm_visit *v)
{
    return v->visit.setup->options->timeout - spdm_setup_left(v->visit.setup);
}

static void say_late(struct spdm_visit *v)
{
    struct spdm_span request = spdm_attest_request(v->run);
    uint32_t limit = v->visit.setup->options->timeout;
    char text[200];
    snprintf(text, sizeof text, "not finished after %u.%03u s%s%s", limit / 1000, limit % 1000,
             request.n > 1 ? ", waiting for the answer to " : "", request.n > 1 ? spdm_message_name(request.p[1]) : "");
    say(v->out, SPDM_EXIT_UNREACHABLE, text);
}

static void on_limit(uv_timer_t *timer)
{
    struct spdm_visit *v = timer->data;
    if (!v->waiting) say_late(v);
    v->down = v->down || !v->waiting;
    end(v);
}

struct spdm_visit *spdm_visit_open(const struct spdm_visit_order *order, struct spdm_visited *out)
{
    struct spdm_visit *v = spdm_text_need(calloc(1, sizeof *v));
    v->visit = *order;
    v->trace.to = stderr;
    uv_loop_init(&v->loop);
    uv_timer_init(&v->loop, &v->limit);
    v->limit.data = v;
    v->order = order_of(v);
    if (order->setup->until == 0) spdm_setup_start_clock(order->setup, 0);
    v->order.spent_ms = spent(v);
    (void)begin(v, out);
    v->run = spdm_text_need(spdm_attest_start(&v->loop, order->target, &v->order, on_done, v));
    turn(v);
    v->out = NULL;
    return v;
}

void spdm_visit_attest(struct spdm_visit *v, struct spdm_visited *out)
{
    if (!begin(v, out)) return;
    v->order.spent_ms = spent(v);
    if (spdm_attest_go_on(v->run)) turn(v);
    v->out = NULL;
    spdm_appraise(v->visit.setup, &v->order, v->run, &v->appraisal);
    v->appraised = true;
    const struct spdm_attest_verdict *verdict = &v->appraisal.a.verdict;
    out->reached = verdict->kind == SPDM_TRUSTED;
    out->exit = spdm_verdict_exit(verdict->kind);
    if (out->reached) spdm_appraisal_remember(v->visit.setup, v->run, &v->appraisal);
    else say(out, out->exit, verdict->reason);
}

/* ---- goals ---- */

void spdm_visit_ask(struct spdm_visit *v, const struct spdm_goal *goal, struct spdm_visited *out)
{
    struct spdm_goal inside = *goal;
    const struct spdm_attest_session *session = &spdm_attest_result(v->run)->session;
    if (!begin(v, out)) return;
    if (session->opened) inside.session = session->facts.id;
    uv_update_time(&v->loop);
    uv_timer_start(&v->limit, on_limit, spdm_setup_left(v->visit.setup), 0);
    /* a heartbeat may be on its way */
    while (!v->ended && !spdm_requester_ask(spdm_asker_engine(spdm_attest_asker(v->run)), &inside))
        uv_run(&v->loop, UV_RUN_ONCE);
    if (!v->ended) spdm_asker_advance(spdm_attest_asker(v->run));
    turn(v);
    uv_timer_stop(&v->limit);
    v->out = NULL;
}

void spdm_visit_errand(struct spdm_visit *v, const struct spdm_errand *errand, const union spdm_order *order,
                       struct spdm_visited *out)
{
    spdm_visit_ask(v, &(struct spdm_goal){.want = SPDM_WANT_ERRAND, .errand = errand, .order = order}, out);
}

void spdm_visit_look(struct spdm_visit *v, spdm_visit_chain *see)
{
    v->look = see;
}

void spdm_visit_vouch(struct spdm_visit *v)
{
    spdm_attest_vouch(v->run);
}

bool spdm_visit_wait(struct spdm_visit *v, uint32_t ms, struct spdm_visited *out)
{
    if (!begin(v, out)) return false;
    v->waiting = true;
    uv_update_time(&v->loop);
    uv_timer_start(&v->limit, on_limit, ms, 0);
    turn(v);
    uv_timer_stop(&v->limit);
    v->waiting = false;
    v->out = NULL;
    return !v->down;
}

uv_loop_t *spdm_visit_loop(struct spdm_visit *v)
{
    return &v->loop;
}

void spdm_visit_wake(struct spdm_visit *v)
{
    if (v->waiting) end(v);
}

const struct spdm_facts *spdm_visit_facts(const struct spdm_visit *v)
{
    return spdm_attest_facts(v->run);
}

const struct spdm_attest_result *spdm_visit_result(const struct spdm_visit *v)
{
    return spdm_attest_result(v->run);
}

const struct spdm_attestation *spdm_visit_attestation(const struct spdm_visit *v)
{
    return v->appraised ? &v->appraisal.a : NULL;
}

/* ---- the end ---- */

static void end_session(struct spdm_visit *v)
{
    struct spdm_visited out;
    if (v->down || !spdm_attest_result(v->run)->session.opened) return;
    spdm_visit_ask(v, &(struct spdm_goal){.want = SPDM_WANT_END_SESSION}, &out);
}

void spdm_visit_close(struct spdm_visit *v)
{
    end_session(v);
    if (v->appraised) spdm_appraisal_clear(&v->appraisal);
    spdm_attest_free(v->run);
    uv_close((uv_handle_t *)&v->limit, NULL);
    while (uv_run(&v->loop, UV_RUN_DEFAULT) != 0) continue; /* what ended before it turned has stopped it once */
    uv_loop_close(&v->loop);
    spdm_attest_file_clear(&v->file);
    free(v);
}
