/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a signature of the responder covers: whether something said in between
 * resets M1/M2 or L1/L2 shows in the signature itself (transcripts.md sections
 * 3, 4, 10; withstand 33, 34). The toy signs the same bytes alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/talk.h"

#define CHALLENGE "vv 83 00 00 nonce context"
#define SIGNED "vv e0 01 01 nonce slot00 context"
#define UNSIGNED "vv e0 00 02 context"

static struct pair p;
static uint8_t v;

struct signature {
    uint8_t byte[96];
};

/* Says all that is in the list, then `last`, and returns the signature of its answer. */
static struct signature sign(uint8_t version, const char *const *list, const char *last)
{
    struct signature out;
    struct spdm_span got;

    v = version;
    pair_init(&p);
    pair_start(&p);
    talk_phase(&p, v, 'N');
    for (; *list != NULL; list++) (void)talk(&p, v, *list);
    p.toy.random = 1000; /* the same nonce, whatever was said before */
    got = talk(&p, v, last);
    assert_true(got.n > sizeof out && got.p[1] != 0x7f);
    memcpy(out.byte, got.p + got.n - sizeof out, sizeof out);
    pair_close(&p);
    return out;
}

static bool same(struct signature a, struct signature b)
{
    return memcmp(a.byte, b.byte, sizeof a.byte) == 0;
}

#define SAY(...)                                                                                                       \
    (const char *const[])                                                                                              \
    {                                                                                                                  \
        __VA_ARGS__, NULL                                                                                              \
    }
static const char *const nothing[] = {NULL};

/* ---- L1/L2 ---- */

struct between {
    const char *minors;
    const char *said;
    bool resets;
};

static const struct between l1l2_rows[] = {
    {"01234", "vv 81 00 00", true},
    {"01234", "vv 82 00 00 0000 0400", true},
    {"01234", "vv 83 00 01 nonce context", true},
    {"01234", "vv fe 00 00 0300 02 b41a 0000", true},
    {"01234", "vv e0 00 77 context", true},              /* ERROR: no such index (R-MEA-25) */
    {"01234", "vv e0 01 ff", true},                      /* ERROR: short */
    {"01234", "vv 55 00 00", true},                      /* ERROR: unknown request (R-MEA-24) */
    {"01234", "1f 81 00 00", true},                      /* ERROR: of another version */
    {"01234", "vv e1 00 00 caps", true},                 /* ERROR: not now */
    {"01234", "vv ff e0 00", true},                      /* ERROR: nothing was deferred */
    {"01234", "vv e0 01 02 nonce slot00 context", true}, /* a signature ends a series (R-MEA-23) */
    {"01234", "11 84 00 00", false},                     /* an invalid GET_VERSION changes nothing (R-VSN-13) */
    {"01234", "10 84 00", false},                        /* no message at all */
};

static void test_l1l2(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof l1l2_rows / sizeof *l1l2_rows; i++) {
        const struct between *row = &l1l2_rows[i];

        for (const char *minor = row->minors; *minor != '\0'; minor++) {
            uint8_t version = (uint8_t)(0x10 + (*minor - '0'));
            struct signature alone = sign(version, nothing, SIGNED), series = sign(version, SAY(UNSIGNED), SIGNED);
            struct signature now = sign(version, SAY(UNSIGNED, row->said), SIGNED);

            assert_false(same(alone, series));
            if (!same(now, row->resets ? alone : series)) fail_msg("1.%c: \"%s\"", *minor, row->said);
        }
    }
}

/* The whole series counts, in its order. */
static void test_series(void **state)
{
    (void)state;
    for (uint8_t version = SPDM_V10; version <= SPDM_V14; version++) {
        const char *one = "vv e0 00 01 context", *two = UNSIGNED;
        struct signature a = sign(version, SAY(one, two), SIGNED), b = sign(version, SAY(two, one), SIGNED);
        struct signature c = sign(version, SAY(one), SIGNED), d = sign(version, SAY(one, two), SIGNED);

        assert_false(same(a, b));
        assert_false(same(a, c));
        assert_true(same(a, d));
    }
}

/* ResponseNotReady and RESPOND_IF_READY leave no trace (R-MEA-25, R-ORD-12). */
static struct signature sign_deferred(uint8_t version, const char *last)
{
    struct signature out;
    struct spdm_span got;
    char fetch[12] = "vv ff 00 01";

    v = version;
    pair_init(&p);
    pair_start(&p);
    talk_phase(&p, v, 'N');
    (void)talk(&p, v, UNSIGNED);
    p.toy.random = 1000;
    p.sign_delay = 1000000;
    assert_true(talk_like(talk(&p, v, last), v, "-"));
    p.now = 500000;
    assert_int_equal(spdm_responder_pull(p.rs, p.now).n, 9);
    memcpy(fetch + 6, last + 3, 2);
    talk_expect(&p, v, fetch, "vv 7f 42");
    p.now = 2000000;
    got = talk(&p, v, "vv 7f"); /* lets the signature in; the message itself is below four bytes */
    got = talk(&p, v, fetch);
    assert_true(got.n > sizeof out && got.p[1] != 0x7f);
    memcpy(out.byte, got.p + got.n - sizeof out, sizeof out);
    pair_close(&p);
    return out;
}

static void test_deferred(void **state)
{
    (void)state;
    for (uint8_t version = SPDM_V10; version <= SPDM_V14; version++) {
        assert_true(same(sign_deferred(version, SIGNED), sign(version, SAY(UNSIGNED), SIGNED)));
        assert_true(same(sign_deferred(version, CHALLENGE), sign(version, SAY(UNSIGNED), CHALLENGE)));
    }
}

/* ---- M1/M2 ---- */

#define DIGESTS "vv 81 00 00"
#define PART "vv 82 00 00 0000 0400"

static const struct between m1m2_rows[] = {
    {"01234", UNSIGNED, true}, /* while no CHALLENGE has completed (UN-07) */
    {"01234", SIGNED, true},
    {"01234", "vv fe 00 00 0300 02 b41a 0000", false},
    {"01234", "vv 55 00 00", false},
    {"01234", "vv ff 83 00", false},
    {"01234", "11 84 00 00", false},
    {"01234", "vv 82 07 00 0000 0400", false}, /* refused: enters nothing */
    {"01234", "vv 83 07 00 nonce context", false},
    {"01234", "vv 83 00 01 nonce context", true}, /* M1/M2 are null after a CHALLENGE (R-CHL-23) */
};

static void test_m1m2(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof m1m2_rows / sizeof *m1m2_rows; i++) {
        const struct between *row = &m1m2_rows[i];

        for (const char *minor = row->minors; *minor != '\0'; minor++) {
            uint8_t version = (uint8_t)(0x10 + (*minor - '0'));
            struct signature alone = sign(version, nothing, CHALLENGE);
            struct signature all = sign(version, SAY(DIGESTS, PART), CHALLENGE);
            struct signature now = sign(version, SAY(DIGESTS, PART, row->said), CHALLENGE);

            assert_false(same(alone, all));
            if (!same(now, row->resets ? alone : all)) fail_msg("1.%c: \"%s\"", *minor, row->said);
        }
    }
}

/* GET_DIGESTS starts B anew; portions count as they come, repeats included (transcripts.md, B1 to B4). */
static void test_b(void **state)
{
    (void)state;
    for (uint8_t version = SPDM_V10; version <= SPDM_V14; version++) {
        struct signature digests = sign(version, SAY(DIGESTS), CHALLENGE), part = sign(version, SAY(PART), CHALLENGE);
        struct signature both = sign(version, SAY(DIGESTS, PART), CHALLENGE);

        assert_true(same(sign(version, SAY(DIGESTS, PART, DIGESTS), CHALLENGE), digests));
        assert_true(same(sign(version, SAY(PART, DIGESTS, PART), CHALLENGE), both));
        assert_false(same(sign(version, SAY(DIGESTS, PART, PART), CHALLENGE), both));
        assert_false(same(part, both));
        assert_false(same(part, digests));
        /* after a completed CHALLENGE measurements no longer reset it (UN-07) */
        assert_true(same(sign(version, SAY(CHALLENGE, DIGESTS, PART, UNSIGNED), CHALLENGE), both));
    }
}

/* ---- padding (withstand 33) ---- */

static void test_padding(void **state)
{
    (void)state;
    for (uint8_t version = SPDM_V10; version <= SPDM_V14; version++) {
        struct signature plain = sign(version, SAY(DIGESTS, PART), CHALLENGE);
        struct signature padded = sign(version, SAY(DIGESTS " 00000000", PART " 000000"), CHALLENGE " 00");
        struct signature series = sign(version, SAY(UNSIGNED), SIGNED);
        struct signature long_series = sign(version, SAY(UNSIGNED " 0000"), SIGNED " ff");
        struct signature reserved = sign(version, SAY("vv 81 00 01", PART), CHALLENGE);

        assert_true(same(plain, padded));
        assert_true(same(series, long_series));
        assert_false(same(plain, reserved)); /* reserved bytes count as they came (R-GEN-03) */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_l1l2),     cmocka_unit_test(test_series),
                                       cmocka_unit_test(test_deferred), cmocka_unit_test(test_m1m2),
                                       cmocka_unit_test(test_b),        cmocka_unit_test(test_padding)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
