/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Everything that a requester can be asked. */
#include "core/responder_state.h"

static const struct prove_job *const jobs[] = {&spdm_prove_digests,  &spdm_prove_certificate, &spdm_prove_challenge,
                                               &spdm_prove_endpoint, &spdm_prove_event_types, &spdm_prove_subscribe,
                                               &spdm_prove_events};

const struct spdm_services spdm_serve_turned = {
    .job = jobs, .n = sizeof jobs / sizeof *jobs, .inside = spdm_io_inside_device};
