/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_link.c - links against links: each kind of target, closing from callbacks, large frames, limits. */
#include "link_world.h"

static const char *const schemes[] = {"tcp", "emu+mctp", "emu+doe", "emu+tcp", "emu+none", "emu+nvme", "emu+scsi"};

/* GET_VERSION in the framing of the target. */
static struct spdm_span get_version(const struct spdm_binding *b, uint8_t *p, size_t cap)
{
    memcpy(p + b->head, "\x10\x84\0\0", 4);
    return (struct spdm_span){p, b->wrap((struct spdm_room){p, cap}, 4, false)};
}

static void every_target_carries_frames(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        struct world *w = world_new();
        bool doe = strcmp(schemes[i], "emu+doe") == 0, emu = schemes[i][0] == 'e';
        uint16_t port = world_listen(w, schemes[i], (struct spdm_listen_options){0});
        struct spdm_span frame;
        uint8_t p[32];
        w->server.echo = true;
        world_connect(w, schemes[i], port, (struct spdm_link_options){.tap = world_tap, .tap_ctx = w});
        assert_false(spdm_link_send(w->client.link, (struct spdm_span){p, 4})); /* not up yet */
        wait_for(w, w->client.ups == 1);
        assert_int_equal(w->server.ups, 0);
        assert_int_equal(spdm_link_doe_types(w->client.link), doe ? 7 : 0);
        assert_false(spdm_link_listening(w->client.link));
        assert_ptr_equal(spdm_link_context(w->client.link), &w->client);
        assert_int_equal(spdm_link_address(w->client.link, true)->sa_family, AF_INET);
        assert_non_null(strstr(spdm_link_peer(w->client.link), "127.0.0.1:"));
        frame = get_version(spdm_link_target(w->client.link)->binding, p, sizeof p);
        assert_true(frame.n != 0);
        for (unsigned k = 1; k <= 3; k++) {
            assert_true(spdm_link_send(w->client.link, frame));
            wait_for(w, w->client.frames == k);
            assert_int_equal(w->client.last_n, frame.n);
            assert_memory_equal(w->client.last, frame.p, frame.n);
        }
        /* both sides saw every frame once in each direction; discovery is three more exchanges */
        assert_int_equal(w->taps, doe ? 24 : 12);
        assert_int_equal(w->requests, w->taps / 2);
        assert_int_equal(w->sent, w->taps / 2);
        spdm_link_close(w->client.link);
        w->client.link = NULL;
        wait_for(w, w->server.downs == 1);
        assert_int_equal(w->server.end, SPDM_LINK_CLOSED);
        assert_non_null(strstr(w->server.reason, emu ? "finished (CONTINUE)" : "closed the connection"));
        assert_int_equal(w->client.downs, 0);
        assert_int_equal(w->shutdowns, 0);
        world_free(w);
    }
}

static void shutdown_is_an_option(void **state)
{
    struct world *w = world_new();
    uint16_t port = world_listen(w, "emu+mctp", (struct spdm_listen_options){0});
    (void)state;
    world_connect(w, "emu+mctp", port, (struct spdm_link_options){.shutdown = true});
    wait_for(w, w->client.ups == 1);
    spdm_link_close(w->client.link);
    w->client.link = NULL;
    wait_for(w, w->server.downs == 1);
    assert_int_equal(w->shutdowns, 1);
    world_free(w);
}

static void may_close_in_any_callback(void **state)
{
    static const char *const some[] = {"tcp", "emu+doe", "emu+mctp"};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned who = 0; who < 4; who++) {
            struct world *w = world_new();
            uint16_t port = world_listen(w, some[i], (struct spdm_listen_options){0});
            struct spdm_span frame;
            uint8_t p[32];
            w->server.echo = true;
            w->client.close_on_up = who == 0;
            w->client.close_on_frame = who == 1;
            world_connect(w, some[i], port, (struct spdm_link_options){0});
            wait_for(w, w->client.ups == 1 || w->server.downs == 1);
            w->server.close_on_frame = who == 2; /* discovery is over */
            if (who != 0) {
                frame = get_version(spdm_link_target(w->client.link)->binding, p, sizeof p);
                assert_true(spdm_link_send(w->client.link, frame));
                wait_for(w, w->client.link == NULL || w->server.link == NULL || w->client.frames == 1);
            }
            if (who == 2) wait_for(w, w->client.downs == 1);
            world_free(w); /* who == 3: with both sides up */
        }
    }
}

static void may_refuse_a_client(void **state)
{
    struct world *w = world_new();
    uint16_t port = world_listen(w, "tcp", (struct spdm_listen_options){0});
    (void)state;
    w->refuse = true;
    world_connect(w, "tcp", port, (struct spdm_link_options){0});
    wait_for(w, w->client.downs == 1);
    assert_int_equal(w->client.end, SPDM_LINK_CLOSED);
    assert_int_equal(w->server.downs, 0);
    world_free(w);
}

static void the_frame_limit_holds_both_ways(void **state)
{
    struct world *w = world_new();
    struct spdm_listen_options listen = {.link = {.frame_max = 1000}};
    uint16_t port = world_listen(w, "emu+mctp", listen);
    uint8_t *p = calloc(1, 2000);
    (void)state;
    assert_non_null(p);
    w->server.echo = true;
    world_connect(w, "emu+mctp", port, (struct spdm_link_options){.frame_max = 1001});
    wait_for(w, w->client.ups == 1);
    assert_false(spdm_link_send(w->client.link, (struct spdm_span){p, 1002})); /* says no, stays up */
    assert_false(spdm_link_send(w->client.link, (struct spdm_span){p, 0}));
    assert_true(spdm_link_send(w->client.link, (struct spdm_span){p, 1000}));
    wait_for(w, w->client.frames == 1);
    assert_int_equal(w->client.last_n, 1000);
    assert_true(spdm_link_send(w->client.link, (struct spdm_span){p, 1001}));
    wait_for(w, w->server.downs == 1);
    assert_int_equal(w->server.end, SPDM_LINK_PROTOCOL);
    assert_non_null(strstr(w->server.reason, "announced a frame of 1001 bytes, at most 1000"));
    wait_for(w, w->client.downs == 1);
    free(p);
    world_free(w);
}

/* Many large frames at once, so that writes go out in part and the readers are paused. */
static void large_frames_arrive_whole(void **state)
{
    enum { N = 40, SIZE = 65000 };
    struct world *w = world_new();
    uint16_t port = world_listen(w, "emu+none", (struct spdm_listen_options){0});
    uint8_t *p = malloc(SIZE);
    unsigned sent = 0;
    (void)state;
    assert_non_null(p);
    w->server.echo = true;
    world_connect(w, "emu+none", port, (struct spdm_link_options){0});
    wait_for(w, w->client.ups == 1);
    while (w->client.frames < N) {
        for (size_t i = 0; i < SIZE; i++) p[i] = (uint8_t)(i * 7 + sent);
        if (sent < N && sent < w->client.frames + 4 && spdm_link_send(w->client.link, (struct spdm_span){p, SIZE}))
            sent++;
        turn(w);
        assert_int_equal(w->client.downs, 0);
        if (w->client.frames != 0) {
            assert_int_equal(w->client.last_n, SIZE);
            for (size_t i = 0; i < SIZE; i++)
                assert_int_equal(w->client.last[i], (uint8_t)(i * 7 + w->client.frames - 1));
        }
    }
    assert_int_equal(w->client.bytes, (size_t)N * SIZE);
    free(p);
    world_free(w);
}

static void the_client_limit_holds(void **state)
{
    struct world *w = world_new();
    uint16_t port = world_listen(w, "emu+mctp", (struct spdm_listen_options){.links_max = 2});
    int a, b, c;
    (void)state;
    a = raw_connect(port);
    b = raw_connect(port);
    wait_for(w, w->accepted == 2);
    c = raw_connect(port);
    raw_expect_end(w, c);
    assert_int_equal(w->accepted, 2);
    assert_int_equal(w->notes, 1);
    assert_non_null(strstr(w->note, "turned away"));
    assert_int_equal(spdm_listener_links(w->listener), 2);
    close(a);
    wait_for(w, spdm_listener_links(w->listener) == 1);
    c = raw_connect(port); /* one left, one may come */
    wait_for(w, w->accepted == 3);
    close(b);
    close(c);
    wait_for(w, spdm_listener_links(w->listener) == 0);
    world_free(w);
}

static void a_taken_port_is_reported(void **state)
{
    struct world *w = world_new();
    struct spdm_listen_options options = {.events = {side_events, world_accept, world_note}, .ctx = w};
    struct spdm_target t = target_at("tcp", world_listen(w, "tcp", (struct spdm_listen_options){0}));
    char error[SPDM_REASON_MAX] = "";
    (void)state;
    assert_null(spdm_listener_open(&w->loop, &t, &options, error));
    assert_non_null(strstr(error, "address already in use"));
    world_free(w);
}

static void closing_a_listener_ends_its_links(void **state)
{
    struct world *w = world_new();
    uint16_t port = world_listen(w, "emu+mctp", (struct spdm_listen_options){0});
    int fd[3];
    (void)state;
    for (unsigned i = 0; i < 3; i++) fd[i] = raw_connect(port);
    wait_for(w, w->accepted == 3);
    spdm_listener_close(w->listener);
    w->listener = NULL;
    wait_for(w, w->server.downs == 3);
    assert_int_equal(w->server.end, SPDM_LINK_CLOSED);
    for (unsigned i = 0; i < 3; i++) raw_expect_end(w, fd[i]);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_target_carries_frames),
        cmocka_unit_test(shutdown_is_an_option),
        cmocka_unit_test(may_close_in_any_callback),
        cmocka_unit_test(may_refuse_a_client),
        cmocka_unit_test(the_frame_limit_holds_both_ways),
        cmocka_unit_test(large_frames_arrive_whole),
        cmocka_unit_test(the_client_limit_holds),
        cmocka_unit_test(a_taken_port_is_reported),
        cmocka_unit_test(closing_a_listener_ends_its_links),
    };
    return cmocka_run_group_tests_name("port/link", tests, NULL, NULL);
}
