/* SPDX-License-Identifier: BSD-3-Clause
 *
 * attest_options.c - the command line of `spdm attest`.
 *
 * The table, the values that have a form of their own, and the combinations
 * that make no sense. Nothing here opens a file or a connection. */
#include "attest_options.h"
#include <stdlib.h>
#include <string.h>

static bool parse_measurements(const char *text, void *field, char *error, size_t cap)
{
    struct spdm_measure_choice *out = field;
    *out = (struct spdm_measure_choice){.operation = SPDM_MEASURE_ALL};
    if (strcmp(text, "all") == 0) return true;
    if (strcmp(text, "none") == 0) return out->none = true;
    out->operation = SPDM_MEASURE_EACH;
    if (strcmp(text, "each") == 0) return true;
    out->operation = SPDM_MEASURE_COUNT;
    if (strcmp(text, "count") == 0) return true;
    char *end;
    unsigned long n = strtoul(text, &end, 0);
    out->operation = SPDM_MEASURE_INDEX;
    out->index = (uint8_t)n;
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && n >= 1 && n <= 0xfe) return true;
    snprintf(error, cap, "all, each, count, none or an index from 1 to 254 was expected");
    return false;
}

static const char *const summaries[] = {"none", "tcb", "all", NULL};

#define AT(field) offsetof(struct spdm_attest_options, field)

static const struct spdm_option options[] = {
    SPDM_OPTION_PART(spdm_peer_trust_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_negotiate_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_slot_options, AT(peer)),
    SPDM_OPTION_GROUP("The connection"),
    {.name = "listen",
     .kind = SPDM_OPTION_FLAG,
     .at = AT(listen),
     .help = "wait at TARGET, over TCP, for the device to connect (DSP0287, role inquiry), as "
             "`spdm respond --reach-out` does"},
    SPDM_OPTION_GROUP("The session"),
    {.name = "session",
     .letter = 's',
     .kind = SPDM_OPTION_FLAG,
     .at = AT(session),
     .help = "open a secure session, measure inside it, and end it"},
    SPDM_OPTION_PART(spdm_peer_session_options, AT(peer)),
    SPDM_OPTION_GROUP("What to ask for"),
    {.name = "challenge",
     .kind = SPDM_OPTION_FLAG,
     .at = AT(challenge),
     .help = "send CHALLENGE even where signed measurements prove the same"},
    {.name = "no-challenge", .kind = SPDM_OPTION_FLAG, .at = AT(no_challenge), .help = "never send CHALLENGE"},
    {.name = "measurements",
     .letter = 'm',
     .kind = SPDM_OPTION_OWN,
     .at = AT(measurements),
     .value = "WHICH",
     .parse = parse_measurements,
     .help = "all (in one message), each (one by one), count, none, or an index (default all)"},
    {.name = "raw",
     .kind = SPDM_OPTION_FLAG,
     .at = AT(raw),
     .help = "raw values instead of digests where there are any"},
    {.name = "unsigned",
     .kind = SPDM_OPTION_FLAG,
     .at = AT(unsigned_only),
     .help = "do not ask for a signature on them"},
    {.name = "fresh", .kind = SPDM_OPTION_FLAG, .at = AT(fresh), .help = "have them taken anew (SPDM 1.3)"},
    {.name = "summary",
     .kind = SPDM_OPTION_CHOICE,
     .at = AT(summary),
     .value = "none|tcb|all",
     .choices = summaries,
     .help = "measurement summary hash in CHALLENGE (default none)"},
    SPDM_OPTION_GROUP("What to compare"),
    {.name = "reference",
     .letter = 'r',
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(peer.reference),
     .value = "FILE",
     .help = "expected measurements, see spdm-reference(5); any difference is a refusal"},
    {.name = "save-reference",
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(save_reference),
     .value = "FILE",
     .help = "write the measurements of a trusted device as such a file"},
    SPDM_OPTION_PART(spdm_peer_time_options, AT(peer)),
    SPDM_OPTION_GROUP("Misbehaviour"),
    {.name = "tamper",
     .kind = SPDM_OPTION_OWN,
     .at = AT(tamper),
     .value = "LIST",
     .parse = spdm_tamper_parse,
     .help = "misbehave, so that devices can be tested: wrong-version, cut, skip=MESSAGE, delay=TIME, wrong-mac, "
             "MESSAGE.FIELD, ...; help lists them"},
    SPDM_OPTION_GROUP("What to write"),
    {.name = "json",
     .letter = 'j',
     .kind = SPDM_OPTION_FLAG,
     .at = AT(json),
     .help = "the report as JSON: one object, one per line with several targets"},
    {.name = "quiet", .letter = 'q', .kind = SPDM_OPTION_FLAG, .at = AT(quiet), .help = "nothing but the exit code"},
    SPDM_OPTION_PART(spdm_peer_record_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_keylog_options, AT(peer)),
    {.name = "evidence",
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(evidence),
     .value = "FILE",
     .help = "every message and the chain, to verify the signatures again later"},
    {.name = NULL},
};

const struct spdm_command spdm_attest_command = {
    .name = "attest",
    .summary = "find out who a device is and what it runs",
    .operands = "TARGET...",
    .about = "Asks each device for its certificates, has it prove that it holds the key, and reads its measurements. "
             "A device is trusted if its chain leads to a root given with --trust, a fresh signature by its key "
             "verified, and, with --reference, every measurement is as expected.",
    .more = "Exit code: 0 trusted, 1 not trusted, 2 wrong usage, 3 unreachable or timed out, 4 protocol error. With "
            "several targets the worst: 1, then 4, then 3.\n"
            "\n"
            "Examples:\n"
            "  spdm attest --trust root.pem tcp://10.0.0.5\n"
            "  spdm attest --trust roots/ --save-reference good.json emu+mctp://127.0.0.1\n"
            "  spdm attest --trust roots/ --reference good.json --json tcp://10.0.0.5 tcp://10.0.0.6",
    .operand_min = 1,
    .operand_max = UINT_MAX,
    .operand_complete = SPDM_COMPLETE_TARGET,
    .options = options,
    .main = spdm_attest_main,
};

/* What excludes or needs each other. NULL if all is well. */
static const char *contradiction(const struct spdm_attest_options *o, size_t targets)
{
    bool values = !o->measurements.none && o->measurements.operation != SPDM_MEASURE_COUNT;
    if (o->challenge && o->no_challenge) return "--challenge and --no-challenge exclude each other";
    if (o->no_challenge && o->summary != 0) return "--summary comes with CHALLENGE, which --no-challenge forbids";
    if (o->peer.reference != NULL && !values) return "--reference needs the values of measurements";
    if (o->save_reference != NULL && (!values || o->measurements.operation == SPDM_MEASURE_INDEX))
        return "--save-reference needs all measurements";
    if (o->save_reference != NULL && o->unsigned_only)
        return "--save-reference needs signed measurements: what anybody could have sent is no reference";
    if (o->measurements.none && (o->raw || o->fresh || o->unsigned_only))
        return "--raw, --fresh and --unsigned say how to measure, and --measurements is none";
    if (targets > 1 && o->save_reference != NULL) return "--save-reference takes one target";
    if (targets > 1 && o->evidence != NULL) return "--evidence takes one target";
    if (o->quiet && o->json) return "--quiet and --json exclude each other";
    return spdm_peer_contradiction(&o->peer, o->session);
}

int spdm_attest_parse(int argc, char **argv, struct spdm_attest_options *out, struct spdm_texts *targets)
{
    *out = (struct spdm_attest_options){.peer = SPDM_PEER_DEFAULTS};
    int rc = spdm_options_parse(&spdm_attest_command, argc, argv, out, targets);
    if (rc != SPDM_PARSED) return rc;
    const char *wrong = contradiction(out, targets->n);
    return wrong == NULL ? SPDM_PARSED : spdm_options_error(&spdm_attest_command, "%s", wrong);
}
