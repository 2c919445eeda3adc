/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_tunnel.c - a session joined to pipes: what passes, what holds whom back, and how it ends, well or not. */
#include "app_data.h"
#include "toy_device.h"
#include "tunnel.h"
#include <fcntl.h>
#include <unistd.h>

enum { BACK = 1 << 20 };

/* The application on the device: sends back what comes, or what a test wants. */
struct echo {
    struct spdm_app_stream stream;
    bool begun, ended;
    uint8_t room[SPDM_APP_HEAD + BACK];
    size_t n;
    unsigned messages;
    char reset[SPDM_APP_REASON_MAX + 1]; /* by the other end */
    uint32_t session;
};
static struct echo echo;

static void echo_take(const struct spdm_event *event)
{
    if (!echo.begun) spdm_app_begin(&echo.stream, 0);
    echo.begun = true;
    echo.session = event->session;
    echo.messages++;
    struct spdm_app_message m = spdm_app_take(&echo.stream, event->data);
    assert_int_not_equal(m.kind, SPDM_APP_BROKEN);
    if (m.kind == SPDM_APP_END) echo.ended = true;
    if (m.kind == SPDM_APP_RESET) snprintf(echo.reset, sizeof echo.reset, "%.*s", (int)m.bytes.n, m.bytes.p);
    if (m.kind != SPDM_APP_DATA) return;
    assert_true(echo.n + m.bytes.n <= BACK);
    memcpy(echo.room + SPDM_APP_HEAD + echo.n, m.bytes.p, m.bytes.n);
    echo.n += m.bytes.n;
}

/* One message as the engine takes it, out at once. */
static bool device_send(struct device_link *l, struct spdm_link *link, struct spdm_span message)
{
    if (spdm_link_waiting(link) != 0 || !spdm_responder_send(l->rs, echo.session, message)) return false;
    struct spdm_span out = spdm_responder_pull(l->rs, uv_hrtime() / 1000);
    return spdm_link_send(link, out);
}

static void echo_give(struct device_link *l, struct spdm_link *link)
{
    for (;;) {
        struct spdm_app_source source = {echo.room + SPDM_APP_HEAD, echo.n, echo.ended};
        struct spdm_span message = spdm_app_next(&echo.stream, &source, 4000);
        if (message.n == 0 || !device_send(l, link, message)) return;
        size_t n = spdm_app_sent(&echo.stream);
        echo.n -= n;
        memmove(echo.room + SPDM_APP_HEAD, echo.room + SPDM_APP_HEAD + n, echo.n);
        spdm_app_taken(&echo.stream, n);
    }
}

static void echoes(struct device_link *l, struct spdm_link *link, const struct spdm_event *event)
{
    if (event != NULL) echo_take(event);
    else if (echo.begun) echo_give(l, link);
}

/* ---- the near end ---- */

struct near {
    struct toy_device *d;
    struct spdm_attest *run;
    struct spdm_tunnel *tunnel;
    int in[2], out[2]; /* pipes: in[1] is written by the test, out[0] is read */
    bool over;
};
static struct near near;

static void on_event(void *ctx, struct spdm_attest *run, const struct spdm_event *event)
{
    (void)ctx;
    (void)run;
    if (near.tunnel != NULL) spdm_tunnel_event(near.tunnel, event);
}

static void on_drained(void *ctx, struct spdm_attest *run)
{
    (void)ctx;
    (void)run;
    if (near.tunnel != NULL) spdm_tunnel_drained(near.tunnel);
}

static void on_down(void *ctx, struct spdm_attest *run, const char *reason)
{
    (void)ctx;
    (void)run;
    if (near.tunnel != NULL) spdm_tunnel_down(near.tunnel, reason);
}

static void on_over(void *ctx, struct spdm_tunnel *tunnel)
{
    (void)ctx;
    assert_ptr_equal(tunnel, near.tunnel);
    near.over = true;
}

static const struct spdm_attest_stay stay = {.event = on_event, .drained = on_drained, .down = on_down};

/* A tunnel to a device that lacks these capabilities, with new keys after so many bytes. */
static void begin_with(device_app *app, uint32_t missing, uint64_t rekey)
{
    char error[SPDM_REASON_MAX] = "";
    echo = (struct echo){.begun = false};
    near = (struct near){.d = device_init()};
    device_sessions(near.d);
    near.d->policy.flags &= ~missing;
    near.d->order.stay = &stay;
    near.d->order.data_max = 65000;
    near.d->app = app;
    device_listen(near.d);
    near.run = device_attest(near.d);
    assert_int_equal(spdm_attest_result(near.run)->end, SPDM_ATTEST_DONE);
    assert_int_equal(pipe(near.in), 0);
    assert_int_equal(pipe(near.out), 0);
    assert_int_equal(fcntl(near.in[1], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fcntl(near.out[0], F_SETFL, O_NONBLOCK), 0);
    const struct spdm_tunnel_setup setup = {
        .loop = &near.d->loop, .run = near.run, .in = near.in[0], .out = near.out[1], .rekey = rekey, .over = on_over};
    near.tunnel = spdm_tunnel_open(&setup, error);
    assert_non_null(near.tunnel);
}

static void begin(device_app *app)
{
    begin_with(app, 0, 100000);
}

static void close_pipe(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static void finish(void)
{
    spdm_tunnel_free(near.tunnel);
    near.tunnel = NULL;
    spdm_attest_free(near.run);
    close_pipe(&near.in[1]);
    close_pipe(&near.out[0]);
    device_free(near.d);
}

static void turn(uint64_t start)
{
    uv_run(&near.d->loop, UV_RUN_NOWAIT);
    if (uv_hrtime() - start > 20000000000u) fail_msg("waited in vain");
}

static void until_over(enum spdm_tunnel_end end)
{
    uint64_t start = uv_hrtime();
    while (!near.over) turn(start);
    const struct spdm_tunnel_result *r = spdm_tunnel_result(near.tunnel);
    if (r->end != end) fail_msg("ended with %d (%s), not %d", (int)r->end, r->reason, (int)end);
}

/* The byte at a place of the stream. */
static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 31 + i / 251);
}

/* Writes the stream from *sent on, as much as goes; closes it at n. */
static void feed(size_t *sent, size_t n)
{
    uint8_t bytes[5000];
    size_t part = n - *sent < sizeof bytes ? n - *sent : sizeof bytes;
    if (near.in[1] < 0) return;
    for (size_t i = 0; i < part; i++) bytes[i] = byte_at(*sent + i);
    ssize_t done = write(near.in[1], bytes, part);
    if (done > 0) *sent += (size_t)done;
    if (*sent == n) close_pipe(&near.in[1]);
}

/* Reads what has come and checks it; false at the end. */
static bool drink(size_t *got)
{
    uint8_t bytes[5000];
    ssize_t n = read(near.out[0], bytes, sizeof bytes);
    for (ssize_t i = 0; i < n; i++)
        if (bytes[i] != byte_at(*got + (size_t)i)) fail_msg("byte %zu is wrong", *got + (size_t)i);
    if (n > 0) *got += (size_t)n;
    return n != 0;
}

/* Reads whatever has come. */
static void drop(void)
{
    uint8_t bytes[5000];
    while (read(near.out[0], bytes, sizeof bytes) > 0) continue;
}

/* ---- what passes ---- */

static void carries_both_ways_under_changing_keys(void **state)
{
    enum { N = 1500000 };
    size_t sent = 0, got = 0;
    uint64_t start = uv_hrtime();
    (void)state;
    begin(echoes);
    while (drink(&got)) {
        feed(&sent, N);
        turn(start);
    }
    assert_int_equal(got, N);
    until_over(SPDM_TUNNEL_DONE);
    const struct spdm_tunnel_result *r = spdm_tunnel_result(near.tunnel);
    assert_int_equal(r->sent, N);
    assert_int_equal(r->received, N);
    if (r->updates < N / 110000 || r->updates > 2 * N / 100000) fail_msg("%u key updates", r->updates);
    assert_int_equal(near.d->closed, 1);
    finish();
}

static void changes_no_keys_where_that_is_not_offered(void **state)
{
    enum { N = 300000 };
    size_t sent = 0, got = 0;
    uint64_t start = uv_hrtime();
    (void)state;
    begin_with(echoes, SPDM_KEY_UPD_CAP, 100000);
    while (drink(&got)) {
        feed(&sent, N);
        turn(start);
    }
    until_over(SPDM_TUNNEL_DONE);
    assert_int_equal(got, N);
    assert_int_equal(spdm_tunnel_result(near.tunnel)->updates, 0);
    finish();
}

static void ends_an_empty_stream(void **state)
{
    size_t got = 0;
    (void)state;
    begin(echoes);
    close_pipe(&near.in[1]);
    until_over(SPDM_TUNNEL_DONE);
    assert_false(drink(&got));
    assert_int_equal(got, 0);
    assert_int_equal(near.d->closed, 1);
    finish();
}

/* Nobody reads here: the device may send what was granted and not a byte more, and the session lives on; when somebody
 * reads again, nothing is missing. */
static void holds_the_device_back(void **state)
{
    enum { N = 1200000 };
    size_t sent = 0, got = 0;
    uint64_t start = uv_hrtime(), last = 0;
    unsigned quiet = 0;
    (void)state;
    begin(echoes);
    while (quiet < 2000) { /* on a busy machine nothing may move for a while, and yet is not held back */
        feed(&sent, N);
        turn(start);
        uint64_t received = spdm_tunnel_result(near.tunnel)->received;
        quiet = received == last && received >= SPDM_APP_CREDIT ? quiet + 1 : 0;
        last = received;
    }
    assert_true(last <= 2 * SPDM_APP_CREDIT); /* the window, and what the pipe holds */
    assert_true(sent < N);                    /* and so is who writes here */
    while (drink(&got)) {
        feed(&sent, N);
        turn(start);
    }
    assert_int_equal(got, N);
    until_over(SPDM_TUNNEL_DONE);
    finish();
}

/* ---- what goes wrong ---- */

static struct spdm_span strange; /* what the device sends, whole, as soon as it is spoken to */

static void sends_strange(struct device_link *l, struct spdm_link *link, const struct spdm_event *event)
{
    if (event != NULL) echo_take(event);
    if (event != NULL || !echo.begun || strange.n == 0) return;
    if (device_send(l, link, strange)) strange.n = 0;
}

static void refuses_what_breaks_the_rules(void **state)
{
#define HEAD "\x7f\x00\x00\x7e\xd9"
    static const struct {
        const char *bytes;
        size_t n;
        enum spdm_tunnel_end end;
        const char *reason;
    } rows[] = {
        {HEAD "\x00", 6, SPDM_TUNNEL_PROTOCOL, "the device sent DATA without a byte"},
        {HEAD "\x07", 6, SPDM_TUNNEL_PROTOCOL, "the device sent a message of kind 7"},
        {HEAD, 5, SPDM_TUNNEL_PROTOCOL, "the device sent a message without a kind"},
        {HEAD "\x02\x00\x00\x00\x00", 10, SPDM_TUNNEL_PROTOCOL, "the device sent CREDIT of 0 bytes"},
        {HEAD "\x02\xff\xff\xff\xff", 10, SPDM_TUNNEL_PROTOCOL,
         "the device sent CREDIT of 4294967295 bytes on top of 262144"},
        {HEAD "\x01 ", 7, SPDM_TUNNEL_PROTOCOL, "the device sent END with 1 bytes, 0 expected"},
        {HEAD "\x03no \x1b[31m", 14, SPDM_TUNNEL_GONE, "the other end broke off: no \\x1b[31m"},
        {HEAD "\x03", 6, SPDM_TUNNEL_GONE, "the other end broke off: "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        strange = (struct spdm_span){(const uint8_t *)rows[i].bytes, rows[i].n};
        begin(sends_strange);
        until_over(rows[i].end);
        assert_string_equal(spdm_tunnel_result(near.tunnel)->reason, rows[i].reason);
        assert_int_equal(near.d->closed, 1); /* the session was ended in good order all the same */
        if (rows[i].end == SPDM_TUNNEL_PROTOCOL) assert_string_not_equal(echo.reset, "");
        else assert_string_equal(echo.reset, "");
        finish();
    }
}

/* More than was granted, in messages that are each fine. */
static void overspends(struct device_link *l, struct spdm_link *link, const struct spdm_event *event)
{
    static uint8_t data[4000] = {0x7f, 0, 0, 0x7e, 0xd9, SPDM_APP_DATA};
    if (event != NULL) echo_take(event);
    else
        while (echo.begun && echo.reset[0] == '\0' && device_send(l, link, (struct spdm_span){data, sizeof data}))
            continue;
}

/* A tunnel does not try for ever to say why it ends: after two seconds it is over, said or not. */
static bool was_cut_short(void)
{
    return near.over && spdm_tunnel_result(near.tunnel)->time_us >= 2000000;
}

/* Until the tunnel is over and the device has heard why, which on a slow machine comes later. */
static void overspend(void)
{
    uint64_t start = uv_hrtime();
    begin_with(overspends, 0, 0); /* behind all that, the answer to a KEY_UPDATE may take its time */
    while (!near.over || (echo.reset[0] == '\0' && !was_cut_short())) {
        if (spdm_tunnel_result(near.tunnel)->end != SPDM_TUNNEL_OPEN) drop(); /* who reads before grants more */
        turn(start);
    }
}

static void refuses_more_than_it_granted(void **state)
{
    (void)state;
    overspend();
    for (unsigned i = 0; i < 5 && echo.reset[0] == '\0'; i++) { /* it was not the device that took so long */
        finish();
        overspend();
    }
    until_over(SPDM_TUNNEL_PROTOCOL);
    assert_non_null(strstr(spdm_tunnel_result(near.tunnel)->reason, "bytes of DATA, the credit is"));
    assert_non_null(strstr(echo.reset, "bytes of DATA, the credit is"));
    finish();
}

/* Some other protocol beside ours. */
static void leaves_other_data_alone(void **state)
{
    static const char other[] = "\x7e\x14\x14hello";
    size_t sent = 0, got = 0;
    uint64_t start = uv_hrtime();
    (void)state;
    strange = (struct spdm_span){(const uint8_t *)other, 8};
    begin(sends_strange);
    while (strange.n != 0) turn(start);
    near.d->app = echoes;
    while (drink(&got)) {
        feed(&sent, 1000);
        turn(start);
    }
    assert_int_equal(got, 1000);
    until_over(SPDM_TUNNEL_DONE);
    finish();
}

static void tells_that_the_device_was_unplugged(void **state)
{
    size_t sent = 0, got = 0;
    uint64_t start = uv_hrtime();
    (void)state;
    begin(echoes);
    while (got < 10000) {
        feed(&sent, 1000000);
        drink(&got);
        turn(start);
    }
    spdm_listener_close(near.d->listener);
    near.d->listener = NULL;
    while (!near.over) { /* what had come is there, and nothing of it is lost */
        drink(&got);
        turn(start);
    }
    until_over(SPDM_TUNNEL_GONE);
    assert_non_null(strstr(spdm_tunnel_result(near.tunnel)->reason, "connection"));
    for (size_t before = SIZE_MAX; got != before;) { /* a pipe holds more than one read takes */
        before = got;
        drink(&got);
    }
    assert_int_equal(got, spdm_tunnel_result(near.tunnel)->received);
    finish();
}

static void tells_that_nobody_reads_here(void **state)
{
    size_t sent = 0;
    uint64_t start = uv_hrtime();
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    begin(echoes);
    close_pipe(&near.out[0]);
    while (!near.over) {
        feed(&sent, 1000000);
        turn(start);
    }
    until_over(SPDM_TUNNEL_LOCAL);
    assert_string_equal(spdm_tunnel_result(near.tunnel)->reason, "cannot write the output: broken pipe");
    assert_string_equal(echo.reset, "cannot write the output: broken pipe");
    assert_int_equal(near.d->closed, 1);
    finish();
}

static void can_be_interrupted(void **state)
{
    size_t sent = 0, got = 0;
    uint64_t start = uv_hrtime();
    (void)state;
    begin(echoes);
    while (got < 1000) {
        feed(&sent, 1000000);
        drink(&got);
        turn(start);
    }
    spdm_tunnel_interrupt(near.tunnel, "interrupted");
    until_over(SPDM_TUNNEL_INTERRUPTED);
    assert_string_equal(echo.reset, "interrupted");
    assert_int_equal(near.d->closed, 1);
    finish();
}

static void can_be_freed_at_any_time(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 60; turns++) {
        size_t sent = 0, got = 0;
        uint64_t start = uv_hrtime();
        begin(echoes);
        for (unsigned i = 0; i < turns; i++) {
            feed(&sent, 3000);
            drink(&got);
            turn(start);
        }
        finish();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_both_ways_under_changing_keys),
        cmocka_unit_test(changes_no_keys_where_that_is_not_offered),
        cmocka_unit_test(ends_an_empty_stream),
        cmocka_unit_test(holds_the_device_back),
        cmocka_unit_test(refuses_what_breaks_the_rules),
        cmocka_unit_test(refuses_more_than_it_granted),
        cmocka_unit_test(leaves_other_data_alone),
        cmocka_unit_test(tells_that_the_device_was_unplugged),
        cmocka_unit_test(tells_that_nobody_reads_here),
        cmocka_unit_test(can_be_interrupted),
        cmocka_unit_test(can_be_freed_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
