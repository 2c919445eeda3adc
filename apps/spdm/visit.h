/* SPDX-License-Identifier: BSD-3-Clause
 *
 * visit.h - one device, asked for one thing after the other.
 *
 * A visit is a connection, attested and with a session if that is wanted, and
 * a call for each goal that returns when it is reached or cannot be: what a
 * command does with a device reads from top to bottom. Nothing moves between
 * two calls. */
#ifndef SPDM_VISIT_H
#define SPDM_VISIT_H
#include "appraisal.h"
#include <assay/errand.h>

struct spdm_visit;

struct spdm_visit_order {
    struct spdm_setup *setup; /* setup->session: everything behind spdm_visit_attest() is in one */
    const struct spdm_target *target;
    size_t out_max; /* the largest message that will be sent, if it is longer than usual */
    bool events;    /* the device may tell us of events, see `answer` */
    /* What comes back: SPDM_MEASURED, SPDM_REPLIED, SPDM_VENDOR, SPDM_RESET_DUE. May be NULL. */
    void (*see)(void *ctx, const struct spdm_event *event);
    /* Questions of errands that the device asks. May be NULL: they are refused. */
    void (*answer)(void *ctx, const struct spdm_event *event, struct spdm_answer *answer);
    void *ctx;
};

/* What became of a goal. */
struct spdm_visited {
    bool reached;
    struct spdm_report report; /* not reached: what the engine says; why == SPDM_WHY_FINE: it was not the engine */
    uint8_t code;              /* not reached: the device's ErrorCode; 0: there was none */
    char why[500];             /* not reached: a clause for people, safe to print */
    int exit;                  /* enum spdm_exit; SPDM_EXIT_OK also for a refusal that breaks no rule */
};

/* Connects. There always is a visit, to be closed; `out` says whether the device is there. */
struct spdm_visit *spdm_visit_open(const struct spdm_visit_order *order, struct spdm_visited *out);
/* Attests the device by what the setup says, and opens the session. Once. */
void spdm_visit_attest(struct spdm_visit *visit, struct spdm_visited *out);
/* Pursues a goal, which takes place in the session, if there is one. */
void spdm_visit_ask(struct spdm_visit *visit, const struct spdm_goal *goal, struct spdm_visited *out);
/* The same for an errand. */
void spdm_visit_errand(struct spdm_visit *visit, const struct spdm_errand *errand, const union spdm_order *order,
                       struct spdm_visited *out);
/* Until it is called with NULL, the device's chains are shown to this instead of being judged: the key by which
 * signatures are to be verified from now on, whoever it belongs to, or NULL. */
typedef const struct spdm_openssl_key *spdm_visit_chain(void *ctx, const struct spdm_event *event);
void spdm_visit_look(struct spdm_visit *visit, spdm_visit_chain *see);
/* Vouches for the key that the setup names, for goals that use it. */
void spdm_visit_vouch(struct spdm_visit *visit);
/* Lets so much time pass, in which the session is kept alive; false: it, or the link, is gone and `out` says why. */
bool spdm_visit_wait(struct spdm_visit *visit, uint32_t ms, struct spdm_visited *out);
/* For signals. spdm_visit_wake() ends a wait. */
uv_loop_t *spdm_visit_loop(struct spdm_visit *visit);
void spdm_visit_wake(struct spdm_visit *visit);

const struct spdm_facts *spdm_visit_facts(const struct spdm_visit *visit);
const struct spdm_attest_result *spdm_visit_result(const struct spdm_visit *visit);
/* What the device was found to be; NULL before spdm_visit_attest(). */
const struct spdm_attestation *spdm_visit_attestation(const struct spdm_visit *visit);
/* Ends the session and the link. */
void spdm_visit_close(struct spdm_visit *visit);
#endif
