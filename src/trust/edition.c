/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The edition table. Masks: algorithms.md, "Capability flags"; the rest with
 * its rule at the column's declaration. */
#include "trust/edition.h"
#include <stddef.h>

static const struct edition editions[] = {
    {.version = 0x10, .req_flags = 0, .rsp_flags = 0x0000003f},
    {.version = 0x11,
     .legacy_opaque = true,
     .mut_without_vca = true,
     .alg_tables = true,
     .slot_in_measurements = true,
     .req_flags = 0x0001ffc6,
     .rsp_flags = 0x0001ffff},
    {.version = 0x12,
     .alg_tables = true,
     .slot_in_measurements = true,
     .sizes = true,
     .signing_prefix = true,
     .vca_in_l1l2 = true,
     .negotiates_opaque = true,
     .raw_bit = true,
     .too_large = true,
     .session_required = true,
     .session_policy = true,
     .mut_for_encap = true,
     .ack_has_id = true,
     .req_flags = 0x0003ffc6,
     .rsp_flags = 0x003fffff},
    {.version = 0x13,
     .alg_tables = true,
     .slot_in_measurements = true,
     .sizes = true,
     .signing_prefix = true,
     .vca_in_l1l2 = true,
     .negotiates_opaque = true,
     .raw_bit = true,
     .fresh_bit = true,
     .too_large = true,
     .multi_key = true,
     .algorithm_block = true,
     .session_required = true,
     .session_policy = true,
     .psk_salt = 0xff,
     .ack_has_id = true,
     .no_pending = true,
     .policy_error = true,
     .req_flags = 0x0ec3ffc6,
     .rsp_flags = 0x3fffffff},
    {.version = 0x14,
     .alg_tables = true,
     .encap_end = true,
     .slot_in_measurements = true,
     .sizes = true,
     .signing_prefix = true,
     .vca_in_l1l2 = true,
     .negotiates_opaque = true,
     .raw_bit = true,
     .fresh_bit = true,
     .too_large = true,
     .multi_key = true,
     .algorithm_block = true,
     .large_certificate = true,
     .wide_chunks = true,
     .session_required = true,
     .session_policy = true,
     .psk_salt = 0xff,
     .ack_has_id = true,
     .no_pending = true,
     .policy_error = true,
     .req_flags = 0x8ec3ffc6,
     .rsp_flags = 0xffffffff,
     .rsp_ext_flags = 0x0001},
};

const struct edition *spdm_edition(uint8_t version)
{
    for (size_t i = 0; i < sizeof editions / sizeof *editions; i++) {
        if (editions[i].version == version) return &editions[i];
    }
    return NULL;
}
