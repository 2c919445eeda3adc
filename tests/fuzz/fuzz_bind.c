/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fuzz_bind.c - each binding against arbitrary frames.
 *
 * First byte: which binding. The rest is a frame. Whatever unwrap finds must
 * lie inside the frame and be wrapped back into something that unwraps to the
 * same; control must stay inside its room and never answer an answer's error. */
#include <assay/binding.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fact)
{
    if (!fact) abort();
}

/* What came out of a frame goes into one and comes out again; DOE padding has become part of it. */
static void round_trip(const struct spdm_binding *b, struct spdm_frame found)
{
    bool secured = found.kind == SPDM_FRAME_SECURED;
    size_t room = b->head + found.message.n + b->tail;
    uint8_t *p = malloc(room);
    struct spdm_frame again;
    size_t n;
    require(p != NULL);
    memcpy(p + b->head, found.message.p, found.message.n);
    n = b->wrap((struct spdm_room){p, room}, found.message.n, secured);
    require(n != 0 && n <= room);
    again = b->unwrap((struct spdm_span){p, n});
    require(again.kind == found.kind && again.message.n >= found.message.n);
    require(memcmp(again.message.p, found.message.p, found.message.n) == 0);
    free(p);
}

static void controls(const struct spdm_binding *b, struct spdm_span frame)
{
    for (size_t room = 0; room <= 16; room++) {
        uint8_t *p = malloc(room ? room : 1);
        size_t n;
        require(p != NULL);
        n = b->control(frame, (struct spdm_room){p, room});
        require(n <= room);
        if (n != 0) require(b->unwrap((struct spdm_span){p, n}).kind == SPDM_FRAME_CONTROL);
        free(p);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct spdm_binding *const bindings[] = {&spdm_binding_none, &spdm_binding_mctp, &spdm_binding_doe,
                                                          &spdm_binding_tcp, &spdm_binding_storage};
    struct spdm_doe_protocol protocol;
    struct spdm_mctp_packet packet;
    const struct spdm_binding *b;
    struct spdm_frame found;
    struct spdm_span frame;
    if (size == 0) return 0;
    b = bindings[data[0] % 5];
    frame = (struct spdm_span){data + 1, size - 1};
    found = b->unwrap(frame);
    if (found.kind == SPDM_FRAME_PLAIN || found.kind == SPDM_FRAME_SECURED) {
        require(found.message.p >= frame.p && found.message.n != 0);
        require((size_t)(found.message.p - frame.p) + found.message.n == frame.n);
        round_trip(b, found);
    }
    if (b->control != NULL) controls(b, frame);
    (void)spdm_doe_discovered(frame, &protocol);
    (void)spdm_mctp_parse(frame, &packet);
    (void)spdm_tcp_control_type(frame);
    require(spdm_tcp_frame_length(frame) <= 4 + 0xffff);
    return 0;
}
