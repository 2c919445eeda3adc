/* SPDX-License-Identifier: BSD-3-Clause
 *
 * emulator.c - the reference emulator's header, and cutting streams into frames.
 *
 * Pure functions on bytes that have arrived (transports.md 7 and 4). A frame
 * is refused as soon as its header is there, so that nobody waits for, or
 * makes room for, bytes that will not be taken. */
#include "port/emulator.h"

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

void spdm_emu_put(uint8_t out[SPDM_EMU_HEADER], const struct spdm_emu_header *header)
{
    put32(out, header->command);
    put32(out + 4, header->transport);
    put32(out + 8, header->size);
}

bool spdm_emu_get(struct spdm_span in, struct spdm_emu_header *out)
{
    if (in.n < SPDM_EMU_HEADER) return false;
    out->command = get32(in.p);
    out->transport = get32(in.p + 4);
    out->size = get32(in.p + 8);
    return true;
}

const char *spdm_emu_transport_name(uint32_t transport)
{
    static const char *const names[] = {"NONE", "MCTP", "PCI_DOE", "TCP or SCSI", "NVMe"};
    return transport < sizeof names / sizeof *names ? names[transport] : "unknown";
}

static enum spdm_cut refuse(struct spdm_piece *piece, enum spdm_cut cut, uint32_t value)
{
    piece->value = value;
    return cut;
}

static enum spdm_cut cut_emulator(const struct spdm_target *target, size_t frame_max, struct spdm_span in,
                                  struct spdm_piece *piece)
{
    struct spdm_emu_header header;
    if (!spdm_emu_get(in, &header)) return SPDM_CUT_MORE;
    piece->command = header.command;
    piece->head = SPDM_EMU_HEADER;
    piece->size = header.size;
    if (header.transport != target->transport) return refuse(piece, SPDM_CUT_FOREIGN, header.transport);
    if (header.size > frame_max) return refuse(piece, SPDM_CUT_TOO_BIG, header.size);
    return in.n - SPDM_EMU_HEADER < header.size ? SPDM_CUT_MORE : SPDM_CUT_WHOLE;
}

enum spdm_cut spdm_stream_cut_tcp(size_t frame_max, struct spdm_span in, struct spdm_piece *piece)
{
    size_t length = spdm_tcp_frame_length(in);
    if (length == 0) return SPDM_CUT_MORE;
    piece->command = SPDM_EMU_NORMAL;
    piece->head = 0;
    piece->size = length;
    /* What another version's header means we cannot know: there is no next frame to find. */
    if (in.p[2] != 1) return refuse(piece, SPDM_CUT_FOREIGN, in.p[2]);
    if (length > frame_max) return refuse(piece, SPDM_CUT_TOO_BIG, (uint32_t)length);
    return in.n < length ? SPDM_CUT_MORE : SPDM_CUT_WHOLE;
}

enum spdm_cut spdm_stream_cut(const struct spdm_target *target, size_t frame_max, struct spdm_span in,
                              struct spdm_piece *piece)
{
    return target->emulator ? cut_emulator(target, frame_max, in, piece) : spdm_stream_cut_tcp(frame_max, in, piece);
}
