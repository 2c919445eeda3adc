/* SPDX-License-Identifier: BSD-3-Clause
 *
 * measure.h - what a measurement value says.
 *
 * A value is a digest or a raw bit stream. What can be read out of a raw one
 * (text, a security version number, device modes, a manifest's header) is read
 * out; whatever does not have the form its type promises stays bytes. */
#ifndef SPDM_MEASURE_H
#define SPDM_MEASURE_H
#include <assay/spdm.h>

enum spdm_value_kind {
    SPDM_VALUE_DIGEST,
    SPDM_VALUE_BYTES,
    SPDM_VALUE_TEXT,    /* clean UTF-8, zero bytes at its end left off */
    SPDM_VALUE_NUMBER,  /* security version number */
    SPDM_VALUE_MODES,   /* device mode structure */
    SPDM_VALUE_MANIFEST /* structured manifest: a standards body, then its format */
};

struct spdm_value {
    enum spdm_value_kind kind;
    struct spdm_span bytes; /* digest, bytes, text, or the manifest's body: spans into the measurement */
    uint64_t number;
    uint32_t modes[4]; /* operational capabilities and state, device mode capabilities and state */
    uint8_t body;      /* manifest: registry id of the standards body */
    struct spdm_span vendor;
};

struct spdm_value spdm_value_of(const struct spdm_measurement *m);
/* The value in words, safe to print: hex, text, "5", "normal; ...". The caller frees it. */
char *spdm_value_words(const struct spdm_value *value);
/* The name of bit `bit` of modes[which], NULL if it has none. */
const char *spdm_value_mode_name(unsigned which, unsigned bit);
/* The names of the set bits of modes[which], "none" if there is none. The caller frees it. */
char *spdm_value_modes(const struct spdm_value *value, unsigned which);
/* "PCI-SIG" for 3; NULL for ids without a name. */
const char *spdm_value_body_name(uint8_t id);
#endif
