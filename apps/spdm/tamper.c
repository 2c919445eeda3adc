/* SPDX-License-Identifier: BSD-3-Clause
 *
 * tamper.c - rules, and how they are applied.
 *
 * A frame in the open is copied and changed there. What goes into a record is
 * changed where it lies and put back when the record has been made, so that
 * transcripts and repetitions have what the engine wrote. */
#include "tamper.h"
#include "text.h"

#include <assay/dump.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { FRAME_ROOM = 70000, REQUEST_KEPT = 512, UNDO_MAX = 256, DELAY_MAX = 600000 };

enum kind { FIELD, CUT, EXTRA, SKIP, DELAY, WRONG_MAC, REPLAY };

struct spdm_tamper {
    const struct spdm_tamper_plan *plan;
    const struct spdm_binding *binding;
    const char *who;
    uint8_t request[REQUEST_KEPT];
    size_t request_n;
    uint8_t *undo_at, undo[UNDO_MAX]; /* what was changed in a record's message */
    size_t undo_n;
    bool skip;               /* the record that is being made */
    uint8_t *frame, *record; /* the frame to send; the last record sent */
    size_t record_n;
};

/* ---- names ---- */

static const struct {
    const char *name, *rule, *help;
    uint8_t kind;
} names[] = {
    {"flip-signature", "*.Signature", "a bit of every signature is wrong", FIELD},
    {"flip-digest", "DIGESTS.Digest", "a bit of the first chain's digest is wrong", FIELD},
    {"flip-chain", "CERTIFICATE.CertChain", "a bit of each portion of the chain is wrong", FIELD},
    {"bad-chain-length", "CERTIFICATE.RemainderLength", "the chain is not as long as it is said to be", FIELD},
    {"wrong-slot", "*.SlotID", "another slot than the one asked for", FIELD},
    {"wrong-nonce", "*.Nonce", "another nonce than the one that counts", FIELD},
    {"wrong-context", "*.RequesterContext", "another context than the one asked with", FIELD},
    {"wrong-measurement", "MEASUREMENTS.MeasurementRecord", "a bit of the measurements is wrong", FIELD},
    {"wrong-version", "*.SPDMVersion", "another version than the one negotiated", FIELD},
    {"wrong-code", "*.RequestResponseCode", "another message than the one that is due", FIELD},
    {"wrong-exchange", "*.ExchangeData", "another public value for the key exchange", FIELD},
    {"wrong-verify-data", "*.ResponderVerifyData", "the HMAC of a handshake is wrong", FIELD},
    {"cut", "", "the last byte of every message in the open is missing; cut=MESSAGE: of this one", CUT},
    {"extra", "", "a byte is behind every message in the open; extra=MESSAGE: behind this one", EXTRA},
    {"skip", "", "skip=MESSAGE: it is not sent", SKIP},
    {"delay", "", "delay=TIME or delay=TIME@MESSAGE: it is sent so much later, and everything waits for it", DELAY},
    {"wrong-mac", "", "the tag of every record is wrong", WRONG_MAC},
    {"replay", "", "in place of a record the one before is sent again", REPLAY},
};
#define NAME_N (sizeof names / sizeof *names)

static void help(void)
{
    fputs("Misbehaviours, of which --tamper takes a list separated by commas:\n", stdout);
    for (size_t i = 0; i < NAME_N; i++) printf("  %-18s %s\n", names[i].name, names[i].help);
    fputs("  MESSAGE.FIELD      the lowest bit of the field's first byte is wrong, in every such message (*: in any)\n"
          "  MESSAGE.FIELD=HEX  the field begins with these bytes\n"
          "Messages and fields are called as --trace shows them.\n",
          stdout);
}

static bool is_message(const char *name)
{
    for (unsigned code = 0; code < 256; code++) {
        const char *known = spdm_message_name((uint8_t)code);
        if (known != NULL && strcasecmp(known, name) == 0) return true;
    }
    return false;
}

static bool complain(char *error, size_t cap, const char *what, const char *text)
{
    snprintf(error, cap, "%s \"%.60s\"; --tamper help lists what there is", what, text);
    return false;
}

static bool take_message(struct spdm_tamper_rule *r, const char *name, char *error, size_t cap)
{
    if (strcmp(name, "*") == 0) return true;
    if (!is_message(name)) return complain(error, cap, "there is no message", name);
    snprintf(r->message, sizeof r->message, "%s", name);
    return true;
}

static bool take_bytes(struct spdm_tamper_rule *r, const char *hex, char *error, size_t cap)
{
    size_t n = strlen(hex) / 2;
    if (n == 0 || strlen(hex) % 2 != 0 || n > sizeof r->set || strspn(hex, "0123456789abcdefABCDEF") != 2 * n)
        return complain(error, cap, "pairs of hexadecimal digits expected, not", hex);
    r->set_n = n;
    for (size_t i = 0; i < n; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        r->set[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return true;
}

/* MESSAGE.FIELD, MESSAGE.FIELD=HEX */
static bool take_field(struct spdm_tamper_rule *r, char *text, char *error, size_t cap)
{
    char *dot = strchr(text, '.'), *equal = strchr(text, '=');
    if (equal != NULL) *equal++ = '\0';
    if (dot == NULL || dot[1] == '\0') return complain(error, cap, "there is no misbehaviour", text);
    *dot++ = '\0';
    if (strlen(dot) >= sizeof r->field) return complain(error, cap, "there is no field", dot);
    snprintf(r->field, sizeof r->field, "%s", dot);
    r->kind = FIELD;
    return take_message(r, text, error, cap) && (equal == NULL || take_bytes(r, equal, error, cap));
}

static bool take_delay(struct spdm_tamper_rule *r, const char *text, char *error, size_t cap)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    bool ms = strncmp(end, "ms", 2) == 0, s = !ms && *end == 's';
    end += ms ? 2 : s ? 1 : 0;
    if (end == text || v > DELAY_MAX || (*end != '\0' && *end != '@') || !(ms || s))
        return complain(error, cap, "a time as 500ms or 2s expected, not", text);
    r->delay_ms = (uint32_t)(ms ? v : v * 1000);
    return *end == '\0' || take_message(r, end + 1, error, cap);
}

static bool take_rule(struct spdm_tamper_rule *r, char *text, char *error, size_t cap)
{
    char *argument = strchr(text, '=');
    size_t n = argument != NULL ? (size_t)(argument - text) : strlen(text), i = 0;
    *r = (struct spdm_tamper_rule){.kind = FIELD};
    while (i < NAME_N && (strlen(names[i].name) != n || strncmp(names[i].name, text, n) != 0)) i++;
    if (i == NAME_N) return take_field(r, text, error, cap);
    if (names[i].kind == FIELD) {
        char *rule = spdm_text_format("%s", names[i].rule);
        bool good = argument == NULL && take_field(r, rule, error, cap);
        free(rule);
        return good || complain(error, cap, "nothing can stand behind", text);
    }
    r->kind = names[i].kind;
    if ((r->kind == DELAY || r->kind == SKIP) && argument == NULL)
        return complain(error, cap, "what, or how long, is missing behind", text);
    if (argument == NULL) return true;
    if (r->kind >= WRONG_MAC) return complain(error, cap, "nothing can stand behind", text);
    return r->kind == DELAY ? take_delay(r, argument + 1, error, cap) : take_message(r, argument + 1, error, cap);
}

bool spdm_tamper_parse(const char *text, void *field, char *error, size_t cap)
{
    struct spdm_tamper_plan *plan = field;
    char *copy, *rest;
    bool good = true;
    if (strcmp(text, "help") == 0) {
        help();
        exit(SPDM_EXIT_OK);
    }
    copy = rest = spdm_text_format("%s", text);
    for (char *one; good && (one = strtok_r(rest, ",", &rest)) != NULL;) {
        good = plan->n < SPDM_TAMPER_RULES || complain(error, cap, "there are too many misbehaviours before", one);
        good = good && take_rule(&plan->rule[plan->n], one, error, cap);
        plan->n += good;
    }
    free(copy);
    return good;
}

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
    t->record = t->frame + FRAME_ROOM;
    return t;
}

void spdm_tamper_close(struct spdm_tamper *t)
{
    free(t);
}

static void keep(struct spdm_tamper *t, struct spdm_span message)
{
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

static void say(const struct spdm_tamper *t, const struct spdm_tamper_rule *r, struct spdm_span message)
{
    const char *name = message.n > 1 ? spdm_message_name(message.p[1]) : NULL;
    if (name == NULL) name = "a record";
    if (r->kind == FIELD) {
        fprintf(stderr, "%s: tampered with %s.%s\n", t->who, name, r->field);
        return;
    }
    for (size_t i = 0; i < NAME_N; i++)
        if (names[i].kind == r->kind) fprintf(stderr, "%s: tampered with %s: %s\n", t->who, name, names[i].name);
}

static bool applies(const struct spdm_tamper_rule *r, struct spdm_span message)
{
    const char *name = message.n > 1 ? spdm_message_name(message.p[1]) : NULL;
    return r->message[0] == '\0' || (name != NULL && strcasecmp(name, r->message) == 0);
}

struct search {
    const char *name;
    size_t at, n;
    bool found;
};

static void see(void *ctx, const struct spdm_field *field)
{
    struct search *s = ctx;
    if (s->found || field->n == 0 || strcasecmp(field->name, s->name) != 0) return;
    s->at = field->at;
    s->n = field->n;
    s->found = true;
}

/* Where a field lies in a message, if it has it. */
static bool find(const struct spdm_tamper *t, const struct spdm_tamper_rule *r, struct spdm_span message,
                 const struct spdm_facts *facts, struct search *s)
{
    static const struct spdm_facts unknown;
    struct spdm_dump dump = {.facts = facts != NULL ? facts : &unknown,
                             .message = message,
                             .request = {t->request, t->request_n},
                             .see = see,
                             .ctx = s};
    struct spdm_report report;
    *s = (struct search){.name = r->field};
    if (message.n < 4) return false;
    if (strcasecmp(r->field, "SPDMVersion") == 0 || strcasecmp(r->field, "RequestResponseCode") == 0) {
        *s = (struct search){r->field, strcasecmp(r->field, "SPDMVersion") != 0, 1, true};
        return true; /* walkers begin behind them */
    }
    (void)spdm_dump(&dump, &report);
    return s->found && s->at + s->n <= message.n;
}

static void change(const struct spdm_tamper_rule *r, uint8_t *p, size_t n)
{
    if (r->set_n == 0) *p ^= 1;
    else memcpy(p, r->set, r->set_n < n ? r->set_n : n);
}

/* ---- in the open ---- */

/* Applies what changes a message of n bytes at p, which has room for one more; returns its new length. */
static size_t apply(struct spdm_tamper *t, uint8_t *p, size_t n, const struct spdm_facts *facts)
{
    for (unsigned i = 0; i < t->plan->n; i++) {
        const struct spdm_tamper_rule *r = &t->plan->rule[i];
        struct spdm_span message = {p, n};
        struct search s;
        if (!applies(r, message)) continue;
        if (r->kind == FIELD && find(t, r, message, facts, &s)) {
            say(t, r, message);
            change(r, p + s.at, s.n);
        } else if (r->kind == CUT && n > 4) {
            say(t, r, message);
            n--;
        } else if (r->kind == EXTRA) {
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
    if (head + n + t->binding->tail + 1 > FRAME_ROOM) return frame;
    memcpy(t->frame + head, message.p, n);
    n = apply(t, t->frame + head, n, facts);
    n = t->binding->wrap((struct spdm_room){t->frame, FRAME_ROOM}, n, false);
    return n != 0 ? (struct spdm_span){t->frame, n} : frame;
}

/* ---- records ---- */

void spdm_tamper_inside(struct spdm_tamper *t, const struct spdm_inside *inside, bool ours,
                        const struct spdm_facts *facts)
{
    struct search s;
    uint8_t *p;
    if (t == NULL || inside->app) return;
    if (!ours) {
        keep(t, inside->message);
        return;
    }
    for (unsigned i = 0; i < t->plan->n; i++) {
        const struct spdm_tamper_rule *r = &t->plan->rule[i];
        if (!applies(r, inside->message)) continue;
        if (r->kind == SKIP) t->skip = true;
        if (r->kind != FIELD || t->undo_n != 0 || !find(t, r, inside->message, facts, &s)) continue;
        say(t, r, inside->message);
        memcpy(&p, &inside->message.p, sizeof p); /* the engine's own buffer, which is put back */
        t->undo_at = p + s.at;
        t->undo_n = s.n < UNDO_MAX ? s.n : UNDO_MAX;
        memcpy(t->undo, t->undo_at, t->undo_n);
        change(r, t->undo_at, t->undo_n);
    }
}

static const struct spdm_tamper_rule *rule_of(const struct spdm_tamper *t, enum kind kind, struct spdm_span message)
{
    for (unsigned i = 0; i < t->plan->n; i++)
        if (t->plan->rule[i].kind == kind && applies(&t->plan->rule[i], message)) return &t->plan->rule[i];
    return NULL;
}

static struct spdm_span sealed(struct spdm_tamper *t, struct spdm_span frame)
{
    const struct spdm_span nothing = {NULL, 0};
    const struct spdm_tamper_rule *replay = rule_of(t, REPLAY, nothing), *mac = rule_of(t, WRONG_MAC, nothing);
    size_t last = t->record_n;
    if (frame.n > FRAME_ROOM) return frame;
    memcpy(t->frame, t->record, last);
    memcpy(t->record, frame.p, frame.n);
    t->record_n = frame.n;
    if (replay != NULL && last != 0) {
        say(t, replay, nothing);
        return (struct spdm_span){t->frame, last};
    }
    if (mac == NULL) return frame;
    say(t, mac, nothing);
    t->record[t->binding->unwrap(frame).message.p - frame.p + (ptrdiff_t)t->binding->unwrap(frame).message.n - 1] ^= 1;
    return (struct spdm_span){t->record, frame.n};
}

/* Unless it was sealed where it lay: then there is a record now. */
static void put_back(struct spdm_tamper *t, struct spdm_span frame)
{
    uintptr_t at = (uintptr_t)t->undo_at, start = (uintptr_t)frame.p;
    if (t->undo_n != 0 && (at < start || at - start >= frame.n)) memcpy(t->undo_at, t->undo, t->undo_n);
    t->undo_n = 0;
}

/* ---- both ---- */

static void wait_for(const struct spdm_tamper_rule *r)
{
    struct timespec left = {r->delay_ms / 1000, (long)(r->delay_ms % 1000) * 1000000};
    (void)nanosleep(&left, NULL);
}

struct spdm_span spdm_tamper_frame(struct spdm_tamper *t, struct spdm_span frame, const struct spdm_facts *facts)
{
    const struct spdm_tamper_rule *delay, *skip;
    struct spdm_frame f;
    struct spdm_span message;
    bool skipped;
    if (t == NULL || frame.n == 0) return frame;
    put_back(t, frame);
    f = t->binding->unwrap(frame);
    message = f.kind == SPDM_FRAME_PLAIN ? f.message : (struct spdm_span){NULL, 0};
    delay = rule_of(t, DELAY, message);
    skip = f.kind == SPDM_FRAME_PLAIN ? rule_of(t, SKIP, message) : NULL;
    skipped = t->skip || skip != NULL;
    t->skip = false;
    if (delay != NULL) {
        say(t, delay, message);
        wait_for(delay);
    }
    if (skipped) {
        fprintf(stderr, "%s: tampered with a message: skip\n", t->who);
        return (struct spdm_span){NULL, 0};
    }
    if (f.kind == SPDM_FRAME_SECURED) return sealed(t, frame);
    return f.kind == SPDM_FRAME_PLAIN ? in_the_open(t, message, frame, facts) : frame;
}
