/* SPDX-License-Identifier: BSD-3-Clause
 *
 * flow.h - for tests of `spdm respond --app`: our ends of streams, on requesters of the library. */
#ifndef TESTS_CLI_FLOW_H
#define TESTS_CLI_FLOW_H
#include "app_data.h"
#include "support/asker.h"
#include "support/served.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { CHUNK = 4000, TEXT_MAX = 4000, FLOWS = 4, SIZE = 4600, MIB = 1 << 20 };

static struct served served;
static uv_loop_t loop;
static const struct spdm_goal open_one = {.want = SPDM_WANT_SESSION};

/* ---- our end of a stream ---- */

struct flow {
    struct asker *a;
    uint32_t session;
    struct spdm_app_stream s;
    const char *text; /* what we send; NULL: a pattern */
    size_t total, sent, got, held;
    bool open;                            /* we have more to say than total */
    bool lazy;                            /* we take nothing */
    bool ended;                           /* the other side has */
    char back[TEXT_MAX];                  /* the beginning of what came */
    char reason[SPDM_APP_REASON_MAX + 1]; /* of a RESET */
    uint8_t room[SPDM_APP_HEAD + CHUNK];
};

struct flows {
    struct flow *v[FLOWS];
    unsigned n;
};

static inline uint8_t byte_at(size_t i)
{
    return (uint8_t)((i * 2654435761u) >> 11);
}

static inline void fill(struct flow *f, struct spdm_app_source *source)
{
    size_t n = f->total - f->sent;
    if (n > CHUNK) n = CHUNK;
    for (size_t i = 0; i < n; i++)
        source->data[i] = f->text != NULL ? (uint8_t)f->text[f->sent + i] : byte_at(f->sent + i);
    source->n = n;
    source->end = !f->open;
}

static inline void flow_send(struct flow *f)
{
    struct spdm_app_source source = {.data = f->room + SPDM_APP_HEAD};
    struct spdm_span message;
    do {
        fill(f, &source);
        message = spdm_app_next(&f->s, &source, SIZE);
        if (message.n == 0 || !asker_send(f->a, f->session, message)) return;
        f->sent += spdm_app_sent(&f->s);
    } while (true);
}

static inline void idle(struct asker *a)
{
    struct flows *all = a->options.ctx;
    for (unsigned i = 0; i < all->n; i++)
        if (all->v[i]->a == a) flow_send(all->v[i]);
}

static inline void flow_data(struct flow *f, struct spdm_span data)
{
    struct spdm_app_message m = spdm_app_take(&f->s, data);
    switch (m.kind) {
    case SPDM_APP_DATA:
        for (size_t i = 0; i < m.bytes.n; i++) {
            if (f->text == NULL && m.bytes.p[i] != byte_at(f->got + i)) fail_msg("byte %zu is wrong", f->got + i);
            if (f->got + i < TEXT_MAX - 1) f->back[f->got + i] = (char)m.bytes.p[i];
        }
        f->got += m.bytes.n;
        if (f->lazy) f->held += m.bytes.n;
        else spdm_app_taken(&f->s, m.bytes.n);
        break;
    case SPDM_APP_END: f->ended = true; break;
    case SPDM_APP_RESET: memcpy(f->reason, m.bytes.p, m.bytes.n); break;
    case SPDM_APP_MORE: break;
    default: fail_msg("a message that is none: %s", f->s.reason);
    }
}

/* Numbers of sessions come back: the last that has it is meant. */
static inline void data(struct asker *a, uint32_t session, struct spdm_span bytes)
{
    struct flows *all = a->options.ctx;
    for (unsigned i = all->n; i-- > 0;) {
        if (all->v[i]->a != a || all->v[i]->session != session) continue;
        flow_data(all->v[i], bytes);
        return;
    }
    fail_msg("data in session %08x, which has no stream", session);
}

/* ---- helpers ---- */

static struct flows flows;

static inline struct asker *client(void)
{
    static char target[64], root[128];
    struct asker_options o = {.target = target, .root = root, .data = data, .idle = idle, .ctx = &flows};
    snprintf(target, sizeof target, "tcp://127.0.0.1:%u", served.port[0]);
    snprintf(root, sizeof root, "%s/w/root.pem", served.dir);
    return asker_open(&loop, &o);
}

static inline struct flow *flow_begin(struct asker *a, const char *text, size_t total)
{
    struct flow *f = calloc(1, sizeof *f);
    assert_non_null(f);
    if (!asker_ask(a, &open_one)) fail_msg("%s", a->why);
    assert_true(flows.n < FLOWS);
    f->a = a;
    f->session = a->opened;
    f->text = text;
    f->total = text != NULL ? strlen(text) : total;
    spdm_app_begin(&f->s, 0);
    flows.v[flows.n++] = f;
    return f;
}

static inline void forget_flows(void)
{
    for (unsigned i = 0; i < flows.n; i++) free(flows.v[i]);
    flows.n = 0;
}

static inline bool is_over(struct asker *a, void *ctx)
{
    const struct flow *f = ctx;
    return spdm_app_over(&f->s) || a->link == NULL;
}

static inline void run(struct flow *f)
{
    asker_serve(f->a);
    if (!asker_until(f->a, is_over, f))
        fail_msg("the stream is not over: %zu sent, %zu got, %u may be sent; %s", f->sent, f->got, f->s.credit,
                 f->a->why);
}

static inline void start(const char *app)
{
    const char *options[] = {"-l", "tcp://127.0.0.1:0", "--app", app, NULL};
    if (app == NULL) options[2] = NULL;
    forget_flows(); /* of a test that failed */
    served_start(&served, "", options);
}

static inline void stop(struct asker *a)
{
    asker_close(a);
    forget_flows();
    served_stop(&served);
}

static inline struct spdm_goal in(const struct flow *f, unsigned want)
{
    return (struct spdm_goal){.want = want, .session = f->session, .sign = true, .update = 2};
}

/* The session is what it was: SPDM messages pass, and wait for no stream that is held up; asker.h waits for no answer
 * any longer than a busy machine needs. */
static inline void is_alive(struct flow *f)
{
    struct spdm_goal goal = in(f, SPDM_WANT_MEASUREMENTS | SPDM_WANT_KEY_UPDATE);
    if (!asker_ask(f->a, &goal)) fail_msg("%s", f->a->why);
}

/* Turns the loop until so much has moved, however long that takes, and a while longer: what moves too far does so. */
static inline void hold_up(const size_t *moved, size_t least)
{
    uint64_t limit = uv_hrtime() + 20000000000u;
    for (unsigned rest = 300; rest != 0 && uv_hrtime() < limit; rest -= *moved >= least) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
}

static inline bool has_moved(struct asker *a, void *ctx)
{
    const struct flow *f = ctx;
    (void)a;
    return f->got >= f->held; /* here: the number of bytes waited for */
}

static inline int make(void **state)
{
    (void)state;
    served_make(&served);
    return uv_loop_init(&loop);
}

static inline int clean(void **state)
{
    (void)state;
    served_remove(&served);
    for (unsigned i = 0; i < 3000 && uv_loop_alive(&loop); i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    return uv_loop_close(&loop);
}
#endif
