/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_link_storage.c - storage commands on the wire: every order of IF-SEND and IF-RECV, and hosts and drives that do
 * not play by it. Frames are written by hand; NVMe has transport type 4. */
#include "link_world.h"

#define HEAD(command, size) "0000000" #command "00000004000000" size
#define SEND_VERSION HEAD(2, "0b") "e814000400000010840000"
#define RECV(op, room) HEAD(3, "07") "e8" op "00" room "000000"
#define STATUS(value) HEAD(4, "02") value
#define DATA(size, bytes) HEAD(3, size) bytes

static const uint8_t answer[] = {0xe8, 0x14, 0, 4, 0, 0, 0, 0x10, 0x04, 0, 0};
static const char discovery[] = STATUS("0000") DATA("20", "2000001000000000"
                                                          "6600000000000000"
                                                          "0000000000000000"
                                                          "0000000000000000");

static struct world *drive(int *fd)
{
    struct world *w = world_new();
    *fd = raw_connect(world_listen(w, "emu+nvme", (struct spdm_listen_options){0}));
    return w;
}

static void commands_without_a_message(void **state)
{
    int fd;
    struct world *w = drive(&fd);
    (void)state;
    raw_send(fd, HEAD(3, "07") "00000010000000"); /* which security protocols? */
    raw_expect(w, fd, STATUS("0000") DATA("0a", "000000000000000200e8"));
    raw_send(fd, RECV("04", "20"));
    raw_expect(w, fd, discovery);
    raw_send(fd, RECV("08", "0c"));
    raw_expect(w, fd, STATUS("0000") DATA("0c", "0c0000100000000000000000"));
    raw_send(fd, RECV("14", "40")); /* there is nothing to collect */
    raw_expect(w, fd, STATUS("000c"));
    raw_send(fd, RECV("1c", "40")); /* operation 7 */
    raw_expect(w, fd, STATUS("0002"));
    raw_send(fd, RECV("05", "20")); /* discovery of connection 1 */
    raw_expect(w, fd, STATUS("0002"));
    raw_send(fd, HEAD(3, "07") "e7140010000000");
    raw_expect(w, fd, STATUS("0002"));
    raw_send(fd, HEAD(3, "03") "e81400");
    raw_expect(w, fd, STATUS("0002"));
    raw_send(fd, HEAD(2, "0b") "e814000500000010840000"); /* a length that lies */
    raw_expect(w, fd, STATUS("0002"));
    raw_send(fd, HEAD(2, "07") "e8040020000000"); /* discovery is not sent */
    raw_expect(w, fd, STATUS("0002"));
    raw_send(fd, HEAD(2, "00"));
    raw_expect(w, fd, STATUS("0002"));
    assert_int_equal(w->server.frames, 0);
    close(fd);
    world_free(w);
}

static void answers_are_collected(void **state)
{
    int fd;
    struct world *w = drive(&fd);
    (void)state;
    raw_send(fd, SEND_VERSION);
    raw_expect(w, fd, STATUS("0000"));
    wait_for(w, w->server.frames == 1);
    assert_int_equal(w->server.last_n, 11);
    assert_true(spdm_link_send(w->server.link, (struct spdm_span){answer, sizeof answer}));
    raw_send(fd, RECV("08", "0c")); /* pending: 4 bytes */
    raw_expect(w, fd, STATUS("0000") DATA("0c", "0c0000100100000004000000"));
    raw_send(fd, RECV("18", "40")); /* it is not a secured one */
    raw_expect(w, fd, STATUS("000c"));
    raw_send(fd, RECV("14", "03")); /* not room enough: it stays */
    raw_expect(w, fd, STATUS("0002"));
    raw_send(fd, RECV("14", "04"));
    raw_expect(w, fd, STATUS("0000") DATA("04", "10040000"));
    raw_send(fd, RECV("14", "04")); /* it is gone */
    raw_expect(w, fd, STATUS("000c"));
    close(fd);
    world_free(w);
}

static void who_collects_early_waits(void **state)
{
    int fd;
    struct world *w = drive(&fd);
    (void)state;
    raw_send(fd, SEND_VERSION RECV("14", "40"));
    raw_expect(w, fd, STATUS("0000"));
    wait_for(w, w->server.frames == 1);
    raw_send(fd, RECV("14", "40")); /* one collects at a time */
    raw_expect(w, fd, STATUS("000c"));
    assert_true(spdm_link_send(w->server.link, (struct spdm_span){answer, sizeof answer}));
    raw_expect(w, fd, STATUS("0000") DATA("04", "10040000"));
    /* a new request takes the old one's place */
    raw_send(fd, SEND_VERSION RECV("14", "40"));
    raw_expect(w, fd, STATUS("0000"));
    raw_send(fd, SEND_VERSION);
    raw_expect(w, fd, STATUS("0007") STATUS("0000"));
    wait_for(w, w->server.frames == 3);
    assert_true(spdm_link_send(w->server.link, (struct spdm_span){answer, sizeof answer}));
    raw_send(fd, RECV("14", "40"));
    raw_expect(w, fd, STATUS("0000") DATA("04", "10040000"));
    close(fd);
    world_free(w);
}

/* A host asks again before the drive has answered: what belongs to the first question is thrown away. */
static void hosts_may_ask_again(void **state)
{
    struct world *w = world_new();
    uint16_t port;
    int listening = raw_listen(&port), fd;
    (void)state;
    world_connect(w, "emu+nvme", port, (struct spdm_link_options){.frame_max = 0x47});
    fd = raw_accept(w, listening);
    raw_expect(w, fd, "0000dead000000040000000e436c69656e742048656c6c6f2100");
    raw_send(fd, "0000dead000000040000000e536572766572"
                 "2048656c6c6f2100");
    raw_expect(w, fd, RECV("04", "40"));
    raw_send(fd, discovery);
    wait_for(w, w->client.ups == 1);
    assert_true(spdm_link_send(w->client.link, (struct spdm_span){answer, sizeof answer}));
    assert_true(spdm_link_send(w->client.link, (struct spdm_span){answer, sizeof answer}));
    raw_expect(w, fd, HEAD(2, "0b") "e814000400000010040000" HEAD(2, "0b") "e814000400000010040000");
    raw_send(fd, STATUS("0002") STATUS("0000")); /* of the first one: not our business any more */
    raw_expect(w, fd, RECV("14", "40"));
    assert_true(spdm_link_send(w->client.link, (struct spdm_span){answer, sizeof answer}));
    raw_expect(w, fd, HEAD(2, "0b") "e814000400000010040000");
    raw_send(fd, STATUS("0000") DATA("02", "aabb") STATUS("0000"));
    raw_expect(w, fd, RECV("14", "40"));
    assert_int_equal(w->client.frames, 0);
    raw_send(fd, STATUS("0000") DATA("03", "ccddee"));
    wait_for(w, w->client.frames == 1);
    assert_int_equal(w->client.last_n, 10);
    assert_memory_equal(w->client.last, "\xe8\x14\0\3\0\0\0\xcc\xdd\xee", 10);
    close(fd);
    close(listening);
    world_free(w);
}

static void drives_that_do_not_fit(void **state)
{
    static const struct {
        const char *answers, *says;
    } rows[] = {
        {"0000dead0000000400000000" STATUS("0002"), "refused the IF-RECV command with status 0x0002"},
        {"0000dead0000000400000000" STATUS("0000") DATA("02", "0000"), "do not offer SPDM"},
        {"0000dead0000000400000000" STATUS("0000") DATA("20", "2000001000000000"
                                                              "0200000000000000"
                                                              "0000000000000000"
                                                              "0000000000000000"),
         "do not offer SPDM"},
        {"0000dead0000000400000000" STATUS("0000") STATUS("0000"), "a status that no command asked for"},
        {"0000dead0000000400000000" DATA("01", "00"), "data that no command asked for"},
        {"0000dead0000000400000000" HEAD(4, "01") "00", "command 0x4"},
        {"0000dead0000000400000000" HEAD(1, "01") "00", "command 0x1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world *w = world_new();
        uint16_t port;
        int listening = raw_listen(&port), fd;
        world_connect(w, "emu+nvme", port, (struct spdm_link_options){.connect_ms = 2000});
        fd = raw_accept(w, listening);
        raw_send(fd, rows[i].answers);
        wait_for(w, w->client.downs == 1);
        if (w->client.end != SPDM_LINK_PROTOCOL || strstr(w->client.reason, rows[i].says) == NULL)
            fail_msg("%s: end %d, \"%s\" does not say \"%s\"", rows[i].answers, (int)w->client.end, w->client.reason,
                     rows[i].says);
        close(fd);
        close(listening);
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_without_a_message), cmocka_unit_test(answers_are_collected),
        cmocka_unit_test(who_collects_early_waits),   cmocka_unit_test(hosts_may_ask_again),
        cmocka_unit_test(drives_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
