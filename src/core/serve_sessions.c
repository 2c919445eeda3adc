/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The set of a device that attests and has sessions by KEY_EXCHANGE. */
#include "core/responder_state.h"

static const struct prove_job *const jobs[] = {
    &spdm_prove_version,     &spdm_prove_capabilities, &spdm_prove_algorithms,   &spdm_prove_digests,
    &spdm_prove_certificate, &spdm_prove_challenge,    &spdm_prove_measurements, &spdm_prove_key_exchange,
    &spdm_prove_finish,      &spdm_prove_key_update,   &spdm_prove_end_session};

const struct spdm_services spdm_serve_sessions = {jobs, sizeof jobs / sizeof *jobs, NULL};
