/* SPDX-License-Identifier: BSD-3-Clause
 *
 * reference.c - reads, compares and writes reference measurements.
 *
 * Reading is strict: an unknown key, a double index or a value that cannot be
 * is an error with its place, because a misspelt line that is skipped would be
 * a check that never happens. A raw value and a digest of the same measurement
 * are compared by hashing the raw one. */
#include "reference.h"
#include "measure.h"
#include "options.h"
#include "text.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum expected_kind { ABSENT, DIGEST, RAW, TEXT, SVN, SVN_MIN, ANY };
enum { TYPE_ANY = -1, VALUE_MAX = 65535 };

struct expected {
    enum expected_kind kind;
    int type; /* TYPE_ANY, or enum spdm_measurement_type */
    bool optional;
    uint64_t svn;
    size_t n; /* values, any of which will do */
    struct spdm_room *values;
};

struct spdm_reference {
    enum spdm_alg hash; /* SPDM_ALG_NONE: not told */
    bool allow_extra;
    struct expected at[256];
};

/* ---- reading ---- */

struct reader {
    const char *name;
    char *error;
    size_t item; /* of "measurements", from 1; 0 outside */
};

__attribute__((format(printf, 2, 3))) static bool wrong(const struct reader *r, const char *format, ...)
{
    va_list list;
    char what[SPDM_REFERENCE_ERROR / 2];
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    if (r->item != 0) snprintf(r->error, SPDM_REFERENCE_ERROR, "%.150s: measurement %zu: %s", r->name, r->item, what);
    else snprintf(r->error, SPDM_REFERENCE_ERROR, "%.150s: %s", r->name, what);
    return false;
}

/* Every key must be one of `known` (NULL-ended). */
static bool only_known_keys(const struct reader *r, json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], key) != 0) i++;
        if (known[i] != NULL) continue;
        const char *near = spdm_options_nearest(key, known);
        char *safe = spdm_text_safe_string(key);
        wrong(r, near != NULL ? "unknown key \"%.60s\"; did you mean \"%s\"?" : "unknown key \"%.60s\"%s", safe,
              near != NULL ? near : "");
        free(safe);
        return false;
    }
    return true;
}

/* 7, or "0xfd" */
static bool read_index(const struct reader *r, json_t *value, uint8_t *out)
{
    json_int_t n = -1;
    if (json_is_integer(value)) {
        n = json_integer_value(value);
    } else if (json_is_string(value)) {
        char *end = NULL;
        long parsed = strtol(json_string_value(value), &end, 0);
        if (end != json_string_value(value) && *end == '\0') n = parsed;
    }
    if (n < 1 || n > 0xfe) return wrong(r, "\"index\" must be a number from 1 to 254");
    *out = (uint8_t)n;
    return true;
}

static bool read_type(const struct reader *r, json_t *value, int *out)
{
    *out = TYPE_ANY;
    if (value == NULL) return true;
    if (json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) < 128) {
        *out = (int)json_integer_value(value);
        return true;
    }
    if (!json_is_string(value)) return wrong(r, "\"type\" must be a name or a number from 0 to 127");
    for (uint8_t type = 0; type <= SPDM_MEAS_STRUCTURED_MANIFEST && *out == TYPE_ANY; type++)
        if (strcasecmp(json_string_value(value), spdm_measurement_type_name(type)) == 0) *out = type;
    if (*out == TYPE_ANY) return wrong(r, "there is no measurement type of this name (\"type\")");
    return true;
}

static bool add_value(const struct reader *r, struct expected *e, const char *key, json_t *value)
{
    if (!json_is_string(value)) return wrong(r, "\"%s\" must be a string or a list of strings", key);
    const char *s = json_string_value(value);
    size_t length = strlen(s), n = length;
    uint8_t *bytes = spdm_text_need(malloc(length + 1));
    memcpy(bytes, s, length + 1);
    if (e->kind != TEXT) n = spdm_text_unhex(s, (struct spdm_room){bytes, length});
    if (n == SIZE_MAX || n > VALUE_MAX || (n == 0 && e->kind != RAW)) {
        free(bytes);
        return wrong(r, "\"%s\" must be %s", key, e->kind == TEXT ? "some text" : "pairs of hex digits");
    }
    e->values = spdm_text_need(realloc(e->values, (e->n + 1) * sizeof *e->values));
    e->values[e->n++] = (struct spdm_room){bytes, n};
    return true;
}

static bool add_values(const struct reader *r, struct expected *e, const char *key, json_t *value)
{
    if (!json_is_array(value)) return add_value(r, e, key, value);
    if (json_array_size(value) == 0) return wrong(r, "\"%s\" is an empty list", key);
    size_t i;
    json_t *one;
    json_array_foreach(value, i, one) if (!add_value(r, e, key, one)) return false;
    return true;
}

static bool read_svn(const struct reader *r, struct expected *e, const char *key, json_t *value)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0) return wrong(r, "\"%s\" must be a number", key);
    e->svn = (uint64_t)json_integer_value(value);
    return true;
}

/* What the measurement must be: exactly one of the keys that say so. */
static bool read_value(const struct reader *r, json_t *object, struct expected *e)
{
    static const struct {
        const char *key;
        enum expected_kind kind;
    } forms[] = {{"digest", DIGEST}, {"raw", RAW}, {"text", TEXT}, {"svn", SVN}, {"svn_min", SVN_MIN}, {"any", ANY}};
    const char *key = NULL;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (json_object_get(object, forms[i].key) == NULL) continue;
        if (key != NULL) return wrong(r, "\"%s\" and \"%s\" exclude each other", key, forms[i].key);
        key = forms[i].key;
        e->kind = forms[i].kind;
    }
    if (key == NULL) return wrong(r, "one of \"digest\", \"raw\", \"text\", \"svn\", \"svn_min\", \"any\" is needed");
    json_t *value = json_object_get(object, key);
    if (e->kind == ANY) return json_is_true(value) || wrong(r, "\"any\" can only be true");
    if (e->kind == SVN || e->kind == SVN_MIN) return read_svn(r, e, key, value);
    return add_values(r, e, key, value);
}

static bool read_expected(const struct reader *r, json_t *object, struct spdm_reference *out)
{
    static const char *const known[] = {"index",   "type", "digest",   "raw",     "text", "svn",
                                        "svn_min", "any",  "optional", "comment", NULL};
    uint8_t index = 0;
    if (!json_is_object(object)) return wrong(r, "an object was expected: {\"index\": 1, \"digest\": \"...\"}");
    if (!only_known_keys(r, object, known) || !read_index(r, json_object_get(object, "index"), &index)) return false;
    struct expected *e = &out->at[index];
    if (e->kind != ABSENT) return wrong(r, "index %u is listed twice", index);
    json_t *optional = json_object_get(object, "optional");
    if (optional != NULL && !json_is_boolean(optional)) return wrong(r, "\"optional\" must be true or false");
    e->optional = json_is_true(optional);
    return read_type(r, json_object_get(object, "type"), &e->type) && read_value(r, object, e);
}

static bool read_head(const struct reader *r, json_t *root, struct spdm_reference *out)
{
    static const char *const known[] = {"format", "comment", "measurements", "measurement_hash", "extra", NULL};
    if (!json_is_object(root)) return wrong(r, "an object was expected");
    if (!only_known_keys(r, root, known)) return false;
    const char *format = json_string_value(json_object_get(root, "format"));
    if (format == NULL || strcmp(format, SPDM_REFERENCE_FORMAT) != 0)
        return wrong(r, "\"format\" must be \"" SPDM_REFERENCE_FORMAT "\"");
    json_t *hash = json_object_get(root, "measurement_hash");
    if (hash != NULL) {
        out->hash = json_is_string(hash) ? spdm_algorithm_named(json_string_value(hash)) : SPDM_ALG_NONE;
        if (spdm_algorithm(out->hash)->cls != SPDM_CLASS_HASH)
            return wrong(r, "\"measurement_hash\" must be the name of a hash, such as \"SHA_384\"");
    }
    json_t *extra = json_object_get(root, "extra");
    const char *policy = json_string_value(extra);
    out->allow_extra = policy != NULL && strcmp(policy, "allow") == 0;
    if (extra != NULL && !out->allow_extra && (policy == NULL || strcmp(policy, "refuse") != 0))
        return wrong(r, "\"extra\" must be \"refuse\" or \"allow\"");
    if (!json_is_array(json_object_get(root, "measurements"))) return wrong(r, "\"measurements\" must be a list");
    return true;
}

static bool read_all(struct reader *r, json_t *root, struct spdm_reference *out)
{
    if (!read_head(r, root, out)) return false;
    json_t *list = json_object_get(root, "measurements"), *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        r->item = i + 1;
        if (!read_expected(r, one, out)) return false;
    }
    return true;
}

static struct spdm_reference *finish(struct reader *r, json_t *root, const json_error_t *bad)
{
    if (root == NULL) {
        if (bad->line < 0) wrong(r, "%s", strerror(errno));
        else wrong(r, "line %d, column %d: %s", bad->line, bad->column, bad->text);
        return NULL;
    }
    struct spdm_reference *out = spdm_text_need(calloc(1, sizeof *out));
    bool good = read_all(r, root, out);
    json_decref(root);
    if (good) return out;
    spdm_reference_free(out);
    return NULL;
}

struct spdm_reference *spdm_reference_load(const char *path, char error[SPDM_REFERENCE_ERROR])
{
    json_error_t bad;
    struct reader r = {.name = path};
    r.error = error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &bad);
    return finish(&r, root, &bad);
}

struct spdm_reference *spdm_reference_parse(const char *name, struct spdm_span text, char error[SPDM_REFERENCE_ERROR])
{
    json_error_t bad;
    struct reader r = {.name = name};
    r.error = error;
    json_t *root = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &bad);
    return finish(&r, root, &bad);
}

void spdm_reference_free(struct spdm_reference *reference)
{
    if (reference == NULL) return;
    for (size_t i = 0; i < 256; i++) {
        for (size_t k = 0; k < reference->at[i].n; k++) free(reference->at[i].values[k].p);
        free(reference->at[i].values);
    }
    free(reference);
}

/* ---- comparing ---- */

static bool equal(struct spdm_span a, struct spdm_span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static struct spdm_span without_zeros(struct spdm_span s)
{
    while (s.n != 0 && s.p[s.n - 1] == 0) s.n--;
    return s;
}

/* Hash of raw bytes with the device's measurement hash. */
static bool digest_of(const struct spdm_comparand *what, struct spdm_span raw, uint8_t out[SPDM_HASH_MAX])
{
    const struct spdm_crypto *c = what->crypto;
    if (c == NULL || spdm_algorithm(what->hash)->cls != SPDM_CLASS_HASH) return false;
    void *state = spdm_text_need(calloc(1, c->hash_state_size + 1));
    bool good = c->hash_begin(what->crypto_ctx, state, what->hash) && c->hash_update(what->crypto_ctx, state, raw) &&
                c->hash_peek(what->crypto_ctx, state, out);
    c->hash_end(what->crypto_ctx, state);
    free(state);
    return good;
}

/* Whether one expected value is this measurement; the side that is raw is hashed if the other is a digest. */
static bool value_fits(const struct spdm_comparand *what, const struct spdm_measurement *m, enum expected_kind kind,
                       struct spdm_span value)
{
    uint8_t digest[SPDM_HASH_MAX];
    size_t size = spdm_algorithm(what->hash)->size;
    if (kind == DIGEST && m->raw)
        return digest_of(what, m->value, digest) && equal(value, (struct spdm_span){digest, size});
    if (kind != DIGEST && !m->raw)
        return digest_of(what, value, digest) && equal(m->value, (struct spdm_span){digest, size});
    if (kind == TEXT) return equal(value, without_zeros(m->value));
    return equal(value, m->value);
}

static bool fits(const struct spdm_comparand *what, const struct spdm_measurement *m, const struct expected *e)
{
    struct spdm_value v = spdm_value_of(m);
    if (e->kind == ANY) return true;
    if (e->kind == SVN) return v.kind == SPDM_VALUE_NUMBER && v.number == e->svn;
    if (e->kind == SVN_MIN) return v.kind == SPDM_VALUE_NUMBER && v.number >= e->svn;
    for (size_t i = 0; i < e->n; i++)
        if (value_fits(what, m, e->kind, (struct spdm_span){e->values[i].p, e->values[i].n})) return true;
    return false;
}

static char *expected_words(const struct expected *e)
{
    if (e->kind == ANY) return spdm_text_format("any value");
    if (e->kind == SVN) return spdm_text_format("%" PRIu64, e->svn);
    if (e->kind == SVN_MIN) return spdm_text_format("at least %" PRIu64, e->svn);
    struct spdm_span first = {e->values[0].p, e->values[0].n};
    char *one = e->kind == TEXT ? spdm_text_safe(first) : spdm_text_hex(first, 0);
    const char *quote = e->kind == TEXT ? "\"" : "";
    char *out = e->n > 1 ? spdm_text_format("%s%s%s or %zu other%s", quote, one, quote, e->n - 1, e->n > 2 ? "s" : "")
                         : spdm_text_format("%s%s%s", quote, one, quote);
    free(one);
    return out;
}

static bool is_digest(const struct expected *e, const struct spdm_measurement *m)
{
    return e->kind == DIGEST || (!m->raw && (e->kind == RAW || e->kind == TEXT));
}

/* Fills the finding of a measurement that the reference lists. */
static void judge(const struct spdm_reference *reference, const struct spdm_comparand *what,
                  const struct spdm_measurement *m, struct spdm_reference_finding *out)
{
    const struct expected *e = &reference->at[m->index];
    out->match = SPDM_MATCH_DIFFERENT;
    if (e->type != TYPE_ANY && e->type != m->type) {
        out->why = spdm_text_format("the reference expects the type %s", spdm_measurement_type_name((uint8_t)e->type));
    } else if (e->kind == DIGEST && reference->hash != SPDM_ALG_NONE && reference->hash != what->hash) {
        out->why = spdm_text_format("the reference is in %s, the device measures in %s",
                                    spdm_algorithm_name(reference->hash), spdm_algorithm_name(what->hash));
    } else if (fits(what, m, e)) {
        out->match = e->kind == ANY ? SPDM_MATCH_ALLOWED : SPDM_MATCH_SAME;
        return;
    } else if (is_digest(e, m) && m->raw == (e->kind == DIGEST) && what->crypto == NULL) {
        out->why = spdm_text_format("one is raw, the other a digest, and they could not be compared");
    } else if ((e->kind == SVN || e->kind == SVN_MIN) && spdm_value_of(m).kind != SPDM_VALUE_NUMBER) {
        out->why = spdm_text_format("the device gives no security version number here");
    }
    out->expected = expected_words(e);
}

static void count(struct spdm_comparison *c, enum spdm_match match)
{
    if (match == SPDM_MATCH_SAME) c->same++;
    if (match == SPDM_MATCH_DIFFERENT) c->different++;
    if (match == SPDM_MATCH_MISSING) c->missing++;
    if (match == SPDM_MATCH_EXTRA) c->extra++;
    if (match == SPDM_MATCH_ALLOWED) c->allowed++;
}

/* A second measurement with an index. */
static void twice(struct spdm_comparison *c, struct spdm_reference_finding *f)
{
    if (f->match == SPDM_MATCH_DIFFERENT) return;
    if (f->match == SPDM_MATCH_SAME) c->same--;
    if (f->match == SPDM_MATCH_EXTRA) c->extra--;
    if (f->match == SPDM_MATCH_ALLOWED) c->allowed--;
    f->match = SPDM_MATCH_DIFFERENT;
    f->why = spdm_text_format("the device has this index twice");
    count(c, SPDM_MATCH_DIFFERENT);
}

void spdm_reference_compare(const struct spdm_reference *reference, const struct spdm_comparand *what,
                            struct spdm_comparison *out)
{
    bool there[256] = {false};
    *out = (struct spdm_comparison){.done = true};
    for (size_t i = 0; i < what->n; i++) {
        const struct spdm_measurement *m = &what->m[i];
        struct spdm_reference_finding *f = &out->at[m->index];
        if (what->only != 0 && what->only != m->index) continue;
        if (there[m->index]) { /* which one counts is not ours to choose */
            twice(out, f);
            continue;
        }
        there[m->index] = true;
        if (reference->at[m->index].kind != ABSENT) judge(reference, what, m, f);
        else f->match = reference->allow_extra ? SPDM_MATCH_ALLOWED : SPDM_MATCH_EXTRA;
        count(out, f->match);
    }
    for (size_t index = 1; index < 255; index++) {
        const struct expected *e = &reference->at[index];
        if (there[index] || e->kind == ABSENT) continue;
        if (what->only != 0 && what->only != index) {
            out->left_out++;
        } else if (!e->optional) {
            out->at[index].match = SPDM_MATCH_MISSING;
            out->at[index].expected = expected_words(e);
            count(out, SPDM_MATCH_MISSING);
        }
    }
}

bool spdm_comparison_good(const struct spdm_comparison *c)
{
    return c->done && c->different == 0 && c->missing == 0 && c->extra == 0;
}

void spdm_comparison_clear(struct spdm_comparison *c)
{
    for (size_t i = 0; i < 256; i++) {
        free(c->at[i].expected);
        free(c->at[i].why);
    }
    *c = (struct spdm_comparison){0};
}

const char *spdm_match_name(enum spdm_match match)
{
    static const char *const names[] = {
        [SPDM_MATCH_NOT_DONE] = "not compared", [SPDM_MATCH_SAME] = "match",  [SPDM_MATCH_DIFFERENT] = "DIFFERENT",
        [SPDM_MATCH_MISSING] = "MISSING",       [SPDM_MATCH_EXTRA] = "EXTRA", [SPDM_MATCH_ALLOWED] = "allowed",
    };
    return names[match];
}

/* ---- writing ---- */

static void put_string(FILE *to, const char *s)
{
    json_t *string = json_string(s);
    char *text = spdm_text_need(json_dumps(string, JSON_ENCODE_ANY));
    fputs(text, to);
    free(text);
    json_decref(string);
}

static void put_measurement(FILE *to, const struct spdm_measurement *m, bool last)
{
    struct spdm_value v = spdm_value_of(m);
    const char *name = spdm_measurement_type_name(m->type);
    fprintf(to, "    {\"index\": %u, \"type\": ", m->index);
    if (m->type <= SPDM_MEAS_STRUCTURED_MANIFEST) put_string(to, name);
    else fprintf(to, "%u", m->type);
    if (v.kind == SPDM_VALUE_NUMBER && v.number <= INT64_MAX) {
        fprintf(to, ", \"svn\": %" PRIu64, v.number);
    } else {
        char *text = v.kind == SPDM_VALUE_TEXT ? spdm_text_safe(v.bytes) : spdm_text_hex(m->value, 0);
        fprintf(to, ", \"%s\": ", v.kind == SPDM_VALUE_TEXT ? "text" : m->raw ? "raw" : "digest");
        put_string(to, text);
        free(text);
    }
    fputs(last ? "}\n" : "},\n", to);
}

static void put_reference(FILE *to, const struct spdm_comparand *what, const char *device)
{
    fputs("{\n  \"format\": \"" SPDM_REFERENCE_FORMAT "\",\n", to);
    if (device != NULL) {
        fputs("  \"comment\": ", to);
        put_string(to, device);
        fputs(",\n", to);
    }
    if (spdm_algorithm(what->hash)->cls == SPDM_CLASS_HASH)
        fprintf(to, "  \"measurement_hash\": \"%s\",\n", spdm_algorithm_name(what->hash));
    fputs("  \"measurements\": [\n", to);
    for (size_t i = 0; i < what->n; i++) put_measurement(to, &what->m[i], i + 1 == what->n);
    fputs("  ]\n}\n", to);
}

bool spdm_reference_save(const char *path, const struct spdm_comparand *what, const char *device,
                         char error[SPDM_REFERENCE_ERROR])
{
    FILE *to = fopen(path, "w");
    if (to != NULL) {
        put_reference(to, what, device);
        bool bad = ferror(to) != 0;
        if (fclose(to) == 0 && !bad) return true;
    }
    snprintf(error, SPDM_REFERENCE_ERROR, "%.300s: %s", path, strerror(errno));
    return false;
}
