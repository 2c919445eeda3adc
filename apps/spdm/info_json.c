/* SPDX-License-Identifier: BSD-3-Clause
 *
 * info_json.c - what a device says of itself, for programs.
 *
 * The members are described in spdm-info(1). A part that the device does not
 * offer is null; one that it refused is what came of it, and named in
 * "refused". */
#include "info.h"
#include "measure.h"
#include "options.h"
#include <stdlib.h>
#include <string.h>

enum { CELL_MAX = 400 };

static void put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, spdm_text_need(value)) != 0) spdm_text_need(NULL);
}

static void add(json_t *array, json_t *value)
{
    if (json_array_append_new(array, spdm_text_need(value)) != 0) spdm_text_need(NULL);
}

/* A safe copy of a text, which is freed. */
static json_t *take(char *text)
{
    char *safe = spdm_text_safe_string(text);
    json_t *out = json_string(safe);
    free(safe);
    free(text);
    return spdm_text_need(out);
}

static json_t *hex(struct spdm_span bytes)
{
    return take(spdm_text_hex(bytes, 0));
}

static struct spdm_span bytes_of(const struct spdm_room *room)
{
    return (struct spdm_span){room->p, room->n};
}

/* Numbers of the set bits. */
static json_t *mask(uint32_t bits)
{
    json_t *out = json_array();
    for (unsigned i = 0; i < 32; i++)
        if ((bits >> i & 1) != 0) add(out, json_integer(i));
    return out;
}

/* The same of a text of names, which is freed. */
static json_t *names(char *text)
{
    json_t *out = json_array();
    bool none = strcmp(text, "none") == 0;
    for (char *rest = text, *name; !none && (name = strtok_r(rest, ",", &rest)) != NULL;)
        add(out, json_string(name + strspn(name, " ")));
    free(text);
    return out;
}

/* Names of key algorithms. */
static json_t *algorithms(uint32_t asyms, uint32_t pqcs)
{
    json_t *out = json_array();
    for (unsigned i = 0; i < 32; i++)
        if ((asyms >> i & 1) != 0) add(out, json_string(spdm_key_pair_name((uint32_t)1 << i, 0)));
    for (unsigned i = 0; i < 32; i++)
        if ((pqcs >> i & 1) != 0) add(out, json_string(spdm_key_pair_name(0, (uint32_t)1 << i)));
    return out;
}

static json_t *algorithm(uint32_t asym, uint32_t pqc)
{
    return (asym | pqc) == 0 ? json_null() : json_string(spdm_key_pair_name(asym, pqc));
}

/* ---- certificates ---- */

static json_t *certificate(const struct spdm_x509 *x)
{
    json_t *out = json_object();
    char text[CELL_MAX];
    spdm_x509_name_text(x->subject, text, sizeof text);
    put(out, "subject", take(spdm_text_format("%s", text)));
    spdm_x509_name_text(x->issuer, text, sizeof text);
    put(out, "issuer", take(spdm_text_format("%s", text)));
    spdm_x509_serial_text(x, text, sizeof text);
    put(out, "serial", take(spdm_text_format("%s", text)));
    spdm_x509_time_text(x->not_before, text, sizeof text);
    put(out, "not_before", json_string(text));
    spdm_x509_time_text(x->not_after, text, sizeof text);
    put(out, "not_after", json_string(text));
    put(out, "key", json_string(x->key_name));
    return out;
}

static json_t *findings(const struct spdm_judgement *j)
{
    json_t *out = json_array();
    for (unsigned i = 0; i < j->finding_n; i++) {
        char text[CELL_MAX];
        const struct spdm_finding *f = &j->finding[i];
        if (f->id == SPDM_FOUND_NO_ANCHORS) continue;
        spdm_finding_text(j, f, text, sizeof text);
        add(out, take(spdm_text_format("%s", text)));
    }
    return out;
}

static json_t *chain(const struct spdm_info_chain *c, unsigned slot)
{
    const struct spdm_judgement *j = c->judgement;
    json_t *out = json_object(), *list = json_array();
    for (unsigned i = 0; j != NULL && i < j->certificate_n; i++) add(list, certificate(&j->certificate[i]));
    put(out, "slot", json_integer(slot));
    put(out, "digest", hex(bytes_of(&c->digest)));
    put(out, "bytes", json_integer((json_int_t)c->chain.n));
    put(out, "model", json_string(spdm_info_model(c->model)));
    put(out, "key_pair", c->key_pair != 0 ? json_integer(c->key_pair) : json_null());
    put(out, "usage", names(spdm_info_usage(c->usage)));
    put(out, "trusted", json_boolean(j != NULL && j->verdict == SPDM_GOOD));
    put(out, "consistent", j != NULL ? json_boolean(j->consistent) : json_null());
    put(out, "findings", j != NULL ? findings(j) : json_array());
    put(out, "certificates", list);
    put(out, "chain", hex(bytes_of(&c->chain)));
    return out;
}

static json_t *chains(const struct spdm_info *info)
{
    const struct spdm_facts *f = &info->connection.facts;
    json_t *out = json_object(), *list = json_array();
    put(out, "supported", f->version >= SPDM_V13 ? mask(f->supported_slots) : json_null());
    put(out, "provisioned", mask(f->provisioned_slots));
    for (unsigned slot = 0; slot < SPDM_SLOT_N; slot++)
        if (info->chain[slot].there) add(list, chain(&info->chain[slot], slot));
    put(out, "slots", list);
    return out;
}

/* ---- measurements, log ---- */

static json_t *value(const struct spdm_measurement *m)
{
    struct spdm_value v = spdm_value_of(m);
    json_t *out = json_object();
    put(out, "type", json_integer(m->type));
    put(out, "type_name", json_string(spdm_measurement_type_name(m->type)));
    put(out, "form", json_string(m->raw ? "raw" : "digest"));
    put(out, "value", hex(m->value));
    put(out, "words", take(spdm_value_words(&v)));
    return out;
}

static json_t *measurements(const struct spdm_info *info)
{
    struct spdm_span rest = bytes_of(&info->record);
    struct spdm_measurement m;
    json_t *out = json_array();
    while (spdm_measurement_next(&rest, &m)) {
        json_t *one = value(&m);
        put(one, "index", json_integer(m.index));
        add(out, one);
    }
    return out;
}

static json_t *extended(const struct spdm_info *info)
{
    const size_t size = spdm_algorithm((enum spdm_alg)info->connection.facts.meas_hash)->size;
    json_t *list = json_array();
    for (size_t i = 0; i < info->extended_n; i++) {
        const struct spdm_info_extended *e = &info->extended[i];
        json_t *one = json_object();
        put(one, "measurement", json_integer(e->measurement));
        put(one, "entries", json_integer(e->entries));
        put(one, "agrees", json_boolean(e->agrees));
        put(one, "value", e->known ? hex((struct spdm_span){e->value, size}) : json_null());
        add(list, one);
    }
    return list;
}

static json_t *log_entries(const struct spdm_info *info)
{
    struct spdm_span rest = {NULL, 0};
    struct spdm_log_entry e;
    uint32_t n = 0;
    bool whole = spdm_log_open(bytes_of(&info->log), &n, &rest);
    json_t *out = json_object(), *list = json_array();
    while (spdm_log_next(&rest, &e)) {
        struct spdm_measurement m = {.type = e.type, .raw = e.raw, .value = e.value};
        json_t *one = value(&m);
        put(one, "index", json_integer(e.index));
        put(one, "extends", json_integer(e.measurement));
        add(list, one);
    }
    put(out, "announced", whole ? json_integer(n) : json_null());
    put(out, "entries", list);
    put(out, "bytes", hex(bytes_of(&info->log)));
    put(out, "extended", extended(info));
    return out;
}

/* ---- key pairs, endpoint ---- */

static json_t *key_pairs(const struct spdm_info *info)
{
    struct spdm_key_pair k;
    json_t *out = json_array();
    for (size_t i = 0; i < info->key_pairs.n; i++) {
        if (!spdm_key_pair_read(bytes_of(&info->key_pairs.v[i]), &k)) continue;
        json_t *one = json_object();
        put(one, "id", json_integer(k.id));
        put(one, "total", json_integer(k.total));
        put(one, "algorithm", algorithm(k.asym, k.pqc));
        put(one, "possible_algorithms", algorithms(k.asyms, k.pqcs));
        put(one, "slots", mask(k.slots));
        put(one, "usage", names(spdm_info_usage(k.usage)));
        put(one, "possible_usage", names(spdm_info_usage(k.usages)));
        put(one, "changeable", names(spdm_info_abilities(k.capabilities)));
        put(one, "public_key_info", hex(k.public_key_info));
        add(out, one);
    }
    return out;
}

static json_t *endpoint(const struct spdm_info *info)
{
    struct spdm_device_class c;
    struct spdm_span rest = {NULL, 0}, subs, sub;
    uint8_t classes;
    json_t *out = json_array();
    if (!spdm_device_class_open(bytes_of(&info->endpoint), &classes, &rest)) return out;
    while (spdm_device_class_next(&rest, &c)) {
        const char *body = spdm_value_body_name(c.body);
        json_t *one = json_object(), *list = json_array();
        subs = c.sub_ids;
        while (spdm_sub_id_next(&subs, &sub)) add(list, hex(sub));
        put(one, "body", body != NULL ? json_string(body) : json_integer(c.body));
        put(one, "vendor", hex(c.vendor));
        put(one, "identifiers", list);
        add(out, one);
    }
    return out;
}

static json_t *endpoint_signature(const struct spdm_info_signature *s)
{
    if (!s->verified && s->refusal == NULL) return json_null();
    json_t *out = json_object();
    put(out, "verified", json_boolean(s->verified));
    put(out, "slot", s->verified && s->slot < SPDM_SLOT_N ? json_integer(s->slot) : json_null());
    put(out, "refusal", s->refusal != NULL ? json_string(s->refusal) : json_null());
    return out;
}

/* ---- events ---- */

static json_t *events(const struct spdm_info *info)
{
    struct spdm_span rest = bytes_of(&info->events);
    struct spdm_event_group g;
    json_t *out = json_array();
    while (spdm_event_group_next(&rest, &g)) {
        const char *body = spdm_value_body_name(g.body);
        json_t *one = json_object(), *list = json_array();
        uint16_t type;
        while (spdm_event_type_next(&g.types, &type)) add(list, json_integer(type));
        put(one, "body", body != NULL ? json_string(body) : json_integer(g.body));
        put(one, "vendor", hex(g.vendor));
        put(one, "version", json_integer(g.version));
        put(one, "types", list);
        add(out, one);
    }
    return out;
}

/* ---- banks ---- */

static json_t *bank_slot(const struct spdm_bank_slot *s)
{
    json_t *out = json_object();
    put(out, "slot", json_integer(s->slot));
    put(out, "provisioned", json_boolean(s->provisioned));
    put(out, "write_protected", json_boolean(s->protected));
    put(out, "key_pair", s->key_pair != 0 ? json_integer(s->key_pair) : json_null());
    put(out, "model", json_string(spdm_info_model(s->model)));
    put(out, "usage", names(spdm_info_usage(s->usage)));
    put(out, "size", json_integer(s->size));
    put(out, "digest", s->provisioned ? hex(s->digest) : json_null());
    return out;
}

static json_t *bank(struct spdm_span details)
{
    struct spdm_bank_details b;
    struct spdm_bank_slot s;
    struct spdm_span rest;
    if (!spdm_bank_open(details, &b, &rest)) return json_null();
    json_t *out = json_object(), *list = json_array();
    while (spdm_bank_slot_next(&rest, &s)) add(list, bank_slot(&s));
    put(out, "bank", json_integer(b.bank));
    put(out, "selected", json_boolean(b.selected));
    put(out, "configurable", json_boolean(b.configurable));
    put(out, "algorithm", algorithm(b.asym, b.pqc));
    put(out, "possible_algorithms", algorithms(b.asyms, b.pqcs));
    put(out, "available_algorithms", algorithms(b.asyms_free, b.pqcs_free));
    put(out, "slots", list);
    return out;
}

static json_t *banks(const struct spdm_info *info)
{
    json_t *out = json_object(), *codes = json_array(), *list = json_array();
    for (size_t i = 0; i < 8 * info->sub_codes.n; i++)
        if ((info->sub_codes.p[i / 8] >> i % 8 & 1) != 0) add(codes, json_integer((json_int_t)i));
    for (size_t i = 0; i < info->details.n; i++) add(list, bank(bytes_of(&info->details.v[i])));
    put(out, "sub_codes", codes);
    put(out, "banks", list);
    return out;
}

/* ---- the whole ---- */

json_t *spdm_info_json(const struct spdm_info *info)
{
    static json_t *(*const parts[])(const struct spdm_info *) = {chains,   measurements, key_pairs, log_entries,
                                                                 endpoint, events,       banks};
    json_t *out = json_object(), *refused = json_object();
    char when[32] = "";
    struct tm utc;
    if (gmtime_r(&info->connection.began.tv_sec, &utc) != NULL) strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    put(out, "format", json_string(SPDM_INFO_FORMAT));
    put(out, "target", take(spdm_text_format("%s", info->connection.target.text)));
    put(out, "time", json_string(when));
    put(out, "exit_code", json_integer(info->exit));
    put(out, "connection", spdm_report_connection_json(&info->connection));
    for (unsigned i = 0; i < SPDM_INFO_PART_N; i++) {
        const struct spdm_info_state *state = &info->part[i];
        const char *name = spdm_info_part_name((enum spdm_info_part)i);
        put(out, name, state->asked ? parts[i](info) : json_null());
        if (state->refusal != NULL) put(refused, name, json_string(state->refusal));
    }
    put(out, "endpoint_signature", endpoint_signature(&info->endpoint_signature));
    put(out, "refused", refused);
    return out;
}
