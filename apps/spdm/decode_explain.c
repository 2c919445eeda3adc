/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_explain.c - edits of a transcript, and whether the signature verifies
 * over the result.
 *
 * A mistake is one row: what is different about the transcript, and how it is
 * said. Rows are tried alone first, then in pairs. Nothing here decides what
 * is right: a signature that verifies with a mistake is wrong all the same. */
#include "decode_explain.h"
#include <stdlib.h>
#include <string.h>

enum {
    VCA = 1u << 0,          /* left out */
    DIGESTS = 1u << 1,      /* GET_DIGESTS and DIGESTS left out */
    CERTIFICATES = 1u << 2, /* GET_CERTIFICATE and CERTIFICATE left out */
    BEFORE = 1u << 3,       /* what was dropped when the transcript began anew is still in it */
    PADDING = 1u << 4,      /* the transport's padding is in it */
    ONLY_LAST = 1u << 5,    /* only the last exchange */
    REQUEST = 1u << 6,      /* the last request left out */
    D = 1u << 7,            /* the DIGESTS of a multi-key connection left out of TH */
    WITH_D = 1u << 8,       /* ... or in it, though the connection is none */
    CHAIN = 1u << 9,        /* the digest of the chain left out of TH */
    OPAQUE = 1u << 10,      /* opaque data of FINISH left out (the text of 1.4.0) */
    SIGNATURE = 1u << 11,   /* earlier signatures left out of TH */
    REVERSED = 1u << 12,
    NO_PREFIX = 1u << 13,
    OTHER_ROLE = 1u << 14
};

static const struct mistake {
    unsigned edits;
    const char *words;
} mistakes[] = {
    {REVERSED, "the signature is read in the other byte order"},
    {VCA, "the VCA is left out"},
    {DIGESTS, "GET_DIGESTS and DIGESTS are left out"},
    {CERTIFICATES, "GET_CERTIFICATE and CERTIFICATE are left out"},
    {DIGESTS | CERTIFICATES, "everything between VCA and CHALLENGE is left out"},
    {BEFORE, "what came before the last GET_DIGESTS is still covered"},
    {NO_PREFIX, "the signing prefix is left out"},
    {OTHER_ROLE, "the signing prefix names the other role"},
    {PADDING, "the padding of the transport is covered, too"},
    {ONLY_LAST, "only the last exchange is covered"},
    {REQUEST, "the request is left out"},
    {D, "DIGESTS is left out"},
    {WITH_D, "DIGESTS is covered, although this is no multi-key connection"},
    {CHAIN, "the digest of the certificate chain is left out"},
    {OPAQUE, "the opaque data of FINISH are left out, as the text of 1.4.0 has it"},
    {SIGNATURE, "earlier signatures are left out"},
};
enum { MISTAKE_N = sizeof mistakes / sizeof mistakes[0], PARTS = 64 };

/* A transcript put together once more. */
struct draft {
    struct spdm_span *v;
    size_t n, cap;
};

static void add(struct draft *d, struct spdm_span bytes)
{
    if (bytes.n == 0) return;
    if (d->n == d->cap) {
        d->cap = 2 * d->cap + PARTS;
        d->v = spdm_text_need(realloc(d->v, d->cap * sizeof *d->v));
    }
    d->v[d->n++] = bytes;
}

static struct spdm_span span(struct spdm_room r)
{
    return (struct spdm_span){r.p, r.n};
}

static enum spdm_transcript_id transcript_of(uint8_t code)
{
    switch (code) {
    case 0x03: return SPDM_TRANSCRIPT_M1M2;
    case 0x60: return SPDM_TRANSCRIPT_L1L2;
    case 0x07: return SPDM_TRANSCRIPT_IL;
    default: return SPDM_TRANSCRIPT_TH;
    }
}

/* ---- edits ---- */

static bool is_digests(uint8_t code)
{
    return code == 0x81 || code == 0x01;
}

static bool is_certificate(uint8_t code)
{
    return code == 0x82 || code == 0x02;
}

static bool is_finish(uint8_t code)
{
    return code == 0xe5 || code == 0x65 || code == 0xe7 || code == 0x67;
}

static bool left_out(const struct decode_piece *p, unsigned edits)
{
    return ((edits & DIGESTS) != 0 && is_digests(p->code)) ||
           ((edits & CERTIFICATES) != 0 && is_certificate(p->code)) ||
           ((edits & CHAIN) != 0 && p->part == SPDM_PIECE_CHAIN) ||
           ((edits & SIGNATURE) != 0 && p->part == SPDM_PIECE_SIGNATURE);
}

static void add_piece(struct draft *d, const struct decode_piece *p, unsigned edits)
{
    enum { HEADER = 4 };
    struct spdm_span bytes = span(p->bytes);
    if (left_out(p, edits)) return;
    if ((edits & OPAQUE) != 0 && is_finish(p->code) && p->part == SPDM_PIECE_MESSAGE && bytes.n > HEADER)
        bytes.n = HEADER;
    add(d, bytes);
    if ((edits & PADDING) != 0) add(d, span(p->padding));
}

/* Pieces up to what is signed; for VerifyData up to it. */
static size_t end_of(const struct decode_transcript *t, const struct decode_suspect *s)
{
    if (t->id != SPDM_TRANSCRIPT_TH) return t->n;
    for (size_t i = 0; i < t->n; i++) {
        bool here = t->v[i].code == s->code;
        if (here && !s->hmac && t->v[i].part == SPDM_PIECE_MESSAGE) return i + 1;
        if (here && s->hmac && t->v[i].part == SPDM_PIECE_VERIFY_DATA) return i;
    }
    return t->n;
}

static void add_all(struct draft *d, const struct decode_transcript *t, unsigned edits)
{
    for (size_t i = 0; t != NULL && i < t->n; i++) add_piece(d, &t->v[i], edits);
}

/* false: the edit changes nothing here, or what it needs is not known. */
static bool put_together(struct draft *d, const struct decode_suspect *s, unsigned edits)
{
    const struct decode_transcripts *all = s->transcripts;
    enum spdm_transcript_id id = transcript_of(s->code);
    const struct decode_transcript *t =
        decode_transcripts_find(all, id, id != SPDM_TRANSCRIPT_TH && s->turned, s->session);
    const struct decode_transcript *vca = decode_transcripts_find(all, SPDM_TRANSCRIPT_VCA, false, 0);
    const struct decode_transcript *digests = decode_transcripts_find(all, SPDM_TRANSCRIPT_D, false, 0);
    size_t end, first = 0;
    d->n = 0;
    if (t == NULL || t->cut || t->n == 0 || vca == NULL) return false;
    end = end_of(t, s);
    if (((edits & VCA) != 0) != t->with_vca) add_all(d, vca, edits); /* where it does not belong, put in */
    if (((edits & D) != 0) && !t->with_d) return false;
    if ((t->with_d && (edits & D) == 0) || (edits & WITH_D) != 0) add_all(d, digests, 0);
    if ((edits & BEFORE) != 0) add_all(d, &all->before, edits);
    if ((edits & ONLY_LAST) != 0 && end > 2) first = end - 2;
    for (size_t i = first; i < end; i++)
        if ((edits & REQUEST) == 0 || i + 2 != end) add_piece(d, &t->v[i], edits);
    return true;
}

/* Which edits can apply at all. */
static bool applies(unsigned edits, const struct decode_suspect *s)
{
    static const struct {
        enum spdm_transcript_id id;
        unsigned edits;
    } fits[] = {{SPDM_TRANSCRIPT_M1M2, VCA | DIGESTS | CERTIFICATES | BEFORE | PADDING | REQUEST},
                {SPDM_TRANSCRIPT_L1L2, VCA | PADDING | ONLY_LAST | REQUEST},
                {SPDM_TRANSCRIPT_IL, VCA | PADDING | REQUEST},
                {SPDM_TRANSCRIPT_TH, VCA | PADDING | D | WITH_D | CHAIN | OPAQUE | SIGNATURE}};
    unsigned of_signatures = s->hmac ? 0 : REVERSED | NO_PREFIX | OTHER_ROLE;
    for (size_t i = 0; i < sizeof fits / sizeof fits[0]; i++)
        if (fits[i].id == transcript_of(s->code)) return (edits & ~(fits[i].edits | of_signatures)) == 0;
    return false;
}

static bool verifies(const struct decode_suspect *s, const struct draft *d, unsigned edits, enum spdm_alg hash,
                     uint8_t slot)
{
    struct spdm_supposition what = {.code = s->code,
                                    .turned = s->turned,
                                    .part = d->v,
                                    .n = d->n,
                                    .hash = hash,
                                    .version = (edits & NO_PREFIX) != 0 ? SPDM_V10 : 0,
                                    .other_role = (edits & OTHER_ROLE) != 0,
                                    .reversed = (edits & REVERSED) != 0,
                                    .slot = slot,
                                    .session = s->session,
                                    .value = s->value};
    return (s->hmac ? spdm_witness_suppose_hmac(s->witness, &what) : spdm_witness_suppose(s->witness, &what)) ==
           SPDM_GOOD;
}

static bool try_edits(const struct decode_suspect *s, struct draft *d, unsigned edits)
{
    return applies(edits, s) && put_together(d, s, edits) && verifies(s, d, edits, SPDM_ALG_NONE, s->slot);
}

/* ---- what else can be wrong ---- */

static char *other_hash(const struct decode_suspect *s, struct draft *d)
{
    if (!put_together(d, s, 0)) return NULL;
    for (int id = 1; id < SPDM_ALG_N; id++) {
        bool other = spdm_algorithm((enum spdm_alg)id)->cls == SPDM_CLASS_HASH && id != s->facts->hash;
        if (other && verifies(s, d, 0, (enum spdm_alg)id, s->slot))
            return spdm_text_format("%s is used instead of %s", spdm_algorithm_name((enum spdm_alg)id),
                                    spdm_algorithm_name((enum spdm_alg)s->facts->hash));
    }
    return NULL;
}

static char *other_slot(const struct decode_suspect *s, struct draft *d)
{
    if (s->hmac || !put_together(d, s, 0)) return NULL;
    for (uint8_t slot = 0; slot <= SPDM_SLOT_N; slot++) {
        uint8_t id = slot < SPDM_SLOT_N ? slot : SPDM_SLOT_KEY;
        if (id == s->slot || !verifies(s, d, 0, SPDM_ALG_NONE, id)) continue;
        return slot < SPDM_SLOT_N ? spdm_text_format("the key is that of slot %u", slot)
                                  : spdm_text_format("the key is the provisioned one");
    }
    return NULL;
}

static char *other_version(const struct decode_suspect *s, struct draft *d)
{
    if (s->hmac || !put_together(d, s, 0)) return NULL;
    for (unsigned version = SPDM_V12; version <= SPDM_V14; version++) {
        struct spdm_supposition what = {.code = s->code, .turned = s->turned, .part = d->v, .n = d->n};
        what.version = (uint8_t)version;
        what.slot = s->slot;
        what.value = s->value;
        if (version == s->facts->version || spdm_witness_suppose(s->witness, &what) != SPDM_GOOD) continue;
        return spdm_text_format("the signing prefix is that of version 1.%u", version & 15);
    }
    return NULL;
}

static char *in_pairs(const struct decode_suspect *s, struct draft *d)
{
    for (size_t i = 0; i < MISTAKE_N; i++) {
        for (size_t k = i + 1; k < MISTAKE_N; k++) {
            unsigned edits = mistakes[i].edits | mistakes[k].edits;
            if (edits == mistakes[i].edits || edits == mistakes[k].edits || !try_edits(s, d, edits)) continue;
            return spdm_text_format("%s and %s", mistakes[i].words, mistakes[k].words);
        }
    }
    return NULL;
}

static const char *words_of(const struct mistake *m, const struct decode_suspect *s)
{
    const struct decode_transcript *t =
        decode_transcripts_find(s->transcripts, transcript_of(s->code), s->turned, s->session);
    if (m->edits == VCA && t != NULL && !t->with_vca) return "the VCA is covered, too";
    return m->words;
}

char *decode_explain(const struct decode_suspect *suspect)
{
    struct draft d = {NULL, 0, 0};
    char *out = NULL;
    for (size_t i = 0; out == NULL && i < MISTAKE_N; i++)
        if (try_edits(suspect, &d, mistakes[i].edits)) out = spdm_text_format("%s", words_of(&mistakes[i], suspect));
    if (out == NULL) out = other_hash(suspect, &d);
    if (out == NULL) out = other_slot(suspect, &d);
    if (out == NULL) out = other_version(suspect, &d);
    if (out == NULL) out = in_pairs(suspect, &d);
    free(d.v);
    return out;
}

struct spdm_room decode_signed_bytes(const struct decode_suspect *suspect)
{
    struct draft d = {NULL, 0, 0};
    struct spdm_room out = {NULL, 0};
    if (put_together(&d, suspect, 0)) {
        for (size_t i = 0; i < d.n; i++) out.n += d.v[i].n;
        out.p = spdm_text_need(malloc(out.n + 1));
        out.n = 0;
        for (size_t i = 0; i < d.n; i++) {
            memcpy(out.p + out.n, d.v[i].p, d.v[i].n);
            out.n += d.v[i].n;
        }
    }
    free(d.v);
    return out;
}
