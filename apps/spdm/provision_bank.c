/* SPDX-License-Identifier: BSD-3-Clause
 *
 * provision_bank.c - SLOT_MANAGEMENT: which banks there are, what is in the one that was named, and its algorithm.
 *
 * The device would say no more than InvalidRequest to most mistakes; so they are looked for before. */
#include "info.h"
#include "options.h"
#include "provision.h"
#include <stdlib.h>

bool spdm_provision_bank_slots(struct provision *p, struct spdm_slots_order slots)
{
    union spdm_order order = {.slots = slots};
    bool reads = slots.sub_code < SPDM_SLOTS_CSR;
    return spdm_provision_errand(p, reads ? &spdm_errand_slots : &spdm_errand_change_slots, &order);
}

/* What of it can be written, into *modifiable. */
static bool exists(struct provision *p, uint8_t id, uint8_t *modifiable)
{
    struct spdm_bank_element e = {.bank = 0};
    unsigned n = 0;
    if (!spdm_provision_bank_slots(p, (struct spdm_slots_order){.sub_code = SPDM_SLOTS_BANKS}))
        return spdm_provision_refused(p, "reading its banks");
    for (struct spdm_span rest = {p->reply.p, p->reply.n}; spdm_bank_next(&rest, &e); n++)
        if (e.bank == id) {
            *modifiable = e.modifiable;
            return true;
        }
    if (n == 0) return spdm_provision_fail(p, SPDM_EXIT_PROTOCOL, "the device has no banks");
    return spdm_provision_fail(p, SPDM_EXIT_USAGE, "there is no bank %u; the last is %u", id, n - 1);
}

/* What is in the bank, into p. */
static bool look(struct provision *p, struct spdm_bank_details *bank)
{
    struct spdm_slots_order slots = {.sub_code = SPDM_SLOTS_DETAILS, .bank = (uint8_t)p->options->bank};
    struct spdm_bank_slot slot;
    struct spdm_span rest;
    uint8_t modifiable = 0;
    *bank = (struct spdm_bank_details){.bank = slots.bank};
    p->slots = p->used = p->protected = 0;
    if (!exists(p, slots.bank, &modifiable)) return false;
    if (!spdm_provision_bank_slots(p, slots)) return spdm_provision_refused(p, "reading the bank");
    if (!spdm_bank_open((struct spdm_span){p->reply.p, p->reply.n}, bank, &rest))
        return spdm_provision_fail(p, SPDM_EXIT_PROTOCOL, "what the device says of the bank is malformed");
    while (spdm_bank_slot_next(&rest, &slot)) {
        p->slots = (uint8_t)(p->slots | 1u << slot.slot);
        if (slot.provisioned) p->used = (uint8_t)(p->used | 1u << slot.slot);
        if (slot.protected || (modifiable >> slot.slot & 1) == 0)
            p->protected = (uint8_t)(p->protected | 1u << slot.slot);
        p->slot_size[slot.slot % SPDM_SLOT_N] = slot.size;
    }
    spdm_provision_note(p, "bank", json_integer(bank->bank));
    return true;
}

bool spdm_provision_read_bank(struct provision *p)
{
    struct spdm_bank_details bank;
    if (!look(p, &bank)) return false;
    spdm_provision_tell(p, "Bank", "%u: %s%s", bank.bank, spdm_key_pair_name(bank.asym, bank.pqc),
                        bank.selected ? ", in use here" : "");
    bool none = (bank.asym | bank.pqc) == 0 && !(p->options->dry_run && p->options->bank_algorithm != 0);
    if (none && !p->options->erase)
        return spdm_provision_fail(p, SPDM_EXIT_USAGE, "bank %u has no algorithm yet: --bank-algorithm gives it one",
                                   bank.bank);
    return true;
}

/* Whether the bank can be given this algorithm: one that it can have, that no other has, while it is empty. */
static bool possible(struct provision *p, const struct spdm_bank_details *bank, const struct spdm_slots_order *to)
{
    bool good = false;
    if (to->asym == bank->asym && to->pqc == bank->pqc) return true;
    char *all = spdm_info_key_algorithms(bank->asyms, bank->pqcs), *used = spdm_info_slots(p->used);
    const char *name = spdm_key_pair_name(to->asym, to->pqc);
    if (!bank->configurable)
        spdm_provision_fail(p, SPDM_EXIT_PROTOCOL, "bank %u is of %s and can be of nothing else", bank->bank,
                            spdm_key_pair_name(bank->asym, bank->pqc));
    else if ((to->asym & ~bank->asyms) != 0 || (to->pqc & ~bank->pqcs) != 0)
        spdm_provision_fail(p, SPDM_EXIT_PROTOCOL, "bank %u cannot be of %s, but of: %s", bank->bank, name, all);
    else if ((to->asym & ~bank->asyms_free) != 0 || (to->pqc & ~bank->pqcs_free) != 0)
        spdm_provision_fail(p, SPDM_EXIT_PROTOCOL, "another bank is of %s already", name);
    else if (p->used != 0)
        spdm_provision_fail(p, SPDM_EXIT_PROTOCOL, "certificates are in the way, in slots: %s; --erase removes them",
                            used);
    else good = true;
    free(all);
    free(used);
    return good;
}

bool spdm_provision_bank(struct provision *p)
{
    enum spdm_alg algorithm = (enum spdm_alg)p->options->bank_algorithm;
    struct spdm_slots_order slots = {.sub_code = SPDM_SLOTS_BANK, .bank = (uint8_t)p->options->bank};
    struct spdm_bank_details bank;
    bool pqc = spdm_algorithm(algorithm)->cls == SPDM_CLASS_PQC;
    *(pqc ? &slots.pqc : &slots.asym) = spdm_key_pair_bit(algorithm);
    if (!look(p, &bank) || !possible(p, &bank, &slots)) return false;
    if (p->options->dry_run) {
        spdm_provision_tell(p, "Bank", "%u: would make it %s", slots.bank, spdm_algorithm_name(algorithm));
        return true;
    }
    if (!spdm_provision_bank_slots(p, slots)) return spdm_provision_refused(p, "changing the bank");
    spdm_provision_tell(p, "Bank", "%u: %s now", slots.bank, spdm_algorithm_name(algorithm));
    return true;
}
