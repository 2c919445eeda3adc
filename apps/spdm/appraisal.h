/* SPDX-License-Identifier: BSD-3-Clause
 *
 * appraisal.h - from a run that has ended to a verdict on its device. */
#ifndef SPDM_APPRAISAL_H
#define SPDM_APPRAISAL_H
#include "setup.h"
#include "verdict.h"

struct spdm_appraisal {
    struct spdm_subject device;
    struct spdm_comparison comparison;
    struct spdm_attestation a; /* points into the two above and into the run's result */
};

/* Judges a run whose ctx begins with a struct spdm_attest_file. *out stays where it is until it is cleared, and the run
 * is not freed before. */
void spdm_appraise(const struct spdm_setup *setup, const struct spdm_attest_order *order, const struct spdm_attest *run,
                   struct spdm_appraisal *out);
/* Keeps the chain of a device that proved to hold its key, if there is a cache. */
void spdm_appraisal_remember(const struct spdm_setup *setup, const struct spdm_attest *run,
                             const struct spdm_appraisal *appraisal);
void spdm_appraisal_clear(struct spdm_appraisal *appraisal);

/* What was measured, as references compare and keep it. values: of measured_n, freed by the caller. */
struct spdm_comparand spdm_appraisal_measured(const struct spdm_attest_order *order,
                                              const struct spdm_attest_result *result,
                                              struct spdm_measurement **values);
#endif
