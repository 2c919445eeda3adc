/* SPDX-License-Identifier: BSD-3-Clause
 *
 * witness_state.h - a witness from the inside: two sides, each with a
 * connection of its own. On the plain side the Requester asks and the Responder
 * proves; on the turned side, inside envelopes, it is the other way round.
 * Sessions belong to the plain side. */
#ifndef ASSAY_CORE_WITNESS_STATE_H
#define ASSAY_CORE_WITNESS_STATE_H
#include "core/mutual.h"
#include "core/verify.h"
#include <assay/witness.h>

/* What is known of a slot. */
struct slot_known {
    const void *key;
    bool hash_known;
    uint8_t model, key_pair; /* of multi-key connections */
    uint16_t usage;
    uint8_t hash[SPDM_HASH_MAX];
};

struct watch_side {
    struct spdm_config cfg; /* the caller's, with rooms that grow */
    struct conn c;
    struct slot_known slot[SPDM_SLOT_N + 1]; /* the last one: the provisioned key */
    struct spdm_room request;                /* the request that waits for its response */
    size_t request_n;
    bool put_off; /* it was told to come back: nobody has to */
    enum spdm_watch_room request_room, chain_room;
};

/* An encapsulated flow. */
struct watch_flow {
    bool open, answered; /* it goes on; a response of it has been delivered */
    uint8_t id;          /* RequestID of the request that waits */
    uint32_t session;    /* of which it is the handshake; 0: none */
};

/* A message in chunks. */
struct watch_large {
    struct spdm_room room;
    uint32_t sequence, at, total; /* of the portion that came last; what there is; LargeMessageSize */
    uint8_t handle;
    bool open;
};

struct spdm_witness {
    struct watch_side plain, turned;
    struct spdm_watch watch;
    uint32_t ticket;
    bool ask; /* a chain is complete */
    bool measured, proven;
    struct watch_side *at;   /* of the message at hand */
    struct spdm_span record; /* MeasurementRecord of the message at hand */

    struct spdm_sight next; /* what else is in the frame; kind SPDM_SIGHT_NONE: nothing */
    bool next_asks;
    struct watch_side *next_side;
    struct watch_large large[2]; /* the Responder's, the Requester's */
    uint8_t chunk_asked;         /* CHUNK_GET or CHUNK_SEND that waits, 0 */
    struct watch_flow flow;

    /* sessions */
    uint64_t clock;    /* counts frames: who was heard last */
    uint32_t unproven; /* a session whose secret FINISH must tell, and its TH1 */
    uint8_t th1[SPDM_HASH_MAX];
    void *before_finish; /* TH as it was before FINISH, in case FINISH comes again */
    uint32_t finishing;  /* of which session; 0: nothing is kept */
};

/* A message at hand. */
struct passing {
    struct watch_side *side;
    struct exchange x;
    struct spdm_sight *sight;
};

/* What sessions and envelopes add to a verify job. */
struct watch_job {
    const struct verify_job *job;
    void (*asked)(struct spdm_witness *w, struct passing *p);    /* its request went by; NULL: nothing to do */
    void (*answered)(struct spdm_witness *w, struct passing *p); /* in place of transcripts, signature and learning */
};

/* witness.c: room of at least n bytes; false, with the refusal noted, if there is none. */
bool spdm_watch_room(struct spdm_witness *w, struct watch_side *side, enum spdm_watch_room which, size_t n);
/* witness_slots.c: the exchange that begins is about this slot: its key and digest are the ones to check with. */
void spdm_watch_slot(struct watch_side *side, uint8_t slot);
struct slot_known *spdm_watch_known(struct watch_side *side, uint8_t slot);
void spdm_watch_forget_slots(struct watch_side *side);
void spdm_watch_digests(struct watch_side *side, const struct digests *m);
void spdm_watch_adopt(struct watch_side *side, const struct challenge_auth *m);
/* CERTIFICATE: whether it reads the chain on, and there is room for it; all else has been done about it if not. */
bool spdm_watch_portion(struct spdm_witness *w, struct passing *p);
/* witness_message.c: s->message, of at least four bytes; `asks`: from the side that asks. */
void spdm_watch_message(struct spdm_witness *w, struct watch_side *side, bool asks, struct spdm_sight *s);

/* witness_tell.c: enters a piece into its transcripts, and tells of it. false: VCA is full. */
bool spdm_watch_enter(struct spdm_witness *w, struct watch_side *side, const struct spdm_message *row,
                      struct spdm_span bytes);
void spdm_watch_th(struct spdm_witness *w, struct session *s, const struct spdm_piece *piece);
/* An exchange that is a transcript of its own. */
void spdm_watch_alone(struct spdm_witness *w, const struct passing *p);

/* witness_session.c: the session of a FINISH, of a record. */
extern const struct watch_job spdm_watch_sessions[];
extern const size_t spdm_watch_session_n;
/* A session is opened: the two ends know of no session with this id any more, nor of one that ended behind records that
 * could not be opened, or they would not have agreed on it. */
void spdm_watch_forget(struct spdm_witness *w, uint16_t req_half, uint16_t rsp_half);
/* The exchange at hand was answered with an ERROR. */
void spdm_watch_refused(struct spdm_witness *w, struct passing *p, uint8_t code);

/* witness_record.c: opens it, and turns to its session. true: s->message is an SPDM message. */
bool spdm_watch_record(struct spdm_witness *w, struct spdm_span record, struct spdm_sight *s);

/* witness_keys.c: the secret that makes `theirs` VerifyData by this direction. GOOD: found; BAD: taken by its place,
 * and it does not; UNCHECKED: there is none. */
enum spdm_signature_state spdm_watch_find_keys(struct spdm_witness *w, struct session *s, enum direction by,
                                               struct spdm_span theirs);
/* Compares VerifyData with ours under the session's keys. */
enum spdm_signature_state spdm_watch_verify_data(struct spdm_witness *w, struct session *s, enum direction by,
                                                 struct spdm_span theirs);
/* The n-th pair of direction secrets of a key log, put into use with both sequence numbers at 0. false: no more. */
bool spdm_watch_logged(struct spdm_witness *w, struct session *s, enum spdm_secret_kind kind, unsigned n);

/* witness_chunks.c */
void spdm_watch_chunk_send(struct spdm_witness *w, struct passing *p);
void spdm_watch_chunk_response(struct spdm_witness *w, struct passing *p);
void spdm_watch_chunk_ack(struct spdm_witness *w, struct passing *p);

/* witness_turned.c */
void spdm_watch_begin_flow(struct spdm_witness *w, uint32_t session);
void spdm_watch_envelope(struct spdm_witness *w, struct passing *p);
void spdm_watch_delivered(struct spdm_witness *w, struct passing *p);
void spdm_watch_enclosed(struct spdm_witness *w, struct passing *p);
void spdm_watch_acknowledged(struct spdm_witness *w, struct passing *p);
#endif
