/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_json.c - a message as one JSON object on one line.
 *
 * What its members are stands in spdm-decode(1) and, for programs, in
 * examples/decode.schema.json. Members are added, never changed. The object is
 * put together as text: a capture has many of them. */
#include "decode_json.h"
#include "names.h"
#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

void decode_json_string(struct decode_words *out, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    const char *from = text;
    decode_put(out, "\"");
    for (const char *p = text;; p++) {
        unsigned char c = (unsigned char)*p;
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        decode_put_part(out, from, (size_t)(p - from));
        if (c == '\0') break;
        if (c >= 0x20) decode_say(out, "\\%c", c);
        else decode_say(out, "\\u00%c%c", hex[c >> 4], hex[c & 15]);
        from = p + 1;
    }
    decode_put(out, "\"");
}

static void member(struct decode_words *out, const char *name)
{
    if (out->n != 0 && strchr("{[", out->p[out->n - 1]) == NULL) decode_put(out, ",");
    decode_put(out, "\"");
    decode_put(out, name);
    decode_put(out, "\":");
}

/* Most text is, and needs no second look. */
static bool is_plain(const char *text)
{
    while (*text >= 0x20 && *text < 0x7f) text++;
    return *text == '\0';
}

/* Text that may have come from a peer; empty is null. */
void decode_json_text(struct decode_words *out, const char *name, const char *text)
{
    char *safe;
    member(out, name);
    if (text == NULL || text[0] == '\0') {
        decode_put(out, "null");
        return;
    }
    if (is_plain(text)) {
        decode_json_string(out, text);
        return;
    }
    safe = spdm_text_safe_string(text);
    decode_json_string(out, safe);
    free(safe);
}

void decode_json_number(struct decode_words *out, const char *name, uint64_t value)
{
    member(out, name);
    decode_put_number(out, value);
}

void decode_json_hex(struct decode_words *out, const char *name, struct spdm_span bytes)
{
    member(out, name);
    decode_put(out, "\"");
    decode_put_hex(out, bytes);
    decode_put(out, "\"");
}

void decode_json_open(struct decode_words *out, const char *name, char bracket)
{
    const char text[2] = {bracket, '\0'};
    if (name != NULL) member(out, name);
    else if (out->n != 0 && strchr("{[", out->p[out->n - 1]) == NULL) decode_put(out, ",");
    decode_put(out, text);
}

static void session(struct decode_words *out, const char *name, uint32_t id)
{
    char text[16];
    snprintf(text, sizeof text, "%08x", id);
    decode_json_text(out, name, id != 0 ? text : NULL);
}

static void state(struct decode_words *out, const char *name, enum spdm_signature_state value)
{
    static const char *const words[] = {NULL, "good", "bad", "unchecked"};
    decode_json_text(out, name, words[value]);
}

/* Lines of a log have no time. */
void decode_json_time(struct decode_words *out, const char *name, struct timespec when)
{
    char text[64] = "";
    struct tm utc;
    if (when.tv_sec != 0 && gmtime_r(&when.tv_sec, &utc) != NULL) {
        size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
        snprintf(text + n, sizeof text - n, ".%09ldZ", (long)when.tv_nsec);
    }
    decode_json_text(out, name, text);
}

/* ---- a message ---- */

static void field(struct decode_words *out, const struct decode_message *m, size_t i, struct decode_words *term)
{
    const struct spdm_field *f = &m->fields->v[i];
    decode_json_open(out, NULL, '{');
    decode_json_text(out, "name", f->name);
    decode_json_number(out, "offset", f->at);
    decode_json_number(out, "size", f->n);
    if (f->number) decode_json_number(out, "value", f->value);
    else decode_json_hex(out, "bytes", decode_bytes(m, f));
    decode_clear(term);
    decode_term(term, m, i);
    if (term->n != 0) decode_json_text(out, "meaning", decode_text(term));
    decode_put(out, "}");
}

static void report(struct decode_words *out, const struct decode_message *m)
{
    const struct spdm_report *r = &m->sight->report;
    char rule[16] = "";
    if (m->report.n == 0) {
        decode_json_text(out, "report", NULL);
        return;
    }
    if (m->rule != NULL) snprintf(rule, sizeof rule, "%.*s", (int)strcspn(m->rule, " "), m->rule);
    decode_json_open(out, "report", '{');
    decode_json_text(out, "why", r->why != SPDM_WHY_FINE ? spdm_why_name(r->why) : NULL);
    decode_json_text(out, "field", m->at_field != NULL ? m->at_field->name : NULL);
    if (m->at_field != NULL) decode_json_number(out, "offset", r->offset);
    else decode_json_text(out, "offset", NULL);
    decode_json_text(out, "rule", rule);
    decode_json_text(out, "text", decode_text(&m->report));
    decode_put(out, "}");
}

static void version(struct decode_words *out, const struct decode_message *m)
{
    uint8_t v = decode_version(m);
    char text[8] = "";
    if (v != 0) snprintf(text, sizeof text, "%u.%u", (unsigned)v >> 4, v & 15u);
    decode_json_text(out, "version", text);
}

static const char *kind_of(const struct decode_message *m)
{
    static const char *const kinds[] = {"other", "message", "data", "record", "control"};
    return m->damage != NULL ? "damage" : kinds[m->sight->kind];
}

const char *decode_rank_name(enum decode_rank rank)
{
    static const char *const names[] = {"fine", "note", "damage", "broken", "false"};
    return names[rank];
}

static void head(struct decode_words *out, const struct decode_message *m)
{
    const struct spdm_sight *s = m->sight;
    bool message = m->damage == NULL && s->kind == SPDM_SIGHT_MESSAGE;
    decode_json_text(out, "format", DECODE_FORMAT);
    decode_json_text(out, "kind", kind_of(m));
    decode_json_number(out, "number", m->number);
    decode_json_number(out, "packet", m->packet);
    decode_json_time(out, "time", m->time);
    decode_json_number(out, "connection", m->flow != NULL ? decode_flow_number(m->flow) : 0);
    decode_json_text(out, "from", m->damage != NULL ? NULL : s->from_requester ? "requester" : "responder");
    session(out, "session", s->session);
    decode_json_text(out, "inside", s->enveloped ? "envelope" : s->reassembled ? "chunks" : NULL);
    version(out, m);
    if (message) decode_json_number(out, "code", s->code);
    else decode_json_text(out, "code", NULL);
    decode_json_text(out, "name", decode_name(m));
    decode_json_text(out, "answers", message && s->answers != 0 ? spdm_message_name(s->answers) : NULL);
    decode_json_number(out, "length", message ? s->message.n : m->frame.n);
}

static void essence(struct decode_words *out, const struct decode_message *m, struct decode_words *words)
{
    decode_clear(words);
    if (m->damage != NULL) decode_put(words, m->damage);
    else if (m->sight->kind == SPDM_SIGHT_MESSAGE) decode_essence(words, m);
    else decode_carrier(words, m);
    decode_json_text(out, "summary", decode_text(words));
}

void decode_json_message(struct decode_words *out, const struct decode_message *m, bool with_bytes)
{
    const struct spdm_sight *s = m->sight;
    struct decode_words words = {NULL, 0, 0};
    decode_put(out, "{");
    head(out, m);
    essence(out, m, &words);
    decode_json_open(out, "fields", '[');
    for (size_t i = 0; i < m->fields->n; i++) field(out, m, i, &words);
    decode_put(out, "]");
    if (with_bytes || s->kind == SPDM_SIGHT_DATA) decode_json_hex(out, "bytes", s->message);
    state(out, "signature", s->signature);
    state(out, "verify_data", s->verify_data);
    state(out, "record", s->record);
    decode_json_number(out, "lost", s->lost);
    session(out, "opened", s->opened);
    session(out, "closed", s->closed);
    decode_json_text(out, "rank", decode_rank_name(m->rank));
    report(out, m);
    decode_json_text(out, "note", decode_text(&m->note));
    decode_put(out, "}\n");
    free(words.p);
}
