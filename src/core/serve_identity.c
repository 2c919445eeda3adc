/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a requester answers when the roles are turned. */
#include "core/responder_state.h"

static const struct prove_job *const jobs[] = {&spdm_prove_digests, &spdm_prove_certificate, &spdm_prove_challenge};

const struct spdm_services spdm_serve_identity = {
    .job = jobs, .n = sizeof jobs / sizeof *jobs, .inside = spdm_io_inside_device};
