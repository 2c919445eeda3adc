/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What an attestation takes beside time: messages and bytes on the wire,
 * certificates read, heap calls, memory of a connection. */
#include "bench/bench.h"
#include "bench/ends.h"
#include "port/lender.h"
#include "support/hex.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 64, MIB = 1 << 20, VCA = 192 };

static void print_of(const char *what, const char *unit, double value)
{
    char name[80];

    snprintf(name, sizeof name, "%s %s", what, unit);
    bench_print(name, value);
}

/* ---- wire: the reference's own chain, whoever trusts it ---- */

static bool accept_all(struct ends *e, const struct spdm_event *ev, struct spdm_answer *answer)
{
    answer->yes = ev->kind == SPDM_ASK_TRUST;
    answer->key = spdm_signer_public(e->signer);
    return true;
}

static void count_wire(struct ends *e, const char *what, const struct spdm_goal *goal)
{
    e->messages = 0;
    e->bytes = 0;
    ends_run(e, goal);
    print_of(what, "messages", e->messages);
    print_of(what, "bytes", (double)e->bytes);
}

static void wire(void)
{
    static const struct spdm_goal no_challenge = {.want = SPDM_WANT_MEASUREMENTS, .sign = true};
    struct spdm_room chain = file_bytes("tests/data/golden/chains/ecp384-responder-76b225");
    size_t head = 4 + spdm_algorithm(SPDM_SHA_384)->size;
    static struct ends e;

    must(chain.n == 1591);
    ends_open(&e, &ends_p384);
    e.identity.slot[0].certificates = (struct spdm_span){chain.p + head, chain.n - head};
    e.identity.slot[0].root = (struct spdm_span){chain.p + head, spdm_x509_length(e.identity.slot[0].certificates)};
    e.trust = accept_all;
    ends_connect(&e);
    count_wire(&e, "unknown device", &ends_attest);
    count_wire(&e, "live connection", &ends_again);
    memcpy(e.vouched_hash, spdm_requester_facts(e.rq)->chain_hash, sizeof e.vouched_hash);
    ends_disconnect(&e);
    ends_connect(&e);
    count_wire(&e, "unknown device, no challenge", &no_challenge);
    ends_disconnect(&e);
    e.vouched = spdm_signer_public(e.signer);
    ends_connect(&e);
    count_wire(&e, "known device", &ends_again);
    ends_close(&e);
    free(chain.p);
}

/* ---- certificates and heap ---- */

static void print_heap(const char *what, const struct bench_heap *before)
{
    struct bench_heap now = bench_heap_now();

    print_of(what, "heap calls", (double)(now.ours - before->ours));
    print_of(what, "heap calls of libcrypto", (double)(now.libcrypto - before->libcrypto));
}

static void heap(void)
{
    static struct ends e;
    struct bench_heap before;
    struct spdm_judge_counts read;

    ends_open(&e, &ends_p384);
    for (int i = 0; i < 2; i++) { /* fills the pools */
        ends_connect(&e);
        ends_run(&e, &ends_attest);
        ends_disconnect(&e);
    }
    read = spdm_judge_counts(e.judge);
    before = bench_heap_now();
    ends_connect(&e);
    ends_run(&e, &ends_attest);
    print_heap("attestation", &before);
    bench_print("certificates read", spdm_judge_counts(e.judge).certificates_read - read.certificates_read);
    bench_print("links verified", spdm_judge_counts(e.judge).signatures_verified - read.signatures_verified);
    ends_run(&e, &ends_again);
    before = bench_heap_now();
    ends_run(&e, &ends_again);
    print_heap("re-attestation", &before);
    ends_close(&e);
}

/* ---- memory of a connection: what the caller gives, and what libcrypto takes for running hashes ---- */

static double connections(void)
{
    static struct ends e[MANY];
    size_t before, state = 0;
    double idle, busy;

    ends_open(&e[0], &ends_p384);
    ends_connect(&e[0]);
    ends_run(&e[0], &ends_attest);
    ends_disconnect(&e[0]);
    before = bench_heap_now().held;
    for (int i = 0; i < MANY; i++) {
        if (i != 0) e[i] = e[0];
        ends_connect(&e[i]);
        e[i].messages = 0;
        e[i].stop_after = 10; /* DIGESTS and CERTIFICATE have come: M1/M2 runs on both sides */
        e[i].trust = accept_all;
        ends_run(&e[i], &ends_attest);
    }
    busy = (double)(bench_heap_now().held - before) / MANY / 2;
    state = spdm_requester_size(&e[0].req_config);
    if (spdm_responder_size(&e[0].rsp_config) > state) state = spdm_responder_size(&e[0].rsp_config);
    idle = (double)state;
    bench_print("requester bytes", (double)spdm_requester_size(&e[0].req_config));
    bench_print("responder bytes", (double)spdm_responder_size(&e[0].rsp_config));
    bench_print("running hash bytes", busy);
    bench_print("connections per MiB, idle", MIB / idle);
    bench_print("connections per MiB, hashing", MIB / (idle + busy));
    for (int i = 1; i < MANY; i++) ends_disconnect(&e[i]);
    ends_close(&e[0]);
    return busy;
}

/* The same with ML-DSA-87 and SLH-DSA-SHA2-256f allowed, of either side, ML-KEM-1024 and a session: signatures and
 * chains lie in room that is lent while a message is on its way, so nothing of a connection grows with them. */
static void post_quantum_connections(double hashing)
{
    static const uint8_t signatures[] = {SPDM_ML_DSA_87, SPDM_SLH_DSA_SHA2_256F, 0},
                         exchanges[] = {SPDM_ML_KEM_1024, 0};
    static struct ends e;
    size_t state, responder;

    ends_open(&e, &ends_p384);
    ends_sessions(&e);
    e.req_policy.signatures = e.rsp_policy.signatures = signatures;
    e.req_policy.req_signatures = e.rsp_policy.req_signatures = signatures;
    e.req_policy.exchanges = e.rsp_policy.exchanges = exchanges;
    e.req_config.chunks = &spdm_requester_chunks;
    e.rsp_config.chunks = &spdm_responder_chunks;
    e.req_config.lender = e.rsp_config.lender = &spdm_lend_heap;
    e.req_config.max_message_size = e.rsp_config.max_message_size = 0x28000;
    state = spdm_requester_size(&e.req_config) + spdm_session_size(&e.req_config);
    responder = spdm_responder_size(&e.rsp_config) + spdm_session_size(&e.rsp_config);
    if (responder > state) state = responder;
    bench_print("post-quantum connection with a session, bytes", (double)state);
    bench_print("connections per MiB, post-quantum, with a session", MIB / ((double)state + hashing));
    ends_close(&e);
}

/* With a session each, and for VCA not much more than such a negotiation takes. */
static void established(void)
{
    static struct ends e[MANY];
    size_t before, state, other;
    double ciphers;

    ends_open(&e[0], &ends_p384);
    ends_sessions(&e[0]);
    e[0].req_config.vca_max = e[0].rsp_config.vca_max = VCA;
    ends_connect(&e[0]);
    ends_session_open(&e[0]);
    ends_disconnect(&e[0]);
    before = bench_heap_now().held;
    for (int i = 0; i < MANY; i++) {
        if (i != 0) e[i] = e[0];
        ends_session_place(&e[i]);
        e[i].trust = accept_all;
        ends_connect(&e[i]);
        ends_session_open(&e[i]);
    }
    ciphers = (double)(bench_heap_now().held - before) / MANY / 2;
    state = spdm_requester_size(&e[0].req_config) + spdm_session_size(&e[0].req_config);
    other = spdm_responder_size(&e[0].rsp_config) + spdm_session_size(&e[0].rsp_config);
    bench_print("VCA bytes", (double)spdm_requester_vca(e[0].rq).n);
    bench_print("session bytes", (double)spdm_session_size(&e[0].req_config));
    if (other > state) state = other;
    bench_print("connections per MiB, established", MIB / (double)state);
    bench_print("cipher bytes", ciphers);
    bench_print("connections per MiB, established, with libcrypto's ciphers", MIB / ((double)state + ciphers));
    for (int i = 1; i < MANY; i++) ends_disconnect(&e[i]);
    ends_close(&e[0]);
}

int main(void)
{
    bench_heap_watch();
    wire();
    heap();
    post_quantum_connections(connections());
    established();
    return 0;
}
