/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a device tells of itself: the measurement extension log in portions, its
 * offsets and its end; endpoint information, signed or not, from either side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/talk.h"

/* Two entries: index 1 extends measurement 3 by a digest, index 2 measurement 4 by "hello". */
static const uint8_t entries[] = "\x02\0\0\0\x20\0\0\0\0\0\0\0\0\0\0\0"
                                 "\x01\0\0\0\x03\0\0\0\x08\x05\0\xd1\xd2\xd3\xd4\xd5"
                                 "\x02\0\0\0\x04\0\0\0\x89\x05\0hello";
enum { ENTRIES = sizeof entries - 1, LOG = 3000 };
/* PCI-SIG's class with two parts, and DMTF's without any */
static const uint8_t classes[] = "\x02\0\0\0\x0a\x03\x02\x86\x80\x02\x01\xaa\x02\x01\x02\x03\0\0\0";
enum { CLASSES = sizeof classes - 1 };

static struct pair p;
static struct {
    uint8_t *log; /* exactly as long as it is */
    size_t log_n;
    uint8_t read[LOG];
    size_t read_n;
    uint32_t session;
} world;

static void answer(struct pair *pair, const struct spdm_event *ev, struct spdm_answer *a)
{
    (void)pair;
    a->yes = true;
    if (ev->kind == SPDM_ASK_LOG) a->data = (struct spdm_span){world.log, world.log_n};
    else if (ev->kind == SPDM_ASK_ENDPOINT) a->data = (struct spdm_span){classes, CLASSES};
    else fail();
}

static void set_log(size_t n)
{
    free(world.log);
    world.log = malloc(n);
    assert_non_null(world.log);
    for (size_t i = 0; i < n; i++) world.log[i] = (uint8_t)(i * 13 + i / 256);
    world.log_n = n;
}

static void begin(uint8_t version)
{
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    p.req_policy.mel = p.rsp_policy.mel = true;
    p.rsp_policy.flags |= SPDM_MEL_CAP | SPDM_EP_INFO_CAP_SIGNED;
    p.errand = answer;
    set_log(LOG);
}

static void end(void)
{
    pair_close(&p);
    free(world.log);
    world.log = NULL;
}

/* Every portion that passes is put behind the ones before it. */
static size_t collect(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)pair;
    if (!to_responder && frame[2] == 0x6f && n > 13) {
        assert_true(world.read_n + n - 13 <= sizeof world.read);
        memcpy(world.read + world.read_n, frame + 13, n - 13);
        world.read_n += n - 13;
    }
    return n;
}

static bool read_log(uint32_t offset, uint32_t length)
{
    union spdm_order order = {.log = {.offset = offset, .length = length}};
    struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_log, .order = &order};

    world.read_n = 0;
    p.replies = 0;
    return pair_run(&p, &goal);
}

static void test_log(void **state)
{
    static const uint32_t sizes[] = {42, 100, 1000, 4096};

    (void)state;
    for (uint8_t version = SPDM_V13; version <= SPDM_V14; version++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            begin(version);
            p.req_config.data_transfer_size = 4096;
            p.wire = collect;
            pair_start(&p);
            assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}));
            p.req_config.data_transfer_size = sizes[i];
            assert_true(read_log(0, 0));
            assert_int_equal(world.read_n, LOG);
            assert_memory_equal(world.read, world.log, LOG);
            assert_int_equal(p.replies, (LOG + sizes[i] - 13) / (sizes[i] - 12));
            assert_true(read_log(LOG - 1, 0));
            assert_int_equal(p.reply_n, 1);
            assert_true(read_log(17, 200));
            assert_int_equal(world.read_n, 200);
            assert_memory_equal(world.read, world.log + 17, 200);
            assert_true(read_log(LOG - 10, 200)); /* there is no more */
            assert_int_equal(world.read_n, 10);
            assert_false(read_log(LOG, 0));
            assert_int_equal(p.failure.error, 1);
            end();
        }
    }
}

static void test_log_offsets(void **state)
{
    static const struct {
        const char *request, *answer;
    } cases[] = {
        /* withstand 39: offset and length beyond all bounds */
        {"13 ef 00 00 00000000 ffffffff", "13 6f 00 00 b80b0000 00000000 00"},
        {"13 ef 00 00 b70b0000 ffffffff", "13 6f 00 00 01000000 00000000"},
        {"13 ef 00 00 b80b0000 01000000", "13 7f 01 00"},
        {"13 ef 00 00 b80b0000 00000000", "13 7f 01 00"},
        {"13 ef 00 00 b90b0000 ffffffff", "13 7f 01 00"},
        {"13 ef 00 00 ffffffff ffffffff", "13 7f 01 00"},
        {"13 ef 00 00 ffffffff 01000000", "13 7f 01 00"},
        {"13 ef 00 00 000b0000 00f5ffff", "13 6f 00 00 b8000000 00000000"}, /* the sum is 2^32 */
        {"13 ef 00 00 00000000 00000000", "13 6f 00 00 00000000 b80b0000"},
        {"13 ef 00 00 01000000 02000000", "13 6f 00 00 02000000 b50b0000 0d1a"},
        {"13 ef 00 00 01000000 020000", "13 7f 01 00"},
    };

    (void)state;
    begin(SPDM_V13);
    pair_start(&p);
    assert_true(read_log(0, 1));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        talk_expect(&p, SPDM_V13, cases[i].request, cases[i].answer);
    p.errand = NULL; /* the log cannot be had (R-MEL-07) */
    talk_expect(&p, SPDM_V13, "13 ef 00 00 00000000 ffffffff", "13 7f 44 00");
    end();
    begin(SPDM_V13); /* no log format was agreed on (R-MEL-06) */
    p.rsp_policy.mel = false;
    pair_start(&p);
    assert_false(read_log(0, 0));
    assert_int_equal(p.failure.error, 4);
    end();
    begin(SPDM_V13);
    p.rsp_policy.flags &= ~(uint32_t)SPDM_MEL_CAP;
    pair_start(&p);
    assert_false(read_log(0, 0));
    assert_int_equal(p.failure.why, SPDM_WHY_CANNOT);
    talk_expect(&p, SPDM_V13, "13 ef 00 00 00000000 ffffffff", "13 7f 07 ef");
    end();
}

/* ---- a log that lies ---- */

static struct {
    unsigned from; /* which response */
    uint32_t portion, remainder;
    unsigned seen;
} lie;

static void put(uint8_t *at, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++) at[i] = (uint8_t)(v >> (8 * i));
}

static size_t lying(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)pair;
    if (to_responder || frame[2] != 0x6f || lie.seen++ < lie.from) return n;
    put(frame + 5, lie.portion);
    put(frame + 9, lie.remainder);
    return 13 + lie.portion;
}

static void test_log_lies(void **state)
{
    static const struct {
        unsigned from;
        uint32_t portion, remainder;
        uint8_t why;
        const char *field;
    } lies[] = {
        {0, 0, 100, SPDM_WHY_TOO_SMALL, "PortionLength R-MEL-13"}, /* withstand 42 */
        {0, 0, 0, SPDM_WHY_TOO_SMALL, "PortionLength R-MEL-13"},
        {0, 89, 0, SPDM_WHY_TOO_LONG, "PortionLength R-MEL-03"},
        {0, 88, 0xffffffff, SPDM_WHY_TOO_LONG, "RemainderLength"},
        {1, 88, 0xffffff50, SPDM_WHY_TOO_LONG, "RemainderLength"},
        {1, 88, 0, SPDM_WHY_TOO_SMALL, "RemainderLength R-MEL-10"}, /* shorter than it was */
        {1, 1, 1000000, SPDM_WHY_LIMIT, "the number of GET_MEASUREMENT_EXTENSION_LOG"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        begin(SPDM_V13);
        p.req_config.data_transfer_size = 100;
        p.req_policy.certificate_requests = 50;
        p.wire = lying;
        lie.seen = 0;
        lie.from = lies[i].from;
        lie.portion = lies[i].portion;
        lie.remainder = lies[i].remainder;
        pair_start(&p);
        assert_false(read_log(0, 0));
        if (p.failure.why != lies[i].why) fail_msg("lie %zu: %s", i, spdm_why_name(p.failure.why));
        assert_string_equal(p.failure.field, lies[i].field);
        assert_true(p.replies <= 50);
        end();
    }
}

static size_t growing(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    n = collect(pair, to_responder, frame, n);
    if (to_responder || frame[2] != 0x6f || world.log_n != 1000) return n;
    set_log(1500);
    return n;
}

static void test_log_grows(void **state)
{
    (void)state;
    begin(SPDM_V14);
    set_log(1000);
    p.req_config.data_transfer_size = 800;
    p.wire = growing;
    pair_start(&p);
    assert_true(read_log(0, 0));
    assert_int_equal(world.read_n, 1500);
    assert_memory_equal(world.read, world.log, 1500);
    end();
}

static void test_log_entries(void **state)
{
    struct spdm_span rest;
    struct spdm_log_entry e;
    uint32_t n = 0;

    (void)state;
    assert_true(spdm_log_open((struct spdm_span){entries, ENTRIES}, &n, &rest));
    assert_int_equal(n, 2);
    assert_true(spdm_log_next(&rest, &e));
    assert_true(e.index == 1 && e.measurement == 3 && e.type == SPDM_MEAS_HASH_EXTEND && !e.raw && e.value.n == 5);
    assert_true(spdm_log_next(&rest, &e));
    assert_true(e.index == 2 && e.measurement == 4 && e.type == SPDM_MEAS_INFORMATIONAL && e.raw);
    assert_memory_equal(e.value.p, "hello", 5);
    assert_false(spdm_log_next(&rest, &e));
    assert_int_equal(rest.n, 0);
    for (size_t cut = 0; cut < ENTRIES; cut++) {
        uint8_t *exact = malloc(cut + 1);

        memcpy(exact, entries, cut);
        assert_false(spdm_log_open((struct spdm_span){exact, cut}, &n, &rest)); /* less than it says it has */
        rest = cut < 16 ? (struct spdm_span){0} : (struct spdm_span){exact + 16, cut - 16};
        while (spdm_log_next(&rest, &e)) assert_true(e.value.p + e.value.n <= exact + cut);
        if (cut != 16 && cut != 32 && cut > 16) assert_true(rest.n != 0);
        free(exact);
    }
}

/* ---- endpoint information ---- */

static bool ask_endpoint(bool sign, unsigned more, uint32_t session)
{
    union spdm_order order = {.endpoint = {.sub_code = SPDM_ENDPOINT_DEVICE_CLASS, .sign = sign}};
    struct spdm_goal goal = {
        .want = SPDM_WANT_ERRAND | more, .errand = &spdm_errand_endpoint, .order = &order, .session = session};

    p.replies = 0;
    p.reply_proven = false;
    return pair_run(&p, &goal);
}

static void expect_info(bool proven)
{
    assert_int_equal(p.replies, 1);
    assert_int_equal(p.reply_n, CLASSES);
    assert_memory_equal(p.reply, classes, CLASSES);
    assert_int_equal(p.reply_proven, proven);
}

static void test_endpoint(void **state)
{
    (void)state;
    for (uint8_t version = SPDM_V13; version <= SPDM_V14; version++) {
        begin(version);
        pair_sessions(&p, 1);
        pair_start(&p);
        assert_true(ask_endpoint(false, 0, 0));
        expect_info(false);
        assert_int_equal(p.trust_asked, 0);
        assert_true(ask_endpoint(true, 0, 0));
        expect_info(true);
        assert_int_equal(p.trust_asked, 1); /* signed: whose signature is it */
        assert_true(ask_endpoint(true, SPDM_WANT_SESSION, 0));
        expect_info(true);
        assert_true(ask_endpoint(false, 0, p.opened_rq));
        expect_info(false);
        end();
    }
}

/* With a provisioned key, whose slot is 0xf, classical and post-quantum (withstand 90). */
static void expect_with_key(uint8_t version, const uint8_t *algorithm)
{
    static const uint8_t key[] = "the public key itself";
    union spdm_order order = {.endpoint = {.sub_code = SPDM_ENDPOINT_DEVICE_CLASS, .sign = true}};
    struct spdm_goal goal = {
        .want = SPDM_WANT_ERRAND, .use_key = true, .errand = &spdm_errand_endpoint, .order = &order};
    uint8_t digest[SPDM_HASH_MAX];

    begin(version);
    pair_chunks(&p, 1024, PAIR_LENT);
    if (algorithm != NULL) p.req_policy.signatures = p.rsp_policy.signatures = algorithm;
    p.rsp_policy.flags =
        SPDM_PUB_KEY_ID_CAP | SPDM_EP_INFO_CAP_SIGNED | SPDM_MEAS_CAP_SIGNED | SPDM_CHAL_CAP | SPDM_CHUNK_CAP;
    p.identity.public_key = (struct spdm_span){key, sizeof key};
    p.identity.public_key_signs = p.rsp_policy.signatures;
    pair_start(&p);
    assert_true(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}));
    memset(digest, 1, sizeof digest); /* nobody asks for it here */
    spdm_requester_trust(p.rq, SPDM_SLOT_KEY, (struct spdm_span){digest, 48}, &p.key);
    assert_true(pair_run(&p, &goal));
    expect_info(true);
}

static void test_endpoint_key(void **state)
{
    static const uint8_t newer[][2] = {{SPDM_ML_DSA_44, 0}, {SPDM_ML_DSA_87, 0}, {SPDM_SLH_DSA_SHA2_128S, 0}};

    (void)state;
    expect_with_key(SPDM_V13, NULL);
    talk_expect(&p, SPDM_V13, "13 87 01 0f 01 000000 nonce", "13 07 00 0f 00000000");
    talk_expect(&p, SPDM_V13, "13 87 01 01 01 000000 nonce", "13 7f 01 00");
    end();
    for (size_t i = 0; i < sizeof newer / sizeof *newer; i++) {
        expect_with_key(SPDM_V14, newer[i]);
        assert_int_equal(spdm_requester_facts(p.rq)->signature, newer[i][0]);
        end();
    }
}

static void test_endpoint_refused(void **state)
{
    static const struct {
        const char *request, *answer;
    } cases[] = {
        {"13 87 01 00 00 000000", "13 07 00 00 00000000 13000000 02000000"},
        {"13 87 01 05 00 000000", "13 07 00 00 00000000 13000000"}, /* unsigned: no slot */
        {"13 87 00 00 00 000000", "13 7f 01 00"},
        {"13 87 02 00 00 000000", "13 7f 01 00"},
        {"13 87 01 00 01 000000 nonce", "13 07 00 00 00000000"},
        {"13 87 01 01 01 000000 nonce", "13 7f 01 00"}, /* an empty slot */
        {"13 87 01 08 01 000000 nonce", "13 7f 01 00"},
        {"13 87 01 0f 01 000000 nonce", "13 7f 01 00"}, /* no provisioned key */
        {"13 87 01 00 01 000000", "13 7f 01 00"},       /* no nonce */
        {"13 87 01 00 00 0000", "13 7f 01 00"},
    };

    (void)state;
    begin(SPDM_V13);
    pair_start(&p);
    assert_true(ask_endpoint(false, 0, 0));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        talk_expect(&p, SPDM_V13, cases[i].request, cases[i].answer);
    end();
    begin(SPDM_V13); /* only unsigned */
    p.rsp_policy.flags ^= SPDM_EP_INFO_CAP_MASK;
    pair_start(&p);
    assert_true(ask_endpoint(false, 0, 0));
    assert_false(ask_endpoint(true, 0, 0));
    assert_int_equal(p.failure.why, SPDM_WHY_CANNOT);
    talk_expect(&p, SPDM_V13, "13 87 01 00 01 000000 nonce", "13 7f 07 87");
    end();
    begin(SPDM_V13); /* not even that */
    p.rsp_policy.flags &= ~(uint32_t)SPDM_EP_INFO_CAP_MASK;
    pair_start(&p);
    assert_false(ask_endpoint(false, 0, 0));
    talk_expect(&p, SPDM_V13, "13 87 01 00 00 000000", "13 7f 07 87");
    end();
    begin(SPDM_V13); /* a key that is not for this (R-EPI-04) */
    p.rsp_policy.flags |= SPDM_MULTI_KEY_CAP_ONLY | SPDM_GET_KEY_PAIR_INFO_CAP;
    p.identity.slot[0].usage = SPDM_USE_CHALLENGE | SPDM_USE_MEASUREMENT | SPDM_USE_KEY_EX;
    pair_start(&p);
    assert_false(ask_endpoint(true, 0, 0));
    assert_int_equal(p.failure.error, 1);
    p.identity.slot[0].usage = SPDM_USE_ENDPOINT_INFO;
    assert_true(ask_endpoint(true, 0, 0));
    end();
}

static size_t flip_at;

static size_t flip(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)pair;
    if (!to_responder && frame[2] == 0x07 && flip_at < n) frame[flip_at] ^= 1;
    return n;
}

/* Any bit that is not the one that was signed. */
static void test_endpoint_tampered(void **state)
{
    enum { SIGNED = 1 + 44 + CLASSES + 96 };

    (void)state;
    begin(SPDM_V14);
    p.wire = flip;
    flip_at = 9999;
    pair_start(&p);
    assert_true(ask_endpoint(true, 0, 0));
    for (flip_at = 1; flip_at < SIGNED; flip_at++) {
        if (ask_endpoint(true, 0, 0)) fail_msg("byte %zu", flip_at);
        assert_int_equal(p.replies, 0);
    }
    assert_true(ask_endpoint(true, 0, 0));
    end();
}

static void test_endpoint_wrong_key(void **state)
{
    struct toy_key other = {.id = 9};

    (void)state;
    begin(SPDM_V14);
    p.trusted = &other;
    pair_start(&p);
    assert_false(ask_endpoint(true, 0, 0));
    assert_int_equal(p.failure.why, SPDM_WHY_BAD_SIGNATURE);
    end();
}

static void test_classes(void **state)
{
    struct spdm_span rest, sub;
    struct spdm_device_class c;
    uint8_t n = 0;

    (void)state;
    assert_true(spdm_device_class_open((struct spdm_span){classes, CLASSES}, &n, &rest));
    assert_int_equal(n, 2);
    assert_true(spdm_device_class_next(&rest, &c));
    assert_true(c.body == 3 && c.vendor.n == 2 && c.vendor.p[0] == 0x86);
    assert_true(spdm_sub_id_next(&c.sub_ids, &sub) && sub.n == 1 && sub.p[0] == 0xaa);
    assert_true(spdm_sub_id_next(&c.sub_ids, &sub) && sub.n == 2);
    assert_false(spdm_sub_id_next(&c.sub_ids, &sub));
    assert_true(spdm_device_class_next(&rest, &c) && c.body == 0 && c.vendor.n == 0 && c.sub_ids.n == 0);
    assert_false(spdm_device_class_next(&rest, &c));
    assert_int_equal(rest.n, 0);
    for (size_t cut = 0; cut < CLASSES; cut++) {
        uint8_t *exact = malloc(cut + 1);

        memcpy(exact, classes, cut);
        assert_int_equal(spdm_device_class_open((struct spdm_span){exact, cut}, &n, &rest), cut >= 4);
        while (spdm_device_class_next(&rest, &c)) {
            while (spdm_sub_id_next(&c.sub_ids, &sub)) assert_true(sub.p + sub.n <= exact + cut);
        }
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_log),
                                       cmocka_unit_test(test_log_offsets),
                                       cmocka_unit_test(test_log_lies),
                                       cmocka_unit_test(test_log_grows),
                                       cmocka_unit_test(test_log_entries),
                                       cmocka_unit_test(test_endpoint),
                                       cmocka_unit_test(test_endpoint_key),
                                       cmocka_unit_test(test_endpoint_refused),
                                       cmocka_unit_test(test_endpoint_tampered),
                                       cmocka_unit_test(test_endpoint_wrong_key),
                                       cmocka_unit_test(test_classes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
