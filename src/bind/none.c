/* SPDX-License-Identifier: BSD-3-Clause
 *
 * none.c - no binding: the frame is the message.
 *
 * For tests and for carriers that tell messages apart themselves. Nothing in
 * a bare frame says whether it is a message or a record, so the first byte
 * decides as in the reference (transports.md 6): 0x1n is an SPDM version,
 * anything else the low byte of a SessionID. Session ids for this binding
 * must therefore not begin with 0x1n. */
#include <assay/binding.h>

static size_t wrap(struct spdm_room buffer, size_t n, bool secured)
{
    (void)secured;
    return n <= buffer.n ? n : 0;
}

static struct spdm_frame unwrap(struct spdm_span frame)
{
    struct spdm_frame out = {SPDM_FRAME_BAD, {NULL, 0}};
    if (frame.n == 0) return out;
    out.kind = (frame.p[0] & 0xf0) == 0x10 ? SPDM_FRAME_PLAIN : SPDM_FRAME_SECURED;
    out.message = frame;
    return out;
}

const struct spdm_binding spdm_binding_none = {
    .name = "none", .head = 0, .tail = 0, .rtt = 1000000, .app_data = true, .wrap = wrap, .unwrap = unwrap};
