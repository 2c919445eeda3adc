/* SPDX-License-Identifier: BSD-3-Clause
 *
 * pcap.c - frames as packets, through libpcap's dump functions.
 *
 * Each frame becomes one packet, or several when it is longer than a packet
 * may be. What has to be made up (MCTP endpoint ids and tags, TCP sequence
 * numbers) is kept per link in its memo, so that there is no table to grow.
 * After a failed write nothing more is written and close says so. */
#include "port/pcap.h"

#include <errno.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

enum { LINKTYPE_DMTF_MCTP = 291, LINKTYPE_DMTF_DOE = 292, SLL_HEADER = 16, HEADERS_MAX = 80 };
enum { ARPHRD_MCTP_ = 290, ARPHRD_NONE_ = 0xfffe };
enum { PROTO_MCTP = 0x00fa, PROTO_IP = 0x0800, PROTO_IPV6 = 0x86dd, PROTO_DOE = 0x88b5, PROTO_BARE = 0x88b6 };
#define PACKET_MAX 65535
#define PART_MAX 65000 /* of a frame in one packet, so that IPv4's 16-bit length holds headers too */

/* The four words of a link. */
enum { MEMO_PAIR, MEMO_TAG, MEMO_SENT, MEMO_RECEIVED };

struct spdm_pcap {
    pcap_t *dead;
    pcap_dumper_t *file;
    enum spdm_pcap_form form;
    const struct spdm_binding *binding;
    uint64_t pairs; /* links seen */
    int failed;     /* errno of the first failure */
    char path[256];
    uint8_t packet[HEADERS_MAX + PACKET_MAX];
};

/* A packet being laid out. */
struct layout {
    struct spdm_pcap *pcap;
    const struct spdm_tapped *tapped;
    size_t n;
};

static void put(struct layout *l, const void *bytes, size_t n)
{
    memcpy(l->pcap->packet + l->n, bytes, n);
    l->n += n;
}

static void put16(struct layout *l, unsigned v)
{
    const uint8_t be[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    put(l, be, 2);
}

static void put32(struct layout *l, uint32_t v)
{
    put16(l, v >> 16);
    put16(l, v & 0xffff);
}

static void write_packet(struct layout *l)
{
    struct spdm_pcap *p = l->pcap;
    struct pcap_pkthdr header = {.caplen = (bpf_u_int32)l->n, .len = (bpf_u_int32)l->n};
    header.ts.tv_sec = l->tapped->time.tv_sec;
    header.ts.tv_usec = (suseconds_t)(l->tapped->time.tv_nsec / 1000);
    errno = 0;
    pcap_dump((u_char *)p->file, &header, p->packet);
    if (pcap_dump_flush(p->file) != 0 || ferror(pcap_dump_file(p->file))) p->failed = errno != 0 ? errno : EIO;
}

/* The cooked header: sent by us or to us, kind of hardware, no address, protocol. */
static void put_sll(struct layout *l, unsigned hatype, unsigned protocol)
{
    static const uint8_t no_address[8] = {0};
    put16(l, l->tapped->sent ? 4 : 0);
    put16(l, hatype);
    put16(l, 0);
    put(l, no_address, sizeof no_address);
    put16(l, protocol);
}

static struct spdm_span part_of(struct spdm_span frame, size_t at)
{
    size_t left = frame.n - at;
    return (struct spdm_span){frame.p + at, left < PART_MAX ? left : PART_MAX};
}

/* ---- MCTP ---- */

/* Link number k: requester 8, 10, ... 252 and responder 9, 11, ... 253; then the same with other partners. */
static void endpoints(uint64_t k, uint8_t *requester, uint8_t *responder)
{
    const uint64_t n = 123;
    *requester = (uint8_t)(8 + 2 * (k % n));
    *responder = (uint8_t)(9 + 2 * ((k % n + k / n) % n));
}

static void write_mctp(struct spdm_pcap *p, const struct spdm_tapped *t)
{
    struct spdm_mctp_packet packet = {.som = true, .owner = t->request};
    uint8_t requester, responder, header[4];
    if (t->memo[MEMO_PAIR] == 0) t->memo[MEMO_PAIR] = ++p->pairs;
    if (t->request) t->memo[MEMO_TAG]++;
    endpoints(t->memo[MEMO_PAIR] - 1, &requester, &responder);
    packet.source = t->request ? requester : responder;
    packet.dest = t->request ? responder : requester;
    packet.tag = t->memo[MEMO_TAG] & 7;
    for (size_t at = 0; at < t->frame.n;) {
        struct layout l = {p, t, 0};
        struct spdm_span part = part_of(t->frame, at);
        at += part.n;
        packet.eom = at == t->frame.n;
        put_sll(&l, ARPHRD_MCTP_, PROTO_MCTP);
        (void)spdm_mctp_header((struct spdm_room){header, sizeof header}, &packet);
        put(&l, header, sizeof header);
        put(&l, part.p, part.n);
        write_packet(&l);
        packet.som = false;
        packet.sequence = (uint8_t)((packet.sequence + 1) & 3);
    }
}

/* ---- TCP ---- */

/* The addresses of a segment, sender first. */
struct path {
    bool six;
    uint8_t from[16], to[16];
    uint16_t from_port, to_port;
};

static uint16_t take_address(const struct sockaddr *address, uint8_t out[16])
{
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        memcpy(out, &in6.sin6_addr, 16);
        return ntohs(in6.sin6_port);
    }
    struct sockaddr_in in4;
    memcpy(&in4, address, sizeof in4);
    memcpy(out, &in4.sin_addr, 4);
    return ntohs(in4.sin_port);
}

static struct path path_of(const struct spdm_tapped *t)
{
    const struct sockaddr *from = spdm_link_address(t->link, t->sent), *to = spdm_link_address(t->link, !t->sent);
    struct path path = {.six = from->sa_family == AF_INET6};
    path.from_port = take_address(from, path.from);
    path.to_port = take_address(to, path.to);
    return path;
}

static uint32_t add_words(uint32_t sum, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void store16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put_ip(struct layout *l, const struct path *path, size_t tcp)
{
    size_t at = l->n;
    if (path->six) {
        put32(l, 0x60000000u);
        put16(l, (unsigned)tcp);
        put16(l, IPPROTO_TCP << 8 | 64);
        put(l, path->from, 16);
        put(l, path->to, 16);
        return;
    }
    put16(l, 0x4500);
    put16(l, (unsigned)tcp + 20);
    put32(l, 0x4000); /* no identification, do not fragment */
    put16(l, 64u << 8 | IPPROTO_TCP);
    put16(l, 0);
    put(l, path->from, 4);
    put(l, path->to, 4);
    store16(l->pcap->packet + at + 10, ~add_words(0, l->pcap->packet + at, 20) & 0xffff);
}

static void put_tcp(struct layout *l, const struct path *path, struct spdm_span part)
{
    uint64_t *memo = l->tapped->memo;
    unsigned out = l->tapped->sent ? MEMO_SENT : MEMO_RECEIVED, in = l->tapped->sent ? MEMO_RECEIVED : MEMO_SENT;
    size_t at = l->n, address = path->six ? 16 : 4;
    uint32_t sum;
    put16(l, path->from_port);
    put16(l, path->to_port);
    put32(l, (uint32_t)memo[out] + 1);
    put32(l, (uint32_t)memo[in] + 1);
    put16(l, 0x5018); /* 20 bytes, PSH and ACK */
    put16(l, 0xffff);
    put32(l, 0);
    put(l, part.p, part.n);
    sum = add_words(IPPROTO_TCP + (uint32_t)(20 + part.n), path->from, address);
    sum = add_words(sum, path->to, address);
    sum = add_words(sum, l->pcap->packet + at, 20 + part.n);
    store16(l->pcap->packet + at + 16, ~sum & 0xffff);
    memo[out] += part.n;
}

static void write_tcp(struct spdm_pcap *p, const struct spdm_tapped *t)
{
    struct path path = path_of(t);
    for (size_t at = 0; at < t->frame.n;) {
        struct layout l = {p, t, 0};
        struct spdm_span part = part_of(t->frame, at);
        at += part.n;
        put_sll(&l, ARPHRD_NONE_, path.six ? PROTO_IPV6 : PROTO_IP);
        put_ip(&l, &path, 20 + part.n);
        put_tcp(&l, &path, part);
        write_packet(&l);
    }
}

/* ---- the others ---- */

/* One packet, cut if it is longer than readers take: a DOE object can have 1 MiB. */
static void write_raw(struct spdm_pcap *p, const struct spdm_tapped *t, const void *head, size_t head_n)
{
    struct layout l = {p, t, 0};
    bool doe = spdm_link_target(t->link)->binding == &spdm_binding_doe;
    if (p->form == SPDM_PCAP_STANDARD) put_sll(&l, ARPHRD_NONE_, doe ? PROTO_DOE : PROTO_BARE);
    if (head_n != 0) put(&l, head, head_n);
    put(&l, t->frame.p, t->frame.n < PACKET_MAX ? t->frame.n : PACKET_MAX);
    write_packet(&l);
}

void spdm_pcap_tap(void *ctx, const struct spdm_tapped *t)
{
    struct spdm_pcap *p = ctx;
    const struct spdm_binding *binding = spdm_link_target(t->link)->binding;
    struct spdm_tapped bare = *t;
    if (p->failed != 0 || t->frame.n == 0) return;
    if (binding == &spdm_binding_storage) { /* the command's fields have no place in a capture */
        bare.frame = binding->unwrap(t->frame).message;
        if (bare.frame.n != 0) write_raw(p, &bare, NULL, 0);
        return;
    }
    if (p->form == SPDM_PCAP_DMTF && binding == &spdm_binding_mctp)
        write_raw(p, t, "\0\0\0\xc0", 4); /* as the emulator writes it: no version, no endpoints */
    else if (binding == &spdm_binding_mctp) write_mctp(p, t);
    else if (binding == &spdm_binding_tcp) write_tcp(p, t);
    else write_raw(p, t, NULL, 0);
}

/* ---- the file ---- */

/* libpcap refuses to write link types it does not know, DMTF's among them. The number stands in the file's header at
 * byte 20, in our byte order: the file is begun with one it knows and corrected. */
static bool set_link_type(pcap_dumper_t *file, int type)
{
    FILE *f = pcap_dump_file(file);
    uint32_t value = (uint32_t)type;
    return fseek(f, 20, SEEK_SET) == 0 && fwrite(&value, sizeof value, 1, f) == 1 && fseek(f, 0, SEEK_END) == 0 &&
           fflush(f) == 0;
}

static int link_type(enum spdm_pcap_form form, const struct spdm_binding *binding)
{
    if (form == SPDM_PCAP_STANDARD) return DLT_LINUX_SLL;
    if (binding == &spdm_binding_mctp) return LINKTYPE_DMTF_MCTP;
    return binding == &spdm_binding_doe ? LINKTYPE_DMTF_DOE : -1;
}

struct spdm_pcap *spdm_pcap_open(const char *path, enum spdm_pcap_form form, const struct spdm_binding *binding,
                                 char error[SPDM_REASON_MAX])
{
    int type = link_type(form, binding);
    struct spdm_pcap *p = type >= 0 ? calloc(1, sizeof *p) : NULL;
    if (p == NULL) {
        snprintf(error, SPDM_REASON_MAX, "cannot write %s: %s", path,
                 type < 0 ? "DMTF's form of capture exists for MCTP and PCI DOE only" : "out of memory");
        return NULL;
    }
    p->form = form;
    p->binding = binding;
    snprintf(p->path, sizeof p->path, "%s", path);
    p->dead =
        form == SPDM_PCAP_DMTF ? pcap_open_dead(DLT_USER0, 0x10000) : pcap_open_dead(type, HEADERS_MAX + PACKET_MAX);
    p->file = p->dead != NULL ? pcap_dump_open(p->dead, path) : NULL;
    if (p->file != NULL && (form != SPDM_PCAP_DMTF || set_link_type(p->file, type))) return p;
    snprintf(error, SPDM_REASON_MAX, "cannot write %.250s: %s", path,
             p->dead == NULL   ? "out of memory"
             : p->file == NULL ? pcap_geterr(p->dead)
                               : strerror(errno));
    if (p->file != NULL) pcap_dump_close(p->file);
    if (p->dead != NULL) pcap_close(p->dead);
    free(p);
    return NULL;
}

bool spdm_pcap_close(struct spdm_pcap *p, char error[SPDM_REASON_MAX])
{
    int failed = p->failed;
    snprintf(error, SPDM_REASON_MAX, "%s is not complete: %s", p->path, strerror(failed));
    pcap_dump_close(p->file);
    pcap_close(p->dead);
    free(p);
    return failed == 0;
}
