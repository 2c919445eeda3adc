/* SPDX-License-Identifier: BSD-3-Clause
 *
 * liar.h - somebody on the wire who has the keys of every session: the worst
 * responder there can be, and still the honest one's words to begin with.
 *
 * The keys come from the engines' own key log. A frame of a session can be
 * opened, changed and sealed again under the same number, so that nothing but
 * what it says is wrong with it. */
#ifndef ASSAY_TESTS_LIAR_H
#define ASSAY_TESTS_LIAR_H
#include "secured/record.h"
#include "support/pair.h"
#include "trust/schedule.h"

enum { LIAR_SECRETS = 64 };

struct liar {
    struct pair *p;
    struct toy toy;
    struct liar_secret {
        uint32_t session;
        bool response, handshake;
        unsigned generation;
        uint8_t version, hash, aead;
        bool mac_only;
        uint8_t secret[SPDM_HASH_MAX];
    } secret[LIAR_SECRETS];
    unsigned n;
    /* of the frame opened last */
    const struct liar_secret *key;
    uint64_t sequence;
    bool plain; /* it was no record */
    uint8_t inner, message[PAIR_BUFFER];
};

/* Listens to both engines; to be called before pair_start(). */
void liar_listen(struct liar *l, struct pair *p);
/* The SPDM message in a frame, inside a record or not; empty if it is a record nobody has the key of. The bytes may be
 * changed and sealed again. */
struct spdm_span liar_open(struct liar *l, bool to_responder, struct spdm_span frame);
/* The frame of a message, like the one opened last: plain, or under the same key and number. */
size_t liar_seal(struct liar *l, struct spdm_span message, uint8_t *frame);
/* Plain, or under another key and number. */
size_t liar_seal_with(struct liar *l, const struct liar_secret *key, uint64_t sequence, struct spdm_span message,
                      uint8_t *frame);
/* The newest secret of a session's direction; NULL: there is none. */
const struct liar_secret *liar_find(const struct liar *l, uint32_t session, bool response);
/* One of all secrets, by number; NULL: there is none yet. */
const struct liar_secret *liar_pick(const struct liar *l, unsigned number);
#endif
