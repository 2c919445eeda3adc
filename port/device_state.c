/* SPDX-License-Identifier: BSD-3-Clause
 *
 * device_state.c - the entries of a device's state. */
#include "port/device_state.h"

#include <stdlib.h>
#include <string.h>

struct spdm_device_state *spdm_state_new(void)
{
    return calloc(1, sizeof(struct spdm_device_state));
}

static void clear_slot(struct spdm_state_slot *slot)
{
    free(slot->root.p);
    free(slot->certificates.p);
}

void spdm_state_free(struct spdm_device_state *s)
{
    if (s == NULL) return;
    for (unsigned i = 0; i < s->slot_n; i++) clear_slot(&s->slot[i]);
    for (unsigned i = 0; i < s->csr_n; i++) free(s->csr[i].info.p);
    free(s->slot);
    free(s->pair);
    free(s->bank);
    free(s->csr);
    free(s);
}

static bool copy(struct spdm_room *to, struct spdm_room from)
{
    *to = (struct spdm_room){NULL, 0};
    if (from.n == 0) return true;
    to->p = malloc(from.n);
    if (to->p == NULL) return false;
    memcpy(to->p, from.p, from.n);
    to->n = from.n;
    return true;
}

/* ---- finding ---- */

struct spdm_state_slot *spdm_state_slot(const struct spdm_device_state *s, uint8_t bank, uint8_t slot)
{
    for (unsigned i = 0; i < s->slot_n; i++)
        if (s->slot[i].bank == bank && s->slot[i].slot == slot) return &s->slot[i];
    return NULL;
}

struct spdm_state_pair *spdm_state_pair(const struct spdm_device_state *s, uint8_t id)
{
    for (unsigned i = 0; i < s->pair_n; i++)
        if (s->pair[i].id == id) return &s->pair[i];
    return NULL;
}

struct spdm_state_bank *spdm_state_bank(const struct spdm_device_state *s, uint8_t bank)
{
    for (unsigned i = 0; i < s->bank_n; i++)
        if (s->bank[i].bank == bank) return &s->bank[i];
    return NULL;
}

struct spdm_state_csr *spdm_state_csr(const struct spdm_device_state *s, uint8_t tag)
{
    for (unsigned i = 0; i < s->csr_n; i++)
        if (s->csr[i].tag == tag) return &s->csr[i];
    return NULL;
}

/* ---- changing ---- */

/* One more entry, zeroed. */
static void *grow(void *list, unsigned *n, size_t size)
{
    uint8_t **at = list;
    uint8_t *more = realloc(*at, (*n + 1) * size);
    if (more == NULL) return NULL;
    *at = more;
    memset(more + *n * size, 0, size);
    return more + (*n)++ * size;
}

bool spdm_state_put_slot(struct spdm_device_state *s, const struct spdm_state_slot *from)
{
    struct spdm_state_slot fresh = *from, *at = spdm_state_slot(s, from->bank, from->slot);
    bool fine = copy(&fresh.certificates, from->certificates);
    fine = copy(&fresh.root, from->root) && fine;
    if (fine && at == NULL) at = grow(&s->slot, &s->slot_n, sizeof *at);
    if (!fine || at == NULL) {
        clear_slot(&fresh);
        return false;
    }
    clear_slot(at);
    *at = fresh;
    return true;
}

bool spdm_state_put_pair(struct spdm_device_state *s, const struct spdm_state_pair *from)
{
    struct spdm_state_pair *at = spdm_state_pair(s, from->id);
    if (at == NULL) at = grow(&s->pair, &s->pair_n, sizeof *at);
    if (at != NULL) *at = *from;
    return at != NULL;
}

bool spdm_state_put_bank(struct spdm_device_state *s, const struct spdm_state_bank *from)
{
    struct spdm_state_bank *at = spdm_state_bank(s, from->bank);
    if (at == NULL) at = grow(&s->bank, &s->bank_n, sizeof *at);
    if (at != NULL) *at = *from;
    return at != NULL;
}

bool spdm_state_put_csr(struct spdm_device_state *s, const struct spdm_state_csr *from)
{
    struct spdm_state_csr fresh = *from, *at = spdm_state_csr(s, from->tag);
    if (!copy(&fresh.info, from->info)) return false;
    if (at == NULL) at = grow(&s->csr, &s->csr_n, sizeof *at);
    if (at == NULL) {
        free(fresh.info.p);
        return false;
    }
    free(at->info.p);
    *at = fresh;
    return true;
}

void spdm_state_drop_csr(struct spdm_device_state *s, uint8_t tag)
{
    struct spdm_state_csr *at = spdm_state_csr(s, tag);
    if (at == NULL) return;
    free(at->info.p);
    *at = s->csr[--s->csr_n];
}

struct spdm_device_state *spdm_state_copy(const struct spdm_device_state *from)
{
    struct spdm_device_state *s = spdm_state_new();
    bool fine = s != NULL;
    for (unsigned i = 0; fine && i < from->slot_n; i++) fine = spdm_state_put_slot(s, &from->slot[i]);
    for (unsigned i = 0; fine && i < from->pair_n; i++) fine = spdm_state_put_pair(s, &from->pair[i]);
    for (unsigned i = 0; fine && i < from->bank_n; i++) fine = spdm_state_put_bank(s, &from->bank[i]);
    for (unsigned i = 0; fine && i < from->csr_n; i++) fine = spdm_state_put_csr(s, &from->csr[i]);
    if (fine) return s;
    spdm_state_free(s);
    return NULL;
}
