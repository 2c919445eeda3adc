/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The responder's running hashes against a record of everything: random
 * requests, good and bad, in random order; a model that keeps the bytes of all
 * messages says what each signature must cover (withstand 35; transcripts.md
 * sections 2 to 4 and 10). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/talk.h"

enum { ROOM = 1 << 20 };

/* Bytes in the order in which they were said. */
struct record {
    uint8_t *p;
    size_t n;
};

/* The model: A, B, M as the text names them. */
static struct {
    struct record a, b, m;
    bool challenged;
} model;
static uint8_t memory[3][ROOM];

static struct pair p;
static uint8_t v;
static uint32_t random_state;

static unsigned roll(unsigned n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % n;
}

static void add(struct record *r, struct spdm_span s)
{
    assert_true(r->n + s.n <= ROOM);
    memcpy(r->p + r->n, s.p, s.n);
    r->n += s.n;
}

static const struct step {
    const char *words;
    bool refused; /* always */
} steps[] = {
    {"vv 81 00 00", false},
    {"vv 82 00 00 0000 8000", false},
    {"vv 82 00 00 8000 0002", false},
    {"vv 83 00 00 nonce context", false},
    {"vv 83 00 01 nonce context", false},
    {"vv e0 00 01 context", false},
    {"vv e0 00 00 context", false},
    {"vv e0 01 ff nonce slot00 context", false},
    {"vv e0 01 02 nonce slot00 context", false},
    {"vv fe 00 00 0300 02 b41a 0100 07", false},
    {"vv 82 05 00 0000 8000", true},
    {"vv 83 05 00 nonce context", true},
    {"vv e0 00 77 context", true},
    {"vv 55 00 00", true},
    {"1f 81 00 00", true},
    {"11 84 00 00", true},
    {"vv ff 83 00", true},
};
enum { STEPS = sizeof steps / sizeof *steps };

static void digest(const struct spdm_span *part, size_t n, uint8_t *out)
{
    struct toy toy = {0};
    uint64_t state[4] = {0};

    assert_true(toy_crypto.hash_begin(&toy, state, SPDM_SHA_384));
    for (size_t i = 0; i < n; i++) assert_true(toy_crypto.hash_update(&toy, state, part[i]));
    assert_true(toy_crypto.hash_peek(&toy, state, out));
    toy_crypto.hash_end(&toy, state);
}

/* What is signed over these parts: their digest, from 1.2 on behind the prefix and hashed again (R-SIG-01, R-SIG-06).
 */
static void to_be_signed(const struct spdm_span *part, size_t n, const char *context, uint8_t *out)
{
    uint8_t message[100 + 48] = {0};
    struct spdm_span whole = {message, sizeof message};

    if (v < SPDM_V12) {
        digest(part, n, out);
        return;
    }
    for (unsigned i = 0; i < 4; i++) memcpy(message + 16 * i, "dmtf-spdm-v1.0.*", 16);
    for (unsigned i = 0; i < 4; i++) message[16 * i + 13] = (uint8_t)('0' + (v & 15));
    memcpy(message + 100 - strlen(context), context, strlen(context));
    digest(part, n, message + 100);
    digest(&whole, 1, out);
}

/* The question for a signature was about exactly what the model says. */
static void check_signature(struct spdm_span request, struct spdm_span response, bool measurements)
{
    struct spdm_span unsigned_part = {response.p, response.n - 96};
    struct spdm_span part[4] = {{model.a.p, model.a.n}, {model.b.p, model.b.n}, request, unsigned_part};
    uint8_t expected[SPDM_HASH_MAX], signature[96];
    struct spdm_signing what = {
        .alg = SPDM_ECDSA_P384, .hash = SPDM_SHA_384, .prehashed = true, .data = {expected, 48}};

    if (measurements) part[1] = (struct spdm_span){model.m.p, model.m.n};
    if (measurements && v < SPDM_V12) part[0].n = 0;
    to_be_signed(part, 4, measurements ? "responder-measurements signing" : "responder-challenge_auth signing",
                 expected);
    assert_int_equal(toy_sign(&p.key, &what, signature), sizeof signature);
    assert_memory_equal(signature, response.p + response.n - 96, sizeof signature);
}

/* GET_MEASUREMENTS: resets B while no CHALLENGE has completed; a signature ends the series. */
static void measured(struct spdm_span request, struct spdm_span response)
{
    if (!model.challenged) model.b.n = 0;
    if (response.p[1] == 0x7f) {
        model.m.n = 0;
    } else if ((request.p[2] & 1) != 0) {
        check_signature(request, response, true);
        model.m.n = 0;
    } else {
        add(&model.m, request);
        add(&model.m, response);
    }
}

static void model_step(struct spdm_span request, struct spdm_span response)
{
    bool fine = response.p[1] != 0x7f, known = request.p[0] == v;

    if (known && request.p[1] == 0xe0) {
        measured(request, response);
        return;
    }
    if (request.p[1] == 0x84) return; /* invalid here: changes nothing */
    model.m.n = 0;
    if (known && request.p[1] == 0x81) model.b.n = 0;
    if (!fine) return;
    if (request.p[1] == 0x81 || request.p[1] == 0x82) {
        add(&model.b, request);
        add(&model.b, response);
    } else if (request.p[1] == 0x83) {
        check_signature(request, response, false);
        model.b.n = 0;
        model.challenged = true;
    }
}

static void say(const char *words, struct record *into)
{
    static uint8_t request[PAIR_BUFFER], answer[PAIR_BUFFER];
    struct spdm_span got, sent = {request, talk_bytes(words, v, request)};

    got = talk_bytes_to(&p, sent);
    assert_true(got.n != 0);
    memcpy(answer, got.p, got.n);
    got.p = answer;
    if (into == NULL) {
        model_step(sent, got);
        return;
    }
    add(into, sent);
    add(into, got);
}

static void connect_both(void)
{
    model.a = (struct record){memory[0], 0};
    model.b = (struct record){memory[1], 0};
    model.m = (struct record){memory[2], 0};
    model.challenged = false;
    say("10 84 00 00", &model.a);
    say("vv e1 00 00 caps", &model.a);
    say("vv e3 00 00 offer", &model.a);
}

static void test_random_flows(void **state)
{
    (void)state;
    for (v = SPDM_V10; v <= SPDM_V14; v++) {
        unsigned last = STEPS;

        pair_init(&p);
        p.identity.slot[0].certificates.n = 400;
        pair_start(&p);
        random_state = v;
        for (unsigned i = 0; i < 3000; i++) {
            unsigned next = roll(STEPS);

            if (i % 60 == 0) connect_both();
            if (next == last) continue; /* what was answered last, once more, would be a retry */
            if (!steps[next].refused) last = next;
            say(steps[next].words, NULL);
        }
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_flows)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
