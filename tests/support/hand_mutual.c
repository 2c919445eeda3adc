/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The requester by hand, when it has to prove itself: the pair's requester's
 * chain in encapsulated answers, its signature in FINISH. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/hand.h"
#include "support/talk.h"

enum { SIGNATURE = 64 /* ECDSA P-256 */ };

static void digest(struct hand *h, struct spdm_span bytes, uint8_t *out)
{
    uint64_t state[4] = {0};

    assert_true(toy_crypto.hash_begin(&h->toy, state, SPDM_SHA_384));
    assert_true(toy_crypto.hash_update(&h->toy, state, bytes));
    assert_true(toy_crypto.hash_peek(&h->toy, state, out));
}

void hand_chain(struct hand *h)
{
    const struct spdm_slot *slot = &h->p->rq_identity.slot[0];

    assert_int_equal(slot->certificates.n, HAND_CHAIN - 4 - HAND_H);
    h->chain[0] = HAND_CHAIN & 0xff;
    h->chain[1] = HAND_CHAIN >> 8;
    digest(h, slot->root, h->chain + 4);
    memcpy(h->chain + 4 + HAND_H, slot->certificates.p, slot->certificates.n);
    digest(h, spdm_span(h->chain, HAND_CHAIN), h->chain_digest);
}

struct spdm_span hand_deliver(struct hand *h, struct hand_session *s, uint8_t id, uint8_t code)
{
    uint8_t message[4 + 8 + HAND_CHAIN] = {h->version, 0xeb, id, 0, h->version, code};
    size_t n = 8;

    if (code == 0x01) { /* DIGESTS: slot 0 */
        message[6] = message[7] = 1;
        memcpy(message + 8, h->chain_digest, HAND_H);
        n = 8 + HAND_H;
    }
    if (code == 0x02) { /* CERTIFICATE: all of it */
        message[8] = HAND_CHAIN & 0xff;
        message[9] = HAND_CHAIN >> 8;
        memcpy(message + 12, h->chain, HAND_CHAIN);
        n = 12 + HAND_CHAIN;
    }
    return hand_say(h, s, spdm_span(message, n));
}

void hand_prove(struct hand *h, struct hand_session *s, bool wrong)
{
    struct hand_session *in = s->clear ? NULL : s;
    struct spdm_span got;

    hand_expect(h, in, "vv ea 00 00", "vv 6a 01 00 vv 81");
    if (wrong) {
        got = hand_deliver(h, in, 7, 0x01);
        assert_true(got.n == 4 && got.p[1] == 0x7f && got.p[2] == 0x01);
        hand_expect(h, in, "vv ea 00 00", "vv 6a 01 00 vv 81"); /* asked again, the same again */
    }
    got = hand_deliver(h, in, 1, 0x01);
    assert_true(got.n >= 12 && got.p[1] == 0x6b && got.p[3] == 1 && got.p[h->version < SPDM_V12 ? 5 : 9] == 0x82);
    got = hand_deliver(h, in, 2, 0x02);
    assert_true(got.n == (h->version < SPDM_V12 ? 5u : 9u) && got.p[1] == 0x6b && got.p[3] == 2);
}

/* The signature over TH, the chain and FINISH up to there, behind the prefix of 1.2 and later. */
static void sign(struct hand *h, const struct hand_session *s, struct spdm_span finish, uint8_t *out)
{
    static const char context[] = "requester-finish signing";
    uint8_t prefixed[100 + SPDM_HASH_MAX] = {0}, sum[SPDM_HASH_MAX];
    struct spdm_signing what = {.alg = SPDM_ECDSA_P256, .hash = SPDM_SHA_384, .prehashed = true, .data = {sum, HAND_H}};

    hand_th(h, s, finish, prefixed + 100);
    memcpy(sum, prefixed + 100, HAND_H);
    if (h->version >= SPDM_V12) {
        for (unsigned i = 0; i < 4; i++) memcpy(prefixed + 16 * i, "dmtf-spdm-v1.0.*", 16);
        for (unsigned i = 0; i < 4; i++) prefixed[16 * i + 13] = (uint8_t)('0' + (h->version & 15));
        memcpy(prefixed + 100 - strlen(context), context, strlen(context));
        digest(h, spdm_span(prefixed, 100 + HAND_H), sum);
    }
    assert_int_equal(toy_sign(&h->p->rq_key, &what, out), SIGNATURE);
}

size_t hand_finish_signed_bytes(struct hand *h, const struct hand_session *of, bool opaque, uint8_t *out)
{
    static const uint8_t element[] = {12, 0, 1, 0, 0, 0, 0, 0, 2, 0, 'h', 'i', 0, 0};
    static struct hand_session with; /* its TH goes on with the chain */
    struct schedule sch = {&toy_crypto, &h->toy, SPDM_SHA_384, SPDM_AES_256_GCM, h->version, 0xff};
    uint8_t head[6] = {h->version, 0xe5, 1, h->finish_slot}, th[SPDM_HASH_MAX];
    size_t n = h->version < SPDM_V14 ? 4 : 6;

    with = *of;
    memcpy(out, head, n);
    if (opaque) {
        memcpy(out + 4, element, sizeof element);
        n = 4 + sizeof element;
    }
    hand_th_add(&with, spdm_span(h->chain_digest, HAND_H));
    sign(h, &with, spdm_span(out, n), out + n);
    n += SIGNATURE;
    hand_th(h, &with, spdm_span(out, n), th);
    assert_true(spdm_schedule_verify_data(&sch, with.secrets.finished[REQUEST], th, out + n));
    return n + HAND_H;
}

bool hand_finish_signed(struct hand *h, struct hand_session *s, bool flip_opaque)
{
    uint8_t message[512];
    struct spdm_span request = {message, hand_finish_signed_bytes(h, s, flip_opaque, message)}, got;

    if (flip_opaque) message[15] ^= 1; /* in the element's data */
    got = hand_say(h, s->clear ? NULL : s, request);
    if (flip_opaque) assert_true(got.n == 4 && got.p[1] == 0x7f && got.p[2] == 0x06);
    if (got.n < 4 || got.p[1] != 0x65) return false;
    hand_th_add(s, spdm_span(h->chain_digest, HAND_H));
    return hand_finished(h, s, request, got);
}
