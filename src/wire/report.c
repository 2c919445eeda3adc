/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a device tells of itself: GET_MEASUREMENT_EXTENSION_LOG and its answer,
 * a log in portions, with DMTF's entries; GET_ENDPOINT_INFO and its answer,
 * signed or not, with device classes. */
#include "wire/walkers.h"

enum { SIGN = 0x01, SLOT = 0x0f, NONCE = 32, LOG_HEAD = 16, RAW = 0x80 };

void spdm_walk_get_measurement_extension_log(struct io *io, union spdm_body *b)
{
    io_zero(io, 2);
    io_u32(io, "Offset", &b->order.log.offset);
    io_u32(io, "Length", &b->order.log.length);
}

void spdm_walk_measurement_extension_log(struct io *io, union spdm_body *b)
{
    struct measurement_extension_log *m = &b->measurement_extension_log;
    uint32_t n = (uint32_t)m->portion.n;

    io_zero(io, 2);
    io_u32(io, "PortionLength", &n);
    io_u32(io, "RemainderLength", &m->remainder);
    io_bytes(io, "MEL", &m->portion, n);
}

void spdm_walk_get_endpoint_info(struct io *io, union spdm_body *b)
{
    struct spdm_endpoint_order *m = &b->order.endpoint;
    uint8_t attributes = m->sign ? SIGN : 0;

    io_u8(io, "SubCode", &m->sub_code);
    io_u8(io, "SlotID", &m->slot);
    m->slot &= SLOT;
    io_u8(io, "RequestAttributes", &attributes);
    m->sign = (attributes & SIGN) != 0;
    io_zero(io, 3);
    io_bytes(io, "Nonce", &m->nonce, m->sign ? NONCE : 0);
}

/* ---- device classes ---- */

static void device_class(struct io *io, struct spdm_device_class *m, bool inside)
{
    struct spdm_span sub = {0};
    uint8_t length = 0, n = 0;
    size_t end, start;

    io_u8(io, "IDElemLength", &length);
    start = io->at;
    end = io->end;
    io_need(io, length <= io->end - io->at, SHORT, "IDElemLength R-EPI-06", length, (uint32_t)(io->end - io->at));
    if (!io_fine(io)) return;
    io->end = start + length;
    spdm_io_svh(io, &m->body, &m->vendor);
    io_u8(io, "NumSubIDs", &n);
    start = io->at;
    for (; io_fine(io) && n > 0; n--) {
        uint8_t sub_n = 0;

        io_u8(io, "SubIDLen", &sub_n);
        io_bytes(io, "SubIdentifier", &sub, sub_n);
    }
    if (io_fine(io) && !inside) m->sub_ids = spdm_part(io->rd, start, io->at - start);
    spdm_io_close(io, end, SPDM_NAME("IDElemLength R-EPI-06"));
}

static void device_classes(struct io *io, size_t n)
{
    struct spdm_device_class skipped = {0};
    size_t end = spdm_io_open(io, n);
    uint8_t count = 0;

    io_u8(io, "NumIdentifiers", &count);
    io_zero(io, 3);
    for (; io_fine(io) && count > 0; count--) device_class(io, &skipped, true);
    spdm_io_close(io, end, SPDM_NAME("EPInfo R-EPI-06"));
}

void spdm_walk_endpoint_info(struct io *io, union spdm_body *b)
{
    struct endpoint_info *m = &b->endpoint_info;
    uint32_t n = (uint32_t)m->info.n;

    io_zero(io, 1);
    io_u8(io, "SlotID", &m->slot);
    m->slot &= SLOT;
    io_zero(io, 4);
    io_bytes(io, "Nonce", &m->nonce, io->sh.signature ? NONCE : 0);
    io_u32(io, "EPInfoLen", &n);
    io_bytes(io, "EPInfo", &m->info, n);
    if (io->inside != NULL && io_fine(io)) device_classes(io, n);
    if (io->sh.signature) io_signature(io, &m->signature);
}

/* ---- readers for callers ---- */

static struct io reader(struct spdm_span bytes)
{
    return (struct io){.rd = bytes, .end = bytes.n};
}

bool spdm_device_class_open(struct spdm_span info, uint8_t *classes, struct spdm_span *rest)
{
    struct io io = reader(info);

    io_u8(&io, "NumIdentifiers", classes);
    io_zero(&io, 3);
    *rest = spdm_part(info, 4, info.n);
    return io_fine(&io);
}

bool spdm_device_class_next(struct spdm_span *rest, struct spdm_device_class *out)
{
    struct io io = reader(*rest);

    *out = (struct spdm_device_class){0};
    if (rest->n == 0) return false;
    device_class(&io, out, false);
    if (!io_fine(&io)) return false;
    *rest = spdm_part(*rest, io.at, rest->n);
    return true;
}

bool spdm_sub_id_next(struct spdm_span *rest, struct spdm_span *out)
{
    struct io io = reader(*rest);
    uint8_t n = 0;

    *out = (struct spdm_span){0};
    if (rest->n == 0) return false;
    io_u8(&io, "SubIDLen", &n);
    io_bytes(&io, "SubIdentifier", out, n);
    if (!io_fine(&io)) return false;
    *rest = spdm_part(*rest, io.at, rest->n);
    return true;
}

bool spdm_log_open(struct spdm_span log, uint32_t *entries, struct spdm_span *rest)
{
    struct io io = reader(log);
    uint32_t n = 0;

    io_u32(&io, "NumberOfEntries", entries);
    io_u32(&io, "MELEntriesLen", &n);
    io_zero(&io, 8);
    *rest = spdm_part(log, LOG_HEAD, n);
    return io_fine(&io) && rest->n == n;
}

bool spdm_log_next(struct spdm_span *rest, struct spdm_log_entry *out)
{
    struct io io = reader(*rest);
    uint16_t n = 0;

    *out = (struct spdm_log_entry){0};
    if (rest->n == 0) return false;
    io_u32(&io, "MELIndex", &out->index);
    io_u8(&io, "MeasIndex", &out->measurement);
    io_zero(&io, 3);
    io_u8(&io, "DMTFSpecMeasurementValueType", &out->type);
    out->raw = (out->type & RAW) != 0;
    out->type &= (uint8_t)~RAW;
    io_u16(&io, "DMTFSpecMeasurementValueSize", &n);
    io_bytes(&io, "DMTFSpecMeasurementValue", &out->value, n);
    if (!io_fine(&io)) return false;
    *rest = spdm_part(*rest, io.at, rest->n);
    return true;
}
