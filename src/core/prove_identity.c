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

const struct spdm_slot *spdm_slot_at(const struct spdm_responder *rs, uint8_t slot)
{
    static const struct spdm_slot empty;
    const struct spdm_identity *id = rs->c.cfg->identity;
    const struct spdm_bank *bank;

    if (!SPDM_WHOLE || id->bank_n == 0) return &id->slot[slot];
    bank = spdm_bank_selected(rs);
    return bank != NULL ? &bank->slot[slot] : &empty;
}

bool spdm_slot_usable(const struct spdm_responder *rs, uint8_t slot)
{
    const struct spdm_identity *id = rs->c.cfg->identity;
    uint8_t alg = rs->c.facts.signature;

    if (slot == SPDM_SLOT_KEY) return id->public_key.n != 0 && signs(id->public_key_signs, alg);
    return slot < SPDM_SLOT_N && spdm_slot_at(rs, slot)->certificates.n != 0 &&
           signs(spdm_slot_at(rs, slot)->signs, alg);
}

uint8_t spdm_slots_supported(const struct spdm_responder *rs)
{
    const struct spdm_identity *id = rs->c.cfg->identity;

    if (!SPDM_WHOLE || id->bank_n == 0) return id->supported | spdm_slots_provisioned(rs);
    return spdm_bank_selected(rs) != NULL ? spdm_bank_selected(rs)->slots : 0;
}

uint8_t spdm_slots_usable(const struct spdm_responder *rs)
{
    uint8_t mask = 0;

    for (uint8_t slot = 0; slot < SPDM_SLOT_N; slot++) {
        if (spdm_slot_usable(rs, slot)) mask = (uint8_t)(mask | 1u << slot);
    }
    return mask;
}

/* The key pair that the identity has for a slot, if it has a table of them. */
static const struct spdm_key_pair *key_pair(const struct spdm_responder *rs, uint8_t slot)
{
    return SPDM_WHOLE && rs->c.cfg->identity->key_pair_n != 0 ? spdm_slot_key_pair(rs, slot) : NULL;
}

uint8_t spdm_slots_provisioned(const struct spdm_responder *rs)
{
    uint8_t mask = spdm_slots_usable(rs);

    for (uint8_t slot = 0; SPDM_WHOLE && rs->c.facts.multi_key_rsp && slot < SPDM_SLOT_N; slot++) {
        if (key_pair(rs, slot) != NULL) mask = (uint8_t)(mask | 1u << slot);
    }
    return mask;
}

static uint16_t usage_of(const struct spdm_responder *rs, uint8_t slot)
{
    const struct spdm_key_pair *p = key_pair(rs, slot);

    return p != NULL ? p->usage : spdm_slot_at(rs, slot)->usage;
}

bool spdm_slot_allows(const struct spdm_responder *rs, uint8_t slot, uint16_t usage)
{
    if (!rs->c.facts.multi_key_rsp || slot >= SPDM_SLOT_N) return true;
    return (usage_of(rs, slot) & usage) != 0;
}

/* The chain structure of a slot in two parts: Length, Reserved and RootHash, made here, and the certificates. */
struct chain {
    uint8_t head[FIELDS + SPDM_HASH_MAX];
    struct spdm_span part[2];
};

/* Whoever needs no RootHash saves its computation. */
static bool chain_of(const struct spdm_responder *rs, const struct spdm_slot *s, bool with_root, struct chain *chain)
{
    size_t head_n = FIELDS + spdm_conn_hash_size(&rs->c), n = head_n + s->certificates.n;

    for (unsigned i = 0; i < FIELDS; i++) chain->head[i] = (uint8_t)(n >> (8 * i));
    chain->part[0] = spdm_span(chain->head, head_n);
    chain->part[1] = s->certificates;
    return !with_root || spdm_conn_digest(&rs->c, &s->root, 1, &chain->head[FIELDS]);
}

size_t spdm_chain_size(const struct spdm_responder *rs, const struct spdm_slot *slot)
{
    return FIELDS + spdm_conn_hash_size(&rs->c) + slot->certificates.n;
}

bool spdm_chain_digest(const struct spdm_responder *rs, const struct spdm_slot *slot, uint8_t out[SPDM_HASH_MAX])
{
    struct chain chain;

    return chain_of(rs, slot, true, &chain) && spdm_conn_digest(&rs->c, chain.part, 2, out);
}

bool spdm_slot_digest(const struct spdm_responder *rs, uint8_t slot, uint8_t out[SPDM_HASH_MAX])
{
    if (slot == SPDM_SLOT_KEY) return spdm_conn_digest(&rs->c, &rs->c.cfg->identity->public_key, 1, out);
    return spdm_chain_digest(rs, spdm_slot_at(rs, slot), out);
}

/* ---- DIGESTS ---- */

static uint8_t consider_digests(struct spdm_responder *rs, const union spdm_body *req)
{
    (void)req;
    if (rs->c.facts.hash == SPDM_ALG_NONE) return refuse(&rs->c, NO_SELECTION, "a base hash", 0, 0);
    if (SPDM_WHOLE && rs->c.cfg->identity->pending != 0) { /* R-DIG-16 */
        return refuse(&rs->c, RESET_REQUIRED, NULL, rs->c.cfg->identity->pending, 0);
    }
    if (spdm_slots_provisioned(rs) == 0) return refuse(&rs->c, ANSWER_REFUSED, "no slot is provisioned", 0, 0);
    return SPDM_WHY_FINE;
}

static uint8_t key_pair_id(const struct spdm_responder *rs, uint8_t slot)
{
    const struct spdm_identity *id = rs->c.cfg->identity;
    const struct spdm_key_pair *p = key_pair(rs, slot);

    return p != NULL ? (uint8_t)(p - id->key_pair + 1) : spdm_slot_at(rs, slot)->key_pair_id;
}

/* What follows the digests: all KeyPairIDs, all models, all usage masks, for n slots. */
static void multi_key_lists(const struct spdm_responder *rs, uint8_t mask, unsigned n, uint8_t *list)
{
    unsigned i = 0;

    for (uint8_t slot = 0; slot < SPDM_SLOT_N; slot++) {
        uint16_t usage = usage_of(rs, slot);

        if ((mask >> slot & 1) == 0) continue;
        list[i] = key_pair_id(rs, slot);
        list[n + i] = spdm_slot_usable(rs, slot) ? spdm_slot_at(rs, slot)->model : SPDM_CERT_NONE;
        list[2 * n + 2 * i] = (uint8_t)usage;
        list[2 * n + 2 * i + 1] = (uint8_t)(usage >> 8);
        i++;
    }
}

/* A key without certificates has a digest of zeros (state 3 of a slot). */
static bool put_digest(const struct spdm_responder *rs, uint8_t slot, uint8_t *at)
{
    if (SPDM_WHOLE && !spdm_slot_usable(rs, slot)) return memset(at, 0, spdm_conn_hash_size(&rs->c)) != NULL;
    return spdm_slot_digest(rs, slot, at);
}

/* Digests and lists are written where the walker puts them. If they do not fit, encoding finds out. */
static uint8_t reply_digests(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    uint8_t mask = spdm_slots_provisioned(rs);
    struct spdm_room room = spdm_responder_body(rs);
    size_t h = spdm_conn_hash_size(&rs->c), lists = rs->c.facts.multi_key_rsp ? 4 : 0;
    unsigned n = spdm_ones(mask);

    (void)req;
    rsp->digests.provisioned = mask;
    rsp->digests.supported = spdm_slots_supported(rs);
    if (room.n < DIGESTS_AT + n * (h + lists)) return SPDM_WHY_FINE;
    (void)spdm_take(&room, DIGESTS_AT);
    for (uint8_t slot = 0; slot < SPDM_SLOT_N; slot++) {
        if ((mask >> slot & 1) != 0 && !put_digest(rs, slot, spdm_take(&room, h))) {
            return refuse(&rs->c, CRYPTO_FAILED, "the chain's digest", 0, 0);
        }
    }
    if (lists != 0) multi_key_lists(rs, mask, n, room.p);
    return SPDM_WHY_FINE;
}

const struct prove_job spdm_prove_digests = {.request = &spdm_message_GET_DIGESTS,
                                             .response = &spdm_message_DIGESTS,
                                             .signed_by = SIGNED_NOT,
                                             .consider = consider_digests,
                                             .reply = reply_digests};

/* ---- CERTIFICATE ---- */

static uint8_t consider_certificate(struct spdm_responder *rs, const union spdm_body *req)
{
    const struct get_certificate *q = &req->get_certificate;
    struct conn *c = &rs->c;
    size_t n;

    if (c->facts.hash == SPDM_ALG_NONE) return refuse(c, NO_SELECTION, "a base hash", 0, 0);
    if (q->large && (c->facts.responder.flags & SPDM_LARGE_RESP_CAP) == 0) {
        return refuse(c, UNSUPPORTED, "LARGE_RESP_CAP", 0, 0);
    }
    if (q->slot >= SPDM_SLOT_N) return refuse(c, BAD_SLOT, "SlotID R-CER-02", q->slot, 0);
    if (q->size_requested) return SPDM_WHY_FINE;                         /* of an empty slot too (R-CER-16) */
    if (SPDM_WHOLE && (c->cfg->identity->pending >> q->slot & 1) != 0) { /* R-ERR-15 */
        return refuse(c, RESET_REQUIRED, NULL, c->cfg->identity->pending, 0);
    }
    if (!spdm_slot_usable(rs, q->slot)) return refuse(c, BAD_SLOT, "SlotID R-CER-16", q->slot, 0);
    n = spdm_chain_size(rs, spdm_slot_at(rs, q->slot));
    if (!q->large && n > SHORT_MAX) return refuse_size(blame(c, "the certificate chain"), DATA_TOO_LARGE, n, SHORT_MAX);
    return q->offset < n ? SPDM_WHY_FINE : refuse(c, TOO_LONG, "Offset R-CER-03", q->offset, n - 1);
}

bool spdm_chain_copy(const struct spdm_responder *rs, const struct spdm_slot *slot, struct spdm_room to, size_t offset)
{
    struct chain chain;

    if (!chain_of(rs, slot, offset < FIELDS + spdm_conn_hash_size(&rs->c), &chain)) return false;
    for (unsigned i = 0; i < 2; i++) {
        struct spdm_span piece = spdm_part(chain.part[i], offset, to.n);

        (void)spdm_put(to, piece);
        (void)spdm_take(&to, piece.n);
        offset = offset < chain.part[i].n ? 0 : offset - chain.part[i].n;
    }
    return true;
}

/* Everything but the portion. */
static void around(const struct spdm_responder *rs, const struct get_certificate *q, struct certificate *m)
{
    m->slot = q->slot;
    m->large = q->large;
    /* UN-03: without multi-key the model is 0. */
    if (rs->c.facts.multi_key_rsp) m->model = spdm_slot_at(rs, q->slot)->model;
}

/* How much of n bytes is sent: what fits one transfer, or with chunks all of it (R-CER-14); and what the requester
 * cannot take, only if it asked for the whole chain, which must not be cut (R-CER-15): then it will hear so. */
static size_t portion(const struct spdm_responder *rs, const struct get_certificate *q, size_t n, size_t fits)
{
    size_t head = q->large ? LARGE_HEAD : SHORT_HEAD, max = rs->c.facts.requester.max_message_size;
    bool whole = q->offset == 0 && q->length == (q->large ? 0xffffffff : SHORT_MAX);

    if (SPDM_CHUNKS && spdm_conn_chunks(&rs->c)) fits = whole || max < head ? n : max - head;
    return n < fits ? n : fits;
}

static uint8_t reply_certificate(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    const struct get_certificate *q = &req->get_certificate;
    struct certificate *m = &rsp->certificate;
    struct spdm_room at = spdm_responder_body(rs);
    const struct spdm_slot *slot = spdm_slot_at(rs, q->slot);
    size_t total = spdm_chain_size(rs, slot), n = q->length;

    around(rs, q, m);
    if (q->size_requested || n == 0) { /* R-CER-06, R-CER-11 */
        m->remainder = (uint32_t)(q->size_requested ? SHORT_MAX : total);
        return SPDM_WHY_FINE;
    }
    (void)spdm_take(&at, q->large ? LARGE_HEAD : SHORT_HEAD);
    if (n > total - q->offset) n = total - q->offset;
    n = portion(rs, q, n, !q->large && at.n > SHORT_MAX ? SHORT_MAX : at.n);
    if (n < at.n) at.n = n;
    /* if it does not fit, encoding finds out */
    if (n == at.n && !spdm_chain_copy(rs, slot, at, q->offset)) return refuse(&rs->c, CRYPTO_FAILED, "RootHash", 0, 0);
    m->portion.n = n; /* it is in its place */
    m->remainder = (uint32_t)(total - q->offset - n);
    return SPDM_WHY_FINE;
}

bool spdm_certificate_portion(struct spdm_responder *rs, size_t at, struct spdm_room room)
{
    struct exchange x = {.request = spdm_span(rs->request, rs->request_n)};
    const struct get_certificate *q = &x.req.get_certificate;
    struct certificate *m = &x.rsp.certificate;
    uint8_t head[LARGE_HEAD];
    struct io io = {.sh.ver = rs->c.ed->version, .wr = {head, sizeof head}};
    const struct spdm_slot *slot;
    size_t skip;

    if (!SPDM_CHUNKS) return false;
    (void)spdm_conn_decode(&rs->c, &spdm_message_GET_CERTIFICATE, &x); /* it was judged when it came */
    slot = spdm_slot_at(rs, q->slot);
    io.end = q->large ? LARGE_HEAD : SHORT_HEAD;
    skip = at < io.end ? io.end - at : 0;
    around(rs, q, m);
    m->portion.n = rs->response_n - io.end;
    m->remainder = (uint32_t)(spdm_chain_size(rs, slot) - q->offset - m->portion.n);
    (void)spdm_encode(&io, &spdm_message_CERTIFICATE, &x.rsp); /* the header: the portion finds no room */
    spdm_window_lay(&(struct spdm_window){room, at}, 0, spdm_span(head, skip == 0 ? 0 : io.end));
    return spdm_chain_copy(rs, slot, spdm_room_from(room, skip), q->offset + (at + skip - io.end));
}

const struct prove_job spdm_prove_certificate = {.request = &spdm_message_GET_CERTIFICATE,
                                                 .response = &spdm_message_CERTIFICATE,
                                                 .signed_by = SIGNED_NOT,
                                                 .consider = consider_certificate,
                                                 .reply = reply_certificate};
