/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Transcripts: what comes before what, what a reset forgets, and that a failed
 * step leaves no digest behind. The hash is the toy's, so equal digests mean
 * equal bytes in equal order. */
#include "support/toy_crypto.h"
#include "trust/transcript.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { VCA_MAX = 12 };

struct fixture {
    struct toy toy;
    struct transcript t;
    uint64_t memory[64];
};

static void open_fixture(struct fixture *f)
{
    *f = (struct fixture){0};
    f->t.crypto = &toy_crypto;
    f->t.ctx = &f->toy;
    assert_true(spdm_transcript_size(&toy_crypto, VCA_MAX) <= sizeof f->memory);
    spdm_transcript_init(&f->t, (struct spdm_room){(uint8_t *)f->memory, sizeof f->memory}, VCA_MAX);
}

static struct spdm_span text(const char *s)
{
    return (struct spdm_span){(const uint8_t *)s, strlen(s)};
}

/* Whether the digest of a transcript is that of these bytes. */
static bool covers(struct fixture *f, enum transcript_kind kind, const char *expected)
{
    struct spdm_span all = text(expected);
    uint8_t a[SPDM_HASH_MAX] = {1}, b[SPDM_HASH_MAX] = {2};

    assert_true(spdm_digest(&f->t, SPDM_SHA_384, &all, 1, b));
    return spdm_transcript_digest(&f->t, kind, a) && memcmp(a, b, 48) == 0;
}

static void test_order(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    assert_true(spdm_transcript_add_vca(&f.t, text("vca1")));
    assert_true(spdm_transcript_add_vca(&f.t, text("vca2")));
    assert_false(covers(&f, TRANSCRIPT_M1M2, "vca1vca2")); /* nothing was begun */
    spdm_transcript_add(&f.t, TRANSCRIPT_M1M2, SPDM_SHA_384, text("one"));
    spdm_transcript_add(&f.t, TRANSCRIPT_M1M2, SPDM_SHA_384, text("two"));
    assert_true(covers(&f, TRANSCRIPT_M1M2, "vca1vca2onetwo"));
    spdm_transcript_add(&f.t, TRANSCRIPT_M1M2, SPDM_SHA_384, text("three")); /* a digest does not end it */
    assert_true(covers(&f, TRANSCRIPT_M1M2, "vca1vca2onetwothree"));
    spdm_transcript_clear(&f.t);
    assert_int_equal(f.toy.open, 0);
}

/* L1/L2 begins with VCA from 1.2 on only (R-MEA-22). */
static void test_l1l2(void **state)
{
    struct fixture f;

    (void)state;
    for (int with = 0; with < 2; with++) {
        open_fixture(&f);
        f.t.vca_in_l1l2 = with != 0;
        assert_true(spdm_transcript_add_vca(&f.t, text("vca")));
        spdm_transcript_add(&f.t, TRANSCRIPT_L1L2, SPDM_SHA_384, text("measure"));
        spdm_transcript_add(&f.t, TRANSCRIPT_M1M2, SPDM_SHA_384, text("challenge"));
        assert_true(covers(&f, TRANSCRIPT_L1L2, with ? "vcameasure" : "measure"));
        assert_true(covers(&f, TRANSCRIPT_M1M2, "vcachallenge"));
        spdm_transcript_reset(&f.t, TRANSCRIPT_L1L2); /* R-TRN-09: the others do not notice */
        assert_false(covers(&f, TRANSCRIPT_L1L2, "vca"));
        assert_true(covers(&f, TRANSCRIPT_M1M2, "vcachallenge"));
        spdm_transcript_add(&f.t, TRANSCRIPT_L1L2, SPDM_SHA_384, text("again"));
        assert_true(covers(&f, TRANSCRIPT_L1L2, with ? "vcaagain" : "again"));
        spdm_transcript_clear(&f.t);
        assert_int_equal(f.toy.open, 0);
    }
}

static void test_vca_limit(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    assert_true(spdm_transcript_add_vca(&f.t, text("0123456789")));
    assert_false(spdm_transcript_add_vca(&f.t, text("abc")));
    assert_int_equal(f.t.vca_n, 10);
    assert_true(spdm_transcript_add_vca(&f.t, text("ab")));
    assert_true(spdm_transcript_add_vca(&f.t, text("")));
    assert_false(spdm_transcript_add_vca(&f.t, text("c")));
    assert_memory_equal(f.t.vca, "0123456789ab", VCA_MAX);
    spdm_transcript_clear(&f.t);
    assert_int_equal(f.t.vca_n, 0);
}

/* Every call of the library fails once; whatever happens there is no digest of less than everything. */
static void test_failures(void **state)
{
    struct fixture f;
    unsigned refused = 0;

    (void)state;
    for (long at = 1; at < 8; at++) {
        open_fixture(&f);
        assert_true(spdm_transcript_add_vca(&f.t, text("vca")));
        f.toy.fail_at = at;
        spdm_transcript_add(&f.t, TRANSCRIPT_M1M2, SPDM_SHA_384, text("one"));
        spdm_transcript_add(&f.t, TRANSCRIPT_M1M2, SPDM_SHA_384, text("two"));
        f.toy.fail_at = 0;
        if (f.toy.calls >= at) {
            uint8_t out[SPDM_HASH_MAX];

            assert_false(spdm_transcript_digest(&f.t, TRANSCRIPT_M1M2, out));
            spdm_transcript_add(&f.t, TRANSCRIPT_M1M2, SPDM_SHA_384, text("three"));
            assert_false(spdm_transcript_digest(&f.t, TRANSCRIPT_M1M2, out));
            refused++;
        } else {
            assert_true(covers(&f, TRANSCRIPT_M1M2, "vcaonetwo"));
        }
        spdm_transcript_reset(&f.t, TRANSCRIPT_M1M2); /* a reset mends it */
        spdm_transcript_add(&f.t, TRANSCRIPT_M1M2, SPDM_SHA_384, text("anew"));
        assert_true(covers(&f, TRANSCRIPT_M1M2, "vcaanew"));
        spdm_transcript_clear(&f.t);
        assert_int_equal(f.toy.open, 0);
    }
    assert_int_equal(refused, 4); /* begin, VCA, one, two */
}

static void test_no_hash(void **state)
{
    struct fixture f;
    uint8_t out[SPDM_HASH_MAX];

    (void)state;
    open_fixture(&f);
    spdm_transcript_add(&f.t, TRANSCRIPT_M1M2, SPDM_ALG_NONE, text("one"));
    assert_false(spdm_transcript_digest(&f.t, TRANSCRIPT_M1M2, out));
    assert_int_equal(f.toy.calls, 0);
    spdm_transcript_clear(&f.t);
}

static void test_digest_failures(void **state)
{
    struct fixture f;
    const struct spdm_span parts[] = {text("a"), text("b")};
    uint8_t out[SPDM_HASH_MAX];

    (void)state;
    open_fixture(&f);
    for (long at = 1; at <= 4; at++) { /* begin, two updates, peek */
        f.toy.calls = 0;
        f.toy.fail_at = at;
        assert_false(spdm_digest(&f.t, SPDM_SHA_256, parts, 2, out));
        assert_int_equal(f.toy.open, 0);
    }
    f.toy.fail_at = 0;
    assert_true(spdm_digest(&f.t, SPDM_SHA_256, parts, 2, out));
    assert_int_equal(f.toy.open, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order),     cmocka_unit_test(test_l1l2),
                                       cmocka_unit_test(test_vca_limit), cmocka_unit_test(test_failures),
                                       cmocka_unit_test(test_no_hash),   cmocka_unit_test(test_digest_failures)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
