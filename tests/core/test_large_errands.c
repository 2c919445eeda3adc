/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Errands whose messages are longer than one transfer: requests that the caller
 * keeps, questions about what was put together, long answers; outside a session
 * and in one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/bank_device.h"

enum { MAX = 5000, CHAIN = 3500, INFO = 2000, CSR = 2500, CLASSES = 1200, PUBLIC_KEY = 700 };

static struct bank_device d;
static uint8_t info[INFO], csr[CSR], classes[CLASSES], public_key[PUBLIC_KEY];
static struct {
    unsigned csr, stored;
} was;

static void answer(struct pair *p, const struct spdm_event *ev, struct spdm_answer *a)
{
    (void)p;
    a->yes = true;
    switch (ev->kind) {
    case SPDM_ASK_CSR:
        assert_int_equal(ev->order->csr.info.n, INFO);
        assert_memory_equal(ev->order->csr.info.p, info, INFO);
        a->data = (struct spdm_span){csr, CSR};
        was.csr++;
        break;
    case SPDM_ASK_STORE:
        assert_int_equal(ev->order->store.chain.n, CHAIN);
        assert_memory_equal(ev->order->store.chain.p, bank_device_chain(CHAIN).p, CHAIN);
        was.stored++;
        break;
    case SPDM_ASK_LOG: a->data = bank_device_chain(CHAIN); break;
    case SPDM_ASK_ENDPOINT: a->data = (struct spdm_span){classes, CLASSES}; break;
    default: fail();
    }
}

/* One vendor's class with parts of 255 bytes, 1,200 in all; a SEQUENCE that holds an OCTET STRING. */
static void fill(void)
{
    size_t at = 4;

    memset(classes, 0, sizeof classes);
    for (; at + 8 + 200 < CLASSES; classes[0]++) {
        const uint8_t head[] = {5 + 200, 3, 2, 0x86, 0x80, 1, 199};

        memcpy(classes + at, head, sizeof head);
        classes[at] = (uint8_t)(sizeof head - 1 + 199);
        at += 1u + classes[at];
    }
    classes[0]++;
    classes[at] = (uint8_t)(CLASSES - at - 1);
    memcpy(classes + at + 1, "\x03\x02\x86\x80\x01", 5);
    classes[at + 6] = (uint8_t)(CLASSES - at - 7);
    for (size_t i = 0; i < INFO; i++) info[i] = (uint8_t)(i * 5);
    memcpy(info, "\x30\x82\x07\xcc\x04\x82\x07\xc8", 8);
    for (size_t i = 0; i < CSR; i++) csr[i] = (uint8_t)(i * 3);
    for (size_t i = 0; i < PUBLIC_KEY; i++) public_key[i] = (uint8_t)(i * 17);
}

static void begin(uint8_t version, uint32_t transfer)
{
    memset(&was, 0, sizeof was);
    fill();
    bank_device_init(&d, EVERY);
    d.pair.req_policy.versions[0] = version;
    if (version < SPDM_V14) d.pair.identity.bank_n = 0;
    bank_device_multi_key(&d);
    d.pairs[0].public_key_info = (struct spdm_span){public_key, PUBLIC_KEY};
    d.pair.req_policy.mel = d.pair.rsp_policy.mel = true;
    d.pair.rsp_policy.flags |= SPDM_CSR_CAP | SPDM_SET_CERT_CAP | SPDM_MEL_CAP | SPDM_EP_INFO_CAP_SIGNED;
    pair_chunks(&d.pair, transfer, MAX);
    d.pair.errand = answer;
}

static void expect(const struct spdm_errand *errand, union spdm_order order, uint32_t session, struct spdm_span reply)
{
    struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = errand, .order = &order, .session = session};
    char mine[200], theirs[200];

    d.pair.replies = 0;
    if (!pair_run(&d.pair, &goal)) {
        spdm_report_text(&d.pair.failure, mine, sizeof mine);
        spdm_report_text(&d.pair.refused, theirs, sizeof theirs);
        fail_msg("%u: requester: %s; responder: %s", d.pair.req_config.data_transfer_size, mine, theirs);
    }
    if (reply.n == 0) return;
    assert_true(d.pair.replies >= 1);
    assert_int_equal(d.pair.reply_n, reply.n);
    assert_memory_equal(d.pair.reply, reply.p, reply.n);
}

static void everything(uint8_t version, uint32_t session)
{
    const struct spdm_span chain = bank_device_chain(CHAIN), none = {0};
    union spdm_order store = {.store = {.key_pair = 1, .model = SPDM_CERT_DEVICE, .chain = chain}};
    union spdm_order pair_csr = {.csr = {.key_pair = 1, .model = SPDM_CERT_DEVICE, .info = {info, INFO}}};
    union spdm_order endpoint = {.endpoint = {.sub_code = 1, .sign = true}};
    union spdm_order bank = {.slots = {.sub_code = SPDM_SLOTS_CHAIN, .bank = 0}};
    struct spdm_key_pair k;

    expect(&spdm_errand_key_pair_info, (union spdm_order){.key_pair = {.id = 1}}, session, none);
    assert_true(spdm_key_pair_read((struct spdm_span){d.pair.reply, d.pair.reply_n}, &k));
    assert_int_equal(k.public_key_info.n, PUBLIC_KEY);
    assert_memory_equal(k.public_key_info.p, public_key, PUBLIC_KEY);
    expect(&spdm_errand_csr, pair_csr, session, (struct spdm_span){csr, CSR});
    expect(&spdm_errand_store, store, session, none);
    expect(&spdm_errand_log, (union spdm_order){.log = {.offset = 0}}, session, none);
    expect(&spdm_errand_endpoint, endpoint, session, (struct spdm_span){classes, CLASSES});
    assert_true(d.pair.reply_proven);
    assert_int_equal(was.csr, 1);
    assert_int_equal(was.stored, 1);
    if (version < SPDM_V14) return;
    expect(&spdm_errand_slots, bank, session, none);
    assert_int_equal(d.pair.reply_n, 4 + BANK_HASH + d.banks[0].slot[0].certificates.n);
    bank.slots = (struct spdm_slots_order){
        .sub_code = SPDM_SLOTS_CSR, .key_pair = 1, .model = SPDM_CERT_DEVICE, .info = {info, INFO}};
    expect(&spdm_errand_change_slots, bank, session, (struct spdm_span){csr, CSR});
    bank.slots = (struct spdm_slots_order){
        .sub_code = SPDM_SLOTS_STORE, .key_pair = 1, .model = SPDM_CERT_DEVICE, .chain = chain};
    expect(&spdm_errand_change_slots, bank, session, none);
    assert_int_equal(was.csr, 2);
    assert_int_equal(was.stored, 2);
}

static void test_outside(void **state)
{
    (void)state;
    for (uint8_t version = SPDM_V13; version <= SPDM_V14; version++) {
        for (uint32_t transfer = 42; transfer < 2000; transfer += transfer < 60 ? 1 : 133) {
            begin(version, transfer);
            pair_start(&d.pair);
            everything(version, 0);
            pair_close(&d.pair);
        }
    }
}

static void test_in_session(void **state)
{
    (void)state;
    for (uint8_t version = SPDM_V13; version <= SPDM_V14; version++) {
        for (uint32_t transfer = 42; transfer < 2000; transfer += 211) {
            begin(version, transfer);
            pair_sessions(&d.pair, 1);
            pair_start(&d.pair);
            assert_true(pair_run(&d.pair, &(struct spdm_goal){.want = SPDM_WANT_SESSION}));
            everything(version, d.pair.opened_rq);
            pair_close(&d.pair);
        }
    }
}

/* The other way round: the answer comes in an envelope in chunks, and stays where it lies as long as it is told. */
static void test_turned(void **state)
{
    static union spdm_order order = {.endpoint = {.sub_code = SPDM_ENDPOINT_DEVICE_CLASS}};
    const struct spdm_goal ask = {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_endpoint, .order = &order};
    struct pair *p = &d.pair;

    (void)state;
    for (uint32_t transfer = 42; transfer < 2000; transfer += 97) {
        struct spdm_goal poll = {.want = SPDM_WANT_POLL};

        begin(transfer % 2 == 0 ? SPDM_V13 : SPDM_V14, transfer);
        pair_sessions(p, 1);
        pair_mutual(p);
        p->req_policy.flags |= SPDM_EP_INFO_CAP_SIGNED;
        p->rq_turned.services = &spdm_serve_turned;
        p->errand_rq = answer;
        pair_start(p);
        for (unsigned i = 0; i < 4; i++) {
            if (i == 1) assert_true(pair_run(p, &(struct spdm_goal){.want = SPDM_WANT_SESSION}));
            poll.session = i >= 2 ? p->opened_rq : 0;
            if (i == 0) assert_true(pair_run(p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}));
            p->replies_rs = 0;
            order.endpoint.sign = i % 2 != 0 && poll.session != 0;
            assert_true(spdm_responder_ask(p->rs, i >= 2 ? p->opened_rs : 0, &ask));
            assert_true(pair_run(p, &poll));
            assert_int_equal(p->replies_rs, 1);
            assert_int_equal(p->reply_n, CLASSES);
            assert_memory_equal(p->reply, classes, CLASSES);
            assert_int_equal(p->rs_shelf.shelf.taken, 0);
        }
        pair_close(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_outside), cmocka_unit_test(test_in_session),
                                       cmocka_unit_test(test_turned)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
