/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The registry: every message of SPDM 1.0 to 1.4 as one const row. Rows are
 * objects of their own, so that a build which uses few messages links few
 * walkers; the table of all rows is for those who need them all. */
#include "wire/walkers.h"

#define SPDM_ROW(row, walker, rcode, rsince, rlegal, rneeds, rjoins, rresets)                                          \
    const struct spdm_message spdm_message_##row = {.name = SPDM_NAME(#row),                                           \
                                                    .walk = walker,                                                    \
                                                    .needs = rneeds,                                                   \
                                                    .code = rcode,                                                     \
                                                    .since = rsince,                                                   \
                                                    .legal = rlegal,                                                   \
                                                    .joins = rjoins,                                                   \
                                                    .resets = rresets,                                                 \
                                                    .fixed_ten = (rcode) == 0x84 || (rcode) == 0x04,                   \
                                                    .any_version = (rcode) == 0x7f};
#include "wire/registry.def"
#undef SPDM_ROW
