/* SPDX-License-Identifier: BSD-3-Clause
 *
 * capture.c - opens a capture, and hands its frames out in the order in which
 * they became whole. */
#define _GNU_SOURCE 1 /* fopencookie; NOLINT(bugprone-reserved-identifier,cert-dcl37-c) */
#include "port/capture_inside.h"
#include <assay/report.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SPDM_TYPE = 5, SECURED_TYPE = 6, MAGIC = 4, MCTP_HEADER = 4 };

bool capture_add(struct capture_bytes *bytes, struct spdm_span more)
{
    if (bytes->n + more.n > bytes->cap) {
        size_t cap = 2 * (bytes->n + more.n) + 256;
        uint8_t *p = realloc(bytes->p, cap);
        if (p == NULL) return false;
        bytes->p = p;
        bytes->cap = cap;
    }
    if (more.n != 0) memcpy(bytes->p + bytes->n, more.p, more.n);
    bytes->n += more.n;
    return true;
}

/* ---- what a packet becomes ---- */

struct spdm_captured capture_begin(const struct capture_packet *packet)
{
    return (struct spdm_captured){.packet = packet->number, .time = packet->time, .sender = packet->sender};
}

bool capture_foreign(struct spdm_capture *c, const struct capture_packet *packet)
{
    if (c->counts.foreign++ == 0) c->counts.first_foreign = packet->number;
    return false;
}

/* c->note says what. */
bool capture_damage(struct spdm_capture *c, const struct capture_packet *packet, uint64_t flow,
                    struct spdm_captured *out)
{
    *out = capture_begin(packet);
    out->kind = SPDM_CAPTURED_DAMAGE;
    out->flow = flow;
    out->note = c->note;
    return true;
}

static bool cut(struct spdm_capture *c, const struct capture_packet *packet, uint64_t flow, struct spdm_captured *out)
{
    snprintf(c->note, sizeof c->note, "the capture holds %zu of %zu bytes of this packet", packet->bytes.n,
             packet->bytes.n + packet->missing);
    return capture_damage(c, packet, flow, out);
}

static bool whole(struct spdm_capture *c, const struct capture_packet *packet, const struct spdm_binding *binding,
                  uint64_t *flow, struct spdm_captured *out)
{
    if (*flow == 0) *flow = ++c->flows;
    if (packet->missing != 0) return cut(c, packet, *flow, out);
    *out = capture_begin(packet);
    out->flow = *flow;
    out->binding = binding;
    out->frame = packet->bytes;
    return true;
}

bool capture_doe(struct spdm_capture *c, const struct capture_packet *packet, struct spdm_captured *out)
{
    return whole(c, packet, &spdm_binding_doe, &c->doe, out);
}

bool capture_bare(struct spdm_capture *c, const struct capture_packet *packet, struct spdm_captured *out)
{
    return whole(c, packet, &spdm_binding_none, &c->bare[0], out);
}

/* ---- by content ---- */

/* An SPDM message that somebody could have sent: version 1.x and a code that exists. */
static bool is_message(struct spdm_span s)
{
    return s.n >= 4 && s.p[0] >> 4 == 1 && strcmp(spdm_message_name(s.p[1]), "unknown") != 0;
}

static struct spdm_span behind(struct spdm_span s, size_t n)
{
    return n < s.n ? (struct spdm_span){s.p + n, s.n - n} : (struct spdm_span){NULL, 0};
}

static bool may_be_message(const struct spdm_capture *c, struct spdm_span s)
{
    return is_message(s) || (c->bare[0] != 0 && s.n >= 4 && s.p[0] >> 4 == 1); /* a code that nobody knows */
}

/* A frame, or a record of a link on which such a frame has been seen. */
static bool is_mctp(const struct spdm_capture *c, struct spdm_span s)
{
    if (s.n < 2) return false;
    return (s.p[0] == SPDM_TYPE && is_message(behind(s, 1))) || (s.p[0] == SECURED_TYPE && c->bare[1] != 0);
}

static bool is_tcp(struct spdm_span s)
{
    return spdm_binding_tcp.unwrap(s).kind != SPDM_FRAME_BAD && s.p[2] == 1;
}

bool capture_guess(struct spdm_capture *c, const struct capture_packet *packet, struct spdm_captured *out)
{
    struct spdm_span s = packet->bytes;
    if (may_be_message(c, s)) return capture_bare(c, packet, out);
    if (is_mctp(c, s)) return whole(c, packet, &spdm_binding_mctp, &c->bare[1], out);
    if (spdm_binding_doe.unwrap(s).kind != SPDM_FRAME_BAD) return capture_doe(c, packet, out);
    if (s.n > MCTP_HEADER + 1 && s.p[0] <= 1 && (s.p[4] == SECURED_TYPE || is_message(behind(s, MCTP_HEADER + 1)))) {
        return capture_mctp_packet(c, packet, out);
    }
    if (s.n >= 4 && is_tcp(s)) return whole(c, packet, &spdm_binding_tcp, &c->bare[2], out);
    if (c->bare[0] != 0 && s.n >= 6) return capture_bare(c, packet, out); /* a record */
    return capture_foreign(c, packet);
}

/* ---- opening ---- */

/* A file whose first bytes have been looked at, from its beginning on. */
struct peeked {
    int fd;
    uint8_t head[MAGIC];
    size_t n, at;
};

/* What there is is handed on, also if it is less than asked for: who writes into a pipe may be slow. */
static ssize_t peeked_read(void *cookie, char *to, size_t n)
{
    struct peeked *p = cookie;
    size_t have = p->n - p->at;
    if (have == 0) return read(p->fd, to, n);
    if (n > have) n = have;
    memcpy(to, p->head + p->at, n);
    p->at += n;
    return (ssize_t)n;
}

static int peeked_close(void *cookie)
{
    struct peeked *p = cookie;
    int rc = close(p->fd);
    free(p);
    return rc;
}

/* Opens, and reads the first bytes; NULL with errno. A file without a byte comes with none. */
static struct peeked *peek(const char *path)
{
    struct peeked *p = calloc(1, sizeof *p);
    ssize_t got = 1;
    if (p == NULL) return NULL;
    p->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (p->fd < 0) {
        free(p);
        return NULL;
    }
    while (p->n < MAGIC && got > 0) {
        got = read(p->fd, p->head + p->n, MAGIC - p->n);
        p->n += got > 0 ? (size_t)got : 0;
    }
    if (got >= 0) return p;
    (void)peeked_close(p);
    return NULL;
}

static bool is_pcap(const uint8_t *magic, size_t n)
{
    static const uint8_t known[][MAGIC] = {{0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0xc3, 0xd4}, {0x4d, 0x3c, 0xb2, 0xa1},
                                           {0xa1, 0xb2, 0x3c, 0x4d}, {0x34, 0xcd, 0xb2, 0xa1}, {0xa1, 0xb2, 0xcd, 0x34},
                                           {0x0a, 0x0d, 0x0d, 0x0a}};
    for (size_t i = 0; n == MAGIC && i < sizeof known / sizeof *known; i++)
        if (memcmp(known[i], magic, MAGIC) == 0) return true;
    return false;
}

static struct spdm_capture *fail(struct spdm_capture *c, char *error, const char *path, const char *why)
{
    if (why != NULL) snprintf(error, SPDM_CAPTURE_ERROR, "%.200s: %.150s", path, why);
    if (c != NULL) spdm_capture_close(c);
    return NULL;
}

static FILE *file_of(struct peeked *p)
{
    const cookie_io_functions_t io = {.read = peeked_read, .close = peeked_close};
    FILE *file = fopencookie(p, "rb", io);
    if (file == NULL) (void)peeked_close(p);
    return file;
}

struct spdm_capture *spdm_capture_open(const char *path, char error[SPDM_CAPTURE_ERROR])
{
    struct spdm_capture *c = calloc(1, sizeof *c);
    struct peeked *p = c != NULL ? peek(path) : NULL;
    char why[SPDM_CAPTURE_ERROR] = "out of memory";
    bool pcap;
    FILE *file;
    if (p == NULL) return fail(c, error, path, c != NULL ? strerror(errno) : why);
    if (p->n == 0) {
        (void)peeked_close(p);
        return fail(c, error, path, "the file is empty");
    }
    pcap = is_pcap(p->head, p->n);
    file = file_of(p);
    if (file == NULL) return fail(c, error, path, why);
    (void)setvbuf(file, NULL, _IOFBF, 1 << 18);
    if (!(pcap ? capture_pcap_open(c, file, why) : capture_text_open(c, file, why))) return fail(c, error, path, why);
    return c;
}

struct spdm_capture *spdm_capture_listen(const char *interface, const char *filter, char error[SPDM_CAPTURE_ERROR])
{
    struct spdm_capture *c = calloc(1, sizeof *c);
    char why[SPDM_CAPTURE_ERROR];
    if (c == NULL) return fail(c, error, interface, "out of memory");
    return capture_pcap_listen(c, interface, filter, why) ? c : fail(c, error, interface, why);
}

void spdm_capture_break(struct spdm_capture *c)
{
    if (c->pcap != NULL) capture_pcap_break(c->pcap);
}

/* It may have been any connection's. */
static int tell_dropped(struct spdm_capture *c, const struct capture_packet *packet, struct spdm_captured *out)
{
    snprintf(c->note, sizeof c->note, "%llu packet%s dropped: the machine is too slow", (unsigned long long)c->dropped,
             c->dropped == 1 ? " was" : "s were");
    c->dropped = 0;
    (void)capture_damage(c, packet, 0, out);
    return 1;
}

int spdm_capture_next(struct spdm_capture *c, struct spdm_captured *out, char error[SPDM_CAPTURE_ERROR])
{
    static const struct capture_packet none;
    struct capture_packet packet = {.number = c->counts.packets};
    if (c->has_held) {
        c->has_held = false;
        *out = c->held;
        return 1;
    }
    for (;;) {
        bool there;
        int rc;
        if (c->tcp != NULL && capture_tcp_drain(c, &packet, out)) return 1;
        if (c->dropped != 0) return tell_dropped(c, &packet, out);
        packet = none;
        rc = c->pcap != NULL ? capture_pcap_next(c, &packet, error) : capture_text_next(c, &packet, error);
        if (rc == 0 && c->dropped != 0) continue;
        if (rc == 0 && c->tcp != NULL) {
            packet.number = c->counts.packets;
            capture_tcp_end(c);
            return capture_tcp_drain(c, &packet, out) ? 1 : 0;
        }
        if (rc <= 0) return rc;
        c->counts.packets++;
        c->counts.bytes += packet.bytes.n;
        there = c->pcap != NULL ? capture_pcap_packet(c, &packet, out) : capture_guess(c, &packet, out);
        if (there) return 1;
    }
}

const char *spdm_capture_describe(const struct spdm_capture *c)
{
    return c->describe;
}

struct spdm_capture_counts spdm_capture_counts(const struct spdm_capture *c)
{
    return c->counts;
}

void spdm_capture_close(struct spdm_capture *c)
{
    if (c->pcap != NULL) capture_pcap_close(c->pcap);
    if (c->text != NULL) capture_text_close(c->text);
    if (c->mctp != NULL) capture_mctp_close(c->mctp);
    if (c->tcp != NULL) capture_tcp_close(c->tcp);
    free(c);
}
