/* SPDX-License-Identifier: BSD-3-Clause
 *
 * text.h - what people read: safe strings, colour, aligned tables.
 *
 * Names come from certificates and opaque data, that is, from whoever made the
 * device. They are shown, never obeyed: control characters, broken UTF-8 and
 * the invisible characters that reorder or hide text come out as \x1b or
 * \u{202e}. */
#ifndef SPDM_TEXT_H
#define SPDM_TEXT_H
#include <assay/span.h>
#include <stdbool.h>
#include <stdio.h>

/* The bytes as UTF-8 that no terminal obeys. The caller frees it. */
char *spdm_text_safe(struct spdm_span bytes);
/* The same of a terminated string; NULL gives an empty one. */
char *spdm_text_safe_string(const char *s);
/* Whether the bytes are clean UTF-8 that spdm_text_safe() would leave alone, and at least one character. */
bool spdm_text_readable(struct spdm_span bytes);
/* Lower case hex, `group` bytes between spaces (0: no spaces). The caller frees it. */
char *spdm_text_hex(struct spdm_span bytes, size_t group);
/* Reads hex digits, ignoring spaces, ':' and '-', into out; the number of bytes, SIZE_MAX if it is no hex or too long.
 */
size_t spdm_text_unhex(const char *s, struct spdm_room out);
/* Decodes base64 up to `stop`, space ignored, into out, which may be the text itself; the number of bytes, 0 if it is
 * none. */
size_t spdm_text_unbase64(const char *text, const char *stop, uint8_t *out);
/* Columns that a string takes on a terminal. */
size_t spdm_text_width(const char *s);
/* A string put together like printf does. The caller frees it. */
char *spdm_text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The argument, unless it is NULL: then the program says so and ends. */
void *spdm_text_need(void *memory);

enum spdm_style { SPDM_PLAIN, SPDM_STRONG, SPDM_FAINT, SPDM_GREEN, SPDM_RED, SPDM_YELLOW };

struct spdm_screen {
    FILE *to;
    bool colour;
    size_t width; /* lines are folded here; 0: never */
};

/* Colour and folding only if it is a terminal; NO_COLOR and TERM=dumb are respected. */
struct spdm_screen spdm_screen_on(FILE *to);
void spdm_screen_put(const struct spdm_screen *screen, enum spdm_style style, const char *text);

/* Rows of cells; every column is as wide as its widest cell, the last one folds at the screen's width. */
struct spdm_table;
struct spdm_table *spdm_table_new(size_t columns);
/* Adds a cell (copied), left to right, row by row. NULL is an empty cell. */
void spdm_table_add(struct spdm_table *table, enum spdm_style style, const char *text);
/* Adds a cell and frees its text. */
void spdm_table_take(struct spdm_table *table, enum spdm_style style, char *text);
/* Prints the rows behind `indent` spaces and frees the table. */
void spdm_table_print(struct spdm_table *table, const struct spdm_screen *screen, size_t indent);
#endif
