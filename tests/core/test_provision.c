/* SPDX-License-Identifier: BSD-3-Clause
 *
 * GET_CSR and SET_CERTIFICATE: what the device's caller is shown, what it never
 * gets to see, resets, and what a requester forgets afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/talk.h"

static struct pair p;
/* What the device's caller saw last, and what it says. */
static struct {
    enum spdm_event_kind kind;
    union spdm_order order;
    uint8_t info[70000], opaque[64];
    uint32_t session;
    uint8_t error, error_data;
} seen;
static const uint8_t csr[] = "a request for a certificate";

static void copy(uint8_t *to, size_t cap, struct spdm_span from)
{
    assert_true(from.n <= cap);
    if (from.n != 0) memcpy(to, from.p, from.n);
}

static void answer(struct pair *pair, const struct spdm_event *ev, struct spdm_answer *a)
{
    (void)pair;
    seen.kind = ev->kind;
    seen.order = *ev->order;
    seen.session = ev->session;
    if (ev->kind == SPDM_ASK_CSR) {
        copy(seen.info, sizeof seen.info, ev->order->csr.info);
        copy(seen.opaque, sizeof seen.opaque, ev->order->csr.opaque);
        a->data = (struct spdm_span){csr, sizeof csr};
    } else {
        copy(seen.info, sizeof seen.info, ev->order->store.chain);
    }
    a->yes = seen.error == 0;
    a->error = seen.error;
    a->error_data = seen.error_data;
}

static void begin(uint8_t version, bool multi_key)
{
    memset(&seen, 0, sizeof seen);
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    p.rsp_policy.flags |= SPDM_CSR_CAP | SPDM_SET_CERT_CAP;
    if (multi_key) p.rsp_policy.flags |= SPDM_MULTI_KEY_CAP_ONLY | SPDM_GET_KEY_PAIR_INFO_CAP;
    p.errand = answer;
}

static bool run(const struct spdm_errand *errand, union spdm_order order)
{
    struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = errand, .order = &order};

    p.replies = 0;
    return pair_run(&p, &goal);
}

/* ---- GET_CSR ---- */

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

        begin(version, multi);
        pair_start(&p);
        assert_true(run(&spdm_errand_csr, order));
        assert_int_equal(seen.kind, SPDM_ASK_CSR);
        assert_int_equal(seen.order.csr.key_pair, multi ? 3 : 0);
        assert_int_equal(seen.order.csr.model, multi ? SPDM_CERT_ALIAS : 0);
        assert_int_equal(seen.order.csr.overwrite, version > SPDM_V12 && order.csr.overwrite);
        assert_int_equal(seen.order.csr.tag, 0);
        assert_int_equal(seen.order.csr.info.n, sizeof info - 1);
        assert_memory_equal(seen.info, info, sizeof info - 1);
        assert_int_equal(seen.order.csr.opaque.n, sizeof opaque - 1);
        assert_memory_equal(seen.opaque, opaque, sizeof opaque - 1);
        assert_int_equal(p.replies, 1);
        assert_int_equal(p.reply_n, sizeof csr);
        assert_memory_equal(p.reply, csr, sizeof csr);
        pair_close(&p);
    }
}

struct talked {
    const char *request, *answer;
};

static void check(const struct talked *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t version = (uint8_t)strtoul(cases[i].request, NULL, 16);
        unsigned before = p.errands;

        talk_expect(&p, version, cases[i].request, cases[i].answer);
        assert_int_equal(p.errands - before, strncmp(cases[i].answer + 3, "7f", 2) != 0);
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
    begin(SPDM_V13, false);
    pair_start(&p);
    assert_true(run(&spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    CHECK(plain);
    pair_close(&p);
    begin(SPDM_V14, true);
    p.identity.key_pair = pairs;
    p.identity.key_pair_n = 2;
    pair_start(&p);
    assert_true(run(&spdm_errand_csr, (union spdm_order){.csr = {.key_pair = 1, .model = SPDM_CERT_DEVICE}}));
    assert_false(run(&spdm_errand_csr, (union spdm_order){.csr = {.key_pair = 1}}));
    assert_int_equal(p.failure.why, SPDM_WHY_CANNOT);
    CHECK(multi);
    pair_close(&p);
    begin(SPDM_V12, false);
    p.rsp_policy.flags &= ~(uint32_t)SPDM_CSR_CAP;
    pair_start(&p);
    assert_false(run(&spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    assert_int_equal(p.failure.why, SPDM_WHY_CANNOT);
    talk_expect(&p, SPDM_V12, "12 ed 00 00 0000 0000", "12 7f 07 ed");
    pair_close(&p);
}

/* RequesterInfo that is no DER never reaches the caller (withstand 43). */
static bool info_passes(const uint8_t *info, size_t n)
{
    static uint8_t message[70000] = {0x13, 0xed};
    unsigned before = p.errands;
    struct spdm_span got;

    message[4] = (uint8_t)n;
    message[5] = (uint8_t)(n >> 8);
    memcpy(message + 8, info, n);
    got = talk_bytes_to(&p, (struct spdm_span){message, 8 + n});
    assert_true(got.n >= 4);
    assert_int_equal(got.p[1], p.errands != before ? 0x6d : 0x7f);
    return p.errands != before;
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
    begin(SPDM_V13, false);
    pair_start(&p);
    assert_true(run(&spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
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
    assert_int_equal(seen.order.csr.info.n, sizeof large);
    large[3]++;
    assert_false(info_passes(large, sizeof large));
    pair_close(&p);
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
    begin(SPDM_V13, false);
    pair_start(&p);
    assert_true(run(&spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
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
    pair_close(&p);
}

/* ResetRequired with a tag, and the CSR for it after the reset (R-CSR-10, R-CSR-11). */
static void test_csr_reset(void **state)
{
    (void)state;
    for (uint8_t version = SPDM_V12; version <= SPDM_V14; version++) {
        begin(version, false);
        p.rsp_policy.flags |= SPDM_CERT_INSTALL_RESET_CAP;
        seen.error = SPDM_ERROR_RESET_REQUIRED;
        seen.error_data = 5;
        pair_start(&p);
        assert_true(run(&spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
        assert_int_equal(p.replies, 0);
        assert_int_equal(p.resets_due, 1);
        assert_int_equal(p.reset_tag, version == SPDM_V12 ? 0 : 5);
        seen.error = 0;
        assert_true(run(&spdm_errand_csr, (union spdm_order){.csr = {.tag = 5}}));
        assert_int_equal(seen.order.csr.tag, version == SPDM_V12 ? 0 : 5);
        assert_int_equal(p.replies, 1);
        if (version > SPDM_V12) talk_expect(&p, version, "vv ed 00 88 0000 0000", "vv 7f 01 00"); /* R-CSR-16 */
        pair_close(&p);
    }
    begin(SPDM_V13, false); /* without the capability nobody may say so */
    seen.error = SPDM_ERROR_RESET_REQUIRED;
    pair_start(&p);
    assert_false(run(&spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    assert_int_equal(p.failure.error, SPDM_ERROR_OPERATION_FAILED);
    seen.error = SPDM_ERROR_BUSY; /* the device works on it: asked again, it may be done */
    assert_false(run(&spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    assert_int_equal(p.failure.why, SPDM_WHY_GAVE_UP);
    pair_close(&p);
}

/* ---- SET_CERTIFICATE ---- */

static uint8_t chain[60000];

/* A chain structure of n bytes in SHA-384. */
static struct spdm_span chain_of(size_t n)
{
    for (size_t i = 0; i < n; i++) chain[i] = (uint8_t)(i * 11);
    chain[0] = (uint8_t)n;
    chain[1] = (uint8_t)(n >> 8);
    chain[2] = chain[3] = 0;
    return (struct spdm_span){chain, n};
}

static void test_store(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        uint8_t version = (uint8_t)(SPDM_V12 + i / 2);
        bool multi = i % 2 == 1 && version > SPDM_V12;
        union spdm_order order = {
            .store = {.slot = 1, .key_pair = 2, .model = SPDM_CERT_GENERIC, .chain = chain_of(1200)}};

        begin(version, multi);
        p.rsp_policy.trusted_place = true;
        pair_start(&p);
        assert_true(run(&spdm_errand_store, order));
        assert_int_equal(seen.kind, SPDM_ASK_STORE);
        assert_int_equal(seen.order.store.slot, 1);
        assert_int_equal(seen.order.store.key_pair, multi ? 2 : 0);
        assert_int_equal(seen.order.store.model, multi ? SPDM_CERT_GENERIC : 0);
        assert_false(seen.order.store.erase);
        assert_int_equal(seen.order.store.chain.n, 1200);
        assert_memory_equal(seen.info, chain, 1200);
        if (version > SPDM_V12) {
            order.store = (struct spdm_store_order){.slot = 0, .erase = true, .key_pair = 1, .model = 2};
            assert_true(run(&spdm_errand_store, order));
            assert_true(seen.order.store.erase);
            assert_int_equal(seen.order.store.chain.n, 0);
        }
        pair_close(&p);
    }
}

static void test_store_refused(void **state)
{
    /* Length 53 = 4 + 48 + 1 is the least for SHA-384 */
    static const char rest[] =
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f";
    static const struct {
        const char *head, *more, *answer;
    } cases[] = {
        {"13 ee 00 00 35000000", "30", "13 6e 00 00"},
        {"13 ee 10 00 35000000", "30", "13 7f 01 00"}, /* model */
        {"13 ee 00 01 35000000", "30", "13 7f 01 00"}, /* KeyPairID */
        {"13 ee 01 00 35000000", "30", "13 7f 04 00"}, /* slot 1 outside a session */
        {"13 ee 05 00 35000000", "30", "13 7f 04 00"},
        {"13 ee 08 00 35000000", "30", "13 7f 01 00"}, /* no such slot */
        {"13 ee 0f 00 35000000", "30", "13 7f 01 00"},
        {"13 ee 00 00 34000000", "", "13 7f 01 00"},          /* nothing behind RootHash */
        {"13 ee 00 00 36000000", "30", "13 7f 01 00"},        /* longer than the message */
        {"13 ee 00 00 35000000", "30 a5a5a5", "13 6e 00 00"}, /* padding is left out */
        {"13 ee 00 00 35000100", "30", "13 6e 00 00"},        /* two reserved bytes below 1.4 */
        {"13 ee 80 00 35000000", "30", "13 7f 01 00"},        /* erasing with a chain */
        {"13 ee 90 00", NULL, "13 7f 01 00"},                 /* erasing with a model */
        {"13 ee 80 00", NULL, "13 6e 00 00"},
        {"13 ee 00 00", NULL, "13 7f 01 00"},
        {"13 ee 00 00 3500", NULL, "13 7f 01 00"},
    };
    char words[600];

    (void)state;
    begin(SPDM_V13, false);
    pair_start(&p);
    assert_true(run(&spdm_errand_store, (union spdm_order){.store = {.chain = chain_of(53)}}));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned before = p.errands;
        bool fine = strncmp(cases[i].answer + 3, "6e", 2) == 0;

        snprintf(words, sizeof words, "%s %s %s", cases[i].head, cases[i].more != NULL ? rest : "",
                 cases[i].more != NULL ? cases[i].more : "");
        talk_expect(&p, SPDM_V13, words, cases[i].answer);
        assert_int_equal(p.errands - before, fine);
        if (fine && cases[i].more != NULL) assert_int_equal(seen.order.store.chain.n, 53);
    }
    p.identity.slot[0].certificates.n = 0; /* R-SCT-13 */
    talk_expect(&p, SPDM_V13, "13 ee 80 00", "13 7f 01 00");
    pair_close(&p);
    begin(SPDM_V14, false); /* in 1.4 Length has four bytes */
    pair_start(&p);
    assert_true(run(&spdm_errand_store, (union spdm_order){.store = {.chain = chain_of(53)}}));
    snprintf(words, sizeof words, "14 ee 00 00 35000100 %s 30", rest);
    talk_expect(&p, SPDM_V14, words, "14 7f 01 00");
    p.rsp_policy.trusted_place = true;
    p.identity.supported = 0x03;
    talk_expect(&p, SPDM_V14, "14 ee 84 00", "14 7f 01 00"); /* a slot that does not exist */
    talk_expect(&p, SPDM_V14, "14 ee 81 00", "14 7f 01 00"); /* one that is empty */
    pair_close(&p);
}

/* The key pair named is the slot's own (R-SCT-11). */
static void test_store_key_pair(void **state)
{
    static const struct spdm_key_pair pairs[2] = {{.slots = 1, .asym = 1 << 4, .usage = 0xf},
                                                  {.slots = 2, .asym = 1 << 4}};
    union spdm_order order = {.store = {.key_pair = 2, .model = SPDM_CERT_DEVICE, .chain = chain_of(100)}};

    (void)state;
    begin(SPDM_V13, true);
    p.identity.key_pair = pairs;
    p.identity.key_pair_n = 2;
    pair_start(&p);
    assert_false(run(&spdm_errand_store, order));
    assert_int_equal(p.failure.error, SPDM_ERROR_INVALID_REQUEST);
    order.store.key_pair = 3;
    assert_false(run(&spdm_errand_store, order));
    order.store.key_pair = 0;
    assert_false(run(&spdm_errand_store, order));
    assert_int_equal(p.failure.why, SPDM_WHY_CANNOT);
    assert_int_equal(p.errands, 0);
    order.store.key_pair = 1;
    assert_true(run(&spdm_errand_store, order));
    pair_close(&p);
}

/* In a session every slot may be written. The request leaves from where the caller has the chain, in records too. */
static void test_store_in_session(void **state)
{
    struct spdm_goal goal = {.want = SPDM_WANT_SESSION | SPDM_WANT_ERRAND, .errand = &spdm_errand_store};
    union spdm_order order = {.store = {.slot = 1, .chain = chain_of(3900)}};

    (void)state;
    goal.order = &order;
    for (unsigned i = 0; i < 4; i++) {
        begin(i < 2 ? SPDM_V13 : SPDM_V14, false);
        pair_sessions(&p, 1);
        if (i % 2 == 1) p.rsp_policy.flags &= ~(uint32_t)SPDM_ENCRYPT_CAP;
        p.req_policy.record_random = 8;
        pair_start(&p);
        assert_true(pair_run(&p, &goal));
        assert_int_equal(seen.session, p.opened_rs);
        assert_int_equal(seen.order.store.chain.n, 3900);
        assert_memory_equal(seen.info, chain, 3900);
        goal.want = SPDM_WANT_ERRAND;
        goal.session = p.opened_rq;
        order.store.chain = chain_of(1500); /* and once more */
        assert_true(pair_run(&p, &goal));
        assert_memory_equal(seen.info, chain, 1500);
        order.store.chain = chain_of(3900);
        goal = (struct spdm_goal){
            .want = SPDM_WANT_SESSION | SPDM_WANT_ERRAND, .errand = &spdm_errand_store, .order = &order};
        pair_close(&p);
    }
}

static void test_store_too_large(void **state)
{
    (void)state;
    begin(SPDM_V14, false);
    pair_start(&p);
    assert_false(run(&spdm_errand_store, (union spdm_order){.store = {.chain = chain_of(4093)}}));
    assert_int_equal(p.failure.why, SPDM_WHY_TOO_BIG_FOR_PEER);
    assert_int_equal(p.failure.got, 4097);
    assert_true(run(&spdm_errand_store, (union spdm_order){.store = {.chain = chain_of(4092)}}));
    assert_false(run(&spdm_errand_store, (union spdm_order){.store = {.chain = {chain, 0x10000}}}));
    assert_int_equal(p.failure.why, SPDM_WHY_CANNOT);
    p.req_config.out.n = 1000;
    assert_false(run(&spdm_errand_store, (union spdm_order){.store = {.chain = chain_of(1000)}}));
    assert_int_equal(p.failure.why, SPDM_WHY_NO_ROOM);
    pair_close(&p);
}

/* What was known of the slot is forgotten when it has changed (R-SCT-18), and only then. */
static void test_forgotten(void **state)
{
    static const struct spdm_goal identity = {.want = SPDM_WANT_IDENTITY};
    uint8_t digest[SPDM_HASH_MAX];
    size_t h;

    (void)state;
    begin(SPDM_V13, false);
    p.rsp_policy.flags |= SPDM_CERT_INSTALL_RESET_CAP;
    pair_start(&p);
    assert_true(pair_run(&p, &identity));
    assert_int_equal(p.trust_asked, 1);
    seen.error = SPDM_ERROR_RESET_REQUIRED;
    assert_true(run(&spdm_errand_store, (union spdm_order){.store = {.chain = chain_of(900)}}));
    assert_int_equal(p.resets_due, 1);
    assert_true(pair_run(&p, &identity));
    assert_int_equal(p.trust_asked, 1);
    seen.error = SPDM_ERROR_OPERATION_FAILED;
    assert_false(run(&spdm_errand_store, (union spdm_order){.store = {.chain = chain_of(900)}}));
    assert_true(pair_run(&p, &identity));
    assert_int_equal(p.trust_asked, 1);
    seen.error = 0;
    assert_true(run(&spdm_errand_store, (union spdm_order){.store = {.chain = chain_of(900)}}));
    assert_false(spdm_requester_facts(p.rq)->trusted);
    assert_true(pair_run(&p, &identity));
    assert_int_equal(p.trust_asked, 2);
    /* vouched for: not after the change */
    h = pair_digest(&p, 0, SPDM_SHA_384, digest);
    spdm_requester_trust(p.rq, 0, (struct spdm_span){digest, h}, &p.key);
    assert_true(run(&spdm_errand_store, (union spdm_order){.store = {.chain = chain_of(900)}}));
    assert_true(pair_run(&p, &identity));
    assert_int_equal(p.trust_asked, 3);
    pair_close(&p);
}

static size_t other_slot(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)pair;
    if (!to_responder && frame[2] == 0x6e) frame[3] = 2;
    return n;
}

static void test_other_slot(void **state)
{
    (void)state;
    begin(SPDM_V13, false);
    p.wire = other_slot;
    pair_start(&p);
    assert_false(run(&spdm_errand_store, (union spdm_order){.store = {.chain = chain_of(900)}}));
    assert_int_equal(p.failure.why, SPDM_WHY_MISMATCH);
    assert_string_equal(p.failure.field, "SlotID R-SCT-14");
    pair_close(&p);
}

/* Until the reset nobody reads what will change; what is there still proves itself (withstand 61). */
static void test_pending(void **state)
{
    (void)state;
    for (uint8_t version = SPDM_V11; version <= SPDM_V14; version++) {
        const char *error = version == SPDM_V11 ? "vv 7f 05 00" : "vv 7f 0c 00";

        begin(version, false);
        p.identity.slot[1] = p.identity.slot[0];
        pair_start(&p);
        assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}));
        p.identity.pending = 0x02;
        talk_expect(&p, version, "vv 81 00 00", error);
        talk_expect(&p, version, "vv 82 01 00 0000 ff00", error);
        talk_expect(&p, version, "vv 82 00 00 0000 ff00", "vv 02 00");
        talk_expect(&p, version, "vv 83 01 00 nonce context", "vv 03");
        assert_int_equal(p.refused.why, SPDM_WHY_RESET_REQUIRED);
        assert_int_equal(p.refused.got, 0x02);
        pair_close(&p);
    }
}

/* ---- a caller that takes its time ---- */

static struct spdm_span say(const char *words)
{
    return talk(&p, SPDM_V13, words);
}

static void test_deferred(void **state)
{
    struct spdm_answer a = {.yes = true, .data = {csr, sizeof csr}};
    struct spdm_span got;

    (void)state;
    begin(SPDM_V13, false);
    pair_start(&p);
    assert_true(run(&spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    p.silent = true;
    assert_int_equal(say("13 ed 00 00 0200 0000 3000").n, 0);
    assert_int_equal(p.open.kind, SPDM_ASK_CSR);
    /* the same again: silence; another, though it begins alike: Busy */
    assert_int_equal(say("13 ed 00 00 0200 0000 3000").n, 0);
    talk_expect(&p, SPDM_V13, "13 ed 00 00 0200 0000 3001", "13 7f 03 00");
    p.now += 1000000;
    spdm_responder_push(p.rs, (struct spdm_span){0}, p.now);
    got = spdm_responder_pull(p.rs, p.now);
    assert_true(got.n == 9 && got.p[3] == 0x42 && got.p[6] == 0xed);
    a.ticket = p.open.ticket;
    assert_true(spdm_responder_answer(p.rs, &a));
    assert_int_equal(spdm_responder_pull(p.rs, p.now).n, 0); /* it is fetched */
    got = say("13 ff ed 01");
    assert_int_equal(got.n, 8 + sizeof csr);
    assert_memory_equal(got.p, "\x13\x6d\0\0\x1c\0\0\0", 8);
    pair_close(&p);
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
    begin(SPDM_V13, false);
    p.errand = bad_csr;
    p.arg = &n;
    pair_start(&p);
    assert_false(run(&spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    assert_int_equal(p.refused.why, SPDM_WHY_ANSWER_REFUSED);
    n = 0x10000;
    assert_false(run(&spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    assert_int_equal(p.refused.why, SPDM_WHY_TOO_LONG);
    n = 5000;
    assert_false(run(&spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    assert_int_equal(p.failure.error, 0x0d);
    n = 4088;
    assert_true(run(&spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_csr),
                                       cmocka_unit_test(test_csr_refused),
                                       cmocka_unit_test(test_der),
                                       cmocka_unit_test(test_der_edits),
                                       cmocka_unit_test(test_csr_reset),
                                       cmocka_unit_test(test_store),
                                       cmocka_unit_test(test_store_refused),
                                       cmocka_unit_test(test_store_key_pair),
                                       cmocka_unit_test(test_store_in_session),
                                       cmocka_unit_test(test_store_too_large),
                                       cmocka_unit_test(test_forgotten),
                                       cmocka_unit_test(test_other_slot),
                                       cmocka_unit_test(test_pending),
                                       cmocka_unit_test(test_deferred),
                                       cmocka_unit_test(test_bad_answers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
