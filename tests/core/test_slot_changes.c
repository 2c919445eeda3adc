/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Banks of certificate slots (1.4): what may be changed, when, and what follows
 * from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/bank_device.h"

static struct bank_device d;

static void test_configure(void **state)
{
    struct spdm_slots_order order = {.sub_code = SPDM_SLOTS_BANK, .bank = 2, .asym = P521};
    struct spdm_bank_slot s[SPDM_SLOT_N + 1];
    struct spdm_bank_details b;
    unsigned n;

    (void)state;
    bank_device_init(&d, EVERY);
    pair_start(&d.pair);
    assert_false(bank_device_ask(&d, order)); /* neither a session nor a place to be trusted (S6) */
    assert_int_equal(d.pair.failure.error, SPDM_ERROR_UNEXPECTED_REQUEST);
    d.pair.rsp_policy.trusted_place = true;
    assert_true(bank_device_ask(&d, order));
    assert_int_equal(d.kind, SPDM_ASK_BANK);
    assert_int_equal(d.order.slots.bank, 2);
    assert_int_equal(d.banks[2].asym, P521);
    assert_int_equal(d.pair.replies, 0);
    b = bank_device_details(&d, 1, s, &n); /* that algorithm is taken now */
    assert_int_equal(b.asyms_free, P256);
    order.asym = 0;
    order.pqc = ML_DSA_65;
    assert_true(bank_device_ask(&d, order));
    b = bank_device_details(&d, 2, s, &n);
    assert_int_equal(b.pqc, ML_DSA_65);
    assert_int_equal(b.asym, 0);
    n = d.pair.errands;
    assert_true(bank_device_ask(&d, order)); /* nothing to do, nobody asked */
    assert_int_equal(d.pair.errands, n);
    d.error = SPDM_ERROR_RESET_REQUIRED; /* S15 */
    order = (struct spdm_slots_order){.sub_code = SPDM_SLOTS_BANK, .bank = 2, .asym = P521};
    assert_false(bank_device_ask(&d, order));
    assert_int_equal(d.pair.failure.error, SPDM_ERROR_OPERATION_FAILED);
    pair_close(&d.pair);
    bank_device_init(&d, EVERY);
    d.pair.rsp_policy.trusted_place = true;
    d.pair.rsp_policy.flags |= SPDM_CERT_INSTALL_RESET_CAP | SPDM_SET_CERT_CAP;
    pair_start(&d.pair);
    d.error = SPDM_ERROR_RESET_REQUIRED;
    d.tag = 3; /* only CSRs have tags */
    assert_true(bank_device_ask(&d, order));
    assert_int_equal(d.pair.resets_due, 1);
    assert_int_equal(d.pair.reset_tag, 0);
    assert_int_equal(d.banks[2].asym, 0);
    pair_close(&d.pair);
}

static void test_erase_and_store(void **state)
{
    struct spdm_slots_order erase = {.sub_code = SPDM_SLOTS_ERASE, .bank = 1},
                            store = {.sub_code = SPDM_SLOTS_STORE,
                                     .bank = 1,
                                     .key_pair = 9,
                                     .model = SPDM_CERT_GENERIC,
                                     .chain = bank_device_chain(900)};
    struct spdm_bank_slot s[SPDM_SLOT_N + 1];
    unsigned n;

    (void)state;
    bank_device_init(&d, EVERY);
    pair_start(&d.pair);
    assert_true(bank_device_ask(&d, erase)); /* slot 0 anywhere */
    assert_int_equal(d.kind, SPDM_ASK_STORE);
    assert_true(d.order.store.erase);
    assert_int_equal(d.order.store.bank, 1);
    (void)bank_device_details(&d, 1, s, &n);
    assert_false(s[0].provisioned);
    assert_true(bank_device_zero(s[0].digest));
    assert_false(bank_device_ask(&d, erase));
    assert_true(bank_device_ask(&d, store));
    assert_int_equal(d.order.store.chain.n, 900);
    assert_memory_equal(d.stored, bank_device_chain(900).p, 900);
    assert_int_equal(d.order.store.key_pair | d.order.store.model, 0); /* no multi-key connection */
    (void)bank_device_details(&d, 1, s, &n);
    assert_true(s[0].provisioned);
    store.slot = erase.slot = 1; /* other slots in a session or a trusted place */
    for (unsigned i = 0; i < 2; i++) {
        assert_false(bank_device_ask(&d, i == 0 ? store : erase));
        assert_int_equal(d.pair.failure.error, SPDM_ERROR_UNEXPECTED_REQUEST);
    }
    assert_false(bank_device_ask(
        &d, (struct spdm_slots_order){.sub_code = SPDM_SLOTS_CHAIN, .bank = 1, .slot = 1})); /* reads are free */
    assert_int_equal(d.pair.failure.error, SPDM_ERROR_INVALID_REQUEST);
    store.slot = 2;
    d.pair.rsp_policy.trusted_place = true;
    d.banks[1].modifiable = 0x07;
    assert_false(bank_device_ask(&d, store)); /* protected */
    assert_int_equal(d.pair.failure.error, SPDM_ERROR_INVALID_REQUEST);
    store.slot = 1;
    d.error = SPDM_ERROR_BUSY;
    assert_false(bank_device_ask(&d, store));
    assert_int_equal(d.pair.failure.why, SPDM_WHY_GAVE_UP);
    assert_int_equal(d.banks[1].slot[1].certificates.n, 0);
    pair_close(&d.pair);
}

static void test_in_session(void **state)
{
    union spdm_order order = {
        .slots = {.sub_code = SPDM_SLOTS_STORE, .bank = 1, .slot = 1, .chain = bank_device_chain(1500)}};
    struct spdm_goal goal = {
        .want = SPDM_WANT_SESSION | SPDM_WANT_ERRAND, .errand = &spdm_errand_change_slots, .order = &order};

    (void)state;
    bank_device_init(&d, EVERY);
    pair_sessions(&d.pair, 1);
    pair_start(&d.pair);
    assert_true(pair_run(&d.pair, &goal));
    assert_memory_equal(d.stored, bank_device_chain(1500).p, 1500);
    goal.want = SPDM_WANT_ERRAND;
    order.slots = (struct spdm_slots_order){.sub_code = SPDM_SLOTS_BANK, .bank = 2, .asym = P521};
    goal.session = d.pair.opened_rq;
    assert_true(pair_run(&d.pair, &goal));
    assert_int_equal(d.banks[2].asym, P521);
    goal.errand = &spdm_errand_slots;
    order.slots = (struct spdm_slots_order){.sub_code = SPDM_SLOTS_CHAIN, .bank = 1, .slot = 1};
    assert_true(pair_run(&d.pair, &goal));
    assert_int_equal(d.pair.reply_n, 1500);
    pair_close(&d.pair);
}

/* The CSR of a key of another bank, with a tag, from the same pool as GET_CSR's. */
static void test_csr(void **state)
{
    static const uint8_t info[] = "\x30\x03\x02\x01\x00";
    struct spdm_slots_order order = {
        .sub_code = SPDM_SLOTS_CSR, .bank = 1, .overwrite = true, .info = {info, sizeof info - 1}};

    (void)state;
    bank_device_init(&d, EVERY);
    d.pair.rsp_policy.flags |= SPDM_CERT_INSTALL_RESET_CAP | SPDM_CSR_CAP | SPDM_SET_CERT_CAP;
    pair_start(&d.pair);
    d.error = SPDM_ERROR_RESET_REQUIRED;
    d.tag = 4;
    assert_true(bank_device_ask(&d, order));
    assert_int_equal(d.kind, SPDM_ASK_CSR);
    assert_int_equal(d.order.csr.bank, 1);
    assert_true(d.order.csr.overwrite);
    assert_int_equal(d.order.csr.info.n, sizeof info - 1);
    assert_int_equal(d.pair.resets_due, 1);
    assert_int_equal(d.pair.reset_tag, 4);
    d.error = 0;
    order.overwrite = false;
    order.tag = 4;
    assert_true(bank_device_ask(&d, order));
    assert_int_equal(d.order.csr.tag, 4);
    assert_int_equal(d.pair.replies, 1);
    assert_int_equal(d.pair.reply_n, strlen(bank_device_csr));
    assert_memory_equal(d.pair.reply, bank_device_csr, strlen(bank_device_csr));
    talk_expect(&d.pair, SPDM_V14, "14 ed 00 20 0000 0000", "14 6d"); /* the bank in use */
    assert_int_equal(d.order.csr.bank, 0);
    assert_int_equal(d.order.csr.tag, 4);
    pair_close(&d.pair);
}

static void test_key_pairs(void **state)
{
    struct spdm_slots_order order = {.sub_code = SPDM_SLOTS_CSR, .bank = 1, .key_pair = 1, .model = SPDM_CERT_DEVICE};
    union spdm_order change = {.key_pair_change = {.operation = SPDM_KEY_PAIR_CHANGE, .id = 3, .slots = 0}};
    struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_set_key_pair, .order = &change};

    (void)state;
    bank_device_init(&d, EVERY);
    d.pair.rsp_policy.trusted_place = true;
    bank_device_multi_key(&d);
    for (unsigned i = 0; i < 3; i++) d.pairs[i].capabilities = SPDM_KEY_PAIR_ASSOCIATE | SPDM_KEY_PAIR_SHARE;
    pair_start(&d.pair);
    assert_false(bank_device_ask(&d, order)); /* of another bank (S10) */
    assert_int_equal(d.pair.failure.error, SPDM_ERROR_INVALID_REQUEST);
    order.key_pair = 3;
    assert_true(bank_device_ask(&d, order));
    assert_int_equal(d.order.csr.key_pair, 3);
    order.key_pair = 0;
    assert_false(bank_device_ask(&d, order));
    assert_int_equal(d.pair.failure.why, SPDM_WHY_CANNOT);
    order = (struct spdm_slots_order){.sub_code = SPDM_SLOTS_STORE,
                                      .bank = 1,
                                      .key_pair = 1,
                                      .model = SPDM_CERT_DEVICE,
                                      .chain = bank_device_chain(300)};
    assert_false(bank_device_ask(&d, order)); /* S7 */
    assert_int_equal(d.pair.failure.error, SPDM_ERROR_INVALID_REQUEST);
    order.key_pair = 3;
    assert_true(bank_device_ask(&d, order));
    assert_int_equal(d.order.store.model, SPDM_CERT_DEVICE);
    assert_false(pair_run(&d.pair, &goal)); /* the slot holds a chain (S8) */
    assert_int_equal(d.pair.failure.error, SPDM_ERROR_OPERATION_FAILED);
    change.key_pair_change.slots = 0x09; /* no such slot in the pair's bank */
    assert_false(pair_run(&d.pair, &goal));
    assert_int_equal(d.pair.failure.error, SPDM_ERROR_INVALID_REQUEST);
    talk_expect(&d.pair, SPDM_V14, "14 88 22 00 " ADDRESS("01", "00") "35000000 01 00 0000", "14 7f 01 00");
    pair_close(&d.pair);
}

/* What was known of the chain is read again after a change, and only then. */
static void test_forgotten(void **state)
{
    static const struct spdm_goal identity = {.want = SPDM_WANT_IDENTITY};
    struct spdm_slots_order store = {.sub_code = SPDM_SLOTS_STORE, .bank = 0, .chain = bank_device_chain(900)};
    uint8_t digest[SPDM_HASH_MAX];
    size_t h;

    (void)state;
    bank_device_init(&d, EVERY);
    pair_start(&d.pair);
    assert_true(pair_run(&d.pair, &identity));
    assert_int_equal(d.pair.trust_asked, 1);
    assert_true(bank_device_ask(&d, (struct spdm_slots_order){.sub_code = SPDM_SLOTS_DETAILS}));
    assert_true(pair_run(&d.pair, &identity));
    assert_int_equal(d.pair.trust_asked, 1);
    assert_true(bank_device_ask(&d, store));
    assert_false(spdm_requester_facts(d.pair.rq)->trusted);
    d.pair.identity.slot[0] = d.banks[0].slot[0]; /* what the requester believes in */
    assert_true(pair_run(&d.pair, &identity));
    assert_int_equal(d.pair.trust_asked, 2);
    /* vouched for: until the next change */
    h = pair_digest(&d.pair, 0, SPDM_SHA_384, digest);
    spdm_requester_trust(d.pair.rq, 0, (struct spdm_span){digest, h}, &d.pair.key);
    assert_true(bank_device_ask(&d, store));
    assert_true(pair_run(&d.pair, &identity));
    assert_int_equal(d.pair.trust_asked, 3);
    pair_close(&d.pair);
}

/* The older requests are about the bank in use. */
static void test_older(void **state)
{
    static const uint8_t p256[] = {SPDM_ECDSA_P256, 0};
    union spdm_order order = {.csr = {.tag = 0}};
    struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_csr, .order = &order};

    (void)state;
    bank_device_init(&d, 0);
    d.pair.req_policy.signatures = p256;
    d.pair.rsp_policy.flags |= SPDM_CSR_CAP | SPDM_SET_CERT_CAP;
    d.pair.rsp_policy.trusted_place = true;
    pair_start(&d.pair);
    assert_true(pair_run(&d.pair, &goal));
    assert_int_equal(d.kind, SPDM_ASK_CSR);
    assert_int_equal(d.order.csr.bank, 1);
    goal.errand = &spdm_errand_store;
    order.store = (struct spdm_store_order){.slot = 1, .chain = bank_device_chain(500)};
    assert_true(pair_run(&d.pair, &goal));
    assert_int_equal(d.order.store.bank, 1);
    assert_int_equal(d.banks[1].slot[1].certificates.n, 500 - 4 - BANK_HASH);
    order.store.slot = 3; /* the bank has three */
    assert_false(pair_run(&d.pair, &goal));
    assert_int_equal(d.pair.failure.error, SPDM_ERROR_INVALID_REQUEST);
    pair_close(&d.pair);
}

static void test_orders(void **state)
{
    union spdm_order order = {.slots = {.sub_code = SPDM_SLOTS_ERASE}};
    struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_slots, .order = &order};

    (void)state;
    bank_device_init(&d, EVERY);
    pair_start(&d.pair);
    assert_false(pair_run(&d.pair, &goal)); /* who only reads cannot erase */
    assert_int_equal(d.pair.failure.why, SPDM_WHY_CANNOT);
    order.slots.sub_code = SPDM_SLOTS_BANKS;
    goal.errand = &spdm_errand_change_slots;
    assert_false(pair_run(&d.pair, &goal));
    assert_int_equal(d.pair.failure.why, SPDM_WHY_CANNOT);
    order.slots =
        (struct spdm_slots_order){.sub_code = SPDM_SLOTS_STORE, .chain = {bank_device_certificates().p, 0x10000}};
    assert_false(pair_run(&d.pair, &goal));
    assert_int_equal(d.pair.failure.why, SPDM_WHY_CANNOT);
    assert_string_equal(d.pair.failure.field, "LARGE_RESP_CAP");
    assert_int_equal(d.pair.errands, 0);
    pair_close(&d.pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_configure),  cmocka_unit_test(test_erase_and_store),
                                       cmocka_unit_test(test_in_session), cmocka_unit_test(test_csr),
                                       cmocka_unit_test(test_key_pairs),  cmocka_unit_test(test_forgotten),
                                       cmocka_unit_test(test_older),      cmocka_unit_test(test_orders)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
