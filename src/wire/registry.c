/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The registry: every message of SPDM 1.0 to 1.4 as one const row. Rows are
 * objects of their own, so that a build which uses few messages links few
 * walkers; the table of all rows is for those who need them all. */
#include "wire/walkers.h"

#ifdef SPDM_NO_NAMES
#define NAMED(row)
#else
#define NAMED(row) .name = #row,
#endif

#define SPDM_ROW(row, walker, rcode, rsince, rlegal, rneeds, rjoins, rresets)                                          \
    const struct spdm_message spdm_message_##row = {                                                                   \
        NAMED(row).walk = walker, .needs = rneeds, .code = rcode,                                                      \
        .since = rsince,          .legal = rlegal, .joins = (rjoins) | (rresets)};
#include "wire/registry.def"
#undef SPDM_ROW
