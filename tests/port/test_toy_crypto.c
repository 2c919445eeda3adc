/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The toy port is worthless but not wrong: what it hides is hidden, what was
 * changed is refused, and every call can be made to fail. */
#include "support/toy_crypto.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { PUBLIC_MAX = 1568 };

static void hmac_changes_with_every_bit(void **state)
{
    struct toy t = {0};
    uint8_t key[5] = "key", text[7] = "text", first[SPDM_HASH_MAX], out[SPDM_HASH_MAX];
    struct spdm_span part[] = {{text, 3}, {text + 3, 4}};
    struct spdm_hmac in = {.hash = SPDM_SHA_384, .key = {key, sizeof key}, .part = part, .n = 2};

    (void)state;
    assert_true(toy_crypto.hmac(&t, &in, first));
    for (size_t bit = 0; bit < 8 * (sizeof key + sizeof text); bit++) {
        uint8_t *byte = bit / 8 < sizeof key ? &key[bit / 8] : &text[bit / 8 - sizeof key];
        *byte ^= (uint8_t)(1u << bit % 8);
        assert_true(toy_crypto.hmac(&t, &in, out));
        assert_memory_not_equal(out, first, 48);
        *byte ^= (uint8_t)(1u << bit % 8);
    }
    part[0] = (struct spdm_span){text, sizeof text};
    in.n = 1;
    assert_true(toy_crypto.hmac(&t, &in, out)); /* cut otherwise, the same bytes */
    assert_memory_equal(out, first, 48);
    in.key.n--;
    assert_true(toy_crypto.hmac(&t, &in, out));
    assert_memory_not_equal(out, first, 48);
}

struct sealed {
    uint64_t keyed[4];
    uint8_t iv[12], aad[9], body[21], tag[16];
    struct spdm_span in;
};

static struct spdm_aead in_place(struct sealed *s)
{
    s->in = (struct spdm_span){s->body, sizeof s->body};
    return (struct spdm_aead){
        .iv = s->iv, .aad = {{s->aad, 4}, {s->aad + 4, 5}}, .in = &s->in, .in_n = 1, .out = s->body, .tag = s->tag};
}

static void records_open_unchanged_only(void **state)
{
    static const uint8_t plain[21] = "twenty bytes of plain", key[32] = {1}, other[32] = {2};
    struct toy t = {0};
    struct sealed s = {.iv = {3}, .aad = {4}}, copy;
    struct spdm_aead record;

    (void)state;
    assert_false(toy_crypto.aead_begin(&t, s.keyed, SPDM_AES_128_GCM, (struct spdm_span){key, 32}));
    assert_true(toy_crypto.aead_begin(&t, s.keyed, SPDM_AES_256_GCM, (struct spdm_span){key, 32}));
    memcpy(s.body, plain, sizeof plain);
    record = in_place(&s);
    assert_true(toy_crypto.aead_seal(&t, s.keyed, &record));
    for (size_t i = 0; i + 2 <= sizeof plain; i++) assert_memory_not_equal(s.body + i, plain + i, 2);
    for (size_t bit = 0; bit < 8 * (12 + 9 + 21 + 16); bit++) {
        copy = s;
        ((uint8_t *)&copy)[offsetof(struct sealed, iv) + bit / 8] ^= (uint8_t)(1u << bit % 8);
        record = in_place(&copy);
        assert_int_equal(toy_crypto.aead_open(&t, copy.keyed, &record), SPDM_BAD);
        for (size_t i = 0; i < sizeof plain; i++) assert_int_equal(copy.body[i], 0);
    }
    copy = s;
    record = in_place(&copy);
    assert_int_equal(toy_crypto.aead_open(&t, copy.keyed, &record), SPDM_GOOD);
    assert_memory_equal(copy.body, plain, sizeof plain);

    uint64_t keyed[4] = {0};
    assert_int_equal(toy_crypto.aead_open(&t, keyed, &record), SPDM_BAD); /* not begun */
    assert_true(toy_crypto.aead_begin(&t, keyed, SPDM_AES_256_GCM, (struct spdm_span){other, 32}));
    copy = s;
    record = in_place(&copy);
    assert_int_equal(toy_crypto.aead_open(&t, keyed, &record), SPDM_BAD); /* another key */
    assert_int_equal(t.open, 2);
    toy_crypto.aead_end(&t, keyed);
    toy_crypto.aead_end(&t, keyed);
    toy_crypto.aead_end(&t, s.keyed);
    assert_int_equal(t.open, 0);
}

static void exchanges_agree(void **state)
{
    struct toy t = {0};

    (void)state;
    for (unsigned alg = SPDM_FFDHE_2048; alg <= SPDM_ML_KEM_1024; alg++) {
        const struct spdm_algorithm *row = spdm_algorithm(alg);
        uint64_t x[4] = {0}, again[4];
        uint8_t request[PUBLIC_MAX], reply[PUBLIC_MAX], a[SPDM_EXCHANGE_SECRET_MAX], b[SPDM_EXCHANGE_SECRET_MAX];
        if (row->cls != SPDM_CLASS_DHE && row->cls != SPDM_CLASS_KEM) continue;
        assert_true(toy_crypto.exchange_begin(&t, x, alg, request));
        memcpy(again, x, sizeof x);
        size_t n = toy_crypto.exchange_reply(&t, alg, (struct spdm_span){request, row->size}, reply, a);
        assert_int_not_equal(n, 0);
        assert_int_equal(toy_crypto.exchange_finish(&t, x, (struct spdm_span){reply, row->reply}, b), n);
        assert_memory_equal(a, b, n);
        assert_int_equal(t.open, 0); /* finishing ends it */
        toy_crypto.exchange_end(&t, x);
        reply[row->reply - 1] ^= 1;
        t.open++;
        assert_int_equal(toy_crypto.exchange_finish(&t, again, (struct spdm_span){reply, row->reply}, b), 0);
        request[0] ^= 1;
        assert_int_equal(toy_crypto.exchange_reply(&t, alg, (struct spdm_span){request, row->size}, reply, a), 0);
        memset(request, 0, sizeof request);
        assert_int_equal(toy_crypto.exchange_reply(&t, alg, (struct spdm_span){request, row->size}, reply, a), 0);
        assert_int_equal(toy_crypto.exchange_reply(&t, alg, (struct spdm_span){request, row->size - 1u}, reply, a), 0);
        assert_int_equal(t.open, 0);
    }
}

/* One handshake and one record; the number of calls that went well. */
static long run(struct toy *t)
{
    uint64_t x[4] = {0}, keyed[4] = {0};
    uint8_t request[64], reply[64], a[SPDM_EXCHANGE_SECRET_MAX] = {0}, b[SPDM_EXCHANGE_SECRET_MAX] = {0}, tag[16] = {0};
    struct spdm_hmac in = {.hash = SPDM_SHA_256, .key = {a, 32}};
    struct spdm_aead record = {.iv = a, .tag = tag};
    long good = 0;

    memset(request, 0, sizeof request);
    memset(reply, 0, sizeof reply);
    good += toy_crypto.exchange_begin(t, x, SPDM_SECP256R1, request);
    good += toy_crypto.exchange_reply(t, SPDM_SECP256R1, (struct spdm_span){request, 64}, reply, a) != 0;
    good += toy_crypto.exchange_finish(t, x, (struct spdm_span){reply, 64}, b) != 0;
    toy_crypto.exchange_end(t, x);
    good += toy_crypto.hmac(t, &in, b);
    good += toy_crypto.aead_begin(t, keyed, SPDM_AES_256_GCM, (struct spdm_span){b, 32});
    good += toy_crypto.aead_seal(t, keyed, &record);
    good += toy_crypto.aead_open(t, keyed, &record) == SPDM_GOOD;
    toy_crypto.aead_end(t, keyed);
    return good;
}

static void every_call_can_fail(void **state)
{
    enum { CALLS = 7 };

    (void)state;
    for (long at = 0; at <= CALLS; at++) {
        struct toy t = {.fail_at = at};
        long good = run(&t);
        assert_true(at == 0 ? good == CALLS : good < CALLS);
        assert_int_equal(t.calls, CALLS);
        assert_int_equal(t.open, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hmac_changes_with_every_bit),
        cmocka_unit_test(records_open_unchanged_only),
        cmocka_unit_test(exchanges_agree),
        cmocka_unit_test(every_call_can_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
