/* SPDX-License-Identifier: BSD-3-Clause
 *
 * attest_trust.c - answers the trust questions of a run by the X.509 judge.
 *
 * Every judgement is held until its run is gone, since the engine verifies
 * with its key. In the cache directory a chain lies under its digest (what
 * DIGESTS names) and under its target (what saves DIGESTS as well). */
#include "attest_trust.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TEXT_MAX = 1024 };

static void hold(struct spdm_attest_file *file, struct spdm_judgement *judgement)
{
    if (judgement == NULL) return;
    file->judgements = spdm_text_need(realloc(file->judgements, (file->n + 1) * sizeof *file->judgements));
    file->judgements[file->n++] = judgement;
}

void spdm_attest_file_clear(struct spdm_attest_file *file)
{
    for (size_t i = 0; i < file->n; i++) spdm_judgement_free(file->judgements[i]);
    free(file->judgements);
    *file = (struct spdm_attest_file){0};
}

static int64_t now(const struct spdm_attest_court *court)
{
    return court->no_time ? 0 : (int64_t)time(NULL);
}

/* ---- the cache directory ---- */

static char *path_of_digest(const struct spdm_attest_court *court, struct spdm_span digest)
{
    char *hex = spdm_text_hex(digest, 0);
    char *path = spdm_text_format("%s/chain-%s", court->cache, hex);
    free(hex);
    return path;
}

/* "target-tcp___10.0.0.5_4194": letters, digits, '.' and '-' stay. */
static char *path_of_target(const struct spdm_attest_court *court, const struct spdm_target *target)
{
    char *path = spdm_text_format("%s/target-%s", court->cache, target->text);
    for (char *p = path + strlen(court->cache) + 1; *p != '\0'; p++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", *p) == NULL) *p = '_';
    return path;
}

/* A chain that is not on disk, or of no use any more, is simply not known. */
static struct spdm_judgement *load(const struct spdm_attest_court *court, char *path)
{
    char cause[SPDM_CAUSE_MAX];
    struct spdm_judgement *judgement = spdm_judge_load(court->judge, path, now(court), cause);
    free(path);
    return judgement;
}

bool spdm_attest_remember(const struct spdm_attest_court *court, const struct spdm_attest_file *file,
                          const struct spdm_attest_result *result, char *cause)
{
    if (court->cache == NULL || file->n == 0) return true;
    const struct spdm_judgement *j = file->judgements[file->n - 1];
    if (j->verdict != SPDM_GOOD || result->source == SPDM_CHAIN_REMEMBERED) return true;
    char *digest = path_of_digest(court, j->input.digest), *target = path_of_target(court, &result->target);
    bool good = spdm_judgement_save(j, digest, cause) && spdm_judgement_save(j, target, cause);
    free(digest);
    free(target);
    return good;
}

/* ---- the questions ---- */

static void answer(void *ctx, struct spdm_attest *run, const struct spdm_event *event, struct spdm_answer *out)
{
    const struct spdm_attest_court *court = ctx;
    struct spdm_attest_file *file = spdm_attest_context(run);
    const struct spdm_facts *facts = &spdm_attest_result(run)->facts;
    struct spdm_judgement *judgement = spdm_judge_answer(court->judge, facts, event, now(court), out);
    if (judgement == NULL && event->kind == SPDM_ASK_DIGEST && court->cache != NULL) {
        /* loading makes it known to the judge, who then answers by the rules of this connection */
        spdm_judgement_free(load(court, path_of_digest(court, event->data)));
        judgement = spdm_judge_answer(court->judge, facts, event, now(court), out);
    }
    hold(file, judgement);
}

static struct spdm_vouched remembered(void *ctx, struct spdm_attest *run)
{
    const struct spdm_attest_court *court = ctx;
    struct spdm_attest_file *file = spdm_attest_context(run);
    struct spdm_vouched none = {.key = NULL};
    if (court->cache == NULL) return none;
    struct spdm_judgement *j = load(court, path_of_target(court, &spdm_attest_result(run)->target));
    if (j == NULL || j->verdict != SPDM_GOOD || j->key == NULL) {
        spdm_judgement_free(j);
        return none;
    }
    hold(file, j);
    return (struct spdm_vouched){.slot = j->input.slot, .digest = j->input.digest, .key = j->key};
}

const struct spdm_attest_trust spdm_attest_trust_judge = {.answer = answer, .remembered = remembered};

/* ---- who it is ---- */

/* RFC 4514 writes every byte of "Gerät" that is not ASCII as \C3; people read letters. What is no clean UTF-8 then
 * becomes safe again where it is printed. */
static void read_letters(char *text)
{
    char *to = text;
    for (const char *p = text; *p != '\0'; to++) {
        uint8_t byte;
        char digits[3] = {p[0] == '\\' ? p[1] : '\0', '\0', '\0'};
        if (digits[0] != '\0') digits[1] = p[2];
        bool high = digits[1] != '\0' && spdm_text_unhex(digits, (struct spdm_room){&byte, 1}) == 1 && byte >= 0x80;
        *to = high ? (char)byte : *p;
        p += high ? 3 : 1;
        if (!high && digits[0] == '\\') *++to = *p++; /* "\\" is a backslash, and begins nothing */
    }
    *to = '\0';
}

static char *name_of(struct spdm_span name)
{
    char text[TEXT_MAX];
    spdm_x509_name_text(name, text, sizeof text);
    read_letters(text);
    return spdm_text_format("%s", text);
}

static char *time_of(int64_t when)
{
    char text[40];
    spdm_x509_time_text(when, text, sizeof text);
    return spdm_text_format("%s", text);
}

static char *serial_of(const struct spdm_x509 *x)
{
    char text[TEXT_MAX];
    spdm_x509_serial_text(x, text, sizeof text);
    return spdm_text_format("%s", text);
}

static void add_certificates(const struct spdm_judgement *j, struct spdm_subject *out)
{
    out->certificates = spdm_text_need(calloc((size_t)j->certificate_n + 1, sizeof *out->certificates));
    for (size_t i = 0; i < j->certificate_n; i++) {
        const struct spdm_x509 *x = &j->certificate[i];
        out->certificates[out->certificate_n++] =
            (struct spdm_subject_certificate){.subject = name_of(x->subject),
                                              .issuer = name_of(x->issuer),
                                              .serial = serial_of(x),
                                              .not_before = time_of(x->not_before),
                                              .not_after = time_of(x->not_after),
                                              .key = spdm_text_format("%s", x->key_name)};
    }
}

/* manufacturer:product:serial; whatever has another form is the judge's to name. */
static void split_device_info(struct spdm_span info, struct spdm_subject *out)
{
    char **parts[] = {&out->manufacturer, &out->product, &out->number};
    for (size_t i = 0; i < 3; i++) {
        const uint8_t *colon = i < 2 && info.n != 0 ? memchr(info.p, ':', info.n) : NULL;
        size_t n = colon != NULL ? (size_t)(colon - info.p) : info.n;
        if (n != 0) *parts[i] = spdm_text_safe((struct spdm_span){info.p, n});
        size_t skip = colon != NULL ? n + 1 : n;
        info = (struct spdm_span){info.p + skip, info.n - skip};
    }
}

static void add_oids(const struct spdm_x509 *leaf, struct spdm_subject *out)
{
    static const struct {
        uint32_t has;
        const char *text;
    } known[] = {
        {SPDM_X509_DEVICE_INFO, "1.3.6.1.4.1.412.274.1 device info"},
        {SPDM_X509_HARDWARE, "1.3.6.1.4.1.412.274.2 hardware identity"},
        {SPDM_X509_RESPONDER, "1.3.6.1.4.1.412.274.3 responder authentication"},
        {SPDM_X509_REQUESTER, "1.3.6.1.4.1.412.274.4 requester authentication"},
        {SPDM_X509_MUTABLE, "1.3.6.1.4.1.412.274.5 mutable certificate"},
        {SPDM_X509_TCB_INFO, "2.23.133.5.4 DICE TCB info"},
        {SPDM_X509_UEID, "2.23.133.5.4.4 DICE UEID"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if ((leaf->has & known[i].has) != 0) spdm_subject_add(&out->oids, &out->oid_n, known[i].text);
    if (leaf->pci_info.n != 0) {
        char *safe = spdm_text_safe(leaf->pci_info), *text = spdm_text_format("2.23.147 %s", safe);
        spdm_subject_add(&out->oids, &out->oid_n, text);
        free(safe);
        free(text);
    }
}

static void add_leaf(const struct spdm_judgement *j, struct spdm_subject *out)
{
    static const char *const models[] = {NULL, "device certificate", "alias certificate", "generic certificate"};
    const struct spdm_x509 *leaf = spdm_judgement_leaf(j);
    if (leaf == NULL) return;
    out->subject = name_of(leaf->subject);
    out->serial = serial_of(leaf);
    if (j->model < sizeof models / sizeof models[0] && models[j->model] != NULL)
        out->model = spdm_text_format("%s", models[j->model]);
    split_device_info(leaf->device_info, out);
    add_oids(leaf, out);
}

/* What the judge found; of a chain that was refused before this one, only the refusals. */
static void add_findings(const struct spdm_judgement *j, bool last, struct spdm_subject *out)
{
    for (size_t i = 0; i < j->finding_n; i++) {
        char text[TEXT_MAX];
        const struct spdm_finding *f = &j->finding[i];
        if (f->id == SPDM_FOUND_VALID_FOREVER || (!last && f->severity != SPDM_REFUSAL)) continue;
        spdm_finding_text(j, f, text, sizeof text);
        char *sentence = spdm_text_format("slot %u: %s", j->input.slot, text);
        if (f->severity == SPDM_REFUSAL) spdm_subject_add(&out->reasons, &out->reason_n, sentence);
        else spdm_subject_add(&out->notes, &out->note_n, sentence);
        free(sentence);
    }
}

void spdm_attest_subject(const struct spdm_attest_file *file, const struct spdm_attest_result *result,
                         struct spdm_subject *out)
{
    *out = (struct spdm_subject){0};
    if (file->n == 0 || result->source == SPDM_CHAIN_KEY) return;
    const struct spdm_judgement *j = file->judgements[file->n - 1];
    out->judged = true;
    out->trusted = j->verdict == SPDM_GOOD;
    out->time_checked = j->input.now != 0;
    if (out->trusted && j->anchor != NULL) out->anchor = name_of(j->anchor->subject);
    out->chain.p = spdm_text_need(malloc(j->input.chain.n + 1));
    out->chain.n = j->input.chain.n;
    if (out->chain.n != 0) memcpy(out->chain.p, j->input.chain.p, out->chain.n);
    add_leaf(j, out);
    add_certificates(j, out);
    add_findings(j, true, out);
    for (size_t i = 0; i + 1 < file->n; i++) add_findings(file->judgements[i], false, out);
}
