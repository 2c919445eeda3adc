/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A responder whose caller takes its time: what it says meanwhile, and what
 * becomes of the deferred request when it fails or another one comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/pair.h"

enum { NOT_READY = 0x42, LATER = 1000000 };

static uint8_t frame[PAIR_BUFFER];
static size_t frame_n;

/* The responder's next message without its frame, empty if it has nothing to say. */
static struct spdm_span said(struct pair *p)
{
    struct spdm_span out = spdm_responder_pull(p->rs, p->now);

    return out.n == 0 ? out : spdm_binding_mctp.unwrap(out).message;
}

static struct spdm_span ask(struct pair *p, const char *message, size_t n)
{
    memcpy(frame + spdm_binding_mctp.head, message, n);
    frame_n = spdm_binding_mctp.wrap((struct spdm_room){frame, sizeof frame}, n, false);
    spdm_responder_push(p->rs, (struct spdm_span){frame, frame_n}, p->now);
    return said(p);
}

/* The question that is open; its ticket. */
static uint32_t question(struct pair *p, enum spdm_event_kind kind)
{
    struct spdm_event ev;

    while (spdm_responder_event(p->rs, &ev) != SPDM_NOTHING) {
        if (ev.kind == kind) return ev.ticket;
    }
    fail_msg("no question %d", kind);
    return 0;
}

/* Time passes until the responder says ResponseNotReady; its token. */
static uint8_t deferred(struct pair *p, uint8_t code)
{
    struct spdm_span m;

    p->now += LATER;
    m = said(p);
    assert_int_equal(m.n, 8);
    assert_int_equal(m.p[1], 0x7f);
    assert_int_equal(m.p[2], NOT_READY);
    assert_int_equal(m.p[5], code);
    return m.p[6];
}

static struct spdm_span come_again(struct pair *p, uint8_t code, uint8_t token)
{
    char message[] = {0x12, (char)0xff, (char)code, (char)token};

    return ask(p, message, sizeof message);
}

static void begin(struct pair *p)
{
    pair_init(p);
    memset(p->req_policy.versions, 0, sizeof p->req_policy.versions);
    p->req_policy.versions[0] = SPDM_V12;
}

static void connect_both(struct pair *p)
{
    pair_start(p);
    assert_true(pair_run(p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}));
}

/* GET_MEASUREMENTS of an index, unsigned */
static const char index_1[] = "\x12\xe0\x00\x01", index_2[] = "\x12\xe0\x00\x02", index_9[] = "\x12\xe0\x00\x09",
                  digests[] = "\x12\x81\x00\x00";

static void answer(struct pair *p, uint32_t ticket, bool wanted)
{
    struct spdm_answer a = {
        .ticket = ticket, .yes = true, .measurements = p->measurements, .measurement_n = p->measurement_n};

    assert_int_equal(spdm_responder_answer(p->rs, &a), wanted);
}

static void test_comes_when_fetched(void **state)
{
    static struct pair p;
    struct spdm_span m;
    uint8_t token;

    (void)state;
    begin(&p);
    connect_both(&p);
    assert_int_equal(ask(&p, index_1, 4).n, 0);
    token = deferred(&p, 0xe0);
    m = come_again(&p, 0xe0, token);
    assert_int_equal(m.p[2], NOT_READY);
    assert_int_equal(m.p[6], token); /* the same request, the same token */
    answer(&p, question(&p, SPDM_ASK_MEASURE), true);
    assert_int_equal(said(&p).n, 0); /* R-TIM-14 */
    assert_int_equal(come_again(&p, 0xe0, token).p[1], 0x60);
    assert_int_equal(come_again(&p, 0xe0, token).p[1], 0x7f);
    pair_close(&p);
}

/* A deferred request that comes to nothing: the ERROR too is sent to who asks for it, not before. */
static void test_refusal_waits(void **state)
{
    static struct pair p;
    struct spdm_event ev;
    struct spdm_span m;
    uint8_t token;

    (void)state;
    begin(&p);
    connect_both(&p);
    assert_int_equal(ask(&p, index_9, 4).n, 0);
    token = deferred(&p, 0xe0);
    answer(&p, question(&p, SPDM_ASK_MEASURE), true);
    assert_int_equal(said(&p).n, 0);
    assert_int_equal(spdm_responder_event(p.rs, &ev), SPDM_NOTHING);
    m = come_again(&p, 0xe0, (uint8_t)(token + 1));
    assert_int_equal(m.n, 4);
    m = come_again(&p, 0xe0, token);
    assert_int_equal(m.n, 4);
    assert_int_equal(m.p[2], 0x01);
    assert_int_equal(spdm_responder_event(p.rs, &ev), SPDM_FAILED);
    assert_int_equal(ev.report.why, SPDM_WHY_NO_INDEX);
    assert_int_equal(ev.report.got, 9);
    assert_int_equal(ev.report.code, 0xe0);
    assert_int_equal(ask(&p, digests, 4).p[1], 0x01);
    pair_close(&p);
}

/* The requester gave up and asks for something else: that is answered as if nothing had been deferred. */
static void test_another_takes_its_place(void **state)
{
    static struct pair p;
    uint32_t ticket;
    uint8_t token;

    (void)state;
    begin(&p);
    connect_both(&p);
    assert_int_equal(ask(&p, index_1, 4).n, 0);
    ticket = question(&p, SPDM_ASK_MEASURE);
    token = deferred(&p, 0xe0);
    assert_int_equal(ask(&p, digests, 4).p[1], 0x01);
    answer(&p, ticket, false);
    assert_int_equal(said(&p).n, 0);
    assert_int_equal(come_again(&p, 0xe0, token).p[1], 0x7f);
    /* again, and the next request is answered in time */
    assert_int_equal(ask(&p, index_1, 4).n, 0);
    assert_int_not_equal(deferred(&p, 0xe0), token);
    assert_int_equal(ask(&p, index_2, 4).n, 0);
    answer(&p, question(&p, SPDM_ASK_MEASURE), true);
    assert_int_equal(said(&p).p[1], 0x60);
    pair_close(&p);
}

/* Keeps KEY_EXCHANGE for the test and lets nothing come back. */
static size_t keep_exchange(struct pair *p, bool to_responder, uint8_t *bytes, size_t n)
{
    struct spdm_span m = spdm_binding_mctp.unwrap((struct spdm_span){bytes, n}).message;

    (void)p;
    if (!to_responder || m.p[1] != 0xe4) return n;
    memcpy(frame, bytes, n);
    frame_n = n;
    return 0;
}

/* A KEY_EXCHANGE that was deferred and given up leaves no session behind. */
static void test_session_goes_too(void **state)
{
    static struct pair p;
    static uint8_t exchange[PAIR_BUFFER];
    size_t n;

    (void)state;
    begin(&p);
    pair_sessions(&p, 1);
    p.wire = keep_exchange;
    pair_start(&p);
    assert_false(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_SESSION}));
    memcpy(exchange, frame, frame_n);
    n = frame_n;
    for (unsigned i = 0; i < 3; i++) {
        spdm_responder_push(p.rs, (struct spdm_span){exchange, n}, p.now);
        (void)question(&p, SPDM_ASK_SIGN);
        (void)deferred(&p, 0xe4);
        assert_int_equal(ask(&p, digests, 4).p[1], 0x01);
    }
    pair_close(&p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_when_fetched), cmocka_unit_test(test_refusal_waits),
        cmocka_unit_test(test_another_takes_its_place), cmocka_unit_test(test_session_goes_too)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
