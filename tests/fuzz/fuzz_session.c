/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fuzz_session.c - a responder's sessions, and whatever is said in them.
 *
 * Two bytes choose version and kind of device, the rest is a list of steps.
 * A requester by hand opens sessions as they should be opened, or nearly so;
 * there is no cipher, so arbitrary bytes are messages of a session, application
 * data, or no record at all. Time passes, the device sends and updates, the
 * crypto library fails. Afterwards GET_VERSION works, no session is left and no
 * hash stays open. */
#include "support/hand.h"
#include "support/null_cipher.h"
#include "support/talk.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 60, SESSIONS = 3 };

static const char *const requests[] = {
    "vv 81 00 00",
    "vv 82 00 00 0000 0002",
    "vv e0 00 ff context",
    "vv e0 01 ff nonce slot00 context",
    "vv e8 00 00",
    "vv e9 01 01",
    "vv e9 02 02",
    "vv e9 03 03",
    "vv ea 00 00",
    "vv eb 01 00 vv 69 01 01",
    "vv eb 01 00 vv 01 01 01 nonce 00000000000000000000000000000000",
    "vv ec 00 00",
    "vv fe 00 00 0300 02 b41a 0100 07",
    "vv ff e0 01",
    "vv 85 00 01 00000000 30000000 64000000 vv fe 00 00 0300 02 b41a 5900",
    "vv 86 00 01 00000000",
    "vv f0 00 00 00000000",
    "vv e2 00 00",
    "10 84 00 00",
};
enum { REQUESTS = sizeof requests / sizeof *requests };

static struct pair p;
static struct hand h;
static struct hand_session session[SESSIONS];
static struct spdm_crypto crypto;
static struct spdm_span rest;

static void require(bool fact)
{
    if (!fact) abort();
}

static uint8_t next(void)
{
    if (rest.n == 0) return 0;
    rest.n--;
    return *rest.p++;
}

static void hear(void)
{
    struct spdm_span out = spdm_responder_pull(p.rs, p.now);

    require(out.n == 0 || out.p[0] == 5 || out.p[0] == 6);
    require(out.n <= p.rsp_config.out.n || out.n <= 128);
}

/* A record without a cipher: what it says is what it holds; its number is the one that is due. */
static size_t record(const struct hand_session *s, struct spdm_span plain, uint8_t *frame)
{
    struct spdm_session_facts facts = {0};
    size_t n = plain.n + 16;

    (void)spdm_responder_session(p.rs, s->id, &facts);
    frame[0] = 6;
    for (unsigned i = 0; i < 4; i++) frame[1 + i] = (uint8_t)(s->id >> 8 * i);
    frame[5] = (uint8_t)facts.received;
    frame[6] = (uint8_t)(facts.received >> 8);
    frame[7] = (uint8_t)n;
    frame[8] = (uint8_t)(n >> 8);
    memcpy(frame + 9, plain.p, plain.n);
    memset(frame + 9 + plain.n, 0, 16);
    return 9 + n;
}

/* A message in a session, with the length and the type in front of it. */
static void say_in(const struct hand_session *s, struct spdm_span message, uint8_t type)
{
    static uint8_t frame[PAIR_BUFFER], plain[PAIR_BUFFER];

    plain[0] = (uint8_t)(message.n + 1);
    plain[1] = (uint8_t)((message.n + 1) >> 8);
    plain[2] = type;
    memcpy(plain + 3, message.p, message.n);
    pair_deliver(&p, true, frame, record(s, (struct spdm_span){plain, message.n + 3}, frame));
}

static struct hand_session *some(void)
{
    return &session[next() % SESSIONS];
}

static void edit(uint8_t *bytes, size_t n)
{
    for (unsigned edits = next() % 3; edits > 0; edits--) {
        size_t at = (size_t)next() | (size_t)next() << 8;

        bytes[at % n] ^= next();
    }
}

static void finish(bool changed)
{
    static uint8_t message[1 + 512];
    struct hand_session *s = some();
    size_t n;

    if (s->id == 0) return;
    n = hand_finish_bytes(&h, s, s->psk != (next() % 8 == 7), message + 1);
    message[0] = 5;
    if (changed) edit(message + 1, n);
    if (s->clear && !s->psk) pair_deliver(&p, true, message, n + 1);
    else say_in(s, (struct spdm_span){message + 1, n}, 5);
}

/* KEY_EXCHANGE or PSK_EXCHANGE that is not quite right: opaque data above all. */
static void exchange_changed(bool psk)
{
    static uint8_t message[1 + 512];
    struct hand_session *s = some();
    size_t n = psk ? hand_psk_exchange_bytes(&h, s, message + 1) : hand_key_exchange_bytes(&h, s, message + 1);

    message[0] = 5;
    edit(message + 1 + n - 20, 20);
    edit(message + 1, n);
    s->id = 0;
    pair_deliver(&p, true, message, n + 1);
}

static void arbitrary(unsigned how)
{
    static uint8_t bytes[3 + 255], frame[PAIR_BUFFER];
    size_t n = next();

    for (size_t i = 0; i < n; i++) bytes[i] = next();
    if (how == 0) { /* a message that begins as one */
        bytes[0] = h.version;
        say_in(some(), (struct spdm_span){bytes, n}, 5);
    } else if (how == 1) { /* all of the plaintext */
        pair_deliver(&p, true, frame, record(some(), (struct spdm_span){bytes, n}, frame));
    } else { /* all of the frame */
        bytes[0] = how == 2 ? 6 : 5;
        pair_deliver(&p, true, bytes, n);
    }
}

static void words(void)
{
    static uint8_t message[PAIR_BUFFER];
    size_t n = talk_bytes(requests[next() % REQUESTS], h.version, message);

    edit(message, n);
    if (next() % 4 != 0) say_in(some(), (struct spdm_span){message, n}, 5);
    else (void)hand_say(&h, NULL, (struct spdm_span){message, n});
}

static void open_one(bool psk)
{
    struct hand_session *s = some();

    if (p.silent || p.refuse_answers || p.sign_delay != 0 || p.toy.fail_at > p.toy.calls) {
        exchange_changed(psk); /* there is no answer that the hand could work with */
        return;
    }
    (void)(psk ? hand_psk_exchange(&h, s) : hand_key_exchange(&h, s));
}

static void step(void)
{
    static const uint8_t data[] = "\x7e data";

    switch (next() % 16) {
    case 0:
    case 1: open_one(false); break;
    case 2: open_one(true); break;
    case 3: finish(false); break;
    case 4: finish(true); break;
    case 5: exchange_changed(false); break;
    case 6: exchange_changed(true); break;
    case 7:
    case 8: words(); break;
    case 9: arbitrary(0); break;
    case 10: arbitrary(1); break;
    case 11: arbitrary(2 + next() % 2); break;
    case 12:
        p.now += (uint64_t)1 << next() % 28;
        spdm_responder_push(p.rs, (struct spdm_span){NULL, 0}, p.now);
        break;
    case 13: (void)spdm_responder_send(p.rs, some()->id, (struct spdm_span){data, 1 + next() % 6u}); break;
    case 14: (void)spdm_responder_update(p.rs, some()->id); break;
    default: p.toy.fail_at = p.toy.calls + next(); break;
    }
    hear();
    pair_events(&p);
    hear();
}

static void prepare(uint8_t version, uint8_t kind)
{
    uint32_t clear = kind & 1 ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0;

    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    p.identity.slot[0].certificates.n = 300;
    crypto = null_cipher();
    p.rsp_config.crypto = &crypto;
    pair_sessions(&p, 2 + (kind >> 6));
    p.req_policy.flags |= clear;
    p.rsp_policy.flags |= clear;
    if (kind & 2) p.rsp_policy.flags ^= SPDM_PSK_CAP_MASK;
    if (kind & 4) pair_mutual(&p);
    p.rsp_policy.mut_auth = (uint8_t[]){0, 0, 2, 4}[kind >> 2 & 3];
    p.rsp_policy.heartbeat = kind & 16 ? 1 : 0;
    p.rsp_policy.drop_bad_records = (kind & 32) != 0;
    p.rsp_policy.aead_limit_exponent = kind & 128 ? 4 : 0;
    pair_start(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t get_version[] = {5, 0x10, 0x84, 0, 0};
    struct spdm_session_facts facts;
    struct spdm_span out;

    if (size < 2) return 0;
    memset(session, 0, sizeof session);
    prepare((uint8_t)(SPDM_V11 + data[0] % 4), data[1]);
    rest = (struct spdm_span){data + 2, size - 2};
    hand_connect(&h, &p);
    for (unsigned i = 0; i < STEPS && rest.n != 0; i++) step();
    p.toy.fail_at = 0;
    pair_deliver(&p, true, get_version, sizeof get_version);
    out = spdm_responder_pull(p.rs, p.now);
    require(out.n > 6 && out.p[1] == SPDM_V10 && out.p[2] == 0x04);
    for (unsigned i = 0; i < SESSIONS; i++) require(!spdm_responder_session(p.rs, session[i].id, &facts));
    pair_close(&p);
    return 0;
}
