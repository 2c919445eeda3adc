/* SPDX-License-Identifier: BSD-3-Clause
 *
 * certgen.h - makes a device's identity for tests: a root, certificate
 * authorities, a leaf, with what SPDM wants in each (certificates.md sections
 * 2 to 4). Keys of the authorities are thrown away once they have signed,
 * but for those that are to sign more; the leaf's is handed out.
 *
 * Device model: root, intermediates, device certificate (hardware identity).
 * Alias model:  root, intermediates, device certificate CA (hardware identity), alias (mutable certificate).
 * Generic model: root, intermediates, a leaf without SPDM's marks. */
#ifndef PORT_CERTGEN_H
#define PORT_CERTGEN_H
#include "port/crypto_openssl.h"
#include <assay/responder.h>

#define SPDM_CERTGEN_INTERMEDIATES_MAX 8
#define SPDM_CERTGEN_CERTIFICATES_MAX (SPDM_CERTGEN_INTERMEDIATES_MAX + 3)

struct spdm_certgen_plan {
    enum spdm_alg algorithm;   /* of every key: any that the back end supports */
    enum spdm_alg hash;        /* certificates are signed with; SPDM_ALG_NONE: what goes with the algorithm */
    uint8_t model;             /* enum spdm_cert_model */
    bool responder, requester; /* extendedKeyUsage of the leaf */
    unsigned intermediates;
    unsigned days;           /* validity, from an hour before now */
    int64_t now;             /* seconds since 1970 */
    const char *subject;     /* "CN=widget,O=ACME" or a common name */
    const char *device_info; /* "manufacturer:product:serial"; NULL: none */
    bool keep_authority;     /* the key that signs devices is handed out, too */
};

struct spdm_certgen_made {
    struct spdm_room certificate[SPDM_CERTGEN_CERTIFICATES_MAX]; /* DER, root first */
    unsigned n;
    struct spdm_room key;    /* the leaf's, PKCS #8 in PEM */
    struct spdm_room spki;   /* its public half, DER */
    struct spdm_room device; /* alias model: the key of the device certificate CA, which signs the leaf */
    struct spdm_room
        authority; /* keep_authority: the key of the last of the first plan.intermediates + 1 certificates */
};

/* false: cause (may be NULL) says why, and out is empty. */
bool spdm_certgen_make(struct spdm_openssl *ossl, const struct spdm_certgen_plan *plan, struct spdm_certgen_made *out,
                       char *cause);
/* The chain structure a device would send: Length, RootHash in this hash, certificates. Empty if that fails; freed by
 * OPENSSL_free(). */
struct spdm_room spdm_certgen_chain(struct spdm_openssl *ossl, const struct spdm_certgen_made *made,
                                    enum spdm_alg hash);
/* Frees, and wipes the key. */
void spdm_certgen_free(struct spdm_certgen_made *made);
#endif
