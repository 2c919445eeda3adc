/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a requester asks for a goal, and what it costs: versions and algorithms
 * by policy, slots, cached digests, chains vouched for, portions, the kinds of
 * measurement, provisioned keys, one goal after another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/pair.h"

static struct pair p;

static const struct spdm_goal connect_only = {.want = SPDM_WANT_CONNECT};
static const struct spdm_goal digests = {.want = SPDM_WANT_DIGESTS};
static const struct spdm_goal identity = {.want = SPDM_WANT_IDENTITY};
static const struct spdm_goal challenge = {.want = SPDM_WANT_CHALLENGE};
static const struct spdm_goal all = {.want = SPDM_WANT_CHALLENGE | SPDM_WANT_MEASUREMENTS, .sign = true};

static const struct spdm_facts *facts(void)
{
    return spdm_requester_facts(p.rq);
}

static void only(uint8_t version)
{
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
}

static void begin(uint8_t version)
{
    pair_init(&p);
    if (version != 0) only(version);
}

static void must(const struct spdm_goal *goal)
{
    char text[300];

    if (pair_run(&p, goal)) return;
    spdm_report_text(&p.failure, text, sizeof text);
    fail_msg("1.%u: %s", facts()->version & 15u, text);
}

static void must_fail(const struct spdm_goal *goal, enum spdm_why why)
{
    char text[300];

    if (pair_run(&p, goal)) fail_msg("done, %s expected", spdm_why_name((uint8_t)why));
    spdm_report_text(&p.failure, text, sizeof text);
    if (p.failure.why != (uint8_t)why) fail_msg("%s expected: %s", spdm_why_name((uint8_t)why), text);
}

#define EVERY_VERSION for (uint8_t version = SPDM_V10; version <= SPDM_V14; version++)

/* ---- versions and algorithms ---- */

/* The first of the requester's list that the responder has; 0: none (R-VSN-03). */
static void test_versions(void **state)
{
    static const struct {
        uint8_t ours[6], theirs[6], chosen;
    } rows[] = {
        {{0x14, 0x13, 0x12, 0x11, 0x10}, {0x14, 0x13, 0x12, 0x11, 0x10}, 0x14},
        {{0x14, 0x13, 0x12}, {0x10, 0x11, 0x12, 0x13}, 0x13},
        {{0x14, 0x12}, {0x13, 0x12, 0x11}, 0x12},
        {{0x11, 0x14}, {0x14, 0x11}, 0x11}, /* ours is the order that counts */
        {{0x10}, {0x14, 0x10}, 0x10},
        {{0x14}, {0x13}, 0},
        {{0x12, 0x13}, {0x10, 0x11, 0x14}, 0},
        {{0x15, 0x12}, {0x12}, 0x12}, /* one that no table knows yet */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pair_init(&p);
        memcpy(p.req_policy.versions, rows[i].ours, sizeof rows[i].ours);
        memcpy(p.rsp_policy.versions, rows[i].theirs, sizeof rows[i].theirs);
        pair_start(&p);
        if (rows[i].chosen == 0) must_fail(&all, SPDM_WHY_NO_VERSION);
        else must(&all);
        assert_int_equal(facts()->version, rows[i].chosen);
        assert_int_equal(spdm_responder_facts(p.rs)->version, rows[i].chosen);
        pair_close(&p);
    }
}

/* The responder's order decides among what both have; nothing in common is found out when it is needed. */
static void test_algorithms(void **state)
{
    static const struct {
        uint8_t req_hash[4], rsp_hash[4], req_sign[4], rsp_sign[4], hash, signature;
    } rows[] = {
        {{SPDM_SHA_256, SPDM_SHA_384},
         {SPDM_SHA_384, SPDM_SHA_256},
         {SPDM_ECDSA_P256},
         {SPDM_ECDSA_P256},
         SPDM_SHA_384,
         SPDM_ECDSA_P256},
        {{SPDM_SHA_384, SPDM_SHA_256},
         {SPDM_SHA_256, SPDM_SHA_384},
         {SPDM_ECDSA_P521, SPDM_RSAPSS_3072},
         {SPDM_RSAPSS_3072, SPDM_ECDSA_P521},
         SPDM_SHA_256,
         SPDM_RSAPSS_3072},
        {{SPDM_SHA3_512}, {SPDM_SHA3_512}, {SPDM_SM2, SPDM_ED25519}, {SPDM_ED25519}, SPDM_SHA3_512, SPDM_ED25519},
        {{SPDM_SHA_512},
         {SPDM_SHA_512},
         {SPDM_ML_DSA_65, SPDM_ECDSA_P384},
         {SPDM_ML_DSA_65},
         SPDM_SHA_512,
         SPDM_ML_DSA_65},
        {{SPDM_SHA_256}, {SPDM_SHA_384}, {SPDM_ECDSA_P256}, {SPDM_ECDSA_P256}, 0, SPDM_ECDSA_P256},
        {{SPDM_SHA_256}, {SPDM_SHA_256}, {SPDM_ECDSA_P256}, {SPDM_ECDSA_P384}, SPDM_SHA_256, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(SPDM_V14);
        p.req_policy.hashes = rows[i].req_hash;
        p.rsp_policy.hashes = rows[i].rsp_hash;
        p.req_policy.signatures = rows[i].req_sign;
        p.rsp_policy.signatures = rows[i].rsp_sign;
        p.identity.slot[0].signs = rows[i].rsp_sign;
        pair_start(&p);
        must(&connect_only);
        assert_int_equal(facts()->hash, rows[i].hash);
        assert_int_equal(facts()->signature, rows[i].signature);
        if (rows[i].hash != 0 && rows[i].signature != 0) must(&challenge);
        else assert_false(pair_run(&p, &challenge));
        assert_int_equal(facts()->authentic, rows[i].hash != 0 && rows[i].signature != 0);
        pair_close(&p);
    }
}

/* ---- slots ---- */

/* Slots 0, 1 and 5 have chains of their own. */
static void three_slots(void)
{
    static uint8_t chains[3][400];
    static const uint8_t slots[3] = {0, 1, 5};

    for (unsigned i = 0; i < 3; i++) {
        memset(chains[i], (int)(i + 1), sizeof chains[i]);
        p.identity.slot[slots[i]] = p.identity.slot[0];
        p.identity.slot[slots[i]].certificates = (struct spdm_span){chains[i], sizeof chains[i]};
    }
    p.identity.supported = 0xff;
}

/* The lowest wanted slot that is believed; the CHALLENGE that follows is signed over all that was read. */
static void test_slots(void **state)
{
    static const struct {
        uint8_t wanted, refused, slot; /* 0xff: none is left */
        unsigned asked;
        enum spdm_why why;
    } rows[] = {
        {0, 0, 0, 1, SPDM_WHY_FINE},
        {0, 0x01, 1, 2, SPDM_WHY_FINE},
        {0, 0x03, 5, 3, SPDM_WHY_FINE},
        {0x22, 0, 1, 1, SPDM_WHY_FINE},
        {0x20, 0, 5, 1, SPDM_WHY_FINE},
        {0, 0x23, 0xff, 3, SPDM_WHY_NOT_TRUSTED},
        {0x02, 0x02, 0xff, 1, SPDM_WHY_NOT_TRUSTED},
        {0x1c, 0, 0xff, 0, SPDM_WHY_NO_SLOT},
    };

    (void)state;
    EVERY_VERSION
    {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct spdm_goal goal = all;

            begin(version);
            three_slots();
            p.refuse_slots = rows[i].refused;
            goal.slots = rows[i].wanted;
            pair_start(&p);
            if (rows[i].why == SPDM_WHY_FINE) must(&goal);
            else must_fail(&goal, rows[i].why);
            if (rows[i].slot != 0xff) assert_int_equal(facts()->slot, rows[i].slot);
            assert_int_equal(facts()->authentic, rows[i].slot != 0xff);
            assert_int_equal(p.trust_asked, rows[i].asked);
            assert_int_equal(facts()->provisioned_slots, 0x23);
            pair_close(&p);
        }
    }
}

/* Who believes nobody goes on with the connection as it is: DIGESTS, chain, proof, and not a message more. */
static void test_nobody_believed(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        struct spdm_goal goal = all, none = identity;

        begin(version);
        three_slots();
        p.refuse_slots = 0x23;
        pair_start(&p);
        must_fail(&none, SPDM_WHY_NOT_TRUSTED);
        none.slots = 0x04;
        p.passed = 0;
        must_fail(&none, SPDM_WHY_NO_SLOT);
        assert_int_equal(p.passed, 2);
        p.refuse_slots = 0;
        p.passed = 0;
        must(&goal);
        assert_int_equal(p.passed, 8);
        assert_true(facts()->authentic && p.proven);
        pair_close(&p);
    }
}

/* A second goal with other slots: the chain in use no longer counts. */
static void test_other_slots(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        struct spdm_goal goal = all;

        begin(version);
        three_slots();
        pair_start(&p);
        must(&goal);
        assert_int_equal(facts()->slot, 0);
        goal.slots = 0x20;
        must(&goal);
        assert_int_equal(facts()->slot, 5);
        assert_true(facts()->authentic && p.proven);
        pair_close(&p);
    }
}

/* ---- what it costs ---- */

static void test_costs(void **state)
{
    static const struct {
        const struct spdm_goal *goal;
        bool know;
        unsigned first, again;
    } rows[] = {{&connect_only, false, 6, 0}, {&digests, false, 8, 2},    {&identity, false, 10, 0},
                {&identity, true, 8, 0},      {&challenge, false, 12, 0}, {&challenge, true, 10, 0},
                {&all, false, 14, 2},         {&all, true, 12, 2}};

    (void)state;
    EVERY_VERSION
    {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            begin(version);
            p.know_digest = rows[i].know;
            pair_start(&p);
            must(rows[i].goal);
            assert_int_equal(p.passed, rows[i].first);
            assert_int_equal(p.trust_asked, !rows[i].know && rows[i].first > 8);
            p.passed = 0;
            must(rows[i].goal);
            assert_int_equal(p.passed, rows[i].again);
            pair_close(&p);
        }
    }
}

/* From CONNECT to everything, goal by goal, on one connection. */
static void test_steps(void **state)
{
    static const struct {
        const struct spdm_goal *goal;
        unsigned more;
    } steps[] = {{&connect_only, 6}, {&digests, 2}, {&identity, 4}, {&challenge, 2}, {&all, 2}};

    (void)state;
    EVERY_VERSION
    {
        begin(version);
        pair_start(&p);
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            p.passed = 0;
            must(steps[i].goal);
            assert_int_equal(p.passed, steps[i].more);
        }
        pair_close(&p);
    }
}

/* Measurements before CHALLENGE: M1/M2 begins anew with GET_DIGESTS, so that all readings agree (UN-07). */
static void test_measure_first(void **state)
{
    static const struct spdm_goal plain = {.want = SPDM_WANT_MEASUREMENTS};

    (void)state;
    EVERY_VERSION
    {
        begin(version);
        pair_start(&p);
        must(&identity);
        must(&plain);
        p.passed = 0;
        must(&challenge);
        assert_int_equal(p.passed, 4);
        assert_true(facts()->authentic);
        pair_close(&p);
    }
}

/* ---- chains vouched for ---- */

static void vouch(uint8_t slot, enum spdm_alg hash, bool right, const struct toy_key *key)
{
    uint8_t digest[SPDM_HASH_MAX];
    size_t n = pair_digest(&p, slot, hash, digest);

    if (!right) digest[0] ^= 1;
    spdm_requester_trust(p.rq, slot, (struct spdm_span){digest, n}, key);
}

static void test_vouched(void **state)
{
    (void)state;
    EVERY_VERSION
    {
        begin(version);
        three_slots();
        pair_start(&p);
        vouch(5, SPDM_SHA_384, true, &p.key);
        must(&challenge);
        assert_int_equal(p.passed, 8);
        assert_int_equal(p.questions, 0);
        assert_int_equal(facts()->slot, 5);
        p.passed = 0;
        must(&all);
        assert_int_equal(p.passed, 2);
        spdm_requester_reset(p.rq); /* the link was gone: trust stays */
        p.passed = 0;
        must(&challenge);
        assert_int_equal(p.passed, 8);
        pair_close(&p);
    }
}

/* Another chain, or another key, behind what was vouched for: the whole way once, with the caller's trust. */
static void test_vouched_in_vain(void **state)
{
    static const struct toy_key other = {7};

    (void)state;
    EVERY_VERSION
    {
        for (unsigned wrong = 0; wrong < 2; wrong++) {
            begin(version);
            pair_start(&p);
            vouch(0, SPDM_SHA_384, wrong == 0, wrong == 0 ? &other : &p.key);
            must(&all);
            assert_int_equal(p.restarted, 1);
            assert_int_equal(p.trust_asked, 1);
            assert_int_equal(p.passed, 8 + 14);
            assert_true(facts()->authentic);
            pair_close(&p);
        }
    }
}

/* Vouching that does not fit the goal or the connection is left aside. */
static void test_vouched_elsewhere(void **state)
{
    (void)state;
    begin(0);
    three_slots();
    pair_start(&p);
    vouch(5, SPDM_SHA_256, true, &p.key); /* SHA-384 is negotiated */
    must(&challenge);
    assert_int_equal(p.passed, 12);
    assert_int_equal(facts()->slot, 0);
    spdm_requester_reset(p.rq);
    vouch(5, SPDM_SHA_384, true, &p.key);
    p.passed = 0;
    must(&(struct spdm_goal){.want = SPDM_WANT_CHALLENGE, .slots = 0x02});
    assert_int_equal(p.passed, 12);
    assert_int_equal(facts()->slot, 1);
    pair_close(&p);
}

/* ---- portions ---- */

static unsigned portion; /* GET_CERTIFICATE asks for so many bytes at most */

static size_t less(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)pair;
    if (!to_responder || frame[2] != 0x82) return n;
    if ((unsigned)(frame[7] | frame[8] << 8) > portion) {
        frame[7] = (uint8_t)portion;
        frame[8] = 0;
    }
    return n;
}

/* A device may return less than was asked for; chains come in portions of any size. */
static void test_portions(void **state)
{
    (void)state;
    for (portion = 1; portion < 256; portion += portion < 60 ? 1 : 13) {
        begin((uint8_t)(SPDM_V10 + portion % 5));
        p.identity.slot[0].certificates.n = 300;
        p.wire = less;
        pair_start(&p);
        must(&identity);
        assert_int_equal(p.passed, 8 + 2 * ((352 + portion - 1) / portion));
        assert_true(facts()->trusted);
        pair_close(&p);
    }
}

/* Our own DataTransferSize decides what we ask for; from 42 bytes on (with digests that fit). */
static void test_transfer_sizes(void **state)
{
    static const uint8_t sha256[] = {SPDM_SHA_256, 0};

    (void)state;
    for (uint32_t size = 42; size < 400; size += 7) {
        begin((uint8_t)(SPDM_V12 + size % 3));
        p.req_policy.hashes = sha256;
        p.req_config.data_transfer_size = size;
        pair_start(&p);
        must(&identity);
        assert_int_equal(p.passed, 8 + 2 * ((1536 + size - 8 - 1) / (size - 8)));
        pair_close(&p);
    }
}

/* No more requests for one chain than the policy allows. */
static void test_portion_limit(void **state)
{
    (void)state;
    begin(SPDM_V13);
    p.identity.slot[0].certificates.n = 300;
    p.wire = less;
    portion = 10;
    p.req_policy.certificate_requests = 35;
    pair_start(&p);
    must_fail(&identity, SPDM_WHY_LIMIT);
    portion = 11;
    must(&identity);
    pair_close(&p);
}

/* ---- measurements ---- */

static void test_measurements(void **state)
{
    static const struct {
        enum spdm_measure measure;
        uint8_t index;
        bool sign, raw;
        unsigned messages, records;
        size_t record_n, raw_n; /* of the last record, below and from 1.2 on */
    } rows[] = {
        {SPDM_MEASURE_COUNT, 0, false, false, 2, 1, 0, 0},   {SPDM_MEASURE_COUNT, 0, true, false, 2, 1, 0, 0},
        {SPDM_MEASURE_INDEX, 3, false, false, 2, 1, 55, 55}, {SPDM_MEASURE_INDEX, 3, true, false, 2, 1, 55, 55},
        {SPDM_MEASURE_INDEX, 3, true, true, 2, 1, 55, 71},   {SPDM_MEASURE_ALL, 0, false, false, 2, 1, 291, 291},
        {SPDM_MEASURE_ALL, 0, true, true, 2, 1, 291, 355},   {SPDM_MEASURE_EACH, 0, false, false, 12, 6, 71, 71},
        {SPDM_MEASURE_EACH, 0, true, true, 12, 6, 71, 71},
    };

    (void)state;
    EVERY_VERSION
    {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct spdm_goal goal = {.want = SPDM_WANT_MEASUREMENTS,
                                     .measure = rows[i].measure,
                                     .index = rows[i].index,
                                     .sign = rows[i].sign,
                                     .raw = rows[i].raw};

            begin(version);
            pair_start(&p);
            must(&identity);
            p.passed = 0;
            must(&goal);
            assert_int_equal(p.passed, rows[i].messages);
            assert_int_equal(p.records, rows[i].records);
            assert_int_equal(p.proven, rows[i].sign);
            assert_int_equal(facts()->measured_signed, rows[i].sign);
            assert_int_equal(p.record_n, version < SPDM_V12 ? rows[i].record_n : rows[i].raw_n);
            if (rows[i].measure == SPDM_MEASURE_COUNT) assert_int_equal(facts()->measurement_n, 5);
            pair_close(&p);
        }
    }
}

/* Index by index with gaps: as many requests as it takes to find what was announced, each record under its index. */
static void test_gaps(void **state)
{
    static const uint8_t index[3] = {2, 7, 0xfe};

    (void)state;
    EVERY_VERSION
    {
        for (unsigned sign = 0; sign < 2; sign++) {
            struct spdm_goal goal = {.want = SPDM_WANT_MEASUREMENTS, .measure = SPDM_MEASURE_EACH, .sign = sign != 0};

            begin(version);
            for (unsigned i = 0; i < 3; i++) p.measurements[i].index = index[i];
            p.measurement_n = 3;
            pair_start(&p);
            must(&identity);
            p.passed = 0;
            must(&goal);
            assert_int_equal(p.passed, 2 * (1 + 2 + 7)); /* the count, 1, the two fixed indices, 2 to 7 */
            assert_int_equal(p.records, 4);
            for (unsigned i = 1; i < 256; i++) assert_int_equal(p.seen[i] != 0, memchr(index, (int)i, 3) != NULL);
            for (unsigned i = 0; i < 3; i++) assert_int_equal(p.seen_proven[index[i]], sign);
            pair_close(&p);
        }
    }
}

static size_t one_more(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)pair;
    if (!to_responder && frame[2] == 0x60 && frame[5] == 0) frame[3]++;
    return n;
}

/* Fewer than announced: that is said, with their number. */
static void test_incomplete(void **state)
{
    static const struct spdm_goal goal = {.want = SPDM_WANT_MEASUREMENTS, .measure = SPDM_MEASURE_EACH};

    (void)state;
    EVERY_VERSION
    {
        begin(version);
        p.wire = one_more;
        pair_start(&p);
        must_fail(&goal, SPDM_WHY_INCOMPLETE);
        assert_int_equal(p.failure.got, 1);
        assert_int_equal(p.records, 6);
        pair_close(&p);
    }
}

static uint8_t attributes;

static size_t look(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)pair;
    if (to_responder && frame[2] == 0xe0) attributes = frame[3];
    return n;
}

/* A bit goes out only where the version has it. */
static void test_attributes(void **state)
{
    static const uint8_t expected[] = {0x01, 0x01, 0x03, 0x07, 0x07};
    struct spdm_goal goal = all;

    (void)state;
    goal.raw = goal.fresh = true;
    EVERY_VERSION
    {
        begin(version);
        p.wire = look;
        pair_start(&p);
        must(&goal);
        assert_int_equal(attributes, expected[version & 0x0f]);
        pair_close(&p);
    }
}

/* ---- summaries ---- */

static void test_summaries(void **state)
{
    static const uint8_t zero[SPDM_HASH_MAX];

    (void)state;
    EVERY_VERSION
    {
        uint8_t seen[3][SPDM_HASH_MAX];
        static const uint8_t types[3] = {0, 1, 0xff};

        for (unsigned i = 0; i < 3; i++) {
            begin(version);
            pair_start(&p);
            must(&(struct spdm_goal){.want = SPDM_WANT_CHALLENGE, .summary = types[i]});
            assert_int_equal(facts()->summary_n, i == 0 ? 0 : 48);
            memcpy(seen[i], facts()->summary, sizeof seen[i]);
            pair_close(&p);
        }
        assert_memory_not_equal(seen[1], seen[2], 48);
        assert_memory_not_equal(seen[1], zero, 48);
        begin(version);
        for (unsigned i = 0; i < 5; i++) p.measurements[i].tcb = false;
        pair_start(&p);
        must(&(struct spdm_goal){.want = SPDM_WANT_CHALLENGE, .summary = 1});
        assert_int_equal(facts()->summary_n, 48);
        assert_memory_equal(facts()->summary, zero, 48); /* no TCB component: zeros (R-CHL-15) */
        pair_close(&p);
    }
}

/* ---- provisioned keys ---- */

static const uint8_t key_bytes[70] = {0x30, 0x44, 9};

static void keyed(uint8_t version)
{
    begin(version);
    p.rsp_policy.flags = (p.rsp_policy.flags & ~SPDM_CERT_CAP) | SPDM_PUB_KEY_ID_CAP;
    p.identity.public_key = (struct spdm_span){key_bytes, sizeof key_bytes};
    p.identity.public_key_signs = p.rsp_policy.signatures;
    memset(p.identity.slot, 0, sizeof p.identity.slot);
    pair_start(&p);
}

static void vouch_key(bool right, const struct toy_key *key)
{
    uint8_t digest[SPDM_HASH_MAX];
    struct toy toy = {0};
    uint64_t state[4] = {0};

    (void)toy_crypto.hash_begin(&toy, state, SPDM_SHA_384);
    (void)toy_crypto.hash_update(&toy, state, (struct spdm_span){key_bytes, right ? sizeof key_bytes : 1});
    (void)toy_crypto.hash_peek(&toy, state, digest);
    spdm_requester_trust(p.rq, SPDM_SLOT_KEY, (struct spdm_span){digest, 48}, key);
}

static void test_public_key(void **state)
{
    static const struct toy_key other = {7};
    struct spdm_goal goal = all;

    (void)state;
    goal.use_key = true;
    for (uint8_t version = SPDM_V11; version <= SPDM_V14; version++) {
        keyed(version);
        must_fail(&goal, SPDM_WHY_CANNOT);
        vouch_key(true, &p.key);
        p.passed = 0;
        must(&goal);
        assert_int_equal(p.passed, 4); /* the connection was there already */
        assert_int_equal(facts()->slot, SPDM_SLOT_KEY);
        assert_true(facts()->authentic && p.proven);
        pair_close(&p);

        keyed(version);
        vouch_key(false, &p.key);
        must_fail(&goal, SPDM_WHY_BAD_DIGEST);
        vouch_key(true, &other);
        must_fail(&goal, SPDM_WHY_BAD_SIGNATURE);
        must_fail(&all, SPDM_WHY_CANNOT); /* without use_key: no CERT_CAP */
        pair_close(&p);
    }
}

/* A goal that wants the key is not satisfied by a chain of before, nor the other way round. */
static void test_key_or_chain(void **state)
{
    struct spdm_goal by_key = all;

    (void)state;
    by_key.use_key = true;
    for (uint8_t version = SPDM_V11; version <= SPDM_V14; version++) {
        begin(version);
        p.identity.public_key = (struct spdm_span){key_bytes, sizeof key_bytes};
        p.identity.public_key_signs = p.rsp_policy.signatures;
        pair_start(&p);
        must(&all);
        must_fail(&by_key, SPDM_WHY_CANNOT);
        vouch_key(true, &p.key);
        must(&by_key);
        assert_int_equal(facts()->slot, SPDM_SLOT_KEY);
        assert_true(facts()->authentic);
        must(&all);
        assert_int_equal(facts()->slot, 0);
        assert_true(facts()->authentic);
        must(&by_key);
        assert_int_equal(facts()->slot, SPDM_SLOT_KEY);
        pair_close(&p);
    }
}

/* ---- vendor messages ---- */

static void test_vendor(void **state)
{
    static const uint8_t bytes[70000];
    struct spdm_goal goal = {.want = SPDM_WANT_VENDOR, .standard = 3, .vendor = {(const uint8_t *)"\xb4\x1a", 2}};

    (void)state;
    EVERY_VERSION
    {
        begin(version);
        pair_start(&p);
        for (size_t n = 0; n <= 149; n += 149) {
            goal.payload = (struct spdm_span){bytes, n};
            p.passed = 0;
            must(&goal);
            assert_int_equal(p.passed, n == 0 ? 8 : 2);
        }
        goal.payload.n = 150; /* longer than is kept of a request */
        must_fail(&goal, SPDM_WHY_NO_ROOM);
        goal.payload.n = 65536;
        must_fail(&goal, SPDM_WHY_TOO_LONG);
        goal.payload.n = 1;
        goal.standard = 4; /* IANA: four bytes */
        must_fail(&goal, SPDM_WHY_BAD_LENGTH);
        goal.standard = 3;
        must(&goal);
        must(&goal); /* the same again is asked again */
        pair_close(&p);
    }
}

/* ---- one at a time ---- */

static void test_one_goal(void **state)
{
    (void)state;
    begin(SPDM_V12);
    pair_start(&p);
    pair_ask(&p, &all);
    assert_false(spdm_requester_ask(p.rq, &identity));
    assert_true(pair_go_on(&p));
    pair_ask(&p, &all);
    spdm_requester_reset(p.rq); /* in the middle */
    assert_int_equal(spdm_requester_pull(p.rq, 0).n, 0);
    assert_int_equal(facts()->version, 0);
    must(&all);
    pair_close(&p);
}

/* An answer counts for the question it was given to, once. */
static void test_tickets(void **state)
{
    struct spdm_event ev;
    struct spdm_span out;
    struct spdm_answer a = {.yes = true, .key = &p.key};

    (void)state;
    begin(SPDM_V12);
    pair_start(&p);
    must(&connect_only);
    assert_true(spdm_requester_ask(p.rq, &identity));
    pair_deliver(&p, true, spdm_requester_pull(p.rq, 0).p, 5); /* GET_DIGESTS */
    out = spdm_responder_pull(p.rs, 0);
    spdm_requester_push(p.rq, out, 0);
    assert_int_equal(spdm_requester_event(p.rq, &ev), SPDM_ASK_DIGEST);
    a.ticket = ev.ticket + 1;
    assert_false(spdm_requester_answer(p.rq, &a));
    a.ticket = ev.ticket;
    assert_true(spdm_requester_answer(p.rq, &a));
    assert_false(spdm_requester_answer(p.rq, &a));
    assert_int_equal(spdm_requester_event(p.rq, &ev), SPDM_DONE);
    assert_int_equal(spdm_requester_event(p.rq, &ev), SPDM_NOTHING);
    assert_true(facts()->trusted);
    pair_close(&p);
}

/* ---- configurations that cannot work ---- */

static bool placed(struct spdm_config *config, size_t memory)
{
    uint8_t *place = (uint8_t *)p.rq_memory;

    return spdm_requester_init((struct spdm_room){place, memory}, config) != NULL;
}

static void test_configurations(void **state)
{
    struct spdm_config c;
    size_t n;

    (void)state;
    begin(0);
    n = spdm_requester_size(&p.req_config);
    assert_true(placed(&p.req_config, n));
    assert_false(placed(&p.req_config, n - 1));
    assert_null(spdm_requester_init((struct spdm_room){0}, &p.req_config));
    c = p.req_config;
    c.data_transfer_size = 41;
    assert_false(placed(&c, n));
    c = p.req_config;
    c.out.n = 42; /* MCTP adds one byte */
    assert_false(placed(&c, n));
    c.out.n = 43;
    assert_true(placed(&c, n));
    c.out.p = NULL;
    assert_false(placed(&c, n));
    c = p.req_config;
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    assert_false(placed(&c, n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_versions),
                                       cmocka_unit_test(test_algorithms),
                                       cmocka_unit_test(test_slots),
                                       cmocka_unit_test(test_nobody_believed),
                                       cmocka_unit_test(test_other_slots),
                                       cmocka_unit_test(test_costs),
                                       cmocka_unit_test(test_steps),
                                       cmocka_unit_test(test_measure_first),
                                       cmocka_unit_test(test_vouched),
                                       cmocka_unit_test(test_vouched_in_vain),
                                       cmocka_unit_test(test_vouched_elsewhere),
                                       cmocka_unit_test(test_portions),
                                       cmocka_unit_test(test_transfer_sizes),
                                       cmocka_unit_test(test_portion_limit),
                                       cmocka_unit_test(test_measurements),
                                       cmocka_unit_test(test_gaps),
                                       cmocka_unit_test(test_incomplete),
                                       cmocka_unit_test(test_attributes),
                                       cmocka_unit_test(test_summaries),
                                       cmocka_unit_test(test_public_key),
                                       cmocka_unit_test(test_key_or_chain),
                                       cmocka_unit_test(test_vendor),
                                       cmocka_unit_test(test_one_goal),
                                       cmocka_unit_test(test_tickets),
                                       cmocka_unit_test(test_configurations)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
