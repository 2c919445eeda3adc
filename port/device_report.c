/* SPDX-License-Identifier: BSD-3-Clause
 *
 * device_report.c - what else a described device says of itself: device classes, events, and answers that the
 * description itself has: to vendor-defined requests and to application data. */
#include "port/device_impl.h"

#include <assay/errand.h>
#include <stdlib.h>
#include <string.h>

#define CLASSES_MAX 4096

static bool is_list(struct loader *l, const config_setting_t *at, const char *what)
{
    return config_setting_is_list(at) || spdm_device_error(l, at, "%s must be a list of groups: ( { ... } )", what);
}

bool spdm_device_body(struct loader *l, const config_setting_t *at, void *out)
{
    static const char *const names[] = {"DMTF", "TCG", "USB-IF", "PCI-SIG", "IANA",      "HDBaseT",
                                        "MIPI", "CXL", "JEDEC",  "VESA",    "IANA-CBOR", "DMTF-DSP"};
    const char *text = config_setting_get_string(at);
    uint32_t v = 0;
    if (text == NULL && !spdm_device_bounded(l, at, 0, 0xff, &v)) return false;
    while (text != NULL && v < sizeof names / sizeof *names && strcmp(names[v], text) != 0) v++;
    if (text != NULL && v == sizeof names / sizeof *names)
        return spdm_device_error(l, at,
                                 "body \"%s\": DMTF, TCG, USB-IF, PCI-SIG, IANA, HDBaseT, MIPI, CXL, JEDEC, VESA, "
                                 "IANA-CBOR, DMTF-DSP or a number expected",
                                 text);
    *(uint8_t *)out = (uint8_t)v;
    return true;
}

/* ---- endpoint information ---- */

struct class_setting {
    uint8_t body;
    const char *vendor;
    const config_setting_t *ids;
};

static bool keep_setting(struct loader *l, const config_setting_t *at, void *out)
{
    *(const config_setting_t **)out = at;
    return spdm_device_words(l, at);
}

static bool put(struct loader *l, const config_setting_t *at, struct spdm_room *room, struct spdm_span bytes)
{
    if (bytes.n > CLASSES_MAX - room->n) return spdm_device_error(l, at, "device classes are too long");
    if (bytes.n != 0) memcpy(room->p + room->n, bytes.p, bytes.n);
    room->n += bytes.n;
    return true;
}

/* A length of one byte, and the bytes. */
static bool put_hex(struct loader *l, const config_setting_t *at, struct spdm_room *room, const char *hex)
{
    struct spdm_span bytes = {NULL, 0};
    uint8_t n;
    bool fine = spdm_device_hex(l, at, hex, &bytes);
    if (fine && bytes.n > 255) fine = spdm_device_error(l, at, "an id has 255 bytes at most");
    n = (uint8_t)bytes.n;
    fine = fine && put(l, at, room, (struct spdm_span){&n, 1}) && put(l, at, room, bytes);
    spdm_device_release(bytes);
    return fine;
}

/* IDElemLength, body, VendorID, number of sub ids, sub ids. */
static bool put_class(struct loader *l, const config_setting_t *at, struct spdm_room *room)
{
    static const struct field fields[] = {{"body", spdm_device_body, offsetof(struct class_setting, body)},
                                          {"vendor", spdm_device_text, offsetof(struct class_setting, vendor)},
                                          {"ids", keep_setting, offsetof(struct class_setting, ids)},
                                          {NULL, NULL, 0}};
    struct class_setting s = {.vendor = ""};
    size_t start = room->n, count_at;
    const char *word;
    if (!spdm_device_group(l, at, fields, &s)) return false;
    if (!put(l, at, room, (struct spdm_span){(const uint8_t[]){0, s.body}, 2}) || !put_hex(l, at, room, s.vendor))
        return false;
    count_at = room->n;
    if (!put(l, at, room, (struct spdm_span){(const uint8_t[]){0}, 1})) return false;
    for (int i = 0; s.ids != NULL && (word = spdm_device_word(s.ids, i)) != NULL; i++) {
        if (room->p[count_at] == 255 || !put_hex(l, at, room, word)) return false;
        room->p[count_at]++;
    }
    if (room->n - start - 1 > 255) return spdm_device_error(l, at, "a device class has 255 bytes at most");
    room->p[start] = (uint8_t)(room->n - start - 1);
    return true;
}

/* Read back as a requester will. */
static bool check_classes(struct loader *l, const config_setting_t *at, struct spdm_span info)
{
    struct spdm_device_class class;
    struct spdm_span rest;
    uint8_t n, read = 0;
    bool fine = spdm_device_class_open(info, &n, &rest);
    while (fine && spdm_device_class_next(&rest, &class)) read++;
    return (fine && rest.n == 0 && read == n) ||
           spdm_device_error(l, at, "device classes are malformed, or a VendorID is not as long as its body has them");
}

static bool read_classes(struct loader *l, const config_setting_t *at, void *out)
{
    struct spdm_device *d = l->device;
    uint8_t *bytes = calloc(1, CLASSES_MAX);
    struct spdm_room room = {bytes, 4};
    (void)out;
    if (bytes == NULL) return spdm_device_error(l, at, "out of memory");
    spdm_device_release(d->endpoint);
    d->endpoint.p = bytes;
    d->endpoint.n = 4;
    if (!is_list(l, at, "classes")) return false;
    for (int i = 0; i < config_setting_length(at); i++) {
        if (bytes[0] == 255 || !put_class(l, config_setting_get_elem(at, (unsigned)i), &room)) return false;
        bytes[0]++;
    }
    d->endpoint.n = room.n;
    return check_classes(l, at, d->endpoint);
}

static bool read_info(struct loader *l, const config_setting_t *at, void *out)
{
    const char *name = "";
    struct spdm_device *d = l->device;
    (void)out;
    if (!spdm_device_text(l, at, &name)) return false;
    spdm_device_release(d->endpoint);
    d->endpoint = spdm_device_file(l, at, name);
    return d->endpoint.p != NULL && check_classes(l, at, d->endpoint);
}

bool spdm_device_endpoint(struct loader *l, const config_setting_t *at, void *out)
{
    static const struct field fields[] = {{"classes", read_classes, 0}, {"file", read_info, 0}, {NULL, NULL, 0}};
    (void)out;
    if (!spdm_device_group(l, at, fields, l->device)) return false;
    return l->device->endpoint.n != 0 || spdm_device_error(l, at, "endpoint needs classes or file");
}

/* ---- events ---- */

const char *const spdm_device_event_names[] = {NULL, "event-lost", "measurement-changed", "measurement-pre-update",
                                               "certificate-changed"};

static bool read_types(struct loader *l, const config_setting_t *at, void *out)
{
    const char *word;
    uint8_t *mask = out;
    if (!spdm_device_words(l, at)) return false;
    *mask = 1u << SPDM_EVENT_LOST; /* R-EVT-05 */
    for (int i = 0; (word = spdm_device_word(at, i)) != NULL; i++) {
        unsigned type = SPDM_EVENT_LOST;
        while (type <= SPDM_EVENT_CERTIFICATE_CHANGED && strcmp(spdm_device_event_names[type], word) != 0) type++;
        if (type > SPDM_EVENT_CERTIFICATE_CHANGED)
            return spdm_device_error(l, at,
                                     "event \"%s\": measurement-changed, measurement-pre-update or "
                                     "certificate-changed expected",
                                     word);
        *mask = (uint8_t)(*mask | 1u << type);
    }
    return true;
}

bool spdm_device_events(struct loader *l, const config_setting_t *at, void *out)
{
    static const struct field fields[] = {{"types", read_types, offsetof(struct spdm_device, event_types)},
                                          {NULL, NULL, 0}};
    (void)out;
    l->device->event_types = 0x1e; /* all of DMTF's */
    return spdm_device_group(l, at, fields, l->device);
}

/* ---- answers that are described ---- */

struct canned_setting {
    uint8_t body;
    const char *vendor, *request, *answer;
};

static bool read_canned(struct loader *l, const config_setting_t *at, bool vendor)
{
    static const struct field vendor_fields[] = {
        {"body", spdm_device_body, offsetof(struct canned_setting, body)},
        {"vendor", spdm_device_text, offsetof(struct canned_setting, vendor)},
        {"request", spdm_device_text, offsetof(struct canned_setting, request)},
        {"answer", spdm_device_text, offsetof(struct canned_setting, answer)},
        {NULL, NULL, 0}};
    struct spdm_device *d = l->device;
    struct canned_setting s = {.vendor = "", .request = "", .answer = ""};
    struct spdm_device_canned *c = &d->canned[d->canned_n];
    if (d->canned_n == SPDM_DEVICE_CANNED)
        return spdm_device_error(l, at, "%u answers can be described only", SPDM_DEVICE_CANNED);
    if (!spdm_device_group(l, at, vendor ? vendor_fields : &vendor_fields[2], &s)) return false;
    d->canned_n++;
    c->vendor_defined = vendor;
    c->body = s.body;
    if (!vendor && (s.request[0] == '\0' || s.answer[0] == '\0'))
        return spdm_device_error(l, at, "an answer to application data needs request and answer");
    return spdm_device_hex(l, at, s.vendor, &c->vendor) && spdm_device_hex(l, at, s.request, &c->request) &&
           spdm_device_hex(l, at, s.answer, &c->answer);
}

bool spdm_device_vendor_defined(struct loader *l, const config_setting_t *at, void *out)
{
    (void)out;
    if (!is_list(l, at, "vendor_defined")) return false;
    for (int i = 0; i < config_setting_length(at); i++)
        if (!read_canned(l, config_setting_get_elem(at, (unsigned)i), true)) return false;
    return true;
}

bool spdm_device_app_data(struct loader *l, const config_setting_t *at, void *out)
{
    (void)out;
    if (!is_list(l, at, "app_data")) return false;
    for (int i = 0; i < config_setting_length(at); i++)
        if (!read_canned(l, config_setting_get_elem(at, (unsigned)i), false)) return false;
    return true;
}

const struct spdm_device_canned *spdm_device_answer(const struct spdm_device *device,
                                                    const struct spdm_vendor_request *request)
{
    const struct spdm_vendor_request *q = request;
    for (size_t i = 0; i < device->canned_n; i++) {
        const struct spdm_device_canned *c = &device->canned[i];
        if (c->vendor_defined != q->vendor_defined || c->request.n > q->payload.n) continue;
        if (c->vendor_defined && (c->body != q->body || c->vendor.n != q->vendor.n ||
                                  (c->vendor.n != 0 && memcmp(c->vendor.p, q->vendor.p, c->vendor.n) != 0)))
            continue;
        if (c->request.n == 0 || memcmp(c->request.p, q->payload.p, c->request.n) == 0) return c;
    }
    return NULL;
}

void spdm_device_reports_free(struct spdm_device *d)
{
    for (size_t i = 0; i < d->canned_n; i++) {
        spdm_device_release(d->canned[i].vendor);
        spdm_device_release(d->canned[i].request);
        spdm_device_release(d->canned[i].answer);
    }
    spdm_device_release(d->endpoint);
    spdm_device_release(d->log);
}
