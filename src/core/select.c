/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From ordered lists of algorithms to wire masks and back. */
#include "core/conn.h"

uint32_t spdm_select_mask(const uint8_t *list, enum spdm_class cls, uint8_t version)
{
    uint32_t mask = 0;

    for (size_t i = 0; list != NULL && list[i] != 0; i++) {
        enum spdm_alg id = (enum spdm_alg)list[i];

        if (spdm_algorithm(id)->cls == (uint8_t)cls) mask |= spdm_algorithm_mask(id, version);
    }
    return mask;
}

uint8_t spdm_select_first(const uint8_t *list, uint8_t version, enum spdm_class cls, const uint32_t mask[2])
{
    for (size_t i = 0; list != NULL && list[i] != 0; i++) {
        enum spdm_alg id = (enum spdm_alg)list[i];
        uint32_t offered = mask[spdm_algorithm(id)->cls == (uint8_t)cls ? 0 : 1];

        if ((spdm_algorithm_mask(id, version) & offered) != 0) return list[i];
    }
    return SPDM_ALG_NONE;
}

/* A table goes out only for a type we support (R-ALG-16). */
static void table(struct algorithms *m, unsigned type, uint32_t mask)
{
    if (mask == 0) return;
    m->table[type] = (uint16_t)mask;
    m->tables = (uint8_t)(m->tables | 1u << type);
}

/* The tables came with the key schedule, in 1.1; 1.0 has no room for one (R-ALG-05). */
static void offer_tables(struct algorithms *m, const struct spdm_policy *p, uint8_t version)
{
    if (spdm_algorithm_mask(SPDM_KEY_SCHEDULE, version) == 0) return;
    table(m, ALG_TYPE_DHE, spdm_select_mask(p->exchanges, SPDM_CLASS_DHE, version));
    table(m, ALG_TYPE_AEAD, spdm_select_mask(p->aeads, SPDM_CLASS_AEAD, version));
    table(m, ALG_TYPE_REQ_ASYM, spdm_select_mask(p->req_signatures, SPDM_CLASS_ASYM, version));
    if (p->aeads != NULL) table(m, ALG_TYPE_SCHEDULE, spdm_algorithm_mask(SPDM_KEY_SCHEDULE, version));
    table(m, ALG_TYPE_REQ_PQC, spdm_select_mask(p->req_signatures, SPDM_CLASS_PQC, version));
    table(m, ALG_TYPE_KEM, spdm_select_mask(p->exchanges, SPDM_CLASS_KEM, version));
}

void spdm_select_offer(const struct conn *c, struct algorithms *m)
{
    const struct spdm_policy *p = c->cfg->policy;
    uint8_t version = c->ed->version;

    m->meas_spec = 1;
    m->mel_spec = p->mel;
    m->asym = spdm_select_mask(p->signatures, SPDM_CLASS_ASYM, version);
    m->hash = spdm_select_mask(p->hashes, SPDM_CLASS_HASH, version);
    m->pqc_asym = spdm_select_mask(p->signatures, SPDM_CLASS_PQC, version);
    if (c->ed->negotiates_opaque) m->other_params = p->opaque_formats;
    if (SPDM_SESSIONS) offer_tables(m, p, version);
}

/* The one algorithm of two fields that exclude each other. */
static uint8_t either(enum spdm_class a, uint32_t mask_a, enum spdm_class b, uint32_t mask_b)
{
    enum spdm_alg first = spdm_algorithm_of(a, mask_a, SPDM_V14);

    return (uint8_t)(first != SPDM_ALG_NONE ? first : spdm_algorithm_of(b, mask_b, SPDM_V14));
}

/* What only sessions and mutual authentication use. */
static void learn_tables(struct spdm_facts *f, const uint16_t *t)
{
    f->exchange = either(SPDM_CLASS_DHE, t[ALG_TYPE_DHE], SPDM_CLASS_KEM, t[ALG_TYPE_KEM]);
    f->aead = (uint8_t)spdm_algorithm_of(SPDM_CLASS_AEAD, t[ALG_TYPE_AEAD], SPDM_V14);
    f->req_signature = either(SPDM_CLASS_ASYM, t[ALG_TYPE_REQ_ASYM], SPDM_CLASS_PQC, t[ALG_TYPE_REQ_PQC]);
    f->schedule = (uint8_t)spdm_algorithm_of(SPDM_CLASS_SCHEDULE, t[ALG_TYPE_SCHEDULE], SPDM_V14);
}

void spdm_select_learn(struct conn *c, const struct algorithms *offer, const struct algorithms *chosen)
{
    struct spdm_facts *f = &c->facts;

    if (SPDM_SESSIONS) learn_tables(f, chosen->table);
    f->hash = (uint8_t)spdm_algorithm_of(SPDM_CLASS_HASH, chosen->hash, SPDM_V14);
    f->signature = either(SPDM_CLASS_ASYM, chosen->asym, SPDM_CLASS_PQC, chosen->pqc_asym);
    /* MeasurementHashAlgo: bit 0 is "raw only", the others are the base hashes' bits, one higher. */
    f->meas_hash = chosen->meas_hash == 1
                       ? SPDM_RAW_ONLY
                       : (uint8_t)spdm_algorithm_of(SPDM_CLASS_HASH, chosen->meas_hash >> 1, SPDM_V14);
    f->meas_spec = chosen->meas_spec;
    f->mel_spec = chosen->mel_spec;
    f->opaque_format = chosen->other_params & 0x0f;
    /* Below 1.3 bit 4 is reserved (R-GEN-02). */
    f->multi_key_rsp = c->ed->multi_key && (offer->other_params & 0x10) != 0;
    f->multi_key_req = c->ed->multi_key && (chosen->other_params & 0x10) != 0;
}
