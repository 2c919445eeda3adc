/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The judge: takes a chain structure apart, finds the trust anchor that
 * RootHash names, verifies each link once, has the rules looked at, and comes
 * to a verdict (certificates.md section 5). The verdict is a refusal until
 * the very end; to become anything else, each certificate's own verdict must
 * have been turned to good by a verification (or by being an anchor), and
 * nothing must have been found that refuses. Both are looked at twice. */
#include "port/der.h"
#include "port/judge_inside.h"
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

#define HEADER 4 /* Length and Reserved, or a 32-bit Length */

/* ---- findings ---- */

#define SEVERITY(name, severity, words) SPDM_##severity,
static const uint8_t severities[SPDM_FOUND_N] = {SPDM_FINDINGS(SEVERITY)};

struct spdm_finding *spdm_found_as(struct spdm_judging *g, enum spdm_finding_id id, unsigned certificate,
                                   enum spdm_severity severity)
{
    struct spdm_finding *f = &g->found[g->found_n];

    if (severity == SPDM_REFUSAL) g->refusals++;
    if (g->found_n < SPDM_JUDGE_FINDINGS_MAX) g->found_n++;
    *f = (struct spdm_finding){.id = (uint8_t)id, .severity = (uint8_t)severity, .certificate = (uint8_t)certificate};
    return f;
}

struct spdm_finding *spdm_found(struct spdm_judging *g, enum spdm_finding_id id, unsigned certificate)
{
    return spdm_found_as(g, id, certificate, severities[id]);
}

static void found_numbers(struct spdm_judging *g, enum spdm_finding_id id, size_t got, size_t limit)
{
    struct spdm_finding *f = spdm_found(g, id, 0);

    f->got = (int64_t)got;
    f->limit = (int64_t)limit;
}

/* ---- the structure ---- */

/* Where the certificates begin: 0 if the structure is too short to hold one. */
static size_t look_at_header(struct spdm_judging *g)
{
    struct spdm_span chain = g->input->chain;
    size_t hash = spdm_openssl_hash_size(g->input->hash);

    if (hash == 0) {
        found_numbers(g, SPDM_FOUND_HASH_UNKNOWN, g->input->hash, 0);
        return 0;
    }
    if (chain.n <= HEADER + hash) {
        found_numbers(g, SPDM_FOUND_CHAIN_SHORT, chain.n, HEADER + hash);
        return 0;
    }
    uint32_t low = chain.p[0] | (uint32_t)chain.p[1] << 8, high = chain.p[2] | (uint32_t)chain.p[3] << 8;
    /* VERSION: Length grew to 32 bits in 1.4 */
    uint32_t length = g->input->version >= SPDM_V14 ? low | high << 16 : low;
    if (length != chain.n) found_numbers(g, SPDM_FOUND_CHAIN_LENGTH, length, chain.n);
    /* VERSION: until then they were reserved */
    if (g->input->version < SPDM_V14 && high != 0) found_numbers(g, SPDM_FOUND_CHAIN_RESERVED, high, 0);
    return HEADER + hash;
}

/* How many certificates there are, going by their lengths; what is wrong with the lengths becomes a finding. */
static unsigned count(struct spdm_judging *g, size_t at)
{
    struct spdm_span chain = g->input->chain;
    unsigned n = 0;

    while (at < chain.n) {
        struct spdm_span rest = {chain.p + at, chain.n - at};
        size_t length = spdm_x509_length(rest);
        struct spdm_finding *f = NULL;
        if (n == SPDM_JUDGE_CERTIFICATES_MAX) {
            g->lacking = true;
            spdm_found(g, SPDM_FOUND_TOO_MANY, 0)->limit = SPDM_JUDGE_CERTIFICATES_MAX;
            break;
        }
        if (length == 0) {
            f = spdm_found(g, n == 0 ? SPDM_FOUND_NO_CERTIFICATE : SPDM_FOUND_TRAILING, 0);
            f->got = (int64_t)rest.n;
        } else if (length > rest.n) {
            g->lacking = true;
            f = spdm_found(g, SPDM_FOUND_CUT, n + 1);
            f->got = (int64_t)length;
            f->limit = (int64_t)rest.n;
        }
        if (f != NULL) {
            f->at = (uint32_t)at;
            break;
        }
        at += length;
        n++;
    }
    return n;
}

bool spdm_judge_read(struct spdm_judge *judge, struct spdm_span der, size_t at, struct spdm_x509 *x)
{
    judge->counts.certificates_read++;
    return spdm_x509_read(der, at, x);
}

struct spdm_openssl_key *spdm_judge_key(struct spdm_judge *judge, struct spdm_x509 *x)
{
    judge->counts.keys_opened++;
    struct spdm_openssl_key *key = spdm_openssl_key_open(judge->ossl, x->spki, NULL);
    if (key != NULL) memcpy(x->key_name, key->name, sizeof x->key_name);
    return key;
}

/* The certificate that begins here, as long as it says it is, but not longer than the chain. */
static struct spdm_span certificate_at(struct spdm_span chain, size_t at)
{
    struct spdm_span rest = {chain.p + at, chain.n - at};
    size_t length = spdm_x509_length(rest);

    if (length < rest.n) rest.n = length;
    return rest;
}

/* The anchor that RootHash names, if there is one; and whether the first certificate is it. */
static void find_anchor(struct spdm_judging *g, struct spdm_span chain, size_t at)
{
    struct spdm_span root_hash = {chain.p + HEADER, at - HEADER};

    g->anchor = spdm_anchor_by_digest(g->judge, g->input->hash, root_hash);
    g->anchor_is_first = g->anchor != NULL && spdm_der_equal(g->anchor->x.der, certificate_at(chain, at));
}

/* Reads the certificates, each once; one that is an anchor has been read when the anchor was loaded. */
static void read_certificates(struct spdm_judging *g, size_t at)
{
    struct spdm_span chain = g->held->judgement.input.chain;
    unsigned i;

    find_anchor(g, chain, at);
    for (i = 0; i < g->n; i++) {
        struct spdm_span der = certificate_at(chain, at);
        struct spdm_x509 *x = &g->certificate[i];
        if (i == 0 && g->anchor_is_first) {
            *x = g->anchor->x;
            x->at = at;
            g->key[i] = spdm_openssl_key_share(g->anchor->key);
        } else if (!spdm_judge_read(g->judge, der, at, x)) {
            struct spdm_finding *f = spdm_found(g, SPDM_FOUND_MALFORMED, i + 1);
            f->field = x->wrong;
            f->at = (uint32_t)x->wrong_at;
            break;
        } else {
            g->key[i] = spdm_judge_key(g->judge, x);
        }
        at += der.n;
    }
    g->held->judgement.certificate_n = (uint8_t)i;
    g->complete = i == g->n && !g->lacking;
}

/* ---- links ---- */

static bool same_key_id(const struct spdm_x509 *x, const struct spdm_x509 *issuer)
{
    return x->aki.n == 0 || issuer->ski.n == 0 || spdm_der_equal(x->aki, issuer->ski);
}

/* Whether `issuer` signed certificate i (from 0); what keeps it from having done so becomes a finding. */
static spdm_verdict verify_link(struct spdm_judging *g, unsigned i, const struct spdm_x509 *issuer,
                                const struct spdm_openssl_key *key)
{
    const struct spdm_x509 *x = &g->certificate[i];
    bool nameless = g->input->model == SPDM_CERT_GENERIC && i + 1 == g->n && spdm_x509_no_name(x->issuer);

    if (!nameless && !spdm_x509_same_name(x->issuer, issuer->subject)) spdm_found(g, SPDM_FOUND_LINK_NAME, i + 1);
    if (!same_key_id(x, issuer)) spdm_found(g, SPDM_FOUND_KEY_ID, i + 1);
    if (key == NULL) return SPDM_BAD; /* and a finding of its own */
    switch (spdm_x509_signed_by(g->judge, x, key)) {
    case SPDM_SIGNED: return SPDM_GOOD;
    case SPDM_NOT_SIGNED: spdm_found(g, SPDM_FOUND_LINK_SIGNATURE, i + 1); break;
    case SPDM_SIGNED_WEAKLY:
        spdm_found(g, SPDM_FOUND_LINK_WEAK, i + 1)->what = spdm_x509_algorithm(x->algorithm);
        break;
    case SPDM_SIGNED_UNKNOWN:
        spdm_found(g, SPDM_FOUND_LINK_ALGORITHM, i + 1)->what = spdm_x509_algorithm(x->algorithm);
        break;
    }
    return SPDM_BAD;
}

/* The first certificate when no anchor is named by RootHash: is it a root at all, and the one RootHash names? */
static void look_at_unknown_root(struct spdm_judging *g)
{
    const struct spdm_x509 *first = &g->certificate[0];
    struct spdm_span chain = g->held->judgement.input.chain;
    size_t hash = spdm_openssl_hash_size(g->input->hash);
    struct spdm_span root_hash = {chain.p + HEADER, hash};
    uint8_t digest[SPDM_HASH_MAX];

    if (spdm_x509_self_issued(first)) {
        bool self_signed = g->key[0] != NULL && spdm_x509_signed_by(g->judge, first, g->key[0]) == SPDM_SIGNED;
        if (!self_signed) spdm_found(g, SPDM_FOUND_NOT_SELF_SIGNED, 1);
        g->held->judgement.root_included = self_signed;
        bool same = spdm_openssl_digest(g->judge->ossl, g->input->hash, first->der, digest) &&
                    spdm_der_equal((struct spdm_span){digest, hash}, root_hash);
        if (self_signed && !same) spdm_found(g, SPDM_FOUND_ROOT_HASH, 0);
        if (self_signed && same) g->link[0] = SPDM_GOOD; /* consistent, though nobody vouches for it */
    } else {
        g->link[0] = SPDM_GOOD; /* what is above it is not known */
    }
    if (g->judge->anchor_n == 0) {
        spdm_found(g, SPDM_FOUND_NO_ANCHORS, 0);
    } else if (spdm_anchor_by_der(g->judge, first->der) == NULL) { /* else RootHash was wrong, and that is enough */
        struct spdm_finding *f = spdm_found(g, SPDM_FOUND_UNKNOWN_ROOT, 0);
        f->got = g->judge->anchor_n;
        f->what = first->issuer;
    }
}

static void verify_links(struct spdm_judging *g)
{
    if (g->anchor == NULL) {
        look_at_unknown_root(g);
    } else if (g->anchor_is_first) {
        g->held->judgement.root_included = spdm_x509_self_issued(&g->anchor->x);
        g->link[0] = SPDM_GOOD;
        g->anchored = SPDM_GOOD;
    } else {
        g->link[0] = verify_link(g, 0, &g->anchor->x, g->anchor->key);
        g->anchored = g->link[0];
    }
    for (unsigned i = 1; i < g->held->judgement.certificate_n; i++) {
        g->link[i] = verify_link(g, i, &g->certificate[i - 1], g->key[i - 1]);
    }
}

/* ---- the verdict ---- */

static bool every_link_holds(const struct spdm_judging *g)
{
    unsigned good = 0;

    for (unsigned i = 0; i < g->n; i++) good += g->link[i] == SPDM_GOOD;
    return g->n != 0 && good == g->n;
}

/* Refusals among the findings but for a missing anchor. */
static unsigned refusals_but_anchor(const struct spdm_judging *g)
{
    unsigned n = g->refusals;

    for (unsigned i = 0; i < g->found_n; i++) {
        n -= g->found[i].id == SPDM_FOUND_UNKNOWN_ROOT || g->found[i].id == SPDM_FOUND_NO_ANCHORS;
    }
    return n;
}

static bool something_refuses(const struct spdm_judging *g)
{
    for (unsigned i = 0; i < g->found_n; i++) {
        if (g->found[i].severity == SPDM_REFUSAL) return true;
    }
    return g->refusals != 0;
}

static spdm_verdict conclude(const struct spdm_judging *g)
{
    volatile spdm_verdict verdict = SPDM_BAD;
    volatile spdm_verdict anchored = g->anchored;

    if (anchored == SPDM_GOOD && g->refusals == 0 && g->complete && every_link_holds(g)) {
        bool sound = g->anchor != NULL && g->key[g->n - 1] != NULL && !something_refuses(g) && every_link_holds(g);
        if (sound && (anchored ^ SPDM_BAD) == (SPDM_GOOD ^ SPDM_BAD)) verdict = SPDM_GOOD;
    }
    return verdict;
}

/* Refusals first, else as they were found. false: out of memory. */
static bool keep_findings(struct spdm_judging *g)
{
    struct spdm_held *h = g->held;
    unsigned n = 0;

    if (g->found_n == 0) return true;
    h->finding = OPENSSL_malloc(g->found_n * sizeof *h->finding);
    if (h->finding == NULL) return false;
    for (int severity = SPDM_REFUSAL; severity >= SPDM_NOTE; severity--) {
        for (unsigned i = 0; i < g->found_n; i++) {
            if (g->found[i].severity == severity) h->finding[n++] = g->found[i];
        }
    }
    h->judgement.finding = h->finding;
    h->judgement.finding_n = (uint8_t)n;
    return true;
}

/* ---- a judgement ---- */

/* Room for everything, with copies of chain and digest. */
static struct spdm_held *hold(const struct spdm_judge_case *input, unsigned n)
{
    size_t head = sizeof(struct spdm_held) + n * sizeof(struct spdm_x509);
    struct spdm_held *h = OPENSSL_zalloc(head);

    if (h == NULL) return NULL;
    h->holders = 1;
    h->judgement.verdict = SPDM_BAD;
    h->judgement.input = *input;
    h->judgement.certificate = h->certificate;
    if (input->chain.n != 0) {
        h->chain = OPENSSL_memdup(input->chain.p, input->chain.n);
        if (h->chain == NULL) {
            OPENSSL_free(h);
            return NULL;
        }
    }
    h->judgement.input.chain.p = h->chain;
    return h;
}

/* The digest by which the judgement is remembered: the caller's if it gave one, else computed; if that fails there
 * is none, and the judgement is not remembered. */
static void name_by_digest(struct spdm_judging *g)
{
    struct spdm_judge_case *input = &g->held->judgement.input;
    size_t hash = spdm_openssl_hash_size(input->hash);
    bool given = input->digest.n == hash && hash != 0;

    if (given) memcpy(g->held->digest, input->digest.p, hash);
    bool made = given || spdm_openssl_digest(g->judge->ossl, input->hash, input->chain, g->held->digest);
    input->digest = (struct spdm_span){g->held->digest, made ? hash : 0};
}

/* Everything but the end. */
static void judge_certificates(struct spdm_judging *g, size_t at)
{
    read_certificates(g, at);
    if (g->held->judgement.certificate_n == 0) return;
    spdm_judge_fields(g);
    verify_links(g);
    if (g->complete) spdm_judge_leaf(g);
    if (g->input->now == 0) spdm_found(g, SPDM_FOUND_VALID_FOREVER, 0);
}

static void finish(struct spdm_judging *g)
{
    struct spdm_judgement *j = &g->held->judgement;

    j->verdict = conclude(g);
    j->consistent = g->complete && every_link_holds(g) && refusals_but_anchor(g) == 0;
    if (g->anchor != NULL) { /* the first certificate may be its */
        g->held->anchor = g->anchor;
        g->anchor->holders++;
    }
    if (j->verdict != SPDM_GOOD) return;
    g->held->key = spdm_openssl_key_share(g->key[g->n - 1]);
    j->anchor = &g->anchor->x;
    j->key = g->held->key;
}

struct spdm_judgement *spdm_judge_decide(struct spdm_judge *judge, const struct spdm_judge_case *input)
{
    struct spdm_judging g = {.judge = judge, .input = input, .anchored = SPDM_BAD};

    for (unsigned i = 0; i < SPDM_JUDGE_CERTIFICATES_MAX; i++) g.link[i] = SPDM_BAD;
    ERR_set_mark();
    size_t at = look_at_header(&g);
    if (at != 0) g.n = count(&g, at);
    g.held = hold(input, g.n);
    if (g.held != NULL) {
        g.certificate = g.held->certificate;
        name_by_digest(&g);
        if (at != 0) judge_certificates(&g, at);
        finish(&g);
        for (unsigned i = 0; i < g.n; i++) spdm_openssl_key_free(g.key[i]);
        if (!keep_findings(&g)) {
            spdm_judgement_free(&g.held->judgement);
            g.held = NULL;
        }
    }
    ERR_pop_to_mark();
    return g.held != NULL ? &g.held->judgement : NULL;
}

/* A judgement is the first member of what holds it. */
static struct spdm_held *held_of(struct spdm_judgement *judgement)
{
    return (struct spdm_held *)(void *)judgement;
}

struct spdm_judgement *spdm_judgement_share(struct spdm_judgement *judgement)
{
    if (judgement != NULL) held_of(judgement)->holders++;
    return judgement;
}

void spdm_judgement_free(struct spdm_judgement *judgement)
{
    struct spdm_held *h = judgement != NULL ? held_of(judgement) : NULL;

    if (h == NULL || --h->holders != 0) return;
    spdm_openssl_key_free(h->key);
    spdm_anchor_free(h->anchor);
    OPENSSL_free(h->finding);
    OPENSSL_free(h->chain);
    OPENSSL_free(h);
}

const struct spdm_x509 *spdm_judgement_leaf(const struct spdm_judgement *judgement)
{
    return judgement->certificate_n != 0 ? &judgement->certificate[judgement->certificate_n - 1] : NULL;
}

/* ---- the judge ---- */

struct spdm_judge *spdm_judge_open(struct spdm_openssl *ossl)
{
    struct spdm_judge *judge = OPENSSL_zalloc(sizeof *judge);

    if (judge != NULL) judge->ossl = ossl;
    return judge;
}

void spdm_judge_close(struct spdm_judge *judge)
{
    if (judge == NULL) return;
    spdm_judge_forget(judge, (struct spdm_span){0});
    for (unsigned i = 0; i < judge->anchor_n; i++) spdm_anchor_free(judge->anchor[i]);
    OPENSSL_free(judge->anchor);
    for (unsigned i = 0; i < judge->critical_n; i++) OPENSSL_free(judge->critical[i].p);
    OPENSSL_free(judge->critical);
    OPENSSL_free(judge);
}

struct spdm_judge_counts spdm_judge_counts(const struct spdm_judge *judge)
{
    return judge->counts;
}
