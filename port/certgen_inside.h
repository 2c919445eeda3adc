/* SPDX-License-Identifier: BSD-3-Clause
 *
 * certgen_inside.h - how one certificate is made, for who makes a whole identity and for who signs requests. */
#ifndef PORT_CERTGEN_INSIDE_H
#define PORT_CERTGEN_INSIDE_H
#include "port/certgen.h"
#include "port/openssl_inside.h"
#include <openssl/x509.h>

/* One certificate to be. */
struct spdm_rung {
    char name[256];              /* "CN=x,O=y" */
    const X509_NAME *subject;    /* instead of that; may be NULL */
    X509_EXTENSION *alternative; /* subjectAltName as it is, instead of device_info; may be NULL */
    bool ca, leaf;
    bool hardware, mutable, device_info;
    int path_len; /* CAs: how many more may follow */
};

struct spdm_ladder {
    struct spdm_openssl *ossl;
    const struct spdm_certgen_plan *plan; /* algorithm: of the key above */
    EVP_PKEY *above;                      /* key and certificate of the issuer; NULL at the root */
    X509 *issuer;
    EVP_PKEY *key; /* of the rung at hand */
};

/* NULL: libcrypto's error queue says why. */
X509 *spdm_certgen_issue(const struct spdm_ladder *ladder, const struct spdm_rung *rung);
#endif
