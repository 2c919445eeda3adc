/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fuzz_app_data.c - streams in application data against any messages in any order.
 *
 * The input is a script: a byte that tells what happens (a message comes, the
 * application takes, we send, we reset), a length, bytes. However it goes,
 * what is granted, held and owed stays the window, and a stream that is over
 * sends nothing but its RESET. */
#include "app_data.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fact)
{
    if (!fact) abort();
}

static struct spdm_span next_bytes(struct spdm_span *rest)
{
    size_t n = rest->n != 0 ? rest->p[0] : 0;
    struct spdm_span out;
    if (rest->n != 0) *rest = (struct spdm_span){rest->p + 1, rest->n - 1};
    if (n > rest->n) n = rest->n;
    out = (struct spdm_span){rest->p, n};
    *rest = (struct spdm_span){rest->p + n, rest->n - n};
    return out;
}

/* Returns the bytes of DATA that came. */
static size_t take(struct spdm_app_stream *s, struct spdm_span message)
{
    bool over = spdm_app_over(s);
    struct spdm_app_message m = spdm_app_take(s, message);
    require((m.kind == SPDM_APP_PAST) == over);
    require((m.kind == SPDM_APP_BROKEN) <= (s->reset && s->reason[0] != '\0'));
    require((m.kind == SPDM_APP_RESET) <= s->peer_reset);
    require(m.bytes.n <= message.n && strlen(s->reason) <= SPDM_APP_REASON_MAX);
    return m.kind == SPDM_APP_DATA ? m.bytes.n : 0;
}

static void send(struct spdm_app_stream *s, struct spdm_span bytes, bool end)
{
    uint8_t room[SPDM_APP_HEAD + 256];
    struct spdm_app_source source = {room + SPDM_APP_HEAD, bytes.n, end};
    uint32_t before = spdm_app_sendable(s);
    struct spdm_span m;
    size_t n;
    if (bytes.n != 0) memcpy(source.data, bytes.p, bytes.n);
    m = spdm_app_next(s, &source, SPDM_APP_SMALL + 1);
    require(m.n == 0 || spdm_app_ours(m));
    require(!spdm_app_over(s) || m.n == 0 || m.p[SPDM_APP_HEAD - 1] == SPDM_APP_RESET);
    n = spdm_app_sent(s);
    require(n <= bytes.n && n <= before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spdm_span rest = {data, size};
    struct spdm_app_stream s;
    size_t held = 0;
    spdm_app_begin(&s, size != 0 ? data[0] * 8192u : 0);
    while (rest.n != 0) {
        uint8_t what = rest.p[0];
        struct spdm_span bytes;
        rest = (struct spdm_span){rest.p + 1, rest.n - 1};
        bytes = next_bytes(&rest);
        switch (what & 3) {
        case 0: held += take(&s, bytes); break;
        case 1:
            if (bytes.n > held) break;
            spdm_app_taken(&s, bytes.n);
            held -= bytes.n;
            break;
        case 2: send(&s, bytes, what >> 2 & 1); break;
        default:
            if (what == 255) spdm_app_reset(&s, "enough");
        }
        require(held + s.room + s.owed == s.window);
    }
    return 0;
}
