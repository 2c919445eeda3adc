/* SPDX-License-Identifier: BSD-3-Clause
 *
 * witness.h - the third role: sees both directions, says nothing.
 *
 * A witness learns the same facts as the two endpoints, keeps the same
 * transcripts and checks the same rules and signatures, with the same code.
 * Captures are decoded with it, and evidence is verified: hand it the messages
 * in order and read what it says of each. */
#ifndef ASSAY_WITNESS_H
#define ASSAY_WITNESS_H
#include <assay/spdm.h>

enum spdm_signature_state {
    SPDM_UNSIGNED,
    SPDM_SIGNATURE_GOOD,
    SPDM_SIGNATURE_BAD,
    SPDM_SIGNATURE_UNCHECKED /* no key is known for its slot */
};

/* What the witness says of one message. */
struct spdm_sight {
    uint8_t code;    /* RequestResponseCode; 0 if the frame holds no SPDM message */
    uint8_t answers; /* responses: code of the request it answers, 0 if there was none */
    enum spdm_signature_state signature;
    size_t n;                  /* the message's own length, 0 if it could not be decoded */
    struct spdm_report report; /* why is SPDM_WHY_FINE, or the first rule it breaks */
};

struct spdm_witness;

/* Uses crypto, binding, policy (versions: all it should follow), chain, vca_max and request_max of a configuration;
 * `out` is not needed. */
size_t spdm_witness_size(const struct spdm_config *config);
struct spdm_witness *spdm_witness_init(struct spdm_room memory, const struct spdm_config *config);
/* A frame that went by. */
struct spdm_sight spdm_witness_push(struct spdm_witness *w, bool from_requester, struct spdm_span frame);
/* SPDM_ASK_TRUST when a chain is complete (the digest is in *event as data's hash was checked); SPDM_MEASURED with the
 * record of the message just pushed; SPDM_NOTHING otherwise. Unanswered questions lapse with the next push. */
enum spdm_event_kind spdm_witness_event(struct spdm_witness *w, struct spdm_event *event);
bool spdm_witness_answer(struct spdm_witness *w, const struct spdm_answer *answer);
const struct spdm_facts *spdm_witness_facts(const struct spdm_witness *w);
/* The request that waits for its response, for spdm_dump(); empty if none does. */
struct spdm_span spdm_witness_request(const struct spdm_witness *w);
/* The key of a slot (0..7, SPDM_SLOT_KEY) is known beforehand; hash_n bytes of digest of its chain, if known, too. */
void spdm_witness_trust(struct spdm_witness *w, uint8_t slot, struct spdm_span hash, const void *key);
/* The negotiation was not seen: takes version, capabilities and algorithms from facts, and VCA, which 1.2 and later
 * need for every signature, from vca. false: the version is not spoken, or VCA has no room. */
bool spdm_witness_assume(struct spdm_witness *w, const struct spdm_facts *facts, struct spdm_span vca);
void spdm_witness_close(struct spdm_witness *w);
#endif
