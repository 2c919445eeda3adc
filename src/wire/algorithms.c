/* SPDX-License-Identifier: BSD-3-Clause
 *
 * NEGOTIATE_ALGORITHMS, the SupportedAlgorithms block (its twin without the
 * header) and ALGORITHMS. Extended algorithms are parsed, counted and skipped:
 * DMTF defines none and we offer none. */
#include "wire/walkers.h"

static bool at_most_one(uint32_t v)
{
    return (v & (v - 1)) == 0;
}

static void extended(struct io *io, struct algorithms *m, unsigned count)
{
    struct spdm_span skipped = {0};

    m->ext_n = (uint8_t)(m->ext_n + count);
    io_bytes(io, "ExtendedAlgorithms", &skipped, 4u * count);
}

/* One algorithm structure table; `after` is the AlgType before it. Returns its own. */
static uint8_t table(struct io *io, struct algorithms *m, uint8_t type, uint8_t after)
{
    uint8_t count = 0x20, last = io_since(io, SPDM_V14) ? ALG_TYPE_KEM : ALG_TYPE_SCHEDULE;

    io_u8(io, "AlgType", &type);
    io_need(io, type >= ALG_TYPE_DHE && type <= last, BAD_VALUE, "AlgType R-ALG-17", type, 0);
    io_need(io, type > after, BAD_ORDER, "AlgType R-ALG-18", type, after);
    io_u8(io, "AlgCount", &count);
    io_need(io, count >> 4 == 2, BAD_VALUE, "AlgCount R-ALG-19", count, 0);
    if (io_decoding(io) && !io_fine(io)) return after;
    io_u16(io, "AlgSupported", &m->table[type]);
    m->tables = (uint8_t)(m->tables | 1u << type);
    extended(io, m, count & 0x0fu);
    return type;
}

/* Param1 tables. When encoding, the present ones; decoding notes them. */
static void tables(struct io *io, struct algorithms *m, unsigned n)
{
    uint8_t present = m->tables, after = 0;

    if (io_decoding(io)) {
        for (unsigned i = 0; io_fine(io) && i < n; i++) after = table(io, m, 0, after);
        return;
    }
    for (unsigned type = ALG_TYPE_DHE; type < ALG_TYPE_N; type++) {
        if ((present >> type & 1) != 0) after = table(io, m, (uint8_t)type, after);
    }
}

/* The fixed part from MeasurementSpecification on, the same in request and block. */
static void offer(struct io *io, struct algorithms *m, uint8_t *ext_asym, uint8_t *ext_hash)
{
    io_u8(io, "MeasurementSpecification", &m->meas_spec);
    if (io_since(io, SPDM_V12)) io_u8(io, "OtherParamsSupport", &m->other_params);
    else io_zero(io, 1);
    io_u32(io, "BaseAsymAlgo", &m->asym);
    io_u32(io, "BaseHashAlgo", &m->hash);
    if (io_since(io, SPDM_V14)) io_u32(io, "PqcAsymAlgo", &m->pqc_asym);
    else io_zero(io, 4);
    io_zero(io, 8);
    io_u8(io, "ExtAsymCount", ext_asym);
    io_u8(io, "ExtHashCount", ext_hash);
    io_zero(io, 1);
    if (io_since(io, SPDM_V13)) io_u8(io, "MELspecification", &m->mel_spec);
    else io_zero(io, 1);
}

/* Param1, Param2, Length ... of request and block; `before` is what precedes Param1 and counts in Length. */
static void negotiate(struct io *io, struct algorithms *m, size_t before)
{
    size_t start = io->at - before;
    uint8_t n = (uint8_t)spdm_ones(m->tables), ext_asym = 0, ext_hash = 0;
    uint16_t length = (uint16_t)(30 + before + 4u * n);

    if (io_since(io, SPDM_V11)) io_u8(io, "Param1", &n);
    else n = 0, io_zero(io, 1);
    io_zero(io, 1);
    io_u16(io, "Length", &length);
    io_need(io, length <= (io_since(io, SPDM_V11) ? 128 : 64), TOO_LONG, "Length R-ALG-06", length,
            io_since(io, SPDM_V11) ? 128 : 64);
    offer(io, m, &ext_asym, &ext_hash);
    extended(io, m, ext_asym);
    extended(io, m, ext_hash);
    tables(io, m, n);
    io_need(io, m->ext_n <= (io_since(io, SPDM_V11) ? 20 : 8), TOO_LONG, "ExtAlgCount R-ALG-07", m->ext_n,
            io_since(io, SPDM_V11) ? 20 : 8);
    /* UN-06: a SupportedAlgorithms block may count the two header bytes it does not have. */
    io_need(io, length == io->at - start || (before == 0 && length == io->at - start + 2), BAD_LENGTH,
            "Length R-ALG-05", length, (uint32_t)(io->at - start));
}

void spdm_walk_negotiate_algorithms(struct io *io, union spdm_body *b)
{
    negotiate(io, &b->algorithms, 2);
}

void spdm_walk_algorithm_block(struct io *io, struct algorithms *a)
{
    negotiate(io, a, 0);
}

/* A selection: one bit or none. */
static void select32(struct io *io, const char *name, uint32_t *v)
{
    spdm_io_u32(io, name, v);
    if (!at_most_one(*v)) spdm_io_fail(io, SPDM_WHY_NOT_ONE, name, *v, 0);
}

static void select8(struct io *io, const char *name, uint8_t *v, uint8_t mask)
{
    spdm_io_u8(io, name, v);
    if (!at_most_one(*v & mask)) spdm_io_fail(io, SPDM_WHY_NOT_ONE, name, *v, 0);
}

static void selections(struct io *io, struct algorithms *m)
{
    select8(io, SPDM_NAME("MeasurementSpecificationSel"), &m->meas_spec, 0xff);
    if (io_since(io, SPDM_V12)) select8(io, SPDM_NAME("OtherParamsSelection"), &m->other_params, 0x0f);
    else io_zero(io, 1);
    select32(io, SPDM_NAME("MeasurementHashAlgo"), &m->meas_hash);
    select32(io, SPDM_NAME("BaseAsymSel"), &m->asym);
    select32(io, SPDM_NAME("BaseHashSel"), &m->hash);
    if (io_since(io, SPDM_V14)) select32(io, SPDM_NAME("PqcAsymSel"), &m->pqc_asym);
    else io_zero(io, 4);
    io_zero(io, 7);
    if (io_since(io, SPDM_V13)) select8(io, SPDM_NAME("MELspecificationSel"), &m->mel_spec, 0xff);
    else io_zero(io, 1);
}

void spdm_walk_algorithms(struct io *io, union spdm_body *b)
{
    struct algorithms *m = &b->algorithms;
    uint8_t n = (uint8_t)spdm_ones(m->tables), ext_asym = 0, ext_hash = 0;
    uint16_t length = (uint16_t)(36 + 4u * n);

    if (io_since(io, SPDM_V11)) io_u8(io, "Param1", &n);
    else n = 0, io_zero(io, 1);
    io_zero(io, 1);
    io_u16(io, "Length", &length);
    selections(io, m);
    io_u8(io, "ExtAsymSelCount", &ext_asym);
    io_u8(io, "ExtHashSelCount", &ext_hash);
    /* A selection must have been offered, and we offer no extended algorithm (R-ALG-27). */
    io_need(io, ext_asym == 0 && ext_hash == 0, NOT_OFFERED, "ExtAsymSelCount R-ALG-27", ext_asym + 0u + ext_hash, 0);
    io_zero(io, 2);
    tables(io, m, n);
    io_need(io, m->ext_n == 0, NOT_OFFERED, "ExtAlgCount R-ALG-27", m->ext_n, 0);
    for (unsigned type = ALG_TYPE_DHE; type < ALG_TYPE_N; type++) {
        io_need(io, at_most_one(m->table[type]), NOT_ONE, "AlgSupported R-ALG-37", m->table[type], 0);
    }
    io_need(io, length == io->at, BAD_LENGTH, "Length R-ALG-26", length, (uint32_t)io->at);
}
