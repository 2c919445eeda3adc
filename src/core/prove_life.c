/* SPDX-License-Identifier: BSD-3-Clause
 *
 * HEARTBEAT, KEY_UPDATE and END_SESSION as the prover answers them (sessions.md
 * sections 7 and 8). All three come in an established session: the registry
 * lets them nowhere else. */
#include "core/responder_state.h"

enum { UPDATE_KEY = 1, UPDATE_ALL = 2, VERIFY_NEW_KEY = 3 };

/* Sessions keep their own transcripts; these messages are in none. */
static uint8_t enter_nothing(struct spdm_responder *rs, struct spdm_span response)
{
    (void)rs;
    (void)response;
    return SPDM_WHY_FINE;
}

static bool both(const struct spdm_responder *rs, uint32_t flag)
{
    return (rs->c.facts.requester.flags & rs->c.facts.responder.flags & flag) != 0;
}

static uint8_t reply_nothing(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    (void)rs;
    (void)req;
    (void)rsp;
    return SPDM_WHY_FINE;
}

/* ---- HEARTBEAT ---- */

static uint8_t consider_heartbeat(struct spdm_responder *rs, const union spdm_body *req)
{
    (void)req;
    if (!both(rs, SPDM_HBEAT_CAP)) return refuse(&rs->c, UNSUPPORTED, "HBEAT_CAP", 0, 0);
    if (spdm_conn_channel(&rs->c)->heartbeat == 0) return refuse(&rs->c, NOT_NOW, "R-HBT-07", 0, 0);
    return SPDM_WHY_FINE;
}

const struct prove_job spdm_prove_heartbeat = {.request = &spdm_message_HEARTBEAT,
                                               .response = &spdm_message_HEARTBEAT_ACK,
                                               .consider = consider_heartbeat,
                                               .reply = reply_nothing,
                                               .enter = enter_nothing};

/* ---- KEY_UPDATE ---- */

/* A retry of an update arrives under the old key, which has brought that key back and voided the update
 * (session_record.c): then it is an update like the first (UN-27). A retry of VerifyNewKey is acknowledged once more.
 */
static uint8_t consider_key_update(struct spdm_responder *rs, const union spdm_body *req)
{
    const struct key_update *q = &req->key_update;
    const struct session *s = spdm_conn_channel(&rs->c);
    bool pending = s->update == UPDATE_KEY || s->update == UPDATE_ALL, verify = q->operation == VERIFY_NEW_KEY;
    bool again = verify && s->update == VERIFY_NEW_KEY && q->tag == s->update_tag;

    if (!both(rs, SPDM_KEY_UPD_CAP)) return refuse(&rs->c, UNSUPPORTED, "KEY_UPD_CAP", 0, 0);
    if (pending == verify || again) return SPDM_WHY_FINE;
    return refuse(&rs->c, BAD_VALUE, "KeyOperation R-KUP-12", req->key_update.operation, 0);
}

static uint8_t reply_key_update(struct spdm_responder *rs, const union spdm_body *req, union spdm_body *rsp)
{
    (void)rs;
    rsp->key_update = req->key_update;
    return SPDM_WHY_FINE;
}

/* UpdateAllKeys with the same tag again: its ACK was lost, and the response key has moved already (R-KUP-04). */
static bool moved_before(const struct spdm_responder *rs, const struct session *s)
{
    return s->answered && s->update_tag == rs->request[3];
}

/* The request key moves on now and keeps its predecessor until VerifyNewKey; with UpdateAllKeys the ACK is already
 * sealed under the new response key (R-KUP-07). If that fails no key has changed (R-KUP-14). */
static uint8_t complete_key_update(struct spdm_responder *rs)
{
    struct session *s = spdm_conn_channel(&rs->c);
    uint8_t operation = rs->request[2];

    if (operation == VERIFY_NEW_KEY) {
        spdm_session_drop_previous(&rs->c, s, REQUEST);
        s->update = operation;
        s->update_tag = rs->request[3];
        return SPDM_WHY_FINE;
    }
    if (!spdm_session_update(&rs->c, s, REQUEST)) return refuse(&rs->c, CRYPTO_FAILED, "the key schedule", 0, 0);
    if (operation == UPDATE_ALL && !moved_before(rs, s)) {
        if (!spdm_session_update(&rs->c, s, RESPONSE)) {
            spdm_session_restore(&rs->c, s, REQUEST);
            return refuse(&rs->c, CRYPTO_FAILED, "the key schedule", 0, 0);
        }
        spdm_session_drop_previous(&rs->c, s, RESPONSE);
    }
    s->update = operation;
    s->update_tag = rs->request[3];
    s->answered = false;
    return SPDM_WHY_FINE;
}

const struct prove_job spdm_prove_key_update = {.request = &spdm_message_KEY_UPDATE,
                                                .response = &spdm_message_KEY_UPDATE_ACK,
                                                .consider = consider_key_update,
                                                .reply = reply_key_update,
                                                .enter = enter_nothing,
                                                .complete = complete_key_update};

/* ---- END_SESSION ---- */

static uint8_t consider_end(struct spdm_responder *rs, const union spdm_body *req)
{
    if (req->end_session.clear_state) rs->c.state_cleared = true; /* without CACHE_CAP nobody keeps it anyway (LQ-29) */
    return SPDM_WHY_FINE;
}

static void sent_end(struct spdm_responder *rs)
{
    spdm_responder_lose(rs, spdm_conn_channel(&rs->c), SPDM_WHY_SESSION_ENDED); /* R-END-05 */
}

const struct prove_job spdm_prove_end_session = {.request = &spdm_message_END_SESSION,
                                                 .response = &spdm_message_END_SESSION_ACK,
                                                 .consider = consider_end,
                                                 .reply = reply_nothing,
                                                 .enter = enter_nothing,
                                                 .sent = sent_end};
