/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Transcripts A, M1/M2, L1/L2 (DSP0274 "Signature generation", CHALLENGE,
 * MEASUREMENTS; spec digest transcripts.md sections 2 to 4). Which message goes
 * where, and what resets what, is data in the registry; this file only hashes. */
#include "trust/transcript.h"

void *spdm_transcript_state(const struct transcript *t, unsigned kind)
{
    return spdm_room_from(t->states, kind * spdm_aligned(t->crypto->hash_state_size)).p;
}

size_t spdm_transcript_size(const struct spdm_crypto *crypto, uint16_t vca_max)
{
    return (TRANSCRIPT_N + 1) * spdm_aligned(crypto->hash_state_size) + vca_max;
}

void spdm_transcript_init(struct transcript *t, struct spdm_room memory, uint16_t vca_max)
{
    size_t states = (TRANSCRIPT_N + 1) * spdm_aligned(t->crypto->hash_state_size);

    memset(memory.p, 0, spdm_transcript_size(t->crypto, vca_max));
    t->states = (struct spdm_room){spdm_take(&memory, states), states};
    t->vca = spdm_take(&memory, vca_max);
    t->vca_max = vca_max;
}

void spdm_transcript_reset(struct transcript *t, enum transcript_kind kind)
{
    if (t->open[kind]) t->crypto->hash_end(t->ctx, spdm_transcript_state(t, kind));
    t->open[kind] = false;
    t->broken[kind] = false;
}

void spdm_transcript_clear(struct transcript *t)
{
    for (unsigned kind = 0; kind < TRANSCRIPT_N; kind++) spdm_transcript_reset(t, (enum transcript_kind)kind);
    t->vca_n = 0;
}

bool spdm_transcript_add_vca(struct transcript *t, struct spdm_span message)
{
    struct spdm_room all = {t->vca, t->vca_max};

    if (!spdm_put(spdm_room_from(all, t->vca_n), message)) return false;
    t->vca_n = (uint16_t)(t->vca_n + message.n);
    return true;
}

static bool begin(struct transcript *t, enum transcript_kind kind, enum spdm_alg hash)
{
    bool with_vca = kind == TRANSCRIPT_L1L2 ? t->vca_in_l1l2 : !t->without_vca;
    void *state = spdm_transcript_state(t, kind);

    if (t->open[kind]) return true;
    t->open[kind] = t->crypto->hash_begin(t->ctx, state, hash);
    if (!t->open[kind]) return false;
    return !with_vca || t->crypto->hash_update(t->ctx, state, spdm_span(t->vca, t->vca_n));
}

void spdm_transcript_add(struct transcript *t, enum transcript_kind kind, enum spdm_alg hash, struct spdm_span message)
{
    if (t->broken[kind] || hash == SPDM_ALG_NONE) return;
    t->broken[kind] = !begin(t, kind, hash) || !t->crypto->hash_update(t->ctx, spdm_transcript_state(t, kind), message);
}

bool spdm_transcript_digest(const struct transcript *t, enum transcript_kind kind, uint8_t out[SPDM_HASH_MAX])
{
    return t->open[kind] && !t->broken[kind] && t->crypto->hash_peek(t->ctx, spdm_transcript_state(t, kind), out);
}

bool spdm_digest(const struct transcript *t, enum spdm_alg hash, const struct spdm_span *part, size_t n,
                 uint8_t out[SPDM_HASH_MAX])
{
    void *scratch = spdm_transcript_state(t, TRANSCRIPT_N);
    bool fine = t->crypto->hash_begin(t->ctx, scratch, hash);

    if (!fine) return false;
    for (size_t i = 0; fine && i < n; i++) fine = t->crypto->hash_update(t->ctx, scratch, part[i]);
    fine = fine && t->crypto->hash_peek(t->ctx, scratch, out);
    t->crypto->hash_end(t->ctx, scratch);
    return fine;
}
