/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_line.c - messages for people: a line each, or field by field.
 *
 * A line is put together in one piece and written at once. On a terminal it is
 * cut at the edge: what is left out stands in -v. */
#include "decode_flow.h"
#include <stdlib.h>
#include <string.h>

enum { NAME_COLUMN = 29, FIELD_COLUMN = 32, SHOWN = 32, ROW = 16 };

static const char *const codes[] = {[SPDM_PLAIN] = "",         [SPDM_STRONG] = "\033[1m", [SPDM_FAINT] = "\033[2m",
                                    [SPDM_GREEN] = "\033[32m", [SPDM_RED] = "\033[31m",   [SPDM_YELLOW] = "\033[33m"};

/* A piece of a line in a style; `used` counts columns, and what is beyond the screen's width is dropped. */
struct line {
    struct decode_printer *printer;
    size_t used;
};

static void piece(struct line *l, enum spdm_style style, const char *text)
{
    struct decode_words *out = &l->printer->words;
    const struct spdm_screen *screen = &l->printer->screen;
    size_t n = strlen(text), left = screen->width > l->used ? screen->width - l->used : 0;
    bool colour = screen->colour && style != SPDM_PLAIN;
    if (n == 0 || (screen->width != 0 && left == 0)) return;
    if (colour) decode_put(out, codes[style]);
    if (screen->width != 0 && n > left) decode_say(out, "%.*s", (int)left, text);
    else decode_put(out, text);
    if (colour) decode_put(out, "\033[0m");
    l->used += n;
}

static void flush(struct decode_printer *printer)
{
    fwrite(decode_text(&printer->words), 1, printer->words.n, printer->screen.to);
    decode_clear(&printer->words);
}

/* ---- the line ---- */

static enum spdm_style name_style(const struct decode_message *m)
{
    if (m->rank >= DECODE_BROKEN) return SPDM_RED;
    return m->rank >= DECODE_NOTE ? SPDM_YELLOW : m->sight->code >= 0x80 ? SPDM_STRONG : SPDM_PLAIN;
}

static void verdict(struct line *l, const char *what, enum spdm_signature_state state)
{
    static const char *const words[] = {"", " ok", " WRONG", " unchecked"};
    static const enum spdm_style styles[] = {SPDM_PLAIN, SPDM_GREEN, SPDM_RED, SPDM_YELLOW};
    char text[40];
    if (state == SPDM_UNSIGNED) return;
    snprintf(text, sizeof text, "  %s%s", what, words[state]);
    piece(l, styles[state], text);
}

static double seconds(const struct decode_printer *printer, const struct decode_message *m)
{
    return (double)(m->time.tv_sec - printer->first.tv_sec) + (double)(m->time.tv_nsec - printer->first.tv_nsec) / 1e9;
}

static void head(struct line *l, const struct decode_message *m)
{
    const struct spdm_sight *s = m->sight;
    uint8_t version = decode_version(m);
    char text[160];
    if (m->time.tv_sec == 0) snprintf(text, sizeof text, "%6llu %11s ", (unsigned long long)m->number, "");
    else snprintf(text, sizeof text, "%6llu %11.6f ", (unsigned long long)m->number, seconds(l->printer, m));
    piece(l, SPDM_FAINT, text);
    piece(l, SPDM_PLAIN, m->damage != NULL ? "   " : s->from_requester ? "-> " : "<- ");
    if (s->session != 0) snprintf(text, sizeof text, "%08x ", s->session);
    else snprintf(text, sizeof text, "%9s", "");
    piece(l, SPDM_FAINT, text);
    if (version != 0) snprintf(text, sizeof text, "%u.%u ", version >> 4 & 15u, version & 15u);
    else snprintf(text, sizeof text, "    ");
    piece(l, SPDM_FAINT, text);
    snprintf(text, sizeof text, "%s%-*s", s->enveloped || s->reassembled ? "  " : "",
             NAME_COLUMN - (s->enveloped || s->reassembled ? 2 : 0), decode_name(m));
    piece(l, name_style(m), text);
}

static void below(struct decode_printer *printer, enum spdm_style style, const char *text)
{
    struct line l = {printer, 0};
    char indent[40];
    if (text[0] == '\0') return;
    snprintf(indent, sizeof indent, "%31s", "");
    piece(&l, SPDM_PLAIN, indent);
    if (printer->screen.colour) decode_put(&printer->words, codes[style]);
    decode_put(&printer->words, text); /* never cut: it is what people look for */
    if (printer->screen.colour) decode_put(&printer->words, "\033[0m");
    decode_put(&printer->words, "\n");
}

static void one_line(struct decode_printer *printer, const struct decode_message *m)
{
    struct line l = {printer, 0};
    struct decode_words essence = {NULL, 0, 0};
    head(&l, m);
    if (m->damage != NULL) decode_put(&essence, m->damage);
    else if (m->sight->kind == SPDM_SIGHT_MESSAGE) decode_essence(&essence, m);
    else decode_carrier(&essence, m);
    if (essence.n != 0) piece(&l, SPDM_PLAIN, " ");
    piece(&l, SPDM_PLAIN, decode_text(&essence));
    verdict(&l, "signature", m->sight->signature);
    verdict(&l, "HMAC", m->sight->verify_data);
    while (printer->words.n != 0 && printer->words.p[printer->words.n - 1] == ' ') printer->words.n--;
    decode_put(&printer->words, "\n");
    below(printer, m->rank >= DECODE_BROKEN ? SPDM_RED : SPDM_YELLOW, decode_text(&m->report));
    below(printer, SPDM_YELLOW, decode_text(&m->note));
    free(essence.p);
}

/* ---- field by field ---- */

static void hex_row(struct decode_words *out, struct spdm_span bytes, size_t at)
{
    for (size_t i = 0; i < ROW; i++) {
        if (at + i < bytes.n) decode_say(out, "%02x%s", bytes.p[at + i], i == ROW / 2 - 1 ? "  " : " ");
        else decode_put(out, i == ROW / 2 - 1 ? "    " : "   ");
    }
}

/* Bytes of a field: the first row stands in front of its name, the others below. */
static void field_bytes(struct decode_words *out, struct spdm_span bytes)
{
    decode_put(out, " ");
    hex_row(out, bytes, 0);
}

static void more_bytes(struct decode_words *out, struct spdm_span bytes, size_t at)
{
    for (size_t row = ROW; row < bytes.n; row += ROW) {
        decode_say(out, "%14zu  ", at + row);
        hex_row(out, bytes, row);
        while (out->p[out->n - 1] == ' ') out->n--;
        decode_put(out, "\n");
    }
}

static void field_value(struct decode_words *out, const struct decode_message *m, size_t i, bool with_bytes)
{
    const struct spdm_field *f = &m->fields->v[i];
    struct spdm_span bytes = decode_bytes(m, f);
    size_t before;
    if (f->number) {
        decode_say(out, f->value > 9 ? "%u (0x%x)" : "%u", f->value, f->value);
        before = out->n;
        decode_put(out, "  ");
        decode_term(out, m, i);
        if (out->n == before + 2) out->n = before;
    } else if (with_bytes) {
        decode_say(out, "%zu bytes", f->n);
    } else {
        decode_put_hex(out, (struct spdm_span){bytes.p, bytes.n < SHOWN ? bytes.n : SHOWN});
        if (bytes.n > SHOWN) decode_say(out, "... (%zu bytes)", bytes.n);
    }
}

static void all_fields(struct decode_printer *printer, const struct decode_message *m)
{
    struct decode_words *out = &printer->words;
    bool with_bytes = printer->detail == DECODE_BYTES;
    size_t shown = 0;
    for (size_t i = 0; i < m->fields->n; i++) {
        const struct spdm_field *f = &m->fields->v[i];
        bool wrong = f == m->at_field, inner = f->at < shown;
        decode_say(out, "%14zu ", f->at);
        if (with_bytes && !inner) field_bytes(out, decode_bytes(m, f));
        else if (with_bytes) decode_say(out, "%*s", 3 * ROW + 2, "");
        if (wrong && printer->screen.colour) decode_put(out, codes[SPDM_RED]);
        decode_say(out, " %s%-*s ", inner ? "  " : "", FIELD_COLUMN - (inner ? 2 : 0), f->name);
        field_value(out, m, i, with_bytes);
        if (wrong && printer->screen.colour) decode_put(out, "\033[0m");
        while (out->p[out->n - 1] == ' ') out->n--;
        decode_put(out, "\n");
        if (with_bytes && !inner) more_bytes(out, decode_bytes(m, f), f->at);
        if (f->at + f->n > shown) shown = f->at + f->n;
    }
}

static void plain_bytes(struct decode_printer *printer, struct spdm_span bytes)
{
    for (size_t row = 0; row < bytes.n; row += ROW) {
        decode_say(&printer->words, "%14zu  ", row);
        hex_row(&printer->words, bytes, row);
        while (printer->words.p[printer->words.n - 1] == ' ') printer->words.n--;
        decode_put(&printer->words, "\n");
    }
}

/* ---- connections ---- */

static void other_flow(struct decode_printer *printer, const struct decode_flow *flow)
{
    struct line l = {printer, 0};
    char *text = decode_flow_title(flow);
    if (printer->flow != NULL) decode_put(&printer->words, "\n");
    printer->flow = flow;
    piece(&l, SPDM_STRONG, text);
    decode_put(&printer->words, "\n");
    free(text);
}

void decode_print(struct decode_printer *printer, const struct decode_message *m)
{
    if (!printer->begun) printer->first = m->time;
    printer->begun = true;
    if (m->flow != NULL && m->flow != printer->flow) other_flow(printer, m->flow);
    one_line(printer, m);
    if (printer->detail != DECODE_LINE && m->damage == NULL) {
        if (m->sight->kind == SPDM_SIGHT_MESSAGE) all_fields(printer, m);
        else plain_bytes(printer, m->sight->message);
    }
    flush(printer);
}
