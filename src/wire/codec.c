/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What all messages have in common: the first two header bytes, decoding and
 * encoding by a row of the registry, and turning io's first error into a
 * report. */
#include "wire/message.h"

struct io spdm_reader(const struct shape *sh, struct spdm_span bytes)
{
    return (struct io){.sh = sh, .rd = bytes, .end = bytes.n};
}

struct io spdm_writer(const struct shape *sh, struct spdm_room room)
{
    return (struct io){.sh = sh, .wr = room, .end = room.n};
}

static void walk(struct io *io, const struct spdm_message *row, union spdm_body *body)
{
    uint8_t expected = row->fixed_ten ? SPDM_V10 : io->sh->ver, ver = expected, code = row->code;

    io_u8(io, "SPDMVersion", &ver);
    io_need(io, ver == expected || row->any_version, BAD_VERSION, "SPDMVersion", ver, expected);
    io_u8(io, "RequestResponseCode", &code);
    io_need(io, code == row->code, BAD_CODE, "RequestResponseCode", code, row->code);
    if (io_fine(io)) row->walk(io, body);
}

bool spdm_decode(struct io *io, const struct spdm_message *row, union spdm_body *body)
{
    memset(body, 0, sizeof *body); /* walkers look at flags before they are read */
    walk(io, row, body);
    return io_fine(io);
}

bool spdm_encode(struct io *io, const struct spdm_message *row, const union spdm_body *body)
{
    union spdm_body copy = *body; /* a walker never writes the body when encoding; the copy keeps const honest */

    walk(io, row, &copy);
    return io_fine(io);
}

void spdm_io_report(const struct io *io, const struct spdm_message *row, struct spdm_report *out)
{
    *out = (struct spdm_report){.why = io->why,
                                .code = row->code,
                                .version = io->sh->ver,
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
