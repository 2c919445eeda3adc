/* SPDX-License-Identifier: BSD-3-Clause
 *
 * link_impl.h - the inside of a link, shared by port/link*_uv.c only.
 *
 *   link_uv.c           reading, cutting, writing, timers, ending: the same for both sides
 *   link_connect_uv.c   name, address, hello, discovery
 *   link_listen_uv.c    listeners, their pool, the emulator's commands
 *   link_storage_uv.c   both sides of storage commands
 *
 * Life of a link: phases only go forward. `held` counts what libuv still
 * knows of it (open handles, requests on their way); the memory goes when it
 * is zero and the phase is GONE. A failure is told from the timer, never from
 * inside the call that caused it. */
#ifndef PORT_LINK_IMPL_H
#define PORT_LINK_IMPL_H
#include "port/emulator.h"
#include "port/link.h"

#include <sys/socket.h>

enum link_phase {
    LINK_LOOKUP,    /* connecting: resolving the name */
    LINK_DIAL,      /* trying addresses */
    LINK_HELLO,     /* TEST was sent to an emulator; listening: a role inquiry must come */
    LINK_DISCOVERY, /* DOE discovery is on its way */
    LINK_UP,
    LINK_ENDING,  /* failed: `down` comes from the timer */
    LINK_LEAVING, /* the owner has heard of the end; saying goodbye to the peer */
    LINK_GONE     /* handles are being closed */
};

/* What only the connecting side needs. */
struct link_dialer {
    struct spdm_target target;
    uv_getaddrinfo_t lookup;
    uv_connect_t connect;
    struct addrinfo *list, *next;
    uint64_t until; /* everything before `up` */
    char error[128];
    unsigned index; /* of DOE discovery */
    uint32_t doe_types;
};

/* Storage targets only. Replies come in the order of their commands; those still owed stand in `expected`. */
enum link_expected { EXPECT_SEND_STATUS, EXPECT_RECV_STATUS, EXPECT_DATA };

struct link_storage {
    uint8_t *answer;   /* options.frame_max bytes: the frame that waits to be collected, or was */
    size_t n;          /* listening: its length, 0 if none waits */
    bool working;      /* listening: a request was handed up */
    bool asked;        /* listening: IF-RECV waits for the answer ... */
    uint8_t operation; /* ... of this operation; connecting: the operation under way */
    uint32_t room;     /* ... and takes so many bytes */
    uint8_t expected[16];
    unsigned expected_n;
};

struct spdm_link {
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_idle_t again; /* runs while whole frames wait in `in` */
    uv_shutdown_t shutdown;
    uv_loop_t *loop;
    const struct spdm_target *target;
    struct spdm_link_options options; /* defaults filled in */
    struct spdm_link_events events;
    void *ctx;
    struct spdm_listener *listener; /* NULL: connecting */
    struct link_dialer *dialer;     /* NULL: listening */
    struct spdm_link *prev, *next;  /* listener: links in use, or the pool (next only) */

    enum link_phase phase;
    unsigned held;
    bool tcp_open, reading, spoke, broken; /* broken: nothing can be sent any more */
    uint8_t *in;                           /* options.frame_max + SPDM_EMU_HEADER bytes */
    size_t in_n;
    size_t queued;      /* bytes accepted by send and not yet by the kernel */
    unsigned waiting;   /* frames they belong to */
    uint64_t until;     /* LOOKUP, DIAL and LEAVING: when it is enough */
    uint64_t partial;   /* when the unfinished frame in `in` began, 0 if there is none */
    uint64_t congested; /* when the kernel stopped taking our bytes, 0 if it does */
    uint64_t heard;     /* when the last whole frame came */

    struct link_storage storage;
    uint64_t memo[4]; /* the tap's */

    struct sockaddr_storage ours, theirs;
    char peer[64];
    enum spdm_link_end end;
    char reason[SPDM_REASON_MAX];
};

/* ---- link_uv.c ---- */

void spdm_link_defaults(struct spdm_link_options *options);
/* Initialises what both sides share; `in` must be set. The timer becomes a handle of loop. */
void spdm_link_begin(struct spdm_link *link, uv_loop_t *loop);
/* The TCP handle is connected: notes addresses, sets options, starts to read. */
void spdm_link_start(struct spdm_link *link);
/* Sends bytes as they are. false: failed, `down` follows. */
bool spdm_link_transmit_raw(struct spdm_link *link, struct spdm_span bytes);
/* Sends under an emulator command (ignored by plain targets). false: failed, `down` follows. */
bool spdm_link_transmit(struct spdm_link *link, uint32_t command, struct spdm_span frame);
void spdm_link_fail(struct spdm_link *link, enum spdm_link_end end, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Shows a frame to the tap and, if it came, to the owner. */
void spdm_link_tapped(struct spdm_link *link, struct spdm_span frame, bool sent);
void spdm_link_frame(struct spdm_link *link, struct spdm_span frame);
/* Sets the timer for the phase and what is outstanding. */
void spdm_link_rearm(struct spdm_link *link);
/* Something libuv held has come back. */
void spdm_link_release(struct spdm_link *link);

/* ---- the sides ---- */

void spdm_link_dial_next(struct spdm_link *link);  /* DIAL: the TCP handle of an attempt has closed */
void spdm_link_dial_late(struct spdm_link *link);  /* the time before `up` is over */
void spdm_link_dial_freed(struct spdm_link *link); /* last words: frees it */
void spdm_link_answered(struct spdm_link *link, uint32_t command, struct spdm_span frame);
void spdm_link_normal(struct spdm_link *link, struct spdm_span frame);   /* a frame of who was connected to */
void spdm_link_inquired(struct spdm_link *link, struct spdm_span frame); /* listening: the first frame, reaching out */
void spdm_link_asked(struct spdm_link *link, uint32_t command, struct spdm_span frame);
/* Hello and discovery, or role inquiry, are done. */
void spdm_link_go_up(struct spdm_link *link);

/* ---- storage; `asked` and `answered` return false for what is not theirs ---- */

bool spdm_link_is_storage(const struct spdm_target *target);
void spdm_link_storage_discover(struct spdm_link *link);
bool spdm_link_storage_asked(struct spdm_link *link, uint32_t command, struct spdm_span frame);
bool spdm_link_storage_answered(struct spdm_link *link, uint32_t command, struct spdm_span frame);
bool spdm_link_storage_send(struct spdm_link *link, struct spdm_span frame);

void spdm_link_pooled(struct spdm_link *link); /* last words: back to the listener */
#endif
