/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_link_reach_out.c - DSP0287 with the roles of TCP turned: the device connects, inquires its role, is asked
 * (withstand 101). */
#include "link_world.h"

static const struct spdm_listen_options requester = {.link = {.reach_out = true, .stall_ms = 200}};
static const struct spdm_link_options device = {.reach_out = true};

static void the_device_connects(void **state)
{
    static const char *const schemes[] = {"tcp", "emu+tcp"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        static const uint8_t get_version[] = {4, 0, 1, 5, 0x10, 0x84, 0, 0};
        struct world *w = world_new();
        uint16_t port = world_listen(w, schemes[i], requester);
        w->client.echo = true;
        world_connect(w, schemes[i], port, device);
        wait_for(w, w->client.ups == 1 && w->server.ups == 1);
        assert_true(spdm_link_requester(w->server.link));
        assert_false(spdm_link_requester(w->client.link));
        assert_true(spdm_link_send(w->server.link, (struct spdm_span){get_version, sizeof get_version}));
        wait_for(w, w->server.frames == 1);
        assert_int_equal(w->client.frames, 1);
        assert_int_equal(w->server.last_n, sizeof get_version);
        assert_int_equal(w->taps, 3);     /* of the listener: inquiry, request, answer */
        assert_int_equal(w->requests, 1); /* only the second goes from requester to responder */
        spdm_link_close(w->server.link);
        w->server.link = NULL;
        wait_for(w, w->client.downs == 1);
        assert_int_equal(w->client.end, SPDM_LINK_CLOSED);
        assert_int_equal(w->server.downs, 0);
        world_free(w);
    }
}

static void who_asks_is_refused(void **state)
{
    static const struct {
        const char *scheme, *bytes, *answer;
        enum spdm_link_end end;
    } rows[] = {
        {"tcp", "0400010510840000", "000001c3", SPDM_LINK_PROTOCOL},
        {"emu+tcp", "0400010510840000", "000001c3", SPDM_LINK_PROTOCOL},
        {"tcp", "000001c2", "000001c3", SPDM_LINK_PROTOCOL},
        {"tcp", "000002bf", "000001c1", SPDM_LINK_PROTOCOL},
        {"tcp", "0000", "", SPDM_LINK_TIMEOUT},
        {"tcp", "", "", SPDM_LINK_TIMEOUT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world *w = world_new();
        int fd = raw_connect(world_listen(w, rows[i].scheme, requester));
        raw_send(fd, rows[i].bytes);
        raw_expect(w, fd, rows[i].answer);
        raw_expect_end(w, fd);
        wait_for(w, w->server.downs == 1);
        assert_int_equal(w->server.end, rows[i].end);
        assert_int_equal(w->server.ups, 0);
        world_free(w);
    }
}

static void who_is_not_wanted_hears_why(void **state)
{
    struct world *w = world_new();
    uint16_t port;
    int listening = raw_listen(&port), fd;
    (void)state;
    world_connect(w, "tcp", port, device);
    fd = raw_accept(w, listening);
    raw_expect(w, fd, "000001bf");
    raw_send(fd, "000001c2");
    wait_for(w, w->client.downs == 1);
    assert_int_equal(w->client.end, SPDM_LINK_PROTOCOL);
    assert_non_null(strstr(w->client.reason, "cannot operate as requester"));
    close(fd);
    close(listening);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_device_connects),
        cmocka_unit_test(who_asks_is_refused),
        cmocka_unit_test(who_is_not_wanted_hears_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
