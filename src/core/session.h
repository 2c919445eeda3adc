/* SPDX-License-Identifier: BSD-3-Clause
 *
 * session.h - sessions of a connection from the inside.
 *
 * The engines reach sessions only through struct spdm_sessions, so that a build
 * without them links none of it. */
#ifndef ASSAY_CORE_SESSION_H
#define ASSAY_CORE_SESSION_H
#include "core/conn.h"
#include "secured/record.h"
#include "trust/schedule.h"
#include <assay/session.h>

/* OPENING: it has a place and perhaps an id, but no keys yet; no record can be for it. */
enum session_state { SESSION_FREE, SESSION_OPENING, SESSION_HANDSHAKE, SESSION_ESTABLISHED };

struct session {
    struct session *next; /* the place behind this one, NULL at the last: used or not */
    uint32_t id;
    uint8_t state; /* enum session_state */
    uint8_t over;  /* of a free place: why its last session ended, which the caller has not been told yet; 0: it has */
    bool psk;
    bool in_the_clear;                /* handshake messages travel outside of records */
    uint8_t mut_auth;                 /* MutAuthRequested */
    uint8_t req_slot;                 /* responder: the Requester's slot that we named */
    bool proven;                      /* responder: the Requester's chain is trusted */
    bool needs_finish;                /* PSK: the response carried a context */
    bool logged;                      /* witness: its secrets come from a key log, there is no root */
    bool ending;                      /* from our side: responder, the next record gets DecryptError; requester,
                                         it is over with the flow in which END_SESSION was acknowledged */
    uint8_t slot;                     /* of the Responder: 0..7, SPDM_SLOT_KEY */
    uint8_t heartbeat;                /* seconds, 0: none */
    uint8_t handshake;                /* responder: seconds that the handshake may stand still */
    uint8_t policy;                   /* SessionPolicy */
    uint16_t version;                 /* of DSP0277 */
    unsigned generation[DIRECTION_N]; /* keys since FINISH, by KEY_UPDATE */
    uint8_t update, update_tag;       /* responder: operation and tag of the last KEY_UPDATE that came, 0: none */
    uint8_t tag;                      /* of our own last one */
    bool answered;                    /* responder: its UpdateAllKeys came, but the peer did not follow */
    uint64_t heard;                   /* when something last came in it */
    struct record_form form;
    struct transcript tr; /* TH, L1/L2 */
    struct secrets secrets;
    struct lane lane[DIRECTION_N];
    struct lane previous[DIRECTION_N]; /* keys that were replaced and may have to come back (R-KUP-11) */
};

/* How it came about, as far as this build has it. */
static inline bool spdm_session_by_psk(const struct session *s)
{
    return SPDM_WHOLE && s->psk;
}
static inline bool spdm_session_mutual(const struct session *s)
{
    return SPDM_WHOLE && s->mut_auth != 0;
}

/* What became of a record. */
enum fate { FATE_DROP, FATE_BROKEN, FATE_MESSAGE, FATE_DATA };
struct incoming {
    enum direction direction; /* in: the one that the peer sends in */
    struct session *session;
    struct spdm_span message; /* the SPDM message, or the application data with its inner header */
};

struct outgoing {
    enum direction direction;
    struct spdm_span message;
    bool app;
    struct spdm_room room;
};

struct step;

struct spdm_sessions {
    size_t (*size)(const struct spdm_config *cfg);
    void (*place)(struct conn *c);
    /* GET_VERSION, close: all sessions end. */
    void (*clear)(struct conn *c);
    /* Opens a record that came in the peer's direction. */
    enum fate (*open)(struct conn *c, struct spdm_span record, uint64_t now, struct incoming *in);
    /* Frames a message (app: application data) of a session into room, which begins with the binding's head; if it
     * already lies at spdm_session_body() nothing is copied. The frame's length, 0 if it cannot be sealed. */
    size_t (*seal)(struct conn *c, struct session *s, const struct outgoing *out);
    struct session *(*find)(const struct conn *c, uint32_t id);
    bool (*records)(const struct session *s);
    size_t (*head)(const struct conn *c, const struct session *s);
    void (*free)(struct conn *c, struct session *s);
    /* The same for a session that the caller knows of. ended() hands over one of those that it has not been told of;
     * true: there are more. */
    void (*end_for)(struct conn *c, struct session *s, uint8_t why);
    bool (*ended)(struct conn *c, uint32_t *id, uint8_t *why);
    /* The session whose watchdog has run out, or NULL; the time of the next one. */
    struct session *(*expired)(const struct conn *c, uint64_t now);
    uint64_t (*deadline)(const struct conn *c, bool beats);
    const struct spdm_asking *asks; /* NULL where no requester has sessions */
};

/* What only a requester does. */
struct spdm_asking {
    /* A place for a new session, or NULL. */
    struct session *(*begin)(struct conn *c, bool psk);
    /* The session part of the plan; the heartbeat that is due. */
    struct step (*plan)(struct spdm_requester *rq);
    struct step (*end)(struct spdm_requester *rq);
    bool (*heartbeat)(struct spdm_requester *rq, uint64_t now);
    /* The responder has put the request in flight off, it will be sent once more. */
    void (*put_off)(struct spdm_requester *rq);
};

/* Whether the exchange at hand travels in records. */
static inline bool spdm_conn_in_records(const struct conn *c)
{
    return spdm_conn_channel(c) != NULL && spdm_sessions_of(c->cfg)->records(spdm_conn_channel(c));
}

/* Salt_0 of PSK sessions: zeros, and from 1.3 on 0xff (R-KSC-03). */
extern const uint8_t spdm_psk_salt[2][SPDM_HASH_MAX];

struct session *spdm_session_find(const struct conn *c, uint32_t id);
/* A free place, with all of it reset; NULL if all are in use. */
struct session *spdm_session_new(struct conn *c);
/* Gives it its id, form and transcript once both halves are known. */
void spdm_session_name(struct conn *c, struct session *s, uint16_t req_half, uint16_t rsp_half);
/* An id half that no live session has. `shift`: 0 for the requester's, 16 for the responder's. */
uint16_t spdm_session_half(const struct conn *c, unsigned shift);
void spdm_session_free(struct conn *c, struct session *s);
/* Whether its messages travel in records now. */
bool spdm_session_records(const struct session *s);
/* Bytes in front of a message inside a frame of this session (binding's head included). */
size_t spdm_session_head(const struct conn *c, const struct session *s);

/* Places for sessions, used or not, and the one with this number; NULL behind the last. */
size_t spdm_session_count(const struct conn *c);
struct session *spdm_session_at(const struct conn *c, size_t i);
/* The session whose handshake goes on in the clear, or NULL: there is at most one (R-KEX-03). */
struct session *spdm_session_clear_handshake(const struct conn *c);
/* Whether a live session has this id half. */
bool spdm_session_taken(const struct conn *c, uint16_t half, unsigned shift);
/* session_watch.c: what struct spdm_sessions says of them */
void spdm_session_end_for(struct conn *c, struct session *s, uint8_t why);
bool spdm_session_ended(struct conn *c, uint32_t *id, uint8_t *why);
struct session *spdm_session_expired(const struct conn *c, uint64_t now);
uint64_t spdm_session_deadline(const struct conn *c, bool beats);
/* Requester: an established session in which half a heartbeat period has passed in silence. */
struct session *spdm_session_silent(const struct conn *c, uint64_t now);
struct session *spdm_session_begin(struct conn *c, bool psk);
struct step spdm_session_plan(struct spdm_requester *rq);
struct step spdm_session_end(struct spdm_requester *rq);
bool spdm_session_heartbeat(struct spdm_requester *rq, uint64_t now);
void spdm_session_put_off(struct spdm_requester *rq);

/* The header in front of an SPDM message inside a record, which policy may have turned on; its length. */
static inline uint8_t spdm_session_inner(const struct conn *c)
{
    const struct spdm_binding *binding = c->cfg->binding;

    return binding->inner_by_policy && !c->cfg->policy->inner_header ? 0 : binding->inner_n;
}

/* Whether what a record holds (at least a byte) is an SPDM message, and that message. Where no header stands in front
 * of one (DSP0287 as we read it, UN-19), the major version in its first byte tells it from application data. */
bool spdm_session_is_message(const struct conn *c, struct spdm_span data, struct spdm_span *message);
enum fate spdm_session_open(struct conn *c, struct spdm_span record, uint64_t now, struct incoming *in);
size_t spdm_session_seal(struct conn *c, struct session *s, const struct outgoing *out);

/* Whether a direction's key has no sequence number left (R-APP-03): the session is over, with SPDM_WHY_SPENT. */
static inline bool spdm_session_spent(const struct session *s, enum direction d)
{
    return s->lane[d].sequence > s->form.limit;
}

struct schedule spdm_session_schedule(const struct conn *c);
/* Adds to TH, beginning it with VCA (and the DIGESTS that count). */
void spdm_session_th(struct conn *c, struct session *s, struct spdm_span bytes);
bool spdm_session_th_digest(const struct session *s, uint8_t out[SPDM_HASH_MAX]);
/* Keys both lanes from the direction secrets. */
bool spdm_session_key(struct conn *c, struct session *s);
/* TH1: handshake keys from secrets.root. */
bool spdm_session_handshake(struct conn *c, struct session *s, const uint8_t th1[SPDM_HASH_MAX]);
/* TH2: data keys; the session is established. */
bool spdm_session_establish(struct conn *c, struct session *s);
/* HMAC of the present TH under a finished key. */
bool spdm_session_verify_data(struct conn *c, struct session *s, enum direction by, uint8_t out[SPDM_HASH_MAX]);
/* Whether `theirs` is it: SPDM_GOOD, SPDM_BAD, or 0 if that could not be found out. */
spdm_verdict spdm_session_judge(struct conn *c, struct session *s, enum direction by, struct spdm_span theirs);
/* The verdict is looked at twice (withstand 95). */
static inline bool spdm_session_accepts(const volatile spdm_verdict *verdict)
{
    return *verdict == SPDM_GOOD && (*verdict ^ SPDM_BAD) == (SPDM_GOOD ^ SPDM_BAD);
}
/* KEY_UPDATE: a direction moves to its next key; the old one is kept until dropped. */
bool spdm_session_update(struct conn *c, struct session *s, enum direction d);
void spdm_session_drop_previous(struct conn *c, struct session *s, enum direction d);
/* The old key comes back. */
void spdm_session_restore(struct conn *c, struct session *s, enum direction d);
/* Witness: takes both lanes' keys away; the live session in which nothing was heard for longest. */
void spdm_session_unkey(struct conn *c, struct session *s);
struct session *spdm_session_oldest(const struct conn *c);

/* What records said is not needed any more: it does not stay (withstand 25). */
static inline void spdm_session_forget(struct conn *c)
{
    if (!SPDM_SESSIONS || c->opened == 0) return;
    spdm_wipe(c->cfg->in.p, c->opened);
    c->opened = 0;
}

/* session_opaque.c: opaque data of a key exchange. */
struct spdm_span spdm_session_offer(const struct conn *c, uint8_t code, struct spdm_room room);
/* Responder: chooses a version from the requester's opaque data. SPDM_WHY_FINE or the refusal. */
uint8_t spdm_session_choose(struct conn *c, struct session *s, struct spdm_span opaque);
struct spdm_span spdm_session_selection(const struct conn *c, const struct session *s, struct spdm_room room);
/* Requester: the responder's choice, which must be one that was offered. Changes nothing in s on refusal. */
uint8_t spdm_session_chosen(struct conn *c, struct session *s, struct spdm_span opaque);
#endif
