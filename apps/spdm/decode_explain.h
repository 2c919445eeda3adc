/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_explain.h - why does this signature not verify? The mistakes that
 * implementations are known to make are tried, one after the other. */
#ifndef SPDM_DECODE_EXPLAIN_H
#define SPDM_DECODE_EXPLAIN_H
#include "decode_transcripts.h"

struct decode_suspect {
    struct spdm_witness *witness;
    const struct decode_transcripts *transcripts;
    const struct spdm_facts *facts; /* of the side that signed */
    uint8_t code;                   /* of the message with the signature or VerifyData */
    bool turned, hmac;
    uint32_t session; /* TH: of which session; L1/L2: in which it came */
    uint8_t slot;
    struct spdm_span value; /* the signature or VerifyData */
};

/* "the VCA is left out", to be put behind "verifies if "; NULL: nothing known fits. The caller frees it. */
char *decode_explain(const struct decode_suspect *suspect);
/* The bytes that should have been signed, as far as they are known; {NULL, 0}: they are not. The caller frees them. */
struct spdm_room decode_signed_bytes(const struct decode_suspect *suspect);
#endif
