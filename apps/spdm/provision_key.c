/* SPDX-License-Identifier: BSD-3-Clause
 *
 * provision_key.c - GET_KEY_PAIR_INFO, SET_KEY_PAIR_INFO, and which key pair a slot gets its certificate for. */
#include "info.h"
#include "options.h"
#include "provision.h"
#include <stdlib.h>

static void tell_key(struct provision *p, const struct spdm_key_pair *k)
{
    char *slots = spdm_info_slots(k->slots), *usage = spdm_info_usage(k->usage);
    spdm_provision_tell(p, "Key pair", "%u of %u: %s; slots: %s; for: %s", k->id, p->key_pair_n,
                        spdm_key_pair_name(k->asym, k->pqc), slots, usage);
    free(slots);
    free(usage);
}

bool spdm_provision_read_keys(struct provision *p)
{
    union spdm_order order = {.key_pair = {.id = 1, .all = true}};
    bool has = (p->facts.responder.flags & SPDM_GET_KEY_PAIR_INFO_CAP) != 0;
    p->key_pair_n = 0;
    if (!has || (!p->facts.multi_key_rsp && p->options->key_pair == 0)) return true;
    return spdm_provision_errand(p, &spdm_errand_key_pair_info, &order) ||
           spdm_provision_refused(p, "reading its key pairs");
}

static const struct spdm_key_pair *key_of(const struct provision *p, uint8_t id)
{
    for (unsigned i = 0; i < p->key_pair_n; i++)
        if (p->key_pairs[i].id == id) return &p->key_pairs[i];
    return NULL;
}

/* ---- changes ---- */

/* The request as a whole; false: there is nothing to change. */
static bool change_of(const struct provision *p, struct spdm_key_pair_change *out)
{
    const struct provision_options *o = p->options;
    const struct spdm_key_pair *k = key_of(p, (uint8_t)o->key_pair);
    uint32_t bit = o->key_algorithm != 0 ? spdm_key_pair_bit((enum spdm_alg)o->key_algorithm) : 0;
    bool pqc = spdm_algorithm((enum spdm_alg)o->key_algorithm)->cls == SPDM_CLASS_PQC;
    *out = (struct spdm_key_pair_change){.operation = SPDM_KEY_PAIR_CHANGE, .id = (uint8_t)o->key_pair};
    if (o->generate) out->operation = SPDM_KEY_PAIR_DO_GENERATE;
    if (o->erase_key) out->operation = SPDM_KEY_PAIR_DO_ERASE;
    bool any = o->generate || o->erase_key || o->key_slots != 0 || o->key_usage != 0 || bit != 0;
    if (!any || o->erase_key) return any;
    out->slots = (uint8_t)o->key_slots;
    if (o->key_slots == 0 && k != NULL) out->slots = k->slots;
    out->usage = o->key_usage;
    *(pqc ? &out->pqc : &out->asym) = bit;
    return true;
}

/* What must be allowed for the details of a change. */
static const char *forbidden(const struct spdm_key_pair *k, const struct spdm_key_pair_change *c)
{
    bool one = (c->slots & (c->slots - 1)) == 0;
    if (c->operation == SPDM_KEY_PAIR_DO_ERASE) return NULL;
    if (c->slots != k->slots && (k->capabilities & SPDM_KEY_PAIR_ASSOCIATE) == 0) return "its slots";
    if (!one && (k->capabilities & SPDM_KEY_PAIR_SHARE) == 0) return "it for more than one slot";
    if (c->usage != 0 && (k->capabilities & SPDM_KEY_PAIR_USAGE) == 0) return "its usage";
    if ((c->asym | c->pqc) != 0 && (k->capabilities & SPDM_KEY_PAIR_ALGORITHM) == 0) return "its algorithm";
    return NULL;
}

/* What the device would refuse for certain. */
static bool possible(struct provision *p, const struct spdm_key_pair_change *c)
{
    static const struct {
        uint8_t operation;
        uint16_t needs;
        const char *words;
    } rows[] = {{SPDM_KEY_PAIR_DO_GENERATE, SPDM_KEY_PAIR_GENERATE, "made anew"},
                {SPDM_KEY_PAIR_DO_ERASE, SPDM_KEY_PAIR_ERASE, "erased"}};
    const struct spdm_key_pair *k = key_of(p, c->id);
    if (k == NULL && p->key_pair_n != 0)
        return spdm_provision_fail(p, SPDM_EXIT_USAGE, "there is no key pair %u; the last is %u", c->id, p->key_pair_n);
    if (k == NULL) return true;
    const char *what = forbidden(k, c);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (c->operation == rows[i].operation && (k->capabilities & rows[i].needs) == 0)
            return spdm_provision_fail(p, SPDM_EXIT_PROTOCOL, "key pair %u cannot be %s", c->id, rows[i].words);
    if ((c->usage & ~k->usages) != 0)
        return spdm_provision_fail(p, SPDM_EXIT_PROTOCOL, "key pair %u cannot be used for that", c->id);
    if ((c->asym & ~k->asyms) != 0 || (c->pqc & ~k->pqcs) != 0)
        return spdm_provision_fail(p, SPDM_EXIT_PROTOCOL, "key pair %u cannot be of this algorithm", c->id);
    if (c->operation != SPDM_KEY_PAIR_CHANGE && k->slots != 0) {
        char *slots = spdm_info_slots(k->slots);
        spdm_provision_fail(p, SPDM_EXIT_PROTOCOL, "key pair %u belongs to slots: %s; --key-slots none frees it", c->id,
                            slots);
        free(slots);
        return false;
    }
    if (c->operation == SPDM_KEY_PAIR_DO_GENERATE && (c->asym | c->pqc | k->asym | k->pqc) == 0)
        return spdm_provision_fail(p, SPDM_EXIT_USAGE, "key pair %u has no algorithm yet: --key-algorithm gives it one",
                                   c->id);
    if (what != NULL)
        return spdm_provision_fail(p, SPDM_EXIT_PROTOCOL, "key pair %u does not let anybody change %s", c->id, what);
    return true;
}

static bool send_change(struct provision *p, const struct spdm_key_pair_change *c, const char *words)
{
    union spdm_order order = {.key_pair_change = *c};
    if (!spdm_provision_errand(p, &spdm_errand_set_key_pair, &order))
        return spdm_provision_refused(p, "changing the key pair");
    spdm_provision_tell(p, "Key pair", "%u: %s%s", c->id, words,
                        p->reset_due ? ", when the device has been reset" : "");
    spdm_provision_note(p, "reset_due", json_boolean(p->reset_due));
    return spdm_provision_read_keys(p);
}

bool spdm_provision_change_key(struct provision *p)
{
    static const char *const words[] = {"changed", "erased", "made anew"};
    static const char *const verbs[] = {"change", "erase", "make"};
    struct spdm_key_pair_change c;
    if (!change_of(p, &c)) return true;
    if (!possible(p, &c)) return false;
    spdm_provision_note(p, "key_pair", json_integer(c.id));
    if (p->options->dry_run) {
        spdm_provision_tell(p, "Key pair", "%u: would %s it%s", c.id, verbs[c.operation],
                            c.operation == 2 ? " anew" : "");
        return true;
    }
    if (!send_change(p, &c, words[c.operation])) return false;
    if (key_of(p, c.id) != NULL) tell_key(p, key_of(p, c.id));
    return true;
}

/* ---- the choice ---- */

/* That which has the slot, and if several do, the one of the algorithm that was agreed on. */
static const struct spdm_key_pair *best(const struct provision *p)
{
    const struct spdm_key_pair *found = NULL;
    uint32_t bit = spdm_key_pair_bit((enum spdm_alg)p->facts.signature);
    bool pqc = spdm_algorithm((enum spdm_alg)p->facts.signature)->cls == SPDM_CLASS_PQC;
    for (unsigned i = 0; i < p->key_pair_n; i++) {
        const struct spdm_key_pair *k = &p->key_pairs[i];
        bool fits = (pqc ? k->pqc : k->asym) == bit;
        if ((k->slots >> p->slot & 1) != 0 && fits && found == NULL) found = k;
    }
    return found;
}

bool spdm_provision_choose_key(struct provision *p)
{
    const struct spdm_key_pair *k = NULL;
    uint8_t named = (uint8_t)p->options->key_pair;
    if (!p->facts.multi_key_rsp) {
        if (named == 0 || p->options->key_slots != 0) return true;
        return spdm_provision_fail(p, SPDM_EXIT_USAGE,
                                   "there is one key for all slots in this connection, so that "
                                   "--key-pair has no use; --multi-key asks for another one");
    }
    p->key_pair = named;
    if (p->key_pair_n != 0) k = named != 0 ? key_of(p, named) : best(p);
    if (k != NULL) p->key_pair = k->id;
    if (k == NULL && p->key_pair_n != 0 && named != 0)
        return spdm_provision_fail(p, SPDM_EXIT_USAGE, "there is no key pair %u; the last is %u", named, p->key_pair_n);
    if (p->key_pair == 0)
        return spdm_provision_fail(p, SPDM_EXIT_USAGE, "no key pair of %s belongs to slot %u: name one with --key-pair",
                                   spdm_algorithm_name((enum spdm_alg)p->facts.signature), p->slot);
    spdm_provision_note(p, "key_pair", json_integer(p->key_pair));
    if (k != NULL) tell_key(p, k);
    return true;
}
