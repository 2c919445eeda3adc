/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Errands: words of the requester's steps and what came of them; what our
 * device says, and how it changes when it is told to. */
#include "interop/driver.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- requester: words ---- */

enum { FIELDS = 8 };

/* The numbers of "name:1:0x10:..."; missing ones are 0. */
static void numbers(const char *text, unsigned long out[FIELDS])
{
    for (unsigned i = 0; i < FIELDS; i++) out[i] = 0;
    for (unsigned i = 0; i < FIELDS && (text = strchr(text, ':')) != NULL; i++) out[i] = strtoul(++text, NULL, 0);
}

static bool is(const char *word, const char *name)
{
    size_t n = strlen(name);

    return strncmp(word, name, n) == 0 && (word[n] == ':' || word[n] == '\0');
}

static void read_store(struct driver *d, const struct spdm_facts *facts, const char *word, union spdm_order *order)
{
    const char *file = strrchr(word, ':');
    unsigned long n[FIELDS];

    numbers(word, n);
    if (file == NULL) driver_die("store:SLOT:KEYPAIR:MODEL:FILE");
    order->store =
        (struct spdm_store_order){.slot = (uint8_t)n[0],
                                  .key_pair = (uint8_t)n[1],
                                  .model = (uint8_t)n[2],
                                  .chain = driver_structure(d, (enum spdm_alg)facts->hash, driver_file(file + 1))};
}

bool driver_errand(struct driver *d, const struct spdm_facts *facts, const char *word, struct spdm_goal *goal)
{
    static union spdm_order order;
    unsigned long n[FIELDS];

    numbers(word, n);
    memset(&order, 0, sizeof order);
    goal->order = &order;
    if (is(word, "key-pairs")) {
        goal->errand = &spdm_errand_key_pair_info;
        order.key_pair = (struct spdm_key_pair_order){.id = 1, .all = true};
    } else if (is(word, "key-pair")) {
        goal->errand = &spdm_errand_key_pair_info;
        order.key_pair.id = (uint8_t)n[0];
    } else if (is(word, "set-key-pair")) {
        goal->errand = &spdm_errand_set_key_pair;
        order.key_pair_change = (struct spdm_key_pair_change){.operation = (uint8_t)n[0],
                                                              .id = (uint8_t)n[1],
                                                              .slots = (uint8_t)n[2],
                                                              .usage = (uint16_t)n[3],
                                                              .asym = (uint32_t)n[4],
                                                              .pqc = (uint32_t)n[5]};
    } else if (is(word, "csr")) {
        goal->errand = &spdm_errand_csr;
        order.csr = (struct spdm_csr_order){.key_pair = (uint8_t)n[0], .model = (uint8_t)n[1], .tag = (uint8_t)n[2]};
    } else if (is(word, "store")) {
        goal->errand = &spdm_errand_store;
        read_store(d, facts, word, &order);
    } else if (is(word, "erase")) {
        goal->errand = &spdm_errand_store;
        order.store = (struct spdm_store_order){.slot = (uint8_t)n[0], .key_pair = (uint8_t)n[1], .erase = true};
    } else if (is(word, "log")) {
        goal->errand = &spdm_errand_log;
        order.log = (struct spdm_log_order){.offset = (uint32_t)n[0], .length = (uint32_t)n[1]};
    } else if (is(word, "endpoint") || is(word, "endpoint-signed")) {
        goal->errand = &spdm_errand_endpoint;
        order.endpoint =
            (struct spdm_endpoint_order){.sub_code = SPDM_ENDPOINT_DEVICE_CLASS, .sign = is(word, "endpoint-signed")};
    } else {
        return false;
    }
    goal->want |= SPDM_WANT_ERRAND;
    return true;
}

/* The entries of a log that came whole. */
static void tell_log(struct spdm_span log)
{
    struct spdm_log_entry e;
    struct spdm_span rest;
    uint32_t n;

    if (!spdm_log_open(log, &n, &rest)) return;
    driver_say("log entries=%u", n);
    while (spdm_log_next(&rest, &e))
        driver_say("entry index=%u measurement=%u type=%s raw=%u bytes=%zu", e.index, e.measurement,
                   spdm_measurement_type_name(e.type), e.raw, e.value.n);
}

void driver_tell_reply(const struct spdm_goal *goal, const struct spdm_event *event)
{
    struct spdm_key_pair k;

    if (goal->errand == &spdm_errand_key_pair_info && spdm_key_pair_read(event->data, &k)) {
        driver_say("key-pair id=%u total=%u slots=%02x capabilities=%02x usage=%04x/%04x algorithm=%s info=%zu", k.id,
                   k.total, k.slots, k.capabilities, k.usage, k.usages, spdm_key_pair_name(k.asym, k.pqc),
                   k.public_key_info.n);
        return;
    }
    if (goal->errand == &spdm_errand_log) tell_log(event->data);
    driver_say("replied bytes=%zu proven=%u", event->data.n, event->proven);
    driver_tell_bytes("reply", event->data);
}

/* ---- responder: a device that does as it is told ---- */

static const uint8_t rsa_info[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                   0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

/* One informational entry, "boot"; DMTF's class 123456. */
static const uint8_t log_bytes[] = {1, 0, 0, 0, 15, 0, 0, 0, 0,    0, 0, 0,   0,   0,   0,  0,
                                    1, 0, 0, 0, 3,  0, 0, 0, 0x89, 4, 0, 'b', 'o', 'o', 't'};
static uint8_t endpoint_info[] = {1, 0, 0, 0, 7, 0, 0, 1, 3, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc};

/* DMTF's four. */
static const uint8_t event_types[] = {0, 0, 4, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0};

/* Key pair 1 has an algorithm that no slot's certificates have; 2 belongs to the slots that have some. */
void driver_make_device(struct driver *d)
{
    enum { ALL = 0x3f };
    struct spdm_key_pair *k = d->key_pair;

    d->identity = d->device->identity;
    k[0] = (struct spdm_key_pair){
        .slots = 3, .capabilities = ALL, .usages = 0xf, .usage = 1, .asyms = 0x1ff, .asym = 1, .pqcs = 7};
    k[0].public_key_info = (struct spdm_span){rsa_info, sizeof rsa_info};
    k[1] = (struct spdm_key_pair){.capabilities = ALL, .usages = 0xf, .usage = 0xf, .asyms = 0x1ff, .pqcs = 7};
    k[1].public_key_info = k[0].public_key_info;
    for (unsigned slot = 0; slot < SPDM_SLOT_N; slot++) {
        const struct spdm_slot *s = &d->identity.slot[slot];

        if (s->certificates.n == 0) continue;
        k[1].slots = (uint8_t)(k[1].slots | 1u << slot);
        k[1].asym = spdm_key_pair_bit((enum spdm_alg)s->signs[0]);
    }
    if (d->set->key_pairs) {
        d->identity.key_pair = k;
        d->identity.key_pair_n = 2;
    }
    d->config.identity = &d->identity;
}

static void change_key_pair(struct driver *d, const struct spdm_key_pair_change *q)
{
    struct spdm_key_pair *k = &d->key_pair[q->id - 1];

    driver_say("key-pair %s id=%u slots=%02x",
               q->operation == SPDM_KEY_PAIR_CHANGE     ? "changed"
               : q->operation == SPDM_KEY_PAIR_DO_ERASE ? "erased"
                                                        : "generated",
               q->id, q->slots);
    if (q->operation == SPDM_KEY_PAIR_DO_ERASE) {
        k->asym = k->pqc = 0;
        k->public_key_info.n = 0;
        return;
    }
    k->slots = q->slots;
    if (q->usage != 0) k->usage = q->usage;
    if ((q->asym | q->pqc) != 0) k->asym = q->asym, k->pqc = q->pqc;
}

/* The n-th: measurements 1 and 3 changed, the certificates of slot 1, something of the vendor's; two in one message
 * the second time. */
struct spdm_span driver_news(unsigned n)
{
    static uint8_t bytes[256];
    static const uint8_t measured[32] = {0x0a}, slots[1] = {0x02}, pci[] = {0x86, 0x80}, own[] = {0xca, 0xfe};
    const struct spdm_notice notices[] = {
        {.type = SPDM_EVENT_MEASUREMENT_CHANGED, .detail = {measured, sizeof measured}},
        {.instance = 1, .type = SPDM_EVENT_CERTIFICATE_CHANGED, .detail = {slots, sizeof slots}},
        {.instance = 2, .body = 3, .type = 7, .vendor = {pci, sizeof pci}, .detail = {own, sizeof own}}};
    size_t at = 0;

    if (n > 1) return (struct spdm_span){NULL, 0};
    for (unsigned i = n; i <= 2 * n; i++)
        at += spdm_notice_put((struct spdm_room){bytes + at, sizeof bytes - at}, &notices[i]);
    return (struct spdm_span){bytes, at};
}

void driver_reset_device(struct driver *d)
{
    struct spdm_slot *slot = &d->identity.slot[d->stored.slot];
    size_t head = d->stored.n == 0 ? 0 : 4u + (size_t)spdm_algorithm(SPDM_SHA_384)->size;

    if (!d->stored.due) return;
    d->stored.due = false;
    slot->certificates = (struct spdm_span){d->stored.bytes + head, d->stored.n - head};
    slot->root = slot->certificates;
    slot->model = d->stored.model;
    if (slot->signs == NULL) slot->signs = d->identity.slot[0].signs;
    if (d->stored.n != 0) slot->root.n = 4u + ((size_t)slot->root.p[2] << 8 | slot->root.p[3]);
    d->identity.supported = (uint8_t)(d->identity.supported | 1u << d->stored.slot);
    driver_say("slot %u is in use with %zu bytes", d->stored.slot, slot->certificates.n);
}

/* With SHA_384 as the base hash. */
static void store(struct driver *d, const struct spdm_event *event, struct spdm_answer *answer)
{
    const struct spdm_store_order *o = &event->order->store;

    driver_say("store slot=%u key-pair=%u model=%u erase=%u bytes=%zu session=%08x", o->slot, o->key_pair, o->model,
               o->erase, o->chain.n, event->session);
    if (!d->set->keeps || o->chain.n > sizeof d->stored.bytes) return;
    if (o->chain.n != 0) memcpy(d->stored.bytes, o->chain.p, o->chain.n);
    d->stored.n = o->chain.n;
    d->stored.slot = o->slot;
    d->stored.model = o->model;
    d->stored.due = true;
    if (!d->set->reset) driver_reset_device(d);
    else *answer = (struct spdm_answer){.ticket = answer->ticket, .error = SPDM_ERROR_RESET_REQUIRED};
}

static void make_csr(struct driver *d, const struct spdm_csr_order *o, struct spdm_answer *answer)
{
    enum { TAG = 3 };
    static struct spdm_span csr;

    driver_say("csr wanted key-pair=%u model=%u tag=%u info=%zu", o->key_pair, o->model, o->tag, o->info.n);
    if (d->set->csr != NULL && csr.n == 0) csr = driver_file(d->set->csr);
    answer->data = csr;
    answer->yes = answer->data.n != 0;
    if (!d->set->reset || o->tag == TAG) return;
    *answer = (struct spdm_answer){.ticket = answer->ticket, .error = SPDM_ERROR_RESET_REQUIRED, .error_data = TAG};
}

void driver_serve_errand(struct driver *d, const struct spdm_event *event, struct spdm_answer *answer)
{
    const union spdm_order *o = event->order;

    answer->yes = true;
    switch (event->kind) {
    case SPDM_ASK_KEY_PAIR: change_key_pair(d, &o->key_pair_change); break;
    case SPDM_ASK_CSR: make_csr(d, &o->csr, answer); break;
    case SPDM_ASK_STORE: store(d, event, answer); break;
    case SPDM_ASK_LOG: answer->data = (struct spdm_span){log_bytes, sizeof log_bytes}; break;
    case SPDM_ASK_ENDPOINT:
        driver_say("endpoint wanted signed=%u", o->endpoint.sign);
        endpoint_info[4] = 7 + d->set->endpoint_more;
        endpoint_info[8] = 3 + d->set->endpoint_more;
        answer->data = (struct spdm_span){endpoint_info, sizeof endpoint_info - 3 + d->set->endpoint_more};
        break;
    case SPDM_ASK_EVENT_TYPES: answer->data = (struct spdm_span){event_types, sizeof event_types}; break;
    case SPDM_ASK_SUBSCRIBE:
        driver_say("subscribed bytes=%zu", o->list.list.n);
        d->subscribed = o->list.list.n != 0;
        break;
    default: answer->yes = false;
    }
    if (d->set->errand_error == 0) return;
    answer->error = d->set->errand_error;
    answer->yes = false;
}
