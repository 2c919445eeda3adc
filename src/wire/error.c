/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ERROR with its extended forms, and RESPOND_IF_READY. Looked at whatever
 * SPDMVersion it carries: a Responder that lost its state answers with 1.0. */
#include "wire/walkers.h"

enum {
    RESPONSE_TOO_LARGE = 0x0d,
    LARGE_RESPONSE = 0x0f,
    DATA_TOO_LARGE = 0x12,
    RESPONSE_NOT_READY = 0x42,
    VENDOR_DEFINED = 0xff,
    EXTENDED_MAX = 32
};

static void not_ready(struct io *io, struct error *m)
{
    io_u8(io, "RDTExponent", &m->rdt_exponent);
    io_u8(io, "RequestCode", &m->request_code);
    io_u8(io, "Token", &m->token);
    io_u8(io, "RDTM", &m->rdtm);
}

/* The actual size may be missing (LQ-33): the ERROR then has four bytes. */
static void actual_size(struct io *io, struct error *m)
{
    if (io_decoding(io) && io->end - io->at < 4) return;
    io_u32(io, "ActualSize", &m->actual_size);
}

static void vendor(struct io *io, struct error *m)
{
    uint8_t n = (uint8_t)m->vendor.n;

    io_u8(io, "VendorIDLen", &n);
    io_bytes(io, "VendorID", &m->vendor, n);
    io_rest(io, "OpaqueErrorData", &m->extended, EXTENDED_MAX);
}

void spdm_walk_error(struct io *io, union spdm_body *b)
{
    struct error *m = &b->error;

    io_u8(io, "ErrorCode", &m->code);
    io_u8(io, "ErrorData", &m->data);
    switch (m->code) {
    case RESPONSE_NOT_READY: not_ready(io, m); break;
    case RESPONSE_TOO_LARGE:
    case DATA_TOO_LARGE: actual_size(io, m); break;
    case LARGE_RESPONSE: io_u8(io, "Handle", &m->handle); break;
    case VENDOR_DEFINED: vendor(io, m); break;
    default: break;
    }
}

void spdm_walk_respond_if_ready(struct io *io, union spdm_body *b)
{
    struct respond_if_ready *m = &b->respond_if_ready;

    io_u8(io, "RequestCode", &m->request_code);
    io_u8(io, "Token", &m->token);
}
