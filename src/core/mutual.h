/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mutual.h - encapsulated requests: the roles turned.
 *
 * Inside a requester lives a responder that proves, inside a responder a
 * requester that verifies; envelopes carry their messages (state-machine.md
 * section 7). They are the ordinary engines over spdm_binding_none, in the
 * negotiated state of the connection around them, with transcripts of their
 * own that begin with the same VCA. The outer engines reach all this only
 * through struct spdm_mutual. */
#ifndef ASSAY_CORE_MUTUAL_H
#define ASSAY_CORE_MUTUAL_H
#include "core/requester_state.h"
#include "core/responder_state.h"

/* Why an encapsulated flow runs. */
enum flow { FLOW_NONE, FLOW_SESSION, FLOW_BASIC, FLOW_UPDATE, FLOW_POLL, FLOW_ASK, FLOW_END };

struct spdm_mutual {
    size_t (*size)(const struct spdm_config *cfg); /* memory for the inner object */

    /* ---- requester ---- */
    bool (*requester_place)(struct spdm_requester *rq, struct spdm_room memory);
    void (*requester_close)(struct spdm_requester *rq);
    /* KEY_EXCHANGE_RSP or CHALLENGE_AUTH asked for it (MutAuthRequested; 0: basic, by CHALLENGE). */
    uint8_t (*begin)(struct spdm_requester *rq, uint8_t mut_auth, uint8_t slot);
    struct step (*plan)(struct spdm_requester *rq);
    /* The question at hand: the inner responder's, or FINISH's signature. */
    void (*question)(struct spdm_requester *rq, struct spdm_event *event);
    void (*answer)(struct spdm_requester *rq, const struct spdm_answer *answer);
    /* FINISH up to its signature enters TH; leaves a question behind. */
    uint8_t (*sign_finish)(struct spdm_requester *rq, size_t verify_at);

    /* ---- responder ---- */
    bool (*responder_place)(struct spdm_responder *rs, struct spdm_room memory);
    void (*responder_close)(struct spdm_responder *rs);
    /* Whether this connection allows MutAuthRequested `value` (0: basic). */
    bool (*possible)(const struct spdm_responder *rs, uint8_t value);
    /* Another flow, or a handshake that was proven by one, has not come to its end. */
    bool (*busy)(const struct spdm_responder *rs);
    void (*arm)(struct spdm_responder *rs, struct session *s, uint8_t value);
    /* A request is done with, perhaps without having been answered. */
    void (*dropped)(struct spdm_responder *rs);
    /* An encapsulated flow forbids this request now. */
    bool (*blocks)(const struct spdm_responder *rs, uint8_t code);
    void (*describe)(struct spdm_responder *rs, struct spdm_event *event);
    uint8_t (*take)(struct spdm_responder *rs, const struct spdm_answer *answer);
    /* FINISH carries a signature over TH, and the slot that we named. */
    uint8_t (*check_finish)(struct spdm_responder *rs, struct session *s, const struct finish *finish);
};

/* mutual.c: puts an inner connection into the negotiated state of the outer one. */
void spdm_mutual_adopt(struct conn *inner, const struct conn *outer);
/* What goes on inside belongs to this established session: it decides what is legal. NULL: outside. */
void spdm_mutual_in_session(struct conn *inner, const struct session *s);
/* mutual_ask.c: what the requester inside has to tell. false: the flow has failed. */
bool spdm_mutual_told(struct spdm_responder *rs);
/* Encapsulation is negotiated: ENCAP_CAP on both sides; at 1.2 MUT_AUTH_CAP stands in for it. */
bool spdm_mutual_encapsulates(const struct conn *c);

extern const struct verify_job spdm_verify_get_encapsulated, spdm_verify_deliver_encapsulated;
extern const struct prove_job spdm_prove_get_encapsulated, spdm_prove_deliver_encapsulated;

/* mutual_responder.c */
void spdm_mutual_collect(struct spdm_responder *rs);
bool spdm_mutual_busy(const struct spdm_responder *rs);
#endif
