/* SPDX-License-Identifier: BSD-3-Clause
 *
 * storage.c - SPDM in security commands of NVMe, SCSI and ATA (DSP0286).
 *
 * The data of a command is the bare message; what kind it is stands in the
 * command. A frame here is both: the fields that matter, in seven bytes, then
 * the data. A device makes them of the command it got and strips them from
 * what it answers; QEMU's storage devices forward commands in the same form.
 * ConnectionID is 0: an endpoint is one connection. SPSP1 is 0 (transports.md 5).
 *
 * Inside a record a block of descriptors says what the data is. We write and
 * take exactly one, of an SPDM message. UN-19: the standard's text is not at
 * hand, and libspdm puts the descriptor one byte earlier than its own structure
 * says and counts the offset two bytes too far; both readings are taken, ours
 * is written as the layout adds up. */
#include "base/bytes.h"
#include <assay/binding.h>

enum { HEADER = 7, RESERVED = 4, DISCOVERY_N = 32, PENDING_N = 12 };
enum { VERSION_LOW = 0x00, VERSION_HIGH = 0x10, OPERATIONS = 0x66 }; /* 0x1000; operations 1, 2, 5 and 6 */

bool spdm_storage_get(struct spdm_span frame, struct spdm_storage_command *out)
{
    const uint8_t *p = frame.p;

    if (frame.n < HEADER) return false;
    out->protocol = p[0];
    out->operation = p[1] >> 2;
    out->connection = p[1] & 3;
    out->reserved = p[2];
    out->length = p[3] | (uint32_t)p[4] << 8 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 24;
    return true;
}

size_t spdm_storage_put(struct spdm_room out, const struct spdm_storage_command *command)
{
    if (out.n < HEADER) return 0;
    out.p[0] = command->protocol;
    out.p[1] = (uint8_t)((unsigned)command->operation << 2 | (command->connection & 3u));
    out.p[2] = command->reserved;
    for (unsigned i = 0; i < 4; i++) out.p[3 + i] = (uint8_t)(command->length >> (8 * i));
    return HEADER;
}

static size_t put_header(struct spdm_room out, uint8_t operation, size_t n)
{
    return spdm_storage_put(out, &(struct spdm_storage_command){
                                     .protocol = SPDM_STORAGE_PROTOCOL, .operation = operation, .length = (uint32_t)n});
}

/* A secured record has four reserved bytes in front of it, which a plain message has not: it moves. */
static size_t wrap(struct spdm_room buffer, size_t n, bool secured)
{
    size_t reserved = secured ? RESERVED : 0;

    if (n == 0 || n > UINT32_MAX - RESERVED || buffer.n < HEADER + reserved || n > buffer.n - HEADER - reserved)
        return 0;
    if (secured) {
        memmove(spdm_room_from(buffer, HEADER + RESERVED).p, spdm_room_from(buffer, HEADER).p, n);
        memset(spdm_room_from(buffer, HEADER).p, 0, RESERVED);
    }
    (void)put_header(buffer, secured ? SPDM_STORAGE_SECURED : SPDM_STORAGE_PLAIN, reserved + n);
    return HEADER + reserved + n;
}

/* Discovery is the device's own; pending info is told by whoever keeps the answer. Reserved bytes in front of a record
 * are ignored. */
static struct spdm_frame unwrap(struct spdm_span frame)
{
    struct spdm_frame out = {SPDM_FRAME_BAD, {NULL, 0}};
    struct spdm_storage_command c;

    if (!spdm_storage_get(frame, &c) || c.protocol != SPDM_STORAGE_PROTOCOL || c.connection != 0 || c.reserved != 0)
        return out;
    if (c.operation == SPDM_STORAGE_DISCOVERY) {
        out.kind = SPDM_FRAME_CONTROL;
        return out;
    }
    if (c.length != frame.n - HEADER || c.length == 0) return out;
    if (c.operation == SPDM_STORAGE_PLAIN) {
        out.kind = SPDM_FRAME_PLAIN;
        out.message = spdm_part(frame, HEADER, frame.n - HEADER);
    } else if (c.operation == SPDM_STORAGE_SECURED && c.length > RESERVED) {
        out.kind = SPDM_FRAME_SECURED;
        out.message = spdm_part(frame, HEADER + RESERVED, frame.n - HEADER - RESERVED);
    }
    return out;
}

/* ---- inside a record ---- */

enum { BLOCK = 20, COUNT_AT = 0, DESCRIPTOR_AT = 4, LIBSPDM_AT = 3, TYPE_SPDM = 4 };
/* Reserved bytes, SessionID, sequence number, Length, ApplicationDataLength (none if only authenticated), the block. */
enum { OFFSET = RESERVED + 4 + 2 + 2 + 2 + BLOCK, OFFSET_MAC_ONLY = OFFSET - 2, OFFSET_LIBSPDM = OFFSET + 2 };

static void put32(uint8_t *p, size_t v)
{
    for (unsigned i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get32(struct spdm_span s, size_t at)
{
    return s.p[at] | (uint32_t)s.p[at + 1] << 8 | (uint32_t)s.p[at + 2] << 16 | (uint32_t)s.p[at + 3] << 24;
}

static void put_inner(uint8_t *header, size_t n)
{
    struct spdm_room block = {header, BLOCK};

    memset(header, 0, BLOCK);
    header[COUNT_AT] = 1;
    header[DESCRIPTOR_AT + 1] = TYPE_SPDM;
    put32(spdm_room_from(block, DESCRIPTOR_AT + 4).p, n);
    put32(spdm_room_from(block, DESCRIPTOR_AT + 8).p, OFFSET);
}

/* Type, status, length and offset of the one descriptor (withstand 100). */
static struct spdm_span take_inner(struct spdm_span data)
{
    size_t at = DESCRIPTOR_AT, n;
    uint32_t offset;

    if (data.n <= BLOCK || data.p[COUNT_AT] != 1) return spdm_span(NULL, 0);
    if (data.p[LIBSPDM_AT + 1] == TYPE_SPDM) at = LIBSPDM_AT;
    n = get32(data, at + 4);
    offset = get32(data, at + 8);
    if (data.p[at + 1] != TYPE_SPDM || data.p[at + 2] != 0 || n == 0 || n > data.n - BLOCK) return spdm_span(NULL, 0);
    if (offset != OFFSET && offset != OFFSET_MAC_ONLY && offset != OFFSET_LIBSPDM) return spdm_span(NULL, 0);
    return spdm_part(data, BLOCK, n);
}

/* ---- discovery and pending info ---- */

static size_t control(struct spdm_span frame, struct spdm_room out)
{
    uint8_t *p;

    if (unwrap(frame).kind != SPDM_FRAME_CONTROL || out.n < HEADER + DISCOVERY_N) return 0;
    (void)put_header(out, SPDM_STORAGE_DISCOVERY, DISCOVERY_N);
    p = spdm_room_from(out, HEADER).p;
    memset(p, 0, DISCOVERY_N);
    p[0] = DISCOVERY_N;
    p[2] = VERSION_LOW;
    p[3] = VERSION_HIGH;
    p[8] = OPERATIONS; /* p[4], ConnParams: one connection */
    return HEADER + DISCOVERY_N;
}

size_t spdm_storage_discovery(struct spdm_room out)
{
    return put_header(out, SPDM_STORAGE_DISCOVERY, DISCOVERY_N);
}

bool spdm_storage_discovered(struct spdm_span data, uint8_t *operations)
{
    if (data.n < DISCOVERY_N || data.p[0] < DISCOVERY_N || data.p[1] != 0 || (data.p[3] & 0xf0) != VERSION_HIGH)
        return false;
    *operations = data.p[8];
    return true;
}

size_t spdm_storage_pending(struct spdm_room out, bool ready, uint32_t length)
{
    if (out.n < PENDING_N) return 0;
    memset(out.p, 0, PENDING_N);
    out.p[0] = PENDING_N;
    out.p[2] = VERSION_LOW;
    out.p[3] = VERSION_HIGH;
    out.p[4] = ready;
    for (unsigned i = 0; i < 4; i++) out.p[8 + i] = (uint8_t)(length >> (8 * i));
    return PENDING_N;
}

const struct spdm_binding spdm_binding_storage = {.name = "storage",
                                                  .head = HEADER,
                                                  .tail = RESERVED,
                                                  .rtt = 1000000,
                                                  .sequence_bytes = 2,
                                                  .random_data = true,
                                                  .inner_n = BLOCK,
                                                  .put_inner = put_inner,
                                                  .take_inner = take_inner,
                                                  .wrap = wrap,
                                                  .unwrap = unwrap,
                                                  .control = control};
