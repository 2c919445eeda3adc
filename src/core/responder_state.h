/* SPDX-License-Identifier: BSD-3-Clause
 *
 * responder_state.h - a responder from the inside: one request at a time, from
 * its arrival over the caller's answers to the finished response. */
#ifndef ASSAY_CORE_RESPONDER_STATE_H
#define ASSAY_CORE_RESPONDER_STATE_H
#include "core/session.h"
#include <assay/responder.h>

/* An ERROR with all that can be around it: header, sequence number and random data of a record, CHUNK_SEND_ACK. */
enum { NONCE_BYTES = 32, SMALL_MAX = SPDM_SESSIONS || SPDM_CHUNKS ? 96 : 64 };

/* One row of what a responder serves. */
struct prove_job {
    const struct spdm_message *request, *response;
    uint8_t signed_by; /* enum signed_by */
    bool head_only;    /* consider() is done with the body: only eight bytes are kept */
    uint8_t asks;      /* enum spdm_event_kind, errands: the question, in which the caller finds the request; 0: none */
    uint8_t declined;  /* errands: ErrorCode when the caller says no and names none; 0: OperationFailed */
    uint32_t resets;   /* errands: capabilities of which one lets it be answered ResetRequired */
    /* Errands, may be NULL: takes from rs->order what is no part of the request. */
    void (*trim)(struct spdm_responder *rs);
    /* Judges the decoded request; may set rs->need. */
    uint8_t (*consider)(struct spdm_responder *rs, const union spdm_body *req);
    /* Fills the response; large parts are written in place into spdm_responder_body(). */
    uint8_t (*reply)(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp);
    /* Jobs of sessions only. In place of the connection's transcripts: enters request and response up to signature or
     * VerifyData, and for a signature leaves the transcript's digest in rs->to_sign. */
    uint8_t (*enter)(struct spdm_responder *rs, struct spdm_span response);
    /* The signature, if any, is in its place: what is left to be put behind it. */
    uint8_t (*complete)(struct spdm_responder *rs);
    /* The response is framed: what follows from it. */
    void (*sent)(struct spdm_responder *rs);
};

struct spdm_services {
    const struct prove_job *const *job;
    uint8_t n;
    io_inside inside; /* what reads the parts of fields; NULL: no request of the set has any */
};

extern const struct prove_job spdm_prove_version, spdm_prove_capabilities, spdm_prove_algorithms, spdm_prove_digests,
    spdm_prove_certificate, spdm_prove_challenge, spdm_prove_measurements, spdm_prove_vendor, spdm_prove_key_exchange,
    spdm_prove_finish, spdm_prove_psk_exchange, spdm_prove_psk_finish, spdm_prove_heartbeat, spdm_prove_key_update,
    spdm_prove_end_session, spdm_prove_key_pair_info, spdm_prove_set_key_pair, spdm_prove_csr, spdm_prove_store,
    spdm_prove_log, spdm_prove_endpoint, spdm_prove_event_types, spdm_prove_subscribe, spdm_prove_events,
    spdm_prove_slots;

struct spdm_requester;

/* An encapsulated flow from our side (mutual_responder.c). */
enum encap_state { ENCAP_IDLE, ENCAP_ARMED, ENCAP_ASKED };
struct encap_rs {
    uint8_t state, flow, id; /* enum encap_state, enum flow, RequestID of the request that is out */
    bool any;                /* a response of this flow has come */
    bool taken;              /* one has been taken, and its acknowledgement has not gone out */
    uint8_t own[4];
    struct session *where;    /* the channel it runs in, NULL outside */
    struct session *session;  /* the session it is about, NULL for basic mutual authentication */
    struct spdm_span request; /* the next request */
};

enum stage {
    STAGE_IDLE,   /* waiting for a request */
    STAGE_NEED,   /* the caller owes measurements or a vendor payload */
    STAGE_SIGN,   /* the response is built up to its signature; the caller owes it */
    STAGE_READY,  /* the response is complete, perhaps held back until RESPOND_IF_READY */
    STAGE_FETCH,  /* it is complete, and the requester fetches it in portions */
    STAGE_REFUSED /* a deferred request came to nothing: its ERROR is held back until RESPOND_IF_READY */
};

enum sending { SEND_NOTHING, SEND_OUT, SEND_SMALL };

struct spdm_responder {
    struct conn c;
    uint64_t now;
    uint64_t due; /* say ResponseNotReady at this time; SPDM_NEVER: no need */
    const struct prove_job *job;
    const struct spdm_answer *answer; /* while reply() runs */

    uint8_t *request; /* the request being answered */
    uint32_t request_n, request_max;
    uint32_t request_mark;         /* fingerprint of the whole, where only its head is kept */
    uint32_t request_signature_at; /* where its Signature and VerifyData begin, 0 if it has none */
    uint32_t request_verify_at;
    uint32_t verify_at;                /* of the response, 0 if it has no VerifyData */
    uint32_t response_n, signature_at; /* the response in cfg->out, behind the binding's head */
    uint32_t ticket;
    uint16_t told; /* bit per fact that waits to be fetched */
    uint8_t stage; /* enum stage */
    uint8_t need;  /* enum spdm_event_kind that `consider` asks the caller for, or SPDM_NOTHING */
    uint8_t then;  /* the second question, if there are two */
    uint8_t send;  /* enum sending: what pull() hands out */
    bool asked;    /* the question has been fetched by event() */
    bool deferred; /* ResponseNotReady has been said for it */
    bool resynch;  /* RequestResynch until GET_VERSION (R-VSN-15) */
    bool proven;   /* of SPDM_REPLIED */
    uint8_t shift; /* the response lies behind the place of a CHUNK_SEND_ACK's header of this size */
    uint8_t token;
    size_t send_n; /* length of the frame to be handed out */
    size_t kept;   /* cfg->out still holds the answer to `request`; its frame */

    struct large_rs *large;       /* the transfer in chunks that is under way; NULL: there are none */
    struct spdm_requester *inner; /* verifies the peer, when the roles are turned; NULL: they never are */
    struct encap_rs encap;
    struct session *at;            /* where it came: NULL outside */
    struct session *opening;       /* the session that it opens, until its response is complete */
    uint32_t opened, data_session; /* that SPDM_OPENED, SPDM_DATA are about */
    struct spdm_span data;         /* of SPDM_DATA or SPDM_REPLIED */
    uint8_t small[SMALL_MAX];      /* ERROR frames: `out` may hold a half-built response */

    union {
        uint8_t nonce[NONCE_BYTES];
        struct spdm_report later; /* STAGE_REFUSED: why, when no response will need a nonce any more */
    };
    union {
        struct to_sign to_sign;
        union spdm_body order; /* STAGE_NEED, errands: the request that the caller is asked about */
    };
};

/* Where the request came: NULL outside. The session that it opens. Who verifies the peer, when roles are turned. All
 * NULL in a build without. */
static inline struct session *spdm_responder_at(const struct spdm_responder *rs)
{
    return SPDM_SESSIONS ? rs->at : NULL;
}
static inline struct session *spdm_responder_opening(const struct spdm_responder *rs)
{
    return SPDM_SESSIONS ? rs->opening : NULL;
}
static inline struct large_rs *spdm_responder_large(const struct spdm_responder *rs)
{
    return SPDM_CHUNKS ? rs->large : NULL;
}
static inline struct spdm_requester *spdm_responder_inner(const struct spdm_responder *rs)
{
    return SPDM_WHOLE ? rs->inner : NULL;
}

void spdm_responder_tell(struct spdm_responder *rs, enum spdm_event_kind kind);
/* Forgets the request at hand; an open question becomes void. */
void spdm_responder_idle(struct spdm_responder *rs);
/* A request of at least four bytes, from a session or from outside. */
void spdm_responder_receive(struct spdm_responder *rs, struct session *from, struct spdm_span message);
/* Whether the exchange at hand travels in records. */
static inline bool spdm_responder_in_records(const struct spdm_responder *rs)
{
    return spdm_conn_in_records(&rs->c);
}
/* The session at hand can say nothing any more, and has been ended. */
bool spdm_responder_spent(struct spdm_responder *rs);
/* The response has gone out, all of it: what follows from it. */
void spdm_responder_sent(struct spdm_responder *rs);
/* The request at hand has come once more. */
void spdm_responder_repeated(struct spdm_responder *rs);
/* Padding of the transport may follow. */
bool spdm_responder_same(const struct spdm_responder *rs, struct spdm_span message);
/* A message was refused, and nothing has changed. */
void spdm_responder_turn_away(struct spdm_responder *rs, uint8_t why, uint8_t code);
/* A session is over; tells the caller. */
void spdm_responder_lose(struct spdm_responder *rs, struct session *s, uint8_t why);
/* GET_VERSION: forgets the connection (R-VSN-11). */
void spdm_responder_restart(struct spdm_responder *rs);
/* How long an answer may take before ResponseNotReady is due, in us. */
uint64_t spdm_responder_promise(const struct spdm_responder *rs);
/* Room for the response's bytes, as far as peer and buffer allow. */
struct spdm_room spdm_responder_body(const struct spdm_responder *rs);
/* Goes on where the request at hand stands, or refuses it. */
void spdm_responder_proceed(struct spdm_responder *rs, uint8_t why);
/* responder_ask.c: the request, decoded, becomes its job's question. */
void spdm_responder_pose(struct spdm_responder *rs, struct exchange *x);
/* responder_build.c: builds, enters and signs or finishes the response to a decoded request. SPDM_WHY_FINE or the
 * refusal. */
uint8_t spdm_responder_build(struct spdm_responder *rs, struct exchange *x);
/* The same for the request that was kept, once the question about it has been answered. */
uint8_t spdm_responder_resume(struct spdm_responder *rs, const struct spdm_answer *answer);
/* What was asked in a session, and a response that nobody will fetch, does not stay. */
void spdm_responder_forget(struct spdm_responder *rs);
/* The signature has come. */
uint8_t spdm_responder_sign(struct spdm_responder *rs, struct spdm_span signature);
/* responder_error.c: an ERROR frame into rs->small; code is that of the request. */
void spdm_responder_refuse(struct spdm_responder *rs, uint8_t why, uint8_t code);
void spdm_responder_not_ready(struct spdm_responder *rs);
/* ERROR LargeResponse with this handle. */
void spdm_responder_say_large(struct spdm_responder *rs, uint8_t handle);

/* prove_identity.c: slots and chains of the caller's identity. Where that has banks they are those of the bank that has
 * the negotiated algorithm, and empty if none has it. */
const struct spdm_slot *spdm_slot_at(const struct spdm_responder *rs, uint8_t slot);
uint8_t spdm_slots_supported(const struct spdm_responder *rs);        /* that exist */
bool spdm_slot_usable(const struct spdm_responder *rs, uint8_t slot); /* 0..7 or SPDM_SLOT_KEY */
/* Bytes of the CERTIFICATE, or MEASUREMENTS without its signature, that answers the request at hand, from `at` on until
 * the room is full. false if hashing failed. */
bool spdm_certificate_portion(struct spdm_responder *rs, size_t at, struct spdm_room to);
bool spdm_measurements_portion(struct spdm_responder *rs, size_t at, struct spdm_room to);
/* Digest of a slot's chain structure, or of the provisioned key; false if hashing failed. */
bool spdm_slot_digest(const struct spdm_responder *rs, uint8_t slot, uint8_t out[SPDM_HASH_MAX]);
uint8_t spdm_slots_usable(const struct spdm_responder *rs);
/* Whether the key of a slot may be used for this (multi-key connections; R-CHL-08, R-MEA-07). */
bool spdm_slot_allows(const struct spdm_responder *rs, uint8_t slot, uint16_t usage);

/* Provisioned: usable, or in a multi-key connection with a key but without certificates. */
uint8_t spdm_slots_provisioned(const struct spdm_responder *rs);

/* The chain structure around a slot's certificates: its size, its digest, its bytes from `offset` on. false: hashing
 * failed. */
size_t spdm_chain_size(const struct spdm_responder *rs, const struct spdm_slot *slot);
bool spdm_chain_digest(const struct spdm_responder *rs, const struct spdm_slot *slot, uint8_t out[SPDM_HASH_MAX]);
bool spdm_chain_copy(const struct spdm_responder *rs, const struct spdm_slot *slot, struct spdm_room to, size_t offset);

/* prove_key_pair.c: the bank of the negotiated algorithm, NULL if none has it. */
const struct spdm_bank *spdm_bank_selected(const struct spdm_responder *rs);
/* The KeyPairID behind a slot of the bank with these algorithms; 0 if none is known. */
uint8_t spdm_key_pair_of(const struct spdm_identity *id, uint32_t asym, uint32_t pqc, uint8_t slot);
/* The key pair behind a slot on this connection; NULL if none is known. */
const struct spdm_key_pair *spdm_slot_key_pair(const struct spdm_responder *rs, uint8_t slot);

/* prove_provision.c: KeyPairID and model as the connection wants them; what GET_CSR says; a chain structure to be
 * stored. SPDM_WHY_FINE or the refusal. */
uint8_t spdm_provision_whose(struct spdm_responder *rs, uint8_t key_pair, uint8_t model, bool erase);
uint8_t spdm_provision_csr(struct spdm_responder *rs, const struct spdm_csr_order *q);
uint8_t spdm_provision_chain(struct conn *c, struct spdm_span chain);
/* The chain without what follows it. */
struct spdm_span spdm_provision_trim(const struct conn *c, struct spdm_span chain);

/* prove_measurements.c */
/* MeasurementSummaryHash of type 1 or 0xff (R-CHL-15 ... R-CHL-18). */
uint8_t spdm_measurement_summary(struct spdm_responder *rs, uint8_t type, uint8_t out[SPDM_HASH_MAX]);
#endif
