/* SPDX-License-Identifier: BSD-3-Clause
 *
 * vendor_id.c - a standards body, what it calls a vendor, and bytes. */
#include "vendor_id.h"
#include "measure.h"
#include "text.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ANY = 0xff, DATA_MAX = 0xffff };

/* Bytes of a vendor id, by body (DSP0274, registry of standards bodies). */
static const uint8_t sizes[] = {0, 2, 2, 2, 4, 4, 2, 2, 2, 0, ANY, 2};

/* "IANA-CBOR" is "IANA CBOR", in either case. */
static bool same(const char *text, size_t n, const char *name)
{
    bool equal = strlen(name) == n;
    for (size_t i = 0; equal && i < n; i++) {
        int a = toupper((unsigned char)text[i]), b = toupper((unsigned char)name[i]);
        equal = a == b || (a == '-' && b == ' ');
    }
    return equal;
}

static bool parse_body(const char *text, size_t n, uint8_t *out)
{
    char *end;
    unsigned long number = strtoul(text, &end, 0);
    bool is_number = n != 0 && isdigit((unsigned char)text[0]) && end == text + n;
    for (size_t body = 0; body < sizeof sizes; body++) {
        *out = (uint8_t)body;
        if (is_number ? number == body : same(text, n, spdm_value_body_name((uint8_t)body))) return true;
    }
    return false;
}

/* A CBOR tag: one byte, or with a number of 1, 2, 4 or 8 bytes behind it. */
static bool is_tag(size_t n)
{
    return n == 1 || n == 2 || n == 3 || n == 5 || n == 9;
}

bool spdm_vendor_id_parse(const char *text, struct spdm_vendor_id *out, char *error, size_t cap)
{
    size_t n = strcspn(text, ":");
    *out = (struct spdm_vendor_id){.n = 0};
    if (!parse_body(text, n, &out->body)) {
        char *safe = spdm_text_safe((struct spdm_span){(const uint8_t *)text, n});
        snprintf(error, cap,
                 "\"%s\" is no standards body; they are DMTF, TCG, USB-IF, PCI-SIG, IANA, HDBaseT, MIPI, CXL, JEDEC, "
                 "VESA, IANA-CBOR and DMTF-DSP",
                 safe);
        free(safe);
        return false;
    }
    const char *name = spdm_value_body_name(out->body);
    unsigned size = sizes[out->body];
    if (text[n] == ':') out->n = spdm_text_unhex(text + n + 1, (struct spdm_room){out->id, sizeof out->id});
    const char *of = size == ANY ? "1, 2, 3, 5 or 9" : size == 2 ? "2" : "4";
    bool fits = size == ANY ? is_tag(out->n) : out->n == size;
    if (out->n == SIZE_MAX) snprintf(error, cap, "a vendor id is hex, such as PCI-SIG:8680");
    else if (fits) return true;
    else if (size == 0) snprintf(error, cap, "vendors of %s have no ids", name);
    else snprintf(error, cap, "%s has vendor ids of %s bytes, and this has %zu", name, of, out->n);
    return false;
}

static bool read_file(const char *path, size_t max, struct spdm_room *out, char *error, size_t cap)
{
    FILE *from = fopen(path, "rb");
    size_t room = 4096;
    bool good = from != NULL;
    while (good && out->n <= max) {
        room *= 2;
        out->p = spdm_text_need(realloc(out->p, room));
        out->n += fread(out->p + out->n, 1, room - out->n, from);
        good = ferror(from) == 0;
        if (out->n < room) break;
    }
    if (!good) snprintf(error, cap, "%s: %s", path, strerror(errno));
    else if (out->n > max) snprintf(error, cap, "%s: more than %zu bytes", path, max);
    good = good && out->n <= max;
    if (from != NULL) fclose(from);
    return good;
}

bool spdm_vendor_data_read(const char *text, size_t max, struct spdm_room *out, char *error, size_t cap)
{
    size_t room = strlen(text) / 2 + 1;
    *out = (struct spdm_room){NULL, 0};
    if (text[0] == '@') return read_file(text + 1, max, out, error, cap);
    out->p = spdm_text_need(malloc(room));
    out->n = spdm_text_unhex(text, (struct spdm_room){out->p, room});
    if (out->n == SIZE_MAX) snprintf(error, cap, "bytes in hex were expected, or @ and a file that holds them");
    else if (out->n > max) snprintf(error, cap, "more than %zu bytes", max);
    else return true;
    out->n = 0;
    return false;
}

bool spdm_vendor_pair_read(const char *text, struct spdm_vendor_id *vendor, struct spdm_room *data, char *error,
                           size_t cap)
{
    const char *equals = strchr(text, '=');
    *data = (struct spdm_room){NULL, 0};
    if (equals == NULL) {
        snprintf(error, cap, "BODY[:VENDOR]=DATA was expected, such as PCI-SIG:8680=0102");
        return false;
    }
    char *who = spdm_text_format("%.*s", (int)(equals - text), text);
    bool good = spdm_vendor_id_parse(who, vendor, error, cap);
    free(who);
    return good && spdm_vendor_data_read(equals + 1, DATA_MAX, data, error, cap);
}
