/* SPDX-License-Identifier: BSD-3-Clause
 *
 * binding.h - transport bindings: pure framing of a buffer with headroom.
 *
 * A binding puts its header in front of a message that already lies in a
 * buffer, and finds the message in a frame that arrived. It keeps no state,
 * does no I/O and knows no SPDM. One frame is one message: streams and packets
 * are the link's business.
 *
 *   spdm_binding_none   the message itself
 *   spdm_binding_mctp   DSP0275/0276: one message-type byte
 *   spdm_binding_doe    PCI DOE: 8-byte header, padding to 4 bytes
 *   spdm_binding_tcp    DSP0287: 4-byte header
 *   spdm_binding_storage DSP0286: 7 bytes of the security command in front of its data */
#ifndef ASSAY_BINDING_H
#define ASSAY_BINDING_H
#include <assay/span.h>
#include <stdbool.h>

enum spdm_frame_kind {
    SPDM_FRAME_BAD,     /* not a frame of this binding: drop it */
    SPDM_FRAME_PLAIN,   /* message is an SPDM message, possibly followed by padding */
    SPDM_FRAME_SECURED, /* message is a secured record (DSP0277) */
    SPDM_FRAME_CONTROL  /* the binding's own: DOE and storage discovery, TCP role inquiry and errors */
};

struct spdm_frame {
    enum spdm_frame_kind kind;
    struct spdm_span message; /* inside the frame; valid as long as it */
};

enum { SPDM_INNER_MAX = 20 };

struct spdm_binding {
    const char *name;
    uint8_t head; /* bytes to leave free in front of a message */
    uint8_t tail; /* at most so many bytes are added behind it */
    uint32_t rtt; /* worst-case round trip in microseconds when the caller gives none */
    /* Secured records (DSP0277): bytes of the sequence number, whether random data may follow, and the header in front
     * of an SPDM message inside (0 or 1 byte, but for storage), which tells it from other application data. */
    uint8_t sequence_bytes;
    bool random_data;
    bool app_data; /* application data beside SPDM messages is possible at all (not over PCI DOE) */
    uint8_t inner_n, inner;
    bool inner_by_policy; /* TCP: that header is there if policy.inner_header says so, and not otherwise (UN-19) */
    /* Storage and TCP, where that header tells more: put writes its inner_n bytes (at most SPDM_INNER_MAX) for an SPDM
     * message of n bytes, take finds the message behind one (empty: there is none). NULL elsewhere. */
    void (*put_inner)(uint8_t *header, size_t n);
    struct spdm_span (*take_inner)(struct spdm_span data);

    /* A message of n bytes lies at buffer.p + head. Adds header and padding; returns the frame's length from
     * buffer.p on, 0 if it does not fit the buffer or the binding's limit. */
    size_t (*wrap)(struct spdm_room buffer, size_t n, bool secured);
    struct spdm_frame (*unwrap)(struct spdm_span frame);
    /* May be NULL: the answer of a responder to a control frame, written to out; its length, 0 for none. */
    size_t (*control)(struct spdm_span frame, struct spdm_room out);
};

extern const struct spdm_binding spdm_binding_none, spdm_binding_mctp, spdm_binding_doe, spdm_binding_tcp,
    spdm_binding_storage;

/* ---- PCI DOE discovery, requester side (PCIe 6.x 6.30.1) ---- */

/* Writes the discovery request for `index` (12 bytes) to out; returns its length, 0 if out is too small.
 * version is 0 for DOE capability version 1, 2 from version 2 on. */
size_t spdm_doe_discovery(struct spdm_room out, uint8_t index, uint8_t version);

struct spdm_doe_protocol {
    uint16_t vendor; /* 0x0001: PCI-SIG; 0xffff: index out of range */
    uint8_t type;    /* 0 discovery, 1 CMA/SPDM, 2 secured CMA/SPDM, 3, 4 the same with connection id, 5 async */
    uint8_t next;    /* next index, 0 after the last */
};
/* Reads a discovery response frame. false: it is none. */
bool spdm_doe_discovered(struct spdm_span frame, struct spdm_doe_protocol *out);

/* ---- storage (DSP0286): security commands of NVMe, SCSI, ATA ---- */

/* A frame is the command's fields in 7 bytes, then its data: of IF-SEND (Security Send) for a request, of IF-RECV for
 * a response. A device builds the seven bytes of the command it received, and strips them from an answer. */
struct spdm_storage_command {
    uint8_t protocol;   /* SECURITY PROTOCOL: SPDM_STORAGE_PROTOCOL */
    uint8_t operation;  /* SPSP0 bits 7:2 */
    uint8_t connection; /* SPSP0 bits 1:0, 0 here */
    uint8_t reserved;   /* SPSP1, 0 */
    uint32_t length;    /* of the data; IF-RECV: how much is taken */
};
enum {
    SPDM_STORAGE_HEADER = 7,
    SPDM_STORAGE_PROTOCOL = 0xe8,
    SPDM_STORAGE_DISCOVERY = 1, /* IF-RECV */
    SPDM_STORAGE_PENDING = 2,   /* IF-RECV */
    SPDM_STORAGE_PLAIN = 5,
    SPDM_STORAGE_SECURED = 6
};
/* Writes the 7 bytes; returns 7, 0 if out is too small. */
size_t spdm_storage_put(struct spdm_room out, const struct spdm_storage_command *command);
/* Reads them; false if there are fewer. */
bool spdm_storage_get(struct spdm_span frame, struct spdm_storage_command *out);
/* Writes the frame of a discovery command (7 bytes; no data). */
size_t spdm_storage_discovery(struct spdm_room out);
/* Reads the data of its answer: bit n of *operations is operation n. false: it is none. */
bool spdm_storage_discovered(struct spdm_span data, uint8_t *operations);
/* Writes the data of an answer to pending info (12 bytes): whether a response waits, and its length. */
size_t spdm_storage_pending(struct spdm_room out, bool ready, uint32_t length);

/* ---- streams (TCP): how long is the frame that begins here ---- */

/* Length of the DSP0287 frame whose first n bytes are given: 0 when more bytes are needed to tell. */
size_t spdm_tcp_frame_length(struct spdm_span start);

enum spdm_tcp_type {
    SPDM_TCP_PLAIN = 0x05,
    SPDM_TCP_SECURED = 0x06,
    SPDM_TCP_ROLE_INQUIRY = 0xbf,
    SPDM_TCP_TOO_LARGE = 0xc0,
    SPDM_TCP_NOT_SUPPORTED = 0xc1,
    SPDM_TCP_NO_REQUESTER = 0xc2,
    SPDM_TCP_NO_RESPONDER = 0xc3
};
/* Writes a control frame without payload (4 bytes); its length, 0 if out is too small. */
size_t spdm_tcp_control(struct spdm_room out, enum spdm_tcp_type type);
/* The type of a control frame; SPDM_TCP_PLAIN if it is none. */
enum spdm_tcp_type spdm_tcp_control_type(struct spdm_span frame);

/* ---- MCTP packets (DSP0236): fragments of a message, for captures and raw links ---- */

struct spdm_mctp_packet {
    uint8_t dest, source;  /* endpoint ids */
    bool som, eom, owner;  /* start, end of message; tag owner (1 in requests) */
    uint8_t sequence, tag; /* 0..3, 0..7 */
};
/* Writes the 4-byte MCTP transport header; returns 4, 0 if out is too small. */
size_t spdm_mctp_header(struct spdm_room out, const struct spdm_mctp_packet *packet);
/* Reads it; false if too short or of another header version. */
bool spdm_mctp_parse(struct spdm_span packet, struct spdm_mctp_packet *out);
#endif
