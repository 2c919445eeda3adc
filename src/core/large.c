/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What both sides of a transfer in chunks need: room that is lent, and the
 * table through which the engines reach the rest. */
#include "core/large.h"

bool spdm_large_borrow(const struct spdm_config *cfg, struct spdm_room *room, size_t n)
{
    *room = cfg->lender != NULL ? cfg->lender->lend(cfg->lender_ctx, n) : (struct spdm_room){0};
    if (room->p == NULL) return false;
    if (room->n >= n) return true;
    spdm_large_return(cfg, room);
    return false;
}

uint32_t spdm_large_most(const struct spdm_config *cfg)
{
    return cfg->max_message_size > cfg->data_transfer_size ? cfg->max_message_size : cfg->data_transfer_size;
}

void spdm_large_return(const struct spdm_config *cfg, struct spdm_room *room)
{
    if (room->p == NULL || cfg->lender == NULL) return;
    spdm_wipe(room->p, room->n);
    cfg->lender->give_back(cfg->lender_ctx, *room);
    *room = (struct spdm_room){0};
}

/* R-CHK-08: ChunkSeqNo does not wrap. */
bool spdm_large_countable(const struct conn *c, size_t total, size_t transfer)
{
    size_t first = transfer - FIRST_HEAD, each = transfer - PORTION_HEAD;

    return c->ed->wide_chunks || total <= first || (total - first + each - 1) / each <= NARROW_MAX;
}

/* ---- fixed places ---- */

static struct spdm_room shelf_lend(void *ctx, size_t n)
{
    struct spdm_shelf *shelf = ctx;

    for (unsigned i = 0; i < shelf->n; i++) {
        if ((shelf->taken >> i & 1) != 0 || shelf->place[i].n < n) continue;
        shelf->taken |= (uint32_t)1 << i;
        return (struct spdm_room){shelf->place[i].p, n};
    }
    return (struct spdm_room){0};
}

static void shelf_give_back(void *ctx, struct spdm_room room)
{
    struct spdm_shelf *shelf = ctx;

    for (unsigned i = 0; i < shelf->n; i++) {
        if (shelf->place[i].p == room.p) shelf->taken &= ~((uint32_t)1 << i);
    }
}

const struct spdm_lender spdm_lend_shelf = {.lend = shelf_lend, .give_back = shelf_give_back};
