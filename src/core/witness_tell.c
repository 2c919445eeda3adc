/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What enters a transcript is told to whoever wants to see what a signature
 * covers; and whether it would verify if it covered something else. */
#include "core/witness_state.h"

static void tell(const struct spdm_witness *w, const struct spdm_piece *piece)
{
    if (w->watch.entered != NULL) w->watch.entered(w->watch.ctx, piece);
}

/* One running transcript: told before it is entered, while it is known whether it begins. */
static void tell_running(const struct spdm_witness *w, const struct watch_side *side, const struct spdm_piece *piece,
                         const struct transcript *t, enum transcript_kind kind)
{
    struct spdm_piece told = *piece;

    told.begins = !t->open[kind];
    told.with_vca = kind == TRANSCRIPT_L1L2 ? t->vca_in_l1l2 : !t->without_vca;
    told.session = kind == TRANSCRIPT_L1L2 && side->c.channel != NULL ? side->c.channel->id : 0;
    tell(w, &told);
}

bool spdm_watch_enter(struct spdm_witness *w, struct watch_side *side, const struct spdm_message *row,
                      struct spdm_span bytes)
{
    struct conn *c = &side->c;
    struct spdm_piece piece = {.code = row->code, .bytes = bytes, .turned = side == &w->turned};

    if ((row->joins & JOINS_VCA) != 0) {
        piece.begins = row->code == CODE_GET_VERSION;
        tell(w, &piece);
    }
    if ((row->joins & JOINS_M1M2) != 0 && spdm_conn_channel(c) == NULL) {
        piece.transcript = SPDM_TRANSCRIPT_M1M2;
        tell_running(w, side, &piece, &c->tr, TRANSCRIPT_M1M2);
    }
    if ((row->joins & JOINS_L1L2) != 0) {
        piece.transcript = SPDM_TRANSCRIPT_L1L2;
        tell_running(w, side, &piece, spdm_conn_log(c), TRANSCRIPT_L1L2);
    }
    if (row->code == CODE_DIGESTS && c->digests_first && !piece.turned) {
        piece.transcript = SPDM_TRANSCRIPT_D;
        piece.begins = true;
        tell(w, &piece);
    }
    return spdm_conn_enter(c, row, bytes);
}

void spdm_watch_th(struct spdm_witness *w, struct session *s, const struct spdm_piece *piece)
{
    struct conn *c = &w->plain.c;
    struct spdm_piece told = *piece;

    told.transcript = SPDM_TRANSCRIPT_TH;
    told.session = s->id;
    told.begins = !s->tr.open[TRANSCRIPT_TH];
    told.with_vca = true;
    told.with_d = !s->psk && c->tr.open[TRANSCRIPT_BASE];
    tell(w, &told);
    spdm_session_th(c, s, piece->bytes);
}

void spdm_watch_alone(struct spdm_witness *w, const struct passing *p)
{
    struct spdm_piece piece = {.transcript = SPDM_TRANSCRIPT_IL,
                               .turned = p->side == &w->turned,
                               .session = p->side->c.channel != NULL ? p->side->c.channel->id : 0,
                               .code = CODE_GET_ENDPOINT_INFO,
                               .begins = true,
                               .with_vca = true,
                               .bytes = p->x.request};

    tell(w, &piece);
    piece.code = CODE_ENDPOINT_INFO;
    piece.begins = false;
    piece.bytes = spdm_part(p->x.response, 0, p->x.signature_at);
    tell(w, &piece);
}

/* ---- suppositions ---- */

static enum signed_by signed_by(uint8_t code)
{
    switch (code) {
    case CODE_CHALLENGE_AUTH: return SIGNED_CHALLENGE_AUTH;
    case CODE_MEASUREMENTS: return SIGNED_MEASUREMENTS;
    case CODE_KEY_EXCHANGE_RSP: return SIGNED_KEY_EXCHANGE_RSP;
    case CODE_FINISH: return SIGNED_FINISH;
    case CODE_ENDPOINT_INFO: return SIGNED_ENDPOINT_INFO;
    default: return SIGNED_NOT;
    }
}

static enum spdm_alg hash_of(const struct conn *c, const struct spdm_supposition *what)
{
    return what->hash != SPDM_ALG_NONE ? what->hash : (enum spdm_alg)c->facts.hash;
}

static struct watch_side *side_of(struct spdm_witness *w, const struct spdm_supposition *what)
{
    return what->turned && spdm_mutual_of(&w->plain.cfg) != NULL ? &w->turned : &w->plain;
}

spdm_verdict spdm_witness_suppose(struct spdm_witness *w, const struct spdm_supposition *what)
{
    struct watch_side *side = side_of(w, what);
    struct signer signer = spdm_conn_signer(&side->c);
    struct candidate candidate = {.key = spdm_watch_known(side, what->slot)->key, .signature = what->value};
    const struct edition *edition = spdm_edition(what->version);
    struct to_sign input;

    if (edition != NULL) signer.edition = edition;
    if (what->other_role) signer.turned = !signer.turned;
    if (signed_by(what->code) == SIGNED_NOT || candidate.key == NULL) return SPDM_BAD;
    if (what->hash != SPDM_ALG_NONE) signer.hash = (uint8_t)what->hash;
    if (!spdm_digest(&side->c.tr, hash_of(&side->c, what), what->part, what->n, input.digest)) return SPDM_BAD;
    if (!spdm_signing_prepare(&input, &side->c.tr, &signer, signed_by(what->code))) return SPDM_BAD;
    signer.byte_order = what->reversed ? SPDM_LITTLE_ENDIAN : SPDM_BIG_ENDIAN;
    return what->reversed ? spdm_signing_verify_reversed(&side->c.tr, &input, &candidate)
                          : spdm_signing_verify(&side->c.tr, &signer, &input, &candidate);
}

spdm_verdict spdm_witness_suppose_hmac(struct spdm_witness *w, const struct spdm_supposition *what)
{
    struct conn *c = &w->plain.c;
    struct session *s = spdm_session_find(c, what->session);
    struct schedule schedule = spdm_session_schedule(c);
    bool requester = what->code == CODE_FINISH || what->code == CODE_PSK_FINISH;
    uint8_t th[SPDM_HASH_MAX], ours[SPDM_HASH_MAX];

    if (s == NULL || s->state != SESSION_HANDSHAKE || !s->lane[REQUEST].ready) return SPDM_BAD;
    if (!spdm_digest(&c->tr, hash_of(c, what), what->part, what->n, th)) return SPDM_BAD;
    if (!spdm_schedule_verify_data(&schedule, s->secrets.finished[requester ? REQUEST : RESPONSE], th, ours))
        return SPDM_BAD;
    return spdm_equal(what->value, spdm_span(ours, spdm_conn_hash_size(c))) ? SPDM_GOOD : SPDM_BAD;
}
