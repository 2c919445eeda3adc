/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_capture.c - captures of TCP, put together by hand: which frames come out, in which order, of which
 * connection, and what is said of what is missing. */
#include "port/made_capture.h"

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

/* ---- TCP ---- */

static struct {
    uint32_t link;
    bool six, vlan;
    uint32_t next[2]; /* sequence numbers */
    uint16_t port[2];
} tcp;

static void tcp_begin(uint32_t link)
{
    begin(link);
    memset(&tcp, 0, sizeof tcp);
    tcp.link = link;
    tcp.next[0] = 0xfffffff0; /* counts over */
    tcp.next[1] = 1000;
    tcp.port[0] = 40000;
    tcp.port[1] = 4194;
}

static uint8_t *put_be(uint8_t *p, uint32_t v, size_t n)
{
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
    return p + n;
}

static uint8_t *put_link(uint8_t *p)
{
    uint32_t type = tcp.six ? 0x86dd : 0x0800;
    memset(p, 0, 32);
    if (tcp.link == ETHERNET) {
        p += 12;
        if (tcp.vlan) p = put_be(put_be(p, 0x8100, 2), 5, 2);
        return put_be(p, type, 2);
    }
    if (tcp.link == SLL) return put_be(p + 14, type, 2);
    if (tcp.link == SLL2) {
        (void)put_be(p, type, 2);
        return p + 20;
    }
    if (tcp.link == NULL_LOOP) return p + 4;
    return p;
}

static uint8_t *put_ip(uint8_t *p, unsigned from, size_t n)
{
    memset(p, 0, 40);
    if (tcp.six) {
        p[0] = 0x60;
        (void)put_be(p + 4, (uint32_t)(20 + n), 2);
        p[6] = 6;
        p[23] = (uint8_t)(1 + from);
        p[39] = (uint8_t)(2 - from);
        return p + 40;
    }
    p[0] = 0x45;
    (void)put_be(p + 2, (uint32_t)(40 + n), 2);
    p[9] = 6;
    p[12] = p[16] = 10;
    p[15] = (uint8_t)(1 + from);
    p[19] = (uint8_t)(2 - from);
    return p + 20;
}

static void segment_at(unsigned from, uint32_t at, unsigned flags, const char *hex)
{
    struct spdm_room r = hex_bytes(hex);
    uint8_t *bytes = calloc(1, r.n + 200), *p = put_ip(put_link(bytes), from, r.n);
    p = put_be(p, tcp.port[from], 2);
    p = put_be(p, tcp.port[1 - from], 2);
    p = put_be(p, at, 4);
    p = put_be(p, tcp.next[1 - from], 4);
    p = put_be(p, 0x5000 | flags, 2);
    memset(p, 0, 6); /* window, checksum, urgent */
    p += 6;
    if (r.n != 0) memcpy(p, r.p, r.n);
    p += r.n;
    if (tcp.link == ETHERNET) p += 4; /* padding behind the IP packet */
    packet_of(bytes, (size_t)(p - bytes), (size_t)(p - bytes));
    free(bytes);
    free(r.p);
}

static void segment(unsigned from, unsigned flags, const char *hex)
{
    segment_at(from, tcp.next[from], flags, hex);
    tcp.next[from] += (uint32_t)(strlen(hex) / 2) + ((flags & SYN) != 0) + ((flags & FIN) != 0);
}

/* A lost segment: it was sent, and the capture does not have it. */
static void lost(unsigned from, const char *hex)
{
    tcp.next[from] += (uint32_t)(strlen(hex) / 2);
}

#define GET_VERSION                                                                                                    \
    "04000105"                                                                                                         \
    "10840000"
#define VERSION                                                                                                        \
    "08000105"                                                                                                         \
    "1004000000010012"
#define RECORD                                                                                                         \
    "0a000106"                                                                                                         \
    "ffffffff"                                                                                                         \
    "0400"                                                                                                             \
    "01020304"

static void one_exchange(void)
{
    segment(0, SYN, "");
    segment(1, SYN | ACK, "");
    segment(0, ACK, GET_VERSION);
    segment(1, ACK, VERSION);
    segment(0, FIN | ACK, "");
    segment(1, FIN | ACK, "");
}

static void links_under_tcp(void **state)
{
    static const struct {
        uint32_t link;
        bool six, vlan;
    } forms[] = {{ETHERNET, false, false},  {ETHERNET, true, true},   {SLL, true, false},  {SLL2, false, false},
                 {NULL_LOOP, false, false}, {NULL_LOOP, true, false}, {RAW, false, false}, {RAW, true, false}};
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        tcp_begin(forms[i].link);
        tcp.six = forms[i].six;
        tcp.vlan = forms[i].vlan;
        one_exchange();
        EXPECT(tcp, "1A " GET_VERSION, "1B " VERSION, "1.");
    }
}

static void segments_are_cut_anywhere(void **state)
{
    (void)state;
    tcp_begin(ETHERNET);
    segment(0, SYN, "");
    segment(0, 0, "04");
    segment(0, 0, "00010510");
    segment(0, 0, "840000" GET_VERSION GET_VERSION "0400");
    segment(1, 0, VERSION);
    segment(0, 0, "0105");
    segment(0, 0, "10840000");
    EXPECT(tcp, "1A " GET_VERSION, "1A " GET_VERSION, "1A " GET_VERSION, "1B " VERSION, "1A " GET_VERSION, "1.");
}

static void segments_come_twice_and_early(void **state)
{
    (void)state;
    tcp_begin(ETHERNET);
    segment(0, SYN, "");
    segment(1, SYN | ACK, "");
    segment(0, ACK, GET_VERSION);
    segment_at(0, tcp.next[0] - 8, ACK, GET_VERSION); /* again */
    segment_at(0, tcp.next[0] - 4, ACK,
               "10840000"
               "0a00");                              /* again, and a little more */
    segment_at(0, tcp.next[0] + 6, ACK, "ffff0400"); /* early: the middle is missing */
    segment_at(0, tcp.next[0] + 10, ACK, "01020304");
    segment_at(0, tcp.next[0] + 2, ACK, "0106ffff"); /* here it is */
    EXPECT(tcp, "1A " GET_VERSION, "1A " RECORD, "1.");
}

static void lost_segments_are_told(void **state)
{
    (void)state;
    tcp_begin(ETHERNET);
    segment(0, SYN, "");
    segment(1, SYN | ACK, "");
    segment(0, ACK, GET_VERSION);
    segment(1, ACK, "0800010510");
    lost(1, "04000000010012");
    segment(1, ACK, VERSION); /* early, as far as the capture knows */
    segment(0, ACK, GET_VERSION);
    EXPECT(tcp, "1A " GET_VERSION, "1A " GET_VERSION, "1! 7 bytes of the stream are missing from the capture",
           "1B " VERSION, "1.");
}

static void gaps_at_the_end_are_told(void **state)
{
    (void)state;
    tcp_begin(ETHERNET);
    segment(0, SYN, "");
    segment(0, 0, GET_VERSION);
    lost(0, GET_VERSION);
    segment(0, 0, GET_VERSION);
    EXPECT(tcp, "1A " GET_VERSION, "1! 8 bytes of the stream are missing from the capture", "1A " GET_VERSION, "1.");
}

static void connections_are_told_apart(void **state)
{
    (void)state;
    tcp_begin(ETHERNET);
    segment(0, SYN, "");
    segment(0, 0, GET_VERSION);
    tcp.port[0] = 40001;
    segment(0, 0, GET_VERSION); /* met in its middle */
    tcp.port[0] = 40000;
    segment(1, 0, VERSION);
    tcp.next[0] += 77; /* the same ports anew */
    segment(0, SYN, "");
    segment(0, 0, GET_VERSION);
    segment(0, RST, "");
    EXPECT(tcp, "1A " GET_VERSION, "2A " GET_VERSION, "1B " VERSION, "1.", "3A " GET_VERSION, "3.", "2.");
}

static void the_middle_of_a_stream(void **state)
{
    (void)state;
    tcp_begin(ETHERNET);
    segment(0, 0, "112233445566");
    segment(0, 0, "778899");
    segment(0, 0, RECORD RECORD);
    EXPECT(tcp, "1A " RECORD, "1A " RECORD, "1.");
}

static void other_protocols_are_left_alone(void **state)
{
    struct spdm_captured out;
    struct spdm_capture *c;
    char error[SPDM_CAPTURE_ERROR];
    (void)state;
    tcp_begin(ETHERNET);
    tcp.port[1] = 80;
    segment(0, SYN, "");
    for (unsigned i = 0; i < 200; i++) segment(0, 0, "474554202f20485454502f312e310d0a");
    segment(1, 0, "485454502f312e3120323030204f4b0d0a");
    packet("ffffffffffff0000000000000806000108000604"); /* ARP */
    c = open_it();
    assert_int_equal(spdm_capture_next(c, &out, error), 0);
    assert_int_equal(spdm_capture_counts(c).packets, 203);
    assert_int_equal(spdm_capture_counts(c).foreign, 1);
    assert_int_equal(spdm_capture_counts(c).first_foreign, 203);
    spdm_capture_close(c);
}

static void broken_framing_is_told(void **state)
{
    (void)state;
    tcp_begin(ETHERNET);
    segment(0, SYN, "");
    segment(0, 0, GET_VERSION);
    segment(0, 0,
            "04000205"
            "10840000"); /* another BindingVersion */
    segment(0, 0, GET_VERSION);
    EXPECT(tcp, "1A " GET_VERSION, "1! what follows is no frame of DSP0287", "1A " GET_VERSION, "1.");
}

/* The emulator's 12 bytes: command, transport, size, all big endian. */
static void the_emulator(void **state)
{
    (void)state;
    tcp_begin(ETHERNET);
    tcp.port[1] = 2323;
    segment(0, SYN, "");
    segment(0, 0,
            "0000dead"
            "00000001"
            "0000000e"
            "436c69656e742048656c6c6f2100");
    segment(1, 0,
            "0000dead"
            "00000001"
            "0000000e"
            "536572766572204865");
    segment(1, 0, "6c6c6f2100");
    segment(0, 0,
            "00000001"
            "00000001"
            "00000005"
            "0510840000");
    segment(1, 0,
            "00000001"
            "00000001"
            "00000009"
            "051004000000010012");
    segment(0, 0,
            "0000fffe"
            "00000001"
            "00000000");
    EXPECT(mctp, "1A 0510840000", "1B 051004000000010012", "1.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_under_tcp),
        cmocka_unit_test(segments_are_cut_anywhere),
        cmocka_unit_test(segments_come_twice_and_early),
        cmocka_unit_test(lost_segments_are_told),
        cmocka_unit_test(gaps_at_the_end_are_told),
        cmocka_unit_test(connections_are_told_apart),
        cmocka_unit_test(the_middle_of_a_stream),
        cmocka_unit_test(other_protocols_are_left_alone),
        cmocka_unit_test(broken_framing_is_told),
        cmocka_unit_test(the_emulator),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
