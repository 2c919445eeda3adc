/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every request this library can answer. */
#include "core/mutual.h"

static const struct prove_job *const jobs[] = {&spdm_prove_get_encapsulated,
                                               &spdm_prove_deliver_encapsulated,
                                               &spdm_prove_key_exchange,
                                               &spdm_prove_finish,
                                               &spdm_prove_psk_exchange,
                                               &spdm_prove_psk_finish,
                                               &spdm_prove_heartbeat,
                                               &spdm_prove_key_update,
                                               &spdm_prove_end_session,
                                               &spdm_prove_version,
                                               &spdm_prove_capabilities,
                                               &spdm_prove_algorithms,
                                               &spdm_prove_digests,
                                               &spdm_prove_certificate,
                                               &spdm_prove_challenge,
                                               &spdm_prove_measurements,
                                               &spdm_prove_vendor,
                                               &spdm_prove_key_pair_info,
                                               &spdm_prove_set_key_pair,
                                               &spdm_prove_csr,
                                               &spdm_prove_store,
                                               &spdm_prove_log,
                                               &spdm_prove_endpoint,
                                               &spdm_prove_event_types,
                                               &spdm_prove_subscribe,
                                               &spdm_prove_events,
                                               &spdm_prove_slots};

const struct spdm_services spdm_serve_all = {jobs, sizeof jobs / sizeof *jobs, spdm_io_inside_device};
