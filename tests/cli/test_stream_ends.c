/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_stream_ends.c - `spdm respond --app exec:` and `socket:`: where streams end. */
#include "cli/flow.h"

#include <errno.h>
#include <signal.h>

/* ---- commands ---- */

static void commands(void **state)
{
    static const struct {
        const char *app, *text, *back, *reason, *says;
    } rows[] = {
        {"exec:tr a-z A-Z", "hello", "HELLO", "", "stream ended; 5 bytes in, 5 bytes out"},
        {"exec:echo greeting", "", "greeting\n", "", "stream ended"},
        {"exec:cat; exit 3", "x", "x", "the application ended with status 3", "reset: the application ended with"},
        {"exec:kill -9 $$", "", "", "the application was ended by signal 9", "signal 9"},
        {"exec:no-such-command-here", "x", "", "the application ended with status 127", "status 127"},
        {"exec:exec </dev/null; echo deaf", "nobody reads this", "deaf\n", "", "stream ended"},
        {"exec:printf %s \"${SPDM_PEER%:*} ${#SPDM_SESSION} $SPDM_REQUESTER.\"", "", "127.0.0.1 8 .", "", "ended"},
        {"exec:sleep 0.2; cat", "early", "early", "", "stream ended; 5 bytes in, 5 bytes out"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct asker *a;
        struct flow *f;
        start(rows[i].app);
        a = client();
        f = flow_begin(a, rows[i].text, 0);
        run(f);
        assert_string_equal(f->reason, rows[i].reason);
        assert_string_equal(f->back, rows[i].back);
        assert_true(served_says(&served, rows[i].says));
        is_alive(f);
        stop(a);
    }
}

/* What a shell pipe does, over 1 MiB each way. */
static void a_command_between(void **state)
{
    struct asker *a;
    struct flow *f;
    (void)state;
    start("exec:cat | cat");
    a = client();
    f = flow_begin(a, NULL, MIB);
    run(f);
    assert_string_equal(f->reason, "");
    assert_int_equal(f->got, MIB);
    stop(a);
}

/* A command that reads late holds up its stream, and nothing else. */
static void a_slow_command(void **state)
{
    struct asker *a;
    struct flow *f;
    (void)state;
    start("exec:sleep 600; cat");
    a = client();
    f = flow_begin(a, NULL, 2 * (size_t)MIB);
    asker_serve(a);
    hold_up(&f->sent, SPDM_APP_CREDIT);
    assert_int_equal(f->got, 0);
    assert_true(f->sent >= SPDM_APP_CREDIT && f->sent < MIB); /* credit, and what the pipe took */
    is_alive(f);
    stop(a);
}

/* A session that ends takes its command with it, and all that it started. */
static void a_command_does_not_stay(void **state)
{
    char app[300], path[128];
    FILE *pid_file;
    struct asker *a;
    struct flow *f;
    struct spdm_goal end;
    int pid = 0;
    (void)state;
    snprintf(app, sizeof app, "exec:trap '' HUP; sleep 600 & echo $! >%s/pid.part; mv %s/pid.part %s/pid; wait",
             served.dir, served.dir, served.dir);
    snprintf(path, sizeof path, "%s/pid", served.dir);
    for (unsigned way = 0; way < 4; way++) {
        (void)unlink(path);
        start(app);
        a = client();
        f = flow_begin(a, "", 0);
        f->open = true;
        asker_serve(a);
        for (unsigned i = 0; i < 1000 && access(path, R_OK) != 0; i++) {
            uv_run(&loop, UV_RUN_NOWAIT);
            usleep(10000);
        }
        pid_file = fopen(path, "r");
        assert_non_null(pid_file);
        assert_int_equal(fscanf(pid_file, "%d", &pid), 1);
        fclose(pid_file);
        assert_int_equal(kill(pid, 0), 0);
        end = in(f, SPDM_WANT_END_SESSION);
        if (way == 0 && !asker_ask(a, &end)) fail_msg("%s", a->why);
        if (way == 1) asker_close(a);
        if (way == 2) assert_int_equal(kill(served.pid, SIGHUP), 0);
        if (way == 3) served_stop(&served);
        for (unsigned i = 0; i < 2000 && kill(pid, 0) == 0; i++) usleep(10000);
        if (kill(pid, 0) == 0 || errno != ESRCH) fail_msg("the command still runs (%u)", way);
        if (way != 1) asker_close(a);
        if (way != 3) served_stop(&served);
        forget_flows();
    }
}

static void no_more_than_so_many(void **state)
{
    const char *options[] = {"-l", "tcp://127.0.0.1:0", "--app", "exec:cat", "--max-apps", "2", NULL};
    struct asker *a;
    struct flow *f[3];
    struct spdm_goal end;
    (void)state;
    served_start(&served, "", options);
    a = client();
    for (unsigned i = 0; i < 3; i++) {
        f[i] = flow_begin(a, "x", 0);
        f[i]->open = i < 2;
        asker_serve(a);
    }
    run(f[2]);
    assert_string_equal(f[2]->reason, "too many streams");
    end = in(f[0], SPDM_WANT_END_SESSION);
    assert_true(asker_ask(a, &end));
    assert_true(served_says(&served, "stream cut off; 1 bytes in, 1 bytes out"));
    for (unsigned i = 0; i < 100; i++) { /* the command is gone a moment later; then there is room for another */
        struct flow *again = flow_begin(a, "y", 0);
        run(again);
        if (strcmp(again->reason, "too many streams") != 0) break;
        end = in(again, SPDM_WANT_END_SESSION);
        assert_true(asker_ask(a, &end));
        free(again);
        flows.n--;
        usleep(100000);
    }
    assert_int_equal(flows.n, 4);
    assert_string_equal(flows.v[3]->back, "y");
    stop(a);
}

/* ---- sockets ---- */

struct peer {
    uv_stream_t *listener;
    union {
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tcp_t tcp;
    } at, from;
    uv_shutdown_t shutdown;
    size_t got;
};

static void on_peer_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    static char room[65536];
    (void)handle;
    (void)hint;
    *buf = uv_buf_init(room, sizeof room);
}

/* Sends back what comes, and its end. */
static void on_peer_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct peer *p = stream->data;
    uv_buf_t out;
    if (n < 0) {
        (void)uv_shutdown(&p->shutdown, stream, NULL);
        (void)uv_read_stop(stream);
        return;
    }
    p->got += (size_t)n;
    out = uv_buf_init(buf->base, (unsigned)n);
    while (out.len != 0) { /* small enough for the kernel, most of the time */
        int done = uv_try_write(stream, &out, 1);
        if (done > 0) out = uv_buf_init(out.base + done, (unsigned)(out.len - (size_t)done));
        else if (done != UV_EAGAIN) return;
        else usleep(1000);
    }
}

static void on_peer(uv_stream_t *listener, int status)
{
    struct peer *p = listener->data;
    assert_int_equal(status, 0);
    assert_int_equal(uv_accept(listener, &p->from.stream), 0);
    p->from.stream.data = p;
    assert_int_equal(uv_read_start(&p->from.stream, on_peer_alloc, on_peer_read), 0);
}

static void through_a_socket(struct peer *p, const char *app)
{
    struct asker *a;
    struct flow *f;
    start(app);
    a = client();
    f = flow_begin(a, NULL, 300000);
    run(f);
    assert_string_equal(f->reason, "");
    assert_int_equal(f->got, 300000);
    assert_int_equal(p->got, 300000);
    stop(a);
    uv_close((uv_handle_t *)&p->from, NULL);
    uv_close((uv_handle_t *)&p->at, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
}

static void a_local_socket(void **state)
{
    struct peer p = {.got = 0};
    char path[128], app[160];
    (void)state;
    snprintf(path, sizeof path, "%s/socket", served.dir);
    snprintf(app, sizeof app, "socket:%s", path);
    (void)uv_pipe_init(&loop, &p.at.pipe, 0);
    (void)uv_pipe_init(&loop, &p.from.pipe, 0);
    p.at.stream.data = &p;
    assert_int_equal(uv_pipe_bind(&p.at.pipe, path), 0);
    assert_int_equal(uv_listen(&p.at.stream, 4, on_peer), 0);
    through_a_socket(&p, app);
}

static void a_tcp_socket(void **state)
{
    struct peer p = {.got = 0};
    struct sockaddr_in at;
    int n = sizeof at;
    char app[64];
    (void)state;
    (void)uv_tcp_init(&loop, &p.at.tcp);
    (void)uv_tcp_init(&loop, &p.from.tcp);
    p.at.stream.data = &p;
    (void)uv_ip4_addr("127.0.0.1", 0, &at);
    assert_int_equal(uv_tcp_bind(&p.at.tcp, (struct sockaddr *)&at, 0), 0);
    assert_int_equal(uv_listen(&p.at.stream, 4, on_peer), 0);
    assert_int_equal(uv_tcp_getsockname(&p.at.tcp, (struct sockaddr *)&at, &n), 0);
    snprintf(app, sizeof app, "socket:localhost:%u", (unsigned)at.sin_port >> 8 | (at.sin_port & 0xffu) << 8);
    through_a_socket(&p, app);
}

static void nobody_behind_the_socket(void **state)
{
    static const struct {
        const char *app, *reason;
    } rows[] = {{"socket:/no/such/socket", "no application: no such file or directory"},
                {"socket:127.0.0.1:1", "no application: connection refused"},
                {"socket:[::1]:1", "no application: "},
                {"socket:no-such-host.invalid:80", "no application: "}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct asker *a;
        struct flow *f;
        start(rows[i].app);
        a = client();
        f = flow_begin(a, NULL, MIB);
        run(f);
        if (strncmp(f->reason, rows[i].reason, strlen(rows[i].reason)) != 0) fail_msg("%s", f->reason);
        is_alive(f);
        stop(a);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands),
        cmocka_unit_test(a_command_between),
        cmocka_unit_test(a_slow_command),
        cmocka_unit_test(a_command_does_not_stay),
        cmocka_unit_test(no_more_than_so_many),
        cmocka_unit_test(a_local_socket),
        cmocka_unit_test(a_tcp_socket),
        cmocka_unit_test(nobody_behind_the_socket),
    };
    return cmocka_run_group_tests_name("cli/stream_ends", tests, make, clean);
}
