/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What has no fixed length, over PCI DOE, which pads every message to four
 * bytes: neither role takes padding for a part of it, nor signs or hashes it,
 * nor minds it (R-GEN-26, withstand 33). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/factory.h"

enum { EACH = 8 }; /* lengths of each kind: every remainder twice */

static struct factory f;
static struct pair *const p = &f.pair;
static uint8_t classes[64];
static size_t classes_n, padded;

/* Notes how many frames end in padding: DOE's length is in dwords, the message's is not. */
static size_t count(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    (void)pair;
    (void)to_responder;
    assert_int_equal(n % 4, 0);
    if (frame[n - 1] == 0) padded++;
    return n;
}

static void answer(struct pair *pair, const struct spdm_event *ev, struct spdm_answer *a)
{
    (void)pair;
    assert_int_equal(ev->kind, SPDM_ASK_ENDPOINT);
    a->yes = true;
    a->data = (struct spdm_span){classes, classes_n};
}

/* PCI-SIG's class with one part of n bytes. */
static void classify(size_t n)
{
    memcpy(classes, "\1\0\0\0\0\3\2\x86\x80\1", 10);
    classes[4] = (uint8_t)(6 + n);
    classes[10] = (uint8_t)n;
    memset(classes + 11, 0xee, n);
    classes_n = 11 + n;
}

static void begin(uint8_t version, bool turned)
{
    factory_init(&f, version, false);
    p->req_config.binding = p->rsp_config.binding = &spdm_binding_doe;
    p->wire = count;
    padded = 0;
    if (turned) pair_sessions(p, 1);
    if (turned) pair_mutual(p);
}

static void must(const struct spdm_goal *goal)
{
    char text[300];

    if (pair_run(p, goal)) return;
    spdm_report_text(&p->failure, text, sizeof text);
    fail_msg("%s", text);
}

/* ---- signed ---- */

static void test_endpoint(void **state)
{
    union spdm_order order = {.endpoint = {.sub_code = SPDM_ENDPOINT_DEVICE_CLASS}};
    struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_endpoint, .order = &order};

    (void)state;
    for (unsigned i = 0; i < 2 * EACH; i++) {
        begin(i < EACH ? SPDM_V13 : SPDM_V14, false);
        p->rsp_policy.flags |= SPDM_EP_INFO_CAP_SIGNED;
        p->errand = answer;
        classify(i % EACH + 1);
        pair_start(p);
        for (unsigned sign = 0; sign < 2; sign++) {
            order.endpoint.sign = sign == 1;
            must(&goal);
            assert_int_equal(p->reply_proven, sign);
            assert_int_equal(p->reply_n, classes_n);
            assert_memory_equal(p->reply, classes, classes_n);
        }
        assert_true(classes_n % 4 == 0 || padded != 0);
        pair_close(p);
    }
}

/* Both envelopes are padded, and what is in them is not. */
static void test_turned(void **state)
{
    static union spdm_order order = {.endpoint = {.sub_code = SPDM_ENDPOINT_DEVICE_CLASS, .sign = true}};
    static const struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_endpoint, .order = &order};
    const struct spdm_goal poll = {.want = SPDM_WANT_POLL};

    (void)state;
    for (unsigned i = 0; i < EACH; i++) {
        begin(SPDM_V14, true);
        p->req_policy.flags |= SPDM_EP_INFO_CAP_SIGNED;
        p->rq_turned.services = &spdm_serve_turned;
        p->errand_rq = answer;
        classify(i + 1);
        pair_start(p);
        must(&(struct spdm_goal){.want = SPDM_WANT_SESSION}); /* it learns our chain */
        assert_true(spdm_responder_ask(p->rs, 0, &goal));
        must(&poll);
        assert_int_equal(p->done_rs, 1);
        assert_true(p->reply_proven);
        assert_int_equal(p->reply_n, classes_n);
        pair_close(p);
    }
}

/* VendorIDs and opaque data of GET_CSR, the chain of SET_CERTIFICATE, which ends with its message. */
static void test_provision(void **state)
{
    static const uint8_t info[] = "\x30\x10\x02\x01\x00\x30\x05\x31\x03\x0c\x01!\x30\x00\xa0\x02\x05\x00";
    static const uint8_t opaque[] = "\1\0\0\0\1\2\xaa\xbb\2\0\xcc\xdd";

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        size_t info_n = i % 2 == 0 ? sizeof info - 1 : 0, opaque_n = i < 2 ? sizeof opaque - 1 : 0;
        union spdm_order csr = {.csr = {.info = {info, info_n}, .opaque = {opaque, opaque_n}}};

        begin(SPDM_V12, false);
        pair_start(p);
        assert_true(factory_run(&f, &spdm_errand_csr, csr));
        assert_int_equal(f.order.csr.info.n, info_n);
        assert_int_equal(f.order.csr.opaque.n, opaque_n);
        assert_int_equal(p->reply_n, FACTORY_CSR);
        for (unsigned k = 0; k < EACH; k++) {
            union spdm_order store = {.store = {.slot = 0, .chain = factory_chain(200 + k)}};
            assert_true(factory_run(&f, &spdm_errand_store, store));
            assert_int_equal(f.kind, SPDM_ASK_STORE);
            assert_int_equal(f.order.store.chain.n, 200 + k);
        }
        assert_true(padded != 0);
        pair_close(p);
    }
}

static void test_vendor(void **state)
{
    static const uint8_t bytes[32] = {0xee};
    uint64_t seen[EACH];

    (void)state;
    for (uint8_t version = SPDM_V10; version <= SPDM_V14; version++) {
        begin(version, false);
        p->errand = NULL;
        pair_start(p);
        for (unsigned k = 0; k < EACH; k++) {
            must(&(struct spdm_goal){
                .want = SPDM_WANT_VENDOR, .standard = 3, .vendor = {bytes, 2}, .payload = {bytes, k}});
            seen[k] = p->vendor; /* the device answers with what it got */
            for (unsigned j = 0; j < k; j++) assert_true(seen[j] != seen[k]);
        }
        pair_close(p);
    }
}

/* Everything that is hashed: CHALLENGE, measurements and a session, with payloads of vendors in between. */
static void test_hashed(void **state)
{
    static const uint8_t bytes[4] = {0};
    const struct spdm_goal all = {.want = SPDM_WANT_CHALLENGE | SPDM_WANT_MEASUREMENTS, .sign = true};
    const struct spdm_goal open = {.want = SPDM_WANT_SESSION};

    (void)state;
    for (uint8_t version = SPDM_V11; version <= SPDM_V14; version++) {
        for (unsigned k = 0; k < 4; k++) {
            begin(version, true);
            p->measurements[0].value.n -= k; /* raw, so of any length */
            p->measurements[0].raw = true;
            pair_start(p);
            must(&all);
            assert_true(p->proven);
            must(&(struct spdm_goal){
                .want = SPDM_WANT_VENDOR, .standard = 0, .vendor = {bytes, 0}, .payload = {bytes, k}});
            must(&open);
            assert_true(p->opened_rq != 0 && p->opened_rs == p->opened_rq);
            pair_close(p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_endpoint), cmocka_unit_test(test_turned),
                                       cmocka_unit_test(test_provision), cmocka_unit_test(test_vendor),
                                       cmocka_unit_test(test_hashed)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
