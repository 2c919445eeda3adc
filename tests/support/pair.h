/* SPDX-License-Identifier: BSD-3-Clause
 *
 * pair.h - a requester and a responder in one process, with somebody in between.
 *
 * Everything a test may want to change is a plain field between pair_init() and
 * pair_run(). The wire function sees every frame and may change, drop, repeat
 * or replace it; time is a number. */
#ifndef ASSAY_TESTS_PAIR_H
#define ASSAY_TESTS_PAIR_H
#include "support/toy_crypto.h"
#include <assay/errand.h>
#include <assay/large.h>
#include <assay/requester.h>
#include <assay/session.h>

enum { PAIR_BUFFER = 8192, PAIR_MEASUREMENTS = 8, PAIR_LATE = 8, PAIR_LENT = 12000, PAIR_SIGNATURE = 49856 };

struct pair;
/* What to do with a frame on its way; n is its length in `frame` (room PAIR_BUFFER). Returns the length that arrives,
 * 0 if it is lost. to_responder tells the direction; pair->passed counts frames so far, both ways. It may hand over
 * frames of its own with pair_deliver() and pair_later(). */
typedef size_t (*pair_wire)(struct pair *pair, bool to_responder, uint8_t *frame, size_t n);

struct pair {
    struct toy toy;
    struct spdm_policy req_policy, rsp_policy;
    struct spdm_config req_config, rsp_config;
    struct spdm_identity identity;
    struct spdm_measurement measurements[PAIR_MEASUREMENTS];
    size_t measurement_n;
    struct toy_key key;            /* of the device */
    const struct toy_key *trusted; /* the key that the requester believes in; NULL: trusts nobody */
    bool know_digest;              /* ASK_DIGEST is answered yes ... */
    struct spdm_span known;        /* ... if it is this digest; empty: any */
    uint8_t refuse_slots;          /* mask of slots whose chain the requester does not believe */
    bool refuse_answers;           /* the device's caller says no to everything it is asked */
    bool silent;                   /* the device's caller answers nothing; the last question stays in `open` */
    struct spdm_event open;
    uint64_t sign_delay; /* us until a signature is there */
    pair_wire wire;
    void *arg; /* the test's own */

    uint64_t now;
    unsigned passed, questions, trust_asked, digest_asked, records;
    size_t bytes;
    bool finished, done, connected;
    unsigned restarted;
    struct spdm_report failure; /* of the requester */
    struct spdm_report refused; /* last refusal of the responder */
    uint8_t record[4096];       /* the last MeasurementRecord */
    size_t record_n;
    bool proven;
    uint64_t seen[256]; /* fingerprint of the last record by operation; 0: none */
    bool seen_proven[256];
    uint64_t vendor; /* fingerprint of the last VENDOR_DEFINED_RESPONSE */

    struct spdm_requester *rq;
    struct spdm_responder *rs;
    /* sessions: pair_sessions() */
    uint64_t rq_sessions[1024], rs_sessions[1024];
    uint8_t rq_in[PAIR_BUFFER], rs_in[PAIR_BUFFER];
    uint32_t opened_rq, opened_rs, closed_rq, closed_rs; /* ids of the last events */
    struct spdm_report closed_why_rq, closed_why_rs;
    uint8_t data_rq[256], data_rs[256]; /* the last application data that arrived */
    size_t data_rq_n, data_rs_n;
    struct spdm_config rq_turned, rs_turned; /* pair_mutual() */
    struct spdm_identity rq_identity;
    struct toy_key rq_key;
    const struct toy_key *rq_trusted; /* the key the responder believes the requester has */
    uint8_t rq_turned_out[PAIR_BUFFER / 2], rq_chain[PAIR_BUFFER];
    unsigned signed_by_rq; /* signatures the requester was asked for */
    uint8_t signed_slot;   /* the slot of the last */
    bool rq_refuses;       /* the requester's caller signs nothing ... */
    size_t signature_less; /* ... or too little */
    bool wrong_psk;        /* the requester has another PSK */
    /* errands: what the device's caller answers; NULL: no to everything */
    void (*errand)(struct pair *, const struct spdm_event *, struct spdm_answer *);
    void (*errand_rq)(struct pair *, const struct spdm_event *, struct spdm_answer *); /* the same of the requester's */
    unsigned replies_rs, done_rs; /* what the responder was told of its own goals */
    unsigned errands, replies;    /* questions that were asked, SPDM_REPLIED that came */
    uint8_t reply[PAIR_BUFFER];   /* of the last */
    size_t reply_n;
    bool reply_proven;
    unsigned resets_due; /* SPDM_RESET_DUE, and its tag */
    uint8_t reset_tag;

    struct pair_shelf { /* pair_chunks() */
        struct spdm_shelf shelf;
        struct spdm_room place[2];
        uint8_t bytes[2][PAIR_LENT];
    } rq_shelf, rs_shelf;
    bool stays; /* the device's measurements stay where they are */

    uint64_t rq_memory[2048], rs_memory[2048];
    uint8_t rq_out[PAIR_BUFFER], rs_out[PAIR_BUFFER], chain[PAIR_BUFFER], in[PAIR_BUFFER];
    struct pair_late {
        uint64_t at;
        size_t n;
        bool to_responder;
        uint8_t frame[2048];
    } late[PAIR_LATE]; /* frames on their way, see pair_later() */
    uint64_t sign_at;
    uint32_t sign_ticket;
    size_t signature_n;
    uint8_t signature[PAIR_SIGNATURE];
};

/* A device with a chain of three "certificates" in slot 0, SHA-384, ECDSA P-384, five measurements; both ends speak
 * 1.0 to 1.4 over MCTP framing. */
void pair_init(struct pair *pair);
/* Both ends get everything sessions need: capabilities, algorithms, memory for `n` sessions each. */
void pair_sessions(struct pair *pair, size_t n);
/* Both ends can turn their roles: the requester has a chain in slots 0 and 2 and a key of its own (id 77). */
void pair_mutual(struct pair *pair);
/* Both ends transfer in chunks: at most `transfer` bytes at a time, `max` in all (<= PAIR_LENT). */
void pair_chunks(struct pair *pair, uint32_t transfer, uint32_t max);
/* Fetches the events of both ends and answers their questions. */
void pair_events(struct pair *pair);
/* Moves frames and time until nothing is left to do, at most to `until`. */
void pair_settle(struct pair *pair, uint64_t until);
/* Places both ends; to be called after the fields are as wanted. */
void pair_start(struct pair *pair);
/* Pursues a goal to its end: true if it was reached. Bounded; a run that does not end fails the test. */
bool pair_run(struct pair *pair, const struct spdm_goal *goal);
/* The same in two steps: states the goal; goes on from wherever the two are. */
void pair_ask(struct pair *pair, const struct spdm_goal *goal);
bool pair_go_on(struct pair *pair);
/* Hands a frame to one end, in a block of exactly its size, and answers what it asks. Nothing happens for n == 0. */
void pair_deliver(struct pair *pair, bool to_responder, const uint8_t *frame, size_t n);
/* Lets a frame arrive at a time of its own; it is lost if too many are under way. */
void pair_later(struct pair *pair, bool to_responder, struct spdm_span frame, uint64_t at);
/* One request with the binding's header, past the requester: the answer's length in `answer` (room PAIR_BUFFER), 0 if
 * there is none. */
size_t pair_request(struct pair *pair, const uint8_t *frame, size_t n, uint8_t *answer);
/* Digest of the chain structure in a slot of the identity. Returns its size. */
size_t pair_digest(const struct pair *pair, uint8_t slot, enum spdm_alg hash, uint8_t *out);
/* Closes both ends and checks that no running hash is left. */
void pair_close(struct pair *pair);
#endif
