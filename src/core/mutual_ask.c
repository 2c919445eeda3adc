/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A responder's own goals: what it wants to know of the requester, or tell it,
 * goes out in encapsulated requests when the requester comes for them. */
#include "core/mutual.h"

bool spdm_responder_ask(struct spdm_responder *rs, uint32_t session, const struct spdm_goal *goal)
{
    struct session *s = session != 0 ? spdm_session_find(&rs->c, session) : NULL;

    if (spdm_responder_inner(rs) == NULL || rs->c.phase != PHASE_NEGOTIATED || !spdm_mutual_encapsulates(&rs->c))
        return false;
    if (session != 0 && (s == NULL || s->state != SESSION_ESTABLISHED)) return false;
    if (spdm_mutual_busy(rs)) return false; /* a FINISH will be checked with what the requester inside knows */
    spdm_requester_reset(rs->inner);
    rs->inner->broken = false;
    spdm_mutual_adopt(&rs->inner->c, &rs->c);
    spdm_mutual_in_session(&rs->inner->c, s);
    rs->encap = (struct encap_rs){.flow = FLOW_ASK, .where = s, .id = rs->encap.id};
    (void)spdm_requester_ask(rs->inner, goal);
    spdm_mutual_collect(rs);
    if (rs->encap.request.n != 0) {
        rs->encap.state = ENCAP_ARMED;
        return true;
    }
    rs->c.report = rs->inner->c.report;
    return false;
}

static bool tells(const struct spdm_requester *rq, enum spdm_event_kind kind)
{
    return (rq->told >> kind & 1) != 0;
}

bool spdm_mutual_told(struct spdm_responder *rs)
{
    const struct spdm_requester *inner = rs->inner;
    bool ours = rs->encap.flow == FLOW_ASK;

    if (tells(inner, SPDM_REPLIED)) {
        rs->data = inner->record;
        rs->proven = inner->proven;
        spdm_responder_tell(rs, SPDM_REPLIED);
    }
    if (tells(inner, SPDM_DONE) && ours) spdm_responder_tell(rs, SPDM_DONE);
    if (tells(inner, SPDM_FAILED)) {
        if (!ours || inner->c.report.why != SPDM_WHY_PEER_ERROR) return false;
        rs->c.report = inner->c.report; /* an ERROR is an answer: the flow ends in order */
        spdm_responder_tell(rs, SPDM_FAILED);
    }
    rs->inner->told = 0;
    return true;
}
