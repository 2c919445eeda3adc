/* SPDX-License-Identifier: BSD-3-Clause
 *
 * capture_tcp.c - TCP segments to streams, streams to frames.
 *
 * Each direction of a connection is a stream: the bytes in order that are not
 * cut into frames yet, and segments that came early. What a capture has missed
 * is given up as soon as the receiver acknowledges it: the sender will not send
 * it again. Behind a gap, and in a connection that the capture meets in its
 * middle, the first segment that begins with a frame begins the stream anew. */
#include "port/capture_inside.h"
#include "port/emulator.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16, TCP_HEADER = 20, IPV4_HEADER = 20, IPV6_HEADER = 40 };
enum { FRAME_MAX = (1 << 20) + 64, PROBES = 64, DSP0287_HEADER = 4 };

enum speaks { SPEAKS_UNKNOWN, SPEAKS_DSP0287, SPEAKS_EMULATOR, SPEAKS_OTHER };

struct segment { /* that came early */
    struct segment *next;
    uint32_t at;
    size_t n;
    uint8_t bytes[];
};

struct stream {
    bool known;    /* `next` is */
    bool first;    /* the next byte is the first of the connection */
    bool in_frame; /* `bytes` begins with a frame */
    bool fin;
    uint32_t next; /* sequence number behind the last byte of `bytes` */
    uint64_t lost; /* bytes missing, not told yet */
    size_t taken;  /* of `bytes`: frames handed out */
    struct capture_bytes bytes;
    struct segment *early;
};

struct key {
    uint8_t address[2][16]; /* the first packet's sender first */
    uint16_t port[2];
    bool six;
};

struct connection {
    struct connection *next; /* in its bucket */
    struct key key;
    uint64_t flow;
    enum speaks speaks;
    struct spdm_target target; /* emulator: its transport */
    bool closing;              /* both ends are done */
    unsigned probes;
    struct stream stream[2];
    char name[2][SPDM_CAPTURE_NAME];
};

struct capture_tcp {
    struct connection **bucket;
    size_t buckets, n;
    struct connection *draining;
    uint64_t ended; /* a flow whose ports begin anew, to be told */
    size_t ending;  /* at the end of the file: the bucket to look at next */
    bool over;
};

/* ---- bytes ---- */

static unsigned get16(struct spdm_span s, size_t at)
{
    return (unsigned)s.p[at] << 8 | s.p[at + 1];
}

static uint32_t get32(struct spdm_span s, size_t at)
{
    return (uint32_t)get16(s, at) << 16 | get16(s, at + 2);
}

static struct spdm_span part(struct spdm_span s, size_t at)
{
    return at < s.n ? (struct spdm_span){s.p + at, s.n - at} : (struct spdm_span){NULL, 0};
}

/* a - b as TCP counts. */
static int32_t ahead(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/* ---- connections ---- */

static size_t hash(const struct key *k)
{
    /* the same for both directions */
    size_t h = (size_t)k->port[0] * 31u + (size_t)k->port[1] * 31u;
    for (size_t i = 0; i < 16; i++) h += ((size_t)k->address[0][i] + k->address[1][i]) * (i * 257 + 1);
    return h * 2654435761u;
}

static bool same(const struct key *a, const struct key *b, unsigned turn)
{
    return a->six == b->six && a->port[0] == b->port[turn] && a->port[1] == b->port[1 - turn] &&
           memcmp(a->address[0], b->address[turn], 16) == 0 && memcmp(a->address[1], b->address[1 - turn], 16) == 0;
}

static void name_end(struct connection *c, unsigned end)
{
    char address[INET6_ADDRSTRLEN] = "?";
    (void)inet_ntop(c->key.six ? AF_INET6 : AF_INET, c->key.address[end], address, sizeof address);
    snprintf(c->name[end], sizeof c->name[end], c->key.six ? "[%s]:%u" : "%s:%u", address, c->key.port[end]);
}

static void clear(struct stream *s)
{
    while (s->early != NULL) {
        struct segment *gone = s->early;
        s->early = gone->next;
        free(gone);
    }
    free(s->bytes.p);
    *s = (struct stream){.known = false};
}

static struct connection **find(struct capture_tcp *t, const struct key *k, unsigned *end)
{
    struct connection **at = &t->bucket[hash(k) % t->buckets];
    for (; *at != NULL; at = &(*at)->next) {
        for (*end = 0; *end < 2; (*end)++)
            if (same(k, &(*at)->key, *end)) return at;
    }
    *end = 0;
    return at;
}

static bool grow(struct capture_tcp *t)
{
    size_t buckets = t->buckets != 0 ? 4 * t->buckets : 64;
    struct connection **bucket = calloc(buckets, sizeof *bucket);
    if (bucket == NULL) return t->buckets != 0;
    for (size_t i = 0; i < t->buckets; i++) {
        while (t->bucket[i] != NULL) {
            struct connection *c = t->bucket[i];
            t->bucket[i] = c->next;
            c->next = bucket[hash(&c->key) % buckets];
            bucket[hash(&c->key) % buckets] = c;
        }
    }
    free(t->bucket);
    t->bucket = bucket;
    t->buckets = buckets;
    return true;
}

static void drop(struct capture_tcp *t, struct connection *c)
{
    unsigned end;
    struct connection **at = find(t, &c->key, &end);
    *at = c->next;
    t->n--;
    for (end = 0; end < 2; end++) clear(&c->stream[end]);
    free(c);
}

/* The connection of a segment; a new one begins with SYN, or with bytes in the middle. */
static struct connection *connection_of(struct spdm_capture *c, const struct key *k, unsigned *end)
{
    struct capture_tcp *t = c->tcp;
    struct connection **at, *new;
    if (t->n >= 2 * t->buckets && !grow(t)) return NULL;
    at = find(t, k, end);
    if (*at != NULL) return *at;
    new = calloc(1, sizeof *new);
    if (new == NULL) return NULL;
    new->key = *k;
    name_end(new, 0);
    name_end(new, 1);
    *at = new;
    t->n++;
    return new;
}

/* ---- what a stream speaks ---- */

static bool emulator_begins(struct spdm_span in, struct spdm_emu_header *header)
{
    if (!spdm_emu_get(in, header) || header->transport > 3 || header->size > FRAME_MAX) return false;
    switch (header->command) {
    case SPDM_EMU_NORMAL:
    case SPDM_EMU_OOB_KEY_UPDATE:
    case SPDM_EMU_OOB_ENDPOINT_INFO:
    case SPDM_EMU_CONTINUE:
    case SPDM_EMU_SHUTDOWN:
    case SPDM_EMU_UNKNOWN:
    case SPDM_EMU_TEST: return true;
    default: return false;
    }
}

static bool dsp0287_begins(struct spdm_span in)
{
    bool payload = in.n >= DSP0287_HEADER && (in.p[0] != 0 || in.p[1] != 0);
    if (in.n < DSP0287_HEADER || in.p[2] != 1) return false;
    if (in.p[3] >= SPDM_TCP_ROLE_INQUIRY) return !payload;
    if (!payload || (in.p[3] != SPDM_TCP_PLAIN && in.p[3] != SPDM_TCP_SECURED)) return false;
    /* a version in front, where there is one to be seen */
    return in.p[3] == SPDM_TCP_SECURED || in.n == DSP0287_HEADER || in.p[DSP0287_HEADER] >> 4 == 1;
}

static const struct spdm_binding *binding_of(uint32_t transport)
{
    static const struct spdm_binding *const bindings[] = {&spdm_binding_none, &spdm_binding_mctp, &spdm_binding_doe,
                                                          &spdm_binding_tcp};
    return bindings[transport & 3];
}

/* Whether a frame begins here; settles what the connection speaks. */
static bool begins(struct connection *c, struct spdm_span in)
{
    struct spdm_emu_header header;
    if (c->speaks != SPEAKS_DSP0287 && emulator_begins(in, &header)) {
        if (c->speaks == SPEAKS_UNKNOWN) {
            c->target.emulator = true;
            c->target.transport = header.transport;
            c->target.binding = binding_of(header.transport);
        }
        c->speaks = SPEAKS_EMULATOR;
        return true;
    }
    if (c->speaks == SPEAKS_EMULATOR || !dsp0287_begins(in)) return false;
    c->target.binding = &spdm_binding_tcp;
    c->speaks = SPEAKS_DSP0287;
    return true;
}

/* ---- bytes into streams ---- */

/* Looks for the beginning of a frame at the beginning of what there is; bytes in front of one are not understood. */
static void probe(struct connection *c, struct stream *s)
{
    struct spdm_span all = {s->bytes.p, s->bytes.n};
    if (s->in_frame || s->bytes.n == 0) return;
    s->in_frame = begins(c, all);
    if (!s->in_frame && s->first && all.n < SPDM_EMU_HEADER) return; /* its other bytes come */
    s->first = false;
    if (s->in_frame) return;
    s->bytes.n = s->taken = 0;
    if (c->speaks == SPEAKS_UNKNOWN && ++c->probes >= PROBES) c->speaks = SPEAKS_OTHER;
}

static void append(struct connection *c, struct stream *s, struct spdm_span bytes)
{
    if (s->taken != 0) {
        memmove(s->bytes.p, s->bytes.p + s->taken, s->bytes.n - s->taken);
        s->bytes.n -= s->taken;
        s->taken = 0;
    }
    if (!capture_add(&s->bytes, bytes)) return;
    s->next += (uint32_t)bytes.n;
    probe(c, s);
}

/* Takes what came early and fits now. */
static void take_early(struct connection *c, struct stream *s)
{
    while (s->early != NULL && ahead(s->early->at, s->next) <= 0) {
        struct segment *e = s->early;
        size_t skip = (size_t)(s->next - e->at);
        s->early = e->next;
        if (skip < e->n) append(c, s, (struct spdm_span){e->bytes + skip, e->n - skip});
        free(e);
    }
}

static void keep_early(struct stream *s, uint32_t at, struct spdm_span bytes)
{
    struct segment **place = &s->early, *e = malloc(sizeof *e + bytes.n);
    if (e == NULL) return;
    e->at = at;
    e->n = bytes.n;
    memcpy(e->bytes, bytes.p, bytes.n);
    while (*place != NULL && ahead((*place)->at, at) < 0) place = &(*place)->next;
    e->next = *place;
    *place = e;
}

/* What is missing in front of the early segments will not come any more. */
static void give_up_gap(struct connection *c, struct stream *s)
{
    if (s->early == NULL) return;
    s->lost += s->early->at - s->next;
    s->next = s->early->at;
    s->bytes.n = s->taken = 0; /* the frame that was begun */
    s->in_frame = false;
    take_early(c, s);
}

static void receive(struct connection *c, struct stream *s, uint32_t at, struct spdm_span bytes)
{
    int32_t early;
    if (bytes.n == 0 || c->speaks == SPEAKS_OTHER) return;
    if (!s->known) {
        s->known = true;
        s->next = at;
    }
    early = ahead(at, s->next);
    if (early > 0) {
        keep_early(s, at, bytes);
    } else if ((size_t) - (int64_t)early < bytes.n) {
        append(c, s, part(bytes, (size_t) - (int64_t)early));
        take_early(c, s);
    }
}

/* The same ports, another connection. */
static void begin_anew(struct capture_tcp *t, struct connection *c)
{
    t->ended = c->flow;
    clear(&c->stream[0]);
    clear(&c->stream[1]);
    c->flow = 0;
    c->speaks = SPEAKS_UNKNOWN;
    c->closing = false;
    c->probes = 0;
}

static void segment(struct spdm_capture *capture, const struct key *k, struct spdm_span tcp)
{
    unsigned end, flags = tcp.p[13];
    size_t head = (size_t)(tcp.p[12] >> 4) * 4;
    uint32_t at = get32(tcp, 4);
    struct connection *c = connection_of(capture, k, &end);
    struct stream *s, *back;
    if (c == NULL || head < TCP_HEADER || head > tcp.n) return;
    s = &c->stream[end];
    back = &c->stream[1 - end];
    if ((flags & (SYN | ACK)) == SYN && s->known && s->next != at + 1) begin_anew(capture->tcp, c);
    if ((flags & SYN) != 0) {
        s->known = s->first = true;
        s->next = ++at;
    }
    if ((flags & ACK) != 0 && back->early != NULL && ahead(get32(tcp, 8), back->early->at) > 0) give_up_gap(c, back);
    receive(c, s, at, part(tcp, head));
    if ((flags & FIN) != 0) s->fin = true;
    c->closing = c->closing || (flags & RST) != 0 || (c->stream[0].fin && c->stream[1].fin);
    capture->tcp->draining = c;
}

/* ---- IP ---- */

/* Where TCP begins in an IPv6 packet, 0 if there is none. */
static size_t behind_extensions(struct spdm_span ip)
{
    enum { HOP = 0, ROUTING = 43, DESTINATION = 60 };
    size_t at = IPV6_HEADER;
    unsigned next = ip.p[6];
    while ((next == HOP || next == ROUTING || next == DESTINATION) && at + 8 <= ip.n) {
        next = ip.p[at];
        at += ((size_t)ip.p[at + 1] + 1) * 8;
    }
    return next == IPPROTO_TCP ? at : 0;
}

/* The TCP segment of an IP packet, without what the link put behind it; empty if there is none. */
static struct spdm_span tcp_of(struct spdm_span ip, struct key *k)
{
    const struct spdm_span none = {NULL, 0};
    size_t head, size;
    k->six = ip.n > 0 && ip.p[0] >> 4 == 6;
    if (ip.n < (k->six ? IPV6_HEADER : IPV4_HEADER)) return none;
    head = k->six ? behind_extensions(ip) : (size_t)(ip.p[0] & 15) * 4;
    size = k->six ? IPV6_HEADER + get16(ip, 4) : get16(ip, 2);
    if (!k->six && (ip.p[9] != IPPROTO_TCP || (get16(ip, 6) & 0x3fff) != 0)) return none; /* a fragment */
    if (size == 0 || size > ip.n) size = ip.n;                                            /* offloaded, or cut */
    if (head < IPV4_HEADER || head + TCP_HEADER > size) return none;
    for (unsigned end = 0; end < 2; end++) {
        size_t n = k->six ? 16 : 4, from = (k->six ? 8 : 12) + end * n;
        memcpy(k->address[end], ip.p + from, n);
        k->port[end] = (uint16_t)get16(ip, head + 2 * end);
    }
    return (struct spdm_span){ip.p + head, size - head};
}

bool capture_ip_packet(struct spdm_capture *c, const struct capture_packet *packet)
{
    struct key k = {.six = false};
    struct spdm_span tcp = tcp_of(packet->bytes, &k);
    if (tcp.p == NULL) return false;
    if (c->tcp == NULL) c->tcp = calloc(1, sizeof *c->tcp);
    if (c->tcp == NULL) return false;
    segment(c, &k, tcp);
    return true;
}

/* ---- streams to frames ---- */

static void describe(const struct connection *c, unsigned end, struct spdm_captured *out)
{
    out->flow = c->flow;
    out->sender = end == 0 ? SPDM_SENDER_A : SPDM_SENDER_B;
    out->a = c->name[0];
    out->b = c->name[1];
    out->binding = c->target.binding;
}

static bool tell_loss(struct spdm_capture *capture, const struct capture_packet *packet, struct connection *c,
                      unsigned end, struct spdm_captured *out)
{
    struct stream *s = &c->stream[end];
    if (s->lost == 0) return false;
    snprintf(capture->note, sizeof capture->note, "%llu bytes of the stream are missing from the capture",
             (unsigned long long)s->lost);
    s->lost = 0;
    (void)capture_damage(capture, packet, c->flow, out);
    describe(c, end, out);
    return true;
}

/* The framing cannot be right: nothing more can be cut from this stream before it begins anew. */
static bool tell_broken(struct spdm_capture *capture, const struct capture_packet *packet, struct connection *c,
                        unsigned end, struct spdm_captured *out)
{
    struct stream *s = &c->stream[end];
    snprintf(capture->note, sizeof capture->note, "what follows is no frame of %s",
             c->speaks == SPEAKS_EMULATOR ? "the emulator's socket protocol" : "DSP0287");
    s->bytes.n = s->taken = 0;
    s->in_frame = false;
    (void)capture_damage(capture, packet, c->flow, out);
    describe(c, end, out);
    return true;
}

static bool cut_one(struct spdm_capture *capture, const struct capture_packet *packet, struct connection *c,
                    unsigned end, struct spdm_captured *out)
{
    struct stream *s = &c->stream[end];
    while (s->in_frame) {
        struct spdm_span in = {s->bytes.p + s->taken, s->bytes.n - s->taken};
        struct spdm_piece piece = {.command = 0};
        enum spdm_cut cut = spdm_stream_cut(&c->target, FRAME_MAX, in, &piece);
        if (cut == SPDM_CUT_MORE) return false;
        if (cut != SPDM_CUT_WHOLE) return tell_broken(capture, packet, c, end, out);
        s->taken += piece.head + piece.size;
        if (piece.command != SPDM_EMU_NORMAL) continue;
        *out = capture_begin(packet);
        describe(c, end, out);
        out->frame = (struct spdm_span){in.p + piece.head, piece.size};
        return true;
    }
    return false;
}

static bool drain(struct spdm_capture *capture, const struct capture_packet *packet, struct connection *c,
                  struct spdm_captured *out)
{
    if (c->flow == 0 && (c->speaks == SPEAKS_DSP0287 || c->speaks == SPEAKS_EMULATOR)) c->flow = ++capture->flows;
    if (c->flow == 0) return false;
    for (unsigned end = 0; end < 2; end++)
        if (tell_loss(capture, packet, c, end, out) || cut_one(capture, packet, c, end, out)) return true;
    return false;
}

static bool tell_end(struct spdm_capture *capture, const struct capture_packet *packet, struct connection *c,
                     struct spdm_captured *out)
{
    bool ours = c->flow != 0;
    *out = capture_begin(packet);
    out->kind = SPDM_CAPTURED_END;
    out->flow = c->flow;
    drop(capture->tcp, c);
    return ours;
}

bool capture_tcp_drain(struct spdm_capture *capture, const struct capture_packet *packet, struct spdm_captured *out)
{
    struct capture_tcp *t = capture->tcp;
    if (t->ended != 0) {
        *out = capture_begin(packet);
        out->kind = SPDM_CAPTURED_END;
        out->flow = t->ended;
        t->ended = 0;
        return true;
    }
    for (;;) {
        struct connection *c = t->draining;
        while (c == NULL && t->over && t->ending < t->buckets) {
            c = t->bucket[t->ending];
            if (c == NULL) t->ending++;
        }
        if (c == NULL) return false;
        if (drain(capture, packet, c, out)) return true;
        if (t->over && (c->stream[0].early != NULL || c->stream[1].early != NULL)) {
            give_up_gap(c, &c->stream[0]);
            give_up_gap(c, &c->stream[1]);
            continue;
        }
        t->draining = NULL;
        if ((c->closing || t->over) && tell_end(capture, packet, c, out)) return true;
        if (!t->over) return false;
    }
}

void capture_tcp_end(struct spdm_capture *c)
{
    c->tcp->over = true;
}

void capture_tcp_close(struct capture_tcp *t)
{
    for (size_t i = 0; i < t->buckets; i++) {
        struct connection *c = t->bucket[i], *next;
        for (; c != NULL; c = next) {
            next = c->next;
            clear(&c->stream[0]);
            clear(&c->stream[1]);
            free(c);
        }
    }
    free(t->bucket);
    free(t);
}
