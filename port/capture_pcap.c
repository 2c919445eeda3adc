/* SPDX-License-Identifier: BSD-3-Clause
 *
 * capture_pcap.c - packets out of libpcap, and the link layer around them.
 *
 * DMTF's link types 291 and 292 are registered for something else: a packet
 * of theirs that is not what DMTF puts there goes by its content, as does one
 * of any link type that has no row here. */
#include "port/capture_inside.h"
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

enum { LINKTYPE_DMTF_MCTP = 291, LINKTYPE_DMTF_DOE = 292, SNAPLEN = 262144 };
enum { POLL_MS = 50, BUFFER = 64 << 20, LOOK_EVERY = 256 };
enum {
    PROTO_MCTP = 0x00fa,
    PROTO_IP = 0x0800,
    PROTO_VLAN = 0x8100,
    PROTO_IPV6 = 0x86dd,
    PROTO_QINQ = 0x88a8,
    PROTO_DOE = 0x88b5,
    PROTO_BARE = 0x88b6
};

struct capture_pcap {
    pcap_t *handle;
    int link;
    bool live, over;
    unsigned since, dropped; /* packets since it was asked how many were dropped; how many it said */
};

/* ---- reading ---- */

static const char *link_name(int link)
{
    const char *name = pcap_datalink_val_to_name(link);
    return link == LINKTYPE_DMTF_MCTP ? "DMTF's MCTP" : link == LINKTYPE_DMTF_DOE ? "DMTF's PCI DOE" : name;
}

static bool begin(struct spdm_capture *c, pcap_t *handle, bool live)
{
    const char *name;
    c->pcap = calloc(1, sizeof *c->pcap);
    if (c->pcap == NULL) {
        pcap_close(handle);
        return false;
    }
    c->pcap->handle = handle;
    c->pcap->live = live;
    c->pcap->link = pcap_datalink(handle);
    name = link_name(c->pcap->link);
    snprintf(c->describe, sizeof c->describe, "%s, link type %d%s%s", live ? "live" : "pcap", c->pcap->link,
             name != NULL ? " " : "", name != NULL ? name : "");
    return true;
}

bool capture_pcap_open(struct spdm_capture *c, FILE *file, char error[SPDM_CAPTURE_ERROR])
{
    char why[PCAP_ERRBUF_SIZE] = "";
    pcap_t *handle = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why);
    if (handle != NULL) {
        if (begin(c, handle, false)) return true;
        snprintf(error, SPDM_CAPTURE_ERROR, "out of memory");
        return false;
    }
    fclose(file);
    snprintf(error, SPDM_CAPTURE_ERROR, "%s", why);
    return false;
}

/* Not in immediate mode: there every packet takes a slot of SNAPLEN bytes, and a burst of some packets fills the
 * buffer. What passes is shown after POLL_MS at the latest. */
static bool activate(pcap_t *handle, const char *filter, char error[SPDM_CAPTURE_ERROR])
{
    struct bpf_program program;
    int rc;
    (void)pcap_set_snaplen(handle, SNAPLEN);
    (void)pcap_set_promisc(handle, 0);
    (void)pcap_set_timeout(handle, POLL_MS);
    (void)pcap_set_buffer_size(handle, BUFFER);
    rc = pcap_activate(handle);
    if (rc < 0) {
        snprintf(error, SPDM_CAPTURE_ERROR, "%s: %.200s", pcap_statustostr(rc), pcap_geterr(handle));
        return false;
    }
    if (filter == NULL) return true;
    rc = pcap_compile(handle, &program, filter, 1, PCAP_NETMASK_UNKNOWN);
    if (rc == 0) {
        rc = pcap_setfilter(handle, &program);
        pcap_freecode(&program);
    }
    if (rc != 0) snprintf(error, SPDM_CAPTURE_ERROR, "filter \"%.100s\": %.200s", filter, pcap_geterr(handle));
    return rc == 0;
}

bool capture_pcap_listen(struct spdm_capture *c, const char *interface, const char *filter,
                         char error[SPDM_CAPTURE_ERROR])
{
    char why[PCAP_ERRBUF_SIZE] = "";
    pcap_t *handle = pcap_create(interface, why);
    snprintf(error, SPDM_CAPTURE_ERROR, "%s", why);
    if (handle == NULL) return false;
    if (activate(handle, filter, error)) return begin(c, handle, true);
    pcap_close(handle);
    return false;
}

/* Packets that the kernel had no room for. */
static void count_dropped(struct spdm_capture *c)
{
    struct pcap_stat stat;
    struct capture_pcap *p = c->pcap;
    p->since = 0;
    if (!p->live || pcap_stats(p->handle, &stat) != 0) return;
    c->dropped += stat.ps_drop - p->dropped;
    p->dropped = stat.ps_drop;
}

int capture_pcap_next(struct spdm_capture *c, struct capture_packet *packet, char error[SPDM_CAPTURE_ERROR])
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    int rc = PCAP_ERROR_BREAK;
    while (!c->pcap->over && (rc = pcap_next_ex(c->pcap->handle, &header, &bytes)) == 0) count_dropped(c);
    c->pcap->over = rc == PCAP_ERROR_BREAK;
    if (c->pcap->over || ++c->pcap->since == LOOK_EVERY) count_dropped(c);
    if (c->pcap->over) return 0;
    if (rc != 1) {
        snprintf(error, SPDM_CAPTURE_ERROR, "packet %llu: %.200s", (unsigned long long)c->counts.packets + 1,
                 pcap_geterr(c->pcap->handle));
        return -1;
    }
    *packet = (struct capture_packet){.number = c->counts.packets + 1,
                                      .time = {header->ts.tv_sec, header->ts.tv_usec},
                                      .bytes = {bytes, header->caplen},
                                      .missing = header->len > header->caplen ? header->len - header->caplen : 0};
    if (c->pcap->live) packet->time.tv_nsec *= 1000; /* files were opened for nanoseconds */
    return 1;
}

void capture_pcap_break(struct capture_pcap *p)
{
    pcap_breakloop(p->handle);
}

void capture_pcap_close(struct capture_pcap *p)
{
    pcap_close(p->handle);
    free(p);
}

/* ---- link layers ---- */

static unsigned get16(const struct capture_packet *packet, size_t at)
{
    return (unsigned)packet->bytes.p[at] << 8 | packet->bytes.p[at + 1];
}

static struct capture_packet inside(const struct capture_packet *packet, size_t head)
{
    struct capture_packet in = *packet;
    in.bytes = (struct spdm_span){packet->bytes.p + head, packet->bytes.n - head};
    return in;
}

static bool protocol(struct spdm_capture *c, const struct capture_packet *packet, unsigned type, size_t head,
                     struct spdm_captured *out)
{
    struct capture_packet in = inside(packet, head);
    switch (type) {
    case PROTO_MCTP: return capture_mctp_packet(c, &in, out);
    case PROTO_DOE: return capture_doe(c, &in, out);
    case PROTO_BARE: return capture_bare(c, &in, out);
    case PROTO_IP:
    case PROTO_IPV6:
        if (capture_ip_packet(c, &in)) return false; /* what it gives is drained */
        break;
    default: break;
    }
    return capture_foreign(c, packet);
}

/* Ethernet, with VLAN tags. */
static bool ethernet(struct spdm_capture *c, const struct capture_packet *packet, struct spdm_captured *out)
{
    size_t at = 12;
    while (at + 6 <= packet->bytes.n && (get16(packet, at) == PROTO_VLAN || get16(packet, at) == PROTO_QINQ)) at += 4;
    if (at + 2 > packet->bytes.n) return capture_foreign(c, packet);
    return protocol(c, packet, get16(packet, at), at + 2, out);
}

/* Cooked: where the protocol is, and whether it came from us or to us. */
struct cooked {
    size_t protocol, type, head;
};

static const struct cooked sll = {14, 1, 16}, sll2 = {0, 10, 20};

static bool cooked(struct spdm_capture *c, const struct capture_packet *packet, const struct cooked *form,
                   struct spdm_captured *out)
{
    enum { OUTGOING = 4 };
    struct capture_packet copy = *packet;
    if (packet->bytes.n <= form->head) return capture_foreign(c, packet);
    copy.sender = packet->bytes.p[form->type] == OUTGOING ? SPDM_SENDER_A : SPDM_SENDER_B;
    return protocol(c, &copy, get16(packet, form->protocol), form->head, out);
}

static bool raw_ip(struct spdm_capture *c, const struct capture_packet *packet, size_t head, struct spdm_captured *out)
{
    if (packet->bytes.n <= head) return capture_foreign(c, packet);
    return protocol(c, packet, packet->bytes.p[head] >> 4 == 6 ? PROTO_IPV6 : PROTO_IP, head, out);
}

static bool is_doe(const struct capture_packet *packet)
{
    return packet->missing != 0 || spdm_binding_doe.unwrap(packet->bytes).kind != SPDM_FRAME_BAD;
}

/* Whether the four bytes in front are an MCTP header as DMTF's tools or a real bus have it; DOE names its length. */
static bool is_mctp(const struct capture_packet *packet)
{
    bool whole = packet->missing == 0;
    return packet->bytes.n > 5 && packet->bytes.p[0] <= 1 && !(whole && is_doe(packet));
}

bool capture_pcap_packet(struct spdm_capture *c, const struct capture_packet *packet, struct spdm_captured *out)
{
    switch (c->pcap->link) {
    case LINKTYPE_DMTF_MCTP:
        if (is_mctp(packet)) return capture_mctp_packet(c, packet, out);
        break;
    case LINKTYPE_DMTF_DOE:
        if (is_doe(packet)) return capture_doe(c, packet, out);
        break;
    case DLT_EN10MB: return ethernet(c, packet, out);
    case DLT_LINUX_SLL: return cooked(c, packet, &sll, out);
    case DLT_LINUX_SLL2: return cooked(c, packet, &sll2, out);
    case DLT_NULL:
    case DLT_LOOP: return raw_ip(c, packet, 4, out);
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6: return raw_ip(c, packet, 0, out);
    default: break;
    }
    return capture_guess(c, packet, out);
}
