/* SPDX-License-Identifier: BSD-3-Clause
 *
 * authority.h - what provisioning does with certificates: reads a device's
 * request, signs it with the key of a local authority, puts chains into the
 * form in which SET_CERTIFICATE carries them.
 *
 * A request (PKCS #10) is believed as far as its own signature goes: that
 * whoever made it holds the key. The certificate gets the name of the request,
 * or another that the caller chose, the device info that the request asks for,
 * and SPDM's marks by the certificate model; everything else that a request may
 * ask for is the authority's to decide, and is left out. */
#ifndef PORT_AUTHORITY_H
#define PORT_AUTHORITY_H
#include "port/crypto_openssl.h"
#include <assay/responder.h>
#include <stdio.h>

struct spdm_authority;

/* certificates: of the authority, root first or last, PEM or DER; key: a file or URI as keystore.h takes them. NULL:
 * error (SPDM_DEVICE_REASON bytes) says why. ossl outlives it. */
struct spdm_authority *spdm_authority_open(struct spdm_openssl *ossl, const char *certificates, const char *key,
                                           char *error);
/* NULL is fine. */
void spdm_authority_close(struct spdm_authority *authority);

struct spdm_csr {
    char subject[300], key[24]; /* as people write them; the subject comes from the device */
    uint16_t length;            /* of the request in DER */
};
/* false: cause (SPDM_CAUSE_MAX bytes) says what is wrong with the request. */
bool spdm_csr_read(struct spdm_openssl *ossl, struct spdm_span der, struct spdm_csr *out, char *cause);

/* In PEM. */
bool spdm_csr_write(struct spdm_span der, FILE *to);

/* What a device's request shall say: RequesterInfo of GET_CSR. */
struct spdm_request_info {
    struct spdm_room der; /* CertificationRequestInfo (RFC 2986) */
    bool template;        /* it comes from a signed request: the key in it is not the device's */
};
/* From a file with such an info in DER, or with a request in PEM or DER. false: cause (SPDM_CAUSE_MAX bytes) says why
 * no device would take it. */
bool spdm_request_info_load(const char *path, struct spdm_request_info *out, char *cause);
/* Puts the key of the last of these certificates in place of that of a template; without certificates, an empty one. */
bool spdm_request_info_for(struct spdm_request_info *info, struct spdm_span certificates);
void spdm_request_info_clear(struct spdm_request_info *info);

struct spdm_authority_order {
    struct spdm_span csr;
    uint8_t model; /* enum spdm_cert_model; alias: the certificate is that of the device's own authority */
    unsigned days;
    int64_t now;
    const char *subject; /* "CN=widget,O=ACME" or a common name; NULL: that of the request */
};
/* The certificates back to back, root first, that of the request last. Empty: cause says why; freed by OPENSSL_free().
 */
struct spdm_room spdm_authority_sign(struct spdm_authority *authority, const struct spdm_authority_order *order,
                                     char *cause);

/* The alias model, on the device: below its own authority it puts a certificate of a key that it uses. */
struct spdm_alias_order {
    struct spdm_span certificates; /* root first, down to that of the device's own authority, whose key signs */
    const char *key;               /* this one: a file or URI */
    const struct spdm_openssl_key *alias;
    const char *name, *device_info; /* of the device; device_info NULL: none */
    int64_t now;
};
/* The certificates and the alias behind them. Empty: cause says why; freed by OPENSSL_free(). */
struct spdm_room spdm_alias_add(struct spdm_openssl *ossl, const struct spdm_alias_order *order, char *cause);

/* The certificates of a file, PEM or DER, root first. Empty: error (SPDM_DEVICE_REASON bytes) says why; name begins
 * it. Freed by OPENSSL_free(). */
struct spdm_room spdm_chain_load(const char *path, const char *name, char *error);
/* The chain structure around certificates, the first of which is the root, with its digest in the hash. Empty when that
 * fails; freed by OPENSSL_free(). */
struct spdm_room spdm_chain_structure(struct spdm_openssl *ossl, struct spdm_span certificates, enum spdm_alg hash);
/* Whether the last certificate of a chain is for the key of a request. */
bool spdm_chain_fits(struct spdm_openssl *ossl, struct spdm_span certificates, struct spdm_span csr);
#endif
