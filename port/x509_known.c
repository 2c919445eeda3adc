/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What was trusted once: remembered by the digest of the chain, so that a
 * known device needs no certificates to be sent and none to be verified. A
 * judgement holds under the rules it was made by, so everything of the case
 * but the chain must be the same again, and the dates are compared anew. The
 * file of a known device holds its chain, not the verdict: loading judges. */
#include "port/der.h"
#include "port/judge_inside.h"
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- in memory ---- */

static unsigned bucket_of(struct spdm_span digest)
{
    return digest.n != 0 ? digest.p[0] % SPDM_KNOWN_BUCKETS : 0;
}

/* The same rules for the same chain. */
static bool same_case(const struct spdm_judge_case *a, const struct spdm_judge_case *b)
{
    bool slots = (a->slot == 0) == (b->slot == 0); /* what a slot's number decides */
    bool editions = (a->version ^ b->version) == 0;

    return spdm_der_equal(a->digest, b->digest) && a->hash == b->hash && a->signature == b->signature && editions &&
           a->role == b->role && a->model == b->model && a->multi_key == b->multi_key && slots;
}

static bool valid_at(const struct spdm_judgement *j, int64_t now)
{
    if (now == 0) return true;
    if (now < j->anchor->not_before || now > j->anchor->not_after) return false;
    for (unsigned i = 0; i < j->certificate_n; i++) {
        if (now < j->certificate[i].not_before || now > j->certificate[i].not_after) return false;
    }
    return true;
}

static void drop(struct spdm_judge *judge, struct spdm_known **link)
{
    struct spdm_known *k = *link;

    *link = k->next;
    judge->known_n--;
    spdm_judgement_free(k->judgement);
    OPENSSL_free(k);
}

/* Room for one more, if need be by forgetting the oldest of some bucket. */
static void make_room(struct spdm_judge *judge)
{
    for (unsigned i = 0; judge->known_n >= SPDM_KNOWN_MAX && i < SPDM_KNOWN_BUCKETS; i++) {
        struct spdm_known **link = &judge->known[judge->evict++ % SPDM_KNOWN_BUCKETS];
        if (*link == NULL) continue;
        while ((*link)->next != NULL) link = &(*link)->next;
        drop(judge, link);
    }
}

void spdm_judge_remember(struct spdm_judge *judge, struct spdm_judgement *judgement)
{
    if (judgement == NULL || judgement->verdict != SPDM_GOOD || judgement->input.digest.n == 0) return;
    struct spdm_known **bucket = &judge->known[bucket_of(judgement->input.digest)];
    for (struct spdm_known **link = bucket; *link != NULL; link = &(*link)->next) {
        if (same_case(&(*link)->judgement->input, &judgement->input)) {
            drop(judge, link);
            break;
        }
    }
    make_room(judge);
    struct spdm_known *k = OPENSSL_zalloc(sizeof *k);
    if (k == NULL) return;
    *k = (struct spdm_known){.judgement = spdm_judgement_share(judgement), .next = *bucket};
    *bucket = k;
    judge->known_n++;
}

struct spdm_judgement *spdm_judge_known(struct spdm_judge *judge, const struct spdm_judge_case *input)
{
    if (input->digest.n == 0) return NULL;
    for (struct spdm_known *k = judge->known[bucket_of(input->digest)]; k != NULL; k = k->next) {
        if (!same_case(&k->judgement->input, input)) continue;
        return valid_at(k->judgement, input->now) ? spdm_judgement_share(k->judgement) : NULL;
    }
    return NULL;
}

void spdm_judge_forget(struct spdm_judge *judge, struct spdm_span digest)
{
    for (unsigned i = 0; i < SPDM_KNOWN_BUCKETS; i++) {
        struct spdm_known **link = &judge->known[i];
        while (*link != NULL) {
            if (digest.n == 0 || spdm_der_equal((*link)->judgement->input.digest, digest)) {
                drop(judge, link);
            } else {
                link = &(*link)->next;
            }
        }
    }
}

/* ---- as an answer to an engine ---- */

void spdm_judge_case_of(const struct spdm_facts *facts, const struct spdm_event *ev, struct spdm_judge_case *input)
{
    uint32_t flags = facts->responder.flags;

    *input = (struct spdm_judge_case){.hash = (enum spdm_alg)facts->hash, .signature = (enum spdm_alg)facts->signature};
    input->version = facts->version;
    input->slot = ev->slot;
    input->role = SPDM_JUDGE_RESPONDER;
    input->multi_key = (flags & SPDM_MULTI_KEY_CAP_MASK) != 0;
    input->digest = (struct spdm_span){facts->chain_hash, spdm_openssl_hash_size(input->hash)};
    if (input->multi_key) {
        input->model = ev->slot == facts->slot ? facts->slot_model : SPDM_CERT_NONE;
    } else {
        input->model = flags & SPDM_ALIAS_CERT_CAP ? SPDM_CERT_ALIAS : SPDM_CERT_DEVICE;
    }
    if (ev->kind == SPDM_ASK_DIGEST) {
        input->digest = ev->data;
    } else {
        input->chain = ev->data;
        input->digest = (struct spdm_span){0}; /* computed from the very bytes that are judged */
    }
}

struct spdm_judgement *spdm_judge_answer(struct spdm_judge *judge, const struct spdm_facts *facts,
                                         const struct spdm_event *ev, int64_t now, struct spdm_answer *answer)
{
    struct spdm_judge_case input;
    struct spdm_judgement *judgement = NULL;

    *answer = (struct spdm_answer){.ticket = ev->ticket};
    spdm_judge_case_of(facts, ev, &input);
    input.now = now;
    if (ev->kind == SPDM_ASK_DIGEST) {
        judgement = spdm_judge_known(judge, &input);
    } else if (ev->kind == SPDM_ASK_TRUST) {
        judgement = spdm_judge_decide(judge, &input);
        spdm_judge_remember(judge, judgement);
    }
    answer->yes = judgement != NULL && judgement->verdict == SPDM_GOOD && judgement->key != NULL;
    if (answer->yes) answer->key = judgement->key;
    return judgement;
}

/* ---- in a file ---- */

/* The first lines are comments to PEM, so openssl's tools read such a file, too. */
#define FIRST_LINE "assay known device 1\n"

static const char *const model_names[] = {"unknown", "device", "alias", "generic"};
static const char *const role_names[] = {"responder", "requester"};

static void write_hex(FILE *f, const char *word, struct spdm_span bytes)
{
    fprintf(f, "%s ", word);
    for (size_t i = 0; i < bytes.n; i++) fprintf(f, "%02x", bytes.p[i]);
    fprintf(f, "\n");
}

static void write_head(FILE *f, const struct spdm_judgement *j)
{
    const struct spdm_judge_case *in = &j->input;
    char name[300] = "";

    if (j->certificate_n != 0) (void)spdm_x509_name_text(spdm_judgement_leaf(j)->subject, name, sizeof name);
    fprintf(f, FIRST_LINE "subject %s\n", name);
    fprintf(f, "version %u.%u\nhash %s\nsignature %s\n", (unsigned)in->version >> 4, in->version & 15u,
            spdm_algorithm_name(in->hash), spdm_algorithm_name(in->signature));
    fprintf(f, "slot %u\nrole %s\nmodel %s\nmulti-key %s\n", in->slot, role_names[in->role & 1],
            model_names[in->model & 3], in->multi_key ? "yes" : "no");
    write_hex(f, "root", (struct spdm_span){in->chain.p + 4, spdm_openssl_hash_size(in->hash)});
    write_hex(f, "digest", in->digest);
    fprintf(f, "\n");
}

static bool write_all(FILE *f, const struct spdm_judgement *j)
{
    bool fine = true;

    write_head(f, j);
    for (unsigned i = 0; i < j->certificate_n && fine; i++) {
        struct spdm_span der = j->certificate[i].der;
        fine = PEM_write(f, PEM_STRING_X509, "", der.p, (long)der.n) > 0;
    }
    return fine && fflush(f) == 0 && ferror(f) == 0 && fsync(fileno(f)) == 0;
}

bool spdm_judgement_save(const struct spdm_judgement *j, const char *path, char *cause)
{
    char beside[4096];

    if (j->verdict != SPDM_GOOD) {
        spdm_openssl_say(cause, "only trusted chains are saved");
        return false;
    }
    int n = snprintf(beside, sizeof beside, "%s.new", path);
    FILE *f = n > 0 && n < (int)sizeof beside ? fopen(beside, "w") : NULL;
    if (f == NULL) {
        spdm_openssl_say(cause, "cannot write %.200s: %s", path, strerror(errno));
        return false;
    }
    ERR_set_mark();
    bool written = write_all(f, j);
    ERR_pop_to_mark();
    written = fclose(f) == 0 && written && rename(beside, path) == 0;
    if (!written) {
        spdm_openssl_say(cause, "cannot write %.200s: %s", path, strerror(errno));
        (void)unlink(beside);
    }
    return written;
}

/* What a file says before the certificates. */
struct head {
    struct spdm_judge_case input;
    uint8_t root[SPDM_HASH_MAX], digest[SPDM_HASH_MAX];
    unsigned seen; /* one bit per line */
};

static int index_of(const char *text, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, list[i]) == 0) return (int)i;
    }
    return -1;
}

/* Digits for a digest of the hash that was named before. */
static bool read_hex(const struct head *h, const char *hex, uint8_t out[SPDM_HASH_MAX])
{
    size_t n = spdm_openssl_hash_size(h->input.hash);

    if (n == 0 || strlen(hex) != 2 * n) return false;
    for (size_t i = 0; i < n; i++) {
        int high = OPENSSL_hexchar2int((unsigned char)hex[2 * i]),
            low = OPENSSL_hexchar2int((unsigned char)hex[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* One line "word value". false: it is not understood. */
static bool read_line(struct head *h, const char *word, const char *value)
{
    static const char *const words[] = {"version", "hash",      "signature", "slot",   "role",
                                        "model",   "multi-key", "root",      "digest", "subject"};
    int which = index_of(word, words, sizeof words / sizeof words[0]), number = -1;
    unsigned major = 0, minor = 0, slot = 0;

    if (which < 0) return false;
    h->seen |= 1u << which;
    switch (which) {
    case 0:
        if (sscanf(value, "%1u.%1u", &major, &minor) != 2) return false; /* NOLINT(cert-err34-c): one digit each */
        h->input.version = (uint8_t)(major << 4 | minor);
        return true;
    case 1: h->input.hash = spdm_algorithm_named(value); return h->input.hash != SPDM_ALG_NONE;
    case 2: h->input.signature = spdm_algorithm_named(value); return h->input.signature != SPDM_ALG_NONE;
    case 3:
        if (sscanf(value, "%1u", &slot) != 1) return false; /* NOLINT(cert-err34-c): one digit */
        h->input.slot = (uint8_t)slot;
        return slot < SPDM_SLOT_N;
    case 4:
        number = index_of(value, role_names, 2);
        h->input.role = (uint8_t)number;
        return number >= 0;
    case 5:
        number = index_of(value, model_names, 4);
        h->input.model = (uint8_t)number;
        return number >= 0;
    case 6: h->input.multi_key = strcmp(value, "yes") == 0; return true;
    case 7: return read_hex(h, value, h->root);
    case 8: return read_hex(h, value, h->digest);
    default: return true;
    }
}

static bool read_head(BIO *bio, struct head *h)
{
    char line[1024];

    if (BIO_gets(bio, line, sizeof line) <= 0 || strcmp(line, FIRST_LINE) != 0) return false;
    while (BIO_gets(bio, line, sizeof line) > 0 && line[0] != '\n') {
        char *value = strchr(line, ' ');
        size_t n = strlen(line);
        if (value == NULL || line[n - 1] != '\n') return false;
        line[n - 1] = '\0';
        *value++ = '\0';
        if (!read_line(h, line, value)) return false;
    }
    return (h->seen & 0x1ffu) == 0x1ffu;
}

/* The chain structure made of the head and the certificates that follow it. */
static bool read_chain(BIO *bio, const struct head *h, uint8_t *chain, size_t cap, size_t *n)
{
    size_t hash = spdm_openssl_hash_size(h->input.hash), at = 4 + hash;
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long der_n = 0;
    bool fits = cap > at;

    while (fits && PEM_read_bio(bio, &name, &header, &der, &der_n) == 1) {
        fits = strcmp(name, PEM_STRING_X509) == 0 && (size_t)der_n <= cap - at;
        if (fits) {
            memcpy(chain + at, der, (size_t)der_n);
            at += (size_t)der_n;
        }
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    if (!fits) return false;
    for (size_t i = 0; i < 4; i++) chain[i] = (uint8_t)(at >> (8 * i));
    memcpy(chain + 4, h->root, hash);
    *n = at;
    return true;
}

/* The judgement if its chain is the one whose digest the file names; else the file has been changed. */
static struct spdm_judgement *the_one_named(struct spdm_judgement *judgement, const struct head *h, char *cause)
{
    if (judgement == NULL) {
        spdm_openssl_say(cause, "out of memory");
        return NULL;
    }
    struct spdm_span named = {h->digest, spdm_openssl_hash_size(h->input.hash)};
    if (spdm_der_equal(judgement->input.digest, named)) return judgement;
    spdm_openssl_say(cause, "its certificates are not those whose digest it names");
    spdm_judgement_free(judgement);
    return NULL;
}

static struct spdm_judgement *judge_file(struct spdm_judge *judge, BIO *bio, int64_t now, char *cause)
{
    enum { CAP = 1 << 20 }; /* chains with post-quantum signatures have some 100,000 bytes */
    struct head h = {.seen = 0};
    uint8_t *chain = OPENSSL_malloc(CAP);
    struct spdm_judgement *judgement = NULL;

    if (chain == NULL) {
        spdm_openssl_say(cause, "out of memory");
    } else if (!read_head(bio, &h) || !read_chain(bio, &h, chain, CAP, &h.input.chain.n)) {
        spdm_openssl_say(cause, "it is no file of a known device");
    } else {
        h.input.chain.p = chain;
        h.input.now = now;
        judgement = spdm_judge_decide(judge, &h.input);
        judgement = the_one_named(judgement, &h, cause);
        spdm_judge_remember(judge, judgement);
    }
    OPENSSL_free(chain);
    return judgement;
}

struct spdm_judgement *spdm_judge_load(struct spdm_judge *judge, const char *path, int64_t now, char *cause)
{
    char why[SPDM_CAUSE_MAX] = "";
    struct spdm_judgement *judgement = NULL;

    ERR_set_mark();
    BIO *bio = BIO_new_file(path, "r");
    if (bio != NULL) {
        judgement = judge_file(judge, bio, now, why);
    } else {
        spdm_openssl_say(why, "%s", strerror(errno));
    }
    BIO_free(bio);
    ERR_pop_to_mark();
    if (judgement == NULL) spdm_openssl_say(cause, "known device %.150s: %.240s", path, why);
    return judgement;
}
