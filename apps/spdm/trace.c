/* SPDX-License-Identifier: BSD-3-Clause
 *
 * trace.c - prints what the walkers see.
 *
 * Offsets and lengths are those of the SPDM message, without the binding's
 * header. Long values are cut, with their length beside them. */
#include "trace.h"
#include <inttypes.h>
#include <stdlib.h>

enum { BYTES_SHOWN = 32 };

struct sheet {
    struct spdm_table *table;
    struct spdm_span message;
};

static char *bytes_words(struct spdm_span bytes)
{
    size_t n = bytes.n > BYTES_SHOWN ? BYTES_SHOWN : bytes.n;
    char *hex = spdm_text_hex((struct spdm_span){bytes.p, n}, 0);
    char *out = spdm_text_format("%s%s", hex, n < bytes.n ? "…" : "");
    free(hex);
    return out;
}

static void see(void *ctx, const struct spdm_field *field)
{
    struct sheet *sheet = ctx;
    bool inside = field->at <= sheet->message.n && field->n <= sheet->message.n - field->at;
    spdm_table_take(sheet->table, SPDM_FAINT, spdm_text_format("%5zu", field->at));
    spdm_table_take(sheet->table, SPDM_FAINT, spdm_text_format("%4zu", field->n));
    spdm_table_add(sheet->table, SPDM_PLAIN, field->name);
    if (field->number)
        spdm_table_take(sheet->table, SPDM_PLAIN,
                        spdm_text_format(field->value < 10 ? "%" PRIu32 : "%" PRIu32 " (0x%" PRIx32 ")", field->value,
                                         field->value));
    else if (inside)
        spdm_table_take(sheet->table, SPDM_PLAIN,
                        bytes_words((struct spdm_span){sheet->message.p + field->at, field->n}));
    else spdm_table_add(sheet->table, SPDM_PLAIN, NULL);
}

static void headline(const struct spdm_screen *screen, const struct spdm_traced *traced)
{
    char time[16] = "";
    struct tm tm;
    if (localtime_r(&traced->time.tv_sec, &tm) != NULL) strftime(time, sizeof time, "%H:%M:%S", &tm);
    char *line = spdm_text_format("%s.%03ld %s %s, %zu bytes, %s %s", time, traced->time.tv_nsec / 1000000,
                                  traced->sent ? "->" : "<-",
                                  traced->message.n > 1 ? spdm_message_name(traced->message.p[1]) : "no message",
                                  traced->message.n, traced->sent ? "to" : "from", traced->target);
    spdm_screen_put(screen, traced->sent ? SPDM_STRONG : SPDM_GREEN, line);
    fputc('\n', screen->to);
    free(line);
}

void spdm_trace_message(const struct spdm_screen *screen, const struct spdm_traced *traced)
{
    struct sheet sheet = {.table = spdm_table_new(4), .message = traced->message};
    struct spdm_dump dump = {
        .facts = traced->facts, .message = traced->message, .request = traced->request, .see = see, .ctx = &sheet};
    struct spdm_report report;
    headline(screen, traced);
    size_t n = spdm_dump(&dump, &report);
    spdm_table_print(sheet.table, screen, 2);
    if (n == 0) {
        char text[400], *hex = bytes_words(traced->message);
        spdm_report_text(&report, text, sizeof text);
        char *safe = spdm_text_safe_string(text);
        fprintf(screen->to, "  not decoded: %s\n  %s\n", safe, hex);
        free(safe);
        free(hex);
    } else if (n < traced->message.n) {
        fprintf(screen->to, "  %zu bytes of padding\n", traced->message.n - n);
    }
}
