/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Speaking to a responder byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/talk.h"

struct out {
    uint8_t *p;
    size_t n;
};

static void byte(struct out *o, unsigned v)
{
    assert_true(o->n < PAIR_BUFFER);
    o->p[o->n++] = (uint8_t)v;
}

static void many(struct out *o, unsigned n, unsigned from)
{
    for (unsigned i = 0; i < n; i++) byte(o, from + i);
}

static void number(struct out *o, uint32_t v)
{
    for (unsigned i = 0; i < 32; i += 8) byte(o, v >> i);
}

/* No flags; sizes of 4096 from 1.2 on. */
static void caps(struct out *o, uint8_t version)
{
    if (version < SPDM_V11) return;
    number(o, 0);
    number(o, 0);
    if (version < SPDM_V12) return;
    number(o, 4096);
    number(o, 4096);
}

static void offer(struct out *o, uint8_t version)
{
    byte(o, 32);
    byte(o, 0);
    byte(o, 1);
    byte(o, version < SPDM_V12 ? 0 : 2);
    number(o, 0x1ff);
    number(o, 0x3f);
    for (unsigned i = 0; i < 4; i++) number(o, 0);
}

/* One word; false if there is none like it. */
static bool word(struct out *o, const char *w, uint8_t version)
{
    if (strcmp(w, "vv") == 0) byte(o, version);
    else if (strcmp(w, "nonce") == 0) many(o, 32, 0xa0);
    else if (strcmp(w, "context") == 0) many(o, version < SPDM_V13 ? 0 : 8, 0xc0);
    else if (strncmp(w, "slot", 4) == 0) many(o, version < SPDM_V11 ? 0 : 1, (unsigned)strtoul(w + 4, NULL, 16));
    else if (strcmp(w, "caps") == 0) caps(o, version);
    else if (strcmp(w, "offer") == 0) offer(o, version);
    else if (strcmp(w, "big") == 0) many(o, 200, 0);
    else return false;
    return true;
}

static void digits(struct out *o, const char *w)
{
    unsigned v;

    if (strlen(w) % 2 != 0) fail_msg("odd digits: %s", w);
    for (; *w != '\0'; w += 2) {
        if (sscanf(w, "%2x", &v) != 1) fail_msg("no hex digits and no word: %s", w);
        byte(o, v);
    }
}

size_t talk_bytes(const char *words, uint8_t version, uint8_t *out)
{
    char copy[600], *rest = copy;
    struct out o = {out, 0};

    assert_true(strlen(words) < sizeof copy);
    strcpy(copy, words);
    for (char *w = strtok_r(copy, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest)) {
        if (strcmp(w, "|") == 0 && version < SPDM_V12) break;
        if (strcmp(w, "|") != 0 && !word(&o, w, version)) digits(&o, w);
    }
    return o.n;
}

struct spdm_span talk_bytes_to(struct pair *p, struct spdm_span message)
{
    static uint8_t frame[PAIR_BUFFER], answer[PAIR_BUFFER];
    size_t n;

    assert_true(message.n + 1 <= sizeof frame);
    frame[0] = 5;
    memcpy(frame + 1, message.p, message.n);
    n = pair_request(p, frame, message.n + 1, answer);
    return n == 0 ? (struct spdm_span){0} : (struct spdm_span){answer + 1, n - 1};
}

struct spdm_span talk(struct pair *p, uint8_t version, const char *words)
{
    static uint8_t message[PAIR_BUFFER];

    return talk_bytes_to(p, (struct spdm_span){message, talk_bytes(words, version, message)});
}

bool talk_like(struct spdm_span bytes, uint8_t version, const char *prefix)
{
    static uint8_t expected[PAIR_BUFFER];
    size_t n;

    if (strcmp(prefix, "-") == 0) return bytes.n == 0;
    n = talk_bytes(prefix, version, expected);
    return bytes.n >= n && bytes.n != 0 && memcmp(bytes.p, expected, n) == 0;
}

void talk_expect(struct pair *p, uint8_t version, const char *words, const char *prefix)
{
    struct spdm_span got = talk(p, version, words);
    char text[33] = "";

    if (talk_like(got, version, prefix)) return;
    for (size_t i = 0; i < got.n && i < 16; i++) snprintf(text + 2 * i, 3, "%02x", got.p[i]);
    fail_msg("1.%u: \"%s\" is answered %s, not \"%s\"", version & 15u, words, text, prefix);
}

void talk_phase(struct pair *p, uint8_t version, char phase)
{
    if (phase == 'S') return;
    talk_expect(p, version, "10 84 00 00", "10 04 00 00 00 05");
    if (phase == 'V') return;
    talk_expect(p, version, "vv e1 00 00 caps", "vv 61 00 00");
    if (phase == 'C') return;
    talk_expect(p, version, "vv e3 00 00 offer", "vv 63");
}
