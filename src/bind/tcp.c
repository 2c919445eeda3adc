/* SPDX-License-Identifier: BSD-3-Clause
 *
 * tcp.c - SPDM over TCP (DSP0287): 4-byte header, role inquiry and errors.
 *
 * We write PayloadLen as the standard is read (transports.md 4, UN-19): the
 * bytes after the header. libspdm counts two more; such a frame is taken where
 * something else told its length (the emulator's header), while a stream is
 * cut by the standard's reading only. Control frames have no payload. Inside
 * a record an SPDM message stands alone, or by policy behind a header. */
#include "base/bytes.h"
#include <assay/binding.h>

enum { HEADER = 4, BINDING_VERSION = 1, PAYLOAD_MAX = 0xffff };

static size_t payload_length(struct spdm_span frame)
{
    return (size_t)frame.p[0] | (size_t)frame.p[1] << 8;
}

static void put_header(uint8_t *p, uint8_t type, size_t payload)
{
    p[0] = (uint8_t)payload;
    p[1] = (uint8_t)(payload >> 8);
    p[2] = BINDING_VERSION;
    p[3] = type;
}

static size_t wrap(struct spdm_room buffer, size_t n, bool secured)
{
    if (n == 0 || n > PAYLOAD_MAX || buffer.n < HEADER || n > buffer.n - HEADER) return 0;
    put_header(buffer.p, secured ? SPDM_TCP_SECURED : SPDM_TCP_PLAIN, n);
    return HEADER + n;
}

/* A frame of another binding version is control: answering 0xC1 is all that can be done with it. */
static struct spdm_frame unwrap(struct spdm_span frame)
{
    struct spdm_frame out = {SPDM_FRAME_BAD, {NULL, 0}};
    size_t rest;
    if (frame.n < HEADER) return out;
    rest = frame.n - HEADER;
    if (frame.p[2] != BINDING_VERSION) {
        out.kind = SPDM_FRAME_CONTROL;
    } else if (frame.p[3] >= SPDM_TCP_ROLE_INQUIRY) {
        if (rest == 0 && payload_length(frame) == 0) out.kind = SPDM_FRAME_CONTROL;
    } else if (frame.p[3] == SPDM_TCP_PLAIN || frame.p[3] == SPDM_TCP_SECURED) {
        if (rest == 0 || (payload_length(frame) != rest && payload_length(frame) != rest + 2)) return out;
        out.kind = frame.p[3] == SPDM_TCP_PLAIN ? SPDM_FRAME_PLAIN : SPDM_FRAME_SECURED;
        out.message = spdm_part(frame, HEADER, rest);
    }
    return out;
}

/* The responder's answers: it cannot turn requester (role inquiry), it speaks version 1. An error is never
 * answered, so that two endpoints cannot keep each other busy. */
static size_t control(struct spdm_span frame, struct spdm_room out)
{
    if (unwrap(frame).kind != SPDM_FRAME_CONTROL || frame.p[3] > SPDM_TCP_ROLE_INQUIRY) return 0;
    return spdm_tcp_control(out, frame.p[2] != BINDING_VERSION ? SPDM_TCP_NOT_SUPPORTED : SPDM_TCP_NO_REQUESTER);
}

/* libspdm puts a whole header in front of an SPDM message inside a record, too (UN-19); there as here it may count two
 * bytes more. */
static void put_inner(uint8_t *header, size_t n)
{
    put_header(header, SPDM_TCP_PLAIN, n);
}

static struct spdm_span take_inner(struct spdm_span data)
{
    struct spdm_frame in = unwrap(data);

    return in.kind == SPDM_FRAME_PLAIN ? in.message : (struct spdm_span){0};
}

const struct spdm_binding spdm_binding_tcp = {.name = "TCP",
                                              .head = HEADER,
                                              .tail = 0,
                                              .rtt = 2000000,
                                              .app_data = true,
                                              .inner_n = HEADER,
                                              .inner_by_policy = true,
                                              .put_inner = put_inner,
                                              .take_inner = take_inner,
                                              .wrap = wrap,
                                              .unwrap = unwrap,
                                              .control = control};

size_t spdm_tcp_frame_length(struct spdm_span start)
{
    return start.n < HEADER ? 0 : HEADER + payload_length(start);
}

size_t spdm_tcp_control(struct spdm_room out, enum spdm_tcp_type type)
{
    if (out.n < HEADER || type < SPDM_TCP_ROLE_INQUIRY || type > 0xff) return 0;
    put_header(out.p, (uint8_t)type, 0);
    return HEADER;
}

enum spdm_tcp_type spdm_tcp_control_type(struct spdm_span frame)
{
    if (frame.n < HEADER || frame.p[3] < SPDM_TCP_ROLE_INQUIRY) return SPDM_TCP_PLAIN;
    return (enum spdm_tcp_type)frame.p[3];
}
