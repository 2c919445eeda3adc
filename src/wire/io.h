/* SPDX-License-Identifier: BSD-3-Clause
 *
 * io.h - one small engine, two directions.
 *
 * A message is described once, by a walker that names its fields in order; the
 * same walker decodes, encodes and, with a `see` observer, dumps, maps fields
 * for fuzzing and explains errors. The first error sticks, with field, offset
 * and value; after it every call is a no-op that yields zeros. This is the only
 * code that touches a peer's bytes.
 *
 * Decoding (wr.p == NULL): numbers and spans of the body are filled, spans point
 * into rd. Encoding: the body is read, and what was written is put back. */
#ifndef ASSAY_WIRE_IO_H
#define ASSAY_WIRE_IO_H
#include "base/bytes.h"
#include <assay/dump.h>
#include <assay/report.h>

/* Everything outside the bytes that decides how they are laid out; made in one place (core/conn.c). */
struct shape {
    uint8_t ver;                       /* SPDM version the message is in */
    uint8_t hash;                      /* H: size of the base hash */
    uint8_t meas_sum;                  /* size of MeasurementSummaryHash here: H or 0 */
    uint8_t opaque_format;             /* 1.2+: OtherParamsSelection [3:0]; 0: no opaque data allowed */
    bool opaque_free;                  /* opaque data is not checked (1.0, 1.1, or format not known) */
    bool multi_key;                    /* DIGESTS, CERTIFICATE carry the multi-key fields */
    bool signature;                    /* MEASUREMENTS: a signature was asked for */
    uint8_t verify;                    /* size of the response's VerifyData here: H or 0 */
    uint16_t sig;                      /* size of the signer's signature */
    uint16_t exchange, exchange_reply; /* size of ExchangeData in KEY_EXCHANGE and its response */
    uint16_t opaque_max;
};

struct io;
/* Walks the parts of the n bytes just read. `what`: so many measurement blocks, or one of these, the last with the
 * SubCode. */
typedef void (*io_inside)(struct io *io, size_t n, unsigned what);
#define OPAQUE_ELEMENTS 0x100u
#define SLOT_STRUCTURE 0x200u

struct io {
    struct shape sh;
    uint8_t why; /* first error; where, got, limit and field say more about it */
    struct spdm_span rd;
    struct spdm_room wr;
    size_t at, end, last; /* position, limit, start of the latest field */
    size_t signature_at;  /* where the Signature begins; 0 if there is none */
    size_t verify_at;     /* where the VerifyData begins; 0 if there is none */
    uint32_t where, got, limit;
    const char *name, *field; /* of the field at hand, of the one that is wrong */
    io_inside inside;         /* NULL: nobody wants to look inside */
    spdm_see see;             /* observer, or NULL */
    void *see_ctx;
};

/* Names of fields cost memory; a build for a small device leaves them out. */
#ifdef SPDM_NO_NAMES
#define SPDM_NAME(s) ((const char *)0)
#define io_name(io, s)
#else
#define SPDM_NAME(s) (s)
#define io_name(io, s) (io)->name = (s),
#endif

uint32_t spdm_io_number(struct io *io, uint32_t v, size_t n);
void spdm_io_u8(struct io *io, uint8_t *v);
void spdm_io_u16(struct io *io, uint16_t *v);
void spdm_io_u32(struct io *io, uint32_t *v);
void spdm_io_u8_since(struct io *io, uint8_t version, uint8_t *v);
void spdm_io_u32_since(struct io *io, uint8_t version, uint32_t *v);
void spdm_io_zero(struct io *io, size_t n);
void spdm_io_bytes(struct io *io, struct spdm_span *s, size_t n);
void spdm_io_rest(struct io *io, struct spdm_span *s, size_t max);
void spdm_io_verify(struct io *io, struct spdm_span *s, size_t n);
void spdm_io_signature(struct io *io, struct spdm_span *s);
void spdm_io_fail(struct io *io, uint8_t why, uint32_t got, uint32_t limit);
void spdm_io_fail_tersely(struct io *io, uint8_t why);
/* The lookers inside for io->inside: of every message, and of those that a device meets. */
void spdm_io_inside(struct io *io, size_t n, unsigned what);
void spdm_io_inside_device(struct io *io, size_t n, unsigned what);

/* n bytes, little endian, n <= 4. */
#define io_number(io, name, v, n) (io_name(io, name) spdm_io_number(io, v, n))
#define io_u8(io, name, v) (io_name(io, name) spdm_io_u8(io, v))
#define io_u16(io, name, v) (io_name(io, name) spdm_io_u16(io, v))
#define io_u32(io, name, v) (io_name(io, name) spdm_io_u32(io, v))
/* Fields that older versions have as reserved zeros: the value is 0 there. */
#define io_u8_since(io, version, name, v) (io_name(io, name) spdm_io_u8_since(io, version, v))
#define io_u32_since(io, version, name, v) (io_name(io, name) spdm_io_u32_since(io, version, v))
/* Reserved: zeros are written, anything is read. */
#define io_zero(io, n) (io_name(io, "Reserved") spdm_io_zero(io, n))
/* Exactly n bytes. When encoding, a span without pointer leaves the bytes for somebody else to fill. */
#define io_bytes(io, name, s, n) (io_name(io, name) spdm_io_bytes(io, s, n))
/* Whatever is left, at most max bytes. */
#define io_rest(io, name, s, max) (io_name(io, name) spdm_io_rest(io, s, max))
/* OpaqueDataLength and OpaqueData, checked against the negotiated format. */
void spdm_io_opaque(struct io *io, struct spdm_span *s);
/* The two apart, for messages that put other fields between them. */
void spdm_io_opaque_length(struct io *io, uint16_t *n);
void spdm_io_opaque_data(struct io *io, struct spdm_span *s, uint16_t n);
/* VerifyData of n bytes. */
#define io_verify(io, name, s, n) (io_name(io, name) spdm_io_verify(io, s, n))
/* The Signature, as large as the shape says. */
#define io_signature(io, s) (io_name(io, "Signature") spdm_io_signature(io, s))
/* A rule that holds in both directions. */
#define io_need(io, ok, why, name, got, limit)                                                                         \
    do {                                                                                                               \
        if (!(ok)) io_name(io, name) io_fail(io, SPDM_WHY_##why, got, limit);                                          \
    } while (0)
#ifdef SPDM_NO_NAMES
#define io_fail(io, why, got, limit) ((void)sizeof((got) + (limit)), spdm_io_fail_tersely(io, why))
#else
#define io_fail(io, why, got, limit) spdm_io_fail(io, why, got, limit)
#endif

static inline bool io_decoding(const struct io *io)
{
    return io->wr.p == NULL;
}
static inline bool io_since(const struct io *io, uint8_t version)
{
    return io->sh.ver >= version;
}
static inline bool io_fine(const struct io *io)
{
    return io->why == SPDM_WHY_FINE;
}
/* Fine, or out of room and only counting. */
static inline bool io_going(const struct io *io)
{
    return io->why == SPDM_WHY_FINE || io->why == SPDM_WHY_NO_ROOM;
}
#endif
