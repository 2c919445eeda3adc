/* SPDX-License-Identifier: BSD-3-Clause
 *
 * GET_MEASUREMENTS, MEASUREMENTS and the measurement block with DMTF's value
 * format. The record is walked block by block when a message is decoded, so
 * that whoever reads it later reads well-formed blocks. */
#include "wire/walkers.h"

enum { SIGN = 0x01, RAW = 0x02, FRESH = 0x04, SLOT = 0x0f, NONCE = 32, CONTEXT = 8, DMTF = 0x01, RAW_TYPE = 0x80 };

void spdm_walk_get_measurements(struct io *io, union spdm_body *b)
{
    struct get_measurements *m = &b->get_measurements;
    uint8_t attributes = (uint8_t)((m->sign ? SIGN : 0) | (m->raw ? RAW : 0) | (m->fresh ? FRESH : 0));

    io_u8(io, "RequestAttributes", &attributes);
    m->sign = (attributes & SIGN) != 0;
    m->raw = io_since(io, SPDM_V12) && (attributes & RAW) != 0;
    m->fresh = io_since(io, SPDM_V13) && (attributes & FRESH) != 0;
    io_u8(io, "MeasurementOperation", &m->operation);
    io_bytes(io, "Nonce", &m->nonce, m->sign ? NONCE : 0);
    if (m->sign && io_since(io, SPDM_V11)) {
        io_u8(io, "SlotIDParam", &m->slot);
        m->slot &= SLOT;
        io_need(io, m->slot < SPDM_SLOT_N || m->slot == SLOT, BAD_SLOT, "SlotIDParam R-MEA-06", m->slot, 0);
    } else {
        m->slot = 0;
    }
    io_bytes(io, "RequesterContext", &m->context, io_since(io, SPDM_V13) ? CONTEXT : 0);
}

void spdm_walk_block(struct io *io, struct spdm_measurement *m)
{
    uint8_t spec = DMTF, type = (uint8_t)(m->type | (m->raw ? RAW_TYPE : 0));
    uint16_t size = (uint16_t)(m->value.n + 3), value_size = (uint16_t)m->value.n;

    io_u8(io, "Index", &m->index);
    io_need(io, m->index != 0 && m->index != SPDM_MEAS_ALL, BAD_VALUE, "Index R-MBK-10", m->index, 0);
    io_u8(io, "MeasurementSpecification", &spec);
    io_need(io, spec == DMTF, BAD_VALUE, "MeasurementSpecification R-MBK-02", spec, 0);
    io_u16(io, "MeasurementSize", &size);
    io_u8(io, "DMTFSpecMeasurementValueType", &type);
    m->type = type & (uint8_t)~RAW_TYPE;
    m->raw = (type & RAW_TYPE) != 0;
    io_u16(io, "DMTFSpecMeasurementValueSize", &value_size);
    io_need(io, value_size + 3u == size, BAD_LENGTH, "DMTFSpecMeasurementValueSize R-MBK-03", value_size,
            size < 3 ? 0 : size - 3u);
    io_bytes(io, "DMTFSpecMeasurementValue", &m->value, value_size);
}

bool spdm_measurement_next(struct spdm_span *rest, struct spdm_measurement *out)
{
    struct io io = {.rd = *rest, .end = rest->n}; /* a block looks the same in every version */

    *out = (struct spdm_measurement){0};
    if (rest->n == 0) return false;
    spdm_walk_block(&io, out);
    if (!io_fine(&io)) return false;
    *rest = spdm_part(*rest, io.at, rest->n);
    return true;
}

void spdm_walk_measurements(struct io *io, union spdm_body *b)
{
    struct measurements *m = &b->measurements;
    uint8_t param2 = (uint8_t)(m->slot | m->content_changed << 4);
    uint32_t length = (uint32_t)m->record.n;

    io_u8(io, "TotalNumberOfIndices", &m->total);
    io_u8_since(io, SPDM_V11, "Param2", &param2);
    m->slot = param2 & SLOT;
    m->content_changed = io_since(io, SPDM_V12) ? param2 >> 4 & 3 : 0;
    io_u8(io, "NumberOfBlocks", &m->blocks);
    length = io_number(io, "MeasurementRecordLength", length, 3);
    io_bytes(io, "MeasurementRecord", &m->record, length);
    if (io->inside != NULL) io->inside(io, length, m->blocks);
    io_bytes(io, "Nonce", &m->nonce, NONCE);
    spdm_io_opaque(io, &m->opaque);
    io_bytes(io, "RequesterContext", &m->context, io_since(io, SPDM_V13) ? CONTEXT : 0);
    if (io->sh.signature) io_signature(io, &m->signature);
}
