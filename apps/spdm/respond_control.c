/* SPDX-License-Identifier: BSD-3-Clause
 *
 * respond_control.c - a running device is told what to do: lines on a local socket.
 *
 * Each line is a command; its answer is lines of text, the last of which is
 * "ok" or begins with "error:". Who may connect is decided by the file: it is
 * made for its owner only. */
#include "respond.h"

#include <assay/errand.h>
#include <assay/session.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define COMMAND_MAX 400
#define REPLY_MAX 2000

struct control_client {
    struct control_client *next;
    uv_pipe_t pipe;
    uv_write_t write;
    struct server *server;
    char line[COMMAND_MAX], reply[REPLY_MAX];
    size_t n;
    bool writing;
};

/* ---- commands ---- */

static void add(struct control_client *k, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct control_client *k, const char *format, ...)
{
    size_t n = strlen(k->reply);
    va_list args;
    va_start(args, format);
    vsnprintf(k->reply + n, sizeof k->reply - n, format, args);
    va_end(args);
}

static void status(struct control_client *k)
{
    struct server *s = k->server;
    char text[400];
    spdm_device_describe(s->generation->device, text, sizeof text);
    add(k, "device %s\n", text);
    for (unsigned i = 0; i < s->listener_n; i++)
        add(k, "listening on %s\n", spdm_listener_target(s->listener[i])->text);
    add(k, "clients %u\n", s->clients);
    for (struct client *c = s->live; c != NULL && strlen(k->reply) < REPLY_MAX - 200; c = c->older)
        if (c->link != NULL)
            add(k, "client %s: %u requests, %u refused, %u sessions\n", spdm_link_peer(c->link), c->requests,
                c->refusals, c->sessions);
    add(k, "ok\n");
}

/* "1,2,17" into a mask of so many bits. */
static bool read_list(const char *text, unsigned max, uint8_t *mask)
{
    char *end;
    do {
        unsigned long v = strtoul(text, &end, 10);
        if (end == text || v > max || (*end != '\0' && *end != ',')) return false;
        mask[v / 8] = (uint8_t)(mask[v / 8] | 1u << (v % 8));
        text = end + 1;
    } while (*end == ',');
    return true;
}

static void event(struct control_client *k, char *words)
{
    struct happened what = {.slots = 0};
    char *type = strtok_r(words, " ", &words), *list = strtok_r(NULL, " ", &words);
    bool measured = type != NULL && strcmp(type, spdm_device_event_names[SPDM_EVENT_MEASUREMENT_CHANGED]) == 0;
    bool ahead = type != NULL && strcmp(type, spdm_device_event_names[SPDM_EVENT_MEASUREMENT_PRE_UPDATE]) == 0;
    bool slots = type != NULL && strcmp(type, spdm_device_event_names[SPDM_EVENT_CERTIFICATE_CHANGED]) == 0;
    if (list == NULL || !(measured || ahead || slots) ||
        !read_list(list, slots ? SPDM_SLOT_N - 1 : 255,
                   measured ? what.changed
                   : ahead  ? what.ahead
                            : &what.slots)) {
        add(k, "error: event measurement-changed LIST, event measurement-pre-update LIST or event certificate-changed "
               "LIST expected, LIST as 1,2\n");
    } else if (k->server->generation->device->event_types == 0) {
        add(k, "error: the device has no events: the description lacks the group events\n");
    } else {
        add(k, "sessions %u\nok\n", spdm_respond_raise(k->server, &what));
    }
}

/* Numbers are given by each connection: there may be several sessions of this one. */
static void end_session(struct control_client *k, char *words)
{
    char *number = strtok_r(words, " ", &words), *how = strtok_r(NULL, " ", &words), *end = NULL;
    unsigned long id = number != NULL ? strtoul(number, &end, 16) : 0;
    bool now = how != NULL && strcmp(how, "now") == 0;
    unsigned there = 0, ends = 0;
    if (id == 0 || id > UINT32_MAX || *end != '\0' || (how != NULL && !now)) {
        add(k, "error: end-session NUMBER or end-session NUMBER now expected, NUMBER as the log has it: ffff0001\n");
        return;
    }
    for (struct client *c = k->server->live; c != NULL; c = c->older) {
        struct spdm_session_facts facts;
        if (c->link == NULL || !spdm_responder_session(c->engine, (uint32_t)id, &facts)) continue;
        there++;
        ends += spdm_responder_end(c->engine, (uint32_t)id, now);
    }
    if (there == 0) add(k, "error: there is no session %08lx\n", id);
    else if (ends == 0) add(k, "error: its requester cannot be told (SPDM 1.4, ENCAP_CAP), or not yet: try now\n");
    else add(k, "sessions %u\nok\n", ends);
}

static void obey(struct control_client *k)
{
    char *line = k->line, *command = strtok_r(line, " ", &line);
    k->reply[0] = '\0';
    if (command == NULL) add(k, "error: no command\n");
    else if (strcmp(command, "status") == 0) status(k);
    else if (strcmp(command, "event") == 0) event(k, line);
    else if (strcmp(command, "end-session") == 0) end_session(k, line);
    else if (strcmp(command, "reset") == 0)
        add(k, spdm_respond_reload(k->server, "reset") ? "ok\n" : "error: the device is as it was, see its log\n");
    else if (strcmp(command, "stop") == 0) {
        add(k, "ok\n");
        spdm_respond_stop(k->server, "told to");
    } else add(k, "error: \"%.40s\" is no command; known are status, event, end-session, reset, stop\n", command);
}

/* ---- the socket ---- */

static void on_gone(uv_handle_t *handle)
{
    struct control_client *k = handle->data, **at = &k->server->told_by;
    while (*at != k) at = &(*at)->next;
    *at = k->next;
    free(k);
}

static void hang_up(struct control_client *k)
{
    if (!uv_is_closing((uv_handle_t *)&k->pipe)) uv_close((uv_handle_t *)&k->pipe, on_gone);
}

static void next_line(struct control_client *k);

static void on_written(uv_write_t *write, int status)
{
    struct control_client *k = write->data;
    k->writing = false;
    if (status != 0) hang_up(k);
    else next_line(k);
}

/* One command after the other: the next when the answer has left. */
static void next_line(struct control_client *k)
{
    char *end = memchr(k->line, '\n', k->n);
    uv_buf_t out;
    size_t n;
    if (end == NULL || k->writing || uv_is_closing((uv_handle_t *)&k->pipe)) {
        if (end == NULL && k->n == sizeof k->line) hang_up(k);
        return;
    }
    *end = '\0';
    n = (size_t)(end - k->line) + 1;
    if (n > 1 && end[-1] == '\r') end[-1] = '\0';
    obey(k);
    memmove(k->line, k->line + n, k->n - n);
    k->n -= n;
    out = uv_buf_init(k->reply, (unsigned)strlen(k->reply));
    k->write.data = k;
    k->writing = uv_write(&k->write, (uv_stream_t *)&k->pipe, &out, 1, on_written) == 0;
    if (!k->writing) hang_up(k);
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    struct control_client *k = handle->data;
    (void)wanted;
    *out = uv_buf_init(k->line + k->n, (unsigned)(sizeof k->line - k->n));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct control_client *k = stream->data;
    (void)buffer;
    if (n < 0) {
        hang_up(k);
        return;
    }
    k->n += (size_t)n;
    next_line(k);
}

static void on_control(uv_stream_t *listener, int status)
{
    struct server *s = listener->data;
    struct control_client *k = status == 0 ? calloc(1, sizeof *k) : NULL;
    if (k == NULL) return;
    k->server = s;
    k->next = s->told_by;
    s->told_by = k;
    uv_pipe_init(&s->loop, &k->pipe, 0);
    k->pipe.data = k;
    uv_unref((uv_handle_t *)&k->pipe); /* nobody who looks on keeps the device from ending */
    if (uv_accept(listener, (uv_stream_t *)&k->pipe) != 0 ||
        uv_read_start((uv_stream_t *)&k->pipe, on_room, on_read) != 0)
        hang_up(k);
}

bool spdm_respond_control_open(struct server *s)
{
    const char *path = s->options->control;
    struct stat about;
    mode_t mask;
    int rc;
    if (path == NULL) return true;
    /* What a device left that did not end well; a socket that is in use stays so under no name. */
    if (lstat(path, &about) == 0 && S_ISSOCK(about.st_mode)) (void)unlink(path);
    uv_pipe_init(&s->loop, &s->control, 0);
    s->control.data = s;
    mask = umask(0177);
    rc = uv_pipe_bind(&s->control, path);
    (void)umask(mask);
    if (rc == 0) rc = uv_listen((uv_stream_t *)&s->control, 8, on_control);
    if (rc != 0) spdm_respond_say(s, "--control %s: %s", path, uv_strerror(rc));
    return rc == 0;
}

/* libuv removes the socket's file. */
void spdm_respond_control_close(struct server *s, bool clients)
{
    if (s->control.type == UV_NAMED_PIPE && !uv_is_closing((uv_handle_t *)&s->control))
        uv_close((uv_handle_t *)&s->control, NULL);
    for (struct control_client *k = s->told_by; clients && k != NULL; k = k->next) hang_up(k);
}

/* ---- the other end: --tell ---- */

static int show(FILE *answer)
{
    char line[REPLY_MAX];
    while (fgets(line, sizeof line, answer) != NULL) {
        if (strcmp(line, "ok\n") == 0) return SPDM_EXIT_OK;
        if (strncmp(line, "error:", 6) == 0) {
            fprintf(stderr, "spdm respond:%s", line + 6);
            return SPDM_EXIT_USAGE;
        }
        fputs(line, stdout);
    }
    fputs("spdm respond: the device ended before it answered\n", stderr);
    return SPDM_EXIT_UNREACHABLE;
}

int spdm_respond_tell(const char *path, const char *command)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), rc = SPDM_EXIT_UNREACHABLE;
    FILE *stream = fd >= 0 ? fdopen(fd, "r+") : NULL;
    if (strlen(path) >= sizeof to.sun_path || strchr(command, '\n') != NULL || strlen(command) > COMMAND_MAX - 2) {
        fputs("spdm respond: the path, or the command, is too long, or the command is more than a line\n", stderr);
        rc = SPDM_EXIT_USAGE;
    } else if (stream == NULL) {
        fprintf(stderr, "spdm respond: %s\n", strerror(errno));
    } else {
        memcpy(to.sun_path, path, strlen(path));
        if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
            fprintf(stderr, "spdm respond: --tell %s: %s\n", path, strerror(errno));
        else if (fprintf(stream, "%s\n", command) > 0 && fflush(stream) == 0) rc = show(stream);
    }
    if (stream != NULL) fclose(stream);
    else if (fd >= 0) close(fd);
    return rc;
}
