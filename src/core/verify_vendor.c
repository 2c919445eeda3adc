/* SPDX-License-Identifier: BSD-3-Clause
 *
 * VENDOR_DEFINED as the asker sees it: the same body and vendor come back,
 * what the payload says is the caller's. */
#include "core/requester_state.h"

enum { SHORT_MAX = 0xffff };

static uint8_t fill_vendor(struct spdm_requester *rq, union spdm_body *req)
{
    struct vendor_defined *m = &req->vendor_defined;
    const struct spdm_goal *g = &rq->goal;
    uint32_t both = rq->c.facts.requester.flags & rq->c.facts.responder.flags;

    if (g->payload.n > SHORT_MAX && (both & SPDM_LARGE_RESP_CAP) == 0) {
        return refuse(&rq->c, TOO_LONG, "VendorDefinedPayload", g->payload.n, SHORT_MAX);
    }
    m->large = g->payload.n > SHORT_MAX;
    m->standard = g->standard;
    m->vendor = g->vendor;
    m->payload = g->payload;
    return SPDM_WHY_FINE;
}

static uint8_t judge_vendor(struct conn *c, const struct exchange *x)
{
    const struct vendor_defined *q = &x->req.vendor_defined, *m = &x->rsp.vendor_defined;

    if (m->large != q->large) return refuse(c, MISMATCH, "LargeResp", m->large, q->large);
    if (m->standard != q->standard) return refuse(c, MISMATCH, "StandardID R-VDR-03", m->standard, q->standard);
    if (!spdm_equal(m->vendor, q->vendor)) return refuse(c, DIFFERS, "VendorID R-VDR-03", 0, 0);
    return SPDM_WHY_FINE;
}

static void learn_vendor(struct conn *c, const struct exchange *x)
{
    (void)c;
    (void)x;
}

static uint8_t after_vendor(struct spdm_requester *rq, const struct exchange *x)
{
    const struct vendor_defined *m = &x->rsp.vendor_defined;

    rq->got.vendor_done = true;
    rq->standard = m->standard;
    rq->vendor = m->vendor;
    rq->record = m->payload;
    spdm_requester_tell(rq, SPDM_VENDOR);
    return SPDM_WHY_FINE;
}

const struct verify_job spdm_verify_vendor = {.request = &spdm_message_VENDOR_DEFINED_REQUEST,
                                              .response = &spdm_message_VENDOR_DEFINED_RESPONSE,
                                              .signed_by = SIGNED_NOT,
                                              .fill = fill_vendor,
                                              .judge = judge_vendor,
                                              .learn = learn_vendor,
                                              .after = after_vendor};
