/* SPDX-License-Identifier: BSD-3-Clause
 *
 * large.h - messages in chunks, from the inside.
 *
 * A transfer is part of the flight of one exchange: frames of it are made when
 * the engine pulls, and what arrives passes here before it reaches the engine,
 * which sees whole messages only. The engines reach all this through struct
 * spdm_chunks, and a connection without it has no state for it. */
#ifndef ASSAY_CORE_LARGE_H
#define ASSAY_CORE_LARGE_H
#include "core/requester_state.h"
#include "core/responder_state.h"
#include <assay/large.h>

/* The two forms of a portion's header, and the longest message of 1.2 and 1.3 has 65,536 portions. */
enum { PORTION_HEAD = 12, FIRST_HEAD = 16, NARROW_MAX = 0xffff };

enum large_state {
    LARGE_NONE,
    LARGE_SEND, /* a request goes out in portions */
    LARGE_SENT, /* it has; if it must go out once more, then from the start */
    LARGE_GET   /* a response is fetched */
};

struct large_rq {
    struct spdm_room response;          /* where it is put together */
    struct spdm_room request;           /* lent for a request longer than the connection's own room, or empty */
    struct spdm_room own;               /* that room, while it is replaced */
    uint64_t since;                     /* waiting for room since the microsecond before; 0: not waiting */
    uint32_t sequence, at, total, size; /* of the portion to be sent or fetched; its size once it is out */
    uint32_t transfer;                  /* length of the peer's first CHUNK_RESPONSE; 0: none has come */
    uint8_t state, handle, sent_handle; /* enum large_state; the peer's handle, ours */
    bool lent;                          /* response is room that was lent */
    bool reading, read;                 /* it is complete, and events point into it; they have been asked for */
    bool torn;                          /* a transfer ended in the middle, and the peer may not know */
    bool chunked;                       /* the request went in portions: what it is answered with may be shorter */
};

/* Which portion `out` still holds the answer to. */
enum large_kept { KEPT_NOTHING, KEPT_ACK, KEPT_PORTION };

struct large_rs {
    struct spdm_room request;     /* where one is put together, lent */
    struct spdm_room response;    /* lent: the whole of it, or its signature if it is made anew */
    struct spdm_room own;         /* the connection's own room for requests, while it is replaced */
    const struct session *from;   /* the channel of the transfer */
    struct spdm_answer sources;   /* measurements that stay */
    uint64_t until;               /* the transfer is given up then; SPDM_NEVER: none is open */
    uint32_t sequence, at, total; /* of the portion that is due: what has been before it, and will have been */
    uint32_t before;              /* where the portion before it began */
    uint32_t asked; /* ChunkSeqNo of the CHUNK_SEND that brought the end of the request, 0: it came whole */
    uint8_t handle, sent_handle; /* the peer's, ours */
    bool receiving, fetching;    /* a request comes, a response goes */
    bool inside;                 /* the whole request is being dispatched */
    bool acking, early;          /* what is sent next belongs into CHUNK_SEND_ACK; with EarlyErrorDetected */
    bool anew;                   /* the response is made anew portion by portion */
    bool reading;                /* the request is over, and an event points into it */
    uint8_t kept;                /* enum large_kept */
};

struct spdm_chunks {
    /* ---- requester ---- */
    size_t requester_size;
    void (*requester_place)(struct spdm_requester *rq, struct spdm_room memory);
    /* The request does not fit its room: one of n bytes instead. */
    bool (*widen)(struct spdm_requester *rq, size_t n);
    /* The request is encoded: does it go in portions? SPDM_WHY_FINE or the refusal. */
    uint8_t (*begin)(struct spdm_requester *rq);
    /* false: not yet; the flight pauses or is lost. */
    bool (*ready)(struct spdm_requester *rq);
    /* The portion or CHUNK_GET that is to be sent, in its place in `out`; empty: no transfer, the message goes as it
     * is. */
    struct spdm_span (*next)(struct spdm_requester *rq);
    /* A message came. true: it was part of a transfer. */
    bool (*take)(struct spdm_requester *rq, struct spdm_span message, uint64_t now);
    /* ERROR LargeResponse: SPDM_WHY_FINE, and the flight goes on; or the refusal. */
    uint8_t (*fetch)(struct spdm_requester *rq, uint8_t handle);
    /* The message is one that was put together: nothing pads it. */
    bool (*whole)(const struct spdm_requester *rq);
    /* Before a new request; a call after events have been read to the end; the flight is lost. */
    void (*fresh)(struct spdm_requester *rq);
    void (*settle)(struct spdm_requester *rq);
    /* A transfer was left in the middle: only GET_VERSION is sure to free the peer (R-CHK-22, R-CHK-24). */
    bool (*torn)(const struct spdm_requester *rq);
    void (*drop)(struct spdm_requester *rq);

    /* ---- responder ---- */
    size_t responder_size;
    void (*responder_place)(struct spdm_responder *rs, struct spdm_room memory);
    /* A message came. true: it was part of a transfer, or had no place in the one that is open. */
    bool (*receive)(struct spdm_responder *rs, struct session *from, struct spdm_span message);
    /* The request at hand is longer than the connection's own room: it stays where it was put together, or goes there.
     */
    bool (*keep)(struct spdm_responder *rs, struct spdm_span message);
    /* The response did not fit: builds it once more in room that is lent, or leaves it to be made anew. */
    uint8_t (*enlarge)(struct spdm_responder *rs, struct exchange *x);
    /* Enters a response that is made anew into its transcripts. */
    bool (*enter)(struct spdm_responder *rs);
    /* The response is complete. true: it is fetched in portions. */
    bool (*hold)(struct spdm_responder *rs);
    /* In front of what is sent next: the header of CHUNK_SEND_ACK if it answers a request in portions. Its size. */
    size_t (*acknowledge)(struct spdm_responder *rs, struct spdm_room to);
    /* The request at hand is over; so is everything (from a session that is lost, or NULL: of all). */
    void (*idle)(struct spdm_responder *rs);
    void (*end)(struct spdm_responder *rs, const struct session *from);
    void (*tick)(struct spdm_responder *rs);
    /* The SupportedAlgorithms block of CAPABILITIES. */
    void (*algorithms)(const struct conn *c, struct algorithms *block);
};

/* large.c: room that is lent. */
bool spdm_large_borrow(const struct spdm_config *cfg, struct spdm_room *room, size_t n);
/* What we said is the largest message we take. */
uint32_t spdm_large_most(const struct spdm_config *cfg);
void spdm_large_return(const struct spdm_config *cfg, struct spdm_room *room);
/* Whether a message of so many bytes fits ChunkSeqNo in portions of so many. */
bool spdm_large_countable(const struct conn *c, size_t total, size_t transfer);

/* large_requester.c, large_responder.c, large_send.c */
void spdm_large_requester_place(struct spdm_requester *rq, struct spdm_room memory);
bool spdm_large_widen(struct spdm_requester *rq, size_t n);
uint8_t spdm_large_begin(struct spdm_requester *rq);
bool spdm_large_ready(struct spdm_requester *rq);
struct spdm_span spdm_large_next(struct spdm_requester *rq);
bool spdm_large_take(struct spdm_requester *rq, struct spdm_span message, uint64_t now);
uint8_t spdm_large_fetch(struct spdm_requester *rq, uint8_t handle);
bool spdm_large_whole(const struct spdm_requester *rq);
void spdm_large_fresh(struct spdm_requester *rq);
void spdm_large_settle(struct spdm_requester *rq);
bool spdm_large_torn(const struct spdm_requester *rq);
void spdm_large_drop(struct spdm_requester *rq);
/* large_send.c: the next CHUNK_SEND; an answer to one. */
struct spdm_span spdm_large_portion(struct spdm_requester *rq);
void spdm_large_acknowledged(struct spdm_requester *rq, struct spdm_span message, uint64_t now);

void spdm_large_responder_place(struct spdm_responder *rs, struct spdm_room memory);
bool spdm_large_receive(struct spdm_responder *rs, struct session *from, struct spdm_span message);
bool spdm_large_keep(struct spdm_responder *rs, struct spdm_span message);
uint8_t spdm_large_enlarge(struct spdm_responder *rs, struct exchange *x);
bool spdm_large_enter(struct spdm_responder *rs);
bool spdm_large_hold(struct spdm_responder *rs);
size_t spdm_large_acknowledge(struct spdm_responder *rs, struct spdm_room to);
void spdm_large_idle(struct spdm_responder *rs);
void spdm_large_end(struct spdm_responder *rs, const struct session *from);
void spdm_large_tick(struct spdm_responder *rs);
bool spdm_large_send(struct spdm_responder *rs, struct spdm_span message);
/* large_fetch.c: CHUNK_GET. SPDM_WHY_FINE or the refusal. */
uint8_t spdm_large_get(struct spdm_responder *rs, struct spdm_span message);
/* Puts off the end of a transfer that goes on. */
void spdm_large_touch(struct spdm_responder *rs);
/* The header of the CHUNK_SEND_ACK that is due; 0 if none is. */
static inline uint8_t spdm_large_ack_size(const struct spdm_responder *rs)
{
    enum { HEAD = 6, WIDE_HEAD = 8 };

    if (!rs->large->acking) return 0;
    return rs->c.ed->wide_chunks ? WIDE_HEAD : HEAD;
}
#endif
