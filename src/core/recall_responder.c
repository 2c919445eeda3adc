/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A responder that goes on with what it negotiated before a reset (R-VCA-03,
 * R-VCA-04): the requests of then are answered once more, to nobody. */
#include "core/responder_state.h"

struct spdm_span spdm_responder_vca(const struct spdm_responder *rs)
{
    const struct conn *c = &rs->c;

    if (c->phase != PHASE_NEGOTIATED || c->state_cleared) return (struct spdm_span){0};
    return spdm_span(c->tr.vca, c->tr.vca_n);
}

bool spdm_responder_recall(struct spdm_responder *rs, struct spdm_span vca)
{
    struct conn *c = &rs->c;
    size_t at;

    spdm_responder_restart(rs);
    do {
        at = c->tr.vca_n;
        if (vca.n - at < 4) break;
        spdm_responder_receive(rs, NULL, spdm_part(vca, at, vca.n));
        (void)spdm_responder_pull(rs, rs->now);
    } while (c->tr.vca_n > at && c->tr.vca_n < vca.n && c->phase != PHASE_NEGOTIATED);
    rs->kept = 0;
    rs->told = 0;
    if (spdm_equal(vca, spdm_responder_vca(rs)) && (c->facts.responder.flags & SPDM_CACHE_CAP) != 0) {
        c->tr.without_vca = !c->ed->vca_in_l1l2; /* M1/M2 below 1.2 (R-CHL-22) */
        return true;
    }
    spdm_responder_restart(rs);
    rs->told = 0;
    return false;
}
