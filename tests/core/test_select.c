/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From ordered lists to masks and back: preference is ours, classic and
 * post-quantum share one order, versions leave out what they do not have. */
#include "core/conn.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint8_t exchanges[] = {SPDM_ML_KEM_768, SPDM_SECP384R1, SPDM_DHE_SM2, SPDM_FFDHE_2048, SPDM_ML_KEM_512, 0};

static void test_masks(void **state)
{
    (void)state;
    assert_int_equal(spdm_select_mask(exchanges, SPDM_CLASS_DHE, SPDM_V14), 0x51);
    assert_int_equal(spdm_select_mask(exchanges, SPDM_CLASS_DHE, SPDM_V11), 0x11); /* SM2 came with 1.2 */
    assert_int_equal(spdm_select_mask(exchanges, SPDM_CLASS_DHE, SPDM_V10), 0);
    assert_int_equal(spdm_select_mask(exchanges, SPDM_CLASS_KEM, SPDM_V14), 0x03);
    assert_int_equal(spdm_select_mask(exchanges, SPDM_CLASS_KEM, SPDM_V13), 0);
    assert_int_equal(spdm_select_mask(exchanges, SPDM_CLASS_AEAD, SPDM_V14), 0);
    assert_int_equal(spdm_select_mask(NULL, SPDM_CLASS_DHE, SPDM_V14), 0);
}

static void test_first(void **state)
{
    static const struct {
        uint8_t version;
        uint32_t dhe, kem;
        uint8_t chosen;
    } cases[] = {{SPDM_V14, 0x7f, 0x07, SPDM_ML_KEM_768}, {SPDM_V14, 0x7f, 0x05, SPDM_SECP384R1},
                 {SPDM_V14, 0x6f, 0x05, SPDM_DHE_SM2},    {SPDM_V14, 0x01, 0x01, SPDM_FFDHE_2048},
                 {SPDM_V14, 0x00, 0x01, SPDM_ML_KEM_512}, {SPDM_V14, 0x02, 0x00, SPDM_ALG_NONE},
                 {SPDM_V14, 0x02, 0x04, SPDM_ALG_NONE},   {SPDM_V13, 0x7f, 0x07, SPDM_SECP384R1},
                 {SPDM_V11, 0x41, 0x00, SPDM_FFDHE_2048}, {SPDM_V14, 0x00, 0x00, SPDM_ALG_NONE},
                 {SPDM_V14, 0x10, 0x01, SPDM_SECP384R1},  {SPDM_V14, 0xffffffff, 0, SPDM_SECP384R1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint32_t masks[2] = {cases[i].dhe, cases[i].kem};

        assert_int_equal(spdm_select_first(exchanges, cases[i].version, SPDM_CLASS_DHE, masks), cases[i].chosen);
    }
    assert_int_equal(spdm_select_first(NULL, SPDM_V14, SPDM_CLASS_DHE, (const uint32_t[2]){0x7f, 7}), SPDM_ALG_NONE);
}

/* Facts from what was offered and chosen. */
static void test_learn(void **state)
{
    struct conn c = {.ed = spdm_edition(SPDM_V14)};
    struct algorithms
        offer = {.other_params = 0x12},
        chosen = {.meas_spec = 1,
                  .mel_spec = 1,
                  .other_params = 0x12,
                  .hash = 0x02,
                  .pqc_asym = 0x02,
                  .meas_hash = 0x08,
                  .table = {[ALG_TYPE_KEM] = 2, [ALG_TYPE_AEAD] = 4, [ALG_TYPE_REQ_ASYM] = 8, [ALG_TYPE_SCHEDULE] = 1}};

    (void)state;
    spdm_select_learn(&c, &offer, &chosen);
    assert_int_equal(c.facts.hash, SPDM_SHA_384);
    assert_int_equal(c.facts.signature, SPDM_ML_DSA_65);
    assert_int_equal(c.facts.exchange, SPDM_ML_KEM_768);
    assert_int_equal(c.facts.aead, SPDM_CHACHA20_POLY1305);
    assert_int_equal(c.facts.req_signature, SPDM_RSAPSS_3072);
    assert_int_equal(c.facts.schedule, SPDM_KEY_SCHEDULE);
    assert_int_equal(c.facts.meas_hash, SPDM_SHA_512); /* one bit higher than the base hashes */
    assert_int_equal(c.facts.opaque_format, 2);
    assert_true(c.facts.multi_key_rsp && c.facts.multi_key_req);
    assert_false(c.facts.negotiated); /* that is for who has sent or taken the answer to say */
    chosen =
        (struct algorithms){.meas_hash = 1, .asym = 0x80, .table = {[ALG_TYPE_DHE] = 0x10, [ALG_TYPE_REQ_PQC] = 1}};
    offer.other_params = 0;
    spdm_select_learn(&c, &offer, &chosen);
    assert_int_equal(c.facts.meas_hash, SPDM_RAW_ONLY);
    assert_int_equal(c.facts.signature, SPDM_ECDSA_P384);
    assert_int_equal(c.facts.exchange, SPDM_SECP384R1);
    assert_int_equal(c.facts.req_signature, SPDM_ML_DSA_44);
    assert_int_equal(c.facts.hash, SPDM_ALG_NONE);
    assert_int_equal(c.facts.meas_spec, 0);
    assert_false(c.facts.multi_key_rsp || c.facts.multi_key_req);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_masks), cmocka_unit_test(test_first),
                                       cmocka_unit_test(test_learn)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
