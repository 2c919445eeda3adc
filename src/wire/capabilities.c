/* SPDX-License-Identifier: BSD-3-Clause
 *
 * GET_CAPABILITIES and CAPABILITIES: flags, timing and sizes; the layout grew
 * with every version. Which flags go together is core/capability.c's business. */
#include "wire/walkers.h"

/* Everything behind Param2. */
static void common(struct io *io, struct capabilities *m)
{
    io_zero(io, 1);
    io_u8(io, "CTExponent", &m->ct_exponent);
    if (io_since(io, SPDM_V14)) io_u16(io, "ExtFlags", &m->ext_flags);
    else io_zero(io, 2);
    io_u32(io, "Flags", &m->flags);
    if (!io_since(io, SPDM_V12)) return;
    io_u32(io, "DataTransferSize", &m->data_transfer_size);
    io_need(io, m->data_transfer_size >= MIN_DATA_TRANSFER_SIZE, TOO_SMALL, "DataTransferSize R-CAP-05",
            m->data_transfer_size, MIN_DATA_TRANSFER_SIZE);
    io_u32(io, "MaxSPDMmsgSize", &m->max_message_size);
    io_need(io, m->max_message_size >= m->data_transfer_size, TOO_SMALL, "MaxSPDMmsgSize R-CAP-09", m->max_message_size,
            m->data_transfer_size);
}

/* Param1 bit 0 asks for, or announces, the SupportedAlgorithms block (1.3+). */
static void params(struct io *io, struct capabilities *m)
{
    uint8_t param1 = m->with_algorithms;

    io_u8_since(io, SPDM_V13, "Param1", &param1);
    m->with_algorithms = (param1 & 1) != 0;
    io_zero(io, 1);
}

void spdm_walk_get_capabilities(struct io *io, union spdm_body *b)
{
    struct capabilities *m = &b->capabilities;

    params(io, m);
    if (io_since(io, SPDM_V11)) common(io, m);
}

void spdm_walk_capabilities(struct io *io, union spdm_body *b)
{
    struct capabilities *m = &b->capabilities;

    params(io, m);
    common(io, m);
    if (m->with_algorithms) spdm_walk_algorithm_block(io, &m->block);
}
