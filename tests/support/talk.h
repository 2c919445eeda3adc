/* SPDX-License-Identifier: BSD-3-Clause
 *
 * talk.h - speaking to a responder byte by byte.
 *
 * A message is hex digits with blanks and a few words, filled in for the
 * version at hand:
 *
 *   vv        SPDMVersion
 *   nonce     32 bytes
 *   context   8 bytes from 1.3 on, nothing before
 *   slotN     SlotIDParam N from 1.1 on, nothing before
 *   caps      GET_CAPABILITIES from byte 4 on, without flags
 *   offer     NEGOTIATE_ALGORITHMS from byte 4 on: all hashes and signatures, no tables
 *   big       200 bytes
 *   |         cuts: what follows is left out below 1.2
 *
 * An answer is compared with a prefix written the same way; "-" is no answer. */
#ifndef ASSAY_TESTS_TALK_H
#define ASSAY_TESTS_TALK_H
#include "support/pair.h"

/* Bytes of a message, without the binding's byte. Returns their number; room is PAIR_BUFFER. */
size_t talk_bytes(const char *words, uint8_t version, uint8_t *out);
/* Sends a message to the responder and returns the answer's bytes, without the binding's; valid until the next call. */
struct spdm_span talk_bytes_to(struct pair *pair, struct spdm_span message);
struct spdm_span talk(struct pair *pair, uint8_t version, const char *words);
/* The same, and the answer must begin like this. */
void talk_expect(struct pair *pair, uint8_t version, const char *words, const char *prefix);
/* Brings a responder to a phase: 'S' start, 'V' after VERSION, 'C' after CAPABILITIES, 'N' negotiated. */
void talk_phase(struct pair *pair, uint8_t version, char phase);
/* Whether bytes begin like this. */
bool talk_like(struct spdm_span bytes, uint8_t version, const char *prefix);
#endif
