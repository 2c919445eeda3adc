/* SPDX-License-Identifier: BSD-3-Clause
 *
 * witness_state.h - a witness from the inside: two sides, each with a
 * connection of its own. On the plain side the Requester asks and the Responder
 * proves; on the turned side, inside envelopes, it is the other way round. */
#ifndef ASSAY_CORE_WITNESS_STATE_H
#define ASSAY_CORE_WITNESS_STATE_H
#include "core/verify.h"
#include <assay/witness.h>

/* What is known of a slot. */
struct slot_known {
    const void *key;
    bool hash_known;
    uint8_t model, key_pair; /* of multi-key connections */
    uint16_t usage;
    uint8_t hash[SPDM_HASH_MAX];
};

struct watch_side {
    struct spdm_config cfg; /* the caller's, with rooms that grow */
    struct conn c;
    struct slot_known slot[SPDM_SLOT_N + 1]; /* the last one: the provisioned key */
    struct spdm_room request;                /* the request that waits for its response */
    size_t request_n;
    enum spdm_watch_room request_room, chain_room;
};

struct spdm_witness {
    struct watch_side plain;
    struct spdm_watch watch;
    uint32_t ticket;
    bool ask; /* a chain is complete */
    bool measured, proven;
    struct watch_side *at;   /* of the message at hand */
    struct spdm_span record; /* MeasurementRecord of the message at hand */
};

/* A message at hand. */
struct passing {
    struct watch_side *side;
    struct exchange x;
    struct spdm_sight *sight;
};

/* witness.c: room of at least n bytes; false, with the refusal noted, if there is none. */
bool spdm_watch_room(struct spdm_witness *w, struct watch_side *side, enum spdm_watch_room which, size_t n);
/* The exchange that begins is about this slot: its key and digest are the ones to check with. */
void spdm_watch_slot(struct watch_side *side, uint8_t slot);
struct slot_known *spdm_watch_known(struct watch_side *side, uint8_t slot);
/* witness_message.c: a message of at least four bytes; `asks`: from the side that asks. */
void spdm_watch_message(struct spdm_witness *w, struct watch_side *side, bool asks, struct spdm_sight *s);
#endif
