/* SPDX-License-Identifier: BSD-3-Clause
 *
 * peer_options.c - the options about devices, and the values that have a form of their own.
 *
 * Nothing here opens a file or a connection. */
#include "peer_options.h"
#include "asker.h"
#include "names.h"
#include "port/errata.h"
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

/* What a list may hold, and how to tell who named something else. */
struct kind {
    const char *name, *example;
    enum spdm_class cls, also;
};

static bool parse_algorithms(const char *text, struct spdm_algorithm_list *out, const struct kind *kind, char *error,
                             size_t cap)
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
        if (cls != kind->cls && cls != kind->also) {
            char *safe = spdm_text_safe_string(name);
            snprintf(error, cap, "\"%s\" is no %s algorithm of SPDM; names are like %s", safe, kind->name,
                     kind->example);
            free(safe);
            return false;
        }
        if (memchr(out->id, (int)id, n) == NULL) out->id[n++] = (uint8_t)id;
    } while (*text != '\0');
    return true;
}

static bool parse_hashes(const char *text, void *field, char *error, size_t cap)
{
    static const struct kind kind = {"hash", "SHA_384 or SHA3_256", SPDM_CLASS_HASH, SPDM_CLASS_HASH};
    return parse_algorithms(text, field, &kind, error, cap);
}

static bool parse_signatures(const char *text, void *field, char *error, size_t cap)
{
    static const struct kind kind = {"signature", "ECDSA_P384 or RSAPSS_3072", SPDM_CLASS_ASYM, SPDM_CLASS_PQC};
    return parse_algorithms(text, field, &kind, error, cap);
}

static bool parse_exchanges(const char *text, void *field, char *error, size_t cap)
{
    static const struct kind kind = {"key exchange", "SECP384R1 or FFDHE_3072", SPDM_CLASS_DHE, SPDM_CLASS_KEM};
    return parse_algorithms(text, field, &kind, error, cap);
}

static bool parse_aeads(const char *text, void *field, char *error, size_t cap)
{
    static const struct kind kind = {"AEAD", "AES_256_GCM or CHACHA20_POLY1305", SPDM_CLASS_AEAD, SPDM_CLASS_AEAD};
    return parse_algorithms(text, field, &kind, error, cap);
}

/* 0, 0,2, 1-3, or a mask 0x0f */
bool spdm_peer_parse_slots(const char *text, void *field, char *error, size_t cap)
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

bool spdm_peer_errata(const char *text, void *field, char *error, size_t cap)
{
    uint32_t mask = 0;
    do {
        const char *at;
        char known[200];
        size_t n = item(&text, &at);
        int place = spdm_errata_named(at, n, false);
        if (place < 0) {
            char *safe = spdm_text_safe_string(at);
            spdm_errata_names(false, known, sizeof known);
            snprintf(error, cap, "\"%.*s\" is no errata switch; known are %s", (int)strcspn(safe, ","), safe, known);
            free(safe);
            return false;
        }
        mask |= 1u << place;
    } while (*text != '\0');
    *(uint32_t *)field = mask;
    return true;
}

static const char *const pcap_formats[] = {"wireshark", "dmtf", NULL};

#define AT(field) offsetof(struct spdm_peer_options, field)

const struct spdm_option spdm_peer_trust_options[] = {
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
    {.name = NULL},
};

const struct spdm_option spdm_peer_negotiate_options[] = {
    SPDM_OPTION_GROUP("What to negotiate"),
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
    {.name = "data-transfer-size",
     .kind = SPDM_OPTION_NUMBER,
     .at = AT(data_transfer_size),
     .value = "N",
     .min = 42,
     .max = SPDM_ASKER_TRANSFER_MAX,
     .help = "largest message to take in one transfer (default 65520); the device sends larger ones in chunks"},
    {.name = "max-message-size",
     .kind = SPDM_OPTION_NUMBER,
     .at = AT(max_message_size),
     .value = "N",
     .min = 42,
     .max = 16 << 20,
     .help = "largest message to take in chunks (default 1048576)"},
    {.name = "errata",
     .kind = SPDM_OPTION_OWN,
     .at = AT(errata),
     .value = "LIST",
     .parse = spdm_peer_errata,
     .help = "follow another text of the specification: unequal-sizes, big-endian-nonce, tcp-inner-header"},
    {.name = NULL},
};

const struct spdm_option spdm_peer_slot_options[] = {
    {.name = "slot",
     .kind = SPDM_OPTION_OWN,
     .at = AT(slots),
     .value = "N",
     .parse = spdm_peer_parse_slots,
     .help = "certificate slots that will do: 0, 0,2-4 or a mask 0x1d (default all)"},
    {.name = NULL},
};

const struct spdm_option spdm_peer_session_options[] = {
    {.name = "psk",
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(psk),
     .value = "FILE",
     .help = "open it with this pre-shared key (its bytes as they are) instead of a key exchange; without --trust and "
             "--public-key the key alone tells who the device is"},
    {.name = "psk-hint",
     .kind = SPDM_OPTION_TEXT,
     .at = AT(psk_hint),
     .value = "TEXT",
     .help = "tells the device which pre-shared key that is: a text, or bytes as 0x and hex (default none)"},
    {.name = "exchange",
     .kind = SPDM_OPTION_OWN,
     .at = AT(exchanges),
     .value = "LIST",
     .parse = parse_exchanges,
     .help = "key exchanges to accept, best first: SECP384R1,FFDHE_3072"},
    {.name = "aead",
     .kind = SPDM_OPTION_OWN,
     .at = AT(aeads),
     .value = "LIST",
     .parse = parse_aeads,
     .help = "ciphers to accept, best first: AES_256_GCM,CHACHA20_POLY1305"},
    {.name = "mac-only",
     .kind = SPDM_OPTION_FLAG,
     .at = AT(mac_only),
     .help = "authenticate what travels in it, but do not encrypt it"},
    {.name = "clear-handshake",
     .kind = SPDM_OPTION_FLAG,
     .at = AT(clear_handshake),
     .help = "let the device have the handshake in the clear, if that is what it wants"},
    {.name = "own-chain",
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(own_chain),
     .value = "FILE",
     .help = "our certificates, PEM or DER, for a device that asks who we are"},
    {.name = "own-public-key",
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(own_public_key),
     .value = "FILE",
     .help = "our public key, PEM or DER, for a device that was given it beforehand, instead of certificates"},
    {.name = "own-key",
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(own_key),
     .value = "KEY",
     .help = "the private key that belongs to it: a file, or what a provider of OpenSSL understands (pkcs11:...)"},
    {.name = NULL},
};

const struct spdm_option spdm_peer_time_options[] = {
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
    {.name = NULL},
};

const struct spdm_option spdm_peer_record_options[] = {
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
    {.name = NULL},
};

const struct spdm_option spdm_peer_keylog_options[] = {
    {.name = "keylog",
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(keylog),
     .value = "FILE",
     .help = "append the secrets of sessions, with which anybody can read the capture; see spdm-keylog(5)"},
    {.name = NULL},
};

/* What is said about a session where there is none. */
static const char *needless(const struct spdm_peer_options *o)
{
    if (o->psk != NULL) return "--psk opens a session: give --session";
    if (o->exchanges.id[0] != 0 || o->aeads.id[0] != 0)
        return "--exchange and --aead are for a session: give --session";
    if (o->mac_only || o->clear_handshake) return "--mac-only and --clear-handshake are for a session: give --session";
    if (o->keylog != NULL) return "--keylog writes the secrets of sessions: give --session";
    return NULL;
}

const char *spdm_peer_contradiction(const struct spdm_peer_options *o, bool session)
{
    if (o->public_key != NULL && o->trust.n != 0) return "--public-key is instead of certificates: --trust has no use";
    if (o->public_key != NULL && o->cache != NULL) return "--public-key needs no certificates: --cache has no use";
    if (o->psk_hint != NULL && o->psk == NULL) return "--psk-hint tells which key --psk is: give --psk";
    if (o->own_chain != NULL && o->own_public_key != NULL)
        return "--own-public-key is instead of certificates: --own-chain has no use";
    if ((o->own_chain == NULL && o->own_public_key == NULL) != (o->own_key == NULL))
        return "--own-key belongs to --own-chain or --own-public-key: give both";
    if (o->max_message_size != 0 && o->data_transfer_size > o->max_message_size)
        return "--max-message-size is at least --data-transfer-size";
    if (!session) return needless(o);
    if (o->psk != NULL && o->exchanges.id[0] != 0) return "--psk is instead of a key exchange: --exchange has no use";
    if (o->psk != NULL && o->clear_handshake) return "a handshake with --psk is never in the clear";
    return NULL;
}
