/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What all messages have in common: the first two header bytes, decoding and
 * encoding by a row of the registry, and turning io's first error into a
 * report. */
#include "wire/message.h"

struct io spdm_reader(const struct shape *sh, struct spdm_span bytes)
{
    return (struct io){.sh = *sh, .rd = bytes, .end = bytes.n, .inside = spdm_io_inside};
}

struct io spdm_writer(const struct shape *sh, struct spdm_room room)
{
    return (struct io){.sh = *sh, .wr = room, .end = room.n};
}

/* GET_VERSION and VERSION are frozen at 1.0; an ERROR may come in any version. */
static bool walk(struct io *io, const struct spdm_message *row, union spdm_body *body)
{
    uint8_t expected = (row->code & 0x7f) == CODE_VERSION ? SPDM_V10 : io->sh.ver, ver = expected, code = row->code;

    io_u8(io, "SPDMVersion", &ver);
    io_need(io, ver == expected || code == CODE_ERROR, BAD_VERSION, "SPDMVersion", ver, expected);
    io_u8(io, "RequestResponseCode", &code);
    io_need(io, code == row->code, BAD_CODE, "RequestResponseCode", code, row->code);
    if (io_fine(io)) row->walk(io, body);
    return io_fine(io);
}

bool spdm_decode(struct io *io, const struct spdm_message *row, union spdm_body *body)
{
    memset(body, 0, sizeof *body); /* walkers look at flags before they are read */
    return walk(io, row, body);
}

bool spdm_encode(struct io *io, const struct spdm_message *row, union spdm_body *body)
{
    return walk(io, row, body);
}

void spdm_io_report(const struct io *io, const struct spdm_message *row, struct spdm_report *out)
{
    *out = (struct spdm_report){.why = io->why,
                                .code = row->code,
                                .version = io->sh.ver,
                                .offset = io->where,
                                .field = io->field,
                                .got = io->got,
                                .limit = io->limit};
}

unsigned spdm_ones(uint32_t mask)
{
    unsigned n = 0;

    for (; mask != 0; mask &= mask - 1) n++;
    return n;
}
