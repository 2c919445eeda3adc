/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_filter.c - a small language: terms between commas, one of which must
 * fit. A term is a word with a meaning, name=value, or the name of a message,
 * in which * stands for anything. "!" in front turns it round. */
#include "decode_filter.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct term {
    bool not ;
    const char *text;
    size_t n;
};

/* ---- words ---- */

static bool is_request(const struct decode_message *m)
{
    return m->sight->kind == SPDM_SIGHT_MESSAGE && m->sight->code >= 0x80;
}

static bool is_response(const struct decode_message *m)
{
    return m->sight->kind == SPDM_SIGHT_MESSAGE && m->damage == NULL && m->sight->code < 0x80;
}

static bool is_from_requester(const struct decode_message *m)
{
    return m->damage == NULL && m->sight->from_requester;
}

static bool is_from_responder(const struct decode_message *m)
{
    return m->damage == NULL && !m->sight->from_requester;
}

static bool is_in_session(const struct decode_message *m)
{
    return m->sight->session != 0;
}

static bool is_plain(const struct decode_message *m)
{
    return m->sight->session == 0;
}

static bool is_data(const struct decode_message *m)
{
    return m->sight->kind == SPDM_SIGHT_DATA;
}

static bool is_signed(const struct decode_message *m)
{
    return m->sight->signature != SPDM_UNSIGNED;
}

static bool is_bad(const struct decode_message *m)
{
    return m->rank >= DECODE_DAMAGE;
}

static bool is_noted(const struct decode_message *m)
{
    return m->rank >= DECODE_NOTE;
}

static const struct {
    const char *word;
    bool (*holds)(const struct decode_message *m);
} words[] = {{"request", is_request},
             {"response", is_response},
             {"requester", is_from_requester},
             {"responder", is_from_responder},
             {"secured", is_in_session},
             {"plain", is_plain},
             {"data", is_data},
             {"signed", is_signed},
             {"bad", is_bad},
             {"note", is_noted}};
enum { WORD_N = sizeof words / sizeof words[0] };

/* ---- name=value ---- */

static bool number_of(const char *text, size_t n, int base, unsigned long *out)
{
    char copy[24], *stop;
    if (n == 0 || n >= sizeof copy) return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    *out = strtoul(copy, &stop, base);
    return isxdigit((unsigned char)copy[0]) != 0 && *stop == '\0';
}

enum value { VALUE_NONE, VALUE_WRONG, VALUE_SESSION, VALUE_CONNECTION, VALUE_CODE, VALUE_NUMBER };

static enum value value_of(const struct term *t, unsigned long *number)
{
    static const struct {
        const char *name;
        enum value value;
        int base;
    } names[] = {{"session", VALUE_SESSION, 16},
                 {"connection", VALUE_CONNECTION, 10},
                 {"code", VALUE_CODE, 0},
                 {"number", VALUE_NUMBER, 10}};
    const char *equals = memchr(t->text, '=', t->n);
    size_t n = equals != NULL ? (size_t)(equals - t->text) : 0;
    if (equals == NULL) return VALUE_NONE;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i].name) != n || strncasecmp(names[i].name, t->text, n) != 0) continue;
        return number_of(equals + 1, t->n - n - 1, names[i].base, number) ? names[i].value : VALUE_WRONG;
    }
    return VALUE_WRONG;
}

static bool value_holds(enum value value, unsigned long number, const struct decode_message *m)
{
    switch (value) {
    case VALUE_SESSION: return m->sight->session == number;
    case VALUE_CONNECTION: return m->flow != NULL && decode_flow_number(m->flow) == number;
    case VALUE_CODE: return m->sight->kind == SPDM_SIGHT_MESSAGE && m->sight->code == number;
    case VALUE_NUMBER: return m->number == number;
    default: return false;
    }
}

/* ---- names ---- */

static bool same_letter(char a, char b)
{
    return toupper((unsigned char)a) == toupper((unsigned char)b);
}

/* '*' stands for any run of characters: what followed the last one is tried again one character later. */
static bool matches(const char *pattern, size_t n, const char *name)
{
    size_t at = 0, retry = n;
    const char *again = NULL;
    while (*name != '\0') {
        if (at < n && pattern[at] == '*') {
            retry = ++at;
            again = name;
        } else if (at < n && same_letter(pattern[at], *name)) {
            at++;
            name++;
        } else if (again != NULL) {
            at = retry;
            name = ++again;
        } else {
            return false;
        }
    }
    while (at < n && pattern[at] == '*') at++;
    return at == n;
}

static bool names_a_message(const struct term *t)
{
    for (unsigned code = 1; code < 256; code++)
        if (strcmp(spdm_message_name((uint8_t)code), "unknown") != 0 &&
            matches(t->text, t->n, spdm_message_name((uint8_t)code)))
            return true;
    return false;
}

/* ---- terms ---- */

static bool next_term(const char **rest, struct term *t)
{
    if (**rest == '\0') return false;
    t->not = **rest == '!';
    t->text = *rest + t->not ;
    t->n = strcspn(t->text, ",");
    *rest = t->text + t->n + (t->text[t->n] == ',' ? 1 : 0);
    return true;
}

static int word_of(const struct term *t)
{
    for (int i = 0; i < WORD_N; i++)
        if (strlen(words[i].word) == t->n && strncasecmp(words[i].word, t->text, t->n) == 0) return i;
    return -1;
}

static bool holds(const struct term *t, const struct decode_message *m)
{
    unsigned long number = 0;
    enum value value = value_of(t, &number);
    int word = word_of(t);
    if (value != VALUE_NONE) return value_holds(value, number, m);
    return word >= 0 ? words[word].holds(m) : matches(t->text, t->n, decode_name(m));
}

bool decode_filter_check(const char *filter, char *error, size_t cap)
{
    struct term t;
    unsigned long number;
    bool good = filter[0] != '\0';
    while (good && next_term(&filter, &t)) {
        enum value value = value_of(&t, &number);
        good = value == VALUE_NONE ? word_of(&t) >= 0 || names_a_message(&t) : value != VALUE_WRONG;
    }
    if (!good) {
        size_t n = (size_t)snprintf(error, cap,
                                    "a message as GET_*, name=number (session, connection, code, number) or one of ");
        for (int i = 0; i < WORD_N && n < cap; i++)
            n += (size_t)snprintf(error + n, cap - n, "%s%s", words[i].word, i + 1 < WORD_N ? ", " : " was expected");
    }
    return good;
}

bool decode_filter_passes(const struct spdm_texts *filters, const struct decode_message *m)
{
    for (size_t i = 0; i < filters->n; i++) {
        const char *rest = filters->v[i];
        struct term t;
        bool one = false;
        while (!one && next_term(&rest, &t)) one = holds(&t, m) != t.not ;
        if (!one) return false;
    }
    return true;
}
