/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Lines of words from a file of test data. */
#include "support/lines.h"
#include <stdlib.h>
#include <string.h>

struct lines lines_open(const char *path)
{
    struct lines lines = {.file = fopen(path, "r")};

    if (lines.file == NULL) {
        perror(path);
        abort();
    }
    return lines;
}

bool lines_next(struct lines *lines)
{
    static char nothing[1];

    do {
        if (getline(&lines->line, &lines->room, lines->file) < 0) {
            fclose(lines->file);
            free(lines->line);
            *lines = (struct lines){0};
            return false;
        }
        char *rest = NULL, *word = strtok_r(lines->line, " \n", &rest);
        for (lines->n = 0; word != NULL && word[0] != '#'; word = strtok_r(NULL, " \n", &rest)) {
            if (lines->n == LINE_WORDS) abort();
            lines->word[lines->n++] = word;
        }
    } while (lines->n == 0);
    for (size_t i = lines->n; i < LINE_WORDS; i++) lines->word[i] = nothing;
    return true;
}
