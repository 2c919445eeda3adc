/* SPDX-License-Identifier: BSD-3-Clause
 *
 * lines.h - test data: one case a line, words between blanks, '#' comments. */
#ifndef TESTS_SUPPORT_LINES_H
#define TESTS_SUPPORT_LINES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { LINE_WORDS = 40 };

struct lines {
    FILE *file;
    char *line; /* allocated */
    size_t room;
    char *word[LINE_WORDS]; /* of this line; "" behind the last */
    size_t n;               /* how many words it has */
};

/* The test fails if there is no such file. */
struct lines lines_open(const char *path);
/* The next line that is neither empty nor a comment; false at the end, where everything is closed and freed. */
bool lines_next(struct lines *lines);
#endif
