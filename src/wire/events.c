/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SUPPORTED_EVENT_TYPES, SUBSCRIBE_EVENT_TYPES and SEND_EVENT: lists of groups
 * and of events. Both are walked whole when a message is decoded, so that
 * whoever reads them later reads well-formed ones (messages.md, R-EVT). */
#include "wire/walkers.h"

enum { ALL = 1, TYPE = 4, EVENTS_MAX = 512 };

/* ---- groups ---- */

static void group(struct io *io, struct spdm_event_group *m, bool inside)
{
    uint16_t n = (uint16_t)(m->types.n / TYPE), type = 0;
    uint32_t attributes = m->all ? ALL : 0;

    spdm_io_svh(io, &m->body, &m->vendor);
    io_u16(io, "EventTypeCount", &n);
    io_u16(io, "EventGroupVer", &m->version);
    io_u32(io, "Attributes", &attributes);
    m->all = (attributes & ALL) != 0;
    io_need(io, !m->all || n == 0, BAD_VALUE, "EventTypeCount R-EVT-07", n, 0);
    if (!inside) io_bytes(io, "EventType", &m->types, (size_t)TYPE * n);
    for (; inside && io_fine(io) && n > 0; n--) {
        io_u16(io, "EventTypeId", &type);
        io_zero(io, 2);
    }
}

/* The list just read must be so many groups and nothing else. */
static void groups(struct io *io, size_t list, unsigned count)
{
    struct spdm_event_group skipped = {0};
    size_t end = spdm_io_open(io, list);

    for (; io_fine(io) && count > 0; count--) group(io, &skipped, true);
    spdm_io_close(io, end, SPDM_NAME("the event groups R-EVT-07"));
}

static void group_list(struct io *io, const char *length, const char *name, struct spdm_list_order *m)
{
    uint32_t n = (uint32_t)m->list.n;

    (void)length;
    (void)name;
    io_u32(io, length, &n);
    io_need(io, n != 0, TOO_SMALL, length, 0, 1);
    io_bytes(io, name, &m->list, n);
    if (io->inside != NULL && io_fine(io)) groups(io, n, m->count);
}

void spdm_walk_supported_event_types(struct io *io, union spdm_body *b)
{
    struct spdm_list_order *m = &b->order.list;
    uint8_t count = (uint8_t)m->count;

    io_u8(io, "EventGroupCount", &count);
    m->count = count;
    io_need(io, count != 0, TOO_SMALL, "EventGroupCount R-EVT-04", 0, 1);
    io_zero(io, 1);
    group_list(io, SPDM_NAME("SupportedEventGroupsListLen"), SPDM_NAME("SupportedEventGroupsList"), m);
}

/* Without groups the message ends here: everything is unsubscribed. */
void spdm_walk_subscribe_event_types(struct io *io, union spdm_body *b)
{
    struct spdm_list_order *m = &b->order.list;
    uint8_t count = (uint8_t)m->count;

    io_u8(io, "SubscribeEventGroupCount", &count);
    m->count = count;
    io_zero(io, 1);
    if (count != 0) group_list(io, SPDM_NAME("SubscribeListLen"), SPDM_NAME("SubscribeList"), m);
}

/* ---- events ---- */

/* Sizes of details that are fixed, by type: DMTF's (R-EVT-15). */
static bool detail_fits(uint8_t body, uint16_t type, uint16_t n)
{
    static const uint8_t size[] = {0, 8, 32, 32, 1};

    if (body != 0) return true;
    return type != 0 && type < sizeof size && n == size[type];
}

static void event(struct io *io, struct spdm_notice *m)
{
    uint16_t n = (uint16_t)m->detail.n;

    io_u32(io, "EventInstanceID", &m->instance);
    io_zero(io, 4);
    spdm_io_svh(io, &m->body, &m->vendor);
    io_u16(io, "EventTypeId", &m->type);
    io_u16(io, "EventDetailLen", &n);
    io_need(io, detail_fits(m->body, m->type, n), BAD_LENGTH, "EventDetailLen R-EVT-15", n, 0);
    io_bytes(io, "EventDetail", &m->detail, n);
}

/* Whether a list of events has one with this instance id. */
static bool has(struct spdm_span rest, uint32_t instance)
{
    struct spdm_notice m;

    while (spdm_notice_next(&rest, &m)) {
        if (m.instance == instance) return true;
    }
    return false;
}

/* The ids of a message are a range without gaps, in any order (R-EVT-13). Every id of the range is there, and there are
 * as many events: so none is there twice. */
static void instances(struct io *io, struct spdm_span list, uint32_t count)
{
    struct spdm_span rest = list;
    uint32_t least = UINT32_MAX, most = 0;
    struct spdm_notice m;

    while (spdm_notice_next(&rest, &m)) {
        if (m.instance < least) least = m.instance;
        if (m.instance > most) most = m.instance;
    }
    io_need(io, most - least == count - 1, BAD_ORDER, "EventInstanceID R-EVT-13", most, least);
    for (uint32_t n = 0; io_fine(io) && n < count; n++) {
        io_need(io, has(list, least + n), BAD_ORDER, "EventInstanceID R-EVT-13", least + n, least);
    }
}

/* So many events, shown or not. */
static void events(struct io *io, uint32_t count)
{
    for (; io_fine(io) && count > 0; count--) {
        struct spdm_notice skipped = {0};

        event(io, &skipped);
    }
}

void spdm_walk_send_event(struct io *io, union spdm_body *b)
{
    struct spdm_list_order *m = &b->order.list;
    size_t n = m->list.n, start;
    struct io probe;

    io_zero(io, 2);
    io_u32(io, "EventCount", &m->count);
    io_need(io, m->count != 0, TOO_SMALL, "EventCount R-EVT-11", 0, 1);
    io_need(io, m->count <= EVENTS_MAX, TOO_LONG, "EventCount", m->count, EVENTS_MAX);
    start = io->at;
    if (io_decoding(io)) { /* the list has no length: it is as long as its events are */
        probe = *io;
        probe.see = NULL;
        events(&probe, m->count);
        if (!io_fine(&probe)) {
            events(io, m->count); /* up to what is wrong */
            return;
        }
        n = probe.at - start;
    }
    io_bytes(io, "EventsList", &m->list, n);
    if (!io_decoding(io) || !io_fine(io)) return;
    io->at = start;
    events(io, m->count);
    instances(io, m->list, m->count);
}

/* ---- for callers ---- */

bool spdm_event_group_next(struct spdm_span *rest, struct spdm_event_group *out)
{
    struct io io = {.rd = *rest, .end = rest->n};

    *out = (struct spdm_event_group){0};
    if (rest->n == 0) return false;
    group(&io, out, false);
    if (!io_fine(&io)) return false;
    *rest = spdm_part(*rest, io.at, rest->n);
    return true;
}

bool spdm_event_type_next(struct spdm_span *types, uint16_t *type)
{
    if (types->n < TYPE) return false;
    *type = (uint16_t)(types->p[0] | types->p[1] << 8);
    *types = spdm_part(*types, TYPE, types->n);
    return true;
}

size_t spdm_event_group_put(struct spdm_room room, const struct spdm_event_group *from, const uint16_t *types,
                            uint16_t n)
{
    struct spdm_event_group m = *from;
    struct io io = {.wr = room, .end = room.n};

    if (room.p == NULL) return 0;
    m.types = (struct spdm_span){NULL, m.all ? 0 : (size_t)TYPE * n};
    group(&io, &m, false);
    for (uint16_t i = 0; io_fine(&io) && !m.all && i < n; i++) {
        uint8_t *at = spdm_room_from(room, io.at - (size_t)TYPE * (n - i)).p;

        at[0] = (uint8_t)types[i];
        at[1] = (uint8_t)(types[i] >> 8);
        at[2] = at[3] = 0;
    }
    return io_fine(&io) ? io.at : 0;
}

bool spdm_notice_next(struct spdm_span *rest, struct spdm_notice *out)
{
    struct io io = {.rd = *rest, .end = rest->n};

    *out = (struct spdm_notice){0};
    if (rest->n == 0) return false;
    event(&io, out);
    if (!io_fine(&io)) return false;
    *rest = spdm_part(*rest, io.at, rest->n);
    return true;
}

size_t spdm_notice_put(struct spdm_room room, const struct spdm_notice *notice)
{
    struct spdm_notice m = *notice;
    struct io io = {.wr = room, .end = room.n};

    if (room.p == NULL) return 0;
    event(&io, &m);
    return io_fine(&io) ? io.at : 0;
}
