/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sessions when the crypto library fails: every single call of whole
 * conversations, on both sides (withstand 93, 94). Nothing is accepted for it,
 * nothing stays open, no place for a session is lost, and the next session
 * works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/fault.h"

static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};

/* One kind of session, and what happens in it. */
struct talk {
    const char *name;
    bool psk, clear, mac_only;
    uint8_t mut_auth;
    bool no_context, basic;
};
static const struct talk talks[] = {
    {.name = "KEY_EXCHANGE"},
    {.name = "in the clear", .clear = true},
    {.name = "MAC only", .mac_only = true},
    {.name = "mutual, known", .mut_auth = 1},
    {.name = "mutual", .mut_auth = 2},
    {.name = "mutual in the clear", .mut_auth = 4, .clear = true},
    {.name = "basic mutual", .basic = true},
    {.name = "PSK", .psk = true},
    {.name = "PSK without context", .psk = true, .no_context = true},
};
enum { TALKS = sizeof talks / sizeof *talks, STEPS = 7 };

static struct pair p;

static void vouch_requester(void)
{
    uint8_t digest[SPDM_HASH_MAX];
    const struct spdm_slot device = p.identity.slot[0];

    p.identity.slot[0] = p.rq_identity.slot[0]; /* pair_digest() looks there */
    size_t n = pair_digest(&p, 0, SPDM_SHA_384, digest);
    p.identity.slot[0] = device;
    spdm_responder_trust(p.rs, 0, (struct spdm_span){digest, n}, &p.rq_key);
}

static void prepare(const struct talk *talk, uint8_t version)
{
    uint32_t clear = talk->clear ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0;

    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    p.identity.slot[0].certificates.n = 300;
    p.identity.slot[0].root.n = 100;
    p.measurement_n = 2;
    pair_sessions(&p, 1);
    p.req_policy.flags |= clear;
    p.rsp_policy.flags |= clear;
    if (talk->mac_only) p.rsp_policy.flags &= ~SPDM_ENCRYPT_CAP;
    if (talk->no_context) p.rsp_policy.flags ^= SPDM_PSK_CAP_MASK;
    pair_mutual(&p);
    p.rsp_policy.mut_auth = talk->mut_auth;
    p.rsp_policy.mut_auth_required = talk->mut_auth != 0;
    p.rsp_policy.basic_mut_auth = talk->basic;
    pair_start(&p);
    if (talk->mut_auth == 1) vouch_requester();
}

/* Both ends have the same session, made of the same secrets, or one of them has none. */
static void check_opened(const char *label)
{
    struct spdm_session_facts mine, theirs;
    uint8_t a[SPDM_HASH_MAX], b[SPDM_HASH_MAX];

    if (p.opened_rq == 0 || !spdm_requester_session(p.rq, p.opened_rq, &mine) || !mine.established) return;
    if (!spdm_responder_session(p.rs, p.opened_rq, &theirs) || !theirs.established) return;
    if (spdm_requester_export(p.rq, p.opened_rq, a) != 48 || spdm_responder_export(p.rs, p.opened_rq, b) != 48 ||
        memcmp(a, b, 48) != 0) {
        fail_msg("%s: one session, two secrets", label);
    }
}

/* The goal of a step; false: it is no goal. */
static bool goal_of(const struct talk *talk, unsigned step, struct spdm_goal *goal)
{
    static const unsigned wants[STEPS] = {0,
                                          SPDM_WANT_MEASUREMENTS,
                                          SPDM_WANT_KEY_UPDATE,
                                          SPDM_WANT_KEY_UPDATE,
                                          SPDM_WANT_POLL,
                                          SPDM_WANT_MEASUREMENTS,
                                          SPDM_WANT_END_SESSION};

    *goal = (struct spdm_goal){.want = wants[step],
                               .session = p.opened_rq,
                               .update = (uint8_t)(step - 1),
                               .sign = step == 1 && !talk->psk,
                               .summary = step == 0 ? 0xff : 0,
                               .psk_hint = {(const uint8_t *)"hint", 4}};
    if (step == 0) goal->want = talk->psk ? SPDM_WANT_PSK_SESSION : SPDM_WANT_SESSION;
    if (step == 0 && talk->basic) goal->want |= SPDM_WANT_CHALLENGE;
    if (step == 0) goal->session = 0;
    if (step == 4) (void)spdm_responder_update(p.rs, p.opened_rs);
    return true;
}

/* All steps, until one fails. */
static bool converse(const struct talk *talk, const char *label)
{
    static const uint8_t data[] = "\x7e data";

    p.opened_rq = p.opened_rs = 0;
    for (unsigned step = 0; step < STEPS; step++) {
        struct spdm_goal goal;

        (void)goal_of(talk, step, &goal);
        if (!pair_run(&p, &goal)) {
            fault_report(&p.failure, label);
            return false;
        }
        check_opened(label);
        if (step != 2) continue;
        (void)spdm_requester_send(p.rq, p.opened_rq, (struct spdm_span){data, sizeof data});
        pair_settle(&p, p.now);
        (void)spdm_responder_send(p.rs, p.opened_rs, (struct spdm_span){data, sizeof data});
        pair_settle(&p, p.now);
    }
    return true;
}

/* Unspecified, and not why; what could not be deciphered or proven; or a public value that was none, for all the port
 * says. */
static void judge_error(const char *label)
{
    uint8_t error = p.refused.error;
    char text[300];

    if (error == 0x05 || error == 0x06 || error == 0x09) return;
    if (error == 0x01 && p.refused.field != NULL && strstr(p.refused.field, "ExchangeData") != NULL) return;
    spdm_report_text(&p.refused, text, sizeof text);
    fail_msg("%s: the device says %02x: %s", label, error, text);
}

/* A session in which something failed goes on, and its one place is needed. One that is not open needs no help. */
static void end_what_lives(void)
{
    struct spdm_session_facts facts;
    struct spdm_goal end = {.want = SPDM_WANT_END_SESSION, .session = p.opened_rq};

    if (spdm_requester_session(p.rq, p.opened_rq, &facts)) (void)pair_run(&p, &end);
    else if (p.opened_rs != 0 && spdm_responder_session(p.rs, p.opened_rs, &facts)) spdm_requester_reset(p.rq);
}

static void fail_call(const struct talk *talk, uint8_t version, long n)
{
    char label[80], text[300], theirs[300];
    bool done;

    snprintf(label, sizeof label, "%s 1.%u, call %ld fails", talk->name, version & 15u, n);
    prepare(talk, version);
    p.toy.fail_at = n;
    done = converse(talk, label);
    if (!done && p.failure.why == SPDM_WHY_PEER_ERROR) judge_error(label);
    /* who could not make a proof does not send one that is none */
    if (!done && p.failure.why == SPDM_WHY_BAD_VERIFY_DATA) fail_msg("%s: a wrong HMAC was sent", label);
    if (p.refused.field != NULL && strstr(p.refused.field, "RequesterVerifyData") != NULL)
        fail_msg("%s: a wrong HMAC was sent to the device", label);
    if (done && p.toy.random_failed != 0) fail_msg("%s: goes on without random numbers", label);
    p.toy.fail_at = 0;
    if (!done) end_what_lives();
    if (!done && !converse(talk, label)) {
        spdm_report_text(&p.failure, text, sizeof text);
        spdm_report_text(&p.refused, theirs, sizeof theirs);
        fail_msg("%s, and afterwards: %s; the device: %s", label, text, theirs);
    }
    pair_close(&p);
    if (p.toy.open != 0) fail_msg("%s: something stays open", label);
}

static void test_every_call(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TALKS; i++) {
        for (size_t v = 0; v < sizeof versions; v++) {
            long calls;

            prepare(&talks[i], versions[v]);
            if (!converse(&talks[i], talks[i].name)) {
                char text[300];

                spdm_report_text(&p.failure, text, sizeof text);
                fail_msg("%s: %s", talks[i].name, text);
            }
            calls = p.toy.calls;
            pair_close(&p);
            for (long n = 1; n <= calls; n++) fail_call(&talks[i], versions[v], n);
        }
    }
}

/* ---- verdicts that are none (withstand 95) ---- */

static spdm_verdict said;

/* What a port says after a fault: something that is neither yes nor no. */
static spdm_verdict verify_says(void *ctx, const void *key, const struct spdm_signing *what, struct spdm_span signature)
{
    (void)toy_crypto.verify(ctx, key, what, signature);
    return said;
}

static spdm_verdict open_says(void *ctx, void *state, const struct spdm_aead *record)
{
    (void)toy_crypto.aead_open(ctx, state, record);
    return said;
}

static void test_verdicts(void **state)
{
    static const spdm_verdict odd[] = {
        0, 1, 0xffffffff, SPDM_GOOD ^ 1, SPDM_GOOD ^ 0x80000000, ~SPDM_GOOD, ~SPDM_BAD ^ 2, SPDM_BAD ^ 1, SPDM_BAD};

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof odd / sizeof *odd; i++) {
        struct spdm_crypto crypto = toy_crypto;

        said = odd[i / 2];
        if (said == SPDM_GOOD) continue;
        if (i % 2 == 0) crypto.verify = verify_says;
        else crypto.aead_open = open_says;
        prepare(&talks[0], SPDM_V13);
        p.req_config.crypto = p.rsp_config.crypto = &crypto;
        pair_start(&p);
        assert_false(converse(&talks[0], "an odd verdict"));
        assert_int_equal(p.opened_rq | p.opened_rs, 0);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_call), cmocka_unit_test(test_verdicts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
