/* SPDX-License-Identifier: BSD-3-Clause
 *
 * peer_policy.h - the command line as a policy for the engine. */
#ifndef SPDM_PEER_POLICY_H
#define SPDM_PEER_POLICY_H
#include "own.h"
#include "peer_options.h"

/* A policy and the lists it points to. */
struct spdm_peer_policy {
    struct spdm_policy policy;
    struct spdm_algorithm_list hashes, signatures, exchanges, aeads;
};

struct spdm_peer_policy_input {
    const struct spdm_peer_options *options;
    bool session; /* there is to be one */
    const struct spdm_own *own;
    const struct spdm_crypto *crypto;
    void *crypto_ctx;
};

/* false: an algorithm that was named cannot be used, error says which. */
bool spdm_peer_policy_make(const struct spdm_peer_policy_input *input, struct spdm_peer_policy *out, char error[200]);
#endif
