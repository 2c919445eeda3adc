/* SPDX-License-Identifier: BSD-3-Clause
 *
 * CSR and SET_CERTIFICATE_RSP as the prover answers them: what the request
 * itself and the identity decide is checked here, the caller makes and stores. */
#include "core/responder_state.h"

enum { LENGTH = 4, SHORT_MAX = 0xffff, DEPTH = 16, CONSTRUCTED = 0x20, LONG_TAG = 0x1f, LONG_LENGTH = 0x80 };

uint8_t spdm_provision_whose(struct spdm_responder *rs, uint8_t key_pair, uint8_t model, bool erase)
{
    struct conn *c = &rs->c;
    bool multi = c->facts.multi_key_rsp, fits = multi ? key_pair != 0 : key_pair == 0;

    if (!fits || (c->cfg->identity->key_pair_n != 0 && key_pair > c->cfg->identity->key_pair_n)) {
        return refuse(c, BAD_VALUE, "KeyPairID R-CSR-03 R-SCT-04", key_pair, 0);
    }
    fits = multi && !erase ? model >= SPDM_CERT_DEVICE && model <= SPDM_CERT_GENERIC : model == SPDM_CERT_NONE;
    return fits ? SPDM_WHY_FINE : refuse(c, BAD_VALUE, "CertModel R-CSR-03 R-SCT-04", model, 0);
}

/* ---- GET_CSR ---- */

/* Tag and length at the start of rest, minimal as DER wants it; false: it is none, or is longer than rest. */
static bool head_of(struct spdm_span rest, size_t *head, size_t *n)
{
    if (rest.n < 2 || (rest.p[0] & LONG_TAG) == LONG_TAG) return false;
    *head = 2;
    *n = rest.p[1];
    if (*n >= LONG_LENGTH) {
        size_t more = *n - LONG_LENGTH;

        if (more < 1 || more > 2 || rest.n < 2 + more) return false; /* RequesterInfo has 65,535 bytes at most */
        *head = 2 + more;
        *n = more == 1 ? rest.p[2] : (size_t)rest.p[2] << 8 | rest.p[3];
        if (*n < (more == 1 ? LONG_LENGTH : 0x100)) return false;
    }
    return *n <= rest.n - *head;
}

/* Well-formed DER from end to end, to a depth that is enough: who merges it into a CSR can rely on that (withstand 43).
 */
static bool sound(struct spdm_span der)
{
    size_t end[DEPTH] = {der.n}, at = 0, head, n;
    unsigned depth = 0;

    while (at < der.n) {
        while (at == end[depth] && depth > 0) depth--;
        if (!head_of(spdm_part(der, at, end[depth] - at), &head, &n)) return false;
        at += head;
        if ((der.p[at - head] & CONSTRUCTED) == 0) {
            at += n;
        } else if (n != 0) {
            if (depth + 1 == DEPTH) return false;
            end[++depth] = at + n;
        }
    }
    return true;
}

/* One SEQUENCE and nothing behind it. */
static bool is_request_info(struct spdm_span info)
{
    enum { SEQUENCE = 0x30 };
    size_t head, n;

    return head_of(info, &head, &n) && info.p[0] == SEQUENCE && head + n == info.n && sound(info);
}

uint8_t spdm_provision_csr(struct spdm_responder *rs, const struct spdm_csr_order *q)
{
    struct conn *c = &rs->c;
    uint8_t why = spdm_provision_whose(rs, q->key_pair, q->model, false);

    if (why != SPDM_WHY_FINE) return why;
    if (q->overwrite && q->tag != 0) return refuse(c, BAD_VALUE, "CSRTrackingTag R-CSR-16", q->tag, 0);
    if (q->tag != 0 && (c->facts.responder.flags & SPDM_CERT_INSTALL_RESET_CAP) == 0) {
        return refuse(c, BAD_VALUE, "CSRTrackingTag R-CSR-11", q->tag, 0);
    }
    if (q->info.n != 0 && !is_request_info(q->info)) return refuse(c, BAD_VALUE, "RequesterInfo R-CSR-06", 0, 0);
    return SPDM_WHY_FINE;
}

static uint8_t consider_csr(struct spdm_responder *rs, const union spdm_body *req)
{
    return spdm_provision_csr(rs, &req->order.csr);
}

static uint8_t reply_csr(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    (void)req;
    if (rs->answer->data.n > SHORT_MAX) return refuse(&rs->c, TOO_LONG, "CSRLength", rs->answer->data.n, SHORT_MAX);
    if (rs->answer->data.n == 0) return refuse(&rs->c, ANSWER_REFUSED, "an empty CSR", 0, 0);
    rsp->csr.csr = rs->answer->data;
    return SPDM_WHY_FINE;
}

/* ---- SET_CERTIFICATE ---- */

/* The chain structure's own length, 0 if it has none. */
static size_t chain_length(const struct conn *c, struct spdm_span chain)
{
    size_t n;

    if (chain.n < LENGTH) return 0;
    n = (size_t)chain.p[0] | (size_t)chain.p[1] << 8;
    if (c->ed->large_certificate) n |= (size_t)chain.p[2] << 16 | (size_t)chain.p[3] << 24;
    return n;
}

/* Length and RootHash are there, certificates behind them, all within the message (R-SCT-08). */
uint8_t spdm_provision_chain(struct conn *c, struct spdm_span chain)
{
    size_t n = chain_length(c, chain), least = LENGTH + spdm_conn_hash_size(c) + 1;

    if (n < least) return refuse(c, TOO_SMALL, "CertChain R-SCT-08", n, least);
    if (n > chain.n) return refuse(c, SHORT, "CertChain R-SCT-08", n, chain.n);
    if (n > SHORT_MAX && (c->facts.responder.flags & SPDM_LARGE_RESP_CAP) == 0) {
        return refuse(c, TOO_LONG, "CertChain", n, SHORT_MAX);
    }
    return SPDM_WHY_FINE;
}

static uint8_t consider_store(struct spdm_responder *rs, const union spdm_body *req)
{
    const struct spdm_store_order *q = &req->order.store;
    struct conn *c = &rs->c;
    const struct spdm_identity *id = c->cfg->identity;
    bool outside = spdm_conn_channel(c) == NULL, empty = spdm_slot_at(rs, q->slot)->certificates.n == 0;
    uint8_t why = spdm_provision_whose(rs, q->key_pair, q->model, q->erase);

    if (why != SPDM_WHY_FINE) return why;
    if (c->facts.hash == SPDM_ALG_NONE) return refuse(c, NO_SELECTION, "a base hash", 0, 0);
    if (outside && q->slot != 0 && !c->cfg->policy->trusted_place) return refuse(c, NOT_NOW, "R-SCT-07", 0, 0);
    if ((spdm_slots_supported(rs) >> q->slot & 1) == 0 && empty)
        return refuse(c, BAD_SLOT, "SlotID R-SCT-16", q->slot, 0);
    /* In a multi-key connection the slot is already that key pair's (slot-management.md, reading B). */
    if (q->key_pair != 0 && id->key_pair_n != 0 && spdm_slot_key_pair(rs, q->slot) != &id->key_pair[q->key_pair - 1]) {
        return refuse(c, BAD_VALUE, "KeyPairID R-SCT-11", q->key_pair, 0);
    }
    if (!q->erase) return spdm_provision_chain(c, q->chain);
    if (q->chain.n != 0) return refuse(c, TOO_LONG, "CertChain R-SCT-05", q->chain.n, 0);
    return empty ? refuse(c, BAD_SLOT, "SlotID R-SCT-13", q->slot, 0) : SPDM_WHY_FINE;
}

static uint8_t reply_store(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    (void)rs;
    rsp->set_certificate_rsp.slot = req->order.store.slot;
    return SPDM_WHY_FINE;
}

struct spdm_span spdm_provision_trim(const struct conn *c, struct spdm_span chain)
{
    return spdm_part(chain, 0, chain_length(c, chain));
}

/* The bank in use, if there are banks. */
static uint8_t bank_in_use(const struct spdm_responder *rs)
{
    const struct spdm_bank *bank = spdm_bank_selected(rs);

    return bank != NULL ? (uint8_t)(bank - rs->c.cfg->identity->bank) : 0;
}

static void trim_csr(struct spdm_responder *rs)
{
    rs->order.order.csr.bank = bank_in_use(rs);
}

static void trim_store(struct spdm_responder *rs)
{
    struct spdm_store_order *o = &rs->order.order.store;

    o->chain = spdm_provision_trim(&rs->c, o->chain);
    o->bank = bank_in_use(rs);
}

const struct prove_job spdm_prove_csr = {.request = &spdm_message_GET_CSR,
                                         .response = &spdm_message_CSR,
                                         .head_only = true,
                                         .asks = SPDM_ASK_CSR,
                                         .resets = SPDM_CERT_INSTALL_RESET_CAP,
                                         .trim = trim_csr,
                                         .consider = consider_csr,
                                         .reply = reply_csr};

const struct prove_job spdm_prove_store = {.request = &spdm_message_SET_CERTIFICATE,
                                           .response = &spdm_message_SET_CERTIFICATE_RSP,
                                           .head_only = true,
                                           .asks = SPDM_ASK_STORE,
                                           .resets = SPDM_CERT_INSTALL_RESET_CAP,
                                           .trim = trim_store,
                                           .consider = consider_store,
                                           .reply = reply_store};
