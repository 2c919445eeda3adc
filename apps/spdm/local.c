/* SPDX-License-Identifier: BSD-3-Clause
 *
 * local.c - file descriptors as streams of the loop.
 *
 * Terminals, pipes and sockets are libuv's; a file, which no poller takes, is
 * read from an idle handle and written where it stands. Standard input and
 * output are shared with whoever started us: their flags are put back as they
 * were. */
#include "local.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_READ = 65536, STDIO_LAST = 2 };

/* One descriptor. */
struct end {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tty_t tty;
        uv_tcp_t tcp;
    } uv;
    int fd, flags;
    uv_handle_type type; /* UV_FILE: not libuv's */
    bool open;
};

struct spdm_local {
    const struct spdm_local_events *events;
    void *ctx;
    struct end first, second; /* second: the output, if it is another descriptor */
    struct end *out;
    uv_idle_t feed; /* reads a file */
    uv_shutdown_t shutdown;
    bool ended, finishing, finished, broken, closing;
    size_t waiting;
    unsigned held; /* handles and requests that libuv knows of */
};

static void release(struct spdm_local *l)
{
    if (--l->held == 0) free(l);
}

/* ---- opening ---- */

/* A handle that begins to exist must be closed, whether it can be opened or not. */
static int begin(struct spdm_local *l, struct end *e, uv_loop_t *loop)
{
    int rc = e->type == UV_TTY          ? uv_tty_init(loop, &e->uv.tty, e->fd, 0)
             : e->type == UV_NAMED_PIPE ? uv_pipe_init(loop, &e->uv.pipe, 0)
                                        : uv_tcp_init(loop, &e->uv.tcp);
    if (rc != 0) return rc;
    e->uv.handle.data = l;
    e->open = true;
    l->held++;
    if (e->type == UV_NAMED_PIPE) return uv_pipe_open(&e->uv.pipe, e->fd);
    return e->type == UV_TCP ? uv_tcp_open(&e->uv.tcp, e->fd) : 0;
}

static int open_end(struct spdm_local *l, struct end *e, uv_loop_t *loop, int fd)
{
    e->fd = fd;
    e->flags = fcntl(fd, F_GETFL);
    if (e->flags < 0) return uv_translate_sys_error(errno);
    e->type = uv_guess_handle(fd);
    if (e->type == UV_TTY || e->type == UV_NAMED_PIPE || e->type == UV_TCP) return begin(l, e, loop);
    e->type = UV_FILE;
    e->open = true;
    return 0;
}

struct spdm_local *spdm_local_open(const struct spdm_local_setup *setup, const char **error)
{
    struct spdm_local *l = calloc(1, sizeof *l);
    int rc = UV_ENOMEM;
    if (l == NULL) {
        *error = uv_strerror(rc);
        return NULL;
    }
    l->events = setup->events;
    l->ctx = setup->ctx;
    l->out = setup->out != setup->in ? &l->second : &l->first;
    uv_idle_init(setup->loop, &l->feed);
    l->feed.data = l;
    l->held = 1;
    rc = open_end(l, &l->first, setup->loop, setup->in);
    if (rc == 0 && setup->out != setup->in) rc = open_end(l, &l->second, setup->loop, setup->out);
    if (rc == 0) return l;
    *error = uv_strerror(rc);
    spdm_local_close(l);
    return NULL;
}

/* ---- reading ---- */

static void ended(struct spdm_local *l, const char *error)
{
    if (l->ended) return;
    l->ended = true;
    l->events->ended(l->ctx, error);
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    struct spdm_local *l = handle->data;
    struct spdm_room room = l->events->room(l->ctx);
    (void)hint;
    *buf = uv_buf_init((char *)room.p, (unsigned)room.n);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct spdm_local *l = stream->data;
    (void)buf;
    if (n > 0) {
        l->events->came(l->ctx, (size_t)n);
    } else if (n < 0) {
        uv_read_stop(stream);
        if (n == UV_EOF) ended(l, NULL);
        else if (n != UV_ENOBUFS) ended(l, uv_strerror((int)n)); /* ENOBUFS: there was no room */
    }
}

static void on_feed(uv_idle_t *feed)
{
    struct spdm_local *l = feed->data;
    struct spdm_room room = l->events->room(l->ctx);
    ssize_t n;
    if (room.n == 0) {
        uv_idle_stop(feed);
        return;
    }
    do n = read(l->first.fd, room.p, room.n < FILE_READ ? room.n : FILE_READ);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        l->events->came(l->ctx, (size_t)n);
        return;
    }
    if (n < 0 && errno == EAGAIN) return;
    uv_idle_stop(feed);
    ended(l, n < 0 ? strerror(errno) : NULL);
}

void spdm_local_read(struct spdm_local *l)
{
    if (l->ended || l->closing) return;
    if (l->first.type == UV_FILE) uv_idle_start(&l->feed, on_feed);
    else (void)uv_read_start(&l->first.uv.stream, on_alloc, on_read); /* EALREADY is as good */
}

/* ---- writing ---- */

struct pending {
    uv_write_t request;
    struct spdm_local *local;
    size_t n;
    uint8_t bytes[];
};

static void broken(struct spdm_local *l, const char *error)
{
    if (l->broken || l->closing) return;
    l->broken = true;
    l->events->broken(l->ctx, error);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    (void)status;
    release(request->data);
}

static void on_end_closed(uv_handle_t *handle)
{
    release(handle->data);
}

/* Standard output is given up: its reader waits for the end, and the number must not be anybody else's. */
static void end_standard(int fd)
{
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nothing < 0) return;
    (void)dup2(nothing, fd);
    close(nothing);
}

/* Puts the flags back; libuv closes what is not standard. */
static void close_end(struct end *e)
{
    if (!e->open) return;
    e->open = false;
    (void)fcntl(e->fd, F_SETFL, e->flags);
    if (e->type != UV_FILE) uv_close(&e->uv.handle, on_end_closed);
    else if (e->fd > STDIO_LAST) close(e->fd);
}

/* Everything is written: tells who reads. */
static void finish(struct spdm_local *l)
{
    if (!l->finishing || l->finished || l->waiting != 0 || l->broken || l->closing) return;
    l->finished = true;
    if (l->out == &l->second) {
        close_end(&l->second);
        if (l->second.fd <= STDIO_LAST && l->second.type == UV_NAMED_PIPE) end_standard(l->second.fd);
    } else if (l->first.type != UV_FILE) {
        l->shutdown.data = l;
        if (uv_shutdown(&l->shutdown, &l->first.uv.stream, on_shutdown) == 0) l->held++;
    }
}

static void on_written(uv_write_t *request, int status)
{
    struct pending *p = request->data;
    struct spdm_local *l = p->local;
    size_t n = p->n;
    free(p);
    l->waiting -= n;
    if (status != 0) broken(l, uv_strerror(status));
    else if (!l->closing) l->events->taken(l->ctx, n);
    finish(l);
    release(l);
}

static void write_file(struct spdm_local *l, struct spdm_span data)
{
    size_t done = 0;
    while (done < data.n) {
        ssize_t n = write(l->out->fd, data.p + done, data.n - done);
        if (n >= 0) {
            done += (size_t)n;
        } else if (errno == EAGAIN) {
            struct pollfd wait = {.fd = l->out->fd, .events = POLLOUT};
            (void)poll(&wait, 1, -1);
        } else if (errno != EINTR) {
            broken(l, strerror(errno));
            return;
        }
    }
    l->events->taken(l->ctx, done);
}

/* What libuv did not take at once waits in a copy. */
static void queue(struct spdm_local *l, struct spdm_span rest)
{
    struct pending *p = malloc(sizeof *p + rest.n);
    int rc = UV_ENOMEM;
    if (p != NULL) {
        *p = (struct pending){.local = l, .n = rest.n};
        p->request.data = p;
        memcpy(p->bytes, rest.p, rest.n);
        uv_buf_t buf = uv_buf_init((char *)p->bytes, (unsigned)rest.n);
        rc = uv_write(&p->request, &l->out->uv.stream, &buf, 1, on_written);
    }
    if (rc != 0) {
        free(p);
        broken(l, uv_strerror(rc));
        return;
    }
    l->held++;
    l->waiting += rest.n;
}

void spdm_local_write(struct spdm_local *l, struct spdm_span data)
{
    int n = 0;
    if (l->broken || l->finishing || l->closing || data.n == 0) return;
    if (l->out->type == UV_FILE) {
        write_file(l, data);
        return;
    }
    if (l->waiting == 0) {
        uv_buf_t buf = {.base = NULL, .len = data.n};
        memcpy(&buf.base, &data.p, sizeof buf.base); /* libuv's buffers are not const; a write only reads them */
        n = uv_try_write(&l->out->uv.stream, &buf, 1);
        if (n == UV_EAGAIN) n = 0;
        if (n < 0) {
            broken(l, uv_strerror(n));
            return;
        }
    }
    if ((size_t)n < data.n) queue(l, (struct spdm_span){data.p + n, data.n - (size_t)n});
    if (n != 0) l->events->taken(l->ctx, (size_t)n);
}

void spdm_local_finish(struct spdm_local *l)
{
    l->finishing = true;
    finish(l);
}

bool spdm_local_waiting(const struct spdm_local *l)
{
    return l->waiting != 0 && !l->broken;
}

void spdm_local_close(struct spdm_local *l)
{
    if (l == NULL) return;
    l->closing = true;
    close_end(&l->second);
    close_end(&l->first);
    uv_close((uv_handle_t *)&l->feed, on_end_closed);
}
