/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The responder's questions: how a request becomes one, and what becomes of its
 * answer. */
#include "core/mutual.h"

/* The caller finds the request in the question: what was kept of it if that is all, else what was pushed. */
void spdm_responder_pose(struct spdm_responder *rs, struct exchange *x)
{
    if (rs->job->head_only) rs->request_mark = spdm_conn_mark(x->request);
    else x->request = spdm_span(rs->request, rs->request_n);
    (void)spdm_conn_decode(&rs->c, rs->job->request, x); /* it was judged */
    rs->order = x->req;
    rs->need = rs->job->asks;
    if (rs->job->trim != NULL) rs->job->trim(rs);
}

/* Questions of the requester inside us. */
static bool turned(enum spdm_event_kind need)
{
    return SPDM_WHOLE && (need == SPDM_ASK_TRUST || need == SPDM_ASK_DIGEST);
}

/* A question of an errand was refused: with the caller's ErrorCode, or as what could not be done. ResetRequired means
 * that it was accepted, and not every request may be answered so (R-ERR-15, R-SKP-10). */
static uint8_t decline(struct spdm_responder *rs, const struct spdm_answer *answer)
{
    uint8_t error = answer->error != 0 ? answer->error : rs->job->declined, data = answer->error_data;

    if (error == 0) error = SPDM_ERROR_OPERATION_FAILED;
    if (error == SPDM_ERROR_RESET_REQUIRED && (rs->c.facts.responder.flags & rs->job->resets) == 0) {
        error = SPDM_ERROR_OPERATION_FAILED;
    }
    /* a tracking tag, 1.3 (R-CSR-10); elsewhere the byte is reserved */
    if (error == SPDM_ERROR_RESET_REQUIRED && (rs->need != SPDM_ASK_CSR || !rs->c.ed->multi_key)) data = 0;
    return refuse_size(blame(&rs->c, NULL), DECLINED, error, data);
}

/* An answer of the caller's: the PSK's secret waits in its session, perhaps for the measurements; then we build. */
static uint8_t take(struct spdm_responder *rs, const struct spdm_answer *answer)
{
    size_t h = spdm_conn_hash_size(&rs->c);

    if (turned(rs->need)) return rs->c.cfg->mutual->take(rs, answer);
    if (!SPDM_WHOLE || rs->need != SPDM_ASK_PSK) return spdm_responder_resume(rs, answer);
    if (answer->data.n != h) return refuse(&rs->c, ANSWER_REFUSED, "no secret for this PSKHint", answer->data.n, h);
    memcpy(rs->opening->secrets.root, answer->data.p, h);
    rs->need = rs->then;
    return rs->need == SPDM_NOTHING ? spdm_responder_resume(rs, answer) : SPDM_WHY_FINE;
}

bool spdm_responder_answer(struct spdm_responder *rs, const struct spdm_answer *answer)
{
    enum stage stage = rs->stage;
    uint8_t why;

    if ((stage != STAGE_NEED && stage != STAGE_SIGN) || answer->ticket != rs->ticket) return false;
    rs->c.report = (struct spdm_report){0};
    if (SPDM_SESSIONS) spdm_conn_turn_to(&rs->c, rs->at, rs->at != NULL ? &rs->at->tr : NULL);
    if (!answer->yes && !turned(rs->need)) {
        why = stage == STAGE_SIGN                           ? refuse(&rs->c, SIGN_FAILED, NULL, 0, 0)
              : SPDM_WHOLE && rs->job->asks != SPDM_NOTHING ? decline(rs, answer)
              : rs->need == SPDM_ASK_VENDOR ? refuse(&rs->c, UNSUPPORTED, "the vendor's protocol", rs->request[1], 0)
              : SPDM_WHOLE && rs->need == SPDM_ASK_PSK ? refuse(&rs->c, BAD_VALUE, "PSKHint", 0, 0) /* UN-10 */
                                                       : refuse(&rs->c, ANSWER_REFUSED, "measurements", 0, 0);
    } else {
        why = stage == STAGE_SIGN ? spdm_responder_sign(rs, answer->data) : take(rs, answer);
    }
    spdm_responder_proceed(rs, why);
    return true;
}
