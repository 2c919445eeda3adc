/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Turning the roles: the state that an inner object takes over. */
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
