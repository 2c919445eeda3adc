/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A session's records: which key opens one, what is in it, how one is sealed. */
#include "core/session.h"

void spdm_session_back(struct conn *c, struct session *s, enum direction d)
{
    struct lane failed = s->lane[d];

    s->lane[d] = s->previous[d].lane;
    s->previous[d].lane = failed;
    s->generation[d]--;
    memcpy(s->secrets.direction[d], s->previous[d].secret, sizeof s->previous[d].secret);
    spdm_session_drop_previous(c, s, d);
}

static struct record_crypto record_crypto(const struct conn *c)
{
    return (struct record_crypto){c->cfg->crypto, c->cfg->crypto_ctx};
}

/* With the present key, or, while an update is not verified, with the one before (R-KUP-11). */
static bool open_with_either(struct conn *c, struct session *s, enum direction d, struct record_in *in)
{
    struct record_crypto rc = record_crypto(c);

    if (spdm_record_open(&rc, &s->form, &s->lane[d], in)) return true;
    if (!s->previous[d].lane.ready) return false;
    if (!spdm_record_open(&rc, &s->form, &s->previous[d].lane, in)) return false;
    spdm_session_back(c, s, d);
    s->update = 0;
    return true;
}

bool spdm_session_is_message(struct spdm_span data)
{
    return data.n != 0 && data.p[0] >> 4 == 1;
}

enum fate spdm_session_open(struct conn *c, struct spdm_span record, uint64_t now, struct incoming *in)
{
    const struct spdm_binding *binding = c->cfg->binding;
    struct record_in ri = {.record = record, .out = c->cfg->in};
    struct session *s = spdm_session_find(c, spdm_record_session(record));

    in->session = s;
    if (s == NULL || !spdm_session_records(s)) return FATE_DROP; /* R-SSN-08, R-SSN-11 */
    if (!open_with_either(c, s, in->direction, &ri)) return FATE_BROKEN;
    s->heard = now; /* whatever it is, it is traffic (R-HBT-05) */
    in->message = ri.data;
    if (ri.data.n < 1) return FATE_BROKEN;
    if (binding->inner_n == 0 && (!binding->app_data || spdm_session_is_message(ri.data))) return FATE_MESSAGE;
    if (binding->inner_n == 0 || ri.data.p[0] != binding->inner)
        return s->state == SESSION_ESTABLISHED ? FATE_DATA : FATE_BROKEN; /* R-APP-06 */
    in->message = spdm_part(ri.data, 1, ri.data.n);
    return FATE_MESSAGE;
}

static uint8_t random_size(struct conn *c, const struct session *s)
{
    uint8_t most = c->cfg->policy->record_random, byte = 0;

    if (most == 0 || !c->cfg->binding->random_data || s->form.mac_only) return 0;
    if (most > RECORD_RANDOM_MAX) most = RECORD_RANDOM_MAX;
    if (!c->cfg->crypto->random(c->cfg->crypto_ctx, &byte, 1)) return 0;
    return (uint8_t)(byte % (most + 1u));
}

size_t spdm_session_seal(struct conn *c, struct session *s, const struct outgoing *out)
{
    const struct spdm_binding *binding = c->cfg->binding;
    struct record_crypto rc = record_crypto(c);
    struct record_plain plain = {
        .head = {&binding->inner, out->app ? 0 : binding->inner_n}, .data = out->message, .random = random_size(c, s)};
    size_t n =
        spdm_record_seal(&rc, &s->form, &s->lane[out->direction], &plain, spdm_room_from(out->room, binding->head));

    return n == 0 ? 0 : binding->wrap(out->room, n, true);
}
