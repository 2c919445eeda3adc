/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_attest_run.c - runs against a toy device: what they ask for, what they find, how they end. */
#include "summary.h"
#include "toy_device.h"

/* Messages, both ways. */
static unsigned cost(const struct spdm_attest_result *r)
{
    return r->sent + r->received;
}

static void attests_a_stranger_in_twelve_messages(void **state)
{
    struct toy_device *d = device_init();
    (void)state;
    device_listen(d);
    struct spdm_attest *run = device_attest(d);
    const struct spdm_attest_result *r = spdm_attest_result(run);
    assert_int_equal(r->end, SPDM_ATTEST_DONE);
    assert_int_equal(cost(r), 12);
    assert_int_equal(r->source, SPDM_CHAIN_FETCHED);
    assert_int_equal(d->asked_trust, 1);
    assert_true(r->facts.trusted && r->facts.measured_signed && !r->facts.authentic);
    assert_int_equal(r->facts.version, SPDM_V14);
    assert_int_equal(r->chain.n, 4 + 48 + 1500);
    assert_int_equal(r->measured_n, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(r->measured[i].m.index, 2 * i + 1);
        assert_true(r->measured[i].proven);
        assert_int_equal(r->measured[i].m.value.n, r->measured[i].m.raw ? 64 : 48);
    }
    assert_int_equal(r->asked_slots, 1);
    assert_int_equal(r->refused_slots, 0);
    assert_null(r->messages);
    spdm_attest_free(run);
    device_free(d);
}

static void costs(void (*change)(struct toy_device *d), unsigned messages, enum spdm_chain_source source)
{
    struct toy_device *d = device_init();
    change(d);
    device_listen(d);
    struct spdm_attest *run = device_attest(d);
    const struct spdm_attest_result *r = spdm_attest_result(run);
    assert_int_equal(r->end, SPDM_ATTEST_DONE);
    if (cost(r) != messages) fail_msg("%u messages, not %u", cost(r), messages);
    assert_int_equal(r->source, source);
    spdm_attest_free(run);
    device_free(d);
}

static void known(struct toy_device *d)
{
    d->know_digest = true;
}
static void challenged(struct toy_device *d)
{
    d->order.challenge = SPDM_CHALLENGE_ALWAYS;
}
static void summarised(struct toy_device *d)
{
    d->order.summary = 0xff;
}
static void old(struct toy_device *d)
{
    memcpy(d->requester.versions, (uint8_t[6]){SPDM_V11}, 6);
}
static void old_unchallenged(struct toy_device *d)
{
    old(d);
    d->order.challenge = SPDM_CHALLENGE_NEVER;
}
static void unsigned_values(struct toy_device *d)
{
    d->order.sign = false;
}
static void no_measurements(struct toy_device *d)
{
    d->order.measure = false;
}
static void offers_no_measurements(struct toy_device *d)
{
    d->policy.flags = SPDM_CERT_CAP | SPDM_CHAL_CAP;
}
static void offers_no_signature(struct toy_device *d)
{
    d->policy.flags = SPDM_CERT_CAP | SPDM_CHAL_CAP | SPDM_MEAS_CAP_PLAIN;
}
static void offers_no_certificates(struct toy_device *d)
{
    d->policy.flags = SPDM_MEAS_CAP_PLAIN;
}
static void offers_nothing(struct toy_device *d)
{
    d->policy.flags = 0;
}
static void counts(struct toy_device *d)
{
    d->order.operation = SPDM_MEASURE_COUNT;
}
static void one_index(struct toy_device *d)
{
    d->order.operation = SPDM_MEASURE_INDEX;
    d->order.index = 3;
}

/* What is asked for follows from what is wanted and what the device offers; no message more. */
static void asks_for_no_more_than_needed(void **state)
{
    (void)state;
    costs(known, 10, SPDM_CHAIN_KNOWN);
    costs(challenged, 14, SPDM_CHAIN_FETCHED);
    costs(summarised, 14, SPDM_CHAIN_FETCHED);
    costs(old, 14, SPDM_CHAIN_FETCHED); /* 1.1 does not sign the negotiation with measurements */
    costs(old_unchallenged, 12, SPDM_CHAIN_FETCHED);
    costs(unsigned_values, 14, SPDM_CHAIN_FETCHED);
    costs(no_measurements, 12, SPDM_CHAIN_FETCHED);
    costs(offers_no_measurements, 12, SPDM_CHAIN_FETCHED);
    costs(offers_no_signature, 14, SPDM_CHAIN_FETCHED);
    costs(offers_no_certificates, 8, SPDM_CHAIN_NONE);
    costs(offers_nothing, 6, SPDM_CHAIN_NONE);
    costs(counts, 14, SPDM_CHAIN_FETCHED);
    costs(one_index, 12, SPDM_CHAIN_FETCHED);
}

static void collects_one_by_one(void **state)
{
    struct toy_device *d = device_init();
    (void)state;
    d->order.operation = SPDM_MEASURE_EACH;
    d->measurements[4].index = 0xfe;
    device_listen(d);
    struct spdm_attest *run = device_attest(d);
    const struct spdm_attest_result *r = spdm_attest_result(run);
    assert_int_equal(r->end, SPDM_ATTEST_DONE);
    assert_int_equal(r->measured_n, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_true(r->measured[i].proven);
        assert_int_equal(r->measured[i].m.index, i < 4 ? 2 * i + 1 : 0xfe);
    }
    assert_int_equal(cost(r), 10 + 2 + 7 * 2 + 2 * 2); /* count, 1 to 7, 0xfd and 0xfe after the gap at 2 */
    spdm_attest_free(run);
    device_free(d);
}

static void does_not_call_unsigned_values_proven(void **state)
{
    struct toy_device *d = device_init();
    (void)state;
    d->order.sign = false;
    device_listen(d);
    struct spdm_attest *run = device_attest(d);
    const struct spdm_attest_result *r = spdm_attest_result(run);
    assert_true(r->facts.authentic);
    assert_int_equal(r->measured_n, 5);
    for (size_t i = 0; i < 5; i++) assert_false(r->measured[i].proven);
    spdm_attest_free(run);
    device_free(d);
}

/* A device seen before: its chain is taken for granted and costs no message. */
static void attests_a_remembered_device_in_eight_messages(void **state)
{
    struct toy_device *d = device_init();
    (void)state;
    device_listen(d);
    struct spdm_attest *run = device_attest(d);
    memcpy(d->memory, spdm_attest_result(run)->facts.chain_hash, sizeof d->memory);
    spdm_attest_free(run);
    d->remember = true;
    run = device_attest(d);
    const struct spdm_attest_result *r = spdm_attest_result(run);
    assert_int_equal(r->end, SPDM_ATTEST_DONE);
    assert_int_equal(cost(r), 8);
    assert_int_equal(r->source, SPDM_CHAIN_REMEMBERED);
    assert_true(r->facts.trusted && r->facts.measured_signed);
    assert_false(r->fell_back);
    assert_int_equal(d->asked_trust, 1);
    spdm_attest_free(run);
    device_free(d);
}

/* Both ends were given the key beforehand: its digest is in whatever hash they agree on. */
static void attests_by_a_provisioned_key(void **state)
{
    static const uint8_t bytes[91] = {0x30, 1, 2, 3};
    (void)state;
    for (unsigned wrong = 0; wrong < 2; wrong++) {
        struct toy_device *d = device_init();
        d->policy.flags = SPDM_PUB_KEY_ID_CAP | SPDM_CHAL_CAP | SPDM_MEAS_CAP_SIGNED;
        d->identity.public_key = (struct spdm_span){bytes, sizeof bytes};
        d->identity.public_key_signs = toy_signatures;
        d->order.public_key = (struct spdm_span){bytes, sizeof bytes - wrong};
        d->order.public_key_handle = &d->key;
        d->order.challenge = SPDM_CHALLENGE_ALWAYS;
        device_listen(d);
        struct spdm_attest *run = device_attest(d);
        const struct spdm_attest_result *r = spdm_attest_result(run);
        assert_int_equal(r->source, SPDM_CHAIN_KEY);
        assert_int_equal(r->end, wrong ? SPDM_ATTEST_FAILED : SPDM_ATTEST_DONE);
        if (wrong) assert_int_equal(r->report.why, SPDM_WHY_BAD_DIGEST);
        else assert_int_equal(cost(r), 10);
        assert_int_equal(r->facts.slot, SPDM_SLOT_KEY);
        spdm_attest_free(run);
        device_free(d);
    }
}

/* The device has a new key since: that shows as a bad signature, and then its chain is asked for. */
static void falls_back_when_memory_is_wrong(void **state)
{
    static const struct toy_key former = {7};
    struct toy_device *d = device_init();
    (void)state;
    device_listen(d);
    d->remember = true;
    d->trusted = &former; /* vouched for with the old key, */
    struct spdm_attest *run = spdm_attest_start(&d->loop, &d->target, &d->order, device_count, d);
    d->trusted = &d->key; /* judged with the new one */
    device_wait(d, 1);
    const struct spdm_attest_result *r = spdm_attest_result(run);
    assert_int_equal(r->end, SPDM_ATTEST_DONE);
    assert_true(r->fell_back);
    assert_int_equal(r->source, SPDM_CHAIN_FETCHED);
    assert_int_equal(d->asked_trust, 1);
    assert_true(r->facts.measured_signed);
    assert_int_equal(r->measured_n, 5);
    spdm_attest_free(run);
    device_free(d);
}

static void asks_again_with_two_messages(void **state)
{
    struct toy_device *d = device_init();
    (void)state;
    device_listen(d);
    struct spdm_attest *run = device_attest(d);
    for (unsigned i = 2; i < 5; i++) {
        assert_true(spdm_attest_again(run));
        assert_false(spdm_attest_again(run)); /* one at a time */
        device_wait(d, i);
        const struct spdm_attest_result *r = spdm_attest_result(run);
        assert_int_equal(r->end, SPDM_ATTEST_DONE);
        assert_int_equal(cost(r), 2);
        assert_int_equal(r->measured_n, 5);
        assert_true(r->facts.measured_signed);
        assert_int_not_equal(r->chain.n, 0);
    }
    assert_int_equal(d->accepted, 1);
    spdm_attest_free(run);
    device_free(d);
}

/* A run that failed may be tried again: on a new link, as nobody knows what became of the old one. */
static void tries_again_after_a_failure(void **state)
{
    struct toy_device *d = device_init();
    (void)state;
    d->signing_key.id = 43;
    device_listen(d);
    struct spdm_attest *run = device_attest(d);
    assert_int_equal(spdm_attest_result(run)->end, SPDM_ATTEST_FAILED);
    d->signing_key.id = 42;
    assert_true(spdm_attest_again(run));
    device_wait(d, 2);
    assert_int_equal(spdm_attest_result(run)->end, SPDM_ATTEST_DONE);
    assert_int_equal(cost(spdm_attest_result(run)), 12);
    assert_int_equal(d->accepted, 2);
    spdm_attest_free(run);
    device_free(d);
}

static void ends(struct toy_device *d, enum spdm_attest_end end, uint8_t why)
{
    struct spdm_attest *run = device_attest(d);
    const struct spdm_attest_result *r = spdm_attest_result(run);
    assert_int_equal(r->end, end);
    if (end == SPDM_ATTEST_FAILED) assert_int_equal(r->report.why, why);
    if (end == SPDM_ATTEST_LINK) assert_int_equal(r->link_end, why);
    if (end != SPDM_ATTEST_FAILED) assert_int_not_equal(r->reason[0], '\0');
    spdm_attest_free(run);
}

static void refuses_a_chain(void **state)
{
    struct toy_device *d = device_init();
    (void)state;
    d->trusted = NULL;
    device_listen(d);
    struct spdm_attest *run = device_attest(d);
    assert_int_equal(spdm_attest_result(run)->end, SPDM_ATTEST_FAILED);
    assert_int_equal(spdm_attest_result(run)->report.why, SPDM_WHY_NOT_TRUSTED);
    assert_int_equal(spdm_attest_result(run)->asked_slots, 1);
    assert_int_equal(spdm_attest_result(run)->refused_slots, 1);
    assert_int_equal(d->asked_trust, 1);
    spdm_attest_free(run);
    device_free(d);
}

static void refuses_a_signature_by_another_key(void **state)
{
    struct toy_device *d = device_init();
    (void)state;
    d->signing_key.id = 43;
    device_listen(d);
    ends(d, SPDM_ATTEST_FAILED, SPDM_WHY_BAD_SIGNATURE);
    d->remember = true; /* also when it is remembered: then it is asked for, and refused */
    ends(d, SPDM_ATTEST_FAILED, SPDM_WHY_BAD_SIGNATURE);
    device_free(d);
}

static void gives_up_on_silence(void **state)
{
    struct toy_device *d = device_init();
    (void)state;
    d->silent = true;
    d->order.timeout_ms = 200;
    device_listen(d);
    ends(d, SPDM_ATTEST_TIMEOUT, 0);
    d->order.timeout_ms = 5000;
    d->requester.rtt = 50000;
    d->requester.retries = 1;
    ends(d, SPDM_ATTEST_FAILED, SPDM_WHY_TIMEOUT);
    assert_int_equal(d->requests, 3);
    device_free(d);
}

static void tells_that_the_device_hung_up(void **state)
{
    (void)state;
    for (unsigned at = 1; at <= 6; at++) {
        struct toy_device *d = device_init();
        d->close_at = at;
        device_listen(d);
        ends(d, SPDM_ATTEST_LINK, SPDM_LINK_CLOSED);
        device_free(d);
    }
}

static void tells_that_nobody_listens(void **state)
{
    struct toy_device *d = device_init();
    (void)state;
    device_listen(d);
    spdm_listener_close(d->listener);
    d->listener = NULL;
    uv_run(&d->loop, UV_RUN_NOWAIT);
    ends(d, SPDM_ATTEST_LINK, SPDM_LINK_UNREACHABLE);
    device_free(d);
}

static void can_be_freed_at_any_time(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 30; turns++) {
        struct toy_device *d = device_init();
        device_listen(d);
        struct spdm_attest *run = spdm_attest_start(&d->loop, &d->target, &d->order, device_count, d);
        for (unsigned i = 0; i < turns; i++) uv_run(&d->loop, UV_RUN_NOWAIT);
        unsigned finished = d->finished;
        spdm_attest_free(run);
        for (unsigned i = 0; i < 5; i++) uv_run(&d->loop, UV_RUN_NOWAIT);
        assert_int_equal(d->finished, finished);
        device_free(d);
    }
}

static void runs_side_by_side(void **state)
{
    struct toy_device *d = device_init();
    struct spdm_attest *runs[30];
    (void)state;
    device_listen(d);
    for (size_t i = 0; i < 30; i++) {
        runs[i] = spdm_attest_start(&d->loop, &d->target, &d->order, device_count, d);
        assert_non_null(runs[i]);
    }
    device_wait(d, 30);
    for (size_t i = 0; i < 30; i++) {
        assert_int_equal(spdm_attest_result(runs[i])->end, SPDM_ATTEST_DONE);
        assert_int_equal(cost(spdm_attest_result(runs[i])), 12);
        spdm_attest_free(runs[i]);
    }
    device_free(d);
}

static void count_frame(void *ctx, struct spdm_attest *run, const struct spdm_tapped *tapped)
{
    (void)run;
    *(unsigned *)ctx += (unsigned)tapped->frame.n;
}

static void other_value(struct spdm_attest_result *r, struct toy_device *d)
{
    (void)d;
    r->measured[0].bytes.p[0] ^= 1;
}

/* As devices before 1.1.2 did it: the value headers and values, without the block headers. */
static void without_headers(struct spdm_attest_result *r, struct toy_device *d)
{
    uint64_t state[64] = {0};
    assert_true(toy_crypto.hash_state_size <= sizeof state);
    assert_true(toy_crypto.hash_begin(&d->toy, state, (enum spdm_alg)r->facts.hash));
    for (size_t i = 0; i < r->measured_n; i++) {
        const struct spdm_measurement *m = &r->measured[i].m;
        const uint8_t head[] = {(uint8_t)(m->type | (m->raw ? 0x80 : 0)), (uint8_t)m->value.n, 0};
        assert_true(toy_crypto.hash_update(&d->toy, state, (struct spdm_span){head, 3}));
        assert_true(toy_crypto.hash_update(&d->toy, state, m->value));
    }
    assert_true(toy_crypto.hash_peek(&d->toy, state, r->summary.p));
    toy_crypto.hash_end(&d->toy, state);
}

static void compares_the_summary(void **state)
{
    static const struct {
        uint8_t version, summary;
        bool raw;
        void (*change)(struct spdm_attest_result *r, struct toy_device *d);
        enum spdm_summary result;
    } rows[] = {
        {SPDM_V14, 0, false, NULL, SPDM_SUMMARY_NONE},
        {SPDM_V14, 0xff, false, NULL, SPDM_SUMMARY_SAME},
        {SPDM_V10, 0xff, false, NULL, SPDM_SUMMARY_SAME},
        {SPDM_V14, 0xff, false, other_value, SPDM_SUMMARY_OTHER},
        {SPDM_V11, 0xff, false, without_headers, SPDM_SUMMARY_SAME},
        {SPDM_V12, 0xff, false, without_headers, SPDM_SUMMARY_OTHER},
        {SPDM_V14, 0xff, true, NULL, SPDM_SUMMARY_INCOMPARABLE},
        {SPDM_V14, 1, false, NULL, SPDM_SUMMARY_INCOMPARABLE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct toy_device *d = device_init();
        d->requester.versions[0] = rows[i].version;
        d->requester.versions[1] = 0;
        d->order.summary = rows[i].summary;
        d->order.raw = rows[i].raw;
        device_listen(d);
        struct spdm_attest *run = device_attest(d);
        struct spdm_attest_result r = *spdm_attest_result(run);
        assert_int_equal(r.end, SPDM_ATTEST_DONE);
        if (rows[i].change != NULL) rows[i].change(&r, d);
        if (spdm_summary_compare(&d->order, &r) != rows[i].result)
            fail_msg("row %zu: %d", i, spdm_summary_compare(&d->order, &r));
        spdm_attest_free(run);
        device_free(d);
    }
}

static void records_messages_and_shows_frames(void **state)
{
    struct toy_device *d = device_init();
    unsigned bytes = 0;
    (void)state;
    d->order.record = true;
    d->order.tap = count_frame;
    d->order.tap_ctx = &bytes;
    device_listen(d);
    struct spdm_attest *run = device_attest(d);
    const struct spdm_attest_result *r = spdm_attest_result(run);
    assert_int_equal(r->message_n, 12);
    for (size_t i = 0; i < 12; i++) assert_int_equal(r->messages[i].sent, i % 2 == 0);
    assert_int_equal(r->messages[0].bytes.p[1], 0x84);
    assert_int_equal(r->messages[11].bytes.p[1], 0x60);
    assert_int_equal(bytes, r->sent_bytes + r->received_bytes);
    spdm_attest_free(run);
    device_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attests_a_stranger_in_twelve_messages),
        cmocka_unit_test(asks_for_no_more_than_needed),
        cmocka_unit_test(collects_one_by_one),
        cmocka_unit_test(does_not_call_unsigned_values_proven),
        cmocka_unit_test(attests_a_remembered_device_in_eight_messages),
        cmocka_unit_test(attests_by_a_provisioned_key),
        cmocka_unit_test(falls_back_when_memory_is_wrong),
        cmocka_unit_test(asks_again_with_two_messages),
        cmocka_unit_test(tries_again_after_a_failure),
        cmocka_unit_test(refuses_a_chain),
        cmocka_unit_test(refuses_a_signature_by_another_key),
        cmocka_unit_test(gives_up_on_silence),
        cmocka_unit_test(tells_that_the_device_hung_up),
        cmocka_unit_test(tells_that_nobody_listens),
        cmocka_unit_test(can_be_freed_at_any_time),
        cmocka_unit_test(runs_side_by_side),
        cmocka_unit_test(compares_the_summary),
        cmocka_unit_test(records_messages_and_shows_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
