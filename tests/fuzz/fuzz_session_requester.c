/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fuzz_session_requester.c - a requester's sessions, answered by somebody who
 * has all their keys.
 *
 * Three bytes choose version, goals and kind of session. An honest device
 * answers; what follows in the input says, answer by answer, what becomes of
 * it: nothing, changed or arbitrary bytes inside the same record, another
 * length, an ERROR, another key or none, silence. Every run ends; a session
 * that both ends call open has the same exported secret at both; afterwards an
 * honest connection is made and no hash stays open. */
#include "support/liar.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 3, GOALS = 6 };

static struct pair p;
static struct liar liar;
static struct spdm_span rest;
static bool changed; /* the last answer but for the transcript */

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

static size_t edit(struct spdm_span m, uint8_t *frame)
{
    size_t n = m.n, at = (size_t)next() | (size_t)next() << 8;

    liar.message[at % n] ^= next();
    if (next() % 4 == 0) n = 1 + next() % n;
    return liar_seal(&liar, (struct spdm_span){liar.message, n}, frame);
}

/* Other bytes behind the head, or an ERROR. */
static size_t replace(uint8_t *frame, bool error)
{
    size_t n = 4u + next() % (error ? 33u : 200u);

    if (error) liar.message[1] = 0x7f;
    for (size_t i = 2; i < n; i++) liar.message[i] = next();
    return liar_seal(&liar, (struct spdm_span){liar.message, n}, frame);
}

static size_t wire(struct pair *pair, bool to_responder, uint8_t *frame, size_t n)
{
    struct spdm_span m = liar_open(&liar, to_responder, (struct spdm_span){frame, n});
    uint8_t how = to_responder || pair->arg == NULL ? 0 : next() % 12;

    if (m.n == 0) return n;
    changed = changed || how > 2;
    switch (how) {
    case 3:
    case 4: return edit(m, frame);
    case 5: return replace(frame, false);
    case 6: return replace(frame, true);
    case 7: return 0;
    case 8: return liar_seal_with(&liar, NULL, 0, m, frame);
    case 9: return liar_seal_with(&liar, liar_pick(&liar, next()), next() % 4, m, frame);
    case 10: frame[next() % n] ^= next(); return n;
    case 11: pair_deliver(pair, false, frame, n); return n;
    default: return n;
    }
}

static void prepare(uint8_t version, uint8_t kind)
{
    uint32_t clear = kind & 1 ? SPDM_HANDSHAKE_IN_THE_CLEAR_CAP : 0;

    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    p.identity.slot[0].certificates.n = 300;
    p.measurement_n = 2;
    pair_sessions(&p, 2);
    p.req_policy.flags |= clear;
    p.rsp_policy.flags |= clear;
    if (kind & 2) p.rsp_policy.flags ^= SPDM_PSK_CAP_MASK;
    if (kind & 4) pair_mutual(&p);
    p.rsp_policy.mut_auth = (uint8_t[]){0, 0, 2, 4}[kind >> 2 & 3];
    p.rsp_policy.heartbeat = kind & 16 ? 1 : 0;
    p.req_policy.retries = kind & 32 ? 1 : 0;
    p.toy.accept_all = (kind & 64) != 0;
    p.req_policy.aead_limit_exponent = kind & 128 ? 4 : 0;
    liar_listen(&liar, &p);
    memset(liar.secret, 0, sizeof liar.secret);
    p.wire = wire;
    p.arg = &p;
    pair_start(&p);
}

static void ask(uint8_t what)
{
    static const unsigned wants[] = {
        SPDM_WANT_SESSION,      SPDM_WANT_PSK_SESSION,
        SPDM_WANT_MEASUREMENTS, SPDM_WANT_KEY_UPDATE,
        SPDM_WANT_VENDOR,       SPDM_WANT_POLL,
        SPDM_WANT_END_SESSION,  SPDM_WANT_SESSION | SPDM_WANT_MEASUREMENTS | SPDM_WANT_END_SESSION};
    struct spdm_goal goal = {.want = wants[what % 8],
                             .psk_hint = {(const uint8_t *)"hint", 4},
                             .update = (uint8_t)(1 + (what >> 3 & 1)),
                             .sign = (what & 16) != 0,
                             .standard = 3,
                             .vendor = {(const uint8_t *)"\xb4\x1a", 2},
                             .session = p.opened_rq};

    if ((goal.want & (SPDM_WANT_SESSION | SPDM_WANT_PSK_SESSION)) != 0) goal.session = 0;
    if (goal.want == SPDM_WANT_POLL && p.req_config.mutual == NULL) return;
    if (goal.session == 0 && (goal.want & (SPDM_WANT_KEY_UPDATE | SPDM_WANT_END_SESSION)) != 0) return;
    changed = false;
    if (!pair_run(&p, &goal)) require(p.failure.why != SPDM_WHY_FINE);
}

/* What nobody has changed is the same at both ends. */
static void judge(void)
{
    uint8_t a[SPDM_HASH_MAX], b[SPDM_HASH_MAX];
    size_t n;

    if (p.opened_rq == 0 || changed) return;
    n = spdm_requester_export(p.rq, p.opened_rq, a);
    if (n == 0 || spdm_responder_export(p.rs, p.opened_rq, b) != n) return;
    require(memcmp(a, b, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD) return 0;
    prepare((uint8_t)(SPDM_V11 + data[0] % 4), data[1]);
    rest = (struct spdm_span){data + HEAD, size - HEAD};
    ask(data[2] % 2);
    judge();
    for (unsigned i = 0; i < GOALS && rest.n != 0; i++) ask(next());
    p.arg = NULL;
    p.toy.accept_all = false;
    spdm_requester_reset(p.rq);
    require(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}));
    pair_close(&p);
    return 0;
}
