/* SPDX-License-Identifier: BSD-3-Clause
 *
 * options.c - command lines against the table of a subcommand.
 *
 * Parsing only reads the table and writes the caller's struct: it opens no
 * file and no socket, so a wrong option can never have done anything before it
 * is refused. Every refusal names the option, what was given and what was
 * expected, and points to --help. */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct parse {
    const struct spdm_command *command;
    int argc, at;
    char **argv;
    void *out;
    struct spdm_texts *operands;
    size_t field; /* of the option at hand, in out */
};

/* ---- rows ---- */

static bool is_end(const struct spdm_option *o)
{
    return o->name == NULL && o->help == NULL && o->part == NULL;
}

struct spdm_option_walk spdm_option_rows(const struct spdm_option *table)
{
    return (struct spdm_option_walk){.next = table};
}

/* Into a part, or out of one; false: the walk stands at a row, or at the end. */
static bool step(struct spdm_option_walk *walk)
{
    const struct spdm_option *o = walk->next;
    if (o->part != NULL) *walk = (struct spdm_option_walk){.next = o->part, .behind = o + 1, .base = o->at};
    else if (is_end(o) && walk->behind != NULL) *walk = (struct spdm_option_walk){.next = walk->behind};
    else return false;
    return true;
}

const struct spdm_option *spdm_option_row(struct spdm_option_walk *walk)
{
    while (step(walk)) continue;
    if (is_end(walk->next)) return NULL;
    walk->at = walk->base + walk->next->at;
    return walk->next++;
}

/* ---- errors ---- */

int spdm_options_error(const struct spdm_command *command, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "spdm %s: ", command->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n`spdm %s --help` lists the options.\n", command->name);
    return SPDM_EXIT_USAGE;
}

/* Edits (insert, delete, replace, swap neighbours) between two short words; a word too long for the table is far. */
static size_t distance(const char *a, const char *b)
{
    enum { MAX = 32 };
    size_t d[MAX + 1][MAX + 1], n = strlen(a), m = strlen(b);
    if (n > MAX || m > MAX) return MAX;
    for (size_t i = 0; i <= n; i++) d[i][0] = i;
    for (size_t j = 0; j <= m; j++) d[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        for (size_t j = 1; j <= m; j++) {
            size_t best = d[i - 1][j - 1] + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));
            if (d[i - 1][j] + 1 < best) best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best) best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    }
    return d[n][m];
}

const char *spdm_options_nearest(const char *text, const char *const *candidates)
{
    const char *nearest = NULL;
    size_t n = strlen(text), best = n < 5 ? 2 : 3; /* short words: one edit; longer ones: two */
    for (; *candidates != NULL; candidates++) {
        bool begins = n >= 3 && strncmp(text, *candidates, n) == 0;
        size_t d = begins ? 1 : distance(text, *candidates);
        if (d < best) {
            best = d;
            nearest = *candidates;
        }
    }
    return nearest;
}

static int unknown_option(const struct parse *p, const char *name)
{
    const char *names[128] = {"help"}, *near;
    size_t n = 1;
    struct spdm_option_walk walk = spdm_option_rows(p->command->options);
    for (const struct spdm_option *o; (o = spdm_option_row(&walk)) != NULL;)
        if (o->name != NULL && n < sizeof names / sizeof *names - 1) names[n++] = o->name;
    near = spdm_options_nearest(name, names);
    if (near != NULL) return spdm_options_error(p->command, "there is no option --%s; did you mean --%s?", name, near);
    return spdm_options_error(p->command, "there is no option --%s", name);
}

/* ---- values ---- */

/* Lists live as long as the process; the chain keeps them reachable. */
static const char **list_of(size_t n)
{
    static struct block {
        struct block *next;
        const char *v[];
    } * blocks;
    struct block *b = malloc(sizeof *b + n * sizeof *b->v);
    if (b == NULL) {
        fputs("spdm: out of memory\n", stderr);
        exit(SPDM_EXIT_USAGE);
    }
    b->next = blocks;
    blocks = b;
    return b->v;
}

static void append(const struct parse *p, struct spdm_texts *texts, const char *text)
{
    if (texts->n == 0) texts->v = list_of((size_t)p->argc);
    texts->v[texts->n++] = text;
}

static bool number_of(const char *text, uint64_t *value, const char **end)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    char *stop;
    if (!isdigit((unsigned char)text[0])) return false;
    errno = 0;
    *value = strtoull(text, &stop, hex ? 16 : 10);
    *end = stop;
    return errno == 0 && (!hex || stop > text + 2);
}

static int set_number(const struct parse *p, const struct spdm_option *o, const char *text, uint32_t *field)
{
    const char *end;
    uint64_t value;
    if (!number_of(text, &value, &end) || *end != '\0' || value < o->min || value > o->max)
        return spdm_options_error(p->command, "--%s \"%s\": expected a number from %u to %u", o->name, text, o->min,
                                  o->max);
    *field = (uint32_t)value;
    return SPDM_PARSED;
}

static int set_time(const struct parse *p, const struct spdm_option *o, const char *text, uint32_t *field)
{
    static const struct {
        const char *unit;
        uint32_t ms;
    } units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"min", 60000}, {"h", 3600000}};
    const char *end;
    uint64_t value;
    if (number_of(text, &value, &end)) {
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
            if (strcmp(end, units[i].unit) != 0 || value > UINT32_MAX) continue;
            value *= units[i].ms;
            if (value < o->min || value > o->max) break;
            *field = (uint32_t)value;
            return SPDM_PARSED;
        }
    }
    return spdm_options_error(p->command, "--%s \"%s\": expected a time as 500ms, 10s or 2m, from %gs to %gs", o->name,
                              text, o->min / 1e3, o->max / 1e3);
}

static int set_choice(const struct parse *p, const struct spdm_option *o, const char *text, unsigned *field)
{
    char all[400] = "";
    const char *near;
    for (unsigned i = 0; o->choices[i] != NULL; i++) {
        size_t used = strlen(all);
        if (strcmp(o->choices[i], text) == 0) {
            *field = i;
            return SPDM_PARSED;
        }
        snprintf(all + used, sizeof all - used, "%s%s", i != 0 ? ", " : "", o->choices[i]);
    }
    near = spdm_options_nearest(text, o->choices);
    return spdm_options_error(p->command, "--%s \"%s\": expected one of %s%s%s%s", o->name, text, all,
                              near != NULL ? "; did you mean " : "", near != NULL ? near : "", near != NULL ? "?" : "");
}

static int set(const struct parse *p, const struct spdm_option *o, const char *text)
{
    void *field = (char *)p->out + p->field;
    char error[300] = "is not understood";
    switch (o->kind) {
    case SPDM_OPTION_FLAG: *(bool *)field = true; return SPDM_PARSED;
    case SPDM_OPTION_TEXT: *(const char **)field = text; return SPDM_PARSED;
    case SPDM_OPTION_LIST: append(p, field, text); return SPDM_PARSED;
    case SPDM_OPTION_NUMBER: return set_number(p, o, text, field);
    case SPDM_OPTION_TIME: return set_time(p, o, text, field);
    case SPDM_OPTION_CHOICE: return set_choice(p, o, text, field);
    case SPDM_OPTION_OWN:
    default:
        if (o->parse(text, field, error, sizeof error)) return SPDM_PARSED;
        return spdm_options_error(p->command, "--%s \"%s\": %s", o->name, text, error);
    }
}

/* ---- words ---- */

static const struct spdm_option *find(struct parse *p, const char *name, size_t n, char letter)
{
    struct spdm_option_walk walk = spdm_option_rows(p->command->options);
    for (const struct spdm_option *o; (o = spdm_option_row(&walk)) != NULL;) {
        p->field = walk.at;
        if (o->name == NULL) continue;
        if (letter != '\0' ? o->letter == letter : strlen(o->name) == n && strncmp(o->name, name, n) == 0) return o;
    }
    return NULL;
}

static int show_help(const struct parse *p)
{
    spdm_options_help(p->command, stdout);
    return SPDM_EXIT_OK;
}

/* The value given with =, or the next word. */
static int set_with_value(struct parse *p, const struct spdm_option *o, const char *inside)
{
    if (o->kind == SPDM_OPTION_FLAG) {
        if (inside != NULL) return spdm_options_error(p->command, "--%s takes no value", o->name);
        return set(p, o, NULL);
    }
    if (inside == NULL && p->at + 1 >= p->argc)
        return spdm_options_error(p->command, "--%s needs a value%s%s", o->name, o->value != NULL ? ": " : "",
                                  o->value != NULL ? o->value : "");
    return set(p, o, inside != NULL ? inside : p->argv[++p->at]);
}

static int long_option(struct parse *p, const char *word)
{
    size_t n = strcspn(word, "=");
    const struct spdm_option *o = find(p, word, n, '\0');
    char name[64];
    if (o != NULL) return set_with_value(p, o, word[n] == '=' ? word + n + 1 : NULL);
    if (strcmp(word, "help") == 0) return show_help(p);
    snprintf(name, sizeof name, "%.*s", (int)n, word);
    return unknown_option(p, name);
}

/* -q, -qv, -ofile, -o file */
static int short_options(struct parse *p, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        const struct spdm_option *o = find(p, NULL, 0, *letters);
        int rc;
        if (o == NULL && *letters == 'h') return show_help(p);
        if (o == NULL) return spdm_options_error(p->command, "there is no option -%c", *letters);
        if (o->kind != SPDM_OPTION_FLAG) return set_with_value(p, o, letters[1] != '\0' ? letters + 1 : NULL);
        rc = set(p, o, NULL);
        if (rc != SPDM_PARSED) return rc;
    }
    return SPDM_PARSED;
}

static int check_operands(const struct parse *p)
{
    const struct spdm_command *c = p->command;
    if (p->operands->n < c->operand_min)
        return spdm_options_error(c, "%s is missing", c->operands != NULL ? c->operands : "an argument");
    if (p->operands->n > c->operand_max)
        return spdm_options_error(c, "unexpected argument \"%s\"", p->operands->v[c->operand_max]);
    return SPDM_PARSED;
}

int spdm_options_parse(const struct spdm_command *command, int argc, char **argv, void *out,
                       struct spdm_texts *operands)
{
    struct parse p = {.command = command, .argc = argc, .at = 1, .argv = argv, .out = out, .operands = operands};
    bool only_operands = false;
    for (; p.at < argc; p.at++) {
        const char *word = argv[p.at];
        int rc = SPDM_PARSED;
        if (only_operands || word[0] != '-' || word[1] == '\0') append(&p, operands, word);
        else if (strcmp(word, "--") == 0) only_operands = true;
        else if (word[1] == '-') rc = long_option(&p, word + 2);
        else rc = short_options(&p, word + 1);
        if (rc != SPDM_PARSED) return rc;
    }
    return check_operands(&p);
}

bool spdm_options_colour(FILE *out)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    if (no != NULL && no[0] != '\0') return false;
    return term != NULL && strcmp(term, "dumb") != 0 && isatty(fileno(out)) != 0;
}
