/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Who defines something: a standards body and its VendorID (DSP0274 "Standards
 * body or vendor-defined header"); masks that bring their length; fields that
 * hold other fields. */
#include "wire/message.h"

/* VendorIDLen by standards body (algorithms.md, registry table); libspdm's 0 for the 2- and 4-byte bodies is taken too.
 */
bool spdm_vendor_id_fits(uint16_t body, size_t n)
{
    static const uint8_t size[] = {0, 2, 2, 2, 4, 4, 2, 2, 2, 0, 0, 2};
    enum { IANA_CBOR = 10 };

    if (body >= sizeof size) return false;
    if (body == IANA_CBOR) return n == 1 || n == 2 || n == 3 || n == 5 || n == 9;
    return n == size[body] || n == 0;
}

void spdm_io_svh(struct io *io, uint8_t *body, struct spdm_span *vendor)
{
    uint8_t n = (uint8_t)vendor->n;

    io_u8(io, "SVH.ID", body);
    io_u8(io, "SVH.VendorIDLen", &n);
    io_need(io, spdm_vendor_id_fits(*body, n), BAD_LENGTH, "SVH.VendorIDLen R-VDR-05", n, 0);
    io_bytes(io, "SVH.VendorID", vendor, n);
}

void spdm_io_mask(struct io *io, const char *length, const char *name, uint32_t *v)
{
    enum { MASK = 4 };
    struct spdm_span more = {0};
    uint8_t n = MASK;

    (void)length;
    (void)name;
    io_u8(io, length, &n);
    *v = io_number(io, name, *v, n < MASK ? n : (size_t)MASK);
    if (n > MASK) io_bytes(io, name, &more, n - (size_t)MASK);
}

size_t spdm_io_open(struct io *io, size_t n)
{
    size_t end = io->end;

    if (!io_fine(io)) return end;
    io->end = io->at;
    io->at -= n;
    return end;
}

void spdm_io_close(struct io *io, size_t end, const char *name)
{
    (void)name;
    if (!io_fine(io)) return;
    io->last = io->at;
    io_need(io, io->at == io->end, BAD_LENGTH, name, (uint32_t)(io->end - io->at), 0);
    io->end = end;
}
