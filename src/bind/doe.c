/* SPDX-License-Identifier: BSD-3-Clause
 *
 * doe.c - SPDM in PCI DOE data objects, and DOE discovery for both roles.
 *
 * An object is vendor, type and length in dwords, then the message padded with
 * zeros. One object is one frame, so an object whose Length is not what was
 * transferred is dropped, as is one too short for its type (transports.md
 * 3.1). Padding is never part of the message's meaning; SPDM's own lengths say
 * where it ends (withstand 33). libspdm sees it so, too, but for its requester's
 * check of a signed ENDPOINT_INFO, which refuses one that is padded: an EPInfo
 * of a multiple of 4 bytes gets by. Types 3 and 4 (connection ids) are not ours. */
#include "base/bytes.h"
#include <assay/binding.h>

#define OBJECT_MAX ((size_t)1 << 20) /* 2^18 dwords, which the Length field writes as 0 */

enum { HEADER = 8, VENDOR_PCI_SIG = 0x0001, VENDOR_NONE = 0xffff };
enum { TYPE_DISCOVERY = 0, TYPE_SPDM = 1, TYPE_SECURED = 2, TYPE_N = 3 };

/* Header of an object of `size` bytes, a multiple of 4 up to OBJECT_MAX, into the first 8 bytes of p. */
static void put_header(uint8_t *p, uint8_t type, size_t size)
{
    uint32_t dwords = (uint32_t)(size / 4) & 0x3ffff;
    p[0] = VENDOR_PCI_SIG;
    p[1] = 0;
    p[2] = type;
    p[3] = 0;
    p[4] = (uint8_t)dwords;
    p[5] = (uint8_t)(dwords >> 8);
    p[6] = (uint8_t)(dwords >> 16);
    p[7] = 0;
}

/* Whether the frame is exactly one object of the PCI-SIG with something in it. Bits 31:18 of the length dword are
 * reserved for our types and ignored. */
static bool is_object(struct spdm_span frame)
{
    uint32_t dwords;
    if (frame.n <= HEADER || frame.n > OBJECT_MAX || frame.p[0] != VENDOR_PCI_SIG || frame.p[1] != 0) return false;
    dwords = frame.p[4] | (uint32_t)frame.p[5] << 8 | (uint32_t)(frame.p[6] & 3u) << 16;
    return frame.n == (dwords == 0 ? OBJECT_MAX : (size_t)dwords * 4);
}

static size_t wrap(struct spdm_room buffer, size_t n, bool secured)
{
    size_t size, i;
    if (n == 0 || n > OBJECT_MAX - HEADER) return 0;
    size = (HEADER + n + 3) / 4 * 4;
    if (size > buffer.n) return 0;
    put_header(buffer.p, secured ? TYPE_SECURED : TYPE_SPDM, size);
    for (i = HEADER + n; i < size; i++) buffer.p[i] = 0;
    return size;
}

static struct spdm_frame unwrap(struct spdm_span frame)
{
    static const uint8_t kinds[TYPE_N] = {SPDM_FRAME_CONTROL, SPDM_FRAME_PLAIN, SPDM_FRAME_SECURED};
    struct spdm_frame out = {SPDM_FRAME_BAD, {NULL, 0}};
    if (!is_object(frame) || frame.p[2] >= TYPE_N) return out;
    out.kind = (enum spdm_frame_kind)kinds[frame.p[2]];
    out.message = spdm_part(frame, HEADER, frame.n);
    return out;
}

/* A discovery object with its one dword of payload. */
static size_t put_discovery(struct spdm_room out, const uint8_t payload[4])
{
    size_t i;
    if (out.n < HEADER + 4) return 0;
    put_header(out.p, TYPE_DISCOVERY, HEADER + 4);
    for (i = 0; i < 4; i++) out.p[HEADER + i] = payload[i];
    return HEADER + 4;
}

/* Answers discovery: index n is object type n, 0 to 2. A longer request than expected is served for the part that
 * is expected; an index out of range gets vendor 0xFFFF (transports.md 3.1, 3.2). */
static size_t control(struct spdm_span frame, struct spdm_room out)
{
    uint8_t payload[4] = {VENDOR_PCI_SIG, 0, 0, 0};
    uint8_t index;
    if (!is_object(frame) || frame.p[2] != TYPE_DISCOVERY) return 0;
    index = frame.p[HEADER];
    if (index < TYPE_N) {
        payload[2] = index;
        payload[3] = (uint8_t)(index + 1 < TYPE_N ? index + 1 : 0);
    } else {
        payload[0] = VENDOR_NONE & 0xff;
        payload[1] = VENDOR_NONE >> 8;
    }
    return put_discovery(out, payload);
}

const struct spdm_binding spdm_binding_doe = {
    .name = "PCI DOE", .head = HEADER, .tail = 3, .rtt = 1000000, .wrap = wrap, .unwrap = unwrap, .control = control};

size_t spdm_doe_discovery(struct spdm_room out, uint8_t index, uint8_t version)
{
    const uint8_t payload[4] = {index, version, 0, 0};
    return put_discovery(out, payload);
}

bool spdm_doe_discovered(struct spdm_span frame, struct spdm_doe_protocol *out)
{
    if (!is_object(frame) || frame.p[2] != TYPE_DISCOVERY) return false;
    out->vendor = (uint16_t)(frame.p[HEADER] | frame.p[HEADER + 1] << 8);
    out->type = frame.p[HEADER + 2];
    out->next = frame.p[HEADER + 3];
    return true;
}
