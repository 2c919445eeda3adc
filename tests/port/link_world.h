/* SPDX-License-Identifier: BSD-3-Clause
 *
 * link_world.h - one event loop with links on one or both sides, and raw sockets that misbehave.
 *
 * Everything happens in one thread: a raw socket reads and writes between turns
 * of the loop. Each wait is bounded; a test that waits in vain fails. */
#ifndef TEST_LINK_WORLD_H
#define TEST_LINK_WORLD_H
#include "bind/frames.h"
#include "port/emulator.h"
#include "port/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* What happened on one side. */
struct side {
    struct spdm_link *link; /* NULL after down */
    unsigned ups, frames, downs;
    size_t bytes;
    enum spdm_link_end end;
    char reason[SPDM_REASON_MAX];
    uint8_t last[70000];
    size_t last_n;
    bool echo, close_on_up, close_on_frame;
    unsigned drains, flood; /* flood: frames of 60000 bytes still to be sent, one whenever none waits */
};

struct world {
    uv_loop_t loop;
    struct spdm_listener *listener;
    struct side client, server; /* the server side of all clients together */
    unsigned accepted, notes, shutdowns, taps, requests, sent;
    bool refuse;
    char note[128];
};

static inline void side_up(void *ctx, struct spdm_link *link)
{
    struct side *s = ctx;
    s->ups++;
    if (s->close_on_up) {
        s->link = NULL;
        spdm_link_close(link);
    }
}

static inline void side_frame(void *ctx, struct spdm_link *link, struct spdm_span frame)
{
    struct side *s = ctx;
    const struct spdm_binding *b = spdm_link_target(link)->binding;
    s->frames++;
    s->bytes += frame.n;
    assert_true(frame.n <= sizeof s->last);
    memcpy(s->last, frame.p, frame.n);
    s->last_n = frame.n;
    if (s->close_on_frame) {
        s->link = NULL;
        spdm_link_close(link);
        return;
    }
    if (s->echo && b->control != NULL && b->unwrap(frame).kind == SPDM_FRAME_CONTROL) {
        uint8_t out[16];
        size_t n = b->control(frame, (struct spdm_room){out, sizeof out});
        (void)spdm_link_send(link, (struct spdm_span){out, n});
    } else if (s->echo) {
        (void)spdm_link_send(link, frame);
    }
}

static inline void side_down(void *ctx, struct spdm_link *link, enum spdm_link_end end, const char *reason)
{
    struct side *s = ctx;
    (void)link;
    s->downs++;
    s->end = end;
    snprintf(s->reason, sizeof s->reason, "%s", reason);
    s->link = NULL;
}

static inline void *world_accept(void *ctx, struct spdm_listener *listener, struct spdm_link *link)
{
    struct world *w = ctx;
    (void)listener;
    w->accepted++;
    w->server.link = w->refuse ? NULL : link;
    return w->refuse ? NULL : &w->server;
}

static inline void world_note(void *ctx, struct spdm_listener *listener, bool shutdown, const char *text)
{
    struct world *w = ctx;
    (void)listener;
    w->notes++;
    w->shutdowns += shutdown;
    snprintf(w->note, sizeof w->note, "%s", text);
}

static inline void world_tap(void *ctx, const struct spdm_tapped *t)
{
    struct world *w = ctx;
    w->taps++;
    w->requests += t->request;
    w->sent += t->sent;
    assert_true(t->time.tv_sec > 1600000000);
}

static inline void side_flood(struct side *s, struct spdm_link *link)
{
    static const uint8_t frame[60000];
    while (s->flood != 0 && spdm_link_waiting(link) == 0 && spdm_link_send(link, (struct spdm_span){frame, 60000}))
        s->flood--;
}

static inline void side_drained(void *ctx, struct spdm_link *link)
{
    struct side *s = ctx;
    s->drains++;
    side_flood(s, link);
}

static const struct spdm_link_events side_events = {
    .up = side_up, .frame = side_frame, .down = side_down, .drained = side_drained};

static inline struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    return w;
}

static inline struct spdm_target target_at(const char *scheme, uint16_t port)
{
    struct spdm_target t;
    char text[64], error[SPDM_REASON_MAX];
    snprintf(text, sizeof text, "%s://127.0.0.1:%u", scheme, port);
    if (!spdm_target_parse(text, true, &t, error)) fail_msg("%s", error);
    return t;
}

static inline uint16_t world_listen(struct world *w, const char *scheme, struct spdm_listen_options options)
{
    struct spdm_target t = target_at(scheme, 0);
    char error[SPDM_REASON_MAX] = "";
    options.events = (struct spdm_listen_events){side_events, world_accept, world_note};
    options.ctx = w;
    if (options.link.tap == NULL) {
        options.link.tap = world_tap;
        options.link.tap_ctx = w;
    }
    w->listener = spdm_listener_open(&w->loop, &t, &options, error);
    if (w->listener == NULL) fail_msg("%s", error);
    assert_int_not_equal(spdm_listener_target(w->listener)->port, 0);
    return spdm_listener_target(w->listener)->port;
}

static inline void world_connect(struct world *w, const char *scheme, uint16_t port, struct spdm_link_options options)
{
    struct spdm_target t = target_at(scheme, port);
    w->client.link = spdm_link_connect(&w->loop, &t, &options, &side_events, &w->client);
    assert_non_null(w->client.link);
    assert_int_equal(w->client.downs, 0);
}

static inline void turn(struct world *w)
{
    uv_run(&w->loop, UV_RUN_NOWAIT);
    usleep(300);
}

#define WAIT_MS 5000
/* Turns the loop until the condition holds. */
#define wait_for(w, condition)                                                                                         \
    do {                                                                                                               \
        uint64_t until_ = uv_hrtime() + WAIT_MS * 1000000ull;                                                          \
        while (!(condition)) {                                                                                         \
            turn(w);                                                                                                   \
            if (uv_hrtime() > until_)                                                                                  \
                fail_msg("waited in vain for %s (server: %s, client: %s)", #condition, (w)->server.reason,             \
                         (w)->client.reason);                                                                          \
        }                                                                                                              \
    } while (0)

/* Everything is closed and nothing is left behind. */
static inline void world_free(struct world *w)
{
    if (w->client.link != NULL) spdm_link_close(w->client.link);
    if (w->listener != NULL) spdm_listener_close(w->listener);
    for (unsigned i = 0; i < 20000 && uv_loop_alive(&w->loop); i++) turn(w);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    free(w);
}

/* ---- raw sockets ---- */

static inline int raw_nonblocking(int fd)
{
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static inline struct sockaddr_in raw_address(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static inline int raw_connect(uint16_t port)
{
    struct sockaddr_in a = raw_address(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return raw_nonblocking(fd);
}

static inline int raw_listen(uint16_t *port)
{
    struct sockaddr_in a = raw_address(0);
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *port = ntohs(a.sin_port);
    return raw_nonblocking(fd);
}

static inline int raw_accept(struct world *w, int listening)
{
    int fd = -1;
    wait_for(w, (fd = accept(listening, NULL, NULL)) >= 0);
    return raw_nonblocking(fd);
}

static inline void raw_send(int fd, const char *hex)
{
    struct spdm_span bytes = frame_of(hex);
    assert_int_equal(send(fd, bytes.p, bytes.n, MSG_NOSIGNAL), bytes.n);
    free((void *)bytes.p);
}

/* The next bytes are exactly these. */
static inline void raw_expect(struct world *w, int fd, const char *hex)
{
    struct spdm_span want = frame_of(hex);
    uint8_t *got = malloc(want.n ? want.n : 1);
    size_t n = 0;
    assert_non_null(got);
    while (n < want.n) {
        ssize_t r = -1;
        wait_for(w, (r = recv(fd, got + n, want.n - n, 0)) >= 0 || errno != EAGAIN);
        if (r <= 0) fail_msg("the stream ended after %zu of %zu bytes of %s (%s)", n, want.n, hex, w->server.reason);
        n += (size_t)r;
    }
    assert_memory_equal(got, want.p, want.n);
    free(got);
    free((void *)want.p);
}

/* The stream ends here, in order or by reset. */
static inline void raw_expect_end(struct world *w, int fd)
{
    uint8_t byte;
    ssize_t r = -1;
    wait_for(w, (r = recv(fd, &byte, 1, 0)) >= 0 || errno != EAGAIN);
    if (r > 0) fail_msg("a byte 0x%02x instead of the end", byte);
    close(fd);
}
#endif
