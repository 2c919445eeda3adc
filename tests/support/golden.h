/* SPDX-License-Identifier: BSD-3-Clause
 *
 * golden.h - messages that other implementations made, from tests/data/golden (README.md there has the formats). */
#ifndef TESTS_SUPPORT_GOLDEN_H
#define TESTS_SUPPORT_GOLDEN_H
#include "wire/message.h"

/* One line of messages/<NAME>-1.<minor>.txt. */
struct golden {
    const char *file, *source;
    const struct spdm_message *row;
    struct shape shape;
    struct spdm_room bytes; /* exactly as long as the message, on the heap */
    char *expected;         /* the words behind the bytes */
};

/* Bytes of hex digits and @chains joined by `+`; allocated, exactly as large. Free with free(). */
struct spdm_room golden_bytes(const char *spelled);
/* Calls fn for every message that has a walker; returns how many there were. The test fails when the data are
 * missing. */
unsigned golden_each(void (*fn)(const struct golden *line, void *ctx), void *ctx);
/* Calls fn for every line of a file that is no comment; the line may be taken apart. Returns how many there were. */
unsigned golden_lines(const char *path, void (*fn)(char *line, void *ctx), void *ctx);
/* Calls fn for every file of a directory under tests/data/golden, in order of names. Returns how many there were. */
unsigned golden_files(const char *directory, void (*fn)(const char *path, const char *name, void *ctx), void *ctx);
#endif
