/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A responder's two ends: the memory it lives in and the frames that pass. */
#include "core/large.h"
#include "core/mutual.h"

static size_t large_size(const struct spdm_config *cfg)
{
    return spdm_chunks_of(cfg) != NULL ? spdm_aligned(cfg->chunks->responder_size) : 0;
}

size_t spdm_responder_size(const struct spdm_config *config)
{
    size_t inner = spdm_mutual_of(config) != NULL ? config->mutual->size(config) : 0;

    return spdm_aligned(sizeof(struct spdm_responder)) + spdm_aligned(spdm_conn_size(config)) +
           spdm_aligned(spdm_conn_request_max(config)) + large_size(config) + inner;
}

struct spdm_responder *spdm_responder_init(struct spdm_room memory, const struct spdm_config *config)
{
    void *place = memory.p;
    struct spdm_responder *rs = place;
    struct spdm_room behind = spdm_room_from(memory, spdm_aligned(sizeof *rs));

    if (memory.p == NULL || memory.n < spdm_responder_size(config)) return NULL;
    if (config->identity == NULL || config->services == NULL || !spdm_conn_usable(config)) return NULL;
    *rs = (struct spdm_responder){.request_max = spdm_conn_request_max(config), .due = SPDM_NEVER};
    spdm_conn_place(&rs->c, config, behind);
    behind = spdm_room_from(behind, spdm_aligned(spdm_conn_size(config)));
    rs->request = behind.p;
    behind = spdm_room_from(behind, spdm_aligned(rs->request_max));
    if (spdm_chunks_of(config) != NULL) {
        config->chunks->responder_place(rs, behind);
        behind = spdm_room_from(behind, large_size(config));
    }
    if (spdm_mutual_of(config) != NULL && !config->mutual->responder_place(rs, behind)) return NULL;
    rs->c.inside = config->services->inside;
    return rs;
}

void spdm_responder_lose(struct spdm_responder *rs, struct session *s, uint8_t why)
{
    if (spdm_responder_large(rs) != NULL) rs->c.cfg->chunks->end(rs, s);
    if (rs->encap.session == s || rs->encap.where == s) rs->encap = (struct encap_rs){.id = rs->encap.id};
    if (rs->at == s) {
        if (rs->stage != STAGE_IDLE) spdm_responder_idle(rs);
        rs->at = NULL;
    }
    if (spdm_conn_channel(&rs->c) == s) spdm_conn_turn_to(&rs->c, NULL, NULL);
    spdm_sessions_of(rs->c.cfg)->end_for(&rs->c, s, why);
    spdm_responder_tell(rs, SPDM_CLOSED);
}

/* R-SSN-07: DecryptError in the session, which ends; or, by policy, nothing at all. */
static void broken_record(struct spdm_responder *rs, struct session *s)
{
    spdm_conn_turn_to(&rs->c, s, &s->tr);
    (void)refuse(&rs->c, BAD_RECORD, NULL, 0, 0);
    if (!rs->c.cfg->policy->drop_bad_records) {
        spdm_responder_refuse(rs, SPDM_WHY_BAD_RECORD, 0);
        spdm_responder_lose(rs, s, SPDM_WHY_BAD_RECORD);
    }
    spdm_responder_tell(rs, SPDM_FAILED);
}

/* We ended it, and its peer learns so now. */
static void doomed(struct spdm_responder *rs, struct session *s)
{
    spdm_conn_turn_to(&rs->c, s, &s->tr);
    spdm_responder_refuse(rs, SPDM_WHY_BAD_RECORD, 0);
    spdm_responder_lose(rs, s, SPDM_WHY_SESSION_ENDED);
}

static void secured(struct spdm_responder *rs, struct spdm_span record)
{
    struct incoming in = {.direction = REQUEST};
    enum fate fate = spdm_sessions_of(rs->c.cfg)->open(&rs->c, record, rs->now, &in);

    if (SPDM_WHOLE && (fate == FATE_DATA || fate == FATE_MESSAGE) && in.session->ending) {
        doomed(rs, in.session);
        return;
    }
    switch (fate) {
    case FATE_DROP: break;
    case FATE_BROKEN: broken_record(rs, in.session); break;
    case FATE_DATA:
        rs->data_session = in.session->id;
        rs->data = in.message;
        spdm_responder_tell(rs, SPDM_DATA);
        break;
    case FATE_MESSAGE:
        if (in.message.n >= 4) spdm_responder_receive(rs, in.session, in.message);
        break;
    }
}

/* What the passing of time brings: sessions that nothing was heard of (R-HBT-03), an answer that is overdue. */
static void tick(struct spdm_responder *rs)
{
    const struct spdm_sessions *sessions = spdm_sessions_of(rs->c.cfg);
    struct session *s;

    while (sessions != NULL && (s = sessions->expired(&rs->c, rs->now)) != NULL) {
        spdm_responder_lose(rs, s,
                            s->state == SESSION_ESTABLISHED ? SPDM_WHY_SESSION_EXPIRED : SPDM_WHY_HANDSHAKE_EXPIRED);
    }
    if (rs->due <= rs->now) spdm_responder_not_ready(rs);
    if (spdm_responder_large(rs) != NULL) rs->c.cfg->chunks->tick(rs);
}

void spdm_responder_push(struct spdm_responder *rs, struct spdm_span frame, uint64_t now)
{
    const struct spdm_config *cfg = rs->c.cfg;
    struct spdm_frame in;

    rs->now = now;
    spdm_session_forget(&rs->c);
    tick(rs);
    if (frame.n == 0) return;
    in = cfg->binding->unwrap(frame);
    if (in.kind == SPDM_FRAME_PLAIN && in.message.n >= 4) {
        spdm_responder_receive(rs, NULL, in.message);
    } else if (in.kind == SPDM_FRAME_SECURED && spdm_sessions_of(cfg) != NULL) {
        secured(rs, in.message);
    } else if (in.kind == SPDM_FRAME_CONTROL && cfg->binding->control != NULL && rs->stage == STAGE_IDLE) {
        rs->send_n = cfg->binding->control(frame, cfg->out);
        rs->send = rs->send_n != 0 ? SEND_OUT : SEND_NOTHING;
        rs->kept = 0;
    } else {
        (void)refuse(&rs->c, NOT_A_FRAME, NULL, frame.n, 0); /* dropped */
        spdm_responder_tell(rs, SPDM_FAILED);
    }
}

struct spdm_span spdm_responder_pull(struct spdm_responder *rs, uint64_t now)
{
    const uint8_t *from = rs->send == SEND_SMALL ? rs->small : rs->c.cfg->out.p;
    bool there;

    rs->now = now;
    if (spdm_responder_large(rs) != NULL) rs->c.cfg->chunks->tick(rs);
    if (rs->send == SEND_NOTHING && rs->due <= now) {
        spdm_responder_not_ready(rs);
        from = rs->small;
    }
    there = rs->send != SEND_NOTHING;
    rs->send = SEND_NOTHING;
    return there ? spdm_span(from, rs->send_n) : (struct spdm_span){0};
}

uint64_t spdm_responder_deadline(const struct spdm_responder *rs)
{
    uint64_t session =
        spdm_sessions_of(rs->c.cfg) != NULL ? spdm_sessions_of(rs->c.cfg)->deadline(&rs->c, false) : SPDM_NEVER;

    if (rs->send != SEND_NOTHING) return 0;
    if (spdm_responder_large(rs) != NULL && rs->large->until < session) session = rs->large->until;
    return rs->due < session ? rs->due : session;
}

const struct spdm_facts *spdm_responder_facts(const struct spdm_responder *rs)
{
    return &rs->c.facts;
}

void spdm_responder_resynch(struct spdm_responder *rs)
{
    if (rs->c.phase == PHASE_START) return;
    if (spdm_responder_large(rs) != NULL) rs->c.cfg->chunks->end(rs, NULL);
    spdm_responder_idle(rs);
    rs->resynch = true;
    rs->kept = 0;
}

void spdm_responder_close(struct spdm_responder *rs)
{
    const struct spdm_config *cfg = rs->c.cfg;

    if (SPDM_SESSIONS) spdm_responder_idle(rs);
    spdm_session_forget(&rs->c);
    rs->told = 0;
    if (spdm_responder_large(rs) != NULL) cfg->chunks->end(rs, NULL);
    if (spdm_responder_inner(rs) != NULL) cfg->mutual->responder_close(rs);
    if (spdm_sessions_of(cfg) != NULL) spdm_sessions_of(cfg)->clear(&rs->c);
    spdm_transcript_clear(&rs->c.tr);
    spdm_wipe(rs, spdm_responder_size(cfg));
}
