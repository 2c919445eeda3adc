/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Recorded conversations before the witness: every signature covers exactly
 * what its recorder signed (the digests it printed), verifies with the leaf of
 * the recorded chain, and verifies no more when any one message it covers was
 * different. */
#include "port/crypto_openssl.h"
#include "support/golden.h"
#include "support/hex.h"
#include <assay/witness.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LANES = 12, ROOM = 65536, REQUEST_MAX = 40000 };
enum { FLIPPED_SIGNATURES = 3 }; /* of each conversation; the others are alike and cost time */

/* ---- a conversation as it stands in its file ---- */

enum line_kind { REQUEST, RESPONSE, SIGNED };
struct line {
    enum line_kind kind;
    unsigned lane;
    struct spdm_room bytes;       /* the message, or the digest that was signed */
    const char *by;               /* SIGNED: context string */
    unsigned *covered, covered_n; /* SIGNED: numbers of messages, counted from 1 */
};

struct conversation {
    char name[64];
    struct line *line;
    size_t n, cap;
    bool unsigned_; /* there are digests, but no signatures */
    uint8_t trust_slot;
    struct spdm_room trust; /* chain that is known beforehand */
};

static void take_directive(struct conversation *c, char *text)
{
    char *word = strsep(&text, " ");

    if (strcmp(word, "unsigned") == 0) {
        c->unsigned_ = true;
        return;
    }
    if (strcmp(word, "key") == 0) c->trust_slot = SPDM_SLOT_KEY;
    else c->trust_slot = (uint8_t)atoi(strsep(&text, " "));
    c->trust = golden_bytes(text);
}

static const char *context_of(const char *transcript)
{
    if (strcmp(transcript, "M1M2") == 0) return "responder-challenge_auth signing";
    if (strcmp(transcript, "L1L2") == 0) return "responder-measurements signing";
    assert_string_equal(transcript, "IL1IL2");
    return "responder-endpoint_info signing";
}

static void take_line(char *text, void *ctx)
{
    struct conversation *c = ctx;
    struct line *l;
    size_t digits = strspn(text, "0123456789");
    char mark = text[digits], *rest = text + digits + 2, *word;

    if (mark == '!') {
        take_directive(c, rest);
        return;
    }
    if (c->n == c->cap) {
        c->cap = c->cap != 0 ? 4 * c->cap : 64;
        c->line = realloc(c->line, c->cap * sizeof *c->line);
        assert_non_null(c->line);
    }
    l = &c->line[c->n++];
    *l = (struct line){.kind = mark == '>' ? REQUEST : mark == '<' ? RESPONSE : SIGNED, .lane = (unsigned)atoi(text)};
    assert_true(l->lane < LANES && strchr("><=", mark) != NULL);
    if (l->kind == SIGNED) l->by = context_of(strsep(&rest, " "));
    l->bytes = golden_bytes(strsep(&rest, " "));
    if (l->kind == SIGNED) l->covered = calloc(strlen(rest), sizeof *l->covered);
    while (rest != NULL && (word = strsep(&rest, ",")) != NULL) l->covered[l->covered_n++] = (unsigned)atoi(word);
}

static void load(struct conversation *c, const char *path, const char *name)
{
    *c = (struct conversation){.trust_slot = 0xee};
    snprintf(c->name, sizeof c->name, "%s", name);
    (void)golden_lines(path, take_line, c);
}

static void unload(struct conversation *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->line[i].bytes.p);
        free(c->line[i].covered);
    }
    free(c->line);
    free(c->trust.p);
}

/* The index of the line with the n-th message, counted from 1. */
static size_t message_line(const struct conversation *c, unsigned n)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->line[i].kind != SIGNED && --n == 0) return i;
    }
    fail_msg("%s has no such message", c->name);
    return 0;
}

/* ---- crypto that looks at what is verified ---- */

static struct {
    const struct spdm_crypto *real;
    bool believe; /* no real verification */
    bool called, unable;
    struct spdm_signing what;
    uint8_t data[256], context[64];
} spy;

static spdm_verdict spy_verify(void *ctx, const void *key, const struct spdm_signing *what, struct spdm_span signature)
{
    assert_true(what->data.n <= sizeof spy.data && what->context.n <= sizeof spy.context);
    spy.called = true;
    spy.what = *what;
    memcpy(spy.data, what->data.p, what->data.n);
    if (what->context.n != 0) memcpy(spy.context, what->context.p, what->context.n);
    spy.unable = !spy.real->supports(ctx, what->alg);
    return spy.believe || spy.unable ? SPDM_GOOD : spy.real->verify(ctx, key, what, signature);
}

/* ---- combined_spdm_prefix, from the file of vectors ---- */

struct prefix {
    char version[4], context[40];
    uint8_t bytes[100];
};
static struct prefix prefixes[32];
static unsigned prefix_n;

static void take_prefix(char *text, void *ctx)
{
    struct prefix *p = &prefixes[prefix_n++];
    struct spdm_room bytes;

    (void)ctx;
    assert_true(prefix_n <= sizeof prefixes / sizeof *prefixes);
    snprintf(p->version, sizeof p->version, "%s", strsep(&text, " "));
    snprintf(p->context, sizeof p->context, "%s signing", strsep(&text, " "));
    bytes = hex_bytes(text);
    assert_int_equal(bytes.n, sizeof p->bytes);
    memcpy(p->bytes, bytes.p, bytes.n);
    free(bytes.p);
}

static const struct prefix *prefix_of(uint8_t version, const char *context)
{
    for (unsigned i = 0; i < prefix_n; i++) {
        if (prefixes[i].version[2] == '0' + (version & 15) && strcmp(prefixes[i].context, context) == 0) {
            return &prefixes[i];
        }
    }
    return NULL;
}

/* ---- the witness at work ---- */

struct known {
    struct spdm_openssl_key *key;
    uint8_t hash[SPDM_HASH_MAX];
    size_t hash_n;
    bool there;
};

struct lane {
    struct spdm_witness *w;
    struct spdm_config cfg;
};
/* Of all plays, one after the other. */
static struct {
    uint64_t memory[(REQUEST_MAX + 8192) / 8];
    uint8_t chain[ROOM];
} lane_room[LANES];

struct play {
    const struct conversation *c;
    struct spdm_openssl *ossl;
    struct spdm_crypto crypto;
    struct spdm_policy policy;
    struct spdm_config cfg;
    struct lane lane[LANES];
    struct known known[SPDM_SLOT_N + 1];
    uint8_t vca[1024];
    size_t vca_n;
    bool refused; /* a message was refused on the way */
    unsigned good, skipped;
};

static struct spdm_openssl *ossl;
static const uint8_t no_key; /* of an algorithm that the library does not have */

static void digest(struct play *p, enum spdm_alg hash, struct spdm_span a, struct spdm_span b, uint8_t *out)
{
    void *state = calloc(1, p->crypto.hash_state_size);

    assert_non_null(state);
    assert_true(p->crypto.hash_begin(p->ossl, state, hash));
    assert_true(p->crypto.hash_update(p->ossl, state, a));
    assert_true(b.n == 0 || p->crypto.hash_update(p->ossl, state, b));
    assert_true(p->crypto.hash_peek(p->ossl, state, out));
    p->crypto.hash_end(p->ossl, state);
    free(state);
}

/* SubjectPublicKeyInfo of the last certificate; allocated by OpenSSL. */
static struct spdm_room leaf_key(struct spdm_span certificates)
{
    const unsigned char *at = certificates.p, *end = at + certificates.n;
    struct spdm_room spki = {0};
    X509 *leaf = NULL;

    while (at < end) {
        X509_free(leaf);
        leaf = d2i_X509(NULL, &at, end - at);
        if (leaf == NULL) return spki; /* an edited chain */
    }
    spki.n = (size_t)i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &spki.p);
    X509_free(leaf);
    return spki;
}

/* Opening a key takes longer than verifying with it: each is opened once. Freed at the very end. */
static struct {
    struct spdm_room spki;
    struct spdm_openssl_key *key;
} opened[64];

static struct spdm_openssl_key *open_key(struct spdm_room spki)
{
    size_t i = 0;

    for (; i < sizeof opened / sizeof *opened && opened[i].spki.p != NULL; i++) {
        if (spdm_equal(as_span(opened[i].spki), as_span(spki))) return opened[i].key;
    }
    assert_true(i < sizeof opened / sizeof *opened);
    opened[i].spki = (struct spdm_room){malloc(spki.n), spki.n};
    memcpy(opened[i].spki.p, spki.p, spki.n);
    opened[i].key = spdm_openssl_key_open(ossl, as_span(spki), NULL);
    return opened[i].key;
}

/* Notes key and digest of a slot; the digest is that of the chain, or of the key itself for a provisioned one. */
static struct known *learn(struct play *p, uint8_t slot, struct spdm_span chain, enum spdm_alg hash)
{
    struct known *k = &p->known[slot < SPDM_SLOT_N ? slot : SPDM_SLOT_N];
    size_t root_at = 4 + spdm_algorithm(hash)->size;
    struct spdm_room spki;

    if (chain.n < root_at) return NULL;
    spki = leaf_key((struct spdm_span){chain.p + root_at, chain.n - root_at});
    if (spki.p == NULL) return NULL;
    k->key = open_key(spki);
    k->hash_n = spdm_algorithm(hash)->size;
    digest(p, hash, slot < SPDM_SLOT_N ? chain : (struct spdm_span){spki.p, spki.n}, (struct spdm_span){0}, k->hash);
    k->there = true;
    OPENSSL_free(spki.p);
    return k;
}

static const void *key_of(const struct known *k)
{
    return k->key != NULL ? (const void *)k->key : &no_key;
}

static void trust(struct lane *l, const struct play *p, unsigned slot)
{
    const struct known *k = &p->known[slot];

    if (!k->there) return;
    spdm_witness_trust(l->w, slot < SPDM_SLOT_N ? (uint8_t)slot : SPDM_SLOT_KEY, (struct spdm_span){k->hash, k->hash_n},
                       key_of(k));
}

/* The witness of a lane. Sessions see no negotiation: they assume what the first lane has learned. */
static struct lane *lane(struct play *p, unsigned which)
{
    struct lane *l = &p->lane[which];

    if (l->w != NULL) return l;
    l->cfg = p->cfg;
    l->cfg.chain = (struct spdm_room){lane_room[which].chain, ROOM};
    l->w = spdm_witness_init((struct spdm_room){(uint8_t *)lane_room[which].memory, sizeof lane_room[which].memory},
                             &l->cfg, NULL);
    assert_non_null(l->w);
    if (which == 0) return l;
    assert_true(spdm_witness_assume(l->w, spdm_witness_facts(p->lane[0].w), (struct spdm_span){p->vca, p->vca_n}));
    for (unsigned slot = 0; slot <= SPDM_SLOT_N; slot++) trust(l, p, slot);
    return l;
}

static void open_play(struct play *p, const struct conversation *c)
{
    *p = (struct play){.c = c, .ossl = ossl};
    p->crypto = *spy.real;
    p->crypto.verify = spy_verify;
    p->policy.versions[0] = SPDM_V14;
    p->policy.versions[1] = SPDM_V13;
    p->policy.versions[2] = SPDM_V12;
    p->policy.versions[3] = SPDM_V11;
    p->policy.versions[4] = SPDM_V10;
    p->cfg = (struct spdm_config){.crypto = &p->crypto,
                                  .crypto_ctx = p->ossl,
                                  .binding = &spdm_binding_none,
                                  .policy = &p->policy,
                                  .request_max = REQUEST_MAX};
}

static void close_play(struct play *p)
{
    for (unsigned i = 0; i < LANES; i++) {
        if (p->lane[i].w != NULL) spdm_witness_close(p->lane[i].w);
    }
}

static void answer(struct play *p, struct lane *l)
{
    struct spdm_event ev;
    struct known *k;

    while (spdm_witness_event(l->w, &ev) != SPDM_NOTHING) {
        if (ev.kind != SPDM_ASK_TRUST) continue;
        k = learn(p, ev.slot, ev.data, (enum spdm_alg)spdm_witness_facts(l->w)->hash);
        if (k == NULL) continue;
        assert_true(
            spdm_witness_answer(l->w, &(struct spdm_answer){.ticket = ev.ticket, .yes = true, .key = key_of(k)}));
    }
}

/* VCA and what is known beforehand. */
static void note_vca(struct play *p, struct spdm_span message)
{
    uint8_t code = message.p[1];

    if (strchr("\x84\x04\xe1\x61\xe3\x63", code) == NULL || code == 0) return;
    if (code == 0x84) p->vca_n = 0;
    assert_true(p->vca_n + message.n <= sizeof p->vca);
    memcpy(p->vca + p->vca_n, message.p, message.n);
    p->vca_n += message.n;
    if (code == 0x63 && p->c->trust.p != NULL) {
        (void)learn(p, p->c->trust_slot, as_span(p->c->trust), (enum spdm_alg)spdm_witness_facts(p->lane[0].w)->hash);
        trust(&p->lane[0], p, p->c->trust_slot < SPDM_SLOT_N ? p->c->trust_slot : SPDM_SLOT_N);
    }
}

static struct spdm_sight push(struct play *p, const struct line *l)
{
    struct lane *at = lane(p, l->lane);
    struct spdm_sight s = spdm_witness_push(at->w, l->kind == REQUEST, as_span(l->bytes));

    if (s.report.why != SPDM_WHY_FINE) p->refused = true;
    if (l->lane == 0) note_vca(p, as_span(l->bytes));
    answer(p, at);
    return s;
}

/* ---- what was signed ---- */

/* The spy has seen the pre-image that follows from the recorded digest. */
static void check_signed(struct play *p, const struct line *l)
{
    const struct spdm_facts *f = spdm_witness_facts(p->lane[0].w);
    const struct prefix *prefix = prefix_of(f->version, l->by);
    struct spdm_span head = {prefix == NULL ? NULL : prefix->bytes, prefix == NULL ? 0 : sizeof prefix->bytes};
    bool takes_context = spdm_algorithm(spy.what.alg)->cls == SPDM_CLASS_PQC || spy.what.alg == SPDM_ED448;
    uint8_t expected[SPDM_HASH_MAX];
    size_t context_n;

    assert_true(spy.called);
    assert_int_equal(spy.what.alg, f->signature);
    assert_int_equal(spy.what.hash, f->hash);
    assert_int_equal((f->version & 15) >= 2, prefix != NULL);
    if (prefix == NULL) {
        assert_int_equal(spy.what.data.n, l->bytes.n);
        assert_memory_equal(spy.data, l->bytes.p, l->bytes.n);
        return;
    }
    if (spy.what.prehashed) {
        digest(p, (enum spdm_alg)f->hash, head, as_span(l->bytes), expected);
        assert_int_equal(spy.what.data.n, l->bytes.n);
        assert_memory_equal(spy.data, expected, l->bytes.n);
    } else {
        assert_int_equal(spy.what.data.n, head.n + l->bytes.n);
        assert_memory_equal(spy.data, head.p, head.n);
        assert_memory_equal(spy.data + head.n, l->bytes.p, l->bytes.n);
    }
    context_n = takes_context ? strlen(prefix->context) : 0;
    assert_int_equal(spy.what.context.n, context_n);
    assert_memory_equal(spy.context, prefix->context, context_n);
}

static void check_verdict(struct play *p, size_t at, const struct spdm_sight *s)
{
    if (s->signature != SPDM_SIGNATURE_GOOD) {
        char text[300];

        spdm_report_text(&s->report, text, sizeof text);
        fail_msg("%s line %zu: signature %d, %s", p->c->name, at, s->signature, text);
    }
    if (spy.unable) p->skipped++;
    else p->good++;
}

struct totals {
    unsigned signatures, skipped, flips, refused;
    bool known[SPDM_ALG_N];
};

static void play_all(const char *path, const char *name, void *ctx)
{
    struct totals *t = ctx;
    struct conversation c;
    struct spdm_sight s = {0};
    struct play p;

    load(&c, path, name);
    open_play(&p, &c);
    spy.believe = c.unsigned_;
    for (size_t i = 0; i < c.n; i++) {
        const struct line *l = &c.line[i];

        if (l->kind == SIGNED) {
            check_verdict(&p, i, &s);
            check_signed(&p, l);
            continue;
        }
        spy.called = false;
        s = push(&p, l);
        if (s.report.why != SPDM_WHY_FINE) {
            char text[300];

            spdm_report_text(&s.report, text, sizeof text);
            fail_msg("%s line %zu: %s", name, i, text);
        }
        if (s.signature != SPDM_UNSIGNED) assert_true(i + 1 < c.n && c.line[i + 1].kind == SIGNED);
    }
    t->known[spdm_witness_facts(p.lane[0].w)->signature] = p.good != 0;
    t->signatures += p.good;
    t->skipped += p.skipped;
    if (p.skipped != 0) {
        print_message("%s: %u signatures not verified, %s is not in this libcrypto; what they cover is right\n", name,
                      p.skipped, spdm_algorithm_name((enum spdm_alg)spdm_witness_facts(p.lane[0].w)->signature));
    }
    close_play(&p);
    unload(&c);
}

static void test_every_signature(void **state)
{
    static const uint8_t algorithms[] = {SPDM_RSASSA_2048, SPDM_RSAPSS_3072, SPDM_ECDSA_P256,
                                         SPDM_ECDSA_P384,  SPDM_SM2,         SPDM_ED25519};
    struct totals t = {0};

    (void)state;
    assert_true(golden_files("conversations", play_all, &t) > 30);
    for (size_t i = 0; i < sizeof algorithms; i++) assert_true(t.known[algorithms[i]]);
    print_message("%u signatures verified, %u skipped\n", t.signatures, t.skipped);
    assert_true(t.signatures > 120);
}

/* ---- one message different ---- */

/* Plays up to the signature at line `target` with one bit of line `edit` flipped. Whether it was found good. */
static bool play_edited(const struct conversation *c, size_t target, size_t edit, size_t byte, struct totals *t)
{
    struct spdm_sight s = {0};
    struct play p;
    bool good;

    open_play(&p, c);
    c->line[edit].bytes.p[byte] ^= 0x40;
    for (size_t i = 0; i < target; i++) {
        if (c->line[i].kind == SIGNED) continue;
        spy.believe = c->unsigned_ || i + 1 != target;
        spy.called = false;
        s = push(&p, &c->line[i]);
    }
    c->line[edit].bytes.p[byte] ^= 0x40;
    good = s.signature == SPDM_SIGNATURE_GOOD;
    if (good && (c->unsigned_ || spy.unable)) { /* nobody verified: it must at least be another digest */
        good = spy.called && spdm_equal(spdm_part((struct spdm_span){spy.data, spy.what.data.n},
                                                  spy.what.data.n - c->line[target].bytes.n, spy.what.data.n),
                                        as_span(c->line[target].bytes));
    }
    t->flips++;
    if (p.refused && s.signature != SPDM_SIGNATURE_BAD) t->refused++;
    close_play(&p);
    return good;
}

/* Bytes of a message that a signature covers, in front of the signature itself. */
static size_t covered_bytes(const struct conversation *c, size_t target, size_t edit)
{
    size_t n = c->line[edit].bytes.n;

    if (edit + 1 != target) return n;
    if (strstr(c->line[target].by, "challenge") != NULL) return n - 64 < n ? 70 : n; /* nonce of CHALLENGE_AUTH */
    return n < 40 ? n : 8; /* head of MEASUREMENTS, of ENDPOINT_INFO */
}

static void flip_all(const char *path, const char *name, void *ctx)
{
    struct totals *t = ctx;
    struct conversation c;
    unsigned seen = 0;

    load(&c, path, name);
    for (size_t target = 0; target < c.n; target++) {
        if (c.line[target].kind != SIGNED || ++seen > FLIPPED_SIGNATURES) continue;
        for (unsigned i = 0; i < c.line[target].covered_n; i++) {
            size_t edit = message_line(&c, c.line[target].covered[i]);
            size_t n = covered_bytes(&c, target, edit);
            size_t places[2] = {3, n - 1};

            for (unsigned k = 0; k < 2 && (k == 0 || n - 1 != 3); k++) {
                if (play_edited(&c, target, edit, places[k], t)) {
                    fail_msg("%s line %zu: good although byte %zu of line %zu was edited", name, target, places[k],
                             edit);
                }
            }
        }
    }
    unload(&c);
}

static void test_every_message_counts(void **state)
{
    struct totals t = {0};

    (void)state;
    (void)golden_files("conversations", flip_all, &t);
    print_message("%u edits, %u of them refused before the signature was looked at\n", t.flips, t.refused);
    assert_true(t.flips - t.refused > 800);
}

static int set_up(void **state)
{
    (void)state;
    spy.real = spdm_openssl_crypto();
    ossl = spdm_openssl_open(NULL, NULL);
    (void)golden_lines("tests/data/golden/signing.txt", take_prefix, NULL);
    return ossl != NULL && prefix_n == 19 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof opened / sizeof *opened; i++) {
        spdm_openssl_key_free(opened[i].key);
        free(opened[i].spki.p);
    }
    spdm_openssl_close(ossl);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_signature),
                                       cmocka_unit_test(test_every_message_counts)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
