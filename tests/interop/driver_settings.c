/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The settings of a driver: a table of names and what reads their values. */
#include "apps/spdm/names.h"
#include "interop/driver.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t all_hashes[] = {SPDM_SHA_384,  SPDM_SHA_256,  SPDM_SHA_512, SPDM_SHA3_256,
                                     SPDM_SHA3_384, SPDM_SHA3_512, SPDM_SM3_256, 0};
static const uint8_t all_signatures[] = {SPDM_ECDSA_P384,  SPDM_ECDSA_P256,  SPDM_ECDSA_P521,  SPDM_RSAPSS_3072,
                                         SPDM_RSAPSS_2048, SPDM_RSAPSS_4096, SPDM_RSASSA_3072, SPDM_RSASSA_2048,
                                         SPDM_RSASSA_4096, SPDM_ED25519,     SPDM_ED448,       0};
static const uint8_t all_exchanges[] = {
    SPDM_SECP384R1, SPDM_SECP256R1, SPDM_SECP521R1, SPDM_FFDHE_3072, SPDM_FFDHE_2048, SPDM_FFDHE_4096, 0};
static const uint8_t all_aeads[] = {SPDM_AES_256_GCM, SPDM_AES_128_GCM, SPDM_CHACHA20_POLY1305, 0};

void driver_defaults(struct settings *set, bool responder)
{
    uint32_t both = SPDM_CERT_CAP | SPDM_CHAL_CAP | SPDM_ENCRYPT_CAP | SPDM_MAC_CAP | SPDM_KEY_EX_CAP | SPDM_HBEAT_CAP |
                    SPDM_KEY_UPD_CAP | SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;

    *set = (struct settings){.slots = 0xff, .size = 4608, .out = FRAME_MAX, .summary = 0xff};
    memcpy(set->hashes, all_hashes, sizeof all_hashes);
    memcpy(set->signatures, all_signatures, sizeof all_signatures);
    memcpy(set->req_signatures, all_signatures, sizeof all_signatures);
    memcpy(set->exchanges, all_exchanges, sizeof all_exchanges);
    memcpy(set->aeads, all_aeads, sizeof all_aeads);
    set->policy = (struct spdm_policy){
        .versions = {SPDM_V14, SPDM_V13, SPDM_V12, SPDM_V11, SPDM_V10},
        .flags = both | (responder ? SPDM_MEAS_CAP_SIGNED | SPDM_MEAS_FRESH_CAP | SPDM_PSK_CAP_CONTEXT : SPDM_PSK_CAP),
        .ct_exponent = 20,
        .hashes = set->hashes,
        .signatures = set->signatures,
        .exchanges = set->exchanges,
        .aeads = set->aeads,
        .req_signatures = set->req_signatures,
        .meas_hash = responder ? SPDM_SHA_384 : 0,
        .opaque_formats = 2,
        .record_random = 32,
        .secured_versions = 0x0f};
    memcpy(set->psk, "TestPskData", 12);
    set->psk_n = 12;
    memcpy(set->hint, "TestPskHint", 12);
    set->hint_n = 12;
}

size_t driver_hex(const char *text, uint8_t *out, size_t cap)
{
    size_t n = strlen(text) / 2;

    if (strlen(text) % 2 != 0 || n > cap) driver_die("\"%s\" is not hex, or too long", text);
    for (size_t i = 0; i < n; i++) {
        char digits[3] = {text[2 * i], text[2 * i + 1], '\0'}, *end;

        out[i] = (uint8_t)strtoul(digits, &end, 16);
        if (*end != '\0') driver_die("\"%s\" is not hex", text);
    }
    return n;
}

struct spdm_span driver_file(const char *path)
{
    static uint8_t bytes[8][65536];
    static size_t used;
    FILE *f = fopen(path, "rb");
    size_t n;

    if (f == NULL || used == 8) driver_die("cannot read %s", path);
    n = fread(bytes[used], 1, sizeof bytes[used], f);
    fclose(f);
    return (struct spdm_span){bytes[used++], n};
}

/* ---- values ---- */

static uint8_t algorithm_named(const char *name)
{
    for (unsigned id = 1; id < SPDM_ALG_N; id++)
        if (strcmp(spdm_algorithm_name((enum spdm_alg)id), name) == 0) return (uint8_t)id;
    driver_die("there is no algorithm %s", name);
}

/* "CERT_CAP", "MEAS_CAP_SIG": each name belongs to one bit. */
static uint32_t capability_named(const char *name)
{
    for (unsigned bit = 0; bit < 32; bit++) {
        const char *known = spdm_capability_name((uint32_t)1 << bit, 0, 0);

        if (known != NULL && strcmp(known, name) == 0) return (uint32_t)1 << bit;
    }
    driver_die("there is no capability %s", name);
}

static uint8_t version_named(const char *name)
{
    uint8_t version = spdm_version_named(name);

    if (version == 0) driver_die("there is no version %s", name);
    return version;
}

/* Each word of a list separated by commas. */
static void each(const char *list, void (*take)(void *ctx, const char *word), void *ctx)
{
    char copy[1000], *rest = copy, *word;

    snprintf(copy, sizeof copy, "%s", list);
    while ((word = strtok_r(rest, ",", &rest)) != NULL) take(ctx, word);
}

static void take_algorithm(void *ctx, const char *word)
{
    uint8_t *list = ctx;
    size_t n = strlen((const char *)list);

    if (n + 1 >= ALGORITHMS_MAX) driver_die("too many algorithms");
    list[n] = algorithm_named(word);
}

static void algorithms(uint8_t *list, bool *named, const char *value)
{
    memset(list, 0, ALGORITHMS_MAX);
    each(value, take_algorithm, list);
    *named = true;
}

static void take_capability(void *ctx, const char *word)
{
    *(uint32_t *)ctx |= capability_named(word);
}

/* "+A,B" adds, "-A,B" takes away, "A,B" is all there is. */
static void capabilities(uint32_t *flags, const char *value)
{
    uint32_t named = 0;
    bool change = value[0] == '+' || value[0] == '-';

    each(value + change, take_capability, &named);
    if (value[0] == '+') *flags |= named;
    else if (value[0] == '-') *flags &= ~named;
    else *flags = named;
}

static void take_version(void *ctx, const char *word)
{
    uint8_t *list = ctx;
    size_t n = strlen((const char *)list);

    if (n < 5) list[n] = version_named(word);
}

/* "1.0" is bit 0. */
static void take_secured(void *ctx, const char *word)
{
    *(uint8_t *)ctx = (uint8_t)(*(uint8_t *)ctx | 1u << (version_named(word) - SPDM_V10));
}

static uint32_t number(const char *value, uint32_t max)
{
    char *end;
    unsigned long n = strtoul(value, &end, 0);

    if (*value == '\0' || *end != '\0' || n > max) driver_die("\"%s\" is no number up to %u", value, max);
    return (uint32_t)n;
}

/* ---- the table ---- */

static bool set_list(struct settings *set, const char *name, const char *value)
{
    if (strcmp(name, "hash") == 0) algorithms(set->hashes, &set->named.hashes, value);
    else if (strcmp(name, "signature") == 0) algorithms(set->signatures, &set->named.signatures, value);
    else if (strcmp(name, "exchange") == 0) algorithms(set->exchanges, &set->named.exchanges, value);
    else if (strcmp(name, "aead") == 0) algorithms(set->aeads, &set->named.aeads, value);
    else if (strcmp(name, "req-signature") == 0) algorithms(set->req_signatures, &set->named.req_signatures, value);
    else if (strcmp(name, "meas-hash") == 0) set->policy.meas_hash = algorithm_named(value);
    else if (strcmp(name, "caps") == 0) capabilities(&set->policy.flags, value);
    else return false;
    return true;
}

static bool set_text(struct settings *set, const char *name, const char *value)
{
    if (strcmp(name, "device") == 0) set->device = value;
    else if (strcmp(name, "trust") == 0) set->trust = value;
    else if (strcmp(name, "peer-chain") == 0) set->peer_chain = value;
    else if (strcmp(name, "key") == 0) set->key = value;
    else if (strcmp(name, "csr") == 0) set->csr = value;
    else if (strcmp(name, "psk") == 0) set->psk_n = driver_hex(value, set->psk, sizeof set->psk);
    else if (strcmp(name, "hint") == 0) set->hint_n = driver_hex(value, set->hint, sizeof set->hint);
    else return false;
    return true;
}

static bool set_number(struct settings *set, const char *name, const char *value)
{
    struct spdm_policy *p = &set->policy;

    if (strcmp(name, "slots") == 0) set->slots = (uint8_t)number(value, 0xff);
    else if (strcmp(name, "summary") == 0) set->summary = (uint8_t)number(value, 0xff);
    else if (strcmp(name, "session-policy") == 0) set->session_policy = (uint8_t)number(value, 3);
    else if (strcmp(name, "peer-slot") == 0) set->peer_slot = (uint8_t)number(value, 0xff);
    else if (strcmp(name, "size") == 0) set->size = number(value, 65520);
    else if (strcmp(name, "max") == 0) set->max = number(value, 0xffffffff);
    else if (strcmp(name, "out") == 0) set->out = number(value, FRAME_MAX);
    else if (strcmp(name, "want-algorithms") == 0) p->want_algorithms = number(value, 1) != 0;
    else if (strcmp(name, "mut-auth") == 0) p->mut_auth = (uint8_t)number(value, 4);
    else if (strcmp(name, "mut-auth-slot") == 0) p->mut_auth_slot = (uint8_t)number(value, 0xff);
    else if (strcmp(name, "mut-auth-required") == 0) p->mut_auth_required = number(value, 1) != 0;
    else if (strcmp(name, "basic-mut-auth") == 0) p->basic_mut_auth = number(value, 1) != 0;
    else if (strcmp(name, "heartbeat") == 0) p->heartbeat = (uint8_t)number(value, 0xff);
    else if (strcmp(name, "random") == 0) p->record_random = (uint8_t)number(value, 0xff);
    else if (strcmp(name, "big-endian-nonce") == 0) p->big_endian_nonce = number(value, 1) != 0;
    else if (strcmp(name, "inner-header") == 0) p->inner_header = number(value, 1) != 0;
    else if (strcmp(name, "multi-key") == 0) p->multi_key = number(value, 1) != 0;
    else if (strcmp(name, "mel") == 0) p->mel = number(value, 1) != 0;
    else if (strcmp(name, "key-pairs") == 0) set->key_pairs = number(value, 1) != 0;
    else if (strcmp(name, "trusted-place") == 0) p->trusted_place = number(value, 1) != 0;
    else if (strcmp(name, "errand-error") == 0) set->errand_error = (uint8_t)number(value, 0xff);
    else if (strcmp(name, "endpoint-more") == 0) set->endpoint_more = (uint8_t)number(value, 3);
    else if (strcmp(name, "clients") == 0) set->clients = number(value, 1000);
    else if (strcmp(name, "keeps") == 0) set->keeps = number(value, 1) != 0;
    else if (strcmp(name, "reset") == 0) set->reset = number(value, 1) != 0;
    else if (strcmp(name, "events") == 0) set->events = number(value, 1) != 0;
    else if (strcmp(name, "opaque") == 0) p->opaque_formats = (uint8_t)number(value, 3);
    else return false;
    return true;
}

void driver_set(struct settings *set, const char *word)
{
    const char *value = strchr(word, '=');
    char name[40];

    snprintf(name, sizeof name, "%.*s", (int)(value - word), word);
    value++;
    if (strcmp(name, "version") == 0) {
        memset(set->policy.versions, 0, sizeof set->policy.versions);
        each(value, take_version, set->policy.versions);
    } else if (strcmp(name, "secured") == 0) {
        set->policy.secured_versions = 0;
        each(value, take_secured, &set->policy.secured_versions);
    } else if (!set_list(set, name, value) && !set_text(set, name, value) && !set_number(set, name, value)) {
        driver_die("there is no setting %s", name);
    }
}
