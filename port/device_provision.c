/* SPDX-License-Identifier: BSD-3-Clause
 *
 * device_provision.c - key pairs and banks of a described device, and what requesters may change of them.
 *
 * Where provisioning is described and key pairs are not, each key of a slot is
 * one: so a short description has what GET_KEY_PAIR_INFO shows. */
#include "port/device_impl.h"

#include <assay/errand.h>
#include <stdlib.h>
#include <string.h>

/* ---- words that are bits ---- */

struct bits {
    const char *what, *names[8];
};

static bool read_bits(struct loader *l, const config_setting_t *at, const struct bits *bits, uint32_t *out)
{
    const char *word;
    if (config_setting_is_aggregate(at) && config_setting_length(at) == 0) {
        *out = 0;
        return true;
    }
    if (!spdm_device_words(l, at)) return false;
    *out = 0;
    for (int i = 0; (word = spdm_device_word(at, i)) != NULL; i++) {
        char known[200] = "";
        unsigned bit = 0;
        while (bits->names[bit] != NULL && strcmp(bits->names[bit], word) != 0) bit++;
        for (unsigned k = 0; bits->names[k] != NULL; k++)
            snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", k != 0 ? ", " : "", bits->names[k]);
        if (bits->names[bit] == NULL)
            return spdm_device_error(l, at, "%s \"%s\": known are %s", bits->what, word, known);
        *out |= 1u << bit;
    }
    return true;
}

/* Algorithms as key pairs and banks name them, in two masks. */
struct algorithm_bits {
    uint32_t asym, pqc;
};

static bool read_algorithms(struct loader *l, const config_setting_t *at, void *out)
{
    struct algorithm_bits *bits = out;
    const char *word;
    *bits = (struct algorithm_bits){0, 0};
    if (!spdm_device_words(l, at)) return false;
    for (int i = 0; (word = spdm_device_word(at, i)) != NULL; i++) {
        enum spdm_alg alg = spdm_algorithm_named(word);
        uint32_t bit = spdm_key_pair_bit(alg);
        if (bit == 0 || !spdm_openssl_crypto()->supports(l->ossl, alg))
            return spdm_device_error(l, at, "\"%s\" is no signature algorithm that can be used here", word);
        if (spdm_algorithm(alg)->cls == SPDM_CLASS_PQC) bits->pqc |= bit;
        else bits->asym |= bit;
    }
    return true;
}

static bool read_slot_mask(struct loader *l, const config_setting_t *at, void *out)
{
    uint8_t *mask = out;
    *mask = 0;
    if (!config_setting_is_array(at) && !config_setting_is_list(at))
        return spdm_device_error(l, at, "slots must be a list of numbers: [0, 1]");
    for (int i = 0; i < config_setting_length(at); i++) {
        uint32_t slot;
        if (!spdm_device_bounded(l, config_setting_get_elem(at, (unsigned)i), 0, SPDM_SLOT_N - 1, &slot)) return false;
        *mask = (uint8_t)(*mask | 1u << slot);
    }
    return true;
}

/* ---- key pairs ---- */

struct pair_setting {
    struct spdm_device_key *key;
    struct algorithm_bits algorithms;
    uint32_t capabilities;
    uint16_t usages, usage;
    uint8_t slots;
};

static bool read_pair_capabilities(struct loader *l, const config_setting_t *at, void *out)
{
    static const struct bits bits = {"capability",
                                     {"generate", "erase", "associate", "usage", "algorithm", "share", NULL}};
    return read_bits(l, at, &bits, out);
}

bool spdm_device_pair_key(struct loader *l, unsigned pair, struct spdm_device_key *key)
{
    struct spdm_key_pair *p = &l->device->pairs[pair];
    enum spdm_alg alg = (enum spdm_alg)spdm_signer_algorithms(key->signer)[0];
    bool pqc = spdm_algorithm(alg)->cls == SPDM_CLASS_PQC;
    uint8_t *bytes;
    size_t n = spdm_signer_algorithm_identifier(key->signer, NULL, 0);
    p->asym = pqc ? 0 : spdm_key_pair_bit(alg);
    p->pqc = pqc ? spdm_key_pair_bit(alg) : 0;
    p->asyms |= p->asym;
    p->pqcs |= p->pqc;
    l->device->pair_key[pair] = key;
    spdm_device_release(p->public_key_info);
    p->public_key_info = (struct spdm_span){NULL, 0};
    bytes = n != 0 ? malloc(n) : NULL;
    if (bytes == NULL) return spdm_device_error(l, NULL, "key pair %u: the key does not show what it is", pair + 1);
    p->public_key_info = (struct spdm_span){bytes, spdm_signer_algorithm_identifier(key->signer, bytes, n)};
    return true;
}

static bool read_pair(struct loader *l, const config_setting_t *at)
{
    static const struct field fields[] = {
        {"key", spdm_device_open_key, offsetof(struct pair_setting, key)},
        {"slots", read_slot_mask, offsetof(struct pair_setting, slots)},
        {"capabilities", read_pair_capabilities, offsetof(struct pair_setting, capabilities)},
        {"usages", spdm_device_usage, offsetof(struct pair_setting, usages)},
        {"usage", spdm_device_usage, offsetof(struct pair_setting, usage)},
        {"algorithms", read_algorithms, offsetof(struct pair_setting, algorithms)},
        {NULL, NULL, 0}};
    struct spdm_device *d = l->device;
    unsigned i = d->identity.key_pair_n;
    struct pair_setting s = {.usages = 0xf, .usage = SPDM_USE_KEY_EX | SPDM_USE_CHALLENGE | SPDM_USE_MEASUREMENT};
    if (i == SPDM_DEVICE_KEYS) return spdm_device_error(l, at, "a device can have %u key pairs only", SPDM_DEVICE_KEYS);
    if (!spdm_device_group(l, at, fields, &s)) return false;
    if ((s.usage & ~s.usages) != 0) return spdm_device_error(l, at, "usage has what usages have not");
    d->pairs[i] = (struct spdm_key_pair){.slots = s.slots,
                                         .capabilities = (uint16_t)s.capabilities,
                                         .usages = s.usages,
                                         .usage = s.usage,
                                         .asyms = s.algorithms.asym,
                                         .pqcs = s.algorithms.pqc};
    d->identity.key_pair_n++;
    d->identity.key_pair = d->pairs;
    if (s.key != NULL) return spdm_device_pair_key(l, i, s.key);
    if ((s.algorithms.asym | s.algorithms.pqc) == 0)
        return spdm_device_error(l, at, "key pair %u needs a key, or algorithms it can be of", i + 1);
    return true;
}

bool spdm_device_key_pairs(struct loader *l, const config_setting_t *at)
{
    if (!config_setting_is_list(at))
        return spdm_device_error(l, at, "key_pairs must be a list of groups: ( { key = \"...\"; } )");
    for (int i = 0; i < config_setting_length(at); i++)
        if (!read_pair(l, config_setting_get_elem(at, (unsigned)i))) return false;
    l->pairs_described = true;
    return true;
}

/* R-KPI-06 */
bool spdm_device_may_share(struct loader *l, unsigned pair)
{
    const struct spdm_key_pair *p = &l->device->pairs[pair];
    bool one = (p->slots & (p->slots - 1)) == 0;
    return one || (p->capabilities & SPDM_KEY_PAIR_SHARE) != 0 ||
           spdm_device_error(
               l, NULL, "key pair %u belongs to more than one slot, which the capability \"share\" allows", pair + 1);
}

/* The key pair of a slot's key; the first that is not there yet is made, if none are described. */
static bool join(struct loader *l, struct spdm_slot *slot, unsigned number, struct spdm_device_key *key)
{
    struct spdm_device *d = l->device;
    unsigned i = 0;
    while (i < d->identity.key_pair_n && d->pair_key[i] != key) i++;
    if (i == d->identity.key_pair_n) {
        if (l->pairs_described)
            return spdm_device_error(l, NULL, "the key of slot %u is none of the key pairs", number);
        d->pairs[i] =
            (struct spdm_key_pair){.capabilities = SPDM_KEY_PAIR_ASSOCIATE | SPDM_KEY_PAIR_USAGE | SPDM_KEY_PAIR_SHARE,
                                   .usages = 0xf,
                                   .usage = slot->usage};
        d->identity.key_pair_n++; /* there are as many as keys at most */
        d->identity.key_pair = d->pairs;
        if (!spdm_device_pair_key(l, i, key)) return false;
    }
    d->pairs[i].slots = (uint8_t)(d->pairs[i].slots | 1u << number);
    slot->key_pair_id = (uint8_t)(i + 1);
    return spdm_device_may_share(l, i);
}

bool spdm_device_join_pairs(struct loader *l)
{
    struct spdm_device *d = l->device;
    if (!l->pairs_described && !d->provisioning.there) return true;
    for (unsigned slot = 0; slot < SPDM_SLOT_N; slot++) {
        if (d->slot_key[slot] != NULL && !join(l, &d->identity.slot[slot], slot, d->slot_key[slot])) return false;
        for (unsigned i = 0; i < d->identity.bank_n; i++)
            if (d->bank_key[i][slot] != NULL && !join(l, &d->banks[i].slot[slot], slot, d->bank_key[i][slot]))
                return false;
    }
    return true;
}

/* ---- banks ---- */

struct bank_setting {
    struct algorithm_bits algorithm, algorithms;
    const config_setting_t *slots;
    uint32_t size;
    uint8_t modifiable, protected;
    bool has_modifiable;
};

static bool keep_slots(struct loader *l, const config_setting_t *at, void *out)
{
    (void)l;
    *(const config_setting_t **)out = at;
    return true;
}

static bool read_modifiable(struct loader *l, const config_setting_t *at, void *out)
{
    struct bank_setting *s = out;
    s->has_modifiable = true;
    return read_slot_mask(l, at, &s->modifiable);
}

static bool read_size(struct loader *l, const config_setting_t *at, void *out)
{
    return spdm_device_bounded(l, at, 1, 16u << 20, out);
}

static bool read_bank(struct loader *l, const config_setting_t *at)
{
    static const struct field fields[] = {{"algorithm", read_algorithms, offsetof(struct bank_setting, algorithm)},
                                          {"algorithms", read_algorithms, offsetof(struct bank_setting, algorithms)},
                                          {"slots", keep_slots, offsetof(struct bank_setting, slots)},
                                          {"modifiable", read_modifiable, 0},
                                          {"protected", read_slot_mask, offsetof(struct bank_setting, protected)},
                                          {"slot_size", read_size, offsetof(struct bank_setting, size)},
                                          {NULL, NULL, 0}};
    struct spdm_device *d = l->device;
    unsigned n = d->identity.bank_n;
    struct spdm_bank *bank = &d->banks[n];
    struct bank_setting s = {.size = 0xffff};
    if (n == SPDM_DEVICE_BANKS) return spdm_device_error(l, at, "a device can have %u banks only", SPDM_DEVICE_BANKS);
    if (!spdm_device_group(l, at, fields, &s)) return false;
    if (s.slots == NULL) return spdm_device_error(l, at, "bank %u has no slots", n);
    d->identity.bank_n++;
    d->identity.bank = d->banks;
    bank->asym = s.algorithm.asym;
    bank->pqc = s.algorithm.pqc;
    bank->asyms = s.algorithms.asym | s.algorithm.asym;
    bank->pqcs = s.algorithms.pqc | s.algorithm.pqc;
    bank->configurable = (s.algorithms.asym | s.algorithms.pqc) != 0;
    bank->slot_size = s.size;
    for (unsigned i = 0; i < n; i++)
        if ((bank->asym | bank->pqc) != 0 && d->banks[i].asym == bank->asym && d->banks[i].pqc == bank->pqc)
            return spdm_device_error(l, at, "banks %u and %u have the same algorithm", i, n);
    if (!spdm_device_bank_slots(l, s.slots, bank)) return false;
    bank->protected = s.protected & bank->slots;
    bank->modifiable = (uint8_t)((s.has_modifiable ? s.modifiable : 0xff) & bank->slots & ~bank->protected);
    return true;
}

bool spdm_device_banks(struct loader *l, const config_setting_t *at, void *out)
{
    (void)out;
    if (!config_setting_is_list(at))
        return spdm_device_error(l, at,
                                 "banks must be a list of groups: ( { algorithm = \"...\"; slots = ( ... ); } )");
    for (int i = 0; i < config_setting_length(at); i++)
        if (!read_bank(l, config_setting_get_elem(at, (unsigned)i))) return false;
    return true;
}

/* ---- what may be changed ---- */

static bool read_allow(struct loader *l, const config_setting_t *at, void *out)
{
    static const struct bits bits = {"allow", {"csr", "certificates", "key-pairs", "banks", NULL}};
    uint32_t mask;
    if (!read_bits(l, at, &bits, &mask)) return false;
    *(uint8_t *)out = (uint8_t)mask;
    return true;
}

static bool read_copy(struct loader *l, const config_setting_t *at, void *out)
{
    const char *text = "";
    char **copy = out;
    if (!spdm_device_text(l, at, &text)) return false;
    free(*copy);
    *copy = strdup(text);
    return *copy != NULL || spdm_device_error(l, at, "out of memory");
}

static bool read_state(struct loader *l, const config_setting_t *at, void *out)
{
    const char *text = "";
    char **path = out;
    if (!spdm_device_text(l, at, &text)) return false;
    free(*path);
    *path = spdm_device_path(l, text);
    return *path != NULL || spdm_device_error(l, at, "out of memory");
}

/* A file or a URI and no more, as a handle is opened anew for each alias. */
static bool read_device_key(struct loader *l, const config_setting_t *at, void *out)
{
    const char *text = "";
    (void)out;
    return spdm_device_text(l, at, &text) && spdm_device_open_key(l, at, &l->device->provisioning.device_key);
}

static bool read_trusted_place(struct loader *l, const config_setting_t *at, void *out)
{
    (void)out;
    return spdm_device_flag(l, at, &l->device->policy.trusted_place);
}

bool spdm_device_provisioning(struct loader *l, const config_setting_t *at, void *out)
{
    static const struct field fields[] = {
        {"state", read_state, offsetof(struct spdm_device_provisioning, state)},
        {"allow", read_allow, offsetof(struct spdm_device_provisioning, allow)},
        {"reset", spdm_device_flag, offsetof(struct spdm_device_provisioning, reset)},
        {"subject", read_copy, offsetof(struct spdm_device_provisioning, subject)},
        {"device_info", read_copy, offsetof(struct spdm_device_provisioning, device_info)},
        {"device_key", read_device_key, 0},
        {"trusted_place", read_trusted_place, 0},
        {NULL, NULL, 0}};
    struct spdm_device_provisioning *p = &l->device->provisioning;
    (void)out;
    p->there = true;
    p->allow = SPDM_ALLOW_CSR | SPDM_ALLOW_CERTIFICATES | SPDM_ALLOW_KEY_PAIRS | SPDM_ALLOW_BANKS;
    if (!spdm_device_group(l, at, fields, p)) return false;
    return p->state != NULL || p->allow == 0 ||
           spdm_device_error(l, at, "provisioning needs state, the directory that keeps what the device is given");
}

uint32_t spdm_device_provisioning_flags(const struct spdm_device *d)
{
    const struct spdm_device_provisioning *p = &d->provisioning;
    bool chain = (p->allow & SPDM_ALLOW_CERTIFICATES) != 0, changes = false;
    uint32_t flags = 0;
    if (d->identity.key_pair_n != 0) flags |= SPDM_GET_KEY_PAIR_INFO_CAP;
    for (unsigned i = 0; i < d->identity.key_pair_n; i++) changes = changes || d->pairs[i].capabilities != 0;
    if (!p->there) return flags;
    if (chain) flags |= SPDM_SET_CERT_CAP;
    if (chain && (p->allow & SPDM_ALLOW_CSR) != 0) flags |= SPDM_CSR_CAP;
    if (chain && p->reset) flags |= SPDM_CERT_INSTALL_RESET_CAP;
    if (changes && (p->allow & SPDM_ALLOW_KEY_PAIRS) != 0) flags |= SPDM_SET_KEY_PAIR_INFO_CAP;
    if ((flags & SPDM_SET_KEY_PAIR_INFO_CAP) != 0 && p->reset) flags |= SPDM_SET_KEY_PAIR_RESET_CAP;
    return flags;
}

void spdm_device_provisioning_free(struct spdm_device *d)
{
    for (unsigned i = 0; i < SPDM_DEVICE_KEYS; i++) spdm_device_release(d->pairs[i].public_key_info);
    free(d->provisioning.state);
    free(d->provisioning.subject);
    free(d->provisioning.device_info);
    spdm_state_free(d->state);
}
