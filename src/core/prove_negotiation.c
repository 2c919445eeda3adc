/* SPDX-License-Identifier: BSD-3-Clause
 *
 * VERSION, CAPABILITIES, ALGORITHMS as the prover answers them: by policy, in
 * its own order of preference. No common algorithm is no error (R-ALG-40). */
#include "core/large.h"

/* ---- VERSION ---- */

static uint8_t consider_version(struct spdm_responder *rs, const union spdm_body *req)
{
    (void)rs;
    (void)req;
    return SPDM_WHY_FINE;
}

/* VersionNumberEntry: major and minor in the upper byte, update and alpha 0. Written where the walker puts them. */
static uint8_t reply_version(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    enum { ENTRIES_AT = 6 };
    const uint8_t *versions = rs->c.cfg->policy->versions;
    struct spdm_room at = spdm_room_from(spdm_responder_body(rs), ENTRIES_AT);
    size_t n = 0;

    (void)req;
    for (unsigned i = 0; i < sizeof rs->c.cfg->policy->versions && versions[i] != 0 && n + 2 <= at.n; i++) {
        if (spdm_edition(versions[i]) == NULL) continue;
        at.p[n++] = 0;
        at.p[n++] = versions[i];
    }
    rsp->version.entries = spdm_span(at.p, n);
    return SPDM_WHY_FINE;
}

static void sent_version(struct spdm_responder *rs)
{
    rs->c.phase = PHASE_VERSION;
}

const struct prove_job spdm_prove_version = {.request = &spdm_message_GET_VERSION,
                                             .response = &spdm_message_VERSION,
                                             .signed_by = SIGNED_NOT,
                                             .consider = consider_version,
                                             .reply = reply_version,
                                             .sent = sent_version};

/* ---- CAPABILITIES ---- */

static uint8_t consider_capabilities(struct spdm_responder *rs, const union spdm_body *req)
{
    struct conn *c = &rs->c;
    const struct capabilities *m = &req->capabilities;
    uint32_t flags = m->flags & c->ed->req_flags;
    bool chunks = (flags & SPDM_CHUNK_CAP) != 0;
    uint8_t why;

    if (m->with_algorithms && !chunks) return refuse(c, BAD_VALUE, "Param1 R-CAP-12", 1, 0);
    if (!spdm_capability_sizes(c, flags, m)) {
        return refuse(c, BAD_LENGTH, "MaxSPDMmsgSize R-CAP-10", m->max_message_size, m->data_transfer_size);
    }
    why = spdm_capability_judge_requester(c, flags);
    if (why != SPDM_WHY_FINE) return why;
    spdm_capability_learn(&c->facts.requester, m, c->ed->req_flags, 0);
    return SPDM_WHY_FINE;
}

/* R-CAP-14, R-CAP-15: without chunks of our own the SupportedAlgorithms block stays out, and bit 0 says so (LQ-07). */
static uint8_t reply_capabilities(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    struct conn *c = &rs->c;
    const struct spdm_policy *policy = c->cfg->policy;
    struct capabilities *m = &rsp->capabilities;

    spdm_capability_offer(c, policy->flags & c->ed->rsp_flags, m);
    m->ext_flags = policy->ext_flags & c->ed->rsp_ext_flags;
    m->with_algorithms = req->capabilities.with_algorithms && (m->flags & SPDM_CHUNK_CAP) != 0;
    if (SPDM_CHUNKS && m->with_algorithms) c->cfg->chunks->algorithms(c, &m->block);
    spdm_capability_learn(&c->facts.responder, m, c->ed->rsp_flags, c->ed->rsp_ext_flags);
    return SPDM_WHY_FINE;
}

static void sent_capabilities(struct spdm_responder *rs)
{
    rs->c.phase = PHASE_CAPABLE;
}

const struct prove_job spdm_prove_capabilities = {.request = &spdm_message_GET_CAPABILITIES,
                                                  .response = &spdm_message_CAPABILITIES,
                                                  .signed_by = SIGNED_NOT,
                                                  .consider = consider_capabilities,
                                                  .reply = reply_capabilities,
                                                  .sent = sent_capabilities};

/* ---- ALGORITHMS ---- */

/* MULTI_KEY_CAP 0 forbids ResponderMultiKeyConn, 1 demands it. */
static uint8_t consider_algorithms(struct spdm_responder *rs, const union spdm_body *req)
{
    struct conn *c = &rs->c;
    bool bit = (req->algorithms.other_params & 0x10) != 0;
    uint32_t cap = c->facts.responder.flags & SPDM_MULTI_KEY_CAP_MASK;

    if (c->ed->multi_key && bit && cap == 0) {
        return refuse(c, BAD_VALUE, "OtherParamsSupport R-MKY-04", req->algorithms.other_params, 0);
    }
    if (c->ed->multi_key && !bit && cap == SPDM_MULTI_KEY_CAP_ONLY) {
        return refuse(c, BAD_VALUE, "OtherParamsSupport R-MKY-03", req->algorithms.other_params, 0);
    }
    return SPDM_WHY_FINE;
}

/* Puts a selection into the field of its class. */
static void put(struct algorithms *m, uint8_t id, uint8_t version, uint16_t *field)
{
    (void)m;
    if (id != SPDM_ALG_NONE) *field = (uint16_t)spdm_algorithm_mask((enum spdm_alg)id, version);
}

/* Tables: only for a type that the request carried and the policy supports (LQ-03). */
static void select_tables(const struct spdm_responder *rs, const struct algorithms *offer, struct algorithms *m)
{
    const struct spdm_policy *p = rs->c.cfg->policy;
    uint8_t v = rs->c.ed->version, id;
    const uint16_t *t = offer->table;
    uint32_t exchange[2] = {t[ALG_TYPE_DHE], t[ALG_TYPE_KEM]}, aead[2] = {t[ALG_TYPE_AEAD], 0};
    uint32_t sign[2] = {t[ALG_TYPE_REQ_ASYM], t[ALG_TYPE_REQ_PQC]};

    id = spdm_select_first(p->exchanges, v, SPDM_CLASS_DHE, exchange);
    put(m, id, v, &m->table[spdm_algorithm((enum spdm_alg)id)->cls == SPDM_CLASS_KEM ? ALG_TYPE_KEM : ALG_TYPE_DHE]);
    put(m, spdm_select_first(p->aeads, v, SPDM_CLASS_AEAD, aead), v, &m->table[ALG_TYPE_AEAD]);
    id = spdm_select_first(p->req_signatures, v, SPDM_CLASS_ASYM, sign);
    put(m, id, v,
        &m->table[spdm_algorithm((enum spdm_alg)id)->cls == SPDM_CLASS_PQC ? ALG_TYPE_REQ_PQC : ALG_TYPE_REQ_ASYM]);
    if (p->aeads != NULL) m->table[ALG_TYPE_SCHEDULE] = t[ALG_TYPE_SCHEDULE] & 1;
    for (unsigned type = ALG_TYPE_DHE; type < ALG_TYPE_N; type++) {
        if ((offer->tables >> type & 1) != 0 && m->table[type] != 0) m->tables = (uint8_t)(m->tables | 1u << type);
    }
}

/* Whether the negotiated capabilities need a base hash and a signature of ours ("What must be negotiated"). */
static bool needs_crypto(const struct spdm_facts *f)
{
    uint32_t mine = SPDM_CERT_CAP | SPDM_CHAL_CAP | SPDM_MEAS_CAP_SIGNED;
    uint32_t req = f->requester.flags, rsp = f->responder.flags;
    bool psk = (req & SPDM_PSK_CAP_MASK) != 0 && (rsp & SPDM_PSK_CAP_MASK) != 0; /* with other bits on each side */

    return (rsp & mine) != 0 || (req & rsp & SPDM_KEY_EX_CAP) != 0 || psk;
}

static void select_signing(const struct spdm_responder *rs, const struct algorithms *offer, struct algorithms *m)
{
    const struct spdm_policy *p = rs->c.cfg->policy;
    uint8_t v = rs->c.ed->version;
    uint32_t hash[2] = {offer->hash, 0}, sign[2] = {offer->asym, offer->pqc_asym}, mask;
    enum spdm_alg id;

    if (!needs_crypto(&rs->c.facts)) return;
    id = (enum spdm_alg)spdm_select_first(p->hashes, v, SPDM_CLASS_HASH, hash);
    m->hash = spdm_algorithm_mask(id, v);
    id = (enum spdm_alg)spdm_select_first(p->signatures, v, SPDM_CLASS_ASYM, sign);
    mask = spdm_algorithm_mask(id, v);
    if (spdm_algorithm(id)->cls == SPDM_CLASS_PQC) m->pqc_asym = mask;
    else m->asym = mask;
}

static void select_measurements(const struct spdm_responder *rs, const struct algorithms *offer, struct algorithms *m)
{
    const struct spdm_policy *p = rs->c.cfg->policy;

    if ((rs->c.facts.responder.flags & SPDM_MEAS_CAP_MASK) == 0 || (offer->meas_spec & 1) == 0) return;
    m->meas_spec = 1;
    m->meas_hash =
        p->meas_hash == SPDM_RAW_ONLY ? 1 : spdm_algorithm_mask((enum spdm_alg)p->meas_hash, rs->c.ed->version) << 1;
}

static uint8_t reply_algorithms(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    const struct algorithms *offer = &req->algorithms;
    const struct spdm_policy *p = rs->c.cfg->policy;
    struct algorithms *m = &rsp->algorithms;
    uint8_t formats = offer->other_params & p->opaque_formats;

    select_measurements(rs, offer, m);
    select_signing(rs, offer, m);
    if (SPDM_SESSIONS) select_tables(rs, offer, m);
    if (p->mel && (rs->c.facts.responder.flags & SPDM_MEL_CAP) != 0) m->mel_spec = offer->mel_spec & 1;
    if (rs->c.ed->negotiates_opaque) m->other_params = (formats & 2) != 0 ? 2 : formats & 1;
    if ((rs->c.facts.requester.flags & SPDM_MULTI_KEY_CAP_ONLY) != 0) m->other_params |= 0x10;
    spdm_select_learn(&rs->c, offer, m); /* counts once it is negotiated */
    return SPDM_WHY_FINE;
}

/* Nothing is negotiated by an answer that could not be given. */
static void sent_algorithms(struct spdm_responder *rs)
{
    rs->c.facts.negotiated = true;
    rs->c.after_vca = true;
    rs->c.phase = PHASE_NEGOTIATED;
}

const struct prove_job spdm_prove_algorithms = {.request = &spdm_message_NEGOTIATE_ALGORITHMS,
                                                .response = &spdm_message_ALGORITHMS,
                                                .signed_by = SIGNED_NOT,
                                                .consider = consider_algorithms,
                                                .reply = reply_algorithms,
                                                .sent = sent_algorithms};
