/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The only writer of ERROR messages: the peer gets the code of the reason's
 * row, in a form its version knows; the caller gets the report. */
#include "core/large.h"

enum {
    ERROR_UNSPECIFIED = 0x05,
    ERROR_UNSUPPORTED = 0x07,
    ERROR_SESSION_REQUIRED = 0x0b,
    ERROR_UNEXPECTED = 0x04,
    ERROR_NO_PENDING = 0x45,
    ERROR_POLICY = 0x11,
    ERROR_RESET_REQUIRED = 0x0c,
    ERROR_OPERATION_FAILED = 0x44,
    ERROR_TOO_LARGE = 0x0d,
    ERROR_LARGE_RESPONSE = 0x0f,
    ERROR_DATA_TOO_LARGE = 0x12,
    ERROR_NOT_READY = 0x42,
    RDT_EXPONENT = 14,
    RDTM = 10
};

#define CODE_ROW(name, error, harm, words) error,
static const uint8_t error_codes[SPDM_WHY_N] = {SPDM_WHYS(CODE_ROW)};
#undef CODE_ROW

/* Frames an ERROR in rs->small and makes it the next thing to pull; in a CHUNK_SEND_ACK if it answers a request that
 * came in chunks. */
static void send_error(struct spdm_responder *rs, const struct error *e, uint8_t version)
{
    const struct spdm_binding *binding = rs->c.cfg->binding;
    union spdm_body body = {.error = *e};
    struct spdm_room frame = {rs->small, sizeof rs->small};
    bool records = spdm_responder_in_records(rs);
    size_t head = records ? spdm_sessions_of(rs->c.cfg)->head(&rs->c, spdm_conn_channel(&rs->c)) : binding->head;
    size_t ack = spdm_responder_large(rs) != NULL ? rs->c.cfg->chunks->acknowledge(rs, spdm_room_from(frame, head)) : 0;
    struct io io = {.sh.ver = version, .wr = spdm_room_from(frame, head + ack), .end = SMALL_MAX - head - ack};

    (void)spdm_encode(&io, &spdm_message_ERROR, &body); /* at most 8 bytes: it fits */
    if (records) {
        struct outgoing out = {.direction = RESPONSE, .room = frame};

        out.message = spdm_span(spdm_room_from(frame, head).p, ack + io.at);

        rs->send_n = spdm_sessions_of(rs->c.cfg)->seal(&rs->c, spdm_conn_channel(&rs->c), &out);
    } else {
        rs->send_n = binding->wrap(frame, ack + io.at, false);
    }
    rs->send = rs->send_n != 0 ? SEND_SMALL : SEND_NOTHING;
    rs->c.report.error = e->code;
}

/* R-VSN-10, R-VSN-14: 1.0 until a version is fixed, and for every invalid GET_VERSION. */
static uint8_t error_version(const struct spdm_responder *rs, uint8_t code)
{
    return code == CODE_GET_VERSION || rs->c.facts.version == 0 ? SPDM_V10 : rs->c.facts.version;
}

void spdm_responder_refuse(struct spdm_responder *rs, uint8_t why, uint8_t code)
{
    struct error e = {.code = why < SPDM_WHY_N ? error_codes[why] : ERROR_UNSPECIFIED};

    if (SPDM_WHOLE && why == SPDM_WHY_DECLINED) {
        e.code = (uint8_t)rs->c.report.got;
        e.data = (uint8_t)rs->c.report.limit;
    }
    if (e.code == 0) e.code = ERROR_UNSPECIFIED;
    if (e.code == ERROR_UNSUPPORTED) e.data = code; /* R-ERR-10 */
    if (e.code == ERROR_TOO_LARGE || e.code == ERROR_DATA_TOO_LARGE) {
        bool known = e.code == ERROR_TOO_LARGE ? rs->c.ed->too_large : rs->c.ed->large_certificate;

        e.actual_size = rs->c.report.got;
        if (!known) e.code = ERROR_UNSPECIFIED; /* R-ERR-33 */
    }
    if (SPDM_SESSIONS && (e.code == ERROR_SESSION_REQUIRED || e.code == ERROR_RESET_REQUIRED) &&
        !rs->c.ed->session_required)
        e.code = ERROR_UNSPECIFIED;
    if (SPDM_WHOLE && e.code == ERROR_NO_PENDING && !rs->c.ed->no_pending) e.code = ERROR_UNEXPECTED;
    if (SPDM_SESSIONS && (e.code == ERROR_POLICY || e.code == ERROR_OPERATION_FAILED) && !rs->c.ed->policy_error)
        e.code = ERROR_UNSPECIFIED;
    if (rs->c.report.code == 0) rs->c.report.code = code;
    send_error(rs, &e, error_version(rs, code));
}

void spdm_responder_not_ready(struct spdm_responder *rs)
{
    const struct spdm_policy *policy = rs->c.cfg->policy;
    struct error e = {.code = ERROR_NOT_READY,
                      .rdt_exponent = policy->rdt_exponent != 0 ? policy->rdt_exponent : RDT_EXPONENT,
                      .request_code = rs->request[1],
                      .rdtm = policy->rdtm > 1 ? policy->rdtm : RDTM};

    /* in the session of the request, whoever spoke last */
    spdm_conn_turn_to(&rs->c, rs->at, rs->at != NULL ? &rs->at->tr : NULL);
    if (!rs->deferred) rs->token++;
    rs->deferred = true;
    rs->due = SPDM_NEVER;
    e.token = rs->token;
    send_error(rs, &e, rs->c.facts.version);
}

void spdm_responder_say_large(struct spdm_responder *rs, uint8_t handle)
{
    struct error e = {.code = ERROR_LARGE_RESPONSE, .handle = handle};

    send_error(rs, &e, rs->c.facts.version);
}
