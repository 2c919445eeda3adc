/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mctp.c - SPDM over MCTP (DSP0275), secured messages over MCTP (DSP0276).
 *
 * A message is one type byte, 0x05 or 0x06, and the SPDM bytes. Fragments and
 * their 4-byte packet headers (DSP0236) are the carrier's; the two functions
 * at the end serve captures and links that see raw packets. A set integrity
 * check bit makes it a frame we do not know: SPDM never uses one
 * (transports.md 2.1). */
#include "base/bytes.h"
#include <assay/binding.h>

enum { TYPE_SPDM = 0x05, TYPE_SECURED = 0x06, HEADER_VERSION = 1 };

static size_t wrap(struct spdm_room buffer, size_t n, bool secured)
{
    if (n == 0 || buffer.n < 1 || n > buffer.n - 1) return 0;
    buffer.p[0] = secured ? TYPE_SECURED : TYPE_SPDM;
    return n + 1;
}

static struct spdm_frame unwrap(struct spdm_span frame)
{
    struct spdm_frame out = {SPDM_FRAME_BAD, {NULL, 0}};
    if (frame.n < 2) return out;
    if (frame.p[0] != TYPE_SPDM && frame.p[0] != TYPE_SECURED) return out;
    out.kind = frame.p[0] == TYPE_SPDM ? SPDM_FRAME_PLAIN : SPDM_FRAME_SECURED;
    out.message = spdm_part(frame, 1, frame.n);
    return out;
}

const struct spdm_binding spdm_binding_mctp = {.name = "MCTP",
                                               .head = 1,
                                               .tail = 0,
                                               .rtt = 1000000,
                                               .sequence_bytes = 2,
                                               .random_data = true,
                                               .app_data = true,
                                               .inner_n = 1,
                                               .inner = TYPE_SPDM,
                                               .wrap = wrap,
                                               .unwrap = unwrap};

size_t spdm_mctp_header(struct spdm_room out, const struct spdm_mctp_packet *packet)
{
    if (out.n < 4) return 0;
    out.p[0] = HEADER_VERSION;
    out.p[1] = packet->dest;
    out.p[2] = packet->source;
    out.p[3] = (uint8_t)((packet->som ? 0x80u : 0u) | (packet->eom ? 0x40u : 0u) | (packet->sequence & 3u) << 4 |
                         (packet->owner ? 0x08u : 0u) | (packet->tag & 7u));
    return 4;
}

bool spdm_mctp_parse(struct spdm_span packet, struct spdm_mctp_packet *out)
{
    if (packet.n < 4 || (packet.p[0] & 0x0f) != HEADER_VERSION) return false;
    out->dest = packet.p[1];
    out->source = packet.p[2];
    out->som = (packet.p[3] & 0x80) != 0;
    out->eom = (packet.p[3] & 0x40) != 0;
    out->sequence = packet.p[3] >> 4 & 3;
    out->owner = (packet.p[3] & 0x08) != 0;
    out->tag = packet.p[3] & 7;
    return true;
}
