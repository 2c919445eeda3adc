/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Agreeing on a version of secured messages (DSP0277) in the opaque data of a
 * key exchange (sessions.md section 5). */
#include "core/opaque.h"
#include "core/session.h"
#include "wire/secured_opaque.h"

/* Since 1.2 the byte order of the nonce is fixed (R-APP-01), since 1.3 there is a limit of records. */
enum { ALL_VERSIONS = 0x0f, NONCE_MINOR = 2, LIMIT_MINOR = 3 };

static uint8_t spoken(const struct conn *c)
{
    uint8_t versions = c->cfg->policy->secured_versions;

    return versions != 0 ? versions & ALL_VERSIONS : ALL_VERSIONS;
}

static uint8_t limit(const struct conn *c)
{
    uint8_t exponent = c->cfg->policy->aead_limit_exponent;

    return exponent != 0 ? exponent : 64; /* more than that is none either */
}

/* Major 1, minor n: bit n. Update and alpha digits are kept out of it; other majors are not ours. */
static bool speaks(uint8_t versions, uint16_t entry)
{
    unsigned minor = entry >> 8 & 0x0f;

    return entry >> 12 == 1 && minor < 8 && (versions >> minor & 1) != 0;
}

/* In a message with this code, where the caller may have more to say. */
static struct spdm_span encode(const struct conn *c, uint8_t code, struct secured_opaque *m, struct spdm_room room)
{
    struct io io = {.wr = room, .end = room.n};

    spdm_walk_secured_opaque(&io, m, c->ed->legacy_opaque);
    if (!io_fine(&io)) return spdm_span(NULL, room.n + 1); /* more than there is: the message does not fit either */
    return SPDM_WHOLE ? spdm_opaque_add(c, code, room, spdm_span(room.p, io.at)) : spdm_span(room.p, io.at);
}

static uint8_t decode(struct conn *c, struct secured_opaque *m, struct spdm_span opaque)
{
    struct io io = {.rd = opaque, .end = opaque.n};

    *m = (struct secured_opaque){0};
    spdm_walk_secured_opaque(&io, m, c->ed->legacy_opaque);
    if (io_fine(&io)) return SPDM_WHY_FINE;
    return spdm_conn_refuse(blame(c, io.field), io.why, io.got, io.limit);
}

struct spdm_span spdm_session_offer(const struct conn *c, uint8_t code, struct spdm_room room)
{
    struct secured_opaque m = {.has_versions = true, .limit = limit(c)};

    for (unsigned minor = 0; minor <= LIMIT_MINOR; minor++) {
        if ((spoken(c) >> minor & 1) != 0) m.version[m.version_n++] = (uint16_t)(0x1000 | minor << 8);
    }
    m.has_limit = (spoken(c) >> LIMIT_MINOR & 1) != 0 && limit(c) < 64; /* absent means 64 */
    return encode(c, code, &m, room);
}

/* Both ends use the lower limit; the largest number is 2^e - 1, and never all ones (sessions.md 6.4). */
static void agree(const struct conn *c, struct session *s, const struct secured_opaque *m)
{
    uint8_t exponent = limit(c);

    s->version = m->selection;
    if ((s->version >> 8 & 0x0f) >= NONCE_MINOR) s->form.big_endian = false;
    if ((s->version >> 8 & 0x0f) < LIMIT_MINOR) return;
    if (m->has_limit && m->limit < exponent) exponent = m->limit;
    if (exponent < 64) s->form.limit = ((uint64_t)1 << exponent) - 1;
}

uint8_t spdm_session_choose(struct conn *c, struct session *s, struct spdm_span opaque)
{
    struct secured_opaque m;
    uint16_t best = 0;
    uint8_t why = decode(c, &m, opaque);

    if (why != SPDM_WHY_FINE) return why;
    for (unsigned i = 0; i < m.version_n; i++) {
        /* VERSION: of secured messages, the highest in common */
        if (speaks(spoken(c), m.version[i]) && m.version[i] > best) best = m.version[i];
    }
    if (best == 0) return refuse(c, NOT_OFFERED, "a common version of secured messages R-OPQ-11", 0, 0);
    m.selection = best;
    agree(c, s, &m);
    return SPDM_WHY_FINE;
}

struct spdm_span spdm_session_selection(const struct conn *c, const struct session *s, struct spdm_room room)
{
    struct secured_opaque m = {.has_selection = true, .selection = s->version, .limit = limit(c)};

    m.has_limit = (s->version >> 8 & 0x0f) >= LIMIT_MINOR && limit(c) < 64;
    return encode(c, spdm_session_by_psk(s) ? CODE_PSK_EXCHANGE_RSP : CODE_KEY_EXCHANGE_RSP, &m, room);
}

uint8_t spdm_session_chosen(struct conn *c, struct session *s, struct spdm_span opaque)
{
    struct secured_opaque m;
    uint8_t why = decode(c, &m, opaque);

    if (why != SPDM_WHY_FINE) return why;
    if (!m.has_selection || !speaks(spoken(c), m.selection)) {
        return refuse(c, NOT_OFFERED, "SelectedVersion R-OPQ-11", m.selection, 0);
    }
    agree(c, s, &m);
    return SPDM_WHY_FINE;
}
