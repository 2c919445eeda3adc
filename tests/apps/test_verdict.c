/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_verdict.c - what makes a device trusted, and everything that must not.
 *
 * Each row takes one thing away from an attestation that is trusted. */
#include "attestations.h"
#include "options.h"

#define ALL_SAME                                                                                                       \
    "{\"index\": 1, \"digest\": \"11223344\"}, {\"index\": 2, \"raw\": \"76311b5b324a\"},"                             \
    "{\"index\": 3, \"svn\": 7}, {\"index\": 254, \"any\": true}"

static void expect(struct sample *s, enum spdm_verdict_kind kind, const char *reason)
{
    spdm_attestation_judge(&s->a);
    const struct spdm_attest_verdict *v = &s->a.verdict;
    if (v->kind != kind || (reason == NULL) != (v->reason == NULL) ||
        (reason != NULL && strcmp(v->reason, reason) != 0))
        fail_msg("%s - %s, not %s - %s", spdm_verdict_name(v->kind), v->reason, spdm_verdict_name(kind), reason);
}

static void trusts_a_signed_device(void **state)
{
    struct sample s;
    (void)state;
    sample_make(&s);
    expect(&s, SPDM_TRUSTED, NULL);
    assert_int_equal(s.a.verdict.checks[SPDM_CHECK_POSSESSION].state, SPDM_CHECK_PASSED);
    assert_int_equal(s.a.verdict.checks[SPDM_CHECK_REVOCATION].state, SPDM_CHECK_NOT_DONE);
    assert_int_equal(s.a.verdict.checks[SPDM_CHECK_REFERENCE].state, SPDM_CHECK_NOT_DONE);
    sample_free(&s);
}

static void trusts_a_challenged_device_without_measurements(void **state)
{
    struct sample s;
    (void)state;
    sample_make(&s);
    s.result.goal = (struct spdm_goal){.want = SPDM_WANT_IDENTITY | SPDM_WANT_CHALLENGE};
    s.result.facts.measured_signed = false;
    s.result.facts.authentic = true;
    s.result.measured_n = 0;
    expect(&s, SPDM_TRUSTED, NULL);
    assert_int_equal(s.a.verdict.checks[SPDM_CHECK_MEASUREMENTS].state, SPDM_CHECK_NOT_DONE);
    sample_free(&s);
}

static void trusts_a_provisioned_key(void **state)
{
    struct sample s;
    (void)state;
    sample_make(&s);
    spdm_subject_clear(&s.device);
    s.result.source = SPDM_CHAIN_KEY;
    expect(&s, SPDM_TRUSTED, NULL);
    assert_int_equal(s.a.verdict.checks[SPDM_CHECK_VALIDITY].state, SPDM_CHECK_NOT_DONE);
    sample_free(&s);
}

static void compares_with_the_reference(void **state)
{
    struct sample s;
    (void)state;
    sample_make(&s);
    sample_compare(&s, ALL_SAME);
    expect(&s, SPDM_TRUSTED, NULL);
    assert_int_equal(s.a.verdict.checks[SPDM_CHECK_REFERENCE].state, SPDM_CHECK_PASSED);
    sample_free(&s);
    sample_make(&s);
    sample_compare(
        &s, "{\"index\": 1, \"digest\": \"11223345\"}, {\"index\": 2, \"any\": true}, {\"index\": 9, \"svn\": 1}");
    expect(&s, SPDM_NOT_TRUSTED, "reference measurements: 1 different (1), 1 missing (9), 2 extra (3, 254)");
    sample_free(&s);
}

static void wants_a_comparison_that_was_asked_for(void **state)
{
    struct sample s;
    (void)state;
    sample_make(&s);
    s.a.reference = "ref.json"; /* and no comparison: the device gave no measurements */
    expect(&s, SPDM_NOT_TRUSTED, "reference measurements: no measurements to compare");
    sample_free(&s);
}

static void does_not_believe_unsigned_measurements(void **state)
{
    struct sample s;
    (void)state;
    sample_make(&s);
    s.result.goal.sign = false;
    s.result.goal.want |= SPDM_WANT_CHALLENGE;
    s.result.facts.authentic = true;
    s.result.facts.measured_signed = false;
    for (size_t i = 0; i < 4; i++) s.measured[i].proven = false;
    expect(&s, SPDM_TRUSTED, NULL); /* the device is; its measurements are "not done" */
    assert_int_equal(s.a.verdict.checks[SPDM_CHECK_MEASUREMENTS].state, SPDM_CHECK_NOT_DONE);
    spdm_verdict_clear(&s.a.verdict);
    sample_compare(&s, ALL_SAME);
    expect(&s, SPDM_NOT_TRUSTED, "reference measurements: they match, but nothing proves that they are the device's");
    sample_free(&s);
}

/* ---- in a session ---- */

static void with_session(struct sample *s, enum spdm_session_mode mode)
{
    sample_make(s);
    s->result.session.mode = mode;
    s->result.session.opened = true;
    s->result.goal.want |= mode == SPDM_PSK_SESSION ? SPDM_WANT_PSK_SESSION : SPDM_WANT_SESSION;
    s->result.goal.sign = s->result.facts.measured_signed = false;
}

/* KEY_EXCHANGE_RSP is signed, and nobody else could have sent what came inside. */
static void trusts_unsigned_measurements_of_a_session(void **state)
{
    struct sample s;
    (void)state;
    with_session(&s, SPDM_KEY_SESSION);
    sample_compare(&s, ALL_SAME);
    expect(&s, SPDM_TRUSTED, NULL);
    assert_int_equal(s.a.verdict.checks[SPDM_CHECK_SESSION].state, SPDM_CHECK_PASSED);
    assert_int_equal(s.a.verdict.checks[SPDM_CHECK_POSSESSION].state, SPDM_CHECK_PASSED);
    assert_int_equal(s.a.verdict.checks[SPDM_CHECK_MEASUREMENTS].state, SPDM_CHECK_PASSED);
    sample_free(&s);
    with_session(&s, SPDM_KEY_SESSION);
    s.measured[2].proven = false;
    sample_compare(&s, ALL_SAME);
    expect(&s, SPDM_NOT_TRUSTED, "reference measurements: they match, but nothing proves that they are the device's");
    sample_free(&s);
}

static void trusts_a_pre_shared_key(void **state)
{
    struct sample s;
    (void)state;
    with_session(&s, SPDM_PSK_SESSION);
    spdm_subject_clear(&s.device);
    s.result.source = SPDM_CHAIN_PSK;
    s.result.facts.trusted = false;
    expect(&s, SPDM_TRUSTED, NULL);
    sample_free(&s);
    /* beside a root the key alone is not enough */
    with_session(&s, SPDM_PSK_SESSION);
    expect(&s, SPDM_NOT_TRUSTED, "proof of possession: not done");
    sample_free(&s);
    with_session(&s, SPDM_PSK_SESSION);
    s.result.source = SPDM_CHAIN_PSK;
    s.device.judged = s.device.trusted = false;
    s.result.session.opened = false;
    s.result.end = SPDM_ATTEST_FAILED;
    s.result.report = (struct spdm_report){.why = SPDM_WHY_BAD_VERIFY_DATA, .code = 0x66};
    spdm_attestation_judge(&s.a);
    assert_int_equal(s.a.verdict.kind, SPDM_NOT_TRUSTED);
    assert_int_equal(s.a.verdict.checks[SPDM_CHECK_CHAIN].state, SPDM_CHECK_NOT_DONE);
    assert_int_equal(s.a.verdict.checks[SPDM_CHECK_POSSESSION].state, SPDM_CHECK_FAILED);
    sample_free(&s);
}

/* A session that was asked for and is not there refuses the device, and is told before all that follows from it. */
static void wants_a_session_that_was_asked_for(void **state)
{
    struct sample s;
    (void)state;
    sample_make(&s);
    s.result.session.mode = SPDM_KEY_SESSION;
    s.result.session.lacking = "the device opens none";
    expect(&s, SPDM_NOT_TRUSTED, "session: the device opens none");
    spdm_verdict_clear(&s.a.verdict);
    s.result.goal.want = 0;
    s.result.source = SPDM_CHAIN_NONE;
    s.device.judged = false;
    expect(&s, SPDM_NOT_TRUSTED, "session: the device opens none");
    spdm_verdict_clear(&s.a.verdict);
    s.result.session.lacking = NULL;
    expect(&s, SPDM_NOT_TRUSTED, "session: it was not opened");
    sample_free(&s);
}

static void no_signature(struct sample *s)
{
    s->result.facts.measured_signed = false;
}
static void no_challenge_auth(struct sample *s)
{
    s->result.goal = (struct spdm_goal){.want = SPDM_WANT_IDENTITY | SPDM_WANT_CHALLENGE};
}
static void one_unproven(struct sample *s)
{
    s->measured[2].proven = false;
}
static void nothing_measured(struct sample *s)
{
    s->result.measured_n = 0;
}
static void nothing_asked(struct sample *s)
{
    s->result.goal = (struct spdm_goal){.want = SPDM_WANT_IDENTITY};
}
static void stale_flags(struct sample *s)
{
    /* facts of an earlier goal: this time neither a challenge nor a signature was asked for */
    s->result.goal = (struct spdm_goal){.want = SPDM_WANT_IDENTITY | SPDM_WANT_MEASUREMENTS};
    s->result.facts.authentic = true;
}
static void not_judged(struct sample *s)
{
    spdm_subject_clear(&s->device);
}
static void no_certificates(struct sample *s)
{
    spdm_subject_clear(&s->device);
    s->result.source = SPDM_CHAIN_NONE;
    s->result.goal = (struct spdm_goal){.want = SPDM_WANT_MEASUREMENTS};
    s->result.facts.measured_signed = false;
}
static void refused(struct sample *s)
{
    s->device.trusted = false;
    spdm_subject_add(&s->device.reasons, &s->device.reason_n, "expired on 2026-01-01");
}
static void refused_in_silence(struct sample *s)
{
    s->device.trusted = false;
}
static void judged_but_not_used(struct sample *s)
{
    s->result.source = SPDM_CHAIN_NONE;
}
static void not_trusted_by_the_engine(struct sample *s)
{
    s->result.facts.trusted = false;
}
static void not_connected(struct sample *s)
{
    s->result.connected = false;
}
static void not_planned(struct sample *s)
{
    s->result.planned = false;
}
static void refuses_when_one_thing_is_missing(void **state)
{
    static const struct {
        void (*spoil)(struct sample *s);
        const char *reason;
    } rows[] = {
        {no_signature, "proof of possession: not done"},
        {no_challenge_auth, "proof of possession: not done"},
        {one_unproven, "measurement signature: not all of them are covered by the signature"},
        {nothing_measured, "measurement signature: not all of them are covered by the signature"},
        {nothing_asked, "proof of possession: nothing was asked for that the device could sign"},
        {stale_flags, "proof of possession: nothing was asked for that the device could sign"},
        {not_judged, "certificate chain: no chain was received"},
        {no_certificates, "certificate chain: the device offers no certificates"},
        {refused, "certificate chain: expired on 2026-01-01"},
        {refused_in_silence, "certificate chain: the chain was refused"},
        {judged_but_not_used, "certificate chain: the chain was refused"},
        {not_trusted_by_the_engine, "certificate chain: the chain was refused"},
        {not_connected, "connection: "},
        {not_planned, "proof of possession: not done"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sample s;
        sample_make(&s);
        rows[i].spoil(&s);
        expect(&s, SPDM_NOT_TRUSTED, rows[i].reason);
        sample_free(&s);
    }
}

static void tells_what_an_engine_refused(void **state)
{
    static const struct {
        uint8_t why;
        enum spdm_verdict_kind kind;
    } rows[] = {
        {SPDM_WHY_BAD_SIGNATURE, SPDM_NOT_TRUSTED}, {SPDM_WHY_BAD_DIGEST, SPDM_NOT_TRUSTED},
        {SPDM_WHY_BAD_CHAIN, SPDM_NOT_TRUSTED},     {SPDM_WHY_NOT_TRUSTED, SPDM_NOT_TRUSTED},
        {SPDM_WHY_NO_SLOT, SPDM_NOT_TRUSTED},       {SPDM_WHY_CANNOT, SPDM_NOT_TRUSTED},
        {SPDM_WHY_TIMEOUT, SPDM_UNREACHABLE},       {SPDM_WHY_PEER_ERROR, SPDM_PROTOCOL_ERROR},
        {SPDM_WHY_NO_VERSION, SPDM_PROTOCOL_ERROR}, {SPDM_WHY_SHORT, SPDM_PROTOCOL_ERROR},
        {SPDM_WHY_GAVE_UP, SPDM_PROTOCOL_ERROR},    {SPDM_WHY_FINE, SPDM_PROTOCOL_ERROR},
        {SPDM_WHY_N, SPDM_PROTOCOL_ERROR},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sample s;
        sample_make(&s);
        s.result.end = SPDM_ATTEST_FAILED;
        s.result.report = (struct spdm_report){.why = rows[i].why, .code = 0x60, .field = "Signature"};
        spdm_attestation_judge(&s.a);
        assert_int_equal(s.a.verdict.kind, rows[i].kind);
        assert_non_null(s.a.verdict.reason);
        assert_int_not_equal(s.a.verdict.checks[SPDM_CHECK_POSSESSION].state, SPDM_CHECK_PASSED);
        assert_int_not_equal(s.a.verdict.checks[SPDM_CHECK_MEASUREMENTS].state, SPDM_CHECK_PASSED);
        sample_free(&s);
    }
}

static void tells_how_the_link_ended(void **state)
{
    static const struct {
        enum spdm_attest_end end;
        enum spdm_link_end link;
        enum spdm_verdict_kind kind;
    } rows[] = {{SPDM_ATTEST_LINK, SPDM_LINK_UNREACHABLE, SPDM_UNREACHABLE},
                {SPDM_ATTEST_LINK, SPDM_LINK_CLOSED, SPDM_UNREACHABLE},
                {SPDM_ATTEST_LINK, SPDM_LINK_TIMEOUT, SPDM_UNREACHABLE},
                {SPDM_ATTEST_LINK, SPDM_LINK_PROTOCOL, SPDM_PROTOCOL_ERROR},
                {SPDM_ATTEST_TIMEOUT, SPDM_LINK_UNREACHABLE, SPDM_UNREACHABLE},
                {SPDM_ATTEST_RUNNING, SPDM_LINK_UNREACHABLE, SPDM_UNREACHABLE}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sample s;
        sample_make(&s);
        s.result.end = rows[i].end;
        s.result.link_end = rows[i].link;
        snprintf(s.result.reason, sizeof s.result.reason, "refused\x1b[2J");
        expect(&s, rows[i].kind, "refused\\x1b[2J");
        sample_free(&s);
    }
}

static void orders_exit_codes(void **state)
{
    (void)state;
    assert_int_equal(spdm_verdict_exit(SPDM_TRUSTED), SPDM_EXIT_OK);
    assert_int_equal(spdm_verdict_exit(SPDM_NOT_TRUSTED), SPDM_EXIT_NOT_TRUSTED);
    assert_int_equal(spdm_verdict_exit(SPDM_UNREACHABLE), SPDM_EXIT_UNREACHABLE);
    assert_int_equal(spdm_verdict_exit(SPDM_PROTOCOL_ERROR), SPDM_EXIT_PROTOCOL);
    static const int order[] = {0, 3, 4, 1};
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 4; k++) assert_int_equal(spdm_exit_worse(order[i], order[k]), order[i > k ? i : k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trusts_a_signed_device),
        cmocka_unit_test(trusts_a_challenged_device_without_measurements),
        cmocka_unit_test(trusts_a_provisioned_key),
        cmocka_unit_test(trusts_unsigned_measurements_of_a_session),
        cmocka_unit_test(trusts_a_pre_shared_key),
        cmocka_unit_test(wants_a_session_that_was_asked_for),
        cmocka_unit_test(compares_with_the_reference),
        cmocka_unit_test(wants_a_comparison_that_was_asked_for),
        cmocka_unit_test(does_not_believe_unsigned_measurements),
        cmocka_unit_test(refuses_when_one_thing_is_missing),
        cmocka_unit_test(tells_what_an_engine_refused),
        cmocka_unit_test(tells_how_the_link_ended),
        cmocka_unit_test(orders_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
