/* SPDX-License-Identifier: BSD-3-Clause
 *
 * GET_KEY_PAIR_INFO, KEY_PAIR_INFO and SET_KEY_PAIR_INFO. The post-quantum masks
 * of 1.4 bring their own length; as many bytes as we know are read, the rest is
 * skipped (withstand 55). */
#include "wire/walkers.h"

void spdm_walk_get_key_pair_info(struct io *io, union spdm_body *b)
{
    io_zero(io, 2);
    io_u8(io, "KeyPairID", &b->order.key_pair.id);
}

/* From 1.4 on. */
static void mask(struct io *io, const char *length, const char *name, uint32_t *v)
{
    if (io_since(io, SPDM_V14)) spdm_io_mask(io, length, name, v);
    else *v = 0;
}

void spdm_walk_key_pair_info(struct io *io, union spdm_body *b)
{
    struct spdm_key_pair *m = &b->key_pair;
    uint16_t n = (uint16_t)m->public_key_info.n;

    io_zero(io, 2);
    io_u8(io, "TotalKeyPairs", &m->total);
    io_u8(io, "KeyPairID", &m->id);
    io_u16(io, "Capabilities", &m->capabilities);
    io_u16(io, "KeyUsageCapabilities", &m->usages);
    io_u16(io, "CurrentKeyUsage", &m->usage);
    io_u32(io, "AsymAlgoCapabilities", &m->asyms);
    io_u32(io, "CurrentAsymAlgo", &m->asym);
    io_one(io, "CurrentAsymAlgo R-KPI-07", m->asym, 0u);
    io_u16(io, "PublicKeyInfoLen", &n);
    io_u8(io, "AssocCertSlotMask", &m->slots);
    io_bytes(io, "PublicKeyInfo", &m->public_key_info, n);
    mask(io, SPDM_NAME("PqcAsymAlgoCapLen"), SPDM_NAME("PqcAsymAlgoCapabilities"), &m->pqcs);
    mask(io, SPDM_NAME("CurrentPqcAsymAlgoLen"), SPDM_NAME("CurrentPqcAsymAlgo"), &m->pqc);
    io_one(io, "CurrentPqcAsymAlgo R-KPI-07", m->pqc, m->asym);
}

void spdm_walk_set_key_pair_info(struct io *io, union spdm_body *b)
{
    struct spdm_key_pair_change *m = &b->order.key_pair_change;

    io_u8(io, "Operation", &m->operation);
    io_need(io, m->operation <= SPDM_KEY_PAIR_DO_GENERATE, BAD_VALUE, "Operation R-SKP-02", m->operation, 0);
    io_zero(io, 1);
    io_u8(io, "KeyPairID", &m->id);
    if (m->operation == SPDM_KEY_PAIR_DO_ERASE) return; /* R-SKP-03 */
    io_zero(io, 1);
    io_u16(io, "DesiredKeyUsage", &m->usage);
    io_u32(io, "DesiredAsymAlgo", &m->asym);
    io_one(io, "DesiredAsymAlgo R-SKP-06", m->asym, 0u);
    io_u8(io, "DesiredAssocCertSlotMask", &m->slots);
    mask(io, SPDM_NAME("DesiredPqcAsymAlgoLen"), SPDM_NAME("DesiredPqcAsymAlgo"), &m->pqc);
    io_one(io, "DesiredPqcAsymAlgo R-SKP-06", m->pqc, m->asym);
}
