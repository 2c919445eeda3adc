/* SPDX-License-Identifier: BSD-3-Clause
 *
 * info.c - `spdm info`: everything that a device says of itself. */
#include "info.h"
#include "options.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct options {
    struct spdm_peer_options peer;
    bool session, json;
};

#define AT(field) offsetof(struct options, field)

static const struct spdm_option options[] = {
    SPDM_OPTION_PART(spdm_peer_trust_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_negotiate_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_slot_options, AT(peer)),
    SPDM_OPTION_GROUP("The session"),
    {.name = "session",
     .letter = 's',
     .kind = SPDM_OPTION_FLAG,
     .at = AT(session),
     .help = "attest the device, and ask for all but certificates in a session with it"},
    SPDM_OPTION_PART(spdm_peer_session_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_time_options, AT(peer)),
    SPDM_OPTION_GROUP("What to write"),
    {.name = "json", .letter = 'j', .kind = SPDM_OPTION_FLAG, .at = AT(json), .help = "as a JSON object"},
    SPDM_OPTION_PART(spdm_peer_record_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_keylog_options, AT(peer)),
    {.name = NULL},
};

static int info_main(int argc, char **argv);

const struct spdm_command spdm_info_command = {
    .name = "info",
    .summary = "print everything a device says of itself",
    .operands = "TARGET",
    .about =
        "Asks a device for its capabilities and algorithms, the certificates in all slots, measurements, key pairs, "
        "its measurement extension log, device classes, events and banks of certificate slots, as far as it has "
        "them, and prints the answers. They are the device's word: what it can prove, `spdm attest` finds out.",
    .more =
        "Exit code: 0 it was asked for everything, even if it refused some of it, 1 --session and it is not trusted, "
        "2 wrong usage, 3 unreachable or timed out, 4 it broke the protocol.\n"
        "\n"
        "Examples:\n"
        "  spdm info tcp://10.0.0.5\n"
        "  spdm info --multi-key --json tcp://10.0.0.5 | jq .key_pairs\n"
        "  spdm info --session --trust root.pem tcp://10.0.0.5",
    .operand_min = 1,
    .operand_max = 1,
    .operand_complete = SPDM_COMPLETE_TARGET,
    .options = options,
    .main = info_main,
};

static bool print(const struct options *o, const struct spdm_info *info)
{
    struct spdm_screen screen = spdm_screen_on(stdout);
    bool good = true;
    if (o->json) {
        json_t *report = spdm_info_json(info);
        good = json_dumpf(report, stdout, JSON_INDENT(2)) == 0 && fputc('\n', stdout) != EOF;
        json_decref(report);
    } else {
        spdm_info_print(info, &screen);
    }
    return good && fflush(stdout) == 0;
}

static int run(const struct options *o, struct spdm_setup *setup, const char *text)
{
    struct spdm_target target;
    struct spdm_info info;
    char error[SPDM_REASON_MAX];
    if (!spdm_target_parse(text, false, &target, error)) {
        spdm_setup_complain(setup, "%s", error);
        return SPDM_EXIT_USAGE;
    }
    if (!spdm_setup_open(setup) || !spdm_setup_record(setup, target.binding)) return SPDM_EXIT_USAGE;
    spdm_info_ask(setup, &target, &info);
    int exit = info.exit;
    if (!print(o, &info)) {
        spdm_setup_complain(setup, "cannot write the output");
        exit = SPDM_EXIT_USAGE;
    }
    spdm_info_clear(&info);
    return exit;
}

static int info_main(int argc, char **argv)
{
    struct options o = {.peer = SPDM_PEER_DEFAULTS};
    struct spdm_texts target = {NULL, 0};
    int rc = spdm_options_parse(&spdm_info_command, argc, argv, &o, &target);
    if (rc != SPDM_PARSED) return rc;
    const char *wrong = spdm_peer_contradiction(&o.peer, o.session);
    if (wrong != NULL) return spdm_options_error(&spdm_info_command, "%s", wrong);
    struct spdm_setup setup = {.command = "info", .options = &o.peer, .session = o.session};
    signal(SIGPIPE, SIG_IGN);
    rc = run(&o, &setup, target.v[0]);
    if (!spdm_setup_close(&setup)) rc = SPDM_EXIT_USAGE;
    return rc;
}
