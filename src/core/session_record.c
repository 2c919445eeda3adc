/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A session's records: which key opens one, what is in it, how one is sealed. */
#include "core/session.h"

enum { UPDATE_ALL = 2 };

static struct record_crypto record_crypto(const struct conn *c)
{
    return (struct record_crypto){c->cfg->crypto, c->cfg->crypto_ctx};
}

/* With the present key, or, while an update is not verified, with the one before (R-KUP-11). */
static bool open_with_either(struct conn *c, struct session *s, enum direction d, struct record_in *in, bool *before)
{
    struct record_crypto rc = record_crypto(c);

    *before = false;
    if (spdm_record_open(&rc, &s->form, &s->lane[d], in)) return true;
    *before = s->previous[d].ready;
    return *before && spdm_record_open(&rc, &s->form, &s->previous[d], in);
}

bool spdm_session_is_message(const struct conn *c, struct spdm_span data, struct spdm_span *message)
{
    const struct spdm_binding *binding = c->cfg->binding;
    size_t head = spdm_session_inner(c);

    *message = spdm_part(data, head, data.n);
    if (head != 0 && binding->take_inner != NULL) {
        *message = binding->take_inner(data);
        return message->n != 0;
    }
    return head != 0 ? data.p[0] == binding->inner : !binding->app_data || data.p[0] >> 4 == 1;
}

/* What a record holds; in->message begins as all of it. */
static enum fate classify(const struct conn *c, const struct session *s, struct incoming *in)
{
    struct spdm_span data = in->message;

    if (data.n < 1) return FATE_BROKEN;
    if (spdm_session_is_message(c, data, &in->message)) return FATE_MESSAGE;
    in->message = data;
    return c->cfg->binding->app_data && s->state == SESSION_ESTABLISHED ? FATE_DATA : FATE_BROKEN; /* R-APP-06 */
}

static void show(const struct conn *c, const struct session *s, enum direction d, bool app, struct spdm_span message)
{
    if (!SPDM_WHOLE || c->cfg->inside == NULL) return;
    c->cfg->inside(c->cfg->inside_ctx,
                   &(struct spdm_inside){.session = s->id, .message = message, .request = d == REQUEST, .app = app});
}

enum fate spdm_session_open(struct conn *c, struct spdm_span record, uint64_t now, struct incoming *in)
{
    struct record_in ri = {.record = record, .out = c->cfg->in};
    struct session *s = spdm_session_find(c, spdm_record_session(record));
    enum fate fate;
    bool before;

    in->session = s;
    if (s == NULL || !spdm_session_records(s)) return FATE_DROP; /* R-SSN-08, R-SSN-11 */
    c->opened = (uint32_t)(record.n < ri.out.n ? record.n : ri.out.n);
    if (!open_with_either(c, s, in->direction, &ri, &before)) return FATE_BROKEN;
    s->heard = now; /* whatever it is, it is traffic (R-HBT-05) */
    in->message = ri.data;
    fate = classify(c, s, in);
    /* Application data under the key before has crossed the update on its way; a message means that the peer did not
     * follow (sessions.md 7.2, 7.3). */
    if (before && fate == FATE_MESSAGE) {
        spdm_session_restore(c, s, in->direction);
        s->answered = s->update == UPDATE_ALL;
        s->update = 0;
    }
    if (fate != FATE_BROKEN) show(c, s, in->direction, fate == FATE_DATA, in->message);
    return fate;
}

/* What stands in front of an SPDM message inside a record. */
static struct spdm_span inner_header(const struct conn *c, size_t n, uint8_t block[SPDM_INNER_MAX])
{
    const struct spdm_binding *binding = c->cfg->binding;

    if (binding->put_inner == NULL) return spdm_span(&binding->inner, binding->inner_n);
    binding->put_inner(block, n);
    return spdm_span(block, spdm_session_inner(c));
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
    struct record_plain plain = {.data = out->message, .random = random_size(c, s)};
    uint8_t block[SPDM_INNER_MAX];
    size_t n;

    if (!out->app) plain.head = inner_header(c, out->message.n, block);
    show(c, s, out->direction, out->app, out->message);
    n = spdm_record_seal(&rc, &s->form, &s->lane[out->direction], &plain, spdm_room_from(out->room, binding->head));

    return n == 0 ? 0 : binding->wrap(out->room, n, true);
}
