/* SPDX-License-Identifier: BSD-3-Clause
 *
 * responder_state.h - a responder from the inside: one request at a time, from
 * its arrival over the caller's answers to the finished response. */
#ifndef ASSAY_CORE_RESPONDER_STATE_H
#define ASSAY_CORE_RESPONDER_STATE_H
#include "core/conn.h"
#include <assay/responder.h>

enum { NONCE_BYTES = 32, SMALL_MAX = 64 };

/* One row of what a responder serves. */
struct prove_job {
    const struct spdm_message *request, *response;
    uint8_t signed_by; /* enum signed_by */
    /* Judges the decoded request; may set rs->need. */
    uint8_t (*consider)(struct spdm_responder *rs, const union spdm_body *req);
    /* Fills the response; large parts are written in place into spdm_responder_body(). */
    uint8_t (*reply)(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp);
};

struct spdm_services {
    const struct prove_job *const *job;
    uint8_t n;
};

extern const struct prove_job spdm_prove_version, spdm_prove_capabilities, spdm_prove_algorithms, spdm_prove_digests,
    spdm_prove_certificate, spdm_prove_challenge, spdm_prove_measurements, spdm_prove_vendor;

enum stage {
    STAGE_IDLE, /* waiting for a request */
    STAGE_NEED, /* the caller owes measurements or a vendor payload */
    STAGE_SIGN, /* the response is built up to its signature; the caller owes it */
    STAGE_READY /* the response is complete, perhaps held back until RESPOND_IF_READY */
};

struct spdm_responder {
    struct conn c;
    uint64_t now;
    const struct prove_job *job;
    enum stage stage;
    enum spdm_event_kind need; /* what `consider` asks the caller for: SPDM_ASK_MEASURE, _VENDOR or SPDM_NOTHING */
    const struct spdm_answer *answer; /* while reply() runs */
    uint32_t ticket;
    bool asked;   /* the question has been fetched by event() */
    uint8_t told; /* bit per fact that waits to be fetched */

    uint8_t *request; /* the request being answered */
    uint16_t request_n, request_max;
    size_t response_n, signature_at; /* the response in cfg->out, behind the binding's head */

    bool deferred; /* ResponseNotReady has been said for it */
    uint8_t token;
    uint64_t due; /* say ResponseNotReady at this time; SPDM_NEVER: no need */

    enum { SEND_NOTHING, SEND_OUT, SEND_SMALL } send; /* what pull() hands out */
    size_t send_n;                                    /* length of that frame */
    size_t kept;                                      /* cfg->out still holds the answer to `request`; its frame */
    bool resynch;                                     /* RequestResynch until GET_VERSION (R-VSN-15) */
    uint8_t small[SMALL_MAX];                         /* ERROR frames: `out` may hold a half-built response */

    uint8_t nonce[NONCE_BYTES];
    struct to_sign to_sign;
};

/* GET_VERSION: forgets the connection (R-VSN-11). */
void spdm_responder_restart(struct spdm_responder *rs);
/* How long an answer may take before ResponseNotReady is due, in us. */
uint64_t spdm_responder_promise(const struct spdm_responder *rs);
/* Room for the response's bytes, as far as peer and buffer allow. */
struct spdm_room spdm_responder_body(const struct spdm_responder *rs);
/* prove_reply.c: builds, enters and signs or finishes the response. SPDM_WHY_FINE or the refusal. */
uint8_t spdm_responder_build(struct spdm_responder *rs, const struct spdm_answer *answer);
/* The signature has come. */
uint8_t spdm_responder_sign(struct spdm_responder *rs, struct spdm_span signature);
/* responder_error.c: an ERROR frame into rs->small; code is that of the request. */
void spdm_responder_refuse(struct spdm_responder *rs, uint8_t why, uint8_t code);
void spdm_responder_not_ready(struct spdm_responder *rs);

/* prove_identity.c: slots and chains of the caller's identity. */
bool spdm_slot_usable(const struct spdm_responder *rs, uint8_t slot); /* 0..7 or SPDM_SLOT_KEY */
/* Digest of a slot's chain structure, or of the provisioned key; false if hashing failed. */
bool spdm_slot_digest(const struct spdm_responder *rs, uint8_t slot, uint8_t out[SPDM_HASH_MAX]);
uint8_t spdm_slots_usable(const struct spdm_responder *rs);
/* Whether the key of a slot may be used for this (multi-key connections; R-CHL-08, R-MEA-07). */
bool spdm_slot_allows(const struct spdm_responder *rs, uint8_t slot, uint16_t usage);

/* prove_measurements.c */
/* Writes the blocks that `operation` names into room; *n is their length, *blocks their number. */
struct record {
    struct spdm_room room;
    size_t n;
    uint8_t blocks;
};
uint8_t spdm_measurement_record(struct spdm_responder *rs, struct record *record, uint8_t operation, bool raw);
/* MeasurementSummaryHash of type 1 or 0xff (R-CHL-15 ... R-CHL-18). */
uint8_t spdm_measurement_summary(struct spdm_responder *rs, uint8_t type, uint8_t out[SPDM_HASH_MAX]);
#endif
