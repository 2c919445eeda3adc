/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Attestation, and what gives a device its keys and certificates; without
 * sessions, so for a place that is trusted. */
#include "core/responder_state.h"

static const struct prove_job *const jobs[] = {
    &spdm_prove_version,     &spdm_prove_capabilities, &spdm_prove_algorithms,    &spdm_prove_digests,
    &spdm_prove_certificate, &spdm_prove_challenge,    &spdm_prove_measurements,  &spdm_prove_csr,
    &spdm_prove_store,       &spdm_prove_slots,        &spdm_prove_key_pair_info, &spdm_prove_set_key_pair};

const struct spdm_services spdm_serve_provisioning = {
    .job = jobs, .n = sizeof jobs / sizeof *jobs, .inside = spdm_io_inside_device};
