/* SPDX-License-Identifier: BSD-3-Clause
 *
 * attest.c - `spdm attest`: who are these devices, and what do they run?
 *
 * Opens everything it was told to use before it opens a connection, runs all
 * targets on one loop, and prints one report, or one line for each of several.
 * The exit code is that of the worst verdict. */
#include "appraisal.h"
#include "attest_options.h"
#include "evidence.h"
#include "report.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUNS_MAX = 200 }; /* connections at once */

struct fleet;

/* One target. */
struct device {
    struct spdm_attest_file file; /* first: what attest_trust.c expects of a run's ctx */
    struct fleet *fleet;
    struct spdm_target target;
    struct spdm_trace trace;
    struct spdm_report_line line; /* of several */
};

struct fleet {
    struct spdm_attest_options options;
    struct spdm_setup setup;
    struct spdm_attest_order order;
    uv_loop_t loop;
    struct device *devices;
    size_t n, next, running, finished;
    size_t count[4]; /* by enum spdm_verdict_kind */
    struct spdm_screen screen;
    bool progress;
    int exit;
};

/* ---- what comes after a run ---- */

static void save_reference(struct fleet *fleet, const struct spdm_attestation *a)
{
    const char *path = fleet->options.save_reference;
    if (path == NULL) return;
    if (a->verdict.kind != SPDM_TRUSTED || a->verdict.checks[SPDM_CHECK_MEASUREMENTS].state != SPDM_CHECK_PASSED) {
        spdm_setup_complain(&fleet->setup,
                            "%s was not written: only proven measurements of a trusted device are a reference", path);
        return;
    }
    char error[SPDM_REFERENCE_ERROR];
    struct spdm_measurement *values;
    struct spdm_comparand what = spdm_appraisal_measured(&fleet->order, a->result, &values);
    char *device = spdm_text_safe_string(a->device->subject);
    if (!spdm_reference_save(path, &what, a->device->subject != NULL ? device : NULL, error)) {
        spdm_setup_complain(&fleet->setup, "%s", error);
        fleet->exit = SPDM_EXIT_USAGE;
    }
    free(device);
    free(values);
}

static void save_evidence(struct fleet *fleet, const struct spdm_attestation *a)
{
    char error[SPDM_EVIDENCE_ERROR];
    if (fleet->options.evidence == NULL || spdm_evidence_save(fleet->options.evidence, a, error)) return;
    spdm_setup_complain(&fleet->setup, "%s", error);
    fleet->exit = SPDM_EXIT_USAGE;
}

/* ---- what is printed ---- */

static void clear_progress(const struct fleet *fleet)
{
    if (fleet->progress) fputs("\r\033[K", stderr);
}

static void print_progress(const struct fleet *fleet)
{
    if (!fleet->progress) return;
    fprintf(stderr, "\r\033[K%zu of %zu done, %zu running", fleet->finished, fleet->n, fleet->running);
    fflush(stderr);
}

static void print(struct fleet *fleet, struct device *device, const struct spdm_attestation *a)
{
    if (fleet->options.quiet) return;
    clear_progress(fleet);
    if (fleet->options.json) {
        json_t *json = spdm_report_json(a);
        json_dumpf(json, stdout, fleet->n > 1 ? JSON_COMPACT : JSON_INDENT(2));
        fputc('\n', stdout);
        fflush(stdout);
        json_decref(json);
    } else if (fleet->n > 1) {
        device->line = spdm_report_line(a);
    } else {
        spdm_report_print(a, &fleet->screen);
    }
}

static void print_summary(struct fleet *fleet)
{
    static const char *const words[] = {"trusted", "not trusted", "unreachable", "with a protocol error"};
    clear_progress(fleet);
    if (fleet->n < 2 || fleet->options.json || fleet->options.quiet) return;
    struct spdm_table *table = spdm_table_new(4);
    for (size_t i = 0; i < fleet->n; i++) spdm_report_row(&fleet->devices[i].line, table);
    spdm_table_print(table, &fleet->screen, 0);
    fprintf(fleet->screen.to, "%zu devices:", fleet->n);
    const char *comma = "";
    for (size_t i = 0; i < 4; i++) {
        if (fleet->count[i] == 0) continue;
        fprintf(fleet->screen.to, "%s %zu %s", comma, fleet->count[i], words[i]);
        comma = ",";
    }
    fputc('\n', fleet->screen.to);
}

/* ---- the runs ---- */

static void start_some(struct fleet *fleet);

static void on_done(void *ctx, struct spdm_attest *run)
{
    struct device *device = ctx;
    struct fleet *fleet = device->fleet;
    struct spdm_appraisal appraisal;
    const struct spdm_attestation *a = &appraisal.a;
    spdm_appraise(&fleet->setup, &fleet->order, run, &appraisal);
    fleet->count[a->verdict.kind]++;
    fleet->exit = spdm_exit_worse(fleet->exit, spdm_verdict_exit(a->verdict.kind));
    fleet->running--;
    fleet->finished++;
    print(fleet, device, a);
    save_evidence(fleet, a);
    save_reference(fleet, a);
    spdm_appraisal_remember(&fleet->setup, run, &appraisal);
    spdm_appraisal_clear(&appraisal);
    spdm_attest_free(run);
    spdm_attest_file_clear(&device->file);
    start_some(fleet);
}

static void start_some(struct fleet *fleet)
{
    while (fleet->next < fleet->n && fleet->running < RUNS_MAX) {
        struct device *device = &fleet->devices[fleet->next++];
        spdm_text_need(spdm_attest_start(&fleet->loop, &device->target, &fleet->order, on_done, device));
        fleet->running++;
    }
    print_progress(fleet);
}

static void on_frame(void *ctx, struct spdm_attest *run, const struct spdm_tapped *tapped)
{
    struct fleet *fleet = ctx;
    struct device *device = spdm_attest_context(run);
    spdm_setup_frame(&fleet->setup, &device->trace, run, tapped);
}

static void on_message(void *ctx, struct spdm_attest *run, const struct spdm_passing *passing)
{
    struct fleet *fleet = ctx;
    struct device *device = spdm_attest_context(run);
    spdm_setup_message(&fleet->setup, &device->trace, run, passing);
}

/* ---- before the runs ---- */

static bool read_targets(struct fleet *fleet, const struct spdm_texts *targets)
{
    char error[SPDM_REASON_MAX];
    fleet->devices = spdm_text_need(calloc(targets->n, sizeof *fleet->devices));
    for (; fleet->n < targets->n; fleet->n++) {
        struct device *device = &fleet->devices[fleet->n];
        device->fleet = fleet;
        device->trace.to = stderr;
        bool good = spdm_target_parse(targets->v[fleet->n], fleet->options.listen, &device->target, error);
        if (good && fleet->options.listen && device->target.binding != &spdm_binding_tcp) {
            snprintf(error, sizeof error, "--listen \"%s\": only over TCP can a device connect", targets->v[fleet->n]);
            good = false;
        }
        if (good) continue;
        spdm_setup_complain(&fleet->setup, "%s", error);
        return false;
    }
    return true;
}

/* A file that cannot be written later is found out now. */
static bool writable(const struct fleet *fleet, const char *option, const char *path)
{
    if (path == NULL) return true;
    char *dir = spdm_text_need(strdup(path)), *slash = strrchr(dir, '/');
    if (slash != NULL) *slash = '\0';
    const char *where = slash == NULL ? "." : slash == dir ? "/" : dir;
    bool good = access(path, F_OK) == 0 ? access(path, W_OK) == 0 : access(where, W_OK | X_OK) == 0;
    if (!good) spdm_setup_complain(&fleet->setup, "%s %s: %s", option, path, strerror(errno));
    free(dir);
    return good;
}

static bool open_outputs(struct fleet *fleet)
{
    const struct spdm_attest_options *o = &fleet->options;
    if (!writable(fleet, "--save-reference", o->save_reference) || !writable(fleet, "--evidence", o->evidence))
        return false;
    const struct spdm_binding *binding = fleet->devices[0].target.binding;
    for (size_t i = 1; i < fleet->n && o->peer.pcap != NULL && o->peer.pcap_format != 0; i++) {
        if (fleet->devices[i].target.binding == binding) continue;
        spdm_setup_complain(&fleet->setup, "--pcap-format dmtf: a capture of that form holds one kind of link");
        return false;
    }
    return spdm_setup_record(&fleet->setup, binding);
}

static void make_order(struct fleet *fleet)
{
    static const uint8_t summaries[] = {0, 1, 0xff};
    const struct spdm_attest_options *o = &fleet->options;
    struct spdm_attest_order *order = &fleet->order;
    *order = spdm_setup_order(&fleet->setup);
    order->challenge = o->challenge      ? SPDM_CHALLENGE_ALWAYS
                       : o->no_challenge ? SPDM_CHALLENGE_NEVER
                                         : SPDM_CHALLENGE_AUTO;
    order->measure = !o->measurements.none;
    order->operation = o->measurements.operation;
    order->index = o->measurements.index;
    order->sign = !o->unsigned_only;
    order->raw = o->raw;
    order->fresh = o->fresh;
    order->summary = summaries[o->summary];
    order->record = o->evidence != NULL;
    order->listen = o->listen;
    order->tamper = &o->tamper;
    order->tap = on_frame;
    order->message = on_message;
    order->tap_ctx = fleet;
}

static bool prepare(struct fleet *fleet, const struct spdm_texts *targets)
{
    const struct spdm_attest_options *o = &fleet->options;
    fleet->setup = (struct spdm_setup){.command = "attest", .options = &o->peer, .session = o->session};
    if (!read_targets(fleet, targets) || !spdm_setup_open(&fleet->setup)) return false;
    if (!open_outputs(fleet)) return false;
    make_order(fleet);
    fleet->screen = spdm_screen_on(stdout);
    fleet->progress = fleet->n > 1 && !o->quiet && !o->peer.trace && isatty(STDERR_FILENO) != 0;
    return true;
}

static void clean_up(struct fleet *fleet)
{
    if (!spdm_setup_close(&fleet->setup)) fleet->exit = SPDM_EXIT_USAGE;
    free(fleet->devices);
}

int spdm_attest_main(int argc, char **argv)
{
    struct fleet fleet = {.exit = SPDM_EXIT_OK};
    struct spdm_texts targets = {NULL, 0};
    int rc = spdm_attest_parse(argc, argv, &fleet.options, &targets);
    if (rc != SPDM_PARSED) return rc;
    if (prepare(&fleet, &targets)) {
        signal(SIGPIPE, SIG_IGN);
        uv_loop_init(&fleet.loop);
        start_some(&fleet);
        uv_run(&fleet.loop, UV_RUN_DEFAULT);
        print_summary(&fleet);
        uv_loop_close(&fleet.loop);
    } else {
        fleet.exit = SPDM_EXIT_USAGE;
    }
    clean_up(&fleet);
    return fleet.exit;
}
