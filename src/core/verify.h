/* SPDX-License-Identifier: BSD-3-Clause
 *
 * verify.h - the jobs of who asks: one row per exchange.
 *
 * fill writes the request; judge looks at a complete, decoded response and
 * says why not, changing nothing; learn makes facts of it. Requester and
 * witness share judge and learn: the witness has no fill of its own, it sees
 * the request go by. */
#ifndef ASSAY_CORE_VERIFY_H
#define ASSAY_CORE_VERIFY_H
#include "core/conn.h"
#include <assay/requester.h>

enum { NONCE_SIZE = 32, CONTEXT_SIZE = 8 };

struct verify_job {
    const struct spdm_message *request, *response;
    uint8_t signed_by; /* enum signed_by: whose signature the response may carry */
    uint8_t (*fill)(struct spdm_requester *rq, union spdm_body *req);
    uint8_t (*judge)(struct conn *c, const struct exchange *x);
    void (*learn)(struct conn *c, const struct exchange *x);
    /* The response is verified. What the requester makes of it beyond its facts, NULL: nothing. An errand hands it to
     * the caller here, and sets got.errand_done unless another request is to follow. SPDM_WHY_FINE or the refusal. */
    uint8_t (*after)(struct spdm_requester *rq, const struct exchange *x);
    /* Jobs of sessions only: what remains to be put into the encoded request; the whole end of the exchange, in place
     * of transcripts, signature and learn. */
    uint8_t (*complete)(struct spdm_requester *rq, size_t verify_at);
    uint8_t (*finish)(struct spdm_requester *rq, const struct exchange *x);
};

/* An exchange beyond attestation and sessions, as a goal names it (errand.h). */
struct spdm_errand {
    struct verify_job job;
    uint32_t resets; /* capabilities of which one makes ResetRequired mean that it was accepted; 0: it never does */
    bool signs;      /* its order may ask for a signature: then the chain must be trusted first */
};
/* What most of them need: the request is the order; nothing to judge; nothing to learn; nothing to hand over. */
uint8_t spdm_errand_fill(struct spdm_requester *rq, union spdm_body *req);
uint8_t spdm_errand_judge_nothing(struct conn *c, const struct exchange *x);
void spdm_errand_learn_nothing(struct conn *c, const struct exchange *x);
uint8_t spdm_errand_done(struct spdm_requester *rq, const struct exchange *x);
/* Tells the caller of what came; whether it was all is the caller's to note. */
void spdm_errand_tell(struct spdm_requester *rq, struct spdm_span data);

extern const struct verify_job spdm_verify_version, spdm_verify_capabilities, spdm_verify_algorithms,
    spdm_verify_digests, spdm_verify_certificate, spdm_verify_challenge, spdm_verify_measurements, spdm_verify_vendor;
extern const struct verify_job spdm_verify_key_exchange, spdm_verify_session_finish, spdm_verify_psk_exchange,
    spdm_verify_psk_finish, spdm_verify_heartbeat, spdm_verify_key_update, spdm_verify_end_session;

/* SPDM_WHY_FINE if `signature` is that of c->key over input->digest, a transcript's. */
uint8_t spdm_verify_signature(struct conn *c, enum signed_by by, struct to_sign *input, struct spdm_span signature);

/* Enters request and response into their transcripts, checks the signature if there is one, then learns. The common
 * end of an exchange for requester and witness. SPDM_WHY_FINE or the refusal (in c->report). */
uint8_t spdm_verify_finish(struct conn *c, const struct verify_job *job, const struct exchange *x);
#endif
