/* SPDX-License-Identifier: BSD-3-Clause
 *
 * device_measure.c - measurements of a description: from files and literals.
 *
 * A measurement has one source (file, hex, text, number, digest) and a form:
 * raw, so that a requester may see the value itself, or digest, so that only
 * its hash ever leaves the device. Digests are made when everything else has
 * been read, as they need the measurement hash. Entries of the measurement
 * extension log have the same sources. */
#include "port/device_impl.h"
#include "port/extend.h"

#include <assay/errand.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define RAW_MAX (0xffff - 3) /* of one measurement block */

enum form { FORM_DEFAULT, FORM_RAW, FORM_DIGEST };

struct measure_setting {
    uint32_t index, type;
    const char *file, *hex, *text, *digest;
    uint32_t number;
    bool has_number, tcb, has_tcb, has_body;
    uint8_t form, body;
    const char *vendor;
};

static const char *const types[] = {
    "rom",     "firmware", "hardware-config", "firmware-config", "manifest",           "device-mode",
    "version", "svn",      "hash-extend",     "informational",   "structured-manifest"};
#define TYPE_N (sizeof types / sizeof *types)

static bool read_type(struct loader *l, const config_setting_t *at, void *out)
{
    uint32_t *type = out;
    const char *text = "";
    if (config_setting_type(at) == CONFIG_TYPE_INT) {
        if (!spdm_device_number(l, at, type)) return false;
        return *type <= 0x7f || spdm_device_error(l, at, "type is %u, 0 to 127 allowed", *type);
    }
    if (!spdm_device_text(l, at, &text)) return false;
    for (*type = 0; *type < TYPE_N; (*type)++)
        if (strcmp(types[*type], text) == 0) return true;
    return spdm_device_error(l, at,
                             "type \"%s\": rom, firmware, hardware-config, firmware-config, manifest, device-mode, "
                             "version, svn, hash-extend, informational, structured-manifest or a number expected",
                             text);
}

static bool read_form(struct loader *l, const config_setting_t *at, void *out)
{
    const char *text = "";
    if (!spdm_device_text(l, at, &text)) return false;
    if (strcmp(text, "raw") == 0) *(uint8_t *)out = FORM_RAW;
    else if (strcmp(text, "digest") == 0) *(uint8_t *)out = FORM_DIGEST;
    else return spdm_device_error(l, at, "form \"%s\": raw or digest expected", text);
    return true;
}

static bool read_number(struct loader *l, const config_setting_t *at, void *out)
{
    struct measure_setting *s = out;
    s->has_number = true;
    return spdm_device_number(l, at, &s->number);
}

static bool read_body(struct loader *l, const config_setting_t *at, void *out)
{
    struct measure_setting *s = out;
    s->has_body = true;
    return spdm_device_body(l, at, &s->body);
}

static bool read_tcb(struct loader *l, const config_setting_t *at, void *out)
{
    struct measure_setting *s = out;
    s->has_tcb = true;
    return spdm_device_flag(l, at, &s->tcb);
}

/* ---- values ---- */

static int nibble(char c)
{
    if (isdigit((unsigned char)c)) return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool spdm_device_hex(struct loader *l, const config_setting_t *at, const char *hex, struct spdm_span *out)
{
    uint8_t *p = malloc(strlen(hex) / 2 + 1);
    size_t n = 0;
    if (p == NULL) return spdm_device_error(l, at, "out of memory");
    for (; *hex != '\0'; hex++) {
        if (*hex == ' ' || *hex == ':') continue;
        int high = nibble(hex[0]), low = high < 0 ? -1 : nibble(hex[1]);
        if (high < 0 || low < 0) break;
        p[n++] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
        hex++;
    }
    out->p = p;
    out->n = n;
    return *hex == '\0' || spdm_device_error(l, at, "\"%.20s\": pairs of hexadecimal digits expected", hex);
}

bool spdm_device_copy(struct loader *l, const config_setting_t *at, struct spdm_span bytes, struct spdm_span *out)
{
    uint8_t *p = malloc(bytes.n + 1);
    if (p == NULL) return spdm_device_error(l, at, "out of memory");
    if (bytes.n != 0) memcpy(p, bytes.p, bytes.n);
    out->p = p;
    out->n = bytes.n;
    return true;
}

static int sources_of(const struct measure_setting *s)
{
    return (s->file != NULL) + (s->hex != NULL) + (s->text != NULL) + (s->digest != NULL) + s->has_number;
}

/* A hash-extended measurement without a source is what the log makes of it. */
static bool is_extended(const struct measure_setting *s)
{
    return s->type == SPDM_MEAS_HASH_EXTEND && sources_of(s) == 0;
}

/* The one source, into *out (freed with the device). */
static bool take_value(struct loader *l, const config_setting_t *at, const struct measure_setting *s,
                       struct spdm_span *out)
{
    int sources = sources_of(s);
    if (sources != 1)
        return spdm_device_error(l, at, "measurement %u needs exactly one of file, hex, text, number, digest",
                                 s->index);
    if (s->file != NULL) {
        *out = spdm_device_file(l, at, s->file);
        return out->p != NULL;
    }
    if (s->hex != NULL) return spdm_device_hex(l, at, s->hex, out);
    if (s->digest != NULL) return spdm_device_hex(l, at, s->digest, out);
    if (s->text != NULL)
        return spdm_device_copy(l, at, (struct spdm_span){(const uint8_t *)s->text, strlen(s->text)}, out);
    uint8_t number[8] = {(uint8_t)s->number, (uint8_t)(s->number >> 8), (uint8_t)(s->number >> 16),
                         (uint8_t)(s->number >> 24)}; /* as a security version number: 8 bytes, least first */
    return spdm_device_copy(l, at, (struct spdm_span){number, sizeof number}, out);
}

/* A structured manifest begins with who defines it: body and VendorID (algorithms.md). */
static bool put_body(struct loader *l, const config_setting_t *at, const struct measure_setting *s,
                     struct spdm_span *value)
{
    struct spdm_span vendor = {NULL, 0}, whole;
    uint8_t *p;
    if (!s->has_body) return true;
    if (s->type != SPDM_MEAS_STRUCTURED_MANIFEST)
        return spdm_device_error(l, at, "body is for structured manifests only");
    if (s->vendor != NULL && !spdm_device_hex(l, at, s->vendor, &vendor)) {
        spdm_device_release(vendor);
        return false;
    }
    p = vendor.n <= 255 ? malloc(2 + vendor.n + value->n) : NULL;
    if (p == NULL) {
        spdm_device_release(vendor);
        return spdm_device_error(l, at, "the vendor id is too long");
    }
    p[0] = s->body;
    p[1] = (uint8_t)vendor.n;
    if (vendor.n != 0) memcpy(p + 2, vendor.p, vendor.n);
    if (value->n != 0) memcpy(p + 2 + vendor.n, value->p, value->n);
    whole = (struct spdm_span){p, 2 + vendor.n + value->n};
    spdm_device_release(vendor);
    spdm_device_release(*value);
    *value = whole;
    return true;
}

/* Files of code and configuration are shown as digests only, unless the description says otherwise. */
static bool is_digest(const struct measure_setting *s)
{
    bool code = s->type <= SPDM_MEAS_FIRMWARE_CONFIG || s->type == SPDM_MEAS_HASH_EXTEND;
    if (is_extended(s)) return true;
    if (s->form != FORM_DEFAULT) return s->form == FORM_DIGEST;
    return s->digest != NULL || (s->file != NULL && code);
}

/* Puts it where its index belongs: the list is ascending. From here on the value is the device's. */
static bool insert(struct loader *l, const config_setting_t *at, const struct spdm_measurement *m)
{
    struct spdm_device *d = l->device;
    size_t i = d->measurement_n;
    while (i > 0 && d->measurements[i - 1].index > m->index) i--;
    if (d->measurement_n == SPDM_MEAS_ALL || (i > 0 && d->measurements[i - 1].index == m->index)) {
        spdm_device_release(m->value);
        return spdm_device_error(l, at, "measurement %u is described twice", m->index);
    }
    memmove(&d->measurements[i + 1], &d->measurements[i], (d->measurement_n - i) * sizeof *m);
    d->measurements[i] = *m;
    d->measurement_n++;
    return true;
}

static bool read_measurement(struct loader *l, const config_setting_t *at)
{
    static const struct field fields[] = {{"index", spdm_device_number, offsetof(struct measure_setting, index)},
                                          {"type", read_type, offsetof(struct measure_setting, type)},
                                          {"file", spdm_device_text, offsetof(struct measure_setting, file)},
                                          {"hex", spdm_device_text, offsetof(struct measure_setting, hex)},
                                          {"text", spdm_device_text, offsetof(struct measure_setting, text)},
                                          {"digest", spdm_device_text, offsetof(struct measure_setting, digest)},
                                          {"number", read_number, 0},
                                          {"form", read_form, offsetof(struct measure_setting, form)},
                                          {"tcb", read_tcb, 0},
                                          {"body", read_body, 0},
                                          {"vendor", spdm_device_text, offsetof(struct measure_setting, vendor)},
                                          {NULL, NULL, 0}};
    struct measure_setting s = {.index = (uint32_t)l->device->measurement_n + 1, .type = SPDM_MEAS_FIRMWARE};
    struct spdm_measurement m = {0};
    if (!spdm_device_group(l, at, fields, &s)) return false;
    if (s.index < 1 || s.index > 0xfe)
        return spdm_device_error(l, at, "a measurement's index is %u, 1 to 254 allowed", s.index);
    m.index = (uint8_t)s.index;
    m.type = (uint8_t)s.type;
    m.tcb = s.has_tcb ? s.tcb : s.type <= SPDM_MEAS_FIRMWARE;
    m.raw = !is_digest(&s);
    if (is_extended(&s) && s.form == FORM_RAW)
        return spdm_device_error(l, at, "measurement %u is made from the log, and has no form but digest", s.index);
    if (!is_extended(&s) && (!take_value(l, at, &s, &m.value) || !put_body(l, at, &s, &m.value))) {
        spdm_device_release(m.value);
        return false;
    }
    if (!insert(l, at, &m)) return false;
    if (is_extended(&s)) l->to_extend[m.index] = at;
    else if (s.digest == NULL && !m.raw) l->to_hash[m.index] = at;
    if (s.digest != NULL) l->digests[m.index] = at;
    return !m.raw || m.value.n <= RAW_MAX ||
           spdm_device_error(l, at, "measurement %u has %zu bytes, at most %u can be shown raw; use form = \"digest\"",
                             s.index, m.value.n, RAW_MAX);
}

bool spdm_device_measurements(struct loader *l, const config_setting_t *at, void *out)
{
    (void)out;
    if (!config_setting_is_list(at))
        return spdm_device_error(l, at, "measurements must be a list of groups: ( { index = 1; file = \"...\"; } )");
    for (int i = 0; i < config_setting_length(at); i++)
        if (!read_measurement(l, config_setting_get_elem(at, (unsigned)i))) return false;
    return true;
}

/* ---- the measurement extension log ---- */

enum { LOG_HEAD = 16, ENTRY_HEAD = 11, RAW_BIT = 0x80 };

/* One more entry behind the log as it is. */
static bool put_entry(struct loader *l, const config_setting_t *at, const struct measure_setting *s,
                      struct spdm_span value)
{
    struct spdm_device *d = l->device;
    size_t n = d->log.n != 0 ? d->log.n : LOG_HEAD;
    uint8_t *p = calloc(1, n + ENTRY_HEAD + value.n), *e;
    uint32_t entries, length;
    if (p == NULL) return spdm_device_error(l, at, "out of memory");
    e = p + n;
    if (d->log.n != 0) memcpy(p, d->log.p, n);
    entries = (p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16) + 1;
    length = (uint32_t)(n - LOG_HEAD + ENTRY_HEAD + value.n);
    for (unsigned i = 0; i < 4; i++) {
        p[i] = e[i] = (uint8_t)(entries >> (8 * i)); /* MELIndex: from 1 on */
        p[4 + i] = (uint8_t)(length >> (8 * i));
    }
    e[4] = (uint8_t)s->index;
    e[8] = (uint8_t)(s->type | (s->digest != NULL ? 0u : RAW_BIT));
    e[9] = (uint8_t)value.n;
    e[10] = (uint8_t)(value.n >> 8);
    if (value.n != 0) memcpy(e + ENTRY_HEAD, value.p, value.n);
    spdm_device_release(d->log);
    d->log = (struct spdm_span){p, n + ENTRY_HEAD + value.n};
    return true;
}

static bool read_entry(struct loader *l, const config_setting_t *at)
{
    static const struct field fields[] = {{"measurement", spdm_device_number, offsetof(struct measure_setting, index)},
                                          {"type", read_type, offsetof(struct measure_setting, type)},
                                          {"file", spdm_device_text, offsetof(struct measure_setting, file)},
                                          {"hex", spdm_device_text, offsetof(struct measure_setting, hex)},
                                          {"text", spdm_device_text, offsetof(struct measure_setting, text)},
                                          {"digest", spdm_device_text, offsetof(struct measure_setting, digest)},
                                          {"number", read_number, 0},
                                          {NULL, NULL, 0}};
    struct measure_setting s = {.index = 1, .type = SPDM_MEAS_FIRMWARE};
    struct spdm_span value = {NULL, 0};
    bool fine = spdm_device_group(l, at, fields, &s);
    if (fine && (s.index < 1 || s.index > 0xfe))
        fine = spdm_device_error(l, at, "measurement is %u, 1 to 254 allowed", s.index);
    fine = fine && take_value(l, at, &s, &value);
    if (fine && value.n > 0xffff) fine = spdm_device_error(l, at, "an entry of the log has 65,535 bytes at most");
    fine = fine && put_entry(l, at, &s, value);
    spdm_device_release(value);
    return fine;
}

static bool read_entries(struct loader *l, const config_setting_t *at, void *out)
{
    (void)out;
    if (!config_setting_is_list(at))
        return spdm_device_error(l, at, "entries must be a list of groups: ( { text = \"...\"; } )");
    for (int i = 0; i < config_setting_length(at); i++)
        if (!read_entry(l, config_setting_get_elem(at, (unsigned)i))) return false;
    return true;
}

static bool read_log_file(struct loader *l, const config_setting_t *at, void *out)
{
    const char *name = "";
    (void)out;
    if (!spdm_device_text(l, at, &name)) return false;
    spdm_device_release(l->device->log);
    l->device->log = spdm_device_file(l, at, name);
    return l->device->log.p != NULL;
}

bool spdm_device_log(struct loader *l, const config_setting_t *at, void *out)
{
    static const struct field fields[] = {{"entries", read_entries, 0}, {"file", read_log_file, 0}, {NULL, NULL, 0}};
    struct spdm_device *d = l->device;
    struct spdm_log_entry entry;
    struct spdm_span rest;
    uint32_t entries = 0, read = 0;
    (void)out;
    if (!spdm_device_group(l, at, fields, d)) return false;
    if (d->log.n == 0) return spdm_device_error(l, at, "log needs entries or file");
    if (!spdm_log_open(d->log, &entries, &rest))
        return spdm_device_error(l, at, "this is no measurement extension log");
    while (spdm_log_next(&rest, &entry)) read++;
    return (rest.n == 0 && read == entries) ||
           spdm_device_error(l, at, "entry %u of the measurement extension log is malformed", read + 1);
}

/* ---- digests ---- */

static bool digest_of(struct loader *l, enum spdm_alg hash, struct spdm_measurement *m)
{
    const struct spdm_crypto *crypto = spdm_openssl_crypto();
    size_t size = spdm_algorithm(hash)->size;
    void *state = calloc(1, crypto->hash_state_size);
    uint8_t *out = malloc(SPDM_HASH_MAX);
    bool fine = state != NULL && out != NULL && crypto->hash_begin(l->ossl, state, hash) &&
                crypto->hash_update(l->ossl, state, m->value) && crypto->hash_peek(l->ossl, state, out);
    if (state != NULL) crypto->hash_end(l->ossl, state);
    free(state);
    if (!fine) {
        free(out);
        return false;
    }
    spdm_device_release(m->value);
    m->value = (struct spdm_span){out, size};
    return true;
}

/* What its entries of the log come to; a log is needed, even one that has none for it. */
static bool extend(struct loader *l, enum spdm_alg hash, struct spdm_measurement *m)
{
    const struct spdm_extended what = {l->device->log, m->index, hash};
    uint8_t value[SPDM_HASH_MAX];
    unsigned entries;
    if (l->device->log.n == 0)
        return spdm_device_error(l, l->to_extend[m->index],
                                 "measurement %u needs exactly one of file, hex, text, number, digest, or a log that "
                                 "extends it",
                                 m->index);
    if (!spdm_extend(l->ossl, &what, value, &entries))
        return spdm_device_error(l, l->to_extend[m->index],
                                 "measurement %u: an entry of the log is a digest, but not one of %s", m->index,
                                 spdm_algorithm_name(hash));
    return spdm_device_copy(l, NULL, (struct spdm_span){value, spdm_algorithm(hash)->size}, &m->value);
}

static bool finish(struct loader *l, enum spdm_alg hash, struct spdm_measurement *m)
{
    const config_setting_t *at = l->to_hash[m->index] != NULL ? l->to_hash[m->index] : l->digests[m->index];
    if (at == NULL) at = l->to_extend[m->index];
    if (at == NULL) return true;
    if (hash == SPDM_RAW_ONLY)
        return spdm_device_error(l, at, "measurement %u is a digest, but measurement_hash is raw", m->index);
    if (l->to_extend[m->index] != NULL) return extend(l, hash, m);
    if (l->to_hash[m->index] != NULL)
        return digest_of(l, hash, m) || spdm_device_error(l, at, "cannot hash measurement %u", m->index);
    return m->value.n == spdm_algorithm(hash)->size ||
           spdm_device_error(l, at, "the digest of measurement %u has %zu bytes, %s has %u", m->index, m->value.n,
                             spdm_algorithm_name(hash), spdm_algorithm(hash)->size);
}

bool spdm_device_hash_measurements(struct loader *l)
{
    struct spdm_device *d = l->device;
    for (size_t i = 0; i < d->measurement_n; i++)
        if (!finish(l, (enum spdm_alg)d->policy.meas_hash, &d->measurements[i])) return false;
    return true;
}
