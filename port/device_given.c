/* SPDX-License-Identifier: BSD-3-Clause
 *
 * device_given.c - puts what a device was given over what was described.
 *
 * The same is checked as in a description, so that a state that no longer fits
 * it (another key, fewer slots) is told at start. */
#include "port/device_impl.h"
#include "port/x509_read.h"

#include <assay/errand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- key pairs, banks ---- */

static bool give_pair(struct loader *l, const struct spdm_state_pair *given)
{
    struct spdm_device *d = l->device;
    unsigned i = given->id - 1u;
    struct spdm_device_key *key = NULL;
    struct spdm_key_pair *p = &d->pairs[i];
    if (given->id == 0 || given->id > d->identity.key_pair_n)
        return spdm_device_error(l, NULL, "the state has key pair %u, the description has %u", given->id,
                                 d->identity.key_pair_n);
    p->slots = given->slots;
    p->usage = given->usage;
    if (given->erased || given->key[0] != '\0') {
        spdm_device_release(p->public_key_info);
        p->public_key_info = (struct spdm_span){NULL, 0};
        d->pair_key[i] = NULL;
    }
    if (given->key[0] != '\0') {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", d->provisioning.state, given->key);
        if (!spdm_device_open_kept(l, path, &key) || !spdm_device_pair_key(l, i, key)) return false;
    }
    p->asym = given->asym;
    p->pqc = given->pqc;
    return true;
}

static bool give_bank(struct loader *l, const struct spdm_state_bank *given)
{
    struct spdm_device *d = l->device;
    struct spdm_bank *bank = &d->banks[given->bank];
    if (given->bank >= d->identity.bank_n || !bank->configurable)
        return spdm_device_error(l, NULL, "the state has an algorithm for bank %u, which cannot be configured",
                                 given->bank);
    bank->asym = given->asym;
    bank->pqc = given->pqc;
    return true;
}

/* ---- slots ---- */

/* The key of a chain: that of the key pair it was given for, or the slot's own, or any that fits. */
static struct spdm_device_key *key_of(struct loader *l, const struct spdm_state_slot *given, struct spdm_span spki,
                                      struct spdm_device_key *own)
{
    struct spdm_device *d = l->device;
    if (given->key_pair != 0 && given->key_pair <= d->identity.key_pair_n) {
        struct spdm_device_key *key = d->pair_key[given->key_pair - 1];
        return key != NULL && spdm_device_key_has(l, spki, key) ? key : NULL;
    }
    if (own != NULL && spdm_device_key_has(l, spki, own)) return own;
    for (size_t i = 0; i < d->key_n; i++)
        if (&d->keys[i] != d->raw_key && &d->keys[i] != d->provisioning.device_key &&
            spdm_device_key_has(l, spki, &d->keys[i]))
            return &d->keys[i];
    return NULL;
}

/* The slot belongs to the key pair of its key, and to no other of that algorithm. */
static bool associate(struct loader *l, const struct spdm_state_slot *given, const struct spdm_device_key *key)
{
    struct spdm_device *d = l->device;
    uint8_t bit = (uint8_t)(1u << given->slot);
    unsigned mine = 0;
    if (d->identity.key_pair_n == 0) return true;
    while (mine < d->identity.key_pair_n && d->pair_key[mine] != key) mine++;
    if (mine == d->identity.key_pair_n)
        return spdm_device_error(l, NULL, "the key of slot %u is none of the key pairs", given->slot);
    for (unsigned i = 0; i < d->identity.key_pair_n; i++) {
        const struct spdm_key_pair *p = &d->pairs[i];
        if (i == mine || (p->slots & bit) == 0 || p->asym != d->pairs[mine].asym || p->pqc != d->pairs[mine].pqc)
            continue;
        return spdm_device_error(l, NULL, "slot %u belongs to key pair %u, the certificates to key pair %u",
                                 given->slot, i + 1, mine + 1);
    }
    d->pairs[mine].slots |= bit;
    return spdm_device_may_share(l, mine);
}

/* What is in a bank is of its algorithm, and fits its slots. */
static bool fits_bank(struct loader *l, const struct spdm_state_slot *given, const struct spdm_device_key *key)
{
    const struct spdm_bank *bank = &l->device->banks[given->bank];
    bool same = false;
    if (l->device->identity.bank_n == 0) return true;
    for (const uint8_t *alg = spdm_signer_algorithms(key->signer); *alg != 0; alg++) {
        uint32_t bit = spdm_key_pair_bit((enum spdm_alg) * alg);
        bool pqc = spdm_algorithm((enum spdm_alg) * alg)->cls == SPDM_CLASS_PQC;
        same = same || ((pqc ? bank->pqc : bank->asym) & bit) != 0;
    }
    if (!same)
        return spdm_device_error(l, NULL,
                                 "the certificates given to slot %u are for a key (%s) that bank %u is not for",
                                 given->slot, spdm_signer_name(key->signer), given->bank);
    return given->certificates.n <= bank->slot_size ||
           spdm_device_error(l, NULL, "the certificates given to slot %u have %zu bytes, the slots of bank %u have %u",
                             given->slot, given->certificates.n, given->bank, (unsigned)bank->slot_size);
}

static bool give_slot(struct loader *l, const struct spdm_state_slot *given)
{
    struct spdm_device *d = l->device;
    bool banks = d->identity.bank_n != 0, there = banks ? given->bank < d->identity.bank_n : given->bank == 0;
    struct spdm_bank *bank = &d->banks[banks && there ? given->bank : 0];
    struct spdm_slot *slot = banks ? &bank->slot[given->slot] : &d->identity.slot[given->slot];
    struct spdm_device_key **key = banks ? &d->bank_key[bank - d->banks][given->slot] : &d->slot_key[given->slot];
    struct spdm_span spki, root = {given->root.p, given->root.n};
    if (!there || ((banks ? bank->slots : d->identity.supported) >> given->slot & 1) == 0)
        return spdm_device_error(l, NULL, "the state has certificates for slot %u (bank %u), which does not exist",
                                 given->slot, given->bank);
    spdm_device_empty_slot(slot);
    if (given->erased) return true;
    if (!spdm_device_copy(l, NULL, (struct spdm_span){given->certificates.p, given->certificates.n},
                          &slot->certificates) ||
        (root.n != 0 && !spdm_device_copy(l, NULL, root, &slot->root)) || !spdm_device_chain(l, NULL, slot, &spki))
        return false;
    if (given->model != SPDM_CERT_NONE) slot->model = given->model;
    if (slot->model == SPDM_CERT_NONE) slot->model = SPDM_CERT_DEVICE;
    *key = key_of(l, given, spki, *key);
    if (*key == NULL)
        return spdm_device_error(l, NULL, "the certificates given to slot %u are not for a key it can have",
                                 given->slot);
    slot->signs = spdm_signer_algorithms((*key)->signer);
    if (slot->usage == 0) slot->usage = SPDM_USE_KEY_EX | SPDM_USE_CHALLENGE | SPDM_USE_MEASUREMENT;
    return fits_bank(l, given, *key) && associate(l, given, *key);
}

bool spdm_device_give(struct loader *l)
{
    struct spdm_device *d = l->device;
    const struct spdm_device_state *state;
    char cause[SPDM_CAUSE_MAX] = "";
    bool fine = true;
    if (!d->provisioning.there || d->provisioning.state == NULL || l->state == NULL) return true;
    state = l->state(l->state_ctx, d->provisioning.state, cause);
    if (state == NULL) return spdm_device_error(l, NULL, "state %s: %s", d->provisioning.state, cause);
    d->state = spdm_state_copy(state);
    if (d->state == NULL) return spdm_device_error(l, NULL, "out of memory");
    for (unsigned i = 0; fine && i < state->pair_n; i++) fine = give_pair(l, &state->pair[i]);
    for (unsigned i = 0; fine && i < state->bank_n; i++) fine = give_bank(l, &state->bank[i]);
    for (unsigned i = 0; fine && i < state->slot_n; i++) fine = give_slot(l, &state->slot[i]);
    return fine;
}
