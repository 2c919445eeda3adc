/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The smaller set of requests: what attestation needs. A file of its own, so
 * that who serves this set links nothing of the others. */
#include "core/responder_state.h"

static const struct prove_job *const jobs[] = {
    &spdm_prove_version,     &spdm_prove_capabilities, &spdm_prove_algorithms,  &spdm_prove_digests,
    &spdm_prove_certificate, &spdm_prove_challenge,    &spdm_prove_measurements};

const struct spdm_services spdm_serve_attestation = {jobs, sizeof jobs / sizeof *jobs, NULL};
