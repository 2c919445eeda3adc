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
 * into rd. Encoding: the body is only read. */
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

struct io {
    const struct shape *sh;
    struct spdm_span rd;
    struct spdm_room wr;
    size_t at, end, last; /* position, limit, start of the latest field */
    size_t signature_at;  /* where the Signature begins; 0 if there is none */
    size_t verify_at;     /* where the VerifyData begins; 0 if there is none */
    uint8_t why;          /* first error ... */
    uint32_t where, got, limit;
    const char *field; /* ... and its place */
    spdm_see see;      /* observer, or NULL */
    void *see_ctx;
};

/* Names of fields cost memory; a build for a small device leaves them out. */
#ifdef SPDM_NO_NAMES
#define SPDM_NAME(s) ((const char *)0)
#else
#define SPDM_NAME(s) (s)
#endif

void spdm_io_u8(struct io *io, const char *name, uint8_t *v);
void spdm_io_u16(struct io *io, const char *name, uint16_t *v);
void spdm_io_u32(struct io *io, const char *name, uint32_t *v);
/* n bytes, little endian, n <= 4. */
uint32_t spdm_io_number(struct io *io, const char *name, uint32_t v, size_t n);
/* Reserved: zeros are written, anything is read. */
void spdm_io_zero(struct io *io, size_t n);
/* Exactly n bytes. When encoding, a span without pointer leaves the bytes for somebody else to fill. */
void spdm_io_bytes(struct io *io, const char *name, struct spdm_span *s, size_t n);
/* Whatever is left, at most max bytes. */
void spdm_io_rest(struct io *io, const char *name, struct spdm_span *s, size_t max);
/* OpaqueDataLength and OpaqueData, checked against the negotiated format. */
void spdm_io_opaque(struct io *io, struct spdm_span *s);
/* The two apart, for messages that put other fields between them. */
void spdm_io_opaque_length(struct io *io, uint16_t *n);
void spdm_io_opaque_data(struct io *io, struct spdm_span *s, uint16_t n);
/* VerifyData of n bytes. */
void spdm_io_verify(struct io *io, const char *name, struct spdm_span *s, size_t n);
/* The Signature, as large as the shape says. */
void spdm_io_signature(struct io *io, struct spdm_span *s);
void spdm_io_fail(struct io *io, uint8_t why, const char *name, uint32_t got, uint32_t limit);

#define io_u8(io, name, v) spdm_io_u8(io, SPDM_NAME(name), v)
#define io_u16(io, name, v) spdm_io_u16(io, SPDM_NAME(name), v)
#define io_u32(io, name, v) spdm_io_u32(io, SPDM_NAME(name), v)
#define io_zero(io, n) spdm_io_zero(io, n)
#define io_bytes(io, name, s, n) spdm_io_bytes(io, SPDM_NAME(name), s, n)
/* A rule that holds in both directions. */
#define io_need(io, ok, why, name, got, limit)                                                                         \
    do {                                                                                                               \
        if (!(ok)) spdm_io_fail(io, SPDM_WHY_##why, SPDM_NAME(name), got, limit);                                      \
    } while (0)

static inline bool io_decoding(const struct io *io)
{
    return io->wr.p == NULL;
}
static inline bool io_since(const struct io *io, uint8_t version)
{
    return io->sh->ver >= version;
}
static inline bool io_fine(const struct io *io)
{
    return io->why == SPDM_WHY_FINE;
}
#endif
