/* SPDX-License-Identifier: BSD-3-Clause
 *
 * device_identity.c - slots: chain, root, key, and that they belong together.
 *
 * The first certificate of a chain is the root or was issued by it; the key is
 * that of the last. A key that two slots name is opened once, with a crypto
 * back end of its own so that it can sign on another thread; it is lent, since
 * the threads outlive the device (spdm_openssl_lend). */
#include "port/device_impl.h"
#include "port/x509_read.h"

#include <assay/errand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A key as the description gives it: one text, or a group. */
struct key_setting {
    const config_setting_t *at;
    const char *uri, *properties, *config;
    const char *providers[8];
    bool whole; /* uri is a path from here, not from where the description is */
};

struct slot_setting {
    const char *chain, *root;
    uint32_t slot, key_pair; /* key_pair: 0 if it is not named */
    uint8_t model;
    uint16_t usage;
    struct key_setting key;
};

/* Where slots go: the identity's, or those of a bank. */
struct slot_place {
    struct spdm_slot *slot;
    struct spdm_device_key **key;
    uint8_t *supported;
    uint32_t next;
};

/* ---- keys ---- */

static bool read_providers(struct loader *l, const config_setting_t *at, void *out)
{
    struct key_setting *k = out;
    const char *word;
    if (!spdm_device_words(l, at)) return false;
    for (int i = 0; (word = spdm_device_word(at, i)) != NULL; i++) {
        if (i == 7) return spdm_device_error(l, at, "more than 7 providers for one key");
        k->providers[i] = word;
    }
    return true;
}

static bool read_key(struct loader *l, const config_setting_t *at, void *out)
{
    static const struct field fields[] = {{"uri", spdm_device_text, offsetof(struct key_setting, uri)},
                                          {"properties", spdm_device_text, offsetof(struct key_setting, properties)},
                                          {"providers", read_providers, 0},
                                          {"config", spdm_device_text, offsetof(struct key_setting, config)},
                                          {NULL, NULL, 0}};
    struct key_setting *k = out;
    k->at = at;
    if (!config_setting_is_group(at)) return spdm_device_text(l, at, &k->uri);
    return spdm_device_group(l, at, fields, k);
}

/* A URI has a scheme of two letters or more; everything else is a file. */
static char *uri_of(const struct loader *l, const char *text)
{
    size_t n = strcspn(text, ":/");
    return text[n] == ':' && n > 1 ? strdup(text) : spdm_device_path(l, text);
}

/* A back end that has been in use may have lost what it needs (a TPM that was restarted): then a new one is tried. */
static bool open_signer(struct loader *l, const struct key_setting *s, struct spdm_device_key *k, char *cause)
{
    struct spdm_openssl_options own = {.propq = s->properties, .config = s->config};
    struct spdm_signer_options options = {.uri = k->uri};
    bool again = true;
    if (s->providers[0] != NULL) own.providers = s->providers;
    while (again) {
        k->ossl = spdm_openssl_lend(l->ossl, &own, cause);
        if (k->ossl == NULL) return false;
        k->signer = spdm_signer_open(k->ossl, &options, cause);
        if (k->signer != NULL) return true;
        again = spdm_openssl_drop(k->ossl);
        k->ossl = NULL;
    }
    return false;
}

static bool open_key(struct loader *l, const struct key_setting *s, struct spdm_device_key **out)
{
    struct spdm_device *d = l->device;
    struct spdm_device_key *k = &d->keys[d->key_n];
    char cause[SPDM_CAUSE_MAX] = "";
    char *uri;
    if (s->uri == NULL) return spdm_device_error(l, s->at, "the key has no uri");
    uri = s->whole ? strdup(s->uri) : uri_of(l, s->uri);
    if (uri == NULL) return spdm_device_error(l, s->at, "out of memory");
    for (size_t i = 0; i < d->key_n; i++) {
        if (strcmp(d->keys[i].uri, uri) != 0) continue;
        free(uri);
        *out = &d->keys[i];
        return true;
    }
    if (d->key_n == SPDM_DEVICE_KEYS) {
        free(uri);
        return spdm_device_error(l, s->at, "a device can have %u keys only", SPDM_DEVICE_KEYS);
    }
    k->uri = uri;
    d->key_n++;
    if (!open_signer(l, s, k, cause)) return spdm_device_error(l, s->at, "key \"%s\": %s", s->uri, cause);
    *out = k;
    return true;
}

/* ---- settings of a slot ---- */

static bool read_slot_number(struct loader *l, const config_setting_t *at, void *out)
{
    if (!spdm_device_number(l, at, out)) return false;
    if (*(uint32_t *)out < SPDM_SLOT_N) return true;
    return spdm_device_error(l, at, "slot is %u, 0 to %u allowed", *(uint32_t *)out, SPDM_SLOT_N - 1);
}

static bool read_model(struct loader *l, const config_setting_t *at, void *out)
{
    static const char *const names[] = {"device", "alias", "generic"};
    const char *text = "";
    if (!spdm_device_text(l, at, &text)) return false;
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(names[i], text) != 0) continue;
        *(uint8_t *)out = (uint8_t)(SPDM_CERT_DEVICE + i);
        return true;
    }
    return spdm_device_error(l, at, "model \"%s\": device, alias or generic expected", text);
}

bool spdm_device_usage(struct loader *l, const config_setting_t *at, void *out)
{
    static const char *const names[] = {"key-exchange", "challenge", "measurement", "endpoint-info"};
    const char *word;
    if (!spdm_device_words(l, at)) return false;
    *(uint16_t *)out = 0;
    for (int i = 0; (word = spdm_device_word(at, i)) != NULL; i++) {
        unsigned bit = 0;
        while (bit < 4 && strcmp(names[bit], word) != 0) bit++;
        if (bit == 4)
            return spdm_device_error(l, at,
                                     "usage \"%s\": key-exchange, challenge, measurement or endpoint-info "
                                     "expected",
                                     word);
        *(uint16_t *)out = (uint16_t)(*(uint16_t *)out | 1u << bit);
    }
    return true;
}

static bool read_key_pair(struct loader *l, const config_setting_t *at, void *out)
{
    if (!spdm_device_number(l, at, out)) return false;
    if (*(uint32_t *)out >= 1 && *(uint32_t *)out <= 255) return true;
    return spdm_device_error(l, at, "key_pair is %u, 1 to 255 allowed", *(uint32_t *)out);
}

/* ---- chain, root and key belong together ---- */

static bool take_certificate(struct spdm_span *rest, struct spdm_x509 *out)
{
    size_t n = spdm_x509_length(*rest);
    if (n == 0 || n > rest->n || !spdm_x509_read((struct spdm_span){rest->p, n}, 0, out)) return false;
    rest->p += n;
    rest->n -= n;
    return true;
}

static bool check_root(struct loader *l, const config_setting_t *at, struct spdm_slot *slot,
                       const struct spdm_x509 *first)
{
    if (slot->root.n == 0) {
        if (!spdm_x509_self_issued(first))
            return spdm_device_error(l, at,
                                     "the chain does not begin with a root certificate; name it with root = "
                                     "\"FILE\"");
        slot->root = first->der;
        return true;
    }
    struct spdm_x509 root;
    struct spdm_span rest = slot->root;
    if (!take_certificate(&rest, &root) || rest.n != 0)
        return spdm_device_error(l, at, "root must hold exactly one certificate");
    if (root.der.n == first->der.n && memcmp(root.der.p, first->der.p, root.der.n) == 0) return true;
    return spdm_x509_same_name(first->issuer, root.subject) ||
           spdm_device_error(l, at, "the first certificate of the chain was not issued by the root given");
}

static bool check_key(struct loader *l, const config_setting_t *at, struct spdm_span spki,
                      const struct spdm_device_key *key, const char *of)
{
    return spdm_device_key_has(l, spki, key) || spdm_device_error(l, at, "the key \"%s\" (%s) is not the one of the %s",
                                                                  key->uri, spdm_signer_name(key->signer), of);
}

bool spdm_device_key_has(struct loader *l, struct spdm_span spki, const struct spdm_device_key *key)
{
    struct spdm_openssl_key *leaf = spdm_openssl_key_open(l->ossl, spki, NULL);
    bool same = leaf != NULL && spdm_signer_matches(key->signer, leaf);
    spdm_openssl_key_free(leaf);
    return same;
}

bool spdm_device_chain(struct loader *l, const config_setting_t *at, struct spdm_slot *slot, struct spdm_span *spki)
{
    struct spdm_x509 first, last;
    struct spdm_span rest = slot->certificates;
    if (!take_certificate(&rest, &first)) return spdm_device_error(l, at, "the first certificate is malformed");
    last = first;
    for (unsigned n = 2; rest.n != 0; n++)
        if (!take_certificate(&rest, &last))
            return spdm_device_error(l, at, "certificate %u is malformed (%s)", n,
                                     last.wrong != NULL ? last.wrong : "length");
    *spki = last.spki;
    return check_root(l, at, slot, &first);
}

/* The key of a slot: its own, or that of the key pair it names. */
static bool slot_key(struct loader *l, const config_setting_t *at, const struct slot_setting *s,
                     struct spdm_device_key **key)
{
    if (s->key.at != NULL) return open_key(l, &s->key, key);
    if (s->key_pair == 0 || s->key_pair > l->device->identity.key_pair_n) return true;
    *key = l->device->pair_key[s->key_pair - 1];
    return *key != NULL || s->chain == NULL ||
           spdm_device_error(l, at, "slot %u has a chain, but key pair %u no key", s->slot, s->key_pair);
}

static bool fill_slot(struct loader *l, const config_setting_t *at, const struct slot_setting *s,
                      const struct slot_place *place)
{
    struct spdm_slot *slot = &place->slot[s->slot];
    struct spdm_device_key **key = &place->key[s->slot];
    struct spdm_span spki = {NULL, 0};
    slot->model = s->model;
    slot->key_pair_id = (uint8_t)(s->key_pair != 0 ? s->key_pair : s->slot + 1);
    slot->usage = s->usage;
    if (s->chain != NULL) slot->certificates = spdm_device_certificates(l, at, s->chain);
    if (s->chain != NULL && slot->certificates.n == 0) return false;
    if (s->root != NULL) slot->root = spdm_device_certificates(l, at, s->root);
    if (s->root != NULL && slot->root.n == 0) return false;
    if (s->chain != NULL && !spdm_device_chain(l, at, slot, &spki)) return false;
    if (!slot_key(l, at, s, key)) return false;
    if (*key != NULL) slot->signs = spdm_signer_algorithms((*key)->signer);
    if (s->chain == NULL) return true;
    if (*key == NULL) return spdm_device_error(l, at, "slot %u has a chain but no key", s->slot);
    return check_key(l, s->key.at != NULL ? s->key.at : at, spki, *key, "certificate");
}

static bool read_slot(struct loader *l, const config_setting_t *at, struct slot_place *place)
{
    static const struct field fields[] = {{"slot", read_slot_number, offsetof(struct slot_setting, slot)},
                                          {"chain", spdm_device_text, offsetof(struct slot_setting, chain)},
                                          {"root", spdm_device_text, offsetof(struct slot_setting, root)},
                                          {"key", read_key, offsetof(struct slot_setting, key)},
                                          {"model", read_model, offsetof(struct slot_setting, model)},
                                          {"key_pair", read_key_pair, offsetof(struct slot_setting, key_pair)},
                                          {"usage", spdm_device_usage, offsetof(struct slot_setting, usage)},
                                          {NULL, NULL, 0}};
    struct slot_setting s = {.slot = place->next,
                             .model = SPDM_CERT_DEVICE,
                             .usage = SPDM_USE_KEY_EX | SPDM_USE_CHALLENGE | SPDM_USE_MEASUREMENT};
    if (!spdm_device_group(l, at, fields, &s)) return false;
    if (s.slot >= SPDM_SLOT_N) return spdm_device_error(l, at, "there are %u slots only", SPDM_SLOT_N);
    if ((*place->supported & 1u << s.slot) != 0) return spdm_device_error(l, at, "slot %u is described twice", s.slot);
    *place->supported = (uint8_t)(*place->supported | 1u << s.slot);
    place->next = s.slot + 1;
    if (s.chain == NULL && s.root != NULL) return spdm_device_error(l, at, "slot %u has no chain", s.slot);
    if (s.chain == NULL && s.key.at != NULL && !l->provisioned)
        return spdm_device_error(l, at, "slot %u has no chain, and without the group provisioning none can come",
                                 s.slot);
    return fill_slot(l, at, &s, place);
}

static bool read_slots(struct loader *l, const config_setting_t *at, struct slot_place *place)
{
    if (!config_setting_is_list(at))
        return spdm_device_error(l, at, "slots must be a list of groups: ( { chain = \"...\"; key = \"...\"; } )");
    for (int i = 0; i < config_setting_length(at); i++)
        if (!read_slot(l, config_setting_get_elem(at, (unsigned)i), place)) return false;
    return true;
}

bool spdm_device_slots(struct loader *l, const config_setting_t *at, void *out)
{
    struct spdm_device *d = l->device;
    struct slot_place place = {d->identity.slot, d->slot_key, &d->identity.supported, 0};
    (void)out;
    return read_slots(l, at, &place);
}

bool spdm_device_bank_slots(struct loader *l, const config_setting_t *at, void *out)
{
    struct spdm_device *d = l->device;
    struct spdm_bank *bank = out;
    struct slot_place place = {bank->slot, d->bank_key[bank - d->banks], &bank->slots, 0};
    return read_slots(l, at, &place);
}

bool spdm_device_open_key(struct loader *l, const config_setting_t *at, void *out)
{
    struct key_setting s = {0};
    return read_key(l, at, &s) && open_key(l, &s, out);
}

bool spdm_device_open_kept(struct loader *l, const char *path, struct spdm_device_key **out)
{
    const struct key_setting s = {.uri = path, .whole = true};
    return open_key(l, &s, out);
}

bool spdm_device_public_key(struct loader *l, const config_setting_t *at, void *out)
{
    struct public_setting {
        const char *file;
        struct key_setting key;
    } s = {0};
    static const struct field fields[] = {{"file", spdm_device_text, offsetof(struct public_setting, file)},
                                          {"key", read_key, offsetof(struct public_setting, key)},
                                          {NULL, NULL, 0}};
    struct spdm_device *d = l->device;
    (void)out;
    if (!spdm_device_group(l, at, fields, &s)) return false;
    if (s.file == NULL || s.key.at == NULL)
        return spdm_device_error(l, at, "public_key needs file and key: { file = \"...\"; key = \"...\"; }");
    d->identity.public_key = spdm_device_spki(l, at, s.file);
    if (d->identity.public_key.n == 0 || !open_key(l, &s.key, &d->raw_key)) return false;
    d->identity.public_key_signs = spdm_signer_algorithms(d->raw_key->signer);
    return check_key(l, s.key.at, d->identity.public_key, d->raw_key, "public key");
}

/* ---- the device as a whole ---- */

struct spdm_device_key *spdm_device_key(const struct spdm_device *d, uint8_t slot, enum spdm_alg alg)
{
    uint32_t bit = spdm_key_pair_bit(alg);
    bool pqc = spdm_algorithm(alg)->cls == SPDM_CLASS_PQC;
    if (slot == SPDM_SLOT_KEY) return d->raw_key;
    if (slot >= SPDM_SLOT_N) return NULL;
    for (unsigned i = 0; i < d->identity.key_pair_n; i++)
        if ((d->pairs[i].slots >> slot & 1) != 0 && (pqc ? d->pairs[i].pqc : d->pairs[i].asym) == bit)
            return d->pair_key[i];
    for (unsigned i = 0; i < d->identity.bank_n; i++)
        if ((pqc ? d->banks[i].pqc : d->banks[i].asym) == bit) return d->bank_key[i][slot];
    return d->slot_key[slot];
}

static void free_slot(const struct spdm_slot *s)
{
    bool inside = s->root.p == s->certificates.p; /* the chain's own first certificate */
    if (!inside) spdm_device_release(s->root);
    spdm_device_release(s->certificates);
}

void spdm_device_empty_slot(struct spdm_slot *s)
{
    free_slot(s);
    s->root = s->certificates = (struct spdm_span){NULL, 0};
}

void spdm_device_free(struct spdm_device *d)
{
    if (d == NULL) return;
    for (unsigned i = 0; i < SPDM_SLOT_N; i++) {
        free_slot(&d->identity.slot[i]);
        for (unsigned bank = 0; bank < SPDM_DEVICE_BANKS; bank++) free_slot(&d->banks[bank].slot[i]);
    }
    spdm_device_release(d->identity.public_key);
    spdm_device_provisioning_free(d);
    spdm_device_reports_free(d);
    for (size_t i = 0; i < d->measurement_n; i++) spdm_device_release(d->measurements[i].value);
    for (size_t i = 0; i < d->key_n; i++) {
        spdm_signer_close(d->keys[i].signer);
        spdm_openssl_give_back(d->keys[i].ossl);
    }
    for (size_t i = 0; d->keys != NULL && i < SPDM_DEVICE_KEYS; i++) free(d->keys[i].uri);
    spdm_device_release((struct spdm_span){d->policy.hashes, 0});
    spdm_device_release((struct spdm_span){d->policy.signatures, 0});
    spdm_device_release((struct spdm_span){d->policy.exchanges, 0});
    spdm_device_release((struct spdm_span){d->policy.aeads, 0});
    spdm_device_release((struct spdm_span){d->policy.req_signatures, 0});
    spdm_device_sessions_free(d);
    free(d->keys);
    free(d->name);
    free(d);
}

/* ", 4 sessions (by 2 pre-shared keys), requesters: basic, digests, required" */
static size_t describe_sessions(const struct spdm_device *d, char *out, size_t cap)
{
    static const char *const modes[] = {[1] = " known,", [2] = " encapsulated,", [4] = " digests,"};
    const struct spdm_policy *p = &d->policy;
    size_t n = 0;
    if ((p->flags & (SPDM_KEY_EX_CAP | SPDM_PSK_CAP_MASK)) == 0) return (size_t)snprintf(out, cap, " no sessions,");
    n = (size_t)snprintf(out, cap, " %u session%s", d->sessions, d->sessions == 1 ? "" : "s");
    if ((p->flags & SPDM_PSK_CAP_MASK) != 0 && n < cap)
        n += (size_t)snprintf(out + n, cap - n, " (by %s%zu pre-shared key%s)",
                              (p->flags & SPDM_KEY_EX_CAP) != 0 ? "key exchange or " : "", d->psk_n,
                              d->psk_n == 1 ? "" : "s");
    if (n < cap) n += (size_t)snprintf(out + n, cap - n, ",");
    if ((p->mut_auth != 0 || p->basic_mut_auth) && n < cap)
        n += (size_t)snprintf(out + n, cap - n, " requesters:%s%s%s", p->basic_mut_auth ? " basic," : "",
                              p->mut_auth != 0 ? modes[p->mut_auth] : "", p->mut_auth_required ? " required," : "");
    return n;
}

/* " 2 banks, 3 key pairs," */
static size_t describe_given(const struct spdm_device *d, char *out, size_t cap)
{
    size_t n = 0;
    if (d->identity.bank_n != 0) n = (size_t)snprintf(out, cap, " %u banks of slots,", d->identity.bank_n);
    if (d->identity.key_pair_n != 0 && n < cap)
        n += (size_t)snprintf(out + n, cap - n, " %u key pair%s,", d->identity.key_pair_n,
                              d->identity.key_pair_n == 1 ? "" : "s");
    if (d->state != NULL && d->state->slot_n != 0 && n < cap)
        n += (size_t)snprintf(out + n, cap - n, " certificates of %u slot%s from %s,", d->state->slot_n,
                              d->state->slot_n == 1 ? "" : "s", d->provisioning.state);
    return n;
}

void spdm_device_describe(const struct spdm_device *d, char *out, size_t cap)
{
    const uint8_t *v = d->policy.versions;
    size_t n = (size_t)snprintf(out, cap, "%s:", d->name), last = strlen((const char *)v) - 1;
    for (unsigned i = 0; i < SPDM_SLOT_N && n < cap; i++)
        if (d->identity.slot[i].certificates.n != 0)
            n += (size_t)snprintf(out + n, cap - n, " slot %u (%s),", i, spdm_signer_name(d->slot_key[i]->signer));
    n += describe_given(d, out + n, n < cap ? cap - n : 0);
    if (d->raw_key != NULL && n < cap)
        n += (size_t)snprintf(out + n, cap - n, " public key (%s),", spdm_signer_name(d->raw_key->signer));
    if (n < cap)
        n += (size_t)snprintf(out + n, cap - n, " %zu measurement%s,", d->measurement_n,
                              d->measurement_n == 1 ? "" : "s");
    if (n < cap) n += describe_sessions(d, out + n, cap - n);
    if (n < cap) n += (size_t)snprintf(out + n, cap - n, " SPDM");
    for (size_t i = 0; i <= last && n < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s %u.%u", i != 0 ? "," : "", (unsigned)v[i] >> 4, v[i] & 15u);
}
