/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a witness knows of slots: digests, keys, and the chain that is being
 * read. All of them are remembered, whichever the two ends choose. */
#include "core/witness_state.h"

struct slot_known *spdm_watch_known(struct watch_side *side, uint8_t slot)
{
    return &side->slot[slot < SPDM_SLOT_N ? slot : SPDM_SLOT_N];
}

void spdm_watch_slot(struct watch_side *side, uint8_t slot)
{
    const struct slot_known *k = spdm_watch_known(side, slot);
    struct spdm_facts *f = &side->c.facts;

    f->slot = slot < SPDM_SLOT_N ? slot : SPDM_SLOT_KEY;
    f->slot_model = k->model;
    f->slot_key_pair = k->key_pair;
    f->slot_usage = k->usage;
    side->c.key = k->key;
    side->c.digests_known = k->hash_known;
    memcpy(f->chain_hash, k->hash, sizeof k->hash);
}

void spdm_watch_forget_slots(struct watch_side *side)
{
    for (uint8_t slot = 0; slot < SPDM_SLOT_N; slot++) side->slot[slot] = (struct slot_known){0};
}

/* DIGESTS tells of every slot, not only of the one a requester would choose. */
void spdm_watch_digests(struct watch_side *side, const struct digests *m)
{
    size_t h = spdm_conn_hash_size(&side->c), i = 0;

    for (uint8_t slot = 0; slot < SPDM_SLOT_N; slot++) {
        struct slot_known *k = &side->slot[slot];

        if ((m->provisioned >> slot & 1) == 0) continue;
        if (!k->hash_known || !spdm_equal(spdm_span(k->hash, h), spdm_part(m->digests, i * h, h))) k->key = NULL;
        memcpy(k->hash, spdm_part(m->digests, i * h, h).p, h);
        k->hash_known = true;
        if (m->cert_info.n != 0) {
            k->key_pair = m->key_pair_id.p[i];
            k->model = m->cert_info.p[i] & 7;
            k->usage = (uint16_t)(m->key_usage.p[2 * i] | m->key_usage.p[2 * i + 1] << 8);
        }
        i++;
    }
}

/* What CHALLENGE_AUTH says is the digest of its slot, if nothing else has said so before: the capture may lack DIGESTS
 * and chain, and sessions need it. */
void spdm_watch_adopt(struct watch_side *side, const struct challenge_auth *m)
{
    struct slot_known *k = spdm_watch_known(side, side->c.facts.slot);

    if (k->hash_known || !spdm_put((struct spdm_room){k->hash, sizeof k->hash}, m->chain_hash)) return;
    k->hash_known = true;
    spdm_watch_slot(side, side->c.facts.slot);
}

/* ---- the chain ---- */

/* Whether the chain is read on; a size that was asked for, or a part from its middle, tells nothing of what is in it.
 */
static bool reads_on(const struct conn *c, const struct get_certificate *q)
{
    return !q->size_requested && q->length != 0 && q->offset <= c->chain_have;
}

/* Room for what there is of a chain by now. A portion that comes once more takes its place. */
static bool chain_fits(struct spdm_witness *w, struct passing *p)
{
    const struct get_certificate *q = &p->x.req.get_certificate;
    uint64_t end = (uint64_t)q->offset + p->x.rsp.certificate.portion.n;

    p->side->c.chain_have = q->offset;
    return end <= SIZE_MAX && spdm_watch_room(w, p->side, p->side->chain_room, (size_t)end);
}

/* CERTIFICATE that brings nothing of the chain we put together: it counts in transcripts all the same. */
static void look_aside(struct spdm_witness *w, struct passing *p)
{
    const struct get_certificate *q = &p->x.req.get_certificate;
    const struct certificate *m = &p->x.rsp.certificate;
    const char *rule = q->size_requested ? "PortionLength R-CER-06" : "PortionLength R-CER-11";
    bool asks_for_none = q->size_requested || q->length == 0;
    struct conn *c = &p->side->c;

    if (m->slot != q->slot) (void)refuse(c, MISMATCH, "SlotID R-CER-09", m->slot, q->slot);
    else if (m->large != q->large) (void)refuse(c, MISMATCH, "LargeCertChain", m->large, q->large);
    else if (asks_for_none && m->portion.n != 0) (void)refuse(c, BAD_LENGTH, rule, m->portion.n, 0);
    p->sight->gap = !asks_for_none;
    (void)spdm_watch_enter(w, p->side, &spdm_message_GET_CERTIFICATE, p->x.request);
    (void)spdm_watch_enter(w, p->side, &spdm_message_CERTIFICATE, p->x.response);
}

bool spdm_watch_portion(struct spdm_witness *w, struct passing *p)
{
    if (reads_on(&p->side->c, &p->x.req.get_certificate)) return chain_fits(w, p);
    look_aside(w, p);
    return false;
}
