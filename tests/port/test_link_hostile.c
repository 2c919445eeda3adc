/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_link_hostile.c - links against raw sockets: bytes in pieces, lies, silence, peers that do not read. */
#include "link_world.h"

#define HELLO "0000dead000000010000000e436c69656e742048656c6c6f2100"  /* emu-test-client-hello-mctp */
#define HELLO2 "0000dead000000010000000e5365727665722048656c6c6f2100" /* emu-test-server-hello-mctp */
#define VERSION "0000000100000001000000050510840000"                  /* emu-normal-mctp-get-version */

/* ---- a listener and its clients ---- */

static void answers_the_emulators_commands(void **state)
{
    static const struct {
        const char *ask, *answer;
        enum spdm_link_end end;
        bool closes, shutdown;
    } rows[] = {
        {HELLO, HELLO2, 0, false, false},
        {VERSION, VERSION, 0, false, false},
        {"000080010000000100000004ffffffff", "0000ffff0000000100000000", 0, false,
         false}, /* emu-oob-encap-key-update */
        {"000080020000000100000000", "0000ffff0000000100000000", 0, false, false},
        {"000000010000000100000000", "", 0, false, false}, /* nothing in it */
        {"0000fffd0000000100000000", "0000fffd0000000100000000", SPDM_LINK_CLOSED, true, false},
        {"0000fffe0000000100000000", "0000fffe0000000100000000", SPDM_LINK_CLOSED, true, true}, /* emu-shutdown-mctp */
        {"000000770000000100000000", "0000ffff0000000100000000", SPDM_LINK_PROTOCOL, true, false},
        {"00000001000000020000000c010001000300000010840000", "", SPDM_LINK_PROTOCOL, true, false}, /* DOE */
        {"0000000100000001ffffffff", "", SPDM_LINK_PROTOCOL, true, false},
        {"474554202f20485454502f312e300d0a", "", SPDM_LINK_PROTOCOL, true, false}, /* GET / HTTP/1.0 */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world *w = world_new();
        int fd = raw_connect(world_listen(w, "emu+mctp", (struct spdm_listen_options){0}));
        w->server.echo = true;
        raw_send(fd, rows[i].ask);
        raw_expect(w, fd, rows[i].answer);
        if (!rows[i].closes) { /* still served */
            raw_send(fd, VERSION);
            raw_expect(w, fd, VERSION);
            close(fd);
        } else {
            raw_expect_end(w, fd);
            assert_int_equal(w->server.end, rows[i].end);
        }
        wait_for(w, w->server.downs == 1);
        assert_int_equal(w->shutdowns, rows[i].shutdown);
        world_free(w);
    }
}

static void frames_in_pieces_and_in_a_row(void **state)
{
    struct world *w = world_new();
    int fd = raw_connect(world_listen(w, "emu+mctp", (struct spdm_listen_options){0}));
    (void)state;
    w->server.echo = true;
    for (const char *at = HELLO VERSION VERSION; *at != '\0'; at += 2) {
        char byte[3] = {at[0], at[1], 0};
        raw_send(fd, byte);
        turn(w);
    }
    raw_expect(w, fd, HELLO2 VERSION VERSION);
    raw_send(fd, VERSION HELLO VERSION "00000001");
    raw_expect(w, fd, VERSION HELLO2 VERSION);
    raw_send(fd, "00000001000000050510840000");
    raw_expect(w, fd, VERSION);
    assert_int_equal(w->server.frames, 5);
    close(fd);
    wait_for(w, w->server.downs == 1);
    world_free(w);
}

static void plain_tcp_speaks_its_errors(void **state)
{
    static const struct {
        const char *ask, *answer;
        bool closes;
    } rows[] = {
        {"0400010510840000", "0400010510840000", false},
        {"000001bf", "000001c2", false}, /* role inquiry: cannot operate as requester */
        {"000001bf000001bf", "000001c2000001c2", false},
        {"000001c0", "", false},                /* an error is not answered */
        {"ffff0105", "000001c0", true},         /* too large */
        {"0400020510840000", "000001c1", true}, /* other version */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world *w = world_new();
        struct spdm_listen_options options = {.link = {.frame_max = 1024}};
        int fd = raw_connect(world_listen(w, "tcp", options));
        w->server.echo = true;
        raw_send(fd, rows[i].ask);
        raw_expect(w, fd, rows[i].answer);
        if (rows[i].closes) {
            raw_expect_end(w, fd);
            assert_int_equal(w->server.end, SPDM_LINK_PROTOCOL);
        } else {
            raw_send(fd, "0400010510840000");
            raw_expect(w, fd, "0400010510840000");
            close(fd);
        }
        wait_for(w, w->server.downs == 1);
        world_free(w);
    }
}

/* A peer that writes a frame piece by piece, with Nagle's algorithm on, waits for our acknowledgement each time;
 * delayed by 40 ms as usual, 20 exchanges would take more than two seconds. */
static void pieces_are_acknowledged_at_once(void **state)
{
    struct world *w = world_new();
    int fd = raw_connect(world_listen(w, "emu+mctp", (struct spdm_listen_options){0}));
    uint64_t begun = uv_hrtime();
    (void)state;
    w->server.echo = true;
    for (unsigned i = 0; i < 20; i++) {
        raw_send(fd, "00000001");
        raw_send(fd, "00000001");
        raw_send(fd, "00000005");
        raw_send(fd, "0510840000");
        raw_expect(w, fd, VERSION);
    }
    assert_true(uv_hrtime() - begun < 400000000u);
    close(fd);
    wait_for(w, w->server.downs == 1);
    world_free(w);
}

/* Whoever asks a thousand times at once waits in line with those who ask once. */
static void each_link_has_its_turn(void **state)
{
    struct world *w = world_new();
    uint16_t port = world_listen(w, "tcp", (struct spdm_listen_options){0});
    int many = raw_connect(port), one = raw_connect(port);
    char *hex = calloc(1, 1000 * 16 + 1);
    (void)state;
    assert_non_null(hex);
    for (unsigned i = 0; i < 1000; i++) memcpy(hex + 16 * (size_t)i, "0400010510840000", 16);
    wait_for(w, w->accepted == 2);
    w->server.echo = true;
    raw_send(many, hex);
    raw_send(one, "0400010510840000");
    raw_expect(w, one, "0400010510840000");
    assert_true(w->server.frames < 20);
    raw_expect(w, many, hex);
    assert_int_equal(w->server.frames, 1001);
    free(hex);
    close(many);
    close(one);
    wait_for(w, w->server.downs == 2);
    world_free(w);
}

static void half_a_frame_is_not_waited_for_long(void **state)
{
    static const char *const halves[] = {"00", "0000000100000001000000", "00000001000000010000000505108400",
                                         VERSION "0000"};
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct world *w = world_new();
        struct spdm_listen_options options = {.link = {.stall_ms = 80}};
        int fd = raw_connect(world_listen(w, "emu+mctp", options));
        w->server.echo = true;
        raw_send(fd, halves[i]);
        wait_for(w, w->server.downs == 1);
        assert_int_equal(w->server.end, SPDM_LINK_TIMEOUT);
        assert_non_null(strstr(w->server.reason, "did not finish it"));
        close(fd);
        world_free(w);
    }
}

static void trickling_bytes_do_not_prolong_it(void **state)
{
    struct world *w = world_new();
    struct spdm_listen_options options = {.link = {.stall_ms = 100}};
    int fd = raw_connect(world_listen(w, "emu+mctp", options));
    uint64_t begun = uv_hrtime();
    (void)state;
    raw_send(fd, "000000010000000100000400");
    while (w->server.downs == 0) {
        (void)send(fd, "", 1, MSG_NOSIGNAL);
        turn(w);
        assert_true(uv_hrtime() - begun < 1000000000u);
    }
    assert_int_equal(w->server.end, SPDM_LINK_TIMEOUT);
    close(fd);
    world_free(w);
}

static void silence_ends_a_client(void **state)
{
    struct world *w = world_new();
    struct spdm_listen_options options = {.link = {.idle_ms = 100}};
    int fd = raw_connect(world_listen(w, "emu+mctp", options));
    (void)state;
    w->server.echo = true;
    for (unsigned i = 0; i < 5; i++) { /* 250 ms with a frame now and then: stays */
        uint64_t until = uv_hrtime() + 50000000;
        raw_send(fd, VERSION);
        raw_expect(w, fd, VERSION);
        while (uv_hrtime() < until) turn(w);
    }
    assert_int_equal(w->server.downs, 0);
    wait_for(w, w->server.downs == 1);
    assert_int_equal(w->server.end, SPDM_LINK_TIMEOUT);
    assert_non_null(strstr(w->server.reason, "silent"));
    raw_expect_end(w, fd);
    world_free(w);
}

/* A client that never says anything does not get the time of one that pauses. */
static void the_first_frame_has_less_time(void **state)
{
    struct world *w = world_new();
    struct spdm_listen_options options = {.link = {.idle_ms = 60000, .stall_ms = 80}};
    int fd = raw_connect(world_listen(w, "emu+mctp", options));
    (void)state;
    wait_for(w, w->server.downs == 1);
    assert_non_null(strstr(w->server.reason, "silent for 0.08 s"));
    raw_expect_end(w, fd);
    world_free(w);
}

static void the_end_in_the_middle(void **state)
{
    struct world *w = world_new();
    int fd = raw_connect(world_listen(w, "emu+mctp", (struct spdm_listen_options){0}));
    struct linger now = {1, 0};
    (void)state;
    raw_send(fd, "00000001000000");
    shutdown(fd, SHUT_WR);
    wait_for(w, w->server.downs == 1);
    assert_int_equal(w->server.end, SPDM_LINK_CLOSED);
    assert_non_null(strstr(w->server.reason, "in the middle of a frame, after 7 bytes"));
    raw_expect_end(w, fd);
    fd = raw_connect(spdm_listener_target(w->listener)->port);
    wait_for(w, w->accepted == 2);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd); /* a reset */
    wait_for(w, w->server.downs == 2);
    assert_int_equal(w->server.end, SPDM_LINK_CLOSED);
    world_free(w);
}

/* A client that asks and asks and never reads: we stop reading it, remember little, and end it. */
static void a_peer_that_does_not_read(void **state)
{
    enum { SIZE = 60000 };
    struct world *w = world_new();
    struct spdm_listen_options options = {.link = {.stall_ms = 300}};
    int fd = raw_connect(world_listen(w, "emu+none", options));
    uint8_t *p = calloc(1, SIZE + SPDM_EMU_HEADER);
    size_t asked = 0;
    (void)state;
    assert_non_null(p);
    w->server.echo = true;
    spdm_emu_put(p, &(struct spdm_emu_header){SPDM_EMU_NORMAL, 0, SIZE});
    while (w->server.downs == 0) {
        size_t at = asked % (SIZE + SPDM_EMU_HEADER);
        ssize_t n = send(fd, p + at, SIZE + SPDM_EMU_HEADER - at, MSG_NOSIGNAL);
        if (n > 0) asked += (size_t)n;
        turn(w);
    }
    assert_int_equal(w->server.end, SPDM_LINK_TIMEOUT);
    assert_non_null(strstr(w->server.reason, "took no data"));
    assert_true(asked < 64u << 20); /* the kernel's buffers filled, not ours */
    free(p);
    close(fd);
    world_free(w);
}

/* Both ends send as fast as they can and neither waits for the other: each must go on reading while its own frames
 * wait. */
static void two_streams_at_once(void **state)
{
    enum { N = 400 };
    struct world *w = world_new();
    struct spdm_listen_options options = {.link = {.stall_ms = 1000}};
    uint16_t port = world_listen(w, "emu+none", options);
    (void)state;
    world_connect(w, "emu+none", port, options.link);
    wait_for(w, w->client.ups == 1);
    w->server.flood = w->client.flood = N;
    side_flood(&w->client, w->client.link);
    side_flood(&w->server, w->server.link);
    assert_true(w->client.flood != 0 && w->server.flood != 0);
    while (w->server.frames < N || w->client.frames < N) {
        if (w->server.downs + w->client.downs != 0) fail_msg("%s %s", w->server.reason, w->client.reason);
        uv_run(&w->loop, UV_RUN_ONCE);
    }
    assert_true(w->client.drains != 0 && w->server.drains != 0);
    assert_int_equal(w->client.bytes, 60000u * N);
    world_free(w);
}

/* The owner sends on its own to a peer that does not read: refused at some point, never remembered without end. */
static void sending_has_a_limit(void **state)
{
    enum { SIZE = 60000 };
    struct world *w = world_new();
    int fd = raw_connect(world_listen(w, "emu+none", (struct spdm_listen_options){0}));
    uint8_t *p = calloc(1, SIZE);
    unsigned sent = 0;
    (void)state;
    assert_non_null(p);
    wait_for(w, w->accepted == 1);
    while (spdm_link_send(w->server.link, (struct spdm_span){p, SIZE})) {
        assert_int_equal(w->server.downs, 0);
        assert_true(++sent < 1000);
    }
    wait_for(w, w->server.downs == 1);
    assert_int_equal(w->server.end, SPDM_LINK_TIMEOUT);
    assert_non_null(strstr(w->server.reason, "takes no data"));
    free(p);
    close(fd);
    world_free(w);
}

/* ---- connecting to a peer that is not what it should be ---- */

static void nobody_there(void **state)
{
    struct world *w = world_new();
    struct spdm_target t;
    char error[SPDM_REASON_MAX];
    uint16_t port;
    (void)state;
    close(raw_listen(&port)); /* a port that was free a moment ago */
    world_connect(w, "emu+mctp", port, (struct spdm_link_options){0});
    wait_for(w, w->client.downs == 1);
    assert_int_equal(w->client.end, SPDM_LINK_UNREACHABLE);
    assert_non_null(strstr(w->client.reason, "connection refused"));
    assert_true(spdm_target_parse("tcp://no.such.host.invalid", false, &t, error));
    w->client.link = spdm_link_connect(&w->loop, &t, &(struct spdm_link_options){0}, &side_events, &w->client);
    wait_for(w, w->client.downs == 2);
    assert_int_equal(w->client.end, SPDM_LINK_UNREACHABLE);
    world_free(w);
}

/* What a peer answers to the hello (or, with plain TCP, at all), and how the link ends. */
static void peers_that_do_not_fit(void **state)
{
    static const struct {
        const char *scheme, *answer; /* NULL: closes; "": silent */
        enum spdm_link_end end;
        const char *says;
    } rows[] = {
        {"emu+mctp", NULL, SPDM_LINK_UNREACHABLE, "during the hello"},
        {"emu+mctp", "", SPDM_LINK_UNREACHABLE, "no answer to the emulator's hello within 0.2 s"},
        {"emu+mctp", "0000ffff0000000100000000", SPDM_LINK_PROTOCOL, "answered the hello with command 0xffff"},
        {"emu+mctp", "0000dead0000000200000000", SPDM_LINK_PROTOCOL, "transport type 2 (PCI_DOE)"},
        {"emu+mctp", "485454502f312e3020343030", SPDM_LINK_PROTOCOL, "transport type"},
        {"emu+mctp", "0000dead00000001ffffffff", SPDM_LINK_PROTOCOL, "announced a frame of 4294967295 bytes"},
        {"emu+doe", "0000dead0000000200000000", SPDM_LINK_UNREACHABLE, "no answer to discovery"},
        {"emu+doe",
         "0000dead0000000200000000"
         "000000010000000200000004deadbeef",
         SPDM_LINK_PROTOCOL, "DOE discovery 0 with something else (4 bytes)"},
        {"emu+doe",
         "0000dead0000000200000000"
         "00000001000000020000000c010000000300000001000000",
         SPDM_LINK_PROTOCOL, "does not offer SPDM"},
        {"emu+doe",
         "0000dead0000000200000000"
         "00000001000000020000000c010000000300000001000002"
         "00000001000000020000000c010000000300000001000102",
         SPDM_LINK_PROTOCOL, "goes in circles"},
        {"tcp", "000001c3", SPDM_LINK_PROTOCOL, "cannot operate as responder"},
        {"tcp", "000001c1", SPDM_LINK_PROTOCOL, "does not support version 1"},
        {"tcp", "000001bf", SPDM_LINK_PROTOCOL, "role inquiry"},
        {"tcp", "000001d0", SPDM_LINK_PROTOCOL, "no name for"},
        {"tcp", "0400020510840000", SPDM_LINK_PROTOCOL, "version 2 of the TCP binding"},
        {"tcp", NULL, SPDM_LINK_CLOSED, "closed the connection"},
        {"emu+none", "0000fffe0000000000000000", SPDM_LINK_CLOSED, "ended the connection"},
        {"emu+none", "0000dead0000000000000000", SPDM_LINK_PROTOCOL, "command 0xdead"},
        {"emu+tcp",
         "0000dead0000000300000000"
         "000000010000000300000004000001c3",
         SPDM_LINK_PROTOCOL, "cannot operate as responder"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world *w = world_new();
        uint16_t port;
        int listening = raw_listen(&port), fd;
        world_connect(w, rows[i].scheme, port, (struct spdm_link_options){.connect_ms = 200});
        fd = raw_accept(w, listening);
        if (rows[i].answer != NULL) raw_send(fd, rows[i].answer);
        else close(fd);
        wait_for(w, w->client.downs == 1);
        if (w->client.end != rows[i].end || strstr(w->client.reason, rows[i].says) == NULL)
            fail_msg("%s %s: end %d, \"%s\" does not say \"%s\"", rows[i].scheme, rows[i].answer, (int)w->client.end,
                     w->client.reason, rows[i].says);
        if (rows[i].answer != NULL) close(fd);
        close(listening);
        world_free(w);
    }
}

/* The emulator dies of clients that just hang up: it must hear CONTINUE first, whatever made us leave. */
static void an_emulator_is_told_before_we_leave(void **state)
{
    (void)state;
    for (unsigned why = 0; why < 3; why++) {
        struct world *w = world_new();
        uint16_t port;
        int listening = raw_listen(&port), fd;
        world_connect(w, "emu+mctp", port, (struct spdm_link_options){.connect_ms = 200, .stall_ms = 100});
        fd = raw_accept(w, listening);
        raw_expect(w, fd, HELLO);
        if (why == 0) {
            wait_for(w, w->client.downs == 1); /* no hello */
        } else {
            raw_send(fd, HELLO2);
            wait_for(w, w->client.ups == 1);
            if (why == 1) {
                raw_send(fd, "0000");
                wait_for(w, w->client.downs == 1); /* half a frame */
            } else {
                spdm_link_close(w->client.link);
                w->client.link = NULL;
            }
        }
        raw_expect(w, fd, "0000fffd0000000100000000");
        assert_true(uv_loop_alive(&w->loop)); /* waits for the answer */
        raw_send(fd, "0000fffd0000000100000000");
        close(fd);
        wait_for(w, !uv_loop_alive(&w->loop));
        close(listening);
        world_free(w);
    }
}

/* Header and payload leave in one segment: the first bytes to arrive are the whole frame. */
static void one_frame_one_write(void **state)
{
    struct world *w = world_new();
    uint16_t port;
    int listening = raw_listen(&port), fd;
    uint8_t got[64];
    ssize_t n = -1;
    (void)state;
    world_connect(w, "emu+none", port, (struct spdm_link_options){0});
    fd = raw_accept(w, listening);
    wait_for(w, w->client.ups == 1);
    for (unsigned i = 0; i < 20; i++) {
        assert_true(spdm_link_send(w->client.link, (struct spdm_span){(const uint8_t *)"\x10\x84\0\0", 4}));
        n = recv(fd, got, sizeof got, 0); /* no turn of the loop in between */
        assert_int_equal(n, 16);
    }
    close(fd);
    close(listening);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_the_emulators_commands),
        cmocka_unit_test(frames_in_pieces_and_in_a_row),
        cmocka_unit_test(plain_tcp_speaks_its_errors),
        cmocka_unit_test(pieces_are_acknowledged_at_once),
        cmocka_unit_test(each_link_has_its_turn),
        cmocka_unit_test(half_a_frame_is_not_waited_for_long),
        cmocka_unit_test(trickling_bytes_do_not_prolong_it),
        cmocka_unit_test(silence_ends_a_client),
        cmocka_unit_test(the_first_frame_has_less_time),
        cmocka_unit_test(the_end_in_the_middle),
        cmocka_unit_test(a_peer_that_does_not_read),
        cmocka_unit_test(two_streams_at_once),
        cmocka_unit_test(sending_has_a_limit),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(peers_that_do_not_fit),
        cmocka_unit_test(an_emulator_is_told_before_we_leave),
        cmocka_unit_test(one_frame_one_write),
    };
    return cmocka_run_group_tests_name("port/link_hostile", tests, NULL, NULL);
}
