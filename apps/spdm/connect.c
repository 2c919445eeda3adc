/* SPDX-License-Identifier: BSD-3-Clause
 *
 * connect.c - `spdm connect`: a secure pipe to an application on a device.
 *
 * A line is one connection to the device: it is attested as `spdm attest`
 * would, and only if it is trusted its session is joined to a local end. With
 * --forward there is a line for each program that connects, and one at first
 * that only attests: whoever mistypes something learns of it at once. */
#include "appraisal.h"
#include "connect_options.h"
#include "text.h"
#include "tunnel.h"
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES_MAX = 64, DATA_MAX = 65000, NOBODY = -1 };

struct connection;

struct line {
    struct spdm_attest_file file; /* first: what attest_trust.c expects of a run's ctx */
    struct connection *connection;
    struct line *next;
    struct spdm_attest *run;
    struct spdm_tunnel *tunnel;
    struct spdm_trace trace;
    int in, out; /* NOBODY: it only attests */
};

struct connection {
    struct spdm_connect_options options;
    struct spdm_setup setup;
    struct spdm_target target;
    struct spdm_attest_order order, trial; /* trial: the session is ended at once */
    uv_loop_t loop;
    uv_signal_t terminate, interrupt;
    struct spdm_forward *forward;
    struct line *lines;
    unsigned line_n;
    int stopping; /* the signal */
    int exit;
};

static void say(const struct connection *c, const char *text)
{
    if (!c->options.quiet) spdm_setup_complain(&c->setup, "%s", text);
}

/* ---- the end ---- */

static void unless_closed(uv_handle_t *handle)
{
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

/* Nobody is left: the loop runs dry. */
static void run_dry(struct connection *c)
{
    if (c->line_n != 0 || c->forward != NULL) return;
    unless_closed((uv_handle_t *)&c->terminate);
    unless_closed((uv_handle_t *)&c->interrupt);
}

static void close_forward(struct connection *c)
{
    spdm_forward_close(c->forward);
    c->forward = NULL;
}

static void end_line(struct line *line)
{
    struct connection *c = line->connection;
    struct line **at = &c->lines;
    while (*at != line) at = &(*at)->next;
    *at = line->next;
    spdm_tunnel_free(line->tunnel);
    spdm_attest_free(line->run);
    spdm_attest_file_clear(&line->file);
    if (line->in > STDERR_FILENO) close(line->in);
    free(line);
    if (c->line_n-- == LINES_MAX && c->forward != NULL) spdm_forward_pause(c->forward, false);
    run_dry(c);
}

static void print_stats(const struct connection *c, const struct spdm_tunnel_result *r)
{
    double seconds = (double)r->time_us / 1e6, bytes = (double)(r->sent + r->received);
    if (!c->options.stats) return;
    fprintf(stderr, "spdm connect: %" PRIu64 " bytes sent, %" PRIu64 " received in %.3f s, %.1f MB/s, %u key updates\n",
            r->sent, r->received, seconds, seconds > 0 ? bytes / seconds / 1e6 : 0.0, r->updates);
}

static void on_over(void *ctx, struct spdm_tunnel *tunnel)
{
    static const int codes[] = {[SPDM_TUNNEL_DONE] = SPDM_EXIT_OK,
                                [SPDM_TUNNEL_INTERRUPTED] = SPDM_EXIT_OK,
                                [SPDM_TUNNEL_LOCAL] = SPDM_EXIT_USAGE,
                                [SPDM_TUNNEL_GONE] = SPDM_EXIT_UNREACHABLE,
                                [SPDM_TUNNEL_PROTOCOL] = SPDM_EXIT_PROTOCOL};
    struct line *line = ctx;
    struct connection *c = line->connection;
    const struct spdm_tunnel_result *r = spdm_tunnel_result(tunnel);
    if (r->end != SPDM_TUNNEL_DONE && r->end != SPDM_TUNNEL_INTERRUPTED)
        spdm_setup_complain(&c->setup, "%s, after %" PRIu64 " bytes out and %" PRIu64 " in", r->reason, r->sent,
                            r->received);
    print_stats(c, r);
    if (!c->options.forwards) c->exit = codes[r->end];
    end_line(line);
}

/* ---- while a run stays ---- */

static void on_event(void *ctx, struct spdm_attest *run, const struct spdm_event *event)
{
    struct line *line = ctx;
    (void)run;
    if (line->tunnel != NULL) spdm_tunnel_event(line->tunnel, event);
}

static void on_drained(void *ctx, struct spdm_attest *run)
{
    struct line *line = ctx;
    (void)run;
    if (line->tunnel != NULL) spdm_tunnel_drained(line->tunnel);
}

static void on_down(void *ctx, struct spdm_attest *run, const char *reason)
{
    struct line *line = ctx;
    (void)run;
    if (line->tunnel != NULL) spdm_tunnel_down(line->tunnel, reason);
}

static const struct spdm_attest_stay stay = {.event = on_event, .drained = on_drained, .down = on_down};

static void on_frame(void *ctx, struct spdm_attest *run, const struct spdm_tapped *tapped)
{
    struct connection *c = ctx;
    struct line *line = spdm_attest_context(run);
    spdm_setup_frame(&c->setup, &line->trace, run, tapped);
}

static void on_message(void *ctx, struct spdm_attest *run, const struct spdm_passing *passing)
{
    struct connection *c = ctx;
    struct line *line = spdm_attest_context(run);
    spdm_setup_message(&c->setup, &line->trace, run, passing);
}

/* ---- lines ---- */

static bool start_line(struct connection *c, int in, int out);

static void on_accepted(void *ctx, int fd)
{
    struct connection *c = ctx;
    if (!start_line(c, fd, fd)) close(fd);
    if (c->line_n == LINES_MAX) spdm_forward_pause(c->forward, true);
}

/* The socket is there before anything is sent, and served when the device is trusted. */
static bool open_forward(struct connection *c)
{
    const struct spdm_forward_setup setup = {.loop = &c->loop,
                                             .address = &c->options.forward,
                                             .public = c->options.public,
                                             .accepted = on_accepted,
                                             .ctx = c};
    char error[SPDM_FORWARD_ERROR];
    if (!c->options.forwards) return true;
    c->forward = spdm_forward_open(&setup, error);
    if (c->forward == NULL) spdm_setup_complain(&c->setup, "--forward %s", error);
    return c->forward != NULL;
}

static void serve(struct connection *c)
{
    spdm_forward_pause(c->forward, false);
    if (!c->options.quiet)
        fprintf(stderr, "spdm connect: listening on %s for %s\n", spdm_forward_text(c->forward), c->target.text);
}

/* Who it is that we are connected to. */
static void introduce(const struct connection *c, const struct spdm_attestation *a)
{
    const struct spdm_attest_result *r = a->result;
    char *name = spdm_text_safe_string(a->device->subject != NULL    ? a->device->subject
                                       : r->source == SPDM_CHAIN_PSK ? "who has the pre-shared key"
                                                                     : "who has the provisioned key");
    char *text = spdm_text_format("%s is %s; %s, %s", c->target.text, name,
                                  r->session.facts.psk ? "pre-shared key"
                                                       : spdm_algorithm_name((enum spdm_alg)r->facts.exchange),
                                  spdm_algorithm_name((enum spdm_alg)r->facts.aead));
    say(c, text);
    free(text);
    free(name);
}

static bool join(struct line *line)
{
    struct connection *c = line->connection;
    const struct spdm_tunnel_setup setup = {.loop = &c->loop,
                                            .run = line->run,
                                            .in = line->in,
                                            .out = line->out,
                                            .rekey = c->options.rekey,
                                            .over = on_over,
                                            .ctx = line};
    char error[SPDM_REASON_MAX];
    line->tunnel = spdm_tunnel_open(&setup, error);
    line->in = line->out = NOBODY; /* the tunnel's, whatever became of it */
    if (line->tunnel != NULL) return true;
    spdm_setup_complain(&c->setup, "cannot use standard input and output: %s", error);
    c->exit = SPDM_EXIT_USAGE;
    return false;
}

/* Nothing of the stream has passed yet, whatever the verdict. */
static void on_attested(void *ctx, struct spdm_attest *run)
{
    struct line *line = ctx;
    struct connection *c = line->connection;
    struct spdm_appraisal appraisal;
    spdm_appraise(&c->setup, &c->order, run, &appraisal);
    const struct spdm_attest_verdict *verdict = &appraisal.a.verdict;
    bool trusted = verdict->kind == SPDM_TRUSTED, attests_only = line->in == NOBODY, joined = false;
    if (!trusted)
        spdm_setup_complain(&c->setup, "%s: %s - %s", c->target.text, spdm_verdict_name(verdict->kind),
                            verdict->reason);
    if (!c->options.forwards || attests_only) c->exit = spdm_verdict_exit(verdict->kind);
    if (trusted && c->stopping == 0) {
        spdm_appraisal_remember(&c->setup, run, &appraisal);
        if (attests_only || !c->options.forwards) introduce(c, &appraisal.a);
        if (attests_only) serve(c);
        else joined = join(line);
    }
    spdm_appraisal_clear(&appraisal);
    if (!trusted && attests_only) close_forward(c);
    if (!joined) end_line(line);
}

static bool start_line(struct connection *c, int in, int out)
{
    struct line *line = spdm_text_need(calloc(1, sizeof *line));
    *line = (struct line){.connection = c, .next = c->lines, .in = in, .out = out, .trace = {.to = stderr}};
    line->run = spdm_attest_start(&c->loop, &c->target, in == NOBODY ? &c->trial : &c->order, on_attested, line);
    if (line->run == NULL) {
        free(line);
        return false;
    }
    c->lines = line;
    c->line_n++;
    return true;
}

/* ---- signals ---- */

/* The device is told, and the local ends; who is still being attested is dropped. */
static void on_signal(uv_signal_t *handle, int number)
{
    struct connection *c = handle->data;
    c->stopping = number;
    close_forward(c);
    for (struct line *line = c->lines, *next; line != NULL; line = next) {
        next = line->next;
        if (line->tunnel != NULL) spdm_tunnel_interrupt(line->tunnel, "interrupted");
        else end_line(line);
    }
    run_dry(c);
}

static void watch(struct connection *c, uv_signal_t *handle, int number)
{
    uv_signal_init(&c->loop, handle);
    handle->data = c;
    uv_signal_start(handle, on_signal, number);
}

/* ---- the whole ---- */

static bool prepare(struct connection *c, const char *target)
{
    char error[SPDM_REASON_MAX];
    c->setup = (struct spdm_setup){.command = "connect", .options = &c->options.peer, .session = true};
    if (!spdm_target_parse(target, false, &c->target, error)) {
        spdm_setup_complain(&c->setup, "%s", error);
        return false;
    }
    if (!c->target.binding->app_data) {
        spdm_setup_complain(&c->setup, "%s: %s carries SPDM messages only, no application data", c->target.text,
                            c->target.binding->name);
        return false;
    }
    if (!spdm_setup_open(&c->setup) || !spdm_setup_record(&c->setup, c->target.binding)) return false;
    c->order = spdm_setup_order(&c->setup);
    c->order.measure = c->options.peer.reference != NULL;
    c->order.operation = SPDM_MEASURE_ALL;
    c->order.sign = true;
    c->order.data_max = DATA_MAX;
    c->order.tap = on_frame;
    c->order.message = on_message;
    c->order.tap_ctx = c;
    c->trial = c->order;
    c->order.stay = &stay;
    return true;
}

static void run(struct connection *c)
{
    bool forwards = c->options.forwards;
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&c->loop);
    watch(c, &c->terminate, SIGTERM);
    watch(c, &c->interrupt, SIGINT);
    if (!open_forward(c)) c->exit = SPDM_EXIT_USAGE;
    else if (!start_line(c, forwards ? NOBODY : STDIN_FILENO, forwards ? NOBODY : STDOUT_FILENO)) spdm_text_need(NULL);
    run_dry(c);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    uv_loop_close(&c->loop);
}

int spdm_connect_main(int argc, char **argv)
{
    struct connection c = {.exit = SPDM_EXIT_OK};
    struct spdm_texts target = {NULL, 0};
    int rc = spdm_connect_parse(argc, argv, &c.options, &target);
    if (rc != SPDM_PARSED) return rc;
    if (prepare(&c, target.v[0])) run(&c);
    else c.exit = SPDM_EXIT_USAGE;
    if (!spdm_setup_close(&c.setup)) c.exit = SPDM_EXIT_USAGE;
    /* whoever interrupted us learns that it worked */
    if (c.stopping != 0 && !c.options.forwards) {
        signal(c.stopping, SIG_DFL);
        raise(c.stopping);
    }
    return c.exit;
}
