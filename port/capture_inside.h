/* SPDX-License-Identifier: BSD-3-Clause
 *
 * capture_inside.h - the inside of a capture, shared by port/capture*.c only.
 *
 *   capture.c         opening, the order in which things come out, what a packet is by its content
 *   capture_pcap.c    packets out of libpcap, and what lies around the payload
 *   capture_text.c    lines of hex digits
 *   capture_mctp.c    MCTP packets to messages
 *   capture_tcp.c     TCP segments to streams, streams to frames
 *
 * A packet goes down through the layers and leaves at most one thing in `out`,
 * and perhaps a second in `held`; streams are drained before the next packet. */
#ifndef PORT_CAPTURE_INSIDE_H
#define PORT_CAPTURE_INSIDE_H
#include "port/capture.h"
#include <stdbool.h>
#include <stdio.h>

struct capture_packet {
    uint64_t number;
    struct timespec time;
    struct spdm_span bytes;
    size_t missing; /* bytes of it that the capture does not hold */
    enum spdm_sender sender;
};

struct capture_mctp;
struct capture_tcp;
struct capture_pcap;
struct capture_text;

struct spdm_capture {
    struct capture_pcap *pcap;
    struct capture_text *text;
    struct capture_mctp *mctp;
    struct capture_tcp *tcp;
    struct spdm_capture_counts counts;
    uint64_t flows;        /* numbers given away */
    uint64_t doe, bare[3]; /* flows of links without addresses, 0: none yet; bare by kind of binding */
    uint64_t dropped;      /* packets that passed and did not come, to be told */
    bool has_held;
    struct spdm_captured held; /* what comes after *out */
    char note[160];            /* of the damage at hand */
    char describe[120];
};

/* Bytes that grow. */
struct capture_bytes {
    uint8_t *p;
    size_t n, cap;
};
bool capture_add(struct capture_bytes *bytes, struct spdm_span more);

/* capture.c: all fill *out and return true, or return false: nothing came of the packet (yet). */
struct spdm_captured capture_begin(const struct capture_packet *packet);
bool capture_damage(struct spdm_capture *c, const struct capture_packet *packet, uint64_t flow,
                    struct spdm_captured *out);
bool capture_doe(struct spdm_capture *c, const struct capture_packet *packet, struct spdm_captured *out);
bool capture_bare(struct spdm_capture *c, const struct capture_packet *packet, struct spdm_captured *out);
/* A packet, or a line of text, that only its content can explain. */
bool capture_guess(struct spdm_capture *c, const struct capture_packet *packet, struct spdm_captured *out);
bool capture_foreign(struct spdm_capture *c, const struct capture_packet *packet);

/* capture_pcap.c; packets: 1, 0 at the end, -1 with the reason */
bool capture_pcap_open(struct spdm_capture *c, FILE *file, char error[SPDM_CAPTURE_ERROR]);
bool capture_pcap_listen(struct spdm_capture *c, const char *interface, const char *filter,
                         char error[SPDM_CAPTURE_ERROR]);
int capture_pcap_next(struct spdm_capture *c, struct capture_packet *packet, char error[SPDM_CAPTURE_ERROR]);
bool capture_pcap_packet(struct spdm_capture *c, const struct capture_packet *packet, struct spdm_captured *out);
void capture_pcap_break(struct capture_pcap *p);
void capture_pcap_close(struct capture_pcap *p);

/* capture_text.c */
bool capture_text_open(struct spdm_capture *c, FILE *file, char error[SPDM_CAPTURE_ERROR]);
int capture_text_next(struct spdm_capture *c, struct capture_packet *packet, char error[SPDM_CAPTURE_ERROR]);
void capture_text_close(struct capture_text *t);

/* capture_mctp.c: a packet with its 4-byte header */
bool capture_mctp_packet(struct spdm_capture *c, const struct capture_packet *packet, struct spdm_captured *out);
void capture_mctp_close(struct capture_mctp *m);

/* capture_tcp.c: an IP packet; then whatever streams have to give */
bool capture_ip_packet(struct spdm_capture *c, const struct capture_packet *packet);
bool capture_tcp_drain(struct spdm_capture *c, const struct capture_packet *packet, struct spdm_captured *out);
/* The file is over: streams with gaps give what lies behind them. */
void capture_tcp_end(struct spdm_capture *c);
void capture_tcp_close(struct capture_tcp *t);
#endif
