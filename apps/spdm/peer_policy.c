/* SPDX-License-Identifier: BSD-3-Clause
 *
 * peer_policy.c - what to offer a device, and how long to wait for it.
 *
 * Offered is what the crypto library can verify, or what the user named and
 * nothing else. What only a session needs is offered only if there is to be
 * one: else it would cost the device time and the wire bytes. */
#include "peer_policy.h"
#include "port/errata.h"
#include <stdio.h>
#include <string.h>

static const uint8_t versions[] = {SPDM_V14, SPDM_V13, SPDM_V12, SPDM_V11, SPDM_V10, 0};

/* Best first: strength for its cost, and what devices have. */
static const uint8_t hashes[] = {SPDM_SHA_384,  SPDM_SHA_512,  SPDM_SHA_256, SPDM_SHA3_384,
                                 SPDM_SHA3_512, SPDM_SHA3_256, SPDM_SM3_256, 0};
static const uint8_t signatures[] = {SPDM_ECDSA_P384,
                                     SPDM_ECDSA_P521,
                                     SPDM_ECDSA_P256,
                                     SPDM_ED448,
                                     SPDM_ED25519,
                                     SPDM_ML_DSA_87,
                                     SPDM_ML_DSA_65,
                                     SPDM_ML_DSA_44,
                                     SPDM_RSAPSS_4096,
                                     SPDM_RSAPSS_3072,
                                     SPDM_RSAPSS_2048,
                                     SPDM_RSASSA_4096,
                                     SPDM_RSASSA_3072,
                                     SPDM_RSASSA_2048,
                                     SPDM_SM2,
                                     SPDM_SLH_DSA_SHA2_128S,
                                     SPDM_SLH_DSA_SHAKE_128S,
                                     SPDM_SLH_DSA_SHA2_192S,
                                     SPDM_SLH_DSA_SHAKE_192S,
                                     SPDM_SLH_DSA_SHA2_256S,
                                     SPDM_SLH_DSA_SHAKE_256S,
                                     SPDM_SLH_DSA_SHA2_128F,
                                     SPDM_SLH_DSA_SHAKE_128F,
                                     SPDM_SLH_DSA_SHA2_192F,
                                     SPDM_SLH_DSA_SHAKE_192F,
                                     SPDM_SLH_DSA_SHA2_256F,
                                     SPDM_SLH_DSA_SHAKE_256F,
                                     0};

static const uint8_t exchanges[] = {SPDM_SECP384R1,
                                    SPDM_SECP256R1,
                                    SPDM_SECP521R1,
                                    SPDM_ML_KEM_1024,
                                    SPDM_ML_KEM_768,
                                    SPDM_ML_KEM_512,
                                    SPDM_FFDHE_3072,
                                    SPDM_FFDHE_4096,
                                    SPDM_FFDHE_2048,
                                    SPDM_DHE_SM2,
                                    0};
static const uint8_t aeads[] = {SPDM_AES_256_GCM, SPDM_CHACHA20_POLY1305, SPDM_AES_128_GCM, SPDM_SM4_GCM, 0};

struct library {
    const struct spdm_crypto *crypto;
    void *ctx;
};

/* Copies what the library can do; the id of the first it cannot, SPDM_ALG_NONE if it can do all. */
static enum spdm_alg usable(const struct library *lib, const uint8_t *from, struct spdm_algorithm_list *out)
{
    enum spdm_alg missing = SPDM_ALG_NONE;
    size_t n = 0;
    for (; *from != 0; from++) {
        if (lib->crypto->supports(lib->ctx, (enum spdm_alg) * from)) out->id[n++] = *from;
        else if (missing == SPDM_ALG_NONE) missing = (enum spdm_alg) * from;
    }
    out->id[n] = 0;
    return missing;
}

/* What was named must be usable; what is only a default may be missing. */
static bool choose(const struct library *lib, const uint8_t *named, const uint8_t *all, struct spdm_algorithm_list *out,
                   char error[200])
{
    bool is_named = named[0] != 0;
    enum spdm_alg missing = usable(lib, is_named ? named : all, out);
    if (is_named && missing != SPDM_ALG_NONE)
        snprintf(error, 200, "the crypto library cannot do %s", spdm_algorithm_name(missing));
    return !is_named || missing == SPDM_ALG_NONE;
}

/* What our own identity can do for a device that asks for it. */
static void offer_identity(struct spdm_policy *p, const struct spdm_own *own)
{
    if (own->device == NULL) return;
    bool chain = own->device->slot_key[0] != NULL;
    p->flags |= SPDM_CHAL_CAP | SPDM_MUT_AUTH_CAP | SPDM_ENCAP_CAP | (chain ? SPDM_CERT_CAP : SPDM_PUB_KEY_ID_CAP);
    if (spdm_device_large(own->device)) p->flags |= SPDM_LARGE_RESP_CAP;
    p->req_signatures = chain ? own->device->identity.slot[0].signs : own->device->identity.public_key_signs;
}

static void offer_session(struct spdm_policy *p, const struct spdm_peer_options *options)
{
    p->flags |= SPDM_MAC_CAP | SPDM_KEY_UPD_CAP | SPDM_HBEAT_CAP;
    p->flags |= options->psk != NULL ? SPDM_PSK_CAP : SPDM_KEY_EX_CAP;
    if (!options->mac_only) p->flags |= SPDM_ENCRYPT_CAP;
    if (options->clear_handshake) p->flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
}

bool spdm_peer_policy_make(const struct spdm_peer_policy_input *in, struct spdm_peer_policy *out, char error[200])
{
    const struct spdm_peer_options *options = in->options;
    struct library lib = {in->crypto, in->crypto_ctx};
    struct spdm_policy *p = &out->policy;
    *out = (struct spdm_peer_policy){0};
    if (!choose(&lib, options->hashes.id, hashes, &out->hashes, error)) return false;
    if (!choose(&lib, options->signatures.id, signatures, &out->signatures, error)) return false;
    if (!choose(&lib, options->exchanges.id, exchanges, &out->exchanges, error)) return false;
    if (!choose(&lib, options->aeads.id, aeads, &out->aeads, error)) return false;
    memcpy(p->versions, options->versions[0] != 0 ? options->versions : versions, sizeof p->versions);
    p->hashes = out->hashes.id;
    p->signatures = out->signatures.id;
    if (in->session && options->psk == NULL) p->exchanges = out->exchanges.id;
    if (in->session) p->aeads = out->aeads.id;
    if (in->session) offer_session(p, options);
    offer_identity(p, in->own);
    p->flags |= SPDM_CHUNK_CAP;
    p->opaque_formats = 3;
    p->multi_key = options->multi_key;
    p->legacy_byte_order = SPDM_EITHER_ENDIAN;
    spdm_errata_apply(options->errata, p);
    p->retries = (uint8_t)options->retries;
    p->not_ready_retries = UINT8_MAX; /* a slow key is no fault: the time there is ends it */
    /* the time there is, shared out among the tries */
    p->wait_max = options->timeout * 1000u;
    p->rtt = p->wait_max / (options->retries + 1);
    return true;
}
