/* SPDX-License-Identifier: BSD-3-Clause
 *
 * KEY_EXCHANGE and KEY_EXCHANGE_RSP, FINISH and FINISH_RSP: a session from
 * certificates or provisioned keys. */
#include "wire/walkers.h"

enum { RANDOM = 32, SLOT = 0x0f, SIGNATURE_INCLUDED = 0x01 };

static void summary_type(struct io *io, uint8_t *v)
{
    io_u8(io, "MeasurementSummaryHashType", v);
    io_need(io, *v <= 1 || *v == SPDM_MEAS_ALL, BAD_VALUE, "MeasurementSummaryHashType R-KEX-14", *v, 0);
}

void spdm_walk_key_exchange(struct io *io, union spdm_body *b)
{
    struct key_exchange *m = &b->key_exchange;

    summary_type(io, &m->summary);
    io_u8(io, "SlotID", &m->slot);
    io_need(io, m->slot < SPDM_SLOT_N || m->slot == SPDM_SLOT_KEY, BAD_SLOT, "SlotID R-KEX-16", m->slot, 0);
    io_u16(io, "ReqSessionID", &m->session);
    io_u8_since(io, SPDM_V12, "SessionPolicy", &m->policy);
    io_zero(io, 1);
    io_bytes(io, "RandomData", &m->random, RANDOM);
    io_bytes(io, "ExchangeData", &m->exchange, io->sh.exchange);
    spdm_io_opaque(io, &m->opaque);
}

void spdm_walk_key_exchange_rsp(struct io *io, union spdm_body *b)
{
    struct key_exchange_rsp *m = &b->key_exchange_rsp;

    io_u8(io, "HeartbeatPeriod", &m->heartbeat);
    io_zero(io, 1);
    io_u16(io, "RspSessionID", &m->session);
    io_u8(io, "MutAuthRequested", &m->mut_auth);
    io_u8(io, "SlotIDParam", &m->slot);
    m->slot &= SLOT;
    io_bytes(io, "RandomData", &m->random, RANDOM);
    io_bytes(io, "ExchangeData", &m->exchange, io->sh.exchange_reply);
    io_bytes(io, "MeasurementSummaryHash", &m->summary, io->sh.meas_sum);
    spdm_io_opaque(io, &m->opaque);
    io_signature(io, &m->signature);
    io_verify(io, "ResponderVerifyData", &m->verify, io->sh.verify);
}

/* OpaqueData of FINISH and its kin exists from 1.4 on. */
static void opaque(struct io *io, struct spdm_span *s)
{
    if (io_since(io, SPDM_V14)) spdm_io_opaque(io, s);
}

void spdm_walk_finish(struct io *io, union spdm_body *b)
{
    struct finish *m = &b->finish;
    uint8_t param1 = m->with_signature ? SIGNATURE_INCLUDED : 0;

    io_u8(io, "Param1", &param1);
    m->with_signature = (param1 & SIGNATURE_INCLUDED) != 0;
    io_u8(io, "SlotID", &m->slot);
    opaque(io, &m->opaque);
    if (m->with_signature) io_signature(io, &m->signature);
    io_verify(io, "RequesterVerifyData", &m->verify, io->sh.hash);
}

void spdm_walk_finish_rsp(struct io *io, union spdm_body *b)
{
    struct finish_rsp *m = &b->finish_rsp;

    io_zero(io, 2);
    opaque(io, &m->opaque);
    io_verify(io, "ResponderVerifyData", &m->verify, io->sh.verify);
}

/* ---- PSK_EXCHANGE, PSK_FINISH: a session from a shared secret ---- */

void spdm_walk_psk_exchange(struct io *io, union spdm_body *b)
{
    struct psk_exchange *m = &b->psk_exchange;
    uint16_t hint = (uint16_t)m->hint.n, context = (uint16_t)m->context.n, n = (uint16_t)m->opaque.n;

    summary_type(io, &m->summary);
    io_u8_since(io, SPDM_V12, "SessionPolicy", &m->policy);
    io_u16(io, "ReqSessionID", &m->session);
    io_u16(io, "PSKHintLength", &hint);
    io_u16(io, "RequesterContextLength", &context);
    spdm_io_opaque_length(io, &n);
    io_bytes(io, "PSKHint", &m->hint, hint);
    io_bytes(io, "RequesterContext", &m->context, context);
    spdm_io_opaque_data(io, &m->opaque, n);
}

void spdm_walk_psk_exchange_rsp(struct io *io, union spdm_body *b)
{
    struct psk_exchange_rsp *m = &b->psk_exchange_rsp;
    uint16_t context = (uint16_t)m->context.n, n = (uint16_t)m->opaque.n;

    io_u8(io, "HeartbeatPeriod", &m->heartbeat);
    io_zero(io, 1);
    io_u16(io, "RspSessionID", &m->session);
    io_zero(io, 2);
    io_u16(io, "ResponderContextLength", &context);
    spdm_io_opaque_length(io, &n);
    io_bytes(io, "MeasurementSummaryHash", &m->summary, io->sh.meas_sum);
    io_bytes(io, "ResponderContext", &m->context, context);
    spdm_io_opaque_data(io, &m->opaque, n);
    io_verify(io, "ResponderVerifyData", &m->verify, io->sh.hash);
}

void spdm_walk_psk_finish(struct io *io, union spdm_body *b)
{
    struct finish *m = &b->finish;

    io_zero(io, 2);
    opaque(io, &m->opaque);
    io_verify(io, "RequesterVerifyData", &m->verify, io->sh.hash);
}

void spdm_walk_psk_finish_rsp(struct io *io, union spdm_body *b)
{
    io_zero(io, 2);
    opaque(io, &b->finish_rsp.opaque);
}
