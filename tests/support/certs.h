/* SPDX-License-Identifier: BSD-3-Clause
 *
 * certs.h - certificates of any kind, wrong ones above all, for tests.
 *
 * A plan says what goes into a certificate; certs_make() signs it with the
 * issuer's key. certs_chain() puts certificates into the structure that
 * SPDM sends. */
#ifndef TESTS_SUPPORT_CERTS_H
#define TESTS_SUPPORT_CERTS_H
#include <assay/algorithm.h>
#include <assay/span.h>
#include <openssl/evp.h>
#include <stdbool.h>

enum { CERTS_ABSENT = -1 };

struct certs_extension {
    const char *oid; /* "1.2.3" */
    bool critical;
    const char *hex; /* contents of the OCTET STRING */
};

struct certs_plan {
    const char *subject, *issuer;       /* CN; NULL: empty name */
    bool issuer_printable;              /* issuer as PrintableString, else UTF8String */
    const char *serial;                 /* hex contents of the INTEGER */
    const char *not_before, *not_after; /* digits with Z: 13 characters are a UTCTime, else a GeneralizedTime */
    int version;                        /* 2 is v3 */
    int ca;                             /* CERTS_ABSENT: no basicConstraints; 0, 1 */
    int path_len;                       /* CERTS_ABSENT: none */
    int usage;                          /* keyUsage as RFC 5280's first byte (0x80 digitalSignature); CERTS_ABSENT */
    const char *eku;                    /* "1.2.3 1.2.4"; NULL: none */
    bool hardware, mutable;             /* the SPDM extension's entries */
    const char *device_info, *pci_info; /* subjectAltName entries; NULL: none */
    struct certs_extension extra[8];    /* ended by oid NULL */
    EVP_PKEY *key, *signer;
    const char *md; /* NULL for EdDSA and the like */
    bool pss;
    bool pss_mixed; /* MGF1 with another hash than the digest's */
};

/* DER of the certificate. Free with free(). */
struct spdm_room certs_make(const struct certs_plan *plan);
/* Length, RootHash and the certificates one after the other; the hash is of root. Free with free(). */
struct spdm_room certs_chain(enum spdm_alg hash, struct spdm_span root, const struct spdm_room *certificates, size_t n);
#endif
