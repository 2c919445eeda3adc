/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The spy: every call of the port is handed to a thread that has nothing else
 * to do, its secrets are noted on the way back. */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "support/spy.h"

enum { STACK = 1 << 18, BELOW = 1 << 14, LABEL_AT = 10 };

/* ---- looking ---- */

static unsigned bloom_at(const uint8_t *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof w);
    return (unsigned)((w * UINT64_C(0x9e3779b97f4a7c15)) >> 44);
}

/* Numbers with zeros in them are everywhere. */
static bool telling(const uint8_t *p)
{
    static const uint8_t zeros[3];

    return memcmp(p, zeros, 3) != 0 && memcmp(p + SPY_WINDOW - 3, zeros, 3) != 0;
}

static struct spy_secret *note(struct spy *spy, const char *what, const uint8_t *bytes, size_t n)
{
    struct spy_secret *s = &spy->secret[spy->n];

    assert_true(spy->n < SPY_SECRETS && n >= SPY_WINDOW && n <= sizeof s->bytes);
    s->what = what;
    s->n = n;
    s->finished_key = s->in_use = false;
    memcpy(s->bytes, bytes, n);
    for (size_t k = 0; k + SPY_WINDOW <= n; k++) spy->bloom[bloom_at(bytes + k)] |= telling(bytes + k);
    spy->n++;
    return s;
}

static const char *whose(const struct spy *spy, const uint8_t *window)
{
    for (size_t i = 0; i < spy->n; i++) {
        const struct spy_secret *s = &spy->secret[i];

        for (size_t k = 0; !s->in_use && k + SPY_WINDOW <= s->n; k++) {
            if (memcmp(s->bytes + k, window, SPY_WINDOW) == 0 && telling(window)) return s->what;
        }
    }
    return NULL;
}

const char *spy_find(const struct spy *spy, const void *memory, size_t n, size_t *at)
{
    const uint8_t *p = memory;

    for (size_t i = 0; i + SPY_WINDOW <= n; i++) {
        bool paint = memcmp(p + i, p + i + 1, SPY_WINDOW - 1) == 0;
        const char *what = !paint && spy->bloom[bloom_at(p + i)] != 0 ? whose(spy, p + i) : NULL;

        if (what == NULL) continue;
        *at = i;
        return what;
    }
    return NULL;
}

/* ---- a thread that calculates ---- */

struct call {
    enum { HMAC, AEAD_BEGIN, AEAD_SEAL, AEAD_OPEN, BEGIN, FINISH, REPLY, VERIFY, PEEK, UPDATE, END, OVER } what;
    void *ctx, *state;
    const void *in, *more;
    enum spdm_alg alg;
    struct spdm_span span;
    uint8_t *out, *secret;
    size_t n;
    bool fine;
    spdm_verdict verdict;
    const char *note; /* what the result is, if it is a secret ... */
    const uint8_t *secret_at;
    size_t secret_n; /* ... of this length; 0: that of c->n */
    bool finished_key;
};

static uint8_t *stack; /* of spy_stack() */

struct spy_desk {
    struct spy *spy;
    const uint8_t *frames; /* all that is in use lies above this */
    pthread_t thread;
    sem_t work, done;
    struct call *call;
};

static void calculate(struct call *c)
{
    switch (c->what) {
    case HMAC: c->fine = toy_crypto.hmac(c->ctx, c->in, c->out); break;
    case AEAD_BEGIN: c->fine = toy_crypto.aead_begin(c->ctx, c->state, c->alg, c->span); break;
    case AEAD_SEAL: c->fine = toy_crypto.aead_seal(c->ctx, c->state, c->in); break;
    case AEAD_OPEN: c->verdict = toy_crypto.aead_open(c->ctx, c->state, c->in); break;
    case BEGIN: c->fine = toy_crypto.exchange_begin(c->ctx, c->state, c->alg, c->out); break;
    case FINISH: c->n = toy_crypto.exchange_finish(c->ctx, c->state, c->span, c->secret); break;
    case REPLY: c->n = toy_crypto.exchange_reply(c->ctx, c->alg, c->span, c->out, c->secret); break;
    case VERIFY: c->verdict = toy_crypto.verify(c->ctx, c->more, c->in, c->span); break;
    case PEEK: c->fine = toy_crypto.hash_peek(c->ctx, c->state, c->out); break;
    case UPDATE: c->fine = toy_crypto.hash_update(c->ctx, c->state, c->span); break;
    case END: toy_crypto.hash_end(c->ctx, c->state); break;
    case OVER: break;
    }
}

static void take_note(struct spy *spy, const struct call *c)
{
    if (c->note == NULL || (!c->fine && c->n == 0)) return;
    note(spy, c->note, c->secret_at, c->secret_n != 0 ? c->secret_n : c->n)->finished_key = c->finished_key;
}

static void look_below(const struct spy_desk *desk)
{
    const uint8_t *from = desk->frames - BELOW;
    const char *what;
    size_t at;

    if (stack == NULL || desk->frames < stack || desk->frames > stack + STACK) return;
    if (from < stack) from = stack;
    what = spy_find(desk->spy, from, (size_t)(desk->frames - from), &at);
    if (what != NULL && desk->spy->stale == NULL) desk->spy->stale = what;
}

static void *serve(void *arg)
{
    struct spy_desk *desk = arg;
    bool over = false;

    while (!over) {
        sem_wait(&desk->work);
        over = desk->call->what == OVER;
        look_below(desk);
        calculate(desk->call);
        take_note(desk->spy, desk->call);
        sem_post(&desk->done);
    }
    return NULL;
}

static void hand_over(struct spy *spy, struct call *c)
{
    c->ctx = &spy->toy;
    spy->desk->frames = __builtin_frame_address(0);
    spy->desk->call = c;
    sem_post(&spy->desk->work);
    sem_wait(&spy->desk->done);
}

void spy_open(struct spy *spy)
{
    memset(spy, 0, sizeof *spy);
    spy->desk = calloc(1, sizeof *spy->desk);
    assert_non_null(spy->desk);
    spy->desk->spy = spy;
    sem_init(&spy->desk->work, 0, 0);
    sem_init(&spy->desk->done, 0, 0);
    assert_int_equal(pthread_create(&spy->desk->thread, NULL, serve, spy->desk), 0);
}

void spy_close(struct spy *spy)
{
    struct call c = {.what = OVER};

    hand_over(spy, &c);
    pthread_join(spy->desk->thread, NULL);
    sem_destroy(&spy->desk->work);
    sem_destroy(&spy->desk->done);
    free(spy->desk);
}

/* ---- secrets ---- */

void spy_note(struct spy *spy, const char *what, struct spdm_span secret)
{
    (void)note(spy, what, secret.p, secret.n);
}

static bool is_finished_key(const struct spy *spy, struct spdm_span key)
{
    for (size_t i = 0; i < spy->n; i++) {
        const struct spy_secret *s = &spy->secret[i];

        if (s->finished_key && s->n == key.n && memcmp(s->bytes, key.p, key.n) == 0) return true;
    }
    return false;
}

/* Everything the key schedule makes, by its label; VerifyData is said in the open. */
static bool hmac(void *ctx, const struct spdm_hmac *in, uint8_t *out)
{
    static const char *const labels[] = {"derived", "req hs data", "rsp hs data", "req app data", "rsp app data",
                                         "key",     "iv",          "finished",    "exp master",   "traffic upd"};
    struct call c = {.what = HMAC, .in = in, .out = out, .secret_at = out};
    struct spdm_span part = in->part[0];

    c.secret_n = spdm_algorithm(in->hash)->size;
    c.note = is_finished_key(ctx, in->key) ? NULL : "an extracted secret";
    for (size_t i = 0; c.note != NULL && i < sizeof labels / sizeof *labels; i++) {
        if (part.n > LABEL_AT + strlen(labels[i]) && memcmp(part.p + 2, "spdm1.", 6) == 0 &&
            memcmp(part.p + LABEL_AT, labels[i], strlen(labels[i])) == 0)
            c.note = labels[i];
    }
    c.finished_key = c.note != NULL && strcmp(c.note, "finished") == 0;
    hand_over(ctx, &c);
    return c.fine;
}

static bool aead_begin(void *ctx, void *state, enum spdm_alg aead, struct spdm_span key)
{
    struct call c = {.what = AEAD_BEGIN, .state = state, .alg = aead, .span = key};

    c.note = "a keyed cipher";
    c.secret_at = state;
    c.secret_n = toy_crypto.aead_state_size;
    hand_over(ctx, &c);
    return c.fine;
}

static bool aead_seal(void *ctx, void *state, const struct spdm_aead *record)
{
    struct call c = {.what = AEAD_SEAL, .state = state, .in = record};

    hand_over(ctx, &c);
    return c.fine;
}

static spdm_verdict aead_open(void *ctx, void *state, const struct spdm_aead *record)
{
    struct call c = {.what = AEAD_OPEN, .state = state, .in = record, .verdict = SPDM_BAD};

    hand_over(ctx, &c);
    return c.verdict;
}

static bool exchange_begin(void *ctx, void *state, enum spdm_alg alg, uint8_t *out)
{
    struct call c = {.what = BEGIN, .state = state, .alg = alg, .out = out};

    c.note = "a private half";
    c.secret_at = (const uint8_t *)state + 8;
    c.secret_n = 8;
    hand_over(ctx, &c);
    return c.fine;
}

static size_t exchange_finish(void *ctx, void *state, struct spdm_span peer, uint8_t *secret)
{
    struct call c = {.what = FINISH, .state = state, .span = peer, .secret = secret, .secret_at = secret};

    c.note = "a shared secret";
    hand_over(ctx, &c);
    return c.n;
}

static size_t exchange_reply(void *ctx, enum spdm_alg alg, struct spdm_span peer, uint8_t *out, uint8_t *secret)
{
    struct call c = {.what = REPLY, .alg = alg, .span = peer, .out = out, .secret = secret, .secret_at = secret};

    c.note = "a shared secret";
    hand_over(ctx, &c);
    return c.n;
}

static spdm_verdict verify(void *ctx, const void *key, const struct spdm_signing *what, struct spdm_span signature)
{
    struct call c = {.what = VERIFY, .more = key, .in = what, .span = signature, .verdict = SPDM_BAD};

    hand_over(ctx, &c);
    return c.verdict;
}

static bool hash_update(void *ctx, void *state, struct spdm_span data)
{
    struct call c = {.what = UPDATE, .state = state, .span = data};

    hand_over(ctx, &c);
    return c.fine;
}

/* What has nothing to do with secrets is the toy's own, with its context. */
static bool supports(void *ctx, enum spdm_alg alg)
{
    return toy_crypto.supports(&((struct spy *)ctx)->toy, alg);
}

static bool hash_begin(void *ctx, void *state, enum spdm_alg hash)
{
    return toy_crypto.hash_begin(&((struct spy *)ctx)->toy, state, hash);
}

static bool hash_peek(void *ctx, const void *state, uint8_t *out)
{
    return toy_crypto.hash_peek(&((struct spy *)ctx)->toy, state, out);
}

static bool hash_copy(void *ctx, void *dst, const void *src)
{
    return toy_crypto.hash_copy(&((struct spy *)ctx)->toy, dst, src);
}

static void hash_end(void *ctx, void *state)
{
    struct call c = {.what = END, .state = state};

    hand_over(ctx, &c);
}

static bool random_bytes(void *ctx, uint8_t *out, size_t n)
{
    return toy_crypto.random(&((struct spy *)ctx)->toy, out, n);
}

const struct spdm_crypto spy_crypto = {.hash_state_size = 24,
                                       .supports = supports,
                                       .hash_begin = hash_begin,
                                       .hash_update = hash_update,
                                       .hash_peek = hash_peek,
                                       .hash_copy = hash_copy,
                                       .hash_end = hash_end,
                                       .random = random_bytes,
                                       .verify = verify,
                                       .hmac = hmac,
                                       .aead_state_size = 24,
                                       .aead_begin = aead_begin,
                                       .aead_seal = aead_seal,
                                       .aead_open = aead_open,
                                       .aead_end = hash_end,
                                       .exchange_state_size = 24,
                                       .exchange_begin = exchange_begin,
                                       .exchange_finish = exchange_finish,
                                       .exchange_end = hash_end,
                                       .exchange_reply = exchange_reply};

void spy_random(uint64_t seed, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(seed >> 33 | 1);
    }
}

/* ---- a stack of its own ---- */

struct errand {
    void (*run)(void *arg);
    void *arg;
};

static void *go(void *arg)
{
    struct errand *e = arg;

    e->run(e->arg);
    return NULL;
}

void *spy_stack(void (*run)(void *arg), void *arg, size_t *n)
{
    struct errand e = {run, arg};
    pthread_attr_t attributes;
    pthread_t thread;

    if (stack == NULL) {
        void *new = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        assert_true(new != MAP_FAILED);
        stack = new;
    }
    memset(stack, 0x5c, STACK);
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, STACK), 0);
    assert_int_equal(pthread_create(&thread, &attributes, go, &e), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_attr_destroy(&attributes), 0);
    *n = STACK;
    return stack;
}
