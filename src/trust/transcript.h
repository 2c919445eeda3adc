/* SPDX-License-Identifier: BSD-3-Clause
 *
 * transcript.h - what signatures cover: VCA as bytes, M1/M2 and L1/L2 as running hashes.
 *
 * VCA (A) is kept as bytes: the hash is only known at its end, every later
 * transcript begins with it, and evidence for third parties includes it. The
 * others are begun when their first message comes and ended by their signature
 * or a reset, so an idle connection holds no hash state at all.
 *
 * A failed step breaks a transcript until its next reset; a broken transcript
 * has no digest, so nothing can be signed or verified over it. */
#ifndef ASSAY_TRUST_TRANSCRIPT_H
#define ASSAY_TRUST_TRANSCRIPT_H
#include "base/bytes.h"
#include <assay/crypto.h>

/* A connection has M1/M2, L1/L2 and BASE: VCA and the DIGESTS that session transcripts begin with (R-ORD-06). A session
 * has TH, in the place of M1/M2, and an L1/L2 of its own (R-MEA-26). */
enum transcript_kind { TRANSCRIPT_M1M2 = 0, TRANSCRIPT_TH = 0, TRANSCRIPT_L1L2, TRANSCRIPT_BASE, TRANSCRIPT_N };

struct transcript {
    const struct spdm_crypto *crypto;
    void *ctx;
    uint8_t *vca;
    uint16_t vca_n, vca_max;
    bool without_vca; /* M1/M2 of mutual authentication at 1.1 (edition.h) */
    bool vca_in_l1l2; /* edition.h */
    bool open[TRANSCRIPT_N], broken[TRANSCRIPT_N];
    struct spdm_room states; /* spdm_transcript_state() */
};

/* A running hash: one for each kind and, in a connection, one more for digests made in one go (TRANSCRIPT_N). */
void *spdm_transcript_state(const struct transcript *t, unsigned kind);
/* Memory for the states of one transcript object, in bytes. */
size_t spdm_transcript_size(const struct spdm_crypto *crypto, uint16_t vca_max);
/* Places the states and VCA in memory of that size, aligned like uint64_t. */
void spdm_transcript_init(struct transcript *t, struct spdm_room memory, uint16_t vca_max);

/* GET_VERSION: everything is forgotten (R-ORD-13). */
void spdm_transcript_clear(struct transcript *t);
/* Appends to VCA; false if it is full. */
bool spdm_transcript_add_vca(struct transcript *t, struct spdm_span message);
/* Appends to a running transcript, beginning it with VCA where it belongs. */
void spdm_transcript_add(struct transcript *t, enum transcript_kind kind, enum spdm_alg hash, struct spdm_span message);
void spdm_transcript_reset(struct transcript *t, enum transcript_kind kind);
/* The digest of some spans in a row, apart from every transcript. */
bool spdm_digest(const struct transcript *t, enum spdm_alg hash, const struct spdm_span *part, size_t n,
                 uint8_t out[SPDM_HASH_MAX]);
/* The digest so far into out; false if nothing was begun or something failed. */
bool spdm_transcript_digest(const struct transcript *t, enum transcript_kind kind, uint8_t out[SPDM_HASH_MAX]);
#endif
