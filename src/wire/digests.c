/* SPDX-License-Identifier: BSD-3-Clause
 *
 * GET_DIGESTS and DIGESTS: which slots there are and the digest of each chain. */
#include "wire/walkers.h"

void spdm_walk_get_digests(struct io *io, union spdm_body *b)
{
    (void)b;
    io_zero(io, 2);
}

void spdm_walk_digests(struct io *io, union spdm_body *b)
{
    struct digests *m = &b->digests;
    unsigned n;

    io_u8_since(io, SPDM_V13, "SupportedSlotMask", &m->supported);
    io_u8(io, "ProvisionedSlotMask", &m->provisioned);
    io_need(io, !io_since(io, SPDM_V13) || (m->provisioned & ~m->supported) == 0, MISMATCH,
            "ProvisionedSlotMask R-DIG-05", m->provisioned, m->supported);
    n = spdm_ones(m->provisioned);
    io_bytes(io, "Digest", &m->digests, (size_t)n * io->sh.hash);
    if (!io->sh.multi_key) n = 0;
    io_bytes(io, "KeyPairID", &m->key_pair_id, n);
    io_bytes(io, "CertificateInfo", &m->cert_info, n);
    io_bytes(io, "KeyUsageMask", &m->key_usage, 2u * n);
}
