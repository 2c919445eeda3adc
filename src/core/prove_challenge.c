/* SPDX-License-Identifier: BSD-3-Clause
 *
 * CHALLENGE_AUTH as the prover builds it: digest of the slot, fresh nonce,
 * measurement summary if asked for; the signature is the caller's. */
#include "core/mutual.h"
#include "core/opaque.h"

enum { BASIC_MUT_AUTH = 0x80 };

static uint8_t consider_challenge(struct spdm_responder *rs, const union spdm_body *req)
{
    const struct challenge *q = &req->challenge;
    struct conn *c = &rs->c;

    if (c->facts.hash == SPDM_ALG_NONE || c->facts.signature == SPDM_ALG_NONE) {
        return refuse(c, NO_SELECTION, "a base hash and a signature algorithm", 0, 0);
    }
    if (!spdm_slot_usable(rs, q->slot)) return refuse(c, BAD_SLOT, "SlotID R-CHL-03", q->slot, 0);
    if (!spdm_slot_allows(rs, q->slot, SPDM_USE_CHALLENGE)) {
        return refuse(c, BAD_VALUE, "SlotID R-CHL-08", q->slot, 0);
    }
    if (q->summary != 0 && (c->facts.meas_spec == 0 || c->facts.meas_hash == SPDM_ALG_NONE)) {
        return refuse(c, BAD_VALUE, "MeasurementSummaryHashType R-CHL-05", q->summary, 0);
    }
    rs->need = q->summary != 0 ? SPDM_ASK_MEASURE : SPDM_NOTHING;
    c->facts.slot = q->slot;
    return SPDM_WHY_FINE;
}

/* Basic mutual authentication follows if policy asks for it and the connection allows it (deprecated from 1.2 on). */
static bool wants_mutual(const struct spdm_responder *rs)
{
    return spdm_responder_inner(rs) != NULL && rs->c.cfg->policy->basic_mut_auth && rs->c.cfg->mutual->possible(rs, 0);
}

/* As the response says: what is possible may have changed while it was signed. */
static void sent_challenge(struct spdm_responder *rs)
{
    if (spdm_responder_inner(rs) != NULL && (spdm_responder_body(rs).p[2] & BASIC_MUT_AUTH) != 0)
        rs->c.cfg->mutual->arm(rs, NULL, 0);
}

static uint8_t reply_challenge(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    const struct challenge *q = &req->challenge;
    struct challenge_auth *m = &rsp->challenge_auth;
    const struct spdm_config *cfg = rs->c.cfg;
    size_t h = spdm_conn_hash_size(&rs->c);
    uint8_t why = SPDM_WHY_FINE, *hash = rs->to_sign.prefix, *summary = rs->to_sign.digest; /* free until signing */

    if (!spdm_slot_digest(rs, q->slot, hash)) return refuse(&rs->c, CRYPTO_FAILED, "CertChainHash", 0, 0);
    if (!cfg->crypto->random(cfg->crypto_ctx, rs->nonce, NONCE_BYTES)) {
        return refuse(&rs->c, RANDOM_FAILED, NULL, 0, 0);
    }
    if (q->summary != 0) why = spdm_measurement_summary(rs, q->summary, summary);
    m->slot = spdm_slot_nibble(q->slot);
    m->basic_mut_auth = wants_mutual(rs);
    if (q->slot != SPDM_SLOT_KEY) m->slot_mask = spdm_slots_usable(rs); /* R-CHL-11 */
    m->chain_hash = spdm_span(hash, h);
    m->nonce = spdm_span(rs->nonce, NONCE_BYTES);
    m->summary = spdm_span(summary, q->summary != 0 ? h : 0);
    if (SPDM_WHOLE) m->opaque = spdm_opaque_say(&rs->c, CODE_CHALLENGE_AUTH);
    m->context = q->context;
    return why;
}

const struct prove_job spdm_prove_challenge = {.request = &spdm_message_CHALLENGE,
                                               .response = &spdm_message_CHALLENGE_AUTH,
                                               .signed_by = SIGNED_CHALLENGE_AUTH,
                                               .consider = consider_challenge,
                                               .reply = reply_challenge,
                                               .sent = sent_challenge};
