/* SPDX-License-Identifier: BSD-3-Clause
 *
 * provision_options.c - the command line of `spdm provision`. Nothing here opens a file or a connection. */
#include "options.h"
#include "provision.h"
#include <string.h>

static const char *const models[] = {"auto", "device", "alias", "generic", NULL};

static bool parse_slot(const char *text, void *field, char *error, size_t cap)
{
    bool good = text[0] >= '0' && text[0] < '0' + SPDM_SLOT_N && text[1] == '\0';
    if (good) *(uint8_t *)field = (uint8_t)(text[0] - '0');
    else snprintf(error, cap, "one slot from 0 to 7 was expected");
    return good;
}

/* What a list of slots is elsewhere, or none. */
static bool parse_slots(const char *text, void *field, char *error, size_t cap)
{
    uint8_t mask = 0;
    bool good = strcmp(text, "none") == 0 || spdm_peer_parse_slots(text, &mask, error, cap);
    *(uint16_t *)field = (uint16_t)(PROVISION_SLOTS | mask);
    return good;
}

static bool parse_usage(const char *text, void *field, char *error, size_t cap)
{
    static const char *const names[] = {"key-exchange", "challenge", "measurements", "endpoint"};
    uint16_t usage = 0;
    for (size_t n; *text != '\0'; text += n + (text[n] == ',')) {
        unsigned bit = 0;
        n = strcspn(text, ",");
        while (bit < 4 && (strlen(names[bit]) != n || strncmp(names[bit], text, n) != 0)) bit++;
        if (bit == 4) {
            snprintf(error, cap, "a list of key-exchange, challenge, measurements and endpoint was expected");
            return false;
        }
        usage = (uint16_t)(usage | 1u << bit);
    }
    *(uint16_t *)field = usage;
    return true;
}

static bool parse_algorithm(const char *text, void *field, char *error, size_t cap)
{
    enum spdm_alg id = spdm_algorithm_named(text);
    *(uint8_t *)field = (uint8_t)id;
    if (id != SPDM_ALG_NONE && spdm_key_pair_bit(id) != 0) return true;
    snprintf(error, cap, "a signature algorithm was expected, such as ECDSA_P384, RSAPSS_3072 or ML_DSA_65");
    return false;
}

#define AT(field) offsetof(struct provision_options, field)

static const struct spdm_option options[] = {
    SPDM_OPTION_GROUP("The certificate"),
    {.name = "ca",
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(ca),
     .value = "DIR|KEY,CERTS",
     .help = "have the device's request signed by this authority: what `spdm keys --keep-ca` has made, or its private "
             "key and its certificates"},
    {.name = "chain-in",
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(chain_in),
     .value = "FILE",
     .help = "store this chain, PEM or DER, root included"},
    {.name = "csr-out",
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(csr_out),
     .value = "FILE",
     .help = "write the device's request, PEM, for an authority elsewhere; store nothing unless --ca is given"},
    {.name = "erase", .kind = SPDM_OPTION_FLAG, .at = AT(erase), .help = "erase the slot"},
    {.name = "model",
     .letter = 'm',
     .kind = SPDM_OPTION_CHOICE,
     .at = AT(model),
     .value = "auto|device|alias|generic",
     .choices = models,
     .help = "certificate model (default what the device says it has)"},
    {.name = "subject",
     .kind = SPDM_OPTION_TEXT,
     .at = AT(subject),
     .value = "NAME",
     .help = "with --ca, another name than that in the request: a common name, or \"CN=widget,O=ACME\""},
    {.name = "days",
     .kind = SPDM_OPTION_NUMBER,
     .at = AT(days),
     .value = "N",
     .min = 1,
     .max = 36500,
     .help = "with --ca, how long the certificate is valid (default 3650)"},
    {.name = "csr-info",
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(csr_info),
     .value = "FILE",
     .help = "what the device's request shall say: a CertificationRequestInfo, DER, which is sent as it is, or a "
             "request, PEM or DER, whose name and attributes are taken"},
    {.name = "csr-opaque",
     .kind = SPDM_OPTION_LIST,
     .at = AT(csr_opaque),
     .value = "BODY[:VENDOR]=DATA",
     .help = "send this with GET_CSR as opaque data: a standards body, its vendor id in hex, and hex or @FILE; may be "
             "repeated"},
    {.name = "csr-tag",
     .kind = SPDM_OPTION_NUMBER,
     .at = AT(csr_tag),
     .value = "N",
     .min = 1,
     .max = 7,
     .help = "fetch the request that was begun before the device was reset (SPDM 1.3)"},
    {.name = "overwrite-csr",
     .kind = SPDM_OPTION_FLAG,
     .at = AT(overwrite_csr),
     .help = "let the device give up requests that were begun before (SPDM 1.3)"},
    SPDM_OPTION_GROUP("Where to"),
    {.name = "slot",
     .kind = SPDM_OPTION_OWN,
     .at = AT(slot),
     .value = "N",
     .parse = parse_slot,
     .help = "the slot, which may be in use (default the first that is empty)"},
    {.name = "bank",
     .kind = SPDM_OPTION_NUMBER,
     .at = AT(bank),
     .value = "N",
     .max = 239,
     .help = "the bank that the slot is in (SPDM 1.4)"},
    {.name = "key-pair",
     .kind = SPDM_OPTION_NUMBER,
     .at = AT(key_pair),
     .value = "N",
     .min = 1,
     .max = 255,
     .help = "the key pair, where a device has several (default that of the slot; needs --multi-key)"},
    {.name = "wait-reset",
     .kind = SPDM_OPTION_TIME,
     .at = AT(wait_reset),
     .value = "SECONDS",
     .min = 1,
     .max = 3600000,
     .help = "if the device has to be reset, wait so long for it, and go on"},
    {.name = "dry-run",
     .letter = 'n',
     .kind = SPDM_OPTION_FLAG,
     .at = AT(dry_run),
     .help = "look, and tell what would be done; nothing is changed or signed"},
    SPDM_OPTION_GROUP("Key pairs and banks, before anything else"),
    {.name = "generate-key", .kind = SPDM_OPTION_FLAG, .at = AT(generate), .help = "have --key-pair made anew"},
    {.name = "erase-key", .kind = SPDM_OPTION_FLAG, .at = AT(erase_key), .help = "have --key-pair erased"},
    {.name = "key-slots",
     .kind = SPDM_OPTION_OWN,
     .at = AT(key_slots),
     .value = "LIST",
     .parse = parse_slots,
     .help = "the slots that --key-pair shall have: 0, 0,2-4, a mask 0x1d or none"},
    {.name = "key-usage",
     .kind = SPDM_OPTION_OWN,
     .at = AT(key_usage),
     .value = "LIST",
     .parse = parse_usage,
     .help = "what it shall be used for: key-exchange, challenge, measurements, endpoint"},
    {.name = "key-algorithm",
     .kind = SPDM_OPTION_OWN,
     .at = AT(key_algorithm),
     .value = "NAME",
     .parse = parse_algorithm,
     .help = "the algorithm it shall have: ECDSA_P384, ML_DSA_65, ..."},
    {.name = "bank-algorithm",
     .kind = SPDM_OPTION_OWN,
     .at = AT(bank_algorithm),
     .value = "NAME",
     .parse = parse_algorithm,
     .help = "the algorithm that --bank shall have"},
    SPDM_OPTION_PART(spdm_peer_trust_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_negotiate_options, AT(peer)),
    SPDM_OPTION_GROUP("The session"),
    {.name = "session",
     .letter = 's',
     .kind = SPDM_OPTION_FLAG,
     .at = AT(session),
     .help = "attest the device, and do all this in a session with it"},
    SPDM_OPTION_PART(spdm_peer_session_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_time_options, AT(peer)),
    SPDM_OPTION_GROUP("What to write"),
    {.name = "json", .letter = 'j', .kind = SPDM_OPTION_FLAG, .at = AT(json), .help = "what was done as a JSON object"},
    SPDM_OPTION_PART(spdm_peer_record_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_keylog_options, AT(peer)),
    {.name = NULL},
};

const struct spdm_command spdm_provision_command = {
    .name = "provision",
    .summary = "give a device a certificate",
    .operands = "TARGET",
    .about = "Asks a device for a certificate request, has it signed by a local authority, stores the chain in a slot "
             "of the device, and attests the device by it. Or does a part of that: only fetches the request, only "
             "stores a chain, erases a slot, changes a key pair.",
    .more =
        "Exit code: 0 done, or done as far as it goes before a reset; 1 the device is not trusted, or does not show "
        "the new certificate; 2 wrong usage; 3 unreachable or timed out; 4 the device refused, or broke the "
        "protocol.\n"
        "\n"
        "Examples:\n"
        "  spdm keys --keep-ca --out ca\n"
        "  spdm provision --ca ca --dry-run tcp://10.0.0.5\n"
        "  spdm provision --ca ca --slot 1 --session --trust root.pem tcp://10.0.0.5\n"
        "  spdm provision --slot 1 --csr-out widget.csr tcp://10.0.0.5\n"
        "  spdm provision --slot 1 --chain-in widget.pem tcp://10.0.0.5",
    .operand_min = 1,
    .operand_max = 1,
    .operand_complete = SPDM_COMPLETE_TARGET,
    .options = options,
    .main = spdm_provision_main,
};

static bool changes_key(const struct provision_options *o)
{
    return o->generate || o->erase_key || o->key_slots != 0 || o->key_usage != 0 || o->key_algorithm != 0;
}

/* What excludes or needs each other. NULL if all is well. */
static const char *contradiction(const struct provision_options *o)
{
    bool makes = o->ca != NULL || o->csr_out != NULL;
    if (!makes && o->chain_in == NULL && !o->erase && !changes_key(o) && o->bank_algorithm == 0)
        return "what shall be done? Name --ca, --csr-out, --chain-in, --erase, or a change of a key pair or bank";
    if (makes && o->chain_in != NULL) return "--chain-in is instead of a request: --ca and --csr-out have no use";
    if (o->erase && (makes || o->chain_in != NULL)) return "--erase is instead of a new certificate";
    if (o->erase && o->slot == PROVISION_NO_SLOT) return "--erase needs to know which: give --slot";
    if (o->ca == NULL && o->subject != NULL) return "--subject is for a certificate that is signed here: give --ca";
    if (!makes && (o->csr_info != NULL || o->csr_opaque.n != 0))
        return "--csr-info and --csr-opaque are for a request: give --ca or --csr-out";
    if (!makes && (o->csr_tag != 0 || o->overwrite_csr)) return "--csr-tag and --overwrite-csr are for a request";
    if (o->csr_tag != 0 && o->overwrite_csr) return "--overwrite-csr would give up the request of --csr-tag";
    if (changes_key(o) && o->key_pair == 0) return "which key pair shall be changed? Give --key-pair";
    if (o->generate && o->erase_key) return "--generate-key and --erase-key exclude each other";
    if (o->erase_key && (o->key_slots != 0 || o->key_usage != 0 || o->key_algorithm != 0))
        return "--erase-key leaves nothing for --key-slots, --key-usage and --key-algorithm";
    if (o->bank_algorithm != 0 && o->bank == PROVISION_NO_BANK) return "which bank? Give --bank";
    if (o->model == SPDM_CERT_GENERIC && !o->peer.multi_key)
        return "certificates of the generic model need --multi-key";
    return spdm_peer_contradiction(&o->peer, o->session);
}

int spdm_provision_parse(int argc, char **argv, struct provision_options *out, struct spdm_texts *target)
{
    *out = (struct provision_options){
        .peer = SPDM_PEER_DEFAULTS, .slot = PROVISION_NO_SLOT, .bank = PROVISION_NO_BANK, .days = 3650};
    int rc = spdm_options_parse(&spdm_provision_command, argc, argv, out, target);
    if (rc != SPDM_PARSED) return rc;
    const char *wrong = contradiction(out);
    return wrong == NULL ? SPDM_PARSED : spdm_options_error(&spdm_provision_command, "%s", wrong);
}
