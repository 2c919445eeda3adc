/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Bytes from hex digits and from files. */
#include "support/hex.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned digit(char c)
{
    if (c >= '0' && c <= '9') return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f') return (unsigned)(c - 'a' + 10);
    fprintf(stderr, "not a hex digit: %c\n", c);
    abort();
}

struct spdm_room hex_bytes(const char *hex)
{
    size_t n = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
    uint8_t *p = malloc(n + 1);

    if (p == NULL) abort();
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    return (struct spdm_room){p, n};
}

struct spdm_room file_bytes(const char *path)
{
    struct spdm_room room = {0};
    FILE *f = fopen(path, "rb");

    if (f == NULL) return room;
    if (fseek(f, 0, SEEK_END) != 0) abort();
    room.n = (size_t)ftell(f);
    rewind(f);
    room.p = malloc(room.n + 1);
    if (room.p == NULL || fread(room.p, 1, room.n, f) != room.n) abort();
    room.p[room.n] = 0;
    fclose(f);
    return room;
}

struct spdm_span as_span(struct spdm_room room)
{
    return (struct spdm_span){room.p, room.n};
}
