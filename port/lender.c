/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Room that is lent comes from malloc() and goes back to free(). */
#include "port/lender.h"
#include <stdlib.h>

static struct spdm_room lend(void *ctx, size_t n)
{
    uint8_t *p = malloc(n);

    (void)ctx;
    /* cppcheck-suppress uninitdata ; the borrower fills it */
    return (struct spdm_room){p, p != NULL ? n : 0};
}

static void give_back(void *ctx, struct spdm_room room)
{
    (void)ctx;
    free(room.p);
}

const struct spdm_lender spdm_lend_heap = {.lend = lend, .give_back = give_back};
