/* SPDX-License-Identifier: BSD-3-Clause
 *
 * VERSION, CAPABILITIES, ALGORITHMS as the asker sees them: ask for what the
 * policy allows, refuse what was not offered, learn the rest. */
#include "core/requester_state.h"

/* ---- VERSION ---- */

static uint8_t fill_version(struct spdm_requester *rq, union spdm_body *req)
{
    (void)req;
    spdm_conn_restart(&rq->c); /* R-ORD-13: sending GET_VERSION forgets everything */
    rq->retried = false;
    return SPDM_WHY_FINE;
}

/* Versions of the peer as a mask of minor digits; alpha and update digits do not matter (R-VSN-03). */
static uint8_t offered(struct spdm_span entries)
{
    uint8_t mask = 0;

    for (size_t i = 0; i + 1 < entries.n; i += 2) {
        uint8_t version = entries.p[i + 1]; /* little endian: major and minor are the upper byte */

        if (version >> 4 == 1 && (version & 0x0f) < 8) mask = (uint8_t)(mask | 1u << (version & 0x0f));
    }
    return mask;
}

/* The first of our list that the peer has. */
static uint8_t choose(const struct conn *c, uint8_t mask)
{
    for (unsigned i = 0; i < sizeof c->cfg->policy->versions; i++) {
        uint8_t version = c->cfg->policy->versions[i];

        if (version == 0) break;
        if ((mask >> (version & 0x0f) & 1) != 0 && spdm_conn_speaks(c, version)) return version;
    }
    return 0;
}

static uint8_t judge_version(struct conn *c, const struct exchange *x)
{
    return choose(c, offered(x->rsp.version.entries)) != 0 ? SPDM_WHY_FINE : refuse(c, NO_VERSION, NULL, 0, 0);
}

static void learn_version(struct conn *c, const struct exchange *x)
{
    uint8_t mask = offered(x->rsp.version.entries);

    (void)spdm_conn_version(c, choose(c, mask));
    c->facts.peer_versions = mask;
    c->phase = PHASE_VERSION;
}

const struct verify_job spdm_verify_version = {.request = &spdm_message_GET_VERSION,
                                               .response = &spdm_message_VERSION,
                                               .signed_by = SIGNED_NOT,
                                               .fill = fill_version,
                                               .judge = judge_version,
                                               .learn = learn_version};

/* ---- CAPABILITIES ---- */

static uint8_t fill_capabilities(struct spdm_requester *rq, union spdm_body *req)
{
    const struct conn *c = &rq->c;
    const struct spdm_policy *policy = c->cfg->policy;
    struct capabilities *m = &req->capabilities;

    spdm_capability_offer(c, policy->flags & c->ed->req_flags, m);
    m->with_algorithms = policy->want_algorithms && (m->flags & SPDM_CHUNK_CAP) != 0 && c->ed->algorithm_block;
    return SPDM_WHY_FINE;
}

static uint8_t judge_capabilities(struct conn *c, const struct exchange *x)
{
    const struct capabilities *m = &x->rsp.capabilities;
    uint32_t flags = m->flags & c->ed->rsp_flags;

    if (m->with_algorithms && !x->req.capabilities.with_algorithms) {
        return refuse(c, BAD_VALUE, "Param1 R-CAP-15", 1, 0);
    }
    if (!spdm_capability_sizes(c, flags, m)) {
        return refuse(c, BAD_LENGTH, "MaxSPDMmsgSize R-CAP-11", m->max_message_size, m->data_transfer_size);
    }
    return spdm_capability_judge_responder(c, flags);
}

static void learn_capabilities(struct conn *c, const struct exchange *x)
{
    spdm_capability_learn(&c->facts.requester, &x->req.capabilities, c->ed->req_flags, 0);
    spdm_capability_learn(&c->facts.responder, &x->rsp.capabilities, c->ed->rsp_flags, c->ed->rsp_ext_flags);
    c->phase = PHASE_CAPABLE;
}

const struct verify_job spdm_verify_capabilities = {.request = &spdm_message_GET_CAPABILITIES,
                                                    .response = &spdm_message_CAPABILITIES,
                                                    .signed_by = SIGNED_NOT,
                                                    .fill = fill_capabilities,
                                                    .judge = judge_capabilities,
                                                    .learn = learn_capabilities};

/* ---- ALGORITHMS ---- */

enum { MULTI_KEY = 0x10 };

/* MULTI_KEY_CAP 1 needs the bit, 2 leaves it to us, 0 forbids it (algorithms.md, "Multi-key negotiation"). */
static bool multi_key(const struct conn *c)
{
    uint32_t cap = c->facts.responder.flags & SPDM_MULTI_KEY_CAP_MASK;

    return cap == SPDM_MULTI_KEY_CAP_ONLY || (cap == SPDM_MULTI_KEY_CAP_NEG && c->cfg->policy->multi_key);
}

static uint8_t fill_algorithms(struct spdm_requester *rq, union spdm_body *req)
{
    spdm_select_offer(&rq->c, &req->algorithms);
    if (multi_key(&rq->c)) req->algorithms.other_params |= MULTI_KEY;
    return SPDM_WHY_FINE;
}

/* Every selection lies within the offer (R-ALG-27), classic and post-quantum exclude each other. */
static uint8_t judge_selection(struct conn *c, const struct algorithms *offer, const struct algorithms *m)
{
    if ((m->asym & ~offer->asym) != 0) return refuse(c, NOT_OFFERED, "BaseAsymSel R-ALG-27", m->asym, offer->asym);
    if ((m->hash & ~offer->hash) != 0) return refuse(c, NOT_OFFERED, "BaseHashSel R-ALG-27", m->hash, offer->hash);
    if ((m->pqc_asym & ~offer->pqc_asym) != 0) {
        return refuse(c, NOT_OFFERED, "PqcAsymSel R-ALG-27", m->pqc_asym, offer->pqc_asym);
    }
    if (m->asym != 0 && m->pqc_asym != 0) return refuse(c, NOT_ONE, "PqcAsymSel", m->pqc_asym, 0);
    for (unsigned type = ALG_TYPE_DHE; type < ALG_TYPE_N; type++) {
        if ((m->table[type] & ~offer->table[type]) != 0) {
            return refuse(c, NOT_OFFERED, "AlgSupported R-ALG-27", m->table[type], offer->table[type]);
        }
    }
    if (m->table[ALG_TYPE_DHE] != 0 && m->table[ALG_TYPE_KEM] != 0) {
        return refuse(c, NOT_ONE, "KEMAlg", m->table[ALG_TYPE_KEM], 0);
    }
    if (m->table[ALG_TYPE_REQ_ASYM] != 0 && m->table[ALG_TYPE_REQ_PQC] != 0) {
        return refuse(c, NOT_ONE, "ReqPqcAsymAlg", m->table[ALG_TYPE_REQ_PQC], 0);
    }
    return SPDM_WHY_FINE;
}

static uint8_t judge_algorithms(struct conn *c, const struct exchange *x)
{
    const struct algorithms *offer = &x->req.algorithms, *m = &x->rsp.algorithms;
    uint32_t multi_key = c->facts.requester.flags & SPDM_MULTI_KEY_CAP_MASK;
    bool selected = c->ed->multi_key && (m->other_params & 0x10) != 0;
    uint8_t why = judge_selection(c, offer, m);

    if (why != SPDM_WHY_FINE) return why;
    if ((m->meas_spec & ~offer->meas_spec) != 0) {
        return refuse(c, NOT_OFFERED, "MeasurementSpecificationSel R-ALG-28", m->meas_spec, offer->meas_spec);
    }
    if ((m->mel_spec & ~offer->mel_spec) != 0) {
        return refuse(c, NOT_OFFERED, "MELspecificationSel R-ALG-34", m->mel_spec, offer->mel_spec);
    }
    if ((m->other_params & 0x0f & ~offer->other_params) != 0) {
        return refuse(c, NOT_OFFERED, "OtherParamsSelection R-ALG-29", m->other_params, offer->other_params);
    }
    if (selected ? multi_key == 0 : multi_key == SPDM_MULTI_KEY_CAP_ONLY) {
        return refuse(c, BAD_VALUE, "OtherParamsSelection R-MKY-07", m->other_params, 0);
    }
    if (m->meas_spec != 0 && (c->facts.responder.flags & SPDM_MEAS_CAP_MASK) != 0 && m->meas_hash == 0) {
        return refuse(c, BAD_VALUE, "MeasurementHashAlgo R-ALG-30", 0, 0);
    }
    return SPDM_WHY_FINE;
}

static void learn_algorithms(struct conn *c, const struct exchange *x)
{
    spdm_select_learn(c, &x->req.algorithms, &x->rsp.algorithms);
    c->facts.negotiated = true;
    c->facts.slot = SPDM_SLOT_KEY;
    c->after_vca = true;
    c->phase = PHASE_NEGOTIATED;
}

static uint8_t after_algorithms(struct spdm_requester *rq, const struct exchange *x)
{
    (void)x;
    spdm_requester_vouch(rq);
    spdm_requester_tell(rq, SPDM_CONNECTED);
    return SPDM_WHY_FINE;
}

const struct verify_job spdm_verify_algorithms = {.request = &spdm_message_NEGOTIATE_ALGORITHMS,
                                                  .response = &spdm_message_ALGORITHMS,
                                                  .signed_by = SIGNED_NOT,
                                                  .fill = fill_algorithms,
                                                  .judge = judge_algorithms,
                                                  .learn = learn_algorithms,
                                                  .after = after_algorithms};
