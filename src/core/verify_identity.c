/* SPDX-License-Identifier: BSD-3-Clause
 *
 * DIGESTS and CERTIFICATE as the asker sees them: choose a slot, read its
 * chain in portions of any size, and believe only a chain whose hash is the
 * announced digest. Whether it is trusted is the caller's question. */
#include "core/large.h"

/* ---- DIGESTS ---- */

static uint8_t fill_digests(struct spdm_requester *rq, union spdm_body *req)
{
    (void)req;
    (void)rq;
    return SPDM_WHY_FINE;
}

enum { MODEL_NONE = 0, MODEL_GENERIC = 3 };

static uint8_t judge_digests(struct conn *c, const struct exchange *x)
{
    const struct digests *m = &x->rsp.digests;

    if (c->facts.hash == SPDM_ALG_NONE) return refuse(c, NO_SELECTION, "a base hash", 0, 0);
    if (m->provisioned == 0) return refuse(c, BAD_VALUE, "ProvisionedSlotMask R-DIG-17", 0, 0);
    for (size_t i = 0; i < m->cert_info.n; i++) {
        uint8_t model = m->cert_info.p[i] & 7;

        if (model > MODEL_GENERIC || (i == 0 && (m->provisioned & 1) != 0 && model == MODEL_GENERIC)) {
            return refuse(c, BAD_VALUE, "CertificateInfo R-DIG-09", model, 0);
        }
    }
    return SPDM_WHY_FINE;
}

/* Place of a slot in the lists of DIGESTS: the number of provisioned slots below it. */
static size_t place(const struct digests *m, uint8_t slot)
{
    return spdm_ones(m->provisioned & ((1u << slot) - 1));
}

/* The lowest slot that is wanted, provisioned with a chain and not refused; SPDM_SLOT_KEY if there is none. */
static uint8_t usable(const struct conn *c, const struct digests *m)
{
    unsigned mask = c->slots_wanted & m->provisioned & (unsigned)~c->slots_refused;

    for (uint8_t slot = 0; slot < SPDM_SLOT_N; slot++) {
        if ((mask >> slot & 1) == 0) continue;
        if (m->cert_info.n != 0 && (m->cert_info.p[place(m, slot)] & 7) == MODEL_NONE) continue; /* key, no chain */
        return slot;
    }
    return SPDM_SLOT_KEY;
}

static void learn_slot(struct conn *c, const struct digests *m)
{
    size_t h = spdm_conn_hash_size(c), at = place(m, c->facts.slot);

    memcpy(c->facts.chain_hash, spdm_part(m->digests, at * h, h).p, h);
    if (m->cert_info.n == 0) return;
    c->facts.slot_key_pair = m->key_pair_id.p[at];
    c->facts.slot_model = m->cert_info.p[at] & 7;
    c->facts.slot_usage = (uint16_t)(m->key_usage.p[2 * at] | m->key_usage.p[2 * at + 1] << 8);
}

static void learn_digests(struct conn *c, const struct exchange *x)
{
    const struct digests *m = &x->rsp.digests;

    c->facts.supported_slots = m->supported;
    c->facts.provisioned_slots = m->provisioned;
    c->digests_known = true;
    if (c->facts.trusted) return; /* asked again only to restart M1/M2 (UN-07) */
    c->facts.slot = usable(c, m);
    c->chain_have = c->chain_total = 0;
    if (c->facts.slot < SPDM_SLOT_N) learn_slot(c, m);
}

static uint8_t after_digests(struct spdm_requester *rq, const struct exchange *x)
{
    (void)x;
    rq->got.digest_answered = false;
    return SPDM_WHY_FINE;
}

const struct verify_job spdm_verify_digests = {.request = &spdm_message_GET_DIGESTS,
                                               .response = &spdm_message_DIGESTS,
                                               .signed_by = SIGNED_NOT,
                                               .fill = fill_digests,
                                               .judge = judge_digests,
                                               .learn = learn_digests,
                                               .after = after_digests};

/* ---- CERTIFICATE ---- */

enum { SHORT_HEAD = 8, LARGE_HEAD = 16, ENVELOPE = 4, SHORT_MAX = 0xffff };

/* As much as one transfer brings: of what we take, and what the peer has shown to send (DESIGN.md, "Portions or
 * chunks?"). */
static uint32_t transfer(const struct spdm_requester *rq)
{
    uint32_t ours = rq->c.cfg->data_transfer_size;
    const struct large_rq *large = spdm_requester_large(rq);

    return large != NULL && large->transfer != 0 && large->transfer < ours ? large->transfer : ours;
}

static uint8_t fill_certificate(struct spdm_requester *rq, union spdm_body *req)
{
    struct get_certificate *m = &req->get_certificate;
    const struct conn *c = &rq->c;
    uint32_t limit = rq->c.cfg->policy->certificate_requests;
    uint32_t head = (c->large_chain ? LARGE_HEAD : SHORT_HEAD) + (c->turned ? ENVELOPE : 0u);
    uint32_t length = transfer(rq) - head;

    if (limit == 0) limit = 4096;
    if (rq->certificates++ >= limit) return refuse(&rq->c, LIMIT, "the number of GET_CERTIFICATE", 0, limit);
    if (c->chain_total != 0 && length > c->chain_total - c->chain_have) length = c->chain_total - c->chain_have;
    if (!c->large_chain && length > SHORT_MAX - c->chain_have) length = SHORT_MAX - c->chain_have;
    m->slot = c->facts.slot;
    m->large = c->large_chain;
    m->offset = c->chain_have;
    m->length = length;
    return SPDM_WHY_FINE;
}

/* The chain begins with its Length. Bytes 2 and 3 are reserved below 1.4 (LQ-38). */
static uint8_t judge_length(struct conn *c, struct spdm_span head, uint32_t total)
{
    size_t h = spdm_conn_hash_size(c);
    uint32_t length;

    if (total < 4 + h || head.n < 4) return refuse(c, BAD_CHAIN, "Length", total, 4 + h);
    length = (uint32_t)(head.p[0] | head.p[1] << 8);
    if (c->ed->large_certificate) length |= (uint32_t)head.p[2] << 16 | (uint32_t)head.p[3] << 24;
    return length != total ? refuse(c, BAD_CHAIN, "Length", length, total) : SPDM_WHY_FINE;
}

/* The whole chain: its digest (R-DIG-07). */
static uint8_t judge_chain(struct conn *c, const struct certificate *m, uint32_t total)
{
    uint8_t digest[SPDM_HASH_MAX];
    struct spdm_span part[2] = {spdm_span(c->cfg->chain.p, c->chain_have), m->portion};
    struct spdm_span head = c->chain_have >= 4 ? part[0] : m->portion;
    size_t h = spdm_conn_hash_size(c);

    if (judge_length(c, head, total) != SPDM_WHY_FINE) return c->report.why;
    if (!spdm_conn_digest(c, part, 2, digest)) return refuse(c, CRYPTO_FAILED, "the chain's digest", 0, 0);
    /* A witness may not have seen DIGESTS (case B4 of R-CHL-21): then the chain speaks for itself. */
    if (c->digests_known && !spdm_equal(spdm_span(digest, h), spdm_span(c->facts.chain_hash, h))) {
        return refuse(c, BAD_DIGEST, "CertChain R-DIG-07", 0, 0);
    }
    return SPDM_WHY_FINE;
}

static uint8_t judge_certificate(struct conn *c, const struct exchange *x)
{
    const struct get_certificate *q = &x->req.get_certificate;
    const struct certificate *m = &x->rsp.certificate;
    uint64_t total = (uint64_t)q->offset + m->portion.n + m->remainder;
    uint64_t needed = total - (c->chain_grows ? m->remainder : 0);

    if (m->slot != q->slot) return refuse(c, MISMATCH, "SlotID R-CER-09", m->slot, q->slot);
    if (m->large != q->large) return refuse(c, MISMATCH, "LargeCertChain", m->large, q->large);
    if (m->portion.n == 0) return refuse(c, TOO_SMALL, "PortionLength R-CER-04", 0, 1);
    if (!q->large && total > SHORT_MAX) return refuse(c, TOO_LONG, "RemainderLength", total, SHORT_MAX);
    if (c->chain_total != 0 && total != c->chain_total) {
        uint32_t left = c->chain_total - q->offset, n = (uint32_t)m->portion.n;

        return refuse(c, BAD_LENGTH, "RemainderLength R-CER-12", m->remainder, left > n ? left - n : 0);
    }
    if (needed > c->cfg->chain.n) return refuse(c, NO_ROOM, "the certificate chain", needed, c->cfg->chain.n);
    if (c->facts.multi_key_rsp && (m->model != c->facts.slot_model)) {
        return refuse(c, MISMATCH, "CertModel R-CER-13", m->model, c->facts.slot_model);
    }
    if (m->remainder == 0) return judge_chain(c, m, (uint32_t)total);
    return q->offset == 0 && m->portion.n >= 4 ? judge_length(c, m->portion, (uint32_t)total) : SPDM_WHY_FINE;
}

static void learn_certificate(struct conn *c, const struct exchange *x)
{
    const struct certificate *m = &x->rsp.certificate;

    (void)spdm_put(spdm_room_from(c->cfg->chain, c->chain_have), m->portion);
    c->chain_have += (uint32_t)m->portion.n;
    c->chain_total = c->chain_have + m->remainder;
    if (m->model != MODEL_NONE) c->facts.slot_model = m->model;
}

const struct verify_job spdm_verify_certificate = {.request = &spdm_message_GET_CERTIFICATE,
                                                   .response = &spdm_message_CERTIFICATE,
                                                   .signed_by = SIGNED_NOT,
                                                   .fill = fill_certificate,
                                                   .judge = judge_certificate,
                                                   .learn = learn_certificate};
