/* SPDX-License-Identifier: BSD-3-Clause
 *
 * measure.c - measurement values in words.
 *
 * Reads what DSP0274 "DMTF specification for the Measurement field" defines
 * and nothing beyond it. Every form is checked for its exact length first: a
 * value that does not fit its type is shown as the bytes it is. */
#include "measure.h"
#include "text.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MODES_SIZE = 16, SVN_SIZE = 8, BYTES_SHOWN = 64 };

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static struct spdm_span without_zeros(struct spdm_span s)
{
    while (s.n != 0 && s.p[s.n - 1] == 0) s.n--;
    return s;
}

/* Standards body header: registry id, length of the vendor id, vendor id; then the body's own manifest. */
static bool manifest(struct spdm_span s, struct spdm_value *out)
{
    if (s.n < 2 || (size_t)s.p[1] + 2 > s.n || spdm_value_body_name(s.p[0]) == NULL) return false;
    out->body = s.p[0];
    out->vendor = (struct spdm_span){s.p + 2, s.p[1]};
    out->bytes = (struct spdm_span){s.p + 2 + s.p[1], s.n - 2 - s.p[1]};
    return true;
}

struct spdm_value spdm_value_of(const struct spdm_measurement *m)
{
    struct spdm_value v = {.kind = SPDM_VALUE_BYTES, .bytes = m->value};
    struct spdm_span text = without_zeros(m->value);
    if (!m->raw) {
        v.kind = SPDM_VALUE_DIGEST;
    } else if (m->type == SPDM_MEAS_DEVICE_MODE) {
        if (m->value.n != MODES_SIZE) return v;
        v.kind = SPDM_VALUE_MODES;
        for (size_t i = 0; i < 4; i++) v.modes[i] = u32(m->value.p + 4 * i);
    } else if (m->type == SPDM_MEAS_SVN) {
        if (m->value.n != SVN_SIZE) return v;
        v.kind = SPDM_VALUE_NUMBER;
        v.number = (uint64_t)u32(m->value.p + 4) << 32 | u32(m->value.p);
    } else if (m->type == SPDM_MEAS_STRUCTURED_MANIFEST) {
        if (manifest(m->value, &v)) v.kind = SPDM_VALUE_MANIFEST;
    } else if (spdm_text_readable(text)) {
        v.kind = SPDM_VALUE_TEXT;
        v.bytes = text;
    }
    return v;
}

const char *spdm_value_mode_name(unsigned which, unsigned bit)
{
    static const char *const operational[] = {"manufacturing", "validation", "normal",
                                              "recovery",      "RMA",        "decommissioned"};
    static const char *const device[] = {
        "non-invasive debug active", "invasive debug active", "non-invasive debug was active since reset",
        "invasive debug was active since reset", "invasive debug was active since manufacturing"};
    if (which < 2) return bit < sizeof operational / sizeof operational[0] ? operational[bit] : NULL;
    return bit < sizeof device / sizeof device[0] ? device[bit] : NULL;
}

char *spdm_value_modes(const struct spdm_value *value, unsigned which)
{
    char *out = NULL;
    for (unsigned bit = 0; bit < 32; bit++) {
        if ((value->modes[which] >> bit & 1) == 0) continue;
        const char *name = spdm_value_mode_name(which, bit);
        char *one = name != NULL ? spdm_text_format("%s", name) : spdm_text_format("bit %u", bit);
        char *all = out == NULL ? one : spdm_text_format("%s, %s", out, one);
        if (out != NULL) free(one);
        free(out);
        out = all;
    }
    return out != NULL ? out : spdm_text_format("none");
}

const char *spdm_value_body_name(uint8_t id)
{
    static const char *const names[] = {"DMTF", "TCG", "USB-IF", "PCI-SIG", "IANA",      "HDBaseT",
                                        "MIPI", "CXL", "JEDEC",  "VESA",    "IANA CBOR", "DMTF-DSP"};
    return id < sizeof names / sizeof names[0] ? names[id] : NULL;
}

/* Long raw values are cut for people; the JSON report has them whole. */
static char *bytes_words(struct spdm_span bytes)
{
    size_t shown = bytes.n > BYTES_SHOWN ? BYTES_SHOWN : bytes.n;
    char *hex = spdm_text_hex((struct spdm_span){bytes.p, shown}, 0);
    char *out = bytes.n == 0       ? spdm_text_format("empty")
                : shown == bytes.n ? spdm_text_format("%s", hex)
                                   : spdm_text_format("%s… (%zu bytes)", hex, bytes.n);
    free(hex);
    return out;
}

static char *modes_words(const struct spdm_value *value)
{
    char *mode = spdm_value_modes(value, 1), *debug = spdm_value_modes(value, 3);
    char *out = spdm_text_format("mode: %s; debug: %s", mode, debug);
    free(mode);
    free(debug);
    return out;
}

static char *manifest_words(const struct spdm_value *value)
{
    char *vendor = spdm_text_hex(value->vendor, 0), *body = bytes_words(value->bytes);
    char *out = spdm_text_format("%s%s%s manifest: %s", spdm_value_body_name(value->body),
                                 value->vendor.n != 0 ? " " : "", vendor, body);
    free(vendor);
    free(body);
    return out;
}

char *spdm_value_words(const struct spdm_value *value)
{
    switch (value->kind) {
    case SPDM_VALUE_DIGEST: return spdm_text_hex(value->bytes, 0);
    case SPDM_VALUE_NUMBER: return spdm_text_format("%" PRIu64, value->number);
    case SPDM_VALUE_MODES: return modes_words(value);
    case SPDM_VALUE_MANIFEST: return manifest_words(value);
    case SPDM_VALUE_TEXT: {
        char *safe = spdm_text_safe(value->bytes);
        char *out = spdm_text_format("\"%s\"", safe);
        free(safe);
        return out;
    }
    default: return bytes_words(value->bytes);
    }
}
