/* SPDX-License-Identifier: BSD-3-Clause
 *
 * respond.c - `spdm respond`: act as a device until told to stop.
 *
 * Start-up checks everything before the first port opens; the line that says
 * so tells exactly what is served where. SIGHUP reads the description again:
 * a good one takes the place of the old at once, a bad one is reported and
 * changes nothing. SIGTERM and SIGINT end with exit code 0 and a summary. */
#include "respond.h"
#include "options.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define LINES_PER_SECOND 20
#define LAST_RESORT_MS 5000 /* a key that does not come back must not keep us */

extern const struct spdm_command spdm_respond_command;

/* ---- lines for people ---- */

static void line(const char *format, va_list args)
{
    char text[1200];
    vsnprintf(text, sizeof text, format, args);
    fprintf(stderr, "spdm respond: %s\n", text);
}

void spdm_respond_say(struct server *s, const char *format, ...)
{
    va_list args;
    (void)s;
    va_start(args, format);
    line(format, args);
    va_end(args);
}

static void on_log_timer(uv_timer_t *timer)
{
    struct server *s = timer->data;
    if (s->log.suppressed != 0) spdm_respond_say(s, "(%u more lines about clients left out)", s->log.suppressed);
    s->log.lines = s->log.suppressed = 0;
}

void spdm_respond_client_says(struct server *s, const char *format, ...)
{
    va_list args;
    if (s->options->quiet) return;
    if (s->log.lines == 0) uv_timer_start(&s->log_timer, on_log_timer, 1000, 0);
    if (s->log.lines++ >= LINES_PER_SECOND) {
        s->log.suppressed++;
        return;
    }
    va_start(args, format);
    line(format, args);
    va_end(args);
}

/* ---- the end ---- */

static void on_last_resort(uv_timer_t *timer)
{
    struct server *s = timer->data;
    spdm_respond_say(s, "a key did not finish signing; ending without it");
    if (s->pcap != NULL) {
        char error[SPDM_REASON_MAX];
        (void)spdm_pcap_close(s->pcap, error);
    }
    _exit(SPDM_EXIT_OK);
}

static void unless_closed(uv_handle_t *handle)
{
    if (handle->type != UV_UNKNOWN_HANDLE && !uv_is_closing(handle)) uv_close(handle, NULL);
}

void spdm_respond_stop(struct server *s, const char *why)
{
    if (s->stopping) return;
    s->stopping = true;
    if (!s->options->quiet) spdm_respond_say(s, "stopping: %s", why);
    for (struct client *c = s->live; c != NULL; c = c->older) spdm_respond_app_reset(c, "the device stops");
    for (unsigned i = 0; i < s->listener_n; i++) spdm_listener_close(s->listener[i]);
    spdm_respond_control_close(s, false);
    spdm_respond_reach_end(s);
    unless_closed((uv_handle_t *)&s->hangup);
    /* Both stay and are taken in silence: a second signal, which timeout(1) always sends, must not cut the end short.
     */
    uv_unref((uv_handle_t *)&s->terminate);
    uv_unref((uv_handle_t *)&s->interrupt);
    unless_closed((uv_handle_t *)&s->log_timer);
    uv_timer_start(&s->last_resort, on_last_resort, LAST_RESORT_MS, 0);
    uv_unref((uv_handle_t *)&s->last_resort);
}

static void summary(const struct server *s)
{
    fprintf(stderr,
            "spdm respond: served %lu clients (%u at once), %lu requests, %lu signatures, %lu sessions; refused %lu "
            "requests, turned away %lu clients\n",
            s->count.clients, s->clients_peak, s->count.requests, s->count.signatures, s->count.sessions,
            s->count.refusals, s->count.turned_away);
}

/* ---- signals ---- */

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *s = handle->data;
    if (number == SIGHUP) (void)spdm_respond_reload(s, "hangup");
    else spdm_respond_stop(s, number == SIGTERM ? "terminated" : "interrupted");
}

/* ---- the beginning ---- */

static bool watch(struct server *s, uv_signal_t *handle, int number)
{
    handle->data = s;
    return uv_signal_init(&s->loop, handle) == 0 && uv_signal_start(handle, on_signal, number) == 0;
}

/* A thread for the key of each slot, so that a slow one keeps nobody else waiting; as many files as the system grants.
 */
static void make_room(void)
{
    struct rlimit limit;
    char threads[12];
    snprintf(threads, sizeof threads, "%d", 2 * (SPDM_SLOT_N + 1)); /* during a reload two devices sign */
    setenv("UV_THREADPOOL_SIZE", threads, 0);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void on_note(void *ctx, struct spdm_listener *listener, bool shutdown, const char *text)
{
    struct server *s = ctx;
    if (shutdown) {
        if (s->options->end_on_shutdown) spdm_respond_stop(s, text);
        return;
    }
    s->count.turned_away++;
    spdm_respond_client_says(s, "%s: %s", spdm_listener_target(listener)->text, text);
}

struct spdm_link_options spdm_respond_link_options(const struct server *s, const struct spdm_binding *binding)
{
    const struct respond_options *o = s->options;
    struct spdm_link_options link = {.frame_max = spdm_respond_frame_max(binding, s->generation->device),
                                     .idle_ms = o->idle_ms,
                                     .stall_ms = o->stall_ms};
    if (s->pcap == NULL && !o->trace) return link;
    link.tap = spdm_respond_tap;
    memcpy(&link.tap_ctx, &s, sizeof link.tap_ctx); /* the server, which only our own reading of it makes constant */
    return link;
}

static int listen_on(struct server *s, const struct spdm_target *target)
{
    struct spdm_listen_options options = {.links_max = s->options->clients_max, .ctx = s};
    char error[SPDM_REASON_MAX];
    options.link = spdm_respond_link_options(s, target->binding);
    options.events.link = spdm_respond_link_events;
    options.events.accept = spdm_respond_accept;
    options.events.note = on_note;
    s->listener[s->listener_n] = spdm_listener_open(&s->loop, target, &options, error);
    if (s->listener[s->listener_n] == NULL) {
        spdm_respond_say(s, "%s", error);
        return SPDM_EXIT_USAGE;
    }
    s->listener_n++;
    return SPDM_PARSED;
}

/* Reads the targets and refuses those that others could reach, before any port opens. */
static int read_targets(const struct respond_options *o, struct spdm_target *targets, unsigned *n)
{
    static const char *standard[] = {"emu+mctp://127.0.0.1:2323"};
    const struct spdm_texts one = {standard, 1}, *texts = o->listen.n != 0 ? &o->listen : &one;
    char error[SPDM_REASON_MAX];
    *n = 0;
    if (o->listen.n == 0 && o->reach_out.n != 0) return SPDM_PARSED; /* nobody is waited for */
    if (texts->n > RESPOND_LISTEN_MAX)
        return spdm_options_error(&spdm_respond_command, "--listen may be given %u times at most", RESPOND_LISTEN_MAX);
    for (*n = 0; *n < texts->n; (*n)++) {
        if (!spdm_target_parse(texts->v[*n], true, &targets[*n], error))
            return spdm_options_error(&spdm_respond_command, "--listen %s", error);
        if (!o->public && !spdm_target_is_loopback(&targets[*n]))
            return spdm_options_error(&spdm_respond_command,
                                      "--listen \"%s\": other machines could reach this address; give --public if "
                                      "that is what you want",
                                      texts->v[*n]);
    }
    return SPDM_PARSED;
}

/* One port per line, in the order of --listen; whole or not at all, as somebody may be waiting for the file. */
static int write_ports(struct server *s)
{
    const char *path = s->options->port_file;
    char part[4096];
    FILE *f;
    bool fine;
    if (path == NULL) return SPDM_PARSED;
    snprintf(part, sizeof part, "%s.part", path);
    f = fopen(part, "w");
    fine = f != NULL;
    for (unsigned i = 0; fine && i < s->listener_n; i++)
        fine = fprintf(f, "%u\n", spdm_listener_target(s->listener[i])->port) > 0;
    if (f != NULL) fine = fclose(f) == 0 && fine;
    if (fine && rename(part, path) == 0) return SPDM_PARSED;
    spdm_respond_say(s, "cannot write %s: %s", path, strerror(errno));
    return SPDM_EXIT_USAGE;
}

static int open_capture(struct server *s, const struct spdm_target *targets, unsigned n)
{
    enum spdm_pcap_form form = s->options->pcap_format == 1 ? SPDM_PCAP_DMTF : SPDM_PCAP_STANDARD;
    char error[SPDM_REASON_MAX];
    if (s->options->pcap == NULL) return SPDM_PARSED;
    for (unsigned i = 1; form == SPDM_PCAP_DMTF && i < n; i++)
        if (targets[i].binding != targets[0].binding)
            return spdm_options_error(&spdm_respond_command,
                                      "--pcap-format dmtf holds one kind of link; the listeners have several");
    s->pcap = spdm_pcap_open(s->options->pcap, form, targets[0].binding, error);
    if (s->pcap != NULL) return SPDM_PARSED;
    spdm_respond_say(s, "%s", error);
    return SPDM_EXIT_USAGE;
}

/* After everything else that could be wrong: who reads that secrets are written must be able to believe it. */
static int open_keylog(struct server *s)
{
    char error[SPDM_KEYLOG_ERROR];
    if (s->options->keylog == NULL) return SPDM_PARSED;
    s->keylog = spdm_keylog_open(s->options->keylog, "spdm respond", error);
    if (s->keylog != NULL) return SPDM_PARSED;
    spdm_respond_say(s, "--keylog %s", error);
    return SPDM_EXIT_USAGE;
}

static int load_first(struct server *s)
{
    char error[SPDM_DEVICE_REASON] = "";
    struct spdm_device *device;
    s->ossl = spdm_openssl_open(NULL, error);
    if (s->ossl == NULL) {
        spdm_respond_say(s, "OpenSSL cannot be used: %s", error);
        return SPDM_EXIT_USAGE;
    }
    device = spdm_respond_load(s, error);
    s->generation = device != NULL ? spdm_respond_generation(s, device) : NULL;
    if (s->generation == NULL) {
        spdm_respond_say(s, "%s", device != NULL ? "out of memory" : error);
        spdm_device_free(device);
        return SPDM_EXIT_USAGE;
    }
    s->client_room = spdm_respond_client_room(device);
    s->in.n = spdm_respond_frame_max(&spdm_binding_tcp, device); /* less than that of a binding is in a record */
    s->in.p = malloc(s->in.n);
    if (s->in.p != NULL) return SPDM_PARSED;
    spdm_respond_say(s, "out of memory");
    return SPDM_EXIT_USAGE;
}

/* Where --app is of no use: who gave it will want to know. */
static void doubt(struct server *s)
{
    const uint32_t sessions = SPDM_KEY_EX_CAP | SPDM_PSK_CAP_MASK;
    const struct spdm_policy *policy = &s->generation->device->policy;
    if (s->options->app.kind == APP_NONE) return;
    if (s->options->app.kind != APP_ECHO && (policy->flags & SPDM_KEY_EX_CAP) != 0 && !policy->mut_auth_required)
        spdm_respond_say(s, "streams are for whoever can connect: the description does not require requesters to prove "
                            "who they are");
    if ((policy->flags & sessions) == 0) spdm_respond_say(s, "there will be no streams: the device opens no sessions");
    for (unsigned i = 0; i < s->listener_n; i++)
        if (!spdm_listener_target(s->listener[i])->binding->app_data)
            spdm_respond_say(s, "there will be no streams on %s: this transport carries no application data",
                             spdm_listener_target(s->listener[i])->text);
}

static void announce(struct server *s)
{
    char text[400];
    spdm_device_describe(s->generation->device, text, sizeof text);
    for (unsigned i = 0; i < s->listener_n; i++)
        spdm_respond_say(s, "listening on %s, serving %s", spdm_listener_target(s->listener[i])->text, text);
}

static int start(struct server *s)
{
    struct spdm_target targets[RESPOND_LISTEN_MAX] = {{{0}, {0}, 0, false, 0, NULL}};
    unsigned n = 0;
    int rc = read_targets(s->options, targets, &n);
    if (rc == SPDM_PARSED) rc = spdm_respond_reach_read(s);
    if (rc == SPDM_PARSED) rc = load_first(s);
    if (rc == SPDM_PARSED) rc = open_capture(s, targets, n);
    if (rc == SPDM_PARSED) rc = open_keylog(s);
    for (unsigned i = 0; rc == SPDM_PARSED && i < n; i++) rc = listen_on(s, &targets[i]);
    if (rc == SPDM_PARSED && !spdm_respond_control_open(s)) rc = SPDM_EXIT_USAGE;
    if (rc == SPDM_PARSED) rc = write_ports(s);
    if (rc != SPDM_PARSED) return rc;
    if (!watch(s, &s->hangup, SIGHUP) || !watch(s, &s->terminate, SIGTERM) || !watch(s, &s->interrupt, SIGINT)) {
        spdm_respond_say(s, "cannot watch for signals");
        return SPDM_EXIT_USAGE;
    }
    spdm_respond_keep_from_commands();
    if (!s->options->quiet) announce(s);
    doubt(s);
    spdm_respond_reach_begin(s);
    return SPDM_PARSED;
}

/* From here on signals change nothing any more. */
static void stop_watching(struct server *s)
{
    unless_closed((uv_handle_t *)&s->hangup);
    unless_closed((uv_handle_t *)&s->terminate);
    unless_closed((uv_handle_t *)&s->interrupt);
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
}

/* Closes what is open and lets the loop run dry. */
static int finish(struct server *s, int rc)
{
    char error[SPDM_REASON_MAX];
    if (!s->stopping) { /* never started */
        for (unsigned i = 0; i < s->listener_n; i++) spdm_listener_close(s->listener[i]);
        unless_closed((uv_handle_t *)&s->log_timer);
        spdm_respond_control_close(s, false);
        stop_watching(s);
    }
    uv_run(&s->loop, UV_RUN_DEFAULT);
    unless_closed((uv_handle_t *)&s->last_resort);
    stop_watching(s);
    spdm_respond_control_close(s, true);
    spdm_respond_free_pool(s);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&s->loop);
    uv_library_shutdown(); /* ends the threads, and with them what they hold of the keys' library contexts */
    if (s->generation != NULL) spdm_respond_retire(s, s->generation);
    spdm_respond_unload(s);
    if (s->ossl != NULL) spdm_openssl_close(s->ossl);
    free(s->in.p);
    free(s->reach);
    if (s->pcap != NULL && !spdm_pcap_close(s->pcap, error)) {
        spdm_respond_say(s, "%s", error);
        rc = SPDM_EXIT_USAGE;
    }
    if (!spdm_keylog_close(s->keylog, error)) {
        spdm_respond_say(s, "--keylog %s", error);
        rc = SPDM_EXIT_USAGE;
    }
    return rc;
}

static int spdm_respond_main(int argc, char **argv)
{
    struct respond_options options = {.clients_max = 4096, .apps_max = 256, .idle_ms = 120000, .stall_ms = 10000};
    struct spdm_texts files = {NULL, 0};
    struct server *s;
    int rc = spdm_options_parse(&spdm_respond_command, argc, argv, &options, &files);
    if (rc != SPDM_PARSED) return rc;
    if (options.tell != NULL) return spdm_respond_tell(options.tell, files.v[0]);
    make_room();
    signal(SIGPIPE, SIG_IGN); /* an application that does not read ends its stream, not us */
    s = calloc(1, sizeof *s);
    if (s == NULL || uv_loop_init(&s->loop) != 0) {
        free(s);
        fputs("spdm respond: out of memory\n", stderr);
        return SPDM_EXIT_USAGE;
    }
    s->options = &options;
    s->description = files.v[0];
    s->state_dir = -1;
    uv_timer_init(&s->loop, &s->last_resort);
    uv_timer_init(&s->loop, &s->log_timer);
    s->last_resort.data = s->log_timer.data = s;
    uv_unref((uv_handle_t *)&s->log_timer);
    rc = start(s);
    if (rc == SPDM_PARSED) {
        uv_run(&s->loop, UV_RUN_DEFAULT);
        if (!options.quiet) summary(s);
        rc = SPDM_EXIT_OK;
    }
    rc = finish(s, rc);
    free(s);
    return rc;
}

/* ---- the command line ---- */

static const char *const pcap_formats[] = {"wireshark", "dmtf", NULL};
#define AT(field) offsetof(struct respond_options, field)

/* clang-format off */
static const struct spdm_option options_table[] = {
    SPDM_OPTION_GROUP("Where"),
    {.name = "listen", .letter = 'l', .kind = SPDM_OPTION_LIST, .complete = SPDM_COMPLETE_TARGET, .at = AT(listen),
     .value = "TARGET",
     .help = "where to listen: tcp://HOST[:PORT], emu+mctp://..., emu+doe://..., emu+tcp://..., emu+none://..., "
             "emu+nvme://..., emu+scsi://...; port 0 "
             "lets the system choose; may be repeated (default emu+mctp://127.0.0.1:2323)"},
    {.name = "public", .kind = SPDM_OPTION_FLAG, .at = AT(public),
     .help = "allow addresses that other machines can reach"},
    {.name = "reach-out", .kind = SPDM_OPTION_LIST, .complete = SPDM_COMPLETE_TARGET, .at = AT(reach_out),
     .value = "TARGET", .help = "connect to a requester that waits there, as `spdm attest --listen` does, over TCP; may be "
     "repeated; then only what --listen names is listened on"},
    {.name = "control", .kind = SPDM_OPTION_TEXT, .complete = SPDM_COMPLETE_FILE, .at = AT(control), .value = "PATH",
     .help = "take commands on a local socket with this name"},
    {.name = "tell", .kind = SPDM_OPTION_TEXT, .complete = SPDM_COMPLETE_FILE, .at = AT(tell), .value = "PATH",
     .help = "send a command to the device at this socket, in place of being one: status, event TYPE LIST, reset, stop"},
    {.name = "port-file", .kind = SPDM_OPTION_TEXT, .complete = SPDM_COMPLETE_FILE, .at = AT(port_file),
     .value = "FILE", .help = "write the ports here once they are open, one per line"},
    SPDM_OPTION_GROUP("How long, how many"),
    {.name = "once", .kind = SPDM_OPTION_FLAG, .at = AT(once), .help = "end when the first client has left"},
    {.name = "end-on-shutdown", .kind = SPDM_OPTION_FLAG, .at = AT(end_on_shutdown),
     .help = "end when a client sends the emulator's SHUTDOWN, as the reference does"},
    {.name = "max-clients", .kind = SPDM_OPTION_NUMBER, .at = AT(clients_max), .value = "N", .min = 1, .max = 100000,
     .help = "turn away further clients of a listener (default 4096)"},
    {.name = "idle", .kind = SPDM_OPTION_TIME, .at = AT(idle_ms), .value = "TIME", .min = 10, .max = 86400000,
     .help = "close a client that is silent for so long (default 2m)"},
    {.name = "stall", .kind = SPDM_OPTION_TIME, .at = AT(stall_ms), .value = "TIME", .min = 10, .max = 86400000,
     .help = "close a client that does not begin, does not finish a frame, or does not take its answer for so long "
             "(default 10s)"},
    SPDM_OPTION_GROUP("Application data of sessions"),
    {.name = "app", .kind = SPDM_OPTION_OWN, .at = AT(app), .value = "APP", .parse = spdm_respond_app_parse,
     .help = "what a stream in a session is joined to: echo sends it back; exec:COMMAND, standard input and output of "
             "a shell command; socket:PATH or socket:HOST:PORT, a connection (default: streams are refused)"},
    {.name = "max-apps", .kind = SPDM_OPTION_NUMBER, .at = AT(apps_max), .value = "N", .min = 1, .max = 100000,
     .help = "refuse further streams when so many commands and connections are there (default 256)"},
    SPDM_OPTION_GROUP("Misbehaviour"),
    {.name = "tamper", .kind = SPDM_OPTION_OWN, .at = AT(tamper), .value = "LIST", .parse = spdm_tamper_parse,
     .help = "misbehave, so that others can be tested: flip-signature, wrong-nonce, cut, skip=MESSAGE, delay=TIME, "
             "wrong-mac, MESSAGE.FIELD, ...; help lists them"},
    SPDM_OPTION_GROUP("What to write"),
    {.name = "quiet", .letter = 'q', .kind = SPDM_OPTION_FLAG, .at = AT(quiet), .help = "errors only"},
    {.name = "trace", .kind = SPDM_OPTION_FLAG, .at = AT(trace), .help = "every message, field by field, to stderr"},
    {.name = "pcap", .kind = SPDM_OPTION_TEXT, .complete = SPDM_COMPLETE_FILE, .at = AT(pcap), .value = "FILE",
     .help = "a capture of all conversations"},
    {.name = "pcap-format", .kind = SPDM_OPTION_CHOICE, .at = AT(pcap_format), .choices = pcap_formats,
     .help = "for Wireshark, or for DMTF's own tools (default wireshark)"},
    {.name = "keylog", .kind = SPDM_OPTION_TEXT, .complete = SPDM_COMPLETE_FILE, .at = AT(keylog), .value = "FILE",
     .help = "append the secrets of sessions, with which anybody can read the capture; see spdm-keylog(5)"},
    {.name = NULL},
};
/* clang-format on */

const struct spdm_command spdm_respond_command = {
    .name = "respond",
    .summary = "act as a device",
    .operands = "DEVICE",
    .about = "Acts as the device that the file DEVICE describes (see examples/device.cfg): its identity, measurements, "
             "capabilities and algorithms. Serves any number of clients at once until SIGTERM or SIGINT. SIGHUP reads "
             "DEVICE again; if there is a mistake in it, what was served before stays.",
    .more =
        "Examples:\n"
        "  spdm respond device.cfg\n"
        "  spdm respond --listen tcp://127.0.0.1 --listen emu+doe://127.0.0.1 --trace device.cfg\n"
        "  spdm respond --tell socket 'event measurement-changed 1,2'\n"
        "\n"
        "Exit code: 0 after a signal, 2 for a wrong option, description or command, 3 if there is no device to tell.",
    .operand_min = 1,
    .operand_max = 1,
    .operand_complete = SPDM_COMPLETE_FILE,
    .options = options_table,
    .main = spdm_respond_main,
};
