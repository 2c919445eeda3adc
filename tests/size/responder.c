/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The smallest honest device: certificates, challenge, measurements, one suite
 * (ECDSA P-384, SHA-384), MCTP; with a session if WITH_SESSION is defined, with every message WITH_EVERYTHING. Every
 * verb of the engine is reachable, and what goes in and out is volatile, so that nothing of it can be optimised away.
 * Its size is what scripts/measure/sizes reports; it is never run. */
#include "null_crypto.h"
#include <assay/responder.h>

enum { TRANSFER = 1024, MEMORY = 2560 };

static const uint8_t hashes[] = {SPDM_SHA_384, 0}, signatures[] = {SPDM_ECDSA_P384, 0};
static const uint8_t certificates[3];

static const struct spdm_policy policy = {.versions = {SPDM_V14, SPDM_V13, SPDM_V12, SPDM_V11, SPDM_V10},
                                          .flags = SPDM_CERT_CAP | SPDM_CHAL_CAP | SPDM_MEAS_CAP_SIGNED |
                                                   NULL_SESSION_FLAGS | NULL_EVERYTHING_FLAGS,
                                          .ct_exponent = 20,
                                          .hashes = hashes,
                                          .signatures = signatures,
                                          .meas_hash = SPDM_SHA_384,
                                          .opaque_formats = 2,
                                          NULL_SESSION_POLICY NULL_EVERYTHING_POLICY};

/* Filled when the device has read its certificates. */
static struct spdm_identity identity;

static const struct spdm_measurement measurements[] = {
    {.index = 1, .type = SPDM_MEAS_FIRMWARE, .tcb = true, .value = {certificates, 1}}};

static uint8_t out[TRANSFER + 8], signature[96];
static uint64_t memory[MEMORY / 8];

NULL_TURNED

static const struct spdm_config config = {.crypto = &null_crypto,
                                          .binding = &spdm_binding_mctp,
                                          .policy = &policy,
                                          .out = {out, sizeof out},
                                          .data_transfer_size = TRANSFER,
                                          .identity = &identity,
                                          .services = &NULL_SERVICES,
                                          NULL_SESSION_CONFIG(spdm_serving_sessions) NULL_EVERYTHING};

/* The wire, the clock and the lines to the outside: registers of a device that does not exist. */
static volatile struct {
    struct spdm_span received;
    uint64_t time;
    const uint8_t *sent, *to_sign;
    size_t sent_n;
    uint64_t wake;
    uint8_t why;
    bool changed, stop;
} device;

static void answer(struct spdm_responder *rs)
{
    struct spdm_event event;
    struct spdm_answer reply = {.yes = true, .measurements = measurements, .measurement_n = 1};

    while (spdm_responder_event(rs, &event) != SPDM_NOTHING) {
        reply.ticket = event.ticket;
        reply.data = (struct spdm_span){signature, sizeof signature};
        device.to_sign = event.signing.data.p;
        device.why = event.report.why;
        NULL_SESSION_EVENT(responder, rs, event);
        NULL_EVERYTHING_EVENT(rs, event);
        if (event.kind == SPDM_ASK_SIGN || event.kind == SPDM_ASK_MEASURE) (void)spdm_responder_answer(rs, &reply);
    }
}

int main(void)
{
    struct spdm_room room = {(uint8_t *)memory, sizeof memory};
    struct spdm_responder *rs = spdm_responder_init(room, &config);
    struct spdm_span frame;

    NULL_EVERYTHING_BEGIN;
    if (rs == NULL) return 1;
    identity.slot[0].certificates = (struct spdm_span){certificates, sizeof certificates};
    identity.slot[0].root = (struct spdm_span){certificates, 1};
    identity.slot[0].signs = signatures;
    while (!device.stop) {
        frame.p = device.received.p;
        frame.n = device.received.n;
        spdm_responder_push(rs, frame, device.time);
        answer(rs);
        if (device.changed) spdm_responder_resynch(rs);
        frame = spdm_responder_pull(rs, device.time);
        device.sent = frame.p;
        device.sent_n = frame.n;
        device.wake = spdm_responder_deadline(rs);
    }
    spdm_responder_close(rs);
    return 0;
}
