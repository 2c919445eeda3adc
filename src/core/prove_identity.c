/* SPDX-License-Identifier: BSD-3-Clause
 *
 * DIGESTS and CERTIFICATE as the prover answers them. The caller's identity
 * holds certificates; the chain structure around them (Length, RootHash in the
 * negotiated hash) is made here, portion by portion, and stored nowhere. */
#include "core/responder_state.h"

enum { DIGESTS_AT = 4, SHORT_HEAD = 8, LARGE_HEAD = 16, SHORT_MAX = 0xffff, FIELDS = 4 };

static bool signs(const uint8_t *list, uint8_t alg)
{
    for (size_t i = 0; list != NULL && list[i] != 0; i++) {
        if (list[i] == alg) return true;
    }
    return false;
}

bool spdm_slot_usable(const struct spdm_responder *rs, uint8_t slot)
{
    const struct spdm_identity *id = rs->c.cfg->identity;
    uint8_t alg = rs->c.facts.signature;

    if (slot == SPDM_SLOT_KEY) return id->public_key.n != 0 && signs(id->public_key_signs, alg);
    return slot < SPDM_SLOT_N && id->slot[slot].certificates.n != 0 && signs(id->slot[slot].signs, alg);
}

uint8_t spdm_slots_usable(const struct spdm_responder *rs)
{
    uint8_t mask = 0;

    for (uint8_t slot = 0; slot < SPDM_SLOT_N; slot++) {
        if (spdm_slot_usable(rs, slot)) mask = (uint8_t)(mask | 1u << slot);
    }
    return mask;
}

bool spdm_slot_allows(const struct spdm_responder *rs, uint8_t slot, uint16_t usage)
{
    if (!rs->c.facts.multi_key_rsp || slot >= SPDM_SLOT_N) return true;
    return (rs->c.cfg->identity->slot[slot].usage & usage) != 0;
}

/* Length, Reserved and RootHash of a slot's chain structure; 4 + H bytes. */
struct chain_head {
    uint8_t byte[FIELDS + SPDM_HASH_MAX];
};

static bool chain_head(const struct spdm_responder *rs, const struct spdm_slot *slot, struct chain_head *head)
{
    size_t n = FIELDS + spdm_conn_hash_size(&rs->c) + slot->certificates.n;

    for (unsigned i = 0; i < FIELDS; i++) head->byte[i] = (uint8_t)(n >> (8 * i));
    return spdm_conn_digest(&rs->c, &slot->root, 1, &head->byte[FIELDS]);
}

bool spdm_slot_digest(const struct spdm_responder *rs, uint8_t slot, uint8_t out[SPDM_HASH_MAX])
{
    const struct spdm_identity *id = rs->c.cfg->identity;
    struct chain_head head;
    struct spdm_span part[2];

    if (slot == SPDM_SLOT_KEY) return spdm_conn_digest(&rs->c, &id->public_key, 1, out);
    if (!chain_head(rs, &id->slot[slot], &head)) return false;
    part[0] = spdm_span(head.byte, FIELDS + spdm_conn_hash_size(&rs->c));
    part[1] = id->slot[slot].certificates;
    return spdm_conn_digest(&rs->c, part, 2, out);
}

/* ---- DIGESTS ---- */

static uint8_t consider_digests(struct spdm_responder *rs, const union spdm_body *req)
{
    (void)req;
    if (rs->c.facts.hash == SPDM_ALG_NONE) return refuse(&rs->c, NO_SELECTION, "a base hash", 0, 0);
    if (spdm_slots_usable(rs) == 0) return refuse(&rs->c, ANSWER_REFUSED, "no slot is provisioned", 0, 0);
    return SPDM_WHY_FINE;
}

/* The lists behind the digests, written where the walker puts them: all KeyPairIDs, all models, all usage masks. */
static void multi_key_lists(const struct spdm_responder *rs, struct digests *m, struct spdm_room at)
{
    unsigned n = spdm_ones(m->provisioned), i = 0;

    for (uint8_t slot = 0; slot < SPDM_SLOT_N; slot++) {
        const struct spdm_slot *s = &rs->c.cfg->identity->slot[slot];

        if ((m->provisioned >> slot & 1) == 0) continue;
        at.p[i] = s->key_pair_id;
        at.p[n + i] = s->model;
        at.p[2 * n + 2 * i] = (uint8_t)s->usage;
        at.p[2 * n + 2 * i + 1] = (uint8_t)(s->usage >> 8);
        i++;
    }
    m->key_pair_id = spdm_part(spdm_span(at.p, at.n), 0, n);
    m->cert_info = spdm_part(spdm_span(at.p, at.n), n, n);
    m->key_usage = spdm_part(spdm_span(at.p, at.n), 2u * n, 2u * n);
}

static uint8_t reply_digests(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    struct digests *m = &rsp->digests;
    struct spdm_room at = spdm_room_from(spdm_responder_body(rs), DIGESTS_AT);
    size_t h = spdm_conn_hash_size(&rs->c), n = 0;
    uint8_t digest[SPDM_HASH_MAX];

    (void)req;
    m->provisioned = spdm_slots_usable(rs);
    m->supported = rs->c.cfg->identity->supported | m->provisioned;
    for (uint8_t slot = 0; slot < SPDM_SLOT_N; slot++) {
        if ((m->provisioned >> slot & 1) == 0) continue;
        if (!spdm_slot_digest(rs, slot, digest)) return refuse(&rs->c, CRYPTO_FAILED, "the chain's digest", 0, 0);
        (void)spdm_put(spdm_room_from(at, n), spdm_span(digest, h)); /* encoding finds out if it does not fit */
        n += h;
    }
    m->digests = spdm_span(at.p, n);
    if (!rs->c.facts.multi_key_rsp) return SPDM_WHY_FINE;
    at = spdm_room_from(at, n);
    if (at.n < 4u * spdm_ones(m->provisioned)) return SPDM_WHY_FINE; /* as above */
    multi_key_lists(rs, m, at);
    return SPDM_WHY_FINE;
}

const struct prove_job spdm_prove_digests = {.request = &spdm_message_GET_DIGESTS,
                                             .response = &spdm_message_DIGESTS,
                                             .signed_by = SIGNED_NOT,
                                             .consider = consider_digests,
                                             .reply = reply_digests};

/* ---- CERTIFICATE ---- */

static size_t chain_size(const struct spdm_responder *rs, uint8_t slot)
{
    return FIELDS + spdm_conn_hash_size(&rs->c) + rs->c.cfg->identity->slot[slot].certificates.n;
}

static uint8_t consider_certificate(struct spdm_responder *rs, const union spdm_body *req)
{
    const struct get_certificate *q = &req->get_certificate;
    struct conn *c = &rs->c;

    if (c->facts.hash == SPDM_ALG_NONE) return refuse(c, NO_SELECTION, "a base hash", 0, 0);
    if (q->large && (c->facts.responder.flags & SPDM_LARGE_RESP_CAP) == 0) {
        return refuse(c, UNSUPPORTED, "LARGE_RESP_CAP", 0, 0);
    }
    if (q->slot >= SPDM_SLOT_N) return refuse(c, BAD_SLOT, "SlotID R-CER-02", q->slot, 0);
    if (q->size_requested) return SPDM_WHY_FINE; /* of an empty slot too (R-CER-16) */
    if (!spdm_slot_usable(rs, q->slot)) return refuse(c, BAD_SLOT, "SlotID R-CER-16", q->slot, 0);
    if (!q->large && chain_size(rs, q->slot) > SHORT_MAX) {
        return refuse(c, DATA_TOO_LARGE, "the certificate chain", chain_size(rs, q->slot), SHORT_MAX);
    }
    if (q->offset >= chain_size(rs, q->slot)) {
        return refuse(c, TOO_LONG, "Offset R-CER-03", q->offset, chain_size(rs, q->slot) - 1);
    }
    return SPDM_WHY_FINE;
}

/* Copies n bytes of the chain structure from `offset` on. */
static bool copy_chain(const struct spdm_responder *rs, uint8_t slot, struct spdm_room to, size_t offset)
{
    const struct spdm_slot *s = &rs->c.cfg->identity->slot[slot];
    struct chain_head head;
    size_t head_n = FIELDS + spdm_conn_hash_size(&rs->c);
    struct spdm_span first = {0};

    if (offset < head_n) {
        if (!chain_head(rs, s, &head)) return false;
        first = spdm_part(spdm_span(head.byte, head_n), offset, to.n);
    }
    (void)spdm_put(to, first);
    offset = offset < head_n ? 0 : offset - head_n;
    return spdm_put(spdm_room_from(to, first.n), spdm_part(s->certificates, offset, to.n - first.n));
}

static uint8_t reply_certificate(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    const struct get_certificate *q = &req->get_certificate;
    struct certificate *m = &rsp->certificate;
    struct spdm_room at = spdm_room_from(spdm_responder_body(rs), q->large ? LARGE_HEAD : SHORT_HEAD);
    size_t total = chain_size(rs, q->slot), n = q->length;

    *m = (struct certificate){.slot = q->slot, .large = q->large};
    /* UN-03: without multi-key the model is 0. */
    if (rs->c.facts.multi_key_rsp) m->model = rs->c.cfg->identity->slot[q->slot].model;
    if (q->size_requested || n == 0) { /* R-CER-06, R-CER-11 */
        m->remainder = (uint32_t)(q->size_requested ? SHORT_MAX : total);
        return SPDM_WHY_FINE;
    }
    if (n > total - q->offset) n = total - q->offset;
    if (n > at.n) n = at.n;
    if (!q->large && n > SHORT_MAX) n = SHORT_MAX;
    at.n = n;
    if (!copy_chain(rs, q->slot, at, q->offset)) return refuse(&rs->c, CRYPTO_FAILED, "RootHash", 0, 0);
    m->portion = spdm_span(at.p, n);
    m->remainder = (uint32_t)(total - q->offset - n);
    return SPDM_WHY_FINE;
}

const struct prove_job spdm_prove_certificate = {.request = &spdm_message_GET_CERTIFICATE,
                                                 .response = &spdm_message_CERTIFICATE,
                                                 .signed_by = SIGNED_NOT,
                                                 .consider = consider_certificate,
                                                 .reply = reply_certificate};
