/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Small changes of a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/edit.h"

static size_t bytes_of(const char *hex, uint8_t *out, size_t cap)
{
    size_t n = 0;

    for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
        unsigned v = 0;

        if (n == cap || sscanf(hex, "%2x", &v) != 1) fail_msg("not hex: %s", hex);
        out[n++] = (uint8_t)v;
    }
    assert_true(*hex == '\0');
    return n;
}

static size_t insert(struct spdm_room m, size_t n, size_t at, struct spdm_span new)
{
    if (at > n || n + new.n > m.n) fail_msg("cannot insert at %zu", at);
    memmove(m.p + at + new.n, m.p + at, n - at);
    memcpy(m.p + at, new.p, new.n);
    return n + new.n;
}

/* One edit. */
static size_t edit(const char *e, struct spdm_room m, size_t n)
{
    uint8_t new[512];
    const char *sign = strpbrk(e, "=+");
    bool from_end = e[0] == 'e' && e[1] >= '0' && e[1] <= '9';
    struct spdm_span bytes = {new, 0};
    size_t at;

    if (sign == NULL) fail_msg("no edit: %s", e);
    if (strncmp(e, "cut=", 4) == 0) return (size_t)strtoul(e + 4, NULL, 10);
    bytes.n = bytes_of(sign + 1, new, sizeof new);
    if (strncmp(e, "add=", 4) == 0) return insert(m, n, n, bytes);
    at = (size_t)strtoul(e + from_end, NULL, 10);
    if (from_end) at = n - at;
    if (*sign == '+') return insert(m, n, at, bytes);
    if (at + bytes.n > n) fail_msg("%s is beyond the end (%zu)", e, n);
    memcpy(m.p + at, new, bytes.n);
    return n;
}

size_t edit_message(const char *edits, uint8_t *message, size_t n, size_t cap)
{
    char copy[800], *rest = copy;

    assert_true(strlen(edits) < sizeof copy);
    strcpy(copy, edits);
    for (char *e = strtok_r(copy, " ", &rest); e != NULL; e = strtok_r(NULL, " ", &rest)) {
        n = edit(e, (struct spdm_room){message, cap}, n);
    }
    return n;
}
