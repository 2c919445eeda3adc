/* SPDX-License-Identifier: BSD-3-Clause
 *
 * large.h - messages larger than one transfer: CHUNK_SEND and CHUNK_GET (1.2+).
 *
 * A configuration whose policy has SPDM_CHUNK_CAP names `chunks`, a lender and
 * `max_message_size`, the largest message it takes. While a large message is on
 * its way it lies in room that is lent; many connections share a lender, for
 * few transfers are under way at a time. Not everything needs it: a chain is
 * put together in the room for chains, and what a responder can make anew
 * (CERTIFICATE, MEASUREMENTS whose values stay) is stored nowhere. What events
 * point into goes back with the first call after event() has returned
 * SPDM_NOTHING.
 *
 *     static uint8_t a[16384], b[16384];
 *     static const struct spdm_room places[] = {{a, sizeof a}, {b, sizeof b}};
 *     static struct spdm_shelf shelf = {places, 2, 0};
 *
 *     config.chunks = &spdm_responder_chunks; (or &spdm_requester_chunks)
 *     config.lender = &spdm_lend_shelf;
 *     config.lender_ctx = &shelf;
 *     config.max_message_size = 16384; */
#ifndef ASSAY_LARGE_H
#define ASSAY_LARGE_H
#include <assay/spdm.h>

struct spdm_lender {
    /* Room for n bytes until it is given back; an empty one: there is none now. Never asked for more than
     * max_message_size. A connection borrows one room for a request and one for a response at most. */
    struct spdm_room (*lend)(void *ctx, size_t n);
    /* What was lent, wiped. */
    void (*give_back)(void *ctx, struct spdm_room room);
};

/* Places of fixed size; each is lent to one at a time, the first that is large enough. */
struct spdm_shelf {
    const struct spdm_room *place;
    uint8_t n;      /* at most 32 */
    uint32_t taken; /* bit per place */
};
extern const struct spdm_lender spdm_lend_shelf; /* lender_ctx: a struct spdm_shelf */

/* config.chunks, by role. */
extern const struct spdm_chunks spdm_requester_chunks, spdm_responder_chunks;
#endif
