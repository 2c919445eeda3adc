/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From a judged request to the bytes of its response: reply, encode, enter
 * into transcripts, prepare the signature. A failure after something was
 * entered resets that transcript (state-machine.md section 11). */
#include "core/large.h"

/* In room that is lent if it is a large one (but not if it is made anew: then it is nowhere); else in `out`. */
struct spdm_room spdm_responder_body(const struct spdm_responder *rs)
{
    struct spdm_room room = spdm_conn_out(&rs->c);
    const struct large_rs *large = spdm_responder_large(rs);
    uint32_t peer = rs->c.facts.requester.data_transfer_size;

    if (large != NULL && large->response.p != NULL && !large->anew) return large->response;
    if (peer != 0 && room.n > peer) room.n = peer;
    return SPDM_CHUNKS ? spdm_room_from(room, rs->shift) : room;
}

/* CT, what we promised, less a little for the way of the ERROR itself. */
uint64_t spdm_responder_promise(const struct spdm_responder *rs)
{
    uint64_t ct = (uint64_t)1 << (rs->c.cfg->policy->ct_exponent & 31);

    return ct - ct / 8;
}

static uint8_t enter(struct spdm_responder *rs, struct spdm_span response)
{
    struct conn *c = &rs->c;
    struct signer signer = spdm_conn_signer(c);
    enum signed_by by = (enum signed_by)rs->job->signed_by;
    uint16_t vca_n = c->tr.vca_n;

    bool anew = spdm_responder_large(rs) != NULL && rs->large->anew; /* then it enters in portions */

    if (!spdm_conn_enter(c, rs->job->request, spdm_span(rs->request, rs->request_n)) ||
        (!anew && !spdm_conn_enter(c, rs->job->response, response))) {
        c->tr.vca_n = vca_n;
        return refuse(c, NO_ROOM, "the transcript VCA", rs->request_n + response.n, c->tr.vca_max);
    }
    if (SPDM_CHUNKS && anew && !c->cfg->chunks->enter(rs)) return refuse(c, CRYPTO_FAILED, "the response", 0, 0);
    if (rs->signature_at == 0) return SPDM_WHY_FINE;
    if (spdm_transcript_digest(spdm_conn_transcript(c, by), spdm_conn_signed(by), rs->to_sign.digest) &&
        spdm_signing_prepare(&rs->to_sign, &c->tr, &signer, by)) {
        spdm_conn_reset_signed(c, by);
        return SPDM_WHY_FINE;
    }
    spdm_conn_reset_signed(c, by);
    return refuse(c, CRYPTO_FAILED, "the transcript's digest", 0, 0);
}

/* Fills and encodes. A response that does not fit may get more room, and is built once more. */
static uint8_t encode(struct spdm_responder *rs, struct exchange *x)
{
    struct spdm_room room = spdm_responder_body(rs);
    uint32_t peer = rs->c.facts.requester.data_transfer_size;
    uint8_t why = rs->job->reply(rs, &x->req, &x->rsp);

    if (why != SPDM_WHY_FINE) return why;
    why = spdm_conn_encode(&rs->c, rs->job->response, x, room);
    if (why != SPDM_WHY_NO_ROOM) return why;
    if (spdm_responder_large(rs) != NULL && spdm_conn_chunks(&rs->c)) return rs->c.cfg->chunks->enlarge(rs, x);
    if (room.n != peer) return why; /* the buffer of our own is too small */
    return refuse_size(blame(&rs->c, NULL), TOO_BIG_FOR_PEER, x->response.n, peer); /* R-ERR-17 */
}

uint8_t spdm_responder_build(struct spdm_responder *rs, struct exchange *x)
{
    uint8_t why;

    if (spdm_responder_large(rs) != NULL) rs->shift = spdm_large_ack_size(rs);
    why = encode(rs, x);
    if (why != SPDM_WHY_FINE) return why;
    rs->response_n = (uint32_t)x->response.n;
    rs->signature_at = (uint32_t)x->signature_at;
    rs->verify_at = (uint32_t)x->verify_at;
    if (SPDM_SESSIONS && rs->job->enter != NULL) why = rs->job->enter(rs, x->response);
    else why = enter(rs, spdm_part(x->response, 0, x->signature_at != 0 ? x->signature_at : x->response.n));
    if (SPDM_SESSIONS && why == SPDM_WHY_FINE && rs->signature_at == 0 && rs->job->complete != NULL)
        why = rs->job->complete(rs);
    if (why == SPDM_WHY_FINE) rs->stage = rs->signature_at != 0 ? STAGE_SIGN : STAGE_READY;
    return why;
}

uint8_t spdm_responder_resume(struct spdm_responder *rs, const struct spdm_answer *answer)
{
    struct exchange x = {.request = spdm_span(rs->request, rs->request_n)};
    uint8_t why;

    (void)spdm_conn_decode(&rs->c, rs->job->request, &x); /* it was judged when it came */
    rs->answer = answer;
    why = spdm_responder_build(rs, &x);
    rs->answer = NULL;
    return why;
}

uint8_t spdm_responder_sign(struct spdm_responder *rs, struct spdm_span signature)
{
    size_t size = spdm_algorithm((enum spdm_alg)rs->c.facts.signature)->size;

    if (signature.n != size) return refuse(&rs->c, SIGN_FAILED, NULL, signature.n, size);
    if (spdm_responder_large(rs) != NULL && rs->large->anew) (void)spdm_put(rs->large->response, signature);
    else (void)spdm_put(spdm_room_from(spdm_responder_body(rs), rs->signature_at), signature);
    spdm_wipe(&rs->to_sign, sizeof rs->to_sign);
    if (rs->job->signed_by == SIGNED_CHALLENGE_AUTH) rs->c.challenged = true;
    rs->stage = STAGE_READY;
    return SPDM_SESSIONS && rs->job->complete != NULL ? rs->job->complete(rs) : SPDM_WHY_FINE;
}

/* What was asked in a session does not stay, nor a response that nobody will fetch (withstand 25). A response that is
 * sealed lies where it was built. */
void spdm_responder_forget(struct spdm_responder *rs)
{
    const struct spdm_room *out = &rs->c.cfg->out;
    size_t n = rs->response_n + SMALL_MAX; /* with what is in front of it and behind it */

    spdm_wipe(rs->request, rs->request_n < rs->request_max ? rs->request_n : rs->request_max);
    if (rs->send == SEND_OUT || (rs->stage != STAGE_SIGN && rs->stage != STAGE_READY)) return;
    spdm_wipe(out->p, n < out->n ? n : out->n);
}
