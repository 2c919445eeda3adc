/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random lies to a requester (withstand 4, from the other side): whoever answers
 * has every key there is and says what was said before, in another session, in
 * another mode, under another key, with another code or a bit changed. A
 * session is opened by nothing but its own exchange and its own FINISH_RSP, of
 * one mode and one transcript; and if what was said was what the device said,
 * both ends have the same exported secret, otherwise not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/liar.h"

enum { KEPT = 24, MESSAGE = 1600, GOALS = 5 };

static struct pair p;
static struct liar liar;
static uint32_t random_state, seed_now;
static unsigned opened_n, lies_n;
static bool clear, context;
static struct {
    size_t n;
    uint8_t message[MESSAGE];
} kept[KEPT];
static unsigned kept_n;

/* What the device said last, by code. */
static struct {
    size_t n;
    uint8_t message[MESSAGE];
} device[256];

/* What the requester was handed last. */
static struct {
    uint8_t code;
    bool genuine, plain;
    struct liar_secret key;
} last;
static uint32_t seen; /* the session that was opened last */
static unsigned signed_before, modes[5];

static unsigned roll(unsigned n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % n;
}

/* ---- the property ---- */

/* Both ends have derived the same handshake for this id: one exchange, one transcript. */
static bool same_handshake(uint32_t id)
{
    const struct liar_secret *one = NULL;

    for (unsigned i = 0; i < LIAR_SECRETS && i < liar.n; i++) {
        const struct liar_secret *s = &liar.secret[(liar.n - 1 - i) % LIAR_SECRETS];

        if (s->session != id || s->response || !s->handshake) continue;
        if (one != NULL) return memcmp(one->secret, s->secret, sizeof s->secret) == 0;
        one = s;
    }
    return false;
}

static void require(bool fact, const char *what)
{
    if (!fact) fail_msg("seed %u: a session was opened without %s", seed_now, what);
}

static void judge_opened(uint32_t id)
{
    struct spdm_session_facts mine, theirs;
    uint8_t a[SPDM_HASH_MAX], b[SPDM_HASH_MAX];
    bool there, same;

    if (!spdm_requester_session(p.rq, id, &mine)) return; /* and gone again */
    there = spdm_responder_session(p.rs, id, &theirs);
    require(there && mine.established && mine.psk == theirs.psk, "a session of both, in the same mode");
    require(mine.mut_auth == theirs.mut_auth, "the same idea of who has proven himself");
    require(mine.mut_auth == 0 || p.signed_by_rq != signed_before, "the requester's signature");
    signed_before = p.signed_by_rq;
    modes[mine.mut_auth]++;
    require(same_handshake(id), "one exchange");
    require(last.code == (!mine.psk ? 0x65 : context ? 0x67 : 0x66), "its own last message");
    if (mine.psk ? !context : clear) {
        require(last.plain && last.genuine, "what the device said");
    } else {
        require(!last.plain && last.key.session == id && last.key.response && last.key.handshake, "its own key");
    }
    same =
        spdm_requester_export(p.rq, id, a) == 48 && spdm_responder_export(p.rs, id, b) == 48 && memcmp(a, b, 48) == 0;
    if (last.genuine != same)
        fail_msg("seed %u, session %08x: genuine %d, the same secret %d", seed_now, id, last.genuine, same);
    opened_n++;
}

static void look(void)
{
    if (p.opened_rq == seen) return;
    seen = p.opened_rq;
    judge_opened(seen);
}

/* ---- lies ---- */

static void keep(struct spdm_span m)
{
    unsigned i = kept_n < KEPT ? kept_n++ : roll(KEPT);

    if (m.n > MESSAGE) return;
    memcpy(kept[i].message, m.p, m.n);
    kept[i].n = m.n;
}

/* The very words of the device, if not those of this moment: a FINISH_RSP that was held back is one all the same. */
static bool genuine(struct spdm_span m)
{
    return m.n > 1 && device[m.p[1]].n == m.n && memcmp(device[m.p[1]].message, m.p, m.n) == 0;
}

static void change(struct spdm_span *m)
{
    static const uint8_t codes[] = {0x64, 0x65, 0x66, 0x67, 0x6a, 0x6b, 0x7f, 0x69, 0x60, 0x04};
    unsigned i;

    switch (roll(5)) {
    case 0: liar.message[roll((unsigned)m->n)] ^= (uint8_t)(1u << roll(8)); break;
    case 1: liar.message[1] = codes[roll(sizeof codes)]; break;
    case 2: m->n = 1 + roll((unsigned)m->n); break;
    case 3: /* ERROR */
        liar.message[1] = 0x7f;
        liar.message[2] = (uint8_t)(1 + roll(0x48));
        m->n = 4;
        break;
    default: /* what was said before */
        if (kept_n == 0) break;
        i = roll(kept_n);
        memcpy(liar.message, kept[i].message, kept[i].n);
        m->n = kept[i].n;
    }
}

/* Hands over one frame, and notes what it says. */
static size_t say(struct spdm_span m, const struct liar_secret *key, uint64_t sequence, uint8_t *frame)
{
    last.code = m.n > 1 ? m.p[1] : 0;
    last.genuine = genuine(m);
    last.plain = key == NULL;
    if (key != NULL) last.key = *key;
    return liar_seal_with(&liar, key, sequence, m, frame);
}

static size_t lie(struct spdm_span m, uint8_t *frame)
{
    static uint8_t extra[PAIR_BUFFER], original[MESSAGE];
    const struct liar_secret *key = liar.plain ? NULL : liar.key;
    uint64_t sequence = liar.sequence;
    size_t whole = m.n;

    assert_true(m.n <= sizeof original);
    memcpy(original, m.p, m.n);
    lies_n++;
    if (roll(4) == 0) { /* one more before it */
        struct spdm_span more = m;

        change(&more);
        pair_deliver(
            &p, false, extra,
            say(more, roll(2) ? key : liar_pick(&liar, roll(LIAR_SECRETS)), roll(2) ? sequence : roll(4), extra));
        look();
        memcpy(liar.message, original, whole);
    } else {
        change(&m);
    }
    if (roll(4) == 0) key = roll(2) ? NULL : liar_pick(&liar, roll(LIAR_SECRETS));
    if (roll(6) == 0) sequence += roll(2) ? 1u : ~0u;
    return say(m, key, sequence, frame);
}

static size_t wire(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    struct spdm_span m;

    look();
    m = liar_open(&liar, to_responder, (struct spdm_span){frame, n});
    if (to_responder || m.n == 0) return n;
    keep(m);
    assert_true(m.n <= MESSAGE);
    memcpy(device[m.p[1]].message, m.p, device[m.p[1]].n = m.n);
    last.genuine = true;
    last.code = m.p[1];
    last.plain = liar.plain;
    if (!liar.plain) last.key = *liar.key;
    return pair->arg != NULL && roll(5) == 0 ? lie(m, frame) : n;
}

/* ---- runs ---- */

static void prepare(void)
{
    static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};
    static struct pair turned;
    uint8_t digest[SPDM_HASH_MAX];
    size_t n;

    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = versions[roll(4)];
    pair_sessions(&p, 3);
    clear = roll(2) == 0;
    context = roll(3) != 0;
    p.req_policy.flags |= clear ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0;
    p.rsp_policy.flags |= clear ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0;
    if (!context) p.rsp_policy.flags ^= SPDM_PSK_CAP_MASK;
    if (roll(2) == 0) pair_mutual(&p);
    p.rsp_policy.mut_auth = (uint8_t[]){0, 1, 2, 4}[roll(4)];
    p.rsp_policy.basic_mut_auth = roll(2) == 0;
    p.rsp_policy.heartbeat = (uint8_t)roll(2);
    p.req_policy.retries = (uint8_t)roll(2);
    liar_listen(&liar, &p);
    p.wire = wire;
    kept_n = 0;
    seen = 0;
    signed_before = 0;
    pair_start(&p);
    turned.identity = p.rq_identity;
    n = pair_digest(&turned, 0, SPDM_SHA_384, digest);
    if (p.rsp_policy.mut_auth == 1 || roll(2) == 0)
        spdm_responder_trust(p.rs, 0, (struct spdm_span){digest, n}, p.rq_trusted);
}

static void ask_something(void)
{
    static const unsigned wants[] = {SPDM_WANT_SESSION,
                                     SPDM_WANT_PSK_SESSION,
                                     SPDM_WANT_SESSION | SPDM_WANT_MEASUREMENTS,
                                     SPDM_WANT_PSK_SESSION | SPDM_WANT_MEASUREMENTS | SPDM_WANT_END_SESSION,
                                     SPDM_WANT_KEY_UPDATE,
                                     SPDM_WANT_MEASUREMENTS,
                                     SPDM_WANT_CHALLENGE,
                                     SPDM_WANT_POLL,
                                     SPDM_WANT_END_SESSION};
    struct spdm_goal goal = {.want = wants[roll(sizeof wants / sizeof *wants)],
                             .psk_hint = {(const uint8_t *)"hint", 4},
                             .update = (uint8_t)(1 + roll(2)),
                             .sign = roll(2) == 0};

    if ((goal.want & (SPDM_WANT_SESSION | SPDM_WANT_PSK_SESSION)) == 0) goal.session = p.opened_rq;
    if (goal.want == SPDM_WANT_POLL) (void)spdm_responder_update(p.rs, goal.session);
    if (goal.want == SPDM_WANT_CHALLENGE) goal.session = 0;
    if (goal.session == 0 && goal.want != SPDM_WANT_CHALLENGE && goal.want != SPDM_WANT_MEASUREMENTS)
        goal.want = SPDM_WANT_SESSION;
    (void)pair_run(&p, &goal);
    look();
}

static void run(uint32_t seed)
{
    random_state = seed_now = seed;
    prepare();
    for (unsigned i = 0; i < GOALS; i++) {
        p.arg = roll(5) == 0 ? NULL : &p; /* now and then nobody lies */
        ask_something();
    }
    p.arg = NULL;
    last.genuine = true;
    spdm_requester_reset(p.rq);
    if (!pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT})) fail_msg("no new connection afterwards");
    pair_close(&p);
}

static void test_random_lies(void **state)
{
    const char *chosen = getenv("ASSAY_SEED");
    unsigned runs = getenv("ASSAY_SLOW") != NULL ? 200000 : 4000;

    (void)state;
    if (chosen != NULL) {
        run((uint32_t)strtoul(chosen, NULL, 10));
        return;
    }
    for (uint32_t seed = 1; seed <= runs; seed++) run(seed * 2654435761u);
    print_message("%u runs: %u lies, %u sessions opened, by MutAuthRequested %u, %u, %u, %u\n", runs, lies_n, opened_n,
                  modes[0], modes[1], modes[2], modes[4]);
    for (unsigned i = 1; i <= 4; i *= 2) assert_true(modes[i] > runs / 20);
    assert_true(opened_n > runs && lies_n > runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_lies)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
