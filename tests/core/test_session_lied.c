/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the sessions of a requester withstand: responses that promise what was
 * not negotiated, take an id twice, come in the wrong shape or under no key, a
 * responder that is busy in the middle of a key update (withstand 6, 27 to 30).
 * Somebody on the wire who has all keys changes what an honest device says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/edit.h"
#include "support/liar.h"

static const uint8_t versions[] = {SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};
static const struct spdm_goal open_and_measure = {.want = SPDM_WANT_SESSION | SPDM_WANT_MEASUREMENTS};
static const struct spdm_goal psk_and_measure = {.want = SPDM_WANT_PSK_SESSION | SPDM_WANT_MEASUREMENTS,
                                                 .psk_hint = {(const uint8_t *)"hint", 4}};

static struct pair p;
static struct liar liar;

/* What becomes of the answers with a code: cut to a length (0: not), a byte set. */
struct lie {
    uint8_t code;
    size_t at; /* byte of the message, counted from 1; 0: none */
    uint8_t value;
    bool both;      /* the byte behind it too */
    size_t n;       /* new length, 0: as it is */
    unsigned times; /* how many of them; 0: all */
    unsigned told;
};

static size_t lying(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    struct lie *lie = pair->arg;
    struct spdm_span m;

    if (to_responder || lie == NULL) return n;
    m = liar_open(&liar, false, (struct spdm_span){frame, n});
    if (m.n < 4 || m.p[1] != lie->code || (lie->times != 0 && lie->told == lie->times)) return n;
    lie->told++;
    if (lie->at != 0) liar.message[lie->at - 1] = lie->value;
    if (lie->both) liar.message[lie->at] = lie->value;
    if (lie->n > m.n) memset(liar.message + m.n, 0, lie->n - m.n);
    return liar_seal(&liar, (struct spdm_span){liar.message, lie->n != 0 ? lie->n : m.n}, frame);
}

static void prepare(uint8_t version, size_t sessions, uint32_t more_flags)
{
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    pair_sessions(&p, sessions);
    p.req_policy.flags |= more_flags;
    p.rsp_policy.flags |= more_flags;
    liar_listen(&liar, &p);
    p.wire = lying;
}

/* The same two ends get along when nobody lies. */
static void honest_again(const struct spdm_goal *goal)
{
    char text[300];

    p.arg = NULL;
    if (pair_run(&p, goal)) return;
    spdm_report_text(&p.failure, text, sizeof text);
    fail_msg("afterwards: %s", text);
}

static void expect_lie(const struct spdm_goal *goal, struct lie lie, uint8_t why, const char *field)
{
    char text[300];

    p.arg = &lie;
    if (pair_run(&p, goal)) fail_msg("code %02x, byte %zu: believed", lie.code, lie.at);
    assert_int_not_equal(lie.told, 0);
    spdm_report_text(&p.failure, text, sizeof text);
    if (why != 0 && p.failure.why != why) fail_msg("code %02x, byte %zu: %s", lie.code, lie.at, text);
    if (field != NULL && strncmp(p.failure.field, field, strlen(field)) != 0) fail_msg("not %s: %s", field, text);
    assert_int_equal(p.opened_rq, 0);
}

/* ---- promises (withstand 27 to 29) ---- */

static void test_mut_auth(void **state)
{
    static const uint8_t invalid[] = {3, 5, 6, 7, 8, 0x10, 0x80};

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        for (unsigned mutual = 0; mutual < 2; mutual++) {
            prepare(versions[v], 1, 0);
            if (mutual) pair_mutual(&p);
            pair_start(&p);
            for (size_t i = 0; i < sizeof invalid; i++) {
                expect_lie(&open_and_measure, (struct lie){.code = 0x64, .at = 7, .value = invalid[i]},
                           SPDM_WHY_BAD_VALUE, "MutAuthRequested R-KEX-30");
            }
            for (uint8_t bit = 1; bit <= 4; bit *= 2) { /* not negotiated; negotiated, but nobody signed that */
                expect_lie(&open_and_measure, (struct lie){.code = 0x64, .at = 7, .value = bit},
                           mutual ? SPDM_WHY_BAD_SIGNATURE : SPDM_WHY_BAD_VALUE, mutual ? NULL : "MutAuthRequested");
            }
            assert_int_equal(p.signed_by_rq, 0);
            honest_again(&open_and_measure);
            pair_close(&p);
        }
    }
}

static void test_heartbeat(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v], 1, 0);
        p.req_policy.flags &= ~SPDM_HBEAT_CAP;
        pair_start(&p);
        expect_lie(&open_and_measure, (struct lie){.code = 0x64, .at = 3, .value = 9}, SPDM_WHY_BAD_VALUE,
                   "HeartbeatPeriod");
        expect_lie(&psk_and_measure, (struct lie){.code = 0x66, .at = 3, .value = 9}, SPDM_WHY_BAD_VALUE,
                   "HeartbeatPeriod");
        honest_again(&psk_and_measure);
        pair_close(&p);
    }
}

/* The id half of a live session, and half 0. */
static void test_id_taken(void **state)
{
    static const struct spdm_goal session = {.want = SPDM_WANT_SESSION};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        bool psk = i % 2 == 1, zero = i >= 2;

        prepare(SPDM_V12, 3, 0);
        pair_start(&p);
        p.arg = NULL;
        assert_true(pair_run(&p, &session));
        assert_int_equal(p.opened_rq, 0xffffffff);
        p.opened_rq = 0;
        expect_lie(psk ? &psk_and_measure : &session,
                   (struct lie){.code = psk ? 0x66 : 0x64, .at = 5, .value = zero ? 0 : 0xff, .both = zero},
                   SPDM_WHY_BAD_VALUE, "RspSessionID R-KEX-29");
        pair_close(&p);
    }
}

/* ---- more than was offered ---- */

/* The next answer with this code is edited on its way (edit.h). */
static struct {
    uint8_t code;
    char edits[200];
    unsigned done;
} edited;

static size_t editing(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)pair;
    if (to_responder || edited.done != 0 || frame[0] != 5 || frame[2] != edited.code) return n;
    edited.done++;
    return 1 + edit_message(edited.edits, frame + 1, n - 1, PAIR_BUFFER - 1);
}

/* A session is asked for, and comes to this end before anything of it is used; the next is honest. */
static void expect_edited(const struct spdm_goal *goal, uint8_t why, const char *field)
{
    char text[300];

    edited.done = 0;
    p.opened_rq = 0;
    if (pair_run(&p, goal)) fail_msg("\"%s\" is believed", edited.edits);
    spdm_report_text(&p.failure, text, sizeof text);
    if (edited.done != 1 || p.failure.why != why || strcmp(p.failure.field, field) != 0)
        fail_msg("\"%s\": %s", edited.edits, text);
    assert_int_equal(p.opened_rq, 0);
}

/* SelectedVersion of secured messages must be one of those that were offered (R-OPQ-11), and there must be one. With
 * the signature of KEY_EXCHANGE_RSP accepted as it is, and no HMAC in the way. */
static void test_selected_version(void **state)
{
    static const char *const never[] = {"0000", "0010", "0014", "0018", "001f", "0011", "0020", "0013", "ffff"};

    (void)state;
    for (size_t v = 0; v < 2 * sizeof versions; v++) {
        bool psk = v % 2 == 1;
        size_t opaque = (psk ? 12 + 32u : 40 + 96 + 2u), at = opaque + (versions[v / 2] < SPDM_V12 ? 8 : 4) + 6;

        prepare(versions[v / 2], 1, SPDM_HANDSHAKE_IN_THE_CLEAR_CAP);
        p.req_policy.secured_versions = 1 << 2; /* 1.2 alone */
        p.wire = editing;
        edited.code = psk ? 0x66 : 0x64;
        pair_start(&p);
        for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
            p.toy.accept_all = !psk;
            snprintf(edited.edits, sizeof edited.edits, "%zu=%s", at, never[i]);
            expect_edited(psk ? &psk_and_measure : &open_and_measure, SPDM_WHY_NOT_OFFERED, "SelectedVersion R-OPQ-11");
        }
        snprintf(edited.edits, sizeof edited.edits, "%zu=02", at - 1); /* a limit of records and no version */
        expect_edited(psk ? &psk_and_measure : &open_and_measure, SPDM_WHY_NOT_OFFERED, "SelectedVersion R-OPQ-11");
        p.toy.accept_all = false;
        edited.done = 1;
        spdm_requester_reset(p.rq);
        honest_again(psk ? &psk_and_measure : &open_and_measure);
        pair_close(&p);
    }
}

/* A ResponderContext needs its capability (R-PSK-14), and with it PSK_FINISH would be sent. */
static void test_context(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v], 1, 0);
        p.rsp_policy.flags = (p.rsp_policy.flags & ~SPDM_PSK_CAP_MASK) | SPDM_PSK_CAP;
        p.wire = editing;
        edited.code = 0x66;
        pair_start(&p);
        strcpy(edited.edits, "8=0100 12+aa");
        expect_edited(&psk_and_measure, SPDM_WHY_TOO_LONG, "ResponderContextLength R-PSK-14");
        snprintf(edited.edits, sizeof edited.edits, "8=2000 12+%064d", 0);
        expect_edited(&psk_and_measure, SPDM_WHY_TOO_LONG, "ResponderContextLength R-PSK-14");
        edited.done = 1;
        spdm_requester_reset(p.rq);
        honest_again(&psk_and_measure);
        pair_close(&p);
    }
}

/* Encapsulation that was not negotiated, whoever signed it (R-KEX-32). Before 1.3 MUT_AUTH_CAP needs ENCAP_CAP, or
 * stands in for it. */
static void test_no_encapsulation(void **state)
{
    (void)state;
    for (size_t v = 0; v < 8; v++) {
        bool without = v % 2 == 1; /* of the responder; else of the requester */

        prepare(v / 4 == 0 ? SPDM_V13 : SPDM_V14, 1, SPDM_HANDSHAKE_IN_THE_CLEAR_CAP);
        pair_mutual(&p);
        (without ? &p.rsp_policy : &p.req_policy)->flags &= ~SPDM_ENCAP_CAP;
        p.wire = editing;
        edited.code = 0x64;
        strcpy(edited.edits, v / 2 % 2 == 0 ? "6=02" : "6=04");
        pair_start(&p);
        p.toy.accept_all = true;
        expect_edited(&open_and_measure, SPDM_WHY_BAD_VALUE, "MutAuthRequested R-KEX-32");
        p.toy.accept_all = false;
        edited.done = 1;
        spdm_requester_reset(p.rq);
        honest_again(&open_and_measure);
        pair_close(&p);
    }
}

/* ---- answers of the wrong shape (withstand 30) ---- */

static void test_shapes(void **state)
{
    static const size_t sizes[] = {4, 5, 6, 7, 8, 40, 51, 53, 55, 99, 101, 150, 287, 294, 500};
    static const uint8_t codes[] = {0x64, 0x65, 0x66, 0x67};

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        for (unsigned clear = 0; clear < 2; clear++) {
            prepare(versions[v], 1, clear ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0);
            pair_start(&p);
            for (size_t c = 0; c < sizeof codes; c++) {
                const struct spdm_goal *goal = codes[c] < 0x66 ? &open_and_measure : &psk_and_measure;

                for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                    struct lie lie = {.code = codes[c], .n = sizes[i]};

                    p.opened_rq = 0;
                    p.arg = &lie;
                    spdm_requester_reset(p.rq);
                    (void)pair_run(&p, goal); /* padding behind a message may be accepted, a cut one not */
                    if (!p.done) assert_int_equal(p.opened_rq, 0);
                    if (p.done) assert_true(sizes[i] >= 4);
                }
                /* the code of each of the others, and an ERROR of another version */
                for (size_t k = 0; k < sizeof codes; k++) {
                    p.opened_rq = 0;
                    spdm_requester_reset(p.rq);
                    if (k != c)
                        expect_lie(goal, (struct lie){.code = codes[c], .at = 2, .value = codes[k]}, SPDM_WHY_BAD_CODE,
                                   NULL);
                }
                honest_again(goal);
            }
            pair_close(&p);
        }
    }
}

/* ERROR, of any version and code, where FINISH_RSP should be: nothing is opened, and nothing of its keys is left. */
static size_t error_for_finish(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    const uint8_t *error = pair->arg;
    struct spdm_span m;

    if (to_responder || error == NULL) return n;
    m = liar_open(&liar, false, (struct spdm_span){frame, n});
    if (m.n < 4 || (m.p[1] != 0x65 && m.p[1] != 0x67)) return n;
    return liar_seal(&liar, (struct spdm_span){error, 4}, frame);
}

static void test_errors(void **state)
{
    static const uint8_t codes[] = {0x01, 0x04, 0x05, 0x06, 0x08, 0x0a, 0x0b, 0x11, 0x41, 0x46, 0xee};

    (void)state;
    for (size_t v = 0; v < 5 * sizeof versions; v++) {
        prepare(versions[v / 5], 1, v % 2 == 0 ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0);
        p.wire = error_for_finish;
        pair_start(&p);
        for (size_t i = 0; i < 2 * sizeof codes; i++) {
            uint8_t error[4] = {(uint8_t)(SPDM_V10 + v % 5), 0x7f, codes[i / 2], 0};
            struct spdm_session_facts facts;
            uint32_t id;

            p.arg = error;
            assert_false(pair_run(&p, i % 2 == 0 ? &open_and_measure : &psk_and_measure));
            assert_int_equal(p.failure.why, SPDM_WHY_PEER_ERROR);
            assert_int_equal(p.opened_rq, 0);
            assert_int_equal(liar.n % 2, 0);
            id = liar.secret[(liar.n - 1) % LIAR_SECRETS].session;
            assert_false(spdm_requester_session(p.rq, id, &facts));
            p.arg = NULL;
            spdm_requester_reset(p.rq); /* the device has opened it */
            honest_again(i % 2 == 0 ? &open_and_measure : &psk_and_measure);
            p.opened_rq = 0;
            spdm_requester_reset(p.rq);
        }
        pair_close(&p);
    }
}

/* ---- a record too early ---- */

static size_t record_first(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    static const uint8_t record[40] = {6, 0xff, 0xff, 0, 0, 0, 0, 30, 0};

    (void)frame;
    if (!to_responder && frame[0] == 5 && (frame[2] == 0x64 || frame[2] == 0x66)) {
        pair_deliver(pair, false, record, sizeof record);
    }
    return n;
}

/* The id of a session that is being opened has one half yet; a record that names it is for nobody. */
static void test_record_too_early(void **state)
{
    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        prepare(versions[v], 1, 0);
        p.wire = record_first;
        pair_start(&p);
        honest_again(&open_and_measure);
        honest_again(&(struct spdm_goal){.want = SPDM_WANT_END_SESSION, .session = p.opened_rq});
        honest_again(&psk_and_measure);
        pair_close(&p);
    }
}

/* ---- a plain answer instead of a record ---- */

/* The answer to a request in a session comes in plain, after a record of another session that does not open. */
static size_t plain_after_broken(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    static uint8_t broken[40] = {6, 0, 0, 0, 0, 0, 0, 30, 0}, plain[PAIR_BUFFER];
    const uint32_t *other = pair->arg;
    struct spdm_span m;

    if (to_responder || other == NULL || frame[0] != 6) return n;
    m = liar_open(&liar, false, (struct spdm_span){frame, n});
    assert_true(m.n >= 4);
    for (unsigned i = 0; i < 4; i++) broken[1 + i] = (uint8_t)(*other >> 8 * i);
    pair_deliver(pair, false, broken, sizeof broken);
    pair_deliver(pair, false, plain, liar_seal_with(&liar, NULL, 0, m, plain));
    return 0;
}

static void test_plain_after_broken(void **state)
{
    static const struct spdm_goal session = {.want = SPDM_WANT_SESSION};
    struct spdm_goal measure = {.want = SPDM_WANT_MEASUREMENTS};
    uint32_t other, second;

    (void)state;
    for (size_t v = 0; v < sizeof versions; v++) {
        for (unsigned retries = 0; retries < 2; retries++) {
            prepare(versions[v], 3, 0);
            p.req_policy.retries = (uint8_t)retries;
            p.wire = plain_after_broken;
            pair_start(&p);
            honest_again(&session);
            other = p.opened_rq;
            honest_again(&session);
            second = p.opened_rq;
            p.arg = &other;
            assert_false(pair_run(&p, &session)); /* FINISH_RSP */
            assert_int_equal(p.closed_rq, other);
            assert_int_equal(p.opened_rq, second);
            p.arg = NULL;
            honest_again(&session);
            other = p.opened_rq;
            honest_again(&session);
            measure.session = p.opened_rq;
            p.records = 0;
            p.arg = &other;
            assert_false(pair_run(&p, &measure)); /* MEASUREMENTS */
            assert_int_equal(p.records, 0);
            pair_close(&p);
        }
    }
}

/* ---- OpaqueData of FINISH_RSP and PSK_FINISH_RSP (withstand 6) ---- */

static struct {
    uint8_t th[4096]; /* what has been said, as TH has it */
    size_t n;
    bool flip;
} said;

static void add(struct spdm_span m)
{
    assert_true(said.n + m.n <= sizeof said.th);
    memcpy(said.th + said.n, m.p, m.n);
    said.n += m.n;
}

static const struct liar_secret *handshake_secret(void)
{
    const struct liar_secret *found = NULL;

    for (unsigned i = 0; i < liar.n; i++) {
        const struct liar_secret *s = liar_pick(&liar, i);

        if (s->handshake && s->response) found = s;
    }
    assert_non_null(found);
    return found;
}

/* HMAC of all that was said, under the finished key of the response direction. */
static void confirm(const struct liar_secret *key, uint8_t *out)
{
    static const uint8_t label[] = "\x30\x00spdm1.4 finished\x01";
    struct spdm_span part = {label, sizeof label - 1}, th;
    uint8_t finished[SPDM_HASH_MAX], digest[SPDM_HASH_MAX];
    struct spdm_hmac in = {.hash = SPDM_SHA_384, .key = {key->secret, 48}, .part = &part, .n = 1};
    uint64_t state[4] = {0};

    assert_true(toy_crypto.hmac(&liar.toy, &in, finished));
    assert_true(toy_crypto.hash_begin(&liar.toy, state, SPDM_SHA_384));
    assert_true(toy_crypto.hash_update(&liar.toy, state, (struct spdm_span){said.th, said.n}));
    assert_true(toy_crypto.hash_peek(&liar.toy, state, digest));
    th = (struct spdm_span){digest, 48};
    in.key.p = finished;
    in.part = &th;
    assert_true(toy_crypto.hmac(&liar.toy, &in, out));
}

/* The device's last word gets OpaqueData, as a device of 1.4 may send it, and where it carries an HMAC the right one.
 */
static size_t with_opaque(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    static const uint8_t opaque[] = {12, 0, 1, 0, 0, 0, 0, 0, 2, 0, 'h', 'i', 0, 0};
    struct spdm_span m = liar_open(&liar, to_responder, (struct spdm_span){frame, n});
    bool confirmed = m.n == 6 + 48 && m.p[1] == 0x65;
    uint8_t digest[SPDM_HASH_MAX];

    if (pair->arg == NULL || m.n < 4) return n;
    if (m.p[1] == 0xe4 || m.p[1] == 0xe6) {
        said.n = 0;
        add(spdm_requester_vca(p.rq));
        if (m.p[1] == 0xe4) add((struct spdm_span){digest, pair_digest(&p, 0, SPDM_SHA_384, digest)});
    }
    if (m.p[1] != 0x65 && m.p[1] != 0x67) {
        if (m.p[1] == 0xe4 || m.p[1] == 0x64 || m.p[1] == 0xe5 || m.p[1] == 0xe6 || m.p[1] == 0x66 || m.p[1] == 0xe7)
            add(m);
        return n;
    }
    memcpy(liar.message + 4, opaque, sizeof opaque);
    add((struct spdm_span){liar.message, 4 + sizeof opaque});
    if (confirmed) confirm(handshake_secret(), liar.message + 4 + sizeof opaque);
    if (said.flip) liar.message[4 + 10] ^= 1;
    return liar_seal(&liar, (struct spdm_span){liar.message, 4 + sizeof opaque + (confirmed ? 48u : 0)}, frame);
}

static void test_opaque(void **state)
{
    static const struct spdm_goal goals[] = {
        {.want = SPDM_WANT_SESSION},
        {.want = SPDM_WANT_PSK_SESSION, .psk_hint = {(const uint8_t *)"hint", 4}},
    };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        uint8_t secret[2][SPDM_HASH_MAX] = {{0}, {0}}, theirs[SPDM_HASH_MAX];

        for (unsigned flip = 0; flip < 2; flip++) {
            bool clear = i == 0;

            prepare(SPDM_V14, 1, clear ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0);
            p.wire = with_opaque;
            p.arg = &p;
            said.flip = flip != 0;
            pair_start(&p);
            if (clear && flip != 0) {
                assert_false(pair_run(&p, &goals[0]));
                assert_int_equal(p.failure.why, SPDM_WHY_BAD_VERIFY_DATA);
                assert_int_equal(p.opened_rq, 0);
                pair_close(&p);
                break;
            }
            assert_true(pair_run(&p, &goals[i / 2])); /* it is legal, and believed */
            if (!clear) {                             /* there is no HMAC; but other words make other keys */
                p.arg = &p;
                spdm_requester_reset(p.rq);
                assert_true(pair_run(&p, &goals[i / 2]));
                assert_int_equal(spdm_requester_export(p.rq, p.opened_rq, secret[flip]), 48);
                assert_int_equal(spdm_responder_export(p.rs, p.opened_rq, theirs), 48);
                assert_memory_not_equal(secret[flip], theirs, 48);
                p.arg = NULL;
                assert_false(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_MEASUREMENTS, .session = p.opened_rq}));
            }
            pair_close(&p);
        }
        if (i != 0) assert_memory_not_equal(secret[0], secret[1], 48);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mut_auth),
                                       cmocka_unit_test(test_heartbeat),
                                       cmocka_unit_test(test_id_taken),
                                       cmocka_unit_test(test_selected_version),
                                       cmocka_unit_test(test_context),
                                       cmocka_unit_test(test_no_encapsulation),
                                       cmocka_unit_test(test_shapes),
                                       cmocka_unit_test(test_errors),
                                       cmocka_unit_test(test_record_too_early),
                                       cmocka_unit_test(test_plain_after_broken),
                                       cmocka_unit_test(test_opaque)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
