/* SPDX-License-Identifier: BSD-3-Clause
 *
 * text.c - safe strings: hex, UTF-8 and its traps.
 *
 * A string that leaves spdm_text_safe() holds no byte a terminal acts on, no
 * broken UTF-8 and no character that reorders or hides its neighbours. What
 * was replaced stays visible as \x1b (a byte) or \u{202e} (a character). */
#include "text.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct range {
    uint32_t first, last;
};

/* Invisible, reordering or line-breaking characters; surrogates and the last code points are not characters. */
static const struct range unsafe[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},     {0x115f, 0x1160},
    {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},
    {0x3164, 0x3164}, {0xd800, 0xdfff}, {0xe000, 0xf8ff},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
    {0xffa0, 0xffa0}, {0xfff0, 0xffff}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff},
};
static const struct range combining[] = {{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},
                                         {0x610, 0x61a},   {0x64b, 0x65f},   {0x1ab0, 0x1aff},
                                         {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe20, 0xfe2f}};
static const struct range wide[] = {{0x1100, 0x115e},   {0x2e80, 0x303e},  {0x3041, 0xa4cf}, {0xac00, 0xd7a3},
                                    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},  {0xff00, 0xff60}, {0xffe0, 0xffe6},
                                    {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};

static bool within(const struct range *ranges, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++)
        if (c >= ranges[i].first && c <= ranges[i].last) return true;
    return false;
}
#define WITHIN(ranges, c) within(ranges, sizeof(ranges) / sizeof((ranges)[0]), c)

/* Reads one character of n bytes (n > 0): its length in bytes, 0 if it is broken or written longer than needed. */
static size_t character(const uint8_t *p, size_t n, uint32_t *out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = p[0] < 0x80                   ? 1
                    : p[0] >= 0xf0 && p[0] < 0xf8 ? 4
                    : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
                    : p[0] >= 0xc0 && p[0] < 0xe0 ? 2
                                                  : 0;
    if (length == 0 || length > n) return 0;
    uint32_t c = length == 1 ? p[0] : p[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    if (c < least[length] || c > 0x10ffff) return 0;
    *out = c;
    return length;
}

void *spdm_text_need(void *memory)
{
    if (memory != NULL) return memory;
    fputs("spdm: out of memory\n", stderr);
    exit(4);
}

char *spdm_text_safe(struct spdm_span bytes)
{
    /* the longest replacement, \u{10ffff}, is 10 characters for 4 bytes; \xff is 4 for one */
    char *out = spdm_text_need(malloc(bytes.n * 8 + 1)), *at = out;
    for (size_t i = 0; i < bytes.n;) {
        uint32_t c = 0;
        size_t n = character(bytes.p + i, bytes.n - i, &c);
        if (n == 0) {
            at += sprintf(at, "\\x%02x", bytes.p[i]);
            n = 1;
        } else if (!WITHIN(unsafe, c)) {
            memcpy(at, bytes.p + i, n);
            at += n;
        } else {
            at += sprintf(at, c < 0x100 ? "\\x%02x" : "\\u{%x}", (unsigned)c);
        }
        i += n;
    }
    *at = '\0';
    return out;
}

char *spdm_text_safe_string(const char *s)
{
    if (s == NULL) s = "";
    return spdm_text_safe((struct spdm_span){(const uint8_t *)s, strlen(s)});
}

bool spdm_text_readable(struct spdm_span bytes)
{
    for (size_t i = 0; i < bytes.n;) {
        uint32_t c = 0;
        size_t n = character(bytes.p + i, bytes.n - i, &c);
        if (n == 0 || WITHIN(unsafe, c)) return false;
        i += n;
    }
    return bytes.n != 0;
}

char *spdm_text_hex(struct spdm_span bytes, size_t group)
{
    static const char digits[] = "0123456789abcdef";
    char *out = spdm_text_need(malloc(bytes.n * 3 + 1)), *at = out;
    for (size_t i = 0; i < bytes.n; i++) {
        if (group != 0 && i != 0 && i % group == 0) *at++ = ' ';
        *at++ = digits[bytes.p[i] >> 4];
        *at++ = digits[bytes.p[i] & 15];
    }
    *at = '\0';
    return out;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

size_t spdm_text_unhex(const char *s, struct spdm_room out)
{
    size_t n = 0;
    while (*s != '\0') {
        if (*s == ' ' || *s == ':' || *s == '-') {
            s++;
            continue;
        }
        int high = digit(s[0]), low = high < 0 ? -1 : digit(s[1]);
        if (low < 0 || n == out.n) return SIZE_MAX;
        out.p[n++] = (uint8_t)(high << 4 | low);
        s += 2;
    }
    return n;
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at == NULL ? -1 : (int)(at - digits);
}

size_t spdm_text_unbase64(const char *text, const char *stop, uint8_t *out)
{
    size_t n = 0;
    uint32_t bits = 0;
    unsigned have = 0;
    for (; text < stop && *text != '='; text++) {
        if (strchr(" \t\r\n", *text) != NULL) continue;
        int value = base64_digit(*text);
        if (value < 0) return 0;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have < 8) continue;
        have -= 8;
        out[n++] = (uint8_t)(bits >> have);
    }
    return n;
}

size_t spdm_text_width(const char *s)
{
    size_t width = 0, n = strlen(s);
    for (size_t i = 0; i < n;) {
        uint32_t c = 0;
        size_t length = character((const uint8_t *)s + i, n - i, &c);
        i += length == 0 ? 1 : length;
        width += length == 0 ? 1 : WITHIN(combining, c) ? 0 : WITHIN(wide, c) ? 2 : 1;
    }
    return width;
}

char *spdm_text_format(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = vsnprintf(NULL, 0, format, list);
    va_end(list);
    size_t size = n < 0 ? 1 : (size_t)n + 1;
    char *out = spdm_text_need(malloc(size));
    out[0] = '\0';
    va_start(list, format);
    vsnprintf(out, size, format, list);
    va_end(list);
    return out;
}
