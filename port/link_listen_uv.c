/* SPDX-License-Identifier: BSD-3-Clause
 *
 * link_listen_uv.c - listeners, the pool of their links, the emulator's commands.
 *
 * A link is one allocation, made when there are more clients than ever before
 * and kept for the next one: memory stops growing at the largest number of
 * clients at once, which links_max bounds. Whoever comes beyond it is accepted
 * and closed, so that the queue of the kernel holds only clients that will be
 * served. */
#include "port/link_impl.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELLO "Server Hello!" /* with its end: 14 bytes */

struct spdm_listener {
    uv_tcp_t tcp;
    uv_loop_t *loop;
    struct spdm_target target;
    struct spdm_listen_options options;
    struct spdm_link *live, *pool;
    unsigned links;   /* in use, those saying goodbye included */
    unsigned refused; /* being turned away right now */
    bool open, closing;
};

/* ---- life and death ---- */

static void free_if_last(struct spdm_listener *l)
{
    if (!l->closing || l->open || l->links != 0 || l->refused != 0) return;
    while (l->pool != NULL) {
        struct spdm_link *link = l->pool;
        l->pool = link->next;
        free(link);
    }
    free(l);
}

void spdm_link_pooled(struct spdm_link *link)
{
    struct spdm_listener *l = link->listener;
    if (link->prev != NULL) link->prev->next = link->next;
    else l->live = link->next;
    if (link->next != NULL) link->next->prev = link->prev;
    link->next = l->pool;
    l->pool = link;
    l->links--;
    free_if_last(l);
}

/* A link of the pool, or a new one: the struct and its input buffer in one block. */
static struct spdm_link *get_link(struct spdm_listener *l)
{
    size_t in = l->options.link.frame_max + SPDM_EMU_HEADER;
    size_t answer = spdm_link_is_storage(&l->target) ? l->options.link.frame_max : 0;
    struct spdm_link *link = l->pool;
    if (link != NULL) l->pool = link->next;
    else link = malloc(sizeof *link + in + answer);
    if (link == NULL) return NULL;
    memset(link, 0, sizeof *link);
    link->in = (uint8_t *)(link + 1);
    link->storage.answer = link->in + in;
    link->listener = l;
    link->target = &l->target;
    link->options = l->options.link;
    link->events = l->options.events.link;
    link->phase = l->options.link.reach_out ? LINK_HELLO : LINK_UP;
    link->next = l->live;
    if (l->live != NULL) l->live->prev = link;
    l->live = link;
    l->links++;
    spdm_link_begin(link, l->loop);
    return link;
}

/* ---- accepting ---- */

struct refusal {
    uv_tcp_t tcp;
    struct spdm_listener *listener;
};

static void on_refused(uv_handle_t *handle)
{
    struct refusal *r = handle->data;
    struct spdm_listener *l = r->listener;
    free(r);
    l->refused--;
    free_if_last(l);
}

static void note(struct spdm_listener *l, bool shutdown, const char *text)
{
    if (l->options.events.note != NULL) l->options.events.note(l->options.ctx, l, shutdown, text);
}

/* Accepts and closes: the client sees an orderly end at once instead of waiting in the kernel's queue. */
static void turn_away(struct spdm_listener *l, const char *why)
{
    struct refusal *r = malloc(sizeof *r);
    if (r == NULL) return; /* the client waits until a later accept has memory again */
    r->listener = l;
    uv_tcp_init(l->loop, &r->tcp);
    r->tcp.data = r;
    l->refused++;
    (void)uv_accept((uv_stream_t *)&l->tcp, (uv_stream_t *)&r->tcp);
    uv_close((uv_handle_t *)&r->tcp, on_refused);
    note(l, false, why);
}

static void on_client(uv_stream_t *stream, int status)
{
    struct spdm_listener *l = stream->data;
    struct spdm_link *link;
    char text[80];
    if (status < 0) {
        snprintf(text, sizeof text, "cannot accept a client: %s", uv_strerror(status));
        note(l, false, text);
        return;
    }
    if (l->links >= l->options.links_max) {
        snprintf(text, sizeof text, "client turned away: %u connections are open, the limit", l->links);
        turn_away(l, text);
        return;
    }
    link = get_link(l);
    if (link == NULL) {
        turn_away(l, "client turned away: out of memory");
        return;
    }
    uv_tcp_init(l->loop, &link->tcp);
    link->tcp_open = true;
    link->held++;
    if (uv_accept(stream, (uv_stream_t *)&link->tcp) != 0) {
        link->broken = true;
        spdm_link_close(link);
        return;
    }
    spdm_link_start(link);
    link->ctx = l->options.events.accept(l->options.ctx, l, link);
    if (link->ctx == NULL) spdm_link_close(link);
    else spdm_link_rearm(link);
}

/* ---- opening and closing ---- */

static int bind_first(struct spdm_listener *l, int backlog)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_PASSIVE}, *list = NULL;
    char port[6];
    int rc;
    snprintf(port, sizeof port, "%u", l->target.port);
    if (getaddrinfo(l->target.host, port, &hints, &list) != 0) return UV_EAI_NONAME;
    rc = uv_tcp_bind(&l->tcp, list->ai_addr, 0);
    freeaddrinfo(list);
    return rc != 0 ? rc : uv_listen((uv_stream_t *)&l->tcp, backlog, on_client);
}

/* The port the kernel chose, into the target and its text. */
static void learn_port(struct spdm_listener *l)
{
    struct sockaddr_storage bound;
    char text[SPDM_TARGET_MAX], *colon;
    int n = sizeof bound;
    uint16_t port;
    if (uv_tcp_getsockname(&l->tcp, (struct sockaddr *)&bound, &n) != 0) return;
    port = bound.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)&bound)->sin6_port
                                       : ((const struct sockaddr_in *)&bound)->sin_port;
    l->target.port = ntohs(port);
    memcpy(text, l->target.text, sizeof text);
    colon = strrchr(text, ':');
    if (colon != NULL) *colon = '\0';
    snprintf(l->target.text, sizeof l->target.text, "%.*s:%u", (int)(sizeof l->target.text - 8), text, l->target.port);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct spdm_listener *l = handle->data;
    l->open = false;
    free_if_last(l);
}

void spdm_listener_close(struct spdm_listener *l)
{
    struct spdm_link *link, *next;
    if (l->closing) return;
    l->closing = true;
    for (link = l->live; link != NULL; link = next) {
        next = link->next;
        spdm_link_fail(link, SPDM_LINK_CLOSED, "we are closing");
    }
    uv_close((uv_handle_t *)&l->tcp, on_listener_closed);
}

struct spdm_listener *spdm_listener_open(uv_loop_t *loop, const struct spdm_target *target,
                                         const struct spdm_listen_options *options, char error[SPDM_REASON_MAX])
{
    struct spdm_listener *l = calloc(1, sizeof *l);
    int rc, backlog;
    if (l == NULL || uv_tcp_init(loop, &l->tcp) != 0) {
        free(l);
        snprintf(error, SPDM_REASON_MAX, "cannot listen on %s: out of memory", target->text);
        return NULL;
    }
    l->tcp.data = l;
    l->loop = loop;
    l->target = *target;
    l->options = *options;
    l->open = true;
    spdm_link_defaults(&l->options.link);
    if (l->options.links_max == 0) l->options.links_max = 1024;
    backlog = options->backlog != 0 ? (int)options->backlog : 1024;
    rc = bind_first(l, backlog);
    if (rc != 0) {
        snprintf(error, SPDM_REASON_MAX, "cannot listen on %s: %s", target->text, uv_strerror(rc));
        spdm_listener_close(l);
        return NULL;
    }
    learn_port(l);
    return l;
}

const struct spdm_target *spdm_listener_target(const struct spdm_listener *l)
{
    return &l->target;
}

unsigned spdm_listener_links(const struct spdm_listener *l)
{
    return l->links;
}

/* ---- who reaches out ---- */

/* Its first frame says that it wants to be asked. Who asks instead is told that we do not answer (DSP0287 0xC3). */
void spdm_link_inquired(struct spdm_link *link, struct spdm_span frame)
{
    enum spdm_tcp_type type = spdm_tcp_control_type(frame);
    uint8_t control[4];
    size_t n = spdm_tcp_control((struct spdm_room){control, sizeof control}, SPDM_TCP_NO_RESPONDER);
    struct spdm_span answer = {control, n};
    spdm_link_tapped(link, frame, false);
    if (type == SPDM_TCP_ROLE_INQUIRY) {
        spdm_link_go_up(link);
        return;
    }
    if (spdm_link_transmit_raw(link, answer)) spdm_link_tapped(link, answer, true);
    spdm_link_fail(link, SPDM_LINK_PROTOCOL,
                   "%s did not ask for its role; devices that wait to be asked are awaited here", spdm_link_peer(link));
}

/* ---- what clients ask ---- */

static void answer(struct spdm_link *link, uint32_t command)
{
    (void)spdm_link_transmit(link, command, (struct spdm_span){NULL, 0});
}

/* As the reference does (transports.md 7): TEST is greeted, CONTINUE and SHUTDOWN are confirmed and close, an unknown
 * command is answered UNKNOWN and closes. An out-of-band trigger for an encapsulated request that nobody here takes is
 * answered UNKNOWN and the connection goes on: its requester treats that as "no such flow". */
void spdm_link_asked(struct spdm_link *link, uint32_t command, struct spdm_span frame)
{
    bool taken;

    if (spdm_link_storage_asked(link, command, frame)) return;
    switch (command) {
    case SPDM_EMU_NORMAL:
        if (link->dialer != NULL) spdm_link_normal(link, frame); /* its control frames are answers to our inquiry */
        else spdm_link_frame(link, frame);
        break;
    case SPDM_EMU_TEST:
        (void)spdm_link_transmit(link, SPDM_EMU_TEST, (struct spdm_span){(const uint8_t *)HELLO, sizeof HELLO});
        break;
    case SPDM_EMU_CONTINUE:
        answer(link, command);
        spdm_link_fail(link, SPDM_LINK_CLOSED, "%s has finished (CONTINUE)", spdm_link_peer(link));
        break;
    case SPDM_EMU_SHUTDOWN:
        answer(link, command);
        spdm_link_fail(link, SPDM_LINK_CLOSED, "%s has finished (SHUTDOWN)", spdm_link_peer(link));
        if (link->listener != NULL) note(link->listener, true, "a client sent SHUTDOWN");
        break;
    case SPDM_EMU_OOB_KEY_UPDATE:
        taken = link->events.update != NULL && link->events.update(link->ctx, link, frame);
        answer(link, taken ? command : SPDM_EMU_UNKNOWN);
        break;
    case SPDM_EMU_OOB_ENDPOINT_INFO:
        taken = link->events.endpoint != NULL && link->events.endpoint(link->ctx, link);
        answer(link, taken ? command : SPDM_EMU_UNKNOWN);
        break;
    default:
        answer(link, SPDM_EMU_UNKNOWN);
        spdm_link_fail(link, SPDM_LINK_PROTOCOL, "%s sent the unknown command 0x%x of the emulator's protocol",
                       spdm_link_peer(link), command);
    }
}
