/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a session leaves behind: nothing. A run does everything that a session
 * can do; then no eight bytes of any of its secrets - shared and derived ones,
 * keys, IVs, what was said in it - lie in the memory of the engines, of the
 * sessions, in any buffer they were lent, or on the stack they ran on
 * (withstand 24, 25). The crypto library's own memory is looked through in
 * port/test_session_crypto. Out of reach is what a compiler keeps in registers
 * and spills at will; with gcc and clang at -O0 to -O3 nothing of eight bytes
 * was found so. Optimised frames are smaller and cover less of each other:
 * built for benchmarks (cmake --preset bench) this test sees more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/pair.h"
#include "support/spy.h"

enum { DATA = 48 };

static struct pair p;
static struct spy spy;
static uint8_t to_device[DATA], from_device[DATA], payload[DATA], values[2][DATA];

struct kind {
    uint8_t version, mut_auth;
    bool psk, clear, context;
};
static size_t renewed;
static const struct kind *now; /* what the run on the other stack is to do */

/* ---- looking everywhere ---- */

static void look(const char *when, const char *where, const void *memory, size_t n)
{
    size_t at = 0;
    const char *what = spy_find(&spy, memory, n, &at);

    if (what == NULL) return;
    fail_msg("1.%u %s%s, %s: %s at byte %zu of %s", now->version & 15u, now->psk ? "PSK" : "KEY_EXCHANGE",
             now->clear ? " in the clear" : "", when, what, at, where);
}

static void look_at_requester(const char *when, const void *stack, size_t n)
{
    if (spy.stale != NULL) fail_msg("%s: %s was left on the stack by a function that had returned", when, spy.stale);
    look(when, "the requester", p.rq_memory, sizeof p.rq_memory);
    look(when, "the requester's sessions", p.rq_sessions, sizeof p.rq_sessions);
    look(when, "the requester's room for records", p.rq_in, sizeof p.rq_in);
    look(when, "the requester's output", p.rq_out, sizeof p.rq_out);
    look(when, "the requester's turned output", p.rq_turned_out, sizeof p.rq_turned_out);
    look(when, "the stack", stack, n);
}

static void look_at_both(const char *when, const void *stack, size_t n)
{
    look_at_requester(when, stack, n);
    look(when, "the responder", p.rs_memory, sizeof p.rs_memory);
    look(when, "the responder's sessions", p.rs_sessions, sizeof p.rs_sessions);
    look(when, "the responder's room for records", p.rs_in, sizeof p.rs_in);
    look(when, "the responder's output", p.rs_out, sizeof p.rs_out);
}

static void look_everywhere(const char *when, const void *stack, size_t n)
{
    assert_true(spy.n > 10);
    look_at_both(when, stack, n);
}

/* ---- a run ---- */

static void reach(const struct spdm_goal *goal)
{
    char mine[300], theirs[300];

    if (pair_run(&p, goal)) return;
    spdm_report_text(&p.failure, mine, sizeof mine);
    spdm_report_text(&p.refused, theirs, sizeof theirs);
    fail_msg("requester: %s; responder: %s", mine, theirs);
}

static void prepare(const struct kind *kind)
{
    pair_init(&p);
    spy_open(&spy);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = kind->version;
    p.req_config.crypto = p.rsp_config.crypto = &spy_crypto;
    p.req_config.crypto_ctx = p.rsp_config.crypto_ctx = &spy;
    pair_sessions(&p, 2);
    if (kind->clear) p.req_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
    if (kind->clear) p.rsp_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
    if (!kind->context) p.rsp_policy.flags ^= SPDM_PSK_CAP_MASK;
    pair_mutual(&p);
    p.rsp_policy.mut_auth = kind->mut_auth;
    p.rsp_policy.heartbeat = 3;
    p.rsp_policy.record_random = p.req_policy.record_random = 20;
    spy_random(1, to_device, DATA);
    spy_random(2, from_device, DATA);
    spy_random(3, payload, DATA);
    spy_random(4, values[0], DATA);
    spy_random(5, values[1], DATA);
    to_device[0] = from_device[0] = 0x7e;
    for (unsigned i = 0; i < 2; i++) p.measurements[i].value = (struct spdm_span){values[i], DATA};
    p.measurement_n = 2;
    spy_note(&spy, "data to the device", (struct spdm_span){to_device, DATA});
    spy_note(&spy, "data from the device", (struct spdm_span){from_device, DATA});
    spy_note(&spy, "a vendor's payload", (struct spdm_span){payload, DATA});
    spy_note(&spy, "a measurement", (struct spdm_span){values[0], DATA});
    spy_note(&spy, "a measurement", (struct spdm_span){values[1], DATA});
    pair_start(&p);
}

static const struct spdm_goal opens[] = {
    {.want = SPDM_WANT_SESSION},
    {.want = SPDM_WANT_PSK_SESSION, .psk_hint = {(const uint8_t *)"hint", 4}},
};

static void open_one(void *arg)
{
    (void)arg;
    reach(&opens[now->psk]);
}

/* Everything that can be done in a session, but its end. */
static void use(void *arg)
{
    struct spdm_goal measure = {.want = SPDM_WANT_MEASUREMENTS, .session = p.opened_rq, .sign = !now->psk, .raw = true};
    struct spdm_goal vendor = {.want = SPDM_WANT_VENDOR,
                               .session = p.opened_rq,
                               .standard = 3,
                               .vendor = {(const uint8_t *)"\xb4\x1a", 2},
                               .payload = {payload, DATA}};
    struct spdm_goal update = {.want = SPDM_WANT_KEY_UPDATE, .session = p.opened_rq};
    struct spdm_goal poll = {.want = SPDM_WANT_POLL, .session = p.opened_rq};

    (void)arg;
    for (update.update = 1; update.update <= 2; update.update++) {
        renewed = spy.n; /* what comes from here on is new in both directions */
        reach(&measure);
        reach(&vendor);
        assert_true(spdm_requester_send(p.rq, p.opened_rq, (struct spdm_span){to_device, DATA}));
        pair_settle(&p, p.now);
        assert_int_equal(p.data_rs_n, DATA);
        assert_true(spdm_responder_send(p.rs, p.opened_rs, (struct spdm_span){from_device, DATA}));
        pair_settle(&p, p.now);
        assert_int_equal(p.data_rq_n, DATA);
        reach(&update);
        assert_true(spdm_responder_update(p.rs, p.opened_rs));
        reach(&poll);
        pair_settle(&p, p.now + 4000000); /* heartbeats */
    }
}

static void end(void *arg)
{
    struct spdm_goal goal = {.want = SPDM_WANT_END_SESSION, .session = p.opened_rq};

    (void)arg;
    reach(&goal);
}

static void close_both(void *arg)
{
    (void)arg;
    spdm_requester_close(p.rq);
    spdm_responder_close(p.rs);
}

static const struct kind kinds[] = {
    {SPDM_V11, 0, false, false, true}, {SPDM_V12, 0, false, true, true},  {SPDM_V13, 2, false, false, true},
    {SPDM_V14, 4, false, true, true},  {SPDM_V14, 2, false, false, true}, {SPDM_V11, 0, true, false, true},
    {SPDM_V13, 0, true, false, true},  {SPDM_V14, 0, true, true, false},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* While the session lives: what was said in it is nowhere, nor is any secret that has been replaced or consumed; those
 * noted from `from` on may be in use, and so may Export-Master-Secret. */
static void look_while_it_lives(size_t from, const void *stack, size_t n)
{
    for (size_t i = 0; i < spy.n; i++) {
        spy.secret[i].in_use = i >= from || strcmp(spy.secret[i].what, "exp master") == 0;
    }
    look_everywhere("the session goes on", stack, n);
    for (size_t i = 0; i < spy.n; i++) spy.secret[i].in_use = false;
}

/* Number of the first secret with this name. */
static size_t first_of(const char *what)
{
    size_t i = 0;

    while (i < spy.n && strcmp(spy.secret[i].what, what) != 0) i++;
    return i;
}

static void test_ended(void **state)
{
    void *stack;
    size_t n;

    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        now = &kinds[i];
        prepare(now);
        stack = spy_stack(open_one, NULL, &n);
        look_while_it_lives(first_of("req app data"), stack, n);
        stack = spy_stack(use, NULL, &n);
        look_while_it_lives(renewed, stack, n);
        stack = spy_stack(end, NULL, &n);
        look_everywhere("the session has ended", stack, n);
        stack = spy_stack(open_one, NULL, &n);
        stack = spy_stack(close_both, NULL, &n);
        look_everywhere("the connection is closed", stack, n);
        assert_int_equal(spy.toy.open, 0);
        spy_close(&spy);
    }
}

/* ---- handshakes that fail ---- */

/* Somebody changes a bit of one frame, or it is lost; or a call of the crypto library fails, at either end. */
static struct trouble {
    enum { CHANGED, LOST, CRYPTO } what;
    unsigned at;
} trouble;

static size_t make_trouble(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)to_responder;
    if (trouble.what == CRYPTO || pair->passed != trouble.at) return n;
    frame[n - 1] ^= 1; /* the end of a signature, of VerifyData, of a record's tag */
    return trouble.what == LOST ? 0 : n;
}

static void try_to_open(void *arg)
{
    (void)arg;
    (void)pair_run(&p, &opens[now->psk]);
}

/* One run; false: nothing was in its way. */
static bool fail_at(void)
{
    bool done;
    void *stack;
    size_t n;

    prepare(now);
    p.wire = make_trouble;
    if (trouble.what == CRYPTO) spy.toy.fail_at = spy.toy.calls + trouble.at + 1;
    stack = spy_stack(try_to_open, NULL, &n);
    done = p.done;
    /* the responder may not know yet: its half of the session waits for a FINISH, as it should */
    if (!done) look_at_requester("no session came about", stack, n);
    stack = spy_stack(close_both, NULL, &n);
    look_at_both("no session came about, and the connection is closed", stack, n);
    assert_int_equal(spy.toy.open, 0);
    done = done && (trouble.what == CRYPTO ? spy.toy.calls < (long)trouble.at : p.passed <= trouble.at);
    spy_close(&spy);
    return !done;
}

static void test_failing(void **state)
{
    unsigned failed = 0, step = getenv("ASSAY_SLOW") != NULL ? 1 : 7; /* there are many calls */

    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        now = &kinds[i];
        for (trouble.what = CHANGED; trouble.what <= CRYPTO; trouble.what++) {
            for (trouble.at = 0; fail_at(); trouble.at += trouble.what == CRYPTO ? step : 1) failed++;
        }
    }
    print_message("%u handshakes did not come to their end\n", failed);
    assert_true(failed > 200);
}

/* ---- starting over (withstand 24) ---- */

static void start_over(void *arg)
{
    static const struct spdm_goal connect_only = {.want = SPDM_WANT_CONNECT},
                                  measure = {.want = SPDM_WANT_MEASUREMENTS};
    const unsigned *how = arg;

    if (*how == 0) spdm_requester_reset(p.rq);
    if (*how == 1) spdm_responder_resynch(p.rs); /* the next request is told RequestResynch */
    reach(*how == 1 ? &measure : &connect_only);
}

/* GET_VERSION ends all sessions and leaves nothing of them at either end. */
static void test_restarted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * KINDS; i++) {
        unsigned how = i % 2;
        void *stack;
        size_t n;

        now = &kinds[i / 2];
        prepare(now);
        (void)spy_stack(open_one, NULL, &n);
        (void)spy_stack(use, NULL, &n);
        (void)spy_stack(open_one, NULL, &n); /* a second one */
        stack = spy_stack(start_over, &how, &n);
        look_everywhere("the connection has started over", stack, n);
        close_both(NULL);
        spy_close(&spy);
    }
}

/* ---- every single call ---- */

/* One call, and what it leaves on the stack: keys are in use elsewhere, there they are not. */
struct errand {
    enum { ASK, PULL_REQUEST, REQUEST_COMES, PULL_ANSWER, ANSWER_COMES, EVENTS, SEND, SEND_BACK } what;
    const struct spdm_goal *goal;
};
static uint8_t frame[PAIR_BUFFER];
static size_t frame_n;

static void take(struct spdm_span out)
{
    assert_true(out.n <= sizeof frame);
    frame_n = out.n;
    if (out.n != 0) memcpy(frame, out.p, out.n);
}

static void do_errand(void *arg)
{
    const struct errand *e = arg;

    switch (e->what) {
    case ASK: pair_ask(&p, e->goal); break;
    case PULL_REQUEST: take(spdm_requester_pull(p.rq, p.now)); break;
    case REQUEST_COMES: spdm_responder_push(p.rs, (struct spdm_span){frame, frame_n}, p.now); break;
    case PULL_ANSWER: take(spdm_responder_pull(p.rs, p.now)); break;
    case ANSWER_COMES: spdm_requester_push(p.rq, (struct spdm_span){frame, frame_n}, p.now); break;
    case EVENTS: pair_events(&p); break;
    case SEND: (void)spdm_requester_send(p.rq, p.opened_rq, (struct spdm_span){to_device, DATA}); break;
    case SEND_BACK: (void)spdm_responder_send(p.rs, p.opened_rs, (struct spdm_span){from_device, DATA}); break;
    }
}

static void one_call(struct errand e)
{
    static const char *const names[] = {
        "ask",    "the request is pulled", "the request comes", "the answer is pulled", "it comes",
        "events", "data is sent",          "data is sent back"};
    size_t n;
    void *stack = spy_stack(do_errand, &e, &n);

    look(names[e.what], "the stack", stack, n);
    if (spy.stale != NULL) fail_msg("%s: %s was left by a function that had returned", names[e.what], spy.stale);
}

static void by_single_calls(const struct spdm_goal *goal)
{
    one_call((struct errand){ASK, goal});
    for (unsigned i = 0; !p.finished && i < 100; i++) {
        one_call((struct errand){PULL_REQUEST, NULL});
        one_call((struct errand){REQUEST_COMES, NULL});
        one_call((struct errand){EVENTS, NULL});
        one_call((struct errand){PULL_ANSWER, NULL});
        one_call((struct errand){ANSWER_COMES, NULL});
        one_call((struct errand){EVENTS, NULL});
    }
    assert_true(p.done);
}

static void test_every_call(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        struct spdm_goal measure = {.want = SPDM_WANT_MEASUREMENTS}, vendor = {.want = SPDM_WANT_VENDOR},
                         update = {.want = SPDM_WANT_KEY_UPDATE, .update = 2}, finish = {.want = SPDM_WANT_END_SESSION};

        now = &kinds[i];
        prepare(now);
        by_single_calls(&opens[now->psk]);
        measure.session = vendor.session = update.session = finish.session = p.opened_rq;
        vendor.standard = 3;
        vendor.vendor = (struct spdm_span){(const uint8_t *)"\xb4\x1a", 2};
        vendor.payload = (struct spdm_span){payload, DATA};
        by_single_calls(&measure);
        by_single_calls(&vendor);
        by_single_calls(&update);
        one_call((struct errand){SEND, NULL});
        one_call((struct errand){PULL_REQUEST, NULL});
        one_call((struct errand){REQUEST_COMES, NULL});
        one_call((struct errand){EVENTS, NULL});
        one_call((struct errand){SEND_BACK, NULL});
        one_call((struct errand){PULL_ANSWER, NULL});
        one_call((struct errand){ANSWER_COMES, NULL});
        one_call((struct errand){EVENTS, NULL});
        by_single_calls(&finish);
        close_both(NULL);
        spy_close(&spy);
    }
}

/* A dynamic linker that resolves names at their first use saves vector registers on the stack, with whatever the last
 * memcpy left in them: it has to be done with that before we begin. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ended), cmocka_unit_test(test_failing),
                                       cmocka_unit_test(test_restarted), cmocka_unit_test(test_every_call)};

    (void)argc;
    if (getenv("LD_BIND_NOW") == NULL) {
        setenv("LD_BIND_NOW", "1", 1);
        execv("/proc/self/exe", argv);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
