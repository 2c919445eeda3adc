/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SLOT_MANAGEMENT as the asker sees it (slot-management.md, "Requester checks
 * and flow"). */
#include "core/requester_state.h"

enum { SHORT_MAX = 0xffff, BITMAP_AT = 4, BITMAP = 32, BEHIND = 8, REQUIRED = 0x0f };

static bool changes(uint8_t sub_code)
{
    return sub_code >= SPDM_SLOTS_CSR;
}

/* Key pair and model belong to multi-key connections only. */
static uint8_t whose(struct spdm_requester *rq, struct spdm_slots_order *o)
{
    bool names = o->sub_code == SPDM_SLOTS_CSR || o->sub_code == SPDM_SLOTS_STORE;

    if (!names || !rq->c.facts.multi_key_rsp) {
        o->key_pair = o->model = 0;
        return SPDM_WHY_FINE;
    }
    if (o->key_pair != 0 && o->model != SPDM_CERT_NONE) return SPDM_WHY_FINE;
    return refuse(&rq->c, CANNOT, "a KeyPairID and a certificate model in the order", 0, 0);
}

static uint8_t fill(struct spdm_requester *rq, union spdm_body *req)
{
    struct slot_management *m = &req->slot_management;

    if ((rq->c.facts.responder.ext_flags & SPDM_SLOT_MGMT_CAP) == 0) {
        return refuse(&rq->c, CANNOT, "SLOT_MGMT_CAP", 0, 0);
    }
    *m = (struct slot_management){.order = rq->goal.order->slots, .operation = 1};
    if (m->order.sub_code == SPDM_SLOTS_STORE) {
        if (m->order.chain.n > SHORT_MAX && (rq->c.facts.responder.flags & SPDM_LARGE_RESP_CAP) == 0) {
            return refuse(&rq->c, CANNOT, "LARGE_RESP_CAP", m->order.chain.n, SHORT_MAX);
        }
        rq->tail = m->order.chain; /* it goes out from where the caller has it */
        m->tail = (uint32_t)rq->tail.n;
        m->order.chain = (struct spdm_span){0};
    }
    return whose(rq, &m->order);
}

static uint8_t fill_read(struct spdm_requester *rq, union spdm_body *req)
{
    if (!changes(rq->goal.order->slots.sub_code)) return fill(rq, req);
    return refuse(&rq->c, CANNOT, "a SubCode that reads", rq->goal.order->slots.sub_code, 0);
}

static uint8_t fill_change(struct spdm_requester *rq, union spdm_body *req)
{
    if (changes(rq->goal.order->slots.sub_code)) return fill(rq, req);
    return refuse(&rq->c, CANNOT, "a SubCode that changes something", rq->goal.order->slots.sub_code, 0);
}

/* ---- responses; their form has been looked at when they were decoded ---- */

static uint8_t judge_details(struct conn *c, struct spdm_span structure, uint8_t asked)
{
    size_t h = spdm_conn_hash_size(c);
    struct spdm_bank_details bank;
    struct spdm_bank_slot slot;
    struct spdm_span rest;
    unsigned seen = 0;

    if (!spdm_bank_open(structure, &bank, &rest)) return refuse(c, BAD_VALUE, "BankDetails", 0, 0);
    if (bank.bank != asked) return refuse(c, MISMATCH, "BankID", bank.bank, asked);
    while (spdm_bank_slot_next(&rest, &slot)) {
        if (slot.digest.n != h) return refuse(c, BAD_LENGTH, "ElementLength", slot.digest.n + 16, h + 16);
        if ((seen >> slot.slot & 1) != 0) return refuse(c, BAD_ORDER, "SlotID", slot.slot, slot.slot);
        seen |= 1u << slot.slot;
    }
    return SPDM_WHY_FINE;
}

static uint8_t judge(struct conn *c, const struct exchange *x)
{
    const struct slot_management_resp *m = &x->rsp.slot_management_resp;
    uint8_t asked = x->req.slot_management.order.sub_code;

    if (m->sub_code != asked) return refuse(c, MISMATCH, "SubCode", m->sub_code, asked);
    if (asked >= SPDM_SLOTS_BANK) return SPDM_WHY_FINE;
    if (m->structure.n < BEHIND) return refuse(c, TOO_SMALL, "SlotMgmtRespStruct", m->structure.n, BEHIND);
    if (asked == SPDM_SLOTS_SUPPORTED && (m->structure.p[BITMAP_AT] & REQUIRED) != REQUIRED) {
        return refuse(c, BAD_VALUE, "SubCodeBitmap", m->structure.p[BITMAP_AT], 0);
    }
    if (asked >= SPDM_SLOTS_CHAIN && m->structure.n == BEHIND) {
        return refuse(c, TOO_SMALL, asked == SPDM_SLOTS_CHAIN ? "CCLength" : "CSRLength", 0, 1);
    }
    if (asked != SPDM_SLOTS_DETAILS) return SPDM_WHY_FINE;
    return judge_details(c, m->structure, x->req.slot_management.order.bank);
}

/* Just the elements, without what may follow them. */
static struct spdm_span elements(struct spdm_span structure)
{
    enum { COUNT_AT = 4 };
    struct spdm_span all = spdm_part(structure, BEHIND, structure.n), rest = all;
    struct spdm_bank_element e;

    for (unsigned n = structure.p[COUNT_AT]; n > 0 && spdm_bank_next(&rest, &e); n--) continue;
    return spdm_part(all, 0, all.n - rest.n);
}

/* The chain in a slot of the connection's bank may be another one now; which bank that is, is not ours to know. */
static void learn(struct conn *c, const struct exchange *x)
{
    if (x->req.slot_management.order.sub_code < SPDM_SLOTS_BANK) return;
    c->digests_known = false;
    c->facts.trusted = c->facts.authentic = false;
    c->chain_have = c->chain_total = 0;
    c->key = NULL;
}

static uint8_t reply(struct spdm_requester *rq, const struct exchange *x)
{
    const struct slot_management_resp *m = &x->rsp.slot_management_resp;
    struct spdm_span s = m->structure;

    if (m->sub_code >= SPDM_SLOTS_BANK) rq->vouched.key = NULL;
    switch (m->sub_code) {
    case SPDM_SLOTS_SUPPORTED: spdm_errand_tell(rq, spdm_part(s, BITMAP_AT, BITMAP)); break;
    case SPDM_SLOTS_BANKS: spdm_errand_tell(rq, elements(s)); break;
    case SPDM_SLOTS_DETAILS: spdm_errand_tell(rq, s); break;
    case SPDM_SLOTS_CHAIN:
    case SPDM_SLOTS_CSR: spdm_errand_tell(rq, spdm_part(s, BEHIND, s.n)); break;
    default: break;
    }
    return spdm_errand_done(rq, x);
}

const struct spdm_errand spdm_errand_slots = {.job = {.request = &spdm_message_SLOT_MANAGEMENT,
                                                      .response = &spdm_message_SLOT_MANAGEMENT_RESP,
                                                      .fill = fill_read,
                                                      .judge = judge,
                                                      .learn = learn,
                                                      .after = reply}};

/* No capability announces that a bank's new algorithm needs a reset (S15): from anybody it is an acceptance. */
const struct spdm_errand spdm_errand_change_slots = {.job = {.request = &spdm_message_SLOT_MANAGEMENT,
                                                             .response = &spdm_message_SLOT_MANAGEMENT_RESP,
                                                             .fill = fill_change,
                                                             .judge = judge,
                                                             .learn = learn,
                                                             .after = reply},
                                                     .resets = UINT32_MAX};
