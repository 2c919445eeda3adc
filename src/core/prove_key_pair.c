/* SPDX-License-Identifier: BSD-3-Clause
 *
 * KEY_PAIR_INFO and SET_KEY_PAIR_INFO as the prover answers them, from the key
 * pairs of the identity. Every rule that these decide is checked here; then the
 * caller is asked to do it. */
#include "core/responder_state.h"

/* The key pair with this id, NULL if there is none (withstand 59). */
static const struct spdm_key_pair *find(const struct spdm_responder *rs, uint8_t id)
{
    const struct spdm_identity *identity = rs->c.cfg->identity;

    return id >= 1 && id <= identity->key_pair_n ? &identity->key_pair[id - 1] : NULL;
}

static bool has_algorithm(const struct spdm_key_pair *p, enum spdm_alg signature)
{
    uint32_t bit = spdm_key_pair_bit(signature);

    return bit != 0 && (spdm_algorithm(signature)->cls == SPDM_CLASS_PQC ? p->pqc : p->asym) == bit;
}

uint8_t spdm_key_pair_of(const struct spdm_identity *id, uint32_t asym, uint32_t pqc, uint8_t slot)
{
    for (uint8_t i = 0; i < id->key_pair_n; i++) {
        const struct spdm_key_pair *p = &id->key_pair[i];

        if ((p->slots >> slot & 1) != 0 && p->asym == asym && p->pqc == pqc) return (uint8_t)(i + 1);
    }
    return 0;
}

const struct spdm_key_pair *spdm_slot_key_pair(const struct spdm_responder *rs, uint8_t slot)
{
    enum spdm_alg signature = (enum spdm_alg)rs->c.facts.signature;
    bool pqc = spdm_algorithm(signature)->cls == SPDM_CLASS_PQC;
    uint32_t bit = spdm_key_pair_bit(signature);

    return bit != 0 ? find(rs, spdm_key_pair_of(rs->c.cfg->identity, pqc ? 0 : bit, pqc ? bit : 0, slot)) : NULL;
}

const struct spdm_bank *spdm_bank_selected(const struct spdm_responder *rs)
{
    const struct spdm_identity *id = rs->c.cfg->identity;
    enum spdm_alg signature = (enum spdm_alg)rs->c.facts.signature;
    uint32_t bit = spdm_key_pair_bit(signature);

    for (uint8_t i = 0; bit != 0 && i < id->bank_n; i++) {
        if ((spdm_algorithm(signature)->cls == SPDM_CLASS_PQC ? id->bank[i].pqc : id->bank[i].asym) == bit) {
            return &id->bank[i];
        }
    }
    return NULL;
}

/* ---- KEY_PAIR_INFO ---- */

static uint8_t consider_info(struct spdm_responder *rs, const union spdm_body *req)
{
    uint8_t id = req->order.key_pair.id;

    return find(rs, id) != NULL ? SPDM_WHY_FINE : refuse(&rs->c, BAD_VALUE, "KeyPairID R-KPI-02", id, 0);
}

static uint8_t reply_info(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    struct spdm_key_pair *m = &rsp->key_pair;

    *m = *find(rs, req->order.key_pair.id);
    m->id = req->order.key_pair.id;
    m->total = rs->c.cfg->identity->key_pair_n;
    if ((rs->c.facts.responder.flags & SPDM_SET_KEY_PAIR_INFO_CAP) == 0) m->capabilities = 0;
    return SPDM_WHY_FINE;
}

const struct prove_job spdm_prove_key_pair_info = {.request = &spdm_message_GET_KEY_PAIR_INFO,
                                                   .response = &spdm_message_KEY_PAIR_INFO,
                                                   .consider = consider_info,
                                                   .reply = reply_info};

/* ---- SET_KEY_PAIR_INFO ---- */

/* A field may be changed with a capability and within what is possible. */
static uint8_t allowed(struct conn *c, const struct spdm_key_pair *p, const struct spdm_key_pair_change *q)
{
    bool algorithm = (q->asym | q->pqc) != 0;

    if (q->slots != p->slots && (p->capabilities & SPDM_KEY_PAIR_ASSOCIATE) == 0) {
        return refuse(c, BAD_VALUE, "DesiredAssocCertSlotMask R-SKP-05", q->slots, 0);
    }
    if (spdm_ones(q->slots) > 1 && (p->capabilities & SPDM_KEY_PAIR_SHARE) == 0) {
        return refuse(c, BAD_VALUE, "DesiredAssocCertSlotMask R-SKP-07", q->slots, 0);
    }
    if (q->usage != 0 && ((p->capabilities & SPDM_KEY_PAIR_USAGE) == 0 || (q->usage & ~p->usages) != 0)) {
        return refuse(c, BAD_VALUE, "DesiredKeyUsage R-SKP-06", q->usage, 0);
    }
    if (algorithm && (p->capabilities & SPDM_KEY_PAIR_ALGORITHM) == 0) {
        return refuse(c, BAD_VALUE, "DesiredAsymAlgo R-SKP-05", q->asym, 0);
    }
    if ((q->asym & ~p->asyms) != 0 || (q->pqc & ~p->pqcs) != 0) {
        return refuse(c, BAD_VALUE, "DesiredAsymAlgo R-SKP-06", q->asym | q->pqc, 0);
    }
    /* A key that was generated keeps its algorithm. */
    if (algorithm && q->operation == SPDM_KEY_PAIR_CHANGE && p->public_key_info.n != 0 && (p->asym | p->pqc) != 0 &&
        (q->asym != p->asym || q->pqc != p->pqc)) {
        return refuse(c, BAD_VALUE, "DesiredAsymAlgo", q->asym | q->pqc, 0);
    }
    return SPDM_WHY_FINE;
}

/* The bank with an algorithm, NULL if there is none. */
static const struct spdm_bank *bank_of(const struct spdm_identity *id, uint32_t asym, uint32_t pqc)
{
    for (uint8_t i = 0; i < id->bank_n; i++) {
        if (id->bank[i].asym == asym && id->bank[i].pqc == pqc) return &id->bank[i];
    }
    return NULL;
}

/* The slots that a key pair of this algorithm can have. */
static uint8_t slots_of(const struct spdm_responder *rs, uint32_t asym, uint32_t pqc)
{
    const struct spdm_identity *id = rs->c.cfg->identity;
    const struct spdm_bank *bank = bank_of(id, asym, pqc);

    if (id->bank_n == 0) return spdm_slots_supported(rs);
    return bank != NULL ? bank->slots : 0;
}

/* A slot of the key pair's present algorithm that holds certificates. */
static bool certified(const struct spdm_identity *id, const struct spdm_key_pair *p, uint8_t slot)
{
    const struct spdm_bank *bank = bank_of(id, p->asym, p->pqc);
    const struct spdm_slot *s = &id->slot[slot];

    if (id->bank_n != 0) return bank != NULL && bank->slot[slot].certificates.n != 0;
    return s->certificates.n != 0 && s->signs != NULL && has_algorithm(p, (enum spdm_alg)s->signs[0]);
}

/* The slots of a key pair belong to its algorithm: no other pair of that algorithm may have them (R-SKP-09), and none
 * that holds certificates is given up (S8). */
static uint8_t slots_free(struct spdm_responder *rs, const struct spdm_key_pair *p,
                          const struct spdm_key_pair_change *q)
{
    const struct spdm_identity *id = rs->c.cfg->identity;
    bool chosen = (q->asym | q->pqc) != 0;
    uint32_t asym = chosen ? q->asym : p->asym, pqc = chosen ? q->pqc : p->pqc;

    if ((q->slots & ~slots_of(rs, asym, pqc)) != 0) {
        return refuse(&rs->c, BAD_SLOT, "DesiredAssocCertSlotMask", q->slots, 0);
    }
    for (uint8_t i = 0; i < id->key_pair_n; i++) {
        const struct spdm_key_pair *other = &id->key_pair[i];

        if (other == p || other->asym != asym || other->pqc != pqc || (other->slots & q->slots) == 0) continue;
        return refuse(&rs->c, OPERATION_FAILED, "the key pair of that slot R-SKP-09", 0, 0);
    }
    for (uint8_t slot = 0; slot < SPDM_SLOT_N; slot++) {
        if (((p->slots & ~q->slots) >> slot & 1) != 0 && certified(id, p, slot)) {
            return refuse(&rs->c, OPERATION_FAILED, "a certificate chain in the slot", 0, 0);
        }
    }
    return SPDM_WHY_FINE;
}

static uint8_t consider_set(struct spdm_responder *rs, const union spdm_body *req)
{
    static const uint8_t needed[] = {0, SPDM_KEY_PAIR_ERASE, SPDM_KEY_PAIR_GENERATE};
    const struct spdm_key_pair_change *q = &req->order.key_pair_change;
    const struct spdm_key_pair *p = find(rs, q->id);
    struct conn *c = &rs->c;
    uint8_t why = SPDM_WHY_FINE;

    if (p == NULL) return refuse(c, BAD_VALUE, "KeyPairID R-KPI-02", q->id, 0);
    if ((p->capabilities & needed[q->operation]) != needed[q->operation]) {
        return refuse(c, BAD_VALUE, "Operation R-SKP-04", q->operation, 0);
    }
    if (q->operation != SPDM_KEY_PAIR_DO_ERASE) why = allowed(c, p, q);
    if (why != SPDM_WHY_FINE) return why;
    if (q->operation != SPDM_KEY_PAIR_CHANGE && p->slots != 0) {
        return refuse(c, OPERATION_FAILED, "a slot of the key pair R-SKP-08", 0, 0);
    }
    if (q->operation == SPDM_KEY_PAIR_DO_GENERATE && (q->asym | q->pqc | p->asym | p->pqc) == 0) {
        return refuse(c, OPERATION_FAILED, "a key pair without algorithm", 0, 0);
    }
    return q->operation != SPDM_KEY_PAIR_DO_ERASE ? slots_free(rs, p, q) : SPDM_WHY_FINE;
}

static uint8_t reply_nothing(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    (void)rs;
    (void)req;
    (void)rsp;
    return SPDM_WHY_FINE;
}

const struct prove_job spdm_prove_set_key_pair = {.request = &spdm_message_SET_KEY_PAIR_INFO,
                                                  .response = &spdm_message_SET_KEY_PAIR_INFO_ACK,
                                                  .asks = SPDM_ASK_KEY_PAIR,
                                                  .resets = SPDM_SET_KEY_PAIR_RESET_CAP,
                                                  .consider = consider_set,
                                                  .reply = reply_nothing};
