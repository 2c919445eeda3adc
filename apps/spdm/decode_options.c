/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_options.c - the command line of `spdm decode`: the table, and the
 * combinations that make no sense. */
#include "decode_options.h"
#include "decode_filter.h"
#include "peer_options.h"

#define AT(field) .at = offsetof(struct spdm_decode_options, field)

static const char *const extracts[] = {"nothing", "certs", "measurements", "evidence", NULL};

static const struct spdm_option options[] = {
    SPDM_OPTION_GROUP("What to read"),
    {.name = "interface",
     .letter = 'i',
     .kind = SPDM_OPTION_TEXT,
     AT(interface),
     .value = "NAME",
     .help = "listen on a network interface instead of reading a file"},
    {.name = "capture-filter",
     .kind = SPDM_OPTION_TEXT,
     AT(capture_filter),
     .value = "EXPR",
     .help = "with --interface: what to capture, as libpcap says it (pcap-filter(7))"},
    SPDM_OPTION_GROUP("Whom to trust"),
    {.name = "trust",
     .letter = 't',
     .kind = SPDM_OPTION_LIST,
     .complete = SPDM_COMPLETE_FILE,
     AT(trust),
     .value = "FILE|DIR",
     .help = "root certificates, PEM or DER: chains that lead to none of them are refused; may be repeated"},
    {.name = "no-time",
     .kind = SPDM_OPTION_FLAG,
     AT(no_time),
     .help = "do not check the validity of certificates against the time of the capture"},
    {.name = "no-verify",
     .kind = SPDM_OPTION_FLAG,
     AT(no_verify),
     .help = "verify no signature and judge no chain; everything else is checked as ever"},
    SPDM_OPTION_GROUP("What the capture does not show"),
    {.name = "chain",
     .kind = SPDM_OPTION_LIST,
     .complete = SPDM_COMPLETE_FILE,
     AT(chain),
     .value = "[SLOT:]FILE",
     .help = "certificate chain of the Responder, in PEM or DER or as GET_CERTIFICATE delivers it (default slot 0)"},
    {.name = "public-key",
     .kind = SPDM_OPTION_LIST,
     .complete = SPDM_COMPLETE_FILE,
     AT(public_key),
     .value = "FILE",
     .help = "public key of the Responder as provisioned, PEM or DER"},
    {.name = "requester-chain",
     .kind = SPDM_OPTION_LIST,
     .complete = SPDM_COMPLETE_FILE,
     AT(requester_chain),
     .value = "[SLOT:]FILE",
     .help = "the same of the Requester"},
    {.name = "requester-key",
     .kind = SPDM_OPTION_LIST,
     .complete = SPDM_COMPLETE_FILE,
     AT(requester_key),
     .value = "FILE",
     .help = "public key of the Requester"},
    {.name = "state",
     .kind = SPDM_OPTION_TEXT,
     AT(state),
     .value = "LIST",
     .help = "what was negotiated before the capture begins: version=1.2,hash=SHA_384,signature=ECDSA_P384, and as "
             "needed exchange, aead, measurement-hash, requester-signature, multi-key=yes, requester-flags=0x..., "
             "responder-flags=0x..."},
    {.name = "vca",
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     AT(vca),
     .value = "FILE",
     .help =
         "with --state: the six messages of the negotiation in hex digits, which every signature from 1.2 on covers"},
    {.name = "errata",
     .kind = SPDM_OPTION_OWN,
     AT(errata),
     .value = "LIST",
     .parse = spdm_peer_errata,
     .help = "what was captured follows another text: unequal-sizes, big-endian-nonce, tcp-inner-header"},
    SPDM_OPTION_GROUP("What to decrypt with"),
    {.name = "keylog",
     .kind = SPDM_OPTION_LIST,
     .complete = SPDM_COMPLETE_FILE,
     AT(keylog),
     .value = "FILE",
     .help = "secrets that an endpoint has logged, see spdm-keylog(5)"},
    {.name = "dhe-secret",
     .kind = SPDM_OPTION_LIST,
     AT(shared),
     .value = "HEX|FILE",
     .help = "shared secret of a key exchange, in hex digits or as the bytes of a file; may be repeated: the one that "
             "fits is found"},
    {.name = "kem-secret", .kind = SPDM_OPTION_LIST, AT(kem), .value = "HEX|FILE", .help = "the same, out of a KEM"},
    {.name = "psk", .kind = SPDM_OPTION_LIST, AT(psk), .value = "HEX|FILE", .help = "pre-shared key, in the same way"},
    {.name = "secrets",
     .kind = SPDM_OPTION_LIST,
     .complete = SPDM_COMPLETE_FILE,
     AT(secrets),
     .value = "FILE",
     .help = "a file of them, one a line: dhe HEX, kem HEX, psk HEX"},
    SPDM_OPTION_GROUP("What to show"),
    {.name = "verbose", .letter = 'v', .kind = SPDM_OPTION_FLAG, AT(verbose), .help = "every field, with its offset"},
    {.name = "bytes",
     .letter = 'x',
     .kind = SPDM_OPTION_FLAG,
     AT(bytes),
     .help = "every field, and its bytes beside it"},
    {.name = "json",
     .letter = 'j',
     .kind = SPDM_OPTION_FLAG,
     AT(json),
     .help = "a JSON object for each message, one a line; with -x its bytes, too"},
    {.name = "filter",
     .letter = 'f',
     .kind = SPDM_OPTION_LIST,
     AT(filter),
     .value = "TERM,...",
     .help = "only messages that fit one of the terms: a name (GET_*), request, response, requester, responder, "
             "secured, plain, data, signed, bad, note, session=HEX, connection=N, code=N, number=N; ! in front turns "
             "a term round; repeated, all have to fit"},
    {.name = "summary",
     .letter = 's',
     .kind = SPDM_OPTION_FLAG,
     AT(summary),
     .help = "what each connection came to, instead of its messages"},
    {.name = "extract",
     .kind = SPDM_OPTION_CHOICE,
     AT(extract),
     .choices = extracts,
     .value = "certs|measurements|evidence",
     .help = "write these of every connection to the directory DIR"},
    {.name = "quiet", .letter = 'q', .kind = SPDM_OPTION_FLAG, AT(quiet), .help = "nothing but the exit code"},
    {.name = NULL}};

extern int spdm_decode_main(int argc, char **argv);

const struct spdm_command spdm_decode_command = {
    .name = "decode",
    .summary = "read a capture: what was said, and whether it verifies",
    .operands = "FILE [DIR]",
    .about = "Reads a capture or a log of SPDM messages, shows what was said in the specification's words, and checks "
             "every signature in it. FILE is pcap, pcapng or text with a message in hex digits a line; - is stdin.",
    .more =
        "Exit code: 0 nothing is wrong, 1 something does not verify, 2 wrong usage, or the capture is not whole, 4 a "
        "rule of the protocol is broken.",
    .operand_min = 0,
    .operand_max = 2,
    .operand_complete = SPDM_COMPLETE_FILE,
    .options = options,
    .main = spdm_decode_main};

int spdm_decode_parse(int argc, char **argv, struct spdm_decode_options *out, struct spdm_texts *operands)
{
    int rc = spdm_options_parse(&spdm_decode_command, argc, argv, out, operands);
    if (rc != SPDM_PARSED) return rc;
    if (operands->n == 0 && out->interface == NULL)
        return spdm_options_error(&spdm_decode_command, "FILE is missing, or --interface");
    if (out->interface == NULL && (operands->n == 2) != (out->extract != 0))
        return spdm_options_error(&spdm_decode_command, out->extract != 0 ? "--extract needs a directory behind FILE"
                                                                          : "DIR is for --extract");
    if (out->interface != NULL && operands->n != (out->extract != 0 ? 1 : 0))
        return spdm_options_error(&spdm_decode_command,
                                  "with --interface there is no FILE, and DIR only for --extract");
    if (out->capture_filter != NULL && out->interface == NULL)
        return spdm_options_error(&spdm_decode_command, "--capture-filter needs --interface");
    for (size_t i = 0; i < out->filter.n; i++) {
        char error[DECODE_FILTER_ERROR];
        if (!decode_filter_check(out->filter.v[i], error, sizeof error))
            return spdm_options_error(&spdm_decode_command, "--filter \"%s\": %s", out->filter.v[i], error);
    }
    if (out->vca != NULL && out->state == NULL) return spdm_options_error(&spdm_decode_command, "--vca needs --state");
    return SPDM_PARSED;
}
