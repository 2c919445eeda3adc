/* SPDX-License-Identifier: BSD-3-Clause
 *
 * screen.c - colour where a person looks on, and tables that line up.
 *
 * A pipe or a file gets plain, unfolded lines, so that grep and diff see one
 * fact a line. A terminal gets a little colour and its last column folded
 * under itself, never in the middle of a character. */
#include "options.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *const codes[] = {
    [SPDM_PLAIN] = "",         [SPDM_STRONG] = "\033[1m", [SPDM_FAINT] = "\033[2m",
    [SPDM_GREEN] = "\033[32m", [SPDM_RED] = "\033[31m",   [SPDM_YELLOW] = "\033[33m",
};

struct spdm_screen spdm_screen_on(FILE *to)
{
    struct spdm_screen screen = {.to = to};
    int fd = fileno(to);
    if (fd < 0 || isatty(fd) == 0) return screen;
    screen.colour = spdm_options_colour(to);
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) screen.width = size.ws_col;
    return screen;
}

void spdm_screen_put(const struct spdm_screen *screen, enum spdm_style style, const char *text)
{
    bool colour = screen->colour && style != SPDM_PLAIN && text[0] != '\0';
    if (colour) fputs(codes[style], screen->to);
    fputs(text, screen->to);
    if (colour) fputs("\033[0m", screen->to);
}

struct cell {
    enum spdm_style style;
    char *text;
};

struct spdm_table {
    size_t columns, n, room;
    struct cell *cells;
};

struct spdm_table *spdm_table_new(size_t columns)
{
    struct spdm_table *table = spdm_text_need(calloc(1, sizeof *table));
    table->columns = columns;
    return table;
}

void spdm_table_take(struct spdm_table *table, enum spdm_style style, char *text)
{
    if (table->n == table->room) {
        table->room = table->room * 2 + 16;
        table->cells = spdm_text_need(realloc(table->cells, table->room * sizeof *table->cells));
    }
    table->cells[table->n].style = style;
    table->cells[table->n++].text = text;
}

void spdm_table_add(struct spdm_table *table, enum spdm_style style, const char *text)
{
    spdm_table_take(table, style, spdm_text_need(strdup(text == NULL ? "" : text)));
}

/* Bytes of s that fit in `room` columns: up to the last space if there is one, at least one character. */
static size_t fold(const char *s, size_t room)
{
    size_t fits = 0, width = 0, space = 0;
    while (s[fits] != '\0') {
        size_t n = 1;
        while (((unsigned char)s[fits + n] & 0xc0) == 0x80) n++;
        char one[8] = {0};
        memcpy(one, s + fits, n < sizeof one ? n : sizeof one - 1);
        width += spdm_text_width(one);
        if (width > room && fits != 0) break;
        if (s[fits] == ' ') space = fits;
        fits += n;
    }
    return s[fits] == '\0' || space == 0 ? fits : space;
}

static void pad(FILE *to, size_t n)
{
    while (n-- != 0) fputc(' ', to);
}

static void put_folded(const struct spdm_screen *screen, const struct cell *cell, size_t column)
{
    const char *s = cell->text;
    size_t room = screen->width > column + 16 ? screen->width - column : 0;
    for (;;) {
        size_t n = room == 0 ? strlen(s) : fold(s, room);
        char *part = spdm_text_format("%.*s", (int)n, s);
        spdm_screen_put(screen, cell->style, part);
        free(part);
        s += n;
        while (*s == ' ') s++;
        if (*s == '\0') return;
        fputc('\n', screen->to);
        pad(screen->to, column);
    }
}

static size_t column_width(const struct spdm_table *table, size_t column)
{
    size_t widest = 0;
    for (size_t i = column; i < table->n; i += table->columns) {
        size_t width = spdm_text_width(table->cells[i].text);
        if (width > widest) widest = width;
    }
    return widest;
}

static void print_row(const struct spdm_table *table, const struct cell *row, const struct spdm_screen *screen,
                      size_t indent)
{
    size_t last = table->columns, at = indent, gap = indent;
    while (last > 1 && row[last - 1].text[0] == '\0') last--; /* no blanks at the end of a line */
    for (size_t c = 0; c < last; c++) {
        pad(screen->to, gap);
        if (c + 1 == table->columns) {
            put_folded(screen, &row[c], at);
            break;
        }
        size_t width = column_width(table, c), used = spdm_text_width(row[c].text);
        spdm_screen_put(screen, row[c].style, row[c].text);
        gap = width - used + (width == 0 ? 0 : 2);
        at += width + (width == 0 ? 0 : 2);
    }
    fputc('\n', screen->to);
}

void spdm_table_print(struct spdm_table *table, const struct spdm_screen *screen, size_t indent)
{
    while (table->n % table->columns != 0) spdm_table_add(table, SPDM_PLAIN, "");
    for (size_t i = 0; i < table->n; i += table->columns) print_row(table, table->cells + i, screen, indent);
    for (size_t i = 0; i < table->n; i++) free(table->cells[i].text);
    free(table->cells);
    free(table);
}
