/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SLOT_MANAGEMENT as the prover answers it (slot-management.md). Reading is
 * answered from the banks of the identity; what changes something becomes the
 * question that the older request of the kind asks, with its bank. */
#include "core/responder_state.h"
#include "wire/walkers.h"

enum { HEAD = 8, WHOLE_HEAD = 8, LENGTH = 4, SUB_CODES = 36 };

static const struct spdm_bank *bank_at(const struct spdm_responder *rs, uint8_t id)
{
    const struct spdm_identity *identity = rs->c.cfg->identity;

    return id < identity->bank_n ? &identity->bank[id] : NULL;
}

/* SubCodes that we serve: the four that everybody must, and by policy the others (V1). */
static uint64_t served(const struct spdm_responder *rs)
{
    static const uint8_t optional[] = {SPDM_SLOTS_CSR, SPDM_SLOTS_BANK, SPDM_SLOTS_ERASE, SPDM_SLOTS_STORE};
    uint64_t mask = 0x0f;

    for (unsigned i = 0; i < sizeof optional; i++) {
        if ((rs->c.cfg->policy->slot_management >> i & 1) != 0) mask |= (uint64_t)1 << optional[i];
    }
    return mask;
}

/* ---- what may be asked ---- */

/* Slots 1 to 7 and banks change in a session or in a trusted place only. */
static uint8_t allowed_here(struct spdm_responder *rs, uint8_t slot)
{
    if (slot == 0 || spdm_conn_channel(&rs->c) != NULL || rs->c.cfg->policy->trusted_place) return SPDM_WHY_FINE;
    return refuse(&rs->c, NOT_NOW, "R-SCT-07", 0, 0);
}

/* The bits of a bank that no other bank has now. */
static uint32_t available(const struct spdm_identity *id, const struct spdm_bank *bank, bool pqc)
{
    uint32_t mask = !bank->configurable ? 0 : pqc ? bank->pqcs : bank->asyms;

    for (uint8_t i = 0; i < id->bank_n; i++) {
        if (&id->bank[i] != bank) mask &= ~(pqc ? id->bank[i].pqc : id->bank[i].asym);
    }
    return mask;
}

/* One algorithm (S4), free, and for another one than now no certificates (S5). */
static uint8_t consider_bank(struct spdm_responder *rs, const struct spdm_slots_order *q, const struct spdm_bank *bank)
{
    const struct spdm_identity *id = rs->c.cfg->identity;
    struct conn *c = &rs->c;
    uint8_t why = allowed_here(rs, SPDM_SLOT_N);

    if (why != SPDM_WHY_FINE) return why;
    if ((q->asym | q->pqc) == 0) return refuse(c, BAD_VALUE, "SelectAsymAlgo", 0, 0);
    if ((q->asym & ~available(id, bank, false)) != 0 || (q->pqc & ~available(id, bank, true)) != 0) {
        return refuse(c, BAD_VALUE, "SelectAsymAlgo", q->asym | q->pqc, 0);
    }
    if (q->asym == bank->asym && q->pqc == bank->pqc) return SPDM_WHY_FINE;
    for (unsigned slot = 0; slot < SPDM_SLOT_N; slot++) {
        if (bank->slot[slot].certificates.n != 0) return refuse(c, INVALID_STATE, "a certificate in the bank", 0, 0);
    }
    return SPDM_WHY_FINE;
}

static uint8_t writable(struct spdm_responder *rs, const struct spdm_slots_order *q, const struct spdm_bank *bank)
{
    uint8_t why = allowed_here(rs, q->slot);

    if (why != SPDM_WHY_FINE) return why;
    if ((bank->modifiable & ~bank->protected) >> q->slot & 1) return SPDM_WHY_FINE;
    return refuse(&rs->c, BAD_SLOT, "SlotID, which cannot be modified,", q->slot, 0); /* S14 */
}

static uint8_t consider_store(struct spdm_responder *rs, const struct spdm_slots_order *q, const struct spdm_bank *bank)
{
    const struct spdm_identity *id = rs->c.cfg->identity;
    uint8_t why = spdm_provision_whose(rs, q->key_pair, q->model, false);

    if (why == SPDM_WHY_FINE) why = writable(rs, q, bank);
    if (why != SPDM_WHY_FINE) return why;
    if (q->key_pair != 0 && id->key_pair_n != 0 && /* reading B (S7) */
        spdm_key_pair_of(id, bank->asym, bank->pqc, q->slot) != q->key_pair) {
        return refuse(&rs->c, BAD_VALUE, "KeyPairID", q->key_pair, 0);
    }
    return spdm_provision_chain(&rs->c, q->chain);
}

/* In a multi-key connection the key pair is of the bank's algorithm (S10). */
static uint8_t consider_csr(struct spdm_responder *rs, const struct spdm_slots_order *q, const struct spdm_bank *bank)
{
    const struct spdm_csr_order order = {
        .key_pair = q->key_pair, .model = q->model, .tag = q->tag, .overwrite = q->overwrite, .info = q->info};
    const struct spdm_identity *id = rs->c.cfg->identity;
    uint8_t why = spdm_provision_csr(rs, &order);
    const struct spdm_key_pair *p;

    if (why != SPDM_WHY_FINE || q->key_pair == 0 || id->key_pair_n == 0) return why;
    p = &id->key_pair[q->key_pair - 1];
    return p->asym == bank->asym && p->pqc == bank->pqc ? SPDM_WHY_FINE
                                                        : refuse(&rs->c, BAD_VALUE, "BankID", q->bank, 0);
}

static uint8_t consider_addressed(struct spdm_responder *rs, const struct spdm_slots_order *q)
{
    const struct spdm_bank *bank = bank_at(rs, q->bank);
    struct conn *c = &rs->c;
    uint8_t why;

    if (bank == NULL) return refuse(c, BAD_VALUE, "BankID", q->bank, 0);
    if (q->sub_code == SPDM_SLOTS_DETAILS) return SPDM_WHY_FINE;
    if (q->sub_code == SPDM_SLOTS_CSR) return consider_csr(rs, q, bank);
    if (q->sub_code == SPDM_SLOTS_BANK) return consider_bank(rs, q, bank);
    if (q->slot >= SPDM_SLOT_N || (bank->slots >> q->slot & 1) == 0) return refuse(c, BAD_SLOT, "SlotID", q->slot, 0);
    if (q->sub_code == SPDM_SLOTS_STORE) return consider_store(rs, q, bank);
    why = q->sub_code == SPDM_SLOTS_ERASE ? writable(rs, q, bank) : SPDM_WHY_FINE;
    if (why != SPDM_WHY_FINE || bank->slot[q->slot].certificates.n != 0) return why;
    return refuse(c, BAD_SLOT, "SlotID", q->slot, 0); /* nothing to read, nothing to erase */
}

/* What is defined but not served is unsupported, what is not defined is invalid. */
static uint8_t consider_slots(struct spdm_responder *rs, const union spdm_body *req)
{
    const struct spdm_slots_order *q = &req->slot_management.order;
    bool defined = q->sub_code <= SPDM_SLOTS_CSR || (q->sub_code >= SPDM_SLOTS_BANK && q->sub_code <= SPDM_SLOTS_STORE);

    if ((rs->c.facts.responder.ext_flags & SPDM_SLOT_MGMT_CAP) == 0) {
        return refuse(&rs->c, UNSUPPORTED, "SLOT_MGMT_CAP", 0, 0);
    }
    if (!defined) return refuse(&rs->c, BAD_VALUE, "SubCode", q->sub_code, 0);
    if ((served(rs) >> q->sub_code & 1) == 0) return refuse(&rs->c, UNSUPPORTED, "the SubCode", q->sub_code, 0);
    if (rs->c.facts.hash == SPDM_ALG_NONE) return refuse(&rs->c, NO_SELECTION, "a base hash", 0, 0);
    return q->sub_code <= SPDM_SLOTS_BANKS ? SPDM_WHY_FINE : consider_addressed(rs, q);
}

/* The question: the one that GET_CSR and SET_CERTIFICATE ask, one of its own for banks, none for who only reads. A bank
 * that is to stay as it is has been configured. */
static void pose(struct spdm_responder *rs)
{
    const struct spdm_slots_order q = rs->order.slot_management.order;
    const struct spdm_bank *bank = bank_at(rs, q.bank);

    switch (q.sub_code) {
    case SPDM_SLOTS_CSR:
        rs->need = SPDM_ASK_CSR;
        rs->order.order.csr = (struct spdm_csr_order){.key_pair = q.key_pair,
                                                      .model = q.model,
                                                      .tag = q.tag,
                                                      .bank = q.bank,
                                                      .overwrite = q.overwrite,
                                                      .info = q.info,
                                                      .opaque = q.opaque};
        break;
    case SPDM_SLOTS_BANK:
        rs->need = q.asym == bank->asym && q.pqc == bank->pqc ? SPDM_NOTHING : SPDM_ASK_BANK;
        rs->order.order.slots = q;
        break;
    case SPDM_SLOTS_ERASE:
    case SPDM_SLOTS_STORE:
        rs->need = SPDM_ASK_STORE;
        rs->order.order.store = (struct spdm_store_order){.slot = q.slot,
                                                          .bank = q.bank,
                                                          .key_pair = q.key_pair,
                                                          .model = q.model,
                                                          .erase = q.sub_code == SPDM_SLOTS_ERASE,
                                                          .chain = spdm_provision_trim(&rs->c, q.chain)};
        break;
    default: rs->need = SPDM_NOTHING;
    }
}

/* ---- answers, written where the walker puts the structure ---- */

/* The size that the structure has, also where the room is too small for it. */
static size_t put_sub_codes(const struct spdm_responder *rs, struct io *io)
{
    uint64_t mask = served(rs);

    (void)spdm_io_number(io, SUB_CODES, 2);
    spdm_io_zero(io, 2);
    (void)spdm_io_number(io, (uint32_t)mask, 4);
    (void)spdm_io_number(io, (uint32_t)(mask >> 32), 4);
    spdm_io_zero(io, SUB_CODES - 12);
    return SUB_CODES;
}

static size_t put_banks(const struct spdm_responder *rs, struct io *io)
{
    const struct spdm_identity *id = rs->c.cfg->identity;
    uint8_t n = id->bank != NULL ? id->bank_n : 0;

    (void)spdm_io_number(io, WHOLE_HEAD + 4u * n, 2);
    spdm_io_zero(io, 2);
    (void)spdm_io_number(io, n, 1);
    spdm_io_zero(io, 3);
    for (uint8_t i = 0; i < n; i++) {
        struct spdm_bank_element e = {.bank = i,
                                      .slots = id->bank[i].slots,
                                      .modifiable =
                                          id->bank[i].modifiable & ~id->bank[i].protected & id->bank[i].slots};

        spdm_walk_bank_element(io, &e);
    }
    return WHOLE_HEAD + (size_t)4 * id->bank_n;
}

/* A slot that exists, whatever is in it (states 2 to 4). Key pair and model are for multi-key connections (S12). */
static bool put_slot(const struct spdm_responder *rs, struct io *io, const struct spdm_bank *bank, uint8_t slot)
{
    const struct spdm_identity *id = rs->c.cfg->identity;
    const struct spdm_slot *s = &bank->slot[slot];
    uint8_t pair = spdm_key_pair_of(id, bank->asym, bank->pqc, slot), digest[SPDM_HASH_MAX] = {0};
    bool multi = rs->c.facts.multi_key_rsp, there = s->certificates.n != 0;
    struct spdm_bank_slot m = {.slot = slot,
                               .provisioned = there,
                               .protected = (bank->protected >> slot & 1) != 0,
                               .model = multi && there ? s->model : 0,
                               .key_pair = multi ? pair : 0,
                               .usage = pair != 0 ? id->key_pair[pair - 1].usage : s->usage,
                               .size = bank->slot_size,
                               .digest = spdm_span(digest, spdm_conn_hash_size(&rs->c))};

    if (there && !spdm_chain_digest(rs, s, digest)) return false;
    spdm_walk_bank_slot(io, &m);
    return true;
}

static size_t put_details(const struct spdm_responder *rs, struct io *io, uint8_t id)
{
    enum { FIXED = 39, SLOT = 16 };
    const struct spdm_identity *identity = rs->c.cfg->identity;
    const struct spdm_bank *bank = bank_at(rs, id);
    uint16_t n = (uint16_t)spdm_ones(bank->slots);
    const size_t size = FIXED + n * (SLOT + spdm_conn_hash_size(&rs->c));
    uint16_t length = (uint16_t)size;
    struct spdm_bank_details m = {.bank = id,
                                  .selected = bank == spdm_bank_selected(rs),
                                  .configurable = bank->configurable,
                                  .asyms = bank->configurable ? bank->asyms : 0,
                                  .asym = bank->asym,
                                  .asyms_free = available(identity, bank, false),
                                  .pqcs = bank->configurable ? bank->pqcs : 0,
                                  .pqc = bank->pqc,
                                  .pqcs_free = available(identity, bank, true)};

    spdm_walk_bank_details(io, &m, &length, &n);
    for (uint8_t slot = 0; slot < SPDM_SLOT_N; slot++) {
        if ((bank->slots >> slot & 1) != 0 && !put_slot(rs, io, bank, slot)) return 0;
    }
    return size;
}

/* A length of four bytes, four reserved ones, and n bytes that follow. */
static size_t put_whole(struct io *io, size_t n)
{
    (void)spdm_io_number(io, (uint32_t)n, LENGTH);
    spdm_io_zero(io, WHOLE_HEAD - LENGTH);
    return WHOLE_HEAD + n;
}

/* The size of the structure, whether it fits or not; 0: hashing failed. */
static size_t put(const struct spdm_responder *rs, struct spdm_room room, const struct spdm_slots_order *q)
{
    struct io io = {.sh.ver = rs->c.ed->version, .wr = room, .end = room.n};
    const struct spdm_bank *bank = bank_at(rs, q->bank);
    const struct spdm_slot *slot = bank != NULL ? &bank->slot[q->slot & 7] : NULL;
    struct spdm_room behind = spdm_room_from(room, WHOLE_HEAD);

    switch (q->sub_code) {
    case SPDM_SLOTS_SUPPORTED: return put_sub_codes(rs, &io);
    case SPDM_SLOTS_BANKS: return put_banks(rs, &io);
    case SPDM_SLOTS_DETAILS: return put_details(rs, &io, q->bank);
    case SPDM_SLOTS_CHAIN:
        if (behind.n > spdm_chain_size(rs, slot)) behind.n = spdm_chain_size(rs, slot);
        return spdm_chain_copy(rs, slot, behind, 0) ? put_whole(&io, spdm_chain_size(rs, slot)) : 0;
    default: (void)spdm_put(behind, rs->answer->data); return put_whole(&io, rs->answer->data.n);
    }
}

/* Of the request only the head was kept; what is to be read stands in rs->order, for no question came in between. */
static uint8_t reply_slots(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    struct slot_management_resp *m = &rsp->slot_management_resp;
    const struct spdm_slots_order *q = &rs->order.slot_management.order;
    uint8_t sub_code = req->slot_management.order.sub_code;

    m->sub_code = sub_code;
    if (sub_code >= SPDM_SLOTS_BANK) return SPDM_WHY_FINE;
    if (sub_code == SPDM_SLOTS_CSR) q = &req->slot_management.order;
    if (sub_code == SPDM_SLOTS_CSR && rs->answer->data.n == 0) {
        return refuse(&rs->c, ANSWER_REFUSED, "an empty CSR", 0, 0);
    }
    m->structure.n = put(rs, spdm_room_from(spdm_responder_body(rs), HEAD), q);
    return m->structure.n != 0 ? SPDM_WHY_FINE : refuse(&rs->c, CRYPTO_FAILED, "the chain's digest", 0, 0);
}

const struct prove_job spdm_prove_slots = {.request = &spdm_message_SLOT_MANAGEMENT,
                                           .response = &spdm_message_SLOT_MANAGEMENT_RESP,
                                           .head_only = true,
                                           .asks = SPDM_ASK_BANK,
                                           .resets = SPDM_CERT_INSTALL_RESET_CAP,
                                           .trim = pose,
                                           .consider = consider_slots,
                                           .reply = reply_slots};
