/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_crowd_sessions.c - `spdm respond --app echo` with many clients, each with a session and a stream in it, all at
 * once. */
#include "app_data.h"
#include "support/asker.h"
#include "support/served.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

enum { CROWD = 150, WAVES = 2, CHUNK = 3000, BYTES = 60000 };

static struct served served;
static uv_loop_t loop;

struct visitor {
    struct asker *a;
    struct spdm_app_stream s;
    size_t sent, got;
    bool streaming, ended;
    uint8_t room[SPDM_APP_HEAD + CHUNK];
};

static struct visitor *visitors;

static uint8_t byte_at(const struct visitor *v, size_t i)
{
    return (uint8_t)(i * 31 + (size_t)(v - visitors) * 7);
}

static void idle(struct asker *a)
{
    struct visitor *v = a->options.ctx;
    struct spdm_app_source source = {.data = v->room + SPDM_APP_HEAD, .end = true};
    struct spdm_span message;
    while (v->streaming) {
        source.n = BYTES - v->sent < CHUNK ? BYTES - v->sent : CHUNK;
        for (size_t i = 0; i < source.n; i++) source.data[i] = byte_at(v, v->sent + i);
        message = spdm_app_next(&v->s, &source, CHUNK);
        if (message.n == 0 || !asker_send(a, a->opened, message)) return;
        v->sent += spdm_app_sent(&v->s);
    }
}

static void data(struct asker *a, uint32_t session, struct spdm_span bytes)
{
    struct visitor *v = a->options.ctx;
    struct spdm_app_message m = spdm_app_take(&v->s, bytes);
    assert_int_equal(session, a->opened);
    assert_true(m.kind <= SPDM_APP_MORE);
    for (size_t i = 0; m.kind == SPDM_APP_DATA && i < m.bytes.n; i++)
        assert_int_equal(m.bytes.p[i], byte_at(v, v->got + i));
    if (m.kind == SPDM_APP_DATA) {
        v->got += m.bytes.n;
        spdm_app_taken(&v->s, m.bytes.n);
    }
    v->ended = v->ended || m.kind == SPDM_APP_END;
}

static bool all_are_done(struct asker *a, void *ctx)
{
    (void)a;
    (void)ctx;
    for (unsigned i = 0; i < CROWD; i++) {
        if (visitors[i].a->failed) fail_msg("client %u: %s", i, visitors[i].a->why);
        if (!visitors[i].a->done) return false;
    }
    return true;
}

static bool all_have_ended(struct asker *a, void *ctx)
{
    (void)a;
    (void)ctx;
    for (unsigned i = 0; i < CROWD; i++) {
        if (visitors[i].a->link == NULL) fail_msg("client %u: %s", i, visitors[i].a->why);
        if (!spdm_app_over(&visitors[i].s)) return false;
    }
    return true;
}

static void everybody(struct spdm_goal goal, bool in_session)
{
    for (unsigned i = 0; i < CROWD; i++) {
        goal.session = in_session ? visitors[i].a->opened : 0;
        asker_begin(visitors[i].a, &goal);
    }
    if (!asker_until(visitors[0].a, all_are_done, NULL)) fail_msg("not done in time");
}

static void come(void)
{
    static char target[2][64], root[128];
    snprintf(root, sizeof root, "%s/w/root.pem", served.dir);
    snprintf(target[0], sizeof target[0], "tcp://127.0.0.1:%u", served.port[0]);
    snprintf(target[1], sizeof target[1], "emu+mctp://127.0.0.1:%u", served.port[1]);
    for (unsigned i = 0; i < CROWD; i++) {
        visitors[i] = (struct visitor){.a = NULL};
        visitors[i].a = asker_open(&loop, &(struct asker_options){.target = target[i % 2],
                                                                  .root = root,
                                                                  .version = i % 3 == 0 ? SPDM_V12 : SPDM_V14,
                                                                  .like = i != 0 ? visitors[0].a : NULL,
                                                                  .data = data,
                                                                  .idle = idle,
                                                                  .ctx = &visitors[i]});
    }
}

/* Sessions for all, data for all at once, new keys for all; some end theirs, the others just leave. */
static void wave(void)
{
    const struct spdm_goal open = {.want = SPDM_WANT_SESSION | SPDM_WANT_MEASUREMENTS, .sign = true};
    const struct spdm_goal update = {.want = SPDM_WANT_KEY_UPDATE, .update = 2};
    const struct spdm_goal end = {.want = SPDM_WANT_END_SESSION};
    come();
    everybody(open, false);
    for (unsigned i = 0; i < CROWD; i++) {
        spdm_app_begin(&visitors[i].s, 0);
        visitors[i].streaming = true;
        asker_serve(visitors[i].a);
    }
    everybody(update, true);
    if (!asker_until(visitors[0].a, all_have_ended, NULL)) fail_msg("streams did not end in time");
    for (unsigned i = 0; i < CROWD; i++) {
        assert_int_equal(visitors[i].got, BYTES);
        assert_true(visitors[i].ended);
    }
    everybody(update, true);
    for (unsigned i = CROWD; i-- > 0;) {
        struct spdm_goal goal = end;
        goal.session = visitors[i].a->opened;
        if (i % 4 == 0) assert_true(asker_ask(visitors[i].a, &goal));
        asker_close(visitors[i].a);
    }
}

static void a_crowd_with_sessions(void **state)
{
    static const char *const options[] = {"-l", "tcp://127.0.0.1:0", "-l", "emu+mctp://127.0.0.1:0", "--app", "echo",
                                          NULL};
    char summary[100];
    (void)state;
    served_make(&served);
    served_start(&served, "sessions: { count = 1; };", options);
    visitors = calloc(CROWD, sizeof *visitors);
    assert_non_null(visitors);
    for (unsigned i = 0; i < WAVES; i++) wave();
    free(visitors);
    for (unsigned i = 0; i < 3000 && uv_loop_alive(&loop); i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    served_stop(&served);
    snprintf(summary, sizeof summary, "served %u clients (%u at once), ", WAVES * CROWD, CROWD);
    assert_int_equal(served_count(&served, summary), 1);
    snprintf(summary, sizeof summary, " %u sessions; refused 0 requests, turned away 0 clients", WAVES * CROWD);
    assert_int_equal(served_count(&served, summary), 1);
    served_remove(&served);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(a_crowd_with_sessions)};
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (uv_loop_init(&loop) != 0) return 1;
    return cmocka_run_group_tests_name("cli/crowd_sessions", tests, NULL, NULL);
}
