/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Opaque data that is the caller's: asked for before a message is encoded, told
 * when one has been accepted (opaque.h). */
#include "core/opaque.h"

enum { LEGACY_HEAD = 8, LEGACY_COUNT = 5, HEAD = 4, COUNT_MAX = 255 };

struct spdm_span spdm_opaque_say(const struct conn *c, uint8_t code)
{
    const struct spdm_opaque *o = c->cfg->opaque;

    if (o == NULL || o->say == NULL) return (struct spdm_span){0};
    if (c->ed->negotiates_opaque && c->facts.opaque_format == 0) return (struct spdm_span){0};
    return o->say(o->ctx, &c->facts, code);
}

/* Ours goes first; both have a head of the same form, that of DSP0277 before 1.2. */
struct spdm_span spdm_opaque_add(const struct conn *c, uint8_t code, struct spdm_room room, struct spdm_span ours)
{
    struct spdm_span more = spdm_opaque_say(c, code);
    size_t head = c->ed->legacy_opaque ? LEGACY_HEAD : HEAD, count_at = c->ed->legacy_opaque ? LEGACY_COUNT : 0, n;

    if (more.n == 0) return ours;
    if (more.n <= head || ours.p[count_at] + more.p[count_at] > COUNT_MAX) return spdm_span(NULL, UINT16_MAX);
    n = ours.n + more.n - head;
    if (!spdm_put(spdm_room_from(room, ours.n), spdm_part(more, head, more.n))) return spdm_span(NULL, n);
    room.p[count_at] = (uint8_t)(ours.p[count_at] + more.p[count_at]);
    return spdm_span(room.p, n);
}

static struct spdm_span opaque_of(uint8_t code, const union spdm_body *m)
{
    switch (code) {
    case CODE_CHALLENGE_AUTH: return m->challenge_auth.opaque;
    case CODE_MEASUREMENTS: return m->measurements.opaque;
    case CODE_KEY_EXCHANGE: return m->key_exchange.opaque;
    case CODE_KEY_EXCHANGE_RSP: return m->key_exchange_rsp.opaque;
    case CODE_PSK_EXCHANGE: return m->psk_exchange.opaque;
    case CODE_PSK_EXCHANGE_RSP: return m->psk_exchange_rsp.opaque;
    case CODE_FINISH:
    case CODE_PSK_FINISH: return m->finish.opaque;
    case CODE_FINISH_RSP:
    case CODE_PSK_FINISH_RSP: return m->finish_rsp.opaque;
    default: return (struct spdm_span){0};
    }
}

void spdm_opaque_hear(const struct conn *c, uint8_t code, const union spdm_body *m)
{
    const struct spdm_opaque *o = c->cfg->opaque;
    struct spdm_span opaque;

    if (o == NULL || o->hear == NULL) return;
    opaque = opaque_of(code, m);
    if (opaque.n != 0) o->hear(o->ctx, &c->facts, code, opaque);
}
