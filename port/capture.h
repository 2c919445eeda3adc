/* SPDX-License-Identifier: BSD-3-Clause
 *
 * capture.h - frames of SPDM bindings out of captures, logs and interfaces.
 *
 * What can be read, told apart by itself:
 *
 *   pcap, pcapng, an interface (libpcap)
 *     MCTP      DMTF's link type 291, LINUX_SLL and SLL2 with protocol 0x00FA: packets are put together to messages
 *     PCI DOE   DMTF's link type 292, protocol 0x88B5: one object a packet
 *     bare      protocol 0x88B6: one SPDM message a packet
 *     TCP       over IPv4 and IPv6 on Ethernet, loopback, Linux cooked and raw IP: streams are put together, and cut
 *               as DSP0287 or the reference emulator's socket protocol says, whichever the bytes are
 *     others    by content: the packet is tried as each of the first three
 *   text        one message a line in hex digits; what stands in front of them may tell the direction
 *
 * Memory grows with what is not whole yet, never with the file. Nothing is
 * interpreted here but framing. */
#ifndef PORT_CAPTURE_H
#define PORT_CAPTURE_H
#include <assay/binding.h>
#include <time.h>

#define SPDM_CAPTURE_ERROR 400
#define SPDM_CAPTURE_NAME 64

enum spdm_sender {
    SPDM_SENDER_UNKNOWN,
    SPDM_SENDER_A, /* one end of the flow, */
    SPDM_SENDER_B, /* the other: which of them is the Requester, their messages tell */
    SPDM_SENDER_REQUESTER,
    SPDM_SENDER_RESPONDER
};

enum spdm_captured_kind {
    SPDM_CAPTURED_FRAME,
    SPDM_CAPTURED_DAMAGE, /* something is missing or cannot be read here: note says what */
    SPDM_CAPTURED_END     /* the flow is over: its number will not come again */
};

struct spdm_captured {
    enum spdm_captured_kind kind;
    uint64_t packet; /* number of the packet (or line) that made it whole, from 1 */
    struct timespec time;
    uint64_t flow; /* the same for all frames of a connection; 0: damage that is nobody's in particular */
    enum spdm_sender sender;
    const struct spdm_binding *binding;
    struct spdm_span frame; /* with the binding's header; valid until the next call */
    const char *note;       /* damage: a clause for people */
    const char *a, *b;      /* names of the ends: "10.0.0.5:4194", "EID 8"; NULL: the capture has none */
};

struct spdm_capture_counts {
    uint64_t packets, bytes; /* read */
    uint64_t foreign;        /* packets that hold nothing of SPDM's */
    uint64_t first_foreign;  /* number of the first of them, 0 if there is none */
};

struct spdm_capture;

/* path "-" is stdin. NULL: error says why. */
struct spdm_capture *spdm_capture_open(const char *path, char error[SPDM_CAPTURE_ERROR]);
/* Listens on an interface of this machine; filter (may be NULL) is libpcap's. */
struct spdm_capture *spdm_capture_listen(const char *interface, const char *filter, char error[SPDM_CAPTURE_ERROR]);
/* Makes a capture that blocks in spdm_capture_next() come back with the end; safe in a signal handler. */
void spdm_capture_break(struct spdm_capture *capture);
/* The next frame. 1: there is one; 0: the end; -1: the rest cannot be read, error says why. */
int spdm_capture_next(struct spdm_capture *capture, struct spdm_captured *out, char error[SPDM_CAPTURE_ERROR]);
/* What kind of file it is, for people: "pcap, MCTP (link type 291)". */
const char *spdm_capture_describe(const struct spdm_capture *capture);
struct spdm_capture_counts spdm_capture_counts(const struct spdm_capture *capture);
void spdm_capture_close(struct spdm_capture *capture);
#endif
