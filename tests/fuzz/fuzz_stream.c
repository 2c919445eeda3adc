/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fuzz_stream.c - what a peer can send over a link: streams cut into frames, and targets as text.
 *
 * First byte: kind of target, or a target to parse. A frame that was cut lies
 * inside what came, is no longer than allowed, and is the same however the
 * bytes arrived; a target that parses, parses again from its normal form. */
#include "port/emulator.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fact)
{
    if (!fact) abort();
}

static void parse(const uint8_t *data, size_t size)
{
    struct spdm_target t, again;
    char text[600], error[SPDM_REASON_MAX] = "";
    size_t n = size < sizeof text - 1 ? size : sizeof text - 1;
    memcpy(text, data, n);
    text[n] = '\0';
    if (!spdm_target_parse(text, false, &t, error)) {
        require(error[0] != '\0' && memchr(error, 0, sizeof error) != NULL);
        return;
    }
    require(spdm_target_parse(t.text, false, &again, error));
    require(strcmp(t.text, again.text) == 0 && strcmp(t.host, again.host) == 0 && t.port == again.port);
}

/* A piece cut from a longer stream is cut the same from its own bytes alone, and from none of their beginnings. */
static size_t cut(const struct spdm_target *target, struct spdm_span in)
{
    enum { FRAME_MAX = 512 };
    struct spdm_piece piece = {0, 0, 0, 0}, alone;
    size_t n;
    if (spdm_stream_cut(target, FRAME_MAX, in, &piece) != SPDM_CUT_WHOLE) return 0;
    n = piece.head + piece.size;
    require(n != 0 && n <= in.n && piece.size <= FRAME_MAX);
    for (size_t i = 0; i <= n; i++) {
        uint8_t *p = malloc(i ? i : 1);
        enum spdm_cut got;
        require(p != NULL);
        memcpy(p, in.p, i);
        memset(&alone, 0, sizeof alone);
        got = spdm_stream_cut(target, FRAME_MAX, (struct spdm_span){p, i}, &alone);
        require(got == (i < n ? SPDM_CUT_MORE : SPDM_CUT_WHOLE));
        free(p);
    }
    require(alone.command == piece.command && alone.head == piece.head && alone.size == piece.size);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const texts[] = {"tcp://h", "emu+mctp://h", "emu+doe://h", "emu+tcp://h", "emu+none://h"};
    struct spdm_target target;
    char error[SPDM_REASON_MAX];
    size_t n;
    if (size == 0) return 0;
    if (data[0] % 6 == 5) {
        parse(data + 1, size - 1);
        return 0;
    }
    require(spdm_target_parse(texts[data[0] % 6], false, &target, error));
    for (data++, size--; (n = cut(&target, (struct spdm_span){data, size})) != 0; data += n, size -= n) {
    }
    return 0;
}
