/* SPDX-License-Identifier: BSD-3-Clause
 *
 * connect_options.c - the command line of `spdm connect`. */
#include "connect_options.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* 64M, 64MiB, 1G, 4096; binary units */
static bool parse_size(const char *text, void *field, char *error, size_t cap)
{
    static const char *const units[] = {"", "K", "M", "G", "T"};
    char *end = NULL;
    errno = 0;
    unsigned long long n = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;
    for (size_t i = 0; end != NULL && errno == 0 && i < sizeof units / sizeof units[0]; i++) {
        size_t unit = strlen(units[i]);
        const char *rest = end + unit;
        bool named = strncasecmp(end, units[i], unit) == 0 &&
                     (*rest == '\0' || (unit != 0 && (strcasecmp(rest, "iB") == 0 || strcasecmp(rest, "B") == 0)));
        if (!named || n > UINT64_MAX >> (10 * i)) continue;
        *(uint64_t *)field = (uint64_t)n << (10 * i);
        return true;
    }
    snprintf(error, cap, "a size as 64MiB, 512K or 1G was expected, or 0 for never");
    return false;
}

static bool parse_forward(const char *text, void *field, char *error, size_t cap)
{
    struct spdm_connect_options *o =
        (struct spdm_connect_options *)((char *)field - offsetof(struct spdm_connect_options, forward));
    o->forwards = true;
    return spdm_forward_parse(text, &o->forward, error, cap);
}

#define AT(field) offsetof(struct spdm_connect_options, field)

static const struct spdm_option options[] = {
    SPDM_OPTION_PART(spdm_peer_trust_options, AT(peer)),
    {.name = "reference",
     .letter = 'r',
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(peer.reference),
     .value = "FILE",
     .help = "measurements that the device must have, see spdm-reference(5); read inside the session, before any data"},
    SPDM_OPTION_PART(spdm_peer_negotiate_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_slot_options, AT(peer)),
    SPDM_OPTION_GROUP("The session"),
    SPDM_OPTION_PART(spdm_peer_session_options, AT(peer)),
    {.name = "rekey",
     .kind = SPDM_OPTION_OWN,
     .at = AT(rekey),
     .value = "SIZE",
     .parse = parse_size,
     .help = "new keys after so much data in either direction: 512K, 1GiB, 0 for never (default 64MiB)"},
    SPDM_OPTION_GROUP("What to join to it"),
    {.name = "forward",
     .letter = 'f',
     .kind = SPDM_OPTION_OWN,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(forward),
     .value = "PATH|HOST:PORT",
     .parse = parse_forward,
     .help = "instead of standard input and output: listen here, and give each program that connects a session of its "
             "own"},
    {.name = "public",
     .kind = SPDM_OPTION_FLAG,
     .at = AT(public),
     .help = "allow an address there that other machines can reach"},
    SPDM_OPTION_PART(spdm_peer_time_options, AT(peer)),
    SPDM_OPTION_GROUP("What to write"),
    {.name = "stats", .kind = SPDM_OPTION_FLAG, .at = AT(stats), .help = "at the end: bytes, time, speed, key updates"},
    {.name = "quiet", .letter = 'q', .kind = SPDM_OPTION_FLAG, .at = AT(quiet), .help = "errors only"},
    SPDM_OPTION_PART(spdm_peer_record_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_keylog_options, AT(peer)),
    {.name = NULL},
};

const struct spdm_command spdm_connect_command = {
    .name = "connect",
    .summary = "a secure pipe to an application on a device",
    .operands = "TARGET",
    .about =
        "Attests the device, opens a secure session with it, and joins the session to standard input and output, or "
        "to a socket: what is written here is read by the application there (such as that of `spdm respond "
        "--app`), and the other way round. A device that is not trusted gets no session and no byte.",
    .more =
        "Exit code: 0 everything was said in both directions, 1 not trusted, 2 wrong usage, or the output cannot be "
        "written, 3 unreachable, timed out or gone, 4 protocol error.\n"
        "\n"
        "Examples:\n"
        "  spdm connect --trust root.pem tcp://10.0.0.5 <request >answer\n"
        "  spdm connect --psk key --forward /run/device.sock tcp://10.0.0.5\n"
        "  spdm connect --trust root.pem --forward 127.0.0.1:8080 --rekey 1GiB tcp://10.0.0.5",
    .operand_min = 1,
    .operand_max = 1,
    .operand_complete = SPDM_COMPLETE_TARGET,
    .options = options,
    .main = spdm_connect_main,
};

int spdm_connect_parse(int argc, char **argv, struct spdm_connect_options *out, struct spdm_texts *target)
{
    *out = (struct spdm_connect_options){.peer = SPDM_PEER_DEFAULTS, .rekey = (uint64_t)64 << 20};
    int rc = spdm_options_parse(&spdm_connect_command, argc, argv, out, target);
    if (rc != SPDM_PARSED) return rc;
    const char *wrong = spdm_peer_contradiction(&out->peer, true);
    if (wrong == NULL && out->public && !out->forwards) wrong = "--public is about --forward: give it, too";
    return wrong == NULL ? SPDM_PARSED : spdm_options_error(&spdm_connect_command, "%s", wrong);
}
