/* SPDX-License-Identifier: BSD-3-Clause
 *
 * main.c - `spdm`: picks the subcommand.
 *
 * `commands` is the one list of them. Adding one is a row here and its struct
 * spdm_command; help, suggestions and completion follow. */
#include "options.h"

#include <assay/spdm.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

extern const struct spdm_command spdm_attest_command, spdm_info_command, spdm_provision_command, spdm_vendor_command,
    spdm_watch_command, spdm_connect_command, spdm_respond_command, spdm_decode_command, spdm_keys_command;
static const struct spdm_command help_command, completion_command;

static const struct spdm_command *const commands[] = {
    &spdm_attest_command, &spdm_info_command,    &spdm_provision_command, &spdm_vendor_command,
    &spdm_watch_command,  &spdm_connect_command, &spdm_respond_command,   &spdm_decode_command,
    &spdm_keys_command,   &completion_command,   &help_command,           NULL};

static const char exit_codes[] = "Exit codes, of every command:\n"
                                 "  0  trusted, or done\n"
                                 "  1  not trusted\n"
                                 "  2  wrong usage or an unusable file; nothing was sent\n"
                                 "  3  peer unreachable, or timed out\n"
                                 "  4  peer broke the protocol\n";

static void overview(FILE *out)
{
    bool colour = spdm_options_colour(out);
    const char *bold = colour ? "\033[1m" : "", *plain = colour ? "\033[0m" : "";
    fprintf(out, "Usage: spdm COMMAND [OPTION...] [ARGUMENT...]\n\n%sCommands%s\n", bold, plain);
    for (unsigned i = 0; commands[i] != NULL; i++)
        fprintf(out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(out, "\n`spdm COMMAND --help` explains a command, `spdm --version` tells the version.\n\n%s", exit_codes);
}

static const struct spdm_command *find(const char *name)
{
    for (unsigned i = 0; commands[i] != NULL; i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    return NULL;
}

static int unknown(const char *name)
{
    const char *names[sizeof commands / sizeof *commands] = {NULL}, *near;
    for (unsigned i = 0; commands[i] != NULL; i++) names[i] = commands[i]->name;
    near = spdm_options_nearest(name, names);
    fprintf(stderr, "spdm: there is no %s \"%s\"%s%s%s\n`spdm --help` lists the commands.\n",
            name[0] == '-' ? "option" : "command", name, near != NULL ? "; did you mean " : "",
            near != NULL ? near : "", near != NULL ? "?" : "");
    return SPDM_EXIT_USAGE;
}

/* ---- the commands about commands ---- */

static int help_main(int argc, char **argv)
{
    struct spdm_texts names = {NULL, 0};
    int rc = spdm_options_parse(&help_command, argc, argv, NULL, &names);
    if (rc != SPDM_PARSED) return rc;
    if (names.n == 0) {
        overview(stdout);
        return SPDM_EXIT_OK;
    }
    if (find(names.v[0]) == NULL) return unknown(names.v[0]);
    spdm_options_help(find(names.v[0]), stdout);
    return SPDM_EXIT_OK;
}

static int completion_main(int argc, char **argv)
{
    struct spdm_texts shells = {NULL, 0};
    int rc = spdm_options_parse(&completion_command, argc, argv, NULL, &shells);
    if (rc != SPDM_PARSED) return rc;
    if (strcmp(shells.v[0], "bash") != 0)
        return spdm_options_error(&completion_command, "there is a completion for bash only, not for \"%s\"",
                                  shells.v[0]);
    spdm_options_completion(commands, stdout);
    return SPDM_EXIT_OK;
}

static const struct spdm_option none[] = {{.name = NULL}};
static const struct spdm_command help_command = {.name = "help",
                                                 .summary = "explain a command",
                                                 .operands = "[COMMAND]",
                                                 .operand_max = 1,
                                                 .options = none,
                                                 .main = help_main};
static const struct spdm_command completion_command = {
    .name = "completion",
    .summary = "print a completion script for the shell",
    .operands = "bash",
    .about = "Prints a script that lets the shell complete commands, options and files. For this session: source "
             "<(spdm completion bash)",
    .operand_min = 1,
    .operand_max = 1,
    .options = none,
    .main = completion_main};

/* Whoever started us without one of them must not find that file or a socket of ours has its number. What stands in is
 * opened the wrong way round, so that its use is an error as before. */
static void have_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0) (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
    const struct spdm_command *command;
    int rc;
    have_standard_files();
    if (argc < 2) {
        overview(stderr);
        return SPDM_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        overview(stdout);
        return SPDM_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("spdm of %s\n", spdm_library_version());
        return SPDM_EXIT_OK;
    }
    command = find(argv[1]);
    if (command == NULL) return unknown(argv[1]);
    rc = command->main(argc - 1, argv + 1);
    if (fflush(stdout) != 0 && rc == SPDM_EXIT_OK) {
        fputs("spdm: cannot write the output\n", stderr);
        return SPDM_EXIT_USAGE;
    }
    return rc;
}
