/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where a message of ours lies in `out`: behind the binding's header, and in a
 * session behind the record's, with room left for what follows it. */
#include "core/session.h"

struct spdm_room spdm_conn_out(const struct conn *c)
{
    const struct spdm_config *cfg = c->cfg;
    bool records = spdm_conn_in_records(c);
    size_t head = records ? spdm_sessions_of(cfg)->head(c, spdm_conn_channel(c)) : cfg->binding->head;
    size_t tail = cfg->binding->tail + (records ? RECORD_TAG + (size_t)cfg->policy->record_random : 0);
    struct spdm_room room = spdm_room_from(cfg->out, head);

    room.n = room.n > tail ? room.n - tail : 0;
    return room;
}
