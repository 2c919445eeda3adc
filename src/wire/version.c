/* SPDX-License-Identifier: BSD-3-Clause
 *
 * GET_VERSION and VERSION: the frozen pair, SPDMVersion always 0x10. */
#include "wire/walkers.h"

void spdm_walk_get_version(struct io *io, union spdm_body *b)
{
    (void)b;
    io_zero(io, 2);
}

void spdm_walk_version(struct io *io, union spdm_body *b)
{
    struct version *m = &b->version;
    uint8_t count = (uint8_t)(m->entries.n / 2);

    io_zero(io, 3);
    io_u8(io, "VersionNumberEntryCount", &count);
    io_need(io, count != 0, TOO_SMALL, "VersionNumberEntryCount R-VSN-19", 0, 1);
    io_bytes(io, "VersionNumberEntry", &m->entries, 2u * count);
}
