/* SPDX-License-Identifier: BSD-3-Clause
 *
 * emulator.h - the socket protocol of the reference emulator (spdm-emu).
 *
 * Every frame has a header of three big-endian words: command, transport type,
 * size of what follows. No I/O here: reading and writing the header, and
 * cutting a stream of bytes into frames for every kind of target. */
#ifndef PORT_EMULATOR_H
#define PORT_EMULATOR_H
#include "port/link.h"

#define SPDM_EMU_HEADER 12

enum spdm_emu_command {
    SPDM_EMU_NORMAL = 0x0001,
    SPDM_EMU_STORAGE_SEND = 0x0002, /* 2 to 4: storage devices only */
    SPDM_EMU_STORAGE_RECV = 0x0003,
    SPDM_EMU_STORAGE_STATUS = 0x0004,
    SPDM_EMU_OOB_KEY_UPDATE = 0x8001,
    SPDM_EMU_OOB_ENDPOINT_INFO = 0x8002,
    SPDM_EMU_CONTINUE = 0xfffd,
    SPDM_EMU_SHUTDOWN = 0xfffe,
    SPDM_EMU_UNKNOWN = 0xffff,
    SPDM_EMU_TEST = 0xdead
};

struct spdm_emu_header {
    uint32_t command, transport, size;
};

void spdm_emu_put(uint8_t out[SPDM_EMU_HEADER], const struct spdm_emu_header *header);
/* false: fewer than 12 bytes. */
bool spdm_emu_get(struct spdm_span in, struct spdm_emu_header *out);
/* "MCTP" for 1; "unknown" for what the emulator does not have. */
const char *spdm_emu_transport_name(uint32_t transport);

/* ---- cutting a stream ---- */

enum spdm_cut {
    SPDM_CUT_MORE,    /* not whole yet */
    SPDM_CUT_WHOLE,   /* *piece is filled */
    SPDM_CUT_TOO_BIG, /* the frame would exceed frame_max */
    SPDM_CUT_FOREIGN  /* another transport type (emulator) or binding version (TCP) */
};

struct spdm_piece {
    uint32_t command;  /* SPDM_EMU_NORMAL for targets without emulator */
    size_t head, size; /* the frame lies at head, size bytes long */
    uint32_t value;    /* what was refused: size, transport or version */
};

/* The first frame of the stream of a target. */
enum spdm_cut spdm_stream_cut(const struct spdm_target *target, size_t frame_max, struct spdm_span in,
                              struct spdm_piece *piece);
/* The first DSP0287 frame, without an emulator's header: the reference's role inquiry has none. */
enum spdm_cut spdm_stream_cut_tcp(size_t frame_max, struct spdm_span in, struct spdm_piece *piece);
#endif
