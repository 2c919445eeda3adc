/* SPDX-License-Identifier: BSD-3-Clause
 *
 * device_algorithms.c - the lists of algorithms of a description, and those it leaves out.
 *
 * What is named must exist and be in the crypto library; what is left out is
 * all that the library has, best first, and of signatures what the keys make. */
#include "port/device_impl.h"

#include <stdlib.h>
#include <string.h>

/* What a list may hold. */
struct kind {
    const char *what, *names;
    unsigned classes; /* bit per enum spdm_class */
};
#define CLASS(c) (1u << SPDM_CLASS_##c)

static const struct kind hashes = {"hash", "SHA_384, SHA3_256", CLASS(HASH)},
                         signatures = {"signature", "ECDSA_P384, RSAPSS_3072", CLASS(ASYM) | CLASS(PQC)},
                         exchanges = {"key exchange", "SECP384R1, FFDHE_3072", CLASS(DHE) | CLASS(KEM)},
                         aeads = {"AEAD", "AES_256_GCM, CHACHA20_POLY1305", CLASS(AEAD)};

/* Algorithms by name into a list that ends with 0; the list belongs to the device for its life. */
static bool read_list(struct loader *l, const config_setting_t *at, const struct kind *kind, const uint8_t **out)
{
    uint8_t *list = calloc(SPDM_ALG_N + 1, 1);
    const char *word;
    spdm_device_release((struct spdm_span){*out, 0});
    *out = list;
    if (list == NULL) return spdm_device_error(l, at, "out of memory");
    if (!spdm_device_words(l, at)) return false;
    for (int i = 0, n = 0; (word = spdm_device_word(at, i)) != NULL; i++) {
        enum spdm_alg alg = spdm_algorithm_named(word);
        if (alg == SPDM_ALG_NONE || (kind->classes >> spdm_algorithm(alg)->cls & 1) == 0)
            return spdm_device_error(l, at, "there is no %s algorithm \"%s\"; names are as in %s", kind->what, word,
                                     kind->names);
        if (!spdm_openssl_crypto()->supports(l->ossl, alg))
            return spdm_device_error(l, at, "%s is not supported by this OpenSSL", word);
        if (strchr((const char *)list, (int)alg) == NULL) list[n++] = (uint8_t)alg;
    }
    return true;
}

static bool read_hashes(struct loader *l, const config_setting_t *at, void *out)
{
    return read_list(l, at, &hashes, out);
}

static bool read_signatures(struct loader *l, const config_setting_t *at, void *out)
{
    return read_list(l, at, &signatures, out);
}

static bool read_exchanges(struct loader *l, const config_setting_t *at, void *out)
{
    return read_list(l, at, &exchanges, out);
}

static bool read_aeads(struct loader *l, const config_setting_t *at, void *out)
{
    return read_list(l, at, &aeads, out);
}

static bool read_meas_hash(struct loader *l, const config_setting_t *at, void *out)
{
    const char *text = "";
    enum spdm_alg alg;
    if (!spdm_device_text(l, at, &text)) return false;
    alg = spdm_algorithm_named(text);
    if (strcmp(text, "raw") == 0) *(uint8_t *)out = SPDM_RAW_ONLY;
    else if (spdm_algorithm(alg)->cls == SPDM_CLASS_HASH && spdm_openssl_crypto()->supports(l->ossl, alg))
        *(uint8_t *)out = (uint8_t)alg;
    else
        return spdm_device_error(l, at, "measurement_hash \"%s\": a hash algorithm, as SHA_384, or raw expected", text);
    return true;
}

bool spdm_device_algorithms(struct loader *l, const config_setting_t *at, void *out)
{
    static const struct field fields[] = {
        {"hashes", read_hashes, offsetof(struct spdm_policy, hashes)},
        {"signatures", read_signatures, offsetof(struct spdm_policy, signatures)},
        {"measurement_hash", read_meas_hash, offsetof(struct spdm_policy, meas_hash)},
        {"exchanges", read_exchanges, offsetof(struct spdm_policy, exchanges)},
        {"aeads", read_aeads, offsetof(struct spdm_policy, aeads)},
        {"requester_signatures", read_signatures, offsetof(struct spdm_policy, req_signatures)},
        {NULL, NULL, 0}};
    (void)out;
    return spdm_device_group(l, at, fields, &l->device->policy);
}

/* ---- what was left out ---- */

static const uint8_t hash_order[] = {SPDM_SHA_384,  SPDM_SHA_512,  SPDM_SHA_256, SPDM_SHA3_384,
                                     SPDM_SHA3_512, SPDM_SHA3_256, SPDM_SM3_256, 0};
static const uint8_t exchange_order[] = {SPDM_SECP384R1,
                                         SPDM_SECP256R1,
                                         SPDM_SECP521R1,
                                         SPDM_ML_KEM_768,
                                         SPDM_ML_KEM_1024,
                                         SPDM_ML_KEM_512,
                                         SPDM_FFDHE_3072,
                                         SPDM_FFDHE_4096,
                                         SPDM_FFDHE_2048,
                                         SPDM_DHE_SM2,
                                         0};
static const uint8_t aead_order[] = {SPDM_AES_256_GCM, SPDM_CHACHA20_POLY1305, SPDM_AES_128_GCM, SPDM_SM4_GCM, 0};
/* of a requester: what it may prove itself with; any that can be verified */
static const uint8_t signature_order[] = {SPDM_ECDSA_P384,  SPDM_ECDSA_P256,  SPDM_ECDSA_P521,  SPDM_ED25519,
                                          SPDM_ED448,       SPDM_RSAPSS_3072, SPDM_RSAPSS_4096, SPDM_RSAPSS_2048,
                                          SPDM_RSASSA_3072, SPDM_RSASSA_4096, SPDM_RSASSA_2048, SPDM_SM2,
                                          SPDM_ML_DSA_65,   SPDM_ML_DSA_87,   SPDM_ML_DSA_44,   0};

static const uint8_t *all_of(struct spdm_openssl *ossl, const uint8_t *order)
{
    uint8_t *list = calloc(strlen((const char *)order) + 1, 1);
    size_t n = 0;
    for (; list != NULL && *order != 0; order++)
        if (spdm_openssl_crypto()->supports(ossl, (enum spdm_alg) * order)) list[n++] = *order;
    return list;
}

static void add_signs(uint8_t *list, const uint8_t *signs)
{
    for (; signs != NULL && *signs != 0; signs++)
        if (strchr((const char *)list, *signs) == NULL) list[strlen((const char *)list)] = *signs;
}

/* What the keys sign with: all of slot 0's key first, in its order; then those of keys that no slot has yet. */
static const uint8_t *default_signatures(const struct spdm_device *d)
{
    uint8_t *list = calloc(SPDM_ALG_N + 1, 1);
    if (list == NULL) return NULL;
    for (unsigned i = 0; i < SPDM_SLOT_N; i++) add_signs(list, d->identity.slot[i].signs);
    for (unsigned bank = 0; bank < d->identity.bank_n; bank++)
        for (unsigned i = 0; i < SPDM_SLOT_N; i++) add_signs(list, d->banks[bank].slot[i].signs);
    add_signs(list, d->identity.public_key_signs);
    for (unsigned i = 0; i < d->identity.key_pair_n; i++)
        if (d->pair_key[i] != NULL) add_signs(list, spdm_signer_algorithms(d->pair_key[i]->signer));
    return list;
}

/* A list that belongs to a capability is offered with it only. */
static bool complete(struct loader *l, const uint8_t **list, uint32_t needs, const uint8_t *order)
{
    if ((l->device->policy.flags & needs) == 0) return true;
    if (*list == NULL) *list = all_of(l->ossl, order);
    return *list != NULL || spdm_device_error(l, NULL, "out of memory");
}

bool spdm_device_default_algorithms(struct loader *l)
{
    struct spdm_policy *p = &l->device->policy;
    if (p->hashes == NULL) p->hashes = all_of(l->ossl, hash_order);
    if (p->signatures == NULL) p->signatures = default_signatures(l->device);
    if (p->hashes == NULL || p->signatures == NULL) return spdm_device_error(l, NULL, "out of memory");
    return complete(l, &p->exchanges, SPDM_KEY_EX_CAP, exchange_order) &&
           complete(l, &p->aeads, SPDM_KEY_EX_CAP | SPDM_PSK_CAP_MASK, aead_order) &&
           complete(l, &p->req_signatures, SPDM_MUT_AUTH_CAP, signature_order);
}
