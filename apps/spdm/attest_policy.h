/* SPDX-License-Identifier: BSD-3-Clause
 *
 * attest_policy.h - the command line as a policy for the engine. */
#ifndef SPDM_ATTEST_POLICY_H
#define SPDM_ATTEST_POLICY_H
#include "attest_options.h"

/* A policy and the lists it points to. */
struct spdm_attest_policy {
    struct spdm_policy policy;
    struct spdm_algorithm_list hashes, signatures;
};

/* false: an algorithm that was named cannot be used, error says which. */
bool spdm_attest_policy_make(const struct spdm_attest_options *options, const struct spdm_crypto *crypto,
                             void *crypto_ctx, struct spdm_attest_policy *out, char error[200]);
#endif
