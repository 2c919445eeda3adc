/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_extract.c - writes what a capture holds.
 *
 * Names of files are made of numbers only: nothing in them comes from a peer.
 * Evidence is written as it goes by; what was signed is kept to the end. */
#include "decode_extract.h"
#include "decode_json.h"
#include "names.h"
#include "reference.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DECODE_EVIDENCE_FORMAT "assay-decode-evidence/1"

static bool fail(char *error, const char *path)
{
    snprintf(error, DECODE_EXTRACT_ERROR, "%.300s: %s", path, strerror(errno));
    return false;
}

/* ---- certificates ---- */

static void put_pem(FILE *to, struct spdm_span der)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    enum { GROUPS = 16 }; /* in a line */
    fputs("-----BEGIN CERTIFICATE-----\n", to);
    for (size_t i = 0; i < der.n; i += 3) {
        size_t left = der.n - i;
        uint32_t v =
            (uint32_t)der.p[i] << 16 | (left > 1 ? (uint32_t)der.p[i + 1] << 8 : 0) | (left > 2 ? der.p[i + 2] : 0);
        char out[5] = {digits[v >> 18], digits[v >> 12 & 63], left > 1 ? digits[v >> 6 & 63] : '=',
                       left > 2 ? digits[v & 63] : '=', '\0'};
        fputs(out, to);
        if (i / 3 % GROUPS == GROUPS - 1 || left <= 3) fputc('\n', to);
    }
    fputs("-----END CERTIFICATE-----\n", to);
}

static bool put_chain(const char *path, const struct spdm_judgement *j, char *error)
{
    FILE *to = fopen(path, "w");
    bool good;
    if (to == NULL) return fail(error, path);
    for (size_t i = 0; i < j->certificate_n; i++) put_pem(to, j->certificate[i].der);
    good = ferror(to) == 0;
    good = fclose(to) == 0 && good;
    return good || fail(error, path);
}

int decode_extract_chains(const char *dir, const struct decode_account *a, char error[DECODE_EXTRACT_ERROR])
{
    int n = 0;
    for (size_t i = 0; i < a->identity_n; i++) {
        const struct decode_identity *id = &a->identity[i];
        char *path = spdm_text_format("%s/connection-%llu-%s-slot-%u.pem", dir, (unsigned long long)a->number,
                                      id->requester ? "requester" : "responder", id->slot);
        bool good = put_chain(path, id->chain->judgement, error);
        free(path);
        if (!good) return -1;
        n++;
    }
    return n;
}

/* ---- measurements ---- */

int decode_extract_measurements(const char *dir, const struct decode_account *a, const struct spdm_crypto *crypto,
                                void *crypto_ctx, char error[DECODE_EXTRACT_ERROR])
{
    struct spdm_measurement values[256];
    struct spdm_comparand what = {
        .m = values, .hash = (enum spdm_alg)a->facts.meas_hash, .crypto = crypto, .crypto_ctx = crypto_ctx};
    char *path, why[SPDM_REFERENCE_ERROR];
    bool good;
    for (size_t i = 0; i < 256; i++)
        if (a->measured[i].there) values[what.n++] = a->measured[i].m;
    if (what.n == 0) return 0;
    path = spdm_text_format("%s/connection-%llu-measurements.json", dir, (unsigned long long)a->number);
    good = spdm_reference_save(path, &what, a->title, why);
    if (!good) snprintf(error, DECODE_EXTRACT_ERROR, "%s", why);
    free(path);
    return good ? 1 : -1;
}

/* ---- evidence ---- */

struct decode_evidence {
    FILE *to;
    char *path;
    uint64_t messages;
    struct decode_words line, proofs;
};

struct decode_evidence *decode_evidence_open(const char *dir, uint64_t connection, const char *title,
                                             char error[DECODE_EXTRACT_ERROR])
{
    struct decode_evidence *e = spdm_text_need(calloc(1, sizeof *e));
    e->path = spdm_text_format("%s/connection-%llu-evidence.json", dir, (unsigned long long)connection);
    e->to = fopen(e->path, "w");
    if (e->to == NULL) {
        (void)fail(error, e->path);
        free(e->path);
        free(e);
        return NULL;
    }
    decode_put(&e->line, "{");
    decode_json_text(&e->line, "format", DECODE_EVIDENCE_FORMAT);
    decode_json_text(&e->line, "title", title);
    decode_json_open(&e->line, "messages", '[');
    fputs(e->line.p, e->to);
    return e;
}

/* Messages as they were signed: without padding, and not those that carry them. */
void decode_evidence_message(struct decode_evidence *e, const struct decode_message *m)
{
    const struct spdm_sight *s = m->sight;
    char id[16] = "";
    if (s->kind != SPDM_SIGHT_MESSAGE) return;
    decode_clear(&e->line);
    decode_put(&e->line, e->messages++ != 0 ? ",\n{" : "\n{");
    decode_json_number(&e->line, "number", m->number);
    decode_json_text(&e->line, "from", s->from_requester ? "requester" : "responder");
    decode_json_text(&e->line, "name", decode_name(m));
    if (s->session != 0) snprintf(id, sizeof id, "%08x", s->session);
    decode_json_text(&e->line, "session", id);
    decode_json_hex(&e->line, "bytes", (struct spdm_span){s->message.p, s->n != 0 ? s->n : s->message.n});
    decode_put(&e->line, "}");
    fputs(e->line.p, e->to);
}

void decode_evidence_signature(struct decode_evidence *e, const struct decode_message *m,
                               const struct decode_suspect *what)
{
    static const char *const states[] = {NULL, "good", "bad", "unchecked"};
    struct spdm_room bytes = decode_signed_bytes(what);
    struct decode_words *out = &e->proofs;
    const struct spdm_facts *f = what->facts;
    decode_put(out, out->n != 0 ? ",\n{" : "\n{");
    decode_json_number(out, "number", m->number);
    decode_json_text(out, "name", decode_name(m));
    decode_json_text(out, "by", what->turned ? "requester" : "responder");
    if (what->slot < SPDM_SLOT_N) decode_json_number(out, "slot", what->slot);
    else decode_json_text(out, "slot", NULL);
    decode_json_text(out, "version", spdm_version_name(f->version));
    decode_json_text(out, "hash", spdm_algorithm_name((enum spdm_alg)f->hash));
    decode_json_text(out, "signature_algorithm", spdm_algorithm_name((enum spdm_alg)f->signature));
    decode_json_text(out, "verified", states[m->sight->signature]);
    if (bytes.p != NULL) decode_json_hex(out, "signed_bytes", (struct spdm_span){bytes.p, bytes.n});
    else decode_json_text(out, "signed_bytes", NULL);
    decode_json_hex(out, "signature", what->value);
    decode_put(out, "}");
    free(bytes.p);
}

bool decode_evidence_close(struct decode_evidence *e, const struct decode_account *a, char error[DECODE_EXTRACT_ERROR])
{
    bool good;
    decode_clear(&e->line);
    decode_put(&e->line, "],\n\"chains\":[");
    for (size_t i = 0; a != NULL && i < a->identity_n; i++) {
        decode_put(&e->line, i != 0 ? ",\n{" : "\n{");
        decode_json_text(&e->line, "whose", a->identity[i].requester ? "requester" : "responder");
        decode_json_number(&e->line, "slot", a->identity[i].slot);
        decode_json_hex(&e->line, "chain", a->identity[i].chain->judgement->input.chain);
        decode_put(&e->line, "}");
    }
    decode_put(&e->line, "],\n\"signatures\":[");
    fputs(e->line.p, e->to);
    fputs(decode_text(&e->proofs), e->to);
    fputs("]}\n", e->to);
    good = ferror(e->to) == 0;
    good = fclose(e->to) == 0 && good;
    if (!good) (void)fail(error, e->path);
    free(e->path);
    free(e->line.p);
    free(e->proofs.p);
    free(e);
    return good;
}
