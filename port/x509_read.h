/* SPDX-License-Identifier: BSD-3-Clause
 *
 * x509_read.h - one certificate taken apart.
 *
 * A certificate is read once, strictly (RFC 5280, DER), into spans that point
 * into its bytes. Reading judges nothing but form: what a certificate says is
 * for x509_judge to weigh. Texts for people are made on demand and carry no
 * control characters, whatever the certificate holds. */
#ifndef PORT_X509_READ_H
#define PORT_X509_READ_H
#include "port/crypto_openssl.h"

/* What a certificate carries. */
enum spdm_x509_has {
    SPDM_X509_BASIC = 1u << 0,           /* basicConstraints */
    SPDM_X509_CA = 1u << 1,              /*   CA:TRUE */
    SPDM_X509_PATH_LEN = 1u << 2,        /*   pathLenConstraint */
    SPDM_X509_KEY_USAGE = 1u << 3,       /* keyUsage */
    SPDM_X509_EKU = 1u << 4,             /* extendedKeyUsage */
    SPDM_X509_SAN = 1u << 5,             /* subjectAltName */
    SPDM_X509_SKI = 1u << 6,             /* subjectKeyIdentifier */
    SPDM_X509_AKI = 1u << 7,             /* authorityKeyIdentifier */
    SPDM_X509_SPDM = 1u << 8,            /* the SPDM extension, 1.3.6.1.4.1.412.274.6 */
    SPDM_X509_HARDWARE = 1u << 9,        /*   hardware identity, .2 */
    SPDM_X509_MUTABLE = 1u << 10,        /*   mutable certificate, .5 */
    SPDM_X509_RESPONDER = 1u << 11,      /* extendedKeyUsage: responder-auth, .3 */
    SPDM_X509_REQUESTER = 1u << 12,      /* extendedKeyUsage: requester-auth, .4 */
    SPDM_X509_DEVICE_INFO = 1u << 13,    /* subjectAltName: device info, .1 */
    SPDM_X509_PCI_INFO = 1u << 14,       /* subjectAltName: PCI CMA device identity, 2.23.147 */
    SPDM_X509_TCB_INFO = 1u << 15,       /* DICE TcbInfo */
    SPDM_X509_UEID = 1u << 16,           /* DICE Ueid */
    SPDM_X509_MULTI_TCB_INFO = 1u << 17, /* DICE MultiTcbInfo */
    /* what is wrong in an extension that is otherwise understood */
    SPDM_X509_BAD_SPDM = 1u << 24,
    SPDM_X509_BAD_DEVICE_INFO = 1u << 25,
    SPDM_X509_BAD_TCB_INFO = 1u << 26,
    SPDM_X509_SPDM_CRITICAL = 1u << 27,
    SPDM_X509_TCB_CRITICAL = 1u << 28
};

/* keyUsage, bit n of RFC 5280 as 1 << n */
enum { SPDM_X509_DIGITAL_SIGNATURE = 1u << 0, SPDM_X509_KEY_CERT_SIGN = 1u << 5 };

#define SPDM_X509_CRITICAL_MAX 4 /* a certificate with more of them is not read */

struct spdm_x509 {
    struct spdm_span der;
    size_t at; /* where der begins in what it was taken from */
    /* contents unless it says element */
    struct spdm_span tbs;             /* element */
    struct spdm_span serial;          /* INTEGER */
    struct spdm_span algorithm;       /* element: inner AlgorithmIdentifier */
    struct spdm_span outer_algorithm; /* element */
    struct spdm_span issuer, subject; /* elements */
    struct spdm_span spki;            /* element */
    struct spdm_span signature;       /* bits */
    struct spdm_span eku;             /* list of OIDs */
    struct spdm_span ski, aki;        /* key identifiers */
    struct spdm_span device_info;     /* "manufacturer:product:serial", UTF-8 */
    struct spdm_span pci_info;        /* "Vendor=...", UTF-8 */
    struct spdm_span tcb_info;        /* element: one DiceTcbInfo, or the list of a MultiTcbInfo */
    struct spdm_span unknown_critical[SPDM_X509_CRITICAL_MAX]; /* OIDs of critical extensions not understood */
    struct spdm_span repeated;                                 /* OID of an extension that occurs twice; else empty */
    int64_t not_before, not_after;                             /* seconds since 1970 */
    uint32_t has;                                              /* enum spdm_x509_has */
    uint32_t path_len;
    uint16_t key_usage;
    uint8_t unknown_critical_n;
    uint8_t version;   /* as encoded: 2 is v3 */
    bool bad_time;     /* a validity date that is no date */
    char key_name[24]; /* "EC P-384"; set by whoever opens the key */
    /* if it could not be read: where (counted like `at`) and which field */
    size_t wrong_at;
    const char *wrong;
};

/* The length of the DER element at the start of `in`: 0 if it is none; may be more than in.n. */
size_t spdm_x509_length(struct spdm_span in);
/* Reads der, which lies at byte `at` of something larger. false: x->wrong names the field. */
bool spdm_x509_read(struct spdm_span der, size_t at, struct spdm_x509 *x);
/* Whether issuer and subject are the same name (RFC 5280 section 7.1, by way of libcrypto unless byte-identical). */
bool spdm_x509_same_name(struct spdm_span a, struct spdm_span b);
bool spdm_x509_self_issued(const struct spdm_x509 *x);
/* Whether a Name is the empty sequence. */
bool spdm_x509_no_name(struct spdm_span name);

/* ---- texts: always ended when cap > 0; the full length without the end is returned ---- */

/* "CN=device, O=ACME": as RFC 4514 escapes, control and non-ASCII characters, too. */
size_t spdm_x509_name_text(struct spdm_span name, char *out, size_t cap);
/* "72ca27629f0e96f6"; "-" before a negative one. */
size_t spdm_x509_serial_text(const struct spdm_x509 *x, char *out, size_t cap);
/* "2026-11-23T06:17:00Z"; 9999-12-31T23:59:59Z is RFC 5280's "no expiration". */
size_t spdm_x509_time_text(int64_t time, char *out, size_t cap);
/* "responder-auth, clientAuth, 1.2.3" */
size_t spdm_x509_eku_text(const struct spdm_x509 *x, char *out, size_t cap);
/* "CA, pathlen 1, keyCertSign, hardware identity, ...": what it carries, in a few words. */
size_t spdm_x509_has_text(const struct spdm_x509 *x, char *out, size_t cap);
/* UTF-8 of a certificate for a terminal or JSON string: what is not printable UTF-8 becomes '?'. */
size_t spdm_x509_plain_text(struct spdm_span text, char *out, size_t cap);
#endif
