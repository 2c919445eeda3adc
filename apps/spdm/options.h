/* SPDX-License-Identifier: BSD-3-Clause
 *
 * options.h - a subcommand described by data.
 *
 * Each subcommand has one struct spdm_command with one table of options. The
 * parser, --help, the words of every error (with the nearest known option)
 * and the shell completion are made from it and from nothing else. Parsing
 * fills a struct of the subcommand's by offset and touches nothing outside:
 *
 *     struct attest_options { struct spdm_texts trust; uint32_t timeout; bool json; };
 *     static const struct spdm_option options[] = {
 *         SPDM_OPTION_GROUP("Trust"),
 *         {.name = "trust", .kind = SPDM_OPTION_LIST, .value = "FILE|DIR", .complete = SPDM_COMPLETE_FILE,
 *          .at = offsetof(struct attest_options, trust), .help = "root certificate to trust; may be repeated"},
 *         {.name = "timeout", .kind = SPDM_OPTION_TIME, .value = "TIME", .at = offsetof(struct attest_options,
 * timeout), .min = 1, .max = 3600000, .help = "give up after so long, as 500ms, 10s, 2m (default 10s)"},
 *         {.name = "json", .kind = SPDM_OPTION_FLAG, .at = offsetof(struct attest_options, json), .help = "..."},
 *         {.name = NULL}};
 *     const struct spdm_command spdm_attest_command = {
 *         .name = "attest", .summary = "...", .operands = "TARGET...", .operand_min = 1, .operand_max = UINT_MAX,
 *         .options = options, .main = spdm_attest_main};
 *
 *     int spdm_attest_main(int argc, char **argv)
 *     {
 *         struct attest_options o = {.timeout = 10000};
 *         struct spdm_texts targets = {0};
 *         int rc = spdm_options_parse(&spdm_attest_command, argc, argv, &o, &targets);
 *         if (rc != SPDM_PARSED) return rc;
 */
#ifndef SPDM_OPTIONS_H
#define SPDM_OPTIONS_H
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What every subcommand returns to the shell. */
enum spdm_exit {
    SPDM_EXIT_OK = 0,          /* trusted; done */
    SPDM_EXIT_NOT_TRUSTED = 1, /* a verdict, not a failure */
    SPDM_EXIT_USAGE = 2,       /* wrong option or file; nothing was sent */
    SPDM_EXIT_UNREACHABLE = 3, /* or timed out */
    SPDM_EXIT_PROTOCOL = 4     /* the peer broke the protocol */
};
#define SPDM_PARSED (-1) /* spdm_options_parse: go on */

enum spdm_option_kind {
    SPDM_OPTION_FLAG,   /* bool: --json sets it */
    SPDM_OPTION_TEXT,   /* const char * */
    SPDM_OPTION_LIST,   /* struct spdm_texts: may be repeated */
    SPDM_OPTION_NUMBER, /* uint32_t, min <= n <= max; decimal or 0x hex */
    SPDM_OPTION_TIME,   /* uint32_t milliseconds, min <= n <= max: 500ms, 10s, 2m, 1h; a bare number is seconds */
    SPDM_OPTION_CHOICE, /* unsigned: index into choices */
    SPDM_OPTION_OWN     /* parse() stores it */
};
enum spdm_option_complete { SPDM_COMPLETE_NOTHING, SPDM_COMPLETE_FILE, SPDM_COMPLETE_TARGET };

/* Texts in the order given: point into argv. The array is owned by the parser for the life of the process. */
struct spdm_texts {
    const char **v;
    size_t n;
};

struct spdm_option {
    const char *name; /* long name without the dashes; NULL with help: a heading; NULL without: the end */
    char letter;      /* short form, 0 if none */
    enum spdm_option_kind kind;
    enum spdm_option_complete complete;
    size_t at;                  /* offsetof its field */
    const char *value;          /* what the value is called in help: "FILE"; NULL for flags */
    const char *help;           /* wrapped to the terminal; \n starts a new line */
    const char *const *choices; /* SPDM_OPTION_CHOICE: NULL-ended */
    uint32_t min, max;
    /* SPDM_OPTION_OWN: field is the option's; false with a sentence in error. May be called repeatedly. */
    bool (*parse)(const char *text, void *field, char *error, size_t cap);
    const struct spdm_option *part; /* instead of all that: the rows of another table, which has no parts */
};
#define SPDM_OPTION_GROUP(title)                                                                                       \
    {                                                                                                                  \
        .name = NULL, .help = (title)                                                                                  \
    }
/* Options that several commands share: their fields lie in a struct inside the command's. */
#define SPDM_OPTION_PART(table, where)                                                                                 \
    {                                                                                                                  \
        .part = (table), .at = (where)                                                                                 \
    }

/* Every row of a table and of its parts in order, headings too. */
struct spdm_option_walk {
    const struct spdm_option *next, *behind; /* behind: where the table goes on after a part */
    size_t base, at;                         /* at: where the field of the row just returned lies */
};
struct spdm_option_walk spdm_option_rows(const struct spdm_option *table);
/* NULL after the last. */
const struct spdm_option *spdm_option_row(struct spdm_option_walk *walk);

struct spdm_command {
    const char *name, *summary; /* "attest", one line */
    const char *operands;       /* "TARGET...": what usage shows behind the options; may be NULL */
    const char *about;          /* paragraphs under the usage line; may be NULL */
    const char *more;           /* paragraphs after the options: examples, exit codes; may be NULL */
    unsigned operand_min, operand_max;
    enum spdm_option_complete operand_complete;
    const struct spdm_option *options;
    int (*main)(int argc, char **argv); /* argv[0] is the subcommand's name; returns enum spdm_exit */
};

/* Fills *out and *operands from argv[1] on. SPDM_PARSED, or what main must return: 0 after --help, SPDM_EXIT_USAGE
 * after an error, which has been printed to stderr. `--` ends options; `--name=value`, `--name value`, `-nvalue`,
 * `-n value` are all understood; abbreviations are not. */
int spdm_options_parse(const struct spdm_command *command, int argc, char **argv, void *out,
                       struct spdm_texts *operands);
/* Prints "spdm CMD: ...", and where to find help, to stderr; returns SPDM_EXIT_USAGE. */
int spdm_options_error(const struct spdm_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void spdm_options_help(const struct spdm_command *command, FILE *out);
/* A bash completion script for all commands (NULL-ended list). */
void spdm_options_completion(const struct spdm_command *const *commands, FILE *out);
/* The candidate (NULL-ended) nearest to text if it is near enough for a suggestion, else NULL. */
const char *spdm_options_nearest(const char *text, const char *const *candidates);

/* Whether to colour what goes to this file: it is a terminal, TERM is not dumb and NO_COLOR is not set. */
bool spdm_options_colour(FILE *out);
#endif
