/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random orders of messages (withstand 3, 4): several handshakes of both modes
 * at a time, without and with mutual authentication of each mode, finished in
 * their own place or in each other's, repeated, replayed, interrupted by a
 * CHALLENGE that turns the roles or by the responder's own wish for new keys. A model that keeps
 * nothing but what was said for each session knows when one may be established:
 * when every step belonged to it, to its mode and to one transcript - and then
 * both ends have the same exported secret, made from the model's own TH. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/hand.h"
#include "support/talk.h"

enum { SESSIONS = 4, PLACES = 3, STEPS = 60, KEPT = 8, FRAME = 2048 };

/* What the model knows of a session beyond the hand's part. */
struct known {
    struct hand_session s;
    bool proven;     /* the requester's chain has been delivered in its own flow */
    uint8_t last_id; /* RequestID of the encapsulated request that is out */
    bool dead;       /* something has been said in it that ends it */
};

static struct pair p;
static struct hand h;
static struct known known[SESSIONS];
static struct {
    size_t n;
    uint8_t frame[FRAME];
} kept[KEPT]; /* frames of before, to be said again */
static uint32_t random_state;
static uint32_t seed_now;
static unsigned established_n, expected_n, tried_n, at_once_n;
static unsigned modes[5], proven[5]; /* handshakes by MutAuthRequested, and those of them that came to their end */
static bool clear, alone;            /* handshakes in the clear; PSK_EXCHANGE without PSK_FINISH */

static unsigned roll(unsigned n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % n;
}

static struct known *some(void)
{
    return &known[roll(SESSIONS)];
}

static bool half_open(const struct known *k)
{
    return k->s.id != 0 && !k->s.established && !k->dead;
}

static bool responder_has(const struct known *k, bool *established)
{
    struct spdm_session_facts facts;
    bool there = k->s.id != 0 && spdm_responder_session(p.rs, k->s.id, &facts);

    *established = there && facts.established;
    return there;
}

/* PSK_EXCHANGE alone, said again when its session was over, has opened another with the same id: one in which nobody
 * has proven anything, and no record opens (withstand 5). */
static bool is_echo(const struct known *k)
{
    struct spdm_session_facts facts;

    return k->s.id != 0 && (k->dead || !k->s.psk || !k->s.established) && alone &&
           spdm_responder_session(p.rs, k->s.id, &facts) && facts.established && facts.psk && !facts.proven;
}

/* ---- the property ---- */

static void check(const char *step)
{
    for (unsigned i = 0; i < SESSIONS; i++) {
        struct known *k = &known[i];
        bool established, there;

        if (is_echo(k)) memset(k, 0, sizeof *k);
        there = responder_has(k, &established);
        if (established && !k->s.established) {
            fail_msg("seed %u, after %s: session %08x (%s, MutAuthRequested %u) is established, and must not be",
                     seed_now, step, k->s.id, k->s.psk ? "PSK" : "KEY_EXCHANGE", k->s.mut_auth);
        }
        if (established && !hand_agrees(&h, &k->s))
            fail_msg("seed %u, after %s: another transcript in %08x", seed_now, step, k->s.id);
        if (!there) k->dead = true;
    }
}

/* Nobody else's id has become a session either: as many are open as the model knows. */
static void count(void)
{
    struct spdm_event ev;
    unsigned model = 0, theirs = 0;

    (void)spdm_responder_event(p.rs, &ev);
    for (unsigned i = 0; i < SESSIONS; i++) {
        bool established;

        (void)responder_has(&known[i], &established);
        theirs += established;
        model += known[i].s.id != 0 && known[i].s.established && !known[i].dead;
    }
    assert_true(theirs <= model);
}

/* ---- what can be said ---- */

static void keep(const uint8_t *frame, size_t n)
{
    unsigned i = roll(KEPT);

    if (n > FRAME) return;
    memcpy(kept[i].frame, frame, n);
    kept[i].n = n;
}

/* A place in the list for a new session; whoever was there goes on living, unknown to us, unless it gets ended. */
static struct known *fresh(void)
{
    struct known *k = some();

    if (k->s.id != 0 && !k->dead && !k->s.established) return NULL; /* half open ones are what this is about */
    if (k->s.id != 0 && !k->dead) (void)hand_talk(&h, &k->s, "vv ec 00 00");
    memset(k, 0, sizeof *k);
    return k;
}

static void exchange(bool psk)
{
    struct known *k = fresh();

    if (k == NULL) return;
    if (roll(8) == 0) h.next_id = 0x0101; /* an id that may be in use */
    (void)(psk ? hand_psk_exchange(&h, &k->s) : hand_key_exchange(&h, &k->s));
    k->proven = k->s.mut_auth == 1; /* its chain has been vouched for */
    if (k->s.id != 0 && !psk) modes[k->s.mut_auth]++;
    if (psk && k->s.established) at_once_n++;
    keep(h.frame, 300);
    for (unsigned i = 0; i < SESSIONS; i++) { /* an id that has been used before was free again */
        if (&known[i] != k && known[i].s.id == k->s.id) memset(&known[i], 0, sizeof known[i]);
    }
}

/* FINISH or PSK_FINISH: carried outside or in the records of one session, with the proofs of another, with the code of
 * a third. What is right about it is right by chance, and the model sees it. */
static void finish(void)
{
    static uint8_t message[512];
    struct known *of = some(), *in = roll(3) != 0 ? of : some();
    bool psk = roll(4) != 0 ? of->s.psk : !of->s.psk,
         with_signature = roll(4) != 0 ? of->s.mut_auth != 0 : roll(2) != 0;
    bool changed = false, turned,
         early; /* all that is missing is the requester's proof: said again after it, it is right */
    bool outside = of->s.clear && !of->s.psk ? roll(4) != 0 : roll(8) == 0, right;
    struct spdm_span got;
    size_t n, before = of->s.th_n;

    if (of->s.id == 0 || in->s.id == 0) return;
    with_signature = with_signature && !psk;
    n = with_signature ? hand_finish_signed_bytes(&h, &of->s, false, message)
                       : hand_finish_bytes(&h, &of->s, psk, message);
    right = half_open(of) && psk == of->s.psk && with_signature == (of->s.mut_auth != 0) &&
            (of->s.clear && !of->s.psk ? outside : !outside && in == of);
    if (roll(5) == 0) {
        message[roll((unsigned)n)] ^= (uint8_t)(1u << roll(8));
        right = false;
        changed = true; /* the change undone it would be right */
    }
    tried_n++;
    early = right && of->s.mut_auth != 0 && !of->proven;
    right = right && !early;
    if (right && with_signature) hand_th_add(&of->s, spdm_span(h.chain_digest, HAND_H));
    got = hand_say(&h, outside ? NULL : &in->s, spdm_span(message, n));
    /* roles are turned outside, and nothing else is answered there: said again later, it is right */
    turned = outside && p.rsp_policy.basic_mut_auth && talk_like(got, h.version, "vv 7f 08 00");
    if (turned) of->s.th_n = before;
    if (!early && !changed && !turned) keep(h.frame, n + 64 < FRAME ? n + 64 : FRAME);
    if (!right || turned) return;
    expected_n++;
    if (!hand_finished(&h, &of->s, spdm_span(message, n), got)) {
        fail_msg("seed %u: a right FINISH of %08x was refused: %02x %02x", seed_now, of->s.id, got.n > 1 ? got.p[1] : 0,
                 got.n > 2 ? got.p[2] : 0);
    }
    proven[of->s.mut_auth]++;
}

/* The requester's part of an encapsulated flow, a step at a time, in the right channel or another. */
static void encapsulated(void)
{
    struct known *k = some();
    struct hand_session *in = k->s.clear || k->s.id == 0 || roll(6) == 0 ? NULL : &k->s;
    struct spdm_span got;
    uint8_t code = (uint8_t)(1 + roll(3)), id = (uint8_t)roll(4);

    if (roll(3) == 0) {
        got = hand_talk(&h, in, "vv ea 00 00");
        if (got.n > 4 && got.p[1] == 0x6a) k->last_id = got.p[2];
        return;
    }
    if (roll(4) != 0) id = k->last_id;
    if (roll(4) != 0) code = k->last_id <= 1 ? 1 : 2;
    got = hand_deliver(&h, in, id, code);
    if (got.n < 4 || got.p[1] != 0x6b) return;
    k->last_id = got.p[2];
    if (got.p[3] != 2) return;
    /* whoever's flow it was, it is the one session that waits for its proof */
    for (unsigned i = 0; i < SESSIONS; i++) {
        if (half_open(&known[i]) && known[i].s.mut_auth != 0 && (in == NULL || in == &known[i].s))
            known[i].proven = true;
    }
}

/* The whole flow at once, so that runs get beyond it. */
static void prove(void)
{
    struct known *k = some();
    struct hand_session *in = k->s.clear ? NULL : &k->s;
    struct spdm_span got;

    if (!half_open(k) || k->s.mut_auth == 0 || k->proven) return;
    got = hand_talk(&h, in, "vv ea 00 00");
    if (got.n < 6 || got.p[1] != 0x6a || got.p[5] != 0x81) return;
    got = hand_deliver(&h, in, got.p[2], 0x01);
    if (got.n >= 12 && got.p[1] == 0x6b && got.p[3] == 1) got = hand_deliver(&h, in, got.p[2], 0x02);
    /* at once, if its chain has been vouched for */
    k->proven = got.n > 4 && got.p[1] == 0x6b && got.p[3] == 2;
}

static void other(void)
{
    static const char *const words[] = {"vv 81 00 00",
                                        "vv e8 00 00",
                                        "vv e9 01 01",
                                        "vv e9 03 02",
                                        "vv fe 00 00 0300 02 b41a 0100 07",
                                        "vv e0 00 ff context",
                                        "vv 83 00 00 nonce context",
                                        "vv ec 00 00",
                                        "vv e5 00 00",
                                        "vv e7 00 00",
                                        "vv ff e5 00",
                                        "vv ff e4 01",
                                        "vv e4 00 00 big",
                                        "vv e6 00 00 big",
                                        "10 84 00 01"};
    struct known *k = some();
    unsigned i = roll(sizeof words / sizeof *words - (roll(40) != 0));
    struct hand_session *in = k->s.id == 0 || roll(2) == 0 ? NULL : &k->s;

    (void)hand_talk(&h, in, words[i]);
    keep(h.frame, 64);
}

/* The device wants new keys for its direction: an envelope for whoever comes for it. */
static void renew(void)
{
    (void)spdm_responder_update(p.rs, some()->s.id);
}

static void replay(void)
{
    unsigned i = roll(KEPT);

    if (kept[i].n == 0) return;
    if (roll(4) == 0) kept[i].frame[roll((unsigned)kept[i].n)] ^= (uint8_t)(1u << roll(8));
    (void)pair_request(&p, kept[i].frame, kept[i].n, h.answer);
}

/* ---- runs ---- */

static const struct {
    const char *name;
    void (*say)(void);
} steps[] = {{"FINISH", finish},         {"FINISH", finish},   {"FINISH", finish},
             {"another message", other}, {"a replay", replay}, {"an envelope", encapsulated},
             {"a proof", prove},         {"a proof", prove},   {"a wish", renew}};

static void run(uint32_t seed)
{
    static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};

    random_state = seed_now = seed;
    memset(known, 0, sizeof known);
    memset(kept, 0, sizeof kept);
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = versions[roll(4)];
    pair_sessions(&p, PLACES);
    clear = roll(3) == 0;
    p.rsp_policy.flags |= clear ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0;
    p.req_policy.flags |= clear ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0;
    pair_mutual(&p);
    p.rsp_policy.mut_auth = (uint8_t[]){0, 0, 0, 1, 2, 4}[roll(6)];
    p.rsp_policy.basic_mut_auth = roll(3) == 0;
    alone = roll(5) == 0;
    if (alone) p.rsp_policy.flags ^= SPDM_PSK_CAP_MASK;
    p.rsp_policy.heartbeat = 5;
    p.rsp_policy.drop_bad_records = roll(2) == 0;
    p.sign_delay = 0;
    pair_start(&p);
    hand_connect(&h, &p);
    hand_chain(&h);
    if (p.rsp_policy.mut_auth == 1 || roll(2) == 0)
        spdm_responder_trust(p.rs, 0, spdm_span(h.chain_digest, HAND_H), p.rq_trusted);
    for (unsigned i = 0; i < STEPS; i++) {
        unsigned k = roll(10);

        if (k < 2) exchange(false);
        else if (k < 4) exchange(true);
        else k = roll(sizeof steps / sizeof *steps), steps[k].say();
        if (k >= sizeof steps / sizeof *steps) k = 0;
        check(steps[k].name);
    }
    count();
    for (unsigned i = 0; i < SESSIONS; i++) established_n += known[i].s.established;
    pair_close(&p);
}

static void test_random_orders(void **state)
{
    const char *chosen = getenv("ASSAY_SEED");
    unsigned runs = getenv("ASSAY_SLOW") != NULL ? 200000 : 4000;

    (void)state;
    if (chosen != NULL) {
        run((uint32_t)strtoul(chosen, NULL, 10));
        return;
    }
    for (uint32_t seed = 1; seed <= runs; seed++) {
        run(seed * 2654435761u);
    }
    print_message("%u runs: %u FINISHes, %u of them right\n", runs, tried_n, expected_n);
    /* the right ones were not all there was, and not too few */
    assert_true(expected_n > runs && tried_n > 3 * expected_n / 2);
    print_message("by MutAuthRequested 0, 1, 2, 4: %u, %u, %u, %u of %u, %u, %u, %u; %u by PSK_EXCHANGE alone\n",
                  proven[0], proven[1], proven[2], proven[4], modes[0], modes[1], modes[2], modes[4], at_once_n);
    for (unsigned i = 1; i <= 4; i *= 2) assert_true(proven[i] > runs / 40);
    assert_true(proven[0] > runs / 2 && at_once_n > runs / 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_orders)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
