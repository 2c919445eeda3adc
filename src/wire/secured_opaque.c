/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The opaque data of KEY_EXCHANGE and PSK_EXCHANGE in which DSP0277 agrees on
 * a version of secured messages and a limit of records (sessions.md section 5;
 * R-OPQ-11). Elements come in any order, unknown ones are skipped. */
#include "wire/secured_opaque.h"

enum {
    SPEC_ID = 0x444d5446,
    OPAQUE_VERSION = 1,
    SM_DATA_VERSION = 1,
    SELECTION = 0,
    SUPPORTED = 1,
    AEAD_LIMIT = 2,
    DMTF = 0
};

/* The general format of 1.2, or DSP0277's own header for SPDM 1.1. */
static void header(struct io *io, uint8_t *total, bool legacy)
{
    uint32_t spec = SPEC_ID;
    uint8_t version = OPAQUE_VERSION;

    if (!legacy) {
        io_u8(io, "TotalElements", total);
        io_zero(io, 3);
        return;
    }
    io_u32(io, "SpecID", &spec);
    io_need(io, spec == SPEC_ID, BAD_VALUE, "SpecID R-OPQ-10", spec, 0);
    io_u8(io, "OpaqueVersion", &version);
    io_need(io, version == OPAQUE_VERSION, BAD_VALUE, "OpaqueVersion R-OPQ-10", version, 0);
    io_u8(io, "TotalElements", total);
    io_zero(io, 2);
}

static void versions(struct io *io, struct secured_opaque *m)
{
    uint8_t n = m->version_n;
    uint16_t version = 0;

    io_u8(io, "VersionCount", &n);
    m->version_n = 0;
    for (unsigned i = 0; io_fine(io) && i < n; i++) {
        if (i < SECURED_VERSION_MAX) version = m->version[i];
        io_u16(io, "VersionNumberEntry", &version);
        if (i < SECURED_VERSION_MAX) m->version[m->version_n++] = version;
    }
}

/* What one DMTF element says; `id` is known when encoding and read when decoding. */
static void data(struct io *io, struct secured_opaque *m, uint8_t id)
{
    uint8_t version = SM_DATA_VERSION;

    io_u8(io, "SMDataVersion", &version);
    io_u8(io, "SMDataID", &id);
    if (!io_fine(io) || version != SM_DATA_VERSION) return;
    if (id == SUPPORTED) {
        m->has_versions = true;
        versions(io, m);
    } else if (id == SELECTION) {
        m->has_selection = true;
        io_u16(io, "SelectedVersion", &m->selection);
    } else if (id == AEAD_LIMIT) {
        m->has_limit = true;
        io_u8(io, "AeadLimitExponent", &m->limit);
        io_need(io, m->limit <= 64, TOO_LONG, "AeadLimitExponent", m->limit, 64);
    }
}

static size_t data_size(const struct secured_opaque *m, uint8_t id)
{
    return id == SUPPORTED ? 3u + 2u * m->version_n : id == SELECTION ? 4 : 3;
}

static void element(struct io *io, struct secured_opaque *m, uint8_t what)
{
    struct spdm_span skipped = {0};
    uint8_t id = DMTF, vendor_n = 0;
    uint16_t n = (uint16_t)data_size(m, what);
    size_t start = io->at, end, whole = io->end;

    io_u8(io, "OpaqueElement.ID", &id);
    io_u8(io, "OpaqueElement.VendorLen", &vendor_n);
    io_bytes(io, "OpaqueElement.VendorID", &skipped, vendor_n);
    io_u16(io, "OpaqueElementDataLen", &n);
    io_need(io, n <= io->end - io->at, SHORT, "OpaqueElementData", n, (uint32_t)(io->end - io->at));
    if (!io_fine(io)) return;
    end = io->at + n;
    io->end = end; /* what is inside must not reach beyond the element */
    if (id == DMTF && n >= 2) data(io, m, what);
    if (io_decoding(io)) io->at = io_fine(io) ? end : io->at;
    io->end = whole;
    io_zero(io, (size_t)(0 - (io->at - start)) & 3);
}

void spdm_walk_secured_opaque(struct io *io, struct secured_opaque *m, bool legacy)
{
    uint8_t total = (uint8_t)(m->has_versions + m->has_selection + m->has_limit);

    header(io, &total, legacy);
    if (io_decoding(io)) {
        for (unsigned i = 0; io_fine(io) && i < total; i++) element(io, m, 0);
        io_need(io, io->at == io->end, BAD_LENGTH, "OpaqueDataLength R-OPQ-09", (uint32_t)io->end, (uint32_t)io->at);
        return;
    }
    if (m->has_versions) element(io, m, SUPPORTED);
    if (m->has_selection) element(io, m, SELECTION);
    if (m->has_limit) element(io, m, AEAD_LIMIT);
}
