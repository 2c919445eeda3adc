/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From a judged request to the bytes of its response: reply, encode, enter
 * into transcripts, prepare the signature. A failure after something was
 * entered resets that transcript (state-machine.md section 11). */
#include "core/responder_state.h"

struct spdm_room spdm_responder_body(const struct spdm_responder *rs)
{
    const struct spdm_config *cfg = rs->c.cfg;
    bool records = spdm_responder_in_records(rs);
    size_t head = records ? spdm_session_head(&rs->c, rs->c.channel) : cfg->binding->head;
    size_t tail = cfg->binding->tail + (records ? RECORD_TAG + (size_t)cfg->policy->record_random : 0);
    struct spdm_room room = spdm_room_from(cfg->out, head);
    uint32_t peer = rs->c.facts.requester.data_transfer_size;

    room.n = room.n > tail ? room.n - tail : 0;
    if (peer != 0 && room.n > peer) room.n = peer;
    return room;
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

    if (!spdm_conn_enter(c, rs->job->request, spdm_span(rs->request, rs->request_n)) ||
        !spdm_conn_enter(c, rs->job->response, response)) {
        c->tr.vca_n = vca_n;
        return refuse(c, NO_ROOM, "the transcript VCA", rs->request_n + response.n, c->tr.vca_max);
    }
    if (rs->signature_at == 0) return SPDM_WHY_FINE;
    if (spdm_transcript_digest(spdm_conn_transcript(c, by), spdm_conn_signed(by), rs->to_sign.digest) &&
        spdm_signing_prepare(&rs->to_sign, &c->tr, &signer, by)) {
        spdm_conn_reset_signed(c, by);
        return SPDM_WHY_FINE;
    }
    spdm_conn_reset_signed(c, by);
    return refuse(c, CRYPTO_FAILED, "the transcript's digest", 0, 0);
}

/* The response did not fit: into the peer's DataTransferSize (R-ERR-17: its actual size), or only into our buffer. */
static uint8_t too_big(struct spdm_responder *rs, const struct io *io)
{
    uint32_t peer = rs->c.facts.requester.data_transfer_size;

    if (io->why == SPDM_WHY_NO_ROOM && io->end == peer) return refuse(&rs->c, TOO_BIG_FOR_PEER, NULL, io->at, peer);
    spdm_io_report(io, rs->job->response, &rs->c.report);
    return io->why;
}

uint8_t spdm_responder_build(struct spdm_responder *rs, const struct spdm_answer *answer)
{
    union spdm_body req, rsp;
    struct shape sh = spdm_conn_shape(&rs->c, rs->request[1], NULL);
    struct io io = spdm_reader(&sh, spdm_span(rs->request, rs->request_n));
    uint8_t why;

    memset(&rsp, 0, sizeof rsp);
    (void)spdm_decode(&io, rs->job->request, &req); /* it was judged when it came */
    rs->answer = answer;
    why = rs->job->reply(rs, &req, &rsp);
    rs->answer = NULL;
    if (why != SPDM_WHY_FINE) return why;
    sh = spdm_conn_shape(&rs->c, rs->job->response->code, &req);
    io = spdm_writer(&sh, spdm_responder_body(rs));
    if (!spdm_encode(&io, rs->job->response, &rsp)) return too_big(rs, &io);
    rs->response_n = io.at;
    rs->signature_at = io.signature_at;
    rs->verify_at = io.verify_at;
    if (rs->job->enter != NULL) why = rs->job->enter(rs, spdm_span(io.wr.p, io.at));
    else why = enter(rs, spdm_span(io.wr.p, io.signature_at != 0 ? io.signature_at : io.at));
    if (why == SPDM_WHY_FINE && rs->signature_at == 0 && rs->job->complete != NULL) why = rs->job->complete(rs);
    if (why == SPDM_WHY_FINE) rs->stage = rs->signature_at != 0 ? STAGE_SIGN : STAGE_READY;
    return why;
}

uint8_t spdm_responder_sign(struct spdm_responder *rs, struct spdm_span signature)
{
    size_t size = spdm_algorithm((enum spdm_alg)rs->c.facts.signature)->size;

    if (signature.n != size) return refuse(&rs->c, SIGN_FAILED, NULL, signature.n, size);
    (void)spdm_put(spdm_room_from(spdm_responder_body(rs), rs->signature_at), signature);
    spdm_wipe(&rs->to_sign, sizeof rs->to_sign);
    if (rs->job->signed_by == SIGNED_CHALLENGE_AUTH) rs->c.challenged = true;
    rs->stage = STAGE_READY;
    return rs->job->complete != NULL ? rs->job->complete(rs) : SPDM_WHY_FINE;
}
