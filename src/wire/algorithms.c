/* SPDX-License-Identifier: BSD-3-Clause
 *
 * NEGOTIATE_ALGORITHMS, the SupportedAlgorithms block (its twin without the
 * header) and ALGORITHMS. Extended algorithms are parsed, counted and skipped:
 * DMTF defines none and we offer none. */
#include "wire/walkers.h"

/* Lists of extended algorithms. */
static void extended(struct io *io, struct algorithms *m, unsigned count)
{
    struct spdm_span skipped = {0};

    m->ext_n = (uint8_t)(m->ext_n + count);
    io_bytes(io, "ExtendedAlgorithms", &skipped, 4u * count);
}

/* What was read last is a selection: one bit or none (R-ALG-37). */
static void selected(struct io *io, uint32_t v)
{
    if ((v & (v - 1)) != 0) io_fail(io, SPDM_WHY_NOT_ONE, v, 0);
}

/* The n algorithm structure tables: when encoding, those of m->tables; decoding notes them there. In a response each
 * is a selection. */
static void tables(struct io *io, struct algorithms *m, unsigned n, bool response)
{
    uint8_t type = 0, count, last = io_since(io, SPDM_V14) ? ALG_TYPE_KEM : ALG_TYPE_SCHEDULE;

    for (; io_going(io) && n > 0; n--) {
        uint8_t after = type;

        do type++;
        while (!io_decoding(io) && (m->tables >> type & 1) == 0);
        io_u8(io, "AlgType", &type);
        io_need(io, type >= ALG_TYPE_DHE && type <= last, BAD_VALUE, "AlgType R-ALG-17", type, 0);
        io_need(io, type > after, BAD_ORDER, "AlgType R-ALG-18", type, after);
        count = 0x20;
        io_u8(io, "AlgCount", &count);
        io_need(io, count >> 4 == 2, BAD_VALUE, "AlgCount R-ALG-19", count, 0);
        if (!io_going(io)) return;
        io_u16(io, "AlgSupported", &m->table[type]);
        if (response) io_name(io, "AlgSupported R-ALG-37") selected(io, m->table[type]);
        m->tables = (uint8_t)(m->tables | 1u << type);
        extended(io, m, count & 0x0fu);
    }
}

/* Param1, Param2, Length: the number of tables, and what Length says. */
static uint16_t head(struct io *io, const struct algorithms *m, size_t fixed, uint8_t *n)
{
    uint16_t length;

    *n = (uint8_t)spdm_ones(m->tables);
    length = (uint16_t)(fixed + 4u * *n);
    io_u8_since(io, SPDM_V11, "Param1", n);
    io_zero(io, 1);
    io_u16(io, "Length", &length);
    return length;
}

/* NEGOTIATE_ALGORITHMS; its twin in CAPABILITIES begins with Param1. `before` is what precedes it and counts in
 * Length. */
static void negotiate(struct io *io, struct algorithms *m, size_t before)
{
    size_t start = io->at - before;
    uint8_t n, ext_asym = 0, ext_hash = 0;
    uint16_t length = head(io, m, 30 + before, &n);
    uint32_t length_max = io_since(io, SPDM_V11) ? 128 : 64, ext_max = io_since(io, SPDM_V11) ? 20 : 8;

    io_need(io, length <= length_max, TOO_LONG, "Length R-ALG-06", length, length_max);
    io_u8(io, "MeasurementSpecification", &m->meas_spec);
    io_u8_since(io, SPDM_V12, "OtherParamsSupport", &m->other_params);
    io_u32(io, "BaseAsymAlgo", &m->asym);
    io_u32(io, "BaseHashAlgo", &m->hash);
    io_u32_since(io, SPDM_V14, "PqcAsymAlgo", &m->pqc_asym);
    io_zero(io, 8);
    io_u8(io, "ExtAsymCount", &ext_asym);
    io_u8(io, "ExtHashCount", &ext_hash);
    io_zero(io, 1);
    io_u8_since(io, SPDM_V13, "MELspecification", &m->mel_spec);
    extended(io, m, ext_asym);
    extended(io, m, ext_hash);
    tables(io, m, n, false);
    io->last = 0; /* sums have no place of their own */
    io_need(io, m->ext_n <= ext_max, TOO_LONG, "ExtAlgCount R-ALG-07", m->ext_n, ext_max);
    /* UN-06: a SupportedAlgorithms block may count the two header bytes it does not have. */
    if (before == 0 && length == io->at - start + 2) return;
    io_need(io, length == io->at - start, BAD_LENGTH, "Length R-ALG-05", length, (uint32_t)(io->at - start));
}

void spdm_walk_negotiate_algorithms(struct io *io, union spdm_body *b)
{
    negotiate(io, &b->algorithms, 2);
}

void spdm_walk_algorithm_block(struct io *io, struct algorithms *a)
{
    negotiate(io, a, 0);
}

void spdm_walk_algorithms(struct io *io, union spdm_body *b)
{
    struct algorithms *m = &b->algorithms;
    uint8_t n, ext_asym = 0, ext_hash = 0;
    uint16_t length = head(io, m, 36, &n);

    io_u8(io, "MeasurementSpecificationSel", &m->meas_spec);
    selected(io, m->meas_spec);
    io_u8_since(io, SPDM_V12, "OtherParamsSelection", &m->other_params);
    selected(io, m->other_params & 0x0f);
    io_u32(io, "MeasurementHashAlgo", &m->meas_hash);
    selected(io, m->meas_hash);
    io_u32(io, "BaseAsymSel", &m->asym);
    selected(io, m->asym);
    io_u32(io, "BaseHashSel", &m->hash);
    selected(io, m->hash);
    io_u32_since(io, SPDM_V14, "PqcAsymSel", &m->pqc_asym);
    selected(io, m->pqc_asym);
    io_zero(io, 7);
    io_u8_since(io, SPDM_V13, "MELspecificationSel", &m->mel_spec);
    selected(io, m->mel_spec);
    /* A selection must have been offered, and we offer no extended algorithm (R-ALG-27). */
    io_u8(io, "ExtAsymSelCount", &ext_asym);
    io_need(io, ext_asym == 0, NOT_OFFERED, "ExtAsymSelCount R-ALG-27", ext_asym, 0);
    io_u8(io, "ExtHashSelCount", &ext_hash);
    io_need(io, ext_hash == 0, NOT_OFFERED, "ExtHashSelCount R-ALG-27", ext_hash, 0);
    io_zero(io, 2);
    tables(io, m, n, true);
    io->last = 0; /* sums have no place of their own */
    io_need(io, m->ext_n == 0, NOT_OFFERED, "ExtAlgCount R-ALG-27", m->ext_n, 0);
    io_need(io, length == io->at, BAD_LENGTH, "Length R-ALG-26", length, (uint32_t)io->at);
}
