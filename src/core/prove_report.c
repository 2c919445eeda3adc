/* SPDX-License-Identifier: BSD-3-Clause
 *
 * MEASUREMENT_EXTENSION_LOG and ENDPOINT_INFO as the prover answers them. */
#include "core/responder_state.h"

enum { LOG_HEAD = 12 };

/* ---- MEASUREMENT_EXTENSION_LOG ---- */

static uint8_t consider_log(struct spdm_responder *rs, const union spdm_body *req)
{
    (void)req;
    if (rs->c.facts.mel_spec == 0 || rs->c.facts.meas_hash == SPDM_ALG_NONE) {
        return refuse(&rs->c, NOT_NOW, "R-MEL-06", 0, 0);
    }
    return SPDM_WHY_FINE;
}

/* Never a byte outside, whatever offset and length are (withstand 39). */
static uint8_t reply_log(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    const struct spdm_log_order *q = &req->order.log;
    struct measurement_extension_log *m = &rsp->measurement_extension_log;
    struct spdm_span log = rs->answer->data;
    size_t room = spdm_responder_body(rs).n;

    if (log.n > UINT32_MAX) return refuse(&rs->c, ANSWER_REFUSED, "a log over 4 GiB", 0, 0);
    if (q->offset >= log.n) return refuse(&rs->c, TOO_LONG, "Offset R-MEL-04", q->offset, log.n - 1);
    room = room > LOG_HEAD ? room - LOG_HEAD : 0;
    m->portion = spdm_part(log, q->offset, q->length < room ? q->length : room);
    m->remainder = (uint32_t)(log.n - q->offset - m->portion.n);
    return SPDM_WHY_FINE;
}

const struct prove_job spdm_prove_log = {.request = &spdm_message_GET_MEASUREMENT_EXTENSION_LOG,
                                         .response = &spdm_message_MEASUREMENT_EXTENSION_LOG,
                                         .asks = SPDM_ASK_LOG,
                                         .consider = consider_log,
                                         .reply = reply_log};

/* ---- ENDPOINT_INFO ---- */

static uint8_t consider_endpoint(struct spdm_responder *rs, const union spdm_body *req)
{
    const struct spdm_endpoint_order *q = &req->order.endpoint;
    struct conn *c = &rs->c;
    uint8_t slot = q->slot == spdm_slot_nibble(SPDM_SLOT_KEY) ? SPDM_SLOT_KEY : q->slot;

    if (q->sub_code != SPDM_ENDPOINT_DEVICE_CLASS) return refuse(c, BAD_VALUE, "SubCode R-EPI-02", q->sub_code, 0);
    if (!q->sign) return SPDM_WHY_FINE;
    if ((c->facts.responder.flags & SPDM_EP_INFO_CAP_MASK) != SPDM_EP_INFO_CAP_SIGNED) {
        return refuse(c, UNSUPPORTED, "EP_INFO_CAP 2", 0, 0); /* R-EPI-03 */
    }
    if (c->facts.hash == SPDM_ALG_NONE || c->facts.signature == SPDM_ALG_NONE) {
        return refuse(c, NO_SELECTION, "a base hash and a signature algorithm", 0, 0);
    }
    if (!spdm_slot_usable(rs, slot)) return refuse(c, BAD_SLOT, "SlotID R-EPI-04", q->slot, 0);
    if (!spdm_slot_allows(rs, slot, SPDM_USE_ENDPOINT_INFO)) return refuse(c, BAD_VALUE, "SlotID R-EPI-04", q->slot, 0);
    c->facts.slot = slot;
    return SPDM_WHY_FINE;
}

static uint8_t reply_endpoint(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    const struct spdm_endpoint_order *q = &req->order.endpoint;
    const struct spdm_config *cfg = rs->c.cfg;
    struct endpoint_info *m = &rsp->endpoint_info;

    if (q->sign && !cfg->crypto->random(cfg->crypto_ctx, rs->nonce, NONCE_BYTES)) {
        return refuse(&rs->c, RANDOM_FAILED, NULL, 0, 0);
    }
    m->slot = q->sign ? q->slot : 0;
    m->nonce = spdm_span(rs->nonce, q->sign ? NONCE_BYTES : 0);
    m->info = rs->answer->data;
    return SPDM_WHY_FINE;
}

/* IL1/IL2 is this one exchange. */
static uint8_t enter_endpoint(struct spdm_responder *rs, struct spdm_span response)
{
    struct conn *c = &rs->c;
    struct signer signer = spdm_conn_signer(c);
    struct exchange x = {.request = spdm_span(rs->request, rs->request_n),
                         .response = spdm_part(response, 0, rs->signature_at)};

    if (rs->signature_at == 0) return SPDM_WHY_FINE;
    if (spdm_conn_exchange_digest(c, &x, rs->to_sign.digest) &&
        spdm_signing_prepare(&rs->to_sign, &c->tr, &signer, SIGNED_ENDPOINT_INFO)) {
        return SPDM_WHY_FINE;
    }
    return refuse(c, CRYPTO_FAILED, "the transcript's digest", 0, 0);
}

const struct prove_job spdm_prove_endpoint = {.request = &spdm_message_GET_ENDPOINT_INFO,
                                              .response = &spdm_message_ENDPOINT_INFO,
                                              .signed_by = SIGNED_ENDPOINT_INFO,
                                              .asks = SPDM_ASK_ENDPOINT,
                                              .consider = consider_endpoint,
                                              .reply = reply_endpoint,
                                              .enter = enter_endpoint};
