/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A device with banks: moves certificates and algorithms as it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/bank_device.h"

const char bank_device_csr[] = "signed by the device";
static const uint8_t certificates[700] = {1, 2, 3};

struct spdm_span bank_device_certificates(void)
{
    return (struct spdm_span){certificates, sizeof certificates};
}

static void obey(struct pair *pair, const struct spdm_event *ev, struct spdm_answer *a)
{
    struct bank_device *d = (struct bank_device *)pair; /* its first member */
    const struct spdm_store_order *store = &ev->order->store;
    struct spdm_span *slot = &d->banks[store->bank % BANKS].slot[store->slot % SPDM_SLOT_N].certificates;

    d->kind = ev->kind;
    d->order = *ev->order;
    a->yes = d->error == 0;
    a->error = d->error;
    a->error_data = d->tag;
    if (!a->yes) return;
    switch (ev->kind) {
    case SPDM_ASK_CSR: a->data = (struct spdm_span){(const uint8_t *)bank_device_csr, strlen(bank_device_csr)}; break;
    case SPDM_ASK_BANK:
        d->banks[ev->order->slots.bank].asym = ev->order->slots.asym;
        d->banks[ev->order->slots.bank].pqc = ev->order->slots.pqc;
        break;
    default:
        assert_int_equal(ev->kind, SPDM_ASK_STORE);
        assert_true(store->chain.n <= sizeof d->stored);
        if (store->chain.n != 0) memcpy(d->stored, store->chain.p, store->chain.n);
        *slot = (struct spdm_span){0};
        if (!store->erase) *slot = (struct spdm_span){d->stored + 4 + BANK_HASH, store->chain.n - 4 - BANK_HASH};
    }
}

void bank_device_init(struct bank_device *d, uint8_t served)
{
    static const uint8_t p384[] = {SPDM_ECDSA_P384, 0};
    struct pair *p = &d->pair;

    memset(d, 0, sizeof *d);
    pair_init(p);
    memset(p->req_policy.versions, 0, sizeof p->req_policy.versions);
    p->req_policy.versions[0] = SPDM_V14;
    p->rsp_policy.ext_flags = SPDM_SLOT_MGMT_CAP;
    p->rsp_policy.slot_management = served;
    d->banks[0] = (struct spdm_bank){.slots = 0x03, .modifiable = 0x03, .asym = P384, .slot_size = 2000};
    d->banks[1] = (struct spdm_bank){.slots = 0x07,
                                     .modifiable = 0x03,
                                     .protected = 0x04,
                                     .configurable = true,
                                     .asyms = P256 | P384 | P521,
                                     .asym = P256,
                                     .slot_size = 4000};
    d->banks[2] = (struct spdm_bank){
        .slots = 0x01, .modifiable = 0x01, .configurable = true, .asyms = P256 | P521, .pqcs = ML_DSA_65};
    d->banks[0].slot[0] = p->identity.slot[0];
    d->banks[0].slot[0].signs = p384;
    d->banks[1].slot[0] = (struct spdm_slot){
        .certificates = {certificates, sizeof certificates}, .root = {certificates, 200}, .model = SPDM_CERT_ALIAS};
    p->identity.bank = d->banks;
    p->identity.bank_n = BANKS;
    p->errand = obey;
}

void bank_device_multi_key(struct bank_device *d)
{
    static const struct spdm_key_pair start[] = {
        {.asyms = P384, .asym = P384, .slots = 1, .usages = 0xf, .usage = 0xf},
        {.asyms = P384, .asym = P384, .slots = 2, .usages = 0xf, .usage = 0x2},
        {.asyms = P256, .asym = P256, .slots = 1, .usages = 0xf, .usage = 0x1}};

    memcpy(d->pairs, start, sizeof start);
    d->pair.rsp_policy.flags |= SPDM_MULTI_KEY_CAP_ONLY | SPDM_GET_KEY_PAIR_INFO_CAP | SPDM_SET_KEY_PAIR_INFO_CAP;
    d->pair.identity.key_pair = d->pairs;
    d->pair.identity.key_pair_n = sizeof start / sizeof *start;
}

bool bank_device_ask(struct bank_device *d, struct spdm_slots_order slots)
{
    union spdm_order order = {.slots = slots};
    struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .order = &order};

    goal.errand = slots.sub_code < SPDM_SLOTS_CSR ? &spdm_errand_slots : &spdm_errand_change_slots;
    d->pair.replies = 0;
    d->pair.reply_n = 0;
    return pair_run(&d->pair, &goal);
}

struct spdm_span bank_device_reply(const struct bank_device *d)
{
    return (struct spdm_span){d->pair.reply, d->pair.reply_n};
}

struct spdm_bank_details bank_device_details(struct bank_device *d, uint8_t bank, struct spdm_bank_slot *slots,
                                             unsigned *n)
{
    struct spdm_bank_details out;
    struct spdm_span rest;

    assert_true(bank_device_ask(d, (struct spdm_slots_order){.sub_code = SPDM_SLOTS_DETAILS, .bank = bank}));
    assert_true(spdm_bank_open(bank_device_reply(d), &out, &rest));
    assert_int_equal(out.bank, bank);
    for (*n = 0; spdm_bank_slot_next(&rest, &slots[*n]); ++*n) continue;
    assert_int_equal(rest.n, 0);
    return out;
}

struct spdm_span bank_device_chain(size_t n)
{
    static uint8_t chain[5000];

    assert_true(n <= sizeof chain);
    for (size_t i = 0; i < n; i++) chain[i] = (uint8_t)(i * 11);
    chain[0] = (uint8_t)n;
    chain[1] = (uint8_t)(n >> 8);
    chain[2] = chain[3] = 0;
    return (struct spdm_span){chain, n};
}

bool bank_device_zero(struct spdm_span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != 0) return false;
    }
    return true;
}
