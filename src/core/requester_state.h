/* SPDX-License-Identifier: BSD-3-Clause
 *
 * requester_state.h - a requester from the inside. What it must ask next is
 * computed (plan.c), never stored; what is stored is the goal, what of it has
 * been reached, and the one exchange in flight. */
#ifndef ASSAY_CORE_REQUESTER_STATE_H
#define ASSAY_CORE_REQUESTER_STATE_H
#include "core/session.h"
#include "core/verify.h"

enum flight {
    FLIGHT_NONE,    /* no goal is being pursued */
    FLIGHT_SEND,    /* a request waits to be pulled */
    FLIGHT_WAIT,    /* it was pulled; a response is due by `deadline` */
    FLIGHT_PAUSE,   /* Busy or ResponseNotReady: pull again at `deadline` */
    FLIGHT_QUESTION /* the caller owes an answer */
};

/* What an encapsulated flow needs next (mutual_requester.c). */
enum encap_due { ENCAP_NOTHING, ENCAP_GET, ENCAP_DELIVER, ENCAP_QUESTION };
struct encap_rq {
    uint8_t due, flow, id, slot; /* enum encap_due, enum flow, RequestID, the slot to sign FINISH with */
    bool any;                    /* a response of this flow has been acknowledged */
    uint32_t requests;           /* that came in this flow: it must end some time */
    bool signing;                /* FINISH waits for its signature ... */
    size_t signature_at;         /* ... which goes here */
    uint8_t own[4];              /* a response of the engine's own */
    struct spdm_span response;   /* what is to be delivered */
};

/* What of the goal has been reached; reset by ask(). */
struct progress {
    bool digest_answered, measured, counted, vendor_done, slots_told;
    /* SPDM_MEASURE_EACH: next to read, SPDM_MEAS_ALL after the last; behind the first gap, 0 before it was met; how
     * many were announced and not read yet */
    uint8_t next_index, gap_index, left;
    bool psk, key_sent, key_verified, ended, polled;
    bool errand_done;
    uint32_t session;                 /* opened for this goal */
    uint32_t errand_at, errand_total; /* how far an errand of several requests has come */
};

/* What only a requester that stands on its own asks; the first three by phase. One that lives inside a responder takes
 * a connection over as it is, measures nobody, and has no later in which an ERROR could be mended. */
enum own_job { OWN_VERSION, OWN_CAPABILITIES, OWN_ALGORITHMS, OWN_MEASUREMENTS, OWN_VENDOR, OWN_N };
struct spdm_own {
    const struct verify_job *job[OWN_N]; /* NULL: never */
    io_inside inside;                    /* what reads the parts of fields */
    /* An ERROR came. true: go on with the plan; false: the flight has been settled. */
    bool (*error)(struct spdm_requester *rq, struct spdm_span message, uint64_t now);
};

struct spdm_requester {
    struct conn c;
    struct spdm_goal goal;
    struct progress got;
    struct { /* spdm_requester_trust() */
        const void *key;
        uint8_t slot, n, hash[SPDM_HASH_MAX];
    } vouched;

    const struct spdm_own *own;

    /* the request in flight */
    const struct verify_job *job;
    uint8_t *request;      /* the SPDM message, for resends and transcripts */
    struct spdm_span tail; /* its last field, if that stays where the caller has it; in no transcript */
    uint64_t deadline, now;
    uint32_t request_n, request_max;
    uint16_t certificates; /* GET_CERTIFICATE sent for this chain */
    uint16_t told;         /* bit per fact (enum spdm_event_kind) that waits to be fetched */
    uint32_t mark;         /* fingerprint of the last answer taken since ask() or a restart */
    enum flight flight;
    bool ask_ready; /* send RESPOND_IF_READY instead of the request */
    bool retried;   /* a request was sent twice since GET_VERSION */
    bool beating;   /* it is a HEARTBEAT of the engine's own */
    bool broken;    /* the next goal starts over with GET_VERSION */
    bool recalled;  /* nothing was said yet since spdm_requester_recall() */
    uint8_t token;
    uint8_t tries, busy, not_ready, restarts;
    uint8_t nonce[NONCE_SIZE + CONTEXT_SIZE]; /* Nonce or RandomData, then RequesterContext */

    struct large_rq *large; /* the transfer in chunks that is under way; NULL: there are none */

    /* sessions */
    struct spdm_responder *inner; /* proves us, when the roles are turned; NULL: they never are */
    struct session *opening;      /* between KEY_EXCHANGE or PSK_EXCHANGE and the end of its handshake */
    void *exchange;               /* crypto->exchange_state_size bytes: the private half of KEY_EXCHANGE */
    size_t queued;                /* a sealed frame of application data lies in `out` */
    struct spdm_span data;
    uint32_t data_session; /* that SPDM_DATA is about */
    struct encap_rq encap;
    bool exchange_open;

    /* what is told */
    bool proven;
    uint8_t operation; /* of the record; the next request may be in `request` already. SPDM_RESET_DUE: CSRTrackingTag */
    uint16_t standard;
    uint32_t ticket;
    struct spdm_span record; /* MeasurementRecord or vendor payload, in the caller's bytes */
    struct spdm_span vendor;
    enum spdm_event_kind question, asked; /* to be fetched; open */
};

/* The session that is being opened, who proves ourselves when roles are turned: NULL in a build without. */
static inline struct session *spdm_requester_opening(const struct spdm_requester *rq)
{
    return SPDM_SESSIONS ? rq->opening : NULL;
}
static inline struct large_rq *spdm_requester_large(const struct spdm_requester *rq)
{
    return SPDM_CHUNKS ? rq->large : NULL;
}
/* Length of the request in flight. */
static inline uint32_t spdm_requester_length(const struct spdm_requester *rq)
{
    return rq->request_n + (SPDM_WHOLE ? (uint32_t)rq->tail.n : 0);
}
static inline struct spdm_responder *spdm_requester_inner(const struct spdm_requester *rq)
{
    return SPDM_WHOLE ? rq->inner : NULL;
}

/* The errand of the goal, NULL if it has none; the one that the exchange at hand is for. */
static inline const struct spdm_errand *spdm_requester_errand(const struct spdm_requester *rq)
{
    return SPDM_WHOLE && (rq->goal.want & SPDM_WANT_ERRAND) != 0 ? rq->goal.errand : NULL;
}
static inline const struct spdm_errand *spdm_requester_running(const struct spdm_requester *rq)
{
    const struct spdm_errand *errand = spdm_requester_errand(rq);

    return errand != NULL && rq->job == &errand->job ? errand : NULL;
}

/* requester_link.c: for one inside a responder, which sends nothing itself; its memory is as large as the first says.
 */
size_t spdm_requester_inside_size(const struct spdm_config *cfg);
struct spdm_requester *spdm_requester_place(struct spdm_room memory, const struct spdm_config *cfg,
                                            const struct spdm_own *own);
/* requester_event.c: what a question about the chain points to. */
void spdm_requester_show_chain(const struct spdm_requester *rq, struct spdm_event *event);

enum step_kind { STEP_SEND, STEP_DONE, STEP_FAIL, STEP_ASK_DIGEST, STEP_ASK_TRUST, STEP_ASK_PSK, STEP_ASK_INNER };
struct step {
    enum step_kind kind;
    const struct verify_job *job;
};
/* flight.c: puts a job's request into flight; on failure the refusal is in c.report. */
uint8_t spdm_requester_start(struct spdm_requester *rq, const struct verify_job *job);
uint8_t spdm_requester_start_in(struct spdm_requester *rq, const struct verify_job *job, struct session *s);
/* MeasurementSummaryHashType to ask for: 0 where there are no measurements (R-CHL-05, R-KEX-15). */
uint8_t spdm_requester_summary(const struct spdm_requester *rq);
/* A session is over; tells the caller. */
void spdm_requester_lose(struct spdm_requester *rq, struct session *s, uint8_t why);
/* The same for one that is lost: what is under way in it, wherever it stands, is lost with it, and never goes on
 * outside. */
void spdm_requester_cut(struct spdm_requester *rq, struct session *s, uint8_t why);
/* How long the answer to the request in flight may take, in us. */
uint64_t spdm_requester_patience(const struct spdm_requester *rq);
/* requester_error.c: own->error of a requester on its own, and of one inside a responder. */
bool spdm_requester_error(struct spdm_requester *rq, struct spdm_span message, uint64_t now);
bool spdm_requester_error_inside(struct spdm_requester *rq, struct spdm_span message, uint64_t now);
/* requester.c: the goal is lost, c.report says why. */
void spdm_requester_fail(struct spdm_requester *rq, uint8_t code);
/* SPDM_MEASURE_EACH: on to the next index; the one just tried may be missing. */
void spdm_requester_next_index(struct spdm_requester *rq, bool missing);
/* Goes on with whatever the plan says is next. */
void spdm_requester_advance(struct spdm_requester *rq);
/* Pulls again at `until`, with a new count of tries. */
void spdm_requester_pause(struct spdm_requester *rq, uint64_t until);
/* A message came that is, or should be, the answer to the request in flight. */
void spdm_requester_receive(struct spdm_requester *rq, struct spdm_span message, uint64_t now);
/* Gives up a handshake that will not be finished, and the session in which a request failed beyond repair. */
void spdm_requester_abandon(struct spdm_requester *rq);
/* Starts over with GET_VERSION if that is still allowed; false: it is not. */
bool spdm_requester_restart(struct spdm_requester *rq);
/* The caller owes an answer before anything goes on. */
void spdm_requester_question(struct spdm_requester *rq, enum spdm_event_kind kind);
/* The chain or key vouched for in a slot, as if the goal had asked for it. */
void spdm_requester_use_vouched(struct spdm_requester *rq, uint8_t slot);
/* The one vouched for beforehand, if the goal can use it. */
void spdm_requester_vouch(struct spdm_requester *rq);
void spdm_requester_tell(struct spdm_requester *rq, enum spdm_event_kind kind);

/* What to do next for the goal: a function of goal and facts. STEP_FAIL has left its reason in c.report. */
struct step spdm_plan(struct spdm_requester *rq);
#endif
