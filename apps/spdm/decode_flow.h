/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_flow.h - one connection: a Requester, a Responder, and a witness between them. */
#ifndef SPDM_DECODE_FLOW_H
#define SPDM_DECODE_FLOW_H
#include "decode.h"
#include "decode_account.h"
#include "decode_extract.h"
#include "decode_known.h"
#include "decode_secrets.h"
#include "decode_transcripts.h"
#include "decode_trust.h"

/* What all connections share. */
struct decode_world {
    struct decode_court court;
    struct decode_secrets secrets;
    struct decode_known known;
    const struct spdm_crypto *crypto;
    void *crypto_ctx;
    struct spdm_policy policy;
    bool no_verify;
    uint64_t messages, connections; /* numbers given away */
    enum decode_rank worst;
    uint64_t rank[DECODE_FALSE + 1];          /* messages by rank */
    uint64_t proofs[4], hmacs[4], records[4]; /* by enum spdm_signature_state */
    void *ctx;
    void (*show)(void *ctx, struct decode_message *m); /* every message, in order */
    bool keep_accounts;
    struct decode_account **accounts; /* of all connections, kept beyond their end */
    size_t account_n;
    const char *evidence;             /* directory for evidence; NULL: none is wanted */
    char error[DECODE_EXTRACT_ERROR]; /* the first that could not be written; "" */
};

struct decode_flow {
    uint64_t id, number;
    unsigned role; /* which of its two: the Requester is A or B */
    struct decode_world *world;
    const struct spdm_binding *binding;
    char requester[SPDM_CAPTURE_NAME], responder[SPDM_CAPTURE_NAME]; /* empty: the capture does not tell */
    struct spdm_witness *witness;
    struct spdm_config config;
    uint64_t *memory, *session_memory;
    struct spdm_room room[SPDM_ROOM_N];
    struct decode_fields fields;
    struct decode_transcripts transcripts;
    struct decode_evidence *evidence;
    struct decode_account *account; /* NULL: nobody wants to know */
    struct spdm_span at;            /* the message that is being pushed, with its padding */
    uint32_t handshake;             /* the session whose handshake goes on in the clear, or 0 */
    struct decode_keys keys;        /* what its witness verifies with */
    bool spoken, requester_spoke_last;
    bool midway;       /* its negotiation is not in the capture, and nobody told it: messages are shown, not judged */
    bool late;         /* to be told with the next message */
    bool met;          /* a plain message of it was seen */
    bool negotiated;   /* its negotiation was seen */
    bool damaged;      /* something of it is missing */
    uint32_t *session; /* those that are open */
    size_t session_n;
};

/* All connections of a capture. */
struct decode_flows {
    struct decode_world *world;
    struct decode_flow **v;
    size_t n, cap;
    struct spdm_captured at; /* the frame at hand */
};

/* "Connection 1, MCTP: EID 8 (Requester), EID 9 (Responder)". The caller frees it. */
char *decode_flow_title(const struct decode_flow *flow);
/* Its number, from 1, in the order of appearance. */
uint64_t decode_flow_number(const struct decode_flow *flow);
void decode_flows_take(struct decode_flows *flows, const struct spdm_captured *captured);
void decode_flows_clear(struct decode_flows *flows);
void decode_world_clear(struct decode_world *world);
#endif
