/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_streams.c - `spdm respond --app`: streams in sessions, their credit, their rules, their end.
 *
 * The other end is a requester of the library that speaks app_data.h. What a
 * slow or hostile end does must be felt by its own stream and by no other
 * message of the connection. */
#include "cli/flow.h"
#include "respond.h"

#include <signal.h>

/* ---- echo ---- */

/* More than credit, with new keys now and then, in the middle of everything. */
static void echo_with_new_keys(void **state)
{
    struct asker *a;
    struct flow *f;
    struct spdm_session_facts facts;
    (void)state;
    start("echo");
    a = client();
    f = flow_begin(a, NULL, 6 * (size_t)MIB);
    for (unsigned i = 1; i <= 5; i++) {
        f->held = i * (size_t)MIB;
        asker_serve(a);
        assert_true(asker_until(a, has_moved, f));
        is_alive(f);
    }
    run(f);
    assert_int_equal(f->got, f->total);
    assert_true(f->ended);
    assert_true(spdm_requester_session(a->engine, f->session, &facts));
    assert_int_equal(facts.updates[0], 5);
    assert_int_equal(facts.updates[1], 5);
    assert_true(served_says(&served, "stream ended; 6291456 bytes in, 6291456 bytes out"));
    stop(a);
}

static bool are_over(struct asker *a, void *ctx)
{
    (void)ctx;
    for (unsigned i = 0; i < flows.n; i++)
        if (!spdm_app_over(&flows.v[i]->s)) return false;
    return a->link != NULL;
}

static void streams_side_by_side(void **state)
{
    struct asker *a, *b;
    (void)state;
    start("echo");
    a = client();
    b = client();
    (void)flow_begin(a, NULL, 3 * (size_t)MIB);
    (void)flow_begin(a, NULL, 2 * (size_t)MIB + 1);
    (void)flow_begin(b, NULL, 1 * (size_t)MIB + 2);
    (void)flow_begin(a, NULL, 0);
    asker_serve(a);
    asker_serve(b);
    assert_true(asker_until(a, are_over, NULL));
    for (unsigned i = 0; i < flows.n; i++) assert_int_equal(flows.v[i]->got, flows.v[i]->total);
    is_alive(flows.v[1]);
    asker_close(b);
    stop(a);
}

/* We do not take what comes back: it stays with us as long as credit reaches, and no longer with the device. */
static void who_takes_nothing_gets_no_more(void **state)
{
    struct asker *a;
    struct flow *f;
    (void)state;
    start("echo");
    a = client();
    f = flow_begin(a, NULL, 2 * (size_t)MIB);
    f->lazy = true;
    asker_serve(a);
    hold_up(&f->got, SPDM_APP_CREDIT + 1);
    assert_int_equal(f->got, SPDM_APP_CREDIT + 1); /* and the one byte of the first CREDIT */
    assert_int_equal(f->s.credit, 0);
    assert_true(f->sent <= 2 * (SPDM_APP_CREDIT + 1));
    is_alive(f);
    f->lazy = false;
    spdm_app_taken(&f->s, f->held);
    run(f);
    assert_int_equal(f->got, f->total);
    stop(a);
}

/* ---- what is refused ---- */

static struct spdm_span bytes(const char *hex, uint8_t *out)
{
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        out[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return (struct spdm_span){out, n};
}

/* Messages of every wrong kind, in a session each: a reason comes back, and the session lives on. */
static void malformed_messages(void **state)
{
    static const struct {
        const char *hex[2];
        const char *reason;
    } rows[] = {
        {{"7f00007ed9", ""}, "a message without a kind"},
        {{"7f00007ed900", ""}, "DATA without a byte"},
        {{"7f00007ed909", ""}, "a message of kind 9"},
        {{"7f00007ed90200000000", ""}, "CREDIT of 0 bytes"},
        {{"7f00007ed902ffffffff", ""}, "CREDIT of 4294967295 bytes on top of 262144"},
        {{"7f00007ed90155", ""}, "END with 1 bytes, 0 expected"},
        {{"7f00007ed901", "7f00007ed90061"}, "1 bytes of DATA after END"},
    };
    struct asker *a;
    (void)state;
    start("exec:cat >/dev/null; sleep 2");
    a = client();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct flow *f = flow_begin(a, "", 0);
        struct spdm_goal end = in(f, SPDM_WANT_END_SESSION);
        uint8_t out[64];
        f->open = true;
        f->s.begun = true; /* what goes is written here */
        for (unsigned k = 0; k < 2 && rows[i].hex[k][0] != '\0'; k++)
            assert_true(asker_send(a, f->session, bytes(rows[i].hex[k], out)));
        run(f);
        assert_string_equal(f->reason, rows[i].reason);
        assert_true(asker_send(a, f->session, bytes("7f00007ed90061", out))); /* too late: nothing comes of it */
        is_alive(f);
        if (!asker_ask(a, &end)) fail_msg("%s", a->why);
        forget_flows();
    }
    assert_true(served_says(&served, "stream reset: a message without a kind; 0 bytes in, 0 bytes out"));
    stop(a);
}

static void data_of_others_is_left_alone(void **state)
{
    struct asker *a;
    struct flow *f;
    uint8_t out[64];
    (void)state;
    start("echo");
    a = client();
    f = flow_begin(a, "hello", 0);
    assert_true(asker_send(a, f->session, bytes("018000020100", out))); /* PLDM */
    assert_true(asker_send(a, f->session, bytes("7e1af40102", out)));
    run(f);
    assert_string_equal(f->back, "hello");
    is_alive(f);
    assert_int_equal(served_count(&served, "application data of another protocol (0x01) is left alone"), 1);
    stop(a);
}

static void without_an_application(void **state)
{
    struct asker *a;
    struct flow *f;
    (void)state;
    start(NULL);
    a = client();
    f = flow_begin(a, NULL, MIB);
    run(f);
    assert_string_equal(f->reason, "there is no application here");
    is_alive(f);
    stop(a);
}

/* ---- a device that changes, a connection that starts over ---- */

static void the_device_changes(void **state)
{
    const struct spdm_goal again = {.want = SPDM_WANT_SESSION};
    struct asker *a;
    struct flow *f;
    (void)state;
    start("echo");
    a = client();
    f = flow_begin(a, "x", 0);
    f->open = true;
    asker_serve(a);
    f->held = 1;
    assert_true(asker_until(a, has_moved, f));
    assert_int_equal(kill(served.pid, SIGHUP), 0);
    run(f);
    assert_string_equal(f->reason, "the device has changed");
    (void)asker_ask(a, &again); /* RequestResynch */
    if (!asker_ask(a, &again)) fail_msg("%s", a->why);
    forget_flows();
    f = flow_begin(a, "anew", 0);
    run(f);
    assert_string_equal(f->back, "anew");
    f = flow_begin(a, "cut", 0);
    f->open = true;
    asker_serve(a);
    f->held = 3;
    assert_true(asker_until(a, has_moved, f));
    spdm_requester_reset(a->engine); /* GET_VERSION ends all sessions */
    forget_flows();
    f = flow_begin(a, "and again", 0);
    run(f);
    assert_string_equal(f->back, "and again");
    assert_true(served_says(&served, "stream cut off; 3 bytes in, 3 bytes out"));
    stop(a);
}

static void the_device_stops(void **state)
{
    struct asker *a;
    struct flow *f;
    (void)state;
    start("echo");
    a = client();
    f = flow_begin(a, "x", 0);
    f->open = true;
    asker_serve(a);
    f->held = 1;
    assert_true(asker_until(a, has_moved, f));
    served_stop(&served);
    run(f);
    assert_string_equal(f->reason, "the device stops");
    asker_close(a);
    forget_flows();
}

/* What --app cannot be, and where it is of no use. */
static void wrong_applications(void **state)
{
    static const char *const rows[][2] = {
        {"ech", "echo, exec:COMMAND, socket:PATH or socket:HOST:PORT expected"},
        {"exec:", "echo, exec:COMMAND, socket:PATH or socket:HOST:PORT expected"},
        {"socket:", "a path or HOST:PORT is missing"},
        {"socket:host:0", "HOST:PORT with a port from 1 to 65535 expected"},
        {"socket::80", "HOST:PORT with a port from 1 to 65535 expected"},
        {"socket:host:http", "HOST:PORT with a port from 1 to 65535 expected"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct app_plan plan;
        char error[200] = "";
        assert_false(spdm_respond_app_parse(rows[i][0], &plan, error, sizeof error));
        if (strstr(error, rows[i][1]) == NULL) fail_msg("%s: %s", rows[i][0], error);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo_with_new_keys),
        cmocka_unit_test(streams_side_by_side),
        cmocka_unit_test(who_takes_nothing_gets_no_more),
        cmocka_unit_test(malformed_messages),
        cmocka_unit_test(data_of_others_is_left_alone),
        cmocka_unit_test(without_an_application),
        cmocka_unit_test(the_device_changes),
        cmocka_unit_test(the_device_stops),
        cmocka_unit_test(wrong_applications),
    };
    return cmocka_run_group_tests_name("cli/streams", tests, make, clean);
}
