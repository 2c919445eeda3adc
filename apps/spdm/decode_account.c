/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_account.c - counts. */
#include "decode_account.h"
#include <stdlib.h>
#include <string.h>

enum { KEY_EXCHANGE = 0xe4, PSK_EXCHANGE = 0xe6, KEY_EXCHANGE_RSP = 0x64, PSK_EXCHANGE_RSP = 0x66 };
enum { ALGORITHMS = 0x63, GET_VERSION = 0x84, ERROR = 0x7f, KEY_UPDATE_ACK = 0x69 };

struct decode_account *decode_account_open(const char *title, uint64_t number)
{
    struct decode_account *a = spdm_text_need(calloc(1, sizeof *a));
    a->title = spdm_text_need(strdup(title));
    a->number = number;
    return a;
}

/* Of our own making, and shown to others as const. */
static void discard(const uint8_t *bytes)
{
    void *ours;
    memcpy(&ours, &bytes, sizeof ours);
    free(ours);
}

void decode_account_close(struct decode_account *a)
{
    for (size_t i = 0; i < 256; i++) discard(a->measured[i].m.value.p);
    free(a->identity);
    free(a->session);
    free(a->title);
    free(a);
}

void decode_account_identity(struct decode_account *a, bool requester, uint8_t slot, const struct decode_chain *chain)
{
    for (size_t i = 0; i < a->identity_n; i++) {
        if (a->identity[i].requester != requester || a->identity[i].slot != slot) continue;
        a->identity[i].chain = chain;
        return;
    }
    a->identity = spdm_text_need(realloc(a->identity, (a->identity_n + 1) * sizeof *a->identity));
    a->identity[a->identity_n++] = (struct decode_identity){requester, slot, chain};
}

void decode_account_record(struct decode_account *a, struct spdm_span record, bool proven)
{
    struct spdm_measurement m;
    while (spdm_measurement_next(&record, &m)) {
        struct decode_measured *at = &a->measured[m.index];
        uint8_t *value = spdm_text_need(malloc(m.value.n + 1));
        if (m.value.n != 0) memcpy(value, m.value.p, m.value.n);
        discard(at->m.value.p);
        *at = (struct decode_measured){.there = true, .proven = proven, .m = m};
        at->m.value.p = value;
    }
}

/* ---- sessions ---- */

/* The live session with this id; ids come again. */
static struct decode_session_account *live(struct decode_account *a, uint32_t id)
{
    for (size_t i = a->session_n; id != 0 && i-- > 0;)
        if (a->session[i].id == id && !a->session[i].over) return &a->session[i];
    return NULL;
}

static struct decode_session_account *begin(struct decode_account *a, uint32_t id)
{
    struct decode_session_account *s = live(a, id);
    if (s != NULL) s->over = true;
    a->session = spdm_text_need(realloc(a->session, (a->session_n + 1) * sizeof *a->session));
    s = &a->session[a->session_n++];
    *s = (struct decode_session_account){.id = id};
    return s;
}

static uint8_t number_in(const struct decode_message *m, const char *name)
{
    const struct spdm_field *f = decode_field(m, name);
    return f != NULL ? (uint8_t)f->value : 0;
}

static void opened(struct decode_account *a, const struct decode_message *m, const struct spdm_facts *facts)
{
    struct decode_session_account *s = begin(a, m->sight->opened);
    s->psk = m->sight->code == PSK_EXCHANGE_RSP;
    s->slot = facts->slot;
    s->opened = m->number;
    s->heartbeat = number_in(m, "HeartbeatPeriod");
    s->mut_auth = number_in(m, "MutAuthRequested");
}

static void in_session(struct decode_account *a, const struct decode_message *m)
{
    const struct spdm_sight *s = m->sight;
    struct decode_session_account *at = live(a, s->session);
    if (s->session == 0 || s->enveloped || s->reassembled) return;
    if (at == NULL) at = begin(a, s->session);
    at->records[s->from_requester ? 0 : 1]++;
    at->lost += s->lost;
    if (s->kind == SPDM_SIGHT_SEALED) at->sealed++;
    if (s->kind == SPDM_SIGHT_DATA) at->data[s->from_requester ? 0 : 1] += s->message.n;
    if (s->code == KEY_UPDATE_ACK && s->kind == SPDM_SIGHT_MESSAGE) at->updates++;
}

/* ---- exchanges ---- */

static double between(struct timespec from, struct timespec to)
{
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

static void answered(struct decode_account *a, const struct decode_message *m)
{
    struct decode_exchange_account *e = &a->exchange[a->asked & 0x7f];
    double time = between(a->asked_at, m->time);
    if (e->n == 0) e->first = m->number;
    if (e->n == 0 || time < e->shortest) e->shortest = time;
    if (e->n == 0 || time > e->longest) e->longest = time;
    e->total += time;
    e->n++;
    if (m->sight->code == ERROR) e->errors++;
    a->round_trips++;
    a->asked = 0;
}

size_t decode_account_exchanges(const struct decode_account *a, uint8_t code[128])
{
    size_t n = 0;
    for (unsigned i = 0; i < 128; i++) {
        size_t at = n;
        if (a->exchange[i].n == 0) continue;
        for (; at > 0 && a->exchange[code[at - 1] & 0x7f].first > a->exchange[i].first; at--) code[at] = code[at - 1];
        code[at] = (uint8_t)(i | 0x80);
        n++;
    }
    return n;
}

/* ResponseNotReady and Busy put an answer off. */
static bool puts_off(const struct decode_message *m)
{
    const struct spdm_field *code = m->sight->code == ERROR ? decode_field(m, "ErrorCode") : NULL;
    return code != NULL && (code->value == 0x42 || code->value == 0x03);
}

static void exchange(struct decode_account *a, const struct decode_message *m)
{
    const struct spdm_sight *s = m->sight;
    if (s->kind != SPDM_SIGHT_MESSAGE || s->enveloped || s->reassembled) return;
    if (s->code == ERROR) a->errors++;
    if (s->code >= 0x80) {
        if (a->asked == 0 || s->code != 0xff) a->asked_at = m->time;
        if (s->code != 0xff) a->asked = s->code;
    } else if (a->asked != 0 && !puts_off(m)) {
        answered(a, m);
    }
}

static void count(struct decode_verdicts *v, enum spdm_signature_state state)
{
    if (state == SPDM_SIGNATURE_GOOD) v->good++;
    if (state == SPDM_SIGNATURE_BAD) v->bad++;
    if (state == SPDM_SIGNATURE_UNCHECKED) v->unchecked++;
}

void decode_account_message(struct decode_account *a, const struct decode_message *m, const struct spdm_facts *facts)
{
    const struct spdm_sight *s = m->sight;
    if (a->messages++ == 0) a->first = m->time;
    a->last = m->time;
    a->rank[m->rank]++;
    if (!s->enveloped && !s->reassembled) a->bytes[s->from_requester ? 0 : 1] += m->frame.n;
    count(&a->signatures, s->signature);
    count(&a->hmacs, s->verify_data);
    if (!s->enveloped && !s->reassembled) count(&a->records, s->record);
    if (s->kind == SPDM_SIGHT_MESSAGE && s->code == ALGORITHMS && !s->enveloped) {
        a->negotiated = true;
        a->facts = *facts;
    }
    if (s->opened != 0) opened(a, m, facts);
    in_session(a, m);
    exchange(a, m);
    if (s->closed != 0 && live(a, s->closed) != NULL) {
        live(a, s->closed)->closed = m->number;
        live(a, s->closed)->over = true;
    }
}
