/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_words.c - text that grows, and what a message is called. */
#include "decode.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void make_room(struct decode_words *words, size_t n)
{
    if (words->n + n < words->cap) return;
    words->cap = 2 * (words->n + n) + 128;
    words->p = spdm_text_need(realloc(words->p, words->cap));
}

void decode_say(struct decode_words *words, const char *format, ...)
{
    va_list list, again;
    int n;
    make_room(words, 64);
    va_start(list, format);
    va_copy(again, list);
    n = vsnprintf(words->p + words->n, words->cap - words->n, format, list);
    va_end(list);
    if (n > 0 && words->n + (size_t)n >= words->cap) {
        make_room(words, (size_t)n);
        n = vsnprintf(words->p + words->n, words->cap - words->n, format, again);
    }
    va_end(again);
    if (n > 0) words->n += (size_t)n;
}

void decode_put_part(struct decode_words *words, const char *text, size_t n)
{
    make_room(words, n);
    memcpy(words->p + words->n, text, n);
    words->n += n;
    words->p[words->n] = '\0';
}

void decode_put(struct decode_words *words, const char *text)
{
    decode_put_part(words, text, strlen(text));
}

void decode_put_number(struct decode_words *words, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    decode_put_part(words, digits + at, sizeof digits - at);
}

void decode_put_hex(struct decode_words *words, struct spdm_span bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *to;
    make_room(words, 2 * bytes.n);
    to = words->p + words->n;
    for (size_t i = 0; i < bytes.n; i++) {
        *to++ = digits[bytes.p[i] >> 4];
        *to++ = digits[bytes.p[i] & 15];
    }
    *to = '\0';
    words->n += 2 * bytes.n;
}

const struct spdm_field *decode_field(const struct decode_message *m, const char *name)
{
    for (size_t i = 0; i < m->fields->n; i++)
        if (strcmp(m->fields->v[i].name, name) == 0) return &m->fields->v[i];
    return NULL;
}

struct spdm_span decode_bytes(const struct decode_message *m, const struct spdm_field *field)
{
    struct spdm_span all = m->sight->message;
    if (field == NULL || field->at > all.n || field->n > all.n - field->at) return (struct spdm_span){NULL, 0};
    return (struct spdm_span){all.p + field->at, field->n};
}

const char *decode_name(const struct decode_message *m)
{
    static const char *const kinds[] = {"other message", "", "application data", "sealed record", "control message"};
    if (m->damage != NULL) return "damage";
    return m->sight->kind == SPDM_SIGHT_MESSAGE ? spdm_message_name(m->sight->code) : kinds[m->sight->kind];
}

uint8_t decode_version(const struct decode_message *m)
{
    bool message = m->damage == NULL && m->sight->kind == SPDM_SIGHT_MESSAGE && m->sight->message.n != 0;
    return message ? m->sight->message.p[0] : 0;
}
