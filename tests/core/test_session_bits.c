/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One bit of one frame is changed, from GET_VERSION to FINISH_RSP: every bit of
 * every frame, in versions and kinds of handshake, with a signature check that
 * works and with one that says yes to everything (withstand 95, 96). What was
 * negotiated is in TH: no session comes of what only one end has seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/fault.h"

struct kind {
    const char *name;
    uint8_t version, mut_auth;
    bool psk, clear, no_context;
};
static const struct kind kinds[] = {
    {.name = "KEY_EXCHANGE 1.1", .version = SPDM_V11},
    {.name = "in the clear 1.2", .version = SPDM_V12, .clear = true},
    {.name = "mutual 1.3", .version = SPDM_V13, .mut_auth = 2},
    {.name = "mutual in the clear 1.4", .version = SPDM_V14, .mut_auth = 4, .clear = true},
    {.name = "PSK 1.2", .version = SPDM_V12, .psk = true},
    {.name = "PSK without context 1.4", .version = SPDM_V14, .psk = true, .no_context = true},
};
enum { KINDS = sizeof kinds / sizeof *kinds, FRAMES = 40 };

static struct pair p;
/* The frame at hand, which of its bits is changed, how long it was. */
static struct {
    unsigned frame;
    size_t bit, n;
    bool done;
} change;
static struct spdm_session_facts honest;

static size_t flip(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)to_responder;
    if (pair->passed != change.frame || change.done) return n;
    change.done = true;
    change.n = n;
    if (change.bit < 8 * n) frame[change.bit / 8] ^= (uint8_t)(1u << change.bit % 8);
    return n;
}

static bool open_one(const struct kind *kind, bool accept_all)
{
    struct spdm_goal goal = {.want = kind->psk ? SPDM_WANT_PSK_SESSION : SPDM_WANT_SESSION,
                             .psk_hint = {(const uint8_t *)"hint", 4}};
    uint32_t clear = kind->clear ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0;

    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = kind->version;
    p.identity.slot[0].certificates.n = 20;
    p.identity.slot[0].root.n = 20;
    pair_sessions(&p, 1);
    p.req_policy.flags |= clear;
    p.rsp_policy.flags |= clear;
    p.req_policy.busy_retries = p.req_policy.not_ready_retries = 1;
    if (kind->no_context) p.rsp_policy.flags ^= SPDM_PSK_CAP_MASK;
    if (kind->mut_auth != 0) pair_mutual(&p);
    if (kind->mut_auth != 0) p.rq_identity.slot[0].certificates.n = p.rq_identity.slot[0].root.n = 20;
    if (kind->mut_auth != 0) p.rq_identity.slot[2] = (struct spdm_slot){.certificates = {NULL, 0}};
    p.rsp_policy.mut_auth = kind->mut_auth;
    p.rsp_policy.mut_auth_required = kind->mut_auth != 0;
    p.toy.accept_all = accept_all;
    p.wire = flip;
    pair_start(&p);
    return pair_run(&p, &goal);
}

/* Done means: the same session as without the change, and at both ends. */
static void judge(const struct kind *kind, bool done)
{
    uint8_t a[SPDM_HASH_MAX], b[SPDM_HASH_MAX];
    struct spdm_session_facts mine;
    char label[80];

    snprintf(label, sizeof label, "%s, frame %u, bit %zu", kind->name, change.frame, change.bit);
    if (!done) {
        fault_report(&p.failure, label);
        if (p.opened_rq != 0) fail_msg("%s: failed, and opened", label);
        return;
    }
    assert_true(spdm_requester_session(p.rq, p.opened_rq, &mine));
    if (spdm_requester_export(p.rq, p.opened_rq, a) != 48 || spdm_responder_export(p.rs, p.opened_rq, b) != 48 ||
        memcmp(a, b, 48) != 0)
        fail_msg("%s: opened, and not the same at both ends", label);
    if (mine.mac_only != honest.mac_only || mine.secured_version != honest.secured_version ||
        mine.in_the_clear != honest.in_the_clear || mine.heartbeat != honest.heartbeat || mine.slot != honest.slot)
        fail_msg("%s: another session than the honest one", label);
}

static void every_bit(const struct kind *kind, bool accept_all)
{
    unsigned frames, trials = 0, done = 0;

    change.frame = FRAMES;
    assert_true(open_one(kind, false));
    assert_true(spdm_requester_session(p.rq, p.opened_rq, &honest));
    frames = p.passed;
    pair_close(&p);
    assert_true(frames < FRAMES);
    for (change.frame = 0; change.frame < frames; change.frame++) {
        change.n = 1;
        for (change.bit = 0; change.bit < 8 * change.n; change.bit++) {
            bool opened;

            change.done = false;
            opened = open_one(kind, accept_all);
            judge(kind, opened);
            trials++;
            done += opened;
            pair_close(&p);
        }
    }
    print_message("%s%s: %u of %u changes made no difference\n", kind->name, accept_all ? ", all signatures good" : "",
                  done, trials);
    assert_true(trials > 1000 && done < trials / 20);
}

static void test_bits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) every_bit(&kinds[i], false);
}

/* What the signature would have found out is found out by the HMACs: one call that lies does not open a session to who
 * has changed something on the way. */
static void test_accept_all(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        if (!kinds[i].psk) every_bit(&kinds[i], true);
    }
}

/* ---- what protection is agreed on ---- */

/* Each end's flags: encryption is off only if one of them has declared that it cannot, and without MAC_CAP on both
 * there is no session. */
static void test_protection(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        static const struct spdm_goal goal = {.want = SPDM_WANT_SESSION};
        uint32_t off[2] = {(i & 1 ? SPDM_ENCRYPT_CAP : 0) | (i & 2 ? SPDM_MAC_CAP : 0),
                           (i & 4 ? SPDM_ENCRYPT_CAP : 0) | (i & 8 ? SPDM_MAC_CAP : 0)};
        struct spdm_session_facts a, b;

        pair_init(&p);
        pair_sessions(&p, 1);
        p.req_policy.flags &= ~off[0];
        p.rsp_policy.flags &= ~off[1];
        if ((i & 3) == 3) p.req_policy.flags &= ~(SPDM_KEY_EX_CAP | SPDM_PSK_CAP | SPDM_HBEAT_CAP | SPDM_KEY_UPD_CAP);
        if ((i & 12) == 12)
            p.rsp_policy.flags &= ~(SPDM_KEY_EX_CAP | SPDM_PSK_CAP_MASK | SPDM_HBEAT_CAP | SPDM_KEY_UPD_CAP);
        pair_start(&p);
        if ((i & 10) != 0) {
            assert_false(pair_run(&p, &goal));
            assert_int_equal(p.opened_rq | p.opened_rs, 0);
        } else {
            assert_true(pair_run(&p, &goal));
            assert_true(spdm_requester_session(p.rq, p.opened_rq, &a) && spdm_responder_session(p.rs, p.opened_rs, &b));
            assert_int_equal(a.mac_only, (i & 5) != 0);
            assert_int_equal(b.mac_only, (i & 5) != 0);
        }
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bits), cmocka_unit_test(test_accept_all),
                                       cmocka_unit_test(test_protection)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
