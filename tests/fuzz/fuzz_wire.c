/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fuzz_wire.c - every walker against arbitrary bytes and shapes.
 *
 * Twelve bytes say which message and how it is laid out, the rest is the
 * message. Fields that are shown lie inside it and in order; what decodes
 * encodes again, and what was encoded decodes to the same bytes; a refusal has
 * a place and a sentence. */
#include "wire/message.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 12 };

static void require(bool fact)
{
    if (!fact) abort();
}

/* code, minor version and flags, hash, summary, opaque format, signature, verify, exchange, reply */
static struct shape shape_of(const uint8_t *p)
{
    return (struct shape){.ver = (uint8_t)(0x10 + (p[1] & 7) % 5),
                          .multi_key = (p[1] & 0x10) != 0,
                          .signature = (p[1] & 0x20) != 0,
                          .opaque_free = (p[1] & 0x40) != 0,
                          .hash = p[2] % (SPDM_HASH_MAX + 1),
                          .meas_sum = p[3] != 0 ? p[2] % (SPDM_HASH_MAX + 1) : 0,
                          .opaque_format = p[4] % 4,
                          .sig = (uint16_t)(p[5] | p[6] << 8),
                          .verify = p[7] % (SPDM_HASH_MAX + 1),
                          .exchange = (uint16_t)(p[8] | p[9] << 8),
                          .exchange_reply = (uint16_t)(p[10] | p[11] << 8),
                          .opaque_max = 1024};
}

struct place {
    size_t n;  /* of the message */
    size_t at; /* end of the latest field */
};

/* Inner fields come after the one that holds them, so a field may begin before the end of the latest. */
static void see(void *ctx, const struct spdm_field *f)
{
    struct place *p = ctx;

    require(f->name != NULL && f->n != 0 && f->at <= p->n && f->n <= p->n - f->at);
    if (f->at + f->n > p->at) p->at = f->at + f->n;
}

/* Algorithms that are skipped cannot be written. */
static bool can_come_back(const struct spdm_message *row, const union spdm_body *body)
{
    if (row == &spdm_message_CAPABILITIES) return body->capabilities.block.ext_n == 0;
    if (row == &spdm_message_NEGOTIATE_ALGORITHMS) return body->algorithms.ext_n == 0;
    return true;
}

static void round_trip(const struct shape *sh, const struct spdm_message *row, union spdm_body *body, size_t n)
{
    size_t room = n + 8; /* the size that an ERROR may have left out is written (LQ-33), and masks in full */
    uint8_t *first = malloc(room), *second = malloc(room);
    struct io io = spdm_writer(sh, (struct spdm_room){first, room});
    union spdm_body again;

    require(first != NULL && second != NULL);
    require(spdm_encode(&io, row, body));
    n = io.at;
    io = spdm_reader(sh, (struct spdm_span){first, n});
    require(spdm_decode(&io, row, &again));
    require(io.at == n);
    io = spdm_writer(sh, (struct spdm_room){second, n});
    require(spdm_encode(&io, row, &again));
    require(io.at == n && memcmp(first, second, n) == 0);
    free(first);
    free(second);
}

static void refused(const struct io *io, const struct spdm_message *row)
{
    struct spdm_report report;
    char text[300];

    spdm_io_report(io, row, &report);
    require(report.field != NULL && report.offset <= io->end);
    require(spdm_report_text(&report, text, sizeof text) < sizeof text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct spdm_message *row;
    union spdm_body body;
    struct place place;
    struct shape sh;
    struct io io;
    bool fine;

    if (size < HEAD) return 0;
    row = spdm_message_find(data[0]);
    if (row == NULL || row->walk == NULL) return 0;
    sh = shape_of(data);
    io = spdm_reader(&sh, (struct spdm_span){data + HEAD, size - HEAD});
    place = (struct place){.n = size - HEAD};
    io.see = see;
    io.see_ctx = &place;
    fine = spdm_decode(&io, row, &body);
    require(io.at <= io.end && (!fine || place.at <= io.at));
    if (!fine) refused(&io, row);
    else if (can_come_back(row, &body)) round_trip(&sh, row, &body, io.at);
    return 0;
}
