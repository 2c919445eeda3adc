/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Both ends with everything sessions need, and one session between them. */
#include "bench/bench.h"
#include "bench/ends.h"
#include <string.h>

static const uint8_t aeads[] = {SPDM_AES_256_GCM, 0};

void ends_sessions(struct ends *e)
{
    const uint32_t flags = SPDM_ENCRYPT_CAP | SPDM_MAC_CAP | SPDM_KEY_EX_CAP;

    e->exchanges[0] = e->suite.signature == SPDM_ECDSA_P256 ? SPDM_SECP256R1 : SPDM_SECP384R1;
    e->req_policy.exchanges = e->rsp_policy.exchanges = e->exchanges;
    e->req_policy.aeads = e->rsp_policy.aeads = aeads;
    e->req_policy.flags |= flags;
    e->rsp_policy.flags |= flags;
    e->req_config.sessions = e->rsp_config.sessions = &spdm_with_sessions;
    e->rsp_config.services = &spdm_serve_all;
    ends_session_place(e);
    e->req_config.out = (struct spdm_room){e->req_record, sizeof e->req_record};
    e->rsp_config.out = (struct spdm_room){e->rsp_record, sizeof e->rsp_record};
    e->req_config.in = (struct spdm_room){e->req_in, sizeof e->req_in};
    e->rsp_config.in = (struct spdm_room){e->rsp_in, sizeof e->rsp_in};
}

void ends_session_place(struct ends *e)
{
    e->req_config.session_memory = (struct spdm_room){(uint8_t *)e->req_session, spdm_session_size(&e->req_config)};
    e->rsp_config.session_memory = (struct spdm_room){(uint8_t *)e->rsp_session, spdm_session_size(&e->rsp_config)};
    must(e->req_config.session_memory.n <= sizeof e->req_session);
}

void ends_session_open(struct ends *e)
{
    e->session = 0;
    ends_run(e, &(struct spdm_goal){.want = SPDM_WANT_SESSION});
    must(e->session != 0);
}

void ends_session_close(struct ends *e)
{
    ends_run(e, &(struct spdm_goal){.want = SPDM_WANT_END_SESSION, .session = e->session});
}

struct spdm_span ends_to_responder(struct ends *e, struct spdm_span data)
{
    struct spdm_event ev;

    must(spdm_requester_send(e->rq, e->session, data));
    spdm_responder_push(e->rs, spdm_requester_pull(e->rq, 0), 0);
    must(spdm_responder_event(e->rs, &ev) == SPDM_DATA && ev.data.n == data.n);
    must(spdm_responder_event(e->rs, &(struct spdm_event){0}) == SPDM_NOTHING);
    return ev.data;
}

struct spdm_span ends_to_requester(struct ends *e, struct spdm_span data)
{
    struct spdm_event ev;

    must(spdm_responder_send(e->rs, e->session, data));
    spdm_requester_push(e->rq, spdm_responder_pull(e->rs, 0), 0);
    must(spdm_requester_event(e->rq, &ev) == SPDM_DATA && ev.data.n == data.n);
    must(spdm_requester_event(e->rq, &(struct spdm_event){0}) == SPDM_NOTHING);
    return ev.data;
}
