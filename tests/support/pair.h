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
#include <assay/requester.h>
#include <assay/session.h>

enum { PAIR_BUFFER = 8192, PAIR_MEASUREMENTS = 8 };

struct pair;
/* What to do with a frame on its way; n is its length in `frame` (room PAIR_BUFFER). Returns the length that arrives,
 * 0 if it is lost. to_responder tells the direction; pair->passed counts frames so far, both ways. */
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
    bool know_digest;              /* ASK_DIGEST is answered yes */
    uint64_t sign_delay;           /* us until a signature is there */
    pair_wire wire;
    void *arg; /* the test's own */

    uint64_t now;
    unsigned passed, questions, trust_asked, digest_asked, records;
    size_t bytes;
    bool finished, done;
    struct spdm_report failure; /* of the requester */
    struct spdm_report refused; /* last refusal of the responder */
    uint8_t record[4096];       /* the last MeasurementRecord */
    size_t record_n;
    bool proven;

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
    uint8_t rq_turned_out[PAIR_BUFFER / 2], rs_turned_out[PAIR_BUFFER / 2], rq_chain[PAIR_BUFFER];
    unsigned signed_by_rq; /* signatures the requester was asked for */
    bool wrong_psk;        /* the requester has another PSK */

    uint64_t rq_memory[2048], rs_memory[2048];
    uint8_t rq_out[PAIR_BUFFER], rs_out[PAIR_BUFFER], chain[PAIR_BUFFER], held[PAIR_BUFFER], in[PAIR_BUFFER];
    size_t held_n;
    uint64_t sign_at;
    uint32_t sign_ticket;
    uint8_t signature[512];
    size_t signature_n;
};

/* A device with a chain of three "certificates" in slot 0, SHA-384, ECDSA P-384, five measurements; both ends speak
 * 1.0 to 1.4 over MCTP framing. */
void pair_init(struct pair *pair);
/* Both ends get everything sessions need: capabilities, algorithms, memory for `n` sessions each. */
void pair_sessions(struct pair *pair, size_t n);
/* Both ends can turn their roles: the requester has a chain in slots 0 and 2 and a key of its own (id 77). */
void pair_mutual(struct pair *pair);
/* Moves frames and time until nothing is left to do, at most to `until`. */
void pair_settle(struct pair *pair, uint64_t until);
/* Places both ends; to be called after the fields are as wanted. */
void pair_start(struct pair *pair);
/* Pursues a goal to its end: true if it was reached. Bounded; a run that does not end fails the test. */
bool pair_run(struct pair *pair, const struct spdm_goal *goal);
/* Closes both ends and checks that no running hash is left. */
void pair_close(struct pair *pair);
#endif
