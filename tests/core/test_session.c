/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sessions, both engines against each other: every way to open one, what may
 * travel in it, how keys change and how it ends - with a clock that is a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/pair.h"

enum { SECOND = 1000000 };

static void explain(struct pair *p, const struct spdm_goal *goal)
{
    char mine[300], theirs[300];

    if (pair_run(p, goal)) return;
    spdm_report_text(&p->failure, mine, sizeof mine);
    spdm_report_text(&p->refused, theirs, sizeof theirs);
    fail_msg("requester: %s; responder: %s", mine, theirs);
}

static void begin(struct pair *p, uint8_t version, size_t sessions)
{
    pair_init(p);
    memset(p->req_policy.versions, 0, sizeof p->req_policy.versions);
    p->req_policy.versions[0] = version;
    pair_sessions(p, sessions);
}

static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};
static const struct spdm_goal open_and_measure = {.want = SPDM_WANT_SESSION | SPDM_WANT_MEASUREMENTS, .sign = true};
static const struct spdm_goal psk_and_measure = {.want = SPDM_WANT_PSK_SESSION | SPDM_WANT_MEASUREMENTS,
                                                 .psk_hint = {(const uint8_t *)"hint", 4}};

/* Everything a session can do, in one go. */
static void use(struct pair *p)
{
    static const uint8_t hello[] = "\x7ehello", answer[] = "\x01nswer";
    uint8_t a[SPDM_HASH_MAX], b[SPDM_HASH_MAX];
    struct spdm_goal goal = {.session = p->opened_rq, .want = SPDM_WANT_KEY_UPDATE};

    assert_int_equal(p->opened_rq, p->opened_rs);
    assert_int_equal(spdm_requester_export(p->rq, p->opened_rq, a), 48);
    assert_int_equal(spdm_responder_export(p->rs, p->opened_rs, b), 48);
    assert_memory_equal(a, b, 48);
    for (goal.update = 1; goal.update <= 2; goal.update++) {
        explain(p, &goal);
        assert_true(spdm_requester_send(p->rq, p->opened_rq, (struct spdm_span){hello, sizeof hello}));
        assert_false(spdm_requester_send(p->rq, p->opened_rq, (struct spdm_span){hello, sizeof hello}));
        pair_settle(p, p->now);
        assert_int_equal(p->data_rs_n, sizeof hello);
        assert_memory_equal(p->data_rs, hello, sizeof hello);
        assert_true(spdm_responder_send(p->rs, p->opened_rs, (struct spdm_span){answer, sizeof answer}));
        pair_settle(p, p->now);
        assert_memory_equal(p->data_rq, answer, sizeof answer);
    }
    goal.want = SPDM_WANT_END_SESSION;
    explain(p, &goal);
    assert_int_equal(p->closed_rq, p->opened_rq);
    assert_int_equal(p->closed_rs, p->opened_rs);
    assert_int_equal(p->closed_why_rs.why, SPDM_WHY_SESSION_ENDED);
}

/* Who can do everything can still talk to who knows 1.0 only, which has no tables of algorithms. */
static void test_before_sessions(void **state)
{
    static struct pair p;

    (void)state;
    begin(&p, SPDM_V10, 1);
    pair_mutual(&p);
    pair_start(&p);
    explain(&p, &(struct spdm_goal){.want = SPDM_WANT_CHALLENGE});
    assert_int_equal(spdm_requester_facts(p.rq)->version, SPDM_V10);
    pair_close(&p);
}

static void test_key_exchange(void **state)
{
    static struct pair p;

    (void)state;
    for (size_t i = 0; i < sizeof versions; i++) {
        begin(&p, versions[i], 2);
        pair_start(&p);
        explain(&p, &open_and_measure);
        assert_true(p.proven);
        use(&p);
        pair_close(&p);
    }
}

static void test_in_the_clear(void **state)
{
    static struct pair p;

    (void)state;
    for (size_t i = 0; i < sizeof versions; i++) {
        begin(&p, versions[i], 1);
        p.req_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        p.rsp_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        pair_start(&p);
        explain(&p, &open_and_measure);
        use(&p);
        pair_close(&p);
    }
}

static void test_psk(void **state)
{
    static struct pair p;

    (void)state;
    for (size_t i = 0; i < 2 * sizeof versions; i++) {
        begin(&p, versions[i / 2], 1);
        if (i % 2 == 1) p.rsp_policy.flags ^= SPDM_PSK_CAP_MASK; /* without ResponderContext: no PSK_FINISH */
        pair_start(&p);
        explain(&p, &psk_and_measure);
        use(&p);
        pair_close(&p);
    }
}

/* A device with nothing but the key: no signature is negotiated, a hash is. */
static void test_psk_alone(void **state)
{
    static struct pair p;

    (void)state;
    for (size_t i = 0; i < 2 * sizeof versions; i++) {
        begin(&p, versions[i / 2], 1);
        p.rsp_policy.flags = SPDM_ENCRYPT_CAP | SPDM_MAC_CAP | SPDM_KEY_UPD_CAP | SPDM_HBEAT_CAP | SPDM_MEAS_CAP_PLAIN;
        p.rsp_policy.flags |= i % 2 == 1 ? SPDM_PSK_CAP : SPDM_PSK_CAP_CONTEXT;
        p.rsp_policy.signatures = p.rsp_policy.exchanges = NULL;
        pair_start(&p);
        explain(&p, &psk_and_measure);
        assert_int_equal(spdm_requester_facts(p.rq)->signature, SPDM_ALG_NONE);
        use(&p);
        pair_close(&p);
    }
}

static void test_mac_only(void **state)
{
    static struct pair p;

    (void)state;
    begin(&p, SPDM_V12, 1);
    p.rsp_policy.flags &= ~SPDM_ENCRYPT_CAP;
    pair_start(&p);
    explain(&p, &open_and_measure);
    use(&p);
    pair_close(&p);
}

/* Every carrier, encrypted and only authenticated, open and closed handshake; PCI DOE and storage carry no application
 * data. */
static void test_bindings(void **state)
{
    static const struct spdm_binding *const bindings[] = {&spdm_binding_mctp, &spdm_binding_doe,     &spdm_binding_tcp,
                                                          &spdm_binding_none, &spdm_binding_storage, &spdm_binding_tcp};
    static const uint8_t hello[] = "\x7ehello";
    static struct pair p;

    (void)state;
    for (unsigned i = 0; i < 4 * sizeof bindings / sizeof *bindings; i++) {
        const struct spdm_binding *b = bindings[i / 4];
        struct spdm_goal goal = open_and_measure;

        begin(&p, SPDM_V13, 1);
        p.req_config.binding = p.rsp_config.binding = b;
        p.req_policy.inner_header = p.rsp_policy.inner_header = i / 4 == 5; /* TCP alone knows one */
        if (i % 2 == 1) p.rsp_policy.flags &= ~SPDM_ENCRYPT_CAP;
        if (i % 4 >= 2) p.req_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        if (i % 4 >= 2) p.rsp_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        pair_start(&p);
        explain(&p, &goal);
        goal = (struct spdm_goal){.session = p.opened_rq, .want = SPDM_WANT_KEY_UPDATE, .update = 2};
        explain(&p, &goal);
        assert_true(spdm_requester_send(p.rq, p.opened_rq, (struct spdm_span){hello, sizeof hello}) == b->app_data);
        pair_settle(&p, p.now);
        assert_int_equal(p.data_rs_n, b->app_data ? sizeof hello : 0);
        goal.want = SPDM_WANT_MEASUREMENTS | SPDM_WANT_END_SESSION;
        explain(&p, &goal);
        assert_int_equal(p.closed_why_rs.why, SPDM_WHY_SESSION_ENDED);
        pair_close(&p);
    }
}

/* Over TCP what is an SPDM message is told by its version or, by policy, by a header; whoever does without the other's
 * way has no session. What looks like one is not taken as application data; the rest is, whatever it begins with. */
static void test_inner_header(void **state)
{
    static const struct spdm_span words[] = {
        {(const uint8_t *)"\x13hello", 6},       {(const uint8_t *)"\x06\0\1\5hello", 9},
        {(const uint8_t *)"\x05\0\1\5hello", 9}, {(const uint8_t *)"\x07\0\1\5hello", 9},
        {(const uint8_t *)"\x05\0\1\6hello", 9}, {(const uint8_t *)"\x05\0\1", 3}};
    static const bool sent[2][sizeof words / sizeof *words] = {{false, true, true, true, true, true},
                                                               {true, true, false, false, true, true}};
    static struct pair p;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        begin(&p, SPDM_V12, 1);
        p.req_config.binding = p.rsp_config.binding = &spdm_binding_tcp;
        p.req_policy.inner_header = i % 2 != 0;
        p.rsp_policy.inner_header = i / 2 != 0;
        pair_start(&p);
        if (i % 2 != i / 2) {
            assert_false(pair_run(&p, &open_and_measure));
            assert_int_equal(p.opened_rq | p.opened_rs, 0);
            pair_close(&p);
            continue;
        }
        explain(&p, &open_and_measure);
        for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
            p.data_rs_n = p.data_rq_n = 0;
            assert_true(spdm_requester_send(p.rq, p.opened_rq, words[k]) == sent[i / 2][k]);
            pair_settle(&p, p.now);
            assert_true(spdm_responder_send(p.rs, p.opened_rs, words[k]) == sent[i / 2][k]);
            pair_settle(&p, p.now);
            assert_int_equal(p.data_rs_n, sent[i / 2][k] ? words[k].n : 0);
            assert_int_equal(p.data_rq_n, p.data_rs_n);
        }
        pair_close(&p);
    }
}

static void test_wrong_psk(void **state)
{
    static struct pair p;

    (void)state;
    begin(&p, SPDM_V13, 1);
    p.wrong_psk = true;
    pair_start(&p);
    assert_false(pair_run(&p, &psk_and_measure));
    assert_int_equal(p.failure.why, SPDM_WHY_BAD_VERIFY_DATA);
    assert_int_equal(p.opened_rs, 0);
    pair_close(&p);
}

static void test_several(void **state)
{
    static struct pair p;
    struct spdm_goal goal = {.want = SPDM_WANT_SESSION};
    uint32_t first;

    (void)state;
    begin(&p, SPDM_V13, 3);
    pair_start(&p);
    explain(&p, &goal);
    first = p.opened_rq;
    explain(&p, &psk_and_measure);
    explain(&p, &goal);
    assert_true(first != p.opened_rq);
    assert_false(pair_run(&p, &goal));
    assert_int_equal(p.failure.why, SPDM_WHY_SESSION_LIMIT);
    goal = (struct spdm_goal){.want = SPDM_WANT_MEASUREMENTS | SPDM_WANT_END_SESSION, .session = first, .sign = true};
    explain(&p, &goal);
    assert_int_equal(p.closed_rs, first);
    goal = (struct spdm_goal){.want = SPDM_WANT_SESSION};
    explain(&p, &goal);
    use(&p);
    pair_close(&p);
}

/* While the answer to a heartbeat, or to anything else, is awaited, the deadline lies ahead: a caller that serves its
 * timers first would never come to read the answer. */
static void test_heartbeat_does_not_spin(void **state)
{
    static struct pair p;

    (void)state;
    begin(&p, SPDM_V12, 1);
    p.rsp_policy.heartbeat = 4;
    pair_start(&p);
    explain(&p, &open_and_measure);
    p.now = spdm_requester_deadline(p.rq);
    assert_int_not_equal(spdm_requester_pull(p.rq, p.now).n, 0); /* lost */
    assert_true(spdm_requester_deadline(p.rq) > p.now);
    assert_true(spdm_requester_deadline(p.rq) <= p.now + 4 * (uint64_t)SECOND);
    pair_close(&p);
}

static void test_heartbeat(void **state)
{
    static struct pair p;
    struct spdm_session_facts facts;
    uint64_t start;

    (void)state;
    begin(&p, SPDM_V12, 1);
    p.rsp_policy.heartbeat = 3;
    pair_start(&p);
    explain(&p, &open_and_measure);
    start = p.now;
    pair_settle(&p, start + 60 * (uint64_t)SECOND); /* alive for a minute on heartbeats alone */
    assert_int_equal(p.closed_rq, 0);
    assert_true(spdm_requester_session(p.rq, p.opened_rq, &facts));
    assert_int_equal(facts.heartbeat, 3);
    assert_true(facts.sent > 20);
    p.now += 7 * (uint64_t)SECOND; /* and nobody looked after it for twice the period */
    spdm_responder_push(p.rs, (struct spdm_span){0}, p.now);
    spdm_requester_push(p.rq, (struct spdm_span){0}, p.now);
    pair_settle(&p, p.now);
    assert_int_equal(p.closed_why_rq.why, SPDM_WHY_SESSION_EXPIRED);
    assert_int_equal(p.closed_why_rs.why, SPDM_WHY_SESSION_EXPIRED);
    pair_close(&p);
}

static void test_mutual(void **state)
{
    static const uint8_t kinds[] = {2, 4};
    static struct pair p;

    (void)state;
    for (size_t i = 0; i < 2 * 2 * sizeof versions; i++) {
        begin(&p, versions[i / 4], 1);
        pair_mutual(&p);
        p.rsp_policy.mut_auth = kinds[i % 2];
        p.rsp_policy.mut_auth_required = true;
        if (i / 2 % 2 == 1) p.req_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        if (i / 2 % 2 == 1) p.rsp_policy.flags |= SPDM_HANDSHAKE_IN_THE_CLEAR_CAP;
        pair_start(&p);
        explain(&p, &open_and_measure);
        assert_int_equal(p.signed_by_rq, 1);
        use(&p);
        pair_close(&p);
    }
}

static void test_mutual_refused(void **state)
{
    static struct pair p;
    struct toy_key other = {.id = 5};

    (void)state;
    begin(&p, SPDM_V13, 1);
    pair_mutual(&p);
    p.rsp_policy.mut_auth = 2;
    p.rq_trusted = NULL; /* the responder refuses both slots */
    pair_start(&p);
    assert_false(pair_run(&p, &open_and_measure));
    assert_int_equal(p.opened_rs, 0);
    p.rq_trusted = &other; /* the chain is trusted, the signature is another key's */
    assert_false(pair_run(&p, &open_and_measure));
    assert_int_equal(p.refused.why, SPDM_WHY_BAD_VERIFY_DATA);
    assert_int_equal(p.opened_rs, 0);
    p.rq_trusted = &p.rq_key; /* nothing of that is in the way of an honest try */
    explain(&p, &open_and_measure);
    pair_close(&p);
    begin(&p, SPDM_V13, 1); /* a requester that cannot is told so (withstand 26) */
    p.rsp_policy.mut_auth = 2;
    p.rsp_policy.mut_auth_required = true;
    pair_start(&p);
    assert_false(pair_run(&p, &open_and_measure));
    assert_int_equal(p.failure.error, 0x11);
    pair_close(&p);
}

static void test_basic_mutual(void **state)
{
    static struct pair p;
    struct spdm_goal goal = {.want = SPDM_WANT_CHALLENGE};

    (void)state;
    for (size_t i = 0; i < sizeof versions; i++) {
        begin(&p, versions[i], 1);
        pair_mutual(&p);
        p.rsp_policy.basic_mut_auth = true;
        pair_start(&p);
        explain(&p, &goal);
        assert_int_equal(p.signed_by_rq, 1);
        assert_int_equal(p.refused.why, SPDM_WHY_FINE);
        pair_close(&p);
    }
}

static void test_update_by_responder(void **state)
{
    static struct pair p;
    struct spdm_goal poll = {.want = SPDM_WANT_POLL};
    struct spdm_session_facts facts;

    (void)state;
    for (size_t i = 0; i < sizeof versions; i++) {
        begin(&p, versions[i], 1);
        pair_mutual(&p);
        pair_start(&p);
        explain(&p, &open_and_measure);
        poll.session = p.opened_rq;
        explain(&p, &poll); /* nothing to do is fine */
        assert_true(spdm_responder_update(p.rs, p.opened_rs));
        explain(&p, &poll);
        assert_true(spdm_responder_session(p.rs, p.opened_rs, &facts));
        assert_int_equal(facts.sent, 2);
        use(&p);
        pair_close(&p);
    }
}

/* Application data of the device, sealed before KEY_UPDATE came to it and read after that was sent. */
static size_t data_crosses(struct pair *p, bool to_responder, uint8_t *frame, size_t n)
{
    static const uint8_t news[] = "\x02news";
    unsigned *left = p->arg;
    uint8_t copy[PAIR_BUFFER];
    struct spdm_span out;

    (void)frame;
    if (!to_responder || *left == 0) return n;
    assert_false(spdm_requester_send(p->rq, p->opened_rq, (struct spdm_span){news, sizeof news}));
    while ((*left)-- > 1) {
        assert_true(spdm_responder_send(p->rs, p->opened_rs, (struct spdm_span){news, sizeof news}));
        out = spdm_responder_pull(p->rs, p->now);
        memcpy(copy, out.p, out.n);
        p->data_rq_n = 0;
        pair_deliver(p, false, copy, out.n);
        assert_int_equal(p->data_rq_n, sizeof news);
    }
    return n;
}

static void test_data_crosses_update(void **state)
{
    static struct pair p;
    struct spdm_goal goal = {.want = SPDM_WANT_KEY_UPDATE};
    struct spdm_session_facts facts;
    unsigned left;

    (void)state;
    for (size_t i = 0; i < sizeof versions; i++) {
        begin(&p, versions[i], 1);
        pair_start(&p);
        explain(&p, &open_and_measure);
        goal.session = p.opened_rq;
        p.wire = data_crosses;
        p.arg = &left;
        for (goal.update = 1; goal.update <= 2; goal.update++) {
            left = 4;
            explain(&p, &goal);
            assert_int_equal(left, 0);
        }
        assert_true(spdm_requester_session(p.rq, p.opened_rq, &facts));
        assert_int_equal(facts.updates[0], 2);
        assert_int_equal(facts.updates[1], 1);
        use(&p);
        pair_close(&p);
    }
}

/* What travels in records is shown in plain to who asked for it, at both ends alike. */
struct shown {
    unsigned n, app, requests;
    size_t bytes;
    uint32_t session, sum;
};

static void show(void *ctx, const struct spdm_inside *inside)
{
    struct shown *shown = ctx;

    shown->n++;
    shown->app += inside->app;
    shown->requests += inside->request;
    if (!inside->app) assert_true(inside->request == (inside->message.p[1] >= 0x80));
    shown->bytes += inside->message.n;
    shown->session = inside->session;
    for (size_t i = 0; i < inside->message.n; i++) shown->sum = shown->sum * 31 + inside->message.p[i];
    shown->sum = shown->sum * 31 + inside->request;
}

static void test_inside(void **state)
{
    static struct pair p;
    struct shown shown[2] = {{0}};

    (void)state;
    begin(&p, SPDM_V13, 1);
    p.req_config.inside = p.rsp_config.inside = show;
    p.req_config.inside_ctx = &shown[0];
    p.rsp_config.inside_ctx = &shown[1];
    pair_start(&p);
    explain(&p, &open_and_measure);
    use(&p);
    assert_memory_equal(&shown[0], &shown[1], sizeof shown[0]);
    assert_int_equal(shown[0].session, p.opened_rq);
    assert_int_equal(shown[0].app, 4);
    assert_int_equal(shown[0].requests, 2 + 1 + 1 + 4 + 1);
    assert_true(shown[0].bytes > 4 * shown[0].n);
    assert_int_equal(shown[0].n, 4 + 2 + 2 + 2 * 4 + 2); /* data, FINISH, measurements, two key updates, end */
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_data_crosses_update),
                                       cmocka_unit_test(test_bindings),
                                       cmocka_unit_test(test_inner_header),
                                       cmocka_unit_test(test_inside),
                                       cmocka_unit_test(test_before_sessions),
                                       cmocka_unit_test(test_key_exchange),
                                       cmocka_unit_test(test_in_the_clear),
                                       cmocka_unit_test(test_psk),
                                       cmocka_unit_test(test_psk_alone),
                                       cmocka_unit_test(test_mac_only),
                                       cmocka_unit_test(test_wrong_psk),
                                       cmocka_unit_test(test_several),
                                       cmocka_unit_test(test_heartbeat),
                                       cmocka_unit_test(test_heartbeat_does_not_spin),
                                       cmocka_unit_test(test_mutual),
                                       cmocka_unit_test(test_mutual_refused),
                                       cmocka_unit_test(test_basic_mutual),
                                       cmocka_unit_test(test_update_by_responder)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
