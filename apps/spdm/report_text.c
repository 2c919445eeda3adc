/* SPDX-License-Identifier: BSD-3-Clause
 *
 * report_text.c - the report for people.
 *
 * Sections in the order in which people ask: who is it, may I believe it, what
 * was agreed, what does it run, what was checked, what did it cost, and the
 * verdict as the last line. Everything a device sent goes through
 * spdm_text_safe(). */
#include "measure.h"
#include "names.h"
#include "report.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void heading(const struct spdm_screen *screen, const char *text)
{
    spdm_screen_put(screen, SPDM_STRONG, text);
    fputc('\n', screen->to);
}

/* A row "label  value"; the value is the device's and may be NULL: then there is no row. */
static void told(struct spdm_table *table, const char *label, const char *value)
{
    if (value == NULL) return;
    spdm_table_add(table, SPDM_FAINT, label);
    spdm_table_take(table, SPDM_PLAIN, spdm_text_safe_string(value));
}

static void row(struct spdm_table *table, const char *label, char *value)
{
    spdm_table_add(table, SPDM_FAINT, label);
    spdm_table_take(table, SPDM_PLAIN, value);
}

/* ---- who ---- */

static char *product(const struct spdm_subject *d)
{
    if (d->manufacturer == NULL && d->product == NULL) return NULL;
    return spdm_text_format("%s %s", d->manufacturer != NULL ? d->manufacturer : "",
                            d->product != NULL ? d->product : "");
}

static void print_device(const struct spdm_attestation *a, const struct spdm_screen *screen)
{
    const struct spdm_subject *d = a->device;
    struct spdm_table *table = spdm_table_new(2);
    heading(screen, "Device");
    told(table, "target", a->result->target.text);
    if (a->result->source == SPDM_CHAIN_KEY) told(table, "identity", "the provisioned public key");
    if (a->result->source == SPDM_CHAIN_PSK) told(table, "identity", "the pre-shared key");
    told(table, "subject", d->subject);
    char *what = product(d);
    told(table, "product", what);
    free(what);
    told(table, "serial number", d->number);
    if (d->serial != NULL) row(table, "certificate", spdm_text_format("serial %s", d->serial));
    told(table, "model", d->model);
    for (size_t i = 0; i < d->oid_n; i++) told(table, i == 0 ? "OIDs" : "", d->oids[i]);
    spdm_table_print(table, screen, 2);
}

/* ---- may I believe it ---- */

const char *spdm_chain_source_name(enum spdm_chain_source source)
{
    static const char *const names[] = {"none", "fetched", "known", "remembered", "public key", "pre-shared key"};
    return names[source];
}

static void print_certificates(const struct spdm_subject *d, const struct spdm_screen *screen)
{
    struct spdm_table *table = spdm_table_new(4);
    for (size_t i = 0; i < d->certificate_n; i++) {
        const struct spdm_subject_certificate *c = &d->certificates[i];
        spdm_table_take(table, SPDM_PLAIN, spdm_text_safe_string(c->subject));
        spdm_table_take(table, SPDM_PLAIN, spdm_text_safe_string(c->key));
        char *from = spdm_text_safe_string(c->not_before), *to = spdm_text_safe_string(c->not_after);
        /* the day is enough for people */
        spdm_table_take(table, SPDM_FAINT, spdm_text_format("%.10s to %.10s", from, to));
        spdm_table_add(table, SPDM_PLAIN, "");
        free(from);
        free(to);
    }
    spdm_table_print(table, screen, 4);
}

static void print_chain(const struct spdm_attestation *a, const struct spdm_screen *screen)
{
    const struct spdm_attest_result *r = a->result;
    const struct spdm_subject *d = a->device;
    struct spdm_table *table = spdm_table_new(2);
    if (!d->judged) {
        free(table);
        return;
    }
    heading(screen, "Certificate chain");
    spdm_table_add(table, SPDM_FAINT, "verdict");
    spdm_table_add(table, d->trusted ? SPDM_GREEN : SPDM_RED, d->trusted ? "trusted" : "not trusted");
    told(table, "leads to", d->anchor);
    for (size_t i = 0; i < d->reason_n; i++) told(table, d->trusted ? "refused" : "reason", d->reasons[i]);
    for (size_t i = 0; i < d->note_n; i++) told(table, "note", d->notes[i]);
    if (r->source != SPDM_CHAIN_NONE)
        row(table, "slot",
            spdm_text_format("%u, %s, %zu bytes", r->facts.slot, spdm_chain_source_name(r->source), d->chain.n));
    if (r->fell_back) told(table, "note", "it is not the chain that this target had last time");
    spdm_table_print(table, screen, 2);
    print_certificates(d, screen);
}

/* ---- what was agreed ---- */

static char *capability_list(const struct spdm_endpoint_facts *e)
{
    char *out = spdm_text_format("%s", "");
    const char *name;
    for (size_t i = 0; (name = spdm_capability_name(e->flags, e->ext_flags, i)) != NULL; i++) {
        char *longer = spdm_text_format("%s%s%s", out, i == 0 ? "" : " ", name);
        free(out);
        out = longer;
    }
    if (out[0] != '\0') return out;
    free(out);
    return spdm_text_format("none");
}

static char *version_words(const struct spdm_facts *f)
{
    char offered[40] = "";
    size_t at = 0;
    for (unsigned minor = 0; minor < 5; minor++)
        if ((f->peer_versions >> minor & 1) != 0)
            at += (size_t)snprintf(offered + at, sizeof offered - at, " 1.%u", minor);
    return spdm_text_format("%s (offered:%s)", spdm_version_name(f->version), offered);
}

static void algorithm_row(struct spdm_table *table, const char *label, uint8_t id)
{
    if (id != SPDM_ALG_NONE)
        told(table, label, id == SPDM_RAW_ONLY ? "raw bit streams only" : spdm_algorithm_name((enum spdm_alg)id));
}

void spdm_report_print_connection(const struct spdm_attest_result *r, bool list, const struct spdm_screen *screen)
{
    const struct spdm_facts *f = &r->facts;
    if (!r->connected) return;
    struct spdm_table *table = spdm_table_new(2);
    heading(screen, "Connection");
    row(table, "SPDM version", version_words(f));
    if (list) row(table, "capabilities", capability_list(&f->responder));
    algorithm_row(table, "hash", f->hash);
    algorithm_row(table, "signature", f->signature);
    algorithm_row(table, "measurement hash", f->meas_hash);
    algorithm_row(table, "key exchange", f->exchange);
    algorithm_row(table, "AEAD", f->aead);
    if (f->responder.data_transfer_size != 0)
        row(table, "message size",
            spdm_text_format("%" PRIu32 " a transfer, %" PRIu32 " in all", f->responder.data_transfer_size,
                             f->responder.max_message_size));
    if (f->multi_key_rsp) told(table, "keys", "one for each slot");
    if (f->little_endian) told(table, "note", "the signature came in reversed byte order");
    if (r->restarts != 0) row(table, "restarts", spdm_text_format("%u", r->restarts));
    spdm_table_print(table, screen, 2);
}

static char *protection(const struct spdm_attest_result *r)
{
    return spdm_text_format("%s, %s", r->session.facts.mac_only ? "authenticated, not encrypted" : "encrypted",
                            spdm_algorithm_name((enum spdm_alg)r->facts.aead));
}

static void print_session(const struct spdm_attest_result *r, const struct spdm_screen *screen)
{
    const struct spdm_session_facts *s = &r->session.facts;
    if (!r->session.opened) return;
    struct spdm_table *table = spdm_table_new(2);
    heading(screen, "Session");
    row(table, "opened with",
        spdm_text_format("%s", s->psk ? "a pre-shared key" : spdm_algorithm_name((enum spdm_alg)r->facts.exchange)));
    row(table, "messages", protection(r));
    row(table, "secured messages",
        spdm_text_format("%u.%u", (unsigned)s->secured_version >> 12, s->secured_version >> 8 & 15u));
    told(table, "handshake", s->in_the_clear ? "in the clear" : "in records");
    if (s->heartbeat != 0) row(table, "heartbeat", spdm_text_format("every %u s", s->heartbeat));
    else told(table, "heartbeat", "none");
    if (!s->psk) told(table, "who we are", s->mut_auth != 0 ? "proven to the device" : "not asked for");
    spdm_table_print(table, screen, 2);
}

/* ---- what does it run ---- */

static enum spdm_style match_style(enum spdm_match match)
{
    if (match == SPDM_MATCH_SAME) return SPDM_GREEN;
    return match == SPDM_MATCH_NOT_DONE || match == SPDM_MATCH_ALLOWED ? SPDM_FAINT : SPDM_RED;
}

static void measurement_row(const struct spdm_attestation *a, const struct spdm_measured *measured,
                            struct spdm_table *table)
{
    const struct spdm_measurement *m = &measured->m;
    struct spdm_value value = spdm_value_of(m);
    spdm_table_take(table, SPDM_PLAIN, spdm_text_format("%3u", m->index));
    spdm_table_add(table, SPDM_PLAIN, spdm_measurement_type_name(m->type));
    spdm_table_add(table, SPDM_FAINT, m->raw ? "raw" : "digest");
    spdm_table_add(table, measured->proven ? SPDM_FAINT : SPDM_YELLOW, measured->proven ? "" : "not proven");
    enum spdm_match match = a->comparison != NULL ? a->comparison->at[m->index].match : SPDM_MATCH_NOT_DONE;
    bool compared = a->comparison != NULL && a->comparison->done;
    spdm_table_add(table, match_style(match), compared ? spdm_match_name(match) : "");
    spdm_table_take(table, SPDM_PLAIN, spdm_value_words(&value));
}

/* What the reference expected instead, under the measurement. */
static void expected_rows(const struct spdm_reference_finding *f, struct spdm_table *table)
{
    const struct {
        const char *label, *text;
    } rows[] = {{"expected", f->expected}, {"because", f->why}};
    for (size_t i = 0; i < 2; i++) {
        if (rows[i].text == NULL) continue;
        for (int c = 0; c < 4; c++) spdm_table_add(table, SPDM_PLAIN, "");
        spdm_table_add(table, SPDM_FAINT, rows[i].label);
        spdm_table_take(table, SPDM_PLAIN, spdm_text_safe_string(rows[i].text));
    }
}

static void missing_rows(const struct spdm_comparison *c, struct spdm_table *table)
{
    for (unsigned index = 1; index < 255; index++) {
        if (c->at[index].match != SPDM_MATCH_MISSING) continue;
        spdm_table_take(table, SPDM_PLAIN, spdm_text_format("%3u", index));
        for (int k = 0; k < 3; k++) spdm_table_add(table, SPDM_PLAIN, "");
        spdm_table_add(table, SPDM_RED, spdm_match_name(SPDM_MATCH_MISSING));
        spdm_table_take(table, SPDM_PLAIN, spdm_text_safe_string(c->at[index].expected));
    }
}

static void print_measurements(const struct spdm_attestation *a, const struct spdm_screen *screen)
{
    const struct spdm_attest_result *r = a->result;
    bool counted = r->planned && r->end == SPDM_ATTEST_DONE && (r->goal.want & SPDM_WANT_MEASUREMENTS) != 0 &&
                   r->goal.measure == SPDM_MEASURE_COUNT;
    bool compared = a->comparison != NULL && a->comparison->done;
    if (r->measured_n == 0 && !counted && !compared) return;
    heading(screen, "Measurements");
    if (counted) {
        fprintf(screen->to, "  the device has %u\n", r->facts.measurement_n);
        return;
    }
    struct spdm_table *table = spdm_table_new(6);
    for (size_t i = 0; i < r->measured_n; i++) {
        measurement_row(a, &r->measured[i], table);
        if (compared) expected_rows(&a->comparison->at[r->measured[i].m.index], table);
    }
    if (compared) missing_rows(a->comparison, table);
    spdm_table_print(table, screen, 2);
    static const char *const changed[] = {NULL, "they changed since the device began to measure",
                                          "they did not change since the device began to measure", NULL};
    const char *note = changed[r->facts.content_changed & 3];
    if (note != NULL && r->facts.measured_signed) fprintf(screen->to, "  %s\n", note);
}

/* ---- what was checked, what did it cost ---- */

static enum spdm_style check_style(enum spdm_check_state state)
{
    return state == SPDM_CHECK_PASSED ? SPDM_GREEN : state == SPDM_CHECK_FAILED ? SPDM_RED : SPDM_FAINT;
}

static void print_checks(const struct spdm_attestation *a, const struct spdm_screen *screen)
{
    struct spdm_table *table = spdm_table_new(3);
    if (!a->result->reached) { /* the verdict says it all */
        free(table);
        return;
    }
    heading(screen, "Checks");
    for (unsigned i = 0; i < SPDM_CHECK_N; i++) {
        const struct spdm_check *check = &a->verdict.checks[i];
        if (i == SPDM_CHECK_SUMMARY && check->state == SPDM_CHECK_NOT_DONE && a->result->goal.summary == 0) continue;
        if (i == SPDM_CHECK_SESSION && a->result->session.mode == SPDM_NO_SESSION) continue;
        spdm_table_add(table, SPDM_PLAIN, spdm_check_title((enum spdm_check_id)i));
        spdm_table_add(table, check_style(check->state), spdm_check_state_name(check->state));
        spdm_table_add(table, SPDM_PLAIN, check->detail);
    }
    spdm_table_print(table, screen, 2);
}

static void print_cost(const struct spdm_attest_result *r, const struct spdm_screen *screen)
{
    unsigned messages = r->sent + r->received;
    if (messages == 0) return;
    heading(screen, "Cost");
    fprintf(screen->to, "  %u message%s, %" PRIu64 " bytes, %" PRIu64 ".%" PRIu64 " ms\n", messages,
            messages == 1 ? "" : "s", r->sent_bytes + r->received_bytes, r->time_us / 1000, r->time_us / 100 % 10);
}

static void print_verdict(const struct spdm_attest_verdict *v, const struct spdm_screen *screen)
{
    spdm_screen_put(screen, SPDM_STRONG, "Verdict: ");
    spdm_screen_put(screen, v->kind == SPDM_TRUSTED ? SPDM_GREEN : SPDM_RED, spdm_verdict_name(v->kind));
    if (v->reason != NULL) fprintf(screen->to, " - %s", v->reason);
    fputc('\n', screen->to);
}

void spdm_report_print(const struct spdm_attestation *a, const struct spdm_screen *screen)
{
    print_device(a, screen);
    print_chain(a, screen);
    spdm_report_print_connection(a->result, true, screen);
    print_session(a->result, screen);
    print_measurements(a, screen);
    print_checks(a, screen);
    print_cost(a->result, screen);
    print_verdict(&a->verdict, screen);
}

struct spdm_report_line spdm_report_line(const struct spdm_attestation *a)
{
    const char *name = a->device->number != NULL ? a->device->number : a->device->subject;
    return (struct spdm_report_line){.kind = a->verdict.kind,
                                     .target = spdm_text_safe_string(a->result->target.text),
                                     .device = spdm_text_safe_string(name),
                                     .reason =
                                         spdm_text_format("%s", a->verdict.reason != NULL ? a->verdict.reason : "")};
}

void spdm_report_row(struct spdm_report_line *line, struct spdm_table *table)
{
    spdm_table_take(table, SPDM_PLAIN, line->target);
    spdm_table_add(table, line->kind == SPDM_TRUSTED ? SPDM_GREEN : SPDM_RED, spdm_verdict_name(line->kind));
    spdm_table_take(table, SPDM_PLAIN, line->device);
    spdm_table_take(table, SPDM_PLAIN, line->reason);
}
