/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Out of memory, at every single allocation (withstand 94): the same work is
 * done again and again, and each time another allocation of libcrypto's and
 * ours fails. Nothing may crash, be trusted that is not, or stay allocated. */
#include "port/keystore.h"
#include "port/openssl_inside.h"
#include "port/x509_judge.h"
#include "support/hex.h"
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* The allocator under libcrypto; it can only be a global. Every block is in a list, to be looked through. */
struct block {
    struct block *next, *before;
    size_t n;
    max_align_t bytes[];
};

static struct {
    unsigned long calls, fail_at; /* fail_at 0: never */
    long held;
    bool failed;
    struct block *first;
} heap;

static bool fails(void)
{
    heap.calls++;
    if (heap.calls != heap.fail_at) return false;
    heap.failed = true;
    return true;
}

static void *take(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    struct block *b = fails() ? NULL : malloc(sizeof *b + n);
    if (b == NULL) return NULL;
    *b = (struct block){.next = heap.first, .n = n};
    if (heap.first != NULL) heap.first->before = b;
    heap.first = b;
    heap.held++;
    return b->bytes;
}

static void give(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    if (p == NULL) return;
    struct block *b = (struct block *)(void *)((uint8_t *)p - offsetof(struct block, bytes));
    if (b->next != NULL) b->next->before = b->before;
    if (b->before != NULL) b->before->next = b->next;
    if (heap.first == b) heap.first = b->next;
    heap.held--;
    free(b);
}

static void *change(void *p, size_t n, const char *file, int line)
{
    void *more = n != 0 ? take(n, file, line) : NULL;
    if (p == NULL || (more == NULL && n != 0)) return more;
    const struct block *b = (struct block *)(void *)((uint8_t *)p - offsetof(struct block, bytes));
    if (n != 0) memcpy(more, p, b->n < n ? b->n : n);
    give(p, file, line);
    return more;
}

/* Whether these bytes stand in a block that is held. */
static bool is_held(const void *bytes, size_t n)
{
    for (const struct block *b = heap.first; b != NULL; b = b->next) {
        for (size_t i = 0; i + n <= b->n; i++) {
            if (memcmp((const uint8_t *)b->bytes + i, bytes, n) == 0) return true;
        }
    }
    return false;
}

/* ---- the work ---- */

struct material {
    struct spdm_openssl *ossl; /* for work that is not about opening it */
    struct spdm_room chain, bad_chain, root, spki, signature, digest;
    struct spdm_signer *signer;
};

/* One kind of work; says whether something was accepted that must not be. */
typedef bool work(struct material *m);

static spdm_verdict judge_with(struct spdm_openssl *ossl, const struct material *m, struct spdm_span chain)
{
    struct spdm_judge *judge = spdm_judge_open(ossl);
    struct spdm_judge_case input = {.chain = chain,
                                    .hash = SPDM_SHA_384,
                                    .signature = SPDM_ECDSA_P384,
                                    .version = SPDM_V12,
                                    .model = SPDM_CERT_DEVICE,
                                    .now = 1795392000};
    spdm_verdict verdict = SPDM_BAD;

    if (judge == NULL) return SPDM_BAD;
    (void)spdm_judge_trust_der(judge, as_span(m->root), NULL);
    struct spdm_judgement *j = spdm_judge_decide(judge, &input);
    if (j != NULL) {
        verdict = j->verdict; /* no texts: libcrypto's decoding of names leaks when memory runs out */
        spdm_judge_remember(judge, j);
        struct spdm_judgement *known = spdm_judge_known(judge, &j->input);
        spdm_judgement_free(known);
        spdm_judgement_free(j);
    }
    spdm_judge_close(judge);
    return verdict;
}

static bool judges_a_good_chain(struct material *m)
{
    spdm_verdict verdict = judge_with(m->ossl, m, as_span(m->chain));

    return verdict != SPDM_GOOD && verdict != SPDM_BAD;
}

static bool judges_a_bad_chain(struct material *m)
{
    return judge_with(m->ossl, m, as_span(m->bad_chain)) != SPDM_BAD;
}

static bool verifies(struct material *m, bool good)
{
    struct spdm_openssl_key *key = spdm_openssl_key_open(m->ossl, as_span(m->spki), NULL);
    struct spdm_signing what = {
        .alg = SPDM_ECDSA_P384, .hash = SPDM_SHA_384, .prehashed = true, .data = as_span(m->digest)};
    spdm_verdict verdict = SPDM_BAD;

    if (!good) m->signature.p[5] ^= 1;
    if (key != NULL) verdict = spdm_openssl_crypto()->verify(m->ossl, key, &what, as_span(m->signature));
    if (!good) m->signature.p[5] ^= 1;
    spdm_openssl_key_free(key);
    return verdict != SPDM_BAD && (!good || verdict != SPDM_GOOD);
}

static bool verifies_a_good_signature(struct material *m)
{
    return verifies(m, true);
}

static bool verifies_a_bad_signature(struct material *m)
{
    return verifies(m, false);
}

/* A digest is right or is not delivered. */
static bool hashes(struct material *m)
{
    const struct spdm_crypto *crypto = spdm_openssl_crypto();
    static const uint8_t abc[32] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                    0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                    0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    uint64_t a[4] = {0}, b[4] = {0};
    uint8_t out[SPDM_HASH_MAX] = {0};
    bool wrong = false;

    if (crypto->hash_begin(m->ossl, a, SPDM_SHA_256)) {
        if (crypto->hash_update(m->ossl, a, (struct spdm_span){(const uint8_t *)"abc", 3})) {
            if (crypto->hash_peek(m->ossl, a, out)) wrong = wrong || memcmp(out, abc, sizeof abc) != 0;
            if (crypto->hash_copy(m->ossl, b, a)) {
                if (crypto->hash_peek(m->ossl, b, out)) wrong = wrong || memcmp(out, abc, sizeof abc) != 0;
                crypto->hash_end(m->ossl, b);
            }
        }
        crypto->hash_end(m->ossl, a);
    }
    return wrong;
}

/* A back end of its own, from nothing. */
static bool opens(struct material *m)
{
    struct spdm_openssl *ossl = spdm_openssl_open(NULL, NULL);
    bool wrong = false;

    if (ossl != NULL) wrong = judge_with(ossl, m, as_span(m->bad_chain)) != SPDM_BAD;
    spdm_openssl_close(ossl);
    return wrong;
}

/* The key was opened before: opening goes through OSSL_STORE, which in OpenSSL 3.0 does not survive every failure. */
static bool signs(struct material *m)
{
    struct spdm_signing what = {.alg = SPDM_ECDSA_P384, .prehashed = true, .data = as_span(m->digest)};
    uint8_t out[96];
    bool wrong = false;

    for (unsigned hash = SPDM_SHA_384; hash <= SPDM_SHA3_384; hash += SPDM_SHA3_384 - SPDM_SHA_384) {
        what.hash = hash; /* a change of hash makes it set up its context again */
        size_t n = spdm_signer_sign(m->signer, &what, (struct spdm_room){out, sizeof out}, NULL);
        wrong = wrong || (n != 0 && n != sizeof out);
    }
    return wrong;
}

static bool ed448(struct material *m)
{
    static const uint8_t message[10] = "message", context[] = {'c'};
    struct spdm_openssl_key *key = NULL;
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(m->ossl->lib, NULL, "ED448");
    struct spdm_signing what = {.alg = SPDM_ED448, .data = {message, 10}, .context = {context, 1}};
    uint8_t signature[114] = {1};
    spdm_verdict verdict = SPDM_BAD;

    if (pkey != NULL) key = spdm_openssl_key_wrap(m->ossl, pkey, NULL);
    if (key != NULL) verdict = spdm_openssl_crypto()->verify(m->ossl, key, &what, (struct spdm_span){signature, 114});
    spdm_openssl_key_free(key);
    return verdict != SPDM_BAD;
}

/* ---- the sweep ---- */

static void run(work *w, struct material *m)
{
    assert_false(w(m));
    ERR_clear_error();
}

/* Lets allocation i fail, then works once more without a failure. Whether it came to allocation i. */
static bool fail_once(work *w, struct material *m, unsigned long i)
{
    heap.calls = 0;
    heap.failed = false;
    heap.fail_at = i;
    run(w, m);
    heap.fail_at = 0;
    run(w, m);
    return heap.failed;
}

/* What libcrypto keeps for the next time it keeps once, or once for each of the few places that it keeps things in (a
 * thread's errors have sixteen, which are used in turn and keep their texts); a leak comes again, every time. */
static bool leaks_again(work *w, struct material *m, unsigned long i)
{
    enum { TURNS = 20 };

    for (int turn = 0; turn < TURNS; turn++) {
        long held = heap.held;

        (void)fail_once(w, m, i);
        if (heap.held <= held) return false;
    }
    return true;
}

/* libcrypto keeps some of what it makes at first use; three warm runs later, nothing more is kept. */
static void sweep(struct material *m, work *w, const char *name, unsigned long step)
{
    unsigned long total, failures = 0, leaks = 0;

    for (int i = 0; i < 3; i++) run(w, m);
    unsigned long before = heap.calls;
    long held = heap.held;
    run(w, m);
    total = heap.calls - before;
    assert_int_equal(heap.held, held);
    for (unsigned long i = 1; i <= total; i += step) {
        held = heap.held;
        failures += fail_once(w, m, i);
        leaks += heap.held > held && leaks_again(w, m, i);
    }
    print_message("%-26s %5lu allocations, %5lu made to fail, %lu left something behind\n", name, total, failures,
                  leaks);
    assert_int_equal(leaks, 0);
}

static void every_allocation_fails_once(void **state)
{
    static const struct {
        work *work;
        const char *name;
        unsigned long step;
    } works[] = {{hashes, "hashes", 1},
                 {verifies_a_good_signature, "verifies a good signature", 1},
                 {verifies_a_bad_signature, "verifies a bad signature", 1},
                 {judges_a_good_chain, "judges a good chain", 1},
                 {judges_a_bad_chain, "judges a bad chain", 1},
                 {ed448, "Ed448 with a context", 7},
                 {signs, "signs", 1}};
    struct material *m = *state;

    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) sweep(m, works[i].work, works[i].name, works[i].step);
}

/* Opening a back end is mostly libcrypto's own work, and that leaks when memory runs out: what is looked at is that
 * nothing crashes or is accepted, in a process of its own. */
static void opening_survives(void **state)
{
    struct material *m = *state;
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        for (unsigned long i = 1; i < 6000; i += 29) {
            heap.calls = 0;
            heap.fail_at = i;
            if (opens(m)) _exit(1);
            ERR_clear_error();
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* A hash that has ended has forgotten what it was given, though its memory waits to be used again. */
static void ended_hashes_hold_nothing(void **state)
{
    static const char secret[] = "a secret that fits into one block";
    struct material *m = *state;
    const struct spdm_crypto *crypto = spdm_openssl_crypto();

    for (unsigned hash = SPDM_SHA_256; hash <= SPDM_SM3_256; hash++) {
        uint64_t a[4] = {0};
        assert_true(crypto->hash_begin(m->ossl, a, (enum spdm_alg)hash));
        assert_true(crypto->hash_update(m->ossl, a, (struct spdm_span){(const uint8_t *)secret, sizeof secret}));
        assert_true(is_held(secret, sizeof secret)); /* as it must be, or this test sees nothing */
        crypto->hash_end(m->ossl, a);
        assert_false(is_held(secret, sizeof secret));
    }
}

/* ---- material ---- */

static struct spdm_signer *open_signer(struct spdm_openssl *ossl)
{
    char path[] = "/tmp/assay-faults-XXXXXX";
    FILE *f = fdopen(mkstemp(path), "w");
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");

    assert_int_equal(PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
    EVP_PKEY_free(pkey);
    struct spdm_signer *signer = spdm_signer_open(ossl, &(struct spdm_signer_options){.uri = path}, NULL);
    unlink(path);
    return signer;
}

/* A key, a digest and a signature that is good. */
static void make_signature(struct material *m)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    unsigned char *spki = NULL;
    uint8_t der[SPDM_ECDSA_DER_MAX];
    size_t n = sizeof der;

    m->digest = (struct spdm_room){calloc(1, 48), 48};
    m->signature = (struct spdm_room){calloc(1, 96), 96};
    assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
    assert_int_equal(EVP_PKEY_sign(ctx, der, &n, m->digest.p, 48), 1);
    assert_int_equal(spdm_ecdsa_from_der((struct spdm_span){der, n}, 48, m->signature.p), 96);
    m->spki.n = (size_t)i2d_PUBKEY(pkey, &spki);
    m->spki.p = malloc(m->spki.n);
    memcpy(m->spki.p, spki, m->spki.n);
    OPENSSL_free(spki);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
}

static int set_up(void **state)
{
    struct material *m = calloc(1, sizeof *m);
    struct spdm_room chain = file_bytes("tests/data/port/chains/p384-sha384.der");

    m->ossl = spdm_openssl_open(NULL, NULL);
    m->chain = chain;
    m->bad_chain = file_bytes("tests/data/port/chains/p384-sha384.der");
    m->bad_chain.p[m->bad_chain.n - 1] ^= 1; /* the leaf's signature */
    struct spdm_span rest = {chain.p + 52, chain.n - 52};
    m->root = (struct spdm_room){chain.p + 52, spdm_x509_length(rest)};
    make_signature(m);
    m->signer = open_signer(m->ossl);
    *state = m;
    return m->signer == NULL;
}

static int tear_down(void **state)
{
    struct material *m = *state;

    spdm_signer_close(m->signer);
    spdm_openssl_close(m->ossl);
    free(m->chain.p);
    free(m->bad_chain.p);
    free(m->spki.p);
    free(m->digest.p);
    free(m->signature.p);
    free(m);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_fails_once),
                                       cmocka_unit_test(opening_survives), cmocka_unit_test(ended_hashes_hold_nothing)};

    if (CRYPTO_set_mem_functions(take, change, give) != 1) {
        fprintf(stderr, "libcrypto has allocated already\n");
        return 1;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
