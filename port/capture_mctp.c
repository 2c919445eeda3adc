/* SPDX-License-Identifier: BSD-3-Clause
 *
 * capture_mctp.c - MCTP packets put together to messages (DSP0236).
 *
 * A message is told by its two endpoints, tag owner bit and tag. One that is
 * begun anew before its end, or misses a packet, is damage. DMTF's captures
 * have a header of zeros, whose version no real packet has, in front of whole
 * messages, and no endpoints. */
#include "port/capture_inside.h"
#include <stdlib.h>
#include <string.h>

enum { HEADER = 4, SOM = 0x80, EOM = 0x40, ENDS = 256, OWNER = 8 };

struct assembly {
    struct assembly *next;
    uint8_t source, dest, tag; /* tag with its owner bit */
    unsigned sequence;
    struct capture_bytes bytes;
};

struct pair {
    uint64_t flow;
    char a[SPDM_CAPTURE_NAME], b[SPDM_CAPTURE_NAME];
};

struct capture_mctp {
    struct assembly *open;
    struct capture_bytes done; /* the message handed out last */
    struct pair *pair[ENDS * ENDS];
};

static struct pair *pair_of(struct spdm_capture *c, uint8_t x, uint8_t y)
{
    uint8_t low = x < y ? x : y, high = x < y ? y : x;
    struct pair **at = &c->mctp->pair[low * ENDS + high];
    if (*at != NULL) return *at;
    *at = calloc(1, sizeof **at);
    if (*at == NULL) return NULL;
    (*at)->flow = ++c->flows;
    snprintf((*at)->a, sizeof(*at)->a, "EID %u", low);
    snprintf((*at)->b, sizeof(*at)->b, "EID %u", high);
    return *at;
}

static struct assembly **find(struct capture_mctp *m, const struct spdm_mctp_packet *p)
{
    struct assembly **at = &m->open;
    uint8_t tag = (uint8_t)(p->tag | (p->owner ? OWNER : 0));
    while (*at != NULL && ((*at)->source != p->source || (*at)->dest != p->dest || (*at)->tag != tag))
        at = &(*at)->next;
    return at;
}

static void drop(struct assembly **at)
{
    struct assembly *gone = *at;
    *at = gone->next;
    free(gone->bytes.p);
    free(gone);
}

static void parse(struct spdm_span s, struct spdm_mctp_packet *p)
{
    if (spdm_mctp_parse(s, p)) return;
    *p = (struct spdm_mctp_packet){.dest = s.p[1],
                                   .source = s.p[2],
                                   .som = (s.p[3] & SOM) != 0,
                                   .eom = (s.p[3] & EOM) != 0,
                                   .owner = (s.p[3] & OWNER) != 0};
}

static bool begin(struct assembly **at, const struct spdm_mctp_packet *p)
{
    struct assembly *a = calloc(1, sizeof *a);
    if (a == NULL) return false;
    a->source = p->source;
    a->dest = p->dest;
    a->tag = (uint8_t)(p->tag | (p->owner ? OWNER : 0));
    a->sequence = p->sequence;
    a->next = *at;
    *at = a;
    return true;
}

/* Both ends with the same number are ends without one: who owns the tag asks. */
static void name_ends(const struct pair *pair, const struct spdm_mctp_packet *p, struct spdm_captured *out)
{
    out->flow = pair->flow;
    if (p->source != p->dest) {
        out->sender = p->source < p->dest ? SPDM_SENDER_A : SPDM_SENDER_B;
        out->a = pair->a;
        out->b = pair->b;
    } else if (p->owner) {
        out->sender = SPDM_SENDER_REQUESTER;
    }
}

static bool frame(const struct pair *pair, const struct spdm_mctp_packet *p, struct spdm_span bytes,
                  struct spdm_captured *out)
{
    name_ends(pair, p, out);
    out->kind = SPDM_CAPTURED_FRAME;
    out->binding = &spdm_binding_mctp;
    out->frame = bytes;
    return true;
}

static bool damage(struct spdm_capture *c, const struct capture_packet *packet, const struct pair *pair,
                   struct spdm_captured *out)
{
    return capture_damage(c, packet, pair->flow, out);
}

/* The packet goes on with a message, or does not. */
static bool go_on(struct spdm_capture *c, const struct capture_packet *packet, const struct spdm_mctp_packet *p,
                  struct spdm_captured *out)
{
    struct capture_mctp *m = c->mctp;
    struct assembly **at = find(m, p);
    const struct pair *pair = pair_of(c, p->source, p->dest);
    if (pair == NULL) return false;
    if (*at == NULL || p->sequence != (((*at)->sequence + 1) & 3)) {
        snprintf(c->note, sizeof c->note, "%s",
                 *at == NULL ? "an MCTP packet whose message began before"
                             : "packets of this MCTP message are missing");
        if (*at != NULL) drop(at);
        return damage(c, packet, pair, out);
    }
    (*at)->sequence = p->sequence;
    if (!capture_add(&(*at)->bytes, (struct spdm_span){packet->bytes.p + HEADER, packet->bytes.n - HEADER}))
        return false;
    if (!p->eom) return false;
    free(m->done.p);
    m->done = (*at)->bytes;
    (*at)->bytes = (struct capture_bytes){0};
    drop(at);
    return frame(pair, p, (struct spdm_span){m->done.p, m->done.n}, out);
}

bool capture_mctp_packet(struct spdm_capture *c, const struct capture_packet *packet, struct spdm_captured *out)
{
    struct spdm_mctp_packet p;
    struct assembly **at;
    const struct pair *pair;
    struct spdm_span rest;
    bool broken;
    if (packet->bytes.n <= HEADER) return capture_foreign(c, packet);
    if (c->mctp == NULL) c->mctp = calloc(1, sizeof *c->mctp);
    if (c->mctp == NULL) return false;
    parse(packet->bytes, &p);
    pair = pair_of(c, p.source, p.dest);
    if (pair == NULL) return false;
    *out = capture_begin(packet);
    if (packet->missing != 0) {
        snprintf(c->note, sizeof c->note, "the capture holds %zu of %zu bytes of this packet", packet->bytes.n,
                 packet->bytes.n + packet->missing);
        return damage(c, packet, pair, out);
    }
    if (!p.som) return go_on(c, packet, &p, out);
    at = find(c->mctp, &p);
    broken = *at != NULL;
    if (broken) drop(at);
    rest = (struct spdm_span){packet->bytes.p + HEADER, packet->bytes.n - HEADER};
    if (!p.eom && (!begin(at, &p) || !capture_add(&(*at)->bytes, rest))) return false;
    if (broken) {
        if (p.eom) {
            c->held = *out;
            c->has_held = frame(pair, &p, rest, &c->held);
        }
        snprintf(c->note, sizeof c->note, "an MCTP message was not brought to its end");
        return damage(c, packet, pair, out);
    }
    return p.eom && frame(pair, &p, rest, out);
}

void capture_mctp_close(struct capture_mctp *m)
{
    while (m->open != NULL) drop(&m->open);
    for (size_t i = 0; i < sizeof m->pair / sizeof *m->pair; i++) free(m->pair[i]);
    free(m->done.p);
    free(m);
}
