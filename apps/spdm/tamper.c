/* SPDX-License-Identifier: BSD-3-Clause
 *
 * tamper.c - how the rules of --tamper are applied to what is sent.
 *
 * A frame in the open is copied and changed there. What goes into a record is
 * changed where it lies and put back when the record has been made, so that
 * transcripts and repetitions have what the engine wrote.
 *
 * Of a message that goes in chunks what has been sent is kept, with zeros for
 * the rest: where a field begins depends only on what lies before it, so a
 * walker finds every field that begins in what has been sent. */
#include "tamper.h"

#include <assay/dump.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { FRAME_ROOM = 70000, REQUEST_KEPT = 512, LARGE_MAX = 16 << 20 };
enum { CHUNK_SEND_ACK = 0x05, CHUNK_RESPONSE = 0x06, CHUNK_SEND = 0x85, CHUNK_GET = 0x86 };

/* A frame that was sent, or one that is held back. */
struct kept {
    uint8_t *p;
    size_t n;
};

/* A large message that goes in chunks. */
struct large {
    uint8_t *p;
    size_t n, start, end; /* in all; of the last chunk */
    uint32_t sequence;
};

struct spdm_tamper {
    const struct spdm_tamper_plan *plan;
    const struct spdm_binding *binding;
    const char *who;
    uint8_t request[REQUEST_KEPT];
    size_t request_n;
    uint8_t *undo_at, *undo; /* the message in a record, as the engine wrote it */
    size_t undo_n;
    uint8_t inside[2]; /* the head of what the next record holds; no message: 0 */
    struct large ours, theirs;
    uint8_t *frame;                        /* to send */
    struct kept last, held;                /* sent last; held back by reorder */
    struct kept record;                    /* the last record */
    struct kept before[SPDM_TAMPER_RULES]; /* by rule: the last message that it speaks of */
    struct kept out;                       /* what the link reads while it sends */
};

/* ---- one connection ---- */

struct spdm_tamper *spdm_tamper_open(const struct spdm_tamper_plan *plan, const struct spdm_binding *binding,
                                     const char *who)
{
    struct spdm_tamper *t = plan != NULL && plan->n != 0 ? calloc(1, sizeof *t + 2 * FRAME_ROOM) : NULL;
    if (t == NULL) return NULL;
    t->plan = plan;
    t->binding = binding;
    t->who = who;
    t->frame = (uint8_t *)(t + 1);
    t->undo = t->frame + FRAME_ROOM;
    return t;
}

void spdm_tamper_close(struct spdm_tamper *t)
{
    if (t == NULL) return;
    for (unsigned i = 0; i < SPDM_TAMPER_RULES; i++) free(t->before[i].p);
    free(t->last.p);
    free(t->held.p);
    free(t->record.p);
    free(t->out.p);
    free(t->ours.p);
    free(t->theirs.p);
    free(t);
}

/* ---- fields ---- */

struct search {
    const char *name;
    size_t at, n;
    uint32_t value;
    bool found;
};

static void see(void *ctx, const struct spdm_field *field)
{
    struct search *s = ctx;
    if (s->found || field->n == 0 || strcasecmp(field->name, s->name) != 0) return;
    s->at = field->at;
    s->n = field->n;
    s->value = field->value;
    s->found = true;
}

/* Where a field lies in a message, if it has it. */
static bool find(const struct spdm_tamper *t, struct spdm_span message, const struct spdm_facts *facts,
                 struct search *s)
{
    static const struct spdm_facts unknown;
    struct spdm_dump dump = {.facts = facts != NULL ? facts : &unknown,
                             .message = message,
                             .request = {t->request, t->request_n},
                             .see = see,
                             .ctx = s};
    struct spdm_report report;
    if (message.n < 4) return false;
    if (strcasecmp(s->name, "SPDMVersion") == 0 || strcasecmp(s->name, "RequestResponseCode") == 0) {
        *s = (struct search){s->name, strcasecmp(s->name, "SPDMVersion") != 0, 1, 0, true};
        return true; /* walkers begin behind them */
    }
    (void)spdm_dump(&dump, &report);
    return s->found && s->at + s->n <= message.n;
}

/* The part of a large message that a message holds: a chunk, or an answer in an acknowledgement. */
static struct spdm_span portion_of(const struct spdm_tamper *t, struct spdm_span message,
                                   const struct spdm_facts *facts, struct search *size)
{
    uint8_t code = message.n > 1 ? message.p[1] : 0;
    struct search portion = {.name = code == CHUNK_SEND_ACK ? "ResponseToLargeRequest" : "SPDMchunk"};
    *size = (struct search){.name = "LargeMessageSize"};
    if (code != CHUNK_SEND_ACK && code != CHUNK_SEND && code != CHUNK_RESPONSE) return (struct spdm_span){NULL, 0};
    if (!find(t, message, facts, &portion)) return (struct spdm_span){NULL, 0};
    if (code != CHUNK_SEND_ACK) (void)find(t, message, facts, size);
    return (struct spdm_span){message.p + portion.at, portion.n};
}

/* Takes in a chunk, of ours before it is changed. false: it belongs to nothing. */
static bool follow(struct large *l, struct spdm_span portion, uint32_t sequence, const struct search *size)
{
    if (size->found) {
        free(l->p);
        *l = (struct large){.n = size->value};
        l->p = size->value <= LARGE_MAX ? calloc(1, size->value) : NULL;
    } else if (sequence != l->sequence) { /* else it goes out once more */
        l->start = l->end;
        l->sequence = sequence;
    }
    if (l->p == NULL || portion.n > l->n - l->start) return false;
    memcpy(l->p + l->start, portion.p, portion.n);
    l->end = l->start + portion.n;
    return true;
}

/* ---- what came ---- */

/* The last message of the other side, which says what ours looks like; in chunks, as far as it has come. */
static void keep(struct spdm_tamper *t, struct spdm_span message)
{
    struct search size, sequence = {.name = "ChunkSeqNo"};
    struct spdm_span portion = portion_of(t, message, NULL, &size);
    uint8_t code = message.n > 1 ? message.p[1] : 0;
    if (code == CHUNK_GET) return;
    if (portion.n != 0 && code != CHUNK_SEND_ACK) {
        if (!find(t, message, NULL, &sequence) || !follow(&t->theirs, portion, sequence.value, &size)) return;
        message = (struct spdm_span){t->theirs.p, t->theirs.end};
    }
    t->request_n = message.n < sizeof t->request ? message.n : sizeof t->request;
    if (message.n != 0) memcpy(t->request, message.p, t->request_n);
}

void spdm_tamper_came(struct spdm_tamper *t, struct spdm_span frame)
{
    struct spdm_frame f;
    if (t == NULL) return;
    f = t->binding->unwrap(frame);
    if (f.kind == SPDM_FRAME_PLAIN) keep(t, f.message);
}

/* ---- changing a message ---- */

static void say(const struct spdm_tamper *t, const struct spdm_tamper_rule *r, struct spdm_span message)
{
    const char *name = message.n > 1 ? spdm_message_name(message.p[1]) : NULL;
    if (name == NULL) name = "a record";
    if (r->kind == SPDM_TAMPER_FIELD) fprintf(stderr, "%s: tampered with %s.%s\n", t->who, name, r->field);
    else fprintf(stderr, "%s: tampered with %s: %s\n", t->who, name, spdm_tamper_name(r->kind));
}

/* A field of a message of which the part from start on lies at p, n bytes. */
static void change(const struct spdm_tamper_rule *r, const struct search *field, size_t start, struct spdm_room part)
{
    size_t n = r->set_n == 0 ? 1 : r->set_n < field->n ? r->set_n : field->n;
    for (size_t i = 0; i < n; i++) {
        size_t at = field->at + i;
        if (at < start || at - start >= part.n) continue;
        if (r->set_n == 0) part.p[at - start] ^= 1;
        else part.p[at - start] = r->set[i];
    }
}

/* Fields of the large message that a message at p has a part of. Returns whether something was changed. */
static bool apply_within(struct spdm_tamper *t, uint8_t *p, size_t n, const struct spdm_facts *facts)
{
    struct spdm_span message = {p, n}, whole;
    struct search size, sequence = {.name = "ChunkSeqNo"};
    struct spdm_span portion = portion_of(t, message, facts, &size);
    size_t start = 0;
    bool any = false;
    if (portion.n == 0) return false;
    whole = portion;
    if (p[1] != CHUNK_SEND_ACK) {
        if (!find(t, message, facts, &sequence) || !follow(&t->ours, portion, sequence.value, &size)) return false;
        whole = (struct spdm_span){t->ours.p, t->ours.n};
        start = t->ours.start;
    }
    for (unsigned i = 0; i < t->plan->n; i++) {
        const struct spdm_tamper_rule *r = &t->plan->rule[i];
        struct search s = {.name = r->field};
        size_t end = start + portion.n;
        if (r->kind != SPDM_TAMPER_FIELD || !spdm_tamper_applies(r, whole) || !find(t, whole, facts, &s)) continue;
        if (s.at >= end || s.at + (r->set_n != 0 ? r->set_n : 1) <= start) continue;
        if (s.at >= start) say(t, r, whole);
        change(r, &s, start, (struct spdm_room){p + (portion.p - p), portion.n});
        any = true;
    }
    return any;
}

/* Fields of the message itself. Returns whether something was changed. */
static bool apply_fields(struct spdm_tamper *t, uint8_t *p, size_t n, const struct spdm_facts *facts)
{
    struct spdm_span message = {p, n};
    bool any = apply_within(t, p, n, facts);
    for (unsigned i = 0; i < t->plan->n; i++) {
        const struct spdm_tamper_rule *r = &t->plan->rule[i];
        struct search s = {.name = r->field};
        if (r->kind != SPDM_TAMPER_FIELD || !spdm_tamper_applies(r, message) || !find(t, message, facts, &s)) continue;
        say(t, r, message);
        change(r, &s, 0, (struct spdm_room){p, n});
        any = true;
    }
    return any;
}

/* ---- in the open ---- */

/* Changes a message of n bytes at p, which has room for some more; returns its new length. */
static size_t apply(struct spdm_tamper *t, uint8_t *p, size_t n, const struct spdm_facts *facts)
{
    (void)apply_fields(t, p, n, facts);
    for (unsigned i = 0; i < t->plan->n; i++) {
        const struct spdm_tamper_rule *r = &t->plan->rule[i];
        struct spdm_span message = {p, n};
        if (!spdm_tamper_applies(r, message)) continue;
        if (r->kind == SPDM_TAMPER_CUT && n > 4) {
            say(t, r, message);
            n--;
        } else if (r->kind == SPDM_TAMPER_EXTRA) {
            say(t, r, message);
            p[n++] = 0x5a;
        }
    }
    return n;
}

static struct spdm_span in_the_open(struct spdm_tamper *t, struct spdm_span message, struct spdm_span frame,
                                    const struct spdm_facts *facts)
{
    size_t head = t->binding->head, n = message.n;
    if (head + n + t->binding->tail + SPDM_TAMPER_RULES > FRAME_ROOM) return frame;
    memcpy(t->frame + head, message.p, n);
    n = apply(t, t->frame + head, n, facts);
    n = t->binding->wrap((struct spdm_room){t->frame, FRAME_ROOM}, n, false);
    return n != 0 ? (struct spdm_span){t->frame, n} : frame;
}

/* ---- records ---- */

void spdm_tamper_inside(struct spdm_tamper *t, const struct spdm_inside *inside, bool ours,
                        const struct spdm_facts *facts)
{
    size_t n = inside->message.n;
    uint8_t *p;
    if (t == NULL) return;
    if (!ours) {
        if (!inside->app) keep(t, inside->message);
        return;
    }
    memset(t->inside, 0, sizeof t->inside);
    if (inside->app || n < sizeof t->inside) return;
    memcpy(t->inside, inside->message.p, sizeof t->inside);
    if (n > FRAME_ROOM || t->undo_n != 0) return;
    memcpy(&p, &inside->message.p, sizeof p); /* the engine's own buffer, which is put back */
    memcpy(t->undo, p, n);
    t->undo_at = p;
    t->undo_n = apply_fields(t, p, n, facts) ? n : 0;
}

static struct spdm_span sealed(struct spdm_tamper *t, struct spdm_span frame, const struct spdm_tamper_rule *mac)
{
    struct spdm_span record = t->binding->unwrap(frame).message;
    if (mac == NULL || frame.n > FRAME_ROOM) return frame;
    say(t, mac, (struct spdm_span){NULL, 0});
    memcpy(t->frame, frame.p, frame.n);
    t->frame[record.p - frame.p + (ptrdiff_t)record.n - 1] ^= 1;
    return (struct spdm_span){t->frame, frame.n};
}

/* Unless it was sealed where it lay: then there is a record now. */
static void put_back(struct spdm_tamper *t, struct spdm_span frame)
{
    uintptr_t at = (uintptr_t)t->undo_at, start = (uintptr_t)frame.p;
    if (t->undo_n != 0 && (at < start || at - start >= frame.n)) memcpy(t->undo_at, t->undo, t->undo_n);
    t->undo_n = 0;
}

/* ---- when, and in which order ---- */

static const struct spdm_tamper_rule *rule_of(const struct spdm_tamper *t, enum spdm_tamper_kind kind,
                                              struct spdm_span message)
{
    for (unsigned i = 0; i < t->plan->n; i++)
        if (t->plan->rule[i].kind == kind && spdm_tamper_applies(&t->plan->rule[i], message)) return &t->plan->rule[i];
    return NULL;
}

static void wait_for(const struct spdm_tamper_rule *r)
{
    struct timespec left = {r->delay_ms / 1000, (long)(r->delay_ms % 1000) * 1000000};
    (void)nanosleep(&left, NULL);
}

/* Keeps a frame; what was kept before is valid until the next call. */
static struct spdm_span exchange(struct spdm_tamper *t, struct kept *kept, struct spdm_span frame)
{
    free(t->out.p);
    t->out = *kept;
    *kept = (struct kept){malloc(frame.n), 0};
    if (kept->p != NULL) {
        memcpy(kept->p, frame.p, frame.n);
        kept->n = frame.n;
    }
    return (struct spdm_span){t->out.p, t->out.n};
}

/* The frame that goes out in place of this one, which is of a message or of a record that holds one. */
static struct spdm_span in_order(struct spdm_tamper *t, struct spdm_span frame, struct spdm_span message, bool record)
{
    const struct spdm_tamper_rule *replay = rule_of(t, SPDM_TAMPER_REPLAY, message);
    const struct spdm_tamper_rule *reorder = rule_of(t, SPDM_TAMPER_REORDER, message);
    struct spdm_span older = {NULL, 0};
    if (replay != NULL && !record && replay->message[0] == '\0') replay = NULL;
    if (record) older = exchange(t, &t->record, frame);
    else if (replay != NULL) older = exchange(t, &t->before[replay - t->plan->rule], frame);
    if (replay != NULL && older.n != 0) {
        say(t, replay, message);
        return older;
    }
    if (t->held.n != 0) {
        free(t->out.p);
        t->out = t->held;
        t->held = (struct kept){NULL, 0};
        return (struct spdm_span){t->out.p, t->out.n};
    }
    older = exchange(t, &t->last, frame);
    if (reorder == NULL || older.n == 0) return frame;
    say(t, reorder, message);
    t->held = t->last;
    t->last = (struct kept){NULL, 0};
    return older;
}

struct spdm_span spdm_tamper_frame(struct spdm_tamper *t, struct spdm_span frame, const struct spdm_facts *facts)
{
    const struct spdm_tamper_rule *delay, *skip;
    struct spdm_frame f;
    struct spdm_span message;
    bool record;
    if (t == NULL || frame.n == 0) return frame;
    put_back(t, frame);
    f = t->binding->unwrap(frame);
    if (f.kind != SPDM_FRAME_PLAIN && f.kind != SPDM_FRAME_SECURED) return frame;
    record = f.kind == SPDM_FRAME_SECURED;
    message = record ? (struct spdm_span){t->inside, t->inside[0] != 0 ? sizeof t->inside : 0} : f.message;
    delay = rule_of(t, SPDM_TAMPER_DELAY, message);
    skip = rule_of(t, SPDM_TAMPER_SKIP, message);
    if (delay != NULL) {
        say(t, delay, message);
        wait_for(delay);
    }
    if (skip != NULL) {
        say(t, skip, message);
        return (struct spdm_span){NULL, 0};
    }
    if (record) frame = sealed(t, frame, rule_of(t, SPDM_TAMPER_WRONG_MAC, (struct spdm_span){NULL, 0}));
    else frame = in_the_open(t, message, frame, facts);
    return in_order(t, frame, message, record);
}
