/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The requester by hand. Fixed choices keep it short: SHA-384, ECDSA P-384,
 * secp384r1, AES-256-GCM, all of them the toy's; no measurement summary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/hand.h"
#include "support/talk.h"

enum { EXCHANGE = 96, SIGNATURE = 96, RANDOM = 32 };
#define AEAD SPDM_AES_256_GCM

static struct schedule schedule(struct hand *h)
{
    return (struct schedule){.crypto = &toy_crypto,
                             .ctx = &h->toy,
                             .hash = SPDM_SHA_384,
                             .aead = AEAD,
                             .version = h->version,
                             .psk_salt = h->version < SPDM_V13 ? 0 : 0xff};
}

static uint16_t load16(struct spdm_span s, size_t at)
{
    assert_true(at + 2 <= s.n);
    return (uint16_t)(s.p[at] | s.p[at + 1] << 8);
}

static void store16(uint8_t *out, size_t v)
{
    out[0] = (uint8_t)v;
    out[1] = (uint8_t)(v >> 8);
}

/* ---- TH ---- */

void hand_th_add(struct hand_session *s, struct spdm_span bytes)
{
    assert_true(s->th_n + bytes.n <= sizeof s->th);
    if (bytes.n != 0) memcpy(s->th + s->th_n, bytes.p, bytes.n);
    s->th_n += bytes.n;
}

static void digest(struct hand *h, const struct spdm_span *part, size_t n, uint8_t *out)
{
    uint64_t state[4] = {0};

    assert_true(toy_crypto.hash_begin(&h->toy, state, SPDM_SHA_384));
    for (size_t i = 0; i < n; i++) assert_true(toy_crypto.hash_update(&h->toy, state, part[i]));
    assert_true(toy_crypto.hash_peek(&h->toy, state, out));
    toy_crypto.hash_end(&h->toy, state);
}

void hand_th(struct hand *h, const struct hand_session *s, struct spdm_span more, uint8_t out[SPDM_HASH_MAX])
{
    struct spdm_span part[2] = {{s->th, s->th_n}, more};

    digest(h, part, 2, out);
}

/* VCA, the DIGESTS that counts, the chain's digest. */
static void begin_th(struct hand *h, struct hand_session *s)
{
    uint8_t chain[SPDM_HASH_MAX];

    s->th_n = 0;
    hand_th_add(s, spdm_requester_vca(h->p->rq));
    if (s->psk) return;
    hand_th_add(s, h->digests);
    assert_int_equal(pair_digest(h->p, 0, SPDM_SHA_384, chain), HAND_H);
    hand_th_add(s, spdm_span(chain, HAND_H));
}

static void verify_data(struct hand *h, const struct hand_session *s, enum direction by, struct spdm_span more,
                        uint8_t *out)
{
    struct schedule sch = schedule(h);
    uint8_t th[SPDM_HASH_MAX];

    hand_th(h, s, more, th);
    assert_true(spdm_schedule_verify_data(&sch, s->secrets.finished[by], th, out));
}

/* ---- keys ---- */

static void key(struct hand *h, struct hand_session *s, enum direction d)
{
    struct schedule sch = schedule(h);
    struct hand_lane *lane = &s->lane[d];
    struct record_secret rs;

    assert_true(spdm_schedule_record(&sch, s->secrets.direction[d], &rs));
    memset(lane, 0, sizeof *lane);
    memcpy(lane->iv, rs.iv, sizeof lane->iv);
    assert_true(toy_crypto.aead_begin(&h->toy, lane->state, AEAD, spdm_span(rs.key, 32)));
}

void hand_update(struct hand *h, struct hand_session *s, enum direction d)
{
    struct schedule sch = schedule(h);
    uint8_t next[SPDM_HASH_MAX];

    assert_true(spdm_schedule_update(&sch, s->secrets.direction[d], next));
    memcpy(s->secrets.direction[d], next, sizeof next);
    key(h, s, d);
}

static struct record_form form(const struct hand_session *s)
{
    return (struct record_form){.session = s->id, .seq_bytes = 2, .limit = UINT64_MAX - 1};
}

static struct lane as_lane(struct hand_lane *from)
{
    struct lane lane = {.aead = from->state, .sequence = from->sequence, .ready = true};

    memcpy(lane.iv, from->iv, sizeof lane.iv);
    return lane;
}

size_t hand_seal(struct hand *h, struct hand_session *s, struct spdm_span data, bool app)
{
    static const uint8_t inner = 5;
    struct record_crypto rc = {&toy_crypto, &h->toy};
    struct record_form f = form(s);
    struct lane lane = as_lane(&s->lane[REQUEST]);
    struct record_plain plain = {.head = {&inner, app ? 0 : 1}, .data = data};
    size_t n = spdm_record_seal(&rc, &f, &lane, &plain, (struct spdm_room){h->frame + 1, sizeof h->frame - 1});

    assert_int_not_equal(n, 0);
    h->frame[0] = 6;
    s->lane[REQUEST].sequence = lane.sequence;
    return n + 1;
}

struct spdm_span hand_open(struct hand *h, struct hand_session *s, struct spdm_span frame)
{
    static uint8_t out[PAIR_BUFFER];
    struct record_crypto rc = {&toy_crypto, &h->toy};
    struct record_form f = form(s);
    struct lane lane = as_lane(&s->lane[RESPONSE]);
    struct record_in in = {.record = {frame.p + 1, frame.n - 1}, .out = {out, sizeof out}};

    assert_int_equal(frame.p[0], 6);
    if (!spdm_record_open(&rc, &f, &lane, &in)) return (struct spdm_span){0};
    s->lane[RESPONSE].sequence = lane.sequence;
    assert_true(in.data.n > 1 && in.data.p[0] == 5);
    return spdm_part(in.data, 1, in.data.n);
}

/* ---- saying ---- */

void hand_connect(struct hand *h, struct pair *p)
{
    static const struct spdm_goal goal = {.want = SPDM_WANT_CONNECT};
    const struct spdm_facts *f;

    memset(h, 0, sizeof *h);
    h->p = p;
    h->next_id = 0x0101;
    h->toy.random = (uint64_t)1 << 40;
    assert_true(pair_run(p, &goal));
    f = spdm_responder_facts(p->rs);
    h->version = f->version;
    h->clear = (f->requester.flags & f->responder.flags & SPDM_HANDSHAKE_IN_THE_CLEAR_CAP) != 0;
    assert_true(f->hash == SPDM_SHA_384 && f->exchange == SPDM_SECP384R1 && f->aead == AEAD);
}

struct spdm_span hand_say(struct hand *h, struct hand_session *s, struct spdm_span message)
{
    size_t n = message.n + 1;

    if (s == NULL) {
        h->frame[0] = 5;
        memcpy(h->frame + 1, message.p, message.n);
    } else {
        n = hand_seal(h, s, message, false);
    }
    n = pair_request(h->p, h->frame, n, h->answer);
    if (n == 0) return (struct spdm_span){0};
    if (h->answer[0] == 5) return spdm_span(h->answer + 1, n - 1);
    assert_non_null(s);
    return hand_open(h, s, spdm_span(h->answer, n));
}

struct spdm_span hand_talk(struct hand *h, struct hand_session *s, const char *words)
{
    static uint8_t message[PAIR_BUFFER];

    return hand_say(h, s, spdm_span(message, talk_bytes(words, h->version, message)));
}

void hand_expect(struct hand *h, struct hand_session *s, const char *words, const char *prefix)
{
    struct spdm_span got = hand_talk(h, s, words);
    char text[33] = "";

    if (talk_like(got, h->version, prefix)) return;
    for (size_t i = 0; i < got.n && i < 16; i++) snprintf(text + 2 * i, 3, "%02x", got.p[i]);
    fail_msg("1.%u: \"%s\" is answered %s, not \"%s\"", h->version & 15u, words, text, prefix);
}

/* ---- KEY_EXCHANGE ---- */

/* Versions 1.0 to 1.2 of secured messages, or 1.3 with a limit. */
static size_t put_opaque(const struct hand *h, uint8_t *out)
{
    static const uint8_t legacy[] = {0x46, 0x54, 0x4d, 0x44, 1, 1, 0, 0}, general[] = {1, 0, 0, 0};
    uint8_t element[] = {0, 0, 9, 0, 1, 1, 3, 0x00, 0x10, 0x00, 0x11, 0x00, 0x12, 0, 0, 0};
    uint8_t limit[] = {0, 0, 3, 0, 1, 2, h->aead_limit, 0};
    size_t at = h->version < SPDM_V12 ? sizeof legacy : sizeof general;

    memcpy(out, h->version < SPDM_V12 ? legacy : general, at);
    if (h->aead_limit != 0) element[12] = 0x13;
    if (h->aead_limit != 0) out[h->version < SPDM_V12 ? 5 : 0] = 2;
    memcpy(out + at, element, sizeof element);
    at += sizeof element;
    if (h->aead_limit == 0) return at;
    memcpy(out + at, limit, sizeof limit);
    return at + sizeof limit;
}

size_t hand_key_exchange_bytes(struct hand *h, struct hand_session *s, uint8_t *out)
{
    uint8_t head[8] = {h->version, 0xe4, 0, 0, (uint8_t)h->next_id, (uint8_t)(h->next_id >> 8), 0, 0};
    size_t n;

    memset(s, 0, sizeof *s);
    s->id = h->next_id++;
    memcpy(out, head, sizeof head);
    assert_true(toy_crypto.random(&h->toy, out + 8, RANDOM));
    /* the private half waits in a lane that has no key yet */
    assert_true(toy_crypto.exchange_begin(&h->toy, s->lane[REQUEST].state, SPDM_SECP384R1, out + 40));
    n = put_opaque(h, out + 42 + EXCHANGE);
    store16(out + 40 + EXCHANGE, n);
    return 42 + EXCHANGE + n;
}

/* Handshake keys from TH1, and the responder's confirmation. */
static void derive(struct hand *h, struct hand_session *s)
{
    struct schedule sch = schedule(h);
    uint8_t th1[SPDM_HASH_MAX];

    hand_th(h, s, (struct spdm_span){0}, th1);
    assert_true(spdm_schedule_handshake(&sch, &s->secrets, th1));
    key(h, s, REQUEST);
    key(h, s, RESPONSE);
}

static void check_verify_data(struct hand *h, struct hand_session *s, struct spdm_span theirs)
{
    uint8_t ours[SPDM_HASH_MAX];

    verify_data(h, s, RESPONSE, (struct spdm_span){0}, ours);
    assert_int_equal(theirs.n, HAND_H);
    assert_memory_equal(ours, theirs.p, HAND_H);
    hand_th_add(s, theirs);
}

/* What the device signed is TH so far, behind the prefix of 1.2 and later. */
static void check_signature(struct hand *h, const struct hand_session *s, struct spdm_span signature)
{
    static const char context[] = "responder-key_exchange_rsp signing";
    uint8_t message[100 + HAND_H] = {0}, sum[SPDM_HASH_MAX], ours[SIGNATURE];
    struct spdm_span whole = {message, sizeof message};
    struct spdm_signing what = {.alg = SPDM_ECDSA_P384, .hash = SPDM_SHA_384, .prehashed = true, .data = {sum, HAND_H}};

    hand_th(h, s, (struct spdm_span){0}, sum);
    if (h->version >= SPDM_V12) {
        for (unsigned i = 0; i < 4; i++) memcpy(message + 16 * i, "dmtf-spdm-v1.0.*", 16);
        for (unsigned i = 0; i < 4; i++) message[16 * i + 13] = (uint8_t)('0' + (h->version & 15));
        memcpy(message + 100 - strlen(context), context, strlen(context));
        memcpy(message + 100, sum, HAND_H);
        digest(h, &whole, 1, sum);
    }
    assert_int_equal(toy_sign(&h->p->key, &what, ours), SIGNATURE);
    assert_memory_equal(ours, signature.p, SIGNATURE);
}

static void take_selection(struct hand *h, struct hand_session *s, struct spdm_span opaque)
{
    size_t at = h->version < SPDM_V12 ? 8 : 4;

    assert_true(opaque.n >= at + 8);
    s->secured_version = load16(opaque, at + 6);
}

static void take_key_exchange(struct hand *h, struct hand_session *s, struct spdm_span request, struct spdm_span rsp)
{
    struct schedule sch = schedule(h);
    size_t opaque_n = load16(rsp, 40 + EXCHANGE), signature_at = 42 + EXCHANGE + opaque_n;
    uint8_t secret[SPDM_EXCHANGE_SECRET_MAX];
    size_t n;

    assert_int_equal(rsp.n, signature_at + SIGNATURE + (h->clear ? 0 : HAND_H));
    n = toy_crypto.exchange_finish(&h->toy, s->lane[REQUEST].state, spdm_part(rsp, 40, EXCHANGE), secret);
    assert_int_not_equal(n, 0);
    s->id |= (uint32_t)load16(rsp, 4) << 16;
    s->clear = h->clear;
    s->heartbeat = rsp.p[2];
    s->mut_auth = rsp.p[6];
    take_selection(h, s, spdm_part(rsp, 42 + EXCHANGE, opaque_n));
    begin_th(h, s);
    hand_th_add(s, request);
    hand_th_add(s, spdm_part(rsp, 0, signature_at));
    check_signature(h, s, spdm_part(rsp, signature_at, SIGNATURE));
    hand_th_add(s, spdm_part(rsp, signature_at, SIGNATURE));
    assert_true(spdm_schedule_handshake_secret(&sch, &s->secrets, spdm_span(secret, n)));
    derive(h, s);
    if (!h->clear) check_verify_data(h, s, spdm_part(rsp, signature_at + SIGNATURE, HAND_H));
}

bool hand_key_exchange(struct hand *h, struct hand_session *s)
{
    uint8_t message[512];
    size_t n = hand_key_exchange_bytes(h, s, message);
    struct spdm_span rsp = hand_say(h, NULL, spdm_span(message, n));

    if (rsp.n < 4 || rsp.p[1] != 0x64) {
        s->id = 0;
        return false;
    }
    take_key_exchange(h, s, spdm_span(message, n), rsp);
    return true;
}

/* ---- PSK_EXCHANGE ---- */

size_t hand_psk_exchange_bytes(struct hand *h, struct hand_session *s, uint8_t *out)
{
    uint8_t head[12] = {h->version, 0xe6, 0, 0, (uint8_t)h->next_id, (uint8_t)(h->next_id >> 8), 4, 0, RANDOM};
    size_t n;

    memset(s, 0, sizeof *s);
    s->id = h->next_id++;
    s->psk = true;
    memcpy(out, head, sizeof head);
    memcpy(out + 12, "hint", 4);
    assert_true(toy_crypto.random(&h->toy, out + 16, RANDOM));
    n = put_opaque(h, out + 16 + RANDOM);
    store16(out + 10, n);
    return 16 + RANDOM + n;
}

/* The one PSK of the pair. */
static void psk_secret(struct hand *h, struct hand_session *s)
{
    struct schedule sch = schedule(h);
    uint8_t salt[SPDM_HASH_MAX];
    struct spdm_span psk = {(const uint8_t *)"the shared secret", 14};
    struct spdm_hmac in = {.hash = SPDM_SHA_384, .key = {salt, HAND_H}, .part = &psk, .n = 1};

    spdm_schedule_psk_salt(&sch, salt);
    assert_true(toy_crypto.hmac(&h->toy, &in, s->secrets.root));
}

static void establish(struct hand *h, struct hand_session *s)
{
    struct schedule sch = schedule(h);
    uint8_t th2[SPDM_HASH_MAX];

    hand_th(h, s, (struct spdm_span){0}, th2);
    assert_true(spdm_schedule_data(&sch, &s->secrets, th2));
    key(h, s, REQUEST);
    key(h, s, RESPONSE);
    s->established = true;
}

bool hand_psk_exchange(struct hand *h, struct hand_session *s)
{
    uint8_t message[512];
    size_t n = hand_psk_exchange_bytes(h, s, message), context_n, opaque_n;
    struct spdm_span rsp = hand_say(h, NULL, spdm_span(message, n));

    if (rsp.n < 4 || rsp.p[1] != 0x66) {
        s->id = 0;
        return false;
    }
    context_n = load16(rsp, 8);
    opaque_n = load16(rsp, 10);
    assert_int_equal(rsp.n, 12 + context_n + opaque_n + HAND_H);
    s->id |= (uint32_t)load16(rsp, 4) << 16;
    s->heartbeat = rsp.p[2];
    take_selection(h, s, spdm_part(rsp, 12 + context_n, opaque_n));
    psk_secret(h, s);
    begin_th(h, s);
    hand_th_add(s, spdm_span(message, n));
    hand_th_add(s, spdm_part(rsp, 0, rsp.n - HAND_H));
    derive(h, s);
    check_verify_data(h, s, spdm_part(rsp, rsp.n - HAND_H, HAND_H));
    if (context_n == 0) establish(h, s);
    return true;
}

/* ---- FINISH ---- */

size_t hand_finish_bytes(struct hand *h, const struct hand_session *s, bool psk, uint8_t *out)
{
    uint8_t head[6] = {h->version, psk ? 0xe7 : 0xe5};
    size_t n = h->version < SPDM_V14 ? 4 : 6;

    memcpy(out, head, n);
    verify_data(h, s, REQUEST, spdm_span(out, n), out + n);
    return n + HAND_H;
}

bool hand_finished(struct hand *h, struct hand_session *s, struct spdm_span request, struct spdm_span response)
{
    size_t n = h->version < SPDM_V14 ? 4 : 6;
    bool confirmed = s->clear && !s->psk;

    if (response.n != n + (confirmed ? HAND_H : 0) || response.p[1] != (s->psk ? 0x67 : 0x65)) return false;
    hand_th_add(s, request);
    hand_th_add(s, spdm_part(response, 0, n));
    if (confirmed) check_verify_data(h, s, spdm_part(response, n, HAND_H));
    establish(h, s);
    return true;
}

bool hand_finish(struct hand *h, struct hand_session *s)
{
    uint8_t message[512];
    struct spdm_span request = {message, hand_finish_bytes(h, s, s->psk, message)};
    struct spdm_span response = hand_say(h, s->clear && !s->psk ? NULL : s, request);

    return hand_finished(h, s, request, response);
}

bool hand_agrees(const struct hand *h, const struct hand_session *s)
{
    uint8_t theirs[SPDM_HASH_MAX];

    return spdm_responder_export(h->p->rs, s->id, theirs) == HAND_H &&
           memcmp(theirs, s->secrets.export_master, HAND_H) == 0;
}
