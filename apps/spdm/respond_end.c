/* SPDX-License-Identifier: BSD-3-Clause
 *
 * respond_end.c - where a stream ends: a shell command's standard input and output, or a connection.
 *
 * What cannot be written at once is copied; it is never more than the peer was
 * granted. An end outlives its stream until libuv has let go of it; a process
 * whose stream is gone is asked to end, and made to two seconds later. */
#include "respond.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 2000
#define VARIABLES 3

extern char **environ;

struct app_end {
    struct app *app; /* NULL: the stream is gone */
    struct server *server;
    union {
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tcp_t tcp;
    } to, from; /* a connection uses the first for both */
    uv_process_t process;
    uv_timer_t timer;
    uv_connect_t connect;
    uv_getaddrinfo_t lookup;
    uv_shutdown_t shutdown;
    struct addrinfo *list, *next;
    bool command, looking;    /* looking: for the addresses of a name */
    bool up, reading, finish; /* finish: nothing more comes from the peer */
    bool deaf;                /* it does not read any more */
    bool eof, exited, told;
    int64_t status;
    int signal, failure; /* of reading: a UV_ code */
    uint8_t *early;      /* what came before it was up */
    size_t early_n;
    unsigned held; /* handles and requests that libuv knows of */
};

static void let_go(struct app_end *e)
{
    if (--e->held != 0) return;
    e->server->ends--;
    if (e->list != NULL) uv_freeaddrinfo(e->list);
    free(e->early);
    free(e);
}

static void on_closed(uv_handle_t *handle)
{
    let_go(handle->data);
}

static void close_handle(void *handle)
{
    uv_handle_t *h = handle;
    if (h->type != UV_UNKNOWN_HANDLE && !uv_is_closing(h)) uv_close(h, on_closed);
}

static uv_stream_t *source(struct app_end *e)
{
    return e->command ? &e->from.stream : &e->to.stream;
}

/* ---- the end of the end ---- */

static void on_late(uv_timer_t *timer)
{
    struct app_end *e = timer->data;
    if (!e->exited) (void)uv_kill(-e->process.pid, SIGKILL);
    close_handle(timer);
}

void spdm_respond_end_close(struct app_end *e)
{
    e->app = NULL;
    e->held++; /* not gone before we are through */
    close_handle(&e->to);
    if (e->command) close_handle(&e->from);
    if (e->command && !e->exited) {
        (void)uv_kill(-e->process.pid, SIGTERM);
        (void)uv_timer_start(&e->timer, on_late, PATIENCE_MS, 0);
        uv_unref((uv_handle_t *)&e->timer); /* the process itself is waited for */
    } else {
        close_handle(&e->timer);
    }
    if (e->looking) (void)uv_cancel((uv_req_t *)&e->lookup);
    let_go(e);
}

/* Tells the stream once that nothing more comes: of a command when it has ended, too. */
static void tell(struct app_end *e)
{
    char reason[SPDM_APP_REASON_MAX];
    if (e->told || e->app == NULL || !e->eof || (e->command && !e->exited)) return;
    e->told = true;
    if (e->signal != 0) snprintf(reason, sizeof reason, "the application was ended by signal %d", e->signal);
    else if (e->status != 0) snprintf(reason, sizeof reason, "the application ended with status %d", (int)e->status);
    else if (e->failure != 0) snprintf(reason, sizeof reason, "the application is gone: %s", uv_strerror(e->failure));
    spdm_respond_app_ended(e->app, e->signal != 0 || e->status != 0 || e->failure != 0 ? reason : NULL);
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    struct app_end *e = handle->data;
    struct spdm_room room = e->app != NULL ? spdm_respond_app_room(e->app) : (struct spdm_room){NULL, 0};
    (void)hint;
    *buf = uv_buf_init((char *)room.p, (unsigned)room.n);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct app_end *e = stream->data;
    (void)buf;
    if (e->app == NULL || n == 0) return;
    if (n > 0) {
        spdm_respond_app_came(e->app, (size_t)n);
        return;
    }
    (void)uv_read_stop(stream); /* UV_ENOBUFS: what waits has to leave first */
    e->reading = false;
    if (n == UV_ENOBUFS) return;
    e->eof = true;
    if (n != UV_EOF) e->failure = (int)n;
    tell(e);
}

void spdm_respond_end_read(struct app_end *e)
{
    if (e->reading || !e->up || e->eof || spdm_respond_app_room(e->app).n == 0) return;
    e->reading = uv_read_start(source(e), on_alloc, on_read) == 0;
}

/* ---- writing ---- */

struct writing {
    uv_write_t request;
    struct app_end *end;
    size_t n;
    uint8_t bytes[];
};

static void on_written(uv_write_t *request, int status)
{
    struct writing *w = request->data;
    struct app_end *e = w->end;
    size_t n = w->n;
    free(w);
    if (status < 0) e->deaf = true;
    if (e->app != NULL) {
        spdm_respond_app_taken(e->app, n);
        spdm_respond_serve(e->app->client); /* credit may be due */
    }
    let_go(e);
}

/* The rest of what could not be written at once; false: memory is short, or the other side is deaf. */
static bool write_later(struct app_end *e, struct spdm_span data)
{
    struct writing *w = malloc(sizeof *w + data.n);
    uv_buf_t buf;
    if (w == NULL) return false;
    w->request.data = w;
    w->end = e;
    w->n = data.n;
    memcpy(w->bytes, data.p, data.n);
    buf = uv_buf_init((char *)w->bytes, (unsigned)data.n);
    if (uv_write(&w->request, &e->to.stream, &buf, 1, on_written) == 0) {
        e->held++;
        return true;
    }
    free(w);
    return false;
}

static void write_now(struct app_end *e, struct spdm_span data)
{
    uv_buf_t buf = {.len = data.n};
    int done;
    memcpy(&buf.base, &data.p, sizeof buf.base); /* libuv's buffers are not const; a write only reads them */
    done = e->deaf ? 0 : uv_try_write(&e->to.stream, &buf, 1);
    if (done == UV_EAGAIN) done = 0;
    if (done < 0) e->deaf = true;
    if (done > 0) {
        spdm_respond_app_taken(e->app, (size_t)done);
        data = (struct spdm_span){data.p + done, data.n - (size_t)done};
    }
    if (data.n == 0) return;
    if (!e->deaf && write_later(e, data)) return;
    e->deaf = true; /* like a pipe whose reader is gone: what comes is thrown away */
    spdm_respond_app_taken(e->app, data.n);
}

void spdm_respond_end_write(struct app_end *e, struct spdm_span data)
{
    uint8_t *more;
    if (e->up) {
        write_now(e, data);
        return;
    }
    more = realloc(e->early, e->early_n + data.n);
    if (more == NULL) {
        spdm_respond_app_taken(e->app, data.n);
        e->deaf = true;
        return;
    }
    memcpy(more + e->early_n, data.p, data.n);
    e->early = more;
    e->early_n += data.n;
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    (void)status;
    let_go(request->data);
}

void spdm_respond_end_finish(struct app_end *e)
{
    e->finish = true;
    if (!e->up || e->deaf) return;
    e->shutdown.data = e;
    if (uv_shutdown(&e->shutdown, &e->to.stream, on_shutdown) == 0) e->held++;
}

/* Both ways are open. */
static void rise(struct app_end *e)
{
    e->up = true;
    if (e->early_n != 0) write_now(e, (struct spdm_span){e->early, e->early_n});
    free(e->early);
    e->early = NULL;
    e->early_n = 0;
    if (e->finish) spdm_respond_end_finish(e);
    spdm_respond_end_read(e);
}

/* ---- a command ---- */

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
    struct app_end *e = process->data;
    e->exited = true;
    e->status = status;
    e->signal = signal;
    close_handle(process);
    if (e->app == NULL) close_handle(&e->timer);
    tell(e);
}

/* Ours, and who is at the other end. Freed by the caller, with the first three texts. */
static char **surroundings(const struct app *a)
{
    const char *const names[VARIABLES] = {"SPDM_PEER", "SPDM_SESSION", "SPDM_REQUESTER"};
    char session[9];
    const char *const values[VARIABLES] = {spdm_link_peer(a->client->link), session, a->client->requester};
    size_t n = 0;
    char **env;
    snprintf(session, sizeof session, "%08x", a->session);
    while (environ[n] != NULL) n++;
    env = calloc(n + VARIABLES + 1, sizeof *env);
    if (env == NULL) return NULL;
    for (unsigned i = 0; i < VARIABLES; i++) {
        size_t cap = strlen(names[i]) + strlen(values[i]) + 2;
        env[i] = malloc(cap);
        if (env[i] != NULL) snprintf(env[i], cap, "%s=%s", names[i], values[i]);
        else env[i] = strdup("");
    }
    memcpy(env + VARIABLES, environ, n * sizeof *env);
    return env;
}

static int spawn(struct app_end *e, const char *command)
{
    char shell[] = "/bin/sh", option[] = "-c", *text = strdup(command), **env = surroundings(e->app);
    char *args[] = {shell, option, text, NULL};
    uv_stdio_container_t stdio[3] = {{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data = {&e->to.stream}},
                                     {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data = {&e->from.stream}},
                                     {.flags = UV_INHERIT_FD, .data = {.fd = STDERR_FILENO}}};
    /* detached: a group of its own, that can be ended as a whole */
    uv_process_options_t options = {.exit_cb = on_exit_of,
                                    .file = shell,
                                    .args = args,
                                    .env = env,
                                    .flags = UV_PROCESS_DETACHED,
                                    .stdio_count = 3,
                                    .stdio = stdio};
    int status = UV_ENOMEM;
    e->process.data = e;
    if (text != NULL && env != NULL) {
        status = uv_spawn(&e->server->loop, &e->process, &options);
        e->held++;
    }
    if (status != 0) e->exited = true;
    for (unsigned i = 0; env != NULL && i < VARIABLES; i++) free(env[i]);
    free(env);
    free(text);
    return status;
}

static int open_command(struct app_end *e)
{
    int status;
    e->command = true;
    (void)uv_pipe_init(&e->server->loop, &e->to.pipe, 0);
    (void)uv_pipe_init(&e->server->loop, &e->from.pipe, 0);
    e->to.stream.data = e->from.stream.data = e;
    e->held += 2;
    status = spawn(e, e->server->options->app.text);
    if (status != 0 && e->process.type != UV_UNKNOWN_HANDLE) close_handle(&e->process);
    if (status == 0) rise(e);
    return status;
}

/* ---- a connection ---- */

static void try_next(struct app_end *e);

static void unreachable(struct app_end *e, int status)
{
    char reason[SPDM_APP_REASON_MAX];
    snprintf(reason, sizeof reason, "no application: %s", uv_strerror(status));
    e->told = true;
    spdm_respond_app_ended(e->app, reason);
}

static void on_attempt_closed(uv_handle_t *handle)
{
    struct app_end *e = handle->data;
    if (e->app != NULL) try_next(e);
    let_go(e);
}

static void on_connected(uv_connect_t *request, int status)
{
    struct app_end *e = request->data;
    if (e->app != NULL && status == 0) rise(e);
    else if (e->app != NULL && e->next != NULL) uv_close((uv_handle_t *)&e->to, on_attempt_closed);
    else if (e->app != NULL) unreachable(e, status);
    let_go(e);
}

static void try_next(struct app_end *e)
{
    struct addrinfo *at = e->next;
    int status;
    e->next = at->ai_next;
    (void)uv_tcp_init(&e->server->loop, &e->to.tcp);
    e->to.stream.data = e;
    e->held++;
    e->connect.data = e;
    status = uv_tcp_connect(&e->connect, &e->to.tcp, at->ai_addr, on_connected);
    if (status == 0) e->held++;
    else if (e->next != NULL) uv_close((uv_handle_t *)&e->to, on_attempt_closed);
    else unreachable(e, status);
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct app_end *e = request->data;
    e->looking = false;
    e->list = e->next = list;
    if (e->app != NULL && status == 0) try_next(e);
    else if (e->app != NULL) unreachable(e, status);
    let_go(e);
}

static int look_up(struct app_end *e)
{
    const struct app_plan *plan = &e->server->options->app;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    int status;
    e->lookup.data = e;
    status = uv_getaddrinfo(&e->server->loop, &e->lookup, on_found, plan->host, plan->port, &hints);
    e->looking = status == 0;
    e->held += e->looking;
    return status;
}

static int open_path(struct app_end *e)
{
    (void)uv_pipe_init(&e->server->loop, &e->to.pipe, 0);
    e->to.stream.data = e;
    e->connect.data = e;
    e->held += 2;
    uv_pipe_connect(&e->connect, &e->to.pipe, e->server->options->app.text, on_connected);
    return 0;
}

/* ---- beginning ---- */

struct app_end *spdm_respond_end_open(struct app *app, char *error, size_t cap)
{
    struct app_end *e = calloc(1, sizeof *e);
    enum app_kind kind = app->client->server->options->app.kind;
    int status;
    snprintf(error, cap, "out of memory");
    if (e == NULL) return NULL;
    e->app = app;
    e->server = app->client->server;
    e->server->ends++;
    (void)uv_timer_init(&e->server->loop, &e->timer);
    e->timer.data = e;
    e->held = 1;
    status = kind == APP_EXEC ? open_command(e) : kind == APP_PATH ? open_path(e) : look_up(e);
    if (status == 0) return e;
    snprintf(error, cap, "no application: %s", uv_strerror(status));
    spdm_respond_end_close(e);
    return NULL;
}
