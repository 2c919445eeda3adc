/* SPDX-License-Identifier: BSD-3-Clause
 *
 * device_libconfig.c - a description file as a tree of checked settings.
 *
 * The tables at the end say which settings there are and where they go. An
 * unknown name, a wrong type or a value out of range is an error with file and
 * line; what is left out gets a default that fits the rest. */
#include "port/device_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors and small values ---- */

bool spdm_device_error(struct loader *l, const config_setting_t *at, const char *format, ...)
{
    unsigned line = at != NULL ? config_setting_source_line(at) : 0;
    char where[16] = "";
    va_list args;
    int n;
    if (line != 0) snprintf(where, sizeof where, ":%u", line);
    n = snprintf(l->error, SPDM_DEVICE_REASON, "%.250s%s: ", l->path, where);
    va_start(args, format);
    vsnprintf(l->error + n, SPDM_DEVICE_REASON - (size_t)n, format, args);
    va_end(args);
    return false;
}

static const char *name_of(const config_setting_t *at)
{
    return config_setting_name(at) != NULL ? config_setting_name(at) : "entry";
}

static void join(const struct field *fields, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = '\0';
    for (; fields->name != NULL && n < cap; fields++)
        n += (size_t)snprintf(out + n, cap - n, "%s%s", n != 0 ? ", " : "", fields->name);
}

bool spdm_device_group(struct loader *l, const config_setting_t *group, const struct field *fields, void *out)
{
    if (!config_setting_is_group(group))
        return spdm_device_error(l, group, "%s must be a group of settings: { name = value; ... }", name_of(group));
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *at = config_setting_get_elem(group, (unsigned)i);
        const struct field *f = fields;
        while (f->name != NULL && strcmp(f->name, config_setting_name(at)) != 0) f++;
        if (f->name == NULL) {
            char known[300];
            join(fields, known, sizeof known);
            return spdm_device_error(l, at, "there is no setting \"%s\" here; known are %s", config_setting_name(at),
                                     known);
        }
        if (!f->read(l, at, (char *)out + f->at)) return false;
    }
    return true;
}

bool spdm_device_text(struct loader *l, const config_setting_t *at, void *out)
{
    const char *text = config_setting_get_string(at);
    if (text == NULL) return spdm_device_error(l, at, "%s must be a text in quotes", name_of(at));
    *(const char **)out = text;
    return true;
}

bool spdm_device_flag(struct loader *l, const config_setting_t *at, void *out)
{
    if (config_setting_type(at) != CONFIG_TYPE_BOOL)
        return spdm_device_error(l, at, "%s must be true or false", name_of(at));
    *(bool *)out = config_setting_get_bool(at) != 0;
    return true;
}

bool spdm_device_number(struct loader *l, const config_setting_t *at, void *out)
{
    long long v = config_setting_get_int64(at);
    bool number = config_setting_type(at) == CONFIG_TYPE_INT || config_setting_type(at) == CONFIG_TYPE_INT64;
    if (config_setting_type(at) == CONFIG_TYPE_INT) v = config_setting_get_int(at);
    if (!number || v < 0 || v > UINT32_MAX)
        return spdm_device_error(l, at, "%s must be a number from 0 to %u", name_of(at), UINT32_MAX);
    *(uint32_t *)out = (uint32_t)v;
    return true;
}

bool spdm_device_bounded(struct loader *l, const config_setting_t *at, uint32_t min, uint32_t max, uint32_t *out)
{
    *out = 0;
    if (!spdm_device_number(l, at, out)) return false;
    if (*out >= min && *out <= max) return true;
    return spdm_device_error(l, at, "%s is %u, %u to %u allowed", name_of(at), *out, min, max);
}

const char *spdm_device_word(const config_setting_t *at, int n)
{
    if (config_setting_type(at) == CONFIG_TYPE_STRING) return n == 0 ? config_setting_get_string(at) : NULL;
    return n < config_setting_length(at) ? config_setting_get_string_elem(at, n) : NULL;
}

bool spdm_device_words(struct loader *l, const config_setting_t *at)
{
    bool list = config_setting_is_array(at) || config_setting_is_list(at);
    int n = 0;
    while (spdm_device_word(at, n) != NULL) n++;
    if (config_setting_type(at) == CONFIG_TYPE_STRING || (list && n == config_setting_length(at) && n != 0))
        return true;
    return spdm_device_error(l, at, "%s must be a text in quotes, or a list of them: [\"a\", \"b\"]", name_of(at));
}

/* ---- name, versions ---- */

static bool read_name(struct loader *l, const config_setting_t *at, void *out)
{
    const char *text = "";
    (void)out;
    if (!spdm_device_text(l, at, &text)) return false;
    free(l->device->name);
    l->device->name = strdup(text);
    return l->device->name != NULL || spdm_device_error(l, at, "out of memory");
}

static bool read_versions(struct loader *l, const config_setting_t *at, void *out)
{
    static const char *const names[] = {"1.0", "1.1", "1.2", "1.3", "1.4"};
    uint8_t *versions = l->device->policy.versions;
    const char *word;
    (void)out;
    if (!spdm_device_words(l, at)) return false;
    memset(versions, 0, sizeof l->device->policy.versions);
    for (int i = 0; (word = spdm_device_word(at, i)) != NULL; i++) {
        uint8_t v = 0;
        while (v < 5 && strcmp(names[v], word) != 0) v++;
        if (v == 5)
            return spdm_device_error(l, at, "there is no SPDM version \"%s\"; known are 1.0, 1.1, 1.2, 1.3, 1.4", word);
        if (strchr((const char *)versions, SPDM_V10 + v) != NULL)
            return spdm_device_error(l, at, "version %s is listed twice", word);
        versions[i] = (uint8_t)(SPDM_V10 + v);
    }
    return true;
}

/* ---- timing, sizes ---- */

static bool read_ct_exponent(struct loader *l, const config_setting_t *at, void *out)
{
    uint32_t v;
    (void)out;
    if (!spdm_device_bounded(l, at, 0, 31, &v)) return false;
    l->device->policy.ct_exponent = (uint8_t)v;
    return true;
}

static bool read_rdt_exponent(struct loader *l, const config_setting_t *at, void *out)
{
    uint32_t v;
    (void)out;
    if (!spdm_device_bounded(l, at, 1, 31, &v)) return false;
    l->device->policy.rdt_exponent = (uint8_t)v;
    return true;
}

static bool read_rdtm(struct loader *l, const config_setting_t *at, void *out)
{
    uint32_t v;
    (void)out;
    if (!spdm_device_bounded(l, at, 2, 255, &v)) return false;
    l->device->policy.rdtm = (uint8_t)v;
    return true;
}

static bool read_delay(struct loader *l, const config_setting_t *at, void *out)
{
    (void)out;
    return spdm_device_bounded(l, at, 0, 3600000, &l->device->delay_ms);
}

static bool read_timing(struct loader *l, const config_setting_t *at, void *out)
{
    static const struct field fields[] = {{"ct_exponent", read_ct_exponent, 0},
                                          {"rdt_exponent", read_rdt_exponent, 0},
                                          {"rdtm", read_rdtm, 0},
                                          {"answer_delay_ms", read_delay, 0},
                                          {NULL, NULL, 0}};
    return spdm_device_group(l, at, fields, out);
}

static bool read_size(struct loader *l, const config_setting_t *at, void *out)
{
    return spdm_device_bounded(l, at, 42, (1u << 20) - 16,
                               out); /* 42: SPDM's least DataTransferSize; a DOE object has 1 MiB */
}

static bool read_sizes(struct loader *l, const config_setting_t *at, void *out)
{
    static const struct field fields[] = {
        {"data_transfer_size", read_size, offsetof(struct spdm_device, data_transfer_size)},
        {"send_size", read_size, offsetof(struct spdm_device, send_size)},
        {"max_message_size", read_size, offsetof(struct spdm_device, max_message_size)},
        {NULL, NULL, 0}};
    (void)out;
    return spdm_device_group(l, at, fields, l->device);
}

/* Was read before the others. */
static bool read_before(struct loader *l, const config_setting_t *at, void *out)
{
    (void)l;
    (void)at;
    (void)out;
    return true;
}

static const struct field top[] = {{"name", read_name, 0},
                                   {"versions", read_versions, 0},
                                   {"algorithms", spdm_device_algorithms, 0},
                                   {"slots", spdm_device_slots, 0},
                                   {"public_key", spdm_device_public_key, 0},
                                   {"measurements", spdm_device_measurements, 0},
                                   {"sessions", spdm_device_sessions, 0},
                                   {"requesters", spdm_device_requesters, 0},
                                   {"log", spdm_device_log, 0},
                                   {"endpoint", spdm_device_endpoint, 0},
                                   {"events", spdm_device_events, 0},
                                   {"vendor_defined", spdm_device_vendor_defined, 0},
                                   {"app_data", spdm_device_app_data, 0},
                                   {"key_pairs", read_before, 0},
                                   {"banks", spdm_device_banks, 0},
                                   {"provisioning", spdm_device_provisioning, 0},
                                   {"capabilities", spdm_device_capabilities, 0},
                                   {"timing", read_timing, 0},
                                   {"sizes", read_sizes, 0},
                                   {"errata", spdm_device_errata, 0},
                                   {NULL, NULL, 0}};

/* ---- what was left out ---- */

/* What a requester proves itself with: FINISH, or CHALLENGE_AUTH in an envelope. */
static uint32_t largest_request(const struct spdm_policy *p)
{
    enum { AROUND = 2048 }; /* hashes, nonces, opaque data */
    uint32_t most = 0;
    for (const uint8_t *alg = p->req_signatures; alg != NULL && *alg != 0; alg++) {
        uint32_t n = spdm_algorithm((enum spdm_alg) * alg)->size;
        if (n > most) most = n;
    }
    return most + AROUND;
}

static bool complete(struct loader *l, config_setting_t *root)
{
    struct spdm_device *d = l->device;
    struct spdm_policy *p = &d->policy;
    if (!spdm_device_join_pairs(l)) return false;
    if (config_setting_get_member(root, "capabilities") == NULL) spdm_device_default_flags(d, p);
    if ((p->flags & ~(SPDM_CHUNK_CAP | SPDM_LARGE_RESP_CAP)) == 0)
        return spdm_device_error(l, NULL, "the device has neither an identity (slots, public_key) nor measurements");
    p->mel = (p->flags & SPDM_MEL_CAP) != 0;
    if (!spdm_device_check_flags(l, root) || !spdm_device_give(l) || !spdm_device_default_algorithms(l)) return false;
    if (p->meas_hash == SPDM_ALG_NONE && (d->measurement_n != 0 || d->log.n != 0))
        p->meas_hash = p->hashes[0]; /* the strongest the device has */
    if (d->send_size == 0) d->send_size = d->data_transfer_size;
    if (d->max_message_size == 0) d->max_message_size = largest_request(p);
    if (d->max_message_size < d->data_transfer_size) d->max_message_size = d->data_transfer_size;
    if (d->name == NULL) d->name = strdup("device");
    return spdm_device_hash_measurements(l);
}

/* ---- the whole ---- */

static bool read_all(struct loader *l, config_setting_t *root)
{
    const config_setting_t *pairs = config_setting_get_member(root, "key_pairs");
    const config_setting_t *banks = config_setting_get_member(root, "banks");
    l->provisioned = config_setting_get_member(root, "provisioning") != NULL;
    if (pairs != NULL && !spdm_device_key_pairs(l, pairs)) return false;
    if (banks != NULL && config_setting_get_member(root, "slots") != NULL)
        return spdm_device_error(l, banks, "with banks, slots are described in them, and not beside");
    return spdm_device_group(l, root, top, l->device) && complete(l, root);
}

static bool load(struct loader *l)
{
    static const uint8_t versions[] = {SPDM_V14, SPDM_V13, SPDM_V12, SPDM_V11, SPDM_V10};
    struct spdm_device *d = l->device;
    config_t config;
    bool fine;
    config_init(&config);
    memcpy(d->policy.versions, versions, sizeof versions);
    d->policy.ct_exponent = 20;
    d->policy.rdt_exponent = 17; /* a key with hundreds of clients waiting needs more than a moment */
    d->policy.rdtm = 100;
    d->policy.opaque_formats = 3;
    d->data_transfer_size = 4608;
    d->sessions = SPDM_DEVICE_SESSIONS;
    d->policy.heartbeat = 60; /* half of it is less than the patience of `spdm respond` */
    config_set_include_dir(&config, l->dir);
    fine = config_read_file(&config, l->path) == CONFIG_TRUE;
    if (!fine && config_error_type(&config) == CONFIG_ERR_FILE_IO)
        spdm_device_error(l, NULL, "cannot read the device description");
    else if (!fine)
        snprintf(l->error, SPDM_DEVICE_REASON, "%.250s:%d: %s",
                 config_error_file(&config) != NULL ? config_error_file(&config) : l->path, config_error_line(&config),
                 config_error_text(&config));
    else fine = read_all(l, config_root_setting(&config));
    config_destroy(&config);
    return fine;
}

struct spdm_device *spdm_device_open(const struct spdm_device_source *source, char error[SPDM_DEVICE_REASON])
{
    const char *path = source->path;
    struct loader l = {.path = path, .ossl = source->ossl, .state = source->state, .state_ctx = source->ctx};
    const char *slash = strrchr(path, '/');
    size_t n = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    l.error = error;
    l.device = calloc(1, sizeof *l.device);
    if (l.device != NULL) l.device->keys = calloc(SPDM_DEVICE_KEYS, sizeof *l.device->keys);
    if (l.device == NULL || l.device->keys == NULL || n >= sizeof l.dir) {
        spdm_device_error(&l, NULL, n >= sizeof l.dir ? "the path is too long" : "out of memory");
        spdm_device_free(l.device);
        return NULL;
    }
    memcpy(l.dir, path, n);
    if (load(&l)) return l.device;
    spdm_device_free(l.device);
    return NULL;
}

struct spdm_device *spdm_device_load(const char *path, struct spdm_openssl *ossl, char error[SPDM_DEVICE_REASON])
{
    const struct spdm_device_source source = {.path = path, .ossl = ossl};
    return spdm_device_open(&source, error);
}
