/* SPDX-License-Identifier: BSD-3-Clause
 *
 * link.h - a peer at the other end of a stream, without blocking.
 *
 * A link moves whole frames of a binding (what spdm_requester_push and
 * spdm_responder_pull speak) over TCP, as libuv events on the caller's loop.
 * Both roles use the same object: spdm_link_connect() makes one, a listener
 * makes one per client. Targets, ports being optional:
 *
 *   tcp://host:4194        DSP0287 as the standard says
 *   emu+mctp://host:2323   the reference emulator's 12-byte header around MCTP messages
 *   emu+doe://host:2323    ... around PCI DOE objects; connecting, the link walks DOE discovery first
 *   emu+tcp://host:4194    ... around DSP0287 frames
 *   emu+none://host:2323   ... around bare SPDM messages
 *   emu+nvme://host:2323   ... around NVMe security commands (DSP0286), as QEMU forwards them
 *   emu+scsi://host:2323   ... around SCSI ones
 *
 * What a link answers itself: the emulator's own commands (TEST, CONTINUE,
 * SHUTDOWN, unknown ones) and stream errors of DSP0287 (0xC0 too large, 0xC1
 * version). What it hands up as a frame: every NORMAL payload, DOE discovery
 * and role inquiry of the peer included; those the responder engine answers
 * through binding->control. Connecting, the TCP control frames of the peer
 * (0xBF to 0xFF) end the link with a reason.
 *
 * Every callback may call spdm_link_send() and spdm_link_close(). After
 * `down`, or after spdm_link_close(), no callback comes any more and the link
 * must not be touched. Nothing here blocks and nothing is shared between
 * loops. All functions must be called on the loop's thread. */
#ifndef PORT_LINK_H
#define PORT_LINK_H
#include <assay/binding.h>
#include <stdbool.h>
#include <time.h>
#include <uv.h>

#define SPDM_TARGET_MAX 320 /* longest target text, with its end */
#define SPDM_REASON_MAX 400 /* longest reason text, with its end */

/* ---- targets ---- */

struct spdm_target {
    char text[SPDM_TARGET_MAX];         /* normal form, with port: "emu+doe://127.0.0.1:2323" */
    char host[256];                     /* name or address, without the [] of IPv6 */
    uint16_t port;                      /* 0 only where the caller allows it */
    bool emulator;                      /* wrapped in the 12-byte header */
    uint32_t transport;                 /* emulator: its number of the transport */
    const struct spdm_binding *binding; /* for spdm_config */
};

/* Reads a target; false: error says what is wrong with it and what was expected. Port 0 is allowed with any_port. */
bool spdm_target_parse(const char *text, bool any_port, struct spdm_target *out, char error[SPDM_REASON_MAX]);
/* One line per form, for --help: "tcp://HOST[:4194]"; NULL after the last. */
const char *spdm_target_form(unsigned n);

/* ---- links ---- */

struct spdm_link;

enum spdm_link_end {
    SPDM_LINK_UNREACHABLE, /* no such name, refused, no answer in time before `up` */
    SPDM_LINK_CLOSED,      /* the peer closed or the network broke after `up` */
    SPDM_LINK_TIMEOUT,     /* idle too long, a frame begun and not finished, or nothing read by the peer */
    SPDM_LINK_PROTOCOL     /* the peer's bytes break the framing: too long, other transport, control error */
};

struct spdm_link_events {
    /* The peer is reached: TCP, hello and discovery, or role inquiry, are done; not called on a listener's links of
     * responders. May be NULL. */
    void (*up)(void *ctx, struct spdm_link *link);
    /* A whole frame, binding header included. Valid until the callback returns. */
    void (*frame)(void *ctx, struct spdm_link *link, struct spdm_span frame);
    /* The link has ended, at most once and never after spdm_link_close(). reason is a sentence for people. */
    void (*down)(void *ctx, struct spdm_link *link, enum spdm_link_end end, const char *reason);
    /* Listening: the emulator's client asks out of band that the responder begin a key update (the session's id, little
     * endian, in data). true: it will, and the command is confirmed. May be NULL. */
    bool (*update)(void *ctx, struct spdm_link *link, struct spdm_span data);
    /* Everything sent has left, after some of it had to wait. May be NULL. */
    void (*drained)(void *ctx, struct spdm_link *link);
    /* The same for endpoint information of the requester. */
    bool (*endpoint)(void *ctx, struct spdm_link *link);
};

/* A frame as it passes, for captures and traces: bindings' control frames too, the emulator's header never. */
struct spdm_tapped {
    const struct spdm_link *link;
    struct spdm_span frame;
    bool sent;            /* by us */
    bool request;         /* from requester to responder */
    struct timespec time; /* wall clock */
    uint64_t *memo;       /* four words per link for the tap's own use, zero when the link begins */
};
typedef void spdm_link_tap(void *ctx, const struct spdm_tapped *tapped);

/* A zeroed number means the default named behind it. */
struct spdm_link_options {
    size_t frame_max;    /* largest frame in either direction, binding header included: 65,600 */
    uint32_t connect_ms; /* connecting: name, TCP, hello and discovery together: 5,000 */
    uint32_t stall_ms;  /* a frame begun must be whole, an answer taken, a client's first frame there, within: 10,000 */
    uint32_t idle_ms;   /* listening: longest silence between frames; SPDM_LINK_PATIENT is for ever: 120,000 */
    bool reach_out;     /* DSP0287: the responder connects (it begins with a role inquiry) and the requester listens */
    bool shutdown;      /* connecting: spdm_link_close() tells an emulator to end, not to await the next client */
    spdm_link_tap *tap; /* may be NULL */
    void *tap_ctx;
};
#define SPDM_LINK_PATIENT UINT32_MAX

/* Starts to connect. NULL only when memory is short; everything else is reported by `down`, never before return. */
struct spdm_link *spdm_link_connect(uv_loop_t *loop, const struct spdm_target *target,
                                    const struct spdm_link_options *options, const struct spdm_link_events *events,
                                    void *ctx);
/* Sends one frame in one write; the bytes may be reused at once. false: it is larger than frame_max, the link is not
 * up, or the peer has not taken earlier frames: then a `down` follows from the loop. */
bool spdm_link_send(struct spdm_link *link, struct spdm_span frame);
/* Bytes of frames that the kernel has not taken yet. Who sends without being asked does so while there are none: so the
 * link never stops reading, and an answer waits behind one frame at most. */
size_t spdm_link_waiting(const struct spdm_link *link);
/* Ends the link. An emulator is told first (CONTINUE, or SHUTDOWN) and given a second to agree: it dies otherwise. */
void spdm_link_close(struct spdm_link *link);

const struct spdm_target *spdm_link_target(const struct spdm_link *link); /* as connected or listened to */
const char *spdm_link_peer(const struct spdm_link *link);                 /* "127.0.0.1:51034"; target until known */
const struct sockaddr *spdm_link_address(const struct spdm_link *link, bool ours); /* family 0 until known */
uint32_t spdm_link_doe_types(const struct spdm_link *link); /* bit n: PCI-SIG object type n, from discovery */
bool spdm_link_listening(const struct spdm_link *link);     /* made by a listener */
bool spdm_link_requester(const struct spdm_link *link);     /* our side asks */
void *spdm_link_context(const struct spdm_link *link);

/* ---- listeners ---- */

struct spdm_listener;

struct spdm_listen_events {
    struct spdm_link_events link;
    /* A client has come: returns the ctx of its link's events, or NULL to refuse it. */
    void *(*accept)(void *ctx, struct spdm_listener *listener, struct spdm_link *link);
    /* A client was turned away (limit, or accept() failed), or sent SHUTDOWN (shutdown true). May be NULL. */
    void (*note)(void *ctx, struct spdm_listener *listener, bool shutdown, const char *text);
};

struct spdm_listen_options {
    struct spdm_link_options link;
    unsigned links_max; /* links at once, further clients are accepted and closed: 1,024 */
    unsigned backlog;   /* of listen(2): 1,024 */
    struct spdm_listen_events events;
    void *ctx; /* of accept and note */
};

/* Binds and listens. NULL: error says why. Links come from a pool that grows to the largest number at once and is
 * freed with the listener. */
struct spdm_listener *spdm_listener_open(uv_loop_t *loop, const struct spdm_target *target,
                                         const struct spdm_listen_options *options, char error[SPDM_REASON_MAX]);
/* With the port really bound. */
const struct spdm_target *spdm_listener_target(const struct spdm_listener *listener);
unsigned spdm_listener_links(const struct spdm_listener *listener); /* links now */
/* Stops listening and closes its links, with `down` (SPDM_LINK_CLOSED) for each. */
void spdm_listener_close(struct spdm_listener *listener);
/* Whether an address of this target is reachable from this machine only; false also for names that do not resolve.
 * Blocks for the resolver: for start-up. */
bool spdm_target_is_loopback(const struct spdm_target *target);
#endif
