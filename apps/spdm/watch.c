/* SPDX-License-Identifier: BSD-3-Clause
 *
 * watch.c - `spdm watch`: tells of what a device tells of.
 *
 * Events come when the device is asked whether it has a request of its own: it
 * is, at intervals, in the session in which it was subscribed to. */
#include "info.h"
#include "measure.h"
#include "options.h"
#include "text.h"
#include "visit.h"
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 4096, MEASUREMENTS_N = 32 };

struct options {
    struct spdm_peer_options peer;
    bool json, quiet;
    uint16_t only; /* DMTF's types as a mask; 0: all there are */
    uint32_t count, interval;
};

struct watch {
    const struct options *options;
    struct spdm_setup setup;
    struct spdm_target target;
    struct spdm_visit *visit;
    struct spdm_visited visited;
    struct spdm_screen screen;
    struct spdm_room types; /* groups, as the device has them */
    uv_signal_t terminate, interrupt;
    uint32_t seen, next; /* events, the EventInstanceID that is due */
    int stopping;        /* the signal */
    bool unwritten;
    int exit;
};

/* ---- the command line ---- */

static const char *const kinds[] = {"lost", "measurements", "update", "certificates"};

static bool parse_only(const char *text, void *field, char *error, size_t cap)
{
    uint16_t mask = 0;
    for (size_t n; *text != '\0'; text += n + (text[n] == ',')) {
        unsigned i = 0;
        n = strcspn(text, ",");
        while (i < 4 && (strlen(kinds[i]) != n || strncmp(kinds[i], text, n) != 0)) i++;
        if (i == 4) {
            snprintf(error, cap, "a list of lost, measurements, update and certificates was expected");
            return false;
        }
        mask = (uint16_t)(mask | 2u << i);
    }
    *(uint16_t *)field = mask;
    return mask != 0;
}

#define AT(field) offsetof(struct options, field)

static const struct spdm_option options[] = {
    SPDM_OPTION_PART(spdm_peer_trust_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_negotiate_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_slot_options, AT(peer)),
    SPDM_OPTION_GROUP("The session"),
    SPDM_OPTION_PART(spdm_peer_session_options, AT(peer)),
    SPDM_OPTION_GROUP("What to watch for"),
    {.name = "only",
     .kind = SPDM_OPTION_OWN,
     .at = AT(only),
     .value = "LIST",
     .parse = parse_only,
     .help =
         "of DMTF's events: lost, measurements, update (announced), certificates (default all that the device has)"},
    {.name = "count",
     .letter = 'c',
     .kind = SPDM_OPTION_NUMBER,
     .at = AT(count),
     .value = "N",
     .min = 1,
     .max = UINT32_MAX,
     .help = "end after so many events"},
    {.name = "interval",
     .letter = 'i',
     .kind = SPDM_OPTION_TIME,
     .at = AT(interval),
     .value = "SECONDS",
     .min = 10,
     .max = 3600000,
     .help = "ask the device for news so often (default 1)"},
    SPDM_OPTION_PART(spdm_peer_time_options, AT(peer)),
    SPDM_OPTION_GROUP("What to write"),
    {.name = "json", .letter = 'j', .kind = SPDM_OPTION_FLAG, .at = AT(json), .help = "a JSON object a line"},
    {.name = "quiet", .letter = 'q', .kind = SPDM_OPTION_FLAG, .at = AT(quiet), .help = "events only"},
    SPDM_OPTION_PART(spdm_peer_record_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_keylog_options, AT(peer)),
    {.name = NULL},
};

static int watch_main(int argc, char **argv);

const struct spdm_command spdm_watch_command = {
    .name = "watch",
    .summary = "tell of events at a device",
    .operands = "TARGET",
    .about = "Attests a device, subscribes to its events in a session with it, and prints them as they come: "
             "measurements that changed or will, certificates that changed, and what the device's maker adds (SPDM "
             "1.3). Ends after --count events, or when interrupted, and unsubscribes.",
    .more =
        "Exit code: 0 ended as it should, 1 the device is not trusted, 2 wrong usage, 3 unreachable, or the connection "
        "was lost, 4 it has no events, or broke the protocol.\n"
        "\n"
        "Examples:\n"
        "  spdm watch --trust root.pem tcp://10.0.0.5\n"
        "  spdm watch --trust root.pem --only measurements --count 1 --json tcp://10.0.0.5",
    .operand_min = 1,
    .operand_max = 1,
    .operand_complete = SPDM_COMPLETE_TARGET,
    .options = options,
    .main = watch_main,
};

/* ---- telling ---- */

static void put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, spdm_text_need(value)) != 0) spdm_text_need(NULL);
}

static uint32_t u32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Numbers of the bits in the details of DMTF's events; -1 after the last. */
static int next_bit(const struct spdm_notice *n, int after)
{
    for (int i = after + 1; i < (int)n->detail.n * 8; i++)
        if ((n->detail.p[i / 8] >> i % 8 & 1) != 0) return i;
    return -1;
}

static bool has_bits(const struct spdm_notice *n)
{
    bool measured = n->type == SPDM_EVENT_MEASUREMENT_CHANGED || n->type == SPDM_EVENT_MEASUREMENT_PRE_UPDATE;
    return n->body == 0 && ((measured && n->detail.n == MEASUREMENTS_N) ||
                            (n->type == SPDM_EVENT_CERTIFICATE_CHANGED && n->detail.n == 1));
}

static bool has_loss(const struct spdm_notice *n)
{
    return n->body == 0 && n->type == SPDM_EVENT_LOST && n->detail.n == 8;
}

/* "1, 3", or what else the details say. The caller frees it. */
static char *details(const struct spdm_notice *n)
{
    if (has_loss(n)) return spdm_text_format("%" PRIu32 " to %" PRIu32, u32(n->detail.p) + 1, u32(n->detail.p + 4));
    if (!has_bits(n)) return spdm_text_hex(n->detail, 0);
    char *out = spdm_text_format(n->type == SPDM_EVENT_CERTIFICATE_CHANGED ? "slots" : "index");
    for (int i = next_bit(n, -1), first = i; i >= 0; i = next_bit(n, i)) {
        char *longer = spdm_text_format("%s%s %d", out, i == first ? "" : ",", i);
        free(out);
        out = longer;
    }
    return out;
}

static char *kind_of(const struct spdm_notice *n)
{
    const char *name = spdm_info_event(n->body, n->type), *body = spdm_value_body_name(n->body);
    char *vendor = spdm_text_hex(n->vendor, 0), *out;
    if (name != NULL) out = spdm_text_format("%s", name);
    else
        out = spdm_text_format("%s%s%s event %u", body != NULL ? body : "unknown", n->vendor.n != 0 ? " " : "", vendor,
                               n->type);
    free(vendor);
    return out;
}

static void now_text(char out[32], bool json)
{
    time_t now = time(NULL);
    struct tm tm;
    out[0] = '\0';
    if (json && gmtime_r(&now, &tm) != NULL) strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (!json && localtime_r(&now, &tm) != NULL) strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm);
}

static void print_line(struct watch *w, json_t *line)
{
    bool good = json_dumpf(line, stdout, JSON_COMPACT) == 0 && fputc('\n', stdout) != EOF && fflush(stdout) == 0;
    if (!good) w->unwritten = true;
    json_decref(line);
}

static void print_json(struct watch *w, const struct spdm_notice *n)
{
    char when[32], *vendor = spdm_text_hex(n->vendor, 0), *detail = spdm_text_hex(n->detail, 0);
    const char *name = spdm_info_event(n->body, n->type), *body = spdm_value_body_name(n->body);
    json_t *line = spdm_text_need(json_object()), *bits = spdm_text_need(json_array());
    now_text(when, true);
    for (int i = next_bit(n, -1); has_bits(n) && i >= 0; i = next_bit(n, i))
        if (json_array_append_new(bits, json_integer(i)) != 0) spdm_text_need(NULL);
    put(line, "event", name != NULL ? json_string(name) : json_null());
    put(line, "time", json_string(when));
    put(line, "instance", json_integer(n->instance));
    put(line, "body", body != NULL ? json_string(body) : json_integer(n->body));
    put(line, "vendor", json_string(vendor));
    put(line, "type", json_integer(n->type));
    put(line, "of", bits);
    put(line, "detail", json_string(detail));
    print_line(w, line);
    free(vendor);
    free(detail);
}

static void print_text(struct watch *w, const struct spdm_notice *n)
{
    char when[32], *kind = kind_of(n), *what = details(n);
    now_text(when, false);
    spdm_screen_put(&w->screen, SPDM_FAINT, when);
    fprintf(w->screen.to, "  %s%s%s\n", kind, what[0] != '\0' ? ": " : "", what);
    if (fflush(w->screen.to) != 0) w->unwritten = true;
    free(kind);
    free(what);
}

/* ---- what the device asks ---- */

static void on_notice(struct watch *w, const struct spdm_notice *n)
{
    if (n->instance != w->next && !w->options->quiet)
        spdm_setup_complain(&w->setup, "event %" PRIu32 " came, %" PRIu32 " was due", n->instance, w->next);
    w->next = n->instance + 1;
    w->seen++;
    if (w->options->json) print_json(w, n);
    else print_text(w, n);
}

static void on_question(void *ctx, const struct spdm_event *event, struct spdm_answer *answer)
{
    struct watch *w = ctx;
    struct spdm_notice n;
    if (event->kind != SPDM_ASK_EVENTS) return;
    struct spdm_span rest = event->order->list.list;
    while (spdm_notice_next(&rest, &n)) on_notice(w, &n);
    answer->yes = true;
}

static void on_reply(void *ctx, const struct spdm_event *event)
{
    struct watch *w = ctx;
    if (event->kind != SPDM_REPLIED) return;
    free(w->types.p);
    w->types = (struct spdm_room){spdm_text_need(malloc(event->data.n + 1)), event->data.n};
    memcpy(w->types.p, event->data.p, event->data.n);
}

/* ---- subscribing ---- */

static void tell_group(const struct watch *w, const struct spdm_event_group *g)
{
    struct spdm_span types = g->types;
    uint16_t type;
    while (spdm_event_type_next(&types, &type)) {
        char *kind = kind_of(&(struct spdm_notice){.body = g->body, .type = type, .vendor = g->vendor});
        if (!w->options->quiet && !w->options->json) fprintf(w->screen.to, "  %s\n", kind);
        free(kind);
    }
}

/* What is wanted of a group; its size in the list, 0: nothing. */
static size_t want(const struct watch *w, const struct spdm_event_group *g, struct spdm_room room)
{
    struct spdm_event_group out = *g;
    struct spdm_span types = g->types;
    uint16_t chosen[4], type, n = 0;
    out.all = w->options->only == 0;
    if (out.all) return spdm_event_group_put(room, &out, NULL, 0);
    while (spdm_event_type_next(&types, &type))
        if (g->body == 0 && g->vendor.n == 0 && type <= 4 && n < 4 && (w->options->only >> type & 1) != 0)
            chosen[n++] = type;
    return n != 0 ? spdm_event_group_put(room, &out, chosen, n) : 0;
}

static bool errand(struct watch *w, const struct spdm_errand *what, struct spdm_span groups)
{
    union spdm_order order = {.list = {.list = groups}};
    spdm_visit_errand(w->visit, what, &order, &w->visited);
    return w->visited.reached;
}

static bool fail(struct watch *w, const char *what)
{
    int exit = w->visited.exit;
    w->exit = exit == SPDM_EXIT_OK ? SPDM_EXIT_PROTOCOL : exit;
    spdm_setup_complain(&w->setup, "%s: %s%s", w->target.text, what, w->visited.why);
    return false;
}

static bool subscribe(struct watch *w)
{
    uint8_t list[LIST_MAX];
    size_t n = 0;
    struct spdm_event_group g;
    if (!errand(w, &spdm_errand_event_types, (struct spdm_span){NULL, 0})) return fail(w, "asking for its events: ");
    struct spdm_span rest = {w->types.p, w->types.n};
    if (!w->options->quiet && !w->options->json) {
        const struct spdm_subject *device = spdm_visit_attestation(w->visit)->device;
        char *name = spdm_text_safe_string(device->subject != NULL ? device->subject : w->target.text);
        spdm_screen_put(&w->screen, SPDM_STRONG, name);
        fputs(" tells of\n", w->screen.to);
        free(name);
    }
    while (spdm_event_group_next(&rest, &g)) {
        tell_group(w, &g);
        n += want(w, &g, (struct spdm_room){list + n, sizeof list - n});
    }
    fflush(w->screen.to);
    if (n == 0) {
        snprintf(w->visited.why, sizeof w->visited.why, "it has none of the events that are wanted");
        return fail(w, "");
    }
    return errand(w, &spdm_errand_subscribe, (struct spdm_span){list, n}) || fail(w, "subscribing: ");
}

/* ---- watching ---- */

static bool enough(const struct watch *w)
{
    return w->stopping != 0 || w->unwritten || (w->options->count != 0 && w->seen >= w->options->count);
}

static bool watch_on(struct watch *w)
{
    const struct spdm_goal poll = {.want = SPDM_WANT_POLL};
    while (!enough(w)) {
        uint32_t seen = w->seen;
        spdm_setup_start_clock(&w->setup, 0);
        spdm_visit_ask(w->visit, &poll, &w->visited);
        if (!w->visited.reached) return fail(w, "");
        if (w->seen != seen || enough(w)) continue; /* there may be more */
        if (!spdm_visit_wait(w->visit, w->options->interval, &w->visited)) return fail(w, "");
    }
    spdm_setup_start_clock(&w->setup, 0);
    return errand(w, &spdm_errand_subscribe, (struct spdm_span){NULL, 0}) || fail(w, "unsubscribing: ");
}

/* What it lacks; NULL: nothing. */
static const char *lacking(const struct spdm_facts *f)
{
    if (f->version < SPDM_V13) return "there are no events before SPDM 1.3";
    if ((f->responder.flags & SPDM_EVENT_CAP) == 0) return "the device tells of no events (EVENT_CAP)";
    if ((f->responder.flags & SPDM_ENCAP_CAP) == 0) return "the device cannot send them (ENCAP_CAP)";
    return NULL;
}

static bool meet(struct watch *w)
{
    if (!w->visited.reached) return fail(w, "");
    const char *lacks = lacking(spdm_visit_facts(w->visit));
    if (lacks != NULL) {
        snprintf(w->visited.why, sizeof w->visited.why, "%s", lacks);
        return fail(w, "");
    }
    spdm_visit_attest(w->visit, &w->visited);
    return w->visited.reached || fail(w, "");
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct watch *w = handle->data;
    w->stopping = number;
    uv_signal_stop(handle); /* whoever cannot wait signals again */
    spdm_visit_wake(w->visit);
}

static void catch (struct watch *w, uv_signal_t *handle, int number)
{
    uv_signal_init(spdm_visit_loop(w->visit), handle);
    handle->data = w;
    uv_signal_start(handle, on_signal, number);
    uv_unref((uv_handle_t *)handle);
}

static void run(struct watch *w)
{
    const struct spdm_visit_order order = {
        .setup = &w->setup, .target = &w->target, .events = true, .see = on_reply, .answer = on_question, .ctx = w};
    w->setup.policy.policy.flags |= SPDM_ENCAP_CAP;
    w->visit = spdm_visit_open(&order, &w->visited);
    catch (w, &w->terminate, SIGTERM);
    catch (w, &w->interrupt, SIGINT);
    if (meet(w) && subscribe(w)) (void)watch_on(w);
    uv_close((uv_handle_t *)&w->terminate, NULL);
    uv_close((uv_handle_t *)&w->interrupt, NULL);
    spdm_visit_close(w->visit);
    free(w->types.p);
    if (!w->unwritten) return;
    spdm_setup_complain(&w->setup, "cannot write the output");
    w->exit = SPDM_EXIT_USAGE;
}

static bool prepare(struct watch *w, const char *text)
{
    char error[SPDM_REASON_MAX];
    if (!spdm_target_parse(text, false, &w->target, error)) {
        spdm_setup_complain(&w->setup, "%s", error);
        return false;
    }
    return spdm_setup_open(&w->setup) && spdm_setup_record(&w->setup, w->target.binding);
}

static int watch_main(int argc, char **argv)
{
    struct options o = {.peer = SPDM_PEER_DEFAULTS, .interval = 1000};
    struct spdm_texts target = {NULL, 0};
    int rc = spdm_options_parse(&spdm_watch_command, argc, argv, &o, &target);
    if (rc != SPDM_PARSED) return rc;
    const char *wrong = spdm_peer_contradiction(&o.peer, true);
    if (wrong == NULL && o.json && o.quiet) wrong = "--quiet and --json exclude each other: --json prints events only";
    if (wrong != NULL) return spdm_options_error(&spdm_watch_command, "%s", wrong);
    struct watch w = {.options = &o, .screen = spdm_screen_on(stdout)};
    w.setup = (struct spdm_setup){.command = "watch", .options = &o.peer, .session = true};
    signal(SIGPIPE, SIG_IGN);
    if (prepare(&w, target.v[0])) run(&w);
    else w.exit = SPDM_EXIT_USAGE;
    if (!spdm_setup_close(&w.setup)) w.exit = SPDM_EXIT_USAGE;
    return w.exit;
}
