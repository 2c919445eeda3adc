/* SPDX-License-Identifier: BSD-3-Clause
 *
 * When sessions end by themselves, when they must be kept alive, and what their
 * callers have yet to be told of (R-HBT-02 ... R-HBT-06). */
#include "core/session.h"

enum { SECOND = 1000000 };

static uint64_t patience(const struct session *s)
{
    unsigned seconds = s->state == SESSION_ESTABLISHED ? 2u * s->heartbeat
                       : s->state == SESSION_HANDSHAKE ? s->handshake
                                                       : 0;

    return seconds != 0 ? s->heard + SECOND * (uint64_t)seconds : SPDM_NEVER;
}

/* The requester keeps a session alive when half a period has passed in silence. */
static uint64_t beat_at(const struct session *s)
{
    return s->heard + SECOND / 2 * (uint64_t)s->heartbeat;
}

struct session *spdm_session_expired(const struct conn *c, uint64_t now)
{
    struct session *s;

    for (s = spdm_session_at(c, 0); s != NULL; s = s->next) {
        if (s->state != SESSION_FREE && patience(s) <= now) return s;
    }
    return NULL;
}

/* When the first watchdog runs out or, for who sends heartbeats, the first of them is due. */
uint64_t spdm_session_deadline(const struct conn *c, bool beats)
{
    uint64_t first = SPDM_NEVER;
    const struct session *s;

    for (s = spdm_session_at(c, 0); s != NULL; s = s->next) {
        uint64_t end = patience(s),
                 beat = beats && end != SPDM_NEVER ? beat_at(s) : end; /* who beats has no limit of handshakes */

        if (beat < first) first = beat;
    }
    return first;
}

struct session *spdm_session_silent(const struct conn *c, uint64_t now)
{
    struct session *s;

    for (s = spdm_session_at(c, 0); s != NULL; s = s->next) {
        if (s->state == SESSION_ESTABLISHED && patience(s) != SPDM_NEVER && now >= beat_at(s)) return s;
    }
    return NULL;
}

void spdm_session_end_for(struct conn *c, struct session *s, uint8_t why)
{
    uint32_t id = s->id;

    spdm_session_free(c, s);
    s->id = id;
    s->over = why;
}

bool spdm_session_ended(struct conn *c, uint32_t *id, uint8_t *why)
{
    bool handed = false;
    struct session *s;

    for (s = spdm_session_at(c, 0); s != NULL; s = s->next) {
        if (s->over == 0) continue;
        if (handed) return true;
        handed = true;
        *id = s->id;
        *why = s->over;
        s->id = 0;
        s->over = 0;
    }
    return false;
}
