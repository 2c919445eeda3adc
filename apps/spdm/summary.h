/* SPDX-License-Identifier: BSD-3-Clause
 *
 * summary.h - the measurement summary hash of CHALLENGE_AUTH, against the measurements read afterwards. */
#ifndef SPDM_SUMMARY_H
#define SPDM_SUMMARY_H
#include "attest_run.h"

enum spdm_summary {
    SPDM_SUMMARY_NONE,        /* not asked for, or not received */
    SPDM_SUMMARY_SAME,        /* it is the hash of the measurements */
    SPDM_SUMMARY_OTHER,       /* it is not: they may have changed in between, so nothing follows from that */
    SPDM_SUMMARY_INCOMPARABLE /* the measurements were not all read, or as raw values, or only the TCB is summed up */
};

enum spdm_summary spdm_summary_compare(const struct spdm_attest_order *order, const struct spdm_attest_result *r);
#endif
