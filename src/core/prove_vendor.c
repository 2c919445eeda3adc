/* SPDX-License-Identifier: BSD-3-Clause
 *
 * VENDOR_DEFINED_REQUEST: the caller answers, or it is not supported. */
#include "core/responder_state.h"

static uint8_t consider_vendor(struct spdm_responder *rs, const union spdm_body *req)
{
    uint32_t both = rs->c.facts.requester.flags & rs->c.facts.responder.flags;

    if (req->vendor_defined.large && (both & SPDM_LARGE_RESP_CAP) == 0) {
        return refuse(&rs->c, BAD_VALUE, "LargeReq", 1, 0);
    }
    /* In these handshakes other messages must come next (R-PSK-17, R-MUT-03, R-MUT-05, LQ-25). */
    if (spdm_conn_channel(&rs->c) != NULL && spdm_conn_channel(&rs->c)->state == SESSION_HANDSHAKE &&
        (spdm_conn_channel(&rs->c)->psk || spdm_conn_channel(&rs->c)->mut_auth != 0)) {
        return refuse(&rs->c, NOT_NOW, "R-ALW-15", 0, 0);
    }
    rs->need = SPDM_ASK_VENDOR;
    return SPDM_WHY_FINE;
}

static uint8_t reply_vendor(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    const struct vendor_defined *q = &req->vendor_defined;

    if (!q->large && rs->answer->data.n > 0xffff) {
        return refuse(&rs->c, TOO_LONG, "VendorDefinedPayload", rs->answer->data.n, 0xffff);
    }
    rsp->vendor_defined = (struct vendor_defined){
        .large = q->large, .standard = q->standard, .vendor = q->vendor, .payload = rs->answer->data};
    return SPDM_WHY_FINE;
}

const struct prove_job spdm_prove_vendor = {.request = &spdm_message_VENDOR_DEFINED_REQUEST,
                                            .response = &spdm_message_VENDOR_DEFINED_RESPONSE,
                                            .signed_by = SIGNED_NOT,
                                            .consider = consider_vendor,
                                            .reply = reply_vendor};
