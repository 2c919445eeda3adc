/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SET_CERTIFICATE: what the device's caller is shown and what it never gets to
 * see, pending changes, and what a requester forgets afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/factory.h"

static struct factory f;

static void test_store(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        uint8_t version = (uint8_t)(SPDM_V12 + i / 2);
        bool multi = i % 2 == 1 && version > SPDM_V12;
        union spdm_order order = {
            .store = {.slot = 1, .key_pair = 2, .model = SPDM_CERT_GENERIC, .chain = factory_chain(1200)}};

        factory_init(&f, version, multi);
        f.pair.rsp_policy.trusted_place = true;
        pair_start(&f.pair);
        assert_true(factory_run(&f, &spdm_errand_store, order));
        assert_int_equal(f.kind, SPDM_ASK_STORE);
        assert_int_equal(f.order.store.slot, 1);
        assert_int_equal(f.order.store.key_pair, multi ? 2 : 0);
        assert_int_equal(f.order.store.model, multi ? SPDM_CERT_GENERIC : 0);
        assert_false(f.order.store.erase);
        assert_int_equal(f.order.store.chain.n, 1200);
        assert_memory_equal(f.info, factory_chain(1200).p, 1200);
        if (version > SPDM_V12) {
            order.store = (struct spdm_store_order){.slot = 0, .erase = true, .key_pair = 1, .model = 2};
            assert_true(factory_run(&f, &spdm_errand_store, order));
            assert_true(f.order.store.erase);
            assert_int_equal(f.order.store.chain.n, 0);
        }
        pair_close(&f.pair);
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
    factory_init(&f, SPDM_V13, false);
    pair_start(&f.pair);
    assert_true(factory_run(&f, &spdm_errand_store, (union spdm_order){.store = {.chain = factory_chain(53)}}));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned before = f.pair.errands;
        bool fine = strncmp(cases[i].answer + 3, "6e", 2) == 0;

        snprintf(words, sizeof words, "%s %s %s", cases[i].head, cases[i].more != NULL ? rest : "",
                 cases[i].more != NULL ? cases[i].more : "");
        talk_expect(&f.pair, SPDM_V13, words, cases[i].answer);
        assert_int_equal(f.pair.errands - before, fine);
        if (fine && cases[i].more != NULL) assert_int_equal(f.order.store.chain.n, 53);
    }
    f.pair.identity.slot[0].certificates.n = 0; /* R-SCT-13 */
    talk_expect(&f.pair, SPDM_V13, "13 ee 80 00", "13 7f 01 00");
    pair_close(&f.pair);
    factory_init(&f, SPDM_V14, false); /* in 1.4 Length has four bytes */
    pair_start(&f.pair);
    assert_true(factory_run(&f, &spdm_errand_store, (union spdm_order){.store = {.chain = factory_chain(53)}}));
    snprintf(words, sizeof words, "14 ee 00 00 35000100 %s 30", rest);
    talk_expect(&f.pair, SPDM_V14, words, "14 7f 01 00");
    f.pair.rsp_policy.trusted_place = true;
    f.pair.identity.supported = 0x03;
    talk_expect(&f.pair, SPDM_V14, "14 ee 84 00", "14 7f 01 00"); /* a slot that does not exist */
    talk_expect(&f.pair, SPDM_V14, "14 ee 81 00", "14 7f 01 00"); /* one that is empty */
    pair_close(&f.pair);
}

/* The key pair named is the slot's own (R-SCT-11). */
static void test_store_key_pair(void **state)
{
    static const struct spdm_key_pair pairs[2] = {{.slots = 1, .asym = 1 << 4, .usage = 0xf},
                                                  {.slots = 2, .asym = 1 << 4}};
    union spdm_order order = {.store = {.key_pair = 2, .model = SPDM_CERT_DEVICE, .chain = factory_chain(100)}};

    (void)state;
    factory_init(&f, SPDM_V13, true);
    f.pair.identity.key_pair = pairs;
    f.pair.identity.key_pair_n = 2;
    pair_start(&f.pair);
    assert_false(factory_run(&f, &spdm_errand_store, order));
    assert_int_equal(f.pair.failure.error, SPDM_ERROR_INVALID_REQUEST);
    order.store.key_pair = 3;
    assert_false(factory_run(&f, &spdm_errand_store, order));
    order.store.key_pair = 0;
    assert_false(factory_run(&f, &spdm_errand_store, order));
    assert_int_equal(f.pair.failure.why, SPDM_WHY_CANNOT);
    assert_int_equal(f.pair.errands, 0);
    order.store.key_pair = 1;
    assert_true(factory_run(&f, &spdm_errand_store, order));
    pair_close(&f.pair);
}

/* In a session every slot may be written. The request leaves from where the caller has the chain, in records too. */
static void test_store_in_session(void **state)
{
    struct spdm_goal goal = {.want = SPDM_WANT_SESSION | SPDM_WANT_ERRAND, .errand = &spdm_errand_store};
    union spdm_order order = {.store = {.slot = 1, .chain = factory_chain(3900)}};

    (void)state;
    goal.order = &order;
    for (unsigned i = 0; i < 4; i++) {
        factory_init(&f, i < 2 ? SPDM_V13 : SPDM_V14, false);
        pair_sessions(&f.pair, 1);
        if (i % 2 == 1) f.pair.rsp_policy.flags &= ~(uint32_t)SPDM_ENCRYPT_CAP;
        f.pair.req_policy.record_random = 8;
        pair_start(&f.pair);
        assert_true(pair_run(&f.pair, &goal));
        assert_int_equal(f.session, f.pair.opened_rs);
        assert_int_equal(f.order.store.chain.n, 3900);
        assert_memory_equal(f.info, factory_chain(3900).p, 3900);
        goal.want = SPDM_WANT_ERRAND;
        goal.session = f.pair.opened_rq;
        order.store.chain = factory_chain(1500); /* and once more */
        assert_true(pair_run(&f.pair, &goal));
        assert_memory_equal(f.info, factory_chain(1500).p, 1500);
        order.store.chain = factory_chain(3900);
        goal = (struct spdm_goal){
            .want = SPDM_WANT_SESSION | SPDM_WANT_ERRAND, .errand = &spdm_errand_store, .order = &order};
        pair_close(&f.pair);
    }
}

static void test_store_too_large(void **state)
{
    (void)state;
    factory_init(&f, SPDM_V14, false);
    pair_start(&f.pair);
    assert_false(factory_run(&f, &spdm_errand_store, (union spdm_order){.store = {.chain = factory_chain(4093)}}));
    assert_int_equal(f.pair.failure.why, SPDM_WHY_TOO_BIG_FOR_PEER);
    assert_int_equal(f.pair.failure.got, 4097);
    assert_true(factory_run(&f, &spdm_errand_store, (union spdm_order){.store = {.chain = factory_chain(4092)}}));
    assert_false(
        factory_run(&f, &spdm_errand_store, (union spdm_order){.store = {.chain = {factory_chain(9).p, 0x10000}}}));
    assert_int_equal(f.pair.failure.why, SPDM_WHY_CANNOT);
    f.pair.req_config.out.n = 1000;
    assert_false(factory_run(&f, &spdm_errand_store, (union spdm_order){.store = {.chain = factory_chain(1000)}}));
    assert_int_equal(f.pair.failure.why, SPDM_WHY_NO_ROOM);
    pair_close(&f.pair);
}

/* What was known of the slot is forgotten when it has changed (R-SCT-18), and only then. */
static void test_forgotten(void **state)
{
    static const struct spdm_goal identity = {.want = SPDM_WANT_IDENTITY};
    uint8_t digest[SPDM_HASH_MAX];
    size_t h;

    (void)state;
    factory_init(&f, SPDM_V13, false);
    f.pair.rsp_policy.flags |= SPDM_CERT_INSTALL_RESET_CAP;
    pair_start(&f.pair);
    assert_true(pair_run(&f.pair, &identity));
    assert_int_equal(f.pair.trust_asked, 1);
    f.error = SPDM_ERROR_RESET_REQUIRED;
    assert_true(factory_run(&f, &spdm_errand_store, (union spdm_order){.store = {.chain = factory_chain(900)}}));
    assert_int_equal(f.pair.resets_due, 1);
    assert_true(pair_run(&f.pair, &identity));
    assert_int_equal(f.pair.trust_asked, 1);
    f.error = SPDM_ERROR_OPERATION_FAILED;
    assert_false(factory_run(&f, &spdm_errand_store, (union spdm_order){.store = {.chain = factory_chain(900)}}));
    assert_true(pair_run(&f.pair, &identity));
    assert_int_equal(f.pair.trust_asked, 1);
    f.error = 0;
    assert_true(factory_run(&f, &spdm_errand_store, (union spdm_order){.store = {.chain = factory_chain(900)}}));
    assert_false(spdm_requester_facts(f.pair.rq)->trusted);
    assert_true(pair_run(&f.pair, &identity));
    assert_int_equal(f.pair.trust_asked, 2);
    /* vouched for: not after the change */
    h = pair_digest(&f.pair, 0, SPDM_SHA_384, digest);
    spdm_requester_trust(f.pair.rq, 0, (struct spdm_span){digest, h}, &f.pair.key);
    assert_true(factory_run(&f, &spdm_errand_store, (union spdm_order){.store = {.chain = factory_chain(900)}}));
    assert_true(pair_run(&f.pair, &identity));
    assert_int_equal(f.pair.trust_asked, 3);
    pair_close(&f.pair);
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
    factory_init(&f, SPDM_V13, false);
    f.pair.wire = other_slot;
    pair_start(&f.pair);
    assert_false(factory_run(&f, &spdm_errand_store, (union spdm_order){.store = {.chain = factory_chain(900)}}));
    assert_int_equal(f.pair.failure.why, SPDM_WHY_MISMATCH);
    assert_string_equal(f.pair.failure.field, "SlotID R-SCT-14");
    pair_close(&f.pair);
}

/* Until the reset nobody reads what will change; what is there still proves itself (withstand 61). */
static void test_pending(void **state)
{
    (void)state;
    for (uint8_t version = SPDM_V11; version <= SPDM_V14; version++) {
        const char *error = version == SPDM_V11 ? "vv 7f 05 00" : "vv 7f 0c 00";

        factory_init(&f, version, false);
        f.pair.identity.slot[1] = f.pair.identity.slot[0];
        pair_start(&f.pair);
        assert_true(pair_run(&f.pair, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}));
        f.pair.identity.pending = 0x02;
        talk_expect(&f.pair, version, "vv 81 00 00", error);
        talk_expect(&f.pair, version, "vv 82 01 00 0000 ff00", error);
        talk_expect(&f.pair, version, "vv 82 00 00 0000 ff00", "vv 02 00");
        talk_expect(&f.pair, version, "vv 83 01 00 nonce context", "vv 03");
        assert_int_equal(f.pair.refused.why, SPDM_WHY_RESET_REQUIRED);
        assert_int_equal(f.pair.refused.got, 0x02);
        pair_close(&f.pair);
    }
}

/* The set of requests for a factory: the errands that fill a device, and neither reports nor sessions. */
static void test_services(void **state)
{
    (void)state;
    factory_init(&f, SPDM_V14, false);
    f.pair.rsp_config.services = &spdm_serve_provisioning;
    f.pair.rsp_policy.flags |= SPDM_GET_KEY_PAIR_INFO_CAP | SPDM_EP_INFO_CAP_SIGNED;
    pair_start(&f.pair);
    assert_true(pair_run(&f.pair, &(struct spdm_goal){.want = SPDM_WANT_CHALLENGE}));
    assert_true(factory_run(&f, &spdm_errand_csr, (union spdm_order){.csr = {.tag = 0}}));
    assert_true(factory_run(&f, &spdm_errand_store, (union spdm_order){.store = {.chain = factory_chain(900)}}));
    talk_expect(&f.pair, SPDM_V14, "14 87 01 00 00 000000", "14 7f 07 87");
    talk_expect(&f.pair, SPDM_V14, "14 e2 00 00", "14 7f 07 e2");
    talk_expect(&f.pair, SPDM_V14, "14 ec 00 00", "14 7f 07 ec");
    talk_expect(&f.pair, SPDM_V14, "14 fc 00 00 01", "14 7f 01 00"); /* served; there is no such key pair */
    pair_close(&f.pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_store),           cmocka_unit_test(test_store_refused),
                                       cmocka_unit_test(test_store_key_pair),  cmocka_unit_test(test_store_in_session),
                                       cmocka_unit_test(test_store_too_large), cmocka_unit_test(test_forgotten),
                                       cmocka_unit_test(test_other_slot),      cmocka_unit_test(test_pending),
                                       cmocka_unit_test(test_services)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
