/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The smallest honest asker: a whole attestation - chain, challenge, signed
 * measurements - with one suite (ECDSA P-384, SHA-384) over MCTP. Every verb of
 * the engine is reachable, and what goes in and out is volatile, so that
 * nothing of it can be optimised away. Its size is what scripts/measure/sizes
 * reports; it is never run. */
#include "null_crypto.h"
#include <assay/requester.h>

enum { TRANSFER = 1024, CHAIN = 4096, MEMORY = 2560 };

static const uint8_t hashes[] = {SPDM_SHA_384, 0}, signatures[] = {SPDM_ECDSA_P384, 0};

static const struct spdm_policy policy = {.versions = {SPDM_V14, SPDM_V13, SPDM_V12, SPDM_V11, SPDM_V10},
                                          .hashes = hashes,
                                          .signatures = signatures,
                                          .flags = NULL_SESSION_FLAGS,
                                          .opaque_formats = 2,
                                          NULL_SESSION_POLICY};

static const struct spdm_goal goal = {.want = SPDM_WANT_IDENTITY | SPDM_WANT_CHALLENGE | SPDM_WANT_MEASUREMENTS |
                                              NULL_SESSION_WANTS,
                                      .summary = SPDM_MEAS_ALL,
                                      .sign = true};

static uint8_t out[256], chain[CHAIN];
static uint64_t memory[MEMORY / 8];

static const struct spdm_config config = {.crypto = &null_crypto,
                                          .binding = &spdm_binding_mctp,
                                          .policy = &policy,
                                          .out = {out, sizeof out},
                                          .chain = {chain, sizeof chain},
                                          .data_transfer_size = TRANSFER,
                                          NULL_SESSION_CONFIG(spdm_with_sessions)};

/* The wire, the clock and the lines to the outside: registers of a host that does not exist. */
static volatile struct {
    struct spdm_span received;
    uint64_t time;
    const uint8_t *sent, *record, *key;
    size_t sent_n;
    uint64_t wake;
    uint8_t why, signature;
    bool gone, stop;
} host;

static void answer(struct spdm_requester *rq)
{
    struct spdm_event event;
    struct spdm_answer reply = {.yes = true};

    while (spdm_requester_event(rq, &event) != SPDM_NOTHING) {
        reply.ticket = event.ticket;
        reply.key = host.key;
        host.record = event.data.p;
        host.why = event.report.why;
        NULL_SESSION_EVENT(requester, rq, event);
        if (event.kind == SPDM_ASK_DIGEST || event.kind == SPDM_ASK_TRUST) (void)spdm_requester_answer(rq, &reply);
    }
}

int main(void)
{
    struct spdm_room room = {(uint8_t *)memory, sizeof memory};
    struct spdm_requester *rq = spdm_requester_init(room, &config);
    struct spdm_span frame;

    if (rq == NULL) return 1;
    frame.p = chain;
    frame.n = host.sent_n;
    spdm_requester_trust(rq, 0, frame, chain);
    (void)spdm_requester_ask(rq, &goal);
    while (!host.stop) {
        answer(rq);
        frame = spdm_requester_pull(rq, host.time);
        host.sent = frame.p;
        host.sent_n = frame.n;
        host.wake = spdm_requester_deadline(rq);
        frame.p = host.received.p;
        frame.n = host.received.n;
        spdm_requester_push(rq, frame, host.time);
        if (host.gone) spdm_requester_reset(rq);
    }
    host.signature = spdm_requester_facts(rq)->signature;
    spdm_requester_close(rq);
    return 0;
}
