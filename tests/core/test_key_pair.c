/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Key pairs: what a device tells of them, every rule of changing them, and that
 * the slots follow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/talk.h"

enum { PAIRS = 5, ALL = 0x3f };
enum { P256 = 1 << 3, P384 = 1 << 4, ED25519 = 1 << 7, ML_DSA_65 = 1 << 1 };

static const uint8_t info[] = "\x30\x10 an identifier";
static struct spdm_key_pair table[PAIRS];
static struct pair p;

/* 1: P-384 in slot 0, everything allowed; 2: P-384 in slot 1, nothing allowed; 3: no key yet; 4: as 1, in no slot, one
 * slot at most; 5: ML-DSA */
static const struct spdm_key_pair start[PAIRS] = {
    {.capabilities = ALL,
     .usages = 0xf,
     .usage = 0xf,
     .asyms = P256 | P384,
     .asym = P384,
     .slots = 1,
     .public_key_info = {info, sizeof info}},
    {.usages = 0x3, .usage = 0x1, .asyms = P384, .asym = P384, .slots = 2, .public_key_info = {info, sizeof info}},
    {.capabilities = ALL, .usages = 0x7, .asyms = P384 | ED25519, .pqcs = ML_DSA_65},
    {.capabilities = ALL & ~SPDM_KEY_PAIR_SHARE,
     .usages = 0xf,
     .usage = 0x2,
     .asyms = P256 | P384,
     .asym = P256,
     .public_key_info = {info, sizeof info}},
    {.usages = 0x1, .usage = 0x1, .pqcs = ML_DSA_65, .pqc = ML_DSA_65, .slots = 4},
};

/* The device does as it is told, in its table. */
static void obey(struct pair *pair, const struct spdm_event *ev, struct spdm_answer *a)
{
    const struct spdm_key_pair_change *q = &ev->order->key_pair_change;
    struct spdm_key_pair *k = &table[q->id - 1];

    (void)pair;
    assert_int_equal(ev->kind, SPDM_ASK_KEY_PAIR);
    a->yes = true;
    if (q->operation == SPDM_KEY_PAIR_DO_ERASE) {
        k->asym = k->pqc = 0;
        k->public_key_info.n = 0;
        return;
    }
    k->slots = q->slots;
    if (q->usage != 0) k->usage = q->usage;
    if ((q->asym | q->pqc) == 0) return;
    k->asym = q->asym;
    k->pqc = q->pqc;
}

static void ask_for_reset(struct pair *pair, const struct spdm_event *ev, struct spdm_answer *a)
{
    (void)pair;
    (void)ev;
    a->error = SPDM_ERROR_RESET_REQUIRED;
}

static void begin(uint8_t version)
{
    static const uint8_t p384[] = {SPDM_ECDSA_P384, 0};

    memcpy(table, start, sizeof table);
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    p.identity.slot[0].signs = p384;
    p.identity.supported = 0x0f;
    p.identity.key_pair = table;
    p.identity.key_pair_n = PAIRS;
    p.rsp_policy.flags |= SPDM_GET_KEY_PAIR_INFO_CAP | SPDM_SET_KEY_PAIR_INFO_CAP | SPDM_MULTI_KEY_CAP_NEG;
    p.req_policy.multi_key = true;
    p.errand = obey;
}

/* ---- what a device tells ---- */

static void same(const struct spdm_key_pair *a, const struct spdm_key_pair *b, bool pqc)
{
    assert_int_equal(a->slots, b->slots);
    assert_int_equal(a->capabilities, b->capabilities);
    assert_int_equal(a->usages, b->usages);
    assert_int_equal(a->usage, b->usage);
    assert_int_equal(a->asyms, b->asyms);
    assert_int_equal(a->asym, b->asym);
    assert_int_equal(a->pqcs, pqc ? b->pqcs : 0);
    assert_int_equal(a->pqc, pqc ? b->pqc : 0);
    assert_int_equal(a->public_key_info.n, b->public_key_info.n);
    if (b->public_key_info.n != 0)
        assert_memory_equal(a->public_key_info.p, b->public_key_info.p, b->public_key_info.n);
}

static bool ask(uint8_t id, bool all)
{
    union spdm_order order = {.key_pair = {.id = id, .all = all}};
    struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_key_pair_info, .order = &order};

    p.replies = 0;
    return pair_run(&p, &goal);
}

static void test_info(void **state)
{
    struct spdm_key_pair k;

    (void)state;
    for (uint8_t version = SPDM_V13; version <= SPDM_V14; version++) {
        begin(version);
        pair_start(&p);
        for (uint8_t id = 1; id <= PAIRS; id++) {
            assert_true(ask(id, false));
            assert_int_equal(p.replies, 1);
            assert_true(spdm_key_pair_read((struct spdm_span){p.reply, p.reply_n}, &k));
            assert_int_equal(k.id, id);
            assert_int_equal(k.total, PAIRS);
            same(&k, &start[id - 1], version == SPDM_V14);
        }
        assert_true(ask(2, true));
        assert_int_equal(p.replies, PAIRS - 1);
        assert_int_equal(p.reply[5], PAIRS);
        assert_false(spdm_key_pair_read((struct spdm_span){p.reply, p.reply_n - 1}, &k));
        assert_false(spdm_key_pair_read((struct spdm_span){p.reply, 0}, &k));
        pair_close(&p);
    }
}

/* A device that cannot change key pairs says nothing of how they could be. */
static void test_fixed(void **state)
{
    struct spdm_key_pair k;

    (void)state;
    begin(SPDM_V14);
    p.rsp_policy.flags &= ~SPDM_SET_KEY_PAIR_INFO_CAP;
    pair_start(&p);
    assert_true(ask(1, false));
    assert_true(spdm_key_pair_read((struct spdm_span){p.reply, p.reply_n}, &k));
    assert_int_equal(k.capabilities, 0);
    assert_int_equal(k.usages, 0xf);
    talk_expect(&p, SPDM_V14, "14 fd 00 00 01 00 0000 00000000 00 04 00000000", "14 7f 07 fd");
    pair_close(&p);
}

/* In a session too; and with the six zeros behind it that some Responders send. */
static size_t longer(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)pair;
    if (to_responder || frame[2] != 0x7c) return n;
    memset(frame + n, 0, 6);
    return n + 6;
}

static void test_places(void **state)
{
    union spdm_order order = {.key_pair = {.id = 1, .all = true}};
    struct spdm_goal goal = {
        .want = SPDM_WANT_SESSION | SPDM_WANT_ERRAND, .errand = &spdm_errand_key_pair_info, .order = &order};

    (void)state;
    begin(SPDM_V14);
    pair_sessions(&p, 1);
    pair_start(&p);
    assert_true(pair_run(&p, &goal));
    assert_int_equal(p.replies, PAIRS);
    p.wire = longer;
    goal.want = SPDM_WANT_ERRAND;
    p.replies = 0;
    assert_true(pair_run(&p, &goal));
    assert_int_equal(p.replies, PAIRS);
    assert_int_equal(p.reply_n, 23 + 10);
    pair_close(&p);
}

/* ---- responses that are refused ---- */

struct edit {
    const char *bytes; /* at=value, in the message */
    uint8_t why;
    const char *field;
};
static const struct edit *edit_now;

static size_t change(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    char *rest;

    (void)pair;
    if (to_responder || frame[2] != 0x7c) return n;
    for (const char *at = edit_now->bytes; *at != '\0'; at = *rest == ',' ? rest + 1 : rest) {
        unsigned long where = strtoul(at, &rest, 10);

        frame[1 + where] = (uint8_t)strtoul(rest + 1, &rest, 16);
    }
    return n;
}

static void test_judged(void **state)
{
    static const struct edit edits[] = {
        {"5=02", SPDM_WHY_MISMATCH, "KeyPairID R-KPI-03"},
        {"4=00", SPDM_WHY_TOO_SMALL, "TotalKeyPairs R-KPI-10"},
        {"6=20", SPDM_WHY_BAD_VALUE, "Capabilities R-KPI-04"},
        {"6=04,22=03", SPDM_WHY_NOT_ONE, "AssocCertSlotMask R-KPI-06"},
        {"8=07", SPDM_WHY_NOT_OFFERED, "CurrentKeyUsage R-KPI-08"},
        {"12=08", SPDM_WHY_NOT_OFFERED, "CurrentAsymAlgo R-KPI-08"},
        {"16=00,46=02", SPDM_WHY_NOT_OFFERED, "CurrentPqcAsymAlgo R-KPI-08"},
        {"0=13", SPDM_WHY_BAD_VERSION, "SPDMVersion"},
    };

    (void)state;
    begin(SPDM_V14);
    p.wire = change;
    pair_start(&p);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        edit_now = &edits[i];
        assert_false(ask(1, true));
        assert_int_equal(p.replies, 0);
        if (p.failure.why != edits[i].why) fail_msg("%s: %s", edits[i].bytes, spdm_why_name(p.failure.why));
        assert_string_equal(p.failure.field, edits[i].field);
    }
    pair_close(&p);
    begin(SPDM_V14); /* capabilities of who cannot change anything */
    p.rsp_policy.flags &= ~SPDM_SET_KEY_PAIR_INFO_CAP;
    edit_now = &(struct edit){"6=01", 0, NULL};
    p.wire = change;
    pair_start(&p);
    assert_false(ask(1, true));
    assert_string_equal(p.failure.field, "Capabilities R-KPI-04");
    pair_close(&p);
}

static void test_cannot(void **state)
{
    (void)state;
    begin(SPDM_V12);
    pair_start(&p);
    assert_false(ask(1, false));
    assert_int_equal(p.failure.why, SPDM_WHY_CANNOT);
    pair_close(&p);
    begin(SPDM_V13);
    p.rsp_policy.flags &=
        ~(uint32_t)(SPDM_GET_KEY_PAIR_INFO_CAP | SPDM_SET_KEY_PAIR_INFO_CAP | SPDM_MULTI_KEY_CAP_MASK);
    pair_start(&p);
    assert_false(ask(1, false));
    assert_int_equal(p.failure.why, SPDM_WHY_CANNOT);
    talk_expect(&p, SPDM_V13, "13 fc 00 00 01", "13 7f 07 fc");
    pair_close(&p);
    begin(SPDM_V13); /* ids that there are none of (withstand 59) */
    pair_start(&p);
    assert_true(ask(1, false));
    talk_expect(&p, SPDM_V13, "13 fc 00 00 00", "13 7f 01 00");
    talk_expect(&p, SPDM_V13, "13 fc 00 00 06", "13 7f 01 00");
    talk_expect(&p, SPDM_V13, "13 fc 00 00 ff", "13 7f 01 00");
    talk_expect(&p, SPDM_V13, "13 fc 00 00 05", "13 7c 00 00 05 05");
    talk_expect(&p, SPDM_V13, "13 fc 00 00", "13 7f 01 00");
    assert_false(ask(6, false));
    assert_int_equal(p.failure.error, SPDM_ERROR_INVALID_REQUEST);
    pair_close(&p);
}

/* ---- changes ---- */

/* Which answer a request gets; what is refused changes nothing and is not asked about (withstand 57). */
static const struct {
    const char *request, *answer;
} changes[] = {
    /* operation, KeyPairID, usage, algorithm, slots, post-quantum */
    {"14 fd 03 00 01 00 0000 00000000 01 04 00000000", "14 7f 01 00"}, /* no such operation */
    {"14 fd 00 00 00 00 0000 00000000 01 04 00000000", "14 7f 01 00"}, /* no such key pair */
    {"14 fd 00 00 06 00 0000 00000000 01 04 00000000", "14 7f 01 00"},
    {"14 fd 01 00 02", "14 7f 01 00"},                                 /* may not be erased */
    {"14 fd 02 00 02 00 0000 00000000 02 04 00000000", "14 7f 01 00"}, /* may not be generated */
    {"14 fd 00 00 02 00 0000 00000000 00 04 00000000", "14 7f 01 00"}, /* may not leave its slot */
    {"14 fd 00 00 02 00 0100 00000000 02 04 00000000", "14 7f 01 00"}, /* nor change its usage */
    {"14 fd 00 00 02 00 0000 10000000 02 04 00000000", "14 7f 01 00"}, /* nor its algorithm */
    {"14 fd 00 00 04 00 0000 00000000 0c 04 00000000", "14 7f 01 00"}, /* one slot at most */
    {"14 fd 00 00 03 00 0800 00000000 00 04 00000000", "14 7f 01 00"}, /* a usage that it may not have */
    {"14 fd 00 00 03 00 0000 08000000 00 04 00000000", "14 7f 01 00"}, /* an algorithm that it may not have */
    {"14 fd 00 00 03 00 0000 00000000 00 04 01000000", "14 7f 01 00"},
    {"14 fd 00 00 03 00 0000 90000000 00 04 00000000", "14 7f 01 00"}, /* two algorithms */
    {"14 fd 00 00 03 00 0000 80000000 00 04 02000000", "14 7f 01 00"},
    {"14 fd 00 00 04 00 0000 10000000 00 04 00000000", "14 7f 01 00"}, /* another algorithm for a key that exists */
    {"14 fd 00 00 03 00 0000 00000000 10 04 00000000", "14 7f 01 00"}, /* a slot that does not exist */
    {"14 fd 01 00 01", "14 7f 44 00"},                                 /* still in a slot */
    {"14 fd 02 00 01 00 0000 10000000 01 04 00000000", "14 7f 44 00"},
    {"14 fd 02 00 03 00 0000 00000000 00 04 00000000", "14 7f 44 00"}, /* no algorithm */
    {"14 fd 00 00 01 00 0000 00000000 03 04 00000000", "14 7f 44 00"}, /* slot 1 is another's */
    {"14 fd 00 00 03 00 0000 10000000 08 04 00000000 ", "14 7d 00 00"},
    {"14 fd 00 00 01 00 0000 00000000 00 04 00000000", "14 7f 44 00"}, /* slot 0 holds certificates */
    {"14 fd 00 00 01 00 0000 00000000 05 04 00000000", "14 7d 00 00"}, /* slot 2 belongs to another algorithm's */
    {"14 fd 00 00 01 00 0000 00000000 05", "14 7f 01 00"},             /* too short for 1.4 */
    {"14 fd 00 00 04 00 0100 08000000 02 00", "14 7d 00 00"},
    {"14 fd 01 00 04", "14 7f 44 00"},
    {"14 fd 00 00 04 00 0000 00000000 00 00", "14 7d 00 00"},
    {"14 fd 01 00 04", "14 7d 00 00"},
    {"14 fd 02 00 03 00 0000 00000000 00 04 02000000", "14 7f 44 00"}, /* in slot 3 since a while */
};

static void test_changes(void **state)
{
    (void)state;
    begin(SPDM_V14);
    pair_start(&p);
    assert_true(ask(1, false));
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        bool fine = strncmp(changes[i].answer, "14 7d", 5) == 0;
        struct spdm_key_pair before[PAIRS];
        unsigned asked = p.errands;

        memcpy(before, table, sizeof table);
        talk_expect(&p, SPDM_V14, changes[i].request, changes[i].answer);
        assert_int_equal(p.errands - asked, fine);
        if (!fine) assert_memory_equal(before, table, sizeof table);
    }
    pair_close(&p);
}

static bool set(struct spdm_key_pair_change change_to)
{
    union spdm_order order = {.key_pair_change = change_to};
    struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_set_key_pair, .order = &order};

    return pair_run(&p, &goal);
}

/* DIGESTS shows whose key a slot has now, and what for (withstand 58); a key without certificates has no digest. */
static void test_slots_follow(void **state)
{
    struct spdm_span got;

    (void)state;
    begin(SPDM_V13);
    pair_start(&p);
    assert_true(ask(1, false));
    got = talk(&p, SPDM_V13, "13 81 00 00");
    assert_int_equal(got.n, 4 + 2 * 52);
    assert_int_equal(got.p[3], 0x03);
    assert_memory_equal(got.p + 100, "\1\2\1\0\x0f\0\1\0", 8);
    assert_true(set((struct spdm_key_pair_change){.id = 3, .asym = P384, .usage = 5, .slots = 8}));
    assert_true(set((struct spdm_key_pair_change){.id = 1, .usage = 0xa, .slots = 5}));
    assert_int_equal(p.errands, 2);
    got = talk(&p, SPDM_V13, "13 81 00 00");
    assert_int_equal(got.n, 4 + 4 * 52);
    assert_int_equal(got.p[3], 0x0f);
    assert_memory_equal(got.p + 196, "\1\2\1\3\1\0\0\0\x0a\0\1\0\x0a\0\5\0", 16);
    for (unsigned i = 52; i < 196; i++) assert_int_equal(got.p[i], 0);
    talk_expect(&p, SPDM_V13, "13 82 01 00 0000 ff00", "13 7f 01 00"); /* there is nothing to read */
    talk_expect(&p, SPDM_V13, "13 83 03 00 nonce context", "13 7f 01 00");
    pair_close(&p);
}

/* ResetRequired is an acceptance where a capability says so, and nowhere else (LQ-14). */
static void test_reset(void **state)
{
    static const struct {
        uint8_t version;
        bool capability, due;
    } cases[] = {{SPDM_V14, true, true}, {SPDM_V14, false, false}, {SPDM_V13, true, false}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        begin(cases[i].version);
        p.errand = ask_for_reset;
        if (cases[i].capability) p.rsp_policy.flags |= SPDM_SET_KEY_PAIR_RESET_CAP;
        pair_start(&p);
        assert_int_equal(set((struct spdm_key_pair_change){.id = 1, .slots = 5}), cases[i].due);
        assert_int_equal(p.resets_due, cases[i].due);
        if (!cases[i].due) assert_int_equal(p.failure.error, SPDM_ERROR_OPERATION_FAILED);
        assert_int_equal(p.refused.why, SPDM_WHY_FINE); /* it was the caller's own no */
        pair_close(&p);
    }
}

static size_t reset_required(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)pair;
    if (!to_responder && frame[2] == 0x7f) frame[3] = SPDM_ERROR_RESET_REQUIRED;
    return n;
}

/* A Responder that sends it all the same. */
static void test_reset_at_13(void **state)
{
    (void)state;
    begin(SPDM_V13);
    p.errand = NULL;
    p.wire = reset_required;
    pair_start(&p);
    assert_false(set((struct spdm_key_pair_change){.id = 1, .slots = 5}));
    assert_int_equal(p.resets_due, 0);
    assert_int_equal(p.failure.why, SPDM_WHY_PEER_ERROR);
    assert_int_equal(p.failure.error, SPDM_ERROR_RESET_REQUIRED);
    assert_true(ask(1, false)); /* and the connection lives on */
    pair_close(&p);
}

static void decline(struct pair *pair, const struct spdm_event *ev, struct spdm_answer *a)
{
    (void)ev;
    a->error = *(const uint8_t *)pair->arg;
    a->error_data = 7;
}

/* The caller's ErrorCode goes out as it is. */
static void test_declined(void **state)
{
    uint8_t code = SPDM_ERROR_INVALID_REQUEST;

    (void)state;
    begin(SPDM_V14);
    p.errand = decline;
    p.arg = &code;
    pair_start(&p);
    assert_true(ask(1, false));
    talk_expect(&p, SPDM_V14, "14 fd 00 00 01 00 0000 00000000 05 04 00000000", "14 7f 01 07");
    code = SPDM_ERROR_BUSY;
    talk_expect(&p, SPDM_V14, "14 fd 00 00 01 00 0000 00000000 05 04 00000000", "14 7f 03 07");
    code = 0;
    talk_expect(&p, SPDM_V14, "14 fd 00 00 01 00 0000 00000000 05 04 00000000", "14 7f 44");
    pair_close(&p);
}

static void test_names(void **state)
{
    (void)state;
    assert_int_equal(spdm_key_pair_bit(SPDM_RSASSA_3072), spdm_key_pair_bit(SPDM_RSAPSS_3072));
    assert_int_equal(spdm_key_pair_bit(SPDM_RSAPSS_4096), 4);
    assert_int_equal(spdm_key_pair_bit(SPDM_ECDSA_P384), P384);
    assert_int_equal(spdm_key_pair_bit(SPDM_ED448), 0x100);
    assert_int_equal(spdm_key_pair_bit(SPDM_SLH_DSA_SHAKE_256F), 0x4000);
    assert_int_equal(spdm_key_pair_bit(SPDM_SHA_256), 0);
    assert_int_equal(spdm_key_pair_bit(SPDM_ALG_NONE), 0);
    assert_string_equal(spdm_key_pair_name(P384, 0), "ECC P-384");
    assert_string_equal(spdm_key_pair_name(1, 0), "RSA 2048");
    assert_string_equal(spdm_key_pair_name(0, ML_DSA_65), "ML-DSA-65");
    assert_string_equal(spdm_key_pair_name(0, 0), "none");
    assert_string_equal(spdm_key_pair_name(0x200, 0), "unknown");
    assert_string_equal(spdm_key_pair_name(3, 0), "unknown");
    assert_string_equal(spdm_key_pair_name(1, 1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_info),         cmocka_unit_test(test_fixed),  cmocka_unit_test(test_places),
        cmocka_unit_test(test_judged),       cmocka_unit_test(test_cannot), cmocka_unit_test(test_changes),
        cmocka_unit_test(test_slots_follow), cmocka_unit_test(test_reset),  cmocka_unit_test(test_reset_at_13),
        cmocka_unit_test(test_declined),     cmocka_unit_test(test_names)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
