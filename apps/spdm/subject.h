/* SPDX-License-Identifier: BSD-3-Clause
 *
 * subject.h - who a device says it is, and what the judge says to that.
 *
 * Plain strings, as the certificates have them: not safe to print until
 * spdm_text_safe() has seen them. NULL is "not told". */
#ifndef SPDM_SUBJECT_H
#define SPDM_SUBJECT_H
#include <assay/span.h>
#include <stdbool.h>
#include <stddef.h>

struct spdm_subject_certificate {
    char *subject, *issuer, *serial; /* serial: hex */
    char *not_before, *not_after;    /* 2026-11-23T06:31:43Z */
    char *key;                       /* "EC P-384" */
};

struct spdm_subject {
    bool judged; /* a chain (or provisioned key) was put before the judge */
    bool trusted;
    bool time_checked; /* validity was held against the clock */
    char **reasons;    /* why not, in sentences; of a trusted chain: why chains in other slots were refused */
    size_t reason_n;
    char **notes; /* what to know all the same */
    size_t note_n;
    char *anchor; /* subject of the root it leads to */

    char *subject, *serial;                /* of the leaf; serial: of the certificate, hex */
    char *manufacturer, *product, *number; /* DMTF device info: manufacturer:product:serial */
    char *model;                           /* "device certificate", "alias certificate", ... */
    char **oids;                           /* "1.3.6.1.4.1.412.274.2 hardware identity" */
    size_t oid_n;
    struct spdm_room chain;                        /* the structure that was judged; empty if none was */
    struct spdm_subject_certificate *certificates; /* root side first */
    size_t certificate_n;
};

/* Adds a copy of s to a list of strings. */
void spdm_subject_add(char ***list, size_t *n, const char *s);
/* Frees what it holds and zeroes it. */
void spdm_subject_clear(struct spdm_subject *device);
#endif
