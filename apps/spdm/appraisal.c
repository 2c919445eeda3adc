/* SPDX-License-Identifier: BSD-3-Clause
 *
 * appraisal.c - puts together what a verdict stands on. */
#include "appraisal.h"
#include "text.h"
#include <stdlib.h>

struct spdm_comparand spdm_appraisal_measured(const struct spdm_attest_order *order, const struct spdm_attest_result *r,
                                              struct spdm_measurement **values)
{
    *values = spdm_text_need(calloc(r->measured_n + 1, sizeof **values));
    for (size_t i = 0; i < r->measured_n; i++) (*values)[i] = r->measured[i].m;
    return (struct spdm_comparand){.m = *values,
                                   .n = r->measured_n,
                                   .hash = (enum spdm_alg)r->facts.meas_hash,
                                   .only = order->operation == SPDM_MEASURE_INDEX ? order->index : 0,
                                   .crypto = order->crypto,
                                   .crypto_ctx = order->crypto_ctx};
}

static void compare(const struct spdm_setup *setup, const struct spdm_attest_order *order, struct spdm_appraisal *out)
{
    const struct spdm_attest_result *r = out->a.result;
    bool measured = r->end == SPDM_ATTEST_DONE && (r->goal.want & SPDM_WANT_MEASUREMENTS) != 0;
    struct spdm_measurement *values;
    out->a.reference = setup->options->reference;
    if (setup->reference == NULL || !measured) return;
    struct spdm_comparand what = spdm_appraisal_measured(order, r, &values);
    spdm_reference_compare(setup->reference, &what, &out->comparison);
    out->a.comparison = &out->comparison;
    free(values);
}

void spdm_appraise(const struct spdm_setup *setup, const struct spdm_attest_order *order, const struct spdm_attest *run,
                   struct spdm_appraisal *out)
{
    *out = (struct spdm_appraisal){.a = {.result = spdm_attest_result(run), .device = &out->device}};
    spdm_attest_subject(spdm_attest_context(run), out->a.result, &out->device);
    compare(setup, order, out);
    out->a.summary = spdm_summary_compare(order, out->a.result);
    spdm_attestation_judge(&out->a);
}

void spdm_appraisal_remember(const struct spdm_setup *setup, const struct spdm_attest *run,
                             const struct spdm_appraisal *appraisal)
{
    const struct spdm_check *checks = appraisal->a.verdict.checks;
    char cause[SPDM_CAUSE_MAX];
    if (checks[SPDM_CHECK_CHAIN].state != SPDM_CHECK_PASSED || checks[SPDM_CHECK_POSSESSION].state != SPDM_CHECK_PASSED)
        return;
    if (!spdm_attest_remember(&setup->court, spdm_attest_context(run), appraisal->a.result, cause))
        spdm_setup_complain(setup, "the chain could not be kept: %s", cause);
}

void spdm_appraisal_clear(struct spdm_appraisal *appraisal)
{
    spdm_verdict_clear(&appraisal->a.verdict);
    spdm_comparison_clear(&appraisal->comparison);
    spdm_subject_clear(&appraisal->device);
}
