/* SPDX-License-Identifier: BSD-3-Clause
 *
 * GET_CSR: what the device's caller is shown and what it never gets to see,
 * resets, answers that come late or cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/factory.h"

static struct factory f;

static void test_csr(void **state)
{
    static const uint8_t info[] = "\x30\x10\x02\x01\x00\x30\x05\x31\x03\x0c\x01!\x30\x00\xa0\x02\x05\x00";
    static const uint8_t opaque[] = "\1\0\0\0\1\2\xaa\xbb\2\0\xcc\xdd";

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        union spdm_order order = {.csr = {.key_pair = 3,
                                          .model = SPDM_CERT_ALIAS,
                                          .overwrite = i % 2 == 1,
                                          .info = {info, sizeof info - 1},
                                          .opaque = {opaque, sizeof opaque - 1}}};
        uint8_t version = (uint8_t)(SPDM_V12 + i / 2);
        bool multi = i % 2 == 1 && version > SPDM_V12;

        factory_init(&f, version, multi);
        pair_start(&f.pair);
        assert_true(factory_run(&f, &spdm_errand_csr, order));
        assert_int_equal(f.kind, SPDM_ASK_CSR);
        assert_int_equal(f.order.csr.key_pair, multi ? 3 : 0);
        assert_int_equal(f.order.csr.model, multi ? SPDM_CERT_ALIAS : 0);
        assert_int_equal(f.order.csr.overwrite, version > SPDM_V12 && order.csr.overwrite);
        assert_int_equal(f.order.csr.tag, 0);
        assert_int_equal(f.order.csr.info.n, sizeof info - 1);
        assert_memory_equal(f.info, info, sizeof info - 1);
        assert_int_equal(f.order.csr.opaque.n, sizeof opaque - 1);
        assert_memory_equal(f.opaque, opaque, sizeof opaque - 1);
        assert_int_equal(f.pair.replies, 1);
        assert_int_equal(f.pair.reply_n, FACTORY_CSR);
        assert_memory_equal(f.pair.reply, factory_csr, FACTORY_CSR);
        pair_close(&f.pair);
    }
}

struct talked {
    const char *request, *answer;
};

static void check(const struct talked *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t version = (uint8_t)strtoul(cases[i].request, NULL, 16);
        unsigned before = f.pair.errands;

        talk_expect(&f.pair, version, cases[i].request, cases[i].answer);
        assert_int_equal(f.pair.errands - before, strncmp(cases[i].answer + 3, "7f", 2) != 0);
    }
}
#define CHECK(cases) check(cases, sizeof(cases) / sizeof *(cases))

static void test_csr_refused(void **state)
{
    static const struct talked plain[] = {
        {"13 ed 00 00 0000 0000", "13 6d 00 00 1c00 0000"},
        {"13 ed 00 80 0000 0000", "13 6d"},
        {"13 ed 00 00 0000 0000 a5a5a5", "13 6d"},              /* padding */
        {"13 ed 01 00 0000 0000", "13 7f 01 00"},               /* KeyPairID */
        {"13 ed 00 01 0000 0000", "13 7f 01 00"},               /* model */
        {"13 ed 00 08 0000 0000", "13 7f 01 00"},               /* tag without resets */
        {"13 ed 00 00 0100 0000", "13 7f 01 00"},               /* shorter than it says */
        {"13 ed 00 00 0200 0000 3000", "13 6d"},                /* an empty sequence */
        {"13 ed 00 00 0200 0000 3100", "13 7f 01 00"},          /* no sequence */
        {"13 ed 00 00 0300 0000 300000", "13 7f 01 00"},        /* something behind it */
        {"13 ed 00 00 0200 0400 3000 01000000", "13 7f 01 00"}, /* opaque data cut short */
        {"13 ed 00 00 0000 0500 00000000 00", "13 7f 01 00"},   /* no element */
        {"13 ed 00 00 0000 ffff", "13 7f 01 00"},               /* more than is taken */
        {"13 ed 00 00 0000 0c00 01000000 0102aabb 0200ccdd", "13 6d"},
        /* three elements, with padding, without data, of IANA CBOR (withstand 44) */
        {"13 ed 00 00 0000 2000 03000000 0102aabb 0100cc000000 0000 0300 ddeeff00 0a03010203 0000 00000000",
         "13 7f 01 00"},
        {"13 ed 00 00 0000 1c00 03000000 0102aabb 0100cc00 0000 0300 ddeeff00 0a03010203 0000 00", "13 6d"},
        {"13 ed 00 00 0000 1c00 03000000 0102aabb 0100cc01 0000 0300 ddeeff00 0a03010203 0000 00", "13 7f 01 00"},
        {"13 ed 00 00 0000 1c00 02000000 0102aabb 0100cc00 0000 0300 ddeeff00 0a03010203 0000 00", "13 7f 01 00"},
        {"13 ed 00 00 0000 1c00 ff000000 0102aabb 0100cc00 0000 0300 ddeeff00 0a03010203 0000 00", "13 7f 01 00"},
        {"13 ed 00 00 0000", "13 7f 01 00"},
    };
    static const struct talked multi[] = {
        {"14 ed 00 01 0000 0000", "14 7f 01 00"}, {"14 ed 01 00 0000 0000", "14 7f 01 00"},
        {"14 ed 01 04 0000 0000", "14 7f 01 00"}, {"14 ed 01 03 0000 0000", "14 6d"},
        {"14 ed 03 01 0000 0000", "14 7f 01 00"}, /* there are two */
    };
    static const struct spdm_key_pair pairs[2];

    (void)state;
    factory_init(&f, SPDM_V13, false);
    pair_start(&f.pair);
    assert_true(factory_run(&f, &spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    CHECK(plain);
    pair_close(&f.pair);
    factory_init(&f, SPDM_V14, true);
    f.pair.identity.key_pair = pairs;
    f.pair.identity.key_pair_n = 2;
    pair_start(&f.pair);
    assert_true(
        factory_run(&f, &spdm_errand_csr, (union spdm_order){.csr = {.key_pair = 1, .model = SPDM_CERT_DEVICE}}));
    assert_false(factory_run(&f, &spdm_errand_csr, (union spdm_order){.csr = {.key_pair = 1}}));
    assert_int_equal(f.pair.failure.why, SPDM_WHY_CANNOT);
    CHECK(multi);
    pair_close(&f.pair);
    factory_init(&f, SPDM_V12, false);
    f.pair.rsp_policy.flags &= ~(uint32_t)SPDM_CSR_CAP;
    pair_start(&f.pair);
    assert_false(factory_run(&f, &spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    assert_int_equal(f.pair.failure.why, SPDM_WHY_CANNOT);
    talk_expect(&f.pair, SPDM_V12, "12 ed 00 00 0000 0000", "12 7f 07 ed");
    pair_close(&f.pair);
}

/* RequesterInfo that is no DER never reaches the caller (withstand 43). */
static bool info_passes(const uint8_t *info, size_t n)
{
    static uint8_t message[70000] = {0x13, 0xed};
    unsigned before = f.pair.errands;
    struct spdm_span got;

    message[4] = (uint8_t)n;
    message[5] = (uint8_t)(n >> 8);
    memcpy(message + 8, info, n);
    got = talk_bytes_to(&f.pair, (struct spdm_span){message, 8 + n});
    assert_true(got.n >= 4);
    assert_int_equal(got.p[1], f.pair.errands != before ? 0x6d : 0x7f);
    return f.pair.errands != before;
}

static void test_der(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        bool passes;
    } cases[] = {
        {"\x30\x03\x02\x01\x00", 5, true},
        {"\x30\x80\x00\x00", 4, false},         /* indefinite */
        {"\x30\x81\x03\x02\x01\x00", 6, false}, /* not minimal */
        {"\x30\x82\x00\x03\x02\x01\x00", 7, false},
        {"\x30\x03\x02\x02\x00", 5, false}, /* longer than what holds it */
        {"\x30\x02\x02\x01\x00", 5, false},
        {"\x30\x04\x02\x01\x00\x05", 6, false},     /* a tag and no length */
        {"\x30\x05\x3f\x81\x01\x01\x00", 7, false}, /* a tag of several bytes */
        {"\x30\x04\x30\x81\x01\x00", 6, false},
        {"\x30\x05\x30\x01\x02\x05\x00", 7, false}, /* inside: cut */
        {"\x30\x06\x30\x02\x05\x00\x05\x00", 8, true},
        {"\x30\x06\x30\x00\x30\x00\x30\x00", 8, true},
        {"\x02\x01\x00", 3, false},
        {"\x30", 1, false},
        {"\x30\x84\x00\x00\x00\x00", 6, false},
    };
    uint8_t deep[64], large[4 + 3000];

    (void)state;
    factory_init(&f, SPDM_V13, false);
    pair_start(&f.pair);
    assert_true(factory_run(&f, &spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (info_passes((const uint8_t *)cases[i].bytes, cases[i].n) != cases[i].passes) fail_msg("case %zu", i);
    }
    for (unsigned depth = 1; depth <= 30; depth++) { /* as deep as any request needs, and no deeper */
        for (unsigned i = 0; i < depth; i++) {
            deep[2 * i] = 0x30;
            deep[2 * i + 1] = (uint8_t)(2 * (depth - 1 - i));
        }
        assert_int_equal(info_passes(deep, 2 * (size_t)depth), depth <= 16);
    }
    memset(large, 'x', sizeof large);
    memcpy(large, "\x30\x82\x0b\xb8\x0c\x82\x0b\xb4", 8);
    assert_true(info_passes(large, sizeof large));
    assert_int_equal(f.order.csr.info.n, sizeof large);
    large[3]++;
    assert_false(info_passes(large, sizeof large));
    pair_close(&f.pair);
}

/* Any one byte wrong: an answer, and never a byte too far (the block is exactly as long as the message). */
static void test_der_edits(void **state)
{
    static const uint8_t good[] =
        "\x30\x22\x02\x01\x00\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04name\x30\x0a\x30"
        "\x03\x06\x01\x2a\x03\x03\x00\x04\x02\xa0\x00";
    uint8_t bytes[sizeof good - 1];
    unsigned passed = 0;

    (void)state;
    factory_init(&f, SPDM_V13, false);
    pair_start(&f.pair);
    assert_true(factory_run(&f, &spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    assert_true(info_passes(good, sizeof bytes));
    for (size_t i = 0; i < sizeof bytes; i++) {
        for (unsigned value = 0; value < 256; value++) {
            memcpy(bytes, good, sizeof bytes);
            bytes[i] = (uint8_t)value;
            passed += info_passes(bytes, sizeof bytes);
        }
    }
    assert_true(passed > 2000 && passed < 6500);
    for (size_t n = 1; n < sizeof bytes; n++) assert_false(info_passes(good, n));
    pair_close(&f.pair);
}

/* ResetRequired with a tag, and the CSR for it after the reset (R-CSR-10, R-CSR-11). */
static void test_csr_reset(void **state)
{
    (void)state;
    for (uint8_t version = SPDM_V12; version <= SPDM_V14; version++) {
        factory_init(&f, version, false);
        f.pair.rsp_policy.flags |= SPDM_CERT_INSTALL_RESET_CAP;
        f.error = SPDM_ERROR_RESET_REQUIRED;
        f.error_data = 5;
        pair_start(&f.pair);
        assert_true(factory_run(&f, &spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
        assert_int_equal(f.pair.replies, 0);
        assert_int_equal(f.pair.resets_due, 1);
        assert_int_equal(f.pair.reset_tag, version == SPDM_V12 ? 0 : 5);
        f.error = 0;
        assert_true(factory_run(&f, &spdm_errand_csr, (union spdm_order){.csr = {.tag = 5}}));
        assert_int_equal(f.order.csr.tag, version == SPDM_V12 ? 0 : 5);
        assert_int_equal(f.pair.replies, 1);
        if (version > SPDM_V12) talk_expect(&f.pair, version, "vv ed 00 88 0000 0000", "vv 7f 01 00"); /* R-CSR-16 */
        pair_close(&f.pair);
    }
    factory_init(&f, SPDM_V13, false); /* without the capability nobody may say so */
    f.error = SPDM_ERROR_RESET_REQUIRED;
    pair_start(&f.pair);
    assert_false(factory_run(&f, &spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    assert_int_equal(f.pair.failure.error, SPDM_ERROR_OPERATION_FAILED);
    f.error = SPDM_ERROR_BUSY; /* the device works on it: asked again, it may be done */
    assert_false(factory_run(&f, &spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    assert_int_equal(f.pair.failure.why, SPDM_WHY_GAVE_UP);
    pair_close(&f.pair);
}

/* ---- a caller that takes its time ---- */

static struct spdm_span say(const char *words)
{
    return talk(&f.pair, SPDM_V13, words);
}

static void test_deferred(void **state)
{
    struct spdm_answer a = {.yes = true, .data = {(const uint8_t *)factory_csr, FACTORY_CSR}};
    struct spdm_span got;

    (void)state;
    factory_init(&f, SPDM_V13, false);
    pair_start(&f.pair);
    assert_true(factory_run(&f, &spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    f.pair.silent = true;
    assert_int_equal(say("13 ed 00 00 0200 0000 3000").n, 0);
    assert_int_equal(f.pair.open.kind, SPDM_ASK_CSR);
    /* the same again: silence; another, though it begins alike: Busy */
    assert_int_equal(say("13 ed 00 00 0200 0000 3000").n, 0);
    talk_expect(&f.pair, SPDM_V13, "13 ed 00 00 0200 0000 3001", "13 7f 03 00");
    f.pair.now += 1000000;
    spdm_responder_push(f.pair.rs, (struct spdm_span){0}, f.pair.now);
    got = spdm_responder_pull(f.pair.rs, f.pair.now);
    assert_true(got.n == 9 && got.p[3] == 0x42 && got.p[6] == 0xed);
    a.ticket = f.pair.open.ticket;
    assert_true(spdm_responder_answer(f.pair.rs, &a));
    assert_int_equal(spdm_responder_pull(f.pair.rs, f.pair.now).n, 0); /* it is fetched */
    got = say("13 ff ed 01");
    assert_int_equal(got.n, 8 + FACTORY_CSR);
    assert_memory_equal(got.p, "\x13\x6d\0\0\x1c\0\0\0", 8);
    pair_close(&f.pair);
}

/* An answer that cannot be one. */
static void bad_csr(struct pair *pair, const struct spdm_event *ev, struct spdm_answer *a)
{
    static const uint8_t large[0x10000];

    (void)ev;
    a->yes = true;
    a->data = (struct spdm_span){large, *(const size_t *)pair->arg};
}

static void test_bad_answers(void **state)
{
    size_t n = 0;

    (void)state;
    factory_init(&f, SPDM_V13, false);
    f.pair.errand = bad_csr;
    f.pair.arg = &n;
    pair_start(&f.pair);
    assert_false(factory_run(&f, &spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    assert_int_equal(f.pair.refused.why, SPDM_WHY_ANSWER_REFUSED);
    n = 0x10000;
    assert_false(factory_run(&f, &spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    assert_int_equal(f.pair.refused.why, SPDM_WHY_TOO_LONG);
    n = 5000;
    assert_false(factory_run(&f, &spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    assert_int_equal(f.pair.failure.error, 0x0d);
    n = 4088;
    assert_true(factory_run(&f, &spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    pair_close(&f.pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_csr),        cmocka_unit_test(test_csr_refused),
                                       cmocka_unit_test(test_der),        cmocka_unit_test(test_der_edits),
                                       cmocka_unit_test(test_csr_reset),  cmocka_unit_test(test_deferred),
                                       cmocka_unit_test(test_bad_answers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
