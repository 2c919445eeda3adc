/* SPDX-License-Identifier: BSD-3-Clause
 *
 * device_session.c - sessions of a described device, and who may have them.
 *
 * Pre-shared keys by hint; requesters that must prove themselves, and the
 * roots, chain or key by which they are believed. Secrets are wiped when the
 * device is freed. */
#include "port/device_impl.h"
#include "port/x509_read.h"

#include <stdlib.h>
#include <string.h>

/* ---- sessions ---- */

static bool read_byte(struct loader *l, const config_setting_t *at, uint32_t max, uint8_t *out)
{
    uint32_t v;
    if (!spdm_device_bounded(l, at, 0, max, &v)) return false;
    *out = (uint8_t)v;
    return true;
}

static bool read_count(struct loader *l, const config_setting_t *at, void *out)
{
    (void)out;
    return spdm_device_bounded(l, at, 0, 1024, &l->device->sessions);
}

static bool read_heartbeat(struct loader *l, const config_setting_t *at, void *out)
{
    (void)out;
    return read_byte(l, at, 255, &l->device->policy.heartbeat);
}

static bool read_random(struct loader *l, const config_setting_t *at, void *out)
{
    (void)out;
    return read_byte(l, at, 32, &l->device->policy.record_random);
}

static bool read_secured_versions(struct loader *l, const config_setting_t *at, void *out)
{
    static const char *const names[] = {"1.0", "1.1", "1.2", "1.3"};
    uint8_t *versions = &l->device->policy.secured_versions;
    const char *word;
    (void)out;
    if (!spdm_device_words(l, at)) return false;
    *versions = 0;
    for (int i = 0; (word = spdm_device_word(at, i)) != NULL; i++) {
        unsigned v = 0;
        while (v < 4 && strcmp(names[v], word) != 0) v++;
        if (v == 4)
            return spdm_device_error(
                l, at, "there is no version \"%s\" of secured messages; known are 1.0, 1.1, 1.2, 1.3", word);
        *versions = (uint8_t)(*versions | 1u << v);
    }
    return true;
}

struct psk_setting {
    const char *hint, *hint_hex, *file, *text, *hex;
};

static bool take_hint(struct loader *l, const config_setting_t *at, const struct psk_setting *s,
                      struct spdm_device_psk *psk)
{
    struct spdm_span text = {(const uint8_t *)s->hint, s->hint != NULL ? strlen(s->hint) : 0};
    if (s->hint != NULL && s->hint_hex != NULL)
        return spdm_device_error(l, at, "hint and hint_hex say the same twice; name one of them");
    if (s->hint_hex != NULL) return spdm_device_hex(l, at, s->hint_hex, &psk->hint);
    return s->hint == NULL || spdm_device_copy(l, at, text, &psk->hint);
}

static bool take_secret(struct loader *l, const config_setting_t *at, const struct psk_setting *s,
                        struct spdm_device_psk *psk)
{
    struct spdm_span text = {(const uint8_t *)s->text, s->text != NULL ? strlen(s->text) : 0};
    bool fine = true;
    if ((s->file != NULL) + (s->text != NULL) + (s->hex != NULL) != 1)
        return spdm_device_error(l, at, "a pre-shared key needs exactly one of file, text, hex");
    if (s->file != NULL) psk->secret = spdm_device_file(l, at, s->file);
    else if (s->hex != NULL) fine = spdm_device_hex(l, at, s->hex, &psk->secret);
    else fine = spdm_device_copy(l, at, text, &psk->secret);
    if (!fine || psk->secret.p == NULL) return false;
    return psk->secret.n != 0 || spdm_device_error(l, at, "the pre-shared key is empty");
}

static bool same_hint(const struct spdm_device_psk *psk, struct spdm_span hint)
{
    if (psk->hint.p == NULL || hint.p == NULL) return psk->hint.p == NULL && hint.p == NULL;
    return psk->hint.n == hint.n && memcmp(psk->hint.p, hint.p, hint.n) == 0;
}

static bool read_psk(struct loader *l, const config_setting_t *at)
{
    static const struct field fields[] = {{"hint", spdm_device_text, offsetof(struct psk_setting, hint)},
                                          {"hint_hex", spdm_device_text, offsetof(struct psk_setting, hint_hex)},
                                          {"file", spdm_device_text, offsetof(struct psk_setting, file)},
                                          {"text", spdm_device_text, offsetof(struct psk_setting, text)},
                                          {"hex", spdm_device_text, offsetof(struct psk_setting, hex)},
                                          {NULL, NULL, 0}};
    struct spdm_device *d = l->device;
    struct psk_setting s = {0};
    struct spdm_device_psk *psk = &d->psks[d->psk_n];
    if (!spdm_device_group(l, at, fields, &s)) return false;
    if (d->psk_n == SPDM_DEVICE_PSKS)
        return spdm_device_error(l, at, "there can be %u pre-shared keys only", SPDM_DEVICE_PSKS);
    d->psk_n++;
    if (!take_hint(l, at, &s, psk) || !take_secret(l, at, &s, psk)) return false;
    for (size_t i = 0; i + 1 < d->psk_n; i++)
        if (same_hint(&d->psks[i], psk->hint))
            return spdm_device_error(l, at,
                                     psk->hint.p == NULL ? "two pre-shared keys without a hint"
                                                         : "two pre-shared keys have this hint");
    return true;
}

static bool read_psks(struct loader *l, const config_setting_t *at, void *out)
{
    (void)out;
    if (!config_setting_is_list(at))
        return spdm_device_error(l, at, "psks must be a list of groups: ( { hint = \"...\"; file = \"...\"; } )");
    for (int i = 0; i < config_setting_length(at); i++)
        if (!read_psk(l, config_setting_get_elem(at, (unsigned)i))) return false;
    return true;
}

bool spdm_device_sessions(struct loader *l, const config_setting_t *at, void *out)
{
    static const struct field fields[] = {
        {"count", read_count, 0},   {"heartbeat", read_heartbeat, 0}, {"secured_versions", read_secured_versions, 0},
        {"random", read_random, 0}, {"psks", read_psks, 0},           {NULL, NULL, 0}};
    (void)out;
    return spdm_device_group(l, at, fields, l->device);
}

const struct spdm_device_psk *spdm_device_psk(const struct spdm_device *d, struct spdm_span hint)
{
    const struct spdm_device_psk *any = NULL;
    if (hint.p == NULL) hint.p = (const uint8_t *)""; /* an empty hint is one, too */
    for (size_t i = 0; i < d->psk_n; i++) {
        if (d->psks[i].hint.p == NULL) any = &d->psks[i];
        else if (same_hint(&d->psks[i], hint)) return &d->psks[i];
    }
    return any;
}

/* ---- requesters ---- */

enum { KNOWN = 1, ENCAPSULATED = 2, DIGESTS = 4 }; /* MutAuthRequested */

struct requester_setting {
    const config_setting_t *authentication, *trust;
    const char *chain, *public_key;
    uint32_t slot;
    bool required, has_required;
};

static bool read_words(struct loader *l, const config_setting_t *at, void *out)
{
    *(const config_setting_t **)out = at;
    return spdm_device_words(l, at);
}

static bool read_required(struct loader *l, const config_setting_t *at, void *out)
{
    struct requester_setting *s = out;
    s->has_required = true;
    return spdm_device_flag(l, at, &s->required);
}

static bool read_slot(struct loader *l, const config_setting_t *at, void *out)
{
    return spdm_device_bounded(l, at, 0, SPDM_SLOT_N - 1, out);
}

/* How they are asked; "basic" goes with one of the others. */
static bool take_authentication(struct loader *l, const config_setting_t *at)
{
    static const struct {
        const char *name;
        uint8_t mut_auth;
    } modes[] = {{"none", 0}, {"basic", 0}, {"known", KNOWN}, {"encapsulated", ENCAPSULATED}, {"digests", DIGESTS}};
    struct spdm_policy *p = &l->device->policy;
    const char *word;
    int n = 0;
    bool none = false;
    for (; (word = spdm_device_word(at, n)) != NULL; n++) {
        size_t i = 0;
        while (i < 5 && strcmp(modes[i].name, word) != 0) i++;
        if (i == 5)
            return spdm_device_error(
                l, at, "authentication \"%s\": none, basic, known, encapsulated or digests expected", word);
        if (modes[i].mut_auth != 0 && p->mut_auth != 0)
            return spdm_device_error(l, at, "known, encapsulated and digests exclude each other");
        if (modes[i].mut_auth != 0) p->mut_auth = modes[i].mut_auth;
        if (i == 1) p->basic_mut_auth = true;
        none = none || i == 0;
    }
    return !none || n == 1 || spdm_device_error(l, at, "authentication is none, and something else");
}

static bool take_roots(struct loader *l, const config_setting_t *at)
{
    struct spdm_device_requesters *r = &l->device->requesters;
    char cause[SPDM_CAUSE_MAX] = "";
    const char *word;
    r->judge = spdm_judge_open(l->ossl);
    if (r->judge == NULL) return spdm_device_error(l, at, "out of memory");
    for (int i = 0; (word = spdm_device_word(at, i)) != NULL; i++) {
        char *path = spdm_device_path(l, word);
        unsigned n = path != NULL ? spdm_judge_trust(r->judge, path, cause) : 0;
        free(path);
        if (n == 0) return spdm_device_error(l, at, "trust: %s", cause);
    }
    return true;
}

/* The key of the last certificate; the first is the root of the chain structure. */
static bool take_chain(struct loader *l, const config_setting_t *at, const char *name)
{
    struct spdm_device_requesters *r = &l->device->requesters;
    struct spdm_x509 certificate = {0};
    struct spdm_span rest;
    char cause[SPDM_CAUSE_MAX] = "";
    r->chain = spdm_device_certificates(l, at, name);
    if (r->chain.n == 0) return false;
    for (rest = r->chain; rest.n != 0;) {
        size_t n = spdm_x509_length(rest);
        if (n == 0 || n > rest.n || !spdm_x509_read((struct spdm_span){rest.p, n}, 0, &certificate))
            return spdm_device_error(l, at, "%s: a certificate is malformed", name);
        if (rest.p == r->chain.p) r->root = certificate.der;
        rest = (struct spdm_span){rest.p + n, rest.n - n};
    }
    r->key = spdm_openssl_key_open(l->ossl, certificate.spki, cause);
    return r->key != NULL || spdm_device_error(l, at, "%s: the leaf's key cannot be used: %s", name, cause);
}

static bool take_public_key(struct loader *l, const config_setting_t *at, const char *name)
{
    struct spdm_device_requesters *r = &l->device->requesters;
    char cause[SPDM_CAUSE_MAX] = "";
    r->public_key = spdm_device_spki(l, at, name);
    if (r->public_key.n == 0) return false;
    r->key = spdm_openssl_key_open(l->ossl, r->public_key, cause);
    return r->key != NULL || spdm_device_error(l, at, "%s: the key cannot be used: %s", name, cause);
}

/* What was asked for must be possible, and what was given must be of use. */
static bool check_requesters(struct loader *l, const config_setting_t *at, const struct requester_setting *s)
{
    struct spdm_policy *p = &l->device->policy;
    bool chains = p->mut_auth == ENCAPSULATED || p->mut_auth == DIGESTS || p->basic_mut_auth;
    bool known = s->chain != NULL || s->public_key != NULL;
    if (chains && s->trust == NULL)
        return spdm_device_error(l, at, "basic, encapsulated and digests need trust: the roots of requesters");
    if (p->mut_auth == KNOWN && !known)
        return spdm_device_error(l, at, "known needs the chain or the public_key of the requester");
    if (s->chain != NULL && s->public_key != NULL)
        return spdm_device_error(l, at, "chain and public_key exclude each other");
    if (p->mut_auth != KNOWN && known)
        return spdm_device_error(l, at, "chain and public_key are for the authentication known");
    if (s->required && p->mut_auth == 0)
        return spdm_device_error(l, at, "required needs the authentication known, encapsulated or digests");
    return true;
}

static bool take_requesters(struct loader *l, const config_setting_t *at, const struct requester_setting *s)
{
    struct spdm_policy *p = &l->device->policy;
    if (s->authentication != NULL && !take_authentication(l, s->authentication)) return false;
    if (s->authentication == NULL && s->trust == NULL && s->chain == NULL && s->public_key == NULL)
        return spdm_device_error(l, at, "requesters needs trust, chain or public_key");
    if (s->authentication == NULL) p->mut_auth = s->trust != NULL ? ENCAPSULATED : KNOWN;
    if (!check_requesters(l, at, s)) return false;
    p->mut_auth_required = s->has_required ? s->required : p->mut_auth != 0;
    p->mut_auth_slot = s->public_key != NULL ? SPDM_SLOT_KEY : (uint8_t)s->slot;
    if (s->trust != NULL && !take_roots(l, s->trust)) return false;
    if (s->chain != NULL) return take_chain(l, at, s->chain);
    return s->public_key == NULL || take_public_key(l, at, s->public_key);
}

bool spdm_device_requesters(struct loader *l, const config_setting_t *at, void *out)
{
    static const struct field fields[] = {
        {"authentication", read_words, offsetof(struct requester_setting, authentication)},
        {"required", read_required, 0},
        {"trust", read_words, offsetof(struct requester_setting, trust)},
        {"chain", spdm_device_text, offsetof(struct requester_setting, chain)},
        {"public_key", spdm_device_text, offsetof(struct requester_setting, public_key)},
        {"slot", read_slot, offsetof(struct requester_setting, slot)},
        {NULL, NULL, 0}};
    struct requester_setting s = {0};
    (void)out;
    return spdm_device_group(l, at, fields, &s) && take_requesters(l, at, &s);
}

static bool digest_of(struct spdm_openssl *ossl, enum spdm_alg hash, const struct spdm_span part[4],
                      uint8_t out[SPDM_HASH_MAX])
{
    const struct spdm_crypto *crypto = spdm_openssl_crypto();
    void *state = calloc(1, crypto->hash_state_size);
    bool fine = state != NULL && crypto->hash_begin(ossl, state, hash);
    for (unsigned i = 0; fine && i < 4; i++) fine = part[i].n == 0 || crypto->hash_update(ossl, state, part[i]);
    fine = fine && crypto->hash_peek(ossl, state, out);
    if (state != NULL) crypto->hash_end(ossl, state);
    free(state);
    return fine;
}

bool spdm_device_requester_digest(const struct spdm_device *d, struct spdm_openssl *ossl, enum spdm_alg hash,
                                  uint8_t out[SPDM_HASH_MAX])
{
    const struct spdm_device_requesters *r = &d->requesters;
    struct spdm_span parts[4] = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
    size_t h = spdm_algorithm(hash)->size, n = 4 + h + r->chain.n;
    uint8_t head[4] = {(uint8_t)n, (uint8_t)(n >> 8)}, root[SPDM_HASH_MAX];
    if (r->key == NULL || h == 0) return false;
    parts[0] = r->public_key;
    if (r->chain.n == 0) return digest_of(ossl, hash, parts, out);
    parts[0] = r->root;
    if (n > 0xffff || !digest_of(ossl, hash, parts, root)) return false;
    parts[0] = (struct spdm_span){head, 4}; /* Length, Reserved, RootHash, certificates */
    parts[1] = (struct spdm_span){root, h};
    parts[2] = r->chain;
    return digest_of(ossl, hash, parts, out);
}

/* ---- the end ---- */

void spdm_device_sessions_free(struct spdm_device *d)
{
    for (size_t i = 0; i < d->psk_n; i++) {
        spdm_device_release(d->psks[i].hint);
        spdm_device_wipe(d->psks[i].secret);
    }
    spdm_openssl_key_free(d->requesters.key);
    if (d->requesters.judge != NULL) spdm_judge_close(d->requesters.judge);
    spdm_device_release(d->requesters.chain);
    spdm_device_release(d->requesters.public_key);
}
