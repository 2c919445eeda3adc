/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A requester that begins with what was negotiated before a reset (R-VCA-03):
 * its engine asks as ever, and the answers are those of then. */
#include "core/requester_state.h"

bool spdm_requester_recall(struct spdm_requester *rq, struct spdm_span vca)
{
    static const struct spdm_goal connect = {.want = SPDM_WANT_CONNECT};
    const struct conn *c = &rq->c;
    bool same;

    if (rq->flight != FLIGHT_NONE) return false;
    rq->broken = true; /* from the beginning */
    (void)spdm_requester_ask(rq, &connect);
    while (rq->flight == FLIGHT_SEND && c->tr.vca_n + rq->request_n < vca.n) {
        rq->flight = FLIGHT_WAIT;
        spdm_requester_receive(rq, spdm_part(vca, c->tr.vca_n + rq->request_n, vca.n), rq->now);
    }
    /* Below 1.2 not everybody leaves it out of the same signatures (UN-11); there L1/L2 are without it, too. */
    same = c->phase == PHASE_NEGOTIATED && spdm_equal(vca, spdm_requester_vca(rq)) && c->ed->vca_in_l1l2;
    rq->told = 0;
    rq->recalled = same && (c->facts.responder.flags & SPDM_CACHE_CAP) != 0;
    if (!rq->recalled) spdm_requester_reset(rq);
    return rq->recalled;
}
