/* SPDX-License-Identifier: BSD-3-Clause
 *
 * session.h - secure sessions, for both roles.
 *
 * A configuration that names spdm_with_sessions gets them; each session lives
 * in memory the caller gave (session_memory). Application data may be sent at
 * any time in either direction, beside an SPDM exchange in flight; what arrives
 * is an SPDM_DATA event. One frame at a time leaves through `out`: send() is
 * refused while pull() still has something to hand over. */
#ifndef ASSAY_SESSION_H
#define ASSAY_SESSION_H
#include <assay/requester.h>
#include <assay/responder.h>

extern const struct spdm_sessions spdm_with_sessions;
/* The same for a responder alone: who names no other links nothing that only requesters do. */
extern const struct spdm_sessions spdm_serving_sessions;

/* Encapsulated requests and mutual authentication: the same jobs with the roles turned, run by a responder inside the
 * requester and a requester inside the responder. Their questions (SPDM_ASK_SIGN of the requester's own key,
 * SPDM_ASK_TRUST for its chain) come out of the outer object. */
extern const struct spdm_mutual spdm_requester_mutual, spdm_responder_mutual; /* config.mutual, by role */
/* What the requester answers in the turned role: its identity, or that and errands. */
extern const struct spdm_services spdm_serve_identity, spdm_serve_turned;
/* Vouches for the requester's chain or key in a slot, as spdm_requester_trust() does for a responder's;
 * MutAuthRequested 1 works with nothing else. */
void spdm_responder_trust(struct spdm_responder *rs, uint8_t slot, struct spdm_span hash, const void *key);
/* The next GET_ENCAPSULATED_REQUEST in this session gets a KEY_UPDATE of the response direction. */
bool spdm_responder_update(struct spdm_responder *rs, uint32_t session);

/* Ends an established session from our side. Asked, the Requester is told with END_SESSION when it next comes for an
 * encapsulated request in this session (1.4); one that refuses is treated as with `now`. With `now` nothing is served
 * in it any more: the next record gets DecryptError, which ends it for both (all a responder could do up to 1.3).
 * SPDM_CLOSED tells when it is over. false: there is no such session or, not `now`, the Requester cannot be told on
 * this connection, or not while another encapsulated flow runs. */
bool spdm_responder_end(struct spdm_responder *rs, uint32_t session, bool now);

/* States a goal of the responder's: identity, challenge, and errands that a requester can be asked (errand.h). It is
 * pursued when the requester comes for encapsulated requests, in an established session or, with 0, outside; its
 * SPDM_REPLIED and SPDM_DONE come out of the responder, SPDM_FAILED says what went wrong. false: not now, or not on
 * this connection. */
bool spdm_responder_ask(struct spdm_responder *rs, uint32_t session, const struct spdm_goal *goal);

/* Bytes that each session needs of session_memory. */
size_t spdm_session_size(const struct spdm_config *config);

struct spdm_session_facts {
    uint32_t id;
    bool established, psk, mac_only, in_the_clear;
    bool proven;              /* the peer has proven who it is: the Responder always, the Requester by mutual
                                 authentication; in a PSK session, that it has the PSK */
    uint16_t secured_version; /* of DSP0277: 0x1000 ... */
    uint8_t heartbeat;        /* HeartbeatPeriod, seconds */
    uint8_t slot;             /* of the Responder; SPDM_SLOT_KEY */
    uint8_t mut_auth;         /* MutAuthRequested: the Requester has proven itself, if the session is established */
    unsigned updates[2];      /* KEY_UPDATEs of the request and the response direction */
    uint8_t policy;           /* SessionPolicy: bit 0 TerminationPolicy, bit 1 EventAllPolicy */
    uint64_t sent, received;  /* records under the present keys */
};

/* false: there is no such session. */
bool spdm_requester_session(const struct spdm_requester *rq, uint32_t id, struct spdm_session_facts *out);
bool spdm_responder_session(const struct spdm_responder *rs, uint32_t id, struct spdm_session_facts *out);

/* Seals application data (over MCTP it begins with its message type, which is not SPDM's; elsewhere its first byte must
 * not look like an SPDM version, 0x10 to 0x1f; PCI DOE carries none) as the next frame that
 * pull() hands over. false: not established, too large, a frame still waits, or keys are being updated (a requester's
 * own KEY_UPDATE, or the one that a responder has enveloped). */
bool spdm_requester_send(struct spdm_requester *rq, uint32_t session, struct spdm_span data);
bool spdm_responder_send(struct spdm_responder *rs, uint32_t session, struct spdm_span data);

/* The Export-Master-Secret (hash size) for protocols above; its length, 0 if there is no established session. */
size_t spdm_requester_export(const struct spdm_requester *rq, uint32_t session, uint8_t out[SPDM_HASH_MAX]);
size_t spdm_responder_export(const struct spdm_responder *rs, uint32_t session, uint8_t out[SPDM_HASH_MAX]);
#endif
