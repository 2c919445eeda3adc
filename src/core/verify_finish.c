/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The end of an exchange that passed its judgement: transcripts, signature,
 * facts, in this order. A bad signature leaves its transcript empty and no
 * fact behind. */
#include "core/verify.h"

/* The verdict is looked at twice (withstand 95). */
uint8_t spdm_verify_signature(struct conn *c, enum signed_by by, struct to_sign *input, struct spdm_span signature)
{
    struct signer signer = spdm_conn_signer(c);
    struct candidate candidate = {.key = c->key, .signature = signature};
    volatile spdm_verdict verdict;

    if (!spdm_signing_prepare(input, &c->tr, &signer, by))
        return refuse(c, CRYPTO_FAILED, "the signature's input", 0, 0);
    verdict = spdm_signing_verify(&c->tr, &signer, input, &candidate);
    if (verdict != SPDM_GOOD) return refuse(c, BAD_SIGNATURE, "Signature R-SIG-10", 0, 0);
    if (candidate.reversed) c->facts.little_endian = true;
    if ((verdict ^ SPDM_BAD) != (SPDM_GOOD ^ SPDM_BAD)) return refuse(c, BAD_SIGNATURE, "Signature R-SIG-10", 0, 0);
    return SPDM_WHY_FINE;
}

static uint8_t check(struct conn *c, enum signed_by by, struct spdm_span signature)
{
    struct to_sign input;

    if (!spdm_transcript_digest(spdm_conn_transcript(c, by), spdm_conn_signed(by), input.digest)) {
        return refuse(c, CRYPTO_FAILED, "the transcript's digest", 0, 0);
    }
    return spdm_verify_signature(c, by, &input, signature);
}

/* A signature over nothing but VCA and this exchange: ENDPOINT_INFO. */
static uint8_t check_alone(struct conn *c, const struct exchange *x)
{
    struct exchange proven = {.request = x->request, .response = spdm_part(x->response, 0, x->signature_at)};
    struct to_sign input;

    if (!spdm_conn_exchange_digest(c, &proven, input.digest)) {
        return refuse(c, CRYPTO_FAILED, "the transcript's digest", 0, 0);
    }
    return spdm_verify_signature(c, SIGNED_ENDPOINT_INFO, &input,
                                 spdm_part(x->response, x->signature_at, x->response.n));
}

uint8_t spdm_verify_finish(struct conn *c, const struct verify_job *job, const struct exchange *x)
{
    size_t signature_at = x->signature_at;
    struct spdm_span proven = signature_at != 0 ? spdm_part(x->response, 0, signature_at) : x->response;
    uint8_t why = SPDM_WHY_FINE;

    if (!spdm_conn_enter(c, job->request, x->request) || !spdm_conn_enter(c, job->response, proven)) {
        return refuse(c, NO_ROOM, "the transcript VCA", x->request.n + x->response.n, c->tr.vca_max);
    }
    if (SPDM_WHOLE && signature_at != 0 && job->signed_by == SIGNED_ENDPOINT_INFO) {
        why = check_alone(c, x);
    } else if (signature_at != 0) {
        why = check(c, (enum signed_by)job->signed_by, spdm_part(x->response, signature_at, x->response.n));
        spdm_conn_reset_signed(c, (enum signed_by)job->signed_by); /* R-CHL-23, R-MEA-23 */
    }
    if (why == SPDM_WHY_FINE) job->learn(c, x);
    return why;
}
