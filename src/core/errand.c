/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the errands of a requester have in common. */
#include "core/requester_state.h"

uint8_t spdm_errand_fill(struct spdm_requester *rq, union spdm_body *req)
{
    req->order = *rq->goal.order;
    return SPDM_WHY_FINE;
}

uint8_t spdm_errand_judge_nothing(struct conn *c, const struct exchange *x)
{
    (void)c;
    (void)x;
    return SPDM_WHY_FINE;
}

void spdm_errand_learn_nothing(struct conn *c, const struct exchange *x)
{
    (void)c;
    (void)x;
}

uint8_t spdm_errand_done(struct spdm_requester *rq, const struct exchange *x)
{
    (void)x;
    rq->got.errand_done = true;
    return SPDM_WHY_FINE;
}

void spdm_errand_tell(struct spdm_requester *rq, struct spdm_span data)
{
    rq->record = data;
    spdm_requester_tell(rq, SPDM_REPLIED);
}
