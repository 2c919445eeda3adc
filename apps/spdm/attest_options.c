/* SPDX-License-Identifier: BSD-3-Clause
 *
 * attest_options.c - the command line of `spdm attest`.
 *
 * The table, the values that have a form of their own, and the combinations
 * that make no sense. Nothing here opens a file or a connection. */
#include "attest_options.h"
#include "names.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Takes the next item off a list separated by commas: its length, and *rest moved behind it; 0 at the end. */
static size_t item(const char **rest, const char **out)
{
    *out = *rest;
    size_t n = strcspn(*rest, ",");
    *rest += n + ((*rest)[n] == ',' ? 1 : 0);
    return n;
}

static bool parse_versions(const char *text, void *field, char *error, size_t cap)
{
    uint8_t *out = field;
    size_t n = 0;
    memset(out, 0, 6);
    do {
        const char *at;
        char name[8] = {0};
        size_t length = item(&text, &at);
        if (length < sizeof name) memcpy(name, at, length);
        uint8_t version = spdm_version_named(name);
        if (version == 0 || memchr(out, version, 6) != NULL || n == 5) {
            snprintf(error, cap, "a list of different versions from 1.0 to 1.4 was expected, best first: 1.3,1.2");
            return false;
        }
        out[n++] = version;
    } while (*text != '\0');
    return true;
}

static bool parse_algorithms(const char *text, struct spdm_algorithm_list *out, bool hash, char *error, size_t cap)
{
    size_t n = 0;
    memset(out, 0, sizeof *out);
    do {
        const char *at;
        char name[40] = {0};
        size_t length = item(&text, &at);
        if (length < sizeof name) memcpy(name, at, length);
        enum spdm_alg id = spdm_algorithm_named(name);
        uint8_t cls = spdm_algorithm(id)->cls;
        if (hash ? cls != SPDM_CLASS_HASH : cls != SPDM_CLASS_ASYM && cls != SPDM_CLASS_PQC) {
            char *safe = spdm_text_safe_string(name);
            snprintf(error, cap, "\"%s\" is no %s algorithm of SPDM; names are like %s", safe,
                     hash ? "hash" : "signature", hash ? "SHA_384 or SHA3_256" : "ECDSA_P384 or RSAPSS_3072");
            free(safe);
            return false;
        }
        if (memchr(out->id, (int)id, n) == NULL) out->id[n++] = (uint8_t)id;
    } while (*text != '\0');
    return true;
}

static bool parse_hashes(const char *text, void *field, char *error, size_t cap)
{
    return parse_algorithms(text, field, true, error, cap);
}

static bool parse_signatures(const char *text, void *field, char *error, size_t cap)
{
    return parse_algorithms(text, field, false, error, cap);
}

/* 0, 0,2, 1-3, or a mask 0x0f */
static bool parse_slots(const char *text, void *field, char *error, size_t cap)
{
    unsigned mask = 0;
    bool good = true;
    if (strncasecmp(text, "0x", 2) == 0) {
        char *end;
        unsigned long n = strtoul(text + 2, &end, 16);
        good = end != text + 2 && *end == '\0' && n <= 0xff;
        mask = (unsigned)(n & 0xff);
    } else if (strcmp(text, "all") != 0) {
        do {
            const char *at;
            size_t n = item(&text, &at);
            bool range = n == 3 && at[1] == '-';
            int first = n == 1 || range ? at[0] - '0' : -1, last = range ? at[2] - '0' : first;
            good = good && first >= 0 && last <= 7 && first <= last;
            for (int slot = first; good && slot <= last; slot++) mask |= 1u << slot;
        } while (*text != '\0');
    } else {
        mask = 0xff;
    }
    if (!good || mask == 0) {
        snprintf(error, cap, "slots are 0 to 7: one (0), a list (0,2-4), a mask (0x1d) or all");
        return false;
    }
    *(uint8_t *)field = (uint8_t)mask;
    return true;
}

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
static const char *const pcap_formats[] = {"wireshark", "dmtf", NULL};

#define AT(field) offsetof(struct spdm_attest_options, field)

static const struct spdm_option options[] = {
    SPDM_OPTION_GROUP("Whom to trust"),
    {.name = "trust",
     .letter = 't',
     .kind = SPDM_OPTION_LIST,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(trust),
     .value = "FILE|DIR",
     .help = "root certificates to trust, PEM or DER; may be repeated"},
    {.name = "public-key",
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(public_key),
     .value = "FILE",
     .help = "the device's public key as provisioned, PEM or DER, instead of certificates"},
    {.name = "no-time",
     .kind = SPDM_OPTION_FLAG,
     .at = AT(no_time),
     .help = "do not check the validity of certificates against the clock"},
    {.name = "cache",
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(cache),
     .value = "DIR",
     .help = "keep certificate chains here, and do not fetch known ones again"},
    SPDM_OPTION_GROUP("What to negotiate"),
    {.name = "slot",
     .kind = SPDM_OPTION_OWN,
     .at = AT(slots),
     .value = "N",
     .parse = parse_slots,
     .help = "certificate slots that will do: 0, 0,2-4 or a mask 0x1d (default all)"},
    {.name = "version",
     .kind = SPDM_OPTION_OWN,
     .at = AT(versions),
     .value = "LIST",
     .parse = parse_versions,
     .help = "SPDM versions to accept, best first: 1.3,1.2 (default 1.4,1.3,1.2,1.1,1.0)"},
    {.name = "hash",
     .kind = SPDM_OPTION_OWN,
     .at = AT(hashes),
     .value = "LIST",
     .parse = parse_hashes,
     .help = "hash algorithms to accept, best first: SHA_384,SHA_256"},
    {.name = "signature",
     .kind = SPDM_OPTION_OWN,
     .at = AT(signatures),
     .value = "LIST",
     .parse = parse_signatures,
     .help = "signature algorithms to accept, best first: ECDSA_P384,RSAPSS_3072"},
    {.name = "multi-key",
     .kind = SPDM_OPTION_FLAG,
     .at = AT(multi_key),
     .help = "ask for a connection with a key for each slot, where the device leaves the choice (SPDM 1.3)"},
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
     .at = AT(reference),
     .value = "FILE",
     .help = "expected measurements, see spdm-reference(5); any difference is a refusal"},
    {.name = "save-reference",
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(save_reference),
     .value = "FILE",
     .help = "write the measurements of a trusted device as such a file"},
    SPDM_OPTION_GROUP("How long to try"),
    {.name = "timeout",
     .kind = SPDM_OPTION_TIME,
     .at = AT(timeout),
     .value = "SECONDS",
     .min = 1,
     .max = 3600000,
     .help = "give up on a device after so long (default 30)"},
    {.name = "retries",
     .kind = SPDM_OPTION_NUMBER,
     .at = AT(retries),
     .value = "N",
     .max = 20,
     .help = "repeat a request so often within that time when no answer comes (default 0)"},
    SPDM_OPTION_GROUP("What to write"),
    {.name = "json",
     .letter = 'j',
     .kind = SPDM_OPTION_FLAG,
     .at = AT(json),
     .help = "the report as JSON: one object, one per line with several targets"},
    {.name = "quiet", .letter = 'q', .kind = SPDM_OPTION_FLAG, .at = AT(quiet), .help = "nothing but the exit code"},
    {.name = "trace", .kind = SPDM_OPTION_FLAG, .at = AT(trace), .help = "every message, field by field, to stderr"},
    {.name = "pcap",
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(pcap),
     .value = "FILE",
     .help = "a capture of the conversation"},
    {.name = "pcap-format",
     .kind = SPDM_OPTION_CHOICE,
     .at = AT(pcap_format),
     .value = "wireshark|dmtf",
     .choices = pcap_formats,
     .help = "for Wireshark, or for DMTF's own tools (default wireshark)"},
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
    if (o->public_key != NULL && o->trust.n != 0) return "--public-key is instead of certificates: --trust has no use";
    if (o->public_key != NULL && o->cache != NULL) return "--public-key needs no certificates: --cache has no use";
    if (o->reference != NULL && !values) return "--reference needs the values of measurements";
    if (o->save_reference != NULL && (!values || o->measurements.operation == SPDM_MEASURE_INDEX))
        return "--save-reference needs all measurements";
    if (o->save_reference != NULL && o->unsigned_only)
        return "--save-reference needs signed measurements: what anybody could have sent is no reference";
    if (o->measurements.none && (o->raw || o->fresh || o->unsigned_only))
        return "--raw, --fresh and --unsigned say how to measure, and --measurements is none";
    if (targets > 1 && o->save_reference != NULL) return "--save-reference takes one target";
    if (targets > 1 && o->evidence != NULL) return "--evidence takes one target";
    if (o->quiet && o->json) return "--quiet and --json exclude each other";
    return NULL;
}

int spdm_attest_parse(int argc, char **argv, struct spdm_attest_options *out, struct spdm_texts *targets)
{
    *out = (struct spdm_attest_options){.slots = 0xff, .timeout = 30000};
    int rc = spdm_options_parse(&spdm_attest_command, argc, argv, out, targets);
    if (rc != SPDM_PARSED) return rc;
    const char *wrong = contradiction(out, targets->n);
    return wrong == NULL ? SPDM_PARSED : spdm_options_error(&spdm_attest_command, "%s", wrong);
}
