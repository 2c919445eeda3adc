/* SPDX-License-Identifier: BSD-3-Clause
 *
 * app_data.h - a stream of bytes each way, as application data of a session.
 *
 * `spdm connect` and `spdm respond --app` speak it. No I/O and no time here:
 * messages in, messages out, and who may send how much.
 *
 * One message is the application data of one record:
 *
 *   7F            MCTP message type Vendor Defined (IANA); over other bindings it tells from SPDM, too
 *   00 00 7E D9   the vendor: 32473, the enterprise number reserved for documentation
 *   kind
 *     00  DATA    bytes of the stream, one at least
 *     01  END     nothing; no DATA comes from this side any more
 *     02  CREDIT  4 bytes, little endian, not 0: so many bytes of DATA may be sent in addition
 *     03  RESET   up to 200 bytes of text for people: the stream is over, both ways
 *
 * Back-pressure. Who sends DATA spends credit, one for each byte behind the
 * kind; nothing else costs any. Each side begins with 256 KiB and gets more by
 * CREDIT, when the other's application has taken what had come. So a receiver
 * never has to stop reading the connection because its application is slow:
 * what it must hold is bounded by what it granted, and HEARTBEAT, KEY_UPDATE
 * and every other SPDM message pass at once, in front of data that waits for
 * credit. A sender keeps them from waiting behind its own data by giving the
 * link a DATA message only when the one before has left.
 *
 * The first message of each side is CREDIT, of one byte if it has no more to
 * grant. That of the Requester opens the stream: the Responder starts its
 * application then, not with the session, which may be there for other things;
 * and an application that speaks first is heard.
 *
 * Why 256 KiB: a stream runs at the speed of the line as long as credit covers
 * bandwidth times delay, which is 250 kB at 1 Gbit/s and 2 ms, or 20 Mbit/s and
 * 100 ms; and 256 KiB are the most that a session whose application hangs makes
 * its other end remember. A receiver with memory to spare grants more at once
 * (spdm_app_begin). CREDIT goes out when half of it is owed: one message for
 * 128 KiB, and never the sender's wait for it.
 *
 * Over both ENDs the stream is over in good order, and the Requester ends the
 * session. RESET is for everything else: a message that breaks these rules, an
 * application that died, a socket nobody listens on. Whoever sent it takes what
 * still arrives for that stream without a word; whoever gets it sends nothing
 * more, and a Requester ends the session. PCI DOE carries no application data
 * at all (binding->app_data is false): there is no stream over it. */
#ifndef SPDM_APP_DATA_H
#define SPDM_APP_DATA_H
#include <assay/span.h>
#include <stdbool.h>

#define SPDM_APP_HEAD 6                                      /* bytes in front of what a message carries */
#define SPDM_APP_CREDIT 262144u                              /* what each side may send at the beginning */
#define SPDM_APP_REASON_MAX 200u                             /* longest text of RESET */
#define SPDM_APP_SMALL (SPDM_APP_HEAD + SPDM_APP_REASON_MAX) /* the largest message that is not DATA */

enum spdm_app_kind {
    SPDM_APP_DATA,
    SPDM_APP_END,
    SPDM_APP_MORE, /* CREDIT */
    SPDM_APP_RESET,
    /* only in what spdm_app_take() returns */
    SPDM_APP_BROKEN, /* the message is not one, or is not allowed now: RESET is due */
    SPDM_APP_PAST    /* the stream was over: what was on its way, nothing to do */
};

/* One session's stream as one end sees it. Read it, change it by the functions below only. */
struct spdm_app_stream {
    uint32_t credit; /* bytes of DATA we may send */
    uint32_t room;   /* bytes of DATA the peer may send */
    uint32_t owed;   /* bytes to be granted by CREDIT */
    uint32_t window; /* the most that is granted and not yet taken */
    bool begun;      /* our first message was sent */
    bool ended, peer_ended;
    bool reset, peer_reset; /* RESET is due or sent; has come */
    uint8_t due;            /* spdm_app_next() returned it last: enum spdm_app_kind, BROKEN for none */
    uint32_t due_n;         /* the bytes of its DATA, or its credit */
    bool told;              /* RESET was sent */
    uint8_t small[SPDM_APP_SMALL];
    char reason[SPDM_APP_REASON_MAX + 1]; /* why we reset it; empty: we did not */
};

/* What the application has for the peer. SPDM_APP_HEAD bytes in front of `data` belong to the stream. */
struct spdm_app_source {
    uint8_t *data;
    size_t n;
    bool end; /* nothing follows behind these bytes */
};

struct spdm_app_message {
    enum spdm_app_kind kind;
    struct spdm_span bytes; /* DATA; RESET: the text, not safe to print as it is */
};

/* window: how much of the peer's DATA this end can hold, more than SPDM_APP_CREDIT (less is taken as one byte more). */
void spdm_app_begin(struct spdm_app_stream *s, uint32_t window);

/* Whether application data is for a stream at all, or of some other protocol: looks at type and vendor only. */
bool spdm_app_ours(struct spdm_span message);
/* What a message is, for who only looks on: BROKEN if it is none; `bytes` are all that follow the kind. */
struct spdm_app_message spdm_app_look(struct spdm_span message);
/* Application data that has come. After SPDM_APP_BROKEN the stream is reset, with a reason. */
struct spdm_app_message spdm_app_take(struct spdm_app_stream *s, struct spdm_span message);
/* The application has taken n bytes of DATA: they can be granted anew. */
void spdm_app_taken(struct spdm_app_stream *s, size_t n);

/* The next message to send, empty if there is none now; `most` is the largest that can be sent, 16 at least (a reason
 * is cut to fit). It lies in front of and in source->data, or in s, and is valid until the next call; until
 * spdm_app_sent() it can be asked for again. What goes first: RESET, CREDIT, DATA, END. */
struct spdm_span spdm_app_next(struct spdm_app_stream *s, const struct spdm_app_source *source, size_t most);
/* It was sent. How many bytes of the source it took. */
size_t spdm_app_sent(struct spdm_app_stream *s);
/* Ends the stream: RESET is the next message and the last. Of no effect when it is over already. */
void spdm_app_reset(struct spdm_app_stream *s, const char *reason);

/* No DATA passes any more, either way. */
bool spdm_app_over(const struct spdm_app_stream *s);
/* Bytes of DATA that can be sent now. */
uint32_t spdm_app_sendable(const struct spdm_app_stream *s);
#endif
