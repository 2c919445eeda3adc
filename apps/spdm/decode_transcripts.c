/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_transcripts.c - keeps pieces of transcripts. A transcript that nobody
 * ever signs must not grow with the capture: behind a limit it loses its
 * beginning, and is of no use any more. */
#include "decode_transcripts.h"
#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 1 << 23 };

static struct spdm_room copy(struct spdm_span s)
{
    struct spdm_room out = {NULL, s.n};
    if (s.n == 0) return out;
    out.p = spdm_text_need(malloc(s.n));
    memcpy(out.p, s.p, s.n);
    return out;
}

static void empty(struct decode_transcript *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->v[i].bytes.p);
        free(t->v[i].padding.p);
    }
    t->n = t->bytes = 0;
    t->cut = false;
}

static void release(struct decode_transcript *t)
{
    empty(t);
    free(t->v);
    *t = (struct decode_transcript){.n = 0};
}

const struct decode_transcript *decode_transcripts_find(const struct decode_transcripts *all,
                                                        enum spdm_transcript_id id, bool turned, uint32_t session)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct decode_transcript *t = &all->v[i];
        if (t->id == id && t->turned == turned && t->session == session) return t;
    }
    return NULL;
}

/* Pieces of DIGESTS from an envelope belong to the session's TH like all others. */
static struct decode_transcript *place_for(struct decode_transcripts *all, const struct spdm_piece *piece)
{
    bool turned = piece->turned && piece->transcript != SPDM_TRANSCRIPT_TH;
    for (size_t i = 0; i < all->n; i++) {
        struct decode_transcript *t = &all->v[i];
        if (t->id == piece->transcript && t->turned == turned && t->session == piece->session) return t;
    }
    all->v = spdm_text_need(realloc(all->v, (all->n + 1) * sizeof *all->v));
    all->v[all->n] = (struct decode_transcript){.id = piece->transcript, .turned = turned, .session = piece->session};
    return &all->v[all->n++];
}

/* What is begun anew replaces what there was; of M1/M2 that is kept: a peer may not have forgotten it. */
static void begin(struct decode_transcripts *all, struct decode_transcript *t, const struct spdm_piece *piece)
{
    if (t->id == SPDM_TRANSCRIPT_M1M2 && !t->turned && t->n != 0) {
        release(&all->before);
        all->before = *t;
        t->v = NULL;
        t->n = t->cap = t->bytes = 0;
    }
    empty(t);
    t->with_vca = piece->with_vca;
    t->with_d = piece->with_d;
}

/* Bytes behind a message: of a request those that were kept, of a response what is left of the frame, unless that is
 * its signature. */
static struct spdm_span padding_of(const struct decode_transcripts *all, const struct spdm_piece *piece,
                                   struct spdm_span message)
{
    enum { PADDING_MAX = 3 };
    bool within = message.n != 0 && piece->bytes.p >= message.p && piece->bytes.p < message.p + message.n;
    const uint8_t *end = piece->bytes.p + piece->bytes.n;
    const struct spdm_span none = {NULL, 0};
    if (piece->part != SPDM_PIECE_MESSAGE) return none;
    if (!within) return piece->code >= 0x80 ? (struct spdm_span){all->padding.p, all->padding.n} : none;
    if (message.p + message.n - end > PADDING_MAX) return none;
    return (struct spdm_span){end, (size_t)(message.p + message.n - end)};
}

void decode_transcripts_enter(struct decode_transcripts *all, const struct spdm_piece *piece, struct spdm_span message)
{
    struct decode_transcript *t = place_for(all, piece);
    if (piece->begins) begin(all, t, piece);
    if (t->bytes > BYTES_MAX) {
        empty(t);
        t->cut = true;
    }
    if (t->n == t->cap) {
        t->cap = 2 * t->cap + 8;
        t->v = spdm_text_need(realloc(t->v, t->cap * sizeof *t->v));
    }
    t->v[t->n++] = (struct decode_piece){.code = piece->code,
                                         .part = piece->part,
                                         .bytes = copy(piece->bytes),
                                         .padding = copy(padding_of(all, piece, message))};
    t->bytes += piece->bytes.n;
}

void decode_transcripts_request(struct decode_transcripts *all, struct spdm_span padding)
{
    free(all->padding.p);
    all->padding = copy(padding);
}

void decode_transcripts_drop(struct decode_transcripts *all, uint32_t session)
{
    size_t kept = 0;
    for (size_t i = 0; i < all->n; i++) {
        if (all->v[i].session == session && session != 0) release(&all->v[i]);
        else all->v[kept++] = all->v[i];
    }
    all->n = kept;
}

void decode_transcripts_clear(struct decode_transcripts *all)
{
    for (size_t i = 0; i < all->n; i++) release(&all->v[i]);
    release(&all->before);
    free(all->v);
    free(all->padding.p);
    *all = (struct decode_transcripts){.v = NULL};
}
