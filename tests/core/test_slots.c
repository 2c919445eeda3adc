/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Banks of certificate slots (1.4): what a device tells of them, what it
 * refuses, and that the older requests see the bank in use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/bank_device.h"

enum { CERTIFICATES = 700 };

static struct bank_device d;

/* ---- reading ---- */

static void test_sub_codes(void **state)
{
    static const struct {
        const char *request;
        uint8_t flag;
    } optional[] = {{"14 88 04 00 0800 0000 0800 0000 00 00 0000 00 00 0000 0000 0000", SPDM_SERVE_CSR},
                    {"14 88 20 00 0800 0000 0800 0000 02 00 0000 01 000000 20000000 00", SPDM_SERVE_BANK},
                    {"14 88 21 00 0800 0000 0800 0000 01 00 0000 01 000000", SPDM_SERVE_ERASE}};

    (void)state;
    for (unsigned flags = 0; flags <= EVERY; flags++) {
        bank_device_init(&d, (uint8_t)flags);
        d.pair.rsp_policy.trusted_place = true;
        pair_start(&d.pair);
        assert_true(bank_device_ask(&d, (struct spdm_slots_order){.sub_code = SPDM_SLOTS_SUPPORTED}));
        assert_int_equal(d.pair.reply_n, 32);
        assert_int_equal(d.pair.reply[0], 0x0f | (flags & 1) << 4);
        assert_int_equal(d.pair.reply[4], flags >> 1);
        for (unsigned i = 0; i < 32; i++) assert_true(d.pair.reply[i] == 0 || i == 0 || i == 4);
        for (unsigned i = 0; i < 3; i++) {
            bool served = (flags & optional[i].flag) != 0;

            talk_expect(&d.pair, SPDM_V14, optional[i].request, served ? "14 08" : "14 7f 07 88");
        }
        for (unsigned code = 0x05; code <= 0xff; code++) {
            char words[64];

            if (code >= 0x20 && code <= 0x22) continue;
            snprintf(words, sizeof words, "14 88 %02x 00 0000 0000", code);
            talk_expect(&d.pair, SPDM_V14, words, "14 7f 01 00");
        }
        pair_close(&d.pair);
    }
}

static void test_banks(void **state)
{
    struct spdm_bank_element e;
    struct spdm_span rest;

    (void)state;
    bank_device_init(&d, 0);
    d.banks[1].modifiable = 0xff; /* what does not exist or is protected is not modifiable (V5) */
    pair_start(&d.pair);
    assert_true(bank_device_ask(&d, (struct spdm_slots_order){.sub_code = SPDM_SLOTS_BANKS}));
    rest = bank_device_reply(&d);
    for (uint8_t i = 0; i < BANKS; i++) {
        assert_true(spdm_bank_next(&rest, &e));
        assert_int_equal(e.bank, i);
        assert_int_equal(e.slots, d.banks[i].slots);
        assert_int_equal(e.modifiable, i == 1 ? 0x03 : d.banks[i].modifiable);
    }
    assert_false(spdm_bank_next(&rest, &e));
    assert_int_equal(rest.n, 0);
    pair_close(&d.pair);
}

static void test_details(void **state)
{
    struct spdm_bank_slot s[SPDM_SLOT_N + 1];
    struct spdm_bank_details b;
    unsigned n;

    (void)state;
    bank_device_init(&d, 0);
    pair_start(&d.pair);
    b = bank_device_details(&d, 0, s, &n);
    assert_true(b.selected && !b.configurable);
    assert_int_equal(b.asym, P384);
    assert_int_equal(b.asyms | b.asyms_free | b.pqcs | b.pqcs_free | b.pqc, 0);
    assert_int_equal(n, 2);
    assert_true(s[0].provisioned && !s[0].protected && s[0].slot == 0);
    assert_true(!s[1].provisioned && s[1].slot == 1 && s[1].digest.n == BANK_HASH && bank_device_zero(s[1].digest));
    assert_int_equal(s[0].size, 2000);
    assert_int_equal(s[0].model | s[0].key_pair, 0); /* S12, V10 */
    b = bank_device_details(&d, 1, s, &n);
    assert_true(!b.selected && b.configurable);
    assert_int_equal(b.asyms, P256 | P384 | P521);
    assert_int_equal(b.asym, P256);
    assert_int_equal(b.asyms_free, P256 | P521); /* P-384 is another bank's, its own is not */
    assert_int_equal(n, 3);
    assert_true(s[0].provisioned && s[2].protected && !s[2].provisioned && s[2].slot == 2);
    b = bank_device_details(&d, 2, s, &n);
    assert_true(!b.selected && b.configurable);
    assert_int_equal(b.asyms_free, P521);
    assert_int_equal(b.pqcs, ML_DSA_65);
    assert_int_equal(b.pqcs_free, ML_DSA_65);
    assert_int_equal(b.asym | b.pqc, 0);
    assert_int_equal(n, 1);
    pair_close(&d.pair);
    bank_device_init(&d, 0);
    bank_device_multi_key(&d);
    pair_start(&d.pair);
    (void)bank_device_details(&d, 0, s, &n);
    assert_int_equal(s[0].key_pair, 1);
    assert_int_equal(s[0].usage, 0xf);
    assert_int_equal(s[0].model, SPDM_CERT_DEVICE);
    assert_int_equal(s[1].key_pair, 2); /* a key and no certificates (state 3, V16) */
    assert_int_equal(s[1].model, 0);
    assert_int_equal(s[1].usage, 0x2);
    (void)bank_device_details(&d, 1, s, &n);
    assert_int_equal(s[0].key_pair, 3); /* of that bank's algorithm, not pair 1 */
    assert_int_equal(s[0].model, SPDM_CERT_ALIAS);
    assert_int_equal(s[1].key_pair | s[1].usage, 0);
    pair_close(&d.pair);
    bank_device_init(&d, 0);
    bank_device_multi_key(&d);
    d.pair.rsp_policy.flags &= ~(uint32_t)SPDM_MULTI_KEY_CAP_MASK;
    pair_start(&d.pair);
    (void)bank_device_details(&d, 1, s, &n);
    assert_int_equal(s[0].key_pair | s[0].model, 0); /* S12, V10 */
    assert_int_equal(s[0].usage, 0x1);               /* S13 */
    pair_close(&d.pair);
}

static void put(struct spdm_span chain, const struct spdm_bank_slot *slot)
{
    struct toy toy = {0};
    uint64_t hash[4] = {0};
    uint8_t digest[SPDM_HASH_MAX];

    assert_true(toy_crypto.hash_begin(&toy, hash, SPDM_SHA_384));
    assert_true(toy_crypto.hash_update(&toy, hash, chain));
    assert_true(toy_crypto.hash_peek(&toy, hash, digest));
    toy_crypto.hash_end(&toy, hash);
    assert_int_equal(slot->digest.n, BANK_HASH);
    assert_memory_equal(slot->digest.p, digest, BANK_HASH);
}

/* A chain of a bank that is not in use, whole, and as the bank's details announce it (withstand 88). */
static void test_chain(void **state)
{
    struct spdm_bank_slot s[SPDM_SLOT_N + 1];
    uint8_t chain[4 + BANK_HASH + CERTIFICATES];
    unsigned n;

    (void)state;
    bank_device_init(&d, 0);
    pair_start(&d.pair);
    assert_true(bank_device_ask(&d, (struct spdm_slots_order){.sub_code = SPDM_SLOTS_CHAIN, .bank = 1}));
    assert_int_equal(d.pair.reply_n, sizeof chain);
    memcpy(chain, d.pair.reply, sizeof chain);
    assert_int_equal(chain[0] | chain[1] << 8, sizeof chain);
    assert_memory_equal(chain + 4 + BANK_HASH, bank_device_certificates().p, CERTIFICATES);
    (void)bank_device_details(&d, 1, s, &n);
    put((struct spdm_span){chain, sizeof chain}, &s[0]);
    assert_true(bank_device_ask(&d, (struct spdm_slots_order){.sub_code = SPDM_SLOTS_CHAIN, .bank = 0}));
    n = (unsigned)d.pair.reply_n;
    assert_int_equal(n, 4 + BANK_HASH + d.banks[0].slot[0].certificates.n);
    assert_true(pair_run(&d.pair, &(struct spdm_goal){.want = SPDM_WANT_IDENTITY})); /* the same by GET_CERTIFICATE */
    assert_memory_equal(d.pair.chain, d.pair.reply, n);
    pair_close(&d.pair);
}

/* DIGESTS, CERTIFICATE and CHALLENGE see the bank in use and nothing of the identity's own slots. */
static void test_selected(void **state)
{
    static const uint8_t p256[] = {SPDM_ECDSA_P256, 0};
    const struct spdm_goal goal = {.want = SPDM_WANT_IDENTITY | SPDM_WANT_CHALLENGE};

    (void)state;
    bank_device_init(&d, 0);
    d.pair.identity.slot[1] = d.pair.identity.slot[4] = d.pair.identity.slot[0];
    d.pair.identity.supported = 0xf0;
    pair_start(&d.pair);
    assert_true(pair_run(&d.pair, &goal));
    talk_expect(&d.pair, SPDM_V14, "14 81 00 00", "14 01 03 01");
    talk_expect(&d.pair, SPDM_V14, "14 82 04 00 0000 ffff", "14 7f 01 00");
    pair_close(&d.pair);
    bank_device_init(&d, 0); /* P-256: bank 1, which has another chain */
    d.banks[1].slot[0].signs = p256;
    d.pair.identity.slot[0] = d.banks[1].slot[0]; /* what the requester believes in */
    d.pair.req_policy.signatures = p256;
    pair_start(&d.pair);
    assert_true(pair_run(&d.pair, &goal));
    talk_expect(&d.pair, SPDM_V14, "14 81 00 00", "14 01 07 01");
    talk_expect(&d.pair, SPDM_V14, "14 82 02 00 0000 ffff", "14 7f 01 00");
    d.banks[1].asym = 0; /* configured anew while in use: there is no slot any more */
    talk_expect(&d.pair, SPDM_V14, "14 82 00 00 0000 ffff", "14 7f 01 00");
    talk_expect(&d.pair, SPDM_V14, "14 83 00 00 nonce context", "14 7f 01 00");
    pair_close(&d.pair);
}

/* ---- requests that are refused ---- */

struct talked {
    const char *request, *answer;
};

static void check(const struct talked *cases, size_t n)
{
    bank_device_init(&d, EVERY);
    d.pair.rsp_policy.trusted_place = true;
    pair_start(&d.pair);
    assert_true(pair_run(&d.pair, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}));
    for (size_t i = 0; i < n; i++) {
        unsigned before = d.pair.errands;

        talk_expect(&d.pair, SPDM_V14, cases[i].request, cases[i].answer);
        if (strncmp(cases[i].answer, "14 7f", 5) == 0) assert_int_equal(d.pair.errands, before);
    }
    pair_close(&d.pair);
}

static void test_refused(void **state)
{
    static const struct talked cases[] = {
        {"14 88 00 00 0800 0000", "14 7f 01 00"}, /* no structure is due */
        {"14 88 01 00 0800 0000", "14 7f 01 00"},
        {"14 88 02 00 0000 0000", "14 7f 01 00"}, /* one is due */
        {"14 88 02 00 0700 0000 0800 0000 00 00 0000", "14 7f 01 00"},
        {"14 88 02 00 ffff 0000 0800 0000 00 00 0000", "14 7f 01 00"},
        {"14 88 02 00 0900 0000 a5 0800 0000 00 00 0000", "14 08 02 00"},
        {"14 88 02 00 0800 0000 0900 0000 00 00 0000", "14 7f 01 00"}, /* ReqLength */
        {"14 88 02 00 0800 0000 0700 0000 00 00 0000", "14 7f 01 00"},
        {"14 88 02 00 0800 0000 0800 0000 00 00", "14 7f 01 00"},
        {"14 88 02 00 " ADDRESS("03", "00"), "14 7f 01 00"}, /* no such bank */
        {"14 88 02 00 " ADDRESS("ff", "00"), "14 7f 01 00"},
        {"14 88 02 00 " ADDRESS("02", "09"), "14 08 02 00"}, /* SlotID does not count here */
        {"14 88 03 00 " ADDRESS("00", "00"), "14 08 03 00"},
        {"14 88 03 00 " ADDRESS("00", "f0"), "14 08 03 00"}, /* reserved bits */
        {"14 88 03 00 " ADDRESS("00", "01"), "14 7f 01 00"}, /* nothing in it */
        {"14 88 03 00 " ADDRESS("00", "02"), "14 7f 01 00"}, /* no such slot */
        {"14 88 03 00 " ADDRESS("00", "08"), "14 7f 01 00"},
        {"14 88 03 00 " ADDRESS("00", "0f"), "14 7f 01 00"},
        {"14 88 03 00 " ADDRESS("ff", "00"), "14 7f 01 00"},
        {"14 88 04 00 " ADDRESS("01", "0f") "00 00 0000 0000 0000", "14 08 04 00 0800"}, /* GetCSR */
        {"14 88 04 00 " ADDRESS("01", "00") "01 00 0000 0000 0000", "14 7f 01 00"},
        {"14 88 04 00 " ADDRESS("01", "00") "00 01 0000 0000 0000", "14 7f 01 00"},
        {"14 88 04 00 " ADDRESS("01", "00") "00 88 0000 0000 0000", "14 7f 01 00"}, /* Overwrite with a tag */
        {"14 88 04 00 " ADDRESS("01", "00") "00 08 0000 0000 0000", "14 7f 01 00"}, /* a tag without resets */
        {"14 88 04 00 " ADDRESS("01", "00") "00 00 0000 0200 0000 3000", "14 08 04 00"},
        {"14 88 04 00 " ADDRESS("01", "00") "00 00 0000 0200 0000 0500", "14 7f 01 00"},
        {"14 88 04 00 " ADDRESS("01", "00") "00 00 0000 0300 0000 3000", "14 7f 01 00"},
        {"14 88 04 00 " ADDRESS("01", "00") "00 00 0000 0000 0104", "14 7f 01 00"}, /* 1025 bytes of opaque data */
    };

    (void)state;
    check(cases, sizeof cases / sizeof *cases);
}

static void test_changes_refused(void **state)
{
    static const struct talked cases[] = {
        {"14 88 20 00 " ADDRESS("02", "00") "02 000000 20000000 00", "14 7f 01 00"}, /* ManageBank: Operation */
        {"14 88 20 00 " ADDRESS("02", "00") "00 000000 20000000 00", "14 7f 01 00"},
        {"14 88 20 00 " ADDRESS("02", "00") "01 000000 00000000 0400000000", "14 7f 01 00"}, /* no bit (S4) */
        {"14 88 20 00 " ADDRESS("02", "00") "01 000000 28000000 00", "14 7f 01 00"},         /* two */
        {"14 88 20 00 " ADDRESS("02", "00") "01 000000 20000000 0402000000", "14 7f 01 00"}, /* one of each */
        {"14 88 20 00 " ADDRESS("02", "00") "01 000000 08000000 00", "14 7f 01 00"},         /* another bank's */
        {"14 88 20 00 " ADDRESS("02", "00") "01 000000 40000000 00", "14 7f 01 00"},         /* not possible */
        {"14 88 20 00 " ADDRESS("02", "00") "01 000000 00000000 0401000000", "14 7f 01 00"},
        {"14 88 20 00 " ADDRESS("02", "00") "01 000000 00000000 0502000000", "14 7f 01 00"}, /* cut */
        {"14 88 20 00 " ADDRESS("00", "00") "01 000000 10000000 00", "14 7f 01 00"},         /* not configurable, V4 */
        {"14 88 20 00 " ADDRESS("01", "00") "01 000000 20000000 00", "14 7f 47 00"},         /* a chain is in the way */
        {"14 88 20 00 " ADDRESS("01", "00") "01 000000 10000000 00", "14 7f 01 00"},         /* looked at before that */
        {"14 88 20 00 " ADDRESS("01", "00") "01 000000 08000000 00", "14 08 20 00 0000 0000"}, /* as it is */
        {"14 88 21 00 " ADDRESS("00", "01") "01 000000", "14 7f 01 00"},                       /* empty already */
        {"14 88 21 00 " ADDRESS("00", "00") "00 000000", "14 7f 01 00"},
        {"14 88 21 00 " ADDRESS("01", "02") "01 000000", "14 7f 01 00"}, /* protected */
        {"14 88 21 00 " ADDRESS("00", "02") "01 000000", "14 7f 01 00"},
        {"14 88 22 00 " ADDRESS("00", "00") "34000000 00 00 0000", "14 7f 01 00"}, /* SetCertificate */
        {"14 88 22 00 " ADDRESS("00", "00") "00000000 00 00 0000", "14 7f 01 00"},
        {"14 88 22 00 " ADDRESS("00", "00") "04000000 00 00 0000 04000000", "14 7f 01 00"},
    };

    (void)state;
    check(cases, sizeof cases / sizeof *cases);
    assert_int_equal(d.banks[1].asym, P256);
    assert_int_equal(d.banks[2].asym | d.banks[2].pqc, 0);
}

/* Below 1.4, without the capability, before there is a hash. */
static void test_not_here(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        bank_device_init(&d, EVERY);
        if (i == 0) d.pair.req_policy.versions[0] = SPDM_V13;
        if (i == 1) d.pair.rsp_policy.ext_flags = 0;
        pair_start(&d.pair);
        assert_int_equal(bank_device_ask(&d, (struct spdm_slots_order){.sub_code = SPDM_SLOTS_BANKS}), i == 2);
        if (i != 2) {
            assert_int_equal(d.pair.failure.why, SPDM_WHY_CANNOT);
            talk_expect(&d.pair, d.pair.req_policy.versions[0], "vv 88 01 00 0000 0000", "vv 7f 07 88");
        }
        pair_close(&d.pair);
    }
    bank_device_init(&d, EVERY);
    pair_start(&d.pair);
    talk_phase(&d.pair, SPDM_V14, 'C');
    talk_expect(&d.pair, SPDM_V14, "14 88 01 00 0000 0000", "14 7f 04 00");
    pair_close(&d.pair);
}

/* Longer than the other side takes in one piece: said with its size. */
static void test_too_large(void **state)
{
    (void)state;
    bank_device_init(&d, EVERY);
    d.pair.req_config.data_transfer_size = 42;
    pair_start(&d.pair);
    assert_true(bank_device_ask(&d, (struct spdm_slots_order){.sub_code = SPDM_SLOTS_BANKS}));
    assert_false(bank_device_ask(&d, (struct spdm_slots_order){.sub_code = SPDM_SLOTS_SUPPORTED}));
    assert_int_equal(d.pair.failure.error, 0x0d);
    talk_expect(&d.pair, SPDM_V14, "14 88 00 00 0000 0000", "14 7f 0d 00 2c000000");
    talk_expect(&d.pair, SPDM_V14, "14 88 02 00 " ADDRESS("00", "00"), "14 7f 0d 00 af000000");
    talk_expect(&d.pair, SPDM_V14, "14 88 03 00 " ADDRESS("01", "00"), "14 7f 0d 00 00030000");
    pair_close(&d.pair);
}

/* ---- responses that are refused ---- */

struct edit {
    uint8_t sub_code;
    const char *bytes; /* at=value, in the message */
    uint8_t why;
    const char *field;
};
static const struct edit *edit_now;

static size_t change(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    char *rest;

    (void)pair;
    if (to_responder || frame[2] != 0x08) return n;
    for (const char *at = edit_now->bytes; *at != '\0'; at = *rest == ',' ? rest + 1 : rest) {
        unsigned long where = strtoul(at, &rest, 10);

        frame[1 + where] = (uint8_t)strtoul(rest + 1, &rest, 16);
    }
    return n;
}

static void test_judged(void **state)
{
    static const struct edit edits[] = {
        {0x00, "2=20", SPDM_WHY_MISMATCH, "SubCode"},
        {0x00, "12=07", SPDM_WHY_BAD_VALUE, "SubCodeBitmap"},
        {0x00, "8=23", SPDM_WHY_SHORT, NULL},
        {0x00, "8=25", SPDM_WHY_SHORT, NULL},
        {0x00, "4=00", SPDM_WHY_TOO_SMALL, "SlotMgmtRespStruct"},
        {0x00, "4=07", SPDM_WHY_BAD_VALUE, "MgmtStructOffset"},
        {0x00, "4=ff", SPDM_WHY_SHORT, NULL},
        {0x00, "0=13", SPDM_WHY_BAD_VERSION, "SPDMVersion"},
        {0x01, "12=04", SPDM_WHY_SHORT, NULL}, /* more banks than there are bytes */
        {0x01, "12=ff", SPDM_WHY_SHORT, NULL},
        {0x01, "16=03", SPDM_WHY_TOO_SMALL, "ElementLength"},
        {0x01, "24=ff", SPDM_WHY_SHORT, NULL},
        {0x01, "19=04", SPDM_WHY_MISMATCH, "ModifiableSlotMask"},
        {0x02, "10=01", SPDM_WHY_MISMATCH, "BankID"},
        {0x02, "12=09", SPDM_WHY_TOO_LONG, "NumSlotElements"},
        {0x02, "12=03", SPDM_WHY_SHORT, NULL},
        {0x02, "20=11", SPDM_WHY_NOT_ONE, "CurrentAsymAlgo"},
        {0x02, "34=01", SPDM_WHY_NOT_ONE, "CurrentPqcAsymAlgo"},
        {0x02, "111=3f", SPDM_WHY_BAD_LENGTH, "ElementLength"},
        {0x02, "47=0f", SPDM_WHY_TOO_SMALL, "ElementLength"},
        {0x02, "48=ff", SPDM_WHY_SHORT, NULL},
        {0x02, "113=00", SPDM_WHY_BAD_ORDER, "SlotID"}, /* slot 0 twice */
        {0x02, "113=08", SPDM_WHY_BAD_SLOT, "SlotID"},
        {0x03, "8=ff,9=ff,10=ff,11=ff", SPDM_WHY_SHORT, NULL},
        {0x03, "8=00,9=00", SPDM_WHY_TOO_SMALL, "CCLength"},
        {0x04, "8=00", SPDM_WHY_TOO_SMALL, "CSRLength"},
    };

    (void)state;
    bank_device_init(&d, EVERY);
    d.pair.wire = change;
    pair_start(&d.pair);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        edit_now = &edits[i];
        assert_false(bank_device_ask(&d, (struct spdm_slots_order){.sub_code = edits[i].sub_code}));
        assert_int_equal(d.pair.replies, 0);
        if (d.pair.failure.why != edits[i].why) fail_msg("%s: %s", edits[i].bytes, spdm_why_name(d.pair.failure.why));
        if (edits[i].field != NULL && strcmp(d.pair.failure.field, edits[i].field) != 0) {
            fail_msg("%s: %s", edits[i].bytes, d.pair.failure.field);
        }
    }
    pair_close(&d.pair);
}

/* ---- readers ---- */

static const uint8_t told[] = "\x3b\0\1\0\1\0\3\0\x18\0\0\0\x10\0\0\0\x10\0\0\0\4\0\0\0\0\4\0\0\0\0\4\0\0\0\0\0\0\0\0"
                              "\x14\0\5\0\3\7\2\0\x0f\0\0\0\x00\x10\0\0\1\2\3\4";

static void test_readers(void **state)
{
    uint8_t elements[] = {4, 0, 3, 2, 6, 1, 1, 1, 0xa5, 0xa5}, bytes[sizeof told - 1];
    struct spdm_span rest = {elements, sizeof elements};
    struct spdm_bank_details b;
    struct spdm_bank_element e;
    struct spdm_bank_slot s;

    (void)state;
    assert_true(spdm_bank_next(&rest, &e));
    assert_true(spdm_bank_next(&rest, &e)); /* longer than we know */
    assert_int_equal(e.bank, 1);
    assert_int_equal(rest.n, 0);
    assert_false(spdm_bank_next(&rest, &e));
    for (size_t n = 1; n < 4; n++) {
        rest = (struct spdm_span){elements, n};
        assert_false(spdm_bank_next(&rest, &e));
        assert_int_equal(rest.n, n);
    }
    memcpy(bytes, told, sizeof bytes);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        uint8_t *copy = malloc(n != 0 ? n : 1); /* exactly as large */

        memcpy(copy, told, n);
        assert_int_equal(spdm_bank_open((struct spdm_span){copy, n}, &b, &rest), n == sizeof bytes);
        free(copy);
    }
    assert_true(spdm_bank_open((struct spdm_span){bytes, sizeof bytes}, &b, &rest));
    assert_int_equal(b.bank, 1);
    assert_true(b.selected && b.configurable);
    assert_int_equal(b.asyms, 0x18);
    assert_int_equal(rest.n, 20);
    assert_true(spdm_bank_slot_next(&rest, &s));
    assert_int_equal(s.slot, 5);
    assert_true(s.provisioned && s.protected);
    assert_int_equal(s.key_pair, 7);
    assert_int_equal(s.model, 2);
    assert_int_equal(s.usage, 0xf);
    assert_int_equal(s.size, 0x1000);
    assert_int_equal(s.digest.n, 4);
    assert_memory_equal(s.digest.p, "\1\2\3\4", 4);
    assert_false(spdm_bank_slot_next(&rest, &s));
    assert_int_equal(rest.n, 0);
    for (size_t n = 1; n < 20; n++) {
        rest = (struct spdm_span){bytes + 39, n};
        assert_false(spdm_bank_slot_next(&rest, &s));
        assert_int_equal(rest.n, n);
    }
    bytes[0] = 10; /* shorter than itself: no slots */
    assert_true(spdm_bank_open((struct spdm_span){bytes, sizeof bytes}, &b, &rest));
    assert_int_equal(rest.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sub_codes),       cmocka_unit_test(test_banks),    cmocka_unit_test(test_details),
        cmocka_unit_test(test_chain),           cmocka_unit_test(test_selected), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_changes_refused), cmocka_unit_test(test_not_here), cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_judged),          cmocka_unit_test(test_readers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
