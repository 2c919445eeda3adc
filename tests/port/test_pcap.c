/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_pcap.c - captures: what links carried, read back with libpcap and byte by byte. */
#include "link_world.h"
#include "port/pcap.h"

#include <pcap/pcap.h>
#include <sys/stat.h>

static char path[] = "/tmp/assay-pcap-XXXXXX";

/* One connection with two exchanges of `n` bytes, captured on the given side. */
static void record(const char *scheme, enum spdm_pcap_form form, bool at_server, size_t n)
{
    struct world *w = world_new();
    const struct spdm_binding *b = target_at(scheme, 0).binding;
    char error[SPDM_REASON_MAX] = "";
    struct spdm_pcap *pcap = spdm_pcap_open(path, form, b, error);
    struct spdm_link_options tapped = {.tap = spdm_pcap_tap, .tap_ctx = pcap}, untapped = {0};
    uint8_t *p = calloc(1, n + 16);
    struct spdm_span frame;
    uint16_t port = world_listen(w, scheme, (struct spdm_listen_options){.link = at_server ? tapped : untapped});
    assert_non_null(pcap);
    assert_non_null(p);
    w->server.echo = true;
    world_connect(w, scheme, port, at_server ? untapped : tapped);
    wait_for(w, w->client.ups == 1);
    memcpy(p + b->head, "\x10\x84\0\0", 4);
    frame = (struct spdm_span){p, b->wrap((struct spdm_room){p, n + 16}, n, false)};
    for (unsigned k = 1; k <= 2; k++) {
        assert_true(spdm_link_send(w->client.link, frame));
        wait_for(w, w->client.frames == k);
    }
    world_free(w);
    assert_true(spdm_pcap_close(pcap, error));
    free(p);
}

struct reader {
    pcap_t *file;
    struct pcap_pkthdr *header;
    const u_char *bytes;
};

static struct reader open_capture(void)
{
    char error[PCAP_ERRBUF_SIZE];
    struct reader r = {pcap_open_offline(path, error), NULL, NULL};
    if (r.file == NULL) fail_msg("%s", error);
    return r;
}

/* The next packet begins with these bytes. */
static void expect(struct reader *r, const char *hex)
{
    struct spdm_span want = frame_of(hex);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    assert_int_equal(pcap_next_ex(r->file, &r->header, &r->bytes), 1);
    assert_true(r->header->caplen >= want.n && r->header->caplen == r->header->len);
    assert_true(now.tv_sec - r->header->ts.tv_sec < 60);
    if (memcmp(r->bytes, want.p, want.n) != 0) {
        for (size_t i = 0; i < want.n; i++) printf("%02x", r->bytes[i]);
        fail_msg(" instead of %s", hex);
    }
    free((void *)want.p);
}

static void expect_end(struct reader *r)
{
    assert_int_equal(pcap_next_ex(r->file, &r->header, &r->bytes), PCAP_ERROR_BREAK);
    pcap_close(r->file);
}

#define OUT_MCTP                                                                                                       \
    "0004"                                                                                                             \
    "0122"                                                                                                             \
    "0000"                                                                                                             \
    "0000000000000000"                                                                                                 \
    "00fa"
#define IN_MCTP                                                                                                        \
    "0000"                                                                                                             \
    "0122"                                                                                                             \
    "0000"                                                                                                             \
    "0000000000000000"                                                                                                 \
    "00fa"

static void mctp_packets(void **state)
{
    (void)state;
    for (unsigned server = 0; server < 2; server++) {
        struct reader r;
        record("emu+mctp", SPDM_PCAP_STANDARD, server != 0, 4);
        r = open_capture();
        assert_int_equal(pcap_datalink(r.file), DLT_LINUX_SLL);
        /* requests 8 -> 9 with the tag owner bit, answers 9 -> 8 without, same tag; the next exchange the next tag */
        expect(&r, server ? IN_MCTP "010908c9"
                                    "0510840000"
                          : OUT_MCTP "010908c9"
                                     "0510840000");
        expect(&r, server ? OUT_MCTP "010809c1"
                                     "0510840000"
                          : IN_MCTP "010809c1"
                                    "0510840000");
        expect(&r, server ? IN_MCTP "010908ca"
                                    "0510840000"
                          : OUT_MCTP "010908ca"
                                     "0510840000");
        expect(&r, server ? OUT_MCTP "010809c2"
                                     "0510840000"
                          : IN_MCTP "010809c2"
                                    "0510840000");
        expect_end(&r);
    }
}

static void long_messages_become_several_packets(void **state)
{
    struct reader r;
    (void)state;
    record("emu+mctp", SPDM_PCAP_STANDARD, false, 65500);
    r = open_capture();
    expect(&r, OUT_MCTP "01090889"
                        "0510840000"); /* SOM */
    assert_int_equal(r.header->caplen, 20 + 65000);
    expect(&r, OUT_MCTP "01090859"); /* EOM, sequence 1 */
    assert_int_equal(r.header->caplen, 20 + 501);
    expect(&r, IN_MCTP "01080981");
    pcap_close(r.file);
}

static void doe_objects(void **state)
{
    static const char out[] = "0004"
                              "fffe"
                              "0000"
                              "0000000000000000"
                              "88b5";
    static const char in[] = "0000"
                             "fffe"
                             "0000"
                             "0000000000000000"
                             "88b5";
    char line[200];
    struct reader r;
    (void)state;
    record("emu+doe", SPDM_PCAP_STANDARD, false, 4);
    r = open_capture();
    for (unsigned i = 0; i < 3; i++) { /* discovery is part of what passed */
        snprintf(line, sizeof line, "%s01000000030000000%u000000", out, i);
        expect(&r, line);
        snprintf(line, sizeof line, "%s0100000003000000", in);
        expect(&r, line);
    }
    snprintf(line, sizeof line, "%s010001000300000010840000", out);
    expect(&r, line);
    snprintf(line, sizeof line, "%s010001000300000010840000", in);
    expect(&r, line);
    pcap_close(r.file);
}

static unsigned sum16(const uint8_t *p, size_t n, unsigned sum)
{
    for (size_t i = 0; i < n; i++) sum += i % 2 == 0 ? (unsigned)p[i] << 8 : p[i];
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* IPv4 and TCP headers with right checksums, sequence numbers that count the frames of each direction. */
static void tcp_streams(void **state)
{
    static const struct {
        uint32_t seq, ack;
        bool out;
    } rows[] = {{1, 1, true}, {1, 9, false}, {9, 9, true}, {9, 17, false}};
    struct reader r;
    uint16_t port[2] = {0, 0};
    (void)state;
    record("tcp", SPDM_PCAP_STANDARD, false, 4);
    r = open_capture();
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t *ip, *tcp;
        expect(&r, rows[i].out ? "0004"
                                 "fffe"
                                 "0000"
                                 "0000000000000000"
                                 "0800"
                                 "45000030"
                               : "0000"
                                 "fffe"
                                 "0000"
                                 "0000000000000000"
                                 "0800"
                                 "45000030");
        ip = r.bytes + 16;
        tcp = ip + 20;
        assert_int_equal(sum16(ip, 20, 0), 0xffff);
        assert_int_equal(sum16(tcp, 28, sum16(ip + 12, 8, 6 + 28)), 0xffff);
        assert_memory_equal(ip + 12, "\x7f\0\0\1\x7f\0\0\1", 8);
        port[rows[i].out] = (uint16_t)(tcp[0] << 8 | tcp[1]);
        assert_int_equal(tcp[4] << 24 | tcp[5] << 16 | tcp[6] << 8 | tcp[7], rows[i].seq);
        assert_int_equal(tcp[8] << 24 | tcp[9] << 16 | tcp[10] << 8 | tcp[11], rows[i].ack);
        assert_memory_equal(tcp + 20, "\4\0\1\5\x10\x84\0\0", 8);
    }
    assert_int_not_equal(port[0], port[1]);
    expect_end(&r);
}

static void bare_messages(void **state)
{
    struct reader r;
    (void)state;
    record("emu+none", SPDM_PCAP_STANDARD, true, 4);
    r = open_capture();
    expect(&r, "0000"
               "fffe"
               "0000"
               "0000000000000000"
               "88b6"
               "10840000");
    expect(&r, "0004"
               "fffe"
               "0000"
               "0000000000000000"
               "88b6"
               "10840000");
    pcap_close(r.file);
}

/* Byte for byte what spdm-emu writes, but for the times. libpcap does not read these link types: look at the file. */
static void dmtfs_form(void **state)
{
    static const struct {
        const char *scheme;
        const char *network, *record;
    } rows[] = {{"emu+mctp", "23010000",
                 "09000000"
                 "09000000"
                 "000000c0"
                 "0510840000"},
                {"emu+doe", "24010000",
                 "0c000000"
                 "0c000000"
                 "010000000300000000000000"}};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct spdm_span network = frame_of(rows[i].network), first = frame_of(rows[i].record);
        uint8_t got[64];
        FILE *f;
        record(rows[i].scheme, SPDM_PCAP_DMTF, false, 4);
        f = fopen(path, "rb");
        assert_non_null(f);
        assert_int_equal(fread(got, 1, sizeof got, f), sizeof got);
        fclose(f);
        assert_memory_equal(got, "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\1\0", 20);
        assert_memory_equal(got + 20, network.p, 4);
        assert_memory_equal(got + 32, first.p, first.n);
        free((void *)network.p);
        free((void *)first.p);
    }
}

static void says_what_cannot_be_written(void **state)
{
    char error[SPDM_REASON_MAX] = "";
    (void)state;
    assert_null(spdm_pcap_open(path, SPDM_PCAP_DMTF, &spdm_binding_tcp, error));
    assert_non_null(strstr(error, "for MCTP and PCI DOE only"));
    assert_null(spdm_pcap_open("/no/such/directory/x.pcap", SPDM_PCAP_STANDARD, NULL, error));
    assert_non_null(strstr(error, "/no/such/directory/x.pcap"));
    if (access("/dev/full", W_OK) == 0) {
        struct spdm_pcap *full = spdm_pcap_open("/dev/full", SPDM_PCAP_STANDARD, NULL, error);
        struct world *w = world_new();
        uint64_t memo[4] = {0};
        uint8_t frame[5] = {5, 0x10, 0x84, 0, 0};
        struct spdm_tapped t = {NULL, {frame, sizeof frame}, true, true, {1, 0}, memo};
        world_connect(w, "emu+mctp", 1, (struct spdm_link_options){0});
        t.link = w->client.link;
        assert_non_null(full);
        spdm_pcap_tap(full, &t);
        spdm_pcap_tap(full, &t);
        assert_false(spdm_pcap_close(full, error));
        assert_non_null(strstr(error, "/dev/full is not complete: No space left"));
        world_free(w);
    }
}

static int make_path(void **state)
{
    int fd = mkstemp(path);
    (void)state;
    if (fd >= 0) close(fd);
    return fd >= 0 ? 0 : -1;
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mctp_packets),
        cmocka_unit_test(long_messages_become_several_packets),
        cmocka_unit_test(doe_objects),
        cmocka_unit_test(tcp_streams),
        cmocka_unit_test(bare_messages),
        cmocka_unit_test(dmtfs_form),
        cmocka_unit_test(says_what_cannot_be_written),
    };
    return cmocka_run_group_tests_name("port/pcap", tests, make_path, remove_path);
}
