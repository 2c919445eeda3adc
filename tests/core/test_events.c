/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Events, in sessions and in both directions: which there are, subscribing, and
 * telling; every list that is not one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/talk.h"
#include "wire/message.h"

static struct pair p;
static uint8_t supported[128];
static size_t supported_n;
static struct {
    enum spdm_event_kind kind;
    uint32_t count, session;
    uint8_t list[512];
    size_t n;
    unsigned asked;
    bool refuse;
} seen;

static const uint16_t dmtf[] = {SPDM_EVENT_LOST, SPDM_EVENT_MEASUREMENT_CHANGED, SPDM_EVENT_MEASUREMENT_PRE_UPDATE,
                                SPDM_EVENT_CERTIFICATE_CHANGED};

static void answer(struct pair *pair, const struct spdm_event *ev, struct spdm_answer *a)
{
    (void)pair;
    seen.asked++;
    seen.kind = ev->kind;
    seen.session = ev->session;
    if (ev->kind != SPDM_ASK_EVENT_TYPES) {
        seen.count = ev->order->list.count;
        seen.n = ev->order->list.list.n;
        assert_true(seen.n <= sizeof seen.list);
        if (seen.n != 0) memcpy(seen.list, ev->order->list.list.p, seen.n);
    }
    a->yes = !seen.refuse;
    a->data = (struct spdm_span){supported, supported_n};
}

static void begin(uint8_t version)
{
    memset(&seen, 0, sizeof seen);
    supported_n = spdm_event_group_put((struct spdm_room){supported, sizeof supported},
                                       &(struct spdm_event_group){.version = 1}, dmtf, 4);
    assert_int_equal(supported_n, 10 + 16);
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    pair_sessions(&p, 2);
    pair_mutual(&p);
    p.rq_turned.services = &spdm_serve_turned;
    p.req_policy.flags |= SPDM_EVENT_CAP;
    p.rsp_policy.flags |= SPDM_EVENT_CAP;
    p.errand = p.errand_rq = answer;
}

static void open_session(void)
{
    assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_SESSION}));
}

/* An errand in the open session, from one side or the other. */
static bool run(bool by_responder, const struct spdm_errand *errand, struct spdm_span list)
{
    union spdm_order order = {.list = {.list = list}};
    struct spdm_goal goal = {
        .want = SPDM_WANT_ERRAND, .errand = errand, .order = &order, .session = by_responder ? 0 : p.opened_rq};
    unsigned done = p.done_rs;

    p.replies = p.replies_rs = 0;
    p.refused = (struct spdm_report){0};
    if (!by_responder) return pair_run(&p, &goal);
    if (!spdm_responder_ask(p.rs, p.opened_rs, &goal)) return false;
    assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_POLL, .session = p.opened_rq}));
    return p.done_rs == done + 1;
}

static void test_both_ways(void **state)
{
    static const uint8_t measurements[32] = {0x0a};
    uint8_t list[256];
    struct spdm_room room = {list, sizeof list};
    struct spdm_notice out = {.instance = 0, .type = SPDM_EVENT_MEASUREMENT_CHANGED, .detail = {measurements, 32}};
    struct spdm_span rest;
    struct spdm_event_group g;
    uint16_t type = 0;
    size_t n;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        bool back = i % 2 == 1;

        begin(i < 2 ? SPDM_V13 : SPDM_V14);
        if (i >= 2) p.req_policy.flags &= ~(uint32_t)SPDM_MUT_AUTH_CAP; /* not needed for this (withstand 88) */
        if (i >= 2) p.rsp_policy.flags &= ~(uint32_t)SPDM_MUT_AUTH_CAP;
        pair_start(&p);
        open_session();
        assert_true(run(back, &spdm_errand_event_types, (struct spdm_span){0}));
        assert_int_equal(seen.kind, SPDM_ASK_EVENT_TYPES);
        assert_int_equal(back ? p.replies_rs : p.replies, 1);
        assert_int_equal(p.reply_n, supported_n);
        rest = (struct spdm_span){p.reply, p.reply_n};
        assert_true(spdm_event_group_next(&rest, &g) && g.body == 0 && g.version == 1 && g.types.n == 16);
        for (unsigned t = 1; t <= 4; t++) assert_true(spdm_event_type_next(&g.types, &type) && type == t);
        assert_false(spdm_event_type_next(&g.types, &type) || spdm_event_group_next(&rest, &g));
        assert_true(run(back, &spdm_errand_subscribe, (struct spdm_span){p.reply, p.reply_n}));
        assert_int_equal(seen.kind, SPDM_ASK_SUBSCRIBE);
        assert_int_equal(seen.count, 1);
        assert_int_equal(seen.n, supported_n);
        assert_memory_equal(seen.list, supported, supported_n);
        assert_int_equal(seen.session, p.opened_rs);
        assert_true(run(back, &spdm_errand_subscribe, (struct spdm_span){0}));
        assert_int_equal(seen.n, 0);
        n = spdm_notice_put(room, &out);
        out = (struct spdm_notice){.instance = 1, .type = SPDM_EVENT_CERTIFICATE_CHANGED, .detail = {measurements, 1}};
        n += spdm_notice_put((struct spdm_room){list + n, sizeof list - n}, &out);
        assert_int_equal(n, 46 + 15);
        assert_true(run(back, &spdm_errand_events, (struct spdm_span){list, n}));
        assert_int_equal(seen.kind, SPDM_ASK_EVENTS);
        assert_int_equal(seen.count, 2);
        assert_int_equal(seen.n, n);
        assert_memory_equal(seen.list, list, n);
        assert_int_equal(seen.session, p.opened_rs);
        out = (struct spdm_notice){.instance = 0, .type = SPDM_EVENT_MEASUREMENT_CHANGED, .detail = {measurements, 32}};
        seen.refuse = true;
        assert_false(run(back, &spdm_errand_events, (struct spdm_span){list, n}));
        assert_int_equal(back ? p.refused.error : p.failure.error, SPDM_ERROR_INVALID_REQUEST);
        assert_false(run(back, &spdm_errand_event_types, (struct spdm_span){0}));
        assert_int_equal(back ? p.refused.error : p.failure.error, SPDM_ERROR_OPERATION_FAILED);
        assert_int_equal(p.closed_rs, 0);
        pair_close(&p);
    }
}

/* Only in a session, only who has events, and only lists that are some. */
static void test_cannot(void **state)
{
    union spdm_order order = {.list = {.list = {supported, 3}}};
    struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_event_types, .order = &order};
    uint8_t junk[300] = {0};

    (void)state;
    begin(SPDM_V13);
    pair_start(&p);
    assert_false(pair_run(&p, &goal));
    assert_int_equal(p.failure.why, SPDM_WHY_NO_SESSION);
    talk_expect(&p, SPDM_V13, "13 e2 00 00", "13 7f 0b 00");
    talk_expect(&p, SPDM_V13, "13 f0 00 00", "13 7f 0b 00");
    talk_expect(&p, SPDM_V13, "13 f1 00 00 01000000 00000000 00000000 0000 0400 0100 01", "13 7f 0b 00");
    assert_false(spdm_responder_ask(p.rs, 0, &goal)); /* not outside */
    open_session();
    for (size_t n = 1; n < supported_n; n++) {
        assert_false(run(false, &spdm_errand_subscribe, (struct spdm_span){supported, n}));
        assert_int_equal(p.failure.why, SPDM_WHY_CANNOT);
    }
    assert_false(run(false, &spdm_errand_events, (struct spdm_span){0}));
    assert_false(run(false, &spdm_errand_events, (struct spdm_span){junk, sizeof junk}));
    assert_false(run(true, &spdm_errand_events, (struct spdm_span){junk, sizeof junk}));
    assert_int_equal(seen.asked, 0);
    pair_close(&p);
    begin(SPDM_V13);
    p.req_policy.flags &= ~(uint32_t)SPDM_EVENT_CAP;
    p.rsp_policy.flags &= ~(uint32_t)SPDM_EVENT_CAP;
    pair_start(&p);
    open_session();
    assert_false(run(false, &spdm_errand_event_types, (struct spdm_span){0}));
    assert_int_equal(p.failure.why, SPDM_WHY_CANNOT);
    assert_false(run(false, &spdm_errand_events, (struct spdm_span){junk, 20}));
    assert_string_equal(p.failure.field, "EVENT_CAP of ours");
    assert_false(run(true, &spdm_errand_event_types, (struct spdm_span){0}));
    pair_close(&p);
}

/* The responder's answer must be a list, and one with EventLost in it (R-EVT-05). */
static void test_supported(void **state)
{
    static const uint16_t types[] = {SPDM_EVENT_CERTIFICATE_CHANGED};

    (void)state;
    begin(SPDM_V14);
    pair_start(&p);
    open_session();
    supported_n--;
    assert_false(run(false, &spdm_errand_event_types, (struct spdm_span){0}));
    assert_int_equal(p.refused.why, SPDM_WHY_ANSWER_REFUSED);
    supported_n = 0;
    assert_false(run(false, &spdm_errand_event_types, (struct spdm_span){0}));
    supported_n = spdm_event_group_put((struct spdm_room){supported, sizeof supported},
                                       &(struct spdm_event_group){.version = 1}, types, 1);
    assert_false(run(false, &spdm_errand_event_types, (struct spdm_span){0}));
    assert_int_equal(p.failure.why, SPDM_WHY_BAD_VALUE);
    assert_string_equal(p.failure.field, "SupportedEventGroupsList R-EVT-05");
    pair_close(&p);
}

/* ---- lists that are refused, byte by byte ---- */

static const struct {
    const char *bytes;
    uint8_t why;
} lists[] = {
    /* groups: SVH, EventTypeCount, EventGroupVer, Attributes, types */
    {"13 f0 01 00 0a000000 0000 0000 0100 01000000", SPDM_WHY_FINE},
    {"13 f0 01 00 0e000000 0000 0100 0100 00000000 02000000", SPDM_WHY_FINE},
    {"13 f0 01 00 0e000000 0000 0100 0100 01000000 02000000", SPDM_WHY_BAD_VALUE}, /* all, and a list */
    {"13 f0 01 00 0e000000 0000 0200 0100 00000000 02000000", SPDM_WHY_SHORT},
    {"13 f0 01 00 0e000000 0000 0000 0100 00000000 02000000", SPDM_WHY_BAD_LENGTH},
    {"13 f0 02 00 0a000000 0000 0000 0100 01000000", SPDM_WHY_SHORT},
    {"13 f0 01 00 14000000 0000 0000 0100 01000000 0000 0000 0100 01000000", SPDM_WHY_BAD_LENGTH},
    {"13 f0 01 00 0c000000 0302 8680 0000 0100 01000000", SPDM_WHY_FINE},
    {"13 f0 01 00 0c000000 0002 8680 0000 0100 01000000", SPDM_WHY_BAD_LENGTH}, /* DMTF has no VendorID */
    {"13 f0 01 00 0c000000 0c02 8680 0000 0100 01000000", SPDM_WHY_BAD_LENGTH}, /* nor is there a body 12 */
    {"13 f0 01 00 00000000", SPDM_WHY_TOO_SMALL},
    {"13 f0 01 00 0b000000 0000 0000 0100 01000000", SPDM_WHY_SHORT},
    {"13 f0 00 00", SPDM_WHY_FINE},
    {"13 62 00 00 0a000000 0000 0000 0100 01000000", SPDM_WHY_TOO_SMALL},
    /* events: EventInstanceID, Reserved, SVH, EventTypeId, EventDetailLen, EventDetail */
    {"13 f1 00 00 01000000 00000000 00000000 0000 0400 0100 01", SPDM_WHY_FINE},
    {"13 f1 00 00 01000000 ffffffff 00000000 0000 0400 0100 01", SPDM_WHY_FINE},
    {"13 f1 00 00 00000000", SPDM_WHY_TOO_SMALL},
    {"13 f1 00 00 01000000", SPDM_WHY_SHORT},
    {"13 f1 00 00 01020000 00000000 00000000 0000 0400 0100 01", SPDM_WHY_TOO_LONG},
    {"13 f1 00 00 ffffffff 00000000 00000000 0000 0400 0100 01", SPDM_WHY_TOO_LONG},
    {"13 f1 00 00 01000000 00000000 00000000 0000 0400 0200 0101", SPDM_WHY_BAD_LENGTH}, /* R-EVT-15 */
    {"13 f1 00 00 01000000 00000000 00000000 0000 0100 0100 01", SPDM_WHY_BAD_LENGTH},
    {"13 f1 00 00 01000000 00000000 00000000 0000 0000 0000", SPDM_WHY_BAD_LENGTH}, /* no such type */
    {"13 f1 00 00 01000000 00000000 00000000 0000 0500 0100 01", SPDM_WHY_BAD_LENGTH},
    {"13 f1 00 00 01000000 00000000 00000000 0302 8680 0500 0100 01", SPDM_WHY_FINE}, /* a vendor's */
    {"13 f1 00 00 01000000 00000000 00000000 0000 0400 0100", SPDM_WHY_SHORT},
    /* two and three, by their ids (R-EVT-13) */
    {"13 f1 00 00 02000000 05000000 00000000 0000 0400 0100 01 06000000 00000000 0000 0400 0100 02", SPDM_WHY_FINE},
    {"13 f1 00 00 02000000 06000000 00000000 0000 0400 0100 01 05000000 00000000 0000 0400 0100 02", SPDM_WHY_FINE},
    {"13 f1 00 00 02000000 05000000 00000000 0000 0400 0100 01 05000000 00000000 0000 0400 0100 02",
     SPDM_WHY_BAD_ORDER},
    {"13 f1 00 00 02000000 05000000 00000000 0000 0400 0100 01 07000000 00000000 0000 0400 0100 02",
     SPDM_WHY_BAD_ORDER},
    {"13 f1 00 00 02000000 00000000 00000000 0000 0400 0100 01 ffffffff 00000000 0000 0400 0100 02",
     SPDM_WHY_BAD_ORDER},
    {"13 f1 00 00 03000000 05000000 00000000 0000 0400 0100 01 07000000 00000000 0000 0400 0100 02"
     " 05000000 00000000 0000 0400 0100 02",
     SPDM_WHY_BAD_ORDER},
    {"13 f1 00 00 03000000 05000000 00000000 0000 0400 0100 01 07000000 00000000 0000 0400 0100 02"
     " 06000000 00000000 0000 0400 0100 02",
     SPDM_WHY_FINE},
};

static void test_lists(void **state)
{
    static const struct shape sh = {.ver = SPDM_V13};

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        uint8_t bytes[200], *exact;
        size_t n = talk_bytes(lists[i].bytes, SPDM_V13, bytes);
        union spdm_body body;
        struct io io;

        exact = malloc(n);
        memcpy(exact, bytes, n);
        io = spdm_reader(&sh, (struct spdm_span){exact, n});
        (void)spdm_decode(&io, spdm_message_find(exact[1]), &body);
        if (io.why != lists[i].why) fail_msg("%s: %s", lists[i].bytes, spdm_why_name(io.why));
        free(exact);
    }
}

/* As many as are taken, in the worst order. */
static void test_many(void **state)
{
    static const struct shape sh = {.ver = SPDM_V13};
    enum { MOST = 512, ONE = 15 };
    static uint8_t bytes[8 + ONE * (MOST + 1)] = {0x13, 0xf1};
    union spdm_body body;

    (void)state;
    for (uint32_t n = MOST; n <= MOST + 1; n++) {
        struct io io;

        bytes[4] = (uint8_t)n;
        bytes[5] = (uint8_t)(n >> 8);
        for (uint32_t i = 0; i < n; i++) {
            struct spdm_notice e = {.instance = n - i, .type = SPDM_EVENT_CERTIFICATE_CHANGED, .detail = {bytes, 1}};

            assert_int_equal(spdm_notice_put((struct spdm_room){bytes + 8 + (size_t)ONE * i, ONE}, &e), ONE);
        }
        io = spdm_reader(&sh, (struct spdm_span){bytes, 8 + (size_t)ONE * n});
        assert_int_equal(spdm_decode(&io, &spdm_message_SEND_EVENT, &body), n == MOST);
    }
}

static void test_put(void **state)
{
    uint8_t out[40];
    struct spdm_notice bad = {.type = SPDM_EVENT_LOST, .detail = {out, 7}};
    struct spdm_event_group vendor = {.body = 3, .version = 2, .vendor = {(const uint8_t *)"\x86\x80", 2}};

    (void)state;
    assert_int_equal(spdm_notice_put((struct spdm_room){out, sizeof out}, &bad), 0); /* EventLost has eight bytes */
    bad.detail.n = 8;
    for (size_t n = 0; n <= sizeof out; n++)
        assert_int_equal(spdm_notice_put((struct spdm_room){out, n}, &bad), n >= 22 ? 22 : 0);
    for (size_t n = 0; n <= sizeof out; n++)
        assert_int_equal(spdm_event_group_put((struct spdm_room){out, n}, &vendor, dmtf, 3), n >= 24 ? 24 : 0);
    assert_memory_equal(out, "\x03\x02\x86\x80\3\0\2\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0", 24);
    vendor.all = true;
    assert_int_equal(spdm_event_group_put((struct spdm_room){out, sizeof out}, &vendor, dmtf, 3), 12);
    assert_memory_equal(out, "\x03\x02\x86\x80\0\0\2\0\1\0\0\0", 12);
    vendor.vendor.n = 1;
    assert_int_equal(spdm_event_group_put((struct spdm_room){out, sizeof out}, &vendor, dmtf, 3), 0);
}

/* EventAllPolicy is told to both callers, who keep the subscriptions (R-EVT-21). */
static void test_policy(void **state)
{
    struct spdm_goal goal = {.want = SPDM_WANT_SESSION, .session_policy = 3};
    struct spdm_session_facts f;

    (void)state;
    begin(SPDM_V13);
    pair_start(&p);
    assert_true(pair_run(&p, &goal));
    assert_true(spdm_requester_session(p.rq, p.opened_rq, &f) && f.policy == 3);
    assert_true(spdm_responder_session(p.rs, p.opened_rs, &f) && f.policy == 3);
    goal = (struct spdm_goal){
        .want = SPDM_WANT_PSK_SESSION, .session_policy = 2, .psk_hint = {(const uint8_t *)"hint", 4}};
    assert_true(pair_run(&p, &goal));
    assert_true(spdm_requester_session(p.rq, p.opened_rq, &f) && f.policy == 2);
    assert_true(spdm_responder_session(p.rs, p.opened_rs, &f) && f.policy == 2);
    pair_close(&p);
}

/* A session that ends takes along what was to be told in it. */
static void test_session_ends(void **state)
{
    uint8_t list[32], cleared[1] = {1};
    struct spdm_notice e = {.type = SPDM_EVENT_CERTIFICATE_CHANGED, .detail = {cleared, 1}};
    union spdm_order order = {.list = {.list = {list, spdm_notice_put((struct spdm_room){list, sizeof list}, &e)}}};
    struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_events, .order = &order};

    (void)state;
    begin(SPDM_V14);
    pair_start(&p);
    open_session();
    assert_true(spdm_responder_ask(p.rs, p.opened_rs, &goal));
    assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_END_SESSION, .session = p.opened_rq}));
    open_session();
    assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_POLL, .session = p.opened_rq}));
    assert_int_equal(seen.asked, 0);
    assert_true(spdm_responder_ask(p.rs, p.opened_rs, &goal));
    assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_POLL, .session = p.opened_rq}));
    assert_int_equal(seen.asked, 1);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_both_ways), cmocka_unit_test(test_cannot),
                                       cmocka_unit_test(test_supported), cmocka_unit_test(test_lists),
                                       cmocka_unit_test(test_many),      cmocka_unit_test(test_put),
                                       cmocka_unit_test(test_policy),    cmocka_unit_test(test_session_ends)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
