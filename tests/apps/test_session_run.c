/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_session_run.c - runs that measure inside a session: how it is opened, what is asked in it, what stands in its
 * way, and that it can be left open for somebody else. */
#include "toy_device.h"

static unsigned cost(const struct spdm_attest_result *r)
{
    return r->sent + r->received;
}

static void measures_inside(void **state)
{
    static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};
    (void)state;
    for (size_t i = 0; i < sizeof versions; i++) {
        struct toy_device *d = device_init();
        device_sessions(d);
        memcpy(d->requester.versions, (uint8_t[6]){versions[i]}, 6);
        d->policy.heartbeat = 20;
        device_listen(d);
        struct spdm_attest *run = device_attest(d);
        const struct spdm_attest_result *r = spdm_attest_result(run);
        assert_int_equal(r->end, SPDM_ATTEST_DONE);
        assert_true(r->session.opened && r->facts.measured_signed && r->facts.trusted && !r->facts.authentic);
        assert_false(r->session.facts.psk || r->session.facts.mac_only || r->session.facts.in_the_clear);
        assert_int_equal(r->session.facts.heartbeat, 20);
        assert_int_equal(r->session.facts.mut_auth, 0);
        /* VCA, DIGESTS, two pieces of the chain, KEY_EXCHANGE, FINISH, MEASUREMENTS, END_SESSION: nothing else signs */
        assert_int_equal(cost(r), 6 + 2 + 2 + 4 + 2 + 2);
        assert_int_equal(r->measured_n, 5);
        for (size_t k = 0; k < 5; k++) assert_true(r->measured[k].proven);
        assert_int_equal(d->opened, 1);
        assert_int_equal(d->closed, 1);
        spdm_attest_free(run);
        device_free(d);
    }
}

static void counts(struct toy_device *d, unsigned messages, bool proven)
{
    device_listen(d);
    struct spdm_attest *run = device_attest(d);
    const struct spdm_attest_result *r = spdm_attest_result(run);
    assert_int_equal(r->end, SPDM_ATTEST_DONE);
    assert_true(r->session.opened);
    if (cost(r) != messages) fail_msg("%u messages, not %u", cost(r), messages);
    for (size_t k = 0; k < r->measured_n; k++) assert_int_equal(r->measured[k].proven, proven);
    spdm_attest_free(run);
    device_free(d);
}

/* Whoever holds the key needs no certificate; who was given a root wants the chain as well. */
static void opens_with_a_pre_shared_key(void **state)
{
    (void)state;
    for (unsigned context = 0; context < 2; context++) {
        struct toy_device *d = device_init();
        device_sessions(d);
        d->order.session = SPDM_PSK_SESSION;
        d->order.known_by_psk = true;
        if (context == 0) d->policy.flags ^= SPDM_PSK_CAP_MASK; /* without PSK_FINISH */
        counts(d, 6 + 2 + (context ? 2 : 0) + 2 + 2, true);
    }
    struct toy_device *d = device_init();
    device_sessions(d);
    d->order.session = SPDM_PSK_SESSION;
    counts(d, 6 + 2 + 2 + 4 + 2 + 2, true);
}

/* What is read in a session is as good as signed; and no CHALLENGE is needed beside KEY_EXCHANGE. */
static void believes_what_is_read_inside(void **state)
{
    struct toy_device *d = device_init();
    (void)state;
    device_sessions(d);
    d->order.sign = false;
    counts(d, 6 + 2 + 2 + 4 + 2 + 2, true);
    d = device_init();
    device_sessions(d);
    d->order.challenge = SPDM_CHALLENGE_ALWAYS;
    counts(d, 6 + 2 + 2 + 2 + 4 + 2 + 2, true);
    d = device_init();
    device_sessions(d);
    d->order.measure = false;
    counts(d, 6 + 2 + 2 + 4 + 2, true);
}

static void no_sessions(struct toy_device *d)
{
    d->policy.flags &=
        ~(SPDM_KEY_EX_CAP | SPDM_PSK_CAP_MASK | SPDM_MAC_CAP | SPDM_ENCRYPT_CAP | SPDM_KEY_UPD_CAP | SPDM_HBEAT_CAP);
}
static void psk_only(struct toy_device *d)
{
    d->policy.flags &= ~SPDM_KEY_EX_CAP;
}
static void keys_only(struct toy_device *d)
{
    d->policy.flags &= ~SPDM_PSK_CAP_MASK;
    d->order.session = SPDM_PSK_SESSION;
}
static void too_old(struct toy_device *d)
{
    memcpy(d->requester.versions, (uint8_t[6]){SPDM_V10}, 6);
}
static void other_exchange(struct toy_device *d)
{
    static const uint8_t other[] = {SPDM_FFDHE_3072, 0};
    d->requester.exchanges = other;
}
static void other_cipher(struct toy_device *d)
{
    static const uint8_t other[] = {SPDM_CHACHA20_POLY1305, 0};
    d->requester.aeads = other;
}
static void no_mac(struct toy_device *d)
{
    d->policy.flags &= ~SPDM_MAC_CAP;
}
static void other_opaque(struct toy_device *d)
{
    d->policy.opaque_formats = 1;
}

/* The run says so before it has asked for anything else. */
static void tells_what_a_session_lacks(void **state)
{
    static const struct {
        void (*change)(struct toy_device *d);
        const char *lacking;
    } rows[] = {
        {no_sessions, "the device opens none (KEY_EX_CAP)"},
        {psk_only, "the device opens one with a pre-shared key only (KEY_EX_CAP)"},
        {keys_only, "the device takes no pre-shared keys (PSK_CAP)"},
        {too_old, "SPDM 1.0, which was agreed on, has none"},
        {other_exchange, "there is no key exchange that both know"},
        {other_cipher, "there is no cipher that both know"},
        {no_mac, "the device cannot authenticate messages (MAC_CAP)"},
        {other_opaque, "the device does not know the opaque data format that secured messages need (OpaqueDataFmt1)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct toy_device *d = device_init();
        device_sessions(d);
        rows[i].change(d);
        device_listen(d);
        struct spdm_attest *run = device_attest(d);
        const struct spdm_attest_result *r = spdm_attest_result(run);
        assert_int_equal(r->end, SPDM_ATTEST_DONE);
        assert_non_null(r->session.lacking);
        assert_string_equal(r->session.lacking, rows[i].lacking);
        assert_false(r->session.opened);
        assert_int_equal(cost(r), 6);
        spdm_attest_free(run);
        device_free(d);
    }
}

static void fails(struct toy_device *d, uint8_t why)
{
    device_listen(d);
    struct spdm_attest *run = device_attest(d);
    const struct spdm_attest_result *r = spdm_attest_result(run);
    assert_int_equal(r->end, SPDM_ATTEST_FAILED);
    assert_int_equal(r->report.why, why);
    assert_false(r->session.opened);
    assert_int_equal(r->measured_n, 0);
    spdm_attest_free(run);
    device_free(d);
}

static void opens_none_with_a_stranger(void **state)
{
    struct toy_device *d = device_init();
    (void)state;
    device_sessions(d);
    d->trusted = NULL;
    fails(d, SPDM_WHY_NOT_TRUSTED);
    d = device_init();
    device_sessions(d);
    d->signing_key.id = 43;
    fails(d, SPDM_WHY_BAD_SIGNATURE);
    d = device_init();
    device_sessions(d);
    d->order.session = SPDM_PSK_SESSION;
    d->order.known_by_psk = true;
    d->psk = "another key";
    fails(d, SPDM_WHY_BAD_VERIFY_DATA);
    d = device_init();
    device_sessions(d);
    d->order.session = SPDM_PSK_SESSION;
    d->order.known_by_psk = true;
    d->own.psk.n = 0; /* we have none */
    fails(d, SPDM_WHY_ANSWER_REFUSED);
}

static void opens_another_when_asked_again(void **state)
{
    struct toy_device *d = device_init();
    (void)state;
    device_sessions(d);
    device_listen(d);
    struct spdm_attest *run = device_attest(d);
    for (unsigned i = 2; i < 4; i++) {
        assert_true(spdm_attest_again(run));
        device_wait(d, i);
        const struct spdm_attest_result *r = spdm_attest_result(run);
        assert_int_equal(r->end, SPDM_ATTEST_DONE);
        assert_true(r->session.opened);
        assert_int_equal(cost(r), 4 + 2 + 2);
        assert_int_equal(d->opened, i);
        assert_int_equal(d->closed, i);
    }
    spdm_attest_free(run);
    device_free(d);
}

/* ---- who stays ---- */

struct staying {
    unsigned events, closed, downs;
    char data[64], reason[SPDM_REASON_MAX];
    uint8_t why;
};
static struct staying staying;

static void stay_event(void *ctx, struct spdm_attest *run, const struct spdm_event *event)
{
    (void)ctx;
    (void)run;
    staying.events++;
    if (event->kind == SPDM_CLOSED) {
        staying.closed++;
        staying.why = (uint8_t)event->report.why;
    }
    if (event->kind == SPDM_DATA)
        snprintf(staying.data, sizeof staying.data, "%.*s", (int)event->data.n, event->data.p);
}

static void stay_down(void *ctx, struct spdm_attest *run, const char *reason)
{
    (void)ctx;
    (void)run;
    staying.downs++;
    snprintf(staying.reason, sizeof staying.reason, "%s", reason);
}

static const struct spdm_attest_stay stay = {.event = stay_event, .down = stay_down};

static void turn_until(struct toy_device *d, const unsigned *count)
{
    uint64_t start = uv_hrtime();
    while (*count == 0) {
        uv_run(&d->loop, UV_RUN_ONCE);
        if (uv_hrtime() - start > 20000000000u) fail_msg("waited in vain");
    }
}

static struct spdm_attest *attest_and_stay(struct toy_device *d)
{
    staying = (struct staying){0};
    device_sessions(d);
    d->order.stay = &stay;
    d->order.data_max = 1000;
    device_listen(d);
    struct spdm_attest *run = device_attest(d);
    assert_int_equal(spdm_attest_result(run)->end, SPDM_ATTEST_DONE);
    assert_true(spdm_attest_result(run)->session.opened);
    assert_int_equal(d->opened, 1);
    assert_int_equal(d->closed, 0);
    assert_int_equal(staying.events, 0);
    return run;
}

static void leaves_the_session_to_who_stays(void **state)
{
    static const char text[] = "\x7ehello";
    struct toy_device *d = device_init();
    struct spdm_attest *run = attest_and_stay(d);
    struct spdm_asker *asker = spdm_attest_asker(run);
    uint32_t id = spdm_attest_result(run)->session.facts.id;
    (void)state;
    assert_true(spdm_requester_send(spdm_asker_engine(asker), id, (struct spdm_span){(const uint8_t *)text, 6}));
    spdm_asker_advance(asker);
    turn_until(d, &staying.events);
    assert_string_equal(staying.data, text);
    assert_string_equal(d->data, text);
    assert_true(spdm_requester_ask(spdm_asker_engine(asker),
                                   &(struct spdm_goal){.want = SPDM_WANT_END_SESSION, .session = id}));
    spdm_asker_advance(asker);
    turn_until(d, &staying.closed);
    assert_int_equal(staying.why, SPDM_WHY_SESSION_ENDED);
    assert_int_equal(d->closed, 1);
    spdm_attest_free(run);
    device_free(d);
}

static void keeps_it_alive_for_who_stays(void **state)
{
    struct toy_device *d = device_init();
    (void)state;
    d->policy.heartbeat = 1;
    struct spdm_attest *run = attest_and_stay(d);
    struct spdm_session_facts facts = {.established = false};
    uint32_t id = spdm_attest_result(run)->session.facts.id;
    uint64_t start = uv_hrtime();
    while (facts.received < 2) { /* the measurements, and the answer to a heartbeat after half a second */
        uv_run(&d->loop, UV_RUN_ONCE);
        assert_true(spdm_requester_session(spdm_asker_engine(spdm_attest_asker(run)), id, &facts));
        if (uv_hrtime() - start > 20000000000u) fail_msg("no heartbeat");
    }
    assert_int_equal(staying.closed, 0);
    spdm_attest_free(run);
    device_free(d);
}

static void tells_who_stays_that_the_link_has_gone(void **state)
{
    struct toy_device *d = device_init();
    struct spdm_attest *run = attest_and_stay(d);
    (void)state;
    spdm_listener_close(d->listener);
    d->listener = NULL;
    turn_until(d, &staying.downs);
    assert_non_null(strstr(staying.reason, "closed the connection"));
    assert_int_equal(d->finished, 1);
    spdm_attest_free(run);
    device_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_inside),
        cmocka_unit_test(opens_with_a_pre_shared_key),
        cmocka_unit_test(believes_what_is_read_inside),
        cmocka_unit_test(tells_what_a_session_lacks),
        cmocka_unit_test(opens_none_with_a_stranger),
        cmocka_unit_test(opens_another_when_asked_again),
        cmocka_unit_test(leaves_the_session_to_who_stays),
        cmocka_unit_test(keeps_it_alive_for_who_stays),
        cmocka_unit_test(tells_who_stays_that_the_link_has_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
