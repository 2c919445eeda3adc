/* SPDX-License-Identifier: BSD-3-Clause
 *
 * info_text.c - what a device says of itself, for people.
 *
 * A section for each part, in the order in which it was asked for; a part that
 * the device does not offer has none. Everything a device sent goes through
 * spdm_text_safe(), or is a number. */
#include "info.h"
#include "measure.h"
#include "names.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_MAX = 400, LOG_SHOWN = 64 };

static void heading(const struct spdm_screen *screen, const char *text)
{
    spdm_screen_put(screen, SPDM_STRONG, text);
    fputc('\n', screen->to);
}

static void row(struct spdm_table *table, const char *label, char *value)
{
    spdm_table_add(table, SPDM_FAINT, label);
    spdm_table_take(table, SPDM_PLAIN, value);
}

/* Whether there is something to tell; what was refused is told. */
static bool begin(const struct spdm_info *info, enum spdm_info_part part, const char *title,
                  const struct spdm_screen *screen)
{
    const struct spdm_info_state *s = &info->part[part];
    if (!s->asked && !s->needs_session) return false;
    heading(screen, title);
    if (s->needs_session) fputs("  told inside a session only: --session asks for them there\n", screen->to);
    if (s->refusal != NULL) {
        fputs("  ", screen->to);
        spdm_screen_put(screen, SPDM_YELLOW, s->refusal);
        fputc('\n', screen->to);
    }
    return true;
}

static struct spdm_span bytes_of(const struct spdm_room *room)
{
    return (struct spdm_span){room->p, room->n};
}

static char *cut_hex(struct spdm_span bytes, size_t most)
{
    char *hex = spdm_text_hex((struct spdm_span){bytes.p, bytes.n < most ? bytes.n : most}, 0);
    char *out = bytes.n > most ? spdm_text_format("%s... (%zu bytes)", hex, bytes.n) : spdm_text_format("%s", hex);
    free(hex);
    return out;
}

static void print_capabilities(const struct spdm_facts *f, const struct spdm_screen *screen)
{
    const char *name;
    struct spdm_table *table = spdm_table_new(2);
    heading(screen, "Capabilities");
    for (size_t i = 0; (name = spdm_capability_name(f->responder.flags, f->responder.ext_flags, i)) != NULL; i++) {
        spdm_table_add(table, SPDM_FAINT, name);
        spdm_table_add(table, SPDM_PLAIN, spdm_info_capability(name));
    }
    spdm_table_print(table, screen, 2);
}

/* ---- slots ---- */

static char *name_of(struct spdm_span name)
{
    char text[CELL_MAX];
    spdm_x509_name_text(name, text, sizeof text);
    return spdm_text_safe_string(text);
}

/* What is wrong with the chain; nobody was named who could vouch for it: that is not. */
static void findings(const struct spdm_judgement *j, struct spdm_table *table)
{
    if (j->verdict == SPDM_GOOD) row(table, "", spdm_text_format("a trusted root vouches for it"));
    else if (j->consistent) row(table, "", spdm_text_format("every signature in it holds"));
    for (unsigned i = 0; i < j->finding_n; i++) {
        char text[CELL_MAX];
        const struct spdm_finding *f = &j->finding[i];
        if (f->id == SPDM_FOUND_NO_ANCHORS || f->severity == SPDM_NOTE) continue;
        spdm_finding_text(j, f, text, sizeof text);
        row(table, "", spdm_text_safe_string(text));
    }
}

static void print_chain(const struct spdm_info_chain *c, unsigned slot, struct spdm_table *table)
{
    const struct spdm_judgement *j = c->judgement;
    char label[16], from[40], to[40];
    snprintf(label, sizeof label, "slot %u", slot);
    if (c->chain.n == 0) row(table, label, spdm_text_format("it was not read"));
    else row(table, label, spdm_text_format("%zu bytes", c->chain.n));
    for (unsigned i = 0; j != NULL && i < j->certificate_n; i++) {
        const struct spdm_x509 *x = &j->certificate[i];
        char *subject = name_of(x->subject);
        spdm_x509_time_text(x->not_before, from, sizeof from);
        spdm_x509_time_text(x->not_after, to, sizeof to);
        row(table, "", spdm_text_format("%s; %s; %.10s to %.10s", subject, x->key_name, from, to));
        free(subject);
    }
    if (j != NULL) findings(j, table);
    if (c->digest.n != 0) row(table, "  digest", spdm_text_hex(bytes_of(&c->digest), 0));
    if (c->model != 0 || c->key_pair != 0) {
        char *usage = spdm_info_usage(c->usage);
        row(table, "  key pair", spdm_text_format("%u, %s, for %s", c->key_pair, spdm_info_model(c->model), usage));
        free(usage);
    }
}

static void print_chains(const struct spdm_info *info, const struct spdm_screen *screen)
{
    const struct spdm_facts *f = &info->connection.facts;
    if (!begin(info, SPDM_INFO_CHAINS, "Certificates", screen)) return;
    struct spdm_table *table = spdm_table_new(2);
    bool told = info->part[SPDM_INFO_CHAINS].refusal == NULL || f->provisioned_slots != 0;
    if (told && f->version >= SPDM_V13) row(table, "slots", spdm_info_slots(f->supported_slots));
    if (told) row(table, "in use", spdm_info_slots(f->provisioned_slots));
    for (unsigned slot = 0; slot < SPDM_SLOT_N; slot++)
        if (info->chain[slot].there) print_chain(&info->chain[slot], slot, table);
    spdm_table_print(table, screen, 2);
}

/* ---- measurements, log ---- */

static void measured(const struct spdm_measurement *m, struct spdm_table *table)
{
    struct spdm_value value = spdm_value_of(m);
    spdm_table_take(table, SPDM_PLAIN, spdm_text_format("%3u", m->index));
    spdm_table_add(table, SPDM_PLAIN, spdm_measurement_type_name(m->type));
    spdm_table_add(table, SPDM_FAINT, m->raw ? "raw" : "digest");
    spdm_table_take(table, SPDM_PLAIN, spdm_value_words(&value));
}

static void print_measurements(const struct spdm_info *info, const struct spdm_screen *screen)
{
    struct spdm_span rest = bytes_of(&info->record);
    struct spdm_measurement m;
    if (!begin(info, SPDM_INFO_MEASUREMENTS, "Measurements", screen)) return;
    struct spdm_table *table = spdm_table_new(4);
    while (spdm_measurement_next(&rest, &m)) measured(&m, table);
    spdm_table_print(table, screen, 2);
}

static void print_log(const struct spdm_info *info, const struct spdm_screen *screen)
{
    struct spdm_span rest;
    struct spdm_log_entry e;
    uint32_t entries;
    if (!begin(info, SPDM_INFO_LOG, "Measurement extension log", screen) || info->log.n == 0) return;
    if (!spdm_log_open(bytes_of(&info->log), &entries, &rest)) {
        fprintf(screen->to, "  %zu bytes that are no log of DMTF's format\n", info->log.n);
        return;
    }
    fprintf(screen->to, "  %" PRIu32 " %s, %zu bytes\n", entries, entries == 1 ? "entry" : "entries", info->log.n);
    struct spdm_table *table = spdm_table_new(5);
    while (spdm_log_next(&rest, &e)) {
        struct spdm_measurement m = {.type = e.type, .raw = e.raw, .value = e.value};
        struct spdm_value value = spdm_value_of(&m);
        spdm_table_take(table, SPDM_PLAIN, spdm_text_format("%3" PRIu32, e.index));
        spdm_table_take(table, SPDM_FAINT, spdm_text_format("extends %u", e.measurement));
        spdm_table_add(table, SPDM_PLAIN, spdm_measurement_type_name(e.type));
        spdm_table_add(table, SPDM_FAINT, e.raw ? "raw" : "digest");
        spdm_table_take(table, SPDM_PLAIN, spdm_value_words(&value));
    }
    spdm_table_print(table, screen, 2);
    if (rest.n != 0) fprintf(screen->to, "  %zu bytes that are no entries\n", rest.n);
}

/* ---- key pairs, endpoint ---- */

static void key_pair(const struct spdm_key_pair *k, struct spdm_table *table)
{
    char *slots = spdm_info_slots(k->slots);
    spdm_table_take(table, SPDM_PLAIN, spdm_text_format("%3u", k->id));
    spdm_table_add(table, SPDM_PLAIN, spdm_key_pair_name(k->asym, k->pqc));
    spdm_table_take(table, SPDM_PLAIN, spdm_text_format("%s%s", k->slots != 0 ? "slots " : "", slots));
    spdm_table_take(table, SPDM_PLAIN, spdm_info_usage(k->usage));
    free(slots);
}

static bool alike(const struct spdm_key_pair *a, const struct spdm_key_pair *b)
{
    return a->capabilities == b->capabilities && a->usages == b->usages && a->asyms == b->asyms && a->pqcs == b->pqcs;
}

/* What can be made of key pairs from `first` to `last`, which are alike. */
static void possibilities(const struct spdm_key_pair *first, uint8_t last, struct spdm_table *table)
{
    char *which = first->id == last ? spdm_text_format("%u", last) : spdm_text_format("%u to %u", first->id, last);
    if (first->capabilities != 0) {
        spdm_table_add(table, SPDM_FAINT, which);
        spdm_table_add(table, SPDM_FAINT, "can be changed");
        spdm_table_take(table, SPDM_PLAIN, spdm_info_abilities(first->capabilities));
    }
    spdm_table_add(table, SPDM_FAINT, first->capabilities != 0 ? "" : which);
    spdm_table_add(table, SPDM_FAINT, "can be");
    spdm_table_take(table, SPDM_PLAIN, spdm_info_key_algorithms(first->asyms, first->pqcs));
    spdm_table_add(table, SPDM_FAINT, "");
    spdm_table_add(table, SPDM_FAINT, "for");
    spdm_table_take(table, SPDM_PLAIN, spdm_info_usage(first->usages));
    free(which);
}

static void print_key_pairs(const struct spdm_info *info, const struct spdm_screen *screen)
{
    struct spdm_key_pair k, first = {.id = 0};
    uint8_t last = 0;
    if (!begin(info, SPDM_INFO_KEY_PAIRS, "Key pairs", screen)) return;
    struct spdm_table *table = spdm_table_new(4), *more = spdm_table_new(3);
    for (size_t i = 0; i < info->key_pairs.n; i++) {
        if (!spdm_key_pair_read(bytes_of(&info->key_pairs.v[i]), &k)) continue;
        key_pair(&k, table);
        if (last != 0 && !alike(&first, &k)) possibilities(&first, last, more);
        if (last == 0 || !alike(&first, &k)) first = k;
        last = k.id;
    }
    if (last != 0) possibilities(&first, last, more);
    spdm_table_print(table, screen, 2);
    spdm_table_print(more, screen, 2);
}

static void device_class(const struct spdm_device_class *c, struct spdm_table *table)
{
    const char *body = spdm_value_body_name(c->body);
    char *vendor = spdm_text_hex(c->vendor, 0);
    struct spdm_span rest = c->sub_ids, sub;
    row(table, "class of", spdm_text_format("%s%s%s", body != NULL ? body : "?", c->vendor.n != 0 ? " " : "", vendor));
    while (spdm_sub_id_next(&rest, &sub)) row(table, "", cut_hex(sub, LOG_SHOWN));
    free(vendor);
}

static void print_endpoint(const struct spdm_info *info, const struct spdm_screen *screen)
{
    const struct spdm_info_signature *s = &info->endpoint_signature;
    struct spdm_device_class c;
    struct spdm_span rest;
    uint8_t classes;
    if (!begin(info, SPDM_INFO_ENDPOINT, "Device classes", screen)) return;
    if (!spdm_device_class_open(bytes_of(&info->endpoint), &classes, &rest)) return;
    if (classes == 0) fputs("  none\n", screen->to);
    struct spdm_table *table = spdm_table_new(2);
    while (spdm_device_class_next(&rest, &c)) device_class(&c, table);
    if (s->verified && s->slot < SPDM_SLOT_N)
        row(table, "signature", spdm_text_format("by the key of slot %u; it verifies", s->slot));
    else if (s->verified) row(table, "signature", spdm_text_format("by the provisioned key; it verifies"));
    else if (s->refusal != NULL) row(table, "signature", spdm_text_format("none: %s", s->refusal));
    spdm_table_print(table, screen, 2);
}

/* ---- events ---- */

static void event_group(const struct spdm_event_group *g, struct spdm_table *table)
{
    struct spdm_span types = g->types;
    uint16_t type;
    const char *body = spdm_value_body_name(g->body);
    char *vendor = spdm_text_hex(g->vendor, 0),
         *who = spdm_text_format("%s%s%s", body != NULL ? body : "?", g->vendor.n != 0 ? " " : "", vendor);
    for (const char *label = who; spdm_event_type_next(&types, &type); label = "") {
        const char *name = spdm_info_event(g->body, type);
        row(table, label, spdm_text_format("%u%s%s", type, name != NULL ? "  " : "", name != NULL ? name : ""));
    }
    free(who);
    free(vendor);
}

static void print_events(const struct spdm_info *info, const struct spdm_screen *screen)
{
    struct spdm_span rest = bytes_of(&info->events);
    struct spdm_event_group g;
    if (!begin(info, SPDM_INFO_EVENTS, "Events", screen)) return;
    struct spdm_table *table = spdm_table_new(2);
    while (spdm_event_group_next(&rest, &g)) event_group(&g, table);
    spdm_table_print(table, screen, 2);
}

/* ---- banks ---- */

static void bank_slot(const struct spdm_bank_slot *s, struct spdm_table *table)
{
    char label[16], *usage = spdm_info_usage(s->usage), *digest = spdm_text_hex(s->digest, 0);
    char *key = s->key_pair != 0 ? spdm_text_format(", key pair %u", s->key_pair) : spdm_text_format("%s", "");
    snprintf(label, sizeof label, "  slot %u", s->slot);
    row(table, label,
        spdm_text_format("%s%s%s, %" PRIu32 " bytes, for %s", s->provisioned ? "in use" : "empty",
                         s->protected ? ", write-protected" : "", key, s->size, usage));
    if (s->provisioned) row(table, "    digest", spdm_text_format("%s", digest));
    free(usage);
    free(digest);
    free(key);
}

static void print_bank(struct spdm_span details, struct spdm_table *table)
{
    struct spdm_bank_details b;
    struct spdm_bank_slot s;
    struct spdm_span rest;
    char label[16];
    if (!spdm_bank_open(details, &b, &rest)) return;
    char *possible = spdm_info_key_algorithms(b.asyms, b.pqcs),
         *free_ones = spdm_info_key_algorithms(b.asyms_free, b.pqcs_free);
    snprintf(label, sizeof label, "bank %u", b.bank);
    row(table, label, spdm_text_format("%s%s", spdm_key_pair_name(b.asym, b.pqc), b.selected ? ", in use here" : ""));
    if (b.configurable) row(table, "  can be", spdm_text_format("%s (now: %s)", possible, free_ones));
    while (spdm_bank_slot_next(&rest, &s)) bank_slot(&s, table);
    free(possible);
    free(free_ones);
}

static void print_banks(const struct spdm_info *info, const struct spdm_screen *screen)
{
    if (!begin(info, SPDM_INFO_BANKS, "Banks of certificate slots", screen)) return;
    struct spdm_table *table = spdm_table_new(2);
    if (info->sub_codes.n != 0) row(table, "SubCodes", spdm_info_sub_codes(bytes_of(&info->sub_codes)));
    for (size_t i = 0; i < info->details.n; i++) print_bank(bytes_of(&info->details.v[i]), table);
    spdm_table_print(table, screen, 2);
}

void spdm_info_print(const struct spdm_info *info, const struct spdm_screen *screen)
{
    if (!info->connection.connected) return;
    spdm_report_print_connection(&info->connection, false, screen);
    print_capabilities(&info->connection.facts, screen);
    print_chains(info, screen);
    print_measurements(info, screen);
    print_key_pairs(info, screen);
    print_log(info, screen);
    print_endpoint(info, screen);
    print_events(info, screen);
    print_banks(info, screen);
    fputs("All this is the device's word; `spdm attest` tells what it can prove.\n", screen->to);
}
