/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Signatures of devices that write them little endian: a matter of policy below
 * 1.2, refused from 1.2 on (withstand 37, UN-15). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/pair.h"

static const struct spdm_goal goal = {.want = SPDM_WANT_CHALLENGE | SPDM_WANT_MEASUREMENTS, .sign = true};

static void reverse(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        uint8_t x = p[i];

        p[i] = p[n - 1 - i];
        p[n - 1 - i] = x;
    }
}

/* r and s of ECDSA each, an RSA number as a whole. */
static size_t little(struct pair *p, bool to_responder, uint8_t *frame, size_t n)
{
    const uint8_t *signatures = p->arg;
    size_t size = spdm_algorithm((enum spdm_alg)signatures[0])->size;

    if (to_responder || (frame[2] != 0x03 && frame[2] != 0x60)) return n;
    if (signatures[0] == SPDM_RSAPSS_3072) {
        reverse(frame + n - size, size);
    } else {
        reverse(frame + n - size, size / 2);
        reverse(frame + n - size / 2, size / 2);
    }
    return n;
}

static void try(uint8_t version, uint8_t policy, bool device_is_little, const uint8_t *signatures)
{
    static struct pair p;
    bool legacy = version < SPDM_V12;
    bool fine = device_is_little ? legacy && policy != SPDM_BIG_ENDIAN : !legacy || policy != SPDM_LITTLE_ENDIAN;

    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    p.req_policy.legacy_byte_order = policy;
    p.req_policy.signatures = p.rsp_policy.signatures = p.identity.slot[0].signs = signatures;
    p.wire = device_is_little ? little : NULL;
    p.arg = (void *)(uintptr_t)signatures;
    pair_start(&p);
    assert_int_equal(pair_run(&p, &goal), fine);
    if (!fine) assert_int_equal(p.failure.why, SPDM_WHY_BAD_SIGNATURE);
    assert_int_equal(spdm_requester_facts(p.rq)->authentic, fine);
    assert_int_equal(spdm_requester_facts(p.rq)->little_endian, fine && device_is_little);
    pair_close(&p);
}

static void test_byte_order(void **state)
{
    static const uint8_t policies[] = {SPDM_BIG_ENDIAN, SPDM_LITTLE_ENDIAN, SPDM_EITHER_ENDIAN};
    static const uint8_t kinds[][2] = {{SPDM_ECDSA_P384}, {SPDM_ECDSA_P521}, {SPDM_RSAPSS_3072}};

    (void)state;
    for (uint8_t version = SPDM_V10; version <= SPDM_V14; version++) {
        for (size_t i = 0; i < sizeof policies; i++) {
            for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
                try(version, policies[i], false, kinds[k]);
                try(version, policies[i], true, kinds[k]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_byte_order)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
