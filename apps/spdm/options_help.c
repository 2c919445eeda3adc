/* SPDX-License-Identifier: BSD-3-Clause
 *
 * options_help.c - --help and the bash completion, both from the same tables.
 *
 * Text is wrapped to the width of the terminal, 80 columns elsewhere. Nothing
 * is written by hand here that the tables know: an option that exists is shown
 * and completed. */
#include "options.h"
#include "port/link.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define TEXT_AT 28 /* column where the explanations stand */

/* ---- wrapping ---- */

static size_t width_of(FILE *out)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    long n = columns != NULL ? strtol(columns, NULL, 10) : 0;
    if (n <= 0 && ioctl(fileno(out), TIOCGWINSZ, &size) == 0) n = size.ws_col;
    if (n < 40) n = 80;
    return n > 110 ? 110 : (size_t)n;
}

static void pad(FILE *out, size_t n)
{
    while (n-- != 0) fputc(' ', out);
}

/* Writes words from column `at` on; lines begin at `indent`. A line that begins with a space is not wrapped. */
static void wrap(FILE *out, const char *text, size_t at, size_t indent)
{
    size_t width = width_of(out);
    while (*text != '\0') {
        size_t n = strcspn(text, " \n");
        if (at <= indent && *text == ' ') {
            n = strcspn(text, "\n");
            pad(out, indent - at);
            fwrite(text, 1, n, out);
            at = width;
        } else if (n != 0) {
            if (at > indent && at + 1 + n > width) {
                fputc('\n', out);
                at = 0;
            } else if (at > indent) {
                fputc(' ', out);
                at++;
            }
            if (at < indent) {
                pad(out, indent - at);
                at = indent;
            }
            fwrite(text, 1, n, out);
            at += n;
        }
        text += n;
        if (*text == '\n') {
            fputc('\n', out);
            at = 0;
        }
        if (*text != '\0') text++;
    }
    fputc('\n', out);
}

/* ---- help ---- */

static void heading(FILE *out, const char *title)
{
    bool colour = spdm_options_colour(out);
    fprintf(out, "\n%s%s%s\n", colour ? "\033[1m" : "", title, colour ? "\033[0m" : "");
}

static void join_choices(const struct spdm_option *o, const char *between, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = '\0';
    for (unsigned i = 0; o->choices[i] != NULL && n < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s%s", i != 0 ? between : "", o->choices[i]);
}

static void show_option(FILE *out, const struct spdm_option *o)
{
    char choices[200] = "", left[300];
    const char *value = o->value;
    int n;
    if (value == NULL && o->kind == SPDM_OPTION_CHOICE) {
        join_choices(o, "|", choices, sizeof choices);
        value = choices;
    }
    n = snprintf(left, sizeof left, "  %c%c%c --%s%s%s", o->letter != '\0' ? '-' : ' ',
                 o->letter != '\0' ? o->letter : ' ', o->letter != '\0' ? ',' : ' ', o->name, value != NULL ? " " : "",
                 value != NULL ? value : "");
    fputs(left, out);
    if (n >= TEXT_AT - 1) {
        fputc('\n', out);
        n = 0;
    }
    wrap(out, o->help != NULL ? o->help : "", (size_t)n, TEXT_AT);
}

void spdm_options_help(const struct spdm_command *command, FILE *out)
{
    static const struct spdm_option help = {.name = "help", .letter = 'h', .help = "show this text"};
    struct spdm_option_walk walk = spdm_option_rows(command->options);
    const struct spdm_option *o = spdm_option_row(&walk);
    fprintf(out, "Usage: spdm %s [OPTION...]%s%s\n", command->name, command->operands != NULL ? " " : "",
            command->operands != NULL ? command->operands : "");
    fprintf(out, "\n");
    wrap(out, command->about != NULL ? command->about : command->summary, 0, 0);
    if (o == NULL || o->name != NULL) heading(out, "Options");
    for (; o != NULL; o = spdm_option_row(&walk)) {
        if (o->name == NULL) heading(out, o->help);
        else show_option(out, o);
    }
    show_option(out, &help);
    if (command->more != NULL) {
        fputc('\n', out);
        wrap(out, command->more, 0, 0);
    }
}

/* ---- bash completion ---- */

static void complete_value(FILE *out, const struct spdm_command *c, const struct spdm_option *o)
{
    char choices[400];
    if (o->kind == SPDM_OPTION_FLAG) return;
    fprintf(out, "    '%s --%s'", c->name, o->name);
    if (o->letter != '\0') fprintf(out, "|'%s -%c'", c->name, o->letter);
    if (o->kind == SPDM_OPTION_CHOICE) {
        join_choices(o, " ", choices, sizeof choices);
        fprintf(out, ") _spdm_words '%s'; return ;;\n", choices);
    } else {
        static const char *const how[] = {"", "_spdm_files; ", "_spdm_targets; "};
        fprintf(out, ") %sreturn ;;\n", how[o->complete]);
    }
}

static void complete_command(FILE *out, const struct spdm_command *c)
{
    static const char *const how[] = {":", "_spdm_files", "_spdm_targets"};
    struct spdm_option_walk walk = spdm_option_rows(c->options);
    fprintf(out, "    %s)\n        case $cur in\n        -*) _spdm_words '", c->name);
    for (const struct spdm_option *o; (o = spdm_option_row(&walk)) != NULL;)
        if (o->name != NULL) fprintf(out, "--%s ", o->name);
    fprintf(out, "--help' ;;\n        *) %s ;;\n        esac ;;\n", how[c->operand_complete]);
}

void spdm_options_completion(const struct spdm_command *const *commands, FILE *out)
{
    fputs("# bash completion for spdm, made by `spdm completion bash`\n"
          "_spdm_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }\n"
          "_spdm_files() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); }\n"
          "_spdm_targets() {\n"
          "    compopt -o nospace 2>/dev/null\n"
          "    _spdm_words '",
          out);
    for (unsigned i = 0; spdm_target_form(i) != NULL; i++) {
        const char *form = spdm_target_form(i);
        fprintf(out, "%s%.*s", i != 0 ? " " : "", (int)(strstr(form, "://") - form + 3), form);
    }
    fputs("'\n}\n"
          "_spdm() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}\n"
          "    COMPREPLY=()\n"
          "    if ((COMP_CWORD == 1)); then\n"
          "        _spdm_words '",
          out);
    for (unsigned i = 0; commands[i] != NULL; i++) fprintf(out, "%s ", commands[i]->name);
    fputs("--help --version'\n        return\n    fi\n    case \"$command $prev\" in\n", out);
    for (unsigned i = 0; commands[i] != NULL; i++) {
        struct spdm_option_walk walk = spdm_option_rows(commands[i]->options);
        for (const struct spdm_option *o; (o = spdm_option_row(&walk)) != NULL;)
            if (o->name != NULL) complete_value(out, commands[i], o);
    }
    fputs("    esac\n    case $command in\n    help) _spdm_words '", out);
    for (unsigned i = 0; commands[i] != NULL; i++) fprintf(out, "%s ", commands[i]->name);
    fputs("' ;;\n", out);
    for (unsigned i = 0; commands[i] != NULL; i++)
        if (strcmp(commands[i]->name, "help") != 0) complete_command(out, commands[i]);
    fputs("    esac\n}\ncomplete -F _spdm spdm\n", out);
}
