/* SPDX-License-Identifier: BSD-3-Clause
 *
 * report_json.c - the report for programs.
 *
 * The members are described in spdm-attest(1) and checked by a test. Strings
 * of the device are made safe as in the text report: what a program prints
 * from here cannot harm a terminal either. Facts that are not known are left
 * out or null, never made up. */
#include "measure.h"
#include "names.h"
#include "options.h"
#include "report.h"
#include <stdlib.h>
#include <string.h>

/* A safe copy of a device's string, null if there is none. */
static json_t *told(const char *s)
{
    if (s == NULL) return json_null();
    char *safe = spdm_text_safe_string(s);
    json_t *out = json_string(safe);
    free(safe);
    return spdm_text_need(out);
}

static json_t *hex(struct spdm_span bytes)
{
    char *text = spdm_text_hex(bytes, 0);
    json_t *out = json_string(text);
    free(text);
    return spdm_text_need(out);
}

static void put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, spdm_text_need(value)) != 0) spdm_text_need(NULL);
}

static void add(json_t *array, json_t *value)
{
    if (json_array_append_new(array, spdm_text_need(value)) != 0) spdm_text_need(NULL);
}

static json_t *strings(char *const *list, size_t n)
{
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) add(out, told(list[i]));
    return out;
}

/* ---- device and chain ---- */

static json_t *device(const struct spdm_subject *d)
{
    json_t *out = json_object();
    put(out, "subject", told(d->subject));
    put(out, "certificate_serial", told(d->serial));
    put(out, "manufacturer", told(d->manufacturer));
    put(out, "product", told(d->product));
    put(out, "serial_number", told(d->number));
    put(out, "model", told(d->model));
    put(out, "oids", strings(d->oids, d->oid_n));
    return out;
}

static json_t *certificates(const struct spdm_subject *d)
{
    json_t *out = json_array();
    for (size_t i = 0; i < d->certificate_n; i++) {
        const struct spdm_subject_certificate *c = &d->certificates[i];
        json_t *one = json_object();
        put(one, "subject", told(c->subject));
        put(one, "issuer", told(c->issuer));
        put(one, "serial", told(c->serial));
        put(one, "not_before", told(c->not_before));
        put(one, "not_after", told(c->not_after));
        put(one, "key", told(c->key));
        add(out, one);
    }
    return out;
}

static json_t *chain(const struct spdm_attestation *a)
{
    const struct spdm_attest_result *r = a->result;
    const struct spdm_subject *d = a->device;
    json_t *out = json_object();
    struct spdm_span digest = {r->facts.chain_hash, spdm_algorithm((enum spdm_alg)r->facts.hash)->size};
    bool known = r->connected && r->source != SPDM_CHAIN_NONE;
    put(out, "source", json_string(spdm_chain_source_name(r->source)));
    put(out, "slot", known && r->facts.slot < SPDM_SLOT_N ? json_integer(r->facts.slot) : json_null());
    put(out, "digest", known && r->facts.trusted ? hex(digest) : json_null());
    put(out, "bytes", d->chain.n != 0 ? json_integer((json_int_t)d->chain.n) : json_null());
    put(out, "trusted", json_boolean(d->judged && d->trusted));
    put(out, "anchor", told(d->anchor));
    put(out, "reasons", strings(d->reasons, d->reason_n));
    put(out, "notes", strings(d->notes, d->note_n));
    put(out, "certificates", certificates(d));
    return out;
}

/* ---- connection ---- */

static json_t *endpoint(const struct spdm_endpoint_facts *e)
{
    json_t *out = json_object(), *names = json_array();
    const char *name;
    for (size_t i = 0; (name = spdm_capability_name(e->flags, e->ext_flags, i)) != NULL; i++)
        add(names, json_string(name));
    put(out, "capabilities", names);
    put(out, "flags", json_integer(e->flags));
    put(out, "ext_flags", json_integer(e->ext_flags));
    put(out, "ct_exponent", json_integer(e->ct_exponent));
    put(out, "data_transfer_size", json_integer(e->data_transfer_size));
    put(out, "max_message_size", json_integer(e->max_message_size));
    return out;
}

static json_t *algorithm(uint8_t id)
{
    if (id == SPDM_ALG_NONE) return json_null();
    return json_string(id == SPDM_RAW_ONLY ? "raw" : spdm_algorithm_name((enum spdm_alg)id));
}

json_t *spdm_report_connection_json(const struct spdm_attest_result *r)
{
    const struct spdm_facts *f = &r->facts;
    if (!r->connected) return json_null();
    json_t *out = json_object(), *versions = json_array();
    for (unsigned minor = 0; minor < 8; minor++)
        if ((f->peer_versions >> minor & 1) != 0) add(versions, json_sprintf("1.%u", minor));
    put(out, "peer", told(r->peer));
    put(out, "version", json_string(spdm_version_name(f->version)));
    put(out, "peer_versions", versions);
    put(out, "responder", endpoint(&f->responder));
    put(out, "requester", endpoint(&f->requester));
    put(out, "hash", algorithm(f->hash));
    put(out, "signature", algorithm(f->signature));
    put(out, "measurement_hash", algorithm(f->meas_hash));
    put(out, "key_exchange", algorithm(f->exchange));
    put(out, "aead", algorithm(f->aead));
    put(out, "multi_key", json_boolean(f->multi_key_rsp));
    put(out, "provisioned_slots", json_integer(f->provisioned_slots));
    put(out, "restarts", json_integer(r->restarts));
    return out;
}

/* null: there was none. */
static json_t *session(const struct spdm_attest_result *r)
{
    const struct spdm_session_facts *s = &r->session.facts;
    if (!r->session.opened) return json_null();
    json_t *out = json_object();
    put(out, "id", json_sprintf("%08x", s->id));
    put(out, "mode", json_string(s->psk ? "psk" : "key exchange"));
    put(out, "key_exchange", s->psk ? json_null() : algorithm(r->facts.exchange));
    put(out, "aead", algorithm(r->facts.aead));
    put(out, "encrypted", json_boolean(!s->mac_only));
    put(out, "secured_version",
        json_sprintf("%u.%u", (unsigned)s->secured_version >> 12, s->secured_version >> 8 & 15u));
    put(out, "clear_handshake", json_boolean(s->in_the_clear));
    put(out, "heartbeat", json_integer(s->heartbeat));
    put(out, "mutual_authentication", json_boolean(s->mut_auth != 0));
    return out;
}

/* ---- measurements ---- */

static json_t *modes(const struct spdm_value *v, unsigned which)
{
    json_t *out = json_array();
    for (unsigned bit = 0; bit < 32; bit++) {
        if ((v->modes[which] >> bit & 1) == 0) continue;
        const char *name = spdm_value_mode_name(which, bit);
        add(out, name != NULL ? json_string(name) : json_sprintf("bit %u", bit));
    }
    return out;
}

/* What could be read out of a raw value; null if nothing. */
static json_t *decoded(const struct spdm_value *v)
{
    static const char *const mode_keys[] = {"operational_modes", "operational_mode", "debug_modes", "debug_mode"};
    json_t *out = json_object();
    switch (v->kind) {
    case SPDM_VALUE_TEXT: {
        char *safe = spdm_text_safe(v->bytes);
        put(out, "text", json_string(safe));
        free(safe);
        break;
    }
    case SPDM_VALUE_NUMBER:
        put(out, "svn", v->number <= INT64_MAX ? json_integer((json_int_t)v->number) : json_null());
        break;
    case SPDM_VALUE_MODES:
        for (unsigned i = 0; i < 4; i++) put(out, mode_keys[i], modes(v, i));
        break;
    case SPDM_VALUE_MANIFEST:
        put(out, "body", json_string(spdm_value_body_name(v->body)));
        put(out, "vendor", hex(v->vendor));
        break;
    default: json_decref(out); return json_null();
    }
    return out;
}

static json_t *reference_state(const struct spdm_attestation *a, uint8_t index)
{
    static const char *const names[] = {"not compared", "match", "different", "missing", "extra", "allowed"};
    if (a->comparison == NULL || !a->comparison->done) return json_string(names[SPDM_MATCH_NOT_DONE]);
    return json_string(names[a->comparison->at[index].match]);
}

static json_t *block(const struct spdm_attestation *a, const struct spdm_measured *measured)
{
    const struct spdm_measurement *m = &measured->m;
    struct spdm_value v = spdm_value_of(m);
    json_t *out = json_object();
    put(out, "index", json_integer(m->index));
    put(out, "type", json_integer(m->type));
    put(out, "type_name", json_string(spdm_measurement_type_name(m->type)));
    put(out, "form", json_string(m->raw ? "raw" : "digest"));
    put(out, "value", hex(m->value));
    put(out, "decoded", decoded(&v));
    put(out, "proven", json_boolean(measured->proven));
    put(out, "reference", reference_state(a, m->index));
    if (a->comparison != NULL && a->comparison->at[m->index].expected != NULL)
        put(out, "expected", told(a->comparison->at[m->index].expected));
    if (a->comparison != NULL && a->comparison->at[m->index].why != NULL)
        put(out, "why", told(a->comparison->at[m->index].why));
    return out;
}

static json_t *measurements(const struct spdm_attestation *a)
{
    static const char *const changed[] = {"not detected", "changed", "unchanged", "reserved"};
    const struct spdm_attest_result *r = a->result;
    if (!r->planned || (r->goal.want & SPDM_WANT_MEASUREMENTS) == 0 || r->end != SPDM_ATTEST_DONE) return json_null();
    json_t *out = json_object(), *blocks = json_array();
    put(out, "signed", json_boolean(r->goal.sign && r->facts.measured_signed));
    put(out, "count",
        json_integer(r->goal.measure == SPDM_MEASURE_COUNT ? r->facts.measurement_n : (json_int_t)r->measured_n));
    put(out, "content_changed",
        r->goal.sign && r->facts.version >= SPDM_V12 ? json_string(changed[r->facts.content_changed & 3])
                                                     : json_null());
    for (size_t i = 0; i < r->measured_n; i++) add(blocks, block(a, &r->measured[i]));
    put(out, "blocks", blocks);
    return out;
}

static json_t *reference(const struct spdm_attestation *a)
{
    const struct spdm_comparison *c = a->comparison;
    if (a->reference == NULL) return json_null();
    json_t *out = json_object(), *missing = json_array();
    put(out, "file", told(a->reference));
    put(out, "compared", json_boolean(c != NULL && c->done));
    if (c != NULL && c->done) {
        put(out, "same", json_integer(c->same));
        put(out, "different", json_integer(c->different));
        put(out, "extra", json_integer(c->extra));
        put(out, "allowed", json_integer(c->allowed));
        put(out, "left_out", json_integer(c->left_out));
        for (unsigned i = 1; i < 255; i++)
            if (c->at[i].match == SPDM_MATCH_MISSING)
                add(missing, json_pack("{s:i, s:o}", "index", i, "expected", told(c->at[i].expected)));
    }
    put(out, "missing", missing);
    return out;
}

/* ---- the whole ---- */

static json_t *failure(const struct spdm_attest_result *r)
{
    const struct spdm_report *report = &r->report;
    if (r->end != SPDM_ATTEST_FAILED) return json_null();
    json_t *out = json_object();
    char text[400];
    spdm_report_text(report, text, sizeof text);
    put(out, "why", json_string(spdm_why_name(report->why)));
    put(out, "message", report->code != 0 ? json_string(spdm_message_name(report->code)) : json_null());
    put(out, "error_code", report->error != 0 ? json_integer(report->error) : json_null());
    put(out, "field", told(report->field));
    put(out, "offset", json_integer(report->offset));
    put(out, "got", json_integer(report->got));
    put(out, "limit", json_integer(report->limit));
    put(out, "text", told(text));
    return out;
}

static json_t *checks(const struct spdm_attest_verdict *v)
{
    json_t *out = json_object();
    for (unsigned i = 0; i < SPDM_CHECK_N; i++) {
        json_t *one = json_object();
        put(one, "state", json_string(spdm_check_state_name(v->checks[i].state)));
        put(one, "detail", v->checks[i].detail != NULL ? json_string(v->checks[i].detail) : json_null());
        put(out, spdm_check_name((enum spdm_check_id)i), one);
    }
    return out;
}

static json_t *cost(const struct spdm_attest_result *r)
{
    json_t *out = json_object();
    put(out, "messages_sent", json_integer(r->sent));
    put(out, "messages_received", json_integer(r->received));
    put(out, "bytes_sent", json_integer((json_int_t)r->sent_bytes));
    put(out, "bytes_received", json_integer((json_int_t)r->received_bytes));
    put(out, "microseconds", json_integer((json_int_t)r->time_us));
    return out;
}

json_t *spdm_report_json(const struct spdm_attestation *a)
{
    json_t *out = json_object();
    char when[32] = "";
    struct tm utc;
    if (gmtime_r(&a->result->began.tv_sec, &utc) != NULL) strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    put(out, "format", json_string(SPDM_REPORT_FORMAT));
    put(out, "target", told(a->result->target.text));
    put(out, "time", json_string(when));
    put(out, "verdict", json_string(spdm_verdict_name(a->verdict.kind)));
    put(out, "exit_code", json_integer(spdm_verdict_exit(a->verdict.kind)));
    put(out, "reason", a->verdict.reason != NULL ? json_string(a->verdict.reason) : json_null());
    put(out, "checks", checks(&a->verdict));
    put(out, "device", device(a->device));
    put(out, "chain", chain(a));
    put(out, "connection", spdm_report_connection_json(a->result));
    put(out, "session", session(a->result));
    put(out, "measurements", measurements(a));
    put(out, "reference", reference(a));
    put(out, "error", failure(a->result));
    put(out, "cost", cost(a->result));
    return out;
}
