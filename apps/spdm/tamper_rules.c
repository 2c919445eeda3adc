/* SPDX-License-Identifier: BSD-3-Clause
 *
 * tamper_rules.c - what --tamper takes: names, messages, fields. */
#include "tamper.h"
#include "text.h"

#include <assay/dump.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DELAY_MAX 600000

/* ---- names ---- */

static const struct {
    const char *name, *rule, *help;
    uint8_t kind;
} names[] = {
    {"flip-signature", "*.Signature", "a bit of every signature is wrong", SPDM_TAMPER_FIELD},
    {"flip-digest", "DIGESTS.Digest", "a bit of the first chain's digest is wrong", SPDM_TAMPER_FIELD},
    {"flip-chain", "CERTIFICATE.CertChain", "a bit of each portion of the chain is wrong", SPDM_TAMPER_FIELD},
    {"bad-chain-length", "CERTIFICATE.RemainderLength", "the chain is not as long as it is said to be",
     SPDM_TAMPER_FIELD},
    {"wrong-slot", "*.SlotID", "another slot than the one asked for", SPDM_TAMPER_FIELD},
    {"wrong-nonce", "*.Nonce", "another nonce than the one that counts", SPDM_TAMPER_FIELD},
    {"wrong-context", "*.RequesterContext", "another context than the one asked with", SPDM_TAMPER_FIELD},
    {"wrong-measurement", "MEASUREMENTS.MeasurementRecord", "a bit of the measurements is wrong", SPDM_TAMPER_FIELD},
    {"wrong-version", "*.SPDMVersion", "another version than the one negotiated", SPDM_TAMPER_FIELD},
    {"wrong-code", "*.RequestResponseCode", "another message than the one that is due", SPDM_TAMPER_FIELD},
    {"wrong-exchange", "*.ExchangeData", "another public value for the key exchange", SPDM_TAMPER_FIELD},
    {"wrong-verify-data", "*.ResponderVerifyData", "the HMAC of a handshake is wrong", SPDM_TAMPER_FIELD},
    {"wrong-chunk", "CHUNK_*.ChunkSeqNo", "another sequence number than the one that is due", SPDM_TAMPER_FIELD},
    {"wrong-handle", "CHUNK_*.Handle", "another transfer of chunks than the one at hand", SPDM_TAMPER_FIELD},
    {"wrong-large-size", "CHUNK_*.LargeMessageSize", "the chunks are not as long as they are said to be together",
     SPDM_TAMPER_FIELD},
    {"early-last-chunk", "CHUNK_SEND.Param1=01,CHUNK_RESPONSE.Param1=01", "every chunk says that it is the last",
     SPDM_TAMPER_FIELD},
    {"no-last-chunk", "CHUNK_SEND.Param1=00,CHUNK_RESPONSE.Param1=00", "no chunk says that it is the last",
     SPDM_TAMPER_FIELD},
    {"cut", "", "the last byte of every message in the open is missing; cut=MESSAGE: of this one", SPDM_TAMPER_CUT},
    {"extra", "", "a byte is behind every message in the open; extra=MESSAGE: behind this one", SPDM_TAMPER_EXTRA},
    {"skip", "", "skip=MESSAGE: it is not sent", SPDM_TAMPER_SKIP},
    {"delay", "", "delay=TIME or delay=TIME@MESSAGE: it is sent so much later, and everything waits for it",
     SPDM_TAMPER_DELAY},
    {"wrong-mac", "", "the tag of every record is wrong", SPDM_TAMPER_WRONG_MAC},
    {"replay", "",
     "in place of a record the one before is sent again; replay=MESSAGE: in place of this one, one like it",
     SPDM_TAMPER_REPLAY},
    {"reorder", "", "reorder=MESSAGE: in its place what was sent before it, and it in place of what follows",
     SPDM_TAMPER_REORDER},
};
#define NAME_N (sizeof names / sizeof *names)

static void help(void)
{
    fputs("Misbehaviours, of which --tamper takes a list separated by commas:\n", stdout);
    for (size_t i = 0; i < NAME_N; i++) printf("  %-18s %s\n", names[i].name, names[i].help);
    fputs("  MESSAGE.FIELD      the lowest bit of the field's first byte is wrong, in every such message (*: in any)\n"
          "  MESSAGE.FIELD=HEX  the field begins with these bytes\n"
          "A message may end in *: all that begin so. One that goes in chunks is changed in them.\n"
          "Messages and fields are called as --trace shows them.\n",
          stdout);
}

const char *spdm_tamper_name(enum spdm_tamper_kind kind)
{
    size_t i = 0;
    while (i + 1 < NAME_N && names[i].kind != kind) i++;
    return names[i].name;
}

/* The name of a message, or what all names of some begin with, and '*'. */
static bool fits(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);
    if (n != 0 && pattern[n - 1] == '*') return strncasecmp(pattern, name, n - 1) == 0;
    return strcasecmp(pattern, name) == 0;
}

bool spdm_tamper_applies(const struct spdm_tamper_rule *rule, struct spdm_span message)
{
    const char *name = message.n > 1 ? spdm_message_name(message.p[1]) : NULL;
    return rule->message[0] == '\0' || (name != NULL && fits(rule->message, name));
}

static bool is_message(const char *pattern)
{
    for (unsigned code = 0; code < 256; code++) {
        const char *known = spdm_message_name((uint8_t)code);
        if (known != NULL && fits(pattern, known)) return true;
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
    r->kind = SPDM_TAMPER_FIELD;
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

/* What a name with an argument, or without, stands for. */
static bool take_named(struct spdm_tamper_rule *r, char *argument, const char *text, char *error, size_t cap)
{
    bool needs = r->kind == SPDM_TAMPER_DELAY || r->kind == SPDM_TAMPER_SKIP || r->kind == SPDM_TAMPER_REORDER;
    if (needs && argument == NULL) return complain(error, cap, "what, or how long, is missing behind", text);
    if (argument == NULL) return true;
    if (r->kind == SPDM_TAMPER_WRONG_MAC) return complain(error, cap, "nothing can stand behind", text);
    return r->kind == SPDM_TAMPER_DELAY ? take_delay(r, argument, error, cap) : take_message(r, argument, error, cap);
}

static struct spdm_tamper_rule *next_rule(struct spdm_tamper_plan *plan, const char *text, char *error, size_t cap)
{
    if (plan->n == SPDM_TAMPER_RULES) {
        (void)complain(error, cap, "there are too many misbehaviours before", text);
        return NULL;
    }
    plan->rule[plan->n] = (struct spdm_tamper_rule){.kind = SPDM_TAMPER_FIELD};
    return &plan->rule[plan->n];
}

typedef bool taker(struct spdm_tamper_plan *plan, char *text, char *error, size_t cap);

static bool add_field(struct spdm_tamper_plan *plan, char *text, char *error, size_t cap)
{
    struct spdm_tamper_rule *r = next_rule(plan, text, error, cap);
    if (r == NULL || !take_field(r, text, error, cap)) return false;
    plan->n++;
    return true;
}

/* Each of a list, separated by commas. */
static bool take_each(struct spdm_tamper_plan *plan, const char *list, taker *take, char *error, size_t cap)
{
    char *copy = spdm_text_format("%s", list), *rest = copy;
    bool good = true;
    for (char *one; good && (one = strtok_r(rest, ",", &rest)) != NULL;) good = take(plan, one, error, cap);
    free(copy);
    return good;
}

static bool take_rule(struct spdm_tamper_plan *plan, char *text, char *error, size_t cap)
{
    char *argument = strchr(text, '=');
    size_t n = argument != NULL ? (size_t)(argument - text) : strlen(text), i = 0;
    struct spdm_tamper_rule *r;
    while (i < NAME_N && (strlen(names[i].name) != n || strncmp(names[i].name, text, n) != 0)) i++;
    if (i == NAME_N) return add_field(plan, text, error, cap);
    if (names[i].rule[0] != '\0') {
        if (argument != NULL) return complain(error, cap, "nothing can stand behind", text);
        return take_each(plan, names[i].rule, add_field, error, cap);
    }
    r = next_rule(plan, text, error, cap);
    if (r == NULL) return false;
    r->kind = names[i].kind;
    if (!take_named(r, argument != NULL ? argument + 1 : NULL, text, error, cap)) return false;
    plan->n++;
    return true;
}

bool spdm_tamper_parse(const char *text, void *field, char *error, size_t cap)
{
    if (strcmp(text, "help") == 0) {
        help();
        exit(SPDM_EXIT_OK);
    }
    return take_each(field, text, take_rule, error, cap);
}
