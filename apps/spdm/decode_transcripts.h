/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_transcripts.h - what each running transcript of a connection is made
 * of, piece by piece: what evidence consists of, and what the search for a
 * mistake starts from. */
#ifndef SPDM_DECODE_TRANSCRIPTS_H
#define SPDM_DECODE_TRANSCRIPTS_H
#include "decode.h"

struct decode_piece {
    uint8_t code;
    enum spdm_piece_part part;
    struct spdm_room bytes;
    struct spdm_room padding; /* of the transport, behind the message */
};

struct decode_transcript {
    enum spdm_transcript_id id;
    bool turned, with_vca, with_d;
    uint32_t session;
    struct decode_piece *v;
    size_t n, cap, bytes;
    bool cut; /* it became too long, and its beginning was dropped */
};

struct decode_transcripts {
    struct decode_transcript *v;
    size_t n;
    struct decode_transcript before; /* M1/M2 as it was when it last began anew */
    struct spdm_room padding;        /* of the request that waits for its response */
};

/* For struct spdm_watch; `message` is the one that is being pushed, with its padding. */
void decode_transcripts_enter(struct decode_transcripts *all, const struct spdm_piece *piece, struct spdm_span message);
/* The message that was pushed was a request: its padding is kept until its response. */
void decode_transcripts_request(struct decode_transcripts *all, struct spdm_span padding);
/* NULL: there is none. */
const struct decode_transcript *decode_transcripts_find(const struct decode_transcripts *all,
                                                        enum spdm_transcript_id id, bool turned, uint32_t session);
/* A session is over. */
void decode_transcripts_drop(struct decode_transcripts *all, uint32_t session);
void decode_transcripts_clear(struct decode_transcripts *all);
#endif
