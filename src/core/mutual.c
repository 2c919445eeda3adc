/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Turning the roles: the inner objects' places and the state they take over. */
#include "core/mutual.h"

enum { ENVELOPE = 4 };

void spdm_mutual_adopt(struct conn *inner, const struct conn *outer)
{
    const struct spdm_facts *f = &outer->facts;

    spdm_conn_restart(inner);
    inner->turned = true;
    inner->ed = outer->ed;
    inner->phase = PHASE_NEGOTIATED;
    inner->facts = (struct spdm_facts){.version = f->version,
                                       .requester = f->responder,
                                       .responder = f->requester,
                                       .hash = f->hash,
                                       .signature = f->req_signature,
                                       .opaque_format = f->opaque_format,
                                       .multi_key_rsp = f->multi_key_req,
                                       .negotiated = true,
                                       .slot = SPDM_SLOT_KEY};
    /* What is enveloped must leave room for the envelope, which itself may go in chunks. */
    if (spdm_conn_chunks(outer)) inner->facts.requester.data_transfer_size = inner->facts.requester.max_message_size;
    if (inner->facts.requester.data_transfer_size > ENVELOPE) inner->facts.requester.data_transfer_size -= ENVELOPE;
    inner->tr.vca = outer->tr.vca;
    inner->tr.vca_n = outer->tr.vca_n;
    inner->tr.without_vca = outer->ed->mut_without_vca;
}

void spdm_mutual_in_session(struct conn *inner, const struct session *s)
{
    inner->phase = s != NULL && s->state == SESSION_ESTABLISHED ? PHASE_SESSION : PHASE_NEGOTIATED;
}

bool spdm_mutual_encapsulates(const struct conn *c)
{
    uint32_t flag = SPDM_ENCAP_CAP | (c->ed->mut_for_encap ? SPDM_MUT_AUTH_CAP : 0);

    return (c->facts.requester.flags & flag) != 0 && (c->facts.responder.flags & flag) != 0;
}

static size_t requester_size(const struct spdm_config *cfg)
{
    return spdm_responder_size(cfg->turned);
}

static size_t responder_size(const struct spdm_config *cfg)
{
    return spdm_requester_size(cfg->turned);
}

static bool requester_place(struct spdm_requester *rq, struct spdm_room memory)
{
    rq->inner = spdm_responder_init(memory, rq->c.cfg->turned);
    return rq->inner != NULL;
}

static bool responder_place(struct spdm_responder *rs, struct spdm_room memory)
{
    rs->inner = spdm_requester_init(memory, rs->c.cfg->turned);
    return rs->inner != NULL;
}

static void requester_close(struct spdm_requester *rq)
{
    spdm_responder_close(rq->inner);
}

static void responder_close(struct spdm_responder *rs)
{
    spdm_requester_close(rs->inner);
}

const struct spdm_mutual spdm_with_mutual = {.requester_size = requester_size,
                                             .responder_size = responder_size,
                                             .requester_place = requester_place,
                                             .responder_place = responder_place,
                                             .requester_close = requester_close,
                                             .responder_close = responder_close,
                                             .begin = spdm_mutual_begin,
                                             .plan = spdm_mutual_plan,
                                             .question = spdm_mutual_question,
                                             .answer = spdm_mutual_answer,
                                             .sign_finish = spdm_mutual_sign_finish,
                                             .possible = spdm_mutual_possible,
                                             .busy = spdm_mutual_busy,
                                             .arm = spdm_mutual_arm,
                                             .dropped = spdm_mutual_dropped,
                                             .blocks = spdm_mutual_blocks,
                                             .describe = spdm_mutual_describe,
                                             .take = spdm_mutual_take,
                                             .check_finish = spdm_mutual_check_finish};
