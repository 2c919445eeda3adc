/* SPDX-License-Identifier: BSD-3-Clause
 *
 * reference.h - what a device is expected to measure.
 *
 * A reference is a JSON file (spdm-reference(5)) that lists measurements by
 * index. Comparing gives every index of either side one finding: the same,
 * different, missing (expected, not there), extra (there, not expected) or
 * not compared. Whether that is good enough is one question with one answer:
 * spdm_comparison_good(). */
#ifndef SPDM_REFERENCE_H
#define SPDM_REFERENCE_H
#include <assay/spdm.h>

#define SPDM_REFERENCE_FORMAT "assay-reference/1"
#define SPDM_REFERENCE_ERROR 400 /* longest error sentence, with its end */

enum spdm_match {
    SPDM_MATCH_NOT_DONE, /* neither expected nor measured, or left out on request */
    SPDM_MATCH_SAME,
    SPDM_MATCH_DIFFERENT,
    SPDM_MATCH_MISSING,
    SPDM_MATCH_EXTRA,
    SPDM_MATCH_ALLOWED /* extra, and the reference allows extra measurements; or any value will do */
};

struct spdm_reference_finding {
    enum spdm_match match;
    char *expected; /* DIFFERENT, MISSING: what the reference has, in words; else NULL */
    char *why;      /* DIFFERENT: what differs if it is not simply the value; else NULL */
};

struct spdm_comparison {
    bool done;
    unsigned same, different, missing, extra, allowed, left_out; /* left_out: references not looked at */
    struct spdm_reference_finding at[256];
};

/* What was measured. */
struct spdm_comparand {
    const struct spdm_measurement *m;
    size_t n;
    enum spdm_alg hash;               /* measurement hash; SPDM_ALG_NONE or SPDM_RAW_ONLY: there is none */
    uint8_t only;                     /* compare this index alone; 0: all */
    const struct spdm_crypto *crypto; /* to compare a digest with a raw value */
    void *crypto_ctx;
};

struct spdm_reference;

/* Reads a file; NULL: error says what is wrong and where. */
struct spdm_reference *spdm_reference_load(const char *path, char error[SPDM_REFERENCE_ERROR]);
/* The same from text (of n bytes); `name` is for the error. */
struct spdm_reference *spdm_reference_parse(const char *name, struct spdm_span text, char error[SPDM_REFERENCE_ERROR]);
void spdm_reference_free(struct spdm_reference *reference);

/* *out is freed with spdm_comparison_clear(). */
void spdm_reference_compare(const struct spdm_reference *reference, const struct spdm_comparand *what,
                            struct spdm_comparison *out);
/* Done, and nothing different, missing or extra. */
bool spdm_comparison_good(const struct spdm_comparison *comparison);
void spdm_comparison_clear(struct spdm_comparison *comparison);
/* "match", "DIFFERENT", ... */
const char *spdm_match_name(enum spdm_match match);

/* Writes what was measured as a reference; false: error says why. `device` (may be NULL) goes into a comment. */
bool spdm_reference_save(const char *path, const struct spdm_comparand *what, const char *device,
                         char error[SPDM_REFERENCE_ERROR]);
#endif
