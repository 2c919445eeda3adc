/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_known.c - reads what was provisioned, and tells a witness of it.
 *
 * A chain is told by its digest in the negotiated hash, so nothing can be told
 * before that is known. */
#include "decode_known.h"
#include "names.h"
#include "public_key.h"
#include "text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FILE_MAX = 1 << 20, LENGTH = 4 };

static bool fail(char *error, const char *path, const char *why)
{
    snprintf(error, DECODE_KNOWN_ERROR, "%.300s: %.200s", path, why);
    return false;
}

static struct spdm_room read_file(const char *path, char *error)
{
    struct spdm_room out = {NULL, 0};
    FILE *from = fopen(path, "rb");
    if (from == NULL) {
        (void)fail(error, path, strerror(errno));
        return out;
    }
    out.p = spdm_text_need(calloc(1, FILE_MAX + 1));
    out.n = fread(out.p, 1, FILE_MAX, from);
    if (ferror(from) != 0 || out.n == 0) {
        (void)fail(error, path, out.n == 0 ? "the file is empty" : strerror(errno));
        free(out.p);
        out.p = NULL;
    }
    fclose(from);
    return out;
}

/* ---- chains ---- */

static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";

/* Certificates of a PEM text as DER back to back, in place; 0: there are none. */
static size_t from_pem(struct spdm_room *file)
{
    size_t n = 0;
    for (const char *at = (const char *)file->p; (at = strstr(at, begin)) != NULL;) {
        const char *from = at + sizeof begin - 1, *to = strstr(from, end);
        size_t one = to != NULL ? spdm_text_unbase64(from, to, file->p + n) : 0;
        if (one == 0) return 0;
        n += one;
        at = to;
    }
    return n;
}

/* Length in front, as GET_CERTIFICATE delivers it: 16 bits, or from 1.4 on 32. */
static bool is_structure(struct spdm_room r)
{
    return r.n > LENGTH && ((size_t)r.p[0] | (size_t)r.p[1] << 8 | (size_t)r.p[2] << 16 | (size_t)r.p[3] << 24) == r.n;
}

static bool read_chain(struct decode_provision *p, char *error)
{
    size_t n;
    p->bytes = read_file(p->path, error);
    if (p->bytes.p == NULL) return false;
    if (is_structure(p->bytes)) return true;
    p->certificates = true;
    if (p->bytes.p[0] == 0x30) return true;
    n = from_pem(&p->bytes);
    p->bytes.n = n;
    if (n != 0) return true;
    free(p->bytes.p);
    return fail(error, p->path, "neither certificates in PEM or DER nor a chain as GET_CERTIFICATE delivers it");
}

static void add(struct decode_known *known, const struct decode_provision *p)
{
    known->v = spdm_text_need(realloc(known->v, (known->n + 1) * sizeof *known->v));
    known->v[known->n++] = *p;
}

bool decode_known_chain(struct decode_known *known, bool requester, const char *text, char error[DECODE_KNOWN_ERROR])
{
    struct decode_provision p = {.requester = requester, .path = text};
    if (text[0] >= '0' && text[0] <= '7' && text[1] == ':') {
        p.slot = (uint8_t)(text[0] - '0');
        p.path = text + 2;
    }
    if (!read_chain(&p, error)) return false;
    add(known, &p);
    return true;
}

bool decode_known_key(struct decode_known *known, struct spdm_openssl *ossl, bool requester, const char *path,
                      char error[DECODE_KNOWN_ERROR])
{
    struct decode_provision p = {.requester = requester, .slot = SPDM_SLOT_KEY, .path = path};
    char cause[SPDM_CAUSE_MAX];
    p.key = spdm_public_key_load(ossl, path, &p.bytes, cause);
    if (p.key == NULL) return fail(error, path, cause);
    add(known, &p);
    return true;
}

/* ---- state ---- */

static bool set_algorithm(const char *value, uint8_t *out, unsigned classes)
{
    enum spdm_alg id = spdm_algorithm_named(value);
    *out = (uint8_t)id;
    return id != SPDM_ALG_NONE && (classes >> spdm_algorithm(id)->cls & 1) != 0;
}

static bool set_flags(const char *value, uint32_t *out)
{
    char *stop;
    *out = (uint32_t)strtoul(value, &stop, 0);
    return value[0] != '\0' && *stop == '\0';
}

static bool set_fact(struct spdm_facts *f, const char *name, const char *value)
{
    enum {
        SIGNATURES = 1u << SPDM_CLASS_ASYM | 1u << SPDM_CLASS_PQC,
        EXCHANGES = 1u << SPDM_CLASS_DHE | 1u << SPDM_CLASS_KEM
    };
    if (strcmp(name, "version") == 0) return (f->version = spdm_version_named(value)) != 0;
    if (strcmp(name, "hash") == 0) return set_algorithm(value, &f->hash, 1u << SPDM_CLASS_HASH);
    if (strcmp(name, "measurement-hash") == 0) return set_algorithm(value, &f->meas_hash, 1u << SPDM_CLASS_HASH);
    if (strcmp(name, "signature") == 0) return set_algorithm(value, &f->signature, SIGNATURES);
    if (strcmp(name, "requester-signature") == 0) return set_algorithm(value, &f->req_signature, SIGNATURES);
    if (strcmp(name, "exchange") == 0) return set_algorithm(value, &f->exchange, EXCHANGES);
    if (strcmp(name, "aead") == 0) return set_algorithm(value, &f->aead, 1u << SPDM_CLASS_AEAD);
    if (strcmp(name, "requester-flags") == 0) return set_flags(value, &f->requester.flags);
    if (strcmp(name, "responder-flags") == 0) return set_flags(value, &f->responder.flags);
    if (strcmp(name, "multi-key") == 0) {
        f->multi_key_rsp = f->multi_key_req = strcmp(value, "yes") == 0;
        return f->multi_key_rsp || strcmp(value, "no") == 0;
    }
    return false;
}

static bool read_vca(struct decode_known *known, const char *path, char *error)
{
    struct spdm_room file = read_file(path, error);
    if (file.p == NULL) return false;
    for (size_t i = 0; i < file.n; i++)
        if (file.p[i] == '\n') file.p[i] = ' ';
    known->vca = (struct spdm_room){spdm_text_need(malloc(file.n)), file.n};
    known->vca.n = spdm_text_unhex((const char *)file.p, known->vca);
    free(file.p);
    return known->vca.n != SIZE_MAX || fail(error, path, "hex digits were expected");
}

struct spdm_facts decode_known_guess(uint8_t version)
{
    /* what nearly every device has that opens sessions; the flags decide about fields of messages */
    enum {
        BOTH = SPDM_ENCRYPT_CAP | SPDM_MAC_CAP | SPDM_KEY_EX_CAP | SPDM_PSK_CAP | SPDM_KEY_UPD_CAP | SPDM_HBEAT_CAP |
               SPDM_MUT_AUTH_CAP | SPDM_ENCAP_CAP | SPDM_CERT_CAP | SPDM_CHAL_CAP
    };
    return (struct spdm_facts){.version = version,
                               .meas_spec = 1,
                               .opaque_format = 2,
                               .schedule = SPDM_KEY_SCHEDULE,
                               .negotiated = true,
                               .slot = SPDM_SLOT_KEY,
                               .requester.flags = BOTH,
                               .responder.flags = BOTH | SPDM_MEAS_CAP_SIGNED};
}

bool decode_known_state(struct decode_known *known, const char *text, const char *vca, char error[DECODE_KNOWN_ERROR])
{
    struct spdm_facts *f = &known->facts;
    char *copy = spdm_text_need(strdup(text)), *rest = copy, *word;
    bool good = true;
    *f = decode_known_guess(SPDM_V12);
    while (good && (word = strsep(&rest, ",")) != NULL) {
        char *value = strchr(word, '=');
        if (value != NULL) *value++ = '\0';
        good = value != NULL && set_fact(f, word, value);
        if (!good)
            snprintf(error, DECODE_KNOWN_ERROR, "\"%.60s\"%s%.60s%s is not understood", word,
                     value != NULL ? " with \"" : "", value != NULL ? value : "", value != NULL ? "\"" : "");
    }
    free(copy);
    known->assumed = good;
    return good && (vca == NULL || read_vca(known, vca, error));
}

/* ---- telling ---- */

static size_t digest(const struct spdm_openssl *ossl, enum spdm_alg hash, struct spdm_span bytes, uint8_t *out)
{
    const struct spdm_crypto *crypto = spdm_openssl_crypto();
    void *ctx, *state = spdm_text_need(calloc(1, crypto->hash_state_size));
    bool good;
    memcpy(&ctx, &ossl, sizeof ctx);
    good = crypto->hash_begin(ctx, state, hash) && crypto->hash_update(ctx, state, bytes) &&
           crypto->hash_peek(ctx, state, out);
    crypto->hash_end(ctx, state);
    free(state);
    return good ? spdm_algorithm(hash)->size : 0;
}

/* Length, RootHash, certificates: what the peer would have delivered. The caller frees it. */
static struct spdm_room structure_of(const struct decode_provision *p, const struct decode_court *court,
                                     enum spdm_alg hash)
{
    struct spdm_span all = {p->bytes.p, p->bytes.n}, root = all;
    size_t h = p->certificates ? spdm_algorithm(hash)->size : 0, head = p->certificates ? LENGTH + h : 0;
    struct spdm_room out = {spdm_text_need(calloc(1, head + all.n)), head + all.n};
    memcpy(out.p + head, all.p, all.n);
    if (!p->certificates) return out;
    root.n = spdm_x509_length(all) <= all.n ? spdm_x509_length(all) : all.n;
    for (unsigned i = 0; i < LENGTH; i++) out.p[i] = (uint8_t)(out.n >> (8 * i));
    (void)digest(court->ossl, hash, root, out.p + LENGTH);
    return out;
}

static const void *leaf_key(const struct decode_provision *p, struct decode_court *court,
                            const struct spdm_facts *facts, struct spdm_span chain, int64_t now)
{
    struct spdm_event ev = {.kind = SPDM_ASK_TRUST, .slot = p->slot, .data = chain};
    return decode_court_chain(court, facts, &ev, p->requester, now)->key;
}

static void tell_one(const struct decode_provision *p, struct decode_court *court, struct spdm_witness *witness,
                     int64_t now)
{
    struct spdm_facts facts = *spdm_witness_facts(witness);
    uint8_t hash[SPDM_HASH_MAX];
    struct spdm_span told = {hash, 0};
    struct spdm_room chain;
    const void *key = p->key;
    if (facts.hash == SPDM_ALG_NONE) return;
    if (p->requester) facts.signature = facts.req_signature;
    if (p->key == NULL) {
        chain = structure_of(p, court, (enum spdm_alg)facts.hash);
        key = leaf_key(p, court, &facts, (struct spdm_span){chain.p, chain.n}, now);
        told.n = digest(court->ossl, (enum spdm_alg)facts.hash, (struct spdm_span){chain.p, chain.n}, hash);
        free(chain.p);
    } else {
        told.n = digest(court->ossl, (enum spdm_alg)facts.hash, (struct spdm_span){p->bytes.p, p->bytes.n}, hash);
    }
    if (p->requester) spdm_witness_trust_requester(witness, p->slot, told, key);
    else spdm_witness_trust(witness, p->slot, told, key);
}

void decode_known_tell(const struct decode_known *known, struct decode_court *court, struct spdm_witness *witness,
                       int64_t now)
{
    for (size_t i = 0; i < known->n; i++) tell_one(&known->v[i], court, witness, now);
}

void decode_known_clear(struct decode_known *known)
{
    for (size_t i = 0; i < known->n; i++) {
        free(known->v[i].bytes.p);
        spdm_openssl_key_free(known->v[i].key);
    }
    free(known->v);
    free(known->vca.p);
    *known = (struct decode_known){.v = NULL};
}
