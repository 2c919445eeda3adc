/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_summary.c - an account for people and for programs. */
#include "decode_account.h"
#include "decode_json.h"
#include "measure.h"
#include "names.h"
#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

static char *name_of(struct spdm_span name)
{
    char text[1024];
    spdm_x509_name_text(name, text, sizeof text);
    return spdm_text_safe_string(text);
}

static const char *trust_of(const struct decode_chain *c)
{
    if (c->judgement->verdict == SPDM_GOOD) return "trusted";
    return c->judgement->consistent ? "consistent, no root was given" : "NOT TRUSTED";
}

static char *reason_of(const struct decode_chain *c)
{
    char text[1024];
    if (c->judgement->verdict == SPDM_GOOD || c->judgement->consistent || c->judgement->finding_n == 0) return NULL;
    spdm_finding_text(c->judgement, c->judgement->finding, text, sizeof text);
    return spdm_text_safe_string(text);
}

static char *slot_words(uint8_t slot)
{
    return slot < SPDM_SLOT_N ? spdm_text_format("slot %u", slot) : spdm_text_format("provisioned key");
}

static char *capabilities(const struct spdm_endpoint_facts *f)
{
    struct decode_words out = {NULL, 0, 0};
    const char *name;
    for (size_t i = 0; (name = spdm_capability_name(f->flags, f->ext_flags, i)) != NULL; i++)
        decode_say(&out, "%s%s", i != 0 ? " " : "", name);
    if (out.n == 0) decode_put(&out, "none");
    return out.p;
}

static const char *algorithm(uint8_t id)
{
    return id == SPDM_RAW_ONLY ? "raw" : spdm_algorithm_name((enum spdm_alg)id);
}

/* ---- for people ---- */

static void heading(const struct spdm_screen *screen, const char *text)
{
    spdm_screen_put(screen, SPDM_STRONG, text);
    fputc('\n', screen->to);
}

static void row(struct spdm_table *t, const char *label, char *value)
{
    spdm_table_add(t, SPDM_FAINT, label);
    spdm_table_take(t, SPDM_PLAIN, value);
}

static void print_facts(const struct decode_account *a, const struct spdm_screen *screen)
{
    const struct spdm_facts *f = &a->facts;
    struct spdm_table *t = spdm_table_new(2);
    if (!a->negotiated) {
        row(t, "negotiation", spdm_text_format("not seen"));
        spdm_table_print(t, screen, 2);
        return;
    }
    row(t, "version", spdm_text_format("%s", spdm_version_name(f->version)));
    row(t, "signature", spdm_text_format("%s with %s", algorithm(f->signature), algorithm(f->hash)));
    row(t, "measurements", spdm_text_format("%s", algorithm(f->meas_hash)));
    if (f->exchange != SPDM_ALG_NONE || f->aead != SPDM_ALG_NONE)
        row(t, "sessions", spdm_text_format("%s, %s", algorithm(f->exchange), algorithm(f->aead)));
    if (f->req_signature != SPDM_ALG_NONE)
        row(t, "Requester's signature", spdm_text_format("%s", algorithm(f->req_signature)));
    row(t, "Requester can", capabilities(&f->requester));
    row(t, "Responder can", capabilities(&f->responder));
    if (f->responder.data_transfer_size != 0)
        row(t, "DataTransferSize",
            spdm_text_format("Requester %u, Responder %u", f->requester.data_transfer_size,
                             f->responder.data_transfer_size));
    spdm_table_print(t, screen, 2);
}

static void print_identities(const struct decode_account *a, const struct spdm_screen *screen)
{
    struct spdm_table *t;
    if (a->identity_n == 0) return;
    heading(screen, "Identities");
    t = spdm_table_new(4);
    for (size_t i = 0; i < a->identity_n; i++) {
        const struct decode_identity *id = &a->identity[i];
        const struct spdm_x509 *leaf = spdm_judgement_leaf(id->chain->judgement);
        char *reason = reason_of(id->chain);
        bool bad = reason != NULL;
        spdm_table_add(t, SPDM_PLAIN, id->requester ? "Requester" : "Responder");
        spdm_table_take(t, SPDM_PLAIN, slot_words(id->slot));
        spdm_table_take(t, SPDM_PLAIN, leaf != NULL ? name_of(leaf->subject) : spdm_text_format("unreadable"));
        spdm_table_take(t, bad ? SPDM_RED : SPDM_PLAIN,
                        spdm_text_format("%s%s%s", trust_of(id->chain), bad ? ": " : "", bad ? reason : ""));
        free(reason);
    }
    spdm_table_print(t, screen, 2);
}

static void print_measurements(const struct decode_account *a, const struct spdm_screen *screen)
{
    struct spdm_table *t = spdm_table_new(4);
    bool any = false;
    for (size_t i = 0; i < 256; i++) {
        const struct decode_measured *m = &a->measured[i];
        struct spdm_value value;
        if (!m->there) continue;
        value = spdm_value_of(&m->m);
        any = true;
        spdm_table_take(t, SPDM_PLAIN, spdm_text_format("%zu", i));
        spdm_table_add(t, SPDM_PLAIN, spdm_measurement_type_name(m->m.type));
        spdm_table_add(t, m->proven ? SPDM_GREEN : SPDM_YELLOW, m->proven ? "signed" : "not proven");
        spdm_table_take(t, SPDM_PLAIN, spdm_value_words(&value));
    }
    if (any) heading(screen, "Measurements");
    spdm_table_print(t, screen, 2);
}

static void print_sessions(const struct decode_account *a, const struct spdm_screen *screen)
{
    struct spdm_table *t;
    if (a->session_n == 0) return;
    heading(screen, "Sessions");
    t = spdm_table_new(5);
    for (size_t i = 0; i < a->session_n; i++) {
        const struct decode_session_account *s = &a->session[i];
        char *slot = slot_words(s->slot);
        spdm_table_take(t, SPDM_PLAIN, spdm_text_format("%08x", s->id));
        spdm_table_take(t, SPDM_PLAIN,
                        s->opened == 0 ? spdm_text_format("opened before the capture")
                        : s->psk       ? spdm_text_format("pre-shared key, message %llu", (unsigned long long)s->opened)
                                       : spdm_text_format("%s, message %llu", slot, (unsigned long long)s->opened));
        spdm_table_add(t, SPDM_PLAIN, s->mut_auth != 0 ? "mutual authentication" : "");
        spdm_table_take(t, SPDM_PLAIN,
                        spdm_text_format("%llu and %llu records, %llu and %llu bytes of data, %llu key update messages",
                                         (unsigned long long)s->records[0], (unsigned long long)s->records[1],
                                         (unsigned long long)s->data[0], (unsigned long long)s->data[1],
                                         (unsigned long long)s->updates));
        spdm_table_take(t, s->sealed != 0 ? SPDM_YELLOW : SPDM_PLAIN,
                        s->sealed != 0   ? spdm_text_format("%llu not opened", (unsigned long long)s->sealed)
                        : s->closed != 0 ? spdm_text_format("ended, message %llu", (unsigned long long)s->closed)
                                         : spdm_text_format("not ended"));
        free(slot);
    }
    spdm_table_print(t, screen, 2);
}

static void print_times(const struct decode_account *a, const struct spdm_screen *screen)
{
    struct spdm_table *t = spdm_table_new(4);
    uint8_t code[128];
    size_t n = decode_account_exchanges(a, code);
    if (n != 0) heading(screen, "Exchanges");
    for (size_t i = 0; i < n; i++) {
        const struct decode_exchange_account *e = &a->exchange[code[i] & 0x7f];
        spdm_table_add(t, SPDM_PLAIN, spdm_message_name(code[i]));
        spdm_table_take(t, SPDM_PLAIN, spdm_text_format("%llu", (unsigned long long)e->n));
        spdm_table_take(t, SPDM_PLAIN,
                        e->errors != 0 ? spdm_text_format("%llu ERROR", (unsigned long long)e->errors)
                                       : spdm_text_format("%s", ""));
        spdm_table_take(t, SPDM_PLAIN,
                        a->first.tv_sec == 0 ? spdm_text_format("%s", "")
                                             : spdm_text_format("%.3f ms (%.3f to %.3f)", 1e3 * e->total / (double)e->n,
                                                                1e3 * e->shortest, 1e3 * e->longest));
    }
    spdm_table_print(t, screen, 2);
}

static char *verdicts(const struct decode_verdicts *v)
{
    if (v->good + v->bad + v->unchecked == 0) return spdm_text_format("none");
    return spdm_text_format("%llu good, %llu bad, %llu unchecked", (unsigned long long)v->good,
                            (unsigned long long)v->bad, (unsigned long long)v->unchecked);
}

void decode_summary_print(const struct decode_account *a, const struct spdm_screen *screen)
{
    struct spdm_table *t = spdm_table_new(2);
    double time = (double)(a->last.tv_sec - a->first.tv_sec) + (double)(a->last.tv_nsec - a->first.tv_nsec) / 1e9;
    heading(screen, a->title);
    print_facts(a, screen);
    print_identities(a, screen);
    print_measurements(a, screen);
    print_sessions(a, screen);
    print_times(a, screen);
    heading(screen, "Verdicts");
    row(t, "signatures", verdicts(&a->signatures));
    row(t, "HMACs", verdicts(&a->hmacs));
    row(t, "records", verdicts(&a->records));
    row(t, "rules broken", spdm_text_format("%llu", (unsigned long long)a->rank[DECODE_BROKEN]));
    row(t, "errors", spdm_text_format("%llu", (unsigned long long)a->errors));
    row(t, "cost",
        spdm_text_format("%llu messages, %llu round trips, %llu bytes from the Requester, %llu from the Responder",
                         (unsigned long long)a->messages, (unsigned long long)a->round_trips,
                         (unsigned long long)a->bytes[0], (unsigned long long)a->bytes[1]));
    if (a->first.tv_sec != 0) row(t, "time", spdm_text_format("%.6f s", time));
    spdm_table_print(t, screen, 2);
}

/* ---- for programs ---- */

static void json_facts(const struct decode_account *a, struct decode_words *out)
{
    const struct spdm_facts *f = &a->facts;
    char *requester = capabilities(&f->requester), *responder = capabilities(&f->responder);
    decode_json_text(out, "version", a->negotiated ? spdm_version_name(f->version) : NULL);
    decode_json_text(out, "hash", a->negotiated ? algorithm(f->hash) : NULL);
    decode_json_text(out, "signature_algorithm", a->negotiated ? algorithm(f->signature) : NULL);
    decode_json_text(out, "measurement_hash", a->negotiated ? algorithm(f->meas_hash) : NULL);
    decode_json_text(out, "exchange", a->negotiated ? algorithm(f->exchange) : NULL);
    decode_json_text(out, "aead", a->negotiated ? algorithm(f->aead) : NULL);
    decode_json_text(out, "requester_signature", a->negotiated ? algorithm(f->req_signature) : NULL);
    decode_json_text(out, "requester_capabilities", a->negotiated ? requester : NULL);
    decode_json_text(out, "responder_capabilities", a->negotiated ? responder : NULL);
    free(requester);
    free(responder);
}

static void json_identities(const struct decode_account *a, struct decode_words *out)
{
    decode_json_open(out, "identities", '[');
    for (size_t i = 0; i < a->identity_n; i++) {
        const struct decode_identity *id = &a->identity[i];
        const struct spdm_x509 *leaf = spdm_judgement_leaf(id->chain->judgement);
        char *subject = leaf != NULL ? name_of(leaf->subject) : NULL, *reason = reason_of(id->chain);
        decode_json_open(out, NULL, '{');
        decode_json_text(out, "whose", id->requester ? "requester" : "responder");
        if (id->slot < SPDM_SLOT_N) decode_json_number(out, "slot", id->slot);
        else decode_json_text(out, "slot", NULL);
        decode_json_text(out, "subject", subject);
        decode_json_number(out, "certificates", id->chain->judgement->certificate_n);
        decode_json_text(out, "trust",
                         id->chain->judgement->verdict == SPDM_GOOD ? "trusted"
                         : id->chain->judgement->consistent         ? "not judged"
                                                                    : "not trusted");
        decode_json_text(out, "reason", reason);
        decode_put(out, "}");
        free(subject);
        free(reason);
    }
    decode_put(out, "]");
}

static void json_measurements(const struct decode_account *a, struct decode_words *out)
{
    decode_json_open(out, "measurements", '[');
    for (size_t i = 0; i < 256; i++) {
        const struct decode_measured *m = &a->measured[i];
        if (!m->there) continue;
        decode_json_open(out, NULL, '{');
        decode_json_number(out, "index", i);
        decode_json_number(out, "type", m->m.type);
        decode_json_text(out, "type_name", spdm_measurement_type_name(m->m.type));
        decode_json_text(out, "form", m->m.raw ? "raw" : "digest");
        decode_json_text(out, "proof", m->proven ? "signed" : "none");
        decode_json_hex(out, "value", m->m.value);
        decode_put(out, "}");
    }
    decode_put(out, "]");
}

static void json_sessions(const struct decode_account *a, struct decode_words *out)
{
    char id[16];
    decode_json_open(out, "sessions", '[');
    for (size_t i = 0; i < a->session_n; i++) {
        const struct decode_session_account *s = &a->session[i];
        snprintf(id, sizeof id, "%08x", s->id);
        decode_json_open(out, NULL, '{');
        decode_json_text(out, "id", id);
        decode_json_text(out, "by", s->opened == 0 ? NULL : s->psk ? "PSK_EXCHANGE" : "KEY_EXCHANGE");
        decode_json_number(out, "mutual_authentication", s->mut_auth);
        decode_json_number(out, "opened", s->opened);
        decode_json_number(out, "closed", s->closed);
        decode_json_number(out, "requester_records", s->records[0]);
        decode_json_number(out, "responder_records", s->records[1]);
        decode_json_number(out, "requester_data", s->data[0]);
        decode_json_number(out, "responder_data", s->data[1]);
        decode_json_number(out, "key_updates", s->updates);
        decode_json_number(out, "sealed", s->sealed);
        decode_json_number(out, "lost", s->lost);
        decode_put(out, "}");
    }
    decode_put(out, "]");
}

static void json_verdicts(struct decode_words *out, const char *name, const struct decode_verdicts *v)
{
    decode_json_open(out, name, '{');
    decode_json_number(out, "good", v->good);
    decode_json_number(out, "bad", v->bad);
    decode_json_number(out, "unchecked", v->unchecked);
    decode_put(out, "}");
}

static void json_exchanges(const struct decode_account *a, struct decode_words *out)
{
    uint8_t code[128];
    size_t n = decode_account_exchanges(a, code);
    decode_json_open(out, "exchanges", '[');
    for (size_t i = 0; i < n; i++) {
        const struct decode_exchange_account *e = &a->exchange[code[i] & 0x7f];
        decode_json_open(out, NULL, '{');
        decode_json_text(out, "name", spdm_message_name(code[i]));
        decode_json_number(out, "count", e->n);
        decode_json_number(out, "errors", e->errors);
        if (a->first.tv_sec == 0) decode_json_text(out, "seconds", NULL);
        else
            decode_say(out, ",\"seconds\":{\"mean\":%.9f,\"shortest\":%.9f,\"longest\":%.9f}", e->total / (double)e->n,
                       e->shortest, e->longest);
        decode_put(out, "}");
    }
    decode_put(out, "]");
}

void decode_summary_json(const struct decode_account *a, struct decode_words *out)
{
    decode_put(out, "{");
    decode_json_text(out, "format", DECODE_FORMAT);
    decode_json_text(out, "kind", "summary");
    decode_json_number(out, "connection", a->number);
    decode_json_text(out, "title", a->title);
    json_facts(a, out);
    json_identities(a, out);
    json_measurements(a, out);
    json_sessions(a, out);
    json_exchanges(a, out);
    json_verdicts(out, "signatures", &a->signatures);
    json_verdicts(out, "verify_data", &a->hmacs);
    json_verdicts(out, "records", &a->records);
    decode_json_number(out, "messages", a->messages);
    decode_json_number(out, "round_trips", a->round_trips);
    decode_json_number(out, "rules_broken", a->rank[DECODE_BROKEN]);
    decode_json_number(out, "errors", a->errors);
    decode_json_number(out, "requester_bytes", a->bytes[0]);
    decode_json_number(out, "responder_bytes", a->bytes[1]);
    decode_json_time(out, "first", a->first);
    decode_json_time(out, "last", a->last);
    decode_put(out, "}\n");
}
