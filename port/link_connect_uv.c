/* SPDX-License-Identifier: BSD-3-Clause
 *
 * link_connect_uv.c - reaching a peer: name, addresses, hello, DOE discovery.
 *
 * All of it together has connect_ms. Each address of a name gets its share of
 * what is left, so that a dead first address does not hide a live second one.
 * `up` is called when the next frame can be an SPDM message. */
#include "port/link_impl.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELLO "Client Hello!" /* with its end: 14 bytes */
#define DOE_CMA_SPDM 1

static void on_lookup(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct spdm_link *link = request->data;
    link->dialer->list = list;
    if (link->phase == LINK_LOOKUP && status < 0) {
        spdm_link_fail(link, SPDM_LINK_UNREACHABLE, "cannot reach %s: there is no host of that name (%s)",
                       link->target->text, uv_strerror(status));
    } else if (link->phase == LINK_LOOKUP) {
        link->phase = LINK_DIAL;
        link->dialer->next = list;
        spdm_link_dial_next(link);
    }
    spdm_link_release(link);
}

struct spdm_link *spdm_link_connect(uv_loop_t *loop, const struct spdm_target *target,
                                    const struct spdm_link_options *options, const struct spdm_link_events *events,
                                    void *ctx)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct spdm_link *link = calloc(1, sizeof *link);
    struct link_dialer *dialer = calloc(1, sizeof *dialer);
    char port[6];
    int rc;
    if (link == NULL || dialer == NULL) goto short_of_memory;
    link->options = *options;
    spdm_link_defaults(&link->options);
    link->in = malloc(link->options.frame_max + SPDM_EMU_HEADER);
    if (link->in == NULL) goto short_of_memory;
    if (spdm_link_is_storage(target) && (link->storage.answer = malloc(link->options.frame_max)) == NULL)
        goto short_of_memory;
    dialer->target = *target;
    link->dialer = dialer;
    link->target = &dialer->target;
    link->events = *events;
    link->ctx = ctx;
    spdm_link_begin(link, loop);
    uv_update_time(loop);
    dialer->until = link->until = uv_now(loop) + link->options.connect_ms;
    dialer->lookup.data = dialer->connect.data = link;
    snprintf(port, sizeof port, "%u", target->port);
    rc = uv_getaddrinfo(loop, &dialer->lookup, on_lookup, link->target->host, port, &hints);
    if (rc == 0) link->held++;
    else
        spdm_link_fail(link, SPDM_LINK_UNREACHABLE, "cannot reach %s: looking up the host failed: %s", target->text,
                       uv_strerror(rc));
    spdm_link_rearm(link);
    return link;

short_of_memory:
    if (link != NULL) free(link->in);
    free(link);
    free(dialer);
    return NULL;
}

void spdm_link_dial_freed(struct spdm_link *link)
{
    uv_freeaddrinfo(link->dialer->list);
    free(link->dialer);
    free(link->storage.answer);
    free(link->in);
    free(link);
}

/* ---- addresses ---- */

void spdm_link_go_up(struct spdm_link *link)
{
    link->phase = LINK_UP;
    link->heard = uv_now(link->loop);
    spdm_link_rearm(link);
    if (link->events.up != NULL) link->events.up(link->ctx, link);
}

/* The reference sends it without the header that it puts in front of everything else. */
static void inquire(struct spdm_link *link)
{
    uint8_t frame[4];
    size_t n = spdm_tcp_control((struct spdm_room){frame, sizeof frame}, SPDM_TCP_ROLE_INQUIRY);
    struct spdm_span span = {frame, n};
    if (spdm_link_transmit_raw(link, span)) spdm_link_tapped(link, span, true);
}

static void connected(struct spdm_link *link)
{
    /* NONE has no hello, and who reaches out is greeted */
    bool hello = link->target->emulator && link->target->transport != 0 && !link->options.reach_out;
    link->phase = hello ? LINK_HELLO : LINK_UP;
    spdm_link_start(link);
    if (link->options.reach_out) inquire(link);
    if (!hello) {
        spdm_link_go_up(link);
        return;
    }
    spdm_link_rearm(link);
    (void)spdm_link_transmit(link, SPDM_EMU_TEST, (struct spdm_span){(const uint8_t *)HELLO, sizeof HELLO});
}

static void on_attempt_closed(uv_handle_t *handle)
{
    struct spdm_link *link = handle->data;
    link->tcp_open = false;
    if (link->phase == LINK_DIAL) spdm_link_dial_next(link);
    spdm_link_release(link);
}

static void give_up_address(struct spdm_link *link, const char *why)
{
    snprintf(link->dialer->error, sizeof link->dialer->error, "%s", why);
    if (!uv_is_closing((uv_handle_t *)&link->tcp)) uv_close((uv_handle_t *)&link->tcp, on_attempt_closed);
}

static void on_connect(uv_connect_t *request, int status)
{
    struct spdm_link *link = request->data;
    if (link->phase == LINK_DIAL && status == 0) connected(link);
    else if (link->phase == LINK_DIAL && status != UV_ECANCELED) give_up_address(link, uv_strerror(status));
    spdm_link_release(link);
}

static bool dial(struct spdm_link *link, const struct addrinfo *address)
{
    int rc = uv_tcp_init(link->loop, &link->tcp);
    if (rc == 0) {
        link->tcp.data = link;
        link->tcp_open = true;
        link->reading = false;
        link->held++;
        rc = uv_tcp_connect(&link->dialer->connect, &link->tcp, address->ai_addr, on_connect);
        if (rc == 0) link->held++;
        else give_up_address(link, uv_strerror(rc));
        return true;
    }
    snprintf(link->dialer->error, sizeof link->dialer->error, "%s", uv_strerror(rc));
    return false;
}

void spdm_link_dial_next(struct spdm_link *link)
{
    struct link_dialer *dialer = link->dialer;
    uint64_t now = uv_now(link->loop), left = dialer->until > now ? dialer->until - now : 0;
    while (dialer->next != NULL) {
        const struct addrinfo *address = dialer->next, *a;
        unsigned n = 0;
        for (a = address; a != NULL; a = a->ai_next) n++;
        dialer->next = address->ai_next;
        link->until = now + left / n;
        if (dial(link, address)) {
            spdm_link_rearm(link);
            return;
        }
    }
    spdm_link_fail(link, SPDM_LINK_UNREACHABLE, "cannot reach %s: %s", link->target->text, dialer->error);
}

void spdm_link_dial_late(struct spdm_link *link)
{
    static const char *const waiting[] = {"the name server did not answer", "no answer",
                                          "connected, but no answer to the emulator's hello",
                                          "connected, but no answer to discovery"};
    bool last = uv_now(link->loop) >= link->dialer->until;
    if (link->phase == LINK_DIAL && (!last || link->dialer->next != NULL)) {
        give_up_address(link, "no answer in time");
        return;
    }
    spdm_link_fail(link, SPDM_LINK_UNREACHABLE, "cannot reach %s: %s within %g s", link->target->text,
                   waiting[link->phase], link->options.connect_ms / 1e3);
}

/* ---- hello and discovery ---- */

static void ask_discovery(struct spdm_link *link)
{
    uint8_t frame[12];
    size_t n = spdm_doe_discovery((struct spdm_room){frame, sizeof frame}, (uint8_t)link->dialer->index, 0);
    struct spdm_span span = {frame, n};
    if (spdm_link_transmit(link, SPDM_EMU_NORMAL, span)) spdm_link_tapped(link, span, true);
}

static void greeted(struct spdm_link *link, uint32_t command)
{
    if (command != SPDM_EMU_TEST) {
        spdm_link_fail(link, SPDM_LINK_PROTOCOL, "%s answered the hello with command 0x%x instead of 0x%x",
                       spdm_link_peer(link), command, SPDM_EMU_TEST);
    } else if (link->target->binding == &spdm_binding_doe) {
        link->phase = LINK_DISCOVERY;
        ask_discovery(link);
    } else if (spdm_link_is_storage(link->target)) {
        link->phase = LINK_DISCOVERY;
        spdm_link_storage_discover(link);
    } else {
        spdm_link_go_up(link);
    }
}

/* The walk is bounded because the next index must be larger than the last (transports.md 3.2). */
static void discovered(struct spdm_link *link, struct spdm_span frame)
{
    struct link_dialer *dialer = link->dialer;
    struct spdm_doe_protocol found;
    spdm_link_tapped(link, frame, false);
    if (!spdm_doe_discovered(frame, &found)) {
        spdm_link_fail(link, SPDM_LINK_PROTOCOL, "%s answered DOE discovery %u with something else (%zu bytes)",
                       spdm_link_peer(link), dialer->index, frame.n);
        return;
    }
    if (found.vendor == 1 && found.type < 32) dialer->doe_types |= 1u << found.type;
    if (found.vendor != 0xffff && found.next != 0) {
        if (found.next <= dialer->index) {
            spdm_link_fail(link, SPDM_LINK_PROTOCOL, "%s: DOE discovery goes in circles, index %u after %u",
                           spdm_link_peer(link), found.next, dialer->index);
            return;
        }
        dialer->index = found.next;
        ask_discovery(link);
        return;
    }
    if ((dialer->doe_types & 1u << DOE_CMA_SPDM) == 0) {
        spdm_link_fail(link, SPDM_LINK_PROTOCOL,
                       "%s: the DOE mailbox does not offer SPDM (object type 1; the types it has are the bits of 0x%x)",
                       spdm_link_peer(link), dialer->doe_types);
        return;
    }
    spdm_link_go_up(link);
}

/* ---- frames of the peer ---- */

static const char *tcp_words(enum spdm_tcp_type type)
{
    switch (type) {
    case SPDM_TCP_ROLE_INQUIRY: return "asks us to be the requester it connects to (role inquiry); we connected to it";
    case SPDM_TCP_TOO_LARGE: return "says our message is too large for it";
    case SPDM_TCP_NOT_SUPPORTED: return "does not support version 1 of the TCP binding";
    case SPDM_TCP_NO_REQUESTER: return "cannot operate as requester";
    case SPDM_TCP_NO_RESPONDER: return "cannot operate as responder";
    default: return "reports an error the standard has no name for";
    }
}

void spdm_link_normal(struct spdm_link *link, struct spdm_span frame)
{
    if (link->target->binding == &spdm_binding_tcp && frame.n != 0 &&
        spdm_binding_tcp.unwrap(frame).kind == SPDM_FRAME_CONTROL) {
        enum spdm_tcp_type type = spdm_tcp_control_type(frame);
        spdm_link_tapped(link, frame, false);
        spdm_link_fail(link, SPDM_LINK_PROTOCOL, "%s %s (TCP binding, message type 0x%02x)", spdm_link_peer(link),
                       tcp_words(type), (unsigned)frame.p[3]);
        return;
    }
    spdm_link_frame(link, frame);
}

void spdm_link_answered(struct spdm_link *link, uint32_t command, struct spdm_span frame)
{
    bool normal = command == SPDM_EMU_NORMAL && !spdm_link_is_storage(link->target);
    if (link->phase == LINK_HELLO) greeted(link, command);
    else if (spdm_link_storage_answered(link, command, frame)) return;
    else if (normal && link->phase == LINK_DISCOVERY) discovered(link, frame);
    else if (normal) spdm_link_normal(link, frame);
    else if (command == SPDM_EMU_SHUTDOWN || command == SPDM_EMU_CONTINUE)
        spdm_link_fail(link, SPDM_LINK_CLOSED, "%s ended the connection (command 0x%x)", spdm_link_peer(link), command);
    else
        spdm_link_fail(link, SPDM_LINK_PROTOCOL, "%s answered with the emulator's command 0x%x, 0x%x expected",
                       spdm_link_peer(link), command,
                       spdm_link_is_storage(link->target) ? SPDM_EMU_STORAGE_STATUS : SPDM_EMU_NORMAL);
}
